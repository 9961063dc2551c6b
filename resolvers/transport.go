package resolvers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"couponql/access"
	"couponql/unavailable"
)

// plainHTTP is the transport of operations without files: GraphQL over HTTP, draft of the GraphQL foundation
// (https://graphql.github.io/graphql-over-http/draft/), by GET and POST. It takes every request that no other transport
// supports, so that what cannot be served is refused by the rules of HTTP. A client that wants events gets them; see events.
//
// The transports that come with the library answer what cannot be read with 422 and a field `data`, and an array of
// requests with the whole body in the message; the audit of the specification complains.
type plainHTTP struct{}

var _ graphql.Transport = plainHTTP{}

// The media types of answers. With the second one the status tells whether the request could be executed at all.
const (
	typeJSON     = "application/json"
	typeResponse = "application/graphql-response+json"
)

// maxBatch is how many operations of an array are answered one by one.
const maxBatch = 100

// httpError is what is wrong with a request before it is GraphQL.
type httpError struct {
	status  int
	message string
	// operations is how many a request has that is an array of them, and 0 for any other.
	operations int
}

// badRequest says what is wrong with a request.
func badRequest(status int, message string) httpError {
	return httpError{status: status, message: message}
}

// Error returns the message.
func (e httpError) Error() string { return e.message }

// Supports takes everything.
func (plainHTTP) Supports(*http.Request) bool { return true }

// Do answers a request.
func (plainHTTP) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	a := newReply(w, r, exec)
	start := graphql.Now()
	params, err := readRequest(w, r)
	if err == nil && a.accepted == "" {
		err = badRequest(http.StatusNotAcceptable, "Accept "+typeJSON+", "+typeResponse+" or "+typeEvents+".")
	}
	if problem, isHTTP := errors.AsType[httpError](err); isHTTP {
		refuseHTTP(w, problem)
		return
	}
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	if operation := a.operation(params); operation != nil {
		a.run(operation)
	}
}

// reply answers one request, in one way whatever transport it came by.
type reply struct {
	w    http.ResponseWriter
	r    *http.Request
	exec graphql.GraphExecutor
	// accepted is the media type that the client would rather have, "" when it wants none that there is. takesEvents: events would
	// do too.
	accepted    string
	takesEvents bool
}

func newReply(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) *reply {
	a := &reply{w: w, r: r, exec: exec}
	a.accepted, a.takesEvents = setType(w, r)
	return a
}

// setType sets the media type of an answer that is no stream; see acceptedType. A client that would rather have the
// second one reads the errors of an answer with that type alone, whatever its status.
func setType(w http.ResponseWriter, r *http.Request) (accepted string, takesEvents bool) {
	accepted, takesEvents = acceptedType(r.Header.Values("Accept"))
	w.Header().Set("Content-Type", typeJSON)
	if accepted == typeResponse {
		w.Header().Set("Content-Type", typeResponse)
	}
	return accepted, takesEvents
}

// operation returns the operation of a request, or answers why it is not run and gives nil.
func (a *reply) operation(params *graphql.RawParams) *graphql.OperationContext {
	params.Headers = a.r.Header
	operation, problems := a.exec.CreateOperationContext(a.r.Context(), params)
	if problems != nil {
		a.refuse(a.exec.DispatchError(graphql.WithOperationContext(a.r.Context(), operation), problems))
		return nil
	}
	switch kind := operation.Operation.Operation; {
	case kind == ast.Subscription && !a.takesEvents:
		refuseHTTP(a.w, badRequest(http.StatusNotAcceptable, "Subscriptions are answered as a stream: accept text/event-stream, or use a WebSocket."))
		return nil
	case kind == ast.Mutation && a.r.Method == http.MethodGet:
		a.w.Header().Set("Allow", http.MethodPost)
		refuseHTTP(a.w, badRequest(http.StatusMethodNotAllowed, "A GET request may only query or subscribe; send mutations by POST."))
		return nil
	}
	return operation
}

// refuse answers a request whose operation is not run.
func (a *reply) refuse(response *graphql.Response) {
	response.Data = nil
	status := http.StatusOK
	switch code := response.Errors[0].Extensions["code"]; {
	case isOverloaded(response.Errors):
		status = http.StatusServiceUnavailable
	case code == codeUnauthenticated:
		status = http.StatusUnauthorized
	case code == codePersistedNotFound || code == codePersistedNotSupported:
		// It is how a client and a server agree on a hash, and no fault.
	case a.accepted == typeResponse:
		status = http.StatusBadRequest
	}
	if status == http.StatusOK && a.accepted == typeEvents {
		a.stream(graphql.OneShot(response), a.r.Context(), func() {})
		return
	}
	writeResponse(a.w, status, response)
}

// run runs an operation and answers what comes of it.
func (a *reply) run(operation *graphql.OperationContext) {
	if a.accepted == typeEvents || operation.Operation.Operation == ast.Subscription {
		ctx, cancel := context.WithCancel(a.r.Context())
		defer cancel()
		responses, ctx := a.exec.DispatchOperation(ctx, operation)
		a.stream(responses, ctx, cancel)
		return
	}
	responses, ctx := a.exec.DispatchOperation(a.r.Context(), operation)
	answer(a.w, responses(ctx))
}

// readRequest reads what a request asks for. Its errors are httpErrors.
func readRequest(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, error) {
	switch r.Method {
	case http.MethodGet:
		return readURL(r.Context(), r.URL)
	case http.MethodPost:
		return readBody(r)
	}
	w.Header().Set("Allow", "GET, POST, OPTIONS")
	return nil, badRequest(http.StatusMethodNotAllowed, "Use GET or POST.")
}

// parameters are the members of a request. A member that is null counts as not given.
type parameters struct {
	Query         *string        `json:"query"`
	OperationName *string        `json:"operationName"`
	Variables     map[string]any `json:"variables"`
	Extensions    map[string]any `json:"extensions"`
}

func (p *parameters) params() (*graphql.RawParams, error) {
	if (p.Query == nil || *p.Query == "") && p.Extensions[persistedMember] == nil {
		return nil, badRequest(http.StatusBadRequest, "The request has no query.")
	}
	return &graphql.RawParams{Query: or(p.Query, ""), OperationName: or(p.OperationName, ""), Variables: p.Variables, Extensions: p.Extensions}, nil
}

// decode decodes a request. An array of them gets an answer for each, which is what clients that send one take.
func (p *parameters) decode(ctx context.Context, text []byte) error {
	err := decode(ctx, text, p)
	wrong, isType := errors.AsType[*json.UnmarshalTypeError](err)
	if !isType || wrong.Field != "" || wrong.Value != "array" {
		return err
	}
	var operations []json.RawMessage
	if err := decode(ctx, text, &operations); err != nil {
		return err
	}
	refused := badRequest(
		http.StatusBadRequest,
		"The request has an array of operations. Send each operation in a request of its own.",
	)
	if len(operations) <= maxBatch {
		refused.operations = len(operations)
	}
	return refused
}

func readURL(ctx context.Context, address *url.URL) (*graphql.RawParams, error) {
	values, err := url.ParseQuery(address.RawQuery)
	if err != nil {
		return nil, badRequest(http.StatusBadRequest, "The query string of the URL cannot be read.")
	}
	query, name := values.Get("query"), values.Get("operationName")
	p := parameters{Query: &query, OperationName: &name}
	for member, into := range map[string]*map[string]any{"variables": &p.Variables, "extensions": &p.Extensions} {
		text := values.Get(member)
		if text == "" {
			continue
		}
		err := decode(ctx, []byte(text), into)
		if problem, isHTTP := errors.AsType[httpError](err); isHTTP {
			return nil, problem
		}
		if err != nil {
			return nil, badRequest(http.StatusBadRequest, fmt.Sprintf("%s of the URL must be a JSON object.", member))
		}
	}
	return p.params()
}

func readBody(r *http.Request) (*graphql.RawParams, error) {
	kind, attributes, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := attributes["charset"]; err != nil || kind != typeJSON || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, badRequest(http.StatusUnsupportedMediaType, "Send the request as "+typeJSON+" in UTF-8, or files as multipart/form-data.")
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, badRequest(http.StatusUnsupportedMediaType, "Send the request as it is, without a Content-Encoding.")
	}
	var p parameters
	text, err := readText(r.Context(), r.Body)
	if err == nil {
		err = p.decode(r.Context(), text)
	}
	if problem, isHTTP := errors.AsType[httpError](err); isHTTP {
		return nil, problem
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, badRequest(http.StatusRequestTimeout, fmt.Sprintf("The body was not here within %s.", bodyTime))
	}
	if large, isTooLarge := errors.AsType[*http.MaxBytesError](err); isTooLarge {
		return nil, badRequest(
			http.StatusRequestEntityTooLarge,
			fmt.Sprintf("The request is larger than %d bytes; send files as multipart/form-data.", large.Limit),
		)
	}
	if wrong, isType := errors.AsType[*json.UnmarshalTypeError](err); isType {
		message := "The request must be one JSON object with the member query."
		if wrong.Field != "" {
			message = fmt.Sprintf("%s must not be a JSON %s.", wrong.Field, wrong.Value)
		}
		return nil, badRequest(http.StatusBadRequest, message)
	}
	if err != nil {
		return nil, badRequest(http.StatusBadRequest, "The body is not one JSON value.")
	}
	return p.params()
}

// readText reads JSON whole, while there is room for it.
func readText(ctx context.Context, from io.Reader) ([]byte, error) {
	var text bytes.Buffer
	for {
		// Little by little: what a client says of the length of its body need not be true.
		const step = 64 << 10
		n, err := io.CopyN(&text, from, step)
		if !holdBytes(ctx, copiesOfBody*n) {
			return nil, errNoRoom
		}
		if errors.Is(err, io.EOF) {
			return text.Bytes(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
	}
}

// errNoRoom is what is wrong when a request has to wait until others are answered.
var errNoRoom = badRequest(
	http.StatusServiceUnavailable,
	"The server reads and answers as much as it can at once, or as it may for you. Try again in a moment.",
)

// decode decodes one JSON value, and nothing may come after it. Numbers stay as they are written.
func decode(ctx context.Context, text []byte, value any) error {
	values, depth := weigh(text)
	if depth > maxNesting {
		return badRequest(http.StatusBadRequest, fmt.Sprintf("The JSON is nested deeper than %d levels.", maxNesting))
	}
	if !holdBytes(ctx, bytesOfValue*int64(values)) {
		return errNoRoom
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(value); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("decode: more than one value"), err)
	}
	return nil
}

// weigh returns how many values a JSON text has, or a few more, and how deep they are nested.
func weigh(text []byte) (values, depth int) {
	level, isText := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case isText && c == '\\':
			i++
		case c == '"':
			isText = !isText
		case isText:
		case c == '{' || c == '[':
			values++
			level++
			depth = max(depth, level)
		case c == '}' || c == ']':
			level--
		case c == ',':
			values++
		}
	}
	return values, depth
}

// acceptedType returns the media type that the client would rather have of the three, application/json if it does not care,
// or "" when it wants none (RFC 9110, 12.5.1), and whether it takes events at all.
func acceptedType(accept []string) (best string, takesEvents bool) {
	bestQuality := 0.0
	if len(accept) == 0 {
		return typeJSON, false
	}
	for entry := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, attributes, err := mime.ParseMediaType(entry)
		if err != nil {
			continue
		}
		quality := 1.0
		if text, isGiven := attributes["q"]; isGiven {
			if quality, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		switch kind {
		case "*/*", "application/*":
			kind = typeJSON
		case typeJSON, typeResponse:
		case typeEvents:
			takesEvents = takesEvents || quality > 0
		default:
			continue
		}
		if quality > bestQuality {
			best, bestQuality = kind, quality
		}
	}
	return best, takesEvents
}

// answer answers a request with what became of its operation; nil says that the request ended before it was executed.
func answer(w http.ResponseWriter, response *graphql.Response) {
	if response == nil {
		refuseHTTP(w, badRequest(http.StatusServiceUnavailable, "The request ended before it was executed, and nothing was changed. Try again."))
		return
	}
	writeResponse(w, http.StatusOK, response)
}

// refuseHTTP answers a request that is not one of GraphQL.
func refuseHTTP(w http.ResponseWriter, problem httpError) {
	answer := &gqlerror.Error{Message: problem.message, Extensions: map[string]any{"code": codeBadRequest}}
	if problem == errNoRoom {
		w.Header().Set("Retry-After", strconv.Itoa(int(unavailable.RetryAfter.Seconds())))
		answer.Extensions = map[string]any{"code": codeUnavailable, "retryAfterSeconds": int(unavailable.RetryAfter.Seconds())}
	}
	text := responseText(&graphql.Response{Errors: gqlerror.List{answer}})
	if problem.operations > 0 {
		each := bytes.Repeat(append(text, ','), problem.operations)
		text = append(append([]byte{'['}, each[:len(each)-1]...), ']')
	}
	writeText(w, problem.status, text)
}

// writeResponse writes an answer; that its caller is not let in has a status of its own, whenever it came out.
func writeResponse(w http.ResponseWriter, status int, response *graphql.Response) {
	if len(response.Data) == 0 && len(response.Errors) > 0 && response.Errors[0].Extensions["code"] == codeUnauthenticated {
		w.Header().Set("WWW-Authenticate", access.Realm)
		status = http.StatusUnauthorized
	}
	writeText(w, status, responseText(response))
}

// writeText writes an answer with its length: a client that still sends its request knows where it ends.
func writeText(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	// A client that went away needs no answer.
	_, _ = w.Write(text)
}

// responseText returns an answer as JSON. Data is JSON that was just written, and is not read again.
func responseText(response *graphql.Response) []byte {
	text := make([]byte, 0, len(response.Data)+len(`{"data":}`))
	member := func(name string, value []byte) {
		text = append(text, "{,"[min(len(text), 1)])
		text = append(append(strconv.AppendQuote(text, name), ':'), value...)
	}
	for _, part := range []struct {
		name  string
		value any
		isSet bool
	}{{"errors", response.Errors, len(response.Errors) > 0}, {"extensions", response.Extensions, len(response.Extensions) > 0}} {
		if !part.isSet {
			continue
		}
		value, err := json.Marshal(part.value)
		if err != nil {
			// It is made of what was JSON before.
			panic(err)
		}
		member(part.name, value)
	}
	if len(response.Data) > 0 {
		member("data", response.Data)
	}
	return append(text, '}')
}
