package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"couponql/coupon"
)

// redeemable is a code, or the own code of an anonymous coupon, that a value names.
type redeemable struct {
	couponNumber int64
	// codeNumber is 0 for an anonymous coupon.
	codeNumber int64
	// value is as the caller spelled it; stored is as it was given when the code was added.
	value, stored string
}

// assignment is what a redemption carries of the message that holds the code.
type assignment struct {
	deliveryNumber *int64
	channel        *string
	label          *string
	assignedAt     *time.Time
}

// findRedeemable finds what a value names, or gives CODE_UNKNOWN.
func (s *Store) findRedeemable(ctx context.Context, value string) (*redeemable, error) {
	clean, key, reason := s.keys.Parse(value)
	unknown := coupon.Errorf(coupon.ErrorCodeUnknown, "There is no code %q.", printable(value)).At("input", "value")
	if reason != "" {
		return nil, unknown
	}
	s.pool.mu.RLock()
	couponNumber, isCoupon := s.pool.couponKeys[key]
	isAnonymous := isCoupon && s.pool.coupons[couponNumber].coupon.Type == coupon.TypeAnonymous
	stored := ""
	if isAnonymous {
		stored = s.pool.coupons[couponNumber].coupon.Code
	}
	s.pool.mu.RUnlock()
	if isAnonymous {
		return &redeemable{couponNumber: couponNumber, value: clean, stored: stored}, nil
	}
	code, err := s.findCode(ctx, s, key)
	if err != nil {
		return nil, err
	}
	if code.number == 0 {
		return nil, unknown
	}
	s.pool.mu.RLock()
	defer s.pool.mu.RUnlock()
	r := s.pool.runOf(code.number)
	if r == nil {
		// Its coupon was deleted since.
		return nil, unknown
	}
	return &redeemable{couponNumber: r.couponID, codeNumber: code.number, value: clean, stored: code.value}, nil
}

// check decides about a redemption from memory alone.
func (p *pool) check(r *redeemable, at time.Time) *coupon.UserError {
	p.mu.RLock()
	defer p.mu.RUnlock()
	known := p.coupons[r.couponNumber]
	if known == nil {
		return coupon.Errorf(coupon.ErrorCodeUnknown, "There is no code %q.", r.value)
	}
	facts := coupon.Redeemability{Value: r.value, Count: known.redeemed}
	if r.codeNumber != 0 {
		facts.State, facts.Count = p.state[r.codeNumber], p.redeemCount(r.codeNumber)
	}
	if facts.State.Has(coupon.StateGone) {
		return coupon.Errorf(coupon.ErrorCodeUnknown, "There is no code %q.", r.value)
	}
	return known.coupon.CheckRedemption(facts, at)
}

// ValidateCode tells whether a code may be redeemed now. It gives the code (nil for an anonymous coupon's
// own) and the coupon, where they exist, and the reason why not, or nil.
func (s *Store) ValidateCode(ctx context.Context, value string) (*coupon.Code, *coupon.Coupon, *coupon.UserError, error) {
	found, err := s.findRedeemable(ctx, value)
	if problem, ok := errors.AsType[*coupon.UserError](err); ok {
		return nil, nil, problem.At("value"), nil
	}
	if err != nil {
		return nil, nil, nil, err
	}
	id := coupon.NewID(coupon.KindCoupon, found.couponNumber)
	coupons, err := s.CouponsByID(ctx, []coupon.ID{id})
	if err != nil {
		return nil, nil, nil, err
	}
	codes, err := s.readCodes(ctx, nonZero(found.codeNumber))
	if err != nil {
		return nil, nil, nil, err
	}
	refusal := s.pool.check(found, s.now())
	if refusal != nil {
		refusal = refusal.At("value")
	}
	return codes[coupon.NewID(coupon.KindCode, found.codeNumber)], coupons[id], refusal, nil
}

func nonZero(number int64) []int64 {
	if number == 0 {
		return nil
	}
	return []int64{number}
}

// ZoneOf gives the time zone of the coupon whose code, or one of whose codes, has this value; UTC when
// there is none.
func (s *Store) ZoneOf(ctx context.Context, value string) (*time.Location, error) {
	found, err := s.findRedeemable(ctx, value)
	if _, isUnknown := errors.AsType[*coupon.UserError](err); isUnknown {
		return time.UTC, nil
	}
	if err != nil {
		return nil, err
	}
	return zoneOf(s, found.couponNumber), nil
}

// Redeem redeems a code, exactly once however often the same idempotency key asks. It returns INVALID,
// CODE_UNKNOWN and what coupon.CheckRedemption returns; ALREADY_EXISTS for an idempotency key that was
// used for another redemption.
func (s *Store) Redeem(ctx context.Context, request *coupon.RedeemRequest) (*coupon.Redemption, error) {
	if err := request.Check(s.now()); err != nil {
		return nil, err
	}
	found, err := s.findRedeemable(ctx, request.Value)
	if err != nil {
		return nil, err
	}
	var answered int64
	var redemption *coupon.Redemption
	err = s.join(ctx, func(_ context.Context, t *tx) error {
		answered = t.answer(request.IdempotencyKey)
		if answered != 0 {
			return nil
		}
		at := t.now
		if request.RedeemedAt != nil {
			at = request.RedeemedAt.UTC().Truncate(time.Microsecond)
		}
		if refusal := s.pool.check(found, at); refusal != nil {
			return refusal.At("input", "value")
		}
		redemption = t.redeem(found, request, at)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if answered == 0 {
		return redemption, nil
	}
	if err := s.checkAnswer(ctx, answered, found, request); err != nil {
		return nil, err
	}
	id := coupon.NewID(coupon.KindRedemption, answered)
	redemptions, err := s.RedemptionsByID(ctx, []coupon.ID{id})
	return redemptions[id], err
}

// answer gives the number of the redemption that an idempotency key recorded, or 0.
func (t *tx) answer(key *string) int64 {
	if key == nil {
		return 0
	}
	t.store.pool.mu.RLock()
	defer t.store.pool.mu.RUnlock()
	return t.store.pool.answers[*key]
}

// checkAnswer refuses an idempotency key that comes back with another request.
func (s *Store) checkAnswer(ctx context.Context, number int64, found *redeemable, request *coupon.RedeemRequest) error {
	type answer struct {
		codeNumber   sql.NullInt64
		couponNumber int64
		redeemedAt   time.Time
		reference    *string
		amount       *string
		currency     *string
	}
	rows, err := collect(ctx, s, redemptionAnswer, func(rows *sql.Rows) (answer, error) {
		var a answer
		err := rows.Scan(&a.codeNumber, &a.couponNumber, &a.redeemedAt, &a.reference, &a.amount, &a.currency)
		return a, err
	}, named("id", number))
	if err != nil {
		return err
	}
	same := len(rows) == 1 && rows[0].codeNumber.Int64 == found.codeNumber && rows[0].couponNumber == found.couponNumber &&
		equal(rows[0].reference, request.Reference) && equal(rows[0].currency, request.Currency) &&
		(request.RedeemedAt == nil || request.RedeemedAt.UTC().Truncate(time.Microsecond).Equal(rows[0].redeemedAt))
	if same {
		wanted, had := "", ""
		if request.Amount != nil {
			wanted = string(coupon.NewDecimal(decimalText(*request.Amount)))
		}
		if rows[0].amount != nil {
			had = string(coupon.NewDecimal(*rows[0].amount))
		}
		same = wanted == had
	}
	if !same {
		return coupon.Errorf(coupon.ErrorAlreadyExists, "The idempotency key %q was used for another redemption. Use a new key for each purchase.", *request.IdempotencyKey).
			At("input", "idempotencyKey")
	}
	return nil
}

func equal(a, b *string) bool { return orEmpty(a) == orEmpty(b) && (a == nil) == (b == nil) }

// redeem appends a redemption and marks the pool; the mark is taken back when the commit fails. It gives the
// redemption as it will be read.
func (t *tx) redeem(found *redeemable, request *coupon.RedeemRequest, at time.Time) *coupon.Redemption {
	p := t.store.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	number := p.next.redemption
	p.next.redemption++
	p.countRedemption(found, 1)
	if request.IdempotencyKey != nil {
		p.answers[*request.IdempotencyKey] = number
	}
	t.onFailure(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.next.redemption--
		p.countRedemption(found, -1)
		if request.IdempotencyKey != nil {
			delete(p.answers, *request.IdempotencyKey)
		}
	})
	t.redemptions = append(t.redemptions, &redemptionRow{number: number, found: found, assignment: p.assignmentOf(found), request: request, at: at})
	redemption := &coupon.Redemption{
		ID: coupon.NewID(coupon.KindRedemption, number), CouponID: coupon.NewID(coupon.KindCoupon, found.couponNumber), CodeValue: found.stored,
		RedeemedAt: at, Source: coupon.SourceAPI, Reference: request.Reference, Currency: request.Currency, Anomalies: []coupon.RedemptionAnomaly{},
	}
	if found.codeNumber != 0 {
		redemption.CodeID = new(coupon.NewID(coupon.KindCode, found.codeNumber))
	}
	if request.Amount != nil {
		redemption.Amount = new(coupon.NewDecimal(decimalText(*request.Amount)))
	}
	return redemption
}

// assignmentOf gives what a redemption carries of the message that holds the code now.
func (p *pool) assignmentOf(found *redeemable) assignment {
	var a assignment
	if found.codeNumber == 0 {
		return a
	}
	if label := p.runOf(found.codeNumber).label; label != "" {
		a.label = &label
	}
	if p.state[found.codeNumber].Has(coupon.StateAssigned) {
		number := int64(p.holders[found.codeNumber])
		delivery := p.deliveries[number]
		a.deliveryNumber, a.channel, a.assignedAt = &number, new(string(delivery.channel)), &delivery.at
	}
	return a
}

func (p *pool) countRedemption(found *redeemable, by int) {
	if found.codeNumber == 0 {
		p.coupons[found.couponNumber].redeemed += by
		return
	}
	p.addRedemptions(found.codeNumber, by)
}

// Reverse takes a redemption back. Its code is ASSIGNED again, or VOIDED when nobody holds it: it is
// known outside. Repeating it is harmless. It returns NOT_FOUND and INVALID.
func (s *Store) Reverse(ctx context.Context, id coupon.ID, reason *string) (*coupon.Redemption, error) {
	number, err := id.Number(coupon.KindRedemption)
	if err != nil {
		return nil, atInput(err, "id")
	}
	if reason != nil {
		clean, bad := coupon.CleanLabel(*reason)
		if bad != "" {
			return nil, coupon.Errorf(coupon.ErrorInvalid, "%s", bad.Message()).At("input", "reason")
		}
		reason = &clean
	}
	err = s.update(ctx, func(ctx context.Context, t *tx) error {
		type state struct {
			couponNumber int64
			codeNumber   sql.NullInt64
			isReversed   bool
		}
		rows, err := collect(ctx, t, redemptionLive, func(rows *sql.Rows) (state, error) {
			var st state
			err := rows.Scan(&st.couponNumber, &st.codeNumber, &st.isReversed)
			return st, err
		}, named("id", number))
		switch {
		case err != nil:
			return err
		case len(rows) == 0:
			return coupon.NotFound(coupon.KindRedemption, id).At("input", "id")
		case rows[0].isReversed:
			return nil
		}
		found := &redeemable{couponNumber: rows[0].couponNumber, codeNumber: rows[0].codeNumber.Int64}
		t.reversals = append(t.reversals, &reversalRow{number: number, reason: reason})
		if n := found.codeNumber; n != 0 && s.pool.redeemCount(n) == 1 && !s.pool.state[n].Has(coupon.StateAssigned|coupon.StateVoided) {
			if err := t.void(ctx, []int64{n}, "its redemption was reversed, and nobody holds it"); err != nil {
				return err
			}
		}
		t.changePool(func(p *pool) { p.countRedemption(found, -1) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	redemptions, err := s.RedemptionsByID(ctx, []coupon.ID{id})
	return redemptions[id], err
}

// RedemptionsByID gives the redemptions that exist of these.
func (s *Store) RedemptionsByID(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.Redemption, error) {
	return s.readRedemptions(ctx, numbersOf(coupon.KindRedemption, ids))
}

func (s *Store) readRedemptions(ctx context.Context, numbers []int64) (map[coupon.ID]*coupon.Redemption, error) {
	found := make(map[coupon.ID]*coupon.Redemption, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	_, err := collect(ctx, s, redemptionGet, func(rows *sql.Rows) (struct{}, error) {
		var number, couponNumber int64
		var codeNumber *int64
		var amount, anomalies *string
		var r coupon.Redemption
		err := rows.Scan(
			&number,
			&couponNumber,
			&codeNumber,
			&r.CodeValue,
			&r.RedeemedAt,
			&r.Source,
			&r.Reference,
			&amount,
			&r.Currency,
			&r.ReversedAt,
			&anomalies,
		)
		r.ID, r.CouponID = coupon.NewID(coupon.KindRedemption, number), coupon.NewID(coupon.KindCoupon, couponNumber)
		r.CodeID = coupon.NewIDPtr(coupon.KindCode, codeNumber)
		if amount != nil {
			r.Amount = new(coupon.NewDecimal(*amount))
		}
		r.Anomalies = []coupon.RedemptionAnomaly{}
		for name := range strings.FieldsSeq(orEmpty(anomalies)) {
			r.Anomalies = append(r.Anomalies, coupon.RedemptionAnomaly(name))
		}
		found[r.ID] = &r
		return struct{}{}, err
	}, between(numbers)...)
	return found, err
}

// CodeRedemptions gives a page of each code's redemptions, newest first.
func (s *Store) CodeRedemptions(ctx context.Context, codes []coupon.ID, page coupon.Page) (map[coupon.ID]*coupon.List[*coupon.Redemption], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: codes, parentKind: coupon.KindCode, page: page, list: codeRedemptions, count: codeRedemptionsCount, isNewestFirst: true,
	})
	if err != nil {
		return nil, err
	}
	return fillPages(ctx, pages, coupon.KindRedemption, s.readRedemptions)
}

// Redemptions gives a page of redemptions, newest first. It returns INVALID for a filter that cannot be.
func (s *Store) Redemptions(ctx context.Context, filter *coupon.StatsFilter, page coupon.Page) (*coupon.List[*coupon.Redemption], error) {
	args, err := statsArgs(filter, time.UTC)
	if err != nil {
		return nil, err
	}
	return newestPage(ctx, s, page, coupon.KindRedemption, redemptionPage, redemptionCount, args, s.readRedemptions)
}

// statsArgs gives a filter of facts as parameters.
func statsArgs(filter *coupon.StatsFilter, zone *time.Location) ([]any, error) {
	if filter == nil {
		filter = &coupon.StatsFilter{}
	}
	if err := filter.Check(); err != nil {
		return nil, err
	}
	period, err := coupon.NewPeriod(filter.From, filter.To, zone, "")
	if err != nil {
		return nil, err
	}
	return []any{
		named("coupons", numbersParameter(coupon.KindCoupon, filter.CouponIDs)), named("deliveries", numbersParameter(coupon.KindDelivery, filter.DeliveryIDs)),
		named("channels", texts(filter.Channels)), named("labels", texts(filter.Labels)), named("from", period.From), named("to", period.To),
	}, nil
}

// numbersParameter gives ids as a parameter; none gives NULL, which narrows nothing, and ids that name
// nothing are 0, which nothing has.
func numbersParameter(kind coupon.Kind, ids []coupon.ID) any {
	if len(ids) == 0 {
		return nil
	}
	numbers := make([]int64, len(ids))
	for i, id := range ids {
		numbers[i], _ = id.Number(kind)
	}
	return numbers
}

// recordRedemptions records the staged redemptions that are not refused; the refused ones stay in the
// temporary table. It gives how many were, or would be, recorded.
func (t *tx) recordRedemptions(ctx context.Context, importNumber int64, rows, candidates *spool, refused refusals, gate gate) (int, error) {
	candidatesPath, err := candidates.flush()
	if err != nil {
		return 0, err
	}
	if err := t.stage(ctx, redemptionStage, rows, refused, named("candidates", candidatesPath)); err != nil {
		return 0, err
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{redemptionRefuseUnknown, nil},
		{redemptionRefuseRecorded, []any{named("import_id", importNumber)}},
		{redemptionRefuseDoubles, nil},
		{redemptionRefuseSpent, nil},
	} {
		if _, err := t.exec(ctx, step.statement, step.args...); err != nil {
			return 0, err
		}
	}
	refusedTotal, err := one[int](ctx, t, refusedCount)
	if err != nil {
		return 0, err
	}
	count := rows.rows + refused.rows - refusedTotal
	if count == 0 || !gate.opens(refusedTotal) {
		return count, nil
	}
	p := t.store.pool
	first := p.next.redemption
	added, err := t.exec(ctx, redemptionInsertStaged, named("first_id", first), named("import_id", importNumber), named("now", t.now))
	if err == nil && added != count {
		err = fmt.Errorf("record redemptions: %d instead of %d", added, count)
	}
	if err != nil {
		return 0, err
	}
	return count, t.countRecorded(ctx, first, count)
}

// countRecorded takes redemptions that were just recorded over into the pool when they are on disk.
func (t *tx) countRecorded(ctx context.Context, first int64, count int) error {
	var numbers []int64
	_, err := collect(ctx, t, redemptionRecorded, func(rows *sql.Rows) (struct{}, error) {
		var packed string
		var total int
		if err := rows.Scan(&packed, &total); err != nil {
			return struct{}{}, err
		}
		var err error
		numbers, err = parseNumbers(packed)
		return struct{}{}, err
	}, named("first_id", first))
	if err != nil {
		return err
	}
	anonymous := map[int64]int{}
	_, err = collect(ctx, t, redemptionRecordedAnonymous, func(rows *sql.Rows) (struct{}, error) {
		var number int64
		var times int
		err := rows.Scan(&number, &times)
		anonymous[number] = times
		return struct{}{}, err
	}, named("first_id", first))
	if err != nil {
		return err
	}
	t.changePool(func(p *pool) {
		p.next.redemption += int64(count)
		for _, number := range numbers {
			p.addRedemptions(number, 1)
		}
		for number, times := range anonymous {
			p.coupons[number].redeemed += times
		}
	})
	return nil
}
