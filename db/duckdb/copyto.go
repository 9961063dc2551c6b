package duckdb

// The fragments of a COPY statement that say how a text is written.

// SafeText writes what a spreadsheet would take for a number or a date as a formula that gives the text, and puts an
// apostrophe before what it would take for a formula (CSV injection, OWASP).
func SafeText(name string) string {
	const number, month = `[0-9][0-9.,:/ -]*([eE][+-]?[0-9]+)?`, `(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ ./-]?[0-9]+`
	return `CASE
        WHEN regexp_full_match(` + name + `, '` + number + `|` + month + `') THEN '="' || ` + name + ` || '"'
        WHEN regexp_matches(` + name + `, '^[=+@\t\r-]') THEN '''' || ` + name + `
        ELSE ` + name + ` END`
}

// XMLText escapes a text for an attribute of XML, and leaves out the characters that XML 1.0 cannot have
// (https://www.w3.org/TR/xml/#charsets).
func XMLText(expression string) string {
	text := "regexp_replace(" + expression + `, '[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]', '', 'g')`
	for _, pair := range [][2]string{{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {`"`, "&quot;"}} {
		text = "replace(" + text + ", " + Quote(pair[0]) + ", " + Quote(pair[1]) + ")"
	}
	return "replace(replace(replace(" + text + `, chr(9), '&#9;'), chr(10), '&#10;'), chr(13), '&#13;')`
}

// FileOptions says to the engine how to write a format that it knows, CSV, JSONL or PARQUET; "" for any other.
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
