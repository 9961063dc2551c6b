package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"couponql/client"
)

// server is a couponql of the demo's size: it refuses what the contract does not allow, and answers as
// a real one would for as far as the demo looks.
type server struct {
	schema *ast.Schema
	// override has answers to be given instead, by the operation's name.
	override map[string]string

	mu sync.Mutex
	// asked are the names of the operations so far, and problems what the contract does not allow.
	asked    []string
	problems []error
	// inputs has the input of each mutation, by the operation's name.
	inputs map[string][]map[string]any
	// rows are the imported ones of each file, without its header.
	rows map[string][][]string
	// jobs are the answers to GetImport, by id.
	jobs map[string]string
	// looks counts those at each delivery.
	looks map[string]int
}

// newServer starts a server for the time of the test.
func newServer(t *testing.T, override map[string]string) (*server, *client.Client) {
	t.Helper()
	s := &server{
		schema: contract(t), override: override,
		inputs: map[string][]map[string]any{}, rows: map[string][][]string{}, jobs: map[string]string{}, looks: map[string]int{},
	}
	listening := httptest.NewServer(s)
	t.Cleanup(listening.Close)
	return s, client.New(listening.URL+"/", "")
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer, err := s.answer(r)
	if err != nil {
		s.problems = append(s.problems, err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := io.WriteString(w, answer); err != nil {
		s.problems = append(s.problems, err)
	}
}

func (s *server) answer(r *http.Request) (string, error) {
	if r.Method != http.MethodPost || r.URL.Path != "/graphql" {
		return "", fmt.Errorf("%s %s", r.Method, r.URL.Path)
	}
	body := io.Reader(r.Body)
	var form *multipart.Reader
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var err error
		if form, err = r.MultipartReader(); err != nil {
			return "", err
		}
		if body, err = part(form, "operations"); err != nil {
			return "", err
		}
	}
	var asked client.Request
	decoder := json.NewDecoder(body)
	decoder.UseNumber()
	if err := decoder.Decode(&asked); err != nil {
		return "", err
	}
	document, problems := gqlparser.LoadQueryWithRules(s.schema, asked.Query, rules.NewDefaultRules())
	if problems != nil {
		return "", problems
	}
	operation := document.Operations[0]
	if _, err := validator.VariableValues(s.schema, operation, asked.Variables); err != nil {
		return "", fmt.Errorf("%s: %w", operation.Name, err)
	}
	s.asked = append(s.asked, operation.Name)
	in, _ := asked.Variables["input"].(map[string]any)
	s.inputs[operation.Name] = append(s.inputs[operation.Name], in)
	if form != nil {
		if err := s.take(form); err != nil {
			return "", fmt.Errorf("%s: %w", operation.Name, err)
		}
	}
	if answer, ok := s.override[operation.Name]; ok {
		return answer, nil
	}
	return s.data(operation.Name, asked.Variables, in)
}

// part gives the next part of a form, which must have this name.
func part(form *multipart.Reader, name string) (*multipart.Part, error) {
	p, err := form.NextPart()
	if err != nil {
		return nil, err
	}
	if p.FormName() != name {
		return nil, fmt.Errorf("got the part %q, want %q", p.FormName(), name)
	}
	return p, nil
}

// take reads the rest of a form, whose file is a CSV with a header, and imports it.
func (s *server) take(form *multipart.Reader) error {
	where, err := part(form, "map")
	if err != nil {
		return err
	}
	var places map[string][]string
	if err := json.NewDecoder(where).Decode(&places); err != nil {
		return err
	}
	if got := fmt.Sprint(places); got != "map[file:[variables.input.file]]" {
		return fmt.Errorf("got the map %s", got)
	}
	file, err := part(form, "file")
	if err != nil {
		return err
	}
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return err
	}
	if p, err := form.NextPart(); err != io.EOF {
		return fmt.Errorf("after the file: %v, %w", p, err)
	}
	s.rows[file.FileName()] = rows[1:]
	imported, rejected := len(rows)-1, 0
	if file.FileName() == "tills.csv" {
		imported, rejected = s.recordFlyers(rows[1:])
	}
	id := fmt.Sprintf("import_%d", len(s.rows))
	s.jobs[id] = fmt.Sprintf(`{"import":{"status":"SUCCEEDED","rowsImported":%d,"rowsRejected":%d,"rejectionsByReason":[]}}`,
		imported, rejected)
	return nil
}

// recordFlyers counts the rows whose flyer exists and is used for the first time, and the others.
func (s *server) recordFlyers(rows [][]string) (imported, rejected int) {
	unused := map[string]bool{}
	for _, row := range s.rows["flyers.csv"] {
		unused[row[0]] = true
	}
	for _, row := range rows {
		if unused[row[0]] {
			imported++
		}
		delete(unused, row[0])
	}
	return imported, len(rows) - imported
}

// data answers an operation.
func (s *server) data(name string, vars, in map[string]any) (string, error) {
	count := len(s.inputs[name])
	switch name {
	case "CouponCount":
		return object("coupons", `{"totalCount":0}`), nil
	case "CreateCoupon":
		return payload("createCoupon", fmt.Sprintf(`"coupon":{"id":"coupon_%d"}`, count)), nil
	case "ImportCodes", "ImportRecipients", "ImportRedemptions":
		return payload(strings.Replace(name, "Import", "import", 1), fmt.Sprintf(`"import":{"id":"import_%d"}`, len(s.rows))), nil
	case "GetImport":
		return `{"data":` + s.jobs[vars["id"].(string)] + `}`, nil
	case "GenerateCodes":
		return payload("generateCodes", fmt.Sprintf(`"generatedCount":%v`, in["count"])), nil
	case "VoidCodes":
		return payload("voidCodes", fmt.Sprintf(`"voidedCount":%d`, len(in["values"].([]any)))), nil
	case "ListRedemptions":
		return object("redemptions", nodes("id", "redemption", vars["first"])), nil
	case "ReverseRedemption":
		return payload("reverseRedemption", fmt.Sprintf(`"redemption":{"id":%q}`, in["id"])), nil
	case "CreateDelivery":
		return payload("createDelivery", fmt.Sprintf(`"delivery":{"id":"delivery_%d"}`, count)), nil
	case "AddTargets":
		return payload("addTargets", fmt.Sprintf(`"delivery":{"id":%q}`, in["deliveryId"])), nil
	case "AnalyzeDelivery":
		return payload("analyzeDelivery", `"delivery":`+s.analysis(in["id"])), nil
	case "ConfirmDelivery":
		return payload("confirmDelivery", `"delivery":{"status":"IN_PROGRESS"}`), nil
	case "GetDelivery":
		return object("delivery", s.progress(vars["id"].(string))), nil
	case "ListCodes":
		return object("coupon", `{"codes":`+nodes("value", vars["label"].(string), vars["first"])+`}`), nil
	case "RedeemCode":
		return payload("redeemCode", fmt.Sprintf(`"redemption":{"id":"redemption_%d"}`, count)), nil
	}
	return "", fmt.Errorf("no answer to %s", name)
}

func object(field, value string) string { return fmt.Sprintf(`{"data":{%q:%s}}`, field, value) }

func payload(field, value string) string { return object(field, "{"+value+`,"userErrors":[]}`) }

// nodes makes a connection of so many nodes with one field each.
func nodes(field, prefix string, count any) string {
	var list bytes.Buffer
	n, _ := count.(json.Number).Int64()
	for i := range n {
		fmt.Fprintf(&list, `,{%q:"%s_%d"}`, field, prefix, i)
	}
	return `{"nodes":[` + strings.TrimPrefix(list.String(), ",") + `]}`
}

// analysis finds too few codes for a delivery to everybody that needs one for each.
func (s *server) analysis(id any) string {
	var number int
	if _, err := fmt.Sscanf(id.(string), "delivery_%d", &number); err != nil {
		return "null"
	}
	filter := s.inputs["AddTargets"][number-1]["filter"].(map[string]any)
	if len(filter) == 0 && s.inputs["CreateDelivery"][number-1]["matchLabelTo"] != nil {
		return `{"status":"EDITING","analysis":{"targetCount":20000,"messageCount":17000,"codesShort":3000,
			"exclusions":[{"reason":"NO_ADDRESS","count":3000}],"log":[]}}`
	}
	return `{"status":"READY","analysis":{"targetCount":9000,"messageCount":8000,"codesShort":0,
		"exclusions":[{"reason":"NO_ADDRESS","count":1000}],"log":[]}}`
}

// progress lets a delivery be at work at the first look, and scheduled if it has a date.
func (s *server) progress(id string) string {
	var number int
	if _, err := fmt.Sscanf(id, "delivery_%d", &number); err != nil {
		return "null"
	}
	s.looks[id]++
	status := "FINISHED"
	if s.inputs["CreateDelivery"][number-1]["contactAt"] != nil {
		status = "SCHEDULED"
	} else if s.looks[id] == 1 {
		status = "IN_PROGRESS"
	}
	return fmt.Sprintf(`{"status":%q,"counts":{"total":8000,"sent":8000,"failed":0}}`, status)
}
