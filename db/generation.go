package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"couponql/background"
	"couponql/coupon"
	"couponql/db/duckdb"
)

// queue records a batch whose codes RunBatch makes.
func (g *generator) queue(ctx context.Context, request *GenerateRequest) error {
	s := g.store
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		couponNumber, err := g.check(ctx, t)
		if err != nil {
			return err
		}
		g.batch, _ = s.memory.TakeCodes(0, 1)
		if err := t.recordBatch(ctx, &batchRow{
			number: g.batch, kind: coupon.BatchGenerated, couponNumber: couponNumber, first: 1, createdBy: callerOf(ctx), request: request,
		}); err != nil {
			return err
		}
		t.onCommit(s.watchers.notifyDue)
		return t.made(ctx, coupon.NewID(coupon.KindBatch, g.batch), nil)
	})
}

// WaitingBatches returns the batches that are queued or were interrupted, oldest first.
func (s *Store) WaitingBatches(ctx context.Context) ([]coupon.ID, error) {
	return duckdb.Collect(ctx, s.engine, codeBatchWaiting, func(rows *sql.Rows) (coupon.ID, error) {
		var number int64
		err := rows.Scan(&number)
		return coupon.NewID(coupon.KindBatch, number), err
	})
}

// RunBatch makes the codes of a batch from start to end. They come into the pool in one transaction with the batch's outcome, so an
// interrupted batch is simply made again. What is wrong with the request becomes the failure of the batch; an error is returned when
// the batch could not be brought to an end.
func (s *Store) RunBatch(ctx context.Context, id coupon.ID) error {
	number, err := id.Number(coupon.KindBatch)
	if err != nil {
		return err
	}
	start := func(ctx context.Context, t *turn) (int, error) {
		return t.Exec(ctx, codeBatchStart, named("id", number))
	}
	return s.runJob(ctx, id, start, func(ctx context.Context, progress *rowProgress) error {
		g, err := s.generatorOf(context.WithoutCancel(ctx), number)
		if err != nil {
			return err
		}
		g.progress = progress
		progress.size.Store(int64(g.count))
		if err = background.Run(func() error { return g.make(ctx) }); err != nil {
			err = s.endBatch(ctx, number, err)
		}
		return err
	})
}

// generatorOf returns what makes the codes of a batch that was recorded.
func (s *Store) generatorOf(ctx context.Context, number int64) (*generator, error) {
	var couponNumber int64
	var text string
	err := duckdb.Each(ctx, s.engine, codeBatchRequest, func(rows *sql.Rows) error { return rows.Scan(&couponNumber, &text) }, named("id", number))
	if err != nil {
		return nil, err
	}
	var request GenerateRequest
	if err := json.Unmarshal([]byte(text), &request); err != nil {
		return nil, fmt.Errorf("decode the request of a batch: %w", err)
	}
	pattern, label, err := request.check(s.keys)
	return &generator{
		store: s, couponID: coupon.NewID(coupon.KindCoupon, couponNumber), count: request.Count, pattern: pattern, label: label, batch: number,
	}, err
}

// batchOutcome is what became of a batch that a job made.
type batchOutcome struct {
	status  coupon.ImportStatus
	failure *string
	// last is below first when it brought no codes.
	first, last int64
	count       int
}

func (t *turn) finishBatch(ctx context.Context, number int64, o *batchOutcome) error {
	finished, err := t.Exec(ctx, codeBatchFinish, named("id", number), named("status", string(o.status)), named("failure", o.failure),
		named("first_id", o.first), named("last_id", o.last), named("count", o.count), named("now", t.now))
	if err == nil && finished == 0 {
		// It was called off between two attempts: nothing of it may stay.
		return errCanceled
	}
	return err
}

// endBatch records why a batch that failed or was canceled has no codes. It gives the error when that was neither the request's nor
// the caller's doing.
func (s *Store) endBatch(ctx context.Context, number int64, err error) error {
	o := &batchOutcome{status: coupon.ImportFailed, first: 1}
	problems, isUser := coupon.AsUserErrors(err)
	failure := "The server could not generate the codes; its log has the cause. None was added."
	switch {
	case errors.Is(context.Cause(ctx), errCanceled), errors.Is(err, errCanceled):
		o.status, err = coupon.ImportCanceled, nil
	case ctx.Err() != nil:
		// The server stops: the batch stays RUNNING and is made at the next start.
		return fmt.Errorf("generate the codes of a batch: %w", context.Cause(ctx))
	case isUser:
		failure, err = problems[0].Message, nil
	case errors.Is(err, ErrMemory):
		failure = "So many codes need more memory than the database engine may take (--memory-limit). None was added: generate them in parts, or let the engine take more."
	case errors.Is(err, ErrDiskFull):
		failure, err = diskNotice(err)+" No code was added: make room and generate the codes again.", nil
	}
	if o.status == coupon.ImportFailed {
		o.failure = &failure
	}
	return errors.Join(err, s.concludeJob(ctx, func(ctx context.Context, t *turn) error { return t.finishBatch(ctx, number, o) }))
}

// CancelBatch calls off a batch that waits or is made; none of its codes stays. It gives the batch as it then is. Repeating it is
// harmless. It returns NOT_FOUND, and INVALID_STATE for a batch that is over.
func (s *Store) CancelBatch(ctx context.Context, id coupon.ID) (*coupon.CodeBatch, error) {
	number, err := id.Number(coupon.KindBatch)
	if err != nil {
		return nil, at(err, "input", "id")
	}
	if err := s.cancelJob(ctx, s.runningJob(id), codeBatchCancel, id, number); err != nil {
		return nil, err
	}
	b, err := s.batchByNumber(ctx, number)
	if err == nil {
		err = b.CheckCanceled()
	}
	if err != nil {
		return nil, at(err, "input", "id")
	}
	return b, nil
}
