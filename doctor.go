package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"couponql/client"
	"couponql/command"
	"couponql/coupon"
	"couponql/doctor"
	"couponql/sender"
)

// doctorCommand looks whether a server with these settings is, or will be, well.
type doctorCommand struct {
	serveCommand

	URL  string `name:"url" placeholder:"URL" help:"The running server with these settings. Unless given, the server must be stopped: its database is opened."`
	Key  string `name:"key" env:"COUPONQL_KEY"  help:"API key of that server. Prefer the environment: other users of the machine can see flags."`
	JSON bool   `name:"json" help:"Write the findings as JSON to standard output, for programs."`
}

// Help is what --help says beside the flags.
func (*doctorCommand) Help() string {
	return `Give the flags, environment and --config of the server. Nothing is changed, and nothing is sent: webhooks are only connected to, and a
mail server is taken through EHLO, TLS, the login and MAIL FROM, as for a mail.

Exit codes: 0 all is well, or there are warnings only; 1 something failed; 2 wrong usage.`
}

// Run checks, and writes one line a check to standard output.
func (c *doctorCommand) Run(ctx context.Context, parsed *kong.Context) error {
	if c.PrintConfig {
		return printSettings(os.Stdout, parsed.Selected().Flags)
	}
	report := &doctor.Report{}
	c.examine(ctx, report)
	write := report.Write
	if c.JSON {
		write = report.WriteJSON
	}
	if err := write(os.Stdout); err != nil {
		return err
	}
	if report.HasFailed() {
		return command.ExitError(1)
	}
	return nil
}

// examine makes every check.
func (c *doctorCommand) examine(ctx context.Context, report *doctor.Report) {
	var zones []string
	var sizeBytes uint64
	needs := doctor.MemoryNeeds{Engine: c.MemoryLimit.bytes()}
	if c.EnableSQL {
		needs.SQL = c.SQLMemoryLimit.bytes()
	}
	if c.URL != "" {
		report.Server(ctx, client.New(c.URL, c.Key), version())
	} else if found := report.Database(ctx, c.Data, string(c.MemoryLimit)); found != nil {
		zones, sizeBytes, needs.Codes = found.Timezones, found.SizeBytes, found.CodeCount
	}
	report.Disk(c.Data, sizeBytes)
	report.Files(c.Data, c.Outbox)
	report.Memory(needs)
	report.Timezones(zones)
	c.examineSenders(ctx, report)
}

// examineSenders checks the settings, and whether what they name can be reached.
func (c *doctorCommand) examineSenders(ctx context.Context, report *doctor.Report) {
	err := c.check(ctx)
	senders, closeSenders, ofSenders := c.senders(nil)
	alerts, ofAlerts := c.alerts(nil)
	report.Settings(errors.Join(err, ofSenders, ofAlerts), c.oddities())
	if ofSenders == nil {
		defer closeSenders()
		if mail, isMail := senders[coupon.ChannelEmail].(*sender.SMTP); isMail {
			report.Reach(ctx, "mail", mail.Reach)
		}
		// The other channels share it.
		if webhook, isWebhook := senders[coupon.ChannelSMS].(*sender.Webhook); isWebhook {
			report.Reach(ctx, "webhook", webhook.Reach)
		}
	}
	if ofAlerts == nil && alerts != nil {
		report.Reach(ctx, "alerts", alerts.Reach)
	}
}

// oddities returns what is allowed and probably not meant.
func (c *doctorCommand) oddities() []string {
	var odd []string
	if c.Playground && !c.Introspection {
		odd = append(odd, "The playground needs introspection: give --no-playground too.")
	}
	if strings.HasSuffix(c.SMTPURL, "tls=off") {
		odd = append(odd, "--smtp-url: mail and codes go out in the clear (tls=off).")
	}
	for _, hook := range []struct{ flag, url string }{
		{"--webhook-url", c.WebhookURL}, {"--alert-webhook-url", c.AlertWebhookURL}, {"--oidc-issuer", c.OIDCIssuer}, {"--otlp-endpoint", c.OTLPEndpoint},
	} {
		if address, err := url.Parse(hook.url); err == nil && address.Scheme == "http" && !isLoopback(address.Hostname()) {
			odd = append(odd, hook.flag+": what is sent can be read, and answers changed, on their way; use https.")
		}
	}
	return odd
}
