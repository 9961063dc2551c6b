package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"couponql/coupon"
)

// codeRows are new codes on their way into a pool.
type codeRows struct {
	store *Store
	// rows has a row a code: line, key, value where it differs, label.
	rows *spool
	// candidates has a row for each code that may exist already: line, number of the candidate.
	candidates *spool
	refused    refusals
	// seen is the number that the next code had when the rows were begun: codes from there on were
	// added since by others.
	seen int64
}

func (s *Store) newCodeRows() (*codeRows, error) {
	spools := make([]*spool, 3)
	for i := range spools {
		one, err := s.newSpool()
		if err != nil {
			return nil, err
		}
		spools[i] = one
	}
	s.pool.mu.RLock()
	defer s.pool.mu.RUnlock()
	return &codeRows{store: s, rows: spools[0], candidates: spools[1], refused: refusals{spools[2]}, seen: s.pool.next.code}, nil
}

func (c *codeRows) remove() error {
	return errors.Join(c.rows.remove(), c.candidates.remove(), c.refused.remove())
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
	return c.rows.number(int64(line)).text(key).optional(value).optional(label).end()
}

// addCandidates adds a row for each code that may have this key: line, number of the code.
func (s *Store) addCandidates(candidates *spool, line int, key string) error {
	s.pool.mu.RLock()
	defer s.pool.mu.RUnlock()
	for number := range s.pool.keys.candidates(s.pool.keys.hash(key)) {
		if err := candidates.number(int64(line)).number(number).end(); err != nil {
			return err
		}
	}
	return nil
}

// insertCodes adds the rows that can be added to a pool, and leaves those that cannot in the temporary
// table refused. The gate may keep all of them out. It gives how many codes were, or would be, added.
func (t *tx) insertCodes(ctx context.Context, couponNumber, importNumber int64, rows *codeRows, gate gate) (int, error) {
	if err := t.stageCodes(ctx, couponNumber, rows); err != nil {
		return 0, err
	}
	refused, err := one[int](ctx, t, refusedCount)
	if err != nil {
		return 0, err
	}
	count := rows.rows.rows + rows.refused.rows - refused
	if count == 0 || !gate.opens(refused) {
		return count, nil
	}
	next := &t.store.pool.next
	batch, first := next.batch, next.code
	last := first + int64(count) - 1
	if last > maxCodeNumber {
		return 0, fmt.Errorf("the database is full: it holds at most %d codes", maxCodeNumber)
	}
	var importID any
	if importNumber != 0 {
		importID = importNumber
	}
	if _, err := t.exec(ctx, codeBatchInsert, named("id", batch), named("coupon_id", couponNumber), named("import_id", importID),
		named("first_id", first), named("last_id", last), named("now", t.now)); err != nil {
		return 0, err
	}
	added, err := t.exec(ctx, codeInsert, named("first_id", first), named("batch_id", batch), named("coupon_id", couponNumber))
	if err != nil {
		return 0, err
	}
	if added != count {
		return 0, fmt.Errorf("add codes: %d were added instead of %d", added, count)
	}
	return count, t.indexCodes(ctx, couponNumber, importNumber, batch, first, last)
}

func (t *tx) stageCodes(ctx context.Context, couponNumber int64, rows *codeRows) error {
	if err := t.stage(ctx, codeStage, rows.rows, rows.refused); err != nil {
		return err
	}
	if rows.candidates.rows > 0 {
		path, err := rows.candidates.flush()
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, codeRefuseExisting, named("path", path), named("coupon_id", couponNumber)); err != nil {
			return err
		}
	}
	if t.store.pool.next.code > rows.seen {
		if _, err := t.exec(ctx, codeRefuseNewer, named("first_id", rows.seen), named("coupon_id", couponNumber)); err != nil {
			return err
		}
	}
	if _, err := t.exec(ctx, codeRefuseCoupons, named("coupon_id", couponNumber)); err != nil {
		return err
	}
	_, err := t.exec(ctx, codeRefuseDoubles)
	return err
}

// indexCodes reads a new batch back and takes it over into the pool when it is on disk.
func (t *tx) indexCodes(ctx context.Context, couponNumber, importNumber, batch, first, last int64) error {
	p := t.store.pool
	runs, err := collect(ctx, t, codeBatchRuns, func(rows *sql.Rows) (*run, error) {
		r := &run{couponID: couponNumber, importID: importNumber}
		err := rows.Scan(&r.label, &r.first, &r.last)
		return r, err
	}, named("batch_id", batch), named("first_id", first))
	if err != nil {
		return err
	}
	hashes := make([]uint32, last-first+1)
	count := 0
	err = eachKey(ctx, t, first, last, func(number int64, key string) {
		hashes[number-first] = p.keys.hash(key)
		count++
	})
	if err != nil {
		return err
	}
	if count != len(hashes) {
		return fmt.Errorf("add codes: %d keys were read back instead of %d", count, len(hashes))
	}
	t.indexKeys(first, hashes)
	t.changePool(func(p *pool) {
		p.next.batch, p.next.code = batch+1, last+1
		for _, r := range runs {
			p.addRun(r)
		}
	})
	return nil
}

// keysPerLock is how many keys are indexed before readers get a turn.
const keysPerLock = 4096

// indexKeys adds the keys of new codes to the index before the codes are committed: until then a look-up
// finds a candidate that no row confirms.
func (t *tx) indexKeys(first int64, hashes []uint32) {
	p := t.store.pool
	for i := 0; i < len(hashes); i += keysPerLock {
		part := hashes[i:min(len(hashes), i+keysPerLock)]
		p.mu.Lock()
		p.keys.reserve(len(hashes) - i)
		for j, hash := range part {
			p.keys.insert(hash, first+int64(i+j))
		}
		p.mu.Unlock()
	}
	t.onFailure(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for i, hash := range hashes {
			p.keys.remove(hash, first+int64(i))
		}
	})
}

// eachKey gives the number and key of each code between two numbers, in no order.
func (s *Store) eachKey(ctx context.Context, first, last int64, take func(number int64, key string)) error {
	return eachKey(ctx, s, first, last, take)
}

func eachKey(ctx context.Context, q querier, first, last int64, take func(number int64, key string)) error {
	rows, err := q.QueryContext(ctx, poolKeys, named("first", first), named("last", last))
	if err != nil {
		return fmt.Errorf("%s: %w", title(poolKeys), err)
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var gapped, keys string
		if err := rows.Scan(&number, &gapped, &keys); err != nil {
			return fmt.Errorf("%s: %w", title(poolKeys), err)
		}
		numbers, err := parseNumbers(gapped)
		if err != nil {
			return err
		}
		i := 0
		for key := range strings.SplitSeq(keys, "\n") {
			if numbers != nil {
				number = numbers[i]
			}
			take(number, key)
			number++
			i++
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", title(poolKeys), err)
	}
	return nil
}

// poolOf gives the number of an individual coupon that takes new codes. It returns NOT_FOUND, and INVALID_STATE for an
// anonymous or archived coupon.
func (t *tx) poolOf(ctx context.Context, id coupon.ID) (int64, error) {
	number, c, err := t.coupon(ctx, id)
	if err != nil {
		return 0, atInput(err, "couponId")
	}
	return number, c.CheckNewCodes()
}

// AddCodes adds codes to a coupon's pool. It gives the new codes and the rows that were not added, whose
// line is their position from 1. It returns NOT_FOUND, INVALID_STATE for a coupon that takes no codes,
// and INVALID for more than MaxAddedCodes.
func (s *Store) AddCodes(ctx context.Context, couponID coupon.ID, codes []coupon.NewCode) (added []*coupon.Code, rejections []*coupon.Rejection, err error) {
	if len(codes) == 0 || len(codes) > coupon.MaxAddedCodes {
		return nil, nil, coupon.Errorf(coupon.ErrorInvalid, "Give 1 to %d codes, not %d; importCodes takes more.", coupon.MaxAddedCodes, len(codes)).At("input", "codes")
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
	var first int64
	var count int
	err = s.update(ctx, func(ctx context.Context, t *tx) error {
		number, err := t.poolOf(ctx, couponID)
		if err != nil {
			return err
		}
		first = s.pool.next.code
		if count, err = t.insertCodes(ctx, number, 0, rows, gate{}); err != nil {
			return err
		}
		rejections, err = collect(ctx, t, refusedList, scanRejection)
		return err
	})
	if err != nil || count == 0 {
		return []*coupon.Code{}, rejections, err
	}
	numbers := make([]int64, count)
	for i := range numbers {
		numbers[i] = first + int64(i)
	}
	found, err := s.readCodes(ctx, s, numbers)
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
func (s *Store) readCodes(ctx context.Context, q querier, numbers []int64) (map[coupon.ID]*coupon.Code, error) {
	found := make(map[coupon.ID]*coupon.Code, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	now := s.now()
	_, err := collect(ctx, q, codeGet, func(rows *sql.Rows) (struct{}, error) {
		var number, couponNumber int64
		var importNumber, messageNumber, deliveryNumber, recipientNumber *int64
		var c coupon.Code
		if err := rows.Scan(&number, &c.Value, &c.Label, &couponNumber, &importNumber, &c.AddedAt,
			&messageNumber, &deliveryNumber, &recipientNumber, &c.Channel, &c.Address, &c.AssignedAt, &c.SentAt, &c.RedeemedAt, &c.VoidedAt); err != nil {
			return struct{}{}, err
		}
		c.ID = coupon.NewID(coupon.KindCode, number)
		c.CouponID = coupon.NewID(coupon.KindCoupon, couponNumber)
		c.ImportID = coupon.NewIDPtr(coupon.KindImport, importNumber)
		c.MessageID = coupon.NewIDPtr(coupon.KindMessage, messageNumber)
		c.DeliveryID = coupon.NewIDPtr(coupon.KindDelivery, deliveryNumber)
		c.RecipientID = coupon.NewIDPtr(coupon.KindRecipient, recipientNumber)
		s.pool.mu.RLock()
		hasEnded := s.pool.coupons[couponNumber] != nil && s.pool.coupons[couponNumber].coupon.HasEnded(now)
		s.pool.mu.RUnlock()
		c.Status = c.State().Status(hasEnded)
		found[c.ID] = &c
		return struct{}{}, nil
	}, named("ids", numbers), named("first", slices.Min(numbers)), named("last", slices.Max(numbers)))
	return found, err
}

// CodesByID gives the codes that exist of these.
func (s *Store) CodesByID(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.Code, error) {
	return s.readCodes(ctx, s, numbersOf(coupon.KindCode, ids))
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

// findCode gives the number of the code with this key, or 0.
func (s *Store) findCode(ctx context.Context, q querier, key string) (int64, error) {
	numbers, err := s.findCodes(ctx, q, []string{key})
	return numbers[key], err
}

// findCodes gives the numbers of the codes with these keys: the index names candidates, and one
// statement compares them.
func (s *Store) findCodes(ctx context.Context, q querier, keys []string) (map[string]int64, error) {
	var candidates []int64
	s.pool.mu.RLock()
	for _, key := range keys {
		candidates = slices.AppendSeq(candidates, s.pool.keys.candidates(s.pool.keys.hash(key)))
	}
	s.pool.mu.RUnlock()
	found := make(map[string]int64, len(candidates))
	if len(candidates) == 0 {
		return found, nil
	}
	_, err := collect(ctx, q, codeKey, func(rows *sql.Rows) (struct{}, error) {
		var number int64
		var key string
		err := rows.Scan(&number, &key)
		found[key] = number
		return struct{}{}, err
	}, named("ids", candidates), named("first", slices.Min(candidates)), named("last", slices.Max(candidates)))
	return found, err
}

// CodeByValue gives the code with this value, compared as this database compares codes, or nil.
func (s *Store) CodeByValue(ctx context.Context, value string) (*coupon.Code, error) {
	_, key, reason := s.keys.Parse(value)
	if reason != "" {
		return nil, nil //nolint:nilnil // what cannot be a code is no code
	}
	number, err := s.findCode(ctx, s, key)
	if err != nil || number == 0 {
		return nil, err
	}
	found, err := s.readCodes(ctx, s, []int64{number})
	return found[coupon.NewID(coupon.KindCode, number)], err
}

// CodesOf gives a page of each coupon's codes, in the order of their numbers. It returns INVALID for a
// filter that cannot be.
func (s *Store) CodesOf(ctx context.Context, coupons []coupon.ID, filter *coupon.CodeFilter, page coupon.Page) (map[coupon.ID]*coupon.List[*coupon.Code], error) {
	after := int64(0)
	if page.After != nil {
		after = page.After.Number
	}
	lists := make(map[coupon.ID]*coupon.List[*coupon.Code], len(coupons))
	pages := make(map[coupon.ID][]int64, len(coupons))
	var all []int64
	for _, id := range coupons {
		list := &coupon.List[*coupon.Code]{}
		lists[id] = list
		selected, candidates, err := s.selectCodes(ctx, s, mustNumber(coupon.KindCoupon, id), filter)
		if err != nil {
			return nil, err
		}
		var numbers []int64
		if candidates == nil {
			numbers = s.pool.page(selected, after, page.First+1)
			if page.WantsTotal {
				list.Total = s.pool.count(selected)
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
	found, err := s.readCodes(ctx, s, all)
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

// selectCodes splits a filter: what memory knows becomes a selection; what only rows know is asked for
// and gives the candidates, already narrowed by the selection. nil candidates mean: all of the selection.
func (s *Store) selectCodes(ctx context.Context, q querier, couponNumber int64, filter *coupon.CodeFilter) (*selection, []int64, error) {
	selected := &selection{couponID: couponNumber, now: s.now()}
	if filter == nil {
		return selected, nil, nil
	}
	selected.labels, selected.status = filter.Label, filter.Status
	if filter.ImportID != nil {
		number, err := filter.ImportID.Number(coupon.KindImport)
		if err != nil {
			return selected, []int64{}, nil //nolint:nilerr // an import that does not exist brought no codes
		}
		selected.importID = number
	}
	statement, args, err := s.codeFacts(couponNumber, filter)
	if err != nil || statement == "" {
		return selected, nil, err
	}
	packed, err := collect(ctx, q, "-- the numbers of the codes that a filter leaves\nSELECT string_agg(id, ' ' ORDER BY id) FROM ("+statement+") GROUP BY id // 4096 ORDER BY min(id)", scanInto[string], args...)
	if err != nil {
		return nil, nil, err
	}
	candidates := []int64{}
	for _, text := range packed {
		numbers, err := parseNumbers(text)
		if err != nil {
			return nil, nil, err
		}
		candidates = append(candidates, numbers...)
	}
	return selected, s.pool.keep(selected, candidates), nil
}

// codeFacts gives the statement that answers the part of a filter which only rows know: an intersection
// of fixed statements; "" when there is no such part.
func (s *Store) codeFacts(couponNumber int64, filter *coupon.CodeFilter) (statement string, args []any, err error) {
	zone := zoneOf(s, couponNumber)
	assigned, err := coupon.NewPeriod(filter.AssignedFrom, filter.AssignedTo, zone, "assigned")
	if err != nil {
		return "", nil, err
	}
	redeemed, err := coupon.NewPeriod(filter.RedeemedFrom, filter.RedeemedTo, zone, "redeemed")
	if err != nil {
		return "", nil, err
	}
	var parts []string
	if filter.DeliveryID != nil || filter.RecipientID != nil || assigned != (coupon.Period{}) {
		parts = append(parts, codeByMessage)
		args = append(args, named("assigned_from", assigned.From), named("assigned_to", assigned.To),
			named("delivery_id", optionalNumber(coupon.KindDelivery, filter.DeliveryID)),
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
