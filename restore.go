package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db"
)

// restoreCommand makes a database of a backup.
type restoreCommand struct {
	File        string     `arg:"" help:"The backup, as couponql backup wrote it." type:"existingfile"`
	Data        string     `help:"The database file to make." placeholder:"FILE" required:"true" type:"path"`
	Force       bool       `help:"Overwrite an existing database and its files. No server may have it open."`
	JSON        bool       `name:"json" help:"Write the result as JSON to standard output, for programs."`
	MemoryLimit memorySize `default:"${memory_limit}" help:"Memory of the database engine before it spills to disk." env:"COUPONQL_MEMORY_LIMIT"`
}

// Help is what --help says beside the flags.
func (*restoreCommand) Help() string {
	return `Everything is as it was when the backup was made, and what happened since is lost: codes that
were sent since count as available, those that were redeemed since can be redeemed again. See
"Restore" in docs/operating.md before you start a server. Deliveries that were being sent or were
scheduled are paused.

Exit codes: 0 restored and checked; 1 not restored; 2 wrong usage.`
}

// Run restores, and writes what came of it to standard output.
func (c *restoreCommand) Run(ctx context.Context) error {
	keepToSelf()
	restored, err := db.Restore(ctx, db.RestoreOptions{
		Backup: c.File, Path: c.Data, Overwrites: c.Force, MemoryLimit: string(c.MemoryLimit),
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(restoredResult(c.Data, restored))
	}
	return printRestored(os.Stdout, c.Data, restored)
}

// restoreResult is what --json writes.
type restoreResult struct {
	Data              string      `json:"data"`
	TakenAt           time.Time   `json:"takenAt"`
	RowCount          int         `json:"rowCount"`
	CheckCount        int         `json:"checkCount"`
	PausedDeliveries  []coupon.ID `json:"pausedDeliveries"`
	FailedImportCount int         `json:"failedImportCount"`
	FailedExportCount int         `json:"failedExportCount"`
}

func restoredResult(path string, r *db.Restored) restoreResult {
	paused := r.Paused
	if paused == nil {
		paused = []coupon.ID{}
	}
	return restoreResult{
		path, r.TakenAt, r.RowCount, r.Report.Promises(), paused, r.FailedImports, r.FailedExports,
	}
}

func printRestored(out io.Writer, path string, r *db.Restored) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d rows, as of %s; all %d checks of integrityReport hold\n", path,
		r.RowCount, r.TakenAt.Format(time.RFC3339), r.Report.Promises())
	for _, check := range r.Report.Warnings() {
		fmt.Fprintf(&b, "to look at: %s\n", coupon.Printable(check.String()))
	}
	if len(r.Paused) > 0 {
		paused := make([]string, len(r.Paused))
		for i, id := range r.Paused {
			paused[i] = string(id)
		}
		fmt.Fprintf(
			&b, "paused, to be resumed or stopped when it is known what was sent since: %s\n",
			strings.Join(paused, ", "),
		)
	}
	if r.FailedImports > 0 {
		fmt.Fprintf(&b, "failed, since their files are not in a backup: %d imports\n",
			r.FailedImports)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
