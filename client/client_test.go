package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// operation is one whose text does not matter: the servers here do not read it.
const operation = "{ coupons { totalCount } }"

// answering returns a client of a server that answers everything alike.
func answering(t *testing.T, status int, body string) *Client {
	t.Helper()
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(listening.Close)
	return New(listening.URL, "")
}

func TestDoDecodesData(t *testing.T) {
	t.Parallel()
	var got struct{ Coupons struct{ TotalCount int } }
	if err := answering(t, http.StatusOK, `{"data":{"coupons":{"totalCount":7}}}`).Do(t.Context(), operation, nil, &got); err != nil {
		t.Fatal(err)
	}
	if got.Coupons.TotalCount != 7 {
		t.Errorf("got %d coupons, want 7", got.Coupons.TotalCount)
	}
}

func TestDoFails(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 10_000)
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"GraphQL error": {
			http.StatusOK, `{"errors":[{"message":"Cannot query field \"x\"."}],"data":null}`,
			`Cannot query field "x".`,
		},
		"GraphQL error with a path": {
			http.StatusOK, `{"errors":[{"message":"internal error","path":["coupons","nodes",0]}],"data":{"coupons":null}}`,
			"internal error (at [coupons nodes 0])",
		},
		"several user errors": {
			http.StatusOK, `{"data":{"createCoupon":{"userErrors":[{"code":"INVALID","message":"One.","field":["input","label"]},
				{"code":"INVALID","message":"Two.","field":null}]}}}`,
			"createCoupon: INVALID at input.label: One.\ncreateCoupon: INVALID: Two.",
		},
		"refused request": {
			http.StatusUnprocessableEntity, `{"errors":[{"message":"Wrong."}]}`,
			"Wrong.",
		},
		"no GraphQL":     {http.StatusBadGateway, "<html>" + long, "the server answers 502 Bad Gateway and no GraphQL: <html>xxx"},
		"other JSON":     {http.StatusOK, `{"status":"UP"}`, `the server answers 200 OK and no GraphQL: {"status":"UP"}`},
		"empty answer":   {http.StatusNotFound, "", "the server answers 404 Not Found and no GraphQL"},
		"unfit answer":   {http.StatusOK, `{"data":{"coupons":{"totalCount":"many"}}}`, "decode data"},
		"data is a list": {http.StatusOK, `{"data":[]}`, "decode data"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var answer struct{ Coupons struct{ TotalCount int } }
			err := answering(t, c.status, c.body).Do(t.Context(), operation, nil, &answer)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got the error %v, want %q in it", err, c.want)
			}
			if err != nil && len(err.Error()) > 500 {
				t.Errorf("got an error of %d characters", len(err.Error()))
			}
		})
	}
}

func TestDoFailsWithoutServer(t *testing.T) {
	t.Parallel()
	listening := httptest.NewServer(http.NotFoundHandler())
	listening.Close()
	if err := New(listening.URL, "").Do(t.Context(), operation, nil, nil); err == nil {
		t.Error("got no error from a server that is not there")
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := answering(t, http.StatusOK, `{"data":{}}`).Do(ctx, operation, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// The server has the first rows of a file before the last ones are made.
func TestUploadStreams(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			if lines.Text() == "first row" {
				close(arrived)
			}
		}
		_, _ = io.WriteString(w, `{"data":{}}`)
	}))
	t.Cleanup(listening.Close)
	err := New(listening.URL, "").Upload(t.Context(), operation, map[string]any{}, "codes.csv", func(w io.Writer) error {
		// Enough to go beyond the buffers on the way.
		if _, err := fmt.Fprintf(w, "first row\n%s\n", strings.Repeat("x", 1<<16)); err != nil {
			return err
		}
		select {
		case <-arrived:
			_, err := io.WriteString(w, "last row\n")
			return err
		case <-t.Context().Done():
			return t.Context().Err()
		}
	}, nil)
	if err != nil {
		t.Error(err)
	}
}

func TestUploadFailsWithItsFile(t *testing.T) {
	t.Parallel()
	c := answering(t, http.StatusOK, `{"data":{}}`)
	broken := errors.New("broken")
	err := c.Upload(t.Context(), operation, map[string]any{}, "x.csv", func(io.Writer) error { return broken }, nil)
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// A server may answer before it has read the whole file; its answer counts, and nothing hangs.
func TestUploadEndsWithAnEarlyAnswer(t *testing.T) {
	t.Parallel()
	written := make(chan error, 1)
	c := answering(t, http.StatusRequestEntityTooLarge, `{"errors":[{"message":"Too large."}]}`)
	err := c.Upload(t.Context(), operation, map[string]any{}, "x.csv", func(w io.Writer) error {
		row := []byte(strings.Repeat("x", 1<<16) + "\n")
		for {
			if _, err := w.Write(row); err != nil {
				written <- err
				return err
			}
		}
	}, nil)
	if err == nil {
		t.Error("got no error")
	}
	if err := <-written; err == nil {
		t.Error("got no error while writing")
	}
}
