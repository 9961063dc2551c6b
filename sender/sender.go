package sender

import (
	"context"
	"time"

	"couponql/background"
	"couponql/coupon"
)

// Sender hands batches of messages over. It may be used by several goroutines at once.
type Sender interface {
	// Traits says how batches should be now.
	Traits() Traits
	// Send hands a batch over and gives what came of each message, in their order. An error means that no
	// message was handed over and that none is to blame. When ctx is done, Send ends soon and leaves open what
	// it did not come to.
	Send(ctx context.Context, batch *Batch) ([]coupon.Attempt, error)
}

// Traits says how a sender wants its batches.
type Traits struct {
	// MaxBatch is the largest number of messages in a batch. It may change with what the other server takes.
	MaxBatch int
	// Wait is how long the other server wants to be left alone.
	Wait time.Duration
	// IsExact: a batch that was sent but not recorded was never handed over, as far as anybody can see.
	IsExact bool
	// IsRepeatable: a batch may be handed over again under its Key, since the other side takes it once. Other batches that were
	// interrupted are not: what left is unknown then.
	IsRepeatable bool
	// NamesRecipients: mail needs the recipient's external id, which messages of other channels always have.
	NamesRecipients bool
}

// Batch is a part of a delivery's messages.
type Batch struct {
	// Key is the same whenever the same batch is handed over.
	Key string
	// Origin tells the database that the messages come from: with a message's id it names the message in the
	// whole world.
	Origin     string
	DeliveryID coupon.ID
	Messages   []coupon.OutgoingMessage
	At         time.Time
	// OutboxSize is how much of the delivery's outbox file is valid; Outbox.Send changes it.
	OutboxSize int64
	// Leave is asked about each message at the last moment before it can reach its recipient, by several goroutines at
	// once. It reports whether the message at that place may leave; from then on it counts as on its way. One that may
	// not is AttemptWithheld. It may be asked about a message again. Nil: each may.
	Leave func(place int) bool
	// Answered is told, as soon as that is known, whether the message at a place was taken that left or was about to. One
	// that it is not told of may be on its way. Nil: nobody is told.
	Answered func(place int, isTaken bool)
	// Extra is set for messages that do not belong to the sending of the delivery.
	Extra Extra
}

// Extra is why messages are sent besides those of a delivery. The outbox has a file for each: delivery_3-proof.mbox.
type Extra string

// The kinds of extra messages.
const (
	ExtraProof  Extra = "proof"
	ExtraResent Extra = "resent"
)

// answered tells whether a message was taken.
func (b *Batch) answered(place int, isTaken bool) {
	if b.Answered != nil {
		b.Answered(place, isTaken)
	}
}

// stopGrace is how long a sender goes on with a batch when the server stops.
const stopGrace = 2 * time.Second

// graceful returns a context that ends stopGrace after ctx.
func graceful(ctx context.Context) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := background.AfterDone(ctx, func() error {
		select {
		case <-time.After(stopGrace):
			cancel()
		case <-late.Done():
		}
		return nil
	}, func(error) {})
	return late, func() {
		stop()
		cancel()
	}
}

// same returns the same outcome for count messages.
func same(count int, attempt coupon.Attempt) []coupon.Attempt {
	attempts := make([]coupon.Attempt, count)
	for i := range attempts {
		attempts[i] = attempt
	}
	return attempts
}
