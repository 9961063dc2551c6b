package e2e

import (
	"fmt"
	"testing"
	"time"
)

// mostAtOnce is how many codes generateCodes makes while its caller waits, as the schema says.
const mostAtOnce = 1_000_000

// generated is a batch as the server tells it.
type generated struct {
	ID, Status       string
	Progress         float64
	Count, MadeCount int
	UndoneAt         *string
}

// TestGenerateByJob has so many codes made that a job does it. It is killed and stopped in the
// middle, and goes on by itself: in the end all of them are there, once, however often they are
// asked for with one key. Called off half-way, none is.
func TestGenerateByJob(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir)
	var none struct{}
	p.must(t, createCoupon, &none)
	const count = mostAtOnce + 1
	ask := func(key string) *generated {
		t.Helper()
		var answer struct {
			GenerateCodes struct {
				Batch          *generated
				GeneratedCount int
				Sample         []string
			}
		}
		p.must(t, fmt.Sprintf(`mutation {
			generateCodes(input: {couponId: "coupon_1", count: %d, pattern: "J-##########",
				idempotencyKey: %q}) {
				batch { id status progress count madeCount } generatedCount sample userErrors {
					message }
			}
		}`, count, key), &answer)
		made := answer.GenerateCodes
		if isDone := made.Batch.Status == "SUCCEEDED"; made.GeneratedCount != made.Batch.Count ||
			isDone != (len(made.Sample) > 0) {
			t.Errorf("got %+v of %+v", made, made.Batch)
		}
		return made.Batch
	}
	id := ask("once").ID
	for _, isKilled := range []bool{true, false} {
		p.awaitBatch(t, id,
			func(b *generated) bool { return b.Status == "RUNNING" && b.MadeCount > count/10 })
		p.wantTotal(t, 0)
		if isKilled {
			p.kill(t)
		} else {
			p.stop(t, stopTime)
		}
		p = start(t, dir)
		if again := ask("once"); again.ID != id || again.Count != 0 {
			t.Errorf("asked again: %+v", again)
		}
	}
	p.awaitBatch(t, id, func(b *generated) bool { return b.Status == "SUCCEEDED" })
	p.wantTotal(t, count)
	if again := ask("once"); again.ID != id || again.Count != count {
		t.Errorf("asked again: %+v", again)
	}
	other := ask("twice").ID
	p.awaitBatch(t, other,
		func(b *generated) bool { return b.Status == "RUNNING" && b.MadeCount > count/3 })
	var answer struct{ CancelBatch struct{ Batch generated } }
	p.must(t, fmt.Sprintf(`mutation { cancelBatch(input: {id: %q}) { batch { id status count } userErrors { message } } }`, other), &answer)
	if got := answer.CancelBatch.Batch; got.Status != "CANCELED" || got.Count != 0 {
		t.Errorf("canceled: %+v", got)
	}
	p.wantTotal(t, count)
	p.checkSound(t)
	p.stop(t, shutdownTimeout)
}

// awaitBatch waits until a batch is as it should be.
func (p *process) awaitBatch(t *testing.T, id string, isThere func(*generated) bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; pause(t) {
		var answer struct{ CodeBatch *generated }
		p.must(
			t, fmt.Sprintf(`{ codeBatch(id: %q) { status progress count madeCount } }`,
				id), &answer,
		)
		if isThere(answer.CodeBatch) {
			return
		}
		if time.Now().After(deadline) || answer.CodeBatch.Status == "FAILED" ||
			answer.CodeBatch.Status == "SUCCEEDED" {
			t.Fatalf("%s is %+v", id, answer.CodeBatch)
		}
	}
}

// wantTotal compares how many codes the coupon has.
func (p *process) wantTotal(t *testing.T, want int) {
	t.Helper()
	var answer struct {
		Coupon struct{ Availability struct{ Total int } }
	}
	if err := p.ask(t.Context(), `{ coupon(id: "coupon_1") { availability { total } } }`, nil,
		&answer); err != nil {
		t.Fatal(err)
	}
	if got := answer.Coupon.Availability.Total; got != want {
		t.Errorf("%d codes, want %d", got, want)
	}
}
