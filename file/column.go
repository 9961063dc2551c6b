package file

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"couponql/coupon"
)

// Column is a column that an import knows: its name and the spellings under which files carry it.
// Upper and lower case, accents, spaces and punctuation make no difference in a spelling, and the
// name itself is always one.
type Column struct {
	Name string
	// Aliases come before Words: where a file has a column for each, the alias is taken.
	Aliases []string
	// Words are spellings in many languages, as normal gives them. Of two that are not required the one that stands
	// first is taken.
	Words []string
	// IsRequired says that a file without this column cannot be imported.
	IsRequired bool

	// meaning is what the column holds, in words for an error message; empty: the name.
	meaning string
	// owner is an element of XML that has a column of this kind for itself, besides the rows in it: a
	// coupon has a code, as its codes do. It is a row only where no rows are in it.
	owner string
	// element is what the rows of XML are called where several elements could be; others in them that have this column are
	// rows of another kind, and read over.
	element string
	// isOwners: where a row of XML lacks the column, the owner around it has it as its own.
	isOwners bool
	// takesOthers is set on one of the columns when the columns that nobody knows are kept as well, as
	// attributes: an options.Columns field may then have any name.
	takesOthers bool
	// isNamedOnly: a file without a header does not have it. Such columns come last.
	isNamedOnly bool
	// consent is what it says of being contacted; 0: nothing. All columns of the file that could be it are.
	consent coupon.ConsentSense
	// holdsReports: an object of JSON may be a report of several messages, which reports take apart.
	holdsReports bool
	// holdsObject: its values are objects in JSON, which JSONL has as they are.
	holdsObject bool
	// takesFirst: where several columns could be this one it is the one whose alias is named first, and the others are not read.
	takesFirst bool
	// isProof tells values that only this column has. A file without a header is read by position only
	// when such a value stands where it should.
	isProof func(value string) bool
}

// The columns that a file of rejected rows has besides those of the file that was imported. They tell what to
// mend and are not read when the file is imported again.
const (
	RejectLine   = "_line"
	RejectReason = "_reason"
	RejectValue  = "_value"
)

// IsReject reports whether a column is one that tells why a row was rejected.
func IsReject(name string) bool {
	return name == RejectLine || name == RejectReason || name == RejectValue
}

// ContactableColumn is the column that says whether a recipient may be contacted.
const ContactableColumn = "isContactable"

// UnsubscribedColumn is the column that says who may not be contacted any more, or since when.
const UnsubscribedColumn = "unsubscribed"

// Columns returns the columns of a kind of import, in the order in which a file without a header has
// them. It gives nil for an unknown kind.
func Columns(kind coupon.ImportKind) []Column {
	return withWords(columnsOf(kind))
}

// CodeColumnsOfCoupons returns the columns of a file that says of each code whose it is.
func CodeColumnsOfCoupons() []Column {
	columns := columnsOf(coupon.ImportCodes)
	// What names the coupon names no code.
	columns[0].Aliases = slices.DeleteFunc(columns[0].Aliases, func(alias string) bool { return alias == "coupon" })
	columns = withWords(append(columns, Column{
		Name:       "coupon",
		Aliases:    []string{"coupon id", "pool", "campaign", "campaign code", "offer", "promotion"},
		IsRequired: true,
		meaning:    "codes of the coupons",
		isOwners:   true,
	}))
	coupons := columns[len(columns)-1].Words
	columns[0].Words = slices.DeleteFunc(columns[0].Words, func(word string) bool { return slices.Contains(coupons, word) })
	return columns
}

func withWords(columns []Column) []Column {
	vocabulary := Vocabulary()
	for i, column := range columns {
		fields := []string{column.Name}
		if column.Name == "address" {
			fields = append(fields, "email", "phone")
		}
		columns[i].Words = wordsOf(vocabulary, fields...)
	}
	return columns
}

func columnsOf(kind coupon.ImportKind) []Column {
	code := Column{
		Name: "code",
		Aliases: []string{
			"coupon", "coupon code", "coupon value", "value", "voucher", "voucher code", "promo code", "unique code",
		},
		IsRequired: true,
		meaning:    "codes",
		owner:      "coupon",
	}
	externalID := Column{
		Name:       "externalId",
		Aliases:    []string{"id", "customer id", "recipient id", "user id", "member id"},
		IsRequired: true,
		meaning:    "external ids",
	}
	switch kind {
	case coupon.ImportCodes:
		return []Column{code, {Name: "label", Aliases: []string{"name", "group", "category"}}}
	case coupon.ImportRecipients:
		externalID.takesOthers = true
		return []Column{
			externalID,
			{
				Name:    "email",
				Aliases: []string{"mail", "email address", "mail address"},
				isProof: func(value string) bool { return strings.Contains(value, "@") },
			},
			{Name: "phone", Aliases: []string{"mobile", "mobile phone", "phone number", "msisdn", "tel", "telephone"}},
			{Name: "firstName", Aliases: []string{"given name", "forename"}},
			{Name: "lastName", Aliases: []string{"surname", "family name"}},
			{Name: ContactableColumn, Aliases: []string{"contactable"}, consent: coupon.ConsentSays},
			{Name: "attributes", isNamedOnly: true, holdsObject: true},
			{Name: UnsubscribedColumn, Aliases: []string{"is unsubscribed"}, isNamedOnly: true, consent: coupon.OptOutSays},
		}
	case coupon.ImportCoupons:
		return couponColumns()
	case coupon.ImportRedemptions:
		return []Column{
			code,
			{
				Name: "redeemedAt",
				Aliases: []string{
					"redeemed on", "redeemed", "redemption date", "redeemed date", "used at", "used on", "date",
				},
				IsRequired: true,
				meaning:    "dates of redemption",
				isProof:    isDateLike,
			},
			{Name: "reference", Aliases: []string{"order", "order id", "order number", "external id"}},
			{Name: "amount"},
			{Name: "currency"},
			{
				Name: "store",
				Aliases: []string{
					"shop", "store id", "store number", "store name", "shop id", "shop name", "branch", "outlet", "till", "till id",
					"terminal", "terminal id", "pos", "point of sale", "site",
				},
				isNamedOnly: true,
				takesFirst:  true,
			},
			{
				Name: "customer",
				Aliases: []string{
					"customer id", "customer number", "client", "client id", "client number", "member", "member id", "member number",
					"loyalty id", "loyalty number", "shopper", "shopper id",
				},
				isNamedOnly: true,
				takesFirst:  true,
			},
			{Name: "source", isNamedOnly: true},
		}
	case coupon.ImportTargets:
		return []Column{externalID}
	case coupon.ImportBounces:
		return bounceColumns()
	}
	return nil
}

// couponColumns are those of coupons. A code here is a coupon's own.
func couponColumns() []Column {
	return []Column{
		{Name: "code", Aliases: []string{"coupon", "coupon code", "coupon id"}, IsRequired: true, meaning: "codes of the coupons", element: "coupon"},
		{Name: "label", Aliases: []string{"name", "title"}},
		{Name: "type", Aliases: []string{"coupon type", "kind"}},
		{Name: "startsAt", Aliases: []string{"starts", "starts on", "start", "start date", "valid from", "from", "begins", "begin"}},
		{Name: "endsAt", Aliases: []string{
			"ends", "ends on", "end", "end date", "valid until", "valid to", "valid through", "until", "to", "expires", "expires at", "expires on",
			"expiry", "expiry date", "expiration", "expiration date",
		}},
		{Name: "redemptionLimit", Aliases: []string{"limit", "max redemptions", "usage limit", "uses per code"}},
		{Name: "requiresAssignment", Aliases: []string{"assignment required"}},
		{Name: "lowStockThreshold", Aliases: []string{"low stock", "alert below"}},
		{Name: "lowStockShare", Aliases: []string{"low stock percentage"}},
		{Name: "timezone", Aliases: []string{"zone", "tz"}},
		{Name: "metadata", Aliases: []string{"meta", "notes"}, holdsObject: true},
		{Name: "isArchived", Aliases: []string{"archived"}},
	}
}

// bounceColumns are those of reports, as the products that send messages call them. Their files have many columns that
// could be the same one; the alias that is named first says it best. The address comes first: all have it, and by it rows of XML
// are known.
func bounceColumns() []Column {
	columns := []Column{
		{
			Name: "address", Aliases: []string{
				"bounce.bouncedRecipients.emailAddress",
				"complaint.complainedRecipients.emailAddress",
				"deliveryDelay.delayedRecipients.emailAddress",
				"delivery.recipients",
				"mail.destination",
				"data.to",
				"msg.email",
				"email",
				"email address",
				"recipient",
				"recipient email",
				"bounced recipient",
				"recipient address",
				"rcpt to",
				"rcpt",
				"mail",
				"mail address",
				"destination",
				"to",
				"phone",
				"phone number",
				"msisdn",
			},
			meaning:      "addresses",
			isProof:      func(value string) bool { return strings.Contains(value, "@") },
			holdsReports: true,
		},
		{Name: "messageId", Aliases: []string{
			"smtp-id", "rfc822 message id", "message.headers.message-id", "headers.message-id", "mail.commonHeaders.messageId",
			"message", "message uid", "message sid", "custom id", "mid", "mail.messageId",
		}, meaning: "ids of messages"},
		{Name: "event", Aliases: []string{"event type", "notification type", "record type", "st text"}, meaning: "events"},
		{Name: "kind", Aliases: []string{
			"bounce.bounceType", "complaint.complaintFeedbackType", "deliveryDelay.delayType", "data.bounce.type", "hard bounce",
			"type", "bounce type", "severity", "bounce category", "category", "bounce class",
		}, meaning: "kinds of bounces"},
		{
			Name: "status",
			Aliases: []string{
				"bounce.bouncedRecipients.status",
				"deliveryDelay.delayedRecipients.status",
				"message status",
				"smtp code",
				"status code",
				"delivery-status.code",
				"code",
				"error code",
			},
			meaning: "status codes",
		},
		{
			Name: "at", Aliases: []string{
				"bounce.timestamp",
				"complaint.timestamp",
				"deliveryDelay.timestamp",
				"delivery.timestamp",
				"ts event",
				"date",
				"timestamp",
				"time",
				"bounced at",
				"created",
				"created at",
				"occurred at",
				"event time",
				"delivered at",
				"received at",
				"ts",
				"mail.timestamp",
			},
			meaning: "dates",
			isProof: isDateLike,
		},
		{Name: "reason", Aliases: []string{
			"bounce.bouncedRecipients.diagnosticCode",
			"deliveryDelay.delayedRecipients.diagnosticCode",
			"delivery.smtpResponse",
			"reject.reason",
			"data.bounce.message",
			"msg.diag",
			"description",
			"diagnostic code",
			"bounce reason",
			"response",
			"smtp response",
			"details",
			"delivery-status.message",
			"error",
		}, meaning: "reasons"},
	}
	for i := range columns {
		columns[i].takesFirst = true
	}
	return columns
}

// isDateLike tells values of nothing but digits and what stands between them in a date.
func isDateLike(value string) bool {
	return strings.ContainsAny(value, "0123456789") && strings.Trim(value, "0123456789-/.:+TZ ") == ""
}

// The classes of spellings, the best one first.
const (
	exactSpelling = iota
	aliasSpelling
	wordSpelling
)

// rank tells how well a spelling, which is normal, says that a column is this one: its class, and its place in that.
func (c *Column) rank(spelling string) (class, place int, isKnown bool) {
	if spelling == "" {
		return 0, 0, false
	}
	if spelling == normal(c.Name) {
		return exactSpelling, 0, true
	}
	if place = slices.IndexFunc(c.Aliases, func(alias string) bool { return normal(alias) == spelling }); place >= 0 {
		return aliasSpelling, place, true
	}
	place = slices.Index(c.Words, spelling)
	return wordSpelling, place, place >= 0
}

// matches reports whether a file may call this column by this spelling, which is normal.
func (c *Column) matches(spelling string) bool {
	_, _, isKnown := c.rank(spelling)
	return isKnown
}

// words says what the column holds.
func (c *Column) words() string {
	if c.meaning != "" {
		return c.meaning
	}
	return c.Name
}

// assignment says which cell of a row holds which column.
type assignment struct {
	// fields has, for each known column, the position of its cell, or -1 when the file lacks it.
	fields []int
	// others are the named columns that no known column took, in file order.
	others []otherColumn
	// rivals are the columns that could be a known one as well, and were not taken for it.
	rivals []int
	// consents are the columns about consent, and hints what tells them.
	consents []consentColumn
	hints    []consentHint
	// doubles are the columns whose name came before, and which nobody asks for.
	doubles []int

	// alternates has, where each row names its columns, all cells that may hold each known column, the best first; nil for a
	// column that one cell alone may hold. It is nil where the header names the columns.
	alternates [][]candidate
	// used are the alternates that held a known column in a row so far, by their cells.
	used map[int]int
	// hasAlternates says that there are any.
	hasAlternates bool
	// areApart reports whether the second column never stands in a row beside the first, and areTogether whether both always do.
	areApart, areTogether func(a, b candidate) bool
}

type otherColumn struct {
	name string
	cell int
}

// newAssignment makes an assignment in which no column is found.
func newAssignment(columns int) *assignment {
	a := &assignment{fields: make([]int, columns)}
	for i := range a.fields {
		a.fields[i] = -1
	}
	return a
}

// assign finds the known columns among the names that a file has for its columns: first the mapped
// ones, then by spelling. Where two columns of the file could be the same known one, the one that is
// called exactly so is taken; where one column of the file could be two known ones, it is the first.
// Columns without a name are left out. It returns INVALID for a mapping that cannot be meant and
// FILE_UNREADABLE when the file's columns do not allow an answer.
func assign(names []string, columns []Column, mappings []*coupon.ColumnMapping) (*assignment, error) {
	a := newAssignment(len(columns))
	return a, a.fill(names, columns, mappings)
}

// fill is assign for an assignment that may have alternates.
func (a *assignment) fill(names []string, columns []Column, mappings []*coupon.ColumnMapping) error {
	attributes := make(map[int]string)
	taken := make(map[int]bool)
	names, a.doubles = withoutDoubles(names, columns, mappings)
	for _, mapping := range mappings {
		cell, err := mappedCell(names, mapping)
		if err != nil {
			return err
		}
		field := slices.IndexFunc(columns, func(c Column) bool { return normal(c.Name) == normal(mapping.Field) })
		switch {
		case field >= 0 && columns[field].consent != 0 && !taken[cell]:
			a.addConsent(cell, field, columns[field].consent)
		case field >= 0 && (a.fields[field] >= 0 || a.isConsent(cell)) || field < 0 && (attributes[cell] != "" || a.isConsent(cell)):
			return mappingError("The field `%s` or its column is mapped twice.", mapping.Field)
		case field >= 0:
			a.fields[field] = cell
		case mapping.Field == "" || !slices.ContainsFunc(columns, func(c Column) bool { return c.takesOthers }):
			return mappingError("There is no field `%s`. The fields are: %s.", mapping.Field, fieldNames(columns))
		default:
			attributes[cell] = mapping.Field
		}
		taken[cell] = true
	}
	if err := a.assignBySpelling(names, columns, taken); err != nil {
		return err
	}
	return a.assignOthers(names, columns, attributes, taken)
}

// withoutDoubles returns the names without those that came before and that nobody asks for, and the cells of these.
func withoutDoubles(names []string, columns []Column, mappings []*coupon.ColumnMapping) (single []string, doubles []int) {
	single = slices.Clone(names)
	places := make(map[string]int, len(names))
	for cell, name := range names {
		if _, isDouble := places[name]; !isDouble {
			places[name] = cell
			continue
		}
		spelling := normal(name)
		isAsked := slices.ContainsFunc(columns, func(c Column) bool { return c.matches(spelling) }) ||
			slices.ContainsFunc(mappings, func(m *coupon.ColumnMapping) bool { return m.Column == name || normal(m.Column) == spelling })
		if name != "" && !isAsked {
			single[cell] = ""
			doubles = append(doubles, cell)
		}
	}
	return single, doubles
}

// assignBySpelling finds the known columns that no mapping named.
func (a *assignment) assignBySpelling(names []string, columns []Column, taken map[int]bool) error {
	for i := range columns {
		if a.fields[i] >= 0 && columns[i].consent == 0 {
			continue
		}
		found := candidates(names, &columns[i], taken)
		if columns[i].consent != 0 {
			for _, one := range found {
				a.addConsent(one.cell, i, columns[i].consent)
				taken[one.cell] = true
			}
			continue
		}
		if len(found) == 0 {
			continue
		}
		best := found[0]
		if a.alternates != nil {
			if err := a.choose(i, found, columns); err != nil {
				return err
			}
			taken[best.cell] = true
			continue
		}
		if len(found) > 1 && found[1].class == best.class && !columns[i].takesBest(found) {
			return coupon.Errorf(coupon.ErrorFileUnreadable,
				"The columns %d and %d could both hold the %s. Say with options.columns which one does.",
				min(best.cell, found[1].cell)+1, max(best.cell, found[1].cell)+1, columns[i].words())
		}
		a.fields[i] = best.cell
		taken[best.cell] = true
		if best.class != exactSpelling && !columns[i].takesFirst {
			for _, rival := range found[1:] {
				a.rivals = append(a.rivals, rival.cell)
			}
		}
	}
	return nil
}

// choose finds the cells that may hold a known column where each row names its columns: the best one, and those that never
// stand beside it.
func (a *assignment) choose(i int, found []candidate, columns []Column) error {
	best := found[0]
	a.fields[i] = best.cell
	if len(found) > 1 && found[1].class == best.class && !columns[i].takesBest(found) && a.areTogether(best, found[1]) {
		return coupon.Errorf(coupon.ErrorFileUnreadable,
			"The columns %d and %d could both hold the %s. Say with options.columns which one does.",
			min(best.cell, found[1].cell)+1, max(best.cell, found[1].cell)+1, columns[i].words())
	}
	a.alternates[i] = found[:1:1]
	for _, other := range found[1:] {
		if other.class == best.class || a.areApart(best, other) {
			a.alternates[i] = append(a.alternates[i], other)
			a.hasAlternates = true
		}
	}
	return nil
}

// isAlternate reports whether a cell may hold a known column.
func (a *assignment) isAlternate(cell int) bool {
	return slices.ContainsFunc(a.alternates, func(cells []candidate) bool {
		return slices.ContainsFunc(cells, func(c candidate) bool { return c.cell == cell })
	})
}

// use notes that a cell held a known column.
func (a *assignment) use(field, cell int) {
	if _, isKnown := a.used[cell]; isKnown || cell == a.fields[field] {
		return
	}
	if a.used == nil {
		a.used = make(map[int]int)
	}
	a.used[cell] = field
}

// candidate is a column of the file that could be a known one.
type candidate struct{ cell, class, place int }

// candidates returns the columns of the file that could be the known one and are not taken, the best first.
func candidates(names []string, column *Column, taken map[int]bool) []candidate {
	var found []candidate
	for cell, name := range names {
		if taken[cell] || IsReject(name) {
			continue
		}
		if class, place, isKnown := column.rank(normal(name)); isKnown {
			found = append(found, candidate{cell, class, place})
		}
	}
	sortCandidates(found)
	return found
}

func sortCandidates(found []candidate) {
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.place, b.place))
	})
}

// takesBest reports whether the best of several candidates of one class is taken without a question.
func (c *Column) takesBest(found []candidate) bool {
	return c.takesFirst || found[0].class == wordSpelling && !c.IsRequired && found[0].place != found[1].place
}

// extend takes in a column that turned up when the others had been assigned. It may hold what another one holds in other rows.
func (a *assignment) extend(name string, cell int, columns []Column) {
	spelling := normal(name)
	for i := range columns {
		class, place, isKnown := columns[i].rank(spelling)
		if !isKnown || IsReject(name) {
			continue
		}
		if columns[i].consent != 0 {
			a.addConsent(cell, i, columns[i].consent)
			return
		}
		if a.isMapped(i) {
			continue
		}
		if a.fields[i] < 0 {
			a.fields[i] = cell
			a.alternates[i] = []candidate{{cell, class, place}}
			return
		}
		a.alternates[i] = append(a.alternates[i], candidate{cell, class, place})
		sortCandidates(a.alternates[i])
		a.hasAlternates = true
		break
	}
	if a.addOther(name, cell) != nil {
		a.doubles = append(a.doubles, cell)
		return
	}
	a.addHint(name, cell, columns)
}

// isMapped reports whether the options say which column this is.
func (a *assignment) isMapped(field int) bool {
	return a.fields[field] >= 0 && len(a.alternates[field]) == 0
}

// addOther returns a name to a cell that is no known column. A name that is empty is none.
func (a *assignment) addOther(name string, cell int) error {
	if name == "" || IsReject(name) {
		return nil
	}
	if slices.ContainsFunc(a.others, func(other otherColumn) bool { return other.name == name }) {
		return mappingError("Two columns would have the same name.")
	}
	a.others = append(a.others, otherColumn{name: name, cell: cell})
	return nil
}

// assignOthers returns a name to each cell that is no known column.
func (a *assignment) assignOthers(names []string, columns []Column, attributes map[int]string, taken map[int]bool) error {
	for cell, name := range names {
		attribute := attributes[cell]
		switch {
		case attribute != "":
			name = attribute
		case taken[cell]:
			continue
		case !IsReject(name):
			a.addHint(name, cell, columns)
		}
		if err := a.addOther(name, cell); err != nil {
			return err
		}
	}
	return nil
}

// mappedCell finds the column that a mapping names: the one written exactly so, or else the only one
// with that spelling; in a file without a header the number of a column is enough.
func mappedCell(names []string, mapping *coupon.ColumnMapping) (int, error) {
	if cell := slices.Index(names, mapping.Column); cell >= 0 && mapping.Column != "" {
		if slices.Contains(names[cell+1:], mapping.Column) {
			return 0, mappingError("The file has more than one column with the name that is given for `%s`.", mapping.Field)
		}
		return cell, nil
	}
	found := -1
	for cell, name := range names {
		isMeant := normal(name) == normal(mapping.Column) && normal(name) != "" || name == positionPrefix+mapping.Column
		if name == "" || IsReject(name) || !isMeant {
			continue
		}
		if found >= 0 {
			return 0, mappingError("The file has more than one column with the name that is given for `%s`.", mapping.Field)
		}
		found = cell
	}
	if found < 0 {
		return 0, coupon.Errorf(coupon.ErrorFileUnreadable,
			"The file has %s, and none with the name that is given for `%s`.", count(names), mapping.Field).
			At("input", "options", "columns")
	}
	return found, nil
}

func mappingError(format string, args ...any) error {
	return coupon.Errorf(coupon.ErrorInvalid, format, args...).At("input", "options", "columns")
}

// checkRequired returns FILE_UNREADABLE when a required column is missing; names are the file's columns,
// or the cells of its first row. No error repeats them: what was taken for the name of a column may be a code, or a person's.
func (a *assignment) checkRequired(columns []Column, names []string) error {
	for i := range columns {
		if columns[i].IsRequired && a.fields[i] < 0 {
			return missing(&columns[i], names)
		}
	}
	return nil
}

func missing(column *Column, names []string) error {
	return coupon.Errorf(coupon.ErrorFileUnreadable,
		"The file has %s, and none for the %s. Name one `%s`, or map it with options.columns.", count(names), column.words(), column.Name)
}

// count says how many columns there are.
func count(names []string) string {
	if len(names) == 1 {
		return "1 column"
	}
	return fmt.Sprintf("%d columns", len(names))
}

// maxNameLength is how much of what the caller gave an error message repeats.
const maxNameLength = 40

// fieldNames lists the fields of a kind of file for a message.
func fieldNames(columns []Column) string {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
	}
	return strings.Join(names, ", ")
}
