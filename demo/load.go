package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"couponql/client"
)

const (
	// pollInterval is the time between two looks at a job, and jobTimeout how long one may take.
	pollInterval = 100 * time.Millisecond
	jobTimeout   = 10 * time.Minute
	// maxPage is the most entries that the server gives at once.
	maxPage = 500
)

// The codes of the coupons themselves. Only the kick-off's is what customers enter.
const (
	kickoffCode = "SUMMER10"
	flyerCode   = "FLYER20"
	sportCode   = "SPORT15"
)

// loader loads one shop into one server and tells on out what it does.
type loader struct {
	client *client.Client
	shop   *shop
	out    io.Writer
	// poll is the time between two looks at a job.
	poll time.Duration
	// lap is when the step at work began.
	lap time.Time

	// The ids of the coupons, once they are created.
	kickoff, flyer, sport string
	// code has the longest history of all: redeemed, reversed and redeemed again.
	code string
}

// load does everything, one step after the other.
func (l *loader) load(ctx context.Context) error {
	l.printf("Loading demo data into %s\n", l.client.Address)
	if err := l.refuseFilled(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		l.createCoupons, l.addCodes, l.importRecipients, l.importSales, l.deliver,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	l.printf(`
Open the playground at %s/ and look at
  - the example Redemptions: weeks of tills and web shop, a row for each day; Chart draws them;
  - the example Deliveries: "End of season for everybody" lacks codes, and remedies says what would help;
  - the example CodeHistory with {"value": %q}: redeemed, taken back, redeemed again.
`, l.client.Address, l.code)
	return nil
}

// sayf tells what was done and how long that took.
func (l *loader) sayf(format string, args ...any) {
	now := time.Now()
	l.printf("%7d ms  %s\n", now.Sub(l.lap).Milliseconds(), fmt.Sprintf(format, args...))
	l.lap = now
}

// printf prints for whoever watches. When nobody can read it, the data is loaded all the same.
func (l *loader) printf(format string, args ...any) { _, _ = fmt.Fprintf(l.out, format, args...) }

// refuseFilled returns an error when the server has coupons: the data would mix with somebody's own.
func (l *loader) refuseFilled(ctx context.Context) error {
	var answer struct{ Coupons struct{ TotalCount int } }
	if err := l.client.Do(ctx, couponCount, nil, &answer); err != nil {
		return fmt.Errorf("look at the server (`make run` starts one): %w", err)
	}
	if n := answer.Coupons.TotalCount; n > 0 {
		return fmt.Errorf("the server already has coupons (%d). Demo data is for an empty one: start it with another --data", n)
	}
	return nil
}

// dateTime gives a time of the shop's zone on a day relative to today, without an offset: the coupon has
// the same time zone.
func (l *loader) dateTime(days, hour int) string {
	return l.shop.today.AddDate(0, 0, days).Format(time.DateOnly) + fmt.Sprintf("T%02d:00", hour)
}

func (l *loader) createCoupons(ctx context.Context) error {
	for _, c := range []struct {
		id    *string
		input map[string]any
	}{
		{&l.kickoff, map[string]any{
			"label": "Summer kick-off", "code": kickoffCode, "type": "ANONYMOUS", "endsAt": l.dateTime(5, 22),
			"metadata": map[string]any{"discount": "10 %", "owner": "marketing"},
		}},
		{&l.flyer, map[string]any{
			"label": "Summer flyer", "code": flyerCode, "type": "INDIVIDUAL", "endsAt": l.dateTime(90, 20),
			"requiresAssignment": false, "metadata": map[string]any{"discount": "20 %", "owner": "shops"},
		}},
		{&l.sport, map[string]any{
			"label": "A present for your sport", "code": sportCode, "type": "INDIVIDUAL", "endsAt": l.dateTime(90, 22),
			"lowStockThreshold": 18_000, "metadata": map[string]any{"discount": "15 %", "owner": "marketing"},
		}},
	} {
		c.input["startsAt"] = l.dateTime(-campaignDays, 0)
		c.input["timezone"] = shopZone
		var answer struct {
			CreateCoupon struct{ Coupon struct{ ID string } }
		}
		if err := l.client.Do(ctx, couponCreate, client.Input(c.input), &answer); err != nil {
			return fmt.Errorf("create coupon %s: %w", c.input["code"], err)
		}
		*c.id = answer.CreateCoupon.Coupon.ID
	}
	l.sayf("3 coupons: %s, %s, %s", kickoffCode, flyerCode, sportCode)
	return nil
}

// addCodes fills the pools: most codes from files, some made by the server. Lost flyers are voided.
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

	const generated, pattern, label = 2_000, "CYCLING-######", "cycling"
	var made struct {
		GenerateCodes struct{ GeneratedCount int }
	}
	in := map[string]any{"couponId": l.sport, "count": generated, "pattern": pattern, "label": label}
	if err := l.client.Do(ctx, codeGenerate, client.Input(in), &made); err != nil {
		return fmt.Errorf("generate codes: %w", err)
	}
	if got := made.GenerateCodes.GeneratedCount; got != generated {
		return fmt.Errorf("generate codes: %d were made, want %d", got, generated)
	}
	l.sayf("%s codes of %s generated as %s", group(generated), sportCode, pattern)

	var voided struct {
		VoidCodes struct{ VoidedCount int }
	}
	in = map[string]any{"couponId": l.flyer, "values": l.shop.lostFlyers()}
	if err := l.client.Do(ctx, codeVoid, client.Input(in), &voided); err != nil {
		return fmt.Errorf("void codes: %w", err)
	}
	if got := voided.VoidCodes.VoidedCount; got != lostFlyerCount {
		return fmt.Errorf("void codes: %d were voided, want %d", got, lostFlyerCount)
	}
	l.sayf("%s codes of %s voided: a box of flyers was lost", group(lostFlyerCount), flyerCode)
	return nil
}

func (l *loader) importRecipients(ctx context.Context) error {
	count := importCount{imported: len(l.shop.recipients)}
	err := l.importFile(ctx, recipientImport, map[string]any{}, "customers.csv", count,
		func(w io.Writer) error { return writeRecipients(w, l.shop.recipients) })
	if err != nil {
		return err
	}
	l.sayf("%s recipients imported from customers.csv", group(count.imported))
	return nil
}

// importSales imports the redemptions of the past weeks, and takes some back, as after a return of goods.
func (l *loader) importSales(ctx context.Context) error {
	for _, file := range []struct {
		name, couponID, couponCode string
		count                      importCount
		reversals                  int
		write                      func(io.Writer) error
	}{
		{
			"tills.csv", l.flyer, flyerCode,
			importCount{tillCount, mistypedCount + repeatedCount},
			5,
			func(w io.Writer) error { return writeTillSales(w, l.shop.tillSales) },
		},
		{
			"web-shop.csv", l.kickoff, kickoffCode,
			importCount{imported: webCount},
			25,
			func(w io.Writer) error { return writeWebSales(w, l.shop.webSales) },
		},
	} {
		if err := l.importFile(ctx, redemptionImport, map[string]any{"timezone": shopZone}, file.name, file.count, file.write); err != nil {
			return err
		}
		l.sayf("%s redemptions of %s imported from %s, %d rows rejected",
			group(file.count.imported), file.couponCode, file.name, file.count.rejected)

		var latest struct {
			Redemptions struct{ Nodes []struct{ ID string } }
		}
		err := l.client.Do(ctx, redemptionList, client.Variables{"couponId": file.couponID, "first": maxPage}, &latest)
		if err != nil {
			return fmt.Errorf("list redemptions: %w", err)
		}
		var ids []string
		for _, r := range latest.Redemptions.Nodes {
			ids = append(ids, r.ID)
		}
		if err := l.reverse(ctx, ids, file.reversals); err != nil {
			return err
		}
		l.sayf("%d of the latest reversed: the goods came back", file.reversals)
	}
	return nil
}

// reverse takes count of the redemptions back, the first one and others at even distances.
func (l *loader) reverse(ctx context.Context, redemptionIDs []string, count int) error {
	if len(redemptionIDs) < count {
		return fmt.Errorf("reverse redemptions: there are %d, want %d", len(redemptionIDs), count)
	}
	for i := range count {
		id := redemptionIDs[i*len(redemptionIDs)/count]
		in := client.Input(map[string]any{"id": id, "reason": "the goods came back"})
		if err := l.client.Do(ctx, redemptionReverse, in, nil); err != nil {
			return fmt.Errorf("reverse redemption %s: %w", id, err)
		}
	}
	return nil
}

// importCount is how many rows of a file are to be imported and rejected.
type importCount struct{ imported, rejected int }

// importFile sends a file and waits until the server has imported it. It returns an error when other
// numbers of rows are imported or rejected than expected.
func (l *loader) importFile(
	ctx context.Context, operation string, in map[string]any, name string, want importCount, write func(io.Writer) error,
) error {
	var started map[string]struct{ Import struct{ ID string } }
	if err := l.client.Upload(ctx, operation, in, name, write, &started); err != nil {
		return fmt.Errorf("import %s: %w", name, err)
	}
	var id string
	for _, payload := range started {
		id = payload.Import.ID
	}
	var job struct {
		Import struct {
			Status             string
			RowsImported       int
			RowsRejected       int
			RejectionsByReason []struct {
				Reason string
				Count  int
			}
			Failure string
		}
	}
	err := l.wait(ctx, func() (bool, error) {
		err := l.client.Do(ctx, importGet, client.Variables{"id": id}, &job)
		status := job.Import.Status
		return status != "QUEUED" && status != "RUNNING", err
	})
	switch done := job.Import; {
	case err != nil:
		return fmt.Errorf("import %s: %w", name, err)
	case done.Status != "SUCCEEDED":
		return fmt.Errorf("import %s: it is %s: %s", name, done.Status, done.Failure)
	case done.RowsImported != want.imported || done.RowsRejected != want.rejected:
		return fmt.Errorf("import %s: %d rows imported and %d rejected %v, want %d and %d",
			name, done.RowsImported, done.RowsRejected, done.RejectionsByReason, want.imported, want.rejected)
	}
	return nil
}

// wait asks isDone until it says so. It returns its error, or one when that takes too long.
func (l *loader) wait(ctx context.Context, isDone func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, jobTimeout, fmt.Errorf("the server has not finished after %v", jobTimeout))
	defer cancel()
	ticker := time.NewTicker(l.poll)
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
