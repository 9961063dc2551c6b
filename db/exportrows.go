package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
	"couponql/db/snapshot"
)

// exportStatement is what the engine is asked for: fixed fragments all of them, put together by
// kind and format.
type exportStatement struct {
	rows, columns, format string
	args                  []any
	// moreLines is how many lines of the file are no rows.
	moreLines int
	// expected is about how many bytes the file will have.
	expected float64
}

// What a row of CSV takes, about: it is only to tell how far an export is, and whether the disk has
// room.
const (
	codeBytes, heldCodeBytes = 50, 140
	messageBytes             = 130
	redemptionBytes          = 150
	couponBytes              = 200
	recipientBytes           = 150
	deliveryBytes            = 1000
)

// expect tells about how large the file will be, by the size that it would have as CSV.
func (x *exportStatement) expect(e *coupon.Export, bytes int) {
	factor := map[coupon.FileFormat]float64{
		coupon.FormatCSV: 1, coupon.FormatXML: 1.8, coupon.FormatJSONL: 2.5,
		coupon.FormatParquet: 0.4,
	}
	x.expected = float64(bytes) * factor[e.Format]
}

// exportStatement puts the statement of an export together. The codes that a filter leaves are in
// the temporary table chosen then.
func (s *Store) exportStatement(ctx context.Context, conn *sql.Conn, e *coupon.Export) (
	*exportStatement, error,
) {
	x := &exportStatement{}
	var err error
	switch e.Kind {
	case coupon.ExportCodes:
		err = s.exportCodes(ctx, conn, e, x)
	case coupon.ExportMessages:
		x.rows = exportMessages
		x.args = []any{
			named("delivery_id", coupon.MustNumber(coupon.KindDelivery, *e.Request.DeliveryID)),
		}
		x.use(e, "messages", "message", messageColumns())
		var d map[coupon.ID]*coupon.Delivery
		if d, err = s.DeliveriesByID(ctx, []coupon.ID{*e.Request.DeliveryID}); err == nil &&
			len(d) == 0 {
			err = coupon.NotFound(coupon.KindDelivery, *e.Request.DeliveryID)
		}
		for _, found := range d {
			x.expect(e, messageBytes*found.Counts.Total)
		}
	case coupon.ExportRedemptions:
		x.rows = exportRedemptions
		if x.args, err = exportedRedemptions(e.Request.StatsFilter); err != nil {
			return nil, err
		}
		x.use(e, "redemptions", "redemption", redemptionColumns())
		var total int
		total, err = duckdb.One[int](ctx, s.engine, redemptionCountNarrow, x.args...)
		x.expect(e, redemptionBytes*total)
	case coupon.ExportCoupons:
		s.exportCoupons(e, x)
	case coupon.ExportRecipients:
		err = s.exportRecipients(ctx, e, x)
	case coupon.ExportDeliveries:
		x.rows = exportDeliveries
		x.args = []any{
			named("status", texts(e.Request.DeliveryStatus)),
			named("coupon_id", optionalNumber(coupon.KindCoupon, e.Request.CouponID)),
		}
		x.use(e, "deliveries", "delivery", deliveryColumns())
		var total int
		total, err = duckdb.One[int](ctx, s.engine, deliveryCount, x.args...)
		x.expect(e, deliveryBytes*total)
	case coupon.ExportSQL, coupon.ExportBackup:
		return nil, fmt.Errorf("no statement writes the file of an export of %s", e.Kind)
	}
	return x, err
}

func (s *Store) exportCoupons(e *coupon.Export, x *exportStatement) {
	_, numbers := s.matchingCoupons(e.Request.CouponFilter)
	x.rows = exportCoupons
	x.args = []any{named("ids", numbers)}
	x.use(e, "coupons", "coupon", couponColumns())
	bytes := couponBytes * len(numbers)
	if e.Request.WithCodes {
		bytes += s.codeBytes(numbers)
		x.nest(e)
		x.args = append(x.args, named("first", int64(0)), named("last", int64(math.MaxInt64)),
			named("coupons", numbers), named("now", s.now()))
		// Each coupon has a line for its end.
		x.moreLines = len(numbers)
	}
	x.expect(e, bytes)
}

// nest has the codes of each coupon stand in its element, in their order.
func (x *exportStatement) nest(e *coupon.Export) {
	columns := slices.DeleteFunc(codeColumns(),
		func(c exportColumn) bool { return c.name == "coupon" })
	x.rows = "SELECT element FROM (\n" +
		"SELECT coupon_id, 0 AS part, NULL AS label, NULL AS key, " +
		elementOf(e, "coupon", couponColumns(), ">") + " AS element FROM (" + x.rows + ")\n" +
		"UNION ALL SELECT coupon_id, 1, label, key, " + elementOf(e, "value", columns, "/>") +
		" FROM (" + exportCodes + ")\n" +
		"UNION ALL SELECT unnest($ids::BIGINT[]), 2, NULL AS label, NULL AS key, '</coupon>'\n" +
		")\nORDER BY coupon_id, part, label NULLS LAST, key"
	x.columns = "element"
}

// codeBytes returns about how many bytes the codes of coupons take in a file of CSV.
func (s *Store) codeBytes(numbers []int64) int {
	bytes := 0
	for _, number := range numbers {
		available := s.memory.Availability(number, s.now())
		bytes += codeBytes*available.Total +
			(heldCodeBytes-codeBytes)*(available.Assigned+available.Redeemed)
	}
	return bytes
}

// exportRecipients exports those who were not erased: of the others nothing is known.
func (s *Store) exportRecipients(ctx context.Context, e *coupon.Export, x *exportStatement) error {
	where, args, err := s.recipientCondition(ctx, e.Request.RecipientFilter)
	if err != nil {
		return err
	}
	x.rows, x.args = exportRecipients+where+" AND erased_at IS NULL ORDER BY id", args
	x.use(e, "recipients", "recipient", recipientColumns())
	total, err := duckdb.One[int](ctx, s.engine, recipientCount+where, args...)
	x.expect(e, recipientBytes*total)
	return err
}

// codeOrder is the order in which an import stores codes, so that what was imported is exported as
// it was.
const codeOrder = "\nORDER BY coupon_id, label NULLS LAST, key"

// storedOrder is the same order where codes were stored at once. A plan that joins them need not
// keep it.
const storedOrder = "\nORDER BY code_id"

// orderOf returns the order of the codes of coupons. To sort them by number takes less than by what
// they are.
func (s *Store) orderOf(numbers []int64) string {
	wanted := make(map[int64]struct{}, len(numbers))
	for _, number := range numbers {
		wanted[number] = struct{}{}
	}
	var before *memory.Run
	for _, r := range s.memory.RunsSince(-1) {
		if _, isWanted := wanted[r.CouponID]; !isWanted {
			continue
		}
		if before != nil && (r.First != before.Last+1 || !isInOrder(before, r)) {
			return codeOrder
		}
		before = r
	}
	return storedOrder
}

// isInOrder reports whether the codes of one run come before those of another one. Codes without a
// label come last.
func isInOrder(a, b *memory.Run) bool {
	if a.CouponID != b.CouponID {
		return a.CouponID < b.CouponID
	}
	return a.Label != "" && (b.Label == "" || a.Label < b.Label)
}

func (s *Store) exportCodes(
	ctx context.Context, conn *sql.Conn, e *coupon.Export, x *exportStatement,
) error {
	wanted := e.Request.Coupons()
	var found []*coupon.Coupon
	var numbers []int64
	var coupons any
	if wanted == nil {
		found, numbers = s.matchingCoupons(nil)
	} else {
		var err error
		if found, numbers, err = s.couponsOf(ctx, wanted); err != nil {
			return err
		}
		coupons = numbers
	}
	first, last := int64(0), int64(math.MaxInt64)
	if len(wanted) == 1 {
		// The engine is quicker without a list.
		first, last, coupons = numbers[0], numbers[0], nil
	}
	x.rows = exportCodes
	x.args = []any{
		named("first", first), named("last", last), named("coupons", coupons),
		named("now", s.now()),
	}
	root := "coupon"
	if len(wanted) != 1 {
		root = "codes"
	}
	x.use(e, root, "value", codeColumns())
	if e.Request.CodeFilter == nil {
		x.expect(e, s.codeBytes(numbers))
		x.rows = "SELECT * FROM (" + x.rows + ")" + s.orderOf(numbers)
		return nil
	}
	candidates, err := s.filteredCodes(ctx, found, numbers, e.Request.CodeFilter)
	if err != nil {
		return err
	}
	x.expect(e, heldCodeBytes*len(candidates))
	x.rows = "SELECT * FROM (" + x.rows + " AND c.id IN (FROM chosen))"
	if len(e.Request.CodeFilter.Status) > 0 {
		// What happens between the choice and the writing must not bring in codes that stand
		// elsewhere by then.
		x.rows += " WHERE list_contains($status::VARCHAR[], status)"
		x.args = append(x.args, named("status", texts(e.Request.CodeFilter.Status)))
	}
	x.rows += s.orderOf(numbers)
	return s.choose(ctx, conn, candidates)
}

// filteredCodes returns the codes of coupons that a filter leaves.
func (s *Store) filteredCodes(
	ctx context.Context, found []*coupon.Coupon, numbers []int64, filter *coupon.CodeFilter,
) ([]int64, error) {
	facts, err := s.codeFacts(ctx, s.engine, numbers, filter)
	if err != nil {
		return nil, err
	}
	var all []int64
	for i, number := range numbers {
		if found[i].Type != coupon.TypeIndividual {
			continue
		}
		selected, candidates := s.selectCodes(number, filter, facts)
		if candidates == nil {
			candidates = s.memory.All(selected)
		}
		all = append(all, candidates...)
	}
	return all, nil
}

// couponsOf returns coupons by their ids, with their numbers. It returns NOT_FOUND.
func (s *Store) couponsOf(ctx context.Context, ids []coupon.ID) (
	coupons []*coupon.Coupon, numbers []int64, err error,
) {
	found, err := s.CouponsByID(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		if found[id] == nil {
			return nil, nil, coupon.NotFound(coupon.KindCoupon, id)
		}
		coupons, numbers = append(coupons, found[id]), append(numbers,
			coupon.MustNumber(coupon.KindCoupon, id))
	}
	return coupons, numbers, nil
}

// choose makes the temporary table chosen of numbers.
func (s *Store) choose(ctx context.Context, conn *sql.Conn, numbers []int64) (err error) {
	rows, err := s.engine.NewSpool()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Remove()) }()
	for _, number := range numbers {
		if err := rows.Number(number).End(); err != nil {
			return err
		}
	}
	path, err := rows.Flush()
	if err != nil {
		return err
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{{chosenCreate, nil}, {chosenLoad, []any{named("path", path)}}} {
		if err := s.engine.Run(ctx, conn, step.statement, step.args...); err != nil {
			return err
		}
	}
	return nil
}

// exportColumn is a column of an exported file.
type exportColumn struct {
	name string
	// isTime: it is an instant in UTC. isNumber: it is a decimal number, written as it stands.
	// isPlain: it is a count, a yes or a no, which every format has its own form for. Everything
	// else is text.
	isTime, isNumber, isPlain bool
	// isConfidential: it is a code or about a person, which not everybody may see. isOwnCode: it is
	// the own code of a coupon, whose type is in the column coupon_type beside it and says whether
	// it is confidential.
	isConfidential, isOwnCode bool
}

func secretColumn(name string) exportColumn {
	return exportColumn{name: name, isConfidential: true}
}

func ownCodeColumn(name string) exportColumn { return exportColumn{name: name, isOwnCode: true} }

func textColumn(name string) exportColumn { return exportColumn{name: name} }

func timeColumn(name string) exportColumn { return exportColumn{name: name, isTime: true} }

func plainColumn(name string) exportColumn { return exportColumn{name: name, isPlain: true} }

// The columns of each kind, by the names that an import knows.
func couponColumns() []exportColumn {
	return []exportColumn{
		ownCodeColumn("code"), textColumn("label"), textColumn("type"), timeColumn("startsAt"),
		timeColumn("endsAt"), plainColumn("redemptionLimit"),
		plainColumn("requiresAssignment"), plainColumn("lowStockThreshold"),
		plainColumn("lowStockShare"), textColumn("timezone"),
		textColumn("metadata"), plainColumn("isArchived"),
	}
}

func recipientColumns() []exportColumn {
	return []exportColumn{
		textColumn("externalId"), secretColumn("email"), secretColumn("phone"),
		secretColumn("firstName"), secretColumn("lastName"),
		plainColumn("isContactable"), secretColumn("attributes"),
	}
}

func deliveryColumns() []exportColumn {
	return []exportColumn{
		textColumn("delivery"), textColumn("label"), textColumn("channel"), ownCodeColumn("coupon"),
		textColumn("status"), textColumn("subject"),
		textColumn("body"), plainColumn("messageLimit"), textColumn("matchLabelTo"),
		timeColumn("contactAt"), plainColumn("targets"),
		plainColumn("messages"), plainColumn("sent"), plainColumn("failed"),
		plainColumn("canceled"), plainColumn("unknown"),
		timeColumn("createdAt"), timeColumn("confirmedAt"), timeColumn("finishedAt"),
	}
}

func codeColumns() []exportColumn {
	return []exportColumn{
		secretColumn("code"), secretColumn("label"), textColumn("status"), ownCodeColumn("coupon"),
		textColumn("delivery"), textColumn("recipient"),
		textColumn("channel"), secretColumn("address"), timeColumn("assignedAt"),
		timeColumn("sentAt"), timeColumn("redeemedAt"),
	}
}

func messageColumns() []exportColumn {
	return []exportColumn{
		textColumn("message"), textColumn("externalId"), textColumn("channel"),
		secretColumn("address"), secretColumn("code"), secretColumn("label"),
		textColumn("status"), timeColumn("sentAt"), secretColumn("failure"), textColumn("delivery"),
		textColumn("cancelReason"), textColumn("outcome"), timeColumn("outcomeAt"),
		secretColumn("outcomeReason"),
	}
}

func redemptionColumns() []exportColumn {
	return []exportColumn{
		secretColumn("code"),
		timeColumn("redeemedAt"),
		textColumn("reference"),
		{name: "amount", isNumber: true},
		textColumn("currency"),
		ownCodeColumn("coupon"),
		textColumn("delivery"),
		textColumn("channel"),
		secretColumn("label"),
		timeColumn("assignedAt"),
		textColumn("source"),
		textColumn("anomalies"),
		textColumn("store"),
		secretColumn("customer"),
	}
}

// use writes the columns as the format wants them; root and element are the names of elements of
// XML.
func (x *exportStatement) use(e *coupon.Export, root, element string, columns []exportColumn) {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c.expression(e) + ` AS "` + c.name + `"`
	}
	x.columns = strings.Join(parts, ", ")
	x.format = duckdb.FileOptions(string(e.Format))
	if e.Format == coupon.FormatXML {
		// The engine writes no XML: each row is one text without a delimiter or a quote.
		x.columns = elementOf(e, element, columns, "/>") + " AS element"
		x.format = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '', PREFIX " +
			duckdb.Quote(
				`<?xml version="1.0" encoding="UTF-8"?>`+"\n<"+root+">\n",
			) +
			", SUFFIX " + duckdb.Quote(
			"\n</"+root+">\n",
		)
	}
}

// elementOf returns SQL for an element of XML with columns as attributes, as far as they have
// values.
func elementOf(e *coupon.Export, name string, columns []exportColumn, end string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = `coalesce(' ` + c.name + `="' || ` + duckdb.XMLText(c.expression(e), c.name) +
			` || '"', '')`
	}
	return `'<` + name + `' || ` + strings.Join(parts, " || ") + ` || '` + end + `'`
}

// expression returns a column as the format wants it, masked if it has to be.
func (c exportColumn) expression(e *coupon.Export) string {
	shown := c.shown(e)
	switch {
	case e.Request.IsMasked && c.isConfidential:
		return snapshot.MaskedText(shown)
	case e.Request.IsMasked && c.isOwnCode:
		return snapshot.MaskedOwnCode(shown, "coupon_type")
	}
	return shown
}

// shown returns a column, which is not masked, as the format wants it.
func (c exportColumn) shown(e *coupon.Export) string {
	name := `"` + c.name + `"`
	switch {
	case c.isTime && e.Format == coupon.FormatParquet:
		return "timezone('UTC', " + name + ")"
	case c.isTime:
		return "strftime(" + name + ", '%Y-%m-%dT%H:%M:%S.%fZ')"
	case c.isPlain && e.Format == coupon.FormatXML, c.isNumber && e.Format != coupon.FormatParquet:
		return name + "::VARCHAR"
	case c.isPlain, c.isNumber:
		return name
	}
	// What reading would take for nothing, or would take a guard off, is written so that reading
	// gives it back.
	text := duckdb.EscapedNothing(name)
	switch {
	case e.Request.IsSpreadsheetSafe:
		return duckdb.SafeText("(" + text + ")")
	case e.Format == coupon.FormatCSV:
		return duckdb.GuardedText(name, text, coupon.GuardedPattern)
	}
	return text
}

// explainXML makes a sentence of the error for a column that XML cannot carry; it names the column
// and repeats nothing of what is in it.
func explainXML(err error) error {
	column, isFound := duckdb.ColumnWithoutXML(err)
	if !isFound {
		return err
	}
	return coupon.Errorf(coupon.ErrorInvalid, "The column %s has a character that XML cannot carry, such as U+FFFE or a control character, "+
		"so nothing was written. Export as CSV, JSONL or PARQUET.", column)
}
