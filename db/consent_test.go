package db_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// TestOptOutsAreRead imports people of whom columns say in several ways that they are not to be
// contacted, in every format, into a database that knows some of them.
func TestOptOutsAreRead(t *testing.T) {
	t.Parallel()
	columns := []string{"externalId", "unsubscribed_at", "blacklisted", "newsletter", "status"}
	rows := [][]string{
		{"r1", "2026-11-24 10:15:00", "", "", ""},
		{"r2", "", "yes", "", ""},
		{"r3", "", "no", "yes", "subscribed"},
		{"r4", "", "", "no", "gold"},
		{"r5", "", "", "", "Cleaned"},
		{"r6", "soon", "", "", ""},
		{"r7", "", "no", "yes", "subscribed"},
		{"n1", "", "1", "", ""},
		{"n2", "", "0", "weekly", ""},
		{"n3", "", "", "", "pending"},
	}
	for _, format := range allFormats() {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			for _, id := range []string{"r1", "r2", "r3", "r4", "r5", "r6", "r7"} {
				s.upsert(t, &coupon.RecipientChanges{
					ExternalID: id, IsContactable: coupon.Set(new(id != "r7")),
				})
			}
			i := s.importFile(t, newImport(coupon.ImportRecipients),
				fileOf(t, format, columns, rows...))
			wantImport(t, i, "SUCCEEDED 10 = 9 + 1")
			first := 2 // the line of the first row
			if format == coupon.FormatJSONL || format == coupon.FormatParquet {
				first = 1
			}
			s.wantRejections(t, i.ID, fmt.Sprintf("%d BAD_FLAG soon", first+5))
			for id, want := range map[string]bool{
				"r1": false, "r2": false, "r3": true, "r4": false, "r5": false, "r6": true,
				"r7": false, "n1": false, "n2": true, "n3": false,
			} {
				if got := s.person(t,
					id); got[len(got)-len(fmt.Sprint(want)):] != fmt.Sprint(want) {
					t.Errorf("%s: got %s, want %t", id, got, want)
				}
			}
			got := warned(i)
			slices.Sort(got)
			want := []string{
				fmt.Sprintf("GUESSED_OPT_OUT 3 %d no", first+3),
				"NO_CONSENT_COLUMN 1 0 isContactable", "SUSPECTED_CONSENT 2 0 newsletter",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			if got, want := s.person(t,
				"r4"), `- - {"newsletter":"no","status":"gold"} false`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			s.checkSound(t)
		})
	}
}
