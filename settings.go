package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"couponql/access"
	"couponql/analyst"
	"couponql/coupon"
	"couponql/db"
	"couponql/sender"
)

// serveCommand holds the settings of the server.
type serveCommand struct {
	Config             kong.ConfigFlag `placeholder:"FILE" help:"JSON file of settings, named like the flags. Flags and environment variables take precedence." env:"COUPONQL_CONFIG"`
	PrintConfig        bool            `help:"Print the settings in effect as such a file, without secrets, and exit."`
	Listen             string          `default:"127.0.0.1:8080" help:"Address to listen on. Without API keys, only loopback addresses are allowed." group:"Network and access" env:"COUPONQL_LISTEN"`
	AdminKey           string          `hidden:"" help:"The operator's own API key, with the role ADMIN: at least 32 characters." group:"Network and access" env:"COUPONQL_ADMIN_KEY"`
	RateLimit          int             `default:"1000" placeholder:"COUNT" help:"Maximum requests per second and caller; a key can set its own. 0: no limit. It applies once there are keys." group:"Network and access" env:"COUPONQL_RATE_LIMIT"`
	OIDCIssuer         string          `name:"oidc-issuer" placeholder:"URL" help:"OpenID Connect provider whose tokens are accepted beside API keys." group:"Network and access" env:"COUPONQL_OIDC_ISSUER"`
	OIDCAudience       string          `name:"oidc-audience" placeholder:"NAME" help:"Expected audience of the tokens. Needed with --oidc-issuer." group:"Network and access" env:"COUPONQL_OIDC_AUDIENCE"`
	OIDCRoleClaim      string          `name:"oidc-role-claim" default:"${role_claim}" placeholder:"CLAIM" help:"Claim with the role, or with a list that has it. Dots lead into objects." group:"Network and access" env:"COUPONQL_OIDC_ROLE_CLAIM"`
	CORSOrigins        []string        `name:"cors-origin" placeholder:"ORIGIN" help:"Websites whose pages may use the API, such as https://shop.example.com. Separate several by commas." group:"Network and access" env:"COUPONQL_CORS_ORIGINS"`
	TrustedProxies     []netip.Prefix  `name:"trusted-proxy" placeholder:"PREFIX" help:"Proxies whose X-Forwarded-For, -Proto and -Host headers are trusted, such as 10.0.0.0/8. Separate several by commas." group:"Network and access" env:"COUPONQL_TRUSTED_PROXIES"`
	Introspection      bool            `default:"true" negatable:"" help:"Show the schema to callers. Without it, errors suggest no names either." group:"Network and access" env:"COUPONQL_INTROSPECTION"`
	Console            bool            `default:"true" negatable:"" help:"Serve the console at /console." group:"Network and access" env:"COUPONQL_CONSOLE"`
	Playground         bool            `default:"true" negatable:"" help:"Serve the playground at /. It needs introspection." group:"Network and access" env:"COUPONQL_PLAYGROUND"`
	Data               string          `default:"couponql.duckdb" type:"path" help:"Database file, created if missing. Uploads and exports are kept beside it, in a folder named like it with .files at the end." group:"Data" env:"COUPONQL_DATA"`
	CaseSensitiveCodes bool            `help:"Keep codes apart that differ in case only. Fixed when the database is created." group:"Data" env:"COUPONQL_CASE_SENSITIVE_CODES"`
	MemoryLimit        memorySize      `default:"${memory_limit}" help:"Memory of the database engine before it spills to disk. The server needs 20 to 24 bytes per code in addition." group:"Data" env:"COUPONQL_MEMORY_LIMIT"`
	RetentionDays      int             `default:"0" help:"Erase recipients after this many days without activity, such as 800. 0: never." group:"Data" env:"COUPONQL_RETENTION_DAYS"`
	CutLogAt           *int64          `placeholder:"BYTE" help:"Discard the damaged log of the database from this byte on. A copy is kept. Give only the number that the server named when it refused to start." group:"Data"`
	Timezone           string          `default:"${timezone}" placeholder:"ZONE" help:"Time zone of periods and dates where a request names none, of new coupons too: an IANA name such as Europe/Berlin." group:"Data" env:"COUPONQL_TIMEZONE"`
	Outbox             string          `default:"outbox" type:"path" help:"Folder that messages are written to." group:"Sending" env:"COUPONQL_OUTBOX"`
	DefaultRegion      string          `placeholder:"REGION" help:"Country of phone numbers without a calling code, such as DE. A recipient's own attribute country goes before. Unset: such numbers are sent as they are." group:"Sending" env:"COUPONQL_DEFAULT_REGION"`
	HoldDuration       time.Duration   `default:"${hold_duration}" help:"How long an analyzed delivery holds its codes." group:"Sending" env:"COUPONQL_HOLD_DURATION"`
	SendRate           float64         `default:"0" help:"Maximum messages per second and delivery, such as 50, or 0.2 for one in five seconds. 0: no limit." group:"Sending" env:"COUPONQL_SEND_RATE"`
	SoftBounceLimit    int             `default:"3" help:"How many soft bounces within 90 days, with no delivered message since, quarantine an address: 1 to 100." group:"Sending" env:"COUPONQL_SOFT_BOUNCE_LIMIT"`
	SMTPURL            string          `name:"smtp-url" placeholder:"URL" help:"Mail server that sends EMAIL: smtp://user:password@host:port or smtps://. Its parameter ?tls= is required (the default), optional or off. Prefer the environment: other users of the machine can see flags." group:"Sending" env:"COUPONQL_SMTP_URL"`
	MailFrom           string          `placeholder:"ADDRESS" help:"Sender of mail, such as shop@example.com. Needed with --smtp-url." group:"Sending" env:"COUPONQL_MAIL_FROM"`
	MailHello          string          `placeholder:"NAME" help:"Host name that the server gives to the mail server (EHLO). Unless given: the domain of --mail-from, or the IP address where that has no dot." group:"Sending" env:"COUPONQL_MAIL_HELLO"`
	UnsubscribeURL     string          `name:"unsubscribe-url" placeholder:"URL" help:"Address in the header List-Unsubscribe, https: or mailto:. {recipient} (the external id) and {delivery} are filled in." group:"Sending" env:"COUPONQL_UNSUBSCRIBE_URL"`
	WebhookURL         string          `name:"webhook-url" placeholder:"URL" help:"Address that SMS, PUSH and DIRECT_MAIL messages are posted to. Needs COUPONQL_WEBHOOK_SECRET." group:"Sending" env:"COUPONQL_WEBHOOK_URL"`
	WebhookSecret      string          `hidden:"" help:"Secret that signs requests to the webhook: at least 16 characters." group:"Sending" env:"COUPONQL_WEBHOOK_SECRET"`
	AlertWebhookURL    string          `name:"alert-webhook-url" placeholder:"URL" help:"Address that new alerts are posted to. Needs COUPONQL_ALERT_WEBHOOK_SECRET." group:"Sending" env:"COUPONQL_ALERT_WEBHOOK_URL"`
	AlertWebhookSecret string          `hidden:"" help:"Secret that signs requests to the alert webhook: at least 16 characters." group:"Sending" env:"COUPONQL_ALERT_WEBHOOK_SECRET"`
	EnableSQL          bool            `name:"enable-sql" help:"Enable read-only SQL queries (sql and exportSql) for the roles ADMIN, MARKETER and ANALYST." group:"SQL" env:"COUPONQL_ENABLE_SQL"`
	SQLMaxAge          time.Duration   `name:"sql-max-age" default:"${sql_max_age}" help:"Maximum age of the snapshot that SQL queries read." group:"SQL" env:"COUPONQL_SQL_MAX_AGE"`
	SQLTimeout         time.Duration   `name:"sql-timeout" default:"${sql_timeout}" help:"Time limit of an SQL query, at most 1m." group:"SQL" env:"COUPONQL_SQL_TIMEOUT"`
	SQLMemoryLimit     memorySize      `name:"sql-memory-limit" default:"${sql_memory_limit}" help:"Memory limit of an SQL query, in MB or GB. Two queries run at once." group:"SQL" env:"COUPONQL_SQL_MEMORY_LIMIT"`
	LogLevel           logLevel        `default:"info" placeholder:"LEVEL" help:"Lowest level that is logged: debug (every request), info, warn or error." group:"Logs and traces" env:"COUPONQL_LOG_LEVEL"`
	LogFormat          string          `default:"text" enum:"text,json" help:"Format of the log: text, or json with one object per line." group:"Logs and traces" env:"COUPONQL_LOG_FORMAT"`
	OTLPEndpoint       string          `name:"otlp-endpoint" placeholder:"URL" help:"Collector that traces are sent to, by OTLP over HTTP, such as http://127.0.0.1:4318." group:"Logs and traces" env:"COUPONQL_OTLP_ENDPOINT"`

	// clock is the one that everything that is kept goes by; nil: the machine's.
	clock func() time.Time
	// onReady is told the address of the server instead of whoever watches; nil: nobody is.
	onReady func(url string)
}

// defaults returns the values that the tags of settings name: flags have the defaults of the
// Options they fill.
func defaults() kong.Vars {
	return kong.Vars{
		"role_claim":       access.DefaultRoleClaim,
		"hold_duration":    durationText(db.DefaultHoldDuration),
		"memory_limit":     db.DefaultMemoryLimit,
		"timezone":         db.DefaultTimezone,
		"sql_max_age":      durationText(analyst.DefaultMaxAge),
		"sql_timeout":      durationText(analyst.DefaultTimeout),
		"sql_memory_limit": analyst.DefaultMemoryLimit,
	}
}

// durationText returns a duration as people write it: 24h, not 24h0m0s.
func durationText(d time.Duration) string {
	text := d.String()
	if rest, isWhole := strings.CutSuffix(text, "m0s"); isWhole {
		text = rest + "m"
	}
	if rest, isWhole := strings.CutSuffix(text, "h0m"); isWhole {
		text = rest + "h"
	}
	return text
}

// senders returns the senders of channels that do not go to the outbox, and what ends their
// connections. log is told what they learn; nil: nobody is.
func (c *serveCommand) senders(log *slog.Logger) (
	chosen map[coupon.Channel]sender.Sender, closeAll func(), err error,
) {
	chosen = map[coupon.Channel]sender.Sender{}
	var closers []func()
	switch {
	case c.SMTPURL != "" && c.MailFrom == "":
		return nil, nil, errors.New(
			"--smtp-url: --mail-from is needed too: the sender, such as \"Shop <shop@example.com>\"",
		)
	case c.SMTPURL == "" && (c.MailFrom != "" || c.UnsubscribeURL != "" || c.MailHello != ""):
		return nil, nil,
			errors.New("--mail-from, --mail-hello and --unsubscribe-url need --smtp-url")
	case (c.WebhookURL == "") != (c.WebhookSecret == ""):
		return nil, nil,
			errors.New("--webhook-url and the environment variable COUPONQL_WEBHOOK_SECRET need each other")
	}
	if c.SMTPURL != "" {
		mail, err := sender.NewSMTP(&sender.SMTPOptions{
			URL: c.SMTPURL, From: c.MailFrom, HelloName: c.MailHello,
			UnsubscribeURL: c.UnsubscribeURL, Log: log,
		})
		if err != nil {
			return nil, nil,
				fmt.Errorf("--smtp-url, --mail-from, --mail-hello, --unsubscribe-url: %w", err)
		}
		chosen[coupon.ChannelEmail] = mail
		closers = append(closers, mail.Close)
	}
	if c.WebhookURL != "" {
		webhook, err := sender.NewWebhook(c.WebhookURL, c.WebhookSecret, log)
		if err != nil {
			return nil, nil, fmt.Errorf("--webhook-url: %w", err)
		}
		for _, channel := range []coupon.Channel{
			coupon.ChannelSMS, coupon.ChannelPush, coupon.ChannelDirectMail,
		} {
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

// alerts returns the webhook that is told of alerts; nil when there is none. log is told what it
// learns; nil: nobody is.
func (c *serveCommand) alerts(log *slog.Logger) (*sender.Webhook, error) {
	if (c.AlertWebhookURL == "") != (c.AlertWebhookSecret == "") {
		return nil, errors.New("--alert-webhook-url and the environment variable COUPONQL_ALERT_WEBHOOK_SECRET need each other")
	}
	if c.AlertWebhookURL == "" {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	webhook, err := sender.NewWebhook(c.AlertWebhookURL, c.AlertWebhookSecret, log)
	if err != nil {
		return nil, fmt.Errorf("--alert-webhook-url: %w", err)
	}
	return webhook, nil
}

// check refuses settings that are unsafe or make no sense.
func (c *serveCommand) check(ctx context.Context) error {
	if err := checkAddress(ctx, c.Listen); err != nil {
		return err
	}
	for _, place := range []struct{ flag, path, example string }{
		{"--data", c.Data, "couponql.duckdb"}, {"--outbox", c.Outbox, "outbox"},
	} {
		if place.path == "" {
			return fmt.Errorf("%s: must not be empty; give a path, such as %s", place.flag,
				place.example)
		}
	}
	if c.CutLogAt != nil && *c.CutLogAt < 0 {
		return fmt.Errorf(
			"--cut-log-at=%d: must be the byte that the server said when it refused to start",
			*c.CutLogAt,
		)
	}
	if c.RateLimit < 0 {
		return fmt.Errorf("--rate-limit=%d: must be 0 (no limit) or more", c.RateLimit)
	}
	if _, err := coupon.LoadZone(c.Timezone); err != nil {
		return fmt.Errorf("--timezone=%s: must be an IANA name such as Europe/Berlin", c.Timezone)
	}
	if c.OIDCIssuer == "" && c.OIDCAudience != "" {
		return errors.New("--oidc-audience needs --oidc-issuer")
	}
	for _, origin := range c.CORSOrigins {
		if address, err := url.Parse(origin); err != nil || address.Host == "" ||
			origin != address.Scheme+"://"+address.Host {
			return fmt.Errorf(
				"--cors-origin=%s: must be a scheme and a host, such as https://shop.example.com", origin,
			)
		}
	}
	if err := c.checkSending(); err != nil {
		return err
	}
	if c.RetentionDays < 0 || c.RetentionDays > maxRetentionDays {
		return fmt.Errorf("--retention-days=%d: must be 0 (for ever) to %d", c.RetentionDays,
			maxRetentionDays)
	}
	if c.SQLMaxAge <= 0 {
		return fmt.Errorf("--sql-max-age=%s: must be more than 0", c.SQLMaxAge)
	}
	if c.SQLTimeout <= 0 || c.SQLTimeout > time.Minute {
		return fmt.Errorf("--sql-timeout=%s: must be more than 0 and at most 1m, which every query of GraphQL may take", c.SQLTimeout)
	}
	return nil
}

// checkSending refuses settings of sending that make no sense.
func (c *serveCommand) checkSending() error {
	if c.HoldDuration <= 0 {
		return fmt.Errorf("--hold-duration=%s: must be more than 0", c.HoldDuration)
	}
	if c.SoftBounceLimit < 1 || c.SoftBounceLimit > coupon.MaxSoftBounceLimit {
		return fmt.Errorf("--soft-bounce-limit=%d: must be 1 to %d", c.SoftBounceLimit,
			coupon.MaxSoftBounceLimit)
	}
	region, isKnown := coupon.CanonicalRegion(c.DefaultRegion)
	if !isKnown {
		return fmt.Errorf("--default-region=%s: must be a country with phone numbers, in the two letters of ISO 3166, such as DE", c.DefaultRegion)
	}
	c.DefaultRegion = region
	return checkSendRate(c.SendRate)
}

// checkSendRate refuses a rate that is none.
func checkSendRate(rate float64) error {
	if rate != 0 && !(rate >= coupon.MinSendRate && rate <= coupon.MaxSendRate) {
		return fmt.Errorf("--send-rate=%g: must be 0 (no limit) or %g to %d", rate,
			coupon.MinSendRate, coupon.MaxSendRate)
	}
	return nil
}

// logLevel is the lowest level that is logged.
type logLevel struct{ slog.Level }

// UnmarshalText reads a flag.
func (l *logLevel) UnmarshalText(text []byte) error {
	if err := l.Level.UnmarshalText(text); err != nil {
		return fmt.Errorf("must be debug, info, warn or error, not %q", text)
	}
	return nil
}

// memorySize is how much memory something may take, as the engine reads it.
type memorySize string

// UnmarshalText reads a flag.
func (m *memorySize) UnmarshalText(text []byte) error {
	if _, err := analyst.ParseBytes(string(text)); err != nil {
		return err
	}
	*m = memorySize(text)
	return nil
}

// bytes returns the size in bytes.
func (m memorySize) bytes() uint64 {
	// It was read before.
	size, _ := analyst.ParseBytes(string(m))
	return size
}

// maxRetentionDays is a hundred years.
const maxRetentionDays = 36_500

// settingsFile gives the settings of a file: one JSON object, whose members are named like the
// flags of serve, without the dashes before. Flags and environment variables go before it.
type settingsFile map[string]any

var _ kong.Resolver = settingsFile{}

// readSettings reads a file of settings.
func readSettings(file io.Reader) (kong.Resolver, error) {
	settings := settingsFile{}
	if err := json.NewDecoder(file).Decode(&settings); err != nil {
		return nil, fmt.Errorf("the settings are not one JSON object: %w", err)
	}
	return settings, nil
}

// Validate refuses what is no setting: a word that is spelled wrong must not be a setting that is
// not made.
func (s settingsFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, node := range app.Children {
		if node.Name == "serve" {
			for _, flag := range node.Flags {
				known[flag.Name] = true
			}
		}
	}
	for name := range s {
		if !known[name] {
			return fmt.Errorf("%q is not a setting; couponql serve --help lists them", name)
		}
	}
	return nil
}

// Resolve returns the value of a flag, nil where the file has none or the environment one that goes
// before it.
func (s settingsFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if slices.ContainsFunc(flag.Envs,
		func(name string) bool { _, isSet := os.LookupEnv(name); return isSet }) {
		return nil, nil //nolint:nilnil // that is how kong wants it
	}
	return s[flag.Name], nil
}

// printSettings writes the settings of a command as settingsFile reads them. Of what is secret it
// tells only whether it is set.
func printSettings(out io.Writer, flags []*kong.Flag) error {
	settings := map[string]any{}
	for _, flag := range flags {
		switch flag.Name {
		case "help", "config", "print-config":
			continue
		}
		if flag.Target.Kind() == reflect.Pointer && flag.Target.IsNil() {
			// Nobody set it, and there is no value that says so.
			continue
		}
		target := reflect.Indirect(flag.Target)
		var value any = fmt.Sprint(target.Interface())
		if _, isDuration := reflect.TypeAssert[time.Duration](target); (target.CanInt() ||
			target.CanFloat()) && !isDuration {
			value = target.Interface()
		}
		if flag.IsSlice() {
			value = strings.Join(
				strings.Fields(strings.Trim(fmt.Sprint(flag.Target.Interface()), "[]")), ",",
			)
		}
		if flag.IsBool() {
			value = flag.Target.Bool()
		}
		if text, isText := value.(string); isText && text != "" {
			if strings.HasSuffix(flag.Name, "secret") || strings.HasSuffix(flag.Name, "key") {
				value = "xxxxx"
			} else if address, err := url.Parse(text); err == nil && address.User != nil {
				value = address.Redacted()
			}
		}
		settings[flag.Name] = value
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(settings); err != nil {
		return fmt.Errorf("print the settings: %w", err)
	}
	return nil
}
