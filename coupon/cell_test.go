package coupon

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestExportedText: whatever reading would take for something else is told by GuardedPattern, or is
// of backslashes and an N. What an export writes for such a text is read as the text.
func TestExportedText(t *testing.T) {
	t.Parallel()
	guarded, null := regexp.MustCompile(GuardedPattern), regexp.MustCompile(`^\\+N$`)
	rules := NewCellRules(&FileOptions{}, FormatCSV)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune(`='"\\N0-+@a`)), 1, 6, -1).Draw(t, "text")
		written := text
		switch {
		case guarded.MatchString(text):
			written = `="` + regexp.MustCompile(`"`).ReplaceAllString(text, `""`) + `"`
		case null.MatchString(text):
			written = `\` + text
		}
		if cell := rules.Read(written); cell.Presence != Given || cell.Text != text {
			t.Errorf("%s is written as %s and read as %+v", text, written, cell)
		}
	})
}

func TestCellRules(t *testing.T) {
	t.Parallel()
	given := func(text string) Cell { return Cell{Presence: Given, Text: text} }
	for name, test := range map[string]struct {
		options FileOptions
		text    string
		want    Cell
	}{
		"formula": {
			text: `="00123"`, want: Cell{Presence: Given, Text: "00123", Guarded: `="00123"`},
		},
		"formula with a quote": {
			text: `="a""b"`, want: Cell{Presence: Given, Text: `a"b`, Guarded: `="a""b"`},
		},
		"formula of nothing": {text: `=""`, want: Cell{Presence: Empty, Guarded: `=""`}},
		"formula of null": {
			text: `="\N"`, want: Cell{Presence: Nothing, Guarded: `="\N"`},
		},
		"another formula": {text: `="a"&"b"`, want: given(`="a"&"b"`)},
		"half a formula":  {text: `="a`, want: given(`="a`)},
		"apostrophe, number": {
			text: `'00123`, want: Cell{Presence: Given, Text: "00123", Guarded: `'00123`},
		},
		"apostrophe, formula": {
			text: `'=A1`, want: Cell{Presence: Given, Text: "=A1", Guarded: `'=A1`},
		},
		"text that is no null":  {text: `\\N`, want: given(`\N`)},
		"text of three":         {text: `\\\N`, want: given(`\\N`)},
		"text of an N and more": {text: `\\NN`, want: given(`\\NN`)},
		"one guard alone": {
			text: `'="1"`, want: Cell{Presence: Given, Text: `="1"`, Guarded: `'="1"`},
		},
		"apostrophe of a name": {text: `'t Hooft`, want: given(`'t Hooft`)},
		"between apostrophes":  {text: `'123'`, want: given(`'123'`)},
		"an apostrophe":        {text: `'`, want: given(`'`)},
		"two apostrophes":      {text: `''1`, want: given(`''1`)},
		"guard, said to be none": {
			options: FileOptions{IsSpreadsheetSafe: new(false)}, text: `="00123"`,
			want: given(`="00123"`),
		},
		"guard, said to be one": {
			options: FileOptions{IsSpreadsheetSafe: new(true)}, text: `="00123"`,
			want: given(`00123`),
		},
		"apostrophe, said to be one": {
			options: FileOptions{IsSpreadsheetSafe: new(true)}, text: `''1`, want: given(`'1`),
		},
		"apostrophe, said, of a name": {
			options: FileOptions{IsSpreadsheetSafe: new(true)}, text: `'t`, want: given(`'t`),
		},
		"a value": {text: "a", want: given("a")},
		"empty":   {text: "", want: Cell{Presence: Empty}},
		"blanks":  {text: " \t", want: Cell{Presence: Empty, Text: " \t"}},
		"invisible": {
			text: "\u200B\uFEFF", want: Cell{Presence: Empty, Text: "\u200B\uFEFF"},
		},
		"null of SQL":  {text: `\N`, want: Cell{Presence: Nothing}},
		"newline of C": {text: `\n`, want: given(`\n`)},
		"NULL":         {text: "NULL", want: given("NULL")},
		"NULL, named": {
			options: FileOptions{Nothing: []string{"NULL", "-"}}, text: "NULL",
			want: Cell{Presence: Nothing},
		},
		"hyphen, named": {
			options: FileOptions{Nothing: []string{"NULL", " - "}}, text: "-",
			want: Cell{Presence: Nothing},
		},
		"other case": {
			options: FileOptions{Nothing: []string{"NULL"}}, text: "Null", want: given("Null"),
		},
		"null of SQL, others are named": {
			options: FileOptions{Nothing: []string{"NULL"}}, text: `\N`, want: given(`\N`),
		},
		"null of SQL, nothing is named": {
			options: FileOptions{Nothing: []string{}}, text: `\N`, want: given(`\N`),
		},
		"empty, named": {
			options: FileOptions{Nothing: []string{""}}, text: "", want: Cell{Presence: Nothing},
		},
		"blanks, empty is named": {
			options: FileOptions{Nothing: []string{""}}, text: " ", want: Cell{Presence: Nothing},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := NewCellRules(&test.options, FormatCSV)
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
		"NULL": WarningPlaceholder, "null": WarningPlaceholder, "N/A": WarningPlaceholder,
		"-": WarningPlaceholder, "–": WarningPlaceholder,
		"#NV": WarningPlaceholder, "#DIV/0!": WarningPlaceholder, "NaN": WarningPlaceholder,
		"None": WarningPlaceholder, "(null)": WarningPlaceholder,
		"6.9E+12": WarningScientific, "4,91712E+11": WarningScientific, "1E+05": WarningScientific,
		"4.99E+01": "", "12E5": "", "7E-3": "", "1E+": "",
		"Nullmeyer": "", "Anna": "", "-1": "", "Nico": "", "#1": "", "Ünal": "", "": "",
	} {
		if got, _ := (Cell{Presence: Given, Text: text}).Odd(); text != "" && got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for _, cell := range []Cell{{}, {Presence: Empty}, {Presence: Null}, {Presence: Nothing}, {
		Presence: Given, Text: "-", IsNumber: true,
	}} {
		if got, _ := cell.Odd(); got != "" {
			t.Errorf("%+v: got %q", cell, got)
		}
	}
}

func TestParseFlag(t *testing.T) {
	t.Parallel()
	for want, texts := range map[bool][]string{
		true: {
			"1", "true", "T", "yes", "Y", "on", "1.0", "-1", "ja", "J", "wahr", "oui", "VRAI", "sí",
			"SI\u0301", "sì", "sim", "verdadeiro", "verdadero",
			"vero", "waar", "tak", "prawda", "evet", "DOĞRU", " Ja\u00A0",
		},
		false: {
			"0", "false", "F", "no", "N", "off", "0.0", "nein", "FALSCH", "non", "faux", "falso",
			"não", "nee", "onwaar", "nie", "fałsz", "FAŁSZ",
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
