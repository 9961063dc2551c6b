package db

import (
	"context"
	"database/sql"
	"slices"
	"sync"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

const (
	// maxDraft is how many messages a draft has at the most: it is memory that is held until it is used.
	maxDraft = 2_000_000
	// draftDuration is how long a draft is kept: who confirms later than that waits as if there were none.
	draftDuration = time.Hour
)

// draft is what an analysis leaves for the confirmation: the messages of a delivery as they would be written, but for their
// codes. It is kept as long as nothing was touched that it relies on, so that it is right whenever it is found.
type draft struct {
	// conn has the temporary table draft.
	conn     *sql.Conn
	delivery coupon.ID
	reliesOn []memory.Topic
	// messages is nil as long as nothing is drafted.
	messages *preparedMessages
	uses     coupon.RecipientFields
	// isKept: it outlives its preparation. Only preparations use this, of which one runs at a time.
	isKept bool
	expiry *time.Timer
}

// drafts keeps the one draft that there is memory for.
type drafts struct {
	mu   sync.Mutex
	kept *draft
}

// keep keeps a draft until it is taken, outdated or expired.
func (d *drafts) keep(one *draft) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept = one
}

// take returns the draft and keeps it no longer; nil when there is none.
func (d *drafts) take() *draft { return d.takeIf(func(*draft) bool { return true }) }

// outdate takes the draft when it relies on what changed.
func (d *drafts) outdate(changed memory.Topic) *draft {
	return d.takeIf(func(kept *draft) bool { return slices.Contains(kept.reliesOn, changed) })
}

// expire frees a draft unless somebody took it.
func (d *drafts) expire(one *draft) {
	d.takeIf(func(kept *draft) bool { return kept == one }).free()
}

func (d *drafts) takeIf(isWanted func(*draft) bool) *draft {
	d.mu.Lock()
	defer d.mu.Unlock()
	kept := d.kept
	if kept == nil || !isWanted(kept) {
		return nil
	}
	d.kept = nil
	return kept
}

// draftFor returns the draft of a delivery that is to be confirmed, or else an empty one. What was drafted for anything else
// is freed.
func (s *Store) draftFor(ctx context.Context, id coupon.ID, action coupon.DeliveryAction) (*draft, error) {
	kept := s.drafts.take()
	if kept != nil && kept.delivery == id && action == coupon.ActionConfirm {
		kept.isKept = false
		return kept, nil
	}
	kept.free()
	conn, err := s.engine.Connection(ctx)
	if err != nil {
		return nil, err
	}
	return &draft{conn: conn, delivery: id}, nil
}

// free gives the connection back, and the memory with it. Nothing is freed where there is no draft.
func (d *draft) free() {
	if d == nil {
		return
	}
	if d.messages == nil {
		_ = d.conn.Close()
		return
	}
	d.expiry.Stop()
	duckdb.Discard(d.conn)
}

// createDraft drafts the prepared messages of a delivery.
func (t *tx) createDraft(ctx context.Context, d *coupon.Delivery, uses coupon.RecipientFields) error {
	return t.Create(
		ctx,
		draftCreate,
		// Senders of other channels name the recipient by the caller's own id; see Batch.NameRecipients.
		named("uses_external_id", uses.ExternalID || d.Channel != coupon.ChannelEmail),
		named("uses_email", uses.Email),
		named("uses_phone", uses.Phone),
		named("uses_first_name", uses.FirstName),
		named("uses_last_name", uses.LastName),
		named("uses_attributes", uses.Attributes),
	)
}

// keepDraft leaves what is drafted to the confirmation, once the transaction is on disk.
func (t *turn) keepDraft(d *coupon.Delivery, messages *preparedMessages, uses coupon.RecipientFields) {
	t.change(func(memory.Change) {
		kept := t.draft
		kept.messages, kept.uses, kept.isKept = messages, uses, true
		kept.reliesOn = append(reliedOn(d), memory.Quarantine)
		kept.expiry = t.store.later(draftDuration, func() error {
			t.store.drafts.expire(kept)
			return nil
		})
		t.store.drafts.keep(kept)
	})
}

// drafted returns what an earlier analysis drafted, or nil when it drafted nothing, or not all that the templates use.
func (t *tx) drafted(uses coupon.RecipientFields) *preparedMessages {
	if t.draft == nil || t.draft.messages == nil || t.draft.uses != uses {
		return nil
	}
	return t.draft.messages
}
