package resolvers

import (
	"context"
	"errors"
	"testing"

	"couponql/coupon"
)

// TestLoadFailsOnce tells that the store is asked once for all objects of an answer, also when it
// gives an error.
func TestLoadFailsOnce(t *testing.T) {
	t.Parallel()
	errGone := errors.New("the caller has gone")
	asked := &field[coupon.ID]{"field"}
	for name, want := range map[string]error{"gives": nil, "fails": errGone} {
		ctx := withScope(t.Context())
		codes := []*coupon.Code{{ID: "code_1"}, {ID: "code_2"}, {ID: "code_3"}}
		show(ctx, codes...)
		times := 0
		for _, code := range codes {
			got, err := load(ctx, asked, code.ID,
				func(_ context.Context, ids []coupon.ID) (map[coupon.ID]coupon.ID, error) {
					times++
					found := map[coupon.ID]coupon.ID{}
					for _, id := range ids {
						found[id] = id
					}
					return found, want
				})
			if !errors.Is(err, want) || want == nil && got != code.ID {
				t.Errorf("%s: %s is %q, %v", name, code.ID, got, err)
			}
		}
		if times != 1 {
			t.Errorf("%s: the store was asked %d times", name, times)
		}
	}
}

// TestLoadersAreKeptApart: fields share what was read when they are the same and their arguments
// are equal, wherever these are kept; neither the name of a field nor what its arguments look like
// makes one of two.
func TestLoadersAreKeptApart(t *testing.T) {
	t.Parallel()
	ctx := withScope(t.Context())
	codes, others := &field[coupon.ID]{"codes"}, &field[coupon.ID]{"codes"}
	numbers := &field[int]{"codes"}
	filter := func(prefix string) *coupon.CodeFilter {
		from := coupon.DateTime("2026-11-01")
		return &coupon.CodeFilter{ValuePrefix: &prefix, AssignedFrom: &from}
	}
	page := coupon.Page{First: 2, After: &coupon.Cursor{Number: 7}}
	next := coupon.Page{First: 2, After: &coupon.Cursor{Number: 8}}
	for name, test := range map[string]struct {
		first, second *field[coupon.ID]
		// given and again are the arguments of two calls.
		given, again []any
		isShared     bool
	}{
		"no arguments":  {codes, codes, nil, nil, true},
		"equal filters": {codes, codes, []any{page, filter("A")}, []any{page, filter("A")}, true},
		"other filters": {codes, codes, []any{page, filter("A")}, []any{page, filter("B")}, false},
		"a filter without and with an empty text": {
			codes, codes, []any{page, &coupon.CodeFilter{}}, []any{page, filter("")}, false,
		},
		"lists that read alike": {
			codes, codes,
			[]any{[]coupon.MessageStatus{"SENT FAILED"}},
			[]any{[]coupon.MessageStatus{"SENT", "FAILED"}},
			false,
		},
		"other pages":  {codes, codes, []any{page}, []any{next}, false},
		"other fields": {codes, others, []any{page}, []any{page}, false},
	} {
		ctx := withScope(ctx)
		times := 0
		read := func(_ context.Context, ids []coupon.ID) (map[coupon.ID]coupon.ID, error) {
			times++
			return map[coupon.ID]coupon.ID{ids[0]: ids[0]}, nil
		}
		for _, call := range []struct {
			field     *field[coupon.ID]
			arguments []any
		}{{test.first, test.given}, {test.second, test.again}} {
			got, err := load(ctx, call.field, "code_1", read, call.arguments...)
			if err != nil || got != "code_1" {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		}
		if isShared := times == 1; isShared != test.isShared {
			t.Errorf("%s: the store was asked %d times", name, times)
		}
	}
	// A field of another type leaves what was read alone.
	for range 2 {
		if _, err := load(ctx, codes, "code_1",
			func(context.Context, []coupon.ID) (map[coupon.ID]coupon.ID, error) {
				return map[coupon.ID]coupon.ID{"code_1": "code_2"}, nil
			}); err != nil {
			t.Error(err)
		}
		got, err := load(ctx, numbers, "code_1",
			func(context.Context, []coupon.ID) (map[coupon.ID]int, error) {
				return map[coupon.ID]int{"code_1": 3}, nil
			})
		if err != nil || got != 3 {
			t.Errorf("got %d, %v", got, err)
		}
	}
	if count := len(scopeOf(ctx).loaders); count != 2 {
		t.Errorf("there are %d loaders of two fields", count)
	}
}
