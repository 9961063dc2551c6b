package db

// hashSet is a set of the hashes of keys, at 4 to 8 bytes each.
type hashSet struct {
	// slots are searched by linear probing; 0 is an empty one.
	slots   []uint32
	hasZero bool
}

// newHashSet makes a set for at most so many hashes.
func newHashSet(most int) *hashSet { return &hashSet{slots: make([]uint32, most*4/3+1)} }

// add adds a hash, and tells whether it was not there.
func (h *hashSet) add(hash uint32) bool {
	if hash == 0 {
		wasThere := h.hasZero
		h.hasZero = true
		return !wasThere
	}
	i := int(uint64(hash) * uint64(len(h.slots)) >> 32)
	for h.slots[i] != 0 {
		if h.slots[i] == hash {
			return false
		}
		if i++; i == len(h.slots) {
			i = 0
		}
	}
	h.slots[i] = hash
	return true
}
