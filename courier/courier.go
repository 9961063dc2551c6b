// Package courier hands messages over to senders: single ones while somebody waits, which are proofs and messages that are
// sent again. It also knows what the jobs that send deliveries share with it: which sender a channel has, and what a sender
// is given of a message.
package courier

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"

	"couponql/coupon"
	"couponql/db"
	"couponql/message"
	"couponql/sender"
)

// Courier hands single messages over while somebody waits: proofs, and messages that are sent again.
type Courier struct {
	store   *db.Store
	outbox  sender.Sender
	senders map[coupon.Channel]sender.Sender
}

// New returns the courier of a store. Channels that have no sender go to the outbox, to files beside those of
// deliveries.
func New(store *db.Store, out sender.Sender, senders map[coupon.Channel]sender.Sender) *Courier {
	return &Courier{store: store, outbox: out, senders: senders}
}

// SendProof sends the message that a recipient would get to other addresses, marked as a proof and with a placeholder
// for the code. Without a recipient it is the one of the first target. Nothing is recorded, and no code is taken. It
// gives what was sent. It returns NOT_FOUND, TEMPLATE_INVALID, and INVALID for addresses that cannot be or that the
// sender refuses, and for a delivery without targets.
func (c *Courier) SendProof(ctx context.Context, deliveryID coupon.ID, recipientID *coupon.ID, addresses []string) (*coupon.RenderedMessage, error) {
	batch, err := c.store.ProofContent(ctx, deliveryID, recipientID)
	if err != nil {
		return nil, err
	}
	if addresses, err = coupon.CheckProof(batch.Delivery.Channel, addresses, c.store.DefaultRegion()); err != nil {
		return nil, err
	}
	content := &batch.Contents[0]
	if batch.Coupon != nil && batch.Coupon.Type == coupon.TypeIndividual {
		content.Data.CouponValue = &coupon.CodeData{Code: coupon.ProofCode}
	}
	m, err := renderOne(batch)
	if err != nil {
		return nil, err
	}
	m.MarkProof()
	messages := make([]coupon.OutgoingMessage, len(addresses))
	for i, address := range addresses {
		messages[i] = m
		messages[i].Address, messages[i].MessageID = address, coupon.ID("proof_"+rand.Text())
	}
	// A proof is for those who try it, whatever holds of the recipient.
	attempts, err := c.send(ctx, sender.ExtraProof, messages, nil)
	if err != nil {
		return nil, err
	}
	var problems coupon.UserErrors
	for i, attempt := range attempts {
		if attempt.Result != coupon.AttemptAccepted {
			problems = append(problems, coupon.Errorf(coupon.ErrorInvalid, "The proof to %s %s", addresses[i], outcomeOf(&attempt)).
				At("input", "addresses", fmt.Sprint(i)))
		}
	}
	subject := m.Subject
	return &coupon.RenderedMessage{Subject: &subject, Body: m.Body}, problems.OrNil()
}

// Resend sends a message once more to its recipient, with the same text and code. It gives the message. It returns
// NOT_FOUND, and INVALID_STATE for a message that was not handed over, may not leave, or that the sender does not take now.
func (c *Courier) Resend(ctx context.Context, id coupon.ID) (*coupon.Message, error) {
	batch, known, err := c.store.ResendContent(ctx, id)
	if err != nil {
		return nil, err
	}
	if SenderOf(batch.Delivery.Channel, c.senders, c.outbox).Traits().NamesRecipients {
		if err := batch.NameRecipients(ctx); err != nil {
			return nil, err
		}
	}
	m, err := renderOne(batch)
	if err != nil {
		return nil, err
	}
	// Mail programs drop what has the Message-ID of a mail that they have.
	m.MessageID = coupon.ID(fmt.Sprintf("%s-%d", id, known.Attempts+1))
	var withheld error
	attempts, err := c.send(ctx, sender.ExtraResent, []coupon.OutgoingMessage{m}, func(int) bool {
		may, never, err := batch.MayLeave(ctx, &batch.Contents[0])
		withheld = err
		if err == nil && !may {
			withheld = coupon.Errorf(coupon.ErrorInvalidState, "The message must not be sent again: %s", never.Text()).At("input", "id")
		}
		return withheld == nil
	})
	if err := cmp.Or(err, withheld); err != nil {
		return nil, err
	}
	if attempts[0].Result != coupon.AttemptAccepted {
		return nil, coupon.Errorf(coupon.ErrorInvalidState, "The message %s", outcomeOf(&attempts[0])).At("input", "id")
	}
	return c.store.RecordResend(ctx, id)
}

// outcomeOf says what came of a message that was not accepted, after "The message".
func outcomeOf(attempt *coupon.Attempt) string {
	switch attempt.Result { //nolint:exhaustive // the others were not taken
	case coupon.AttemptUnknown:
		return "may have been taken: nobody knows. " + attempt.Reason + " Look whether it arrived before you send it again."
	case coupon.AttemptOpen:
		return "was not handed over: the request or the server ended before. Send it again."
	}
	return "was not taken: " + attempt.Reason
}

// renderOne renders the only message of a batch.
func renderOne(batch *db.Batch) (coupon.OutgoingMessage, error) {
	template, err := message.Parse(batch.Delivery.Subject, batch.Delivery.Body)
	if err != nil {
		return coupon.OutgoingMessage{}, err
	}
	content := &batch.Contents[0]
	content.Data.Complete(batch.Delivery, batch.Coupon)
	rendered, err := template.Render(&content.Data)
	if err != nil {
		return coupon.OutgoingMessage{}, err
	}
	return OutgoingMessage(batch, *content, rendered, template.IsHTML()), nil
}

func (c *Courier) send(ctx context.Context, extra sender.Extra, messages []coupon.OutgoingMessage, leave func(int) bool) ([]coupon.Attempt, error) {
	out := SenderOf(messages[0].Channel, c.senders, c.outbox)
	attempts, err := out.Send(ctx, &sender.Batch{
		Key: c.store.ID() + "-" + rand.Text(), Origin: c.store.ID(), DeliveryID: messages[0].DeliveryID,
		Messages: messages, At: c.store.Now(), Extra: extra, Leave: leave,
	})
	if err == nil && len(attempts) != len(messages) {
		err = fmt.Errorf("the sender gave %d outcomes for %d messages", len(attempts), len(messages))
	}
	if err != nil {
		return nil, fmt.Errorf("hand over single messages: %w", err)
	}
	return attempts, nil
}

// SenderOf returns the sender of a channel: the outbox, where there is no other.
func SenderOf(channel coupon.Channel, senders map[coupon.Channel]sender.Sender, out sender.Sender) sender.Sender {
	if chosen := senders[channel]; chosen != nil {
		return chosen
	}
	return out
}

// OutgoingMessage returns what a sender is handed of a message of a batch, as it was rendered.
func OutgoingMessage(batch *db.Batch, content db.Content, rendered coupon.RenderedMessage, isHTML bool) coupon.OutgoingMessage {
	m := coupon.OutgoingMessage{
		MessageID: content.MessageID, DeliveryID: batch.Delivery.ID, Recipient: content.Data.Recipient.ExternalID, Channel: batch.Delivery.Channel,
		Address: content.Address, Body: rendered.Body, IsHTML: isHTML,
	}
	if rendered.Subject != nil {
		m.Subject = *rendered.Subject
	}
	switch {
	case content.Data.CouponValue != nil:
		m.Code = content.Data.CouponValue.Code
	case batch.Coupon != nil && batch.Coupon.Type == coupon.TypeAnonymous:
		m.Code = batch.Coupon.Code
	}
	return m
}
