package resolvers

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"couponql/coupon"
)

// TestBudget: what is in flight has limits by caller and in all, and what was given back is there
// again.
func TestBudget(t *testing.T) {
	t.Parallel()
	b := &budget{}
	one, other, local := &coupon.Caller{Name: "key_1"}, &coupon.Caller{Name: "key_2"},
		&coupon.Caller{Name: coupon.LocalCaller}
	first := b.hold(one)
	if !first.take(MaxOperationsOfOne, MaxBytesOfOne) {
		t.Fatal("what one may have was refused")
	}
	if b.hold(one).take(1, 0) || b.hold(one).take(0, 1) {
		t.Error("one got more than one may have")
	}
	if !b.hold(other).take(1, 1) {
		t.Error("another was refused what there was")
	}
	first.resize(10)
	if again := b.hold(one); !again.take(0, MaxBytesOfOne-10) || again.take(0, 1) {
		t.Error("what an answer turned out not to take is not there, or more is")
	}
	everything := b.hold(local)
	if everything.take(MaxOperations, 0) || everything.take(0, MaxBytes) ||
		!everything.take(0, MaxBytes-b.all.bytes) || b.hold(local).take(0, 1) {
		t.Error("who may have all does not get what is left, or gets more")
	}
	for _, h := range []*hold{first, first, everything} {
		h.release()
	}
	if b.all.operations != 1 || b.callers[one.Name].operations != 0 {
		t.Errorf("%+v is in flight", b.all)
	}
}

// TestWeighJSON: values and levels of JSON are counted before it is read.
func TestWeighJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]int{
		`{}`: {1, 1}, `{"a":[1,2,{"b":"[[[,\"{"}],"c":"\\"}`: {6, 3}, `"x"`: {0, 0},
		strings.Repeat("[", 500): {500, 500}, `"\\\",[`: {0, 0},
	} {
		if values, depth := weigh([]byte(text)); values != want[0] || depth != want[1] {
			t.Errorf("%.40s has %d values in %d levels, want %v", text, values, depth, want)
		}
	}
}

// TestSlowBody: a body that does not arrive in time fails, and one that does leaves the answer all
// the time it takes.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := punctual(w, r.Body, 50*time.Millisecond)
		_, err := io.ReadAll(body)
		if err == nil {
			// The deadline for the body is over, and is none for the answer.
			select {
			case <-r.Context().Done():
				err = r.Context().Err()
			case <-time.After(150 * time.Millisecond):
			}
		}
		failed <- err
	}))
	t.Cleanup(server.Close)
	send := func(body string) error {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn,
			"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"+body); err != nil {
			t.Fatal(err)
		}
		return <-failed
	}
	if err := send("12345"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("half a body gives %v", err)
	}
	if err := send("1234567890"); err != nil {
		t.Errorf("a whole body gives %v", err)
	}
}
