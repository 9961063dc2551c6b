package file

import (
	"unicode"
	"unicode/utf8"

	"couponql/coupon"
)

// traits are what can be seen of a value without knowing what it means.
type traits struct {
	hasDigit, hasLetter, hasLower, hasSpace, hasAt bool
	// letters and length are counts of characters.
	letters, length int
}

func traitsOf(value string) traits {
	var t traits
	for _, r := range value {
		t.length++
		switch {
		case unicode.IsLetter(r):
			t.letters++
			t.hasLetter = true
			t.hasLower = t.hasLower || unicode.IsLower(r)
		case unicode.IsDigit(r):
			t.hasDigit = true
		case unicode.IsSpace(r):
			t.hasSpace = true
		case r == '@':
			t.hasAt = true
		}
	}
	return t
}

// isWord tells what reads like the name of a column: it begins with a letter, and at least half of it are letters.
func (t *traits) isWord(value string) bool {
	first, _ := utf8.DecodeRuneInString(value)
	return unicode.IsLetter(first) && t.letters >= 2 && 2*t.letters >= t.length && !t.hasAt
}

// likeness is how much the first row of a file of one column differs from all others.
type likeness int

const (
	// alike: it is like others, or there are none.
	alike likeness = iota
	// odd: it is unlike all others, and may still be a value.
	odd
	// unlike: it reads like a word, and all others have what it has not, or the other way round.
	unlike
)

// minUniform is how many values must have the same length before that says something.
const minUniform = 3

// compare tells how much the first value differs from the others. Values that are equal to it do not count, as a header
// may come again where files were joined.
func compare(first string, others []string) likeness {
	f, o := traitsOf(first), tallyOf(first, others)
	if o.count == 0 {
		return alike
	}
	isUniform := o.count >= minUniform && o.uniform == o.count && f.length != o.length
	lacksDigit := o.digits == o.count && !f.hasDigit
	lacksAt := o.ats == o.count && !f.hasAt
	hasMore := o.letters == 0 && f.hasLetter || o.lowers == 0 && f.hasLower || o.spaces == 0 && f.hasSpace
	isStrong := hasMore || lacksAt || lacksDigit && isUniform
	switch {
	case isStrong && f.isWord(first):
		return unlike
	case isStrong || lacksDigit || isUniform:
		return odd
	}
	return alike
}

// tally counts the traits of values: how many have a digit, a letter and so on, and how many are as long as the first.
type tally struct {
	count, uniform, length               int
	digits, letters, lowers, spaces, ats int
}

// tallyOf counts the values that are neither empty nor equal to the first row's.
func tallyOf(first string, others []string) tally {
	var o tally
	for _, other := range others {
		if other == first || other == "" {
			continue
		}
		t := traitsOf(other)
		if o.count == 0 {
			o.length = t.length
		}
		o.count++
		o.digits += one(t.hasDigit)
		o.letters += one(t.hasLetter)
		o.lowers += one(t.hasLower)
		o.spaces += one(t.hasSpace)
		o.ats += one(t.hasAt)
		o.uniform += one(t.length == o.length)
	}
	return o
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// firstCells returns the cells of the first rows that are in memory, by columns: those of the first row, and the others.
func (s *splitter) firstCells() (first []string, others [][]string) {
	look := s.probe()
	var row Row
	for rows := range sampleRows {
		if err := look.next(&row); err != nil {
			break
		}
		cells := row.Cells()
		if rows == 0 {
			first = make([]string, len(cells))
			others = make([][]string, len(cells))
			for i, cell := range cells {
				first[i] = coupon.CleanValue(cell)
			}
			continue
		}
		isSame := len(cells) == len(first)
		for i := 0; isSame && i < len(cells); i++ {
			cell := coupon.CleanValue(cells[i])
			isSame = cell == first[i] || normal(cell) == normal(first[i])
		}
		if isSame || isRuler(row.text) || isFooter(row.text) || closingOf(cells) == sureClosing {
			continue
		}
		for i := range min(len(cells), len(first)) {
			others[i] = append(others[i], coupon.CleanValue(cells[i]))
		}
	}
	return first, others
}

// areValues reports whether all cells of the first row that are known names come again in most of the rows further down,
// as values may and names do not.
func areValues(first []string, others [][]string, isName func(cell string) bool) bool {
	found := false
	for i, cell := range first {
		if !isName(cell) {
			continue
		}
		found = true
		again := 0
		for _, other := range others[i] {
			again += one(normal(other) == normal(cell))
		}
		if 2*again <= len(others[i]) {
			return false
		}
	}
	return found
}
