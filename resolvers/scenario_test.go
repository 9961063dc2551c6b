package resolvers_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"couponql/access"
	"couponql/analyst"
	"couponql/coupon"
	"couponql/courier"
	"couponql/db"
	"couponql/db/dbtest"
	"couponql/job"
	"couponql/resolvers"
	"couponql/sender"
	"couponql/short"
	"couponql/transfer"
)

var update = flag.Bool("update", false,
	"write the responses of the scenarios anew; review them before you commit")

// signature is that of a link.
var signature = regexp.MustCompile(`signature=[\w-]{43}`)

// TestScenarios runs testdata/*.txtar: each is a story of requests to the real handler over HTTP,
// with a real database, real jobs and a real outbox. A step NN-name has the files
//
//	NN-name.clock           the instant to which the clock is moved first, where it is
//	NN-name.as              the role of who asks, where keys are wanted; from then on ADMIN
//	                        asks where none is
//	NN-name.graphql         the request
//	NN-name.md              a heading and a sentence, where a document shows the scenario
//	NN-name.variables.json  its variables; "@codes.csv" uploads that file of the archive, and "$1.createCoupon.coupon.id"
//	                        is that value of the answer of step 1
//	NN-name.response.json   the answer
//
// Between steps all jobs come to their end. The clock stands at 2026-11-23T12:00:00Z until it is
// moved. After the last step the promises P1 to P6 must hold, and a section outbox/name must be
// what that file of the outbox has. Run one with -run 'TestScenarios/reference'.
func TestScenarios(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			server := newServer(t)
			for _, name := range steps(archive) {
				got := server.run(t, archive, name)
				if *update {
					set(archive, name+".response.json", got)
					continue
				}
				if diff := cmp.Diff(string(section(archive, name+".response.json")),
					string(got)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			server.checkPromises(t)
			server.checkAuditLog(t)
			for i, file := range archive.Files {
				if name, isOutbox := strings.CutPrefix(file.Name, "outbox/"); isOutbox {
					got, err := os.ReadFile(filepath.Join(server.outbox, name))
					if err != nil {
						t.Error(err)
					}
					if *update {
						archive.Files[i].Data = got
					} else if diff := cmp.Diff(string(file.Data), string(got)); diff != "" {
						t.Errorf("%s (-want +got):\n%s", file.Name, diff)
					}
				}
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// steps returns the names of the steps of a scenario, in their order.
func steps(archive *txtar.Archive) []string {
	var names []string
	for _, file := range archive.Files {
		if name, isStep := strings.CutSuffix(file.Name, ".graphql"); isStep {
			names = append(names, name)
		}
	}
	return names
}

func section(archive *txtar.Archive, name string) []byte {
	for _, file := range archive.Files {
		if file.Name == name {
			return file.Data
		}
	}
	return nil
}

// set writes a section; a new one comes after the step it belongs to.
func set(archive *txtar.Archive, name string, data []byte) {
	step, _, _ := strings.Cut(name, ".")
	place := len(archive.Files)
	for i := range archive.Files {
		if archive.Files[i].Name == name {
			archive.Files[i].Data = data
			return
		}
		if strings.HasPrefix(archive.Files[i].Name, step+".") {
			place = i + 1
		}
	}
	archive.Files = slices.Insert(archive.Files, place, txtar.File{Name: name, Data: data})
}

// server is a whole couponql server for one test.
type server struct {
	*httptest.Server
	store  *db.Store
	clock  *dbtest.Clock
	outbox string
	// folder has the database.
	folder string
	// tokens has a key of each role, once there are keys; token is that of who asks.
	tokens map[coupon.Role]string
	token  string
	// logged has what the server wrote to its log.
	logged *logLines
	// answers has the data of each step's answer, by the step's number.
	answers map[string]any
	// start starts the jobs, and stop stops them.
	start func()
	stop  func()
}

// TestMain lets the processes that answer SQL be this program.
func TestMain(m *testing.M) {
	//nolint:forbidigo // it is a main function
	exit := os.Exit
	if len(os.Args) == 2 && os.Args[1] == analyst.Command {
		if err := analyst.Answer(os.Stdin, os.Stdout, exit); err != nil {
			fmt.Fprintln(os.Stderr, err)
			exit(1)
		}
		return
	}
	exit(short.Run(m,
		"TestScenarios/reference", "TestScenarios/anonymous", "TestScenarios/walkthrough"))
}

// newAnalyst returns what answers SQL.
func newAnalyst(t *testing.T, store *db.Store, log *slog.Logger) *analyst.Analyst {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	answers, err := analyst.New(store, analyst.Options{Program: program, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := answers.Close(); err != nil {
			t.Error(err)
		}
	})
	return answers
}

func newServer(t *testing.T, options ...func(*job.Options)) *server {
	t.Helper()
	return newGuardedServer(t, access.Options{}, options...)
}

// newGuardedServer is newServer with other ways to be let in.
func newGuardedServer(t *testing.T, guards access.Options, options ...func(*job.Options)) *server {
	t.Helper()
	clock := dbtest.NewClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	base := t.TempDir()
	store := dbtest.Open(t, filepath.Join(base, "couponql.duckdb"), clock.Use)
	folder := filepath.Join(t.TempDir(), "outbox")
	out, err := sender.OpenOutbox(folder)
	if err != nil {
		t.Fatal(err)
	}
	logged := &logLines{}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(testWriter{t}, logged), nil))
	answers := newAnalyst(t, store, log)
	jobs := job.Options{Query: answers.Export, Log: log}
	for _, option := range options {
		option(&jobs)
	}
	key, err := store.LinkKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	links := transfer.NewLinks(key)
	mux := http.NewServeMux()
	guard, err := access.New(store, guards)
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/graphql", resolvers.Handler(resolvers.New(store, links,
		courier.New(store, out, nil), answers, guard), resolvers.Options{Log: log}))
	mux.Handle("/", transfer.Handler(transfer.Options{Store: store, Links: links, Log: log}))
	s := &server{
		Server: httptest.NewServer(transfer.WithBaseURL(mux)), store: store, clock: clock,
		outbox: folder, folder: base, logged: logged,
	}
	t.Cleanup(s.Close)
	s.start = func() { s.stop = job.Start(t.Context(), store, out, jobs).Stop }
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

// moveClock moves the clock while no job runs: a job that waits for an instant does so by the
// machine's clock.
func (s *server) moveClock(t *testing.T, at string) {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, strings.TrimSpace(at))
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	s.clock.Set(instant)
	s.start()
	s.drain(t)
}

// logLines keeps the log of a server.
type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write keeps what is written.
func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was written.
func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// testWriter makes the log of a server that of its test.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Helper()
	w.t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// run sends a step's request, waits for the jobs it caused, and gives the answer as it stands in a
// scenario.
func (s *server) run(t *testing.T, archive *txtar.Archive, name string) []byte {
	t.Helper()
	if at := section(archive, name+".clock"); at != nil {
		s.moveClock(t, string(at))
	}
	var variables map[string]any
	if text := section(archive, name+".variables.json"); text != nil {
		if err := json.Unmarshal(text, &variables); err != nil {
			t.Fatalf("%s: variables: %v", name, err)
		}
	}
	for variable, value := range variables {
		variables[variable] = s.recall(t, value)
	}
	body, contentType := request(t, string(section(archive, name+".graphql")), variables,
		func(file string) []byte {
			data := section(archive, file)
			if data == nil {
				t.Fatalf("%s: there is no file %s", name, file)
			}
			return data
		})
	if role := coupon.Role(strings.TrimSpace(string(section(archive, name+".as")))); role != "" {
		s.become(t, role)
	} else if s.tokens != nil {
		s.become(t, coupon.RoleAdmin)
	}
	answer := s.post(t, body, contentType)
	s.drain(t)
	s.remember(t, name, answer)
	// Links differ in each run: by the port, and by the key of the database.
	answer = signature.ReplaceAll(bytes.ReplaceAll(answer, []byte(s.URL), []byte("http://server")),
		[]byte("signature=…"))
	var indented bytes.Buffer
	if err := json.Indent(&indented, answer, "", "  "); err != nil {
		t.Fatalf("%s: %v: %s", name, err, answer)
	}
	indented.WriteByte('\n')
	return indented.Bytes()
}

// remember keeps the answer of a step for recall.
func (s *server) remember(t *testing.T, name string, answer []byte) {
	t.Helper()
	number, _, _ := strings.Cut(strings.TrimLeft(name, "0"), "-")
	var body struct {
		Data any `json:"data"`
	}
	if err := json.Unmarshal(answer, &body); err != nil {
		t.Fatalf("%s: %v: %s", name, err, answer)
	}
	if s.answers == nil {
		s.answers = map[string]any{}
	}
	s.answers[number] = body.Data
}

// reference is a value of an earlier answer: the number of its step, and the path to it.
var reference = regexp.MustCompile(`^\$(\w+)\.([\w.]+)$`)

// recall returns the value that a variable refers to, or the variable itself.
func (s *server) recall(t *testing.T, variable any) any {
	t.Helper()
	text, _ := variable.(string)
	parts := reference.FindStringSubmatch(text)
	if parts == nil {
		return variable
	}
	value := s.answers[parts[1]]
	for member := range strings.SplitSeq(parts[2], ".") {
		object, _ := value.(map[string]any)
		value = object[member]
	}
	if value == nil {
		t.Fatalf("%s: the answer of step %s has no such value", text, parts[1])
	}
	return value
}

// request makes the body of a request: JSON, or multipart when a variable is a file.
func request(t *testing.T, query string, variables map[string]any, read func(name string) []byte) (
	body []byte, contentType string,
) {
	t.Helper()
	files := map[string]string{}
	variables, _ = withoutFiles(variables, "variables", files).(map[string]any)
	operations, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		return operations, "application/json"
	}
	var buffer bytes.Buffer
	form := multipart.NewWriter(&buffer)
	places := map[string][]string{}
	var names []string
	for path, name := range files {
		places[name] = append(places[name], path)
		names = append(names, name)
	}
	placesText, err := json.Marshal(places)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []struct{ name, text string }{
		{"operations", string(operations)}, {"map", string(placesText)},
	} {
		if err := form.WriteField(field.name, field.text); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		header := textproto.MIMEHeader{}
		header.Set("Content-Disposition",
			fmt.Sprintf(`form-data; name=%q; filename=%q`, name, name))
		header.Set("Content-Type", "text/csv")
		part, err := form.CreatePart(header)
		if err == nil {
			_, err = part.Write(read(name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes(), form.FormDataContentType()
}

// withoutFiles replaces "@name" by null and notes where it stood.
func withoutFiles(value any, path string, files map[string]string) any {
	switch v := value.(type) {
	case map[string]any:
		for key, one := range v {
			v[key] = withoutFiles(one, path+"."+key, files)
		}
	case string:
		if name, isFile := strings.CutPrefix(v, "@"); isFile {
			files[path] = name
			return nil
		}
	}
	return value
}

func (s *server) post(t *testing.T, body []byte, contentType string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql",
		bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	s.authorize(r)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// become has requests come from a caller with a role from now on. The first call makes a key of
// each role.
func (s *server) become(t *testing.T, role coupon.Role) {
	t.Helper()
	if s.tokens == nil {
		s.tokens = map[coupon.Role]string{}
		for _, one := range coupon.Roles() {
			_, token, err := s.store.CreateKey(t.Context(),
				&coupon.NewAPIKey{Label: "the " + strings.ToLower(string(one)), Role: one})
			if err != nil {
				t.Fatal(err)
			}
			s.tokens[one] = token
		}
	}
	s.token = s.tokens[role]
}

// authorize shows the key of who asks.
func (s *server) authorize(r *http.Request) {
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
}

// drain waits until no job has anything to do.
func (s *server) drain(t *testing.T) {
	t.Helper()
	due, stop := s.store.WatchDue()
	defer stop()
	for {
		imports, err := s.store.WaitingImports(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		exports, err := s.store.WaitingExports(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		deliveries, err := s.store.DueDeliveries(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		later := func(d db.Due) bool { return d.At.After(s.store.Now()) }
		if len(imports)+len(exports) == 0 &&
			!slices.ContainsFunc(deliveries, func(d db.Due) bool { return !later(d) }) {
			return
		}
		select {
		case <-due:
		case <-time.After(10 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// checkAuditLog fails the test when the audit log has a code or an address.
func (s *server) checkAuditLog(t *testing.T) {
	t.Helper()
	log, err := s.store.AuditLog(t.Context(), nil,
		coupon.Page{First: coupon.MaxPageSize, WantsItems: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(log.Items) == 0 {
		t.Error("the audit log is empty")
	}
	if s.tokens != nil {
		s.become(t, coupon.RoleAdmin)
	}
	shown := s.ask(
		t,
		`{ coupons(first: 100) { nodes { codes(first: 100) { nodes { value } } } } recipients(first: 500) { nodes { email phone lastName } } }`,
		nil,
		nil,
	)
	var check func(value any)
	check = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			for _, inner := range v {
				check(inner)
			}
		case []any:
			for _, inner := range v {
				check(inner)
			}
		case string:
			for _, e := range log.Items {
				if strings.Contains(string(e.Input), strconv.Quote(v)) ||
					len(v) > 5 && strings.Contains(string(e.Input), v) {
					t.Errorf("the audit log has %q: %s %s", v, e.Action, e.Input)
				}
			}
		}
	}
	check(shown)
}

// checkPromises fails the test unless the promises P1 to P6 hold.
func (s *server) checkPromises(t *testing.T) {
	t.Helper()
	report, err := s.store.IntegrityReport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Checks) == 0 {
		t.Error("nothing was checked")
	}
	for _, check := range report.Checks {
		if check.Violations > 0 {
			t.Errorf("%s: %d violations of %q: %v", check.Name, check.Violations, check.Description,
				check.Examples)
		}
	}
}
