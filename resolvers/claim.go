package resolvers

import (
	"context"

	"couponql/access"
	"couponql/coupon"
	"couponql/graph"
)

// claimAll claims codes in one step and adds what became of each to the payload.
func (r *Resolver) claimAll(
	ctx context.Context, inputs []*graph.ClaimCodeInput, payload *graph.ClaimCodesPayload,
) error {
	requests := make([]*coupon.ClaimRequest, len(inputs))
	for i, input := range inputs {
		requests[i] = claimRequest(access.CallerOf(ctx), input)
	}
	outcomes, err := r.store.ClaimAll(ctx, requests)
	if err != nil {
		return err
	}
	var ids []coupon.ID
	for _, outcome := range outcomes {
		if outcome.Refusal == nil {
			ids = append(ids, outcome.CodeID)
		}
	}
	// All codes are read together.
	codes, err := r.codesByID(ctx, ids)
	if err != nil {
		return err
	}
	for i, outcome := range outcomes {
		problems, err := userErrors(outcome.Refusal)
		if err != nil {
			return err
		}
		result := &graph.ClaimCodePayload{
			IsNew: outcome.IsNew, EndsAt: dateTime(outcome.EndsAt),
			UserErrors: ofPlace(problems, "claims", i),
		}
		if len(problems) == 0 {
			result.Code = codes[outcome.CodeID]
			show(ctx, shown(result.Code)...)
			payload.ClaimedCount++
		}
		if outcome.IsNew {
			payload.NewCount++
		}
		payload.Results = append(payload.Results, result)
	}
	return nil
}
