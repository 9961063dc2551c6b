package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"couponql/client"
	"couponql/graph"
)

// server is a couponql that takes files and jobs as far as the commands look. It refuses what the
// contract does not allow, and breaks what a test wants broken.
type server struct {
	schema *ast.Schema
	url    string
	// answers are given instead, by the operation's name: one after the other, the last one again
	// and again.
	answers map[string][]string
	// transfer comes before the handling of a file's request; true: it has answered.
	transfer func(w http.ResponseWriter, r *http.Request, u *upload) bool
	// onAsked is called with each operation's name.
	onAsked func(name string)

	mu      sync.Mutex
	uploads []*upload
	// asked are the names of the operations so far, and inputs those of each mutation.
	asked    []string
	inputs   map[string][]map[string]any
	problems []error
	// requests counts those for files, by method.
	requests map[string]int
}

// upload is a file on its way in.
type upload struct {
	fileName string
	// size is negative if it was not named.
	size    int64
	content []byte
}

// download is the file that all links lead to.
const download = "code,label\nA,x\nB,y\n"

func newServer(t *testing.T, edit func(*server)) *server {
	t.Helper()
	s := &server{
		schema: graph.NewExecutableSchema(graph.Config{}).Schema(), answers: map[string][]string{},
		inputs: map[string][]map[string]any{}, requests: map[string]int{},
		transfer: func(http.ResponseWriter, *http.Request, *upload) bool { return false },
		onAsked:  func(string) {},
	}
	if edit != nil {
		edit(s)
	}
	listening := httptest.NewServer(s)
	s.url = listening.URL
	t.Cleanup(func() {
		listening.Close()
		for _, problem := range s.problems {
			t.Error(problem)
		}
	})
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, isUpload := strings.CutPrefix(r.URL.Path, "/uploads/"); isUpload {
		s.serveUpload(w, r, name)
		return
	}
	if r.URL.Path == "/file" {
		s.count(r.Method)
		if !s.transfer(w, r, nil) {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(download))
		}
		return
	}
	name, text, err := s.answer(r)
	if err != nil {
		s.mu.Lock()
		s.problems = append(s.problems, err)
		s.mu.Unlock()
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.onAsked(name)
	_, _ = io.WriteString(w, text)
}

func (s *server) count(method string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[method]++
}

func (s *server) serveUpload(w http.ResponseWriter, r *http.Request, name string) {
	number, _ := strconv.Atoi(name)
	s.mu.Lock()
	u := s.uploads[number-1]
	s.mu.Unlock()
	s.count(r.Method)
	if s.transfer(w, r, u) {
		return
	}
	if r.Method != http.MethodPut && r.Header.Get("Tus-Resumable") != "1.0.0" {
		http.Error(w, "which tus?", http.StatusPreconditionFailed)
		return
	}
	switch r.Method {
	case http.MethodHead:
		w.Header().Set("Upload-Offset", strconv.Itoa(len(u.content)))
		w.Header().Set("Upload-Length", strconv.FormatInt(u.size, 10))
	case http.MethodPatch:
		if r.Header.Get("Content-Type") != "application/offset+octet-stream" {
			http.Error(w, "wrong type", http.StatusUnsupportedMediaType)
			return
		}
		if r.Header.Get("Upload-Offset") != strconv.Itoa(len(u.content)) {
			http.Error(w, "wrong offset", http.StatusConflict)
			return
		}
		content, _ := io.ReadAll(r.Body)
		u.content = append(u.content, content...)
		w.Header().Set("Upload-Offset", strconv.Itoa(len(u.content)))
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPut:
		u.content, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "no", http.StatusMethodNotAllowed)
	}
}

// answer answers an operation.
func (s *server) answer(r *http.Request) (string, string, error) {
	var asked client.Request
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&asked); err != nil {
		return "", "", err
	}
	document, problems := gqlparser.LoadQueryWithRules(s.schema, asked.Query,
		rules.NewDefaultRules())
	if problems != nil {
		return "", "", problems
	}
	operation := document.Operations[0]
	if _, err := validator.VariableValues(s.schema, operation, asked.Variables); err != nil {
		return "", "", fmt.Errorf("%s: %w", operation.Name, err)
	}
	name := operation.Name
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, name)
	in, _ := asked.Variables["input"].(map[string]any)
	s.inputs[name] = append(s.inputs[name], in)
	if answers, ok := s.answers[name]; ok {
		if len(answers) > 1 {
			s.answers[name] = answers[1:]
		}
		return name, answers[0], nil
	}
	return name, s.data(name, asked.Variables, in), nil
}

// data answers well.
func (s *server) data(name string, variables, in map[string]any) string {
	switch name {
	case "GetCoupon", "FindCoupon":
		if variables["id"] == "coupon_17" || variables["code"] == "SUMMER" {
			return `{"data":{"coupon":{"id":"coupon_17"}}}`
		}
		return `{"data":{"coupon":null}}`
	case "CreateUpload":
		size := int64(-1)
		if number, ok := in["byteCount"].(json.Number); ok {
			size, _ = number.Int64()
		}
		s.uploads = append(s.uploads, &upload{fileName: in["fileName"].(string), size: size})
		return fmt.Sprintf(`{"data":{"createUpload":{"upload":{"id":"upload_%d","url":"/uploads/%[1]d"},"userErrors":[]}}}`, len(s.uploads))
	case "ImportProgress":
		return `{"data":{"import":{"status":"SUCCEEDED","progress":1,"rowsRead":3}}}`
	case "GetImport":
		return imported(`"rowsImported":3`)
	case "CancelImport":
		return `{"data":{"cancelImport":{"import":{"id":"import_1"},"userErrors":[]}}}`
	case "GenerateCodes":
		return `{"data":{"generateCodes":{"batch":{"id":"batch_1"},"userErrors":[]}}}`
	case "GetBatch":
		return generated("SUCCEEDED", 3, 3)
	case "CancelBatch":
		return `{"data":{"cancelBatch":{"batch":{"id":"batch_1"},"userErrors":[]}}}`
	case "GetExport":
		return fmt.Sprintf(`{"data":{"export":{"id":"export_1","status":"SUCCEEDED","rowCount":2,"byteCount":%d,"progress":1,"url":"/file"}}}`, len(download))
	}
	// The mutation of a job.
	field := strings.ToLower(name[:1]) + name[1:]
	kind := "import"
	if strings.HasPrefix(name, "Export") {
		kind = "export"
	}
	return fmt.Sprintf(`{"data":{%q:{%q:{"id":"%[2]s_1"},"userErrors":[]}}}`, field, kind)
}

// generated answers GetBatch.
func generated(status string, made, count int) string {
	return fmt.Sprintf(`{"data":{"codeBatch":{"id":"batch_1","status":%q,"progress":0.5,"madeCount":%d,"count":%d,"requestedCount":3,"failure":null}}}`,
		status, made, count)
}

// imported answers GetImport. Fields are those of a good import of three rows, unless given again.
func imported(fields string) string {
	return `{"data":{"import":{"id":"import_1","status":"SUCCEEDED","fileName":"codes.csv","rowsRead":3,"rowsImported":3,"rowsRejected":0,
		"rejectionsByReason":[],"rejections":{"nodes":[]},"warnings":[],"changes":{"added":3},` +
		fields + `}}}`
}

// rejected answers GetImport with a bad row.
const rejectedRow = `"rowsImported":2,"rowsRejected":1,"rejectionsByReason":[{"reason":"ALREADY_EXISTS","count":1}],"rejectsUrl":"/file",
	"rejections":{"nodes":[{"line":3,"reason":"ALREADY_EXISTS",
		"message":"The coupon already has this code.","value":"A\u001b[2J"}]},"changes":{"added":2}`

// result is what came of a command.
type result struct {
	code     int
	out, err string
}

// run runs a command as the program does.
func (s *server) run(
	ctx context.Context, t *testing.T, stdin io.Reader, edit func(*Console), args ...string,
) result {
	t.Helper()
	var out, stderr bytes.Buffer
	var commands struct {
		Import   Import   `cmd:""`
		Export   Export   `cmd:""`
		Generate Generate `cmd:""`
		SQL      SQL      `cmd:"" name:"sql"`
		Backup   Backup   `cmd:""`
	}
	parsed, err := kong.Must(&commands,
		kong.Exit(func(int) { t.Error("the parser exits") })).Parse(append(args, "--url", s.url))
	if err != nil {
		return result{CodeMisused, "", err.Error()}
	}
	console := NewConsole(stdin, &out, &stderr, false)
	console.pace = pace{
		poll: time.Millisecond, firstWait: time.Microsecond, lastWait: time.Millisecond,
		silence: time.Minute, grace: time.Minute, chunkBytes: 1000,
	}
	if edit != nil {
		edit(console)
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	code := 0
	if err := parsed.Run(console); err != nil {
		exit, isExit := errors.AsType[ExitError](err)
		if !isExit {
			t.Fatalf("got the error %v", err)
		}
		code = exit.ExitCode()
	}
	return result{code, out.String(), stderr.String()}
}

// write makes a file.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// breakOff takes some bytes of a request and cuts the connection.
func breakOff(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = connection.Close()
	}
}
