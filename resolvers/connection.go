package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"couponql/coupon"
	"couponql/graph"
)

// pageOf reads the arguments of the connection that is being answered, and what of it is wanted, so
// that totalCount costs nothing unless it is asked for. It returns INVALID.
func pageOf(ctx context.Context, first *int, after *string) (coupon.Page, error) {
	page, err := coupon.NewPage(first, after)
	if err != nil {
		return page, err
	}
	connection := graphql.GetFieldContext(ctx).Field.Definition.Type.Name()
	for _, field := range graphql.CollectFieldsCtx(ctx, []string{connection}) {
		switch field.Name {
		case "totalCount":
			page.WantsTotal = true
		case "__typename":
		default:
			page.WantsItems = true
		}
	}
	return page, nil
}

// connect returns the parts of a connection, and remembers its nodes as shown.
func connect[N referrer, E any](
	ctx context.Context,
	list *coupon.List[N],
	page coupon.Page,
	edge func(cursor string, node N) E,
) (edges []E, nodes []N, info *graph.PageInfo) {
	show(ctx, list.Items...)
	edges, nodes = make([]E, len(list.Items)), list.Items
	for i, node := range list.Items {
		edges[i] = edge(list.Cursors[i].String(), node)
	}
	info = &graph.PageInfo{HasNextPage: list.HasNext, HasPreviousPage: page.After != nil}
	if len(nodes) == 0 {
		return edges, []N{}, info
	}
	info.StartCursor, info.EndCursor = new(list.Cursors[0].String()),
		new(list.Cursors[len(nodes)-1].String())
	return edges, nodes, info
}

func couponConnection(
	ctx context.Context, list *coupon.List[*coupon.Coupon], page coupon.Page,
) *graph.CouponConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.Coupon) *graph.CouponEdge {
			return &graph.CouponEdge{Cursor: cursor, Node: node}
		})
	return &graph.CouponConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func codeConnection(
	ctx context.Context, list *coupon.List[*coupon.Code], page coupon.Page,
) *graph.CodeConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.Code) *graph.CodeEdge {
			return &graph.CodeEdge{Cursor: cursor, Node: node}
		})
	return &graph.CodeConnection{Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total}
}

func recipientConnection(
	ctx context.Context, list *coupon.List[*coupon.Recipient], page coupon.Page,
) *graph.RecipientConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.Recipient) *graph.RecipientEdge {
			return &graph.RecipientEdge{Cursor: cursor, Node: node}
		})
	return &graph.RecipientConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func quarantineConnection(
	ctx context.Context, list *coupon.List[*coupon.Quarantine], page coupon.Page,
) *graph.QuarantineConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.Quarantine) *graph.QuarantineEdge {
			return &graph.QuarantineEdge{Cursor: cursor, Node: node}
		})
	return &graph.QuarantineConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func deliveryConnection(
	ctx context.Context, list *coupon.List[*coupon.Delivery], page coupon.Page,
) *graph.DeliveryConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.Delivery) *graph.DeliveryEdge {
			return &graph.DeliveryEdge{Cursor: cursor, Node: node}
		})
	return &graph.DeliveryConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func exclusionConnection(
	ctx context.Context, list *coupon.List[*coupon.ExcludedRecipient], page coupon.Page,
) *graph.ExcludedRecipientConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.ExcludedRecipient) *graph.ExcludedRecipientEdge {
			return &graph.ExcludedRecipientEdge{Cursor: cursor, Node: node}
		})
	return &graph.ExcludedRecipientConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func messageConnection(
	ctx context.Context, list *coupon.List[*coupon.Message], page coupon.Page,
) *graph.MessageConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.Message) *graph.MessageEdge {
			return &graph.MessageEdge{Cursor: cursor, Node: node}
		})
	return &graph.MessageConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func redemptionConnection(
	ctx context.Context, list *coupon.List[*coupon.Redemption], page coupon.Page,
) *graph.RedemptionConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.Redemption) *graph.RedemptionEdge {
			return &graph.RedemptionEdge{Cursor: cursor, Node: node}
		})
	return &graph.RedemptionConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func importConnection(
	ctx context.Context, list *coupon.List[*coupon.Import], page coupon.Page,
) *graph.ImportConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.Import) *graph.ImportEdge {
			return &graph.ImportEdge{Cursor: cursor, Node: node}
		})
	return &graph.ImportConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func exportConnection(
	ctx context.Context, list *coupon.List[*coupon.Export], page coupon.Page,
) *graph.ExportConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.Export) *graph.ExportEdge {
			return &graph.ExportEdge{Cursor: cursor, Node: node}
		})
	return &graph.ExportConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func codeBatchConnection(
	ctx context.Context, list *coupon.List[*coupon.CodeBatch], page coupon.Page,
) *graph.CodeBatchConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.CodeBatch) *graph.CodeBatchEdge {
			return &graph.CodeBatchEdge{Cursor: cursor, Node: node}
		})
	return &graph.CodeBatchConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func recipientListConnection(
	ctx context.Context, list *coupon.List[*coupon.RecipientList], page coupon.Page,
) *graph.RecipientListConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.RecipientList) *graph.RecipientListEdge {
			return &graph.RecipientListEdge{Cursor: cursor, Node: node}
		})
	return &graph.RecipientListConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func rejectionConnection(
	ctx context.Context, list *coupon.List[*coupon.Rejection], page coupon.Page,
) *graph.RejectionConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.Rejection) *graph.RejectionEdge {
			return &graph.RejectionEdge{Cursor: cursor, Node: node}
		})
	return &graph.RejectionConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func apiKeyConnection(
	ctx context.Context, list *coupon.List[*coupon.APIKey], page coupon.Page,
) *graph.APIKeyConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.APIKey) *graph.APIKeyEdge {
			return &graph.APIKeyEdge{Cursor: cursor, Node: node}
		})
	return &graph.APIKeyConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func auditEntryConnection(
	ctx context.Context, list *coupon.List[*coupon.AuditEntry], page coupon.Page,
) *graph.AuditEntryConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.AuditEntry) *graph.AuditEntryEdge {
			return &graph.AuditEntryEdge{Cursor: cursor, Node: node}
		})
	return &graph.AuditEntryConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}

func alertConnection(
	ctx context.Context, list *coupon.List[*coupon.Alert], page coupon.Page,
) *graph.AlertConnection {
	edges, nodes, info := connect(ctx, list, page,
		func(cursor string, node *coupon.Alert) *graph.AlertEdge {
			return &graph.AlertEdge{Cursor: cursor, Node: node}
		})
	return &graph.AlertConnection{
		Edges: edges, Nodes: nodes, PageInfo: info, TotalCount: list.Total,
	}
}
