package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"couponql/client"
)

// loadInto loads the demo into a server and gives what was printed.
func loadInto(t *testing.T, c *client.Client, s *shop) (output string, err error) {
	t.Helper()
	var out strings.Builder
	l := &loader{client: c, shop: s, out: &out, poll: time.Millisecond, lap: time.Now()}
	err = l.load(t.Context())
	return out.String(), err
}

func TestLoad(t *testing.T) {
	t.Parallel()
	s, c := newServer(t, nil)
	output, err := loadInto(t, c, shopAt(t, afternoon))
	for _, problem := range s.problems {
		t.Errorf("the server refused: %v", problem)
	}
	if err != nil {
		t.Fatal(err)
	}
	for file, operation := range operations(t, s.schema) {
		if !slices.Contains(s.asked, operation.Name) {
			t.Errorf("%s was never asked", file)
		}
	}
	for name, want := range map[string]int{
		"flyers.csv": 20_000, "sport-codes.csv": 30_000, "customers.csv": 20_000, "tills.csv": 4_220, "web-shop.csv": 3_200,
	} {
		if got := len(s.rows[name]); got != want {
			t.Errorf("%s: got %d rows, want %d", name, got, want)
		}
	}
	// A code that is used before a delivery assigns it is an anomaly: files first, deliveries after them.
	if last, first := lastIndex(s.asked, "ImportRedemptions"), slices.Index(s.asked, "ConfirmDelivery"); last > first {
		t.Errorf("redemptions are imported (request %d) after a delivery was confirmed (request %d)", last, first)
	}
	keys := map[any]bool{}
	for _, in := range s.inputs["RedeemCode"] {
		keys[in["idempotencyKey"]] = true
	}
	if got, want := len(keys), basketCount+1; got != want {
		t.Errorf("got %d idempotency keys, want %d", got, want)
	}
	for _, want := range []string{
		"Loading demo data into " + c.Address + "\n",
		"30,000 codes of SPORT15 imported from sport-codes.csv",
		"4,200 redemptions of FLYER20 imported from tills.csv, 20 rows rejected",
		`"A present for your sport" is FINISHED`,
		`"Summer kick-off by text message" is FINISHED`,
		`"Preview for gold and silver" is READY`,
		`"Thank-you card by post" is SCHEDULED`,
		`"End of season for everybody" is EDITING: 17,000 of 20,000 targets get a message, 3,000 left out; 3,000 codes are missing`,
		"Open the playground at " + c.Address + "/ and look at\n",
		`{"value": "soccer_0"}`,
	} {
		if !strings.Contains(output, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	names := regexp.MustCompile(`the example (\w+)`).FindAllStringSubmatch(output, -1)
	if len(names) != 3 {
		t.Errorf("got %d examples to look at, want 3", len(names))
	}
	examples := playgroundExamples(t)
	for _, name := range names {
		if !strings.Contains(examples, "query "+name[1]+"(") {
			t.Errorf("the playground has no example %s", name[1])
		}
	}
	if t.Failed() {
		t.Log(output)
	}
}

// playgroundExamples gives the playground's example operations.
func playgroundExamples(t *testing.T) string {
	t.Helper()
	paths, err := filepath.Glob("../playground/operations/*.graphql")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(content)
	}
	return text.String()
}

func lastIndex(list []string, value string) int {
	for i, v := range slices.Backward(list) {
		if v == value {
			return i
		}
	}
	return -1
}

// Whatever the server refuses ends the loading, with what it said and what it was about.
func TestLoadFails(t *testing.T) {
	t.Parallel()
	data := shopAt(t, afternoon)
	for name, c := range map[string]struct {
		operation, answer string
		want              []string
	}{
		"coupons": {
			"CouponCount", `{"data":{"coupons":{"totalCount":2}}}`,
			[]string{"already has coupons (2)", "empty"},
		},
		"user error": {
			"CreateCoupon", `{"data":{"createCoupon":{"coupon":null,"userErrors":[
				{"code":"ALREADY_EXISTS","message":"Another coupon has this code.","field":["input","code"]}]}}}`,
			[]string{"create coupon SUMMER10: createCoupon: ALREADY_EXISTS at input.code: Another coupon has this code."},
		},
		"user error of an upload": {
			"ImportCodes", `{"data":{"importCodes":{"import":null,"userErrors":[
				{"code":"FILE_TOO_LARGE","message":"Too large.","field":null}]}}}`,
			[]string{"import flyers.csv: importCodes: FILE_TOO_LARGE: Too large."},
		},
		"failed import": {
			"GetImport", `{"data":{"import":{"status":"FAILED","failure":"The disk is full."}}}`,
			[]string{"import flyers.csv: it is FAILED: The disk is full."},
		},
		"rejected rows": {
			"GetImport", `{"data":{"import":{"status":"SUCCEEDED","rowsImported":19999,"rowsRejected":1,
				"rejectionsByReason":[{"reason":"MALFORMED","count":1}]}}}`,
			[]string{"import flyers.csv: 19999 rows imported and 1 rejected [{MALFORMED 1}], want 20000 and 0"},
		},
		"voided codes": {
			"VoidCodes", `{"data":{"voidCodes":{"voidedCount":242,"userErrors":[]}}}`,
			[]string{"void codes: 242 were voided, want 400"},
		},
		"generated codes": {
			"GenerateCodes", `{"data":{"generateCodes":{"generatedCount":0,"userErrors":[]}}}`,
			[]string{"generate codes: 0 were made, want 2000"},
		},
		"too few redemptions": {
			"ListRedemptions", `{"data":{"redemptions":{"nodes":[]}}}`,
			[]string{"reverse redemptions: there are 0, want 5"},
		},
		"analysis": {
			"AnalyzeDelivery", `{"data":{"analyzeDelivery":{"delivery":{"status":"EDITING","analysis":{"codesShort":0,"log":[
				{"level":"INFO","text":"Started."},{"level":"ERROR","text":"The coupon has ended."}]}},"userErrors":[]}}}`,
			[]string{`delivery "A present for your sport": the analysis ends as EDITING with 0 codes short: The coupon has ended.`},
		},
		"sending": {
			"GetDelivery", `{"data":{"delivery":{"status":"FAILED","counts":{"total":8000,"sent":17,"failed":0}}}}`,
			[]string{`delivery "A present for your sport": it is FAILED and should be FINISHED`},
		},
		"messages": {
			"GetDelivery", `{"data":{"delivery":{"status":"FINISHED","counts":{"total":8000,"sent":7990,"failed":10}}}}`,
			[]string{"7990 of 8000 messages are sent, 10 have failed"},
		},
		"codes": {
			"ListCodes", `{"data":{"coupon":{"codes":{"nodes":[{"value":"SOCCER-1"}]}}}}`,
			[]string{"list codes: the delivery gave away 1 for soccer, want 136"},
		},
		"redemption": {
			"RedeemCode", `{"data":{"redeemCode":{"redemption":null,"userErrors":[
				{"code":"CODE_NOT_ASSIGNED","message":"Nobody has it.","field":["input","value"]}]}}}`,
			[]string{"redeem soccer_0: redeemCode: CODE_NOT_ASSIGNED at input.value: Nobody has it."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client := newServer(t, map[string]string{c.operation: c.answer})
			output, err := loadInto(t, client, data)
			if err == nil {
				t.Fatalf("got no error, want %q; output:\n%s", c.want, output)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got the error %q, want %q in it", err, want)
				}
			}
			if len(s.problems) > 0 {
				t.Errorf("the server refused: %v", s.problems)
			}
			if strings.Contains(output, "Open the playground") {
				t.Error("the output ends as if all were well")
			}
		})
	}
}
