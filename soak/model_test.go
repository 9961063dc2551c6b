package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"couponql/client"
)

// finding collects what a check reports.
type finding struct{ promises []string }

func (f *finding) report(promise string, _ error) { f.promises = append(f.promises, promise) }

func (f *finding) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(f.promises, want) {
		t.Errorf("got violations of %v, want %v", f.promises, want)
	}
}

func noFacts() *facts {
	return &facts{
		things: map[string]fact{}, audited: map[string]int{}, groups: map[string]int{},
		people: map[string]string{},
	}
}

// TestCompare: what was acknowledged is there, what was refused is not, and what nobody answered
// for is either.
func TestCompare(t *testing.T) {
	t.Parallel()
	refusal := &client.UserError{Code: "INVALID"}
	for name, tt := range map[string]struct {
		answer error
		got    state
		want   []string
	}{
		"done and there":                {nil, redeemed, nil},
		"done and lost":                 {nil, available, []string{"P3"}},
		"done and gone":                 {nil, gone, []string{"P3"}},
		"refused and as before":         {refusal, available, nil},
		"refused and done":              {refusal, redeemed, []string{"P3"}},
		"not answered and done":         {errors.New("EOF"), redeemed, nil},
		"not answered and as before":    {errors.New("EOF"), available, nil},
		"not answered and else":         {errors.New("EOF"), voided, []string{"P3"}},
		"internal error, then as asked": {&client.Error{Message: "internal"}, redeemed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var found finding
			m := newModel(found.report)
			m.begin("addCodes", move{"code F1", available}).done()
			_ = m.begin("redeemCode", move{"code F1", redeemed}).answered(tt.answer)
			f := noFacts()
			if tt.got != gone {
				f.things["code F1"] = fact{"code_1", tt.got}
			}
			m.compare(f)
			found.expect(t, tt.want...)
			// It is known now, and may not change any more.
			m.compare(f)
			found.expect(t, tt.want...)
			f.things["code F1"] = fact{"code_1", assigned}
			m.compare(f)
			found.expect(t, append(tt.want, "P3")...)
		})
	}
}

// TestCompareNames: nothing is there twice, under another id, or without anybody who asked for it.
func TestCompareNames(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		doctor func(*facts)
		want   []string
	}{
		"sound": {func(*facts) {}, nil},
		"twice": {func(f *facts) { f.twice = []string{"coupon mk1x"} }, []string{"P1"}},
		"other id": {
			func(f *facts) { f.things["coupon mk1x"] = fact{"coupon_2", there} }, []string{"P1"},
		},
		"out of thin": {
			func(f *facts) { f.things["coupon mk2x"] = fact{"coupon_2", there} }, []string{"P3"},
		},
		"no entry":     {func(f *facts) { clear(f.audited) }, []string{"audit log"}},
		"half a group": {func(f *facts) { f.groups["D1"] = 3 }, []string{"P3"}},
		"no group":     {func(f *facts) { clear(f.groups) }, []string{"P3"}},
		"erased": {
			func(f *facts) { f.people["zz1q"] = "message/email" }, []string{"erasure"},
		},
		"not erased": {func(f *facts) { f.people["zz2q"] = "message/email" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var found finding
			m := newModel(found.report)
			m.begin("createCoupon", move{"coupon mk1x", there}).done()
			m.give("coupon_1", "coupon mk1x")
			m.acknowledge("createCoupon", "mk1x")
			m.generate("D1", group{5, true})
			m.erase([]string{"zz1q"})
			f := noFacts()
			f.things["coupon mk1x"], f.audited["createCoupon"], f.groups["D1"] = fact{
				"coupon_1", there,
			}, 1, 5
			tt.doctor(f)
			m.compare(f)
			found.expect(t, tt.want...)
		})
	}
}

// TestGive: an id is given once.
func TestGive(t *testing.T) {
	t.Parallel()
	var found finding
	m := newModel(found.report)
	m.give("coupon_1", "coupon mk1x")
	m.give("coupon_1", "coupon mk1x")
	found.expect(t)
	m.give("coupon_1", "coupon mk2x")
	found.expect(t, "P1")
}

// TestEndImport: the rows of a file add up, and its codes are there when it succeeded, and only
// then.
func TestEndImport(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		state importState
		code  state
		want  []string
	}{
		"succeeded": {
			importState{"mk1x", "import_1", "SUCCEEDED", 3, 2, 1, ""}, available, nil,
		},
		"rows are lost": {
			importState{"mk1x", "import_1", "SUCCEEDED", 3, 2, 0, ""}, available, []string{"P5"},
		},
		"codes are lost": {
			importState{"mk1x", "import_1", "SUCCEEDED", 3, 2, 1, ""}, gone, []string{"P3"},
		},
		"failed": {
			importState{"mk1x", "import_1", "FAILED", 0, 0, 0, "no"}, gone, []string{"P7"},
		},
		"failed on the disk": {
			importState{"mk1x", "import_1", "FAILED", 0, 0, 0, "the disk is full"}, gone, nil,
		},
		"canceled": {
			importState{"mk1x", "import_1", "CANCELED", 0, 0, 0, ""}, gone, nil,
		},
		"canceled and half": {
			importState{"mk1x", "import_1", "CANCELED", 0, 0, 0, ""}, available, []string{"P3"},
		},
		"running, not yet": {importState{"mk1x", "import_1", "RUNNING", 0, 0, 0, ""}, gone, nil},
		"never heard of here": {
			importState{"mk2x", "import_2", "SUCCEEDED", 1, 1, 0, ""}, gone, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var found finding
			m := newModel(found.report)
			m.beginImport("mk1x", importing{read: 3, imported: 2}, move{"code F1", available})
			f := noFacts()
			f.imports = []importState{tt.state}
			if tt.code != gone {
				f.things["code F1"] = fact{"code_1", tt.code}
			}
			m.compare(f)
			found.expect(t, tt.want...)
		})
	}
}

// TestSure gives what did not change since, for a backup made then.
func TestSure(t *testing.T) {
	t.Parallel()
	m := newModel((&finding{}).report)
	m.begin("addCodes", move{"code F1", available}, move{"code F2", available},
		move{"code F3", available}).done()
	later := m.begin("import", move{"code F4", available})
	instant := time.Now()
	m.begin("redeemCode", move{"code F2", redeemed}).done()
	m.begin("redeemCode", move{"code F3", redeemed})
	later.done()
	if got, want := fmt.Sprint(m.sure(instant, "code")), "map[code F1:available]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
