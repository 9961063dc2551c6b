package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"couponql/client"
)

// formats are those of exports.
var formats = []string{"CSV", "XML", "JSONL", "PARQUET"}

// export asks for an export, waits until it is over, and gives the link to the file.
func (c *caller) export(ctx context.Context, action, mark string, in map[string]any) (
	link string, err error,
) {
	c.spooled.export()
	var queued struct{ Export struct{ ID string } }
	if err := c.mutate(ctx, action, "export { id }", mark, in, &queued); err != nil {
		return "", err
	}
	id := queued.Export.ID
	c.model.give(id, "export "+c.mark())
	for {
		var read struct {
			Export *struct{ Status, URL, Failure string }
		}
		if err := c.do(ctx, "query($id: ID!) { export(id: $id) { status url failure } }",
			client.Variables{"id": id}, &read); err != nil {
			return "", err
		}
		switch e := read.Export; {
		case e == nil:
			return "", fmt.Errorf("%s was acknowledged and is gone", id)
		case e.Status == "QUEUED" || e.Status == "RUNNING":
			sleep(ctx, pollInterval)
		case e.Status == "SUCCEEDED":
			return e.URL, nil
		default:
			return "", fmt.Errorf("%s is %s: %s", id, e.Status, e.Failure)
		}
	}
}

// exportSome exports something in some format, and downloads it; one in three is left in the
// middle.
func (c *caller) exportSome(ctx context.Context) error {
	in := map[string]any{"format": formats[c.random.IntN(len(formats))]}
	action, mark := "exportRedemptions", ""
	switch d, kind := c.someDelivery(), c.random.IntN(9); {
	case kind < 3:
		action, mark, in["couponId"] = "exportCodes", c.tills, c.tills
	case kind < 5:
		action, mark = "exportSql", c.mark()
		in["query"] = "SELECT status, count(*) AS " + mark + " FROM codes GROUP BY status"
		if in["format"] == "XML" { // which the columns of a query do not make
			in["format"] = "CSV"
		}
	case d != "":
		action, mark, in["deliveryId"] = "exportMessages", d, d
	}
	link, err := c.export(ctx, action, mark, in)
	if err != nil {
		return err
	}
	var bytesRead int64
	err = fetch(ctx, link, func(body io.Reader) (err error) {
		if c.oneIn(3) {
			body = io.LimitReader(body, 1<<10)
		}
		bytesRead, err = io.Copy(io.Discard, body)
		return err
	})
	// Before anything is redeemed there is no row, which in lines of JSON is no byte.
	if err == nil && bytesRead == 0 && in["format"] != "JSONL" {
		err = errors.New("an export is empty")
	}
	return err
}

// someDelivery returns a delivery that was confirmed, or "".
func (c *caller) someDelivery() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sent) == 0 {
		return ""
	}
	return c.sent[c.random.IntN(len(c.sent))].id
}

// backup is a file that the server made, and when that began.
type backup struct {
	path  string
	began time.Time
}

// exportBackup makes a backup and keeps it in the place of the last one.
func (c *caller) exportBackup(ctx context.Context) (err error) {
	b := backup{filepath.Join(filepath.Dir(c.dir), c.mark()+".backup"), time.Now()}
	link, err := c.export(ctx, "exportBackup", "", map[string]any{})
	if err != nil {
		return err
	}
	if err := fetch(ctx, link,
		func(body io.Reader) error { return writeFile(b.path, body) }); err != nil {
		return errors.Join(err, os.RemoveAll(b.path))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.backup
	c.backup = &b
	if last != nil {
		return os.RemoveAll(last.path)
	}
	return nil
}

func writeFile(path string, body io.Reader) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, body)
	return errors.Join(err, file.Close())
}

// askSQL asks in SQL.
func (c *caller) askSQL(ctx context.Context) error {
	return c.do(ctx,
		`{ sql(query: "SELECT status, count(*) FROM codes GROUP BY status") { rows rowCount } }`, nil, nil)
}
