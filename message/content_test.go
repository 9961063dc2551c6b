package message_test

import (
	"strings"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/message"
)

// TestCheckContentSample: what fails when it is rendered is told by the analysis, before every
// message fails.
func TestCheckContentSample(t *testing.T) {
	t.Parallel()
	c := &coupon.Coupon{
		Type: coupon.TypeIndividual, Code: "CPN1", StartsAt: time.Now(), Timezone: "UTC",
	}
	for body, want := range map[string]string{
		"{{ couponValue.code }} {{ recipient.firstName | default: 'you' }}":             "",
		"{{ couponValue.code }}{% for i in (1..20000) %}x{% endfor %}":                  "A range has at most 10000 numbers. (body, line 1, column 35)",
		"{{ couponValue.code }}\n{{ 1 | divided_by: recipient.attributes.zero }}":       "cannot divide by zero. (body, line 2, column 8)",
		"{{ couponValue.code }}{% for tag in recipient.attributes.tags %}x{% endfor %}": "",
	} {
		found := message.CheckContent(&coupon.Delivery{Label: "L", Body: body}, c)
		if len(found.Problems) > 0 || len(found.Warnings) > 1 ||
			(len(found.Warnings) == 1) != (want != "") ||
			want != "" && !strings.Contains(found.Warnings[0], want) {
			t.Errorf("%q: got %v and %q, want %q", body, found.Problems, found.Warnings, want)
		}
	}
}
