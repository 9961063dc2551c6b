package transfer

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
	"couponql/monitor"
)

// site is a server of the routes with a store on a real file.
type site struct {
	*httptest.Server

	store *db.Store
	clock *dbtest.Clock
	links *Links
	path  string
	log   *lockedBuffer
}

// lockedBuffer is a log that is written and read at once.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

func newSite(t *testing.T, patience time.Duration) *site {
	t.Helper()
	s := &site{
		clock: dbtest.NewClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)),
		path:  filepath.Join(t.TempDir(), "couponql.duckdb"), log: &lockedBuffer{},
	}
	s.open(t, patience)
	return s
}

// open starts the server with what is on disk.
func (s *site) open(t *testing.T, patience time.Duration) {
	t.Helper()
	s.store = dbtest.Open(t, s.path, s.clock.Use)
	key, err := s.store.LinkKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.links = NewLinks(key)
	handler := newHandler(Options{
		Store: s.store, Links: s.links, Log: slog.New(slog.NewTextHandler(s.log, nil)),
	}, patience)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(monitor.WithRequestID(r.Context(), "request-7")))
	}))
	t.Cleanup(s.Close)
}

// restart does what a restart of the server does.
func (s *site) restart(t *testing.T) {
	t.Helper()
	s.Close()
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	s.open(t, stallTime)
}

// create makes a place for a file, and gives the path of its link.
func (s *site) create(t *testing.T, edits ...func(*coupon.Upload)) (coupon.ID, string) {
	t.Helper()
	u := &coupon.Upload{FileName: "codes.csv"}
	for _, edit := range edits {
		edit(u)
	}
	u, err := s.store.CreateUpload(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	return u.ID, s.links.Upload(t.Context(), u)
}

func sized(size int64) func(*coupon.Upload) {
	return func(u *coupon.Upload) { u.ByteCount = &size }
}

func summed(content string) func(*coupon.Upload) {
	sum := sha256.Sum256([]byte(content))
	return func(u *coupon.Upload) { u.Checksum = new(hex.EncodeToString(sum[:])) }
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	text   string
}

// ask sends a request; headers are "Name: value".
func (s *site) ask(t *testing.T, method, path string, body io.Reader, headers ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(text)}
}

func (s *site) put(t *testing.T, path, content string) reply {
	t.Helper()
	return s.ask(t, http.MethodPut, path, strings.NewReader(content))
}

// patch sends a piece by the tus protocol.
func (s *site) patch(
	t *testing.T, path string, offset int, content string, headers ...string,
) reply {
	t.Helper()
	headers = append([]string{
		"Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream",
		fmt.Sprintf("Upload-Offset: %d", offset),
	}, headers...)
	return s.ask(t, http.MethodPatch, path, strings.NewReader(content), headers...)
}

// want fails the test unless the reply has this status and text.
func want(t *testing.T, got reply, status int, text string) {
	t.Helper()
	if got.status != status || !strings.Contains(got.text, text) {
		t.Errorf("got %d %q, want %d %q", got.status, got.text, status, text)
	}
}

// wantUpload fails the test unless so much of an upload is here, as in "4 of 10".
func (s *site) wantUpload(t *testing.T, id coupon.ID, want string) {
	t.Helper()
	u, err := s.store.UploadByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%d of ?", u.Received)
	if u.ByteCount != nil {
		got = fmt.Sprintf("%d of %d", u.Received, *u.ByteCount)
	}
	if u.IsComplete {
		got += ", complete"
	}
	if got != want {
		t.Errorf("%s: got %s, want %s", id, got, want)
	}
}

const text = "code\nA1\nA2\n"

func TestPut(t *testing.T) {
	t.Parallel()
	s := newSite(t, stallTime)
	for name, test := range map[string]struct {
		edits     []func(*coupon.Upload)
		content   io.Reader
		status    int
		text, has string
	}{
		"all announced": {
			[]func(*coupon.Upload){sized(11), summed(text)},
			strings.NewReader(text), 204, "",
			"11 of 11, complete",
		},
		"nothing":       {nil, strings.NewReader(text), 204, "", "11 of 11, complete"},
		"chunked":       {[]func(*coupon.Upload){sized(11)}, io.MultiReader(strings.NewReader(text)), 204, "", "11 of 11, complete"},
		"an empty file": {nil, http.NoBody, 204, "", "0 of 0, complete"},
		"too long": {
			[]func(*coupon.Upload){sized(10)},
			strings.NewReader(text), 422,
			"announced with 10 bytes and has more", "0 of 10",
		},
		"too short": {
			[]func(*coupon.Upload){sized(12)},
			strings.NewReader(text), 422,
			"announced with 12 bytes and has 11", "0 of 12",
		},
		"another checksum": {
			[]func(*coupon.Upload){summed("x")}, strings.NewReader(text), 422, "checksum", "0 of ?",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, path := s.create(t, test.edits...)
			want(t, s.ask(t, http.MethodPut, path, test.content), test.status, test.text)
			s.wantUpload(t, id, test.has)
		})
	}
	t.Run("again", func(t *testing.T) {
		t.Parallel()
		id, path := s.create(t, sized(11))
		want(t, s.put(t, path, text+"A3\n"), 422, "Send it again")
		want(t, s.put(t, path, text), 204, "")
		want(t, s.put(t, path, text), 409, "complete already")
		want(t, s.patch(t, path, 11, ""), 409, "complete already")
		s.wantUpload(t, id, "11 of 11, complete")
	})
	t.Run("gone", func(t *testing.T) {
		t.Parallel()
		id, path := s.create(t)
		if err := s.store.DeleteUpload(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		want(t, s.put(t, path, text), 404, "There is no upload")
	})
	t.Run("more than is allowed", func(t *testing.T) {
		t.Parallel()
		_, path := s.create(t)
		head := fmt.Sprintf(
			"PUT %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", path,
			int64(coupon.MaxUploadBytes)+1,
		)
		if got := s.send(t, head); !strings.HasPrefix(got, "HTTP/1.1 413 ") ||
			!strings.Contains(got, "64 GiB") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a part of a file", func(t *testing.T) {
		t.Parallel()
		_, path := s.create(t)
		want(t, s.ask(t, http.MethodPut, path, strings.NewReader("x"),
			"Content-Range: bytes 0-0/2"), 400, "whole file")
	})
}

// dial connects, writes and leaves the connection open.
func (s *site) dial(t *testing.T, text string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	return connection
}

// send writes a request as it is, and gives all that comes back.
func (s *site) send(t *testing.T, text string) string {
	t.Helper()
	got, err := io.ReadAll(s.dial(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// TestLinks tries links that the server did not make, and those of others.
func TestLinks(t *testing.T) {
	t.Parallel()
	s := newSite(t, stallTime)
	u := &coupon.Upload{FileName: "codes.csv"}
	u, err := s.store.CreateUpload(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	good := s.links.Upload(t.Context(), u)
	_, other := s.create(t)
	_, query, _ := strings.Cut(other, "?")
	later := *u
	later.ExpiresAt = u.ExpiresAt.Add(time.Hour)
	_, laterQuery, _ := strings.Cut(s.links.Upload(t.Context(), &later), "?")
	values, err := url.ParseQuery(laterQuery)
	if err != nil {
		t.Fatal(err)
	}
	path := uploadsPath + string(u.ID)
	for name, forged := range map[string]string{
		"no signature":           path,
		"that of another upload": path + "?" + query,
		"a later expiry": strings.Replace(good,
			fmt.Sprintf("expires=%d", u.ExpiresAt.Unix()), "expires="+values.Get("expires"), 1),
		"a signature cut short":   good[:len(good)-1],
		"another character":       good[:len(good)-2] + "!" + good[len(good)-1:],
		"another key":             NewLinks([]byte("guess")).Upload(t.Context(), u),
		"a link for a download":   s.links.link(t.Context(), forDownload, path, u.ExpiresAt),
		"an expiry that is none":  path + "?expires=never&signature=x",
		"an expiry written twice": path + "?expires=1&" + query,
	} {
		for _, method := range []string{
			http.MethodPut, http.MethodPatch, http.MethodHead, http.MethodDelete,
		} {
			if got := s.ask(t, method, forged, nil,
				"Tus-Resumable: 1.0.0"); got.status != http.StatusForbidden {
				t.Errorf("%s, %s: got %d %s", name, method, got.status, got.text)
			}
		}
	}
	if got := s.ask(t, http.MethodGet, s.links.link(t.Context(), forUpload,
		filesPath+"import_1-rejects.csv", u.ExpiresAt), nil); got.status != 403 {
		t.Errorf("a link for an upload downloads: %d %s", got.status, got.text)
	}
	if printed := fmt.Sprintf("%+v %#v", s.links, *s.links); strings.Contains(printed, "key") {
		t.Errorf("the key shows: %s", printed)
	}
	s.clock.Advance(coupon.UploadLifetime - time.Second)
	want(t, s.ask(t, http.MethodHead, good, nil), 200, "")
	s.clock.Advance(time.Second)
	want(t, s.put(t, good, text), 403, "expired")
}

// TestWithBaseURL tells where the links lead.
func TestWithBaseURL(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"http://127.0.0.1:8080/graphql": "http://127.0.0.1:8080/files/import_7-rejects.csv?expires=",
		"https://shop.example/graphql":  "https://shop.example/files/",
		"http://[::1]:80/":              "http://[::1]:80/files/",
	} {
		WithBaseURL(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got := NewLinks(nil).Rejects(r.Context(), "import_7",
				time.Now()); !strings.HasPrefix(got, want) {
				t.Errorf("%s: got %s", target, got)
			}
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, target, nil))
	}
}

func checksum(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "Upload-Checksum: sha256 " + base64.StdEncoding.EncodeToString(sum[:])
}

func TestTus(t *testing.T) {
	t.Parallel()
	s := newSite(t, stallTime)
	t.Run("options", func(t *testing.T) {
		t.Parallel()
		_, path := s.create(t)
		path, _, _ = strings.Cut(path, "?")
		got := s.ask(t, http.MethodOptions, path, nil)
		want(t, got, 204, "")
		for name, value := range map[string]string{
			"Tus-Resumable": "1.0.0", "Tus-Version": "1.0.0", "Tus-Max-Size": "68719476736",
			"Tus-Extension":          "checksum,creation-defer-length,expiration,termination",
			"Tus-Checksum-Algorithm": "sha256,sha1",
		} {
			if got.header.Get(name) != value {
				t.Errorf("%s: got %q, want %q", name, got.header.Get(name), value)
			}
		}
	})
	t.Run("pieces", func(t *testing.T) {
		t.Parallel()
		id, path := s.create(t, sized(11), summed(text))
		got := s.patch(t, path, 0, text[:4])
		want(t, got, 204, "")
		if got.header.Get("Upload-Offset") != "4" ||
			got.header.Get("Upload-Expires") != "Tue, 24 Nov 2026 12:00:00 GMT" {
			t.Errorf("got %v", got.header)
		}
		want(t, s.patch(t, path, 0, text), 409, "4 bytes of the file are here")
		want(t, s.patch(t, path, 5, text[5:]), 409, "4 bytes of the file are here")
		got = s.ask(t, http.MethodHead, path, nil, "Tus-Resumable: 1.0.0")
		if got.status != 200 || got.header.Get("Upload-Offset") != "4" ||
			got.header.Get("Upload-Length") != "11" ||
			got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("got %d %v", got.status, got.header)
		}
		want(t, s.ask(t, http.MethodPost, path, strings.NewReader(text[4:]),
			"X-HTTP-Method-Override: PATCH", "Tus-Resumable: 1.0.0",
			"Content-Type: application/offset+octet-stream", "Upload-Offset: 4"), 204, "")
		s.wantUpload(t, id, "11 of 11, complete")
	})
	t.Run("after a restart", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, stallTime)
		id, path := s.create(t, sized(11), summed(text))
		other, otherPath := s.create(t, sized(11), summed("something else"))
		for _, one := range []string{path, otherPath} {
			want(t, s.patch(t, one, 0, text[:4]), 204, "")
		}
		s.restart(t)
		want(t, s.patch(t, path, 4, text[4:6]), 204, "")
		want(t, s.patch(t, path, 6, text[6:]), 204, "")
		s.wantUpload(t, id, "11 of 11, complete")
		want(t, s.patch(t, otherPath, 4, text[4:]), 422, "checksum")
		s.wantUpload(t, other, "0 of 11")
	})
	t.Run("of unknown length", func(t *testing.T) {
		t.Parallel()
		id, path := s.create(t)
		want(t, s.patch(t, path, 0, text[:4]), 204, "")
		got := s.ask(t, http.MethodHead, path, nil)
		if got.header.Get("Upload-Defer-Length") != "1" || got.header.Get("Upload-Length") != "" {
			t.Errorf("got %v", got.header)
		}
		want(t, s.patch(t, path, 4, "", "Upload-Length: -1"), 400, "Upload-Length")
		want(t, s.patch(t, path, 4, "", "Upload-Length: 68719476737"), 413, "64 GiB")
		want(t, s.patch(t, path, 4, text[4:], "Upload-Length: 11"), 204, "")
		s.wantUpload(t, id, "11 of 11, complete")
		id, path = s.create(t)
		want(t, s.patch(t, path, 0, text), 204, "")
		want(t, s.patch(t, path, 11, "", "Upload-Length: 11"), 204, "")
		s.wantUpload(t, id, "11 of 11, complete")
		id, path = s.create(t)
		want(t, s.patch(t, path, 0, text), 204, "")
		want(t, s.patch(t, path, 11, "", "Upload-Length: 7"), 422,
			"announced with 7 bytes and has 11")
		want(t, s.patch(t, path, 0, "", "Upload-Length: 8"), 422, "announced with 7 bytes, not 8")
		s.wantUpload(t, id, "0 of 7")
	})
	t.Run("more than announced", func(t *testing.T) {
		t.Parallel()
		id, path := s.create(t, sized(6))
		want(t, s.patch(t, path, 0, text[:4]), 204, "")
		want(t, s.patch(t, path, 4, text[4:]), 422, "has more")
		s.wantUpload(t, id, "0 of 6")
	})
	t.Run("checksums", func(t *testing.T) {
		t.Parallel()
		id, path := s.create(t, sized(11), summed(text))
		sum := sha1.Sum([]byte(text[:4]))
		want(t, s.patch(t, path, 0, text[:4],
			"Upload-Checksum: sha1 "+base64.StdEncoding.EncodeToString(sum[:])), 204, "")
		want(t, s.patch(t, path, 4, text[4:8], checksum("else")), 460, "None of them was kept")
		s.wantUpload(t, id, "4 of 11")
		// A last piece is checked before the whole is.
		want(t, s.patch(t, path, 4, "wrong!!", checksum(text[4:])), 460, "None of them was kept")
		s.wantUpload(t, id, "4 of 11")
		for _, header := range []string{
			"md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha256", "sha256 1B2M2Y8AsgTpgAmY7PhCfg==", "sha1 !",
		} {
			want(t, s.patch(t, path, 4, text[4:], "Upload-Checksum: "+header), 400, "sha256,sha1")
		}
		want(t, s.patch(t, path, 4, text[4:], checksum(text[4:])), 204, "")
		s.wantUpload(t, id, "11 of 11, complete")
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		id, path := s.create(t)
		for _, version := range []string{"Tus-Resumable: 0.2.2", "X: y"} {
			got := s.ask(t, http.MethodPatch, path, strings.NewReader(text), version,
				"Content-Type: application/offset+octet-stream", "Upload-Offset: 0")
			want(t, got, 412, "1.0.0")
			if got.header.Get("Tus-Version") != "1.0.0" {
				t.Errorf("got %v", got.header)
			}
		}
		want(t, s.patch(t, path, 0, text, "Content-Type: text/csv"), 415,
			"application/offset+octet-stream")
		want(t, s.patch(t, path, -1, text), 400, "Upload-Offset")
		want(t, s.ask(t, http.MethodPost, path, strings.NewReader(text)), 405, "PUT")
		want(t, s.ask(t, http.MethodGet, path, nil), 405, "PUT")
		s.wantUpload(t, id, "0 of ?")
	})
	t.Run("termination", func(t *testing.T) {
		t.Parallel()
		_, path := s.create(t)
		want(t, s.patch(t, path, 0, text), 204, "")
		want(t, s.ask(t, http.MethodDelete, path, nil), 412, "")
		want(t, s.ask(t, http.MethodDelete, path, nil, "Tus-Resumable: 1.0.0"), 204, "")
		want(t, s.ask(t, http.MethodHead, path, nil), 404, "")
		want(t, s.ask(t, http.MethodDelete, path, nil, "Tus-Resumable: 1.0.0"), 404, "no upload")
	})
	t.Run("termination of what an import needs", func(t *testing.T) {
		t.Parallel()
		id, path := s.create(t)
		want(t, s.put(t, path, text), 204, "")
		if _, err := s.store.CreateImport(t.Context(),
			newImport(coupon.ImportTargets, s.delivery(t)), id, false); err != nil {
			t.Fatal(err)
		}
		want(t, s.ask(t, http.MethodDelete, path, nil, "Tus-Resumable: 1.0.0"), 409,
			"needs the file")
		s.wantUpload(t, id, "11 of 11, complete")
	})
}

func newImport(kind coupon.ImportKind, owner coupon.ID) *coupon.Import {
	i := &coupon.Import{
		Kind: kind, Mode: coupon.ImportAdd, Format: coupon.FormatCSV, OnRejection: coupon.SkipRow,
		Timezone: "UTC",
	}
	switch owner.Kind() { //nolint:exhaustive // nothing else takes imports
	case coupon.KindDelivery:
		i.DeliveryID = &owner
	case coupon.KindCoupon:
		i.CouponID = &owner
	}
	return i
}

func (s *site) delivery(t *testing.T) coupon.ID {
	t.Helper()
	d, err := s.store.CreateDelivery(t.Context(),
		&coupon.DeliveryChanges{Label: coupon.Set(new("d")), Body: coupon.Set(new("b"))})
	if err != nil {
		t.Fatal(err)
	}
	return d.ID
}

// received waits until so many bytes of an upload are here.
func (s *site) received(t *testing.T, id coupon.ID, count int64) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		u, err := s.store.UploadByID(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if u.Received == count {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%d bytes of %s are here, not %d", u.Received, id, count)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// begin begins to send a piece of ten bytes.
func (s *site) begin(t *testing.T, path, some string, headers ...string) net.Conn {
	t.Helper()
	head := "PATCH " + path + " HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n" +
		"Content-Length: 10\r\n"
	for _, header := range headers {
		head += header + "\r\n"
	}
	return s.dial(t, head+"\r\n"+some)
}

// TestBrokenConnection keeps what came before.
func TestBrokenConnection(t *testing.T) {
	t.Parallel()
	s := newSite(t, stallTime)
	id, path := s.create(t, sized(11), summed(text))
	connection := s.begin(t, path, text[:4])
	s.received(t, id, 4)
	want(t, s.patch(t, path, 4, text[4:]), 409, "Another request")
	want(t, s.put(t, path, text), 409, "Another request")
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
	// The server may not know yet that the first client is gone.
	for got := s.patch(t, path, 4, text[4:]); got.status != 204; got = s.patch(t, path,
		4, text[4:]) {
		want(t, got, 409, "Another request")
	}
	s.wantUpload(t, id, "11 of 11, complete")
	// Bytes that cannot be checked any more are not kept.
	id, path = s.create(t, sized(11))
	connection = s.begin(t, path, text[:4], checksum(text[:10]))
	s.received(t, id, 4)
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
	s.received(t, id, 0)
	if log := s.log.text(); log != "" {
		t.Errorf("the log has %s", log)
	}
}

// TestStalledClient is cut off, and a slow one is not.
func TestStalledClient(t *testing.T) {
	t.Parallel()
	const patience = time.Second
	s := newSite(t, patience)
	id, path := s.create(t, sized(11))
	begun := time.Now()
	got, err := io.ReadAll(s.begin(t, path, text[:4]))
	if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 408 ") ||
		time.Since(begun) < patience {
		t.Errorf("after %s: %q, %v", time.Since(begun), got, err)
	}
	s.wantUpload(t, id, "4 of 11")
	id, path = s.create(t, sized(10))
	connection := s.begin(t, path, "")
	for i := range 10 {
		time.Sleep(patience / 5)
		if _, err := io.WriteString(connection, text[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil || !strings.Contains(answer, "204") {
		t.Errorf("a slow client got %q, %v", answer, err)
	}
	s.wantUpload(t, id, "10 of 10, complete")
}

// TestFailure tells what a client hears when the server cannot store, and what the log has.
func TestFailure(t *testing.T) {
	t.Parallel()
	s := newSite(t, stallTime)
	_, path := s.create(t)
	if err := os.RemoveAll(s.path + ".files"); err != nil {
		t.Fatal(err)
	}
	got := s.put(t, path, text)
	want(t, got, 503, "request-7")
	if log := s.log.text(); strings.Contains(got.text, s.path) ||
		!strings.Contains(log, "request-7") || !strings.Contains(log, s.path) ||
		strings.Contains(log, "signature") {
		t.Errorf("the client got %q, the log has %s", got.text, log)
	}
}

// TestStalledDownload cuts off a client that takes nothing, in a way that it cannot take for the
// end of the file.
func TestStalledDownload(t *testing.T) {
	t.Parallel()
	s := newSite(t, 300*time.Millisecond)
	// More than what the connection holds.
	content := "id,sport\n" + strings.Repeat(","+strings.Repeat("x", 250)+"\n", 100_000)
	u, err := s.store.Receive(t.Context(), "recipients.csv", strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	i, err := s.store.CreateImport(t.Context(), newImport(coupon.ImportRecipients, ""), u.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.RunImport(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	link := s.links.Rejects(t.Context(), i.ID, s.store.Now())
	if got := s.ask(t, http.MethodGet, link, nil); len(got.text) < len(content) {
		t.Fatalf("the whole file has %d bytes", len(got.text))
	}
	connection := s.dial(t, "GET "+link+" HTTP/1.1\r\nHost: x\r\n\r\n")
	time.Sleep(2 * time.Second)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if count, err := io.Copy(io.Discard, response.Body); err == nil || count == 0 ||
		count > int64(len(content)) {
		t.Errorf("a client that stalled got %d bytes, %v", count, err)
	}
	if log := s.log.text(); log != "" {
		t.Errorf("the log has %s", log)
	}
}

func TestRejects(t *testing.T) {
	t.Parallel()
	s := newSite(t, stallTime)
	c, err := s.store.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeIndividual, Label: coupon.Set(new("c")),
		StartsAt: coupon.Set(new(coupon.DateTime("2026-11-01"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	run := func(content string) coupon.ID {
		u, err := s.store.Receive(t.Context(), "codes.csv", strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		i, err := s.store.CreateImport(t.Context(), newImport(coupon.ImportCodes, c.ID), u.ID, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.store.RunImport(t.Context(), i.ID); err != nil {
			t.Fatal(err)
		}
		return i.ID
	}
	good, bad := run("code\nA1\n"), run("code\nA1\nA2\n")
	link := s.links.Rejects(t.Context(), bad, s.store.Now())
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		got := s.ask(t, method, link, nil)
		text := ""
		if method == http.MethodGet {
			text = "code,_line,_reason,_value\nA1,2,ALREADY_EXISTS,A1\n"
		}
		want(t, got, 200, text)
		for name, value := range map[string]string{
			"Content-Type":           "text/csv; charset=utf-8",
			"Content-Disposition":    "attachment; filename=import_2-rejects.csv",
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		} {
			if got.header.Get(name) != value {
				t.Errorf("%s, %s: got %q, want %q", method, name, got.header.Get(name), value)
			}
		}
		nothing := s.ask(t, method, s.links.Rejects(t.Context(), good, s.store.Now()), nil)
		if nothing.status != 404 || nothing.header.Get("Content-Disposition") != "" {
			t.Errorf("got %d %v", nothing.status, nothing.header)
		}
		want(t, s.ask(t, method, s.links.link(t.Context(), forDownload, filesPath+"passwd",
			s.store.Now().Add(time.Hour)), nil), 404, "")
		want(t, s.ask(t, method, strings.Replace(link, "import_2", "import_1", 1), nil), 403, "")
	}
	s.clock.Advance(coupon.LinkLifetime)
	want(t, s.ask(t, http.MethodGet, link, nil), 403, "expired")
	s.clock.Advance(coupon.RejectsLifetime)
	want(t, s.ask(t, http.MethodGet, s.links.Rejects(t.Context(), bad, s.store.Now()), nil),
		404, "import_2")
}
