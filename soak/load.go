package main

import (
	"context"
	"errors"
	"time"

	"couponql/client"
)

// kind is something that clients do: how many of them at once, between how many of two ends of the
// server one of them does it, and with what pause in between.
type kind struct {
	name    string
	clients int
	oneIn   int
	pause   time.Duration
	do      func(*caller, context.Context) error
}

var kinds = []kind{
	{"codes imported with the request", 1, 1, 300 * time.Millisecond, (*caller).importCodes},
	{"codes imported by a slow upload", 1, 2, 300 * time.Millisecond, (*caller).uploadSlowly},
	{"import canceled", 1, 2, 700 * time.Millisecond, (*caller).cancelImport},
	{"import undone", 1, 2, 500 * time.Millisecond, (*caller).undoImport},
	{"codes added", 1, 2, 100 * time.Millisecond, (*caller).addCodes},
	{
		"coupon: replace, void, archive, delete", 1, 2, 200 * time.Millisecond,
		(*caller).lifeOfCoupon,
	},
	{"delivery", 1, 2, 500 * time.Millisecond, (*caller).deliver},
	{"delivery: split, pause, stop, erase", 3, 1, 100 * time.Millisecond, (*caller).deliverLively},
	{"redeemCode", 3, 1, 10 * time.Millisecond, (*caller).redeem},
	{"redeemCode by its key again", 1, 1, 50 * time.Millisecond, (*caller).redeemByKey},
	{"redeemCode a second time", 1, 1, 50 * time.Millisecond, (*caller).redeemAgain},
	{"redeemCode of a shared code", 1, 1, 20 * time.Millisecond, (*caller).useAnonymous},
	{"redeemCodes", 1, 1, 100 * time.Millisecond, (*caller).redeemMany},
	{"redeemCode by aliases", 1, 1, 100 * time.Millisecond, (*caller).redeemByAliases},
	{"redemptions imported", 1, 2, 500 * time.Millisecond, (*caller).redeemByFile},
	{"claimCode", 2, 1, 10 * time.Millisecond, (*caller).claim},
	{"redemption reversed", 1, 2, 50 * time.Millisecond, (*caller).reverse},
	{"key ended on open connections", 1, 2, 300 * time.Millisecond, (*caller).useKey},
	{"statistics", 1, 3, 500 * time.Millisecond, (*caller).readStats},
	{"availability", 1, 2, 100 * time.Millisecond, (*caller).readAvailability},
	{"page", 1, 2, 300 * time.Millisecond, (*caller).readPages},
	{"export", 1, 2, 700 * time.Millisecond, (*caller).exportSome},
	{"backup", 1, 3, 1500 * time.Millisecond, (*caller).exportBackup},
	{"SQL", 1, 3, 500 * time.Millisecond, (*caller).askSQL},
	{"subscription that stalls", 2, 2, 200 * time.Millisecond, (*caller).subscribe},
	{"query left in the middle", 1, 3, 300 * time.Millisecond, (*caller).leave},
	{"request left in the middle", 1, 2, 200 * time.Millisecond, (*caller).hangUp},
}

const (
	importRows    = 400
	addedCodes    = 20
	redeemedCodes = 50
	// sharedLimit is how often a code that many share may be redeemed.
	sharedLimit  = 40
	peopleAtOnce = 20
	pageSize     = 100
	pagesInARow  = 5
	// uploadParts is in how many parts a slow upload comes, with uploadPause between them.
	uploadParts = 8
	uploadPause = 40 * time.Millisecond
)

// driveOne is one client that does the same over and over.
func (s *soak) driveOne(ctx context.Context, k *kind, c *caller) {
	// Not everybody begins at once, and not always at all.
	if !s.isSteady && !c.oneIn(k.oneIn) {
		return
	}
	sleep(ctx, c.upTo(k.pause))
	for ctx.Err() == nil && !c.server.hasEnded() {
		began := time.Now()
		err := k.do(c, ctx)
		if errors.Is(err, errNothingToDo) {
			sleep(ctx, k.pause)
			continue
		}
		o := s.judge(ctx, c.server, err)
		s.counts.record(k.name, o, time.Since(began))
		if o == failed {
			s.report("answers", &deedError{k.name, err})
		}
		sleep(ctx, k.pause+c.upTo(k.pause+1))
	}
}

// judge tells what became of a deed.
func (s *soak) judge(ctx context.Context, server *server, err error) outcome {
	problem, isAnswer := errors.AsType[*client.Error](err)
	switch {
	case err == nil:
		return done
	case ctx.Err() != nil || server.isDying.Load():
		return interrupted
	case isAnswer && problem.Extensions.Code == "UNAVAILABLE", s.isDiskFull.Load():
		return refused
	case server.endsSoon(ctx):
		// That it ended is reported once.
		return interrupted
	}
	return failed
}

// deedError is what a client was answered that nothing explains.
type deedError struct {
	deed string
	err  error
}

func (e *deedError) Error() string { return e.deed + ": " + e.err.Error() }

func (e *deedError) Unwrap() error { return e.err }

// sleep waits, or until nobody wants more.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
