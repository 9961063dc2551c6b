package db

import (
	"context"
	"errors"
	"slices"

	"couponql/coupon"
)

const (
	// maxWitnessed is how many changes of codes a witness notes; when there are more, its use case begins again.
	maxWitnessed = 1 << 20
	// maxAttempts is how often a use case decides beside the writer before it does so in its turn, where nobody can come in
	// between.
	maxAttempts = 3
)

// witness notes what others do to codes while a use case decides beside the writer by where they stand. In the writer's turn,
// before the commit, the use case judges these codes again, and no others.
type witness struct {
	// isWatching: others may come in between. A use case in the writer's turn is alone.
	isWatching bool
	// revision is that of the last change of anything else when the witness began.
	revision int64
	// redemption is the number of the first redemption that was not on disk when the witness began.
	redemption int64
	// redeemed are the codes that were redeemed, whose redemptions were reversed, or that were sent, and changed those to which
	// anything else happened: in no order, and as often as it happened. coupons are those whose own code was redeemed.
	redeemed, changed []int64
	coupons           map[int64]struct{}
	// isBlind: more happened than is noted.
	isBlind bool
}

// decideBeside runs a long use case that decides by where codes stand, as beside does. What others do to codes meanwhile is
// noted by a witness, for finish to take into account, which returns errRival when it cannot: then the use case begins again,
// and in the end in the writer's turn, where both run with a witness that saw nothing.
func (s *Store) decideBeside(ctx context.Context, do func(*tx, *witness) error, finish func(context.Context, *turn, *witness) error) error {
	for range maxAttempts {
		if err := s.decideOnce(ctx, do, finish); !errors.Is(err, errRival) && !isConflict(err) {
			return err
		}
	}
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		w := s.pool.newWitness()
		if err := do(t.tx, w); err != nil {
			return err
		}
		return finish(ctx, t, w)
	})
}

func (s *Store) decideOnce(ctx context.Context, do func(*tx, *witness) error, finish func(context.Context, *turn, *witness) error) error {
	p := s.pool
	var w *witness
	// In the writer's turn no redemption has its number and is not on disk.
	err := s.update(ctx, func(context.Context, *turn) error {
		w = p.newWitness()
		w.isWatching = true
		p.mu.Lock()
		defer p.mu.Unlock()
		p.witnesses = append(p.witnesses, w)
		return nil
	})
	if err != nil {
		return err
	}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.witnesses = slices.DeleteFunc(p.witnesses, func(other *witness) bool { return other == w })
	}()
	return s.beside(ctx, s.additions, func(_ context.Context, t *tx) error { return do(t, w) },
		func(ctx context.Context, t *turn) error { return finish(ctx, t, w) })
}

func (p *pool) newWitness() *witness {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return &witness{revision: p.revisions.last, redemption: p.next.redemption, coupons: map[int64]struct{}{}}
}

// note tells those who watch that a code is about to stand elsewhere. The lock is held.
func (p *pool) note(number int64, state coupon.CodeState) {
	for _, w := range p.witnesses {
		switch isOther := (p.codes.state(number)^state)&^(coupon.StateRedeemed|coupon.StateSent) != 0; {
		case len(w.redeemed)+len(w.changed) == maxWitnessed:
			w.isBlind = true
		case isOther:
			w.changed = append(w.changed, number)
		default:
			w.redeemed = append(w.redeemed, number)
		}
	}
}

// noteCoupon tells those who watch that the own code of a coupon is redeemed once more or less. The lock is held.
func (p *pool) noteCoupon(number int64) {
	for _, w := range p.witnesses {
		w.coupons[number] = struct{}{}
	}
}

// happened gives those of the codes to which anything happened, each once and in order. It returns errRival when not all was
// noted.
func (w *witness) happened(isWanted func(number int64) bool) ([]int64, error) {
	if w.isBlind {
		return nil, errRival
	}
	return among(isWanted, w.redeemed, w.changed), nil
}

// among gives those of the numbers that are wanted, each once and in order.
func among(isWanted func(number int64) bool, lists ...[]int64) []int64 {
	var wanted []int64
	for _, list := range lists {
		for _, number := range list {
			if isWanted(number) {
				wanted = append(wanted, number)
			}
		}
	}
	slices.Sort(wanted)
	return slices.Compact(wanted)
}

// isIn tells whether a number is one of those, which are in order.
func isIn(numbers []int64) func(number int64) bool {
	return func(number int64) bool {
		_, found := slices.BinarySearch(numbers, number)
		return found
	}
}
