package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"couponql/client"
)

// lookups is how many codes are asked for at once.
const lookups = 100

// lookAtImport tells whether an import is over, and puts that into the ledger. It is an error for one to fail, unless the
// disk is full.
func (s *soak) lookAtImport(ctx context.Context, server *server, id string) (isOver bool, err error) {
	var read struct {
		Import *struct {
			Status                               string
			RowsRead, RowsImported, RowsRejected int
			Failure                              *string
		}
	}
	operation := "query($id: ID!) { import(id: $id) { status rowsRead rowsImported rowsRejected failure } }"
	if err := server.client.Do(ctx, operation, client.Variables{"id": id}, &read); err != nil {
		return false, err
	}
	i := read.Import
	switch {
	case i == nil:
		return true, fmt.Errorf("%s was acknowledged and is gone", id)
	case i.Status == "QUEUED" || i.Status == "RUNNING":
		return false, nil
	case i.Status == "FAILED" && i.Failure != nil && strings.Contains(*i.Failure, "disk is full"):
		if i.RowsImported != 0 {
			return true, fmt.Errorf("%s failed and imported %d rows", id, i.RowsImported)
		}
		s.ledger.importRefused(id)
		return true, nil
	case i.Status != "SUCCEEDED" || i.RowsImported != importRows || i.RowsRead != importRows || i.RowsRejected != 0:
		return true, fmt.Errorf("%s is %s %s: %d of %d rows imported, %d rejected", id, i.Status, or(i.Failure), i.RowsImported, i.RowsRead, i.RowsRejected)
	}
	s.ledger.importDone(id)
	return true, nil
}

func or(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// checkImports looks at those whose end nobody saw.
func (s *soak) checkImports(ctx context.Context) error {
	for _, id := range s.ledger.open() {
		isOver, err := s.lookAtImport(ctx, s.server, id)
		if s.server.hasEnded() {
			return errors.Join(err, s.server.err)
		}
		if err == nil && !isOver {
			err = fmt.Errorf("%s does not end", id)
		}
		if err != nil {
			s.counts.problem(err)
		}
	}
	return nil
}

// checkDeliveries wants each that was confirmed to be sent whole. What was seen to be so is not looked at again.
func (s *soak) checkDeliveries(ctx context.Context) error {
	wanted := map[string]int{}
	for id, messages := range s.ledger.deliveries {
		if !s.ledger.seen[id] {
			wanted[id] = messages
		}
	}
	for id, messages := range wanted {
		var read struct {
			Delivery *struct {
				Status string
				Counts struct{ Sent, Total int }
			}
		}
		if err := s.do(ctx, "query($id: ID!) { delivery(id: $id) { status counts { sent total } } }", client.Variables{"id": id}, &read); err != nil {
			return err
		}
		if d := read.Delivery; d == nil || d.Status != "FINISHED" || d.Counts.Sent != messages || d.Counts.Total != messages {
			s.counts.problem(fmt.Errorf("%s was confirmed for %d messages and is %+v", id, messages, d))
		}
		s.ledger.seen[id] = true
	}
	return nil
}

// checkRedeemed wants these codes to be redeemed.
func (s *soak) checkRedeemed(ctx context.Context, codes []string) error {
	for len(codes) > 0 {
		part := codes[:min(lookups, len(codes))]
		codes = codes[len(part):]
		var query strings.Builder
		query.WriteString("{")
		for i, code := range part {
			fmt.Fprintf(&query, " c%d: code(value: %q) { status }", i, code)
		}
		query.WriteString(" }")
		var read map[string]*struct{ Status string }
		if err := s.do(ctx, query.String(), nil, &read); err != nil {
			return err
		}
		for i, code := range part {
			if c := read[fmt.Sprintf("c%d", i)]; c == nil || c.Status != "REDEEMED" {
				s.counts.problem(fmt.Errorf("%s was redeemed and is %+v", code, c))
			}
		}
	}
	return nil
}

// checkSound wants the promises to hold.
func (s *soak) checkSound(ctx context.Context) error {
	var read struct {
		IntegrityReport struct {
			IsSound bool
			Checks  []struct {
				Name       string
				Violations int
				Examples   []string
			}
		}
	}
	if err := s.do(ctx, "{ integrityReport { isSound checks { name violations examples } } }", nil, &read); err != nil {
		return fmt.Errorf("integrityReport: %w", err)
	}
	if report := read.IntegrityReport; !report.IsSound || len(report.Checks) == 0 {
		s.counts.problem(fmt.Errorf("the database is not sound: %+v", report))
	}
	return nil
}

// export exports the codes of a coupon and gives the link to the file.
func (s *soak) export(ctx context.Context, server *server, couponID string) (link string, err error) {
	s.ledger.export()
	var queued struct {
		ExportCodes struct{ Export struct{ ID string } }
	}
	operation := "mutation($input: ExportCodesInput!) { exportCodes(input: $input) { export { id } userErrors { code message field } } }"
	if err := server.client.Do(ctx, operation, client.Input(map[string]any{"couponId": couponID}), &queued); err != nil {
		return "", err
	}
	id := queued.ExportCodes.Export.ID
	for {
		var read struct {
			Export struct {
				Status       string
				URL, Failure *string
			}
		}
		if err := server.client.Do(ctx, "query($id: ID!) { export(id: $id) { status url failure } }", client.Variables{"id": id}, &read); err != nil {
			return "", err
		}
		switch e := read.Export; e.Status {
		case "QUEUED", "RUNNING":
			sleep(ctx, pollInterval)
			continue
		case "SUCCEEDED":
			return or(e.URL), nil
		default:
			return "", fmt.Errorf("%s is %s: %s", id, e.Status, or(e.Failure))
		}
	}
}

// checkCodes wants all codes of the ledger in the exports of both coupons.
func (s *soak) checkCodes(ctx context.Context) error {
	tills, err := s.exported(ctx, s.tills)
	if err != nil {
		return err
	}
	deliveries, err := s.exported(ctx, s.deliveries)
	if err != nil {
		return err
	}
	missing := func(codes []string, found map[string]string, status string) {
		for _, code := range codes {
			if got, isThere := found[code]; !isThere || status != "" && got != status {
				s.counts.problem(fmt.Errorf("%s was acknowledged and is %q in the export", code, got))
			}
		}
	}
	for _, f := range s.ledger.imports {
		missing(f.codes(), tills, "")
	}
	missing(s.ledger.added, tills, "")
	missing(s.ledger.redeemed, tills, "REDEEMED")
	if len(deliveries) < s.ledger.generated {
		s.counts.problem(fmt.Errorf("%d codes were generated, and %d are in the export", s.ledger.generated, len(deliveries)))
	}
	assigned := 0
	for _, status := range deliveries {
		if status == "ASSIGNED" {
			assigned++
		}
	}
	if messages := s.ledger.sizes().messages; assigned < messages {
		s.counts.problem(fmt.Errorf("%d messages were confirmed, and %d codes are assigned", messages, assigned))
	}
	return nil
}

// exported gives the status of each code of a coupon, as an export has it.
func (s *soak) exported(ctx context.Context, couponID string) (statuses map[string]string, err error) {
	link, err := s.export(ctx, s.server, couponID)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, err
	}
	statuses = map[string]string{}
	_, err = send(request, func(body io.Reader) error {
		rows := csv.NewReader(body)
		head, err := rows.Read()
		if err != nil {
			return err
		}
		if len(head) < 3 || head[0] != "code" || head[2] != "status" {
			return fmt.Errorf("an export has the columns %v", head)
		}
		for {
			row, err := rows.Read()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if _, isThere := statuses[row[0]]; isThere {
				s.counts.problem(fmt.Errorf("%s is in an export twice", row[0]))
			}
			statuses[row[0]] = row[2]
		}
	})
	return statuses, err
}

var (
	messageIDLine = regexp.MustCompile(`(?m)^Message-ID: <(.*)@couponql>$`)
	codeLine      = regexp.MustCompile(`(?m)^Code: (D.*)$`)
)

// checkOutbox wants each message of each delivery once, with a code that no other has.
func (s *soak) checkOutbox() error {
	holders := map[string]string{}
	for id, messages := range s.ledger.deliveries {
		text, err := os.ReadFile(filepath.Join(s.dir, "outbox", id+".mbox"))
		if err != nil {
			return fmt.Errorf("read the outbox: %w", err)
		}
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		for _, pattern := range []*regexp.Regexp{messageIDLine, codeLine} {
			found := pattern.FindAllSubmatch(text, -1)
			if len(found) != messages {
				s.counts.problem(fmt.Errorf("the outbox of %s has %d lines like %s, want %d", id, len(found), pattern, messages))
			}
			for _, match := range found {
				if other, isThere := holders[string(match[1])]; isThere {
					s.counts.problem(fmt.Errorf("%s is in the outbox of %s and of %s", match[1], id, other))
				}
				holders[string(match[1])] = id
			}
		}
	}
	return nil
}

// forgetTimeout is how long after its start a server may take to delete the files that nobody needs.
const forgetTimeout = 20 * time.Second

// checkFiles wants no files but those of uploads and exports whose day is not over.
func (s *soak) checkFiles(ctx context.Context) error {
	for end := time.Now().Add(forgetTimeout); ; sleep(ctx, pollInterval) {
		counts, err := s.countFiles()
		if err != nil {
			return err
		}
		uploads := s.ledger.uploads + s.ledger.files - s.ledger.answered
		if counts["spool"]+counts["temp"] == 0 && counts["uploads"] <= uploads && counts["exports"] <= s.ledger.exports {
			return nil
		}
		if time.Now().After(end) {
			s.counts.problem(fmt.Errorf("files are left over: %v, with %d uploads and %d exports", counts, uploads, s.ledger.exports))
			return nil
		}
	}
}
