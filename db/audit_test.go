package db_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
)

func entryOf(action string, at time.Time) *coupon.AuditEntry {
	return &coupon.AuditEntry{
		At: at, Caller: "key_1", Role: coupon.RoleAdmin, Address: "192.0.2.7", Kind: coupon.AuditMutation, Action: action, Input: `{"a":1}`, RequestID: "R",
	}
}

// anonymousCoupon asks for a coupon that may be redeemed as often as anybody likes.
func anonymousCoupon() *coupon.CouponChanges {
	return &coupon.CouponChanges{
		Type: coupon.TypeAnonymous, Label: coupon.Set(new("Open day")), StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
		RedemptionLimit: coupon.Set[int](nil),
	}
}

// logged returns the action and outcome of each entry, newest first.
func logged(t *testing.T, s *db.Store, filter *coupon.AuditFilter) []string {
	t.Helper()
	list, err := s.AuditLog(t.Context(), filter, coupon.Page{First: 100, WantsItems: true, WantsTotal: true})
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, e := range list.Items {
		lines = append(lines, fmt.Sprint(e.Action, " ", e.Outcome, " ", e.Errors))
	}
	if list.Total != len(lines) {
		t.Errorf("%d entries are %d in total", len(lines), list.Total)
	}
	return lines
}

// TestAuditIsOneWithTheChange: what a use case writes and the entry about it are in one transaction, and the entry is written
// once.
func TestAuditIsOneWithTheChange(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	s := dbtest.Open(t, path)
	ctx := db.WithAudit(t.Context(), entryOf("createCoupon", s.Now()))
	c, err := s.CreateCoupon(ctx, anonymousCoupon())
	if err != nil {
		t.Fatal(err)
	}
	// As after a crash right behind the answer: nobody has said yet what came of it.
	if got, want := logged(t, s, nil), []string{"createCoupon DONE []"}; !cmp.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if err := s.Audit(ctx, coupon.AuditDone, nil); err != nil {
		t.Fatal(err)
	}

	// A use case that is refused changes nothing; that it was refused is written afterwards.
	ctx = db.WithAudit(t.Context(), entryOf("archiveCoupon", s.Now()))
	_, refused := s.ArchiveCoupon(ctx, "coupon_99")
	if _, isUser := coupon.AsUserErrors(refused); !isUser {
		t.Fatal(refused)
	}
	if err := s.Audit(ctx, coupon.AuditRefused, []coupon.ErrorCode{coupon.ErrorNotFound, coupon.ErrorInvalid}); err != nil {
		t.Fatal(err)
	}

	// One that has nothing to change is DONE too, and so is one that shares its transaction with others.
	for _, action := range []string{"first", "again"} {
		ctx := db.WithAudit(t.Context(), entryOf(action, s.Now()))
		if _, err := s.ArchiveCoupon(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.Audit(ctx, coupon.AuditDone, nil); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"again DONE []", "first DONE []", "archiveCoupon REFUSED [NOT_FOUND INVALID]", "createCoupon DONE []"}
	if got := logged(t, s, nil); !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// What waits when the server stops is written.
	ctx = db.WithAudit(t.Context(), entryOf("read", s.Now()))
	if err := s.Audit(ctx, coupon.AuditDone, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = dbtest.Open(t, path)
	if got := logged(t, s, nil); len(got) != len(want)+1 || got[0] != "read DONE []" {
		t.Errorf("after a restart: %v", got)
	}
	list, err := s.AuditLog(t.Context(), nil, coupon.Page{First: 1, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := list.Items[0], entryOf("read", list.Items[0].At)
	wanted.ID, wanted.Outcome = "audit_5", coupon.AuditDone
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Error(diff)
	}
}

// TestAuditOfManyRedemptions: each redemption of a group that shares a transaction has its entry.
func TestAuditOfManyRedemptions(t *testing.T) {
	t.Parallel()
	s := dbtest.New(t)
	made, err := s.CreateCoupon(t.Context(), anonymousCoupon())
	if err != nil {
		t.Fatal(err)
	}
	const callers = 64
	done := make(chan error, callers)
	for range callers {
		go func() {
			ctx := db.WithAudit(t.Context(), entryOf("redeemCode", s.Now()))
			_, err := s.Redeem(ctx, &coupon.RedeemRequest{Value: made.Code})
			done <- errors.Join(err, s.Audit(ctx, coupon.AuditDone, nil))
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := logged(t, s, nil); len(got) != callers {
		t.Errorf("%d redemptions have %d entries", callers, len(got))
	}
}

func TestAuditLogFilter(t *testing.T) {
	t.Parallel()
	clock := dbtest.NewClock(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
	s := dbtest.New(t, clock.Use)
	for i, e := range []*coupon.AuditEntry{
		{Caller: "key_1", Kind: coupon.AuditMutation, Action: "a"},
		{Caller: "key_2", Kind: coupon.AuditMutation, Action: "b"},
		{Caller: "key_2", Kind: coupon.AuditRead, Action: "c"},
	} {
		e.At, e.Role, e.Input = clock.Now().AddDate(0, 0, i), coupon.RoleMarketer, coupon.EmptyJSON
		if err := s.Audit(db.WithAudit(t.Context(), e), coupon.AuditDone, nil); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		filter coupon.AuditFilter
		want   []string
	}{
		"caller":  {coupon.AuditFilter{Caller: new("key_2")}, []string{"c DONE []", "b DONE []"}},
		"kind":    {coupon.AuditFilter{Kind: new(coupon.AuditRead)}, []string{"c DONE []"}},
		"action":  {coupon.AuditFilter{Action: new("a")}, []string{"a DONE []"}},
		"outcome": {coupon.AuditFilter{Outcome: new(coupon.AuditFailed)}, []string{}},
		"from":    {coupon.AuditFilter{From: new(coupon.DateTime("2026-11-28"))}, []string{"c DONE []", "b DONE []"}},
		"to":      {coupon.AuditFilter{To: new(coupon.DateTime("2026-11-28"))}, []string{"b DONE []", "a DONE []"}},
	} {
		if got := logged(t, s, &test.filter); !cmp.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
	if _, err := s.AuditLog(t.Context(), &coupon.AuditFilter{From: new(coupon.DateTime("soon"))}, coupon.Page{}); err == nil {
		t.Error("took a time that is none")
	}
}
