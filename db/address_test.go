package db_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
)

func inRegion(region string) func(*db.Options) {
	return func(o *db.Options) { o.DefaultRegion = region }
}

// reached analyzes and confirms a delivery of a channel to everybody, and gives where its messages
// go and why the others get none.
func (s *scene) reached(t *testing.T, channel coupon.Channel) (
	addresses []string, excluded map[coupon.ExclusionReason]int,
) {
	t.Helper()
	d, err := s.CreateDelivery(t.Context(), &coupon.DeliveryChanges{
		Label: coupon.Set(new("All")), Channel: coupon.Set(&channel),
		Subject: coupon.Set(new("Hello")), Body: coupon.Set(new("Hello")),
	})
	if err != nil {
		t.Fatal(err)
	}
	if channel != coupon.ChannelEmail {
		if _, err = s.UpdateDelivery(t.Context(), d.ID,
			&coupon.DeliveryChanges{Subject: coupon.Change[string]{IsSet: true}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AddTargets(t.Context(), d.ID, nil, &coupon.RecipientFilter{}); err != nil {
		t.Fatal(err)
	}
	analysis := s.analyze(t, d.ID, coupon.DeliveryReady)
	excluded = map[coupon.ExclusionReason]int{}
	for _, e := range analysis.Exclusions {
		excluded[e.Reason] = e.Count
	}
	s.confirm(t, d.ID)
	number := strings.TrimPrefix(string(d.ID), "delivery_")
	return s.Texts(t,
		"SELECT address FROM message WHERE delivery_id = "+number+" ORDER BY id"), excluded
}

func (s *scene) upsert(t *testing.T, recipients ...*coupon.RecipientChanges) {
	t.Helper()
	if _, err := s.UpsertRecipients(t.Context(), recipients); err != nil {
		t.Fatal(err)
	}
}

func mailTo(addresses ...string) (recipients []*coupon.RecipientChanges) {
	for i, address := range addresses {
		recipients = append(recipients, &coupon.RecipientChanges{
			ExternalID: fmt.Sprintf("m%03d", i), Email: coupon.Set(&address),
		})
	}
	return recipients
}

func textTo(numbers ...string) (recipients []*coupon.RecipientChanges) {
	for i, number := range numbers {
		recipients = append(recipients, &coupon.RecipientChanges{
			ExternalID: fmt.Sprintf("t%03d", i), Phone: coupon.Set(&number),
		})
	}
	return recipients
}

// TestOneAddress tells that spellings of one address get one message, and in which form it is sent.
func TestOneAddress(t *testing.T) {
	t.Parallel()
	s := newScene(t, inRegion("DE"))
	s.upsert(t, mailTo(
		"info@bücher.example", "info@xn--bcher-kva.example", "INFO@BÜCHER.example",
		"anna\u200b@example.com", "Anna@Example.com", "mailto:anna@example.com",
		"taro..s@docomo.example", "Ωmega@example.gr", "ωMEGA@example.gr", "bad@",
		strings.Repeat("a", 65)+"@example.com",
	)...)
	s.upsert(t, textTo(
		"+49 170 1234567", "0049 170 1234567", "+49 (0)170 1234567", "0170/1234567", "491701234567",
		"+1 212 555 0100", "12345", "call me",
	)...)
	s.upsert(t,
		&coupon.RecipientChanges{
			ExternalID: "p1", Attributes: coupon.Set(new(coupon.JSON(`{"pushToken":"aB"}`))),
		},
		&coupon.RecipientChanges{
			ExternalID: "p2",
			Attributes: coupon.Set(new(coupon.JSON(`{"pushToken":" a\u200bB\n"}`))),
		},
		&coupon.RecipientChanges{
			ExternalID: "p3", Attributes: coupon.Set(new(coupon.JSON(`{"pushToken":"ab"}`))),
		},
		&coupon.RecipientChanges{
			ExternalID: "p4", Attributes: coupon.Set(new(coupon.JSON(`{"pushToken":"\ufeff "}`))),
		},
	)
	for _, test := range []struct {
		channel            coupon.Channel
		want               []string
		doubled, bad, none int
	}{
		{coupon.ChannelEmail, []string{
			"info@xn--bcher-kva.example", "anna@example.com", `"taro..s"@docomo.example`,
			"Ωmega@example.gr",
		}, 5, 2, 12},
		{coupon.ChannelSMS, []string{"+491701234567", "+12125550100"}, 4, 2, 15},
		{coupon.ChannelPush, []string{"aB", "ab"}, 1, 0, 20},
	} {
		got, excluded := s.reached(t, test.channel)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.channel, diff)
		}
		wanted := map[coupon.ExclusionReason]int{
			coupon.ExcludedDuplicateAddress: test.doubled, coupon.ExcludedInvalidAddress: test.bad,
			coupon.ExcludedNoAddress: test.none,
		}
		for reason, count := range wanted {
			if excluded[reason] != count {
				t.Errorf("%s: %d are %s, want %d", test.channel, excluded[reason], reason, count)
			}
		}
	}
}

// TestAddressKey compares the key of the rule with the one that an analysis makes of the form to
// send.
func TestAddressKey(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, text := range []string{
		"Anna@EXAMPLE.com", "ÄÖÜẞ@example.com", "İıI@example.com", "ΣΑΣς@example.gr",
		"ДЖО@пример.рф", "ԱԲԳ@example.am", "Ꭰꭰ@example.com",
		"ᲐᲑა@example.ge", "用户@例子.广告", "ǅǄǆ@example.com", "𐐀𐐨@example.com", "ＡＢｃ@example.com",
		"E\u0301\u1E9B\u0323@example.com", "Kelvin\u212A@example.com",
	} {
		address, reason := coupon.Canonical(coupon.ChannelEmail, text, "")
		if reason != "" {
			t.Errorf("%q: %s", text, reason)
			continue
		}
		if got := s.Texts(t, "SELECT lower('"+address.Send+"')")[0]; got != address.Key {
			t.Errorf("%q: the engine compares %q, the rule %q", text, got, address.Key)
		}
	}
}

// TestCountryOfRecipient tells that a national number is of its recipient's country, whichever of
// the two comes later.
func TestCountryOfRecipient(t *testing.T) {
	t.Parallel()
	const national = "0664 1234567"
	country := func(name string) coupon.Change[coupon.JSON] {
		return coupon.Set(new(coupon.JSON(fmt.Sprintf(`{"country":%q}`, name))))
	}
	phone := coupon.Set(new(national))
	for _, test := range []struct {
		name  string
		steps []*coupon.RecipientChanges
		want  []string
	}{
		{"both", []*coupon.RecipientChanges{{Phone: phone, Attributes: country("at")}}, []string{
			"+436641234567",
		}},
		{"a country that is none", []*coupon.RecipientChanges{
			{Phone: coupon.Set(new("0170 1234567")), Attributes: country("Atlantis")},
		}, []string{"01701234567"}},
		{"the country first", []*coupon.RecipientChanges{
			{Attributes: country("AT")}, {Phone: phone},
		}, []string{"+436641234567"}},
		{"the country later", []*coupon.RecipientChanges{
			{Phone: phone}, {Attributes: country("AT")},
		}, []string{"+436641234567"}},
		{"another country", []*coupon.RecipientChanges{
			{Phone: phone, Attributes: country("AT")}, {Attributes: country("CH")},
		}, nil},
		{
			"international all the time",
			[]*coupon.RecipientChanges{
				{Phone: coupon.Set(new("+43 664 1234567")), Attributes: country("CH")},
				{Attributes: country("DE")},
			},
			[]string{"+436641234567"},
		},
		{
			"the phone is gone", []*coupon.RecipientChanges{
				{Phone: phone, Attributes: country("AT")},
				{Phone: coupon.Change[string]{IsSet: true}},
				{Attributes: country("DE")},
			}, nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, inRegion("DE"))
			// Somebody gets a message in any case, so that the delivery can be confirmed.
			s.upsert(t, &coupon.RecipientChanges{
				ExternalID: "other", Phone: coupon.Set(new("+12125550100")),
			})
			for _, step := range test.steps {
				step.ExternalID = "r1"
				s.upsert(t, step)
			}
			if got, _ := s.reached(t, coupon.ChannelSMS); !cmp.Equal(got,
				append([]string{"+12125550100"}, test.want...)) {
				t.Errorf("messages go to %q, want also %q", got, test.want)
			}
		})
	}
}

// TestCountryOfMany changes the country of more recipients than are changed in place.
func TestCountryOfMany(t *testing.T) {
	t.Parallel()
	const count = coupon.MaxUpsertedRecipients + 1
	s := newScene(t, inRegion("DE"))
	phones, countries := []string{"external id,phone"}, []string{"external id,country"}
	for i := range count {
		phones = append(phones, fmt.Sprintf("r%d,0664 1%06d", i, i))
		countries = append(countries, fmt.Sprintf("r%d,AT", i))
	}
	for _, lines := range [][]string{phones, countries} {
		s.importFile(t, newImport(coupon.ImportRecipients), strings.Join(lines, "\n"))
	}
	got := s.Texts(t, "SELECT count(*) || ' ' || min(phone_address) FROM recipient WHERE phone_address LIKE '+436641______'")[0]
	if want := fmt.Sprint(count, " +436641000000"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestReaddress opens databases that have no forms of addresses, or those of another rule or
// region.
func TestReaddress(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.upsert(t, mailTo("info@bücher.example", "info@xn--bcher-kva.example", "bad@")...)
	s.upsert(t, textTo("0170 1234567", "+49 170 1234567")...)
	s.upsert(t, &coupon.RecipientChanges{
		ExternalID: "at", Phone: coupon.Set(new("0664 1234567")),
		Attributes: coupon.Set(new(coupon.JSON(`{"country":"AT"}`))),
	})
	const forms = `SELECT string_agg(coalesce(email_address, 'as given') || ' ' || coalesce(phone_address, 'as given'), ', ' ORDER BY id) FROM recipient`
	made := s.Texts(t, forms)[0]
	if want := "info@xn--bcher-kva.example as given, as given as given,  as given, as given 01701234567, as given +491701234567, as given +436641234567"; made != want {
		t.Fatalf("got %s, want %s", made, want)
	}
	reopen := func(region string) (told []string) {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s.Store = dbtest.Open(t, s.path, s.clock.Use, inRegion(region),
			func(o *db.Options) { o.Progress = func(text string) { told = append(told, text) } })
		return told
	}
	// As the migration leaves it.
	s.Exec(t, "UPDATE recipient SET email_address = NULL, phone_address = NULL")
	s.Exec(t, "DELETE FROM setting WHERE name = 'address_rule'")
	if told := reopen(""); len(told) != 1 ||
		!strings.Contains(told[0], "6 recipients anew: 5 are") {
		t.Errorf("told %q", told)
	}
	if got := s.Texts(t, forms)[0]; got != made {
		t.Errorf("made anew: %s, want %s", got, made)
	}
	if told := reopen(""); told != nil {
		t.Errorf("told %q of what is as it was", told)
	}
	if told := reopen("DE"); len(told) != 1 ||
		!strings.Contains(told[0], "6 recipients anew: 1 are") {
		t.Errorf("told %q", told)
	}
	if got, want := s.Texts(t, forms)[0], strings.Replace(made, "01701234567", "+491701234567",
		1); got != want {
		t.Errorf("in another region: %s, want %s", got, want)
	}
	addresses, excluded := s.reached(t, coupon.ChannelSMS)
	if excluded[coupon.ExcludedDuplicateAddress] != 1 || len(addresses) != 2 {
		t.Errorf("messages to %q, left out %v; want one DUPLICATE_ADDRESS", addresses, excluded)
	}
}

// TestSearchAddress finds recipients by an address that is spelled otherwise.
func TestSearchAddress(t *testing.T) {
	t.Parallel()
	s := newScene(t, inRegion("DE"))
	s.upsert(t, mailTo("Info@bücher.example", "anna@example.com", "bad@")...)
	s.upsert(t, textTo("0170 1234567", "call me")...)
	for search, want := range map[string]string{
		"info@XN--bcher-kva.example": "m000", "BÜCHER": "m000", "mailto:anna@example.com": "m001",
		"+49 (0)170/1234567": "t000", "0170 1": "t000",
		"": "m000 m001 m002 t000 t001", "nobody@example.com": "",
	} {
		list, err := s.Recipients(t.Context(), &coupon.RecipientFilter{Search: &search},
			coupon.Page{First: 10, WantsItems: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list.Items {
			got = append(got, r.ExternalID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q finds %q, want %s", search, got, want)
		}
	}
}
