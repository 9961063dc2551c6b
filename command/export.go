package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"couponql/client"
	"couponql/coupon"
)

// Export fetches files from a running server.
type Export struct {
	Codes       exportCodes       `cmd:"" help:"Export the codes of coupons."`
	Coupons     exportCoupons     `cmd:"" help:"Export coupons."`
	Deliveries  exportDeliveries  `cmd:"" help:"Export deliveries."`
	Messages    exportMessages    `cmd:"" help:"Export the messages of a delivery."`
	Recipients  exportRecipients  `cmd:"" help:"Export recipients."`
	Redemptions exportRedemptions `cmd:"" help:"Export redemptions."`
}

// exportFlags are common to all exports.
type exportFlags struct {
	serverFlags

	Output          string     `default:"-" help:"The file to write; - is standard output."                                      placeholder:"FILE" short:"o" type:"path"`
	Format          fileFormat `help:"Format of the file: csv, xml, jsonl or parquet. Unless given, by the ending of the file's name, or csv." placeholder:"FORMAT"`
	SpreadsheetSafe bool       `help:"Write text that a spreadsheet would take for a formula so that it does not."`
}

// Help is what --help says beside the flags.
func (*exportFlags) Help() string { return exitHelp }

// Validate refuses what makes no sense before anything is asked.
func (f *exportFlags) Validate() error {
	if err := f.check(); err != nil {
		return err
	}
	if f.Output == standardStream && f.JSON {
		return errors.New("--output=- and --json both write to standard output")
	}
	return f.checkNew("--output", f.Output)
}

// input returns what all exports are asked with, but for what is wanted.
func (f *exportFlags) input() map[string]any {
	format := f.Format
	if format == "" {
		// An ending that names no format leaves it to the server.
		_ = format.UnmarshalText([]byte(strings.TrimPrefix(filepath.Ext(f.Output), ".")))
	}
	in := map[string]any{}
	putText(in, "format", format)
	if f.SpreadsheetSafe {
		in["isSpreadsheetSafe"] = true
	}
	return in
}

// exportCodes is the command of that name, as are the following.
type exportCodes struct {
	exportFlags

	Coupon   []string     `help:"The coupon whose codes are wanted: its id, such as coupon_17, or its code; may be repeated. Unless given: all." placeholder:"ID-OR-CODE" sep:"none"`
	Status   []codeStatus `help:"Only codes in one of these statuses: available, assigned, redeemed, expired, voided."`
	Label    []string     `help:"Only codes with this label; may be repeated."                                                             sep:"none"`
	Import   string       `help:"Only codes that this import brought."                                                                     placeholder:"ID"`
	Delivery string       `help:"Only codes that this delivery gave away."                                                                 placeholder:"ID"`
	Prefix   string       `help:"Only codes that begin like this." placeholder:"TEXT"`
}

// Run exports the codes.
func (c *exportCodes) Run(ctx context.Context, console *Console) error {
	e := newExporter(console, &c.exportFlags, codeExport)
	ids, err := e.findCoupons(ctx, c.Coupon)
	if err != nil {
		return e.giveUp(ctx, err)
	}
	if len(ids) == 1 {
		e.input["couponId"] = ids[0]
	} else {
		putList(e.input, "couponIds", ids)
	}
	filter := map[string]any{}
	putList(filter, "status", c.Status)
	putList(filter, "label", c.Label)
	putText(filter, "importId", c.Import)
	putText(filter, "deliveryId", c.Delivery)
	putText(filter, "valuePrefix", c.Prefix)
	e.input["filter"] = filter
	return e.run(ctx)
}

type exportMessages struct {
	exportFlags

	Delivery string `help:"The delivery whose messages are wanted, such as delivery_3." placeholder:"ID" required:"true"`
}

// Run exports the messages.
func (c *exportMessages) Run(ctx context.Context, console *Console) error {
	e := newExporter(console, &c.exportFlags, messageExport)
	e.input["deliveryId"] = c.Delivery
	return e.run(ctx)
}

type exportRedemptions struct {
	exportFlags

	Coupon   []string  `help:"Only of this coupon, by its id or code; may be repeated."                    placeholder:"ID-OR-CODE" sep:"none"`
	Delivery []string  `help:"Only of codes that this delivery gave away; may be repeated."                placeholder:"ID"`
	Channel  []channel `help:"Only of codes that were sent over one of these: email, sms, push, direct-mail."`
	Label    []string  `help:"Only of codes with this label; may be repeated."                             sep:"none"`
	From     string    `help:"Only what happened at this instant or later, such as 2026-11-24." placeholder:"TIME"`
	To       string    `help:"Only what happened before this instant." placeholder:"TIME"`
	Store    string    `help:"Only what was redeemed at this shop, till or site." placeholder:"TEXT"`
	Customer string    `help:"Only what this customer redeemed." placeholder:"TEXT"`
}

// Run exports the redemptions.
func (c *exportRedemptions) Run(ctx context.Context, console *Console) error {
	e := newExporter(console, &c.exportFlags, redemptionExport)
	filter := map[string]any{}
	ids, err := e.findCoupons(ctx, c.Coupon)
	if err != nil {
		return e.giveUp(ctx, err)
	}
	putList(filter, "couponIds", ids)
	putList(filter, "deliveryIds", c.Delivery)
	putList(filter, "channels", c.Channel)
	putList(filter, "labels", c.Label)
	putText(filter, "from", c.From)
	putText(filter, "to", c.To)
	putText(filter, "store", c.Store)
	putText(filter, "customer", c.Customer)
	e.input["filter"] = filter
	return e.run(ctx)
}

type exportCoupons struct {
	exportFlags

	Status []couponStatus `help:"Only coupons in one of these statuses: scheduled, active, expired, archived."`
	Search string         `help:"Only coupons with this in their label or code." placeholder:"TEXT"`
	Codes  bool           `help:"Have the codes of each coupon in its element: all in one file of XML."`
}

// Run exports the coupons.
func (c *exportCoupons) Run(ctx context.Context, console *Console) error {
	e := newExporter(console, &c.exportFlags, couponExport)
	filter := map[string]any{}
	putList(filter, "status", c.Status)
	putText(filter, "search", c.Search)
	e.input["filter"] = filter
	if c.Codes {
		e.input["withCodes"] = true
		if e.input["format"] == nil {
			e.input["format"] = "XML"
		}
	}
	return e.run(ctx)
}

type exportRecipients struct {
	exportFlags

	Search     string   `help:"Only people with this in their external id, address or name." placeholder:"TEXT"`
	ExternalID []string `help:"Only the person with this external id; may be repeated."          placeholder:"ID" sep:"none"`
}

// Run exports the recipients.
func (c *exportRecipients) Run(ctx context.Context, console *Console) error {
	e := newExporter(console, &c.exportFlags, recipientExport)
	filter := map[string]any{}
	putText(filter, "search", c.Search)
	putList(filter, "externalIds", c.ExternalID)
	e.input["filter"] = filter
	return e.run(ctx)
}

type exportDeliveries struct {
	exportFlags

	Status []deliveryStatus `help:"Only deliveries in one of these statuses: editing, ready, scheduled, in-progress, paused, finished, stopped, failed."`
	Coupon string           `help:"Only deliveries that hand out this coupon, by its id or code." placeholder:"ID-OR-CODE"`
}

// Run exports the deliveries.
func (c *exportDeliveries) Run(ctx context.Context, console *Console) error {
	e := newExporter(console, &c.exportFlags, deliveryExport)
	putList(e.input, "status", c.Status)
	if c.Coupon != "" {
		id, err := e.findCoupon(ctx, c.Coupon)
		if err != nil {
			return e.giveUp(ctx, err)
		}
		e.input["couponId"] = id
	}
	return e.run(ctx)
}

// exporter exports one file.
type exporter struct {
	*session

	flags *exportFlags
	// operation is the mutation that begins the export, and input what it is asked with.
	operation string
	input     map[string]any
}

func newExporter(console *Console, flags *exportFlags, operation string) *exporter {
	return &exporter{newSession(console, flags.serverFlags), flags, operation, flags.input()}
}

// findCoupons returns the ids of coupons that are named by id or code.
func (e *exporter) findCoupons(ctx context.Context, idsOrCodes []string) ([]string, error) {
	ids := make([]string, len(idsOrCodes))
	for i, idOrCode := range idsOrCodes {
		var err error
		if ids[i], err = e.findCoupon(ctx, idOrCode); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// giveUp tells of an error.
func (e *exporter) giveUp(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	e.complainf("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	return exit(codeOf(ctx))
}

// run exports the file and tells what is in it.
func (e *exporter) run(ctx context.Context) error {
	done, err := e.fetchExport(ctx)
	if err != nil {
		return e.giveUp(ctx, err)
	}
	switch {
	case e.flags.JSON:
		err = e.writeJSON(done.raw)
	case !e.flags.Quiet:
		verified := ""
		if done.Verified != nil {
			// The check of what the server keeps in memory says nothing of a file, and those that only warn refuse none.
			verified = ", verified: it was read again, and keeps every promise that integrityReport checks in a file"
		}
		_, err = fmt.Fprintf(e.err, "%s: %d rows, %.0f bytes%s\n", printable(done.name), done.RowCount, done.ByteCount, verified)
	}
	if err != nil {
		return e.giveUp(ctx, err)
	}
	return nil
}

// exported is what the server says of an export.
type exported struct {
	raw  json.RawMessage
	name string

	Status    coupon.ImportStatus `json:"status"`
	RowCount  int                 `json:"rowCount"`
	ByteCount float64             `json:"byteCount"`
	Progress  float64             `json:"progress"`
	URL       *string             `json:"url"`
	Verified  *string             `json:"verifiedAt"`
	Failure   *string             `json:"failure"`
}

// fetchExport has the file made, and fetches it.
func (e *exporter) fetchExport(ctx context.Context) (*exported, error) {
	id, err := e.begin(ctx)
	if err != nil {
		return nil, err
	}
	done, err := e.followExport(ctx, id)
	switch {
	case err != nil:
		return nil, fmt.Errorf("follow %s: %w", id, err)
	case done.Failure != nil:
		return nil, fmt.Errorf("%s is %s: %s", id, done.Status, *done.Failure)
	case done.Status != coupon.ImportSucceeded || done.URL == nil:
		return nil, fmt.Errorf("%s is %s and has no file", id, done.Status)
	}
	address, err := e.resolve(*done.URL)
	if err != nil {
		return nil, err
	}
	done.name, err = e.download(ctx, address, e.flags.Output, int64(done.ByteCount), "fetching "+id)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", id, err)
	}
	return done, nil
}

// begin asks for the export and gives its id.
func (e *exporter) begin(ctx context.Context) (string, error) {
	var answer map[string]struct{ Export struct{ ID string } }
	if err := e.client.Do(ctx, e.operation, client.Input(e.input), &answer); err != nil {
		return "", err
	}
	for _, payload := range answer {
		return payload.Export.ID, nil
	}
	return "", errors.New("the server names no export")
}

// followExport waits for the end of an export.
func (e *exporter) followExport(ctx context.Context, id string) (*exported, error) {
	shown := e.newJobBar("exporting")
	defer shown.clear()
	var done *exported
	err := e.follow(ctx, func(ctx context.Context) (coupon.ImportStatus, error) {
		var answer struct{ Export json.RawMessage }
		if err := e.client.Do(ctx, exportGet, client.Variables{"id": id}, &answer); err != nil {
			return "", err
		}
		done = nil
		if err := json.Unmarshal(answer.Export, &done); err != nil || done == nil {
			return "", &lastingError{errors.Join(errors.New("the server does not know it any more"), err)}
		}
		done.raw = answer.Export
		shown.show(done.Progress, "exporting")
		return done.Status, nil
	})
	return done, err
}
