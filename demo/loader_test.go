package demo

import (
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"couponql/client"
)

// answering returns a client of a server that gives these answers, by the operation's name.
func answering(t *testing.T, answers map[string]string) *client.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if _, form, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && form["boundary"] != "" {
			if body, err = multipart.NewReader(r.Body, form["boundary"]).NextPart(); err != nil {
				t.Error(err)
				return
			}
		}
		var asked client.Request
		if err := json.NewDecoder(body).Decode(&asked); err != nil {
			t.Error(err)
			return
		}
		name := regexp.MustCompile(`(?m)^(?:query|mutation) (\w+)`).FindStringSubmatch(asked.Query)[1]
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if _, err := io.WriteString(w, answers[name]); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return client.New(server.URL, "")
}

// TestLoadFails: whatever the server refuses ends the history, with what it said, what that was about, and when.
func TestLoadFails(t *testing.T) {
	t.Parallel()
	at, err := time.Parse(time.RFC3339, afternoon)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ operation, answer, want string }{
		"user error": {
			"CreateCoupon", `{"data":{"createCoupon":{"coupon":null,"userErrors":[
				{"code":"ALREADY_EXISTS","message":"Another coupon has this code.","field":["input","code"]}]}}}`,
			"on 27 September 09:00: create coupon SUMMER10: createCoupon: ALREADY_EXISTS at input.code: Another coupon has this code.",
		},
		"user error of an upload": {
			"ImportCodes", `{"data":{"importCodes":{"import":null,"userErrors":[
				{"code":"FILE_TOO_LARGE","message":"Too large.","field":null}]}}}`,
			"import flyers.csv: importCodes: FILE_TOO_LARGE: Too large.",
		},
		"failed import": {
			"GetImport", `{"data":{"import":{"status":"FAILED","failure":"The disk is full."}}}`,
			"import flyers.csv: it is FAILED: The disk is full.",
		},
		"rejected rows": {
			"GetImport", `{"data":{"import":{"status":"SUCCEEDED","rowsImported":19999,"rowsRejected":1,
				"rejectionsByReason":[{"reason":"MALFORMED","count":1}]}}}`,
			"import flyers.csv: 19999 rows imported and 1 rejected [{MALFORMED 1}], want 20000 and 0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := map[string]string{
				"CreateCoupon": `{"data":{"createCoupon":{"coupon":{"id":"coupon_1"},"userErrors":[]}}}`,
				"ImportCodes":  `{"data":{"importCodes":{"import":{"id":"import_1"},"userErrors":[]}}}`,
			}
			answers[c.operation] = c.answer
			err := Load(t.Context(), &Options{Client: answering(t, answers), Clock: NewClock(at), Now: at, Out: io.Discard})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got the error %v, want %q in it", err, c.want)
			}
		})
	}
}

// TestOutcome: of the messages, the shares that a response tells bounce.
func TestOutcome(t *testing.T) {
	t.Parallel()
	r := response{hardBounces: 0.1, softBounces: 0.2, complaints: 0.3}
	for chance, want := range map[float64]string{0: "HARD", 0.09: "HARD", 0.11: "SOFT", 0.29: "SOFT", 0.31: "COMPLAINT", 0.59: "COMPLAINT", 0.61: "DELIVERED"} {
		if got := r.outcome(chance); got != want {
			t.Errorf("at %v: got %s, want %s", chance, got, want)
		}
	}
}
