package coupon

import "testing"

// TestConsentOfOneColumn reads values in columns of each sense, for somebody of whom nothing else
// is said.
func TestConsentOfOneColumn(t *testing.T) {
	t.Parallel()
	given := func(text string) Cell { return Cell{Presence: Given, Text: text} }
	const yes, no, silent, nothing, refused = "yes", "no", "silent", "nothing", "refused"
	tests := []struct {
		sense ConsentSense
		want  string
		cells []Cell
	}{
		{ConsentSays, yes, []Cell{
			given("ja"), given("1"), given("SUBSCRIBED"), given("Opted in"), given("zapisany"),
			given("inscrit"),
		}},
		{ConsentSays, no, []Cell{
			given("nein"), given("0"), given("UNSUBSCRIBED"), given("NEVER_SUBSCRIBED"),
			given("cleaned"), given("désabonné"),
		}},
		{ConsentSays, silent, []Cell{{Presence: Empty}, {Presence: Null}, {Presence: Nothing}}},
		{ConsentSays, nothing, []Cell{{}}},
		{ConsentSays, refused, []Cell{
			given("perhaps"), given("2026-11-24"), given("2"), given("implied"),
		}},

		{OptOutSays, no, []Cell{
			given("yes"), given("TRUE"), given("-1"), given("x"), given("2026-11-24"),
			given("24.11.2026 10:15"), given("1764000000"),
			given("2026-11-24T10:15:00Z"), given("24.11.26"), given("45985.5"),
			given("Do Not Allow"), given("abgemeldet"), given("dado de baja"),
		}},
		{OptOutSays, nothing, []Cell{
			{},
			{Presence: Empty},
			{Presence: Null},
			{Presence: Nothing},
			given("no"), given("0"), given("false"), given("subscribed"), given("Allow"),
			given("0000-00-00 00:00:00"),
		}},
		{OptOutSays, refused, []Cell{given("perhaps"), given("2"), given("2026-13-45x")}},

		{ConsentHints, no, []Cell{
			given("no"), given("0"), given("f"), given("unsubscribed"), given("pending"),
			given("non-subscribed"),
		}},
		{ConsentHints, nothing, []Cell{
			given("yes"), given("1"), given("subscribed"), given("weekly"), given("2026-11-24"),
			{Presence: Empty},
		}},
		{ConsentMentions, no, []Cell{
			given("no"), given("false"), given("Nein"), given("unsubscribed"),
		}},
		{ConsentMentions, nothing, []Cell{
			given("0"), given("0.0"), given("f"), given("n"), given("yes"), given("gold"),
		}},
		{OptOutMentions, no, []Cell{
			given("yes"), given("1"), given("2026-11-24 10:15:00"), given("unsubscribed"),
		}},
		{OptOutMentions, nothing, []Cell{
			given("no"), given("too many mails"), given("161"), {Presence: Empty},
		}},
		{StatusHints, no, []Cell{
			given("unsubscribed"), given("Cleaned"), given("pending"), given("gesperrt"),
			given("Opted Out"),
		}},
		{StatusHints, nothing, []Cell{
			given("no"), given("0"), given("gold"), given("active"), given("subscribed"),
			given("inactive"),
			{Presence: Empty},
		}},
	}
	for _, test := range tests {
		for _, cell := range test.cells {
			var consent Consent
			_, isUnderstood := consent.Add(test.sense, cell)
			got := map[bool]string{true: nothing, false: refused}[isUnderstood]
			if change := consent.Change(); isUnderstood && change.IsSet {
				switch {
				case change.Value == nil:
					got = silent
				case *change.Value:
					got = yes
				default:
					got = no
				}
			}
			if got != test.want {
				t.Errorf("sense %d, %q (presence %d): got %s, want %s", test.sense, cell.Text,
					cell.Presence, got, test.want)
			}
			if isGuess := consent.Guess() != ""; isGuess != (got == no && !test.sense.IsSure()) {
				t.Errorf("sense %d, %q: got the guess %q", test.sense, cell.Text, consent.Guess())
			}
		}
	}
}

// TestConsentOfManyColumns tells that any no wins, in any order.
func TestConsentOfManyColumns(t *testing.T) {
	t.Parallel()
	type answer struct {
		sense ConsentSense
		text  string
	}
	for _, test := range []struct {
		answers []answer
		want    Change[bool]
		guess   string
	}{
		{answers: []answer{{ConsentSays, "yes"}, {OptOutSays, "no"}}, want: Set(new(true))},
		{answers: []answer{{ConsentSays, "yes"}, {OptOutSays, "yes"}}, want: Set(new(false))},
		{answers: []answer{{ConsentSays, "yes"}, {ConsentSays, "no"}}, want: Set(new(false))},
		{
			answers: []answer{{ConsentSays, "yes"}, {StatusHints, "pending"}},
			want:    Set(new(false)), guess: "pending",
		},
		{answers: []answer{{ConsentSays, "no"}, {StatusHints, "pending"}}, want: Set(new(false))},
		{
			answers: []answer{{ConsentSays, ""}, {OptOutSays, "no"}, {ConsentHints, "yes"}},
			want:    Set[bool](nil),
		},
		{answers: []answer{{OptOutSays, "no"}, {ConsentHints, "yes"}, {StatusHints, "subscribed"}}},
	} {
		for range 2 {
			var consent Consent
			for _, answer := range test.answers {
				presence := Given
				if answer.text == "" {
					presence = Empty
				}
				consent.Add(answer.sense, Cell{Presence: presence, Text: answer.text})
			}
			got := consent.Change()
			isSame := got.IsSet == test.want.IsSet &&
				(got.Value == nil) == (test.want.Value == nil) &&
				(got.Value == nil || *got.Value == *test.want.Value)
			if !isSame || consent.Guess() != test.guess {
				t.Errorf("%v: got %v and the guess %q", test.answers, got, consent.Guess())
			}
			first := test.answers[0]
			test.answers = append(test.answers[1:len(test.answers):len(test.answers)], first)
		}
	}
}
