package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

const (
	// postInterval is how long redemptions and claims lie in the journal before they are posted,
	// when nothing keeps them from it, and postRows how many of them and entries of the audit log
	// are posted at once: who reads a view reads them as JSON.
	postInterval = 250 * time.Millisecond
	postRows     = 2000
	// postRetry is how long it takes until posting is tried again.
	postRetry = time.Second
)

// journal writes down what a group of small requests decided, in one row that is on disk at once,
// and posts it to the tables soon after: the engine takes three times as long for rows in these.
// Views have both, so that nobody who reads has to wait for it, or to know.
type journal struct {
	store *Store
	// insert is of the writer's connection, planned once.
	insert *sql.Stmt
	// posting is the connection of the goroutine that posts.
	posting *sql.Conn
	// held: its rows are being posted.
	held sync.Mutex
	// rows counts the redemptions and entries that were written since the last posting began.
	rows atomic.Int64
	// written: there is something to post. isLong: as much as should be posted at once.
	written, isLong chan struct{}
	closing         chan struct{}
	done            chan struct{}
}

// newJournal begins to post what is in the journal, and what is written there through the writer's
// connection.
func newJournal(ctx context.Context, s *Store, writing *sql.Conn) (*journal, error) {
	posting, err := s.engine.Connection(ctx)
	if err != nil {
		return nil, err
	}
	insert, err := writing.PrepareContext(ctx, journalInsert)
	if err != nil {
		return nil, errors.Join(duckdb.StorageError(duckdb.Title(journalInsert), err),
			posting.Close())
	}
	j := &journal{
		store: s, insert: insert, posting: posting, written: make(chan struct{}, 1),
		isLong:  make(chan struct{}, 1),
		closing: make(chan struct{}), done: make(chan struct{}),
	}
	// A crash may have left something.
	j.wake()
	s.background(func() error {
		j.run(context.WithoutCancel(ctx))
		return nil
	})
	return j, nil
}

// close posts the rest. Nobody may write any more.
func (j *journal) close() {
	close(j.closing)
	<-j.done
	// Closing the database tells what matters.
	_ = j.insert.Close()
	_ = j.posting.Close()
}

// wake has what was written posted.
func (j *journal) wake() { signal(j.written) }

// add counts what was written, and has it posted.
func (j *journal) add(rows int) {
	if j.rows.Add(int64(rows)) >= postRows {
		signal(j.isLong)
	}
	j.wake()
}

// run posts what was written, until close was called: all that came within postInterval together,
// or sooner when it is much.
func (j *journal) run(ctx context.Context) {
	defer close(j.done)
	for isOpen := true; isOpen; {
		select {
		case <-j.written:
		case <-j.closing:
		}
		select {
		case <-time.After(postInterval):
		case <-j.isLong:
		case <-j.closing:
			isOpen = false
		}
		j.rows.Store(0)
		// What could not be posted stays in the journal, where everybody sees it: the disk is full,
		// which those who write are told, or the engine failed, which Failed tells.
		if j.post(ctx) != nil {
			s := j.store
			s.later(postRetry, func() error {
				j.wake()
				return nil
			})
		}
	}
}

// write brings the redemptions of a group to the disk in a row of the journal, with its entries of
// the audit log and those that wait. No transaction stays open: the row is there, or it is not.
func (j *journal) write(ctx context.Context, g *group) error {
	if err := j.store.engine.CheckDisk(g.reserve); err != nil {
		return err
	}
	entries := g.takeEntries()
	row, err := journalRow(g.now, g.redemptions, g.claims, entries)
	if err != nil {
		return err
	}
	if _, err := j.insert.ExecContext(ctx, row...); err != nil {
		err = duckdb.StorageError(duckdb.Title(journalInsert), err)
		if errors.Is(err, duckdb.ErrMemory) {
			// It came to no commit.
			return err
		}
		return j.store.engine.Fail(err)
	}
	j.add(len(g.redemptions) + len(g.claims) + len(entries))
	return nil
}

// appendAudit writes the entries of a transaction, and those that wait, into the journal as part of
// the transaction.
func (t *tx) appendAudit(ctx context.Context) error {
	entries := t.takeEntries()
	if len(entries) == 0 {
		return nil
	}
	row, err := journalRow(t.now, nil, nil, entries)
	if err != nil {
		return err
	}
	if err := t.Append(ctx, journalInsert, row...); err != nil {
		return err
	}
	t.onCommit(func() { t.store.writer.journal.add(len(entries)) })
	return nil
}

// journalRow returns the parameters of journalInsert.
func journalRow(
	now time.Time, redemptions []*redemptionRow, claims []*claimRow, entries []*auditRow,
) ([]any, error) {
	record, err := json.Marshal(journalRecord{
		Redemptions: redemptions, Claims: claims, AuditEntries: entries,
	})
	if err != nil {
		return nil, fmt.Errorf("write a record of the journal: %w", err)
	}
	return []any{named("now", now), named("record", string(record))}, nil
}

// post moves what is in the journal to the tables, in one transaction: each of its statements sees
// the journal as it was when it began.
func (j *journal) post(ctx context.Context) error {
	release := j.hold()
	defer release()
	return j.store.transact(ctx, j.posting,
		func(ctx context.Context, t *tx) error { return t.postJournal(ctx) }, (*tx).finish)
}

// hold keeps others from posting until release is called. Who posts in a turn, since rows of the
// journal cannot be changed, holds the journal before the turn begins: its transaction would not
// see what was posted since, and post it again.
func (j *journal) hold() (release func()) {
	j.held.Lock()
	return j.held.Unlock
}

// postJournal moves what is in the journal to the tables. The caller holds the journal.
func (t *tx) postJournal(ctx context.Context) error {
	for _, statement := range []string{
		journalPostRedemptions, journalPostClaims, journalPostAuditEntries, journalClear,
	} {
		if err := t.Append(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// journalRecord is what a row of the journal has, as JSON.
type journalRecord struct {
	Redemptions  []*redemptionRow `json:"redemptions,omitempty"`
	Claims       []*claimRow      `json:"claims,omitempty"`
	AuditEntries []*auditRow      `json:"auditEntries,omitempty"`
}

// redemptionRow is a redemption as the view redemption reads it.
type redemptionRow struct {
	ID         int64      `json:"id"`
	CouponID   int64      `json:"coupon"`
	CodeID     int64      `json:"code,omitempty"`
	DeliveryID *int64     `json:"delivery,omitempty"`
	Channel    *string    `json:"channel,omitempty"`
	Label      *string    `json:"label,omitempty"`
	AssignedAt *time.Time `json:"assigned,omitempty"`
	// RedeemedAt is nil for one that is recorded when it happens.
	RedeemedAt     *time.Time      `json:"redeemed,omitempty"`
	Reference      *string         `json:"reference,omitempty"`
	Amount         *coupon.Decimal `json:"amount,omitempty"`
	Currency       *string         `json:"currency,omitempty"`
	IdempotencyKey *string         `json:"key,omitempty"`
	Caller         string          `json:"caller,omitempty"`
	Store          *string         `json:"store,omitempty"`
	Customer       *string         `json:"customer,omitempty"`
}

// claimRow is a claim as the views claim and holding read it.
type claimRow struct {
	ID             int64   `json:"id"`
	CouponID       int64   `json:"coupon"`
	CodeID         int64   `json:"code"`
	RecipientID    int64   `json:"recipient"`
	Label          *string `json:"label,omitempty"`
	Channel        *string `json:"channel,omitempty"`
	IdempotencyKey *string `json:"key,omitempty"`
	Caller         string  `json:"caller"`
}

// auditRow is an entry of the audit log as the view audit_entry reads it.
type auditRow struct {
	ID        int64     `json:"id"`
	AtTime    time.Time `json:"happened"`
	Caller    string    `json:"caller"`
	Role      string    `json:"role"`
	Address   string    `json:"address"`
	Kind      string    `json:"kind"`
	Action    string    `json:"action"`
	Input     string    `json:"input"`
	Outcome   string    `json:"outcome"`
	Errors    string    `json:"errors"`
	RequestID string    `json:"request"`
}
