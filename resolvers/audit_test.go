package resolvers

import (
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db/snapshot"
)

// TestHarmlessSQL: whatever may be a code or a name in a query does not come into the audit log,
// however it is written.
func TestHarmlessSQL(t *testing.T) {
	t.Parallel()
	const mask = "'" + coupon.Mask + "'"
	for query, want := range map[string]string{
		"SELECT value FROM codes WHERE value = 'SECRET'": "SELECT value FROM codes WHERE value = " +
			mask,
		"SELECT c.value, r1.\"email\" FROM codes c WHERE c.\"ADA\" = ADA AND ΣΕCRET": "SELECT c.value, r1.\"email\" FROM codes c WHERE c." + mask +
			" = " + mask + " AND " + mask,
		"SELECT 1000, 12345, SECRET00, 1SECRET, snapshot.ADA": "SELECT 1000, " + mask + ", " +
			mask + ", " + mask + ", " + mask,
		"SELECT \"ADA": "SELECT " + mask,
		"SELECT 'it''s SECRET', \"value\" FROM codes LIMIT 10": "SELECT " + mask +
			", \"value\" FROM codes LIMIT 10",
		"SELECT e'it\\'s SECRET', E'\\\\', 1": "SELECT " + mask + ", " +
			mask + ", 1",
		"SELECT 1, $x$SECRET $$ SECRET$x$, $$SECRET$$": "SELECT 1, " + mask,
		"SELECT 1 -- SECRET\nFROM codes /* SECRET\n */": "SELECT 1 " + mask +
			"\nFROM codes " + mask,
		"SELECT 'SECRET":   "SELECT " + mask,
		"SELECT /* SECRET": "SELECT " + mask,
		"SELECT $$SECRET":  "SELECT " + mask,
		"SELECT * FROM codes WHERE value = 12345678": "SELECT * FROM codes WHERE value = " + mask,
	} {
		if got := cutText(snapshot.HarmlessSQL(query)); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	// A text that is cut in its middle was masked before.
	long := "SELECT " + strings.Repeat("1, ", 60) + "'SECRET that goes on and on'"
	if got := cutText(snapshot.HarmlessSQL(long)); strings.Contains(got, "SECRET") ||
		len([]rune(got)) > coupon.MaxAuditText+1 {
		t.Errorf("got %s", got)
	}
}
