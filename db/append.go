package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/marcboeker/go-duckdb/v2"

	"couponql/coupon"
)

// redemptionRow is a redemption that waits to be appended with its transaction.
type redemptionRow struct {
	number     int64
	found      *redeemable
	assignment assignment
	request    *coupon.RedeemRequest
	at         time.Time
}

// reversalRow is a reversal that waits to be appended.
type reversalRow struct {
	number int64
	reason *string
}

// decimalScale is the number of digits after the point that amounts are kept with.
const decimalScale = 4

// flush appends the rows that the transaction's requests left, all of a table at once: an appender takes
// a row in a microsecond, an INSERT in two hundred.
func (t *tx) flush(context.Context) error {
	if len(t.redemptions)+len(t.reversals) == 0 {
		return nil
	}
	t.hasWritten = true
	if last := len(t.redemptions) - 1; last >= 0 {
		t.record(t.redemptions[last].number)
	}
	if err := appendRows(t, "redemption", t.redemptions, t.redemptionValues); err != nil {
		return err
	}
	return appendRows(t, "reversal", t.reversals, func(r *reversalRow) ([]driver.Value, error) {
		return []driver.Value{r.number, t.now, optional(r.reason)}, nil
	})
}

// appendRows appends rows to a table in the transaction.
func appendRows[T any](t *tx, table string, rows []T, values func(T) ([]driver.Value, error)) error {
	if len(rows) == 0 {
		return nil
	}
	err := t.conn.Raw(func(conn any) error {
		driverConn, ok := conn.(driver.Conn)
		if !ok {
			return fmt.Errorf("unexpected connection %T", conn)
		}
		return fillAppender(driverConn, table, rows, values)
	})
	if err != nil {
		return storageError("append to "+table, err)
	}
	return nil
}

func fillAppender[T any](conn driver.Conn, table string, rows []T, values func(T) ([]driver.Value, error)) (err error) {
	appender, err := duckdb.NewAppenderFromConn(conn, "", table)
	if err != nil {
		return err
	}
	// Closing flushes.
	defer func() { err = errors.Join(err, appender.Close()) }()
	for _, row := range rows {
		columns, err := values(row)
		if err != nil {
			return err
		}
		if err := appender.AppendRow(columns...); err != nil {
			return err
		}
	}
	return nil
}

// redemptionValues gives the columns of the table redemption, in their order.
func (t *tx) redemptionValues(r *redemptionRow) ([]driver.Value, error) {
	var codeNumber driver.Value
	if r.found.codeNumber != 0 {
		codeNumber = r.found.codeNumber
	}
	amount, err := decimalValue(r.request.Amount)
	if err != nil {
		return nil, err
	}
	a := r.assignment
	return []driver.Value{
		r.number, r.found.couponNumber, codeNumber, optional(a.deliveryNumber), optional(a.channel), optional(a.label), optional(a.assignedAt),
		r.at, r.at, string(coupon.SourceAPI), optional(r.request.Reference), amount, optional(r.request.Currency), optional(r.request.IdempotencyKey),
		nil, nil, t.now,
	}, nil
}

// optional gives what a pointer points to, or NULL.
func optional[T any](value *T) driver.Value {
	if value == nil {
		return nil
	}
	return *value
}

// decimalText gives an amount with exactly decimalScale digits after the point.
func decimalText(amount coupon.Decimal) string {
	whole, fraction, _ := strings.Cut(string(amount), ".")
	return whole + "." + fraction + strings.Repeat("0", decimalScale-len(fraction))
}

func decimalValue(amount *coupon.Decimal) (driver.Value, error) {
	if amount == nil {
		return nil, nil //nolint:nilnil // NULL is the value of no amount
	}
	units, ok := new(big.Int).SetString(strings.Replace(decimalText(*amount), ".", "", 1), 10)
	if !ok {
		return nil, fmt.Errorf("read the amount %q", *amount)
	}
	return duckdb.Decimal{Width: 18, Scale: decimalScale, Value: units}, nil
}
