package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"couponql/client"
)

// shelf holds what clients work with: each thing is in the hands of one client at a time.
//
// redeemable are codes that nobody asked to redeem yet. redemptions were acknowledged. retries were
// not answered, and are to be asked for once more.
type shelf struct {
	redeemable  []string
	redemptions []redemption
	retries     []redemption
	claims      claims
}

// redemption is one that was asked for, by its code and its reference, which is its idempotency key
// too. id is "" while it is not known.
type redemption struct{ code, reference, id string }

func (s *soak) putCodes(codes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shelf.redeemable = append(s.shelf.redeemable, codes...)
}

// takeCodes returns at most so many codes that nobody redeemed.
func (s *soak) takeCodes(count int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return takeLast(&s.shelf.redeemable, count)
}

func takeLast[T any](from *[]T, count int) []T {
	all := *from
	count = min(count, len(all))
	taken := append([]T(nil), all[len(all)-count:]...)
	*from = all[:len(all)-count]
	return taken
}

// newRedemptions makes a redemption of each of at most so many codes.
func (c *caller) newRedemptions(count int) []redemption {
	codes := c.takeCodes(count)
	found := make([]redemption, len(codes))
	for i, code := range codes {
		found[i] = redemption{code: code, reference: c.mark()}
	}
	return found
}

func (r *redemption) input() map[string]any {
	return map[string]any{
		"value": r.code, "reference": r.reference, "idempotencyKey": r.reference, "amount": "12.50",
		"currency": "EUR",
	}
}

// begin begins redemptions in the model.
func (c *caller) beginRedeem(deed string, all []redemption) *change {
	var made []move
	for _, r := range all {
		made = append(made, move{"redemption " + r.reference, live},
			move{"code " + r.code, redeemed})
	}
	return c.model.begin(deed, made...)
}

// keepRedemptions notes those that were acknowledged, or that nobody answered for.
func (c *caller) keepRedemptions(err error, all []redemption) {
	for _, r := range all {
		if r.id != "" {
			c.model.give(r.id, "redemption "+r.reference)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.shelf.redemptions = append(c.shelf.redemptions, all...)
	} else {
		c.shelf.retries = append(c.shelf.retries, all...)
	}
}

type redeemedCode struct {
	Redemption *struct{ ID string }
	UserErrors []*client.UserError
}

func (c *caller) redeem(ctx context.Context) error {
	all := c.newRedemptions(1)
	if len(all) == 0 {
		return errNothingToDo
	}
	return c.redeemOne(ctx, "redeemCode", &all[0])
}

func (c *caller) redeemOne(ctx context.Context, deed string, r *redemption) error {
	change := c.beginRedeem(deed, []redemption{*r})
	var answer redeemedCode
	err := change.answered(
		c.mutate(ctx, "redeemCode", "redemption { id }", r.reference, r.input(), &answer),
	)
	if err == nil {
		if r.id != "" && r.id != answer.Redemption.ID {
			c.report("P2", fmt.Errorf(
				"%s was redeemed as %s with the key %s, and with the same key as %s", r.code, r.id,
				r.reference, answer.Redemption.ID,
			))
		}
		r.id = answer.Redemption.ID
	}
	c.keepRedemptions(err, []redemption{*r})
	return err
}

// redeemByKey repeats a redemption with its idempotency key: one that was not answered has to be
// done or to be there, and one that was answered is the same.
func (c *caller) redeemByKey(ctx context.Context) error {
	c.mu.Lock()
	taken := takeLast(&c.shelf.retries, 1)
	if len(taken) == 0 {
		taken = takeLast(&c.shelf.redemptions, 1)
	}
	c.mu.Unlock()
	if len(taken) == 0 {
		return errNothingToDo
	}
	return c.redeemOne(ctx, "redeemCode by key", &taken[0])
}

// redeemAgain tries to redeem a code twice.
func (c *caller) redeemAgain(ctx context.Context) error {
	c.mu.Lock()
	taken := takeLast(&c.shelf.redemptions, 1)
	c.mu.Unlock()
	if len(taken) == 0 {
		return errNothingToDo
	}
	defer c.keepRedemptions(nil, taken)
	err := c.do(ctx, mutation("redeemCode", "redemption { id }"),
		client.Input(map[string]any{"value": taken[0].code}), nil)
	problem, isProblem := errors.AsType[*client.UserError](err)
	switch {
	case err == nil:
		c.report("P2",
			fmt.Errorf("%s was redeemed as %s, and once more", taken[0].code, taken[0].reference))
	case isProblem && problem.Code == "CODE_ALREADY_REDEEMED":
		return nil
	}
	return err
}

func (c *caller) redeemMany(ctx context.Context) error {
	all := c.newRedemptions(redeemedCodes)
	if len(all) == 0 {
		return errNothingToDo
	}
	change := c.beginRedeem("redeemCodes", all)
	var inputs []map[string]any
	for _, r := range all {
		inputs = append(inputs, r.input())
	}
	var answer struct{ Results []redeemedCode }
	err := change.answered(c.mutate(ctx, "redeemCodes",
		"results { redemption { id } userErrors { code } }", all[0].reference,
		map[string]any{"redemptions": inputs}, &answer))
	for i := range answer.Results {
		err = c.takeRedeemed(&all[i], answer.Results[i], err)
	}
	c.keepRedemptions(err, all)
	return err
}

func (*caller) takeRedeemed(r *redemption, got redeemedCode, err error) error {
	if got.Redemption == nil {
		return errors.Join(err, fmt.Errorf("%s is not redeemed: %v", r.code, got.UserErrors))
	}
	r.id = got.Redemption.ID
	return err
}

// redeemByAliases redeems some codes with one request of many mutations.
func (c *caller) redeemByAliases(ctx context.Context) error {
	all := c.newRedemptions(redeemedCodes)
	if len(all) == 0 {
		return errNothingToDo
	}
	change := c.beginRedeem("redeemCode by alias", all)
	var head, body strings.Builder
	vars := client.Variables{}
	for i := range all {
		fmt.Fprintf(&head, "$i%d: RedeemCodeInput! ", i)
		fmt.Fprintf(&body,
			"a%d: redeemCode(input: $i%d) { redemption { id } userErrors { code message field } } ", i, i)
		vars[fmt.Sprintf("i%d", i)] = all[i].input()
	}
	var answer map[string]redeemedCode
	err := c.do(ctx, "mutation("+head.String()+") { "+body.String()+"}", vars, &answer)
	if err == nil {
		// A refusal may be of some alone.
		change.done()
	}
	for i := range all {
		if err != nil {
			break
		}
		all[i].id = answer[fmt.Sprintf("a%d", i)].Redemption.ID
		c.model.acknowledge("redeemCode", all[i].reference)
	}
	c.keepRedemptions(err, all)
	return err
}

// redeemByFile records redemptions that happened elsewhere.
func (c *caller) redeemByFile(ctx context.Context) error {
	all := c.newRedemptions(redeemedCodes)
	if len(all) == 0 {
		return errNothingToDo
	}
	var text strings.Builder
	text.WriteString("code,redeemed on,order\n")
	var made []move
	for _, r := range all {
		fmt.Fprintf(&text, "%s,2026-03-01,%s\n", r.code, r.reference)
		made = append(made, move{"redemption " + r.reference, live},
			move{"code " + r.code, redeemed})
	}
	// A row of a code that does not exist is rejected.
	text.WriteString("NO SUCH CODE,2026-03-01,nobody\n")
	_, err := c.importFile(ctx, "importRedemptions", map[string]any{}, text.String(),
		importing{read: len(all) + 1, imported: len(all)}, made...)
	return err
}

// reverse takes a redemption back: nobody holds the code, so that it is voided.
func (c *caller) reverse(ctx context.Context) error {
	c.mu.Lock()
	taken := takeLast(&c.shelf.redemptions, 1)
	c.mu.Unlock()
	if len(taken) == 0 {
		return errNothingToDo
	}
	r := taken[0]
	reason := c.mark()
	change := c.model.begin("reverseRedemption", move{"redemption " + r.reference, reversed},
		move{"code " + r.code, voided})
	return change.answered(c.mutate(ctx, "reverseRedemption", "redemption { id }", reason,
		map[string]any{"id": r.id, "reason": reason}, nil))
}

// useAnonymous redeems the code of a coupon that many share, more often than it may be.
func (c *caller) useAnonymous(ctx context.Context) error {
	if c.oneIn(sharedLimit) {
		label := c.mark()
		change := c.model.begin("createCoupon", move{"coupon " + label, there})
		var made struct{ Coupon struct{ ID, Code string } }
		in := map[string]any{
			"label": label, "type": "ANONYMOUS", "startsAt": "2020-01-01",
			"redemptionLimit": sharedLimit,
		}
		if err := change.answered(c.mutate(ctx, "createCoupon", "coupon { id code }", label, in,
			&made)); err != nil {
			return err
		}
		c.model.give(made.Coupon.ID, "coupon "+label)
		c.shared.Store(&made.Coupon.Code)
	}
	code := c.shared.Load()
	if code == nil {
		return errNothingToDo
	}
	r := redemption{code: *code, reference: c.mark()}
	change := c.model.begin("redeemCode of many", move{"redemption " + r.reference, live})
	var answer redeemedCode
	err := change.answered(
		c.mutate(ctx, "redeemCode", "redemption { id }", r.reference, r.input(), &answer),
	)
	if problem, isProblem := errors.AsType[*client.UserError](err); isProblem &&
		problem.Code == "REDEMPTION_LIMIT_REACHED" {
		return nil
	}
	if err == nil {
		c.model.give(answer.Redemption.ID, "redemption "+r.reference)
	}
	return err
}
