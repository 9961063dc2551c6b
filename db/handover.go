package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// flight is a batch that began and is not recorded yet.
type flight struct {
	batch int64
	// left counts the messages that the sender may have handed over.
	left atomic.Int64
}

// openBatches returns the batches that senders are busy with, whose messages are theirs until they
// are recorded.
func (t *turn) openBatches() []int64 {
	open := []int64{}
	t.store.flights.Range(func(_, known any) bool {
		open = append(open, known.(*flight).batch) //nolint:forcetypeassert // nothing else is stored
		return true
	})
	return open
}

// inFlight returns how many messages of a delivery a sender is busy with.
func (s *Store) inFlight(id coupon.ID) int {
	if known, isKnown := s.flights.Load(id); isKnown {
		return int(known.(*flight).left.Load()) //nolint:forcetypeassert // nothing else is stored
	}
	return 0
}

// standing is what was known at a revision of what all messages of a batch have in common.
type standing struct {
	mu       sync.Mutex
	revision int64
	status   coupon.DeliveryStatus
}

// MayLeave decides by what holds now whether a message of the batch may be handed over: a reason
// says why it never may. It costs nearly nothing as long as nothing has changed since the batch was
// read. It may be asked by several goroutines at once.
func (b *Batch) MayLeave(ctx context.Context, content *Content) (
	may bool, never coupon.CancelReason, err error,
) {
	b.standing.mu.Lock()
	defer b.standing.mu.Unlock()
	if b.store.memory.IsTouched(b.standing.revision, b.topics()...) {
		if err := b.refresh(ctx, b.store.engine, b.Contents); err != nil {
			return false, "", fmt.Errorf("judge messages of %s: %w", b.Delivery.ID, err)
		}
	}
	// The caller's may be a copy: what is known of the recipient is the batch's.
	may, never = b.judge(&b.Contents[content.place], b.standing.status, b.store.now())
	return may, never, nil
}

// Leave is MayLeave for one that leaves at once if it may: from then on it counts as being in
// flight.
func (b *Batch) Leave(ctx context.Context, content *Content) (bool, error) {
	may, _, err := b.MayLeave(ctx, content)
	if err != nil || !may || b.ID == 0 {
		return may, err
	}
	isNew, err := b.store.departures.leave(b.ID,
		coupon.MustNumber(coupon.KindMessage, content.MessageID))
	if err != nil {
		return false, err
	}
	if known, isKnown := b.store.flights.Load(b.Delivery.ID); isKnown && isNew {
		known.(*flight).left.Add(1) //nolint:forcetypeassert // nothing else is stored
	}
	return true, nil
}

// Answer notes that the sender knows whether a message of the batch was taken, so that it is known
// after a crash as well.
func (b *Batch) Answer(content *Content, isTaken bool) error {
	if b.ID == 0 {
		return nil
	}
	return b.store.departures.answer(b.ID,
		coupon.MustNumber(coupon.KindMessage, content.MessageID), isTaken)
}

// IsInterrupted reports whether nobody knows what became of the batch: it was handed over, and the
// server ended before it was recorded. IsOver reports whether its delivery was stopped since, so
// that it must not be handed over again.
func (b *Batch) IsInterrupted() (is, isOver bool) {
	return b.chosen.isInFlight, b.Delivery.Status == coupon.DeliveryStopped
}

// isRepeated reports whether the batch is handed over once more, after nobody heard what became of
// it.
func (b *Batch) isRepeated() bool { return b.chosen.isInFlight && !b.isAbandoned }

// Abandon returns the outcome of an interrupted batch that must not be handed over again. What left
// and was not answered is unknown; what did not leave, or was not taken, was surely not handed
// over.
func (b *Batch) Abandon() *SentBatch {
	b.ID, b.Number, b.isAbandoned = b.chosen.batchID, b.chosen.number, true
	outcome := &SentBatch{OutboxSize: b.OutboxSize}
	for _, content := range b.Contents {
		number := coupon.MustNumber(coupon.KindMessage, content.MessageID)
		switch b.store.departures.of(b.ID, number) {
		case taken:
			outcome.Sent = append(outcome.Sent, content)
		case left:
			outcome.Refused = append(outcome.Refused, Refusal{
				Content: content, Settlement: coupon.Settlement{
					Status: coupon.MessageUnknown, Failure: interruptedReason, MayBeSent: true,
				},
			})
		case stayed, returned:
			content.MayBeSent = b.waiting[number].mightBeSent
			outcome.Withheld = append(outcome.Withheld, content)
		}
	}
	return outcome
}

// settleDepartures records what is known of the batches that a killed server left open, before
// anybody may pause, stop, erase or release what is in them: what was answered is sent, what did
// not leave waits as before. Only what left and was not answered stays in flight. Where that cannot
// be recorded now, it is known all the same as long as this server runs.
func (s *Store) settleDepartures(ctx context.Context) error {
	noted := s.departures.open()
	if len(noted) == 0 {
		return nil
	}
	type open struct{ batch, delivery int64 }
	batches, err := duckdb.Collect(ctx, s.engine, attemptOpen,
		func(rows *sql.Rows) (o open, err error) {
			return o, rows.Scan(&o.batch, &o.delivery)
		}, named("batches", noted))
	if err != nil {
		return err
	}
	for _, o := range batches {
		noted = slices.DeleteFunc(noted, func(batch int64) bool { return batch == o.batch })
		if err := s.settleDeparture(ctx, coupon.NewID(coupon.KindDelivery, o.delivery),
			o.batch); err != nil {
			s.addNotice(err.Error())
		}
	}
	// The others were recorded, or never began.
	if err := s.departures.forget(noted...); err != nil {
		s.addNotice(err.Error())
	}
	return nil
}

func (s *Store) settleDeparture(ctx context.Context, id coupon.ID, batch int64) (err error) {
	leave := s.watchers.lock(id, &s.watchers.batches)
	b := &Batch{store: s, unlock: s.watchers.lockSending(id), leave: leave, standing: standing{
		revision: s.memory.Revision(),
	}}
	isRecorded := false
	defer func() {
		if !isRecorded {
			b.unlock()
			b.leave()
		}
		// What stays in flight is as it was.
		s.forgetWaiting(id)
	}()
	if b.Delivery, err = s.delivery(ctx, id); err != nil {
		return err
	}
	b.standing.status = b.Delivery.Status
	states, err := s.sendingStates(ctx, coupon.MustNumber(coupon.KindDelivery, id))
	if err != nil {
		return err
	}
	b.OutboxSize = states[0].outboxed
	if b.waiting, err = s.waitingOf(ctx, id); err != nil {
		return err
	}
	b.chosen = b.waiting.inFlight(batch)
	if len(b.chosen.messages) == 0 {
		return nil
	}
	if err := b.takeWaiting(ctx); err != nil {
		return err
	}
	outcome := b.Abandon()
	outcome.Refused = nil
	if len(outcome.Sent)+len(outcome.Withheld) == 0 {
		return nil
	}
	if err := b.Record(ctx, outcome); err != nil {
		return err
	}
	isRecorded = true
	return nil
}

func (b *Batch) topics() []memory.Topic {
	topics := []memory.Topic{memory.Topic(b.Delivery.ID), memory.AllRecipients, memory.Quarantine}
	if b.Delivery.CouponID != nil {
		topics = append(topics, memory.Topic(*b.Delivery.CouponID))
	}
	return topics
}

// isOver returns the reason for which none of the delivery's messages may leave any more; "": there
// is none.
func (b *Batch) isOver() (reason coupon.CancelReason) {
	if b.Delivery.CouponID == nil {
		return ""
	}
	b.store.memory.Read(func(v memory.View) {
		if c, own := v.Standing(coupon.MustNumber(coupon.KindCoupon, *b.Delivery.CouponID),
			0); c != nil {
			reason = c.ForbidsAll(own.Count, b.store.now())
		}
	})
	return reason
}

// refresh reads again what the judgement of messages rests on and memory does not have.
func (b *Batch) refresh(ctx context.Context, q duckdb.Querier, contents []Content) error {
	revision := b.store.memory.Revision()
	number := coupon.MustNumber(coupon.KindDelivery, b.Delivery.ID)
	found, err := readDeliveries(ctx, q, []int64{number})
	if err != nil {
		return err
	}
	status := coupon.DeliveryStopped
	if d := found[b.Delivery.ID]; d != nil {
		status = d.Status
	}
	if err := refreshConsent(ctx, q, contents); err != nil {
		return err
	}
	if b.isAsked {
		status = ""
	}
	b.standing.revision, b.standing.status = revision, status
	return nil
}

func refreshConsent(ctx context.Context, q duckdb.Querier, contents []Content) error {
	if len(contents) == 0 {
		return nil
	}
	numbers := make([]int64, len(contents))
	places := make(map[int64]int, len(contents))
	for i := range contents {
		numbers[i] = coupon.MustNumber(coupon.KindMessage, contents[i].MessageID)
		places[numbers[i]] = i
		contents[i].IsErased, contents[i].HasObjected, contents[i].IsQuarantined = false,
			false, false
	}
	return duckdb.Each(ctx, q, messageConsent, func(rows *sql.Rows) error {
		var number int64
		var isErased, hasObjected, isQuarantined bool
		err := rows.Scan(&number, &isErased, &hasObjected, &isQuarantined)
		content := &contents[places[number]]
		content.IsErased, content.HasObjected, content.IsQuarantined = isErased, hasObjected,
			isQuarantined
		return err
	}, between(numbers)...)
}

// judge asks the rule of a message.
func (b *Batch) judge(content *Content, status coupon.DeliveryStatus, now time.Time) (
	may bool, never coupon.CancelReason,
) {
	return b.situation(content, status, now).MayLeave()
}

// situation returns what holds of a message, with what memory knows of its code and coupon.
func (
	b *Batch,
) situation(content *Content, status coupon.DeliveryStatus, now time.Time) *coupon.Situation {
	situation := coupon.Situation{
		Now: now, Delivery: status, IsReturned: content.IsReturned, IsErased: content.IsErased,
		HasObjected:   content.HasObjected,
		IsQuarantined: content.IsQuarantined,
	}
	if b.Delivery.CouponID != nil {
		code := int64(0)
		for _, id := range []*coupon.ID{content.CodeID, content.RepeatedCodeID} {
			if id != nil {
				code = coupon.MustNumber(coupon.KindCode, *id)
			}
		}
		b.store.memory.Read(func(v memory.View) {
			situation.Coupon, situation.Code = v.Standing(
				coupon.MustNumber(coupon.KindCoupon, *b.Delivery.CouponID), code,
			)
		})
	}
	return &situation
}

// settledPart are messages with the same outcome.
type settledPart struct {
	outcome  coupon.MessageStatus
	contents []Content
	failures []string
	reasons  []coupon.CancelReason
}

func (p *settledPart) fail(content Content, failure string) {
	// What a sender said may name the recipient.
	if content.IsErased {
		failure = coupon.CancelErased.Text()
	}
	p.contents, p.failures = append(p.contents, content), append(p.failures, failure)
}

// settled is what becomes of the messages of a batch.
type settled struct {
	sent, failed, unknown, canceled settledPart
	// refused are attempts that were not taken and not canceled; kept the withheld messages that
	// stay as they were.
	refused []Refusal
	kept    []Content
	// withheld are those that were withheld, without what others settled meanwhile.
	withheld []Content
	// isStale: others settled some.
	isStale bool
}

func (s *settled) parts() []*settledPart {
	return []*settledPart{&s.sent, &s.failed, &s.unknown, &s.canceled}
}

// count is how many messages are final.
func (s *settled) count() int {
	count := 0
	for _, part := range s.parts() {
		count += len(part.contents)
	}
	return count
}

// settle decides what becomes of the messages of a batch, by what holds in the turn.
func (b *Batch) settle(ctx context.Context, t *turn, given *SentBatch) (*settled, error) {
	outcome, err := b.unsettled(ctx, t, given)
	if err != nil {
		return nil, err
	}
	done := &settled{
		sent:     settledPart{outcome: coupon.MessageSent, contents: outcome.Sent},
		failed:   settledPart{outcome: coupon.MessageFailed},
		unknown:  settledPart{outcome: coupon.MessageUnknown},
		canceled: settledPart{outcome: coupon.MessageCanceled},
		withheld: outcome.Withheld,
		isStale:  len(outcome.Withheld)+len(outcome.Failed) < len(given.Withheld)+len(given.Failed),
	}
	b.standing.mu.Lock()
	defer b.standing.mu.Unlock()
	if err := b.refreshOutcome(ctx, t, outcome); err != nil {
		return nil, err
	}
	cancel := func(content Content, reason coupon.CancelReason) {
		done.canceled.contents = append(done.canceled.contents, content)
		done.canceled.failures, done.canceled.reasons = append(done.canceled.failures,
			reason.Text()), append(done.canceled.reasons, reason)
	}
	fail := (*settledPart).fail
	for i := range outcome.Failed {
		fail(&done.failed, outcome.Failed[i], outcome.Failures[i])
	}
	for i := range outcome.Refused {
		refused := outcome.Refused[i]
		content := refused.Content
		content.MayBeSent = refused.Settlement.MayBeSent
		if content.IsErased {
			refused.Settlement.Failure = coupon.CancelErased.Text()
		}
		switch refused.Settlement.Status {
		case coupon.MessageUnknown:
			fail(&done.unknown, content, refused.Settlement.Failure)
			continue
		case coupon.MessageFailed:
			fail(&done.failed, content, refused.Settlement.Failure)
		default:
			if _, never := b.judge(&content, b.standing.status, t.now); never != "" {
				cancel(content, never)
				refused.Settlement.Status, refused.Settlement.RetryAt = coupon.MessageCanceled,
					time.Time{}
			}
		}
		done.refused = append(done.refused, refused)
	}
	for _, content := range outcome.Withheld {
		_, never := b.judge(&content, b.standing.status, t.now)
		switch {
		case never == "" && content.MayBeSent && b.chosen.batchID != 0 && outcome.isAnswered():
			// It may have been taken with the batch before, whose key is used up now.
			fail(&done.unknown, content, withheldReason)
		case never == "":
			done.kept = append(done.kept, content)
		case b.isRepeated():
			// It may have been taken when the batch was handed over before.
			fail(&done.unknown, content, interruptedReason)
		default:
			cancel(content, never)
		}
	}
	return done, nil
}

// refreshOutcome reads anew what is known of the messages of an outcome, if anything of it may have
// changed.
func (b *Batch) refreshOutcome(ctx context.Context, t *turn, outcome *SentBatch) error {
	if !b.store.memory.IsTouched(b.standing.revision, b.topics()...) {
		return nil
	}
	if err := b.refresh(ctx, t, nil); err != nil {
		return err
	}
	for _, contents := range [][]Content{outcome.Failed, outcome.Withheld} {
		if err := refreshConsent(ctx, t, contents); err != nil {
			return err
		}
	}
	refused := make([]Content, len(outcome.Refused))
	for i := range refused {
		refused[i] = outcome.Refused[i].Content
	}
	if err := refreshConsent(ctx, t, refused); err != nil {
		return err
	}
	for i := range refused {
		outcome.Refused[i].Content = refused[i]
	}
	return nil
}

// unsettled returns an outcome without messages that others settled since the batch began: those
// that it has and that were not handed over are in no open batch, so that a stop, an erasure or a
// release cancels them.
func (b *Batch) unsettled(ctx context.Context, t *turn, outcome *SentBatch) (*SentBatch, error) {
	var numbers []int64
	for _, contents := range [][]Content{outcome.Withheld, outcome.Failed} {
		for i := range contents {
			numbers = append(numbers, coupon.MustNumber(coupon.KindMessage, contents[i].MessageID))
		}
	}
	if b.ID == 0 || len(numbers) == 0 {
		return outcome, nil
	}
	known, err := duckdb.Collect(ctx, t, sendingSettled, duckdb.ScanInto[int64],
		between(numbers)...)
	if err != nil || len(known) == 0 {
		return outcome, err
	}
	slices.Sort(known)
	isSettled := isIn(known)
	left := *outcome
	left.Withheld, left.Failed, left.Failures = nil, nil, nil
	for i := range outcome.Withheld {
		if !isSettled(coupon.MustNumber(coupon.KindMessage, outcome.Withheld[i].MessageID)) {
			left.Withheld = append(left.Withheld, outcome.Withheld[i])
		}
	}
	for i := range outcome.Failed {
		if !isSettled(coupon.MustNumber(coupon.KindMessage, outcome.Failed[i].MessageID)) {
			left.Failed, left.Failures = append(left.Failed,
				outcome.Failed[i]), append(left.Failures, outcome.Failures[i])
		}
	}
	return &left, nil
}

// withheldReason is what is said of a message that was held back from a batch which came again and
// was answered.
const withheldReason = "Sending was paused while the batch was handed over once more. Nobody knows whether the message was taken before."

// isAnswered reports whether the sender told of single messages what became of them.
func (s *SentBatch) isAnswered() bool {
	return len(s.Sent) > 0 ||
		slices.ContainsFunc(s.Refused, func(r Refusal) bool { return !r.RepeatsBatch })
}

// takeBack takes the attempts of withheld messages back, which were not made. It reports whether
// messages stay as they were. An attempt before a crash, whose outcome nobody knows, stands.
func (b *Batch) takeBack(ctx context.Context, t *turn, withheld []Content, done *settled) (
	isKept bool, err error,
) {
	if b.ID == 0 || len(withheld) == 0 || b.isRepeated() {
		return len(done.kept) > 0, nil
	}
	numbers := make([]int64, len(withheld))
	var free []int64
	for i := range withheld {
		numbers[i] = coupon.MustNumber(coupon.KindMessage, withheld[i].MessageID)
		if withheld[i].CodeID != nil && !withheld[i].MayBeSent {
			free = append(free, coupon.MustNumber(coupon.KindCode, *withheld[i].CodeID))
		}
	}
	t.change(func(c memory.Change) { c.Update(free, 0, coupon.StateSent) })
	_, err = t.Exec(ctx, attemptWithdraw, named("ids", numbers), named("batch_id", b.ID),
		named("number", b.Number))
	return len(done.kept) > 0, err
}

// giveBack returns the codes of messages that were surely not handed over back to the pool. A code
// that is worth nothing any more stays where it is, and so does one that somebody redeemed.
func (b *Batch) giveBack(ctx context.Context, t *turn, done *settled) error {
	isFree := func(c *Content) bool {
		return !c.MayBeSent && !c.IsReturned &&
			!t.store.memory.State(coupon.MustNumber(coupon.KindCode, *c.CodeID)).Has(
				coupon.StateVoided|coupon.StateRedeemed,
			)
	}
	if err := t.release(ctx, codesOf(done.failed.contents, isFree),
		"the message could not be sent"); err != nil {
		return err
	}
	return t.release(ctx, codesOf(done.canceled.contents, isFree), "the message was canceled")
}

// CanceledBy tells for which reasons messages of each delivery were canceled.
func (s *Store) CanceledBy(ctx context.Context, deliveries []coupon.ID) (
	map[coupon.ID][]*coupon.CancelCount, error,
) {
	counts := make(map[coupon.ID][]*coupon.CancelCount, len(deliveries))
	err := duckdb.Each(ctx, s.engine, deliveryCanceled, func(rows *sql.Rows) error {
		var number int64
		var count coupon.CancelCount
		err := rows.Scan(&number, &count.Reason, &count.Count)
		id := coupon.NewID(coupon.KindDelivery, number)
		counts[id] = append(counts[id], &count)
		return err
	}, named("ids", numbersOf(coupon.KindDelivery, deliveries)))
	for _, of := range counts {
		slices.SortFunc(of, func(a, b *coupon.CancelCount) int {
			return slices.Index(coupon.CancelReasons(),
				a.Reason) - slices.Index(coupon.CancelReasons(), b.Reason)
		})
	}
	return counts, err
}

// PendingOfCoupon counts the messages of a coupon that are still to be sent.
func (s *Store) PendingOfCoupon(ctx context.Context, id coupon.ID) (int, error) {
	number, err := id.Number(coupon.KindCoupon)
	if err != nil {
		return 0, err
	}
	return duckdb.One[int](ctx, s.engine, couponPending, named("id", number))
}

// PendingOfObjectors counts the messages that are still to be sent to those of the recipients who
// must not be contacted.
func (s *Store) PendingOfObjectors(ctx context.Context, recipients []*coupon.Recipient) (
	int, error,
) {
	var numbers []int64
	for _, r := range recipients {
		if !r.IsContactable {
			numbers = append(numbers, coupon.MustNumber(coupon.KindRecipient, r.ID))
		}
	}
	if len(numbers) == 0 {
		return 0, nil
	}
	return duckdb.One[int](ctx, s.engine, recipientPending, named("ids", numbers))
}

// countPending counts, by a statement, messages that are still to be sent. Where no delivery has
// any, which is most of the time, what the statement reads is not looked at.
func (t *tx) countPending(ctx context.Context, statement string) (int, error) {
	areSome, err := duckdb.One[bool](ctx, t, deliveryOpen)
	if err != nil || !areSome {
		return 0, err
	}
	return duckdb.One[int](ctx, t, statement)
}

// pendingOf counts the messages with some of the codes, which are in order, that are still to be
// sent.
func (t *tx) pendingOf(ctx context.Context, codes []int64) (int, error) {
	held := t.store.memory.KeepStates(slices.Clone(codes),
		func(_ int64, state coupon.CodeState) bool { return state.Has(coupon.StateAssigned) })
	if len(held) == 0 {
		return 0, nil
	}
	return duckdb.One[int](ctx, t, codePending, between(held)...)
}
