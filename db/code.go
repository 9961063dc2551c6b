package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"couponql/background"
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
	refused    refusals
	// seen is the last run that was added when the rows were begun: later ones were added since by others.
	seen int
	// areDistinct: no two rows are alike.
	areDistinct bool
}

func (s *Store) newCodeRows() (*codeRows, error) {
	spools, err := s.engine.NewSpools(3)
	if err != nil {
		return nil, err
	}
	return &codeRows{store: s, rows: spools[0], candidates: spools[1], refused: refusals{spools[2]}, seen: s.memory.LastRun()}, nil
}

// total is how many rows there are, with those that are refused already.
func (c *codeRows) total() int { return c.rows.Rows() + c.refused.Rows() }

func (c *codeRows) remove() error {
	return errors.Join(c.rows.Remove(), c.candidates.Remove(), c.refused.Remove())
}

// add takes a raw code of a line, or refuses it when it cannot be one.
func (c *codeRows) add(line int, raw, rawLabel string) error {
	value, key, reason := c.store.keys.Parse(raw)
	if reason != "" {
		return c.refused.add(line, reason, raw)
	}
	label, reason := coupon.CleanLabel(rawLabel)
	if reason != "" {
		return c.refused.add(line, reason, rawLabel)
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
	couponNumber int64
	// importNumber is that of the import that adds them; 0 when none does.
	importNumber int64
	rows         *codeRows
	gate         gate
	// replacesUnused: codes of the coupon that nobody ever had make way for the new ones.
	replacesUnused bool
	// unused are those codes; removed is how many made, or would make, way.
	unused  []memory.Span
	removed int
	// advance is told how much is done, in per cent; nil when nobody wants to know.
	advance func(percent int64)
	// count is how many codes are, or would be, added; when they are, first and last are their numbers.
	count       int
	first, last int64
}

func (a *codeAddition) tell(percent int64) {
	if a.advance != nil {
		a.advance(percent)
	}
}

// insertCodes adds the rows that can be added to a pool, and leaves those that cannot in the temporary
// table refused. The gate may keep all of them out. w is that of an addition that replaces codes.
func (t *tx) insertCodes(ctx context.Context, a *codeAddition, w *memory.Witness) error {
	rows := a.rows
	if err := t.stage(ctx, codeStage, rows.rows, rows.refused); err != nil {
		return err
	}
	a.tell(20)
	a.first, a.last, a.unused = 0, 0, nil
	if a.replacesUnused {
		var err error
		if a.unused, err = t.unusedCodes(ctx, w, func(r *memory.Run) bool { return r.CouponID == a.couponNumber }); err != nil {
			return err
		}
	}
	a.removed = memory.CountOf(a.unused)
	if err := t.createUnused(ctx, a.unused); err != nil {
		return err
	}
	if err := t.refuseCodes(ctx, a.couponNumber, rows); err != nil {
		return err
	}
	a.tell(50)
	refused, err := duckdb.One[int](ctx, t, refusedCount)
	if err != nil {
		return err
	}
	a.count = rows.total() - refused
	if !a.gate.opens(refused) {
		a.unused = nil
		return nil
	}
	if err := t.deleteUnused(ctx, a.unused); err != nil || a.count == 0 {
		return err
	}
	return t.insertBatch(ctx, a)
}

// settleAddition is called in the writer's turn before codes that were added beside it, and took the place of others, are
// committed. Beside what checkRivals returns, errRival when others made a row impossible and the file is whole or nothing.
func (t *turn) settleAddition(ctx context.Context, a *codeAddition, w *memory.Witness) error {
	if err := t.checkRivals(ctx, a); err != nil || len(a.unused) == 0 {
		return err
	}
	stay, err := t.settleRemoval(ctx, a.unused, w)
	if err != nil {
		return err
	}
	if len(stay) > 0 && a.gate.rejectFile {
		return errRival
	}
	a.removed -= len(stay)
	return t.yieldCodes(ctx, a, stay)
}

// insertBatch writes the staged codes that were not refused.
func (t *tx) insertBatch(ctx context.Context, a *codeAddition) error {
	batch, first := t.store.memory.TakeCodes(a.count)
	a.first, a.last = first, first+int64(a.count)-1
	if a.last > memory.MaxCodeNumber {
		return fmt.Errorf("the database is full: it holds at most %d codes", memory.MaxCodeNumber)
	}
	var importID any
	if a.importNumber != 0 {
		importID = a.importNumber
	}
	if _, err := t.Exec(ctx, codeBatchInsert, named("id", batch), named("coupon_id", a.couponNumber), named("import_id", importID),
		named("first_id", a.first), named("last_id", a.last), named("now", t.now)); err != nil {
		return err
	}
	added, err := t.Exec(ctx, codeInsert, named("first_id", a.first), named("batch_id", batch), named("coupon_id", a.couponNumber))
	if err != nil {
		return err
	}
	if added != a.count {
		return fmt.Errorf("add codes: %d were added instead of %d", added, a.count)
	}
	a.tell(80)
	return t.indexCodes(ctx, a, batch)
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

// refuseCodes refuses the staged codes that exist, other than those in the temporary table unused, and all but the
// first of those that are alike.
func (t *tx) refuseCodes(ctx context.Context, couponNumber int64, rows *codeRows) error {
	if rows.candidates.Rows() > 0 {
		path, err := rows.candidates.Flush()
		if err != nil {
			return err
		}
		if _, err := t.Exec(ctx, codeRefuseExisting, named("path", path), named("coupon_id", couponNumber)); err != nil {
			return err
		}
	}
	for _, r := range t.store.memory.RunsSince(rows.seen) {
		if _, err := t.Exec(ctx, codeRefuseNewer, named("first_id", r.First), named("last_id", r.Last), named("coupon_id", couponNumber)); err != nil {
			return err
		}
	}
	if _, err := t.Exec(ctx, codeRefuseCoupons, named("coupon_id", couponNumber)); err != nil || rows.areDistinct {
		return err
	}
	_, err := t.Exec(ctx, codeRefuseDoubles)
	return err
}

// indexCodes reads a new batch back and takes it over into memory when it is on disk.
func (t *tx) indexCodes(ctx context.Context, a *codeAddition, batch int64) error {
	runs, err := duckdb.Collect(ctx, t, codeBatchRuns, func(rows *sql.Rows) (*memory.Run, error) {
		r := &memory.Run{CouponID: a.couponNumber, ImportID: a.importNumber, AddedAt: t.now}
		err := rows.Scan(&r.Label, &r.First, &r.Last)
		return r, err
	}, named("batch_id", batch), named("first_id", a.first))
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

// eachKeys gives the keys of all codes between two numbers, up to keysPerStatement at a time.
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

// poolOf gives the number of an individual coupon whose codes may be added to, or voided. It returns NOT_FOUND, and
// INVALID_STATE for an anonymous coupon, and for an archived one, which takes no new codes.
func (t *turn) poolOf(ctx context.Context, id coupon.ID, mode coupon.ImportMode) (int64, error) {
	number, c, err := t.coupon(ctx, id)
	if err != nil {
		return 0, atInput(err, "couponId")
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
	addition := &codeAddition{rows: rows}
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		number, err := t.poolOf(ctx, couponID, coupon.ImportAdd)
		if err != nil {
			return err
		}
		addition.couponNumber = number
		if err := t.insertCodes(ctx, addition, nil); err != nil {
			return err
		}
		rejections, err = duckdb.Collect(ctx, t, refusedList, scanRejection)
		return err
	})
	if err != nil || addition.count == 0 {
		return []*coupon.Code{}, rejections, err
	}
	numbers := make([]int64, addition.count)
	for i := range numbers {
		numbers[i] = addition.first + int64(i)
	}
	found, err := s.readCodes(ctx, numbers)
	return s.inRequestOrder(inOrder(found, coupon.KindCode, numbers), codes), rejections, err
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

func scanRejection(rows *sql.Rows) (*coupon.Rejection, error) {
	var r coupon.Rejection
	err := rows.Scan(&r.Line, &r.Reason, &r.Value)
	return &r, err
}

// inOrder gives the objects with these numbers in their order, without those that are not there.
func inOrder[T any](found map[coupon.ID]T, kind coupon.Kind, numbers []int64) []T {
	items := make([]T, 0, len(numbers))
	for _, number := range numbers {
		if item, ok := found[coupon.NewID(kind, number)]; ok {
			items = append(items, item)
		}
	}
	return items
}

// readCodes reads codes by number, with where they stand.
func (s *Store) readCodes(ctx context.Context, numbers []int64) (map[coupon.ID]*coupon.Code, error) {
	return s.completeCodes(ctx, s.memory.Describe(numbers))
}

// completeCodes reads what memory does not know of codes: the values that are missing, and when things happened. Memory
// tells which kinds of things happened to any of them at all, and only those are asked for, side by side, each in a
// small statement of its own: the same tables joined in one statement take several times as long. What happens meanwhile
// is left out, so that a code stands where it stood when memory was asked. Codes that have no row any more are left out.
func (s *Store) completeCodes(ctx context.Context, d *memory.Described) (map[coupon.ID]*coupon.Code, error) {
	if err := s.engine.Whole(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		// Where everything is known no statement finds out that the caller has gone, and what is built on it costs more.
		return nil, fmt.Errorf("read codes: %w", context.Cause(ctx))
	}
	known, numbers, happened := d.Codes, d.Missing, d.Happened
	// Each reading fills fields of its own.
	readings := []func() error{func() error { return s.readValues(ctx, known) }}
	if happened.Has(coupon.StateAssigned) {
		readings = append(readings, func() error { return s.readHolders(ctx, numbers, known) })
	}
	if happened.Has(coupon.StateRedeemed) {
		readings = append(readings, func() error {
			return s.readFirst(ctx, codeRedeemed, numbers, known, coupon.StateRedeemed, func(code *memory.KnownCode) **time.Time { return &code.RedeemedAt })
		})
	}
	if happened.Has(coupon.StateVoided) {
		readings = append(readings, func() error {
			return s.readFirst(ctx, codeVoided, numbers, known, coupon.StateVoided, func(code *memory.KnownCode) **time.Time { return &code.VoidedAt })
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
	found := make(map[coupon.ID]*coupon.Code, len(known))
	for _, code := range known {
		if code.Value != "" {
			found[code.ID] = &code.Code
		}
	}
	s.memory.SetStatus(found, s.now())
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

// readHolders reads which messages hold the codes, and when these were sent. Memory knows by which delivery a
// code is held, and a delivery has but one message with it.
func (s *Store) readHolders(ctx context.Context, numbers []int64, known map[int64]*memory.KnownCode) error {
	var messages []int64
	holds := map[int64]*coupon.Code{}
	err := s.readPoints(ctx, codeHeld, "code_id", numbers, func(rows *sql.Rows) error {
		var number, message, delivery, recipient int64
		var address string
		err := rows.Scan(&number, &message, &delivery, &recipient, &address)
		code := known[number]
		if code == nil || code.DeliveryID == nil || *code.DeliveryID != coupon.NewID(coupon.KindDelivery, delivery) {
			return err
		}
		code.MessageID, code.RecipientID = new(coupon.NewID(coupon.KindMessage, message)), new(coupon.NewID(coupon.KindRecipient, recipient))
		code.Address = &address
		if code.Flags.Has(coupon.StateSent) {
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

// earlier gives the earlier of two instants, of which the first may be missing.
func earlier(first *time.Time, second time.Time) *time.Time {
	if first != nil && first.Before(second) {
		return first
	}
	return &second
}

// readPoints is duckdb.EachNumbered for readers, with a statement that is planned once.
func (s *Store) readPoints(ctx context.Context, statement, column string, numbers []int64, scan func(*sql.Rows) error) error {
	return duckdb.EachNumbered(ctx, s.engine.Planned(), statement, column, numbers, scan)
}

// CodesByID gives the codes that exist of these.
func (s *Store) CodesByID(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.Code, error) {
	return s.readCodes(ctx, numbersOf(coupon.KindCode, ids))
}

// numbersOf gives the numbers of the ids of a kind; others name nothing and are left out.
func numbersOf(kind coupon.Kind, ids []coupon.ID) []int64 {
	numbers := make([]int64, 0, len(ids))
	for _, id := range ids {
		if number, err := id.Number(kind); err == nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// readCode reads one code. value is its value; "" when only the rows know. It gives nil when there is no such code. Of a code
// to which nothing happened and whose value is known, memory knows everything: no statement is run.
func (s *Store) readCode(ctx context.Context, number int64, value string) (*coupon.Code, error) {
	d := s.memory.Describe([]int64{number})
	if code := d.Codes[number]; code != nil && value != "" {
		code.Value = value
	}
	found, err := s.completeCodes(ctx, d)
	return found[coupon.NewID(coupon.KindCode, number)], err
}

// CodeByValue gives the code with this value, compared as this database compares codes, or nil.
func (s *Store) CodeByValue(ctx context.Context, value string) (*coupon.Code, error) {
	_, key, reason := s.keys.Parse(value)
	if reason != "" {
		return nil, nil //nolint:nilnil // what cannot be a code is no code
	}
	number, isRespelled := s.memory.Find(key)
	if isRespelled {
		key = ""
	}
	return s.readCode(ctx, number, key)
}

// CodesOf gives a page of each coupon's codes, in the order of their numbers. It returns INVALID for a
// filter that cannot be.
func (s *Store) CodesOf(
	ctx context.Context,
	coupons []coupon.ID,
	filter *coupon.CodeFilter,
	page coupon.Page,
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
		selected, candidates := s.selectCodes(coupon.MustNumber(coupon.KindCoupon, id), filter, facts)
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
	found, err := s.readCodes(ctx, all)
	for id, numbers := range pages {
		lists[id].Items = inOrder(found, coupon.KindCode, numbers)
		lists[id].Cursors = cursorsOf(numbers)
	}
	return lists, err
}

func cursorsOf(numbers []int64) []coupon.Cursor {
	cursors := make([]coupon.Cursor, len(numbers))
	for i, number := range numbers {
		cursors[i] = coupon.Cursor{Number: number}
	}
	return cursors
}

// selectCodes makes a filter a selection of what memory knows. What only rows know are the facts that
// codeFacts gave; with them it gives the candidates, already narrowed by the selection. nil candidates mean:
// all of the selection.
func (s *Store) selectCodes(couponNumber int64, filter *coupon.CodeFilter, facts map[int64][]int64) (*memory.Selection, []int64) {
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
	return selected, s.memory.Keep(selected, facts[couponNumber])
}

// codeFacts gives, by coupon, the numbers of the codes that the part of a filter leaves which only rows know;
// nil when the filter has no such part. Coupons whose time zone, in which the filter's dates are meant, is
// the same share a statement.
func (s *Store) codeFacts(ctx context.Context, q duckdb.Querier, couponNumbers []int64, filter *coupon.CodeFilter) (map[int64][]int64, error) {
	if filter == nil {
		return nil, nil //nolint:nilnil // nothing is filtered
	}
	byZone := map[string][]int64{}
	for _, number := range couponNumbers {
		name := zoneOf(s, number).String()
		byZone[name] = append(byZone[name], number)
	}
	facts := map[int64][]int64{}
	for _, numbers := range byZone {
		couponNumber := int64(0)
		if len(numbers) == 1 {
			couponNumber = numbers[0]
		}
		statement, args, err := s.factStatement(zoneOf(s, numbers[0]), couponNumber, filter)
		if err != nil || statement == "" {
			return nil, err
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
		maps.Copy(facts, known)
	}
	return facts, nil
}

// factStatement gives the statement that answers the part of a filter which only rows know, for one coupon
// or for any (0): an intersection of fixed statements; "" when there is no such part.
func (s *Store) factStatement(zone *time.Location, couponNumber int64, filter *coupon.CodeFilter) (statement string, args []any, err error) {
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
		args = append(args, named("assigned_from", assigned.From), named("assigned_to", assigned.To),
			named("recipient_id", optionalNumber(coupon.KindRecipient, filter.RecipientID)))
	}
	if redeemed != (coupon.Period{}) {
		parts = append(parts, codeByRedemption)
		args = append(args, named("redeemed_from", redeemed.From), named("redeemed_to", redeemed.To))
	}
	if filter.ValuePrefix != nil {
		prefix := s.keys.Key(strings.TrimSpace(*filter.ValuePrefix))
		parts = append(parts, codeByPrefix)
		args = append(args, named("coupon_id", couponNumber), named("prefix", prefix))
	}
	return strings.Join(parts, "\nINTERSECT\n"), args, nil
}

// optionalNumber gives the number of an id as a parameter: nil for none, 0 (which nothing has) for an id
// that names nothing.
func optionalNumber(kind coupon.Kind, id *coupon.ID) any {
	if id == nil {
		return nil
	}
	number, err := id.Number(kind)
	if err != nil {
		return int64(0)
	}
	return number
}
