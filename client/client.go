// Package client speaks GraphQL over HTTP with a couponql server, as any program outside would. The command
// line and the demo use it.
//
// A client knows the public schema only by the operations that it is given. What the server has against one,
// as an error of GraphQL or among the userErrors of a mutation, is an error here.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"syscall"
	"time"

	"couponql/background"
)

const (
	// requestTimeout bounds one request, its files included.
	requestTimeout = 5 * time.Minute
	// maxAnswerBytes bounds what is read of an answer: the largest one has some 100 KB.
	maxAnswerBytes = 16 << 20
	// maxExcerptBytes bounds how much of an answer that is no GraphQL an error message repeats.
	maxExcerptBytes = 300
	// maxIdleConnections is how many connections are kept for the next requests of callers that ask at once.
	maxIdleConnections = 64
)

// Client speaks with one server.
type Client struct {
	// Address is that of the server, such as http://127.0.0.1:8080.
	Address string
	key     string
	http    *http.Client
}

// New returns a client of the server at an address such as http://127.0.0.1:8080, which shows a key, unless that is "". The address
// of the API, which ends in /graphql, does as well.
func New(address, key string) *Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: maxIdleConnections}
	address = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(address, "/"), "/graphql"), "/")
	return &Client{address, key, &http.Client{Timeout: requestTimeout, Transport: transport}}
}

// Close closes the connections that no request uses. The client can be used further.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Variables are those of an operation; a mutation has one, input.
type Variables map[string]any

// Input returns the variables of a mutation.
func Input(value any) Variables { return Variables{"input": value} }

// Request is the body of a GraphQL request.
type Request struct {
	Query     string    `json:"query"`
	Variables Variables `json:"variables"`
}

// UserError is something that the caller of a mutation should mend.
type UserError struct {
	// Operation is the mutation's name, such as importCodes.
	Operation string `json:"-"`
	// Code is for programs, such as NOT_FOUND.
	Code string `json:"code"`
	// Message is for people.
	Message string `json:"message"`
	// Field is the path to the value at fault, such as input, couponId. Empty: no single value is.
	Field []string `json:"field"`
}

// Error names the mutation, the code, the field and the message.
func (e *UserError) Error() string {
	place := ""
	if len(e.Field) > 0 {
		place = " at " + strings.Join(e.Field, ".")
	}
	return fmt.Sprintf("%s: %s%s: %s", e.Operation, e.Code, place, e.Message)
}

// Error is what the server has against a request as a whole, or against a part of it.
type Error struct {
	Message string `json:"message"`
	// Path leads to the part of the answer that is missing. Empty: all of it.
	Path []any `json:"path"`
	// Extensions are for programs.
	Extensions struct {
		// Code is such as UNAVAILABLE: the server is overloaded or its disk is full, and nothing was changed.
		Code string `json:"code"`
	} `json:"extensions"`
}

// Error returns the message and the path.
func (e *Error) Error() string {
	if len(e.Path) == 0 {
		return e.Message
	}
	return fmt.Sprintf("%s (at %v)", e.Message, e.Path)
}

// Do asks for one operation and decodes its data into answer, unless that is nil. Errors of the
// transport, of GraphQL (each an *Error) and the userErrors of a mutation (each a *UserError) are errors
// alike.
func (c *Client) Do(ctx context.Context, operation string, vars Variables, answer any) error {
	body, err := json.Marshal(Request{operation, vars})
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return c.post(ctx, "application/json", bytes.NewReader(body), answer)
}

// Upload is Do with a file as the variable input.file, as the graphql-multipart-request-spec has it. The
// file is sent while write makes it and is never held as a whole.
func (c *Client) Upload(
	ctx context.Context, operation string, in map[string]any, fileName string, write func(io.Writer) error, answer any,
) error {
	in["file"] = nil
	body, err := json.Marshal(Request{operation, Input(in)})
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	reader, writer := io.Pipe()
	// Ends the writer when the server answers before it has read everything. The error is always nil.
	defer func() { _ = reader.Close() }()
	form := multipart.NewWriter(writer)
	background.Go(func() error { return writeForm(form, body, fileName, write) }, func(err error) { writer.CloseWithError(err) })
	return c.post(ctx, form.FormDataContentType(), reader, answer)
}

// writeForm writes the parts of a multipart request, in the order that the specification demands.
func writeForm(form *multipart.Writer, operations []byte, fileName string, write func(io.Writer) error) error {
	if err := form.WriteField("operations", string(operations)); err != nil {
		return fmt.Errorf("write operations: %w", err)
	}
	if err := form.WriteField("map", `{"file":["variables.input.file"]}`); err != nil {
		return fmt.Errorf("write map: %w", err)
	}
	part, err := form.CreatePart(map[string][]string{
		"Content-Disposition": {multipart.FileContentDisposition("file", fileName)},
		"Content-Type":        {"text/csv"},
	})
	if err != nil {
		return fmt.Errorf("write part: %w", err)
	}
	if err := write(part); err != nil {
		return fmt.Errorf("write %s: %w", fileName, err)
	}
	return form.Close()
}

// Authorize shows the client's key with a request to the same server.
func (c *Client) Authorize(request *http.Request) {
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
}

func (c *Client) post(ctx context.Context, contentType string, body io.Reader, answer any) error {
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Address+"/graphql", body)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	post.Header.Set("Content-Type", contentType)
	post.Header.Set("Accept", "application/json")
	c.Authorize(post)
	response, err := c.http.Do(post)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no server answers at %s: start it, or ask another (%w)", c.Address, syscall.ECONNREFUSED)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return decode(response.Status, text, answer)
}

// decode reads an answer: its data, or what speaks against it.
func decode(status string, text []byte, answer any) error {
	var envelope struct {
		Data   json.RawMessage `json:"data"`
		Errors []*Error        `json:"errors"`
	}
	if err := json.Unmarshal(text, &envelope); err != nil || envelope.Data == nil && envelope.Errors == nil {
		return fmt.Errorf("the server answers %s and no GraphQL: %.*s", status, maxExcerptBytes, text)
	}
	var problems []error
	for _, e := range envelope.Errors {
		problems = append(problems, e)
	}
	if err := errors.Join(append(problems, userErrors(envelope.Data))...); err != nil {
		return err
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(envelope.Data, answer); err != nil {
		return fmt.Errorf("decode data: %w", err)
	}
	return nil
}

// userErrors returns what the payloads of mutations say that the caller should mend.
func userErrors(data json.RawMessage) error {
	var fields map[string]json.RawMessage
	if len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, &fields); err != nil {
		return fmt.Errorf("decode data: %w", err)
	}
	var problems []error
	for name, value := range fields {
		var payload struct {
			UserErrors []*UserError `json:"userErrors"`
		}
		// A field that is no object is no payload.
		if json.Unmarshal(value, &payload) != nil {
			continue
		}
		for _, e := range payload.UserErrors {
			e.Operation = name
			problems = append(problems, e)
		}
	}
	return errors.Join(problems...)
}
