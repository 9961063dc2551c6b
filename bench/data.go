package main

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

const (
	// codeAlphabet and codeLength make codes as the project's measurements of storage had them.
	codeAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	codeLength   = 12
	// sampleSize is how many codes of the file are kept to be looked up.
	sampleSize = 1000
	// The files are the same at each run.
	seed = 20261123
)

// sports are the labels of codes and an attribute of recipients; both have them in turns.
func sports() []string { return []string{"climbing", "running", "soccer", "swimming", "tennis"} }

// names of the files that are imported.
const (
	codesFile       = "codes.csv"
	recipientsFile  = "recipients.csv"
	redemptionsFile = "redemptions.csv"
)

// writeFiles writes the codes, in no order, and the recipients, all of whom can be reached.
func (b *bench) writeFiles() error {
	random := rand.New(rand.NewPCG(seed, 0))
	labels := sports()
	every := max(1, b.options.codes/sampleSize)
	err := writeFile(b.file(codesFile), "code,label", b.options.codes,
		func(line []byte, i int) []byte {
			for range codeLength {
				line = append(line, codeAlphabet[random.IntN(len(codeAlphabet))])
			}
			if i%every == 0 {
				b.values = append(b.values, string(line))
			}
			return fmt.Appendf(line, ",%s\n", labels[i%len(labels)])
		})
	if err != nil {
		return err
	}
	return b.writeRecipients()
}

// writeRecipients writes the recipients.
func (b *bench) writeRecipients() error {
	labels := sports()
	const columns = "external id,email,phone,first name,last name,sport"
	return writeFile(b.file(recipientsFile), columns, b.options.messages,
		func(line []byte, i int) []byte {
			return fmt.Appendf(
				line, "c-%d,customer.%d@example.com,+49151%08d,Ada,Lovelace the %dth,%s\n", i, i, i,
				i,
				labels[i%len(labels)],
			)
		})
}

// writeFile writes a CSV file of so many rows; row appends one to an empty line.
func writeFile(path, columns string, rows int, row func(line []byte, i int) []byte) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write a file to import: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	line := []byte(columns + "\n")
	for i := range rows + 1 {
		if _, err := w.Write(line); err != nil {
			return fmt.Errorf("write a file to import: %w", err)
		}
		if i < rows {
			line = row(line[:0], i)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write a file to import: %w", err)
	}
	return nil
}

// bulkFile is a file of codes for a coupon that has some.
type bulkFile struct {
	path string
	// first is the file of the codes that the coupon has, and clean has the good rows of this one
	// alone.
	first, clean string
	// good is how many rows are to be imported, rejected how many are not for each reason of the
	// API.
	good     int
	rejected map[string]int
}

// The places in each hundred rows of a bulk file that are no new code.
const (
	placeKnown, placeRepeated, placeBad = 33, 66, 99
)

// badRows are rows that are rejected for what they are: without a code, too long for the server and
// for the raw side, and with a control character.
func badRows() []struct{ reason, row string } {
	return []struct{ reason, row string }{
		{"EMPTY", ",tennis"},
		{"TOO_LONG", strings.Repeat("ABCDEFGH", 40) + ",tennis"},
		{"BAD_CHARACTER", "ABCDEF\x01GH,tennis"},
	}
}

// writeBulkFiles writes the codes that a coupon has first, and as many rows for the same coupon, of
// which one in a hundred has a code of the first file, one a code that stands in the file already,
// and one none that can be. The good rows alone are written where somebody wants them.
func writeBulkFiles(folder string, size int, wantsClean bool) (*bulkFile, error) {
	file := &bulkFile{
		path: filepath.Join(folder, "more.csv"), first: filepath.Join(folder, "first.csv"),
		clean:    filepath.Join(folder, "clean.csv"),
		rejected: make(map[string]int),
	}
	labels := sports()
	good := func(line []byte, number int) []byte {
		return fmt.Appendf(appendCode(line, number), ",%s\n", labels[number%len(labels)])
	}
	if err := writeFile(file.first, "code,label", size, good); err != nil {
		return nil, err
	}
	bad := badRows()
	err := writeFile(file.path, "code,label", size, func(line []byte, i int) []byte {
		switch i % 100 {
		case placeKnown:
			file.rejected["ALREADY_EXISTS"]++
			return good(line, i)
		case placeRepeated:
			file.rejected["DUPLICATE_IN_FILE"]++
			// Somewhere in the first half of what is written so far; the place is that of a good
			// row.
			return good(line, size+i/200*100)
		case placeBad:
			b := bad[i/100%len(bad)]
			file.rejected[b.reason]++
			return append(append(line, b.row...), '\n')
		}
		file.good++
		return good(line, size+i)
	})
	if err != nil || !wantsClean {
		return file, err
	}
	return file, writeFile(file.clean, "code,label", size, func(line []byte, i int) []byte {
		switch i % 100 {
		case placeKnown, placeRepeated, placeBad:
			return line
		}
		return good(line, size+i)
	})
}

// appendCode appends the code of a number; no two numbers have the same. Unlike chance it can be
// asked again, so that nothing has to be remembered of files of any size.
func appendCode(line []byte, number int) []byte {
	// Each step can be undone in so many bits, so that different numbers stay different.
	const bits = 5 * codeLength
	const mask = 1<<bits - 1
	x := uint64(number+seed) & mask
	for _, factor := range []uint64{0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB} {
		x = x * factor & mask
		x ^= x >> (bits / 2)
	}
	for range codeLength {
		line = append(line, codeAlphabet[x%uint64(len(codeAlphabet))])
		x /= uint64(len(codeAlphabet))
	}
	return line
}
