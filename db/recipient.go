package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// The bits that tell which fields of a recipient were given; see recipient_update.sql.
const (
	givenEmail = 1 << iota
	givenPhone
	givenFirstName
	givenLastName
	givenAttributes
	givenContactable
	givenChanges // The attributes are changes.
	givenCountry
)

// recipientRows are recipients on their way into the table.
type recipientRows struct {
	rows     *duckdb.Spool
	rejected rejectedSpool
	// region is where phone numbers are from that do not say so.
	region string
	// mixed: of some, either a phone that needs a country or the attributes that may have it were
	// given.
	mixed bool
	// consentIsSaid: the rows say who may be contacted, so that who is new and of whom they say
	// nothing may not be.
	consentIsSaid bool
	// hasConsent: some rows say who may be contacted. unasked is how many were, or would be, added
	// of whom nothing says it.
	hasConsent bool
	unasked    int
	// haveChanges: the attributes of some are changes. clears: some rows remove values. cleared is
	// how many values of known recipients are, or would be, removed.
	haveChanges, clears bool
	cleared             int
}

func (s *Store) newRecipientRows() (*recipientRows, error) {
	spools, err := s.engine.NewSpools(2)
	if err != nil {
		return nil, err
	}
	return &recipientRows{
		rows: spools[0], rejected: rejectedSpool{spools[1]}, region: s.options.DefaultRegion,
	}, nil
}

// reject notes a row that is not imported.
func (r *recipientRows) reject(line int, reason coupon.RejectionReason, value string) error {
	return r.rejected.add(line, reason, value)
}

// rejections is how many rows are rejected already.
func (r *recipientRows) rejections() int { return r.rejected.Rows() }

// total is how many rows there are, with those that are rejected already.
func (r *recipientRows) total() int { return r.rows.Rows() + r.rejected.Rows() }

func (r *recipientRows) remove() error { return errors.Join(r.rows.Remove(), r.rejected.Remove()) }

// put adds a recipient whose fields were cleaned.
func (r *recipientRows) put(line int, c *coupon.RecipientChanges) error {
	given := 0
	forms := r.formsOf(c)
	r.rows.Number(int64(line)).Text(c.ExternalID)
	for i, change := range []coupon.Change[string]{c.Email, c.Phone, c.FirstName, c.LastName} {
		text := ""
		if change.IsSet {
			given |= givenEmail << i
			if change.Value != nil {
				text = *change.Value
			} else {
				r.clears = true
			}
		}
		r.rows.Optional(text)
		if i < len(forms) {
			forms[i].put(r.rows)
		}
	}
	attributes := coupon.EmptyJSON
	if c.Attributes.IsSet {
		given |= givenAttributes
		if c.Attributes.Value != nil {
			attributes = *c.Attributes.Value
		}
	}
	if c.AttributesAreChanges {
		given |= givenChanges
		r.haveChanges = true
	}
	if c.GivesCountry() {
		given |= givenCountry
	}
	// Without the bit it is what a new recipient is.
	isContactable := !c.IsContactable.IsSet
	if c.IsContactable.Value != nil {
		given |= givenContactable
		r.hasConsent = true
		isContactable = *c.IsContactable.Value
	}
	return r.rows.Text(string(attributes)).Optional(c.RemovedText()).
		Text(strconv.FormatBool(isContactable)).Number(int64(given)).End()
}

// formsOf returns the stored forms of the e-mail address and the phone number.
func (r *recipientRows) formsOf(c *coupon.RecipientChanges) [2]storedForm {
	region, needsRegion := r.region, c.Phone.Value != nil && coupon.NeedsRegion(*c.Phone.Value)
	if needsRegion && c.Attributes.Value != nil {
		region = coupon.RegionOf(c.Attributes.Value.Text(coupon.CountryAttribute), r.region)
	}
	if needsRegion && !c.GivesCountry() || c.GivesCountry() && !c.Phone.IsSet {
		r.mixed = true
	}
	return [2]storedForm{
		formOf(coupon.ChannelEmail, c.Email.Value, ""),
		formOf(coupon.ChannelSMS, c.Phone.Value, region),
	}
}

// maxUpdated is how many recipients are changed in place. More of them are written anew: what is
// changed in place is written when it is committed, in the writer's turn.
const maxUpdated = coupon.MaxUpsertedRecipients

// upsertRecipients adds or changes the staged recipients that are not rejected; the rejected ones
// stay in the temporary table. It gives how many were, or would be, added and changed. The caller
// is in the lane of recipients.
func (t *tx) upsertRecipients(ctx context.Context, rows *recipientRows, gate gate) (
	added, changed int, err error,
) {
	if err := t.stage(ctx, recipientStage, rows.rows, rows.rejected); err != nil {
		return 0, 0, err
	}
	rejected, err := t.Exec(ctx, recipientRejectDoubles)
	if err != nil {
		return 0, 0, err
	}
	if changed, err = duckdb.One[int](ctx, t, recipientCountKnown); err != nil {
		return 0, 0, err
	}
	count := rows.rows.Rows() - rejected
	added = count - changed
	if changed > 0 {
		large, err := t.mergeRecipients(ctx, rows)
		if err != nil {
			return 0, 0, err
		}
		rejected, count, changed = rejected+large, count-large, changed-large
	}
	if rows.unasked = added; rows.hasConsent && !rows.consentIsSaid {
		if rows.unasked, err = duckdb.One[int](ctx, t, recipientCountUnasked); err != nil {
			return 0, 0, err
		}
	}
	if count == 0 || !gate.opens(rejected+rows.rejected.Rows()) {
		return added, changed, nil
	}
	if err := t.writeRecipients(ctx, rows, added, changed); err != nil {
		return 0, 0, err
	}
	if rows.mixed && changed > 0 {
		if err := t.readdressMixed(ctx); err != nil {
			return 0, 0, err
		}
	}
	t.touch(memory.AllRecipients)
	t.change(func(c memory.Change) { c.AddRecipients(added) })
	return added, changed, nil
}

// writeRecipients changes those of the staged recipients that are known, and adds the others.
func (t *tx) writeRecipients(ctx context.Context, rows *recipientRows, added, changed int) error {
	now := named("now", t.now)
	type step struct {
		statement string
		args      []any
		count     int
	}
	var steps []step
	switch {
	case changed > maxUpdated:
		if err := t.Create(ctx, recipientMerge); err != nil {
			return err
		}
		steps = []step{
			{recipientDeleteMerged, nil, changed}, {recipientInsertMerged, []any{now}, changed},
		}
	case changed > 0:
		steps = []step{{recipientUpdate, []any{now}, changed}}
	}
	if added > 0 {
		steps = append(steps, step{
			recipientInsert,
			[]any{
				named("first_id", t.store.memory.NextRecipient()),
				named("consent_is_said", rows.consentIsSaid), now,
			},
			added,
		})
	}
	for _, step := range steps {
		touched, err := t.Exec(ctx, step.statement, step.args...)
		if err != nil {
			return err
		}
		if touched != step.count {
			return fmt.Errorf("%s: %d instead of %d", duckdb.Title(step.statement),
				touched, step.count)
		}
	}
	return nil
}

// mergeRecipients makes changes of attributes what they are together with those that are known, and
// counts what is removed. It gives how many rows it rejected, whose attributes would be too large.
func (t *tx) mergeRecipients(ctx context.Context, rows *recipientRows) (rejected int, err error) {
	rows.cleared = 0
	if rows.haveChanges {
		if rejected, err = t.mergeAttributes(ctx, rows); err != nil {
			return 0, err
		}
	}
	if !rows.clears {
		return rejected, nil
	}
	cleared, err := duckdb.One[int](ctx, t, recipientCountCleared)
	rows.cleared += cleared
	return rejected, err
}

func (t *tx) mergeAttributes(ctx context.Context, rows *recipientRows) (count int, err error) {
	spools, err := t.store.engine.NewSpools(2)
	if err != nil {
		return 0, err
	}
	merged, rejected := spools[0], rejectedSpool{spools[1]}
	defer func() { err = errors.Join(err, merged.Remove(), rejected.Remove()) }()
	err = duckdb.Each(ctx, t, recipientAttributes, func(found *sql.Rows) error {
		var line int
		var known, changes string
		var removed *string
		if err := found.Scan(&line, &known, &changes, &removed); err != nil {
			return err
		}
		text, cleared, err := coupon.JSON(known).Merge(coupon.JSON(changes), orEmpty(removed))
		if err != nil {
			return err
		}
		if len(text) > coupon.MaxJSONBytes {
			return rejected.add(line, coupon.RejectedTooLong, changes)
		}
		rows.cleared += cleared
		return merged.Number(int64(line)).Text(string(text)).End()
	})
	if err != nil {
		return 0, err
	}
	for _, step := range []struct {
		statement string
		spool     *duckdb.Spool
	}{{recipientAttributesMerge, merged}, {rejectedLoad, rejected.Spool}} {
		path, err := step.spool.Flush()
		if err != nil {
			return 0, err
		}
		if step.spool.Rows() == 0 {
			continue
		}
		if _, err := t.Exec(ctx, step.statement, named("path", path)); err != nil {
			return 0, err
		}
	}
	return rejected.Rows(), nil
}

// UpsertRecipients adds recipients, or changes those with a known external id: all of them or none.
// It gives them in their order. It returns INVALID for fields that cannot be kept, for an external
// id given twice, and for more than MaxUpsertedRecipients.
func (s *Store) UpsertRecipients(ctx context.Context, recipients []*coupon.RecipientChanges) (
	kept []*coupon.Recipient, err error,
) {
	if len(recipients) > coupon.MaxUpsertedRecipients {
		return nil, coupon.Errorf(
			coupon.ErrorInvalid, "Give at most %d recipients, not %d; importRecipients takes more.",
			coupon.MaxUpsertedRecipients, len(recipients),
		).
			At("input", "recipients")
	}
	rows, err := s.newRecipientRows()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.remove()) }()
	var problems coupon.UserErrors
	seen := make(map[string]int, len(recipients))
	for i, changes := range recipients {
		place := strconv.Itoa(i)
		if reason, field, _ := changes.Clean(); reason != "" {
			problems = append(problems, coupon.Errorf(coupon.ErrorInvalid, "%s",
				reason.Message()).At("input", "recipients", place, field))
			continue
		}
		if first, isDouble := seen[changes.ExternalID]; isDouble {
			problems = append(
				problems,
				coupon.Errorf(
					coupon.ErrorInvalid, "The external id %q was given before, at position %d.",
					changes.ExternalID, first,
				).
					At("input", "recipients", place, "externalId"),
			)
			continue
		}
		seen[changes.ExternalID] = i
		if err := rows.put(i, changes); err != nil {
			return nil, err
		}
	}
	if err := problems.OrNil(); err != nil || len(recipients) == 0 {
		return []*coupon.Recipient{}, err
	}
	leave, err := s.recipients.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var numbers []int64
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		if _, _, err := t.upsertRecipients(ctx, rows, gate{}); err != nil {
			return err
		}
		numbers, err = duckdb.Collect(ctx, t, recipientStagedIDs, duckdb.ScanInto[int64])
		return err
	})
	if err != nil {
		return nil, err
	}
	found, err := s.readRecipients(ctx, numbers)
	return inOrder(found, coupon.KindRecipient, numbers), err
}

func (s *Store) readRecipients(ctx context.Context, numbers []int64) (
	map[coupon.ID]*coupon.Recipient, error,
) {
	found, missing, revision := s.memory.RecallRecipients(numbers)
	wanted := make(map[int64]struct{}, len(missing))
	for _, number := range missing {
		wanted[number] = struct{}{}
	}
	err := s.readPoints(ctx, recipientGet, "id", missing, func(rows *sql.Rows) error {
		var number int64
		var attributes string
		var r coupon.Recipient
		err := rows.Scan(&number, &r.ExternalID, &r.Email, &r.Phone, &r.FirstName, &r.LastName,
			&attributes, &r.IsContactable, &r.ErasedAt)
		if _, isWanted := wanted[number]; isWanted {
			r.ID, r.Attributes = coupon.NewID(coupon.KindRecipient, number), coupon.JSON(attributes)
			found[r.ID] = &r
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.memory.KeepRecipients(found, missing, revision)
	return found, nil
}

// RecipientsByID returns the recipients that exist of these.
func (s *Store) RecipientsByID(ctx context.Context, ids []coupon.ID) (
	map[coupon.ID]*coupon.Recipient, error,
) {
	return s.readRecipients(ctx, numbersOf(coupon.KindRecipient, ids))
}

// RecipientByExternalID returns the recipient with the caller's own id, or nil.
func (s *Store) RecipientByExternalID(ctx context.Context, externalID string) (
	*coupon.Recipient, error,
) {
	numbers, err := duckdb.Collect(ctx, s.engine, recipientByExternalID, duckdb.ScanInto[int64],
		named("external_id", coupon.CleanValue(externalID)))
	if err != nil || len(numbers) == 0 {
		return nil, err
	}
	found, err := s.readRecipients(ctx, numbers)
	return found[coupon.NewID(coupon.KindRecipient, numbers[0])], err
}

// Recipients returns a page of recipients in the order of their numbers. It returns INVALID for a
// filter that asks for too much.
func (s *Store) Recipients(ctx context.Context, filter *coupon.RecipientFilter, page coupon.Page) (
	*coupon.List[*coupon.Recipient], error,
) {
	where, args, err := s.recipientCondition(ctx, filter)
	if err != nil {
		return nil, err
	}
	list := &coupon.List[*coupon.Recipient]{}
	if page.WantsTotal {
		if list.Total, err = duckdb.One[int](ctx, s.engine, recipientCount+where,
			args...); err != nil {
			return nil, err
		}
	}
	if !page.WantsItems {
		return list, nil
	}
	after := int64(0)
	if page.After != nil {
		after = page.After.Number
	}
	numbers, err := duckdb.Collect(ctx, s.engine,
		recipientPage+where+" AND id > $after ORDER BY id LIMIT $limit", duckdb.ScanInto[int64],
		append(args, named("after", after), named("limit", page.First+1))...)
	if err != nil {
		return nil, err
	}
	if list.HasNext = len(numbers) > page.First; list.HasNext {
		numbers = numbers[:page.First]
	}
	found, err := s.readRecipients(ctx, numbers)
	list.Items, list.Cursors = inOrder(found, coupon.KindRecipient, numbers), cursorsOf(numbers)
	return list, err
}

// RecipientCodes returns a page of the codes that each recipient holds, in the order of their
// numbers. wanted is as for CodesByID.
func (s *Store) RecipientCodes(
	ctx context.Context, recipients []coupon.ID, page coupon.Page, wanted coupon.CodeState,
) (map[coupon.ID]*coupon.List[*coupon.Code], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: recipients, parentKind: coupon.KindRecipient, page: page, list: recipientCodes,
		count: recipientCodesCount,
	})
	if err != nil {
		return nil, err
	}
	return fillPages(ctx, pages, coupon.KindCode,
		func(ctx context.Context, numbers []int64) (map[coupon.ID]*coupon.Code, error) {
			return s.readCodes(ctx, numbers, wanted)
		})
}
