package command

import (
	"reflect"
	"strings"
	"testing"

	"couponql/coupon"
)

// TestAdviceNamesFlags tells that whatever the server says of an option of an import is told by its
// flag, and that there is such a flag.
func TestAdviceNamesFlags(t *testing.T) {
	t.Parallel()
	flags := map[string]bool{}
	for field := range reflect.TypeFor[importFlags]().Fields() {
		name := strings.ToLower(field.Name)
		flags["--"+name] = true
		if _, isNegatable := field.Tag.Lookup("negatable"); isNegatable {
			flags["--no"+name] = true
		}
	}
	for option := range reflect.TypeFor[coupon.FileOptions]().Fields() {
		name, _, _ := strings.Cut(option.Tag.Get("json"), ",")
		for _, value := range []string{"", ": true", ": false"} {
			got := strings.TrimSuffix(inFlags("options."+name+value), value)
			if !strings.HasPrefix(got, "--") || !flags["--"+strings.ReplaceAll(got[2:], "-", "")] {
				t.Errorf("options.%s%s is told as %q, which is no flag", name, value, got)
			}
		}
	}
}
