package db_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
)

// spellings are codes as they are added, and as customers and files give them.
func spellings() map[string][2]string {
	return map[string][2]string{
		"no-break hyphen":  {"SAVE\u201110", "save-10"},
		"zero-width space": {"WEB\u200B88", "web88"},
		"soft hyphen":      {"SUMMER20", "SUM\u00ADMER20"},
		"sharp s":          {"STRAẞE1", "straße1"},
		"two s":            {"GRÜSSE", "grüße"},
		"full width":       {"ＴＥＮＮＩＳ", "tennis"},
		"final sigma":      {"ΟΔΟΣ", "οδος"},
		"no-break space":   {"2\u00A0FOR\u202F1", "2 for 1"},
		"emoji":            {"❤\uFE0F25", "❤25"},
		"another emoji":    {"🎿7", "🎿\uFE0E7"},
		"en dash":          {"VIP-9", "\u202Avip–9\u202C"},
		"dotless i":        {"INDIRIM", "ındırım"},
	}
}

// TestSpellings finds a code however it is spelled, wherever codes are compared.
func TestSpellings(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withoutAssignment, withLimit(100))
	other := s.newCoupon(t)
	var values, typed []string
	for _, spelling := range spellings() {
		values, typed = append(values, spelling[0]), append(typed, spelling[1])
	}
	s.codes(t, c, "", values...)
	one := s.newCoupon(t, anonymous, withCode("ALL\u2011IN\u00AD"))
	for i, text := range typed {
		if code := s.code(t, text); code.Value != values[i] {
			t.Errorf("%q finds %q, want %q as it was written", text, code.Value, values[i])
		}
		if _, found, refusal, err := s.ValidateCode(t.Context(), text,
			coupon.AnyState); err != nil || refusal != nil || found.ID != c {
			t.Errorf("validate %q: %v, %v", text, refusal, err)
		}
		key := new("order " + text)
		first, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: text, IdempotencyKey: key})
		if err != nil {
			t.Errorf("redeem %q: %v", text, err)
			continue
		}
		// The same purchase is asked for again, as it was added.
		if again, err := s.Redeem(t.Context(),
			&coupon.RedeemRequest{Value: values[i], IdempotencyKey: key}); err != nil ||
			again.ID != first.ID {
			t.Errorf("redeem %q again: %+v, %v", values[i], again, err)
		}
		for id, reason := range map[coupon.ID]coupon.RejectionReason{
			c: coupon.RejectedAlreadyExists, other: coupon.RejectedExistsElsewhere,
		} {
			_, rejections, err := s.AddCodes(t.Context(), id, []coupon.NewCode{{Value: text}})
			if err != nil || len(rejections) != 1 || rejections[0].Reason != reason {
				t.Errorf("add %q to %s: %v, %v, want %s", text, id, rejectionTexts(rejections),
					err, reason)
			}
		}
		_, err = s.CreateCoupon(t.Context(), &coupon.CouponChanges{
			Type: coupon.TypeAnonymous, Label: coupon.Set(new("x")),
			StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))), Code: coupon.Set(&text),
		})
		wantError(t, err, coupon.ErrorAlreadyExists, "input.code")
	}
	for _, text := range []string{"all-in", "ALL–IN", "Ａll-in\u200B"} {
		if found, err := s.CouponByCode(t.Context(), text); err != nil || found == nil ||
			found.ID != one {
			t.Errorf("%q finds %+v, %v", text, found, err)
		}
		if _, rejections, err := s.AddCodes(t.Context(), c,
			[]coupon.NewCode{{Value: text}}); err != nil || len(rejections) != 1 {
			t.Errorf("add %q: %v, %v", text, rejections, err)
		}
		s.redeem(t, text)
	}
	for prefix, want := range map[string]int{
		"save‑1": 1, "we\u200Bb": 1, "straß": 1, "STRASS": 1, "gruess": 0, "οδ": 1, "": len(values),
	} {
		if found := s.allCodes(t, c, &coupon.CodeFilter{ValuePrefix: &prefix}); len(found) != want {
			t.Errorf("%d codes begin with %q, want %d", len(found), prefix, want)
		}
	}
	voided, err := s.VoidCodes(t.Context(),
		&db.CodeSelection{CouponID: c, Values: append(typed, typed[0])})
	if err != nil || voided.Count != 0 {
		t.Errorf("voided %+v of codes that are redeemed, %v", voided, err)
	}
	for _, alphabet := range []string{"A\u00AD", "A-\u2011", "Aß"} {
		_, err = s.GenerateCodes(t.Context(),
			&db.GenerateRequest{CouponID: c, Count: 1, Pattern: "####", Alphabet: alphabet})
		wantError(t, err, coupon.ErrorInvalid, "input.alphabet")
	}
	s.reopen(t)
	for i, text := range typed {
		if code := s.code(t, text); code.Value != values[i] {
			t.Errorf("after a start %q finds %q, want %q", text, code.Value, values[i])
		}
	}
	s.checkSound(t)
}

// TestSpellingsOfFiles has files of every format add, repeat, redeem and void codes that are
// spelled in several ways.
func TestSpellingsOfFiles(t *testing.T) {
	t.Parallel()
	for _, format := range allFormats() {
		for _, isSensitive := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, case sensitive %t", format, isSensitive), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, func(o *db.Options) { o.CaseSensitiveCodes = isSensitive })
				c := s.newCoupon(t, withoutAssignment)
				of := func(i *coupon.Import) { i.Format, i.FileName = format, "file" }
				var added, again, voided, redeemed [][]string
				var doubles, exist []string
				for name, spelling := range spellings() {
					// Case is all that tells some of them apart where it counts.
					if isSensitive && strings.ToUpper(spelling[1]) != spelling[1] &&
						name != "emoji" {
						spelling[1] = strings.ReplaceAll(spelling[0], "-", "\uFF0D") + "\u2060"
					}
					added = append(added, []string{spelling[0], name}, []string{spelling[1], name})
					again = append(again, []string{spelling[1], name})
					redeemed = append(redeemed, []string{spelling[1], "2026-11-20"})
					voided = append(voided, []string{spelling[1] + "\u200E"})
					_ = name
				}
				added = append(added, []string{"\u00AD\u2060", "nothing"})
				i := s.importFile(t, newImport(coupon.ImportCodes, into(c), of),
					fileOf(t, format, []string{"code", "label"}, added...))
				for _, text := range s.rejections(t, i.ID) {
					doubles = append(doubles, strings.Fields(text)[1])
				}
				slices.Sort(doubles)
				want := append(
					slices.Repeat([]string{"DUPLICATE_IN_FILE"}, len(spellings())), "EMPTY",
				)
				if diff := cmp.Diff(want, doubles); diff != "" {
					t.Errorf("rejected of one file (-want +got):\n%s", diff)
				}
				i = s.importFile(t, newImport(coupon.ImportCodes, into(c), of),
					fileOf(t, format, []string{"code", "label"}, again...))
				for _, text := range s.rejections(t, i.ID) {
					exist = append(exist, strings.Fields(text)[1])
				}
				if diff := cmp.Diff(slices.Repeat([]string{"ALREADY_EXISTS"}, len(spellings())),
					exist); diff != "" {
					t.Errorf("rejected of the next file (-want +got):\n%s", diff)
				}
				half := len(redeemed) / 2
				i = s.importFile(t, newImport(coupon.ImportRedemptions, of),
					fileOf(t, format, []string{"code", "redeemedAt"}, redeemed[:half]...))
				if i.RowsImported != half {
					t.Errorf("recorded %+v, rejected %q", i, s.rejections(t, i.ID))
				}
				i = s.importFile(t, newImport(coupon.ImportCodes, into(c), of,
					func(i *coupon.Import) { i.Mode = coupon.ImportVoid }),
					fileOf(t, format, []string{"code"}, voided[half:]...))
				if i.Changes.Voided != len(voided)-half {
					t.Errorf("voided %+v, rejected %q", i, s.rejections(t, i.ID))
				}
				s.checkSound(t)
			})
		}
	}
}

// earlier brings a database into the state in which an earlier version left it, with codes that are
// one by the rule of this one, and closes it.
func (s *scene) earlier(t *testing.T) (c coupon.ID) {
	t.Helper()
	c = s.newCoupon(t, withoutAssignment)
	s.newCoupon(t, anonymous, withCode("AB"))
	s.newCoupon(t, anonymous, withCode("CPN–3"))
	s.codes(t, c, "", numbered("A", 10)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for id, code := range map[int][2]string{
		1: {"SAVE-10", ""}, 2: {"SAVE\u201010", "Save\u201110"}, 3: {"WEB\u200B88", ""},
		4: {"STRAßE", "Straße"}, 5: {"STRAẞE", ""},
		6: {"FRÜHLING", "Frühling"}, 7: {"PLAIN", "plain"}, 8: {"TENNIS", "ＴＥＮＮＩＳ"},
		9: {"SALE\u00AD5", "sale\u00AD5"}, 10: {"A\u200BB", ""},
	} {
		value := "NULL"
		if code[1] != "" {
			value = "'" + code[1] + "'"
		}
		db.ExecOn(t, s.path,
			fmt.Sprintf("UPDATE code SET key = '%s', value = %s WHERE id = %d", code[0], value, id))
	}
	for _, statement := range []string{
		"UPDATE coupon SET code_key = 'CPN–3' WHERE id = 3",
		"DELETE FROM setting WHERE name = 'code_rule'",
	} {
		db.ExecOn(t, s.path, statement)
	}
	return c
}

const storedCodes = `SELECT concat_ws(' ', id, key, value) FROM code UNION ALL SELECT 'coupon ' || concat_ws(' ', id, code_key, code) FROM coupon
	UNION ALL SELECT 'collision ' || concat_ws(' ', key, narrow_key) FROM code_collision
		ORDER BY ALL`

// checkRekeyed fails the test unless codes of earlier are found as they are to be.
func (s *scene) checkRekeyed(t *testing.T) {
	t.Helper()
	if diff := cmp.Diff([]string{
		"1 SAVE-10", "10 A\u200BB", "2 SAVE\u201010 Save\u201110", "3 WEB88 WEB\u200B88",
		"4 STRAßE Straße", "5 STRAẞE", "6 FRÜHLING Frühling",
		"7 PLAIN plain", "8 TENNIS ＴＥＮＮＩＳ", "9 SALE5 sale\u00AD5",
		"collision AB AB", "collision AB A\u200BB", "collision SAVE-10 SAVE-10",
		"collision SAVE-10 SAVE\u201010",
		"collision STRASSE STRAßE", "collision STRASSE STRAẞE",
		"coupon 1 CPN1 CPN1", "coupon 2 AB AB", "coupon 3 CPN-3 CPN–3",
	}, s.Texts(t, storedCodes)); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{
		"SAVE-10": "SAVE-10", "save-10": "SAVE-10", "Save\u201110": "Save\u201110",
		"save\u201110": "Save\u201110", "SAVE–10": "", "SAVE\u00AD-10": "",
		"Straße": "Straße", "straße": "Straße", "STRAẞE": "STRAẞE", "STRASSE": "", "strasse": "",
		"web88": "WEB\u200B88", "WEB\u200B88": "WEB\u200B88", "W\u00ADEB88": "WEB\u200B88",
		"frühling": "Frühling", "PLAIN": "plain", "tennis": "ＴＥＮＮＩＳ",
		"SALE5": "sale\u00AD5", "a\u200Bb": "A\u200BB", "AB": "", "A\u2060B": "",
	} {
		code, err := s.CodeByValue(t.Context(), text, coupon.AnyState)
		if err != nil || code == nil && want != "" || code != nil && code.Value != want {
			t.Errorf("%q finds %+v, %v, want %q", text, code, err, want)
		}
	}
	for text, want := range map[string]coupon.ID{
		"ab": "coupon_2", "A\u200BB": "", "A\u2060B": "", "cpn-3": "coupon_3", "CPN–3": "coupon_3",
	} {
		found, err := s.CouponByCode(t.Context(), text)
		if err != nil || found == nil && want != "" || found != nil && found.ID != want {
			t.Errorf("%q finds %+v, %v, want %q", text, found, err, want)
		}
	}
	report, err := s.IntegrityReport(t.Context())
	if err != nil || !report.IsSound() || len(report.Warnings()) != 1 {
		t.Fatalf("the report is %+v, %v", report, err)
	}
	if diff := cmp.Diff(&coupon.IntegrityCheck{
		Name: "codes_alike", IsWarning: true, Violations: 3,
		Description: report.Warnings()[0].Description,
		Examples: []string{
			"AB (coupon_2) and A\u200BB (code_10 of coupon_1)",
			"SAVE-10 (code_1 of coupon_1) and Save\u201110 (code_2 of coupon_1)",
			"STRAẞE (code_5 of coupon_1) and Straße (code_4 of coupon_1)",
		},
	}, report.Warnings()[0]); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestRekey opens a database of an earlier version, and one that a start left that was killed at
// each step.
func TestRekey(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.earlier(t)
	folder := t.TempDir()
	var killed []string
	partly := filepath.Join(folder, "partly.duckdb")
	copyDatabase(t, s.path, partly)
	db.RekeyInParts(t, partly, 2, func() {
		path := filepath.Join(folder, fmt.Sprintf("killed%d.duckdb", len(killed)))
		killed = append(killed, path)
		copyDatabase(t, partly, path)
	})
	// First the collisions are found, and then the keys of the codes up to the numbers 2, 4, 6 and
	// 10 are changed.
	if len(killed) != 5 {
		t.Errorf("it was told %d times", len(killed))
	}
	s.Store = dbtest.Open(t, s.path, s.clock.Use)
	if !strings.Contains(s.Notice(), "6 codes differ in what nobody sees") {
		t.Errorf("notice %q", s.Notice())
	}
	s.checkRekeyed(t)
	for _, path := range killed {
		again := &scene{clock: s.clock, path: path}
		again.Store = dbtest.Open(t, path, s.clock.Use)
		again.checkRekeyed(t)
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
	// The next start has nothing to do.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Store = dbtest.Open(t, s.path, s.clock.Use, func(o *db.Options) {
		o.Progress = func(text string) { t.Errorf("told %q", text) }
	})
	s.checkRekeyed(t)
	if s.Notice() != "" {
		t.Errorf("notice %q", s.Notice())
	}

	// Nothing new can be taken for one of a collision.
	for _, value := range []string{"SAVE–10", "STRASSE", "A\u2060B"} {
		_, rejections, err := s.AddCodes(t.Context(), c, []coupon.NewCode{{Value: value}})
		if err != nil || len(rejections) != 1 ||
			rejections[0].Reason != coupon.RejectedAmbiguousCode {
			t.Errorf("add %q: %v, %v", value, rejectionTexts(rejections), err)
		}
		_, err = s.UpdateCoupon(t.Context(), "coupon_3",
			&coupon.CouponChanges{Code: coupon.Set(&value)})
		wantError(t, err, coupon.ErrorAlreadyExists, "input.code")
		_, err = s.Redeem(t.Context(), &coupon.RedeemRequest{Value: value})
		wantError(t, err, coupon.ErrorCodeUnknown, "input.value")
	}
	for _, value := range []string{"SAVE-10", "save\u201110", "Straße", "A\u200BB"} {
		_, rejections, err := s.AddCodes(t.Context(), c, []coupon.NewCode{{Value: value}})
		if err != nil || len(rejections) != 1 ||
			rejections[0].Reason != coupon.RejectedAlreadyExists {
			t.Errorf("add %q: %v, %v", value, rejectionTexts(rejections), err)
		}
	}
	for _, prefix := range []string{"SAVE-1", "save–1", "Save\u2011"} {
		if found := s.allCodes(t, c, &coupon.CodeFilter{ValuePrefix: &prefix}); len(found) != 2 {
			t.Errorf("%d codes begin with %q, want 2", len(found), prefix)
		}
	}
	i := s.importFile(t, newImport(coupon.ImportRedemptions),
		"code,redeemed at\nSAVE\u201310,2026-11-20\nsave\u201110,2026-11-20\nAB,2026-11-20\n")
	wantImport(t, i, "SUCCEEDED 3 = 2 + 1")
	s.wantRejections(t, i.ID, "2 AMBIGUOUS_CODE SAVE–10")
	if r := s.redeem(t, "Straße"); r.CodeValue != "" && r.CodeValue != "Straße" ||
		*r.CodeID != "code_4" {
		t.Errorf("redeemed %+v", r)
	}
	s.copies(t, c)
}

// copies makes a backup of a database with collisions, and a file anew, and wants both to keep
// them.
func (s *scene) copies(t *testing.T, c coupon.ID) {
	t.Helper()
	stored := s.Texts(t, storedCodes)
	restored, _ := s.restore(t, s.backUp(t))
	if diff := cmp.Diff(stored, restored.Texts(t, storedCodes)); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
	if code := restored.code(t, "save\u201110"); code.ID != "code_2" {
		t.Errorf("restored, it finds %+v", code)
	}
	s.recipients(t, 1)
	if _, err := s.EraseRecipients(t.Context(), nil,
		[]string{s.Texts(t, "SELECT external_id FROM recipient")[0]}); err != nil {
		t.Fatal(err)
	}
	s.reopen(t)
	if isDone, err := s.Rewritten(); !isDone || err != nil {
		t.Errorf("made anew: %t, %v", isDone, err)
	}
	if diff := cmp.Diff(stored, s.Texts(t, storedCodes)); diff != "" {
		t.Errorf("made anew (-want +got):\n%s", diff)
	}
	// A collision is over when one of the two is voided for those who look, and when it is gone for
	// those who ask.
	if _, err := s.VoidCodes(t.Context(),
		&db.CodeSelection{CouponID: c, Values: []string{"STRAẞE"}}); err != nil {
		t.Fatal(err)
	}
	if report, err := s.IntegrityReport(t.Context()); err != nil ||
		report.Warnings()[0].Violations != 2 {
		t.Errorf("with a voided code: %+v, %v", report, err)
	}
	s.importFile(t, newImport(coupon.ImportCodes, into(c),
		func(i *coupon.Import) { i.Mode = coupon.ImportReplaceUnused }), "code\nNEW\nSAVE-10\n")
	s.reopen(t)
	if _, isThere := s.lookUp(t, "A\u2060B"); isThere {
		t.Error("what was replaced is found")
	}
	if found, err := s.CouponByCode(t.Context(), "A\u2060B"); err != nil || found == nil ||
		found.ID != "coupon_2" {
		t.Errorf("the one that is left is not found by another spelling: %+v, %v", found, err)
	}
	if got := s.Texts(t, "SELECT key FROM code_collision WHERE key = 'AB'"); len(got) != 0 {
		t.Errorf("the collision is still there")
	}
}

func (s *scene) lookUp(t *testing.T, value string) (*coupon.Code, bool) {
	t.Helper()
	code, err := s.CodeByValue(t.Context(), value, coupon.AnyState)
	if err != nil {
		t.Fatal(err)
	}
	return code, code != nil
}

// TestRekeyBackup restores a backup that an earlier version made.
func TestRekeyBackup(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.earlier(t)
	db.ExecOn(t, s.path, fmt.Sprintf("INSERT INTO setting VALUES ('backup_taken_at', '%s')",
		s.clock.Now().Format("2006-01-02T15:04:05Z07:00")))
	r, _ := s.restore(t, s.path)
	r.checkRekeyed(t)
}

// TestRekeySensitive opens a database of an earlier version that keeps upper and lower case apart.
func TestRekeySensitive(t *testing.T) {
	t.Parallel()
	sensitive := func(o *db.Options) { o.CaseSensitiveCodes = true }
	s := newScene(t, sensitive)
	c := s.newCoupon(t)
	s.codes(t, c, "", "1", "2", "3", "4", "5")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for id, code := range []string{"Save-10", "Save\u201010", "Web\u200B88", "web88", "Straße"} {
		db.ExecOn(t, s.path,
			fmt.Sprintf("UPDATE code SET key = '%s', value = NULL WHERE id = %d", code, id+1))
	}
	db.ExecOn(t, s.path, "UPDATE setting SET value = '1' WHERE name = 'code_rule'")
	s.Store = dbtest.Open(t, s.path, s.clock.Use, sensitive)
	for text, want := range map[string]string{
		"Save-10": "Save-10", "Save\u201010": "Save\u201010", "Save–10": "", "save-10": "",
		"Web88": "Web\u200B88", "web88": "web88", "WEB88": "",
		"Straße": "Straße", "straße": "", "Strasse": "",
	} {
		code, isThere := s.lookUp(t, text)
		if isThere != (want != "") || isThere && code.Value != want {
			t.Errorf("%q finds %+v, want %q", text, code, want)
		}
	}
	report, err := s.IntegrityReport(t.Context())
	if err != nil || !report.IsSound() || report.Warnings()[0].Violations != 1 {
		t.Errorf("the report is %+v, %v", report, err)
	}
	if got := s.Texts(t, "SELECT value FROM setting WHERE name = 'code_rule'"); !slices.Equal(got,
		[]string{coupon.CodeRule}) {
		t.Errorf("the rule is %q", got)
	}
}

// TestGenerateBesideCollision draws from a hundred codes of which one is free: one could be either
// of a collision.
func TestGenerateBesideCollision(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	taken := s.newCoupon(t)
	var values []string
	for i := range 99 {
		if i != 42 {
			values = append(values, fmt.Sprintf("N%02d", i))
		}
	}
	s.codes(t, taken, "", append(values, "X1", "X2")...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db.ExecOn(t, s.path, "UPDATE code SET key = 'N\u00AD99' WHERE key = 'X1'")
	db.ExecOn(t, s.path, "UPDATE code SET key = 'N\u200B99' WHERE key = 'X2'")
	db.ExecOn(t, s.path, "DELETE FROM setting WHERE name = 'code_rule'")
	s.Store = dbtest.Open(t, s.path, s.clock.Use)
	drawn, err := s.GenerateCodes(t.Context(), &db.GenerateRequest{
		CouponID: s.newCoupon(t), Count: 1, Pattern: "N##", Alphabet: "0123456789",
	})
	if err != nil || !slices.Equal(drawn.Sample, []string{"N42"}) {
		t.Errorf("generated %q, %v", drawn.Sample, err)
	}
}

// copyDatabase copies the files of a database that is in use, as a kill would leave them.
func copyDatabase(t *testing.T, from, to string) {
	t.Helper()
	for _, suffix := range []string{"", ".wal"} {
		content, err := os.ReadFile(from + suffix)
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = os.WriteFile(to+suffix, content, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
