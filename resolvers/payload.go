package resolvers

import (
	"context"
	"maps"
	"slices"

	"couponql/access"
	"couponql/coupon"
	"couponql/db"
	"couponql/graph"
	"couponql/message"
)

// What the schema gives to a caller who omits an argument, for one who gives null.
const (
	defaultStatsRows  = 1000
	defaultCohorts    = 100
	defaultCohortDays = 30
	defaultPattern    = "########"
	defaultAlphabet   = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
)

// list returns a list that is never null.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

func deletePayload(id coupon.ID, err error) (*graph.DeletePayload, error) {
	problems, err := userErrors(err)
	payload := &graph.DeletePayload{UserErrors: problems}
	if err == nil && len(problems) == 0 {
		payload.DeletedID = &id
	}
	return payload, err
}

// recordBouncesPayload returns what recordBounces answers.
func recordBouncesPayload(record *coupon.BounceRecord, err error) (
	*graph.RecordBouncesPayload, error,
) {
	problems, err := userErrors(err)
	payload := &graph.RecordBouncesPayload{Rejections: []*coupon.Rejection{}, UserErrors: problems}
	if record != nil {
		payload.RecordedCount, payload.RepeatedCount = record.RecordedCount, record.RepeatedCount
		payload.QuarantinedCount, payload.PendingMessageCount = record.QuarantinedCount,
			record.PendingMessageCount
		payload.Rejections = record.Rejections
	}
	return payload, err
}

// redeemPayload returns what one redemption answers.
func redeemPayload(ctx context.Context, outcome db.RedeemOutcome) (
	*graph.RedeemCodePayload, error,
) {
	problems, err := userErrors(outcome.Refusal)
	show(ctx, shown(outcome.Redemption)...)
	return &graph.RedeemCodePayload{Redemption: outcome.Redemption, UserErrors: problems}, err
}

// node finds any object by its id, or gives null.
func (r *Resolver) node(ctx context.Context, id coupon.ID) (graph.Node, error) {
	switch id.Kind() {
	case coupon.KindCoupon:
		return nodeOf(loadShown(ctx, couponObject, &id, r.store.CouponsByID))
	case coupon.KindCode:
		return nodeOf(loadShown(ctx, codeObject, &id, r.codesByID))
	case coupon.KindRecipient:
		return nodeOf(loadShown(ctx, recipientObject, &id, r.store.RecipientsByID))
	case coupon.KindDelivery:
		return nodeOf(loadShown(ctx, deliveryObject, &id, r.store.DeliveriesByID))
	case coupon.KindMessage:
		return nodeOf(loadShown(ctx, messageObject, &id, r.store.MessagesByID))
	case coupon.KindRedemption:
		return nodeOf(loadShown(ctx, redemptionObject, &id, r.store.RedemptionsByID))
	case coupon.KindImport:
		return nodeOf(loadShown(ctx, importObject, &id, r.store.ImportsByID))
	case coupon.KindExport:
		return nodeOf(loadShown(ctx, exportObject, &id, r.store.ExportsByID))
	case coupon.KindBatch:
		return nodeOf(loadShown(ctx, batchObject, &id, r.store.CodeBatchesByID))
	case coupon.KindList:
		return nodeOf(loadShown(ctx, listObject, &id, r.store.RecipientListsByID))
	case coupon.KindUpload, coupon.KindAPIKey, coupon.KindAuditEntry, coupon.KindQuarantine:
	}
	// Nothing has this id.
	return nil, nil
}

// nodeOf makes a missing object a null node: a nil pointer in an interface would not be null.
func nodeOf[T any, P interface {
	*T
	graph.Node
}](object P, err error) (graph.Node, error) {
	if object == nil || err != nil {
		return nil, err
	}
	return object, nil
}

// erasurePayload returns what erasing recipients answers.
func erasurePayload(erasure *coupon.Erasure, err error) (*graph.EraseRecipientsPayload, error) {
	problems, err := userErrors(err)
	payload := &graph.EraseRecipientsPayload{UserErrors: problems}
	if erasure != nil {
		payload.ErasedCount, payload.CanceledMessageCount = erasure.ErasedCount,
			erasure.CanceledMessageCount
		payload.PendingMessageCount = erasure.PendingMessageCount
		payload.ChangedRedemptionCount = erasure.ChangedRedemptionCount
	}
	return payload, err
}

// exportPayload queues an export.
func (r *Resolver) exportPayload(
	ctx context.Context, e *coupon.Export, format *coupon.FileFormat, isSpreadsheetSafe *bool,
) (*graph.ExportPayload, error) {
	e.Format, e.Request.IsSpreadsheetSafe = or(format,
		coupon.FormatCSV), or(isSpreadsheetSafe, false)
	e.Request.IsMasked = access.CallerOf(ctx).IsMasked()
	created, err := r.store.CreateExport(ctx, e)
	problems, err := userErrors(err)
	return &graph.ExportPayload{Export: created, UserErrors: problems}, err
}

// checkSyntax checks templates when they are written; whether their tokens exist the analysis
// tells, which knows the coupon.
func checkSyntax(subject, body *string) error {
	if body == nil {
		body = new(string)
	}
	_, err := message.Parse(subject, *body)
	return err
}

// previewMessage shows a message of a delivery as a recipient will get it, with what is wrong with
// its templates.
func (r *Resolver) previewMessage(ctx context.Context, deliveryID, recipientID coupon.ID) (
	*graph.PreviewMessagePayload, error,
) {
	d, c, content, err := r.store.PreviewContent(ctx, deliveryID, recipientID)
	if err != nil {
		problems, err := userErrors(err)
		return &graph.PreviewMessagePayload{UserErrors: problems}, err
	}
	if c != nil && c.Type == coupon.TypeIndividual && content.Data.CouponValue == nil {
		content.Data.CouponValue = &coupon.CodeData{Code: message.PreviewCode}
	}
	content.Data.Complete(d, c)
	payload := &graph.PreviewMessagePayload{UserErrors: message.CheckContent(d, c).Problems}
	template, err := message.Parse(d.Subject, d.Body)
	if err == nil {
		var rendered coupon.RenderedMessage
		if rendered, err = template.Render(&content.Data); err == nil {
			payload.Message = &rendered
		}
	}
	problems, err := userErrors(err)
	payload.UserErrors = append(list(payload.UserErrors), problems...)
	return payload, err
}

// renderMessages renders written messages, each template compiled once.
func (r *Resolver) renderMessages(ctx context.Context, ids []coupon.ID) (
	map[coupon.ID]*coupon.RenderedMessage, error,
) {
	found, err := r.store.MessagesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	byDelivery := map[coupon.ID][]*coupon.Message{}
	for _, m := range found {
		byDelivery[m.DeliveryID] = append(byDelivery[m.DeliveryID], m)
	}
	contents, err := r.store.MessageContents(ctx, slices.Collect(maps.Values(found)))
	if err != nil {
		return nil, err
	}
	rendered := make(map[coupon.ID]*coupon.RenderedMessage, len(found))
	for deliveryID, messages := range byDelivery {
		d, err := loadShown(ctx, deliveryObject, &deliveryID, r.store.DeliveriesByID)
		if err != nil {
			return nil, err
		}
		c, err := loadShown(ctx, couponObject, d.CouponID, r.store.CouponsByID)
		if err != nil {
			return nil, err
		}
		if err := renderContents(d, c, messages, contents, rendered); err != nil {
			return nil, err
		}
	}
	return rendered, nil
}

func renderContents(
	d *coupon.Delivery,
	c *coupon.Coupon,
	messages []*coupon.Message,
	contents map[coupon.ID]db.Content,
	rendered map[coupon.ID]*coupon.RenderedMessage,
) error {
	template, err := message.Parse(d.Subject, d.Body)
	if err != nil {
		return err
	}
	for _, m := range messages {
		content := contents[m.ID]
		content.Data.Complete(d, c)
		one, err := template.Render(&content.Data)
		if err != nil {
			return err
		}
		rendered[m.ID] = &one
	}
	return nil
}
