package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"couponql/coupon"
)

// DefaultRoleClaim is the claim that has the role of a token.
const DefaultRoleClaim = "couponql_role"

// rolePrefix may stand before a role in a claim that several programs share, such as couponql-analyst; the case of ASCII letters does not
// matter.
const rolePrefix = "COUPONQL-"

// TokenOptions say which tokens of an identity provider let their holder in.
type TokenOptions struct {
	// Issuer is the address of the provider, which tells its keys at /.well-known/openid-configuration (OpenID Connect
	// Discovery 1.0).
	Issuer string
	// Audience is whom the tokens must be for.
	Audience string
	// RoleClaim is the claim that has a role, or a list in which the first role of ADMIN, MARKETER, ANALYST, REDEEMER, REPORTER counts;
	// dots lead into objects, such as realm_access.roles. "" means DefaultRoleClaim.
	RoleClaim string
}

// Tokens reads the tokens of an identity provider: JWTs that it signed. The provider is asked for its keys when the first
// token comes, so that the server starts without it.
type Tokens struct {
	options  TokenOptions
	provider *provider
}

// NewTokens returns what reads tokens. It returns an error for options that make no sense.
func NewTokens(options TokenOptions) (*Tokens, error) {
	if !strings.HasPrefix(options.Issuer, "https://") && !strings.HasPrefix(options.Issuer, "http://") {
		return nil, fmt.Errorf("--oidc-issuer=%s: must be an address such as https://login.example.com", options.Issuer)
	}
	if options.Audience == "" {
		return nil, errors.New("--oidc-audience is needed with --oidc-issuer: whom the tokens are for; without it tokens for other programs would let in too")
	}
	if options.RoleClaim == "" {
		options.RoleClaim = DefaultRoleClaim
	}
	return &Tokens{options, newProvider(options.Issuer)}, nil
}

// holder returns whom a token is of at an instant. It returns ErrWrongKey, or what keeps the provider from being asked.
func (t *Tokens) holder(ctx context.Context, text string, now time.Time) (*coupon.Caller, error) {
	config := oidc.Config{ClientID: t.options.Audience, SupportedSigningAlgs: signingAlgorithms(), Now: func() time.Time { return now }}
	// The provider is not asked about what it would not have signed for this server, so that garbage costs nothing.
	unproven := config
	unproven.InsecureSkipSignatureCheck = true
	if _, err := oidc.NewVerifier(t.options.Issuer, nil, &unproven).Verify(ctx, text); err != nil {
		return nil, fmt.Errorf("%w (%s)", ErrWrongKey, reasonOf(err))
	}
	signature := &signature{provider: t.provider}
	token, err := oidc.NewVerifier(t.options.Issuer, signature, &config).Verify(ctx, text)
	if signature.failure != nil {
		return nil, signature.failure
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", ErrWrongKey, reasonOf(err))
	}
	if token.Subject == "" {
		return nil, fmt.Errorf("%w (the token has no claim sub, which tells its holder from all others)", ErrWrongKey)
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return nil, ErrWrongKey
	}
	role, found := roleIn(claims, t.options.RoleClaim)
	if !found {
		return nil, fmt.Errorf("%w (the token has no role in its claim %s)", ErrWrongKey, t.options.RoleClaim)
	}
	label, _ := claims["preferred_username"].(string)
	if label == "" {
		label = token.Subject
	}
	return &coupon.Caller{Name: "oidc:" + token.Subject, Label: label, Role: role, ExpiresAt: &token.Expiry}, nil
}

// reasonOf says why a token is not taken, in words that tell its holder what to do and nobody else anything.
func reasonOf(err error) string {
	if _, isExpired := errors.AsType[*oidc.TokenExpiredError](err); isExpired {
		return "the token has expired"
	}
	return "the token is not one of the server's identity provider for this server"
}

// roleIn returns the role in the claims of a token: of several, the first in the order of coupon.Roles.
func roleIn(claims map[string]any, path string) (coupon.Role, bool) {
	// A claim may have dots in its name, as those that are addresses do.
	value, isThere := claims[path]
	if !isThere {
		value = claims
		for name := range strings.SplitSeq(path, ".") {
			object, _ := value.(map[string]any)
			value = object[name]
		}
	}
	var words []string
	switch v := value.(type) {
	case string:
		words = strings.Fields(v)
	case []any:
		for _, item := range v {
			if word, isText := item.(string); isText {
				words = append(words, word)
			}
		}
	}
	for i, word := range words {
		words[i] = strings.TrimPrefix(upperASCII(word), rolePrefix)
	}
	for _, role := range coupon.Roles() {
		if slices.Contains(words, string(role)) {
			return role, true
		}
	}
	return "", false
}

// upperASCII makes ASCII letters capitals, and nothing else: of other letters some have the capital of another one.
func upperASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, text)
}
