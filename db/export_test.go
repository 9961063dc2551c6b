package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"couponql/coupon"
	"couponql/db"
)

// export writes a file and gives what is in it.
func (s *scene) export(t testing.TB, e *coupon.Export) (*coupon.Export, string) {
	t.Helper()
	created, err := s.CreateExport(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if created.Status != coupon.ImportQueued {
		t.Errorf("a new export is %s", created.Status)
	}
	if err := s.RunExport(t.Context(), created.ID, nil); err != nil {
		t.Fatal(err)
	}
	file, done, err := s.OpenExport(t.Context(), created.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	if done.Status != coupon.ImportSucceeded || done.Progress != 1 ||
		done.ByteCount != float64(len(text)) {
		t.Errorf("the export of %d bytes is %+v", len(text), done)
	}
	return done, string(text)
}

func codesOf(id coupon.ID, format coupon.FileFormat, filter *coupon.CodeFilter) *coupon.Export {
	return &coupon.Export{Kind: coupon.ExportCodes, Format: format, Request: coupon.ExportRequest{
		CouponID: &id, CodeFilter: filter,
	}}
}

// wantFile compares the lines of a file, but for the first and for their order.
func wantFile(t *testing.T, text string, want ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	slices.Sort(lines[1:])
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
}

// TestExportCodes tells what an exported file says of codes in every state.
func TestExportCodes(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.used(t)
	s.codes(t, c, `a<"&>b`, `x<"&>y`)
	s.codes(t, s.newCoupon(t), "", "OTHER")
	const header = "code,label,status,coupon,delivery,recipient,channel,address,assignedAt,sentAt,redeemedAt"
	const noon = "2026-11-23T12:00:00.000000Z"
	e, text := s.export(t, codesOf(c, coupon.FormatCSV, nil))
	wantFile(t, text, header,
		`"x<""&>y","a<""&>b",AVAILABLE,CPN1,,,,,,,`,
		"ASSIGNED,,ASSIGNED,CPN1,delivery_2,r1,EMAIL,r1@example.org,"+noon+","+noon+",",
		"FREE,,AVAILABLE,CPN1,,,,,,,",
		"REDEEMED,,REDEEMED,CPN1,delivery_2,r2,EMAIL,r2@example.org,"+noon+","+noon+","+noon,
		"RETURNED,,VOIDED,CPN1,,,,,,,",
		"SPARE,,AVAILABLE,CPN1,,,,,,,",
		"VOIDED,,VOIDED,CPN1,,,,,,,",
	)
	if e.RowCount != 7 || e.FileName() != "export_1.csv" {
		t.Errorf("export: %+v, called %s", e, e.FileName())
	}
	_, text = s.export(t, codesOf(c, coupon.FormatJSONL, &coupon.CodeFilter{
		Status: []coupon.CodeStatus{coupon.CodeAvailable}, ValuePrefix: new("f"),
	}))
	wantFile(
		t,
		text,
		`{"code":"FREE","label":null,"status":"AVAILABLE","coupon":"CPN1","delivery":null,"recipient":null,`+
			`"channel":null,"address":null,"assignedAt":null,"sentAt":null,"redeemedAt":null}`,
	)
	_, text = s.export(t,
		codesOf(c, coupon.FormatXML, &coupon.CodeFilter{Label: []string{`a<"&>b`}}))
	wantFile(t, text, `<?xml version="1.0" encoding="UTF-8"?>`, `</coupon>`, `<coupon>`,
		`<value code="x&lt;&quot;&amp;&gt;y" label="a&lt;&quot;&amp;&gt;b" status="AVAILABLE" coupon="CPN1"/>`)
	_, text = s.export(t,
		codesOf(c, coupon.FormatCSV, &coupon.CodeFilter{DeliveryID: new(coupon.ID("delivery_99"))}))
	wantFile(t, text, header)
	s.wantNoFiles(t)
}

// TestExportOwnCodes: a masked file has the own code of a coupon where it is only a name, in every
// format, and no code that can be redeemed.
func TestExportOwnCodes(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	named := s.newCoupon(t, func(c *coupon.CouponChanges) { c.Code = coupon.Set(new("=SPORT15")) },
		withoutAssignment)
	s.newCoupon(t, func(c *coupon.CouponChanges) {
		c.Type, c.Code = coupon.TypeAnonymous, coupon.Set(new("SECRETOWN"))
	})
	s.codes(t, named, "", "SECRET-A")
	s.redeem(t, "SECRET-A")
	s.redeem(t, "SECRETOWN")
	engine, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	for _, format := range []coupon.FileFormat{
		coupon.FormatCSV, coupon.FormatXML, coupon.FormatJSONL, coupon.FormatParquet,
	} {
		for _, isSafe := range []bool{false, true} {
			if isSafe && format != coupon.FormatCSV {
				continue
			}
			codes := codesOf(named, format,
				&coupon.CodeFilter{Status: []coupon.CodeStatus{coupon.CodeRedeemed}})
			redemptions := &coupon.Export{Kind: coupon.ExportRedemptions, Format: format}
			for e, want := range map[*coupon.Export]string{
				codes: "=SPORT15", redemptions: "=SPORT15 •••",
			} {
				e.Request.IsMasked, e.Request.IsSpreadsheetSafe = true, isSafe
				_, text := s.export(t, e)
				if format == coupon.FormatParquet {
					path := filepath.Join(t.TempDir(), "a.parquet")
					if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
					err := engine.QueryRowContext(t.Context(), "SELECT string_agg(to_json(f)::VARCHAR, '\n' ORDER BY coupon) FROM read_parquet($1) f", path).
						Scan(&text)
					if err != nil {
						t.Fatal(err)
					}
				}
				if isSafe {
					want = strings.Replace(want, "=", "'=", 1)
				}
				for name := range strings.FieldsSeq(want) {
					if !strings.Contains(text, name) {
						t.Errorf("%s %s, safe %t: %s is not in\n%s", e.Kind, format,
							isSafe, name, text)
					}
				}
				if strings.Contains(text, "SECRET") || !isSafe && strings.Contains(text, "'=") ||
					strings.Contains(text, "coupon_type") {
					t.Errorf("%s %s, safe %t:\n%s", e.Kind, format, isSafe, text)
				}
			}
		}
	}
}

// TestExportMessagesAndRedemptions tells what files say of messages and redemptions.
func TestExportMessagesAndRedemptions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.used(t)
	const noon = "2026-11-23T12:00:00.000000Z"
	_, text := s.export(
		t,
		&coupon.Export{
			Kind: coupon.ExportMessages, Format: coupon.FormatCSV,
			Request: coupon.ExportRequest{DeliveryID: new(coupon.ID("delivery_1"))},
		},
	)
	wantFile(t, text, "message,externalId,channel,address,code,label,status,sentAt,failure,delivery,cancelReason,outcome,outcomeAt,outcomeReason",
		"message_1,r1,EMAIL,r1@example.org,,,SENT,"+noon+",,delivery_1,,,,")
	_, text = s.export(
		t,
		&coupon.Export{
			Kind: coupon.ExportMessages, Format: coupon.FormatCSV,
			Request: coupon.ExportRequest{DeliveryID: new(coupon.ID("delivery_2"))},
		},
	)
	wantFile(t, text, "message,externalId,channel,address,code,label,status,sentAt,failure,delivery,cancelReason,outcome,outcomeAt,outcomeReason",
		"message_2,r1,EMAIL,r1@example.org,ASSIGNED,,SENT,"+noon+",,delivery_2,,,,",
		"message_3,r2,EMAIL,r2@example.org,REDEEMED,,SENT,"+noon+",,delivery_2,,,,")
	a := s.newCoupon(t, anonymous, withCode("ALL"))
	_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{
		Value: "all", Reference: new("A-1"), Amount: new(coupon.Decimal("12.5")),
		Currency: new("EUR"), Store: new("Till 4"), Customer: new("k-1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reverse(t.Context(), nil, s.redeem(t, "ALL").ID, nil); err != nil {
		t.Fatal(err)
	}
	const header = "code,redeemedAt,reference,amount,currency,coupon,delivery,channel,label,assignedAt,source,anomalies,store,customer"
	_, text = s.export(t, &coupon.Export{Kind: coupon.ExportRedemptions, Format: coupon.FormatCSV})
	wantFile(t, text, header,
		"ALL,"+noon+",A-1,12.5000,EUR,ALL,,,,,API,,Till 4,k-1",
		"REDEEMED,"+noon+",,,,CPN1,delivery_2,EMAIL,,"+noon+",API,,,")
	_, text = s.export(t, &coupon.Export{
		Kind: coupon.ExportRedemptions, Format: coupon.FormatXML,
		Request: coupon.ExportRequest{StatsFilter: &coupon.StatsFilter{CouponIDs: []coupon.ID{a}}},
	})
	wantFile(t, text, `<?xml version="1.0" encoding="UTF-8"?>`, "</redemptions>",
		`<redemption code="ALL" redeemedAt="`+noon+`" reference="A-1" amount="12.5000" currency="EUR" coupon="ALL" source="API" `+
			`store="Till 4" customer="k-1"/>`, "<redemptions>")
}

// TestExportPostponed tells what a file says of messages that were refused: the last reason, also
// of those that are tried again.
func TestExportPostponed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "A1", "A2", "A3")
	id := s.newDelivery(t, c, s.recipients(t, 3))
	s.confirm(t, id)
	for _, attempts := range [][]coupon.Attempt{
		{{Result: coupon.AttemptPostponed, Reason: "451 busy"}, {
			Result: coupon.AttemptRefused, Reason: "550 unknown",
		}},
		{{Result: coupon.AttemptPostponed, Reason: "452 full, later"}},
	} {
		batch, err := s.NextBatch(t.Context(), id, len(attempts))
		if err != nil {
			t.Fatal(err)
		}
		if err := batch.Begin(t.Context(), batch.Contents); err != nil {
			t.Fatal(err)
		}
		outcome := &db.SentBatch{}
		for i, attempt := range attempts {
			outcome.Refused = append(outcome.Refused, db.Refusal{
				Content:    batch.Contents[i],
				Settlement: attempt.Settle(batch.Number, false, s.clock.Now(), 0),
			})
		}
		if err := batch.Record(t.Context(), outcome); err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(2 * time.Minute)
	}
	_, text := s.export(t, &coupon.Export{
		Kind: coupon.ExportMessages, Format: coupon.FormatCSV,
		Request: coupon.ExportRequest{DeliveryID: &id},
	})
	wantFile(t, text, "message,externalId,channel,address,code,label,status,sentAt,failure,delivery,cancelReason,outcome,outcomeAt,outcomeReason",
		`message_1,r1,EMAIL,r1@example.org,A1,,PENDING,,"452 full, later",delivery_1,,,,`,
		"message_2,r2,EMAIL,r2@example.org,,,FAILED,,550 unknown,delivery_1,,,,",
		"message_3,r3,EMAIL,r3@example.org,A3,,PENDING,,,delivery_1,,,,")
	s.checkSound(t)
}

// TestExportSpreadsheetSafe tells how values are written that a spreadsheet would change.
func TestExportSpreadsheetSafe(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "0012", "6E12", "MAR1", "1-2", "=1+1", "+A", "-A", "@A", "A1")
	e := codesOf(c, coupon.FormatCSV, nil)
	e.Request.IsSpreadsheetSafe = true
	_, text := s.export(t, e)
	var codes []string
	for line := range strings.Lines(text) {
		code, _, _ := strings.Cut(line, ",")
		codes = append(codes, code)
	}
	want := []string{
		"code", "'+A", "'-A", `"=""0012"""`, `"=""1-2"""`, `"=""6E12"""`, "'=1+1", "'@A", "A1",
		`"=""MAR1"""`,
	}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

// TestExportRefuses tells which exports are not begun, and when a file is gone.
func TestExportRefuses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	safe := codesOf(c, coupon.FormatXML, nil)
	safe.Request.IsSpreadsheetSafe = true
	for _, test := range []struct {
		e     *coupon.Export
		code  coupon.ErrorCode
		field string
	}{
		{codesOf("coupon_9", coupon.FormatCSV, nil), coupon.ErrorNotFound, "input.couponId"},
		{codesOf(
			c, coupon.FormatCSV, &coupon.CodeFilter{AssignedFrom: new(coupon.DateTime("soon"))},
		), coupon.ErrorInvalid, "input.filter.assignedFrom"},
		{safe, coupon.ErrorInvalid, "input.isSpreadsheetSafe"},
		{
			&coupon.Export{
				Kind: coupon.ExportMessages, Format: coupon.FormatCSV,
				Request: coupon.ExportRequest{DeliveryID: new(coupon.ID("delivery_9"))},
			},
			coupon.ErrorNotFound, "input.deliveryId",
		},
	} {
		_, err := s.CreateExport(t.Context(), test.e)
		wantError(t, err, test.code, test.field)
	}
	e, _ := s.export(t, codesOf(c, coupon.FormatCSV, nil))
	s.clock.Advance(coupon.ExportLifetime)
	_, _, err := s.OpenExport(t.Context(), e.ID)
	wantError(t, err, coupon.ErrorNotFound, "")
	s.wantNoFiles(t)
}

// TestInterruptedExport tells that an export whose server stopped is done at the next start.
func TestInterruptedExport(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 2000)...)
	e, err := s.CreateExport(t.Context(), codesOf(c, coupon.FormatCSV, nil))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	watch, stop := s.Watch(e.ID)
	defer stop()
	done := make(chan error)
	go func() { done <- s.RunExport(ctx, e.ID, nil) }()
	<-watch // it is RUNNING
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s.reopen(t)
	waiting, err := s.WaitingExports(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range waiting {
		if err := s.RunExport(t.Context(), id, nil); err != nil {
			t.Fatal(err)
		}
	}
	file, got, err := s.OpenExport(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if got.RowCount != 2000 {
		t.Errorf("%d rows", got.RowCount)
	}
	left, err := os.ReadDir(filepath.Join(s.path+".files", "spool"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in spool: %v, %v", left, err)
	}
}

// TestExportImport tells that what is exported and imported again is the same: codes and
// redemptions with any values, in every format.
func TestExportImport(t *testing.T) {
	t.Parallel()
	type fact struct{ Value, Label string }
	s, again := newScene(t), newScene(t)
	rapid.Check(t, func(rt *rapid.T) {
		c, d := s.newCoupon(t, withoutAssignment), again.newCoupon(t, withoutAssignment)
		text := rapid.StringOfN(
			rapid.RuneFrom([]rune("aB0=+-@'\"<>&;,|\\ÄßN .#%😀\u00a0中")), 1, 8, -1,
		)
		var codes []coupon.NewCode
		for i, value := range rapid.SliceOfN(text, 1, 20).Draw(rt, "values") {
			label := rapid.OneOf(rapid.Just(""), text).Draw(rt, fmt.Sprint("label ", i))
			codes = append(codes, coupon.NewCode{Value: value, Label: &label})
		}
		added, _, err := s.AddCodes(t.Context(), c, codes)
		if err != nil {
			rt.Fatal(err)
		}
		if len(added) == 0 {
			rt.Skip("an earlier coupon has all of the codes")
		}
		want := map[fact]bool{}
		for i, code := range added {
			label := ""
			if code.Label != nil {
				label = *code.Label
			}
			want[fact{code.Value, label}] = true
			if rapid.Bool().Draw(rt, fmt.Sprint("redeem ", i)) {
				_, err := s.Redeem(
					t.Context(),
					&coupon.RedeemRequest{
						Value:     code.Value,
						Reference: new(text.Filter(isReference).Draw(rt, "reference")),
						Store:     new(text.Filter(isReference).Draw(rt, "store")),
						Customer:  new(text.Filter(isReference).Draw(rt, "customer")),
						Amount:    new(coupon.Decimal("1.25")),
					},
				)
				if err != nil {
					rt.Fatal(err)
				}
			}
		}
		format := rapid.SampledFrom([]coupon.FileFormat{
			coupon.FormatCSV, coupon.FormatXML, coupon.FormatJSONL, coupon.FormatParquet,
		}).Draw(rt, "format")
		_, codeFile := s.export(t, codesOf(c, format, nil))
		redemptions := &coupon.Export{Kind: coupon.ExportRedemptions, Format: format}
		redemptions.Request.StatsFilter = &coupon.StatsFilter{CouponIDs: []coupon.ID{c}}
		_, redemptionFile := s.export(t, redemptions)

		i := again.importFile(t, newImport(coupon.ImportCodes, into(d)), codeFile)
		if i.Status != coupon.ImportSucceeded || i.RowsRead != len(want) ||
			i.RowsImported != len(want) {
			rt.Fatalf("imported %+v of\n%s\n%v", i, codeFile, again.rejections(t, i.ID))
		}
		for _, code := range again.allCodes(t, d, nil) {
			label := ""
			if code.Label != nil {
				label = *code.Label
			}
			if !want[fact{code.Value, label}] {
				rt.Fatalf("there was no code %q with the label %q:\n%s", code.Value,
					label, codeFile)
			}
		}
		i = again.importFile(t, newImport(coupon.ImportRedemptions), redemptionFile)
		if i.Failure == nil && i.RowsImported != i.RowsRead {
			rt.Fatalf("imported %+v of\n%s\n%v", i, redemptionFile, again.rejections(t, i.ID))
		}
		first, second := s.redemptionFacts(rt, c), again.redemptionFacts(rt, d)
		if diff := cmp.Diff(first, second); diff != "" {
			rt.Fatalf("redemptions (-exported +imported):\n%s\n%s", diff, redemptionFile)
		}
	})
	s.checkSound(t)
	again.checkSound(t)
}

// isReference tells references that are kept as they are: others are trimmed.
func isReference(text string) bool { return strings.TrimSpace(text) == text && text != "" }

// redemptionFacts returns what is known of the redemptions of a coupon, in order.
func (s *scene) redemptionFacts(rt *rapid.T, id coupon.ID) []string {
	list, err := s.Redemptions(
		context.Background(), &coupon.StatsFilter{CouponIDs: []coupon.ID{id}},
		coupon.Page{First: coupon.MaxPageSize, WantsItems: true},
	)
	if err != nil {
		rt.Fatal(err)
	}
	var facts []string
	for _, r := range list.Items {
		facts = append(facts, fmt.Sprintf(
			"%s %s %q %v %q %q", r.CodeValue, r.RedeemedAt, *r.Reference, *r.Amount, *r.Store,
			*r.Customer,
		))
	}
	slices.Sort(facts)
	return facts
}
