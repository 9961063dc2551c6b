package resolvers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"couponql/access"
	"couponql/background"
	"couponql/coupon"
	"couponql/db"
	"couponql/graph"
)

// redeem redeems codes in one step and gives what became of each, in their order. From where the
// caller has guessed too often nothing is looked at any more, and each is refused as that. audits
// has the entry of the audit log about each; nil: that of the context is about all.
func (r *Resolver) redeem(
	ctx context.Context, inputs []*graph.RedeemCodeInput, audits []*db.Audited,
) ([]db.RedeemOutcome, error) {
	outcomes := make([]db.RedeemOutcome, len(inputs))
	caller := access.CallerOf(ctx)
	values := make([]string, len(inputs))
	for i, input := range inputs {
		values[i] = input.Value
	}
	allowed, wait := r.guard.Ask(caller, r.store.UnknownCodes(values))
	if allowed == 0 && len(rootFields(ctx)) == 1 {
		return nil, &guessesError{wait}
	}
	for i := range outcomes[allowed:] {
		outcomes[allowed+i].Refusal = coupon.Errorf(coupon.ErrorRateLimited,
			"%s This code was not looked at.", (&guessesError{wait}).Error()).
			At("input", "value")
	}
	requests, places := make([]*coupon.RedeemRequest, 0, allowed), make([]int, 0, allowed)
	var audited []*db.Audited
	for i, input := range inputs[:allowed] {
		request, err := r.redeemRequest(input)
		if err != nil {
			outcomes[i].Refusal = err
			continue
		}
		request.Caller = caller.Name
		requests, places = append(requests, request), append(places, i)
		if audits != nil {
			audited = append(audited, audits[i])
		}
	}
	if audits != nil {
		ctx = db.WithAuditOfEach(ctx, audited)
	}
	done, err := r.store.RedeemAll(ctx, requests)
	spent, reusable := 0, 0
	for i, outcome := range done {
		outcomes[places[i]] = outcome
		switch {
		case outcome.Redemption == nil || outcome.IsRepeated:
		case outcome.IsSpent:
			spent++
		default:
			reusable++
		}
	}
	r.guard.Redeemed(caller, spent, reusable)
	return outcomes, err
}

// guessesError says that a caller has asked about too many codes that do not exist.
type guessesError struct{ wait time.Duration }

// Error says what to do.
func (e *guessesError) Error() string {
	return fmt.Sprintf("You have asked about too many codes that do not exist. Try again in %s.",
		roundUp(e.wait))
}

// guess looks up a code that may not exist, unless the caller has guessed too often.
func guess[T any](ctx context.Context, r *Resolver, value string, look func() (T, error)) (
	T, error,
) {
	if allowed, wait := r.guard.Ask(access.CallerOf(ctx),
		r.store.UnknownCodes([]string{value})); allowed == 0 {
		var none T
		return none, &guessesError{wait}
	}
	return look()
}

// ofPlace returns the problems of one redemption, or claim, as those of its place in a list of the
// input. Others may hold the problems.
func ofPlace(problems []*coupon.UserError, list string, place int) []*coupon.UserError {
	placed := make([]*coupon.UserError, len(problems))
	for i, problem := range problems {
		one := *problem
		one.Field = slices.Concat([]string{"input", list, strconv.Itoa(place)},
			problem.Field[1:])
		placed[i] = &one
	}
	return placed
}

// reverse takes a redemption back. To a caller who may take back some only, an id or a reference of
// another one is a guess, as one is that nothing has.
func (r *Resolver) reverse(ctx context.Context, input *graph.ReverseRedemptionInput) (
	*coupon.Redemption, error,
) {
	caller, id, reference, value := access.CallerOf(ctx), input.ID.Value(), input.Reference.Value(),
		input.Value.Value()
	if (id == nil) == (reference == nil) || value != nil && reference == nil {
		return nil, coupon.Errorf(coupon.ErrorInvalid, "Give the id of the redemption, or its reference, with the value of the code if several have it.").
			At("input")
	}
	reverse := func() (*coupon.Redemption, error) {
		if id != nil {
			return r.store.Reverse(ctx, caller, *id, input.Reason.Value())
		}
		return r.store.ReverseReferenced(ctx, caller, *reference, value, input.Reason.Value())
	}
	if caller.Role != coupon.RoleRedeemer {
		return reverse()
	}
	if allowed, wait := r.guard.Ask(caller, []bool{true}); allowed == 0 {
		return nil, &guessesError{wait}
	}
	redemption, err := reverse()
	if problems, isUser := coupon.AsUserErrors(err); !isUser ||
		problems[0].Code != coupon.ErrorNotFound {
		r.guard.Found(caller)
	}
	if err == nil {
		r.guard.Reversed(caller)
	}
	return redemption, err
}

// aliases has what was done for fields redeemCode of one mutation before their turn: those that
// stand side by side share a step to the disk. Fields of a mutation are resolved one after the
// other, so nothing is shared.
type aliases struct {
	auditor  *auditor
	outcomes map[string]db.RedeemOutcome
	// audits has the entries of the audit log that went with the step.
	audits map[string]*db.Audited
}

type aliasesKey struct{}

// withAliases returns a context of one operation.
func withAliases(ctx context.Context, a *auditor) context.Context {
	return context.WithValue(ctx, aliasesKey{},
		&aliases{a, map[string]db.RedeemOutcome{}, map[string]*db.Audited{}})
}

func aliasesOf(ctx context.Context) *aliases {
	known, _ := ctx.Value(aliasesKey{}).(*aliases)
	return known
}

// redeemAliased redeems the code of the field that is being resolved: with it, those of the fields
// behind it, whose turn then finds their outcome here.
func (r *Resolver) redeemAliased(ctx context.Context, input *graph.RedeemCodeInput) (
	db.RedeemOutcome, error,
) {
	known, current := aliasesOf(ctx), graphql.GetFieldContext(ctx).Field
	if outcome, isDone := known.outcomes[current.Alias]; isDone {
		return outcome, nil
	}
	fields, inputs := followingRedemptions(ctx)
	fields, inputs = append([]graphql.CollectedField{current},
		fields...), append([]*graph.RedeemCodeInput{input}, inputs...)
	audits := make([]*db.Audited, len(fields))
	for i, field := range fields {
		audited := db.AuditedOf(ctx)
		if i > 0 {
			var err error
			if audited, err = known.auditor.begin(ctx, field); err != nil {
				return db.RedeemOutcome{}, err
			}
			known.audits[field.Alias] = audited
		}
		audits[i] = audited
	}
	outcomes, err := r.redeem(ctx, inputs, audits)
	if err != nil {
		return db.RedeemOutcome{}, err
	}
	for i, outcome := range outcomes {
		known.outcomes[fields[i].Alias] = outcome
	}
	return known.outcomes[current.Alias], nil
}

// rootFields returns the fields of the operation of a context, a mutation.
func rootFields(ctx context.Context) []graphql.CollectedField {
	operation := graphql.GetOperationContext(ctx)
	return graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Mutation"})
}

// followingRedemptions returns the fields redeemCode that stand right behind the one that is being
// resolved, and their inputs. A field whose input cannot be read ends the row; its turn tells what
// is wrong with it.
func followingRedemptions(ctx context.Context) (
	following []graphql.CollectedField, inputs []*graph.RedeemCodeInput,
) {
	operation, current := graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field
	fields := rootFields(ctx)
	place := slices.IndexFunc(fields,
		func(field graphql.CollectedField) bool { return field.Alias == current.Alias })
	for _, field := range fields[place+1:] {
		if field.Name != current.Name {
			break
		}
		input := &graph.RedeemCodeInput{}
		if err := graphql.UnmarshalNamedInputFromContext(ctx, "RedeemCodeInput",
			field.ArgumentMap(operation.Variables)["input"], input); err != nil {
			break
		}
		following, inputs = append(following, field), append(inputs, input)
	}
	return following, inputs
}

// followRedemptions sends the redemptions that are recorded from now on, of one coupon or of all.
func followRedemptions(ctx context.Context, store *db.Store, couponID *coupon.ID) (
	<-chan *coupon.Redemption, error,
) {
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
	background.Go(func() error {
		for {
			redemptions, next, err := store.Recorded(ctx, place, id)
			if err != nil {
				return err
			}
			for _, redemption := range redemptions {
				select {
				case events <- redemption:
				case <-ctx.Done():
					return nil
				}
			}
			if place == next && !wait(ctx, changed, nil) {
				return nil
			}
			place = next
		}
	}, func(err error) {
		endStream(ctx, err)
		close(events)
		stop()
	})
	return events, nil
}
