package db

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// Forecasts tells when the pools of coupons run dry. Anonymous coupons, which have no pool, have none.
func (s *Store) Forecasts(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.StockForecast, error) {
	numbers := make([]int64, 0, len(ids))
	for _, id := range ids {
		numbers = append(numbers, coupon.MustNumber(coupon.KindCoupon, id))
	}
	return s.forecasts(ctx, numbers, s.now())
}

func (s *Store) forecasts(ctx context.Context, numbers []int64, now time.Time) (map[coupon.ID]*coupon.StockForecast, error) {
	numbers = slices.DeleteFunc(slices.Clone(numbers), func(number int64) bool { return !s.memory.HasPool(number) })
	found := make(map[coupon.ID]*coupon.StockForecast, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	type pace struct {
		assigned int
		first    *time.Time
	}
	paces := map[int64]pace{}
	err := duckdb.Each(ctx, s.engine, couponPace, func(rows *sql.Rows) error {
		var number int64
		var p pace
		err := rows.Scan(&number, &p.assigned, &p.first)
		paces[number] = p
		return err
	}, named("ids", numbers), named("since", now.Add(-coupon.PaceWindow)))
	if err != nil {
		return nil, err
	}
	planned := map[int64][]*coupon.PlannedDelivery{}
	err = duckdb.Each(ctx, s.engine, couponPlanned, func(rows *sql.Rows) error {
		var number, delivery int64
		var p coupon.PlannedDelivery
		err := rows.Scan(&number, &delivery, &p.ContactAt, &p.Codes)
		p.DeliveryID = coupon.NewID(coupon.KindDelivery, delivery)
		planned[number] = append(planned[number], &p)
		return err
	}, named("ids", numbers), named("now", now), named("limit", coupon.MaxPlannedDeliveries))
	if err != nil {
		return nil, err
	}
	for _, number := range numbers {
		available := s.memory.Availability(number, now).Available
		found[coupon.NewID(coupon.KindCoupon, number)] = coupon.NewStockForecast(available, paces[number].assigned, paces[number].first, planned[number], now)
	}
	return found, nil
}

// numberedAlert is an alert and the number of what it is about.
type numberedAlert struct {
	*coupon.Alert

	number int64
}

// couponAlerts returns the alerts about coupons now, by kind and then the newest coupon first.
func (s *Store) couponAlerts(ctx context.Context, now time.Time) ([]numberedAlert, error) {
	var coupons []*coupon.Coupon
	var numbers []int64
	s.memory.Read(func(v memory.View) {
		for number, known := range v.Coupons() {
			if status := known.StatusAt(now); status != coupon.CouponExpired && status != coupon.CouponArchived {
				c := *known
				coupons, numbers = append(coupons, &c), append(numbers, number)
			}
		}
	})
	forecasts, err := s.forecasts(ctx, numbers, now)
	if err != nil {
		return nil, err
	}
	var alerts []numberedAlert
	for i, c := range coupons {
		for _, alert := range c.Alerts(s.memory.Availability(numbers[i], now), forecasts[c.ID], now) {
			alerts = append(alerts, numberedAlert{alert, numbers[i]})
		}
	}
	slices.SortFunc(alerts, func(a, b numberedAlert) int { return compareAlerts(placeOf(a), placeOf(b)) })
	return alerts, nil
}

// placeOf is the place of an alert in the list, which stays the same while the alert lasts.
func placeOf(a numberedAlert) coupon.Cursor {
	return coupon.Cursor{Key: string(a.Kind), Number: a.number}
}

func compareAlerts(a, b coupon.Cursor) int {
	if byKind := alertRank(a) - alertRank(b); byKind != 0 {
		return byKind
	}
	return cmp.Compare(b.Number, a.Number)
}

// alertRank is the place of a kind among all; 0 for none, 1 for the first.
func alertRank(c coupon.Cursor) int {
	return slices.Index(coupon.AlertKinds(), coupon.AlertKind(c.Key)) + 1
}

// Alerts returns a page of what needs attention now: by kind, and then about the newest object first.
func (s *Store) Alerts(ctx context.Context, page coupon.Page) (*coupon.List[*coupon.Alert], error) {
	now := s.now()
	alerts, err := s.couponAlerts(ctx, now)
	if err != nil {
		return nil, err
	}
	lately := failedLately(now)
	list := &coupon.List[*coupon.Alert]{}
	if page.WantsTotal {
		failed, err := duckdb.One[int](ctx, s.engine, "-- count what failed lately\nSELECT count(*) FROM ("+alertFailed+")", lately...)
		if err != nil {
			return nil, err
		}
		list.Total = len(alerts) + failed
	}
	if !page.WantsItems {
		return list, nil
	}
	after := coupon.Cursor{}
	if page.After != nil {
		after = *page.After
		alerts = slices.DeleteFunc(alerts, func(a numberedAlert) bool { return compareAlerts(placeOf(a), after) <= 0 })
	}
	if len(alerts) <= page.First {
		failed, err := duckdb.Collect(ctx, s.engine, "-- a page of what failed lately\nSELECT kind, subject_id, due_at, text FROM ("+alertFailed+
			")\nWHERE rank > $rank OR rank = $rank AND subject_id < $number\nORDER BY rank, subject_id DESC\nLIMIT $limit",
			func(rows *sql.Rows) (numberedAlert, error) {
				a := numberedAlert{Alert: &coupon.Alert{}}
				err := rows.Scan(&a.Kind, &a.number, &a.At, &a.Text)
				a.SetSubject(coupon.NewID(a.Kind.SubjectKind(), a.number))
				return a, err
			}, append(lately, named("rank", alertRank(after)), named("number", after.Number), named("limit", page.First+1-len(alerts)))...)
		if err != nil {
			return nil, err
		}
		alerts = append(alerts, failed...)
	}
	if list.HasNext = len(alerts) > page.First; list.HasNext {
		alerts = alerts[:page.First]
	}
	for _, a := range alerts {
		list.Items, list.Cursors = append(list.Items, a.Alert), append(list.Cursors, placeOf(a))
	}
	return list, s.setBeginnings(ctx, alerts)
}

// setBeginnings says since when stocks are low, as far as that was recorded.
func (s *Store) setBeginnings(ctx context.Context, alerts []numberedAlert) error {
	low := map[int64]*coupon.Alert{}
	var numbers []int64
	for _, a := range alerts {
		if a.Kind == coupon.AlertLowStock {
			low[a.number], numbers = a.Alert, append(numbers, a.number)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	err := duckdb.Each(ctx, s.engine, alertBegan, func(rows *sql.Rows) error {
		var kind string
		var number int64
		var at time.Time
		err := rows.Scan(&kind, &number, &at)
		low[number].At = at
		return err
	}, named("ids", numbers))
	return err
}

// currentAlerts is the beginning of a statement about the alerts that there are now.
var currentAlerts = strings.Replace(`WITH failed AS (
%s), current AS (
    SELECT unnest($kinds::VARCHAR[]) AS kind, unnest($subjects::BIGINT[]) AS subject_id, make_timestamp(unnest($dues::BIGINT[])) AS due_at,
        unnest($texts::VARCHAR[]) AS text
    UNION ALL SELECT kind, subject_id, due_at, text FROM failed
)
`, "%s", alertFailed, 1)

// failedLately returns the parameters of alertFailed.
func failedLately(now time.Time) []any {
	return []any{named("since", now.Add(-coupon.FailedJobWindow)), named("many", coupon.ManyFailed), named("share", coupon.ManyFailedShare)}
}

// RecordAlerts notes which alerts began since it was called before, and which are over. isTold: a receiver outside is to
// be told of those that began; of alerts that begin while there is none, nobody is told later.
func (s *Store) RecordAlerts(ctx context.Context, isTold bool) error {
	now := s.now()
	alerts, err := s.couponAlerts(ctx, now)
	if err != nil {
		return err
	}
	var kinds, sentences []string
	var subjects, dues []int64
	for _, a := range alerts {
		kinds, subjects = append(kinds, string(a.Kind)), append(subjects, a.number)
		dues, sentences = append(dues, a.At.UnixMicro()), append(sentences, a.Text)
	}
	args := append(failedLately(now), named("kinds", kinds), named("subjects", subjects), named("dues", dues), named("texts", sentences))
	// Mostly nothing changed, and nothing has to be written.
	changes, err := duckdb.One[int](ctx, s.engine, "-- count alerts that began or are over\n"+currentAlerts+
		`SELECT (SELECT count(*) FROM current c ANTI JOIN (FROM alert WHERE ended_at IS NULL) a USING (kind, subject_id))
    + (SELECT count(*) FROM alert a ANTI JOIN current c USING (kind, subject_id) WHERE a.ended_at IS NULL)`, args...)
	if err != nil || changes == 0 {
		return err
	}
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		began, err := t.Exec(
			ctx,
			"-- record alerts that began\nINSERT INTO alert (id, kind, subject_id, due_at, text, began_at, is_untold, attempts, tell_at)\n"+
				currentAlerts+`SELECT (SELECT given FROM number WHERE kind = 'alert') + row_number() OVER (),
    kind, subject_id, due_at, text, $now, $is_told, 0, $now
FROM current c ANTI JOIN (FROM alert WHERE ended_at IS NULL) a USING (kind, subject_id)`,
			slices.Concat(args, []any{named("now", t.now), named("is_told", isTold)})...)
		if err != nil {
			return err
		}
		if _, err := t.giveNumbers(ctx, numberOfAlerts, began); err != nil {
			return err
		}
		_, err = t.Exec(ctx, "-- record alerts that are over\nUPDATE alert SET ended_at = $now WHERE ended_at IS NULL AND id IN (\n"+currentAlerts+
			"SELECT a.id FROM alert a ANTI JOIN current c USING (kind, subject_id) WHERE a.ended_at IS NULL)", append(args, named("now", t.now))...)
		if err != nil {
			return err
		}
		if _, err := t.Exec(ctx, alertForget); err != nil {
			return err
		}
		if began > 0 && isTold {
			t.onCommit(s.watchers.notifyDue)
		}
		return nil
	})
}

// UntoldAlerts returns at most limit notices that a receiver outside is to be told, those that wait longest first, and when
// each is to be told.
func (s *Store) UntoldAlerts(ctx context.Context, limit int) (notices []*coupon.AlertNotice, times []time.Time, err error) {
	notices, err = duckdb.Collect(ctx, s.engine, alertUntold, func(rows *sql.Rows) (*coupon.AlertNotice, error) {
		var number, subject int64
		var tellAt time.Time
		n := &coupon.AlertNotice{}
		err := rows.Scan(&number, &n.Kind, &subject, &n.At, &n.Text, &n.BeganAt, &n.Attempts, &tellAt)
		n.Number, n.ID = number, fmt.Sprintf("%s-alert-%d", s.id, number)
		n.SetSubject(coupon.NewID(n.Kind.SubjectKind(), subject))
		times = append(times, tellAt)
		return n, err
	}, named("limit", limit))
	return notices, times, err
}

// SettleAlert records what came of telling a notice: when it is done, nobody is told of it again; else it is told at an
// instant.
func (s *Store) SettleAlert(ctx context.Context, notice *coupon.AlertNotice, retryAt time.Time, isDone bool) error {
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		if !isDone {
			_, err := t.Exec(ctx, alertPostpone, named("id", notice.Number), named("attempts", notice.Attempts+1), named("tell_at", retryAt))
			return err
		}
		if _, err := t.Exec(ctx, alertTold, named("id", notice.Number)); err != nil {
			return err
		}
		_, err := t.Exec(ctx, alertForget)
		return err
	})
}
