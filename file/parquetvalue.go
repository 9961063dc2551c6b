package file

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/format"
)

// pageValues gives the values of a page, one after the other, as they are in the PLAIN encoding. A value is
// valid until the next one is read. It returns errParquet when there is none.
type pageValues interface {
	next() ([]byte, error)
}

// newValues returns the values of a page. It returns FILE_UNREADABLE for an encoding that cannot be read.
func (c *parquetColumn) newValues(encoding format.Encoding, data []byte) (pageValues, error) { //nolint:cyclop // one case an encoding of the format
	isInteger := c.kind == format.Int32 || c.kind == format.Int64
	switch {
	case encoding == format.Plain && c.kind == format.Boolean:
		return &booleans{runs{width: 1, isPacked: true, left: 8 * len(data), packed: bitReader{data: data}}}, nil
	case encoding == format.Plain:
		return &plainValues{data: data, size: c.size}, nil
	case encoding == format.PlainDictionary || encoding == format.RLEDictionary: //nolint:staticcheck // old files have it
		if !c.hasDictionary {
			return nil, errParquet
		}
		if len(data) == 0 { // All values are null.
			return &plainValues{size: c.size}, nil
		}
		if data[0] > 32 {
			return nil, errParquet
		}
		return &dictionaryValues{dictionary: &c.dictionary, places: runs{data: data[1:], width: uint(data[0])}}, nil
	case encoding == format.RLE && c.kind == format.Boolean:
		if len(data) < 4 {
			return nil, errParquet
		}
		return &booleans{runs{data: data[4:], width: 1}}, nil
	case encoding == format.ByteStreamSplit && c.size > 1:
		return &scatteredValues{data: data, count: len(data) / c.size, value: make([]byte, c.size)}, nil
	case encoding == format.DeltaBinaryPacked && isInteger:
		numbers, err := newDeltas(data)
		return &deltaValues{deltas: numbers, size: c.size}, err
	case encoding == format.DeltaLengthByteArray && c.kind == format.ByteArray:
		return newSizedValues(data)
	case encoding == format.DeltaByteArray && c.kind == format.ByteArray:
		return newPrefixedValues(data)
	}
	return nil, c.unsupported("is encoded as " + encoding.String())
}

// plainValues are values as they are, those without a size after their length.
type plainValues struct {
	data []byte
	size int
}

func (v *plainValues) next() ([]byte, error) {
	size := v.size
	if size == 0 {
		if len(v.data) < 4 {
			return nil, errParquet
		}
		length := binary.LittleEndian.Uint32(v.data)
		v.data = v.data[4:]
		if uint64(length) > uint64(len(v.data)) {
			return nil, errParquet
		}
		size = int(length)
	}
	if size > len(v.data) {
		return nil, errParquet
	}
	value := v.data[:size]
	v.data = v.data[size:]
	return value, nil
}

// scatteredValues are values of which first all first bytes are written, then all second ones, and so on.
type scatteredValues struct {
	data []byte
	// count is how many values there are, and read how many were read.
	count, read int
	value       []byte
}

func (v *scatteredValues) next() ([]byte, error) {
	if v.read == v.count {
		return nil, errParquet
	}
	for i := range v.value {
		v.value[i] = v.data[i*v.count+v.read]
	}
	v.read++
	return v.value, nil
}

// booleans are values of one bit.
type booleans struct{ runs runs }

func (v *booleans) next() ([]byte, error) {
	bit, err := v.runs.next()
	if bit == 0 {
		return []byte{0}, err
	}
	return []byte{1}, err
}

// dictionary is the values that a column has.
type dictionary struct {
	data []byte
	// size is that of each value, or 0: then they begin at starts, and the last one ends where the data
	// do.
	size   int
	starts []int32
	count  int
}

// fill takes the values of a column's dictionary from a page.
func (d *dictionary) fill(c *parquetColumn, count int) error {
	d.size, d.count = c.size, count
	if count < 0 || c.kind == format.Boolean || int64(count)*int64(max(c.size, 4)) > int64(len(d.data)) {
		return errParquet
	}
	if d.size > 0 {
		return nil
	}
	if count > cap(d.starts) {
		if err := c.rows.hold(4*cap(d.starts), 4*count); err != nil {
			return err
		}
		d.starts = make([]int32, 0, count)
	}
	d.starts = d.starts[:0]
	values := plainValues{data: d.data}
	for range count {
		d.starts = append(d.starts, int32(len(d.data)-len(values.data)))
		if _, err := values.next(); err != nil {
			return err
		}
	}
	return nil
}

func (d *dictionary) value(place uint32) ([]byte, error) {
	if uint64(place) >= uint64(d.count) {
		return nil, errParquet
	}
	if d.size > 0 {
		return d.data[int(place)*d.size:][:d.size], nil
	}
	start := d.starts[place]
	length := binary.LittleEndian.Uint32(d.data[start:])
	return d.data[start+4:][:length], nil
}

// dictionaryValues are places in a dictionary.
type dictionaryValues struct {
	dictionary *dictionary
	places     runs
}

func (v *dictionaryValues) next() ([]byte, error) {
	place, err := v.places.next()
	if err != nil {
		return nil, err
	}
	return v.dictionary.value(place)
}

// bitReader reads numbers that are packed without regard to bytes, the lowest bit first.
type bitReader struct {
	data []byte
	// bits are those that were taken from the data and not read, and count their number, less than 8
	// between two numbers.
	bits  uint64
	count uint
}

// read returns the number of the next bits, at most 64 of them.
func (b *bitReader) read(width uint) (uint64, error) {
	if width > 56 {
		low, err := b.read(32)
		if err != nil {
			return 0, err
		}
		high, err := b.read(width - 32)
		return low | high<<32, err
	}
	for b.count < width {
		if len(b.data) == 0 {
			return 0, errParquet
		}
		b.bits |= uint64(b.data[0]) << b.count
		b.count += 8
		b.data = b.data[1:]
	}
	number := b.bits & (1<<width - 1)
	b.bits >>= width
	b.count -= width
	return number, nil
}

// runs are small numbers, in runs of equal ones and of packed ones.
type runs struct {
	data []byte
	// width is how many bits a number has, at most 32.
	width uint
	// left is how many numbers of the run were not read.
	left int
	// number is the one that is repeated, unless the run is packed.
	number   uint32
	isPacked bool
	packed   bitReader
}

func (r *runs) next() (uint32, error) {
	for r.left == 0 {
		if err := r.nextRun(); err != nil {
			return 0, err
		}
	}
	r.left--
	if !r.isPacked {
		return r.number, nil
	}
	number, err := r.packed.read(r.width)
	return uint32(number), err
}

func (r *runs) nextRun() error {
	// Without bits all numbers are 0, and some writers leave out that there are any.
	if len(r.data) == 0 && r.width == 0 {
		r.left, r.isPacked, r.number = 1, false, 0
		return nil
	}
	header, n := binary.Uvarint(r.data)
	if n <= 0 || header > 1<<32 {
		return errParquet
	}
	r.data = r.data[n:]
	r.isPacked = header&1 != 0
	r.left = int(header >> 1)
	size := int(r.width+7) / 8
	if r.isPacked {
		// The last run may be shorter than it should be.
		size = min(r.left*int(r.width), len(r.data))
		r.left *= 8
	}
	if size > len(r.data) {
		return errParquet
	}
	run := r.data[:size]
	r.data = r.data[size:]
	r.packed = bitReader{data: run}
	if !r.isPacked {
		r.number = 0
		for i, c := range run {
			r.number |= uint32(c) << (8 * i)
		}
	}
	return nil
}

// deltas are numbers of which the differences are written, in blocks of several small ones.
type deltas struct { //nolint:recvcheck // kind only names it
	data []byte
	// left is how many numbers were not read; last is the last one, or before the first one that one.
	left    uint64
	last    int64
	isBegun bool
	// inBlock is the number of small blocks in a block, and inSmall that of differences in a small block.
	inBlock, inSmall uint64
	// minimum is the smallest difference in the block, and widths are the bits of the differences in each
	// small block that is still to come.
	minimum int64
	widths  []byte
	// smallLeft is how many differences of the small block were not read, width how many bits they have.
	smallLeft uint64
	width     uint
	small     bitReader
}

// maxBlock is how many differences a block may have.
const maxBlock = 1 << 16

// newDeltas reads the header of the numbers. No data are no numbers.
func newDeltas(data []byte) (*deltas, error) {
	d := &deltas{data: data}
	if len(data) == 0 {
		return d, nil
	}
	var header [3]uint64
	for i := range header {
		u, n := binary.Uvarint(d.data)
		if n <= 0 {
			return nil, errParquet
		}
		header[i], d.data = u, d.data[n:]
	}
	block := header[0]
	d.inBlock, d.left = header[1], header[2]
	if block == 0 || block > maxBlock || d.inBlock == 0 || d.inBlock > block || block/d.inBlock%8 != 0 {
		return nil, errParquet
	}
	d.inSmall = block / d.inBlock
	var err error
	d.last, err = d.varint()
	return d, err
}

// next returns the next number. Differences may go round the limits of int64.
func (d *deltas) next() (int64, error) {
	if d.left == 0 {
		return 0, errParquet
	}
	d.left--
	if !d.isBegun {
		d.isBegun = true
		return d.last, nil
	}
	if d.smallLeft == 0 {
		if err := d.nextSmall(); err != nil {
			return 0, err
		}
	}
	d.smallLeft--
	difference, err := d.small.read(d.width)
	d.last += d.minimum + int64(difference)
	return d.last, err
}

// nextSmall goes to the next small block. Where that is the first of a block, it reads the block's header.
func (d *deltas) nextSmall() error {
	if len(d.widths) == 0 {
		var err error
		if d.minimum, err = d.varint(); err != nil {
			return err
		}
		if uint64(len(d.data)) < d.inBlock {
			return errParquet
		}
		d.widths, d.data = d.data[:d.inBlock], d.data[d.inBlock:]
	}
	d.width, d.widths = uint(d.widths[0]), d.widths[1:]
	d.smallLeft = d.inSmall
	size := d.inSmall / 8 * uint64(d.width)
	if d.width > 64 {
		return errParquet
	}
	// The last small block may be shorter than it should be.
	size = min(size, uint64(len(d.data)))
	d.small = bitReader{data: d.data[:size]}
	d.data = d.data[size:]
	return nil
}

func (d *deltas) varint() (int64, error) {
	v, n := binary.Varint(d.data)
	if n <= 0 {
		return 0, errParquet
	}
	d.data = d.data[n:]
	return v, nil
}

// rest returns what follows the numbers.
func (d deltas) rest() ([]byte, error) {
	for left := d.left; left > 1; left -= min(left-1, d.inSmall) {
		if err := d.nextSmall(); err != nil {
			return nil, err
		}
	}
	return d.data, nil
}

// deltaValues are integers of so many bytes.
type deltaValues struct {
	deltas *deltas
	size   int
	value  [8]byte
}

func (v *deltaValues) next() ([]byte, error) {
	number, err := v.deltas.next()
	binary.LittleEndian.PutUint64(v.value[:], uint64(number))
	return v.value[:v.size], err
}

// sizedValues are values after all their lengths.
type sizedValues struct {
	lengths *deltas
	data    []byte
}

func newSizedValues(data []byte) (*sizedValues, error) {
	lengths, err := newDeltas(data)
	if err != nil {
		return nil, err
	}
	data, err = lengths.rest()
	return &sizedValues{lengths: lengths, data: data}, err
}

func (v *sizedValues) next() ([]byte, error) {
	length, err := v.lengths.next()
	if err != nil || length < 0 || length > int64(len(v.data)) {
		return nil, errParquet
	}
	value := v.data[:length]
	v.data = v.data[length:]
	return value, nil
}

// prefixedValues are values that begin as the one before does.
type prefixedValues struct {
	// prefixes are how much of the value before is the beginning of each value.
	prefixes *deltas
	suffixes *sizedValues
	value    []byte
}

func newPrefixedValues(data []byte) (*prefixedValues, error) {
	prefixes, err := newDeltas(data)
	if err != nil {
		return nil, err
	}
	rest, err := prefixes.rest()
	if err != nil {
		return nil, err
	}
	suffixes, err := newSizedValues(rest)
	return &prefixedValues{prefixes: prefixes, suffixes: suffixes}, err
}

func (v *prefixedValues) next() ([]byte, error) {
	prefix, err := v.prefixes.next()
	if err != nil || prefix < 0 || prefix > int64(len(v.value)) {
		return nil, errParquet
	}
	suffix, err := v.suffixes.next()
	v.value = append(v.value[:prefix], suffix...)
	return v.value, err
}
