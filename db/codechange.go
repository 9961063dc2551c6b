package db

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// zoneOf gives the time zone of a coupon; UTC when there is none.
func zoneOf(s *Store, couponNumber int64) *time.Location {
	if known := s.memory.Coupon(couponNumber); known != nil {
		if zone, err := coupon.LoadZone(known.Timezone); err == nil {
			return zone
		}
	}
	return time.UTC
}

// GenerateRequest asks for random codes.
type GenerateRequest struct {
	CouponID coupon.ID
	Count    int
	Pattern  string
	Alphabet string
	Label    *string
}

// generatedSample is how many of the generated codes are shown.
const generatedSample = 10

// GenerateCodes adds codes made from a pattern with a cryptographic source of randomness, none of which
// was in the database. It gives a sample, and how many random guesses hit one code of the pool on
// average. It returns NOT_FOUND, INVALID_STATE, INVALID and CODE_SPACE_TOO_SMALL.
func (s *Store) GenerateCodes(ctx context.Context, request *GenerateRequest) (sample []string, guessesForOneHit float64, err error) {
	if request.Count < 1 || request.Count > coupon.MaxGeneratedCodes {
		return nil, 0, coupon.Errorf(coupon.ErrorInvalid, "Generate 1 to %d codes at once, not %d.", coupon.MaxGeneratedCodes, request.Count).
			At("input", "count")
	}
	pattern, err := coupon.NewPattern(request.Pattern, request.Alphabet, s.keys)
	if err != nil {
		return nil, 0, err
	}
	label := ""
	if request.Label != nil {
		var reason coupon.RejectionReason
		if label, reason = coupon.CleanLabel(*request.Label); reason != "" {
			return nil, 0, coupon.Errorf(coupon.ErrorInvalid, "%s", reason.Message()).At("input", "label")
		}
	}
	for {
		g := &generator{store: s, pattern: pattern, label: label, random: bufio.NewReaderSize(rand.Reader, 1<<16), drawn: newHashSet(request.Count)}
		guessesForOneHit, err = g.add(ctx, request.CouponID, request.Count)
		if !errors.Is(err, errRival) {
			return g.sample, guessesForOneHit, s.cutOff(err)
		}
		// Somebody added one of the codes meanwhile: draw again.
	}
}

// maxMisses is how many random codes in a row may exist already before the search is given up: codes of
// other coupons can fill a space that is wide enough for this one.
const maxMisses = 1_000_000

// generator draws codes that are unlike each other and unlike every code of the database.
type generator struct {
	store   *Store
	pattern *coupon.Pattern
	label   string
	random  *bufio.Reader
	// drawn holds the hashes of the codes drawn so far.
	drawn  *hashSet
	sample []string
	failed error
}

// add draws codes and adds them beside the writer, which serves others meanwhile. It returns errRival when one of them
// was added by others, too.
func (g *generator) add(ctx context.Context, couponID coupon.ID, count int) (guessesForOneHit float64, err error) {
	s := g.store
	ctx, leave := s.within(ctx)
	defer leave()
	couponNumber, err := g.check(ctx, couponID, count)
	if err != nil {
		return 0, err
	}
	rows, err := s.newCodeRows()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.remove()) }()
	rows.areDistinct = true
	if err := g.drawAll(ctx, rows, count); err != nil {
		return 0, err
	}
	g.drawn = nil
	addition := &codeAddition{couponNumber: couponNumber, rows: rows}
	err = s.beside(ctx, s.additions, func(ctx context.Context, t *tx) error {
		if err := t.insertCodes(ctx, addition, nil); err != nil {
			return err
		}
		if addition.count != count {
			return errRival
		}
		return nil
	}, func(ctx context.Context, t *turn) error {
		if _, err := t.poolOf(ctx, couponID, coupon.ImportAdd); err != nil {
			return err
		}
		return t.checkRivals(ctx, addition)
	})
	if err != nil {
		return 0, err
	}
	return g.pattern.Space() / float64(s.memory.Availability(couponNumber, s.now()).Total), nil
}

// check refuses a coupon that takes no codes, and a pattern with too little room.
func (g *generator) check(ctx context.Context, couponID coupon.ID, count int) (couponNumber int64, err error) {
	err = g.store.update(ctx, func(ctx context.Context, t *turn) error {
		if couponNumber, err = t.poolOf(ctx, couponID, coupon.ImportAdd); err != nil {
			return err
		}
		return g.pattern.CheckSpace(g.store.memory.Availability(couponNumber, t.now).Total + count)
	})
	return couponNumber, err
}

// drawAll draws codes until there are enough that are new.
func (g *generator) drawAll(ctx context.Context, rows *codeRows, count int) error {
	var text []byte
	for line, misses := 1, 0; line <= count; misses++ {
		if misses > maxMisses {
			return coupon.Errorf(coupon.ErrorCodeSpaceTooSmall, "Nearly every code that the pattern can make exists already, be it of another coupon. Use more %q or a larger alphabet.", coupon.PatternMark).
				At("input", "pattern")
		}
		text = g.pattern.Append(text[:0], g.draw)
		if g.failed != nil {
			return g.failed
		}
		value, key, reason := g.store.keys.Parse(string(text))
		if reason != "" {
			return coupon.Errorf(coupon.ErrorInvalid, "The pattern makes values that cannot be codes, such as %q.", text).At("input", "pattern")
		}
		if g.isKnown(key) {
			continue
		}
		if len(g.sample) < generatedSample {
			g.sample = append(g.sample, value)
		}
		if err := rows.put(line, value, key, g.label); err != nil {
			return err
		}
		if line%rowsPerCheck == 0 && ctx.Err() != nil {
			return fmt.Errorf("draw codes: %w", context.Cause(ctx))
		}
		line++
		misses = 0
	}
	return nil
}

// isKnown tells whether a code with this hash exists or was drawn before. Another code with the same
// hash is as good a reason to draw again: there are plenty.
func (g *generator) isKnown(key string) bool {
	isThere := false
	g.store.memory.Read(func(v memory.View) {
		for range v.Candidates(key) {
			isThere = true
			return
		}
		_, isThere = v.CouponOfKey(key)
	})
	return isThere || !g.drawn.add(g.store.memory.Hash(key))
}

// draw gives a uniform number below n, which is at most 256: bytes beyond the largest multiple of n are
// thrown away, since they would favour small numbers.
func (g *generator) draw(n int) int {
	limit := 256 - 256%n
	for {
		b, err := g.random.ReadByte()
		if err != nil {
			g.failed = fmt.Errorf("read random bytes: %w", errors.Join(err, io.ErrUnexpectedEOF))
			return 0
		}
		if int(b) < limit {
			return int(b) % n
		}
	}
}

// CodeSelection names codes of a coupon: those with the values, narrowed by the filter. One of the two
// must be given.
type CodeSelection struct {
	CouponID coupon.ID
	Values   []string
	Filter   *coupon.CodeFilter
}

// choose gives the numbers of the selected codes, in order.
func (t *turn) choose(ctx context.Context, selection *CodeSelection) ([]int64, error) {
	couponNumber, _, err := t.coupon(ctx, selection.CouponID)
	if err != nil {
		return nil, atInput(err, "couponId")
	}
	switch {
	case selection.Values == nil && selection.Filter == nil:
		return nil, coupon.Errorf(coupon.ErrorInvalid, "Say which codes: give their values, or a filter ({} for all).").At("input")
	case len(selection.Values) > coupon.MaxAddedCodes:
		return nil, coupon.Errorf(coupon.ErrorInvalid, "Give at most %d values; use a filter for more.", coupon.MaxAddedCodes).At("input", "values")
	}
	facts, err := t.store.codeFacts(ctx, t, []int64{couponNumber}, selection.Filter)
	if err != nil {
		return nil, err
	}
	selected, candidates := t.store.selectCodes(couponNumber, selection.Filter, facts)
	if selection.Values != nil {
		named := t.numbersOfValues(selection.Values)
		if candidates == nil {
			return t.store.memory.Keep(selected, named), nil
		}
		return slices.DeleteFunc(named, func(n int64) bool {
			_, found := slices.BinarySearch(candidates, n)
			return !found
		}), nil
	}
	if candidates == nil {
		candidates = t.store.memory.All(selected)
	}
	return candidates, nil
}

// numbersOfValues gives the numbers of the codes with these values, in order.
func (t *turn) numbersOfValues(values []string) []int64 {
	numbers := make([]int64, 0, len(values))
	for _, value := range values {
		if _, key, reason := t.store.keys.Parse(value); reason == "" {
			if number, _ := t.store.memory.Find(key); number != 0 {
				numbers = append(numbers, number)
			}
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// VoidCodes makes codes worthless for good; redeemed ones stay redeemed, and voiding a voided code again
// changes nothing. It gives how many codes were voided. It returns NOT_FOUND and INVALID.
func (s *Store) VoidCodes(ctx context.Context, selection *CodeSelection) (voided int, err error) {
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		numbers, err := t.choose(ctx, selection)
		if err != nil {
			return err
		}
		numbers = s.memory.KeepStates(numbers, func(_ int64, state coupon.CodeState) bool {
			return !state.Has(coupon.StateRedeemed | coupon.StateVoided)
		})
		voided = len(numbers)
		return t.void(ctx, numbers, "voided by voidCodes")
	})
	return voided, err
}

func (t *turn) void(ctx context.Context, numbers []int64, reason string) error {
	if len(numbers) == 0 {
		return nil
	}
	if _, err := t.Exec(ctx, codeVoidInsert, named("ids", numbers), named("now", t.now), named("reason", reason)); err != nil {
		return err
	}
	t.change(func(c memory.Change) { c.Update(numbers, coupon.StateVoided, 0) })
	return nil
}

// ReleaseCodes gives assigned codes back to the pool. A code that was not sent takes its message with it,
// which is then canceled; a sent one is kept unless evenIfSent, and so is every code of a delivery that
// is being sent right now. It gives how many codes were released and how many kept. It returns NOT_FOUND
// and INVALID.
func (s *Store) ReleaseCodes(ctx context.Context, selection *CodeSelection, evenIfSent bool, reason string) (released, kept int, err error) {
	reason, bad := coupon.CleanLabel(reason)
	if reason == "" || bad != "" {
		return 0, 0, coupon.Errorf(coupon.ErrorInvalid, "Give a reason of 1 to %d characters: it stays in the history of every code.", coupon.MaxTextLength).
			At("input", "reason")
	}
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		chosen, err := t.choose(ctx, selection)
		if err != nil {
			return err
		}
		count := len(chosen)
		numbers := s.memory.KeepStates(chosen, func(_ int64, state coupon.CodeState) bool {
			return state.Has(coupon.StateAssigned) && !state.Has(coupon.StateRedeemed|coupon.StateVoided) && (evenIfSent || !state.Has(coupon.StateSent))
		})
		kept = count - len(numbers)
		if len(numbers) == 0 {
			return nil
		}
		sending, err := duckdb.Collect(ctx, t, codeReturnUnsendable, duckdb.ScanInto[int64], between(numbers)...)
		if err != nil {
			return err
		}
		slices.Sort(sending)
		numbers = slices.DeleteFunc(numbers, func(n int64) bool {
			_, isSending := slices.BinarySearch(sending, n)
			return isSending
		})
		kept += len(sending)
		released = len(numbers)
		return t.release(ctx, numbers, reason)
	})
	return released, kept, err
}

// between gives numbers as parameters, with their bounds: the engine skips what lies outside.
func between(numbers []int64) []any {
	return []any{named("ids", numbers), named("first", slices.Min(numbers)), named("last", slices.Max(numbers))}
}

func (t *turn) release(ctx context.Context, numbers []int64, reason string) error {
	if len(numbers) == 0 {
		return nil
	}
	args := append(between(numbers), named("now", t.now), named("reason", reason))
	canceled, err := t.Exec(ctx, messageCancelByCode, args...)
	if err != nil {
		return err
	}
	if canceled > 0 {
		if _, err := t.Exec(ctx, deliveryRecount); err != nil {
			return err
		}
	}
	returned, err := t.Exec(ctx, codeReturnInsert, args...)
	if err != nil {
		return err
	}
	if returned != len(numbers) {
		return fmt.Errorf("release codes: %d of %d were held by a message", returned, len(numbers))
	}
	t.change(func(c memory.Change) { c.Update(numbers, 0, coupon.StateAssigned|coupon.StateSent) })
	return nil
}

// EventsOf tells what happened to each of the codes, oldest first.
func (s *Store) EventsOf(ctx context.Context, codes []coupon.ID) (map[coupon.ID][]*coupon.CodeEvent, error) {
	events := make(map[coupon.ID][]*coupon.CodeEvent, len(codes))
	numbers := numbersOf(coupon.KindCode, codes)
	if len(numbers) == 0 {
		return events, nil
	}
	_, err := duckdb.Collect(ctx, s.engine, codeEvents, func(rows *sql.Rows) (struct{}, error) {
		var number int64
		var deliveryNumber *int64
		var at time.Time
		var kind coupon.CodeEventKind
		var detail *string
		if err := rows.Scan(&number, &at, &kind, &deliveryNumber, &detail); err != nil {
			return struct{}{}, err
		}
		if detail == nil {
			detail = new(string)
		}
		id := coupon.NewID(coupon.KindCode, number)
		events[id] = append(events[id], coupon.NewCodeEvent(at, kind, coupon.NewIDPtr(coupon.KindDelivery, deliveryNumber), *detail))
		return struct{}{}, nil
	}, between(numbers)...)
	return events, err
}
