package db_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"couponql/coupon"
	"couponql/db"
)

// world is a scene that anything may happen to, with what must be true of it.
type world struct {
	*scene

	t          *testing.T
	coupons    []coupon.ID
	deliveries []coupon.ID
	recipients []coupon.ID
	redeemed   []coupon.ID
	values     []string
	// total counts the codes of each coupon, limit is each one's redemption limit.
	total map[coupon.ID]int
	limit map[coupon.ID]int
	// live counts the redemptions of each value that were not reversed; owner is the value of each.
	live  map[string]int
	owner map[coupon.ID]string
	made  int
}

// TestHistories does anything in any order, restarts included, and checks after every step that all
// promises hold.
func TestHistories(t *testing.T) {
	t.Parallel()
	if checks := "rapid.checks"; !isSet(checks) {
		// A history costs seconds under the race detector; -rapid.checks=1000 finds rarer ones.
		if err := flag.Set(checks, "8"); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{
			scene: newScene(t), t: t, total: map[coupon.ID]int{}, limit: map[coupon.ID]int{},
			live:  map[string]int{},
			owner: map[coupon.ID]string{},
		}
		defer func() {
			// Many histories would keep many databases open until the test ends.
			if err := w.Close(); err != nil {
				rt.Error(err)
			}
		}()
		w.recipients = w.scene.recipients(t, 12, "soccer", "tennis")
		w.createCoupon(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"":                   w.check,
			"create a coupon":    w.createCoupon,
			"delete a coupon":    w.deleteCoupon,
			"raise a limit":      w.raiseLimit,
			"add codes":          w.addCodes,
			"generate codes":     w.generateCodes,
			"import codes":       w.importCodes,
			"import redemptions": w.importRedemptions,
			"upsert recipients":  w.upsertRecipients,
			"erase a recipient":  w.eraseRecipient,
			"create a delivery":  w.createDelivery,
			"add targets":        w.addTargets,
			"analyze":            w.analyzeDelivery,
			"confirm":            w.confirmDelivery,
			"prepare and send":   w.prepareAndSend,
			"send a batch":       w.sendSome,
			"pause":              w.onDelivery((*db.Store).PauseDelivery),
			"resume":             w.onDelivery((*db.Store).ResumeDelivery),
			"stop":               w.onDelivery((*db.Store).StopDelivery),
			"delete a delivery":  w.deleteDelivery,
			"record bounces":     w.recordBounces,
			"void codes":         w.voidCodes,
			"release codes":      w.releaseCodes,
			"redeem":             w.redeemCode,
			"reverse":            w.reverseRedemption,
			"ask in SQL":         w.askInSQL,
			"move the clock":     func(rt *rapid.T) { w.clock.Advance(time.Duration(rapid.IntRange(1, 30).Draw(rt, "hours")) * time.Hour) },
			"reopen":             func(*rapid.T) { w.reopen(w.t) },
			"restore a backup":   func(*rapid.T) { w.goOnWithBackup() },
		})
	})
}

func isSet(name string) bool {
	found := false
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// refused fails unless err is nil or one that a caller can act on, and tells which.
func refused(rt *rapid.T, err error) bool {
	if err == nil {
		return false
	}
	if _, isUser := coupon.AsUserErrors(err); !isUser {
		rt.Fatal(err)
	}
	return true
}

// pick draws one of several; it skips the step when there is none.
func pick[T any](rt *rapid.T, from []T, name string) T {
	if len(from) == 0 {
		rt.Skip("there is no " + name)
	}
	return from[rapid.IntRange(0, len(from)-1).Draw(rt, name)]
}

// check checks the promises, and that the world is as the steps made it.
func (w *world) check(rt *rapid.T) {
	ctx := w.t.Context()
	report, err := w.IntegrityReport(ctx)
	if err != nil {
		rt.Fatal(err)
	}
	for _, check := range report.Checks {
		if check.Violations > 0 {
			rt.Fatalf("%s: %d violations of %q: %v", check.Name, check.Violations,
				check.Description, check.Examples)
		}
	}
	if err := errors.Join(w.CheckRecent(ctx), w.LearnHappened(ctx)); err != nil {
		rt.Fatal(err)
	}
	found, err := w.Availabilities(ctx, w.coupons)
	if err != nil {
		rt.Fatal(err)
	}
	for id, a := range found {
		if sum := a.Available + a.Held + a.Assigned + a.Redeemed + a.Expired +
			a.Voided; sum != a.Total || a.Total != w.total[id] ||
			a.Available < 0 || a.Held < 0 {
			rt.Fatalf("availability of %s: %+v, the parts make %d, %d were added", id, a, sum,
				w.total[id])
		}
	}
	lists, err := w.CodesOf(ctx, w.coupons, nil,
		coupon.Page{First: 10_000, WantsItems: true, WantsTotal: true}, coupon.AnyState)
	if err != nil {
		rt.Fatal(err)
	}
	codes := map[string]*coupon.Code{}
	for _, list := range lists {
		for _, code := range list.Items {
			codes[code.Value] = code
		}
	}
	for i, value := range w.values {
		code := codes[value]
		if code == nil {
			rt.Fatalf("code %q is not listed", value)
		}
		if live, limit := w.live[value], w.limit[code.CouponID]; live > limit ||
			(live > 0) != (code.Status == coupon.CodeRedeemed) {
			rt.Fatalf("code %q is %s with %d redemptions of %d", value, code.Status, live, limit)
		}
		if i%(len(w.values)/4+1) > 0 {
			continue
		}
		if found, err := w.CodeByValue(ctx, strings.ToLower(value), coupon.AnyState); err != nil ||
			found == nil || found.ID != code.ID {
			rt.Fatalf("code %q: %+v, %v", value, found, err)
		}
	}
}

func (w *world) createCoupon(rt *rapid.T) {
	limit := rapid.IntRange(1, 3).Draw(rt, "limit")
	edits := []func(*coupon.CouponChanges){withLimit(limit), withEnd("2026-11-29")}
	if rapid.Bool().Draw(rt, "without assignment") {
		edits = append(edits, withoutAssignment)
	}
	id := w.newCoupon(w.t, edits...)
	w.coupons, w.limit[id] = append(w.coupons, id), limit
}

func (w *world) deleteCoupon(rt *rapid.T) {
	id := pick(rt, w.coupons, "coupon")
	lists, err := w.CodesOf(w.t.Context(), []coupon.ID{id}, nil,
		coupon.Page{First: 10_000, WantsItems: true}, coupon.AnyState)
	if err != nil {
		rt.Fatal(err)
	}
	if refused(rt, w.DeleteCoupon(w.t.Context(), id)) {
		return
	}
	w.coupons = slices.DeleteFunc(w.coupons, func(other coupon.ID) bool { return other == id })
	for _, code := range lists[id].Items {
		w.values = slices.DeleteFunc(w.values,
			func(value string) bool { return value == code.Value })
	}
}

func (w *world) raiseLimit(rt *rapid.T) {
	id := pick(rt, w.coupons, "coupon")
	limit := rapid.IntRange(1, 4).Draw(rt, "limit")
	if _, err := w.UpdateCoupon(w.t.Context(), id,
		&coupon.CouponChanges{RedemptionLimit: coupon.Set(&limit)}); !refused(rt, err) {
		w.limit[id] = limit
	}
}

// newValues draws values, some of which may exist.
func (w *world) newValues(rt *rapid.T) []string {
	values := make([]string, rapid.IntRange(1, 8).Draw(rt, "count"))
	for i := range values {
		if len(w.values) > 0 && rapid.IntRange(0, 4).Draw(rt, "again") == 0 {
			values[i] = pick(rt, w.values, "value")
			continue
		}
		w.made++
		values[i] = fmt.Sprintf("V%04d", w.made)
	}
	return values
}

func (w *world) drawLabel(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"", "soccer", "tennis"}).Draw(rt, "label")
}

func (w *world) addCodes(rt *rapid.T) {
	id := pick(rt, w.coupons, "coupon")
	label := w.drawLabel(rt)
	var codes []coupon.NewCode
	for _, value := range w.newValues(rt) {
		codes = append(codes, coupon.NewCode{Value: value, Label: &label})
	}
	added, rejections, err := w.AddCodes(w.t.Context(), id, codes)
	if refused(rt, err) {
		return
	}
	if len(added)+len(rejections) != len(codes) {
		rt.Fatalf("%d codes: %d added, %d rejected", len(codes), len(added), len(rejections))
	}
	for _, code := range added {
		w.values = append(w.values, code.Value)
	}
	w.total[id] += len(added)
}

func (w *world) generateCodes(rt *rapid.T) {
	id := pick(rt, w.coupons, "coupon")
	label := w.drawLabel(rt)
	count := rapid.IntRange(1, 10).Draw(rt, "count")
	made, err := w.GenerateCodes(w.t.Context(), &db.GenerateRequest{
		CouponID: id, Count: count, Pattern: "G######",
		Alphabet: "0123456789", Label: &label,
	})
	if !refused(rt, err) {
		w.values = append(w.values, made.Sample...)
		w.total[id] += count
	}
}

func (w *world) runFile(rt *rapid.T, i *coupon.Import, text string) (*coupon.Import, []string) {
	upload, err := w.Receive(w.t.Context(), "codes.csv", strings.NewReader(text))
	if err != nil {
		rt.Fatal(err)
	}
	created, err := w.CreateImport(w.t.Context(), i, upload.ID, true)
	if refused(rt, err) {
		rt.Skip("the import was refused")
	}
	if err := w.RunImport(w.t.Context(), created.ID); err != nil {
		rt.Fatal(err)
	}
	return w.imported(w.t, created.ID), w.rejections(w.t, created.ID)
}

func (w *world) importCodes(rt *rapid.T) {
	id := pick(rt, w.coupons, "coupon")
	values := w.newValues(rt)
	onRejection := rapid.SampledFrom([]coupon.OnRejection{coupon.SkipRow, coupon.RejectFile}).Draw(
		rt, "on rejection",
	)
	isDryRun := rapid.IntRange(0, 3).Draw(rt, "dry run") == 0
	i, rejections := w.runFile(rt, newImport(coupon.ImportCodes, into(id),
		func(i *coupon.Import) { i.OnRejection, i.IsDryRun = onRejection, isDryRun }),
		"code\n"+strings.Join(values, "\n"))
	if i.RowsRead != len(values) {
		rt.Fatalf("%d rows read of %d", i.RowsRead, len(values))
	}
	if isDryRun || i.Status != coupon.ImportSucceeded {
		return
	}
	for line, value := range values {
		isRejected := slices.ContainsFunc(rejections,
			func(r string) bool { return strings.HasPrefix(r, fmt.Sprint(line+2, " ")) })
		if !isRejected {
			w.values = append(w.values, value)
		}
	}
	w.total[id] += i.RowsImported
}

func (w *world) importRedemptions(rt *rapid.T) {
	var file strings.Builder
	file.WriteString("code,date,reference,store,customer\n")
	var values []string
	for range rapid.IntRange(1, 5).Draw(rt, "rows") {
		value := pick(rt, w.values, "value")
		values = append(values, value)
		fmt.Fprintf(&file, "%s,2026-11-%02d,%s,%s,k-2\n", value,
			rapid.IntRange(1, 23).Draw(rt, "day"),
			rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "reference"),
			rapid.SampledFrom([]string{"", "x"}).Draw(rt, "store"))
	}
	i, rejections := w.runFile(rt, newImport(coupon.ImportRedemptions), file.String())
	imported := 0
	for line, value := range values {
		isRejected := slices.ContainsFunc(rejections,
			func(r string) bool { return strings.HasPrefix(r, fmt.Sprint(line+2, " ")) })
		if !isRejected {
			w.live[value]++
			imported++
		}
	}
	if i.RowsImported != imported {
		rt.Fatalf("%d imported, but %d not rejected", i.RowsImported, imported)
	}
	// Only now do these have numbers; the newest page names them.
	list, err := w.Redemptions(w.t.Context(), nil,
		coupon.Page{First: max(1, imported), WantsItems: true})
	if err != nil {
		rt.Fatal(err)
	}
	for _, r := range list.Items[:min(imported, len(list.Items))] {
		w.redeemed = append(w.redeemed, r.ID)
		w.owner[r.ID] = r.CodeValue
	}
}

func (w *world) upsertRecipients(rt *rapid.T) {
	n := rapid.IntRange(1, 12).Draw(rt, "recipient")
	changes := &coupon.RecipientChanges{
		ExternalID: fmt.Sprintf("r%d", n),
		Email:      coupon.Set(new(fmt.Sprintf("new%d@example.org", n))),
	}
	if rapid.Bool().Draw(rt, "opts out") {
		changes.IsContactable = coupon.Set(new(false))
	}
	if _, err := w.UpsertRecipients(w.t.Context(),
		[]*coupon.RecipientChanges{changes}); err != nil {
		rt.Fatal(err)
	}
}

// eraseRecipient erases somebody, whom the next upsert may bring back under another number.
func (w *world) eraseRecipient(rt *rapid.T) {
	id := pick(rt, w.recipients, "recipient")
	if _, err := w.EraseRecipients(w.t.Context(), []coupon.ID{id}, nil); err != nil {
		rt.Fatal(err)
	}
	found, err := w.RecipientsByID(w.t.Context(), []coupon.ID{id})
	if err != nil || found[id].ErasedAt == nil || found[id].Email != nil {
		rt.Fatalf("%+v, %v", found[id], err)
	}
}

// goOnWithBackup closes the database and goes on with one that a backup of it became.
func (w *world) goOnWithBackup() {
	backup := w.backUp(w.t)
	if err := w.Close(); err != nil {
		w.t.Fatal(err)
	}
	other, _ := w.restore(w.t, backup)
	w.Store, w.path = other.Store, other.path
}

func (w *world) createDelivery(rt *rapid.T) {
	id := pick(rt, w.coupons, "coupon")
	count := rapid.IntRange(0, len(w.recipients)).Draw(rt, "targets")
	var edits []func(*coupon.DeliveryChanges)
	if rapid.Bool().Draw(rt, "by label") {
		edits = append(edits, bySport)
	}
	edits = append(edits, reusing(rapid.SampledFrom([]coupon.CodeReuse{
		coupon.ReuseNewCode, coupon.ReuseSameCode, coupon.ReuseSkipHolders,
	}).Draw(rt, "reuse")))
	if limit := rapid.IntRange(0, 6).Draw(rt, "message limit"); limit > 0 {
		edits = append(edits,
			func(d *coupon.DeliveryChanges) { d.MessageLimit = coupon.Set(&limit) })
	}
	if rapid.IntRange(0, 3).Draw(rt, "later") == 0 {
		edits = append(edits, func(d *coupon.DeliveryChanges) {
			d.ContactAt = coupon.Set(new(coupon.DateTime("2026-11-25")))
		})
	}
	w.deliveries = append(w.deliveries, w.newDelivery(w.t, id, w.recipients[:count], edits...))
}

// onDelivery makes a step of a use case on one delivery. The use case is looked up at each step,
// since reopening changes the store.
func (w *world) onDelivery(
	do func(*db.Store, context.Context, coupon.ID) (*coupon.Delivery, error),
) func(*rapid.T) {
	return func(rt *rapid.T) {
		_, err := do(w.Store, w.t.Context(), pick(rt, w.deliveries, "delivery"))
		refused(rt, err)
	}
}

func (w *world) addTargets(rt *rapid.T) {
	_, err := w.AddTargets(w.t.Context(), pick(rt, w.deliveries, "delivery"),
		[]coupon.ID{pick(rt, w.recipients, "recipient")}, nil)
	refused(rt, err)
}

func (w *world) analyzeDelivery(rt *rapid.T) {
	_, _, err := w.AnalyzeDelivery(w.t.Context(), pick(rt, w.deliveries, "delivery"), fine)
	refused(rt, err)
}

func (w *world) confirmDelivery(rt *rapid.T) {
	id := pick(rt, w.deliveries, "delivery")
	held := w.delivery(w.t, id).Analysis
	d, err := w.ConfirmDelivery(w.t.Context(), id, fine)
	if refused(rt, err) {
		return
	}
	if held == nil || d.Counts.Total != held.MessageCount {
		rt.Fatalf("%d messages were confirmed, %+v analyzed", d.Counts.Total, held)
	}
}

// prepareAndSend does what seldom comes together by chance.
func (w *world) prepareAndSend(rt *rapid.T) {
	id := pick(rt, w.deliveries, "delivery")
	if _, _, err := w.AnalyzeDelivery(w.t.Context(), id, fine); refused(rt, err) {
		return
	}
	if _, err := w.ConfirmDelivery(w.t.Context(), id, fine); refused(rt, err) {
		return
	}
	w.sendOf(rt, id)
}

func (w *world) sendSome(rt *rapid.T) { w.sendOf(rt, pick(rt, w.deliveries, "delivery")) }

func (w *world) sendOf(rt *rapid.T, id coupon.ID) {
	if d := w.delivery(w.t, id); d.Status == coupon.DeliveryScheduled &&
		!d.ContactAt.After(w.Now()) {
		if err := w.BeginSending(w.t.Context(), id); err != nil {
			rt.Fatal(err)
		}
	}
	batch, err := w.NextBatch(w.t.Context(), id, rapid.IntRange(1, 5).Draw(rt, "batch"))
	if refused(rt, err) || batch == nil {
		return
	}
	if !batch.RetryAt.IsZero() {
		batch.Release()
		w.clock.Advance(coupon.MaxRetryDelay / 10)
		return
	}
	if rapid.Bool().Draw(rt, "can refuse") {
		w.handOver(rt, batch)
		return
	}
	outcome := &db.SentBatch{OutboxSize: batch.OutboxSize}
	for _, content := range batch.Contents {
		may, _, err := batch.MayLeave(w.t.Context(), &content)
		if err != nil {
			rt.Fatal(err)
		}
		switch {
		case !may:
			outcome.Withheld = append(outcome.Withheld, content)
		case rapid.IntRange(0, 5).Draw(rt, "fails") == 0:
			outcome.Failed = append(outcome.Failed, content)
			outcome.Failures = append(outcome.Failures, "It bounced.")
		default:
			outcome.Sent = append(outcome.Sent, content)
		}
	}
	if err := batch.Record(w.t.Context(), outcome); err != nil {
		rt.Fatal(err)
	}
}

// handOver hands a batch to a sender that refuses, postpones, leaves open and forgets to record.
func (w *world) handOver(rt *rapid.T, batch *db.Batch) {
	outcome := &db.SentBatch{OutboxSize: batch.OutboxSize}
	var handed []db.Content
	for _, content := range batch.Contents {
		if may, _, err := batch.MayLeave(w.t.Context(), &content); err != nil {
			rt.Fatal(err)
		} else if may {
			handed = append(handed, content)
		} else {
			outcome.Withheld = append(outcome.Withheld, content)
		}
	}
	if len(handed) > 0 {
		if err := batch.Begin(w.t.Context(), handed); err != nil {
			rt.Fatal(err)
		}
	}
	if rapid.IntRange(0, 4).Draw(rt, "dies") == 0 {
		batch.Release()
		return
	}
	repeats := rapid.Bool().Draw(rt, "repeats")
	for _, content := range handed {
		attempt := coupon.Attempt{
			Result: rapid.SampledFrom([]coupon.AttemptResult{
				coupon.AttemptOpen, coupon.AttemptAccepted, coupon.AttemptAccepted,
				coupon.AttemptPostponed, coupon.AttemptRefused, coupon.AttemptUnknown,
				coupon.AttemptWithheld,
			}).Draw(rt, "result"),
			MayBeSent: rapid.Bool().Draw(rt, "may be sent"), RepeatsBatch: repeats,
		}
		settlement := attempt.Settle(content.Counted+1, content.MayBeSent, w.Now(), 0.5)
		switch {
		case attempt.Result == coupon.AttemptOpen:
		case attempt.Result == coupon.AttemptWithheld:
			outcome.Withheld = append(outcome.Withheld, content)
		case settlement.Status == coupon.MessageSent:
			outcome.Sent = append(outcome.Sent, content)
		default:
			outcome.Refused = append(outcome.Refused, db.Refusal{
				Content: content, Settlement: settlement, RepeatsBatch: repeats,
				About: rapid.SampledFrom(
					[]coupon.AttemptSubject{coupon.AboutMessage, coupon.AboutLine},
				).Draw(rt, "about"),
			})
		}
	}
	if err := batch.Record(w.t.Context(), outcome); err != nil {
		rt.Fatal(err)
	}
}

// recordBounces reports something of messages, sent or not.
func (w *world) recordBounces(rt *rapid.T) {
	lists, err := w.DeliveryMessages(w.t.Context(), []coupon.ID{pick(rt, w.deliveries, "delivery")},
		nil, nil, nil, coupon.Page{First: 3, WantsItems: true})
	if err != nil {
		rt.Fatal(err)
	}
	var reports []*coupon.BounceInput
	for _, list := range lists {
		for _, m := range list.Items {
			reports = append(reports, &coupon.BounceInput{
				MessageID: &m.ID, Kind: rapid.SampledFrom(coupon.BounceKinds()).Draw(rt, "kind"),
				Reason: new("said the server"),
			})
		}
	}
	if len(reports) == 0 {
		rt.Skip("there is no message")
	}
	if _, err := w.RecordBounces(w.t.Context(), reports); err != nil {
		rt.Fatal(err)
	}
}

func (w *world) deleteDelivery(rt *rapid.T) {
	id := pick(rt, w.deliveries, "delivery")
	if !refused(rt, w.DeleteDelivery(w.t.Context(), id)) {
		w.deliveries = slices.DeleteFunc(w.deliveries,
			func(other coupon.ID) bool { return other == id })
	}
}

func (w *world) drawSelection(rt *rapid.T) *db.CodeSelection {
	selection := &db.CodeSelection{CouponID: pick(rt, w.coupons, "coupon")}
	if rapid.Bool().Draw(rt, "by value") {
		selection.Values = []string{pick(rt, w.values, "value"), pick(rt, w.values, "value")}
	} else {
		selection.Filter = &coupon.CodeFilter{Label: []string{w.drawLabel(rt)}}
	}
	return selection
}

func (w *world) voidCodes(rt *rapid.T) {
	_, err := w.VoidCodes(w.t.Context(), w.drawSelection(rt))
	refused(rt, err)
}

func (w *world) releaseCodes(rt *rapid.T) {
	selection, evenIfSent := w.drawSelection(rt), rapid.Bool().Draw(rt, "even if sent")
	_, _, _, err := w.ReleaseCodes(w.t.Context(), selection, evenIfSent, "mistake") //nolint:dogsled // only whether it fails matters
	refused(rt, err)
}

func (w *world) redeemCode(rt *rapid.T) {
	value := pick(rt, w.values, "value")
	request := &coupon.RedeemRequest{Value: value}
	if rapid.Bool().Draw(rt, "at a till") {
		request.Store, request.Customer = new(rapid.SampledFrom([]string{"x", "y"}).Draw(rt,
			"store")), new("k-1")
	}
	if rapid.Bool().Draw(rt, "with a key") {
		request.IdempotencyKey = new(fmt.Sprint(rapid.IntRange(1, 5).Draw(rt, "key")))
	}
	r, err := w.Redeem(w.t.Context(), request)
	if refused(rt, err) || slices.Contains(w.redeemed, r.ID) {
		return
	}
	w.redeemed = append(w.redeemed, r.ID)
	w.owner[r.ID] = value
	w.live[value]++
}

func (w *world) reverseRedemption(rt *rapid.T) {
	id := pick(rt, w.redeemed, "redemption")
	before, err := w.RedemptionsByID(w.t.Context(), []coupon.ID{id})
	if err != nil {
		rt.Fatal(err)
	}
	if _, err := w.Reverse(w.t.Context(), nil, id, nil); err != nil {
		rt.Fatal(err)
	}
	if before[id].ReversedAt == nil {
		w.live[w.owner[id]]--
	}
}
