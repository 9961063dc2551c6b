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
	startTimeout = time.Minute
	stopTimeout  = 30 * time.Second
	// maxLogBytes bounds what is kept of a server's log, for when it ends by itself.
	maxLogBytes = 16 << 10
	// memoryLimit of the engine is soon reached, so that its growth is not taken for a leak.
	memoryLimit = "256MB"
)

// server is one process of the program under load.
type server struct {
	cmd    *exec.Cmd
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

// startServer starts a server with its files in a folder and waits until it is ready.
func startServer(ctx context.Context, binary, dir string) (*server, error) {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), binary, "serve", "--listen", "127.0.0.1:0", "--memory-limit", memoryLimit,
		"--data", filepath.Join(dir, "couponql.duckdb"), "--outbox", filepath.Join(dir, "outbox"))
	s := &server{cmd: cmd, ended: make(chan struct{})}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if url, isReady := strings.CutPrefix(lines.Text(), "listening on "); isReady {
				ready <- url
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
	select {
	case s.url = <-ready:
		s.client = client.New(s.url, "")
		return s, nil
	case <-s.ended:
		return nil, fmt.Errorf("the server ended: %w\n%s", s.err, s.text())
	case <-time.After(startTimeout):
		s.kill()
		return nil, fmt.Errorf("the server is not ready after %s:\n%s", startTimeout, s.text())
	}
}

// text gives the end of the server's log.
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

// stop asks the server to end.
func (s *server) stop() error {
	s.isDying.Store(true)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	select {
	case <-s.ended:
		if s.err != nil {
			return fmt.Errorf("the server ended with %w:\n%s", s.err, s.text())
		}
		return nil
	case <-time.After(stopTimeout):
		s.kill()
		return fmt.Errorf("the server did not end within %s:\n%s", stopTimeout, s.text())
	}
}

// hasEnded tells whether the process is gone.
func (s *server) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// metrics gives the gauges of /metrics that have no labels.
func (s *server) metrics(ctx context.Context) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	request.Close = true
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
