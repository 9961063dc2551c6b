package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

// voiding selects codes of a coupon by value.
func voiding(id coupon.ID, values ...string) *db.CodeSelection {
	return &db.CodeSelection{CouponID: id, Values: values}
}

func TestAddCodes(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		other := s.newCoupon(t, withCode("Own"))
		s.codes(t, other, "", "THERE")
		id := s.newCoupon(t, withCode("Mine"))
		s.codes(t, id, "", "known")
		var request []coupon.NewCode
		for _, value := range []string{
			"zeta", " alpha\u00a0", "ALPHA", "there", "KNOWN", "own", "mine", "", "  ",
			strings.Repeat("x",
				256), "a\tb", strings.Repeat("y", 255), "ｚeta",
		} {
			request = append(request, coupon.NewCode{Value: value, Label: new(" sport ")})
		}
		request = append(request, coupon.NewCode{Value: "unlabelled"},
			coupon.NewCode{Value: "badlabel", Label: new("a\nb")})
		added, rejections, err := s.AddCodes(t.Context(), id, request)
		if err != nil {
			t.Fatal(err)
		}
		var values []string
		for _, code := range added {
			label := "-"
			if code.Label != nil {
				label = *code.Label
			}
			values = append(values, code.Value+" "+label)
			if code.Status != coupon.CodeAvailable || code.CouponID != id {
				t.Errorf("got %+v", code)
			}
		}
		if diff := cmp.Diff([]string{
			"zeta sport", "alpha sport", strings.Repeat("y", 255) + " sport", "unlabelled -",
		},
			values); diff != "" {
			t.Errorf("added (-want +got):\n%s", diff)
		}
		want := []string{
			"3 DUPLICATE_IN_FILE ALPHA", "4 EXISTS_ELSEWHERE there", "5 ALREADY_EXISTS KNOWN",
			"6 EXISTS_ELSEWHERE own",
			"7 ALREADY_EXISTS mine",
			"8 EMPTY", "9 EMPTY", "10 TOO_LONG " + strings.Repeat("x",
				254) + "…", "11 BAD_CHARACTER a\ufffdb", "13 DUPLICATE_IN_FILE ｚeta",
			"15 BAD_CHARACTER a\ufffdb",
		}
		if diff := cmp.Diff(want, rejectionTexts(rejections)); diff != "" {
			t.Errorf("rejections (-want +got):\n%s", diff)
		}
		s.wantAvailability(t, id, "available 5")
		s.checkSound(t)
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		_, _, err := newScene(t).AddCodes(t.Context(), "coupon_1", []coupon.NewCode{{Value: "a"}})
		wantError(t, err, coupon.ErrorNotFound, "input.couponId")
	})
	t.Run("INVALID", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		for _, count := range []int{0, coupon.MaxAddedCodes + 1} {
			_, _, err := s.AddCodes(t.Context(), id, make([]coupon.NewCode, count))
			wantError(t, err, coupon.ErrorInvalid, "input.codes")
		}
	})
	t.Run("INVALID_STATE", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		_, _, err := s.AddCodes(t.Context(), s.newCoupon(t, anonymous),
			[]coupon.NewCode{{Value: "a"}})
		wantError(t, err, coupon.ErrorInvalidState, "input.couponId")
	})
}

func TestGenerateCodes(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		request := &db.GenerateRequest{
			CouponID: id, Count: 200_000, Pattern: "W-#####",
			Alphabet: "ABCDEFGHJKLMNPQRSTUVWXYZ23456789",
			Label:    new("sport"),
		}
		// Every second code of 100 drawn would hit one that is there if the pool were not looked
		// at.
		made, err := s.GenerateCodes(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		sample, guesses := made.Sample, *made.GuessesForOneHit
		if len(sample) != 10 || !strings.HasPrefix(sample[0], "W-") || len(sample[0]) != 7 {
			t.Errorf("sample %q", sample)
		}
		if want := 33554432.0 / 200_000; guesses != want {
			t.Errorf("%g guesses for one hit, want %g", guesses, want)
		}
		for _, value := range sample {
			if code := s.code(t, value); *code.Label != "sport" {
				t.Errorf("got %+v", code)
			}
		}
		s.wantAvailability(t, id, "available 200000")
		if byLabel := s.availability(t, id).ByLabel; len(byLabel) != 1 ||
			byLabel[0].Label != "sport" || byLabel[0].Total != 200_000 {
			t.Errorf("by label: %+v", byLabel)
		}
		s.checkSound(t) // code_twice finds duplicates
	})
	t.Run("in a space that others nearly filled", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		var taken []string
		for i := range 990 {
			taken = append(taken, fmt.Sprintf("%03d", i))
		}
		s.codes(t, s.newCoupon(t), "", taken...)
		id := s.newCoupon(t)
		made, err := s.GenerateCodes(t.Context(),
			&db.GenerateRequest{CouponID: id, Count: 10, Pattern: "###", Alphabet: "0123456789"})
		if err != nil {
			t.Fatal(err)
		}
		got := made.Sample
		slices.Sort(got)
		if diff := cmp.Diff([]string{
			"990", "991", "992", "993", "994", "995", "996", "997", "998", "999",
		}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		// Now nothing is left at all; the writer must not search for ever.
		_, err = s.GenerateCodes(t.Context(), &db.GenerateRequest{
			CouponID: s.newCoupon(t), Count: 1, Pattern: "###",
			Alphabet: "0123456789",
		})
		wantError(t, err, coupon.ErrorCodeSpaceTooSmall, "input.pattern")
		s.checkSound(t)
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		_, err := newScene(t).GenerateCodes(t.Context(), &db.GenerateRequest{
			CouponID: "coupon_1", Count: 1, Pattern: "########",
			Alphabet: "ABC",
		})
		wantError(t, err, coupon.ErrorNotFound, "input.couponId")
	})
	t.Run("INVALID", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		for field, request := range map[string]*db.GenerateRequest{
			"input.count":    {Count: 0, Pattern: "########", Alphabet: "ABCDEF"},
			"input.pattern":  {Count: 1, Pattern: "fixed", Alphabet: "ABCDEF"},
			"input.alphabet": {Count: 1, Pattern: "########", Alphabet: "Aa"},
			"input.label": {
				Count: 1, Pattern: "########", Alphabet: "ABCDEF",
				Label: new(strings.Repeat("x", 256)),
			},
		} {
			request.CouponID = id
			_, err := s.GenerateCodes(t.Context(), request)
			wantError(t, err, coupon.ErrorInvalid, field)
		}
	})
	t.Run("INVALID_STATE", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		_, err := s.GenerateCodes(t.Context(), &db.GenerateRequest{
			CouponID: s.newCoupon(t, anonymous), Count: 1, Pattern: "########",
			Alphabet: "ABCDEF",
		})
		wantError(t, err, coupon.ErrorInvalidState, "input.couponId")
	})
	t.Run("CODE_SPACE_TOO_SMALL", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		_, err := s.GenerateCodes(t.Context(),
			&db.GenerateRequest{CouponID: id, Count: 11, Pattern: "###", Alphabet: "0123456789"})
		wantError(t, err, coupon.ErrorCodeSpaceTooSmall, "input.pattern")
		s.wantAvailability(t, id, "")
	})
}

func TestVoidCodes(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t, withoutAssignment)
		s.codes(t, id, "sport", "A1", "A2", "A3")
		s.codes(t, id, "", "B1", "B2")
		s.codes(t, s.newCoupon(t), "", "C1")
		s.redeem(t, "A1")
		void := func(selection *db.CodeSelection, want int) {
			t.Helper()
			if got, err := s.VoidCodes(t.Context(), selection); err != nil || got.Count != want {
				t.Errorf("voided %+v, %v, want %d", got, err, want)
			}
		}
		void(voiding(id, "a1", "A2", "A2", "C1", "nobody", "\t"), 1)
		void(voiding(id, "A2"), 0)
		void(
			&db.CodeSelection{
				CouponID: id, Filter: &coupon.CodeFilter{Label: []string{"sport"}},
			}, 1,
		)
		void(&db.CodeSelection{
			CouponID: id, Values: []string{"B1", "B2"},
			Filter: &coupon.CodeFilter{ValuePrefix: new("b2")},
		}, 1)
		s.wantAvailability(t, id, "available 1, redeemed 1, voided 3")
		if code := s.code(t, "B2"); code.Status != coupon.CodeVoided ||
			!code.VoidedAt.Equal(noon()) {
			t.Errorf("got %+v", code)
		}
		void(&db.CodeSelection{CouponID: id, Filter: &coupon.CodeFilter{}}, 1)
		s.checkSound(t)
		s.reopen(t)
		s.wantAvailability(t, id, "redeemed 1, voided 4")
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		_, err := newScene(t).VoidCodes(t.Context(), voiding("coupon_1", "a"))
		wantError(t, err, coupon.ErrorNotFound, "input.couponId")
	})
	t.Run("INVALID", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		_, err := s.VoidCodes(t.Context(), &db.CodeSelection{CouponID: id})
		wantError(t, err, coupon.ErrorInvalid, "input")
		_, err = s.VoidCodes(t.Context(), voiding(id, make([]string, coupon.MaxAddedCodes+1)...))
		wantError(t, err, coupon.ErrorInvalid, "input.values")
		_, err = s.VoidCodes(t.Context(), &db.CodeSelection{
			CouponID: id,
			Filter:   &coupon.CodeFilter{AssignedFrom: new(coupon.DateTime("never"))},
		})
		wantError(t, err, coupon.ErrorInvalid, "filter.assignedFrom")
	})
}

func TestReleaseCodes(t *testing.T) {
	t.Parallel()
	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		s.codes(t, id, "", numbered("A", 6)...)
		delivery := s.newDelivery(t, id, s.recipients(t, 5))
		s.confirm(t, delivery)
		s.sendBatch(t, delivery, 2)
		all := &db.CodeSelection{CouponID: id, Filter: &coupon.CodeFilter{}}
		release := func(evenIfSent bool, wantReleased, wantKept int) {
			t.Helper()
			released, kept, _, err := s.ReleaseCodes(t.Context(), all, evenIfSent, "mistake")
			if err != nil || released != wantReleased || kept != wantKept {
				t.Errorf("released %d, kept %d, %v; want %d and %d", released, kept, err,
					wantReleased, wantKept)
			}
			s.checkSound(t)
		}
		// While the delivery is being sent nothing is taken from under it.
		release(true, 0, 6)
		if _, err := s.PauseDelivery(t.Context(), delivery); err != nil {
			t.Fatal(err)
		}
		s.redeem(t, "A0002")
		release(false, 3, 3)
		if got := s.delivery(t,
			delivery).Counts; got != (coupon.MessageCounts{Sent: 2, Canceled: 3, Total: 5}) {
			t.Errorf("counts %+v", got)
		}
		release(true, 1, 5)
		s.wantAvailability(t, id, "available 5, redeemed 1")
		if code := s.code(t, "A0001"); code.Status != coupon.CodeAvailable ||
			code.MessageID != nil || code.SentAt != nil {
			t.Errorf("a released code is %+v", code)
		}
		// Resumed, the delivery finds nothing to send and is over.
		if _, err := s.ResumeDelivery(t.Context(), delivery); err != nil {
			t.Fatal(err)
		}
		s.send(t, delivery)
		if got := s.delivery(t, delivery).Status; got != coupon.DeliveryFinished {
			t.Errorf("the delivery is %s", got)
		}
		// The history of a code stays.
		events, err := s.EventsOf(t.Context(), []coupon.ID{s.code(t, "A0001").ID})
		if err != nil {
			t.Fatal(err)
		}
		var kinds []coupon.CodeEventKind
		for _, event := range events[s.code(t, "A0001").ID] {
			kinds = append(kinds, event.Kind)
		}
		if diff := cmp.Diff([]coupon.CodeEventKind{
			coupon.EventAdded, coupon.EventAssigned, coupon.EventSent, coupon.EventReturned,
		},
			kinds); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		s.reopen(t)
		s.wantAvailability(t, id, "available 5, redeemed 1")
		// Released codes go out again, once each.
		s.deliver(t, id, s.recipients(t, 5))
		s.wantAvailability(t, id, "assigned 5, redeemed 1")
		s.checkSound(t)
	})
	t.Run("some pending messages of a paused delivery", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		s.codes(t, id, "", numbered("A", 6)...)
		delivery := s.newDelivery(t, id, s.recipients(t, 6))
		s.confirm(t, delivery)
		s.sendBatch(t, delivery, 1)
		if _, err := s.PauseDelivery(t.Context(), delivery); err != nil {
			t.Fatal(err)
		}
		if released, _, _, err := s.ReleaseCodes(t.Context(), voiding(id, "A0002", "A0005"), false,
			"mistake"); err != nil || released != 2 {
			t.Fatalf("released %d, %v", released, err)
		}
		if _, err := s.ResumeDelivery(t.Context(), delivery); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if got := s.sendBatch(t, delivery, 1); got != 1 {
				t.Fatalf("a batch of %d", got)
			}
		}
		if got := s.delivery(t, delivery); got.Status != coupon.DeliveryFinished ||
			got.Counts != (coupon.MessageCounts{Sent: 4, Canceled: 2, Total: 6}) {
			t.Errorf("the delivery is %s with %+v", got.Status, got.Counts)
		}
		s.checkSound(t)
	})
	t.Run("NOT_FOUND", func(t *testing.T) {
		t.Parallel()
		_, _, _, err := newScene(t).ReleaseCodes(t.Context(), voiding("coupon_1", "a"),
			false, "why")
		wantError(t, err, coupon.ErrorNotFound, "input.couponId")
	})
	t.Run("INVALID", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		id := s.newCoupon(t)
		for _, reason := range []string{"", "  ", "a\nb", strings.Repeat("x", 256)} {
			_, _, _, err := s.ReleaseCodes(t.Context(), voiding(id, "a"), false, reason)
			wantError(t, err, coupon.ErrorInvalid, "input.reason")
		}
		_, _, _, err := s.ReleaseCodes(t.Context(), &db.CodeSelection{CouponID: id}, false, "why")
		wantError(t, err, coupon.ErrorInvalid, "input")
	})
}

// TestCodeByValue finds codes by what somebody typed. Memory knows all about those to which nothing
// happened and that are spelled like their keys; of the others the rows tell what is missing, and
// nothing else is asked for.
func TestCodeByValue(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := s.newCoupon(t, withoutAssignment)
	s.codes(t, id, "sport", "FREE-1", "Mixed-1", "HELD", "sold-1", "VOID")
	if _, err := s.VoidCodes(t.Context(), voiding(id, "VOID")); err != nil {
		t.Fatal(err)
	}
	s.redeem(t, "sold-1")
	recipients := s.recipients(t, 1)
	other := s.newCoupon(t)
	s.codes(t, other, "", "GIVEN", "given-2")
	s.deliver(t, other, recipients)
	for _, test := range []struct {
		typed, value string
		status       coupon.CodeStatus
		statements   int64
	}{
		{"FREE-1", "FREE-1", coupon.CodeAvailable, 0},
		{" free-1 ", "FREE-1", coupon.CodeAvailable, 0},
		{"mixed-1", "Mixed-1", coupon.CodeAvailable, 1},
		{"void", "VOID", coupon.CodeVoided, 1},
		{"SOLD-1", "sold-1", coupon.CodeRedeemed, 2},
		{"given", "GIVEN", coupon.CodeAssigned, 2},
		{"Given-2", "given-2", coupon.CodeAvailable, 1},
	} {
		s.ForgetRecent()
		before := s.Statements()
		code := s.code(t, test.typed)
		if got := s.Statements() - before; got != test.statements {
			t.Errorf("%q: %d statements instead of %d", test.typed, got, test.statements)
		}
		if code.Value != test.value || code.Status != test.status {
			t.Errorf("%q: got %q, %s", test.typed, code.Value, code.Status)
		}
		found, err := s.CodesByID(t.Context(), []coupon.ID{code.ID}, coupon.AnyState)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(found[code.ID], code); diff != "" {
			t.Errorf("%q (-by id +by value):\n%s", test.typed, diff)
		}
		valid, _, _, err := s.ValidateCode(t.Context(), test.typed, coupon.AnyState)
		if diff := cmp.Diff(code, valid); err != nil || diff != "" {
			t.Errorf("%q: validated %v (-want +got):\n%s", test.typed, err, diff)
		}
	}
	for _, typed := range []string{"", "FREE", "FREE-2", "free-1\x00"} {
		if code, err := s.CodeByValue(t.Context(), typed, coupon.AnyState); code != nil ||
			err != nil {
			t.Errorf("%q: got %v, %v", typed, code, err)
		}
	}
}

func TestCodesOf(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := s.newCoupon(t, withLimit(3))
	s.codes(t, id, "sport", "S1", "S2", "S3")
	s.codes(t, id, "", "P1", "P2")
	imported := s.importFile(t, newImport(coupon.ImportCodes, into(id)), "code\nI1\nI2\n")
	recipients := s.recipients(t, 4)
	first := s.deliver(t, id, recipients[:2])
	s.clock.Advance(24 * time.Hour)
	second := s.deliver(t, id, recipients[2:])
	for range 3 {
		s.redeem(t, "P1")
	}
	taken := s.redeem(t, "P2")
	if _, err := s.Reverse(t.Context(), nil, taken.ID, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.VoidCodes(t.Context(), voiding(id, "S3")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		filter *coupon.CodeFilter
		want   string
	}{
		{"all", nil, "S1 S2 S3 P1 P2 I1 I2"},
		{"empty", &coupon.CodeFilter{}, "S1 S2 S3 P1 P2 I1 I2"},
		{"status", &coupon.CodeFilter{Status: []coupon.CodeStatus{coupon.CodeAvailable, coupon.CodeVoided}}, "S1 S2 S3"},
		{"redeemed", &coupon.CodeFilter{Status: []coupon.CodeStatus{coupon.CodeRedeemed}}, "P1"},
		{"label", &coupon.CodeFilter{Label: []string{"sport", "music"}}, "S1 S2 S3"},
		{"import", &coupon.CodeFilter{ImportID: &imported.ID}, "I1 I2"},
		{"import and status", &coupon.CodeFilter{ImportID: &imported.ID, Status: []coupon.CodeStatus{coupon.CodeAssigned}}, "I1 I2"},
		{"unknown import", &coupon.CodeFilter{ImportID: new(coupon.ID("nonsense"))}, ""},
		{"delivery", &coupon.CodeFilter{DeliveryID: &second}, ""},
		{"recipient", &coupon.CodeFilter{RecipientID: &recipients[0]}, ""},
		{"prefix", &coupon.CodeFilter{ValuePrefix: new("p")}, "P1 P2"},
		{"assigned on the first day", &coupon.CodeFilter{
			AssignedTo: new(coupon.DateTime("2026-11-23")),
		}, ""},
		{"redeemed three times, listed once", &coupon.CodeFilter{
			RedeemedFrom: new(coupon.DateTime("2026-11-01")),
		}, "P1"},
		{"redeemed later", &coupon.CodeFilter{
			RedeemedFrom: new(coupon.DateTime("2026-11-25")),
		}, ""},
		{"prefix and redeemed", &coupon.CodeFilter{
			ValuePrefix: new("P"), RedeemedTo: new(coupon.DateTime("2027-01-01")),
		}, "P1"},
	}
	// Who got which code is the pool's choice; the expectations follow it.
	got := map[string]string{}
	for _, code := range s.allCodes(t, id, nil) {
		if code.DeliveryID != nil {
			got[string(*code.DeliveryID)] += code.Value + " "
			got[string(*code.RecipientID)] += code.Value + " "
		}
	}
	byName := map[string]string{
		"delivery": got[string(second)], "recipient": got[string(recipients[0])],
		"assigned on the first day": got[string(first)],
	}
	for _, test := range tests {
		if want := byName[test.name]; want != "" {
			test.want = strings.TrimSpace(want)
		}
		t.Run(test.name, func(t *testing.T) {
			var values []string
			for _, code := range s.allCodes(t, id, test.filter) {
				values = append(values, code.Value)
			}
			if got := strings.Join(values, " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
