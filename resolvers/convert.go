package resolvers

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"couponql/coupon"
	"couponql/db"
	"couponql/graph"
	"couponql/message"
)

// change tells a field that was not given from one that is null.
func change[T any](field graphql.Omittable[*T]) coupon.Change[T] {
	return coupon.Change[T]{IsSet: field.IsSet(), Value: field.Value()}
}

// or returns a value that may be missing, or its default.
func or[T any](value *T, missing T) T {
	if value == nil {
		return missing
	}
	return *value
}

func newCoupon(input *graph.CreateCouponInput) *coupon.CouponChanges {
	return &coupon.CouponChanges{
		Label:    coupon.Set(&input.Label),
		Code:     change(input.Code),
		Type:     input.Type,
		StartsAt: coupon.Set(&input.StartsAt),
		EndsAt:   change(input.EndsAt),
		RedemptionLimit: change(
			input.RedemptionLimit,
		),
		RequiresAssignment: change(input.RequiresAssignment),
		LowStockThreshold:  change(input.LowStockThreshold),
		LowStockShare:      change(input.LowStockShare),
		Timezone:           change(input.Timezone),
		Metadata:           change(input.Metadata),
	}
}

func couponChanges(input *graph.UpdateCouponInput) *coupon.CouponChanges {
	return &coupon.CouponChanges{
		Label:    change(input.Label),
		Code:     change(input.Code),
		StartsAt: change(input.StartsAt),
		EndsAt:   change(input.EndsAt),
		RedemptionLimit: change(
			input.RedemptionLimit,
		),
		RequiresAssignment: change(input.RequiresAssignment),
		LowStockThreshold:  change(input.LowStockThreshold),
		LowStockShare:      change(input.LowStockShare),
		Timezone:           change(input.Timezone),
		Metadata:           change(input.Metadata),
	}
}

func newDelivery(input *graph.CreateDeliveryInput) *coupon.DeliveryChanges {
	return &coupon.DeliveryChanges{
		Label: coupon.Set(
			&input.Label,
		),
		Channel:      change(input.Channel),
		CouponID:     change(input.CouponID),
		Subject:      change(input.Subject),
		Body:         coupon.Set(&input.Body),
		MessageLimit: change(input.MessageLimit),
		MatchLabelTo: change(input.MatchLabelTo),
		ContactAt:    change(input.ContactAt),

		SendRate:                change(input.SendRate),
		AllowDuplicateAddresses: change(input.AllowDuplicateAddresses),
		IgnoreQuarantine:        change(input.IgnoreQuarantine),
		Reuse:                   change(input.Reuse),
	}
}

func deliveryChanges(input *graph.UpdateDeliveryInput) *coupon.DeliveryChanges {
	return &coupon.DeliveryChanges{
		Label: change(input.Label), Channel: change(input.Channel),
		CouponID: change(input.CouponID), Subject: change(input.Subject), Body: change(input.Body),
		MessageLimit: change(input.MessageLimit), MatchLabelTo: change(input.MatchLabelTo),
		ContactAt:               change(input.ContactAt),
		SendRate:                change(input.SendRate),
		AllowDuplicateAddresses: change(input.AllowDuplicateAddresses),
		IgnoreQuarantine:        change(input.IgnoreQuarantine),
		Reuse:                   change(input.Reuse),
	}
}

func recipientChanges(input *graph.RecipientInput) *coupon.RecipientChanges {
	return &coupon.RecipientChanges{
		ExternalID:    input.ExternalID,
		Email:         change(input.Email),
		Phone:         change(input.Phone),
		FirstName:     change(input.FirstName),
		LastName:      change(input.LastName),
		Attributes:    change(input.Attributes),
		IsContactable: change(input.IsContactable),
	}
}

// dateTime returns an instant as the schema writes it.
func dateTime(at *time.Time) *coupon.DateTime {
	if at == nil {
		return nil
	}
	return new(coupon.DateTime(at.UTC().Format(time.RFC3339Nano)))
}

// claimRequest returns a claim as the store takes it.
func claimRequest(caller *coupon.Caller, input *graph.ClaimCodeInput) *coupon.ClaimRequest {
	return &coupon.ClaimRequest{
		Caller:         caller.Name,
		CouponID:       input.CouponID.Value(),
		CouponCode:     input.CouponCode.Value(),
		Recipient:      recipientChanges(input.Recipient),
		Label:          input.Label.Value(),
		Channel:        input.Channel.Value(),
		IfHeld:         input.IfHeld,
		IdempotencyKey: input.IdempotencyKey.Value(),
	}
}

func (r *Resolver) redeemRequest(input *graph.RedeemCodeInput) (*coupon.RedeemRequest, error) {
	request := &coupon.RedeemRequest{
		Value:          input.Value,
		Reference:      input.Reference.Value(),
		Amount:         input.Amount.Value(),
		Currency:       input.Currency.Value(),
		Store:          input.Store.Value(),
		Customer:       input.Customer.Value(),
		IdempotencyKey: input.IdempotencyKey.Value(),
	}
	if text := input.RedeemedAt.Value(); text != nil {
		at, err := text.Start(r.store.ZoneOf(input.Value))
		if err != nil {
			return nil, coupon.Errorf(coupon.ErrorInvalid, "%s.", err).At("input", "redeemedAt")
		}
		request.RedeemedAt = &at
	}
	return request, nil
}

// importRequest is what all imports have in common.
type importRequest struct {
	file        *graphql.Upload
	uploadID    *coupon.ID
	options     *coupon.FileOptions
	onRejection *coupon.OnRejection
	dryRun      *bool
}

// importRequestOf returns the request of an input: Go cannot name the fields that all inputs of
// imports have.
func importRequestOf(
	file graphql.Omittable[*graphql.Upload], uploadID graphql.Omittable[*coupon.ID],
	options graphql.Omittable[*coupon.FileOptions],
	onRejection graphql.Omittable[*coupon.OnRejection], dryRun graphql.Omittable[*bool],
) *importRequest {
	return &importRequest{
		file: file.Value(), uploadID: uploadID.Value(), options: options.Value(),
		onRejection: onRejection.Value(), dryRun: dryRun.Value(),
	}
}

// queueImport queues an import of a file that came with the request, which is then gone with the
// import, or of an upload.
func (r *Resolver) queueImport(ctx context.Context, i *coupon.Import, request *importRequest) (
	*graph.ImportPayload, error,
) {
	if (request.uploadID == nil) == (request.file == nil) {
		return &graph.ImportPayload{
			UserErrors: []*coupon.UserError{
				coupon.Errorf(coupon.ErrorInvalid, "Give one of the two: file, sent with the request as the multipart request specification says, or uploadId, from createUpload.").
					At("input", "file"),
			},
		}, nil
	}
	i.OnRejection, i.IsDryRun = or(request.onRejection, coupon.SkipRow), or(request.dryRun, false)
	i.Format = coupon.FormatCSV
	if request.options != nil {
		i.Options = *request.options
		i.Format = or(i.Options.Format, coupon.FormatCSV)
	}
	if i.Mode == "" {
		i.Mode = coupon.ImportAdd
	}
	if i.Timezone == "" {
		i.Timezone = r.store.Timezone()
	}
	uploadID, err := r.uploadOf(ctx, request)
	if err != nil {
		problems, err := userErrors(err)
		return &graph.ImportPayload{UserErrors: problems}, err
	}
	created, err := r.store.CreateImport(ctx, i, uploadID, request.file != nil)
	problems, err := userErrors(err)
	show(ctx, shown(created)...)
	return &graph.ImportPayload{Import: created, UserErrors: problems}, err
}

// uploadOf returns the file that an import names.
func (r *Resolver) uploadOf(ctx context.Context, request *importRequest) (coupon.ID, error) {
	if request.uploadID != nil {
		return *request.uploadID, nil
	}
	file, isStored := request.file.File.(*storedFile)
	if !isStored {
		return "", fmt.Errorf("a file came as %T", request.file.File)
	}
	return file.take(ctx, r.store)
}

// newUpload returns the upload that is asked for. It returns INVALID for a size that is no whole
// number.
func newUpload(input *graph.CreateUploadInput) (*coupon.Upload, error) {
	u := &coupon.Upload{FileName: input.FileName, Checksum: input.Checksum.Value()}
	if size := input.ByteCount.Value(); size != nil {
		if *size != math.Trunc(*size) {
			return nil, coupon.Errorf(coupon.ErrorInvalid,
				"The size of a file is a whole number of bytes.").At("input", "byteCount")
		}
		// Beyond any limit all sizes are alike, and not all of them are an int64.
		u.ByteCount = new(int64(max(-1, min(*size, 2*coupon.MaxUploadBytes))))
	}
	return u, nil
}

// shown returns an object that may be nil as a list, for show.
func shown[T any](object *T) []*T {
	if object == nil {
		return nil
	}
	return []*T{object}
}

func sendout(input *graph.SendDeliveryInput) *db.Sendout {
	return &db.Sendout{
		TemplateID: input.TemplateID, Label: input.Label.Value(),
		ContactAt: input.ContactAt.Value(), RecipientIDs: input.RecipientIds.Value(),
		Filter: input.Filter.Value(), WithTargets: or(input.WithTargets.Value(), false),
	}
}

// deliveryPayload is the answer of a mutation of a delivery.
func deliveryPayload(ctx context.Context, d *coupon.Delivery, err error) (
	*graph.DeliveryPayload, error,
) {
	problems, err := userErrors(err)
	show(ctx, shown(d)...)
	payload := &graph.DeliveryPayload{Delivery: d, UserErrors: problems, Warnings: []string{}}
	if d != nil {
		payload.PendingMessageCount = d.Counts.Pending
	}
	return payload, err
}

// changedDelivery is the answer of a mutation of a delivery that exists: a refusal shows it as it
// is.
func (r *Resolver) changedDelivery(
	ctx context.Context, id coupon.ID, d *coupon.Delivery, err error,
) (*graph.DeliveryPayload, error) {
	payload, err := deliveryPayload(ctx, d, err)
	if err == nil && len(payload.UserErrors) > 0 {
		if payload.Delivery, err = loadShown(ctx, deliveryObject, &id,
			r.store.DeliveriesByID); payload.Delivery != nil {
			payload.PendingMessageCount = payload.Delivery.Counts.Pending
		}
	}
	return payload, err
}

// warned adds to the payload of a delivery that was saved what its analysis will have against its
// content.
func (r *Resolver) warned(
	ctx context.Context, payload *graph.DeliveryPayload, d *coupon.Delivery, err error,
) (*graph.DeliveryPayload, error) {
	if err != nil || d == nil {
		return payload, err
	}
	var of *coupon.Coupon
	if d.CouponID != nil {
		coupons, err := r.store.CouponsByID(ctx, []coupon.ID{*d.CouponID})
		if err != nil {
			return payload, err
		}
		of = coupons[*d.CouponID]
	}
	found := message.CheckContent(d, of)
	for _, problem := range found.Problems {
		payload.Warnings = append(payload.Warnings, problem.Message)
	}
	payload.Warnings = append(payload.Warnings, found.Warnings...)
	return payload, nil
}

// couponPayload is the answer of a mutation of a coupon.
func couponPayload(ctx context.Context, c *coupon.Coupon, err error) (*graph.CouponPayload, error) {
	problems, err := userErrors(err)
	if len(problems) > 0 {
		c = nil
	}
	show(ctx, shown(c)...)
	return &graph.CouponPayload{Coupon: c, UserErrors: problems}, err
}

// changedCoupon is the answer of a mutation of a coupon that exists, with what it concerns.
func (r *Resolver) changedCoupon(ctx context.Context, c *coupon.Coupon, err error) (
	*graph.CouponPayload, error,
) {
	payload, err := couponPayload(ctx, c, err)
	if err == nil && payload.Coupon != nil {
		payload.PendingMessageCount, err = r.store.PendingOfCoupon(ctx, payload.Coupon.ID)
	}
	return payload, err
}

// couponUnless returns the coupon for the payload of a mutation on its codes: nil when there are
// problems.
func (
	r *Resolver,
) couponUnless(ctx context.Context, problems []*coupon.UserError, id coupon.ID) *coupon.Coupon {
	if len(problems) > 0 {
		return nil
	}
	// Coupons are kept in memory: looking one up cannot fail.
	found, _ := r.store.CouponsByID(ctx, []coupon.ID{id})
	show(ctx, shown(found[id])...)
	return found[id]
}

// selection says which codes a mutation is about.
func selection(couponID coupon.ID, values []string, filter *coupon.CodeFilter) *db.CodeSelection {
	return &db.CodeSelection{CouponID: couponID, Values: values, Filter: filter}
}

func generateRequest(input *graph.GenerateCodesInput) *db.GenerateRequest {
	return &db.GenerateRequest{
		CouponID: input.CouponID,
		Count:    input.Count,
		Pattern:  or(input.Pattern.Value(), defaultPattern),
		Alphabet: or(input.Alphabet.Value(), defaultAlphabet),
		Label:    input.Label.Value(),
		IsJob:    input.Count > coupon.MaxGeneratedAtOnce,
	}
}
