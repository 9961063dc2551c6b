package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	// postgresUser is the role that PostgreSQL is made with and asked as.
	postgresUser = "postgres"
	// postgresStart and postgresStop bound how long it starts and stops; a stop writes what is in memory.
	postgresStart = time.Minute
	postgresStop  = 5 * time.Minute
	// maxSocketPath is what systems allow for the path of a socket, at least.
	maxSocketPath = 103
)

// postgres is a PostgreSQL of this run alone: its data lie in the folder of the run, and it can be reached by a
// socket there.
type postgres struct {
	// programs is the folder of initdb, postgres, psql and pgbench.
	programs string
	folder   string
	server   *exec.Cmd
	// ended is closed when the server has ended.
	ended chan struct{}
}

// findPostgres returns the folder of PostgreSQL's programs: that of an initdb in PATH, or else the newest one where
// Debian has them.
func findPostgres() (string, error) {
	var folders []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(path))
		}
	}
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", err)
	}
	slices.SortFunc(debian, func(a, b string) int {
		if len(a) != len(b) { // 9 is before 10.
			return len(b) - len(a)
		}
		return strings.Compare(b, a)
	})
	for _, folder := range append(folders, debian...) {
		isWhole := true
		for _, name := range []string{"initdb", "postgres", "psql", "pgbench"} {
			if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
				isWhole = false
			}
		}
		if isWhole {
			return folder, nil
		}
	}
	return "", errors.New("PostgreSQL's initdb, postgres, psql and pgbench are neither in PATH nor in /usr/lib/postgresql/*/bin: install it (make bench-peers)")
}

// startPostgres makes a new PostgreSQL in a folder and starts it, with every commit on the disk and memory as
// people give it who tune modestly.
func startPostgres(ctx context.Context, folder string) (*postgres, error) {
	programs, err := findPostgres()
	if err != nil {
		return nil, err
	}
	p := &postgres{programs: programs, folder: folder, ended: make(chan struct{})}
	if socket := filepath.Join(folder, ".s.PGSQL.5432"); len(socket) > maxSocketPath {
		return nil, fmt.Errorf("start PostgreSQL: the path %s is too long for a socket: choose a shorter --dir", socket)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	data := filepath.Join(folder, "data")
	made, err := p.own(ctx, "initdb", "-D", data, "--username="+postgresUser, "--auth=trust", "--encoding=UTF8", "--locale=C")
	if err != nil {
		return nil, err
	}
	if _, err := output(made); err != nil {
		return nil, err
	}
	p.server, err = p.own(ctx, "postgres", "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+folder,
		"-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on",
		"-c", "shared_buffers=2GB", "-c", "max_wal_size=8GB", "-c", "work_mem=256MB", "-c", "maintenance_work_mem=1GB")
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer log.Close() //nolint:errcheck // the server writes to it by a descriptor of its own
	p.server.Stdout, p.server.Stderr = log, log
	// An interrupt ends the sessions, writes what is in memory and stops.
	p.server.Cancel = func() error { return p.server.Process.Signal(os.Interrupt) }
	p.server.WaitDelay = postgresStop
	if err := p.server.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	go func() {
		// How it ends is in its log.
		_ = p.server.Wait()
		close(p.ended)
	}()
	if err := p.await(ctx); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// own makes a command that runs as who owns the data; PostgreSQL refuses to be run by root.
func (p *postgres) own(ctx context.Context, program string, args ...string) (*exec.Cmd, error) {
	command := exec.CommandContext(ctx, filepath.Join(p.programs, program), args...)
	command.Dir = p.folder
	if err := runUnprivileged(command, p.folder); err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	return command, nil
}

// await waits until the server answers.
func (p *postgres) await(ctx context.Context) error {
	for start := time.Now(); ; {
		err := p.run(ctx, "postgres", "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			log, _ := os.ReadFile(filepath.Join(p.folder, "log"))
			return fmt.Errorf("PostgreSQL has ended: %s", log)
		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL: %w", context.Cause(ctx))
		case <-time.After(pollInterval):
		}
		if time.Since(start) > postgresStart {
			return fmt.Errorf("wait for PostgreSQL: %w", err)
		}
	}
}

// close stops the server and waits for its end.
func (p *postgres) close() error {
	if err := p.server.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(postgresStop):
		return errors.Join(errors.New("PostgreSQL did not stop, and was killed"), p.server.Process.Kill())
	}
}

// run runs a script of psql in a database; its \copy reads files of this machine.
func (p *postgres) run(ctx context.Context, database, script string) error {
	_, err := p.read(ctx, database, script)
	return err
}

// read is run for a script that prints something.
func (p *postgres) read(ctx context.Context, database, script string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(p.programs, "psql"), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
		"--set=ON_ERROR_STOP=1", "--host="+p.folder, "--username="+postgresUser, database)
	command.Stdin = strings.NewReader(script)
	return output(command)
}

// explained runs a question twice, so that the second finds its pages in memory, and gives how long that took, without
// sending the answer.
func (p *postgres) explained(ctx context.Context, database, question string) (time.Duration, error) {
	explain := "EXPLAIN (ANALYZE, TIMING OFF) " + question + ";\n"
	text, err := p.read(ctx, database, explain+explain)
	if err != nil {
		return 0, err
	}
	var took time.Duration
	for line := range strings.Lines(text) {
		var milliseconds float64
		if _, err := fmt.Sscanf(strings.TrimSpace(line), "Execution Time: %f ms", &milliseconds); err == nil {
			took = time.Duration(milliseconds * float64(time.Millisecond))
		}
	}
	if took == 0 {
		return 0, fmt.Errorf("PostgreSQL told no time: %s", text)
	}
	return took, nil
}

// transactions has some callers run a script of pgbench, one transaction after the other, for redeemTime, and gives
// how many a second there were, not counting the time to connect. On a busy machine many callers may take as long as
// that to connect; then it tries again for longer.
func (p *postgres) transactions(ctx context.Context, database, path string, callers int) (rate float64, err error) {
	const tries = 3
	for try := 1; try <= tries && rate == 0 && err == nil; try++ {
		rate, err = p.transactionsFor(ctx, database, path, callers, redeemTime*time.Duration(try*try))
	}
	if err == nil && rate == 0 {
		err = fmt.Errorf("pgbench has done nothing in %d tries", tries)
	}
	return rate, err
}

func (p *postgres) transactionsFor(ctx context.Context, database, path string, callers int, duration time.Duration) (float64, error) {
	command := exec.CommandContext(ctx, filepath.Join(p.programs, "pgbench"), "--no-vacuum", "--protocol=prepared", "--file="+path,
		fmt.Sprintf("--client=%d", callers), fmt.Sprintf("--jobs=%d", min(callers, runtime.NumCPU())),
		fmt.Sprintf("--time=%d", int(duration/time.Second)), "--host="+p.folder, "--username="+postgresUser, database)
	text, err := output(command)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		var rate float64
		if _, err := fmt.Sscanf(line, "tps = %f", &rate); err == nil {
			return rate, nil
		}
	}
	// It tells no rate when it has done nothing.
	return 0, nil
}

// output runs a command and gives what it prints; what it complains about is in the error.
func output(command *exec.Cmd) (string, error) {
	var complaints strings.Builder
	command.Stderr = &complaints
	text, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(command.Path), err, complaints.String())
	}
	return string(text), nil
}
