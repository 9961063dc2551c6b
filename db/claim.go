package db

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// ClaimOutcome is what became of a claim: a code or a refusal.
type ClaimOutcome struct {
	CodeID coupon.ID
	// IsNew: the code was given away now.
	IsNew bool
	// EndsAt is when the code is no longer valid; nil: for good.
	EndsAt *time.Time
	// Refusal has coupon.UserErrors: INVALID, NOT_FOUND and what coupon.CheckClaim returns;
	// INSUFFICIENT_CODES; ALREADY_EXISTS for an idempotency key that the caller used for another
	// claim.
	Refusal error
}

// claim is a request on its way.
type claim struct {
	request      *coupon.ClaimRequest
	couponNumber int64
	// recipient is the number of the person, 0 while that is not known.
	recipient int64
	outcome   ClaimOutcome
	isDone    bool
}

// refuse ends a claim without a code.
func (c *claim) refuse(why error) { c.outcome, c.isDone = ClaimOutcome{Refusal: why}, true }

// Claim is ClaimAll for one request. It returns the refusal as its error.
func (s *Store) Claim(ctx context.Context, request *coupon.ClaimRequest) (*ClaimOutcome, error) {
	outcomes, err := s.ClaimAll(ctx, []*coupon.ClaimRequest{request})
	if err != nil {
		return nil, err
	}
	return &outcomes[0], outcomes[0].Refusal
}

// ClaimAll gives each person a code of a coupon, each claim as if it were alone, one after the
// other. People who are not known are added first, unless there is no code for them. What it gives
// is in the order of the requests and on disk. The error is ErrBusy when more wait than the store
// can serve soon, or internal; then no code was given away.
func (s *Store) ClaimAll(ctx context.Context, requests []*coupon.ClaimRequest) (
	[]ClaimOutcome, error,
) {
	claims := make([]*claim, len(requests))
	for i, request := range requests {
		claims[i] = &claim{request: request}
		if err := request.Check(); err != nil {
			claims[i].refuse(err)
			continue
		}
		s.findCoupon(claims[i])
	}
	// Who was found may be erased, and a delivery with codes of the coupon confirmed, before the
	// turn: those are looked at again.
	for open := openClaims(claims); len(open) > 0; open = openClaims(claims) {
		if err := s.readHoldersOf(ctx, open); err != nil {
			return nil, err
		}
		if err := s.findClaimants(ctx, open); err != nil {
			return nil, err
		}
		open = openClaims(open)
		if len(open) == 0 {
			break
		}
		err := s.join(ctx, len(open), func(g *group) error {
			for _, c := range open {
				g.claim(c)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if err := s.keepValues(ctx, claims); err != nil {
		return nil, err
	}
	outcomes := make([]ClaimOutcome, len(claims))
	for i, c := range claims {
		outcomes[i] = c.outcome
	}
	return outcomes, nil
}

// readAhead is how many codes before a claimed one are read with it: they are claimed next.
const readAhead = 512

// keepValues has memory know the values of claimed codes, which whoever asked is told next. Those
// of new ones are read together with those of the codes that will be claimed after them.
func (s *Store) keepValues(ctx context.Context, claims []*claim) error {
	for _, c := range claims {
		if c.outcome.Refusal != nil {
			continue
		}
		number := coupon.MustNumber(coupon.KindCode, c.outcome.CodeID)
		value, isKnown := s.memory.Claimable(number)
		if !isKnown {
			first := number
			if c.outcome.IsNew {
				first -= readAhead
			}
			err := duckdb.Each(ctx, s.engine.Planned(), codeGet, func(rows *sql.Rows) error {
				var read int64
				var text string
				err := rows.Scan(&read, &text)
				if s.memory.KeepClaimable(read, text); read == number {
					value = text
				}
				return err
			}, named("first", first), named("last", number))
			if err != nil {
				return err
			}
		}
		s.memory.KeepClaimed(number, value)
	}
	return nil
}

// openClaims returns the claims of which nothing came yet.
func openClaims(claims []*claim) []*claim {
	return slices.DeleteFunc(slices.Clone(claims), func(c *claim) bool { return c.isDone })
}

// findCoupon finds the coupon of a claim, or refuses it.
func (s *Store) findCoupon(c *claim) {
	if id := c.request.CouponID; id != nil {
		number, err := id.Number(coupon.KindCoupon)
		if err == nil && s.memory.Coupon(number) == nil {
			err = coupon.NotFound(coupon.KindCoupon, *id)
		}
		if err != nil {
			c.refuse(at(err, "input", "couponId"))
			return
		}
		c.couponNumber = number
		return
	}
	isThere := false
	s.memory.Read(func(v memory.View) {
		c.couponNumber, isThere = v.CouponOfKey(s.keys.Key(*c.request.CouponCode))
	})
	if !isThere {
		c.refuse(coupon.Errorf(coupon.ErrorNotFound, "There is no coupon with the code %q.",
			coupon.Printable(*c.request.CouponCode)).At("input", "couponCode"))
	}
}

// findClaimants finds out who the people of claims are, and adds those who are not known. Claims
// that cannot come to anything are refused before, so that nobody is added for nothing.
func (s *Store) findClaimants(ctx context.Context, claims []*claim) error {
	ids := make([]string, len(claims))
	for i, c := range claims {
		ids[i] = c.request.Recipient.ExternalID
	}
	numbers, err := s.findPeople(ctx, ids)
	if err != nil {
		return err
	}
	var strangers []*claim
	now := s.now()
	s.memory.Read(func(v memory.View) {
		for i, c := range claims {
			c.recipient = numbers[i]
			if c.recipient != 0 {
				continue
			}
			if refusal := v.CheckStock(c.couponNumber, c.request.Label, now); refusal != nil {
				c.refuse(ofClaim(refusal))
				continue
			}
			strangers = append(strangers, c)
		}
	})
	if len(strangers) == 0 {
		return nil
	}
	changes := make([]*coupon.RecipientChanges, len(strangers))
	for i, c := range strangers {
		changes[i] = c.request.Recipient
	}
	if numbers, err = s.addPeople(ctx, changes); err != nil {
		return err
	}
	for i, c := range strangers {
		c.recipient = numbers[i]
	}
	return nil
}

// ofClaim names the coupon as what is to blame for a refusal that names nothing.
func ofClaim(refusal *coupon.UserError) *coupon.UserError {
	if refusal.Field == nil {
		return refusal.At("input")
	}
	return refusal
}

// claim decides about a claim, appends its row and marks the code; the mark is taken back when the
// commit fails. What has to be looked at again stays open.
func (g *group) claim(c *claim) {
	m := g.store.memory
	if m.IsErased(c.recipient) {
		return
	}
	request := c.request
	claimed, isUnread, refusal := m.Claim(&memory.ClaimAttempt{
		CouponNumber: c.couponNumber, Recipient: c.recipient, Label: request.Label,
		Channel: orEmpty(request.Channel), WantsNew: request.IfHeld == coupon.IfHeldNew,
		At: g.now, Caller: request.Caller, IdempotencyKey: request.IdempotencyKey,
		Steady: g.store.Steady(),
	})
	switch {
	case isUnread:
		return
	case refusal != nil:
		c.refuse(ofClaim(refusal))
		return
	}
	c.outcome, c.isDone = ClaimOutcome{
		CodeID: coupon.NewID(coupon.KindCode, claimed.CodeNumber), IsNew: claimed.IsNew,
		EndsAt: claimed.EndsAt,
	}, true
	if !claimed.IsNew {
		return
	}
	g.onFailure(func() { m.Unclaim(claimed) })
	row := &claimRow{
		ID: claimed.Number, CouponID: claimed.CouponNumber, CodeID: claimed.CodeNumber,
		RecipientID: c.recipient, IdempotencyKey: request.IdempotencyKey, Caller: request.Caller,
	}
	if claimed.Label != "" {
		row.Label = &claimed.Label
	}
	if request.Channel != nil {
		row.Channel = new(string(*request.Channel))
	}
	g.claims = append(g.claims, row)
}

// readHoldersOf has memory know who was given codes of the claims' coupons by messages.
func (s *Store) readHoldersOf(ctx context.Context, claims []*claim) error {
	seen := map[int64]bool{}
	for _, c := range claims {
		if seen[c.couponNumber] || c.request.IfHeld == coupon.IfHeldNew ||
			len(s.memory.UnreadHolders(c.couponNumber)) == 0 {
			continue
		}
		seen[c.couponNumber] = true
		if err := s.readHoldersOfCoupon(ctx, c.couponNumber); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) readHoldersOfCoupon(ctx context.Context, couponNumber int64) error {
	// Everybody who claims needs the same.
	leave, err := s.holders.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	deliveries := s.memory.UnreadHolders(couponNumber)
	if len(deliveries) == 0 {
		return nil
	}
	type packed struct {
		delivery          int64
		codes, recipients string
	}
	packs, err := duckdb.Collect(ctx, s.engine, claimHolders, func(rows *sql.Rows) (packed, error) {
		var p packed
		err := rows.Scan(&p.delivery, &p.codes, &p.recipients)
		return p, err
	}, named("deliveries", deliveries))
	if err != nil {
		return err
	}
	for _, p := range packs {
		lists, err := parseLists(p.codes, p.recipients)
		if err != nil {
			return err
		}
		if err := s.memory.NoteHolders(p.delivery, lists[0], lists[1]); err != nil {
			return err
		}
	}
	s.memory.HoldersRead(couponNumber, deliveries)
	return nil
}

// parseLists is parseNumbers for several lists.
func parseLists(packed ...string) ([][]int64, error) {
	lists := make([][]int64, len(packed))
	for i, text := range packed {
		var err error
		if lists[i], err = parseNumbers(strings.TrimSpace(text)); err != nil {
			return nil, err
		}
	}
	return lists, nil
}

// loadClaims fills the memory from the rows of claims.
func (s *Store) loadClaims(ctx context.Context, l *memory.Loader) error {
	type packed struct {
		channel                  *string
		codes, recipients, times string
	}
	packs, err := duckdb.Collect(ctx, s.engine, poolClaimed, func(rows *sql.Rows) (packed, error) {
		var p packed
		err := rows.Scan(&p.channel, &p.codes, &p.recipients, &p.times)
		return p, err
	})
	if err != nil {
		return err
	}
	for _, p := range packs {
		lists, err := parseLists(p.codes, p.recipients, p.times)
		if err != nil {
			return err
		}
		if err := l.NoteClaims(coupon.Channel(orEmpty(p.channel)), lists[0], lists[1],
			lists[2]); err != nil {
			return err
		}
	}
	return duckdb.Each(ctx, s.engine, poolClaimKeys, func(rows *sql.Rows) error {
		var caller, key string
		var number int64
		err := rows.Scan(&caller, &key, &number)
		l.SetClaimAnswer(caller, key, number, s.Steady())
		return err
	}, named("since", s.now().Add(-memory.AnswerLifetime)))
}
