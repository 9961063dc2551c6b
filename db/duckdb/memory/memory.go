package memory

import (
	"iter"
	"math"
	"slices"
	"sync"
	"time"

	"couponql/coupon"
)

// Memory is what the server keeps in memory of all codes. Its methods are safe for concurrent use,
// and take the lock.
type Memory struct {
	mu sync.RWMutex
	state

	// recorded tells in which order redemptions came to the disk. It has a lock of its own.
	recorded recordedNumbers
}

// View reads while the lock is held. It is of no use afterwards.
type View struct{ *state }

// Change is a View that changes things too, while the lock is held by nobody else.
type Change struct{ View }

// state is all that the lock guards.
type state struct {
	keys *keyIndex
	// codes has where each code stands.
	codes codeTable
	// deliveries has the deliveries that were confirmed.
	deliveries map[int64]Confirmed
	// repeats holds how often a code is redeemed, where that is more than once.
	repeats map[int64]int
	// runs lists the runs of numbers by their first.
	runs    []*Run
	coupons map[int64]*couponCodes
	// couponKeys finds a coupon by the key of its own code.
	couponKeys map[string]int64
	holds      map[int64]*Hold
	answers    *answers
	next       Numbers
	// witnesses are told what happens to codes.
	witnesses []*Witness
	// last is the run of the code that was changed last: those that change together lie together.
	last struct {
		run   *Run
		codes *labelCodes
	}
	// added counts the runs that were added since the start.
	added     int
	revisions revisions
	// recent is what was read recently.
	recent *recent
}

// Confirmed is what is kept of a delivery that was confirmed.
type Confirmed struct {
	Channel coupon.Channel
	At      time.Time
}

// couponCodes is what is kept of one coupon.
type couponCodes struct {
	coupon *coupon.Coupon
	// key is that of the coupon's own code.
	key    string
	labels map[string]*labelCodes
	// redeemed counts the live redemptions of an anonymous coupon's own code.
	redeemed int
}

// MaxHolder is the largest number of a delivery that can give codes away.
const MaxHolder = int64(math.MaxUint32)

// New returns an empty memory.
func New() (*Memory, error) {
	recent, err := newRecent()
	if err != nil {
		return nil, err
	}
	return &Memory{state: state{
		keys:       newKeyIndex(),
		deliveries: map[int64]Confirmed{},
		repeats:    map[int64]int{},
		coupons:    map[int64]*couponCodes{},
		couponKeys: map[string]int64{},
		holds:      map[int64]*Hold{},
		answers:    newAnswers(),
		revisions:  revisions{at: map[Topic]int64{}},
		next:       Numbers{Batch: 1, Code: 1, Recipient: 1, Message: 1, Redemption: 1},
		recent:     recent,
	}}, nil
}

// Read calls ask with a view of one instant. ask must not call the Memory, whose lock is held.
func (m *Memory) Read(ask func(View)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	ask(View{&m.state})
}

// answer asks one question.
func answer[T any](m *Memory, ask func(View) T) T {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return ask(View{&m.state})
}

// Commit calls commit and then change, in one step for readers: nobody sees the rows of a
// transaction with the memory of before it. It returns the error of commit, of which nothing is
// taken over.
func (m *Memory) Commit(commit func() error, change func(Change)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := commit(); err != nil {
		return err
	}
	change(m.change())
	return nil
}

func (m *Memory) change() Change { return Change{View{&m.state}} }

// Size counts the codes.
func (m *Memory) Size() int { return answer(m, func(v View) int { return v.keys.count() }) }

// Coupon returns a coupon as it was committed last, which the caller must not change, or nil.
func (m *Memory) Coupon(number int64) *coupon.Coupon {
	return answer(m, func(v View) *coupon.Coupon { return v.Coupon(number) })
}

// Coupon is Memory.Coupon.
func (v View) Coupon(number int64) *coupon.Coupon {
	if known := v.coupons[number]; known != nil {
		return known.coupon
	}
	return nil
}

// Coupons returns all coupons by number, in no order. The caller must not change them.
func (v View) Coupons() iter.Seq2[int64, *coupon.Coupon] {
	return func(yield func(int64, *coupon.Coupon) bool) {
		for number, known := range v.coupons {
			if !yield(number, known.coupon) {
				return
			}
		}
	}
}

// CouponOfKey returns the number of the coupon whose own code has this key.
func (v View) CouponOfKey(key string) (number int64, isThere bool) {
	number, isThere = v.couponKeys[key]
	return number, isThere
}

// CouponKeys returns the keys of the coupons' own codes, in no order.
func (v View) CouponKeys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range v.couponKeys {
			if !yield(key) {
				return
			}
		}
	}
}

// HasPool reports whether a coupon has a pool of codes.
func (m *Memory) HasPool(number int64) bool {
	known := m.Coupon(number)
	return known != nil && known.Type == coupon.TypeIndividual
}

// HasRepeats reports whether there are individual coupons whose codes can be redeemed more than
// once.
func (m *Memory) HasRepeats() bool {
	return answer(m, func(v View) bool {
		for _, known := range v.Coupons() {
			if limit := known.RedemptionLimit; known.Type == coupon.TypeIndividual &&
				(limit == nil || *limit != 1) {
				return true
			}
		}
		return false
	})
}

// SetCoupon takes over a coupon as it now is, with the key of its own code.
func (c Change) SetCoupon(number int64, key string, now *coupon.Coupon) {
	known := c.coupons[number]
	if known == nil {
		known = &couponCodes{labels: map[string]*labelCodes{}}
		c.coupons[number] = known
	}
	delete(c.couponKeys, known.key)
	c.couponKeys[key] = number
	known.key, known.coupon = key, now
}

// RemoveCoupon forgets a coupon and its codes. Their keys stay in the index until ForgetKeys.
func (c Change) RemoveCoupon(number int64) {
	var codes []Span
	for _, r := range c.runs {
		if r.CouponID == number {
			codes = append(codes,
				Span{First: r.First, Count: int(r.Last - r.First + 1), Label: r.Label})
		}
	}
	c.RemoveCodes(codes)
	c.last.run = nil
	delete(c.couponKeys, c.coupons[number].key)
	delete(c.coupons, number)
}

// Confirm takes over that a delivery was confirmed.
func (c Change) Confirm(delivery int64, how Confirmed) { c.deliveries[delivery] = how }

// Topic is a thing whose changes are counted: an id, or what stands for many things together.
type Topic string

const (
	// AllRecipients stands for the recipients together.
	AllRecipients Topic = "recipients"
	// Quarantine stands for the addresses in quarantine together.
	Quarantine Topic = "quarantine"
	// AllReleases stands for the codes together that somebody took back from people who may have
	// them.
	AllReleases Topic = "releases"
	// AllReversals stands for the reversals of redemptions together.
	AllReversals Topic = "reversals"
	// AllDeliveries stands for the rows of the deliveries together.
	AllDeliveries Topic = "deliveries"
)

// revisions counts changes, and knows the last one of each topic.
type revisions struct {
	last int64
	at   map[Topic]int64
}

// Touch records that something changed.
func (c Change) Touch(topic Topic) {
	c.revisions.last++
	c.revisions.at[topic] = c.revisions.last
	c.recent.forget(topic)
}

// Revision returns the number of the last change.
func (m *Memory) Revision() int64 {
	return answer(m, func(v View) int64 { return v.revisions.last })
}

// IsTouched reports whether one of the topics was changed after a revision.
func (m *Memory) IsTouched(since int64, topics ...Topic) bool {
	return answer(m, func(v View) bool { return v.isTouched(since, topics...) })
}

func (v View) isTouched(since int64, topics ...Topic) bool {
	return slices.ContainsFunc(topics,
		func(topic Topic) bool { return v.revisions.at[topic] > since })
}
