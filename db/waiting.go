package db

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// waitingMessage is a message that was handed over and is pending all the same.
type waitingMessage struct {
	// number, batchID and batchSize are those of the last attempt. isAnswered: others of that batch were taken, or refused one by one.
	number     int
	batchID    int64
	batchSize  int
	isAnswered bool
	// isInFlight: nobody knows what came of the last attempt.
	isInFlight bool
	// mayBeSent: an attempt may have reached the recipient. mightBeSent: one before the last may have.
	mayBeSent, mightBeSent bool
	// repeatsBatch: the last batch has to be repeated as it was.
	repeatsBatch bool
	// counted is how many attempts were made of those that a message has.
	counted int
	// retryAt is when it is handed over again, by the clock, or by the steady one if that comes before: steadyAt. So a clock
	// that is set back does not put it off.
	retryAt, steadyAt time.Time
}

// moment is an instant by the clock and by the steady one.
type moment struct{ now, steady time.Time }

func (s *Store) moment() moment { return moment{s.now(), s.Steady()} }

// postpone has the message wait until an instant, for MaxRetryDelay at the most.
func (m *waitingMessage) postpone(retryAt time.Time, at moment) {
	m.retryAt, m.steadyAt = retryAt, at.steady.Add(min(retryAt.Sub(at.now), coupon.MaxRetryDelay))
}

// rest is how long the message still waits; 0 or less: no longer.
func (m *waitingMessage) rest(at moment) time.Duration {
	return min(m.retryAt.Sub(at.now), m.steadyAt.Sub(at.steady))
}

// waitingMessages has the waiting messages of one delivery by their numbers.
type waitingMessages map[int64]*waitingMessage

// waitingOf returns the waiting messages of a delivery, whose lock of sending is held.
func (s *Store) waitingOf(ctx context.Context, id coupon.ID) (waitingMessages, error) {
	if known, found := s.waiting.Load(id); found {
		return known.(waitingMessages), nil //nolint:forcetypeassert // nothing else is stored
	}
	w, at := waitingMessages{}, s.moment()
	err := duckdb.Each(ctx, s.engine, attemptWaiting, func(rows *sql.Rows) error {
		var message int64
		var retryAt sql.NullTime
		var isCounted bool
		m := &waitingMessage{}
		err := rows.Scan(&message, &m.number, &m.batchID, &m.batchSize, &m.isInFlight, &m.mayBeSent, &m.repeatsBatch, &retryAt, &isCounted, &m.isAnswered)
		m.postpone(retryAt.Time, at)
		if earlier := w[message]; earlier != nil {
			m.mightBeSent, m.counted = earlier.mayBeSent, earlier.counted
			m.mayBeSent = m.mayBeSent || m.mightBeSent
		}
		if isCounted {
			m.counted++
		}
		w[message] = m // the last attempt counts
		return err
	}, named("id", coupon.MustNumber(coupon.KindDelivery, id)))
	if err == nil {
		s.waiting.Store(id, w)
	}
	return w, err
}

// choice is which waiting messages are handed over next.
type choice struct {
	messages []int64
	// number is that of the messages' last attempt; 0 for new ones.
	number int
	// batchID and batchSize are those of the batch that is repeated, or of which this is left; else 0.
	batchID    int64
	batchSize  int
	isInFlight bool
}

// choose returns the waiting messages to hand over now: a batch in flight first, then those that waited longest.
// All of them make their attempt with one number.
func (w waitingMessages) choose(at moment, limit int) choice {
	var first *waitingMessage
	for _, m := range w {
		if (m.isInFlight || m.rest(at) <= 0) && (first == nil || m.isBefore(first)) {
			first = m
		}
	}
	if first == nil {
		return choice{}
	}
	c := choice{number: first.number, isInFlight: first.isInFlight}
	for message, m := range w {
		switch {
		case m.number != first.number || m.isInFlight != first.isInFlight || m.repeatsBatch != first.repeatsBatch:
		case (first.isInFlight || first.repeatsBatch) && m.batchID != first.batchID:
		case !m.isInFlight && m.rest(at) > 0:
		default:
			c.messages = append(c.messages, message)
		}
	}
	slices.Sort(c.messages)
	// A batch that is handed over once more is the same one, whatever its sender takes at once by now.
	if !first.isInFlight && !first.repeatsBatch {
		c.messages = c.messages[:min(len(c.messages), limit)]
		return c
	}
	if first.keepsKey() {
		c.batchID, c.batchSize = first.batchID, first.batchSize
	}
	return c
}

// keepsKey reports whether the message comes again with the key of its batch. Whoever took a batch takes none with that key again:
// what was kept back when the others were answered needs a new one.
func (m *waitingMessage) keepsKey() bool { return m.isInFlight || !m.isAnswered }

// inFlight returns the messages of a batch of which nobody knows what became of them.
func (w waitingMessages) inFlight(batch int64) choice {
	c := choice{batchID: batch, isInFlight: true}
	for message, m := range w {
		if m.isInFlight && m.batchID == batch {
			c.messages, c.number, c.batchSize = append(c.messages, message), m.number, m.batchSize
		}
	}
	slices.Sort(c.messages)
	return c
}

// isBefore tells which of two messages is handed over first.
func (m *waitingMessage) isBefore(other *waitingMessage) bool {
	switch {
	case m.isInFlight != other.isInFlight:
		return m.isInFlight
	case m.isInFlight, m.retryAt.Equal(other.retryAt):
		return m.batchID < other.batchID
	}
	return m.retryAt.Before(other.retryAt)
}

// nextRetry returns when the first message is to be handed over again; the zero time when none waits.
func (w waitingMessages) nextRetry(at moment) time.Time {
	var next time.Time
	for _, m := range w {
		if retryAt := at.now.Add(m.rest(at)); next.IsZero() || retryAt.Before(next) {
			next = retryAt
		}
	}
	return next
}

// settle takes over what became of a batch that was recorded.
func (w waitingMessages) settle(b *Batch, done *settled) {
	for _, part := range done.parts() {
		for i := range part.contents {
			delete(w, coupon.MustNumber(coupon.KindMessage, part.contents[i].MessageID))
		}
	}
	for i := range done.refused {
		r := &done.refused[i]
		if r.Settlement.Status != coupon.MessagePending {
			continue
		}
		m := w[coupon.MustNumber(coupon.KindMessage, r.MessageID)]
		m.number, m.batchID = b.Number, b.ID
		// Who is to get the batch again has answered nothing of it.
		m.isInFlight, m.repeatsBatch, m.isAnswered = false, r.RepeatsBatch, !r.RepeatsBatch
		m.mayBeSent = r.Settlement.MayBeSent
		if m.counted = r.Counted; r.About == coupon.AboutMessage {
			m.counted++
		}
		m.postpone(r.Settlement.RetryAt, b.store.moment())
	}
}
