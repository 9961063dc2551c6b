package db_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// TestExportKinds tells what files of coupons, recipients and deliveries say, in every format that is text, and what of it is masked.
func TestExportKinds(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withCode("Öl,1"), withEnd("2026-12-24"), withLimit(3), func(c *coupon.CouponChanges) {
		c.Timezone, c.Metadata = coupon.Set(new("Europe/Berlin")), coupon.Set(new(coupon.JSON(`{"a":[1,"=b"]}`)))
	})
	archived := s.newCoupon(t, anonymous, withCode("OPEN"))
	if _, err := s.ArchiveCoupon(t.Context(), archived); err != nil {
		t.Fatal(err)
	}
	people := s.recipients(t, 2, "golf")
	if _, err := s.EraseRecipients(t.Context(), people[1:], nil); err != nil {
		t.Fatal(err)
	}
	s.newDelivery(t, c, people[:1])
	for name, want := range map[string]string{
		"COUPONS CSV": "code,label,type,startsAt,endsAt,redemptionLimit,requiresAssignment,lowStockThreshold,lowStockShare,timezone,metadata,isArchived\n" +
			`"Öl,1",Winter sale,INDIVIDUAL,2026-10-31T23:00:00.000000Z,2026-12-24T23:00:00.000000Z,3,true,,,Europe/Berlin,"{""a"":[1,""=b""]}",false` + "\n" +
			"OPEN,Winter sale,ANONYMOUS,2026-11-01T00:00:00.000000Z,,,true,,,UTC,{},true\n",
		"COUPONS XML": `<?xml version="1.0" encoding="UTF-8"?>` + "\n<coupons>\n" +
			`<coupon code="Öl,1" label="Winter sale" type="INDIVIDUAL" startsAt="2026-10-31T23:00:00.000000Z" endsAt="2026-12-24T23:00:00.000000Z" ` +
			`redemptionLimit="3" requiresAssignment="true" timezone="Europe/Berlin" metadata="{&quot;a&quot;:[1,&quot;=b&quot;]}" isArchived="false"/>` + "\n" +
			`<coupon code="OPEN" label="Winter sale" type="ANONYMOUS" startsAt="2026-11-01T00:00:00.000000Z" requiresAssignment="true" timezone="UTC" ` +
			`metadata="{}" isArchived="true"/>` + "\n</coupons>\n",
		"RECIPIENTS CSV": "externalId,email,phone,firstName,lastName,isContactable,attributes\n" +
			`r1,r1@example.org,+49 170 000001,,,true,"{""sport"":""golf""}"` + "\n",
		"RECIPIENTS JSONL": `{"externalId":"r1","email":"r1@example.org","phone":"+49 170 000001","firstName":null,"lastName":null,` +
			`"isContactable":true,"attributes":"{\"sport\":\"golf\"}"}` + "\n",
		"RECIPIENTS CSV masked": "externalId,email,phone,firstName,lastName,isContactable,attributes\nr1,•••,•••,,,true,•••\n",
		"DELIVERIES JSONL masked": `{"delivery":"delivery_1","label":"Newsletter","channel":"EMAIL","coupon":"Öl,1","status":"EDITING","subject":"For you",` +
			`"body":"{{ couponValue.code }}","messageLimit":null,"matchLabelTo":null,"contactAt":null,"targets":1,"messages":0,"sent":0,"failed":0,` +
			`"canceled":0,"unknown":0,"createdAt":"2026-11-23T12:00:00.000000Z","confirmedAt":null,"finishedAt":null}` + "\n",
	} {
		words := strings.Fields(name)
		e := &coupon.Export{Kind: coupon.ExportKind(words[0]), Format: coupon.FileFormat(words[1])}
		e.Request.IsMasked = len(words) > 2
		_, text := s.export(t, e)
		if diff := cmp.Diff(want, text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	_, text := s.export(t, &coupon.Export{Kind: coupon.ExportCoupons, Format: coupon.FormatCSV, Request: coupon.ExportRequest{
		IsMasked: true, CouponFilter: &coupon.CouponFilter{Status: []coupon.CouponStatus{coupon.CouponArchived}},
	}})
	if _, rows, _ := strings.Cut(text, "\n"); !strings.HasPrefix(rows, "•••,Winter sale,ANONYMOUS") || strings.Count(rows, "\n") != 1 {
		t.Errorf("the masked file of archived coupons has the rows %q", rows)
	}
}

// TestExportCodesOfCoupons: one file has the codes of many coupons, in the order of coupon, label and code, and says whose they are.
func TestExportCodesOfCoupons(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	a, b, other := s.newCoupon(t), s.newCoupon(t), s.newCoupon(t)
	s.newCoupon(t, anonymous)
	s.codes(t, b, "", "B2")
	s.codes(t, a, "", "A2")
	s.codes(t, a, "x", "A1")
	s.codes(t, b, "", "B1")
	s.codes(t, other, "", "C1")
	for _, test := range []struct {
		request coupon.ExportRequest
		want    string
	}{
		{coupon.ExportRequest{}, "A1 CPN1,A2 CPN1,B1 CPN2,B2 CPN2,C1 CPN3"},
		{coupon.ExportRequest{CouponIDs: []coupon.ID{b, a}}, "A1 CPN1,A2 CPN1,B1 CPN2,B2 CPN2"},
		{coupon.ExportRequest{CouponIDs: []coupon.ID{}}, "A1 CPN1,A2 CPN1,B1 CPN2,B2 CPN2,C1 CPN3"},
		{coupon.ExportRequest{CouponID: &b}, "B1 CPN2,B2 CPN2"},
		{coupon.ExportRequest{CodeFilter: &coupon.CodeFilter{ValuePrefix: new("b")}}, "B1 CPN2,B2 CPN2"},
		{coupon.ExportRequest{CouponIDs: []coupon.ID{a, other}, CodeFilter: &coupon.CodeFilter{
			Status: []coupon.CodeStatus{coupon.CodeAvailable}, Label: []string{"x"},
		}}, "A1 CPN1"},
	} {
		e := &coupon.Export{Kind: coupon.ExportCodes, Format: coupon.FormatCSV, Request: test.request}
		done, text := s.export(t, e)
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
			cells := strings.Split(line, ",")
			got = append(got, cells[0]+" "+cells[3])
		}
		if strings.Join(got, ",") != test.want || done.RowCount != len(got) {
			t.Errorf("%+v: got %v, %d rows, want %s", test.request, got, done.RowCount, test.want)
		}
	}
	_, err := s.CreateExport(t.Context(), &coupon.Export{Kind: coupon.ExportCodes, Format: coupon.FormatCSV, Request: coupon.ExportRequest{
		CouponIDs: []coupon.ID{a, "coupon_99"},
	}})
	wantError(t, err, coupon.ErrorNotFound, "input.couponIds.1")
	_, err = s.CreateExport(t.Context(), &coupon.Export{Kind: coupon.ExportCodes, Format: coupon.FormatCSV, Request: coupon.ExportRequest{
		CouponID: &a, CouponIDs: []coupon.ID{b},
	}})
	wantError(t, err, coupon.ErrorInvalid, "input.couponIds")
}

// TestCancelExport: an export that waits or runs can be called off, by those whose business it is. Nothing of its file stays, also after a restart.
func TestCancelExport(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	create := func(kind coupon.ExportKind, request coupon.ExportRequest) coupon.ID {
		format := coupon.FormatCSV
		if kind == coupon.ExportBackup {
			format, request.HoursKept = coupon.FormatDuckDB, 1
		}
		e, err := s.CreateExport(t.Context(), &coupon.Export{Kind: kind, Format: format, Request: request})
		if err != nil {
			t.Fatal(err)
		}
		return e.ID
	}
	cancel := func(id coupon.ID, role coupon.Role) error {
		_, err := s.CancelExport(t.Context(), id, role)
		return err
	}
	waiting, masked := create(coupon.ExportCoupons, coupon.ExportRequest{}), create(coupon.ExportRecipients, coupon.ExportRequest{IsMasked: true})
	backup := create(coupon.ExportBackup, coupon.ExportRequest{})
	wantError(t, cancel(waiting, coupon.RoleAnalyst), coupon.ErrorInvalid, "input.id")
	wantError(t, cancel(backup, coupon.RoleMarketer), coupon.ErrorInvalid, "input.id")
	wantError(t, cancel("export_99", coupon.RoleAdmin), coupon.ErrorNotFound, "input.id")
	for id, role := range map[coupon.ID]coupon.Role{waiting: coupon.RoleMarketer, masked: coupon.RoleAnalyst, backup: coupon.RoleAdmin} {
		for range 2 { // Repeating it is harmless.
			e, err := s.CancelExport(t.Context(), id, role)
			if err != nil || e.Status != coupon.ImportCanceled || e.FinishedAt == nil {
				t.Fatalf("canceled %s: %+v, %v", id, e, err)
			}
		}
		if err := s.RunExport(t.Context(), id, nil); err != nil {
			t.Errorf("run of a canceled export: %v", err)
		}
	}
	running := create(coupon.ExportSQL, coupon.ExportRequest{Query: "SELECT 1"})
	begun, done := make(chan struct{}), make(chan error)
	go func() {
		done <- s.RunExport(t.Context(), running, func(ctx context.Context, _ *coupon.Export, path string) (int, error) {
			if err := os.WriteFile(path, []byte("some of it"), 0o600); err != nil {
				return 0, err
			}
			close(begun)
			<-ctx.Done()
			return 0, ctx.Err()
		})
	}()
	<-begun
	if err := cancel(running, coupon.RoleMarketer); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("the run of an export that was called off: %v", err)
	}
	finished, _ := s.export(t, &coupon.Export{Kind: coupon.ExportCoupons, Format: coupon.FormatCSV})
	wantError(t, cancel(finished.ID, coupon.RoleAdmin), coupon.ErrorInvalidState, "input.id")
	s.reopen(t)
	if left, err := s.WaitingExports(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("waiting after a restart: %v, %v", left, err)
	}
	if _, _, err := s.OpenExport(t.Context(), running); err == nil {
		t.Error("a canceled export has a file")
	}
	for dir, want := range map[string]int{"spool": 0, "exports": 1} {
		if left, err := os.ReadDir(filepath.Join(s.path+".files", dir)); err != nil || len(left) != want {
			t.Errorf("%s has %v, %v", dir, left, err)
		}
	}
	list, err := s.Exports(t.Context(), new(coupon.ExportCoupons), []coupon.ImportStatus{coupon.ImportCanceled, coupon.ImportSucceeded},
		coupon.Page{First: 1, WantsItems: true, WantsTotal: true})
	if err != nil || list.Total != 2 || len(list.Items) != 1 || list.Items[0].ID != finished.ID || !list.HasNext {
		t.Errorf("exports of coupons: %+v, %v", list, err)
	}
	s.checkSound(t)
}

// TestExportedCodesKeepTheirOrder: codes of many coupons come in the order of their numbers, which an import gave them, in every
// format of lines, wherever they stand in the table: rows that an undone deletion stored again stand at its end, and a plan that
// joins large tables gives the rows in pieces.
func TestExportedCodesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	text, want := "coupon,code\n", []string(nil)
	for i := range 10 {
		s.newCoupon(t, withCode(fmt.Sprintf("C%d", i)))
		for j := range 80 {
			want = append(want, fmt.Sprintf("V-%d-%02d", i, j))
			text += fmt.Sprintf("C%d,%s\n", i, want[len(want)-1])
		}
	}
	wantImport(t, s.importFile(t, newImport(coupon.ImportCodes), text), "SUCCEEDED 800 = 800 + 0")
	// In several statements, since the engine keeps what one transaction deletes until the next one begins.
	for _, statement := range []string{
		"CREATE TABLE stored AS FROM code", "DELETE FROM code", "INSERT INTO code FROM stored ORDER BY hash(id)", "DROP TABLE stored",
	} {
		s.Exec(t, statement)
	}
	for _, format := range []coupon.FileFormat{coupon.FormatCSV, coupon.FormatJSONL, coupon.FormatXML} {
		_, file := s.export(t, &coupon.Export{Kind: coupon.ExportCodes, Format: format})
		if got := regexp.MustCompile(`V-\d-\d\d`).FindAllString(file, -1); !slices.Equal(got, want) {
			t.Errorf("%s: %d codes, not in order", format, len(got))
		}
	}
}
