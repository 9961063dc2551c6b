package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestTransfer sends a file to a server that is stopped in the middle and started again, imports it and gets the
// rejected rows.
func TestTransfer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir)
	var ignored any
	p.must(t, createCoupon, &ignored)
	var created struct {
		CreateUpload struct{ Upload struct{ ID, URL string } }
	}
	p.must(t, `mutation { createUpload(input: {fileName: "codes.csv", byteCount: 14}) { upload { id url } } }`, &created)
	const content = "code\nA-1\n,bad\n"
	path, isHere := strings.CutPrefix(created.CreateUpload.Upload.URL, p.url)
	if !isHere {
		t.Fatalf("the link is %s", created.CreateUpload.Upload.URL)
	}
	connection, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	const head = "PATCH %s HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n" +
		"Upload-Offset: 0\r\nContent-Length: %d\r\n\r\n%s"
	if _, err := fmt.Fprintf(connection, head, path, len(content), content[:5]); err != nil {
		t.Fatal(err)
	}
	// A client that sends no more does not keep the server from stopping.
	for p.offset(t, path) != "5" {
		pause(t)
	}
	p.stop(t, 10*time.Second)
	p = start(t, dir)
	if got := p.offset(t, path); got != "5" {
		t.Errorf("after a restart %s bytes are here", got)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, p.url+path, strings.NewReader(content[5:]))
	if err != nil {
		t.Fatal(err)
	}
	status, text := p.do(t, request, func(r *http.Request) {
		r.Header.Set("Tus-Resumable", "1.0.0")
		r.Header.Set("Content-Type", "application/offset+octet-stream")
		r.Header.Set("Upload-Offset", "5")
	})
	if status != http.StatusNoContent {
		t.Fatalf("%d %s", status, text)
	}
	p.must(t, fmt.Sprintf(`mutation { importCodes(input: {couponId: "coupon_1", uploadId: %q, options: {hasHeader: true}}) { userErrors { message } } }`,
		created.CreateUpload.Upload.ID), &ignored)
	var read struct {
		Import struct {
			Status, RejectsURL string
			Failure            *string
		}
	}
	for read.Import.Status != "SUCCEEDED" {
		pause(t)
		p.must(t, `{ import(id: "import_1") { status rejectsUrl failure } }`, &read)
		if read.Import.Failure != nil {
			t.Fatal(*read.Import.Failure)
		}
	}
	status, text = p.get(t, strings.TrimPrefix(read.Import.RejectsURL, p.url), nil)
	if status != http.StatusOK || !strings.HasPrefix(text, "code,_line,_reason,_value\n") {
		t.Errorf("%d %s", status, text)
	}
	if log := p.text(); strings.Contains(log, "signature") {
		t.Errorf("a link is in the log: %s", log)
	}
	p.stop(t, 10*time.Second)
}

// offset returns how much of an upload is here.
func (p *process) offset(t *testing.T, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, p.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.Header.Get("Upload-Offset")
}
