package resolvers

import (
	"context"
	"sync"

	"couponql/coupon"
)

// scope remembers, while one operation is answered, which objects the answer has shown so far. When a
// field of one of them needs the store, it is asked for all objects of the kind that were shown and not
// asked for yet, in one statement. So a page costs the same few statements however many rows it has, in
// `nodes`, in `edges.node` and in lists inside lists, without timers.
//
// A scope lives for one query, one mutation field or one event of a subscription: what a mutation
// changes, the next one must not answer from memory.
type scope struct {
	mu      sync.Mutex
	shown   map[coupon.Kind]map[coupon.ID]struct{}
	loaders map[string]any
}

type scopeKey struct{}

// withScope gives a context with a fresh scope.
func withScope(ctx context.Context) context.Context {
	return context.WithValue(ctx, scopeKey{}, &scope{shown: map[coupon.Kind]map[coupon.ID]struct{}{}, loaders: map[string]any{}})
}

func scopeOf(ctx context.Context) *scope {
	if s, ok := ctx.Value(scopeKey{}).(*scope); ok {
		return s
	}
	// Nothing is shared without a scope, but everything still works.
	return &scope{shown: map[coupon.Kind]map[coupon.ID]struct{}{}, loaders: map[string]any{}}
}

// show remembers objects, and those they refer to, as part of the answer.
func show[T any](ctx context.Context, objects ...T) {
	s := scopeOf(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, object := range objects {
		switch o := any(object).(type) {
		case *coupon.Coupon:
			s.add(o.ID)
		case *coupon.Code:
			s.add(o.ID, o.CouponID)
			s.addOptional(o.DeliveryID, o.RecipientID, o.ImportID)
		case *coupon.Recipient:
			s.add(o.ID)
		case *coupon.Delivery:
			s.add(o.ID)
			s.addOptional(o.CouponID)
		case *coupon.ExcludedRecipient:
			s.add(o.RecipientID)
		case *coupon.Message:
			s.add(o.ID, o.DeliveryID, o.RecipientID)
			s.addOptional(o.CodeID)
		case *coupon.Redemption:
			s.add(o.ID, o.CouponID)
			s.addOptional(o.CodeID)
		case *coupon.Import:
			s.add(o.ID)
			s.addOptional(o.CouponID)
		case *coupon.CodeEvent:
			s.addOptional(o.DeliveryID)
		case *coupon.StatsRow:
			s.addOptional(o.CouponID, o.DeliveryID)
		case *coupon.PlannedDelivery:
			s.add(o.DeliveryID)
		case *coupon.DeliveryComparison:
			s.add(o.DeliveryID)
		case *coupon.Alert:
			s.addOptional(o.CouponID, o.DeliveryID, o.ImportID)
		}
	}
}

func (s *scope) add(ids ...coupon.ID) {
	for _, id := range ids {
		kind := id.Kind()
		if s.shown[kind] == nil {
			s.shown[kind] = map[coupon.ID]struct{}{}
		}
		s.shown[kind][id] = struct{}{}
	}
}

func (s *scope) addOptional(ids ...*coupon.ID) {
	for _, id := range ids {
		if id != nil {
			s.add(*id)
		}
	}
}

// loader keeps what one field (with its arguments) gave for each object that was asked for.
type loader[V any] struct {
	mu    sync.Mutex
	asked map[coupon.ID]bool
	found map[coupon.ID]V
	// err is why the store gave nothing. Every object of an answer would ask again, also when the caller has long gone.
	err error
}

// load gives what fetch gives for an object, fetching for all objects of the kind that the answer shows.
// name is that of the field and its arguments. What fetch does not give is the zero value.
func load[V any](ctx context.Context, name string, id coupon.ID, fetch func(context.Context, []coupon.ID) (map[coupon.ID]V, error)) (V, error) {
	s := scopeOf(ctx)
	s.mu.Lock()
	l, ok := s.loaders[name].(*loader[V])
	if !ok {
		l = &loader[V]{asked: map[coupon.ID]bool{}, found: map[coupon.ID]V{}}
		s.loaders[name] = l
	}
	s.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked[id] || l.err != nil {
		return l.found[id], l.err
	}
	ids := []coupon.ID{id}
	s.mu.Lock()
	for other := range s.shown[id.Kind()] {
		if other != id && !l.asked[other] {
			ids = append(ids, other)
		}
	}
	s.mu.Unlock()
	found, err := fetch(ctx, ids)
	if l.err = err; err != nil {
		var zero V
		return zero, err
	}
	for _, one := range ids {
		l.asked[one] = true
		if value, ok := found[one]; ok {
			l.found[one] = value
		}
	}
	return l.found[id], nil
}

// loadShown is load for a field that gives an object, which is then part of the answer too.
func loadShown[V any](ctx context.Context, name string, id *coupon.ID, fetch func(context.Context, []coupon.ID) (map[coupon.ID]V, error)) (V, error) {
	if id == nil {
		var none V
		return none, nil
	}
	return load(ctx, name, *id, func(ctx context.Context, ids []coupon.ID) (map[coupon.ID]V, error) {
		found, err := fetch(ctx, ids)
		for _, object := range found {
			show(ctx, object)
		}
		return found, err
	})
}

// loadList is load for a field that gives a page of each object: what is on any of the pages is part of the
// answer at once, so that the fields of all of it share their statements whichever is answered first.
func loadList[N any](
	ctx context.Context,
	name string,
	id coupon.ID,
	fetch func(context.Context, []coupon.ID) (map[coupon.ID]*coupon.List[N], error),
) (*coupon.List[N], error) {
	return load(ctx, name, id, func(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.List[N], error) {
		found, err := fetch(ctx, ids)
		for _, list := range found {
			show(ctx, list.Items...)
		}
		return found, err
	})
}
