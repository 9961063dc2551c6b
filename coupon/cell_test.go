package coupon

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCellRules(t *testing.T) {
	t.Parallel()
	given := func(text string) Cell { return Cell{Presence: Given, Text: text} }
	for name, test := range map[string]struct {
		options FileOptions
		text    string
		want    Cell
	}{
		"a value":                       {text: "a", want: given("a")},
		"empty":                         {text: "", want: Cell{Presence: Empty}},
		"blanks":                        {text: " \t", want: Cell{Presence: Empty, Text: " \t"}},
		"invisible":                     {text: "\u200B\uFEFF", want: Cell{Presence: Empty, Text: "\u200B\uFEFF"}},
		"null of SQL":                   {text: `\N`, want: Cell{Presence: Nothing}},
		"newline of C":                  {text: `\n`, want: given(`\n`)},
		"NULL":                          {text: "NULL", want: given("NULL")},
		"NULL, named":                   {options: FileOptions{Nothing: []string{"NULL", "-"}}, text: "NULL", want: Cell{Presence: Nothing}},
		"hyphen, named":                 {options: FileOptions{Nothing: []string{"NULL", " - "}}, text: "-", want: Cell{Presence: Nothing}},
		"other case":                    {options: FileOptions{Nothing: []string{"NULL"}}, text: "Null", want: given("Null")},
		"null of SQL, others are named": {options: FileOptions{Nothing: []string{"NULL"}}, text: `\N`, want: given(`\N`)},
		"null of SQL, nothing is named": {options: FileOptions{Nothing: []string{}}, text: `\N`, want: given(`\N`)},
		"empty, named":                  {options: FileOptions{Nothing: []string{""}}, text: "", want: Cell{Presence: Nothing}},
		"blanks, empty is named":        {options: FileOptions{Nothing: []string{""}}, text: " ", want: Cell{Presence: Nothing}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := NewCellRules(&test.options)
			if diff := cmp.Diff(test.want, rules.Read(test.text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPresence tells what each way of having no value does.
func TestPresence(t *testing.T) {
	t.Parallel()
	text := "yes"
	for presence, test := range map[Presence]struct {
		change Change[string]
		flag   Change[bool]
	}{
		Absent:  {},
		Empty:   {flag: Set[bool](nil)},
		Null:    {change: Set[string](nil), flag: Set[bool](nil)},
		Nothing: {change: Set[string](nil), flag: Set[bool](nil)},
		Given:   {change: Set(&text), flag: Set(new(true))},
	} {
		cell := Cell{Presence: presence}
		if presence == Given {
			cell.Text = text
		}
		flag, isKnown := cell.Flag()
		if diff := cmp.Diff(test.change, cell.Change()); diff != "" || !isKnown {
			t.Errorf("text of %d, known %t (-want +got):\n%s", presence, isKnown, diff)
		}
		if diff := cmp.Diff(test.flag, flag); diff != "" {
			t.Errorf("flag of %d (-want +got):\n%s", presence, diff)
		}
	}
	if _, isKnown := (Cell{Presence: Given, Text: "perhaps"}).Flag(); isKnown {
		t.Error("perhaps is a yes or a no")
	}
}

func TestOddCells(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ImportWarningKind{
		"NULL": WarningPlaceholder, "null": WarningPlaceholder, "N/A": WarningPlaceholder, "-": WarningPlaceholder, "–": WarningPlaceholder,
		"#NV": WarningPlaceholder, "#DIV/0!": WarningPlaceholder, "NaN": WarningPlaceholder, "None": WarningPlaceholder, "(null)": WarningPlaceholder,
		"Nullmeyer": "", "Anna": "", "-1": "", "Nico": "", "#1": "", "Ünal": "", "": "",
	} {
		if got := (Cell{Presence: Given, Text: text}).Odd(); text != "" && got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for _, cell := range []Cell{{}, {Presence: Empty}, {Presence: Null}, {Presence: Nothing}, {Presence: Given, Text: "-", IsNumber: true}} {
		if got := cell.Odd(); got != "" {
			t.Errorf("%+v: got %q", cell, got)
		}
	}
}

func TestParseFlag(t *testing.T) {
	t.Parallel()
	for want, texts := range map[bool][]string{
		true: {
			"1", "true", "T", "yes", "Y", "on", "1.0", "-1", "ja", "J", "wahr", "oui", "VRAI", "sí", "SI\u0301", "sì", "sim", "verdadeiro", "verdadero",
			"vero", "waar", "tak", "prawda", "evet", "DOĞRU", " Ja\u00A0",
		},
		false: {
			"0", "false", "F", "no", "N", "off", "0.0", "nein", "FALSCH", "non", "faux", "falso", "não", "nee", "onwaar", "nie", "fałsz", "FAŁSZ",
			"hayır", "HAYIR", "yanlış", "YANLIŞ",
		},
	} {
		for _, text := range texts {
			if got, isKnown := ParseFlag(text); got != want || !isKnown {
				t.Errorf("%q: got %t, %t, want %t", text, got, isKnown, want)
			}
		}
	}
	for _, text := range []string{"", "perhaps", "2", "vielleicht", "null", "-", "ja nein"} {
		if got, isKnown := ParseFlag(text); got || isKnown {
			t.Errorf("%q: got %t, %t", text, got, isKnown)
		}
	}
}
