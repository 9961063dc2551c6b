package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"couponql/client"
	"couponql/coupon"
)

// Import brings files into a running server.
type Import struct {
	Codes       importCodes       `cmd:"" help:"Import the codes of one coupon or of many."`
	Coupons     importCoupons     `cmd:"" help:"Import coupons; those that are known are changed."`
	Recipients  importRecipients  `cmd:"" help:"Import recipients; those that are known are changed."`
	Redemptions importRedemptions `cmd:"" help:"Import redemptions that were recorded elsewhere."`
	Bounces     importBounces     `cmd:"" help:"Import what came of messages: bounces, complaints and deliveries."`
	Targets     importTargets     `cmd:"" help:"Import the targets of a delivery: the external ids of recipients."`
}

// importFlags are common to all imports.
type importFlags struct {
	serverFlags

	Files           []string        `arg:"" name:"file" type:"existingfile"                    help:"Files, one after the other; - is standard input. CSV, XML, JSONL or Parquet, plain, gzip or zstd."`
	DryRun          bool            `help:"Check and count everything, change nothing."`
	RejectFile      bool            `help:"Import nothing of a file if any of its rows is bad."`
	MaxRejections   *rowCount       `help:"Stop reading and import nothing as soon as more rows than this are bad." placeholder:"COUNT"`
	Rejects         string          `help:"Download the rejected rows as CSV, ready to be corrected, to this file; - is standard output. For one file." placeholder:"FILE" type:"path"`
	Format          fileFormat      `help:"How the file is written: csv, xml, jsonl or parquet. Detected unless given." placeholder:"FORMAT"`
	Delimiter       delimiter       `help:"What separates the columns of CSV: comma, semicolon, tab, pipe or a character. Detected unless given." placeholder:"SIGN"`
	Encoding        string          `help:"How text is written: UTF-8, UTF-16 or ISO-8859-1. Detected unless given." placeholder:"NAME"`
	Header          *bool           `help:"Whether the first line of CSV names the columns. Detected unless given."                                  negatable:""`
	Nothing         []string        `help:"A text that stands for nothing, such as NULL, N/A or -; may be repeated, and empty. Without it \\N does." placeholder:"TEXT" sep:"none"`
	DateOrder       dateOrder       `help:"Which number of a date comes first where that is not known: day-first or month-first." placeholder:"ORDER"`
	DecimalMark     decimalMark     `help:"The decimal mark of amounts: point or comma. Detected unless given." placeholder:"MARK"`
	SpreadsheetSafe *bool           `help:"Whether values are guarded as in an export that is safe for spreadsheets. Detected unless given." negatable:""`
	Column          []columnMapping `help:"Which column holds what, where its name is not recognized, such as code=voucher; may be repeated."          placeholder:"FIELD=COLUMN" sep:"none"`
}

// Help is what --help says beside the flags.
func (*importFlags) Help() string { return exitHelp }

// Validate refuses what makes no sense before anything is sent.
func (f *importFlags) Validate() error {
	if err := f.check(); err != nil {
		return err
	}
	standard := 0
	for _, file := range f.Files {
		if file == standardStream {
			standard++
		}
	}
	switch {
	case standard > 1:
		return errors.New("standard input can be read only once")
	case f.Rejects != "" && len(f.Files) > 1:
		return errors.New("--rejects takes the rows of one file: import the files one by one")
	case f.Rejects == standardStream && f.JSON:
		return errors.New("--rejects=- and --json both write to standard output")
	}
	return f.checkNew("--rejects", f.Rejects)
}

// input returns what all imports are asked with, but for the file.
func (f *importFlags) input() map[string]any {
	in := map[string]any{}
	if f.DryRun {
		in["dryRun"] = true
	}
	if f.RejectFile {
		in["onRejection"] = coupon.RejectFile
	}
	options := map[string]any{}
	putText(options, "format", f.Format)
	putText(options, "delimiter", f.Delimiter)
	putText(options, "encoding", f.Encoding)
	if f.Header != nil {
		options["hasHeader"] = *f.Header
	}
	putList(options, "columns", f.Column)
	putList(options, "nothing", f.Nothing)
	putText(options, "dateOrder", f.DateOrder)
	putText(options, "decimalMark", f.DecimalMark)
	if f.MaxRejections != nil {
		options["maxRejections"] = *f.MaxRejections
	}
	if f.SpreadsheetSafe != nil {
		options["isSpreadsheetSafe"] = *f.SpreadsheetSafe
	}
	if len(options) > 0 {
		in["options"] = options
	}
	return in
}

// putText puts a text into an input unless it is empty: what is not given is left to the server.
func putText[T ~string](in map[string]any, field string, text T) {
	if text != "" {
		in[field] = text
	}
}

// putList is putText for lists.
func putList[T any](in map[string]any, field string, list []T) {
	if len(list) > 0 {
		in[field] = list
	}
}

// importCodes is the command of that name, as are the following.
type importCodes struct {
	importFlags

	Coupon string     `help:"The coupon that the codes are for: its id, such as coupon_17, or its code. Unless given the column coupon of the file says it." placeholder:"ID-OR-CODE"`
	Mode   importMode `help:"add (the default), replace-unused (replace the unused codes) or void (the codes of the file)." placeholder:"MODE"`
	Label  string     `help:"The label of codes whose row has none." placeholder:"LABEL"`
}

// Run imports the files.
func (c *importCodes) Run(ctx context.Context, console *Console) error {
	i := newImporter(console, &c.importFlags, codeImport)
	if c.Coupon != "" {
		id, err := i.findCoupon(ctx, c.Coupon)
		if err != nil {
			return i.giveUp(ctx, err)
		}
		i.input["couponId"] = id
	}
	putText(i.input, "mode", c.Mode)
	putText(i.input, "label", c.Label)
	return i.run(ctx)
}

type importCoupons struct{ importFlags }

// Run imports the files.
func (c *importCoupons) Run(ctx context.Context, console *Console) error {
	return newImporter(console, &c.importFlags, couponImport).run(ctx)
}

type importRecipients struct{ importFlags }

// Run imports the files.
func (c *importRecipients) Run(ctx context.Context, console *Console) error {
	return newImporter(console, &c.importFlags, recipientImport).run(ctx)
}

type importRedemptions struct {
	importFlags

	Timezone string `help:"For dates without an offset: an IANA name, such as Europe/Berlin. The server's unless given." placeholder:"ZONE"`
}

// Run imports the files.
func (c *importRedemptions) Run(ctx context.Context, console *Console) error {
	i := newImporter(console, &c.importFlags, redemptionImport)
	putText(i.input, "timezone", c.Timezone)
	return i.run(ctx)
}

type importBounces struct {
	importFlags

	Channel  channel    `help:"The channel of the addresses: email (the default), sms, push or direct-mail." placeholder:"CHANNEL"`
	Kind     bounceKind `help:"What rows report that do not say it: hard, soft, complaint or delivered." placeholder:"KIND"`
	Timezone string     `help:"For dates without an offset: an IANA name, such as Europe/Berlin. The server's unless given." placeholder:"ZONE"`
}

// Run imports the files.
func (c *importBounces) Run(ctx context.Context, console *Console) error {
	i := newImporter(console, &c.importFlags, bounceImport)
	putText(i.input, "channel", c.Channel)
	putText(i.input, "kind", c.Kind)
	putText(i.input, "timezone", c.Timezone)
	return i.run(ctx)
}

type importTargets struct {
	importFlags

	Delivery string `help:"The delivery that gets the targets, such as delivery_3." placeholder:"ID" required:"true"`
}

// Run imports the files.
func (c *importTargets) Run(ctx context.Context, console *Console) error {
	i := newImporter(console, &c.importFlags, targetImport)
	i.input["deliveryId"] = c.Delivery
	return i.run(ctx)
}

// importer imports files, one after the other.
type importer struct {
	*session

	flags *importFlags
	// operation is the mutation that begins an import, and input what it is asked with for each
	// file.
	operation string
	input     map[string]any
}

func newImporter(console *Console, flags *importFlags, operation string) *importer {
	return &importer{newSession(console, flags.serverFlags), flags, operation, flags.input()}
}

// giveUp tells of an error before the first file.
func (i *importer) giveUp(ctx context.Context, err error) error {
	for _, file := range i.flags.Files {
		i.reportFailure(fileName(file), err)
	}
	return exit(codeOf(ctx))
}

// codeOf returns the exit code after an error.
func codeOf(ctx context.Context) int {
	if ctx.Err() != nil {
		return codeInterrupted
	}
	return codeFailed
}

// run imports the files and gives the highest exit code.
func (i *importer) run(ctx context.Context) error {
	highest := 0
	for _, file := range i.flags.Files {
		if ctx.Err() != nil {
			return exit(codeInterrupted)
		}
		highest = max(highest, i.importFile(ctx, file))
	}
	return exit(highest)
}

// importFile imports one file, tells the outcome and gives the exit code.
func (i *importer) importFile(ctx context.Context, path string) int {
	name := fileName(path)
	done, err := i.bring(ctx, path, name)
	if err != nil {
		i.reportFailure(name, err)
		return codeOf(ctx)
	}
	code := done.code()
	if ctx.Err() != nil {
		code = codeInterrupted
	}
	if err := i.report(done); err != nil {
		i.complainf("%s: write the outcome: %v", name, err)
		return codeFailed
	}
	if err := i.fetchRejects(ctx, done); err != nil {
		i.complainf("%s: %v", name, err)
		return max(code, codeOf(ctx))
	}
	return code
}

// fileName is what the server knows a file as.
func fileName(path string) string {
	if path == standardStream {
		return "stdin"
	}
	return filepath.Base(path)
}

// bring sends a file, begins its import and follows it to its end.
func (i *importer) bring(ctx context.Context, path, name string) (*outcome, error) {
	uploadID, err := i.sendFile(ctx, path, name)
	if err != nil {
		return nil, err
	}
	id, err := i.begin(ctx, uploadID)
	if err != nil {
		return nil, err
	}
	if err := i.followImport(ctx, id, name); err != nil {
		if ctx.Err() == nil {
			return nil, fmt.Errorf("follow %s, which goes on: %w", id, err)
		}
		err := i.callOff(ctx, importCancel, id,
			func(ctx context.Context) (coupon.ImportStatus, error) {
				var answer struct {
					Import struct{ Status coupon.ImportStatus }
				}
				err := i.client.Do(ctx, importProgress, client.Variables{"id": id}, &answer)
				return answer.Import.Status, err
			})
		if err != nil {
			return nil, fmt.Errorf("interrupted; cancel %s: %w", id, err)
		}
	}
	longer, cancel := i.outlive(ctx)
	defer cancel()
	return i.outcome(longer, id)
}

// sendFile sends a file to the server, and gives the id of its upload.
func (i *importer) sendFile(ctx context.Context, path, name string) (string, error) {
	content, size, err := i.open(path)
	if err != nil {
		return "", err
	}
	defer content.Close()
	in := map[string]any{"fileName": name}
	if size >= 0 {
		in["byteCount"] = size
	}
	var answer struct {
		CreateUpload struct{ Upload struct{ ID, URL string } }
	}
	if err := i.client.Do(ctx, uploadCreate, client.Input(in), &answer); err != nil {
		return "", err
	}
	place := answer.CreateUpload.Upload
	address, err := i.resolve(place.URL)
	if err != nil {
		return "", err
	}
	shown := i.newBar("sending "+name, size)
	defer shown.clear()
	// An empty file has no piece that could be sent.
	if file, isFile := content.(*os.File); isFile && size > 0 {
		err = i.send(ctx, address, file, size, shown)
	} else {
		err = i.put(ctx, address, content, shown)
	}
	switch {
	case ctx.Err() != nil:
		return "", errors.New("interrupted; what was sent will expire, nothing is imported")
	case err != nil:
		return "", fmt.Errorf("send: %w", err)
	}
	return place.ID, nil
}

// open opens a file. Its size is negative where that shows only at its end: standard input, a pipe.
func (i *importer) open(path string) (io.ReadCloser, int64, error) {
	if path == standardStream {
		return io.NopCloser(i.in), -1, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	if !info.Mode().IsRegular() {
		return file, -1, nil
	}
	return file, info.Size(), nil
}

// begin asks for the import of an upload and gives its id. It waits for the answer in spite of an
// interrupt: an import of unknown id could not be canceled.
func (i *importer) begin(ctx context.Context, uploadID string) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	longer, cancel := i.outlive(ctx)
	defer cancel()
	i.input["uploadId"] = uploadID
	var answer map[string]struct{ Import struct{ ID string } }
	if err := i.client.Do(longer, i.operation, client.Input(i.input), &answer); err != nil {
		return "", err
	}
	for _, payload := range answer {
		return payload.Import.ID, nil
	}
	return "", errors.New("the server names no import")
}

// followImport waits for the end of an import.
func (i *importer) followImport(ctx context.Context, id, name string) error {
	label := "importing " + name
	shown := i.newJobBar(label)
	defer shown.clear()
	return i.follow(ctx, func(ctx context.Context) (coupon.ImportStatus, error) {
		var answer struct {
			Import *struct {
				Status   coupon.ImportStatus
				Progress float64
				RowsRead int
			}
		}
		if err := i.client.Do(ctx, importProgress, client.Variables{"id": id},
			&answer); err != nil {
			return "", err
		}
		job := answer.Import
		if job == nil {
			return "", &lastingError{errors.New("the server does not know it any more")}
		}
		shown.show(job.Progress, fmt.Sprintf("%s, %d rows", label, job.RowsRead))
		return job.Status, nil
	})
}

// outcome asks what became of an import.
func (i *importer) outcome(ctx context.Context, id string) (*outcome, error) {
	var answer struct{ Import json.RawMessage }
	if err := i.client.Do(ctx, importGet, client.Variables{"id": id}, &answer); err != nil {
		return nil, fmt.Errorf("ask for the outcome of %s: %w", id, err)
	}
	done := &outcome{raw: answer.Import}
	if err := json.Unmarshal(answer.Import, done); err != nil {
		return nil, fmt.Errorf("read the outcome of %s: %w", id, err)
	}
	return done, nil
}

// fetchRejects downloads the rejected rows, if that is wanted and there are any.
func (i *importer) fetchRejects(ctx context.Context, done *outcome) error {
	path := i.flags.Rejects
	if path == "" || done.RowsRejected == 0 {
		return nil
	}
	if done.RejectsURL == nil {
		return errors.New("the server has no file of the rejected rows")
	}
	address, err := i.resolve(*done.RejectsURL)
	if err != nil {
		return err
	}
	if _, err := i.download(ctx, address, path, -1, "fetching rejected rows"); err != nil {
		return fmt.Errorf("fetch the rejected rows: %w", err)
	}
	if path != standardStream && !i.flags.JSON {
		_, err = fmt.Fprintf(i.talk(), "  the rejected rows are in %s\n", printable(path))
	}
	return err
}

// talk is where the outcome for people goes: to standard output, unless that is for the rejected
// rows.
func (i *importer) talk() io.Writer {
	if i.flags.Rejects == standardStream {
		return i.err
	}
	return i.out
}

// reportFailure tells why there is no outcome.
func (i *importer) reportFailure(name string, err error) {
	i.complainf("%s: %s", name, strings.ReplaceAll(err.Error(), "\n", "; "))
	if i.flags.JSON {
		if err := i.writeJSON(map[string]string{
			"fileName": name, "error": err.Error(),
		}); err != nil {
			i.complainf("%s: write the outcome: %v", name, err)
		}
	}
}

// report tells the outcome.
func (i *importer) report(done *outcome) error {
	switch {
	case i.flags.JSON:
		return i.writeJSON(done.raw)
	case i.flags.Quiet && done.isClean():
		return nil
	default:
		_, err := io.WriteString(i.talk(), printable(inFlags(done.text())))
		return err
	}
}
