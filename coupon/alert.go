package coupon

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// AlertKind says what needs attention.
type AlertKind string

// The kinds, in the order in which alerts are listed.
const (
	AlertLowStock       AlertKind = "LOW_STOCK"
	AlertEndsSoon       AlertKind = "ENDS_SOON"
	AlertRunsOutSoon    AlertKind = "RUNS_OUT_SOON"
	AlertImportFailed   AlertKind = "IMPORT_FAILED"
	AlertDeliveryFailed AlertKind = "DELIVERY_FAILED"
	// AlertDeliveryStopped and AlertDeliveryPaused tell that the server itself did that.
	AlertDeliveryStopped AlertKind = "DELIVERY_STOPPED"
	AlertDeliveryPaused  AlertKind = "DELIVERY_PAUSED"
)

// AlertKinds returns all kinds in their order.
func AlertKinds() []AlertKind {
	return []AlertKind{AlertLowStock, AlertEndsSoon, AlertRunsOutSoon, AlertImportFailed, AlertDeliveryFailed, AlertDeliveryStopped, AlertDeliveryPaused}
}

const (
	// AlertAhead is how long before its end a coupon ends soon, and before it is dry a pool runs out soon.
	AlertAhead = 7 * 24 * time.Hour
	// FailedJobWindow is how long a failed import or delivery is an alert.
	FailedJobWindow = 7 * 24 * time.Hour
	// ManyFailed is how many FAILED messages of a FINISHED delivery are an alert, if they are ManyFailedShare of all, too.
	ManyFailed = 10
	// ManyFailedShare is a part of one.
	ManyFailedShare = 0.1
)

// Alert is something that needs attention.
type Alert struct {
	Kind AlertKind
	// At is when it arose; when it ends or runs out, of those that will.
	At time.Time
	// Text says the same in a sentence.
	Text string
	// One of these says what it is about.
	CouponID   *ID
	DeliveryID *ID
	ImportID   *ID
}

// SubjectKind is the kind of object that alerts of this kind are about.
func (k AlertKind) SubjectKind() Kind {
	switch k {
	case AlertImportFailed:
		return KindImport
	case AlertDeliveryFailed, AlertDeliveryStopped, AlertDeliveryPaused:
		return KindDelivery
	case AlertLowStock, AlertEndsSoon, AlertRunsOutSoon:
	}
	return KindCoupon
}

// SetSubject says what the alert is about.
func (a *Alert) SetSubject(id ID) {
	switch a.Kind.SubjectKind() {
	case KindImport:
		a.ImportID = &id
	case KindDelivery:
		a.DeliveryID = &id
	default:
		a.CouponID = &id
	}
}

// Alerts returns the alerts about a coupon at an instant; LOW_STOCK is said to arise then. f is nil for a coupon without a
// pool. Nobody needs to mend a coupon that has ended or was put away.
func (c *Coupon) Alerts(a *Availability, f *StockForecast, now time.Time) []*Alert {
	if status := c.StatusAt(now); status == CouponExpired || status == CouponArchived {
		return nil
	}
	var alerts []*Alert
	add := func(kind AlertKind, at time.Time, format string, args ...any) {
		alerts = append(alerts, &Alert{Kind: kind, At: at, Text: fmt.Sprintf("%q ", c.Label) + fmt.Sprintf(format, args...), CouponID: &c.ID})
	}
	if c.IsLow(a.Available, a.Total) {
		var limit string
		if c.LowStockThreshold != nil && a.Available < *c.LowStockThreshold {
			limit = strconv.Itoa(*c.LowStockThreshold)
		} else {
			limit = strconv.FormatFloat(*c.LowStockShare*100, 'f', -1, 64) + " %"
		}
		add(AlertLowStock, now, "runs low: %d of %d codes are available, less than %s.", a.Available, a.Total, limit)
	}
	if c.EndsAt != nil && c.EndsAt.Sub(now) <= AlertAhead {
		add(AlertEndsSoon, *c.EndsAt, "ends on %s.", c.localTime(*c.EndsAt))
	}
	if f != nil && f.RunsOutAt != nil && f.RunsOutAt.Sub(now) <= AlertAhead {
		pace := ""
		if f.PerDay != nil {
			pace = " at a pace of " + strconv.FormatFloat(math.Round(*f.PerDay*10)/10, 'f', -1, 64) + " a day"
		}
		planned := ""
		if count := f.PlannedCodes(); count > 0 {
			planned = fmt.Sprintf(", with %d codes for planned deliveries", count)
		}
		add(AlertRunsOutSoon, *f.RunsOutAt, "runs out of codes on %s: %d are available%s%s.", c.localTime(*f.RunsOutAt), a.Available, pace, planned)
	}
	return alerts
}

// localTime returns an instant to the minute, as the clocks of the coupon's time zone show it.
func (c *Coupon) localTime(t time.Time) string {
	zone, err := LoadZone(c.Timezone)
	if err != nil {
		zone = time.UTC
	}
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// AlertNotice tells a receiver outside that an alert began.
type AlertNotice struct {
	Alert

	// ID is the same at each attempt to tell it, and no other notice has it.
	ID string
	// Number is the store's.
	Number  int64
	BeganAt time.Time
	// Attempts is how often it was told without success.
	Attempts int
}

// When a notice is told again that its receiver did not take.
const (
	// firstNoticeDelay is how long it waits after the first attempt, and MaxNoticeDelay at the most: one that seems to wait
	// longer waits since a clock that was set back.
	firstNoticeDelay = 10 * time.Second
	MaxNoticeDelay   = time.Hour
	// NoticeTime is how long after the alert began attempts are repeated.
	NoticeTime = 3 * 24 * time.Hour
)

// Settle decides what becomes of a notice after an attempt to tell it: it is done, when it was taken or is given up, or
// told again at an instant.
func (n *AlertNotice) Settle(attempt *Attempt, now time.Time) (retryAt time.Time, isDone bool) {
	if attempt.Result == AttemptAccepted || attempt.Result != AttemptOpen && now.Sub(n.BeganAt) >= NoticeTime {
		return time.Time{}, true
	}
	delay := firstNoticeDelay
	for i := 0; i < n.Attempts && delay < MaxNoticeDelay; i++ {
		delay *= RetryFactor
	}
	retryAt = now.Add(min(delay, MaxNoticeDelay))
	if attempt.NotBefore.After(retryAt) {
		retryAt = attempt.NotBefore
		if latest := now.Add(MaxNoticeDelay); retryAt.After(latest) {
			retryAt = latest
		}
	}
	return retryAt, false
}
