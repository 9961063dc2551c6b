package db

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"couponql/coupon"
	"couponql/db/duckdb/memory"
)

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

// Generated are codes that were made.
type Generated struct {
	Batch *coupon.CodeBatch `json:"-"`
	// Sample are some of them.
	Sample []string
	// GuessesForOneHit is how many random guesses hit one code of the pool on average.
	GuessesForOneHit float64
}

// GenerateCodes adds codes made from a pattern with a cryptographic source of randomness, none of which was in the database. It
// returns NOT_FOUND, INVALID_STATE, INVALID and CODE_SPACE_TOO_SMALL.
func (s *Store) GenerateCodes(ctx context.Context, request *GenerateRequest) (*Generated, error) {
	if request.Count < 1 || request.Count > coupon.MaxGeneratedCodes {
		return nil, coupon.Errorf(coupon.ErrorInvalid, "Generate 1 to %d codes at once, not %d.", coupon.MaxGeneratedCodes, request.Count).
			At("input", "count")
	}
	pattern, err := coupon.NewPattern(request.Pattern, request.Alphabet, s.keys)
	if err != nil {
		return nil, err
	}
	label := ""
	if request.Label != nil {
		var reason coupon.RejectionReason
		if label, reason = coupon.CleanLabel(*request.Label); reason != "" {
			return nil, coupon.Errorf(coupon.ErrorInvalid, "%s", reason.Message()).At("input", "label")
		}
	}
	for {
		g := &generator{store: s, pattern: pattern, label: label, random: bufio.NewReaderSize(rand.Reader, 1<<16), drawn: newHashSet(request.Count)}
		made, err := g.add(ctx, request.CouponID, request.Count)
		if before := repeatOf(err); before != nil {
			return s.generatedBefore(ctx, before)
		}
		if !errors.Is(err, errRival) {
			return made, s.cutOff(err)
		}
		// Somebody added one of the codes meanwhile: draw again.
	}
}

// generatedBefore gives what a key generated before.
func (s *Store) generatedBefore(ctx context.Context, before *repeated) (*Generated, error) {
	made := &Generated{}
	if err := before.tell(made); err != nil {
		return nil, err
	}
	found, err := s.CodeBatchesByID(ctx, []coupon.ID{before.object})
	made.Batch, err = there(found, before, err)
	return made, err
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
func (g *generator) add(ctx context.Context, couponID coupon.ID, count int) (made *Generated, err error) {
	s := g.store
	ctx, leave := s.within(ctx)
	defer leave()
	couponNumber, err := g.check(ctx, couponID, count)
	if err != nil {
		return nil, err
	}
	rows, err := s.newCodeRows()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.remove()) }()
	rows.areDistinct = true
	if err := g.drawAll(ctx, rows, count); err != nil {
		return nil, err
	}
	g.drawn = nil
	addition := &codeAddition{kind: coupon.BatchGenerated, createdBy: callerOf(ctx), couponNumber: couponNumber, rows: rows}
	err = s.beside(ctx, s.additions, func(ctx context.Context, t *tx) error {
		if err := t.insertCodes(ctx, addition, nil); err != nil {
			return err
		}
		if addition.count != count {
			return errRival
		}
		return nil
	}, func(ctx context.Context, t *turn) error {
		if err := t.once(ctx); err != nil {
			return err
		}
		if _, err := t.poolOf(ctx, couponID, coupon.ImportAdd); err != nil {
			return err
		}
		if err := t.checkRivals(ctx, addition); err != nil {
			return err
		}
		total := s.memory.Availability(couponNumber, t.now).Total + count
		made = &Generated{Sample: g.sample, GuessesForOneHit: g.pattern.Space() / float64(total)}
		return t.made(ctx, coupon.NewID(coupon.KindBatch, addition.batch), made)
	})
	if err != nil {
		return nil, err
	}
	made.Batch, err = s.batchByNumber(context.WithoutCancel(ctx), addition.batch)
	return made, err
}

// check refuses a coupon that takes no codes, and a pattern with too little room.
func (g *generator) check(ctx context.Context, couponID coupon.ID, count int) (couponNumber int64, err error) {
	err = g.store.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.once(ctx); err != nil {
			return err
		}
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
		if reason != "" && reason != coupon.RejectedAmbiguousCode {
			return coupon.Errorf(coupon.ErrorInvalid, "The pattern makes values that cannot be codes, such as %q.", text).At("input", "pattern")
		}
		if reason != "" || g.isKnown(key) {
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
