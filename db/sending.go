package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// Due is a delivery that is to be sent.
type Due struct {
	ID coupon.ID
	// At is when; the zero time means now.
	At time.Time
}

// DueDeliveries returns the deliveries that are to be sent now or later.
func (s *Store) DueDeliveries(ctx context.Context) ([]Due, error) {
	return duckdb.Collect(ctx, s.engine, deliveryWaiting, func(rows *sql.Rows) (Due, error) {
		var number int64
		var status coupon.DeliveryStatus
		var contactAt sql.NullTime
		err := rows.Scan(&number, &status, &contactAt)
		due := Due{ID: coupon.NewID(coupon.KindDelivery, number)}
		if status == coupon.DeliveryScheduled {
			due.At = contactAt.Time
		}
		return due, err
	})
}

// BeginSending makes a SCHEDULED delivery whose time has come IN_PROGRESS. One that is not
// SCHEDULED any more is left alone.
func (s *Store) BeginSending(ctx context.Context, id coupon.ID) error {
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		number, d, err := t.delivery(ctx, id)
		if err != nil || d.Status != coupon.DeliveryScheduled {
			return err
		}
		t.onCommit(func() { s.watchers.notify(id) })
		return t.setStatus(ctx, number, coupon.DeliveryInProgress, nil,
			"The contact time has come. Sending begins.")
	})
}

// Content is what is needed to render one message.
type Content struct {
	MessageID   coupon.ID
	RecipientID coupon.ID
	Address     string
	// CodeID is the code that the message gives. RepeatedCodeID is one that an earlier message
	// gave, and nothing that becomes of this one changes it.
	CodeID, RepeatedCodeID *coupon.ID
	Data                   coupon.MessageData
	// IsReturned: the message's code went back to the pool.
	IsReturned bool
	// IsErased and HasObjected are what holds of the recipient, IsQuarantined of the address.
	IsErased, HasObjected, IsQuarantined bool
	// Counted is how many attempts were made of those that a message has.
	Counted int
	// place is that in the batch.
	place int
	// MayBeSent: an earlier attempt may have reached the recipient.
	MayBeSent bool
}

// Batch is a part of a delivery's messages on its way to the sender, until it is recorded or
// released. Pause, stop and erasures wait until it begins, or is recorded when it does not; from
// then on they leave its messages to it.
type Batch struct {
	store *Store
	// unlock lets go of the delivery's sending, and leave of its batches.
	unlock, leave func()
	Delivery      *coupon.Delivery
	Coupon        *coupon.Coupon
	Contents      []Content
	// OutboxSize is how far the delivery's outbox file holds messages that are recorded as sent.
	OutboxSize int64
	// RetryAt: there are no contents, but messages that wait for their next attempt then.
	RetryAt time.Time
	// ID and Number are set by Begin: the same batch has the same id whenever it is handed over,
	// and each of its messages makes its attempt with this number.
	ID     int64
	Number int
	// waiting is what is known of the delivery's waiting messages; chosen says how the batch was
	// chosen.
	waiting waitingMessages
	chosen  choice
	// next is the first message that no batch has had yet; 0: the batch has none of those.
	next     int64
	standing standing
	// isAbandoned: it was interrupted, and is not handed over again. isAsked: a person asks for its
	// message, whatever the delivery does.
	isAbandoned, isAsked bool
}

// NextBatch returns the next at most limit messages of a delivery that is IN_PROGRESS, or nil when
// it is not: a batch that a crash interrupted, messages that are to be handed over again, or else
// new ones. A batch without contents means that nothing can be sent now: until RetryAt, or, without
// one, because all are done: Record it to finish the delivery.
func (s *Store) NextBatch(ctx context.Context, id coupon.ID, limit int) (batch *Batch, err error) {
	leave := s.watchers.lock(id, &s.watchers.batches)
	unlock := s.watchers.lockSending(id)
	defer func() {
		if batch == nil {
			unlock()
			leave()
		}
	}()
	revision := s.memory.Revision()
	d, err := s.delivery(ctx, id)
	if err != nil {
		return nil, err
	}
	// Of a stopped one that a crash interrupted, the batch is still to be settled.
	isInterrupted := d.Status == coupon.DeliveryStopped && d.Counts.Pending > 0
	if d.Status != coupon.DeliveryInProgress && !isInterrupted {
		s.forgetSending(id)
		return nil, nil //nolint:nilnil // there is nothing to send
	}
	number := coupon.MustNumber(coupon.KindDelivery, id)
	waiting, err := s.waitingOf(ctx, id)
	if err != nil {
		return nil, err
	}
	states, err := s.sendingStates(ctx, number)
	if err != nil {
		return nil, err
	}
	next := &Batch{
		store: s, unlock: unlock, leave: leave, Delivery: d, OutboxSize: states[0].outboxed,
		waiting: waiting,
	}
	next.standing = standing{revision: revision, status: d.Status}
	if next.Coupon, err = s.couponOf(ctx, d); err != nil {
		return nil, err
	}
	if over := next.isOver(); over != "" && !isInterrupted {
		return nil, s.stopOver(ctx, id, over)
	}
	next.chosen = waiting.choose(s.moment(), limit)
	if isInterrupted && !next.chosen.isInFlight {
		return nil, fmt.Errorf("settle %s: it has pending messages that are in no batch", id)
	}
	if len(next.chosen.messages) > 0 {
		if err := next.takeWaiting(ctx); err != nil {
			return nil, err
		}
		return next, nil
	}
	if err := next.takeNew(ctx, states[0].first+states[0].count-1, limit); err != nil {
		return nil, err
	}
	if len(next.Contents) == 0 {
		next.RetryAt = next.retryAt()
	}
	next.number()
	return next, nil
}

// sendingRows is where the sending of a delivery stands in its row.
type sendingRows struct {
	status                 string
	first, count, outboxed int64
}

func (s *Store) sendingStates(ctx context.Context, number int64) ([]sendingRows, error) {
	return duckdb.Collect(ctx, s.engine.Planned(), sendingState,
		func(rows *sql.Rows) (sendingRows, error) {
			var st sendingRows
			err := rows.Scan(&st.status, &st.first, &st.count, &st.outboxed)
			return st, err
		}, named("id", number))
}

// takeWaiting returns the batch the waiting messages that were chosen.
func (b *Batch) takeWaiting(ctx context.Context) (err error) {
	numbers := b.chosen.messages
	number := coupon.MustNumber(coupon.KindDelivery, b.Delivery.ID)
	b.Contents, err = b.store.contents(ctx, number, slices.Min(numbers),
		slices.Max(numbers), numbers)
	for i := range b.Contents {
		known := b.waiting[coupon.MustNumber(coupon.KindMessage, b.Contents[i].MessageID)]
		b.Contents[i].MayBeSent, b.Contents[i].Counted = known.mayBeSent, known.counted
	}
	b.number()
	return err
}

// takeNew returns the batch the next messages that were never tried, in the order of their numbers,
// of which last is the last one.
func (b *Batch) takeNew(ctx context.Context, last int64, limit int) error {
	s, number := b.store, coupon.MustNumber(coupon.KindDelivery, b.Delivery.ID)
	var begin int64
	if known, isKnown := s.next.Load(b.Delivery.ID); isKnown {
		begin = known.(int64) //nolint:forcetypeassert // nothing else is stored
	} else {
		var err error
		if begin, err = duckdb.One[int64](ctx, s.engine.Planned(), messageFirstPending,
			named("id", number)); err != nil {
			return err
		}
	}
	for ; begin != 0 && begin <= last && len(b.Contents) == 0; begin += int64(limit) {
		contents, err := s.contents(ctx, number, begin, min(last, begin+int64(limit)-1), nil)
		if err != nil {
			return err
		}
		b.Contents = slices.DeleteFunc(contents, func(c Content) bool {
			return b.waiting[coupon.MustNumber(coupon.KindMessage, c.MessageID)] != nil
		})
		b.next = begin + int64(limit)
	}
	return nil
}

// retryAt returns when there is something to do with what waits; the zero time: nothing waits.
func (b *Batch) retryAt() time.Time {
	at := b.waiting.nextRetry(b.store.moment())
	// What waits is over with its coupon.
	if c := b.Coupon; c != nil && c.EndsAt != nil && !at.IsZero() && c.EndsAt.Before(at) {
		return *c.EndsAt
	}
	return at
}

func (b *Batch) number() {
	for i := range b.Contents {
		b.Contents[i].place = i
	}
}

func (s *Store) contents(ctx context.Context, number, first, last int64, ids []int64) (
	[]Content, error,
) {
	var wanted any
	if ids != nil {
		wanted = ids
	}
	return duckdb.Collect(ctx, s.engine.Planned(), messageContent,
		func(rows *sql.Rows) (Content, error) {
			var c Content
			var messageNumber, recipientNumber int64
			var codeNumber, repeatedNumber *int64
			var code, label, externalID, attributes *string
			var isReturned, isErased, hasObjected, isQuarantined *bool
			r := &c.Data.Recipient
			err := rows.Scan(
				&messageNumber,
				&recipientNumber,
				&c.Address,
				&codeNumber,
				&repeatedNumber,
				&code,
				&label,
				&externalID,
				&r.Email,
				&r.Phone,
				&r.FirstName,
				&r.LastName,
				&attributes,
				&isReturned,
				&isErased,
				&hasObjected,
				&isQuarantined,
			)
			c.MessageID, c.RecipientID = coupon.NewID(coupon.KindMessage,
				messageNumber), coupon.NewID(coupon.KindRecipient, recipientNumber)
			c.CodeID = coupon.NewIDPtr(coupon.KindCode, codeNumber)
			c.RepeatedCodeID = coupon.NewIDPtr(coupon.KindCode, repeatedNumber)
			r.ExternalID, r.Attributes = orEmpty(externalID), coupon.JSON(orEmpty(attributes))
			if code != nil {
				c.Data.CouponValue = &coupon.CodeData{Code: *code, Label: orEmpty(label)}
			}
			isSo := func(flag *bool) bool { return flag != nil && *flag }
			c.IsReturned, c.IsErased, c.HasObjected, c.IsQuarantined = isSo(isReturned),
				isSo(isErased),
				isSo(hasObjected), isSo(isQuarantined)
			return c, err
		}, named("id", number), named("first", first), named("last", last), named("ids", wanted))
}

// SentBatch is what became of the messages of a batch. One that is not in it stays as it is.
type SentBatch struct {
	// Sent are the messages that the sender took; Failed those that were not handed over and never
	// will be, with the reason.
	Sent     []Content
	Failed   []Content
	Failures []string
	// Refused are the messages that the sender did not take.
	Refused []Refusal
	// Withheld are those that were surely not handed over, since they may not leave: Record judges
	// them again.
	Withheld []Content
	// SenderProblem is what the other server said against the sender itself; "": nothing.
	SenderProblem string
	OutboxSize    int64
}

// Refusal is what becomes of a message that the sender did not take: it fails or waits.
type Refusal struct {
	Content

	Settlement coupon.Settlement
	// RepeatsBatch: the message is handed over again with its batch.
	RepeatsBatch bool
	// About is what the refusal is about. What is not about the message is none of its attempts.
	About coupon.AttemptSubject
	// NotBefore is when the sender wants to see the next messages, at the earliest; it is not
	// recorded.
	NotBefore time.Time
}

// NameRecipients fills in the external ids of recipients whose messages have none: mail has it only
// where the templates use it, since a million copies cost more than a look for those that go out
// now. An external id never changes as long as there is something to send.
func (b *Batch) NameRecipients(ctx context.Context) error {
	var missing []coupon.ID
	for i := range b.Contents {
		if b.Contents[i].Data.Recipient.ExternalID == "" {
			missing = append(missing, b.Contents[i].RecipientID)
		}
	}
	found, err := b.store.RecipientsByID(ctx, missing)
	if err != nil {
		return fmt.Errorf("name the recipients of %s: %w", b.Delivery.ID, err)
	}
	for i := range b.Contents {
		content := &b.Contents[i]
		if r := found[content.RecipientID]; r != nil {
			content.Data.Recipient.ExternalID = r.ExternalID
		}
	}
	return nil
}

// Begin records that messages of the batch are being handed over to a sender that may leave open
// what became of them. When the server dies before the batch is recorded, they are handed over
// again as the same batch.
func (b *Batch) Begin(ctx context.Context, contents []Content) error {
	s := b.store
	numbers := make([]int64, len(contents))
	var codes []int64
	for i := range contents {
		numbers[i] = coupon.MustNumber(coupon.KindMessage, contents[i].MessageID)
		if contents[i].CodeID != nil {
			codes = append(codes, coupon.MustNumber(coupon.KindCode, *contents[i].CodeID))
		}
	}
	// Without those that may not leave any more it is still the same batch, which the other side
	// may have.
	isSame, size := b.chosen.batchID != 0, len(contents)
	if isSame {
		size = b.chosen.batchSize
	}
	if isSame && b.chosen.isInFlight {
		b.ID, b.Number = b.chosen.batchID, b.chosen.number
		err := s.update(ctx, func(_ context.Context, t *turn) error {
			t.change(func(memory.Change) { s.flights.Store(b.Delivery.ID, &flight{batch: b.ID}) })
			return nil
		})
		if err != nil {
			return fmt.Errorf("repeat a batch of %s: %w", b.Delivery.ID, err)
		}
		b.depart()
		return nil
	}
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		b.ID, b.Number = b.chosen.batchID, b.chosen.number+1
		if !isSame {
			var err error
			if b.ID, err = t.nextNumber(ctx, numberOfBatches); err != nil {
				return err
			}
		}
		// It is on the disk before the rows are.
		if err := s.departures.begin(b.ID); err != nil {
			return err
		}
		// Until the sender answers the codes count as sent.
		t.change(func(c memory.Change) {
			c.Update(codes, coupon.StateSent, 0)
			s.flights.Store(b.Delivery.ID, &flight{batch: b.ID})
		})
		_, err := t.Exec(
			ctx,
			attemptInsert,
			named("ids", numbers),
			named("delivery_id", coupon.MustNumber(coupon.KindDelivery, b.Delivery.ID)),
			named("number", b.Number),
			named("batch_id", b.ID),
			named("size", size),
			named("now", t.now),
		)
		return err
	})
	if err != nil {
		return fmt.Errorf("begin a batch of %s: %w", b.Delivery.ID, err)
	}
	for i, number := range numbers {
		b.waiting[number] = &waitingMessage{
			number: b.Number, batchID: b.ID, batchSize: size, isInFlight: true, mayBeSent: true,
			mightBeSent: contents[i].MayBeSent,
			counted:     contents[i].Counted,
		}
	}
	b.depart()
	return nil
}

// depart lets go of the delivery's sending: the batch began, and others leave its messages alone.
func (b *Batch) depart() {
	b.unlock()
	b.unlock = func() {}
}

// Record records what became of a batch, in one transaction: which messages were sent, which failed
// or are unknown, which wait, and how far the outbox file is valid. What is still to be handed over
// is judged once more, and canceled when it never may be. Codes of what failed or is canceled go
// back to the pool, unless they may be on their way. When no message is pending any more the
// delivery is FINISHED, or FAILED if every message failed. After an error the batch is still there,
// to be recorded again or released.
func (b *Batch) Record(ctx context.Context, outcome *SentBatch) error {
	s := b.store
	number := coupon.MustNumber(coupon.KindDelivery, b.Delivery.ID)
	if len(outcome.Refused) > 0 && b.ID == 0 {
		return fmt.Errorf("record a batch of %s: it was not begun", b.Delivery.ID)
	}
	var done *settled
	var isKept bool
	err := s.conclude(ctx, func(ctx context.Context, t *turn) error {
		var err error
		if done, err = b.settle(ctx, t, outcome); err != nil {
			return err
		}
		sentCodes := codesOf(outcome.Sent, func(*Content) bool { return true })
		t.change(func(c memory.Change) {
			c.Update(sentCodes, coupon.StateSent, 0)
			s.flights.Delete(b.Delivery.ID)
		})
		if err := t.recordRefusals(ctx, number, b.Number, done.refused); err != nil {
			return err
		}
		if isKept, err = b.takeBack(ctx, t, done.withheld, done); err != nil {
			return err
		}
		for _, part := range done.parts() {
			if err := t.recordSending(ctx, number, part); err != nil {
				return err
			}
		}
		if err := b.giveBack(ctx, t, done); err != nil {
			return err
		}
		pending, err := duckdb.Collect(
			ctx,
			t,
			sendingRecord,
			duckdb.ScanInto[int],
			named("id", number),
			named("sent", len(done.sent.contents)),
			named("failed", len(done.failed.contents)),
			named("canceled", len(done.canceled.contents)),
			named("unknown", len(done.unknown.contents)),
			named("outbox_size", outcome.OutboxSize),
		)
		if err != nil || pending[0] > 0 {
			return err
		}
		return t.finishDelivery(ctx, number, b.Delivery.ID, b.endedBy(done))
	})
	if err != nil {
		return fmt.Errorf("record a batch of %s: %w", b.Delivery.ID, err)
	}
	b.waiting.settle(b, done)
	if b.ID != 0 && len(outcome.Sent)+len(outcome.Failed)+len(outcome.Refused)+
		len(outcome.Withheld) >= len(b.Contents) {
		if err := s.departures.forget(b.ID); err != nil {
			s.addNotice(err.Error())
		}
	}
	if b.next != 0 {
		s.next.Store(b.Delivery.ID, b.next)
	}
	if isKept || done.isStale {
		// They are as they were before the batch.
		s.forgetWaiting(b.Delivery.ID)
	}
	s.recordRate(b.Delivery.ID, done.count(), len(b.waiting))
	s.watchers.notify(b.Delivery.ID)
	b.unlock()
	b.leave()
	return nil
}

// Release gives a batch back that was not handed over, or whose outcome nobody knows.
func (b *Batch) Release() {
	if b.ID != 0 {
		// It is in flight now, which the rows say.
		b.store.forgetWaiting(b.Delivery.ID)
		b.store.flights.Delete(b.Delivery.ID)
	}
	b.unlock()
	b.leave()
}

// codesOf returns the codes of messages that are wanted.
func codesOf(contents []Content, isWanted func(*Content) bool) []int64 {
	codes := make([]int64, 0, len(contents))
	for i := range contents {
		if c := &contents[i]; c.CodeID != nil && isWanted(c) {
			codes = append(codes, coupon.MustNumber(coupon.KindCode, *c.CodeID))
		}
	}
	return codes
}

// recordRefusals records what came of attempts that were not accepted.
func (t *turn) recordRefusals(
	ctx context.Context, deliveryNumber int64, number int, refused []Refusal,
) error {
	if len(refused) == 0 {
		return nil
	}
	var free []int64
	ids, reasons := make([]int64, len(refused)), make([]string, len(refused))
	mayBeSent, repeats, retryAt := make([]bool, len(refused)), make([]bool,
		len(refused)), make([]string, len(refused))
	isCounted := make([]bool, len(refused))
	for i := range refused {
		r := &refused[i]
		ids[i], reasons[i] = coupon.MustNumber(coupon.KindMessage,
			r.MessageID), r.Settlement.Failure
		mayBeSent[i], repeats[i], isCounted[i] = r.Settlement.MayBeSent, r.RepeatsBatch,
			r.About == coupon.AboutMessage
		if !r.Settlement.RetryAt.IsZero() {
			retryAt[i] = r.Settlement.RetryAt.UTC().Format(timestampLayout)
		}
		if r.CodeID != nil && !r.Settlement.MayBeSent {
			free = append(free, coupon.MustNumber(coupon.KindCode, *r.CodeID))
		}
	}
	t.change(func(c memory.Change) { c.Update(free, 0, coupon.StateSent) })
	_, err := t.Exec(
		ctx,
		refusalInsert,
		named("ids", ids),
		named("delivery_id", deliveryNumber),
		named("number", number),
		named("now", t.now),
		named("reasons", reasons),
		named("may_be_sent", mayBeSent),
		named("repeats_batch", repeats),
		named("retry_at", retryAt),
		named("is_counted", isCounted),
	)
	return err
}

// recordSending records an outcome of messages.
func (t *turn) recordSending(ctx context.Context, number int64, part *settledPart) error {
	if len(part.contents) == 0 {
		return nil
	}
	messages := make([]int64, len(part.contents))
	for i := range part.contents {
		messages[i] = coupon.MustNumber(coupon.KindMessage, part.contents[i].MessageID)
	}
	failures, reasons := make([]any, len(messages)), make([]string, len(messages))
	for i := range part.failures {
		failures[i] = part.failures[i]
	}
	for i := range part.reasons {
		reasons[i] = string(part.reasons[i])
	}
	_, err := t.Exec(
		ctx,
		sendingInsert,
		named("ids", messages),
		named("delivery_id", number),
		named("outcome", string(part.outcome)),
		named("now", t.now),
		named("failures", failures),
		named("reasons", reasons),
	)
	return err
}

// endedBy returns the reason for which the coupon is over, where messages of the batch stayed
// because of it; "": none did.
func (b *Batch) endedBy(done *settled) coupon.CancelReason {
	if over := b.isOver(); slices.Contains(done.canceled.reasons, over) {
		return over
	}
	return ""
}

// finishDelivery ends a delivery that has no pending message. With over, the reason for which its
// coupon is over, the last messages stayed, and the delivery is stopped.
func (t *turn) finishDelivery(
	ctx context.Context, number int64, id coupon.ID, over coupon.CancelReason,
) error {
	_, d, err := t.delivery(ctx, id)
	if err != nil || d.Counts.Pending > 0 {
		return err
	}
	unknown := ""
	if d.Counts.Unknown > 0 {
		unknown = fmt.Sprintf(" Of %d nobody knows whether they were taken.", d.Counts.Unknown)
	}
	if d.Status == coupon.DeliveryStopped {
		text := fmt.Sprintf("The sender ended with what it was busy with: %d messages sent in all, %d failed, %d canceled.%s",
			d.Counts.Sent, d.Counts.Failed, d.Counts.Canceled, unknown)
		return t.log(ctx, number, false, []coupon.LogEntry{{Level: coupon.LogInfo, Text: text}})
	}
	status, text := coupon.DeliveryFinished, fmt.Sprintf(
		"Finished. %d messages sent, %d failed, %d canceled.%s",
		d.Counts.Sent,
		d.Counts.Failed,
		d.Counts.Canceled,
		unknown,
	)
	if d.Counts.Sent+d.Counts.Unknown == 0 && d.Counts.Failed > 0 {
		status, text = coupon.DeliveryFailed,
			fmt.Sprintf("Failed. None of the %d messages could be sent.", d.Counts.Total)
	}
	if over != "" {
		text = fmt.Sprintf("Stopped by the server: %s %d messages sent, %d failed, %d canceled.%s",
			over.Text(), d.Counts.Sent, d.Counts.Failed, d.Counts.Canceled, unknown)
		return t.halt(ctx, number, coupon.DeliveryStopped, &t.now, new(over.Text()), text)
	}
	return t.setStatus(ctx, number, status, &t.now, text)
}
