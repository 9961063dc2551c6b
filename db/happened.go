package db

import (
	"context"
	"database/sql"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// readMissed reads all of the pages of codes about which the rows were asked often enough, and
// reports whether it read any: then memory knows what happened to their codes.
func (s *Store) readMissed(ctx context.Context, numbers []int64) (hasRead bool, err error) {
	for _, reading := range s.memory.Miss(numbers) {
		// Each one that was begun is ended.
		if err == nil {
			err = s.readHappened(ctx, reading)
			hasRead = true
		}
		s.memory.TakeOver(reading, err == nil)
	}
	return hasRead, err
}

// readHappened reads what happened to the codes of a page: which message holds each, when that was
// sent, and when the code was redeemed.
func (s *Store) readHappened(ctx context.Context, reading *memory.HappenedReading) error {
	holders := s.memory.Holders(reading)
	codes := map[int64]int64{}
	var messages []int64
	first, last := named("first", reading.First), named("last", reading.Last)
	err := duckdb.Each(ctx, s.engine.Planned(), happenedHeld, func(rows *sql.Rows) error {
		var code, message, delivery, recipient int64
		err := rows.Scan(&code, &message, &delivery, &recipient)
		if err == nil && holders[code-reading.First] == delivery {
			reading.Held(code, message, recipient)
			codes[message] = code
			messages = append(messages, message)
		}
		return err
	}, first, last)
	if err != nil {
		return err
	}
	err = s.readPoints(ctx, codeSent, "message_id", messages, func(rows *sql.Rows) error {
		var message int64
		var outcome coupon.MessageStatus
		var at time.Time
		err := rows.Scan(&message, &outcome, &at)
		if code, isHeld := codes[message]; isHeld && outcome == coupon.MessageSent {
			reading.Sent(code, at)
		}
		return err
	})
	if err != nil {
		return err
	}
	return duckdb.Each(ctx, s.engine.Planned(), happenedRedeemed, func(rows *sql.Rows) error {
		var code, redemption int64
		var at time.Time
		err := rows.Scan(&code, &redemption, &at)
		if err == nil {
			reading.Redeemed(code, redemption, at)
		}
		return err
	}, first, last)
}

// checkHappened compares what memory keeps of what happened to codes with the rows, and keeps what
// these say.
func (s *Store) checkHappened(ctx context.Context) (*coupon.IntegrityCheck, error) {
	check := &coupon.IntegrityCheck{
		Name:        "happened",
		Description: "P4: what memory keeps of what happened to codes is what the rows say",
		Examples:    []string{},
	}
	err := s.memory.EachKnown(func(reading *memory.HappenedReading) error {
		err := s.readHappened(ctx, reading)
		for _, number := range s.memory.TakeOver(reading, err == nil) {
			if check.Violations++; len(check.Examples) < maxExamples {
				check.Examples = append(check.Examples,
					string(coupon.NewID(coupon.KindCode, number)))
			}
		}
		return err
	})
	return check, err
}
