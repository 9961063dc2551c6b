package message

import (
	"slices"
	"strings"

	"couponql/coupon"
)

// field is a token of the product.
type field int

const (
	// noField is a variable of the template itself.
	noField field = iota
	// unknownField is a name that nothing has.
	unknownField
	recipientField
	externalIDField
	emailField
	phoneField
	firstNameField
	lastNameField
	attributesField
	couponField
	couponCodeField
	couponLabelField
	startsAtField
	endsAtField
	valueField
	valueCodeField
	valueLabelField
	deliveryField
	deliveryLabelField
)

// tokens are the product's tokens by name.
var tokens = map[string]field{
	"recipient":            recipientField,
	"recipient.externalId": externalIDField,
	"recipient.email":      emailField,
	"recipient.phone":      phoneField,
	"recipient.firstName":  firstNameField,
	"recipient.lastName":   lastNameField,
	"recipient.attributes": attributesField,
	"coupon":               couponField,
	"coupon.code":          couponCodeField,
	"coupon.label":         couponLabelField,
	"coupon.startsAt":      startsAtField,
	"coupon.endsAt":        endsAtField,
	"couponValue":          valueField,
	"couponValue.code":     valueCodeField,
	"couponValue.label":    valueLabelField,
	"delivery":             deliveryField,
	"delivery.label":       deliveryLabelField,
}

// isWhole tells the tokens that are objects of other tokens.
func (f field) isWhole() bool {
	return f == recipientField || f == couponField || f == valueField || f == deliveryField
}

// isCoupon tells the tokens that need a coupon.
func (f field) isCoupon() bool { return couponField <= f && f <= endsAtField }

// isValue tells the tokens that need a code of the message's own.
func (f field) isValue() bool { return valueField <= f && f <= valueLabelField }

// resolve finds out what the path names and keeps it for Check and Uses.
func (p *expressionParser) resolve(path *path) {
	field, ok := tokens[path.root]
	if !ok {
		if path.root != "forloop" && !slices.Contains(p.parser.loopVariables, path.root) {
			// Whether the template assigns it anywhere is known when all of it was read.
			p.parser.variables = append(p.parser.variables, path)
		} else if path.root == "forloop" && len(p.parser.loopVariables) == 0 {
			path.field = unknownField
			p.parser.part.tokens = append(p.parser.part.tokens, path)
		}
		return
	}
	path.field = field
	if len(path.steps) > 0 && path.steps[0].index == nil {
		field, ok = tokens[path.root+"."+path.steps[0].name]
		switch {
		case !ok:
			path.field = unknownField
		case field == attributesField:
			path.field, path.steps = field, path.steps[1:]
		case len(path.steps) == 1, len(path.steps) == 2 && path.steps[1].name == "size":
			path.field, path.steps = field, path.steps[1:]
		default:
			// These values are texts and have nothing in them.
			path.field = unknownField
		}
	}
	p.parser.part.tokens = append(p.parser.part.tokens, path)
}

// Fields says which fields of a recipient a template uses.
type Fields struct {
	ExternalID, Email, Phone, FirstName, LastName, Attributes bool
}

// Uses tells which fields of a recipient the subject and the body name anywhere: in outputs, tags,
// conditions, loops and arguments of filters. A template that takes the recipient as a whole uses all.
func (t *Template) Uses() Fields {
	var uses Fields
	for _, part := range t.parts() {
		for _, token := range part.tokens {
			switch token.field {
			case recipientField:
				return Fields{true, true, true, true, true, true}
			case externalIDField:
				uses.ExternalID = true
			case emailField:
				uses.Email = true
			case phoneField:
				uses.Phone = true
			case firstNameField:
				uses.FirstName = true
			case lastNameField:
				uses.LastName = true
			case attributesField:
				uses.Attributes = true
			default:
			}
		}
	}
	return uses
}

// Check compares the tokens with what a delivery has: its coupon's type, or nil without a coupon.
// The problems are TEMPLATE_INVALID with the field input.subject or input.body, line and column, one
// for each unknown token, each couponValue without individual codes and each coupon without a coupon.
// The warnings say that nobody would see the code.
func (t *Template) Check(couponType *coupon.CouponType) (coupon.UserErrors, []string) {
	var problems problems
	// isShown says that some token shows the code that customers redeem.
	isShown, isCouponCodeShown := false, false
	for _, part := range t.parts() {
		for _, token := range part.tokens {
			switch f := token.field; {
			case f == unknownField:
				problems.addf(part, token.at, "There is no token %s.%s", token.text, hint{token.text, tokenNames})
			case f.isCoupon() && couponType == nil:
				problems.addf(part, token.at, "%s needs a coupon, and the delivery has none.", token.text)
			case f.isValue() && couponType == nil:
				problems.addf(part, token.at, "%s needs an individual coupon, and the delivery has no coupon.", token.text)
			case f.isValue() && *couponType == coupon.TypeAnonymous:
				problems.addf(part, token.at, "%s needs an individual coupon. An anonymous coupon has one code for all: use coupon.code.",
					token.text)
			case f == couponField, f == couponCodeField:
				isCouponCodeShown = true
			case f == valueField, f == valueCodeField:
				isShown = true
			}
		}
	}
	var warnings []string
	switch {
	case couponType == nil:
	case *couponType == coupon.TypeAnonymous && !isCouponCodeShown:
		warnings = append(warnings, "The delivery has a coupon, but its content does not show the code: {{ coupon.code }} is missing.")
	case *couponType == coupon.TypeIndividual && !isShown && isCouponCodeShown:
		warnings = append(warnings, "The content does not show the recipient's own code: {{ couponValue.code }} is missing; "+
			"coupon.code is only the coupon's name.")
	case *couponType == coupon.TypeIndividual && !isShown:
		warnings = append(warnings, "The delivery has a coupon, but its content does not show the recipient's code: "+
			"{{ couponValue.code }} is missing.")
	}
	return problems.userErrors(), warnings
}

// tokenNames lists what a template can write, for hints.
func tokenNames() []string {
	names := make([]string, 0, len(tokens))
	for name, field := range tokens {
		if !field.isWhole() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// hint is the end of a message about a wrong name. It looks for the name that was meant when it is
// written, which most of very many problems never are.
type hint struct {
	wrong string
	known func() []string
}

// maxHintLength is the length of the longest name that hints are looked for, in bytes.
const maxHintLength = 100

// String returns " Did you mean x?" for the known name that is nearest to the wrong one, or nothing
// when none is near. Names that differ only in case, _ or - are as good as equal, and the last word
// alone may have been written (firstName).
func (h hint) String() string {
	if len(h.wrong) > maxHintLength {
		return ""
	}
	wrong, lastWrong := bare(h.wrong), bare(lastWord(h.wrong))
	best, bestDistance := "", len(h.wrong)
	for _, name := range h.known() {
		distance := editDistance(wrong, bare(name))
		if last := lastWord(name); last != name {
			distance = min(distance, 1+editDistance(lastWrong, bare(last)))
		}
		if distance < bestDistance {
			best, bestDistance = name, distance
		}
	}
	if best == "" || bestDistance > max(1, len(lastWrong)/3) {
		return ""
	}
	return " Did you mean " + best + "?"
}

// misspellings are what people get wrong about the spelling of names; couponCode is Adobe's word for
// code.
var misspellings = strings.NewReplacer("_", "", "-", "", "couponcode", "code")

// bare returns a name without what people get wrong.
func bare(name string) string { return misspellings.Replace(strings.ToLower(name)) }

func lastWord(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// editDistance is the number of bytes to add, drop or change to make one name of the other.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
