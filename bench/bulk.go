package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	"couponql/coupon"
)

// The goals of bulk work.
const (
	// maxBulkRatio is how many times as long as the raw SQL an import or export may take.
	maxBulkRatio = 2
	// maxReading is the promised p99 of reading a code while codes are imported, in milliseconds.
	maxReading = 50
	// maxGrowth is how much more a row of a large import may cost than one of an import of a part:
	// bulkPart.
	maxGrowth = 1.3
	// maxImportMemory is the promised peak of the process, in MB, while memoryBulk codes are
	// imported.
	maxImportMemory = 1536
	memoryBulk      = 20_000_000
	// bulkPart is what part of the large import the small one is.
	bulkPart = 20
	// readPause is the pause of a reader between an answer and its next question.
	readPause = 5 * time.Millisecond
)

// bulkTimes is what importing a file of codes into a coupon that has as many took.
type bulkTimes struct {
	ours, raw []time.Duration
	// peak is the most memory of the process during the last import of ours, in bytes.
	peak int64
	// id is that of the last import of ours.
	id string
}

// measureBulk imports a large file into a coupon that has as many codes, and a part of it into
// another, which tells whether the cost of a row grows; imports it once more while others read; and
// exports what the coupon has then. The databases are its own.
func (b *bench) measureBulk(ctx context.Context) error {
	size := b.options.bulk
	if size == 0 {
		return nil
	}
	part := size / bulkPart
	var few, many bulkTimes
	for range b.options.runs {
		if _, err := b.importBulk(ctx, part, &few); err != nil {
			return err
		}
	}
	file, err := b.importBulk(ctx, size, &many)
	if err != nil {
		return err
	}
	b.add(newResult(bulkName(part), "s", median(few.ours).Seconds(), median(few.raw).Seconds(),
		goal{mostRatio: maxBulkRatio}))
	b.add(newResult(bulkName(size), "s", median(many.ours).Seconds(), median(many.raw).Seconds(),
		goal{mostRatio: maxBulkRatio}))
	growth := func(few, many []time.Duration) float64 {
		return (median(many).Seconds() / float64(size)) / (median(few).Seconds() / float64(part))
	}
	b.add(newResult("  what a row costs, in rows of the small import", "×",
		growth(few.ours, many.ours), growth(few.raw, many.raw), goal{most: maxGrowth}))
	memoryGoal := goal{}
	if size == memoryBulk {
		memoryGoal.most = maxImportMemory
	}
	b.add(
		newResult("  memory, peak of the process", "MB", float64(many.peak)/(1<<20), 0, memoryGoal),
	)
	if err := b.readMeanwhile(ctx, file, size, &many); err != nil {
		return err
	}
	if err := b.measureExport(ctx, size+file.good); err != nil {
		return err
	}
	if b.options.peers {
		if err := b.measurePeers(ctx, file, median(many.ours)); err != nil {
			return err
		}
	}
	err = errors.Join(b.server.close(), b.raw.close())
	b.server, b.raw = nil, nil
	return err
}

func bulkName(size int) string {
	return fmt.Sprintf("import %s codes over HTTP where as many are, 3%% bad", count(size))
}

func (b *bench) addReading(name string, times []time.Duration) {
	b.add(newResult(name+", p50", "ms", milliseconds(median(times)), 0, goal{}))
	b.add(
		newResult("    p99", "ms", milliseconds(quantile(times, 0.99)), 0, goal{most: maxReading}),
	)
	b.add(newResult("    the longest", "ms", milliseconds(quantile(times, 1)), 0, goal{}))
}

// importBulk imports a file of so many rows into a new database that has as many codes, ours first
// and then raw, and leaves ours open. The server is started anew between the two imports, as it
// would be in between.
func (b *bench) importBulk(ctx context.Context, size int, took *bulkTimes) (*bulkFile, error) {
	if b.server != nil {
		err := b.server.close()
		b.server = nil
		if err != nil {
			return nil, err
		}
	}
	folder, err := os.MkdirTemp(b.folder, "bulk-*")
	if err != nil {
		return nil, fmt.Errorf("make the server's folder: %w", err)
	}
	file, err := writeBulkFiles(folder, size, b.options.peers)
	if err != nil {
		return nil, err
	}
	b.path = filepath.Join(folder, "couponql.duckdb")
	if err := b.importFirst(ctx, file.first, size); err != nil {
		return nil, err
	}
	debug.FreeOSMemory()
	resetPeak()
	var id string
	err = b.profiled(bulkName(size), func() error {
		elapsed, err := timed(func() error {
			id, err = b.server.importPart(ctx, "importCodes", variables{"couponId": b.couponID},
				file.path, file.good)
			return err
		})
		took.ours = append(took.ours, elapsed)
		return err
	})
	took.peak = peakMemory()
	if err != nil {
		return nil, err
	}
	if err := b.server.expectRejections(ctx, id, file.rejected); err != nil {
		return nil, err
	}
	elapsed, err := importBulkRaw(ctx, filepath.Join(folder, "raw.duckdb"), file, size)
	if err != nil {
		return nil, fmt.Errorf("raw import: %w", err)
	}
	took.raw = append(took.raw, elapsed)
	took.id = id
	return file, nil
}

// readMeanwhile takes the codes of a large import out again and imports the file once more, while
// others read.
func (b *bench) readMeanwhile(
	ctx context.Context, file *bulkFile, size int, took *bulkTimes,
) error {
	elapsed, err := timed(func() error {
		return b.server.ask(
			ctx,
			"mutation($id: ID!) { undoImport(input: {id: $id}) { removedCount userErrors { message } } }",
			variables{"id": took.id},
			&struct{}{},
		)
	})
	if err != nil {
		return err
	}
	b.add(newResult("  undoImport of it", "s", elapsed.Seconds(), 0, goal{}))
	reading := b.startReading(ctx, size)
	_, err = b.server.importPart(ctx, "importCodes", variables{"couponId": b.couponID},
		file.path, file.good)
	overHTTP, inStore, readErr := reading.stop()
	b.addReading("  code(value:) over HTTP during the import", overHTTP)
	b.addReading("  a code at the storage layer meanwhile", inStore)
	return errors.Join(err, readErr)
}

// importFirst makes the server's database with the codes that its coupon has at first.
func (b *bench) importFirst(ctx context.Context, path string, size int) error {
	var err error
	if b.server, err = newServer(ctx, b.path, b.clock, b.log); err != nil {
		return err
	}
	if err := b.server.startJobs(); err != nil { //nolint:contextcheck // jobs run until they are stopped
		return err
	}
	if b.couponID, err = b.newCoupon(ctx, "Bulk", false); err != nil {
		return err
	}
	if err := b.server.importFile(ctx, "importCodes", variables{"couponId": b.couponID}, path,
		size); err != nil {
		return err
	}
	err = b.server.close()
	b.server = nil
	if err != nil {
		return err
	}
	if b.server, err = newServer(ctx, b.path, b.clock, b.log); err != nil {
		return err
	}
	return b.server.startJobs() //nolint:contextcheck // jobs run until they are stopped
}

// importBulkRaw does the same with raw SQL, and checks that the same rows were taken and rejected.
func importBulkRaw(ctx context.Context, path string, file *bulkFile, size int) (
	elapsed time.Duration, err error,
) {
	r, err := openRaw(ctx, path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.createCodes(ctx); err != nil {
		return 0, err
	}
	if err := r.importCodes(ctx, file.first, 1); err != nil {
		return 0, err
	}
	if err := errors.Join(r.dropStage(ctx), r.run(ctx, "CHECKPOINT")); err != nil {
		return 0, err
	}
	if elapsed, err = timed(func() error {
		return r.importCodes(ctx, file.path, size+1)
	}); err != nil {
		return 0, err
	}
	rejected, err := r.read(ctx, "SELECT count(*) FROM rej")
	if err == nil && rejected[0][0] != int64(size-file.good) {
		err = fmt.Errorf("%v rows instead of %d are rejected", rejected[0][0], size-file.good)
	}
	if err != nil {
		return 0, err
	}
	return elapsed, r.expectCodes(ctx, size+file.good)
}

// reading is two readers of codes, over HTTP and at the storage layer, who ask, wait for the
// answer, pause and ask again. What they see of a stall is how long it is, not how many others
// would have waited.
type reading struct {
	isOver            atomic.Bool
	overHTTP, inStore chan answers
}

// answers is what one reader saw.
type answers struct {
	times []time.Duration
	err   error
}

// startReading begins to read codes of the first file, which has so many.
func (b *bench) startReading(ctx context.Context, size int) *reading {
	// Coprime to the size of any file, so that the codes lie everywhere.
	const stride = 7919
	r := &reading{}
	value := func(i int) string { return string(appendCode(nil, i*stride%size)) }
	r.overHTTP = r.repeat(func(i int) error {
		var answer struct{ Code *struct{ ID string } }
		err := b.server.ask(ctx, lookup, variables{"value": value(i)}, &answer)
		if err == nil && answer.Code == nil {
			err = fmt.Errorf("there is no code %s", value(i))
		}
		return err
	})
	r.inStore = r.repeat(func(i int) error {
		found, err := b.server.store.CodeByValue(ctx, value(i), coupon.AnyState)
		if err == nil && found == nil {
			err = fmt.Errorf("there is no code %s", value(i))
		}
		return err
	})
	return r
}

func (r *reading) repeat(ask func(i int) error) chan answers {
	done := make(chan answers, 1)
	go func() {
		var a answers
		for i := 0; a.err == nil && (i == 0 || !r.isOver.Load()); i++ {
			var elapsed time.Duration
			elapsed, a.err = timed(func() error { return ask(i) })
			a.times = append(a.times, elapsed)
			time.Sleep(readPause)
		}
		done <- a
	}()
	return done
}

// stop ends the reading and gives how long the answers took.
func (r *reading) stop() (overHTTP, inStore []time.Duration, err error) {
	r.isOver.Store(true)
	a, s := <-r.overHTTP, <-r.inStore
	if err := errors.Join(a.err, s.err); err != nil {
		return nil, nil, fmt.Errorf("read a code during an import: %w", err)
	}
	return a.times, s.times, nil
}
