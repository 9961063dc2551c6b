package main

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
	"time"
)

const (
	// requestTimeout bounds one request, its files included.
	requestTimeout = 5 * time.Minute
	// maxAnswerBytes bounds what is read of an answer: the largest one here has some 100 KB.
	maxAnswerBytes = 16 << 20
	// maxExcerptBytes bounds how much of an answer that is no GraphQL an error message repeats.
	maxExcerptBytes = 300
)

// client speaks GraphQL over HTTP with one server.
type client struct {
	// address is that of the server, such as http://127.0.0.1:8080.
	address string
	http    *http.Client
}

func newClient(address string) *client {
	return &client{strings.TrimSuffix(address, "/"), &http.Client{Timeout: requestTimeout}}
}

// variables are those of an operation; a mutation has one, input.
type variables map[string]any

func input(value any) variables { return variables{"input": value} }

// request is the body of a GraphQL request.
type request struct {
	Query     string    `json:"query"`
	Variables variables `json:"variables"`
}

// do asks for one operation and decodes its data into answer, unless that is nil. Errors of the
// transport, of GraphQL, and the userErrors of a mutation are errors alike.
func (c *client) do(ctx context.Context, operation string, vars variables, answer any) error {
	body, err := json.Marshal(request{operation, vars})
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return c.post(ctx, "application/json", bytes.NewReader(body), answer)
}

// upload is do with a file as the variable input.file, as the graphql-multipart-request-spec has it. The
// file is sent while write makes it and is never held as a whole.
func (c *client) upload(
	ctx context.Context, operation string, in map[string]any, fileName string, write func(io.Writer) error, answer any,
) error {
	in["file"] = nil
	body, err := json.Marshal(request{operation, input(in)})
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	reader, writer := io.Pipe()
	// Ends the writer when the server answers before it has read everything. The error is always nil.
	defer func() { _ = reader.Close() }()
	form := multipart.NewWriter(writer)
	go func() { writer.CloseWithError(writeForm(form, body, fileName, write)) }()
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

func (c *client) post(ctx context.Context, contentType string, body io.Reader, answer any) error {
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address+"/graphql", body)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	post.Header.Set("Content-Type", contentType)
	post.Header.Set("Accept", "application/json")
	response, err := c.http.Do(post)
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
		Errors []struct {
			Message string `json:"message"`
			Path    []any  `json:"path"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(text, &envelope); err != nil || envelope.Data == nil && envelope.Errors == nil {
		return fmt.Errorf("the server answers %s and no GraphQL: %.*s", status, maxExcerptBytes, text)
	}
	var problems []error
	for _, e := range envelope.Errors {
		problem := errors.New(e.Message)
		if len(e.Path) > 0 {
			problem = fmt.Errorf("%s (at %v)", e.Message, e.Path)
		}
		problems = append(problems, problem)
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

// userErrors gives what the payloads of mutations say that the caller should mend.
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
			UserErrors []struct {
				Code    string   `json:"code"`
				Message string   `json:"message"`
				Field   []string `json:"field"`
			} `json:"userErrors"`
		}
		// A field that is no object is no payload.
		if json.Unmarshal(value, &payload) != nil {
			continue
		}
		for _, e := range payload.UserErrors {
			place := ""
			if len(e.Field) > 0 {
				place = " at " + strings.Join(e.Field, ".")
			}
			problems = append(problems, fmt.Errorf("%s: %s%s: %s", name, e.Code, place, e.Message))
		}
	}
	return errors.Join(problems...)
}
