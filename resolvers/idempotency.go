package resolvers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/access"
	"couponql/coupon"
	"couponql/db"
)

const (
	// headerIdempotencyKey is the header that stands for the field keyField of the one input that has it.
	headerIdempotencyKey = "Idempotency-Key"
	keyField             = "idempotencyKey"
)

// idempotency gives the key of the header to the one mutation of an operation that takes it.
type idempotency struct{ schema *ast.Schema }

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = idempotency{}

// ExtensionName names the extension.
func (idempotency) ExtensionName() string { return "Idempotency" }

// Validate has nothing to check.
func (idempotency) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses a key in the header where it is not clear what it is for, before anything is done.
func (i idempotency) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	key := operation.Headers.Get(headerIdempotencyKey)
	if key == "" {
		return nil
	}
	count := 0
	if operation.Operation.Operation == ast.Mutation {
		for _, field := range graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{"Mutation"}) {
			if !takesKey(i.schema, field) {
				continue
			}
			count++
			if given, isGiven := inputOf(field, operation.Variables)[keyField].(string); isGiven && given != key {
				return refusal(codeBadRequest, field.Position, "The header %s and the field %s have different keys.", headerIdempotencyKey, keyField)
			}
		}
	}
	if count != 1 {
		return refusal(codeBadRequest, nil, "The header %s is for an operation with one mutation whose input has the field %s; this one has %d.",
			headerIdempotencyKey, keyField, count)
	}
	return nil
}

// takesKey reports whether the input of a field has an idempotency key.
func takesKey(schema *ast.Schema, field graphql.CollectedField) bool {
	argument := field.Definition.Arguments.ForName("input")
	return argument != nil && schema.Types[argument.Type.Name()].Fields.ForName(keyField) != nil
}

// inputOf returns the members of a field's argument input.
func inputOf(field graphql.CollectedField, variables map[string]any) map[string]any {
	return membersOf(field.ArgumentMap(variables)["input"])
}

// withOnce returns the context of a field that makes something once, when it has an idempotency key. checksumOf gives that of an upload.
func withOnce(
	ctx context.Context, schema *ast.Schema, checksumOf func(context.Context, coupon.ID) (string, error),
) (context.Context, error) {
	field := graphql.GetFieldContext(ctx).Field
	if !takesKey(schema, field) {
		return ctx, nil
	}
	given := inputOf(field, graphql.GetOperationContext(ctx).Variables)
	key, isGiven := given[keyField].(string)
	if !isGiven {
		if key = graphql.GetOperationContext(ctx).Headers.Get(headerIdempotencyKey); key == "" {
			return ctx, nil
		}
	}
	members := maps.Clone(given)
	delete(members, keyField)
	if id, isUpload := members[uploadField].(string); isUpload {
		checksum, err := checksumOf(ctx, coupon.ID(id))
		if err != nil {
			return nil, err
		}
		if checksum != "" {
			delete(members, uploadField)
			members[fileField] = contentOf(checksum)
		}
	}
	return db.WithOnce(ctx, &coupon.Once{Caller: access.CallerOf(ctx).Name, Key: key, Action: field.Name, Digest: digestOf(members)}), nil
}

// Fields of the inputs that have a file: with the request, or sent before.
const (
	fileField   = "file"
	uploadField = "uploadId"
)

// contentOf is what a digest has of a file, whichever way it came and whatever it is called.
func contentOf(checksum string) map[string]any { return map[string]any{"checksum": checksum} }

// digestOf tells the members of an input from those of every other one.
func digestOf(members map[string]any) string {
	for name, value := range members {
		if upload, isFile := value.(graphql.Upload); isFile {
			stored, _ := upload.File.(*storedFile)
			members[name] = contentOf(stored.checksum)
		}
	}
	text, _ := json.Marshal(members) //nolint:errchkjson // what came as JSON, or as a literal, can be written as JSON
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}
