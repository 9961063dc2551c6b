package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false,
	"write the lists of flags in docs anew; review them before you commit")

// newModel returns the parser of the program's command line. Files need not exist.
func newModel() *kong.Kong {
	return newParser(
		&commands{},
		kong.NamedMapper("existingfile",
			kong.MapperFunc(func(c *kong.DecodeContext, target reflect.Value) error {
				if target.Kind() != reflect.Slice {
					return c.Scan.PopValueInto("file", target.Addr().Interface())
				}
				for _, token := range c.Scan.PopWhile(
					func(token kong.Token) bool { return token.IsValue() },
				) {
					target.Set(reflect.Append(target, reflect.ValueOf(token.String())))
				}
				return nil
			})),
	)
}

// commandsOf returns what users call below a node: commands that have no commands of their own.
func commandsOf(node *kong.Node) []*kong.Node {
	var leaves []*kong.Node
	for _, child := range node.Children {
		switch {
		case child.Hidden:
		case len(child.Children) > 0:
			leaves = append(leaves, commandsOf(child)...)
		default:
			leaves = append(leaves, child)
		}
	}
	return leaves
}

// keepWritten fails the test unless the part of a document between two marks is this text; with
// -update it writes the part.
func keepWritten(t *testing.T, path, text string) {
	t.Helper()
	const begin, end = "<!-- flags: written by go test -run TestSettingsDocument -update . -->\n",
		"<!-- /flags -->"
	document, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, hasBegin := strings.Cut(string(document), begin)
	_, after, hasEnd := strings.Cut(rest, end)
	if !hasBegin || !hasEnd {
		t.Fatalf("%s has no place for the flags", path)
	}
	want := before + begin + text + end + after
	if *update {
		if err := os.WriteFile(filepath.FromSlash(path), []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(document)); diff != "" {
		t.Errorf("%s does not list the flags as they are; run go test -run TestSettingsDocument -update . (-want +got):\n%s", path, diff)
	}
}

// TestSettingsDocument keeps docs/settings.md and docs/commands.md equal to the flags: the server's
// in the one, in the order and the groups of --help, those of all other commands in the other.
func TestSettingsDocument(t *testing.T) {
	t.Parallel()
	var settings, rest strings.Builder
	var server *kong.Node
	var others []*kong.Node
	for _, leaf := range commandsOf(newModel().Model.Node) {
		if leaf.Name == "serve" {
			server = leaf
		} else {
			others = append(others, leaf)
		}
	}
	writeSettings(t, &settings, server.Flags)
	keepWritten(t, "docs/settings.md", settings.String())
	writeCommands(&rest, server.Flags, others)
	keepWritten(t, "docs/commands.md", rest.String())
}

// writeSettings writes a table for each group of the server's settings.
func writeSettings(t *testing.T, out *strings.Builder, flags []*kong.Flag) {
	t.Helper()
	group := ""
	for _, f := range flags {
		if f.Name == "help" || f.Name == "version" {
			continue
		}
		if f.Help == "" {
			t.Errorf("--%s has no help", f.Name)
		}
		title := "Files of settings"
		if f.Group != nil {
			title = f.Group.Title
		}
		if title != group {
			group = title
			fmt.Fprintf(out,
				"\n## %s\n\n| flag | environment | default | what it sets |\n|---|---|---|---|\n", group)
		}
		name := flagName(f)
		if f.Hidden {
			name = "" // A secret, which others would see among the arguments.
		}
		var envs []string
		for _, env := range f.Envs {
			envs = append(envs, "`"+env+"`")
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", name, strings.Join(envs, " "),
			defaultOf(f), help(f))
	}
	out.WriteString("\n")
}

// writeCommands writes a chapter for each command, with the flags that only it has; before it those
// that all commands of its kind have.
func writeCommands(out *strings.Builder, settings []*kong.Flag, leaves []*kong.Node) {
	isSetting := func(f *kong.Flag) bool {
		return slices.ContainsFunc(settings,
			func(other *kong.Flag) bool { return other.Name == f.Name && other.Help == f.Help })
	}
	table := func(flags []*kong.Flag) {
		if len(flags) == 0 {
			return
		}
		out.WriteString("\n| flag | default | what it does |\n|---|---|---|\n")
		for _, f := range flags {
			name := flagName(f)
			for _, env := range f.Envs {
				name += ", `" + env + "`"
			}
			fmt.Fprintf(out, "| %s | %s | %s |\n", name, defaultOf(f), help(f))
		}
	}
	// shared returns the flags of the first command that all others have too, and that were not
	// told before.
	shared := func(leaves []*kong.Node, told map[string]bool) []*kong.Flag {
		var flags []*kong.Flag
		for _, f := range leaves[0].Flags {
			isShared := !told[f.Name+f.Help] && f.Name != "help" && f.Name != "version"
			for _, leaf := range leaves[1:] {
				isShared = isShared && slices.ContainsFunc(leaf.Flags, func(other *kong.Flag) bool {
					return other.Name == f.Name && other.Help == f.Help
				})
			}
			if isShared && (leaves[0].Name != "doctor" || !isSetting(f)) {
				flags = append(flags, f)
			}
		}
		return flags
	}
	tell := func(told map[string]bool, flags []*kong.Flag) {
		table(flags)
		for _, f := range flags {
			told[f.Name+f.Help] = true
		}
	}
	told := map[string]bool{}
	// explain tells the arguments of the first command that all others have too, and that were not
	// told before.
	explain := func(leaves []*kong.Node) {
		var rows strings.Builder
		for _, argument := range leaves[0].Positional {
			same := func(other *kong.Positional) bool {
				return other.Name == argument.Name && other.Help == argument.Help
			}
			isShared := !told[argument.Name+argument.Help]
			for _, leaf := range leaves[1:] {
				isShared = isShared && slices.ContainsFunc(leaf.Positional, same)
			}
			if isShared {
				fmt.Fprintf(&rows, "| `%s` | %s |\n", argument.Name, argument.Help)
				told[argument.Name+argument.Help] = true
			}
		}
		if rows.Len() > 0 {
			out.WriteString("\n| argument | what it is |\n|---|---|\n" + rows.String())
		}
	}
	var clients []*kong.Node
	for _, leaf := range leaves {
		if !slices.Contains([]string{"demo", "restore", "doctor"}, leaf.Name) {
			clients = append(clients, leaf)
		}
	}
	out.WriteString("\n## All commands that talk to a server\n")
	tell(told, shared(clients, told))
	for len(leaves) > 0 {
		kind := leaves[0].Parent
		count := 1
		if kind.Name != "couponql" {
			for count < len(leaves) && leaves[count].Parent == kind {
				count++
			}
			fmt.Fprintf(out, "\n## couponql %s\n\n%s\n", kind.Name, kind.Help)
			explain(leaves[:count])
			tell(told, shared(leaves[:count], told))
		}
		for _, leaf := range leaves[:count] {
			level := "###"
			if count == 1 {
				level = "##"
			}
			fmt.Fprintf(out, "\n%s couponql %s\n\n%s\n", level, leaf.Path(), leaf.Help)
			explain([]*kong.Node{leaf})
			table(shared([]*kong.Node{leaf}, told))
		}
		leaves = leaves[count:]
	}
	out.WriteString("\n")
}

// flagName returns how a flag is written.
func flagName(f *kong.Flag) string {
	name := "`--" + f.Name + "`"
	if f.Tag.Negatable != "" {
		name = "`--[no-]" + f.Name + "`"
	}
	if f.Short != 0 {
		name += ", `-" + string(f.Short) + "`"
	}
	return name
}

func defaultOf(f *kong.Flag) string {
	switch f.Default {
	case "true":
		return "on"
	case "":
		return ""
	default:
		return "`" + f.Default + "`"
	}
}

// help returns the help of a flag as a cell of a table.
func help(f *kong.Flag) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "{", "`{", "}", "}`").Replace(f.Help)
}

// TestCommandLines parses every command of the program that a document shows.
func TestCommandLines(t *testing.T) {
	t.Parallel()
	fence := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	settings := filepath.Join(t.TempDir(), "settings.json")
	if err := os.WriteFile(settings, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	parsed := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || path == "docs/adr"):
			return fs.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
			for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", " ")) {
				for _, args := range callsOf(line) {
					parsed++
					if at := slices.Index(args, "--config"); at >= 0 && at+1 < len(args) {
						args[at+1] = settings
					}
					if _, err := newModel().Parse(args); err != nil {
						t.Errorf("%s: %s: %v", path, strings.TrimSpace(line), err)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const few = 20
	if parsed < few {
		t.Errorf("got %d commands, want more", parsed)
	}
}

// word is one of a line of the shell, or a sign between commands.
var word = regexp.MustCompile(
	`"[^"]*"|'[^']*'|\$\(|[|;&()]+|[<>]+|#.*|(?:[^\s"'|;&()<>#]|"[^"]*")+`,
)

// callsOf returns the arguments of each call of the program on a line of the shell.
func callsOf(line string) [][]string {
	var calls [][]string
	isCall, isFile := false, false
	for _, text := range word.FindAllString(line, -1) {
		switch {
		case strings.HasPrefix(text, "#"):
			return calls
		case strings.Trim(text, "<>") == "":
			isFile = true
		case isFile:
			isFile = false
		case strings.Trim(text, "$|;&()") == "":
			isCall = false
		case text == "couponql" || text == "bin/couponql":
			isCall = true
			calls = append(calls, nil)
		case isCall:
			last := len(calls) - 1
			calls[last] = append(calls[last], strings.NewReplacer(`"`, "", "'", "").Replace(text))
		}
	}
	return calls
}
