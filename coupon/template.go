package coupon

import "time"

// RenderedMessage is a message as its recipient gets it.
type RenderedMessage struct {
	Subject *string
	Body    string
}

// MessageData is what the tokens of a template can name.
type MessageData struct {
	Recipient   RecipientData
	Coupon      *CouponData
	CouponValue *CodeData
	Delivery    DeliveryData
}

// RecipientData is what a template may say of a recipient; a nil field is blank.
type RecipientData struct {
	ExternalID string
	Email      *string
	Phone      *string
	FirstName  *string
	LastName   *string
	// Attributes is the JSON object of the recipient's own attributes, or empty for none.
	Attributes JSON
}

// CouponData is what a template may say of the delivery's coupon; dates are RFC 3339 in the coupon's
// time zone.
type CouponData struct {
	Code     string
	Label    string
	StartsAt string
	EndsAt   string
}

// CodeData is what a template may say of the message's own code.
type CodeData struct {
	Code  string
	Label string
}

// DeliveryData is what a template may say of the delivery.
type DeliveryData struct {
	Label string
}

// OutgoingMessage is a rendered message on its way to a sender.
type OutgoingMessage struct {
	MessageID  ID
	DeliveryID ID
	// Recipient is the recipient's external id.
	Recipient string
	Channel   Channel
	Address   string
	// Code is the message's own code, or the anonymous coupon's; empty without a coupon.
	Code    string
	Subject string
	Body    string
	// IsHTML tells an HTML body from plain text.
	IsHTML bool
}

// Complete fills in what all messages of a delivery share. c is the delivery's coupon, or nil.
func (m *MessageData) Complete(d *Delivery, c *Coupon) {
	m.Delivery = DeliveryData{Label: d.Label}
	if c == nil {
		return
	}
	zone, err := LoadZone(c.Timezone)
	if err != nil {
		zone = time.UTC
	}
	m.Coupon = &CouponData{Code: c.Code, Label: c.Label, StartsAt: c.StartsAt.In(zone).Format(time.RFC3339)}
	if c.EndsAt != nil {
		m.Coupon.EndsAt = lastMoment(c.EndsAt.In(zone)).Format(time.RFC3339)
	}
}

// lastMoment returns the end that people are told: a validity that ends at midnight ends on the day before.
func lastMoment(end time.Time) time.Time {
	if hour, minute, second := end.Clock(); hour == 0 && minute == 0 && second == 0 && end.Nanosecond() == 0 {
		return end.Add(-time.Second)
	}
	return end
}
