package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

const (
	// stopRows is how many rows the jobs have that are cut off.
	stopRows = 30_000
	// stopTime is how long a server may take to stop, whatever it does. On a machine of its own that is 3 s, less than one of them of
	// the processor; other tests and the race detector run beside this one, and what is looked for is a stop that waits for a job.
	stopTime = 10 * time.Second
)

// TestStopDuringJobs asks the server to stop in the middle of everything that takes long: it ends in time and well. What was asked for
// is done or not, and done at the next start: by itself, if it is a job, or else when it is asked for again.
func TestStopDuringJobs(t *testing.T) {
	t.Parallel()
	s := &stopped{dir: t.TempDir()}
	s.start(t)
	var none struct{}
	s.p.must(t, createCoupon, &none)
	s.p.importFile(t, `importCodes(input: {couponId: "coupon_1", file: $file})`, s.rows("code\n", "P%07d\n", 4*stopRows))
	s.p.importFile(t, `importRecipients(input: {file: $file})`, s.rows("id,email\n", "r%07[1]d,r%07[1]d@example.org\n", stopRows))
	s.p.importFile(t, `importCodes(input: {couponId: "coupon_1", file: $file})`, s.rows("code\n", "U%07d\n", stopRows))
	for range 3 {
		s.p.must(t, `mutation {
			createDelivery(input: {label: "Stop", couponId: "coupon_1", subject: "For you", body: "Code: {{ couponValue.code }}"}) { delivery { id } }
		}`, &none)
	}
	for _, id := range []string{"delivery_1", "delivery_2"} {
		s.p.must(t, fmt.Sprintf(`mutation { addTargets(input: {deliveryId: %q, filter: {}}) { delivery { id } } }`, id), &none)
	}
	var erased strings.Builder
	for i := range min(stopRows/2, 10_000) {
		fmt.Fprintf(&erased, `"r%07d" `, i)
	}
	s.importing(t, "codes ADD", `importCodes(input: {couponId: "coupon_1", file: $file})`, s.rows("code\n", "A%07d\n", stopRows))
	s.importing(t, "recipients", `importRecipients(input: {file: $file})`,
		s.rows("id,email,first name\n", "r%07[1]d,r%07[1]d@example.org,Ann\nn%07[1]d,n%07[1]d@example.org,\n", stopRows/2))
	s.importing(t, "targets", `importTargets(input: {deliveryId: "delivery_3", file: $file})`, s.rows("id\n", "r%07d\n", stopRows))
	s.importing(t, "codes VOID", `importCodes(input: {couponId: "coupon_1", mode: VOID, file: $file})`, s.rows("code\n", "A%07d\n", stopRows))
	s.importing(t, "redemptions", `importRedemptions(input: {file: $file})`, s.rows("code,date\n", "P%07d,2026-01-02\n", stopRows))
	s.asking(t, "undo", `undoImport(input: {id: "import_3"})`)
	s.asking(t, "generation", fmt.Sprintf(`generateCodes(input: {couponId: "coupon_1", count: %d, pattern: "G-##########"})`, stopRows))
	s.asking(t, "analysis", `analyzeDelivery(input: {id: "delivery_1"})`)
	s.must(t, `analyzeDelivery(input: {id: "delivery_1"})`)
	s.asking(t, "confirmation", `confirmDelivery(input: {id: "delivery_1"})`)
	s.must(t, `confirmDelivery(input: {id: "delivery_1"})`)
	s.stop(t, "sending")
	s.asking(t, "split", `splitDelivery(input: {deliveryId: "delivery_2", parts: [{label: "half", percent: 50}, {label: "rest", rest: true}]})`)
	s.asking(t, "erasure", `eraseRecipients(input: {externalIds: [`+erased.String()+`]})`)
	s.exporting(t, "export", `exportCodes(input: {couponId: "coupon_1", format: CSV})`)
	s.exporting(t, "exportSql", `exportSql(input: {format: CSV, query: "SELECT a.* FROM codes a JOIN codes b ON a.value < b.value LIMIT 100000"})`)
	s.exporting(t, "backup", `exportBackup(input: {hoursKept: 1})`)
	// The answer to a question that is cut off is nobody's any more.
	s.during(t, "sql", func() {
		_ = s.p.ask(t.Context(), `{ sql(query: "SELECT count(*) FROM codes a JOIN codes b ON a.value < b.value") { rows } }`, nil, &none)
	})
	s.importing(
		t,
		"codes REPLACE_UNUSED",
		`importCodes(input: {couponId: "coupon_1", mode: REPLACE_UNUSED, file: $file})`,
		s.rows("code\n", "N%07d\n", stopRows),
	)
	for deadline := time.Now().Add(time.Minute); ; pause(t) {
		var read struct {
			Delivery struct {
				Status string
				Counts struct{ Sent, Canceled, Total int }
			}
		}
		s.p.must(t, `{ delivery(id: "delivery_1") { status counts { sent canceled total } } }`, &read)
		if counts := read.Delivery.Counts; read.Delivery.Status == "FINISHED" && counts.Total > 0 && counts.Sent+counts.Canceled == counts.Total {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("sending does not end: %+v", read)
		}
	}
	s.p.checkSound(t)
	s.p.stop(t, shutdownTimeout)
}

// stopped is a server that is stopped again and again.
type stopped struct {
	dir string
	p   *process
}

func (s *stopped) start(t *testing.T) {
	t.Helper()
	s.p = start(t, s.dir, "--enable-sql", "--sql-max-age", "1ms", "--rate-limit", "0")
}

// rows returns a file of count rows.
func (*stopped) rows(header, line string, count int) string {
	var text strings.Builder
	text.WriteString(header)
	for i := range count {
		fmt.Fprintf(&text, line, i)
	}
	return text.String()
}

// stop stops the server and starts another one.
func (s *stopped) stop(t *testing.T, job string) {
	t.Helper()
	began := time.Now()
	s.p.stop(t, shutdownTimeout)
	took := time.Since(began)
	t.Logf("%s: stopped after %s", job, took.Round(time.Millisecond))
	if took > stopTime {
		t.Errorf("stopping during %s took %s", job, took)
	}
	s.start(t)
}

// during stops the server in the middle of something.
func (s *stopped) during(t *testing.T, job string, do func()) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		do()
	}()
	select {
	case <-time.After(50*time.Millisecond + rand.N(stopSpread)):
	case <-ended:
		t.Logf("%s was over before the stop", job)
	}
	s.stop(t, job)
	<-ended
}

// stopSpread is how much later than the earliest a stop comes at the latest.
const stopSpread = 200 * time.Millisecond

// importing stops the server during an import, which goes on by itself.
func (s *stopped) importing(t *testing.T, job, field, text string) {
	t.Helper()
	id, err := queueFile(t.Context(), s.p, field, text)
	if err != nil {
		t.Fatal(err)
	}
	s.during(t, job, func() { time.Sleep(time.Second) })
	s.p.waitImport(t, id)
}

// exporting stops the server during an export, which goes on by itself.
func (s *stopped) exporting(t *testing.T, job, field string) {
	t.Helper()
	var queued struct {
		Result struct{ Export struct{ ID string } }
	}
	s.p.must(t, `mutation { result: `+field+` { export { id } } }`, &queued)
	s.during(t, job, func() { time.Sleep(time.Second) })
	for deadline := time.Now().Add(time.Minute); ; pause(t) {
		var read struct {
			Export struct {
				Status  string
				Failure *string
			}
		}
		s.p.must(t, fmt.Sprintf(`{ export(id: %q) { status failure } }`, queued.Result.Export.ID), &read)
		if read.Export.Status == "SUCCEEDED" {
			return
		}
		if read.Export.Failure != nil || time.Now().After(deadline) {
			t.Fatalf("%s: %+v", job, read)
		}
	}
}

// changed is what a mutation answers.
type changed struct {
	Result struct{ UserErrors []struct{ Message string } }
}

// must does something that the API can.
func (s *stopped) must(t *testing.T, field string) {
	t.Helper()
	var done changed
	s.p.must(t, `mutation { result: `+field+` { userErrors { message } } }`, &done)
	if problems := done.Result.UserErrors; len(problems) > 0 {
		t.Fatalf("%.80s: %s", field, problems[0].Message)
	}
}

// asking stops the server during a mutation, which says that nothing was changed unless it is done, and is asked for again.
func (s *stopped) asking(t *testing.T, job, field string) {
	t.Helper()
	var err error
	// On a connection that the server has accepted: what waits for that when the server stops is not answered.
	s.p.must(t, `{ __typename }`, &struct{}{})
	s.during(t, job, func() {
		var done changed
		err = s.p.ask(t.Context(), `mutation { result: `+field+` { userErrors { message } } }`, nil, &done)
	})
	if err == nil {
		return
	}
	if !strings.Contains(err.Error(), "nothing was changed") || !strings.Contains(err.Error(), "UNAVAILABLE") {
		t.Errorf("%s was cut off, and the answer is: %v", job, err)
	}
	s.must(t, field)
}
