package resolvers

import (
	"context"
	"sync"

	"couponql/access"
	"couponql/coupon"
)

// What is in flight at once: operations that run or whose answers have not left, and the memory of what they were asked and answer.
// What exceeds it is refused, and nothing of it is done.
const (
	// MaxOperations is how many operations there are of all callers, and MaxOperationsOfOne how many of one with a key. Subscriptions
	// have limits of their own.
	MaxOperations      = 4096
	MaxOperationsOfOne = 1024
	// MaxBytes is how much memory they take of all callers, and MaxBytesOfOne of one with a key.
	MaxBytes      = 512 << 20
	MaxBytesOfOne = 128 << 20
	// bytesOfUnit is what a unit of complexity takes while it is answered, and copiesOfAnswer how often an answer is in memory on its way.
	bytesOfUnit    = 128
	copiesOfAnswer = 4
	// bytesOfValue is what a value in JSON takes once it is read, and copiesOfBody how often a body is in memory meanwhile.
	bytesOfValue = 64
	copiesOfBody = 2
)

// budget counts what is in flight, by caller and in all.
type budget struct {
	mu      sync.Mutex
	all     usage
	callers map[string]*usage
}

// usage is what is in flight.
type usage struct {
	operations int
	bytes      int64
}

// hold is a part of a budget.
type hold struct {
	budget *budget
	// caller is "" for those who may have all.
	caller string
	held   usage
}

// hold returns a part of the budget with nothing in it.
func (b *budget) hold(caller *coupon.Caller) *hold {
	h := &hold{budget: b}
	if caller != nil && caller.Name != coupon.LocalCaller {
		h.caller = caller.Name
	}
	return h
}

// take adds to what is held, unless that is more than there is.
func (h *hold) take(operations int, bytes int64) bool {
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	all, own := h.budget.all, usage{}
	if known := h.budget.callers[h.caller]; known != nil {
		own = *known
	}
	if all.operations+operations > MaxOperations || all.bytes+bytes > MaxBytes {
		return false
	}
	if h.caller != "" && (own.operations+operations > MaxOperationsOfOne || own.bytes+bytes > MaxBytesOfOne) {
		return false
	}
	h.change(operations, bytes)
	return true
}

// resize has the bytes be what they turned out to be.
func (h *hold) resize(bytes int64) {
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	h.change(0, bytes-h.held.bytes)
}

// release gives everything back; it may be called again.
func (h *hold) release() {
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	h.change(-h.held.operations, -h.held.bytes)
}

func (h *hold) change(operations int, bytes int64) {
	change := func(u *usage) {
		u.operations += operations
		u.bytes += bytes
	}
	change(&h.held)
	change(&h.budget.all)
	if h.caller == "" {
		return
	}
	own := h.budget.callers[h.caller]
	if own == nil {
		own = &usage{}
		if h.budget.callers == nil {
			h.budget.callers = map[string]*usage{}
		}
		h.budget.callers[h.caller] = own
	}
	if change(own); *own == (usage{}) {
		delete(h.budget.callers, h.caller)
	}
}

type budgetKey struct{}

// withHold returns a context that carries what the body of a request holds.
func withHold(ctx context.Context, h *hold) context.Context {
	return context.WithValue(ctx, budgetKey{}, h)
}

// holdBytes adds bytes to what the body of a request holds; false when that is more than there is.
func holdBytes(ctx context.Context, bytes int64) bool {
	h, isHeld := ctx.Value(budgetKey{}).(*hold)
	return !isHeld || h.take(0, bytes)
}

// of returns a part of the budget, with nothing in it yet, to the caller of a context.
func (b *budget) of(ctx context.Context) *hold { return b.hold(access.CallerOf(ctx)) }
