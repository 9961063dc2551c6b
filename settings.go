package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
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
	Config             kong.ConfigFlag `placeholder:"FILE" help:"JSON file of settings, named like the flags, which go before it as the environment does." env:"COUPONQL_CONFIG"`
	PrintConfig        bool            `help:"Print the settings as such a file, without secrets, and exit."`
	Listen             string          `default:"127.0.0.1:8080" help:"Address to listen on. Without keys only loopback addresses are allowed." env:"COUPONQL_LISTEN"`
	AdminKey           string          `hidden:"" env:"COUPONQL_ADMIN_KEY"`
	OIDCIssuer         string          `name:"oidc-issuer" placeholder:"URL" help:"Identity provider (OpenID Connect) whose tokens let in too." env:"COUPONQL_OIDC_ISSUER"`
	OIDCAudience       string          `name:"oidc-audience" placeholder:"NAME" help:"Whom its tokens must be for; needed with --oidc-issuer." env:"COUPONQL_OIDC_AUDIENCE"`
	OIDCRoleClaim      string          `name:"oidc-role-claim" default:"${role_claim}" placeholder:"CLAIM" help:"Claim that has the role, or a list with it; dots lead into objects." env:"COUPONQL_OIDC_ROLE_CLAIM"`
	RateLimit          int             `default:"1000" placeholder:"COUNT" help:"Requests a second of each caller that are answered, unless a key says otherwise; 0: no limit. There is none while there are no keys." env:"COUPONQL_RATE_LIMIT"`
	CORSOrigins        []string        `name:"cors-origin" placeholder:"ORIGIN" help:"Sites whose pages may use the API, such as https://shop.example.com. Others' pages may not." env:"COUPONQL_CORS_ORIGINS"`
	TrustedProxies     []netip.Prefix  `name:"trusted-proxy" placeholder:"PREFIX" help:"Proxies that tell truly where requests come from (X-Forwarded-For, -Proto, -Host), such as 10.0.0.0/8." env:"COUPONQL_TRUSTED_PROXIES"`
	Data               string          `default:"couponql.duckdb" help:"Database file; made when it does not exist." type:"path" env:"COUPONQL_DATA"`
	CutLogAt           *int64          `placeholder:"BYTE" help:"Start without what the damaged log of the database has behind this byte, and lose it: as the server said when it refused to start. What is cut off is kept beside the database."`
	Outbox             string          `default:"outbox" help:"Folder that messages are written to." type:"path" env:"COUPONQL_OUTBOX"`
	HoldDuration       time.Duration   `default:"${hold_duration}" help:"How long an analyzed delivery keeps its codes." env:"COUPONQL_HOLD_DURATION"`
	SMTPURL            string          `name:"smtp-url" placeholder:"URL" help:"Mail server that sends EMAIL: smtp://user:password@host:port, or smtps://. Its parameter ?tls= is required (the default), optional or off. Better given by the environment: flags are seen by other users of the machine." env:"COUPONQL_SMTP_URL"`
	MailFrom           string          `placeholder:"ADDRESS" help:"Sender of mail, such as shop@example.com; needed with --smtp-url." env:"COUPONQL_MAIL_FROM"`
	UnsubscribeURL     string          `name:"unsubscribe-url" placeholder:"URL" help:"Address in the header List-Unsubscribe, https: or mailto:, with {recipient} and {delivery} filled in." env:"COUPONQL_UNSUBSCRIBE_URL"`
	WebhookURL         string          `name:"webhook-url" placeholder:"URL" help:"Address that SMS, PUSH and DIRECT_MAIL messages are posted to, signed with the secret in the environment variable COUPONQL_WEBHOOK_SECRET." env:"COUPONQL_WEBHOOK_URL"`
	WebhookSecret      string          `hidden:"" env:"COUPONQL_WEBHOOK_SECRET"`
	AlertWebhookURL    string          `name:"alert-webhook-url" placeholder:"URL" help:"Address that is told when an alert begins, signed with the secret in the environment variable COUPONQL_ALERT_WEBHOOK_SECRET." env:"COUPONQL_ALERT_WEBHOOK_URL"`
	AlertWebhookSecret string          `hidden:"" env:"COUPONQL_ALERT_WEBHOOK_SECRET"`
	SendRate           int             `default:"0" help:"Most messages a second that each delivery hands over; 0: no limit." env:"COUPONQL_SEND_RATE"`
	RetentionDays      int             `default:"0" help:"Erase recipients of whom nothing was heard for so many days, such as 800; 0: never." env:"COUPONQL_RETENTION_DAYS"`
	MemoryLimit        string          `default:"${memory_limit}" help:"Memory that the database engine may take." env:"COUPONQL_MEMORY_LIMIT"`
	LogLevel           slog.Level      `default:"info" placeholder:"LEVEL" help:"What is logged: debug (every request), info, warn or error." env:"COUPONQL_LOG_LEVEL"`
	LogFormat          string          `default:"text" enum:"text,json" help:"How: text or json." env:"COUPONQL_LOG_FORMAT"`
	OTLPEndpoint       string          `name:"otlp-endpoint" placeholder:"URL" help:"Collector that traces are sent to, by OpenTelemetry's OTLP over HTTP, such as http://127.0.0.1:4318." env:"COUPONQL_OTLP_ENDPOINT"`
	Introspection      bool            `default:"true" negatable:"" help:"Tell the schema to who asks; without it errors suggest no names either." env:"COUPONQL_INTROSPECTION"`
	Playground         bool            `default:"true" negatable:"" help:"Serve the playground at /; it needs introspection." env:"COUPONQL_PLAYGROUND"`
	EnableSQL          bool            `name:"enable-sql" help:"Let all roles but REDEEMER ask in SQL, read-only (the field sql, and exportSql)." env:"COUPONQL_ENABLE_SQL"`
	SQLMaxAge          time.Duration   `name:"sql-max-age" default:"${sql_max_age}" help:"How old the snapshot may be that SQL is asked of." env:"COUPONQL_SQL_MAX_AGE"`
	SQLTimeout         time.Duration   `name:"sql-timeout" default:"${sql_timeout}" help:"How long an SQL query may take, up to 1m." env:"COUPONQL_SQL_TIMEOUT"`
	SQLMemoryLimit     string          `name:"sql-memory-limit" default:"${sql_memory_limit}" help:"Memory that one SQL query may take, in MB or GB; two run at once." env:"COUPONQL_SQL_MEMORY_LIMIT"`
	CaseSensitiveCodes bool            `help:"Keep codes apart that differ in case only. Fixed when the database is made." env:"COUPONQL_CASE_SENSITIVE_CODES"`
}

// defaults returns the values that the tags of settings name: flags have the defaults of the Options they fill.
func defaults() kong.Vars {
	return kong.Vars{
		"role_claim":       access.DefaultRoleClaim,
		"hold_duration":    durationText(db.DefaultHoldDuration),
		"memory_limit":     db.DefaultMemoryLimit,
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

// settingsFile gives the settings of a file: one JSON object, whose members are named like the flags of serve, without
// the dashes before. Flags and environment variables go before it.
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

// Validate refuses what is no setting: a word that is spelled wrong must not be a setting that is not made.
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

// Resolve gives the value of a flag, nil where the file has none or the environment one that goes before it.
func (s settingsFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if slices.ContainsFunc(flag.Envs, func(name string) bool { _, isSet := os.LookupEnv(name); return isSet }) {
		return nil, nil //nolint:nilnil // that is how kong wants it
	}
	return s[flag.Name], nil
}

// printSettings writes the settings of a command as settingsFile reads them. Of what is secret it tells only whether it
// is set.
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
		var value any = fmt.Sprint(reflect.Indirect(flag.Target).Interface())
		if flag.IsSlice() {
			value = strings.Join(strings.Fields(strings.Trim(fmt.Sprint(flag.Target.Interface()), "[]")), ",")
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
