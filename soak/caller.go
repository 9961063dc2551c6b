package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"couponql/client"
)

// caller is one of the clients. It chooses by random numbers of its own, which follow from the seed.
type caller struct {
	*soak
	server *server
	number int
	random *rand.Rand
}

func (s *soak) newCaller(k *kind, number int) *caller {
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%s %d %d", k.name, number, s.round)
	return &caller{soak: s, server: s.server, number: number, random: rand.New(rand.NewPCG(s.options.seed, hash.Sum64()))}
}

// oneIn tells yes once in so many times.
func (c *caller) oneIn(count int) bool { return c.random.IntN(count) == 0 }

// upTo returns a time from nothing to d.
func (c *caller) upTo(d time.Duration) time.Duration { return time.Duration(c.random.Int64N(int64(d))) }

// errNothingToDo: there is nothing that the client could ask for.
var errNothingToDo = errors.New("nothing to do")

// mark returns a name that nothing else has: by it a thing is found in the database.
func (s *soak) mark() string { return fmt.Sprintf("mk%dx", s.serial.Add(1)) }

// isMark tells such a name from an id.
func isMark(name string) bool { return strings.HasPrefix(name, "mk") }

func (c *caller) do(ctx context.Context, operation string, vars client.Variables, answer any) error {
	return c.server.client.Do(ctx, operation, vars, answer)
}

// mutation returns the text of a mutation that has one input and selects these fields.
func mutation(action, selection string) string {
	return fmt.Sprintf("mutation($input: %s%sInput!) { %s(input: $input) { %s userErrors { code message field } } }",
		strings.ToUpper(action[:1]), action[1:], action, selection)
}

// mutate asks for a mutation, and notes that it was answered as done. Its entry in the audit log is found by the id in its
// input, or counted where that has a mark alone; "": it has none.
func (c *caller) mutate(ctx context.Context, action, selection, mark string, in map[string]any, payload any) error {
	var answer map[string]json.RawMessage
	if err := c.do(ctx, mutation(action, selection), client.Input(in), &answer); err != nil {
		return err
	}
	return c.acknowledged(action, mark, answer, payload)
}

func (c *caller) acknowledged(action, mark string, answer map[string]json.RawMessage, payload any) error {
	if mark != "" {
		c.model.acknowledge(action, mark)
	}
	if payload == nil {
		return nil
	}
	return json.Unmarshal(answer[action], payload)
}

// sendFile asks for an import of a file that comes with the request, and waits until it is over. i is what is to become of it.
func (c *caller) sendFile(ctx context.Context, action string, in map[string]any, text string, i importing, moves ...move) (id string, err error) {
	file := c.mark()
	wanted := c.model.beginImport(file, i, moves...)
	made := c.model.begin(action, move{"import " + file, there})
	c.spooled.sendFile()
	var answer map[string]json.RawMessage
	err = c.server.client.Upload(ctx, mutation(action, "import { id }"), in, file, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}, &answer)
	if isRefusal(err) {
		c.model.forgetImport(file)
	}
	if made.answered(err) != nil {
		return "", err
	}
	var queued queuedImport
	if err := c.acknowledged(action, file, answer, &queued); err != nil {
		return "", err
	}
	if wanted.imported == wanted.read {
		c.spooled.fileAnswered()
	}
	c.model.give(queued.Import.ID, "import "+file)
	return queued.Import.ID, nil
}

type queuedImport struct{ Import struct{ ID string } }

// importFile is sendFile, and waits until the import is over.
func (c *caller) importFile(ctx context.Context, action string, in map[string]any, text string, i importing, moves ...move) (id string, err error) {
	id, err = c.sendFile(ctx, action, in, text, i, moves...)
	if err != nil {
		return "", err
	}
	return id, c.waitImport(ctx, id)
}

// waitImport waits until an import is over. It is an error for one to fail.
func (c *caller) waitImport(ctx context.Context, id string) error {
	for ctx.Err() == nil {
		i, err := readImport(ctx, c.server.client, id)
		if err != nil {
			return err
		}
		if c.model.endImport(*i) {
			if i.status == "SUCCEEDED" {
				return nil
			}
			return &notDoneError{i.status + ": " + i.failure}
		}
		sleep(ctx, pollInterval)
	}
	return ctx.Err()
}

// notDoneError: a job ended in another way than well, which the model judges.
type notDoneError struct{ text string }

func (e *notDoneError) Error() string { return e.text }

// readImport looks how far an import is.
func readImport(ctx context.Context, client *client.Client, id string) (*importState, error) {
	var read struct {
		Import *struct {
			FileName, Status, Failure            string
			RowsRead, RowsImported, RowsRejected int
		}
	}
	operation := "query($id: ID!) { import(id: $id) { fileName status rowsRead rowsImported rowsRejected failure } }"
	if err := client.Do(ctx, operation, map[string]any{"id": id}, &read); err != nil {
		return nil, err
	}
	i := read.Import
	if i == nil {
		return nil, fmt.Errorf("%s was acknowledged and is gone", id)
	}
	return &importState{i.FileName, id, i.Status, i.RowsRead, i.RowsImported, i.RowsRejected, i.Failure}, nil
}

// send sends a request by a connection of its own, and gives the body of the answer to read.
func send(request *http.Request, read func(io.Reader) error) (status int, err error) {
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if read != nil {
		err = read(response.Body)
	}
	return response.StatusCode, err
}

// fetch reads a file from a link.
func fetch(ctx context.Context, link string, read func(io.Reader) error) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return err
	}
	status, err := send(request, read)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("a download is answered with %d", status)
	}
	return err
}
