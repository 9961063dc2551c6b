package resolvers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/access"
	"couponql/coupon"
)

// The answers that clients of Apollo's protocol know: after these they send the document.
const (
	codePersistedNotFound     = "PERSISTED_QUERY_NOT_FOUND"
	codePersistedNotSupported = "PERSISTED_QUERY_NOT_SUPPORTED"
	persistedMember           = "persistedQuery"
	persistedVersion          = "1"
)

// maxPersisted is how many documents of each role are kept by their hash, of at most maxCachedQueryBytes each.
const maxPersisted = 300

// persisted keeps documents by their SHA-256, so that a client need not send them again: Apollo's automatic persisted queries
// (https://www.apollographql.com/docs/apollo-server/performance/apq). Each role has its own: nobody can tell what others ask,
// nor push it out.
type persisted map[coupon.Role]*lru.LRU[string]

func newPersisted() persisted {
	p := persisted{}
	for _, role := range coupon.Roles() {
		p[role] = lru.New[string](maxPersisted)
	}
	return p
}

// of returns what is kept for the caller of a context, nil when nobody is known.
func (p persisted) of(ctx context.Context) *lru.LRU[string] {
	if caller := access.CallerOf(ctx); caller != nil {
		return p[caller.Role]
	}
	return nil
}

// complete returns a request that has a hash alone its document. A hash that comes with a document must be that of it, or others
// would get it by a hash that they take for another one.
func (p persisted) complete(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	given, isGiven := params.Extensions[persistedMember].(map[string]any)
	if !isGiven {
		return nil
	}
	hash, _ := given["sha256Hash"].(string)
	version, _ := given["version"].(json.Number)
	if params.Query != "" {
		if version == persistedVersion && !strings.EqualFold(hash, hashOf(params.Query)) {
			return refusal(codeBadRequest, nil, "%s.sha256Hash is not the SHA-256 of the query, in hexadecimal.", persistedMember)
		}
		return nil
	}
	if version != persistedVersion {
		return refusal(codePersistedNotSupported, nil, "PersistedQueryNotSupported")
	}
	if known := p.of(ctx); known != nil {
		if query, isKnown := known.Get(ctx, strings.ToLower(hash)); isKnown {
			params.Query = query
			return nil
		}
	}
	return refusal(codePersistedNotFound, nil, "PersistedQueryNotFound")
}

// keep keeps the document of a request that is to be run, when it came with its hash.
func (p persisted) keep(ctx context.Context, params *graphql.RawParams) {
	given, isGiven := params.Extensions[persistedMember].(map[string]any)
	if known := p.of(ctx); isGiven && known != nil && given["version"] == json.Number(persistedVersion) && len(params.Query) <= maxCachedQueryBytes {
		known.Add(ctx, hashOf(params.Query), params.Query)
	}
}

// hashOf returns the name of a document.
func hashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}
