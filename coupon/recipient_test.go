package coupon

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecipientChangesClean(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ changes, want RecipientChanges }{
		"id alone": {changes: RecipientChanges{ExternalID: " R1\u00A0"}, want: RecipientChanges{
			ExternalID: "R1",
		}},
		"every field": {
			changes: RecipientChanges{
				ExternalID: "R1", Email: Set(new("\uFEFFa@b.example ")),
				Phone:     Set(new(" +49 30 1234 ")),
				FirstName: Set(new(" Ann Lee ")), LastName: Set(new("Ö\u200B")),
				Attributes: Set(new(JSON(`{"sport": "Ski"}`))), IsContactable: Set(new(false)),
			},
			want: RecipientChanges{
				ExternalID: "R1", Email: Set(new("a@b.example")), Phone: Set(new("+49 30 1234")),
				FirstName:  Set(new("Ann Lee")),
				LastName:   Set(new("Ö")),
				Attributes: Set(new(JSON(`{"sport": "Ski"}`))), IsContactable: Set(new(false)),
			},
		},
		"blank clears": {
			changes: RecipientChanges{
				ExternalID: "R1", Email: Set(new("")), Phone: Set(new(" ")),
				FirstName: Set(new("\u200B")), LastName: Set[string](nil),
			},
			want: RecipientChanges{
				ExternalID: "R1", Email: Set[string](nil), Phone: Set[string](nil),
				FirstName: Set[string](nil),
				LastName:  Set[string](nil),
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
			if reason, field, value := test.changes.Clean(); reason != "" || field != "" ||
				value != "" {
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
		t.Errorf("got the reason %q and the text %q, want none and the text as it was",
			reason, email)
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
		"no id": {
			changes: RecipientChanges{}, reason: RejectedEmpty, field: "externalId", value: "",
		},
		"blank id": {
			changes: RecipientChanges{ExternalID: " \uFEFF"}, reason: RejectedEmpty,
			field: "externalId", value: " \uFEFF",
		},
		"long id": {
			changes: RecipientChanges{ExternalID: long}, reason: RejectedTooLong,
			field: "externalId", value: long,
		},
		"control in id": {
			changes: RecipientChanges{ExternalID: "a\x00b"}, reason: RejectedBadCharacter,
			field: "externalId", value: "a\x00b",
		},
		"long e-mail": {
			changes: RecipientChanges{ExternalID: "R1", Email: Set(&long)}, reason: RejectedTooLong,
			field: "email", value: long,
		},
		"line in phone": {
			changes: RecipientChanges{ExternalID: "R1", Phone: Set(new("1\n2"))},
			reason:  RejectedBadCharacter, field: "phone",
			value: "1\n2",
		},
		"long first name": {
			changes: RecipientChanges{ExternalID: "R1", FirstName: Set(&long)},
			reason:  RejectedTooLong, field: "firstName", value: long,
		},
		"Latin-1 last name": {
			changes: RecipientChanges{ExternalID: "R1", LastName: Set(new("M\xFCller"))},
			reason:  RejectedBadCharacter,
			field:   "lastName", value: "M\xFCller",
		},
		"much attributes": {
			changes: RecipientChanges{ExternalID: "R1", Attributes: Set(&tooMuch)},
			reason:  RejectedTooLong,
			field:   "attributes",
			value:   string(tooMuch),
		},
		"NUL in attributes": {
			changes: RecipientChanges{
				ExternalID: "R1", Attributes: Set(new(JSON(`{"a":"\\\u0000"}`))),
			}, reason: RejectedBadCharacter,
			field: "attributes", value: `{"a":"\\\u0000"}`,
		},
		"no NUL in attributes": {changes: RecipientChanges{
			ExternalID: "R1", Attributes: Set(new(JSON(`{"a":"\\u0000\u0001\\"}`))),
		}},
		"the first of many": {
			changes: RecipientChanges{
				ExternalID: "R1", LastName: Set(&long), Phone: Set(new("\x01x\x01")),
				Attributes: Set(&tooMuch),
			},
			reason: RejectedBadCharacter,
			field:  "phone",
			value:  "\x01x\x01",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if reason, field, value := test.changes.Clean(); reason != test.reason ||
				field != test.field || value != test.value {
				t.Errorf("got %s for %s %q, want %s for %s %q", reason, field, value, test.reason,
					test.field, test.value)
			}
		})
	}
}
