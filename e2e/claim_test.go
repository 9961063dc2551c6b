package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

const (
	claimRounds  = 12
	claimCallers = 16
	claimPool    = 30_000
)

// claims is a server that is killed again and again while people claim codes, with the code of each
// person that was acknowledged.
type claims struct {
	dir   string
	mu    sync.Mutex
	codes map[string]string
}

// TestClaimKill kills the server while many claim codes, each person twice at once, and checks
// after each new start that every code that was acknowledged is still that person's, and nobody
// else's.
func TestClaimKill(t *testing.T) {
	t.Parallel()
	c := &claims{dir: t.TempDir(), codes: map[string]string{}}
	p := start(t, c.dir)
	var none struct{}
	p.must(t, createCoupon, &none)
	p.must(t, fmt.Sprintf(`mutation {
		generateCodes(input: {couponId: "coupon_1", count: %d, pattern: "C-########"}) {
			generatedCount
		}
	}`, claimPool), &none)
	for round := 1; round <= claimRounds && !t.Failed(); round++ {
		ctx, cancel := context.WithCancel(t.Context())
		var load sync.WaitGroup
		for caller := range claimCallers {
			load.Go(func() { c.load(ctx, t, p, round, caller) })
		}
		select {
		case <-time.After(time.Duration(50+rand.IntN(800)) * time.Millisecond):
		case <-p.ended:
			t.Errorf("the server ended by itself: %v\n%s", p.err, p.text())
		}
		p.kill(t)
		cancel()
		load.Wait()
		p = start(t, c.dir)
		c.check(t, p)
	}
	if len(c.codes) == 0 {
		t.Error("no claim was acknowledged before the crashes")
	}
	t.Logf("acknowledged: %d claims", len(c.codes))
}

// load claims codes until no answer comes; nobody knows what became of that claim. Two callers each
// claim for the same people.
func (c *claims) load(ctx context.Context, t *testing.T, p *process, round, caller int) {
	for i := 0; ctx.Err() == nil; i++ {
		person := fmt.Sprintf("p-%d-%d-%d", round, caller/2, i)
		code, err := c.claim(ctx, p, person)
		if err != nil {
			return
		}
		c.mu.Lock()
		if before := c.codes[person]; before != "" && before != code {
			t.Errorf("%s got %s and %s", person, before, code)
		}
		c.codes[person] = code
		c.mu.Unlock()
	}
}

// claim claims a code for somebody.
func (c *claims) claim(ctx context.Context, p *process, person string) (string, error) {
	var claimed struct {
		ClaimCode struct {
			Code       *struct{ Value string }
			UserErrors []struct{ Message string }
		}
	}
	err := p.ask(ctx, fmt.Sprintf(`mutation {
		claimCode(input: {couponId: "coupon_1", recipient: {externalId: %q}}) {
			code { value } userErrors { message }
		}
	}`, person), nil, &claimed)
	if err == nil && claimed.ClaimCode.Code == nil {
		err = fmt.Errorf("no code for %s: %v", person, claimed.ClaimCode.UserErrors)
	}
	if err != nil {
		return "", err
	}
	return claimed.ClaimCode.Code.Value, nil
}

// check asks for everybody's code again, many in a request.
func (c *claims) check(t *testing.T, p *process) {
	t.Helper()
	people := make([]string, 0, len(c.codes))
	inputs := make([]map[string]any, 0, len(c.codes))
	owners := map[string]string{}
	for person, code := range c.codes {
		if other := owners[code]; other != "" {
			t.Errorf("%s and %s both have %s", other, person, code)
		}
		owners[code] = person
		people = append(people, person)
		inputs = append(inputs, map[string]any{
			"couponCode": nil, "couponId": "coupon_1",
			"recipient": map[string]any{"externalId": person},
		})
	}
	const most = 5_000
	for first := 0; first < len(people); first += most {
		last := min(first+most, len(people))
		var again struct {
			ClaimCodes struct {
				NewCount int
				Results  []struct{ Code *struct{ Value string } }
			}
		}
		err := p.ask(t.Context(), `mutation ($claims: [ClaimCodeInput!]!) {
			claimCodes(input: {claims: $claims}) { newCount results { code { value } } }
		}`, map[string]any{"claims": inputs[first:last]}, &again)
		if err != nil || again.ClaimCodes.NewCount > 0 {
			t.Fatalf("%d claims that were acknowledged were lost: %v", again.ClaimCodes.NewCount,
				err)
		}
		for i, result := range again.ClaimCodes.Results {
			person := people[first+i]
			if result.Code == nil || result.Code.Value != c.codes[person] {
				t.Errorf("%s has %v, not %s", person, result.Code, c.codes[person])
			}
		}
	}
	p.checkSound(t)
}
