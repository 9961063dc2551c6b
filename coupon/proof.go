package coupon

import "strconv"

const (
	// MaxProofAddresses is how many addresses one proof goes to.
	MaxProofAddresses = 20
	// ProofMark is put before the subject of a proof, or before the text where there is no subject.
	ProofMark = "[Proof] "
	// ProofCode stands for the recipient's own code in proofs, which must not take one.
	ProofCode = "PROOF-CODE"
)

// CheckProof returns the addresses that a proof of a channel is sent to. region is where phone
// numbers are from that do not say so. It returns UserErrors with INVALID.
func CheckProof(channel Channel, addresses []string, region string) ([]string, error) {
	var problems UserErrors
	if len(addresses) == 0 || len(addresses) > MaxProofAddresses {
		invalidf(&problems, "addresses", "Give 1 to %d addresses, not %d.", MaxProofAddresses,
			len(addresses))
		return nil, problems
	}
	clean := make([]string, len(addresses))
	for i, address := range addresses {
		canonical, reason := Canonical(channel, address, region)
		if reason != "" {
			problems = append(
				problems,
				Errorf(ErrorInvalid, "%q cannot be an address for %s. %s", address, channel,
					reason).At("input", "addresses", strconv.Itoa(i)),
			)
		}
		clean[i] = canonical.Send
	}
	return clean, problems.OrNil()
}

// MarkProof makes a message one that nobody takes for the real one.
func (m *OutgoingMessage) MarkProof() {
	if m.Subject == "" && m.Channel != ChannelEmail {
		m.Body = ProofMark + m.Body
		return
	}
	m.Subject = ProofMark + m.Subject
}

// CheckResend decides whether a message may be handed over once more, with the same code, by what
// holds now. It returns INVALID_STATE for one that was not handed over, and for one that may not
// leave.
func (m *Message) CheckResend(now *Situation) error {
	if m.Status != MessageSent && m.Status != MessageUnknown {
		return Errorf(
			ErrorInvalidState,
			"The message is %s; only one that was SENT, or is UNKNOWN, can be sent again.",
			m.Status,
		)
	}
	if _, never := now.MayLeave(); never != "" {
		return Errorf(ErrorInvalidState, "The message must not be sent again: %s", never.Text())
	}
	return nil
}
