package coupon

import (
	"regexp"
	"strings"
	"unicode"
)

// bounceWord is what a word of a report says.
type bounceWord int

const (
	// wordUnknown: nobody knows the word.
	wordUnknown bounceWord = iota
	// wordReturned: the message did not arrive; a second word may say whether another one ever will.
	wordReturned
	wordHard
	wordSoft
	wordComplaint
	wordDelivered
	// wordOther: the row is about something else, such as an opening or a click.
	wordOther
)

// isReturned reports whether the message did not arrive.
func (w bounceWord) isReturned() bool { return w == wordReturned || w == wordHard || w == wordSoft }

// decides reports whether nothing else is to be asked.
func (w bounceWord) decides() bool { return w != wordUnknown && w != wordReturned }

// wordOf looks a word up: those of the products that send mail and texts, of their events and of their kinds of
// bounces, without what stands between letters. Some put what they send before it: `email.bounced`.
//
// A word is hard only where it says that the address itself is of no use. A block, a full mailbox or a message that was
// dropped unsent may have other causes, and quarantine is for addresses.
func wordOf(text string) bounceWord {
	text = strings.ToLower(CleanValue(text))
	plain := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, strings.TrimPrefix(text, "email."))
	switch plain {
	case "hard", "hardbounce", "hardbounces", "hardbounced", "permanent", "permanentfail", "permanentfailure", "bademailaddress",
		"invalid", "invalidemail", "invalidrecipient", "noemail", "unknownuser", "suppressed", "onaccountsuppressionlist":
		return wordHard
	case "soft", "softbounce", "softbounces", "softbounced", "transient", "temporary", "temporaryfail", "temporaryfailure", "undetermined",
		"block", "blocked", "deferred", "deferral", "delay", "delayed", "deliverydelay", "deliverydelayed", "drop", "dropped",
		"reject", "rejected", "policyrejection", "mailboxfull", "messagetoolarge", "contentrejected", "attachmentrejected",
		"dnserror", "undelivered", "undeliverable", "expired", "general":
		return wordSoft
	case "bounce", "bounced", "outofband", "failed", "failure", "fail", "error":
		return wordReturned
	case "complaint", "complained", "spam", "spamreport", "spamcomplaint", "spamnotification", "abuse":
		return wordComplaint
	case "delivered", "delivery":
		return wordDelivered
	case "processed", "accepted", "queued", "scheduled", "send", "sending", "sent", "injection", "request", "open", "opened",
		"initialopen", "click", "clicked", "unsubscribe", "unsubscribed", "unsub", "listunsubscribe", "linkunsubscribe",
		"groupunsubscribe", "groupresubscribe", "subscription", "subscriptionchange", "autoresponder", "addresschange",
		"challengeverification", "manuallydeactivated", "renderingfailure", "templaterenderingfailed", "generationfailure",
		"generationrejection", "stored", "requests", "clicks", "uniqueopen", "uniqueopened", "firstopening", "proxyopen", "uniqueproxyopen",
		"loadedbyproxy", "notspam", "authfailure", "notification", "subscriptionconfirmation", "unsubscribeconfirmation",
		"amazonsnssubscriptionsucceeded":
		return wordOther
	}
	return wordOfStatus(text)
}

// wordOfFlag reads what stands in a column that asks whether a bounce was hard.
func wordOfFlag(text string) bounceWord {
	switch strings.ToLower(CleanValue(text)) {
	case "true":
		return wordHard
	case "false":
		return wordReturned
	}
	return wordUnknown
}

// statusPattern is an enhanced status code of RFC 3463, or a reply code of SMTP, at the beginning of a text.
var statusPattern = regexp.MustCompile(`^(?:([245])\.([0-9]{1,3})\.([0-9]{1,3})|([245][0-9]{2}))(?:[ -]|$)`)

// wordOfStatus reads a status code. Permanent codes are hard where they are about the address (X.1.X), a mailbox that
// is switched off (X.2.1), or one that is not there (550 and its like); the others are about the message or its sender.
func wordOfStatus(text string) bounceWord {
	m := statusPattern.FindStringSubmatch(text)
	if m == nil {
		return wordUnknown
	}
	switch m[1] + m[4] {
	case "550", "551", "553":
		return wordHard
	case "5":
		// X.1.7 and X.1.8 are about the sender's own address.
		if m[2] == "1" && m[3] != "7" && m[3] != "8" || m[2] == "2" && m[3] == "1" {
			return wordHard
		}
		return wordSoft
	}
	if strings.HasPrefix(text, "2") {
		return wordDelivered
	}
	return wordSoft
}

// causeOf tells what a word says that stands where others explain. Some products drop a message because of what was
// before, and say what that was nowhere else. wordReturned says that nothing but the status tells how.
func causeOf(text string) bounceWord {
	switch strings.ToLower(CleanValue(text)) {
	case "suppress-bounce", "bounced address":
		return wordHard
	case "suppress-complaint", "spam reporting address":
		return wordComplaint
	case "suppress-unsubscribe", "unsubscribed address":
		return wordOther
	case "old", "espblock", "greylisted":
		return wordSoft
	case "generic":
		return wordReturned
	}
	return wordUnknown
}

// kindOf tells what a row reports: its event says what happened, and where it came back, its kind or else its status
// says how. A row that says nothing of this is of the kind that the caller gave.
func (r *BounceReader) kindOf(text *BounceText) (kind BounceKind, reason RejectionReason, value string) {
	said, word := "", wordUnknown
	cause := causeOf(text.Reason)
	for i, one := range []string{text.Event, text.Kind, text.Status} {
		if CleanValue(one) == "" {
			continue
		}
		if said == "" {
			said = one
		}
		isKind := i == 1
		found := wordOf(one)
		if isKind && found == wordUnknown {
			found = wordOfFlag(one)
		}
		switch {
		case found == wordUnknown:
		case found.isReturned() && cause.decides():
			return kindOfWord(cause, text.Reason)
		case found == wordReturned, isKind && word == wordReturned && cause == wordReturned:
			word = wordReturned
		case found == wordComplaint && !isKind && wordOf(text.Kind) == wordOther:
			// A report by mail that says the opposite, or is about something else than spam.
			return kindOfWord(wordOther, text.Kind)
		default:
			return kindOfWord(found, one)
		}
	}
	return r.kindOtherwise(said, word == wordReturned)
}

// kindOtherwise returns the kind of a row whose words do not decide: said is the first of them.
func (r *BounceReader) kindOtherwise(said string, isReturned bool) (kind BounceKind, reason RejectionReason, value string) {
	switch {
	case isReturned && r.Kind == nil:
		// It came back, and nothing says for good.
		return BounceSoft, "", ""
	case isReturned, said == "" && r.Kind != nil:
		return *r.Kind, "", ""
	case said == "":
		return "", RejectedEmpty, ""
	}
	return "", RejectedBadKind, said
}

func kindOfWord(word bounceWord, said string) (BounceKind, RejectionReason, string) {
	switch word {
	case wordHard:
		return BounceHard, "", ""
	case wordSoft:
		return BounceSoft, "", ""
	case wordComplaint:
		return BounceComplaint, "", ""
	case wordDelivered:
		return BounceDelivered, "", ""
	case wordOther:
		return "", RejectedNoOutcome, said
	case wordUnknown, wordReturned:
	}
	return "", RejectedBadKind, said
}
