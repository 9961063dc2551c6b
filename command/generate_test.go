package command

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestGenerate tells what becomes of the flags, and what is said of the outcome.
func TestGenerate(t *testing.T) {
	t.Parallel()
	failed := strings.Replace(generated("FAILED", 0, 0), `"failure":null`,
		`"failure":"The disk is full."`, 1)
	for name, test := range map[string]struct {
		args    string
		answers []string
		asked   string
		want    result
	}{
		"at once": {"--count 3", nil, `{"count":3,"couponId":"coupon_17"}`, result{
			0, "batch_1: 3 codes generated\n", "",
		}},
		"a job": {
			"--count 3 --pattern A-### --alphabet 0123 --label Gym",
			[]string{
				generated("QUEUED", 0, 0), generated("RUNNING", 2, 0), generated("SUCCEEDED", 3, 3),
			},
			`{"alphabet":"0123","count":3,"couponId":"coupon_17","label":"Gym","pattern":"A-###"}`,
			result{0, "batch_1: 3 codes generated\n", ""},
		},
		"quiet": {"--count 3 -q", nil, `{"count":3,"couponId":"coupon_17"}`, result{}},
		"failed": {
			"--count 3",
			[]string{failed},
			`{"count":3,"couponId":"coupon_17"}`,
			result{codeFailed, "", "couponql: batch_1 is FAILED: The disk is full.\n"},
		},
		"canceled by somebody": {
			"--count 3",
			[]string{generated("CANCELED", 0, 0)},
			`{"count":3,"couponId":"coupon_17"}`,
			result{codeFailed, "", "couponql: batch_1 is CANCELED: no code was added\n"},
		},
		"gone": {
			"--count 3",
			[]string{`{"data":{"codeBatch":null}}`},
			`{"count":3,"couponId":"coupon_17"}`,
			result{
				codeFailed, "", "couponql: follow batch_1, which goes on: the server does not know it any more\n",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, func(s *server) {
				if test.answers != nil {
					s.answers["GetBatch"] = test.answers
				}
			})
			got := s.run(t.Context(), t, nil, nil,
				append([]string{"generate", "--coupon", "SUMMER"}, strings.Fields(test.args)...)...)
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
			in := s.inputs["GenerateCodes"][0]
			if key, _ := in["idempotencyKey"].(string); len(key) < 20 {
				t.Errorf("the key is %q", key)
			}
			delete(in, "idempotencyKey")
			if asked, err := json.Marshal(in); err != nil || string(asked) != test.asked {
				t.Errorf("asked for %s, want %s", asked, test.asked)
			}
		})
	}
	s := newServer(t, nil)
	if got := s.run(t.Context(), t, nil, nil, "generate", "--coupon", "SUMMER", "--count", "3",
		"--json"); !json.Valid([]byte(got.out)) || got.code != 0 {
		t.Errorf("got %+v", got)
	}
}

// TestGenerateAgain loses the answer: the same key asks again, and a refusal is no reason to.
func TestGenerateAgain(t *testing.T) {
	t.Parallel()
	const refused = `{"data":{"generateCodes":{"batch":null,"userErrors":[{"code":"INVALID","message":"Too many."}]}}}`
	s := newServer(t, func(s *server) {
		s.answers["GenerateCodes"] = []string{
			"", "", `{"data":{"generateCodes":{"batch":{"id":"batch_1"},"userErrors":[]}}}`,
			refused,
		}
	})
	if got := s.run(t.Context(), t, nil, nil, "generate", "--coupon", "SUMMER", "--count",
		"3"); got.code != 0 {
		t.Errorf("got %+v", got)
	}
	in := s.inputs["GenerateCodes"]
	if len(in) != 3 || in[0]["idempotencyKey"] != in[2]["idempotencyKey"] {
		t.Errorf("asked for %v", in)
	}
	got := s.run(t.Context(), t, nil, nil, "generate", "--coupon", "SUMMER", "--count", "3")
	if want := (result{
		codeFailed, "", "couponql: generateCodes: Too many.\n",
	}); got.code != want.code || !strings.Contains(got.err, "Too many.") {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if in := s.inputs["GenerateCodes"]; len(in) != 4 ||
		in[3]["idempotencyKey"] == in[0]["idempotencyKey"] {
		t.Errorf("asked for %v", in)
	}
}

// TestGenerateInterrupted tells what Ctrl-C does, by where it comes.
func TestGenerateInterrupted(t *testing.T) {
	t.Parallel()
	const tooLate = `{"data":{"cancelBatch":{"batch":null,"userErrors":[{"code":"INVALID_STATE","message":"Done."}]}}}`
	for name, test := range map[string]struct {
		at, cancel string
		after      string
		want       result
	}{
		"before": {at: "FindCoupon", want: result{codeInterrupted, "", "couponql: interrupted\n"}},
		"while it begins": {
			"GenerateCodes", "", generated("CANCELED", 0, 0),
			result{codeInterrupted, "", "couponql: batch_1 is CANCELED: no code was added\n"},
		},
		"on its way": {"GetBatch", "", generated("CANCELED", 0, 0), result{
			codeInterrupted, "", "couponql: batch_1 is CANCELED: no code was added\n",
		}},
		"too late": {"GetBatch", tooLate, generated("SUCCEEDED", 3, 3), result{
			codeInterrupted, "batch_1: 3 codes generated\n", "",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			s := newServer(t, func(s *server) {
				running := generated("RUNNING", 1, 0)
				s.answers["GetBatch"] = []string{running, running, test.after}
				if test.cancel != "" {
					s.answers["CancelBatch"] = []string{test.cancel}
				}
				s.onAsked = func(name string) {
					if name == test.at {
						interrupt()
					}
				}
			})
			if got := s.run(ctx, t, nil, nil, "generate", "--coupon", "SUMMER", "--count",
				"3"); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
			if hasCanceled := slices.Contains(s.asked,
				"CancelBatch"); hasCanceled != (test.at != "FindCoupon") {
				t.Errorf("asked %v", s.asked)
			}
		})
	}
}
