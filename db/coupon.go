package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// CreateCoupon makes a coupon. It returns INVALID for what breaks a coupon's rules and
// ALREADY_EXISTS when a coupon or a code has the code that was given.
func (s *Store) CreateCoupon(ctx context.Context, changes *coupon.CouponChanges) (
	*coupon.Coupon, error,
) {
	var created *coupon.Coupon
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.once(ctx); err != nil {
			return err
		}
		number, err := t.nextNumber(ctx, numberOfCoupons)
		if err != nil {
			return err
		}
		c := coupon.NewCoupon(changes.Type, s.options.Timezone, t.now)
		c.ID = coupon.NewID(coupon.KindCoupon, number)
		if err := t.applyCoupon(c, changes); err != nil {
			return err
		}
		if c.Code == "" {
			c.Code = t.store.automaticCode(number)
		}
		created = c
		if err := t.writeCoupon(ctx, couponInsert, number, c); err != nil {
			return err
		}
		return t.made(ctx, c.ID, nil)
	})
	if before := repeatOf(err); before != nil {
		found, err := s.CouponsByID(ctx, []coupon.ID{before.object})
		return there(found, before, err)
	}
	return created, err
}

// UpdateCoupon changes a coupon. Beside what CreateCoupon returns, NOT_FOUND, and INVALID_STATE for
// the code of an anonymous coupon that was handed out already and for a redemption limit below what
// a code reached.
func (s *Store) UpdateCoupon(ctx context.Context, id coupon.ID, changes *coupon.CouponChanges) (
	*coupon.Coupon, error,
) {
	var updated *coupon.Coupon
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		number, c, err := t.coupon(ctx, id)
		if err != nil {
			return err
		}
		changes.Type = c.Type
		oldCode := c.Code
		if err := t.applyCoupon(c, changes); err != nil {
			return err
		}
		if c.Code != oldCode && c.Type == coupon.TypeAnonymous {
			_, isUsed, err := t.couponReferences(ctx, number)
			if err != nil {
				return err
			}
			if isUsed {
				return coupon.Errorf(coupon.ErrorInvalidState,
					"The code %q of the coupon %q was handed out already and can change no more.", oldCode, c.Label).
					At("input", "code")
			}
		}
		if most := s.memory.MostRedeemed(number); c.RedemptionLimit != nil &&
			most > *c.RedemptionLimit {
			return coupon.Errorf(coupon.ErrorInvalidState,
				"A code of the coupon %q was redeemed %d times already, so the limit cannot be %d.", c.Label, most, *c.RedemptionLimit).
				At("input", "redemptionLimit")
		}
		updated = c
		return t.writeCoupon(ctx, couponUpdate, number, c)
	})
	return updated, err
}

// ArchiveCoupon takes a coupon out of use: no new codes, no new deliveries; codes that were handed
// out stay redeemable. Repeating it is harmless. It returns NOT_FOUND.
func (s *Store) ArchiveCoupon(ctx context.Context, id coupon.ID) (*coupon.Coupon, error) {
	var archived *coupon.Coupon
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		number, c, err := t.coupon(ctx, id)
		if err != nil {
			return err
		}
		archived = c
		if c.ArchivedAt != nil {
			return nil
		}
		c.ArchivedAt, c.Status = &t.now, coupon.CouponArchived
		return t.writeCoupon(ctx, couponUpdate, number, c)
	})
	return archived, err
}

// UnarchiveCoupon takes an archived coupon back into use. Repeating it is harmless. It returns
// NOT_FOUND.
func (s *Store) UnarchiveCoupon(ctx context.Context, id coupon.ID) (*coupon.Coupon, error) {
	var unarchived *coupon.Coupon
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		number, c, err := t.coupon(ctx, id)
		if err != nil {
			return err
		}
		unarchived = c
		if c.ArchivedAt == nil {
			return nil
		}
		c.ArchivedAt, c.UpdatedAt = nil, t.now
		c.Status = c.StatusAt(t.now)
		return t.writeCoupon(ctx, couponUpdate, number, c)
	})
	return unarchived, err
}

// DeleteCoupon deletes a coupon with its codes, while none of them was ever given away. It returns
// NOT_FOUND, and INVALID_STATE when codes were given away or redeemed or a delivery uses the
// coupon.
func (s *Store) DeleteCoupon(ctx context.Context, id coupon.ID) error {
	leave, err := s.removals.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		number, c, err := t.coupon(ctx, id)
		if err != nil {
			return err
		}
		deliveries, isUsed, err := t.couponReferences(ctx, number)
		switch {
		case err != nil:
			return err
		case isUsed:
			return coupon.Errorf(coupon.ErrorInvalidState, "Codes of the coupon %q were given away or redeemed, so it cannot be deleted. Archive it instead.", c.Label).
				At("input", "id")
		case deliveries > 0:
			return coupon.Errorf(coupon.ErrorInvalidState, "Deliveries use the coupon %q (%d). Delete them or choose another coupon for them first.", c.Label, deliveries).
				At("input", "id")
		}
		for _, statement := range []string{
			couponDeleteVoids, couponDeleteRestores, couponDeleteCodes, couponDelete,
		} {
			if _, err := t.Exec(ctx, statement, named("id", number)); err != nil {
				return err
			}
		}
		t.change(func(c memory.Change) { c.RemoveCoupon(number) })
		return nil
	})
	if err == nil {
		s.memory.ForgetKeys()
	}
	return err
}

// applyCoupon changes a coupon and checks its code, which must be unlike every other in the
// database.
func (t *turn) applyCoupon(c *coupon.Coupon, changes *coupon.CouponChanges) error {
	var problems coupon.UserErrors
	if err := c.Apply(changes); err != nil && !errors.As(err, &problems) {
		return err
	}
	if changes.Code.IsSet && changes.Code.Value != nil {
		value, key, reason := t.store.keys.Parse(*changes.Code.Value)
		switch {
		case reason == coupon.RejectedAmbiguousCode:
			problems = append(problems, coupon.Errorf(coupon.ErrorAlreadyExists, "%s",
				reason.Message()).At("input", "code"))
		case reason != "":
			problems = append(problems,
				coupon.Errorf(coupon.ErrorInvalid, "%s", reason.Message()).At("input", "code"))
		default:
			owner := t.store.ownerOf(key)
			// A coupon may spell its own code anew; that a code of its pool has it is no excuse.
			if owner != "" && key != t.store.keys.Key(c.Code) {
				problems = append(problems, coupon.Errorf(coupon.ErrorAlreadyExists,
					"The code %q exists already (%s).", value, owner).At("input", "code"))
			}
			c.Code = value
		}
	}
	c.UpdatedAt = t.now
	c.Status = c.StatusAt(t.now)
	return problems.OrNil()
}

// ownerOf returns the coupon whose own code, or one of whose codes, has this key; "" when none has.
func (s *Store) ownerOf(key string) coupon.ID {
	var owner coupon.ID
	s.memory.Read(func(v memory.View) {
		number, isCoupon := v.CouponOfKey(key)
		if code, _ := v.Find(key); !isCoupon && code != 0 {
			number = v.RunOf(code).CouponID
		}
		if number != 0 {
			owner = coupon.NewID(coupon.KindCoupon, number)
		}
	})
	return owner
}

// automaticCode returns CPN and the coupon's number, or the next number that is free.
func (s *Store) automaticCode(number int64) string {
	for ; ; number++ {
		code := fmt.Sprintf("%s%d", coupon.AutomaticCodePrefix, number)
		if s.ownerOf(s.keys.Key(code)) == "" {
			return code
		}
	}
}

// NextCouponCode returns the code that the next coupon gets when it is given none. Nothing is kept.
func (s *Store) NextCouponCode(ctx context.Context) (string, error) {
	given, err := duckdb.One[int64](ctx, s.engine, numberGiven,
		named("kind", string(numberOfCoupons)))
	if err != nil {
		return "", err
	}
	return s.automaticCode(given + 1), nil
}

func (t *turn) writeCoupon(
	ctx context.Context, statement string, number int64, c *coupon.Coupon,
) error {
	key := t.store.keys.Key(c.Code)
	args := []any{
		named("id", number), named("label", c.Label), named("code", c.Code), named("code_key", key),
		named("starts_at", c.StartsAt), named("ends_at", c.EndsAt),
		named("redemption_limit", c.RedemptionLimit),
		named("requires_assignment", c.RequiresAssignment),
		named("low_stock_threshold", c.LowStockThreshold),
		named("low_stock_share", c.LowStockShare),
		named("timezone", c.Timezone), named("metadata", string(c.Metadata)),
		named("archived_at", c.ArchivedAt), named("updated_at", c.UpdatedAt),
	}
	if statement == couponInsert {
		args = append(args, named("type", string(c.Type)), named("created_at", c.CreatedAt))
	}
	if _, err := t.Exec(ctx, statement, args...); err != nil {
		return err
	}
	kept := *c
	// A delivery that waits may be over now.
	t.onCommit(t.store.watchers.notifyDue)
	t.touch(memory.Topic(coupon.NewID(coupon.KindCoupon, number)))
	t.change(func(c memory.Change) { c.SetCoupon(number, key, &kept) })
	return nil
}

// coupon returns a copy of a coupon to change, or NOT_FOUND.
func (t *turn) coupon(_ context.Context, id coupon.ID) (int64, *coupon.Coupon, error) {
	number, err := id.Number(coupon.KindCoupon)
	if err != nil {
		return 0, nil, at(err, "input", "id")
	}
	known := t.store.memory.Coupon(number)
	if known == nil {
		return 0, nil, coupon.NotFound(coupon.KindCoupon, id).At("input", "id")
	}
	c := *known
	c.Status = c.StatusAt(t.now)
	return number, &c, nil
}

func (t *turn) couponReferences(ctx context.Context, number int64) (
	deliveries int, isUsed bool, err error,
) {
	err = duckdb.Each(ctx, t, couponReferences, func(rows *sql.Rows) error {
		return rows.Scan(&deliveries, &isUsed)
	}, named("id", number))
	return deliveries, isUsed, err
}

// readCoupons reads coupons by number, or all for nil.
func (s *Store) readCoupons(ctx context.Context, q duckdb.Querier, numbers []int64) (
	[]*coupon.Coupon, error,
) {
	now := s.now()
	var ids any
	if numbers != nil {
		ids = numbers
	}
	return duckdb.Collect(ctx, q, couponGet, func(rows *sql.Rows) (*coupon.Coupon, error) {
		var (
			number        int64
			key, metadata string
			c             coupon.Coupon
		)
		err := rows.Scan(&number, &c.Label, &c.Code, &key, &c.Type, &c.StartsAt, &c.EndsAt,
			&c.RedemptionLimit, &c.RequiresAssignment,
			&c.LowStockThreshold, &c.LowStockShare, &c.Timezone, &metadata, &c.ArchivedAt,
			&c.CreatedAt, &c.UpdatedAt)
		c.ID, c.Metadata, c.Status = coupon.NewID(coupon.KindCoupon,
			number), coupon.JSON(metadata), c.StatusAt(now)
		return &c, err
	}, named("ids", ids))
}

// CouponsByID returns the coupons that exist of these. The pool keeps every coupon, so this runs no
// statement.
func (s *Store) CouponsByID(_ context.Context, ids []coupon.ID) (
	map[coupon.ID]*coupon.Coupon, error,
) {
	now := s.now()
	found := make(map[coupon.ID]*coupon.Coupon, len(ids))
	s.memory.Read(func(v memory.View) {
		for _, id := range ids {
			number, err := id.Number(coupon.KindCoupon)
			known := v.Coupon(number)
			if err != nil || known == nil {
				continue
			}
			c := *known
			c.Status = c.StatusAt(now)
			found[id] = &c
		}
	})
	return found, nil
}

// CouponByCode returns the coupon with this code, compared like all codes, or nil.
func (s *Store) CouponByCode(ctx context.Context, code string) (*coupon.Coupon, error) {
	_, key, _ := s.keys.Parse(code)
	var number int64
	var isThere bool
	s.memory.Read(func(v memory.View) { number, isThere = v.CouponOfKey(key) })
	if !isThere {
		return nil, nil //nolint:nilnil // "no such coupon" is an answer of this query, not an error
	}
	id := coupon.NewID(coupon.KindCoupon, number)
	coupons, err := s.CouponsByID(ctx, []coupon.ID{id})
	return coupons[id], err
}

// Coupons returns a page of coupons in an order.
func (s *Store) Coupons(
	_ context.Context, filter *coupon.CouponFilter, order coupon.CouponOrder, page coupon.Page,
) (*coupon.List[*coupon.Coupon], error) {
	matches, _ := s.matchingCoupons(filter)
	slices.SortFunc(matches, func(a, b *coupon.Coupon) int {
		return comparePlaces(order, couponPlace(order, a), couponPlace(order, b))
	})
	list := &coupon.List[*coupon.Coupon]{Total: len(matches)}
	for _, c := range matches {
		place := couponPlace(order, c)
		if page.After != nil && comparePlaces(order, place, *page.After) <= 0 {
			continue
		}
		if len(list.Items) == page.First {
			list.HasNext = true
			break
		}
		list.Items = append(list.Items, c)
		list.Cursors = append(list.Cursors, place)
	}
	return list, nil
}

// matchingCoupons returns the coupons that a filter leaves, in no order, with their numbers.
func (s *Store) matchingCoupons(filter *coupon.CouponFilter) (
	matches []*coupon.Coupon, numbers []int64,
) {
	now := s.now()
	matches = []*coupon.Coupon{}
	numbers = []int64{}
	s.memory.Read(func(v memory.View) {
		for number, known := range v.Coupons() {
			c := *known
			c.Status = c.StatusAt(now)
			if filter != nil && !matchesCoupon(filter, &c) {
				continue
			}
			matches = append(matches, &c)
			numbers = append(numbers, number)
		}
	})
	if filter == nil || filter.IsLow == nil {
		return matches, numbers
	}
	kept := 0
	for i, c := range matches {
		if s.memory.Availability(numbers[i], now).IsLow == *filter.IsLow {
			matches[kept], numbers[kept] = c, numbers[i]
			kept++
		}
	}
	return matches[:kept], numbers[:kept]
}

func matchesCoupon(filter *coupon.CouponFilter, c *coupon.Coupon) bool {
	if filter.Type != nil && c.Type != *filter.Type {
		return false
	}
	if len(filter.Status) > 0 && !slices.Contains(filter.Status, c.Status) {
		return false
	}
	if filter.Search != nil {
		search := strings.ToLower(strings.TrimSpace(*filter.Search))
		return strings.Contains(strings.ToLower(c.Label), search) ||
			!filter.IsMasked && strings.Contains(strings.ToLower(c.Code), search)
	}
	return true
}

// instantPlace writes instants so that their texts are in the order of time.
const instantPlace = "2006-01-02T15:04:05.000000"

// couponPlace is the place of a coupon in an order: what it is sorted by, then its number.
func couponPlace(order coupon.CouponOrder, c *coupon.Coupon) coupon.Cursor {
	place := coupon.Cursor{Number: coupon.MustNumber(coupon.KindCoupon, c.ID)}
	switch order {
	case coupon.OrderLabelAsc:
		place.Key = strings.ToLower(c.Label)
	case coupon.OrderEndsAtAsc:
		// Coupons without an end come last.
		place.Key = "~"
		if c.EndsAt != nil {
			place.Key = c.EndsAt.UTC().Format(instantPlace)
		}
	case coupon.OrderStartsAtAsc, coupon.OrderStartsAtDesc:
		place.Key = c.StartsAt.UTC().Format(instantPlace)
	case coupon.OrderCodeAsc:
		place.Key = strings.ToLower(c.Code)
	case coupon.OrderTypeAsc:
		place.Key = string(c.Type)
	case coupon.OrderCreatedAtAsc, coupon.OrderCreatedAtDesc:
		// Numbers are given in the order of creation.
	}
	return place
}

func comparePlaces(order coupon.CouponOrder, a, b coupon.Cursor) int {
	if order == coupon.OrderCreatedAtDesc || order == coupon.OrderStartsAtDesc {
		a, b = b, a
	}
	if byKey := strings.Compare(a.Key, b.Key); byKey != 0 {
		return byKey
	}
	return cmp.Compare(a.Number, b.Number)
}

// Availabilities tells where the codes of coupons stand now.
func (s *Store) Availabilities(_ context.Context, ids []coupon.ID) (
	map[coupon.ID]*coupon.Availability, error,
) {
	now := s.now()
	found := make(map[coupon.ID]*coupon.Availability, len(ids))
	for _, id := range ids {
		found[id] = s.memory.Availability(coupon.MustNumber(coupon.KindCoupon, id), now)
	}
	return found, nil
}
