package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"

	"couponql/coupon"
)

// parquetColumn reads the values of one column, page after page.
type parquetColumn struct {
	rows   *parquetRows
	number int
	parquetType
	isOptional bool
	// leaf is its place among the columns that a row group has, as nested columns have several or none.
	leaf int
	// problem says why the column cannot be read; "" when it can.
	problem string

	// meta describes the column in this row group. offset is where its next page begins in the file, and
	// end where its last one ends.
	meta        *format.ColumnMetaData
	offset, end int64
	// left is how many values are still to be read in the row group, and inPage in the page.
	left   int64
	inPage int64
	// page is the unpacked page, which the values point into, and levelBytes what levels are read from
	// when that is no part of it.
	page, levelBytes []byte
	dictionary       dictionary
	hasDictionary    bool
	// levels has 1 for each value of the page that there is and 0 for each null; nil when there is no
	// null.
	levels *runs
	values pageValues
}

// newParquetColumn makes the column that an element of the schema describes. One that has no simple values is not read.
func newParquetColumn(rows *parquetRows, element *format.SchemaElement, number int) *parquetColumn {
	c := &parquetColumn{rows: rows, number: number, leaf: -1}
	repetition := format.Required
	if element.RepetitionType.Valid {
		repetition = element.RepetitionType.V
	}
	isGroup := !element.Type.Valid || element.NumChildren.Valid && element.NumChildren.V > 0
	if isGroup || repetition == format.Repeated {
		c.problem = "is nested. Write a file of simple columns, without lists and structures"
		return c
	}
	c.isOptional = repetition == format.Optional
	var isKnown bool
	if c.parquetType, isKnown = newParquetType(element); !isKnown {
		c.problem = "holds values of a kind that cannot be read as text. Write it in another way, or without this column"
	}
	return c
}

func (c *parquetColumn) unsupported(problem string) error {
	return coupon.Errorf(
		coupon.ErrorFileUnreadable,
		"The column %d of the Parquet file %s. Write it in another way, or without this column.",
		c.number,
		problem,
	)
}

// open goes to the first page of a row group, which has so many rows.
func (c *parquetColumn) open(chunk *format.ColumnChunk, rows int64) error {
	meta := &chunk.MetaData
	if chunk.CryptoMetadata.Value != nil || len(chunk.EncryptedColumnMetadata) > 0 {
		return errEncrypted()
	}
	c.meta, c.left, c.inPage = meta, rows, 0
	c.offset = meta.DataPageOffset
	if dictionary := meta.DictionaryPageOffset; dictionary > 0 && dictionary < c.offset {
		c.offset = dictionary
	}
	c.end = c.offset + meta.TotalCompressedSize
	c.hasDictionary = false
	isInFile := c.offset >= 0 && meta.TotalCompressedSize >= 0 && c.end >= c.offset && c.end <= c.rows.source.size
	if chunk.FilePath != "" || meta.Type != c.kind || meta.NumValues != rows || !isInFile {
		return errParquet
	}
	return nil
}

// next returns the next value, as its bytes in the PLAIN encoding, or says that it is null. The bytes are
// valid until the next call.
func (c *parquetColumn) next() (value []byte, isNull bool, err error) {
	for c.inPage == 0 {
		if err := c.nextPage(); err != nil {
			return nil, false, err
		}
	}
	c.inPage--
	c.left--
	if c.levels != nil {
		level, err := c.levels.next()
		if err != nil || level == 0 {
			return nil, true, err
		}
	}
	value, err = c.values.next()
	return value, false, err
}

// nextPage reads the next page.
func (c *parquetColumn) nextPage() error {
	header, packed, err := c.readPage()
	if err != nil {
		return err
	}
	switch header.Type {
	case format.DictionaryPage:
		return c.openDictionary(header, packed)
	case format.DataPage:
		return c.openPage(header, packed)
	case format.DataPageV2:
		return c.openPageV2(header, packed)
	case format.IndexPage:
	}
	return nil
}

// readPage reads a page, packed as it is in the file.
func (c *parquetColumn) readPage() (*format.PageHeader, []byte, error) {
	header, size, err := c.readHeader()
	if err != nil {
		return nil, nil, err
	}
	c.offset += size
	packed := int64(header.CompressedPageSize)
	if packed < 0 || packed > maxPageBytes || packed > c.end-c.offset || header.UncompressedPageSize < 0 {
		return nil, nil, errParquet
	}
	if header.UncompressedPageSize > maxPageBytes {
		return nil, nil, c.unsupported("has a page that is too large")
	}
	if err := c.rows.resize(&c.rows.packed, int(packed)); err != nil {
		return nil, nil, err
	}
	data := c.rows.packed
	if err := c.rows.readAt(data, c.offset); err != nil {
		return nil, nil, err
	}
	c.offset += packed
	c.rows.source.read.Add(size + packed)
	if header.CRC != 0 && crc32.ChecksumIEEE(data) != uint32(header.CRC) {
		return nil, nil, errParquet
	}
	return header, data, nil
}

// The header of a page is looked for in so many bytes; in more only if it has very long statistics.
const (
	usualHeaderBytes = 4 << 10
	maxHeaderBytes   = 4 << 20
)

// readHeader reads the header of a page and gives its size.
func (c *parquetColumn) readHeader() (header *format.PageHeader, size int64, err error) {
	for _, limit := range []int64{usualHeaderBytes, maxHeaderBytes} {
		data := make([]byte, min(limit, c.end-c.offset))
		if err := c.rows.readAt(data, c.offset); err != nil {
			return nil, 0, err
		}
		header = new(format.PageHeader)
		var read int
		if read, err = decodeThrift(data, header); err == nil {
			return header, int64(read), nil
		}
	}
	return nil, 0, err
}

// resize makes a buffer one of this length. What was in it is lost.
func (p *parquetRows) resize(buffer *[]byte, length int) error {
	if length > cap(*buffer) {
		if err := p.hold(cap(*buffer), length); err != nil {
			return err
		}
		*buffer = make([]byte, length)
	}
	*buffer = (*buffer)[:length]
	return nil
}

// unpack unpacks a page into a buffer.
func (c *parquetColumn) unpack(buffer *[]byte, packed []byte, size int) error {
	if size < 0 {
		return errParquet
	}
	if err := c.rows.source.take(size); err != nil {
		return err
	}
	if err := c.rows.resize(buffer, size); err != nil {
		return err
	}
	var err error
	data := *buffer
	switch c.meta.Codec {
	case format.Uncompressed:
		if len(packed) != size {
			return errParquet
		}
		copy(data, packed)
	case format.Snappy:
		var length int
		if length, err = snappy.DecodedLen(packed); err != nil || length != size {
			return errParquet
		}
		_, err = snappy.Decode(data, packed)
	case format.Gzip:
		var reader *gzip.Reader
		if reader, err = gzip.NewReader(bytes.NewReader(packed)); err == nil {
			_, err = io.ReadFull(reader, data)
		}
	case format.Zstd:
		err = c.rows.unpackZstd(data, packed)
	case format.Brotli, format.Lz4Raw, format.LZO:
		return c.unsupported("is compressed with " + c.meta.Codec.String() + "; Snappy, gzip and zstd can be read")
	default:
		return c.unsupported("is compressed in a way that cannot be read")
	}
	if err != nil {
		return errors.Join(errParquet, err)
	}
	return nil
}

func (p *parquetRows) unpackZstd(data, packed []byte) error {
	if p.source.decoder == nil {
		// The source closes it.
		decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindowBytes))
		if err != nil {
			return err
		}
		p.source.decoder = decoder
	}
	if err := p.source.decoder.Reset(bytes.NewReader(packed)); err != nil {
		return err
	}
	_, err := io.ReadFull(p.source.decoder, data)
	return err
}

// openDictionary takes the dictionary of the column, to which the values of other pages refer.
func (c *parquetColumn) openDictionary(header *format.PageHeader, packed []byte) error {
	h := header.DictionaryPageHeader
	if !h.Valid || c.hasDictionary || h.V.Encoding != format.Plain && h.V.Encoding != format.PlainDictionary { //nolint:staticcheck // old files have it
		return errParquet
	}
	if err := c.unpack(&c.dictionary.data, packed, int(header.UncompressedPageSize)); err != nil {
		return err
	}
	c.hasDictionary = true
	return c.dictionary.fill(c, int(h.V.NumValues))
}

// openPage takes a data page of version 1: levels and values are packed together.
func (c *parquetColumn) openPage(header *format.PageHeader, packed []byte) error {
	h := header.DataPageHeader
	if !h.Valid {
		return errParquet
	}
	if err := c.unpack(&c.page, packed, int(header.UncompressedPageSize)); err != nil {
		return err
	}
	data := c.page
	var levels []byte
	if c.isOptional {
		if h.V.DefinitionLevelEncoding != format.RLE {
			return c.unsupported("is encoded as " + h.V.DefinitionLevelEncoding.String())
		}
		if len(data) < 4 {
			return errParquet
		}
		size := int64(binary.LittleEndian.Uint32(data))
		data = data[4:]
		if size > int64(len(data)) {
			return errParquet
		}
		levels, data = data[:size], data[size:]
	}
	return c.openValues(h.V.NumValues, levels, h.V.Encoding, data)
}

// openPageV2 takes a data page of version 2: the levels come before the values and are not packed.
func (c *parquetColumn) openPageV2(header *format.PageHeader, packed []byte) error {
	h := header.DataPageHeaderV2
	repetitions, definitions := int64(h.V.RepetitionLevelsByteLength), int64(h.V.DefinitionLevelsByteLength)
	if !h.Valid || repetitions < 0 || definitions < 0 || repetitions+definitions > int64(len(packed)) {
		return errParquet
	}
	levelBytes := int(repetitions + definitions)
	size := int(header.UncompressedPageSize) - levelBytes
	values := packed[levelBytes:]
	// The buffer of the packed page is needed for that of another column.
	levels := packed[repetitions:levelBytes]
	if err := c.rows.resize(&c.levelBytes, len(levels)); err != nil {
		return err
	}
	copy(c.levelBytes, levels)
	if h.V.IsCompressed.Valid && !h.V.IsCompressed.V {
		if size != len(values) {
			return errParquet
		}
		if err := c.rows.resize(&c.page, size); err != nil {
			return err
		}
		copy(c.page, values)
	} else if err := c.unpack(&c.page, values, size); err != nil {
		return err
	}
	return c.openValues(h.V.NumValues, c.levelBytes, h.V.Encoding, c.page)
}

// openValues prepares to read the values of a page.
func (c *parquetColumn) openValues(count int32, levels []byte, encoding format.Encoding, data []byte) error {
	if count < 0 || int64(count) > c.left {
		return errParquet
	}
	c.inPage = int64(count)
	c.levels = nil
	if c.isOptional {
		c.levels = &runs{data: levels, width: 1}
	}
	var err error
	c.values, err = c.newValues(encoding, data)
	return err
}
