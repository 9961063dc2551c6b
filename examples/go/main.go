// The program is an example of a typed client in Go: it does the reference job with the functions that genqlient makes
// of ../operations.graphql, and checks what it gets. `make examples` runs it.
//
//	COUPONQL_URL  address of the server; http://127.0.0.1:8080 unless given
//	COUPONQL_KEY  API key, where the server asks for one
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/Khan/genqlient/graphql"
)

//go:generate go tool genqlient

// recipients is a file as a shop has it; the last row has an address that cannot be right.
const recipients = `customer id,e-mail,first name
example-go-1,ada@example.com,Ada
example-go-2,grace@example.com,Grace
example-go-3,barbara@example.com,Barbara
example-go-4,not an address,Nobody
`

const (
	codeCount    = 100
	pollInterval = 100 * time.Millisecond
	// timeLimit bounds the whole job.
	timeLimit = time.Minute
)

func main() {
	address := os.Getenv("COUPONQL_URL")
	if address == "" {
		address = "http://127.0.0.1:8080"
	}
	key := os.Getenv("COUPONQL_KEY")
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	err := run(ctx, newClient(address, key))
	if err == nil && key != "" {
		err = checkStranger(ctx, newClient(address, ""))
	}
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
	fmt.Println("examples/go: the reference job is done")
}

// newClient returns a client of a server that shows a key; "": none.
func newClient(address, key string) graphql.Client {
	return graphql.NewClient(address+"/graphql", &http.Client{Transport: keyed{key}})
}

// keyed sends requests with an API key; "": without.
type keyed struct{ key string }

// RoundTrip sends one request.
func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	if k.key != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+k.key)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// run does the job, one step after the other.
func run(ctx context.Context, client graphql.Client) error {
	couponID, err := createCoupon(ctx, client)
	if err != nil {
		return fmt.Errorf("create a coupon: %w", err)
	}
	if err := importRecipients(ctx, client); err != nil {
		return fmt.Errorf("import recipients: %w", err)
	}
	code, err := deliver(ctx, client, couponID)
	if err != nil {
		return fmt.Errorf("deliver: %w", err)
	}
	if err := redeem(ctx, client, code); err != nil {
		return fmt.Errorf("redeem %s: %w", code, err)
	}
	if err := checkStats(ctx, client, couponID); err != nil {
		return fmt.Errorf("statistics: %w", err)
	}
	return nil
}

// createCoupon makes a coupon with a pool of codes.
func createCoupon(ctx context.Context, client graphql.Client) (couponID string, err error) {
	now := time.Now()
	created, err := CreateCoupon(ctx, client, CreateCouponInput{
		Label: "Example in Go", Type: CouponTypeIndividual, StartsAt: now.Add(-time.Hour), EndsAt: new(now.AddDate(0, 3, 0)),
	})
	if err != nil {
		return "", err
	}
	if err := check(created.CreateCoupon.UserErrors); err != nil {
		return "", err
	}
	couponID = created.CreateCoupon.Coupon.Id
	generated, err := GenerateCodes(ctx, client, GenerateCodesInput{CouponId: couponID, Count: codeCount, Pattern: new("GO-########")})
	if err != nil {
		return "", err
	}
	if err := check(generated.GenerateCodes.UserErrors); err != nil {
		return "", err
	}
	return couponID, want("available codes", generated.GenerateCodes.Coupon.Availability.Available, codeCount)
}

// importRecipients sends a file, imports it, and waits until that is done.
func importRecipients(ctx context.Context, client graphql.Client) error {
	size := float64(len(recipients))
	made, err := CreateUpload(ctx, client, CreateUploadInput{FileName: "recipients.csv", ByteCount: &size})
	if err != nil {
		return err
	}
	if err := check(made.CreateUpload.UserErrors); err != nil {
		return err
	}
	upload := made.CreateUpload.Upload
	if err := put(ctx, upload.Url, recipients); err != nil {
		return err
	}
	queued, err := ImportRecipients(ctx, client, upload.Id)
	if err != nil {
		return err
	}
	if err := check(queued.ImportRecipients.UserErrors); err != nil {
		return err
	}
	var outcome *ImportOutcomeImport
	err = poll(ctx, func() (isOver bool, err error) {
		read, err := ImportOutcome(ctx, client, queued.ImportRecipients.Import.Id)
		if err != nil {
			return false, err
		}
		outcome = read.Import
		return outcome.Status != ImportStatusQueued && outcome.Status != ImportStatusRunning, nil
	})
	if err != nil {
		return err
	}
	// An address that cannot be right is no reason to reject a row: the analysis leaves the recipient out.
	return errors.Join(
		want("status", outcome.Status, ImportStatusSucceeded),
		want("imported rows", outcome.RowsImported, 4),
		want("rejected rows", outcome.RowsRejected, 0),
	)
}

// put sends a file to a signed link, which needs no key.
func put(ctx context.Context, url, text string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(text))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("the upload is answered with %s", response.Status)
	}
	return nil
}

// deliver sends a message with a code to each recipient, and gives the code that Ada got.
func deliver(ctx context.Context, client graphql.Client, couponID string) (code string, err error) {
	created, err := CreateDelivery(ctx, client, CreateDeliveryInput{
		Label: "Example in Go", Channel: new(ChannelEmail), CouponId: &couponID,
		Subject: new("For {{ recipient.firstName }}"), Body: "Your code: {{ couponValue.code }}",
	})
	if err != nil {
		return "", err
	}
	if err := check(created.CreateDelivery.UserErrors); err != nil {
		return "", err
	}
	id := created.CreateDelivery.Delivery.Id
	targeted, err := AddTargets(ctx, client, id, []string{"example-go-1", "example-go-2", "example-go-3", "example-go-4"})
	if err != nil {
		return "", err
	}
	if err := check(targeted.AddTargets.UserErrors); err != nil {
		return "", err
	}
	analyzed, err := AnalyzeDelivery(ctx, client, id)
	if err != nil {
		return "", err
	}
	if err := check(analyzed.AnalyzeDelivery.UserErrors); err != nil {
		return "", err
	}
	analysis := analyzed.AnalyzeDelivery.Delivery.Analysis
	if err := errors.Join(
		want("messages of the analysis", analysis.MessageCount, 3),
		want("enough codes", analysis.IsSufficient, true),
		want("reasons to leave recipients out", len(analysis.Exclusions), 1),
	); err != nil {
		return "", err
	}
	if err := want("reason", analysis.Exclusions[0].Reason, ExclusionReasonInvalidAddress); err != nil {
		return "", err
	}
	confirmed, err := ConfirmDelivery(ctx, client, id)
	if err != nil {
		return "", err
	}
	if err := check(confirmed.ConfirmDelivery.UserErrors); err != nil {
		return "", err
	}
	var outcome *DeliveryOutcomeDelivery
	err = poll(ctx, func() (isOver bool, err error) {
		read, err := DeliveryOutcome(ctx, client, id)
		if err != nil {
			return false, err
		}
		outcome = read.Delivery
		return outcome.Status == DeliveryStatusFinished || outcome.Status == DeliveryStatusFailed, nil
	})
	if err != nil {
		return "", err
	}
	if err := errors.Join(want("status", outcome.Status, DeliveryStatusFinished), want("sent messages", outcome.Counts.Sent, 3)); err != nil {
		return "", err
	}
	for _, message := range outcome.Messages.Nodes {
		if message.Recipient.ExternalId == "example-go-1" && message.Code != nil {
			return message.Code.Value, nil
		}
	}
	return "", errors.New("the message to Ada has no code")
}

// redeem redeems a code: once, again with the same key, which is harmless, and again as another customer would.
func redeem(ctx context.Context, client graphql.Client, code string) error {
	input := RedeemCodeInput{Value: code, Amount: new("49.90"), Currency: new("EUR"), IdempotencyKey: new("order of " + code)}
	first, err := RedeemCode(ctx, client, input)
	if err != nil {
		return err
	}
	if err := check(first.RedeemCode.UserErrors); err != nil {
		return err
	}
	repeated, err := RedeemCode(ctx, client, input)
	if err != nil {
		return err
	}
	if err := check(repeated.RedeemCode.UserErrors); err != nil {
		return err
	}
	if err := want("redemption of the same key", repeated.RedeemCode.Redemption.Id, first.RedeemCode.Redemption.Id); err != nil {
		return err
	}
	input.IdempotencyKey = nil
	refused, err := RedeemCode(ctx, client, input)
	if err != nil {
		return err
	}
	isRedeemed := func(p Problem) bool { return p.Code == ErrorCodeCodeAlreadyRedeemed }
	return want("refusal of a second redemption", slices.ContainsFunc(refused.RedeemCode.UserErrors, isRedeemed), true)
}

func checkStats(ctx context.Context, client graphql.Client, couponID string) error {
	read, err := CouponStats(ctx, client, couponID)
	if err != nil {
		return err
	}
	if err := want("groups", len(read.RedemptionStats), 1); err != nil {
		return err
	}
	row := read.RedemptionStats[0]
	if err := errors.Join(
		want("channel", row.Keys[0], "EMAIL"), want("sent", row.Stats.Sent, 3), want("redeemed", row.Stats.Redeemed, 1),
		want("currencies", len(row.Stats.ByCurrency), 1),
	); err != nil {
		return err
	}
	return want("amount", row.Stats.ByCurrency[0].Amount, "49.90")
}

// checkStranger asks without a key where one is needed. The error of a request has a code, also where
// the HTTP status is one of an error.
func checkStranger(ctx context.Context, client graphql.Client) error {
	_, err := CouponStats(ctx, client, "coupon_1")
	refused, isHTTP := errors.AsType[*graphql.HTTPError](err)
	if !isHTTP || len(refused.Response.Errors) != 1 {
		return fmt.Errorf("a request without a key: %w", err)
	}
	return errors.Join(
		want("status without a key", refused.StatusCode, http.StatusUnauthorized),
		want("code without a key", refused.Response.Errors[0].Extensions["code"], any("UNAUTHENTICATED")),
	)
}

// poll asks until it is over.
func poll(ctx context.Context, ask func() (isOver bool, err error)) error {
	for {
		if isOver, err := ask(); isOver || err != nil {
			return err
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// check returns what the caller of a mutation should mend as an error.
func check(found []Problem) error {
	var errs []error
	for _, p := range found {
		errs = append(errs, fmt.Errorf("%s at %s: %s", p.Code, strings.Join(p.Field, "."), p.Message))
	}
	return errors.Join(errs...)
}

// want returns an error unless the server answered what the example expects.
func want[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: %v instead of %v", what, got, want)
	}
	return nil
}
