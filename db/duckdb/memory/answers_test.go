package memory

import (
	"fmt"
	"testing"
	"time"
)

// TestAnswersAreForgotten tells that a key counts for AnswerLifetime at least, and that memory is
// given back after.
func TestAnswersAreForgotten(t *testing.T) {
	t.Parallel()
	a := newAnswers()
	begin := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	const step = 10 * time.Minute
	for i := range int64(600) {
		now := begin.Add(time.Duration(i) * step)
		a.add(answerKey{"key_1", fmt.Sprint(i)}, i+1, now)
		for j := range i + 1 {
			age := time.Duration(i-j) * step
			found := a.find(answerKey{"key_1", fmt.Sprint(j)})
			if found != j+1 && age <= AnswerLifetime {
				t.Fatalf("a key of %s ago gives %d", age, found)
			}
			if found != 0 && age > AnswerLifetime+2*answersAge {
				t.Fatalf("a key of %s ago is still there", age)
			}
		}
	}
	last, before := answerKey{"key_1", "599"}, answerKey{"key_1", "598"}
	a.remove(last)
	if a.find(last) != 0 || a.find(before) != 599 {
		t.Errorf("removing one key gives %d and %d", a.find(last), a.find(before))
	}
	if found := a.find(answerKey{"key_2", "598"}); found != 0 {
		t.Errorf("another caller is told of %d", found)
	}
}
