// The program bench measures what couponql promises about speed and size, each beside raw DuckDB
// SQL that does the same work on the same data in the same run. `make bench` runs it.
//
// Times on one machine say little about another, and on a busy machine little about themselves;
// what travels is the ratio to the raw SQL, which is why every line has one where there is such
// SQL. The goals are those of the project, and nothing fails when one is missed.
//
// # What is run
//
// The server runs inside this program: the real store, the real jobs and the real handler, asked
// over HTTP on a loopback port. The story is that of a real campaign: codes and recipients are
// imported, deliveries are analyzed, confirmed and sent, a file of redemptions comes back, people
// look at pages and statistics, and tills redeem. The raw SQL runs on a copy of the server's
// database, so that both have the same rows on the same pages; only the raw import begins with an
// empty file, as the server's does.
//
// # Bulk
//
// With --bulk=N a chapter comes first that has a database of its own: a coupon that has N codes
// gets a file of N rows more. In each hundred rows one has a code of the coupon, one repeats a row
// of the file, and one is empty, too long, or has a control character; both sides must take and
// reject the same rows. While the file is imported, two readers ask for single codes. A twentieth
// of the rows goes into a coupon with a twentieth of the codes, which tells whether a row costs
// more when there are many. At last all codes are exported and downloaded. The project's goals are
// about N = 5,000,000, that of the memory about 20,000,000.
//
// # A large delivery
//
// With --audience=N there is a chapter about a delivery to N recipients, with individual codes of a
// coupon that has five times as many (at most five million that nobody gets), in a database of its
// own: it is analyzed, confirmed, rendered and written to the outbox. A small delivery before it,
// to a tenth or 100,000, tells whether a message costs more when there are many. The project's
// goals are about N = 1,000,000, that of the cost of a message about 5,000,000.
//
// # Tills
//
// With --tills=N a chapter comes that has a database of its own, in which a pool of N codes is
// redeemed from: by 1, 8 and 64 callers at the storage layer, over HTTP, in batches, and while half
// as many codes are imported and a delivery with a tenth as many messages is analyzed and
// confirmed. It also tells how long a start takes, and how much memory.
//
// # PostgreSQL
//
// With --peers a PostgreSQL, made in the folder of the run and deleted with it, does the same with
// a table that has a unique index: the import, once by a staging table and once from a file that
// has only the good rows, of which the faster one counts; the assignment of as many codes as a
// delivery has messages; and redemptions of one row each. With --audience it assigns as many codes
// as the large delivery does. It is tuned modestly and loses nothing in a crash: shared_buffers
// 2GB, max_wal_size 8GB, work_mem 256MB, fsync and synchronous_commit on.
//
// # Beside tills
//
// With --beside=N a chapter comes that has a database of its own, in which files of N rows of every
// kind and mode are imported, one after the other, while tills redeem over HTTP: it tells what the
// tills see of each. --modes names some of them. The project's goals are about N = 1,000,000.
//
// # Analysts
//
// With --analysts=N, 200,000 unless told, a chapter has a database with a coupon of N codes: 100
// deliveries gave away half of them, one a day, and three in ten codes were redeemed. The rows are
// written into the server's file by SQL, while it is closed, and integrityReport proves that they
// are sound. The questions are asked of the idle server beside raw SQL on a copy, once more while a
// tenth as many codes are imported over and over, and with --peers of PostgreSQL, whose time is
// that of EXPLAIN ANALYZE, without sending the answer. The project's goals are about N =
// 10,000,000. Questions about a few rows, a code or a page, are asked over HTTP by 1, 8 and 64
// callers, and of PostgreSQL by pgbench, which speaks no GraphQL.
//
// # Pages from memory
//
// How many pages of codes are answered in a second is told beside a server with the same schema and
// the same generated code, whose resolvers give the same pages from memory: the column of raw SQL
// has its rate then.
//
// # Subscriptions
//
// With --subscriptions=N a chapter opens N subscriptions at once, which wait, by WebSocket and then
// by Server-Sent Events, to a server that is a process of its own, and tells how much memory that
// takes. The project's goal is about N = 10,000.
//
// # What the raw side leaves out
//
// It is what a person would type who knows DuckDB well and has the machine to himself: one
// connection, no HTTP, no upload, no history, no check that the engine does not do by itself. A
// ratio of 1 would mean that the product is free.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// options are the sizes of a run.
type options struct {
	// codes is how many codes are imported, and how many messages the statistics are about.
	codes int
	// messages is how many recipients there are, and how many messages a delivery has.
	messages int
	// bulk is how many codes a coupon has, and how many rows the file has that is imported for it
	// then; 0 leaves out what is about bulk.
	bulk int
	// audience is how many messages a large delivery has; 0 leaves out what is about it.
	audience int
	// tills is how many codes the pool has that tills redeem from; 0 leaves out what is about
	// tills.
	tills int
	// beside is how many rows each file has that is imported while tills redeem; 0 leaves out what
	// is about it. modes narrows it to some kinds and modes, by commas; "" means all.
	beside int
	modes  string
	// analysts is how many codes the coupon has that analysts ask about; 0 leaves out what they
	// ask.
	analysts int
	// subscriptions is how many subscriptions wait at once; 0 leaves out what is about them.
	subscriptions int
	// peers: PostgreSQL does the same as ours.
	peers bool
	// runs is how often each measurement is repeated; the median counts.
	runs int
	// dir is the folder that the databases are made in; "" means that for temporary files.
	dir string
	// profiles is a folder for a CPU profile of each measurement; "" means none.
	profiles string
	asJSON   bool
}

// maxCodes bounds the run: beyond it the files, of which there are several copies, fill disks.
const maxCodes = 100_000_000

// minBulk lets the file and the part of it have rows of each kind.
const minBulk = 100 * bulkPart

// minAudience lets the small delivery have some messages.
const minAudience = 100

// minTills is enough for a moment's redemptions.
const minTills = 1000

// minAnalysts gives each delivery a few messages.
const minAnalysts = 2 * 10 * analysisDeliveries

// check refuses sizes that do not make a whole story.
func (o *options) check() error {
	switch {
	case o.messages < 10:
		return fmt.Errorf("--messages=%d: must be 10 or more", o.messages)
	case o.runs < 1:
		return fmt.Errorf("--runs=%d: must be 1 or more", o.runs)
	case o.codes < 3*o.runs*o.messages || o.codes > maxCodes:
		return fmt.Errorf("--codes=%d: must be %d (three kinds of delivery, each %d times) to %d",
			o.codes, 3*o.runs*o.messages, o.runs, maxCodes)
	}
	return cmp.Or(o.checkChapters(), o.checkBeside())
}

// checkChapters refuses sizes of chapters that cannot be told.
func (o *options) checkChapters() error {
	switch {
	case o.bulk != 0 && (o.bulk < minBulk || o.bulk > maxCodes/2):
		return fmt.Errorf("--bulk=%d: must be 0 (nothing about bulk) or %d to %d", o.bulk,
			minBulk, maxCodes/2)
	case o.audience != 0 && (o.audience < minAudience || o.audienceCodes(o.audience) > maxCodes):
		return fmt.Errorf("--audience=%d: must be 0 (nothing about a large delivery), or %d or more with at most %d codes", o.audience, minAudience, maxCodes)
	case o.tills != 0 && (o.tills < minTills || o.tills > maxCodes):
		return fmt.Errorf("--tills=%d: must be 0 (nothing about tills) or %d to %d", o.tills,
			minTills, maxCodes)
	case o.analysts != 0 && (o.analysts < minAnalysts || o.analysts > maxCodes):
		return fmt.Errorf("--analysts=%d: must be 0 (nothing about analysts) or %d to %d",
			o.analysts, minAnalysts, maxCodes)
	case o.subscriptions < 0 || uint64(o.subscriptions) > maxFiles()-spareFiles:
		return fmt.Errorf("--subscriptions=%d: must be 0 (none) to %d, for each takes a file and so many may be open here (ulimit -Hn)",
			o.subscriptions, maxFiles()-spareFiles)
	case o.peers && o.bulk+o.audience+o.tills+o.analysts == 0:
		return errors.New("--peers: give --bulk, --audience, --tills or --analysts too, in which PostgreSQL does the same")
	case o.peers && o.bulk != 0 && o.bulk < o.messages:
		return fmt.Errorf(
			"--peers: PostgreSQL assigns --messages=%d of --bulk=%d codes: give more bulk",
			o.messages, o.bulk,
		)
	}
	return nil
}

// checkBeside refuses files beside tills that cannot be.
func (o *options) checkBeside() error {
	if o.beside != 0 && (o.beside < minBeside || o.beside > maxCodes/10) {
		return fmt.Errorf("--beside=%d: must be 0 (nothing about files beside tills) or %d to %d",
			o.beside, minBeside, maxCodes/10)
	}
	for mode := range strings.SplitSeq(o.modes, ",") {
		if o.modes != "" && !slices.Contains(besideModeNames(), mode) {
			return fmt.Errorf("--modes=%s: %q is none of %s", o.modes, mode,
				strings.Join(besideModeNames(), ", "))
		}
	}
	return nil
}

func main() {
	var o options
	flag.IntVar(&o.codes, "codes", 1_000_000, "codes in the imported file")
	flag.IntVar(&o.messages, "messages", 100_000, "recipients, and messages of a delivery")
	flag.IntVar(&o.bulk, "bulk", 0, "rows imported for a coupon that has as many codes, 5000000 for the project's goals; 0: leave out bulk")
	flag.IntVar(&o.audience, "audience", 0,
		"messages of a large delivery, 1000000 for the project's goals; 0: leave it out")
	flag.IntVar(&o.tills, "tills", 0, "codes of the pool that tills redeem from, 10000000 for the project's goals; 0: leave out tills")
	flag.IntVar(&o.beside, "beside", 0,
		"rows of a file of each kind and mode that is imported while tills redeem, 1000000 for the project's goals; 0: leave them out")
	flag.StringVar(&o.modes, "modes", "",
		"which of them, by commas (default all): "+strings.Join(besideModeNames(), ","))
	flag.IntVar(&o.analysts, "analysts", 200_000, "codes of the coupon that analysts ask about, 10000000 for the project's goals; 0: leave out analysts")
	flag.IntVar(&o.subscriptions, "subscriptions", 0,
		"subscriptions that wait at once, 10000 for the project's goals; 0: leave them out")
	flag.BoolVar(&o.peers, "peers", false, "measure beside PostgreSQL too, where its programs are installed; needs --bulk, --audience, --tills or --analysts")
	flag.IntVar(&o.runs, "runs", 3, "how often each measurement is repeated; the median counts")
	flag.StringVar(&o.dir, "dir", "", "folder in which the databases are made, and deleted at the end (default: that for temporary files)")
	flag.StringVar(&o.profiles, "profiles", "", "folder for a CPU profile of each measurement")
	flag.BoolVar(&o.asJSON, "json", false, "print JSON instead of a table")
	flag.Parse()
	err := o.check()
	if err == nil && o.peers {
		// Known now, not after an hour.
		_, err = findPostgres()
	}
	if flag.NArg() > 0 {
		err = fmt.Errorf("unknown argument %q", flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, &o, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures everything in a folder that is gone afterwards, tells on progress what it is at, and
// prints the results on out.
func run(ctx context.Context, o *options, out, progress io.Writer) error {
	folder, err := os.MkdirTemp(o.dir, "couponql-bench-*")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	b := &bench{
		options: o, folder: folder, clock: &clock{},
		log: slog.New(
			slog.NewTextHandler(progress, &slog.HandlerOptions{Level: slog.LevelWarn}),
		),
		progress: progress,
	}
	if err := errors.Join(b.runAll(ctx), b.close(), os.RemoveAll(folder)); err != nil {
		return err
	}
	if o.asJSON {
		return b.printJSON(out)
	}
	return printTable(out, b.results)
}

// printJSON prints the results with what they were measured on.
func (b *bench) printJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	o := b.options
	return encoder.Encode(struct {
		Analysts      int      `json:"analysts"`
		Bulk          int      `json:"bulk"`
		Audience      int      `json:"audience"`
		Codes         int      `json:"codes"`
		Messages      int      `json:"messages"`
		Subscriptions int      `json:"subscriptions"`
		Runs          int      `json:"runs"`
		CPUs          int      `json:"cpus"`
		Go            string   `json:"go"`
		Results       []result `json:"results"`
	}{
		o.analysts, o.bulk, o.audience, o.codes, o.messages, o.subscriptions, o.runs,
		runtime.NumCPU(), runtime.Version(), b.results,
	})
}
