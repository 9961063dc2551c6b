package resolvers

import "couponql/coupon"

// field is a field of the API that is read for many objects at once; V is what it gives. It is
// known by its address, and its name is for errors.
type field[V any] struct{ name string }

// The objects that fields lead to, by their ids.
var (
	couponObject     = &field[*coupon.Coupon]{"coupon"}
	codeObject       = &field[*coupon.Code]{"code"}
	recipientObject  = &field[*coupon.Recipient]{"recipient"}
	deliveryObject   = &field[*coupon.Delivery]{"delivery"}
	messageObject    = &field[*coupon.Message]{"message"}
	redemptionObject = &field[*coupon.Redemption]{"redemption"}
	importObject     = &field[*coupon.Import]{"import"}
	exportObject     = &field[*coupon.Export]{"export"}
	listObject       = &field[*coupon.RecipientList]{"list"}
	batchObject      = &field[*coupon.CodeBatch]{"batch"}
)

// The fields that are read for all objects of an answer.
var (
	couponAvailability = &field[*coupon.Availability]{"coupon.availability"}
	couponForecast     = &field[*coupon.StockForecast]{"coupon.forecast"}
	couponCodes        = &field[*coupon.List[*coupon.Code]]{"coupon.codes"}
	couponDeliveries   = &field[*coupon.List[*coupon.Delivery]]{"coupon.deliveries"}
	couponImports      = &field[*coupon.List[*coupon.Import]]{"coupon.imports"}
	couponBatches      = &field[*coupon.List[*coupon.CodeBatch]]{"coupon.batches"}
	couponStats        = &field[*coupon.RedemptionStats]{"coupon.stats"}
	codeEvents         = &field[[]*coupon.CodeEvent]{"code.events"}
	codeRedemptions    = &field[*coupon.List[*coupon.Redemption]]{"code.redemptions"}
	deliveryCanceled   = &field[[]*coupon.CancelCount]{"delivery.canceled"}
	deliveryLog        = &field[[]*coupon.LogEntry]{"delivery.log"}
	deliveryExclusions = &field[*coupon.List[*coupon.ExcludedRecipient]]{
		"delivery.exclusions",
	}
	excludedExplanation      = &field[string]{"excludedRecipient.explanation"}
	deliveryMessages         = &field[*coupon.List[*coupon.Message]]{"delivery.messages"}
	deliveryStats            = &field[*coupon.RedemptionStats]{"delivery.stats"}
	deliveryOutcomes         = &field[*coupon.DeliveryOutcomes]{"delivery.outcomes"}
	messageRendered          = &field[*coupon.RenderedMessage]{"message.rendered"}
	importRejectionsByReason = &field[[]*coupon.RejectionCount]{"import.rejectionsByReason"}
	importRejections         = &field[*coupon.List[*coupon.Rejection]]{"import.rejections"}
	importBatch              = &field[*coupon.CodeBatch]{"import.batch"}
	importSameFileAs         = &field[*coupon.Import]{"import.sameFileAs"}
	recipientQuarantine      = &field[[]*coupon.Quarantine]{"recipient.quarantine"}
	recipientCodes           = &field[*coupon.List[*coupon.Code]]{"recipient.codes"}
	recipientMessages        = &field[*coupon.List[*coupon.Message]]{"recipient.messages"}
)
