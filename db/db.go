package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"couponql/background"
	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// Defaults of Options.
const (
	// DefaultTimezone is the zone that is meant where nobody names one.
	DefaultTimezone = "UTC"
	// DefaultHoldDuration is how long an analyzed delivery keeps its codes.
	DefaultHoldDuration = 24 * time.Hour
	// DefaultMemoryLimit is how much memory the engine may take before it spills to disk. Twenty
	// million codes are imported as fast with it as with four times as much.
	DefaultMemoryLimit = "1GB"
)

const (
	// maxReaders is how many reads run at once; more wait. The engine is parallel inside a read, so
	// more connections than a few only make everybody slower.
	maxReaders = 4
	// maxAdditions is how many long additions of codes run at once beside the writer: one of each
	// lane of imports, and one of generateCodes.
	maxAdditions = 3
	// maxPreparations is how many deliveries are analyzed or confirmed at once: two would take the
	// same codes.
	maxPreparations = 1
	// maxConnections: the writer and the journal never give theirs back, and an export, a snapshot,
	// a draft and an integrity report take one for long.
	maxConnections = maxReaders + maxAdditions + maxPreparations + 6
)

// A write is refused unless this much of the disk is free when it is committed. From time to time a
// commit makes the engine fold its log, of at most 16 MB, into the file (a checkpoint); when that
// runs out of disk, the engine is lost. The outcome of a job may go deeper, so that it is told.
const (
	minFreeDisk           = 64 << 20
	minFreeDiskForOutcome = 16 << 20
)

// What Store's methods return for reasons of the engine. Nothing was changed then.
var (
	// ErrDiskFull: the disk has no room for a write.
	ErrDiskFull = duckdb.ErrDiskFull
	// ErrMemory: a statement wanted more memory than the engine has, for what it asks or for what
	// others ask at the same time.
	ErrMemory = duckdb.ErrMemory
	// ErrBusy: more small writes wait than the writer can do in a moment; the same request may be
	// made again soon.
	ErrBusy = duckdb.ErrBusy
	// ErrClosed: the end of the store cut the use case off, or it came after.
	ErrClosed = duckdb.ErrClosed
)

// DiskError is an ErrDiskFull that tells how much room there is, and how much there must be.
type DiskError = duckdb.DiskError

// Options says how to open a store. Only Path is required.
type Options struct {
	// Path is the database file; it is created when it does not exist. Beside it the store keeps
	// the folder Path + ".files" for uploads and spooled rows.
	Path string
	// CaseSensitiveCodes keeps codes apart that differ in case only. It is fixed when the database
	// is created; opening an existing one with another choice is an error.
	CaseSensitiveCodes bool
	// HoldDuration is how long an analyzed delivery keeps its codes; 0 means DefaultHoldDuration.
	HoldDuration time.Duration
	// SendRate is how many messages of a delivery are sent a second at the most, which the analysis
	// takes into account; 0: no limit.
	SendRate float64
	// SoftBounceLimit is how many soft bounces quarantine an address; 0 means
	// coupon.DefaultSoftBounceLimit.
	SoftBounceLimit int
	// MemoryLimit is what the engine may take, such as "2GB"; "" means DefaultMemoryLimit.
	MemoryLimit string
	// DefaultRegion, such as DE, is where phone numbers are from that do not say so; "" means that
	// nobody knows. Numbers are read anew when it is another one than before. It must be what
	// coupon.CanonicalRegion gives.
	DefaultRegion string
	// Timezone is the zone that is meant where nobody names one, an IANA name; "" means UTC.
	Timezone string
	// Progress is told what takes long in Open; nil: nobody is.
	Progress func(text string)
	// Now is the clock; nil means the machine's.
	Now func() time.Time
	// CutsLogAt, when it is not nil, is the byte behind which a damaged log is cut off, with what
	// was acknowledged there. It must be the one that Open told before; a log that is not damaged
	// stays as it is. What follows is that of Restore.
	CutsLogAt *int64
	// Steady is a clock that nobody sets; nil means the machine's.
	Steady func() time.Time
	// isInspection opens the file without changing it; see Inspect.
	isInspection bool
}

// Store is an open database. Its methods are safe for concurrent use; each is one use case, and
// what it acknowledges is on disk.
type Store struct {
	options Options
	// id tells the database from every other one.
	id     string
	engine *duckdb.Engine
	keys   coupon.CodeKeys
	memory *memory.Memory
	drafts drafts
	writer *writer
	// reports is the lane of heavy questions, of which one runs at a time, so that they cannot
	// starve quick reads.
	reports duckdb.Lane
	// additions and preparations are lanes beside the writer.
	additions, preparations duckdb.Lane
	// recipients, removals and redemptions let one at a time change recipients in place, delete
	// codes, and read a file of redemptions. No till needs them. Whoever has one may wait for the
	// writer's turn; nobody waits for one in it.
	recipients, removals, redemptions duckdb.Lane
	// holders lets one at a time read who has codes and who is known, for claims.
	holders   duckdb.Lane
	strangers strangers
	certain   *passedClock
	work      *work
	watchers  watchers
	// reserve is how many bytes of the disk every commit leaves free.
	reserve uint64
	// running has the *rowProgress of each import that runs, and of each batch that is generated,
	// by its id.
	running sync.Map
	// exporting has the *exportProgress of each export that runs, by its id.
	exporting sync.Map
	// receiving has the *receiving of each upload that was written to, by its id.
	receiving sync.Map
	// waiting has the waitingMessages of each delivery that is being sent, by its id. Whoever holds
	// the lock of a delivery's sending may use its entry.
	waiting sync.Map
	// next has the number of the first message that no batch of a delivery has had yet, in the same
	// way.
	next sync.Map
	// flights has the *flight of each delivery that a sender is busy with, by its id. It changes in
	// the writer's turn.
	flights    sync.Map
	departures *departures
	// isRewritten and notRewritten tell what rewrite did.
	isRewritten  bool
	notRewritten error
	// notice tells what was odd about the engine's log.
	notice string
	// rates has the *sendingRate of each delivery that is being sent, by its id.
	rates   sync.Map
	keyring apiKeys
	audit   audit
}

// Open opens or creates the database, brings its schema up to date, makes its file anew if
// recipients were erased, and loads the pool. It returns an error that says what to do, and leaves
// everything as it is, when the file is in use by another process, is none of this version's
// databases, or has a log that is damaged.
func Open(ctx context.Context, options Options) (*Store, error) {
	s, err := describeStore(options)
	if err != nil {
		return nil, err
	}
	isNew, err := duckdb.CheckFile(s.options.Path)
	if err != nil {
		return nil, err
	}
	if isNew {
		// The folder that it is to be in may have to be made as well.
		if err := s.makeFolders(); err != nil {
			return nil, err
		}
		// Of a database that was here before there may be a mark; it says nothing of this one.
		if err := errors.Join(markCut.remove(s.options.Path),
			markFirst.set(s.options.Path)); err != nil {
			return nil, err
		}
		if s.options.CutsLogAt != nil {
			s.addNotice(needlessCut)
		}
	} else if err := s.checkLog(); err != nil {
		return nil, err
	}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{
		s.refuseForeign, s.migrate, s.rewrite, s.load, s.readdress, s.finishStart,
		s.settleDepartures,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// Notice tells what an operator should know of the state in which Open found the database, "" when
// there is nothing.
func (s *Store) Notice() string { return s.notice }

// makeFolders makes the folders of the store.
func (s *Store) makeFolders() error {
	for _, dir := range []string{s.uploadDir(), s.exportDir(), s.spoolDir(), s.tempDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("create the folder for files: %w", err)
		}
	}
	return nil
}

// describeStore returns a store that is not connected yet and has no folders.
func describeStore(options Options) (*Store, error) {
	if options.HoldDuration == 0 {
		options.HoldDuration = DefaultHoldDuration
	}
	if options.SoftBounceLimit == 0 {
		options.SoftBounceLimit = coupon.DefaultSoftBounceLimit
	}
	if options.Timezone == "" {
		options.Timezone = DefaultTimezone
	}
	if options.MemoryLimit == "" {
		options.MemoryLimit = DefaultMemoryLimit
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Steady == nil {
		began := time.Now()
		options.Steady = func() time.Time { return began.Round(0).Add(time.Since(began)) }
	}
	path, err := filepath.Abs(options.Path)
	if err != nil {
		return nil, fmt.Errorf("find the database: %w", err)
	}
	options.Path = path
	passed := &passedClock{lead: options.Now().Sub(options.Steady())}
	return &Store{
		options:   options,
		certain:   passed,
		work:      newWork(),
		keys:      coupon.CodeKeys{CaseSensitive: options.CaseSensitiveCodes},
		reports:   duckdb.NewLane(1),
		additions: duckdb.NewLane(maxAdditions), preparations: duckdb.NewLane(maxPreparations),
		holders:    duckdb.NewLane(1),
		recipients: duckdb.NewLane(1), removals: duckdb.NewLane(1), redemptions: duckdb.NewLane(1),
		reserve: minFreeDisk,
	}, nil
}

// load reads everything that is kept in memory.
func (s *Store) load(ctx context.Context) error {
	if err := s.makeFolders(); err != nil {
		return err
	}
	if err := s.checkSettings(ctx); err != nil {
		return err
	}
	var err error
	if s.departures, err = readDepartures(s.filesDir(), s.id); err != nil {
		return err
	}
	if err := s.clearSpool(); err != nil {
		return err
	}
	if err := s.clearUploads(ctx); err != nil {
		return err
	}
	if err := s.clearExports(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{s.rekey, s.loadCollisions} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := s.loadKeys(ctx); err != nil {
		return fmt.Errorf("load the keys: %w", err)
	}
	last, err := duckdb.One[int64](ctx, s.engine, auditLast)
	if err != nil {
		return err
	}
	s.audit.last = last
	if s.memory, err = memory.New(); err != nil {
		return err
	}
	if err := s.loadMemory(ctx); err != nil {
		return fmt.Errorf("load the codes: %w", err)
	}
	s.writer, err = newWriter(ctx, s)
	return err
}

// Close interrupts what may take long, finishes what takes a moment and closes the file, unless the
// engine failed; see Interrupt and Failed. It returns an UnrecordedError when all is well but for a
// disk that had no room for the last notes.
//
//nolint:contextcheck // it finishes what requests began
func (s *Store) Close() error {
	s.Interrupt()
	if s.engine.Whole() == nil {
		s.work.going.Wait()
	}
	var unwritten error
	if s.writer != nil {
		unwritten = s.writeLast()
		s.writer.close()
	}
	if err := s.engine.Whole(); err != nil {
		return err
	}
	// A draft keeps the engine from closing the file.
	s.drafts.take().free()
	var left error
	if s.departures != nil {
		left = s.departures.close()
	}
	return cmp.Or(s.engine.Close(), left, unwritten)
}

// ID returns what tells this database from every other one: 32 characters that change only when
// acknowledged changes were lost.
func (s *Store) ID() string { return s.id }

// background runs what belongs to the store beside its callers. What goes wrong in it without
// anybody who could be told is the end of the store; see Failed.
func (s *Store) background(do func() error) { background.Go(do, s.failWith) }

// later is background after a while.
func (s *Store) later(wait time.Duration, do func() error) *time.Timer {
	return background.After(wait, do, s.failWith)
}

func (s *Store) failWith(err error) {
	if err != nil {
		_ = s.engine.Fail(err)
	}
}

// uploadDir holds files that come in until nobody needs them any more.
func (s *Store) uploadDir() string { return filepath.Join(s.filesDir(), "uploads") }

// exportDir holds the files of exports until nobody needs them any more.
func (s *Store) exportDir() string { return filepath.Join(s.filesDir(), "exports") }

// spoolDir holds rows on their way into the engine.
func (s *Store) spoolDir() string { return filepath.Join(s.filesDir(), "spool") }

// tempDir is where the engine spills what does not fit into memory.
func (s *Store) tempDir() string { return filepath.Join(s.filesDir(), "temp") }

func (s *Store) filesDir() string { return s.options.Path + filesSuffix }

// filesSuffix and the name of a database file are the name of its folder.
const filesSuffix = ".files"

// clearSpool removes what a crash left behind: spooled rows are made anew by the import that is
// resumed.
func (s *Store) clearSpool() error {
	entries, err := os.ReadDir(s.spoolDir())
	if err != nil {
		return fmt.Errorf("read the spool folder: %w", err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(s.spoolDir(), entry.Name())); err != nil {
			return fmt.Errorf("clear the spool folder: %w", err)
		}
	}
	return nil
}

// connect opens the file.
func (s *Store) connect(ctx context.Context) (err error) {
	s.engine, err = duckdb.Open(ctx, duckdb.Options{
		Path: s.options.Path, SpoolDir: s.spoolDir(), TempDir: s.tempDir(),
		MemoryLimit:    s.options.MemoryLimit,
		MaxConnections: maxConnections, TemporaryTables: temporaryTables(),
		IsReadOnly: s.options.isInspection,
	})
	return err
}

// DefaultRegion tells where phone numbers are from that do not say so; "" means that nobody knows.
func (s *Store) DefaultRegion() string { return s.options.DefaultRegion }

// Keys tells how this database compares codes.
func (s *Store) Keys() coupon.CodeKeys { return s.keys }

// Statements counts the statements that were run since the start.
func (s *Store) Statements() int64 { return s.engine.Statements() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.engine.Ping(ctx) }

// Failed returns a channel that is closed when the engine failed. Nothing can be read or written
// then, Close tells why and leaves the file alone, and the process has to end: the engine is freed
// with it.
func (s *Store) Failed() <-chan struct{} { return s.engine.Failed() }
