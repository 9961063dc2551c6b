package message_test

import (
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/message"
)

// typical is an HTML mail of 1 KB with four tokens.
var typical = strings.Repeat("<p>Some text of an ordinary mail, in paragraphs.</p>\n", 18) +
	"<p>Hello {{ recipient.firstName }} {{ recipient.lastName }}</p><p>{{ couponValue.code }}</p><p>{{ coupon.label }}</p>"

func someData() *coupon.MessageData {
	return &coupon.MessageData{
		Recipient: coupon.RecipientData{
			ExternalID: "c-1", Email: new("anna@example.com"), FirstName: new("Anna"),
			LastName:   new("Smith & Co"),
			Attributes: `{"sport":"tennis","points":1234567,"balance":1234.5,"tags":["a","b","c"],"address":{"city":"Köln","zip":"50667"}}`,
		},
		Coupon: &coupon.CouponData{
			Code: "CPN1", Label: "Summer", StartsAt: "2026-06-01T00:00:00+02:00",
			EndsAt: "2026-07-01T00:00:00+02:00",
		},
		CouponValue: &coupon.CodeData{Code: "X1Y2", Label: "tennis"},
		Delivery:    coupon.DeliveryData{Label: "June"},
	}
}

func benchmarkRender(b *testing.B, body string) {
	b.Helper()
	subject := "Hello {{ recipient.firstName }}"
	template, err := message.Parse(&subject, body)
	if err != nil {
		b.Fatal(err)
	}
	data := someData()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := template.Render(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func BenchmarkRender(b *testing.B) {
	b.Run("Typical", func(b *testing.B) { benchmarkRender(b, typical) })
	b.Run("Attributes", func(b *testing.B) {
		benchmarkRender(b, typical+
			"{{ recipient.attributes.sport | upcase }} {{ recipient.attributes.address.city }}")
	})
	b.Run("Conditions", func(b *testing.B) {
		benchmarkRender(b, typical+"{% if recipient.firstName != blank %}{{ coupon.endsAt | date: '%d.%m.%Y' }}{% else %}x{% endif %}"+
			"{% for i in (1..5) %}{{ i }}, {% endfor %}")
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := message.Parse(nil, typical); err != nil {
			b.Fatal(err)
		}
	}
}
