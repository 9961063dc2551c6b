package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"couponql/client"
)

// answering is a soak whose server answers everything alike.
func answering(t *testing.T, data string) *soak {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data": `+data+`}`)
	}))
	t.Cleanup(web.Close)
	s, err := newSoak(&options{}, t.TempDir(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.webhook.Close)
	s.server = &server{url: web.URL, client: client.New(web.URL, ""), ended: make(chan struct{})}
	return s
}

// expect wants the violations to be told with this text; "": none.
func expect(t *testing.T, s *soak, want string) {
	t.Helper()
	got := strings.Join(s.found.lines(), "\n")
	if (want == "") != (got == "") || !strings.Contains(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCheckSound notices a report that is not sound, and one that checks nothing.
func TestCheckSound(t *testing.T) {
	t.Parallel()
	for report, want := range map[string]string{
		`{"isSound": true, "checks": [{"name": "P1"}]}`:                   "",
		`{"isSound": false, "checks": [{"name": "P1", "violations": 1}]}`: "not sound",
		`{"isSound": true, "checks": []}`:                                 "not sound",
	} {
		s := answering(t, `{"integrityReport": `+report+`}`)
		if err := s.checkSound(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(t, s, want)
	}
}

// TestCheckDeliveries notices a delivery that is gone, not over, or lacks messages, in the database
// or in the outbox.
func TestCheckDeliveries(t *testing.T) {
	t.Parallel()
	const message = "From x\r\nTo: a@x\r\nMessage-ID: <message_1@couponql>\r\n\r\nCode: D1-A\r\n"
	for name, tt := range map[string]struct{ delivery, outbox, want string }{
		"sent": {`{"status": "FINISHED", "counts": {"sent": 1, "total": 1}}`, message, ""},
		"gone": {`null`, message, "delivery_1 was confirmed"},
		"pending": {
			`{"status": "IN_PROGRESS", "counts": {"sent": 0, "pending": 1, "total": 1}}`, "",
			"delivery_1 was confirmed",
		},
		"stopped": {
			`{"status": "STOPPED", "counts": {"sent": 0, "total": 1}}`, "",
			"delivery_1 was confirmed",
		},
		"sent twice": {
			`{"status": "FINISHED", "counts": {"sent": 1, "total": 1}}`, message + message,
			"its outbox has 2",
		},
		"never sent": {
			`{"status": "FINISHED", "counts": {"sent": 1, "total": 1}}`, "x", "its outbox has 0",
		},
		"without code": {
			`{"status": "FINISHED", "counts": {"sent": 1, "total": 1}}`,
			strings.ReplaceAll(message, "Code", "None"), "with 0 codes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := answering(t, `{"delivery": `+tt.delivery+`}`)
			s.sent = []*delivery{{id: "delivery_1", channel: "EMAIL", messages: 1, isCalm: true}}
			if err := os.Mkdir(s.outbox.dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(s.outbox.dir, "delivery_1.mbox"),
				[]byte(tt.outbox), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := s.checkDeliveries(t.Context()); err != nil {
				t.Fatal(err)
			}
			expect(t, s, tt.want)
		})
	}
}

// TestOutbox: a code goes to one person, whichever way, and a message that is sent once more is the
// same.
func TestOutbox(t *testing.T) {
	t.Parallel()
	text := func(id, to, code string) string {
		return fmt.Sprintf("From x\r\nTo: %s\r\nMessage-ID: <%s@couponql>\r\n\r\nCode: %s\r\n",
			to, id, code)
	}
	for name, tt := range map[string]struct {
		files   map[string]string
		webhook map[string]string
		want    []string
	}{
		"sound": {map[string]string{
			"delivery_1.mbox":        text("message_1", "a@x", "D1-A"),
			"delivery_2.mbox":        text("message_2", "b@x", "D1-B"),
			"delivery_1-resent.mbox": text("message_1", "a@x", "D1-A"),
		}, nil, nil},
		"code twice": {map[string]string{
			"delivery_1.mbox": text("message_1", "a@x", "D1-A"),
			"delivery_2.mbox": text("message_2", "b@x", "D1-A"),
		}, nil, []string{"P1"}},
		"message twice": {map[string]string{
			"delivery_1.mbox": text("message_1", "a@x", "D1-A"),
			"delivery_2.mbox": text("message_1", "b@x", "D1-B"),
		}, nil, []string{"sending"}},
		"resent to another": {map[string]string{
			"delivery_1.mbox":        text("message_1", "a@x", "D1-A"),
			"delivery_2.mbox":        text("message_2", "b@x", "D1-B"),
			"delivery_1-resent.mbox": text("message_1", "c@x", "D1-A"),
		}, nil, []string{"P1"}},
		"by both ways": {map[string]string{
			"delivery_1.mbox": text("message_1", "a@x", "D1-A"),
			"delivery_2.mbox": text("message_2", "b@x", "D1-B"),
		}, map[string]string{"D1-A": "c"}, []string{"P1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var found finding
			o := newOutbox(t.TempDir(), found.report)
			for file, text := range tt.files {
				if err := os.WriteFile(filepath.Join(o.dir, file), []byte(text),
					0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, id := range []string{"delivery_1", "delivery_2"} {
				if err := o.check(id, 1); err != nil {
					t.Fatal(err)
				}
			}
			o.compare(&receiver{holders: tt.webhook})
			found.expect(t, tt.want...)
		})
	}
}

// TestReceiver: a key comes with no other messages, a message is taken under one key, and a code
// goes to one person.
func TestReceiver(t *testing.T) {
	t.Parallel()
	first := posted{"message_1", "delivery_1", "a", "D1-A"}
	beside := posted{"message_2", "delivery_1", "b", "D1-B"}
	third := posted{"message_3", "delivery_1", "c", "D1-C"}
	stranger := posted{"message_3", "delivery_2", "c", "D1-A"}
	for name, tt := range map[string]struct {
		key    string
		second []posted
		want   []string
	}{
		"the same again": {"k1", []posted{first, beside}, nil},
		"one is left":    {"k1", []posted{beside}, nil},
		"other messages": {"k1", []posted{third}, []string{"sending"}},
		"one more":       {"k1", []posted{first, beside, third}, []string{"sending"}},
		"another key":    {"k2", []posted{first}, []string{"sending"}},
		"another person": {"k2", []posted{stranger}, []string{"P1"}},
		"another":        {"k2", []posted{third}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var found finding
			r := &receiver{
				report:  found.report,
				random:  rand.New(rand.NewPCG(1, 1)),
				batches: map[string][]string{},
				takers:  map[string]string{},
				holders: map[string]string{},
			}
			r.look("k1", []posted{first, beside})
			r.take("k1", []posted{first, beside})
			r.look(tt.key, tt.second)
			r.take(tt.key, tt.second)
			found.expect(t, tt.want...)
		})
	}
}

// TestReceiverAnswers: it takes batches, and answers badly in every way.
func TestReceiverAnswers(t *testing.T) {
	t.Parallel()
	r := newReceiver(1, (&finding{}).report)
	t.Cleanup(r.Close)
	answers := map[string]int{}
	for i := range 100 {
		body, err := json.Marshal(map[string]any{
			"messages": []posted{
				{MessageID: fmt.Sprint("message_", i), Code: fmt.Sprint("D1-", i)},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL,
			bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Idempotency-Key", fmt.Sprint(i))
		kind := "none"
		if status, err := send(request, func(body io.Reader) error {
			text, err := io.ReadAll(body)
			kind = map[bool]string{true: "refused ", false: ""}[strings.Contains(
				string(text), "refused",
			)]
			return err
		}); err == nil {
			kind += http.StatusText(status)
		}
		answers[kind]++
	}
	for _, want := range []string{
		"none", "OK", "refused OK", "Internal Server Error", "Service Unavailable",
	} {
		if answers[want] == 0 {
			t.Errorf("%q was never answered: %v", want, answers)
		}
	}
}

// TestCheckErased finds people in the bytes of the file who were erased before it was made anew.
func TestCheckErased(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"…zz2q…": "", "…zz1q…": "zz1q was erased"} {
		s := answering(t, "{}")
		s.model.erase([]string{"zz1q"})
		s.server.began = time.Now()
		s.model.erase([]string{"zz2q"})
		if err := os.WriteFile(dataFile(s.dir), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.checkErased(); err != nil {
			t.Fatal(err)
		}
		expect(t, s, want)
	}
}

// TestCompareCounts: what the server counts is what is there.
func TestCompareCounts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		counted map[state]int
		want    []string
	}{
		"the same":  {map[state]int{available: 3, redeemed: 2}, nil},
		"one more":  {map[state]int{available: 4, redeemed: 2}, []string{"P4", "P4"}},
		"elsewhere": {map[state]int{available: 2, redeemed: 3}, []string{"P4", "P4"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var found finding
			compareCounts(availabilities{"coupon_1": {available: 3, redeemed: 2, there: 5}},
				availabilities{"coupon_1": tt.counted}, found.report)
			found.expect(t, tt.want...)
		})
	}
}

// TestCompareNumbers: a restored database gives out no number again.
func TestCompareNumbers(t *testing.T) {
	t.Parallel()
	for id, want := range map[string][]string{
		"coupon_8": nil, "coupon_7": {"P1"}, "delivery_1": {"P1"}, "": {"P1"},
	} {
		var found finding
		compareNumbers([]string{id}, map[string]int{"coupon": 7}, found.report)
		found.expect(t, want...)
	}
}

// TestFootprint tells growth from leaks.
func TestFootprint(t *testing.T) {
	t.Parallel()
	before := footprint{
		goroutines: 20, openFiles: 15, memory: 200e6, codes: 1000,
		fileCounts: map[string]int{"spool": 0, "uploads": 5}, mayStay: map[string]int{"uploads": 5},
	}
	for name, tt := range map[string]struct {
		change func(*footprint)
		want   []string
	}{
		"the same": {func(*footprint) {}, nil},
		"slack": {
			func(f *footprint) { f.goroutines, f.openFiles, f.memory = 40, 35, 300e6 }, nil,
		},
		"memory of new codes": {func(f *footprint) { f.memory, f.codes = 700e6, 1_001_000 }, nil},
		"goroutines":          {func(f *footprint) { f.goroutines = 41 }, []string{"goroutines"}},
		"open files":          {func(f *footprint) { f.openFiles = 36 }, []string{"open files"}},
		"memory": {
			func(f *footprint) { f.memory = 400e6 }, []string{"bytes of memory"},
		},
		"uploads that are kept": {func(f *footprint) {
			f.fileCounts, f.mayStay = map[string]int{"uploads": 7}, map[string]int{"uploads": 7}
		}, nil},
		"left-over files": {
			func(f *footprint) { f.fileCounts = map[string]int{"spool": 1, "uploads": 6} },
			[]string{"files in spool", "files in uploads"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := before
			tt.change(&after)
			var got []string
			for _, problem := range before.compare(&after) {
				what, _, _ := strings.Cut(problem.Error(), ":")
				got = append(got, what)
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
