package memory

import (
	"hash/maphash"
	"time"

	"couponql/coupon"
)

const (
	// AnswerLifetime is how long an idempotency key counts, at least.
	AnswerLifetime = coupon.IdempotencyLifetime
	// answersAge is how long keys are put into the same generation: what is forgotten is forgotten by generations.
	answersAge = 6 * time.Hour
)

// answers finds the redemption that a recent idempotency key recorded. A key takes some 30 bytes of memory: it is kept
// as a hash of 64 bits, whose seed nobody knows.
type answers struct {
	seed maphash.Seed
	// generations are in the order in which they began.
	generations []*answerGeneration
}

type answerGeneration struct {
	began   time.Time
	numbers map[uint64]int64
}

func newAnswers() *answers { return &answers{seed: maphash.MakeSeed()} }

// find gives the number of the redemption that a key recorded, or 0.
func (a *answers) find(key string) int64 {
	hash := maphash.String(a.seed, key)
	for _, g := range a.generations {
		if number, found := g.numbers[hash]; found {
			return number
		}
	}
	return 0
}

// add takes a key, and forgets those that do not count any more. now is by a clock that nobody sets.
func (a *answers) add(key string, number int64, now time.Time) {
	last := len(a.generations) - 1
	if last < 0 || now.Sub(a.generations[last].began) >= answersAge {
		for len(a.generations) > 0 && now.Sub(a.generations[0].began) >= AnswerLifetime+answersAge {
			a.generations = a.generations[1:]
		}
		a.generations = append(a.generations, &answerGeneration{began: now, numbers: map[uint64]int64{}})
		last = len(a.generations) - 1
	}
	a.generations[last].numbers[maphash.String(a.seed, key)] = number
}

// remove forgets a key that was just added.
func (a *answers) remove(key string) {
	hash := maphash.String(a.seed, key)
	for _, g := range a.generations {
		delete(g.numbers, hash)
	}
}
