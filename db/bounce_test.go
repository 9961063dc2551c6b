package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

// bounced returns reports of messages, or of addresses where a text has an @, one of a kind each.
func bounced(kind coupon.BounceKind, at time.Time, of ...string) []*coupon.BounceInput {
	reports := make([]*coupon.BounceInput, len(of))
	for i, name := range of {
		reports[i] = &coupon.BounceInput{Kind: kind, At: new(coupon.DateTime(at.Format(time.RFC3339))), Reason: new("550 no such user")}
		if strings.Contains(name, "@example") {
			reports[i].Address = new(name)
		} else {
			reports[i].MessageID = new(coupon.ID(name))
		}
	}
	return reports
}

// record records reports and gives "recorded repeated quarantined", and the reasons of those that were not.
func (s *scene) record(t *testing.T, reports []*coupon.BounceInput) []string {
	t.Helper()
	record, err := s.RecordBounces(t.Context(), reports)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{fmt.Sprintf("%d %d %d", record.RecordedCount, record.RepeatedCount, record.QuarantinedCount)}
	for _, r := range record.Rejections {
		got = append(got, fmt.Sprintf("%d %s", r.Line, r.Reason))
	}
	if sum := record.RecordedCount + record.RepeatedCount + len(record.Rejections); sum != len(reports) {
		t.Errorf("%d of %d reports are accounted for", sum, len(reports))
	}
	return got
}

func (s *scene) wantRecord(t *testing.T, reports []*coupon.BounceInput, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.record(t, reports)); diff != "" {
		t.Errorf("recorded, repeated, quarantined; rejections (-want +got):\n%s", diff)
	}
}

// quarantined returns "channel address reason count" of every address in quarantine, in order.
func (s *scene) quarantined(t *testing.T) []string {
	t.Helper()
	list, err := s.QuarantinedAddresses(t.Context(), nil, nil, coupon.Page{First: coupon.MaxPageSize, WantsItems: true, WantsTotal: true})
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, q := range list.Items {
		lines = append(lines, fmt.Sprintf("%s %s %s %d", q.Channel, q.Address, q.Reason, q.BounceCount))
	}
	if list.Total != len(lines) {
		t.Errorf("%d addresses in quarantine, %d in total", len(lines), list.Total)
	}
	slices.Sort(lines)
	return lines
}

func (s *scene) wantQuarantined(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), s.quarantined(t)); diff != "" {
		t.Errorf("in quarantine (-want +got):\n%s", diff)
	}
}

// sentTo delivers to so many recipients and gives the delivery, their ids, and the ids of the messages.
func (s *scene) sentTo(t *testing.T, count int) (delivery coupon.ID, people []coupon.ID, messages []string) {
	t.Helper()
	people = s.recipients(t, count)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("B", 2*count)...)
	delivery = s.deliver(t, c, people)
	for _, m := range s.messagesOf(t, delivery, nil) {
		messages = append(messages, string(m.ID))
	}
	return delivery, people, messages
}

func (s *scene) messagesOf(t *testing.T, delivery coupon.ID, outcome []coupon.MessageOutcome) []*coupon.Message {
	t.Helper()
	page := coupon.Page{First: coupon.MaxPageSize, WantsItems: true, WantsTotal: true}
	lists, err := s.DeliveryMessages(t.Context(), []coupon.ID{delivery}, nil, nil, outcome, page)
	if err != nil {
		t.Fatal(err)
	}
	if list := lists[delivery]; len(list.Items) != list.Total {
		t.Errorf("%d messages, %d in total", len(list.Items), list.Total)
	}
	return lists[delivery].Items
}

// TestBouncesNameAddresses records reports only of what can be an address of the channel, by the same rule as everywhere.
func TestBouncesNameAddresses(t *testing.T) {
	t.Parallel()
	s := newScene(t, inRegion("DE"))
	var reports []*coupon.BounceInput
	for _, address := range []string{"abc", "1", "r1@example.com", "0170 1234567", "+49 170 1234567 ext 5"} {
		reports = append(reports, &coupon.BounceInput{Kind: coupon.BounceHard, Channel: new(coupon.ChannelSMS), Address: &address})
	}
	reports = append(reports, &coupon.BounceInput{Kind: coupon.BounceHard, Channel: new(coupon.ChannelEmail), Address: new("a b@example.com")})
	s.wantRecord(t, reports, "1 0 1", "1 BAD_ADDRESS", "2 BAD_ADDRESS", "3 BAD_ADDRESS", "5 BAD_ADDRESS", "6 BAD_ADDRESS")
	s.wantQuarantined(t, "SMS +491701234567 HARD 1")
}

// TestRecordBounces accounts for every report, and changes nothing by what is known already.
func TestRecordBounces(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	delivery, people, messages := s.sentTo(t, 6)
	waiting := s.newDelivery(t, "", people, func(d *coupon.DeliveryChanges) { d.Body = coupon.Set(new("Hello")) })
	s.confirm(t, waiting)
	pending := s.messagesOf(t, waiting, nil)[0].ID
	at := noon().Add(-time.Hour)
	reports := slices.Concat(
		bounced(coupon.BounceHard, at, messages[0], "<"+messages[1]+"@couponql>", "<"+messages[2]+"@"+s.ID()+".couponql>"),
		bounced(coupon.BounceDelivered, at, messages[3]),
		bounced(coupon.BounceSoft, at, messages[4]),
		bounced(coupon.BounceHard, at, messages[0], "message_999", "<"+messages[5]+"@0123456789abcdef.couponql>", string(pending)),
		bounced(coupon.BounceHard, at, "elsewhere", "nobody@example.net", "@example"),
		bounced(coupon.BounceComplaint, at.Add(48*time.Hour), messages[5]),
	)
	s.wantRecord(t, reports, "6 1 4", "7 UNKNOWN_MESSAGE", "8 UNKNOWN_MESSAGE", "9 NOT_SENT", "10 UNKNOWN_MESSAGE", "12 BAD_ADDRESS", "13 FUTURE_DATE")
	quarantine := []string{
		"EMAIL nobody@example.net HARD 1", "EMAIL r1@example.org HARD 1", "EMAIL r2@example.org HARD 1", "EMAIL r3@example.org HARD 1",
	}
	s.wantQuarantined(t, quarantine...)
	s.wantRecord(t, reports, "0 7 0", "7 UNKNOWN_MESSAGE", "8 UNKNOWN_MESSAGE", "9 NOT_SENT", "10 UNKNOWN_MESSAGE", "12 BAD_ADDRESS", "13 FUTURE_DATE")
	s.wantQuarantined(t, quarantine...)
	// The same message again at another time is no other bounce.
	s.wantRecord(t, bounced(coupon.BounceHard, at.Add(time.Minute), messages[0]), "0 1 0")
	outcomes, err := s.OutcomesOf(t.Context(), []coupon.ID{delivery, waiting})
	if err != nil {
		t.Fatal(err)
	}
	want := map[coupon.ID]*coupon.DeliveryOutcomes{delivery: {Delivered: 1, SoftBounced: 1, HardBounced: 3, Arrived: 2}, waiting: {}}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if got := len(s.messagesOf(t, delivery, []coupon.MessageOutcome{coupon.OutcomeHardBounce, coupon.OutcomeSoftBounce})); got != 4 {
		t.Errorf("%d messages bounced, want 4", got)
	}
	for _, count := range []int{0, coupon.MaxRecordedBounces + 1} {
		_, err := s.RecordBounces(t.Context(), make([]*coupon.BounceInput, count))
		wantError(t, err, coupon.ErrorInvalid, "input.bounces")
	}
	s.checkIntegrity(t)
}

// TestOutcomeOfReports gives every message the outcome that counts most, in whatever order its reports come.
func TestOutcomeOfReports(t *testing.T) {
	t.Parallel()
	want := map[coupon.BounceKind]coupon.MessageOutcome{
		coupon.BounceSoft: coupon.OutcomeSoftBounce, coupon.BounceDelivered: coupon.OutcomeDelivered,
		coupon.BounceHard: coupon.OutcomeHardBounce, coupon.BounceComplaint: coupon.OutcomeComplaint,
	}
	s := newScene(t)
	_, _, messages := s.sentTo(t, 16)
	kinds := coupon.BounceKinds()
	place := 0
	for i, first := range kinds {
		for j, second := range kinds {
			id := messages[place]
			place++
			s.record(t, bounced(first, noon().Add(-2*time.Hour), id))
			s.record(t, bounced(second, noon().Add(-time.Hour), id))
			found, err := s.MessagesByID(t.Context(), []coupon.ID{coupon.ID(id)})
			if err != nil {
				t.Fatal(err)
			}
			m := found[coupon.ID(id)]
			if most := want[kinds[max(i, j)]]; m.Outcome == nil || *m.Outcome != most || m.OutcomeAt == nil || m.OutcomeReason == nil {
				t.Errorf("%s, then %s: %v, want %s", first, second, m.Outcome, most)
			}
		}
	}
}

// TestSoftBounces counts soft bounces up to a limit: each message once, in a window, and anew after what was delivered.
func TestSoftBounces(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	type call []*coupon.BounceInput
	soft := func(days ...int) (reports call) {
		for _, d := range days {
			reports = append(reports, bounced(coupon.BounceSoft, noon().Add(-time.Duration(d)*day), "@example")...)
		}
		return reports
	}
	other := func(kind coupon.BounceKind, days int) call {
		return bounced(kind, noon().Add(-time.Duration(days)*day), "@example")
	}
	tests := map[string]struct {
		calls []call
		want  string
	}{
		"two":                            {calls: []call{soft(2, 1)}},
		"three at once":                  {calls: []call{soft(3, 2, 1)}, want: "SOFT 3"},
		"three one by one":               {calls: []call{soft(3), soft(2), soft(1)}, want: "SOFT 3"},
		"out of order":                   {calls: []call{soft(1), soft(3), soft(2)}, want: "SOFT 3"},
		"the same thrice":                {calls: []call{soft(1), soft(1), soft(1)}},
		"one delivered between":          {calls: []call{soft(4, 3), other(coupon.BounceDelivered, 2), soft(1)}},
		"one delivered between, at once": {calls: []call{append(soft(4, 3, 1), other(coupon.BounceDelivered, 2)...)}},
		"delivered before":               {calls: []call{other(coupon.BounceDelivered, 5), soft(4, 3, 1)}, want: "SOFT 3"},
		"one too long ago":               {calls: []call{soft(92, 2, 1)}},
		"one just not too long ago":      {calls: []call{soft(91, 2, 1)}, want: "SOFT 3"},
		"hard":                           {calls: []call{soft(2), other(coupon.BounceHard, 0)}, want: "HARD 2"},
		"a complaint stays one": {
			calls: []call{other(coupon.BounceHard, 3), other(coupon.BounceComplaint, 2), soft(1)}, want: "COMPLAINT 3",
		},
	}
	s := newScene(t)
	var want []string
	for name, test := range tests {
		address := strings.NewReplacer(" ", ".", ",", "").Replace(name) + "@example.org"
		for i, reports := range test.calls {
			for _, report := range reports {
				// However it is spelled, it is one address.
				report.Address = new([]string{address, strings.ToUpper(address), " " + address + " "}[i])
			}
			s.record(t, reports)
		}
		if test.want != "" {
			want = append(want, address+" "+test.want)
		}
	}
	got := s.quarantined(t)
	for i := range got {
		got[i] = strings.ToLower(strings.TrimPrefix(got[i], "EMAIL "))
	}
	for i := range want {
		want[i] = strings.ToLower(want[i])
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in quarantine (-want +got):\n%s", diff)
	}
	s.wantRecord(t, []*coupon.BounceInput{{Address: new("ada@example.org"), Kind: coupon.BounceSoft}, {Kind: coupon.BounceHard}}, "0 0 0", "1 EMPTY", "2 EMPTY")
}

// TestQuarantine leaves addresses out of analyses until they are lifted, unless a delivery ignores what is no complaint.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, people, messages := s.sentTo(t, 5)
	s.record(t, slices.Concat(bounced(coupon.BounceHard, noon(), messages[0], messages[1]), bounced(coupon.BounceComplaint, noon(), messages[2])))
	id := s.newDelivery(t, "", people, func(d *coupon.DeliveryChanges) { d.Body = coupon.Set(new("Hello")) })
	want := func(messages, quarantined int) {
		t.Helper()
		found := s.analyze(t, id, coupon.DeliveryReady)
		got := 0
		for _, e := range found.Exclusions {
			if e.Reason == coupon.ExcludedQuarantined {
				got = e.Count
			}
		}
		if found.MessageCount != messages || got != quarantined {
			t.Errorf("%d messages and %d in quarantine, want %d and %d", found.MessageCount, got, messages, quarantined)
		}
	}
	want(2, 3)
	found, err := s.QuarantineOf(t.Context(), people)
	if err != nil {
		t.Fatal(err)
	}
	first := found[people[0]]
	if len(found) != 3 || len(first) != 1 || first[0].Address != "r1@example.org" || *first[0].LastReason != "550 no such user" {
		t.Errorf("recipients in quarantine: %+v", found)
	}
	ignore := func(yes bool) {
		t.Helper()
		if _, err := s.UpdateDelivery(t.Context(), id, &coupon.DeliveryChanges{IgnoreQuarantine: coupon.Set(&yes)}); err != nil {
			t.Fatal(err)
		}
	}
	ignore(true)
	want(4, 1)
	ignore(false)
	want(2, 3)
	// Another address of the same person is not in quarantine.
	if _, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{ExternalID: "r1", Email: coupon.Set(new("new@example.org"))}}); err != nil {
		t.Fatal(err)
	}
	want(3, 2)
	s.clock.Advance(time.Hour)
	for _, lift := range []struct{ count, messages, left int }{{2, 5, 0}, {0, 5, 0}} {
		lifted, err := s.LiftQuarantine(t.Context(), coupon.ChannelEmail, []string{" R2@Example.org", "r3@example.org", "r4@example.org"})
		if err != nil || lifted != lift.count {
			t.Errorf("lifted %d, want %d: %v", lifted, lift.count, err)
		}
		want(lift.messages, lift.left)
	}
	// What was reported before counts no more, not even when it is reported again or comes late.
	s.wantRecord(t, bounced(coupon.BounceHard, noon(), messages[1], messages[2]), "1 1 0")
	want(5, 0)
	s.wantRecord(t, bounced(coupon.BounceHard, s.clock.Now().Add(time.Minute), "r2@example.org"), "1 0 1")
	want(4, 1)
	s.checkIntegrity(t)
}

// TestQuarantineOutdatesDraft judges again at the confirmation what came into quarantine since the analysis.
func TestQuarantineOutdatesDraft(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, people, messages := s.sentTo(t, 3)
	id := s.newDelivery(t, "", people, func(d *coupon.DeliveryChanges) { d.Body = coupon.Set(new("Hello")) })
	s.analyze(t, id, coupon.DeliveryReady)
	s.record(t, bounced(coupon.BounceDelivered, noon(), messages[1]))
	s.record(t, bounced(coupon.BounceHard, noon(), messages[0]))
	_, err := s.ConfirmDelivery(t.Context(), id, fine)
	wantError(t, err, coupon.ErrorAnalysisStale, "input.id")
	s.confirm(t, id)
	if got := len(s.messagesOf(t, id, nil)); got != 2 {
		t.Errorf("%d messages, want 2", got)
	}
}

// TestReleaseBouncedCodes lists the codes of messages that came back and gives them to others, with a reason in each history.
func TestReleaseBouncedCodes(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	delivery, _, messages := s.sentTo(t, 4)
	c := *s.delivery(t, delivery).CouponID
	s.record(t, slices.Concat(bounced(coupon.BounceHard, noon(), messages[0], messages[1]), bounced(coupon.BounceSoft, noon(), messages[2])))
	filter := &coupon.CodeFilter{Outcome: []coupon.MessageOutcome{coupon.OutcomeHardBounce}, Status: []coupon.CodeStatus{coupon.CodeAssigned}}
	codes := s.allCodes(t, c, filter)
	if len(codes) != 2 {
		t.Fatalf("%d codes of messages that came back, want 2", len(codes))
	}
	// Whoever got it elsewhere redeems it: it is no code to release, and its bounce breaks nothing.
	s.redeem(t, codes[0].Value)
	selection := &db.CodeSelection{CouponID: c, Filter: filter}
	released, kept, _, err := s.ReleaseCodes(t.Context(), selection, true, "came back")
	if err != nil || released != 1 || kept != 0 {
		t.Fatalf("released %d, kept %d: %v", released, kept, err)
	}
	events, err := s.EventsOf(t.Context(), []coupon.ID{codes[1].ID})
	if err != nil {
		t.Fatal(err)
	}
	history := events[codes[1].ID]
	if last := history[len(history)-1]; last.Kind != coupon.EventReturned || !strings.Contains(last.Text, "came back") {
		t.Errorf("the history ends with %+v", last)
	}
	// A complaint of a message whose code is back in the pool, or was redeemed, is recorded like any other.
	s.wantRecord(t, bounced(coupon.BounceComplaint, noon(), messages[0], messages[1]), "2 0 0")
	if got := len(s.allCodes(t, c, &coupon.CodeFilter{Outcome: []coupon.MessageOutcome{coupon.OutcomeComplaint}})); got != 1 {
		t.Errorf("%d codes of messages that were complained about, want the one that is still held", got)
	}
	s.checkIntegrity(t)
}

// TestImportBounces brings the same reports in every format, whatever their columns are called, and harmlessly again.
func TestImportBounces(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		more func(*coupon.Import)
		want []string
	}{
		"CSV": {
			text: "Message-ID;Recipient;Bounce Type;Date;Description\n<message_1@couponql>;;Permanent;23.11.2026 09:00;gone\n;ada@example.net;Transient;22.11.2026;full\n",
			want: []string{"EMAIL r1@example.org HARD 1"},
		},
		"JSONL": {
			text: `{"RecordType":"Bounce","Type":"HardBounce","MessageID":"88","Email":"ada@example.net","BouncedAt":"2026-11-22T16:33:54Z","Details":"gone"}
{"RecordType":"SpamComplaint","Type":"SpamComplaint","MessageID":"883953f4","Email":"bob@example.net","BouncedAt":"2026-11-22T16:33:54Z"}
`,
			want: []string{"EMAIL ada@example.net HARD 1", "EMAIL bob@example.net COMPLAINT 1"},
		},
		"XML": {
			text: `<events>
<item><event>failed</event><severity>permanent</severity><recipient>ada@example.net</recipient><timestamp>1795435200</timestamp></item>
<item><event>failed</event><severity>temporary</severity><recipient>bob@example.net</recipient><timestamp>1795435200</timestamp></item></events>`,
			want: []string{"EMAIL ada@example.net HARD 1"},
		},
		"SNS, a report of two": {
			text: `{"Type":"Notification","MessageId":"22b8","Timestamp":"2026-11-23T10:00:00Z","Message":"{\"eventType\":\"Bounce\",\"bounce\":` +
				`{\"bounceType\":\"Permanent\",\"timestamp\":\"2026-11-22T14:59:38Z\",\"bouncedRecipients\":` +
				`[{\"emailAddress\":\"ada@example.net\"},{\"emailAddress\":\"bob@example.net\"}]},\"mail\":{\"messageId\":\"0100-ses\"}}"}`,
			want: []string{"EMAIL ada@example.net HARD 1", "EMAIL bob@example.net HARD 1"},
		},
		"an array": {
			text: `[{"event":"bounce","email":"ada@example.net","timestamp":1795359578,"status":"5.1.1"},
{"event":"spamreport","email":"bob@example.net","timestamp":1795359578}]`,
			want: []string{"EMAIL ada@example.net HARD 1", "EMAIL bob@example.net COMPLAINT 1"},
		},
		"a list of addresses": {
			text: "email\nada@example.net\nbob@example.net\n",
			more: func(i *coupon.Import) { i.BounceKind = new(coupon.BounceHard) },
			want: []string{"EMAIL ada@example.net HARD 1", "EMAIL bob@example.net HARD 1"},
		},
		"phones": {
			text: "phone;status;date\n+49 170 1;5.1.1;2026-11-20\n0049 170 2;delivered;2026-11-20\n",
			more: func(i *coupon.Import) { i.Channel = new(coupon.ChannelSMS) },
			want: []string{"SMS +491701 HARD 1"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.sentTo(t, 1)
			i := newImport(coupon.ImportBounces)
			if test.more != nil {
				test.more(i)
			}
			dry := *i
			dry.IsDryRun = true
			rehearsed := s.importFile(t, &dry, test.text)
			s.wantQuarantined(t)
			done := s.importFile(t, i, test.text)
			if done.RowsImported != 2 || done.RowsRejected != 0 || done.Changes != rehearsed.Changes || done.Changes.Quarantined != len(test.want) {
				t.Errorf(
					"%v %d imported, %d rejected, changes %+v; rehearsed %+v",
					done.Failure,
					done.RowsImported,
					done.RowsRejected,
					done.Changes,
					rehearsed.Changes,
				)
			}
			s.wantQuarantined(t, test.want...)
			if again := s.importFile(t, i, test.text); again.RowsImported != 0 || again.RowsRejected != 2 || again.Changes != (coupon.ImportChanges{}) {
				t.Errorf("again: %d imported, %d rejected, changes %+v", again.RowsImported, again.RowsRejected, again.Changes)
			}
			s.wantQuarantined(t, test.want...)
			s.checkIntegrity(t)
		})
	}
}

// TestSkippedReports records the others whatever else a file of all reports is about: an opening is told and is no fault.
func TestSkippedReports(t *testing.T) {
	t.Parallel()
	const text = `[{"event":"open","email":"ada@example.net","timestamp":1795359578},{"event":"click","email":"ada@example.net"},
{"event":"bounce","email":"ada@example.net","timestamp":1795359578,"status":"5.1.1"}]`
	for name, more := range map[string]func(*coupon.Import){
		"whole or nothing":  func(i *coupon.Import) { i.OnRejection = coupon.RejectFile },
		"with no rejection": func(i *coupon.Import) { i.Options.MaxRejections = new(0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			i := newImport(coupon.ImportBounces)
			more(i)
			done := s.importFile(t, i, text)
			if done.Status != coupon.ImportSucceeded || done.RowsImported != 1 || done.RowsRejected != 2 {
				t.Errorf("%s, %v: %d imported, %d rejected", done.Status, done.Failure, done.RowsImported, done.RowsRejected)
			}
			s.wantQuarantined(t, "EMAIL ada@example.net HARD 1")
			bad := s.importFile(t, i, strings.Replace(text, "click", "launched", 1))
			if bad.Status != coupon.ImportFailed || !strings.Contains(*bad.Failure, "cannot be imported") {
				t.Errorf("with a fault it is %s, %v", bad.Status, bad.Failure)
			}
		})
	}
}

// TestEraseBounces leaves nothing of an erased person's address in what was reported, but what others need who have it too.
func TestEraseBounces(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	people := append(s.recipients(t, 1), s.zelda(t))
	sent := s.newDelivery(t, "", people, func(d *coupon.DeliveryChanges) { d.Body = coupon.Set(new("Hello")) })
	s.confirm(t, sent)
	s.send(t, sent)
	reports := bounced(coupon.BounceHard, noon(), "message_2", "zelda.4711@example.org", "r1@example.org")
	for _, r := range reports {
		r.Reason = new("550 zelda.4711@example.org: unknown")
	}
	reports[2].Reason = nil
	s.wantRecord(t, reports, "3 0 2")
	s.wantRecord(t, []*coupon.BounceInput{
		{Address: new("+49 170 998877"), Channel: new(coupon.ChannelSMS), Kind: coupon.BounceComplaint},
		{Address: new("ZELDA.4711@example.org"), Kind: coupon.BounceDelivered},
	}, "2 0 1")
	s.importFile(
		t,
		newImport(coupon.ImportBounces),
		"email,kind\nzelda.4711@example.org,launched\nzelda.4711@example.org,soft\nZelda <zelda.4711@example.org>,hard\n\"zelda.4711@example.org,or so\",hard\n",
	)
	if _, err := s.LiftQuarantine(t.Context(), coupon.ChannelSMS, []string{"+49170998877"}); err != nil {
		t.Fatal(err)
	}
	if len(s.found(t)) == 0 {
		t.Fatal("nothing to erase")
	}
	s.erase(t, coupon.Erasure{ErasedCount: 1}, people[1:])
	var left []string
	for _, found := range s.found(t) {
		if strings.HasPrefix(found, "bounce ") || strings.HasPrefix(found, "quarantine ") || strings.HasPrefix(found, "rejection ") {
			left = append(left, found)
		}
	}
	if len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	s.wantQuarantined(t, "EMAIL r1@example.org HARD 1")
	// That the message came back still counts, and what is reported of it later is not kept either.
	s.wantRecord(t, bounced(coupon.BounceComplaint, noon(), "message_2"), "1 0 0")
	messages, err := s.MessagesByID(t.Context(), []coupon.ID{"message_2"})
	if m := messages["message_2"]; err != nil || m.Outcome == nil || *m.Outcome != coupon.OutcomeComplaint || m.OutcomeReason != nil {
		t.Errorf("%+v, %v", m, err)
	}
	// An address that somebody else has too stays in quarantine for that one.
	if _, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{ExternalID: "other", Email: coupon.Set(new("R1@example.org"))}}); err != nil {
		t.Fatal(err)
	}
	s.erase(t, coupon.Erasure{ErasedCount: 1}, people[:1])
	s.wantQuarantined(t, "EMAIL r1@example.org HARD 1")
	s.checkIntegrity(t)
}

// checkIntegrity asks every promise.
func (s *scene) checkIntegrity(t *testing.T) {
	t.Helper()
	report, err := s.IntegrityReport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range report.Broken() {
		t.Error(broken)
	}
}

// TestUndoBounces takes the reports of a file back. Addresses leave quarantine that nothing else brought there.
func TestUndoBounces(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	delivery, _, messages := s.sentTo(t, 6)
	at := func(minutes int) time.Time { return noon().Add(time.Duration(minutes) * time.Minute) }
	// r1 was in quarantine before; r2 has one soft bounce of another source.
	s.wantRecord(t, slices.Concat(bounced(coupon.BounceHard, at(1), messages[0]), bounced(coupon.BounceSoft, at(1), "r2@example.org")), "2 0 1")
	s.clock.Advance(time.Hour)
	file := func(rows ...string) coupon.ID {
		i := s.importFile(t, newImport(coupon.ImportBounces), "messageId,address,kind,date,reason\n"+strings.Join(rows, "\n"))
		if i.Status != coupon.ImportSucceeded || i.RowsImported != len(rows) {
			t.Fatalf("imported %d of %d: %v", i.RowsImported, len(rows), s.rejections(t, i.ID))
		}
		return i.ID
	}
	wrong := file(
		messages[0]+",,complaint,2026-11-23T12:10:00Z,wrong", // was in quarantine, for less
		",r2@example.org,soft,2026-11-23T12:11:00Z,wrong",    // two of three soft ones
		messages[2]+",,hard,2026-11-23T12:12:00Z,wrong",      // nothing else
		",r4@example.org,hard,2026-11-23T12:13:00Z,wrong",    // another reports the same of the message
		messages[4]+",,hard,2026-11-23T12:14:00Z,wrong",      // lifted meanwhile
		messages[5]+",,delivered,2026-11-23T12:15:00Z,not wrong",
	)
	s.clock.Advance(time.Hour)
	s.wantRecord(t, slices.Concat(bounced(coupon.BounceSoft, at(70), "r2@example.org"), bounced(coupon.BounceHard, at(70), messages[3])), "2 0 1")
	if lifted, err := s.LiftQuarantine(t.Context(), coupon.ChannelEmail, []string{"r5@example.org"}); err != nil || lifted != 1 {
		t.Fatalf("lifted %d: %v", lifted, err)
	}
	s.wantQuarantined(t, "EMAIL r1@example.org COMPLAINT 2", "EMAIL r2@example.org SOFT 3", "EMAIL r3@example.org HARD 1", "EMAIL r4@example.org HARD 2")
	s.clock.Advance(time.Hour)
	for _, want := range []coupon.Undone{{Removed: 6, Lifted: 2}, {}} {
		undone, err := s.UndoImport(t.Context(), wrong)
		if err != nil {
			t.Fatal(err)
		}
		if undone.Removed != want.Removed || undone.Kept != 0 || undone.Lifted != want.Lifted || undone.Import.UndoneAt == nil {
			t.Errorf("undone %+v, want %+v", undone, want)
		}
		s.wantQuarantined(t, "EMAIL r1@example.org HARD 1", "EMAIL r4@example.org HARD 1")
		s.reopen(t)
	}
	if got := len(s.messagesOf(t, delivery, []coupon.MessageOutcome{coupon.OutcomeHardBounce})); got != 2 {
		t.Errorf("%d messages came back, want those that others reported", got)
	}
	// What is right this time is recorded as if nothing had been.
	file(",r2@example.org,soft,2026-11-23T12:11:00Z,right")
	s.wantQuarantined(t, "EMAIL r1@example.org HARD 1", "EMAIL r2@example.org SOFT 3", "EMAIL r4@example.org HARD 1")
	s.checkIntegrity(t)
}
