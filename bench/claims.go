package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"

	"couponql/coupon"
)

const (
	// leastClaims is the promised rate of claims in redemptions, with as many callers.
	leastClaims = 0.9
	// claimShare is how many codes of the tills' pool there are for each code that can be claimed.
	claimShare = 2
)

// claimers claim codes of a pool of their own.
type claimers struct {
	*tills

	couponID string
	// next is the number of the next person, of the first known ones unless that is 0; otherwise
	// end is that of the first one who is for others.
	next  atomic.Int64
	known int64
	end   int64
}

// measureClaims claims codes at the storage layer and over HTTP, for people who are known, who have
// a code and who are new, beside redemptions.
func (t *tills) measureClaims(ctx context.Context) error {
	couponID, err := t.newCoupon(ctx, "Claims", false)
	if err != nil {
		return err
	}
	size := max(t.options.tills/claimShare, 1)
	err = t.server.ask(ctx, `mutation($input: GenerateCodesInput!) { generateCodes(input: $input) { generatedCount userErrors { message } } }`,
		input(variables{"couponId": couponID, "count": size, "pattern": "CLAIM-########"}), nil)
	if err != nil {
		return err
	}
	people := filepath.Join(filepath.Dir(t.path), "claimers.csv")
	err = writeFile(people, "external id", size, func(line []byte, i int) []byte {
		return fmt.Appendf(line, "claimer-%d\n", i+1)
	})
	if err != nil {
		return err
	}
	if err := t.server.importFile(ctx, "importRecipients", variables{}, people, size); err != nil {
		return err
	}
	c := &claimers{tills: t, couponID: couponID}
	// The first claim reads who is known.
	c.end = 2
	if _, err := c.claimInStore(ctx); err != nil {
		return fmt.Errorf("claim a code: %w", err)
	}
	steps := []struct {
		name    string
		claim   func(context.Context) (bool, error)
		compare float64
	}{
		{"claim at the storage layer", c.claimInStore, t.rates[maxCallers]},
		{"claimCode over HTTP", c.claimOverHTTP, t.httpRate},
		{"claimCode over HTTP, people who have a code", c.claimOverHTTP, t.httpRate},
		{"claimCode over HTTP, people who are new", c.claimOverHTTP, t.httpRate},
	}
	part := int64(max(size/(len(steps)-1), 1))
	for i, step := range steps {
		switch i {
		case 2:
			c.known = c.next.Load()
		case 3:
			c.known = 0
			c.next.Store(int64(size))
		}
		c.end = c.next.Load() + part
		name := fmt.Sprintf("%s, %d at once", step.name, maxCallers)
		var l load
		err := t.profiled(name, func() error {
			for range t.options.runs {
				if err := l.call(maxCallers,
					func() (bool, error) { return step.claim(ctx) }); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		t.add(newResult(name, "/s", l.rate(), 0, goal{}))
		t.add(newResult("  in redemptions", "", l.rate()/step.compare, 0,
			goal{least: leastClaims}))
		t.addTimes(&l, goal{}, goal{})
	}
	return nil
}

// person returns somebody who has not claimed yet, while there are any, or who has when known is
// set.
func (c *claimers) person() (externalID string, more bool) {
	number := c.next.Add(1)
	more = c.known > 0 || number < c.end
	if c.known > 0 {
		number = number%c.known + 1
	}
	return fmt.Sprintf("claimer-%d", number), more
}

func (c *claimers) claimInStore(ctx context.Context) (more bool, err error) {
	id := coupon.ID(c.couponID)
	person, more := c.person()
	if !more {
		return false, nil
	}
	_, err = c.server.store.Claim(ctx, &coupon.ClaimRequest{
		CouponID: &id, Recipient: &coupon.RecipientChanges{ExternalID: person},
		IfHeld: coupon.IfHeldSame,
	})
	return c.goesOn(err)
}

// goesOn ends a measurement when no code is left.
func (c *claimers) goesOn(err error) (bool, error) {
	if problems, isUser := coupon.AsUserErrors(err); isUser &&
		problems[0].Code == coupon.ErrorInsufficientCodes {
		return false, nil
	}
	return err == nil, err
}

func (c *claimers) claimOverHTTP(ctx context.Context) (more bool, err error) {
	var answer struct {
		ClaimCode struct {
			Code *struct{ Value string }
		}
	}
	person, more := c.person()
	if !more {
		return false, nil
	}
	err = c.server.ask(ctx, "mutation($input: ClaimCodeInput!) { claimCode(input: $input) { code { value } isNew } }",
		input(variables{
			"couponId": c.couponID, "recipient": variables{"externalId": person},
		}), &answer)
	return err == nil && answer.ClaimCode.Code != nil, err
}
