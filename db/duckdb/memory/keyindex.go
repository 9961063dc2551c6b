package memory

import (
	"hash/maphash"
	"iter"
)

// keyIndex finds the number of a code by its key. It keeps 8 bytes a slot: 32 bits of the key's hash and the number,
// in open addressing with linear probing; a look-up touches one or two cache lines. The slots are in shards, each of
// which grows alone: that takes a moment, not the second that many millions would take at once.
//
// The hash is cut, so what it finds are candidates. Another 31 bits of the hash, the print, lie beside the code's
// state (codeTable): look-ups compare these too (View.Find), and additions compare the keys themselves.
//
// The zero value is not usable; see newKeyIndex.
type keyIndex struct {
	seed   maphash.Seed
	shards [keyShards]keyShard
}

// keyShard holds the slots of the hashes with the same first shardBits bits.
type keyShard struct {
	slots []keySlot
	// used counts the slots that are not empty, graves those that are graves.
	used, graves int
}

// keySlot is empty (0), a grave (its number is graveNumber), or a hash and a number.
type keySlot uint64

const (
	shardBits = 8
	keyShards = 1 << shardBits
	minSlots  = 8
	// graveNumber stands for a code that was taken out.
	graveNumber = int64(1<<32 - 1)
	// maxCodeNumber is the largest number a slot holds.
	maxCodeNumber = graveNumber - 1
)

func newSlot(hash uint32, number int64) keySlot { return keySlot(hash)<<32 | keySlot(number) }

func (s keySlot) hash() uint32  { return uint32(s >> 32) }
func (s keySlot) number() int64 { return int64(s & keySlot(graveNumber)) }

// shard returns the number of the shard that the slot belongs to.
func (s keySlot) shard() int { return int(s >> (64 - shardBits)) }

// keyPrint is what look-ups compare beside the hash: 31 bits more of it, and whether the code's value is spelled
// otherwise than its key.
type keyPrint uint32

func newPrint(bits uint32, isRespelled bool) keyPrint {
	if isRespelled {
		return keyPrint(bits | 1)
	}
	return keyPrint(bits &^ 1)
}

// isOf reports whether the print is that of a key with these bits.
func (p keyPrint) isOf(bits uint32) bool { return uint32(p)>>1 == bits>>1 }

// isRespelled reports whether the value of the code is spelled otherwise than its key.
func (p keyPrint) isRespelled() bool { return p&1 != 0 }

func newKeyIndex() *keyIndex {
	x := &keyIndex{seed: maphash.MakeSeed()}
	for i := range x.shards {
		x.shards[i].slots = make([]keySlot, minSlots)
	}
	return x
}

// hash returns the two parts of a key's hash: what the index keeps, and what the print keeps. The seed is drawn at
// every start, so nobody can make keys that are alike.
func (x *keyIndex) hash(key string) (hash, bits uint32) {
	whole := maphash.String(x.seed, key)
	return uint32(whole >> 32), uint32(whole)
}

// size returns the number of slots.
func (x *keyIndex) size() int {
	sum := 0
	for i := range x.shards {
		sum += len(x.shards[i].slots)
	}
	return sum
}

// count returns the number of keys.
func (x *keyIndex) count() int {
	sum := 0
	for i := range x.shards {
		sum += x.shards[i].used - x.shards[i].graves
	}
	return sum
}

// candidates returns the numbers of all codes whose key has this hash.
func (x *keyIndex) candidates(hash uint32) iter.Seq[int64] {
	s := &x.shards[newSlot(hash, 0).shard()]
	return func(yield func(int64) bool) {
		for i := s.place(hash); s.slots[i] != 0; i = s.after(i) {
			if slot := s.slots[i]; slot.hash() == hash && slot.number() != graveNumber && !yield(slot.number()) {
				return
			}
		}
	}
}

// reserve makes room for so many more keys. It does so shard by shard, each between lock and unlock.
func (x *keyIndex) reserve(more int, lock, unlock func()) {
	// Hashes spread evenly, give or take a few standard deviations.
	share := more/keyShards + more/keyShards/16 + minSlots
	for i := range x.shards {
		lock()
		x.shards[i].reserve(share)
		unlock()
	}
}

// removeFunc takes out all codes whose number is one that isGone tells, shard by shard, each between lock and unlock.
func (x *keyIndex) removeFunc(isGone func(number int64) bool, lock, unlock func()) {
	for i := range x.shards {
		lock()
		s := &x.shards[i]
		for j, slot := range s.slots {
			if slot != 0 && slot.number() != graveNumber && isGone(slot.number()) {
				s.bury(j)
			}
		}
		unlock()
	}
}

// keyBatch is many new keys, sorted by shard: they are put in shard by shard, which stays in the processor's cache.
type keyBatch [keyShards][]keySlot

func (b *keyBatch) add(hash uint32, number int64) {
	slot := newSlot(hash, number)
	b[slot.shard()] = append(b[slot.shard()], slot)
}

// insertBatch adds the codes of a batch and empties it, shard by shard, each between lock and unlock.
func (x *keyIndex) insertBatch(b *keyBatch, lock, unlock func(shard int)) {
	for i, slots := range b {
		lock(i)
		x.shards[i].reserve(len(slots))
		for _, slot := range slots {
			x.shards[i].put(slot)
		}
		unlock(i)
		b[i] = slots[:0]
	}
}

// place is where the probing for a hash begins: the hash scaled to the number of slots, so that a grown shard needs
// nothing but the slots themselves.
func (s *keyShard) place(hash uint32) int {
	return int(uint64(hash<<shardBits) * uint64(len(s.slots)) >> 32)
}

func (s *keyShard) after(i int) int {
	if i++; i == len(s.slots) {
		return 0
	}
	return i
}

// reserve makes room for so many more keys.
func (s *keyShard) reserve(more int) {
	if s.used+more < fill(len(s.slots)) {
		return
	}
	size := len(s.slots)
	if s.graves < s.used/4 {
		// Growing by two fifths leaves it more than half full.
		size = size * 7 / 5
	}
	s.grow(max(size, (s.used-s.graves+more+1)*4/3+1))
}

// fill is how many of so many slots may be used: beyond that probes get long.
func fill(slots int) int { return slots * 3 / 4 }

func (s *keyShard) grow(size int) {
	old := s.slots
	s.slots = make([]keySlot, size)
	s.used, s.graves = 0, 0
	for _, slot := range old {
		if slot != 0 && slot.number() != graveNumber {
			s.put(slot)
		}
	}
}

// put adds a code for which there is room. The caller has checked that the key is new.
func (s *keyShard) put(slot keySlot) {
	i := s.place(slot.hash())
	for s.slots[i] != 0 {
		i = s.after(i)
	}
	s.slots[i] = slot
	s.used++
}

// bury makes a slot a grave.
func (s *keyShard) bury(i int) {
	s.slots[i] = newSlot(s.slots[i].hash(), graveNumber)
	s.graves++
}
