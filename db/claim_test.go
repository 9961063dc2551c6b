package db_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"couponql/coupon"
	"couponql/db"
)

// claimOf makes a claim of a person, with SAME unless edited.
func claimOf(c coupon.ID, person string, edits ...func(*coupon.ClaimRequest)) *coupon.ClaimRequest {
	request := &coupon.ClaimRequest{
		Caller: "key_1", CouponID: &c, Recipient: &coupon.RecipientChanges{ExternalID: person},
		IfHeld: coupon.IfHeldSame,
	}
	for _, edit := range edits {
		edit(request)
	}
	return request
}

func anew(r *coupon.ClaimRequest) { r.IfHeld = coupon.IfHeldNew }

func withKey(key string) func(*coupon.ClaimRequest) {
	return func(r *coupon.ClaimRequest) { r.IdempotencyKey = &key }
}

// claim claims a code, which must be new or not, and returns its value.
func (s *scene) claim(t *testing.T, isNew bool, request *coupon.ClaimRequest) string {
	t.Helper()
	outcome, err := s.Claim(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if outcome.IsNew != isNew {
		t.Errorf("%s claimed a code: new %t, want %t", request.Recipient.ExternalID, outcome.IsNew,
			isNew)
	}
	codes, err := s.CodesByID(t.Context(), []coupon.ID{outcome.CodeID}, coupon.AnyState)
	if err != nil {
		t.Fatal(err)
	}
	return codes[outcome.CodeID].Value
}

// refuseClaim makes a claim that must be refused.
func (s *scene) refuseClaim(
	t *testing.T, code coupon.ErrorCode, field string, request *coupon.ClaimRequest,
) {
	t.Helper()
	_, err := s.Claim(t.Context(), request)
	wantError(t, err, code, field)
}

// TestClaim tells that a person has one code of a coupon, the same on repetition and after a
// restart, until it is redeemed, and that people who are not known are added once.
func TestClaim(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withLimit(1), withEnd("2026-12-24"))
	s.codes(t, c, "", "A1", "A2", "A3", "A4")
	ada := s.claim(t, true, claimOf(c, "ada", func(r *coupon.ClaimRequest) {
		r.Recipient.Email = coupon.Set(new("ada@example.org"))
		r.Channel = new(coupon.ChannelEmail)
	}))
	if got := s.claim(t, false, claimOf(c, " ada ")); got != ada {
		t.Errorf("ada claimed %s, and then %s", ada, got)
	}
	if got := s.claim(t, true, claimOf(c, "bob")); got == ada {
		t.Errorf("bob claimed %s, which ada has", got)
	}
	code := s.code(t, ada)
	recipient, err := s.RecipientByExternalID(t.Context(), "ada")
	if err != nil || recipient == nil {
		t.Fatalf("ada is %v, %v", recipient, err)
	}
	if code.Status != coupon.CodeAssigned || code.RecipientID == nil ||
		*code.RecipientID != recipient.ID || code.Channel == nil ||
		*code.Channel != coupon.ChannelEmail || code.AssignedAt == nil ||
		!code.AssignedAt.Equal(noon()) || code.DeliveryID != nil || code.MessageID != nil ||
		code.Address != nil {
		t.Errorf("the code of ada is %+v", code)
	}
	if *recipient.Email != "ada@example.org" || !recipient.IsContactable {
		t.Errorf("ada is %+v", recipient)
	}
	events, err := s.EventsOf(t.Context(), []coupon.ID{code.ID})
	if err != nil || len(events[code.ID]) != 2 ||
		events[code.ID][1].Kind != coupon.EventClaimed ||
		events[code.ID][1].Text != "Claimed for EMAIL." {
		t.Errorf("what happened to the code of ada: %v, %v", events[code.ID], err)
	}
	for range 2 {
		s.wantAvailability(t, c, "available 2, assigned 2")
		s.checkSound(t)
		s.reopen(t)
		if got := s.claim(t, false, claimOf(c, "ada")); got != ada {
			t.Errorf("after a restart ada claimed %s, not %s", got, ada)
		}
	}
	redemption := s.redeem(t, ada)
	if got := s.claim(t, true, claimOf(c, "ada")); got == ada {
		t.Errorf("ada claimed %s again, which is redeemed", got)
	}
	stats, err := s.RedemptionStats(t.Context(), &coupon.StatsQuestion{
		GroupBy: []coupon.StatsDimension{coupon.ByChannel}, Limit: 10, Timezone: "UTC",
		Measures: coupon.StatsMeasures{Assigned: true, Redeemed: true},
	})
	if err != nil || len(stats) != 2 {
		t.Fatalf("statistics by channel: %v, %v", stats, err)
	}
	assigned, redeemed := 0, 0
	for _, row := range stats {
		assigned, redeemed = assigned+row.Stats.Assigned, redeemed+row.Stats.Redeemed
	}
	if assigned != 3 || redeemed != 1 {
		t.Errorf("%d codes are counted as given away and %d as redeemed, want 3 and 1", assigned,
			redeemed)
	}
	if redemption.Source != coupon.SourceAPI {
		t.Errorf("the redemption is %+v", redemption)
	}
	s.checkSound(t)
}

// TestClaimRefused tells why there is no code, and that nobody is added then.
func TestClaimRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withEnd("2026-11-30"))
	s.codes(t, c, "golf", "G1")
	everybody := s.newCoupon(t, anonymous, withCode("ALL"))
	later := s.newCoupon(t, func(c *coupon.CouponChanges) {
		c.StartsAt = coupon.Set(new(coupon.DateTime("2026-11-24")))
	})
	s.refuseClaim(t, coupon.ErrorInvalidState, "input", claimOf(everybody, "ada"))
	s.refuseClaim(t, coupon.ErrorCodeNotYetValid, "input", claimOf(later, "ada"))
	s.refuseClaim(t, coupon.ErrorNotFound, "input.couponId", claimOf("coupon_99", "ada"))
	s.refuseClaim(t, coupon.ErrorNotFound, "input.couponCode",
		claimOf("", "ada", func(r *coupon.ClaimRequest) {
			r.CouponID, r.CouponCode = nil, new("nobody")
		}))
	s.refuseClaim(t, coupon.ErrorInvalid, "input",
		claimOf(c, "ada", func(r *coupon.ClaimRequest) { r.CouponCode = new("ALL") }))
	s.refuseClaim(t, coupon.ErrorInvalid, "input.recipient.externalId", claimOf(c, " "))
	s.refuseClaim(t, coupon.ErrorInsufficientCodes, "input",
		claimOf(c, "ada", func(r *coupon.ClaimRequest) { r.Label = new("chess") }))
	if ada, err := s.RecipientByExternalID(t.Context(), "ada"); err != nil || ada != nil {
		t.Errorf("ada was added for nothing: %v, %v", ada, err)
	}
	s.claim(t, true, claimOf(c, "ada", func(r *coupon.ClaimRequest) { r.Label = new("golf") }))
	s.refuseClaim(t, coupon.ErrorInsufficientCodes, "input", claimOf(c, "bob"))
	s.refuseClaim(t, coupon.ErrorInsufficientCodes, "input", claimOf(c, "ada", anew))
	s.clock.Advance(30 * 24 * time.Hour)
	s.refuseClaim(t, coupon.ErrorCodeExpired, "input", claimOf(c, "ada"))
	s.checkSound(t)
}

// TestClaimKey tells that an idempotency key gives the same code, to its caller alone, and that
// another claim may not have it.
func TestClaimKey(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t, withLimit(1))
	s.codes(t, c, "", numbered("A", 6)...)
	first := s.claim(t, true, claimOf(c, "ada", anew, withKey("1")))
	second := s.claim(t, true, claimOf(c, "ada", anew, withKey("2")))
	if first == second {
		t.Errorf("two keys gave %s", first)
	}
	s.redeem(t, first)
	for range 2 {
		if got := s.claim(t, false, claimOf(c, "ada", anew, withKey("1"))); got != first {
			t.Errorf("the key gave %s, and then %s", first, got)
		}
		s.refuseClaim(t, coupon.ErrorAlreadyExists, "input.idempotencyKey",
			claimOf(c, "bob", withKey("1")))
		s.reopen(t)
	}
	s.claim(t, true, claimOf(c, "bob", withKey("1"),
		func(r *coupon.ClaimRequest) { r.Caller = "key_2" }))
	released, _, _, err := s.ReleaseCodes(t.Context(), &db.CodeSelection{
		CouponID: c, Values: []string{second},
	}, false, "by mistake")
	if err != nil || released != 1 {
		t.Fatalf("released %d, %v", released, err)
	}
	s.refuseClaim(t, coupon.ErrorAlreadyExists, "input.idempotencyKey",
		claimOf(c, "ada", anew, withKey("2")))
	s.wantAvailability(t, c, "available 4, assigned 1, redeemed 1")
	for range 2 {
		s.checkSound(t)
		s.reopen(t)
	}
}

// TestClaimOfDelivery tells that a person gets by a claim what a delivery gave away, that claims
// leave alone what an analyzed delivery holds, and that a code that was released and given to
// another is nobody else's.
func TestClaimOfDelivery(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "A1", "A2", "A3", "A4")
	people := s.recipients(t, 3)
	s.deliver(t, c, people[:1])
	if got := s.claim(t, false, claimOf(c, "r1")); got != "A1" {
		t.Errorf("r1 claimed %s, not what the delivery gave", got)
	}
	other := s.claim(t, true, claimOf(c, "zoe"))
	second := s.newDelivery(t, c, people[1:])
	s.analyze(t, second, coupon.DeliveryReady)
	s.refuseClaim(t, coupon.ErrorInsufficientCodes, "input", claimOf(c, "ida"))
	s.confirm(t, second)
	if got := s.claim(t, false, claimOf(c, "r3")); got == other || got == "A1" {
		t.Errorf("r3 claimed %s", got)
	}
	s.send(t, second)
	s.wantAvailability(t, c, "assigned 4")
	if _, _, _, err := s.ReleaseCodes(t.Context(), &db.CodeSelection{
		CouponID: c, Values: []string{"A1", other},
	}, true,
		"to others"); err != nil {
		t.Fatal(err)
	}
	s.reopen(t)
	given := []string{
		s.claim(t, true, claimOf(c, "ida")), s.claim(t, true, claimOf(c, "eve")),
	}
	slices.Sort(given)
	if want := []string{"A1", other}; !slices.Equal(given, want) {
		t.Errorf("ida and eve claimed %v, want %v", given, want)
	}
	s.refuseClaim(t, coupon.ErrorInsufficientCodes, "input", claimOf(c, "r1"))
	s.refuseClaim(t, coupon.ErrorInsufficientCodes, "input", claimOf(c, "zoe"))
	s.checkSound(t)
}

// TestClaimErased tells that somebody who was erased is somebody new, that the code stays with
// nobody's name, and that no key of the person is left.
func TestClaimErased(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "A1", "A2")
	first := s.claim(t, true, claimOf(c, "ada", withKey("ada@example.org")))
	s.erase(t, coupon.Erasure{ErasedCount: 1}, nil, "ada")
	for _, row := range s.rowsOf(t)["posted_claim"] {
		if strings.Contains(row, "example.org") {
			t.Errorf("a claim still has the key: %s", row)
		}
	}
	s.reopen(t)
	second := s.claim(t, true, claimOf(c, "ada"))
	if first == second {
		t.Errorf("somebody who was erased and somebody new have %s", first)
	}
	s.wantAvailability(t, c, "assigned 2")
	s.checkSound(t)
}

// TestClaimTogether tells that of many who claim at once each gets one code, both times the same,
// until there is none, whatever a delivery takes meanwhile.
func TestClaimTogether(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	const pool, held, people, callers = 300, 100, 400, 32
	s.codes(t, c, "", numbered("A", pool)...)
	d := s.newDelivery(t, c, s.recipients(t, held))
	s.analyze(t, d, coupon.DeliveryReady)
	var mu sync.Mutex
	got := map[string][]string{}
	short := map[string]int{}
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for i := range 2 * people / callers {
				// Each person twice, by two callers.
				person := fmt.Sprintf("p%d", (caller/2*2*people/callers+i)%people)
				outcome, err := s.Claim(t.Context(), claimOf(c, person))
				mu.Lock()
				if problems, isUser := coupon.AsUserErrors(err); isUser &&
					problems[0].Code == coupon.ErrorInsufficientCodes {
					short[person]++
				} else if err != nil {
					t.Error(err)
				} else {
					got[person] = append(got[person], string(outcome.CodeID))
				}
				mu.Unlock()
			}
		})
	}
	s.confirm(t, d)
	all.Wait()
	if len(got) != pool-held {
		t.Errorf("%d people have a code, want %d", len(got), pool-held)
	}
	given := map[string]string{}
	for person, codes := range got {
		if len(codes)+short[person] < 2 || slices.ContainsFunc(codes,
			func(code string) bool { return code != codes[0] }) {
			t.Errorf("%s got %v", person, codes)
		}
		if before := given[codes[0]]; before != "" {
			t.Errorf("%s and %s both have %s", before, person, codes[0])
		}
		given[codes[0]] = person
	}
	s.wantAvailability(t, c, fmt.Sprintf("assigned %d", pool))
	s.checkSound(t)
	s.reopen(t)
	s.checkSound(t)
}

// TestClaimMany tells that many claims are decided one after the other, each as if it were alone,
// and the same person among them twice gets one code.
func TestClaimMany(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "A1", "A2")
	outcomes, err := s.ClaimAll(t.Context(), []*coupon.ClaimRequest{
		claimOf(c, "ada"), claimOf(c, "bob"), claimOf(c, "ada"), claimOf(c, "eve"),
		claimOf("coupon_7", "ada"), claimOf(c, "bob", anew),
	})
	if err != nil {
		t.Fatal(err)
	}
	if outcomes[0].CodeID != outcomes[2].CodeID || outcomes[0].CodeID == outcomes[1].CodeID ||
		!outcomes[0].IsNew || outcomes[2].IsNew {
		t.Errorf("ada, bob and ada again got %+v", outcomes[:3])
	}
	for i, want := range map[int]coupon.ErrorCode{
		3: coupon.ErrorInsufficientCodes, 4: coupon.ErrorNotFound, 5: coupon.ErrorInsufficientCodes,
	} {
		wantError(t, outcomes[i].Refusal, want, "")
	}
	s.checkSound(t)
}
