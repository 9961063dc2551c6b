package coupon

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ExclusionReason says why the analysis left a recipient out.
type ExclusionReason string

// The reasons.
const (
	ExcludedNoAddress        ExclusionReason = "NO_ADDRESS"
	ExcludedInvalidAddress   ExclusionReason = "INVALID_ADDRESS"
	ExcludedDuplicateAddress ExclusionReason = "DUPLICATE_ADDRESS"
	ExcludedNotContactable   ExclusionReason = "NOT_CONTACTABLE"
	ExcludedQuarantined      ExclusionReason = "QUARANTINED"
	ExcludedNoMatchingLabel  ExclusionReason = "NO_MATCHING_LABEL"
	ExcludedHoldsCode        ExclusionReason = "HOLDS_CODE"
	ExcludedAlreadyRedeemed  ExclusionReason = "ALREADY_REDEEMED"
	ExcludedMessageLimit     ExclusionReason = "MESSAGE_LIMIT"
)

// ExclusionReasons lists the reasons in the order in which the analysis applies them; a recipient
// is left out for the first that holds.
func ExclusionReasons() []ExclusionReason {
	return []ExclusionReason{
		ExcludedNoAddress, ExcludedInvalidAddress, ExcludedNotContactable, ExcludedQuarantined,
		ExcludedDuplicateAddress,
		ExcludedNoMatchingLabel, ExcludedHoldsCode, ExcludedAlreadyRedeemed, ExcludedMessageLimit,
	}
}

// describe returns the words of the log line that counts a reason.
func (r ExclusionReason) describe() string {
	switch r {
	case ExcludedNoAddress:
		return "have no address for this channel"
	case ExcludedInvalidAddress:
		return "have an address that cannot be right"
	case ExcludedDuplicateAddress:
		return "have an address that an earlier target has too"
	case ExcludedNotContactable:
		return "do not want to be contacted"
	case ExcludedQuarantined:
		return "have an address that is in quarantine, since messages to it came back or were called spam"
	case ExcludedNoMatchingLabel:
		return "have no value in the attribute that the code's label must equal"
	case ExcludedHoldsCode:
		return "have a code of the coupon, or wait for the message with it"
	case ExcludedAlreadyRedeemed:
		return "have redeemed the code that they would get again"
	case ExcludedMessageLimit:
		return "are over the message limit, drawn at random"
	}
	return string(r)
}

// Exclusion is how many recipients were left out for a reason.
type Exclusion struct {
	Reason ExclusionReason `json:"reason"`
	Count  int             `json:"count"`
}

// ExcludedRecipient is one recipient that was left out.
type ExcludedRecipient struct {
	DeliveryID  ID
	RecipientID ID
	Reason      ExclusionReason
}

// ExclusionFacts are what is known now of a recipient that was left out.
type ExclusionFacts struct {
	Reason ExclusionReason
	// Address is as it was given; nil: there is none. Country is the recipient's, or empty.
	Address *string
	Country string
	// Quarantine is that of the address; nil: it is in none.
	Quarantine *Quarantine
	// Twin is the external id of the first target with the address; empty: nobody has it any more.
	Twin string
}

// Explain says in a sentence why a delivery leaves the recipient out, and says so where that does
// not hold any more.
func (f *ExclusionFacts) Explain(d *Delivery, defaultRegion string) string {
	const over = " Analyze the delivery again."
	switch f.Reason {
	case ExcludedNoAddress:
		return fmt.Sprintf("The recipient had no address for %s.", d.Channel)
	case ExcludedInvalidAddress:
		if f.Address != nil {
			if _, reason := Canonical(d.Channel, *f.Address,
				RegionOf(f.Country, defaultRegion)); reason != "" {
				return reason
			}
		}
		return "The address was changed since the analysis." + over
	case ExcludedDuplicateAddress:
		if f.Twin == "" {
			return "No other target has the address any more." + over
		}
		return fmt.Sprintf("The target %q has the same address and comes first.", f.Twin)
	case ExcludedNotContactable:
		return "`isContactable` was false."
	case ExcludedQuarantined:
		if f.Quarantine == nil {
			return "The address is not in quarantine any more." + over
		}
		return f.Quarantine.explain()
	case ExcludedNoMatchingLabel:
		return "The recipient lacked the attribute that says the label of the code."
	case ExcludedHoldsCode:
		return "The recipient had a code of the coupon, or another delivery had yet to send it."
	case ExcludedAlreadyRedeemed:
		return "The recipient had redeemed the code of the coupon, and had no other one."
	case ExcludedMessageLimit:
		return "The delivery is limited to fewer messages; who is left out is drawn at random."
	}
	return string(f.Reason)
}

// LabelShortage is a label with fewer codes than messages that need one.
type LabelShortage struct {
	Label     string `json:"label"`
	Needed    int    `json:"needed"`
	Available int    `json:"available"`
}

// RemedyKind is a way out of a shortage.
type RemedyKind string

// The remedies.
const (
	RemedyAddCodes      RemedyKind = "ADD_CODES"
	RemedyLimitMessages RemedyKind = "LIMIT_MESSAGES"
	RemedySplitDelivery RemedyKind = "SPLIT_DELIVERY"
	RemedyReleaseHold   RemedyKind = "RELEASE_HOLD"
)

// Remedy is one thing that would make an insufficient delivery pass.
type Remedy struct {
	Kind  RemedyKind `json:"kind"`
	Count int        `json:"count"`
	Label *string    `json:"label,omitempty"`
	// DeliveryID says whose hold to release.
	DeliveryID *ID    `json:"deliveryId,omitempty"`
	Text       string `json:"text"`
}

// LogLevel is how much a line of a delivery's log matters.
type LogLevel string

// The levels.
const (
	LogInfo    LogLevel = "INFO"
	LogWarning LogLevel = "WARNING"
	LogError   LogLevel = "ERROR"
)

// LogEntry is one line of a delivery's log.
type LogEntry struct {
	At    time.Time
	Level LogLevel
	Text  string
}

// Analysis is the outcome of preparing a delivery.
type Analysis struct {
	DeliveryID     ID               `json:"-"`
	AnalyzedAt     time.Time        `json:"analyzedAt"`
	TargetCount    int              `json:"targetCount"`
	Exclusions     []*Exclusion     `json:"exclusions"`
	MessageCount   int              `json:"messageCount"`
	CodesNeeded    int              `json:"codesNeeded"`
	CodesReused    int              `json:"codesReused,omitempty"`
	CodesAvailable int              `json:"codesAvailable"`
	CodesShort     int              `json:"codesShort"`
	ShortByLabel   []*LabelShortage `json:"shortByLabel"`
	IsSufficient   bool             `json:"isSufficient"`
	Remedies       []*Remedy        `json:"remedies"`
	HeldUntil      *time.Time       `json:"heldUntil,omitempty"`
	// MissingValues are the values that the content shows and some of those who get a message do
	// not have.
	MissingValues []*MissingValue `json:"missingValues,omitempty"`
	// SMSParts is in how many parts the longest SMS of the sample goes; nil for other channels.
	SMSParts *int `json:"smsParts,omitempty"`
	// Lines is the log of an analysis that was only simulated; that of any other is the delivery's.
	Lines []*LogEntry `json:"-"`
	// Fingerprint stands for everything that the analysis saw; confirm compares it.
	Fingerprint string `json:"fingerprint"`
}

// RecipientValue is a value of recipients, named as templates do, such as recipient.firstName.
type RecipientValue string

// The values that every recipient may have.
const (
	RecipientEmail     RecipientValue = "recipient.email"
	RecipientPhone     RecipientValue = "recipient.phone"
	RecipientFirstName RecipientValue = "recipient.firstName"
	RecipientLastName  RecipientValue = "recipient.lastName"

	attributeValues = "recipient.attributes."
)

// AttributeValue returns the value that is an attribute of recipients.
func AttributeValue(name string) RecipientValue { return RecipientValue(attributeValues + name) }

// Attribute returns the name of the attribute that the value is; "" for any other.
func (v RecipientValue) Attribute() string {
	if name, isAttribute := strings.CutPrefix(string(v), attributeValues); isAttribute {
		return name
	}
	return ""
}

// MissingValue is a value that the content shows, and how many of those who get a message do not
// have it.
type MissingValue struct {
	Token string `json:"token"`
	Count int    `json:"count"`
	// RecipientIDs are the first MaxMissingExamples of them.
	RecipientIDs []ID `json:"recipientIds"`
}

const (
	// MaxShownValues is how many of the values that a content shows an analysis looks for.
	MaxShownValues = 20
	// MaxMissingExamples is how many recipients are named who lack a value.
	MaxMissingExamples = 10
	// SMSSample is how many messages an analysis renders to count their parts.
	SMSSample = 100
)

// LabelNeed is how many codes with a label the messages of a delivery need, and how many there are
// for it. Without label matching there is one need, with an empty label, for any code.
type LabelNeed struct {
	Label     string
	Needed    int
	Available int
}

// NamedHold is a hold with the label of its delivery.
type NamedHold struct {
	*CodeHold

	DeliveryLabel string
}

// MaxNamedHolds is how many holds of others an analysis names, the largest first, where codes are
// missing.
const MaxNamedHolds = 5

// Findings is what an analysis found out about a delivery, before it is judged.
type Findings struct {
	Now time.Time
	// FreedCount is how many codes an earlier hold of this delivery kept.
	FreedCount  int
	TargetCount int
	Exclusions  map[ExclusionReason]int
	// Needs is nil unless the delivery has an individual coupon.
	Needs []LabelNeed
	// Holds are the largest ones of other deliveries, where codes are missing.
	Holds        []NamedHold
	MessageCount int
	// ReusedCount is how many messages carry a code again.
	ReusedCount int
	Coupon      *Coupon
	// TemplateProblems are the errors, TemplateWarnings the warnings of the delivery's templates.
	TemplateProblems UserErrors
	TemplateWarnings []string
	HoldDuration     time.Duration
	// Redeemed is how often the own code of an anonymous coupon was redeemed.
	Redeemed int
	// SendRate is how many messages a second are sent at the most; 0: no limit.
	SendRate      float64
	MissingValues []*MissingValue
	// Sample are the texts of the first SMSSample messages of an SMS.
	Sample []string
	// IsSimulation: nothing will be held.
	IsSimulation bool
}

// Judge decides whether a delivery can be sent as it is. Every check is made, so that a user can
// mend everything at once. It gives the analysis, with IsSufficient, and the lines of the log.
func (d *Delivery) Judge(f *Findings) (*Analysis, []LogEntry) {
	j := judgement{delivery: d, findings: f, analysis: &Analysis{
		DeliveryID: d.ID, AnalyzedAt: f.Now, TargetCount: f.TargetCount,
		MessageCount: f.MessageCount, CodesReused: f.ReusedCount,
		Exclusions: []*Exclusion{}, ShortByLabel: []*LabelShortage{}, Remedies: []*Remedy{},
	}}
	j.infof("The analysis started.")
	if f.FreedCount > 0 {
		j.infof("%s that the last analysis held: free again.", plural(f.FreedCount, "code"))
	}
	j.countRecipients()
	j.checkCoupon()
	j.checkCodes()
	j.checkTemplates()
	j.checkValues()
	j.checkSMS()
	j.analysis.IsSufficient = !j.hasErrors
	if j.hasErrors {
		j.addf(LogError, "The analysis stopped: the delivery cannot be confirmed until the errors above are fixed.")
		return j.analysis, j.log
	}
	if f.IsSimulation {
		j.infof("The delivery could be sent like this. Messages to send: %d.", f.MessageCount)
		return j.analysis, j.log
	}
	if j.analysis.CodesNeeded > 0 {
		until := f.Now.Add(f.HoldDuration)
		j.analysis.HeldUntil = &until
		j.infof("%s held for this delivery until %s.", plural(j.analysis.CodesNeeded, "code"),
			until.Format(time.RFC3339))
	}
	j.infof("The delivery is prepared. Messages to send: %d. Confirm to send them.", f.MessageCount)
	return j.analysis, j.log
}

// judgement is an analysis under way.
type judgement struct {
	delivery  *Delivery
	findings  *Findings
	analysis  *Analysis
	log       []LogEntry
	hasErrors bool
}

func (j *judgement) addf(level LogLevel, format string, args ...any) {
	j.log = append(j.log,
		LogEntry{At: j.findings.Now, Level: level, Text: fmt.Sprintf(format, args...)})
	j.hasErrors = j.hasErrors || level == LogError
}

func (j *judgement) infof(format string, args ...any) { j.addf(LogInfo, format, args...) }

func (j *judgement) countRecipients() {
	j.infof("%s in the target.", plural(j.findings.TargetCount, "recipient"))
	for _, reason := range ExclusionReasons() {
		count := j.findings.Exclusions[reason]
		if count == 0 {
			continue
		}
		j.analysis.Exclusions = append(j.analysis.Exclusions,
			&Exclusion{Reason: reason, Count: count})
		j.infof("%s left out: they %s (%s).", plural(count, "recipient"), reason.describe(), reason)
	}
	if limit := j.delivery.Limit(); limit == 0 {
		j.infof("No message limit.")
	} else {
		j.infof("The message limit is %d.", limit)
	}
	if j.delivery.AllowDuplicateAddresses {
		j.infof(
			"Switched off: an address that several targets have gets a message for each of them.",
		)
	}
	if j.delivery.IgnoreQuarantine {
		j.infof("Switched off: addresses in quarantine after bounces get their message, too.")
	}
	if j.findings.ReusedCount > 0 {
		j.infof("%s carried again, to the people who have them.",
			plural(j.findings.ReusedCount, "code"))
	}
	j.infof("%s to send.", plural(j.findings.MessageCount, "message"))
	if j.findings.MessageCount == 0 {
		j.addf(LogError,
			"There is nobody to send to. Add targets, or fix the addresses of those left out.")
	}
}

func (j *judgement) checkCoupon() {
	coupon := j.findings.Coupon
	if coupon == nil {
		if j.delivery.MatchLabelTo != nil {
			j.addf(LogError,
				"Labels are to be matched, but the delivery has no coupon. Set its coupon.")
		}
		return
	}
	contact := j.delivery.ContactTime(j.findings.Now)
	switch {
	case coupon.ArchivedAt != nil:
		j.addf(LogError, "The coupon %q is archived. Choose another one.", coupon.Label)
	case contact.Before(coupon.StartsAt):
		j.addf(LogError, "The coupon %q is valid from %s, but the messages go out at %s. Send later, or let the coupon start earlier.",
			coupon.Label, coupon.StartsAt.Format(time.RFC3339), contact.Format(time.RFC3339))
	case coupon.HasEnded(contact):
		j.addf(LogError, "The coupon %q ends at %s, before the messages go out at %s. Send earlier, or let the coupon end later.",
			coupon.Label, coupon.EndsAt.Format(time.RFC3339), contact.Format(time.RFC3339))
	case j.outlasts(coupon, contact):
	case coupon.EndsAt != nil && coupon.EndsAt.Sub(contact) < SoonEnd:
		j.addf(LogWarning,
			"The coupon %q ends at %s, less than %.0f days after the messages go out.",
			coupon.Label, coupon.EndsAt.Format(time.RFC3339), SoonEnd.Hours()/24)
	}
	j.checkLimit(coupon)
}

// outlasts reports whether the messages take longer than the coupon is valid, and warns of it.
func (j *judgement) outlasts(coupon *Coupon, contact time.Time) bool {
	rate := j.findings.SendRate
	if rate <= 0 || coupon.EndsAt == nil {
		return false
	}
	inTime := math.Ceil(coupon.EndsAt.Sub(contact).Seconds() * rate)
	if inTime >= float64(j.findings.MessageCount) {
		return false
	}
	j.addf(LogWarning, "The coupon %q ends at %s. At %s messages a second about %d of %s go out before; the others will be canceled. "+
		"Send faster or earlier, or let the coupon end later.", coupon.Label,
		coupon.EndsAt.Format(time.RFC3339),
		strconv.FormatFloat(rate, 'f', -1, 64), int(inTime),
		plural(j.findings.MessageCount, "message"))
	return true
}

// checkLimit looks whether an anonymous coupon's code can be redeemed as often as it is sent.
func (j *judgement) checkLimit(coupon *Coupon) {
	if coupon.Type != TypeAnonymous || coupon.RedemptionLimit == nil {
		return
	}
	switch left := *coupon.RedemptionLimit - j.findings.Redeemed; {
	case left <= 0:
		j.addf(LogError, "The code of the coupon %q was redeemed %s, which is its limit: nobody could use it. Raise the limit of redemptions.",
			coupon.Label, times(j.findings.Redeemed))
	case left < j.findings.MessageCount:
		j.addf(LogWarning, "The code of the coupon %q can be redeemed %s more, but %s with it go out: the first customers use it up.",
			coupon.Label, times(left), plural(j.findings.MessageCount, "message"))
	}
}

// SoonEnd is how near the end of a coupon must be to the contact time for the analysis to warn.
const SoonEnd = 3 * 24 * time.Hour

func (j *judgement) checkCodes() {
	if j.findings.Needs == nil {
		return
	}
	a := j.analysis
	enough := 0
	for _, need := range j.findings.Needs {
		a.CodesNeeded += need.Needed
		a.CodesAvailable += need.Available
		enough += min(need.Needed, need.Available)
		short := need.Needed - need.Available
		if short <= 0 {
			continue
		}
		a.CodesShort += short
		remedy := &Remedy{
			Kind: RemedyAddCodes, Count: short,
			Text: fmt.Sprintf("Add %s to the coupon.", plural(short, "code")),
		}
		if j.delivery.MatchLabelTo != nil {
			a.ShortByLabel = append(a.ShortByLabel,
				&LabelShortage{Label: need.Label, Needed: need.Needed, Available: need.Available})
			remedy.Label = &need.Label
			// What a label says is known of a recipient, so that no sentence repeats it.
			remedy.Text = fmt.Sprintf("Add %s with this label to the coupon.",
				plural(short, "code"))
			j.addf(
				LogError, "Not enough codes with the label of shortByLabel[%d]: %d needed, %d available, %d missing.", len(a.ShortByLabel)-1,
				need.Needed, need.Available, short,
			)
		}
		a.Remedies = append(a.Remedies, remedy)
	}
	if a.CodesShort == 0 {
		j.infof("Enough codes: %d needed, %d available.", a.CodesNeeded, a.CodesAvailable)
		return
	}
	if j.delivery.MatchLabelTo != nil {
		// The sum of what is available says nothing here: one label cannot stand in for another.
		j.addf(LogError, "Not enough codes: %d needed, %d missing.", a.CodesNeeded, a.CodesShort)
	} else {
		j.addf(LogError, "Not enough codes: %d needed, %d available, %d missing.", a.CodesNeeded,
			a.CodesAvailable, a.CodesShort)
	}
	defer j.nameHolds()
	if enough == 0 {
		return
	}
	messages := plural(enough, "message")
	// With labels a random limit cannot be sure to leave each label enough; without, the stock is
	// the limit.
	if j.delivery.MatchLabelTo == nil {
		a.Remedies = append(a.Remedies, &Remedy{
			Kind: RemedyLimitMessages, Count: enough,
			Text: fmt.Sprintf("Limit the delivery to %s.", messages),
		})
	}
	a.Remedies = append(a.Remedies, &Remedy{
		Kind: RemedySplitDelivery, Count: enough,
		Text: fmt.Sprintf("Split the delivery: there are codes for %s now.", messages),
	})
}

// nameHolds tells which deliveries hold codes that this one lacks.
func (j *judgement) nameHolds() {
	for _, hold := range j.findings.Holds {
		held, until := plural(hold.Count, "code"), hold.EndsAt.Format(time.RFC3339)
		j.infof("The delivery %q holds %s until %s.", hold.DeliveryLabel, held, until)
		j.analysis.Remedies = append(j.analysis.Remedies, &Remedy{
			Kind: RemedyReleaseHold, Count: hold.Count, DeliveryID: &hold.DeliveryID,
			Text: fmt.Sprintf(
				"Release the %s that the delivery %q holds until %s, if it need not be sent.", held,
				hold.DeliveryLabel, until,
			),
		})
	}
}

func (j *judgement) checkTemplates() {
	for _, problem := range j.findings.TemplateProblems {
		j.addf(LogError, "%s", problem.Message)
	}
	for _, warning := range j.findings.TemplateWarnings {
		j.addf(LogWarning, "%s", warning)
	}
}

// checkValues tells what the message of some recipients will lack.
func (j *judgement) checkValues() {
	if j.delivery.Channel == ChannelEmail &&
		(j.delivery.Subject == nil || strings.TrimSpace(*j.delivery.Subject) == "") {
		j.addf(LogWarning, "The e-mail has no subject: many mail programs and filters take such mail for spam. Give it one.")
	}
	j.analysis.MissingValues = j.findings.MissingValues
	for _, missing := range j.findings.MissingValues {
		have := "have"
		if missing.Count == 1 {
			have = "has"
		}
		j.addf(LogWarning, "%s who would get a message %s no %s, which the content shows: missingValues names the first. "+
			"Say what stands there instead, such as {{ %s | default: \"friend\" }}.",
			plural(missing.Count, "recipient"), have, missing.Token, missing.Token)
	}
}

// checkSMS tells what an SMS will cost: each part is charged as one.
func (j *judgement) checkSMS() {
	if len(j.findings.Sample) == 0 {
		return
	}
	least, most, wide := math.MaxInt, 0, rune(0)
	for _, text := range j.findings.Sample {
		parts, r := SMSParts(text)
		least, most = min(least, parts), max(most, parts)
		if wide == 0 {
			wide = r
		}
	}
	j.analysis.SMSParts = &most
	level, count := LogInfo, plural(most, "part")
	if most > 1 {
		level = LogWarning
	}
	if least < most {
		count = fmt.Sprintf("%d to %s", least, count)
	}
	why := ""
	if wide != 0 {
		why = fmt.Sprintf(" A part with a character such as %q holds 70 characters, not 160.",
			string(wide))
	}
	j.addf(level, "An SMS goes in %s, each of which costs as one, by the first %s.%s", count,
		plural(len(j.findings.Sample), "message"), why)
}

// times returns how often something happened: "once", "2 times".
func times(count int) string {
	if count == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", count)
}

// plural returns a count with its noun: "1 code", "2 codes".
func plural(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}

// ContentFindings is what is wrong with, and used by, the templates of a delivery.
type ContentFindings struct {
	Problems UserErrors
	Warnings []string
	Uses     RecipientFields
	// Shown are the values of recipients that the content shows and has nothing to say instead of.
	Shown []RecipientValue
	// Render renders the message of a recipient; nil when the templates are wrong.
	Render func(*MessageData) (RenderedMessage, error)
}

// RecipientFields tells which fields of a recipient the templates of a delivery use.
type RecipientFields struct {
	ExternalID, Email, Phone, FirstName, LastName, Attributes bool
}

// ContentCheck checks the templates of a delivery with its coupon, which may be nil.
type ContentCheck func(*Delivery, *Coupon) ContentFindings
