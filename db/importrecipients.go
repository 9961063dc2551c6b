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
			if changes.IsContactable.IsSet && changes.IsContactable.Value == nil {
				r.source.Warn(coupon.WarningSilentConsent, row.Line, row.Get(recipientsExternalID))
			}
			return rows.put(row.Line, changes)
		},
		lane: r.store.recipients,
		store: func(ctx context.Context, t *tx, _ *memory.Witness) (err error) {
			rows.consentIsSaid = r.hasColumn(file.ContactableColumn)
			added, changed, err = t.upsertRecipients(ctx, rows, gate)
			return err
		},
		finish: func(context.Context, *turn, *memory.Witness) (int, error) {
			r.source.Changes.Added, r.source.Changes.Changed, r.source.Changes.Cleared = added, changed, rows.cleared
			if !rows.consentIsSaid {
				r.source.Tell(coupon.WarningNoConsent, added, file.ContactableColumn)
			}
			return added + changed, nil
		},
	}, nil
}

// recipientOf reads a row; columns that are no field of a recipient are attributes.
func recipientOf(row *file.Row) (changes *coupon.RecipientChanges, reason coupon.RejectionReason, value string, err error) {
	changes = &coupon.RecipientChanges{ExternalID: row.Get(recipientsExternalID)}
	changes.Email, changes.Phone = row.Cell(recipientsEmail).Change(), row.Cell(recipientsPhone).Change()
	changes.FirstName, changes.LastName = row.Cell(recipientsFirstName).Change(), row.Cell(recipientsLastName).Change()
	contactable := row.Cell(recipientsContactable)
	var isKnown bool
	if changes.IsContactable, isKnown = contactable.Flag(); !isKnown {
		return nil, coupon.RejectedBadFlag, contactable.Text, nil
	}
	attributes := map[string]string{}
	row.Extra(func(name string, cell coupon.Cell) {
		switch change := cell.Change(); {
		case !change.IsSet:
		case change.Value == nil:
			changes.Removed = append(changes.Removed, name)
		default:
			attributes[name] = *change.Value
		}
	})
	if len(attributes)+len(changes.Removed) > 0 {
		text, err := json.Marshal(attributes)
		if err != nil {
			return nil, "", "", fmt.Errorf("encode attributes: %w", err)
		}
		changes.Attributes, changes.AttributesAreChanges = coupon.Set(new(coupon.JSON(text))), true
	}
	return changes, "", "", nil
}
