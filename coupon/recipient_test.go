package coupon

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecipientChangesClean(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ changes, want RecipientChanges }{
		"id alone": {changes: RecipientChanges{ExternalID: " R1\u00A0"}, want: RecipientChanges{ExternalID: "R1"}},
		"every field": {
			changes: RecipientChanges{
				ExternalID: "R1", Email: Set(new("\uFEFFa@b.example ")), Phone: Set(new(" +49 30 1234 ")),
				FirstName: Set(new(" Ann Lee ")), LastName: Set(new("Ö\u200B")),
				Attributes: Set(new(JSON(`{"sport": "Ski"}`))), IsContactable: Set(new(false)),
			},
			want: RecipientChanges{
				ExternalID: "R1", Email: Set(new("a@b.example")), Phone: Set(new("+49 30 1234")), FirstName: Set(new("Ann Lee")),
				LastName:   Set(new("Ö")),
				Attributes: Set(new(JSON(`{"sport": "Ski"}`))), IsContactable: Set(new(false)),
			},
		},
		"blank clears": {
			changes: RecipientChanges{
				ExternalID: "R1", Email: Set(new("")), Phone: Set(new(" ")), FirstName: Set(new("\u200B")), LastName: Set[string](nil),
			},
			want: RecipientChanges{
				ExternalID: "R1", Email: Set[string](nil), Phone: Set[string](nil), FirstName: Set[string](nil),
				LastName: Set[string](nil),
			},
		},
		"at the limits": {
			changes: RecipientChanges{
				ExternalID: strings.Repeat("ä", 255),
				Email:      Set(new(strings.Repeat("x", 255))),
				Attributes: Set(new(JSON(strings.Repeat("x", MaxJSONBytes)))),
			},
			want: RecipientChanges{
				ExternalID: strings.Repeat("ä", 255),
				Email:      Set(new(strings.Repeat("x", 255))),
				Attributes: Set(new(JSON(strings.Repeat("x", MaxJSONBytes)))),
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if reason, field, value := test.changes.Clean(); reason != "" || field != "" || value != "" {
				t.Fatalf("got %s for %s %q, want no reason", reason, field, value)
			}
			if diff := cmp.Diff(test.want, test.changes); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRecipientChangesCleanKeepsTheCallersTexts(t *testing.T) {
	t.Parallel()
	email := " a@b.example "
	changes := RecipientChanges{ExternalID: "R1", Email: Set(&email)}
	if reason, _, _ := changes.Clean(); reason != "" || email != " a@b.example " {
		t.Errorf("got the reason %q and the text %q, want none and the text as it was", reason, email)
	}
}

func TestRecipientChangesCleanReasons(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	tooMuch := JSON(strings.Repeat("x", MaxJSONBytes+1))
	tests := map[string]struct {
		changes RecipientChanges
		reason  RejectionReason
		field   string
		value   string
	}{
		"no id":    {changes: RecipientChanges{}, reason: RejectedEmpty, field: "externalId", value: ""},
		"blank id": {changes: RecipientChanges{ExternalID: " \uFEFF"}, reason: RejectedEmpty, field: "externalId", value: " \uFEFF"},
		"long id":  {changes: RecipientChanges{ExternalID: long}, reason: RejectedTooLong, field: "externalId", value: long},
		"control in id": {
			changes: RecipientChanges{ExternalID: "a\x00b"}, reason: RejectedBadCharacter, field: "externalId", value: "a\x00b",
		},
		"long e-mail": {changes: RecipientChanges{ExternalID: "R1", Email: Set(&long)}, reason: RejectedTooLong, field: "email", value: long},
		"line in phone": {
			changes: RecipientChanges{ExternalID: "R1", Phone: Set(new("1\n2"))}, reason: RejectedBadCharacter, field: "phone",
			value: "1\n2",
		},
		"long first name": {changes: RecipientChanges{ExternalID: "R1", FirstName: Set(&long)}, reason: RejectedTooLong, field: "firstName", value: long},
		"Latin-1 last name": {
			changes: RecipientChanges{ExternalID: "R1", LastName: Set(new("M\xFCller"))}, reason: RejectedBadCharacter,
			field: "lastName", value: "M\xFCller",
		},
		"much attributes": {
			changes: RecipientChanges{ExternalID: "R1", Attributes: Set(&tooMuch)},
			reason:  RejectedTooLong,
			field:   "attributes",
			value:   string(tooMuch),
		},
		"NUL in attributes": {
			changes: RecipientChanges{ExternalID: "R1", Attributes: Set(new(JSON(`{"a":"\\\u0000"}`)))}, reason: RejectedBadCharacter,
			field: "attributes", value: `{"a":"\\\u0000"}`,
		},
		"no NUL in attributes": {changes: RecipientChanges{ExternalID: "R1", Attributes: Set(new(JSON(`{"a":"\\u0000\u0001\\"}`)))}},
		"the first of many": {
			changes: RecipientChanges{ExternalID: "R1", LastName: Set(&long), Phone: Set(new("\x01x\x01")), Attributes: Set(&tooMuch)},
			reason:  RejectedBadCharacter,
			field:   "phone",
			value:   "\x01x\x01",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if reason, field, value := test.changes.Clean(); reason != test.reason || field != test.field || value != test.value {
				t.Errorf("got %s for %s %q, want %s for %s %q", reason, field, value, test.reason, test.field, test.value)
			}
		})
	}
}

func TestAddressPattern(t *testing.T) {
	t.Parallel()
	tests := map[Channel]struct{ valid, invalid []string }{
		ChannelEmail: {
			valid: []string{
				"a@b.de", "first.last@example.com", "first+tag@mail.example.co.uk", "o'brien@example.com",
				"a_b-c!#$%&*/=?^`{|}~@example.com", "a..b@example.jp",
				"jürgen@bücher.example", "用户@例子.公司", "user@उदाहरण.परीक्षा", "user@xn--bcher-kva.example", "a@1-2.example",
				"a@a--b.example", "a@3com.com",
				strings.Repeat("x", 64) + "@example.com", "A@EXAMPLE.COM", "a@b.museum", "a@" + strings.Repeat("b.", 50) + "de",
			},
			invalid: []string{
				"", "a", "@", "a@", "@b.de", "a@b", "a@@b.de", "a@b@c.de", "a b@c.de", " a@b.de", "a@b.de ", "a@b.de\n",
				"a@b.de\nc@d.de", "a\t@b.de", "a@b .de",
				"a@.de", "a@b.", "a@b..de", "a@-b.de", "a@b-.de", "a@b.-de", "a@b.de-", "a@b_c.de", "Ann <a@b.de>", "<a@b.de>",
				"a@b.de,c@d.de", "a@b.de;c@d.de",
				"a:b@c.de", "mailto:a@b.de", `"a"@b.de`, `a\b@c.de`, "a(b)@c.de", "a@[10.0.0.1]",
				strings.Repeat("x", 65) + "@example.com", "a@b,de", "a@b/de",
			},
		},
		ChannelSMS: {
			valid: []string{
				"+4930123456", "004930123456", "030 123456", "+49 (0)30 123 456", "(555) 123-4567", "+1 (555) 123-4567", "555.123.4567",
				"030/123456", "12345",
				"+123456789012345", "+(49) 30 123456",
			},
			invalid: []string{
				"", "+", "1", "1234", "123456789012345678", "+49 30 1234 ", " 0301234", "030a1234", "030123456x7", "++4930123456",
				"-30123456", "49+30123456",
				"1    2    3    4    5", "(((5551234567", "030123456\n", "030 123456, 030 654321", "٠٣٠١٢٣٤٥٦", "5-5-5-5", "phone",
			},
		},
		ChannelPush:       {valid: []string{"x", "fcm:APA91b-_", "a b\nc", "é"}, invalid: []string{""}},
		ChannelDirectMail: {valid: []string{"Ann Lee\nWay 1\n12345 Town", "\n"}, invalid: []string{""}},
	}
	for channel, test := range tests {
		t.Run(string(channel), func(t *testing.T) {
			t.Parallel()
			// The database matches whole addresses; the anchors stand for that here.
			pattern := regexp.MustCompile(`\A(?:` + channel.AddressPattern() + `)\z`)
			for _, address := range test.valid {
				if !pattern.MatchString(address) {
					t.Errorf("%q is refused", address)
				}
			}
			for _, address := range test.invalid {
				if pattern.MatchString(address) {
					t.Errorf("%q is taken", address)
				}
			}
		})
	}
}
