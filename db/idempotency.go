package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"couponql/coupon"
	"couponql/db/duckdb"
)

type onceKey struct{}

// WithOnce returns a context of a use case that makes something once, however often it is asked for with the same key. What it made is
// kept in the same transaction: both are on disk, or neither.
func WithOnce(ctx context.Context, once *coupon.Once) context.Context {
	return context.WithValue(ctx, onceKey{}, once)
}

func onceOf(ctx context.Context) *coupon.Once {
	once, _ := ctx.Value(onceKey{}).(*coupon.Once)
	return once
}

// repeated ends a use case whose key made something before.
type repeated struct {
	object coupon.ID
	detail string
}

func (r *repeated) Error() string {
	return fmt.Sprintf("the idempotency key has made %s before", r.object)
}

// repeatOf returns what a key made before, when that is why a use case ended; nil otherwise.
func repeatOf(err error) *repeated {
	before, _ := errors.AsType[*repeated](err)
	return before
}

// tell reads what else was answered.
func (r *repeated) tell(into any) error {
	if err := json.Unmarshal([]byte(r.detail), into); err != nil {
		return fmt.Errorf("decode what was answered with %s: %w", r.object, err)
	}
	return nil
}

// once is called before anything is made. It returns a repeated for a key that made the same before, ALREADY_EXISTS for one that made
// something else, and INVALID.
func (t *turn) once(ctx context.Context) error {
	once := onceOf(ctx)
	if once == nil {
		return nil
	}
	if err := once.Check(); err != nil {
		return err
	}
	action, digest, before, err := t.store.madeBy(ctx, t.latest, once)
	if err != nil || action == "" {
		return err
	}
	if err := once.CheckRepeat(action, digest); err != nil {
		return err
	}
	return before
}

// made keeps what the key of the context made, and what else was answered; nil: nothing else.
func (t *turn) made(ctx context.Context, object coupon.ID, detail any) error {
	once := onceOf(ctx)
	if once == nil {
		return nil
	}
	var text any
	if detail != nil {
		encoded, err := json.Marshal(detail)
		if err != nil {
			return fmt.Errorf("encode what is answered with %s: %w", object, err)
		}
		text = string(encoded)
	}
	// A transaction that began beside the writer deletes nothing that others may have deleted since.
	if t.latest == duckdb.Querier(t.tx) {
		if _, err := t.Exec(ctx, idempotencyForget, named("since", t.store.Passed().Add(-coupon.IdempotencyLifetime))); err != nil {
			return err
		}
	}
	_, err := t.Exec(ctx, idempotencyInsert, named("caller", once.Caller), named("key", once.Key), named("action", once.Action),
		named("digest", once.Digest), named("object", string(object)), named("detail", text), named("now", t.now))
	return err
}

// there returns what a key made before. It returns NOT_FOUND when that was deleted since.
func there[T any](found map[coupon.ID]*T, before *repeated, err error) (*T, error) {
	if err == nil && found[before.object] == nil {
		err = coupon.Gone(before.object)
	}
	return found[before.object], err
}

// BatchOfKey returns the batch that the idempotency key of a context made; nil when it made none. It is there when its codes are not
// any more.
func (s *Store) BatchOfKey(ctx context.Context) (*coupon.CodeBatch, error) {
	once := onceOf(ctx)
	if once == nil {
		return nil, nil //nolint:nilnil // there is no key, and so no batch of one
	}
	_, _, before, err := s.madeBy(ctx, s.engine, once)
	if err != nil || before.object.Kind() != coupon.KindBatch {
		return nil, err
	}
	found, err := s.CodeBatchesByID(ctx, []coupon.ID{before.object})
	return there(found, before, err)
}

// madeBy returns what a key was used for and what it made; nothing when it was not used.
func (s *Store) madeBy(ctx context.Context, q duckdb.Querier, once *coupon.Once) (action, digest string, before *repeated, err error) {
	before = &repeated{}
	err = duckdb.Each(ctx, q, idempotencyGet, func(rows *sql.Rows) error {
		return rows.Scan(&action, &digest, &before.object, &before.detail)
	}, named("caller", once.Caller), named("key", once.Key), named("since", s.Passed().Add(-coupon.IdempotencyLifetime)))
	return action, digest, before, err
}
