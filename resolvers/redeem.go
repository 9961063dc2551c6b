package resolvers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"couponql/access"
	"couponql/coupon"
	"couponql/db"
	"couponql/graph"
)

// redeem redeems codes in one step and gives what became of each, in their order.
func (r *Resolver) redeem(ctx context.Context, inputs []*graph.RedeemCodeInput) ([]db.RedeemOutcome, error) {
	outcomes := make([]db.RedeemOutcome, len(inputs))
	caller := access.CallerOf(ctx)
	if wait := r.guard.MayGuess(caller); wait > 0 {
		return nil, &guessesError{wait}
	}
	requests := make([]*coupon.RedeemRequest, 0, len(inputs))
	places := make([]int, 0, len(inputs))
	for i, input := range inputs {
		request, err := r.redeemRequest(input)
		if err != nil {
			outcomes[i].Refusal = err
			continue
		}
		requests, places = append(requests, request), append(places, i)
	}
	done, err := r.store.RedeemAll(ctx, requests)
	hits, misses := 0, 0
	for i, outcome := range done {
		outcomes[places[i]] = outcome
		if outcome.Redemption != nil {
			hits++
		} else if isUnknownCode(outcome.Refusal) {
			misses++
		}
	}
	r.guard.Guessed(caller, hits, misses)
	return outcomes, err
}

// guessesError says that a caller has asked about too many codes that do not exist.
type guessesError struct{ wait time.Duration }

// Error says what to do.
func (e *guessesError) Error() string {
	return fmt.Sprintf("You have asked about too many codes that do not exist. Try again in %s.", roundUp(e.wait))
}

// isUnknownCode tells whether a refusal says that there is no such code.
func isUnknownCode(err error) bool {
	problems, isUser := coupon.AsUserErrors(err)
	return isUser && len(problems) > 0 && problems[0].Code == coupon.ErrorCodeUnknown
}

// guess looks something up by a code that may not exist, unless the caller has missed too often.
func guess[T any](ctx context.Context, guard *access.Guard, look func() (found T, isUnknown bool, err error)) (T, error) {
	caller := access.CallerOf(ctx)
	if wait := guard.MayGuess(caller); wait > 0 {
		var none T
		return none, &guessesError{wait}
	}
	found, isUnknown, err := look()
	if isUnknown {
		guard.Guessed(caller, 0, 1)
	}
	return found, err
}

type aliasesKey struct{}

// withAliases gives a context in which the fields redeemCode of one mutation share a step to the disk.
func withAliases(ctx context.Context) context.Context {
	return context.WithValue(ctx, aliasesKey{}, map[string]db.RedeemOutcome{})
}

// redeemAliased redeems the code of the field that is being resolved: with it, those of the fields behind it, whose
// turn then finds their outcome here. Fields of a mutation are resolved one after the other, so nothing is shared.
func (r *Resolver) redeemAliased(ctx context.Context, input *graph.RedeemCodeInput) (db.RedeemOutcome, error) {
	done, _ := ctx.Value(aliasesKey{}).(map[string]db.RedeemOutcome)
	alias := graphql.GetFieldContext(ctx).Field.Alias
	if outcome, isDone := done[alias]; isDone {
		return outcome, nil
	}
	aliases, inputs := followingRedemptions(ctx)
	aliases, inputs = append([]string{alias}, aliases...), append([]*graph.RedeemCodeInput{input}, inputs...)
	outcomes, err := r.redeem(ctx, inputs)
	if err != nil {
		return db.RedeemOutcome{}, err
	}
	for i, outcome := range outcomes {
		done[aliases[i]] = outcome
	}
	return done[alias], nil
}

// followingRedemptions gives the alias and the input of the fields redeemCode that stand right behind the one that is being
// resolved. A field whose input cannot be read ends the row; its turn tells what is wrong with it.
func followingRedemptions(ctx context.Context) (aliases []string, inputs []*graph.RedeemCodeInput) {
	operation, current := graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field
	fields := graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Mutation"})
	place := slices.IndexFunc(fields, func(field graphql.CollectedField) bool { return field.Alias == current.Alias })
	for _, field := range fields[place+1:] {
		if field.Name != current.Name {
			break
		}
		input := &graph.RedeemCodeInput{}
		if err := graphql.UnmarshalNamedInputFromContext(ctx, "RedeemCodeInput", field.ArgumentMap(operation.Variables)["input"], input); err != nil {
			break
		}
		aliases, inputs = append(aliases, field.Alias), append(inputs, input)
	}
	return aliases, inputs
}

// followRedemptions sends the redemptions that are recorded from now on, of one coupon or of all.
func followRedemptions(ctx context.Context, store *db.Store, couponID *coupon.ID) (<-chan *coupon.Redemption, error) {
	place, changed, stop := store.WatchRedemptions()
	id := or(couponID, "")
	if couponID != nil {
		found, err := store.CouponsByID(ctx, []coupon.ID{id})
		if err == nil && found[id] == nil {
			err = coupon.NotFound(coupon.KindCoupon, id).At("couponId")
		}
		if err != nil {
			stop()
			return nil, err
		}
	}
	events := make(chan *coupon.Redemption)
	go func() {
		defer stop()
		defer close(events)
		for {
			redemptions, next, err := store.Recorded(ctx, place, id)
			if err != nil {
				// The client is gone, or the store is: either way nothing more comes.
				return
			}
			for _, redemption := range redemptions {
				select {
				case events <- redemption:
				case <-ctx.Done():
					return
				}
			}
			if place == next && !wait(ctx, changed, nil) {
				return
			}
			place = next
		}
	}()
	return events, nil
}
