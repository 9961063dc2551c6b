package db

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// MessagesByID returns the messages that exist of these.
func (s *Store) MessagesByID(ctx context.Context, ids []coupon.ID) (
	map[coupon.ID]*coupon.Message, error,
) {
	return s.readMessages(ctx, numbersOf(coupon.KindMessage, ids))
}

func (s *Store) readMessages(ctx context.Context, numbers []int64) (
	map[coupon.ID]*coupon.Message, error,
) {
	found := make(map[coupon.ID]*coupon.Message, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	err := duckdb.Each(ctx, s.engine, messageGet, func(rows *sql.Rows) error {
		var number, deliveryNumber, recipientNumber int64
		var codeNumber *int64
		var finalAt *time.Time
		var m coupon.Message
		err := rows.Scan(&number, &deliveryNumber, &recipientNumber, &m.Address, &codeNumber,
			&m.IsCodeRepeated, &m.CreatedAt, &m.Status, &finalAt,
			&m.CancelReason, &m.Failure, &m.Attempts, &m.Outcome, &m.OutcomeAt, &m.OutcomeReason)
		m.ID, m.DeliveryID = coupon.NewID(coupon.KindMessage,
			number), coupon.NewID(coupon.KindDelivery, deliveryNumber)
		m.RecipientID, m.CodeID = coupon.NewID(coupon.KindRecipient,
			recipientNumber), coupon.NewIDPtr(coupon.KindCode, codeNumber)
		if m.Status == coupon.MessageSent {
			m.SentAt = finalAt
		}
		found[m.ID] = &m
		return err
	}, between(numbers)...)
	return found, err
}

// DeliveryMessages returns a page of each delivery's messages, in the order of their numbers.
func (s *Store) DeliveryMessages(
	ctx context.Context,
	deliveries []coupon.ID,
	status []coupon.MessageStatus,
	reasons []coupon.CancelReason,
	outcome []coupon.MessageOutcome,
	page coupon.Page,
) (map[coupon.ID]*coupon.List[*coupon.Message], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: deliveries, parentKind: coupon.KindDelivery, page: page, list: deliveryMessages,
		count: deliveryMessagesCount,
		args: []any{
			named("status", texts(status)), named("reason", texts(reasons)),
			named("outcome", texts(outcome)),
		},
	})
	if err != nil {
		return nil, err
	}
	return fillPages(ctx, pages, coupon.KindMessage, s.readMessages)
}

// RecipientMessages returns a page of the messages to each recipient, the newest first.
func (s *Store) RecipientMessages(
	ctx context.Context, recipients []coupon.ID, page coupon.Page,
) (map[coupon.ID]*coupon.List[*coupon.Message], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: recipients, parentKind: coupon.KindRecipient, page: page,
		list: recipientMessages, count: recipientMessagesCount, isNewestFirst: true,
	})
	if err != nil {
		return nil, err
	}
	return fillPages(ctx, pages, coupon.KindMessage, s.readMessages)
}

// MessageContents returns what is needed to render messages, by their ids.
func (s *Store) MessageContents(ctx context.Context, messages []*coupon.Message) (
	map[coupon.ID]Content, error,
) {
	found := make(map[coupon.ID]Content, len(messages))
	if len(messages) == 0 {
		return found, nil
	}
	numbers := make([]int64, len(messages))
	for i, m := range messages {
		numbers[i] = coupon.MustNumber(coupon.KindMessage, m.ID)
	}
	contents, err := s.contents(ctx, 0, slices.Min(numbers), slices.Max(numbers), numbers)
	for _, c := range contents {
		found[c.MessageID] = c
	}
	return found, err
}

// PreviewContent returns what is needed to show the message of a delivery that a recipient will
// get: the true one once it is written, else with the code that would be next, or none when the
// pool is empty. It changes nothing. It returns NOT_FOUND.
func (s *Store) PreviewContent(ctx context.Context, deliveryID, recipientID coupon.ID) (
	*coupon.Delivery, *coupon.Coupon, *Content, error,
) {
	d, err := s.delivery(ctx, deliveryID)
	if err != nil {
		return nil, nil, nil, at(err, "deliveryId")
	}
	recipients, err := s.RecipientsByID(ctx, []coupon.ID{recipientID})
	r := recipients[recipientID]
	if err == nil && r == nil {
		err = coupon.NotFound(coupon.KindRecipient, recipientID).At("recipientId")
	}
	if err != nil {
		return nil, nil, nil, err
	}
	c, err := s.couponOf(ctx, d)
	if err != nil {
		return nil, nil, nil, err
	}
	number := coupon.MustNumber(coupon.KindDelivery, deliveryID)
	messages, err := duckdb.Collect(
		ctx,
		s.engine,
		deliveryFirstMessage,
		duckdb.ScanInto[int64],
		named("id", number),
		named("recipient_id", coupon.MustNumber(coupon.KindRecipient, recipientID)),
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
	content := &Content{RecipientID: recipientID}
	content.Data.Recipient = coupon.RecipientData{
		ExternalID: r.ExternalID, Email: r.Email, Phone: r.Phone, FirstName: r.FirstName,
		LastName: r.LastName, Attributes: r.Attributes,
	}
	content.Data.CouponValue, err = s.sameCode(ctx, d, c, recipientID)
	if err == nil && content.Data.CouponValue == nil {
		content.Data.CouponValue, err = s.nextCode(ctx, d, c, r)
	}
	return d, c, content, err
}

// sameCode returns the code that a recipient has, where a delivery carries it again; nil when it
// does not, or there is none.
func (s *Store) sameCode(
	ctx context.Context, d *coupon.Delivery, c *coupon.Coupon, recipient coupon.ID,
) (*coupon.CodeData, error) {
	if c == nil || c.Type != coupon.TypeIndividual || d.Reuse != coupon.ReuseSameCode {
		return nil, nil //nolint:nilnil // it carries none again
	}
	numbers, err := duckdb.Collect(ctx, s.engine, recipientSameCode, duckdb.ScanInto[int64],
		named("coupon_id", coupon.MustNumber(coupon.KindCoupon, c.ID)),
		named("recipient_id", coupon.MustNumber(coupon.KindRecipient, recipient)))
	if err != nil || len(numbers) == 0 {
		return nil, err
	}
	code, err := s.readCode(ctx, numbers[0], "", 0)
	if err != nil || code == nil {
		return nil, err
	}
	return &coupon.CodeData{Code: code.Value, Label: orEmpty(code.Label)}, nil
}

// nextCode returns the code that a recipient would get next, without taking it; nil when there is
// none.
func (s *Store) nextCode(
	ctx context.Context, d *coupon.Delivery, c *coupon.Coupon, r *coupon.Recipient,
) (*coupon.CodeData, error) {
	if c == nil || c.Type != coupon.TypeIndividual {
		return nil, nil //nolint:nilnil // there is no code of one's own
	}
	label := ""
	if d.MatchLabelTo != nil {
		label = r.Attributes.Text(*d.MatchLabelTo)
	}
	number := s.memory.FirstFree(wishOf(d, 0, s.now()), label)
	code, err := s.readCode(ctx, number, "", 0)
	if err != nil || code == nil {
		return nil, err
	}
	return &coupon.CodeData{Code: code.Value, Label: orEmpty(code.Label)}, nil
}
