package command

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"couponql/client"
	"couponql/coupon"
)

// Key manages the keys of a running server.
type Key struct {
	Create keyCreator `cmd:"" help:"Create a key and write its token to standard output. The first one ends open access."`
	List   keyLister  `cmd:"" help:"List the keys."`
	Revoke keyRevoker `cmd:"" help:"Revoke a key at once and for good."`
}

// keyCreator is the command that creates a key.
type keyCreator struct {
	addressFlag

	Label             string   `help:"What the key is for."                                                                   required:"true"`
	Role              role     `help:"What its holder may do: admin, marketer, analyst, redeemer, reporter or claimer. The first key is an admin's." placeholder:"ROLE" required:"true"`
	Expires           lifetime `help:"When it expires, such as 90d or 12h from now, or 2027-01-31. Unless given, never."  placeholder:"TIME"`
	RequestsPerSecond int      `help:"Maximum requests per second. Unless given, the server's own limit." placeholder:"COUNT"`
}

// role is a Role of the schema.
type role string

// UnmarshalText reads a flag.
func (r *role) UnmarshalText(word []byte) error {
	return choose(word, (*coupon.Role)(r), coupon.Roles()...)
}

// lifetime is the end of a key as DateTime has it.
type lifetime string

// UnmarshalText reads a flag: a time from now, in days or as Go writes durations, or a date.
func (l *lifetime) UnmarshalText(given []byte) error {
	words := string(given)
	if days, isDays := strings.CutSuffix(words, "d"); isDays {
		count, err := strconv.Atoi(days)
		if err != nil || count < 1 {
			return fmt.Errorf("%q is not a number of days such as 90d", words)
		}
		*l = lifetime(time.Now().UTC().AddDate(0, 0, count).Format(time.RFC3339))
		return nil
	}
	if duration, err := time.ParseDuration(words); err == nil {
		*l = lifetime(time.Now().UTC().Add(duration).Format(time.RFC3339))
		return nil
	}
	if _, err := coupon.DateTime(words).Start(time.UTC); err != nil {
		return fmt.Errorf("%q is not a time: give 90d, 12h, a date such as 2027-01-31, or a date and time as RFC 3339 has it", words)
	}
	*l = lifetime(words)
	return nil
}

// Validate refuses what makes no sense before anything is asked.
func (k *keyCreator) Validate() error { return k.check() }

// Run creates the key.
func (k *keyCreator) Run(ctx context.Context, console *Console) error {
	in := map[string]any{"label": k.Label, "role": k.Role}
	putText(in, "expiresAt", k.Expires)
	if k.RequestsPerSecond != 0 {
		in["requestsPerSecond"] = k.RequestsPerSecond
	}
	var answer struct {
		CreateAPIKey struct {
			APIKey struct{ ID, Label string }
			Token  string
		} `json:"createApiKey"`
	}
	if err := client.New(k.URL, k.Key).Do(ctx, keyCreate, client.Input(in), &answer); err != nil {
		return console.failed(ctx, err)
	}
	// Only the token goes to standard output, so that a script can keep it.
	if _, err := fmt.Fprintln(console.out, answer.CreateAPIKey.Token); err != nil {
		return fmt.Errorf("write the token: %w", err)
	}
	made := answer.CreateAPIKey.APIKey
	_, err := fmt.Fprintf(
		console.err, "created %s %q: keep the token like a password, nobody can ask for it again\n",
		made.ID, printable(made.Label),
	)
	return err
}

// keyLister is the command that lists keys.
type keyLister struct{ addressFlag }

// Validate refuses what makes no sense before anything is asked.
func (k *keyLister) Validate() error { return k.check() }

// listed is a key as the server lists it.
type listed struct {
	ID, Label, Role                  string
	CreatedAt                        string
	ExpiresAt, LastUsedAt, RevokedAt *string
	IsWorking                        bool
}

// row returns the cells of the key in a table.
func (k *listed) row() table.Row {
	state := "works"
	switch {
	case k.RevokedAt != nil:
		state = "revoked"
	case !k.IsWorking:
		state = "expired"
	}
	cell := func(at *string) string {
		if at == nil {
			return "never"
		}
		return *at
	}
	return table.Row{
		k.ID, printable(k.Label), k.Role, state, k.CreatedAt, cell(k.ExpiresAt), cell(k.LastUsedAt),
	}
}

// Run lists the keys, newest first.
func (k *keyLister) Run(ctx context.Context, console *Console) error {
	keys := table.NewWriter()
	keys.SetStyle(table.StyleLight)
	keys.Style().Format.Header = text.FormatDefault
	keys.AppendHeader(table.Row{"id", "label", "role", "state", "created", "expires", "last used"})
	for after := (*string)(nil); ; {
		var answer struct {
			APIKeys struct {
				Nodes    []listed
				PageInfo struct {
					HasNextPage bool
					EndCursor   *string
				}
			} `json:"apiKeys"`
		}
		if err := client.New(k.URL, k.Key).Do(ctx, keyList, client.Variables{"after": after},
			&answer); err != nil {
			return console.failed(ctx, err)
		}
		for i := range answer.APIKeys.Nodes {
			keys.AppendRow(answer.APIKeys.Nodes[i].row())
		}
		if after = answer.APIKeys.PageInfo.EndCursor; !answer.APIKeys.PageInfo.HasNextPage {
			break
		}
	}
	_, err := fmt.Fprintln(console.out, keys.Render())
	return err
}

// keyRevoker is the command that revokes a key.
type keyRevoker struct {
	addressFlag

	ID string `arg:"" help:"The key, such as key_17."`
}

// Validate refuses what makes no sense before anything is asked.
func (k *keyRevoker) Validate() error { return k.check() }

// Run revokes the key.
func (k *keyRevoker) Run(ctx context.Context, console *Console) error {
	if err := client.New(k.URL, k.Key).Do(ctx, keyRevoke, client.Input(map[string]any{"id": k.ID}),
		nil); err != nil {
		return console.failed(ctx, err)
	}
	_, err := fmt.Fprintf(console.err, "revoked %s\n", printable(k.ID))
	return err
}

// failed tells what the server has against a command, and gives the error that ends it.
func (c *Console) failed(ctx context.Context, err error) error {
	message := err.Error()
	if refused, ok := errors.AsType[*client.UserError](err); ok {
		message = refused.Message
	} else if refused, ok := errors.AsType[*client.Error](err); ok {
		message = refused.Message
	}
	if ctx.Err() != nil {
		message = "interrupted"
	}
	c.complainf("%s", message)
	return exit(codeOf(ctx))
}
