package db

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"couponql/coupon"
)

// The conditions of a filter of recipients. $0 to $2 stand for the names of parameters.
const (
	withExternalIDs = "list_contains($0::VARCHAR[], external_id)"
	// A part of what is shown, or a whole address however it is spelled.
	withText = "(contains(lower(concat_ws(' ', external_id, email, phone, first_name, last_name)), $0)" +
		" OR lower(coalesce(email_address, email)) = $1::VARCHAR" +
		" OR coalesce(phone_address, phone) = $2::VARCHAR)"
	withContactability = "is_contactable = $0::BOOLEAN"
	withEmailDomains   = "list_contains($0::VARCHAR[]," +
		" lower(split_part(coalesce(email_address, email), '@', -1)))"
	withLanguages = "len(list_filter($0::VARCHAR[], lambda range: starts_with(" +
		"replace(lower(trim(json_extract_string(attributes, '/language'))), '_', '-') || '-'," +
		" range || '-'))) > 0"
	// $0 is a channel.
	isReachable = `is_contactable AND id IN (
    SELECT reached.id FROM (SELECT id, CASE $0::VARCHAR
        WHEN 'EMAIL' THEN coalesce(email_address, email)
        WHEN 'SMS' THEN coalesce(phone_address, phone)
        WHEN 'PUSH' THEN regexp_replace(json_extract_string(attributes, '/pushToken'),
            $invisible, '', 'g')
        ELSE regexp_replace(json_extract_string(attributes, '/postalAddress'),
            $invisible, '', 'g') END AS address FROM recipient) reached
    ANTI JOIN (SELECT address_key FROM quarantine WHERE channel = $0 AND lifted_at IS NULL) q
        ON q.address_key = key_of_address($0, reached.address)
    WHERE reached.address <> '')`

	attributeIn       = "list_contains($0::VARCHAR[], json_extract_string(attributes, $1))"
	attributeContains = "CASE WHEN json_type(attributes, $1) = 'ARRAY'" +
		" THEN list_contains(list_transform(from_json(json_extract(attributes, $1)," +
		" '[\"VARCHAR\"]'), lambda item: lower(item)), $0::VARCHAR)" +
		" ELSE contains(lower(json_extract_string(attributes, $1)), $0::VARCHAR) END"
	attributeExists = "(coalesce(json_type(attributes, $1), 'NULL') <> 'NULL') = $0::BOOLEAN"
	// A number is exact: a binary fraction would make 0.1 + 0.2 of 0.3.
	attributeNumber = "try_cast(json_extract_string(attributes, $1) AS DECIMAL(38,12))"
	attributeTime   = "CASE WHEN regexp_matches(json_extract_string(attributes, $1), '^\\s*\\d{4}-')" +
		" THEN try_cast(json_extract_string(attributes, $1) AS TIMESTAMPTZ)" +
		" END AT TIME ZONE 'UTC'"

	// What a message carried: the code that it gave, or that an earlier one gave.
	givenCodes = `id IN (
    SELECT m.recipient_id
    FROM (SELECT id, recipient_id, delivery_id, coupon_id, coalesce(repeats_id, id) AS giver_id,
        coalesce(code_id, repeated_code_id) AS code_id FROM message) m
    JOIN coupon p ON p.id = m.coupon_id
    LEFT JOIN sending s ON s.message_id = m.id AND s.outcome = 'SENT'
    LEFT JOIN (SELECT DISTINCT code_id FROM redemption WHERE code_id IS NOT NULL
        AND id NOT IN (SELECT redemption_id FROM reversal)) r ON r.code_id = m.code_id
    LEFT JOIN code_void v ON v.code_id = m.code_id
    WHERE m.code_id IS NOT NULL AND m.giver_id NOT IN (SELECT message_id FROM code_return)`
	givenOfCoupon   = "m.coupon_id = $0::BIGINT"
	givenByDelivery = "m.delivery_id = $0::BIGINT"
	givenInStatus   = `list_contains($0::VARCHAR[], CASE
        WHEN r.code_id IS NOT NULL THEN 'REDEEMED' WHEN v.code_id IS NOT NULL THEN 'VOIDED'
        WHEN p.ends_at <= $1::TIMESTAMP THEN 'EXPIRED' ELSE 'ASSIGNED' END)`
	givenFrom = "s.settled_at >= $0::TIMESTAMP"
	givenTo   = "s.settled_at < $0::TIMESTAMP"

	inList   = "id IN (SELECT recipient_id FROM list_member WHERE list_id = $0::BIGINT)"
	targetOf = "id IN (SELECT recipient_id FROM target WHERE delivery_id = $0::BIGINT)"

	excludedFrom = "id IN (SELECT recipient_id FROM exclusion WHERE delivery_id = $0::BIGINT" +
		" AND ($1::VARCHAR[] IS NULL OR list_contains($1::VARCHAR[], reason)))"
)

// recipientFilter makes the condition of a filter of recipients.
type recipientFilter struct {
	store *Store
	parts []string
	args  []any
	// names is how many parameters have names.
	names int
	// isSaved: what it names was there when it was saved, and need not be any more.
	isSaved bool
}

// recipientCondition returns the WHERE of a filter: fixed fragments, one for each thing asked for.
// It returns INVALID for what nobody can be chosen by, and NOT_FOUND for a coupon or delivery that
// does not exist.
func (s *Store) recipientCondition(ctx context.Context, filter *coupon.RecipientFilter) (
	where string, args []any, err error,
) {
	if filter == nil {
		return "\nWHERE true", nil, nil
	}
	f := &recipientFilter{store: s, parts: []string{"true"}}
	if err := f.add(ctx, filter, 1); err != nil {
		return "", nil, coupon.Under(err, "filter")
	}
	return "\nWHERE " + strings.Join(f.parts, "\nAND "), f.args, nil
}

// fragment returns a fragment with the names of its parameters, which have these values.
func (f *recipientFilter) fragment(text string, values ...any) string {
	text = withInvisible(withAddressKeys(text))
	for i, value := range values {
		name := "filter" + strconv.Itoa(f.names)
		f.names++
		if strings.Contains(text, "$"+strconv.Itoa(i)) {
			text = strings.ReplaceAll(text, "$"+strconv.Itoa(i), "$"+name)
			f.args = append(f.args, named(name, value))
		}
	}
	return text
}

func (f *recipientFilter) want(text string, values ...any) {
	f.parts = append(f.parts, f.fragment(text, values...))
}

// refuseMore returns INVALID when a list of a filter has more than it takes.
func refuseMore(count, most int, what string, path ...string) error {
	if count <= most {
		return nil
	}
	return coupon.Errorf(coupon.ErrorInvalid, "Give at most %d %s in one filter, not %d.", most,
		what, count).At(path...)
}

func (f *recipientFilter) add(
	ctx context.Context, filter *coupon.RecipientFilter, depth int,
) error {
	for _, list := range []struct {
		count, most int
		what, place string
	}{
		{len(filter.ExternalIDs), coupon.MaxUpsertedRecipients, "external ids", "externalIds"},
		{len(filter.Attributes), coupon.MaxAttributeFilters, "attributes", "attributes"},
		{len(filter.EmailDomains), coupon.MaxFilterValues, "domains", "emailDomains"},
		{len(filter.Languages), coupon.MaxFilterValues, "languages", "languages"},
		{len(filter.Codes), coupon.MaxAttributeFilters, "conditions on codes", "codes"},
		{len(filter.Lists), coupon.MaxFilterLists, "lists", "lists"},
	} {
		if err := refuseMore(list.count, list.most, list.what, list.place); err != nil {
			return err
		}
	}
	if filter.ExternalIDs != nil {
		f.want(withExternalIDs, filter.ExternalIDs)
	}
	if filter.Search != nil {
		f.want(withText, strings.ToLower(strings.TrimSpace(*filter.Search)),
			f.store.keyOf(coupon.ChannelEmail, *filter.Search),
			f.store.keyOf(coupon.ChannelSMS, *filter.Search))
	}
	for i, attribute := range filter.Attributes {
		if err := f.addAttribute(attribute); err != nil {
			return coupon.Under(err, "attributes", strconv.Itoa(i))
		}
	}
	if filter.IsContactable != nil {
		f.want(withContactability, *filter.IsContactable)
	}
	if err := f.addAddresses(filter); err != nil {
		return err
	}
	for i, codes := range filter.Codes {
		if err := f.addCodes(ctx, codes); err != nil {
			return coupon.Under(err, "codes", strconv.Itoa(i))
		}
	}
	if filter.ExcludedFrom != nil {
		if err := f.addExcluded(ctx, filter.ExcludedFrom); err != nil {
			return coupon.Under(err, "excludedFrom")
		}
	}
	if filter.TargetOf != nil {
		number, err := f.delivery(ctx, *filter.TargetOf)
		if err != nil {
			return at(err, "targetOf")
		}
		f.want(targetOf, number)
	}
	if filter.Lists != nil {
		if err := f.addLists(ctx, filter.Lists); err != nil {
			return err
		}
	}
	if filter.Not == nil {
		return nil
	}
	if depth == coupon.MaxFilterDepth {
		return coupon.Errorf(coupon.ErrorInvalid, "At most %d filters may stand in one another.",
			coupon.MaxFilterDepth).At("not")
	}
	inner, err := f.nested(ctx, filter.Not, depth+1, f.isSaved)
	if err != nil {
		return coupon.Under(err, "not")
	}
	f.parts = append(f.parts, "NOT coalesce("+inner+", false)")
	return nil
}

// nested returns the condition of a filter that stands in this one.
func (f *recipientFilter) nested(
	ctx context.Context, filter *coupon.RecipientFilter, depth int, isSaved bool,
) (string, error) {
	inner := &recipientFilter{
		store: f.store, names: f.names, parts: []string{"true"}, isSaved: isSaved,
	}
	err := inner.add(ctx, filter, depth)
	f.args, f.names = append(f.args, inner.args...), inner.names
	return strings.Join(inner.parts, " AND "), err
}

// addLists wants somebody to be in one of the lists.
func (f *recipientFilter) addLists(ctx context.Context, ids []coupon.ID) error {
	found, err := f.store.RecipientListsByID(ctx, ids)
	if err != nil {
		return err
	}
	ways := []string{"false"}
	for i, id := range ids {
		l := found[id]
		if l == nil {
			return coupon.NotFound(coupon.KindList, id).At("lists", strconv.Itoa(i))
		}
		way := f.fragment(inList, coupon.MustNumber(coupon.KindList, id))
		if l.SavedFilter != nil {
			// It was checked alone, and has no lists in it.
			if way, err = f.nested(ctx, l.SavedFilter, 1, true); err != nil {
				return err
			}
		}
		ways = append(ways, "("+way+")")
	}
	f.parts = append(f.parts, "("+strings.Join(ways, " OR ")+")")
	return nil
}

func (f *recipientFilter) addAddresses(filter *coupon.RecipientFilter) error {
	if filter.EmailDomains != nil {
		domains := make([]string, len(filter.EmailDomains))
		for i, domain := range filter.EmailDomains {
			address, reason := coupon.Canonical(coupon.ChannelEmail,
				"a@"+strings.TrimPrefix(strings.TrimSpace(domain), "@"), "")
			if reason != "" {
				return coupon.Errorf(coupon.ErrorInvalid, "%q is not a domain such as example.com.",
					coupon.Printable(domain)).At("emailDomains", strconv.Itoa(i))
			}
			domains[i] = strings.TrimPrefix(address.Key, "a@")
		}
		f.want(withEmailDomains, domains)
	}
	if filter.Languages != nil {
		languages := make([]string, len(filter.Languages))
		for i, language := range filter.Languages {
			language = strings.ToLower(strings.TrimSpace(language))
			languages[i] = strings.ReplaceAll(language, "_", "-")
			if languages[i] == "" {
				return coupon.Errorf(coupon.ErrorInvalid, "Give a language, such as de or de-AT.").
					At("languages", strconv.Itoa(i))
			}
		}
		f.want(withLanguages, languages)
	}
	if filter.ReachableBy != nil {
		var ways []string
		for _, channel := range slices.Compact(slices.Sorted(slices.Values(filter.ReachableBy))) {
			ways = append(ways, f.fragment(isReachable, string(channel)))
		}
		f.parts = append(f.parts, "("+strings.Join(append(ways, "false"), " OR ")+")")
	}
	return nil
}

func (f *recipientFilter) addAttribute(attribute *coupon.AttributeFilter) error {
	if attribute == nil || attribute.IsEmpty() {
		return coupon.Errorf(coupon.ErrorInvalid, "Say what the attribute must be: in, contains, exists, gt, gte, lt or lte.").
			At("name")
	}
	if len(attribute.In) > coupon.MaxFilterValues {
		return coupon.Errorf(coupon.ErrorInvalid, "Give at most %d values for one attribute.",
			coupon.MaxFilterValues).At("in")
	}
	path := attributePath(attribute.Name)
	var parts []string
	if attribute.In != nil {
		parts = append(parts, f.fragment(attributeIn, attribute.In, path))
	}
	if attribute.Contains != nil {
		parts = append(parts, f.fragment(attributeContains, strings.ToLower(*attribute.Contains),
			path))
	}
	if attribute.Exists != nil {
		parts = append(parts, f.fragment(attributeExists, *attribute.Exists, path))
	}
	for _, one := range []struct {
		name, comparison string
		bound            *coupon.Bound
		// isBehind: a day is compared by the beginning of the next one, with behind.
		isBehind bool
		behind   string
	}{
		{"gt", ">", attribute.Gt, true, ">="},
		{"gte", ">=", attribute.Gte, false, ""},
		{"lt", "<", attribute.Lt, false, ""},
		{"lte", "<=", attribute.Lte, true, "<"},
	} {
		if one.bound == nil {
			continue
		}
		if one.bound.IsNumber() {
			parts = append(parts, f.fragment(attributeNumber+" "+one.comparison+
				" $0::VARCHAR::DECIMAL(38,12)", string(*one.bound), path))
			continue
		}
		first, next, err := one.bound.Day()
		if err != nil {
			return coupon.Errorf(coupon.ErrorInvalid, "%s.", err).At(one.name)
		}
		comparison, at := one.comparison, first
		if one.isBehind && next.After(first) {
			comparison, at = one.behind, next
		}
		parts = append(parts, f.fragment(attributeTime+" "+comparison+" $0::TIMESTAMP", at, path))
	}
	all := "coalesce(" + strings.Join(parts, " AND ") + ", false)"
	if attribute.Not != nil && *attribute.Not {
		all = "NOT " + all
	}
	f.parts = append(f.parts, all)
	return nil
}

func (f *recipientFilter) addCodes(ctx context.Context, codes *coupon.GivenCodeFilter) error {
	parts := []string{givenCodes}
	zone := time.UTC
	if codes.CouponID != nil {
		number, err := codes.CouponID.Number(coupon.KindCoupon)
		if err != nil {
			return at(err, "couponId")
		}
		c := f.store.memory.Coupon(number)
		switch {
		case c == nil && !f.isSaved:
			return coupon.NotFound(coupon.KindCoupon, *codes.CouponID).At("couponId")
		case c == nil: // It was deleted, and nobody has a code of it.
		default:
			if zone, err = coupon.LoadZone(c.Timezone); err != nil {
				return fmt.Errorf("zone of %s: %w", c.ID, err)
			}
		}
		parts = append(parts, f.fragment(givenOfCoupon, number))
	}
	if codes.DeliveryID != nil {
		number, err := f.delivery(ctx, *codes.DeliveryID)
		if err != nil {
			return err
		}
		parts = append(parts, f.fragment(givenByDelivery, number))
	}
	if len(codes.Status) > 0 {
		if slices.Contains(codes.Status, coupon.CodeAvailable) {
			return coupon.Errorf(coupon.ErrorInvalid, "Nobody has a code that is AVAILABLE; ask for is: NONE of the other states.").
				At("status")
		}
		parts = append(parts, f.fragment(givenInStatus, texts(codes.Status), f.store.now()))
	}
	sent, err := coupon.NewPeriod(codes.SentFrom, codes.SentTo, zone, "sent")
	if problems, isUser := coupon.AsUserErrors(err); isUser && len(problems) == 1 {
		// Whose filter it is, is said by who asks.
		return problems[0].At(problems[0].Field[1:]...)
	} else if err != nil {
		return err
	}
	if sent.From != nil {
		parts = append(parts, f.fragment(givenFrom, *sent.From))
	}
	if sent.To != nil {
		parts = append(parts, f.fragment(givenTo, *sent.To))
	}
	all := strings.Join(parts, " AND ") + ")"
	if codes.Is != nil && *codes.Is == coupon.QuantityNone {
		all = "NOT " + all
	}
	f.parts = append(f.parts, all)
	return nil
}

func (f *recipientFilter) addExcluded(
	ctx context.Context, excluded *coupon.ExcludedFromFilter,
) error {
	number, err := f.delivery(ctx, excluded.DeliveryID)
	if err != nil {
		return err
	}
	f.want(excludedFrom, number, texts(excluded.Reasons))
	return nil
}

// delivery returns the number of a delivery that exists.
func (f *recipientFilter) delivery(ctx context.Context, id coupon.ID) (int64, error) {
	number, err := id.Number(coupon.KindDelivery)
	if err != nil {
		return 0, at(err, "deliveryId")
	}
	if f.isSaved {
		return number, nil
	}
	found, err := f.store.readDeliveries(ctx, []int64{number})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindDelivery, id).At("deliveryId")
	}
	return number, err
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// attributePath returns the JSON pointer (RFC 6901) of an attribute.
func attributePath(name string) string {
	return "/" + pointerEscapes.Replace(name)
}
