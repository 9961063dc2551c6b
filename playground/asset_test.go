package playground_test

import (
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// text reads the whole body, decompressed if it is compressed.
func text(t testing.TB, response *http.Response) string {
	t.Helper()
	body := io.Reader(response.Body)
	if response.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatalf("decompress body: %v", err)
		}
	}
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	return string(content)
}

// assetAddresses returns the path of each file that the page refers to, by the file's name without hash.
func assetAddresses(t testing.TB) map[string]string {
	t.Helper()
	page := text(t, get(t, http.MethodGet, "/"))
	addresses := make(map[string]string)
	for _, match := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		hashed := regexp.MustCompile(`^/assets/([\w-]+)\.[0-9a-f]{16}(\.\w+)$`).FindStringSubmatch(match[1])
		if hashed == nil {
			t.Fatalf("page refers to %s, which is no asset", match[1])
		}
		addresses[hashed[1]+hashed[2]] = match[1]
	}
	return addresses
}

func TestAssets(t *testing.T) {
	t.Parallel()
	addresses := assetAddresses(t)
	for _, name := range []string{
		"LICENSES.txt", "access.js", "app.css", "app.js", "chart.js", "explorer.css", "explorer.js",
		"graphiql.css", "graphiql.js", "icon.svg", "react-dom.js", "react.js", "results.js", "rows.js", "series.js",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, ok := addresses[name]
			if !ok {
				t.Fatal("the page does not refer to it")
			}
			plain := get(t, http.MethodGet, address)
			gzipped := get(t, http.MethodGet, address, "Accept-Encoding", "gzip, deflate, br")
			if got := plain.Header.Get("Content-Encoding"); got != "" {
				t.Errorf("without Accept-Encoding: got Content-Encoding %q, want none", got)
			}
			if got, want := gzipped.Header.Get("Content-Encoding"), "gzip"; got != want {
				t.Errorf("with Accept-Encoding: got Content-Encoding %q, want %q", got, want)
			}
			if plain.Header.Get("ETag") == gzipped.Header.Get("ETag") {
				t.Error("the two encodings share an ETag")
			}
			for _, answer := range []*http.Response{plain, gzipped} {
				checkAsset(t, name, answer)
			}
			if text(t, plain) != text(t, gzipped) {
				t.Error("the two encodings differ in content")
			}
			if got := plain.ContentLength; got <= gzipped.ContentLength {
				t.Errorf("plain has %d bytes, gzip %d", got, gzipped.ContentLength)
			}
		})
	}
}

func checkAsset(t *testing.T, name string, answer *http.Response) {
	t.Helper()
	if got := answer.StatusCode; got != http.StatusOK {
		t.Fatalf("got status %d, want 200", got)
	}
	wantType := map[string]string{
		".css": "text/css; charset=utf-8",
		".js":  "text/javascript; charset=utf-8",
		".svg": "image/svg+xml",
		".txt": "text/plain; charset=utf-8",
	}[path.Ext(name)]
	if got := answer.Header.Get("Content-Type"); got != wantType {
		t.Errorf("got Content-Type %q, want %q", got, wantType)
	}
	if got := answer.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("got Cache-Control %q, want immutable", got)
	}
	if got, want := answer.Header.Get("Vary"), "Accept-Encoding"; got != want {
		t.Errorf("got Vary %q, want %q", got, want)
	}
	if _, err := strconv.Atoi(answer.Header.Get("Content-Length")); err != nil {
		t.Errorf("Content-Length: %v", err)
	}
}

// What a first visit loads stays small enough for a slow connection.
func TestFirstVisitIsSmall(t *testing.T) {
	t.Parallel()
	const limit = 1_500_000
	var sum int64
	for _, address := range append(slices.Collect(maps.Values(assetAddresses(t))), "/") {
		sum += get(t, http.MethodGet, address, "Accept-Encoding", "gzip").ContentLength
	}
	if sum > limit {
		t.Errorf("the page and its files have %d bytes, want at most %d", sum, limit)
	}
}

func TestNotModified(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"/", assetAddresses(t)["graphiql.js"]} {
		for _, encoding := range []string{"identity", "gzip"} {
			t.Run(address+" "+encoding, func(t *testing.T) {
				t.Parallel()
				etag := get(t, http.MethodGet, address, "Accept-Encoding", encoding).Header.Get("ETag")
				if etag == "" {
					t.Fatal("no ETag")
				}
				for ifNoneMatch, want := range map[string]int{
					etag:         http.StatusNotModified,
					`"outdated"`: http.StatusOK,
				} {
					answer := get(t, http.MethodGet, address, "Accept-Encoding", encoding, "If-None-Match", ifNoneMatch)
					if got := answer.StatusCode; got != want {
						t.Errorf("If-None-Match %s: got status %d, want %d", ifNoneMatch, got, want)
					}
					if content := text(t, answer); want == http.StatusNotModified && content != "" {
						t.Errorf("304 has a body of %d bytes", len(content))
					}
				}
			})
		}
	}
}

func TestAcceptEncoding(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"":                       "",
		"gzip":                   "gzip",
		"GZIP":                   "gzip",
		"br, gzip ; q=0.5":       "gzip",
		"deflate, gzip;q=1.0, *": "gzip",
		"*":                      "gzip",
		"br, *;q=0.1":            "gzip",
		"identity":               "",
		"br":                     "",
		"gzip;q=0":               "",
		"gzip; Q=0.000, *":       "",
		"*;q=0":                  "",
		"gzip;q=":                "",
		"notgzip":                "",
	} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			answer := get(t, http.MethodGet, "/", "Accept-Encoding", header)
			if got := answer.Header.Get("Content-Encoding"); got != want {
				t.Errorf("got Content-Encoding %q, want %q", got, want)
			}
		})
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, seed := range []string{"", "gzip", "gzip;q=0", "*;q=0.5,br", ";;=,", "gzip;q=NaN"} {
		f.Add(seed)
	}
	want := text(f, get(f, http.MethodGet, "/"))
	f.Fuzz(func(t *testing.T, header string) {
		answer := get(t, http.MethodGet, "/", "Accept-Encoding", header)
		if encoding := answer.Header.Get("Content-Encoding"); encoding != "" {
			if lower := strings.ToLower(header); !strings.Contains(lower, "gzip") && !strings.Contains(lower, "*") {
				t.Errorf("got Content-Encoding %q, which was not asked for", encoding)
			}
		}
		if got := text(t, answer); got != want {
			t.Error("the content depends on the header")
		}
	})
}

func TestLicensesNameWhatIsEmbedded(t *testing.T) {
	t.Parallel()
	licenses := text(t, get(t, http.MethodGet, assetAddresses(t)["LICENSES.txt"]))
	for _, want := range []string{
		"graphiql", "@graphiql/plugin-explorer", "graphiql-explorer", "react", "react-dom",
		"codemirror", "chart.js", "@kurkle/color", "Roboto (font)", "Fira Code (font)",
	} {
		if !regexp.MustCompile(`(?m)^([^ ].*, )?` + regexp.QuoteMeta(want) + `(, .*)?$`).MatchString(licenses) {
			t.Errorf("LICENSES.txt does not name %s", want)
		}
	}
}
