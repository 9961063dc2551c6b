package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"couponql/coupon"
)

// codesByID reads codes with what the operation wants to know of them.
func (r *Resolver) codesByID(ctx context.Context, ids []coupon.ID) (
	map[coupon.ID]*coupon.Code, error,
) {
	return r.store.CodesByID(ctx, ids, wantedOfCodes(ctx))
}

// happening tells which fields of a code take a row to answer, and what has happened then.
var happening = map[string]coupon.CodeState{
	"recipient":  coupon.StateAssigned,
	"address":    coupon.StateAddressed,
	"sentAt":     coupon.StateSent,
	"redeemedAt": coupon.StateRedeemed,
	// A redemption counts once it is on disk, which its row tells.
	"status": coupon.StateRedeemed,
}

// wantedOfCodes returns what an operation wants to know of what happened to codes, wherever in it
// codes are asked for: all that without an operation. Directives that leave fields out are not
// looked at.
func wantedOfCodes(ctx context.Context) coupon.CodeState {
	if !graphql.HasOperationContext(ctx) {
		return coupon.AnyState
	}
	operation := graphql.GetOperationContext(ctx)
	if operation.Operation == nil {
		return coupon.AnyState
	}
	s := scopeOf(ctx)
	s.wanted.Do(func() {
		s.wantedOfCodes = wantedIn(operation.Operation.SelectionSet)
		for _, fragment := range operation.Doc.Fragments {
			s.wantedOfCodes |= wantedIn(fragment.SelectionSet)
		}
	})
	return s.wantedOfCodes
}

// wantedIn returns what selections want to know of codes, without those of fragments that they
// name.
func wantedIn(selections ast.SelectionSet) (wanted coupon.CodeState) {
	for _, selection := range selections {
		switch selection := selection.(type) {
		case *ast.Field:
			if selection.ObjectDefinition != nil && selection.ObjectDefinition.Name == "Code" {
				wanted |= happening[selection.Name]
			}
			wanted |= wantedIn(selection.SelectionSet)
		case *ast.InlineFragment:
			wanted |= wantedIn(selection.SelectionSet)
		}
	}
	return wanted
}
