package message

import "couponql/coupon"

// PreviewCode stands for the code of a recipient when there is none to show.
const PreviewCode = "PREVIEW-CODE"

// CheckContent checks the templates of a delivery against its coupon, which may be nil.
func CheckContent(d *coupon.Delivery, c *coupon.Coupon) coupon.ContentFindings {
	template, err := Parse(d.Subject, d.Body)
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
			warnings = append(warnings,
				"The message to somebody of whom only the address is known fails: "+err.Error())
		}
	}
	return coupon.ContentFindings{
		Problems: problems, Warnings: warnings, Uses: coupon.RecipientFields(template.Uses()),
		Shown: template.Shown(), Render: template.Render,
	}
}

// renderSample renders a message for a recipient without any values: a loop that is too long fails
// for everybody, and is better known before a million messages fail.
func renderSample(template *Template, d *coupon.Delivery, c *coupon.Coupon) error {
	sample := &coupon.MessageData{}
	if c != nil && c.Type == coupon.TypeIndividual {
		sample.CouponValue = &coupon.CodeData{Code: PreviewCode}
	}
	sample.Complete(d, c)
	_, err := template.Render(sample)
	return err
}
