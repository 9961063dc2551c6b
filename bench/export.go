package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// exportedColumns is the head of an exported file of codes.
const exportedColumns = "code,label,status,coupon,delivery,recipient,channel,address,assignedAt,sentAt,redeemedAt"

// rawExport writes the same columns of the codes of a coupon. %s are the id of the coupon and the
// file.
const rawExport = `COPY (
    SELECT coalesce(c.value, c.key) AS code, c.label,
        CASE WHEN r.code_id IS NOT NULL THEN 'REDEEMED' WHEN v.code_id IS NOT NULL THEN 'VOIDED'
             WHEN p.ends_at <= now()::TIMESTAMP THEN 'EXPIRED' WHEN m.id IS NOT NULL THEN
                 'ASSIGNED' ELSE 'AVAILABLE' END AS status,
        p.code AS coupon, 'delivery_' || m.delivery_id AS delivery, k.external_id AS recipient,
            d.channel, m.address,
        m.created_at AS "assignedAt", s.settled_at AS "sentAt", r.redeemed_at AS "redeemedAt"
    FROM code c JOIN coupon p ON p.id = c.coupon_id
    LEFT JOIN message m ON m.code_id = c.id AND m.id NOT IN (SELECT message_id FROM code_return)
    LEFT JOIN delivery d ON d.id = m.delivery_id
    LEFT JOIN recipient k ON k.id = m.recipient_id
    LEFT JOIN sending s ON s.message_id = m.id AND s.outcome = 'SENT'
    LEFT JOIN (
        SELECT code_id, min(redeemed_at) AS redeemed_at
        FROM posted_redemption WHERE id NOT IN (SELECT redemption_id FROM reversal) GROUP BY code_id
    ) r ON r.code_id = c.id
    LEFT JOIN code_void v ON v.code_id = c.id
    WHERE c.coupon_id = 1
) TO '%s' (FORMAT csv, HEADER)`

// measureExport downloads all codes of the coupon, of which there are so many, as CSV. The raw side
// writes its file from a copy of the database.
func (b *bench) measureExport(ctx context.Context, codes int) error {
	if err := b.copyDatabase(ctx, "raw-export.duckdb"); err != nil {
		return err
	}
	if err := b.server.startJobs(); err != nil { //nolint:contextcheck // jobs run until they are stopped
		return err
	}
	name := fmt.Sprintf("export %s codes as CSV over HTTP", count(codes))
	var ours, raw []time.Duration
	for range b.options.runs {
		var elapsed time.Duration
		err := b.profiled(name, func() error {
			var err error
			elapsed, err = timed(
				func() error { return b.server.exportCodes(ctx, b.couponID, codes) },
			)
			return err
		})
		if err != nil {
			return err
		}
		ours = append(ours, elapsed)
		if elapsed, err = timed(func() error {
			return b.raw.run(ctx, fmt.Sprintf(rawExport, b.file("raw-export.csv")))
		}); err != nil {
			return fmt.Errorf("raw export: %w", err)
		}
		raw = append(raw, elapsed)
	}
	b.add(newResult(name, "s", median(ours).Seconds(), median(raw).Seconds(),
		goal{mostRatio: maxBulkRatio}))
	return nil
}

// exportCodes has a file of all codes of a coupon written, waits for it and downloads it.
func (s *server) exportCodes(ctx context.Context, couponID string, wantRows int) error {
	var queued struct {
		Started struct{ Export struct{ ID string } }
	}
	err := s.ask(ctx, "mutation($input: ExportCodesInput!) { started: exportCodes(input: $input) { export { id } userErrors { message } } }",
		input(variables{"couponId": couponID, "format": "CSV"}), &queued)
	if err != nil {
		return fmt.Errorf("exportCodes: %w", err)
	}
	var found struct {
		Export struct {
			Status, URL, Failure string
			RowCount             int
		}
	}
	const query = "query($id: ID!) { export(id: $id) { status rowCount url failure } }"
	err = s.follow(ctx, query, variables{"id": queued.Started.Export.ID}, &found, func() bool {
		return found.Export.Status != "QUEUED" && found.Export.Status != "RUNNING"
	})
	if e := found.Export; err == nil && (e.Status != "SUCCEEDED" || e.RowCount != wantRows) {
		err = fmt.Errorf("the export is %s %s with %d rows instead of %d", e.Status, e.Failure,
			e.RowCount, wantRows)
	}
	switch {
	case err != nil:
	case found.Export.URL == "":
		err = errors.New("the file has no URL")
	default:
		err = s.download(ctx, found.Export.URL, exportedColumns, wantRows)
	}
	if err != nil {
		return fmt.Errorf("exportCodes: %w", err)
	}
	return nil
}

// download reads a file to its end, without keeping it, and checks its head and the number of its
// rows, which have one line each.
func (c *client) download(ctx context.Context, link, columns string, wantRows int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	target, err := url.Parse(link)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	// The link may name the address that the server is known by; here it has another one.
	request.URL.Path, request.URL.RawPath, request.URL.RawQuery = target.Path, target.RawPath,
		target.RawQuery
	request.Header.Set("Accept-Encoding", "identity")
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("download: the server answers %s", response.Status)
	}
	head := make([]byte, len(columns))
	if _, err := io.ReadFull(response.Body, head); err != nil || string(head) != columns {
		return errors.Join(
			fmt.Errorf("download: the file begins with %q instead of %q", head, columns), err,
		)
	}
	lines := &lineCounter{}
	if _, err := io.Copy(lines, response.Body); err != nil {
		return fmt.Errorf("download: %w", err)
	}
	if lines.count != wantRows+1 {
		return fmt.Errorf("download: %d lines instead of %d", lines.count, wantRows+1)
	}
	return nil
}

// lineCounter counts the lines that are written to it.
type lineCounter struct{ count int }

func (l *lineCounter) Write(text []byte) (int, error) {
	l.count += bytes.Count(text, []byte{'\n'})
	return len(text), nil
}
