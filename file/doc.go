// Package file reads the rows of a file that a marketer uploads.
//
// Such files come from spreadsheets, shops and other senders of mail, and nobody says how they are
// written. Open therefore looks at the beginning of the file and finds out: whether it is
// compressed (gzip, zstd; by its first bytes, never by its name), its format (CSV, XML, JSONL,
// Parquet), its encoding, its delimiter, whether it has a header, and which column holds what.
// Everything found can be overruled by coupon.FileOptions, and what cannot be told for sure is an
// error that says what to do: a wrong guess would import labels as codes.
//
// # Reading
//
// A Reader then gives one Row after the other in a fixed amount of memory, whatever the size of the
// file. A row that cannot be read is given too, with the reason, so that every row is accounted
// for; the rows after it are read as usual. Three rules follow from that for CSV:
//
//   - A quote that is opened and not closed as it should be spoils its own line only. Reading goes
//     on at the next line, where the rows are good. Until the line up to which the quote was
//     followed, a quote in the middle of an unquoted cell counts as broken too, as it may be the
//     end of the cell that was broken off.
//   - Fewer cells than columns: the row does not have the missing ones. More cells than columns:
//     the row is MALFORMED, unless the cells too many are empty.
//   - Bytes that are not text in the file's encoding, and NUL, make a row BAD_CHARACTER.
//
// # Cells
//
// A cell that is absent, one that is empty, null and a text that stands for nothing are different
// things. Row.Cell tells them apart, in the same way for every format; coupon.Presence says what
// each of them does.
//
// # Lines of CSV and JSONL
//
// LF, CRLF and a lone CR each end a line, even mixed in one file. Lines of nothing but spaces are
// no rows. Inside quotes a line end is part of the cell.
//
// # JSONL
//
// One JSON object a line, whose keys are the columns; every row may have others. Strings are taken
// as they are, numbers as they are written. Lists and objects are taken as their JSON, but not
// where a known column wants a value. A line that is no object, has a key twice or such a list is
// MALFORMED, and reading goes on at the next one. NUL and half a surrogate pair, which only escapes
// can bring in, make a row BAD_CHARACTER.
//
// Objects in an array, or over many lines, are read as well. No two rows have the same line: where
// several objects begin on one, each after the first counts as a line more. Such a document that is
// broken ends the file with an error. A report of what came of messages is a row for each of its
// recipients, with the paths of its members as columns.
//
// # XML
//
// A row is an element, and its cells are its attributes and the elements in it:
//
//	<coupon><value code="A1" label="soccer"/><value><code>B2</code></value></coupon>
//
// The rows are the outermost elements that have the first required column; a coupon that has a code
// and rows in it is none, and neither is the root if another element can be one. An element with
// text of its own has that as the value of a column of its name, so <code>A1</code> is a row where
// several stand together. What is nested deeper is part of the text of its cell. The spaces and
// line ends around an element's text are layout; an attribute is taken as it is. Elements that come
// several times in a row, next to each other, are joined by commas, unless they are a known column:
// then the row is MALFORMED, as it is when it is too long. xsi:nil is null. Prefixes make no
// difference.
//
// Broken XML cannot be read on safely, so it ends the file with an error that names the line, after
// the rows before it. The same goes for what could expand or fetch: a document type with entities
// of its own or one that stands in another file, deep nesting, and parts longer than MaxRowBytes.
// Other document types and processing instructions are passed over.
//
// # Parquet
//
// Columns of simple values become text: numbers without exponents, timestamps in RFC 3339 (without
// an offset where the file has none), dates as 2026-11-24. NaN is null. A nested column is ignored
// with a warning, and refused where it holds a field that the rows need. Brotli, LZ4 and encryption
// are refused. A line is the number of the row. The metadata are decoded by parquet-go, and the
// pages here: parquet-go takes the sizes that a file states for true, and one that lies makes it
// ask for more memory than there is, which ends the process.
package file
