package db_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
)

// scene is a store with a clock that stands still at noon, and short ways to bring it into a state.
// What goes wrong on the way fails the test.
type scene struct {
	*db.Store

	clock *dbtest.Clock
	path  string
}

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func newScene(t *testing.T, options ...func(*db.Options)) *scene {
	t.Helper()
	s := &scene{clock: dbtest.NewClock(noon()), path: filepath.Join(t.TempDir(), "couponql.duckdb")}
	s.Store = dbtest.Open(t, s.path, append(options, s.clock.Use)...)
	return s
}

// reopen closes the store and opens its file again, as a restart of the server does.
func (s *scene) reopen(t *testing.T) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Store = dbtest.Open(t, s.path, s.clock.Use)
}

// newCoupon makes an individual coupon that is valid now.
func (s *scene) newCoupon(t *testing.T, edits ...func(*coupon.CouponChanges)) coupon.ID {
	t.Helper()
	changes := &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("Winter sale")),
		StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
	}
	for _, edit := range edits {
		edit(changes)
	}
	c, err := s.CreateCoupon(t.Context(), changes)
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

func withLimit(limit int) func(*coupon.CouponChanges) {
	return func(c *coupon.CouponChanges) { c.RedemptionLimit = coupon.Set(&limit) }
}

func withEnd(end string) func(*coupon.CouponChanges) {
	return func(c *coupon.CouponChanges) { c.EndsAt = coupon.Set(new(coupon.DateTime(end))) }
}

func withCode(code string) func(*coupon.CouponChanges) {
	return func(c *coupon.CouponChanges) { c.Code = coupon.Set(&code) }
}

func withoutAssignment(c *coupon.CouponChanges) { c.RequiresAssignment = coupon.Set(new(false)) }

func anonymous(c *coupon.CouponChanges) { c.Type = coupon.TypeAnonymous }

// codes adds codes with a label ("": none).
func (s *scene) codes(t *testing.T, id coupon.ID, label string, values ...string) []*coupon.Code {
	t.Helper()
	codes := make([]coupon.NewCode, len(values))
	for i, value := range values {
		codes[i] = coupon.NewCode{Value: value, Label: &label}
	}
	added, rejections, err := s.AddCodes(t.Context(), id, codes)
	if err != nil {
		t.Fatal(err)
	}
	if len(rejections) > 0 {
		t.Fatalf("code %q was rejected: %s", *rejections[0].Value, rejections[0].Reason)
	}
	return added
}

// numbered returns count values that begin with a prefix.
func numbered(prefix string, count int) []string {
	values := make([]string, count)
	for i := range values {
		values[i] = fmt.Sprintf("%s%04d", prefix, i+1)
	}
	return values
}

// recipients adds recipients r1, r2, … with an e-mail address each; sports go round them as
// attribute.
func (s *scene) recipients(t *testing.T, count int, sports ...string) []coupon.ID {
	t.Helper()
	changes := make([]*coupon.RecipientChanges, count)
	for i := range changes {
		name := fmt.Sprintf("r%d", i+1)
		changes[i] = &coupon.RecipientChanges{
			ExternalID: name, Email: coupon.Set(new(name + "@example.org")),
			Phone: coupon.Set(new(fmt.Sprintf("+49 170 %06d", i+1))),
		}
		if len(sports) > 0 {
			changes[i].Attributes = coupon.Set(
				new(coupon.JSON(fmt.Sprintf(`{"sport":%q}`, sports[i%len(sports)]))),
			)
		}
	}
	kept, err := s.UpsertRecipients(t.Context(), changes)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]coupon.ID, len(kept))
	for i, r := range kept {
		ids[i] = r.ID
	}
	return ids
}

// newDelivery makes a delivery of a coupon ("": none) to recipients.
func (s *scene) newDelivery(
	t *testing.T, couponID coupon.ID, recipients []coupon.ID,
	edits ...func(*coupon.DeliveryChanges),
) coupon.ID {
	t.Helper()
	changes := &coupon.DeliveryChanges{
		Label: coupon.Set(new("Newsletter")), Subject: coupon.Set(new("For you")),
		Body: coupon.Set(new("{{ couponValue.code }}")),
	}
	if couponID != "" {
		changes.CouponID = coupon.Set(&couponID)
	}
	for _, edit := range edits {
		edit(changes)
	}
	d, err := s.CreateDelivery(t.Context(), changes)
	if err != nil {
		t.Fatal(err)
	}
	if len(recipients) > 0 {
		if _, err := s.AddTargets(t.Context(), d.ID, recipients, nil); err != nil {
			t.Fatal(err)
		}
	}
	return d.ID
}

func bySport(d *coupon.DeliveryChanges) { d.MatchLabelTo = coupon.Set(new("sport")) }

func byChannel(channel coupon.Channel) func(*coupon.DeliveryChanges) {
	return func(d *coupon.DeliveryChanges) { d.Channel = coupon.Set(&channel) }
}

// fine is the check of templates that always passes; the templates use the e-mail address.
func fine(*coupon.Delivery, *coupon.Coupon) coupon.ContentFindings {
	return coupon.ContentFindings{Uses: coupon.RecipientFields{Email: true}}
}

// analyze analyzes a delivery, which must end in a status.
func (s *scene) analyze(t *testing.T, id coupon.ID, want coupon.DeliveryStatus) *coupon.Analysis {
	t.Helper()
	d, _, err := s.AnalyzeDelivery(t.Context(), id, fine)
	if err != nil {
		t.Fatal(err)
	}
	if d.Status != want {
		t.Fatalf("analyzed delivery is %s, want %s: %+v", d.Status, want, s.log(t, id))
	}
	return d.Analysis
}

func (s *scene) log(t *testing.T, id coupon.ID) []string {
	t.Helper()
	logs, err := s.LogOf(t.Context(), []coupon.ID{id})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, line := range logs[id] {
		lines = append(lines, string(line.Level)+" "+line.Text)
	}
	return lines
}

// confirm analyzes and confirms a delivery.
func (s *scene) confirm(t *testing.T, id coupon.ID) {
	t.Helper()
	s.analyze(t, id, coupon.DeliveryReady)
	if _, err := s.ConfirmDelivery(t.Context(), id, fine); err != nil {
		t.Fatal(err)
	}
}

// sendBatch records the next messages of a delivery as sent, and tells how many there were.
func (s *scene) sendBatch(t *testing.T, id coupon.ID, limit int) int {
	t.Helper()
	batch, err := s.NextBatch(t.Context(), id, limit)
	if err != nil {
		t.Fatal(err)
	}
	if batch == nil {
		return 0
	}
	if err := batch.Record(t.Context(), &db.SentBatch{
		Sent:       batch.Contents,
		OutboxSize: batch.OutboxSize + int64(len(batch.Contents)),
	}); err != nil {
		t.Fatal(err)
	}
	return len(batch.Contents)
}

// send sends all messages of a delivery.
func (s *scene) send(t *testing.T, id coupon.ID) {
	t.Helper()
	for sent := 1; sent > 0; {
		sent = s.sendBatch(t, id, 1000)
	}
}

// deliver does a whole delivery.
func (s *scene) deliver(t *testing.T, couponID coupon.ID, recipients []coupon.ID) coupon.ID {
	t.Helper()
	id := s.newDelivery(t, couponID, recipients)
	s.confirm(t, id)
	s.send(t, id)
	return id
}

func (s *scene) delivery(t *testing.T, id coupon.ID) *coupon.Delivery {
	t.Helper()
	found, err := s.DeliveriesByID(t.Context(), []coupon.ID{id})
	if err != nil || found[id] == nil {
		t.Fatalf("delivery %s: %v", id, err)
	}
	return found[id]
}

// code returns a code by its value; it must be there.
func (s *scene) code(t *testing.T, value string) *coupon.Code {
	t.Helper()
	code, err := s.CodeByValue(t.Context(), value, coupon.AnyState)
	if err != nil || code == nil {
		t.Fatalf("code %q: %v, %v", value, code, err)
	}
	return code
}

// allCodes returns the codes of a coupon that a filter leaves.
func (s *scene) allCodes(t *testing.T, id coupon.ID, filter *coupon.CodeFilter) []*coupon.Code {
	t.Helper()
	var all []*coupon.Code
	page := coupon.Page{First: coupon.MaxPageSize, WantsItems: true, WantsTotal: true}
	for {
		lists, err := s.CodesOf(t.Context(), []coupon.ID{id}, filter, page, coupon.AnyState)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, lists[id].Items...)
		if !lists[id].HasNext {
			if len(all) != lists[id].Total {
				t.Fatalf("codes of %s with %+v: %d on the pages, %d in total", id, filter, len(all),
					lists[id].Total)
			}
			return all
		}
		page.After = new(lists[id].Cursors[len(lists[id].Cursors)-1])
	}
}

func (s *scene) redeem(t *testing.T, value string) *coupon.Redemption {
	t.Helper()
	redemption, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: value})
	if err != nil {
		t.Fatal(err)
	}
	return redemption
}

// availability returns where the codes of a coupon stand; the parts must add up.
func (s *scene) availability(t *testing.T, id coupon.ID) *coupon.Availability {
	t.Helper()
	found, err := s.Availabilities(t.Context(), []coupon.ID{id})
	if err != nil {
		t.Fatal(err)
	}
	checkParts(t, found[id])
	return found[id]
}

func checkParts(t *testing.T, a *coupon.Availability) {
	t.Helper()
	if sum := a.Available + a.Held + a.Assigned + a.Redeemed + a.Expired +
		a.Voided; sum != a.Total {
		t.Errorf("availability %+v: the parts make %d", a, sum)
	}
}

// wantAvailability compares the counts of a coupon that are not zero, written like "available 2,
// held 1".
func (s *scene) wantAvailability(t *testing.T, id coupon.ID, want string) {
	t.Helper()
	a := s.availability(t, id)
	var parts []string
	for _, part := range []struct {
		name  string
		count int
	}{{"available", a.Available}, {
		"held", a.Held,
	}, {"assigned", a.Assigned}, {"redeemed", a.Redeemed}, {"expired", a.Expired}, {
		"voided",
		a.Voided,
	}} {
		if part.count > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", part.name, part.count))
		}
	}
	if got := strings.Join(parts, ", "); got != want {
		t.Errorf("availability of %s: got %q, want %q", id, got, want)
	}
}

// newImport is an import of a file that skips bad rows.
func newImport(kind coupon.ImportKind, edits ...func(*coupon.Import)) *coupon.Import {
	i := &coupon.Import{
		Kind: kind, Mode: coupon.ImportAdd, Format: coupon.FormatCSV, FileName: "file.csv",
		OnRejection: coupon.SkipRow,
		Timezone:    "UTC",
	}
	for _, edit := range edits {
		edit(i)
	}
	return i
}

func into(id coupon.ID) func(*coupon.Import) {
	return func(i *coupon.Import) {
		switch id.Kind() { //nolint:exhaustive // nothing else takes imports
		case coupon.KindCoupon:
			i.CouponID = &id
		case coupon.KindDelivery:
			i.DeliveryID = &id
		}
	}
}

func dryRun(i *coupon.Import) { i.IsDryRun = true }

func rejectFile(i *coupon.Import) { i.OnRejection = coupon.RejectFile }

// queue stores a file and queues its import.
func (s *scene) queue(t *testing.T, i *coupon.Import, text string) coupon.ID {
	t.Helper()
	upload, err := s.Receive(t.Context(), "codes.csv", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	queued, err := s.CreateImport(t.Context(), i, upload.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	return queued.ID
}

// importFile imports a file and gives what became of it.
func (s *scene) importFile(t *testing.T, i *coupon.Import, text string) *coupon.Import {
	t.Helper()
	id := s.queue(t, i, text)
	if err := s.RunImport(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return s.imported(t, id)
}

func (s *scene) imported(t *testing.T, id coupon.ID) *coupon.Import {
	t.Helper()
	found, err := s.ImportsByID(t.Context(), []coupon.ID{id})
	if err != nil || found[id] == nil {
		t.Fatalf("import %s: %v", id, err)
	}
	return found[id]
}

// rejections returns the rejected rows of an import, each as "line reason value".
func (s *scene) rejections(t *testing.T, id coupon.ID) []string {
	t.Helper()
	lists, err := s.RejectionsOf(t.Context(), []coupon.ID{id},
		coupon.Page{First: coupon.MaxPageSize, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	return rejectionTexts(lists[id].Items)
}

func rejectionTexts(rejections []*coupon.Rejection) []string {
	texts := make([]string, len(rejections))
	for i, r := range rejections {
		value := ""
		if r.Value != nil {
			value = *r.Value
		}
		texts[i] = strings.TrimSpace(fmt.Sprintf("%d %s %s", r.Line, r.Reason, value))
	}
	return texts
}

// checkSound fails the test unless all promises hold.
func (s *scene) checkSound(t *testing.T) {
	t.Helper()
	report, err := s.IntegrityReport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Checks) < 10 {
		t.Errorf("only %d checks", len(report.Checks))
	}
	for _, check := range report.Checks {
		if check.Violations > 0 {
			t.Errorf("%s: %d violations of %q: %v", check.Name, check.Violations, check.Description,
				check.Examples)
		}
	}
	if err := s.CheckRecent(t.Context()); err != nil {
		t.Error(err)
	}
	// What the test does from here on must change what is known of codes.
	if err := s.LearnHappened(t.Context()); err != nil {
		t.Error(err)
	}
}

// wantError fails the test unless the error is one that a caller can act on, with the code and for
// the field (the path joined by points; "": any), and a sentence.
func wantError(t *testing.T, err error, code coupon.ErrorCode, field string) {
	t.Helper()
	problems, ok := coupon.AsUserErrors(err)
	if !ok {
		t.Fatalf("got the error %v, want %s", err, code)
	}
	found := slices.ContainsFunc(problems, func(p *coupon.UserError) bool {
		return p.Code == code && (field == "" || strings.Join(p.Field, ".") == field) &&
			strings.HasSuffix(p.Message, ".")
	})
	if !found {
		t.Errorf("got the error %s %v %q, want %s for %s", problems[0].Code, problems[0].Field,
			problems[0].Message, code, field)
	}
}
