package memory

import "couponql/coupon"

// codeTable is what memory keeps of each code by its number: 9 bytes, in pages, so that growing
// copies nothing and keeps nobody waiting. Numbers begin at 1. A page with a code whose redemption
// was reversed has a bit more a code.
type codeTable struct {
	pages []*codePage
}

const (
	pageBits  = 14
	pageCodes = 1 << pageBits
)

// codePage is the part of the table for pageCodes consecutive numbers.
type codePage struct {
	prints  [pageCodes]uint32
	holders [pageCodes]uint32
	states  [pageCodes]coupon.CodeState
	// reversed has a bit for each code that had a redemption which was reversed; nil: none had.
	reversed *[pageCodes / 64]uint64
	// happened is what was read of what happened to the codes; nil: not enough of them were asked
	// for. missed counts the readings since then that it could not answer, and reading is one of
	// all of the page that is under way.
	happened *happenedPage
	missed   int
	reading  *HappenedReading
}

// end returns the number after the last one that there is room for.
func (t *codeTable) end() int64 { return int64(len(t.pages)) * pageCodes }

// reach makes room for numbers up to last.
func (t *codeTable) reach(last int64) {
	for t.end() <= last {
		t.pages = append(t.pages, &codePage{})
	}
}

// state returns where a code stands.
func (t *codeTable) state(number int64) coupon.CodeState {
	return t.pages[number>>pageBits].states[number%pageCodes]
}

func (t *codeTable) setState(number int64, state coupon.CodeState) {
	page := t.pages[number>>pageBits]
	page.states[number%pageCodes] = state
	page.forget(number % pageCodes)
}

// forget forgets what happened to a code, which changes.
func (p *codePage) forget(place int64) {
	if p.happened != nil {
		p.happened.forget(place)
	}
	if p.reading != nil {
		p.reading.changed[place/64] |= 1 << (place % 64)
	}
}

// holder returns the number of the delivery that gave a code away; it means something only while
// the code is assigned.
func (t *codeTable) holder(number int64) int64 {
	return int64(t.pages[number>>pageBits].holders[number%pageCodes])
}

func (t *codeTable) setHolder(number, delivery int64) {
	page := t.pages[number>>pageBits]
	page.holders[number%pageCodes] = uint32(delivery)
	page.forget(number % pageCodes)
}

// printOf returns what tells the code's key from others with the same place in the index.
func (t *codeTable) printOf(number int64) keyPrint {
	return keyPrint(t.pages[number>>pageBits].prints[number%pageCodes])
}

func (t *codeTable) setPrint(number int64, p keyPrint) {
	t.pages[number>>pageBits].prints[number%pageCodes] = uint32(p)
}

// wasReversed reports whether a redemption of the code was reversed.
func (t *codeTable) wasReversed(number int64) bool {
	if number >= t.end() {
		return false
	}
	reversed := t.pages[number>>pageBits].reversed
	place := number % pageCodes
	return reversed != nil && reversed[place/64]&(1<<(place%64)) != 0
}

func (t *codeTable) setReversed(number int64) {
	page := t.pages[number>>pageBits]
	if page.reversed == nil {
		page.reversed = new([pageCodes / 64]uint64)
	}
	place := number % pageCodes
	page.reversed[place/64] |= 1 << (place % 64)
}
