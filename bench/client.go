package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const (
	// maxCallers is how many connections the client keeps open.
	maxCallers = 64
	// maxAnswerBytes bounds what is read of an answer; a page of 100 codes has some 50 KB.
	maxAnswerBytes = 16 << 20
	// pollInterval is the pause between two looks at a job: short beside the jobs that are timed, and long
	// enough that looking costs next to nothing.
	pollInterval = 20 * time.Millisecond
)

// client asks one server over HTTP.
type client struct {
	url string
	// connections are for questions, and http is for files.
	connections *connections
	http        *http.Client
}

// newClient makes a client of the API at a path of a host, which shows a key with each question unless it is "".
func newClient(host, path, key string) *client {
	return &client{url: "http://" + host + path, connections: newConnections(host, path, key), http: &http.Client{Transport: &http.Transport{}}}
}

func (c *client) close() {
	c.connections.close()
	c.http.CloseIdleConnections()
}

type variables map[string]any

// input makes the variables of a mutation; its operation calls them $input.
func input(fields variables) variables { return variables{"input": fields} }

func operations(query string, vars variables) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		return nil, fmt.Errorf("encode a request: %w", err)
	}
	return body, nil
}

// ask sends a request and decodes the data of its answer, unless data is nil. Errors of GraphQL and the
// userErrors of a mutation are errors.
func (c *client) ask(ctx context.Context, query string, vars variables, data any) error {
	text, err := c.text(ctx, query, vars)
	if err != nil || data == nil {
		return err
	}
	return decode(text, data)
}

// text is ask that gives the whole answer as it came.
func (c *client) text(ctx context.Context, query string, vars variables) ([]byte, error) {
	body, err := operations(query, vars)
	if err != nil {
		return nil, err
	}
	status, text, err := c.connections.post(ctx, body)
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	return text, check(status, text)
}

// check reports whether an answer is what was asked for. A look at the text is enough here, and cheap beside decoding:
// the callers share the machine with the server.
func check(status int, text []byte) error {
	isRefused := bytes.HasPrefix(text, []byte(`{"errors"`)) || bytes.Contains(text, []byte(`"userErrors":[{`))
	if isRefused || status != http.StatusOK {
		return fmt.Errorf("the server answers %d: %.500s", status, text)
	}
	return nil
}

func decode(text []byte, data any) error {
	if err := json.Unmarshal(text, &struct {
		Data any `json:"data"`
	}{data}); err != nil {
		return fmt.Errorf("decode an answer: %w", err)
	}
	return nil
}

// upload is ask with a file as $input.file.
func (c *client) upload(ctx context.Context, query string, fields variables, path string, data any) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	fields["file"] = nil
	body, err := operations(query, input(fields))
	if err != nil {
		return err
	}
	// The form is written around a file that is not there, and the file is sent in its place.
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	for _, field := range [][2]string{{"operations", string(body)}, {"map", `{"file":["variables.input.file"]}`}} {
		if err := writer.WriteField(field[0], field[1]); err != nil {
			return fmt.Errorf("upload: %w", err)
		}
	}
	if _, err := writer.CreateFormFile("file", filepath.Base(path)); err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	head := form.Len()
	if err := writer.Close(); err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	whole := io.MultiReader(bytes.NewReader(form.Bytes()[:head]), file, bytes.NewReader(form.Bytes()[head:]))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, whole)
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	request.ContentLength = int64(form.Len()) + info.Size()
	request.Header.Set("Content-Type", writer.FormDataContentType())
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	if err := check(response.StatusCode, text); err != nil {
		return err
	}
	return decode(text, data)
}

// follow asks until isOver says of the answer that the job is done.
func (c *client) follow(ctx context.Context, query string, vars variables, data any, isOver func() bool) error {
	for {
		if err := c.ask(ctx, query, vars, data); err != nil || isOver() {
			return err
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return fmt.Errorf("wait for a job: %w", context.Cause(ctx))
		}
	}
}

// generateCodes has the server make codes, and waits until they are there.
func (c *client) generateCodes(ctx context.Context, fields variables) error {
	var answer struct {
		GenerateCodes struct{ Batch struct{ ID string } }
	}
	err := c.ask(ctx, "mutation($input: GenerateCodesInput!) { generateCodes(input: $input) { batch { id } userErrors { message } } }",
		input(fields), &answer)
	if err != nil {
		return err
	}
	var made struct{ CodeBatch struct{ Status string } }
	err = c.follow(ctx, "query($id: ID!) { codeBatch(id: $id) { status } }", variables{"id": answer.GenerateCodes.Batch.ID}, &made, func() bool {
		return made.CodeBatch.Status != "QUEUED" && made.CodeBatch.Status != "RUNNING"
	})
	if err == nil && made.CodeBatch.Status != "SUCCEEDED" {
		err = fmt.Errorf("the generated codes are %s", made.CodeBatch.Status)
	}
	return err
}

// importFile uploads a file with one of the import mutations, and waits until all its rows are imported.
func (s *server) importFile(ctx context.Context, mutation string, fields variables, path string, wantRows int) error {
	_, err := s.importPart(ctx, mutation, fields, path, wantRows)
	return err
}

// importPart is importFile for a file of which only some rows are imported. It gives the import's id.
func (s *server) importPart(ctx context.Context, mutation string, fields variables, path string, wantRows int) (id string, err error) {
	start := "mutation($input: I" + mutation[1:] + "Input!) { started: " + mutation + "(input: $input) { import { id } userErrors { message } } }"
	var queued struct {
		Started struct{ Import struct{ ID string } }
	}
	if err := s.upload(ctx, start, fields, path, &queued); err != nil {
		return "", fmt.Errorf("%s: %w", mutation, err)
	}
	id = queued.Started.Import.ID
	var found struct {
		Import struct {
			Status       string
			RowsImported int
			Failure      string
		}
	}
	err = s.follow(ctx, "query($id: ID!) { import(id: $id) { status rowsImported failure } }", variables{"id": id}, &found, func() bool {
		return found.Import.Status != "QUEUED" && found.Import.Status != "RUNNING"
	})
	if err == nil && found.Import.RowsImported != wantRows {
		err = fmt.Errorf(
			"%d rows instead of %d are imported; the import is %s %s",
			found.Import.RowsImported,
			wantRows,
			found.Import.Status,
			found.Import.Failure,
		)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", mutation, err)
	}
	return id, nil
}

// expectRejections looks up whether exactly these rows of an import were rejected: how many for each reason.
func (s *server) expectRejections(ctx context.Context, id string, want map[string]int) error {
	var found struct {
		Import struct {
			RejectionsByReason []struct {
				Reason string
				Count  int
			}
		}
	}
	if err := s.ask(ctx, "query($id: ID!) { import(id: $id) { rejectionsByReason { reason count } } }", variables{"id": id}, &found); err != nil {
		return err
	}
	got := make(map[string]int)
	for _, r := range found.Import.RejectionsByReason {
		got[r.Reason] = r.Count
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("%s rejected %v instead of %v", id, got, want)
	}
	return nil
}
