package db

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"couponql/coupon"
	"couponql/db/duckdb/memory"
)

// TestCodesGoWhileTaken takes codes that others took, voided or removed since they were counted,
// and looks at a coupon that was deleted: others were quicker, which is no fault of the server's.
func TestCodesGoWhileTaken(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	id := addPool(t, s, "A1", "A2")
	d := &coupon.Delivery{CouponID: &id}
	found := &judgement{analysis: &coupon.Analysis{CodesNeeded: 3}, messages: &preparedMessages{
		labels: []coupon.LabelNeed{{Needed: 3}},
	}}
	err := s.update(t.Context(), func(_ context.Context, x *turn) error {
		_, err := x.takeCodes(1, d, found)
		return err
	})
	if !errors.Is(err, errRival) {
		t.Errorf("codes that are gone: %v", err)
	}
	gone := coupon.ID("coupon_99")
	d.CouponID = &gone
	err = s.update(t.Context(), func(ctx context.Context, x *turn) error {
		_, err := x.analyze(ctx, 1, d, func(
			*coupon.Delivery, *coupon.Coupon,
		) coupon.ContentFindings {
			return coupon.ContentFindings{}
		}, &analysisPlan{})
		return err
	})
	if !errors.Is(err, errRival) {
		t.Errorf("a coupon that is gone: %v", err)
	}
	if free := s.memory.Promisable(memory.Wish{CouponID: 99, Delivery: 1, Now: s.now()},
		""); free != 0 {
		t.Errorf("%d codes of a coupon that is gone", free)
	}
}

// TestPanicLeavesNothingOpen panics in the middle of a use case beside the writer: whoever asked
// hears of it, and neither the lane nor the connection is kept.
func TestPanicLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(),
		Options{Path: filepath.Join(t.TempDir(), "couponql.duckdb"), MemoryLimit: "1GB"})
	if err != nil {
		t.Fatal(err)
	}
	id := addPool(t, s, "A1")
	for range maxConnections + maxAdditions {
		err := s.beside(t.Context(), s.additions,
			func(context.Context, *tx) error { panic("broken") }, nil)
		if err == nil {
			t.Fatal("a panic is no error")
		}
	}
	if _, _, err := s.AddCodes(t.Context(), id, []coupon.NewCode{{Value: "A2"}}); err != nil {
		t.Error(err)
	}
	// What is on disk and not in memory is the end of the store.
	err = s.update(t.Context(), func(ctx context.Context, x *turn) error {
		x.change(func(memory.Change) { panic("broken") })
		_, err := x.Exec(ctx, settingInsert, named("name", "x"), named("value", "y"))
		return err
	})
	if err == nil {
		t.Error("a change that panics is no error")
	}
	select {
	case <-s.Failed():
	default:
		t.Error("the store goes on with another memory than the disk")
	}
	if err := s.Close(); err == nil {
		t.Error("closing does not tell why")
	}
}
