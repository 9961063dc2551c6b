package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// joinClose closes a copy, after an error or none.
func joinClose(err error, d *database) error { return errors.Join(err, d.close()) }

// tryRestore restores the last backup beside the server's files, and wants it to be the database
// that it was made of.
func (s *soak) tryRestore(ctx context.Context) (err error) {
	s.mu.Lock()
	b := s.backup
	s.backup = nil
	s.mu.Unlock()
	if b == nil {
		return nil
	}
	dir, err := os.MkdirTemp(filepath.Dir(s.dir), "restored-*")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir), os.RemoveAll(b.path)) }()
	command := exec.CommandContext(ctx, s.options.binary, "restore", b.path, "--data",
		dataFile(dir), "--memory-limit", memoryLimit)
	if text, err := command.CombinedOutput(); err != nil {
		s.report("backup", fmt.Errorf("the backup of %s cannot be restored: %w: %s",
			b.began.Format(clock), err, text))
		return nil
	}
	s.restores++
	highest, err := s.compareRestored(ctx, b, dir)
	if err != nil {
		return err
	}
	return s.checkNumbers(ctx, dir, highest)
}

// compareRestored wants a restored database to have as many rows as the backup, and all that was
// acknowledged before that. It gives the highest number of each kind.
func (s *soak) compareRestored(ctx context.Context, b *backup, dir string) (
	highest map[string]int, err error,
) {
	restored, err := openCopy(ctx, dataFile(dir))
	if err != nil {
		return nil, err
	}
	defer func() { err = joinClose(err, restored) }()
	before, err := openCopy(ctx, b.path)
	if err != nil {
		return nil, err
	}
	defer func() { err = joinClose(err, before) }()
	wanted, err := before.numbers(ctx, "sizes")
	if err != nil {
		return nil, err
	}
	got, err := restored.numbers(ctx, "sizes")
	if err != nil {
		return nil, err
	}
	for table, count := range wanted {
		if got[table] != count {
			s.report("backup", fmt.Errorf(
				"the table %s has %d rows in the backup of %s, and %d restored", table, count,
				b.began.Format(clock), got[table],
			))
		}
	}
	found, err := restored.violations(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range found {
		s.report("backup",
			fmt.Errorf("the backup of %s breaks %s: %s", b.began.Format(clock), v.promise, v.text))
	}
	facts, err := restored.facts(ctx)
	if err != nil {
		return nil, err
	}
	for name, wanted := range s.model.sure(b.began, "code", "redemption", "coupon", "recipient",
		"key", "import") {
		got, isThere := facts.things[name]
		if !isThere {
			got.state = gone
		}
		if got.state != wanted {
			s.report("backup", fmt.Errorf("%s was %s before the backup of %s, and is %s restored",
				name, wanted, b.began.Format(clock), got.state))
		}
	}
	return restored.numbers(ctx, "highest")
}

// checkNumbers starts a server on a restored database, and wants what is made new to have numbers
// that nothing has.
func (s *soak) checkNumbers(ctx context.Context, dir string, highest map[string]int) error {
	server, err := startServer(ctx, s.options.binary, dir, "", s.key)
	if err != nil {
		s.report("backup", fmt.Errorf("a restored database does not start: %w", err))
		return nil
	}
	defer server.kill()
	var made struct {
		Coupon   struct{ Coupon struct{ ID string } }
		Delivery struct{ Delivery struct{ ID string } }
		Upload   struct{ Upload struct{ ID string } }
		Key      struct {
			APIKey struct{ ID string }
		}
		Export     struct{ Export struct{ ID string } }
		Recipients struct{ Recipients []struct{ ID string } }
	}
	err = server.client.Do(ctx, `mutation {
		coupon: createCoupon(input: {label: "New", type: INDIVIDUAL, startsAt: "2020-01-01"}) {
			coupon { id } userErrors { message } }
		delivery: createDelivery(input: {label: "New", body: "New"}) { delivery { id } userErrors {
			message } }
		upload: createUpload(input: {fileName: "new.csv"}) { upload { id } userErrors { message } }
		key: createApiKey(input: {label: "New", role: ANALYST}) { apiKey { id } userErrors { message
			} }
		export: exportRedemptions(input: {}) { export { id } userErrors { message } }
		recipients: upsertRecipients(input: {recipients: [{externalId: "new"}]}) { recipients { id }
			userErrors { message } }
	}`, nil, &made)
	if err != nil {
		s.report("backup", fmt.Errorf("a restored database refuses work: %w", err))
		return nil
	}
	ids := []string{
		made.Coupon.Coupon.ID,
		made.Delivery.Delivery.ID,
		made.Upload.Upload.ID,
		made.Key.APIKey.ID,
		made.Export.Export.ID,
		made.Recipients.Recipients[0].ID,
	}
	compareNumbers(ids, highest, s.report)
	return nil
}

// compareNumbers wants each id to be above the highest number of its kind.
func compareNumbers(ids []string, highest map[string]int, report func(string, error)) {
	for _, id := range ids {
		kind, digits, _ := strings.Cut(id, "_")
		number, err := strconv.Atoi(digits)
		if most, isKnown := highest[kind]; err != nil || !isKnown || number <= most {
			report("P1",
				fmt.Errorf("a restored database gives out %s, and has numbers up to %d", id, most))
		}
	}
}
