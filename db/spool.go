package db

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"couponql/coupon"
)

// spool is a file of rows on their way into the engine, which reads a file of a million rows faster
// than it takes a hundred thousand parameters. Its folder is the only place the engine may read.
type spool struct {
	file *os.File
	w    *bufio.Writer
	rows int
	line []byte
}

// null stands for NULL in a spool; texts that look like it are quoted.
const null = `\N`

func (s *Store) newSpool() (*spool, error) {
	file, err := os.CreateTemp(s.spoolDir(), "*.tsv")
	if err != nil {
		return nil, storageError("create a spool file", err)
	}
	return &spool{file: file, w: bufio.NewWriterSize(file, 1<<18)}, nil
}

// newSpools gives so many spools, or none: on a full disk, where the second one fails, the first must not stay.
func (s *Store) newSpools(count int) ([]*spool, error) {
	spools := make([]*spool, 0, count)
	for range count {
		one, err := s.newSpool()
		if err != nil {
			for _, made := range spools {
				err = errors.Join(err, made.remove())
			}
			return nil, err
		}
		spools = append(spools, one)
	}
	return spools, nil
}

// number adds a field.
func (p *spool) number(n int64) *spool {
	p.line = strconv.AppendInt(p.separate(), n, 10)
	return p
}

// text adds a field. Control characters must have been refused before; see printable.
func (p *spool) text(text string) *spool {
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

// optional adds a field that is NULL when the text is empty.
func (p *spool) optional(text string) *spool {
	if text == "" {
		p.line = append(p.separate(), null...)
		return p
	}
	return p.text(text)
}

func (p *spool) separate() []byte {
	if len(p.line) > 0 {
		p.line = append(p.line, '\t')
	}
	return p.line
}

// end ends a row.
func (p *spool) end() error {
	p.line = append(p.line, '\n')
	_, err := p.w.Write(p.line)
	p.line = p.line[:0]
	p.rows++
	if err != nil {
		return storageError("write a spool file", err)
	}
	return nil
}

// flush makes the rows readable for the engine and gives the file's name.
func (p *spool) flush() (string, error) {
	if err := p.w.Flush(); err != nil {
		return "", storageError("write a spool file", err)
	}
	return p.file.Name(), nil
}

// remove closes and deletes the file.
func (p *spool) remove() error {
	if err := errors.Join(p.file.Close(), os.Remove(p.file.Name())); err != nil {
		return fmt.Errorf("remove a spool file: %w", err)
	}
	return nil
}

// refusals is the spool of rows that are not imported.
type refusals struct{ *spool }

func (r refusals) add(line int, reason coupon.RejectionReason, value string) error {
	return r.number(int64(line)).text(string(reason)).optional(coupon.Printable(value)).end()
}
