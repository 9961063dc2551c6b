package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db"
)

// once returns a context in which a caller asks with a key for something with this input.
func once(ctx context.Context, caller, key, action, digest string) context.Context {
	return db.WithOnce(ctx, &coupon.Once{Caller: caller, Key: key, Action: action, Digest: digest})
}

// makers make something, and give what they made.
func (s *scene) makers(t *testing.T, c coupon.ID) map[string]func(context.Context) (string, error) {
	t.Helper()
	people := s.recipients(t, 4)
	source := s.newDelivery(t, c, people)
	plain, err := s.CreateDelivery(t.Context(), &coupon.DeliveryChanges{
		Label: coupon.Set(new("d")), Subject: coupon.Set(new("s")), Body: coupon.Set(new("b")),
	})
	if err != nil {
		t.Fatal(err)
	}
	later, err := s.CreateUpload(t.Context(), &coupon.Upload{FileName: "later.csv"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.WriteUpload(t.Context(), later.ID, 0, strings.NewReader("code\nL1\n"),
		true); err != nil {
		t.Fatal(err)
	}
	return map[string]func(context.Context) (string, error){
		"createCoupon": func(ctx context.Context) (string, error) {
			made, err := s.CreateCoupon(ctx, &coupon.CouponChanges{
				Label: coupon.Set(new("x")), Type: coupon.TypeIndividual,
				StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
			})
			if err != nil {
				return "", err
			}
			return string(made.ID) + made.Code, nil
		},
		"createDelivery": func(ctx context.Context) (string, error) {
			made, err := s.CreateDelivery(ctx,
				&coupon.DeliveryChanges{Label: coupon.Set(new("d")), Body: coupon.Set(new("b"))})
			if err != nil {
				return "", err
			}
			return string(made.ID), nil
		},
		"createRecipientList": func(ctx context.Context) (string, error) {
			made, err := s.CreateRecipientList(ctx, "list",
				db.People{Filter: &coupon.RecipientFilter{}}, false)
			if err != nil {
				return "", err
			}
			return string(made.ID), nil
		},
		"duplicateDelivery": func(ctx context.Context) (string, error) {
			made, err := s.DuplicateDelivery(ctx, source, new("copy"), true)
			if err != nil {
				return "", err
			}
			return fmt.Sprint(made.ID, made.TargetCount), nil
		},
		"sendDelivery": func(ctx context.Context) (string, error) {
			o := &db.Sendout{TemplateID: plain.ID, RecipientIDs: people}
			made, problems, err := s.SendDelivery(ctx, o, fine)
			if err != nil {
				return "", err
			}
			return fmt.Sprint(made.ID, made.TargetCount), problems.OrNil()
		},
		"splitDelivery": func(ctx context.Context) (string, error) {
			made, err := s.SplitDelivery(ctx, source,
				coupon.SplitParts{{Label: "p", Percent: new(50.0)}, {Label: "q", Rest: true}})
			if err != nil {
				return "", err
			}
			return fmt.Sprint(made[0].ID, made[1].ID), nil
		},
		"addCodes": func(ctx context.Context) (string, error) {
			added, rejections, err := s.AddCodes(ctx, c,
				[]coupon.NewCode{{Value: "K2"}, {Value: "k1"}, {Value: "K2"}})
			if err != nil {
				return "", err
			}
			return fmt.Sprint(added[0].Value, added[1].Value, len(added), added[0].BatchID,
				len(rejections), rejections[0].Line, rejections[0].Reason), nil
		},
		"generateCodes": func(ctx context.Context) (string, error) {
			made, err := s.GenerateCodes(ctx, &db.GenerateRequest{
				CouponID: c, Count: 2000, Pattern: "G########", Alphabet: "0123456789",
			})
			if err != nil {
				return "", err
			}
			return fmt.Sprint(made.Batch.ID, made.Batch.Count, made.Sample), nil
		},
		"createUpload": func(ctx context.Context) (string, error) {
			made, err := s.CreateUpload(ctx, &coupon.Upload{FileName: "f.csv"})
			if err != nil {
				return "", err
			}
			return string(made.ID), nil
		},
		"importCodes": func(ctx context.Context) (string, error) {
			made, err := s.CreateImport(ctx, newImport(coupon.ImportCodes, into(c)),
				later.ID, false)
			if err != nil {
				return "", err
			}
			return string(made.ID), nil
		},
		"exportCodes": func(ctx context.Context) (string, error) {
			made, err := s.CreateExport(ctx, &coupon.Export{
				Kind: coupon.ExportCodes, Format: coupon.FormatCSV,
				Request: coupon.ExportRequest{CouponID: &c},
			})
			if err != nil {
				return "", err
			}
			return string(made.ID), nil
		},
	}
}

// TestOnce makes everything that is made with an idempotency key: the same key makes nothing twice,
// whoever else uses it and whatever comes between.
func TestOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	makers := s.makers(t, c)
	first := map[string]string{}
	for action, do := range makers {
		made, err := do(once(t.Context(), "key_1", "K "+action, action, "digest"))
		if err != nil {
			t.Fatalf("%s: %v", action, err)
		}
		first[action] = made
		_, err = do(once(t.Context(), "key_1", "K "+action, action, "other"))
		wantError(t, err, coupon.ErrorAlreadyExists, "input.idempotencyKey")
		_, err = do(once(t.Context(), "key_1", "", action, "digest"))
		wantError(t, err, coupon.ErrorInvalid, "input.idempotencyKey")
	}
	for range 2 {
		for action := range makers {
			if made, err := makers[action](once(t.Context(), "key_1", " K "+action, action,
				"digest")); err != nil || made != first[action] {
				t.Errorf("%s made %q instead of %q, %v", action, made, first[action], err)
			}
		}
		s.wantAvailability(t, c, "available 2002")
		s.clock.Advance(11 * time.Hour)
		s.reopen(t)
	}
	s.checkSound(t)
	// Another caller's key is another one, and a key is forgotten at last.
	made, err := makers["createCoupon"](
		once(t.Context(), "key_2", "K createCoupon", "createCoupon", "digest"),
	)
	if err != nil || made == first["createCoupon"] {
		t.Errorf("another caller got %q, %v", made, err)
	}
	s.clock.Advance(3 * 24 * time.Hour)
	made, err = makers["createCoupon"](
		once(t.Context(), "key_1", "K createCoupon", "createCoupon", "digest"),
	)
	if err != nil || made == first["createCoupon"] {
		t.Errorf("after days the key made %q, %v", made, err)
	}
	s.checkSound(t)
}

// TestOnceAtTheSameTime asks 64 times at once with one key, and a caller goes away in between: it
// is made once.
func TestOnceAtTheSameTime(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	makers := s.makers(t, c)
	for _, action := range []string{"createCoupon", "addCodes", "generateCodes", "importCodes"} {
		var mu sync.Mutex
		made := map[string]int{}
		var group sync.WaitGroup
		for i := range 64 {
			group.Go(func() {
				ctx, cancel := context.WithCancel(
					once(t.Context(), "key_1", "K "+action, action, "digest"),
				)
				defer cancel()
				if i%8 == 0 {
					time.AfterFunc(time.Duration(i)*time.Millisecond, cancel)
				}
				object, err := makers[action](ctx)
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", action, err)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					made[object]++
				}
			})
		}
		group.Wait()
		if len(made) != 1 {
			t.Errorf("%s made %v", action, made)
		}
	}
	s.wantAvailability(t, c, "available 2002")
	if got := len(s.batches(t, c)); got != 2 {
		t.Errorf("%d batches", got)
	}
	s.checkSound(t)
}
