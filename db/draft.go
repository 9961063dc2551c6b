package db

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"couponql/coupon"
)

const (
	// maxDraft is how many messages a draft has at the most: it is memory that is held until it is used.
	maxDraft = 2_000_000
	// draftDuration is how long a draft is kept: who confirms later than that waits as if there were none.
	draftDuration = time.Hour
)

// draft is what an analysis leaves for the confirmation: the messages of a delivery as they would be written, but for their
// codes. It is in the pool as long as nothing was touched that it relies on, so that it is right whenever it is found there.
type draft struct {
	// conn has the temporary table draft.
	conn     *sql.Conn
	delivery coupon.ID
	reliesOn []coupon.ID
	// messages is nil as long as nothing is drafted.
	messages *preparedMessages
	uses     coupon.RecipientFields
	// isKept: it outlives its preparation. Only preparations use this, of which one runs at a time.
	isKept bool
	expiry *time.Timer
}

// draftFor gives the draft of a delivery that is to be confirmed, or else an empty one. What was drafted for anything else
// is freed: there is memory for one.
func (s *Store) draftFor(ctx context.Context, id coupon.ID, action coupon.DeliveryAction) (*draft, error) {
	kept := s.pool.takeDraft()
	if kept != nil && kept.delivery == id && action == coupon.ActionConfirm {
		kept.isKept = false
		return kept, nil
	}
	kept.free()
	conn, err := s.connection(ctx)
	if err != nil {
		return nil, err
	}
	return &draft{conn: conn, delivery: id}, nil
}

// takeDraft takes the draft out of the pool, or gives nil.
func (p *pool) takeDraft() *draft {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.draft
	p.draft = nil
	return kept
}

// expireDraft frees a draft unless somebody took it.
func (p *pool) expireDraft(d *draft) {
	p.mu.Lock()
	isThere := p.draft == d
	if isThere {
		p.draft = nil
	}
	p.mu.Unlock()
	if isThere {
		d.free()
	}
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
	discard(d.conn)
}

// createDraft drafts the prepared messages of a delivery.
func (t *tx) createDraft(ctx context.Context, d *coupon.Delivery, uses coupon.RecipientFields) error {
	return t.create(
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
	t.changePool(func(p *pool) {
		kept := t.draft
		kept.messages, kept.uses, kept.reliesOn, kept.isKept = messages, uses, reliedOn(d), true
		kept.expiry = t.store.later(draftDuration, func() error {
			p.expireDraft(kept)
			return nil
		})
		p.draft = kept
	})
}

// drafted gives what an earlier analysis drafted, or nil when it drafted nothing, or not all that the templates use.
func (t *tx) drafted(uses coupon.RecipientFields) *preparedMessages {
	if t.draft == nil || t.draft.messages == nil || t.draft.uses != uses {
		return nil
	}
	return t.draft.messages
}

// outdate takes the draft out of the pool when it relies on something that changed, and frees it when the change is on disk:
// what was erased is in no draft any more. The pool is locked.
func (e *effects) outdate(p *pool, id coupon.ID) {
	if p.draft != nil && slices.Contains(p.draft.reliesOn, id) {
		e.onCommit(p.draft.free)
		p.draft = nil
	}
}
