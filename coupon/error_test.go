package coupon

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// problemLines returns the problems in err, each as "path CODE: message", and fails the test when err is internal.
func problemLines(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	problems, ok := AsUserErrors(err)
	if !ok {
		t.Fatalf("got the internal error %v, want UserErrors", err)
	}
	lines := make([]string, len(problems))
	for i, problem := range problems {
		lines[i] = fmt.Sprintf("%s %s: %s", strings.Join(problem.Field, "."), problem.Code, problem.Message)
	}
	return lines
}

func TestAsUserErrors(t *testing.T) {
	t.Parallel()
	one := Errorf(ErrorInvalid, "Mend the %s.", "label").At("input", "label")
	two := Errorf(ErrorNotFound, "There is no such thing.")
	internal := errors.New("disk is full")
	tests := map[string]struct {
		err  error
		want UserErrors
	}{
		"one":                     {err: one, want: UserErrors{one}},
		"one, wrapped":            {err: fmt.Errorf("apply: %w", one), want: UserErrors{one}},
		"one, joined to internal": {err: errors.Join(internal, two), want: UserErrors{two}},
		"several":                 {err: UserErrors{one, two}, want: UserErrors{one, two}},
		"several, wrapped":        {err: fmt.Errorf("apply: %w", UserErrors{one, two}), want: UserErrors{one, two}},
		"internal":                {err: internal},
		"none":                    {err: nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := AsUserErrors(test.err)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if want := test.want != nil; ok != want {
				t.Errorf("got ok %t, want %t", ok, want)
			}
		})
	}
}

func TestUserErrorTexts(t *testing.T) {
	t.Parallel()
	one, two := Errorf(ErrorInvalid, "First."), Errorf(ErrorInvalid, "Second.")
	tests := map[string]struct {
		err  error
		want string
	}{
		"one":       {err: one, want: "First."},
		"several":   {err: UserErrors{one, two}, want: "First.\nSecond."},
		"none":      {err: UserErrors{}, want: ""},
		"not found": {err: NotFound(KindCoupon, `coupon_"7`), want: `There is no coupon with the id "coupon_\"7".`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.err.Error(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestUserErrorsOrNil(t *testing.T) {
	t.Parallel()
	for _, none := range []UserErrors{nil, {}} {
		if got := none.OrNil(); got != nil {
			t.Errorf("got %#v for %#v, want nil", got, none)
		}
	}
	some := UserErrors{Errorf(ErrorInvalid, "First.")}
	if got := some.OrNil(); !cmp.Equal(got, error(some)) {
		t.Errorf("got %#v, want %#v", got, some)
	}
}

// TestUnder: what others may hold stays as it is, a problem without a field keeps none, and what is internal is left alone.
func TestUnder(t *testing.T) {
	t.Parallel()
	one := Errorf(ErrorInvalid, "Mend it.").At("filter", "labels")
	two := Errorf(ErrorNotFound, "There is no such thing.")
	for name, test := range map[string]struct {
		err  error
		want []string
	}{
		"one":            {fmt.Errorf("look: %w", one), []string{"input.filter.labels INVALID: Mend it."}},
		"without fields": {two, []string{" NOT_FOUND: There is no such thing."}},
		"several":        {UserErrors{one, two}, []string{"input.filter.labels INVALID: Mend it.", " NOT_FOUND: There is no such thing."}},
		"none":           {nil, nil},
	} {
		if diff := cmp.Diff(test.want, problemLines(t, Under(test.err, "input"))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff([]string{"filter", "labels"}, one.Field); diff != "" || two.Field != nil {
		t.Errorf("the errors themselves have changed (-want +got):\n%s", diff)
	}
	internal := errors.New("disk is full")
	if got := Under(internal, "input"); !errors.Is(got, internal) {
		t.Errorf("got %v", got)
	}
}
