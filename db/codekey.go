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
	// maxRekeyed is how many numbers of codes are looked at in one transaction at a start.
	maxRekeyed = 500_000
)

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

// rekey makes the keys of codes anew that were made by another rule. Codes that the rule would make one keep
// what told them apart, as collisions. It finds the collisions first, all of them, and then changes keys, part
// by part: both follow from the values alone, so a start that is cut off does it again.
func (s *Store) rekey(ctx context.Context) error {
	rule, err := setting(ctx, s.engine, codeRule)
	if err != nil {
		return err
	}
	over, err := duckdb.One[int](ctx, s.engine, collisionOver)
	if err != nil || rule == coupon.CodeRule && over == 0 {
		return err
	}
	next, err := nextOf(ctx, s.engine)
	if err != nil {
		return err
	}
	changes, err := s.recordCollisions(ctx, next.Code)
	if err != nil {
		return fmt.Errorf("find codes that are compared otherwise: %w", err)
	}
	for first := int64(1); changes > 0 && first < next.Code; first += maxRekeyed {
		if err := s.rekeyFrom(ctx, first); err != nil {
			return fmt.Errorf("compare codes by the rule of this version: %w", err)
		}
		s.progress(fmt.Sprintf("made the keys of codes anew up to number %d of %d", min(first+maxRekeyed, next.Code)-1, next.Code-1))
	}
	if rule == "" {
		return s.engine.Exec(ctx, settingInsert, named("name", codeRule), named("value", coupon.CodeRule))
	}
	return s.engine.Exec(ctx, settingSet, named("name", codeRule), named("value", coupon.CodeRule))
}

// recordCollisions finds the codes that would be one, and gives coupons' own codes their keys. It gives how
// many codes may get another key.
func (s *Store) recordCollisions(ctx context.Context, next int64) (changes int, err error) {
	r := &rekeying{keys: s.keys}
	if r.rows, err = s.engine.NewSpool(); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.rows.Remove()) }()
	err = s.engine.Transact(ctx, func(t *duckdb.Tx) error {
		if err := duckdb.Each(ctx, t, couponUnplain, func(rows *sql.Rows) error { return r.scan(rows, true) }); err != nil {
			return err
		}
		for first := int64(1); first < next; first += maxRekeyed {
			if err := r.scanCodes(ctx, t, first, first+maxRekeyed-1); err != nil {
				return err
			}
		}
		if _, err := t.Exec(ctx, collisionClear); err != nil || r.rows.Rows() == 0 {
			return err
		}
		// A key takes no more than the value that it is of, give or take.
		if err := s.engine.CheckDisk(s.reserve); err != nil {
			return err
		}
		path, err := r.rows.Flush()
		if err != nil {
			return err
		}
		for _, statement := range []string{collisionRecord, couponRekey} {
			if _, err := t.Exec(ctx, statement, named("path", path)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && r.rows.Rows() > 0 {
		s.progress(fmt.Sprintf("found %d codes that are compared by another key than before", r.rows.Rows()))
	}
	return r.rows.Rows(), err
}

// rekeyFrom gives the codes from a number on their keys.
func (s *Store) rekeyFrom(ctx context.Context, first int64) (err error) {
	r := &rekeying{keys: s.keys}
	if r.rows, err = s.engine.NewSpool(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.rows.Remove()) }()
	return s.engine.Transact(ctx, func(t *duckdb.Tx) error {
		last := first + maxRekeyed - 1
		if err := r.scanCodes(ctx, t, first, last); err != nil || r.rows.Rows() == 0 {
			return err
		}
		path, err := r.rows.Flush()
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, codeRekey, named("path", path), named("first", first), named("last", last))
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
