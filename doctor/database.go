package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db"
)

// Database opens a database that no server has open, reads all of it and checks the promises. It gives what it found,
// nil when the file could not be opened.
func (r *Report) Database(ctx context.Context, path, memoryLimit string) *db.Inspection {
	found, err := db.Inspect(ctx, path, memoryLimit)
	switch {
	case errors.Is(err, os.ErrNotExist):
		r.addf("database", Warning, "%s does not exist: the next start makes an empty database. Check --data if there should be one.", path)
		return nil
	case err != nil && found != nil && found.IsLogDamaged:
		r.addf("log", Failed, "%s.", err)
		return nil
	case err != nil:
		r.addf("database", Failed, "%s. A server that has it open must be stopped first, or asked by --url; a damaged file is restored from a backup.", err)
		return nil
	case found.IsLogDamaged:
		r.addf("log", Warning, "%s The next start takes them away and keeps a copy; until then the database cannot be looked at.", found.Notice)
		return nil
	case found.IsBegun:
		r.addf("database", Warning, "%s has nothing in it: its first start did not come to its end, and the next one makes it.", path)
	case len(found.UnknownMigrations) > 0:
		r.addf("database", Failed, "%s was made by a newer version of couponql (%s): use that one.", path, strings.Join(found.UnknownMigrations, ", "))
	case found.BackupTakenAt != "":
		r.addf("database", Failed, "%s is a backup, taken at %s: make a database of it with couponql restore.", path, found.BackupTakenAt)
	case len(found.MissingMigrations) > 0:
		r.addf(
			"database",
			Warning,
			"%s was made by an older version: the next start changes it for good (%s). Back it up before, with the version that made it.",
			path,
			strings.Join(found.MissingMigrations, ", "),
		)
	default:
		r.addf("database", OK, "%s opens; every value of its %d rows, %s, can be read.", path, found.RowCount, size(found.SizeBytes))
	}
	if found.Notice != "" {
		r.addf("log", Warning, "%s", found.Notice)
	}
	if found.Report != nil {
		r.integrity(found.Report, " that need no running server")
	}
	if found.ErasedSince != "" {
		r.addf(
			"erasure",
			Warning,
			"Parts of the file that are not in use may have text of recipients erased since %s: the next start makes the file anew, for which it needs %s of disk.",
			found.ErasedSince,
			size(backupFactor*found.SizeBytes),
		)
	}
	return found
}

// integrity tells whether the promises hold. kind says, if not "", which checks were made.
func (r *Report) integrity(report *coupon.IntegrityReport, kind string) {
	for _, check := range report.Warnings() {
		r.addf("integrity", Warning, "%s.", check)
	}
	if report.IsSound() {
		r.addf("integrity", OK, "All %d checks of integrityReport%s hold.", report.Promises(), kind)
		return
	}
	var broken []string
	for _, check := range report.Broken() {
		broken = append(broken, check.String())
	}
	r.addf("integrity", Failed, "%s. Keep a copy of the files, restore the last backup that was sound, and report it.", strings.Join(broken, "; "))
}

// Timezones looks whether the zones of coupons are known to this machine; without a database of zones none is.
func (r *Report) Timezones(names []string) {
	var unknown []string
	for _, name := range append([]string{"Europe/Berlin"}, names...) {
		if _, err := coupon.LoadZone(name); err != nil {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		r.addf("time zones", Failed, "Unknown here: %s. Install the operating system's package tzdata.", strings.Join(unknown, ", "))
		return
	}
	r.addf("time zones", OK, "Those of the coupons are known (%d of them).", len(names))
}

// Thresholds of the disk.
const (
	// comfortBytes is how much should be free on any disk.
	comfortBytes = 1 << 30
	// backupFactor is how much room a backup needs for a moment, in sizes of the database.
	backupFactor = 2
)

// Disk looks how much room the database has.
func (r *Report) Disk(path string, sizeBytes uint64) {
	dir := existing(filepath.Dir(path))
	free, reserve, err := db.Disk(dir)
	switch wanted := max(comfortBytes, backupFactor*sizeBytes); {
	case err != nil:
		r.addf("disk", Warning, "How much is free is not known: %s.", err)
	case free < reserve:
		r.addf("disk", Failed, "%s are free at %s: with less than %s the server refuses writes. Make room.", size(free), dir, size(reserve))
	case free < wanted:
		r.addf("disk", Warning, "%s are free at %s; a backup and large imports need %s. Make room.", size(free), dir, size(wanted))
	default:
		r.addf("disk", OK, "%s are free at %s.", size(free), dir)
	}
}

// existing returns the folder, or the one above it that exists.
func existing(dir string) string {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// Files looks who may read the files of a server, whether it may write them, and what is left over.
func (r *Report) Files(database, outbox string) {
	var unwritable, open []string
	for _, path := range []string{existing(filepath.Dir(database)), database, database + ".files", outbox} {
		info, err := os.Stat(path)
		if err != nil {
			continue // The server makes it.
		}
		if !isWritable(path) {
			unwritable = append(unwritable, path)
		}
		const others = 0o077
		if path != filepath.Dir(database) && info.Mode().Perm()&others != 0 {
			open = append(open, path)
		}
	}
	switch {
	case len(unwritable) > 0:
		r.addf("files", Failed, "This user cannot write to %s. Run as the user of the server, or give the files to it.", strings.Join(unwritable, ", "))
	case len(open) > 0:
		r.addf("files", Warning, "Other users of this machine may read codes and addresses: chmod -R go= %s", strings.Join(open, " "))
	default:
		r.addf("files", OK, "Only their owner may read them, and they can be written.")
	}
	left, err := db.Leftovers(database)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		r.addf("leftovers", Warning, "%s.", err)
	case len(left) > 0:
		r.addf(
			"leftovers",
			Warning,
			"An interrupted restore or a damaged log left %s, which may have codes and addresses: delete it when nobody needs it, unless a restore runs right now.",
			strings.Join(left, ", "),
		)
	default:
		r.addf("leftovers", OK, "Nothing is left over beside the database.")
	}
}

// size writes bytes for people.
func size(bytes uint64) string {
	for _, unit := range []struct {
		name  string
		bytes uint64
	}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}} {
		if bytes >= unit.bytes {
			return fmt.Sprintf("%.1f %s", float64(bytes)/float64(unit.bytes), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// reachTimeout is how long a connection may take.
const reachTimeout = 10 * time.Second

// Reach looks whether something that messages or alerts go to can be reached; reach connects and sends nothing.
func (r *Report) Reach(ctx context.Context, name string, reach func(context.Context) (said string, err error)) {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	said, err := reach(ctx)
	if err != nil {
		r.addf(name, Failed, "%s. Check the address, the password, the firewall and the certificate.", err)
		return
	}
	r.addf(name, OK, "It can be reached; nothing was sent (%s).", said)
}

// Settings tells what is wrong with the settings; nil: nothing is. warnings are what is not wrong, but odd.
func (r *Report) Settings(err error, warnings []string) {
	switch {
	case err != nil:
		r.addf("settings", Failed, "%s", err)
	case len(warnings) > 0:
		r.addf("settings", Warning, "%s", strings.Join(warnings, " "))
	default:
		r.addf("settings", OK, "They make sense together.")
	}
}
