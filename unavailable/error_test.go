package unavailable

import "testing"

// TestUnavailableSentences: an edge that knows what remains of a request says so between what
// happened and what to do.
func TestUnavailableSentences(t *testing.T) {
	t.Parallel()
	err := &Error{Cause: "no room", Reason: "The shelf is full", Advice: "Clear it."}
	for remains, want := range map[string]string{
		"":                      "The shelf is full. Clear it.",
		"nothing was put there": "The shelf is full, so nothing was put there. Clear it.",
	} {
		if got := err.Sentences(remains); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
