package db_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
)

func mostRejections(most int) func(*coupon.Import) {
	return func(i *coupon.Import) { i.Options.MaxRejections = &most }
}

// TestMaxRejections tells when an import ends at too many bad rows, of each kind, and that its rows
// are accounted for.
func TestMaxRejections(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "OLD1", "OLD2")
	delivery := s.newDelivery(t, c, s.recipients(t, 2))
	long := strings.Repeat("x", 300)
	bad := func(header, row string, count int) string {
		return header + "\n" + strings.Repeat(row+"\n", count)
	}
	tests := map[string]struct {
		i          *coupon.Import
		text, want string
	}{
		"codes": {
			newImport(coupon.ImportCodes, into(c), mostRejections(3)),
			"code\nA1\n" + bad(long, long, 9) + "A2\n", "FAILED 5 = 0 + 4",
		},
		"as many": {
			newImport(coupon.ImportCodes, into(c), mostRejections(3)),
			"code\nB1\n" + bad(long, long, 2) + "B2\n", "SUCCEEDED 5 = 2 + 3",
		},
		"none": {
			newImport(coupon.ImportCodes, into(c), mostRejections(0)),
			"code\nA1\n" + bad(long, long, 5) + "A2\n", "FAILED 2 = 0 + 1",
		},
		"that exist": {
			newImport(coupon.ImportCodes, into(c), mostRejections(1)), "code\nA1\nOLD1\nOLD2\nA2\n",
			"FAILED 4 = 0 + 2",
		},
		"voided": {newImport(coupon.ImportCodes, into(c), withMode(coupon.ImportVoid), mostRejections(0)), "code\nOLD1\nX1\n", "FAILED 2 = 0 + 1"},
		"a dry run": {
			newImport(coupon.ImportCodes, into(c), dryRun, mostRejections(1)),
			"code\nA1\n" + bad(long, long, 9), "FAILED 3 = 0 + 2",
		},
		"of both kinds": {
			newImport(coupon.ImportCodes, into(c), rejectFile, mostRejections(3)),
			"code\nA1\n" + bad(long, long, 1) + "A2\n",
			"FAILED 4 = 0 + 2",
		},
		"recipients": {
			newImport(coupon.ImportRecipients, mostRejections(2)),
			bad("externalId,email", long+",x", 9), "FAILED 3 = 0 + 3",
		},
		"targets": {
			newImport(coupon.ImportTargets, into(delivery), mostRejections(2)),
			bad("externalId,email", long+",x", 9), "FAILED 3 = 0 + 3",
		},
		"redemptions": {
			newImport(coupon.ImportRedemptions, mostRejections(2)),
			bad("code,redeemedAt", "OLD1,never", 9), "FAILED 3 = 0 + 3",
		},
		"bounces": {
			newImport(coupon.ImportBounces, mostRejections(2)),
			bad("messageId,kind", "message_1,odd", 9), "FAILED 3 = 0 + 3",
		},
	}
	for name, test := range tests {
		i := s.importFile(t, test.i, test.text)
		t.Log(name)
		wantImport(t, i, test.want)
		if isFailed := i.Status == coupon.ImportFailed; isFailed != (i.Failure != nil) ||
			isFailed && name != "of both kinds" &&
				!strings.Contains(*i.Failure,
					fmt.Sprintf("more than the %d that maxRejections allows",
						*test.i.Options.MaxRejections)) {
			t.Errorf("%s: failure %v", name, i.Failure)
		}
	}
	if got := strings.Join(s.values(t, c), " "); got != "B1 B2 OLD1 OLD2" {
		t.Errorf("codes: %s", got)
	}
	s.checkSound(t)
	wrong := newImport(coupon.ImportCodes, into(c), mostRejections(-1))
	wantError(t, wrong.Check(), coupon.ErrorInvalid, "input.options.maxRejections")
}

// endless gives lines that are no codes, as many as are read.
type endless struct {
	line string
	left int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n+len(e.line) <= len(p) && e.left > 0 {
		n += copy(p[n:], e.line)
		e.left -= int64(len(e.line))
	}
	return n, nil
}

// TestMaxRejectionsEndEarly tells that a large file whose first rows are bad is not read to its
// end.
func TestMaxRejectionsEndEarly(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	for _, test := range []struct {
		i      *coupon.Import
		header string
		line   string
	}{
		{
			newImport(coupon.ImportCodes, into(c), mostRejections(100)), "code\n",
			strings.Repeat("x", 300) + "\n",
		},
		{
			newImport(coupon.ImportRedemptions, mostRejections(100)), "code,redeemedAt\n",
			"A1,never\n",
		},
	} {
		const size = 4 << 20
		upload, err := s.Receive(t.Context(), "large.csv",
			io.MultiReader(strings.NewReader(test.header), &endless{test.line, size}))
		if err != nil {
			t.Fatal(err)
		}
		queued, err := s.CreateImport(t.Context(), test.i, upload.ID, true)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := s.RunImport(t.Context(), queued.ID); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s ended after %s", test.i.Kind, time.Since(began))
		wantImport(t, s.imported(t, queued.ID), "FAILED 101 = 0 + 101")
	}
	s.checkSound(t)
}
