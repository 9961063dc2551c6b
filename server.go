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
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/term"

	"couponql/analyst"
	"couponql/command"
	"couponql/coupon"
	"couponql/db"
	"couponql/job"
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
	Data               string          `default:"couponql.duckdb" help:"Database file; made when it does not exist." type:"path" env:"COUPONQL_DATA"`
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
	Introspection      bool            `default:"true" negatable:"" help:"Tell the schema to who asks; without it errors suggest no names either." env:"COUPONQL_INTROSPECTION"`
	Playground         bool            `default:"true" negatable:"" help:"Serve the playground at /; it needs introspection." env:"COUPONQL_PLAYGROUND"`
	EnableSQL          bool            `name:"enable-sql" help:"Let everybody who may use the API ask in SQL, read-only (the field sql, and exportSql)." env:"COUPONQL_ENABLE_SQL"`
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
	err = parsed.Run(slog.New(slog.NewTextHandler(os.Stderr, nil)), console)
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

// How a server stops: requests may end by themselves for graceTime, are then canceled, and after
// shutdownTimeout cut off.
const (
	graceTime       = time.Second
	shutdownTimeout = 15 * time.Second
)

// Run serves until ctx is done, when a signal asks to stop.
func (c *serveCommand) Run(ctx context.Context, log *slog.Logger, parsed *kong.Context) error {
	if c.PrintConfig {
		return printSettings(os.Stdout, parsed.Selected().Flags)
	}
	if err := c.check(); err != nil {
		return err
	}
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
		Path: c.Data, CaseSensitiveCodes: c.CaseSensitiveCodes, HoldDuration: c.HoldDuration, MemoryLimit: c.MemoryLimit,
	})
	if err != nil {
		return err
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
	//nolint:contextcheck // jobs outlive ctx: runner.Stop ends them after the last request
	runner := job.Start(store, out, job.Options{
		SendRate: c.SendRate, Senders: senders, Alerts: alerts, Query: answers.Export, Log: log, Retention: time.Duration(c.RetentionDays) * 24 * time.Hour,
	})
	links := transfer.NewLinks(key)
	resolver := resolvers.New(store, links, job.NewCourier(store, out, senders), answers)
	err = serve(ctx, listener, c.newHandler(store, resolver, links, log), store.Failed(), log)
	runner.Stop()
	return errors.Join(err, answers.Close(), store.Close())
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
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen=%s: %w", c.Listen, err)
	}
	if !isLoopback(host) {
		return fmt.Errorf("--listen=%s: without keys the server serves loopback addresses only, such as 127.0.0.1:8080", c.Listen)
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
func serve(ctx context.Context, listener net.Listener, handler http.Handler, lost <-chan struct{}, log *slog.Logger) error {
	// Requests are canceled with base, which ends subscriptions when the server stops.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Fprintf(os.Stderr, "listening on http://%s\n", listener.Addr())
	log.InfoContext(ctx, "ready", "url", "http://"+listener.Addr().String()+"/", "version", version())
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-lost:
		return server.Close()
	case <-ctx.Done():
	}
	log.Info("stopping")
	deadline, stop := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer stop()
	// What takes longer than a moment is a subscription or a long query: it is told to end.
	defer time.AfterFunc(graceTime, cancel).Stop()
	if err := server.Shutdown(deadline); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// newHandler routes requests: the API, files, the playground, and the health of the server.
func (c *serveCommand) newHandler(store *db.Store, resolver *resolvers.Resolver, links *transfer.Links, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	registry, duration := metrics(store)
	mux.Handle("/graphql", promhttp.InstrumentHandlerDuration(duration,
		resolvers.Handler(resolver, resolvers.Options{Log: log, HidesSchema: !c.Introspection})))
	files := transfer.Handler(transfer.Options{Store: store, Links: links, Log: log, RequestID: resolvers.RequestID})
	mux.Handle("/uploads/", files)
	mux.Handle("/files/", files)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
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
	return withRequestID(localOnly(http.NewCrossOriginProtection().Handler(transfer.WithBaseURL(mux))))
}

// metrics gives what /metrics tells: the process, the requests to the API, and the statements they cost.
func metrics(store *db.Store) (*prometheus.Registry, *prometheus.HistogramVec) {
	registry := prometheus.NewRegistry()
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "couponql_request_duration_seconds", Help: "How long requests to /graphql took, by method and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
	}, []string{"method", "code"})
	statements := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "couponql_statements_total", Help: "SQL statements that were run.",
	}, func() float64 { return float64(store.Statements()) })
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "couponql_build_info", Help: "Always 1; the label tells which version runs.", ConstLabels: prometheus.Labels{"version": version()},
	}, func() float64 { return 1 })
	registry.MustRegister(duration, statements, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry, duration
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// A client that went away needs no answer.
	_, _ = fmt.Fprintln(w, text)
}

// withRequestID gives every request an id, which its answer, its errors and the log carry.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		w.Header().Set("X-Request-ID", id)
		next.ServeHTTP(w, r.WithContext(resolvers.WithRequestID(r.Context(), id)))
	})
}

// localOnly refuses requests that name another host than this machine.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if !isLoopback(host) {
			answer(w, http.StatusMisdirectedRequest, "this server answers to loopback addresses only")
			return
		}
		next.ServeHTTP(w, r)
	})
}
