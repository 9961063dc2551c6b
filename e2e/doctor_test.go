package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"couponql/sender/mailtest"
)

// examine runs couponql doctor with the files of a folder.
func examine(t *testing.T, dir string, env []string, args ...string) commandResult {
	t.Helper()
	args = append([]string{
		"doctor", "--data", filepath.Join(dir, "couponql.duckdb"), "--outbox",
		filepath.Join(dir, "outbox"),
	}, args...)
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), env...)
	return resultOf(t, cmd, "")
}

// TestDoctor looks at a server that runs, at its files when it is stopped, and at settings that
// cannot work.
func TestDoctor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir)
	var data any
	p.must(t, createCoupon, &data)
	if got := examine(t, dir, nil, "--url", p.url); got.code != 0 ||
		!strings.Contains(got.out, "ok       version") ||
		!strings.Contains(got.out, "ok       integrity") || got.err != "" {
		t.Errorf("got %+v", got)
	}
	if got := examine(t, dir, nil); got.code != 1 ||
		!strings.Contains(got.out, "failed   database") || !strings.Contains(got.out, "--url") {
		t.Errorf("got %+v", got)
	}
	// What was written is in the log of the engine, which the doctor leaves as it is.
	p.kill(t)
	log := filepath.Join(dir, "couponql.duckdb.wal")
	before, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	got := examine(t, dir, nil, "--json")
	var report struct {
		Findings []struct {
			Name string `json:"name"`
		} `json:"findings"`
	}
	if err := json.Unmarshal([]byte(got.out), &report); err != nil || got.code != 0 ||
		len(report.Findings) < 7 {
		t.Errorf("got %+v, %v", got, err)
	}
	if after, err := os.Stat(log); err != nil || after.Size() != before.Size() {
		t.Errorf("the log was %d bytes and is %v, %v", before.Size(), after, err)
	}
	mailbox := startMailbox(t)
	webhook := httptest.NewTLSServer(
		http.HandlerFunc(
			func(http.ResponseWriter, *http.Request) { t.Error("something was sent") },
		),
	)
	t.Cleanup(webhook.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	unnamed := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
		if e.Step == mailtest.Hello && strings.HasSuffix(e.Line, " example.org") {
			return mailtest.Reply{Text: "504 5.5.2 Helo command rejected"}
		}
		return mailtest.Reply{}
	})
	spent := mailtest.Start(t, func(e mailtest.Event) mailtest.Reply {
		if e.Step == mailtest.Mail {
			return mailtest.Reply{Text: "550 5.4.5 Daily quota exceeded"}
		}
		return mailtest.Reply{}
	})
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"a name that is refused": {
			[]string{"--smtp-url", unnamed.URL(), "--mail-from", "a@example.org"},
			1,
			"EHLO: 504 5.5.2 Helo command rejected",
		},
		"another name": {
			[]string{
				"--smtp-url", unnamed.URL(), "--mail-from", "a@example.org", "--mail-hello",
				"mail.example.net",
			},
			0,
			"EHLO: taken with the name mail.example.net",
		},
		"a sender that is refused": {
			[]string{"--smtp-url", spent.URL(), "--mail-from", "a@example.org"},
			1,
			"MAIL FROM: 550 5.4.5 Daily quota exceeded",
		},
		"mail": {[]string{
			"--smtp-url", "smtp://" + mailbox.address + "?tls=optional", "--mail-from",
			"a@example.org",
		}, 0, "ok       mail"},
		"no mail server": {
			[]string{"--smtp-url", "smtp://u:hunter2@127.0.0.1:1", "--mail-from", "a@example.org"},
			1, "failed   mail",
		},
		"an open webhook": {
			[]string{"--webhook-url", "http://" + listener.Addr().String() + "/x"},
			0,
			"ok       webhook",
		},
		"a webhook in the clear": {
			[]string{"--webhook-url", "http://nowhere.invalid/x"},
			1,
			"--webhook-url: what is sent can be read",
		},
		"an unknown certificate": {[]string{"--webhook-url", webhook.URL}, 1, "certificate"},
		"settings that clash": {
			[]string{"--mail-from", "a@example.org", "--webhook-url", "http://127.0.0.1"},
			1,
			"need --smtp-url",
		},
		"no introspection": {
			[]string{"--no-introspection", "--webhook-url", "http://" + listener.Addr().String()},
			0, "give --no-playground",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var env []string
			if slices.Contains(test.args, "--webhook-url") {
				env = append(env, "COUPONQL_WEBHOOK_SECRET=hunter2hunter2hunter2")
			}
			got := examine(t, dir, env, test.args...)
			if got.code != test.code || !strings.Contains(got.out, test.want) ||
				strings.Contains(got.out+got.err, "hunter2") {
				t.Errorf("got %+v, want %d, %q", got, test.code, test.want)
			}
		})
	}
}
