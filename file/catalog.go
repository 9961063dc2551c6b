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
	// columns and assignment are nil while the first rows are looked at.
	columns    []Column
	assignment *assignment
	// text holds the values of the row.
	text []byte
}

func newCatalog() *catalog { return &catalog{places: make(map[string]int)} }

// assign ends the look at the first rows: it finds the known columns among the names found there.
func (c *catalog) assign(columns []Column, mappings []*coupon.ColumnMapping) error {
	a, err := assign(c.names, columns, mappings)
	if err != nil {
		return err
	}
	c.columns, c.assignment = columns, a
	return a.checkRequired(columns, c.names)
}

// begin starts a row, which has none of the columns yet.
func (c *catalog) begin(row *Row) {
	c.text = c.text[:0]
	row.spans = row.spans[:0]
	c.fit(row)
}

// fit gives the row a cell for each name.
func (c *catalog) fit(row *Row) {
	for len(row.spans) < len(c.names) {
		row.spans = append(row.spans, span{isAbsent: true})
	}
}

// place gives the place of the cells with this name, or -1 when a name is longer than any column's may
// be. It returns FILE_UNREADABLE when the file has too many columns, or when two of them hold the same.
func (c *catalog) place(row *Row, name []byte) (int, error) {
	if place, ok := c.places[string(name)]; ok {
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
			if err := c.assignment.extend(clean, place, c.columns); err != nil {
				return 0, err
			}
		}
		c.names = append(c.names, clean)
		c.fit(row)
	}
	if len(c.places) < 2*MaxColumns {
		c.places[string(name)] = place
	}
	return place, nil
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

// isField reports whether a place holds one of the known columns.
func (c *catalog) isField(place int) bool {
	return c.assignment != nil && slices.Contains(c.assignment.fields, place)
}
