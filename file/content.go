package file

import (
	"bytes"
	"strings"

	"couponql/coupon"
)

// binaryBytes is how much of a file is searched for the NUL bytes that no text has.
const binaryBytes = 8 << 10

// checkUnpacked returns FILE_UNREADABLE when the beginning of a file, once unpacked, is that of a known
// kind of file that is no text.
func checkUnpacked(sample []byte) error {
	has := func(magic string) bool { return bytes.HasPrefix(sample, []byte(magic)) }
	switch {
	case has("PK\x03\x04") && (bytes.Contains(sample, []byte("xl/")) || bytes.Contains(sample, []byte("[Content_Types].xml"))):
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
	case has("PAR1") && bytes.IndexByte(sample, 0) >= 0:
		return unsupported(coupon.FormatParquet)
	case has("%PDF-"):
		return unreadable("The file is a PDF document. Import a CSV file: one row a line, its columns separated by commas.")
	case has("\x89PNG\r\n\x1a\n"), has("\xff\xd8\xff"), has("GIF8") && bytes.IndexByte(sample, 0) >= 0:
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

// checkText returns FILE_UNREADABLE when a text begins like a format other than CSV.
func checkText(sample []byte) error {
	start := strings.ToLower(string(bytes.TrimLeft(sample[:min(len(sample), binaryBytes)], " \t\r\n")))
	if start == "" {
		return nil
	}
	second := strings.TrimLeft(start[1:], " \t\r\n")
	follows := func(signs string) bool { return second != "" && strings.IndexByte(signs, second[0]) >= 0 }
	switch {
	case strings.HasPrefix(start, "<!doctype html"), strings.HasPrefix(start, "<html"):
		return unreadable("The file is a web page (HTML), as a browser gets where a login is missing. Import a CSV file.")
	case start[0] == '<' && follows("?!abcdefghijklmnopqrstuvwxyz") && strings.Contains(start, ">"):
		return unsupported(coupon.FormatXML)
	case start[0] == '{' && follows(`"}`), start[0] == '[' && follows(`{["`):
		return unsupported(coupon.FormatJSONL)
	}
	return nil
}

// unsupported says that a format is known and not read.
func unsupported(format coupon.FileFormat) error {
	return coupon.Errorf(coupon.ErrorFileUnreadable,
		"The format of the file is %s, and this version imports CSV. Save the file as CSV, and import that file.", format)
}

func unreadable(message string) error {
	return &coupon.UserError{Code: coupon.ErrorFileUnreadable, Message: message}
}
