package db

import (
	"context"
	"database/sql"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

func scanQuarantine(rows *sql.Rows) (number int64, q *coupon.Quarantine, err error) {
	q = &coupon.Quarantine{}
	err = rows.Scan(&number, &q.Channel, &q.Address, &q.QuarantinedAt, &q.Reason, &q.BounceCount, &q.LastReason)
	return number, q, err
}

// QuarantinedAddresses returns a page of the addresses in quarantine, the latest first; channel and reasons narrow it unless empty.
func (s *Store) QuarantinedAddresses(
	ctx context.Context, channel *coupon.Channel, reasons []coupon.BounceKind, page coupon.Page,
) (*coupon.List[*coupon.Quarantine], error) {
	args := []any{named("channel", optionalText(channel)), named("reason", texts(reasons))}
	return newestPage(ctx, s, page, coupon.KindQuarantine, quarantinePage, quarantineCount, args, s.readQuarantine)
}

func (s *Store) readQuarantine(ctx context.Context, numbers []int64) (map[coupon.ID]*coupon.Quarantine, error) {
	found := make(map[coupon.ID]*coupon.Quarantine, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	err := duckdb.Each(ctx, s.engine, quarantineGet, func(rows *sql.Rows) error {
		number, q, err := scanQuarantine(rows)
		found[coupon.NewID(coupon.KindQuarantine, number)] = q
		return err
	}, named("ids", numbers))
	return found, err
}

// QuarantineOf returns the addresses of each recipient that are in quarantine.
func (s *Store) QuarantineOf(ctx context.Context, recipients []coupon.ID) (map[coupon.ID][]*coupon.Quarantine, error) {
	found := make(map[coupon.ID][]*coupon.Quarantine, len(recipients))
	numbers := numbersOf(coupon.KindRecipient, recipients)
	if len(numbers) == 0 {
		return found, nil
	}
	err := duckdb.Each(ctx, s.engine, withInvisible(quarantineOfRecipients), func(rows *sql.Rows) error {
		number, q, err := scanQuarantine(rows)
		id := coupon.NewID(coupon.KindRecipient, number)
		found[id] = append(found[id], q)
		return err
	}, between(numbers)...)
	return found, err
}

// LiftQuarantine has addresses of a channel written to again, whatever was reported of them before; those that are in no
// quarantine are left alone. It gives how many were lifted. It returns INVALID for no addresses, or more than MaxLiftedAddresses.
func (s *Store) LiftQuarantine(ctx context.Context, channel coupon.Channel, addresses []string) (lifted int, err error) {
	if len(addresses) == 0 || len(addresses) > coupon.MaxLiftedAddresses {
		return 0, coupon.Errorf(coupon.ErrorInvalid, "Give 1 to %d addresses, not %d.", coupon.MaxLiftedAddresses, len(addresses)).
			At("input", "addresses")
	}
	forms := make([]string, len(addresses))
	for i, address := range addresses {
		forms[i] = sendForm(channel, address, s.options.DefaultRegion)
	}
	leave, err := s.recipients.Enter(ctx)
	if err != nil {
		return 0, s.cutOff(err)
	}
	defer leave()
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		lifted, err = t.Exec(ctx, quarantineLift, named("channel", string(channel)), named("addresses", forms), named("now", t.now))
		if lifted > 0 {
			t.touch(memory.Quarantine)
		}
		return err
	})
	return lifted, err
}
