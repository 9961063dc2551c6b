package resolvers

import (
	"context"
	"reflect"
	"time"

	"couponql/coupon"
	"couponql/db"
)

const (
	// minEventInterval keeps a subscription from sending more than a person can read.
	minEventInterval = 100 * time.Millisecond
	// lookInterval is how long what changes by itself may go unseen: the rate of a delivery that stands still.
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
	go func() {
		defer stop()
		defer close(events)
		last := found[id]
		for {
			select {
			case events <- last:
			case <-ctx.Done():
				return
			}
			if isOver(last) {
				return
			}
			next := nextState(ctx, changed, last, func() *T {
				found, err := read(ctx, []coupon.ID{id})
				if err != nil {
					return nil
				}
				return found[id]
			})
			if next == nil {
				return
			}
			last = next
		}
	}()
	return events, nil
}

// nextState waits until an object is other than it was, and gives it; nil when it is gone or the client
// is.
func nextState[T any](ctx context.Context, changed <-chan struct{}, last *T, read func() *T) *T {
	for {
		if !wait(ctx, changed, time.After(lookInterval)) {
			return nil
		}
		next := read()
		if next == nil || !reflect.DeepEqual(next, last) {
			return next
		}
	}
}

func isDeliveryOver(d *coupon.Delivery) bool {
	return d.Status == coupon.DeliveryFinished || d.Status == coupon.DeliveryStopped || d.Status == coupon.DeliveryFailed
}

func isImportOver(i *coupon.Import) bool { return i.Status.IsFinal() }

func isExportOver(e *coupon.Export) bool { return e.Status.IsFinal() }

// wait waits until something changed or it is time to look (nil: never), and a moment longer, in which more may change;
// false when the client is gone.
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
