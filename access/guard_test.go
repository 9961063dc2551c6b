package access_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"couponql/access"
	"couponql/coupon"
	"couponql/db"
	"couponql/db/dbtest"
)

const operatorKey = "0123456789abcdef0123456789abcdef"

func newGuard(t *testing.T, store *db.Store, options access.Options) *access.Guard {
	t.Helper()
	guard, err := access.New(store, options)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

func createKey(t *testing.T, store *db.Store, k coupon.NewAPIKey) (*coupon.APIKey, string) {
	t.Helper()
	k.Label = "a key"
	created, token, err := store.CreateKey(t.Context(), &k)
	if err != nil {
		t.Fatal(err)
	}
	return created, token
}

// TestOpenUntilTheFirstKey: this machine alone is let in without a key, and only as long as there
// never was one.
func TestOpenUntilTheFirstKey(t *testing.T) {
	t.Parallel()
	store := dbtest.New(t)
	guard := newGuard(t, store, access.Options{RequestsPerSecond: 5})
	local, err := guard.Identify(t.Context(), "", "127.0.0.1")
	if err != nil || local.Role != coupon.RoleAdmin || local.Name != coupon.LocalCaller ||
		local.RequestsPerSecond != nil || !guard.IsStillIn(local) {
		t.Errorf("got %+v, %v", local, err)
	}
	if _, err := access.New(store, access.Options{IsExposed: true}); err == nil {
		t.Error("the server would be open to everybody")
	}
	key, token := createKey(t, store, coupon.NewAPIKey{Role: coupon.RoleAdmin})
	if guard.IsOpen() || guard.IsStillIn(local) {
		t.Error("it is open although there is a key")
	}
	for _, authorization := range []string{"", "Bearer", "Bearer ", "Basic " + token, token} {
		if _, err := guard.Identify(t.Context(), authorization, ""); !errors.Is(err,
			access.ErrNoKey) {
			t.Errorf("%q: got %v", authorization, err)
		}
	}
	caller, err := guard.Identify(t.Context(), "bearer "+token, "192.0.2.7")
	if err != nil || caller.Name != string(key.ID) || caller.Role != coupon.RoleAdmin ||
		caller.Address != "192.0.2.7" || *caller.RequestsPerSecond != 5 {
		t.Errorf("got %+v, %v", caller, err)
	}
	if _, err := store.RevokeKey(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.Identify(t.Context(), "Bearer "+token, ""); !errors.Is(err,
		access.ErrWrongKey) || guard.IsStillIn(caller) || guard.IsOpen() {
		t.Errorf("after the last key was revoked: %v, open: %t", err, guard.IsOpen())
	}
}

func TestOperatorKey(t *testing.T) {
	t.Parallel()
	store := dbtest.New(t)
	if _, err := access.New(store, access.Options{AdminKey: "short"}); err == nil {
		t.Error("took a short key")
	}
	guard := newGuard(t, store, access.Options{AdminKey: operatorKey, IsExposed: true})
	if caller, err := guard.Identify(t.Context(), "Bearer "+operatorKey, ""); err != nil ||
		caller.Role != coupon.RoleAdmin || !guard.IsStillIn(caller) {
		t.Errorf("got %+v, %v", caller, err)
	}
	if _, err := guard.Identify(t.Context(), "Bearer "+operatorKey+"x", ""); !errors.Is(err,
		access.ErrWrongKey) {
		t.Errorf("got %v", err)
	}
}

// provider is an identity provider.
type provider struct {
	*httptest.Server
	key *rsa.PrivateKey
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, value any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(value); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("/.well-known/openid-configuration",
		func(w http.ResponseWriter, _ *http.Request) {
			answer(w, map[string]any{
				"issuer": p.URL, "jwks_uri": p.URL + "/keys",
				"authorization_endpoint": p.URL + "/login", "token_endpoint": p.URL + "/token",
				"id_token_signing_alg_values_supported": []string{"RS256"},
			})
		})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{
			Keys: []jose.JSONWebKey{
				{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"},
			},
		})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// sign makes a token of these claims.
func sign(
	t *testing.T, key crypto.PrivateKey, algorithm jose.SignatureAlgorithm, claims map[string]any,
) string {
	t.Helper()
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil,
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

func TestTokensOfAnIdentityProvider(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claims := func(edit func(map[string]any)) map[string]any {
		c := map[string]any{
			"iss": p.URL, "aud": "couponql", "sub": "u-1", "exp": time.Now().Add(time.Hour).Unix(),
			"preferred_username": "ada",
			"realm_access": map[string]any{
				"roles": []string{"other", "couponql-analyst", "couponql-marketer"},
			},
		}
		edit(c)
		return c
	}
	none := func(map[string]any) {}
	tokens, err := access.NewTokens(
		access.TokenOptions{Issuer: p.URL, Audience: "couponql", RoleClaim: "realm_access.roles"},
	)
	if err != nil {
		t.Fatal(err)
	}
	guard := newGuard(t, dbtest.New(t), access.Options{Tokens: tokens, IsExposed: true})
	caller, err := guard.Identify(t.Context(),
		"Bearer "+sign(t, p.key, jose.RS256, claims(none)), "")
	if err != nil || caller.Name != "oidc:u-1" || caller.Label != "ada" ||
		caller.Role != coupon.RoleMarketer || !guard.IsStillIn(caller) {
		t.Errorf("got %+v, %v", caller, err)
	}
	for name, test := range map[string]struct{ token, want string }{
		"another key": {sign(t, stranger, jose.RS256, claims(none)), "not one of"},
		"another audience": {
			sign(t, p.key, jose.RS256, claims(func(c map[string]any) { c["aud"] = "shop" })),
			"not one of",
		},
		"another issuer": {
			sign(t, p.key, jose.RS256,
				claims(func(c map[string]any) { c["iss"] = "https://other" })), "not one of",
		},
		"expired": {sign(t, p.key, jose.RS256, claims(
			func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		)), "expired"},
		"no end": {
			sign(t, p.key, jose.RS256,
				claims(func(c map[string]any) { delete(c, "exp") })), "expired",
		},
		"no role": {
			sign(t, p.key, jose.RS256,
				claims(func(c map[string]any) { delete(c, "realm_access") })), "no role",
		},
		"another role": {
			sign(t, p.key, jose.RS256,
				claims(func(c map[string]any) { c["realm_access"] = "couponql-king" })), "no role",
		},
		"a shared secret": {sign(t, []byte(operatorKey), jose.HS256, claims(none)), "not one of"},
		"no signature":    {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1LTEifQ.", "not one of"},
		"garbage":         {"a.b.c", "not one of"},
		"no subject": {
			sign(t, p.key, jose.RS256, claims(func(c map[string]any) { delete(c, "sub") })),
			"no claim sub",
		},
		"an empty subject": {
			sign(t, p.key, jose.RS256, claims(func(c map[string]any) { c["sub"] = "" })),
			"no claim sub",
		},
		"a role in other letters": {sign(t, p.key, jose.RS256, claims(func(c map[string]any) {
			c["realm_access"] = map[string]any{
				"roles": []string{"ADM\u0131N", "MAR\u212aETER", "ANALY\u017fT"},
			}
		})), "no role"},
	} {
		_, err := guard.Identify(t.Context(), "Bearer "+test.token, "")
		if !errors.Is(err, access.ErrWrongKey) || !strings.Contains(err.Error(), test.want) ||
			access.StatusOf(err) != http.StatusUnauthorized {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, options := range map[string]access.TokenOptions{
		"no audience": {Issuer: p.URL}, "no address": {Issuer: "login", Audience: "a"},
	} {
		if _, err := access.NewTokens(options); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestProviderDown: keys work without the identity provider, and its tokens are answered by what is
// wrong.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.Close()
	tokens, err := access.NewTokens(access.TokenOptions{Issuer: p.URL, Audience: "couponql"})
	if err != nil {
		t.Fatal(err)
	}
	store := dbtest.New(t)
	guard := newGuard(t, store, access.Options{Tokens: tokens})
	_, token := createKey(t, store, coupon.NewAPIKey{Role: coupon.RoleAdmin})
	if _, err := guard.Identify(t.Context(), "Bearer "+token, ""); err != nil {
		t.Error(err)
	}
	for range 2 {
		_, err = guard.Identify(t.Context(), "Bearer "+sign(t, p.key, jose.RS256, map[string]any{
			"iss": p.URL, "aud": "couponql", "sub": "u-1", "exp": time.Now().Add(time.Hour).Unix(),
		}), "")
		if err == nil || access.StatusOf(err) != http.StatusServiceUnavailable {
			t.Errorf("got %v", err)
		}
	}
}

// TestAdmit: each caller has a rate of requests of its own, and what was not used in a second may
// follow in the next.
func TestAdmit(t *testing.T) {
	t.Parallel()
	clock := dbtest.NewClock(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
	guard := newGuard(t, dbtest.New(t, clock.Use), access.Options{})
	caller, other := &coupon.Caller{Name: "key_1", RequestsPerSecond: new(10)}, &coupon.Caller{
		Name: "key_2", RequestsPerSecond: new(1),
	}
	admitted := func(c *coupon.Caller, tries int) (count int, wait time.Duration) {
		for range tries {
			if w := guard.Admit(c); w > 0 {
				wait = w
			} else {
				count++
			}
		}
		return count, wait
	}
	if count, wait := admitted(caller, 30); count != 10 || wait != 100*time.Millisecond {
		t.Errorf("at first %d requests are admitted, the next in %s", count, wait)
	}
	if count, _ := admitted(other, 5); count != 1 {
		t.Errorf("the other caller may send %d", count)
	}
	clock.Advance(300 * time.Millisecond)
	if count, _ := admitted(caller, 30); count != 3 {
		t.Errorf("after 0.3 s %d more are admitted", count)
	}
	clock.Advance(time.Hour)
	if count, _ := admitted(caller, 30); count != 10 {
		t.Errorf("after an hour %d more are admitted", count)
	}
	if count, _ := admitted(&coupon.Caller{Name: "key_3"}, 5000); count != 5000 {
		t.Error("a caller without a limit waits")
	}
	// A new limit of a key holds at once.
	if count, _ := admitted(&coupon.Caller{Name: "key_2", RequestsPerSecond: new(20)},
		50); count != 20 {
		t.Errorf("with its new limit the other caller may send %d", count)
	}
}

// TestGuesses: who asks about codes that do not exist must soon wait, and a shop whose customers
// mistype does not.
func TestGuesses(t *testing.T) {
	t.Parallel()
	clock := dbtest.NewClock(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
	guard := newGuard(t, dbtest.New(t, clock.Use), access.Options{})
	thief, shop := &coupon.Caller{Name: "key_1"}, &coupon.Caller{Name: "key_2"}
	wrong, right := []bool{true}, []bool{false}
	for i := range access.MaxGuesses {
		if allowed, _ := guard.Ask(thief, wrong); allowed != 1 {
			t.Fatalf("must wait after %d guesses", i)
		}
	}
	// A code that exists is not told apart from one that does not.
	for _, unknown := range [][]bool{wrong, right, {false, false, true}} {
		if allowed, wait := guard.Ask(thief, unknown); allowed != 0 || wait != time.Second {
			t.Errorf("after %d guesses %d may be answered, the next in %s", access.MaxGuesses,
				allowed, wait)
		}
	}
	clock.Advance(time.Second)
	if allowed, _ := guard.Ask(thief, []bool{false, true, false, true}); allowed != 2 {
		t.Errorf("a second later %d may be answered", allowed)
	}
	// One code in ten is mistyped, thousands of times within a second.
	for i := range 5000 {
		if allowed, wait := guard.Ask(shop, []bool{
			true, false, false, false, false, false, false, false, false, false,
		}); allowed != 10 {
			t.Fatalf("the shop must wait %s after %d", wait, i)
		}
		guard.Redeemed(shop, 9, 0)
	}
	// Who redeems one code again and again, or reverses what it redeemed, cannot guess without end.
	regular, refunder := &coupon.Caller{Name: "key_3"}, &coupon.Caller{Name: "key_4"}
	for caller, earn := range map[*coupon.Caller]func(){
		regular:  func() { guard.Redeemed(regular, 0, 1000) },
		refunder: func() { guard.Redeemed(refunder, 1, 0); guard.Reversed(refunder) },
	} {
		guesses := 0
		for range 1000 {
			allowed, _ := guard.Ask(caller, wrong)
			guesses += allowed
			earn()
		}
		if want := access.MaxGuesses +
			access.RepeatGuessesPerSecond; guesses < access.MaxGuesses-1 || guesses > want {
			t.Errorf("%s guesses %d times, want at most %d", caller.Name, guesses, want)
		}
	}
	clock.Advance(time.Second)
	guard.Redeemed(regular, 0, 1000)
	if allowed, _ := guard.Ask(regular,
		slices.Repeat(wrong, 100)); allowed < access.RepeatGuessesPerSecond {
		t.Errorf("a second later %d wrong codes among a thousand right ones are answered", allowed)
	}
	local := &coupon.Caller{Name: coupon.LocalCaller}
	if allowed, _ := guard.Ask(local, slices.Repeat(wrong, 10_000)); allowed != 10_000 {
		t.Error("a server without keys slows its own machine")
	}
}

// TestGuessesOfAList: a list is answered up to where the guesses end, lists that come together
// share them, and whoever named many codes goes on a second later.
func TestGuessesOfAList(t *testing.T) {
	t.Parallel()
	clock := dbtest.NewClock(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
	guard := newGuard(t, dbtest.New(t, clock.Use), access.Options{})
	till := &coupon.Caller{Name: "key_1"}
	if allowed, _ := guard.Ask(till, make([]bool, 10_000)); allowed != 10_000 {
		t.Errorf("of codes that exist %d are answered", allowed)
	}
	const lists = 64
	all := make(chan int, lists)
	for range lists {
		go func() {
			allowed, _ := guard.Ask(till, slices.Repeat([]bool{true}, 10_000))
			all <- allowed
		}()
	}
	sum := 0
	for range lists {
		sum += <-all
	}
	if sum != access.MaxGuesses {
		t.Errorf("%d lists at once guessed %d times", lists, sum)
	}
	clock.Advance(time.Second)
	if allowed, _ := guard.Ask(till, make([]bool, 10_000)); allowed != 10_000 {
		t.Errorf("a second later %d codes that exist are answered", allowed)
	}
	// A guess that was none is given back.
	for range 3 {
		if allowed, _ := guard.Ask(till, []bool{true}); allowed != 1 {
			t.Error("what was found is counted")
		}
		guard.Found(till)
	}
}

func TestCallerOf(t *testing.T) {
	t.Parallel()
	if access.CallerOf(t.Context()) != nil {
		t.Error("nobody is somebody")
	}
	caller := &coupon.Caller{Name: "key_1"}
	during, leave := newGuard(t, dbtest.New(t), access.Options{}).Stay(t.Context(), caller)
	defer leave()
	if got := access.CallerOf(during); got != caller {
		t.Errorf("got %+v", got)
	}
}
