package db

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// TestEarlierMessages: messages of a version that kept addresses as they were given are judged,
// sent and counted after an upgrade like those of this version, whatever they were spelled like.
func TestEarlierMessages(t *testing.T) {
	t.Parallel()
	names, err := migrationNames()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "couponql.duckdb")
	earlier := openEarlier(t, path, names[:slices.Index(names, "0013_delivery.sql")])
	for _, statement := range []string{
		"INSERT INTO setting VALUES ('case_sensitive_codes', 'false')",
		"UPDATE number SET given = 2 WHERE kind = 'delivery'",
		`INSERT INTO recipient (id, external_id, email, phone, attributes, is_contactable, updated_at) VALUES
			(1, 'r1', 'info@Bücher.example', NULL, '{}', true, now()::TIMESTAMP),
				(2, 'r2', 'anna@bücher.example', NULL, '{}', true, now()::TIMESTAMP),
			(3, 'r3', 'plain@example.org', '0170 1234567', '{}', true, now()::TIMESTAMP),
			(4, 'r4', NULL, '0664/1234567', '{"country": "AT"}', true, now()::TIMESTAMP)`,
		`INSERT INTO delivery (id, label, channel, subject, body, status, target_count, first_message_id, message_count, sent_count,
			failed_count, canceled_count, outbox_size, created_at, confirmed_at) VALUES
			(1, 'mail', 'EMAIL', 's', 'b', 'IN_PROGRESS', 0, 1, 3, 1, 0, 0, 0, now()::TIMESTAMP,
				now()::TIMESTAMP),
			(2, 'text', 'SMS', NULL, 'b', 'IN_PROGRESS', 0, 4, 2, 0, 0, 0, 0, now()::TIMESTAMP,
				now()::TIMESTAMP)`,
		`INSERT INTO message (id, delivery_id, recipient_id, address, created_at)
			SELECT row_number() OVER (ORDER BY place), delivery_id, recipient_id, address,
				now()::TIMESTAMP FROM (VALUES
				(1, 1, 1, 'info@Bücher.example'), (2, 1, 2, 'anna@bücher.example'), (3, 1, 3,
					'plain@example.org'),
				(4, 2, 3, '0170 1234567'), (5, 2, 4, '0664/1234567')) given (place, delivery_id,
					recipient_id, address)`,
		"INSERT INTO sending (message_id, delivery_id, outcome, settled_at) VALUES (1, 1, 'SENT', now()::TIMESTAMP)",
	} {
		if err := earlier.engine.Exec(t.Context(), statement); err != nil {
			t.Fatal(statement, err)
		}
	}
	if err := earlier.engine.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{
		Path: path, MemoryLimit: "1GB", DefaultRegion: "DE",
		SoftBounceLimit: coupon.DefaultSoftBounceLimit,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	got, err := duckdb.One[string](t.Context(), s.engine,
		"SELECT string_agg(address, ', ' ORDER BY id) FROM message")
	if want := "info@xn--bcher-kva.example, anna@xn--bcher-kva.example, plain@example.org, +491701234567, +436641234567"; err != nil || got != want {
		t.Errorf("messages go to %s, %v; want %s", got, err, want)
	}
	// One that was sent before the upgrade comes back after it: its owner is not written to any
	// more.
	record, err := s.RecordBounces(t.Context(), []*coupon.BounceInput{
		{MessageID: new(coupon.ID("message_1")), Kind: coupon.BounceHard},
		{Address: new("Anna@BÜCHER.example"), Kind: coupon.BounceHard},
		{Address: new("+43 664 1234567"), Channel: new(coupon.ChannelSMS), Kind: coupon.BounceHard},
	})
	if err != nil || record.QuarantinedCount != 3 {
		t.Fatalf("recorded %+v, %v", record, err)
	}
	quarantined, err := s.QuarantineOf(t.Context(),
		[]coupon.ID{"recipient_1", "recipient_2", "recipient_3", "recipient_4"})
	if err != nil || len(quarantined) != 3 || len(quarantined["recipient_3"]) != 0 {
		t.Errorf("in quarantine: %v, %v", quarantined, err)
	}
	for id, want := range map[coupon.ID]coupon.MessageCounts{
		"delivery_1": {Sent: 2, Canceled: 1, Total: 3},
		"delivery_2": {Sent: 1, Canceled: 1, Total: 2},
	} {
		batch, err := s.NextBatch(t.Context(), id, 10)
		if err != nil {
			t.Fatal(err)
		}
		outcome := &SentBatch{OutboxSize: batch.OutboxSize}
		for _, content := range batch.Contents {
			may, never, err := batch.MayLeave(t.Context(), &content)
			switch {
			case err != nil:
				t.Fatal(err)
			case may:
				outcome.Sent = append(outcome.Sent, content)
			case never != coupon.CancelQuarantined:
				t.Errorf("%s is kept back for %q", content.Address, never)
			default:
				outcome.Withheld = append(outcome.Withheld, content)
			}
		}
		if err := batch.Record(t.Context(), outcome); err != nil {
			t.Fatal(err)
		}
		known, err := s.DeliveriesByID(t.Context(), []coupon.ID{id})
		if err != nil {
			t.Fatal(err)
		}
		if d := known[id]; d.Counts != want || d.Status != coupon.DeliveryFinished {
			t.Errorf("%s is %s with %+v, want %+v", id, d.Status, d.Counts, want)
		}
	}
	report, err := s.IntegrityReport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range report.Checks {
		if check.Violations > 0 {
			t.Errorf("%s: %s", check.Name, strings.Join(check.Examples, "; "))
		}
	}
}
