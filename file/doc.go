// Package file reads the rows of a file that a marketer uploads.
//
// Such files come from spreadsheets, shops and other senders of mail, and nobody says how they are
// written. Open therefore looks at the beginning of the file and finds out: whether it is compressed
// (gzip, zstd; by its first bytes, never by its name), its encoding, its delimiter, whether it has a
// header, and which column holds what. Everything found can be overruled by coupon.FileOptions, and
// what cannot be told for sure is an error that says what to do: a wrong guess would import labels as
// codes.
//
// # Reading
//
// A Reader then gives one Row after the other in a fixed amount of memory, whatever the size of the
// file. A row that cannot be read is given too, with the reason, so that every row is accounted for;
// the rows after it are read as usual. Three rules follow from that:
//
//   - A quote that is opened and not closed as it should be spoils its own line only. Reading goes on
//     at the next line, where the rows are good. Until the line up to which the quote was followed, a
//     quote in the middle of an unquoted cell counts as broken too, as it may be the end of the cell
//     that was broken off.
//   - Fewer cells than columns: the missing ones are empty. More cells than columns: the row is
//     MALFORMED, unless the cells too many are empty.
//   - Bytes that are not text in the file's encoding, and NUL, make a row BAD_CHARACTER.
//
// # Lines
//
// LF, CRLF and a lone CR each end a line, even mixed in one file. Lines of nothing but spaces are no
// rows. Inside quotes a line end is part of the cell.
//
// # Formats
//
// This version reads CSV in all its dialects. Files of other formats are recognised, so that the
// error can say what the file is.
package file
