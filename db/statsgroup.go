package db

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"couponql/coupon"
)

// groupStatement returns the question about one kind of fact: keys, then its counts, of at most $limit groups.
func groupStatement(f *fact, keys []string, where string) string {
	return "-- statistics of one kind of fact\nSELECT " + strings.Join(
		append(slices.Clone(keys), f.counts.columns()),
		", ",
	) + where + grouping(
		len(keys),
	) + ordering(
		len(keys),
	) + "\nLIMIT $limit"
}

// currencyStatement returns the sums of each currency of each group, the most frequent currencies at the most, as one text.
func currencyStatement(keys []string, where string) string {
	inner, outer, partition := "", "", ""
	for i, key := range keys {
		inner += fmt.Sprintf("%s AS k%d, ", key, i)
		outer += fmt.Sprintf("k%d, ", i)
	}
	if len(keys) > 0 {
		partition = "PARTITION BY " + strings.TrimSuffix(outer, ", ")
	}
	return fmt.Sprintf(`-- statistics by currency
SELECT %sstring_agg(coalesce(currency, '') || ':' || redeemed || ':' || amount || ':' || reversed || ':' || reversed_amount, ' ' ORDER BY currency NULLS FIRST)
FROM (
    SELECT %sf.currency, count(*) FILTER (v.redemption_id IS NULL) AS redeemed, coalesce(sum(f.amount) FILTER (v.redemption_id IS NULL), 0) AS amount,
        count(*) FILTER (v.redemption_id IS NOT NULL) AS reversed, coalesce(sum(f.amount) FILTER (v.redemption_id IS NOT NULL), 0) AS reversed_amount%s%s
    QUALIFY row_number() OVER (%s ORDER BY count(*) DESC, f.currency) <= $currencies
)%s%s
LIMIT $limit`, outer, inner, where, grouping(len(keys)+1), partition, grouping(len(keys)), ordering(len(keys)))
}

// grouping groups by the first columns.
func grouping(columns int) string {
	if columns == 0 {
		return ""
	}
	return "\nGROUP BY " + places(columns, "")
}

// ordering puts groups in their order.
func ordering(columns int) string {
	if columns == 0 {
		return ""
	}
	return "\nORDER BY " + places(columns, " NULLS FIRST")
}

// places names the first columns, each with a word behind it.
func places(columns int, word string) string {
	list := make([]string, columns)
	for i := range list {
		list[i] = strconv.Itoa(i+1) + word
	}
	return strings.Join(list, ", ")
}

// statsKey is what a group has in common by one dimension: a number or a text.
type statsKey struct {
	number int64
	text   string
}

// noKey stands for NULL, which comes before everything.
var noKey = statsKey{number: math.MinInt64}

func compareKeys(a, b []statsKey) int {
	return slices.CompareFunc(a, b, func(x, y statsKey) int {
		return cmp.Or(cmp.Compare(x.number, y.number), strings.Compare(x.text, y.text))
	})
}

// statsGroup is a row on its way.
type statsGroup struct {
	keys  []statsKey
	stats *coupon.RedemptionStats
}

// statsGroups has the groups found so far by their keys.
type statsGroups map[string]*statsGroup

// of returns the group with these keys as they were scanned.
func (g statsGroups) of(scanned []any) (*coupon.RedemptionStats, error) {
	keys := make([]statsKey, len(scanned))
	for i, value := range scanned {
		switch v := value.(type) {
		case nil:
			keys[i] = noKey
		case int64:
			keys[i].number = v
		case string:
			keys[i].text = v
		default:
			return nil, fmt.Errorf("a key is a %T", value)
		}
	}
	return g.at(keys).stats, nil
}

func (g statsGroups) at(keys []statsKey) *statsGroup {
	var b strings.Builder
	for _, key := range keys {
		fmt.Fprintf(&b, "%d %q ", key.number, key.text)
	}
	name := b.String()
	if g[name] == nil {
		g[name] = &statsGroup{keys: keys, stats: &coupon.RedemptionStats{}}
	}
	return g[name]
}

// sorted returns the groups in the order of their keys.
func (g statsGroups) sorted() []*statsGroup {
	groups := make([]*statsGroup, 0, len(g))
	for _, group := range g {
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b *statsGroup) int { return compareKeys(a.keys, b.keys) })
	return groups
}

// fill adds groups for the periods in which nothing happened, from the beginning of the filter, or else the first period
// with anything, to its end, or else the last one, for each combination of the other keys.
func (g statsGroups) fill(groupBy []coupon.StatsDimension, zone *time.Location, period coupon.Period) error {
	place := slices.IndexFunc(groupBy, coupon.StatsDimension.IsPeriod)
	dimension := groupBy[place]
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	others := statsGroups{}
	for _, group := range g {
		first, last = min(first, group.keys[place].number), max(last, group.keys[place].number)
		others.at(slices.Delete(slices.Clone(group.keys), place, place+1))
	}
	if len(groupBy) == 1 {
		others.at([]statsKey{}) // zeros tell that nothing happened at all
	}
	if period.From != nil {
		first = dimension.Period(*period.From, zone)
		last = max(last, first)
	}
	if period.To != nil {
		last = dimension.Period(period.To.Add(-time.Microsecond), zone)
		first = min(first, last)
	}
	if first > last || len(others) == 0 {
		return nil // nothing happened, and nobody said when
	}
	tooMany := coupon.Errorf(
		coupon.ErrorResultTooLarge,
		"With every %s there would be more than %d rows. Ask for a shorter period, longer periods or fewer groups.",
		dimension,
		coupon.MaxStatsRows,
	).At("fillPeriods")
	numbers, ok := dimension.Periods(first, last, zone, coupon.MaxStatsRows)
	if !ok || len(numbers)*len(others) > coupon.MaxStatsRows {
		return tooMany
	}
	for _, other := range others {
		for _, number := range numbers {
			g.at(slices.Insert(slices.Clone(other.keys), place, statsKey{number: number}))
		}
	}
	return nil
}

// statsRow returns a group as callers see it.
func statsRow(groupBy []coupon.StatsDimension, group *statsGroup) *coupon.StatsRow {
	row := &coupon.StatsRow{Keys: make([]string, len(groupBy)), Stats: group.stats}
	for i, dimension := range groupBy {
		key := group.keys[i]
		switch {
		case key == noKey:
		case dimension == coupon.ByCoupon:
			row.CouponID = new(coupon.NewID(coupon.KindCoupon, key.number))
			row.Keys[i] = string(*row.CouponID)
		case dimension == coupon.ByDelivery:
			row.DeliveryID = new(coupon.NewID(coupon.KindDelivery, key.number))
			row.Keys[i] = string(*row.DeliveryID)
		case dimension.IsPeriod():
			row.Keys[i] = dimension.PeriodText(key.number)
		default:
			row.Keys[i] = key.text
		}
	}
	return row
}
