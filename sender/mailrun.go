package sender

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"couponql/coupon"
)

// mailRun is a batch on its way to the mail server.
type mailRun struct {
	smtp     *SMTP
	batch    *Batch
	attempts []coupon.Attempt
	began    time.Time

	mu sync.Mutex
	// next is the place of the first message that nobody took yet; returned has those that were
	// taken and given back.
	next     int
	returned []int
	// words are those of refusals by the places of their messages.
	words map[int]string
	// end is what came of the messages that were not tried any more; nil: all are tried. The words
	// of endWords are not about the messages that got them.
	end *coupon.Attempt
	// ended is closed as soon as there is an end.
	ended    chan struct{}
	endWords string
	// isWithheld: the last message that was ready to leave was withheld, so that the next one is
	// asked for before it costs a connection.
	isWithheld bool
}

// take returns the place of the next message to try.
func (r *mailRun) take() (place int, isThere bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := len(r.returned) - 1; r.end == nil && last >= 0 {
		place, r.returned = r.returned[last], r.returned[:last]
		return place, true
	}
	if r.end != nil || r.next == len(r.batch.Messages) {
		return 0, false
	}
	r.next++
	return r.next - 1, true
}

// giveBack leaves a message to others.
func (r *mailRun) giveBack(place int) {
	r.batch.answered(place, false)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.returned = append(r.returned, place)
}

// isOpen reports whether there are messages to try.
func (r *mailRun) isOpen() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end == nil && (r.next < len(r.batch.Messages) || len(r.returned) > 0)
}

// hasEnded reports whether no more is tried.
func (r *mailRun) hasEnded() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// stop has the messages that were not tried yet get an outcome, and those that were refused with
// words as well.
func (r *mailRun) stop(attempt coupon.Attempt, words string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end == nil {
		close(r.ended)
	}
	if r.end == nil || r.end.About == coupon.AboutLine && attempt.About == coupon.AboutSender {
		r.end, r.endWords = &attempt, words
	}
}

// conclude gives the messages their outcome that were not tried.
func (r *mailRun) conclude(ctx context.Context) {
	if r.end == nil {
		return
	}
	for place, words := range r.words {
		if words == r.endWords {
			r.attempts[place] = *r.end
		}
	}
	if ctx.Err() != nil {
		return // the rest stays open
	}
	for _, place := range r.returned {
		r.attempts[place] = *r.end
	}
	for place := r.next; place < len(r.attempts); place++ {
		r.attempts[place] = *r.end
	}
}

// work sends messages over one connection at a time until none is left or none is to be tried. One
// that may be spared ends when it gets no connection.
func (r *mailRun) work(ctx context.Context, maySpare bool) {
	w := &mailWorker{mailRun: r, maySpare: maySpare}
	defer func() {
		if w.session != nil {
			if w.release() {
				r.smtp.keep(w.session)
			} else {
				r.smtp.drop(w.session)
			}
		}
	}()
	for {
		place, isThere := r.take()
		if !isThere || ctx.Err() != nil {
			return // what was taken stays open
		}
		if goesOn := w.send(ctx, place); !goesOn {
			return
		}
	}
}

// mailWorker sends messages of a run over one connection at a time.
type mailWorker struct {
	*mailRun

	maySpare bool
	// session is the connection, whose release ends its bond with the context; nil: there is none.
	session *session
	release func() bool
	// breaks is how many connections broke in a row.
	breaks int
}

// send hands over the message at a place. It reports whether the worker goes on.
func (w *mailWorker) send(ctx context.Context, place int) (goesOn bool) {
	if w.asksEarly() && !w.mayLeave(place) {
		w.attempts[place] = coupon.Attempt{Result: coupon.AttemptWithheld}
		return true
	}
	l, err := w.smtp.write(w.batch, &w.batch.Messages[place])
	if err != nil {
		w.attempts[place] = coupon.Attempt{Result: coupon.AttemptRefused, Reason: err.Error()}
		return true
	}
	// Who waits for its turn while another message is refused knew nothing of it.
	began := time.Now()
	if isTurn := w.await(ctx, place); !isTurn {
		return false
	}
	for {
		if !w.connect(ctx, place) {
			return false
		}
		wasKept, taken := w.session.isKept, w.session.taken
		w.session.isKept = false
		err := w.session.deliver(l, func() bool { return w.mayLeave(place) })
		failure, isFailure := errors.AsType[*mailError](err)
		if isFailure && ctx.Err() == nil && w.replaces(failure, wasKept, taken) {
			continue
		}
		return w.settle(ctx, place, err, failure, began)
	}
}

// replaces reports whether a message that was not taken is due to the connection, which is closed
// then: it was closed for being idle, or the server takes no more on one. A new one tells whether
// it is about that.
func (w *mailWorker) replaces(e *mailError, wasKept bool, taken int) bool {
	isOver := e.isOver()
	isWorn := taken > 0 &&
		(e.code == codeShuttingDown || e.code == codeNoSpace && e.step == stepMail)
	switch {
	case e.step != stepMail && e.step != stepRcpt:
		return false
	case wasKept && isOver:
	case isWorn:
		w.smtp.pace.worn(taken, e.text)
	default:
		return false
	}
	if isOver {
		w.abandon()
	} else {
		w.drop()
	}
	return true
}

// settle notes what came of a message: err, which is failure where the server had to do with it. It
// reports whether the worker goes on.
func (w *mailWorker) settle(
	ctx context.Context, place int, err error, failure *mailError, began time.Time,
) (goesOn bool) {
	switch {
	case err == nil:
		w.breaks = 0
		w.batch.answered(place, true)
		w.attempts[place] = coupon.Attempt{Result: coupon.AttemptAccepted}
		w.smtp.pace.took(1, began)
		w.smtp.refusals.taken()
		if w.smtp.pace.isWorn(w.session.taken) {
			w.drop()
		}
		return true
	case failure == nil:
		// It is withheld. The server waits for content, and only the end of the connection tells it
		// that there is none.
		w.abandon()
		w.batch.answered(place, false)
		w.attempts[place] = coupon.Attempt{Result: coupon.AttemptWithheld}
		return true
	case failure.step == stepDot && failure.isNoAnswer():
		w.abandon()
		w.attempts[place] = coupon.Attempt{Result: coupon.AttemptUnknown, Reason: fmt.Sprintf(
			"The mail server has the whole mail and did not say whether it takes it (%s).",
			failure.text)}
		return w.hasBroken(failure)
	}
	// Without its last line no server takes a mail.
	w.batch.answered(place, false)
	switch {
	case ctx.Err() != nil && failure.code == 0:
		w.abandon()
		return false // it stays open
	case failure.isOver() || failure.step != stepDot && !w.session.reset():
		w.abandon()
	}
	return w.judge(failure, place, began)
}

// judge notes what came of a refusal. It reports whether the worker goes on.
func (w *mailWorker) judge(e *mailError, place int, began time.Time) (goesOn bool) {
	about := w.smtp.refusals.judge(e, w.batch.Messages[place].Address)
	attempt := coupon.Attempt{Result: coupon.AttemptPostponed, About: about, Reason: e.text}
	words := e.words()
	switch about {
	case coupon.AboutSender:
		attempt.Reason = w.explain(e)
		w.attempts[place] = attempt
		w.stop(attempt, words)
		return false
	case coupon.AboutLine:
		if e.code == 0 {
			attempt.Reason = w.explain(e)
			w.attempts[place] = attempt
			return w.hasBroken(e)
		}
		attempt = w.slowDown(began, w.explain(e))
		w.attempts[place] = attempt
		w.mu.Lock()
		defer w.mu.Unlock()
		for other, known := range w.words {
			if known == words {
				w.attempts[other] = attempt
			}
		}
		return true
	case coupon.AboutMessage:
	}
	if e.isPermanent() {
		attempt.Result = coupon.AttemptRefused
	}
	w.attempts[place] = attempt
	w.mu.Lock()
	w.words[place] = words
	w.mu.Unlock()
	if e.code == 0 {
		return w.hasBroken(e)
	}
	return true
}

// putOff returns the outcome of a message that the line has no room for yet.
func (r *mailRun) putOff(wait time.Duration, reason string) coupon.Attempt {
	return coupon.Attempt{
		Result: coupon.AttemptPostponed, About: coupon.AboutLine, Reason: reason,
		NotBefore: r.batch.At.Add(time.Since(r.began) + wait),
	}
}

// slowDown cuts the pace, since the server had enough of what began at an instant.
func (r *mailRun) slowDown(began time.Time, reason string) coupon.Attempt {
	r.smtp.pace.refused(began, time.Time{}, reason)
	_, wait := r.smtp.pace.room(1)
	return r.putOff(wait, reason)
}

// leaveAlone has the server left alone, since it was not reached by what began at an instant.
func (r *mailRun) leaveAlone(began time.Time, reason string) coupon.Attempt {
	r.smtp.pace.broke(began, reason)
	_, wait := r.smtp.pace.room(1)
	return r.putOff(wait, reason)
}

// explain returns a refusal that is not about the message in a sentence.
func (w *mailWorker) explain(e *mailError) string {
	if e.code == 0 {
		return fmt.Sprintf("The connection to the mail server %s failed at %s: %s", w.smtp.address,
			e.step, e.text)
	}
	return fmt.Sprintf("The mail server %s answered at %s: %s", w.smtp.address, e.step, e.text)
}

// hasBroken counts a connection that broke. It reports whether the worker goes on.
func (w *mailWorker) hasBroken(e *mailError) (goesOn bool) {
	if w.breaks++; w.breaks < maxBreaks {
		return true
	}
	w.stop(w.leaveAlone(time.Now(), w.explain(e)), "")
	return false
}

// await waits until it is the turn of the next message. Without a turn the run ends.
func (w *mailWorker) await(ctx context.Context, place int) (isTurn bool) {
	wait := w.smtp.pace.reserve(1)
	if wait > patience {
		w.giveBack(place)
		w.stop(
			w.putOff(wait, "The mail server takes no more for now. "+w.smtp.pace.lastReason()), "",
		)
		return false
	}
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-w.ended:
		case <-ctx.Done():
		}
	}
	// Another worker may have found meanwhile that no more is to be tried.
	if w.hasEnded() {
		w.giveBack(place)
		return false
	}
	return true
}

// connect sees to a connection. It reports whether there is one.
func (w *mailWorker) connect(ctx context.Context, place int) bool {
	if w.session != nil {
		return true
	}
	select {
	case w.session = <-w.smtp.idle:
		w.release = w.session.bind(ctx)
		return true
	default:
	}
	waiting := time.Now()
	// What was tried before the server is left alone knew nothing of that.
	began := waiting
	for ; !w.smtp.pace.connect(); began = time.Now() {
		if w.maySpare || ctx.Err() != nil || w.hasEnded() {
			w.giveBack(place)
			return false
		}
		if time.Since(waiting) > patience {
			w.giveBack(place)
			w.stop(w.putOff(patience, "All connections that the mail server allows are taken."), "")
			return false
		}
		select {
		case w.session = <-w.smtp.idle: // another worker is done with it
			w.release = w.session.bind(ctx)
			return true
		case <-time.After(slotLook):
		case <-w.ended:
		case <-ctx.Done():
		}
	}
	session, err := w.smtp.open(ctx, func(mailStep, string) {})
	if err == nil {
		w.session, w.release = session, session.bind(ctx)
		return true
	}
	w.smtp.pace.disconnect()
	w.giveBack(place)
	failure, _ := errors.AsType[*mailError](err)
	reason := w.explain(failure)
	switch {
	case ctx.Err() != nil:
		// It stays open.
	case !failure.isPermanent() && w.smtp.pace.crowded(reason):
		// The others do it.
	case failure.isPermanent():
		w.stop(coupon.Attempt{
			Result: coupon.AttemptPostponed, About: coupon.AboutSender, Reason: reason,
		}, "")
	default:
		w.stop(w.leaveAlone(began, reason), "")
	}
	return false
}

// drop ends the connection with a goodbye, if there is one.
func (w *mailWorker) drop() {
	if w.session != nil {
		w.release()
		w.smtp.drop(w.session)
		w.session = nil
	}
}

// abandon ends the connection without a goodbye.
func (w *mailWorker) abandon() {
	w.release()
	_ = w.session.conn.Close()
	w.smtp.pace.disconnect()
	w.session = nil
}

// asksEarly reports whether a message is asked for before it costs anything, because the one before
// was withheld.
func (w *mailWorker) asksEarly() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.isWithheld
}

// mayLeave asks whether the message at a place may leave.
func (w *mailWorker) mayLeave(place int) bool {
	may := w.batch.Leave == nil || w.batch.Leave(place)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isWithheld = !may
	return may
}
