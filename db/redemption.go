package db

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// ValidateCode reports whether a code may be redeemed now. It gives the code (nil for an anonymous
// coupon's own) and the coupon, where they exist, and the reason why not, or nil. wanted is as for
// CodesByID.
func (s *Store) ValidateCode(ctx context.Context, value string, wanted coupon.CodeState) (
	*coupon.Code, *coupon.Coupon, *coupon.UserError, error,
) {
	// What cannot be a code has no key, and no code has none.
	_, key, _ := s.keys.Parse(value)
	var found *memory.Redeemable
	var refusal *coupon.UserError
	s.memory.Read(func(v memory.View) {
		found = v.Redeemable(key)
		refusal = v.Check(found, value, s.now())
	})
	if refusal != nil {
		refusal = refusal.At("value")
	}
	if found == nil {
		return nil, nil, refusal, nil
	}
	id := coupon.NewID(coupon.KindCoupon, found.CouponNumber)
	coupons, err := s.CouponsByID(ctx, []coupon.ID{id})
	if err != nil {
		return nil, nil, nil, err
	}
	code, err := s.readCode(ctx, found.CodeNumber, found.Value, wanted)
	if err != nil {
		return nil, nil, nil, err
	}
	return code, coupons[id], refusal, nil
}

// ZoneOf returns the time zone of the coupon whose code, or one of whose codes, has this value; UTC
// when there is none.
func (s *Store) ZoneOf(value string) *time.Location {
	_, key, _ := s.keys.Parse(value)
	found := s.memory.Redeemable(key)
	if found == nil {
		return time.UTC
	}
	return zoneOf(s, found.CouponNumber)
}

// UnknownCodes tells of each value whether there is no such code.
func (s *Store) UnknownCodes(values []string) []bool {
	unknown := make([]bool, len(values))
	for i, value := range values {
		_, key, _ := s.keys.Parse(value)
		unknown[i] = s.memory.Redeemable(key) == nil
	}
	return unknown
}

// RedeemOutcome is what became of a request to redeem: a redemption or a refusal, and with
// REDEMPTION_REVERSED both.
type RedeemOutcome struct {
	// Redemption has no CodeValue when that is spelled otherwise than the code's key, for which the
	// rows would have to be asked.
	Redemption *coupon.Redemption
	// IsRepeated: the idempotency key recorded the redemption before. IsSpent: it was recorded now,
	// and the code may not be redeemed again.
	IsRepeated, IsSpent bool
	// Refusal has coupon.UserErrors: INVALID, CODE_UNKNOWN, and what coupon.CheckRedemption
	// returns; ALREADY_EXISTS for an idempotency key that the caller used for another redemption,
	// and REDEMPTION_REVERSED for one whose redemption was reversed.
	Refusal error
}

// Redeem is RedeemAll for one request. It returns the refusal as its error.
func (s *Store) Redeem(ctx context.Context, request *coupon.RedeemRequest) (
	*coupon.Redemption, error,
) {
	outcomes, err := s.RedeemAll(ctx, []*coupon.RedeemRequest{request})
	if err != nil {
		return nil, err
	}
	return outcomes[0].Redemption, outcomes[0].Refusal
}

// RedeemAll redeems codes, each as if it were alone, one after the other and exactly once however
// often the same idempotency key asks. What it gives is in the order of the requests and on disk.
// The error is ErrBusy when more wait than the store can serve soon, or internal; then nothing was
// redeemed.
func (s *Store) RedeemAll(ctx context.Context, requests []*coupon.RedeemRequest) (
	[]RedeemOutcome, error,
) {
	outcomes := make([]RedeemOutcome, len(requests))
	answered := make([]int64, len(requests))
	now, revision := s.now(), s.memory.Revision()
	for i, request := range requests {
		outcomes[i].Refusal = request.Check(now)
	}
	err := s.join(ctx, len(requests), func(g *group) error {
		for i, request := range requests {
			if outcomes[i].Refusal == nil {
				outcomes[i], answered[i] = g.redeem(request)
			}
			if outcomes[i].Redemption != nil {
				g.takeOf(ctx, i)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range outcomes {
		// The caller may ask for the code next; of one that is spelled otherwise the rows know the
		// value.
		if r := outcomes[i].Redemption; r != nil && r.CodeID != nil && r.CodeValue != "" {
			s.memory.KeepRedeemed(revision, coupon.MustNumber(coupon.KindCode, *r.CodeID),
				r.CodeValue, r.RedeemedAt, coupon.MustNumber(coupon.KindRedemption, r.ID))
		}
	}
	return outcomes, s.repeatAnswers(ctx, requests, answered, outcomes)
}

// redeem decides about a redemption, appends its row and marks the pool; the mark is taken back
// when the commit fails. It gives the redemption as it will be read, the number of the one that the
// idempotency key recorded before, or why not.
func (g *group) redeem(request *coupon.RedeemRequest) (outcome RedeemOutcome, answered int64) {
	_, key, _ := g.store.keys.Parse(request.Value)
	at := g.now
	if request.RedeemedAt != nil {
		at = request.RedeemedAt.UTC().Truncate(time.Microsecond)
	}
	m := g.store.memory
	redeemed, answered, refused := m.Redeem(&memory.Attempt{
		Key: key, Value: request.Value, At: at, Caller: request.Caller,
		IdempotencyKey: request.IdempotencyKey,
		Steady:         g.store.Steady(),
	})
	switch {
	case refused != nil:
		return RedeemOutcome{Refusal: refused.At("input", "value")}, 0
	case answered != 0:
		return RedeemOutcome{}, answered
	}
	g.onFailure(func() { m.Unredeem(redeemed) })
	row := rowOf(redeemed, request)
	if request.RedeemedAt != nil {
		row.RedeemedAt = &at
	}
	g.redemptions = append(g.redemptions, row)
	redemption := &coupon.Redemption{
		ID:       coupon.NewID(coupon.KindRedemption, redeemed.Number),
		CouponID: coupon.NewID(coupon.KindCoupon, redeemed.CouponNumber), CodeValue: redeemed.Value,
		RedeemedAt: at, Source: coupon.SourceAPI, Reference: request.Reference,
		Amount: request.Amount, Currency: request.Currency,
		Store: request.Store, Customer: request.Customer, Anomalies: []coupon.RedemptionAnomaly{},
	}
	if redeemed.CodeNumber != 0 {
		redemption.CodeID = new(coupon.NewID(coupon.KindCode, redeemed.CodeNumber))
	}
	return RedeemOutcome{Redemption: redemption, IsSpent: redeemed.IsSpent}, 0
}

// rowOf returns a redemption as it is recorded, with what it carries of the message that holds the
// code now.
func rowOf(r *memory.Redeemed, request *coupon.RedeemRequest) *redemptionRow {
	row := &redemptionRow{
		ID: r.Number, CouponID: r.CouponNumber, CodeID: r.CodeNumber, Reference: request.Reference,
		Amount: request.Amount, Currency: request.Currency,
		IdempotencyKey: request.IdempotencyKey, Caller: request.Caller, Store: request.Store,
		Customer: request.Customer,
	}
	if r.Label != "" {
		row.Label = &r.Label
	}
	if r.Delivery != 0 {
		row.DeliveryID, row.Channel, row.AssignedAt = &r.Delivery, new(string(r.Confirmed.Channel)),
			&r.Confirmed.At
	}
	return row
}

// repeatAnswers fills in the outcomes of requests whose idempotency key recorded a redemption
// before, by its number: the same request gets the same redemption, another one is refused, and so
// is one whose redemption was reversed: it comes late.
func (s *Store) repeatAnswers(
	ctx context.Context, requests []*coupon.RedeemRequest, answered []int64,
	outcomes []RedeemOutcome,
) error {
	numbers := slices.DeleteFunc(slices.Clone(answered),
		func(number int64) bool { return number == 0 })
	redemptions, err := s.readRedemptions(ctx, numbers)
	if err != nil {
		return err
	}
	for i, number := range answered {
		if number == 0 {
			continue
		}
		before := redemptions[coupon.NewID(coupon.KindRedemption, number)]
		key := *requests[i].IdempotencyKey
		if before == nil || !s.isSame(before, requests[i]) {
			outcomes[i].Refusal = coupon.Errorf(coupon.ErrorAlreadyExists,
				"The idempotency key %q was used for another redemption. Use a new key for each purchase.", key).At("input", "idempotencyKey")
			continue
		}
		outcomes[i] = RedeemOutcome{Redemption: before, IsRepeated: true}
		if before.ReversedAt != nil {
			outcomes[i].Refusal = coupon.Errorf(coupon.ErrorRedemptionReversed,
				"The idempotency key %q recorded %s, which was reversed. Nothing was redeemed again. Use a new key to redeem the code anew.",
				key, before.ID).At("input", "idempotencyKey")
		}
	}
	return nil
}

// isSame reports whether a request asks for the redemption that was recorded.
func (s *Store) isSame(before *coupon.Redemption, request *coupon.RedeemRequest) bool {
	_, key, _ := s.keys.Parse(request.Value)
	return s.keys.Key(before.CodeValue) == key && equal(before.Reference, request.Reference) &&
		equal(before.Currency, request.Currency) &&
		equal(before.Amount, request.Amount) && equal(before.Store, request.Store) &&
		equal(before.Customer, request.Customer) &&
		(request.RedeemedAt == nil ||
			request.RedeemedAt.UTC().Truncate(time.Microsecond).Equal(before.RedeemedAt))
}

// Reverse takes a redemption back. Its code is ASSIGNED again, or VOIDED when nobody holds it: it
// is known outside. Repeating it is harmless. by is who asks; nil: somebody who may take back all.
// It returns NOT_FOUND, in the same words for one that by may not take back as for one that does
// not exist, and INVALID.
func (s *Store) Reverse(ctx context.Context, by *coupon.Caller, id coupon.ID, reason *string) (
	*coupon.Redemption, error,
) {
	number, err := id.Number(coupon.KindRedemption)
	if err != nil {
		return nil, at(err, "input", "id")
	}
	notFound := coupon.NotFound(coupon.KindRedemption, id).At("input", "id")
	return s.reverse(ctx, by, number, reason, notFound, coupon.ReversalTime)
}

// ReverseReferenced is Reverse of the redemption with a reference, and of a code with this value
// unless that is nil. When none of those that by may take back stands, and some were reversed, the
// latest of these is given: repeating it is harmless. It returns NOT_FOUND, and INVALID when
// several stand.
func (s *Store) ReverseReferenced(
	ctx context.Context, by *coupon.Caller, reference string, value, reason *string,
) (*coupon.Redemption, error) {
	reference = coupon.CleanReference(reference)
	notFound := coupon.Errorf(coupon.ErrorNotFound, "There is no redemption with the reference %q.",
		coupon.Printable(reference)).At("input", "reference")
	var couponNumber, codeNumber, caller any
	if value != nil {
		_, key, _ := s.keys.Parse(*value)
		found := s.memory.Redeemable(key)
		if found == nil {
			return nil, ofTill(by, notFound, coupon.ReferencedReversalTime)
		}
		if couponNumber = found.CouponNumber; found.CodeNumber != 0 {
			codeNumber = found.CodeNumber
		}
	}
	if by != nil && by.Role == coupon.RoleRedeemer {
		caller = by.Name
	}
	type match struct {
		standing     int
		number, last sql.NullInt64
	}
	found, err := duckdb.Collect(ctx, s.engine, redemptionByReference,
		func(rows *sql.Rows) (match, error) {
			var m match
			err := rows.Scan(&m.standing, &m.number, &m.last)
			return m, err
		}, named("reference", reference), named("caller", caller), named("since",
			s.now().Add(-coupon.ReferencedReversalTime)),
		named("coupon_id", couponNumber), named("code_id", codeNumber))
	if err != nil {
		return nil, err
	}
	number := found[0].number.Int64
	switch {
	case found[0].standing > 1:
		return nil, coupon.Errorf(coupon.ErrorInvalid,
			"%d redemptions have the reference %q. Give the value of the code too, or the id.",
			found[0].standing, coupon.Printable(reference)).At("input", "reference")
	case found[0].standing == 0 && !found[0].last.Valid:
		return nil, ofTill(by, notFound, coupon.ReferencedReversalTime)
	case found[0].standing == 0:
		number = found[0].last.Int64
	}
	return s.reverse(ctx, by, number, reason, notFound, coupon.ReferencedReversalTime)
}

// ofTill adds to what a till is told about a redemption that it may not take back which ones it
// may.
func ofTill(by *coupon.Caller, notFound *coupon.UserError, within time.Duration) *coupon.UserError {
	if by != nil && by.Role == coupon.RoleRedeemer {
		notFound.Message += fmt.Sprintf(
			" A till takes back what it redeemed itself in the last %d hours.", int(within.Hours()),
		)
	}
	return notFound
}

// reverse is Reverse of a redemption by its number. by may take back its own within a time.
func (s *Store) reverse(
	ctx context.Context, by *coupon.Caller, number int64, reason *string,
	notFound *coupon.UserError, within time.Duration,
) (*coupon.Redemption, error) {
	if reason != nil {
		clean, bad := coupon.CleanLabel(*reason)
		if bad != "" {
			return nil, coupon.Errorf(coupon.ErrorInvalid, "%s",
				bad.Message()).At("input", "reason")
		}
		reason = &clean
	}
	notFound = ofTill(by, notFound, within)
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		type state struct {
			couponNumber int64
			codeNumber   sql.NullInt64
			isReversed   bool
			caller       *string
			recordedAt   time.Time
		}
		rows, err := duckdb.Collect(ctx, t, redemptionLive, func(rows *sql.Rows) (state, error) {
			var st state
			err := rows.Scan(&st.couponNumber, &st.codeNumber, &st.isReversed, &st.caller,
				&st.recordedAt)
			return st, err
		}, named("id", number))
		switch {
		case err != nil:
			return err
		case len(rows) == 0 ||
			by != nil && !by.MayReverse(orEmpty(rows[0].caller), rows[0].recordedAt, t.now, within):
			return notFound
		case rows[0].isReversed:
			return nil
		}
		couponNumber, code := rows[0].couponNumber, rows[0].codeNumber.Int64
		if _, err := t.Exec(ctx, reversalInsert, named("id", number), named("now", t.now),
			named("reason", optional(reason))); err != nil {
			return err
		}
		isLast := false
		s.memory.Read(func(v memory.View) {
			isLast = code != 0 && v.RedeemCount(code) == 1 &&
				!v.State(code).Has(coupon.StateAssigned|coupon.StateVoided)
		})
		if isLast {
			if err := t.void(ctx, []int64{code}, "its redemption was reversed, and nobody holds it",
				0); err != nil {
				return err
			}
		}
		t.touch(memory.AllReversals)
		t.change(func(c memory.Change) { c.CountRedemptions(couponNumber, code, -1) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	redemptions, err := s.readRedemptions(ctx, []int64{number})
	return redemptions[coupon.NewID(coupon.KindRedemption, number)], err
}

// maxRecorded is how many redemptions a page of Recorded has at the most.
const maxRecorded = 500

// WatchRedemptions returns a channel that gets a value after redemptions were recorded, until stop
// is called, and the place where Recorded is to begin for those that are recorded from now on.
func (s *Store) WatchRedemptions() (place int64, changed <-chan struct{}, stop func()) {
	changed, stop = s.Watch(redemptionsWatched)
	return s.memory.RecordedEnd(), changed, stop
}

// redemptionsWatched is what is watched of all redemptions together.
const redemptionsWatched = coupon.ID("redemptions")

// Recorded returns redemptions that were recorded after a place, in their order, and the place to
// go on from: at most maxRecorded; of one coupon unless its id is "". It returns NOT_FOUND for an
// id that is not one of a coupon.
func (s *Store) Recorded(ctx context.Context, place int64, couponID coupon.ID) (
	redemptions []*coupon.Redemption, next int64, err error,
) {
	var couponNumber any
	if couponID != "" {
		if couponNumber, err = couponID.Number(coupon.KindCoupon); err != nil {
			return nil, place, err
		}
	}
	next = place
	var numbers []int64
	for len(numbers) < maxRecorded {
		span, isThere := s.memory.RecordedFrom(next)
		if !isThere {
			break
		}
		part, err := duckdb.Collect(ctx, s.engine, redemptionNext, duckdb.ScanInto[int64],
			named("first", span.First), named("last", span.Last), named("coupon_id", couponNumber),
			named("limit", maxRecorded-len(numbers)))
		if err != nil {
			return nil, place, err
		}
		next = span.End()
		if numbers = append(numbers, part...); len(numbers) == maxRecorded {
			next = span.Place + numbers[maxRecorded-1] - span.First + 1
		}
	}
	if len(numbers) == 0 {
		return nil, next, nil
	}
	found, err := s.readRedemptions(ctx, numbers)
	if err != nil {
		return nil, place, err
	}
	return inOrder(found, coupon.KindRedemption, numbers), next, nil
}

// announce tells those who watch redemptions of these numbers, when they are on disk.
func (e *effects) announce(spans ...memory.Recorded) {
	s := e.store
	e.onCommit(func() {
		for _, span := range spans {
			s.memory.Record(span.First, span.Last)
		}
		s.watchers.notify(redemptionsWatched)
	})
}

// RedemptionsByID returns the redemptions that exist of these.
func (s *Store) RedemptionsByID(ctx context.Context, ids []coupon.ID) (
	map[coupon.ID]*coupon.Redemption, error,
) {
	return s.readRedemptions(ctx, numbersOf(coupon.KindRedemption, ids))
}

// readRedemptions reads redemptions by number. A statement that joins costs several times what
// these cost, which are planned once; most of them find nothing to read.
func (s *Store) readRedemptions(ctx context.Context, numbers []int64) (
	map[coupon.ID]*coupon.Redemption, error,
) {
	found := make(map[coupon.ID]*coupon.Redemption, len(numbers))
	for _, number := range numbers {
		found[coupon.NewID(coupon.KindRedemption, number)] = nil
	}
	var codes []int64
	hasOwnCodes := false
	err := s.readPoints(ctx, redemptionGet, "id", numbers, func(rows *sql.Rows) error {
		var number, couponNumber int64
		var codeNumber *int64
		var amount, anomalies *string
		var r coupon.Redemption
		err := rows.Scan(
			&number, &couponNumber, &codeNumber, &r.RedeemedAt, &r.Source, &r.Reference, &amount,
			&r.Currency, &anomalies,
			&r.Store, &r.Customer,
		)
		r.ID, r.CouponID = coupon.NewID(coupon.KindRedemption,
			number), coupon.NewID(coupon.KindCoupon, couponNumber)
		if _, isWanted := found[r.ID]; !isWanted {
			return err
		}
		if codeNumber != nil {
			r.CodeID = new(coupon.NewID(coupon.KindCode, *codeNumber))
			codes = append(codes, *codeNumber)
		} else {
			hasOwnCodes = true
		}
		if amount != nil {
			r.Amount = new(coupon.NewDecimal(*amount))
		}
		r.Anomalies = []coupon.RedemptionAnomaly{}
		for name := range strings.FieldsSeq(orEmpty(anomalies)) {
			r.Anomalies = append(r.Anomalies, coupon.RedemptionAnomaly(name))
		}
		found[r.ID] = &r
		return err
	})
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(found, func(_ coupon.ID, r *coupon.Redemption) bool { return r == nil })
	if hasOwnCodes || s.memory.WereReversed(codes) {
		err := s.readPoints(ctx, reversalGet, "redemption_id", numbers, func(rows *sql.Rows) error {
			var number int64
			var at time.Time
			err := rows.Scan(&number, &at)
			if r := found[coupon.NewID(coupon.KindRedemption, number)]; r != nil {
				r.ReversedAt = &at
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, s.nameRedeemed(ctx, found, codes)
}

// nameRedeemed tells of redemptions which code was redeemed: one of these, or the coupon's own.
func (s *Store) nameRedeemed(
	ctx context.Context, redemptions map[coupon.ID]*coupon.Redemption, codes []int64,
) error {
	slices.Sort(codes)
	values, err := s.readCodes(ctx, slices.Compact(codes), 0)
	if err != nil {
		return err
	}
	var owners []coupon.ID
	for _, r := range redemptions {
		if r.CodeID != nil && values[*r.CodeID] != nil {
			r.CodeValue = values[*r.CodeID].Value
		} else {
			owners = append(owners, r.CouponID)
		}
	}
	if len(owners) == 0 {
		return nil
	}
	coupons, err := s.CouponsByID(ctx, owners)
	if err != nil {
		return err
	}
	for _, r := range redemptions {
		if owner := coupons[r.CouponID]; r.CodeValue == "" && owner != nil {
			r.CodeValue = owner.Code
		}
	}
	return nil
}

// CodeRedemptions returns a page of each code's redemptions, newest first. Only codes that memory
// knows as redeemed once are looked for.
func (s *Store) CodeRedemptions(ctx context.Context, codes []coupon.ID, page coupon.Page) (
	map[coupon.ID]*coupon.List[*coupon.Redemption], error,
) {
	lists := make(map[coupon.ID]*coupon.List[*coupon.Redemption], len(codes))
	for _, id := range codes {
		lists[id] = &coupon.List[*coupon.Redemption]{}
	}
	redeemed := s.memory.Redeemed(numbersOf(coupon.KindCode, codes))
	if len(redeemed) == 0 {
		return lists, nil
	}
	if pages, isKnown, err := s.knownRedemptions(ctx, redeemed, page); isKnown || err != nil {
		return s.fillRedemptions(ctx, lists, pages, err)
	}
	parents := make([]coupon.ID, len(redeemed))
	for i, number := range redeemed {
		parents[i] = coupon.NewID(coupon.KindCode, number)
	}
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: parents, parentKind: coupon.KindCode, page: page, list: codeRedemptions,
		count: codeRedemptionsCount, isNewestFirst: true,
		args: []any{named("first", slices.Min(redeemed)), named("last", slices.Max(redeemed))},
	})
	return s.fillRedemptions(ctx, lists, pages, err)
}

// fillRedemptions reads the redemptions of pages, if there are any, into lists.
func (s *Store) fillRedemptions(
	ctx context.Context, lists map[coupon.ID]*coupon.List[*coupon.Redemption],
	pages map[coupon.ID]*numberPage, err error,
) (map[coupon.ID]*coupon.List[*coupon.Redemption], error) {
	if err != nil {
		return nil, err
	}
	found, err := fillPages(ctx, pages, coupon.KindRedemption, s.readRedemptions)
	maps.Copy(lists, found)
	return lists, err
}

// knownRedemptions returns a page of each code's redemptions where memory knows the only one of
// each.
func (s *Store) knownRedemptions(ctx context.Context, codes []int64, page coupon.Page) (
	pages map[coupon.ID]*numberPage, isKnown bool, err error,
) {
	redemptions := s.memory.OnlyRedemptions(codes)
	if redemptions == nil {
		hasRead, err := s.readMissed(ctx, codes)
		if err != nil || !hasRead {
			return nil, false, err
		}
		if redemptions = s.memory.OnlyRedemptions(codes); redemptions == nil {
			return nil, false, nil
		}
	}
	pages = make(map[coupon.ID]*numberPage, len(codes))
	for i, code := range codes {
		of := &numberPage{total: 1}
		pages[coupon.NewID(coupon.KindCode, code)] = of
		if page.WantsItems && (page.After == nil || redemptions[i] < page.After.Number) {
			of.numbers = redemptions[i : i+1]
		}
		if !page.WantsTotal {
			of.total = 0
		}
	}
	return pages, true, nil
}

// Redemptions returns a page of redemptions, newest first. It returns INVALID for a filter that
// cannot be.
func (s *Store) Redemptions(ctx context.Context, filter *coupon.StatsFilter, page coupon.Page) (
	*coupon.List[*coupon.Redemption], error,
) {
	if filter != nil && filter.OfRedemptions() != "" {
		args, err := redemptionArgs(filter)
		if err != nil {
			return nil, err
		}
		return newestPage(ctx, s, page, coupon.KindRedemption, redemptionPageNarrow,
			redemptionCountNarrow, args, s.readRedemptions)
	}
	args, err := statsArgs(filter, time.UTC)
	if err != nil {
		return nil, err
	}
	return newestPage(ctx, s, page, coupon.KindRedemption, redemptionPage, redemptionCount, args,
		s.readRedemptions)
}

// redemptionArgs returns a filter of redemptions as parameters.
func redemptionArgs(filter *coupon.StatsFilter) ([]any, error) {
	args, err := statsArgs(filter, time.UTC)
	if err != nil {
		return nil, err
	}
	filter = filter.Cleaned()
	return append(
		args, named("reference", optional(filter.Reference)),
		named("source", optionalText(filter.Source)),
		named("anomalies", texts(filter.Anomalies)),
		named("is_reversed", optional(filter.IsReversed)),
		named("store", optional(filter.Store)), named("customer", optional(filter.Customer)),
	), nil
}

// exportedRedemptions returns a filter of redemptions that count as parameters. It returns INVALID.
func exportedRedemptions(filter *coupon.StatsFilter) ([]any, error) {
	var standing coupon.StatsFilter
	if filter != nil {
		standing = *filter
	}
	if standing.IsReversed != nil && *standing.IsReversed {
		return nil, coupon.Errorf(coupon.ErrorInvalid,
			"Redemptions that were reversed are not exported. Ask redemptions for them.").
			At("filter", "isReversed")
	}
	standing.IsReversed = new(false)
	return redemptionArgs(&standing)
}

// statsArgs returns a filter of facts as parameters.
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
		named("coupons", numbersParameter(coupon.KindCoupon, filter.CouponIDs)),
		named("deliveries", numbersParameter(coupon.KindDelivery, filter.DeliveryIDs)),
		named("channels", texts(filter.Channels)), named("labels", texts(filter.Labels)),
		named("from", period.From), named("to", period.To),
	}, nil
}

// consecutive returns the numbers of redemptions that were decided one after the other.
func consecutive(redemptions []*redemptionRow) []memory.Recorded {
	var spans []memory.Recorded
	for _, r := range redemptions {
		if last := len(spans) - 1; last >= 0 && spans[last].Last+1 == r.ID {
			spans[last].Last++
		} else {
			spans = append(spans, memory.Recorded{First: r.ID, Last: r.ID})
		}
	}
	return spans
}
