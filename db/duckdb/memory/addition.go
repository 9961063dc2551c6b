package memory

import (
	"fmt"
	"sync"

	"couponql/coupon"
)

// MaxCodeNumber is the largest number that a code can have.
const MaxCodeNumber = maxCodeNumber

// Addition is new codes with consecutive numbers on their way into memory, which look-ups do not
// find before Change.Add.
type Addition struct {
	memory      *Memory
	first, last int64
	prints      []keyPrint
	keys        keyBatch
	count       int
}

// NewAddition begins an addition of the codes with these numbers.
func (m *Memory) NewAddition(first, last int64) *Addition {
	return &Addition{memory: m, first: first, last: last, prints: make([]keyPrint, last-first+1)}
}

// Put notes the key of one of the codes.
func (a *Addition) Put(number int64, key string, isRespelled bool) {
	hash, bits := a.memory.keys.hash(key)
	a.prints[number-a.first] = newPrint(bits, isRespelled)
	a.keys.add(hash, number)
	a.count++
}

// Index puts the keys into the index that were noted since it was called last. A look-up that finds
// one is confirmed by no run yet.
func (a *Addition) Index() {
	m := a.memory
	m.keys.insertBatch(&a.keys, func(int) { m.mu.Lock() }, func(int) { m.mu.Unlock() })
}

// Check returns an error when there is not a key for each code.
func (a *Addition) Check() error {
	if a.count != len(a.prints) {
		return fmt.Errorf("add codes: %d keys were read back instead of %d", a.count, len(a.prints))
	}
	return nil
}

// Forget takes the keys out of the index again.
func (a *Addition) Forget() {
	m := a.memory
	m.keys.removeFunc(func(number int64) bool { return number >= a.first && number <= a.last },
		m.mu.Lock, m.mu.Unlock)
}

// Add takes over the codes of an addition, which lie in these runs.
func (c Change) Add(a *Addition, runs []*Run) {
	c.codes.reach(a.last)
	for i, one := range a.prints {
		c.codes.setPrint(a.first+int64(i), one)
	}
	for _, r := range runs {
		c.addRun(r)
	}
}

// Loader fills a memory that nobody asks yet.
type Loader struct {
	Change

	memory *Memory
	locks  [keyShards]sync.Mutex
}

// Load calls fill, which fills the memory from the rows.
func (m *Memory) Load(fill func(*Loader) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fill(&Loader{Change: m.change(), memory: m})
}

// SetNumbers says which numbers come next. All redemptions below are on disk.
func (l *Loader) SetNumbers(next Numbers) {
	l.next = next
	l.memory.recorded.add(1, next.Redemption-1)
}

// NextCode returns the number that the next code gets.
func (l *Loader) NextCode() int64 { return l.next.Code }

// AddRun takes over a run in which so many codes are there. Where some are missing, all are gone
// until Insert is told of their keys.
func (l *Loader) AddRun(r *Run, count int64) {
	l.addRun(r)
	gaps := r.Last - r.First + 1 - count
	if gaps <= 0 {
		return
	}
	l.coupons[r.CouponID].labels[r.Label].counts.Total -= int(gaps)
	for number := r.First; number <= r.Last; number++ {
		l.codes.setState(number, coupon.StateGone)
	}
}

// Reserve makes room for so many keys.
func (l *Loader) Reserve(count int) {
	unshared := func() {}
	l.keys.reserve(count, unshared, unshared)
}

// KeyBatch is keys on their way into the index. Each goroutine that loads has one of its own.
type KeyBatch struct {
	loader *Loader
	keys   keyBatch
}

// NewBatch returns an empty batch.
func (l *Loader) NewBatch() *KeyBatch { return &KeyBatch{loader: l} }

// Put notes the key of a code, which lies in a run.
func (b *KeyBatch) Put(number int64, key string, isRespelled bool) {
	l := b.loader
	hash, bits := l.keys.hash(key)
	b.keys.add(hash, number)
	l.codes.setPrint(number, newPrint(bits, isRespelled))
	l.codes.setState(number, 0)
}

// Insert puts the keys of a batch into the index and empties it. Goroutines may do so at the same
// time.
func (b *KeyBatch) Insert() {
	l := b.loader
	l.keys.insertBatch(&b.keys, func(shard int) { l.locks[shard].Lock() },
		func(shard int) { l.locks[shard].Unlock() })
}
