package job_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"couponql/coupon"
	"couponql/db"
	"couponql/job"
	"couponql/sender"
	"couponql/sender/mailtest"
)

// meddled is a scene with deliveries by every channel, in which something changes whenever a message is about to leave.
type meddled struct {
	*scene

	t *testing.T
	// isExact: a batch holds its delivery's lock while messages leave, so that nobody may wait for it there.
	isExact bool
	// faults say what the other side makes of the message to each recipient.
	faults []fault

	mu sync.Mutex
	// plan has the changes to come. later are those that wait for a lock.
	plan  []int
	later sync.WaitGroup
	// waiting counts those that wait. An erasure among them keeps everybody from changing people meanwhile.
	waiting atomic.Int32
	// messages and deliveries are as they were confirmed; people are the recipients.
	messages   map[coupon.ID]*coupon.Message
	ids        []coupon.ID
	deliveries []coupon.ID
	coupons    []coupon.ID
	people     []coupon.ID
	codes      map[coupon.ID]string
	// redeemed counts the redemptions of codes.
	redeemed map[string]int
	// left are the messages that were allowed to leave; taken counts how often the other side took each.
	left  map[coupon.ID]bool
	taken map[coupon.ID]int
	// answers are those of a webhook by the keys of batches; broken counts those that were lost.
	answers map[string][]map[string]any
	broken  int
	// lost are the messages that were taken, and the answer to which was lost.
	lost     map[coupon.ID]bool
	refused  map[coupon.ID]int
	problems []string
}

// fault is what the other side makes of a message.
type fault int

const (
	takes fault = iota
	postponesOnce
	refuses
	// breaks: nobody hears what became of it the first time.
	breaks
	faults
)

// TestJudgedWhenItLeaves changes anything at any moment between the analysis and the last hand-over, by each sender and channel.
// No message leaves that what holds at that moment forbids, none is withheld that may leave, counts add up, and all promises
// hold.
func TestJudgedWhenItLeaves(t *testing.T) {
	t.Parallel()
	isSet := false
	flag.Visit(func(f *flag.Flag) { isSet = isSet || f.Name == "rapid.checks" })
	if !isSet {
		// -rapid.checks=100 finds rarer ones.
		if err := flag.Set("rapid.checks", "2"); err != nil {
			t.Fatal(err)
		}
	}
	for name, open := range map[string]func(*meddled) sender.Sender{
		"outbox": (*meddled).openOutbox, "SMTP": (*meddled).openMail, "webhook": (*meddled).openHook,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				m := &meddled{
					scene: newScene(t), t: t, isExact: name == "outbox", messages: map[coupon.ID]*coupon.Message{},
					codes: map[coupon.ID]string{}, redeemed: map[string]int{}, left: map[coupon.ID]bool{}, taken: map[coupon.ID]int{},
					answers: map[string][]map[string]any{}, lost: map[coupon.ID]bool{}, refused: map[coupon.ID]int{},
				}
				m.plan = rapid.SliceOfN(rapid.IntRange(0, 1<<16), 30, 60).Draw(rt, "plan")
				for range meddledPeople {
					m.faults = append(m.faults, fault(rapid.IntRange(0, int(faults)-1).Draw(rt, "fault")))
				}
				channels := []coupon.Channel{coupon.ChannelEmail}
				if name != "SMTP" {
					channels = []coupon.Channel{coupon.ChannelEmail, coupon.ChannelSMS, coupon.ChannelPush, coupon.ChannelDirectMail}
				}
				m.prepare(rt, channels)
				m.send(open(m))
				m.check(rt)
				if err := m.Close(); err != nil {
					rt.Error(err)
				}
			})
		})
	}
}

const meddledPeople = 6

// must fails the test for what cannot go wrong.
func (m *meddled) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// prepare confirms deliveries: of a coupon with codes, of an anonymous one and of none, by channels in turn.
func (m *meddled) prepare(rt *rapid.T, channels []coupon.Channel) {
	ctx := m.t.Context()
	var people []*coupon.RecipientChanges
	for i := range meddledPeople {
		people = append(people, &coupon.RecipientChanges{
			ExternalID: fmt.Sprintf("r%d", i), Email: coupon.Set(new(fmt.Sprintf("r%d@example.org", i))),
			Phone: coupon.Set(new(fmt.Sprintf("+49170123456%d", i))), Attributes: coupon.Set(new(coupon.JSON(fmt.Sprintf(
				`{"pushToken":"token-%d","postalAddress":"%d Main Street"}`, i, i)))),
		})
	}
	kept, err := m.UpsertRecipients(ctx, people)
	m.must(err)
	for _, r := range kept {
		m.people = append(m.people, r.ID)
	}
	limit := rapid.IntRange(1, 3).Draw(rt, "limit")
	for i, couponType := range []coupon.CouponType{coupon.TypeIndividual, coupon.TypeIndividual, coupon.TypeAnonymous, ""} {
		changes := &coupon.DeliveryChanges{
			Label: coupon.Set(new("News")), Body: coupon.Set(new("Hello")), Channel: coupon.Set(&channels[i%len(channels)]),
			IgnoreQuarantine: coupon.Set(new(i == 1)),
		}
		if couponType != "" {
			c, err := m.CreateCoupon(ctx, &coupon.CouponChanges{
				Type: couponType, Label: coupon.Set(new("Sale")), StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
				RedemptionLimit: coupon.Set(&limit),
			})
			m.must(err)
			m.coupons, changes.CouponID = append(m.coupons, c.ID), coupon.Set(&c.ID)
			changes.Body = coupon.Set(new("Code: {{ couponValue.code }}"))
			if couponType == coupon.TypeAnonymous {
				m.codes[c.ID] = c.Code
				changes.Body = coupon.Set(new("Code: {{ coupon.code }}"))
			} else {
				codes := make([]coupon.NewCode, meddledPeople)
				for j := range codes {
					codes[j].Value = fmt.Sprintf("%s-%d", c.ID, j)
				}
				_, _, err := m.AddCodes(ctx, c.ID, codes)
				m.must(err)
			}
		}
		d, err := m.CreateDelivery(ctx, changes)
		m.must(err)
		_, err = m.AddTargets(ctx, d.ID, nil, &coupon.RecipientFilter{})
		m.must(err)
		d, _, err = m.AnalyzeDelivery(ctx, d.ID, fine)
		m.must(err)
		if d.Status != coupon.DeliveryReady {
			logs, _ := m.LogOf(ctx, []coupon.ID{d.ID})
			rt.Fatalf("%s is %s: %+v", d.ID, d.Status, logs[d.ID][len(logs[d.ID])-1])
		}
		m.deliveries = append(m.deliveries, d.ID)
		m.confirm(m.t, d.ID)
		for _, message := range m.scene.messages(m.t, d.ID) {
			m.messages[message.ID], m.ids = message, append(m.ids, message.ID)
			if message.CodeID != nil {
				found, err := m.CodesByID(ctx, []coupon.ID{*message.CodeID}, coupon.AnyState)
				m.must(err)
				m.codes[message.ID] = found[*message.CodeID].Value
			}
		}
	}
	// Something changes before anything leaves, too.
	for range len(m.plan) / 10 {
		m.meddle(false)
	}
}

// meddle makes the next change of the plan. One that waits for a delivery that is being sent does so beside.
func (m *meddled) meddle(isLocked bool) {
	if len(m.plan) == 0 {
		return
	}
	n := m.plan[0]
	m.plan = m.plan[1:]
	changes := m.changes()
	change := changes[n%len(changes)]
	n /= len(changes)
	if change.isHarsh && n%4 > 0 {
		return
	}
	if isLocked && (change.locks || change.isOfPeople && m.waiting.Load() > 0) {
		m.waiting.Add(1)
		m.later.Go(func() {
			defer m.waiting.Add(-1)
			m.try(change.do(n / 4))
		})
		return
	}
	m.try(change.do(n / 4))
}

// try takes a refusal, and nothing else.
func (m *meddled) try(err error) {
	if err == nil {
		return
	}
	if _, isUser := coupon.AsUserErrors(err); !isUser {
		m.t.Error(err)
	}
}

type meddling struct {
	do func(n int) error
	// locks: it waits for a batch that holds its delivery. isOfPeople: it waits for others that change people, and so for what
	// they wait for. isHarsh: it ends so much that it should be rare.
	locks, isOfPeople, isHarsh bool
}

func one[T any](of []T, n int) T { return of[n%len(of)] }

// changes returns what may change.
func (m *meddled) changes() []meddling {
	ctx := m.t.Context()
	update := func(n int, changes *coupon.CouponChanges) error {
		_, err := m.UpdateCoupon(ctx, one(m.coupons, n), changes)
		return err
	}
	contactable := func(n int, is bool) error {
		name := fmt.Sprintf("r%d", n%meddledPeople)
		_, err := m.UpsertRecipients(ctx, []*coupon.RecipientChanges{{ExternalID: name, IsContactable: coupon.Set(&is)}})
		return err
	}
	now := func(by time.Duration) coupon.Change[coupon.DateTime] {
		return coupon.Set(new(coupon.DateTime(m.Now().Add(by).Format(time.RFC3339))))
	}
	codesOf := func(n int) *db.CodeSelection {
		message := m.messages[one(m.ids[:2*meddledPeople], n)]
		found, err := m.DeliveriesByID(ctx, []coupon.ID{message.DeliveryID})
		m.must(err)
		return &db.CodeSelection{CouponID: *found[message.DeliveryID].CouponID, Values: []string{m.codes[message.ID]}}
	}
	return []meddling{
		{do: func(n int) error { return contactable(n, false) }, isOfPeople: true},
		{do: func(n int) error { return contactable(n, true) }, isOfPeople: true},
		{do: func(n int) error { return update(n, &coupon.CouponChanges{RedemptionLimit: coupon.Set(new(1 + n%3))}) }},
		{do: func(n int) error { return update(n, &coupon.CouponChanges{EndsAt: now(0)}) }, isHarsh: true},
		{do: func(n int) error { return update(n, &coupon.CouponChanges{EndsAt: now(time.Minute)}) }, isHarsh: true},
		{do: func(n int) error { return update(n, &coupon.CouponChanges{StartsAt: now(time.Hour)}) }, isHarsh: true},
		{do: func(n int) error { _, err := m.ArchiveCoupon(ctx, one(m.coupons, n)); return err }, isHarsh: true},
		{do: func(n int) error { _, err := m.VoidCodes(ctx, codesOf(n)); return err }},
		{do: func(n int) error {
			_, _, _, err := m.ReleaseCodes(ctx, codesOf(n/2), n%2 == 0, "mistake")
			return err
		}},
		{do: func(n int) error {
			value := m.codes[one(m.ids[:2*meddledPeople], n)]
			if n%3 == 0 {
				value = m.codes[m.coupons[2]]
			}
			_, err := m.Redeem(ctx, &coupon.RedeemRequest{Value: value})
			if err == nil {
				m.redeemed[value]++
			}
			return err
		}},
		{do: func(n int) error {
			message := m.messages[one(m.ids, n)]
			found, err := m.DeliveriesByID(ctx, []coupon.ID{message.DeliveryID})
			m.must(err)
			kind := one([]coupon.BounceKind{coupon.BounceHard, coupon.BounceComplaint, coupon.BounceSoft}, n)
			_, err = m.RecordBounces(ctx, []*coupon.BounceInput{{Address: &message.Address, Channel: &found[message.DeliveryID].Channel, Kind: kind}})
			return err
		}, isOfPeople: true},
		{do: func(n int) error {
			message := m.messages[one(m.ids, n)]
			found, err := m.DeliveriesByID(ctx, []coupon.ID{message.DeliveryID})
			m.must(err)
			_, err = m.LiftQuarantine(ctx, found[message.DeliveryID].Channel, []string{message.Address})
			return err
		}, isOfPeople: true},
		{do: func(n int) error { _, err := m.EraseRecipients(ctx, []coupon.ID{one(m.people, n)}, nil); return err }, locks: true, isHarsh: true},
		{do: func(n int) error { _, err := m.PauseDelivery(ctx, one(m.deliveries, n)); return err }, locks: true},
		{do: func(n int) error { _, err := m.ResumeDelivery(ctx, one(m.deliveries, n)); return err }},
		{do: func(n int) error { _, err := m.StopDelivery(ctx, one(m.deliveries, n)); return err }, locks: true, isHarsh: true},
		{do: func(n int) error { m.clock.Advance(time.Duration(n%50) * time.Second); return nil }},
	}
}

// forbidden judges a message by what holds now; "": it may leave.
func (m *meddled) forbidden(id coupon.ID) string {
	ctx, message := m.t.Context(), m.messages[id]
	deliveries, err := m.DeliveriesByID(ctx, []coupon.ID{message.DeliveryID})
	m.must(err)
	d := deliveries[message.DeliveryID]
	if counts := d.Counts; counts.Total != counts.Pending+counts.Sent+counts.Failed+counts.Canceled+counts.Unknown || counts.InFlight > counts.Pending {
		m.problems = append(m.problems, fmt.Sprintf("the counts of %s do not add up: %+v", d.ID, counts))
	}
	if d.Status != coupon.DeliveryInProgress {
		return string(d.Status)
	}
	people, err := m.RecipientsByID(ctx, []coupon.ID{message.RecipientID})
	m.must(err)
	if r := people[message.RecipientID]; r.ErasedAt != nil || !r.IsContactable {
		return "the person objected, or was erased"
	}
	list, err := m.QuarantinedAddresses(ctx, &d.Channel, nil, coupon.Page{First: 100, WantsItems: true})
	m.must(err)
	for _, q := range list.Items {
		if strings.EqualFold(q.Address, message.Address) && (q.Reason == coupon.BounceComplaint || !d.IgnoreQuarantine) {
			return "the address is in quarantine"
		}
	}
	if d.CouponID == nil {
		return ""
	}
	coupons, err := m.CouponsByID(ctx, []coupon.ID{*d.CouponID})
	m.must(err)
	c := coupons[*d.CouponID]
	if now := m.Now(); c.ArchivedAt != nil || now.Before(c.StartsAt) || c.EndsAt != nil && !now.Before(*c.EndsAt) {
		return "the coupon is not valid"
	}
	value := m.codes[c.ID]
	if message.CodeID != nil {
		value = m.codes[id]
		codes, err := m.CodesByID(ctx, []coupon.ID{*message.CodeID}, coupon.AnyState)
		m.must(err)
		if code := codes[*message.CodeID]; code.VoidedAt != nil || code.MessageID == nil || *code.MessageID != id {
			return "the code was voided or released"
		}
	}
	if c.RedemptionLimit != nil && m.redeemed[value] >= *c.RedemptionLimit {
		return "the code is used up"
	}
	return ""
}

// judging is a sender between whose questions something changes, and whose answers are judged.
type judging struct {
	sender.Sender

	m *meddled
}

// Traits has small batches, so that much happens between them.
func (j judging) Traits() sender.Traits {
	line := j.Sender.Traits()
	line.MaxBatch = min(line.MaxBatch, 4)
	return line
}

func (j judging) Send(ctx context.Context, batch *sender.Batch) ([]coupon.Attempt, error) {
	m, leave := j.m, batch.Leave
	batch.Leave = func(place int) bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.meddle(m.isExact)
		id := batch.Messages[place].MessageID
		reason := m.forbidden(id)
		may := leave(place)
		if m.isExact && may == (reason != "") {
			reason = m.forbidden(id) // what waited may have come in between
		}
		switch {
		case may && reason != "":
			m.problems = append(m.problems, fmt.Sprintf("%s left: %s", id, reason))
		case !may && reason == "" && !m.isExact:
			m.problems = append(m.problems, fmt.Sprintf("%s was withheld", id))
		}
		m.left[id] = m.left[id] || may
		return may
	}
	return j.Sender.Send(ctx, batch)
}

func (m *meddled) openOutbox() sender.Sender {
	out, err := sender.OpenOutbox(m.folder)
	m.must(err)
	return out
}

// faultOf returns what is made of the message to an address or of a number, and how often that was asked before.
func (m *meddled) faultOf(id coupon.ID) (f fault, times int) {
	m.refused[id]++
	number := coupon.MustNumber(coupon.KindRecipient, m.messages[id].RecipientID)
	return m.faults[number%meddledPeople], m.refused[id]
}

var messageIDIn = regexp.MustCompile(`message_\d+`)

func (m *meddled) openMail() sender.Sender {
	server := mailtest.Start(m.t, func(e mailtest.Event) mailtest.Reply {
		if e.Step != mailtest.Dot {
			return mailtest.Reply{}
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		id := coupon.ID(messageIDIn.FindString(e.Line))
		switch f, times := m.faultOf(id); {
		case f == postponesOnce && times == 1:
			return mailtest.Reply{Text: "451 4.2.1 The mailbox is busy"}
		case f == refuses:
			return mailtest.Reply{Text: "550 5.1.1 No such user"}
		default:
			m.taken[id]++
			m.lost[id] = m.lost[id] || f == breaks && times == 1
			return mailtest.Reply{Breaks: f == breaks && times == 1}
		}
	})
	out, err := sender.NewSMTP(&sender.SMTPOptions{URL: server.URL(), From: "shop@example.com"})
	m.must(err)
	m.t.Cleanup(out.Close)
	return out
}

func (m *meddled) openHook() sender.Sender {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var body struct {
			Messages []struct {
				MessageID coupon.ID `json:"messageId"`
			} `json:"messages"`
		}
		if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
			m.t.Error(err)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		key := request.Header.Get(sender.HeaderIdempotencyKey)
		refused, isKnown := m.answers[key]
		isBroken := false
		for _, message := range body.Messages {
			if isKnown {
				break // as before, without sending
			}
			f, times := m.faultOf(message.MessageID)
			switch {
			case f == refuses || f == postponesOnce && times == 1:
				refused = append(refused, map[string]any{"messageId": message.MessageID, "reason": "no", "isPermanent": f == refuses})
				continue
			case f == breaks && m.broken < 2:
				isBroken = true
			}
			m.taken[message.MessageID]++
		}
		m.answers[key] = refused
		if isBroken {
			m.broken++
			for _, message := range body.Messages {
				m.lost[message.MessageID] = true
			}
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"refused": refused}); err != nil {
			m.t.Error(err)
		}
	}))
	m.t.Cleanup(server.Close)
	out, err := sender.NewWebhook(server.URL, "0123456789abcdef", nil)
	m.must(err)
	m.t.Cleanup(out.Close)
	return out
}

// send sends everything that may be sent: time passes, and what is paused goes on.
func (m *meddled) send(out sender.Sender) {
	senders := map[coupon.Channel]sender.Sender{}
	for _, channel := range []coupon.Channel{coupon.ChannelEmail, coupon.ChannelSMS, coupon.ChannelPush, coupon.ChannelDirectMail} {
		senders[channel] = judging{out, m}
	}
	box, err := sender.OpenOutbox(m.folder)
	m.must(err)
	runner := job.Start(m.t.Context(), m.Store, box, job.Options{Log: slog.New(slog.NewTextHandler(m.t.Output(), nil)), Senders: senders})
	defer runner.Stop()
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		isOver, state := m.goOn()
		if isOver {
			break
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("after three minutes:%s", state)
		}
	}
	m.later.Wait()
}

// goOn lets time pass and resumes what is paused. It reports whether everything is over, and where it stands.
func (m *meddled) goOn() (isOver bool, state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock.Advance(time.Minute)
	m.NotifyDue()
	found, err := m.DeliveriesByID(m.t.Context(), m.deliveries)
	m.must(err)
	isOver = true
	for id, d := range found {
		state += fmt.Sprintf("\n%s %s %+v", id, d.Status, d.Counts)
		if d.Status == coupon.DeliveryPaused {
			_, err := m.ResumeDelivery(m.t.Context(), id)
			m.try(err)
		}
		isOver = isOver && d.Counts.Pending == 0 && d.Status != coupon.DeliveryInProgress
	}
	return isOver, state
}

// check compares what was recorded with what arrived.
func (m *meddled) check(rt *rapid.T) {
	ctx := m.t.Context()
	for _, problem := range m.problems {
		rt.Error(problem)
	}
	if m.isExact {
		files, err := filepath.Glob(filepath.Join(m.folder, "*"))
		m.must(err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			m.must(err)
			pattern := regexp.MustCompile(`(?m)^Message-ID: <(message_\d+)|"messageId":"(message_\d+)"`)
			for _, match := range pattern.FindAllStringSubmatch(string(text), -1) {
				m.taken[coupon.ID(match[1]+match[2])]++
			}
		}
	}
	reasons, err := m.CanceledBy(ctx, m.deliveries)
	m.must(err)
	for _, id := range m.deliveries {
		d := m.delivery(m.t, id)
		got := map[coupon.MessageStatus]int{}
		for _, message := range m.scene.messages(m.t, id) {
			got[message.Status]++
			isTaken, mayBeTaken := message.Status == coupon.MessageSent, message.Status == coupon.MessageUnknown
			// What nobody answered for, and what was canceled or given up after it, may have arrived.
			mayBeTaken = mayBeTaken || m.lost[message.ID]
			if times := m.taken[message.ID]; times > 1 || times == 0 && isTaken || times == 1 && !isTaken && !mayBeTaken {
				rt.Errorf("%s is %s and was taken %d times", message.ID, message.Status, times)
			}
			if m.taken[message.ID] > 0 && !m.left[message.ID] {
				rt.Errorf("%s was taken and never left", message.ID)
			}
		}
		counts := d.Counts
		want := coupon.MessageCounts{
			Sent: got[coupon.MessageSent], Failed: got[coupon.MessageFailed], Canceled: got[coupon.MessageCanceled],
			Unknown: got[coupon.MessageUnknown], Total: meddledPeople,
		}
		if counts != want {
			rt.Errorf("%s has %+v, its messages make %+v", id, counts, want)
		}
		sum := 0
		for _, of := range reasons[id] {
			sum += of.Count
		}
		if sum != counts.Canceled {
			rt.Errorf("%s: %d messages have reasons, %d were canceled", id, sum, counts.Canceled)
		}
		if isOver := []coupon.DeliveryStatus{coupon.DeliveryFinished, coupon.DeliveryFailed, coupon.DeliveryStopped}; !slices.Contains(isOver, d.Status) {
			rt.Errorf("%s is %s", id, d.Status)
		}
	}
	report, err := m.IntegrityReport(ctx)
	m.must(err)
	for _, check := range report.Checks {
		if check.Violations > 0 {
			rt.Errorf("%s: %q: %v", check.Name, check.Description, check.Examples)
		}
	}
}
