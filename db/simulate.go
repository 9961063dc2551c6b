package db

import (
	"context"
	"errors"

	"couponql/coupon"
)

// maxSimulations is how often a delivery is judged anew whose coupon went away meanwhile.
const maxSimulations = 3

// SimulateDelivery tells what an analysis would say if a delivery had these changes, and only those
// of its targets that match the filter; its Lines are the log. Nothing is held or written, and the
// writer is not kept waiting. It returns NOT_FOUND, INVALID, and INVALID_STATE for a delivery that
// was confirmed.
func (s *Store) SimulateDelivery(
	ctx context.Context,
	id coupon.ID,
	changes *coupon.DeliveryChanges,
	filter *coupon.RecipientFilter,
	check coupon.ContentCheck,
) (*coupon.Analysis, coupon.UserErrors, error) {
	done, err := s.reports.Enter(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	conn, err := s.engine.Connection(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	var analysis *coupon.Analysis
	var problems coupon.UserErrors
	judge := func(_ context.Context, t *tx) error {
		number, d, err := t.delivery(ctx, id)
		if err != nil {
			return at(err, "input", "id")
		}
		if _, err := d.Check(coupon.ActionEdit); err != nil {
			return at(err, "input", "id")
		}
		if err := t.applyDelivery(ctx, d, changes); err != nil {
			return err
		}
		var content coupon.ContentFindings
		analysis, content, err = t.simulate(ctx, number, d, filter, check)
		problems = content.Problems
		return err
	}
	for range maxSimulations {
		err = s.transact(ctx, conn, judge, func(t *tx) error { return t.DropTemporary(ctx) })
		if !errors.Is(err, errRival) {
			break
		}
	}
	return analysis, problems, err
}

func (t *tx) simulate(
	ctx context.Context,
	number int64,
	d *coupon.Delivery,
	filter *coupon.RecipientFilter,
	check coupon.ContentCheck,
) (*coupon.Analysis, coupon.ContentFindings, error) {
	if filter != nil {
		if err := t.choosePeople(ctx, nil, filter); err != nil {
			return nil, coupon.ContentFindings{}, err
		}
	}
	found, err := t.analyze(ctx, number, d, check,
		&analysisPlan{isSimulation: true, onlyChosen: filter != nil})
	if err != nil {
		return nil, coupon.ContentFindings{}, err
	}
	found.analysis.Lines = make([]*coupon.LogEntry, len(found.lines))
	for i := range found.lines {
		found.analysis.Lines[i] = &found.lines[i]
	}
	return found.analysis, found.content, nil
}
