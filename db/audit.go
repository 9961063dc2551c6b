package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

const (
	// auditInterval is how long an entry of the audit log may wait that is about nothing that changed.
	auditInterval = time.Second
	// maxAuditWaiting is how many entries wait; then those who come must see them written first.
	maxAuditWaiting = 10_000
)

// audit has the entries that wait to be appended with the next transaction.
type audit struct {
	mu      sync.Mutex
	waiting []*coupon.AuditEntry
	// isDue: somebody will soon write what waits.
	isDue bool
	// last is the number of the last entry.
	last int64
}

type auditKey struct{}

// Audited is a use case that an entry of the audit log is about, which goes to the disk with the transaction that it is about.
type Audited struct {
	mu    sync.Mutex
	entry *coupon.AuditEntry
	// isTaken: a transaction carries the entry.
	isTaken bool
}

// NewAudited returns a use case that an entry is about.
func NewAudited(entry *coupon.AuditEntry) *Audited { return &Audited{entry: entry} }

// WithAudit returns a context of a use case that an entry of the audit log is about. The first transaction of it that changes
// anything carries the entry, as DONE: both are on disk, or neither.
func WithAudit(ctx context.Context, entry *coupon.AuditEntry) context.Context {
	return WithAudited(ctx, NewAudited(entry))
}

// WithAudited is WithAudit for a use case of which a part may be done already.
func WithAudited(ctx context.Context, a *Audited) context.Context {
	return context.WithValue(ctx, auditKey{}, a)
}

// WithAuditOfEach returns a context for RedeemAll in which each request is a use case of its own: the transaction carries the
// entries of those that it redeems.
func WithAuditOfEach(ctx context.Context, audits []*Audited) context.Context {
	return context.WithValue(ctx, auditKey{}, audits)
}

// AuditedOf returns the use case of a context of WithAudit, nil when there is none.
func AuditedOf(ctx context.Context) *Audited {
	a, _ := ctx.Value(auditKey{}).(*Audited)
	return a
}

// takeOf has the transaction carry the entry of the request with this place in the context of WithAuditOfEach.
func (e *effects) takeOf(ctx context.Context, place int) {
	if audits, ok := ctx.Value(auditKey{}).([]*Audited); ok {
		e.carry(audits[place])
	}
}

// take has the transaction carry the entry of the context of WithAudit.
func (e *effects) take(ctx context.Context) {
	if a, ok := ctx.Value(auditKey{}).(*Audited); ok {
		e.carry(a)
	}
}

// carry has the transaction carry an entry that no other transaction carries. Should the transaction fail, or write nothing,
// the entry is free again.
func (e *effects) carry(a *Audited) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.isTaken {
		return
	}
	a.isTaken = true
	entry := *a.entry
	entry.Outcome = coupon.AuditDone
	e.entries = append(e.entries, &entry)
	e.onFailure(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.isTaken = false
	})
}

// Audit records what came of the use case of a context that WithAudit gave, unless its transaction has recorded the same. That a
// mutation is done is on disk when Audit returns, also when it had nothing to change; what was refused or read is within a
// second.
func (s *Store) Audit(ctx context.Context, outcome coupon.AuditOutcome, codes []coupon.ErrorCode) error {
	a, ok := ctx.Value(auditKey{}).(*Audited)
	if !ok {
		return nil
	}
	a.mu.Lock()
	isRecorded := a.isTaken && outcome == coupon.AuditDone
	a.mu.Unlock()
	if isRecorded {
		return nil
	}
	if outcome == coupon.AuditDone && a.entry.Kind == coupon.AuditMutation {
		// It is done, whether or not its caller has gone.
		return s.join(context.WithoutCancel(ctx), 1, func(g *group) error {
			g.carry(a)
			return nil
		})
	}
	entry := *a.entry
	entry.Outcome, entry.Errors = outcome, codes
	s.audit.mu.Lock()
	s.audit.waiting = append(s.audit.waiting, &entry)
	isFull := len(s.audit.waiting) >= maxAuditWaiting
	if !s.audit.isDue {
		s.audit.isDue = true
		s.later(auditInterval, s.writeAuditSoon)
	}
	s.audit.mu.Unlock()
	if isFull {
		return s.writeAudit(ctx)
	}
	return nil
}

// writeAuditSoon writes what waits, and tries again later when the disk is full.
func (s *Store) writeAuditSoon() error {
	err := s.writeAudit(context.Background())
	s.audit.mu.Lock()
	defer s.audit.mu.Unlock()
	s.audit.isDue = err != nil && len(s.audit.waiting) > 0
	if s.audit.isDue {
		s.later(auditInterval, s.writeAuditSoon)
	}
	return nil
}

// writeAudit brings the entries that wait to the disk.
func (s *Store) writeAudit(ctx context.Context) error {
	s.audit.mu.Lock()
	isEmpty := len(s.audit.waiting) == 0
	s.audit.mu.Unlock()
	if isEmpty {
		return nil
	}
	return s.conclude(ctx, func(_ context.Context, t *turn) error {
		t.reserve = min(t.reserve, minFreeDiskForOutcome)
		// Every transaction that writes takes them along.
		t.HasWritten = true
		return nil
	})
}

// UnrecordedError tells what a closed store could not note on a full disk. Nothing of it was a change: those take their entries
// along.
type UnrecordedError struct {
	// Entries of the audit log are about what was read or refused in the last second, or since the disk is full.
	Entries []*coupon.AuditEntry
	cause   error
}

func (e *UnrecordedError) Error() string {
	return fmt.Sprintf("%d entries of the audit log and the last uses of keys were not written: %v", len(e.Entries), e.cause)
}

func (e *UnrecordedError) Unwrap() error { return e.cause }

// writeLast writes what waited for a better moment, when the store is closed.
func (s *Store) writeLast() error {
	err := errors.Join(s.writeUses(context.Background()), s.writeAudit(context.Background()))
	switch {
	case errors.Is(err, ErrClosed):
		// Closed before: what came since has changed nothing.
		return nil
	case errors.Is(err, ErrDiskFull):
		s.audit.mu.Lock()
		defer s.audit.mu.Unlock()
		return &UnrecordedError{Entries: s.audit.waiting, cause: err}
	}
	return err
}

// takeEntries returns the entries of the transaction and those that wait, with their numbers. Should the transaction fail, they
// wait again; what ends beside the writer may do so when others took the numbers after theirs, which then stay.
func (e *effects) takeEntries() []*auditRow {
	a := &e.store.audit
	a.mu.Lock()
	defer a.mu.Unlock()
	waiting := a.waiting
	a.waiting = nil
	var rows []*auditRow
	before := a.last
	for _, entry := range slices.Concat(waiting, e.entries) {
		a.last++
		codes := make([]string, len(entry.Errors))
		for i, code := range entry.Errors {
			codes[i] = string(code)
		}
		rows = append(rows, &auditRow{
			ID: a.last, AtTime: entry.At, Caller: entry.Caller, Role: string(entry.Role), Address: entry.Address,
			Kind: string(entry.Kind), Action: entry.Action,
			Input: string(entry.Input), Outcome: string(entry.Outcome), Errors: strings.Join(codes, " "), RequestID: entry.RequestID,
		})
	}
	after := a.last
	e.onFailure(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.last == after {
			a.last = before
		}
		a.waiting = append(waiting, a.waiting...)
	})
	return rows
}

// AuditLog returns a page of the audit log, newest first. It returns INVALID for a time that is none.
func (s *Store) AuditLog(ctx context.Context, filter *coupon.AuditFilter, page coupon.Page) (*coupon.List[*coupon.AuditEntry], error) {
	if err := s.writeAudit(ctx); err != nil {
		return nil, err
	}
	if filter == nil {
		filter = &coupon.AuditFilter{}
	}
	period, err := coupon.NewPeriod(filter.From, filter.To, time.UTC, "")
	if err != nil {
		return nil, err
	}
	return newestPage(ctx, s, page, coupon.KindAuditEntry, auditPage, auditCount, []any{
		named("caller", optional(filter.Caller)), named("kind", optionalText(filter.Kind)), named("action", optional(filter.Action)),
		named("outcome", optionalText(filter.Outcome)), named("from", period.From), named("to", period.To),
	}, s.readAudit)
}

func (s *Store) readAudit(ctx context.Context, numbers []int64) (map[coupon.ID]*coupon.AuditEntry, error) {
	found := make(map[coupon.ID]*coupon.AuditEntry, len(numbers))
	err := duckdb.Each(ctx, s.engine, auditGet, func(rows *sql.Rows) error {
		var number int64
		var codes string
		e := &coupon.AuditEntry{}
		err := rows.Scan(&number, &e.At, &e.Caller, &e.Role, &e.Address, &e.Kind, &e.Action, &e.Input, &e.Outcome, &codes, &e.RequestID)
		e.ID = coupon.NewID(coupon.KindAuditEntry, number)
		for code := range strings.FieldsSeq(codes) {
			e.Errors = append(e.Errors, coupon.ErrorCode(code))
		}
		found[e.ID] = e
		return err
	}, named("ids", numbers))
	return found, err
}
