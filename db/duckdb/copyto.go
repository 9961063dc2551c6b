package duckdb

import "strings"

// The fragments of a COPY statement that say how a text is written.

// SafeText writes what a spreadsheet would take for a number or a date as a formula that gives the
// text, and puts an apostrophe before what it would take for a formula (CSV injection, OWASP).
func SafeText(name string) string {
	const number, month = `[0-9][0-9.,:/ -]*([eE][+-]?[0-9]+)?`,
		`(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ ./-]?[0-9]+`
	return `CASE
        WHEN regexp_full_match(` + name + `, '` + number + `|` + month + `')
            THEN '="' || ` + name + ` || '"'
        WHEN regexp_matches(` + name + `, '^[=+@\t\r''-]') THEN '''' || ` + name + `
        ELSE ` + name + ` END`
}

// EscapedNothing writes one backslash more before a text of backslashes and an N, which would be
// read as no value.
func EscapedNothing(name string) string {
	return `CASE WHEN starts_with(` + name + `, '\') AND regexp_full_match(` + name +
		`, '\\+N') THEN '\' || ` + name + ` ELSE ` + name + ` END`
}

// GuardedText writes what begins like the guard of a spreadsheet, by a pattern, as a formula that
// gives the text; anything else as the expression otherwise says.
func GuardedText(name, otherwise, pattern string) string {
	return `CASE WHEN (starts_with(` + name + `, '=') OR starts_with(` + name +
		`, '''')) AND regexp_matches(` + name + `, ` + Quote(pattern) +
		`) THEN '="' || replace(` + name + `, '"', '""') || '"' ELSE ` + otherwise + ` END`
}

// XMLText escapes the text of a column for an attribute of XML. What XML 1.0 cannot have
// (https://www.w3.org/TR/xml/#charsets) ends the export: left out, it would make another code of
// one, without a word. U+FFFD is escaped, since as itself it is what a reader puts in the place of
// bytes that are no text.
func XMLText(expression, column string) string {
	text := "CASE WHEN regexp_matches(" + expression +
		`, '[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]') THEN error(` +
		Quote(errNoXML+column+".") + ") ELSE " + expression + " END"
	for _, pair := range [][2]string{
		{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {`"`, "&quot;"}, {"\uFFFD", "&#xFFFD;"},
	} {
		text = "replace(" + text + ", " + Quote(pair[0]) + ", " + Quote(pair[1]) + ")"
	}
	return "replace(replace(replace(" + text +
		`, chr(9), '&#9;'), chr(10), '&#10;'), chr(13), '&#13;')`
}

// errNoXML, the name of a column and a point are what the engine is told to say of a text that XML
// cannot carry.
const errNoXML = "no XML for the column "

// ColumnWithoutXML returns the column of XMLText whose text XML cannot carry, if that is what an
// error says.
func ColumnWithoutXML(err error) (column string, isFound bool) {
	if err == nil {
		return "", false
	}
	_, behind, isFound := strings.Cut(err.Error(), errNoXML)
	column, _, _ = strings.Cut(behind, ".")
	return column, isFound
}

// FileOptions says to the engine how to write a format that it knows, CSV, JSONL or PARQUET; "" for
// any other.
func FileOptions(format string) string {
	switch format {
	case "CSV":
		return "FORMAT csv, HEADER"
	case "JSONL":
		return "FORMAT json"
	case "PARQUET":
		return "FORMAT parquet, COMPRESSION zstd"
	}
	return ""
}

// CopyTo returns the statement that writes rows, the answer of a query, to a file as FileOptions
// says. The path must be ours.
func CopyTo(path, columns, rows, options string) string {
	return "-- write an export\nCOPY (SELECT " + columns + " FROM (" + rows + ")) TO " +
		Quote(path) + " (" + options + ")"
}
