package message_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/message"
)

// parse compiles a template that is expected to be correct.
func parse(t *testing.T, subject *string, body string) *message.Template {
	t.Helper()
	template, err := message.Parse(subject, body)
	if err != nil {
		t.Fatalf("Parse(%.200q): %v", body, err)
	}
	return template
}

// render returns the body that the template makes of someData.
func render(t *testing.T, body string) string {
	t.Helper()
	rendered, err := parse(t, nil, body).Render(someData())
	if err != nil {
		t.Fatalf("Render(%.200q): %v", body, err)
	}
	return rendered.Body
}

func TestRender(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, want string }{
		{"Tokens", "{{recipient.externalId}} {{ recipient.email }} {{ recipient.firstName }}", "c-1 anna@example.com Anna"},
		{"Coupon", "{{ coupon.code }} {{ coupon.label }} {{ coupon.startsAt }}", "CPN1 Summer 2026-06-01T00:00:00+02:00"},
		{"Code", "{{ couponValue.code }}/{{ couponValue.label }}/{{ couponValue.code }}", "X1Y2/tennis/X1Y2"},
		{"Delivery", "{{ delivery.label }}", "June"},
		{"Missing", "[{{ recipient.phone }}{{ recipient.attributes.nothing }}{{ recipient.attributes.nothing.deep }}]", "[]"},
		{"Attributes", "{{ recipient.attributes.sport }} {{ recipient.attributes.address.city }} {{ recipient['attributes']['sport'] }}", "tennis Köln tennis"},
		{"Index", "{{ recipient.attributes.tags[1] }}{{ recipient.attributes.tags[-1] }}{{ recipient.attributes.tags.first }}", "bca"},
		{"Whole", "{{ recipient.attributes.tags }} {{ recipient.attributes.address | json }}", `abc {"city":"Köln","zip":"50667"}`},
		{"Adobe", "<%= couponValue.couponCode %> <%=recipient.firstName%> <%= coupon.couponCode %>", "X1Y2 Anna CPN1"},
		{"OverLines", "{{ recipient.firstName\n | upcase }}", "ANNA"},
		{"If", "{% if recipient.firstName == 'Anna' and recipient.phone == nil %}yes{% else %}no{% endif %}", "yes"},
		{"Elsif", "{% if false %}1{% elsif recipient.attributes.points > 1000 %}2{% else %}3{% endif %}", "2"},
		{"Unless", "{% unless recipient.phone %}none{% else %}some{% endunless %}", "none"},
		{
			"Blank",
			"{% if recipient.phone == blank %}1{% endif %}{% if '  ' == blank %}2{% endif %}{% if '' == empty %}3{% endif %}{% if 'a' != blank %}4{% endif %}",
			"1234",
		},
		{
			"TextAsNumber",
			"{% if recipient.attributes.address.zip > 9999 %}1{% endif %}{% if recipient.attributes.address.zip == 50667 %}2{% endif %}{% if 'a' > 1 %}3{% endif %}",
			"12",
		},
		{"Case", "{% case recipient.attributes.sport %}{% when 'golf', 'chess' %}1{% when 'polo' or 'tennis' %}2{% else %}3{% endcase %}", "2"},
		{"CaseElse", "{% case 1 %} ignored {% when 2 %}a{% else %}b{% endcase %}", "b"},
		{
			"Contains",
			"{% if recipient.attributes.tags contains 'b' %}1{% endif %}{% if 'abc' contains 'bc' %}2{% endif %}{% if recipient.attributes contains 'sport' %}3{% endif %}",
			"123",
		},
		{"For", "{% for tag in recipient.attributes.tags %}{{ forloop.index }}{{ tag }}{% unless forloop.last %},{% endunless %}{% endfor %}", "1a,2b,3c"},
		{"ForObject", "{% for pair in recipient.attributes.address %}{{ pair[0] }}={{ pair[1] }};{% endfor %}", "city=Köln;zip=50667;"},
		{"ForElse", "{% for x in recipient.attributes.none %}1{% else %}none{% endfor %}", "none"},
		{"ForLimits", "{% for i in (1..9) reversed limit: 3 offset: 2 %}{{ i }}{% endfor %}", "543"},
		{"BreakContinue", "{% for i in (1..9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %}", "134"},
		{"Nested", "{% for i in (1..2) %}{% for i in (7..8) %}{{ i }}{{ forloop.index }}{% endfor %}{{ i }}{{ forloop.index }};{% endfor %}", "718211;718222;"},
		{"LoopVariableRestored", "{% assign i = 'x' %}{% for i in (1..2) %}{% endfor %}{{ i }}", "x"},
		{"LoopRemembers", "{% for i in (1..3) %}{{ before }}{% assign before = i %}{% endfor %}", "12"},
		{"Cycle", "{% for i in (1..3) %}{% cycle 'odd', 'even' %}{% cycle 'g': 1, 2 %} {% endfor %}", "odd1 even2 odd1 "},
		{"Assign", "{% assign name = recipient.firstName | upcase %}{{ name }}", "ANNA"},
		{"Capture", "{% capture name %}{{ recipient.firstName }} {{ recipient.lastName }}{% endcapture %}{{ name | upcase }}", "ANNA SMITH & CO"},
		{"Raw", "{% raw %}{{ recipient.firstName }}{% if %}{% endraw %}", "{{ recipient.firstName }}{% if %}"},
		{"Comment", "a{% comment %}{{ nothing }}{% if %}{% endcomment %}b", "ab"},
		{"Trim", "a \n {{- 'b' -}} \n c {%- if true -%} d {%- endif -%} e {%- comment -%} x {%- endcomment -%} f", "abcdef"},
		{"TrimRaw", "a {%- raw -%} b {%- endraw -%} c", "abc"},
		{"Logic", "{{ true or false and false }} {{ (1 == 1) and (2 > 1) }} {{ nil or 'x' }}", "false true true"},
		{"BracketIndex", "{% assign key = 'sport' %}{{ recipient.attributes[key] }}", "tennis"},
		{"WholeRecipient", "{% assign r = recipient %}{{ r.firstName }} {{ r.attributes.sport }}", "Anna tennis"},
		{"Size", "{{ recipient.firstName.size }} {{ recipient.attributes.tags.size }} {{ recipient.attributes.address.size }}", "4 3 2"},
		{"PlainTextIsNotEscaped", "{{ recipient.lastName }} {{ '<b>' }}", "Smith & Co <b>"},
		{
			"Numbers",
			"{{ 1.50 }} {{ -3 }} {{ recipient.attributes.points }} {{ recipient.attributes.balance }} {{ 12345678.5 }}",
			"1.5 -3 1234567 1234.5 12345678.5",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := render(t, test.body); got != test.want {
				t.Errorf("%s\ngot  %q\nwant %q", test.body, got, test.want)
			}
		})
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	// Each expression renders to the text behind it.
	tests := []struct{ expression, want string }{
		{`1000000 | plus: 1`, "1000001"},
		{`0.1 | plus: 0.2`, "0.3"},
		{`19.99 | times: 3`, "59.97"},
		{`10 | minus: '4'`, "6"},
		{`'abc' | plus: 1`, "1"},
		{`recipient.attributes.points | times: 1000000`, "1234567000000"},
		{`recipient.attributes.balance`, "1234.5"},
		{`7 | divided_by: 2`, "3"},
		{`-7 | divided_by: 2`, "-4"},
		{`7.0 | divided_by: 2`, "3.5"},
		{`-7 | modulo: 3`, "2"},
		{`4.5 | round`, "5"},
		{`1.005 | round: 2`, "1.01"},
		{`4.1 | ceil`, "5"},
		{`-4.1 | floor`, "-5"},
		{`-4 | abs`, "4"},
		{`1234567.891 | money`, "1,234,567.89"},
		{`1234.5 | money: "EUR"`, "1,234.50 EUR"},
		{`1234.5 | money: "€"`, "€1,234.50"},
		{`"1234.5" | money: "JPY"`, "1,235 JPY"},
		{`-0.005 | money: "$"`, "-$0.01"},
		{`999 | money`, "999.00"},
		{`'free' | money: "EUR"`, "free"},
		{`recipient.phone | money`, ""},
		{`coupon.endsAt | date: "%d.%m.%Y"`, "01.07.2026"},
		{`coupon.endsAt | date: "%H:%M %z"`, "00:00 +0200"},
		{`"2026-11-24" | date: "%-d %B %Y"`, "24 November 2026"},
		{`0 | date: "%F"`, "1970-01-01"},
		{`"soon" | date: "%F"`, "soon"},
		{`recipient.phone | date: "%F"`, ""},
		{`'ärger' | capitalize`, "Ärger"},
		{`'ärger' | upcase`, "ÄRGER"},
		{`'Ärger' | downcase`, "ärger"},
		{`'äöüß' | truncate: 3`, "..."},
		{`'äöüßabc' | truncate: 5`, "äö..."},
		{`'äöü' | truncate: 3`, "äöü"},
		{`'äöüß' | truncate: 2, ''`, "äö"},
		{`'one two three' | truncatewords: 2`, "one two..."},
		{`'äöü' | slice: 1`, "ö"},
		{`'äöü' | slice: -2, 5`, "öü"},
		{`'äöü' | slice: 10, 2`, ""},
		{`recipient.attributes.tags | slice: 1, 2 | join: '+'`, "b+c"},
		{`'äö' | size`, "2"},
		{`recipient.attributes.tags | size`, "3"},
		{`recipient.attributes.tags | join`, "a b c"},
		{`recipient.attributes.address | join: ','`, "Köln,50667"},
		{`recipient.attributes.tags | reverse | join: ''`, "cba"},
		{`'b,a,c' | split: ',' | sort | join: ''`, "abc"},
		{`'b,A,c' | split: ',' | sort_natural | join: ''`, "Abc"},
		{`'a,b,a' | split: ',' | uniq | join: ''`, "ab"},
		{`'a,b' | split: ',' | concat: recipient.attributes.tags | join: ''`, "ababc"},
		{`'a,b' | split: ',' | last`, "b"},
		{`recipient.phone | default: 'friend'`, "friend"},
		{`'' | default: 'friend'`, "friend"},
		{`recipient.firstName | default: 'friend' | append: '!' | prepend: '¡'`, "¡Anna!"},
		{`'a-b-c' | replace: '-', '+'`, "a+b+c"},
		{`'a-b-c' | replace_first: '-', '+'`, "a+b-c"},
		{`'a-b-c' | remove: '-'`, "abc"},
		{`'a-b-c' | remove_first: '-'`, "ab-c"},
		{`' a ' | strip`, "a"},
		{`'a b&c' | url_encode`, "a+b%26c"},
		{`'a+b%26c' | url_decode`, "a b&c"},
		{`'<a href="x">b</a>' | strip_html`, "b"},
		{`'a<b' | escape`, "a&lt;b"},
		{`'a&lt;b<' | escape_once`, "a&lt;b&lt;"},
		{`(1..3) | join: ','`, "1,2,3"},
		{`recipient.attributes | map: 'city' | join: ''`, "Köln"},
		{`recipient.attributes.tags | compact | first`, "a"},
	}
	for _, test := range tests {
		t.Run(test.expression, func(t *testing.T) {
			t.Parallel()
			if got := render(t, "{{ "+test.expression+" }}"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	evil := `<script>alert("1")</script>&'`
	const escaped = `&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&amp;&#39;`
	data := someData()
	data.Recipient.FirstName = &evil
	data.Recipient.LastName = new("A\nB")
	data.Recipient.Attributes = coupon.JSON(`{"list":["<b>",{"<i>":"</i>"}],"<k>":"<v>"}`)
	tests := []struct{ name, body, want string }{
		{"Output", "<p>{{ recipient.firstName }}", "<p>" + escaped},
		{"Literal", "<p>{{ '<b>' }}", "<p>&lt;b&gt;"},
		{"EscapeIsNotDouble", "<p>{{ recipient.firstName | escape }}", "<p>" + escaped},
		{"EscapeInAChain", "<p>{{ recipient.firstName | escape | append: '<' }}", "<p>" + escaped + "&lt;"},
		{"EscapeOnce", "<p>{{ 'a&amp;b<' | escape_once }}", "<p>a&amp;b&lt;"},
		{"List", "<p>{{ recipient.attributes.list }}", "<p>&lt;b&gt;{&#34;&lt;i&gt;&#34;:&#34;&lt;/i&gt;&#34;}"},
		{"JSON", "<p>{{ recipient.attributes.list | json }}", "<p>[&#34;&lt;b&gt;&#34;,{&#34;&lt;i&gt;&#34;:&#34;&lt;/i&gt;&#34;}]"},
		{"Key", "<p>{% for p in recipient.attributes %}{{ p[0] }}{% break %}{% endfor %}", "<p>&lt;k&gt;"},
		{"Capture", "{% capture x %}<b>{{ recipient.firstName }}</b>{% endcapture %}{{ x }}", "<b>" + escaped + "</b>"},
		{
			"CaptureChanged", "<p>{% capture x %}<b>{{ recipient.firstName }}</b>{% endcapture %}{{ x | replace: 'z', 'y' }}",
			"<p>&lt;b&gt;" + escaped + "&lt;/b&gt;",
		},
		{"CaptureEscaped", "<p>{% capture x %}<b>{% endcapture %}{{ x | escape }}", "<p>&lt;b&gt;"},
		{"CaptureJoined", "<p>{% capture x %}<b>{% endcapture %}{{ x | append: recipient.firstName | prepend: '<' | strip }}", "<p>&lt;<b>" + escaped},
		{"CaptureStripped", "<p>{% capture x %}<b>{{ recipient.firstName }}</b>{% endcapture %}{{ x | strip_html }}", "<p>" + escaped},
		{
			"CaptureReplacedIn", "<p>{% capture x %}<b>$</b>{% endcapture %}{{ x | replace: '$', recipient.firstName }}",
			"<p>&lt;b&gt;" + escaped + "&lt;/b&gt;",
		},
		{"CaptureCompared", "<p>{% capture x %}{{ recipient.firstName }}{% endcapture %}{% if x == recipient.firstName %}same{% endif %}", "<p>same"},
		{"Breaks", "<p>{{ recipient.lastName | newline_to_br }}", "<p>A<br />\nB"},
		{"BreaksEscape", "<p>{{ recipient.firstName | newline_to_br | newline_to_br }}", "<p>" + escaped},
		{"Cycle", "<p>{% for i in (1..1) %}{% cycle recipient.firstName %}{% endfor %}", "<p>" + escaped},
		{"Date", "<p>{{ recipient.firstName | date: '%F' }}{{ coupon.startsAt | date: recipient.firstName }}", "<p>" + escaped + escaped},
		{"Money", "<p>{{ recipient.firstName | money }}{{ 1 | money: '<i>' }}", "<p>" + escaped + "&lt;i&gt;1.00"},
		{"Decoded", "<p>{{ '%3Cb%3E' | url_decode }}{{ '&lt;' | strip_html }}", "<p>&lt;b&gt;&amp;lt;"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			template := parse(t, nil, test.body)
			rendered, err := template.Render(data)
			if err != nil {
				t.Fatal(err)
			}
			if !template.IsHTML() || rendered.Body != test.want {
				t.Errorf("%s\ngot  %q\nwant %q", test.body, rendered.Body, test.want)
			}
		})
	}
}

func TestIsHTML(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body string
		want bool
	}{
		{"Hello", false},
		{"1 < 2 and 3 > 2, a<b, c>d", false},
		{"Mail <anna@example.com> or see <https://example.com>", false},
		{"Dear <name>,", false},
		{"{{ '<p>' }}", false},
		{"Hello<br>you", true},
		{"Hello<BR/>you", true},
		{"<p class='x'>Hello", true},
		{"<!DOCTYPE html>", true},
		{"<a href=\"{{ recipient.attributes.url }}\">x</a>", true},
		{"{% comment %}<p>{% endcomment %}", false},
	}
	for _, test := range tests {
		if got := parse(t, nil, test.body).IsHTML(); got != test.want {
			t.Errorf("%q: got %t, want %t", test.body, got, test.want)
		}
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, subject, want string }{
		{"Plain", "Hi {{ recipient.firstName }}", "Hi Eve & Co"},
		{"HeaderInjection", "Hi {{ recipient.lastName }}", "Hi x Bcc: all@example.com y"},
		{"TemplateBreaks", "Hi\r\n there ", "Hi there"},
		{"Controls", "Hi {{ recipient.email }}", "Hi abc"},
		{"NoEscape", "<p>{{ recipient.firstName }}", "<p>Eve & Co"},
	}
	data := someData()
	data.Recipient.FirstName = new("Eve & Co")
	data.Recipient.LastName = new("x\r\n\r\nBcc: all@example.com\u2028y")
	data.Recipient.Email = new("a\x00b\x7fc")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rendered, err := parse(t, &test.subject, "<p>").Render(data)
			if err != nil {
				t.Fatal(err)
			}
			if *rendered.Subject != test.want {
				t.Errorf("got %q, want %q", *rendered.Subject, test.want)
			}
		})
	}
	data.Recipient.Phone = new(strings.Repeat("x", message.MaxSubjectLength+1))
	if _, err := parse(t, new("{{ recipient.phone }}"), "").Render(data); err == nil || !strings.Contains(err.Error(), "longer than 998") {
		t.Errorf("a long subject: got %v, want an error", err)
	}
	if rendered, err := parse(t, nil, "x").Render(data); err != nil || rendered.Subject != nil {
		t.Errorf("without a subject: got %v, %v, want nil", rendered.Subject, err)
	}
}

func TestParseProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body string
		// want are what the problems contain, in order.
		want []string
	}{
		{"a\n{{ recipient.firstName", []string{"{{ is not closed: }} is missing. (body, line 2, column 1)"}},
		{"ä {{ a }\n{{ recipient.firstName }} {% if", []string{"{{ is not closed: }} is missing. (body, line 1, column 3)", "{% is not closed"}},
		{"{{ }}", []string{"Expected a token or a value. (body, line 1, column 4)"}},
		{"{{ a b }}", []string{`Unexpected "b". (body, line 1, column 6)`}},
		{"{{ recipient. }}", []string{"Expected a name behind the dot."}},
		{"{{ 'a }}", []string{"The quote ' is not closed."}},
		{"{{ “a” }}", []string{"straight quotes"}},
		{
			"{{ a | upcas }}{{ a | shout }}",
			[]string{`There is no filter "upcas". Did you mean upcase? (body, line 1, column 8)`, `There is no filter "shout". (`},
		},
		{
			"{{ a | append }}{{ a | upcase: 1 }}{{ a | slice: 1, 2, 3 }}",
			[]string{"takes 1 argument, not 0", "takes no arguments, not 1", "takes 1 to 2 arguments, not 3"},
		},
		{"{% fi %}", []string{`There is no tag "fi"`}},
		{"{% elseif %}", []string{`There is no tag "elseif". Did you mean elsif?`}},
		{"{% include 'x' %}{% render 'x' %}", []string{"{% include %} is not available", "{% render %} is not available"}},
		{"{% if a %}", []string{"{% if %} is not closed: {% endif %} is missing. (body, line 1, column 1)"}},
		{"{% if a %}{% for x in y %}{% endif %}", []string{"{% for %} is not closed: {% endfor %} is missing. (body, line 1, column 11)"}},
		{"{% endif %}{% else %}", []string{"{% endif %} does not belong here", "{% else %} does not belong here"}},
		{"{% if a = 1 %}{% endif %}", []string{"Compare with =="}},
		{"{% if a | size > 1 %}{% endif %}", []string{`Unexpected ">"`}},
		{"{% if 1 < a | size %}{% endif %}", []string{"A comparison takes no filters"}},
		{"{% if %}{% elsif %}{% endif %}", []string{"Expected a token", "Expected a token"}},
		{"{% if a %}{% else %}{% else %}{% endif %}", []string{"stands behind {% else %}"}},
		{"{% for x of y %}{% endfor %}", []string{`Expected "in", found "of"`}},
		{"{% for x in y sideways %}{% endfor %}", []string{"A loop has no \"sideways\""}},
		{"{% for x in y limit 3 %}{% endfor %}", []string{`Expected ":"`}},
		{"{% for x in y %}{% else %}{% else %}{% endfor %}", []string{"second {% else %}"}},
		{"{% break %}", []string{"outside of a loop"}},
		{
			"{% assign recipient = 1 %}{% assign true = 1 %}{% capture forloop %}{% endcapture %}",
			[]string{"recipient is a name", "true is a name", "forloop is a name"},
		},
		{"{% assign a 1 %}", []string{`Expected "="`}},
		{"{% capture a b %}{% endcapture %}", []string{`Unexpected "b"`}},
		{"{% cycle %}", []string{"Expected a token or a value"}},
		{"{% %}", []string{"A tag needs a name"}},
		{"{% raw %}", []string{"{% raw %} is not closed: {% endraw %}"}},
		{"{% comment %}", []string{"{% comment %} is not closed"}},
		{"{{ 'now' | date: '%Y' }}{{ \"today\" | date }}", []string{`there is no "now"`, `there is no "today"`}},
		{"<% if (a) { %>", []string{"Of Adobe's scripts only"}},
		{"<%= a.b() %>", []string{"Of Adobe's scripts only"}},
		{"<%@ include view='x' %>", []string{"Of Adobe's scripts only"}},
		{"{{ 1" + strings.Repeat("0", 400) + " }}", []string{"is too large"}},
		{"a\xff", []string{"not valid UTF-8"}},
		{strings.Repeat("{% if a %}", 65), []string{"More than 64 blocks"}},
		{"{{ " + strings.Repeat("(", 65), []string{"not closed"}},
		{"{{ " + strings.Repeat("(", 65) + "}}", []string{"More than 64 brackets"}},
		{"{{ " + strings.Repeat("a[", 65) + "}}", []string{"More than 64 brackets"}},
		{strings.Repeat("a", message.MaxTemplateBytes+1), []string{"at most 1048576 bytes, not 1048577"}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%.40s", test.body), func(t *testing.T) {
			t.Parallel()
			_, err := message.Parse(nil, test.body)
			got, ok := coupon.AsUserErrors(err)
			if !ok || len(got) != len(test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			for i, one := range got {
				if !strings.Contains(one.Message, test.want[i]) || one.Code != coupon.ErrorTemplateInvalid ||
					!cmp.Equal(one.Field, []string{"input", "body"}) {
					t.Errorf("got %s %q %q, want %q", one.Code, one.Field, one.Message, test.want[i])
				}
			}
		})
	}
}

func TestParseReportsBothParts(t *testing.T) {
	t.Parallel()
	subject := strings.Repeat("ä", message.MaxSubjectLength+1) + "{{"
	_, err := message.Parse(&subject, "{{ 'a }}")
	got, _ := coupon.AsUserErrors(err)
	var fields []string
	for _, one := range got {
		fields = append(fields, strings.Join(one.Field, "."))
	}
	if want := []string{"input.subject", "input.subject", "input.body"}; !cmp.Equal(fields, want) {
		t.Errorf("got %q, want %q: %v", fields, want, err)
	}
	_, err = message.Parse(nil, strings.Repeat("{{}}", 10*message.MaxProblems))
	got, _ = coupon.AsUserErrors(err)
	if len(got) != message.MaxProblems+1 || !strings.Contains(got[message.MaxProblems].Message, "900 more") {
		t.Errorf("got %d problems, the last %q, want %d and a count", len(got), got[len(got)-1].Message, message.MaxProblems)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	anonymous, individual := new(coupon.TypeAnonymous), new(coupon.TypeIndividual)
	tests := []struct {
		name, body string
		couponType *coupon.CouponType
		want       []string
		warnings   int
	}{
		{"Fine", "{{ couponValue.code }} {{ couponValue.label }} {{ coupon.code }} {{ recipient.attributes.anything.at.all }}", individual, nil, 0},
		{"NoCoupon", "{{ recipient.firstName }} {{ delivery.label }}", nil, nil, 0},
		{
			"Unknown", "{{ recipient.firstname }}\n ä{{ recipient.first_name | append: Code }}", nil,
			[]string{
				"There is no token recipient.firstname. Did you mean recipient.firstName? (body, line 1, column 4)",
				"There is no token recipient.first_name. Did you mean recipient.firstName? (body, line 2, column 6)",
				"There is no token Code. Did you mean coupon.code? (body, line 2, column 37)",
			},
			0,
		},
		{"Hints", "{{ firstName }}{{ xyz }}{{ couponValue.couponCode }}{{ coupon.code.value }}{{ recipient.mail }}", individual, []string{
			"Did you mean recipient.firstName?", "There is no token xyz. (body", "Did you mean couponValue.code?",
			"There is no token coupon.code.value.",
			"Did you mean recipient.email?",
		}, 1},
		{
			"Everywhere", "{% if a1 == b1 %}{% elsif c1 %}{% endif %}{% for x in d1 limit: e1 offset: f1 %}{{ x[g1] }}{% endfor %}" +
				"{% case h1 %}{% when i1 %}{% endcase %}{% assign y = j1 | append: k1 %}{% cycle l1 %}{{ (m1..n1) }}{% unless o1 %}{% endunless %}", nil,
			strings.Split("a1 b1 c1 d1 e1 f1 g1 h1 i1 j1 k1 l1 m1 n1 o1", " "), 0,
		},
		{"Variables", "{% assign a = 1 %}{% capture b %}{% endcapture %}{% for c in a %}{{ a }}{{ b }}{{ c }}{{ forloop.index }}{% endfor %}", nil, nil, 0},
		{
			"LoopVariableOutside",
			"{% for c in recipient.attributes.x %}{% else %}{{ c }}{% endfor %}{{ c }}{{ forloop.index }}",
			nil,
			[]string{"token c.", "token c.", "forloop.index"},
			0,
		},
		{"ValueOfAnonymous", "{{ couponValue.code }}{{ coupon.code }}", anonymous, []string{"An anonymous coupon has one code for all: use coupon.code."}, 0},
		{"ValueWithoutCoupon", "{{ couponValue.code }}", nil, []string{"couponValue.code needs an individual coupon"}, 0},
		{"AdobeValueWithoutCoupon", "<%= couponValue.couponCode %>", nil, []string{"couponValue.code needs an individual coupon"}, 0},
		{
			"CouponWithoutCoupon", "{% if coupon %}{{ coupon.label }}{% endif %}", nil,
			[]string{"coupon needs a coupon", "coupon.label needs a coupon"},
			0,
		},
		{"CodeMissing", "{{ couponValue.label }}", individual, nil, 1},
		{"OnlyTheCouponsCode", "{{ coupon.code }}", individual, nil, 1},
		{"AnonymousCodeMissing", "{{ coupon.label }}", anonymous, nil, 1},
		{"WholeValue", "{% for p in couponValue %}{{ p[1] }}{% endfor %}", individual, nil, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, warnings := parse(t, nil, test.body).Check(test.couponType)
			if len(got) != len(test.want) || len(warnings) != test.warnings {
				t.Fatalf("got %v and %q, want %q and %d warnings", got, warnings, test.want, test.warnings)
			}
			for i, one := range got {
				if !strings.Contains(one.Message, test.want[i]) || one.Code != coupon.ErrorTemplateInvalid {
					t.Errorf("got %s %q, want %q", one.Code, one.Message, test.want[i])
				}
			}
		})
	}
	t.Run("Subject", func(t *testing.T) {
		t.Parallel()
		// Variables do not pass from the subject to the body.
		got, warnings := parse(t, new("{% assign a = 1 %}{{ couponValue.code }}{{ x }}"), "{{ a }}").Check(individual)
		if len(got) != 2 || len(warnings) != 0 || got[0].Field[1] != "subject" || got[1].Field[1] != "body" {
			t.Errorf("got %v and %q, want x in the subject and a in the body", got, warnings)
		}
	})
}

func TestUses(t *testing.T) {
	t.Parallel()
	all := message.Fields{ExternalID: true, Email: true, Phone: true, FirstName: true, LastName: true, Attributes: true}
	tests := []struct {
		body string
		want message.Fields
	}{
		{"Hello {{ coupon.code }}", message.Fields{}},
		{"{{ recipient.firstName }}", message.Fields{FirstName: true}},
		{"{{ recipient['lastName'] }}{{ recipient.email.size }}", message.Fields{LastName: true, Email: true}},
		{"{{ 'a' | append: recipient.phone }}", message.Fields{Phone: true}},
		{"{% if 1 == 1 and recipient.externalId == 'x' %}{% endif %}", message.Fields{ExternalID: true}},
		{"{% if a %}{% elsif recipient.email %}{% endif %}", message.Fields{Email: true}},
		{"{% for x in recipient.attributes.list limit: recipient.phone %}{% endfor %}", message.Fields{Attributes: true, Phone: true}},
		{"{% assign x = (1..recipient.firstName) %}", message.Fields{FirstName: true}},
		{"{% case 1 %}{% when recipient.lastName %}{% endcase %}{% cycle recipient.email %}", message.Fields{LastName: true, Email: true}},
		{"{{ recipient.attributes[recipient.firstName] }}", message.Fields{Attributes: true, FirstName: true}},
		{"{% capture x %}{{ recipient.phone }}{% endcapture %}", message.Fields{Phone: true}},
		{"<%= recipient.phone %>", message.Fields{Phone: true}},
		{"{% assign r = recipient %}", all},
		{"{{ recipient[coupon.code] }}", all},
		{"{% raw %}{{ recipient.phone }}{% endraw %}{% comment %}{{ recipient.phone }}{% endcomment %}", message.Fields{}},
	}
	for _, test := range tests {
		if got := parse(t, nil, test.body).Uses(); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.body, got, test.want)
		}
	}
	if got := parse(t, new("{{ recipient.email }}"), "{{ recipient.phone }}").Uses(); got != (message.Fields{Email: true, Phone: true}) {
		t.Errorf("subject and body: got %+v", got)
	}
}

// TestLimits renders templates that mean harm: each fails in bounded time, and always alike.
// TestShown tells which values a message lacks when a recipient does not have them.
func TestShown(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"Hello": "",
		"{{ recipient.firstName }} {{ recipient.firstName }}":                                                 "recipient.firstName",
		"{{ recipient.lastName | upcase }} {{ recipient.attributes.sport }}":                                  "recipient.lastName recipient.attributes.sport",
		"{{ recipient.attributes[\"favourite sport\"] }}":                                                     "recipient.attributes.favourite sport",
		"{{ recipient.attributes.address.city }}":                                                             "recipient.attributes.address",
		"{{ recipient.firstName | default: \"friend\" }}":                                                     "",
		"{{ recipient.firstName | upcase | default: \"friend\" }}":                                            "",
		"{% if recipient.firstName %}Dear {{ recipient.firstName }}{% else %}Hello{% endif %}":                "",
		"{% unless recipient.firstName == blank %}{{ recipient.firstName }}{% endunless %}":                   "",
		"{% if recipient.firstName and recipient.lastName %}{{ recipient.lastName }}{% endif %}":              "",
		"{% if recipient.firstName %}{{ recipient.phone }}{% endif %}":                                        "recipient.phone",
		"{% if recipient.firstName %}x{% endif %}{{ recipient.firstName }}":                                   "recipient.firstName",
		"{% case recipient.attributes.tier %}{% when \"gold\" %}{{ recipient.attributes.tier }}{% endcase %}": "",
		"{% for s in recipient.attributes.sports %}{{ s }} {{ recipient.email }}{% endfor %}":                 "recipient.email",
		"{% capture name %}{{ recipient.firstName }}{% endcapture %}{{ name | default: \"friend\" }}":         "recipient.firstName",
		"{{ coupon.code }} {{ couponValue.label }} {{ delivery.label }} {{ recipient.externalId }}":           "",
	} {
		template, err := message.Parse(nil, body)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, value := range template.Shown() {
			got = append(got, string(value))
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s shows %q, want %q", body, text, want)
		}
	}
	subject := "For {{ recipient.firstName }}"
	template, err := message.Parse(&subject, "{{ recipient.firstName }}")
	if err != nil || len(template.Shown()) != 1 {
		t.Errorf("subject and body show %v, %v", template.Shown(), err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	doublings := func(n int) string {
		return "{% assign a = 'x' %}" + strings.Repeat("{% assign a = a | append: a %}", n)
	}
	tests := []struct{ name, body, want string }{
		{"Range", "{% for i in (1..1000000000) %}{% endfor %}", "a range has at most"},
		{"RangeOfAll", "{{ (-9223372036854775808..9223372036854775807) | size }}", "a range has at most"},
		{"RangeBackwards", "{{ (1000000000..1) | size }}", ""},
		{"NestedLoops", "{% for i in (1..1000) %}{% for j in (1..1000) %}{% endfor %}{% endfor %}", "loops run more than"},
		{"LoopAfterLoop", strings.Repeat("{% for i in (1..6000) %}{% endfor %}", 2), "loops run more than"},
		{"LongBodyOfALoop", "{% for i in (1..9999) %}" + strings.Repeat("{% if i %}{% endif %}", 20_000) + "{% endfor %}", "too much work"},
		{"Doubling", doublings(60), "too much work"},
		{"DoublingInALoop", "{% assign a = 'x' %}{% for i in (1..9999) %}{% assign a = a | append: a %}{% endfor %}", "too much work"},
		{"DoublingByCapture", "{% assign a = 'x' %}{% for i in (1..9999) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}", "too much work"},
		{"DoublingOfLists", "{% assign a = 'x,y' | split: ',' %}{% for i in (1..9999) %}{% assign a = a | concat: a %}{% endfor %}", "too much work"},
		{"ListOfOneText", "{% assign s = 'x' %}{% for i in (1..20) %}{% assign s = s | append: s %}{% endfor %}{% assign a = s | split: '|' %}" +
			"{% for i in (1..15) %}{% assign a = a | concat: a %}{% endfor %}{{ a | append: 'x' | size }}", "too much work"},
		{"ReplaceNothing", doublings(14) + "{% assign b = a | replace: '', a %}", "too much work"},
		{"LongOutput", "{% for i in (1..9999) %}" + strings.Repeat("x", 1000) + "{% endfor %}", "longer than"},
		{"LongOutputOfValues", "{% assign a = '" + strings.Repeat("<", 1000) + "' %}<p>{% for i in (1..9999) %}{{ a }}{% endfor %}", "longer than"},
		{
			"Comparing",
			"{% for i in (1..9999) %}" + strings.Repeat("{% if recipient.attributes.big == recipient.attributes.big %}{% endif %}", 1000) + "{% endfor %}",
			"too much work",
		},
		{"Searching", "{% assign a = recipient.attributes.big | json %}{% for i in (1..9999) %}" +
			strings.Repeat("{% if a contains 'zz' %}{% endif %}", 1000) + "{% endfor %}", "too much work"},
		{"Sorting", "{% for i in (1..9999) %}{{ recipient.attributes.big | sort | uniq | size }}{% endfor %}", "too much work"},
		{"WideDate", "{{ '2026-01-01' | date: '%999999999d' }}", "at most two digits"},
		{"LongDate", "{{ '2026-01-01' | date: recipient.attributes.form }}", "too much work"},
		{"Filters", "{% assign a = recipient.attributes.big | json %}{{ a" + strings.Repeat(" | escape", 100_000) + " }}", "too much work"},
		{"DivisionByZero", "{{ 1 | divided_by: 0 }}{{ 1 | modulo: 0 }}", "cannot divide by zero"},
		{"Infinity", "{% assign a = 10 %}{% for i in (1..400) %}{% assign a = a | times: 1000000 %}{% endfor %}", "the result is not a number"},
		{"MixedSort", "{{ recipient.attributes.mixed | sort_natural }}", "cannot be used on this value"},
	}
	data := someData()
	data.Recipient.Attributes = coupon.JSON(`{"big":[` + strings.TrimSuffix(strings.Repeat(`[1,"x"],`, 6000), ",") +
		`],"mixed":["a",1,null],"form":"` + strings.Repeat("%c", 100_000) + `"}`)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			template := parse(t, nil, test.body)
			start := time.Now()
			_, err := template.Render(data)
			// The bound is loose, for slow machines and the race detector; without a limit these take minutes or all memory.
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case test.want != "" && (err == nil || !strings.Contains(strings.ToLower(err.Error()), test.want)):
				t.Errorf("got %v, want %q", err, test.want)
			}
			if _, ok := coupon.AsUserErrors(err); err != nil && !ok {
				t.Errorf("%v is no UserError", err)
			}
		})
	}
}

func TestLimitsLeaveRoom(t *testing.T) {
	t.Parallel()
	body := "{% for i in (1..9999) %}<p>{{ i }}: {{ recipient.firstName }}</p>\n{% endfor %}"
	if got := strings.Count(render(t, body), "Anna"); got != 9999 {
		t.Errorf("got %d lines, want 9999", got)
	}
	if got := len(render(t, strings.Repeat("a", message.MaxTemplateBytes))); got != message.MaxTemplateBytes {
		t.Errorf("got %d bytes, want %d", got, message.MaxTemplateBytes)
	}
}

// TestParseIsLinear parses long texts of what a scanner could stumble over. In quadratic time they take minutes.
func TestParseIsLinear(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{
		"{% a {{x}} ", "{{", "{% ", "<%", "{{ x }}", "{% raw %}", "{% comment %}", "<p", "<a ", "{% if x %}", "\n{{x", "{{ '", "{{((((}}",
	} {
		start := time.Now()
		template, err := message.Parse(nil, strings.Repeat(unit, message.MaxTemplateBytes/8/len(unit)))
		if err == nil {
			if problems, _ := template.Check(nil); len(problems) > message.MaxProblems+1 {
				t.Errorf("%q: got %d problems", unit, len(problems))
			}
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q: took %s", unit, took)
		}
	}
}

// TestRenderConcurrently proves, with the race detector, that a template is never written.
func TestRenderConcurrently(t *testing.T) {
	t.Parallel()
	template := parse(t, new("{{ recipient.firstName }}"), typical+
		"{% for i in (1..5) %}{% cycle 'a', 'b' %}{% assign x = i %}{{ x }}{% endfor %}{{ coupon.endsAt | date: '%F' }}{{ recipient.attributes.tags | sort | join }}")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 200 {
				data := someData()
				name := fmt.Sprintf("r%d.%d", i, j)
				data.Recipient.FirstName, data.CouponValue = &name, &coupon.CodeData{Code: "code-" + name}
				got, err := template.Render(data)
				if err != nil || *got.Subject != name || !strings.Contains(got.Body, "<p>code-"+name+"</p>") ||
					!strings.HasSuffix(got.Body, "a1b2a3b4a52026-07-01a b c") {
					t.Errorf("got %q, %v, want %s's message", got.Body, err, name)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestRenderRefusesBrokenAttributes(t *testing.T) {
	t.Parallel()
	data := someData()
	data.Recipient.Attributes = "[1"
	if _, err := parse(t, nil, "{{ recipient.attributes.x }}").Render(data); err == nil {
		t.Error("got no error")
	}
	data.Recipient.Attributes = `{"id":12345678901234567890,"f":1.50,"e":1e3}`
	rendered, err := parse(t, nil, "{{ recipient.attributes.id }} {{ recipient.attributes.f }} {{ recipient.attributes.e }}").Render(data)
	if want := "12345678901234567890 1.5 1000"; err != nil || rendered.Body != want {
		t.Errorf("got %q, %v, want %q", rendered.Body, err, want)
	}
}
