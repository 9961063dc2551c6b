package db

import (
	"hash/maphash"
	"iter"
)

// keyIndex finds the number of a code by its key. It keeps 8 bytes a slot: 32 bits of the key's hash
// and the number, in open addressing with linear probing; so at 10 M codes it costs 11 to 21 bytes a
// code, and a look-up touches one or two cache lines. The hash is cut, so a hit is a candidate: the
// caller compares the code itself. The zero value is not usable; see newKeyIndex.
type keyIndex struct {
	seed  maphash.Seed
	slots []uint64
	used  int
}

const (
	minSlots = 1 << 10
	// A slot is empty (0), a grave (its number is graveNumber), or hash<<32 | number.
	graveNumber = uint64(1<<32 - 1)
	// maxCodeNumber is the largest number a slot holds.
	maxCodeNumber = int64(graveNumber - 1)
)

func newKeyIndex() *keyIndex {
	return &keyIndex{seed: maphash.MakeSeed(), slots: make([]uint64, minSlots)}
}

// hash gives the part of a key's hash that the index keeps.
func (x *keyIndex) hash(key string) uint32 { return uint32(maphash.String(x.seed, key) >> 32) }

// place is where the probing for a hash begins: the hash scaled to the number of slots, so that a
// grown index needs nothing but the slots themselves.
func (x *keyIndex) place(hash uint32) int {
	return int(uint64(hash) * uint64(len(x.slots)) >> 32)
}

// candidates gives the numbers of all codes whose key has this hash.
func (x *keyIndex) candidates(hash uint32) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for i := x.place(hash); x.slots[i] != 0; i = x.after(i) {
			number := x.slots[i] & graveNumber
			if number != graveNumber && uint32(x.slots[i]>>32) == hash && !yield(int64(number)) {
				return
			}
		}
	}
}

func (x *keyIndex) after(i int) int {
	if i++; i == len(x.slots) {
		return 0
	}
	return i
}

// reserve makes room for more keys at once, so that a bulk import grows the index one time.
func (x *keyIndex) reserve(more int) {
	// At most three quarters full: beyond that probes get long.
	if need := (x.used + more) * 4 / 3; need > len(x.slots) {
		x.grow(max(need, len(x.slots)*2))
	}
}

func (x *keyIndex) grow(size int) {
	old := x.slots
	x.slots = make([]uint64, size)
	x.used = 0
	for _, slot := range old {
		if slot != 0 && slot&graveNumber != graveNumber {
			x.put(uint32(slot>>32), slot)
		}
	}
}

func (x *keyIndex) put(hash uint32, slot uint64) {
	i := x.place(hash)
	for x.slots[i] != 0 {
		i = x.after(i)
	}
	x.slots[i] = slot
	x.used++
}

// insert adds a code. The caller has checked that the key is new.
func (x *keyIndex) insert(hash uint32, number int64) {
	x.reserve(1)
	x.put(hash, uint64(hash)<<32|uint64(number))
}

// remove takes a code out; its slot becomes a grave, so that probes go on past it.
func (x *keyIndex) remove(hash uint32, number int64) {
	want := uint64(hash)<<32 | uint64(number)
	for i := x.place(hash); x.slots[i] != 0; i = x.after(i) {
		if x.slots[i] == want {
			x.slots[i] = uint64(hash)<<32 | graveNumber
			return
		}
	}
}

// removeFunc takes out all codes whose number is one that isGone tells.
func (x *keyIndex) removeFunc(isGone func(number int64) bool) {
	for i, slot := range x.slots {
		if number := slot & graveNumber; slot != 0 && number != graveNumber && isGone(int64(number)) {
			x.slots[i] = slot | graveNumber
		}
	}
}
