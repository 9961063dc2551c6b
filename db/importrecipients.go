package db

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

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
	_ // who may be contacted is said by all columns of the row together
	recipientsAttributes
)

func (r *importReader) importingRecipients(gate gate) (*importing, error) {
	rows, err := r.store.newRecipientRows()
	if err != nil {
		return nil, err
	}
	var added, changed, pending int
	return &importing{
		rows: rows,
		take: func(row *file.Row) error {
			consent, odd, isUnderstood := row.Consent()
			if !isUnderstood {
				return rows.reject(row.Line, coupon.RejectedBadFlag, odd)
			}
			changes, reason, value, err := recipientOf(row, &consent)
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
			if guess := consent.Guess(); guess != "" {
				r.source.Warn(coupon.WarningGuessedOptOut, row.Line, guess)
			}
			return rows.put(row.Line, changes)
		},
		lane: r.store.recipients,
		store: func(ctx context.Context, t *tx, _ *memory.Witness) (err error) {
			pending = 0
			rows.consentIsSaid = r.hasColumn(file.ContactableColumn)
			if added, changed, err = t.upsertRecipients(ctx, rows, gate); err != nil || changed == 0 {
				return err
			}
			pending, err = t.countPending(ctx, recipientPendingStaged)
			return err
		},
		finish: func(context.Context, *turn, *memory.Witness) (int, error) {
			r.source.Changes.Added, r.source.Changes.Changed, r.source.Changes.Cleared = added, changed, rows.cleared
			r.source.Changes.PendingMessages = pending
			if !rows.consentIsSaid {
				r.source.Tell(coupon.WarningNoConsent, rows.unasked, file.ContactableColumn)
			}
			return added + changed, nil
		},
	}, nil
}

// recipientOf reads a row; columns that are no field of a recipient are attributes.
func recipientOf(
	row *file.Row, consent *coupon.Consent,
) (changes *coupon.RecipientChanges, reason coupon.RejectionReason, value string, err error) {
	changes = &coupon.RecipientChanges{ExternalID: row.Get(recipientsExternalID)}
	changes.Email, changes.Phone = row.Cell(recipientsEmail).Change(), row.Cell(recipientsPhone).Change()
	changes.FirstName, changes.LastName = row.Cell(recipientsFirstName).Change(), row.Cell(recipientsLastName).Change()
	changes.IsContactable = consent.Change()
	object := row.Cell(recipientsAttributes)
	var all coupon.JSON
	if object.Presence == coupon.Given {
		var isObject bool
		if all, isObject = coupon.ParseJSON(object.Text); !isObject {
			return nil, coupon.RejectedBadJSON, object.Text, nil
		}
	}
	var few [8]attribute
	attributes := few[:0]
	row.Extra(func(name string, cell coupon.Cell) {
		switch change := cell.Change(); {
		case !change.IsSet:
		case change.Value == nil:
			changes.Removed = append(changes.Removed, name)
		default:
			attributes = append(attributes, attribute{name, *change.Value})
		}
	})
	if len(attributes)+len(changes.Removed) > 0 {
		text, err := objectOf(attributes)
		if err != nil {
			return nil, "", "", fmt.Errorf("encode attributes: %w", err)
		}
		changes.Attributes, changes.AttributesAreChanges = coupon.Set(new(coupon.JSON(text))), true
	}
	if (object.Presence == coupon.Null || object.Presence == coupon.Nothing) && !changes.Attributes.IsSet {
		changes.Attributes = coupon.Set[coupon.JSON](nil)
	}
	if object.Presence == coupon.Given {
		// A column of its own says it once more.
		if changes.Attributes.Value != nil {
			if all, _, err = all.Merge(*changes.Attributes.Value, changes.RemovedText()); err != nil {
				return nil, coupon.RejectedBadJSON, object.Text, nil //nolint:nilerr // it is what the file has
			}
		}
		changes.Attributes, changes.AttributesAreChanges = coupon.Set(&all), true
	}
	return changes, "", "", nil
}

// attribute is one of a recipient.
type attribute struct{ name, value string }

// objectOf returns attributes as json.Marshal gives a map of them: in the order of their names, the last one of a name. An import
// makes one for each row, which a map makes several times as slow.
func objectOf(attributes []attribute) ([]byte, error) {
	slices.SortStableFunc(attributes, func(a, b attribute) int { return strings.Compare(a.name, b.name) })
	object := []byte{'{'}
	for i, a := range attributes {
		if i+1 < len(attributes) && attributes[i+1].name == a.name {
			continue
		}
		if len(object) > 1 {
			object = append(object, ',')
		}
		var err error
		if object, err = appendText(object, a.name); err != nil {
			return nil, err
		}
		if object, err = appendText(append(object, ':'), a.value); err != nil {
			return nil, err
		}
	}
	return append(object, '}'), nil
}

// appendText appends a text as JSON. Most have nothing to escape.
func appendText(object []byte, text string) ([]byte, error) {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || strings.IndexByte(`"\<>&`, c) >= 0 {
			escaped, err := json.Marshal(text)
			return append(object, escaped...), err
		}
	}
	return append(append(append(object, '"'), text...), '"'), nil
}
