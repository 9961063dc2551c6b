package coupon

import "time"

// IdempotencyLifetime is how long an idempotency key counts, at least.
const IdempotencyLifetime = 24 * time.Hour

// Once is a request that makes something, once however often it comes.
type Once struct {
	// Caller is what the audit log calls who asks.
	Caller string
	// Key is of the caller's making.
	Key string
	// Action is the mutation, and Digest tells its input from every other one.
	Action, Digest string
}

// Check cleans the key. It returns INVALID.
func (o *Once) Check() error {
	clean, reason := CleanLabel(CleanReference(o.Key))
	if reason != "" || clean == "" {
		return Errorf(ErrorInvalid, "idempotencyKey must have 1 to %d characters and no control characters.", MaxTextLength).At("input", "idempotencyKey")
	}
	o.Key = clean
	return nil
}

// CheckRepeat reports whether the request is the one that the key was used for before. It returns ALREADY_EXISTS.
func (o *Once) CheckRepeat(action, digest string) error {
	if o.Action == action && o.Digest == digest {
		return nil
	}
	return Errorf(ErrorAlreadyExists, "The idempotency key %q was used for another %s. Use a new key for each thing that is to be made.", o.Key, action).
		At("input", "idempotencyKey")
}

// Gone says that what the key made was deleted since. It is NOT_FOUND.
func Gone(id ID) *UserError {
	return Errorf(ErrorNotFound, "The idempotency key made %s, which is not there any more. Use a new key to make another one.", id).
		At("input", "idempotencyKey")
}
