package access_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"couponql/access"
	"couponql/coupon"
	"couponql/db/dbtest"
)

// patience is how long a test waits for the provider to be asked again.
const patience = 20 * time.Second

// moody is an identity provider that answers as it is told, and counts how often it is asked for
// its keys.
type moody struct {
	*httptest.Server

	// answer serves the discovery document and the keys, a func(http.ResponseWriter,
	// *http.Request).
	answer  atomic.Value
	fetches atomic.Int64
}

// newMoody starts a provider, a guard that takes its tokens, and the token of a key of the guard's
// own.
func newMoody(t *testing.T) (p *moody, guard *access.Guard, key string) {
	t.Helper()
	p = &moody{}
	released := make(chan struct{})
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/keys" {
			p.fetches.Add(1)
		}
		p.answer.Load().(func(http.ResponseWriter, *http.Request, <-chan struct{}))(w, r, released)
	}))
	t.Cleanup(p.Close)
	t.Cleanup(func() { close(released) })
	tokens, err := access.NewTokens(access.TokenOptions{Issuer: p.URL, Audience: "couponql"})
	if err != nil {
		t.Fatal(err)
	}
	store := dbtest.New(t)
	_, key = createKey(t, store, coupon.NewAPIKey{Role: coupon.RoleAdmin})
	return p, newGuard(t, store, access.Options{Tokens: tokens}), key
}

// tell has the provider be well, with these keys by their ids.
func (p *moody) tell(keys map[string]*rsa.PrivateKey) {
	p.be(func(w http.ResponseWriter, r *http.Request, _ <-chan struct{}) {
		var value any = map[string]any{"issuer": p.URL, "jwks_uri": p.URL + "/keys"}
		if r.URL.Path == "/keys" {
			set := jose.JSONWebKeySet{}
			for id, key := range keys {
				set.Keys = append(set.Keys,
					jose.JSONWebKey{Key: key.Public(), KeyID: id, Algorithm: "RS256", Use: "sig"})
			}
			value = set
		}
		_ = json.NewEncoder(w).Encode(value)
	})
}

func (p *moody) be(answer func(http.ResponseWriter, *http.Request, <-chan struct{})) {
	p.answer.Store(answer)
}

// token returns a token that is right but for the key that signs it.
func (p *moody) token(t *testing.T, id string, key crypto.PrivateKey) string {
	t.Helper()
	return signAs(t, id, key, map[string]any{
		"iss": p.URL, "aud": "couponql", "sub": "u-1", "exp": time.Now().Add(time.Hour).Unix(),
		"couponql_role": "ANALYST",
	})
}

// signAs makes a token of these claims with a key of this id.
func signAs(t *testing.T, id string, key crypto.PrivateKey, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func newSigningKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// waitForToken waits until a token lets in.
func waitForToken(t *testing.T, guard *access.Guard, token string) {
	t.Helper()
	for late := time.After(patience); ; {
		_, err := guard.Identify(t.Context(), "Bearer "+token, "")
		if err == nil {
			return
		}
		select {
		case <-late:
			t.Fatalf("after %s the token is still refused: %v", patience, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestProviderThatIsIll: whatever is wrong with the provider, callers with keys notice nothing,
// those with tokens are told within seconds, all at once cost one question, and a token lets in
// soon after the provider is well again.
func TestProviderThatIsIll(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for seconds")
	}
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request, <-chan struct{}){
		"hangs": func(_ http.ResponseWriter, r *http.Request, released <-chan struct{}) {
			select {
			case <-released:
			case <-r.Context().Done():
			}
		},
		"fails": func(w http.ResponseWriter, _ *http.Request, _ <-chan struct{}) {
			w.WriteHeader(http.StatusInternalServerError)
		},
		"floods": func(w http.ResponseWriter, r *http.Request, _ <-chan struct{}) {
			_, _ = io.WriteString(w, `{"issuer":"`)
			for sent := 0; sent < 100<<20 && r.Context().Err() == nil; sent += 1 << 20 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		},
		"drips": func(w http.ResponseWriter, r *http.Request, released <-chan struct{}) {
			for {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-released:
					return
				case <-r.Context().Done():
					return
				case <-time.After(100 * time.Millisecond):
				}
			}
		},
		"lies": func(w http.ResponseWriter, _ *http.Request, _ <-chan struct{}) {
			_, _ = io.WriteString(w, `{"issuer":"https://other"}`)
		},
		"babble": func(w http.ResponseWriter, _ *http.Request, _ <-chan struct{}) {
			_, _ = io.WriteString(w, `<html>`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, guard, key := newMoody(t)
			p.be(answer)
			signing := newSigningKey(t)
			token := p.token(t, "1", signing)
			const callers = 20
			refused := make(chan error, callers)
			began := time.Now()
			for range callers {
				go func() {
					_, err := guard.Identify(t.Context(), "Bearer "+token, "")
					refused <- err
				}()
			}
			for range 100 {
				if _, err := guard.Identify(t.Context(), "Bearer "+key, ""); err != nil {
					t.Fatal(err)
				}
			}
			for range callers {
				if err := <-refused; err == nil ||
					access.StatusOf(err) != http.StatusServiceUnavailable {
					t.Errorf("got %v", err)
				}
			}
			if took := time.Since(began); took > patience/2 {
				t.Errorf("the answer took %s", took)
			}
			if asked := p.fetches.Load(); asked != 1 {
				t.Errorf("%d callers asked the provider %d times", callers, asked)
			}
			p.tell(map[string]*rsa.PrivateKey{"1": signing})
			waitForToken(t, guard, token)
		})
	}
}

// TestUnknownKeysOfTokens: the provider is asked once for any number of tokens whose key nobody
// knows, and not at all for what it would not have signed; meanwhile those with tokens that are
// right do not notice.
func TestUnknownKeysOfTokens(t *testing.T) {
	t.Parallel()
	p, guard, _ := newMoody(t)
	signing, stranger := newSigningKey(t), newSigningKey(t)
	p.tell(map[string]*rsa.PrivateKey{"1": signing})
	hour := time.Now().Add(time.Hour).Unix()
	for name, token := range map[string]string{
		"garbage": "a.b.c",
		"another issuer": signAs(t, "1", stranger,
			map[string]any{"iss": "https://other", "aud": "couponql", "sub": "u", "exp": hour}),
		"another audience": signAs(t, "1", stranger,
			map[string]any{"iss": p.URL, "aud": "shop", "sub": "u", "exp": hour}),
		"expired": signAs(t, "1", stranger,
			map[string]any{"iss": p.URL, "aud": "couponql", "sub": "u", "exp": 1}),
	} {
		if _, err := guard.Identify(t.Context(), "Bearer "+token, ""); !errors.Is(err,
			access.ErrWrongKey) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if asked := p.fetches.Load(); asked != 0 {
		t.Errorf("the provider was asked %d times about what it did not sign", asked)
	}
	right := p.token(t, "1", signing)
	waitForToken(t, guard, right)
	for i := range 30 {
		if _, err := guard.Identify(t.Context(), "Bearer "+p.token(t, fmt.Sprintf("no-%d", i),
			stranger), ""); !errors.Is(err, access.ErrWrongKey) {
			t.Errorf("got %v", err)
		}
		if _, err := guard.Identify(t.Context(), "Bearer "+right, ""); err != nil {
			t.Error(err)
		}
	}
	if asked := p.fetches.Load(); asked != 1 {
		t.Errorf("30 unknown keys had the provider asked %d times", asked)
	}
}

// TestProviderRotatesKeys: a token of a new key lets in soon, and while the provider is down those
// of keys that are known do.
func TestProviderRotatesKeys(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for seconds")
	}
	p, guard, _ := newMoody(t)
	first, second := newSigningKey(t), newSigningKey(t)
	p.tell(map[string]*rsa.PrivateKey{"1": first})
	waitForToken(t, guard, p.token(t, "1", first))
	p.tell(map[string]*rsa.PrivateKey{"2": second})
	waitForToken(t, guard, p.token(t, "2", second))
	if _, err := guard.Identify(t.Context(), "Bearer "+p.token(t, "1", first), ""); !errors.Is(err,
		access.ErrWrongKey) {
		t.Errorf("a token of a key that the provider took back: %v", err)
	}
	p.be(func(w http.ResponseWriter, _ *http.Request, _ <-chan struct{}) {
		w.WriteHeader(http.StatusBadGateway)
	})
	if _, err := guard.Identify(t.Context(), "Bearer "+p.token(t, "2", second), ""); err != nil {
		t.Errorf("while the provider is down: %v", err)
	}
}

// TestTokensEnd: whoever was let in by a token is out when it ends.
func TestTokensEnd(t *testing.T) {
	t.Parallel()
	clock := dbtest.NewClock(time.Now())
	p, _, _ := newMoody(t)
	signing := newSigningKey(t)
	p.tell(map[string]*rsa.PrivateKey{"1": signing})
	tokens, err := access.NewTokens(access.TokenOptions{Issuer: p.URL, Audience: "couponql"})
	if err != nil {
		t.Fatal(err)
	}
	guard := newGuard(t, dbtest.New(t, clock.Use), access.Options{Tokens: tokens})
	token := p.token(t, "1", signing)
	caller, err := guard.Identify(t.Context(), "Bearer "+token, "")
	if err != nil || !guard.IsStillIn(caller) {
		t.Fatalf("got %+v, %v", caller, err)
	}
	during, leave := guard.Stay(t.Context(), caller)
	defer leave()
	clock.Advance(time.Hour + time.Minute)
	if guard.IsStillIn(caller) {
		t.Error("is in after the token ended")
	}
	if _, err := guard.Identify(t.Context(), "Bearer "+token, ""); !errors.Is(err,
		access.ErrWrongKey) {
		t.Errorf("got %v", err)
	}
	select {
	case <-during.Done():
	case <-time.After(patience):
		t.Error("what the caller asked for goes on")
	}
}
