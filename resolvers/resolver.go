// Package resolvers is the edge between the GraphQL API and the store: it converts, delegates and
// converts back. No rule and no SQL lives here.
//
// Files named *.resolvers.go belong to the generator, which keeps the bodies of their methods; helpers
// live in the other files.
package resolvers

import (
	"couponql/access"
	"couponql/analyst"
	"couponql/coupon"
	"couponql/db"
	"couponql/job"
	"couponql/message"
	"couponql/transfer"
)

// Resolver answers every field that is not plain data of its object.
type Resolver struct {
	store   *db.Store
	links   *transfer.Links
	courier *job.Courier
	analyst *analyst.Analyst
	guard   *access.Guard
}

// New gives the resolver of a store, whose files have these links. They lead where transfer.WithBaseURL says. The courier
// sends single messages. The analyst answers SQL; nil means that this is switched off. The guard tells who asks.
func New(store *db.Store, links *transfer.Links, courier *job.Courier, analyst *analyst.Analyst, guard *access.Guard) *Resolver {
	return &Resolver{store: store, links: links, courier: courier, analyst: analyst, guard: guard}
}

// CheckContent checks the templates of a delivery against its coupon, which may be nil.
func CheckContent(d *coupon.Delivery, c *coupon.Coupon) coupon.ContentFindings {
	template, err := message.Parse(d.Subject, d.Body)
	if err != nil {
		problems, _ := coupon.AsUserErrors(err)
		return coupon.ContentFindings{Problems: problems}
	}
	var kind *coupon.CouponType
	if c != nil {
		kind = &c.Type
	}
	problems, warnings := template.Check(kind)
	if len(problems) == 0 {
		if err := renderSample(template, d, c); err != nil {
			warnings = append(warnings, "The message to somebody of whom only the address is known fails: "+err.Error())
		}
	}
	return coupon.ContentFindings{Problems: problems, Warnings: warnings, Uses: coupon.RecipientFields(template.Uses())}
}

// renderSample renders a message for a recipient without any values: a loop that is too long fails for everybody, and
// is better known before a million messages fail.
func renderSample(template *message.Template, d *coupon.Delivery, c *coupon.Coupon) error {
	sample := &coupon.MessageData{}
	if c != nil && c.Type == coupon.TypeIndividual {
		sample.CouponValue = &coupon.CodeData{Code: previewCode}
	}
	sample.Complete(d, c)
	_, err := template.Render(sample)
	return err
}
