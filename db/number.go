package db

import (
	"context"

	"couponql/db/duckdb"
)

// numbered is what has its numbers from the table number: a row says how many were given out, and
// changes in the transaction of what gets one. So a number is given out once, whatever is deleted,
// copied or killed. What only grows has the number after that of its last row; see loadNext.
type numbered string

const (
	numberOfAlerts     numbered = "alert"
	numberOfBatches    numbered = "sending_batch"
	numberOfCoupons    numbered = "coupon"
	numberOfDeliveries numbered = "delivery"
	numberOfExports    numbered = "export"
	numberOfImports    numbered = "import"
	numberOfKeys       numbered = "api_key"
	numberOfLists      numbered = "list"
	numberOfUploads    numbered = "upload"
)

// nextNumber returns out a number.
func (t *turn) nextNumber(ctx context.Context, of numbered) (int64, error) {
	return t.giveNumbers(ctx, of, 1)
}

// giveNumbers returns out so many numbers and returns the last of them.
func (t *turn) giveNumbers(ctx context.Context, of numbered, count int) (last int64, err error) {
	t.HasWritten = true
	return duckdb.One[int64](ctx, t, numberNext, named("kind", string(of)), named("count", count))
}
