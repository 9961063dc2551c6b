package db

import (
	"slices"
	"testing"

	"couponql/coupon"
)

// TestAuditNumbersOnce: a transaction that fails after others took the next numbers gives none of
// theirs out again. Those that end beside the writer may fail so late.
func TestAuditNumbersOnce(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	begin := func(actions ...string) *effects {
		failing := &effects{store: s}
		for _, action := range actions {
			failing.entries = append(failing.entries, &coupon.AuditEntry{Action: action})
		}
		return failing
	}
	numbers := func(rows []*auditRow) (found []int64) {
		for _, row := range rows {
			found = append(found, row.ID)
		}
		return found
	}
	late, next := begin("a", "b"), begin("c")
	lost := numbers(late.takeEntries())
	kept := numbers(next.takeEntries())
	late.takeBack(0)
	kept = append(kept, numbers(begin("d", "e", "f").takeEntries())...)
	slices.Sort(kept)
	if distinct := slices.Compact(slices.Clone(kept)); len(lost) != 2 || len(kept) != 4 ||
		len(distinct) != len(kept) {
		t.Errorf("got the numbers %v after %v failed late", kept, lost)
	}
	// One that fails before others come leaves no gap.
	last := s.audit.last
	failing := begin("g")
	failing.takeEntries()
	failing.takeBack(0)
	if got := numbers(begin("h").takeEntries()); len(got) != 1 || got[0] != last+1 {
		t.Errorf("got the number %v, want %d", got, last+1)
	}
}
