package memory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// insert adds one key.
func (x *keyIndex) insert(hash uint32, number int64) {
	slot := newSlot(hash, number)
	shard := &x.shards[slot.shard()]
	shard.reserve(1)
	shard.put(slot)
}

// remove takes one key out.
func (x *keyIndex) remove(number int64) {
	x.removeFunc(func(other int64) bool { return other == number }, unshared, unshared)
}

// TestKeyIndex compares the index with a map while it is filled and emptied at random. Few hashes
// for many codes make chains of collisions; those at both ends make the probing wrap around.
func TestKeyIndex(t *testing.T) {
	t.Parallel()
	for name, hashes := range map[string]func(*rand.Rand) uint32{
		"spread":      func(r *rand.Rand) uint32 { return r.Uint32() },
		"few":         func(r *rand.Rand) uint32 { return r.Uint32N(40) * 0x06666666 },
		"at the end":  func(r *rand.Rand) uint32 { return 0xffffffff - r.Uint32N(3) },
		"at the ends": func(r *rand.Rand) uint32 { return 0xfffffffe + r.Uint32N(4) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 2))
			index := newKeyIndex()
			want := map[uint32][]int64{}
			type entry struct {
				hash   uint32
				number int64
			}
			var all []entry
			check := func(hash uint32) {
				t.Helper()
				got := slices.Sorted(index.candidates(hash))
				if !slices.Equal(got, slices.Sorted(slices.Values(want[hash]))) {
					t.Fatalf("hash %x: got %v, want %v", hash, got, want[hash])
				}
			}
			for step := range 6000 {
				if random.IntN(3) == 0 && len(all) > 0 {
					i := random.IntN(len(all))
					e := all[i]
					all = slices.Delete(all, i, i+1)
					index.remove(e.number)
					want[e.hash] = slices.DeleteFunc(want[e.hash],
						func(n int64) bool { return n == e.number })
					check(e.hash)
					continue
				}
				e := entry{hashes(random), int64(step + 1)}
				if step == 0 {
					e.number = maxCodeNumber
				}
				all = append(all, e)
				index.insert(e.hash, e.number)
				want[e.hash] = append(want[e.hash], e.number)
				check(e.hash)
				check(hashes(random))
			}
			for hash := range want {
				check(hash)
			}
			if index.size() < len(all)*4/3 {
				t.Errorf("%d slots for %d codes", index.size(), len(all))
			}
		})
	}
}

// TestKeyIndexGraves tells that codes coming and going do not fill the index up: what is gone makes
// room when it grows, and probing still ends.
func TestKeyIndexGraves(t *testing.T) {
	t.Parallel()
	index := newKeyIndex()
	for number := int64(1); number <= 100_000; number++ {
		hash := uint32(number * 2654435761)
		index.insert(hash, number)
		index.remove(number)
		for found := range index.candidates(hash) {
			t.Fatalf("a removed code %d is found", found)
		}
	}
	index.reserve(10, unshared, unshared)
	if size := index.size(); size > 1<<14 {
		t.Errorf("%d slots for no code at all", size)
	}
}

func unshared() {}

func TestKeyIndexReserve(t *testing.T) {
	t.Parallel()
	index := newKeyIndex()
	index.reserve(300_000, unshared, unshared)
	slots := index.size()
	for number := int64(1); number <= 300_000; number++ {
		hash, _ := index.hash(fmt.Sprint(number))
		index.insert(hash, number)
	}
	// A shard that gets more than its share grows.
	if grown := index.size(); grown > slots+slots/20 {
		t.Errorf("the index grew from %d to %d slots though room was made", slots, grown)
	}
}

// TestKeyIndexBatch tells that keys put in together are found like keys put in one by one.
func TestKeyIndexBatch(t *testing.T) {
	t.Parallel()
	index, batch := newKeyIndex(), &keyBatch{}
	random := rand.New(rand.NewPCG(3, 4))
	hashes := map[int64]uint32{}
	for round := range int64(3) {
		for i := range int64(20_000) {
			number := round*20_000 + i + 1
			hashes[number] = random.Uint32()
			batch.add(hashes[number], number)
		}
		locked := 0
		index.insertBatch(batch, func(int) { locked++ }, func(int) { locked-- })
		if locked != 0 {
			t.Errorf("%d locks are held", locked)
		}
	}
	for number, hash := range hashes {
		if !slices.Contains(slices.Collect(index.candidates(hash)), number) {
			t.Fatalf("%d is not found", number)
		}
	}
	index.removeFunc(func(number int64) bool { return number > 10 }, unshared, unshared)
	for number, hash := range hashes {
		if got := slices.Contains(slices.Collect(index.candidates(hash)),
			number); got != (number <= 10) {
			t.Fatalf("%d is found: %t", number, got)
		}
	}
}

// TestKeyIndexMemory tells that the index and the states cost at most 24 bytes a code, however many
// there are.
func TestKeyIndexMemory(t *testing.T) {
	t.Parallel()
	index := newKeyIndex()
	const perState = 9
	for number := int64(1); number <= 1_000_000; number++ {
		index.insert(uint32(number*2654435761), number)
		if bytes := float64(index.size()*8)/float64(number) + perState; number > 100_000 &&
			bytes > 24 {
			t.Fatalf("%d codes cost %.1f bytes each", number, bytes)
		}
	}
}
