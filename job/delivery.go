package job

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"couponql/coupon"
	"couponql/db"
	"couponql/message"
)

// batchSize is how many messages are rendered, handed over and recorded together. A larger batch costs
// fewer flushes of the disk; a smaller one is sooner paused.
const batchSize = 2000

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
			r.done.Go(func() { r.send(ctx, d.ID) })
		}
	}
	return next, nil
}

// maxRetryInterval is the longest pause between two tries to go on with a delivery.
const maxRetryInterval = time.Minute

// send sends a delivery until nothing is left to send, it is paused or stopped, or the server stops. When
// the outbox or the store fails, it tries again, after longer and longer pauses.
func (r *Runner) send(ctx context.Context, id coupon.ID) {
	defer func() {
		r.mu.Lock()
		delete(r.sending, id)
		r.mu.Unlock()
		// It may have been resumed just before it left.
		r.store.NotifyDue()
	}()
	pause := retryInterval
	for ctx.Err() == nil {
		count, err := r.sendBatch(ctx, id)
		switch {
		case err != nil:
			r.options.Log.ErrorContext(ctx, "sending was interrupted; trying again", "delivery", id, "after", pause, "error", err)
			sleep(ctx, pause)
			pause = min(2*pause, maxRetryInterval)
			continue
		case count == 0:
			return
		}
		pause = retryInterval
		if r.options.SendRate > 0 {
			sleep(ctx, time.Duration(count)*time.Second/time.Duration(r.options.SendRate))
		}
	}
}

func sleep(ctx context.Context, pause time.Duration) {
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	}
}

// sendBatch sends the next messages of a delivery and gives their number; 0 when there is nothing to send.
func (r *Runner) sendBatch(ctx context.Context, id coupon.ID) (int, error) {
	if err := r.store.BeginSending(ctx, id); err != nil {
		return 0, err
	}
	limit := batchSize
	if r.options.SendRate > 0 {
		limit = min(limit, r.options.SendRate)
	}
	batch, err := r.store.NextBatch(ctx, id, limit)
	if err != nil || batch == nil {
		return 0, err
	}
	template, err := message.Parse(batch.Delivery.Subject, batch.Delivery.Body)
	if err != nil {
		batch.Release()
		return 0, fmt.Errorf("compile the templates of %s: %w", id, err)
	}
	outgoing, outcome, err := render(batch, template)
	if err != nil {
		batch.Release()
		return 0, err
	}
	outcome.OutboxSize = batch.OutboxSize
	if len(outgoing) > 0 {
		if outcome.OutboxSize, err = r.outbox.Append(id, batch.OutboxSize, outgoing, r.store.Now()); err != nil {
			batch.Release()
			return 0, fmt.Errorf("hand over a batch of %s: %w", id, err)
		}
	}
	return len(batch.Contents), batch.Record(ctx, outcome)
}

// render renders a batch on several cores. A message whose templates fail on its recipient's values, or
// whose code was voided, fails for good.
func render(batch *db.Batch, template *message.Template) ([]coupon.OutgoingMessage, *db.Outcome, error) {
	results := make([]coupon.RenderedMessage, len(batch.Contents))
	failures := make([]error, len(batch.Contents))
	var wait sync.WaitGroup
	for worker := range renderers {
		wait.Go(func() {
			for i := worker; i < len(batch.Contents); i += renderers {
				content := &batch.Contents[i]
				if content.IsVoided {
					failures[i] = coupon.Errorf(coupon.ErrorCodeVoided, "The code was voided before the message was sent.")
					continue
				}
				content.Data.Complete(batch.Delivery, batch.Coupon)
				results[i], failures[i] = template.Render(&content.Data)
			}
		})
	}
	wait.Wait()
	outcome := &db.Outcome{}
	outgoing := make([]coupon.OutgoingMessage, 0, len(batch.Contents))
	for i, content := range batch.Contents {
		if failures[i] != nil {
			if _, ok := errors.AsType[*coupon.UserError](failures[i]); !ok {
				return nil, nil, fmt.Errorf("render %s: %w", content.MessageID, failures[i])
			}
			outcome.Failed = append(outcome.Failed, content)
			outcome.Failures = append(outcome.Failures, failures[i].Error())
			continue
		}
		outcome.Sent = append(outcome.Sent, content)
		outgoing = append(outgoing, outgoingMessage(batch, content, results[i], template.IsHTML()))
	}
	return outgoing, outcome, nil
}

func outgoingMessage(batch *db.Batch, content db.Content, rendered coupon.RenderedMessage, isHTML bool) coupon.OutgoingMessage {
	m := coupon.OutgoingMessage{
		MessageID: content.MessageID, DeliveryID: batch.Delivery.ID, Recipient: content.Data.Recipient.ExternalID, Channel: batch.Delivery.Channel,
		Address: content.Address, Body: rendered.Body, IsHTML: isHTML,
	}
	if rendered.Subject != nil {
		m.Subject = *rendered.Subject
	}
	switch {
	case content.Data.CouponValue != nil:
		m.Code = content.Data.CouponValue.Code
	case batch.Coupon != nil && batch.Coupon.Type == coupon.TypeAnonymous:
		m.Code = batch.Coupon.Code
	}
	return m
}
