package file

import (
	"bytes"
	"strings"

	"couponql/coupon"
)

// binaryBytes is how much of a file is searched for the NUL bytes that no text has.
const binaryBytes = 8 << 10

// checkUnpacked returns FILE_UNREADABLE when the beginning of a file, once unpacked, is that of a
// known kind of file that is no text.
func checkUnpacked(sample []byte) error {
	has := func(magic string) bool { return bytes.HasPrefix(sample, []byte(magic)) }
	switch {
	case has("PK\x03\x04") && (bytes.Contains(sample, []byte("xl/")) ||
		bytes.Contains(sample, []byte("[Content_Types].xml"))):
		return unreadable("The file is an Excel workbook (XLSX). In the spreadsheet program, save it as CSV, and import that file.")
	case has("PK\x03\x04"), has("PK\x05\x06"):
		return unreadable("The file is a ZIP archive. Unpack it, and import the CSV file; .gz and .zst files can be imported as they are.")
	case has("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		return unreadable("The file is an old Excel workbook (XLS). In the spreadsheet program, save it as CSV, and import that file.")
	case isGzip(sample), isZstd(sample):
		return unreadable("The file is compressed twice. Unpack it once, and import the result.")
	case has("BZh") && bytes.Contains(sample[:min(len(sample), 10)], []byte("1AY&SY")),
		has("\xfd7zXZ\x00"), has("7z\xbc\xaf\x27\x1c"), has("Rar!\x1a\x07"):
		return unreadable("The file is compressed in a way that cannot be read. Unpack it, or compress it with gzip or zstd.")
	case has("%PDF-"):
		return unreadable("The file is a PDF document. Import a CSV file: one row a line, its columns separated by commas.")
	case has("\x89PNG\r\n\x1a\n"), has("\xff\xd8\xff"),
		has("GIF8") && bytes.IndexByte(sample, 0) >= 0:
		return unreadable("The file is a picture. Import a CSV file: one row a line, its columns separated by commas.")
	}
	return nil
}

// checkBinary returns FILE_UNREADABLE when a sample of a text has bytes that no text has.
func checkBinary(sample []byte) error {
	if bytes.IndexByte(sample[:min(len(sample), binaryBytes)], 0) >= 0 {
		return unreadable("The file is not text. Import a CSV file: one row a line, its columns separated by commas.")
	}
	return nil
}

// startBytes is how much of a text is decoded to find out its format.
const startBytes = 64 << 10

// detectText finds out the format of a text by its beginning: XML, JSONL, or CSV for everything
// else. It returns FILE_UNREADABLE for a web page and for JSON that has no objects.
func detectText(sample []byte, set *charset) (coupon.FileFormat, error) {
	start := set.decodeStart(sample)
	start = bytes.TrimLeft(start, " \t\r\n")
	lower := strings.ToLower(string(start[:min(len(start), binaryBytes)]))
	if lower == "" {
		return coupon.FormatCSV, nil
	}
	second := strings.TrimLeft(lower[1:], " \t\r\n")
	follows := func(signs string) bool {
		return second != "" && strings.IndexByte(signs, second[0]) >= 0
	}
	switch {
	case strings.HasPrefix(lower, "<!doctype html"), strings.HasPrefix(lower, "<html"):
		return "", unreadable("The file is a web page (HTML), as a browser gets where a login is missing. Import a CSV file.")
	case lower[0] == '<' && follows("?!abcdefghijklmnopqrstuvwxyz") && strings.Contains(lower, ">"):
		return coupon.FormatXML, nil
	case lower[0] == '{' && follows(`"}`):
		return coupon.FormatJSONL, nil
	case lower[0] == '[' && follows(`{`):
		return coupon.FormatJSONL, nil
	case lower[0] == '[' && follows(`["`):
		return "", unreadable(
			"The file is a JSON array of values. Write one object for each row, e.g. [{\"code\": \"A1\"}]",
		)
	}
	return coupon.FormatCSV, nil
}

// isParquet tells Parquet by its first bytes. Unless it is asked for, a text that begins with these
// is no Parquet: a NUL ends the header of the first page.
func isParquet(sample []byte, isAsked bool) bool {
	isMarked := bytes.HasPrefix(sample, []byte(parquetMagic)) ||
		bytes.HasPrefix(sample, []byte(encryptedMagic))
	return isMarked && (isAsked || bytes.IndexByte(sample[:min(len(sample), binaryBytes)], 0) >= 0)
}

func unreadable(message string) error {
	return &coupon.UserError{Code: coupon.ErrorFileUnreadable, Message: message}
}
