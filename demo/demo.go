// Package demo gives an empty couponql server the last two months of an invented sports shop, so
// that there is something to look at. `couponql demo` runs it against a server of its own, whose
// clock it moves.
//
// It is also an example of how to use the server: everything goes through the public GraphQL API,
// with the standard library alone, and each request is a file of its own in operations. Nothing is
// dated back: what the server does, it does at that moment of the clock.
//
// # The story of the shop
//
// A summer campaign began two months ago. Its kick-off coupon has one code for everybody, and two
// text messages spread it. Flyers, each with a code of its own, were handed out in the shop; every
// week the tills report which came back. A third coupon has codes for each sport, which two e-mails
// with different subjects, a text message and a card by post gave away. Whoever has a birthday gets
// a code of a fourth one, whose pool runs dry. The web shop redeems its orders of a day at
// midnight, and takes some back. Of the deliveries one waits to be confirmed, one waits for its
// day, and one lacks codes.
//
// The data is the same at each run on one day, but for the codes that the server generates and for
// parts of a minute. The last thing happens as the day begins, so that nothing lies in the future.
package demo

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
	_ "time/tzdata" // The shop's time zone is known on machines without a database of zones, too.

	"couponql/client"
)

// Zone is where the shop is, and HoldDuration how long its deliveries hold their codes: whoever
// looks at the data a few days later still finds one that can be confirmed.
const (
	Zone         = "Europe/Berlin"
	HoldDuration = 5 * 24 * time.Hour
)

// Options says where the history goes.
type Options struct {
	// Client speaks with an empty server that goes by Clock.
	Client *client.Client
	Clock  *Clock
	// Now is when the history ends: it tells the day.
	Now time.Time
	// Out is told what happened; nobody has to read it.
	Out io.Writer
}

// Load lets everything happen, one thing after the other. It returns what the server refused, and
// an error when what came of it is not what the story says.
func Load(ctx context.Context, options *Options) error {
	zone, err := time.LoadLocation(Zone)
	if err != nil {
		return fmt.Errorf("load time zone: %w", err)
	}
	l := &loader{Options: options, shop: newShop(options.Now, zone), draws: stream(drawStream)}
	l.plan()
	return l.run(ctx)
}

// Clock goes as fast as the machine's, from wherever it was set last. It never goes back, and it is
// safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	// set is what it was set to, at the machine's setAt.
	set, setAt time.Time
}

// NewClock returns a clock that goes from an instant that lies before everything that Load does.
func NewClock(now time.Time) *Clock {
	return &Clock{set: now.AddDate(0, 0, -campaignDays-2), setAt: time.Now()}
}

// Now tells the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time { return c.set.Add(time.Since(c.setAt)) }

// advance sets the clock to an instant, unless it is later already.
func (c *Clock) advance(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if to.After(c.now()) {
		c.set, c.setAt = to, time.Now()
	}
}
