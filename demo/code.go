package demo

import (
	"io"
	"math/rand/v2"
	"strings"
)

// A sport is a label of codes and an attribute of recipients.
type sport struct {
	name string
	// share of the recipients whose sport it is.
	share float64
	// codeCount is how many of its codes the file has: enough for the deliveries that are sent, and
	// for most sports too few for one more to everybody.
	codeCount int
	// appeal is how many redeem its codes, against the average.
	appeal float64
}

var sports = []sport{
	{"soccer", 0.34, 9_500, 1.2},
	{"running", 0.26, 8_000, 1},
	{"cycling", 0.18, 6_000, 0.85},
	{"tennis", 0.14, 4_500, 0.9},
	{"swimming", 0.08, 2_000, 0.6},
}

// appealOf returns how many redeem codes of a label, against the average.
func appealOf(label string) float64 {
	for _, s := range sports {
		if s.name == label {
			return s.appeal
		}
	}
	return 1
}

// code is an individual code; the label of a flyer is empty.
type code struct {
	value string
	label string
}

// firstCode has the longest history of all: given, sent, redeemed, taken back and redeemed again.
// It is short, so that it is easily typed. The playground's examples ask for it.
const firstCode = "SOCCER-7K2M"

const (
	codeAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789" // without I and 1, O and 0
	codeLength   = 6
)

// newCodes makes the codes of both files. No value is in them twice.
func newCodes(r *rand.Rand) (sportCodes, flyerCodes []code) {
	known := map[string]bool{}
	next := func(prefix string) string {
		for {
			value := prefix + "-" + randomText(r)
			if !known[value] {
				known[value] = true
				return value
			}
		}
	}
	for _, s := range sports {
		for range s.codeCount {
			sportCodes = append(sportCodes, code{next(strings.ToUpper(s.name)), s.name})
		}
	}
	// The first one in the pool is the first one that is given.
	sportCodes[0].value = firstCode
	for len(flyerCodes) < flyerCount {
		flyerCodes = append(flyerCodes, code{value: next("SUMMER")})
	}
	return sportCodes, flyerCodes
}

func randomText(r *rand.Rand) string {
	var text strings.Builder
	for range codeLength {
		text.WriteByte(codeAlphabet[r.IntN(len(codeAlphabet))])
	}
	return text.String()
}

func writeSportCodes(w io.Writer, codes []code) error {
	return writeCSV(w, []string{"code", "label"}, codes,
		func(c *code) []string { return []string{c.value, c.label} })
}

func writeFlyerCodes(w io.Writer, codes []code) error {
	return writeCSV(w, []string{"coupon code"}, codes,
		func(c *code) []string { return []string{c.value} })
}
