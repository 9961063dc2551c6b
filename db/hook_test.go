package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// Exec runs a statement, past every rule.
func (s *Store) Exec(t *testing.T, statement string) {
	t.Helper()
	if err := s.engine.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// ExecOn runs a statement on a file that nobody has open.
func ExecOn(t *testing.T, path, statement string) {
	t.Helper()
	database, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := database.ExecContext(t.Context(), statement); err != nil {
		t.Error(err)
	}
	if err := database.Close(); err != nil {
		t.Error(err)
	}
}

// MarkCut and MarkFirst leave the marks of starts that were killed.
func MarkCut(t *testing.T, path string) { t.Helper(); leaveMark(t, markCut, path) }

// MarkFirst is like MarkCut.
func MarkFirst(t *testing.T, path string) { t.Helper(); leaveMark(t, markFirst, path) }

func leaveMark(t *testing.T, m mark, path string) {
	t.Helper()
	if err := m.set(path); err != nil {
		t.Fatal(err)
	}
}

// CutLog does what a start does until the log is cut off, and no more.
func CutLog(t *testing.T, path string, at int64) {
	t.Helper()
	s, err := describeStore(Options{Path: path, CutsLogAt: &at})
	if err == nil {
		err = s.checkLog()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// RekeyInParts does what a start does with keys of codes, so many in one transaction. told is
// called after each.
func RekeyInParts(t *testing.T, path string, limit int, told func()) {
	t.Helper()
	s, err := describeStore(Options{Path: path, Progress: func(string) { told() }})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func(context.Context) error{
		s.connect, s.migrate, func(context.Context) error { return s.makeFolders() },
		func(ctx context.Context) error { return s.rekeyInParts(ctx, limit) },
	} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.engine.Close(); err != nil {
		t.Fatal(err)
	}
}

// Schema returns what the database consists of.
func (s *Store) Schema(t *testing.T) string {
	t.Helper()
	return schemaOf(t, s.engine)
}

// Texts returns the rows of a statement with one column.
func (s *Store) Texts(t *testing.T, statement string) []string {
	t.Helper()
	rows, err := duckdb.Collect(t.Context(), s.engine, statement, duckdb.ScanInto[string])
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// ForgetRecent has everything be read from the rows.
func (s *Store) ForgetRecent() {
	// Without a commit that could fail.
	_ = s.memory.Commit(func() error { return nil },
		func(c memory.Change) {
			c.Touch(memory.AllRecipients)
			c.Touch(memory.AllDeliveries)
		})
}

// LearnHappened has memory read what happened to all codes, as if they were asked for often.
func (s *Store) LearnHappened(ctx context.Context) error {
	for _, r := range s.memory.RunsSince(0) {
		for _, number := range []int64{r.First, r.Last} {
			hasRead := false
			for range 100 {
				var err error
				if hasRead, err = s.readMissed(ctx, []int64{number}); err != nil {
					return err
				}
				if hasRead {
					break
				}
			}
			if !hasRead {
				return fmt.Errorf("what happened to code %d was not read", number)
			}
		}
	}
	return nil
}

// CheckRecent returns an error when what is kept of codes, recipients and deliveries is not what
// the rows say.
func (s *Store) CheckRecent(ctx context.Context) error {
	codes, recipients, deliveries := s.memory.Recent()
	read := func() (found [3]any, err error) {
		var err1, err2, err3 error
		found[0], err1 = s.readCodes(ctx, codes, coupon.AnyState)
		found[1], err2 = s.readRecipients(ctx, recipients)
		found[2], err3 = s.readDeliveries(ctx, deliveries)
		return found, errors.Join(err1, err2, err3)
	}
	kept, err := read()
	if err != nil {
		return err
	}
	s.ForgetRecent()
	inRows, err := read()
	if diff := cmp.Diff(inRows, kept); err == nil && diff != "" {
		err = fmt.Errorf("what is kept differs from the rows (-rows +kept):\n%s", diff)
	}
	return err
}

// ConfirmWith is ConfirmDelivery that calls meanwhile each time when everything was decided and
// nothing is committed yet.
func (s *Store) ConfirmWith(
	ctx context.Context, id coupon.ID, check coupon.ContentCheck, meanwhile func(),
) (*coupon.Delivery, error) {
	return s.prepareDelivery(ctx, id, hooked(s.confirmation(check), meanwhile))
}

// AnalyzeWith is AnalyzeDelivery with the same hook.
func (s *Store) AnalyzeWith(
	ctx context.Context, id coupon.ID, check coupon.ContentCheck, meanwhile func(),
) (*coupon.Delivery, error) {
	return s.prepareDelivery(ctx, id, hooked(s.analysis(check, &coupon.UserErrors{}), meanwhile))
}

// RunImportWith reads the file of an import and stores its rows, and has something happen before
// its turn to commit.
func (s *Store) RunImportWith(ctx context.Context, id coupon.ID, meanwhile func()) error {
	i, err := s.importByNumber(ctx, coupon.MustNumber(coupon.KindImport, id))
	if err != nil {
		return err
	}
	r := s.newImportReader(coupon.MustNumber(coupon.KindImport, id), i,
		&rowProgress{store: s, id: id})
	r.decide = func(
		ctx context.Context, do func(*tx, *memory.Witness) error,
		finish func(context.Context, *turn, *memory.Witness) error,
	) error {
		return s.decideImport(ctx, func(t *tx, w *memory.Witness) error {
			err := do(t, w)
			if err == nil && w.IsWatching {
				meanwhile()
			}
			return err
		}, finish)
	}
	return r.run(ctx)
}

func hooked(p *preparation, meanwhile func()) *preparation {
	prepare := p.prepare
	p.prepare = func(ctx context.Context, t *tx, number int64, d *coupon.Delivery) error {
		err := prepare(ctx, t, number, d)
		if err == nil {
			meanwhile()
		}
		return err
	}
	return p
}

// Drafted returns the delivery that is drafted, or "".
func (s *Store) Drafted() coupon.ID {
	if kept := s.keptDraft(); kept != nil {
		return kept.delivery
	}
	return ""
}

// MarkDraft changes the addresses of a draft, past every rule, so that messages tell whether they
// were drafted.
func (s *Store) MarkDraft(t *testing.T) {
	t.Helper()
	if _, err := s.keptDraft().conn.ExecContext(t.Context(),
		"UPDATE draft SET address = 'drafted ' || address"); err != nil {
		t.Fatal(err)
	}
}

// ExpireDraft has the time of the draft end.
func (s *Store) ExpireDraft() { s.drafts.expire(s.keptDraft()) }

func (s *Store) keptDraft() *draft {
	s.drafts.mu.Lock()
	defer s.drafts.mu.Unlock()
	return s.drafts.kept
}

// MayDraft reports whether so many messages may be drafted, beside the writer and in its turn.
func MayDraft(count int) (beside, inTurn bool) {
	return (&tx{draft: &draft{}}).mayDraft(count), (&tx{}).mayDraft(count)
}

// MaxDraft is how many messages a draft has at the most.
const MaxDraft = maxDraft
