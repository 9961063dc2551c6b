package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// People are recipients that are named by their ids, by a filter, or both.
type People struct {
	IDs    []coupon.ID
	Filter *coupon.RecipientFilter
}

// CreateRecipientList makes a list with a name. isSaved: whoever matches the filter is in it, at
// any time; else those are who are named now. It returns NOT_FOUND and INVALID.
func (s *Store) CreateRecipientList(
	ctx context.Context, label string, people People, isSaved bool,
) (*coupon.RecipientList, error) {
	label, err := listLabel(label)
	if err != nil {
		return nil, err
	}
	var filter any
	if isSaved {
		if filter, err = savedFilter(people); err != nil {
			return nil, err
		}
	}
	var created coupon.ID
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		if err := t.once(ctx); err != nil {
			return err
		}
		number, err := t.nextNumber(ctx, numberOfLists)
		if err != nil {
			return err
		}
		created = coupon.NewID(coupon.KindList, number)
		if err := t.chooseListed(ctx, people); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, listInsert, named("id", number), named("label", label),
			named("filter", filter), named("now", t.now)); err != nil {
			return err
		}
		if !isSaved {
			if _, err := t.Exec(ctx, listAdd, named("id", number)); err != nil {
				return err
			}
		}
		return t.made(ctx, created, nil)
	})
	if before := repeatOf(err); before != nil {
		found, err := s.RecipientListsByID(ctx, []coupon.ID{before.object})
		return there(found, before, err)
	}
	if err != nil {
		return nil, err
	}
	return s.recipientList(ctx, created)
}

// savedFilter returns the text of a filter that is to be kept.
func savedFilter(people People) (string, error) {
	if people.Filter == nil || people.IDs != nil {
		return "", coupon.Errorf(coupon.ErrorInvalid, "A list with isSaved is a filter alone: give filter, and no recipientIds.").
			At("input", "isSaved")
	}
	if err := people.Filter.CheckSaved(); err != nil {
		return "", coupon.Under(err, "input", "filter")
	}
	text, err := json.Marshal(people.Filter)
	if err != nil {
		return "", fmt.Errorf("encode a filter: %w", err)
	}
	return string(text), nil
}

func listLabel(label string) (string, error) {
	label, reason := coupon.CleanLabel(label)
	if label == "" || reason != "" {
		return "", coupon.Errorf(coupon.ErrorInvalid, "Give the list a name of 1 to %d characters.",
			coupon.MaxTextLength).At("input", "label")
	}
	return label, nil
}

// chooseListed makes the temporary table chosen of people for a list.
func (t *turn) chooseListed(ctx context.Context, people People) error {
	if len(people.IDs) > coupon.MaxUpsertedRecipients {
		return coupon.Errorf(coupon.ErrorInvalid, "Give at most %d ids; use a filter for more.",
			coupon.MaxUpsertedRecipients).At("input", "recipientIds")
	}
	return t.choosePeople(ctx, people.IDs, people.Filter)
}

// AddToRecipientList puts people into a list. It returns NOT_FOUND, INVALID, and INVALID_STATE for
// a list that is a filter.
func (s *Store) AddToRecipientList(ctx context.Context, id coupon.ID, people People) (
	*coupon.RecipientList, error,
) {
	return s.changeList(ctx, id, people, listAdd)
}

// RemoveFromRecipientList takes people out of a list; see AddToRecipientList.
func (s *Store) RemoveFromRecipientList(ctx context.Context, id coupon.ID, people People) (
	*coupon.RecipientList, error,
) {
	return s.changeList(ctx, id, people, listRemove)
}

func (s *Store) changeList(
	ctx context.Context, id coupon.ID, people People, statement string,
) (*coupon.RecipientList, error) {
	if people.IDs == nil && people.Filter == nil {
		return nil, coupon.Errorf(coupon.ErrorInvalid,
			"Say whom: recipientIds, or a filter ({} for everybody).").At("input")
	}
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		number, l, err := t.list(ctx, id)
		if err != nil {
			return err
		}
		if l.SavedFilter != nil {
			return coupon.Errorf(coupon.ErrorInvalidState, "The list %q is a saved filter: who matches is in it. Make another list.", l.Label).
				At("input", "id")
		}
		if err := t.chooseListed(ctx, people); err != nil {
			return err
		}
		_, err = t.Exec(ctx, statement, named("id", number))
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.recipientList(ctx, id)
}

// RenameRecipientList gives a list another name. It returns NOT_FOUND and INVALID.
func (s *Store) RenameRecipientList(ctx context.Context, id coupon.ID, label string) (
	*coupon.RecipientList, error,
) {
	label, err := listLabel(label)
	if err != nil {
		return nil, err
	}
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		number, _, err := t.list(ctx, id)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, listRename, named("id", number), named("label", label))
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.recipientList(ctx, id)
}

// DeleteRecipientList deletes a list. Deliveries keep the targets that they have from it. It
// returns NOT_FOUND.
func (s *Store) DeleteRecipientList(ctx context.Context, id coupon.ID) error {
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		number, _, err := t.list(ctx, id)
		if err != nil {
			return err
		}
		for _, statement := range []string{listClear, listDelete} {
			if _, err := t.Exec(ctx, statement, named("id", number)); err != nil {
				return err
			}
		}
		return nil
	})
}

// list reads one list, or gives NOT_FOUND.
func (t *turn) list(ctx context.Context, id coupon.ID) (int64, *coupon.RecipientList, error) {
	number, err := id.Number(coupon.KindList)
	if err != nil {
		return 0, nil, at(err, "input", "id")
	}
	found, err := readLists(ctx, t, []int64{number})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindList, id).At("input", "id")
	}
	return number, found[id], err
}

func (s *Store) recipientList(ctx context.Context, id coupon.ID) (*coupon.RecipientList, error) {
	found, err := s.RecipientListsByID(ctx, []coupon.ID{id})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindList, id)
	}
	return found[id], err
}

func readLists(ctx context.Context, q duckdb.Querier, numbers []int64) (
	map[coupon.ID]*coupon.RecipientList, error,
) {
	found := make(map[coupon.ID]*coupon.RecipientList, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	err := duckdb.Each(ctx, q, listGet, func(rows *sql.Rows) error {
		var number int64
		var filter *string
		var l coupon.RecipientList
		if err := rows.Scan(&number, &l.Label, &filter, &l.CreatedAt); err != nil {
			return err
		}
		l.ID = coupon.NewID(coupon.KindList, number)
		if filter != nil {
			l.SavedFilter = &coupon.RecipientFilter{}
			if err := json.Unmarshal([]byte(*filter), l.SavedFilter); err != nil {
				return fmt.Errorf("decode the filter of %s: %w", l.ID, err)
			}
		}
		found[l.ID] = &l
		return nil
	}, named("ids", numbers))
	return found, err
}

// RecipientListsByID returns the lists that exist of these.
func (s *Store) RecipientListsByID(ctx context.Context, ids []coupon.ID) (
	map[coupon.ID]*coupon.RecipientList, error,
) {
	return readLists(ctx, s.engine, numbersOf(coupon.KindList, ids))
}

// RecipientLists returns a page of lists, newest first.
func (s *Store) RecipientLists(ctx context.Context, page coupon.Page) (
	*coupon.List[*coupon.RecipientList], error,
) {
	return newestPage(ctx, s, page, coupon.KindList, listPage, listCount, nil,
		func(ctx context.Context, numbers []int64) (map[coupon.ID]*coupon.RecipientList, error) {
			return readLists(ctx, s.engine, numbers)
		})
}
