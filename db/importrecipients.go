package db

import (
	"context"
	"encoding/json"
	"fmt"

	"couponql/coupon"
	"couponql/db/duckdb/memory"
	"couponql/file"
)

// Places of the fields in file.Columns.
const (
	recipientsExternalID = iota
	recipientsEmail
	recipientsPhone
	recipientsFirstName
	recipientsLastName
	recipientsContactable
)

func (r *importReader) importingRecipients(gate gate) (*importing, error) {
	rows, err := r.store.newRecipientRows()
	if err != nil {
		return nil, err
	}
	var added, changed int
	return &importing{
		rows: rows,
		take: func(row *file.Row) error {
			changes, reason, value, err := recipientOf(row)
			if err != nil {
				return err
			}
			if reason == "" {
				reason, _, value = changes.Clean()
			}
			if reason != "" {
				return rows.reject(row.Line, reason, value)
			}
			return rows.put(row.Line, changes)
		},
		lane: r.store.recipients,
		store: func(ctx context.Context, t *tx, _ *memory.Witness) (err error) {
			added, changed, err = t.upsertRecipients(ctx, rows, gate)
			return err
		},
		finish: func(context.Context, *turn, *memory.Witness) (int, error) {
			r.source.Changes.Added, r.source.Changes.Changed = added, changed
			return added + changed, nil
		},
	}, nil
}

// recipientOf reads a row; columns that are no field of a recipient are attributes.
func recipientOf(row *file.Row) (changes *coupon.RecipientChanges, reason coupon.RejectionReason, value string, err error) {
	changes = &coupon.RecipientChanges{ExternalID: row.Get(recipientsExternalID)}
	for place, change := range map[int]*coupon.Change[string]{
		recipientsEmail: &changes.Email, recipientsPhone: &changes.Phone, recipientsFirstName: &changes.FirstName, recipientsLastName: &changes.LastName,
	} {
		if row.Has(place) {
			*change = coupon.Set(new(row.Get(place)))
		}
	}
	if row.Has(recipientsContactable) {
		isContactable, ok := parseFlag(row.Get(recipientsContactable))
		if !ok {
			return nil, coupon.RejectedMalformed, row.Get(recipientsContactable), nil
		}
		changes.IsContactable = coupon.Set(&isContactable)
	}
	attributes := map[string]string{}
	hasAttributes := false
	row.Extra(func(name, value string) {
		hasAttributes = true
		if value != "" {
			attributes[name] = value
		}
	})
	if hasAttributes {
		text, err := json.Marshal(attributes)
		if err != nil {
			return nil, "", "", fmt.Errorf("encode attributes: %w", err)
		}
		changes.Attributes = coupon.Set(new(coupon.JSON(text)))
	}
	return changes, "", "", nil
}
