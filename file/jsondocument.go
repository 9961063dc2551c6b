package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"couponql/coupon"
)

// jsonDocument finds the objects of JSON that is not one object a line: in an array, in several arrays one behind the
// other, or over many lines, as web hooks and programs write it.
//
// A bracket or a quote that is missing leaves nothing to find the next object by. So broken JSON ends the file, as
// broken XML does, after the objects before it.
type jsonDocument struct {
	*splitter
	// isInside says that an array is open, and isBetween that a comma or its end has to come next.
	isInside, isBetween bool
	// compact is the object without the spaces and line ends between its parts.
	compact bytes.Buffer
}

// isJSONDocument reports whether a text that begins with JSON is anything but one object a line.
func isJSONDocument(text []byte) bool {
	if end := bytes.IndexAny(text, "\r\n"); end >= 0 {
		text = text[:end]
	}
	text = bytes.TrimSpace(text)
	return bytes.HasPrefix(text, []byte("[")) || string(text) == "{"
}

// next returns the next object and the line on which it begins. It is valid until the next call.
func (d *jsonDocument) next() (object []byte, line int, err error) {
	if err := d.findObject(); err != nil {
		return nil, 0, err
	}
	end, err := d.objectEnd()
	if err != nil {
		return nil, 0, err
	}
	if end-d.pos > MaxRowBytes {
		return nil, 0, d.long()
	}
	raw := d.buf[d.pos:end]
	d.compact.Reset()
	if json.Compact(&d.compact, raw) != nil {
		return nil, 0, d.broken()
	}
	line = d.line
	d.line += countLineEnds(raw)
	d.pos = end
	d.isBetween = d.isInside
	return d.compact.Bytes(), line, nil
}

// findObject goes to the brace with which the next object begins. It returns io.EOF after the last one.
func (d *jsonDocument) findObject() error {
	for {
		c, err := d.peek()
		switch {
		case errors.Is(err, io.EOF) && d.isInside:
			return d.broken()
		case err != nil:
			return err
		case c == '\n', c == '\r' && !d.precedes('\n'):
			d.line++
		case c == ' ', c == '\t', c == '\r':
		case c == '[' && !d.isInside:
			d.isInside, d.isBetween = true, false
		case c == ']' && d.isInside:
			d.isInside, d.isBetween = false, false
		case c == ',' && d.isBetween:
			d.isBetween = false
		case c == '{' && !d.isBetween:
			return nil
		default:
			return coupon.Errorf(coupon.ErrorFileUnreadable,
				"The JSON of the file cannot be read from line %d on: an object has to stand there, or a comma between two. "+mendJSON, d.line)
		}
		d.pos++
	}
}

// precedes reports whether the byte after the one at pos is this one.
func (d *jsonDocument) precedes(c byte) bool {
	if d.pos+1 == len(d.buf) && d.err == nil {
		d.fill()
	}
	return d.pos+1 < len(d.buf) && d.buf[d.pos+1] == c
}

// peek returns the byte at pos.
func (d *jsonDocument) peek() (byte, error) {
	if d.pos == len(d.buf) && d.err == nil {
		d.fill()
	}
	if d.pos == len(d.buf) {
		return 0, d.err
	}
	return d.buf[d.pos], nil
}

// objectEnd returns the position after the object at pos, all of which is in memory then.
func (d *jsonDocument) objectEnd() (int, error) {
	depth, isText := 0, false
	for i := 0; ; i++ {
		for d.pos+i >= len(d.buf) {
			switch {
			case i > MaxRowBytes:
				return 0, d.long()
			case d.err == nil:
				d.fill()
			case errors.Is(d.err, io.EOF):
				return 0, d.broken()
			default:
				return 0, d.err
			}
		}
		switch c := d.buf[d.pos+i]; {
		case c == '"':
			isText = !isText
		case isText && c == '\\':
			i++
		case isText:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			if depth--; depth == 0 {
				return d.pos + i + 1, nil
			}
		}
	}
}

// broken is the error for JSON that cannot be read on.
func (d *jsonDocument) broken() error {
	return coupon.Errorf(coupon.ErrorFileUnreadable,
		"The JSON of the file is broken, or cut off, in what begins on line %d: a bracket, a quote or a comma is missing there, or is one too many. "+
			mendJSON, d.line)
}

// long is the error for an object that is longer than a row may be.
func (d *jsonDocument) long() error {
	return coupon.Errorf(coupon.ErrorFileUnreadable,
		"The object of JSON that begins on line %d is longer than %d MiB. Write one object for each row.", d.line, MaxRowBytes>>20)
}

const mendJSON = "Mend it, or write one object a line, of which a broken one harms no other."
