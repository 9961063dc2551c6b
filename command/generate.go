package command

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"couponql/client"
	"couponql/coupon"
)

// Generate has a running server make random codes.
type Generate struct {
	addressFlag

	Coupon   string `help:"The coupon that the codes are for: its id, such as coupon_17, or its code." placeholder:"ID-OR-CODE" required:"true"`
	Count    int    `help:"How many codes to make." required:"true"`
	Pattern  string `help:"How they look: # is a random character, anything else stands for itself. Unless given, eight random characters." placeholder:"PATTERN"`
	Alphabet string `help:"The characters to draw from. Unless given, those that are not easily confused." placeholder:"CHARACTERS"`
	Label    string `help:"The label of the codes." placeholder:"LABEL"`
	JSON     bool   `help:"Write the batch as JSON to standard output, for programs, and no progress." name:"json"`
	Quiet    bool   `help:"Show no progress, and nothing on success." short:"q"`
}

// Help is what --help says beside the flags.
func (*Generate) Help() string { return exitHelp }

// Validate refuses what makes no sense before anything is asked.
func (g *Generate) Validate() error { return g.check() }

// Run makes the codes.
func (g *Generate) Run(ctx context.Context, console *Console) error {
	m := &maker{
		newSession(console, serverFlags{addressFlag: g.addressFlag, JSON: g.JSON, Quiet: g.Quiet}),
	}
	id, err := m.findCoupon(ctx, g.Coupon)
	if err != nil {
		return console.failed(ctx, err)
	}
	// Whatever becomes of the connection, the codes are made once.
	in := map[string]any{"couponId": id, "count": g.Count, "idempotencyKey": rand.Text()}
	putText(in, "pattern", g.Pattern)
	putText(in, "alphabet", g.Alphabet)
	putText(in, "label", g.Label)
	b, err := m.make(ctx, in)
	if err != nil {
		return console.failed(ctx, err)
	}
	return m.report(ctx, b)
}

// batch is what the server says of a batch.
type batch struct {
	raw json.RawMessage

	ID             string              `json:"id"`
	Status         coupon.ImportStatus `json:"status"`
	Progress       float64             `json:"progress"`
	Count          int                 `json:"count"`
	RequestedCount int                 `json:"requestedCount"`
	MadeCount      int                 `json:"madeCount"`
	Failure        *string             `json:"failure"`
}

// maker has codes made.
type maker struct{ *session }

// make begins a batch, follows it to its end, or calls it off after an interrupt, and gives it as
// it is then.
func (m *maker) make(ctx context.Context, in map[string]any) (*batch, error) {
	id, err := m.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	shown := m.newJobBar("generating")
	defer shown.clear()
	var b *batch
	look := func(ctx context.Context) (coupon.ImportStatus, error) {
		var err error
		if b, err = m.get(ctx, id); err != nil {
			return "", err
		}
		shown.show(b.Progress,
			fmt.Sprintf("generating, %d of %d codes", b.MadeCount, b.RequestedCount))
		return b.Status, nil
	}
	err = m.follow(ctx, look)
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("follow %s, which goes on: %w", id, err)
	}
	if err != nil {
		if err := m.callOff(ctx, batchCancel, id, look); err != nil {
			return nil, fmt.Errorf("interrupted; cancel %s: %w", id, err)
		}
	}
	return b, nil
}

// begin asks for the codes and gives the id of their batch. It waits for the answer in spite of an
// interrupt: a batch of unknown id could not be canceled.
func (m *maker) begin(ctx context.Context, in map[string]any) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	longer, cancel := m.outlive(ctx)
	defer cancel()
	var answer struct {
		GenerateCodes struct{ Batch struct{ ID string } }
	}
	err := m.persist(longer, func() (bool, error) {
		err := m.client.Do(longer, codeGenerate, client.Input(in), &answer)
		_, isRefused := errors.AsType[*client.UserError](err)
		if _, isAnswer := errors.AsType[*client.Error](err); isAnswer || isRefused {
			err = &lastingError{err}
		}
		return false, err
	})
	return answer.GenerateCodes.Batch.ID, err
}

// get asks how far a batch is.
func (m *maker) get(ctx context.Context, id string) (*batch, error) {
	var answer struct{ CodeBatch json.RawMessage }
	if err := m.client.Do(ctx, batchGet, client.Variables{"id": id}, &answer); err != nil {
		return nil, err
	}
	var b *batch
	if err := json.Unmarshal(answer.CodeBatch, &b); err != nil || b == nil {
		return nil, &lastingError{
			errors.Join(errors.New("the server does not know it any more"), err),
		}
	}
	b.raw = answer.CodeBatch
	return b, nil
}

// report tells what became of a batch.
func (m *maker) report(ctx context.Context, b *batch) error {
	code := 0
	if b.Status != coupon.ImportSucceeded {
		code = codeFailed
	}
	if ctx.Err() != nil {
		code = codeInterrupted
	}
	var err error
	switch {
	case m.flags.JSON:
		err = m.writeJSON(b.raw)
	case b.Failure != nil:
		m.complainf("%s is %s: %s", b.ID, b.Status, *b.Failure)
	case b.Status != coupon.ImportSucceeded:
		m.complainf("%s is %s: no code was added", b.ID, b.Status)
	case !m.flags.Quiet:
		_, err = fmt.Fprintf(m.out, "%s: %d codes generated\n", b.ID, b.Count)
	}
	if err != nil {
		return m.failed(ctx, err)
	}
	return exit(code)
}
