package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
)

// webhookSecret signs what the server posts.
const webhookSecret = "the soak signs its messages"

// receiver takes messages from the webhook as badly as a program can: it breaks off before and
// after it took them, answers that it cannot, and refuses some. It keeps what it took by the keys
// that requests come with.
type receiver struct {
	*httptest.Server
	report func(promise string, problem error)

	mu     sync.Mutex
	random *rand.Rand
	// batches are the messages of each key. takers are the keys under which a message was taken,
	// and holders who a code went to.
	batches         map[string][]string
	takers, holders map[string]string
	posts           int
}

func newReceiver(seed uint64, report func(string, error)) *receiver {
	r := &receiver{
		report: report, random: rand.New(rand.NewPCG(seed, 7)), batches: map[string][]string{},
		takers: map[string]string{}, holders: map[string]string{},
	}
	r.Server = httptest.NewServer(r)
	return r
}

// posted is a message as the webhook has it.
type posted struct {
	MessageID  string `json:"messageId"`
	DeliveryID string `json:"deliveryId"`
	Recipient  string `json:"recipient"`
	Code       string `json:"code"`
}

// ServeHTTP takes a batch, or not.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var body struct {
		Messages []posted `json:"messages"`
	}
	if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
		// The server was killed while it sent.
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := request.Header.Get("Idempotency-Key")
	r.look(key, body.Messages)
	switch r.random.IntN(8) {
	case 0:
		panic(http.ErrAbortHandler)
	case 1:
		w.WriteHeader(http.StatusInternalServerError)
	case 2:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	case 3:
		r.take(key, body.Messages)
		panic(http.ErrAbortHandler)
	case 4:
		refused := body.Messages[0]
		r.take(key, body.Messages[1:])
		_, _ = fmt.Fprintf(
			w, `{"refused": [{"messageId": %q, "reason": "no such number", "isPermanent": %t}]}`,
			refused.MessageID, r.random.IntN(2) == 0,
		)
	default:
		r.take(key, body.Messages)
	}
}

// look wants a key to come with no message that it did not come with before, and no code to go to
// two people. Messages that may not be sent any more are missing when their batch comes again.
func (r *receiver) look(key string, messages []posted) {
	r.posts++
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = m.MessageID + "/" + m.Code
		if holder := r.holders[m.Code]; m.Code != "" && holder != "" && holder != m.Recipient {
			r.report("P1", fmt.Errorf("%s went to %s, and as %s of %s to %s", m.Code, holder,
				m.MessageID, m.DeliveryID, m.Recipient))
		}
	}
	if before, isKnown := r.batches[key]; isKnown {
		isNew := func(id string) bool { return !slices.Contains(before, id) }
		if i := slices.IndexFunc(ids, isNew); i >= 0 {
			r.report("sending", fmt.Errorf(
				"the key %s came with %d messages, and then with %d, of which %s is new",
				key, len(before), len(ids), ids[i],
			))
		}
	}
	r.batches[key] = ids
}

// take takes messages: each under one key alone.
func (r *receiver) take(key string, messages []posted) {
	for _, m := range messages {
		if taker := r.takers[m.MessageID]; taker != "" && taker != key {
			r.report(
				"sending", fmt.Errorf("%s of %s was taken under the key %s, and again under %s",
					m.MessageID, m.DeliveryID, taker, key),
			)
		}
		r.takers[m.MessageID] = key
		r.holders[m.Code] = m.Recipient
	}
}

// counts returns how many requests came, and how many messages were taken.
func (r *receiver) counts() (posts, messages int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.posts, len(r.takers)
}
