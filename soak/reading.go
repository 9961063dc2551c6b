package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"couponql/client"
)

// slowReader gives a text in parts with pauses, and nothing more after some parts when the client
// goes away.
type slowReader struct {
	ctx   context.Context //nolint:containedctx // a reader has no other way to know it
	text  string
	part  int
	leave func()
	parts int
}

func (r *slowReader) Read(p []byte) (int, error) {
	if len(r.text) == 0 {
		return 0, io.EOF
	}
	if r.parts--; r.parts < 0 {
		r.leave()
		return 0, context.Canceled
	}
	sleep(r.ctx, uploadPause)
	n := copy(p[:min(len(p), r.part)], r.text)
	r.text = r.text[n:]
	return n, nil
}

func (c *caller) readStats(ctx context.Context) error {
	return c.do(ctx, `{
		redemptionStats(groupBy: [DAY, CHANNEL]) { keys stats { assigned sent redeemed byCurrency {
			currency amount } timeToRedeem { p50 } } }
		redemptionFunnel { stage count share }
		alerts(first: 10) { nodes { kind text } }
	}`, nil, nil)
}

// readAvailability wants the parts to add up at each instant.
func (c *caller) readAvailability(ctx context.Context) error {
	type availability struct{ Total, Available, Held, Assigned, Redeemed, Expired, Voided int }
	var read struct {
		Deliveries, Tills struct{ Availability availability }
	}
	operation := `query($deliveries: ID!, $tills: ID!) {
		deliveries: coupon(id: $deliveries) { ...Parts }
		tills: coupon(id: $tills) { ...Parts }
	}
	fragment Parts on Coupon { availability { total available held assigned redeemed expired voided
		} }`
	if err := c.do(ctx, operation, client.Variables{"deliveries": c.deliveries, "tills": c.tills},
		&read); err != nil {
		return err
	}
	for _, a := range []availability{read.Deliveries.Availability, read.Tills.Availability} {
		if a.Available+a.Held+a.Assigned+a.Redeemed+a.Expired+a.Voided != a.Total {
			return fmt.Errorf("the parts do not add up: %+v", a)
		}
	}
	return nil
}

// readPages reads some pages of codes in a row.
func (c *caller) readPages(ctx context.Context) error {
	var after *string
	seen := map[string]bool{}
	for range pagesInARow {
		var read struct {
			Coupon struct {
				Codes struct {
					Nodes    []struct{ ID string }
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}
		operation := `query($id: ID!, $first: Int!, $after: String) {
			coupon(id: $id) {
				codes(first: $first, after: $after) {
					totalCount pageInfo { hasNextPage endCursor }
					nodes { id value status assignedAt sentAt redeemedAt delivery { id label }
						recipient { id email } }
				}
			}
		}`
		if err := c.do(ctx, operation,
			client.Variables{"id": c.deliveries, "first": pageSize, "after": after},
			&read); err != nil {
			return err
		}
		for _, node := range read.Coupon.Codes.Nodes {
			if seen[node.ID] {
				return fmt.Errorf("%s is on two pages", node.ID)
			}
			seen[node.ID] = true
		}
		if !read.Coupon.Codes.PageInfo.HasNextPage {
			return nil
		}
		after = &read.Coupon.Codes.PageInfo.EndCursor
	}
	return nil
}

// subscribe follows redemptions and does not read what comes.
func (c *caller) subscribe(ctx context.Context) error {
	operation := "subscription { redemptionRecorded { id codeValue coupon { id label } code { id status events { kind text } } } }"
	body, err := json.Marshal(client.Request{Query: operation})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server.url+"/graphql",
		bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	c.server.client.Authorize(request)
	status, err := send(request, func(io.Reader) error {
		sleep(ctx, 500*time.Millisecond+c.upTo(3*time.Second))
		return nil
	})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("a subscription is answered with %d", status)
	}
	return err
}

// leave asks much and does not wait for the answer.
func (c *caller) leave(ctx context.Context) error {
	hasty, cancel := context.WithTimeout(ctx, time.Millisecond+c.upTo(20*time.Millisecond))
	defer cancel()
	operation := `query($id: ID!) {
		coupon(id: $id) { codes(first: 500) { totalCount nodes { id events { kind text }
			redemptions(first: 5) { nodes { id } } } } }
		redemptionStats(groupBy: [COUPON, DELIVERY, DAY]) { keys stats { redeemed timeToRedeem { p99
			} } }
	}`
	err := c.do(hasty, operation, client.Variables{"id": c.tills}, nil)
	if hasty.Err() != nil {
		return nil
	}
	return err
}

// hangUp sends half a request and goes away.
func (c *caller) hangUp(ctx context.Context) error {
	address, err := url.Parse(c.server.url)
	if err != nil {
		return err
	}
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address.Host)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(connection, "POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"query\": %s",
		address.Host, strconv.Quote("{ coupons {"))
	sleep(ctx, c.upTo(500*time.Millisecond))
	return errors.Join(err, connection.Close())
}
