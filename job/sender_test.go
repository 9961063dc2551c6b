package job_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
	"couponql/job"
	"couponql/sender"
)

// handOver is a message as a sender got it.
type handOver struct {
	key, code string
}

// flaky is a sender that refuses as a test wants.
type flaky struct {
	maxBatch        int
	namesRecipients bool
	// decide says what comes of a message, which was handed over so often, this time included.
	decide func(m *coupon.OutgoingMessage, times int) coupon.Attempt
	// before is called with each batch before it is decided; nil: not.
	before func(ctx context.Context, batch *sender.Batch) error
	// after is called when a batch is decided, before the answer is given; nil: not.
	after func(ctx context.Context)

	mu       sync.Mutex
	got      map[coupon.ID][]handOver
	accepted map[coupon.ID]int
	batches  map[string]int
}

func newFlaky(decide func(m *coupon.OutgoingMessage, times int) coupon.Attempt) *flaky {
	return &flaky{maxBatch: 10, decide: decide, got: map[coupon.ID][]handOver{}, accepted: map[coupon.ID]int{}, batches: map[string]int{}}
}

func (f *flaky) Traits() sender.Traits {
	return sender.Traits{MaxBatch: f.maxBatch, NamesRecipients: f.namesRecipients, IsRepeatable: true}
}

func (f *flaky) Send(ctx context.Context, batch *sender.Batch) ([]coupon.Attempt, error) {
	attempts := make([]coupon.Attempt, len(batch.Messages))
	for i := range batch.Messages {
		if batch.Leave != nil && !batch.Leave(i) {
			attempts[i].Result = coupon.AttemptWithheld
		}
	}
	if f.before != nil {
		if err := f.before(ctx, batch); err != nil {
			return attempts, nil //nolint:nilerr // what left stays open
		}
	}
	f.decideBatch(batch, attempts)
	if f.after != nil {
		f.after(ctx)
	}
	return attempts, nil
}

func (f *flaky) decideBatch(batch *sender.Batch, attempts []coupon.Attempt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batches[batch.Key]++
	for i := range batch.Messages {
		if attempts[i].Result == coupon.AttemptWithheld {
			continue
		}
		m := &batch.Messages[i]
		f.got[m.MessageID] = append(f.got[m.MessageID], handOver{batch.Key, m.Code})
		attempts[i] = f.decide(m, len(f.got[m.MessageID]))
		if attempts[i].Result == coupon.AttemptAccepted {
			f.accepted[m.MessageID]++
		}
	}
}

// handOvers tells how many messages were handed over, and how often all of them together.
func (f *flaky) handOvers() (messages, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, all := range f.got {
		times += len(all)
	}
	return len(f.got), times
}

// check fails the test unless every message was always handed over with one code, its own.
func (f *flaky) check(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	holders := map[string]coupon.ID{}
	for id, all := range f.got {
		for _, one := range all {
			if one.code != all[0].code {
				t.Errorf("%s was handed over with %s and with %s", id, all[0].code, one.code)
			}
		}
		if other := holders[all[0].code]; other != "" || all[0].code == "" {
			t.Errorf("%s and %s share the code %q", id, other, all[0].code)
		}
		holders[all[0].code] = id
	}
}

var (
	accept   = coupon.Attempt{Result: coupon.AttemptAccepted}
	postpone = coupon.Attempt{Result: coupon.AttemptPostponed, Reason: "450 later"}
	refuse   = coupon.Attempt{Result: coupon.AttemptRefused, Reason: "550 no such mailbox"}
	lost     = coupon.Attempt{Result: coupon.AttemptPostponed, Reason: "the connection broke", MayBeSent: true}
)

// startSender runs the jobs with a sender for EMAIL.
func (s *scene) startSender(t *testing.T, out sender.Sender) *job.Runner {
	t.Helper()
	box, err := sender.OpenOutbox(s.folder)
	if err != nil {
		t.Fatal(err)
	}
	runner := job.Start(t.Context(), s.Store, box, job.Options{
		Log:     slog.New(slog.NewTextHandler(t.Output(), nil)),
		Senders: map[coupon.Channel]sender.Sender{coupon.ChannelEmail: out},
	})
	t.Cleanup(runner.Stop)
	return runner
}

// pass lets time pass and has the jobs look again.
func (s *scene) pass(by time.Duration) {
	s.clock.Advance(by)
	s.NotifyDue()
}

// messages returns the messages of a delivery in their order.
func (s *scene) messages(t *testing.T, id coupon.ID) []*coupon.Message {
	t.Helper()
	lists, err := s.DeliveryMessages(t.Context(), []coupon.ID{id}, nil, nil, nil, coupon.Page{First: 500, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	return lists[id].Items
}

func (s *scene) checkSound(t *testing.T) {
	t.Helper()
	report, err := s.IntegrityReport(t.Context())
	if err != nil || !report.IsSound() {
		t.Errorf("the database is not sound: %+v, %v", report, err)
	}
}

func (s *scene) wantAvailability(t *testing.T, couponID coupon.ID, available, assigned int) {
	t.Helper()
	found, err := s.Availabilities(t.Context(), []coupon.ID{couponID})
	if err != nil || found[couponID].Available != available || found[couponID].Assigned != assigned {
		t.Errorf("got %+v, %v, want %d available and %d assigned", found[couponID], err, available, assigned)
	}
}

// isSettled tells that nothing but so many messages is left to send.
func isSettled(pending int) func(d *coupon.Delivery) bool {
	return func(d *coupon.Delivery) bool { return d.Counts.Pending == pending }
}

// waitTimes waits until messages were handed over so often.
func (s *scene) waitTimes(t *testing.T, id coupon.ID, out *flaky, want int) {
	t.Helper()
	// The delivery may change no more, since nothing of it is recorded before the answer.
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, times := out.handOvers()
		if times >= want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after 30 seconds %d messages were handed over, and the delivery is %+v", times, s.delivery(t, id))
		}
	}
}

// TestRetries: messages that are postponed come again with their codes, while the others go on.
func TestRetries(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	number := func(m *coupon.OutgoingMessage) int {
		n, err := m.MessageID.Number(coupon.KindMessage)
		if err != nil {
			t.Error(err)
		}
		return int(n)
	}
	out := newFlaky(func(m *coupon.OutgoingMessage, times int) coupon.Attempt {
		switch n := number(m); {
		case n%5 == 1 && times <= 2:
			return postpone
		case n == 7:
			return refuse
		}
		return accept
	})
	couponID, id := s.ready(t, 50)
	s.startSender(t, out)
	s.confirm(t, id)
	d := s.wait(t, id, isSettled(10))
	if d.Status != coupon.DeliveryInProgress || d.Counts != (coupon.MessageCounts{Pending: 10, Sent: 39, Failed: 1, Total: 50}) {
		t.Errorf("got %+v", d)
	}
	s.wantAvailability(t, couponID, 1, 49)
	first := s.messages(t, id)[0]
	if first.Status != coupon.MessagePending || first.Attempts != 1 || first.Failure == nil || *first.Failure != "450 later" || first.CodeID == nil {
		t.Errorf("got %+v", first)
	}
	s.pass(30 * time.Second) // too soon
	s.checkSound(t)
	if _, times := out.handOvers(); times != 50 {
		t.Errorf("%d times handed over, want 50", times)
	}
	s.pass(70 * time.Second)
	s.waitTimes(t, id, out, 60)
	s.wait(t, id, func(*coupon.Delivery) bool { return s.messages(t, id)[0].Attempts == 2 })
	s.pass(5 * time.Minute)
	s.wait(t, id, isFinished)
	messages := s.messages(t, id)
	for i, m := range messages {
		want := 1
		if i%5 == 0 {
			want = 3
		}
		if m.Attempts != want || (m.Status == coupon.MessageSent) != (i != 6) {
			t.Errorf("%s: got %+v, want %d attempts", m.ID, m, want)
		}
	}
	if failed := messages[6]; failed.Failure == nil || *failed.Failure != "550 no such mailbox" || failed.CodeID != nil {
		t.Errorf("got %+v", failed)
	}
	out.check(t)
	s.checkSound(t)
	s.wantAvailability(t, couponID, 1, 49)
}

// TestGivingUp: after eight attempts over a day a message fails, and only then its code returns; not if one of
// the attempts may have reached the recipient.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	out := newFlaky(func(m *coupon.OutgoingMessage, times int) coupon.Attempt {
		switch {
		case m.MessageID == "message_1" && times == 3:
			return lost
		case m.MessageID == "message_3":
			return accept
		}
		return postpone
	})
	couponID, id := s.ready(t, 3)
	began := s.clock.Now()
	s.startSender(t, out)
	s.confirm(t, id)
	for attempt := 1; attempt < coupon.MaxAttempts; attempt++ {
		s.wait(t, id, func(*coupon.Delivery) bool {
			m := s.messages(t, id)
			return m[0].Failure != nil && m[1].Failure != nil && m[0].Attempts == attempt && m[1].Attempts == attempt
		})
		s.wantAvailability(t, couponID, 0, 3)
		delay := coupon.FirstRetryDelay
		for range attempt - 1 {
			delay *= coupon.RetryFactor
		}
		s.pass(time.Duration(float64(delay) * (1 + coupon.RetryJitter)))
	}
	d := s.wait(t, id, isFinished)
	if d.Counts != (coupon.MessageCounts{Sent: 1, Failed: 2, Total: 3}) {
		t.Errorf("got %+v", d.Counts)
	}
	if took := s.clock.Now().Sub(began); took < 20*time.Hour || took > 36*time.Hour {
		t.Errorf("it took %s, want about a day", took)
	}
	messages := s.messages(t, id)
	for i, m := range messages[:2] {
		if m.Attempts != coupon.MaxAttempts || (m.CodeID == nil) != (i == 1) ||
			!strings.Contains(*m.Failure, "Given up after 8 attempts. The last one: 450 later") {
			t.Errorf("got %+v", m)
		}
	}
	out.check(t)
	s.checkSound(t)
	s.wantAvailability(t, couponID, 1, 2)
}

// TestStopWhileWaiting cancels what waits: codes return, but not of messages that may be on their way.
func TestStopWhileWaiting(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	out := newFlaky(func(m *coupon.OutgoingMessage, _ int) coupon.Attempt {
		switch m.MessageID {
		case "message_1", "message_2":
			return postpone
		case "message_3":
			return lost
		}
		return accept
	})
	couponID, id := s.ready(t, 5)
	s.startSender(t, out)
	s.confirm(t, id)
	s.wait(t, id, isSettled(3))
	if _, err := s.PauseDelivery(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	// A code that may be on its way is kept like one that was sent.
	if released, kept, _, err := s.ReleaseCodes(t.Context(), &db.CodeSelection{
		CouponID: couponID, Values: []string{string(couponID) + "-00001", string(couponID) + "-00002"},
	}, false, "a test"); err != nil || released != 1 || kept != 1 {
		t.Errorf("released %d, kept %d, %v", released, kept, err)
	}
	s.pass(time.Hour)
	if _, err := s.ResumeDelivery(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.waitTimes(t, id, out, 7) // the canceled one does not come again
	d, err := s.StopDelivery(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if d.Status != coupon.DeliveryStopped || d.Counts != (coupon.MessageCounts{Sent: 2, Canceled: 3, Total: 5}) {
		t.Errorf("got %+v", d)
	}
	s.wantAvailability(t, couponID, 2, 3)
	if m := s.messages(t, id)[2]; m.Status != coupon.MessageCanceled || m.CodeID == nil {
		t.Errorf("got %+v", m)
	}
	s.pass(48 * time.Hour)
	out.check(t)
	s.checkSound(t)
	if len(out.got["message_2"]) != 1 {
		t.Errorf("message_2 was handed over %d times", len(out.got["message_2"]))
	}
}

// TestSameBatchAgain: a batch that nobody answered for comes again as it was, under its key; one that was
// answered comes again under another key.
func TestSameBatchAgain(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	out := newFlaky(func(m *coupon.OutgoingMessage, times int) coupon.Attempt {
		switch {
		case times == 1:
			return coupon.Attempt{Result: coupon.AttemptPostponed, Reason: "503", RepeatsBatch: true}
		case times == 2 && m.MessageID == "message_2":
			return postpone
		}
		return accept
	})
	_, id := s.ready(t, 4)
	s.startSender(t, out)
	s.confirm(t, id)
	s.wait(t, id, func(*coupon.Delivery) bool { return s.messages(t, id)[3].Failure != nil })
	s.pass(2 * time.Minute)
	s.wait(t, id, isSettled(1))
	s.pass(6 * time.Minute)
	s.wait(t, id, isFinished)
	got := out.got["message_2"]
	if len(got) != 3 || got[0].key != got[1].key || got[1].key == got[2].key || out.batches[got[0].key] != 2 || !strings.HasPrefix(got[0].key, s.ID()) {
		t.Errorf("got %+v, %+v", got, out.batches)
	}
	out.check(t)
	s.checkSound(t)
}

// TestSameBatchWithoutSome: a batch that comes again without somebody who objected meanwhile has its key, since the other side may
// have it already.
func TestSameBatchWithoutSome(t *testing.T) {
	t.Parallel()
	for _, isKilled := range []bool{false, true} {
		t.Run(fmt.Sprint("killed ", isKilled), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			out := newFlaky(func(_ *coupon.OutgoingMessage, times int) coupon.Attempt {
				switch {
				case times > 1:
					return accept
				case isKilled:
					return coupon.Attempt{} // it stays open
				}
				return coupon.Attempt{Result: coupon.AttemptPostponed, Reason: "no answer", RepeatsBatch: true, MayBeSent: true}
			})
			if isKilled {
				out.after = func(ctx context.Context) { <-ctx.Done() }
			}
			_, id := s.ready(t, 4)
			runner := s.startSender(t, out)
			s.confirm(t, id)
			s.waitTimes(t, id, out, 4)
			runner.Stop()
			out.after = nil
			s.object(t)
			s.clock.Advance(2 * time.Minute)
			s.startSender(t, out)
			d := s.wait(t, id, isFinished)
			want := coupon.MessageCounts{Sent: 3, Canceled: 1, Total: 4}
			if isKilled {
				want = coupon.MessageCounts{Sent: 3, Unknown: 1, Total: 4}
			}
			if d.Counts != want {
				t.Errorf("got %+v, want %+v", d.Counts, want)
			}
			if _, times := out.handOvers(); len(out.batches) != 1 || times != 7 {
				t.Errorf("got the batches %v and %d messages, want one key and 7", out.batches, times)
			}
			out.check(t)
			s.checkSound(t)
		})
	}
}

// TestRestartWhileSending stops the server while messages wait and a batch is in flight: after the restart the
// batch is handed over again under its key, and nothing outside it.
func TestRestartWhileSending(t *testing.T) {
	t.Parallel()
	clock := dbtest.NewClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	open := func() *db.Store {
		store, err := db.Open(t.Context(), db.Options{Path: path, MemoryLimit: "1GB", Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	s := &scene{Store: open(), clock: clock, folder: filepath.Join(t.TempDir(), "outbox")}
	couponID, id := s.ready(t, 45)
	out := newFlaky(func(m *coupon.OutgoingMessage, times int) coupon.Attempt {
		if m.MessageID == "message_4" && times == 1 {
			return postpone
		}
		return accept
	})
	// The third batch reaches the sender, and the server dies before it hears of it.
	arrived := make(chan struct{})
	out.before = func(ctx context.Context, batch *sender.Batch) error {
		if len(out.batches) < 2 {
			return nil
		}
		for i := range batch.Messages {
			m := &batch.Messages[i]
			out.got[m.MessageID] = append(out.got[m.MessageID], handOver{batch.Key, m.Code})
		}
		close(arrived)
		<-ctx.Done()
		return ctx.Err()
	}
	runner := s.startSender(t, out)
	s.confirm(t, id)
	<-arrived
	runner.Stop()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Store = open()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if m := s.messages(t, id); m[3].Attempts != 1 || *m[3].Failure != "450 later" ||
		m[25].Attempts != 1 || m[25].Status != coupon.MessagePending || m[35].Attempts != 0 {
		t.Errorf("got %+v, %+v, %+v", m[3], m[25], m[35])
	}
	out.before = nil
	again := s.startSender(t, out)
	s.wait(t, id, isSettled(1))
	s.pass(2 * time.Minute)
	s.wait(t, id, isFinished)
	again.Stop()
	for i := range 45 {
		message := coupon.NewID(coupon.KindMessage, int64(i+1))
		want := 1
		if i == 3 || 20 <= i && i < 30 {
			want = 2
		}
		got := out.got[message]
		if len(got) != want || out.accepted[message] != 1 || (want == 2 && i != 3 && got[0] != got[1]) {
			t.Errorf("%s: got %+v, accepted %d times", message, got, out.accepted[message])
		}
	}
	out.check(t)
	s.checkSound(t)
	s.wantAvailability(t, couponID, 0, 45)
}

// TestStopAfterRestart: what was in flight when the server died may have arrived, so that its code stays.
func TestStopAfterRestart(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	couponID, id := s.ready(t, 20)
	out := newFlaky(func(*coupon.OutgoingMessage, int) coupon.Attempt { return coupon.Attempt{} })
	runner := s.startSender(t, out)
	s.confirm(t, id)
	for messages := 0; messages == 0; messages, _ = out.handOvers() {
		time.Sleep(time.Millisecond)
	}
	runner.Stop()
	if _, err := s.StopDelivery(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.wantAvailability(t, couponID, 10, 10)
	s.checkSound(t)
}

// TestManyFlaky sends many messages over a sender that fails at random, with pauses between.
func TestManyFlaky(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	out := newFlaky(func(m *coupon.OutgoingMessage, times int) coupon.Attempt {
		sum := 0
		for _, r := range fmt.Sprint(m.MessageID, times) {
			sum = (sum*31 + int(r)) % 997
		}
		switch {
		case sum%7 == 0:
			return postpone
		case sum%11 == 0:
			return lost
		}
		return accept
	})
	out.maxBatch = 25
	couponID, id := s.ready(t, 400)
	s.startSender(t, out)
	s.confirm(t, id)
	for i := 0; s.delivery(t, id).Status != coupon.DeliveryFinished; i++ {
		if i > 2000 {
			t.Fatalf("the delivery is %+v", s.delivery(t, id))
		}
		if i%10 == 3 {
			if _, err := s.PauseDelivery(t.Context(), id); err == nil {
				// The batch that was in flight may have been the last.
				if _, err := s.ResumeDelivery(t.Context(), id); err != nil && s.delivery(t, id).Status != coupon.DeliveryFinished {
					t.Fatal(err)
				}
			}
		}
		s.pass(time.Minute)
		time.Sleep(5 * time.Millisecond)
	}
	if d := s.delivery(t, id); d.Counts != (coupon.MessageCounts{Sent: 400, Total: 400}) {
		t.Errorf("got %+v", d.Counts)
	}
	for _, m := range s.messages(t, id)[:400] {
		if got := out.got[m.ID]; m.Attempts != len(got) || out.accepted[m.ID] != 1 {
			t.Errorf("%s: %d attempts, handed over %d times, accepted %d times", m.ID, m.Attempts, len(got), out.accepted[m.ID])
		}
	}
	keys := map[string]bool{}
	for _, all := range out.got {
		if slices.ContainsFunc(all[1:], func(h handOver) bool { return h.key == all[0].key }) {
			t.Errorf("a batch that was answered came again: %+v", all)
		}
		keys[all[0].key] = true
	}
	out.check(t)
	s.checkSound(t)
	s.wantAvailability(t, couponID, 0, 400)
}

// TestRate: how fast a delivery is being sent is known after two batches, no more while it is paused, and anew
// after it was resumed or the server started again.
func TestRate(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	out := newFlaky(func(*coupon.OutgoingMessage, int) coupon.Attempt { return accept })
	left, batches := make(chan struct{}, 175), make(chan struct{})
	out.before = func(ctx context.Context, _ *sender.Batch) error {
		left <- struct{}{}
		select {
		case <-batches:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.clock.Advance(2 * time.Second)
		return nil
	}
	_, id := s.ready(t, 175)
	runner := s.startSender(t, out)
	want := func(step string, sent int, rate *float64, left *int) {
		t.Helper()
		d := s.wait(t, id, func(d *coupon.Delivery) bool {
			return d.Counts.Sent >= sent && cmp.Equal(d.MessagesPerSecond, rate) && cmp.Equal(d.SecondsLeft, left)
		})
		if d.Counts.Sent != sent {
			t.Errorf("%s: %d messages are sent, want %d", step, d.Counts.Sent, sent)
		}
	}
	want("ready", 0, nil, nil)
	s.confirm(t, id)
	want("confirmed", 0, nil, nil)
	batches <- struct{}{}
	want("one batch", 10, nil, nil)
	batches <- struct{}{}
	want("two batches", 20, new(5.0), new(31))
	for range 3 {
		<-left
	}
	// The third batch has left, and arrives after the pause.
	if _, err := s.PauseDelivery(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	batches <- struct{}{}
	const sent = 30
	want("paused", sent, nil, nil)
	if _, err := s.ResumeDelivery(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	want("resumed", sent, nil, nil)
	batches <- struct{}{}
	want("one batch after that", sent+10, nil, nil)
	batches <- struct{}{}
	want("two batches after that", sent+20, new(5.0), new((175-sent-20)/5))
	runner.Stop()
	close(batches)
	s.startSender(t, out)
	s.wait(t, id, isFinished)
	want("finished", 175, new(0.0), new(0))
}

// TestNamesRecipients: a sender that needs the external ids of recipients gets them for mail, too, whose messages do
// not have them.
func TestNamesRecipients(t *testing.T) {
	t.Parallel()
	for _, wants := range []bool{true, false} {
		t.Run(fmt.Sprint(wants), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			out := newFlaky(func(*coupon.OutgoingMessage, int) coupon.Attempt { return accept })
			out.namesRecipients = wants
			var named atomic.Int64
			out.before = func(_ context.Context, batch *sender.Batch) error {
				for i := range batch.Messages {
					m := &batch.Messages[i]
					if want := "r" + strings.TrimSuffix(strings.TrimPrefix(m.Address, "r"), "@example.org"); m.Recipient == want {
						named.Add(1)
					} else if m.Recipient != "" {
						t.Errorf("%s goes to %s and names %s", m.MessageID, m.Address, m.Recipient)
					}
				}
				return nil
			}
			_, id := s.ready(t, 25)
			s.startSender(t, out)
			s.confirm(t, id)
			s.wait(t, id, isFinished)
			if (named.Load() == 25) != wants || (named.Load() == 0) == wants {
				t.Errorf("%d of 25 messages name their recipients", named.Load())
			}
		})
	}
}
