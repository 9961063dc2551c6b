package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"couponql/client"
)

// newCodes returns so many values that no code has.
func (c *caller) newCodes(count int) []string {
	file := c.serial.Add(1)
	codes := make([]string, count)
	for i := range codes {
		codes[i] = fmt.Sprintf("F%d-%06d", file, i)
	}
	return codes
}

// codeNames returns the names of codes in the model.
func codeNames(codes []string) []string {
	names := make([]string, len(codes))
	for i, code := range codes {
		names[i] = "code " + code
	}
	return names
}

// csv gives a file of codes. So many rows at its end repeat the first one, and are rejected.
func csvOf(codes []string, repeated int) string {
	var text strings.Builder
	text.WriteString("code\n")
	for _, code := range codes {
		text.WriteString(code + "\n")
	}
	for range repeated {
		text.WriteString(codes[0] + "\n")
	}
	return text.String()
}

// maxRepeated is how many rows of a file repeat the first one, at the most.
const maxRepeated = 3

// importCodes imports codes that are redeemed later.
func (c *caller) importCodes(ctx context.Context) error {
	codes, repeated := c.newCodes(importRows), c.random.IntN(maxRepeated+1)
	_, err := c.importFile(ctx, "importCodes", map[string]any{"couponId": c.tills}, csvOf(codes, repeated),
		importing{read: len(codes) + repeated, imported: len(codes)}, moves(available, codeNames(codes)...)...)
	if err == nil {
		c.putCodes(codes...)
	}
	return err
}

// uploadSlowly sends a file before its import. One in four is left in the middle.
func (c *caller) uploadSlowly(ctx context.Context) error {
	codes := c.newCodes(importRows)
	text := csvOf(codes, 0)
	file := c.mark()
	c.spooled.upload()
	var made struct {
		Upload struct{ ID, URL string }
	}
	if err := c.mutate(ctx, "createUpload", "upload { id url }", file, map[string]any{"fileName": file, "byteCount": len(text)}, &made); err != nil {
		return err
	}
	c.model.give(made.Upload.ID, "upload "+file)
	sending, leave := context.WithCancel(ctx)
	defer leave()
	isLeft := c.oneIn(4)
	reader := &slowReader{ctx: sending, text: text, part: len(text)/uploadParts + 1, leave: leave, parts: 2 * uploadParts}
	if isLeft {
		reader.parts = uploadParts / 2
	}
	request, err := http.NewRequestWithContext(sending, http.MethodPut, made.Upload.URL, reader)
	if err != nil {
		return err
	}
	request.ContentLength = int64(len(text))
	status, err := send(request, nil)
	switch {
	case isLeft:
		return nil
	case err != nil:
		return err
	case status >= http.StatusBadRequest:
		return fmt.Errorf("an upload is answered with %d", status)
	}
	c.model.beginImport(file, importing{read: len(codes), imported: len(codes)}, moves(available, codeNames(codes)...)...)
	queue := c.model.begin("importCodes", move{"import " + file, there})
	var queued queuedImport
	err = c.mutate(ctx, "importCodes", "import { id }", made.Upload.ID, map[string]any{"couponId": c.tills, "uploadId": made.Upload.ID}, &queued)
	if isRefusal(err) {
		c.model.forgetImport(file)
	}
	if queue.answered(err) != nil {
		return err
	}
	c.model.give(queued.Import.ID, "import "+file)
	if err := c.waitImport(ctx, queued.Import.ID); err != nil {
		return err
	}
	c.putCodes(codes...)
	return nil
}

// cancelImport calls an import off as soon as it is queued.
func (c *caller) cancelImport(ctx context.Context) error {
	codes := c.newCodes(importRows)
	id, err := c.sendFile(ctx, "importCodes", map[string]any{"couponId": c.tills}, csvOf(codes, 0),
		importing{read: len(codes), imported: len(codes)}, moves(available, codeNames(codes)...)...)
	if err != nil {
		return err
	}
	sleep(ctx, c.upTo(pollInterval))
	err = c.mutate(ctx, "cancelImport", "import { status }", id, map[string]any{"id": id}, nil)
	if problem, isProblem := errors.AsType[*client.UserError](err); err != nil && (!isProblem || problem.Code != "INVALID_STATE") {
		return err
	}
	err = c.waitImport(ctx, id)
	if problem, isProblem := errors.AsType[*notDoneError](err); isProblem && strings.HasPrefix(problem.text, "CANCELED") {
		return nil
	}
	return err
}

// undoImport takes an import out again, of which one code was redeemed.
func (c *caller) undoImport(ctx context.Context) error {
	codes := c.newCodes(redeemedCodes)
	id, err := c.importFile(ctx, "importCodes", map[string]any{"couponId": c.tills}, csvOf(codes, 0),
		importing{read: len(codes), imported: len(codes)}, moves(available, codeNames(codes)...)...)
	if err != nil {
		return err
	}
	if err := c.redeemOne(ctx, "redeemCode before undoImport", &redemption{code: codes[0], reference: c.mark()}); err != nil {
		return err
	}
	var undone struct{ RemovedCount, KeptCount int }
	change := c.model.begin("undoImport", moves(gone, codeNames(codes[1:])...)...)
	if err := change.answered(c.mutate(ctx, "undoImport", "removedCount keptCount", id, map[string]any{"id": id}, &undone)); err != nil {
		return err
	}
	if undone.RemovedCount != len(codes)-1 || undone.KeptCount != 1 {
		return fmt.Errorf("undoImport of %d codes, one of which was redeemed: %+v", len(codes), undone)
	}
	return nil
}

// newCoupon makes a coupon with a pool.
func (c *caller) newCoupon(ctx context.Context, requiresAssignment bool) (id, label string, err error) {
	label = c.mark()
	change := c.model.begin("createCoupon", move{"coupon " + label, there})
	in := map[string]any{"label": label, "type": "INDIVIDUAL", "startsAt": "2020-01-01", "requiresAssignment": requiresAssignment}
	var made struct{ Coupon struct{ ID string } }
	if err := change.answered(c.mutate(ctx, "createCoupon", "coupon { id }", label, in, &made)); err != nil {
		return "", "", err
	}
	c.model.give(made.Coupon.ID, "coupon "+label)
	return made.Coupon.ID, label, nil
}

// addCodesTo adds codes one by one, which may be more than once in the request.
func (c *caller) addCodesTo(ctx context.Context, couponID string, codes []string) error {
	label := c.mark()
	var inputs []map[string]any
	for _, value := range codes {
		inputs = append(inputs, map[string]any{"value": value, "label": label})
	}
	change := c.model.begin("addCodes", moves(available, codeNames(codes)...)...)
	var added struct{ Codes []struct{ ID, Value string } }
	err := change.answered(c.mutate(ctx, "addCodes", "codes { id value }", label, map[string]any{"couponId": couponID, "codes": inputs}, &added))
	if err != nil {
		return err
	}
	for _, code := range added.Codes {
		c.model.give(code.ID, "code "+code.Value)
	}
	if len(added.Codes) != len(codes) {
		return fmt.Errorf("%d codes instead of %d were added", len(added.Codes), len(codes))
	}
	return nil
}

func (c *caller) addCodes(ctx context.Context) error {
	codes := c.newCodes(addedCodes)
	err := c.addCodesTo(ctx, c.tills, codes)
	if err == nil {
		c.putCodes(codes...)
	}
	return err
}

// lifeOfCoupon makes a coupon and changes, replaces, voids, archives or deletes what is in it.
func (c *caller) lifeOfCoupon(ctx context.Context) error {
	id, label, err := c.newCoupon(ctx, false)
	if err != nil {
		return err
	}
	codes := c.newCodes(addedCodes)
	if err := c.addCodesTo(ctx, id, codes); err != nil {
		return err
	}
	switch c.random.IntN(5) {
	case 0:
		return c.replaceUnused(ctx, id, codes)
	case 1:
		return c.voidByFile(ctx, id, codes)
	case 2:
		return c.voidCodes(ctx, id, codes)
	case 3:
		change := c.model.begin("archiveCoupon", move{"coupon " + label, archived})
		return change.answered(c.mutate(ctx, "archiveCoupon", "coupon { id }", id, map[string]any{"id": id}, nil))
	}
	note := c.mark()
	if err := c.mutate(ctx, "updateCoupon", "coupon { id }", note, map[string]any{"id": id, "metadata": map[string]any{"note": note}}, nil); err != nil {
		return err
	}
	change := c.model.begin("deleteCoupon", append(moves(gone, codeNames(codes)...), move{"coupon " + label, gone})...)
	return change.answered(c.mutate(ctx, "deleteCoupon", "deletedId", id, map[string]any{"id": id}, nil))
}

// replaceUnused replaces codes that nobody has by those of a file, in which one of them is again.
func (c *caller) replaceUnused(ctx context.Context, couponID string, codes []string) error {
	fresh := append(c.newCodes(redeemedCodes), codes[0])
	// It makes way like the others, and comes back with a number of its own.
	c.model.renumber(codeNames(codes[:1])[0])
	made := append(moves(gone, codeNames(codes[1:])...), moves(available, codeNames(fresh)...)...)
	_, err := c.importFile(ctx, "importCodes", map[string]any{"couponId": couponID, "mode": "REPLACE_UNUSED"}, csvOf(fresh, 1),
		importing{read: len(fresh) + 1, imported: len(fresh)}, made...)
	return err
}

// voidByFile voids codes by a file, in which one is twice.
func (c *caller) voidByFile(ctx context.Context, couponID string, codes []string) error {
	_, err := c.importFile(ctx, "importCodes", map[string]any{"couponId": couponID, "mode": "VOID"}, csvOf(codes, 1),
		importing{read: len(codes) + 1, imported: len(codes)}, moves(voided, codeNames(codes)...)...)
	return err
}

func (c *caller) voidCodes(ctx context.Context, couponID string, codes []string) error {
	change := c.model.begin("voidCodes", moves(voided, codeNames(codes)...)...)
	var voided struct{ VoidedCount int }
	err := change.answered(c.mutate(ctx, "voidCodes", "voidedCount", couponID, map[string]any{"couponId": couponID, "values": codes}, &voided))
	if err == nil && voided.VoidedCount != len(codes) {
		err = fmt.Errorf("%d codes instead of %d were voided", voided.VoidedCount, len(codes))
	}
	return err
}
