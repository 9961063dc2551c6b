package job_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
	"couponql/job"
	"couponql/sender"
)

// scene is a store whose jobs run when start is called.
type scene struct {
	*db.Store

	clock  *dbtest.Clock
	folder string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	clock := dbtest.NewClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	return &scene{
		Store: dbtest.New(t, clock.Use), clock: clock, folder: filepath.Join(t.TempDir(), "outbox"),
	}
}

// start runs the jobs until the test ends or the runner is stopped.
func (s *scene) start(t *testing.T, sendRate float64) *job.Runner {
	t.Helper()
	out, err := sender.OpenOutbox(s.folder)
	if err != nil {
		t.Fatal(err)
	}
	runner := job.Start(t.Context(), s.Store, out,
		job.Options{SendRate: sendRate, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	t.Cleanup(runner.Stop)
	return runner
}

// ready makes a delivery with a code for each of so many recipients that can be confirmed.
func (s *scene) ready(t *testing.T, count int, edits ...func(*coupon.DeliveryChanges)) (
	couponID, id coupon.ID,
) {
	t.Helper()
	ctx := t.Context()
	c, err := s.CreateCoupon(ctx, &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("Sale")),
		StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	codes := make([]coupon.NewCode, count)
	recipients := make([]*coupon.RecipientChanges, count)
	for i := range count {
		codes[i].Value = fmt.Sprintf("%s-%05d", c.ID, i)
		recipients[i] = &coupon.RecipientChanges{
			ExternalID: fmt.Sprintf("r%d", i),
			Email:      coupon.Set(new(fmt.Sprintf("r%d@example.org", i))),
		}
	}
	if _, _, err := s.AddCodes(ctx, c.ID, codes); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpsertRecipients(ctx, recipients); err != nil {
		t.Fatal(err)
	}
	changes := &coupon.DeliveryChanges{
		Label:    coupon.Set(new("News")),
		CouponID: coupon.Set(&c.ID),
		Subject:  coupon.Set(new("Hello")),
		Body:     coupon.Set(new("Code: {{ couponValue.code }}")),
	}
	for _, edit := range edits {
		edit(changes)
	}
	d, err := s.CreateDelivery(ctx, changes)
	if err == nil {
		_, err = s.AddTargets(ctx, d.ID, nil, &coupon.RecipientFilter{})
	}
	if err == nil {
		d, _, err = s.AnalyzeDelivery(ctx, d.ID, fine)
	}
	if err != nil || d.Status != coupon.DeliveryReady {
		t.Fatalf("got %+v, %v", d, err)
	}
	return c.ID, d.ID
}

func fine(*coupon.Delivery, *coupon.Coupon) coupon.ContentFindings {
	return coupon.ContentFindings{}
}

func (s *scene) confirm(t *testing.T, id coupon.ID) {
	t.Helper()
	if _, err := s.ConfirmDelivery(t.Context(), id, fine); err != nil {
		t.Fatal(err)
	}
}

func (s *scene) delivery(t *testing.T, id coupon.ID) *coupon.Delivery {
	t.Helper()
	found, err := s.DeliveriesByID(t.Context(), []coupon.ID{id})
	if err != nil || found[id] == nil {
		t.Fatalf("%s: %v", id, err)
	}
	return found[id]
}

// wait waits until a delivery is as wanted.
func (
	s *scene,
) wait(t *testing.T, id coupon.ID, isThere func(*coupon.Delivery) bool) *coupon.Delivery {
	t.Helper()
	changed, stop := s.Watch(id)
	defer stop()
	deadline := time.After(30 * time.Second)
	for {
		d := s.delivery(t, id)
		if isThere(d) {
			return d
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("after 30 seconds the delivery is %+v", d)
		}
	}
}

func isFinished(d *coupon.Delivery) bool { return d.Status == coupon.DeliveryFinished }

// checkOutbox fails the test unless the delivery's file has so many messages, each once and with a
// code of its own.
func (s *scene) checkOutbox(t *testing.T, id coupon.ID, want int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.folder, string(id)+".mbox"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{
		`(?m)^Message-ID: (.*)$`, `(?m)^To: (.*)$`, `(?m)^Code: (.+)$`,
	} {
		seen := map[string]bool{}
		for _, match := range regexp.MustCompile(pattern).FindAllString(string(text), -1) {
			if seen[match] {
				t.Errorf("%s is there twice", match)
			}
			seen[match] = true
		}
		if len(seen) != want {
			t.Errorf("%d of %s, want %d", len(seen), pattern, want)
		}
	}
	report, err := s.IntegrityReport(t.Context())
	if err != nil || !report.IsSound() {
		t.Errorf("the database is not sound: %+v, %v", report, err)
	}
}

func TestSending(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.start(t, 0)
	_, id := s.ready(t, 4500) // several batches
	s.confirm(t, id)
	if d := s.wait(t, id, isFinished); d.Counts != (coupon.MessageCounts{Sent: 4500, Total: 4500}) {
		t.Errorf("got %+v", d.Counts)
	}
	s.checkOutbox(t, id, 4500)
}

// TestPauseAndResume pauses and resumes at any moment; resumed just when the sending goroutine
// leaves, the delivery must not be forgotten.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.start(t, 0)
	for range 30 {
		_, id := s.ready(t, 2)
		s.confirm(t, id)
		for range 5 {
			for _, change := range []func(*db.Store) (*coupon.Delivery, error){
				func(s *db.Store) (*coupon.Delivery, error) {
					return s.PauseDelivery(t.Context(), id)
				},
				func(s *db.Store) (*coupon.Delivery, error) {
					return s.ResumeDelivery(t.Context(), id)
				},
			} {
				if _, err := change(s.Store); err != nil {
					if problems, _ := coupon.AsUserErrors(err); len(problems) == 0 ||
						problems[0].Code != coupon.ErrorInvalidState {
						t.Fatal(err)
					}
				}
			}
		}
		s.wait(t, id, isFinished)
	}
	s.checkOutbox(t, "delivery_30", 2)
}

// TestSendRate pauses a slow delivery, which then stands still, and stops it.
func TestSendRate(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.start(t, 100)
	couponID, id := s.ready(t, 1000)
	began := time.Now()
	s.confirm(t, id)
	s.wait(t, id, func(d *coupon.Delivery) bool { return d.Counts.Sent >= 200 })
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("200 messages took %s at 100 a second", took)
	}
	paused, err := s.PauseDelivery(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	stopped, err := s.StopDelivery(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if stopped.Counts.Sent != paused.Counts.Sent ||
		stopped.Counts.Sent+stopped.Counts.Canceled != 1000 {
		t.Errorf("paused with %+v, stopped with %+v", paused.Counts, stopped.Counts)
	}
	found, err := s.Availabilities(t.Context(), []coupon.ID{couponID})
	if err != nil || found[couponID].Available != stopped.Counts.Canceled ||
		found[couponID].Assigned != stopped.Counts.Sent {
		t.Errorf("availability %+v, %v", found[couponID], err)
	}
	s.checkOutbox(t, id, stopped.Counts.Sent)
}

// TestRestart stops the jobs in the middle and starts them again, several times.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, id := s.ready(t, 2000)
	s.confirm(t, id)
	for sent := 0; sent < 1200; {
		runner := s.start(t, 400)
		sent = s.wait(t, id,
			func(d *coupon.Delivery) bool { return d.Counts.Sent > sent }).Counts.Sent
		runner.Stop()
		if d := s.delivery(t, id); d.Status != coupon.DeliveryInProgress {
			t.Fatalf("after a stop in the middle the delivery is %+v", d)
		}
	}
	s.start(t, 0)
	s.wait(t, id, isFinished)
	s.checkOutbox(t, id, 2000)
}

func TestScheduled(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.start(t, 0)
	_, id := s.ready(t, 3, func(d *coupon.DeliveryChanges) {
		d.ContactAt = coupon.Set(new(coupon.DateTime("2026-11-23T12:00:00.05Z")))
	})
	s.confirm(t, id)
	if got := s.delivery(t, id).Status; got != coupon.DeliveryScheduled {
		t.Fatalf("the delivery is %s", got)
	}
	s.clock.Advance(time.Second) // the store's clock stood still, so the jobs look again in 50 ms
	s.wait(t, id, isFinished)
	s.checkOutbox(t, id, 3)
}

// TestScheduledAndJumps sets the clock on to when a delivery is due, without the timers of the
// machine knowing: so it is for a machine that slept.
func TestScheduledAndJumps(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, id := s.ready(t, 3, func(d *coupon.DeliveryChanges) {
		d.ContactAt = coupon.Set(new(coupon.DateTime("2026-11-24T12:00:00Z")))
	})
	s.confirm(t, id)
	s.start(t, 0)
	s.clock.Jump(-24 * time.Hour)
	s.clock.Jump(48 * time.Hour)
	s.wait(t, id, isFinished)
	s.checkOutbox(t, id, 3)
}

// TestVoidedBeforeSending: a message whose code was voided must not go out.
func TestVoidedBeforeSending(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	couponID, id := s.ready(t, 5)
	s.confirm(t, id)
	if _, err := s.VoidCodes(t.Context(), &db.CodeSelection{
		CouponID: couponID,
		Values:   []string{string(couponID) + "-00002"},
	}); err != nil {
		t.Fatal(err)
	}
	s.start(t, 0)
	if d := s.wait(t, id,
		isFinished); d.Counts != (coupon.MessageCounts{Sent: 4, Canceled: 1, Total: 5}) {
		t.Errorf("got %+v", d.Counts)
	}
	lists, err := s.DeliveryMessages(t.Context(), []coupon.ID{id}, nil,
		[]coupon.CancelReason{coupon.CancelCodeVoided}, nil,
		coupon.Page{First: 10, WantsItems: true})
	if err != nil || len(lists[id].Items) != 1 ||
		*lists[id].Items[0].CancelReason != coupon.CancelCodeVoided {
		t.Errorf("canceled: %+v, %v", lists[id], err)
	}
	s.checkOutbox(t, id, 4)
}

// TestBrokenOutbox: what cannot be handed over now is tried again, and nothing is lost or doubled.
func TestBrokenOutbox(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.start(t, 0)
	_, id := s.ready(t, 10)
	// A folder in the place of the file fails every write, for root too.
	path := filepath.Join(s.folder, string(id)+".mbox")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	s.confirm(t, id)
	changed, stop := s.Watch(id)
	defer stop()
	select {
	case <-changed:
		t.Errorf("something was sent: %+v", s.delivery(t, id))
	case <-time.After(200 * time.Millisecond):
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s.wait(t, id, isFinished)
	s.checkOutbox(t, id, 10)
}

// TestImports runs what waits in order; a file that cannot be read does not keep the others.
func TestImports(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	couponID, _ := s.ready(t, 1)
	var ids []coupon.ID
	for _, text := range []string{"code\nI1\nI2\n", "", "code\nI2\nI3\n"} {
		upload, err := s.Receive(t.Context(), "codes.csv", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		i, err := s.CreateImport(t.Context(), &coupon.Import{
			Kind: coupon.ImportCodes, Mode: coupon.ImportAdd, Format: coupon.FormatCSV,
			OnRejection: coupon.SkipRow, Timezone: "UTC",
			CouponID: &couponID,
		}, upload.ID, true)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, i.ID)
	}
	last, stop := s.Watch(ids[2])
	defer stop()
	s.start(t, 0)
	for {
		found, err := s.ImportsByID(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		if !found[ids[2]].Status.IsFinal() {
			<-last
			continue
		}
		var got []string
		for _, id := range ids {
			got = append(got, fmt.Sprint(found[id].Status, " ", found[id].RowsImported))
		}
		if want := "SUCCEEDED 2, FAILED 0, SUCCEEDED 1"; strings.Join(got, ", ") != want {
			t.Errorf("got %v, want %s", got, want)
		}
		return
	}
}

// TestSmallImportPasses tells that a small import does not wait for a large one that was asked for
// before, unless both are for the same coupon.
func TestSmallImportPasses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	large, _ := s.ready(t, 1)
	other, _ := s.ready(t, 1)
	var text strings.Builder
	text.WriteString("code,comment\n")
	for i := range 200_000 {
		fmt.Fprintf(&text, "L%d,%s\n", i, strings.Repeat("x", 50))
	}
	queue := func(couponID coupon.ID, text string) coupon.ID {
		upload, err := s.Receive(t.Context(), "codes.csv", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		i, err := s.CreateImport(t.Context(), &coupon.Import{
			Kind: coupon.ImportCodes, Mode: coupon.ImportAdd, Format: coupon.FormatCSV,
			OnRejection: coupon.SkipRow, Timezone: "UTC",
			CouponID: &couponID,
		}, upload.ID, true)
		if err != nil {
			t.Fatal(err)
		}
		return i.ID
	}
	first := queue(large, text.String())
	same := queue(large, "code\nS1\n")
	small := queue(other, "code\nS2\n")
	ids := []coupon.ID{first, same, small}
	wait := func(id coupon.ID) map[coupon.ID]*coupon.Import {
		changed, stop := s.Watch(id)
		defer stop()
		for {
			found, err := s.ImportsByID(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			if found[id].Status.IsFinal() {
				return found
			}
			<-changed
		}
	}
	s.start(t, 0)
	found := wait(small)
	if found[small].RowsImported != 1 || found[first].Status.IsFinal() ||
		found[same].Status != coupon.ImportQueued {
		t.Errorf("the small import is %s with %d rows, the large one %s, the one of the same coupon %s",
			found[small].Status, found[small].RowsImported, found[first].Status, found[same].Status)
	}
	found = wait(same)
	if found[first].RowsImported != 200_000 || found[same].RowsImported != 1 {
		t.Errorf("the large import has %d rows, the one of the same coupon %d",
			found[first].RowsImported, found[same].RowsImported)
	}
}
