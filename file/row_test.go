package file

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

func TestRawOfRejectedRow(t *testing.T) {
	t.Parallel()
	content := "code\nA\x01\x7f\u2028B,\u0085" + strings.Repeat("ä", 300) + "\n"
	r := open(t, write(t, []byte(content)), coupon.FileOptions{}, coupon.ImportCodes)
	row, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if want := "A   B, " + strings.Repeat("ä", 248); row.Reason != coupon.RejectedMalformed ||
		row.Raw != want {
		t.Errorf("got %s %q, want %q", row.Reason, row.Raw, want)
	}
	if row.Cells() != nil || row.Get(0) != "" {
		t.Errorf("a rejected row has the cells %q", row.Cells())
	}
}

func TestRowCells(t *testing.T) {
	t.Parallel()
	r := open(t, write(t, []byte("code,x,label\n A1 ,\" y\",z\nB2\n")), coupon.FileOptions{},
		coupon.ImportCodes)
	row, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{" A1 ", " y", "z"}, row.Cells()); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	kept := row.Get(0)
	if row, err = r.Next(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"B2"}, row.Cells()); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	if kept != "A1" {
		t.Errorf("a value changed to %q with the next row", kept)
	}
	want := Layout{
		Format: coupon.FormatCSV, FormatCertainty: coupon.CertaintySure,
		Delimiter: ",", DelimiterCertainty: coupon.CertaintySure,
		Encoding: "utf-8", EncodingCertainty: coupon.CertaintySure,
		HasHeader: true, HeaderCertainty: coupon.CertaintySure,
		Columns:     []string{"code", "x", "label"},
		Fields:      []string{"code", "", "label"},
		Certainties: []coupon.Certainty{coupon.CertaintySure, "", coupon.CertaintySure},
		Warnings: []*coupon.ImportWarning{
			{Kind: coupon.WarningIgnoredColumn, Count: 1, Value: "x"},
		},
	}
	if diff := cmp.Diff(want, r.Layout()); diff != "" {
		t.Errorf("layout (-want +got):\n%s", diff)
	}
}
