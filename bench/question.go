package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
)

// The goals of questions about a few rows, beside PostgreSQL's statements by pgbench, which speaks
// no GraphQL: how many times as many a second there are at least, with eight callers. PostGraphile
// 5, which does, answers so many on the same machine.
const (
	leastKnownCode = 0.04
	leastOneCode   = 0.1
	leastCodePage  = 0.1
)

// questionPages is how many different pages of 100 codes are asked for.
const questionPages = 200

// question is what a frontend, a till or a support desk asks about a few rows.
type question struct {
	name  string
	query string
	// peer is PostgreSQL's statement for a random code :id.
	peer string
	// least is the goal beside PostgreSQL.
	least float64
	// vars returns those of the next request.
	vars func() variables
}

// questions returns the questions about the coupon that analysts ask about, half of whose codes
// were given away. Each request is about other codes.
func (b *bench) questions(ctx context.Context) ([]question, error) {
	const joined = `FROM code c LEFT JOIN delivery d ON d.id = c.delivery_id
    LEFT JOIN recipient r ON r.id = c.recipient_id`
	given := b.options.analysts / 2
	byValue := func() variables {
		return variables{"value": fmt.Sprintf("K%011d", 1+rand.IntN(given))}
	}
	pages, err := b.questionPages(ctx)
	if err != nil {
		return nil, err
	}
	var turn atomic.Int64
	return []question{
		{
			name:  "one code, with value, status and coupon",
			query: `query($value: String!) { code(value: $value) { value status label coupon { label } } }`,
			peer: `SELECT c.code, c.label, c.redeemed_at FROM code c
WHERE c.code = 'K' || lpad((:id)::TEXT, 11, '0');`,
			least: leastKnownCode, vars: byValue,
		},
		{
			name:  "one code, with delivery, recipient and redemptions",
			query: `query($value: String!) { code(value: $value) { value status label sentAt redeemedAt coupon { label } delivery { label channel } recipient { externalId email } redemptions(first: 10) { nodes { redeemedAt amount currency } } } }`,
			peer: `SELECT c.*, d.label, d.channel, r.external_id, r.email, x.redeemed_at, x.amount, x.currency
` + joined + ` LEFT JOIN redemption x ON x.code_id = c.id
WHERE c.code = 'K' || lpad((:id)::TEXT, 11, '0');`,
			least: leastOneCode, vars: byValue,
		},
		{
			name:  fmt.Sprintf("a page of 100 codes, one of %d", len(pages)),
			query: `query($id: ID!, $after: String) { coupon(id: $id) { codes(first: 100, after: $after) { nodes { value status label delivery { label } recipient { externalId email } } } } }`,
			peer: `SELECT c.*, d.label, r.external_id, r.email
` + joined + ` WHERE c.coupon_id = 1 AND c.id > :id ORDER BY c.id LIMIT 100;`,
			least: leastCodePage,
			vars:  func() variables { return pages[int(turn.Add(1))%len(pages)] },
		},
	}, nil
}

// questionPages returns the variables of pages of codes, one after the other.
func (b *bench) questionPages(ctx context.Context) ([]variables, error) {
	var pages []variables
	vars := variables{"id": b.couponID, "after": nil}
	for len(pages) < questionPages {
		pages = append(pages, vars)
		var answer struct {
			Coupon struct {
				Codes struct {
					PageInfo struct {
						EndCursor   *string
						HasNextPage bool
					}
				}
			}
		}
		if err := b.server.ask(ctx, `query($id: ID!, $after: String) { coupon(id: $id) { codes(first: 100, after: $after) { pageInfo { endCursor hasNextPage } } } }`,
			vars, &answer); err != nil {
			return nil, err
		}
		page := answer.Coupon.Codes.PageInfo
		if !page.HasNextPage || page.EndCursor == nil {
			break
		}
		vars = variables{"id": b.couponID, "after": *page.EndCursor}
	}
	return pages, nil
}

// measureQuestions asks about a few rows by 1, 8 and 64 callers at once. Processor time is that of
// the process, in which the callers are too.
func (b *bench) measureQuestions(ctx context.Context) error {
	questions, err := b.questions(ctx)
	if err != nil {
		return err
	}
	b.asked = map[string]float64{}
	for _, q := range questions {
		for _, callers := range []int{1, 8, maxCallers} {
			name := fmt.Sprintf("%s, %d at once", q.name, callers)
			var ours load
			before := processorTime()
			err := b.profiled(name, func() error {
				for range b.options.runs {
					if err := ours.call(callers, func() (bool, error) {
						return true, b.server.ask(ctx, q.query, q.vars(), nil)
					}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			took := processorTime() - before
			b.asked[name] = ours.rate()
			b.add(newResult(name, "/s", ours.rate(), 0, goal{}))
			b.add(newResult("  p99", "ms", milliseconds(quantile(ours.times, 0.99)), 0, goal{}))
			b.add(newResult("  processor a request", "ms",
				max(milliseconds(took), leastProcessor)/float64(len(ours.times)), 0, goal{}))
		}
	}
	return nil
}

// leastProcessor is what stands for less processor time than the system counts, in milliseconds.
const leastProcessor = 0.001

// measurePeerQuestions has PostgreSQL answer the same questions, in SQL.
func (b *bench) measurePeerQuestions(ctx context.Context, p *postgres) error {
	questions, err := b.questions(ctx)
	if err != nil {
		return err
	}
	for _, q := range questions {
		script := b.file("question.sql")
		text := fmt.Sprintf("\\set id random(1, %d)\n%s\n", b.options.analysts/2, q.peer)
		if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write a script: %w", err)
		}
		for _, callers := range []int{1, 8, maxCallers} {
			var peer load
			for range b.options.runs {
				rate, err := p.transactions(ctx, "postgres", script, callers)
				if err != nil {
					return fmt.Errorf("%s: %w", q.name, err)
				}
				peer.rates = append(peer.rates, rate)
			}
			least := 0.0
			if callers == pageCallers {
				least = q.least
			}
			name := fmt.Sprintf("%s, %d at once", q.name, callers)
			b.add(newPeerResult(name, "/s", b.asked[name], peer.rate(), least))
		}
	}
	return nil
}
