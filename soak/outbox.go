package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// outbox reads the folder that messages are written to. Each message has to be there once, with a code that no other
// person has.
type outbox struct {
	dir    string
	report func(promise string, problem error)
	// holders are who has a code, and messages the deliveries of those that were seen.
	holders, messages map[string]string
}

func newOutbox(dir string, report func(string, error)) *outbox {
	return &outbox{dir: dir, report: report, holders: map[string]string{}, messages: map[string]string{}}
}

var (
	messageIDLine = regexp.MustCompile(`(?m)^Message-ID: <(.*)@couponql>$`)
	codeLine      = regexp.MustCompile(`(?m)^Code: (D.*)$`)
	toLine        = regexp.MustCompile(`(?m)^To: (.*)$`)
)

// check wants so many messages in the file of a delivery that is over, and in that of those sent once more none but these.
func (o *outbox) check(delivery string, sent int) error {
	text, err := os.ReadFile(filepath.Join(o.dir, delivery+".mbox"))
	if err != nil && (sent > 0 || !errors.Is(err, fs.ErrNotExist)) {
		return fmt.Errorf("read the outbox: %w", err)
	}
	ids, codes, people := o.read(text)
	if len(ids) != sent || len(codes) != sent || len(people) != sent {
		o.report("sending", fmt.Errorf("%d messages of %s were sent, and its outbox has %d with %d codes", sent, delivery, len(ids), len(codes)))
		return nil
	}
	for i, id := range ids {
		if other, isThere := o.messages[id]; isThere {
			o.report("sending", fmt.Errorf("%s is in the outbox of %s, and again in that of %s", id, other, delivery))
		}
		o.messages[id] = delivery
		if other, isThere := o.holders[codes[i]]; isThere {
			o.report("P1", fmt.Errorf("%s went to %s, and by %s of %s to %s", codes[i], other, id, delivery, people[i]))
		}
		o.holders[codes[i]] = people[i]
	}
	return o.checkResent(delivery)
}

func (o *outbox) checkResent(delivery string) error {
	text, err := os.ReadFile(filepath.Join(o.dir, delivery+"-resent.mbox"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the outbox: %w", err)
	}
	_, codes, people := o.read(text)
	for i, code := range codes {
		if i >= len(people) || o.holders[code] != people[i] {
			o.report("P1", fmt.Errorf("%s of %s went to %q, and was sent once more to %q", code, delivery, o.holders[code], people))
		}
	}
	return nil
}

// read returns the ids, codes and addresses of messages.
func (*outbox) read(text []byte) (ids, codes, people []string) {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	all := func(pattern *regexp.Regexp) (found []string) {
		for _, match := range pattern.FindAllSubmatch(text, -1) {
			found = append(found, string(match[1]))
		}
		return found
	}
	return all(messageIDLine), all(codeLine), all(toLine)
}

// compare wants no code to have gone out both ways.
func (o *outbox) compare(r *receiver) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for code, person := range o.holders {
		if other, isThere := r.holders[code]; isThere {
			o.report("P1", fmt.Errorf("%s went to %s by the outbox, and to %s by the webhook", code, person, other))
			delete(r.holders, code)
		}
	}
}

func (o *outbox) count() int { return len(o.messages) }
