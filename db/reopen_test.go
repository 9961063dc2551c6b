package db_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"couponql/coupon"
	"couponql/db"
)

// TestReopen tells that what memory knows of the codes is the same after a restart: counts, pages
// and decisions.
func TestReopen(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			random := rand.New(rand.NewPCG(seed, 0))
			recipients := s.recipients(t, 30, "soccer", "tennis")
			var coupons []coupon.ID
			var values []string
			for i := range 4 {
				id := s.newCoupon(t, withLimit(1+2*(i%2)), withoutAssignment,
					withEnd([]string{"2026-12-24", "2026-11-24"}[i/2]))
				coupons = append(coupons, id)
				for _, label := range []string{"", "soccer", "tennis", "soccer"} {
					more := numbered(fmt.Sprintf("%s-%d-%s-", id, len(values), label),
						1+random.IntN(9))
					s.codes(t, id, label, more...)
					values = append(values, more...)
				}
			}
			s.newCoupon(t, anonymous, withCode("ALL"), withLimit(5))
			values = append(values, "ALL", "ALL", "NOBODY")
			imported := s.importFile(t, newImport(coupon.ImportCodes, into(coupons[0])),
				"code,label\nI1,soccer\nI2,\nI3,soccer\n")
			values = append(values, "I1", "I2", "I3")
			if imported.RowsImported != 3 {
				t.Fatalf("got %+v", imported)
			}
			// Two coupons without deliveries, one of which goes, with what was voided of it.
			var gone coupon.ID
			for i := range 2 {
				gone = s.newCoupon(t)
				more := numbered(fmt.Sprintf("GONE-%d-", i), 5)
				s.codes(t, gone, "", more...)
				values = append(values, more...)
				if _, err := s.VoidCodes(t.Context(), voiding(gone, more[1], more[3])); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.DeleteCoupon(t.Context(), gone); err != nil {
				t.Fatal(err)
			}
			var deliveries []coupon.ID
			for i, id := range coupons {
				edits := []func(*coupon.DeliveryChanges){
					func(d *coupon.DeliveryChanges) { d.MessageLimit = coupon.Set(new(10)) },
				}
				if i%2 == 1 {
					edits = append(edits, bySport)
				}
				delivery := s.newDelivery(t, id, recipients, edits...)
				deliveries = append(deliveries, delivery)
				if d, _, err := s.AnalyzeDelivery(t.Context(), delivery, fine); err != nil ||
					d.Status != coupon.DeliveryReady {
					continue
				}
				if i == 3 {
					continue // it stays READY, with a hold
				}
				if _, err := s.ConfirmDelivery(t.Context(), delivery, fine); err != nil {
					t.Fatal(err)
				}
				s.sendBatch(t, delivery, 4)
				if i == 2 {
					if _, err := s.StopDelivery(t.Context(), delivery); err != nil {
						t.Fatal(err)
					}
				}
			}
			s.clock.Advance(time.Hour)
			for range 150 {
				value := values[random.IntN(len(values))]
				r, err := s.Redeem(t.Context(), &coupon.RedeemRequest{
					Value: value, IdempotencyKey: new(fmt.Sprint(random.IntN(200))),
				})
				if err == nil && random.IntN(4) == 0 {
					_, err = s.Reverse(t.Context(), nil, r.ID, nil)
				}
				if _, isRefused := coupon.AsUserErrors(err); err != nil && !isRefused {
					t.Fatal(err)
				}
			}
			for _, id := range coupons {
				if _, err := s.VoidCodes(t.Context(), voiding(id, values[random.IntN(len(values))],
					values[random.IntN(len(values))])); err != nil {
					t.Fatal(err)
				}
				if _, _, _, err := s.ReleaseCodes(t.Context(), voiding(id, values...), true,
					"mistake"); err != nil {
					t.Fatal(err)
				}
			}
			// the second is after some holds and coupons ended
			for _, at := range []time.Time{s.Now(), noon().AddDate(0, 0, 2)} {
				s.clock.Set(at)
				before := s.everything(t, coupons, deliveries, values)
				s.reopen(t)
				if diff := cmp.Diff(before, s.everything(t, coupons, deliveries, values),
					cmpopts.IgnoreUnexported(db.Content{})); diff != "" {
					t.Errorf("at %s (-before +after a restart):\n%s", at, diff)
				}
				s.checkSound(t)
			}
			if len(s.allCodes(t, coupons[1],
				&coupon.CodeFilter{Status: []coupon.CodeStatus{coupon.CodeRedeemed}})) == 0 {
				t.Error("nothing was redeemed")
			}
		})
	}
}

// everything tells all that callers can see of the codes.
func (
	s *scene,
) everything(t *testing.T, coupons, deliveries []coupon.ID, values []string) map[string]any {
	t.Helper()
	all := map[string]any{}
	list, err := s.Coupons(t.Context(), nil, coupon.OrderCreatedAtAsc,
		coupon.Page{First: 100, WantsItems: true, WantsTotal: true})
	if err != nil {
		t.Fatal(err)
	}
	all["coupons"] = list
	for _, id := range coupons {
		all["availability of "+string(id)] = *s.availability(t, id)
		for _, status := range []coupon.CodeStatus{
			coupon.CodeAvailable, coupon.CodeAssigned, coupon.CodeRedeemed, coupon.CodeExpired,
			coupon.CodeVoided,
		} {
			for _, label := range [][]string{nil, {"soccer"}} {
				for _, importID := range []*coupon.ID{nil, new(coupon.ID("import_1"))} {
					filter := &coupon.CodeFilter{
						Status: []coupon.CodeStatus{status}, Label: label, ImportID: importID,
					}
					all[fmt.Sprint("codes of ", id, status, label, importID != nil)] = s.allCodes(
						t, id, filter,
					)
				}
			}
		}
	}
	for _, value := range values {
		code, owner, refusal, err := s.ValidateCode(t.Context(), value, coupon.AnyState)
		if err != nil {
			t.Fatal(err)
		}
		all["decision about "+value] = []any{code, owner, refusal}
	}
	for _, id := range deliveries {
		all[string(id)] = s.delivery(t, id)
		_, _, content, err := s.PreviewContent(t.Context(), id, "recipient_1")
		if err != nil {
			t.Fatal(err)
		}
		all["preview of "+string(id)] = content
	}
	return all
}
