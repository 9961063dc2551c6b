package coupon

// SendRefusal says why a delivery that was made to be sent at once is EDITING after its analysis:
// INSUFFICIENT_CODES, or INVALID_STATE when something else is in the way.
func (d *Delivery) SendRefusal() *UserError {
	const again = "It is EDITING, with its targets, and nothing was sent."
	if d.Analysis.CodesShort > 0 {
		return Errorf(ErrorInsufficientCodes, "The delivery %q (%s) needs %d codes; missing: %d. %s Add codes and repeat the request with the same idempotency key, or analyze and confirm it.",
			d.Label, d.ID, d.Analysis.CodesNeeded, d.Analysis.CodesShort, again).At("input")
	}
	return Errorf(ErrorInvalidState, "The analysis of the delivery %q (%s) found an error, which its log tells. %s Mend it and repeat the request with the same idempotency key, or analyze and confirm it.",
		d.Label, d.ID, again).At("input")
}
