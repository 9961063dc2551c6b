package db

import (
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"

	"couponql/coupon"
)

const (
	// maxRecent is how many codes, and how many recipients, are kept that were read lately: 160 pages of 100, in some 10 MB.
	maxRecent = 16_000
	// maxRecentAttributes is how many bytes of attributes a recipient has at the most who is kept.
	maxRecentAttributes = 1024
)

// recent keeps what was read lately of codes and recipients: pages are asked for again and again. Whatever is found there is
// as it is in the rows: the state of a code tells whether anything happened to it since, and what no state tells (a recipient
// was changed or erased, a redemption was reversed) empties it in the commit.
type recent struct {
	codes      *lru.Cache[int64, *knownCode]
	recipients *lru.Cache[int64, *coupon.Recipient]
}

// allReversals stands for the reversals of redemptions together.
const allReversals = coupon.ID("reversals")

func newRecent() (*recent, error) {
	codes, err := lru.New[int64, *knownCode](maxRecent)
	if err != nil {
		return nil, fmt.Errorf("keep codes: %w", err)
	}
	recipients, err := lru.New[int64, *coupon.Recipient](maxRecent)
	if err != nil {
		return nil, fmt.Errorf("keep recipients: %w", err)
	}
	return &recent{codes: codes, recipients: recipients}, nil
}

// forget empties what may not be so any more when something changed. The pool is locked.
func (r *recent) forget(changed coupon.ID) {
	switch changed {
	case allRecipients:
		r.codes.Purge()
		r.recipients.Purge()
	case allReversals:
		r.codes.Purge()
	}
}

// recall fills in what the rows said of a code when it was read last, if nothing happened to it since. The lock is held.
func (p *pool) recall(number int64, code *knownCode) bool {
	kept, isKept := p.recent.codes.Get(number)
	if !isKept || kept.state != code.state || !equal(kept.DeliveryID, code.DeliveryID) || p.isRepeated(number) {
		return false
	}
	code.Value, code.MessageID, code.RecipientID, code.Address = kept.Value, kept.MessageID, kept.RecipientID, kept.Address
	code.SentAt, code.RedeemedAt, code.VoidedAt = kept.SentAt, kept.RedeemedAt, kept.VoidedAt
	return true
}

// isRepeated tells whether a code is redeemed more than once: its state does not change with each time. The lock is held.
func (p *pool) isRepeated(number int64) bool {
	_, isRepeated := p.repeats[number]
	return isRepeated
}

// keepCodes keeps codes that were read, unless something changed meanwhile that no state tells.
func (p *pool) keepCodes(read *described) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.wasTouched(read.revision, allRecipients, allReversals) {
		return
	}
	for _, number := range read.missing {
		if code := read.codes[number]; code.isWhole() && !p.isRepeated(number) {
			kept := *code
			p.recent.codes.Add(number, &kept)
		}
	}
}

// isWhole tells whether there is a row for all that memory says of the code: a redemption is marked there before it is on
// disk.
func (c *knownCode) isWhole() bool {
	isThere := func(state coupon.CodeState, hasRow bool) bool { return hasRow || !c.state.Has(state) }
	return c.Value != "" && isThere(coupon.StateAssigned, c.MessageID != nil) && isThere(coupon.StateSent, c.SentAt != nil) &&
		isThere(coupon.StateRedeemed, c.RedeemedAt != nil) && isThere(coupon.StateVoided, c.VoidedAt != nil)
}

// recallRecipients gives those of the recipients who are kept, the numbers of the others, and the revision that keepRecipients
// wants for these.
func (p *pool) recallRecipients(numbers []int64) (found map[coupon.ID]*coupon.Recipient, missing []int64, revision int64) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	found = make(map[coupon.ID]*coupon.Recipient, len(numbers))
	for _, number := range numbers {
		kept, isKept := p.recent.recipients.Get(number)
		if !isKept {
			missing = append(missing, number)
			continue
		}
		recipient := *kept
		found[recipient.ID] = &recipient
	}
	return found, missing, p.revisions.last
}

// keepRecipients keeps those found of the recipients who were missing at a revision, unless any changed meanwhile.
func (p *pool) keepRecipients(found map[coupon.ID]*coupon.Recipient, missing []int64, revision int64) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.wasTouched(revision, allRecipients) {
		return
	}
	for _, number := range missing {
		if r := found[coupon.NewID(coupon.KindRecipient, number)]; r != nil && len(r.Attributes) <= maxRecentAttributes {
			kept := *r
			p.recent.recipients.Add(number, &kept)
		}
	}
}
