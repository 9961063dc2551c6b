package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"couponql/client"
)

// caller is one of the clients.
type caller struct {
	*soak
	server *server
	number int
}

// kind is something that clients do: how many of them at once, and with what pause in between.
type kind struct {
	name    string
	clients int
	pause   time.Duration
	do      func(*caller, context.Context) error
}

var kinds = []kind{
	{"import with the request", 2, 300 * time.Millisecond, (*caller).importCodes},
	{"import of a slow upload", 2, 300 * time.Millisecond, (*caller).uploadSlowly},
	{"addCodes", 2, 50 * time.Millisecond, (*caller).addCodes},
	{"delivery", 3, 100 * time.Millisecond, (*caller).deliver},
	{"redeemCode", 8, 2 * time.Millisecond, (*caller).redeem},
	{"redeemCode again", 1, 50 * time.Millisecond, (*caller).redeemAgain},
	{"redeemCodes", 2, 100 * time.Millisecond, (*caller).redeemMany},
	{"statistics", 2, 200 * time.Millisecond, (*caller).readStats},
	{"availability", 2, 20 * time.Millisecond, (*caller).readAvailability},
	{"page", 3, 50 * time.Millisecond, (*caller).readPages},
	{"export", 1, time.Second, (*caller).exportCodes},
	{"subscription that stalls", 5, 100 * time.Millisecond, (*caller).subscribe},
	{"query left in the middle", 2, 50 * time.Millisecond, (*caller).leave},
	{"request left in the middle", 1, 200 * time.Millisecond, (*caller).hangUp},
}

const (
	importRows    = 2000
	addedCodes    = 20
	redeemedCodes = 50
	pageSize      = 100
	pagesInARow   = 5
	// uploadParts is in how many parts a slow upload comes, with uploadPause between them.
	uploadParts = 8
	uploadPause = 40 * time.Millisecond
)

// errNothingToDo: there is nothing that the client could ask for.
var errNothingToDo = errors.New("nothing to do")

func (c *caller) do(ctx context.Context, operation string, vars client.Variables, answer any) error {
	return c.server.client.Do(ctx, operation, vars, answer)
}

func (c *caller) newFile() (f file, text string) {
	f = file{name: fmt.Sprintf("F%d", c.serial.Add(1)), rows: importRows}
	return f, "code\n" + strings.Join(f.codes(), "\n") + "\n"
}

type queued struct {
	ImportCodes struct{ Import struct{ ID string } }
}

const importCodes = "mutation($input: ImportCodesInput!) { importCodes(input: $input) { import { id } userErrors { code message field } } }"

func (c *caller) importCodes(ctx context.Context) error {
	f, text := c.newFile()
	c.ledger.sendFile()
	var answer queued
	err := c.server.client.Upload(ctx, importCodes, map[string]any{"couponId": c.tills}, "codes.csv", func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}, &answer)
	if err != nil {
		return err
	}
	c.ledger.fileAnswered()
	c.ledger.queue(answer.ImportCodes.Import.ID, f)
	return c.waitImport(ctx, answer.ImportCodes.Import.ID)
}

// waitImport waits until an import is over.
func (c *caller) waitImport(ctx context.Context, id string) error {
	for {
		isOver, err := c.lookAtImport(ctx, c.server, id)
		if isOver || err != nil {
			return err
		}
		sleep(ctx, pollInterval)
	}
}

// slowReader gives a text in parts with pauses, and nothing more after some parts when the client goes away.
type slowReader struct {
	ctx   context.Context //nolint:containedctx // a reader has no other way to know it
	text  string
	part  int
	leave func()
	parts int
}

func (r *slowReader) Read(p []byte) (int, error) {
	if len(r.text) == 0 {
		return 0, io.EOF
	}
	if r.parts--; r.parts < 0 {
		r.leave()
		return 0, context.Canceled
	}
	sleep(r.ctx, uploadPause)
	n := copy(p[:min(len(p), r.part)], r.text)
	r.text = r.text[n:]
	return n, nil
}

// uploadSlowly sends a file before its import. One in four is left in the middle.
func (c *caller) uploadSlowly(ctx context.Context) error {
	f, text := c.newFile()
	var made struct {
		CreateUpload struct{ Upload struct{ ID, URL string } }
	}
	c.ledger.upload()
	operation := "mutation($input: CreateUploadInput!) { createUpload(input: $input) { upload { id url } userErrors { code message field } } }"
	if err := c.do(ctx, operation, client.Input(map[string]any{"fileName": "codes.csv", "byteCount": len(text)}), &made); err != nil {
		return err
	}
	sending, leave := context.WithCancel(ctx)
	defer leave()
	isLeft := rand.IntN(4) == 0
	reader := &slowReader{ctx: sending, text: text, part: len(text)/uploadParts + 1, leave: leave, parts: 2 * uploadParts}
	if isLeft {
		reader.parts = uploadParts / 2
	}
	request, err := http.NewRequestWithContext(sending, http.MethodPut, made.CreateUpload.Upload.URL, reader)
	if err != nil {
		return err
	}
	request.ContentLength = int64(len(text))
	status, err := send(request, nil)
	if isLeft {
		return nil
	}
	if err != nil {
		return err
	}
	if status >= http.StatusBadRequest {
		return fmt.Errorf("an upload is answered with %d", status)
	}
	var answer queued
	if err := c.do(ctx, importCodes, client.Input(map[string]any{"couponId": c.tills, "uploadId": made.CreateUpload.Upload.ID}), &answer); err != nil {
		return err
	}
	c.ledger.queue(answer.ImportCodes.Import.ID, f)
	return c.waitImport(ctx, answer.ImportCodes.Import.ID)
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

func (c *caller) addCodes(ctx context.Context) error {
	f := file{name: fmt.Sprintf("A%d", c.serial.Add(1)), rows: addedCodes}
	var codes []map[string]any
	for _, value := range f.codes() {
		codes = append(codes, map[string]any{"value": value})
	}
	var answer struct {
		AddCodes struct{ Codes []struct{ Value string } }
	}
	operation := "mutation($input: AddCodesInput!) { addCodes(input: $input) { codes { value } userErrors { code message field } } }"
	if err := c.do(ctx, operation, client.Input(map[string]any{"couponId": c.tills, "codes": codes}), &answer); err != nil {
		return err
	}
	if got := len(answer.AddCodes.Codes); got != addedCodes {
		return fmt.Errorf("%d codes instead of %d were added", got, addedCodes)
	}
	c.ledger.addCodes(f.codes())
	return nil
}

// deliver sends a message with a code of its own to each recipient of a group.
func (c *caller) deliver(ctx context.Context) error {
	in := map[string]any{"couponId": c.deliveries, "count": groupSize, "pattern": fmt.Sprintf("D%d-########", c.serial.Add(1))}
	operation := "mutation($input: GenerateCodesInput!) { generateCodes(input: $input) { generatedCount userErrors { code message field } } }"
	if err := c.do(ctx, operation, client.Input(in), nil); err != nil {
		return err
	}
	c.ledger.generate(groupSize)
	var created struct {
		CreateDelivery struct{ Delivery struct{ ID string } }
	}
	in = map[string]any{"label": "Soak", "couponId": c.deliveries, "subject": "For you", "body": "Code: {{ couponValue.code }}"}
	operation = "mutation($input: CreateDeliveryInput!) { createDelivery(input: $input) { delivery { id } userErrors { code message field } } }"
	if err := c.do(ctx, operation, client.Input(in), &created); err != nil {
		return err
	}
	id := created.CreateDelivery.Delivery.ID
	group := fmt.Sprintf("g%d", rand.IntN(recipientCount/groupSize))
	in = map[string]any{"deliveryId": id, "filter": map[string]any{"attributes": []any{map[string]any{"name": "group", "in": []string{group}}}}}
	operation = "mutation($input: AddTargetsInput!) { addTargets(input: $input) { delivery { targetCount } userErrors { code message field } } }"
	if err := c.do(ctx, operation, client.Input(in), nil); err != nil {
		return err
	}
	var analyzed struct {
		AnalyzeDelivery struct {
			Delivery struct {
				Status   string
				Analysis struct{ MessageCount, CodesShort int }
			}
		}
	}
	operation = `mutation($input: AnalyzeDeliveryInput!) {
		analyzeDelivery(input: $input) { delivery { status analysis { messageCount codesShort } } userErrors { code message field } }
	}`
	if err := c.do(ctx, operation, client.Input(map[string]any{"id": id}), &analyzed); err != nil {
		return err
	}
	if got := analyzed.AnalyzeDelivery.Delivery; got.Status != "READY" || got.Analysis.MessageCount != groupSize {
		return fmt.Errorf("%s is analyzed and %+v", id, got)
	}
	operation = "mutation($input: ConfirmDeliveryInput!) { confirmDelivery(input: $input) { delivery { status } userErrors { code message field } } }"
	if err := c.do(ctx, operation, client.Input(map[string]any{"id": id}), nil); err != nil {
		return err
	}
	c.ledger.confirm(id, groupSize)
	return nil
}

const redeemCode = "mutation($input: RedeemCodeInput!) { redeemCode(input: $input) { redemption { id } userErrors { code message field } } }"

func (c *caller) redeem(ctx context.Context) error {
	taken := c.ledger.take(1)
	if len(taken) == 0 {
		return errNothingToDo
	}
	in := map[string]any{"value": taken[0], "amount": "12.50", "currency": "EUR"}
	if err := c.do(ctx, redeemCode, client.Input(in), nil); err != nil {
		return err
	}
	c.ledger.redeem(taken[0])
	return nil
}

// redeemAgain tries to redeem a code twice.
func (c *caller) redeemAgain(ctx context.Context) error {
	code := c.ledger.someRedeemed(rand.Int())
	if code == "" {
		return errNothingToDo
	}
	err := c.do(ctx, redeemCode, client.Input(map[string]any{"value": code}), nil)
	problem, isProblem := errors.AsType[*client.UserError](err)
	switch {
	case err == nil:
		return fmt.Errorf("%s was redeemed twice", code)
	case isProblem && problem.Code == "CODE_ALREADY_REDEEMED":
		return nil
	}
	return err
}

func (c *caller) redeemMany(ctx context.Context) error {
	taken := c.ledger.take(redeemedCodes)
	if len(taken) == 0 {
		return errNothingToDo
	}
	var redemptions []map[string]any
	for _, value := range taken {
		redemptions = append(redemptions, map[string]any{"value": value})
	}
	var answer struct {
		RedeemCodes struct{ RedeemedCount int }
	}
	operation := `mutation($input: RedeemCodesInput!) {
		redeemCodes(input: $input) { redeemedCount results { userErrors { code } } userErrors { code message field } }
	}`
	if err := c.do(ctx, operation, client.Input(map[string]any{"redemptions": redemptions}), &answer); err != nil {
		return err
	}
	if got := answer.RedeemCodes.RedeemedCount; got != len(taken) {
		return fmt.Errorf("%d codes instead of %d were redeemed", got, len(taken))
	}
	c.ledger.redeem(taken...)
	return nil
}

func (c *caller) readStats(ctx context.Context) error {
	return c.do(ctx, `{
		redemptionStats(groupBy: [DAY, CHANNEL]) { keys stats { assigned sent redeemed byCurrency { currency amount } timeToRedeem { p50 } } }
		redemptionFunnel { stage count share }
		alerts(first: 10) { nodes { kind text } }
	}`, nil, nil)
}

// readAvailability wants the parts to add up at each instant.
func (c *caller) readAvailability(ctx context.Context) error {
	type availability struct{ Total, Available, Held, Assigned, Redeemed, Expired, Voided int }
	var read struct {
		Deliveries, Tills struct{ Availability availability }
	}
	operation := `query($deliveries: ID!, $tills: ID!) {
		deliveries: coupon(id: $deliveries) { ...Parts }
		tills: coupon(id: $tills) { ...Parts }
	}
	fragment Parts on Coupon { availability { total available held assigned redeemed expired voided } }`
	if err := c.do(ctx, operation, client.Variables{"deliveries": c.deliveries, "tills": c.tills}, &read); err != nil {
		return err
	}
	for _, a := range []availability{read.Deliveries.Availability, read.Tills.Availability} {
		if a.Available+a.Held+a.Assigned+a.Redeemed+a.Expired+a.Voided != a.Total {
			return fmt.Errorf("the parts do not add up: %+v", a)
		}
	}
	return nil
}

// readPages reads some pages of codes in a row.
func (c *caller) readPages(ctx context.Context) error {
	var after *string
	seen := map[string]bool{}
	for range pagesInARow {
		var read struct {
			Coupon struct {
				Codes struct {
					Nodes    []struct{ ID string }
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}
		operation := `query($id: ID!, $first: Int!, $after: String) {
			coupon(id: $id) {
				codes(first: $first, after: $after) {
					totalCount pageInfo { hasNextPage endCursor }
					nodes { id value status assignedAt sentAt redeemedAt delivery { id label } recipient { id email } }
				}
			}
		}`
		if err := c.do(ctx, operation, client.Variables{"id": c.deliveries, "first": pageSize, "after": after}, &read); err != nil {
			return err
		}
		for _, node := range read.Coupon.Codes.Nodes {
			if seen[node.ID] {
				return fmt.Errorf("%s is on two pages", node.ID)
			}
			seen[node.ID] = true
		}
		if !read.Coupon.Codes.PageInfo.HasNextPage {
			return nil
		}
		after = &read.Coupon.Codes.PageInfo.EndCursor
	}
	return nil
}

// exportCodes exports the codes of the tills and downloads them; one in three is left in the middle.
func (c *caller) exportCodes(ctx context.Context) error {
	link, err := c.export(ctx, c.server, c.tills)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return err
	}
	var bytesRead int64
	status, err := send(request, func(body io.Reader) (err error) {
		if rand.IntN(3) == 0 {
			body = io.LimitReader(body, 1<<10)
		}
		bytesRead, err = io.Copy(io.Discard, body)
		return err
	})
	if err == nil && (status != http.StatusOK || bytesRead == 0) {
		err = fmt.Errorf("a download is answered with %d and %d bytes", status, bytesRead)
	}
	return err
}

// subscribe follows redemptions and does not read what comes.
func (c *caller) subscribe(ctx context.Context) error {
	operation := "subscription { redemptionRecorded { id codeValue coupon { id label } code { id status events { kind text } } } }"
	body, err := json.Marshal(client.Request{Query: operation})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	status, err := send(request, func(io.Reader) error {
		sleep(ctx, 500*time.Millisecond+rand.N(3*time.Second))
		return nil
	})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("a subscription is answered with %d", status)
	}
	return err
}

// leave asks much and does not wait for the answer.
func (c *caller) leave(ctx context.Context) error {
	hasty, cancel := context.WithTimeout(ctx, time.Millisecond+rand.N(20*time.Millisecond))
	defer cancel()
	operation := `query($id: ID!) {
		coupon(id: $id) { codes(first: 500) { totalCount nodes { id events { kind text } redemptions(first: 5) { nodes { id } } } } }
		redemptionStats(groupBy: [COUPON, DELIVERY, DAY]) { keys stats { redeemed timeToRedeem { p99 } } }
	}`
	err := c.do(hasty, operation, client.Variables{"id": c.tills}, nil)
	if hasty.Err() != nil {
		return nil
	}
	return err
}

// hangUp sends half a request and goes away.
func (c *caller) hangUp(ctx context.Context) error {
	address, err := url.Parse(c.server.url)
	if err != nil {
		return err
	}
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address.Host)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(connection, "POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"query\": %s",
		address.Host, strconv.Quote("{ coupons {"))
	sleep(ctx, rand.N(500*time.Millisecond))
	return errors.Join(err, connection.Close())
}
