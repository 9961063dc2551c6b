package db

import (
	"context"
	"errors"
	"slices"

	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// maxAttempts is how often a use case decides beside the writer before it does so in its turn, where nobody can come in
// between.
const maxAttempts = 3

// decideBeside runs a long use case that decides by where codes stand, as beside does. What others do to codes meanwhile is
// noted by a witness, for finish to take into account, which returns errRival when it cannot: then the use case begins again,
// and in the end in the writer's turn, where both run with a witness that saw nothing.
func (s *Store) decideBeside(ctx context.Context, do func(*tx, *memory.Witness) error, finish func(context.Context, *turn, *memory.Witness) error) error {
	for range maxAttempts {
		if err := s.decideOnce(ctx, do, finish); !isRival(err) {
			return err
		}
	}
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		w := s.memory.Alone()
		if err := do(t.tx, w); err != nil {
			return err
		}
		return finish(ctx, t, w)
	})
}

func (s *Store) decideOnce(
	ctx context.Context, do func(*tx, *memory.Witness) error, finish func(context.Context, *turn, *memory.Witness) error,
) error {
	var w *memory.Witness
	var stop func()
	// In the writer's turn no redemption has its number and is not on disk.
	err := s.update(ctx, func(context.Context, *turn) error {
		w, stop = s.memory.Watch()
		return nil
	})
	if stop != nil {
		defer stop()
	}
	if err != nil {
		return err
	}
	return s.beside(ctx, s.additions, func(_ context.Context, t *tx) error { return do(t, w) },
		func(ctx context.Context, t *turn) error {
			err := finish(ctx, t, w)
			// What changes from here on is the use case's own: noting a million codes takes longer than the rest of the commit.
			stop()
			return err
		})
}

// isRival reports whether others changed what a use case relied on, or may have.
func isRival(err error) bool {
	return errors.Is(err, errRival) || errors.Is(err, memory.ErrBlind) || duckdb.IsConflict(err)
}

// isIn reports whether a number is one of those, which are in order.
func isIn(numbers []int64) func(number int64) bool {
	return func(number int64) bool {
		_, found := slices.BinarySearch(numbers, number)
		return found
	}
}
