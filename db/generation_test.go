package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db"
)

// queueBatch has a job make codes, and gives its batch.
func (s *scene) queueBatch(t *testing.T, request *db.GenerateRequest) coupon.ID {
	t.Helper()
	asked := *request
	asked.IsJob = true
	made, err := s.GenerateCodes(t.Context(), &asked)
	if err != nil {
		t.Fatal(err)
	}
	return made.Batch.ID
}

// batch returns a batch as it is now.
func (s *scene) batch(t *testing.T, id coupon.ID) *coupon.CodeBatch {
	t.Helper()
	found, err := s.CodeBatchesByID(t.Context(), []coupon.ID{id})
	if err != nil || found[id] == nil {
		t.Fatalf("%s: %v", id, err)
	}
	return found[id]
}

// wantBatch compares how far a batch is: its status, and how many codes it has, drew and was asked for.
func (s *scene) wantBatch(t *testing.T, id coupon.ID, want string) {
	t.Helper()
	b := s.batch(t, id)
	if got := fmt.Sprintf("%s %d, %d of %d, %v", b.Status, b.Count, b.MadeCount, b.RequestedCount, b.Progress); got != want {
		t.Errorf("%s is %s, want %s", id, got, want)
	}
}

// some asks for codes that a job is to make.
func some(c coupon.ID, count int) *db.GenerateRequest {
	return &db.GenerateRequest{CouponID: c, Count: count, Pattern: "J-########", Alphabet: "ABCDEFGHJK", Label: new("sport"), IsJob: true}
}

// TestGenerateByJob has a job make codes: what is asked for is kept over a restart, nothing is in the pool before all of it is, and
// the same key answers the batch as it is at every step.
func TestGenerateByJob(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	ask := func() *db.Generated {
		t.Helper()
		made, err := s.GenerateCodes(once(t.Context(), "key_1", "K", "generateCodes", "digest"), some(c, 150_000))
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	const fewest = 1e8 / 150_000
	id := ask().Batch.ID
	for range 2 {
		if again := ask(); again.Batch.ID != id || len(again.Sample) != 0 || *again.GuessesForOneHit != fewest {
			t.Errorf("asked again: %+v", again)
		}
		s.wantBatch(t, id, "QUEUED 0, 0 of 150000, 0")
		_, err := s.UndoBatch(t.Context(), id)
		wantError(t, err, coupon.ErrorInvalidState, "input.id")
		if !strings.Contains(err.Error(), "cancelBatch") {
			t.Errorf("undoing it says %v", err)
		}
		s.checkSound(t)
		s.reopen(t)
	}
	waiting, err := s.WaitingBatches(t.Context())
	if err != nil || len(waiting) != 1 || waiting[0] != id {
		t.Fatalf("waiting: %v, %v", waiting, err)
	}
	s.clock.Advance(time.Hour)
	watch, stop := s.Watch(id)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.RunBatch(t.Context(), id) }()
	steps := 0
	for b := s.batch(t, id); !b.Status.IsFinal(); b = s.batch(t, id) {
		if b.Progress > 0 && b.Progress < 1 && b.MadeCount > 0 {
			steps++
		}
		if b.Count != 0 {
			t.Errorf("%d codes are there while it is %s", b.Count, b.Status)
		}
		<-watch
	}
	if err := <-done; err != nil || steps == 0 {
		t.Errorf("seen on its way %d times, %v", steps, err)
	}
	for range 2 {
		s.wantBatch(t, id, "SUCCEEDED 150000, 150000 of 150000, 1")
		if again := ask(); again.Batch.ID != id || len(again.Sample) != 10 || *again.GuessesForOneHit != fewest {
			t.Errorf("asked again: %+v", again)
		}
		code := s.code(t, ask().Sample[3])
		if *code.Label != "sport" || code.BatchID != id || !code.AddedAt.Equal(s.batch(t, id).CreatedAt) {
			t.Errorf("got %+v", code)
		}
		s.wantAvailability(t, c, "available 150000")
		if err := s.RunBatch(t.Context(), id); err != nil { // It is over: nothing is done.
			t.Error(err)
		}
		_, err := s.CancelBatch(t.Context(), id)
		wantError(t, err, coupon.ErrorInvalidState, "input.id")
		s.checkSound(t)
		s.reopen(t)
	}
	if _, err := s.UndoBatch(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if again := ask(); again.Batch.UndoneAt == nil || len(again.Sample) != 0 || again.GuessesForOneHit != nil {
		t.Errorf("after it was undone: %+v", again)
	}
	s.checkSound(t)
}

// TestCancelBatch calls a batch off while it waits, while its codes are drawn and while they are stored: none of them is left. A
// running one is stopped by the store's end, and made by the next one.
func TestCancelBatch(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	for _, from := range []float64{-1, 0.01, 0.7} {
		id := s.queueBatch(t, some(c, 200_000))
		done := make(chan error, 1)
		if from >= 0 {
			watch, stop := s.Watch(id)
			go func() { done <- s.RunBatch(t.Context(), id) }()
			for s.batch(t, id).Progress < from {
				<-watch
			}
			stop()
		}
		canceled, err := s.CancelBatch(t.Context(), id)
		if err != nil {
			t.Fatalf("at %v: %v", from, err)
		}
		if canceled.Status != coupon.ImportCanceled {
			t.Errorf("at %v it is %s", from, canceled.Status)
		}
		if from >= 0 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		} else if err := s.RunBatch(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		s.wantBatch(t, id, "CANCELED 0, 0 of 200000, 1")
		s.wantAvailability(t, c, "")
		if _, err := s.CancelBatch(t.Context(), id); err != nil {
			t.Errorf("canceled again: %v", err)
		}
		_, err = s.UndoBatch(t.Context(), id)
		wantError(t, err, coupon.ErrorInvalidState, "input.id")
		s.checkSound(t)
	}
	for _, id := range []coupon.ID{"batch_99", "import_1", ""} {
		_, err := s.CancelBatch(t.Context(), id)
		wantError(t, err, coupon.ErrorNotFound, "input.id")
	}
	s.codes(t, c, "", "A1")
	_, err := s.CancelBatch(t.Context(), "batch_4")
	wantError(t, err, coupon.ErrorInvalidState, "input.id")

	id := s.queueBatch(t, some(c, 200_000))
	ctx, cancel := context.WithCancel(t.Context())
	watch, stop := s.Watch(id)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.RunBatch(ctx, id) }()
	for s.batch(t, id).Progress == 0 {
		<-watch
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	s.reopen(t)
	s.wantBatch(t, id, "RUNNING 0, 0 of 200000, 0")
	s.wantAvailability(t, c, "available 1")
	if err := s.RunBatch(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.wantBatch(t, id, "SUCCEEDED 200000, 200000 of 200000, 1")
	s.wantAvailability(t, c, "available 200001")
	s.checkSound(t)
}

// TestBatchFails has something come between a request and its job: the batch tells why there are no codes.
func TestBatchFails(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	archived, crowded := s.newCoupon(t), s.newCoupon(t)
	late := s.queueBatch(t, some(archived, 10))
	if _, err := s.ArchiveCoupon(t.Context(), archived); err != nil {
		t.Fatal(err)
	}
	narrow := &db.GenerateRequest{CouponID: crowded, Count: 10, Pattern: "###", Alphabet: "0123456789"}
	short := s.queueBatch(t, narrow)
	s.codes(t, crowded, "", "A1")
	for id, why := range map[coupon.ID]string{late: "archived", short: "guess"} {
		if err := s.RunBatch(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		b := s.batch(t, id)
		if b.Status != coupon.ImportFailed || b.Failure == nil || !strings.Contains(strings.ToLower(*b.Failure), why) {
			t.Errorf("%s is %s: %v", id, b.Status, deref(b.Failure))
		}
		_, err := s.CancelBatch(t.Context(), id)
		wantError(t, err, coupon.ErrorInvalidState, "input.id")
	}
	failed, err := s.CodeBatches(t.Context(), nil, []coupon.ImportStatus{coupon.ImportFailed}, nil, coupon.Page{First: 9, WantsItems: true, WantsTotal: true})
	if err != nil || failed.Total != 2 || len(failed.Items) != 2 {
		t.Errorf("got %+v, %v", failed, err)
	}
	s.wantAvailability(t, crowded, "available 1")
	s.checkSound(t)
}
