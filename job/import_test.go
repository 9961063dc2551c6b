package job

import (
	"testing"

	"couponql/coupon"
	"couponql/db"
)

// TestClaimImport tells which import each lane takes: those of one coupon follow each other in
// both, and what is claimed is not claimed again.
func TestClaimImport(t *testing.T) {
	t.Parallel()
	const large = quickImportBytes + 1
	waiting := []db.WaitingImport{
		{ID: "import_1", ByteCount: 1, Owner: "coupon_1"},
		{ID: "import_2", ByteCount: 1, Owner: "coupon_1"},
		{ID: "import_3", ByteCount: large, Owner: "coupon_2"},
		{ID: "import_4", ByteCount: 1, Owner: "coupon_2"},
		{ID: "import_5", ByteCount: large},
		{ID: "import_6", ByteCount: 1},
	}
	r := &Runner{importing: map[coupon.ID]struct{}{}}
	for _, step := range []struct {
		isQuickLane bool
		want        coupon.ID
	}{
		{true, "import_1"},
		{false, "import_3"},
		{true, "import_6"},
		{true, ""},
		{false, "import_5"},
		{false, ""},
	} {
		if got := r.claimImport(waiting, step.isQuickLane); got != step.want {
			t.Errorf("quick lane %v: got %q, want %q", step.isQuickLane, got, step.want)
		}
	}
}
