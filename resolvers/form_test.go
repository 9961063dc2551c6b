package resolvers

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/db/dbtest"
)

// formExecutor stands for what runs an operation. It counts how often a request is read, and reads
// the file of the variable a.
type formExecutor struct {
	created, stored int
	content         string
}

func (e *formExecutor) CreateOperationContext(_ context.Context, params *graphql.RawParams) (
	*graphql.OperationContext, gqlerror.List,
) {
	e.created++
	if file := params.Variables["a"].(graphql.Upload).File.(*storedFile); file.ReadSeekCloser !=
		nil {
		e.stored++
	}
	return &graphql.OperationContext{
		Variables: params.Variables, Operation: &ast.OperationDefinition{Operation: ast.Mutation},
	}, nil
}

func (e *formExecutor) DispatchOperation(ctx context.Context, operation *graphql.OperationContext) (
	graphql.ResponseHandler, context.Context,
) {
	text, err := io.ReadAll(operation.Variables["a"].(graphql.Upload).File)
	if err != nil {
		panic(err)
	}
	e.content = string(text)
	return graphql.OneShot(&graphql.Response{Data: []byte(`{}`)}), ctx
}

func (*formExecutor) DispatchError(context.Context, gqlerror.List) *graphql.Response { return nil }

// TestFormReadOnce: what a form asks for is read, judged and counted once, before its file is
// stored; its variables have the file when it is run.
func TestFormReadOnce(t *testing.T) {
	t.Parallel()
	const form = "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{\"query\": \"…\", \"variables\": {\"a\": null}}\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{\"0\": [\"variables.a\"]}\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"0\"; filename=\"a.csv\"\r\n\r\ncode\r\n--x--\r\n"
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql",
		strings.NewReader(form))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	w, exec := httptest.NewRecorder(), &formExecutor{}
	multipartForm{store: dbtest.New(t), options: Options{Log: slog.New(slog.DiscardHandler)}}.Do(
		w, r, exec,
	)
	if w.Code != http.StatusOK || *exec != (formExecutor{created: 1, content: "code"}) {
		t.Errorf("got %d %s, %+v", w.Code, w.Body, exec)
	}
}
