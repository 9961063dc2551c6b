package sender

import (
	"log/slog"
	"sync"
	"time"
)

// How a sender goes along with what its server takes. The rate is cut when the server has had
// enough, and grows step by step while the server takes what it gets.
const (
	// paceCut is what is left of a rate when the server has had enough. When it has had enough
	// again before it took anything, it is left alone for twice as long each time.
	paceCut = 0.5
	// paceSteps is after how many taken messages a rate is twice as high.
	paceSteps = 10
	// minPace and maxPace bound a learned rate, in messages a second. Above maxPace nothing limits
	// it any more.
	minPace = 1.0 / 60
	maxPace = 2000
	// paceWindow is the shortest time that a rate is measured over.
	paceWindow = time.Second
	// paceGap without a message begins a new measurement.
	paceGap = 10 * time.Second
	// limitLife is how long a learned limit of connections holds. Then it is tried again.
	limitLife = 10 * time.Minute
	// patience is how long a message waits for its turn within its batch. Who has to wait longer
	// goes back.
	patience = time.Second
	// breakPause is how long a server is left alone that was not reached; again and again twice as
	// long, up to maxBreakPause.
	breakPause    = time.Second
	maxBreakPause = time.Minute
	// maxPatience is how long a server may ask to be left alone.
	maxPatience = 24 * time.Hour
)

// Limits are what a sender learned of its server; 0: no limit is known.
type Limits struct {
	// Rate is in messages a second.
	Rate float64
	// Connections is how many may be open at once, PerConnection how many messages the server takes
	// on one.
	Connections   int
	PerConnection int
}

// learned is a limit that holds for a while.
type learned struct {
	limit int
	until time.Time
}

// at returns the limit at an instant; 0: none.
func (l learned) at(now time.Time) int {
	if now.Before(l.until) {
		return l.limit
	}
	return 0
}

// pace is how fast a server takes messages. It belongs to the server: all deliveries share it. It
// goes by the steady part of the machine's clock.
type pace struct {
	log  *slog.Logger
	name string

	mu sync.Mutex
	// rate is in messages a second and grows by step with each that is taken; 0: nothing limits it.
	rate, step float64
	// next is when the next message may leave.
	next time.Time
	// refusalWait is how long the server is left alone after the last refusal; 0: it took something
	// since then.
	refusalWait time.Duration
	refusedAt   time.Time
	// reason is why the last message was not taken.
	reason string
	// pause is how long the server was left alone last, since it was not reached.
	pause    time.Duration
	pausedAt time.Time
	// taken is how many messages were taken since an instant, the last one at another.
	taken       int
	since, last time.Time
	// open is how many connections are open.
	open                       int
	connections, perConnection learned
}

// reserve returns how long the next messages, which go together, have to wait for their turn. Up to
// patience the turn is their own; who has to wait longer has none.
func (p *pace) reserve(count int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	wait := max(0, p.next.Sub(now))
	if p.rate > 0 && wait <= patience {
		p.next = now.Add(wait).Add(time.Duration(count) * interval(p.rate))
	}
	return wait
}

// newPace returns the pace of a server of that name; log may be nil.
func newPace(name string, log *slog.Logger) *pace {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &pace{name: name, log: log}
}

// interval is the time between two messages of a rate.
func interval(rate float64) time.Duration { return time.Duration(float64(time.Second) / rate) }

// took tells that the server took messages that began at an instant.
func (p *pace) took(count int, began time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.taken == 0 || p.rate == 0 && now.Sub(p.last) > paceGap {
		p.taken, p.since = 0, now
	}
	p.taken, p.last, p.pause = p.taken+count, now, 0
	switch {
	case p.rate == 0, p.refusalWait > 0 && began.Before(p.refusedAt):
		return
	case p.refusalWait > 0:
		// What was taken until the server took something again is what it takes in a while.
		p.rate = max(minPace, min(p.rate, float64(p.taken)/now.Sub(p.since).Seconds()))
		p.step = p.rate / paceSteps
		p.taken, p.refusalWait = 0, 0
		p.log.Info("the other server takes messages again", "server", p.name,
			"messagesPerSecond", p.rate)
	default:
		p.rate += p.step * float64(count)
	}
	if p.rate > maxPace {
		p.rate, p.next = 0, time.Time{}
		p.log.Info("the other server takes all messages", "server", p.name)
	}
}

// refused tells that the server had enough of what began at an instant, and wants nothing before
// another one (the zero time: it did not say). What began before the last refusal knew nothing of
// it, and changes nothing again.
func (p *pace) refused(began, notBefore time.Time, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if latest := now.Add(maxPatience); notBefore.After(latest) {
		notBefore = latest
	}
	if notBefore.After(p.next) {
		p.next = notBefore
	}
	if began.Before(p.refusedAt) {
		return
	}
	p.refusedAt, p.reason = now, reason
	if p.refusalWait > 0 {
		p.refusalWait = min(2*p.refusalWait, interval(minPace))
	} else {
		before := p.rate
		if before == 0 {
			before = min(maxPace,
				max(2, float64(p.taken))/max(paceWindow, now.Sub(p.since)).Seconds())
			if p.taken == 0 {
				before, p.since = 2, now
			}
		}
		p.rate = max(minPace, before*paceCut)
		p.refusalWait = interval(p.rate)
		p.log.Warn("the other server has had enough; going slower", "server", p.name,
			"messagesPerSecond", p.rate, "reason", reason)
	}
	if next := now.Add(p.refusalWait); next.After(p.next) {
		p.next = next
	}
}

// broke tells that the server was not reached at an instant. What began before the last pause
// pauses nothing again.
func (p *pace) broke(began time.Time, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pause > 0 && began.Before(p.pausedAt) {
		return
	}
	p.pause = max(breakPause, min(2*p.pause, maxBreakPause))
	p.pausedAt, p.reason = time.Now(), reason
	if next := p.pausedAt.Add(p.pause); next.After(p.next) {
		p.next = next
	}
}

// lastReason returns what the server said when it had enough.
func (p *pace) lastReason() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reason
}

// room returns how many messages of at most limit the server takes soon, and how long it wants to
// be left alone before.
func (p *pace) room(limit int) (count int, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rate > 0 {
		limit = max(1, min(limit, int(p.rate*patience.Seconds())))
	}
	return limit, max(0, time.Until(p.next))
}

// connect counts a connection that is about to be opened. It reports whether one more may be open:
// not while the server is left alone because it was not reached.
func (p *pace) connect() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if limit := p.connections.at(now); limit > 0 && p.open >= limit ||
		now.Before(p.pausedAt.Add(p.pause)) {
		return false
	}
	p.open++
	return true
}

// disconnect tells that a connection is closed, or was not had.
func (p *pace) disconnect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
}

// crowded tells that a connection was refused, which disconnect was told of. It reports whether
// that is because there are others: then there are enough of them.
func (p *pace) crowded(reason string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == 0 {
		return false
	}
	p.connections = learned{p.open, time.Now().Add(limitLife)}
	p.log.Warn("the other server takes no more connections", "server", p.name, "connections",
		p.open, "reason", reason)
	return true
}

// worn tells that the server wants no more messages on a connection that took some.
func (p *pace) worn(taken int, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.perConnection = learned{taken, time.Now().Add(limitLife)}
	p.log.Info("the other server takes no more messages on a connection", "server", p.name,
		"messages", taken, "reason", reason)
}

// isWorn reports whether a connection that took so many messages has to be replaced.
func (p *pace) isWorn(taken int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := p.perConnection.at(time.Now())
	return limit > 0 && taken >= limit
}

// limits returns what was learned.
func (p *pace) limits() Limits {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	return Limits{p.rate, p.connections.at(now), p.perConnection.at(now)}
}
