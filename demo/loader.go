package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"couponql/client"
)

const (
	// pollInterval is the time between two looks at a job, and jobTimeout how long one may take.
	pollInterval = 20 * time.Millisecond
	jobTimeout   = 10 * time.Minute
	// maxPage is the most entries that the server gives at once.
	maxPage = 500
)

// The codes of the coupons themselves. Only the kick-off's is what customers enter.
const (
	kickoffCode  = "SUMMER10"
	flyerCode    = "FLYER20"
	sportCode    = "SPORT15"
	birthdayCode = "BIRTHDAY10"
)

// event is what happens at an instant.
type event struct {
	at time.Time
	do func(context.Context) error
}

// loader makes the history of one shop.
type loader struct {
	*Options

	shop *shop
	// draws is for what depends on the codes that the server gave away.
	draws *rand.Rand
	// agenda is what is still to happen, the earliest first.
	agenda []event

	// The ids of the coupons, once they are created.
	kickoff, flyer, sport, birthday string
	// variants are the two deliveries that are compared.
	variants [2]string
	// webSales and tillSales are those that nobody has reported yet, and webCount and tillCount how many
	// were.
	webSales, tillSales []sale
	webCount, tillCount int
	// unused has the codes of pools that may be redeemed.
	unused map[string]bool
	// isTakenBack tells that the story of firstCode goes on.
	isTakenBack bool
}

// plan puts on the agenda what happens anyway.
func (l *loader) plan() {
	l.tillSales = l.shop.flyerSales
	l.unused = map[string]bool{}
	for _, c := range l.shop.flyerCodes {
		l.unused[c.value] = true
	}
	const start = campaignDays
	l.on(start, 9, 0, l.createCoupons)
	l.on(start, 9, 30, l.addCodes)
	l.on(start, 11, 0, func(ctx context.Context) error {
		const longAgo = 100 * 366
		return l.importRecipients(ctx, "customers.csv", l.shop.newcomers(longAgo, start))
	})
	l.on(start-1, 10, 0, l.draftVariants)
	l.on(start-2, 16, 0, l.voidLostFlyers)
	l.on(28, 16, 0, func(ctx context.Context) error {
		return l.importRecipients(ctx, "new-customers.csv", l.shop.newcomers(start, 28))
	})
	l.on(3, 15, 0, l.importPartnerCodes)
	l.on(1, 16, 0, func(ctx context.Context) error {
		return l.importRecipients(ctx, "new-customers.csv", l.shop.newcomers(28, 0))
	})
	for i, d := range l.deliveries() {
		l.on(d.daysAgo, d.hour, 0, func(ctx context.Context) error {
			if err := l.deliver(ctx, d); err != nil {
				return fmt.Errorf("delivery %d, %q: %w", i+1, d.input["label"], err)
			}
			return nil
		})
	}
	for days := start - 1; days >= 0; days-- {
		l.on(days, 0, 0, func(ctx context.Context) error { return l.redeemOrders(ctx, l.shop.at(days, 0, 0)) })
	}
	for days := 1; days < start-2; days += 7 {
		l.on(days, closingHour, closingMinute, func(ctx context.Context) error { return l.importTills(ctx, days) })
	}
}

// on puts something on the agenda of a day so many days ago.
func (l *loader) on(daysAgo, hour, minute int, do func(context.Context) error) {
	l.put(l.shop.at(daysAgo, hour, minute), do)
}

// put puts something on the agenda, behind what is there for the same instant. What would be of today
// or later does not happen.
func (l *loader) put(at time.Time, do func(context.Context) error) {
	if at.After(l.shop.today) {
		return
	}
	i, _ := slices.BinarySearchFunc(l.agenda, at, func(e event, at time.Time) int {
		if e.at.After(at) {
			return 1
		}
		return -1
	})
	l.agenda = slices.Insert(l.agenda, i, event{at, do})
}

// run lets happen what is on the agenda, and looks whether the server's books are in order.
func (l *loader) run(ctx context.Context) error {
	for len(l.agenda) > 0 {
		next := l.agenda[0]
		l.agenda = l.agenda[1:]
		l.Clock.advance(next.at)
		if err := next.do(ctx); err != nil {
			return fmt.Errorf("on %s: %w", next.at.Format("2 January 15:04"), err)
		}
	}
	var report struct {
		IntegrityReport struct {
			IsSound bool
			Checks  []struct {
				Name       string
				Violations int
				Examples   []string
			}
		}
	}
	if err := l.Client.Do(ctx, integrity, nil, &report); err != nil {
		return fmt.Errorf("check the database: %w", err)
	}
	if !report.IntegrityReport.IsSound {
		return fmt.Errorf("the database is not sound: %+v", report.IntegrityReport.Checks)
	}
	if !l.isTakenBack {
		return fmt.Errorf("no delivery gave %s away", firstCode)
	}
	return nil
}

// sayf tells what happened, and when by the shop's clock. When nobody can read it, it happens all the same.
func (l *loader) sayf(format string, args ...any) {
	day := l.Clock.Now().In(l.shop.today.Location()).Format("Jan _2")
	_, _ = fmt.Fprintf(l.Out, "%s  %s\n", day, fmt.Sprintf(format, args...))
}

// dateTime returns a time of the shop's zone without an offset: the coupons have the same time zone.
func (l *loader) dateTime(daysAgo, hour int) string {
	return l.shop.at(daysAgo, hour, 0).Format("2006-01-02T15:04")
}

func (l *loader) createCoupons(ctx context.Context) error {
	for _, c := range []struct {
		id    *string
		input map[string]any
	}{
		{&l.kickoff, map[string]any{
			"label": "Summer kick-off", "code": kickoffCode, "type": "ANONYMOUS", "endsAt": l.dateTime(-5, 22),
			"metadata": map[string]any{"discount": "10 %", "owner": "marketing"},
		}},
		{&l.flyer, map[string]any{
			"label": "Summer flyer", "code": flyerCode, "type": "INDIVIDUAL", "endsAt": l.dateTime(-90, 20),
			"requiresAssignment": false, "metadata": map[string]any{"discount": "20 %", "owner": "shops"},
		}},
		{&l.sport, map[string]any{
			"label": "A present for your sport", "code": sportCode, "type": "INDIVIDUAL", "endsAt": l.dateTime(-90, 22),
			"metadata": map[string]any{"discount": "15 %", "owner": "marketing"},
		}},
		{&l.birthday, map[string]any{
			"label": "Happy birthday", "code": birthdayCode, "type": "INDIVIDUAL", "lowStockThreshold": 500,
			"metadata": map[string]any{"discount": "10 EUR", "owner": "marketing"},
		}},
	} {
		c.input["startsAt"] = l.dateTime(campaignDays, 9)
		c.input["timezone"] = Zone
		var answer struct {
			CreateCoupon struct{ Coupon struct{ ID string } }
		}
		if err := l.Client.Do(ctx, couponCreate, client.Input(c.input), &answer); err != nil {
			return fmt.Errorf("create coupon %s: %w", c.input["code"], err)
		}
		*c.id = answer.CreateCoupon.Coupon.ID
	}
	l.sayf("4 coupons: %s, %s, %s, %s", kickoffCode, flyerCode, sportCode, birthdayCode)
	return nil
}

// addCodes fills the pools: most codes from files, some made by the server.
func (l *loader) addCodes(ctx context.Context) error {
	for _, file := range []struct {
		name, couponID, couponCode string
		codes                      []code
		write                      func(io.Writer, []code) error
	}{
		{"flyers.csv", l.flyer, flyerCode, l.shop.flyerCodes, writeFlyerCodes},
		{"sport-codes.csv", l.sport, sportCode, l.shop.sportCodes, writeSportCodes},
	} {
		err := l.importFile(ctx, codeImport, map[string]any{"couponId": file.couponID}, file.name, importCount{imported: len(file.codes)},
			func(w io.Writer) error { return file.write(w, file.codes) })
		if err != nil {
			return err
		}
		l.sayf("%s codes of %s imported from %s", group(len(file.codes)), file.couponCode, file.name)
	}
	for _, batch := range []map[string]any{
		{"couponId": l.sport, "count": 2_000, "pattern": "CYCLING-######", "label": "cycling"},
		{"couponId": l.birthday, "count": l.birthdayPool(), "pattern": "BIRTHDAY-######"},
	} {
		var made struct {
			GenerateCodes struct{ GeneratedCount int }
		}
		if err := l.Client.Do(ctx, codeGenerate, client.Input(batch), &made); err != nil {
			return fmt.Errorf("generate codes: %w", err)
		}
		if got, want := made.GenerateCodes.GeneratedCount, batch["count"]; got != want {
			return fmt.Errorf("generate codes: %d were made, want %d", got, want)
		}
		l.sayf("%s codes generated as %s", group(made.GenerateCodes.GeneratedCount), batch["pattern"])
	}
	return nil
}

// voidLostFlyers voids the flyers that were lost, so that nobody redeems them.
func (l *loader) voidLostFlyers(ctx context.Context) error {
	var voided struct {
		VoidCodes struct{ VoidedCount int }
	}
	in := map[string]any{"couponId": l.flyer, "values": l.shop.lostFlyers()}
	if err := l.Client.Do(ctx, codeVoid, client.Input(in), &voided); err != nil {
		return fmt.Errorf("void codes: %w", err)
	}
	if got := voided.VoidCodes.VoidedCount; got != lostFlyerCount {
		return fmt.Errorf("void codes: %d were voided, want %d", got, lostFlyerCount)
	}
	l.sayf("%s codes of %s voided: a box of flyers was lost", group(lostFlyerCount), flyerCode)
	return nil
}

func (l *loader) importRecipients(ctx context.Context, name string, recipients []recipient) error {
	err := l.importFile(ctx, recipientImport, map[string]any{}, name, importCount{imported: len(recipients)},
		func(w io.Writer) error { return writeRecipients(w, recipients) })
	if err != nil {
		return err
	}
	l.sayf("%s recipients imported from %s", group(len(recipients)), name)
	return nil
}

// importPartnerCodes shows what a file that cannot be right does: nothing, but for an alert.
func (l *loader) importPartnerCodes(ctx context.Context) error {
	const name = "partner-codes.csv"
	known := l.shop.sportCodes[:200]
	in := map[string]any{"couponId": l.sport, "onRejection": "REJECT_FILE"}
	job, err := l.runImport(ctx, codeImport, in, name, func(w io.Writer) error { return writeSportCodes(w, known) })
	if err != nil {
		return err
	}
	if job.Status != "FAILED" {
		return fmt.Errorf("import %s: it is %s and should be FAILED", name, job.Status)
	}
	l.sayf("%s not imported: %s", name, job.Failure)
	return nil
}

// importCount is how many rows of a file are to be imported and rejected.
type importCount struct{ imported, rejected int }

// importFile sends a file and waits until the server has imported it. It returns an error when other
// numbers of rows are imported or rejected than expected.
func (l *loader) importFile(
	ctx context.Context, operation string, in map[string]any, name string, want importCount, write func(io.Writer) error,
) error {
	job, err := l.runImport(ctx, operation, in, name, write)
	switch {
	case err != nil:
		return err
	case job.Status != "SUCCEEDED":
		return fmt.Errorf("import %s: it is %s: %s", name, job.Status, job.Failure)
	case job.RowsImported != want.imported || job.RowsRejected != want.rejected:
		return fmt.Errorf("import %s: %d rows imported and %d rejected %v, want %d and %d",
			name, job.RowsImported, job.RowsRejected, job.RejectionsByReason, want.imported, want.rejected)
	}
	return nil
}

// importJob is what of an import is looked at.
type importJob struct {
	Status             string
	RowsImported       int
	RowsRejected       int
	RejectionsByReason []struct {
		Reason string
		Count  int
	}
	Failure string
}

// runImport sends a file and waits until the server is done with it.
func (l *loader) runImport(
	ctx context.Context, operation string, in map[string]any, name string, write func(io.Writer) error,
) (*importJob, error) {
	var started map[string]struct{ Import struct{ ID string } }
	if err := l.Client.Upload(ctx, operation, in, name, write, &started); err != nil {
		return nil, fmt.Errorf("import %s: %w", name, err)
	}
	var id string
	for _, payload := range started {
		id = payload.Import.ID
	}
	var job struct{ Import importJob }
	err := l.wait(ctx, func() (bool, error) {
		err := l.Client.Do(ctx, importGet, client.Variables{"id": id}, &job)
		return job.Import.Status != "QUEUED" && job.Import.Status != "RUNNING", err
	})
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", name, err)
	}
	return &job.Import, nil
}

// errLate is why waiting for a job ends.
var errLate = errors.New("the server has not finished after " + jobTimeout.String())

// wait asks isDone until it says so. It returns its error, or one when that takes too long.
func (l *loader) wait(ctx context.Context, isDone func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, jobTimeout, errLate)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		if done, err := isDone(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}

// group writes a number with its thousands apart, e.g. 50,000.
func group(n int) string {
	digits := strconv.Itoa(n)
	if len(digits) <= 3 {
		return digits
	}
	return group(n/1000) + "," + digits[len(digits)-3:]
}
