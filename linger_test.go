package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// refusing returns a server that answers at once, whatever it is sent, and where it listens.
func refusing(t *testing.T, within time.Duration, look func(*http.Request)) (server *httptest.Server, address string) {
	t.Helper()
	server = httptest.NewServer(lingering(within, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		look(r)
		w.Header().Set("Content-Length", "2")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "no")
	})))
	t.Cleanup(server.Close)
	return server, server.Listener.Addr().String()
}

// dial returns a connection that ends with the test, and waits a minute for nothing.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

// TestLingering sends bodies that are refused unread, as clients do that look for the answer when all
// is sent: each hears the answer.
func TestLingering(t *testing.T) {
	t.Parallel()
	const size = 32 << 20
	head := make([]byte, 1000)
	for name, test := range map[string]struct {
		header string
		look   func(*http.Request)
	}{
		"with a length":   {"Content-Length: 33554432", func(*http.Request) {}},
		"without":         {"Transfer-Encoding: chunked", func(*http.Request) {}},
		"after its begin": {"Content-Length: 33554432", func(r *http.Request) { _, _ = io.ReadFull(r.Body, head) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, address := refusing(t, time.Minute, test.look)
			conn := dial(t, address)
			body := bytes.Repeat([]byte("x"), size)
			if strings.HasPrefix(test.header, "Transfer-Encoding") {
				body = []byte("2000000\r\n" + string(body) + "\r\n0\r\n\r\n")
			}
			_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\n"+test.header+"\r\n\r\n")
			if _, sendErr := conn.Write(body); errors.Join(err, sendErr) != nil {
				t.Fatalf("the body could not be sent: %v", errors.Join(err, sendErr))
			}
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 401 ") || !strings.Contains(string(answer), "\r\n\r\nno") {
				t.Errorf("the answer is %q: %v", answer, err)
			}
		})
	}
}

// TestLingeringEnds: a client that never ends is read for a time alone, one that waits to be asked for
// its body is not asked, and one that has sent all may use its connection again.
func TestLingeringEnds(t *testing.T) {
	t.Parallel()
	t.Run("endless", func(t *testing.T) {
		t.Parallel()
		_, address := refusing(t, 100*time.Millisecond, func(*http.Request) {})
		conn := dial(t, address)
		_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000000000\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		for part := make([]byte, 64<<10); err == nil; {
			_, err = conn.Write(part)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the server reads without end")
		}
	})
	t.Run("not asked", func(t *testing.T) {
		t.Parallel()
		_, address := refusing(t, time.Minute, func(*http.Request) {})
		conn := dial(t, address)
		_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\nExpect: 100-continue\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 401 ") || strings.Contains(string(answer), "100 Continue") {
			t.Errorf("the answer is %q: %v", answer, err)
		}
	})
	t.Run("all sent", func(t *testing.T) {
		t.Parallel()
		var addresses []string
		server, _ := refusing(t, time.Minute, func(r *http.Request) {
			addresses = append(addresses, r.RemoteAddr)
			_, _ = io.Copy(io.Discard, r.Body)
		})
		for range 3 {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("all"))
			if err != nil {
				t.Fatal(err)
			}
			response, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(io.Discard, response.Body)
			if err := errors.Join(err, response.Body.Close()); err != nil {
				t.Fatal(err)
			}
		}
		if addresses[0] != addresses[1] || addresses[1] != addresses[2] {
			t.Errorf("each request has a connection of its own: %v", addresses)
		}
	})
}
