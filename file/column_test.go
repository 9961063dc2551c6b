package file

import (
	"slices"
	"testing"

	"couponql/coupon"
)

func TestColumnSpellings(t *testing.T) {
	t.Parallel()
	tests := map[coupon.ImportKind]map[string][]string{
		coupon.ImportCodes: {
			"code": {
				"code", "CODE", "coupon", "coupon code", "coupon_code", "Coupon-Code", "couponcode", "value", "voucher", "voucher code",
				"promo code", "unique code", "coupon value",
			},
			"label": {"label", "Name", "group", "category"},
		},
		coupon.ImportRecipients: {
			"externalId":    {"externalId", "external id", "external_id", "id", "Customer ID", "recipient id", "user id", "member id"},
			"email":         {"email", "E-Mail", "mail", "email address"},
			"phone":         {"phone", "mobile", "phone number", "MSISDN", "tel"},
			"firstName":     {"first name", "first_name", "FirstName", "given name", "forename"},
			"lastName":      {"last name", "surname", "family name"},
			"isContactable": {"contactable", "is contactable", "isContactable"},
		},
		coupon.ImportRedemptions: {
			"code":       {"code", "voucher"},
			"redeemedAt": {"redeemed on", "redeemed_at", "redeemed", "redemption date", "used at", "date", "used on"},
			"reference":  {"reference", "order", "order id", "order number", "external id", "externalid"},
			"amount":     {"amount"},
			"currency":   {"Currency"},
			"store": {
				"store", "Shop", "store_id", "till", "point of sale", "Filiale", "magasin", "tienda", "negozio", "loja", "winkel", "sklep",
				"mağaza",
			},
			"customer": {"customer", "Customer ID", "client", "Kundennummer", "numéro de client", "cliente", "klant", "klient", "müşteri no"},
		},
		coupon.ImportTargets: {"externalId": {"external_id", "id"}},
	}
	for kind, fields := range tests {
		for field, spellings := range fields {
			for _, spelling := range spellings {
				columns := Columns(kind)
				i := slices.IndexFunc(columns, func(c Column) bool { return c.matches(normal(spelling)) })
				if i < 0 || columns[i].Name != field {
					t.Errorf("%s: the column %q is not %s", kind, spelling, field)
				}
			}
		}
		for i, column := range Columns(kind) {
			for _, alias := range column.Aliases {
				for _, other := range Columns(kind)[i+1:] {
					if other.matches(normal(alias)) {
						t.Errorf("%s: the column %q could be %s and %s", kind, alias, column.Name, other.Name)
					}
				}
			}
		}
	}
	if got := Columns("OTHER"); got != nil {
		t.Errorf("got %v for an unknown kind", got)
	}
}

func TestFirstOfTwoFieldsIsTaken(t *testing.T) {
	t.Parallel()
	columns := []Column{{Name: "a", Aliases: []string{"x"}}, {Name: "b", Aliases: []string{"x"}}}
	r, err := Open(write(t, []byte("x,y\n1,2\n")), coupon.FileOptions{}, columns)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	row, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if row.Get(0) != "1" || has(row, 1) {
		t.Errorf("got %q and %q", row.Get(0), row.Get(1))
	}
}
