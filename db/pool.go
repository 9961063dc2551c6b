package db

import (
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"couponql/coupon"
)

// pool is what the server keeps in memory of all codes: where each stands, how many stand where, and
// which are free. Only the writer changes it, in one step with a commit and under the lock (tx.changePool);
// everybody else reads it under the lock, so that what a reader sees always adds up. Methods that change
// it expect the lock to be held.
type pool struct {
	mu   sync.RWMutex
	keys *keyIndex
	// codes has where each code stands.
	codes codeTable
	// deliveries has the deliveries that were confirmed.
	deliveries map[int64]*confirmed
	// repeats holds how often a code is redeemed, where that is more than once.
	repeats map[int64]int
	// runs lists the runs of numbers by their first.
	runs    []*run
	coupons map[int64]*couponPool
	// couponKeys finds a coupon by the key of its own code.
	couponKeys map[string]int64
	holds      map[int64]*hold
	answers    *answers
	next       nextNumbers
	// recorded tells in which order redemptions came to the disk.
	recorded recordedNumbers
	// witnesses are told what happens to codes.
	witnesses []*witness
	// last is the run of the code that was changed last: those that change together lie together.
	last struct {
		run    *run
		counts *labelPool
	}
	// added counts the runs that were added since the start.
	added int
	// revisions tells when things last changed that preparing a delivery reads.
	revisions revisions
	// draft is what the last analysis left, or nil.
	draft *draft
	// recent is what was read lately.
	recent *recent
}

// size counts the codes.
func (p *pool) size() int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.keys.count()
}

// revisions counts changes, and knows the last one of each thing.
type revisions struct {
	last int64
	at   map[coupon.ID]int64
}

// allRecipients stands for the recipients together.
const allRecipients = coupon.ID("recipients")

// touch records, when the transaction is on disk, that something changed.
func (e *effects) touch(id coupon.ID) {
	e.changePool(func(p *pool) {
		p.revisions.last++
		p.revisions.at[id] = p.revisions.last
		e.outdate(p, id)
		p.recent.forget(id)
	})
}

// revision gives the number of the last change.
func (p *pool) revision() int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.revisions.last
}

// isTouched tells whether one of the things was changed after a revision.
func (p *pool) isTouched(since int64, ids ...coupon.ID) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.wasTouched(since, ids...)
}

// wasTouched is isTouched for whoever holds the lock.
func (p *pool) wasTouched(since int64, ids ...coupon.ID) bool {
	return slices.ContainsFunc(ids, func(id coupon.ID) bool { return p.revisions.at[id] > since })
}

// nextNumbers is the number that the next row of each growing table gets.
type nextNumbers struct {
	batch, code, recipient, message, redemption int64
}

// isBehind tells whether numbers that some rows have would be given out again.
func (n nextNumbers) isBehind(rows nextNumbers) bool {
	return n.batch < rows.batch || n.code < rows.code || n.recipient < rows.recipient || n.message < rows.message || n.redemption < rows.redemption
}

// run is a run of codes with consecutive numbers that were added together with one label.
type run struct {
	first, last int64
	couponID    int64
	label       string
	importID    int64 // 0: not by an import
	addedAt     time.Time
	// seq tells the order in which runs were added; numbers are given out before.
	seq int
}

// maxHolder is the largest number of a delivery that can give codes away.
const maxHolder = int64(math.MaxUint32)

// confirmed is what is kept of a delivery that was confirmed.
type confirmed struct {
	channel coupon.Channel
	at      time.Time
}

// couponPool is what is kept of one coupon.
type couponPool struct {
	coupon *coupon.Coupon
	// key is that of the coupon's own code.
	key    string
	labels map[string]*labelPool
	// redeemed counts the live redemptions of an anonymous coupon's own code.
	redeemed int
}

// labelPool is where the codes of one coupon with one label stand.
type labelPool struct {
	label  string
	runs   []*run
	counts poolCounts
	// cursor is a number below which no code is free.
	cursor int64
}

// poolCounts counts codes by what happened to them; the clock is the reader's affair.
type poolCounts struct {
	total, assigned, redeemed, voided int
}

func (c *poolCounts) free() int { return c.total - c.assigned - c.redeemed - c.voided }

func (c *poolCounts) add(state coupon.CodeState, by int) {
	c.total += by
	switch state.Status(false) {
	case coupon.CodeRedeemed:
		c.redeemed += by
	case coupon.CodeVoided:
		c.voided += by
	case coupon.CodeAssigned:
		c.assigned += by
	case coupon.CodeAvailable, coupon.CodeExpired:
	}
}

// in counts the codes that stand in one of the states; none means any.
func (c *poolCounts) in(status []coupon.CodeStatus, hasEnded bool) int {
	if len(status) == 0 {
		return c.total
	}
	counts := map[coupon.CodeStatus]int{coupon.CodeRedeemed: c.redeemed, coupon.CodeVoided: c.voided}
	if hasEnded {
		counts[coupon.CodeExpired] = c.free() + c.assigned
	} else {
		counts[coupon.CodeAvailable], counts[coupon.CodeAssigned] = c.free(), c.assigned
	}
	sum := 0
	for one, count := range counts {
		if slices.Contains(status, one) {
			sum += count
		}
	}
	return sum
}

// hold is the codes kept for one delivery; label "" in counts means any label unless byLabel.
type hold struct {
	couponID int64
	byLabel  bool
	counts   map[string]int
	until    time.Time
}

func (h *hold) total() int {
	sum := 0
	for _, count := range h.counts {
		sum += count
	}
	return sum
}

func newPool() *pool {
	return &pool{
		keys:       newKeyIndex(),
		deliveries: map[int64]*confirmed{},
		repeats:    map[int64]int{},
		coupons:    map[int64]*couponPool{},
		couponKeys: map[string]int64{},
		holds:      map[int64]*hold{},
		answers:    newAnswers(),
		revisions:  revisions{at: map[coupon.ID]int64{}},
		next:       nextNumbers{batch: 1, code: 1, recipient: 1, message: 1, redemption: 1},
	}
}

// setCoupon takes over a coupon as it now is.
func (p *pool) setCoupon(number int64, key string, c *coupon.Coupon) {
	known := p.coupons[number]
	if known == nil {
		known = &couponPool{labels: map[string]*labelPool{}}
		p.coupons[number] = known
	}
	delete(p.couponKeys, known.key)
	p.couponKeys[key] = number
	known.key, known.coupon = key, c
}

// reserveMessages gives out the first of so many numbers of messages. They are never given out again.
func (p *pool) reserveMessages(count int) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.next.message
	p.next.message += int64(count)
	return first
}

// removeCodes forgets codes that are deleted; no span goes beyond its run. Their keys stay in the index until forgetKeys.
func (p *pool) removeCodes(spans []span) {
	if len(spans) == 0 {
		return
	}
	p.last.run = nil
	gone := map[*run]bool{}
	for _, s := range spans {
		r := p.runOf(s.first)
		counts := &p.coupons[r.couponID].labels[r.label].counts
		for number := s.first; number < s.end(); number++ {
			if p.codes.state(number).Has(coupon.StateGone) {
				continue
			}
			counts.add(p.codes.state(number), -1)
			p.note(number, coupon.StateGone)
			p.codes.setState(number, coupon.StateGone)
		}
		if s.first == r.first && s.end() == r.last+1 {
			gone[r] = true
		}
	}
	isGone := func(r *run) bool { return gone[r] }
	p.runs = slices.DeleteFunc(p.runs, isGone)
	for _, known := range p.coupons {
		for _, pool := range known.labels {
			pool.runs = slices.DeleteFunc(pool.runs, isGone)
		}
	}
}

// forgetKeys takes the keys of codes that are gone out of the index, which nobody finds any more. It looks at all of the
// index, part by part, and takes the lock for each.
func (p *pool) forgetKeys() {
	isGone := func(number int64) bool { return number < p.codes.end() && p.codes.state(number).Has(coupon.StateGone) }
	p.keys.removeFunc(isGone, p.mu.Lock, p.mu.Unlock)
}

// removeCoupon forgets a coupon whose codes are gone.
func (p *pool) removeCoupon(number int64) {
	p.last.run = nil
	delete(p.couponKeys, p.coupons[number].key)
	delete(p.coupons, number)
}

// addRun takes over a run of new codes; their keys are indexed apart.
func (p *pool) addRun(r *run) {
	p.codes.reach(r.last)
	p.added++
	r.seq = p.added
	p.runs = insertRun(p.runs, r)
	labels := p.coupons[r.couponID].labels
	pool := labels[r.label]
	if pool == nil {
		pool = &labelPool{label: r.label, cursor: r.first}
		labels[r.label] = pool
	}
	pool.runs = insertRun(pool.runs, r)
	pool.cursor = min(pool.cursor, r.first)
	pool.counts.total += int(r.last - r.first + 1)
}

// insertRun puts a run in its place: numbers are given out before codes are added, by several at a time.
func insertRun(runs []*run, r *run) []*run {
	i := sort.Search(len(runs), func(i int) bool { return runs[i].first > r.first })
	return slices.Insert(runs, i, r)
}

// reserve gives out the number of a batch, and of the first of so many codes. They are never given out again.
func (p *pool) reserve(count int) (batch, first int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	batch, first = p.next.batch, p.next.code
	p.next.batch++
	p.next.code += int64(count)
	return batch, first
}

// nextRecipient gives the number of the next recipient.
func (p *pool) nextRecipient() int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.next.recipient
}

// reserveRedemptions gives out the first of so many numbers of redemptions. They are never given out again.
func (p *pool) reserveRedemptions(count int) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.next.redemption
	p.next.redemption += int64(count)
	return first
}

// runsSince gives the runs that were added after another one.
func (p *pool) runsSince(seq int) []*run {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var runs []*run
	for _, r := range p.runs {
		if r.seq > seq {
			runs = append(runs, r)
		}
	}
	return runs
}

// find gives the number of the code with this key, and whether its value is spelled otherwise than the key; 0 when
// there is none. It compares 63 bits of a hash whose seed nobody knows: among 100 million codes a key that is not there
// is taken for one that is once in 10¹¹ times.
func (p *pool) find(key string) (number int64, isRespelled bool) {
	hash, bits := p.keys.hash(key)
	for candidate := range p.keys.candidates(hash) {
		// What is not in a run yet is being added, and what is gone may be added again.
		if p.runOf(candidate) == nil || p.codes.state(candidate).Has(coupon.StateGone) {
			continue
		}
		if known := p.codes.printOf(candidate); known.isOf(bits) {
			return candidate, known.isRespelled()
		}
	}
	return 0, false
}

// runOf gives the run that a code lies in, or nil.
func (p *pool) runOf(number int64) *run {
	i := sort.Search(len(p.runs), func(i int) bool { return p.runs[i].last >= number })
	if i == len(p.runs) || p.runs[i].first > number {
		return nil
	}
	return p.runs[i]
}

// knownCode is a code as far as memory knows it, on its way to be read.
type knownCode struct {
	coupon.Code
	state coupon.CodeState
}

// described is what memory knows of codes.
type described struct {
	codes map[int64]*knownCode
	// missing are the numbers of those of which only the rows know more, and happened is everything that happened to any of
	// these.
	missing  []int64
	happened coupon.CodeState
	// revision is the one at which all of it was so.
	revision int64
}

// describe gives what memory knows of codes. What is gone is left out.
func (p *pool) describe(numbers []int64) *described {
	p.mu.RLock()
	defer p.mu.RUnlock()
	d := &described{codes: make(map[int64]*knownCode, len(numbers)), revision: p.revisions.last}
	for _, number := range numbers {
		r := p.runOf(number)
		if r == nil || p.coupons[r.couponID] == nil || p.codes.state(number).Has(coupon.StateGone) {
			continue
		}
		code := &knownCode{state: p.codes.state(number)}
		code.ID, code.CouponID, code.AddedAt = coupon.NewID(coupon.KindCode, number), coupon.NewID(coupon.KindCoupon, r.couponID), r.addedAt
		if r.label != "" {
			code.Label = &r.label
		}
		if r.importID != 0 {
			code.ImportID = new(coupon.NewID(coupon.KindImport, r.importID))
		}
		if code.state.Has(coupon.StateAssigned) {
			holder := p.codes.holder(number)
			delivery := p.deliveries[holder]
			code.DeliveryID, code.Channel, code.AssignedAt = new(coupon.NewID(coupon.KindDelivery, holder)), &delivery.channel, &delivery.at
		}
		d.codes[number] = code
		if !p.recall(number, code) {
			d.missing = append(d.missing, number)
			d.happened |= code.state
		}
	}
	return d
}

// setStatus tells of codes that were read where they stand at an instant.
func (p *pool) setStatus(codes map[coupon.ID]*coupon.Code, now time.Time) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, code := range codes {
		known := p.coupons[mustNumber(coupon.KindCoupon, code.CouponID)]
		code.Status = code.State().Status(known != nil && known.coupon.HasEnded(now))
	}
}

// setState changes where a code stands and keeps the counts.
func (p *pool) setState(number int64, state coupon.CodeState) {
	p.note(number, state)
	if r := p.last.run; r == nil || number < r.first || number > r.last {
		r = p.runOf(number)
		p.last.run, p.last.counts = r, p.coupons[r.couponID].labels[r.label]
	}
	pool := p.last.counts
	pool.counts.add(p.codes.state(number), -1)
	p.codes.setState(number, state)
	if state.Has(coupon.StateGone) {
		return
	}
	pool.counts.add(state, 1)
	if state == 0 {
		pool.cursor = min(pool.cursor, number)
	}
}

// update sets and clears flags of codes.
func (p *pool) update(numbers []int64, set, unset coupon.CodeState) {
	for _, number := range numbers {
		p.setState(number, p.codes.state(number)&^unset|set)
	}
}

// redeemCount tells how often a code is redeemed.
func (p *pool) redeemCount(number int64) int {
	if count, found := p.repeats[number]; found {
		return count
	}
	if p.codes.state(number).Has(coupon.StateRedeemed) {
		return 1
	}
	return 0
}

// mostRedeemed tells how often the most redeemed code of a coupon is redeemed.
func (p *pool) mostRedeemed(couponNumber int64) int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	known := p.coupons[couponNumber]
	if known == nil { // It was deleted meanwhile.
		return 0
	}
	most := known.redeemed
	for _, pool := range known.labels {
		if pool.counts.redeemed > 0 {
			most = max(most, 1)
		}
	}
	for number, count := range p.repeats {
		if count > most && p.runOf(number).couponID == couponNumber {
			most = count
		}
	}
	return most
}

// addRedemptions counts redemptions of a code, or takes them back.
func (p *pool) addRedemptions(number int64, by int) {
	count := p.redeemCount(number) + by
	delete(p.repeats, number)
	if count > 1 {
		p.repeats[number] = count
	}
	state := p.codes.state(number) &^ coupon.StateRedeemed
	if count > 0 {
		state |= coupon.StateRedeemed
	}
	p.setState(number, state)
}

// availability counts where the codes of a coupon stand at an instant.
func (p *pool) availability(number int64, now time.Time) *coupon.Availability {
	p.mu.RLock()
	defer p.mu.RUnlock()
	a := &coupon.Availability{CouponID: coupon.NewID(coupon.KindCoupon, number), ByLabel: []*coupon.LabelAvailability{}}
	known := p.coupons[number]
	if known == nil {
		return a
	}
	hasEnded := known.coupon.HasEnded(now)
	for label, pool := range known.labels {
		counts := pool.counts
		if label != "" && counts.total > 0 {
			row := &coupon.LabelAvailability{Label: label, Total: counts.total, Redeemed: counts.redeemed}
			if !hasEnded {
				row.Assigned = counts.assigned
				row.Available = max(0, counts.free()-p.held(number, label, 0, now))
			}
			a.ByLabel = append(a.ByLabel, row)
		}
		a.Total += counts.total
		a.Available += counts.free()
		a.Assigned += counts.assigned
		a.Redeemed += counts.redeemed
		a.Voided += counts.voided
	}
	slices.SortFunc(a.ByLabel, func(x, y *coupon.LabelAvailability) int { return strings.Compare(x.Label, y.Label) })
	if hasEnded {
		a.Expired = a.Available + a.Assigned
		a.Available, a.Assigned = 0, 0
	} else {
		a.Held = min(a.Available, p.heldInAll(number, 0, now))
		a.Available -= a.Held
	}
	if known.coupon.Type == coupon.TypeAnonymous {
		a.Redeemed = 0
	}
	a.IsLow = known.coupon.IsLow(a.Available, a.Total)
	return a
}

// heldFor counts the codes that a live hold keeps for a delivery.
func (p *pool) heldFor(delivery int64, now time.Time) int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if h := p.holds[delivery]; h != nil && now.Before(h.until) {
		return h.total()
	}
	return 0
}

// held counts the codes with this label that live holds of other deliveries keep by name.
func (p *pool) held(couponID int64, label string, except int64, now time.Time) int {
	sum := 0
	for delivery, h := range p.holds {
		if delivery != except && h.couponID == couponID && h.byLabel && now.Before(h.until) {
			sum += h.counts[label]
		}
	}
	return sum
}

// heldInAll counts the codes of a coupon that live holds of other deliveries keep.
func (p *pool) heldInAll(couponID, except int64, now time.Time) int {
	sum := 0
	for delivery, h := range p.holds {
		if delivery != except && h.couponID == couponID && now.Before(h.until) {
			sum += h.total()
		}
	}
	return sum
}

// promisable counts the codes that a delivery may count on: free ones, less what live holds of others
// keep. With byLabel, those with this label.
func (p *pool) promisable(couponID int64, byLabel bool, label string, except int64, now time.Time) int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	known := p.coupons[couponID]
	if known == nil { // It was deleted meanwhile.
		return 0
	}
	free := 0
	for _, pool := range known.labels {
		free += pool.counts.free()
	}
	all := max(0, free-p.heldInAll(couponID, except, now))
	if !byLabel {
		return all
	}
	pool := known.labels[label]
	if pool == nil {
		return 0
	}
	return max(0, min(all, pool.counts.free()-p.held(couponID, label, except, now)))
}

// span is a part of a run, of codes that have something in common: that messages take them, or that they go.
type span struct {
	first int64
	count int
	label string
}

// end gives the number after the last one.
func (s span) end() int64 { return s.first + int64(s.count) }

// countOf counts the codes of spans.
func countOf(spans []span) int {
	sum := 0
	for _, s := range spans {
		sum += s.count
	}
	return sum
}

// take plans which codes the next messages of a delivery get: count free codes, lowest numbers first.
// byLabel takes those with the label alone; else codes with any label, but none that others hold by
// name. Nothing is marked. It gives fewer than count when there are no more.
func (p *pool) take(couponID int64, byLabel bool, label string, count int, except int64, now time.Time) []span {
	p.mu.RLock()
	defer p.mu.RUnlock()
	known := p.coupons[couponID]
	if known == nil { // It was deleted meanwhile.
		return nil
	}
	if byLabel {
		if pool := known.labels[label]; pool != nil {
			return p.takeFrom(pool, count)
		}
		return nil
	}
	labels := make([]string, 0, len(known.labels))
	for name := range known.labels {
		labels = append(labels, name)
	}
	slices.Sort(labels)
	var spans []span
	for _, name := range labels {
		pool := known.labels[name]
		spare := max(0, pool.counts.free()-p.held(couponID, name, except, now))
		part := p.takeFrom(pool, min(count, spare))
		for _, s := range part {
			count -= s.count
		}
		spans = append(spans, part...)
	}
	return spans
}

func (p *pool) takeFrom(pool *labelPool, count int) []span {
	var spans []span
	for _, r := range pool.runs {
		if r.last < pool.cursor {
			continue
		}
		for number := max(r.first, pool.cursor); number <= r.last && count > 0; number++ {
			if p.codes.state(number) != 0 {
				continue
			}
			if last := len(spans) - 1; last >= 0 && spans[last].first+int64(spans[last].count) == number {
				spans[last].count++
			} else {
				spans = append(spans, span{first: number, count: 1, label: pool.label})
			}
			count--
		}
	}
	return spans
}

// canTake tells whether a delivery may have the codes of spans: nothing happened to them, and no one else's hold needs them.
func (p *pool) canTake(couponID int64, byLabel bool, spans []span, delivery int64, now time.Time) bool {
	wanted := &hold{couponID: couponID, byLabel: byLabel, counts: map[string]int{}}
	for _, s := range spans {
		label := ""
		if byLabel {
			label = s.label
		}
		wanted.counts[label] += s.count
	}
	return p.areFree(spans) && p.canPromise(wanted, delivery, now)
}

// areFree tells whether nothing happened to the codes of spans.
func (p *pool) areFree(spans []span) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, s := range spans {
		for number := s.first; number < s.end(); number++ {
			if p.codes.state(number) != 0 {
				return false
			}
		}
	}
	return true
}

// canPromise tells whether what a hold of a delivery wants may be kept for it.
func (p *pool) canPromise(h *hold, delivery int64, now time.Time) bool {
	for label, count := range h.counts {
		if p.promisable(h.couponID, h.byLabel, label, delivery, now) < count {
			return false
		}
	}
	return p.promisable(h.couponID, false, "", delivery, now) >= h.total()
}

// assign marks the codes of spans as assigned by a delivery.
func (p *pool) assign(couponID, deliveryID int64, spans []span) {
	for _, s := range spans {
		pool := p.coupons[couponID].labels[s.label]
		for number := s.first; number < s.end(); number++ {
			state := p.codes.state(number) | coupon.StateAssigned
			p.note(number, state)
			p.codes.setState(number, state)
			p.codes.setHolder(number, deliveryID)
		}
		pool.counts.assigned += s.count
		// Codes are taken lowest first, so below the end of a span nothing of the label is free.
		pool.cursor = max(pool.cursor, s.end())
	}
}

// firstFree gives the number of the code that the next message would get, or 0.
func (p *pool) firstFree(couponID int64, byLabel bool, label string, now time.Time) int64 {
	for _, s := range p.take(couponID, byLabel, label, 1, 0, now) {
		return s.first
	}
	return 0
}

// selection narrows the codes of a pool by what memory knows.
type selection struct {
	couponID   int64 // 0: any
	importID   int64 // 0: any
	deliveryID int64 // 0: any
	labels     []string
	status     []coupon.CodeStatus
	now        time.Time
}

// matchesRun tells whether codes of a run can be in the selection.
func (s *selection) matchesRun(r *run) bool {
	return (s.couponID == 0 || s.couponID == r.couponID) && (s.importID == 0 || s.importID == r.importID) &&
		(len(s.labels) == 0 || slices.Contains(s.labels, r.label))
}

// stateSet tells of each state whether codes that stand so are selected. Looking it up is what makes a walk
// over millions of codes quick.
type stateSet [math.MaxUint8 + 1]bool

// walk calls take with each code of the selection in the runs, after a number, until take wants no more.
func (p *pool) walk(s *selection, runs []*run, after int64, take func(number int64) (more bool)) {
	running, ended := s.states(false), s.states(true)
	for _, r := range runs {
		known := p.coupons[r.couponID]
		if known == nil || !s.matchesRun(r) {
			continue
		}
		wanted := running
		if known.coupon.HasEnded(s.now) {
			wanted = ended
		}
		for number := max(r.first, after+1); number <= r.last; number++ {
			if wanted[p.codes.state(number)] && (s.deliveryID == 0 || p.codes.holder(number) == s.deliveryID) && !take(number) {
				return
			}
		}
	}
}

// states gives the states of selected codes whose coupon has ended, or has not.
func (s *selection) states(hasEnded bool) *stateSet {
	set := &stateSet{}
	for i := range set {
		state := coupon.CodeState(i)
		set[i] = !state.Has(coupon.StateGone) && (s.deliveryID == 0 || state.Has(coupon.StateAssigned)) &&
			(len(s.status) == 0 || slices.Contains(s.status, state.Status(hasEnded)))
	}
	return set
}

// page gives the numbers of at most limit codes of the selection that come after one.
func (p *pool) page(s *selection, after int64, limit int) []int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	numbers := make([]int64, 0, limit)
	begin := sort.Search(len(p.runs), func(i int) bool { return p.runs[i].last > after })
	p.walk(s, p.runs[begin:], after, func(number int64) bool {
		numbers = append(numbers, number)
		return len(numbers) < limit
	})
	return numbers
}

// all gives the numbers of all codes of the selection. It takes memory for those alone, however many others there are.
func (p *pool) all(s *selection) []int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	numbers := make([]int64, 0, p.countLocked(s))
	p.walk(s, p.runs, 0, func(number int64) bool {
		numbers = append(numbers, number)
		return true
	})
	return numbers
}

// count counts the codes of the selection.
func (p *pool) count(s *selection) int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.countLocked(s)
}

// countLocked is count where the pool is locked.
func (p *pool) countLocked(s *selection) int {
	total := 0
	if s.importID == 0 && s.deliveryID == 0 {
		for number, known := range p.coupons {
			if s.couponID != 0 && s.couponID != number {
				continue
			}
			for label, pool := range known.labels {
				if len(s.labels) == 0 || slices.Contains(s.labels, label) {
					total += pool.counts.in(s.status, known.coupon.HasEnded(s.now))
				}
			}
		}
		return total
	}
	p.walk(s, p.runs, 0, func(int64) bool {
		total++
		return true
	})
	return total
}

// sortByCoupon adds the numbers of codes to those known of their coupon; those of other coupons are left
// out.
func (p *pool) sortByCoupon(numbers []int64, known map[int64][]int64) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, number := range numbers {
		r := p.runOf(number)
		if r == nil {
			continue
		}
		if codes, isWanted := known[r.couponID]; isWanted {
			known[r.couponID] = append(codes, number)
		}
	}
}

// keep gives those of the numbers that are in the selection, in their order.
func (p *pool) keep(s *selection, numbers []int64) []int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	running, ended := s.states(false), s.states(true)
	kept := numbers[:0]
	for _, number := range numbers {
		r := p.runOf(number)
		if r == nil || !s.matchesRun(r) || p.coupons[r.couponID] == nil {
			continue
		}
		wanted := running
		if p.coupons[r.couponID].coupon.HasEnded(s.now) {
			wanted = ended
		}
		if wanted[p.codes.state(number)] && (s.deliveryID == 0 || p.codes.holder(number) == s.deliveryID) {
			kept = append(kept, number)
		}
	}
	return kept
}
