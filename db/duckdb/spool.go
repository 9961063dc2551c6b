package duckdb

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Spool is a file of rows on their way into the engine, which reads a file of a million rows faster
// than it takes a hundred thousand parameters. Its folder is the only place the engine may read.
type Spool struct {
	file *os.File
	w    *bufio.Writer
	rows int
	line []byte
}

// null stands for NULL in a spool; texts that look like it are quoted.
const null = `\N`

// NewSpool makes a spool, which Remove deletes.
func (e *Engine) NewSpool() (*Spool, error) {
	file, err := os.CreateTemp(e.options.SpoolDir, "*.tsv")
	if err != nil {
		return nil, StorageError("create a spool file", err)
	}
	return &Spool{file: file, w: bufio.NewWriterSize(file, 1<<18)}, nil
}

// NewSpools returns so many spools, or none: on a full disk, where the second one fails, the first
// must not stay.
func (e *Engine) NewSpools(count int) ([]*Spool, error) {
	spools := make([]*Spool, 0, count)
	for range count {
		one, err := e.NewSpool()
		if err != nil {
			for _, made := range spools {
				err = errors.Join(err, made.Remove())
			}
			return nil, err
		}
		spools = append(spools, one)
	}
	return spools, nil
}

// Rows counts the rows that were ended.
func (p *Spool) Rows() int { return p.rows }

// Number adds a field.
func (p *Spool) Number(n int64) *Spool {
	p.line = strconv.AppendInt(p.separate(), n, 10)
	return p
}

// Text adds a field. Control characters must have been refused before; see coupon.Printable.
func (p *Spool) Text(text string) *Spool {
	p.line = p.separate()
	if text != "" && !strings.ContainsAny(text, "\"\t\\") {
		p.line = append(p.line, text...)
		return p
	}
	p.line = append(p.line, '"')
	for i := range len(text) {
		if text[i] == '"' {
			p.line = append(p.line, '"')
		}
		p.line = append(p.line, text[i])
	}
	p.line = append(p.line, '"')
	return p
}

// Optional adds a field that is NULL when the text is empty.
func (p *Spool) Optional(text string) *Spool {
	if text == "" {
		p.line = append(p.separate(), null...)
		return p
	}
	return p.Text(text)
}

func (p *Spool) separate() []byte {
	if len(p.line) > 0 {
		p.line = append(p.line, '\t')
	}
	return p.line
}

// End ends a row.
func (p *Spool) End() error {
	p.line = append(p.line, '\n')
	_, err := p.w.Write(p.line)
	p.line = p.line[:0]
	p.rows++
	if err != nil {
		return StorageError("write a spool file", err)
	}
	return nil
}

// Flush makes the rows readable for the engine and gives the file's name.
func (p *Spool) Flush() (string, error) {
	if err := p.w.Flush(); err != nil {
		return "", StorageError("write a spool file", err)
	}
	return p.file.Name(), nil
}

// Remove closes and deletes the file.
func (p *Spool) Remove() error {
	if err := errors.Join(p.file.Close(), os.Remove(p.file.Name())); err != nil {
		return fmt.Errorf("remove a spool file: %w", err)
	}
	return nil
}
