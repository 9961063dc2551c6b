package file

import (
	"slices"
	"strings"
	"unicode"

	"couponql/coupon"
)

// Row is one row of a file. It is valid until the next call of Reader.Next; the strings that its
// methods give may be kept.
type Row struct {
	// Line is the line of the file on which the row begins, from 1; the header and blank lines count. In
	// Parquet, which has no lines, it is the number of the row. No two rows of a file have the same one:
	// where several elements of XML begin on one line, each after the first counts as a line more.
	Line int
	// Reason is set when the row cannot be read: MALFORMED or BAD_CHARACTER. It then has no cells.
	Reason coupon.RejectionReason
	// Raw is the beginning of the row's text when Reason is set, for the report: at most 255
	// characters, with spaces for control characters and U+FFFD for bytes that are no text.
	Raw string

	assignment *assignment
	// rules say what the text of a cell stands for.
	rules coupon.CellRules
	// keepsOthers says that columns which nobody knows are read.
	keepsOthers bool
	// fields has, for each known column, the cell that holds it in this row, or -1.
	fields []int
	// text holds the contents of all cells, so that a row costs one allocation.
	text  string
	spans []span
	cells []string
}

// span is where a cell stands in the text of its row.
type span struct {
	start, end int32
	// isQuoted says that the spaces around the value are part of it.
	isQuoted bool
	// isAbsent says that the row does not have the column, although the file does; or, where isNull is set, that it has
	// the null of its format there.
	isAbsent, isNull bool
	// isNumber says that the format itself says so.
	isNumber bool
}

// Get returns the value of the i-th of the columns that were given to Open, or "" when there is none. Spaces
// and tabs around a value are cut off, unless it was quoted: quotes keep it as it is.
func (r *Row) Get(i int) string {
	if value := r.value(r.fields[i]); r.rules.IsPlain(value) {
		return value
	}
	return r.Cell(i).Text
}

// Cell returns the i-th of the columns that were given to Open.
func (r *Row) Cell(i int) coupon.Cell { return r.cell(r.fields[i]) }

// Extra calls yield with each column that is none of those given to Open, in file order, and its cell
// in this row. Columns without a name are left out, and those that this row does not have.
func (r *Row) Extra(yield func(name string, cell coupon.Cell)) {
	for _, other := range r.assignment.others {
		if cell := r.cell(other.cell); cell.Presence != coupon.Absent && !r.isField(other.cell) {
			yield(other.name, cell)
		}
	}
}

// isField reports whether the row has a field in a cell that holds another one, or none, in other rows.
func (r *Row) isField(cell int) bool {
	return r.assignment.hasAlternates && slices.Contains(r.fields, cell)
}

// Each calls yield with the cells that are read: those of the columns that were given to Open, and of the others where
// these are kept.
func (r *Row) Each(yield func(cell coupon.Cell)) {
	for _, place := range r.fields {
		if place >= 0 {
			yield(r.cell(place))
		}
	}
	for _, column := range r.assignment.consents {
		if column.field >= 0 && r.fields[column.field] != column.cell {
			yield(r.cell(column.cell))
		}
	}
	if r.keepsOthers {
		for _, other := range r.assignment.others {
			if r.isField(other.cell) {
				continue
			}
			yield(r.cell(other.cell))
		}
	}
}

// Cells returns the cells as they are in the file, without quotes but not trimmed; nil when Reason is
// set. They have the order of Layout.Columns, and "" where the row does not have a column. A row that is
// short has fewer cells than the file has columns. The slice is valid until the next call of
// Reader.Next.
func (r *Row) Cells() []string {
	if r.Reason != "" {
		return nil
	}
	r.cells = r.cells[:0]
	for _, span := range r.spans {
		r.cells = append(r.cells, r.text[span.start:span.end])
	}
	return r.cells
}

// Values returns the cells as Get would give them, in the order of Layout.Columns; nil when Reason is set. A row that
// is short has fewer of them than the file has columns.
func (r *Row) Values() []string {
	if r.Reason != "" {
		return nil
	}
	values := make([]string, len(r.spans))
	for cell := range values {
		values[cell] = r.value(cell)
	}
	return values
}

// cell returns what stands in a place of the row: here, and nowhere else, cells become values.
func (r *Row) cell(place int) coupon.Cell {
	if place < 0 || place >= len(r.spans) {
		return coupon.Cell{}
	}
	switch span := &r.spans[place]; {
	case span.isNull:
		return coupon.Cell{Presence: coupon.Null}
	case span.isAbsent:
		return coupon.Cell{}
	default:
		cell := r.rules.Read(r.value(place))
		cell.IsNumber = span.isNumber
		return cell
	}
}

func (r *Row) value(cell int) string {
	if cell < 0 || cell >= len(r.spans) {
		return ""
	}
	span := r.spans[cell]
	value := r.text[span.start:span.end]
	if span.isQuoted || value == "" || value[0] > ' ' && value[len(value)-1] > ' ' {
		return value
	}
	return strings.Trim(value, " \t")
}

// accept makes the row one whose cells can be read from the text by its spans.
func (r *Row) accept(line int, text string) {
	r.Line, r.Reason, r.Raw, r.text = line, "", "", text
}

// reject makes the row one that cannot be read; raw is its text.
func (r *Row) reject(line int, reason coupon.RejectionReason, raw []byte) {
	r.Line, r.Reason, r.text, r.spans = line, reason, "", r.spans[:0]
	r.Raw = excerpt(string(raw[:min(len(raw), 4*coupon.MaxTextLength)]), coupon.MaxTextLength)
}

// excerpt returns the first characters of a text in a form that can be shown on one line.
func excerpt(text string, length int) string {
	var b strings.Builder
	for _, r := range text {
		if length == 0 {
			break
		}
		length--
		if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
