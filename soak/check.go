package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"time"

	"couponql/client"
)

// openWork is what is still to do.
type openWork struct {
	Deliveries struct {
		Nodes []struct{ ID, Channel, Status string }
	}
	Imports struct{ Nodes []struct{ ID, Status string } }
}

// drain waits until nothing is to do any more, but for messages that the webhook does not take.
func (s *soak) drain(ctx context.Context) error {
	for end := time.Now().Add(drainTimeout); ; sleep(ctx, pollInterval) {
		var open openWork
		err := s.do(ctx, `{
			deliveries(status: [SCHEDULED, IN_PROGRESS, PAUSED], first: 500) { nodes { id channel
				status } }
			imports(status: [QUEUED, RUNNING], first: 500) { nodes { id status } }
		}`, nil, &open)
		if err != nil {
			return fmt.Errorf("look what is to do: %w", err)
		}
		left := len(open.Imports.Nodes)
		for _, d := range open.Deliveries.Nodes {
			if d.Channel == "EMAIL" {
				left++
			}
			if d.Status == "PAUSED" {
				// Whoever paused it was interrupted.
				if err := s.do(ctx, mutation("resumeDelivery", "delivery { id }"),
					client.Input(map[string]any{"id": d.ID}), nil); err != nil {
					return err
				}
			}
		}
		switch {
		case left == 0 || ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(end):
			s.report("P7",
				fmt.Errorf("not done after %s: %+v\n%s", drainTimeout, open, s.server.text()))
			return nil
		}
	}
}

// check waits until nothing is to do, and compares what the server says with what was acknowledged.
// An error means that it does not answer.
func (s *soak) check(ctx context.Context) error {
	if err := s.drain(ctx); err != nil {
		return err
	}
	if err := s.checkDeliveries(ctx); err != nil {
		return err
	}
	if err := s.checkErased(); err != nil {
		return err
	}
	return s.checkSound(ctx)
}

// checkDeliveries wants each that is sent to the outbox to be over, a calm one with all its
// messages, and these to be in the outbox. What was seen to be so is not looked at again.
func (s *soak) checkDeliveries(ctx context.Context) error {
	for _, d := range s.sent {
		if d.isSeen || d.channel != "EMAIL" {
			continue
		}
		d.isSeen = true
		var read struct {
			Delivery *struct {
				Status string
				Counts struct{ Sent, Total, Pending int }
			}
		}
		if err := s.do(ctx,
			"query($id: ID!) { delivery(id: $id) { status counts { sent total pending } } }",
			client.Variables{"id": d.id}, &read); err != nil {
			return err
		}
		got := read.Delivery
		if got == nil || got.Counts.Pending > 0 || got.Counts.Total != d.messages ||
			d.isCalm && (got.Status != "FINISHED" || got.Counts.Sent != d.messages) {
			s.report("P7", fmt.Errorf("%s was confirmed for %d messages (calm: %t) and is %+v",
				d.id, d.messages, d.isCalm, got))
			continue
		}
		if err := s.outbox.check(d.id, got.Counts.Sent); err != nil {
			return err
		}
	}
	s.outbox.compare(s.webhook)
	return nil
}

// personMark is what each word about a person who may be erased has.
var personMark = regexp.MustCompile(`zz[0-9]+q`)

// checkErased looks for people who were erased in the bytes of the file, which the start made anew.
func (s *soak) checkErased() error {
	text, err := os.ReadFile(dataFile(s.dir))
	if err != nil {
		return fmt.Errorf("read the database: %w", err)
	}
	found := map[string]bool{}
	for _, mark := range personMark.FindAll(text, -1) {
		found[string(mark)] = true
	}
	count := 0
	for mark, at := range s.model.erasedBefore(s.server.began) {
		if found[mark] {
			if count++; count == 1 {
				s.report("erasure", fmt.Errorf("%s was erased at %s, the server was started anew at %s, and the bytes are in the file",
					mark, at.Format(clock), s.server.began.Format(clock)))
			}
		}
	}
	return nil
}

// checkSound wants the promises to hold.
func (s *soak) checkSound(ctx context.Context) error {
	var read struct {
		IntegrityReport struct {
			IsSound bool
			Checks  []struct {
				Name       string
				Violations int
				Examples   []string
			}
		}
	}
	if err := s.do(ctx, "{ integrityReport { isSound checks { name violations examples } } }", nil,
		&read); err != nil {
		return fmt.Errorf("integrityReport: %w", err)
	}
	if report := read.IntegrityReport; !report.IsSound || len(report.Checks) == 0 {
		s.report("integrityReport", fmt.Errorf("the database is not sound: %+v", report))
	}
	return nil
}

// forgetTimeout is how long after its start a server may take to delete the files that nobody
// needs.
const forgetTimeout = 20 * time.Second

// checkFiles wants no files but those of uploads and exports whose day is not over.
func (s *soak) checkFiles(ctx context.Context) error {
	for end := time.Now().Add(forgetTimeout); ; sleep(ctx, pollInterval) {
		counts, err := s.countFiles()
		if err != nil {
			return err
		}
		uploads, exports := s.spooled.mayStay()
		if counts["spool"]+counts["temp"] == 0 && counts["uploads"] <= uploads &&
			counts["exports"] <= exports {
			return nil
		}
		if time.Now().After(end) {
			s.report("leak", fmt.Errorf("files are left over: %v, with %d uploads and %d exports",
				counts, uploads, exports))
			return nil
		}
	}
}

// availabilities are the numbers of codes by state, as the server counts them.
type availabilities map[string]map[state]int

// readAvailability asks for the numbers of both coupons, while nothing changes.
func (s *soak) readAvailability(ctx context.Context) (availabilities, error) {
	found := availabilities{}
	for _, id := range []string{s.deliveries, s.tills} {
		var read struct {
			Coupon *struct {
				Availability struct{ Total, Available, Held, Assigned, Redeemed, Voided int }
			}
		}
		operation := "query($id: ID!) { coupon(id: $id) { availability { total available held assigned redeemed voided } } }"
		if err := s.do(ctx, operation, client.Variables{"id": id}, &read); err != nil {
			return nil, err
		}
		if read.Coupon == nil {
			s.report("P3", fmt.Errorf("%s is gone", id))
			continue
		}
		a := read.Coupon.Availability
		found[id] = map[state]int{
			available: a.Available + a.Held, assigned: a.Assigned, redeemed: a.Redeemed,
			voided: a.Voided, there: a.Total,
		}
	}
	return found, nil
}

// compareAvailability wants the file to have as many codes in each state as the server counted.
func (s *soak) compareAvailability(ctx context.Context, answered availabilities) error {
	d, err := openCopy(ctx, dataFile(s.dir))
	if err != nil {
		return err
	}
	counted, err := d.availability(ctx)
	if err == nil {
		compareCounts(answered, counted, s.report)
	}
	return joinClose(err, d)
}

// compareCounts compares what the server counted with what is in the file.
func compareCounts(answered, counted availabilities, report func(string, error)) {
	for id, states := range answered {
		total := 0
		for state, count := range states {
			if state == there {
				continue
			}
			total += counted[id][state]
			if got := counted[id][state]; got != count {
				report("P4", fmt.Errorf("%d codes of %s are %s, and the server counted %d", got, id,
					state, count))
			}
		}
		if total != states[there] {
			report("P4",
				fmt.Errorf("%s has %d codes, and the server counted %d", id, total, states[there]))
		}
	}
}
