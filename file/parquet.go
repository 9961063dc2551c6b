package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"couponql/coupon"
)

// The bytes with which a Parquet file begins and ends, and one whose metadata are encrypted.
const (
	parquetMagic   = "PAR1"
	encryptedMagic = "PARE"
)

// Limits of a Parquet file.
const (
	// maxMetadataBytes is the size of the longest metadata at the end of a file, and of a page's header.
	maxMetadataBytes = 32 << 20
	// maxPageBytes is the size of the largest page, packed or not. Writers make pages of 1 MiB, or one
	// page of a hundred thousand rows.
	maxPageBytes = 128 << 20
	// maxPagesBytes is the size of the pages that are in memory at the same time: one of each column,
	// and its dictionary.
	maxPagesBytes = 512 << 20
)

// errParquet is the error of a Parquet file that contradicts itself. It becomes a FILE_UNREADABLE.
var errParquet = errors.New("read Parquet: the file is damaged")

// parquetRows reads the rows of a Parquet file, one page of each column at a time.
//
// Parquet from outside is hostile until it is proved otherwise: a file of 23 bytes can announce two
// thousand million row groups, and a page of a few bytes as many values. So parquet-go describes the
// format and decodes its metadata, behind a reader that knows how much there can be, while the pages are
// decoded here value by value, and never more of them than their bytes hold.
type parquetRows struct {
	source  *source
	groups  []format.RowGroup
	columns []*parquetColumn
	// leaves is how many columns of values a row group has.
	leaves int
	// left is how many rows of the group are still to be read, and number the number of the last row.
	left   int64
	number int
	// held is the size of the pages in memory, packed a page before it is unpacked.
	held   int
	packed []byte
	// text holds the values of the row.
	text []byte
}

// openParquet reads the metadata of a Parquet file and finds the columns.
func (r *Reader) openParquet(options *coupon.FileOptions, columns []Column) error {
	if r.source.isPacked {
		return unreadable("The Parquet file is compressed once more. Unpack it, and import the Parquet file; its columns are compressed already.")
	}
	p := &parquetRows{source: r.source}
	names, err := p.openColumns()
	switch {
	case errors.Is(err, errParquet):
		return unreadable("The Parquet file is damaged or cut off: nothing of it can be read. Send the whole file again.")
	case err != nil:
		return err
	}
	r.layout.Format, r.layout.Encoding, r.layout.EncodingCertainty = coupon.FormatParquet, nameUTF8, coupon.CertaintySure
	r.layout.HasHeader, r.layout.Columns = true, names
	r.rows = p
	a, err := assign(names, columns, options.Columns)
	if err != nil {
		return err
	}
	r.setAssignment(a)
	if err := a.checkRequired(columns, names); err != nil {
		return err
	}
	r.noRows = newNoRows(names, true, columns, a)
	r.noRows.isNamed = true
	r.warnRivals(a, names)
	return r.checkColumns(p, a, names)
}

// checkColumns returns FILE_UNREADABLE when a column that is asked for cannot be read; others are only told.
func (r *Reader) checkColumns(p *parquetRows, a *assignment, names []string) error {
	for cell, column := range p.columns {
		if column.problem == "" {
			continue
		}
		if slices.Contains(a.fields, cell) || a.isConsent(cell) {
			return coupon.Errorf(coupon.ErrorFileUnreadable, "The column %d of the Parquet file %s.", column.number, column.problem)
		}
		a.others = slices.DeleteFunc(a.others, func(other otherColumn) bool { return other.cell == cell })
		r.found.Warn(coupon.WarningNestedColumn, 0, names[cell])
	}
	// Without one nothing would tell how many rows there really are.
	if !slices.ContainsFunc(p.columns, func(c *parquetColumn) bool { return c.problem == "" }) {
		return unreadable("The Parquet file has no column of simple values. Write a file of simple columns, without lists and structures.")
	}
	return nil
}

// openColumns reads the metadata and gives the names of the columns.
func (p *parquetRows) openColumns() (names []string, err error) {
	metadata, err := p.readMetadata()
	if err != nil {
		return nil, err
	}
	if metadata.EncryptionAlgorithm.Value != nil {
		return nil, errEncrypted()
	}
	if len(metadata.Schema) == 0 {
		return nil, errParquet
	}
	elements := metadata.Schema[1:]
	for len(elements) > 0 {
		number := len(p.columns) + 1
		if number > MaxColumns {
			return nil, coupon.Errorf(coupon.ErrorFileUnreadable, "The file has more than %d columns, which is the most that can be read.", MaxColumns)
		}
		column := newParquetColumn(p, &elements[0], number)
		names = append(names, coupon.CleanValue(elements[0].Name))
		size, leaves, err := subtree(elements, 1)
		if err != nil {
			return nil, err
		}
		if column.problem == "" {
			column.leaf = p.leaves
		}
		p.leaves += leaves
		elements = elements[size:]
		p.columns = append(p.columns, column)
	}
	p.groups = metadata.RowGroups
	return names, nil
}

// maxParquetDepth is how deep the columns of a Parquet file may be nested.
const maxParquetDepth = 100

// subtree returns how many elements the first column of a schema has, with those in it, and how many of them have values.
func subtree(elements []format.SchemaElement, depth int) (size, leaves int, err error) {
	if len(elements) == 0 || depth > maxParquetDepth {
		return 0, 0, errParquet
	}
	size = 1
	if elements[0].Type.Valid {
		return size, 1, nil
	}
	children := int32(0)
	if elements[0].NumChildren.Valid {
		children = elements[0].NumChildren.V
	}
	for range children {
		more, deeper, err := subtree(elements[size:], depth+1)
		if err != nil {
			return 0, 0, err
		}
		size, leaves = size+more, leaves+deeper
	}
	return size, leaves, nil
}

// readMetadata reads and checks the metadata at the end of the file.
func (p *parquetRows) readMetadata() (*format.FileMetaData, error) {
	var end [8]byte
	const magics = int64(len(parquetMagic) + len(end))
	if p.source.size < magics {
		return nil, errParquet
	}
	if err := p.readAt(end[:], p.source.size-int64(len(end))); err != nil {
		return nil, err
	}
	size := int64(binary.LittleEndian.Uint32(end[:]))
	switch magic := string(end[4:]); {
	case magic == encryptedMagic:
		return nil, errEncrypted()
	case magic != parquetMagic, size > p.source.size-magics:
		return nil, errParquet
	case size > maxMetadataBytes:
		return nil, unreadable("The Parquet file has too many columns or row groups. Write it with larger row groups.")
	}
	data := make([]byte, size)
	if err := p.readAt(data, p.source.size-int64(len(end))-size); err != nil {
		return nil, err
	}
	var metadata format.FileMetaData
	if _, err := decodeThrift(data, &metadata); err != nil {
		return nil, err
	}
	return &metadata, nil
}

func errEncrypted() error {
	return unreadable("The Parquet file is encrypted. Write it without encryption.")
}

// readAt reads a part of the file, which lies within it.
func (p *parquetRows) readAt(data []byte, offset int64) error {
	if _, err := p.source.file.ReadAt(data, offset); err != nil {
		if errors.Is(err, io.EOF) {
			return errParquet // The file was shortened since it was opened.
		}
		return fmt.Errorf("read file: %w", err)
	}
	return nil
}

func (p *parquetRows) lastLine() int { return p.number }

func (p *parquetRows) next(row *Row) (err error) {
	defer func() {
		if recover() != nil {
			err = errParquet
		}
		if errors.Is(err, errParquet) {
			err = coupon.Errorf(coupon.ErrorFileUnreadable,
				"The Parquet file is damaged: nothing can be read after row %d. Write it again.", p.number)
		}
	}()
	for p.left == 0 {
		if err := p.nextGroup(); err != nil {
			return err
		}
	}
	p.text = p.text[:0]
	row.spans = row.spans[:0]
	isText, isLong := true, false
	for _, column := range p.columns {
		if column.problem != "" {
			row.spans = append(row.spans, span{start: int32(len(p.text)), end: int32(len(p.text)), isQuoted: true, isAbsent: true})
			continue
		}
		value, isNull, err := column.next()
		if err != nil {
			return err
		}
		start := len(p.text)
		isLong = isLong || start+len(value) > MaxRowBytes
		if isLong {
			value = value[:min(len(value), max(0, MaxRowBytes-start))]
			isNull = isNull || !column.isBytes
		}
		if !isNull {
			p.text, isNull = column.write(p.text, value)
		}
		isText = isText && (!column.isBytes || isGoodText(p.text[start:]))
		row.spans = append(row.spans, span{start: int32(start), end: int32(len(p.text)), isQuoted: true, isNull: isNull, isNumber: column.isNumber})
	}
	p.left--
	p.number++
	if err := p.source.take(len(p.text) + len(p.columns)); err != nil {
		return err
	}
	switch {
	case isLong || len(p.text) > MaxRowBytes:
		row.reject(p.number, coupon.RejectedMalformed, p.raw(row))
	case !isText:
		row.reject(p.number, coupon.RejectedBadCharacter, p.raw(row))
	default:
		row.accept(p.number, string(p.text))
	}
	return nil
}

// raw returns the values of a row for the report, with commas between them.
func (p *parquetRows) raw(row *Row) []byte {
	var raw []byte
	for _, span := range row.spans {
		raw = append(append(raw, p.text[span.start:span.end]...), ',')
		if len(raw) > 4*coupon.MaxTextLength {
			break
		}
	}
	return bytes.TrimSuffix(raw, []byte{','})
}

func isGoodText(text []byte) bool { return utf8.Valid(text) && bytes.IndexByte(text, 0) < 0 }

// nextGroup goes to the next row group. It returns io.EOF after the last one.
func (p *parquetRows) nextGroup() error {
	for _, column := range p.columns {
		if column.left > 0 {
			return errParquet
		}
	}
	if len(p.groups) == 0 {
		p.source.read.Store(p.source.size)
		return io.EOF
	}
	group := &p.groups[0]
	p.groups = p.groups[1:]
	if len(group.Columns) != p.leaves || group.NumRows < 0 {
		return errParquet
	}
	for _, column := range p.columns {
		if column.problem != "" {
			continue
		}
		if err := column.open(&group.Columns[column.leaf], group.NumRows); err != nil {
			return err
		}
	}
	p.left = group.NumRows
	return nil
}

// hold counts the memory of pages: a buffer that was of one size gets another.
func (p *parquetRows) hold(from, to int) error {
	if p.held += to - from; p.held > maxPagesBytes {
		return unreadable("The Parquet file takes too much memory to read. Write it with smaller pages or row groups, or with fewer columns.")
	}
	return nil
}

// metadataReader reads metadata that know no more than their bytes can hold. Each list, and each structure
// in a list, is charged with what it takes in memory at most, which bounds nesting as well.
type metadataReader struct {
	thrift.BytesReader
	size int
	left int
}

// The memory that metadata take, in bytes: all together, one structure, and one value.
const (
	maxMetadataMemory = 256 << 20
	structMemory      = 512
	valueMemory       = 16
)

// decodeThrift decodes the structure at the beginning of data, which has to stay as it is, and gives its
// size. Where it is not as it should be, it returns errParquet.
func decodeThrift(data []byte, target any) (size int, err error) {
	defer func() {
		if recover() != nil {
			err = errParquet
		}
	}()
	reader := &metadataReader{
		BytesReader: new(thrift.CompactProtocol).NewReaderFromBytes(data),
		size:        len(data),
		left:        maxMetadataMemory,
	}
	if err := thrift.NewDecoder(reader).Decode(target); err != nil {
		return 0, fmt.Errorf("%w: %w", errParquet, err)
	}
	return reader.BytesRead(), nil
}

// ReadList reads the beginning of a list. It returns errParquet when the list cannot be that long.
func (m *metadataReader) ReadList() (thrift.List, error) {
	list, err := m.BytesReader.ReadList()
	if err != nil {
		return thrift.List{}, err
	}
	memory := valueMemory
	if list.Type == thrift.STRUCT {
		memory = structMemory
	}
	return list, m.charge(int(list.Size), memory)
}

// ReadSet does the same for a set.
func (m *metadataReader) ReadSet() (thrift.Set, error) {
	list, err := m.ReadList()
	return thrift.Set(list), err
}

// ReadMap does the same for a map.
func (m *metadataReader) ReadMap() (thrift.Map, error) {
	found, err := m.BytesReader.ReadMap()
	if err != nil {
		return thrift.Map{}, err
	}
	return found, m.charge(int(found.Size), 2*structMemory)
}

// ReadField reads the beginning of a field.
func (m *metadataReader) ReadField() (thrift.Field, error) {
	field, err := m.BytesReader.ReadField()
	if err != nil || field.Type != thrift.STRUCT {
		return field, err
	}
	return field, m.charge(0, structMemory)
}

// Discard goes on by so many bytes.
func (m *metadataReader) Discard(count int) (int, error) {
	discarder, ok := m.BytesReader.(interface{ Discard(count int) (int, error) })
	if !ok {
		return 0, errParquet
	}
	return discarder.Discard(count)
}

// charge counts something with so many elements, each of which takes at least one byte of the data.
func (m *metadataReader) charge(elements, memory int) error {
	if elements < 0 || elements > m.size-m.BytesRead() {
		return errParquet
	}
	if m.left -= structMemory + elements*memory; m.left < 0 {
		return errParquet
	}
	return nil
}
