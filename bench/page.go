package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"couponql/coupon"
	"couponql/graph"
)

const (
	// leastOfMemory is the promised rate of pages, as a share of that of a server that has them in memory.
	leastOfMemory = 0.5
	// leastWithKey is the promised rate of requests that show a key and are counted, as a share of that of requests to an open
	// server.
	leastWithKey = 0.95
	// recentPages is how many pages in a row are asked for again and again, and pageCallers by how many at once. Of
	// memoryPages the server keeps none until it is asked for again; see db.maxRecent.
	recentPages = 20
	memoryPages = 200
	pageCallers = 8
	// cachedDocuments is how many parsed documents the server keeps that has pages in memory.
	cachedDocuments = 100
)

// fromMemory is a server with our schema and generated code that has some pages of codes in memory and nothing else: what
// it costs to speak GraphQL at all.
type fromMemory struct {
	graph.ResolverRoot

	coupon     *coupon.Coupon
	pages      map[string]*graph.CodeConnection
	coupons    map[coupon.ID]*coupon.Coupon
	deliveries map[coupon.ID]*coupon.Delivery
	recipients map[coupon.ID]*coupon.Recipient
}

// Query returns the resolver of the coupon.
func (m *fromMemory) Query() graph.QueryResolver { return queryFromMemory{memory: m} }

// Coupon returns the resolver of its codes.
func (m *fromMemory) Coupon() graph.CouponResolver { return codesFromMemory{memory: m} }

// Code returns the resolver of what belongs to a code.
func (m *fromMemory) Code() graph.CodeResolver { return codeFromMemory{memory: m} }

// codesFromMemory gives pages of codes.
type codesFromMemory struct {
	graph.CouponResolver
	memory *fromMemory
}

// Codes returns a page.
func (r codesFromMemory) Codes(_ context.Context, _ *coupon.Coupon, _ *coupon.CodeFilter, _ *int, after *string) (*graph.CodeConnection, error) {
	key := ""
	if after != nil {
		key = *after
	}
	return r.memory.pages[key], nil
}

// codeFromMemory gives what belongs to a code.
type codeFromMemory struct {
	graph.CodeResolver
	memory *fromMemory
}

// Coupon returns the coupon of a code.
func (r codeFromMemory) Coupon(_ context.Context, code *coupon.Code) (*coupon.Coupon, error) {
	return r.memory.coupons[code.ID], nil
}

// Delivery returns the delivery of a code; nil: it has none.
func (r codeFromMemory) Delivery(_ context.Context, code *coupon.Code) (*coupon.Delivery, error) {
	return r.memory.deliveries[code.ID], nil
}

// Recipient returns who got a code; nil: nobody.
func (r codeFromMemory) Recipient(_ context.Context, code *coupon.Code) (*coupon.Recipient, error) {
	return r.memory.recipients[code.ID], nil
}

// queryFromMemory answers coupon(id:).
type queryFromMemory struct {
	graph.QueryResolver
	memory *fromMemory
}

// Coupon returns the coupon.
func (q queryFromMemory) Coupon(context.Context, coupon.ID) (*coupon.Coupon, error) {
	return q.memory.coupon, nil
}

// shownPage is a page as the server answers it.
type shownPage struct {
	Coupon struct {
		Codes struct {
			PageInfo graph.PageInfo
			Nodes    []shownCode
		}
	}
}

type shownCode struct {
	coupon.Code

	Coupon    *coupon.Coupon
	Delivery  *coupon.Delivery
	Recipient *coupon.Recipient
}

// remember takes a page into memory, and gives the cursor of the next one; "" after the last.
func (m *fromMemory) remember(after string, shown *shownPage) (next string) {
	codes := &shown.Coupon.Codes
	page := &graph.CodeConnection{PageInfo: &codes.PageInfo}
	for i := range codes.Nodes {
		node := &codes.Nodes[i]
		page.Nodes = append(page.Nodes, &node.Code)
		m.coupons[node.ID], m.deliveries[node.ID], m.recipients[node.ID] = node.Coupon, node.Delivery, node.Recipient
	}
	m.pages[after] = page
	if !codes.PageInfo.HasNextPage || codes.PageInfo.EndCursor == nil {
		return ""
	}
	return *codes.PageInfo.EndCursor
}

// serve serves what is in memory; stop ends that.
func (m *fromMemory) serve(ctx context.Context) (c *client, stop func() error, err error) {
	shown := func(ctx context.Context, _ any, next graphql.Resolver) (any, error) { return next(ctx) }
	server := handler.New(graph.NewExecutableSchema(graph.Config{Resolvers: m, Directives: graph.DirectiveRoot{Confidential: shown}}))
	server.AddTransport(transport.POST{})
	server.SetQueryCache(lru.New[*ast.QueryDocument](cachedDocuments))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen: %w", err)
	}
	web := &http.Server{Handler: server, ReadHeaderTimeout: time.Minute}
	go func() { _ = web.Serve(listener) }()
	c = newClient(listener.Addr().String(), "/graphql", "")
	return c, func() error { c.close(); return web.Close() }, nil
}

// measurePageRate compares how many pages a second the server answers with one that has the same pages in memory.
func (b *bench) measurePageRate(ctx context.Context) (err error) {
	memory := &fromMemory{
		coupon: &coupon.Coupon{ID: coupon.ID(b.couponID)}, pages: map[string]*graph.CodeConnection{}, coupons: map[coupon.ID]*coupon.Coupon{},
		deliveries: map[coupon.ID]*coupon.Delivery{}, recipients: map[coupon.ID]*coupon.Recipient{},
	}
	other, stop, err := memory.serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	query := fmt.Sprintf(codePage, "")
	var asked []variables
	after := ""
	for range memoryPages {
		vars := variables{"id": b.couponID, "after": nil}
		if after != "" {
			vars["after"] = after
		}
		text, err := b.server.text(ctx, query, vars)
		if err != nil {
			return err
		}
		var shown shownPage
		if err := b.server.ask(ctx, query, vars, &shown); err != nil {
			return err
		}
		next := memory.remember(after, &shown)
		same, err := other.text(ctx, query, vars)
		if err != nil {
			return err
		}
		if !bytes.Equal(bytes.TrimSpace(same), bytes.TrimSpace(text)) {
			return fmt.Errorf("the page from memory is %.500s instead of %.500s", same, text)
		}
		asked = append(asked, vars)
		if after = next; after == "" {
			break
		}
	}
	name := fmt.Sprintf("pages of 100 codes, %d callers, beside the same JSON from memory", pageCallers)
	if err := b.compareRates(ctx, name, query, asked[:min(recentPages, len(asked))], b.server.client, other, leastOfMemory); err != nil {
		return err
	}
	name = fmt.Sprintf("  one of %d after the other", len(asked))
	if err := b.compareRates(ctx, name, query, asked, b.server.client, other, 0); err != nil {
		return err
	}
	name = fmt.Sprintf("small queries with a key and limits, %d callers, beside the open server", pageCallers)
	return b.compareRates(ctx, name, smallQuery, []variables{{"id": b.couponID}}, b.server.keyed, b.server.client, leastWithKey)
}

// smallQuery costs little beside what a key and limits cost.
const smallQuery = `query($id: ID!) { coupon(id: $id) { label code status availability { available total } } }`

// compareRates compares how often a second two servers answer the same query, in turns.
func (b *bench) compareRates(ctx context.Context, name, query string, asked []variables, one, other *client, leastRatio float64) error {
	var ours, theirs load
	err := b.profiled(name, func() error {
		for range b.options.runs {
			for _, side := range []struct {
				load   *load
				client *client
			}{{&ours, one}, {&theirs, other}} {
				var turn atomic.Int64
				err := side.load.call(pageCallers, func() (more bool, err error) {
					return true, side.client.ask(ctx, query, asked[int(turn.Add(1))%len(asked)], nil)
				})
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		b.add(newResult(name, "/s", ours.rate(), theirs.rate(), goal{leastRatio: leastRatio}))
	}
	return err
}
