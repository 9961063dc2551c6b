package resolvers

import (
	"context"
	"reflect"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"

	"couponql/background"
	"couponql/coupon"
	"couponql/db"
)

const (
	// minEventInterval keeps a subscription from sending more than a person can read.
	minEventInterval = 100 * time.Millisecond
	// lookInterval is how long what changes by itself may go unseen: the rate of a delivery that
	// stands still.
	lookInterval = 5 * time.Second
)

// follow sends an object now and whenever it changed, until it is over or the client goes away. It
// returns NOT_FOUND for an object that is not there.
func follow[T any](
	ctx context.Context,
	store *db.Store,
	kind coupon.Kind,
	id coupon.ID,
	read func(context.Context, []coupon.ID) (map[coupon.ID]*T, error),
	isOver func(*T) bool,
) (<-chan *T, error) {
	changed, stop := store.Watch(id)
	found, err := read(ctx, []coupon.ID{id})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(kind, id).At("id")
	}
	if err != nil {
		stop()
		return nil, err
	}
	events := make(chan *T)
	background.Go(func() error {
		for last := found[id]; last != nil; {
			select {
			case events <- last:
			case <-ctx.Done():
				return nil
			}
			if isOver(last) {
				return nil
			}
			var err error
			last, err = nextState(ctx, changed, last, func() (*T, error) {
				found, err := read(ctx, []coupon.ID{id})
				return found[id], err
			})
			if err != nil {
				return err
			}
		}
		return nil
	}, func(err error) {
		endStream(ctx, err)
		close(events)
		stop()
	})
	return events, nil
}

// endStream logs why a stream ends that has not come to its end, and tells the client unless that
// has gone.
func endStream(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	// Of the transports only the WebSocket has a place for an error at the end; the others panic.
	_ = background.Run(func() error {
		graphql.AddError(ctx, err)
		for _, presented := range graphql.GetErrors(ctx) {
			transport.AddSubscriptionError(ctx, presented)
		}
		return nil
	})
}

// nextState waits until an object is other than it was, and gives it; nil when it is gone or the
// client is.
func nextState[T any](
	ctx context.Context, changed <-chan struct{}, last *T, read func() (*T, error),
) (*T, error) {
	for {
		if !wait(ctx, changed, time.After(lookInterval)) {
			return nil, nil
		}
		next, err := read()
		if err != nil || next == nil || !reflect.DeepEqual(next, last) {
			return next, err
		}
	}
}

func isDeliveryOver(d *coupon.Delivery) bool {
	return d.Status == coupon.DeliveryFinished || d.Status == coupon.DeliveryStopped ||
		d.Status == coupon.DeliveryFailed
}

func isImportOver(i *coupon.Import) bool { return i.Status.IsFinal() }

func isBatchOver(b *coupon.CodeBatch) bool { return b.Status.IsFinal() }

func isExportOver(e *coupon.Export) bool { return e.Status.IsFinal() }

// wait waits until something changed or it is time to look (nil: never), and a moment longer, in
// which more may change; false when the client is gone.
func wait(ctx context.Context, changed <-chan struct{}, look <-chan time.Time) bool {
	select {
	case <-changed:
	case <-look:
	case <-ctx.Done():
		return false
	}
	select {
	case <-time.After(minEventInterval):
		return true
	case <-ctx.Done():
		return false
	}
}
