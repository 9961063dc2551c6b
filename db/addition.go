package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// codeRows are new codes on their way into a pool.
type codeRows struct {
	store *Store
	// rows has a row a code: line, key, value where it differs, label.
	rows *duckdb.Spool
	// candidates has a row for each code that may exist already: line, number of the candidate.
	candidates *duckdb.Spool
	rejected   rejectedSpool
	// seen is the last run that was added when the rows were begun: later ones were added since by others.
	seen int
	// areDistinct: no two rows are alike.
	areDistinct bool
	// ofCoupons: a row begins with the number of its coupon, which is couponNumber when it is added.
	ofCoupons    bool
	couponNumber int64
}

func (s *Store) newCodeRows() (*codeRows, error) {
	spools, err := s.engine.NewSpools(3)
	if err != nil {
		return nil, err
	}
	return &codeRows{store: s, rows: spools[0], candidates: spools[1], rejected: rejectedSpool{spools[2]}, seen: s.memory.LastRun()}, nil
}

// reject notes a row that is not imported.
func (c *codeRows) reject(line int, reason coupon.RejectionReason, value string) error {
	return c.rejected.add(line, reason, value)
}

// total is how many rows there are, with those that are rejected already.
func (c *codeRows) total() int { return c.rows.Rows() + c.rejected.Rows() }

// rejections is how many rows are rejected already.
func (c *codeRows) rejections() int { return c.rejected.Rows() }

func (c *codeRows) remove() error {
	return errors.Join(c.rows.Remove(), c.candidates.Remove(), c.rejected.Remove())
}

// add takes a raw code of a line, or rejects it when it cannot be one.
func (c *codeRows) add(line int, raw, rawLabel string) error {
	value, key, reason := c.store.keys.Parse(raw)
	if reason != "" {
		return c.rejected.add(line, reason, raw)
	}
	label, reason := coupon.CleanLabel(rawLabel)
	if reason != "" {
		return c.rejected.add(line, reason, rawLabel)
	}
	return c.put(line, value, key, label)
}

func (c *codeRows) put(line int, value, key, label string) error {
	if err := c.store.addCandidates(c.candidates, line, key); err != nil {
		return err
	}
	if value == key {
		value = ""
	}
	if c.ofCoupons {
		c.rows.Number(c.couponNumber)
	}
	return c.rows.Number(int64(line)).Text(key).Optional(value).Optional(label).End()
}

// addCandidates adds a row for each code that may have this key: line, number of the code.
func (s *Store) addCandidates(candidates *duckdb.Spool, line int, key string) (err error) {
	s.memory.Read(func(v memory.View) {
		for number := range v.Candidates(key) {
			if err = candidates.Number(int64(line)).Number(number).End(); err != nil {
				return
			}
		}
	})
	return err
}

// codeAddition is an addition of codes to a pool.
type codeAddition struct {
	kind coupon.CodeBatchKind
	// recorded is the number of the batch when it was recorded before its codes were there; 0: it was not.
	recorded int64
	// couponNumber is that of the coupon; 0 when each row has one, and couponNumbers are those that get codes.
	couponNumber  int64
	couponNumbers []int64
	// importNumber is that of the import that adds them; 0 when none does.
	importNumber int64
	// createdBy is what the audit log calls who asked for them; nil when nobody knows.
	createdBy *string
	rows      *codeRows
	gate      gate
	// replacesUnused: codes of the coupon, or of the coupons that the file names, which nobody ever had make way for the new ones.
	replacesUnused bool
	named          map[int64]struct{}
	// unused are those codes; removed is how many made, or would make, way.
	unused  []memory.Span
	removed int
	// advance is told how much is done, in per cent; nil when nobody wants to know.
	advance func(percent int64)
	// count is how many codes are, or would be, added; when they are, batch is that of them, or the first of several, and first and
	// last are their numbers.
	count              int
	batch, first, last int64
}

// replaces reports whether codes of a run make way.
func (a *codeAddition) replaces(r *memory.Run) bool {
	if a.named == nil {
		return r.CouponID == a.couponNumber
	}
	_, isNamed := a.named[r.CouponID]
	return isNamed
}

func (a *codeAddition) tell(percent int64) {
	if a.advance != nil {
		a.advance(percent)
	}
}

// insertCodes adds the rows that can be added to a pool, and leaves those that cannot in the temporary
// table rejected. The gate may keep all of them out. w is that of an addition that replaces codes.
func (t *tx) insertCodes(ctx context.Context, a *codeAddition, w *memory.Witness) error {
	rows := a.rows
	stage := codeStage
	if rows.ofCoupons {
		stage = codeStageCoupons
	}
	if err := t.stage(ctx, stage, rows.rows, rows.rejected); err != nil {
		return err
	}
	a.tell(20)
	a.couponNumbers = nil
	a.first, a.last, a.unused = 0, 0, nil
	if a.replacesUnused {
		var err error
		if a.unused, err = t.unusedCodes(ctx, w, a.replaces); err != nil {
			return err
		}
	}
	a.removed = memory.CountOf(a.unused)
	if err := t.createUnused(ctx, a.unused); err != nil {
		return err
	}
	var couponNumber any
	if !rows.ofCoupons {
		couponNumber = a.couponNumber
	}
	if err := t.rejectCodes(ctx, couponNumber, rows); err != nil {
		return err
	}
	a.tell(50)
	rejected, err := duckdb.One[int](ctx, t, rejectedCount)
	if err != nil {
		return err
	}
	a.count = rows.total() - rejected
	if !a.gate.opens(rejected) {
		a.unused = nil
		return nil
	}
	if err := t.deleteUnused(ctx, a.unused); err != nil || a.count == 0 {
		return err
	}
	return t.insertBatch(ctx, a)
}

// reconcileAddition is called in the writer's turn before codes that were added beside it, and took the place of others, are
// committed. Beside what checkRivals returns, errRival when others made a row impossible and the file is whole or nothing.
func (t *turn) reconcileAddition(ctx context.Context, a *codeAddition, w *memory.Witness) error {
	if err := t.checkRivals(ctx, a); err != nil || len(a.unused) == 0 {
		return err
	}
	stay, err := t.reconcileRemoval(ctx, a.unused, w)
	if err != nil {
		return err
	}
	if len(stay) > 0 && a.gate.most != nil {
		return errRival
	}
	a.removed -= len(stay)
	return t.yieldCodes(ctx, a, stay)
}

// insertBatch writes the staged codes that were not rejected: as one batch, or as one for each coupon that gets codes, one after the
// other.
func (t *tx) insertBatch(ctx context.Context, a *codeAddition) error {
	batches := 1
	switch {
	case a.recorded != 0:
		batches = 0
	case a.rows.ofCoupons:
		var err error
		if a.couponNumbers, err = duckdb.Collect(ctx, t, codeStagedCoupons, duckdb.ScanInto[int64]); err != nil {
			return err
		}
		batches = len(a.couponNumbers)
	}
	a.batch, a.first = t.store.memory.TakeCodes(a.count, batches)
	lastBatch := a.batch + int64(batches) - 1
	if a.recorded != 0 {
		a.batch, lastBatch = a.recorded, a.recorded
	}
	a.last = a.first + int64(a.count) - 1
	if a.last > memory.MaxCodeNumber {
		return fmt.Errorf("the database is full: it holds at most %d codes", memory.MaxCodeNumber)
	}
	write := t.writeBatch
	if a.rows.ofCoupons {
		write = t.writeBatches
	}
	added, err := write(ctx, a, lastBatch)
	if err != nil {
		return err
	}
	if added != a.count {
		return fmt.Errorf("add codes: %d were added instead of %d", added, a.count)
	}
	a.tell(80)
	return t.indexCodes(ctx, a, lastBatch)
}

func (t *tx) writeBatch(ctx context.Context, a *codeAddition, _ int64) (added int, err error) {
	if a.recorded == 0 {
		if err := t.recordBatch(ctx, &batchRow{
			number: a.batch, kind: a.kind, couponNumber: a.couponNumber, importNumber: a.importNumber, first: a.first, last: a.last, count: a.count,
			createdBy: a.createdBy,
		}); err != nil {
			return 0, err
		}
	}
	return t.Exec(ctx, codeInsert, named("first_id", a.first), named("batch_id", a.batch), named("coupon_id", a.couponNumber))
}

func (t *tx) writeBatches(ctx context.Context, a *codeAddition, lastBatch int64) (added int, err error) {
	if _, err := t.Exec(ctx, codeBatchInsertCoupons, named("first_batch", a.batch), named("import_id", a.importNumber), named("first_id", a.first),
		named("created_by", a.createdBy), named("now", t.now)); err != nil {
		return 0, err
	}
	return t.Exec(ctx, codeInsertCoupons, named("first_id", a.first), named("first_batch", a.batch), named("last_batch", lastBatch))
}

// checkRivals is called in the writer's turn before codes that were added beside it are committed. It returns errRival
// when another code or a coupon that was committed since they were compared has the key of one of them.
func (t *turn) checkRivals(ctx context.Context, a *codeAddition) error {
	if a.last == 0 {
		return nil
	}
	m := t.store.memory
	var suspects []int64
	keys := map[string]struct{}{}
	look := func(v memory.View, key string) {
		for number := range v.Candidates(key) {
			if number >= a.first && number <= a.last {
				suspects = append(suspects, number)
				keys[key] = struct{}{}
			}
		}
	}
	for _, r := range m.RunsSince(a.rows.seen) {
		err := eachKeys(ctx, t.store.engine, r.First, r.Last, func(packs []keyPack) {
			for _, pack := range packs {
				m.Read(func(v memory.View) {
					pack.each(func(_ int64, key string, _ bool) { look(v, key) })
				})
			}
		})
		if err != nil {
			return err
		}
	}
	m.Read(func(v memory.View) {
		for key := range v.CouponKeys() {
			look(v, key)
		}
	})
	return duckdb.EachNumbered(ctx, t, codeKey, "id", suspects, func(rows *sql.Rows) error {
		var number int64
		var key string
		err := rows.Scan(&number, &key)
		if _, isRival := keys[key]; isRival && err == nil {
			return errRival
		}
		return err
	})
}

// rejectCodes rejects the staged codes that exist, other than those in the temporary table unused, and all but the
// first of those that are alike. Without a coupon each row has its own.
func (t *tx) rejectCodes(ctx context.Context, couponNumber any, rows *codeRows) error {
	if rows.candidates.Rows() > 0 {
		path, err := rows.candidates.Flush()
		if err != nil {
			return err
		}
		if _, err := t.Exec(ctx, codeRejectExisting, named("path", path), named("coupon_id", couponNumber)); err != nil {
			return err
		}
	}
	for _, r := range t.store.memory.RunsSince(rows.seen) {
		if _, err := t.Exec(ctx, codeRejectNewer, named("first_id", r.First), named("last_id", r.Last), named("coupon_id", couponNumber)); err != nil {
			return err
		}
	}
	if _, err := t.Exec(ctx, codeRejectCoupons, named("coupon_id", couponNumber)); err != nil || rows.areDistinct {
		return err
	}
	_, err := t.Exec(ctx, codeRejectDoubles)
	return err
}

// indexCodes reads new batches, up to the last one, back and takes them over into memory when they are on disk.
func (t *tx) indexCodes(ctx context.Context, a *codeAddition, lastBatch int64) error {
	runs, err := duckdb.Collect(ctx, t, codeBatchRuns, func(rows *sql.Rows) (*memory.Run, error) {
		r := &memory.Run{ImportID: a.importNumber, AddedAt: t.now}
		err := rows.Scan(&r.BatchID, &r.CouponID, &r.Label, &r.First, &r.Last)
		return r, err
	}, named("batch_id", a.batch), named("last_batch_id", lastBatch), named("first_id", a.first))
	if err != nil {
		return err
	}
	addition := t.store.memory.NewAddition(a.first, a.last)
	t.onFailure(addition.Forget)
	err = eachKeys(ctx, t, a.first, a.last, func(packs []keyPack) {
		for _, pack := range packs {
			pack.each(addition.Put)
		}
		addition.Index()
	})
	if err != nil {
		return err
	}
	t.change(func(c memory.Change) { c.Add(addition, runs) })
	return addition.Check()
}

// keysPerStatement is how many keys are packed by one statement: the engine holds all of them in memory.
const keysPerStatement = 1 << 20

// keyPack is the keys of codes whose numbers lie less than keysPerPack above base, in no order, as pool_keys.sql packs
// them: a line for each, that ends with a tag.
type keyPack struct {
	base int64
	text string
}

// The statement has these numbers as literals: with parameters it takes half as long again.
const (
	keysPerPack = 4096
	// A tag is a character of this plane, plus the distance of the number from the base, plus respelledTag when the
	// code's value is spelled otherwise than its key.
	tagPlane     = 0xF0000
	respelledTag = keysPerPack
)

// each gives each code of the pack.
func (p keyPack) each(take func(number int64, key string, isRespelled bool)) {
	for line := range strings.SplitSeq(p.text, "\n") {
		tag, size := utf8.DecodeLastRuneInString(line)
		place := int64(tag) - tagPlane
		take(p.base+place%keysPerPack, line[:len(line)-size], place >= respelledTag)
	}
}

// eachKeys returns the keys of all codes between two numbers, up to keysPerStatement at a time.
func eachKeys(ctx context.Context, q duckdb.Querier, first, last int64, take func([]keyPack)) error {
	for ; first <= last; first += keysPerStatement {
		packs, err := duckdb.Collect(ctx, q, poolKeys, func(rows *sql.Rows) (keyPack, error) {
			var lowest int64
			var p keyPack
			err := rows.Scan(&lowest, &p.text)
			p.base = lowest - lowest%keysPerPack
			return p, err
		}, named("first", first), named("last", min(last, first+keysPerStatement-1)))
		if err != nil {
			return err
		}
		take(packs)
	}
	return nil
}

// poolOf returns the number of an individual coupon whose codes may be added to, or voided. It returns NOT_FOUND, and
// INVALID_STATE for an anonymous coupon, and for an archived one, which takes no new codes.
func (t *turn) poolOf(ctx context.Context, id coupon.ID, mode coupon.ImportMode) (int64, error) {
	number, c, err := t.coupon(ctx, id)
	if err != nil {
		return 0, at(err, "input", "couponId")
	}
	return number, c.CheckPool(mode)
}

// AddCodes adds codes to a coupon's pool. It gives the new codes and the rows that were not added, whose
// line is their position from 1. It returns NOT_FOUND, INVALID_STATE for a coupon that takes no codes,
// and INVALID for more than MaxAddedCodes.
func (s *Store) AddCodes(ctx context.Context, couponID coupon.ID, codes []coupon.NewCode) (added []*coupon.Code, rejections []*coupon.Rejection, err error) {
	if len(codes) == 0 || len(codes) > coupon.MaxAddedCodes {
		return nil, nil, coupon.Errorf(coupon.ErrorInvalid, "Give 1 to %d codes, not %d; importCodes takes more.", coupon.MaxAddedCodes, len(codes)).
			At("input", "codes")
	}
	rows, err := s.newCodeRows()
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.remove()) }()
	for i, code := range codes {
		label := ""
		if code.Label != nil {
			label = *code.Label
		}
		if err := rows.add(i+1, code.Value, label); err != nil {
			return nil, nil, err
		}
	}
	addition := &codeAddition{kind: coupon.BatchAdded, createdBy: callerOf(ctx), rows: rows}
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.once(ctx); err != nil {
			return err
		}
		number, err := t.poolOf(ctx, couponID, coupon.ImportAdd)
		if err != nil {
			return err
		}
		addition.couponNumber = number
		if err := t.insertCodes(ctx, addition, nil); err != nil {
			return err
		}
		if rejections, err = duckdb.Collect(ctx, t, rejectedList, scanRejection); err != nil || addition.count == 0 {
			return err
		}
		return t.made(ctx, coupon.NewID(coupon.KindBatch, addition.batch), rejections)
	})
	if before := repeatOf(err); before != nil {
		added, err = s.codesOfBatch(ctx, before.object)
		if err == nil {
			err = before.tell(&rejections)
		}
		return s.inRequestOrder(added, codes), rejections, err
	}
	if err != nil || addition.count == 0 {
		return []*coupon.Code{}, rejections, err
	}
	numbers := make([]int64, addition.count)
	for i := range numbers {
		numbers[i] = addition.first + int64(i)
	}
	found, err := s.readCodes(ctx, numbers, coupon.AnyState)
	return s.inRequestOrder(inOrder(found, coupon.KindCode, numbers), codes), rejections, err
}

// codesOfBatch returns the codes of a batch that addCodes brought.
func (s *Store) codesOfBatch(ctx context.Context, id coupon.ID) ([]*coupon.Code, error) {
	numbers := s.memory.All(&memory.Selection{BatchID: coupon.MustNumber(coupon.KindBatch, id), Now: s.now()})
	found, err := s.readCodes(ctx, numbers, coupon.AnyState)
	return inOrder(found, coupon.KindCode, numbers), err
}

// inRequestOrder sorts new codes, which are stored in the order of their keys, as the caller gave them.
func (s *Store) inRequestOrder(added []*coupon.Code, request []coupon.NewCode) []*coupon.Code {
	places := make(map[string]int, len(request))
	for i, code := range slices.Backward(request) {
		places[s.keys.Key(coupon.CleanValue(code.Value))] = i
	}
	slices.SortFunc(added, func(a, b *coupon.Code) int { return places[s.keys.Key(a.Value)] - places[s.keys.Key(b.Value)] })
	return added
}
