package file

import (
	"slices"

	"couponql/coupon"
)

// maxNamedRows is how many rows are looked at to find the columns of a file that names them in each
// row, as far as these rows stand in the first sampleBytes.
const maxNamedRows = 1000

// catalog collects the columns of a file that names them in every row, as JSONL and XML do, and the
// cells of one row after the other. A column may turn up in any row: the known columns are looked for
// among the first rows, and one that comes later is taken in then.
type catalog struct {
	names []string
	// places has the place of each spelling of a name among names.
	places map[string]int
	// assignment is nil while the first rows are looked at.
	columns    []Column
	assignment *assignment
	// isCandidate says of each name whether it may be that of a known column, and seen are those in this row.
	isCandidate []bool
	seen        []int
	// counts has in how many of the first rows each candidate is, and together in how many two of them are.
	counts   map[int]int
	together map[[2]int]int
	// chosen has, for each known column, the cell that holds it in this row.
	chosen []int
	// text holds the values of the row.
	text []byte
}

func newCatalog(columns []Column) *catalog {
	return &catalog{columns: columns, places: make(map[string]int), counts: make(map[int]int), together: make(map[[2]int]int)}
}

// assign ends the look at the first rows: it finds the known columns among the names found there.
func (c *catalog) assign(mappings []*coupon.ColumnMapping) error {
	a := newAssignment(len(c.columns))
	a.alternates = make([][]candidate, len(c.columns))
	a.areApart = func(best, other candidate) bool {
		// Columns that stand together in rows are different things, unless nothing tells which one is meant.
		return c.together[pairOf(best.cell, other.cell)] == 0
	}
	a.areTogether = func(x, y candidate) bool {
		return c.counts[x.cell] == c.counts[y.cell] && c.together[pairOf(x.cell, y.cell)] == c.counts[x.cell]
	}
	if err := a.fill(c.names, c.columns, mappings); err != nil {
		return err
	}
	c.assignment = a
	return a.checkRequired(c.columns, c.names)
}

func pairOf(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

// begin starts a row, which has none of the columns yet.
func (c *catalog) begin(row *Row) {
	c.text = c.text[:0]
	row.spans = row.spans[:0]
	c.seen = c.seen[:0]
	c.fit(row)
}

// finish finds out which cells hold the known columns in this row, as each row names its own. It gives the reason for which
// the row cannot be read: two of its columns could hold the same.
func (c *catalog) finish(row *Row) coupon.RejectionReason {
	if c.assignment == nil {
		for i, place := range c.seen {
			c.counts[place]++
			for _, other := range c.seen[:i] {
				c.together[pairOf(place, other)]++
			}
		}
		return ""
	}
	row.fields = c.assignment.fields
	if !c.assignment.hasAlternates {
		return ""
	}
	c.chosen = append(c.chosen[:0], c.assignment.fields...)
	row.fields = c.chosen
	for i, alternates := range c.assignment.alternates {
		var found []candidate
		for _, one := range alternates {
			if slices.Contains(c.seen, one.cell) {
				found = append(found, one)
			}
		}
		switch {
		case len(alternates) == 0 || len(found) == 0:
		case len(found) > 1 && found[0].class == found[1].class && !c.columns[i].takesBest(found):
			return coupon.RejectedAmbiguousColumn
		default:
			c.chosen[i] = found[0].cell
			c.assignment.use(i, found[0].cell)
		}
	}
	return ""
}

// fit gives the row a cell for each name.
func (c *catalog) fit(row *Row) {
	for len(row.spans) < len(c.names) {
		row.spans = append(row.spans, span{isAbsent: true})
	}
}

// place returns the place of the cells with this name, or -1 when a name is longer than any column's may
// be. It returns FILE_UNREADABLE when the file has too many columns, and nothing else.
func (c *catalog) place(row *Row, name []byte) (int, error) {
	if place, ok := c.places[string(name)]; ok {
		c.see(place)
		return place, nil
	}
	if len(name) > coupon.MaxTextLength {
		return -1, nil
	}
	clean := coupon.CleanValue(string(name))
	place := slices.Index(c.names, clean)
	if place < 0 {
		place = len(c.names)
		if place == MaxColumns {
			return 0, coupon.Errorf(coupon.ErrorFileUnreadable, "The file has more than %d columns, which is the most that can be read.", MaxColumns)
		}
		if c.assignment != nil {
			c.assignment.extend(clean, place, c.columns)
		}
		c.names = append(c.names, clean)
		spelling := normal(clean)
		c.isCandidate = append(c.isCandidate, slices.ContainsFunc(c.columns, func(k Column) bool { return k.matches(spelling) }))
		c.fit(row)
	}
	c.see(place)
	if len(c.places) < 2*MaxColumns {
		c.places[string(name)] = place
	}
	return place, nil
}

// see notes that the row names a column that may be a known one, whatever its value is.
func (c *catalog) see(place int) {
	if c.isCandidate[place] && !slices.Contains(c.seen, place) {
		c.seen = append(c.seen, place)
	}
}

// set makes the end of text, from start, the value of a cell. It reports whether the cell was free.
func (c *catalog) set(row *Row, place, start int, isQuoted bool) bool {
	cell := &row.spans[place]
	if !cell.isAbsent {
		return false
	}
	*cell = span{start: int32(start), end: int32(len(c.text)), isQuoted: isQuoted}
	return true
}

// mayNest reports whether an object or a list may stand in a place: where nothing known does, or an object is meant.
func (c *catalog) mayNest(place int) bool {
	if !c.isField(place) {
		return true
	}
	field := slices.Index(c.assignment.fields, place)
	return field >= 0 && c.columns[field].holdsObject
}

// passOver leaves a list or an object out of a report: members that say what a message was about often are one, such as the
// categories of a campaign, and another member says what is asked. It reports whether it may be left out.
func (c *catalog) passOver(place int) bool {
	if !slices.ContainsFunc(c.columns, func(k Column) bool { return k.holdsReports }) {
		return false
	}
	c.seen = slices.DeleteFunc(c.seen, func(one int) bool { return one == place })
	return true
}

// isField reports whether a place holds one of the known columns.
func (c *catalog) isField(place int) bool {
	a := c.assignment
	return a != nil && (slices.Contains(a.fields, place) || a.isConsent(place) || a.hasAlternates && a.isAlternate(place))
}
