package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"sync"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// strangers are people who are not known yet and wait to be added: all who came while others were
// added are added together.
type strangers struct {
	mu      sync.Mutex
	waiting []*stranger
	// isBusy: somebody adds those who wait.
	isBusy bool
}

// stranger is one request to add people.
type stranger struct {
	people  []*coupon.RecipientChanges
	numbers []int64
	done    chan error
}

// findPeople returns the numbers of recipients by the caller's own ids, 0 for who is not known.
func (s *Store) findPeople(ctx context.Context, externalIDs []string) ([]int64, error) {
	numbers, first, next := s.memory.FindPeople(externalIDs)
	if first == next {
		return numbers, nil
	}
	leave, err := s.holders.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if numbers, first, next = s.memory.FindPeople(externalIDs); first == next {
		return numbers, nil
	}
	const batch = 1 << 20
	for ; first < next; first += batch {
		until := min(next, first+batch)
		read, err := duckdb.Collect(ctx, s.engine, personSince,
			func(rows *sql.Rows) (memory.Person, error) {
				var p memory.Person
				err := rows.Scan(&p.Number, &p.ExternalID)
				return p, err
			}, named("from", first), named("to", until))
		if err != nil {
			return nil, err
		}
		s.memory.AddPeople(read, until)
	}
	numbers, _, _ = s.memory.FindPeople(externalIDs)
	return numbers, nil
}

// addPeople adds people who are not known, and returns their numbers. Who comes to be known
// meanwhile is not changed. Who asks together with others shares their step to the disk.
func (s *Store) addPeople(ctx context.Context, people []*coupon.RecipientChanges) (
	[]int64, error,
) {
	mine := &stranger{people: people, done: make(chan error, 1)}
	w := &s.strangers
	w.mu.Lock()
	w.waiting = append(w.waiting, mine)
	begins := !w.isBusy
	w.isBusy = true
	w.mu.Unlock()
	if begins {
		// The entry of the audit log goes with the claim.
		ctx := context.WithValue(context.WithoutCancel(ctx), auditKey{}, nil)
		s.background(func() error {
			ctx, leave := s.within(ctx)
			defer leave()
			s.addStrangers(ctx)
			return nil
		})
	}
	select {
	case err := <-mine.done:
		return mine.numbers, err
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for people to be added: %w", context.Cause(ctx))
	}
}

// addStrangers adds those who wait, until nobody does.
func (s *Store) addStrangers(ctx context.Context) {
	for {
		// Imports and erasures of recipients come before or after.
		leave, err := s.recipients.Enter(ctx)
		w := &s.strangers
		w.mu.Lock()
		together := w.waiting
		w.waiting = nil
		if len(together) == 0 {
			w.isBusy = false
		}
		w.mu.Unlock()
		if err == nil && len(together) > 0 {
			err = s.addTogether(ctx, together)
		}
		if leave != nil {
			leave()
		}
		for _, one := range together {
			one.done <- err
		}
		if len(together) == 0 {
			return
		}
	}
}

// personRow is a person as person_insert.sql reads it.
type personRow struct {
	ID            int64   `json:"id"`
	ExternalID    string  `json:"externalId"`
	Email         *string `json:"email,omitempty"`
	EmailAddress  *string `json:"emailAddress,omitempty"`
	Phone         *string `json:"phone,omitempty"`
	PhoneAddress  *string `json:"phoneAddress,omitempty"`
	FirstName     *string `json:"firstName,omitempty"`
	LastName      *string `json:"lastName,omitempty"`
	Attributes    string  `json:"attributes"`
	IsContactable bool    `json:"isContactable"`
}

// addTogether adds all people of requests. The caller is in the lane of recipients, so that nobody
// else adds any.
func (s *Store) addTogether(ctx context.Context, together []*stranger) error {
	var ids []string
	for _, one := range together {
		for _, person := range one.people {
			ids = append(ids, person.ExternalID)
		}
	}
	numbers, err := s.findPeople(ctx, ids)
	if err != nil {
		return err
	}
	first := s.memory.NextRecipient()
	var rows []*personRow
	var added []memory.Person
	known := map[string]int64{}
	place := 0
	for _, one := range together {
		for _, person := range one.people {
			number := numbers[place]
			if number == 0 {
				number = known[person.ExternalID]
			}
			if number == 0 {
				if number = first + int64(len(rows)); number > memory.MaxRecipient {
					return fmt.Errorf("add people: the number of a recipient is above %d",
						memory.MaxRecipient)
				}
				known[person.ExternalID] = number
				rows = append(rows, s.personRow(number, person))
				added = append(added, memory.Person{Number: number, ExternalID: person.ExternalID})
			}
			one.numbers = append(one.numbers, number)
			place++
		}
	}
	if len(rows) == 0 {
		return nil
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("write people: %w", err)
	}
	err = s.update(ctx, func(ctx context.Context, t *turn) error {
		if _, err := t.Exec(ctx, personInsert, named("people", string(text)),
			named("now", t.now)); err != nil {
			return err
		}
		t.change(func(c memory.Change) { c.AddRecipients(len(rows)) })
		return nil
	})
	if err != nil {
		return err
	}
	s.memory.AddPeople(added, first+int64(len(rows)))
	return nil
}

// personRow returns the row of somebody new, as recipientRows.put spools it.
func (s *Store) personRow(number int64, p *coupon.RecipientChanges) *personRow {
	region := s.options.DefaultRegion
	attributes := coupon.EmptyJSON
	if p.Attributes.Value != nil {
		attributes = *p.Attributes.Value
		if p.Phone.Value != nil && coupon.NeedsRegion(*p.Phone.Value) {
			region = coupon.RegionOf(attributes.Text(coupon.CountryAttribute), region)
		}
	}
	return &personRow{
		ID: number, ExternalID: p.ExternalID, Email: p.Email.Value,
		EmailAddress: formOf(coupon.ChannelEmail, p.Email.Value, "").column(),
		Phone:        p.Phone.Value,
		PhoneAddress: formOf(coupon.ChannelSMS, p.Phone.Value, region).column(),
		FirstName:    p.FirstName.Value, LastName: p.LastName.Value,
		Attributes:    string(attributes),
		IsContactable: !p.IsContactable.IsSet || orEmpty(p.IsContactable.Value),
	}
}

// column returns the form as its column has it: nil as given, empty where it is bad.
func (f storedForm) column() *string {
	if f.text == asGiven && !f.isBad {
		return nil
	}
	return &f.text
}
