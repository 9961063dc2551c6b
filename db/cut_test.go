package db_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
)

// cutScene is a database that was killed while a delivery was sent, with its log damaged behind
// that.
type cutScene struct {
	path, log string
	// at is the byte that the start says, and id what the database was called.
	at int64
	id string
	// running, later and ready are in the part that can be read: being sent, scheduled, and not
	// confirmed yet.
	running, later, ready coupon.ID
	waiting               coupon.ID
	// lost are a coupon and a delivery in the part that cannot be.
	lost []coupon.ID
}

// newCutScene makes such a database, and tells that it is refused without a change.
func newCutScene(t *testing.T) (*scene, *cutScene) {
	t.Helper()
	s := newScene(t)
	coupons := s.newCoupon(t)
	s.codes(t, coupons, "", numbered("C", 30)...)
	recipients := s.recipients(t, 4)
	c := &cutScene{path: filepath.Join(t.TempDir(), "couponql.duckdb"), id: s.ID()}
	c.log = c.path + ".wal"
	c.running, c.ready = s.newDelivery(t, coupons, recipients), s.newDelivery(t,
		coupons, recipients)
	c.later = s.newDelivery(t, coupons, recipients, func(d *coupon.DeliveryChanges) {
		d.ContactAt = coupon.Set(new(coupon.DateTime("2026-11-24T12:00:00Z")))
	})
	s.confirm(t, c.running)
	s.confirm(t, c.later)
	s.analyze(t, c.ready, coupon.DeliveryReady)
	s.sendBatch(t, c.running, 1)
	c.waiting = s.queue(t, newImport(coupon.ImportCodes, into(coupons)), "code\nX\n")
	kept, err := os.ReadFile(s.path + ".wal")
	if err != nil {
		t.Fatal(err)
	}
	c.lost = []coupon.ID{s.newCoupon(t), s.newDelivery(t, coupons, recipients)}
	content, err := os.ReadFile(s.path + ".wal")
	if err != nil || len(content) <= len(kept)+20 {
		t.Fatalf("the log has %d bytes, and had %d, %v", len(content), len(kept), err)
	}
	content[len(kept)+20] ^= 4
	file, err := os.ReadFile(s.path)
	if err = errors.Join(err, os.WriteFile(c.path, file, 0o600),
		os.WriteFile(c.log, content, 0o600)); err != nil {
		t.Fatal(err)
	}
	c.refused(t)
	return s, c
}

// refused tells that a start without the flag changes nothing, and learns up to where the log can
// be read.
func (c *cutScene) refused(t *testing.T) {
	t.Helper()
	s, err := db.Open(t.Context(), db.Options{Path: c.path, MemoryLimit: "1GB"})
	if err == nil {
		t.Fatal("it starts", s.Close())
	}
	_, behind, _ := strings.Cut(err.Error(), "--cut-log-at=")
	if _, err := fmt.Sscanf(behind, "%d", &c.at); err != nil || c.at < 1000 {
		t.Fatalf("%v: %v", err, behind)
	}
}

// TestCutLog tells that a database whose log was cut off is as one that was restored, however often
// its start is killed: no number that was acknowledged is given out again, and nothing is sent by
// itself.
func TestCutLog(t *testing.T) {
	t.Parallel()
	cuts := func(c *cutScene) func(*db.Options) {
		return func(o *db.Options) { o.CutsLogAt = &c.at }
	}
	for name, test := range map[string]struct {
		// kill leaves what a killed start left; options are those of the start after it.
		kill    func(*testing.T, *cutScene)
		options func(*cutScene) func(*db.Options)
	}{
		"never killed": {func(*testing.T, *cutScene) {}, cuts},
		"killed before the cut": {func(t *testing.T, c *cutScene) {
			t.Helper()
			db.MarkCut(t, c.path)
			c.refused(t)
		}, cuts},
		"killed after the cut": {func(t *testing.T, c *cutScene) {
			t.Helper()
			db.CutLog(t, c.path, c.at)
			found, err := db.Inspect(t.Context(), c.path, "1GB")
			if err != nil ||
				!strings.Contains(found.Notice, "cut off by a start that did not come to its end") {
				t.Errorf("inspected %+v, %v", found, err)
			}
		}, func(*cutScene) func(*db.Options) { return func(*db.Options) {} }},
		"killed at its end": {func(t *testing.T, c *cutScene) {
			t.Helper()
			s, err := db.Open(t.Context(),
				db.Options{Path: c.path, MemoryLimit: "1GB", CutsLogAt: &c.at})
			if err = errors.Join(err, s.Close()); err != nil {
				t.Fatal(err)
			}
			db.MarkCut(t, c.path)
		}, func(*cutScene) func(*db.Options) { return func(*db.Options) {} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, c := newCutScene(t)
			test.kill(t, c)
			s := &scene{clock: before.clock, path: c.path}
			s.Store = dbtest.Open(t, c.path, test.options(c), s.clock.Use)
			if !strings.Contains(s.Notice(), "new numbers begin 1000000 further on") {
				t.Errorf("notice %q", s.Notice())
			}
			c.check(t, s)
			id := s.ID()
			s.reopen(t)
			if s.ID() != id || s.Notice() != "" {
				t.Errorf("the id was %s and is %s, notice %q", id, s.ID(), s.Notice())
			}
			s.checkSound(t)
		})
	}
}

// check tells what the start after a cut did.
func (c *cutScene) check(t *testing.T, s *scene) {
	t.Helper()
	if s.ID() == c.id ||
		s.Texts(t, "SELECT value FROM setting WHERE name = 'database_id'")[0] != s.ID() {
		t.Errorf("the id was %s and is %s", c.id, s.ID())
	}
	for _, id := range []coupon.ID{c.running, c.later} {
		log := s.log(t, id)
		if d := s.delivery(t, id); d.Status != coupon.DeliveryPaused ||
			!slices.ContainsFunc(log, func(line string) bool {
				return strings.Contains(line, "log of the database was damaged and cut off")
			}) {
			t.Errorf("%s is %s, log %q", id, d.Status, log)
		}
	}
	if due, err := s.DueDeliveries(t.Context()); err != nil || len(due) > 0 {
		t.Errorf("due: %v, %v", due, err)
	}
	if i := s.imported(t, c.waiting); i.Status != coupon.ImportFailed ||
		!strings.Contains(*i.Failure, "import the file again") {
		t.Errorf("the import is %+v", i)
	}
	if entries, err := os.ReadDir(filepath.Join(c.path+".files", "uploads")); err != nil ||
		len(entries) > 0 {
		t.Errorf("uploads: %v, %v", entries, err)
	}
	// What stands in the outbox of a delivery that could have been sent since is continued.
	if _, err := s.ConfirmDelivery(t.Context(), c.ready, fine); err != nil {
		t.Fatal(err)
	}
	if batch, err := s.NextBatch(t.Context(), c.ready, 1); err != nil || batch == nil ||
		batch.OutboxSize < 1<<60 {
		t.Errorf("the batch is %+v, %v", batch, err)
	} else if err := batch.Record(t.Context(),
		&db.SentBatch{Sent: batch.Contents, OutboxSize: 1}); err != nil {
		t.Fatal(err)
	}
	made := s.newCoupon(t)
	delivery := s.newDelivery(t, made, nil)
	for i, id := range []coupon.ID{made, delivery} {
		if _, number, _ := strings.Cut(string(id), "_"); len(number) < len("1000000") ||
			id == c.lost[i] {
			t.Errorf("%s is given out after %s was", id, c.lost[i])
		}
	}
	s.checkSound(t)
	for _, name := range []string{".log-cut", ".first-start"} {
		if _, err := os.Stat(c.path + name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCutLogNeedless gives the flag to databases whose log is not damaged: nothing changes, and the
// start says so.
func TestCutLogNeedless(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(o *db.Options) { o.CutsLogAt = new(int64(5)) })
	if !strings.Contains(s.Notice(), "--cut-log-at") {
		t.Errorf("notice of a new database: %q", s.Notice())
	}
	id := s.ID()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Store = dbtest.Open(t, s.path, s.clock.Use,
		func(o *db.Options) { o.CutsLogAt = new(int64(5)) })
	if !strings.Contains(s.Notice(), "take the flag away") || s.ID() != id ||
		s.newCoupon(t) != "coupon_1" {
		t.Errorf("notice %q, id %s of %s", s.Notice(), s.ID(), id)
	}
}

// TestLostLog takes the log away from a database that has all in it: the start and Inspect refuse
// what is left, and begin again when nothing was acknowledged, because the first start was killed.
func TestLostLog(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		log     []byte
		isFirst bool
	}{
		"missing":              {nil, false},
		"empty":                {[]byte{}, false},
		"cut in its beginning": {[]byte("\x64\x00"), false},
		"a first start":        {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "couponql.duckdb")
			db.ExecOn(t, path, "SELECT 1")
			if test.log != nil {
				if err := os.WriteFile(path+".wal", test.log, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if test.isFirst {
				db.MarkFirst(t, path)
			}
			found, inspected := db.Inspect(t.Context(), path, "1GB")
			s, err := db.Open(t.Context(), db.Options{Path: path, MemoryLimit: "1GB"})
			if test.isFirst {
				if err = errors.Join(err, inspected); err != nil || !found.IsBegun {
					t.Fatalf("inspected %+v, %v", found, err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				return
			}
			for _, err := range []error{err, inspected} {
				if err == nil || !strings.Contains(err.Error(),
					"it has nothing in it, and its log "+path+".wal is missing") {
					t.Errorf("got %v", err)
				}
			}
			if s != nil {
				_ = s.Close()
			}
		})
	}
}
