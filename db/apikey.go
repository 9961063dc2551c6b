package db

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// usedInterval is how precisely the last use of a key is kept.
const usedInterval = time.Minute

// apiKeys has all keys in memory, by their numbers: every request asks for one.
type apiKeys struct {
	mu   sync.RWMutex
	keys map[int64]*coupon.APIKey
	// used has the keys whose last use is not written yet.
	used map[int64]struct{}
}

// loadKeys reads the keys.
func (s *Store) loadKeys(ctx context.Context) error {
	s.keyring.keys, s.keyring.used = map[int64]*coupon.APIKey{}, map[int64]struct{}{}
	err := duckdb.Each(ctx, s.engine, apiKeyGet, func(rows *sql.Rows) error {
		var number int64
		var digest string
		k := &coupon.APIKey{}
		err := rows.Scan(&number, &k.Label, &k.Role, &k.RequestsPerSecond, &digest, &k.CreatedAt, &k.ExpiresAt, &k.LastUsedAt, &k.RevokedAt)
		if err != nil {
			return err
		}
		k.ID = coupon.NewID(coupon.KindAPIKey, number)
		if read, err := hex.Decode(k.Digest[:], []byte(digest)); err != nil || read != len(k.Digest) {
			return fmt.Errorf("the digest of %s is damaged", k.ID)
		}
		s.keyring.keys[number] = k
		return nil
	})
	return err
}

// HasKeys reports whether a key was ever created, whether or not it still works.
func (s *Store) HasKeys() bool {
	s.keyring.mu.RLock()
	defer s.keyring.mu.RUnlock()
	return len(s.keyring.keys) > 0
}

// CreateKey creates a key of this label, role, limit and end, and gives it with its token, which nobody can ever ask for
// again. It returns INVALID.
func (s *Store) CreateKey(ctx context.Context, asked *coupon.NewAPIKey) (created *coupon.APIKey, token string, err error) {
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		// All keys are made here, one after the other.
		made, err := asked.Key(t.now, !s.HasKeys())
		if err != nil {
			return err
		}
		if s.keyring.working(t.now) >= coupon.MaxKeys {
			return coupon.Errorf(coupon.ErrorInvalid, "There are %d keys already, the most there may be. Revoke those that nobody uses.", coupon.MaxKeys)
		}
		number, err := t.nextNumber(ctx, numberOfKeys)
		if err != nil {
			return err
		}
		token = coupon.NewToken(number)
		made.ID, made.CreatedAt, made.Digest = coupon.NewID(coupon.KindAPIKey, number), t.now, coupon.DigestOf(token)
		created = made
		t.onCommit(func() { s.keyring.set(number, made) })
		_, err = t.Exec(ctx, apiKeyInsert, named("id", number), named("label", made.Label), named("role", string(made.Role)),
			named("requests_per_second", optional(made.RequestsPerSecond)), named("digest", hex.EncodeToString(made.Digest[:])), named("now", t.now),
			named("expires_at", optional(made.ExpiresAt)))
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return created, token, nil
}

func (r *apiKeys) set(number int64, k *coupon.APIKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys[number] = k
}

// working counts the keys that work at an instant.
func (r *apiKeys) working(now time.Time) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	count := 0
	for _, k := range r.keys {
		if k.Works(now) {
			count++
		}
	}
	return count
}

// RevokeKey ends a key at once and for good. Repeating it is harmless. It returns NOT_FOUND.
func (s *Store) RevokeKey(ctx context.Context, id coupon.ID) (*coupon.APIKey, error) {
	number, err := id.Number(coupon.KindAPIKey)
	if err != nil {
		return nil, at(err, "input", "id")
	}
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		known := s.key(number)
		if known == nil {
			return coupon.NotFound(coupon.KindAPIKey, id).At("input", "id")
		}
		if known.RevokedAt != nil {
			return nil
		}
		revoked := *known
		revoked.RevokedAt = &t.now
		t.onCommit(func() { s.keyring.set(number, &revoked) })
		_, err := t.Exec(ctx, apiKeyRevoke, named("id", number), named("now", t.now))
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.key(number), nil
}

// key returns a key as it is, nil when there is none.
func (s *Store) key(number int64) *coupon.APIKey {
	s.keyring.mu.RLock()
	defer s.keyring.mu.RUnlock()
	return s.keyring.keys[number]
}

// APIKeys returns a page of the keys that were ever created, newest first.
func (s *Store) APIKeys(page coupon.Page) *coupon.List[*coupon.APIKey] {
	s.keyring.mu.RLock()
	defer s.keyring.mu.RUnlock()
	list := &coupon.List[*coupon.APIKey]{Total: len(s.keyring.keys)}
	numbers := slices.Sorted(maps.Keys(s.keyring.keys))
	slices.Reverse(numbers)
	for _, number := range numbers {
		if page.After != nil && number >= page.After.Number {
			continue
		}
		if list.HasNext = len(list.Items) == page.First; list.HasNext {
			break
		}
		list.Items, list.Cursors = append(list.Items, s.keyring.keys[number]), append(list.Cursors, coupon.Cursor{Number: number})
	}
	return list
}

// FindKey returns the key that a token is of, nil when it is of none that works now, and notes that it was used.
func (s *Store) FindKey(token string) *coupon.APIKey {
	number, isToken := coupon.TokenNumber(token)
	if !isToken {
		return nil
	}
	known := s.key(number)
	if known == nil {
		// As long as for one that is known.
		coupon.KeyDigest{}.Matches(token)
		return nil
	}
	now := s.now()
	if !known.Digest.Matches(token) || !known.Works(now) {
		return nil
	}
	if known.LastUsedAt == nil || now.Sub(*known.LastUsedAt).Abs() >= usedInterval {
		s.noteUse(number, now)
	}
	return known
}

// KeyWorks reports whether a key still lets its holder in.
func (s *Store) KeyWorks(id coupon.ID) bool {
	number, err := id.Number(coupon.KindAPIKey)
	if err != nil {
		return false
	}
	k := s.key(number)
	return k != nil && k.Works(s.now())
}

// noteUse notes that a key is used, and has that written in a while, with other keys.
//
//nolint:contextcheck // it is written after the request
func (s *Store) noteUse(number int64, now time.Time) {
	r := &s.keyring
	r.mu.Lock()
	defer r.mu.Unlock()
	used := *r.keys[number]
	minute := now.Truncate(usedInterval)
	used.LastUsedAt = &minute
	r.keys[number] = &used
	if len(r.used) == 0 {
		// A use that is lost with a crash is the loss of a minute's precision.
		s.later(usedInterval, func() error {
			_ = s.writeUses(context.Background())
			return nil
		})
	}
	r.used[number] = struct{}{}
}

// writeUses writes when keys were used last.
func (s *Store) writeUses(ctx context.Context) error {
	r := &s.keyring
	r.mu.Lock()
	var numbers, times []int64
	for number := range r.used {
		numbers, times = append(numbers, number), append(times, r.keys[number].LastUsedAt.UnixMicro())
	}
	clear(r.used)
	r.mu.Unlock()
	if len(numbers) == 0 {
		return nil
	}
	return s.conclude(ctx, func(ctx context.Context, t *turn) error {
		t.reserve = min(t.reserve, minFreeDiskForOutcome)
		_, err := t.Exec(ctx, apiKeyUsed, named("ids", numbers), named("times", times))
		return err
	})
}

// LabelOfCaller returns what people call the caller of an entry in the audit log; nil for one that is no key.
func (s *Store) LabelOfCaller(caller string) *string {
	number, err := coupon.ID(caller).Number(coupon.KindAPIKey)
	if err != nil {
		return nil
	}
	if k := s.key(number); k != nil {
		return &k.Label
	}
	return nil
}
