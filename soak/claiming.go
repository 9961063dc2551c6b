package main

import (
	"context"
	"errors"
	"fmt"

	"couponql/client"
)

// claims are who claimed a code, as far as that was acknowledged.
type claims struct {
	// codes are those of people, and people those who have them.
	codes, people map[string]string
	// asked are people for whom a code was claimed, whatever came of it.
	asked []string
}

const (
	// claimsAsked is for how many people a code is claimed once more, the latest.
	claimsAsked = 500
	// claimStock is how many codes come into the pool at once.
	claimStock = 40
)

// claim claims a code for somebody new, or once more for somebody who may have one: the same as
// long as nobody redeems it.
func (c *caller) claim(ctx context.Context) error {
	if c.oneIn(claimStock) {
		if err := c.generateFor(ctx, c.claimed, claimStock); err != nil {
			return err
		}
	}
	person := c.claimant()
	change := c.model.begin("claimCode", move{"recipient " + person, there})
	var answer struct {
		Code  struct{ Value string }
		IsNew bool
	}
	err := change.answered(c.mutate(ctx, "claimCode", "code { value } isNew", person,
		map[string]any{
			"couponId": c.claimed, "recipient": map[string]any{"externalId": person},
		}, &answer))
	if problem, isProblem := errors.AsType[*client.UserError](err); isProblem &&
		problem.Code == "INSUFFICIENT_CODES" {
		return c.generateFor(ctx, c.claimed, claimStock)
	}
	if err == nil {
		c.keepClaim(person, answer.Code.Value, answer.IsNew)
	}
	return err
}

// claimant returns somebody to claim a code for.
func (c *caller) claimant() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.shelf.claims.asked
	if len(asked) > 0 && !c.oneIn(3) {
		return asked[c.random.IntN(len(asked))]
	}
	person := c.mark()
	asked = append(asked, person)
	c.shelf.claims.asked = asked[max(0, len(asked)-claimsAsked):]
	return person
}

// keepClaim notes who has which code: each person one, and each code one person.
func (c *caller) keepClaim(person, code string, isNew bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := &c.shelf.claims
	if before := known.codes[person]; before != "" && (before != code || isNew) {
		c.report("P1", fmt.Errorf("%s claimed %s, and then %s (new: %t)", person, before, code,
			isNew))
	}
	if holder := known.people[code]; holder != "" && holder != person {
		c.report("P1", fmt.Errorf("%s was claimed by %s, and by %s", code, holder, person))
	}
	known.codes[person], known.people[code] = code, person
}
