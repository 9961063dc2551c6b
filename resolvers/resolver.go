// Package resolvers is the edge between the GraphQL API and the store: it converts, delegates and
// converts back. No rule and no SQL lives here.
//
// Files named *.resolvers.go belong to the generator, which keeps the bodies of their methods; helpers
// live in the other files.
package resolvers

import (
	"couponql/access"
	"couponql/analyst"
	"couponql/courier"
	"couponql/db"
	"couponql/transfer"
)

// Resolver answers every field that is not plain data of its object.
type Resolver struct {
	store   *db.Store
	links   *transfer.Links
	courier *courier.Courier
	analyst *analyst.Analyst
	guard   *access.Guard
}

// New returns the resolver of a store, whose files have these links. They lead where transfer.WithBaseURL says. The courier
// sends single messages. The analyst answers SQL; nil means that this is switched off. The guard tells who asks.
func New(store *db.Store, links *transfer.Links, courier *courier.Courier, analyst *analyst.Analyst, guard *access.Guard) *Resolver {
	return &Resolver{store: store, links: links, courier: courier, analyst: analyst, guard: guard}
}
