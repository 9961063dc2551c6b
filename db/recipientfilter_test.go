package db_test

import (
	"strconv"
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db"
)

// matching returns the external ids of those who match a filter.
func (s *scene) matching(t *testing.T, filter *coupon.RecipientFilter) string {
	t.Helper()
	list, err := s.Recipients(t.Context(), filter,
		coupon.Page{First: coupon.MaxPageSize, WantsItems: true, WantsTotal: true})
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(list.Items))
	for i, r := range list.Items {
		names[i] = r.ExternalID
	}
	if list.Total != len(names) {
		t.Errorf("total %d of %d", list.Total, len(names))
	}
	return strings.Join(names, " ")
}

// person is a recipient with attributes, as the API takes one.
func person(name, attributes string) *coupon.RecipientChanges {
	return &coupon.RecipientChanges{
		ExternalID: name, Email: coupon.Set(new(name + "@example.org")),
		Attributes: coupon.Set(new(coupon.JSON(attributes))),
	}
}

// TestAttributeFilter tells whom each condition finds among texts, numbers, dates, lists, what
// looks like one and is none, and nothing at all.
func TestAttributeFilter(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.upsert(t,
		person("n17", `{"age": 17, "joined": "2026-11-23"}`),
		person("n18", `{"age": 18, "joined": "2026-11-24T00:00:00Z"}`),
		person("t18", `{"age": "18.0", "joined": "2026-11-24T23:59:59.999999Z"}`),
		person("n30", `{"age": 30.5, "joined": "2026-11-25T00:30:00+02:00"}`),
		person("big", `{"age": 1e3, "joined": "2026-11-25"}`),
		person("odd", `{"age": "nan", "joined": "18"}`),
		person("old", `{"age": "infinity", "joined": "infinity"}`),
		person("yes", `{"age": true, "joined": null, "interests": ["Golf", 7, null]}`),
		person("list", `{"age": [18], "interests": ["golfing", "tennis"]}`),
		person("text", `{"interests": "Golf; tennis", "a/b~c": "x"}`),
		person("none", `{}`),
	)
	bound := func(text string) *coupon.Bound { return new(coupon.Bound(text)) }
	for _, test := range []struct {
		name   string
		filter coupon.AttributeFilter
		want   string
	}{
		{"gte", coupon.AttributeFilter{Name: "age", Gte: bound("18")}, "n18 t18 n30 big"},
		{"gt", coupon.AttributeFilter{Name: "age", Gt: bound("18")}, "n30 big"},
		{"lt", coupon.AttributeFilter{Name: "age", Lt: bound("18")}, "n17"},
		{"lte", coupon.AttributeFilter{Name: "age", Lte: bound("18.00")}, "n17 n18 t18"},
		{
			"range",
			coupon.AttributeFilter{Name: "age", Gt: bound("17"), Lt: bound("31")},
			"n18 t18 n30",
		},
		{
			"not a range",
			coupon.AttributeFilter{
				Name: "age", Gt: bound("17"), Lt: bound("31"), Not: new(true),
			},
			"n17 big odd old yes list text none",
		},
		{
			"a day or later",
			coupon.AttributeFilter{Name: "joined", Gte: bound("2026-11-24")},
			"n18 t18 n30 big",
		},
		{"after a day", coupon.AttributeFilter{Name: "joined", Gt: bound("2026-11-24")}, "big"},
		{
			"until a day",
			coupon.AttributeFilter{Name: "joined", Lte: bound("2026-11-24")},
			"n17 n18 t18 n30",
		},
		{"before a day", coupon.AttributeFilter{Name: "joined", Lt: bound("2026-11-24")}, "n17"},
		{
			"after an instant",
			coupon.AttributeFilter{Name: "joined", Gt: bound("2026-11-24T01:00:00+01:00")},
			"t18 n30 big",
		},
		{
			"exists",
			coupon.AttributeFilter{Name: "joined", Exists: new(true)},
			"n17 n18 t18 n30 big odd old",
		},
		{
			"is missing",
			coupon.AttributeFilter{Name: "joined", Exists: new(false)},
			"yes list text none",
		},
		{"contains", coupon.AttributeFilter{Name: "interests", Contains: new("golf")}, "yes text"},
		{"contains a number", coupon.AttributeFilter{Name: "interests", Contains: new("7")}, "yes"},
		{
			"does not contain",
			coupon.AttributeFilter{
				Name: "interests", Contains: new("golf"), Exists: new(true), Not: new(true),
			},
			"n17 n18 t18 n30 big odd old list none",
		},
		{"in", coupon.AttributeFilter{Name: "age", In: []string{"18", "true"}}, "n18 yes"},
		{"in nothing", coupon.AttributeFilter{Name: "age", In: []string{}}, ""},
		{"an odd name", coupon.AttributeFilter{Name: "a/b~c", In: []string{"x"}}, "text"},
	} {
		got := s.matching(t, &coupon.RecipientFilter{
			Attributes: []*coupon.AttributeFilter{&test.filter},
		})
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestRecipientFilter tells whom the conditions on addresses, consent and language find.
func TestRecipientFilter(t *testing.T) {
	t.Parallel()
	s := newScene(t, func(o *db.Options) { o.DefaultRegion = "DE" })
	changed := func(name string, edit func(*coupon.RecipientChanges)) *coupon.RecipientChanges {
		r := person(name, `{}`)
		edit(r)
		return r
	}
	s.upsert(t,
		changed("idn", func(r *coupon.RecipientChanges) {
			r.Email = coupon.Set(new("Ida@BÜCHER.example"))
			r.Attributes = coupon.Set(new(coupon.JSON(`{"language": "de_CH"}`)))
		}),
		changed("sub", func(r *coupon.RecipientChanges) {
			r.Email = coupon.Set(new("a@mail.example.org"))
			r.Attributes = coupon.Set(new(coupon.JSON(`{"language": "DE", "pushToken": "p1"}`)))
		}),
		changed("no", func(r *coupon.RecipientChanges) {
			r.IsContactable = coupon.Set(new(false))
			r.Attributes = coupon.Set(new(coupon.JSON(`{"language": "den"}`)))
		}),
		changed("phone", func(r *coupon.RecipientChanges) {
			r.Email, r.Phone = coupon.Set[string](nil), coupon.Set(new("0170 1234567"))
		}),
		changed("bad", func(r *coupon.RecipientChanges) { r.Email = coupon.Set(new("bad")) }),
		changed("back", func(*coupon.RecipientChanges) {}),
	)
	s.wantRecord(t, bounced(coupon.BounceHard, noon(), "back@example.org"), "1 0 1")
	sports := &coupon.AttributeFilter{Name: "language", Exists: new(true)}
	for _, test := range []struct {
		name   string
		filter coupon.RecipientFilter
		want   string
	}{
		{"domain", coupon.RecipientFilter{EmailDomains: []string{"@Example.org"}}, "no back"},
		{"one domain, two forms", coupon.RecipientFilter{
			EmailDomains: []string{"xn--bcher-kva.example", "bücher.example"},
		}, "idn"},
		{"language", coupon.RecipientFilter{Languages: []string{"de"}}, "idn sub"},
		{"variety", coupon.RecipientFilter{Languages: []string{"de-ch"}}, "idn"},
		{"contactable", coupon.RecipientFilter{IsContactable: new(false)}, "no"},
		{
			"by mail",
			coupon.RecipientFilter{ReachableBy: []coupon.Channel{coupon.ChannelEmail}},
			"idn sub",
		},
		{"by two", coupon.RecipientFilter{
			ReachableBy: []coupon.Channel{coupon.ChannelSMS, coupon.ChannelPush},
		}, "sub phone"},
		{"by none", coupon.RecipientFilter{ReachableBy: []coupon.Channel{}}, ""},
		{"not", coupon.RecipientFilter{Not: &coupon.RecipientFilter{
			EmailDomains: []string{"example.org"}, IsContactable: new(true),
		}}, "idn sub no phone bad"},
		{"not not", coupon.RecipientFilter{Not: &coupon.RecipientFilter{
			Not: &coupon.RecipientFilter{Attributes: []*coupon.AttributeFilter{sports}},
		}}, "idn sub no"},
	} {
		if got := s.matching(t, &test.filter); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestRecipientFilterRefuses tells what nobody can be chosen by.
func TestRecipientFilterRefuses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	deep := &coupon.RecipientFilter{}
	for range coupon.MaxFilterDepth {
		deep = &coupon.RecipientFilter{Not: deep}
	}
	attribute := func(f *coupon.AttributeFilter) *coupon.RecipientFilter {
		return &coupon.RecipientFilter{Attributes: []*coupon.AttributeFilter{f}}
	}
	unknown := coupon.ID("coupon_9")
	codes := func(f coupon.GivenCodeFilter) *coupon.RecipientFilter {
		return &coupon.RecipientFilter{Codes: []*coupon.GivenCodeFilter{&f}}
	}
	for _, test := range []struct {
		filter *coupon.RecipientFilter
		code   coupon.ErrorCode
		place  string
	}{
		{deep, coupon.ErrorInvalid, "filter.not.not.not.not"},
		{
			attribute(&coupon.AttributeFilter{Name: "a"}),
			coupon.ErrorInvalid, "filter.attributes.0.name",
		},
		{
			attribute(&coupon.AttributeFilter{Name: "a", Lte: new(coupon.Bound("24.11.2026"))}),
			coupon.ErrorInvalid, "filter.attributes.0.lte",
		},
		{
			attribute(&coupon.AttributeFilter{Name: "a", Gt: new(coupon.Bound("1); DROP"))}),
			coupon.ErrorInvalid, "filter.attributes.0.gt",
		},
		{
			&coupon.RecipientFilter{EmailDomains: []string{"a b"}},
			coupon.ErrorInvalid, "filter.emailDomains.0",
		},
		{
			&coupon.RecipientFilter{Languages: make([]string, coupon.MaxFilterValues+1)},
			coupon.ErrorInvalid, "filter.languages",
		},
		{
			&coupon.RecipientFilter{Not: codes(coupon.GivenCodeFilter{CouponID: &unknown})},
			coupon.ErrorNotFound, "filter.not.codes.0.couponId",
		},
		{
			codes(coupon.GivenCodeFilter{DeliveryID: new(coupon.ID("delivery_9"))}),
			coupon.ErrorNotFound, "filter.codes.0.deliveryId",
		},
		{
			codes(coupon.GivenCodeFilter{Status: []coupon.CodeStatus{coupon.CodeAvailable}}),
			coupon.ErrorInvalid, "filter.codes.0.status",
		},
		{
			codes(coupon.GivenCodeFilter{SentTo: new(coupon.DateTime("tomorrow"))}),
			coupon.ErrorInvalid, "filter.codes.0.sentTo",
		},
		{
			&coupon.RecipientFilter{
				ExcludedFrom: &coupon.ExcludedFromFilter{DeliveryID: "delivery_9"},
			},
			coupon.ErrorNotFound, "filter.excludedFrom.deliveryId",
		},
	} {
		_, err := s.Recipients(t.Context(), test.filter, coupon.Page{First: 1, WantsItems: true})
		wantError(t, err, test.code, test.place)
	}
}

// TestGivenCodeFilter tells who is found by what became of their codes, and by what an analysis
// left out, wherever a filter stands.
func TestGivenCodeFilter(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c, other := s.newCoupon(t, withEnd("2026-12-01")), s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 10)...)
	s.codes(t, other, "", numbered("B", 10)...)
	people := s.recipients(t, 8)
	first := s.newDelivery(t, c, people[:6], limitedTo(5))
	s.analyze(t, first, coupon.DeliveryReady)
	s.confirm(t, first)
	s.send(t, first)
	second := s.deliver(t, other, people[7:])
	left := s.matching(t, &coupon.RecipientFilter{ExcludedFrom: &coupon.ExcludedFromFilter{
		DeliveryID: first, Reasons: []coupon.ExclusionReason{coupon.ExcludedMessageLimit},
	}})
	holders := s.holders(t, first)
	if len(holders) != 5 || strings.Contains(strings.Join(holders, " ")+" ", left+" ") {
		t.Fatalf("%v have codes, %q was left out", holders, left)
	}
	held := s.heldBy(t, first)
	for _, value := range []string{held[holders[0]], held[holders[1]]} {
		s.redeem(t, value)
	}
	if _, err := s.VoidCodes(t.Context(), voiding(c, held[holders[2]])); err != nil {
		t.Fatal(err)
	}
	codes := func(f coupon.GivenCodeFilter) string {
		return s.matching(t, &coupon.RecipientFilter{Codes: []*coupon.GivenCodeFilter{&f}})
	}
	want := func(name, got string, people ...string) {
		t.Helper()
		if got != strings.Join(people, " ") {
			t.Errorf("%s: %q, want %q", name, got, people)
		}
	}
	assigned := []coupon.CodeStatus{coupon.CodeAssigned}
	want("assigned", codes(coupon.GivenCodeFilter{CouponID: &c, Status: assigned}), holders[3:]...)
	want("redeemed", codes(coupon.GivenCodeFilter{
		DeliveryID: &first, Status: []coupon.CodeStatus{coupon.CodeRedeemed},
	}), holders[:2]...)
	want("voided", codes(coupon.GivenCodeFilter{Status: []coupon.CodeStatus{coupon.CodeVoided}}),
		holders[2])
	want("none", codes(coupon.GivenCodeFilter{Is: new(coupon.QuantityNone)}), left, "r7")
	want("of the other", codes(coupon.GivenCodeFilter{DeliveryID: &second}), "r8")
	want("sent before", codes(coupon.GivenCodeFilter{SentTo: new(coupon.DateTime("2026-11-22"))}))
	want("sent that day", codes(coupon.GivenCodeFilter{
		CouponID: &c, SentFrom: new(coupon.DateTime("2026-11-23")),
		SentTo: new(coupon.DateTime("2026-11-23")),
	}), holders...)
	// A filter chooses alike as targets, as parts and in a simulation.
	third := s.newDelivery(t, other, people)
	filter := &coupon.RecipientFilter{
		Codes: []*coupon.GivenCodeFilter{{CouponID: &c, Status: assigned}},
	}
	analysis, _, err := s.SimulateDelivery(t.Context(), third, &coupon.DeliveryChanges{}, filter,
		fine)
	if err != nil || analysis.TargetCount != 2 {
		t.Errorf("simulated: %+v, %v", analysis, err)
	}
	parts, err := s.SplitDelivery(t.Context(), third,
		coupon.SplitParts{{Label: "assigned", Filter: filter}})
	if err != nil || parts[0].TargetCount != 2 {
		t.Errorf("parts: %+v, %v", parts, err)
	}
	d, err := s.AddTargets(t.Context(), s.newDelivery(t, other, nil), nil, filter)
	if err != nil || d.TargetCount != 2 {
		t.Errorf("targets: %+v, %v", d, err)
	}
	// Who gives a code back has none, and at its end a coupon's codes are EXPIRED.
	s.clock.Set(noon().AddDate(0, 0, 30))
	want("assigned at the end", codes(coupon.GivenCodeFilter{CouponID: &c, Status: assigned}))
	want("expired", codes(coupon.GivenCodeFilter{
		CouponID: &c, Status: []coupon.CodeStatus{coupon.CodeExpired},
	}), holders[3:]...)
	released, _, _, err := s.ReleaseCodes(t.Context(),
		voiding(other, s.heldBy(t, second)["r8"]), true, "lost")
	if err != nil || released != 1 {
		t.Fatalf("released %d, %v", released, err)
	}
	want("released", codes(coupon.GivenCodeFilter{CouponID: &other}))
	s.checkSound(t)
}

// heldBy returns the codes that messages of a delivery carried, by external id.
func (s *scene) heldBy(t *testing.T, id coupon.ID) map[string]string {
	t.Helper()
	page := coupon.Page{First: coupon.MaxPageSize, WantsItems: true}
	lists, err := s.DeliveryMessages(t.Context(), []coupon.ID{id}, nil, nil, nil, page)
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]string{}
	for _, m := range lists[id].Items {
		people, err := s.RecipientsByID(t.Context(), []coupon.ID{m.RecipientID})
		if err != nil {
			t.Fatal(err)
		}
		codes, err := s.CodesByID(t.Context(), []coupon.ID{*m.CodeID}, coupon.AnyState)
		if err != nil {
			t.Fatal(err)
		}
		held[people[m.RecipientID].ExternalID] = codes[*m.CodeID].Value
	}
	return held
}

// holders returns who got a message of a delivery, r1 before r2.
func (s *scene) holders(t *testing.T, id coupon.ID) []string {
	t.Helper()
	held := s.heldBy(t, id)
	var names []string
	for i := range 100 {
		if name := "r" + strconv.Itoa(i); held[name] != "" {
			names = append(names, name)
		}
	}
	return names
}
