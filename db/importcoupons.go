package db

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
	"couponql/file"
)

// Places of the fields in file.Columns.
const (
	couponsCode = iota
	couponsLabel
	couponsType
	couponsStartsAt
	couponsEndsAt
	couponsRedemptionLimit
	couponsRequiresAssignment
	couponsLowStockThreshold
	couponsLowStockShare
	couponsTimezone
	couponsMetadata
	couponsIsArchived
)

// couponRows are the coupons of a file on their way into the table.
type couponRows struct {
	rows     []*coupon.CouponRow
	bytes    int
	rejected rejectedSpool
}

// reject notes a row that is not imported.
func (c *couponRows) reject(line int, reason coupon.RejectionReason, value string) error {
	return c.rejected.add(line, reason, value)
}

func (c *couponRows) rejections() int { return c.rejected.Rows() }

func (c *couponRows) total() int { return len(c.rows) + c.rejected.Rows() }

func (c *couponRows) remove() error { return c.rejected.Remove() }

func (r *importReader) importingCoupons(gate gate) (*importing, error) {
	spools, err := r.store.engine.NewSpools(1)
	if err != nil {
		return nil, err
	}
	rows := &couponRows{rejected: rejectedSpool{spools[0]}}
	dates := &coupon.FileDates{Zone: time.UTC, Order: r.source.Options.DateOrder}
	return &importing{
		rows: rows,
		// A first pass tells in which order days and months stand.
		look: func(row *file.Row) bool {
			dates.Observe(row.Get(couponsStartsAt))
			dates.Observe(row.Get(couponsEndsAt))
			return false
		},
		take: func(row *file.Row) error { return takeCoupon(row, rows) },
		store: func(ctx context.Context, t *tx, _ *memory.Witness) error {
			if err := t.Create(ctx, rejectedCreate); err != nil || rows.rejected.Rows() == 0 {
				return err
			}
			path, err := rows.rejected.Flush()
			if err != nil {
				return err
			}
			_, err = t.Exec(ctx, rejectedLoad, named("path", path))
			return err
		},
		// All is decided in the writer's turn, by what is in memory: coupons are few.
		finish: func(ctx context.Context, t *turn, _ *memory.Witness) (int, error) {
			return t.importCoupons(ctx, r, rows, dates, gate)
		},
	}, nil
}

// takeCoupon notes a row, or rejects it for what it is by itself.
func takeCoupon(row *file.Row, rows *couponRows) error {
	c := &coupon.CouponRow{Line: row.Line, Code: row.Get(couponsCode)}
	size := len(c.Code)
	for place, into := range map[int]*coupon.Change[string]{
		couponsLabel: &c.Label, couponsType: &c.Type, couponsStartsAt: &c.StartsAt,
		couponsEndsAt:          &c.EndsAt,
		couponsRedemptionLimit: &c.RedemptionLimit, couponsLowStockThreshold: &c.LowStockThreshold,
		couponsLowStockShare: &c.LowStockShare,
		couponsTimezone:      &c.Timezone, couponsMetadata: &c.Metadata,
	} {
		*into = row.Cell(place).Change()
		if into.Value != nil {
			size += len(*into.Value)
		}
	}
	for _, flag := range []struct {
		place int
		into  *coupon.Change[bool]
	}{{couponsRequiresAssignment, &c.RequiresAssignment}, {couponsIsArchived, &c.IsArchived}} {
		cell := row.Cell(flag.place)
		change, isKnown := cell.Flag()
		if !isKnown {
			return rows.reject(row.Line, coupon.RejectedBadFlag, cell.Text)
		}
		if cell.Presence != coupon.Empty {
			*flag.into = change
		}
	}
	if len(rows.rows) == coupon.MaxImportedCoupons ||
		rows.bytes+size > coupon.MaxImportedCouponBytes {
		return coupon.Errorf(coupon.ErrorFileTooLarge, "A file may have %d coupons of %d bytes together. Nothing was imported; import it in parts.",
			coupon.MaxImportedCoupons, coupon.MaxImportedCouponBytes)
	}
	rows.rows, rows.bytes = append(rows.rows, c), rows.bytes+size
	return nil
}

// couponPlan is what an import makes of coupons.
type couponPlan struct {
	// added and changed have their numbers; those of the added ones are 0 until they are given out.
	added, changed []*plannedCoupon
	lines          []int64
	reasons        []string
	values         []string
}

type plannedCoupon struct {
	number int64
	key    string
	coupon *coupon.Coupon
}

func (p *couponPlan) reject(line int, reason coupon.RejectionReason, value string) {
	p.lines, p.reasons = append(p.lines, int64(line)), append(p.reasons, string(reason))
	p.values = append(p.values, coupon.Printable(value))
}

// importCoupons adds and changes the coupons of a file. It gives how many rows were, or would be,
// imported.
func (t *turn) importCoupons(
	ctx context.Context, r *importReader, rows *couponRows, dates *coupon.FileDates, gate gate,
) (imported int, err error) {
	plan := t.planCoupons(rows, dates)
	if len(plan.lines) > 0 {
		if _, err := t.Exec(ctx, rejectionInsert, named("import_id", r.number),
			named("lines", plan.lines), named("reasons", plan.reasons),
			named("values", plan.values)); err != nil {
			return 0, err
		}
	}
	imported = len(rows.rows) - len(plan.lines)
	r.source.Changes.Added, r.source.Changes.Changed = len(plan.added), len(plan.changed)
	if !gate.opens(rows.rejected.Rows() + len(plan.lines)) {
		return imported, nil
	}
	if len(plan.added) > 0 {
		last, err := t.giveNumbers(ctx, numberOfCoupons, len(plan.added))
		if err != nil {
			return 0, err
		}
		for i, c := range plan.added {
			c.number = last - int64(len(plan.added)-1-i)
			c.coupon.ID = coupon.NewID(coupon.KindCoupon, c.number)
		}
	}
	for statement, coupons := range map[string][]*plannedCoupon{
		couponInsertFile: plan.added, couponUpdateFile: plan.changed,
	} {
		if err := t.writeCoupons(ctx, statement, coupons); err != nil {
			return 0, err
		}
	}
	return imported, nil
}

// planCoupons decides about the rows, one after the other.
func (t *turn) planCoupons(rows *couponRows, dates *coupon.FileDates) *couponPlan {
	plan := &couponPlan{}
	seen := make(map[string]struct{}, len(rows.rows))
	for _, row := range rows.rows {
		value, key, reason := t.store.keys.Parse(row.Code)
		if reason != "" {
			plan.reject(row.Line, reason, row.Code)
			continue
		}
		if _, isDouble := seen[key]; isDouble {
			plan.reject(row.Line, coupon.RejectedDuplicateInFile, row.Code)
			continue
		}
		seen[key] = struct{}{}
		var number int64
		var known *coupon.Coupon
		t.store.memory.Read(func(v memory.View) {
			if found, isCoupon := v.CouponOfKey(key); isCoupon {
				number, known = found, v.Coupon(found)
			}
		})
		if known == nil && t.store.ownerOf(key) != "" {
			plan.reject(row.Line, coupon.RejectedExistsElsewhere, row.Code)
			continue
		}
		c, reason, bad := row.Apply(known, t.store.options.Timezone, dates, t.now)
		if reason != "" {
			plan.reject(row.Line, reason, bad)
			continue
		}
		switch {
		case known == nil:
			c.Code, c.UpdatedAt = value, t.now
			plan.added = append(plan.added, &plannedCoupon{0, key, c})
		case c.RedemptionLimit != nil && t.store.memory.MostRedeemed(number) > *c.RedemptionLimit:
			plan.reject(row.Line, coupon.RejectedCannotChange, strconv.Itoa(*c.RedemptionLimit))
		case !c.IsSame(known):
			c.UpdatedAt = t.now
			plan.changed = append(plan.changed, &plannedCoupon{number, key, c})
		}
	}
	return plan
}

// writeCoupons writes coupons by one statement, and hands them to memory.
func (t *turn) writeCoupons(ctx context.Context, statement string, coupons []*plannedCoupon) (
	err error,
) {
	if len(coupons) == 0 {
		return nil
	}
	rows, err := t.store.engine.NewSpool()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Remove()) }()
	for _, p := range coupons {
		c := p.coupon
		c.Status = c.StatusAt(t.now)
		rows.Number(p.number).Text(c.Label).Text(c.Code).Text(p.key).Text(string(c.Type)).Text(
			c.StartsAt.Format(spoolTime),
		)
		rows.Optional(spooledTime(c.EndsAt)).Optional(spooledNumber(c.RedemptionLimit)).Text(
			strconv.FormatBool(c.RequiresAssignment),
		)
		share := ""
		if c.LowStockShare != nil {
			share = strconv.FormatFloat(*c.LowStockShare, 'g', -1, 64)
		}
		rows.Optional(spooledNumber(c.LowStockThreshold)).Optional(share).Text(c.Timezone).Text(
			string(c.Metadata),
		)
		if err := rows.Optional(spooledTime(c.ArchivedAt)).Text(c.CreatedAt.Format(spoolTime)).
			Text(c.UpdatedAt.Format(spoolTime)).End(); err != nil {
			return err
		}
	}
	path, err := rows.Flush()
	if err != nil {
		return err
	}
	written, err := t.Exec(ctx, statement, named("path", path))
	if err != nil {
		return err
	}
	if written != len(coupons) {
		return fmt.Errorf("%s: %d instead of %d", duckdb.Title(statement), written, len(coupons))
	}
	for _, p := range coupons {
		t.touch(memory.Topic(p.coupon.ID))
	}
	// A delivery that waits may be over now.
	t.onCommit(t.store.watchers.notifyDue)
	t.change(func(c memory.Change) {
		for _, p := range coupons {
			c.SetCoupon(p.number, p.key, p.coupon)
		}
	})
	return nil
}

func spooledTime(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.Format(spoolTime)
}

func spooledNumber(number *int) string {
	if number == nil {
		return ""
	}
	return strconv.Itoa(*number)
}
