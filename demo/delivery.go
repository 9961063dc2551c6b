package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	"couponql/client"
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
	everybody := map[string]any{}
	return []delivery{
		{map[string]any{
			"label": "A present for your sport", "channel": "EMAIL", "couponId": l.sport, "matchLabelTo": "sport",
			"subject": "{{ recipient.firstName }}, 15 % off for your {{ couponValue.label }}", "body": sportEmail,
		}, audience("country", "DE", "FR"), "FINISHED"},
		{map[string]any{
			"label": "Summer kick-off by text message", "channel": "SMS", "couponId": l.kickoff, "body": kickoffSMS,
		}, everybody, "FINISHED"},
		{map[string]any{
			"label": "Preview for gold and silver", "channel": "EMAIL", "couponId": l.sport, "matchLabelTo": "sport",
			"messageLimit": 2_500, "subject": "You see it first", "body": previewEmail,
		}, audience("tier", "silver", "gold"), "READY"},
		{map[string]any{
			"label": "Thank-you card by post", "channel": "DIRECT_MAIL", "couponId": l.sport, "matchLabelTo": "sport",
			"messageLimit": 1_000, "contactAt": l.dateTime(30, 9), "body": greetingCard,
		}, audience("tier", "silver", "gold"), "SCHEDULED"},
		{map[string]any{
			"label": "End of season for everybody", "channel": "EMAIL", "couponId": l.sport, "matchLabelTo": "sport",
			"subject": "Everything must go", "body": closingEmail,
		}, everybody, "EDITING"},
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
	if err := l.client.Do(ctx, deliveryCreate, client.Input(d.input), &created); err != nil {
		return "", err
	}
	id = created.CreateDelivery.Delivery.ID
	if err := l.client.Do(ctx, targetAdd, client.Input(map[string]any{"deliveryId": id, "filter": d.targets}), nil); err != nil {
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
	if err := l.client.Do(ctx, deliveryAnalyze, client.Input(map[string]any{"id": id}), &analyzed); err != nil {
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
	l.sayf("delivery %q is %s: %s", d.input["label"], status, found.summary())
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
	if err := l.client.Do(ctx, deliveryConfirm, client.Input(map[string]any{"id": id}), nil); err != nil {
		return "", err
	}
	var sent struct {
		Delivery struct {
			Status string
			Counts struct{ Total, Sent, Failed int }
		}
	}
	err = l.wait(ctx, func() (bool, error) {
		err := l.client.Do(ctx, deliveryGet, client.Variables{"id": id}, &sent)
		return sent.Delivery.Status != "IN_PROGRESS", err
	})
	counts := sent.Delivery.Counts
	if err == nil && sent.Delivery.Status == "FINISHED" && counts.Sent != counts.Total {
		err = fmt.Errorf("%d of %d messages are sent, %d have failed", counts.Sent, counts.Total, counts.Failed)
	}
	return sent.Delivery.Status, err
}

// redeem redeems codes of a delivery as the web shop does, one order after the other, of each sport as
// many as its share of the recipients. A few orders are returned, and the first of them is placed again.
func (l *loader) redeem(ctx context.Context, deliveryID string) error {
	const reversals = 12
	var values []string
	for _, s := range sports {
		count := int(math.Round(basketCount * s.share))
		var given struct {
			Coupon struct {
				Codes struct{ Nodes []struct{ Value string } }
			}
		}
		vars := client.Variables{"couponId": l.sport, "deliveryId": deliveryID, "label": s.name, "first": count}
		if err := l.client.Do(ctx, codeList, vars, &given); err != nil {
			return fmt.Errorf("list codes: %w", err)
		}
		if got := len(given.Coupon.Codes.Nodes); got != count {
			return fmt.Errorf("list codes: the delivery gave away %d for %s, want %d", got, s.name, count)
		}
		for _, c := range given.Coupon.Codes.Nodes {
			values = append(values, c.Value)
		}
	}
	redemptions := make([]string, len(values))
	for i, value := range values {
		id, err := l.order(ctx, value, i)
		if err != nil {
			return err
		}
		redemptions[i] = id
	}
	l.sayf("%d codes redeemed by redeemCode, one after the other", len(redemptions))

	if err := l.reverse(ctx, redemptions, reversals); err != nil {
		return err
	}
	l.code = values[0]
	if _, err := l.order(ctx, l.code, len(values)); err != nil {
		return err
	}
	l.sayf("%d of them reversed: the goods came back; %s is redeemed again", reversals, l.code)
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
	if err := l.client.Do(ctx, codeRedeem, client.Input(in), &answer); err != nil {
		return "", fmt.Errorf("redeem %s: %w", value, err)
	}
	return answer.RedeemCode.Redemption.ID, nil
}
