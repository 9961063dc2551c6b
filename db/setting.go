package db

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"

	"couponql/db/duckdb"
)

// setting returns the value of a setting, "" when it is not set.
func setting(ctx context.Context, q duckdb.Querier, name string) (string, error) {
	stored, err := duckdb.Collect(ctx, q, settingGet, duckdb.ScanInto[string], named("name", name))
	if err != nil || len(stored) == 0 {
		return "", err
	}
	return stored[0], nil
}

// replaceSetting records a setting, of which stored is the value so far, "" when it is not set.
func (s *Store) replaceSetting(ctx context.Context, name, stored, value string) error {
	statement := settingSet
	if stored == "" {
		statement = settingInsert
	}
	return s.engine.Exec(ctx, statement, named("name", name), named("value", value))
}

// linkKeyName is the setting that has the key that links are signed with.
const linkKeyName = "link_key"

// linkKeyBytes is the size of the key that links are signed with.
const linkKeyBytes = 32

// LinkKey returns the secret key of this database that links to its files are signed with: 256 random bits, made
// when it is first asked for. It must never be logged or answered.
func (s *Store) LinkKey(ctx context.Context) ([]byte, error) {
	stored, err := setting(ctx, s.engine, linkKeyName)
	if err != nil {
		return nil, err
	}
	if stored == "" {
		if stored, err = s.makeLinkKey(ctx, linkKeyName); err != nil {
			return nil, err
		}
	}
	key, err := hex.DecodeString(stored)
	if err != nil || len(key) != linkKeyBytes {
		// The cause would repeat parts of the key.
		return nil, errors.New("the key for links in the table setting is damaged; delete that row and start again: links that were given out then end")
	}
	return key, nil
}

func (s *Store) makeLinkKey(ctx context.Context, name string) (stored string, err error) {
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		t.reserve = min(t.reserve, minFreeDiskForOutcome) // A server starts, to be read from, when the disk is nearly full.
		if stored, err = setting(ctx, t, name); err != nil || stored != "" {
			return err
		}
		key := make([]byte, linkKeyBytes)
		if _, err := rand.Read(key); err != nil {
			return err
		}
		stored = hex.EncodeToString(key)
		_, err := t.Exec(ctx, settingInsert, named("name", name), named("value", stored))
		return err
	})
	return stored, err
}
