package main

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// ledger is what a server acknowledged, and so must have at any time later.
type ledger struct {
	mu sync.Mutex
	// imports are files of codes, by the ids of their imports, that are queued or imported.
	imports map[string]file
	// redeemable are codes that are imported and that nobody asked to redeem yet.
	redeemable []string
	// added and redeemed are codes; fresh are those redeemed since the last look.
	added, redeemed, fresh []string
	// generated is how many codes were generated.
	generated int
	// deliveries are those that were confirmed, with how many messages each.
	deliveries map[string]int
	// seen are the deliveries that were seen to be sent.
	seen map[string]bool
	// uploads and exports are how many were asked for: their files stay for a day. files is how many came with the request of
	// their import, which stay some minutes, and answered how many of these were acknowledged: where the request ended before
	// that, the file stays for a day too.
	uploads, exports, files, answered int
}

func newLedger() *ledger {
	return &ledger{imports: map[string]file{}, deliveries: map[string]int{}, seen: map[string]bool{}}
}

// file is one of codes: so many rows, of one name.
type file struct {
	name string
	rows int
	// isDone: the import was seen to be over, and its codes are in redeemable.
	isDone bool
}

// codes gives the codes of a file.
func (f file) codes() []string {
	codes := make([]string, f.rows)
	for i := range codes {
		codes[i] = fmt.Sprintf("%s-%06d", f.name, i)
	}
	return codes
}

func (l *ledger) queue(id string, f file) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.imports[id] = f
}

// importDone makes the codes of an import redeemable.
func (l *ledger) importDone(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.imports[id]
	if f.isDone {
		return
	}
	f.isDone = true
	l.imports[id] = f
	l.redeemable = append(l.redeemable, f.codes()...)
}

// importRefused forgets an import that the server ended for want of disk.
func (l *ledger) importRefused(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.imports, id)
}

// open gives the imports that were not seen to be over.
func (l *ledger) open() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.imports)), func(id string) bool { return l.imports[id].isDone })
}

// take gives at most so many codes that nobody redeemed. What becomes of them tells redeem, or nobody knows.
func (l *ledger) take(count int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	count = min(count, len(l.redeemable))
	taken := slices.Clone(l.redeemable[:count])
	l.redeemable = l.redeemable[count:]
	return taken
}

func (l *ledger) redeem(codes ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.redeemed, l.fresh = append(l.redeemed, codes...), append(l.fresh, codes...)
}

// someRedeemed gives a code that is redeemed; "" when there is none. i chooses.
func (l *ledger) someRedeemed(i int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.redeemed) == 0 {
		return ""
	}
	return l.redeemed[i%len(l.redeemed)]
}

// takeFresh gives the codes that were redeemed since it was last asked.
func (l *ledger) takeFresh() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := l.fresh
	l.fresh = nil
	return fresh
}

func (l *ledger) addCodes(codes []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.added = append(l.added, codes...)
}

func (l *ledger) generate(count int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.generated += count
}

func (l *ledger) confirm(id string, messages int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deliveries[id] = messages
}

func (l *ledger) upload() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.uploads++
}

func (l *ledger) sendFile() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files++
}

func (l *ledger) fileAnswered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered++
}

func (l *ledger) export() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.exports++
}

// sizes are how much there is in a ledger.
type sizes struct{ imported, added, generated, redeemed, deliveries, messages int }

func (l *ledger) sizes() sizes {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := sizes{added: len(l.added), generated: l.generated, redeemed: len(l.redeemed), deliveries: len(l.deliveries)}
	for _, f := range l.imports {
		n.imported += f.rows
	}
	for _, count := range l.deliveries {
		n.messages += count
	}
	return n
}
