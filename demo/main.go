// The program demo fills a running couponql server that is still empty with the data of an invented
// sports shop, so that there is something to look at. `make demo` runs it.
//
// It is also an example of how to use the server: everything goes through the public GraphQL API, with
// the standard library alone, and each request is a file of its own in operations.
//
// # The story of the shop
//
// A summer campaign began eight weeks ago. Its kick-off coupon has one code for everybody; the use of
// it in the web shop is imported from a file. Flyers, each with a code of its own, were handed out in
// the shop; the tills report which came back. A third coupon has codes for each sport. Of the deliveries
// two are sent, one waits to be confirmed, one waits for its day, and one lacks codes.
//
// What the server does itself, it does now: codes are assigned when this program runs. Redemptions of
// the past weeks are therefore those of the kick-off's code and of flyers, which need no assignment;
// the codes that a delivery assigned are redeemed at once.
//
// The data is the same at each run on one day; only the codes that the server generates differ.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // The shop's time zone is known on machines without a database of zones, too.

	"couponql/client"
)

// shopZone is where the shop is.
const shopZone = "Europe/Berlin"

func main() {
	address := flag.String("url", "http://127.0.0.1:8080", "address of the server")
	key := flag.String("key", os.Getenv("COUPONQL_KEY"), "key to show to the server; better given by COUPONQL_KEY")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *address, *key)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address, key string) error {
	zone, err := time.LoadLocation(shopZone)
	if err != nil {
		return fmt.Errorf("load time zone: %w", err)
	}
	now := time.Now()
	l := &loader{client: client.New(address, key), shop: newShop(now, zone), out: os.Stdout, poll: pollInterval, lap: now}
	return l.load(ctx)
}
