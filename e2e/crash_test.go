package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// crashes is a server that is killed again and again, with all that it acknowledged.
type crashes struct {
	dir   string
	round int
	// deliveries, imports, added and redeemed were acknowledged: ids, ids with their rows, values and values.
	deliveries []string
	imports    map[string]int
	mu         sync.Mutex
	added      []string
	redeemed   []string
}

const (
	crashRounds      = 8
	crashRecipients  = 3000
	crashImportRows  = 20_000
	crashRedeemers   = 8
	redeemableAround = 4000
)

// TestCrash kills the server in the middle of everything, at random moments, and checks after each new
// start that all that was acknowledged is there (P3), that nothing is half done (P7), and that each
// message is in the outbox once.
func TestCrash(t *testing.T) {
	t.Parallel()
	c := &crashes{dir: t.TempDir(), imports: map[string]int{}}
	p := start(t, c.dir)
	c.prepare(t, p)
	for c.round = 1; c.round <= crashRounds && !t.Failed(); c.round++ {
		delivery := c.newDelivery(t, p)
		p.stop(t, shutdownTimeout)
		p = start(t, c.dir, "--send-rate", "600")
		c.crash(t, p, delivery)
		p = start(t, c.dir)
		c.drain(t, p, delivery)
		c.check(t, p)
	}
	if len(c.added) == 0 || len(c.redeemed) == 0 || len(c.imports) == 0 {
		t.Errorf("little was acknowledged before the crashes: %d codes, %d redemptions, %d imports", len(c.added), len(c.redeemed), len(c.imports))
	}
	t.Logf("acknowledged: %d codes, %d redemptions, %d imports, %d deliveries", len(c.added), len(c.redeemed), len(c.imports), len(c.deliveries))
}

// prepare makes the recipients, a coupon for deliveries (coupon_1) and one for redemptions (coupon_2).
func (c *crashes) prepare(t *testing.T, p *process) {
	t.Helper()
	var none struct{}
	for range 2 {
		p.must(t, createCoupon, &none)
	}
	var file strings.Builder
	file.WriteString("id,email\n")
	for i := range crashRecipients {
		fmt.Fprintf(&file, "r%d,r%d@example.org\n", i, i)
	}
	p.importFile(t, `importRecipients(input: {file: $file})`, file.String())
	file.Reset()
	file.WriteString("code\n")
	for i := range crashRounds * redeemableAround {
		fmt.Fprintf(&file, "R%06d\n", i)
	}
	p.importFile(t, `importCodes(input: {couponId: "coupon_2", file: $file})`, file.String())
}

// importFile imports a file and waits for it.
func (p *process) importFile(t *testing.T, field, text string) {
	t.Helper()
	id, err := queueFile(t.Context(), p, field, text)
	if err != nil {
		t.Fatal(err)
	}
	p.waitImport(t, id)
}

func queueFile(ctx context.Context, p *process, field, text string) (string, error) {
	var queued struct {
		Result struct {
			Import     struct{ ID string }
			UserErrors []struct{ Message string }
		}
	}
	err := p.upload(ctx, `mutation ($file: Upload!) { result: `+field+` { import { id } userErrors { message } } }`, "file.csv",
		strings.NewReader(text), &queued)
	if err == nil && len(queued.Result.UserErrors) > 0 {
		err = errors.New(queued.Result.UserErrors[0].Message)
	}
	return queued.Result.Import.ID, err
}

// waitImport waits until an import is over, and gives the rows that it imported.
func (p *process) waitImport(t *testing.T, id string) int {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		var read struct {
			Import struct {
				Status       string
				RowsImported int
				Failure      *string
			}
		}
		p.must(t, fmt.Sprintf(`{ import(id: %q) { status rowsImported failure } }`, id), &read)
		switch read.Import.Status {
		case "SUCCEEDED":
			return read.Import.RowsImported
		case "FAILED":
			t.Fatalf("%s failed: %s", id, *read.Import.Failure)
		}
		pause(t)
	}
	t.Fatalf("%s is not over after 30 seconds:\n%s", id, p.text())
	return 0
}

// pause waits a moment before the server is asked again.
func pause(t *testing.T) {
	t.Helper()
	select {
	case <-time.After(20 * time.Millisecond):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

// newDelivery makes codes and a delivery to everybody that is READY.
func (c *crashes) newDelivery(t *testing.T, p *process) string {
	t.Helper()
	var none struct{}
	generate := `mutation { generateCodes(input: {couponId: "coupon_1", count: %d, pattern: "S-%d-########"}) { generatedCount } }`
	p.must(t, fmt.Sprintf(generate, crashRecipients, c.round), &none)
	var created struct {
		CreateDelivery struct{ Delivery struct{ ID string } }
	}
	p.must(t, `mutation {
		createDelivery(input: {label: "Crash", couponId: "coupon_1", subject: "For you", body: "Code: {{ couponValue.code }}"}) {
			delivery { id }
		}
	}`, &created)
	id := created.CreateDelivery.Delivery.ID
	p.must(t, fmt.Sprintf(`mutation { addTargets(input: {deliveryId: %q, filter: {}}) { delivery { id } } }`, id), &none)
	p.must(t, fmt.Sprintf(`mutation { analyzeDelivery(input: {id: %q}) { delivery { status } } }`, id), &none)
	return id
}

// crash drives load and kills the server at a random moment.
func (c *crashes) crash(t *testing.T, p *process, delivery string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var load sync.WaitGroup
	load.Go(func() { c.confirm(ctx, p, delivery) })
	load.Go(func() { c.importCodes(ctx, p) })
	load.Go(func() { c.addCodes(ctx, p) })
	for i := range crashRedeemers {
		load.Go(func() { c.redeem(ctx, p, i) })
	}
	select {
	case <-c.moment(t):
	case <-p.ended:
		t.Errorf("the server ended by itself: %v\n%s", p.err, p.text())
	}
	p.kill(t)
	cancel()
	load.Wait()
}

// moment returns when to kill. On a slow machine nothing may have been acknowledged until the last one, which then waits
// for an import.
func (c *crashes) moment(t *testing.T) <-chan time.Time {
	t.Helper()
	hasImports := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.imports) > 0
	}
	for deadline := time.Now().Add(30 * time.Second); c.round == crashRounds && !hasImports() && time.Now().Before(deadline); {
		pause(t)
	}
	return time.After(time.Duration(50+rand.IntN(1500)) * time.Millisecond)
}

// What the load does ends at the first answer that does not come; nobody knows what became of that.

func (c *crashes) confirm(ctx context.Context, p *process, delivery string) {
	var confirmed struct {
		ConfirmDelivery struct{ UserErrors []struct{ Message string } }
	}
	err := p.ask(ctx, fmt.Sprintf(`mutation { confirmDelivery(input: {id: %q}) { userErrors { message } } }`, delivery), nil, &confirmed)
	if err == nil && len(confirmed.ConfirmDelivery.UserErrors) == 0 {
		c.mu.Lock()
		c.deliveries = append(c.deliveries, delivery)
		c.mu.Unlock()
	}
}

func (c *crashes) importCodes(ctx context.Context, p *process) {
	var file strings.Builder
	file.WriteString("code\n")
	for i := range crashImportRows {
		fmt.Fprintf(&file, "I-%d-%06d\n", c.round, i)
	}
	id, err := queueFile(ctx, p, `importCodes(input: {couponId: "coupon_2", file: $file})`, file.String())
	if err == nil {
		c.mu.Lock()
		c.imports[id] = crashImportRows
		c.mu.Unlock()
	}
}

func (c *crashes) addCodes(ctx context.Context, p *process) {
	for batch := 0; ctx.Err() == nil; batch++ {
		values := make([]string, 20)
		var codes []map[string]any
		for i := range values {
			values[i] = fmt.Sprintf("A-%d-%d-%d", c.round, batch, i)
			codes = append(codes, map[string]any{"value": values[i]})
		}
		var added struct {
			AddCodes struct{ Codes []struct{ Value string } }
		}
		query := `mutation ($codes: [NewCode!]!) { addCodes(input: {couponId: "coupon_2", codes: $codes}) { codes { value } } }`
		if err := p.ask(ctx, query, map[string]any{"codes": codes}, &added); err != nil || len(added.AddCodes.Codes) != len(values) {
			return
		}
		c.mu.Lock()
		c.added = append(c.added, values...)
		c.mu.Unlock()
	}
}

func (c *crashes) redeem(ctx context.Context, p *process, caller int) {
	for i := 0; i < redeemableAround/crashRedeemers && ctx.Err() == nil; i++ {
		value := fmt.Sprintf("R%06d", (c.round-1)*redeemableAround+i*crashRedeemers+caller)
		var redeemed struct {
			RedeemCode struct{ Redemption *struct{ ID string } }
		}
		if err := p.ask(ctx, fmt.Sprintf(`mutation { redeemCode(input: {value: %q}) { redemption { id } } }`, value), nil,
			&redeemed); err != nil || redeemed.RedeemCode.Redemption == nil {
			return
		}
		c.mu.Lock()
		c.redeemed = append(c.redeemed, value)
		c.mu.Unlock()
	}
}

// drain waits until all jobs that were interrupted are done. A delivery whose confirmation was lost is
// confirmed now.
func (c *crashes) drain(t *testing.T, p *process, delivery string) {
	t.Helper()
	for id, rows := range c.imports {
		if got := p.waitImport(t, id); got != rows {
			t.Errorf("%s imported %d rows of %d", id, got, rows)
		}
	}
	if !slices.Contains(c.deliveries, delivery) {
		c.confirm(t.Context(), p, delivery)
	}
	if !slices.Contains(c.deliveries, delivery) {
		t.Fatalf("%s cannot be confirmed", delivery)
	}
	for deadline := time.Now().Add(30 * time.Second); ; pause(t) {
		var open struct {
			Deliveries struct{ Nodes []struct{ ID string } }
			Imports    struct{ Nodes []struct{ ID string } }
		}
		p.must(t, `{
			deliveries(status: [SCHEDULED, IN_PROGRESS, PAUSED, FAILED, STOPPED]) { nodes { id } }
			imports(status: [QUEUED, RUNNING, FAILED]) { nodes { id } }
		}`, &open)
		if len(open.Deliveries.Nodes)+len(open.Imports.Nodes) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not done after 30 seconds: %+v\n%s", open, p.text())
		}
	}
}

// checkSound fails the test unless the promises hold.
func (p *process) checkSound(t *testing.T) {
	t.Helper()
	var report struct {
		IntegrityReport struct {
			IsSound bool
			Checks  []struct {
				Name       string
				Violations int
				Examples   []string
			}
		}
	}
	p.must(t, `{ integrityReport { isSound checks { name violations examples } } }`, &report)
	if !report.IntegrityReport.IsSound {
		t.Errorf("the database is not sound: %+v", report)
	}
}

func (c *crashes) check(t *testing.T, p *process) {
	t.Helper()
	p.checkSound(t)
	// What an earlier crash left was checked then; after the last one everything is looked at again.
	prefix, deliveries := fmt.Sprintf("A-%d-", c.round), c.deliveries[len(c.deliveries)-1:]
	if c.round == crashRounds {
		prefix, deliveries = "A-", c.deliveries
	}
	recent := slices.DeleteFunc(slices.Clone(c.added), func(value string) bool { return !strings.HasPrefix(value, prefix) })
	c.checkCodes(t, p, fmt.Sprintf("valuePrefix: %q", prefix), recent)
	c.checkCodes(t, p, "status: [REDEEMED]", c.redeemed)
	c.checkOutbox(t, deliveries)
	checkAuditLog(t, p)
}

// checkAuditLog fails the test unless every redemption by the API has its entry, and no entry is of one that did not come about.
func checkAuditLog(t *testing.T, p *process) {
	t.Helper()
	var counted struct {
		Redemptions struct{ TotalCount int }
		AuditLog    struct{ TotalCount int }
	}
	p.must(t, `{ redemptions { totalCount } auditLog(filter: {action: "redeemCode", outcome: DONE}) { totalCount } }`, &counted)
	if counted.AuditLog.TotalCount != counted.Redemptions.TotalCount {
		t.Errorf("%d redemptions have %d entries in the audit log", counted.Redemptions.TotalCount, counted.AuditLog.TotalCount)
	}
}

// checkCodes fails the test unless the codes of coupon_2 that a filter leaves have all these values among
// them.
func (c *crashes) checkCodes(t *testing.T, p *process, filter string, values []string) {
	t.Helper()
	found := map[string]bool{}
	for after := "null"; after != ""; {
		var read struct {
			Coupon struct {
				Codes struct {
					Nodes    []struct{ Value string }
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}
		p.must(t, fmt.Sprintf(`{
			coupon(id: "coupon_2") { codes(filter: {%s}, first: 500, after: %s) { nodes { value } pageInfo { hasNextPage endCursor } } }
		}`, filter, after), &read)
		for _, code := range read.Coupon.Codes.Nodes {
			found[code.Value] = true
		}
		after = ""
		if read.Coupon.Codes.PageInfo.HasNextPage {
			after = fmt.Sprintf("%q", read.Coupon.Codes.PageInfo.EndCursor)
		}
	}
	for _, value := range values {
		if !found[value] {
			t.Errorf("after crash %d: the code %s was acknowledged and is not among those with %s", c.round, value, filter)
		}
	}
}

var (
	messageIDLine = regexp.MustCompile(`(?m)^Message-ID: <(.*)@couponql>$`)
	codeLine      = regexp.MustCompile(`(?m)^Code: (S-.*)$`)
)

// checkOutbox fails the test unless the file of each delivery has each of its messages once, with a code
// that no other message has.
func (c *crashes) checkOutbox(t *testing.T, deliveries []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, delivery := range deliveries {
		text, err := os.ReadFile(filepath.Join(c.dir, "outbox", delivery+".mbox"))
		if err != nil {
			t.Fatal(err)
		}
		for name, pattern := range map[string]*regexp.Regexp{"message": messageIDLine, "code": codeLine} {
			found := pattern.FindAllSubmatch(text, -1)
			if len(found) != crashRecipients {
				t.Errorf("after crash %d: the file of %s has %d times a %s, want %d", c.round, delivery, len(found), name, crashRecipients)
			}
			for _, match := range found {
				if seen[string(match[1])] {
					t.Fatalf("after crash %d: %s is in the outbox twice", c.round, match[1])
				}
				seen[string(match[1])] = true
			}
		}
	}
}
