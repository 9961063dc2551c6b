package job

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"couponql/background"
	"couponql/coupon"
	"couponql/courier"
	"couponql/db"
	"couponql/message"
	"couponql/monitor"
	"couponql/sender"
)

// renderers is how many goroutines render a batch.
const renderers = 2

// startDeliveries begins to send every delivery that is due, and tells when the next one is.
func (r *Runner) startDeliveries(ctx context.Context) (next time.Time, err error) {
	due, err := r.store.DueDeliveries(ctx)
	if err != nil {
		return time.Time{}, err
	}
	for _, d := range due {
		if d.At.After(r.store.Now()) {
			if next.IsZero() || d.At.Before(next) {
				next = d.At
			}
			continue
		}
		r.mu.Lock()
		_, isSending := r.sending[d.ID]
		r.sending[d.ID] = struct{}{}
		r.mu.Unlock()
		if !isSending {
			r.run(ctx, func() { r.send(ctx, d.ID) })
		}
	}
	return next, nil
}

// maxRetryInterval is the longest pause between two tries to go on with a delivery.
const maxRetryInterval = time.Minute

// step is what sending a batch came to.
type step struct {
	// count is how many messages the batch had; 0: there is nothing to send, until retryAt if that
	// is set.
	count int
	// isStuck: every message of a new batch was postponed, or the sender asks for patience until
	// retryAt. More of them would only wait as well. What is handed over again has delays of its
	// own.
	isStuck bool
	retryAt time.Time
	// isEarly: the other server wants to be left alone until retryAt.
	isEarly bool
	// rate is how many messages a second the delivery hands over at most; 0: no limit.
	rate float64
}

// send sends a delivery until nothing is left to send, it is paused or stopped, or the server
// stops. When the sender or the store fails, it tries again, after longer and longer pauses.
func (r *Runner) send(ctx context.Context, id coupon.ID) {
	defer func() {
		r.mu.Lock()
		delete(r.sending, id)
		r.mu.Unlock()
		// It may have been resumed just before it left.
		r.store.NotifyDue()
	}()
	// Watched from the start, so that nothing that happens between a look and the wait is missed.
	due, stopDue := r.store.WatchDue()
	defer stopDue()
	changed, stopChanged := r.store.Watch(id)
	defer stopChanged()
	pause := retryInterval
	var way route
	var turn time.Time
	for ctx.Err() == nil {
		began := time.Now()
		done, err := r.sendBatch(ctx, id, &way)
		switch {
		case err != nil && ctx.Err() != nil:
			// The server stops, and goes on at its next start.
			return
		case err != nil:
			r.options.Log.ErrorContext(ctx, "could not go on sending; trying again", "delivery", id,
				"after", pause, "error", err)
		case done.isEarly:
			r.await(ctx, done.retryAt, nil, changed)
			continue
		case done.isStuck:
			r.options.Log.WarnContext(ctx, "the sender accepts no messages; trying again",
				"delivery", id, "after", pause)
		case done.count > 0:
			pause = retryInterval
			if done.rate > 0 {
				turn = later(turn, began).Add(
					time.Duration(float64(done.count) / done.rate * float64(time.Second)),
				)
				sleep(ctx, time.Until(turn))
			}
			continue
		case done.retryAt.IsZero():
			return
		default:
			// What waits for its next try keeps the delivery IN_PROGRESS.
			r.await(ctx, done.retryAt, due, changed)
			continue
		}
		sleep(ctx, pause)
		pause = min(2*pause, maxRetryInterval)
		// A sender that asks for patience is left alone, whatever else there is to do.
		if !done.retryAt.IsZero() {
			r.await(ctx, done.retryAt, nil, nil)
		}
	}
}

// later returns the later one of two instants.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func sleep(ctx context.Context, pause time.Duration) {
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	}
}

// maxBatchBytes bounds the memory of a batch: so much text its templates may have together.
const maxBatchBytes = 64 << 20

// route is where the messages of a delivery go, which does not change once it is being sent.
type route struct {
	out sender.Sender
	// limit is how many messages a batch has at most.
	limit int
	// rate is how many messages a second are handed over at most; 0: no limit.
	rate float64
}

// rateWindow is the time that a batch of a delivery with a rate is for, so that messages go out
// evenly.
const rateWindow = 200 * time.Millisecond

// route makes a delivery whose time has come IN_PROGRESS and finds its route; without an out there
// is no such delivery.
func (r *Runner) route(ctx context.Context, id coupon.ID) (route, error) {
	if err := r.store.BeginSending(ctx, id); err != nil {
		return route{}, err
	}
	found, err := r.store.DeliveriesByID(ctx, []coupon.ID{id})
	if err != nil || found[id] == nil {
		return route{}, err
	}
	out := courier.SenderOf(found[id].Channel, r.options.Senders, r.outbox)
	limit := max(1, maxBatchBytes/max(1, len(found[id].Body)))
	rate := found[id].RateLimit(r.options.SendRate)
	if rate > 0 {
		limit = max(1, min(limit, int(rate*rateWindow.Seconds())))
	}
	return route{out, limit, rate}, nil
}

// sendBatch sends the next messages of a delivery. It finds the way when that is not known.
func (r *Runner) sendBatch(ctx context.Context, id coupon.ID, way *route) (step, error) {
	if way.out == nil {
		var err error
		if *way, err = r.route(ctx, id); err != nil || way.out == nil {
			return step{}, err
		}
	}
	line := way.out.Traits()
	batch, err := r.store.NextBatch(ctx, id, min(way.limit, line.MaxBatch))
	if err != nil || batch == nil {
		return step{}, err
	}
	if len(batch.Contents) == 0 && !batch.RetryAt.IsZero() {
		batch.Release()
		return step{retryAt: batch.RetryAt}, nil
	}
	if isInterrupted, isOver := batch.IsInterrupted(); isOver ||
		isInterrupted && !line.IsRepeatable {
		return step{count: 1}, r.recordBatch(ctx, batch, batch.Abandon())
	}
	if len(batch.Contents) > 0 && line.Wait > 0 {
		batch.Release()
		return step{retryAt: r.store.Now().Add(line.Wait), isEarly: true}, nil
	}
	inner, end := r.options.Monitor.Begin(ctx, monitor.KindJob,
		"batch "+string(batch.Delivery.Channel))
	var outcome *db.SentBatch
	// Whatever goes wrong, the batch is given back.
	err = background.Run(func() (err error) {
		outcome, err = r.handOver(inner, way.out, batch)
		return err
	})
	if err != nil {
		end(monitor.OutcomeFailed)
		batch.Release()
		return step{}, err
	}
	done := progress(batch, outcome)
	done.rate = way.rate
	// A line that says how long it wants to be left alone is not asked any sooner anyway.
	done.isStuck = done.isStuck && way.out.Traits().Wait == 0
	if err = r.recordBatch(inner, batch, outcome); err == nil && outcome.SenderProblem != "" {
		// Any other message would be refused as well.
		done.isStuck = false
		err = r.store.PauseBySender(context.WithoutCancel(inner), id, outcome.SenderProblem)
	}
	end(monitor.OutcomeOf(err))
	return done, err
}

// progress tells what a batch came to.
func progress(batch *db.Batch, outcome *db.SentBatch) step {
	done := step{
		count:   len(batch.Contents),
		isStuck: len(outcome.Refused) > 0 && len(outcome.Refused) == len(batch.Contents),
	}
	isCounted := false
	for i := range outcome.Refused {
		refused := &outcome.Refused[i]
		done.isStuck = done.isStuck && refused.Settlement.Status == coupon.MessagePending
		isCounted = isCounted || refused.About == coupon.AboutMessage
		if i == 0 || refused.NotBefore.Before(done.retryAt) {
			done.retryAt = refused.NotBefore
		}
	}
	done.isStuck = done.isStuck && (batch.Number == 1 || !isCounted || !done.retryAt.IsZero())
	if !done.isStuck {
		done.retryAt = time.Time{}
	}
	return done
}

// handOver renders a batch, hands it over and gives what became of its messages. An error means
// that it was not handed over.
func (r *Runner) handOver(ctx context.Context, out sender.Sender, batch *db.Batch) (
	*db.SentBatch, error,
) {
	id := batch.Delivery.ID
	if out.Traits().NamesRecipients {
		if err := batch.NameRecipients(ctx); err != nil {
			return nil, err
		}
	}
	template, err := message.Parse(batch.Delivery.Subject, batch.Delivery.Body)
	if err != nil {
		return nil, fmt.Errorf("compile the templates of %s: %w", id, err)
	}
	outgoing, outcome, err := render(ctx, batch, template)
	if err != nil {
		return nil, err
	}
	outcome.OutboxSize = batch.OutboxSize
	if len(outgoing) == 0 {
		return outcome, nil
	}
	rendered := outcome.Sent
	if !out.Traits().IsExact {
		if err := batch.Begin(ctx, rendered); err != nil {
			return nil, err
		}
	}
	sending := &sender.Batch{
		Key: fmt.Sprintf("%s-%d", r.store.ID(), batch.ID), Origin: r.store.ID(), DeliveryID: id,
		Messages: outgoing, At: r.store.Now(), OutboxSize: batch.OutboxSize,
		Leave: func(place int) bool {
			may, err := batch.Leave(ctx, &rendered[place])
			if err != nil {
				r.options.Log.ErrorContext(ctx, "could not judge a message; it waits", "message",
					rendered[place].MessageID, "error", err)
			}
			return may && err == nil
		},
		Answered: func(place int, isTaken bool) {
			if err := batch.Answer(&rendered[place], isTaken); err != nil {
				r.options.Log.ErrorContext(ctx,
					"could not note an answer; after a crash nobody knows it",
					"message", rendered[place].MessageID, "error", err)
			}
		},
	}
	attempts, err := out.Send(ctx, sending)
	if err == nil && len(attempts) != len(outgoing) {
		err = fmt.Errorf("the sender gave %d outcomes for %d messages", len(attempts),
			len(outgoing))
	}
	if err != nil {
		return nil, fmt.Errorf("hand over a batch of %s: %w", id, err)
	}
	r.options.Monitor.Messages(batch.Delivery.Channel, attempts)
	outcome.OutboxSize = sending.OutboxSize
	divide(outcome, attempts, r.store.Now())
	return outcome, nil
}

// divide puts the messages that were handed over among the sent and the refused, by what came of
// their attempts.
func divide(outcome *db.SentBatch, attempts []coupon.Attempt, now time.Time) {
	rendered := outcome.Sent
	outcome.Sent = make([]db.Content, 0, len(rendered))
	// The messages of a batch that is repeated come back together.
	ofBatch := rand.Float64() //nolint:gosec // nobody gains by guessing it
	for i, content := range rendered {
		attempt := &attempts[i]
		if attempt.Result == coupon.AttemptOpen {
			continue
		}
		if attempt.Result == coupon.AttemptWithheld {
			outcome.Withheld = append(outcome.Withheld, content)
			continue
		}
		jitter := ofBatch
		if !attempt.RepeatsBatch {
			jitter = rand.Float64() //nolint:gosec // nobody gains by guessing it
		}
		if attempt.About == coupon.AboutSender && outcome.SenderProblem == "" {
			outcome.SenderProblem = attempt.Settle(1, false, now, 0).Failure
		}
		settlement := attempt.Settle(content.Counted+1, content.MayBeSent, now, jitter)
		if settlement.Status == coupon.MessageSent {
			outcome.Sent = append(outcome.Sent, content)
			continue
		}
		outcome.Refused = append(outcome.Refused, db.Refusal{
			Content: content, Settlement: settlement, RepeatsBatch: attempt.RepeatsBatch,
			NotBefore: attempt.NotBefore,
			About:     attempt.About,
		})
	}
}

// recordBatch records what became of a batch. What was handed over must not be handed over again
// for want of a record, so that it goes on trying until the server stops; meanwhile the delivery
// can neither be paused nor stopped.
func (r *Runner) recordBatch(ctx context.Context, batch *db.Batch, outcome *db.SentBatch) error {
	for pause := retryInterval; ; pause = min(2*pause, maxRetryInterval) {
		// A server that stops waits for this: it takes a moment.
		err := batch.Record(context.WithoutCancel(ctx), outcome)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			batch.Release()
			return err
		}
		r.options.Log.ErrorContext(ctx, "could not record a batch; trying again", "delivery",
			batch.Delivery.ID, "after", pause, "error", err)
		sleep(ctx, pause)
	}
}

// render renders what may leave of a batch on several cores; the rest is withheld. A message whose
// templates fail on its recipient's values fails for good.
func render(ctx context.Context, batch *db.Batch, template *message.Template) (
	[]coupon.OutgoingMessage, *db.SentBatch, error,
) {
	results := make([]coupon.RenderedMessage, len(batch.Contents))
	failures := make([]error, len(batch.Contents))
	isWithheld := make([]bool, len(batch.Contents))
	var workers background.Group
	for worker := range renderers {
		workers.Go(func() error {
			for i := worker; i < len(batch.Contents); i += renderers {
				content := &batch.Contents[i]
				may, _, err := batch.MayLeave(ctx, content)
				if err != nil {
					return err
				}
				if isWithheld[i] = !may; isWithheld[i] {
					continue
				}
				content.Data.Complete(batch.Delivery, batch.Coupon)
				results[i], failures[i] = template.Render(&content.Data)
			}
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return nil, nil, fmt.Errorf("render a batch of %s: %w", batch.Delivery.ID, err)
	}
	outcome := &db.SentBatch{}
	outgoing := make([]coupon.OutgoingMessage, 0, len(batch.Contents))
	for i, content := range batch.Contents {
		if isWithheld[i] {
			outcome.Withheld = append(outcome.Withheld, content)
			continue
		}
		if failures[i] != nil {
			if _, ok := errors.AsType[*coupon.UserError](failures[i]); !ok {
				return nil, nil, fmt.Errorf("render %s: %w", content.MessageID, failures[i])
			}
			outcome.Failed = append(outcome.Failed, content)
			outcome.Failures = append(outcome.Failures, failures[i].Error())
			continue
		}
		outcome.Sent = append(outcome.Sent, content)
		outgoing = append(outgoing,
			courier.OutgoingMessage(batch, content, results[i], template.IsHTML()))
	}
	return outgoing, outcome, nil
}
