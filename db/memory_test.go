package db_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db"
)

// littleMemory is less than the engine takes to read any spool file, and enough for what a till
// needs.
const littleMemory = "24MB"

// openWith opens the database of the scene again with another limit of the engine's memory.
func (s *scene) openWith(t *testing.T, memoryLimit string) {
	t.Helper()
	if err := s.Close(); err != nil && !s.hasEnded() {
		t.Fatal(err)
	}
	o := db.Options{Path: s.path, MemoryLimit: memoryLimit}
	s.clock.Use(&o)
	store, err := db.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.Store = store
	t.Cleanup(func() {
		if err := store.Close(); err != nil && !errors.Is(err, db.ErrMemory) {
			t.Error(err)
		}
	})
}

// hasEnded reports whether a commit failed, which ends the store: nobody knows then what is on the
// disk before it is read again.
func (s *scene) hasEnded() bool {
	select {
	case <-s.Failed():
		return true
	default:
		return false
	}
}

// TestOutOfMemory does what takes long with less memory than the engine needs for it: each says so
// and what to do, nothing of it is there, the store goes on, and with more memory all of it is
// done.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	g := newStage(t, s, "m", 100)
	s.codes(t, s.newCoupon(t, withoutAssignment), "", numbered("SPARE", 20)...)
	// What reads no spool file may have enough.
	names := []string{
		"analysis", "SQL", "codes ADD", "codes VOID", "recipients", "redemptions", "targets",
		"filtered export",
	}
	mayDo := []string{"analysis", "SQL"}
	jobs := map[string]job{}
	for _, long := range longJobs() {
		if slices.Contains(names, long.name) {
			jobs[long.name] = long.ready(t, g, "A")
		}
	}
	request := codesOf(g.coupon, coupon.FormatCSV,
		&coupon.CodeFilter{Status: []coupon.CodeStatus{coupon.CodeAvailable}})
	export := g.newExport(t, request)
	jobs["filtered export"] = func(ctx context.Context) error {
		if found, err := g.ExportsByID(ctx, []coupon.ID{export}); err == nil &&
			found[export].Status == coupon.ImportFailed {
			export = g.newExport(t, request)
		}
		return g.RunExport(ctx, export, nil)
	}
	s.openWith(t, littleMemory)
	var failed []string
	for i, name := range names {
		before := g.facts(t)
		err := jobs[name](t.Context())
		if s.hasEnded() {
			t.Logf("%s: a commit found no memory, and the store ended, as it has to: %v", name, err)
			s.openWith(t, "1GB")
			s.checkSound(t)
			return
		}
		switch between := g.facts(t); {
		case err == nil && !slices.Contains(mayDo, name):
			t.Errorf("%s needs no memory", name)
		case err != nil && !errors.Is(err, db.ErrMemory):
			t.Errorf("%s says: %v", name, err)
		case err != nil && between != before:
			t.Errorf("%s was half done: %s, then %s", name, before, between)
		}
		if err != nil {
			failed = append(failed, name)
		}
		s.redeem(t, numbered("SPARE", 20)[i])
	}
	told := s.Texts(t, `-- why jobs failed
SELECT failure FROM import WHERE status = 'FAILED' UNION ALL SELECT failure FROM export
	WHERE status = 'FAILED'`)
	if len(told) != len(names)-len(mayDo) || slices.ContainsFunc(told,
		func(text string) bool { return !strings.Contains(text, "--memory-limit") }) {
		t.Errorf("those who asked are told %q", told)
	}
	s.openWith(t, "1GB")
	for _, name := range failed {
		if err := jobs[name](t.Context()); err != nil {
			t.Errorf("%s, with more memory: %v", name, err)
		}
	}
	s.checkSound(t)
}
