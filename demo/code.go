package main

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
	// codeCount is how many of its codes the file has: enough for the deliveries that are sent, and for
	// most sports too few for one more to everybody.
	codeCount int
}

var sports = []sport{
	{"soccer", 0.34, 9_500},
	{"running", 0.26, 8_000},
	{"cycling", 0.18, 6_000},
	{"tennis", 0.14, 4_500},
	{"swimming", 0.08, 2_000},
}

// code is an individual code; the label of a flyer is empty.
type code struct {
	value string
	label string
}

// firstFlyer is short, so that it is easily typed. The playground's examples ask for it.
const firstFlyer = "SUMMER-7K2M"

const (
	codeAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789" // without I and 1, O and 0
	codeLength   = 6
)

// newCodes makes the codes of both files. No value is in them twice.
func newCodes(r *rand.Rand) (sportCodes, flyerCodes []code) {
	known := map[string]bool{firstFlyer: true}
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
	flyerCodes = append(flyerCodes, code{value: firstFlyer})
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
	return writeCSV(w, []string{"code", "label"}, codes, func(c *code) []string { return []string{c.value, c.label} })
}

func writeFlyerCodes(w io.Writer, codes []code) error {
	return writeCSV(w, []string{"coupon code"}, codes, func(c *code) []string { return []string{c.value} })
}
