package command

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"couponql/coupon"
)

// addressFlag is common to all commands.
type addressFlag struct {
	URL string `name:"url" default:"http://127.0.0.1:8080" env:"COUPONQL_URL" help:"Address of the server."`
	Key string `name:"key" env:"COUPONQL_KEY"              help:"API key. Prefer the environment: other users of the machine can see flags."`
}

// serverFlags are common to the commands that move files.
type serverFlags struct {
	addressFlag

	JSON  bool `name:"json"                              help:"Write the result as JSON to standard output, for programs, and no progress."`
	Quiet bool `short:"q"                                help:"Show no progress, and nothing on success."`
	Force bool `help:"Overwrite a file that exists."`
}

// check refuses an address that cannot be one.
func (f *addressFlag) check() error {
	address, err := url.Parse(f.URL)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
		example := "http://127.0.0.1:8080"
		if bare, err := url.Parse("http://" + f.URL); err == nil && bare.Port() != "" {
			example = bare.String()
		}
		return fmt.Errorf("--url=%s: must be an address such as %s", f.URL, example)
	}
	return nil
}

// checkNew refuses a file to be written that exists, unless that is wanted, and one in a folder
// where nothing can be written: the server need not make it for nothing.
func (f *serverFlags) checkNew(flag, path string) error {
	if path == "" || path == standardStream {
		return nil
	}
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s=%s: is a folder", flag, path)
	case err == nil && !f.Force:
		return fmt.Errorf("%s=%s: exists; give --force to overwrite it", flag, path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s=%s: there is no such folder", flag, path)
	}
	probe, err := os.CreateTemp(filepath.Dir(path), ".couponql-")
	if err != nil {
		return fmt.Errorf("%s=%s: nothing can be written to this folder: %w", flag, path, err)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return fmt.Errorf("%s=%s: nothing can be written to this folder: %w", flag, path, err)
	}
	return nil
}

// standardStream stands for standard input or output in the place of a file.
const standardStream = "-"

// choose finds the word of the schema for one of the command line, such as REPLACE_UNUSED for
// replace-unused.
func choose[T ~string](text []byte, into *T, choices ...T) error {
	word := T(strings.ToUpper(strings.ReplaceAll(string(text), "-", "_")))
	if !slices.Contains(choices, word) {
		var names []string
		for _, c := range choices {
			names = append(names, strings.ToLower(strings.ReplaceAll(string(c), "_", "-")))
		}
		return fmt.Errorf("%q is none of %s", text, strings.Join(names, ", "))
	}
	*into = word
	return nil
}

// fileFormat is a FileFormat of the schema.
type fileFormat string

// UnmarshalText reads a flag.
func (f *fileFormat) UnmarshalText(text []byte) error {
	return choose(text, (*coupon.FileFormat)(f), coupon.FormatCSV, coupon.FormatXML,
		coupon.FormatJSONL, coupon.FormatParquet)
}

// importMode is an ImportMode of the schema.
type importMode string

// UnmarshalText reads a flag.
func (m *importMode) UnmarshalText(text []byte) error {
	return choose(text, (*coupon.ImportMode)(m), coupon.ImportAdd, coupon.ImportReplaceUnused,
		coupon.ImportVoid)
}

// codeStatus is a CodeStatus of the schema.
type codeStatus string

// UnmarshalText reads a flag.
func (s *codeStatus) UnmarshalText(text []byte) error {
	return choose(text, (*string)(s), "AVAILABLE", "ASSIGNED", "REDEEMED", "EXPIRED", "VOIDED")
}

// couponStatus is a CouponStatus of the schema.
type couponStatus string

// UnmarshalText reads a flag.
func (s *couponStatus) UnmarshalText(text []byte) error {
	return choose(text, (*coupon.CouponStatus)(s), coupon.CouponScheduled, coupon.CouponActive,
		coupon.CouponExpired, coupon.CouponArchived)
}

// deliveryStatus is a DeliveryStatus of the schema.
type deliveryStatus string

// UnmarshalText reads a flag.
func (s *deliveryStatus) UnmarshalText(text []byte) error {
	return choose(text, (*string)(s), "EDITING", "READY", "SCHEDULED", "IN_PROGRESS", "PAUSED",
		"FINISHED", "STOPPED", "FAILED")
}

// channel is a Channel of the schema.
type channel string

// UnmarshalText reads a flag.
func (c *channel) UnmarshalText(text []byte) error {
	return choose(text, (*string)(c), "EMAIL", "SMS", "PUSH", "DIRECT_MAIL")
}

// delimiter is what separates the columns of CSV.
type delimiter string

// UnmarshalText reads a flag: the character, or its name where a shell makes that easier.
func (d *delimiter) UnmarshalText(text []byte) error {
	names := map[string]delimiter{
		"comma": ",", "semicolon": ";", "tab": "\t", `\t`: "\t", "pipe": "|",
	}
	if named, ok := names[strings.ToLower(string(text))]; ok {
		*d = named
		return nil
	}
	if utf8.RuneCount(text) != 1 {
		return fmt.Errorf(
			"%q is neither one character nor one of comma, semicolon, tab, pipe", text,
		)
	}
	*d = delimiter(text)
	return nil
}

// rowCount is a number of rows.
type rowCount int

// Decode reads a flag. It takes what stands there, as -1 is a number that is too small and no flag.
func (c *rowCount) Decode(ctx *kong.DecodeContext) error {
	text := ctx.Scan.Pop().String()
	count, err := strconv.Atoi(text)
	if err != nil || count < 0 || count > coupon.MaxCount {
		return fmt.Errorf("must be 0 to %d, not %q", coupon.MaxCount, text)
	}
	*c = rowCount(count)
	return nil
}

// columnMapping says which column of a file holds what.
type columnMapping struct {
	Field  string `json:"field"`
	Column string `json:"column"`
}

// UnmarshalText reads a flag such as code=Voucher number.
func (m *columnMapping) UnmarshalText(text []byte) error {
	field, column, found := strings.Cut(string(text), "=")
	if !found || field == "" || column == "" {
		return fmt.Errorf("%q must be written as field=column, such as code=voucher", text)
	}
	m.Field, m.Column = field, column
	return nil
}

// bounceKind is a BounceKind of the schema.
type bounceKind string

// UnmarshalText reads a flag.
func (k *bounceKind) UnmarshalText(text []byte) error {
	return choose(text, (*coupon.BounceKind)(k), coupon.BounceHard, coupon.BounceSoft,
		coupon.BounceComplaint, coupon.BounceDelivered)
}

// dateOrder is a DateOrder of the schema.
type dateOrder string

// UnmarshalText reads a flag.
func (o *dateOrder) UnmarshalText(text []byte) error {
	return choose(text, (*coupon.DateOrder)(o), coupon.DayFirst, coupon.MonthFirst)
}

// decimalMark is a point or a comma.
type decimalMark string

// UnmarshalText reads a flag: the character, or its name.
func (m *decimalMark) UnmarshalText(text []byte) error {
	marks := map[string]decimalMark{"point": ".", ".": ".", "comma": ",", ",": ","}
	mark, isKnown := marks[strings.ToLower(string(text))]
	if !isKnown {
		return fmt.Errorf("%q is neither point nor comma", text)
	}
	*m = mark
	return nil
}
