package memory

import "hash/maphash"

// people finds recipients by the caller's own id. It is read from the rows when somebody first
// claims a code, and later those who came since: who claims nothing pays nothing. An id is kept as
// a hash of 64 bits, whose seed nobody knows.
type people struct {
	seed    maphash.Seed
	numbers map[uint64]uint32
	// next is the number of the first recipient who was not read yet.
	next int64
	// isWanted: somebody has asked, so that who is erased has to be noted. erased has these: they
	// may be among those who are being read.
	isWanted bool
	erased   map[uint32]struct{}
}

func newPeople() *people {
	return &people{
		seed: maphash.MakeSeed(), numbers: map[uint64]uint32{}, next: 1,
		erased: map[uint32]struct{}{},
	}
}

// Person is a recipient by the caller's own id.
type Person struct {
	Number     int64
	ExternalID string
}

func (p *people) find(externalID string) int64 {
	number := p.numbers[maphash.String(p.seed, externalID)]
	if _, isErased := p.erased[number]; isErased {
		return 0
	}
	return int64(number)
}

// FindPeople returns the numbers of recipients by the caller's own ids, 0 for those who are not
// known. Recipients from number first up to before next were not read: AddPeople takes them, when
// first < next.
func (m *Memory) FindPeople(externalIDs []string) (numbers []int64, first, next int64) {
	numbers = make([]int64, len(externalIDs))
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.people
	p.isWanted = true
	for i, id := range externalIDs {
		numbers[i] = p.find(id)
	}
	return numbers, p.next, m.next.Recipient
}

// AddPeople takes over recipients that were read, all of those below a number.
func (m *Memory) AddPeople(read []Person, next int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range read {
		if _, isErased := m.people.erased[uint32(one.Number)]; !isErased {
			m.people.numbers[maphash.String(m.people.seed, one.ExternalID)] = uint32(one.Number)
		}
	}
	m.people.next = max(m.people.next, next)
}

// ErasePeople takes over that recipients were erased.
func (c Change) ErasePeople(numbers []int64) {
	if !c.people.isWanted {
		return
	}
	for _, number := range numbers {
		c.people.erased[uint32(number)] = struct{}{}
	}
}

// IsErased reports whether a recipient who was found has been erased since.
func (m *Memory) IsErased(number int64) bool {
	return answer(m, func(v View) bool {
		_, isErased := v.people.erased[uint32(number)]
		return isErased
	})
}
