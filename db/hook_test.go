package db

import (
	"context"
	"database/sql"
	"testing"

	"couponql/coupon"
)

// Exec runs a statement, past every rule.
func (s *Store) Exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := s.db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// ExecOn runs a statement on a file that nobody has open.
func ExecOn(t *testing.T, path, statement string) {
	t.Helper()
	database, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := database.ExecContext(t.Context(), statement); err != nil {
		t.Error(err)
	}
	if err := database.Close(); err != nil {
		t.Error(err)
	}
}

// Schema gives what the database consists of.
func (s *Store) Schema(t *testing.T) string {
	t.Helper()
	return schemaOf(t, s)
}

// Texts gives the rows of a statement with one column.
func (s *Store) Texts(t *testing.T, statement string) []string {
	t.Helper()
	rows, err := collect(t.Context(), s, statement, scanInto[string])
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// ConfirmWith is ConfirmDelivery that calls meanwhile each time when everything was decided and nothing is committed yet.
func (s *Store) ConfirmWith(ctx context.Context, id coupon.ID, check coupon.ContentCheck, meanwhile func()) (*coupon.Delivery, error) {
	return s.prepareDelivery(ctx, id, hooked(s.confirmation(check), meanwhile))
}

// AnalyzeWith is AnalyzeDelivery with the same hook.
func (s *Store) AnalyzeWith(ctx context.Context, id coupon.ID, check coupon.ContentCheck, meanwhile func()) (*coupon.Delivery, error) {
	return s.prepareDelivery(ctx, id, hooked(s.analysis(check, &coupon.UserErrors{}), meanwhile))
}

func hooked(p *preparation, meanwhile func()) *preparation {
	prepare := p.prepare
	p.prepare = func(ctx context.Context, t *tx, number int64, d *coupon.Delivery) error {
		err := prepare(ctx, t, number, d)
		if err == nil {
			meanwhile()
		}
		return err
	}
	return p
}
