package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"couponql/client"
)

// state is what a thing in the database may be: a set of the constants.
type state uint16

const (
	gone state = 1 << iota
	there
	available
	assigned
	redeemed
	voided
	live
	reversed
	archived
	revoked
	open
	sending
	stopped
	broken
)

// stateNames are the states as the statements in statement/fact give them.
var stateNames = map[string]state{
	"gone": gone, "there": there, "available": available, "assigned": assigned, "redeemed": redeemed, "voided": voided, "live": live,
	"reversed": reversed, "archived": archived, "revoked": revoked, "open": open, "sending": sending, "stopped": stopped, "failed": broken,
}

// String names the states.
func (s state) String() string {
	var names []string
	for name, one := range stateNames {
		if s&one != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " or ")
}

// isSure reports whether it is one state.
func (s state) isSure() bool { return s&(s-1) == 0 }

// thing is an object that clients made, by the name they gave it: what it may be, as far as they know.
type thing struct {
	may state
	// id is what the server called it; "" while nobody was told.
	id string
	// deed is the last one, at when it began, and since when it was known what came of it.
	deed      string
	at, since time.Time
	// changes is how many deeds are not answered yet.
	changes int
}

// model is what the database has to be, by all that was acknowledged.
type model struct {
	mu     sync.Mutex
	things map[string]*thing
	// owners are the names of those that have an id.
	owners map[string]string
	// open are the changes that nobody answered for, and imports those that are not over, by their files.
	open    map[*change]bool
	imports map[string]*importing
	// acknowledged are how many entries the audit log must have more than audited, by mutation and the id in its input.
	acknowledged, audited map[string]int
	// groups are how many codes were generated under a name, and whether that was acknowledged.
	groups map[string]group
	// erased are the marks of people of whom nothing may be left.
	erased map[string]time.Time
	report func(promise string, problem error)
}

// group is codes that were generated at once.
type group struct {
	count  int
	isDone bool
}

// importing is a file on its way into the database.
type importing struct {
	*change
	// read is how many rows the file has, and imported how many are taken; -1: whichever.
	read, imported int
	mayFail        bool
}

// newModel makes a model of an empty database; report is told what contradicts it.
func newModel(report func(string, error)) *model {
	return &model{
		things: map[string]*thing{}, owners: map[string]string{}, open: map[*change]bool{}, imports: map[string]*importing{},
		acknowledged: map[string]int{}, groups: map[string]group{}, erased: map[string]time.Time{}, report: report,
	}
}

// move is what a deed makes of a thing.
type move struct {
	name string
	to   state
}

func moves(to state, names ...string) []move {
	all := make([]move, len(names))
	for i, name := range names {
		all[i] = move{name, to}
	}
	return all
}

// change is a deed on things that is not answered yet: each is as before, or as the deed makes it.
type change struct {
	model  *model
	moves  []move
	before []state
}

// begin begins a deed.
func (m *model) begin(deed string, moves ...move) *change {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &change{model: m, moves: moves, before: make([]state, len(moves))}
	for i, move := range moves {
		t := m.things[move.name]
		if t == nil {
			t = &thing{may: gone}
			m.things[move.name] = t
		}
		c.before[i] = t.may
		t.may |= move.to
		t.deed, t.at = deed, time.Now()
		t.changes++
	}
	m.open[c] = true
	return c
}

// close ends the change: the things are what the function says. It does nothing the second time.
func (c *change) close(become func(i int) state) {
	c.model.mu.Lock()
	defer c.model.mu.Unlock()
	c.closeLocked(become)
}

func (c *change) closeLocked(become func(i int) state) {
	if !c.model.open[c] {
		return
	}
	delete(c.model.open, c)
	for i, move := range c.moves {
		t := c.model.things[move.name]
		t.changes--
		t.may, t.since = become(i), time.Now()
	}
}

func (c *change) done()    { c.close(func(i int) state { return c.moves[i].to }) }
func (c *change) refused() { c.close(func(i int) state { return c.before[i] }) }

// answered ends the change as it was answered. Where nobody answered, the database will tell.
func (c *change) answered(err error) error {
	switch {
	case err == nil:
		c.done()
	case isRefusal(err):
		c.refused()
	}
	return err
}

// isRefusal reports whether an answer says that nothing was changed.
func isRefusal(err error) bool {
	if _, isProblem := errors.AsType[*client.UserError](err); isProblem {
		return true
	}
	problem, isAnswer := errors.AsType[*client.Error](err)
	return isAnswer && (problem.Extensions.Code == "UNAVAILABLE" || problem.Extensions.Code == "FORBIDDEN")
}

// give notes which id the server gave to a thing. None is ever given to another one.
func (m *model) give(id, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if owner, isGiven := m.owners[id]; isGiven && owner != name {
		m.report("P1", fmt.Errorf("%s was given to %s, and then to %s", id, owner, name))
		return
	}
	m.owners[id] = name
	if t := m.things[name]; t != nil {
		t.id = id
	}
}

// renumber notes that a thing is about to have another id.
func (m *model) renumber(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.things[name]; t != nil {
		t.id = ""
	}
}

// acknowledge notes that a mutation was answered as done, and by what its entry in the audit log is found.
func (m *model) acknowledge(action, mark string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	entry := action
	if !isMark(mark) {
		entry += " " + mark
	}
	m.acknowledged[entry]++
}

func (m *model) generate(name string, g group) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.groups[name] = g
}

func (m *model) erase(marks []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mark := range marks {
		m.erased[mark] = time.Now()
	}
}

// beginImport begins a deed that is done when the import of a file is over, whoever waits for it.
func (m *model) beginImport(file string, i importing, moves ...move) *importing {
	i.change = m.begin("import of "+file, moves...)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.imports[file] = &i
	return &i
}

// forgetImport ends the deed of a file that the server refused.
func (m *model) forgetImport(file string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.imports[file]; i != nil {
		delete(m.imports, file)
		i.closeLocked(func(at int) state { return i.before[at] })
	}
}

// importState is what became of an import.
type importState struct {
	file, id, status         string
	read, imported, rejected int
	failure                  string
}

// endImport compares an import with what was asked for, if it is over.
func (m *model) endImport(i importState) (isOver bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.endImportLocked(i)
}

func (m *model) endImportLocked(i importState) (isOver bool) {
	wanted := m.imports[i.file]
	switch {
	case i.status == "QUEUED" || i.status == "RUNNING":
		return false
	case wanted == nil:
		return true
	}
	delete(m.imports, i.file)
	after := func(at int) state { return wanted.before[at] }
	switch {
	case i.status == "SUCCEEDED":
		after = func(at int) state { return wanted.moves[at].to }
		if wanted.imported >= 0 && (i.read != wanted.read || i.imported != wanted.imported || i.rejected != wanted.read-wanted.imported) {
			m.report("P5", fmt.Errorf("%s (%s) has %d rows, of which %d are good, and read %d, imported %d and rejected %d",
				i.id, i.file, wanted.read, wanted.imported, i.read, i.imported, i.rejected))
		}
	case i.imported != 0:
		m.report("P3", fmt.Errorf("%s (%s) is %s and imported %d rows", i.id, i.file, i.status, i.imported))
	case i.status == "FAILED" && !wanted.mayFail && !strings.Contains(i.failure, "disk is full"):
		m.report("P7", fmt.Errorf("%s (%s) failed: %s", i.id, i.file, i.failure))
	}
	wanted.closeLocked(after)
	return true
}

// fact is a thing as the database has it.
type fact struct {
	id    string
	state state
}

// facts are what a file of the database says.
type facts struct {
	// things are by their names. twice are names that two rows have.
	things  map[string]fact
	twice   []string
	imports []importState
	audited map[string]int
	groups  map[string]int
	people  map[string]string
}

// compare reports what in the facts contradicts what was acknowledged, and takes what nobody answered for as the facts have
// it. The server does not run.
func (m *model) compare(f *facts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.compareImports(f)
	for _, name := range f.twice {
		m.report("P1", fmt.Errorf("%s is in the file twice", m.tell(name)))
	}
	for name, t := range m.things {
		got, isThere := f.things[name]
		if !isThere {
			got.state = gone
		}
		switch {
		case t.may&got.state == 0:
			m.report(promiseOf(name), fmt.Errorf("%s is %s instead of %s", m.tell(name), got.state, t.may))
			t.may = got.state
		case isThere && t.id != "" && got.id != t.id:
			m.report("P1", fmt.Errorf("%s is %s now", m.tell(name), got.id))
			t.id = got.id
		}
	}
	for name := range f.things {
		if m.things[name] == nil {
			m.report("P3", fmt.Errorf("%s (%s) is in the file, and nobody asked for it", name, f.things[name].id))
			m.things[name] = &thing{may: f.things[name].state}
		}
	}
	m.takeOpen(f)
	for name, g := range m.groups {
		if got := f.groups[name]; got != g.count && (got != 0 || g.isDone) {
			m.report("P3", fmt.Errorf("%d codes %s-… were generated (answered: %t), and %d are in the file", g.count, name, g.isDone, got))
			delete(m.groups, name)
		}
	}
	for entry, count := range m.acknowledged {
		if got := f.audited[entry] - m.audited[entry]; got < count {
			m.report("audit log", fmt.Errorf("%q was answered as done %d times since the last start, and has %d entries", entry, count, got))
		}
	}
	// What is there stays, which is not looked at over and over.
	clear(m.acknowledged)
	m.audited = f.audited
	for mark, column := range f.people {
		if at, isErased := m.erased[mark]; isErased {
			m.report("erasure", fmt.Errorf("%s was erased at %s, and is in %s", mark, at.Format(clock), column))
		}
	}
}

// compareImports ends the imports that are over in the file, and those that never came to be.
func (m *model) compareImports(f *facts) {
	known := map[string]bool{}
	for _, i := range f.imports {
		known[i.file] = true
		m.endImportLocked(i)
	}
	for file, i := range m.imports {
		if known[file] {
			continue
		}
		// That an acknowledged one is gone is found among the things.
		delete(m.imports, file)
		i.closeLocked(func(at int) state { return i.before[at] })
	}
}

// takeOpen ends the changes that nobody answered for, but for those of imports that still run.
func (m *model) takeOpen(f *facts) {
	running := map[*change]bool{}
	for _, i := range m.imports {
		running[i.change] = true
	}
	for c := range m.open {
		if running[c] {
			continue
		}
		c.closeLocked(func(at int) state {
			if got, isThere := f.things[c.moves[at].name]; isThere {
				return got.state
			}
			return gone
		})
	}
}

// clock is how times are told.
const clock = "15:04:05.000"

// tell tells what is known of a thing.
func (m *model) tell(name string) string {
	t := m.things[name]
	if t == nil {
		return name
	}
	return fmt.Sprintf("%s (%s, last: %s at %s)", name, or(t.id, "no id"), t.deed, t.at.Format(clock))
}

// promiseOf returns the promise that a thing being otherwise than acknowledged breaks.
func promiseOf(name string) string {
	if strings.HasPrefix(name, "redemption ") {
		return "P2/P3"
	}
	return "P3"
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// sure returns the things that are in one state for certain and did not change since an instant, and that are of these kinds.
func (m *model) sure(since time.Time, kinds ...string) map[string]state {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]state{}
	for name, t := range m.things {
		kind, _, _ := strings.Cut(name, " ")
		if t.changes == 0 && t.may.isSure() && t.since.Before(since) && slices.Contains(kinds, kind) {
			found[name] = t.may
		}
	}
	return found
}

// erasedBefore returns the marks of people who were erased before an instant, with when.
func (m *model) erasedBefore(instant time.Time) map[string]time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]time.Time{}
	for mark, at := range m.erased {
		if at.Before(instant) {
			found[mark] = at
		}
	}
	return found
}

// codes returns how many codes there may be.
func (m *model) codes() (count int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, t := range m.things {
		if strings.HasPrefix(name, "code ") && t.may != gone {
			count++
		}
	}
	for _, g := range m.groups {
		count += g.count
	}
	return count
}

// summary tells how much was acknowledged.
func (m *model) summary() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := map[string]int{}
	for name, t := range m.things {
		kind, _, _ := strings.Cut(name, " ")
		counts[kind+" "+t.may.String()]++
	}
	generated := 0
	for _, g := range m.groups {
		if g.isDone {
			generated += g.count
		}
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s: %d", kind, counts[kind]))
	}
	return fmt.Sprintf(
		"acknowledged, and compared: %s; codes generated: %d; people erased: %d; ids: %d",
		strings.Join(parts, ", "),
		generated,
		len(m.erased),
		len(m.owners),
	)
}
