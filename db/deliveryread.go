package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// DeliveriesByID returns the deliveries that exist of these.
func (s *Store) DeliveriesByID(ctx context.Context, ids []coupon.ID) (
	map[coupon.ID]*coupon.Delivery, error,
) {
	return s.readDeliveries(ctx, numbersOf(coupon.KindDelivery, ids))
}

func (s *Store) readDeliveries(ctx context.Context, numbers []int64) (
	map[coupon.ID]*coupon.Delivery, error,
) {
	if err := s.engine.Whole(); err != nil {
		return nil, err
	}
	found, missing, revision := s.memory.RecallDeliveries(numbers)
	read, err := readDeliveries(ctx, s.engine.Planned(), missing)
	if err != nil {
		return nil, err
	}
	s.memory.KeepDeliveries(read, revision)
	maps.Copy(found, read)
	s.estimate(found)
	for id, d := range found {
		d.Counts.InFlight = min(s.inFlight(id), d.Counts.Pending)
	}
	return found, nil
}

func readDeliveries(ctx context.Context, q duckdb.Querier, numbers []int64) (
	map[coupon.ID]*coupon.Delivery, error,
) {
	found := make(map[coupon.ID]*coupon.Delivery, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	err := duckdb.Each(ctx, q, deliveryGet, func(rows *sql.Rows) error {
		var number int64
		var couponNumber *int64
		var analysis *string
		var d coupon.Delivery
		if err := rows.Scan(
			&number,
			&d.Label,
			&d.Channel,
			&couponNumber,
			&d.Subject,
			&d.Body,
			&d.MessageLimit,
			&d.MatchLabelTo,
			&d.ContactAt,
			&d.Status,
			&d.TargetCount,
			&analysis,
			&d.Counts.Total,
			&d.Counts.Sent,
			&d.Counts.Failed,
			&d.Counts.Canceled,
			&d.Counts.Unknown,
			&d.CreatedAt,
			&d.ConfirmedAt,
			&d.FinishedAt,
			&d.SendRate,
			&d.AllowDuplicateAddresses,
			&d.IgnoreQuarantine,
			&d.Reuse,
		); err != nil {
			return err
		}
		d.ID, d.CouponID = coupon.NewID(coupon.KindDelivery,
			number), coupon.NewIDPtr(coupon.KindCoupon, couponNumber)
		d.Counts.Pending = d.Counts.Total - d.Counts.Sent - d.Counts.Failed - d.Counts.Canceled -
			d.Counts.Unknown
		if analysis != nil {
			d.Analysis = &coupon.Analysis{}
			if err := json.Unmarshal([]byte(*analysis), d.Analysis); err != nil {
				return fmt.Errorf("decode the analysis of %s: %w", d.ID, err)
			}
			d.Analysis.DeliveryID = d.ID
			if d.Status != coupon.DeliveryReady {
				d.Analysis.HeldUntil = nil
			}
		}
		found[d.ID] = &d
		return nil
	}, named("ids", numbers))
	return found, err
}

// Deliveries returns a page of deliveries, newest first; status, couponID and filter narrow it
// unless empty. It returns INVALID for a bound that is not a date.
func (s *Store) Deliveries(
	ctx context.Context, status []coupon.DeliveryStatus, couponID *coupon.ID,
	filter *coupon.DeliveryFilter, page coupon.Page,
) (*coupon.List[*coupon.Delivery], error) {
	if filter == nil {
		filter = &coupon.DeliveryFilter{}
	}
	period, err := coupon.NewPeriod(filter.From, filter.To, time.UTC, "")
	if err != nil {
		return nil, err
	}
	var search, channel any
	if filter.Search != nil {
		search = strings.ToLower(strings.TrimSpace(*filter.Search))
	}
	if filter.Channel != nil {
		channel = string(*filter.Channel)
	}
	args := []any{
		named("status", texts(status)),
		named("coupon_id", optionalNumber(coupon.KindCoupon, couponID)),
		named("search", search), named("channel", channel),
		named("from", period.From), named("to", period.To),
	}
	return newestPage(ctx, s, page, coupon.KindDelivery, deliveryPage, deliveryCountFound, args,
		s.readDeliveries)
}

// CouponDeliveries returns a page of each coupon's deliveries, newest first.
func (s *Store) CouponDeliveries(ctx context.Context, coupons []coupon.ID, page coupon.Page) (
	map[coupon.ID]*coupon.List[*coupon.Delivery], error,
) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: coupons, parentKind: coupon.KindCoupon, page: page, list: couponDeliveries,
		count: couponDeliveriesCount, isNewestFirst: true,
	})
	if err != nil {
		return nil, err
	}
	return fillPages(ctx, pages, coupon.KindDelivery, s.readDeliveries)
}

// LogOf returns the log of each delivery since its last analysis began.
func (s *Store) LogOf(ctx context.Context, deliveries []coupon.ID) (
	map[coupon.ID][]*coupon.LogEntry, error,
) {
	logs := make(map[coupon.ID][]*coupon.LogEntry, len(deliveries))
	err := duckdb.Each(ctx, s.engine, deliveryLogGet, func(rows *sql.Rows) error {
		var number int64
		var line coupon.LogEntry
		err := rows.Scan(&number, &line.At, &line.Level, &line.Text)
		id := coupon.NewID(coupon.KindDelivery, number)
		logs[id] = append(logs[id], &line)
		return err
	}, named("ids", numbersOf(coupon.KindDelivery, deliveries)))
	return logs, err
}

// ExclusionsOf returns a page of those whom the last analysis of each delivery left out, in the
// order of the targets.
func (s *Store) ExclusionsOf(
	ctx context.Context,
	deliveries []coupon.ID,
	reasons []coupon.ExclusionReason,
	page coupon.Page,
) (map[coupon.ID]*coupon.List[*coupon.ExcludedRecipient], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: deliveries, parentKind: coupon.KindDelivery, page: page, list: deliveryExclusions,
		count: deliveryExclusionsCount,
		args:  []any{named("reason", texts(reasons))},
	})
	if err != nil {
		return nil, err
	}
	lists := make(map[coupon.ID]*coupon.List[*coupon.ExcludedRecipient], len(pages))
	var parents, seqs []int64
	for id, p := range pages {
		lists[id] = &coupon.List[*coupon.ExcludedRecipient]{
			Cursors: cursorsOf(p.numbers), HasNext: p.hasNext, Total: p.total,
		}
		for _, seq := range p.numbers {
			parents, seqs = append(parents,
				coupon.MustNumber(coupon.KindDelivery, id)), append(seqs, seq)
		}
	}
	err = duckdb.Each(ctx, s.engine, exclusionGet, func(rows *sql.Rows) error {
		var parent, number int64
		var excluded coupon.ExcludedRecipient
		err := rows.Scan(&parent, &number, &excluded.Reason)
		excluded.DeliveryID, excluded.RecipientID = coupon.NewID(coupon.KindDelivery,
			parent), coupon.NewID(coupon.KindRecipient, number)
		list := lists[coupon.NewID(coupon.KindDelivery, parent)]
		list.Items = append(list.Items, &excluded)
		return err
	}, named("parents", parents), named("seqs", seqs))
	return lists, err
}

// ExplainExclusions returns a sentence for each of the recipients whom the last analysis of a
// delivery left out.
func (s *Store) ExplainExclusions(ctx context.Context, delivery coupon.ID, recipients []coupon.ID) (
	map[coupon.ID]string, error,
) {
	known, err := s.DeliveriesByID(ctx, []coupon.ID{delivery})
	d := known[delivery]
	numbers := numbersOf(coupon.KindRecipient, recipients)
	if err != nil || d == nil || len(numbers) == 0 {
		return nil, err
	}
	args := []any{
		named("id", coupon.MustNumber(coupon.KindDelivery, delivery)),
		named("channel", string(d.Channel)),
	}
	found := make(map[int64]*coupon.ExclusionFacts, len(numbers))
	var doubles []int64
	err = duckdb.Each(ctx, s.engine, withInvisible(exclusionExplain), func(rows *sql.Rows) error {
		var number int64
		var facts coupon.ExclusionFacts
		var country, kind sql.NullString
		var since sql.NullTime
		var said *string
		if err := rows.Scan(&number, &facts.Reason, &facts.Address, &country, &kind, &since,
			&said); err != nil {
			return err
		}
		facts.Country = country.String
		if kind.Valid {
			facts.Quarantine = &coupon.Quarantine{
				QuarantinedAt: since.Time, Reason: coupon.BounceKind(kind.String), LastReason: said,
			}
		}
		if facts.Reason == coupon.ExcludedDuplicateAddress {
			doubles = append(doubles, number)
		}
		found[number] = &facts
		return nil
	}, append(append(between(numbers), countryPath()), args...)...)
	if err != nil {
		return nil, err
	}
	if err := s.findTwins(ctx, doubles, args, found); err != nil {
		return nil, err
	}
	sentences := make(map[coupon.ID]string, len(found))
	for number, facts := range found {
		sentences[coupon.NewID(coupon.KindRecipient, number)] = facts.Explain(d,
			s.options.DefaultRegion)
	}
	return sentences, nil
}

// findTwins finds the targets that come before the doubles, for which it looks at every target.
func (s *Store) findTwins(
	ctx context.Context, doubles []int64, args []any, found map[int64]*coupon.ExclusionFacts,
) error {
	if len(doubles) == 0 {
		return nil
	}
	release, err := s.reports.Enter(ctx)
	if err != nil {
		return err
	}
	defer release()
	return duckdb.Each(ctx, s.engine, withInvisible(exclusionTwins), func(rows *sql.Rows) error {
		var number int64
		var twin string
		if err := rows.Scan(&number, &twin); err != nil {
			return err
		}
		found[number].Twin = twin
		return nil
	}, append(args, named("ids", doubles))...)
}
