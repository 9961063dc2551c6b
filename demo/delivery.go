package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"couponql/client"
)

// delivery is a sending that the demo prepares: what to create, for whom, when, and how far it goes.
type delivery struct {
	input map[string]any
	// targets is a RecipientFilter.
	targets       map[string]any
	daysAgo, hour int
	// status is how far the delivery goes. EDITING: its analysis finds too few codes.
	status string
	// variant, unless it is 0, is which of the drafts that are compared this is.
	variant int
	response
}

// response is what a delivery brings.
type response struct {
	// share of the codes is used: so much of that at the tills, and the rest in the web shop.
	share, tillShare float64
	habit            habit
	// sales is how many use the coupon's own code, where everybody has that.
	sales int
	// hardBounces, softBounces and complaints are shares of the messages.
	hardBounces, softBounces, complaints float64
}

// audience is a filter of recipients by one attribute.
func audience(name string, values ...string) map[string]any {
	return map[string]any{"attributes": []any{map[string]any{"name": name, "in": values}}}
}

var everybody = map[string]any{}

// How soon people use what they got: mail at leisure, a text message at once, a card when they pass.
var (
	mailHabit = habit{3, 1}
	textHabit = habit{0.8, 1}
	cardHabit = habit{9, 0.6}
)

// deliveries returns the deliveries. Of those that are prepared and not sent, the last one finds what the
// others left.
func (l *loader) deliveries() []*delivery {
	const firstVariantMails, secondVariantMails = 0.085, 0.115 // shares of redeemed codes
	return append([]*delivery{
		{
			map[string]any{
				"label": "Summer kick-off by text message", "channel": "SMS", "couponId": &l.kickoff, "body": kickoffSMS,
			}, everybody, 55, 11, "FINISHED", 0, response{sales: 1_700, habit: mailHabit},
		}, {
			map[string]any{"label": "A present for your sport"},
			nil, 42, 9, "FINISHED", 1,
			response{firstVariantMails, 0.2, mailHabit, 0, 0.008, 0.006, 0.0008},
		}, {
			map[string]any{"label": "A present for your sport, by first name"},
			nil, 42, 10, "FINISHED", 2,
			response{secondVariantMails, 0.2, mailHabit, 0, 0.008, 0.006, 0.0008},
		}, {
			map[string]any{
				"label": "Card for gold customers", "channel": "DIRECT_MAIL", "couponId": &l.sport, "matchLabelTo": "sport", "body": greetingCard,
			}, audience("tier", "gold"), 34, 9, "FINISHED", 0, response{share: 0.14, tillShare: 0.7, habit: cardHabit},
		}, {
			map[string]any{
				"label": "Kick-off reminder by text message", "channel": "SMS", "couponId": &l.kickoff, "body": reminderSMS,
			}, audience("tier", "silver", "gold"), 27, 11, "FINISHED", 0, response{sales: 900, habit: mailHabit},
		}, {
			map[string]any{
				"label": "Weekend in Britain and Ireland", "channel": "SMS", "couponId": &l.sport, "matchLabelTo": "sport", "body": flashSMS,
			}, audience("country", "GB", "IE"), 13, 16, "FINISHED", 0, response{share: 0.16, tillShare: 0.1, habit: textHabit},
		}, {
			map[string]any{
				"label": "Thank-you card for silver customers", "channel": "DIRECT_MAIL", "couponId": &l.sport, "matchLabelTo": "sport",
				"messageLimit": 1_000, "contactAt": l.dateTime(-9, 9), "body": greetingCard,
			}, audience("tier", "silver"), 2, 10, "SCHEDULED", 0, response{},
		}, {
			map[string]any{
				"label": "Preview for gold and silver", "channel": "EMAIL", "couponId": &l.sport, "matchLabelTo": "sport",
				"messageLimit": 2_500, "subject": "You see it first", "body": previewEmail,
			}, audience("tier", "silver", "gold"), 1, 17, "READY", 0, response{},
		}, {
			map[string]any{
				"label": "End of season for everybody", "channel": "EMAIL", "couponId": &l.sport, "matchLabelTo": "sport",
				"contactAt": l.dateTime(-14, 9), "subject": "Everything must go", "body": closingEmail,
			}, everybody, 1, 18, "EDITING", 0, response{},
		},
	}, l.birthdayDeliveries()...)
}

// Every birthdayStep days, for the last time lastBirthday days ago, those who have their birthday in the
// days from then on get a code.
const (
	firstBirthday, lastBirthday, birthdayStep = 53, 4, 7
	// birthdaysLeft is for how many days the pool will do when the demo ends.
	birthdaysLeft = 5
)

func (l *loader) birthdayDeliveries() []*delivery {
	var all []*delivery
	for days := firstBirthday; days >= lastBirthday; days -= birthdayStep {
		from := l.shop.at(days, 0, 0)
		all = append(all, &delivery{
			map[string]any{
				"label":    "Birthdays from " + from.Format("2 January"),
				"couponId": &l.birthday, "subject": "{{ recipient.firstName }}, this is your day", "body": birthdayEmail,
			},
			audience("birthday", birthdays(from, birthdayStep)...), days, 8, "FINISHED", 0,
			response{0.24, 0.35, mailHabit, 0, 0.005, 0.004, 0},
		})
	}
	return all
}

// birthdayPool returns how many codes the pool of birthdays begins with.
func (l *loader) birthdayPool() int {
	const given = firstBirthday - lastBirthday + birthdayStep
	count := l.shop.birthdayCount(l.shop.at(firstBirthday, 0, 0), given)
	return count + count*birthdaysLeft/given
}

// draftVariants prepares two deliveries to halves of the same audience, with different subjects.
func (l *loader) draftVariants(ctx context.Context) error {
	first := &delivery{input: map[string]any{
		"label": "A present for your sport", "couponId": &l.sport, "matchLabelTo": "sport",
		"subject": "15 % off for your sport", "body": sportEmail,
	}, targets: audience("country", "DE", "FR")}
	id, err := l.create(ctx, first)
	if err != nil {
		return err
	}
	var split struct {
		SplitDelivery struct{ Deliveries []struct{ ID string } }
	}
	const label = "A present for your sport, by first name"
	half := map[string]any{"deliveryId": id, "parts": []any{map[string]any{"label": label, "percent": 50}}}
	if err := l.Client.Do(ctx, deliverySplit, client.Input(half), &split); err != nil {
		return fmt.Errorf("split %s: %w", id, err)
	}
	for _, d := range split.SplitDelivery.Deliveries {
		if d.ID != id {
			l.variants = [2]string{id, d.ID}
		}
	}
	change := map[string]any{"id": l.variants[1], "subject": "{{ recipient.firstName }}, 15 % off for your {{ couponValue.label }}"}
	if err := l.Client.Do(ctx, deliveryUpdate, client.Input(change), nil); err != nil {
		return fmt.Errorf("change the subject: %w", err)
	}
	l.sayf("delivery %q drafted twice, with different subjects", label)
	return nil
}

// deliver takes a delivery as far as it goes, and lets people respond.
func (l *loader) deliver(ctx context.Context, d *delivery) error {
	id, err := l.draft(ctx, d)
	if err != nil {
		return err
	}
	const checking, agreeing = 20 * time.Minute, 25 * time.Minute
	l.Clock.advance(l.shop.at(d.daysAgo, d.hour, 0).Add(checking))
	found, status, err := l.analyze(ctx, id)
	if err != nil {
		return err
	}
	if isShort := d.status == "EDITING"; isShort != (found.CodesShort > 0) || isShort != (status == "EDITING") {
		return fmt.Errorf("the analysis ends as %s with %d codes short:%s", status, found.CodesShort, found.errors())
	}
	at := l.shop.at(d.daysAgo, d.hour, 0).Add(checking + agreeing)
	if d.status == "FINISHED" || d.status == "SCHEDULED" {
		l.Clock.advance(at)
		if status, err = l.confirm(ctx, id); err != nil {
			return err
		}
	}
	if status != d.status {
		return fmt.Errorf("it is %s and should be %s", status, d.status)
	}
	l.sayf("%s %q is %s: %s", strings.Replace(id, "_", " ", 1), d.input["label"], status, found.summary())
	if status != "FINISHED" {
		return nil
	}
	return l.respond(ctx, id, d, at)
}

// draft returns the id of a delivery, which it creates unless it was drafted before.
func (l *loader) draft(ctx context.Context, d *delivery) (id string, err error) {
	if d.variant > 0 {
		return l.variants[d.variant-1], nil
	}
	return l.create(ctx, d)
}

// create creates a delivery with its targets. It gives its id.
func (l *loader) create(ctx context.Context, d *delivery) (id string, err error) {
	var created struct {
		CreateDelivery struct{ Delivery struct{ ID string } }
	}
	if err := l.Client.Do(ctx, deliveryCreate, client.Input(d.input), &created); err != nil {
		return "", err
	}
	id = created.CreateDelivery.Delivery.ID
	return id, l.Client.Do(ctx, targetAdd, client.Input(map[string]any{"deliveryId": id, "filter": d.targets}), nil)
}

// analysis is what of an analysis is looked at.
type analysis struct {
	TargetCount  int
	MessageCount int
	CodesShort   int
	Exclusions   []struct{ Count int }
	Log          []struct{ Level, Text string }
}

func (l *loader) analyze(ctx context.Context, id string) (found *analysis, status string, err error) {
	var analyzed struct {
		AnalyzeDelivery struct {
			Delivery struct {
				Status   string
				Analysis analysis
			}
		}
	}
	err = l.Client.Do(ctx, deliveryAnalyze, client.Input(map[string]any{"id": id}), &analyzed)
	d := &analyzed.AnalyzeDelivery.Delivery
	return &d.Analysis, d.Status, err
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

// errors returns what stops the delivery.
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
	if err := l.Client.Do(ctx, deliveryConfirm, client.Input(map[string]any{"id": id}), nil); err != nil {
		return "", err
	}
	var sent struct {
		Delivery struct {
			Status string
			Counts struct{ Total, Sent, Failed int }
		}
	}
	err = l.wait(ctx, func() (bool, error) {
		err := l.Client.Do(ctx, deliveryGet, client.Variables{"id": id}, &sent)
		return sent.Delivery.Status != "IN_PROGRESS", err
	})
	counts := sent.Delivery.Counts
	if err == nil && sent.Delivery.Status == "FINISHED" && counts.Sent != counts.Total {
		err = fmt.Errorf("%d of %d messages are sent, %d have failed", counts.Sent, counts.Total, counts.Failed)
	}
	return sent.Delivery.Status, err
}

// message is one that was sent, with its code.
type message struct {
	ID   string
	Code struct{ Value, Label string }
}

// respond draws who uses what a delivery that was sent gave them, and what the mail provider reports of it
// the day after.
func (l *loader) respond(ctx context.Context, id string, d *delivery, at time.Time) error {
	for range d.sales {
		l.sell(&webTrade, kickoffCode, at, d.habit)
	}
	if d.share == 0 {
		return nil
	}
	messages, err := l.messagesOf(ctx, id)
	if err != nil {
		return err
	}
	reports := make([]map[string]any, len(messages))
	for i, m := range messages {
		value, kind := m.Code.Value, "DELIVERED"
		l.unused[value] = true
		if value != firstCode {
			kind = d.outcome(l.draws.Float64())
		}
		reports[i] = map[string]any{"messageId": m.ID, "kind": kind}
		chance, share := l.draws.Float64(), d.share*appealOf(m.Code.Label)
		switch {
		case value == firstCode:
			l.webSales = append(l.webSales, sale{code: value, at: at.Add(firstCodeDelay), amount: "59.90", store: webStore})
		case kind != "DELIVERED" || chance >= share:
		case chance < share*d.tillShare:
			l.sell(&shopTrade, value, at, d.habit)
		default:
			l.sell(&webTrade, value, at, d.habit)
		}
	}
	if d.hardBounces > 0 {
		l.put(at.AddDate(0, 0, 1), func(ctx context.Context) error { return l.recordReports(ctx, reports, d) })
	}
	return nil
}

// firstCodeDelay is when firstCode is used.
const firstCodeDelay = 32 * time.Hour

// outcome returns what came of a message, by a number from 0 to 1 that was drawn.
func (r *response) outcome(chance float64) string {
	for _, bad := range []choice[string]{{"HARD", r.hardBounces}, {"SOFT", r.softBounces}, {"COMPLAINT", r.complaints}} {
		if chance -= bad.share; chance < 0 {
			return bad.value
		}
	}
	return "DELIVERED"
}

// sell lets somebody use a code that they got at an instant, in one of the shop's two places.
func (l *loader) sell(where *trade, code string, at time.Time, habit habit) {
	s := sale{code: code, at: where.sell(l.draws, at, habit), amount: where.basket(l.draws), store: draw(l.draws, where.stores)}
	if where == &shopTrade {
		l.tillSales = append(l.tillSales, s)
	} else {
		l.webSales = append(l.webSales, s)
	}
}

// messagesOf lists the messages of a delivery.
func (l *loader) messagesOf(ctx context.Context, id string) ([]message, error) {
	var messages []message
	for after := new(string); ; {
		var page struct {
			Delivery struct {
				Messages struct {
					Nodes    []message
					PageInfo struct {
						HasNextPage bool
						EndCursor   *string
					}
				}
			}
		}
		vars := client.Variables{"deliveryId": id, "first": maxPage}
		if *after != "" {
			vars["after"] = after
		}
		if err := l.Client.Do(ctx, messageList, vars, &page); err != nil {
			return nil, fmt.Errorf("list messages: %w", err)
		}
		found := &page.Delivery.Messages
		messages = append(messages, found.Nodes...)
		if after = found.PageInfo.EndCursor; !found.PageInfo.HasNextPage {
			return messages, nil
		}
	}
}

// recordReports tells the server what the mail provider says of a delivery's messages.
func (l *loader) recordReports(ctx context.Context, reports []map[string]any, d *delivery) error {
	var recorded struct {
		RecordBounces struct{ RecordedCount, QuarantinedCount int }
	}
	if err := l.Client.Do(ctx, bounceRecord, client.Input(map[string]any{"bounces": reports}), &recorded); err != nil {
		return fmt.Errorf("record bounces: %w", err)
	}
	if got := recorded.RecordBounces.RecordedCount; got != len(reports) {
		return fmt.Errorf("record bounces: %d were recorded, want %d", got, len(reports))
	}
	l.sayf("%s reports on %q, %d addresses into quarantine",
		group(len(reports)), d.input["label"], recorded.RecordBounces.QuarantinedCount)
	return nil
}
