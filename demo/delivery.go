package main

import (
	"context"
	"fmt"
	"strings"
)

// delivery is a sending that the demo prepares: what to create, for whom, and how far it goes.
type delivery struct {
	input map[string]any
	// targets is a RecipientFilter.
	targets map[string]any
	// status is how far the delivery goes. EDITING: its analysis finds too few codes.
	status string
}

// audience is a filter of recipients by one attribute.
func audience(name string, values ...string) map[string]any {
	return map[string]any{"attributes": []any{map[string]any{"name": name, "in": values}}}
}

// deliveries gives the deliveries in the order in which they take codes. The last one finds what the
// others left.
func (l *loader) deliveries() []delivery {
	return []delivery{
		{map[string]any{
			"label": "A present for your sport", "channel": "EMAIL", "couponId": l.sport, "matchLabelTo": "sport",
			"subject": "{{ recipient.firstName }}, 15 % off for your {{ couponValue.label }}", "body": sportEmail,
		}, audience("country", "DE", "FR"), "FINISHED"},
		{map[string]any{
			"label": "Summer kick-off by text message", "channel": "SMS", "couponId": l.kickoff, "body": kickoffSMS,
		}, audience("tier", "silver", "gold"), "FINISHED"},
		{map[string]any{
			"label": "Preview for gold and silver", "channel": "EMAIL", "couponId": l.sport, "matchLabelTo": "sport", "messageLimit": 2_500,
			"subject": "You see it first", "body": previewEmail,
		}, audience("tier", "silver", "gold"), "READY"},
		{map[string]any{
			"label": "Thank-you card by post", "channel": "DIRECT_MAIL", "couponId": l.sport, "matchLabelTo": "sport", "messageLimit": 1_000,
			"contactAt": l.dateTime(30, 9), "body": greetingCard,
		}, audience("tier", "silver", "gold"), "SCHEDULED"},
		{map[string]any{
			"label": "End of season for everybody", "channel": "EMAIL", "couponId": l.sport, "matchLabelTo": "sport",
			"subject": "Everything must go", "body": closingEmail,
		}, map[string]any{}, "EDITING"},
	}
}

// deliver takes each delivery as far as it goes, and redeems some codes of the first one.
func (l *loader) deliver(ctx context.Context) error {
	for i, d := range l.deliveries() {
		id, err := l.prepare(ctx, &d)
		if err != nil {
			return fmt.Errorf("delivery %q: %w", d.input["label"], err)
		}
		if i > 0 {
			continue
		}
		if err := l.redeem(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// analysis is what of an analysis is looked at.
type analysis struct {
	TargetCount  int
	MessageCount int
	CodesShort   int
	Exclusions   []struct{ Count int }
	Log          []struct{ Level, Text string }
}

// prepare creates a delivery and takes it as far as it goes. It gives its id.
func (l *loader) prepare(ctx context.Context, d *delivery) (id string, err error) {
	var created struct {
		CreateDelivery struct{ Delivery struct{ ID string } }
	}
	if err := l.client.do(ctx, deliveryCreate, input(d.input), &created); err != nil {
		return "", err
	}
	id = created.CreateDelivery.Delivery.ID
	if err := l.client.do(ctx, targetAdd, input(map[string]any{"deliveryId": id, "filter": d.targets}), nil); err != nil {
		return "", err
	}
	var analyzed struct {
		AnalyzeDelivery struct {
			Delivery struct {
				Status   string
				Analysis analysis
			}
		}
	}
	if err := l.client.do(ctx, deliveryAnalyze, input(map[string]any{"id": id}), &analyzed); err != nil {
		return "", err
	}
	status, found := analyzed.AnalyzeDelivery.Delivery.Status, analyzed.AnalyzeDelivery.Delivery.Analysis
	if isShort := d.status == "EDITING"; isShort != (found.CodesShort > 0) || isShort != (status == "EDITING") {
		return "", fmt.Errorf("the analysis ends as %s with %d codes short:%s", status, found.CodesShort, found.errors())
	}
	if d.status == "FINISHED" || d.status == "SCHEDULED" {
		if status, err = l.confirm(ctx, id); err != nil {
			return "", err
		}
	}
	if status != d.status {
		return "", fmt.Errorf("it is %s and should be %s", status, d.status)
	}
	l.say("delivery %q is %s: %s", d.input["label"], status, found.summary())
	return id, nil
}

// summary says in a line what the analysis found.
func (a *analysis) summary() string {
	excluded := 0
	for _, e := range a.Exclusions {
		excluded += e.Count
	}
	text := fmt.Sprintf("%s of %s targets get a message, %s left out", group(a.MessageCount), group(a.TargetCount), group(excluded))
	if a.CodesShort > 0 {
		text += fmt.Sprintf("; %s codes are missing", group(a.CodesShort))
	}
	return text
}

// errors gives what stops the delivery.
func (a *analysis) errors() string {
	var text strings.Builder
	for _, entry := range a.Log {
		if entry.Level == "ERROR" {
			text.WriteString(" " + entry.Text)
		}
	}
	return text.String()
}

// confirm sends a delivery, or lets it wait for its day, and gives the status in which it stays.
func (l *loader) confirm(ctx context.Context, id string) (status string, err error) {
	if err := l.client.do(ctx, deliveryConfirm, input(map[string]any{"id": id}), nil); err != nil {
		return "", err
	}
	var sent struct {
		Delivery struct {
			Status string
			Counts struct{ Total, Sent, Failed int }
		}
	}
	err = l.wait(ctx, func() (bool, error) {
		err := l.client.do(ctx, deliveryGet, variables{"id": id}, &sent)
		return sent.Delivery.Status != "IN_PROGRESS", err
	})
	counts := sent.Delivery.Counts
	if err == nil && sent.Delivery.Status == "FINISHED" && counts.Sent != counts.Total {
		err = fmt.Errorf("%d of %d messages are sent, %d have failed", counts.Sent, counts.Total, counts.Failed)
	}
	return sent.Delivery.Status, err
}

// redeem redeems codes of a delivery as the web shop does, one order after the other. A few orders are
// returned, and the first of them is placed again.
func (l *loader) redeem(ctx context.Context, deliveryID string) error {
	const reversals = 12
	var given struct {
		Delivery struct {
			Messages struct {
				Nodes []struct{ Code struct{ Value string } }
			}
		}
	}
	if err := l.client.do(ctx, messageList, variables{"deliveryId": deliveryID, "first": basketCount}, &given); err != nil {
		return fmt.Errorf("list messages: %w", err)
	}
	messages := given.Delivery.Messages.Nodes
	if len(messages) != basketCount {
		return fmt.Errorf("list messages: the delivery has %d, want %d", len(messages), basketCount)
	}
	redemptions := make([]string, len(messages))
	for i, message := range messages {
		id, err := l.order(ctx, message.Code.Value, i)
		if err != nil {
			return err
		}
		redemptions[i] = id
	}
	l.say("%d codes redeemed by redeemCode, one after the other", len(redemptions))

	for _, id := range redemptions[:reversals] {
		if err := l.reverse(ctx, id); err != nil {
			return err
		}
	}
	l.code = messages[0].Code.Value
	if _, err := l.order(ctx, l.code, len(messages)); err != nil {
		return err
	}
	l.say("%d of them reversed; %s is redeemed again", reversals, l.code)
	return nil
}

// order redeems a code for the order with this rank from 0, and gives the redemption's id.
func (l *loader) order(ctx context.Context, value string, rank int) (redemptionID string, err error) {
	reference := webReference(webCount + rank)
	var answer struct {
		RedeemCode struct{ Redemption struct{ ID string } }
	}
	in := map[string]any{
		"value": value, "reference": reference, "idempotencyKey": reference,
		"amount": l.shop.baskets[rank], "currency": currency,
	}
	if err := l.client.do(ctx, codeRedeem, input(in), &answer); err != nil {
		return "", fmt.Errorf("redeem %s: %w", value, err)
	}
	return answer.RedeemCode.Redemption.ID, nil
}
