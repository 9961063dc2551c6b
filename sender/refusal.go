package sender

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"couponql/coupon"
)

// Codes of RFC 5321 and RFC 4954 that say more than their first digit.
const (
	codeShuttingDown     = 421
	codeNoSpace          = 452
	codeAuthNeeded       = 530
	codeAuthTooWeak      = 534
	codeAuthFailed       = 535
	codeEncryptionNeeded = 538
	firstTransient       = 400
	firstPermanent       = 500
	lastPermanent        = 599
)

const (
	// limitRow is how many different recipients in a row are put off with the same words before the
	// words count as those of a limit of the line.
	limitRow = 3
	// senderRow is how many different recipients in a row are refused with the same words before
	// the words count as about the sender; policyRow, when the words are about a policy or come
	// before the content.
	senderRow = 20
	policyRow = 3
	// maxKnownLimits is how many words of limits are remembered.
	maxKnownLimits = 100
)

// isPermanent reports whether the server will not take the same later either.
func (e *mailError) isPermanent() bool {
	return e.code >= firstPermanent && e.code <= lastPermanent || e.isSetting
}

// isNoAnswer reports whether nothing that RFC 5321 allows was answered, so that nobody knows what
// the server did.
func (e *mailError) isNoAnswer() bool { return e.code < firstTransient || e.code > lastPermanent }

// isOver reports whether the connection is of no use any more.
func (e *mailError) isOver() bool { return e.code == 0 || e.code == codeShuttingDown }

// about says what a refusal is about, as far as it says so itself, by its step and its codes. Until
// the recipient is named nothing depends on the message. At the command DATA it need not, but some
// servers judge the recipients only then.
func (e *mailError) about() coupon.AttemptSubject {
	ofStep := coupon.AboutLine
	if e.isPermanent() {
		ofStep = coupon.AboutSender
	}
	switch e.step {
	case stepRcpt, stepDot:
	case stepData:
		if !e.isPermanent() {
			return ofStep
		}
	case stepContent:
		// A mail that has the server break down each time must not be tried for ever.
		return coupon.AboutMessage
	default:
		return ofStep
	}
	switch e.code {
	case 0, codeShuttingDown:
		return coupon.AboutLine
	case codeAuthNeeded, codeAuthTooWeak, codeAuthFailed, codeEncryptionNeeded:
		return coupon.AboutSender
	case codeNoSpace:
		if e.enhanced == "" {
			return coupon.AboutLine
		}
	}
	// The codes of RFC 3463 and RFC 6710, without their class.
	_, topic, _ := strings.Cut(e.enhanced, ".")
	switch {
	case topic == "1.7", topic == "1.8", topic == "4.5", topic == "7.8", topic == "7.9":
		return ofStep // the sender's address, congestion, quotas, or the login
	case !e.isPermanent() &&
		(strings.HasPrefix(topic, "3.") && topic != "3.4" || topic == "4.2" || topic == "5.3"):
		return ofStep // the state of the server or of the connection, or too many recipients
	}
	return coupon.AboutMessage
}

// isRecipients reports whether the server says that the refusal is about the recipient's address or
// mailbox, or that this recipient should come back: such words may come in a row and mean each one.
func (e *mailError) isRecipients() bool {
	_, topic, _ := strings.Cut(e.enhanced, ".")
	words := strings.ToLower(e.text)
	return strings.HasPrefix(topic, "1.") || strings.HasPrefix(topic, "2.") ||
		strings.Contains(words, "greylist") || strings.Contains(words, "graylist")
}

// row is how many different recipients in a row have to be refused for good with the same words
// before these are about the sender.
func (e *mailError) row() int {
	_, topic, _ := strings.Cut(e.enhanced, ".")
	if e.step == stepData || strings.HasPrefix(topic, "7.") {
		return policyRow
	}
	return senderRow
}

// words returns the text of a refusal without what differs from recipient to recipient: addresses,
// and words with digits, which are ids and times.
func (e *mailError) words() string {
	fields := strings.Fields(strings.ToLower(e.text))
	kept := fields[:0]
	for i, field := range fields {
		isCode := i == 0 || i == 1 && e.enhanced != ""
		if isCode || !strings.ContainsAny(field, "@0123456789") {
			kept = append(kept, field)
		}
	}
	return string(e.step) + " " + strings.Join(kept, " ")
}

// refusals finds out what refusals of recipients are about that do not say so: the same words for
// different recipients in a row are not about them.
type refusals struct {
	mu sync.Mutex
	// words are those of the row, which recipients have got.
	words      string
	recipients map[string]struct{}
	// known are words of limits of the line, and until when they count as such.
	known map[string]time.Time
}

// taken tells that a mail was taken, which ends a row.
func (r *refusals) taken() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.words, r.recipients = "", nil
}

// judge returns what a refusal is about.
func (r *refusals) judge(e *mailError, recipient string) coupon.AttemptSubject {
	if about := e.about(); about != coupon.AboutMessage || e.step == stepContent ||
		e.isRecipients() {
		return about
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	words := e.words()
	if !e.isPermanent() && time.Now().Before(r.known[words]) {
		r.remember(words)
		return coupon.AboutLine
	}
	if words != r.words {
		r.words, r.recipients = words, map[string]struct{}{}
	}
	r.recipients[recipient] = struct{}{}
	switch {
	case e.isPermanent() && len(r.recipients) >= e.row():
		return coupon.AboutSender
	case !e.isPermanent() && len(r.recipients) >= limitRow:
		r.remember(words)
		return coupon.AboutLine
	}
	return coupon.AboutMessage
}

// remember keeps the words of a limit.
func (r *refusals) remember(words string) {
	if r.known == nil || len(r.known) >= maxKnownLimits {
		r.known = map[string]time.Time{}
	}
	r.known[words] = time.Now().Add(limitLife)
}

// aboutStatus says what a status of HTTP that is no success is about, and whether what it refuses
// may be taken later.
func aboutStatus(status int) (about coupon.AttemptSubject, isLater bool) {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return coupon.AboutLine, true
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge,
		http.StatusUnprocessableEntity, http.StatusFailedDependency:
		return coupon.AboutMessage, false
	}
	if status >= http.StatusInternalServerError {
		return coupon.AboutMessage, true // it may break down at just these messages
	}
	// The address, the secret or the rights: 401, 403, 404, 410, a redirect and the like.
	return coupon.AboutSender, true
}
