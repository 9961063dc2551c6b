package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"couponql/console"
)

// greeting is what a start tells a person: what is where, and who is let in.
type greeting struct {
	version string
	// url is the address of the server, such as http://127.0.0.1:8080.
	url                               string
	hasConsole, hasPlayground, isOpen bool
	// data is the database file; isNew: this start made it.
	data  string
	isNew bool
	// outbox is the folder of messages that no sender takes.
	outbox string
}

// writeTo writes the greeting to a terminal.
func (g *greeting) writeTo(w io.Writer) {
	data := g.data
	if g.isNew {
		data += " (new)"
	}
	who := "with an API key"
	if g.isOpen {
		who = "open to this machine, closed to all others; `couponql key create` adds the first API key"
	}
	lines := [][2]string{
		{"API", g.url + "/graphql"}, {"Data", data}, {"Messages", g.outbox}, {"Access", who},
	}
	if g.hasPlayground {
		lines = append([][2]string{{"Playground", g.url + "/"}}, lines...)
	}
	if g.hasConsole {
		lines = append([][2]string{{"Console", g.url + console.Path}}, lines...)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "couponql %s is ready; Ctrl-C stops it.\n", g.version)
	for _, line := range lines {
		fmt.Fprintf(&text, "  %-11s %s\n", line[0], line[1])
	}
	// There is no other place to tell that standard error is gone.
	_, _ = io.WriteString(w, text.String())
}

// isMissing reports whether there is no file of this name.
func isMissing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// listen takes the address. Its errors say what to do.
func (c *serveCommand) listen(ctx context.Context) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf(
			"--listen=%s: a program uses this address already, another server perhaps: stop it, or choose another address, such as --listen %s",
			c.Listen,
			nextAddress(c.Listen),
		)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("--listen=%s: this machine does not have the address; choose one that it has, or 0.0.0.0 for all", c.Listen)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("--listen=%s: the system does not allow this port; choose one above 1023, such as --listen 127.0.0.1:8080", c.Listen)
	case err != nil:
		return nil, fmt.Errorf("--listen=%s: %w", c.Listen, err)
	}
	return listener, nil
}

// nextAddress returns the address with the next port.
func nextAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	number, bad := strconv.Atoi(port)
	if err != nil || bad != nil || number >= 1<<16-1 {
		return "127.0.0.1:8081"
	}
	return net.JoinHostPort(host, strconv.Itoa(number+1))
}

// checkAddress refuses what is no host and port.
func checkAddress(ctx context.Context, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		example := "127.0.0.1:8080"
		if _, bad := strconv.ParseUint(address, 10, 16); bad == nil {
			example = "127.0.0.1:" + address
		} else if address != "" && !strings.ContainsAny(address, ":/ ") {
			example = address + ":8080"
		}
		return fmt.Errorf("--listen=%s: must be a host and a port, such as %s", address, example)
	}
	if _, err := net.DefaultResolver.LookupPort(ctx, "tcp", port); err != nil || port == "" {
		return fmt.Errorf("--listen=%s: %q is not a port, which is 1 to 65535, such as %s", address,
			port, net.JoinHostPort(host, "8080"))
	}
	return nil
}

// otherNames are what flags of the server are called in other programs, with how couponql has them.
var otherNames = map[string]string{
	"port": "--listen 127.0.0.1:%s", "p": "--listen 127.0.0.1:%s", "host": "--listen %s:8080",
	"bind": "--listen %s", "addr": "--listen %s",
	"address": "--listen %s", "db": "--data %s", "database": "--data %s",
	"api-key": "the environment variable COUPONQL_KEY",
	"token":   "the environment variable COUPONQL_KEY", "server": "--url %s",
	"cors": "--cors-origin %s", "config-file": "--config %s",
}

// adviceOn returns what to give instead of the flag that a parser did not know; "" when nobody can
// tell.
func adviceOn(args []string, err error) string {
	_, unknown, isUnknown := strings.Cut(err.Error(), "unknown flag -")
	if !isUnknown {
		return ""
	}
	flag, _, _ := strings.Cut(strings.TrimLeft(unknown, "-"), ",")
	form, isKnown := otherNames[flag]
	if !isKnown {
		return ""
	}
	value := map[bool]string{true: "9000", false: "…"}[flag == "port" || flag == "p"]
	for i, arg := range args {
		name, given, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case name != flag || !strings.HasPrefix(arg, "-"):
		case hasValue:
			value = given
		case i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"):
			value = args[i+1]
		}
	}
	return "Give " + strings.ReplaceAll(form, "%s", value) + " instead."
}
