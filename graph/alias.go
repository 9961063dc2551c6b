// Package graph is the public schema: its text by hand, the code that reads requests and writes answers by machine.
package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
)

// AliasedRedemption is a field redeemCode of a mutation: the name of its answer, and its input.
type AliasedRedemption struct {
	Alias string
	Input RedeemCodeInput
}

// FollowingRedemptions gives the field redeemCode that is being resolved and those that stand right behind it in the
// same mutation, in their order: fields of a mutation are resolved one after the other, and together they take one step
// to the disk. A field whose input cannot be read ends the row; its turn tells what is wrong with it.
func FollowingRedemptions(ctx context.Context) []AliasedRedemption {
	operation, current := graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field
	fields := graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Mutation"})
	for len(fields) > 0 && fields[0].Alias != current.Alias {
		fields = fields[1:]
	}
	ec := newExecutionContext(operation, nil, nil)
	var row []AliasedRedemption
	for _, field := range fields {
		if field.Name != current.Name {
			break
		}
		args, err := ec.field_Mutation_redeemCode_args(ctx, field.ArgumentMap(operation.Variables))
		if err != nil {
			break
		}
		row = append(row, AliasedRedemption{field.Alias, args["input"].(RedeemCodeInput)}) //nolint:forcetypeassert // the generated code puts it there
	}
	return row
}
