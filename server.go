// Command couponql serves personalized coupons for marketing deliveries: a GraphQL API over an
// embedded DuckDB file. It also is the command line of a server that runs, to import and export
// files. See README.md.
package main

//go:generate go run ./generate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"couponql/access"
	"couponql/analyst"
	"couponql/command"
	"couponql/coupon"
	"couponql/courier"
	"couponql/db"
	"couponql/job"
	"couponql/monitor"
	"couponql/resolvers"
	"couponql/sender"
	"couponql/transfer"
)

// commands are what the program can do; every flag can be given as an environment variable too.
type commands struct {
	Serve    serveCommand     `cmd:"" default:"withargs" help:"Serve the API, the console and the playground (the default)."`
	Import   command.Import   `cmd:"" help:"Import files into a running server."`
	Export   command.Export   `cmd:"" help:"Export files from a running server."`
	Generate command.Generate `cmd:"" help:"Have a running server make random codes."`
	SQL      command.SQL      `cmd:"" name:"sql" help:"Query a running server in SQL."`
	Key      command.Key      `cmd:"" help:"Manage the keys of a running server."`
	Backup   command.Backup   `cmd:"" help:"Fetch a backup of a running server."`
	Restore  restoreCommand   `cmd:"" help:"Restore a database from a backup; no server is needed."`
	Demo     demoCommand      `cmd:"" help:"Make a database with the last two months of an invented shop; no server is needed."`
	Doctor   doctorCommand    `cmd:"" help:"Check an installation: database, disk, machine, settings and senders."`
	Version  kong.VersionFlag `help:"Print the version and exit."`

	AnswerSQL answerCommand `cmd:"" name:"answer-sql" hidden:"" help:"Answer one SQL query of the server that starts this."`
}

// answerCommand is the process that answers one query of an analyst; see the package analyst.
type answerCommand struct{}

// Run answers the query.
func (answerCommand) Run() error { return analyst.Answer(os.Stdin, os.Stdout, os.Exit) }

func main() { os.Exit(run(os.Args[1:])) }

// run does what the arguments ask for and gives the exit code.
func run(args []string) int {
	var c commands
	parser := newParser(&c)
	parsed, err := parser.Parse(args)
	if err != nil {
		// Standard output is for results.
		parser.Stdout = parser.Stderr
		parser.Exit = func(int) {}
		parser.FatalIfErrorf(err)
		if advice := adviceOn(args, err); advice != "" {
			fmt.Fprintln(os.Stderr, advice)
		}
		return command.CodeMisused
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	console := command.NewConsole(os.Stdin, os.Stdout, os.Stderr,
		term.IsTerminal(int(os.Stderr.Fd())))
	err = parsed.Run(console)
	if exit, isExit := errors.AsType[command.ExitError](err); isExit {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "couponql:", err)
		return 1
	}
	return 0
}

// newParser returns the parser of the command line.
func newParser(c *commands, options ...kong.Option) *kong.Kong {
	const description = "Personalized coupons for marketing deliveries: a GraphQL API over an embedded DuckDB file."
	return kong.Must(c, append([]kong.Option{
		kong.Name("couponql"),
		kong.Description(description),
		kong.ShortUsageOnError(),
		kong.Vars{"version": version()},
		defaults(),
		kong.Configuration(readSettings),
	}, options...)...)
}

// release is the version of a release, which its build stamps: go build -ldflags "-X
// main.release=v1.2.3".
var release string

// version tells what was built: the release, or else the module's version, which Go derives from
// the commit.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// How a server stops: its jobs are told at once; requests may end by themselves for graceTime, are
// then canceled, with what the store does for them, and after shutdownTimeout cut off.
const (
	graceTime       = time.Second
	shutdownTimeout = 15 * time.Second
	// flushTimeout is how long the last spans may take to a collector.
	flushTimeout = 3 * time.Second
)

// Run serves until ctx is done, when a signal asks to stop.
func (c *serveCommand) Run(ctx context.Context, parsed *kong.Context) error {
	if c.PrintConfig {
		return printSettings(os.Stdout, parsed.Selected().Flags)
	}
	if err := c.check(ctx); err != nil {
		return err
	}
	log := c.logger()
	slog.SetDefault(slog.New(libraryLog{log.Handler()}))
	if c.OTLPEndpoint == "" {
		return c.serve(ctx, log)
	}
	stop, err := monitor.StartTracing(ctx, c.OTLPEndpoint, version())
	if err != nil {
		return err
	}
	err = c.serve(ctx, log)
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if lost := stop(deadline); lost != nil {
		log.Warn("could not send the last spans to the collector", "error", lost)
	}
	return err
}

// logger returns the log as it is wanted.
func (c *serveCommand) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel.Level, ReplaceAttr: cutAttribute}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// serve opens the store and serves it.
func (c *serveCommand) serve(ctx context.Context, log *slog.Logger) error {
	keepToSelf()
	tokens, err := c.tokens()
	if err != nil {
		return err
	}
	// Before anything is made on disk. Who connects meanwhile waits until the server is ready.
	listener, err := c.listen(ctx)
	if err != nil {
		return err
	}
	// The server closes it, too; that is no failure.
	defer func() { _ = listener.Close() }()
	isNew := isMissing(c.Data)
	out, err := sender.OpenOutbox(c.Outbox)
	if err != nil {
		return err
	}
	senders, closeSenders, err := c.senders(log)
	if err != nil {
		return err
	}
	defer closeSenders()
	alerts, err := c.alerts(log)
	if err != nil {
		return err
	}
	store, err := db.Open(ctx, db.Options{
		Path: c.Data, CaseSensitiveCodes: c.CaseSensitiveCodes, HoldDuration: c.HoldDuration,
		SendRate:        c.SendRate,
		SoftBounceLimit: c.SoftBounceLimit, MemoryLimit: string(c.MemoryLimit),
		CutsLogAt:     c.CutLogAt,
		DefaultRegion: c.DefaultRegion, Timezone: c.Timezone,
		Progress: func(text string) { log.InfoContext(ctx, text) },
		Now:      c.clock, Steady: c.clock,
	})
	if err != nil {
		return err
	}
	if notice := store.Notice(); notice != "" {
		log.WarnContext(ctx, notice)
	}
	guard, err := c.guard(store, tokens)
	if err != nil {
		return errors.Join(fmt.Errorf("--listen=%s: %w", c.Listen, err), store.Close())
	}
	if isDone, err := store.Rewritten(); err != nil {
		log.WarnContext(
			ctx, "could not rewrite the database file: unused parts may still hold erased text",
			"error", err,
		)
	} else if isDone {
		log.InfoContext(ctx, "rewrote the database file without erased recipients")
	}
	answers, err := c.analyst(store, log)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	key, err := store.LinkKey(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("read the key for links: %w", err), store.Close())
	}
	watch := monitor.New(store, version())
	for name, channel := range map[string]coupon.Channel{
		"mail": coupon.ChannelEmail, "webhook": coupon.ChannelSMS,
	} {
		if line, isLine := senders[channel].(interface{ Limits() sender.Limits }); isLine {
			watch.Line(name, line.Limits)
		}
	}
	runner := job.Start(ctx, store, out, job.Options{
		SendRate: c.SendRate, Senders: senders, Alerts: alerts, Query: answers.Export,
		Monitor: watch, Log: log,
		Retention: time.Duration(c.RetentionDays) * 24 * time.Hour,
	})
	links := transfer.NewLinks(key)
	resolver := resolvers.New(store, links, courier.New(store, out, senders), answers, guard)
	if c.onReady != nil {
		c.onReady("http://" + listener.Addr().String())
	} else {
		c.greet(ctx, log, &greeting{
			version: version(), url: "http://" + listener.Addr().String(),
			hasConsole: c.Console, hasPlayground: c.Playground, isOpen: guard.IsOpen(),
			data: c.Data, isNew: isNew, outbox: c.Outbox,
		})
	}
	err = serve(ctx, listener, c.newHandler(store, resolver, guard, links, watch, log), store, log)
	store.Interrupt()
	runner.Stop()
	return errors.Join(err, answers.Close(), closeStore(ctx, store, log))
}

// greet tells that the server is ready: a person at a terminal what is where, programs and logs in
// a line each.
func (c *serveCommand) greet(ctx context.Context, log *slog.Logger, g *greeting) {
	if c.LogFormat == "text" && term.IsTerminal(int(os.Stderr.Fd())) {
		g.writeTo(os.Stderr)
		return
	}
	fmt.Fprintf(os.Stderr, "listening on %s\n", g.url)
	log.InfoContext(ctx, "ready", "url", g.url+"/", "version", g.version)
	if g.isOpen {
		log.InfoContext(ctx, "no API keys yet: open to this machine, closed to all others; couponql key create adds the first")
	}
}

// closeStore closes the store. What a full disk kept from the audit log goes to the log instead: it
// is no reason to call the server broken.
func closeStore(ctx context.Context, store *db.Store, log *slog.Logger) error {
	err := store.Close()
	unrecorded, ok := errors.AsType[*db.UnrecordedError](err)
	if !ok {
		return err
	}
	log.ErrorContext(ctx, "could not write the last audit entries", "error", unrecorded)
	for _, e := range unrecorded.Entries {
		log.WarnContext(ctx, "missing in the audit log", "at", e.At, "caller", e.Caller, "role",
			e.Role, "address", e.Address, "action", e.Action,
			"input", string(e.Input), "outcome", e.Outcome, "errors", e.Errors, "requestId",
			e.RequestID)
	}
	return nil
}

// tokens returns what reads the tokens of an identity provider; nil when there is none.
func (c *serveCommand) tokens() (*access.Tokens, error) {
	if c.OIDCIssuer == "" {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	return access.NewTokens(access.TokenOptions{
		Issuer: c.OIDCIssuer, Audience: c.OIDCAudience, RoleClaim: c.OIDCRoleClaim,
	})
}

// guard returns what tells who sends a request.
func (c *serveCommand) guard(store *db.Store, tokens *access.Tokens) (*access.Guard, error) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, err
	}
	return access.New(store, access.Options{
		AdminKey: c.AdminKey, Tokens: tokens, IsExposed: !isLoopback(host),
		RequestsPerSecond: c.RateLimit,
	})
}

// analyst returns what answers SQL, nil when that is switched off.
func (c *serveCommand) analyst(store *db.Store, log *slog.Logger) (*analyst.Analyst, error) {
	if !c.EnableSQL {
		return nil, nil //nolint:nilnil // a nil analyst answers that it is switched off
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf(
			"find this program, which answers SQL in processes of its own: %w", err,
		)
	}
	return analyst.New(store, analyst.Options{
		Program: program, MaxAge: c.SQLMaxAge, Timeout: c.SQLTimeout,
		MemoryLimit: string(c.SQLMemoryLimit), Log: log,
	})
}
