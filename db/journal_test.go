package db

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// TestJournal tells that redemptions and their entries of the audit log read the same while they are in the journal, after a
// crash that left them there, and when they are posted.
func TestJournal(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	resume := holdPosting(t, s)
	newAnonymousCoupon(t, s)
	ctx := WithAudit(t.Context(), &coupon.AuditEntry{
		At: s.Now(), Caller: "key_1", Role: coupon.RoleRedeemer, Address: "192.0.2.7", Kind: coupon.AuditMutation, Action: "redeemCode",
		Input: `{"value":"\"•••\" <&>"}`, RequestID: "R",
	})
	_, err := s.Redeem(ctx, &coupon.RedeemRequest{
		Value: "ALL", RedeemedAt: new(time.Date(2026, 11, 1, 12, 0, 0, 1000, time.FixedZone("CET", 3600))), Reference: new(`"Ünï", <\u0000> \ 🎟`),
		Amount: new(coupon.Decimal("-12345678901234.5")), Currency: new("EUR"), IdempotencyKey: new("order 1"),
		Store: new(`"Köln", \ <4>`), Customer: new(`k-1 "Ünï" 🎟`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "all"}); err != nil {
		t.Fatal(err)
	}
	wantRows(t, s, 2, 0)
	redemptions, entries := recordedIn(t, s)
	if got := redemptions[1]; len(redemptions) != 2 || *got.Reference != `"Ünï", <\u0000> \ 🎟` || *got.Amount != "-12345678901234.50" ||
		!got.RedeemedAt.Equal(time.Date(2026, 11, 1, 11, 0, 0, 1000, time.UTC)) ||
		*got.Store != `"Köln", \ <4>` || *got.Customer != `k-1 "Ünï" 🎟` {
		t.Errorf("got %+v, reference %q, amount %q", got, *got.Reference, *got.Amount)
	}
	if len(entries) != 1 || entries[0].Outcome != coupon.AuditDone || entries[0].Input != `{"value":"\"•••\" <&>"}` {
		t.Errorf("got %+v", entries)
	}

	crashed := openCopy(t, s)
	resume()
	for name, s := range map[string]*Store{"after a crash": crashed, "when they are posted": s} {
		waitPosted(t, s)
		wantRows(t, s, 0, 2)
		again, entriesAgain := recordedIn(t, s)
		if diff := cmp.Diff(redemptions, again); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(entries, entriesAgain); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		checkReport(t, s)
		repeated, err := s.Redeem(t.Context(), &coupon.RedeemRequest{
			Value:          "ALL",
			Reference:      redemptions[1].Reference,
			Amount:         new(coupon.Decimal("-12345678901234.5")),
			Currency:       new("EUR"),
			IdempotencyKey: new("order 1"),
			Store:          new(`"Köln", \ <4>`),
			Customer:       new(`k-1 "Ünï" 🎟`),
		})
		if err != nil || repeated.ID != redemptions[1].ID {
			t.Errorf("%s: the same key gives %v, %v", name, repeated, err)
		}
		next, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "ALL"})
		if err != nil || next.ID != "redemption_3" {
			t.Errorf("%s: the next redemption is %v, %v", name, next, err)
		}
	}
}

// TestEraseJournaled: a customer is erased from redemptions that are still in the journal, which are
// posted then, each once, while others redeem and the journal is posted.
func TestEraseJournaled(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	newAnonymousCoupon(t, s)
	request := func() *coupon.RedeemRequest { return &coupon.RedeemRequest{Value: "ALL", Customer: new("k-1")} }
	resume := holdPosting(t, s)
	if _, err := s.Redeem(t.Context(), request()); err != nil {
		t.Fatal(err)
	}
	wantRows(t, s, 1, 0)
	got, err := s.EraseRecipients(t.Context(), nil, nil, "k-1")
	if want := (coupon.Erasure{ChangedRedemptionCount: 1}); err != nil || *got != want {
		t.Errorf("erased %+v, %v; want %+v", got, err, want)
	}
	wantRows(t, s, 0, 1)
	resume()
	const callers, each = 8, 25
	var together sync.WaitGroup
	for range callers {
		together.Go(func() {
			for range each {
				if _, err := s.Redeem(t.Context(), request()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	erased := 0
	for range 20 {
		got, err := s.EraseRecipients(t.Context(), nil, nil, "k-1")
		if err != nil {
			t.Fatal(err)
		}
		erased += got.ChangedRedemptionCount
	}
	together.Wait()
	last, err := s.EraseRecipients(t.Context(), nil, nil, "k-1")
	if err != nil || erased+last.ChangedRedemptionCount != callers*each {
		t.Errorf("erased %d and %+v of %d, %v", erased, last, callers*each, err)
	}
	waitPosted(t, s)
	wantRows(t, s, 0, callers*each+1)
	if left := countRows(t, s, "redemption WHERE customer IS NOT NULL"); left > 0 {
		t.Errorf("%d redemptions have a customer", left)
	}
	checkReport(t, s)
}

// TestJournalIsPostedOnClose tells that a database that was closed has nothing in its journal.
func TestJournalIsPostedOnClose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	s, err := Open(t.Context(), Options{Path: path, MemoryLimit: "1GB"})
	if err != nil {
		t.Fatal(err)
	}
	newAnonymousCoupon(t, s)
	if _, err := s.Redeem(t.Context(), &coupon.RedeemRequest{Value: "ALL"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	closed, err := sql.Open("duckdb", path+"?access_mode=read_only")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closed.Close(); err != nil {
			t.Error(err)
		}
	}()
	var journaled, posted int
	err = closed.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM posted_redemption)").Scan(&journaled, &posted)
	if err != nil || journaled != 0 || posted != 1 {
		t.Errorf("%d are in the journal and %d posted: %v", journaled, posted, err)
	}
}

// TestMuchIsPostedAtOnce tells that a journal that is long asks to be posted, and that what is posted does not count any more.
func TestMuchIsPostedAtOnce(t *testing.T) {
	t.Parallel()
	j := &journal{written: make(chan struct{}, 1), isLong: make(chan struct{}, 1)}
	j.add(postRows - 1)
	if len(j.written) != 1 || len(j.isLong) != 0 {
		t.Errorf("of %d rows it is told %d times that there are some, and %d times that they are many", postRows-1, len(j.written), len(j.isLong))
	}
	j.add(1)
	j.add(1)
	if len(j.isLong) != 1 {
		t.Errorf("of %d rows it is told %d times that they are many", postRows+1, len(j.isLong))
	}

	s := openTemp(t)
	newAnonymousCoupon(t, s)
	requests := make([]*coupon.RedeemRequest, postRows)
	for i := range requests {
		requests[i] = &coupon.RedeemRequest{Value: "ALL"}
	}
	if _, err := s.RedeemAll(t.Context(), requests); err != nil {
		t.Fatal(err)
	}
	waitPosted(t, s)
	wantRows(t, s, 0, postRows)
	waitFor(t, "what is posted counts no more", func() bool { return s.writer.journal.rows.Load() == 0 })
}

// TestRefusedBesideOthers tells that a request that is refused has no entry in the audit log that says DONE when it shares
// its turn with one that is not.
func TestRefusedBesideOthers(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	newAnonymousCoupon(t, s)
	release := holdWriter(t, s)
	done := make(chan error)
	for _, value := range []string{"ALL", "NOBODY"} {
		ctx := WithAudit(context.WithoutCancel(t.Context()), &coupon.AuditEntry{
			At: s.Now(), Kind: coupon.AuditMutation, Action: "redeemCode of " + value, Input: coupon.EmptyJSON,
		})
		go func() {
			_, err := s.RedeemAll(ctx, []*coupon.RedeemRequest{{Value: value}})
			done <- err
		}()
	}
	waitFor(t, "both redemptions wait", func() bool { return joinsOf(s) >= 2 })
	release()
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if _, entries := recordedIn(t, s); len(entries) != 1 || entries[0].Action != "redeemCode of ALL" {
		t.Errorf("got %+v", entries)
	}
}

func newAnonymousCoupon(t *testing.T, s *Store) {
	t.Helper()
	_, err := s.CreateCoupon(t.Context(), &coupon.CouponChanges{
		Type: coupon.TypeAnonymous, Label: coupon.Set(new("c")), Code: coupon.Set(new("ALL")), StartsAt: coupon.Set(new(coupon.DateTime("2020-01-01"))),
		RedemptionLimit: coupon.Set[int](nil),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// holdPosting has posting fail until resume is called, as it does while the disk is full: no transaction can begin while
// there is one.
func holdPosting(t *testing.T, s *Store) (resume func()) {
	t.Helper()
	waitPosted(t, s)
	held, err := s.writer.journal.posting.BeginTx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := held.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// waitPosted waits until nothing is in the journal.
func waitPosted(t *testing.T, s *Store) {
	t.Helper()
	waitFor(t, "the journal is posted", func() bool { return countRows(t, s, "journal") == 0 })
}

// waitFor waits until something holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after 20 s: %s", what)
		}
	}
}

// wantRows checks where the redemptions are.
func wantRows(t *testing.T, s *Store, journaled, posted int) {
	t.Helper()
	got := []int{countRows(t, s, "redemption WHERE is_journaled"), countRows(t, s, "posted_redemption")}
	if want := []int{journaled, posted}; !cmp.Equal(got, want) {
		t.Errorf("in the journal and posted are %v redemptions, want %v", got, want)
	}
}

func countRows(t *testing.T, s *Store, from string) int {
	t.Helper()
	count, err := duckdb.One[int](t.Context(), s.engine, "SELECT count(*) FROM "+from)
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// recordedIn returns all redemptions and entries of the audit log that are about them, newest first.
func recordedIn(t *testing.T, s *Store) ([]*coupon.Redemption, []*coupon.AuditEntry) {
	t.Helper()
	page := coupon.Page{First: 100, WantsItems: true}
	redemptions, err := s.Redemptions(t.Context(), nil, page)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := s.AuditLog(t.Context(), nil, page)
	if err != nil {
		t.Fatal(err)
	}
	return redemptions.Items, entries.Items
}

// openCopy opens a copy of the files of a database, as they are if its process ends at once.
func openCopy(t *testing.T, s *Store) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(s.options.Path))
	for _, suffix := range []string{"", duckdb.LogSuffix} {
		copyFile(t, s.options.Path+suffix, path+suffix)
	}
	return openAt(t, path)
}
