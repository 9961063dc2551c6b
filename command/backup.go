package command

import (
	"context"
	"errors"
)

// Backup fetches a backup of a running server.
type Backup struct {
	serverFlags

	File  string `arg:""      help:"The file to write."                                                            placeholder:"FILE" type:"path"`
	Hours int    `default:"1" help:"How long the server keeps the file, 1 to 24 hours: longer than fetching takes." name:"hours-kept"`
}

// Help is what --help says beside the flags.
func (*Backup) Help() string {
	return `The server copies its database as it is at one instant, goes on with all else meanwhile, and
reads the copy again before it gives it away. The file has every code and every address: only its
owner may read it. It has no uploaded and exported files, and not the outbox. couponql restore
makes a database of it.

` + exitHelp
}

// Validate refuses what makes no sense before anything is asked.
func (b *Backup) Validate() error {
	if err := b.check(); err != nil {
		return err
	}
	if b.File == "" || b.File == standardStream {
		return errors.New("FILE: a backup is written to a file, not to standard output")
	}
	return b.checkNew("FILE", b.File)
}

// Run has the backup made, and fetches it.
func (b *Backup) Run(ctx context.Context, console *Console) error {
	e := newExporter(console, &exportFlags{serverFlags: b.serverFlags, Output: b.File},
		backupExport)
	e.input = map[string]any{"hoursKept": b.Hours}
	e.fileMode = 0o600
	return e.run(ctx)
}
