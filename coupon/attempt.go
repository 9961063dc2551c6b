package coupon

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// How often and when a message is handed over again that its sender did not take. With these the eighth
// attempt is made a day after the first.
const (
	// MaxAttempts is how often a message is handed over at most.
	MaxAttempts = 8
	// FirstRetryDelay is how long a message waits after its first attempt, about.
	FirstRetryDelay = 80 * time.Second
	// RetryFactor is how many times longer it waits after each further one.
	RetryFactor = 3
	// RetryJitter is the largest part of a delay that is added or taken away, so that messages that were
	// refused together do not come back together.
	RetryJitter = 0.2
	// MaxRetryDelay is how long a sender may ask a message to wait.
	MaxRetryDelay = 24 * time.Hour
	// MaxReasonLength is how much of a sender's reason is kept, in characters.
	MaxReasonLength = 500
)

// AttemptResult is what a sender did with a message.
type AttemptResult string

// The results. The zero value means that nobody knows yet, because the server is stopping: the batch is handed
// over again.
const (
	AttemptOpen      AttemptResult = ""
	AttemptAccepted  AttemptResult = "ACCEPTED"
	AttemptRefused   AttemptResult = "REFUSED"   // for good
	AttemptPostponed AttemptResult = "POSTPONED" // it may be taken later
	// AttemptUnknown: the message was handed over completely, and nobody knows whether it was taken. It is never repeated.
	AttemptUnknown AttemptResult = "UNKNOWN"
	// AttemptWithheld: the message was surely not handed over, because it may not leave, now or ever.
	AttemptWithheld AttemptResult = "WITHHELD"
)

// AttemptSubject is what the refusal of a message is about.
type AttemptSubject string

// The subjects. What is not about the message is no attempt of it: it would have been the same with any other.
const (
	AboutMessage AttemptSubject = ""       // the message or its recipient
	AboutSender  AttemptSubject = "SENDER" // the account or address that sends, or its rights: somebody has to mend that
	AboutLine    AttemptSubject = "LINE"   // the connection, its pace, or the state of the other server: it passes
)

// Attempt is what came of handing a message over once.
type Attempt struct {
	Result AttemptResult
	// About says what the reason is about.
	About AttemptSubject
	// Reason says why the message was not accepted.
	Reason string
	// NotBefore is when the sender wants to see the message again, at the earliest; zero: any time.
	NotBefore time.Time
	// MayBeSent: the message was not accepted, but it may be on its way all the same.
	MayBeSent bool
	// RepeatsBatch: nobody answered for the batch, so that it has to be repeated as it was.
	RepeatsBatch bool
}

// Settlement is what becomes of a message after an attempt.
type Settlement struct {
	// Status is SENT, FAILED, UNKNOWN, or PENDING: then it is handed over again at RetryAt.
	Status  MessageStatus
	RetryAt time.Time
	Failure string
	// MayBeSent: this attempt or an earlier one may have reached the recipient. The code then stays with the
	// message whatever happens.
	MayBeSent bool
}

// Settle decides what becomes of a message after its attempt with this number, from 1. mightBeSent tells that
// an earlier one may have reached the recipient; jitter, from 0 to 1, places the next one.
func (a *Attempt) Settle(number int, mightBeSent bool, now time.Time, jitter float64) Settlement {
	s := Settlement{Failure: a.reason(), MayBeSent: mightBeSent || a.MayBeSent}
	switch {
	case a.Result == AttemptAccepted:
		return Settlement{Status: MessageSent}
	case a.Result == AttemptUnknown:
		s.Status, s.MayBeSent = MessageUnknown, true
	case a.About != AboutMessage:
		// Any other message would have been refused as well.
		s.Status, s.RetryAt = MessagePending, a.NotBefore
		if latest := now.Add(MaxRetryDelay); s.RetryAt.After(latest) {
			s.RetryAt = latest
		} else if s.RetryAt.Before(now) {
			s.RetryAt = now
		}
	case a.Result == AttemptRefused:
		s.Status = MessageFailed
	case number >= MaxAttempts:
		s.Status = MessageFailed
		s.Failure = fmt.Sprintf("Given up after %d attempts. The last one: %s", number, s.Failure)
	default:
		s.Status, s.RetryAt = MessagePending, now.Add(retryDelay(number, jitter))
		if latest := now.Add(MaxRetryDelay); a.NotBefore.After(latest) {
			s.RetryAt = latest
		} else if a.NotBefore.After(s.RetryAt) {
			s.RetryAt = a.NotBefore
		}
	}
	return s
}

// retryDelay returns how long to wait after an attempt.
func retryDelay(number int, jitter float64) time.Duration {
	delay := FirstRetryDelay
	for range number - 1 {
		delay *= RetryFactor
	}
	return time.Duration(float64(delay) * (1 - RetryJitter + 2*RetryJitter*jitter))
}

// reason returns the reason as one line of bounded length.
func (a *Attempt) reason() string {
	if line := oneLine(a.Reason); line != "" {
		return line
	}
	return "The sender gave no reason."
}

// oneLine makes what another machine said one line of bounded length.
func oneLine(text string) string {
	line := strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || isNoText(r)
	}), " ")
	if runes := []rune(line); len(runes) > MaxReasonLength {
		line = string(runes[:MaxReasonLength-1]) + "…"
	}
	return line
}
