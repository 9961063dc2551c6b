package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"couponql/coupon"
)

// reported is a row of a file of redemptions.
type reported struct{ code, day, order string }

// books is what redemptions were recorded, and the plain rules for more: each row is compared with each.
type books struct {
	recorded []reported
	// files has the text of the file that each of them came from.
	files []string
	// limits are those of the codes; 0 for none. Codes that begin with a C are those of coupons.
	limits map[string]int
}

func isShared(code string) bool { return strings.HasPrefix(code, "C") }

// isSame reports whether two reports are about one redemption.
func isSame(a, b reported) bool {
	if a.code != b.code {
		return false
	}
	return a.order != "" && a.order == b.order || !isShared(a.code) && a.day == b.day && (a.order == "" || b.order == "")
}

// judge tells of each row of a file why it is rejected; "" records it.
func (b *books) judge(rows []reported, file string) []coupon.RejectionReason {
	reasons := make([]coupon.RejectionReason, len(rows))
	for i, row := range rows {
		if _, isCode := b.limits[row.code]; !isCode {
			reasons[i] = coupon.RejectedUnknownCode
		}
		for k, before := range b.recorded {
			if isSame(row, before) || b.files[k] == file && isShared(row.code) && row.order == "" && before == row {
				reasons[i] = coupon.RejectedAlreadyRecorded
			}
		}
	}
	doubles := map[int]bool{}
	for i, row := range rows {
		for j := range i {
			if reasons[i] == "" && reasons[j] == "" && isSame(row, rows[j]) {
				doubles[i] = true
			}
		}
	}
	used := map[string]int{}
	for _, before := range b.recorded {
		used[before.code]++
	}
	ranks := map[string]int{}
	for i, row := range rows {
		if doubles[i] {
			reasons[i] = coupon.RejectedDuplicateInFile
		}
		if reasons[i] != "" {
			continue
		}
		if ranks[row.code]++; b.limits[row.code] > 0 && used[row.code]+ranks[row.code] > b.limits[row.code] {
			reasons[i] = coupon.RejectedAlreadyRedeemed
		}
	}
	for i, row := range rows {
		if reasons[i] == "" {
			b.recorded, b.files = append(b.recorded, row), append(b.files, file)
		}
	}
	return reasons
}

// TestRedemptionRules imports small files full of doubles, one after the other, and compares what is rejected with the plain
// rules. Codes have nothing to do with each other, so that a file has several sets of them: an import takes its time for each file.
func TestRedemptionRules(t *testing.T) {
	t.Parallel()
	const sets, enough = 4, 25
	s := newScene(t)
	coupons := map[int]coupon.ID{}
	for _, limit := range []int{1, 3, 100} {
		coupons[limit] = s.newCoupon(t, withoutAssignment, withLimit(limit))
	}
	made, hasFailed := 0, false
	rapid.Check(t, func(rt *rapid.T) {
		if made == enough && !hasFailed {
			return
		}
		defer func() { hasFailed = hasFailed || rt.Failed() }()
		made++
		b := &books{limits: map[string]int{}}
		codes := []string{fmt.Sprintf("NOBODY%d", made)}
		for limit, id := range coupons {
			var values []string
			for set := range sets {
				values = append(values, fmt.Sprintf("A%d-%d-%d", made, limit, set))
				b.limits[values[set]] = limit
			}
			s.codes(t, id, "", values...)
			codes = append(codes, values...)
		}
		for _, limit := range []int{1, 3, 0} {
			for set := range sets {
				code := fmt.Sprintf("C%d-%d-%d", made, limit, set)
				edits := []func(*coupon.CouponChanges){anonymous, withCode(code)}
				if limit > 0 {
					edits = append(edits, withLimit(limit))
				}
				s.newCoupon(t, edits...)
				b.limits[code] = limit
				codes = append(codes, code)
			}
		}
		slices.Sort(codes)
		row := rapid.Custom(func(rt *rapid.T) reported {
			return reported{
				code: rapid.SampledFrom(codes).Draw(rt, "code"), day: rapid.SampledFrom([]string{"2026-11-19", "2026-11-20"}).Draw(rt, "day"),
				order: rapid.SampledFrom([]string{"", "", "o1", "o2"}).Draw(rt, "order"),
			}
		})
		var last []reported
		for range rapid.IntRange(1, 3).Draw(rt, "files") {
			rows := rapid.SliceOfN(row, 1, 25*sets).Draw(rt, "rows")
			if last != nil && rapid.Bool().Draw(rt, "the same file again") {
				rows = last
			}
			last = rows
			text := repeated("code,redeemed on,order", len(rows), func(i int) string { return rows[i].code + "," + rows[i].day + "," + rows[i].order })
			i := s.importFile(t, newImport(coupon.ImportRedemptions), text)
			var want []string
			for i, reason := range b.judge(rows, text) {
				if reason != "" {
					want = append(want, fmt.Sprintf("%d %s %s", i+2, reason, rows[i].code))
				}
			}
			if diff := cmp.Diff(append([]string{}, want...), s.rejections(t, i.ID)); diff != "" {
				rt.Fatalf("rejections of\n%s(-want +got):\n%s", text, diff)
			}
		}
	})
	s.checkSound(t)
}
