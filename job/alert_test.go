package job_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db/dbtest"
	"couponql/job"
	"couponql/sender"
)

// listener is a real HTTP server that is told of alerts, and fails as a test decides.
type listener struct {
	server *httptest.Server
	// answer gives the status for a notice that came so often, this time included; 0 breaks the connection.
	answer func(text string, times int) int

	mu sync.Mutex
	// came has how often each text came, taken those that were answered with success, by idempotency key.
	came  map[string]int
	taken map[string][]string
}

func newListener(t *testing.T, answer func(text string, times int) int) *listener {
	t.Helper()
	l := &listener{answer: answer, came: map[string]int{}, taken: map[string][]string{}}
	l.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var body struct {
			Alert struct {
				ID       string    `json:"id"`
				Kind     string    `json:"kind"`
				CouponID string    `json:"couponId"`
				BeganAt  time.Time `json:"beganAt"`
			} `json:"alert"`
		}
		text, err := io.ReadAll(request.Body)
		if err == nil {
			err = json.Unmarshal(text, &body)
		}
		if err != nil || body.Alert.ID != request.Header.Get("Idempotency-Key") || body.Alert.CouponID == "" || body.Alert.BeganAt.IsZero() {
			t.Errorf("got %s, %v", text, err)
		}
		l.mu.Lock()
		name := body.Alert.Kind + " " + body.Alert.CouponID
		l.came[body.Alert.ID]++
		status := l.answer(name, l.came[body.Alert.ID])
		if status >= 200 && status <= 299 {
			l.taken[body.Alert.ID] = append(l.taken[body.Alert.ID], name)
		}
		l.mu.Unlock()
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(l.server.Close)
	return l
}

// names returns what was taken, each as often as it was.
func (l *listener) names() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for _, taken := range l.taken {
		names = append(names, taken...)
	}
	slices.Sort(names)
	return names
}

func (l *listener) wait(t *testing.T, s *scene, want ...string) {
	t.Helper()
	slices.Sort(want)
	deadline := time.Now().Add(20 * time.Second)
	for !slices.Equal(l.names(), want) {
		if time.Now().After(deadline) {
			t.Fatalf("(-want +got):\n%s", cmp.Diff(want, l.names()))
		}
		time.Sleep(5 * time.Millisecond)
		s.pass(10 * time.Second)
	}
}

// startAlerts runs the jobs with a webhook for alerts; nil: without.
func (s *scene) startAlerts(t *testing.T, l *listener) *job.Runner {
	t.Helper()
	out, err := sender.OpenOutbox(s.folder)
	if err != nil {
		t.Fatal(err)
	}
	options := job.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if l != nil {
		if options.Alerts, err = sender.NewWebhook(l.server.URL, "0123456789abcdef", nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(options.Alerts.Close)
	}
	runner := job.Start(t.Context(), s.Store, out, options)
	t.Cleanup(runner.Stop)
	return runner
}

// lowCoupon makes a coupon that has no codes and should.
func (s *scene) lowCoupon(t *testing.T) coupon.ID {
	t.Helper()
	c, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("Sale")), StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
		LowStockThreshold: coupon.Set(new(1)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// TestAlertWebhook tells a receiver that fails half of the time of each alert that begins: once, however often the server
// is started anew.
func TestAlertWebhook(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	// The receiver draws in its own goroutines, one after the other; the test has another source.
	failures, pauses := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(3, 4))
	l := newListener(t, func(_ string, times int) int {
		if times > 3 {
			return http.StatusNoContent
		}
		return []int{204, 200, 500, 503, 401, 0}[failures.IntN(6)]
	})
	// What begins before anybody listens is not told later.
	before := s.lowCoupon(t)
	runner := s.startAlerts(t, nil)
	deadline := time.Now().Add(20 * time.Second)
	for began := false; !began && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		at := s.clock.Now()
		s.pass(10 * time.Second)
		list, err := s.Alerts(t.Context(), coupon.Page{First: 1, WantsItems: true})
		if err != nil {
			t.Fatal(err)
		}
		began = list.Items[0].At.Before(at)
	}
	runner.Stop()
	var want []string
	for range 4 {
		runner = s.startAlerts(t, l)
		for range 5 {
			want = append(want, fmt.Sprintf("LOW_STOCK %s", s.lowCoupon(t)))
		}
		s.pass(time.Second)
		time.Sleep(time.Duration(pauses.IntN(30)) * time.Millisecond)
		runner.Stop()
	}
	runner = s.startAlerts(t, l)
	l.wait(t, s, want...)
	// An alert that is over and begins again is another one.
	if _, _, err := s.AddCodes(t.Context(), before, []coupon.NewCode{{Value: "A1"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.RecordAlerts(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateCoupon(t.Context(), before, &coupon.CouponChanges{LowStockThreshold: coupon.Set(new(2))}); err != nil {
		t.Fatal(err)
	}
	want = append(want, fmt.Sprintf("LOW_STOCK %s", before))
	l.wait(t, s, want...)
	s.pass(24 * time.Hour)
	s.pass(time.Second)
	l.wait(t, s, want...)
	runner.Stop()
	notices, _, err := s.UntoldAlerts(t.Context(), 10)
	if err != nil || len(notices) > 0 {
		t.Errorf("%d are untold: %v", len(notices), err)
	}
}

// TestAlertWebhookUnrecorded: an answer that was not recorded, because the server died, lets the notice come once more
// under the same key.
func TestAlertWebhookUnrecorded(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/couponql.duckdb"
	clock := dbtest.NewClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	s := &scene{Store: dbtest.Open(t, path, clock.Use), clock: clock, folder: t.TempDir()}
	id := s.lowCoupon(t)
	l := newListener(t, func(string, int) int { return 204 })
	if err := s.RecordAlerts(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	notices, _, err := s.UntoldAlerts(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	w, err := sender.NewWebhook(l.server.URL, "0123456789abcdef", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if attempt, err := w.SendAlert(t.Context(), notices[0], s.Now()); err != nil || attempt.Result != coupon.AttemptAccepted {
		t.Fatalf("got %+v, %v", attempt, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Store = dbtest.Open(t, path, clock.Use)
	s.startAlerts(t, l)
	l.wait(t, s, "LOW_STOCK "+string(id), "LOW_STOCK "+string(id))
	if len(l.taken) != 1 {
		t.Errorf("came under different keys: %v", l.taken)
	}
}
