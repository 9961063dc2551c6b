package db

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// collidingKeys returns pairs of keys that an index cannot tell apart.
func collidingKeys(t *testing.T, m *memory.Memory, pairs int) [][2]string {
	t.Helper()
	seen := map[uint32]string{}
	var found [][2]string
	// Of n hashes of 32 bits about n²/2³³ pairs are equal.
	for i := 0; len(found) < pairs; i++ {
		key := fmt.Sprintf("KEY-%d", i)
		hash := m.Hash(key)
		if first, isPair := seen[hash]; isPair {
			found = append(found, [2]string{first, key})
		}
		seen[hash] = key
		if i > 5_000_000 {
			t.Fatal("no collisions")
		}
	}
	return found
}

// TestCollidingCodes tells that codes whose hashes are equal stay two codes in everything.
func TestCollidingCodes(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	ctx := t.Context()
	pairs := collidingKeys(t, s.memory, 3)
	newCoupon := func() coupon.ID {
		t.Helper()
		c, err := s.CreateCoupon(ctx, &coupon.CouponChanges{
			Type: coupon.TypeIndividual, Label: coupon.Set(new("c")), StartsAt: coupon.Set(new(coupon.DateTime("2020-01-01"))),
			RequiresAssignment: coupon.Set(new(false)),
		})
		if err != nil {
			t.Fatal(err)
		}
		return c.ID
	}
	first, second := newCoupon(), newCoupon()
	find := func(value string) coupon.ID {
		t.Helper()
		code, err := s.CodeByValue(ctx, value, coupon.AnyState)
		if err != nil {
			t.Fatal(err)
		}
		if code == nil {
			return ""
		}
		if code.Value != value {
			t.Errorf("looking for %q gives %q", value, code.Value)
		}
		return code.CouponID
	}
	for _, pair := range pairs {
		// The first of a pair is there; the second is another code and can be added.
		for i, id := range []coupon.ID{first, second} {
			if got := find(pair[i]); got != "" {
				t.Errorf("%q is said to exist", pair[i])
			}
			_, err := s.Redeem(ctx, &coupon.RedeemRequest{Value: pair[i]})
			if problems, _ := coupon.AsUserErrors(err); len(problems) != 1 || problems[0].Code != coupon.ErrorCodeUnknown {
				t.Errorf("redeeming a code that is not there gives %v", err)
			}
			if _, rejections, err := s.AddCodes(ctx, id, []coupon.NewCode{{Value: pair[i]}}); err != nil || len(rejections) > 0 {
				t.Fatalf("add %q: %+v, %v", pair[i], rejections, err)
			}
		}
		if a, b := find(pair[0]), find(pair[1]); a != first || b != second {
			t.Errorf("found in %s and %s", a, b)
		}
	}
	importFile := func(kind coupon.ImportKind, id *coupon.ID, text string) (*coupon.Import, []string) {
		t.Helper()
		upload, err := s.Receive(t.Context(), "codes.csv", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		i, err := s.CreateImport(ctx, &coupon.Import{
			Kind: kind, Mode: coupon.ImportAdd, Format: coupon.FormatCSV,
			OnRejection: coupon.SkipRow, Timezone: "UTC", CouponID: id,
		}, upload.ID, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RunImport(ctx, i.ID); err != nil {
			t.Fatal(err)
		}
		lists, err := s.RejectionsOf(ctx, []coupon.ID{i.ID}, coupon.Page{First: 10, WantsItems: true})
		if err != nil {
			t.Fatal(err)
		}
		reasons := []string{}
		for _, r := range lists[i.ID].Items {
			reasons = append(reasons, string(r.Reason))
		}
		i, err = s.importByNumber(ctx, coupon.MustNumber(coupon.KindImport, i.ID))
		if err != nil {
			t.Fatal(err)
		}
		return i, reasons
	}
	i, reasons := importFile(coupon.ImportCodes, &first, "code\n"+pairs[0][0]+"\n"+pairs[0][1]+"\nNEW\n")
	if diff := cmp.Diff([]string{"ALREADY_EXISTS", "EXISTS_ELSEWHERE"}, reasons); diff != "" || i.RowsImported != 1 {
		t.Errorf("import of codes %+v (-want +got):\n%s", i, diff)
	}
	redemption, err := s.Redeem(ctx, &coupon.RedeemRequest{Value: pairs[0][1]})
	if err != nil || redemption.CouponID != second {
		t.Errorf("redeemed %+v, %v", redemption, err)
	}
	i, reasons = importFile(
		coupon.ImportRedemptions,
		nil,
		fmt.Sprintf("code,date\n%s,2026-01-01\n%s,2026-01-01\n%s,2026-01-02\n", pairs[0][0], pairs[0][1], pairs[1][1]),
	)
	if diff := cmp.Diff([]string{"ALREADY_REDEEMED"}, reasons); diff != "" || i.RowsImported != 2 {
		t.Errorf("import of redemptions %+v (-want +got):\n%s", i, diff)
	}
	for value, want := range map[string]coupon.CodeStatus{
		pairs[0][0]: coupon.CodeRedeemed, pairs[0][1]: coupon.CodeRedeemed, pairs[1][0]: coupon.CodeAvailable,
		pairs[1][1]: coupon.CodeRedeemed, pairs[2][1]: coupon.CodeAvailable,
	} {
		if code, err := s.CodeByValue(ctx, value, coupon.AnyState); err != nil || code.Status != want {
			t.Errorf("%q is %+v, %v, want %s", value, code, err, want)
		}
	}
	voided, err := s.VoidCodes(ctx, &CodeSelection{CouponID: second, Values: []string{pairs[2][0], pairs[2][1]}})
	if err != nil || voided.Count != 1 {
		t.Errorf("voided %+v, %v", voided, err)
	}
	// A deleted code leaves the other of its pair alone.
	third := newCoupon()
	extra := collidingKeys(t, s.memory, 4)[3]
	for i, id := range []coupon.ID{third, first} {
		if _, rejections, err := s.AddCodes(ctx, id, []coupon.NewCode{{Value: extra[i]}}); err != nil || len(rejections) > 0 {
			t.Fatalf("%+v, %v", rejections, err)
		}
	}
	if err := s.DeleteCoupon(ctx, third); err != nil {
		t.Fatal(err)
	}
	if a, b := find(extra[0]), find(extra[1]); a != "" || b != first {
		t.Errorf("after one of two was deleted they are found in %q and %q", a, b)
	}
	checkReport(t, s)
}

func checkReport(t *testing.T, s *Store) {
	t.Helper()
	report, err := s.IntegrityReport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range report.Checks {
		if check.Violations > 0 {
			t.Errorf("%s: %d violations of %q: %v", check.Name, check.Violations, check.Description, check.Examples)
		}
	}
}

// TestCodesAddedWhileAFileIsRead tells that rows whose code somebody adds between the reading of a file
// and the storing of its rows are refused once each, whenever the index learned of the code.
func TestCodesAddedWhileAFileIsRead(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	ctx := t.Context()
	c, err := s.CreateCoupon(ctx, &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("c")),
		StartsAt: coupon.Set(new(coupon.DateTime("2020-01-01"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	number := coupon.MustNumber(coupon.KindCoupon, c.ID)
	add := func(values ...string) {
		t.Helper()
		for _, value := range values {
			if _, rejections, err := s.AddCodes(ctx, c.ID, []coupon.NewCode{{Value: value}}); err != nil || len(rejections) > 0 {
				t.Fatalf("%+v, %v", rejections, err)
			}
		}
	}
	add("BEFORE")
	rows, err := s.newCodeRows()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rows.remove(); err != nil {
			t.Error(err)
		}
	}()
	add("BETWEEN") // the index knows it when its row is read
	for i, value := range []string{"BEFORE", "BETWEEN", "AFTER", "NEW"} {
		if err := rows.add(i+1, value, ""); err != nil {
			t.Fatal(err)
		}
	}
	add("AFTER") // the index learns it too late
	var count int
	var refused []*coupon.Rejection
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		addition := &codeAddition{kind: coupon.BatchAdded, couponNumber: number, rows: rows}
		if err = t.insertCodes(ctx, addition, nil); err != nil {
			return err
		}
		count = addition.count
		refused, err = duckdb.Collect(ctx, t, rejectedList, scanRejection)
		return err
	})
	if err != nil || count != 1 || len(refused) != 3 {
		t.Errorf("added %d, refused %d, %v", count, len(refused), err)
	}
	checkReport(t, s)
}
