package db_test

import (
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"couponql/coupon"
)

const (
	// costRows is how many rows the smaller file has: so many that what grows with their square outweighs all else.
	costRows = 50_000
	// maxCostRatio is how many times as much a file of four times as many rows may cost.
	maxCostRatio = 6
	// costAttempts is how often a cost is measured at the most; the least counts.
	costAttempts = 3
)

// costCase is an import of a file whose rows are as bad as can be.
type costCase struct {
	// prepare makes what the import is about, for so many rows, and gives what costs.
	prepare func(t *testing.T, s *scene, rows int) (run func())
}

// repeated returns a file of a header and so many rows, each made of its number.
func repeated(header string, rows int, row func(i int) string) string {
	var text strings.Builder
	text.WriteString(header + "\n")
	for i := range rows {
		text.WriteString(row(i) + "\n")
	}
	return text.String()
}

func same(text string) func(int) string { return func(int) string { return text } }

// importing imports a file before the measured one, unless it is "", and the measured one.
func importing(i func(t *testing.T, s *scene) *coupon.Import, first, measured func(rows int) string) costCase {
	return costCase{func(t *testing.T, s *scene, rows int) func() {
		t.Helper()
		wanted := i(t, s)
		if first != nil {
			s.importFile(t, withoutDryRun(wanted), first(rows))
		}
		id := s.queue(t, wanted, measured(rows))
		return func() {
			if err := s.RunImport(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if i := s.imported(t, id); i.Status != coupon.ImportSucceeded || i.RowsRead != rows {
				t.Fatalf("the import is %+v", i)
			}
		}
	}}
}

// withoutDryRun returns the same import, but that it is done.
func withoutDryRun(i *coupon.Import) *coupon.Import {
	done := *i
	done.IsDryRun, done.Mode = false, coupon.ImportAdd
	return &done
}

func costCases() map[string]costCase {
	codes := func(edits ...func(*coupon.Import)) func(*testing.T, *scene) *coupon.Import {
		return func(t *testing.T, s *scene) *coupon.Import {
			t.Helper()
			return newImport(coupon.ImportCodes, append(edits, into(s.newCoupon(t, withoutAssignment)))...)
		}
	}
	file := func(header string, row func(i int) string) func(rows int) string {
		return func(rows int) string { return repeated(header, rows, row) }
	}
	number := func(i int) string { return fmt.Sprintf("N%07d", i) }
	one, all := file("code", same("ONE")), file("code", number)
	redemptions := func(changes ...func(*coupon.CouponChanges)) func(*testing.T, *scene) *coupon.Import {
		return func(t *testing.T, s *scene) *coupon.Import {
			t.Helper()
			c := s.newCoupon(t, append(changes, withoutAssignment)...)
			if len(changes) == 1 {
				s.codes(t, c, "", "ONE")
			}
			return newImport(coupon.ImportRedemptions)
		}
	}
	single, shared := redemptions(withLimit(1_000_000)), redemptions(anonymous, withCode("ONE"))
	const header = "code,redeemed on,order"
	bare, identical := file(header, same("ONE,2026-03-01,")), file(header, same("ONE,2026-03-01,o1"))
	orders := file(header, func(i int) string { return fmt.Sprintf("ONE,2026-03-01,o%d", i) })
	times := file(header, func(i int) string {
		return fmt.Sprintf("ONE,%s,", time.Date(2026, 3, 1, 0, 0, i, 0, time.UTC).Format(time.RFC3339))
	})
	recipients := func(*testing.T, *scene) *coupon.Import { return newImport(coupon.ImportRecipients) }
	targets := func(t *testing.T, s *scene) *coupon.Import {
		t.Helper()
		s.importFile(t, newImport(coupon.ImportRecipients), repeated("id", 4*costRows, number))
		return newImport(coupon.ImportTargets, into(s.newDelivery(t, "", nil)))
	}
	ids := file("id", number)
	bounces := func(*testing.T, *scene) *coupon.Import { return newImport(coupon.ImportBounces) }
	hard := file("email,kind,date", func(i int) string { return number(i) + "@example.org,hard,2026-03-01" })
	soft := file("email,kind,date", func(i int) string {
		return "one@example.org,soft," + time.Date(2026, 3, 1, 0, 0, i, 0, time.UTC).Format(time.RFC3339)
	})
	cases := map[string]costCase{
		"codes, all equal":                              importing(codes(), nil, one),
		"codes, all known":                              importing(codes(), all, all),
		"codes, a dry run, all equal":                   importing(codes(dryRun), nil, one),
		"codes that replace unused ones, all equal":     importing(codes(withMode(coupon.ImportReplaceUnused)), one, one),
		"codes that replace unused ones, all known":     importing(codes(withMode(coupon.ImportReplaceUnused)), all, all),
		"codes to void, all equal":                      importing(codes(withMode(coupon.ImportVoid)), one, one),
		"codes to void, all known":                      importing(codes(withMode(coupon.ImportVoid)), all, all),
		"recipients, all equal":                         importing(recipients, nil, file("id,email", same("c-1,a@example.com"))),
		"recipients, all known":                         importing(recipients, ids, ids),
		"targets, all equal":                            importing(targets, nil, file("id", same(number(1)))),
		"targets, all known":                            importing(targets, ids, ids),
		"bounces of many addresses":                     importing(bounces, nil, hard),
		"bounces of many addresses, all known":          importing(bounces, hard, hard),
		"bounces of one address":                        importing(bounces, nil, soft),
		"bounces of one address, all known":             importing(bounces, soft, soft),
		"redemptions of one code, identical":            importing(single, nil, identical),
		"redemptions of one code, without orders":       importing(single, nil, bare),
		"redemptions of one code, many orders":          importing(single, nil, orders),
		"redemptions of one code, many times":           importing(single, nil, times),
		"redemptions of one code, all known":            importing(single, orders, orders),
		"redemptions of one code, known without orders": importing(single, times, orders),
		"redemptions of a coupon, identical":            importing(shared, nil, identical),
		"redemptions of a coupon, without orders":       importing(shared, nil, bare),
		"redemptions of a coupon, many orders":          importing(shared, nil, orders),
		"redemptions of a coupon, all known":            importing(shared, orders, orders),
		"redemptions of a coupon, the same file":        importing(shared, bare, bare),
	}
	cases["undo"] = costCase{func(t *testing.T, s *scene, rows int) func() {
		t.Helper()
		id := s.importFile(t, codes()(t, s), all(rows)).ID
		return func() {
			if undone, err := s.UndoImport(t.Context(), id); err != nil || undone.Removed != rows {
				t.Fatalf("removed %+v: %v", undone, err)
			}
		}
	}}
	cases["rejected rows"] = costCase{func(t *testing.T, s *scene, rows int) func() {
		t.Helper()
		id := s.importFile(t, codes()(t, s), one(rows)).ID
		return func() {
			if err := s.WriteRejects(t.Context(), id, io.Discard); err != nil {
				t.Fatal(err)
			}
		}
	}}
	return cases
}

// TestImportCost tells that no import costs more than linear in its rows, whatever is in them: four times as many cost six
// times as much at the most, where what grows with their square costs sixteen times as much. What is counted is time of the
// processor, which is the same on a busy machine; so nothing else of this program may run meanwhile.
//
//nolint:paralleltest // it measures the whole process
func TestImportCost(t *testing.T) {
	if testing.Short() || hasRaceDetector {
		t.Skip("it takes a minute, and measures time of the processor")
	}
	for name, test := range costCases() {
		t.Run(name, func(t *testing.T) {
			var few, many time.Duration
			for attempt := range costAttempts {
				a, b := test.cost(t, costRows), test.cost(t, 4*costRows)
				if attempt == 0 {
					few, many = a, b
				}
				// More of what is measured is noise, so the least is right.
				few, many = min(few, a), min(many, b)
				if many <= maxCostRatio*few {
					t.Logf("%v for %d rows, %v for %d", few, costRows, many, 4*costRows)
					return
				}
			}
			t.Errorf("%d rows cost %v, and %d rows %v: %.1f times as much", costRows, few, 4*costRows, many, many.Seconds()/few.Seconds())
		})
	}
}

// cost returns the time of the processor that the case takes.
func (c costCase) cost(t *testing.T, rows int) time.Duration {
	t.Helper()
	s := newScene(t)
	run := c.prepare(t, s, rows)
	before := processorTime(t)
	run()
	took := processorTime(t) - before
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return took
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
