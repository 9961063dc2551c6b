package main

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	// The driver of the database, of which the soak asks questions of its own.
	_ "github.com/marcboeker/go-duckdb/v2"
)

// The statements that are asked of a copy of the file: those in copy prepare it and give what they
// say, those in fact give things as name, id and state, and those in promise must give nothing.
// They are written from what the promises mean, and not from the server's own checks.
//
//go:embed statement
var statements embed.FS

// database is a copy of the server's file, made while no server runs.
type database struct {
	dir string
	db  *sql.DB
}

// openCopy copies a database with its log, and opens the copy. The original is not touched.
func openCopy(ctx context.Context, file string) (d *database, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(filepath.Dir(file)), "copy-*")
	if err != nil {
		return nil, fmt.Errorf("copy the database: %w", err)
	}
	d = &database{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if err := copyDatabase(filepath.Join(dir, "copy.duckdb"), file); err != nil {
		return nil, err
	}
	if d.db, err = sql.Open("duckdb",
		filepath.Join(dir, "copy.duckdb")+"?memory_limit=512MB&threads=2"); err != nil {
		return nil, fmt.Errorf("open the copy: %w", err)
	}
	// Temporary tables belong to a connection.
	d.db.SetMaxOpenConns(1)
	for _, name := range []string{"redemptions", "claims", "audits", "codes"} {
		if _, err := d.db.ExecContext(ctx, statement("copy/"+name)); err != nil {
			return nil, fmt.Errorf("prepare the copy: %s: %w", name, err)
		}
	}
	return d, nil
}

// copyDatabase copies a database with its log, if it has one.
func copyDatabase(to, from string) error {
	for _, ending := range []string{"", ".wal"} {
		if err := copyFile(to+ending, from+ending); err != nil &&
			(ending == "" || !errors.Is(err, fs.ErrNotExist)) {
			return fmt.Errorf("copy the database: %w", err)
		}
	}
	return nil
}

func copyFile(to, from string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// close closes the copy and deletes it.
func (d *database) close() error {
	var err error
	if d.db != nil {
		err = d.db.Close()
	}
	return errors.Join(err, os.RemoveAll(d.dir))
}

// statement returns the text of a statement.
func statement(name string) string {
	text, err := statements.ReadFile("statement/" + name + ".sql")
	if err != nil {
		panic(err) // It is embedded.
	}
	return string(text)
}

// namesIn returns the statements of a folder.
func namesIn(folder string) []string {
	entries, err := statements.ReadDir("statement/" + folder)
	if err != nil {
		panic(err) // It is embedded.
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = strings.TrimSuffix(entry.Name(), ".sql")
	}
	return names
}

// each asks a statement, and scans each of its rows into the same variables before it gives it to a
// function.
func (d *database) each(ctx context.Context, query string, take func(), into ...any) error {
	rows, err := d.db.QueryContext(ctx, query)
	if err != nil {
		title, _, _ := strings.Cut(query, "\n")
		return fmt.Errorf("%s: %w", title, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		take()
	}
	return rows.Err()
}

// violation is a promise that the file breaks.
type violation struct{ promise, text string }

// maxViolations is how many violations of one promise are told one by one.
const maxViolations = 5

// violations asks every statement on the promises.
func (d *database) violations(ctx context.Context) (found []violation, err error) {
	for _, name := range namesIn("promise") {
		var text string
		promise, title, _ := strings.Cut(name, "_")
		count := 0
		err := d.each(ctx, statement("promise/"+name), func() {
			if count++; count <= maxViolations {
				found = append(found, violation{
					strings.ToUpper(promise), strings.ReplaceAll(title, "_", " ") + ": " + text,
				})
			}
		}, &text)
		if err != nil {
			return nil, err
		}
		if count > maxViolations {
			found = append(found, violation{
				strings.ToUpper(promise),
				fmt.Sprintf("%s: %d in all", strings.ReplaceAll(title, "_", " "), count),
			})
		}
	}
	return found, nil
}

// facts reads what the file says of all that clients made.
func (d *database) facts(ctx context.Context) (*facts, error) {
	f := &facts{
		things: map[string]fact{}, audited: map[string]int{}, groups: map[string]int{},
		people: map[string]string{},
	}
	var name, id, text string
	for _, kind := range namesIn("fact") {
		err := d.each(ctx, statement("fact/"+kind), func() {
			key := kind + " " + name
			if _, isThere := f.things[key]; isThere {
				f.twice = append(f.twice, key)
			}
			f.things[key] = fact{id, stateNames[text]}
		}, &name, &id, &text)
		if err != nil {
			return nil, err
		}
	}
	var count int
	var i importState
	return f, errors.Join(
		d.each(ctx, statement("copy/audited"), func() { f.audited[text] = count }, &text, &count),
		d.each(ctx, statement("copy/groups"), func() { f.groups[name] = count }, &name, &count),
		d.each(
			ctx,
			statement("copy/imports"),
			func() { f.imports = append(f.imports, i) },
			&i.file,
			&i.id,
			&i.status,
			&i.read,
			&i.imported,
			&i.rejected,
			&i.failure,
		),
		d.readPeople(ctx, f.people),
	)
}

// readPeople looks for the marks of people in every text of every table.
func (d *database) readPeople(ctx context.Context, found map[string]string) error {
	var table, column, mark string
	var columns [][2]string
	if err := d.each(ctx, statement("copy/columns"), func() {
		columns = append(columns, [2]string{table, column})
	}, &table, &column); err != nil {
		return err
	}
	for _, c := range columns {
		if err := d.each(ctx, fmt.Sprintf(statement("copy/people"), c[0], c[1]),
			func() { found[mark] = path.Join(c[0], c[1]) }, &mark); err != nil {
			return err
		}
	}
	return nil
}

// numbers asks a statement for one number by name, such as how many rows a table has.
func (d *database) numbers(ctx context.Context, name string) (map[string]int, error) {
	found := map[string]int{}
	var key string
	var count int
	err := d.each(ctx, statement("copy/"+name), func() { found[key] = count }, &key, &count)
	return found, err
}

// availability returns how many codes of a coupon are in which state.
func (d *database) availability(ctx context.Context) (map[string]map[state]int, error) {
	found := map[string]map[state]int{}
	var coupon, text string
	var count int
	err := d.each(ctx, statement("copy/availability"), func() {
		if found[coupon] == nil {
			found[coupon] = map[state]int{}
		}
		found[coupon][stateNames[text]] = count
	}, &coupon, &text, &count)
	return found, err
}
