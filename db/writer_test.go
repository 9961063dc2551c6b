package db

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// holdWriter keeps the writer busy until release is called: what is asked of it meanwhile waits.
func holdWriter(t *testing.T, s *Store) (release func()) {
	t.Helper()
	begun, end := make(chan struct{}), make(chan struct{})
	held := make(chan error, 1)
	go func() {
		held <- s.update(context.WithoutCancel(t.Context()), func(context.Context, *turn) error {
			close(begun)
			<-end
			return nil
		})
	}()
	<-begun
	return func() {
		close(end)
		if err := <-held; err != nil {
			t.Error(err)
		}
	}
}

// TestBusy tells that redemptions are refused at once when more wait than the store can do in a
// moment, that those which wait are done, and that it is over when they are.
func TestBusy(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	newAnonymousCoupon(t, s)
	release := holdWriter(t, s)
	const waiting, callers = duckdb.MaxWaiting, duckdb.MaxWaiting + 1000
	errs := make(chan error, callers)
	redeem := func() error {
		_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "ALL"})
		return err
	}
	for range callers {
		go func() { errs <- redeem() }()
	}
	busy := 0
	for range callers - waiting {
		select {
		case err := <-errs:
			if !errors.Is(err, ErrBusy) {
				t.Fatalf("got %v", err)
			}
			busy++
		case <-time.After(20 * time.Second):
			t.Fatalf("%d were refused, others neither done nor refused", busy)
		}
	}
	release()
	for range waiting {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	if err := redeem(); err != nil {
		t.Errorf("when nobody waits any more: %v", err)
	}
	list, err := s.Redemptions(t.Context(), nil, coupon.Page{First: 1, WantsTotal: true})
	if err != nil || list.Total != waiting+1 {
		t.Errorf("%d redemptions were recorded, %v, instead of %d", list.Total, err, waiting+1)
	}
}

// TestTillsGoFirst: a redemption waits for the write that is under way and for no more of those
// that came before it, and those have their turns all the same.
func TestTillsGoFirst(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	newAnonymousCoupon(t, s)
	const writes, redemptions = 50, 200
	done := make(chan error, 1+writes)
	release := holdWriter(t, s)
	var finished atomic.Int64
	for range writes {
		go func() {
			done <- s.update(context.WithoutCancel(t.Context()),
				func(context.Context, *turn) error {
					finished.Add(1)
					return nil
				})
		}()
	}
	waitFor(t, "all writes wait", func() bool { return alonesOf(s) >= writes })
	first := make(chan int64, 1)
	go func() {
		done <- s.join(context.WithoutCancel(t.Context()), 1, func(*group) error {
			first <- finished.Load()
			return nil
		})
	}()
	waitFor(t, "a redemption waits", func() bool { return joinsOf(s) > 0 })
	release()
	if before := <-first; before > 0 {
		t.Errorf("a redemption came after %d of %d writes", before, writes)
	}
	// Tills that never stop hold nobody up.
	for range redemptions {
		if _, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "ALL"}); err != nil {
			t.Fatal(err)
		}
	}
	if got := finished.Load(); got != writes {
		t.Errorf("after %d redemptions %d of %d writes are done", redemptions, got, writes)
	}
	for range 1 + writes {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestPanicInGroup: of a request that fails half-way nothing is recorded, while those that share
// its transaction are.
func TestPanicInGroup(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	newAnonymousCoupon(t, s)
	release := holdWriter(t, s)
	keys := []string{"k", "l"}
	panicked, shared := make(chan error, 1), make(chan error, 1)
	go func() {
		panicked <- s.join(context.WithoutCancel(t.Context()), len(keys), func(g *group) error {
			for _, key := range keys {
				if outcome, _ := g.redeem(&coupon.RedeemRequest{
					Value: "ALL", IdempotencyKey: &key,
				}); outcome.Redemption == nil {
					return outcome.Refusal
				}
			}
			panic("a bug")
		})
	}()
	waitFor(t, "a redemption waits", func() bool { return joinsOf(s) > 0 })
	go func() {
		_, err := s.Redeem(context.WithoutCancel(t.Context()), &coupon.RedeemRequest{Value: "ALL"})
		shared <- err
	}()
	waitFor(t, "the second redemption waits", func() bool { return joinsOf(s) > 1 })
	release()
	if err := <-panicked; err == nil || !strings.Contains(err.Error(), "a bug") {
		t.Errorf("the request that panicked got %v", err)
	}
	if err := <-shared; err != nil {
		t.Errorf("the one that shared its transaction got %v", err)
	}
	for _, key := range keys {
		if _, err := s.Redeem(t.Context(),
			&coupon.RedeemRequest{Value: "ALL", IdempotencyKey: &key}); err != nil {
			t.Errorf("with the key %s of the request that panicked: %v", key, err)
		}
	}
	// The numbers that the panic took are not given out again.
	got := s.Texts(t, "SELECT coalesce(idempotency_key, '') FROM redemption ORDER BY id")
	if want := []string{"", "k", "l"}; !slices.Equal(got, want) {
		t.Errorf("recorded are %q, want %q", got, want)
	}
}

// joinsOf counts the requests that wait to share a turn, and alonesOf those that wait for one of
// their own.
func joinsOf(s *Store) int {
	joins, _ := s.writer.Waiting()
	return joins
}

func alonesOf(s *Store) int {
	_, alones := s.writer.Waiting()
	return alones
}
