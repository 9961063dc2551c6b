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

// shapeLimit refuses operations whose fields are nested deeper than maxDepth, or that have more than maxAliases aliases; the
// introspection of tools goes deeper and has a limit of its own.
type shapeLimit struct{}

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = shapeLimit{}

// ExtensionName names the extension.
func (shapeLimit) ExtensionName() string { return "ShapeLimit" }

// Validate has nothing to check.
func (shapeLimit) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses an operation that is nested too deep or repeats itself too often.
func (shapeLimit) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	aliases := 0
	depth := depthOf(operation.Operation.SelectionSet, &aliases)
	if aliases > maxAliases {
		return &gqlerror.Error{
			Message: fmt.Sprintf(
				"The operation has more than %d aliases. Send several operations, or use a field that takes a list, such as redeemCodes.",
				maxAliases,
			),
			Extensions: map[string]any{"code": "ALIAS_LIMIT_EXCEEDED"},
		}
	}
	if depth > maxDepth {
		return &gqlerror.Error{
			Message:    fmt.Sprintf("The operation nests its fields %d levels deep; the server allows %d.", depth, maxDepth),
			Extensions: map[string]any{"code": "DEPTH_LIMIT_EXCEEDED"},
		}
	}
	return nil
}

// depthOf gives how deep fields are nested, and counts aliases until there are too many: fragments inside fragments may have
// a great many.
func depthOf(set ast.SelectionSet, aliases *int) int {
	deepest := 0
	for _, selection := range set {
		if *aliases > maxAliases {
			break
		}
		depth := 0
		switch s := selection.(type) {
		case *ast.Field:
			if s.Name == "__schema" || s.Name == "__type" {
				continue
			}
			if s.Alias != s.Name {
				*aliases++
			}
			depth = 1 + depthOf(s.SelectionSet, aliases)
		case *ast.InlineFragment:
			depth = depthOf(s.SelectionSet, aliases)
		case *ast.FragmentSpread:
			depth = depthOf(s.Definition.SelectionSet, aliases)
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
	c.Query.Alerts, c.Query.APIKeys = nested, nested
	c.Query.AuditLog = func(child int, _ *coupon.AuditFilter, first *int, _ *string) int { return page(child, first) }
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
