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

// answers finds the redemption that a recent idempotency key recorded. A key takes some 30 bytes of memory: it is kept,
// with its caller, as a hash of 64 bits, whose seed nobody knows.
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

// answerKey is an idempotency key. Two callers may use the same one, and neither hears of the other.
type answerKey struct {
	// caller is "" for a redemption that tells nobody who recorded it: its key counts for everybody.
	caller, key string
}

// hash returns what is kept of a key.
func (a *answers) hash(of answerKey) uint64 {
	var h maphash.Hash
	h.SetSeed(a.seed)
	// No idempotency key has this byte.
	_, _ = h.WriteString(of.caller)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(of.key)
	return h.Sum64()
}

// find returns the number of the redemption that a key recorded, or 0.
func (a *answers) find(of answerKey) int64 {
	if number := a.get(a.hash(of)); number != 0 || of.caller == "" {
		return number
	}
	return a.get(a.hash(answerKey{key: of.key}))
}

func (a *answers) get(hash uint64) int64 {
	for _, g := range a.generations {
		if number, found := g.numbers[hash]; found {
			return number
		}
	}
	return 0
}

// add takes a key, and forgets those that do not count any more. now is by a clock that nobody sets.
func (a *answers) add(of answerKey, number int64, now time.Time) {
	last := len(a.generations) - 1
	if last < 0 || now.Sub(a.generations[last].began) >= answersAge {
		for len(a.generations) > 0 && now.Sub(a.generations[0].began) >= AnswerLifetime+answersAge {
			a.generations = a.generations[1:]
		}
		a.generations = append(a.generations, &answerGeneration{began: now, numbers: map[uint64]int64{}})
		last = len(a.generations) - 1
	}
	a.generations[last].numbers[a.hash(of)] = number
}

// remove forgets a key that was just added.
func (a *answers) remove(of answerKey) {
	hash := a.hash(of)
	for _, g := range a.generations {
		delete(g.numbers, hash)
	}
}
