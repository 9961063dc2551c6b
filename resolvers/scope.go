package resolvers

import (
	"context"
	"encoding/json"
	"fmt"
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
	loaders map[loaderKey]any
	// wantedOfCodes is what the operation wants to know of codes, once somebody asked.
	wanted        sync.Once
	wantedOfCodes coupon.CodeState
}

// loaderKey tells the loader of a field with its arguments.
type loaderKey struct {
	// field is a *field[V], whose loader is a *loader[V].
	field     any
	arguments string
}

type scopeKey struct{}

// withScope returns a context with a fresh scope.
func withScope(ctx context.Context) context.Context {
	return context.WithValue(ctx, scopeKey{}, &scope{shown: map[coupon.Kind]map[coupon.ID]struct{}{}, loaders: map[loaderKey]any{}})
}

func scopeOf(ctx context.Context) *scope {
	if s, ok := ctx.Value(scopeKey{}).(*scope); ok {
		return s
	}
	// Nothing is shared without a scope, but everything still works.
	return &scope{shown: map[coupon.Kind]map[coupon.ID]struct{}{}, loaders: map[loaderKey]any{}}
}

// referrer is an object that tells which ids it shows.
type referrer interface{ Refers() []coupon.ID }

// show remembers objects, and those they refer to, as part of the answer.
func show[T referrer](ctx context.Context, objects ...T) {
	s := scopeOf(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, object := range objects {
		s.add(object.Refers())
	}
}

func (s *scope) add(ids []coupon.ID) {
	for _, id := range ids {
		kind := id.Kind()
		if s.shown[kind] == nil {
			s.shown[kind] = map[coupon.ID]struct{}{}
		}
		s.shown[kind][id] = struct{}{}
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

// reading reads what a field gives for objects. What is not there gives the zero value.
type reading[V any] = func(context.Context, []coupon.ID) (map[coupon.ID]V, error)

// load returns what a field with its arguments gives for an object. It reads that for all objects of the kind
// that the answer shows.
func load[V any](ctx context.Context, f *field[V], id coupon.ID, read reading[V], arguments ...any) (V, error) {
	s := scopeOf(ctx)
	l, err := loaderOf(s, f, arguments)
	if err != nil {
		var zero V
		return zero, err
	}
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
	found, err := read(ctx, ids)
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

// loaderOf returns the loader of a field with its arguments.
func loaderOf[V any](s *scope, f *field[V], arguments []any) (*loader[V], error) {
	key := loaderKey{field: f}
	if len(arguments) > 0 {
		// Arguments that are equal have the same text, whatever they point to.
		text, err := json.Marshal(arguments)
		if err != nil {
			return nil, fmt.Errorf("tell the arguments of %s: %w", f.name, err)
		}
		key.arguments = string(text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l, isKnown := s.loaders[key].(*loader[V])
	if !isKnown {
		l = &loader[V]{asked: map[coupon.ID]bool{}, found: map[coupon.ID]V{}}
		s.loaders[key] = l
	}
	return l, nil
}

// loadShown is load for a field that gives an object, which is then part of the answer too.
func loadShown[V referrer](ctx context.Context, f *field[V], id *coupon.ID, read reading[V]) (V, error) {
	if id == nil {
		var none V
		return none, nil
	}
	return load(ctx, f, *id, func(ctx context.Context, ids []coupon.ID) (map[coupon.ID]V, error) {
		found, err := read(ctx, ids)
		for _, object := range found {
			show(ctx, object)
		}
		return found, err
	})
}

// loadEach is loadShown for a field that gives objects whose ids are known, in one statement.
func loadEach[V referrer](ctx context.Context, f *field[V], ids []coupon.ID, read reading[V]) ([]V, error) {
	s := scopeOf(ctx)
	s.mu.Lock()
	s.add(ids)
	s.mu.Unlock()
	objects := make([]V, len(ids))
	for i := range ids {
		var err error
		if objects[i], err = loadShown(ctx, f, &ids[i], read); err != nil {
			return nil, err
		}
	}
	return objects, nil
}

// loadList is load for a field that gives a page of each object: what is on any of the pages is part of the
// answer at once, so that the fields of all of it share their statements whichever is answered first.
func loadList[N referrer](
	ctx context.Context, f *field[*coupon.List[N]], id coupon.ID, read reading[*coupon.List[N]], arguments ...any,
) (*coupon.List[N], error) {
	return load(ctx, f, id, func(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.List[N], error) {
		found, err := read(ctx, ids)
		for _, list := range found {
			show(ctx, list.Items...)
		}
		return found, err
	}, arguments...)
}
