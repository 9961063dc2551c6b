package db

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"couponql/background"
	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

func scanRejection(rows *sql.Rows) (*coupon.Rejection, error) {
	var r coupon.Rejection
	err := rows.Scan(&r.Line, &r.Reason, &r.Value)
	return &r, err
}

// readCodes reads codes by number, with where they stand.
func (s *Store) readCodes(ctx context.Context, numbers []int64, wanted coupon.CodeState) (
	map[coupon.ID]*coupon.Code, error,
) {
	return s.completeCodes(ctx, s.memory.Describe(numbers, wanted))
}

// completeCodes reads what memory does not know of codes: the values that are missing, and what the
// caller wants to know of what happened, side by side, each in a small statement of its own that is
// run only if it happened to any of them: the same tables joined in one statement take several
// times as long. What happens meanwhile is left out, so that a code stands where it stood when
// memory was asked. Codes that have no row any more are left out.
func (s *Store) completeCodes(ctx context.Context, d *memory.Described) (
	map[coupon.ID]*coupon.Code, error,
) {
	if err := s.engine.Whole(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		// Where everything is known no statement finds out that the caller has gone, and what is
		// built on it costs more.
		return nil, fmt.Errorf("read codes: %w", context.Cause(ctx))
	}
	lacking := d.Lacking(coupon.StateAssigned | coupon.StateSent | coupon.StateRedeemed)
	if len(lacking) > 0 {
		hasRead, err := s.readMissed(ctx, lacking)
		if err != nil {
			return nil, err
		}
		if hasRead {
			d = s.memory.DescribeAgain(d)
		}
	}
	known := d.Codes
	// Each reading fills fields of its own.
	readings := []func() error{func() error { return s.readValues(ctx, known) }}
	held := coupon.StateAssigned | coupon.StateAddressed | coupon.StateSent
	if numbers := d.Lacking(held); len(numbers) > 0 {
		readings = append(readings, func() error { return s.readHolders(ctx, numbers, d) })
	}
	if numbers := d.Lacking(coupon.StateRedeemed); len(numbers) > 0 {
		readings = append(readings, func() error {
			return s.readFirst(ctx, codeRedeemed, numbers, known, coupon.StateRedeemed,
				func(code *memory.KnownCode) **time.Time { return &code.RedeemedAt })
		})
	}
	if numbers := d.Lacking(coupon.StateVoided); len(numbers) > 0 {
		readings = append(readings, func() error {
			return s.readFirst(ctx, codeVoided, numbers, known, coupon.StateVoided,
				func(code *memory.KnownCode) **time.Time { return &code.VoidedAt })
		})
	}
	var parts background.Group
	for _, read := range readings {
		parts.Go(read)
	}
	if err := parts.Wait(); err != nil {
		return nil, err
	}
	s.memory.KeepCodes(d)
	s.memory.SetStatus(d, s.now())
	found := make(map[coupon.ID]*coupon.Code, len(known))
	for _, code := range known {
		if code.Value != "" {
			found[code.ID] = &code.Code
		}
	}
	return found, nil
}

// readValues reads the values of the codes that have none yet.
func (s *Store) readValues(ctx context.Context, known map[int64]*memory.KnownCode) error {
	var numbers []int64
	for number, code := range known {
		if code.Value == "" {
			numbers = append(numbers, number)
		}
	}
	return s.readPoints(ctx, codeGet, "id", numbers, func(rows *sql.Rows) error {
		var number int64
		var value string
		err := rows.Scan(&number, &value)
		if code := known[number]; code != nil && code.Value == "" {
			code.Value = value
		}
		return err
	})
}

// readFirst reads when something first happened to those of the codes that have a state.
func (s *Store) readFirst(
	ctx context.Context,
	statement string,
	numbers []int64,
	known map[int64]*memory.KnownCode,
	state coupon.CodeState,
	field func(*memory.KnownCode) **time.Time,
) error {
	return s.readPoints(ctx, statement, "code_id", numbers, func(rows *sql.Rows) error {
		var number int64
		var at time.Time
		err := rows.Scan(&number, &at)
		if code := known[number]; code != nil && code.Flags.Has(state) {
			first := field(code)
			*first = earlier(*first, at)
		}
		return err
	})
}

// readHolders reads which messages hold the codes, and when these were sent. Memory knows by which
// delivery a code is held, and a delivery has but one message with it.
func (s *Store) readHolders(ctx context.Context, numbers []int64, d *memory.Described) error {
	var messages []int64
	holds := map[int64]*coupon.Code{}
	err := s.readPoints(ctx, codeHeld, "code_id", numbers, func(rows *sql.Rows) error {
		var number, message, delivery, recipient int64
		var address string
		err := rows.Scan(&number, &message, &delivery, &recipient, &address)
		code := d.Codes[number]
		if code == nil || code.DeliveryID == nil ||
			*code.DeliveryID != coupon.NewID(coupon.KindDelivery, delivery) {
			return err
		}
		code.MessageID, code.RecipientID = new(coupon.NewID(coupon.KindMessage, message)),
			new(coupon.NewID(coupon.KindRecipient, recipient))
		code.Address = &address
		if code.Flags.Has(coupon.StateSent) && d.Wanted.Has(coupon.StateSent) {
			messages = append(messages, message)
			holds[message] = &code.Code
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.readPoints(ctx, codeSent, "message_id", messages, func(rows *sql.Rows) error {
		var message int64
		var outcome coupon.MessageStatus
		var at time.Time
		err := rows.Scan(&message, &outcome, &at)
		if code := holds[message]; code != nil && outcome == coupon.MessageSent {
			code.SentAt = &at
		}
		return err
	})
}

// earlier returns the earlier of two instants, of which the first may be missing.
func earlier(first *time.Time, second time.Time) *time.Time {
	if first != nil && first.Before(second) {
		return first
	}
	return &second
}

// readPoints is duckdb.EachNumbered for readers, with a statement that is planned once.
func (s *Store) readPoints(
	ctx context.Context, statement, column string, numbers []int64, scan func(*sql.Rows) error,
) error {
	return duckdb.EachNumbered(ctx, s.engine.Planned(), statement, column, numbers, scan)
}

// CodesByID returns the codes that exist of these. wanted is what the caller wants to know of what
// happened to them: StateAssigned the message that holds the code and its recipient, StateAddressed
// the address, StateSent, StateRedeemed and StateVoided when that happened. What is not wanted is
// missing where memory does not know it. Without StateRedeemed the status does not tell of
// redemptions.
func (s *Store) CodesByID(ctx context.Context, ids []coupon.ID, wanted coupon.CodeState) (
	map[coupon.ID]*coupon.Code, error,
) {
	return s.readCodes(ctx, numbersOf(coupon.KindCode, ids), wanted)
}

// readCode reads one code. value is its value; "" when only the rows know. It gives nil when there
// is no such code. Of a code to which nothing happened and whose value is known, memory knows
// everything: no statement is run.
func (s *Store) readCode(ctx context.Context, number int64, value string, wanted coupon.CodeState) (
	*coupon.Code, error,
) {
	d := s.memory.Describe([]int64{number}, wanted)
	if code := d.Codes[number]; code != nil && value != "" {
		code.Value = value
	}
	found, err := s.completeCodes(ctx, d)
	return found[coupon.NewID(coupon.KindCode, number)], err
}

// CodeByValue returns the code with this value, compared as this database compares codes, or nil.
// wanted is as for CodesByID.
func (s *Store) CodeByValue(ctx context.Context, value string, wanted coupon.CodeState) (
	*coupon.Code, error,
) {
	_, key, reason := s.keys.Parse(value)
	if reason != "" {
		return nil, nil //nolint:nilnil // what cannot be a code is no code
	}
	number, isRespelled := s.memory.Find(key)
	if isRespelled {
		key = ""
	}
	return s.readCode(ctx, number, key, wanted)
}

// CodesOf returns a page of each coupon's codes, in the order of their numbers. It returns INVALID
// for a filter that cannot be. wanted is as for CodesByID.
func (s *Store) CodesOf(
	ctx context.Context,
	coupons []coupon.ID,
	filter *coupon.CodeFilter,
	page coupon.Page,
	wanted coupon.CodeState,
) (map[coupon.ID]*coupon.List[*coupon.Code], error) {
	after := int64(0)
	if page.After != nil {
		after = page.After.Number
	}
	lists := make(map[coupon.ID]*coupon.List[*coupon.Code], len(coupons))
	pages := make(map[coupon.ID][]int64, len(coupons))
	var all []int64
	facts, err := s.codeFacts(ctx, s.engine, numbersOf(coupon.KindCoupon, coupons), filter)
	if err != nil {
		return nil, err
	}
	for _, id := range coupons {
		list := &coupon.List[*coupon.Code]{}
		lists[id] = list
		selected, candidates := s.selectCodes(coupon.MustNumber(coupon.KindCoupon, id),
			filter, facts)
		var numbers []int64
		if candidates == nil {
			numbers = s.memory.Page(selected, after, page.First+1)
			if page.WantsTotal {
				list.Total = s.memory.Count(selected)
			}
		} else {
			list.Total = len(candidates)
			begin, found := slices.BinarySearch(candidates, after)
			if found {
				begin++
			}
			numbers = candidates[begin:min(len(candidates), begin+page.First+1)]
		}
		if len(numbers) > page.First {
			numbers, list.HasNext = numbers[:page.First], true
		}
		pages[id] = numbers
		all = append(all, numbers...)
	}
	if !page.WantsItems {
		return lists, nil
	}
	found, err := s.readCodes(ctx, all, wanted)
	for id, numbers := range pages {
		lists[id].Items = inOrder(found, coupon.KindCode, numbers)
		lists[id].Cursors = cursorsOf(numbers)
	}
	return lists, err
}

// selectCodes makes a filter a selection of what memory knows. What only rows know are the facts
// that codeFacts gave; with them it gives the candidates, already narrowed by the selection. nil
// candidates mean: all of the selection.
func (s *Store) selectCodes(couponNumber int64, filter *coupon.CodeFilter, facts *facts) (
	*memory.Selection, []int64,
) {
	selected := &memory.Selection{CouponID: couponNumber, Now: s.now()}
	if filter == nil {
		return selected, nil
	}
	selected.Labels, selected.Status = filter.Label, filter.Status
	if filter.DeliveryID != nil {
		number, err := filter.DeliveryID.Number(coupon.KindDelivery)
		if err != nil {
			// A delivery that does not exist gave no codes away.
			return selected, []int64{}
		}
		selected.DeliveryID = number
	}
	if filter.ImportID != nil {
		number, err := filter.ImportID.Number(coupon.KindImport)
		if err != nil {
			// An import that does not exist brought no codes.
			return selected, []int64{}
		}
		selected.ImportID = number
	}
	if facts == nil {
		return selected, nil
	}
	if selected.BatchID = facts.batch; facts.byCoupon == nil {
		return selected, nil
	}
	return selected, s.memory.Keep(selected, facts.byCoupon[couponNumber])
}

// facts is what only rows know of the codes that a filter leaves.
type facts struct {
	// byCoupon has the numbers of these codes by coupon; nil when the filter has no such part.
	byCoupon map[int64][]int64
	// batch is the batch that the codes must be of, as memory knows; 0: any. Which codes a batch
	// voided only rows know.
	batch int64
}

// codeFacts returns what only rows know of the codes that a filter leaves. Coupons whose time zone,
// in which the filter's dates are meant, is the same share a statement.
func (s *Store) codeFacts(
	ctx context.Context, q duckdb.Querier, couponNumbers []int64, filter *coupon.CodeFilter,
) (*facts, error) {
	if filter == nil {
		return nil, nil //nolint:nilnil // nothing is filtered
	}
	found := &facts{}
	var voiding any
	if filter.BatchID != nil {
		number := optionalNumber(coupon.KindBatch, filter.BatchID)
		if known, _ := number.(int64); s.memory.HasBatch(known) {
			found.batch = known
		} else {
			voiding = number
		}
	}
	byZone := map[string][]int64{}
	for _, number := range couponNumbers {
		name := zoneOf(s, number).String()
		byZone[name] = append(byZone[name], number)
	}
	for _, numbers := range byZone {
		couponNumber := int64(0)
		if len(numbers) == 1 {
			couponNumber = numbers[0]
		}
		statement, args, err := s.factStatement(zoneOf(s, numbers[0]), couponNumber, filter)
		if err != nil {
			return nil, err
		}
		if voiding != nil {
			statement, args = strings.TrimPrefix(statement+"\nINTERSECT\n"+codeByVoid,
				"\nINTERSECT\n"), append(args, named("voiding", voiding))
		}
		if statement == "" {
			return found, nil
		}
		codes, err := collectNumbers(
			ctx,
			q,
			"-- the numbers of the codes that a filter leaves\nSELECT string_agg(id, ' ' ORDER BY id) FROM ("+statement+") GROUP BY id // 4096 ORDER BY min(id)",
			args...)
		if err != nil {
			return nil, err
		}
		known := make(map[int64][]int64, len(numbers))
		for _, number := range numbers {
			known[number] = []int64{}
		}
		s.memory.SortByCoupon(codes, known)
		if found.byCoupon == nil {
			found.byCoupon = map[int64][]int64{}
		}
		maps.Copy(found.byCoupon, known)
	}
	return found, nil
}

// factStatement returns the statement that answers the part of a filter which only rows know, for
// one coupon or for any (0): an intersection of fixed statements; "" when there is no such part.
func (s *Store) factStatement(zone *time.Location, couponNumber int64, filter *coupon.CodeFilter) (
	statement string, args []any, err error,
) {
	assigned, err := coupon.NewPeriod(filter.AssignedFrom, filter.AssignedTo, zone, "assigned")
	if err != nil {
		return "", nil, err
	}
	redeemed, err := coupon.NewPeriod(filter.RedeemedFrom, filter.RedeemedTo, zone, "redeemed")
	if err != nil {
		return "", nil, err
	}
	var parts []string
	if filter.RecipientID != nil || assigned != (coupon.Period{}) {
		parts = append(parts, codeByMessage)
		args = append(args, named("assigned_from", assigned.From),
			named("assigned_to", assigned.To),
			named("recipient_id", optionalNumber(coupon.KindRecipient, filter.RecipientID)))
	}
	if len(filter.Outcome) > 0 {
		parts = append(parts, codeByOutcome)
		args = append(args, named("outcome", texts(filter.Outcome)))
	}
	if redeemed != (coupon.Period{}) {
		parts = append(parts, codeByRedemption)
		args = append(args, named("redeemed_from", redeemed.From),
			named("redeemed_to", redeemed.To))
	}
	if filter.ValuePrefix != nil {
		parts = append(parts, codeByPrefix)
		args = append(args, named("coupon_id", couponNumber),
			named("prefix", s.keys.Prefix(*filter.ValuePrefix)))
	}
	return strings.Join(parts, "\nINTERSECT\n"), args, nil
}
