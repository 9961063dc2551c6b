package db_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/snapshot"
)

// stage is what long jobs share: a coupon whose codes are redeemed and sent, those who get them, and a delivery to them that is
// still edited.
type stage struct {
	*scene

	name       string
	size       int
	coupon     coupon.ID
	delivery   coupon.ID
	recipients *coupon.RecipientFilter
	// values are codes that nobody gets, at the end of the pool.
	values []string
}

// newStage brings a stage of a size into a database; name is unlike that of every other one there.
func newStage(t *testing.T, s *scene, name string, size int) *stage {
	t.Helper()
	g := &stage{scene: s, name: name, size: size, coupon: s.newCoupon(t, withoutAssignment)}
	// So many that no job can be short of codes.
	g.values = g.numbered("R", size)
	g.codes(t, g.coupon, "", append(g.numbered("P", 4*size), g.values...)...)
	recipients := make([]*coupon.RecipientChanges, size)
	for i := range recipients {
		id := fmt.Sprintf("%s-%d", name, i)
		recipients[i] = &coupon.RecipientChanges{ExternalID: id, Email: coupon.Set(new(id + "@example.org"))}
	}
	if _, err := s.UpsertRecipients(t.Context(), recipients); err != nil {
		t.Fatal(err)
	}
	g.recipients = &coupon.RecipientFilter{Search: new(name + "-")}
	g.delivery = g.newTargeted(t)
	return g
}

// numbered returns count values of the stage.
func (g *stage) numbered(prefix string, count int) []string {
	values := make([]string, count)
	for i := range values {
		values[i] = fmt.Sprintf("%s-%s-%06d", prefix, g.name, i)
	}
	return values
}

// rows returns a line for each recipient, of the name of the stage and a number.
func (g *stage) rows(line string) string {
	var text strings.Builder
	for i := range g.size {
		fmt.Fprintf(&text, line, g.name, i)
	}
	return text.String()
}

// newTargeted makes a delivery to everybody of the stage.
func (g *stage) newTargeted(t *testing.T) coupon.ID {
	t.Helper()
	id := g.newDelivery(t, g.coupon, nil)
	if _, err := g.AddTargets(t.Context(), id, nil, g.recipients); err != nil {
		t.Fatal(err)
	}
	return id
}

func (g *stage) mustImport(t *testing.T, i *coupon.Import, text string) coupon.ID {
	t.Helper()
	done := g.importFile(t, i, text)
	if done.Status != coupon.ImportSucceeded || done.RowsRejected > 0 {
		t.Fatalf("import of the stage: %+v", done)
	}
	return done.ID
}

// job is something that takes long. After something cut it off, it is done by calling it again.
type job func(context.Context) error

// longJob makes a job ready on a stage; suffix tells it from another one of its kind there.
type longJob struct {
	name  string
	ready func(t *testing.T, g *stage, suffix string) job
	// isStepwise: what is done of it stays. isSingle: another one of the kind waits until it is over.
	isStepwise, isSingle bool
	// isApart: it is done by another store.
	isApart bool
}

// longJobs are all that take long.
func longJobs() []longJob {
	imported := func(
		kind coupon.ImportKind, mode coupon.ImportMode, text func(t *testing.T, g *stage, suffix string) (*coupon.Import, string),
	) func(*testing.T, *stage, string) job {
		return func(t *testing.T, g *stage, suffix string) job {
			t.Helper()
			i, rows := text(t, g, suffix)
			i.Kind, i.Mode = kind, mode
			id := g.queue(t, i, rows)
			return func(ctx context.Context) error {
				if found, err := g.ImportsByID(ctx, []coupon.ID{id}); err == nil && found[id].Status == coupon.ImportFailed {
					// It does not go on by itself.
					id = g.queue(t, i, rows)
				}
				if err := g.RunImport(ctx, id); err != nil {
					return err
				}
				found, err := g.ImportsByID(ctx, []coupon.ID{id})
				if err == nil && found[id].Status != coupon.ImportSucceeded {
					err = fmt.Errorf("%s is %s: %s", id, found[id].Status, deref(found[id].Failure))
				}
				return err
			}
		}
	}
	exported := func(request func(*stage) *coupon.Export) func(*testing.T, *stage, string) job {
		return func(t *testing.T, g *stage, _ string) job {
			t.Helper()
			id := g.newExport(t, request(g))
			return func(ctx context.Context) error {
				if found, err := g.ExportsByID(ctx, []coupon.ID{id}); err == nil && found[id].Status == coupon.ImportFailed {
					id = g.newExport(t, request(g))
				}
				if err := g.RunExport(ctx, id, g.writeQuery); err != nil {
					return err
				}
				found, err := g.ExportsByID(ctx, []coupon.ID{id})
				if err == nil && found[id].Status != coupon.ImportSucceeded {
					err = fmt.Errorf("%s is %s: %s", id, found[id].Status, deref(found[id].Failure))
				}
				return err
			}
		}
	}
	return []longJob{
		{name: "codes ADD", ready: imported(coupon.ImportCodes, coupon.ImportAdd, func(_ *testing.T, g *stage, suffix string) (*coupon.Import, string) {
			return newImport(coupon.ImportCodes, into(g.coupon)), "code\n" + strings.Join(g.numbered("N"+suffix, g.size), "\n")
		})},
		{
			name: "codes REPLACE_UNUSED",
			ready: imported(coupon.ImportCodes, coupon.ImportReplaceUnused, func(t *testing.T, g *stage, suffix string) (*coupon.Import, string) {
				t.Helper()
				return newImport(coupon.ImportCodes, into(g.coupon)), "code\n" + strings.Join(g.numbered("M"+suffix, 4*g.size), "\n")
			}),
		},
		{name: "codes VOID", ready: imported(coupon.ImportCodes, coupon.ImportVoid, func(_ *testing.T, g *stage, _ string) (*coupon.Import, string) {
			return newImport(coupon.ImportCodes, into(g.coupon)), "code\n" + strings.Join(g.values[:g.size/2], "\n")
		})},
		{name: "recipients", ready: imported(coupon.ImportRecipients, coupon.ImportAdd, func(_ *testing.T, g *stage, suffix string) (*coupon.Import, string) {
			return newImport(coupon.ImportRecipients), "id,email,first name\n" +
				g.rows("%[1]s-%[2]d,%[1]s-%[2]d@example.org,"+suffix+"\n") + g.rows("new"+suffix+"-%[1]s-%[2]d,new@example.org,\n")
		})},
		{name: "redemptions", ready: imported(coupon.ImportRedemptions, coupon.ImportAdd, func(_ *testing.T, g *stage, _ string) (*coupon.Import, string) {
			return newImport(coupon.ImportRedemptions), "code,date\n" + strings.Join(g.values, ",2026-11-22\n") + ",2026-11-22\n"
		})},
		{name: "targets", ready: imported(coupon.ImportTargets, coupon.ImportAdd, func(t *testing.T, g *stage, _ string) (*coupon.Import, string) {
			t.Helper()
			return newImport(coupon.ImportTargets, into(g.newDelivery(t, g.coupon, nil))), "id\n" + g.rows("%[1]s-%[2]d\n")
		})},
		{name: "undo", ready: func(t *testing.T, g *stage, suffix string) job {
			t.Helper()
			id := g.mustImport(t, newImport(coupon.ImportCodes, into(g.coupon)), "code\n"+strings.Join(g.numbered("U"+suffix, g.size), "\n"))
			return func(ctx context.Context) error {
				_, err := g.UndoImport(ctx, id)
				return err
			}
		}},
		{name: "generation", ready: func(_ *testing.T, g *stage, suffix string) job {
			return func(ctx context.Context) error {
				_, err := g.GenerateCodes(ctx, &db.GenerateRequest{
					CouponID: g.coupon, Count: g.size, Pattern: "G" + suffix + "-" + g.name + "-##########", Alphabet: "ABCDEFGHJKMNPQRSTVWXYZ0123456789",
				})
				return err
			}
		}},
		{name: "generation by a job", ready: func(t *testing.T, g *stage, suffix string) job {
			t.Helper()
			request := &db.GenerateRequest{
				CouponID: g.coupon, Count: g.size, Pattern: "J" + suffix + "-" + g.name + "-##########", Alphabet: "ABCDEFGHJKMNPQRSTVWXYZ0123456789",
			}
			id := g.queueBatch(t, request)
			return func(ctx context.Context) error {
				if found, err := g.CodeBatchesByID(ctx, []coupon.ID{id}); err == nil && found[id].Status == coupon.ImportFailed {
					// It does not go on by itself.
					id = g.queueBatch(t, request)
				}
				if err := g.RunBatch(ctx, id); err != nil {
					return err
				}
				found, err := g.CodeBatchesByID(ctx, []coupon.ID{id})
				if err == nil && found[id].Status != coupon.ImportSucceeded {
					err = fmt.Errorf("%s is %s: %s", id, found[id].Status, deref(found[id].Failure))
				}
				return err
			}
		}},
		{name: "export", ready: exported(func(g *stage) *coupon.Export { return codesOf(g.coupon, coupon.FormatCSV, nil) })},
		{name: "exportSql", ready: exported(func(*stage) *coupon.Export {
			return &coupon.Export{Kind: coupon.ExportSQL, Format: coupon.FormatCSV, Request: coupon.ExportRequest{Query: "SELECT count(*) AS n FROM codes"}}
		})},
		{name: "SQL", ready: func(_ *testing.T, g *stage, _ string) job {
			return func(ctx context.Context) error {
				_, err := g.countCodes(ctx)
				return err
			}
		}},
		{name: "backup", isSingle: true, ready: exported(func(*stage) *coupon.Export { return newBackup() })},
		{name: "analysis", ready: func(_ *testing.T, g *stage, _ string) job {
			return func(ctx context.Context) error {
				d, _, err := g.AnalyzeDelivery(ctx, g.delivery, fine)
				if err == nil && d.Status != coupon.DeliveryReady && d.Analysis.MessageCount > 0 {
					err = fmt.Errorf("%s is %s", d.ID, d.Status)
				}
				return err
			}
		}},
		{name: "confirmation", ready: func(t *testing.T, g *stage, _ string) job {
			t.Helper()
			id := g.newTargeted(t)
			g.analyze(t, id, coupon.DeliveryReady)
			return func(ctx context.Context) error {
				d, err := g.ConfirmDelivery(ctx, id, fine)
				if err == nil && d.Counts.Total != g.size {
					err = fmt.Errorf("%s has %d messages", id, d.Counts.Total)
				}
				return err
			}
		}},
		{name: "sending", isStepwise: true, ready: func(t *testing.T, g *stage, _ string) job {
			t.Helper()
			id := g.newTargeted(t)
			g.confirm(t, id)
			return func(ctx context.Context) error { return g.sendAll(ctx, id) }
		}},
		{name: "erasure", ready: func(t *testing.T, g *stage, _ string) job {
			t.Helper()
			var names []string
			for i := range min(g.size, coupon.MaxErasedRecipients) {
				names = append(names, fmt.Sprintf("%s-%d", g.name, i))
			}
			return func(ctx context.Context) error {
				_, err := g.EraseRecipients(ctx, nil, names)
				return err
			}
		}},
		{name: "split", ready: func(_ *testing.T, g *stage, _ string) job {
			return func(ctx context.Context) error {
				_, err := g.SplitDelivery(ctx, g.delivery, coupon.SplitParts{{Label: "half", Percent: new(50.0)}, {Label: "rest", Rest: true}})
				return err
			}
		}},
		{name: "posting", isStepwise: true, ready: func(_ *testing.T, g *stage, _ string) job {
			return g.redeemAll
		}},
	}
}

// quietJobs are those that take long and change nothing that others have.
func quietJobs() []longJob {
	return []longJob{
		{name: "integrityReport", ready: func(_ *testing.T, g *stage, _ string) job {
			return func(ctx context.Context) error {
				report, err := g.IntegrityReport(ctx)
				if err == nil && !report.IsSound() {
					err = fmt.Errorf("unsound: %v", report.Broken())
				}
				return err
			}
		}},
		{name: "restore", isApart: true, ready: func(t *testing.T, g *stage, suffix string) job {
			t.Helper()
			id := g.newExport(t, newBackup())
			if err := g.RunExport(t.Context(), id, nil); err != nil {
				t.Fatal(err)
			}
			backup := filepath.Join(g.path+".files", "exports", id.FileName())
			return func(ctx context.Context) error {
				path := filepath.Join(filepath.Dir(g.path), "restored-"+g.name+suffix+".duckdb")
				_, err := db.Restore(ctx, db.RestoreOptions{Backup: backup, Path: path, MemoryLimit: "1GB"})
				if left, _ := filepath.Glob(path + "*"); err != nil && len(left) > 0 {
					err = fmt.Errorf("%w; it left %v", err, left)
				}
				return err
			}
		}},
	}
}

func (g *stage) newExport(t *testing.T, request *coupon.Export) coupon.ID {
	t.Helper()
	e, err := g.CreateExport(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return e.ID
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// writeQuery answers the query of an export as the processes of analysts do.
func (g *stage) writeQuery(ctx context.Context, _ *coupon.Export, path string) (int, error) {
	count, err := g.countCodes(ctx)
	if err != nil {
		return 0, err
	}
	return 1, os.WriteFile(path, []byte(count), 0o600)
}

// countCodes asks a snapshot of its own how many codes there are.
func (g *stage) countCodes(ctx context.Context) (count string, err error) {
	taken, err := g.TakeSnapshot(ctx, true)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, taken.Remove()) }()
	opened, err := snapshot.Open(ctx, taken.Dir, snapshot.Options{MemoryLimit: "500MB", Threads: 1})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	_, rows, err := question{opened}.askWith(ctx, "SELECT count(*) AS n FROM codes")
	if err != nil {
		return "", err
	}
	return rows[0], nil
}

// sendAll sends the messages of a delivery.
func (g *stage) sendAll(ctx context.Context, id coupon.ID) error {
	for {
		batch, err := g.NextBatch(ctx, id, max(50, g.size/20))
		if err != nil || batch == nil {
			return err
		}
		err = batch.Record(ctx, &db.SentBatch{Sent: batch.Contents, OutboxSize: batch.OutboxSize + int64(len(batch.Contents))})
		if err != nil {
			batch.Release()
			return err
		}
	}
}

// redeemAll redeems the codes of the stage at several tills, unless others did or they are void, while the journal is posted.
func (g *stage) redeemAll(ctx context.Context) error {
	const tills, each = 4, 50
	var wait sync.WaitGroup
	errs := make([]error, tills)
	for till := range tills {
		wait.Go(func() {
			for first := till * each; first < len(g.values) && errs[till] == nil; first += tills * each {
				var requests []*coupon.RedeemRequest
				for _, value := range g.values[first:min(first+each, len(g.values))] {
					requests = append(requests, &coupon.RedeemRequest{Value: value})
				}
				_, errs[till] = g.RedeemAll(ctx, requests)
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// excludes tells what a job may be refused because of others that run at the same time.
func excludes(job string, others []longJob) coupon.ErrorCode {
	isAmong := func(name string) bool {
		return slices.ContainsFunc(others, func(other longJob) bool { return other.name == name })
	}
	switch {
	case job == "confirmation" && (isAmong("recipients") || isAmong("erasure")):
		return coupon.ErrorAnalysisStale
	default:
		return ""
	}
}

// partSize is how many of the long jobs are a part of them.
const partSize = 3

// TestTogether runs every two of the jobs that take long at the same time, on the same coupon and recipients: all end as they
// should, the store answers, and all promises hold, also after a new start. They run by parts, each beside each and beside itself: so
// every two of them meet, and more than two.
func TestTogether(t *testing.T) {
	t.Parallel()
	parts := slices.Collect(slices.Chunk(longJobs(), partSize))
	for i, part := range parts {
		t.Run(part[0].name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			for j, other := range parts[i:] {
				if j == 0 {
					other = slices.DeleteFunc(slices.Clone(other), func(one longJob) bool { return one.isSingle })
				}
				g := newStage(t, s, fmt.Sprintf("s%d", j), togetherSize)
				// Analyses, confirmations and sendings take as many codes each as there are recipients.
				g.codes(t, g.coupon, "", g.numbered("Q", partSize*g.size)...)
				jobs, ready := slices.Concat(part, other), []job{}
				for k, one := range jobs {
					ready = append(ready, one.ready(t, g, string(rune('A'+k/partSize))))
				}
				for k, err := range atOnce(len(jobs), func(k int) error { return ready[k](t.Context()) }) {
					problems, isUser := coupon.AsUserErrors(err)
					if err != nil && (!isUser || problems[0].Code != excludes(jobs[k].name, jobs)) {
						t.Errorf("%s beside %s and %s: %v", jobs[k].name, part[0].name, other[0].name, err)
					}
				}
				if err := s.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			s.checkSound(t)
			s.reopen(t)
			s.checkSound(t)
		})
	}
}

const (
	// togetherSize is how many rows the jobs of a pair have, and cutOffSize those of a job that is cut off.
	togetherSize, cutOffSize = 60, 1500
	// stopTime is how long a store may take to close, whatever it does; other tests and the race detector run beside this one, and
	// what is looked for is a stop that waits for a job. With a million rows a stop takes less than a second of the processor.
	stopTime = 10 * time.Second
)

// facts counts what jobs make, so that one that is half done shows.
func (g *stage) facts(t *testing.T) string {
	t.Helper()
	return strings.Join(g.Texts(t, `-- count what there is
SELECT concat_ws(' ', (SELECT count(*) FROM code), (SELECT count(*) FROM code_void), (SELECT count(*) FROM redemption), (SELECT count(*) FROM message),
    (SELECT count(*) FROM target), (SELECT count(*) FROM recipient), (SELECT count(*) FROM recipient WHERE erased_at IS NOT NULL),
    (SELECT count(*) FROM recipient WHERE first_name IS NOT NULL), (SELECT count(*) FROM delivery), (SELECT count(*) FROM hold),
    (SELECT count(*) FROM import WHERE status = 'SUCCEEDED' OR undone_at IS NOT NULL), (SELECT count(*) FROM export WHERE status = 'SUCCEEDED'))`), "")
}

// cutOffJobs runs each job and has cut stop it after a few of its statements, which also makes the store well again. Nothing of the
// job is there then, unless it was done, and it is done when it is called again. Most must have been cut off.
func cutOffJobs(t *testing.T, s *scene, size int, cut func(ended <-chan struct{}), wasCut func(error) bool) {
	t.Helper()
	cutOff, jobs := 0, append(longJobs(), quietJobs()...)
	for i, long := range jobs {
		g := newStage(t, s, fmt.Sprintf("s%d", i), size)
		run := long.ready(t, g, "A")
		before := g.facts(t)
		err := g.cutOff(t, run, long.isApart, cut)
		between := g.facts(t)
		if err != nil {
			cutOff++
			t.Logf("%s was cut off: %v", long.name, err)
			if !wasCut(err) {
				t.Errorf("%s was cut off, and says: %v", long.name, err)
			}
			if err := run(t.Context()); err != nil {
				t.Errorf("%s, done again: %v", long.name, err)
			}
		}
		s.checkSound(t)
		if after := g.facts(t); !long.isStepwise && between != before && between != after {
			t.Errorf("%s was half done: %s, then %s, in the end %s", long.name, before, between, after)
		}
	}
	if cutOff < len(jobs)/2 {
		t.Errorf("only %d of %d jobs were cut off", cutOff, len(jobs))
	}
}

// cutOff runs a job that cut stops after a few of its statements, or of another store's, and gives what the job says.
func (g *stage) cutOff(t *testing.T, run job, isApart bool, cut func(ended <-chan struct{})) error {
	t.Helper()
	var said error
	ended := make(chan struct{})
	begun, at := g.Statements()+1+rand.Int64N(5), time.Now().Add(rand.N(200*time.Millisecond))
	isBegun := func() bool { return g.Statements() >= begun }
	if isApart {
		isBegun = func() bool { return time.Now().After(at) }
	}
	go func() {
		defer close(ended)
		said = run(context.WithoutCancel(t.Context()))
	}()
	for isOver := false; !isOver && !isBegun(); {
		select {
		case <-ended:
			isOver = true
		case <-time.After(time.Millisecond):
		}
	}
	cut(ended)
	<-ended
	return said
}

// TestCloseDuringJobs closes the store in the middle of each job that takes long.
func TestCloseDuringJobs(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	cutOffJobs(t, s, cutOffSize, func(ended <-chan struct{}) {
		began := time.Now()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > stopTime {
			t.Errorf("closing took %s", took)
		}
		<-ended
		s.reopen(t)
	}, func(err error) bool { return errors.Is(err, db.ErrClosed) || errors.Is(err, context.Canceled) })
}
