package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

// TestCallerGone: a long use case that has begun comes to its end when its caller goes away, and
// one that has not begun does not begin.
func TestCallerGone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "A1", "A2")
	id := s.newDelivery(t, c, s.recipients(t, 2))
	imported := s.importFile(t, newImport(coupon.ImportCodes, into(c)),
		"code\n"+strings.Join(numbered("U", 30000), "\n")).ID
	steps := []struct {
		name string
		do   func(ctx context.Context, cancel func()) error
		want string
	}{
		{"analysis", func(ctx context.Context, cancel func()) error {
			_, err := s.AnalyzeWith(ctx, id, fine, cancel)
			return err
		}, "available 30000, held 2"},
		{"confirmation", func(ctx context.Context, cancel func()) error {
			_, err := s.ConfirmWith(ctx, id, fine, cancel)
			return err
		}, "available 30000, assigned 2"},
		{"generation", func(ctx context.Context, cancel func()) error {
			stop := s.onceBegun(cancel)
			defer stop()
			_, err := s.GenerateCodes(ctx, &db.GenerateRequest{
				CouponID: c, Count: 20000, Pattern: "G#########", Alphabet: "ABCDEFGHJK",
			})
			return err
		}, "available 50000, assigned 2"},
		{"undo", func(ctx context.Context, cancel func()) error {
			stop := s.onceBegun(cancel)
			defer stop()
			_, err := s.UndoImport(ctx, imported)
			return err
		}, "available 20000, assigned 2"},
	}
	before := s.availability(t, c)
	for _, step := range steps {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := step.do(ctx, func() {}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s for a caller who has gone: %v", step.name, err)
		}
		if diff := cmp.Diff(before, s.availability(t, c)); diff != "" {
			t.Errorf("%s for a caller who has gone (-before +after):\n%s", step.name, diff)
		}
	}
	for _, step := range steps {
		ctx, cancel := context.WithCancel(t.Context())
		// What it came to is read when it is done, which nobody waits for any more.
		if err := step.do(ctx, cancel); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", step.name, err)
		}
		if ctx.Err() == nil {
			t.Errorf("%s: its caller did not go", step.name)
		}
		s.wantAvailability(t, c, step.want)
	}
	s.checkSound(t)
}

// onceBegun has do called when a use case has begun beside the writer.
func (s *scene) onceBegun(do func()) (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for s.Workload().Additions == 0 {
			select {
			case <-ended:
				return
			case <-time.After(50 * time.Microsecond):
			}
		}
		do()
	}()
	return func() {
		close(ended)
		<-done
	}
}
