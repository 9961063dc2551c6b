package resolvers

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/coupon"
	"couponql/graph"
)

// depthLimit refuses operations whose fields are nested deeper than maxDepth; the introspection of tools
// goes deeper and has a limit of its own.
type depthLimit struct{}

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = depthLimit{}

// ExtensionName names the extension.
func (depthLimit) ExtensionName() string { return "DepthLimit" }

// Validate has nothing to check.
func (depthLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses an operation that is nested too deep.
func (depthLimit) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	if depth := depthOf(operation.Operation.SelectionSet); depth > maxDepth {
		return &gqlerror.Error{
			Message:    fmt.Sprintf("The operation nests its fields %d levels deep; the server allows %d.", depth, maxDepth),
			Extensions: map[string]any{"code": "DEPTH_LIMIT_EXCEEDED"},
		}
	}
	return nil
}

func depthOf(set ast.SelectionSet) int {
	deepest := 0
	for _, selection := range set {
		depth := 0
		switch s := selection.(type) {
		case *ast.Field:
			if s.Name == "__schema" || s.Name == "__type" {
				continue
			}
			depth = 1 + depthOf(s.SelectionSet)
		case *ast.InlineFragment:
			depth = depthOf(s.SelectionSet)
		case *ast.FragmentSpread:
			depth = depthOf(s.Definition.SelectionSet)
		}
		deepest = max(deepest, depth)
	}
	return deepest
}

// hiddenSchema refuses introspection.
type hiddenSchema struct{}

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = hiddenSchema{}

// ExtensionName names the extension.
func (hiddenSchema) ExtensionName() string { return "HiddenSchema" }

// Validate has nothing to check.
func (hiddenSchema) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses an operation that asks for the schema.
func (hiddenSchema) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	for _, field := range graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Query"}) {
		if field.Name == "__schema" || field.Name == "__type" {
			return &gqlerror.Error{
				Message:    "This server does not tell its schema. Ask who runs it for the file schema.graphql.",
				Extensions: map[string]any{"code": "INTROSPECTION_DISABLED"},
			}
		}
	}
	return nil
}

// setComplexity makes a list cost as much as all the items it may give.
func setComplexity(c *graph.ComplexityRoot) {
	page := func(child int, first *int) int { return 1 + child*or(first, coupon.DefaultPageSize) }
	nested := func(child int, first *int, _ *string) int { return page(child, first) }
	c.Code.Redemptions, c.Recipient.Codes, c.Import.Rejections = nested, nested, nested
	c.Coupon.Deliveries, c.Coupon.Imports = nested, nested
	c.Coupon.Codes = func(child int, _ *coupon.CodeFilter, first *int, _ *string) int { return page(child, first) }
	c.Delivery.Exclusions = func(child int, _ []coupon.ExclusionReason, first *int, _ *string) int { return page(child, first) }
	c.Delivery.Messages = func(child int, _ []coupon.MessageStatus, first *int, _ *string) int { return page(child, first) }
	c.Mutation.RedeemCodes = func(child int, input graph.RedeemCodesInput) int { return 1 + child*len(input.Redemptions) }
	c.Query.Alerts = nested
	c.Query.Coupons = func(child int, _ *coupon.CouponFilter, _ *coupon.CouponOrder, first *int, _ *string) int {
		return page(child, first)
	}
	c.Query.Deliveries = func(child int, _ []coupon.DeliveryStatus, _ *coupon.ID, first *int, _ *string) int {
		return page(child, first)
	}
	c.Query.Imports = func(child int, _ *coupon.ImportKind, _ []coupon.ImportStatus, first *int, _ *string) int {
		return page(child, first)
	}
	c.Query.Recipients = func(child int, _ *coupon.RecipientFilter, first *int, _ *string) int { return page(child, first) }
	c.Query.Redemptions = func(child int, _ *coupon.StatsFilter, first *int, _ *string) int { return page(child, first) }
	c.Query.SQL = func(child int, _ string, limit *int) int { return child + or(limit, coupon.DefaultSQLRows) }
	c.Query.RedemptionStats = func(child int, _ *coupon.StatsFilter, _ []coupon.StatsDimension, _ *string, limit *int, _ *bool) int {
		return 1 + child*or(limit, defaultStatsRows)
	}
	c.Query.RedemptionCohorts = func(child int, _ *coupon.StatsFilter, _ *string, days, limit *int) int {
		return 1 + child*or(limit, defaultCohorts)*max(1, or(days, defaultCohortDays))
	}
	c.Query.CompareDeliveries = func(child int, ids []coupon.ID, _ *int) int { return 1 + child*len(ids) }
}
