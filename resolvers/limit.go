package resolvers

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/coupon"
	"couponql/graph"
)

// Limits of an operation.
const (
	// maxDepth is how deep fields may be nested, and maxSchemaDepth those that ask about the
	// schema, as tools do.
	maxDepth       = 15
	maxSchemaDepth = 30
	// maxAliases is how many fields may have a name of the caller's.
	maxAliases = 1000
	// maxComplexity is how much one operation may ask for: each field counts one, each list as many
	// times as it has items at the most.
	maxComplexity = 500_000
	// maxSchemaSize is the same of the schema, which is told from memory; tools ask for less than a
	// third of it.
	maxSchemaSize = 750_000
	// reportComplexity is what a report counts besides, which reads whole tables however little it
	// answers: an operation has room for 49 of them. integrityReport counts as five.
	reportComplexity = 10_000
	// listComplexity is what the size of a list counts besides, which is counted anew each time.
	listComplexity = 500
	// unbounded is more than anything may count. It may be multiplied by a thousand thousand.
	unbounded = 1 << 40
)

// cost is what a selection may cost.
type cost struct {
	complexity, schemaSize int
	depth, schemaDepth     int
	aliases                int
}

// add adds what is selected beside.
func (c *cost) add(other cost) {
	c.complexity = min(c.complexity+other.complexity, unbounded)
	c.schemaSize = min(c.schemaSize+other.schemaSize, unbounded)
	c.aliases = min(c.aliases+other.aliases, unbounded)
	c.depth, c.schemaDepth = max(c.depth, other.depth), max(c.schemaDepth, other.schemaDepth)
}

// costLimit refuses operations that may cost too much, before anything of them is done.
type costLimit struct {
	executable graphql.ExecutableSchema
}

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = costLimit{}

// ExtensionName names the extension.
func (costLimit) ExtensionName() string { return costExtension }

// Validate has nothing to check.
func (costLimit) Validate(graphql.ExecutableSchema) error { return nil }

// costExtension is the name under which an operation carries its cost.
const costExtension = "cost"

// costOf returns what an operation may cost that costLimit let through.
func costOf(operation *graphql.OperationContext) cost {
	c, _ := operation.Stats.GetExtension(costExtension).(cost)
	return c
}

// MutateOperationContext refuses an operation that asks for too much, is nested too deep or repeats
// itself too often.
func (
	l costLimit,
) MutateOperationContext(ctx context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	c := l.count(ctx, operation.Operation, operation.Variables)
	operation.Stats.SetExtension(costExtension, c)
	switch {
	case c.complexity > maxComplexity:
		return refusal("COMPLEXITY_LIMIT_EXCEEDED", nil,
			"The operation has complexity %d, which exceeds the limit of %d. Ask for fewer fields, smaller pages, or several operations.",
			c.complexity, maxComplexity)
	case c.schemaSize > maxSchemaSize:
		return refusal("COMPLEXITY_LIMIT_EXCEEDED", nil,
			"The operation asks for too much of the schema. Ask for each part of it once.")
	case c.aliases > maxAliases:
		return refusal("ALIAS_LIMIT_EXCEEDED", nil,
			"The operation has more than %d aliases. Send several operations, or use a field that takes a list, such as redeemCodes.", maxAliases)
	case c.depth > maxDepth:
		return refusal("DEPTH_LIMIT_EXCEEDED", nil,
			"The operation nests its fields %d levels deep; the server allows %d.",
			c.depth, maxDepth)
	case c.schemaDepth > maxSchemaDepth:
		return refusal("DEPTH_LIMIT_EXCEEDED", nil,
			"The operation asks about the schema %d levels deep; the server allows %d.",
			c.schemaDepth, maxSchemaDepth)
	}
	return nil
}

// count returns what an operation of a valid document may cost, in time linear in the document.
func (l costLimit) count(
	ctx context.Context, operation *ast.OperationDefinition, variables map[string]any,
) cost {
	c := counter{
		costLimit: l, ctx: ctx, schema: l.executable.Schema(), variables: variables,
		fragments: map[*ast.FragmentDefinition]cost{},
	}
	return c.selections(operation.SelectionSet)
}

// counter counts the cost of one operation.
type counter struct {
	costLimit

	ctx       context.Context //nolint:containedctx // it is that of the one call that the counter lives for
	schema    *ast.Schema
	variables map[string]any
	// fragments has the costs of those that were counted: the same wherever they are spread.
	fragments map[*ast.FragmentDefinition]cost
}

func (c *counter) selections(set ast.SelectionSet) cost {
	var sum cost
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			sum.add(c.field(s))
		case *ast.InlineFragment:
			sum.add(c.selections(s.SelectionSet))
		case *ast.FragmentSpread:
			one, isCounted := c.fragments[s.Definition]
			if !isCounted {
				one = c.selections(s.Definition.SelectionSet)
				c.fragments[s.Definition] = one
			}
			sum.add(one)
		}
	}
	return sum
}

func (c *counter) field(f *ast.Field) cost {
	sum := c.selections(f.SelectionSet)
	if f.Alias != f.Name {
		sum.aliases++
	}
	if f.Name == "__schema" || f.Name == "__type" ||
		strings.HasPrefix(f.ObjectDefinition.Name, "__") {
		sum.schemaSize = min((1+sum.schemaSize)*c.itemsOfSchema(f.Name), unbounded)
		if f.Name == "ofType" {
			// Most types have one or two inside, however many levels are asked for.
			sum.schemaSize = (sum.schemaSize + 1) / 2
		}
		sum.schemaDepth++
	} else {
		sum.depth++
	}
	if f.Definition.Type.Name() == "__Schema" {
		sum.complexity = 0
	} else {
		sum.complexity = c.complexity(f, sum.complexity)
	}
	return sum
}

// itemsOfSchema returns how many items a field about the schema answers, roughly.
func (c *counter) itemsOfSchema(name string) int {
	const few, some = 3, 10
	switch name {
	case "types":
		return len(c.schema.Types)
	case "fields", "inputFields", "enumValues", "directives", "locations":
		return some
	case "args", "interfaces", "possibleTypes":
		return few
	}
	return 1
}

// complexity returns the complexity of a field from that of what it selects. A field of an
// interface counts as the dearest of those that implement it.
func (c *counter) complexity(f *ast.Field, child int) int {
	of := func(name string) int {
		own, isSet := c.executable.Complexity(c.ctx, name, f.Name, child,
			f.ArgumentMap(c.variables))
		if !isSet || own < 1 {
			own = 1 + child
		}
		return min(own, unbounded)
	}
	if f.ObjectDefinition.Kind != ast.Interface {
		return of(f.ObjectDefinition.Name)
	}
	most := 0
	for _, implementor := range c.schema.GetPossibleTypes(f.ObjectDefinition) {
		most = max(most, of(implementor.Name))
	}
	return most
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
func (
	hiddenSchema,
) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	for _, field := range graphql.CollectFields(operation, operation.Operation.SelectionSet,
		[]string{"Query"}) {
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
	page := func(child int, first *int) int {
		return 1 + times(child, or(first, coupon.DefaultPageSize))
	}
	nested := func(child int, first *int, _ *string) int { return page(child, first) }
	c.Code.Redemptions, c.Recipient.Codes, c.Import.Rejections = nested, nested, nested
	c.Recipient.Messages = nested
	c.Coupon.Deliveries, c.Coupon.Imports = nested, nested
	c.Availability.Holds = func(child int) int { return 1 + times(child, coupon.MaxHolds) }
	c.Coupon.Codes = func(child int, _ *coupon.CodeFilter, first *int, _ *string) int {
		return page(child, first)
	}
	c.Delivery.Exclusions = func(child int, _ []coupon.ExclusionReason, first *int, _ *string) int {
		return page(child, first)
	}
	c.Delivery.Messages = func(
		child int, _ []coupon.MessageStatus, _ []coupon.CancelReason, _ []coupon.MessageOutcome,
		first *int, _ *string,
	) int {
		return page(child, first)
	}
	c.Mutation.RedeemCodes = func(child int, input graph.RedeemCodesInput) int {
		return 1 + times(child, len(input.Redemptions))
	}
	c.Mutation.ClaimCodes = func(child int, input graph.ClaimCodesInput) int {
		return 1 + times(child, len(input.Claims))
	}
	c.Query.Alerts, c.Query.APIKeys = nested, nested
	c.Query.AuditLog = func(child int, _ *coupon.AuditFilter, first *int, _ *string) int {
		return page(child, first)
	}
	c.Query.Coupons = func(
		child int, _ *coupon.CouponFilter, _ *coupon.CouponOrder, first *int, _ *string,
	) int {
		return page(child, first)
	}
	c.Query.Deliveries = func(
		child int, _ []coupon.DeliveryStatus, _ *coupon.ID, _ *coupon.DeliveryFilter, first *int,
		_ *string,
	) int {
		return page(child, first)
	}
	c.Query.Imports = func(
		child int, _ *coupon.ImportKind, _ []coupon.ImportStatus, first *int, _ *string,
	) int {
		return page(child, first)
	}
	c.Query.Recipients = func(child int, _ *coupon.RecipientFilter, first *int, _ *string) int {
		return page(child, first)
	}
	c.Query.RecipientLists = func(child int, first *int, _ *string) int {
		return page(child, first)
	}
	c.RecipientList.Recipients = func(child int, first *int, _ *string) int {
		return page(child, first)
	}
	c.RecipientList.Size = func(child int) int { return 1 + child + listComplexity }
	c.Query.QuarantinedAddresses = func(
		child int, _ *coupon.Channel, _ []coupon.BounceKind, first *int, _ *string,
	) int {
		return page(child, first)
	}
	c.Query.Redemptions = func(child int, _ *coupon.StatsFilter, first *int, _ *string) int {
		return page(child, first)
	}
	c.Query.IntegrityReport = func(child int) int { return 1 + child + 5*reportComplexity }
	c.Query.SimulateDelivery = func(child int, _ graph.SimulateDeliveryInput) int {
		return 1 + child + reportComplexity
	}
	c.Query.RedemptionFunnel = func(child int, _ *coupon.StatsFilter, _ *string) int {
		return 1 + child + reportComplexity
	}
	c.Query.SQL = func(child int, _ string, limit *int) int {
		return reportComplexity + child + times(1, or(limit, coupon.DefaultSQLRows))
	}
	c.Query.RedemptionStats = func(
		child int, _ *coupon.StatsFilter, _ []coupon.StatsDimension, _ *string, limit *int, _ *bool,
	) int {
		return 1 + reportComplexity + times(child, or(limit, defaultStatsRows))
	}
	c.Query.RedemptionCohorts = func(
		child int, _ *coupon.StatsFilter, _ *string, days, limit *int,
	) int {
		return 1 + reportComplexity +
			times(times(child, or(limit, defaultCohorts)), max(1, or(days, defaultCohortDays)))
	}
	c.Query.CompareDeliveries = func(child int, ids []coupon.ID, _ *int) int {
		return 1 + reportComplexity + times(child, len(ids))
	}
}

// times multiplies what is at most unbounded, and gives at most that. Nothing is a negative number
// of times.
func times(child, count int) int {
	if count <= 0 {
		return min(count, 0) * min(child, 1)
	}
	if child > unbounded/count {
		return unbounded
	}
	return child * count
}
