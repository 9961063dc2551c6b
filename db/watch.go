package db

import (
	"sync"

	"couponql/coupon"
)

// watchers wakes those who wait for something to change. What they get carries no data: they read what
// is there, so that a slow one misses steps and never the outcome.
type watchers struct {
	mu      sync.Mutex
	waiting map[coupon.ID]map[chan struct{}]struct{}
	due     map[chan struct{}]struct{}
	sending map[coupon.ID]*sync.Mutex
	// batches lets one batch of a delivery be on its way at a time.
	batches map[coupon.ID]*sync.Mutex
}

// Watch returns a channel that gets a value after the object changed, until stop is called.
func (s *Store) Watch(id coupon.ID) (changed <-chan struct{}, stop func()) {
	w := &s.watchers
	wake := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting == nil {
		w.waiting = map[coupon.ID]map[chan struct{}]struct{}{}
	}
	if w.waiting[id] == nil {
		w.waiting[id] = map[chan struct{}]struct{}{}
	}
	w.waiting[id][wake] = struct{}{}
	return wake, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.waiting[id], wake)
		if len(w.waiting[id]) == 0 {
			delete(w.waiting, id)
		}
	}
}

// WatchDue returns a channel that gets a value when there may be new work: an import to run or a delivery
// to send.
func (s *Store) WatchDue() (due <-chan struct{}, stop func()) {
	w := &s.watchers
	wake := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.due == nil {
		w.due = map[chan struct{}]struct{}{}
	}
	w.due[wake] = struct{}{}
	return wake, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.due, wake)
	}
}

// NotifyDue wakes those who watch for work.
func (s *Store) NotifyDue() { s.watchers.notifyDue() }

func (w *watchers) notify(id coupon.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wakeAll(w.waiting[id])
}

func (w *watchers) notifyDue() {
	w.mu.Lock()
	defer w.mu.Unlock()
	wakeAll(w.due)
}

// wakeAll wakes each waiter that is not awake already.
func wakeAll(waiting map[chan struct{}]struct{}) {
	for wake := range waiting {
		signal(wake)
	}
}

// signal tells a channel with room for one, unless it was told already.
func signal(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// lockSending keeps a delivery's messages from being chosen for a batch until unlock is called. A batch that was chosen
// begins first, or is recorded, so that pause and stop see every message either in an open batch or in none.
func (w *watchers) lockSending(id coupon.ID) (unlock func()) { return w.lock(id, &w.sending) }

func (w *watchers) lock(id coupon.ID, locks *map[coupon.ID]*sync.Mutex) (unlock func()) {
	w.mu.Lock()
	if *locks == nil {
		*locks = map[coupon.ID]*sync.Mutex{}
	}
	lock := (*locks)[id]
	if lock == nil {
		lock = &sync.Mutex{}
		(*locks)[id] = lock
	}
	w.mu.Unlock()
	lock.Lock()
	return lock.Unlock
}
