package command

import "strings"

// optionFlags has the flags that do what the server's advice names as GraphQL and HTTP do.
var optionFlags = strings.NewReplacer(
	"options.hasHeader: true", "--header",
	"options.hasHeader: false", "--no-header",
	"options.hasHeader", "--header",
	"options.isSpreadsheetSafe: true", "--spreadsheet-safe",
	"options.isSpreadsheetSafe: false", "--no-spreadsheet-safe",
	"options.isSpreadsheetSafe", "--spreadsheet-safe",
	"options.format", "--format",
	"options.delimiter", "--delimiter",
	"options.encoding", "--encoding",
	"options.columns", "--column",
	"options.nothing", "--nothing",
	"options.dateOrder", "--date-order",
	"options.decimalMark", "--decimal-mark",
	"options.maxRejections", "--max-rejections",
	"send it in the header Authorization: Bearer", "set the environment variable COUPONQL_KEY",
)

// inFlags returns the server's advice as somebody at the command line can follow it.
func inFlags(advice string) string { return optionFlags.Replace(advice) }
