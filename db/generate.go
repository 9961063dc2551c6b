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

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// GenerateRequest asks for random codes. As JSON it is kept with a batch that a job makes.
type GenerateRequest struct {
	CouponID coupon.ID `json:"-"`
	Count    int       `json:"count"`
	Pattern  string    `json:"pattern"`
	Alphabet string    `json:"alphabet"`
	Label    *string   `json:"label,omitempty"`
	// IsJob: the codes are made by RunBatch, and nobody waits for them.
	IsJob bool `json:"-"`
}

// check returns INVALID for what nothing can be made of.
func (r *GenerateRequest) check(keys coupon.CodeKeys) (pattern *coupon.Pattern, label string, err error) {
	if r.Count < 1 || r.Count > coupon.MaxGeneratedCodes {
		return nil, "", coupon.Errorf(coupon.ErrorInvalid, "Generate 1 to %d codes at once, not %d.", coupon.MaxGeneratedCodes, r.Count).
			At("input", "count")
	}
	if pattern, err = coupon.NewPattern(r.Pattern, r.Alphabet, keys); err != nil {
		return nil, "", err
	}
	if r.Label != nil {
		var reason coupon.RejectionReason
		if label, reason = coupon.CleanLabel(*r.Label); reason != "" {
			return nil, "", coupon.Errorf(coupon.ErrorInvalid, "%s", reason.Message()).At("input", "label")
		}
	}
	return pattern, label, nil
}

// generatedSample is how many of the generated codes are shown.
const generatedSample = 10

// Generated are codes that were made, or are to be made by a job.
type Generated struct {
	Batch *coupon.CodeBatch
	// Sample are some of them that are there.
	Sample []string
	// GuessesForOneHit is how many random guesses hit one code of the pool on average; nil when it has none.
	GuessesForOneHit *float64
}

// GenerateCodes adds codes made from a pattern with a cryptographic source of randomness, none of which was in the database, or has a
// job do it. It returns NOT_FOUND, INVALID_STATE, INVALID and CODE_SPACE_TOO_SMALL.
func (s *Store) GenerateCodes(ctx context.Context, request *GenerateRequest) (*Generated, error) {
	pattern, label, err := request.check(s.keys)
	if err != nil {
		return nil, err
	}
	g := &generator{store: s, pattern: pattern, label: label, couponID: request.CouponID, count: request.Count}
	begin := g.make
	if request.IsJob {
		begin = func(ctx context.Context) error { return g.queue(ctx, request) }
	}
	id := coupon.ID("")
	if err = begin(ctx); err == nil {
		id = coupon.NewID(coupon.KindBatch, g.batch)
	} else if before := repeatOf(err); before != nil {
		id, err = before.object, nil
	}
	if err != nil {
		return nil, s.cutOff(err)
	}
	// It is done, whether or not its caller stays.
	return g.tell(context.WithoutCancel(ctx), id)
}

// tell returns what became of a batch, as it is now.
func (g *generator) tell(ctx context.Context, id coupon.ID) (*Generated, error) {
	s := g.store
	number := coupon.MustNumber(coupon.KindBatch, id)
	b, err := s.batchByNumber(ctx, number)
	if err != nil {
		return nil, err
	}
	made := &Generated{Batch: b}
	total := s.memory.Availability(coupon.MustNumber(coupon.KindCoupon, b.CouponID), s.now()).Total
	if !b.Status.IsFinal() {
		total += b.RequestedCount
	}
	if total > 0 {
		made.GuessesForOneHit = new(g.pattern.Space() / float64(total))
	}
	made.Sample, err = s.sampleOf(ctx, number)
	return made, err
}

// sampleOf returns some of the codes that a batch brought and that are there.
func (s *Store) sampleOf(ctx context.Context, batch int64) ([]string, error) {
	var first, last int64
	err := duckdb.Each(ctx, s.engine, codeBatchCodes, func(rows *sql.Rows) error { return rows.Scan(&first, &last) }, named("id", batch))
	if err != nil || last < first {
		return nil, err
	}
	numbers := make([]int64, 0, generatedSample)
	for i := range int64(generatedSample) {
		numbers = append(numbers, first+i*(last-first)/max(1, generatedSample-1))
	}
	numbers = slices.Compact(numbers)
	return duckdb.Collect(ctx, s.engine, codeSample, duckdb.ScanInto[string], append(between(numbers), named("batch_id", batch))...)
}

// maxMisses is how many random codes in a row may exist already before the search is given up: codes of
// other coupons can fill a space that is wide enough for this one.
const maxMisses = 1_000_000

// generator draws codes that are unlike each other and unlike every code of the database.
type generator struct {
	store    *Store
	couponID coupon.ID
	count    int
	pattern  *coupon.Pattern
	label    string
	// batch is the number of the batch: a job's from the beginning, another one's when its codes are there.
	batch int64
	// progress is that of the job; nil: there is none.
	progress *rowProgress
	random   *bufio.Reader
	// drawn holds the hashes of the codes drawn so far.
	drawn  *hashSet
	failed error
}

// make draws codes and adds them, again when somebody added one of them meanwhile.
func (g *generator) make(ctx context.Context) error {
	for {
		g.random, g.drawn = bufio.NewReaderSize(rand.Reader, 1<<16), newHashSet(g.count)
		if err := g.add(ctx); !errors.Is(err, errRival) {
			return err
		}
		if g.progress != nil {
			g.progress.rows.Store(0)
			g.progress.stored.Store(0)
		}
	}
}

// add draws codes and adds them beside the writer, which serves others meanwhile. It returns errRival when one of them
// was added by others, too.
func (g *generator) add(ctx context.Context) (err error) {
	s := g.store
	ctx, leave := s.within(ctx)
	defer leave()
	var couponNumber int64
	err = s.update(ctx, func(ctx context.Context, t *turn) (err error) {
		couponNumber, err = g.check(ctx, t)
		return err
	})
	if err != nil {
		return err
	}
	rows, err := s.newCodeRows()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.remove()) }()
	rows.areDistinct = true
	if err := g.drawAll(ctx, rows); err != nil {
		return err
	}
	g.drawn = nil
	addition := &codeAddition{kind: coupon.BatchGenerated, recorded: g.batch, createdBy: callerOf(ctx), couponNumber: couponNumber, rows: rows}
	if g.progress != nil {
		addition.advance = g.progress.advance
	}
	err = s.beside(ctx, s.additions, func(ctx context.Context, t *tx) error {
		if err := t.insertCodes(ctx, addition, nil); err != nil {
			return err
		}
		if addition.count != g.count {
			return errRival
		}
		return nil
	}, func(inner context.Context, t *turn) error {
		if g.progress != nil && ctx.Err() != nil {
			return fmt.Errorf("store the codes: %w", context.Cause(ctx))
		}
		return g.finish(inner, t, addition)
	})
	g.batch = addition.batch
	return err
}

// check refuses a coupon that takes no codes, and a pattern with too little room.
func (g *generator) check(ctx context.Context, t *turn) (couponNumber int64, err error) {
	if err := t.once(ctx); err != nil {
		return 0, err
	}
	if couponNumber, err = t.poolOf(ctx, g.couponID, coupon.ImportAdd); err != nil {
		return 0, err
	}
	return couponNumber, g.pattern.CheckSpace(t.store.memory.Availability(couponNumber, t.now).Total + g.count)
}

// finish is called in the writer's turn before the codes are committed.
func (g *generator) finish(ctx context.Context, t *turn, a *codeAddition) error {
	if err := t.once(ctx); err != nil {
		return err
	}
	if _, err := t.poolOf(ctx, g.couponID, coupon.ImportAdd); err != nil {
		return err
	}
	if err := t.checkRivals(ctx, a); err != nil {
		return err
	}
	if g.progress != nil {
		return t.finishBatch(ctx, a.batch, &batchOutcome{status: coupon.ImportSucceeded, first: a.first, last: a.last, count: a.count})
	}
	return t.made(ctx, coupon.NewID(coupon.KindBatch, a.batch), nil)
}

// drawAll draws codes until there are enough that are new.
func (g *generator) drawAll(ctx context.Context, rows *codeRows) error {
	var text []byte
	made := 0
	position := func() (done, all int64) { return int64(made), int64(g.count) }
	for misses := 0; made < g.count; misses++ {
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
		if err := rows.put(made+1, value, key, g.label); err != nil {
			return err
		}
		made++
		misses = 0
		if g.progress != nil {
			if err := g.progress.count(ctx, position); err != nil {
				return err
			}
		} else if made%rowsPerCheck == 0 && ctx.Err() != nil {
			return fmt.Errorf("draw codes: %w", context.Cause(ctx))
		}
	}
	return nil
}

// isKnown reports whether a code with this hash exists or was drawn before. Another code with the same
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

// draw returns a uniform number below n, which is at most 256: bytes beyond the largest multiple of n are
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
