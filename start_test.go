package main

import (
	"errors"
	"net"
	"strings"
	"testing"
)

// TestGreeting: a person reads what is where, and who is let in.
func TestGreeting(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		greeting greeting
		want     string
	}{
		"first start": {
			greeting{
				"v1.2.3", "http://127.0.0.1:8080", true, true, true, "/srv/c.duckdb", true,
				"/srv/outbox",
			},
			"couponql v1.2.3 is ready; Ctrl-C stops it.\n" +
				"  Console     http://127.0.0.1:8080/console\n" +
				"  Playground  http://127.0.0.1:8080/\n" +
				"  API         http://127.0.0.1:8080/graphql\n" +
				"  Data        /srv/c.duckdb (new)\n" +
				"  Messages    /srv/outbox\n" +
				"  Access      open to this machine, closed to all others; `couponql key create` adds the first API key\n",
		},
		"with keys and no pages": {
			greeting{"v1.2.3", "http://[::]:80", false, false, false, "c.duckdb", false, "out"},
			"couponql v1.2.3 is ready; Ctrl-C stops it.\n" +
				"  API         http://[::]:80/graphql\n" +
				"  Data        c.duckdb\n" +
				"  Messages    out\n" +
				"  Access      with an API key\n",
		},
	} {
		var text strings.Builder
		if test.greeting.writeTo(&text); text.String() != test.want {
			t.Errorf("%s: got\n%swant\n%s", name, text.String(), test.want)
		}
	}
}

// TestListen: an address that cannot be taken is refused with one that may do.
func TestListen(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	taken, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for address, want := range map[string]string{
		taken.Addr().String(): "uses this address already, another server perhaps: stop it, or choose another address, such as --listen 127.0.0.1:",
		"192.0.2.1:8080":      "this machine does not have the address",
	} {
		_, err := (&serveCommand{Listen: address}).listen(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", address, err, want)
		}
	}
	for address, want := range map[string]string{
		"127.0.0.1:8080": "", "[::1]:0": "", "localhost:http": "", ":8080": "",
		"18085":           "must be a host and a port, such as 127.0.0.1:18085",
		"localhost":       "must be a host and a port, such as localhost:8080",
		"":                "must be a host and a port, such as 127.0.0.1:8080",
		"::1":             "must be a host and a port, such as 127.0.0.1:8080",
		"127.0.0.1:":      `"" is not a port, which is 1 to 65535, such as 127.0.0.1:8080`,
		"127.0.0.1:70000": `"70000" is not a port, which is 1 to 65535, such as 127.0.0.1:8080`,
	} {
		got := ""
		if err := checkAddress(t.Context(), address); err != nil {
			_, got, _ = strings.Cut(err.Error(), ": ")
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", address, got, want)
		}
	}
}

// TestEmptyPlaces: an empty path, such as one of a variable that is not set, is not taken for a
// place.
func TestEmptyPlaces(t *testing.T) {
	t.Parallel()
	for flag, c := range map[string]serveCommand{
		"--data": {Outbox: "outbox"}, "--outbox": {Data: "couponql.duckdb"},
	} {
		c.Listen = "127.0.0.1:0"
		if err := c.check(t.Context()); err == nil ||
			!strings.HasPrefix(err.Error(), flag+": must not be empty") {
			t.Errorf("%s: got %v", flag, err)
		}
	}
}

// TestOtherNames: who calls a flag as other programs do is told its name here.
func TestOtherNames(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--port 9000":                "Give --listen 127.0.0.1:9000 instead.",
		"--port=9000":                "Give --listen 127.0.0.1:9000 instead.",
		"-p 9000":                    "Give --listen 127.0.0.1:9000 instead.",
		"serve --db shop.duckdb":     "Give --data shop.duckdb instead.",
		"--host":                     "Give --listen …:8080 instead.",
		"key list --token x":         "Give the environment variable COUPONQL_KEY instead.",
		"import codes --server x a":  "Give --url x instead.",
		"--colour red":               "",
		"--listen 1.2.3.4:5 --daata": "",
	} {
		words := strings.Fields(args)
		_, err := newModel().Parse(words)
		if err == nil {
			err = errors.New("parsed")
		}
		if got := adviceOn(words, err); got != want {
			t.Errorf("%s: got %q, want %q (%v)", args, got, want, err)
		}
	}
	for _, form := range otherNames {
		flag, _, _ := strings.Cut(strings.TrimPrefix(form, "--"), " ")
		if strings.HasPrefix(form, "--") && !hasFlag(flag) {
			t.Errorf("there is no flag --%s", flag)
		}
	}
}

// hasFlag reports whether any command has a flag of this name.
func hasFlag(name string) bool {
	for _, leaf := range commandsOf(newModel().Model.Node) {
		for _, flag := range leaf.Flags {
			if flag.Name == name {
				return true
			}
		}
	}
	return false
}
