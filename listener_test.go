package main

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestPatientListener: who takes nothing is cut off, and who takes a little now and then gets
// everything.
func TestPatientListener(t *testing.T) {
	t.Parallel()
	plain, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const size, patience = 32 << 20, 200 * time.Millisecond
	written := make(chan error, 2)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(
		w http.ResponseWriter, _ *http.Request,
	) {
		_, err := w.Write(make([]byte, size))
		written <- err
	})}
	go func() { _ = server.Serve(patientListener{plain, patience}) }()
	t.Cleanup(func() { _ = server.Close() })
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", plain.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	dial()
	if err := <-written; err == nil {
		t.Error("an answer was written to one who takes nothing")
	}
	conn, began, taken := dial(), time.Now(), 0
	for buffer := make([]byte, 1<<20); ; {
		n, err := conn.Read(buffer)
		taken += n
		if err != nil {
			break
		}
		if time.Since(began) < 3*patience {
			// It takes longer than patience, and goes on all the time.
			time.Sleep(patience / 20)
		}
	}
	if err := <-written; err != nil || taken < size {
		t.Errorf("who takes a little now and then got %d bytes: %v", taken, err)
	}
}
