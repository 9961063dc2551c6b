package snapshot

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	driver "github.com/marcboeker/go-duckdb/v2"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// Options says how to open a snapshot.
type Options struct {
	// MemoryLimit is what the engine may take, such as "1GB". It spills nothing to disk.
	MemoryLimit string
	// Threads is how many cores a query may keep busy.
	Threads int
	// ExportDir is the one folder that Export may write to; "" means that nothing is written.
	ExportDir string
}

// Opened answers the SQL of analysts. The engine does not count foreign SQL as safe, so one is
// opened in a process that has nothing to lose; what is refused here is refused for a better
// message, and as a second line.
type Opened struct {
	db  *sql.DB
	dir string
}

// Open opens the snapshot in a folder, read-only, with everything switched off that leads out of
// it.
func Open(ctx context.Context, dir string, o Options) (*Opened, error) {
	// What is not set here the engine would read from files of the system, which may be out of its
	// reach.
	parameters := url.Values{
		"access_mode": {"READ_ONLY"}, "memory_limit": {o.MemoryLimit},
		"threads": {strconv.Itoa(o.Threads)},
	}
	connector, err := driver.NewConnector(filepath.Join(dir, File)+"?"+parameters.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("open a snapshot: %w", err)
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open a snapshot: %w", err)
	}
	n := &Opened{sql.OpenDB(connector), full}
	n.db.SetMaxOpenConns(1)
	settings := []string{
		"SET GLOBAL TimeZone = 'UTC'",
		"SET temp_directory = ''",
		"SET preserve_insertion_order = true",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	}
	if o.ExportDir != "" {
		settings = slices.Insert(settings, len(settings)-2,
			"SET allowed_directories = ["+duckdb.Quote(o.ExportDir+string(filepath.Separator))+"]")
	}
	for _, setting := range settings {
		if _, err := n.db.ExecContext(ctx, setting); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", setting, err), n.db.Close())
		}
	}
	return n, nil
}

// Close closes the snapshot.
func (n *Opened) Close() error { return n.db.Close() }

// Check reports whether a query can be answered, and gives its columns, without running it. It
// returns QUERY_REJECTED.
func (n *Opened) Check(ctx context.Context, query string) ([]*coupon.SQLColumn, error) {
	tree, err := n.parse(ctx, query)
	if err != nil {
		return nil, err
	}
	if err := n.checkTree(tree); err != nil {
		return nil, err
	}
	conn, err := n.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a connection: %w", err)
	}
	defer conn.Close()
	// Only here the engine's messages show the query as its author wrote it. It is one SELECT, of
	// which preparing runs nothing.
	err = conn.Raw(func(raw any) error {
		statement, err := raw.(*driver.Conn).Prepare(query) //nolint:forcetypeassert // it is the driver's
		if err != nil {
			return err
		}
		return statement.Close()
	})
	if err != nil {
		return nil, n.explain(err, true)
	}
	//nolint:gosec // the query stays a text there
	rows, err := conn.QueryContext(ctx,
		"-- the columns of an analyst's query\nSELECT * FROM "+asTable(query)+" LIMIT 0")
	if err != nil {
		return nil, n.explain(err, false)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, fmt.Errorf("read the columns of a query: %w", err)
	}
	columns := make([]*coupon.SQLColumn, len(types))
	for i, one := range types {
		columns[i] = &coupon.SQLColumn{Name: one.Name(), Type: one.DatabaseTypeName()}
	}
	return columns, rows.Err()
}

// asTable makes a table of a query. The engine itself takes nothing but one SELECT there, and the
// text stays a text.
func asTable(query string) string { return "query(" + duckdb.Quote(query) + ")" }

// Rows runs a query that was checked. It calls take with at most limit rows, each as an array of
// JSON, and tells whether there are more. It returns QUERY_REJECTED and RESULT_TOO_LARGE, and what
// take returns.
func (n *Opened) Rows(
	ctx context.Context, query string, columns []*coupon.SQLColumn, limit int,
	take func(row []json.RawMessage) error,
) (isTruncated bool, err error) {
	names, expressions := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = fmt.Sprintf("c%d", i)
		expressions[i] = textOf(names[i], c.Type)
	}
	// The engine makes a text of every value, since it knows all its types and the driver does not.
	//nolint:gosec // the names are ours, and the query stays a text there
	statement := "-- answer an analyst\nSELECT " + strings.Join(expressions, ", ") + " FROM " +
		asTable(query) + " AS t(" + strings.Join(names, ", ") + ")" +
		fmt.Sprintf(" LIMIT %d", limit+1)
	rows, err := n.db.QueryContext(ctx, statement)
	if err != nil {
		return false, n.explain(err, false)
	}
	defer rows.Close()
	texts := make([]*string, len(columns))
	targets := make([]any, len(columns))
	for i := range texts {
		targets[i] = &texts[i]
	}
	for count := 0; rows.Next(); count++ {
		if count == limit {
			return true, nil
		}
		if err := rows.Scan(targets...); err != nil {
			return false, n.explain(err, false)
		}
		row := make([]json.RawMessage, len(columns))
		for i, c := range columns {
			if row[i], err = valueOf(texts[i], c.Type); err != nil {
				return false, err
			}
		}
		if err := take(row); err != nil {
			return false, err
		}
	}
	if err := rows.Err(); err != nil {
		return false, n.explain(err, false)
	}
	return false, nil
}

// Export writes all rows of a query that was checked to a new file in the folder of Options, and
// gives how many there are. It returns QUERY_REJECTED and RESULT_TOO_LARGE.
func (n *Opened) Export(
	ctx context.Context, query string, columns []*coupon.SQLColumn, format coupon.FileFormat,
	isSpreadsheetSafe bool, path string,
) (rows int, err error) {
	expressions := make([]string, len(columns))
	for i, c := range columns {
		expressions[i] = fileExpression(c, format, isSpreadsheetSafe) + " AS " +
			duckdb.QuoteName(c.Name)
	}
	write := duckdb.CopyTo(path, strings.Join(expressions, ", "), "FROM "+asTable(query),
		duckdb.FileOptions(string(format)))
	result, err := n.db.ExecContext(ctx, write)
	if err != nil {
		if strings.Contains(err.Error(), "File too large") ||
			strings.Contains(err.Error(), "No space left") {
			return 0, coupon.Errorf(coupon.ErrorResultTooLarge, "The file is larger than the server has room for. Export fewer rows or columns, or as PARQUET.")
		}
		return 0, n.explain(err, false)
	}
	count, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("count exported rows: %w", err)
	}
	return int(count), nil
}

// fileExpression returns a column as the file has it: numbers, dates and nested values as the
// format can say them.
func fileExpression(c *coupon.SQLColumn, format coupon.FileFormat, isSpreadsheetSafe bool) string {
	name := duckdb.QuoteName(c.Name)
	switch {
	case format == coupon.FormatParquet && (c.Type == "HUGEINT" || c.Type == "UHUGEINT"):
		// The engine would write a floating-point number.
		return name + "::DECIMAL(38, 0)"
	case format == coupon.FormatParquet &&
		(c.Type == "BIT" || c.Type == "BIGNUM" || strings.HasPrefix(c.Type, "UNION(")):
		return name + "::VARCHAR"
	case format == coupon.FormatParquet:
		return name
	case c.Type == "TIMESTAMP":
		return "strftime(" + name + ", '%Y-%m-%dT%H:%M:%S.%f')"
	case format == coupon.FormatJSONL && isDecimal(c.Type):
		// The engine would write floating-point numbers, here and of large integers.
		return name + "::VARCHAR"
	case format == coupon.FormatJSONL && isInteger(c.Type):
		return name + "::VARCHAR::JSON"
	case format == coupon.FormatJSONL || isNumeric(c.Type) || c.Type == "BOOLEAN" ||
		c.Type == "DATE":
		return name
	}
	text := textOf(name, c.Type)
	if isSpreadsheetSafe {
		return duckdb.SafeText(text)
	}
	return text
}

// parse returns the syntax tree of a query, as the engine writes it in JSON, and refuses what is
// not one SELECT.
func (n *Opened) parse(ctx context.Context, query string) (any, error) {
	text := ""
	err := n.db.QueryRowContext(
		ctx, "-- the syntax tree of a query\nSELECT json_serialize_sql($query::VARCHAR)::VARCHAR",
		sql.Named("query", query),
	).
		Scan(&text)
	if err != nil {
		return nil, n.explain(err, false)
	}
	var answer struct {
		Error      bool   `json:"error"`
		Type       string `json:"error_type"`    //nolint:tagliatelle // the engine's name
		Message    string `json:"error_message"` //nolint:tagliatelle // the engine's name
		Statements []any  `json:"statements"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return nil, coupon.Errorf(coupon.ErrorQueryRejected,
			"The query is nested too deep.").At("query")
	}
	switch {
	case answer.Error && answer.Type == "not implemented":
		return nil, rejected("Only SELECT is answered, and PIVOT only with its values listed: a query cannot change, set, attach or copy anything.")
	case answer.Error:
		return nil, rejected("Parser Error: " + answer.Message)
	case len(answer.Statements) != 1:
		return nil, rejected(fmt.Sprintf("The query must be one SELECT; these are %d statements.",
			len(answer.Statements)))
	}
	return answer.Statements[0], nil
}

func rejected(message string) *coupon.UserError {
	return coupon.Errorf(coupon.ErrorQueryRejected, "%s", message).At("query")
}

// allowedFunctions are the functions that a query may call; those that it may call in FROM have
// "FROM " before their name.
var allowedFunctions = readNames(functions)

// readNames reads a list of names, one a line, in small letters.
func readNames(text string) map[string]bool {
	names := map[string]bool{}
	for line := range strings.Lines(text) {
		if name := strings.TrimSpace(line); name != "" && !strings.HasPrefix(name, "-- ") {
			names[strings.ToLower(name)] = true
		}
	}
	return names
}

// sqlWords are the words of a query that tell nothing but what was asked: those of SQL, functions,
// views and their columns.
var sqlWords = func() map[string]bool {
	words := readNames(keywords)
	for name := range allowedFunctions {
		words[strings.TrimPrefix(name, "from ")] = true
	}
	for _, column := range regexp.MustCompile(
		`(?m)^COMMENT ON COLUMN snapshot\.main\.(\w+)\.(\w+)`,
	).FindAllStringSubmatch(views, -1) {
		words[column[1]], words[column[2]] = true, true
	}
	return words
}()

// sqlToken is a part of a query that may be a code or a name: a text, also with escapes, a name in
// quotation marks, a comment, each also one that does not end; a word, and a number. After a text
// between dollars nothing is kept: it may have dollars in it.
var sqlToken = regexp.MustCompile(
	`(?s)[eE]'(?:[^'\\]|\\.|'')*(?:'|\z)|'(?:[^']|'')*(?:'|\z)|"(?:[^"]|"")*(?:"|\z)|\$\w*\$.*|--[^\n]*|/\*.*?(?:\*/|\z)|[\pL\pN\pM_][\pL\pN\pM_$.]*`,
)

// maxShortWord is how long a word may be that is kept although nobody knows it, such as another
// name for a view.
const maxShortWord = 2

// HarmlessSQL returns a query with coupon.Mask in the place of all that may be a code or personal
// data.
func HarmlessSQL(query string) string {
	return sqlToken.ReplaceAllStringFunc(query, func(token string) string {
		for word := range strings.SplitSeq(strings.Trim(token, `"`), ".") {
			if len(word) > maxShortWord && !sqlWords[strings.ToLower(word)] &&
				!isShortNumber(word) {
				return "'" + coupon.Mask + "'"
			}
		}
		return token
	})
}

// isShortNumber reports whether a word is a number that counts or limits: such a short one is no
// code.
func isShortNumber(word string) bool {
	_, err := strconv.ParseUint(word, 10, 64)
	return err == nil && len(word) <= 4
}

// inner are the names of tables that tell of the engine rather than of the data.
var inner = regexp.MustCompile(`(?i)^(duckdb|pragma|pg|sqlite)_`)

// checkTree refuses what a query may not name.
func (n *Opened) checkTree(node any) error {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			if err := n.checkTree(child); err != nil {
				return err
			}
		}
	case map[string]any:
		if err := n.checkNode(node); err != nil {
			return err
		}
		for key, child := range node {
			if function, isFunction := child.(map[string]any); isFunction && key == "function" &&
				node["type"] == "TABLE_FUNCTION" {
				// Its name was looked for among those of FROM.
				child = function["children"]
			}
			if err := n.checkTree(child); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *Opened) checkNode(node map[string]any) error {
	text := func(key string) string {
		value, _ := node[key].(string)
		return strings.ToLower(value)
	}
	switch {
	case text("class") == "parameter":
		return rejected("The query has a parameter ($1 or ?), and there are no values for it: write the value instead.")
	case text("type") == "table_function":
		function, _ := node["function"].(map[string]any)
		name, _ := function["function_name"].(string)
		if !allowedFunctions["from "+strings.ToLower(name)] {
			return rejected(
				"The table function " + name + " is not available here: a query reads nothing but the views coupons, codes, recipients, deliveries, " +
					"messages, quarantine, redemptions, imports, batches, claims and labels.",
			)
		}
	case node["function_name"] != nil && !allowedFunctions[text("function_name")]:
		return rejected("The function " + text("function_name") + " is not available here.")
	case text("type") == "base_table":
		name := text("table_name")
		if inner.MatchString(name) &&
			!slices.Contains([]string{"duckdb_columns", "duckdb_tables", "duckdb_views"}, name) {
			return rejected("The table " + name +
				" is not available here. What there is, say SHOW TABLES and DESCRIBE codes.")
		}
		if schema := text("schema_name"); !slices.Contains(
			[]string{"", "main", "information_schema"}, schema,
		) {
			return rejected("The table " + schema + "." + name +
				" is not available here. Name the views without a schema: codes.")
		}
	}
	return nil
}

// isNumeric reports whether a type is that of numbers.
func isNumeric(kind string) bool { return isInteger(kind) || isFloat(kind) || isDecimal(kind) }

func isInteger(kind string) bool {
	return slices.Contains([]string{
		"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
		"UBIGINT", "UHUGEINT", "BIGNUM", "VARINT",
	}, kind)
}

func isFloat(kind string) bool { return kind == "FLOAT" || kind == "DOUBLE" }

func isDecimal(kind string) bool { return strings.HasPrefix(kind, "DECIMAL(") && !isNested(kind) }

func isNested(kind string) bool {
	return strings.HasSuffix(kind, "]") || strings.HasPrefix(kind, "STRUCT") ||
		strings.HasPrefix(kind, "MAP(") || strings.HasPrefix(kind, "UNION(")
}

// textOf returns the expression that makes a text of a value for valueOf.
func textOf(name, kind string) string {
	switch {
	case isNested(kind):
		return "to_json(" + name + ")::VARCHAR"
	case kind == "BLOB":
		return "to_base64(" + name + ")"
	}
	return name + "::VARCHAR"
}

// maxExact is the largest integer below which a reader of JSON that knows only floating-point
// numbers keeps all of them apart (RFC 8259, section 6).
var maxExact = big.NewInt(1<<53 - 1)

// valueOf returns a value of JSON for the text of a value of the engine: numbers where JSON can say
// them exactly, and else texts; times as ISO 8601 has them.
func valueOf(text *string, kind string) (json.RawMessage, error) {
	if text == nil {
		return json.RawMessage("null"), nil
	}
	value := *text
	switch {
	case kind == "BOOLEAN":
		return json.RawMessage(value), nil
	case isInteger(kind):
		if n, ok := new(big.Int).SetString(value, 10); ok && n.CmpAbs(maxExact) <= 0 {
			return json.RawMessage(value), nil
		}
	case isFloat(kind) && json.Valid([]byte(value)):
		return json.RawMessage(value), nil
	case kind == "JSON" || isNested(kind):
		if json.Valid([]byte(value)) {
			return json.RawMessage(value), nil
		}
	case strings.HasPrefix(kind, "TIMESTAMP"):
		value = strings.Replace(value, " ", "T", 1)
		if utc, isUTC := strings.CutSuffix(value, "+00"); isUTC {
			value = utc + "Z"
		}
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode a value: %w", err)
	}
	return encoded, nil
}

// explain makes of what the engine has against a query an error that its author understands. A
// message that quotes what we made of the query loses the quotation.
func (n *Opened) explain(err error, quotesAuthor bool) error {
	engine, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return err
	}
	switch engine.Type { //nolint:exhaustive // the others are as the engine says
	case driver.ErrorTypeOutOfMemory:
		return ErrMemory
	case driver.ErrorTypeInternal, driver.ErrorTypeFatal:
		return fmt.Errorf("answer an analyst: %w", err)
	}
	message, _, _ := strings.Cut(engine.Msg, "\n\nStack Trace")
	if strings.Contains(message, "ailed to allocate") || strings.Contains(message, "bad_alloc") {
		return ErrMemory
	}
	if !quotesAuthor {
		message, _, _ = strings.Cut(message, "\n\nLINE ")
	}
	message = strings.ReplaceAll(message, n.dir+string(os.PathSeparator), "")
	return rejected(strings.TrimSpace(message))
}

// ErrMemory says that a query needs more memory than it may take.
var ErrMemory = errors.New("the query needs more memory than it may take")
