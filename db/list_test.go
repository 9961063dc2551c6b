package db_test

import (
	"testing"

	"couponql/coupon"
	"couponql/db"
)

// size returns how many people are in a list.
func (s *scene) size(t *testing.T, id coupon.ID) int {
	t.Helper()
	list, err := s.Recipients(t.Context(), &coupon.RecipientFilter{Lists: []coupon.ID{id}},
		coupon.Page{WantsTotal: true})
	if err != nil {
		t.Fatal(err)
	}
	return list.Total
}

// TestRecipientLists: two deliveries to one list have the same people, a saved filter follows its
// people, and who is erased leaves every list, for good.
func TestRecipientLists(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	people := s.recipients(t, 6, "golf", "chess")
	static, err := s.CreateRecipientList(t.Context(), "Static",
		db.People{IDs: people[:2], Filter: bySportFilter("golf")}, false)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := s.CreateRecipientList(t.Context(), "Saved",
		db.People{Filter: bySportFilter("golf")}, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []struct {
		id   coupon.ID
		want int
	}{{static.ID, 4}, {saved.ID, 3}} {
		for range 2 {
			d, err := s.AddTargets(t.Context(), s.newDelivery(t, "", nil), nil,
				&coupon.RecipientFilter{Lists: []coupon.ID{list.id}})
			if err != nil || d.TargetCount != list.want {
				t.Errorf("%s: %d targets, %v, want %d", list.id, d.TargetCount, err, list.want)
			}
		}
	}
	s.upsert(t, person("new", `{"sport": "golf"}`))
	if static, saved := s.size(t, static.ID), s.size(t, saved.ID); static != 4 || saved != 4 {
		t.Errorf("with somebody new: %d and %d", static, saved)
	}
	if _, err := s.EraseRecipients(t.Context(), people[:1], nil); err != nil {
		t.Fatal(err)
	}
	if static, saved := s.size(t, static.ID), s.size(t, saved.ID); static != 3 || saved != 3 {
		t.Errorf("with somebody erased: %d and %d", static, saved)
	}
	// Who was erased does not come back.
	everybody := db.People{Filter: &coupon.RecipientFilter{}}
	if _, err := s.AddToRecipientList(t.Context(), static.ID, everybody); err != nil {
		t.Fatal(err)
	}
	if got := s.size(t, static.ID); got != 6 {
		t.Errorf("everybody: %d", got)
	}
	s.reopen(t)
	if got := s.size(t, static.ID); got != 6 {
		t.Errorf("after a restart: %d", got)
	}
	if err := s.DeleteRecipientList(t.Context(), static.ID); err != nil {
		t.Fatal(err)
	}
	next, err := s.CreateRecipientList(t.Context(), "Next", db.People{}, false)
	if err != nil || next.ID != "list_3" || s.size(t, next.ID) != 0 {
		t.Errorf("the next list: %+v, %v", next, err)
	}
	s.checkSound(t)
}

// TestSavedFilterOfWhatIsGone: a saved filter that names a deleted delivery chooses nobody by it,
// and fails nothing.
func TestSavedFilterOfWhatIsGone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	people := s.recipients(t, 3)
	id := s.newDelivery(t, "", people[:2])
	saved, err := s.CreateRecipientList(t.Context(), "Targets",
		db.People{Filter: &coupon.RecipientFilter{TargetOf: &id}}, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.size(t, saved.ID); got != 2 {
		t.Errorf("%d targets", got)
	}
	if err := s.DeleteDelivery(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got := s.size(t, saved.ID); got != 0 {
		t.Errorf("%d targets of what is gone", got)
	}
}
