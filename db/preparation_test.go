package db_test

import (
	"fmt"
	"testing"

	"couponql/coupon"
)

// TestConfirmBesideOthers has others change something while a delivery is being confirmed, which
// happens beside the writer: what the confirmation relied on is judged once more, and what it did
// not rely on does not hold it up.
func TestConfirmBesideOthers(t *testing.T) {
	t.Parallel()
	type others struct {
		coupon, delivery coupon.ID
		recipients       []coupon.ID
	}
	redeem := func(value string) func(*testing.T, *scene, others) {
		return func(t *testing.T, s *scene, _ others) { t.Helper(); s.redeem(t, value) }
	}
	importing := func(edit func(*coupon.Import), text string) func(*testing.T, *scene, others) {
		return func(t *testing.T, s *scene, o others) {
			t.Helper()
			i := newImport(coupon.ImportCodes, into(o.coupon), edit)
			if done := s.importFile(t, i, text); done.Status != coupon.ImportSucceeded ||
				done.RowsRejected > 0 {
				t.Fatalf("the import is %+v", done)
			}
		}
	}
	redeeming := func(i *coupon.Import) { i.Kind, i.CouponID = coupon.ImportRedemptions, nil }
	for name, test := range map[string]struct {
		meanwhile func(*testing.T, *scene, others)
		// want is the outcome, and turns how often the delivery could be confirmed as far as it was
		// judged.
		want  coupon.ErrorCode
		turns int
		// stands is where the codes are at the end.
		stands string
	}{
		"nothing happens": {
			func(*testing.T, *scene, others) {}, "", 1, "available 3, assigned 4",
		},
		"a code of another delivery is redeemed": {
			redeem("C0001"), "", 1, "available 3, assigned 3, redeemed 1",
		},
		"a code that nobody gets is redeemed": {
			redeem("C0007"), "", 1, "available 2, assigned 4, redeemed 1",
		},
		// C0002 to C0004 are the next.
		"a code that it took is redeemed": {
			redeem("C0003"), "", 2, "available 2, assigned 4, redeemed 1",
		},
		"a code that it took is voided": {func(t *testing.T, s *scene, o others) {
			t.Helper()
			if _, err := s.VoidCodes(t.Context(), voiding(o.coupon, "C0002")); err != nil {
				t.Fatal(err)
			}
		}, "", 2, "available 2, assigned 4, voided 1"},
		"codes are added": {func(t *testing.T, s *scene, o others) {
			t.Helper()
			s.codes(t, o.coupon, "", "B1", "B2")
		}, "", 1, "available 5, assigned 4"},
		"a file voids a code that it took": {
			importing(withMode(coupon.ImportVoid), "code\nC0002\n"), "", 2,
			"available 2, assigned 4, voided 1",
		},
		"a file redeems a code that it took": {
			importing(redeeming, "code,date\nC0003,2026-11-22\n"), "", 2,
			"available 2, assigned 4, redeemed 1",
		},
		"a file redeems a code of another delivery": {
			importing(redeeming, "code,date\nC0001,2026-11-22\n"), "", 1,
			"available 3, assigned 3, redeemed 1",
		},
		"a file takes the place of the codes that it took": {
			importing(withMode(coupon.ImportReplaceUnused), "code\nB1\nB2\nB3\nB4\n"), "", 2,
			"available 1, assigned 4",
		},
		"a file brings codes": {
			importing(withMode(coupon.ImportAdd), "code\nB1\nB2\n"), "", 1,
			"available 5, assigned 4",
		},
		"the delivery is split": {func(t *testing.T, s *scene, o others) {
			t.Helper()
			parts := coupon.SplitParts{
				{Label: "half", Percent: new(50.0)}, {Label: "rest", Rest: true},
			}
			if _, err := s.SplitDelivery(t.Context(), o.delivery, parts); err != nil {
				t.Fatal(err)
			}
		}, coupon.ErrorInvalidState, 1, "available 6, assigned 1"},
		"too many codes are voided": {func(t *testing.T, s *scene, o others) {
			t.Helper()
			if _, err := s.VoidCodes(t.Context(),
				voiding(o.coupon, "C0002", "C0003", "C0004", "C0005")); err != nil {
				t.Fatal(err)
			}
		}, coupon.ErrorInsufficientCodes, 1, "held 2, assigned 1, voided 4"},
		"a recipient goes away": {func(t *testing.T, s *scene, _ others) {
			t.Helper()
			_, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{
				{ExternalID: "r2", IsContactable: coupon.Set(new(false))},
			})
			if err != nil {
				t.Fatal(err)
			}
		}, coupon.ErrorAnalysisStale, 1, "available 3, held 3, assigned 1"},
		"the delivery is edited": {func(t *testing.T, s *scene, o others) {
			t.Helper()
			if _, err := s.UpdateDelivery(t.Context(), o.delivery,
				&coupon.DeliveryChanges{Subject: coupon.Set(new("New"))}); err != nil {
				t.Fatal(err)
			}
		}, coupon.ErrorInvalidState, 1, "available 6, assigned 1"},
		"the coupon ends": {func(t *testing.T, s *scene, o others) {
			t.Helper()
			end := &coupon.CouponChanges{
				EndsAt: coupon.Set(new(coupon.DateTime("2026-11-23T11:00:00Z"))),
			}
			if _, err := s.UpdateCoupon(t.Context(), o.coupon, end); err != nil {
				t.Fatal(err)
			}
		}, coupon.ErrorAnalysisStale, 1, "expired 7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			c := s.newCoupon(t, withoutAssignment)
			s.codes(t, c, "", numbered("C", 7)...)
			recipients := s.recipients(t, 4)
			s.deliver(t, c, recipients[:1])
			id := s.newDelivery(t, c, recipients[1:])
			s.analyze(t, id, coupon.DeliveryReady)
			turns := 0
			_, err := s.ConfirmWith(t.Context(), id, fine, func() {
				if turns++; turns == 1 {
					test.meanwhile(t, s, others{c, id, recipients})
				}
			})
			if test.want == "" && err != nil {
				t.Fatal(err)
			}
			if test.want != "" {
				problems, ok := coupon.AsUserErrors(err)
				if !ok || problems[0].Code != test.want {
					t.Errorf("got %v, want %s", err, test.want)
				}
			}
			if turns != test.turns {
				t.Errorf("it was prepared %d times, not %d", turns, test.turns)
			}
			s.wantAvailability(t, c, test.stands)
			if test.want == "" {
				s.send(t, id)
			}
			s.checkSound(t)
		})
	}
}

// analyzeBeside analyzes a delivery while others change, once, what it relies on, so that it begins
// again in the writer's turn.
func (s *scene) analyzeBeside(t *testing.T, id coupon.ID, change func()) *coupon.Delivery {
	t.Helper()
	turns := 0
	d, err := s.AnalyzeWith(t.Context(), id, fine, func() {
		if turns++; turns == 1 {
			change()
		}
	})
	if err != nil || turns != 2 {
		t.Fatalf("after %d turns: %+v, %v", turns, d, err)
	}
	return d
}

// TestAnalyzeBesideOthers has another delivery take the codes that an analysis was about to hold.
func TestAnalyzeBesideOthers(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withoutAssignment)
	s.codes(t, c, "", numbered("C", 5)...)
	id := s.newDelivery(t, c, s.recipients(t, 4))
	d := s.analyzeBeside(t, id, func() {
		for i := range 2 {
			s.redeem(t, fmt.Sprintf("C%04d", i+1))
		}
	})
	if d.Status != coupon.DeliveryEditing || d.Analysis.CodesShort != 1 {
		t.Errorf("got %+v", d)
	}
	s.wantAvailability(t, c, "available 3, redeemed 2")
	s.checkSound(t)
}

// TestPreparationFails tells that nothing remains of a confirmation whose templates cannot be
// judged.
func TestPreparationFails(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("C", 5)...)
	id := s.newDelivery(t, c, s.recipients(t, 4))
	s.analyze(t, id, coupon.DeliveryReady)
	problem := coupon.Errorf(coupon.ErrorTemplateInvalid, "it is broken")
	_, err := s.ConfirmDelivery(t.Context(), id,
		func(*coupon.Delivery, *coupon.Coupon) coupon.ContentFindings {
			return coupon.ContentFindings{Problems: coupon.UserErrors{problem}}
		})
	if problems, ok := coupon.AsUserErrors(err); !ok ||
		problems[0].Code != coupon.ErrorAnalysisStale {
		t.Errorf("got %v", err)
	}
	if s.delivery(t, id).Status != coupon.DeliveryReady {
		t.Errorf("the delivery is %s", s.delivery(t, id).Status)
	}
	s.wantAvailability(t, c, "available 1, held 4")
	s.checkSound(t)
}
