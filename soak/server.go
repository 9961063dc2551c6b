package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"couponql/client"
)

const (
	// startLimit is how long a start may take, whatever happened before it, and stopLimit how long SIGTERM may take.
	startLimit = 15 * time.Second
	stopLimit  = 3 * time.Second
	// startTimeout and stopTimeout are when nobody waits any more.
	startTimeout = time.Minute
	stopTimeout  = 30 * time.Second
	// maxLogBytes bounds what is kept of a server's log, for when it ends by itself.
	maxLogBytes = 16 << 10
	// memoryLimit of the engine is soon reached, so that its growth is not taken for a leak.
	memoryLimit = "256MB"
	// snapshotAge is how old a snapshot for SQL may be: there are many, then.
	snapshotAge = "1s"
	// endingTime is how long a server that is gone may take to be seen as gone.
	endingTime = 2 * time.Second
)

// server is one process of the program under load.
type server struct {
	cmd    *exec.Cmd
	began  time.Time
	url    string
	client *client.Client
	// isDying: answers that do not come are no surprise any more.
	isDying atomic.Bool
	// ended is closed when the process is gone; err is then what it ended with.
	ended chan struct{}
	err   error

	mu  sync.Mutex
	log bytes.Buffer
}

// launch starts a server with its files in a folder; webhook "": it has none. ready is given its address when it listens.
func launch(ctx context.Context, binary, dir, webhook string) (_ *server, ready <-chan string, _ error) {
	flags := []string{
		"serve", "--listen", "127.0.0.1:0", "--memory-limit", memoryLimit, "--data", dataFile(dir), "--outbox", filepath.Join(dir, "outbox"),
		"--rate-limit", "0", "--enable-sql", "--sql-max-age", snapshotAge, "--sql-memory-limit", memoryLimit,
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), binary, flags...)
	if webhook != "" {
		cmd.Args = append(cmd.Args, "--webhook-url", webhook)
		cmd.Env = append(os.Environ(), "COUPONQL_WEBHOOK_SECRET="+webhookSecret)
	}
	s := &server{cmd: cmd, began: time.Now(), ended: make(chan struct{})}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start the server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the server: %w", err)
	}
	listening := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if url, isReady := strings.CutPrefix(lines.Text(), "listening on "); isReady {
				listening <- url
			}
			s.mu.Lock()
			if s.log.Len() > maxLogBytes {
				s.log.Next(s.log.Len() / 2)
			}
			s.log.WriteString(lines.Text() + "\n")
			s.mu.Unlock()
		}
		s.err = cmd.Wait()
		close(s.ended)
	}()
	return s, listening, nil
}

// dataFile is the database file of a server with its files in a folder.
func dataFile(dir string) string { return filepath.Join(dir, "couponql.duckdb") }

// startServer starts a server, which shows a key to those who ask, and waits until it is ready.
func startServer(ctx context.Context, binary, dir, webhook, key string) (*server, error) {
	s, ready, err := launch(ctx, binary, dir, webhook)
	if err != nil {
		return nil, err
	}
	select {
	case s.url = <-ready:
		s.client = client.New(s.url, key)
		return s, nil
	case <-s.ended:
		return nil, fmt.Errorf("the server does not start: %w\n%s", s.err, s.text())
	case <-time.After(startTimeout):
		s.kill()
		return nil, fmt.Errorf("the server is not ready after %s:\n%s", startTimeout, s.text())
	}
}

// text returns the end of the server's log.
func (s *server) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// kill ends the server as a power cut does.
func (s *server) kill() {
	s.isDying.Store(true)
	// The only error is that the process is gone.
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// stop asks the server to end, and gives how long that took. It is an error to end with another exit code than 0.
func (s *server) stop() (took time.Duration, err error) {
	s.isDying.Store(true)
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, fmt.Errorf("stop the server: %w", err)
	}
	select {
	case <-s.ended:
		if s.err != nil {
			return time.Since(began), fmt.Errorf("at SIGTERM the server ended with %w:\n%s", s.err, s.text())
		}
		return time.Since(began), nil
	case <-time.After(stopTimeout):
		s.kill()
		return time.Since(began), fmt.Errorf("the server did not end within %s of SIGTERM:\n%s", stopTimeout, s.text())
	}
}

// endsSoon reports whether the process is gone, or is in a moment.
func (s *server) endsSoon(ctx context.Context) bool {
	select {
	case <-s.ended:
		return true
	case <-time.After(endingTime):
	case <-ctx.Done():
		return true
	}
	return false
}

// hasEnded reports whether the process is gone.
func (s *server) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// metrics returns the gauges of /metrics that have no labels.
func (s *server) metrics(ctx context.Context) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	request.Close = true
	s.client.Authorize(request)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer response.Body.Close()
	found := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			found[name] = value
		}
	}
	return found, lines.Err()
}

// files counts the files of a folder below that of the server.
func files(folder string) (count int, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			count++
		}
		// Files come and go while others are looked at.
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
	return count, err
}
