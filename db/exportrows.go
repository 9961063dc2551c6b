package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/snapshot"
)

// exportStatement is what the engine is asked for: fixed fragments all of them, put together by kind and format.
type exportStatement struct {
	rows, columns, format string
	args                  []any
	// expected is about how many bytes the file will have.
	expected float64
}

// What a row of CSV takes, about: it is only to tell how far an export is, and whether the disk has room.
const (
	codeBytes, heldCodeBytes = 50, 140
	messageBytes             = 130
	redemptionBytes          = 150
)

// expect tells about how large the file will be, by the size that it would have as CSV.
func (x *exportStatement) expect(e *coupon.Export, bytes int) {
	factor := map[coupon.FileFormat]float64{coupon.FormatCSV: 1, coupon.FormatXML: 1.8, coupon.FormatJSONL: 2.5, coupon.FormatParquet: 0.4}
	x.expected = float64(bytes) * factor[e.Format]
}

// exportStatement puts the statement of an export together. The codes that a filter leaves are in the temporary table
// chosen then.
func (s *Store) exportStatement(ctx context.Context, conn *sql.Conn, e *coupon.Export) (*exportStatement, error) {
	x := &exportStatement{}
	var err error
	switch e.Kind {
	case coupon.ExportCodes:
		err = s.exportCodes(ctx, conn, e, x)
	case coupon.ExportMessages:
		x.rows = exportMessages
		x.args = []any{named("delivery_id", coupon.MustNumber(coupon.KindDelivery, *e.Request.DeliveryID))}
		x.use(e, "messages", "message", messageColumns())
		var d map[coupon.ID]*coupon.Delivery
		if d, err = s.DeliveriesByID(ctx, []coupon.ID{*e.Request.DeliveryID}); err == nil && len(d) == 0 {
			err = coupon.NotFound(coupon.KindDelivery, *e.Request.DeliveryID)
		}
		for _, found := range d {
			x.expect(e, messageBytes*found.Counts.Total)
		}
	case coupon.ExportRedemptions:
		x.rows = exportRedemptions
		if x.args, err = statsArgs(e.Request.StatsFilter, time.UTC); err != nil {
			return nil, err
		}
		x.use(e, "redemptions", "redemption", redemptionColumns())
		var total int
		total, err = duckdb.One[int](ctx, s.engine, redemptionCount, x.args...)
		x.expect(e, redemptionBytes*total)
	case coupon.ExportSQL, coupon.ExportBackup:
		return nil, fmt.Errorf("no statement writes the file of an export of %s", e.Kind)
	}
	return x, err
}

func (s *Store) exportCodes(ctx context.Context, conn *sql.Conn, e *coupon.Export, x *exportStatement) error {
	number := coupon.MustNumber(coupon.KindCoupon, *e.Request.CouponID)
	found, err := s.CouponsByID(ctx, []coupon.ID{*e.Request.CouponID})
	if err != nil {
		return err
	}
	c := found[*e.Request.CouponID]
	if c == nil {
		return coupon.NotFound(coupon.KindCoupon, *e.Request.CouponID)
	}
	x.rows = exportCodes
	x.args = []any{
		named("coupon_id", number), named("coupon", c.Code), named("coupon_type", string(c.Type)), named("has_ended", c.HasEnded(s.now())),
	}
	x.use(e, "coupon", "value", codeColumns())
	available := s.memory.Availability(number, s.now())
	x.expect(e, codeBytes*available.Total+(heldCodeBytes-codeBytes)*(available.Assigned+available.Redeemed))
	if e.Request.CodeFilter == nil {
		return nil
	}
	facts, err := s.codeFacts(ctx, s.engine, []int64{number}, e.Request.CodeFilter)
	if err != nil {
		return err
	}
	selected, candidates := s.selectCodes(number, e.Request.CodeFilter, facts)
	if candidates == nil {
		candidates = s.memory.All(selected)
	}
	x.expect(e, heldCodeBytes*len(candidates))
	x.rows += " AND c.id IN (FROM chosen)"
	if len(e.Request.CodeFilter.Status) > 0 {
		// What happens between the choice and the writing must not bring in codes that stand elsewhere by then.
		x.rows = "SELECT * FROM (" + x.rows + ") WHERE list_contains($status::VARCHAR[], status)"
		x.args = append(x.args, named("status", texts(e.Request.CodeFilter.Status)))
	}
	return s.choose(ctx, conn, candidates)
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
	// isTime: it is an instant in UTC. isNumber: it is a decimal number. Everything else is text.
	isTime, isNumber bool
	// isConfidential: it is a code or about a person, which not everybody may see. isOwnCode: it is the own code of a coupon, whose
	// type is in the column coupon_type beside it and says whether it is confidential.
	isConfidential, isOwnCode bool
}

func secretColumn(name string) exportColumn { return exportColumn{name: name, isConfidential: true} }

func ownCodeColumn(name string) exportColumn { return exportColumn{name: name, isOwnCode: true} }

func textColumn(name string) exportColumn { return exportColumn{name: name} }

func timeColumn(name string) exportColumn { return exportColumn{name: name, isTime: true} }

// The columns of each kind, by the names that an import knows.
func codeColumns() []exportColumn {
	return []exportColumn{
		secretColumn("code"), secretColumn("label"), textColumn("status"), ownCodeColumn("coupon"), textColumn("delivery"), textColumn("recipient"),
		textColumn("channel"), secretColumn("address"), timeColumn("assignedAt"), timeColumn("sentAt"), timeColumn("redeemedAt"),
	}
}

func messageColumns() []exportColumn {
	return []exportColumn{
		textColumn("message"), textColumn("externalId"), textColumn("channel"), secretColumn("address"), secretColumn("code"), secretColumn("label"),
		textColumn("status"), timeColumn("sentAt"), secretColumn("failure"), textColumn("delivery"),
		textColumn("cancelReason"), textColumn("outcome"), timeColumn("outcomeAt"), secretColumn("outcomeReason"),
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
	}
}

// use writes the columns as the format wants them; root and element are the names of elements of XML.
func (x *exportStatement) use(e *coupon.Export, root, element string, columns []exportColumn) {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c.expression(e) + ` AS "` + c.name + `"`
	}
	x.columns = strings.Join(parts, ", ")
	x.format = duckdb.FileOptions(string(e.Format))
	if e.Format == coupon.FormatXML {
		// The engine writes no XML: each row is one text without a delimiter or a quote.
		for i, c := range columns {
			parts[i] = `coalesce(' ` + c.name + `="' || ` + duckdb.XMLText(c.expression(e), c.name) + ` || '"', '')`
		}
		x.columns = `'<` + element + `' || ` + strings.Join(parts, " || ") + ` || '/>' AS element`
		x.format = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '', PREFIX " + duckdb.Quote(
			`<?xml version="1.0" encoding="UTF-8"?>`+"\n<"+root+">\n",
		) +
			", SUFFIX " + duckdb.Quote(
			"\n</"+root+">\n",
		)
	}
}

// expression gives a column as the format wants it, masked if it has to be.
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

// shown gives a column, which is not masked, as the format wants it.
func (c exportColumn) shown(e *coupon.Export) string {
	name := `"` + c.name + `"`
	switch {
	case c.isTime && e.Format == coupon.FormatParquet:
		return "timezone('UTC', " + name + ")"
	case c.isTime:
		return "strftime(" + name + ", '%Y-%m-%dT%H:%M:%S.%fZ')"
	case c.isNumber && e.Format != coupon.FormatParquet:
		return name + "::VARCHAR"
	case !c.isNumber && e.Request.IsSpreadsheetSafe:
		return duckdb.SafeText(name)
	}
	return name
}

// explainXML makes a sentence of the error for a column that XML cannot carry; it names the column and repeats nothing of what
// is in it.
func explainXML(err error) error {
	column, isFound := duckdb.ColumnWithoutXML(err)
	if !isFound {
		return err
	}
	return coupon.Errorf(coupon.ErrorInvalid, "The column %s has a character that XML cannot carry, such as U+FFFE or a control character, "+
		"so nothing was written. Export as CSV, JSONL or PARQUET.", column)
}
