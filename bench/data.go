package main

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
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
	err := writeFile(b.file(codesFile), "code,label", b.options.codes, func(line []byte, i int) []byte {
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
	const columns = "external id,email,phone,first name,last name,sport"
	return writeFile(b.file(recipientsFile), columns, b.options.messages, func(line []byte, i int) []byte {
		return fmt.Appendf(line, "c-%d,customer.%d@example.com,+49151%08d,Ada,Lovelace the %dth,%s\n", i, i, i, i, labels[i%len(labels)])
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
