package file

import (
	"slices"
	"strings"
	"testing"

	"couponql/coupon"
)

// TestConsentHints looks for languages without hints of a sense, and for hints that nothing can
// have.
func TestConsentHints(t *testing.T) {
	t.Parallel()
	senses := []coupon.ConsentSense{
		coupon.OptOutMentions, coupon.ConsentHints, coupon.StatusHints, coupon.ConsentMentions,
	}
	for _, language := range Languages() {
		for _, sense := range senses {
			if !slices.ContainsFunc(ConsentHints(),
				func(h Hints) bool { return h.Language == language && h.Sense == sense }) {
				t.Errorf("%q has no hint of the sense %d", language, sense)
			}
		}
	}
	for _, hint := range newConsentHints() {
		if len(hint.word) < 3 {
			t.Errorf("the hint %q is too short to tell anything", hint.word)
		}
	}
}

// TestNoConsentIsSilent gives recipients one more column of each name that consent goes by, as it
// is, in the spellings of programs and with more around it. It must be read, or be told.
func TestNoConsentIsSilent(t *testing.T) {
	t.Parallel()
	var names []string
	add := func(words string) {
		for word := range strings.SplitSeq(words, ",") {
			word = strings.TrimSpace(word)
			snake := strings.ReplaceAll(strings.ToLower(word), " ", "_")
			names = append(names, word, strings.ToUpper(word), snake)
		}
	}
	for _, words := range Vocabulary() {
		if words.Field == ContactableColumn || words.Field == UnsubscribedColumn {
			add(words.Words)
		}
	}
	for _, hints := range ConsentHints() {
		if hints.Sense != coupon.StatusHints {
			add(hints.Words)
		}
		if hints.Sense == coupon.OptOutMentions || hints.Sense == coupon.ConsentMentions {
			for word := range strings.SplitSeq(hints.Words, ",") {
				names = append(
					names,
					"hs_"+strings.TrimSpace(word)+"_12",
					"Has"+strings.ToUpper(strings.TrimSpace(word)[:1])+strings.TrimSpace(word)[1:]+"OfSomething",
				)
			}
		}
	}
	columns := Columns(coupon.ImportRecipients)
	for _, name := range names {
		a, err := assign([]string{"id", name}, columns, nil)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		isOther := slices.ContainsFunc(a.others, func(o otherColumn) bool { return o.cell == 1 })
		isTold := slices.ContainsFunc(a.consents, func(c consentColumn) bool { return c.cell == 1 })
		isField := slices.Contains(a.fields, 1)
		if !isTold && (!isField || isOther) {
			t.Errorf("%q is an attribute, and nothing tells it", name)
		}
	}
	if len(names) < 1000 {
		t.Errorf("got %d names", len(names))
	}
}

// TestConsentColumns reads the names that columns have in exports of products, and such as only
// look alike.
func TestConsentColumns(t *testing.T) {
	t.Parallel()
	for want, names := range map[string][]string{
		"unsubscribed": {
			"unsubscribed", "Unsubscribed", "unsubscribed_at", "UNSUB_TIME", "opt_out", "opt-out",
			"optout", "opted out", "Email Opt Out", "do not contact",
			"do_not_email", "Do not allow Emails", "DoNotEmail", "donotbulkemail", "blacklisted",
			"blocked", "HasOptedOutOfEmail",
			"Unsubscribed from all email", "abgemeldet", "gesperrt", "Werbesperre", "désabonné",
			"Ne pas contacter", "dado de baja", "disiscritto",
			"descadastrado", "afgemeld", "wypisany", "abonelikten çıktı",
		},
		"isContactable": {
			"isContactable", "opt-in", "Accepts Email Marketing", "Email Marketing Consent",
			"is_subscribed", "Einwilligung", "zgoda",
		},
		"SUSPECTED_CONSENT": {
			"newsletter", "marketing", "subscription_status", "SMS Marketing Consent",
			"Accepts SMS Marketing", "hs_email_optout_1234", "unsubscribe_reason",
			"Opted out of email: Newsletter", "OPTIN_TIME", "Marketing contact status",
			"email_subscribe", "Fecha de baja del club", "newsletterAbmeldeseite",
			"DOUBLE_OPT-IN",
		},
		"": {
			"status", "city", "trabaja", "tier", "Sport", "notes", "points", "stop", "Kundenstatus",
			"gender", "language", "Sperrgutzuschlag",
		},
	} {
		for _, name := range names {
			layout, _ := readAll(t, write(t, []byte("id,"+name+"\nr1,\n")), coupon.FileOptions{},
				coupon.ImportRecipients)
			got := ""
			switch field := layout.Fields[1]; {
			case field != name || field == "unsubscribed" || field == "isContactable":
				got = field
			case slices.Contains(warningsOf(&layout), "SUSPECTED_CONSENT "+name):
				got = "SUSPECTED_CONSENT"
			}
			if got != want {
				t.Errorf("%q: got %q, want %q", name, got, want)
			}
		}
	}
}

// TestConsentInEveryFormat reads rows that say who may be contacted in several columns, of which
// one turns up late.
func TestConsentInEveryFormat(t *testing.T) {
	t.Parallel()
	const jsonl = `{"id":"r1","contactable":"yes","status":"subscribed"}
{"id":"r2","contactable":"yes","opt_out":true}
{"id":"r3","contactable":"yes","optedOutAt":"2026-11-24"}
{"id":"r4","contactable":"yes","status":"cleaned"}
{"id":"r5","contactable":"yes","opt_out":null,"optedOutAt":""}
{"id":"r6","opt_out":false}
{"id":"r7","contactable":null}
{"id":"r8","contactable":"yes","opt_out":"perhaps"}
`
	const csv = "id,contactable,opt_out,optedOutAt,status\nr1,yes,,,subscribed\nr2,yes,true,,\nr3,yes,,2026-11-24,\nr4,yes,,,cleaned\nr5,yes,,,\nr6\n" +
		"r7,\nr8,yes,perhaps\n"
	const xml = `<r><p id="r1" contactable="yes" status="subscribed"/>
<p id="r2" contactable="yes"><opt_out>true</opt_out></p>
<p id="r3" contactable="yes" optedOutAt="2026-11-24"/>
<p id="r4" contactable="yes" status="cleaned"/>
<p id="r5" contactable="yes" optedOutAt=""><opt_out/></p>
<p id="r6" opt_out="false"/>
<p id="r7" contactable=""/>
<p id="r8" contactable="yes" opt_out="perhaps"/></r>`
	type person struct {
		ID          string  `parquet:"id"`
		Contactable *bool   `parquet:"contactable"`
		OptOut      *string `parquet:"opt_out"`
		OptedOutAt  *string `parquet:"optedOutAt"`
		Status      *string `parquet:"status"`
	}
	parquet := parquetOf(t, []person{
		{ID: "r1", Contactable: new(true), Status: new("subscribed")},
		{ID: "r2", Contactable: new(true), OptOut: new("true")},
		{ID: "r3", Contactable: new(true), OptedOutAt: new("2026-11-24")},
		{ID: "r4", Contactable: new(true), Status: new("cleaned")},
		{ID: "r5", Contactable: new(true)},
		{ID: "r6", OptOut: new("false")},
		{ID: "r7"},
		{ID: "r8", Contactable: new(true), OptOut: new("perhaps")},
	})
	all := map[coupon.FileFormat][]byte{
		coupon.FormatCSV: []byte(csv), coupon.FormatJSONL: []byte(jsonl),
		coupon.FormatXML: []byte(xml), coupon.FormatParquet: parquet,
	}
	for format, content := range all {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			r := open(t, write(t, content), coupon.FileOptions{}, coupon.ImportRecipients)
			var got []string
			for range 8 {
				row, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				consent, odd, isUnderstood := row.Consent()
				answer := "-"
				switch change := consent.Change(); {
				case !isUnderstood:
					answer = "odd " + odd
				case change.IsSet && change.Value == nil:
					answer = "silent"
				case change.IsSet:
					answer = map[bool]string{true: "yes", false: "no"}[*change.Value]
				}
				got = append(got, row.Get(0)+" "+answer)
			}
			r6 := "r6 -"
			if format == coupon.FormatParquet { // which has all columns in all rows
				r6 = "r6 silent"
			}
			want := []string{
				"r1 yes", "r2 no", "r3 no", "r4 no", "r5 yes", r6, "r7 silent", "r8 odd perhaps",
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			layout := r.Layout()
			var fields []string
			for i, field := range layout.Fields {
				fields = append(fields,
					layout.Columns[i]+"="+field+" "+string(layout.Certainties[i]))
			}
			slices.Sort(fields)
			wantFields := []string{
				"contactable=isContactable SURE", "id=externalId SURE", "opt_out=unsubscribed SURE",
				"optedOutAt=unsubscribed SURE", "status=status GUESSED",
			}
			if !slices.Equal(fields, wantFields) {
				t.Errorf("got the fields %v, want %v", fields, wantFields)
			}
			if got := warningsOf(&layout); !slices.Contains(got, "SUSPECTED_CONSENT status") {
				t.Errorf("got the warnings %v", got)
			}
		})
	}
}

// TestMappedConsent tells that options.columns decide what a column is.
func TestMappedConsent(t *testing.T) {
	t.Parallel()
	both := func(mappings ...[]*coupon.ColumnMapping) coupon.FileOptions {
		return coupon.FileOptions{Columns: slices.Concat(mappings...)}
	}
	const content = "id,opt_out,newsletter,status\nr1,yes,no,cleaned\n"
	for _, test := range []struct {
		options coupon.FileOptions
		want    string
	}{
		{coupon.FileOptions{}, "no"},
		{
			both(mapped("opted out before", "opt_out"), mapped("newsletter", "newsletter"),
				mapped("status", "status")), "-",
		},
		{
			both(mapped("opted out before", "opt_out"), mapped("isContactable", "newsletter"),
				mapped("status", "status")), "no",
		},
		{
			both(mapped("isContactable", "opt_out"), mapped("news", "newsletter"),
				mapped("status", "status")), "yes",
		},
		{
			both(mapped("was", "opt_out"), mapped("unsubscribed", "newsletter"),
				mapped("status", "status")), "-",
		},
		{both(
			mapped("was", "opt_out"), mapped("n", "newsletter"), mapped("unsubscribed", "status"),
		), "no"},
	} {
		r := open(t, write(t, []byte(content)), test.options, coupon.ImportRecipients)
		row, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		consent, _, isUnderstood := row.Consent()
		got := "-"
		if change := consent.Change(); change.Value != nil {
			got = map[bool]string{true: "yes", false: "no"}[*change.Value]
		}
		if got != test.want || !isUnderstood {
			t.Errorf("%v: got %s, want %s", test.options.Columns, got, test.want)
		}
	}
	for _, twice := range []coupon.FileOptions{
		both(mapped("isContactable", "opt_out"), mapped("unsubscribed", "opt_out")),
		both(mapped("unsubscribed", "opt_out"), mapped("x", "opt_out")),
	} {
		if _, err := Open(write(t, []byte(content)), twice,
			Columns(coupon.ImportRecipients)); err == nil ||
			!strings.Contains(err.Error(), "mapped twice") {
			t.Errorf("got %v", err)
		}
	}
}
