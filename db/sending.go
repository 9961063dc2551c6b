package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"couponql/coupon"
)

// Due is a delivery that is to be sent.
type Due struct {
	ID coupon.ID
	// At is when; the zero time means now.
	At time.Time
}

// DueDeliveries gives the deliveries that are to be sent now or later.
func (s *Store) DueDeliveries(ctx context.Context) ([]Due, error) {
	return collect(ctx, s, deliveryWaiting, func(rows *sql.Rows) (Due, error) {
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

// BeginSending makes a SCHEDULED delivery whose time has come IN_PROGRESS. One that is not SCHEDULED any
// more is left alone.
func (s *Store) BeginSending(ctx context.Context, id coupon.ID) error {
	return s.update(ctx, func(ctx context.Context, t *tx) error {
		number, d, err := t.delivery(ctx, id)
		if err != nil || d.Status != coupon.DeliveryScheduled {
			return err
		}
		t.onCommit(func() { s.watchers.notify(id) })
		return t.setStatus(ctx, number, coupon.DeliveryInProgress, nil, "The contact time has come. Sending begins.")
	})
}

// Content is what is needed to render one message.
type Content struct {
	MessageID   coupon.ID
	RecipientID coupon.ID
	Address     string
	CodeID      *coupon.ID
	Data        coupon.MessageData
	// IsVoided: the message's code was voided, so the message must not go out.
	IsVoided bool
}

// Batch is a part of a delivery's messages on its way to the sender. Until Record or Release, pause and
// stop wait.
type Batch struct {
	store    *Store
	unlock   func()
	Delivery *coupon.Delivery
	Coupon   *coupon.Coupon
	Contents []Content
	// OutboxSize is how far the delivery's outbox file holds messages that are recorded as sent.
	OutboxSize int64
}

// NextBatch gives the next at most limit pending messages of a delivery that is IN_PROGRESS, or nil when
// it is not. A batch without contents means that all are done: Record it to finish the delivery.
func (s *Store) NextBatch(ctx context.Context, id coupon.ID, limit int) (batch *Batch, err error) {
	unlock := s.watchers.lockSending(id)
	defer func() {
		if batch == nil {
			unlock()
		}
	}()
	d, err := s.delivery(ctx, id)
	if err != nil || d.Status != coupon.DeliveryInProgress {
		return nil, err
	}
	number := mustNumber(coupon.KindDelivery, id)
	type state struct {
		status                       string
		first, count, done, outboxed int64
	}
	states, err := collect(ctx, s, sendingState, func(rows *sql.Rows) (state, error) {
		var st state
		err := rows.Scan(&st.status, &st.first, &st.count, &st.done, &st.outboxed)
		return st, err
	}, named("id", number))
	if err != nil {
		return nil, err
	}
	batch = &Batch{store: s, unlock: unlock, Delivery: d, OutboxSize: states[0].outboxed}
	if d.CouponID != nil {
		coupons, err := s.CouponsByID(ctx, []coupon.ID{*d.CouponID})
		if err != nil {
			return nil, err
		}
		batch.Coupon = coupons[*d.CouponID]
	}
	// Messages are sent in the order of their numbers; only releaseCodes makes some final out of turn, so
	// the next pending ones begin at most that many before first + done.
	first, last := states[0].first, states[0].first+states[0].count-1
	canceled := int64(d.Counts.Canceled)
	for begin := max(first, first+states[0].done-canceled); begin <= last && len(batch.Contents) == 0; begin += int64(limit) + canceled {
		contents, err := s.contents(ctx, number, begin, min(last, begin+int64(limit)+canceled-1), nil)
		if err != nil {
			batch = nil
			return nil, err
		}
		batch.Contents = contents[:min(len(contents), limit)]
	}
	return batch, nil
}

func (s *Store) contents(ctx context.Context, number, first, last int64, ids []int64) ([]Content, error) {
	var wanted any
	if ids != nil {
		wanted = ids
	}
	return collect(ctx, s, messageContent, func(rows *sql.Rows) (Content, error) {
		var c Content
		var messageNumber, recipientNumber int64
		var codeNumber *int64
		var code, label, externalID, attributes *string
		var isVoided *bool
		r := &c.Data.Recipient
		err := rows.Scan(
			&messageNumber,
			&recipientNumber,
			&c.Address,
			&codeNumber,
			&code,
			&label,
			&externalID,
			&r.Email,
			&r.Phone,
			&r.FirstName,
			&r.LastName,
			&attributes,
			&isVoided,
		)
		c.MessageID, c.RecipientID = coupon.NewID(coupon.KindMessage, messageNumber), coupon.NewID(coupon.KindRecipient, recipientNumber)
		c.CodeID = coupon.NewIDPtr(coupon.KindCode, codeNumber)
		r.ExternalID, r.Attributes = orEmpty(externalID), coupon.JSON(orEmpty(attributes))
		if code != nil {
			c.Data.CouponValue = &coupon.CodeData{Code: *code, Label: orEmpty(label)}
		}
		c.IsVoided = isVoided != nil && *isVoided
		return c, err
	}, named("id", number), named("first", first), named("last", last), named("ids", wanted))
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// Outcome is what became of the messages of a batch.
type Outcome struct {
	// Sent are the messages that the sender took; Failed those it never will, with the reason.
	Sent       []Content
	Failed     []Content
	Failures   []string
	OutboxSize int64
}

// Record records what became of a batch, in one transaction: which messages were sent, which failed
// (their codes go back to the pool) and how far the outbox file is valid. When no message is pending any
// more the delivery is FINISHED, or FAILED if every message failed.
func (b *Batch) Record(ctx context.Context, outcome *Outcome) error {
	defer b.unlock()
	s := b.store
	number := mustNumber(coupon.KindDelivery, b.Delivery.ID)
	err := s.update(ctx, func(ctx context.Context, t *tx) error {
		sentCodes, err := t.recordSending(ctx, number, coupon.MessageSent, outcome.Sent, make([]any, len(outcome.Sent)))
		if err != nil {
			return err
		}
		t.changePool(func(p *pool) { p.update(sentCodes, coupon.StateSent, 0) })
		t.onCommit(func() { s.watchers.notify(b.Delivery.ID) })
		failures := make([]any, len(outcome.Failures))
		for i, failure := range outcome.Failures {
			failures[i] = failure
		}
		failedCodes, err := t.recordSending(ctx, number, coupon.MessageFailed, outcome.Failed, failures)
		if err != nil {
			return err
		}
		// A voided code stays where it is.
		failedCodes = slices.DeleteFunc(failedCodes, func(n int64) bool { return s.pool.state[n].Has(coupon.StateVoided) })
		if err := t.release(ctx, failedCodes, "the message could not be sent"); err != nil {
			return err
		}
		if _, err := t.exec(
			ctx,
			sendingRecord,
			named("id", number),
			named("sent", len(outcome.Sent)),
			named("failed", len(outcome.Failed)),
			named("outbox_size", outcome.OutboxSize),
		); err != nil {
			return err
		}
		return t.finishDelivery(ctx, number, b.Delivery.ID)
	})
	if err != nil {
		return fmt.Errorf("record a batch of %s: %w", b.Delivery.ID, err)
	}
	return nil
}

// Release gives a batch back that was not handed over.
func (b *Batch) Release() { b.unlock() }

func (t *tx) recordSending(ctx context.Context, number int64, outcome coupon.MessageStatus, contents []Content, failures []any) ([]int64, error) {
	if len(contents) == 0 {
		return nil, nil
	}
	messages := make([]int64, len(contents))
	codes := make([]int64, 0, len(contents))
	for i := range contents {
		messages[i] = mustNumber(coupon.KindMessage, contents[i].MessageID)
		if contents[i].CodeID != nil {
			codes = append(codes, mustNumber(coupon.KindCode, *contents[i].CodeID))
		}
	}
	_, err := t.exec(
		ctx,
		sendingInsert,
		named("ids", messages),
		named("delivery_id", number),
		named("outcome", string(outcome)),
		named("now", t.now),
		named("failures", failures),
	)
	return codes, err
}

// finishDelivery ends a delivery that has no pending message.
func (t *tx) finishDelivery(ctx context.Context, number int64, id coupon.ID) error {
	_, d, err := t.delivery(ctx, id)
	if err != nil || d.Counts.Pending > 0 {
		return err
	}
	status, text := coupon.DeliveryFinished, fmt.Sprintf(
		"Finished. %d messages sent, %d failed, %d canceled.",
		d.Counts.Sent,
		d.Counts.Failed,
		d.Counts.Canceled,
	)
	if d.Counts.Sent == 0 && d.Counts.Failed > 0 {
		status, text = coupon.DeliveryFailed, fmt.Sprintf("Failed. None of the %d messages could be sent.", d.Counts.Total)
	}
	return t.setStatus(ctx, number, status, &t.now, text)
}

// MessagesByID gives the messages that exist of these.
func (s *Store) MessagesByID(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.Message, error) {
	return s.readMessages(ctx, numbersOf(coupon.KindMessage, ids))
}

func (s *Store) readMessages(ctx context.Context, numbers []int64) (map[coupon.ID]*coupon.Message, error) {
	found := make(map[coupon.ID]*coupon.Message, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	_, err := collect(ctx, s, messageGet, func(rows *sql.Rows) (struct{}, error) {
		var number, deliveryNumber, recipientNumber int64
		var codeNumber *int64
		var finalAt *time.Time
		var m coupon.Message
		err := rows.Scan(&number, &deliveryNumber, &recipientNumber, &m.Address, &codeNumber, &m.CreatedAt, &m.Status, &finalAt, &m.Failure)
		m.ID, m.DeliveryID = coupon.NewID(coupon.KindMessage, number), coupon.NewID(coupon.KindDelivery, deliveryNumber)
		m.RecipientID, m.CodeID = coupon.NewID(coupon.KindRecipient, recipientNumber), coupon.NewIDPtr(coupon.KindCode, codeNumber)
		if m.Status == coupon.MessageSent || m.Status == coupon.MessageFailed {
			m.Attempts = 1
		}
		if m.Status == coupon.MessageSent {
			m.SentAt = finalAt
		}
		found[m.ID] = &m
		return struct{}{}, err
	}, between(numbers)...)
	return found, err
}

// DeliveryMessages gives a page of each delivery's messages, in the order of their numbers.
func (s *Store) DeliveryMessages(
	ctx context.Context,
	deliveries []coupon.ID,
	status []coupon.MessageStatus,
	page coupon.Page,
) (map[coupon.ID]*coupon.List[*coupon.Message], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: deliveries, parentKind: coupon.KindDelivery, page: page, list: deliveryMessages, count: deliveryMessagesCount,
		args: []any{named("status", texts(status))},
	})
	if err != nil {
		return nil, err
	}
	return fillPages(ctx, pages, coupon.KindMessage, s.readMessages)
}

// MessageContents gives what is needed to render messages, by their ids.
func (s *Store) MessageContents(ctx context.Context, messages []*coupon.Message) (map[coupon.ID]Content, error) {
	found := make(map[coupon.ID]Content, len(messages))
	if len(messages) == 0 {
		return found, nil
	}
	numbers := make([]int64, len(messages))
	for i, m := range messages {
		numbers[i] = mustNumber(coupon.KindMessage, m.ID)
	}
	contents, err := s.contents(ctx, 0, slices.Min(numbers), slices.Max(numbers), numbers)
	for _, c := range contents {
		found[c.MessageID] = c
	}
	return found, err
}

// PreviewContent gives what is needed to show the message of a delivery that a recipient will get: the
// true one once it is written, else with the code that would be next, or none when the pool is empty. It
// changes nothing. It returns NOT_FOUND.
func (s *Store) PreviewContent(ctx context.Context, deliveryID, recipientID coupon.ID) (*coupon.Delivery, *coupon.Coupon, *Content, error) {
	d, err := s.delivery(ctx, deliveryID)
	if err != nil {
		return nil, nil, nil, atField(err, "deliveryId")
	}
	recipients, err := s.RecipientsByID(ctx, []coupon.ID{recipientID})
	r := recipients[recipientID]
	if err == nil && r == nil {
		err = coupon.NotFound(coupon.KindRecipient, recipientID).At("recipientId")
	}
	if err != nil {
		return nil, nil, nil, err
	}
	var c *coupon.Coupon
	if d.CouponID != nil {
		coupons, err := s.CouponsByID(ctx, []coupon.ID{*d.CouponID})
		if err != nil {
			return nil, nil, nil, err
		}
		c = coupons[*d.CouponID]
	}
	number := mustNumber(coupon.KindDelivery, deliveryID)
	messages, err := collect(
		ctx,
		s,
		deliveryFirstMessage,
		scanInto[int64],
		named("id", number),
		named("recipient_id", mustNumber(coupon.KindRecipient, recipientID)),
	)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(messages) > 0 {
		contents, err := s.contents(ctx, number, messages[0], messages[0], messages[:1])
		if err != nil {
			return nil, nil, nil, err
		}
		return d, c, &contents[0], nil
	}
	content := &Content{RecipientID: recipientID, Data: coupon.MessageData{Recipient: coupon.RecipientData{
		ExternalID: r.ExternalID, Email: r.Email, Phone: r.Phone, FirstName: r.FirstName, LastName: r.LastName, Attributes: r.Attributes,
	}}}
	content.Data.CouponValue, err = s.nextCode(ctx, d, c, r)
	return d, c, content, err
}

// nextCode gives the code that a recipient would get next, without taking it; nil when there is none.
func (s *Store) nextCode(ctx context.Context, d *coupon.Delivery, c *coupon.Coupon, r *coupon.Recipient) (*coupon.CodeData, error) {
	if c == nil || c.Type != coupon.TypeIndividual {
		return nil, nil //nolint:nilnil // there is no code of one's own
	}
	label := ""
	if d.MatchLabelTo != nil {
		label = r.Attributes.Text(*d.MatchLabelTo)
	}
	number := s.pool.firstFree(mustNumber(coupon.KindCoupon, c.ID), d.MatchLabelTo != nil, label, s.now())
	codes, err := s.readCodes(ctx, []int64{number})
	if err != nil || len(codes) == 0 {
		return nil, err
	}
	code := codes[coupon.NewID(coupon.KindCode, number)]
	return &coupon.CodeData{Code: code.Value, Label: orEmpty(code.Label)}, nil
}

// atField names the argument that a user error is about.
func atField(err error, field string) error {
	if problem, ok := coupon.AsUserErrors(err); ok && len(problem) == 1 {
		return problem[0].At(field)
	}
	return err
}
