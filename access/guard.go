package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"couponql/coupon"
	"couponql/db"
)

// Errors of Identify.
var (
	// ErrNoKey: the request shows no key, and the server wants one.
	ErrNoKey = errors.New("this server requires an API key: send it in the header Authorization: Bearer")
	// ErrWrongKey: what the request shows lets nobody in.
	ErrWrongKey = errors.New("this key is unknown, revoked or expired; ask an administrator of the server for a new one")
)

// MinAdminKeyLength is how many characters the operator's own key has at least.
const MinAdminKeyLength = 32

// operator is the name of whoever has the operator's own key.
const operator = "operator"

// Options says whom to let in.
type Options struct {
	// AdminKey is the operator's own key, that of an ADMIN; "": there is none. At least MinAdminKeyLength characters.
	AdminKey string
	// Tokens reads tokens of an identity provider; nil: there is none.
	Tokens *Tokens
	// IsExposed: others than this machine reach the server, so that it is never open.
	IsExposed bool
	// RequestsPerSecond is how many requests of each caller are answered, unless the key says otherwise; 0: no limit.
	RequestsPerSecond int
}

// Guard tells who sends a request. Its methods are safe for concurrent use.
type Guard struct {
	store   *db.Store
	options Options
	// adminKey is the SHA-256 of the operator's own key.
	adminKey [sha256.Size]byte
	rates    rates
	guesses  guesses
	presence presence
}

// New returns the guard of a store. It returns an error for options that make no sense.
func New(store *db.Store, options Options) (*Guard, error) {
	if key := options.AdminKey; key != "" && len(key) < MinAdminKeyLength {
		return nil, errors.New("the operator's key is too short to be safe: give at least 32 random characters, such as those of `openssl rand -hex 32`")
	}
	g := &Guard{store: store, options: options, adminKey: sha256.Sum256([]byte(options.AdminKey))}
	if g.options.IsExposed && !g.wantsProof() {
		return nil, errors.New("without API keys the server may serve loopback addresses only, such as 127.0.0.1:8080. " +
			"Create a key there with `couponql key create`, or set the environment variable COUPONQL_ADMIN_KEY or --oidc-issuer")
	}
	return g, nil
}

func (g *Guard) wantsProof() bool {
	return g.options.AdminKey != "" || g.options.Tokens != nil || g.store.HasKeys()
}

// IsOpen reports whether everybody is let in: nobody ever created a key, and only this machine reaches the server.
func (g *Guard) IsOpen() bool { return !g.options.IsExposed && !g.wantsProof() }

// Identify returns who sends a request from an address, by the value of its header Authorization. It returns ErrNoKey and
// ErrWrongKey.
func (g *Guard) Identify(ctx context.Context, authorization, address string) (*coupon.Caller, error) {
	if g.IsOpen() {
		return &coupon.Caller{Name: coupon.LocalCaller, Label: "everybody on this machine", Role: coupon.RoleAdmin, Address: address}, nil
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, ErrNoKey
	}
	c, err := g.holder(ctx, token)
	if err != nil {
		return nil, err
	}
	c.Address = address
	if c.RequestsPerSecond == nil && g.options.RequestsPerSecond > 0 {
		c.RequestsPerSecond = &g.options.RequestsPerSecond
	}
	return c, nil
}

// holder returns whom a token is of.
func (g *Guard) holder(ctx context.Context, token string) (*coupon.Caller, error) {
	if k := g.store.FindKey(token); k != nil {
		return &coupon.Caller{Name: string(k.ID), Label: k.Label, Role: k.Role, KeyID: &k.ID, RequestsPerSecond: k.RequestsPerSecond}, nil
	}
	digest := sha256.Sum256([]byte(token))
	if g.options.AdminKey != "" && subtle.ConstantTimeCompare(digest[:], g.adminKey[:]) == 1 {
		return &coupon.Caller{Name: operator, Label: "the operator of the server", Role: coupon.RoleAdmin}, nil
	}
	if g.options.Tokens != nil && strings.Count(token, ".") == 2 {
		return g.options.Tokens.holder(ctx, token, g.store.Now())
	}
	return nil, ErrWrongKey
}

// Realm is the value of the header WWW-Authenticate of those who are not let in.
const Realm = `Bearer realm="couponql"`

// StatusOf returns the status of HTTP for an error of Identify.
func StatusOf(err error) int {
	if errors.Is(err, ErrNoKey) || errors.Is(err, ErrWrongKey) {
		return http.StatusUnauthorized
	}
	return http.StatusServiceUnavailable
}
