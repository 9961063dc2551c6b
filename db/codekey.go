package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"couponql/coupon"
	"couponql/db/duckdb"
)

const (
	// codeRule is the setting that says by which rule the keys of codes were made.
	codeRule = "code_rule"
	// maxRekeyed is how many codes are looked at by one statement, and about how many get another key in one
	// transaction.
	maxRekeyed = 500_000
)

// collidedNotice tells of codes that the rule would make one.
const collidedNotice = "%d codes differ in what nobody sees or types alone: each is found as it is written, and by no other spelling. " +
	"The check codes_alike of integrityReport, and couponql doctor, name them."

// rekeying makes the keys of codes anew and spools those that another rule gives another key: is_coupon,
// number, key, narrow key, value.
type rekeying struct {
	keys coupon.CodeKeys
	rows *duckdb.Spool
}

// scan takes a row of coupon_unplain or code_unplain.
func (r *rekeying) scan(rows *sql.Rows, isCoupon bool) error {
	var id int64
	var stored, value string
	if err := rows.Scan(&id, &stored, &value); err != nil {
		return err
	}
	key, narrow := r.keys.Key(value), r.keys.Narrow(value)
	if stored == key && key == narrow {
		return nil
	}
	return r.rows.Text(strconv.FormatBool(isCoupon)).Number(id).Text(key).Text(narrow).Text(value).End()
}

// scanCodes takes the codes whose numbers lie between two.
func (r *rekeying) scanCodes(ctx context.Context, q duckdb.Querier, first, last int64) error {
	return duckdb.Each(ctx, q, codeUnplain, func(rows *sql.Rows) error { return r.scan(rows, false) }, named("first", first), named("last", last))
}

// codePart is codes between two numbers, of which so many may get another key.
type codePart struct {
	first, last int64
	changes     int
}

// rekey makes the keys of codes anew that were made by another rule, or whose collision is over.
func (s *Store) rekey(ctx context.Context) error {
	rule, err := setting(ctx, s.engine, codeRule)
	if err != nil {
		return err
	}
	over, err := duckdb.One[int](ctx, s.engine, collisionOver)
	if err != nil || rule == coupon.CodeRule && over == 0 {
		return err
	}
	if err := s.rekeyInParts(ctx, maxRekeyed); err != nil {
		return fmt.Errorf("compare codes by the rule of this version: %w", err)
	}
	return s.replaceSetting(ctx, codeRule, rule, coupon.CodeRule)
}

// rekeyInParts finds the codes that the rule would make one, all of them, and then changes keys, about so many in one
// transaction. Codes of a collision keep what told them apart. Both follow from the values alone, so a start that
// is cut off does it again.
func (s *Store) rekeyInParts(ctx context.Context, limit int) error {
	parts, err := s.recordCollisions(ctx, limit)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err := s.rekeyPart(ctx, part, limit); err != nil {
			return err
		}
		s.progress(fmt.Sprintf("made the keys of codes anew up to number %d", part.last))
	}
	return nil
}

// recordCollisions finds collisions, and gives coupons' own codes their keys. It gives the parts that have codes which
// may get another key.
func (s *Store) recordCollisions(ctx context.Context, limit int) (parts []codePart, err error) {
	next, err := nextOf(ctx, s.engine)
	if err != nil {
		return nil, err
	}
	r := &rekeying{keys: s.keys}
	if r.rows, err = s.engine.NewSpool(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.rows.Remove()) }()
	collided := 0
	err = s.engine.Transact(ctx, func(t *duckdb.Tx) error {
		if parts, err = r.scanAll(ctx, t, next.Code-1, limit); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, collisionClear); err != nil || r.rows.Rows() == 0 {
			return err
		}
		// A key takes about as much as the value that it is of.
		if err := s.engine.CheckDisk(s.reserve); err != nil {
			return err
		}
		path, err := r.rows.Flush()
		if err != nil {
			return err
		}
		if collided, err = t.Exec(ctx, collisionRecord, named("path", path)); err != nil {
			return err
		}
		_, err = t.Exec(ctx, couponRekey, named("path", path))
		return err
	})
	if err == nil && r.rows.Rows() > 0 {
		s.progress(fmt.Sprintf("found %d codes whose key is not that of an earlier rule", r.rows.Rows()))
	}
	if err == nil && collided > 0 {
		s.addNotice(fmt.Sprintf(collidedNotice, collided))
	}
	return parts, err
}

// scanAll takes the coupons, and the codes up to a number.
func (r *rekeying) scanAll(ctx context.Context, q duckdb.Querier, end int64, limit int) (parts []codePart, err error) {
	if err := duckdb.Each(ctx, q, couponUnplain, func(rows *sql.Rows) error { return r.scan(rows, true) }); err != nil {
		return nil, err
	}
	for first := int64(1); first <= end; first += int64(limit) {
		before, last := r.rows.Rows(), min(end, first+int64(limit)-1)
		if err := r.scanCodes(ctx, q, first, last); err != nil {
			return nil, err
		}
		changes := r.rows.Rows() - before
		switch current := len(parts) - 1; {
		case changes == 0:
		case current < 0 || parts[current].changes+changes > limit:
			parts = append(parts, codePart{first, last, changes})
		default:
			parts[current].last = last
			parts[current].changes += changes
		}
	}
	return parts, nil
}

// rekeyPart returns the codes of a part their keys.
func (s *Store) rekeyPart(ctx context.Context, part codePart, limit int) (err error) {
	r := &rekeying{keys: s.keys}
	if r.rows, err = s.engine.NewSpool(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.rows.Remove()) }()
	return s.engine.Transact(ctx, func(t *duckdb.Tx) error {
		for first := part.first; first <= part.last; first += int64(limit) {
			if err := r.scanCodes(ctx, t, first, min(part.last, first+int64(limit)-1)); err != nil {
				return err
			}
		}
		path, err := r.rows.Flush()
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, codeRekey, named("path", path), named("first", part.first), named("last", part.last))
		return err
	})
}

// loadCollisions has the codes of collisions be compared by their narrow keys.
func (s *Store) loadCollisions(ctx context.Context) error {
	collisions := map[string][]string{}
	err := duckdb.Each(ctx, s.engine, collisionList, func(rows *sql.Rows) error {
		var key, narrow string
		err := rows.Scan(&key, &narrow)
		collisions[key] = append(collisions[key], narrow)
		return err
	})
	s.keys = s.keys.WithCollisions(collisions)
	return err
}
