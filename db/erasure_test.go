package db_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
	"couponql/db"
)

// traces are texts that are known of the person who is erased, and of nobody else.
func traces() []string {
	return []string{"zelda.4711", "+49 170 998877", "Zeldarine", "Quixotesse", "violet-hatter", "Zk-4711"}
}

// zelda adds that person, with everything that can be known of one.
func (s *scene) zelda(t *testing.T) coupon.ID {
	t.Helper()
	kept, err := s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{
		ExternalID: "Zk-4711", Email: coupon.Set(new("zelda.4711@example.org")), Phone: coupon.Set(new("+49 170 998877")),
		FirstName: coupon.Set(new("Zeldarine")), LastName: coupon.Set(new("Quixotesse")), Attributes: coupon.Set(new(coupon.JSON(`{"hobby":"violet-hatter"}`))),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return kept[0].ID
}

// telling is a check of templates that use all that is known of a recipient.
func telling(*coupon.Delivery, *coupon.Coupon) coupon.ContentFindings {
	return coupon.ContentFindings{Uses: coupon.RecipientFields{ExternalID: true, Email: true, Phone: true, FirstName: true, LastName: true, Attributes: true}}
}

// confirmTelling confirms a delivery whose messages copy all that is known.
func (s *scene) confirmTelling(t *testing.T, id coupon.ID) {
	t.Helper()
	if d, _, err := s.AnalyzeDelivery(t.Context(), id, telling); err != nil || d.Status != coupon.DeliveryReady {
		t.Fatalf("%+v, %v", d, err)
	}
	if _, err := s.ConfirmDelivery(t.Context(), id, telling); err != nil {
		t.Fatal(err)
	}
}

// found returns which of the traces are in the rows of any table.
func (s *scene) found(t *testing.T) []string {
	t.Helper()
	var found []string
	for table, rows := range s.rowsOf(t) {
		for _, trace := range traces() {
			if strings.Contains(strings.ToLower(strings.Join(rows, "\n")), strings.ToLower(trace)) {
				found = append(found, table+" "+trace)
			}
		}
	}
	slices.Sort(found)
	return found
}

// foundInFiles returns which of the traces are in the bytes of the database and its files.
func foundInFiles(t *testing.T, path string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Dir(path), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		for _, trace := range traces() {
			if bytes.Contains(content, []byte(trace)) {
				found = append(found, filepath.Base(name)+" "+trace)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (s *scene) erase(t *testing.T, want coupon.Erasure, ids []coupon.ID, externalIDs ...string) {
	t.Helper()
	got, err := s.EraseRecipients(t.Context(), ids, externalIDs)
	if err != nil || *got != want {
		t.Errorf("erased %+v, %v; want %+v", got, err, want)
	}
}

// TestErase erases somebody who got messages, one of which failed, redeemed a code and was rejected by imports: nothing
// is left of the person in any row, and no number changes.
func TestErase(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("C", 20)...)
	zelda, others := s.zelda(t), s.recipients(t, 2)
	all := append([]coupon.ID{zelda}, others...)
	sent := s.newDelivery(t, c, all)
	s.confirmTelling(t, sent)
	s.send(t, sent)
	failing := s.newDelivery(t, c, all)
	s.confirmTelling(t, failing)
	batch, err := s.NextBatch(t.Context(), failing, 10)
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Record(t.Context(), &db.SentBatch{
		Failed: batch.Contents, Failures: []string{"550 zelda.4711@example.org: unknown", "550 other", "550 third"},
	}); err != nil {
		t.Fatal(err)
	}
	messages, err := s.MessagesByID(t.Context(), []coupon.ID{"message_1"})
	if err != nil {
		t.Fatal(err)
	}
	codes, err := s.CodesByID(t.Context(), []coupon.ID{*messages["message_1"].CodeID}, coupon.AnyState)
	if err != nil {
		t.Fatal(err)
	}
	value := codes[*messages["message_1"].CodeID].Value
	s.redeem(t, value)
	s.importFile(t, newImport(coupon.ImportRecipients), "id,email\nx1,a@example.org\nZk-4711,b@example.org\nZk-4711,c@example.org\n")
	target := s.newDelivery(t, "", nil)
	s.importFile(t, newImport(coupon.ImportTargets, into(target)), "id\nzelda.4711@example.org\nZk-4711\nnobody\n")
	// The first row of a file was taken for its header, an analysis found too few codes for what an attribute says, and a file had no
	// column for the ids.
	s.importFile(t, newImport(coupon.ImportCodes, into(c)), "code,zelda.4711@example.org,Zk-4711\nC99,y,z\n")
	if failed := s.importFile(
		t,
		newImport(coupon.ImportRecipients),
		"zelda.4711@example.org;Zk-4711;x\na@example.org;b;c\n",
	); failed.Status != coupon.ImportFailed {
		t.Errorf("got %+v", failed)
	}
	short := s.newDelivery(t, c, all, func(d *coupon.DeliveryChanges) { d.MatchLabelTo = coupon.Set(new("hobby")) })
	if a := s.analyze(t, short, coupon.DeliveryEditing); len(a.ShortByLabel) != 1 || a.ShortByLabel[0].Label != "violet-hatter" {
		t.Errorf("got %+v", a)
	}
	if got := s.found(t); len(got) < 10 {
		t.Fatalf("only %v is known", got)
	}
	before := s.counted(t, c, sent, failing, target)

	s.erase(t, coupon.Erasure{ErasedCount: 1}, []coupon.ID{zelda}, "Zk-4711")
	if got := s.found(t); len(got) > 0 {
		t.Errorf("left of the person: %v", got)
	}
	if diff := cmp.Diff(before, s.counted(t, c, sent, failing, target)); diff != "" {
		t.Errorf("numbers (-before +after):\n%s", diff)
	}
	found, err := s.RecipientsByID(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	r := found[zelda]
	if r.ErasedAt == nil || r.IsContactable || r.Email != nil || r.Phone != nil || r.FirstName != nil || r.Attributes != coupon.EmptyJSON ||
		!strings.HasPrefix(r.ExternalID, "erased-") {
		t.Errorf("got %+v", r)
	}
	if other := found[others[0]]; other.ErasedAt != nil || other.Email == nil {
		t.Errorf("another person is %+v", other)
	}
	if code := s.code(t, value); code.Status != coupon.CodeRedeemed || *code.RecipientID != zelda {
		t.Errorf("the code is %+v", code)
	}
	// Repeating it is harmless, by whichever id; what was erased is not known any more.
	s.erase(t, coupon.Erasure{}, []coupon.ID{zelda, zelda}, "Zk-4711", "nobody")
	// Nothing can be sent to the person, nor be known again.
	_, _, err = s.ResendContent(t.Context(), "message_1")
	wantError(t, err, coupon.ErrorInvalidState, "input.id")
	_, err = s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{ExternalID: r.ExternalID, Email: coupon.Set(new("z@example.org"))}})
	wantError(t, err, coupon.ErrorInvalid, "input.recipients.0.externalId")
	again := s.newDelivery(t, c, all)
	if a := s.analyze(t, again, coupon.DeliveryReady); a.MessageCount != 2 {
		t.Errorf("the next delivery has %d messages", a.MessageCount)
	}
	// Somebody who comes with the same id is somebody new.
	if back := s.zelda(t); back == zelda {
		t.Error("the person is back under the old number")
	}
	s.checkSound(t)
}

// counted returns the numbers that must not change by an erasure.
func (s *scene) counted(t *testing.T, c coupon.ID, deliveries ...coupon.ID) []string {
	t.Helper()
	lines := []string{fmt.Sprintf("%+v", s.availability(t, c))}
	for _, id := range deliveries {
		lines = append(lines, fmt.Sprintf("%+v %d", s.delivery(t, id).Counts, s.delivery(t, id).TargetCount))
	}
	stats, err := s.RedemptionStats(t.Context(), &coupon.StatsQuestion{
		Timezone: "UTC", Limit: 100, Measures: coupon.AllStatsMeasures(), GroupBy: []coupon.StatsDimension{coupon.ByDelivery},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range stats {
		lines = append(lines, fmt.Sprintf("%v %d %d %d", group.Keys, group.Stats.Assigned, group.Stats.Sent, group.Stats.Redeemed))
	}
	return append(lines, s.Texts(t, "SELECT concat_ws(' ', import_id, line, reason) FROM rejection ORDER BY ALL")...)
}

// TestEraseToBeSent erases somebody to whom deliveries in every state are still to send: they go on without the person.
func TestEraseToBeSent(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("C", 20)...)
	all := append([]coupon.ID{s.zelda(t)}, s.recipients(t, 1)...)
	scheduled := s.newDelivery(t, c, all, func(d *coupon.DeliveryChanges) {
		d.ContactAt = coupon.Set(new(coupon.DateTime("2026-11-24T12:00:00Z")))
	})
	running, paused, plain, tried, ready := s.newDelivery(t, c, all), s.newDelivery(t, c, all), s.newDelivery(t, "", all),
		s.newDelivery(t, c, all), s.newDelivery(t, c, all)
	for _, id := range []coupon.ID{scheduled, running, paused, plain, tried} {
		s.confirmTelling(t, id)
	}
	if _, err := s.PauseDelivery(t.Context(), paused); err != nil {
		t.Fatal(err)
	}
	s.analyze(t, ready, coupon.DeliveryReady)
	// Nobody knows whether the person has this one: it was handed over, and then the server died.
	batch, err := s.NextBatch(t.Context(), tried, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Begin(t.Context(), batch.Contents); err != nil {
		t.Fatal(err)
	}
	batch.Release()

	s.erase(t, coupon.Erasure{ErasedCount: 1, CanceledMessageCount: 4}, all[:1])
	if got := s.found(t); len(got) > 0 {
		t.Errorf("left of the person: %v", got)
	}
	for _, id := range []coupon.ID{scheduled, running, paused, plain} {
		if counts := s.delivery(t, id).Counts; counts.Canceled != 1 || counts.Pending != 1 {
			t.Errorf("%s: %+v", id, counts)
		}
	}
	if counts := s.delivery(t, tried).Counts; counts.Unknown != 1 || counts.Pending != 1 {
		t.Errorf("%s: %+v", tried, counts)
	}
	// Of five deliveries four have codes; three codes of the person are free again, and the fourth may be known.
	s.wantAvailability(t, c, "available 13, held 2, assigned 5")
	_, err = s.ConfirmDelivery(t.Context(), ready, fine)
	wantError(t, err, coupon.ErrorAnalysisStale, "input.id")
	for _, id := range []coupon.ID{running, plain, tried} {
		s.send(t, id)
		if d := s.delivery(t, id); d.Status != coupon.DeliveryFinished || d.Counts.Sent != 1 {
			t.Errorf("%s: %s %+v", id, d.Status, d.Counts)
		}
	}
	s.checkSound(t)
}

// TestEraseWaitsForTheBatch erases somebody whose message is being handed over right now: it is recorded first.
func TestEraseWaitsForTheBatch(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	id := s.newDelivery(t, "", []coupon.ID{s.zelda(t)})
	s.confirmTelling(t, id)
	batch, err := s.NextBatch(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan *coupon.Erasure, 1)
	go func() {
		erasure, err := s.EraseRecipients(t.Context(), nil, []string{"Zk-4711"})
		if err != nil {
			t.Error(err)
		}
		done <- erasure
	}()
	if err := batch.Record(t.Context(), &db.SentBatch{Sent: batch.Contents}); err != nil {
		t.Fatal(err)
	}
	if erasure := <-done; erasure == nil || erasure.ErasedCount != 1 || erasure.CanceledMessageCount != 0 {
		t.Errorf("got %+v", erasure)
	}
	if d := s.delivery(t, id); d.Status != coupon.DeliveryFinished || d.Counts.Sent != 1 {
		t.Errorf("got %s %+v", d.Status, d.Counts)
	}
}

// TestEraseBesideABatch erases two people, the message to one of whom is being handed over: nobody knows yet whether it leaves,
// and the answer says so.
func TestEraseBesideABatch(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	people := s.recipients(t, 2)
	id := s.newDelivery(t, "", people)
	s.confirm(t, id)
	batch, err := s.NextBatch(t.Context(), id, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Begin(t.Context(), batch.Contents); err != nil {
		t.Fatal(err)
	}
	s.erase(t, coupon.Erasure{ErasedCount: 2, CanceledMessageCount: 1, PendingMessageCount: 1}, people)
	if err := batch.Record(t.Context(), &db.SentBatch{Sent: batch.Contents}); err != nil {
		t.Fatal(err)
	}
	if d := s.delivery(t, id); d.Counts.Sent != 1 || d.Counts.Canceled != 1 {
		t.Errorf("got %+v", d.Counts)
	}
	s.checkSound(t)
}

// TestEraseRefuses tells what cannot be asked for; nobody is erased then.
func TestEraseRefuses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	zelda := s.zelda(t)
	for name, test := range map[string]struct {
		ids         []coupon.ID
		externalIDs []string
		code        coupon.ErrorCode
		field       string
	}{
		"nobody":   {nil, nil, coupon.ErrorInvalid, "input"},
		"too many": {[]coupon.ID{zelda}, make([]string, coupon.MaxErasedRecipients), coupon.ErrorInvalid, "input"},
		"unknown":  {[]coupon.ID{zelda, "recipient_99"}, nil, coupon.ErrorNotFound, "input.recipientIds"},
		"no id":    {[]coupon.ID{zelda, "coupon_1"}, nil, coupon.ErrorNotFound, "input.recipientIds"},
	} {
		_, err := s.EraseRecipients(t.Context(), test.ids, test.externalIDs)
		t.Log(name)
		wantError(t, err, test.code, test.field)
	}
	if got := s.found(t); len(got) < 5 {
		t.Errorf("known are %v", got)
	}
}

// TestEraseIdle erases those of whom nothing was heard for long, and nobody else.
func TestEraseIdle(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", numbered("C", 20)...)
	all := s.recipients(t, 5)
	idle, redeeming, written, changed := all[0], all[1], all[2], all[3]
	s.deliver(t, c, []coupon.ID{redeeming, idle})
	s.clock.Advance(48 * time.Hour)
	found, err := s.RecipientCodes(t.Context(), []coupon.ID{redeeming}, coupon.Page{First: 1, WantsItems: true}, coupon.AnyState)
	if err != nil {
		t.Fatal(err)
	}
	s.redeem(t, found[redeeming].Items[0].Value)
	s.deliver(t, c, []coupon.ID{written})
	_, err = s.UpsertRecipients(t.Context(), []*coupon.RecipientChanges{{ExternalID: "r4", FirstName: coupon.Set(new("New"))}})
	if err != nil {
		t.Fatal(err)
	}
	late := s.zelda(t)
	before := s.clock.Now().Add(-24 * time.Hour)
	for want := 2; want >= 0; want -= 2 { // r5 was never heard of since it came
		if got, err := s.EraseIdle(t.Context(), before); err != nil || got != want {
			t.Errorf("erased %d, %v; want %d", got, err, want)
		}
	}
	recipients, err := s.RecipientsByID(t.Context(), append(all, late))
	if err != nil {
		t.Fatal(err)
	}
	for id, isErased := range map[coupon.ID]bool{idle: true, all[4]: true, redeeming: false, written: false, changed: false, late: false} {
		if (recipients[id].ErasedAt != nil) != isErased {
			t.Errorf("%s: %+v", id, recipients[id])
		}
	}
	s.checkSound(t)
}

// TestErasedFile looks for the person in the bytes of the files: they are there while the server goes on, and gone when it
// was started again.
func TestErasedFile(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	c := s.newCoupon(t)
	s.codes(t, c, "", "A", "B")
	zelda := s.zelda(t)
	s.confirmTelling(t, s.newDelivery(t, c, []coupon.ID{zelda}))
	s.send(t, "delivery_1")
	s.reopen(t) // which makes a checkpoint
	if got := foundInFiles(t, s.path); len(got) != len(traces()) {
		t.Fatalf("this test looks for what is not there even before: %v", got)
	}
	if isDone, err := s.Rewritten(); isDone || err != nil {
		t.Errorf("rewritten without a reason: %t, %v", isDone, err)
	}
	s.erase(t, coupon.Erasure{ErasedCount: 1}, []coupon.ID{zelda})
	before := s.rowsOf(t)
	id := s.ID()
	s.reopen(t)
	if got := foundInFiles(t, s.path); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
	if isDone, err := s.Rewritten(); !isDone || err != nil {
		t.Errorf("rewritten: %t, %v", isDone, err)
	}
	if diff := cmp.Diff(before, s.rowsOf(t)); diff != "" || s.ID() != id {
		t.Errorf("rows (-before +after):\n%s", diff)
	}
	s.checkSound(t)
	s.codes(t, c, "", "C")
	s.reopen(t)
	if isDone, err := s.Rewritten(); isDone || err != nil {
		t.Errorf("rewritten without a reason: %t, %v", isDone, err)
	}
	s.code(t, "C")
}
