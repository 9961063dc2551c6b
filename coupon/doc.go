// Package coupon is the domain of couponql: coupons, their codes, the deliveries that hand codes to
// recipients, and the redemptions that follow. It holds the rules and nothing else: no clock, no
// I/O, no SQL, no GraphQL. Every decision takes values and an instant and returns values and an
// error.
//
// # Glossary
//
//   - A Coupon is what a marketer offers. ANONYMOUS: one code for everybody. INDIVIDUAL: a pool of
//     unique codes, optionally grouped by label.
//   - A Code is one unique value of an individual coupon's pool.
//   - A Delivery is one sending over one Channel to its targets; each recipient who is not left out
//     gets one Message, and each message of an individual coupon carries one code of its own.
//   - A hold keeps a number of codes for an analyzed delivery until it is confirmed.
//   - A Redemption is the fact that a code was used.
//
// # Life cycles
//
//	code      AVAILABLE ──confirm──▶ ASSIGNED ──redeem──▶ REDEEMED
//	          AVAILABLE ◀──return─── ASSIGNED ◀─reverse── REDEEMED ──reverse, never assigned──▶ VOIDED
//	          any but REDEEMED ──void──▶ VOIDED;  EXPIRED is derived from the clock, never written
//
//	delivery  EDITING ─analyze▶ READY ─confirm▶ SCHEDULED ─▶ IN_PROGRESS ─▶ FINISHED | FAILED
//	          READY ─edit▶ EDITING;  IN_PROGRESS ⇄ PAUSED; restored from a backup, SCHEDULED ⇄ PAUSED too
//	          READY, SCHEDULED, IN_PROGRESS, PAUSED ─stop▶ STOPPED
//
// # Names
//
// The exported types carry the names of the public GraphQL schema on purpose, even where that
// repeats the package name (coupon.CouponStatus): one word per concept, from SQL column to API
// field.
package coupon
