package db_test

import (
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"couponql/coupon"
	"couponql/db"
)

// event is something that statistics count, as it happened.
type event struct {
	kind       string // assigned, sent, bounced, complained, failed, canceled, unknown or redeemed
	coupon     coupon.ID
	delivery   coupon.ID
	channel    coupon.Channel
	label      string
	source     coupon.RedemptionSource
	at         time.Time
	assignedAt *time.Time
	// amount is in ten-thousandths.
	amount     *big.Int
	currency   string
	isReversed bool
	// code and store are those of a redemption, and reason that of what was canceled.
	code, store, reason string
}

// history is a scene whose events are noted as they are made.
type history struct {
	*scene

	random *rand.Rand
	events []event
	values []string
	// labels are those of the codes that messages were given.
	labels map[coupon.ID]string
}

func newHistory(t *testing.T, random *rand.Rand) *history {
	t.Helper()
	return &history{scene: newScene(t), random: random, labels: map[coupon.ID]string{}}
}

// TestRedemptionStats compares statistics of all dimensions with counting in Go, on random data around the
// end of summer time in Berlin.
func TestRedemptionStats(t *testing.T) {
	t.Parallel()
	h := newHistory(t, rand.New(rand.NewPCG(3, 4)))
	h.clock.Set(time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC))
	h.happen(t)
	for _, kind := range []string{"assigned", "sent", "bounced", "complained", "failed", "canceled", "unknown", "redeemed"} {
		if !slices.ContainsFunc(h.events, func(e event) bool { return e.kind == kind }) {
			t.Fatalf("nothing was %s", kind)
		}
	}
	var dimensions [][]coupon.StatsDimension
	all := []coupon.StatsDimension{
		coupon.ByCoupon, coupon.ByDelivery, coupon.ByChannel, coupon.ByLabel, coupon.BySource, coupon.ByStore, coupon.ByReason, coupon.ByHour, coupon.ByDay,
		coupon.ByWeek, coupon.ByMonth,
	}
	for _, one := range all {
		dimensions = append(dimensions, []coupon.StatsDimension{one})
	}
	dimensions = append(dimensions, nil, []coupon.StatsDimension{coupon.ByDay, coupon.ByChannel},
		[]coupon.StatsDimension{coupon.BySource, coupon.ByCoupon, coupon.ByLabel}, []coupon.StatsDimension{coupon.ByStore, coupon.ByChannel},
		[]coupon.StatsDimension{coupon.ByReason, coupon.ByDelivery, coupon.ByDay, coupon.ByLabel}, []coupon.StatsDimension{coupon.BySource, coupon.ByReason},
		[]coupon.StatsDimension{coupon.ByMonth, coupon.ByWeek, coupon.ByDay, coupon.ByHour})
	filters := map[string]*coupon.StatsFilter{
		"all":       nil,
		"coupons":   {CouponIDs: []coupon.ID{"coupon_1", "coupon_3"}},
		"delivery":  {DeliveryIDs: []coupon.ID{"delivery_2"}},
		"channel":   {Channels: []coupon.Channel{coupon.ChannelSMS}},
		"labels":    {Labels: []string{"soccer", "tennis"}},
		"day":       {From: new(coupon.DateTime("2026-10-25")), To: new(coupon.DateTime("2026-10-25"))},
		"instants":  {From: new(coupon.DateTime("2026-10-25T00:30:00Z")), To: new(coupon.DateTime("2026-10-26T02:30:00+01:00"))},
		"unknown":   {CouponIDs: []coupon.ID{"nonsense"}},
		"intersect": {Labels: []string{"soccer"}, Channels: []coupon.Channel{coupon.ChannelEmail}, From: new(coupon.DateTime("2026-10-25"))},
	}
	for _, timezone := range []string{"UTC", "Europe/Berlin", "America/St_Johns"} {
		for name, filter := range filters {
			t.Run(timezone+"/"+name, func(t *testing.T) {
				t.Parallel()
				for _, groupBy := range dimensions {
					got, err := h.ask(t, filter, groupBy, timezone, coupon.MaxStatsRows)
					if err != nil {
						t.Fatal(err)
					}
					want := h.count(t, filter, groupBy, timezone)
					if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-6), cmpopts.EquateEmpty()); diff != "" {
						t.Errorf("%v (-want +got):\n%s", groupBy, diff)
					}
					if len(want) < 3 || name != "all" {
						continue
					}
					limited, err := h.ask(t, filter, groupBy, timezone, 2)
					if diff := cmp.Diff(want[:2], limited, cmpopts.EquateApprox(0, 1e-6), cmpopts.EquateEmpty()); err != nil || diff != "" {
						t.Errorf("%v, the first two (-want +got): %v\n%s", groupBy, err, diff)
					}
				}
			})
		}
	}
}

// TestStatsOfObjects compares the statistics of coupons and deliveries, each in the zone of its coupon, with counting in
// Go, and asks for one number at a time.
func TestStatsOfObjects(t *testing.T) {
	t.Parallel()
	h := newHistory(t, rand.New(rand.NewPCG(5, 6)))
	h.clock.Set(time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC))
	h.happen(t)
	zones := map[coupon.ID]string{"coupon_1": "America/St_Johns", "coupon_2": "Europe/Berlin", "coupon_3": "Pacific/Apia"}
	for id, zone := range zones {
		if _, err := h.UpdateCoupon(t.Context(), id, &coupon.CouponChanges{Timezone: coupon.Set(&zone)}); err != nil {
			t.Fatal(err)
		}
	}
	date := func(text string) *coupon.DateTime { return new(coupon.DateTime(text)) }
	for name, bounds := range map[string][2]*coupon.DateTime{
		"all":      {nil, nil},
		"day":      {date("2026-10-25"), date("2026-10-25")},
		"from":     {date("2026-10-25T12:00"), nil},
		"instants": {date("2026-10-25T00:30:00Z"), date("2026-10-26T02:30:00+01:00")},
	} {
		wanted := coupon.AllStatsMeasures()
		ofCoupons, err := h.CouponStats(t.Context(), []coupon.ID{"coupon_1", "coupon_2", "coupon_3", "coupon_99", "?"}, bounds[0], bounds[1], wanted)
		if err != nil {
			t.Fatal(err)
		}
		deliveries := []coupon.ID{"delivery_1", "delivery_2", "delivery_3", "delivery_4", "delivery_5"}
		ofDeliveries, err := h.DeliveryStats(t.Context(), deliveries, bounds[0], bounds[1], wanted)
		if err != nil {
			t.Fatal(err)
		}
		owners := map[coupon.ID]coupon.ID{"delivery_1": "coupon_1", "delivery_2": "coupon_1", "delivery_3": "coupon_2", "delivery_4": "coupon_3"}
		check := func(id coupon.ID, zone string, filter *coupon.StatsFilter, got *coupon.RedemptionStats) {
			filter.From, filter.To = bounds[0], bounds[1]
			want := h.count(t, filter, nil, zone)[0].Stats
			if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-6), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, id, diff)
			}
		}
		for id, zone := range zones {
			check(id, zone, &coupon.StatsFilter{CouponIDs: []coupon.ID{id}}, ofCoupons[id])
		}
		for id, owner := range owners {
			check(id, zones[owner], &coupon.StatsFilter{DeliveryIDs: []coupon.ID{id}}, ofDeliveries[id])
		}
		for _, id := range []coupon.ID{"coupon_99", "?"} {
			if diff := cmp.Diff(&coupon.RedemptionStats{}, ofCoupons[id]); diff != "" {
				t.Errorf("of nothing (-want +got):\n%s", diff)
			}
		}
		for which, one := range map[string]coupon.StatsMeasures{
			"assigned": {Assigned: true}, "sent": {Sent: true}, "returned": {Returned: true}, "unsent": {Unsent: true},
			"redeemed": {Redeemed: true}, "amount": {Amount: true}, "currencies": {ByCurrency: true}, "times": {TimeToRedeem: true},
		} {
			got, err := h.CouponStats(t.Context(), []coupon.ID{"coupon_1"}, bounds[0], bounds[1], one)
			want := *ofCoupons["coupon_1"]
			if !one.Assigned {
				want.Assigned = 0
			}
			if !one.Sent {
				want.Sent = 0
			}
			if !one.Returned {
				want.Bounced, want.Complained = 0, 0
			}
			if !one.Unsent {
				want.Failed, want.Canceled, want.Unknown = 0, 0, 0
			}
			if !one.Redeemed {
				want.Redeemed, want.Reversed = 0, 0
			}
			if !one.Amount {
				want.Amount = nil
			}
			if !one.ByCurrency {
				want.ByCurrency = nil
			}
			if !one.TimeToRedeem {
				want.TimeToRedeem = nil
			}
			if diff := cmp.Diff(&want, got["coupon_1"]); err != nil || diff != "" {
				t.Errorf("%s alone (-want +got): %v\n%s", which, err, diff)
			}
		}
	}
}

// TestFillPeriods finds a row for each period, and the others unchanged.
func TestFillPeriods(t *testing.T) {
	t.Parallel()
	h := newHistory(t, rand.New(rand.NewPCG(7, 8)))
	h.clock.Set(time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC))
	h.happen(t)
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, filter := range map[string]*coupon.StatsFilter{
		"what happened": nil,
		"a span":        {From: new(coupon.DateTime("2026-10-24T23:30:00Z")), To: new(coupon.DateTime("2026-10-28"))},
		"an empty span": {From: new(coupon.DateTime("2024-03-29")), To: new(coupon.DateTime("2024-04-02"))},
		"until":         {To: new(coupon.DateTime("2026-10-26"))},
	} {
		for _, dimension := range []coupon.StatsDimension{coupon.ByHour, coupon.ByDay, coupon.ByWeek, coupon.ByMonth} {
			for _, groupBy := range [][]coupon.StatsDimension{{dimension}, {coupon.ByChannel, dimension}, {dimension, coupon.ByCoupon, coupon.BySource}} {
				got, err := h.RedemptionStats(t.Context(), &coupon.StatsQuestion{
					Filter: filter, GroupBy: groupBy, Timezone: "Europe/Berlin", Limit: coupon.MaxStatsRows, FillPeriods: true,
					Measures: coupon.AllStatsMeasures(),
				})
				if err != nil {
					t.Fatal(err)
				}
				want := h.filled(t, filter, groupBy, zone)
				if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-6), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s by %v (-want +got):\n%s", name, groupBy, diff)
				}
			}
		}
	}
}

// filled adds what is missing to what count gives, by the minute.
func (h *history) filled(t *testing.T, filter *coupon.StatsFilter, groupBy []coupon.StatsDimension, zone *time.Location) []*coupon.StatsRow {
	t.Helper()
	rows := h.count(t, filter, groupBy, zone.String())
	place := slices.IndexFunc(groupBy, coupon.StatsDimension.IsPeriod)
	// The periods, in order, between the bounds or else the first and the last one.
	var periods []string
	from, to := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	if filter != nil {
		period, err := coupon.NewPeriod(filter.From, filter.To, zone, "")
		if err != nil {
			t.Fatal(err)
		}
		if period.From != nil {
			from = *period.From
		}
		if period.To != nil {
			to = *period.To
		}
	}
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		e := event{at: at}
		if key := e.key(groupBy[place], zone); len(periods) == 0 || periods[len(periods)-1] != key {
			periods = append(periods, key)
		}
	}
	happened := func(key string) bool {
		return slices.ContainsFunc(rows, func(row *coupon.StatsRow) bool { return row.Keys[place] == key })
	}
	for (filter == nil || filter.From == nil) && len(periods) > 0 && !happened(periods[0]) {
		periods = periods[1:]
	}
	for (filter == nil || filter.To == nil) && len(periods) > 0 && !happened(periods[len(periods)-1]) {
		periods = periods[:len(periods)-1]
	}
	known := map[string]*coupon.StatsRow{}
	others := map[string]*coupon.StatsRow{}
	for _, row := range rows {
		known[strings.Join(row.Keys, "|")] = row
		others[strings.Join(slices.Delete(slices.Clone(row.Keys), place, place+1), "|")] = row
	}
	if len(groupBy) == 1 {
		others[""] = &coupon.StatsRow{Keys: []string{""}}
	}
	var all []*coupon.StatsRow
	for _, other := range others {
		for _, period := range periods {
			row := &coupon.StatsRow{Keys: slices.Clone(other.Keys), CouponID: other.CouponID, DeliveryID: other.DeliveryID, Stats: &coupon.RedemptionStats{}}
			row.Keys[place] = period
			if same := known[strings.Join(row.Keys, "|")]; same != nil {
				row = same
			}
			all = append(all, row)
		}
	}
	slices.SortFunc(all, func(a, b *coupon.StatsRow) int {
		for i := range groupBy {
			x, y := a.Keys[i], b.Keys[i]
			if i == place {
				if by := slices.Index(periods, x) - slices.Index(periods, y); by != 0 {
					return by
				}
			} else if x != y {
				return strings.Compare(x, y)
			}
		}
		return 0
	})
	return all
}

// ask asks for all numbers.
func (h *history) ask(
	t *testing.T, filter *coupon.StatsFilter, groupBy []coupon.StatsDimension, timezone string, limit int,
) ([]*coupon.StatsRow, error) {
	t.Helper()
	return h.RedemptionStats(t.Context(), &coupon.StatsQuestion{
		Filter: filter, GroupBy: groupBy, Timezone: timezone, Limit: limit, Measures: coupon.AllStatsMeasures(),
	})
}

// happen makes deliveries and redemptions over two nights and some weeks.
func (h *history) happen(t *testing.T) {
	t.Helper()
	recipients := h.recipients(t, 60, "soccer", "tennis", "golf")
	anonymousID := coupon.ID("coupon_3")
	for _, id := range []coupon.ID{h.newCoupon(t, withLimit(3), withoutAssignment, early), h.newCoupon(t, early)} {
		for _, label := range []string{"soccer", "tennis", "golf", ""} {
			values := numbered(fmt.Sprintf("%s-%s-", id, label), 40)
			h.codes(t, id, label, values...)
			h.values = append(h.values, values...)
		}
	}
	if got := h.newCoupon(t, anonymous, withCode("ALL"), early); got != anonymousID {
		t.Fatalf("the anonymous coupon is %s", got)
	}
	h.values = append(h.values, "ALL", "ALL", "ALL")
	for i, d := range []struct {
		coupon  coupon.ID
		channel coupon.Channel
		edit    func(*coupon.DeliveryChanges)
	}{
		{"coupon_1", coupon.ChannelEmail, bySport},
		{"coupon_1", coupon.ChannelSMS, func(*coupon.DeliveryChanges) {}},
		{"coupon_2", coupon.ChannelSMS, bySport},
		{anonymousID, coupon.ChannelEmail, func(*coupon.DeliveryChanges) {}},
		{"", coupon.ChannelEmail, func(*coupon.DeliveryChanges) {}}, // gives nothing away, so it does not count
	} {
		id := h.newDelivery(t, d.coupon, recipients[5*i:5*i+30], byChannel(d.channel), d.edit)
		h.confirm(t, id)
		h.note(t, id, "assigned", func(*coupon.Message) bool { return true }, func(m *coupon.Message) time.Time { return m.CreatedAt })
		h.clock.Advance(90 * time.Minute)
		for range 3 { // the rest stays pending
			h.sendBatch(t, id, 7)
			h.clock.Advance(17 * time.Minute)
		}
		h.unsend(t, id, i == 2)
		h.note(t, id, "sent", isSent, sentAt)
		h.bounce(t, id)
		for range 25 {
			h.redeemOne(t)
			h.clock.Advance(time.Duration(h.random.IntN(40)) * time.Minute)
		}
	}
	h.clock.Set(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC))
	h.importRedemptions(t)
}

func early(c *coupon.CouponChanges) { c.StartsAt = coupon.Set(new(coupon.DateTime("2026-01-01"))) }

func isSent(m *coupon.Message) bool { return m.SentAt != nil }

func sentAt(m *coupon.Message) time.Time { return *m.SentAt }

// unsend settles messages of a delivery without sending them: one fails, of one nobody knows, and the recipient of one objects
// before it leaves. The others are canceled with their delivery, or stay pending.
func (h *history) unsend(t *testing.T, id coupon.ID, stops bool) {
	t.Helper()
	batch, err := h.NextBatch(t.Context(), id, 2)
	if err != nil {
		t.Fatal(err)
	}
	outcome := &db.SentBatch{OutboxSize: batch.OutboxSize}
	attempts := []coupon.Attempt{{Result: coupon.AttemptRefused, Reason: "550"}, {Result: coupon.AttemptUnknown}}
	for i, attempt := range attempts {
		outcome.Refused = append(outcome.Refused, db.Refusal{
			Content: batch.Contents[i], Settlement: attempt.Settle(batch.Number, false, h.Now(), 0),
		})
	}
	if err := batch.Begin(t.Context(), batch.Contents); err != nil {
		t.Fatal(err)
	}
	if err := batch.Record(t.Context(), outcome); err != nil {
		t.Fatal(err)
	}
	now := func(*coupon.Message) time.Time { return h.Now() }
	has := func(status coupon.MessageStatus) func(*coupon.Message) bool {
		return func(m *coupon.Message) bool { return m.Status == status }
	}
	h.note(t, id, "failed", has(coupon.MessageFailed), now)
	h.note(t, id, "unknown", has(coupon.MessageUnknown), now)
	h.clock.Advance(31 * time.Minute)
	for _, m := range h.messagesOf(t, id, nil) {
		if m.Status != coupon.MessagePending {
			continue
		}
		people, err := h.RecipientsByID(t.Context(), []coupon.ID{m.RecipientID})
		if err != nil {
			t.Fatal(err)
		}
		h.upsert(t, &coupon.RecipientChanges{ExternalID: people[m.RecipientID].ExternalID, IsContactable: coupon.Set(new(false))})
		break
	}
	h.sendJudged(t, id, 1)
	h.note(t, id, "canceled", has(coupon.MessageCanceled), now)
	if !stops {
		return
	}
	h.clock.Advance(31 * time.Minute)
	if _, err := h.StopDelivery(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	h.note(t, id, "canceled", func(m *coupon.Message) bool {
		return m.CancelReason != nil && *m.CancelReason == coupon.CancelDeliveryStopped
	}, now)
}

// bounce reports that messages of a delivery came back, were called spam, or arrived. It counts when they were sent.
func (h *history) bounce(t *testing.T, id coupon.ID) {
	t.Helper()
	var sent []string
	for _, m := range h.messagesOf(t, id, nil) {
		if isSent(m) {
			sent = append(sent, string(m.ID))
		}
	}
	later := h.Now().Add(time.Minute)
	h.record(t, slices.Concat(bounced(coupon.BounceSoft, later, sent[:3]...), bounced(coupon.BounceHard, later, sent[10:12]...),
		bounced(coupon.BounceComplaint, later, sent[12]), bounced(coupon.BounceDelivered, later, sent[2], sent[13])))
	outcome := func(outcomes ...coupon.MessageOutcome) func(*coupon.Message) bool {
		return func(m *coupon.Message) bool { return m.Outcome != nil && slices.Contains(outcomes, *m.Outcome) }
	}
	h.note(t, id, "bounced", outcome(coupon.OutcomeSoftBounce, coupon.OutcomeHardBounce), sentAt)
	h.note(t, id, "complained", outcome(coupon.OutcomeComplaint), sentAt)
}

// note notes what became of the messages of a delivery for which it holds.
func (h *history) note(t *testing.T, id coupon.ID, kind string, holds func(*coupon.Message) bool, at func(*coupon.Message) time.Time) {
	t.Helper()
	d := h.delivery(t, id)
	lists, err := h.DeliveryMessages(t.Context(), []coupon.ID{id}, nil, nil, nil, coupon.Page{First: coupon.MaxPageSize, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range lists[id].Items {
		if !holds(m) || d.CouponID == nil {
			continue
		}
		e := event{kind: kind, coupon: *d.CouponID, delivery: id, channel: d.Channel, at: at(m), label: h.labels[m.ID]}
		if m.CancelReason != nil {
			e.reason = string(*m.CancelReason)
		}
		if m.CodeID != nil {
			codes, err := h.CodesByID(t.Context(), []coupon.ID{*m.CodeID}, coupon.AnyState)
			if err != nil {
				t.Fatal(err)
			}
			if label := codes[*m.CodeID].Label; label != nil {
				e.label = *label
				h.labels[m.ID] = *label
			}
		}
		h.events = append(h.events, e)
	}
}

// redemption is the event of a redemption of a value, as its code stands now.
func (h *history) redemption(t *testing.T, value string, source coupon.RedemptionSource) event {
	t.Helper()
	e := event{kind: "redeemed", coupon: "coupon_3", source: source, at: h.Now(), code: value}
	if value == "ALL" {
		return e
	}
	code := h.code(t, value)
	e.coupon, e.assignedAt = code.CouponID, code.AssignedAt
	if code.DeliveryID != nil {
		e.delivery, e.channel = *code.DeliveryID, *code.Channel
	}
	if code.Label != nil {
		e.label = *code.Label
	}
	return e
}

func (h *history) amount(e *event) string {
	if h.random.IntN(3) == 0 {
		return ""
	}
	e.amount = big.NewInt(h.random.Int64N(2_000_000) - 100_000)
	e.currency = []string{"EUR", "CHF", ""}[h.random.IntN(3)]
	return new(big.Rat).SetFrac(e.amount, big.NewInt(10_000)).FloatString(4)
}

func (h *history) redeemOne(t *testing.T) {
	t.Helper()
	value := h.values[h.random.IntN(len(h.values))]
	e := h.redemption(t, value, coupon.SourceAPI)
	request := &coupon.RedeemRequest{Value: value}
	if e.store = []string{"", "Köln", "till 4"}[h.random.IntN(3)]; e.store != "" {
		request.Store = &e.store
	}
	if amount := h.amount(&e); amount != "" {
		request.Amount = new(coupon.Decimal(amount))
		if e.currency != "" {
			request.Currency = &e.currency
		}
	}
	r, err := h.Redeem(t.Context(), request)
	if _, isRefused := coupon.AsUserErrors(err); isRefused {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if h.random.IntN(5) == 0 {
		if _, err := h.Reverse(t.Context(), nil, r.ID, nil); err != nil {
			t.Fatal(err)
		}
		e.isReversed = true
	}
	h.events = append(h.events, e)
}

// importRedemptions imports a file with a date every half hour of the long night, and some others.
func (h *history) importRedemptions(t *testing.T) {
	t.Helper()
	var file strings.Builder
	file.WriteString("code,redeemedAt,amount,currency,order,Filiale\n")
	var events []event
	used := map[string]bool{}
	for i := range 60 {
		value := h.values[h.random.IntN(len(h.values))]
		if used[value] && value != "ALL" || value != "ALL" && h.code(t, value).RedeemedAt != nil {
			continue
		}
		used[value] = true
		e := h.redemption(t, value, coupon.SourceImport)
		e.at = time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC).Add(time.Duration(i) * 30 * time.Minute)
		amount := h.amount(&e)
		e.store = []string{"", "Köln"}[h.random.IntN(2)]
		fmt.Fprintf(&file, "%s,%s,%s,%s,o%d,%s\n", value, e.at.Format(time.RFC3339), amount, e.currency, i, e.store)
		events = append(events, e)
	}
	i := h.importFile(t, newImport(coupon.ImportRedemptions), file.String())
	if i.RowsImported != len(events) {
		t.Fatalf("%d of %d were imported: %v", i.RowsImported, len(events), h.rejections(t, i.ID))
	}
	h.events = append(h.events, events...)
}

// count counts in Go what RedemptionStats counts in SQL.
func (h *history) count(t *testing.T, filter *coupon.StatsFilter, groupBy []coupon.StatsDimension, timezone string) []*coupon.StatsRow {
	t.Helper()
	zone, err := time.LoadLocation(timezone)
	if err != nil {
		t.Fatal(err)
	}
	if filter == nil {
		filter = &coupon.StatsFilter{}
	}
	period, err := coupon.NewPeriod(filter.From, filter.To, zone, "")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]*coupon.StatsRow{}
	places := map[*coupon.StatsRow][]string{}
	if len(groupBy) == 0 {
		rows[""] = &coupon.StatsRow{Keys: []string{}, Stats: &coupon.RedemptionStats{}}
	}
	amounts, times := map[string]*big.Int{}, map[string][]float64{}
	currencies := map[string]map[string]*currencySum{}
	for _, e := range h.events {
		isWanted := matches(filter.CouponIDs, e.coupon) && matches(filter.DeliveryIDs, e.delivery) &&
			matches(filter.Channels, e.channel) && matches(filter.Labels, e.label) &&
			(period.From == nil || !e.at.Before(*period.From)) && (period.To == nil || e.at.Before(*period.To))
		isWanted = isWanted && (e.source != "" || !slices.Contains(groupBy, coupon.BySource)) &&
			(e.kind == "redeemed" || !slices.Contains(groupBy, coupon.ByStore)) &&
			(e.kind == "canceled" || !slices.Contains(groupBy, coupon.ByReason))
		if !isWanted {
			continue
		}
		row := &coupon.StatsRow{Stats: &coupon.RedemptionStats{}}
		for _, dimension := range groupBy {
			row.Keys = append(row.Keys, e.key(dimension, zone))
			if dimension == coupon.ByCoupon {
				row.CouponID = new(e.coupon)
			}
			if dimension == coupon.ByDelivery && e.delivery != "" {
				row.DeliveryID = new(e.delivery)
			}
		}
		name := strings.Join(row.Keys, "|")
		if rows[name] == nil {
			rows[name] = row
			for _, dimension := range groupBy {
				places[row] = append(places[row], e.place(dimension, zone))
			}
		}
		stats := rows[name].Stats
		if e.amount != nil {
			if currencies[name] == nil {
				currencies[name] = map[string]*currencySum{}
			}
			if currencies[name][e.currency] == nil {
				currencies[name][e.currency] = &currencySum{amount: new(big.Int), reversedAmount: new(big.Int)}
			}
			currencies[name][e.currency].add(&e)
		}
		switch {
		case e.kind == "assigned":
			stats.Assigned++
		case e.kind == "sent":
			stats.Sent++
		case e.kind == "bounced":
			stats.Bounced++
		case e.kind == "complained":
			stats.Complained++
		case e.kind == "failed":
			stats.Failed++
		case e.kind == "canceled":
			stats.Canceled++
		case e.kind == "unknown":
			stats.Unknown++
		case e.isReversed:
			stats.Reversed++
		default:
			stats.Redeemed++
			if e.amount != nil {
				if amounts[name] == nil {
					amounts[name] = new(big.Int)
				}
				amounts[name].Add(amounts[name], e.amount)
			}
			if e.assignedAt != nil && !e.at.Before(*e.assignedAt) {
				times[name] = append(times[name], e.at.Sub(*e.assignedAt).Seconds())
			}
		}
	}
	for name, sum := range amounts {
		rows[name].Stats.Amount = new(decimal(sum))
	}
	for name, sums := range currencies {
		for _, currency := range slices.Sorted(maps.Keys(sums)) {
			rows[name].Stats.ByCurrency = append(rows[name].Stats.ByCurrency, sums[currency].answer(currency))
		}
	}
	for name, values := range times {
		slices.Sort(values)
		rows[name].Stats.TimeToRedeem = &coupon.Quantiles{
			P10: quantile(values, 0.1), P50: quantile(values, 0.5),
			P90: quantile(values, 0.9), P99: quantile(values, 0.99),
		}
	}
	var sorted []*coupon.StatsRow
	for _, row := range rows {
		sorted = append(sorted, row)
	}
	slices.SortFunc(sorted, func(a, b *coupon.StatsRow) int { return slices.Compare(places[a], places[b]) })
	return sorted
}

// currencySum sums up one currency.
type currencySum struct {
	redeemed, reversed     int
	amount, reversedAmount *big.Int
}

func (s *currencySum) add(e *event) {
	if e.isReversed {
		s.reversed++
		s.reversedAmount.Add(s.reversedAmount, e.amount)
		return
	}
	s.redeemed++
	s.amount.Add(s.amount, e.amount)
}

func (s *currencySum) answer(currency string) *coupon.CurrencyAmount {
	a := &coupon.CurrencyAmount{Redeemed: s.redeemed, Amount: decimal(s.amount), Reversed: s.reversed, ReversedAmount: decimal(s.reversedAmount)}
	if currency != "" {
		a.Currency = &currency
	}
	return a
}

// decimal returns a number of ten-thousandths.
func decimal(sum *big.Int) coupon.Decimal {
	return coupon.NewDecimal(new(big.Rat).SetFrac(sum, big.NewInt(10_000)).FloatString(4))
}

// place returns what rows are sorted by: hours by when they began, since one may come twice.
func (e *event) place(dimension coupon.StatsDimension, zone *time.Location) string {
	if dimension == coupon.ByHour {
		_, offset := e.at.In(zone).Zone()
		return e.at.In(time.FixedZone("", offset)).Truncate(time.Minute).Add(-time.Duration(e.at.In(zone).Minute()) * time.Minute).UTC().Format(time.RFC3339)
	}
	return e.key(dimension, zone)
}

func matches[T comparable](wanted []T, value T) bool {
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

func (e *event) key(dimension coupon.StatsDimension, zone *time.Location) string {
	local := e.at.In(zone)
	switch dimension {
	case coupon.ByCoupon:
		return string(e.coupon)
	case coupon.ByDelivery:
		return string(e.delivery)
	case coupon.ByChannel:
		return string(e.channel)
	case coupon.ByLabel:
		return e.label
	case coupon.BySource:
		return string(e.source)
	case coupon.ByStore:
		return e.store
	case coupon.ByReason:
		return e.reason
	case coupon.ByHour:
		return local.Format("2006-01-02T15:00Z07:00")
	case coupon.ByDay:
		return local.Format(time.DateOnly)
	case coupon.ByWeek:
		return local.AddDate(0, 0, -(int(local.Weekday())+6)%7).Format(time.DateOnly)
	case coupon.ByMonth:
		return local.Format("2006-01")
	}
	return "?"
}

// quantile interpolates between the two values that a quantile lies between.
func quantile(sorted []float64, q float64) float64 {
	place := q * float64(len(sorted)-1)
	below := int(place)
	if below == len(sorted)-1 {
		return sorted[below]
	}
	return sorted[below] + (place-float64(below))*(sorted[below+1]-sorted[below])
}

func TestRedemptionStatsRefuses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for field, question := range map[string]coupon.StatsQuestion{
		"timezone":    {Timezone: "Mars/Base", Limit: 10},
		"limit":       {Timezone: "UTC", Limit: coupon.MaxStatsRows + 1},
		"groupBy":     {Timezone: "UTC", Limit: 10, GroupBy: make([]coupon.StatsDimension, coupon.MaxStatsDimensions+1)},
		"filter.to":   {Timezone: "UTC", Limit: 10, Filter: &coupon.StatsFilter{To: new(coupon.DateTime("x"))}},
		"filter":      {Timezone: "UTC", Limit: 10, Filter: &coupon.StatsFilter{Labels: make([]string, coupon.MaxFilterValues+1)}},
		"fillPeriods": {Timezone: "UTC", Limit: 10, GroupBy: []coupon.StatsDimension{coupon.ByDay, coupon.ByHour}, FillPeriods: true},
	} {
		_, err := s.RedemptionStats(t.Context(), &question)
		wantError(t, err, coupon.ErrorInvalid, field)
	}
	_, err := s.CouponStats(t.Context(), []coupon.ID{"coupon_1"}, new(coupon.DateTime("soon")), nil, coupon.AllStatsMeasures())
	wantError(t, err, coupon.ErrorInvalid, "from")
	rows, err := s.RedemptionStats(t.Context(), &coupon.StatsQuestion{Timezone: "UTC", Limit: 1, Measures: coupon.AllStatsMeasures()})
	if err != nil || len(rows) != 1 || !cmp.Equal(rows[0].Stats, &coupon.RedemptionStats{}) {
		t.Errorf("of nothing: %+v, %v", rows, err)
	}
	_, err = s.RedemptionStats(t.Context(), &coupon.StatsQuestion{
		Filter:   &coupon.StatsFilter{From: new(coupon.DateTime("1990-01-01")), To: new(coupon.DateTime("2026-01-01"))},
		Timezone: "UTC", Limit: 1, GroupBy: []coupon.StatsDimension{coupon.ByHour}, FillPeriods: true, Measures: coupon.AllStatsMeasures(),
	})
	wantError(t, err, coupon.ErrorResultTooLarge, "fillPeriods")
}
