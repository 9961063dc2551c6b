package coupon

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of keys.
const (
	// MaxKeys is how many keys there may be that work.
	MaxKeys = 1000
	// MaxRequestsPerSecond is the largest limit that a key may have.
	MaxRequestsPerSecond = 1_000_000
)

// APIKey lets a program in. Its token is shown once, when it is created; only a digest of it is kept.
type APIKey struct {
	ID    ID
	Label string
	Role  Role
	// RequestsPerSecond is the limit of this key; nil: that of the server.
	RequestsPerSecond *int
	CreatedAt         time.Time
	// ExpiresAt is when it stops to work; nil: never by itself.
	ExpiresAt *time.Time
	// LastUsedAt is when it was used, to the minute; nil: never.
	LastUsedAt *time.Time
	RevokedAt  *time.Time
	// Digest is that of the token.
	Digest KeyDigest
}

// NewAPIKey asks for a key.
type NewAPIKey struct {
	Label             string
	Role              Role
	RequestsPerSecond *int
	// ExpiresAt: a date includes that day, in UTC.
	ExpiresAt *DateTime
}

// KeyDigest is the SHA-256 of a token. The token has 130 random bits, so that a slow digest would protect nothing more.
type KeyDigest [sha256.Size]byte

// Key returns the key that is asked for, without id, time and digest, and UserErrors with INVALID when it cannot be. isFirst:
// nobody else can let people in, so it must be the key of an ADMIN.
func (k *NewAPIKey) Key(now time.Time, isFirst bool) (*APIKey, error) {
	var problems UserErrors
	key := &APIKey{Label: strings.TrimSpace(k.Label), Role: k.Role, RequestsPerSecond: k.RequestsPerSecond}
	if length := utf8.RuneCountInString(key.Label); length == 0 || length > MaxTextLength {
		invalidf(&problems, "label", "The label must have 1 to %d characters; it tells the key from others.", MaxTextLength)
	}
	if isFirst && k.Role != RoleAdmin {
		invalidf(&problems, "role", "The first key must be that of an ADMIN: from now on only an ADMIN can create keys. "+
			"COUPONQL_ADMIN_KEY is none of them: it may be gone at the next start.")
	}
	if limit := k.RequestsPerSecond; limit != nil && (*limit < 1 || *limit > MaxRequestsPerSecond) {
		invalidf(&problems, "requestsPerSecond", "requestsPerSecond must be 1 to %d, not %d.", MaxRequestsPerSecond, *limit)
	}
	if k.ExpiresAt != nil {
		end, err := k.ExpiresAt.End(time.UTC)
		if err != nil {
			invalidf(&problems, "expiresAt", "%s.", err)
		} else if !end.After(now) {
			invalidf(&problems, "expiresAt", "expiresAt must lie ahead, and %s does not.", *k.ExpiresAt)
		}
		key.ExpiresAt = &end
	}
	return key, problems.OrNil()
}

// Works reports whether the key lets its holder in at an instant.
func (k *APIKey) Works(now time.Time) bool {
	return k.RevokedAt == nil && (k.ExpiresAt == nil || now.Before(*k.ExpiresAt))
}

// tokenPrefix begins every token, so that tools that look for secrets in places where they should not be can find them.
const tokenPrefix = "cpnql"

// NewToken makes the token of the key with a number.
func NewToken(number int64) string {
	return tokenPrefix + "_" + strconv.FormatInt(number, 10) + "_" + rand.Text()
}

// TokenNumber returns the number of the key that a token claims to be of, and false for what is no token.
func TokenNumber(token string) (number int64, isToken bool) {
	prefix, rest, _ := strings.Cut(token, "_")
	digits, secret, found := strings.Cut(rest, "_")
	number, err := strconv.ParseInt(digits, 10, 64)
	return number, found && secret != "" && prefix == tokenPrefix && err == nil
}

// DigestOf returns the digest of a token.
func DigestOf(token string) KeyDigest { return sha256.Sum256([]byte(token)) }

// Matches reports whether the digest is that of a token, in a time that tells nothing about it.
func (d KeyDigest) Matches(token string) bool {
	other := DigestOf(token)
	return subtle.ConstantTimeCompare(d[:], other[:]) == 1
}
