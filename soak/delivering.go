package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"couponql/client"
)

// delivery is one that was confirmed. isCalm: nothing but crashes keeps its messages from being
// sent, all of them.
type delivery struct {
	id       string
	channel  string
	messages int
	isCalm   bool
	isSeen   bool
}

// newDelivery makes a delivery of the coupon of deliveries.
func (c *caller) newDelivery(ctx context.Context, channel string) (id, label string, err error) {
	label = c.mark()
	change := c.model.begin("createDelivery", move{"delivery " + label, open})
	var made struct{ Delivery struct{ ID string } }
	in := map[string]any{
		"label": label, "channel": channel, "couponId": c.deliveries, "subject": "For you",
		"body": "Code: {{ couponValue.code }}",
	}
	if err := change.answered(c.mutate(ctx, "createDelivery", "delivery { id }", label, in,
		&made)); err != nil {
		return "", "", err
	}
	c.model.give(made.Delivery.ID, "delivery "+label)
	return made.Delivery.ID, label, nil
}

// generate makes codes for a delivery: all of them, or none.
func (c *caller) generate(ctx context.Context, count int) error {
	return c.generateFor(ctx, c.deliveries, count)
}

// generateFor is generate for a coupon.
func (c *caller) generateFor(ctx context.Context, couponID string, count int) error {
	name, label := fmt.Sprintf("D%d", c.serial.Add(1)), c.mark()
	c.model.generate(name, group{count: count})
	in := map[string]any{
		"couponId": couponID, "count": count, "pattern": name + "-########", "label": label,
	}
	err := c.mutate(ctx, "generateCodes", "generatedCount", label, in, nil)
	if err == nil {
		c.model.generate(name, group{count, true})
	}
	return err
}

// analyze prepares a delivery, and gives how many messages it will have.
func (c *caller) analyze(ctx context.Context, id string) (messages int, err error) {
	var analyzed struct {
		Delivery struct {
			Status   string
			Analysis struct{ MessageCount, CodesShort int }
		}
	}
	if err := c.mutate(
		ctx,
		"analyzeDelivery",
		"delivery { status analysis { messageCount codesShort } }",
		id,
		map[string]any{"id": id},
		&analyzed,
	); err != nil {
		return 0, err
	}
	got := analyzed.Delivery
	if got.Status != "READY" {
		if got.Analysis.CodesShort > 0 {
			// Others took the codes that were generated for it.
			return 0, errNothingToDo
		}
		return 0, fmt.Errorf("%s is analyzed and %+v", id, got)
	}
	return got.Analysis.MessageCount, nil
}

// confirm has a delivery sent.
func (c *caller) confirm(ctx context.Context, d delivery, label string) error {
	change := c.model.begin("confirmDelivery", move{"delivery " + label, sending})
	err := change.answered(c.mutate(ctx, "confirmDelivery", "delivery { status }", d.id,
		map[string]any{"id": d.id}, nil))
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sent = append(c.sent, &d)
	}
	return err
}

// deliver sends a message with a code of its own to each recipient of a group.
func (c *caller) deliver(ctx context.Context) error {
	if err := c.generate(ctx, groupSize); err != nil {
		return err
	}
	id, label, err := c.newDelivery(ctx, "EMAIL")
	if err != nil {
		return err
	}
	group := fmt.Sprintf("g%d", c.random.IntN(recipientCount/groupSize))
	in := map[string]any{"deliveryId": id, "filter": map[string]any{
		"attributes": []any{map[string]any{"name": "group", "in": []string{group}}},
	}}
	if err := c.mutate(ctx, "addTargets", "delivery { targetCount }", id, in, nil); err != nil {
		return err
	}
	messages, err := c.analyze(ctx, id)
	if err != nil {
		return err
	}
	if messages != groupSize {
		return fmt.Errorf("%s has %d messages instead of %d", id, messages, groupSize)
	}
	return c.confirm(ctx,
		delivery{id: id, channel: "EMAIL", messages: messages, isCalm: true}, label)
}

// newPeople makes recipients of whom each word has the mark, and who are erased one day.
func (c *caller) newPeople(ctx context.Context) (people []string, err error) {
	var inputs []map[string]any
	var text strings.Builder
	text.WriteString("id,email,phone,first name\n")
	for range peopleAtOnce {
		n := c.serial.Add(1)
		mark := fmt.Sprintf("zz%dq", n)
		phone := fmt.Sprintf("+4915%09d", n)
		people = append(people, mark)
		inputs = append(inputs, map[string]any{
			"externalId": mark, "email": mark + "@example.org", "phone": phone, "firstName": mark,
		})
		fmt.Fprintf(&text, "%s,%s@example.org,%s,%s\n", mark, mark, phone, mark)
	}
	if c.oneIn(2) {
		_, err := c.importFile(ctx, "importRecipients", map[string]any{}, text.String(),
			importing{read: len(people), imported: len(people)},
			moves(there, recipientNames(people)...)...)
		return people, err
	}
	change := c.model.begin("upsertRecipients", moves(there, recipientNames(people)...)...)
	return people, change.answered(c.mutate(ctx, "upsertRecipients", "recipients { id }", "",
		map[string]any{"recipients": inputs}, nil))
}

func recipientNames(people []string) []string {
	names := make([]string, len(people))
	for i, mark := range people {
		names[i] = "recipient " + mark
	}
	return names
}

// erase erases people.
func (c *caller) erase(ctx context.Context, people []string) error {
	change := c.model.begin("eraseRecipients", moves(gone, recipientNames(people)...)...)
	err := change.answered(c.mutate(ctx, "eraseRecipients", "erasedCount", "",
		map[string]any{"externalIds": people}, nil))
	if err == nil {
		c.model.erase(people)
	}
	return err
}

// chooseTargets makes people the targets of a delivery.
func (c *caller) chooseTargets(ctx context.Context, id string, people []string) error {
	if c.oneIn(2) {
		in := map[string]any{"deliveryId": id, "filter": map[string]any{"externalIds": people}}
		return c.mutate(ctx, "addTargets", "delivery { targetCount }", id, in, nil)
	}
	// Nobody has the last one's id.
	text := "id\n" + strings.Join(people, "\n") + "\nnobody\n"
	_, err := c.importFile(ctx, "importTargets", map[string]any{"deliveryId": id}, text,
		importing{read: len(people) + 1, imported: len(people)})
	return err
}

// deliverLively makes a delivery to people of its own, changes it, splits it, sends it by the
// outbox or the webhook, at once or in a moment, and then interrupts, stops, releases, erases and
// sends again.
func (c *caller) deliverLively(ctx context.Context) error {
	people, err := c.newPeople(ctx)
	if err != nil {
		return err
	}
	if err := c.generate(ctx, len(people)); err != nil {
		return err
	}
	channel := []string{"EMAIL", "SMS"}[c.random.IntN(2)]
	id, label, err := c.newDelivery(ctx, channel)
	if err != nil {
		return err
	}
	if err := c.chooseTargets(ctx, id, people); err != nil {
		return err
	}
	if err := c.prepareLively(ctx, id, channel, people); err != nil {
		return err
	}
	messages, err := c.analyze(ctx, id)
	if err != nil {
		return err
	}
	if c.oneIn(6) {
		change := c.model.begin("deleteDelivery", move{"delivery " + label, gone})
		return change.answered(
			c.mutate(ctx, "deleteDelivery", "deletedId", id, map[string]any{"id": id}, nil),
		)
	}
	if err := c.confirm(ctx, delivery{id: id, channel: channel, messages: messages},
		label); err != nil {
		if problem, isProblem := errors.AsType[*client.UserError](
			err,
		); isProblem &&
			slices.Contains([]string{"ANALYSIS_STALE", "INSUFFICIENT_CODES"}, problem.Code) {
			return nil
		}
		return err
	}
	return c.disturb(ctx, id, label, channel, people)
}

// prepareLively does to a delivery what may be done before it is analyzed.
func (c *caller) prepareLively(ctx context.Context, id, channel string, people []string) error {
	switch c.random.IntN(4) {
	case 0:
		at := time.Now().Add(c.upTo(3 * time.Second)).UTC().Format(time.RFC3339Nano)
		return c.mutate(ctx, "updateDelivery", "delivery { id }", id,
			map[string]any{"id": id, "contactAt": at}, nil)
	case 1:
		return c.split(ctx, id)
	case 2:
		if channel == "EMAIL" {
			return c.mutate(ctx, "sendProof", "message { subject }", id,
				map[string]any{"deliveryId": id, "addresses": []string{"proof@example.org"}}, nil)
		}
	case 3:
		return c.erase(ctx, people[:2])
	}
	return nil
}

// split moves a third of the targets to a delivery of their own.
func (c *caller) split(ctx context.Context, id string) error {
	label := c.mark()
	change := c.model.begin("splitDelivery", move{"delivery " + label, open})
	var split struct{ Deliveries []struct{ ID, Label string } }
	in := map[string]any{
		"deliveryId": id, "parts": []any{map[string]any{"label": label, "count": peopleAtOnce / 3}},
	}
	if err := change.answered(c.mutate(ctx, "splitDelivery", "deliveries { id label }", label, in,
		&split)); err != nil {
		return err
	}
	for _, d := range split.Deliveries {
		if d.ID != id {
			c.model.give(d.ID, "delivery "+d.Label)
		}
	}
	return nil
}

// disturb does to a delivery what may be done while it is sent.
func (c *caller) disturb(ctx context.Context, id, label, channel string, people []string) error {
	sleep(ctx, c.upTo(50*time.Millisecond))
	if c.oneIn(2) {
		if err := c.unlessOver(c.mutate(ctx, "pauseDelivery", "delivery { id }", id,
			map[string]any{"id": id}, nil)); err != nil {
			return err
		}
		sleep(ctx, c.upTo(200*time.Millisecond))
	}
	var err error
	switch c.random.IntN(5) {
	case 0:
		change := c.model.begin("stopDelivery", move{"delivery " + label, stopped})
		err = change.answered(
			c.mutate(ctx, "stopDelivery", "delivery { id }", id, map[string]any{"id": id}, nil),
		)
	case 1, 2:
		err = c.erase(ctx, people[:c.random.IntN(len(people))+1])
	case 3:
		reason := c.mark()
		in := map[string]any{
			"couponId": c.deliveries, "filter": map[string]any{"deliveryId": id}, "reason": reason,
		}
		err = c.mutate(ctx, "releaseCodes", "releasedCount", reason, in, nil)
	}
	if err := c.unlessOver(err); err != nil {
		return err
	}
	if err := c.unlessOver(c.mutate(ctx, "resumeDelivery", "delivery { id }", id,
		map[string]any{"id": id}, nil)); err != nil {
		return err
	}
	if channel == "EMAIL" {
		return c.resend(ctx, id)
	}
	return nil
}

// unlessOver is the error, unless it says that the thing is not in a state for what was asked for.
func (*caller) unlessOver(err error) error {
	if problem, isProblem := errors.AsType[*client.UserError](err); isProblem &&
		problem.Code == "INVALID_STATE" {
		return nil
	}
	return err
}

// resend sends a message of a delivery that was sent once more.
func (c *caller) resend(ctx context.Context, id string) error {
	var read struct {
		Delivery struct {
			Messages struct{ Nodes []struct{ ID string } }
		}
	}
	if err := c.do(
		ctx,
		"query($id: ID!) { delivery(id: $id) { messages(status: [SENT], first: 1) { nodes { id } } } }",
		client.Variables{"id": id},
		&read,
	); err != nil {
		return err
	}
	for _, message := range read.Delivery.Messages.Nodes {
		err := c.mutate(ctx, "resendMessage", "message { id }", message.ID,
			map[string]any{"id": message.ID}, nil)
		return c.unlessOver(err)
	}
	return nil
}
