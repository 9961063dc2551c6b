package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"couponql/background"
)

// Limits of what is asked of an identity provider.
const (
	// providerTimeout is how long it may take to tell its keys, all in all.
	providerTimeout = 5 * time.Second
	// providerInterval is how long it is left alone after it told them, or did not.
	providerInterval = 5 * time.Second
	// maxKeysAge is after how long it is asked anew though its keys will do: it may have taken one back.
	maxKeysAge = 10 * time.Minute
	// maxProviderAnswer is how much of an answer is read, in bytes.
	maxProviderAnswer = 1 << 20
)

// signingAlgorithms are those by which tokens may be signed. Those with a shared secret are none of them.
func signingAlgorithms() []string {
	return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
}

// provider is an identity provider, with the keys that it told last. It is asked by one at a time, for all who wait, and by
// nobody within providerInterval: whoever sends tokens with keys that nobody knows cannot make the server ask more often.
// Whoever has a token with a key that is known never waits.
type provider struct {
	issuer string
	client *http.Client

	mu   sync.Mutex
	keys []jose.JSONWebKey
	// askedAt is when it was asked last, and failure why it told no keys then.
	askedAt time.Time
	failure error
	// answered is closed when it was asked; nil: nobody asks.
	answered chan struct{}
}

func newProvider(issuer string) *provider {
	return &provider{issuer: issuer, client: &http.Client{Timeout: providerTimeout, Transport: shortAnswers{http.DefaultTransport}}}
}

// shortAnswers cuts answers off at maxProviderAnswer.
type shortAnswers struct{ http.RoundTripper }

// RoundTrip sends a request.
func (s shortAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := s.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, maxProviderAnswer), response.Body}
	return response, nil
}

// signature verifies the signature of one token.
type signature struct {
	provider *provider
	// failure is what kept the provider from being asked.
	failure error
}

var _ oidc.KeySet = (*signature)(nil)

// VerifySignature returns the payload of a token that a key of the provider signed.
func (s *signature) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	var algorithms []jose.SignatureAlgorithm
	for _, name := range signingAlgorithms() {
		algorithms = append(algorithms, jose.SignatureAlgorithm(name))
	}
	signed, err := jose.ParseSigned(token, algorithms)
	if err != nil {
		return nil, fmt.Errorf("read a token: %w", err)
	}
	known := s.provider.known() //nolint:contextcheck // the provider is asked for all, not for this request
	if payload := signedBy(known, signed); payload != nil {
		return payload, nil
	}
	keys, err := s.provider.ask(ctx)
	if err != nil {
		s.failure = err
		return nil, err
	}
	if payload := signedBy(keys, signed); payload != nil {
		return payload, nil
	}
	return nil, errors.New("no key of the provider made the signature")
}

// signedBy returns the payload of a token that one of the keys signed, nil when none did.
func signedBy(keys []jose.JSONWebKey, signed *jose.JSONWebSignature) []byte {
	id := signed.Signatures[0].Header.KeyID
	for i := range keys {
		if id != "" && keys[i].KeyID != id {
			continue
		}
		if payload, err := signed.Verify(&keys[i]); err == nil {
			return payload
		}
	}
	return nil
}

// known returns the keys that the provider told last. When that is long ago it is asked again, and nobody waits for it.
func (p *provider) known() []jose.JSONWebKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.keys) > 0 && time.Since(p.askedAt) > maxKeysAge {
		p.begin()
	}
	return p.keys
}

// begin has the provider asked, unless somebody does. The lock is held.
func (p *provider) begin() {
	if p.answered != nil {
		return
	}
	p.answered = make(chan struct{})
	var keys []jose.JSONWebKey
	background.Go(func() (err error) {
		keys, err = p.fetch()
		return err
	}, func(err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if err == nil {
			p.keys = keys
		}
		p.askedAt, p.failure = time.Now(), err
		close(p.answered)
		p.answered = nil
	})
}

// ask returns the keys that the provider has now, or had when it was asked just before.
func (p *provider) ask(ctx context.Context) ([]jose.JSONWebKey, error) {
	p.mu.Lock()
	if p.answered == nil && time.Since(p.askedAt) < providerInterval {
		defer p.mu.Unlock()
		return p.keys, p.failure
	}
	p.begin() //nolint:contextcheck // the provider is asked for all who wait
	answered := p.answered
	p.mu.Unlock()
	select {
	case <-answered:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the identity provider: %w", context.Cause(ctx))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys, p.failure
}

// fetch asks the provider for its keys.
func (p *provider) fetch() ([]jose.JSONWebKey, error) {
	// It is for all who wait, so that it outlives each of their requests.
	ctx, cancel := context.WithTimeout(oidc.ClientContext(context.Background(), p.client), providerTimeout)
	defer cancel()
	failed := func(err error) ([]jose.JSONWebKey, error) {
		return nil, fmt.Errorf("ask the identity provider %s for its keys: %w", p.issuer, err)
	}
	found, err := oidc.NewProvider(ctx, p.issuer)
	if err != nil {
		return failed(err)
	}
	var place struct {
		Keys string `json:"jwks_uri"` //nolint:tagliatelle // OpenID Connect Discovery 1.0 calls it so
	}
	if err := found.Claims(&place); err != nil {
		return failed(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place.Keys, nil)
	if err != nil {
		return failed(err)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return failed(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return failed(errors.New(response.Status))
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		return failed(err)
	}
	var keys []jose.JSONWebKey
	for _, text := range set.Keys {
		// A key of a kind that is not known here signs no token that is (RFC 7517, 5).
		var key jose.JSONWebKey
		if json.Unmarshal(text, &key) == nil {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
