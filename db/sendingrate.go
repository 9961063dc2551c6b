package db

import (
	"sync"

	"couponql/coupon"
)

// sendingRate is how fast a delivery is being sent.
type sendingRate struct {
	mu sync.Mutex
	coupon.SendingRate
}

// recordRate remembers a batch that was recorded.
func (s *Store) recordRate(id coupon.ID, settled, waiting int) {
	known, _ := s.rates.LoadOrStore(id, &sendingRate{})
	r := known.(*sendingRate) //nolint:forcetypeassert // nothing else is stored
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Record(s.Steady(), settled, waiting)
}

// estimate sets the rates of deliveries and the time that they take.
func (s *Store) estimate(deliveries map[coupon.ID]*coupon.Delivery) {
	for id, d := range deliveries {
		r := &sendingRate{}
		if known, isKnown := s.rates.Load(id); isKnown {
			r = known.(*sendingRate) //nolint:forcetypeassert // nothing else is stored
		}
		r.mu.Lock()
		d.Estimate(&r.SendingRate, s.Steady())
		r.mu.Unlock()
	}
}

// forgetSending forgets what is known of a delivery that is not being sent; the rows have what
// counts.
func (s *Store) forgetSending(id coupon.ID) {
	s.forgetWaiting(id)
	s.rates.Delete(id)
}

// forgetWaiting forgets which messages of a delivery wait, and which come next.
func (s *Store) forgetWaiting(id coupon.ID) {
	s.waiting.Delete(id)
	s.next.Delete(id)
}
