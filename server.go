// Command couponql serves personalized coupons for marketing deliveries: a GraphQL API over an embedded
// DuckDB file. It also is the command line of a server that runs, to import and export files. See README.md.
package main

//go:generate go tool gqlgen generate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/felixge/httpsnoop"
	"github.com/rs/cors"
	"golang.org/x/term"

	"couponql/access"
	"couponql/analyst"
	"couponql/background"
	"couponql/command"
	"couponql/coupon"
	"couponql/courier"
	"couponql/db"
	"couponql/job"
	"couponql/monitor"
	"couponql/playground"
	"couponql/resolvers"
	"couponql/sender"
	"couponql/transfer"
)

// commands are what the program can do; every flag can be given as an environment variable too.
type commands struct {
	Serve   serveCommand     `cmd:"" default:"withargs" help:"Serve the API and the playground (the default)."`
	Import  command.Import   `cmd:"" help:"Import files into a running server."`
	Export  command.Export   `cmd:"" help:"Export files from a running server."`
	SQL     command.SQL      `cmd:"" name:"sql" help:"Ask a running server in SQL."`
	Key     command.Key      `cmd:"" help:"Manage the keys of a running server."`
	Backup  command.Backup   `cmd:"" help:"Fetch a backup of a running server."`
	Restore restoreCommand   `cmd:"" help:"Make a database of a backup; no server is needed."`
	Doctor  doctorCommand    `cmd:"" help:"Check an installation: database, disk, machine, settings, and whether senders can be reached."`
	Version kong.VersionFlag `help:"Print the version and exit."`

	AnswerSQL answerCommand `cmd:"" name:"answer-sql" hidden:"" help:"Answer one SQL query of the server that starts this."`
}

// answerCommand is the process that answers one query of an analyst; see the package analyst.
type answerCommand struct{}

// Run answers the query.
func (answerCommand) Run() error { return analyst.Answer(os.Stdin, os.Stdout, os.Exit) }

// serveCommand holds the settings of the server.
type serveCommand struct {
	Config             kong.ConfigFlag `placeholder:"FILE" help:"JSON file of settings, named like the flags, which go before it as the environment does." env:"COUPONQL_CONFIG"`
	PrintConfig        bool            `help:"Print the settings as such a file, without secrets, and exit."`
	Listen             string          `default:"127.0.0.1:8080" help:"Address to listen on. Without keys only loopback addresses are allowed." env:"COUPONQL_LISTEN"`
	AdminKey           string          `hidden:"" env:"COUPONQL_ADMIN_KEY"`
	OIDCIssuer         string          `name:"oidc-issuer" placeholder:"URL" help:"Identity provider (OpenID Connect) whose tokens let in too." env:"COUPONQL_OIDC_ISSUER"`
	OIDCAudience       string          `name:"oidc-audience" placeholder:"NAME" help:"Whom its tokens must be for; needed with --oidc-issuer." env:"COUPONQL_OIDC_AUDIENCE"`
	OIDCRoleClaim      string          `name:"oidc-role-claim" default:"couponql_role" placeholder:"CLAIM" help:"Claim that has the role, or a list with it; dots lead into objects." env:"COUPONQL_OIDC_ROLE_CLAIM"`
	RateLimit          int             `default:"1000" placeholder:"COUNT" help:"Requests a second of each caller that are answered, unless a key says otherwise; 0: no limit. There is none while there are no keys." env:"COUPONQL_RATE_LIMIT"`
	CORSOrigins        []string        `name:"cors-origin" placeholder:"ORIGIN" help:"Sites whose pages may use the API, such as https://shop.example.com. Others' pages may not." env:"COUPONQL_CORS_ORIGINS"`
	TrustedProxies     []netip.Prefix  `name:"trusted-proxy" placeholder:"PREFIX" help:"Proxies that tell truly where requests come from (X-Forwarded-For, -Proto, -Host), such as 10.0.0.0/8." env:"COUPONQL_TRUSTED_PROXIES"`
	Data               string          `default:"couponql.duckdb" help:"Database file; made when it does not exist." type:"path" env:"COUPONQL_DATA"`
	CutLogAt           *int64          `placeholder:"BYTE" help:"Start without what the damaged log of the database has behind this byte, and lose it: as the server said when it refused to start. What is cut off is kept beside the database."`
	Outbox             string          `default:"outbox" help:"Folder that messages are written to." type:"path" env:"COUPONQL_OUTBOX"`
	HoldDuration       time.Duration   `default:"24h" help:"How long an analyzed delivery keeps its codes." env:"COUPONQL_HOLD_DURATION"`
	SMTPURL            string          `name:"smtp-url" placeholder:"URL" help:"Mail server that sends EMAIL: smtp://user:password@host:port, or smtps://. Its parameter ?tls= is required (the default), optional or off. Better given by the environment: flags are seen by other users of the machine." env:"COUPONQL_SMTP_URL"`
	MailFrom           string          `placeholder:"ADDRESS" help:"Sender of mail, such as shop@example.com; needed with --smtp-url." env:"COUPONQL_MAIL_FROM"`
	UnsubscribeURL     string          `name:"unsubscribe-url" placeholder:"URL" help:"Address in the header List-Unsubscribe, https: or mailto:, with {recipient} and {delivery} filled in." env:"COUPONQL_UNSUBSCRIBE_URL"`
	WebhookURL         string          `name:"webhook-url" placeholder:"URL" help:"Address that SMS, PUSH and DIRECT_MAIL messages are posted to, signed with the secret in the environment variable COUPONQL_WEBHOOK_SECRET." env:"COUPONQL_WEBHOOK_URL"`
	WebhookSecret      string          `hidden:"" env:"COUPONQL_WEBHOOK_SECRET"`
	AlertWebhookURL    string          `name:"alert-webhook-url" placeholder:"URL" help:"Address that is told when an alert begins, signed with the secret in the environment variable COUPONQL_ALERT_WEBHOOK_SECRET." env:"COUPONQL_ALERT_WEBHOOK_URL"`
	AlertWebhookSecret string          `hidden:"" env:"COUPONQL_ALERT_WEBHOOK_SECRET"`
	SendRate           int             `default:"0" help:"Most messages a second that each delivery hands over; 0: no limit." env:"COUPONQL_SEND_RATE"`
	RetentionDays      int             `default:"0" help:"Erase recipients of whom nothing was heard for so many days, such as 800; 0: never." env:"COUPONQL_RETENTION_DAYS"`
	MemoryLimit        string          `default:"1GB" help:"Memory that the database engine may take." env:"COUPONQL_MEMORY_LIMIT"`
	LogLevel           slog.Level      `default:"info" placeholder:"LEVEL" help:"What is logged: debug (every request), info, warn or error." env:"COUPONQL_LOG_LEVEL"`
	LogFormat          string          `default:"text" enum:"text,json" help:"How: text or json." env:"COUPONQL_LOG_FORMAT"`
	OTLPEndpoint       string          `name:"otlp-endpoint" placeholder:"URL" help:"Collector that traces are sent to, by OpenTelemetry's OTLP over HTTP, such as http://127.0.0.1:4318." env:"COUPONQL_OTLP_ENDPOINT"`
	Introspection      bool            `default:"true" negatable:"" help:"Tell the schema to who asks; without it errors suggest no names either." env:"COUPONQL_INTROSPECTION"`
	Playground         bool            `default:"true" negatable:"" help:"Serve the playground at /; it needs introspection." env:"COUPONQL_PLAYGROUND"`
	EnableSQL          bool            `name:"enable-sql" help:"Let all roles but REDEEMER ask in SQL, read-only (the field sql, and exportSql)." env:"COUPONQL_ENABLE_SQL"`
	SQLMaxAge          time.Duration   `name:"sql-max-age" default:"1m" help:"How old the snapshot may be that SQL is asked of." env:"COUPONQL_SQL_MAX_AGE"`
	SQLTimeout         time.Duration   `name:"sql-timeout" default:"30s" help:"How long an SQL query may take, up to 1m." env:"COUPONQL_SQL_TIMEOUT"`
	SQLMemoryLimit     string          `name:"sql-memory-limit" default:"1GB" help:"Memory that one SQL query may take, in MB or GB; two run at once." env:"COUPONQL_SQL_MEMORY_LIMIT"`
	CaseSensitiveCodes bool            `help:"Keep codes apart that differ in case only. Fixed when the database is made." env:"COUPONQL_CASE_SENSITIVE_CODES"`
}

func main() { os.Exit(run(os.Args[1:])) }

// run does what the arguments ask for and gives the exit code.
func run(args []string) int {
	var c commands
	parser := kong.Must(&c, kong.Name("couponql"), kong.ShortUsageOnError(), kong.Vars{"version": version()}, kong.Configuration(readSettings),
		kong.Description("Personalized coupons for marketing deliveries: a GraphQL API over an embedded DuckDB file."))
	parsed, err := parser.Parse(args)
	if err != nil {
		// Standard output is for results.
		parser.Stdout = parser.Stderr
		parser.Exit = func(int) {}
		parser.FatalIfErrorf(err)
		return command.CodeMisused
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	console := command.NewConsole(os.Stdin, os.Stdout, os.Stderr, term.IsTerminal(int(os.Stderr.Fd())))
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

// release is the version of a release, which its build stamps: go build -ldflags "-X main.release=v1.2.3".
var release string

// version tells what was built: the release, or else the module's version, which Go derives from the commit.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// How a server stops: its jobs are told at once; requests may end by themselves for graceTime, are then canceled, with what the
// store does for them, and after shutdownTimeout cut off.
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
	if err := c.check(); err != nil {
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
		log.Warn("the last spans did not reach the collector", "error", lost)
	}
	return err
}

// logger gives the log as it is wanted.
func (c *serveCommand) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel, ReplaceAttr: cutAttribute}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// serve opens the store and serves it.
func (c *serveCommand) serve(ctx context.Context, log *slog.Logger) error {
	keepToSelf()
	out, err := sender.OpenOutbox(c.Outbox)
	if err != nil {
		return err
	}
	senders, closeSenders, err := c.senders()
	if err != nil {
		return err
	}
	defer closeSenders()
	alerts, err := c.alerts()
	if err != nil {
		return err
	}
	store, err := db.Open(ctx, db.Options{
		Path: c.Data, CaseSensitiveCodes: c.CaseSensitiveCodes, HoldDuration: c.HoldDuration, MemoryLimit: c.MemoryLimit, CutsLogAt: c.CutLogAt,
	})
	if err != nil {
		return err
	}
	if notice := store.Notice(); notice != "" {
		log.WarnContext(ctx, notice)
	}
	guard, err := c.guard(store)
	if err != nil {
		return errors.Join(fmt.Errorf("--listen=%s: %w", c.Listen, err), store.Close())
	}
	if isDone, err := store.Rewritten(); err != nil {
		log.WarnContext(ctx, "erased text may still be in parts of the database file that are not in use", "error", err)
	} else if isDone {
		log.InfoContext(ctx, "the database file was made anew, without recipients who were erased")
	}
	answers, err := c.analyst(store, log)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	key, err := store.LinkKey(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("read the key for links: %w", err), store.Close())
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen: %w", err), store.Close())
	}
	watch := monitor.New(store, version())
	runner := job.Start(ctx, store, out, job.Options{
		SendRate: c.SendRate, Senders: senders, Alerts: alerts, Query: answers.Export, Monitor: watch, Log: log,
		Retention: time.Duration(c.RetentionDays) * 24 * time.Hour,
	})
	links := transfer.NewLinks(key)
	resolver := resolvers.New(store, links, courier.New(store, out, senders), answers, guard)
	if guard.IsOpen() {
		log.WarnContext(ctx, "there is no key yet, so everybody on this machine is let in, and nobody else; couponql key create makes one")
	}
	err = serve(ctx, listener, c.newHandler(store, resolver, guard, links, watch, log), store, log)
	store.Interrupt()
	runner.Stop()
	return errors.Join(err, answers.Close(), closeStore(ctx, store, log))
}

// closeStore closes the store. What a full disk kept from the audit log goes to the log instead: it is no reason to call the
// server broken.
func closeStore(ctx context.Context, store *db.Store, log *slog.Logger) error {
	err := store.Close()
	unrecorded, ok := errors.AsType[*db.UnrecordedError](err)
	if !ok {
		return err
	}
	log.ErrorContext(ctx, "the last notes were not written", "error", unrecorded)
	for _, e := range unrecorded.Entries {
		log.WarnContext(ctx, "an entry that the audit log lacks", "at", e.At, "caller", e.Caller, "role", e.Role, "address", e.Address, "action", e.Action,
			"input", string(e.Input), "outcome", e.Outcome, "errors", e.Errors, "requestId", e.RequestID)
	}
	return nil
}

// guard gives what tells who sends a request.
func (c *serveCommand) guard(store *db.Store) (*access.Guard, error) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, err
	}
	var tokens *access.Tokens
	if c.OIDCIssuer != "" {
		tokens, err = access.NewTokens(access.TokenOptions{Issuer: c.OIDCIssuer, Audience: c.OIDCAudience, RoleClaim: c.OIDCRoleClaim})
		if err != nil {
			return nil, err
		}
	}
	return access.New(store, access.Options{AdminKey: c.AdminKey, Tokens: tokens, IsExposed: !isLoopback(host), RequestsPerSecond: c.RateLimit})
}

// analyst gives what answers SQL, nil when that is switched off.
func (c *serveCommand) analyst(store *db.Store, log *slog.Logger) (*analyst.Analyst, error) {
	if !c.EnableSQL {
		return nil, nil //nolint:nilnil // a nil analyst answers that it is switched off
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program, which answers SQL in processes of its own: %w", err)
	}
	return analyst.New(store, analyst.Options{
		Program: program, MaxAge: c.SQLMaxAge, Timeout: c.SQLTimeout, MemoryLimit: c.SQLMemoryLimit, Log: log,
	})
}

// senders gives the senders of channels that do not go to the outbox, and what ends their connections.
func (c *serveCommand) senders() (chosen map[coupon.Channel]sender.Sender, closeAll func(), err error) {
	chosen = map[coupon.Channel]sender.Sender{}
	var closers []func()
	switch {
	case c.SMTPURL != "" && c.MailFrom == "":
		return nil, nil, errors.New("--smtp-url: --mail-from is needed too: whom the mail is from, such as \"Shop <shop@example.com>\"")
	case c.SMTPURL == "" && (c.MailFrom != "" || c.UnsubscribeURL != ""):
		return nil, nil, errors.New("--mail-from and --unsubscribe-url mean nothing without --smtp-url")
	case (c.WebhookURL == "") != (c.WebhookSecret == ""):
		return nil, nil, errors.New("--webhook-url and the environment variable COUPONQL_WEBHOOK_SECRET need each other")
	}
	if c.SMTPURL != "" {
		mail, err := sender.NewSMTP(&sender.SMTPOptions{URL: c.SMTPURL, From: c.MailFrom, UnsubscribeURL: c.UnsubscribeURL})
		if err != nil {
			return nil, nil, fmt.Errorf("--smtp-url, --mail-from, --unsubscribe-url: %w", err)
		}
		chosen[coupon.ChannelEmail] = mail
		closers = append(closers, mail.Close)
	}
	if c.WebhookURL != "" {
		webhook, err := sender.NewWebhook(c.WebhookURL, c.WebhookSecret)
		if err != nil {
			return nil, nil, fmt.Errorf("--webhook-url: %w", err)
		}
		for _, channel := range []coupon.Channel{coupon.ChannelSMS, coupon.ChannelPush, coupon.ChannelDirectMail} {
			chosen[channel] = webhook
		}
		closers = append(closers, webhook.Close)
	}
	return chosen, func() {
		for _, end := range closers {
			end()
		}
	}, nil
}

// alerts gives the webhook that is told of alerts; nil when there is none.
func (c *serveCommand) alerts() (*sender.Webhook, error) {
	if (c.AlertWebhookURL == "") != (c.AlertWebhookSecret == "") {
		return nil, errors.New("--alert-webhook-url and the environment variable COUPONQL_ALERT_WEBHOOK_SECRET need each other")
	}
	if c.AlertWebhookURL == "" {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	webhook, err := sender.NewWebhook(c.AlertWebhookURL, c.AlertWebhookSecret)
	if err != nil {
		return nil, fmt.Errorf("--alert-webhook-url: %w", err)
	}
	return webhook, nil
}

// check refuses settings that are unsafe or make no sense.
func (c *serveCommand) check() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("--listen=%s: %w", c.Listen, err)
	}
	if c.CutLogAt != nil && *c.CutLogAt < 0 {
		return fmt.Errorf("--cut-log-at=%d: must be the byte that the server said when it refused to start", *c.CutLogAt)
	}
	if c.RateLimit < 0 {
		return fmt.Errorf("--rate-limit=%d: must be 0 (no limit) or more", c.RateLimit)
	}
	if c.OIDCIssuer == "" && c.OIDCAudience != "" {
		return errors.New("--oidc-audience means nothing without --oidc-issuer")
	}
	for _, origin := range c.CORSOrigins {
		if address, err := url.Parse(origin); err != nil || address.Host == "" || origin != address.Scheme+"://"+address.Host {
			return fmt.Errorf("--cors-origin=%s: must be a scheme and a host, such as https://shop.example.com", origin)
		}
	}
	if c.SendRate < 0 {
		return fmt.Errorf("--send-rate=%d: must be 0 (no limit) or more", c.SendRate)
	}
	if c.RetentionDays < 0 || c.RetentionDays > maxRetentionDays {
		return fmt.Errorf("--retention-days=%d: must be 0 (for ever) to %d", c.RetentionDays, maxRetentionDays)
	}
	if c.SQLMaxAge <= 0 {
		return fmt.Errorf("--sql-max-age=%s: must be more than 0", c.SQLMaxAge)
	}
	if c.SQLTimeout <= 0 || c.SQLTimeout > time.Minute {
		return fmt.Errorf("--sql-timeout=%s: must be more than 0 and at most 1m, which every query of GraphQL may take", c.SQLTimeout)
	}
	if _, err := analyst.ParseBytes(c.SQLMemoryLimit); err != nil {
		return fmt.Errorf("--sql-memory-limit: %w", err)
	}
	if c.HoldDuration <= 0 {
		return fmt.Errorf("--hold-duration=%s: must be more than 0", c.HoldDuration)
	}
	return nil
}

// maxRetentionDays is a hundred years.
const maxRetentionDays = 36_500

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// serve answers requests until ctx is done, and then lets those that run end. When the store is lost it ends
// at once; closing the store then tells why.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, store *db.Store, log *slog.Logger) error {
	// Requests are canceled with base, which ends subscriptions when the server stops.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(newSparseLog(log.Handler()), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	background.Go(func() error { return server.Serve(patientListener{listener, stallTime}) }, func(err error) { failed <- err })
	fmt.Fprintf(os.Stderr, "listening on http://%s\n", listener.Addr())
	log.InfoContext(ctx, "ready", "url", "http://"+listener.Addr().String()+"/", "version", version())
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-store.Failed():
		return server.Close()
	case <-ctx.Done():
	}
	log.Info("stopping")
	deadline, stop := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer stop()
	// What takes longer than a moment is a subscription, a long query or a long change: it is told to end. The store comes first, so
	// that whose change it cuts off hears that nothing remains of it.
	defer background.After(graceTime, func() error {
		store.Interrupt()
		return nil
	}, func(error) { cancel() }).Stop()
	if err := server.Shutdown(deadline); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// newHandler routes requests: the API, files, the playground, and the health of the server.
func (c *serveCommand) newHandler(
	store *db.Store,
	resolver *resolvers.Resolver,
	guard *access.Guard,
	links *transfer.Links,
	watch *monitor.Monitor,
	log *slog.Logger,
) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", resolvers.Handler(resolver, resolvers.Options{
		Log: log, Monitor: watch, HidesSchema: !c.Introspection, Origins: c.CORSOrigins,
	}))
	files := transfer.Handler(transfer.Options{Store: store, Links: links, Log: log})
	mux.Handle("/uploads/", files)
	mux.Handle("/files/", files)
	mux.Handle("GET /metrics", forStaff(guard, watch.Handler()))
	if c.Playground {
		mux.Handle("/", playground.Handler())
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := store.Ping(r.Context()); err != nil {
			log.ErrorContext(r.Context(), "not ready", "error", err)
			answer(w, http.StatusServiceUnavailable, "the database does not answer")
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	// A page of another site must not be able to use the server of a visitor's machine: neither by
	// sending it forms, nor by a name that it points to this address.
	protection := http.NewCrossOriginProtection()
	for _, origin := range c.CORSOrigins {
		// It was checked.
		_ = protection.AddTrustedOrigin(origin)
	}
	handler := localOnly(guard, protection.Handler(transfer.WithBaseURL(mux)))
	if len(c.CORSOrigins) > 0 {
		handler = shareWith(c.CORSOrigins).Handler(handler)
	}
	handler = observed(watch, log, throughProxies(c.TrustedProxies, handler))
	if c.OTLPEndpoint != "" {
		handler = monitor.Traced(handler)
	}
	return withRequestID(handler)
}

// observed counts and times requests, and logs each at the level debug: neither what it asked for nor what it got.
func observed(watch *monitor.Monitor, log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := httpsnoop.CaptureMetrics(next, w, r)
		watch.Request(r, seen.Code, seen.Duration)
		log.DebugContext(r.Context(), "answered", "request", monitor.RequestID(r.Context()), "method", monitor.MethodOf(r), "path", monitor.PathOf(r),
			"status", seen.Code, "bytes", seen.Written, "took", seen.Duration, "address", r.RemoteAddr)
	})
}

// corsMaxAge is how long browsers keep what they were told about other sites' requests, in seconds.
const corsMaxAge = 600

// shareWith lets the pages of other sites use the API. Keys are in a header, and there are no cookies, so that a page can do
// nothing in the name of its visitor.
func shareWith(origins []string) *cors.Cors {
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: []string{"*"},
		MaxAge:         corsMaxAge,
		ExposedHeaders: []string{"X-Request-ID", "Retry-After", "Location", "Upload-Offset", "Upload-Length", "Upload-Expires", "Tus-Resumable"},
	})
}

// throughProxies takes from trusted proxies who is behind them: the last address of X-Forwarded-For that is not one of theirs,
// and the scheme and host that the client used.
func throughProxies(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	isTrusted := func(address netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(address.Unmap()) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !isTrusted(peer.Addr()) {
			next.ServeHTTP(w, r)
			return
		}
		r = r.Clone(r.Context())
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for _, hop := range slices.Backward(hops) {
			address, err := netip.ParseAddr(strings.TrimSpace(hop))
			if err != nil {
				break
			}
			r.RemoteAddr = netip.AddrPortFrom(address.Unmap(), 0).String()
			if !isTrusted(address) {
				break
			}
		}
		if scheme := r.Header.Get("X-Forwarded-Proto"); scheme == "https" || scheme == "http" {
			r.URL.Scheme = scheme
		}
		if host := r.Header.Get("X-Forwarded-Host"); host != "" {
			r.Host = host
		}
		next.ServeHTTP(w, r)
	})
}

// forStaff lets all in but those who may redeem and nothing else.
func forStaff(guard *access.Guard, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := guard.Identify(r.Context(), r.Header.Get("Authorization"), r.RemoteAddr)
		switch {
		case err != nil:
			w.Header().Set("WWW-Authenticate", access.Realm)
			answer(w, access.StatusOf(err), "show a key that works: Authorization: Bearer, and the key")
		case caller.Role == coupon.RoleRedeemer:
			answer(w, http.StatusForbidden, "the role REDEEMER does not see metrics")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// A client that went away needs no answer.
	_, _ = fmt.Fprintln(w, text)
}

// withRequestID gives every request an id, which its answer, its errors and the log carry. Browsers take no answer for anything but
// what it says it is.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		w.Header().Set("X-Request-ID", id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r.WithContext(monitor.WithRequestID(r.Context(), id)))
	})
}

// localOnly refuses requests that name another host than this machine, as long as nobody has to show a key.
func localOnly(guard *access.Guard, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if guard.IsOpen() && !isLoopback(host) {
			answer(w, http.StatusMisdirectedRequest, "this server answers to loopback addresses only")
			return
		}
		next.ServeHTTP(w, r)
	})
}
