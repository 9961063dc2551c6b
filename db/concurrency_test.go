package db_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"couponql/coupon"
)

// atOnce runs a function in many goroutines that begin together, and gives what each returned.
func atOnce(count int, do func(i int) error) []error {
	errs := make([]error, count)
	begin := make(chan struct{})
	var wait sync.WaitGroup
	for i := range count {
		wait.Go(func() {
			<-begin
			errs[i] = do(i)
		})
	}
	close(begin)
	wait.Wait()
	return errs
}

// outcomes counts errors by their code, "" for none; an error that is none of the caller's fails
// the test.
func outcomes(t *testing.T, errs []error) map[coupon.ErrorCode]int {
	t.Helper()
	counts := map[coupon.ErrorCode]int{}
	for _, err := range errs {
		if err == nil {
			counts[""]++
			continue
		}
		problems, isUser := coupon.AsUserErrors(err)
		if !isUser {
			t.Fatal(err)
		}
		counts[problems[0].Code]++
	}
	return counts
}

func TestConfirmAtOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("A", 300)...)
	id := s.newDelivery(t, c, s.recipients(t, 200))
	s.analyze(t, id, coupon.DeliveryReady)
	got := outcomes(t, atOnce(10, func(int) error {
		d, err := s.ConfirmDelivery(t.Context(), id, fine)
		if err == nil && d.Counts.Total != 200 {
			return fmt.Errorf("%d messages", d.Counts.Total)
		}
		return err
	}))
	if got[""] != 10 {
		t.Errorf("outcomes %v, want 10 without an error", got)
	}
	s.wantAvailability(t, c, "available 100, assigned 200")
	s.send(t, id)
	s.checkSound(t)
}

func TestCompeteAtOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	recipients := s.recipients(t, 8, "soccer", "tennis")
	for round := range 4 {
		c := s.newCoupon(t)
		s.codes(t, c, "soccer", numbered(fmt.Sprintf("S%d-", round), 5)...)
		s.codes(t, c, "tennis", numbered(fmt.Sprintf("T%d-", round), 5)...)
		edits := []func(*coupon.DeliveryChanges){func(*coupon.DeliveryChanges) {}, bySport}
		deliveries := []coupon.ID{
			s.newDelivery(t, c, recipients, edits[round%2]),
			s.newDelivery(t, c, recipients, edits[round/2]),
		}
		got := outcomes(t, atOnce(2, func(i int) error {
			if _, _, err := s.AnalyzeDelivery(t.Context(), deliveries[i], fine); err != nil {
				return err
			}
			_, err := s.ConfirmDelivery(t.Context(), deliveries[i], fine)
			return err
		}))
		if got[""] != 1 || got[coupon.ErrorInvalidState] != 1 {
			t.Errorf(
				"outcomes %v, want one without an error, and one that could not be prepared", got,
			)
		}
		s.wantAvailability(t, c, "available 2, assigned 8")
	}
	s.checkSound(t)
}

// TestCompeteMeanwhileImport: two deliveries want the last codes of a pool while an import brings
// more. Each is confirmed by ten clients as soon as there are codes, and gets its own.
func TestCompeteMeanwhileImport(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const clients, messages, imported = 10, 100, 3000
	recipients := s.recipients(t, messages)
	for round := range 2 {
		c := s.newCoupon(t)
		s.codes(t, c, "", numbered(fmt.Sprintf("P%d-", round), messages+messages/2)...)
		deliveries := []coupon.ID{s.newDelivery(t, c, recipients), s.newDelivery(t, c, recipients)}
		file := s.queue(t, newImport(coupon.ImportCodes, into(c)),
			"code\n"+strings.Join(numbered(fmt.Sprintf("I%d-", round), imported), "\n"))
		var done atomic.Int64
		got := outcomes(t, atOnce(1+2*clients, func(i int) error {
			if i == 0 {
				return s.RunImport(t.Context(), file)
			}
			id := deliveries[i%2]
			for {
				d, _, err := s.AnalyzeDelivery(t.Context(), id, fine)
				if err == nil && d.Status == coupon.DeliveryEditing {
					continue // the codes are not there yet
				}
				// Another client may have changed it meanwhile, or confirmed it.
				d, err = s.ConfirmDelivery(t.Context(), id, fine)
				if err == nil && d.Counts.Total == messages {
					done.Add(1)
					return nil
				}
				if _, isRefused := coupon.AsUserErrors(err); !isRefused {
					return fmt.Errorf("%+v: %w", d, err)
				}
			}
		}))
		if got[""] != 1+2*clients || done.Load() != 2*clients {
			t.Errorf("outcomes %v, %d clients confirmed", got, done.Load())
		}
		wantImport(t, s.imported(t, file), fmt.Sprintf("SUCCEEDED %d = %d + 0", imported, imported))
		s.wantAvailability(t, c, fmt.Sprintf("available %d, assigned %d",
			messages+messages/2+imported-2*messages, 2*messages))
		s.checkSound(t)
		for _, id := range deliveries {
			s.send(t, id)
		}
		s.checkSound(t)
	}
	s.reopen(t)
	s.checkSound(t)
}

// TestRedemptionFileMeanwhileConfirm: a file redeems codes of the pool while ten clients confirm
// the delivery that takes them. Whichever is first, no code that was redeemed while nobody had it
// goes into a message.
func TestRedemptionFileMeanwhileConfirm(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const clients, codes, messages = 10, 150, 100
	recipients := s.recipients(t, messages)
	for round := range 6 {
		c := s.newCoupon(t, withoutAssignment)
		values := numbered(fmt.Sprintf("F%d-", round), codes)
		s.codes(t, c, "", values...)
		id := s.newDelivery(t, c, recipients)
		s.analyze(t, id, coupon.DeliveryReady)
		// The last ones are never in a message; with those alone, the file leaves enough.
		redeemed := values
		if round%2 == 1 {
			redeemed = values[messages:]
		}
		file := s.queue(t, newImport(coupon.ImportRedemptions),
			"code,date\n"+strings.Join(redeemed, ",2026-11-23\n")+",2026-11-23\n")
		got := outcomes(t, atOnce(1+clients, func(i int) error {
			if i > 0 {
				// The file gets a longer and longer start, so that it is first in the end.
				time.Sleep(time.Duration(round) * 30 * time.Millisecond)
			}
			if i == 0 {
				return s.RunImport(t.Context(), file)
			}
			_, err := s.ConfirmDelivery(t.Context(), id, fine)
			return err
		}))
		wantImport(t, s.imported(t, file),
			fmt.Sprintf("SUCCEEDED %d = %d + 0", len(redeemed), len(redeemed)))
		d := s.delivery(t, id)
		switch isConfirmed := d.Counts.Total > 0; {
		case isConfirmed && (got[""] != 1+clients || d.Counts.Total != messages):
			t.Errorf("round %d: outcomes %v for %+v", round, got, d.Counts)
		case !isConfirmed &&
			(len(redeemed) < codes || got[coupon.ErrorInsufficientCodes] != clients):
			t.Errorf("round %d: outcomes %v for a delivery that was not confirmed", round, got)
		}
		if a := s.availability(t, c); a.Redeemed != len(redeemed) || a.Total != codes {
			t.Errorf("round %d: %+v", round, a)
		}
		early := 0
		for _, code := range s.allCodes(t, c,
			&coupon.CodeFilter{Status: []coupon.CodeStatus{coupon.CodeRedeemed}}) {
			if code.DeliveryID != nil {
				early++
			}
		}
		if len(redeemed) == codes && early != d.Counts.Total {
			t.Errorf("round %d: %d redeemed codes are in messages, and there are %d", round, early,
				d.Counts.Total)
		}
		s.checkSound(t)
		if d.Counts.Total > 0 {
			s.send(t, id)
			s.checkSound(t)
		}
	}
	s.reopen(t)
	s.checkSound(t)
}

// TestConfirmAmongOthers has several clients confirm two deliveries of one coupon while its codes
// are added, voided, replaced and redeemed by files and at tills, and a third delivery is split.
// Each delivery is confirmed as a whole or not at all, what was acknowledged is there, and no code
// was given away that somebody had redeemed before.
func TestConfirmAmongOthers(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const clients, messages, spare = 3, 40, 30
	recipients := s.recipients(t, messages)
	for round := range 2 {
		c := s.newCoupon(t, withoutAssignment)
		values := numbered(fmt.Sprintf("P%d-", round), 2*messages+spare)
		s.codes(t, c, "", values...)
		deliveries := []coupon.ID{
			s.newDelivery(t, c, recipients), s.newDelivery(t, c, recipients),
			s.newDelivery(t, c, recipients),
		}
		for _, id := range deliveries[:2] {
			s.analyze(t, id, coupon.DeliveryReady)
		}
		file := func(kind coupon.ImportKind, mode coupon.ImportMode, text string) coupon.ID {
			edits := []func(*coupon.Import){withMode(mode)}
			if kind == coupon.ImportCodes {
				edits = append(edits, into(c))
			}
			return s.queue(t, newImport(kind, edits...), text)
		}
		brought := func(prefix string) string {
			return "code\n" +
				strings.Join(numbered(fmt.Sprintf("%s%d-", prefix, round), messages), "\n")
		}
		files := []coupon.ID{
			file(coupon.ImportCodes, coupon.ImportAdd, brought("A")),
			file(coupon.ImportCodes, coupon.ImportVoid, "code\n"+strings.Join(values[:10], "\n")),
			file(coupon.ImportRedemptions, coupon.ImportAdd,
				"code,date\n"+strings.Join(values[5:15], ",2026-11-22\n")+",2026-11-22\n"),
			file(coupon.ImportCodes, coupon.ImportReplaceUnused, brought("R")),
		}
		redeemed := make([]atomic.Int64, len(values))
		others := []func() error{
			func() error {
				_, err := s.SplitDelivery(t.Context(), deliveries[2], coupon.SplitParts{
					{Label: "half", Percent: new(50.0)}, {Label: "rest", Rest: true},
				})
				return err
			},
			func() error {
				// A till, at codes that a delivery gives away too, and at those that none needs.
				for i := 12; i < len(values); i += 3 {
					_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: values[i]})
					if _, isRefused := coupon.AsUserErrors(err); err != nil && !isRefused {
						return err
					}
					if err == nil {
						redeemed[i].Add(1)
					}
				}
				return nil
			},
		}
		for _, id := range files {
			others = append(others, func() error { return s.RunImport(t.Context(), id) })
		}
		errs := atOnce(2*clients+len(others), func(i int) error {
			if i >= 2*clients {
				return others[i-2*clients]()
			}
			d, err := s.ConfirmDelivery(t.Context(), deliveries[i%2], fine)
			if err == nil && d.Counts.Total != messages {
				err = fmt.Errorf("%s was confirmed with %d messages", d.ID, d.Counts.Total)
			}
			return err
		})
		if got := outcomes(t, errs[2*clients:]); got[""] != len(others) {
			t.Errorf("round %d: outcomes of the others %v", round, got)
		}
		if got := outcomes(t, errs[:2*clients]); got[""]+
			got[coupon.ErrorInsufficientCodes] != 2*clients {
			t.Errorf("round %d: outcomes of the confirmations %v", round, got)
		}
		s.checkSound(t)
		a, changes := s.availability(t, c), coupon.ImportChanges{}
		fromFile := 0
		for i, id := range files {
			done := s.imported(t, id)
			if done.Status != coupon.ImportSucceeded {
				t.Errorf("round %d: %s is %+v", round, id, done)
			}
			if i == 2 {
				fromFile = done.RowsImported
				continue
			}
			changes.Added += done.Changes.Added
			changes.Removed += done.Changes.Removed
			changes.Voided += done.Changes.Voided
		}
		atTill := 0
		for i := range redeemed {
			atTill += int(redeemed[i].Load())
		}
		// A file records what happened to voided codes too: these count as redeemed.
		both := len(s.Texts(t, fmt.Sprintf(`-- codes that are voided and redeemed
SELECT v.code_id::VARCHAR FROM code_void v JOIN redemption r ON r.code_id = v.code_id
	WHERE r.coupon_id = %s`, strings.TrimPrefix(string(c), "coupon_"))))
		if a.Total != len(values)+changes.Added-changes.Removed || a.Redeemed != fromFile+atTill ||
			a.Voided != changes.Voided-both {
			t.Errorf("round %d: %+v after %+v, %d redemptions of a file and %d at a till", round, a,
				changes, fromFile, atTill)
		}
		early := s.Texts(t, `-- codes that were redeemed before somebody got them
SELECT r.code_id::VARCHAR FROM redemption r JOIN message m ON m.code_id = r.code_id
	WHERE r.delivery_id IS NULL AND r.source = 'API'`)
		if len(early) > 0 {
			t.Errorf("round %d: given away although redeemed before: %v", round, early)
		}
		for i, id := range deliveries[:2] {
			d := s.delivery(t, id)
			told := 0
			for client := i; client < 2*clients; client += 2 {
				if errs[client] == nil {
					told++
				}
			}
			if d.Counts.Total != 0 && d.Counts.Total != messages ||
				(told > 0) != (d.Counts.Total > 0) {
				t.Errorf("round %d: %s has %d messages, and %d of its clients are told so", round,
					id, d.Counts.Total, told)
			}
			if d.Counts.Total > 0 {
				s.send(t, id)
			}
		}
		s.checkSound(t)
	}
	s.reopen(t)
	s.checkSound(t)
}

func TestRedeemAtOnce(t *testing.T) {
	t.Parallel()
	const callers = 64
	for _, limit := range []int{1, 5} {
		t.Run(fmt.Sprintf("limit %d", limit), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			c := s.newCoupon(t, withoutAssignment, withLimit(limit))
			s.codes(t, c, "", "A1")
			s.newCoupon(t, anonymous, withCode("ALL"), withLimit(limit))
			for _, value := range []string{"A1", "ALL"} {
				got := outcomes(t, atOnce(callers, func(int) error {
					_, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: value})
					return err
				}))
				lost := coupon.ErrorCodeAlreadyRedeemed
				if limit > 1 {
					lost = coupon.ErrorRedemptionLimitReached
				}
				if got[""] != limit || got[lost] != callers-limit {
					t.Errorf("%s: outcomes %v, want %d winners", value, got, limit)
				}
			}
			list, err := s.Redemptions(t.Context(), nil, coupon.Page{First: 1, WantsTotal: true})
			if err != nil || list.Total != 2*limit {
				t.Errorf("%d redemptions, %v, want %d", list.Total, err, 2*limit)
			}
			s.checkSound(t)
		})
	}
	t.Run("with one idempotency key", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		s.codes(t, s.newCoupon(t, withoutAssignment, withLimit(9)), "", "A1")
		got := outcomes(t, atOnce(callers, func(int) error {
			r, err := s.Redeem(t.Context(),
				&coupon.RedeemRequest{Value: "A1", IdempotencyKey: new("k")})
			if err == nil && r.ID != "redemption_1" {
				return fmt.Errorf("got %s", r.ID)
			}
			return err
		}))
		if got[""] != callers {
			t.Errorf("outcomes %v", got)
		}
		s.checkSound(t)
	})
}

// TestEverythingAtOnce imports, redeems, reverses, voids, prepares, sends and deletes at once,
// while readers watch that the parts of availability add up at every instant.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ctx := t.Context()
	c := s.newCoupon(t, withoutAssignment, withLimit(2))
	const mine = 600
	for i := range 3 {
		s.codes(t, c, []string{"", "soccer", "tennis"}[i],
			numbered(fmt.Sprintf("M%d-", i), mine/3)...)
	}
	recipients := s.recipients(t, 50)
	var file strings.Builder
	file.WriteString("code,label\n")
	const imported = 20_000
	for i := range imported {
		fmt.Fprintf(&file, "I%06d,%s\n", i, []string{"", "soccer"}[i%2])
	}
	id := s.queue(t, newImport(coupon.ImportCodes, into(c)), file.String())

	var stop atomic.Bool
	var reads atomic.Int64
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			last := 0
			for !stop.Load() {
				found, err := s.Availabilities(ctx, []coupon.ID{c})
				if err != nil {
					t.Error(err)
					return
				}
				a := found[c]
				checkParts(t, a)
				if a.Total < last || a.Total != mine && a.Total != mine+imported {
					t.Errorf("total %d after %d: half an import was visible", a.Total, last)
				}
				last = a.Total
				if _, err := s.CodesOf(ctx, []coupon.ID{c},
					&coupon.CodeFilter{Status: []coupon.CodeStatus{coupon.CodeRedeemed}},
					coupon.Page{First: 20, WantsItems: true}, coupon.AnyState); err != nil {
					t.Error(err)
				}
				reads.Add(1)
			}
		})
	}
	var redeemed atomic.Int64
	redeem := func(i int) error {
		for n := range 60 {
			value := fmt.Sprintf("M%d-%04d", n%3, 1+(n*7+i)%(mine/3))
			r, err := s.Redeem(ctx, &coupon.RedeemRequest{Value: value})
			if _, isRefused := coupon.AsUserErrors(err); isRefused {
				continue
			}
			if err != nil {
				return err
			}
			redeemed.Add(1)
			if n%10 == 0 {
				if _, err := s.Reverse(ctx, nil, r.ID, nil); err != nil {
					return err
				}
				redeemed.Add(-1)
			}
		}
		return nil
	}
	others := []func() error{
		func() error { return s.RunImport(ctx, id) },
		func() error {
			for n := range 10 {
				if _, err := s.VoidCodes(ctx,
					voiding(c, fmt.Sprintf("M1-%04d", 10*n+1))); err != nil {
					return err
				}
			}
			return nil
		},
		func() error {
			for range 3 {
				s.deliver(t, c, recipients)
			}
			return nil
		},
		func() error {
			// What is deleted while others look it up is simply not there.
			for n := range 5 {
				other := s.newCoupon(t)
				s.codes(t, other, "", fmt.Sprintf("GONE%d", n))
				if err := s.DeleteCoupon(ctx, other); err != nil {
					return err
				}
			}
			return nil
		},
		func() error {
			for n := range 60 {
				_, err := s.Redeem(ctx, &coupon.RedeemRequest{Value: fmt.Sprintf("GONE%d", n%5)})
				if _, isRefused := coupon.AsUserErrors(err); !isRefused {
					return fmt.Errorf("redeeming a code that is being deleted: %w", err)
				}
			}
			return nil
		},
	}
	for _, err := range atOnce(8+len(others), func(i int) error {
		if i < len(others) {
			return others[i]()
		}
		return redeem(i)
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	stop.Store(true)
	readers.Wait()
	if reads.Load() < 10 {
		t.Errorf("only %d reads", reads.Load())
	}
	wantImport(t, s.imported(t, id), fmt.Sprintf("SUCCEEDED %d = %d + 0", imported, imported))
	rows, err := s.RedemptionStats(ctx,
		&coupon.StatsQuestion{Timezone: "UTC", Limit: 1, Measures: coupon.AllStatsMeasures()})
	if err != nil || rows[0].Stats.Redeemed != int(redeemed.Load()) {
		t.Errorf("%d redemptions are there, %d were acknowledged: %v", rows[0].Stats.Redeemed,
			redeemed.Load(), err)
	}
	s.checkSound(t)
	before := *s.availability(t, c)
	s.reopen(t)
	if after := *s.availability(t, c); after.Assigned != before.Assigned ||
		after.Redeemed != before.Redeemed ||
		after.Voided != before.Voided {
		t.Errorf("before %+v, after a restart %+v", before, after)
	}
}
