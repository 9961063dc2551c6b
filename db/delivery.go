package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// CreateDelivery makes a delivery. It returns INVALID for what breaks a delivery's rules, NOT_FOUND for
// an unknown coupon and INVALID_STATE for an archived one.
func (s *Store) CreateDelivery(ctx context.Context, changes *coupon.DeliveryChanges) (*coupon.Delivery, error) {
	var created coupon.ID
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		number, err := t.nextNumber(ctx, numberOfDeliveries)
		if err != nil {
			return err
		}
		d := &coupon.Delivery{ID: coupon.NewID(coupon.KindDelivery, number), Status: coupon.DeliveryEditing, Channel: coupon.ChannelEmail}
		created = d.ID
		if err := t.applyDelivery(ctx, d, changes); err != nil {
			return err
		}
		return t.writeDelivery(ctx, deliveryInsert, number, d, named("now", t.now))
	})
	if err != nil {
		return nil, err
	}
	return s.delivery(ctx, created)
}

// UpdateDelivery changes a delivery that was not confirmed. One that was READY is EDITING again, and the
// codes held for it are free. Beside what CreateDelivery returns, NOT_FOUND and INVALID_STATE.
func (s *Store) UpdateDelivery(ctx context.Context, id coupon.ID, changes *coupon.DeliveryChanges) (*coupon.Delivery, error) {
	return s.changeDelivery(ctx, id, "id", coupon.ActionEdit, func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
		if err := t.applyDelivery(ctx, d, changes); err != nil {
			return err
		}
		if err := t.unprepare(ctx, number, d, "The delivery was changed"); err != nil {
			return err
		}
		return t.writeDelivery(ctx, deliveryUpdate, number, d)
	})
}

// changeDelivery runs a use case on one delivery: finds it, checks that the action is allowed now, and
// does it, unless it was done before. field is the input's field that names the delivery.
func (s *Store) changeDelivery(ctx context.Context, id coupon.ID, field string, action coupon.DeliveryAction,
	do func(context.Context, *turn, int64, *coupon.Delivery) error,
) (*coupon.Delivery, error) {
	err := s.update(ctx, func(ctx context.Context, t *turn) error {
		number, d, err := t.delivery(ctx, id)
		if err != nil {
			return atInput(err, field)
		}
		isDone, err := d.Check(action)
		if err != nil {
			return atInput(err, field)
		}
		if isDone {
			return nil
		}
		t.touch(memory.Topic(id))
		t.onCommit(func() { s.watchers.notify(id) })
		return do(ctx, t, number, d)
	})
	if err != nil {
		return nil, err
	}
	return s.delivery(ctx, id)
}

// preparation is a long use case about one delivery: prepare decides and writes what nobody else touches, and finish, in
// the writer's turn, returns errRival when the decision does not hold any more, and writes the rest.
type preparation struct {
	action  coupon.DeliveryAction
	prepare func(ctx context.Context, t *tx, number int64, d *coupon.Delivery) error
	finish  func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error
}

// prepareDelivery is changeDelivery for a long use case, which keeps nobody waiting: it runs beside the writer, and only
// when others changed what it relies on, again in the writer's turn.
func (s *Store) prepareDelivery(ctx context.Context, id coupon.ID, p *preparation) (*coupon.Delivery, error) {
	var number int64
	var d *coupon.Delivery
	isDone := false
	prepare := func(ctx context.Context, t *tx) (err error) {
		if number, d, err = t.delivery(ctx, id); err != nil {
			return atInput(err, "id")
		}
		if isDone, err = d.Check(p.action); err != nil || isDone {
			return atInput(err, "id")
		}
		return p.prepare(ctx, t, number, d)
	}
	finish := func(ctx context.Context, t *turn) error {
		if isDone {
			return nil
		}
		t.touch(memory.Topic(id))
		t.onCommit(func() { s.watchers.notify(id) })
		return p.finish(ctx, t, number, d)
	}
	beside := func() error {
		ctx, end := s.within(ctx)
		defer end()
		leave, err := s.preparations.Enter(ctx)
		if err != nil {
			return err
		}
		defer leave()
		// From here on changes are looked for at the end; up to here they would have outdated the draft.
		seen := s.memory.Revision()
		draft, err := s.draftFor(ctx, id, p.action)
		if err != nil {
			return err
		}
		defer func() {
			if !draft.isKept {
				draft.free()
			}
		}()
		return s.besideOn(ctx, draft.conn, func(ctx context.Context, t *tx) error {
			t.draft = draft
			return prepare(ctx, t)
		}, func(ctx context.Context, t *turn) error {
			if s.memory.IsTouched(seen, reliedOn(d)...) {
				return errRival
			}
			return finish(ctx, t)
		})
	}
	err := s.cutOff(beside())
	if errors.Is(err, errRival) || duckdb.IsConflict(err) {
		// It has begun, and comes to its end whether or not its caller stays.
		err = s.update(context.WithoutCancel(ctx), func(ctx context.Context, t *turn) error {
			if err := prepare(ctx, t.tx); err != nil {
				return err
			}
			return finish(ctx, t)
		})
	}
	if err != nil {
		return nil, err
	}
	return s.delivery(ctx, id)
}

// reliedOn gives the things whose changes matter to a preparation of a delivery.
func reliedOn(d *coupon.Delivery) []memory.Topic {
	things := []memory.Topic{memory.Topic(d.ID), memory.AllRecipients}
	if d.CouponID != nil {
		things = append(things, memory.Topic(*d.CouponID))
	}
	return things
}

// delivery reads one delivery, or gives NOT_FOUND.
func (s *Store) delivery(ctx context.Context, id coupon.ID) (*coupon.Delivery, error) {
	found, err := s.DeliveriesByID(ctx, []coupon.ID{id})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindDelivery, id)
	}
	return found[id], err
}

func (t *tx) delivery(ctx context.Context, id coupon.ID) (int64, *coupon.Delivery, error) {
	number, err := id.Number(coupon.KindDelivery)
	if err != nil {
		return 0, nil, err
	}
	found, err := readDeliveries(ctx, t, []int64{number})
	if err == nil && found[id] == nil {
		err = coupon.NotFound(coupon.KindDelivery, id)
	}
	return number, found[id], err
}

// couponOf gives the coupon of a delivery, or nil when it has none.
func (s *Store) couponOf(ctx context.Context, d *coupon.Delivery) (*coupon.Coupon, error) {
	if d.CouponID == nil {
		return nil, nil //nolint:nilnil // a delivery may have no coupon
	}
	coupons, err := s.CouponsByID(ctx, []coupon.ID{*d.CouponID})
	return coupons[*d.CouponID], err
}

// couponOf gives the coupon of a delivery as the pool has it, or nil when it has none.
func (t *tx) couponOf(d *coupon.Delivery) *coupon.Coupon {
	if d.CouponID == nil {
		return nil
	}
	return t.store.memory.Coupon(coupon.MustNumber(coupon.KindCoupon, *d.CouponID))
}

func (t *tx) applyDelivery(_ context.Context, d *coupon.Delivery, changes *coupon.DeliveryChanges) error {
	zone := time.UTC
	couponID := d.CouponID
	if changes.CouponID.IsSet {
		couponID = changes.CouponID.Value
	}
	if couponID != nil {
		number, err := couponID.Number(coupon.KindCoupon)
		known := t.store.memory.Coupon(number)
		if err != nil || known == nil {
			return coupon.NotFound(coupon.KindCoupon, *couponID).At("input", "couponId")
		}
		if known.ArchivedAt != nil && changes.CouponID.IsSet {
			return coupon.Errorf(coupon.ErrorInvalidState, "The coupon %q is archived. Choose another one.", known.Label).At("input", "couponId")
		}
		zone = zoneOf(t.store, number)
	}
	return d.Apply(changes, zone)
}

func (t *tx) writeDelivery(ctx context.Context, statement string, number int64, d *coupon.Delivery, more ...any) error {
	_, err := t.Exec(ctx, statement, append(
		more,
		named("id", number),
		named("label", d.Label),
		named("channel", string(d.Channel)),
		named("coupon_id", optionalNumber(coupon.KindCoupon, d.CouponID)),
		named("subject", d.Subject),
		named("body", d.Body),
		named(
			"message_limit",
			d.MessageLimit,
		),
		named("match_label_to", d.MatchLabelTo),
		named("contact_at", d.ContactAt),
		named("status", string(d.Status)),
	)...)
	return err
}

// unprepare makes a READY delivery EDITING again and frees what is held for it; the log tells why.
func (t *turn) unprepare(ctx context.Context, number int64, d *coupon.Delivery, why string) error {
	freed, err := t.freeHold(ctx, number)
	if err != nil {
		return err
	}
	if d.Status != coupon.DeliveryReady {
		return nil
	}
	d.Status = coupon.DeliveryEditing
	return t.log(
		ctx,
		number,
		false,
		[]coupon.LogEntry{{Level: coupon.LogInfo, Text: fmt.Sprintf("%s: analyze it again. %d held codes are free again.", why, freed)}},
	)
}

// freeHold frees what is held for a delivery and gives how many codes that were.
func (t *turn) freeHold(ctx context.Context, number int64) (int, error) {
	held := t.store.memory.HoldOf(number)
	if held == nil {
		return 0, nil
	}
	if _, err := t.Exec(ctx, holdDelete, named("id", number)); err != nil {
		return 0, err
	}
	t.change(func(c memory.Change) { c.Hold(number, nil) })
	if !t.now.Before(held.Until) {
		return 0, nil
	}
	return held.Total(), nil
}

func (t *turn) writeAnalysis(ctx context.Context, number int64, d *coupon.Delivery) error {
	text, err := json.Marshal(d.Analysis)
	if err != nil {
		return fmt.Errorf("encode the analysis: %w", err)
	}
	_, err = t.Exec(ctx, deliverySetAnalysis, named("id", number), named("analysis", string(text)), named("status", string(d.Status)))
	return err
}

// log adds lines to a delivery's log; with newRound they begin the log of a new analysis.
func (t *tx) log(ctx context.Context, number int64, newRound bool, lines []coupon.LogEntry) error {
	type place struct{ round, seq int }
	last, err := duckdb.Collect(ctx, t, deliveryLogRound, func(rows *sql.Rows) (place, error) {
		var p place
		err := rows.Scan(&p.round, &p.seq)
		return p, err
	}, named("id", number))
	if err != nil {
		return err
	}
	if newRound {
		last[0].round++
	}
	levels, texts := make([]string, len(lines)), make([]string, len(lines))
	for i, line := range lines {
		levels[i], texts[i] = string(line.Level), line.Text
	}
	_, err = t.Exec(
		ctx,
		deliveryLogInsert,
		named("id", number),
		named("round", last[0].round),
		named("seq", last[0].seq),
		named("now", t.now),
		named("levels", levels),
		named("texts", texts),
	)
	return err
}

// DeleteDelivery deletes a delivery that was never confirmed, with its targets. It returns NOT_FOUND and
// INVALID_STATE.
func (s *Store) DeleteDelivery(ctx context.Context, id coupon.ID) error {
	return s.update(ctx, func(ctx context.Context, t *turn) error {
		number, d, err := t.delivery(ctx, id)
		if err != nil {
			return atInput(err, "id")
		}
		if _, err := d.Check(coupon.ActionDelete); err != nil {
			return atInput(err, "id")
		}
		if _, err := t.freeHold(ctx, number); err != nil {
			return err
		}
		t.touch(memory.Topic(id))
		for _, statement := range []string{targetDelete, exclusionDelete, deliveryDeleteLog, deliveryDelete} {
			if _, err := t.Exec(ctx, statement, named("id", number)); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddTargets adds recipients to a delivery: those with the ids and those that match the filter. Who is a
// target already stays once. It returns NOT_FOUND for an unknown delivery or recipient, INVALID and
// INVALID_STATE.
func (s *Store) AddTargets(ctx context.Context, id coupon.ID, recipients []coupon.ID, filter *coupon.RecipientFilter) (*coupon.Delivery, error) {
	if recipients == nil && filter == nil {
		return nil, coupon.Errorf(coupon.ErrorInvalid, "Say whom to add: recipientIds, or a filter ({} for everybody).").At("input")
	}
	if len(recipients) > coupon.MaxUpsertedRecipients {
		return nil, coupon.Errorf(coupon.ErrorInvalid, "Give at most %d ids; use a filter or importTargets for more.", coupon.MaxUpsertedRecipients).
			At("input", "recipientIds")
	}
	return s.changeDelivery(ctx, id, "deliveryId", coupon.ActionEdit, func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
		if err := t.Create(ctx, chosenCreate); err != nil {
			return err
		}
		if recipients != nil {
			if err := t.chooseRecipients(ctx, recipients); err != nil {
				return err
			}
		}
		if filter != nil {
			where, args, err := recipientCondition(filter)
			if err != nil {
				return err
			}
			if _, err := t.Exec(ctx, chosenAddFilter+where, args...); err != nil {
				return err
			}
		}
		if err := t.addChosen(ctx, number); err != nil {
			return err
		}
		return t.settleTargets(ctx, number, d)
	})
}

func (t *tx) chooseRecipients(ctx context.Context, recipients []coupon.ID) error {
	unique := map[int64]coupon.ID{}
	for _, id := range recipients {
		number, err := id.Number(coupon.KindRecipient)
		if err != nil {
			return atInput(err, "recipientIds")
		}
		unique[number] = id
	}
	numbers := make([]int64, 0, len(unique))
	for number := range unique {
		numbers = append(numbers, number)
	}
	count, err := t.Exec(ctx, chosenAddIDs, named("ids", numbers))
	if err != nil || count == len(numbers) {
		return err
	}
	known, err := duckdb.Collect(ctx, t, "-- the chosen recipients\nSELECT id FROM chosen", duckdb.ScanInto[int64])
	if err != nil {
		return err
	}
	for _, number := range known {
		delete(unique, number)
	}
	for _, id := range unique {
		return coupon.NotFound(coupon.KindRecipient, id).At("input", "recipientIds")
	}
	return nil
}

// addChosen adds the recipients of the temporary table chosen to the targets.
func (t *tx) addChosen(ctx context.Context, number int64) error {
	_, last, err := t.countTargets(ctx, number)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, targetInsert, named("id", number), named("seq", last))
	return err
}

func (t *tx) countTargets(ctx context.Context, number int64) (count int, last int64, err error) {
	_, err = duckdb.Collect(ctx, t, targetCount, func(rows *sql.Rows) (struct{}, error) {
		return struct{}{}, rows.Scan(&count, &last)
	}, named("id", number))
	return count, last, err
}

// settleTargets records a changed number of targets.
func (t *turn) settleTargets(ctx context.Context, number int64, d *coupon.Delivery) error {
	t.touch(memory.Topic(d.ID))
	count, _, err := t.countTargets(ctx, number)
	if err != nil {
		return err
	}
	if _, err := t.Exec(ctx, targetRecord, named("id", number), named("count", count)); err != nil {
		return err
	}
	wasReady := d.Status == coupon.DeliveryReady
	if err := t.unprepare(ctx, number, d, "The targets were changed"); err != nil || !wasReady {
		return err
	}
	return t.writeDelivery(ctx, deliveryUpdate, number, d)
}

// ClearTargets takes all targets out of a delivery. It returns NOT_FOUND and INVALID_STATE.
func (s *Store) ClearTargets(ctx context.Context, id coupon.ID) (*coupon.Delivery, error) {
	return s.changeDelivery(ctx, id, "deliveryId", coupon.ActionEdit, func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
		if _, err := t.Exec(ctx, targetDelete, named("id", number)); err != nil {
			return err
		}
		return t.settleTargets(ctx, number, d)
	})
}

// AnalyzeDelivery prepares a delivery: counts its messages, records who is left out and why, and holds
// the codes when everything is right. Not enough codes, or any other error of the log, is no error here:
// the analysis tells, and the delivery stays EDITING. check checks the templates; what is wrong with them
// is given apart too, so that it can be shown where they are written. It returns NOT_FOUND and
// INVALID_STATE.
func (s *Store) AnalyzeDelivery(ctx context.Context, id coupon.ID, check coupon.ContentCheck) (*coupon.Delivery, coupon.UserErrors, error) {
	var problems coupon.UserErrors
	d, err := s.prepareDelivery(ctx, id, s.analysis(check, &problems))
	return d, problems, err
}

// analysis is the preparation of AnalyzeDelivery; what is wrong with the templates goes to problems.
func (s *Store) analysis(check coupon.ContentCheck, problems *coupon.UserErrors) *preparation {
	var found *judgement
	var wanted *memory.Hold
	return &preparation{
		action: coupon.ActionAnalyze,
		prepare: func(ctx context.Context, t *tx, number int64, d *coupon.Delivery) (err error) {
			if found, err = t.analyze(ctx, number, d, check, &analysisPlan{freed: s.memory.HeldFor(number, t.now)}); err != nil {
				return err
			}
			*problems, wanted = found.content.Problems, nil
			if _, err := t.Exec(ctx, exclusionDelete, named("id", number)); err != nil {
				return err
			}
			if _, err := t.Exec(ctx, exclusionInsert, named("id", number)); err != nil {
				return err
			}
			d.Analysis, d.Status = found.analysis, coupon.DeliveryEditing
			if !d.Analysis.IsSufficient {
				return nil
			}
			d.Status, wanted = coupon.DeliveryReady, holdFor(d, found.messages)
			if t.keepsDraft = t.mayDraft(found.messages.count); !t.keepsDraft {
				return nil
			}
			return t.createDraft(ctx, d, found.content.Uses)
		},
		finish: func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
			if wanted != nil && !s.memory.CanPromise(wanted, number, t.now) {
				return errRival
			}
			if _, err := t.freeHold(ctx, number); err != nil {
				return err
			}
			if err := t.hold(ctx, number, wanted); err != nil {
				return err
			}
			if err := t.writeAnalysis(ctx, number, d); err != nil {
				return err
			}
			if t.keepsDraft {
				t.keepDraft(d, found.messages, found.content.Uses)
			}
			return t.log(ctx, number, true, found.lines)
		},
	}
}

// analysisPlan says what an analysis is for.
type analysisPlan struct {
	// freed is how many codes an earlier hold of the delivery kept.
	freed int
	// isSimulation: nothing will be held.
	isSimulation bool
	// onlyChosen: only the targets in the temporary table chosen count.
	onlyChosen bool
}

// preparedMessages is what the messages of a delivery come to that were prepared.
type preparedMessages struct {
	// count is how many there are, and targets how many recipients were judged.
	count, targets int
	exclusions     map[coupon.ExclusionReason]int
	// labels has how many need a code with which label, in their order, without what is available. It is nil unless the
	// coupon has codes.
	labels      []coupon.LabelNeed
	fingerprint string
}

// judgement is what an analysis found.
type judgement struct {
	analysis *coupon.Analysis
	lines    []coupon.LogEntry
	content  coupon.ContentFindings
	messages *preparedMessages
}

// analyze judges a delivery as it is now. It leaves its messages in the temporary table prepared, unless they are drafted.
func (t *tx) analyze(ctx context.Context, number int64, d *coupon.Delivery, check coupon.ContentCheck, plan *analysisPlan) (*judgement, error) {
	c := t.couponOf(d)
	if c == nil && d.CouponID != nil {
		// Beside the writer the delivery got another coupon, and this one was deleted.
		return nil, errRival
	}
	found := &judgement{content: check(d, c)}
	if found.messages = t.drafted(found.content.Uses); found.messages == nil {
		var err error
		if found.messages, err = t.prepareMessages(ctx, number, d, c, plan.onlyChosen); err != nil {
			return nil, err
		}
	}
	findings := &coupon.Findings{
		Now: t.now, FreedCount: plan.freed, IsSimulation: plan.isSimulation, Coupon: c,
		TargetCount: found.messages.targets, MessageCount: found.messages.count, Exclusions: found.messages.exclusions,
		TemplateProblems: found.content.Problems, TemplateWarnings: found.content.Warnings, HoldDuration: t.store.options.HoldDuration,
	}
	if found.messages.labels != nil {
		findings.Needs = t.needs(number, d, found.messages)
	}
	found.analysis, found.lines = d.Judge(findings)
	found.analysis.Fingerprint = found.messages.fingerprint
	return found, nil
}

// prepareMessages judges every target of a delivery and counts the messages.
func (t *tx) prepareMessages(ctx context.Context, number int64, d *coupon.Delivery, c *coupon.Coupon, onlyChosen bool) (*preparedMessages, error) {
	labelPath := ""
	if d.MatchLabelTo != nil && d.CouponID != nil {
		labelPath = attributePath(*d.MatchLabelTo)
	}
	// The engine compiles a pattern that is a parameter anew for every row, one that stands in the
	// statement once: 3 ms against 0.5 µs an address. The pattern is a constant of ours, never input.
	prepare := strings.Replace(deliveryPrepare, "$address_pattern", duckdb.Quote(d.Channel.AddressPattern()), 1)
	if onlyChosen {
		prepare = strings.Replace(prepare, "/* only chosen */", "AND t.recipient_id IN (SELECT id FROM chosen)", 1)
	}
	err := t.Create(ctx, prepare, named("id", number), named("channel", string(d.Channel)), named("label_path", labelPath))
	if err != nil {
		return nil, err
	}
	if d.Limit() > 0 {
		if _, err := t.Exec(ctx, deliveryPrepareLimit, named("id", number), named("limit", d.Limit())); err != nil {
			return nil, err
		}
	}
	messages := &preparedMessages{exclusions: map[coupon.ExclusionReason]int{}}
	_, err = duckdb.Collect(ctx, t, preparedReasons, func(rows *sql.Rows) (struct{}, error) {
		var reason *coupon.ExclusionReason
		var count int
		err := rows.Scan(&reason, &count)
		messages.targets += count
		if reason == nil {
			messages.count = count
		} else {
			messages.exclusions[*reason] = count
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, err
	}
	if c != nil && c.Type == coupon.TypeIndividual {
		messages.labels, err = duckdb.Collect(ctx, t, preparedLabels, func(rows *sql.Rows) (coupon.LabelNeed, error) {
			var label sql.NullString
			var need coupon.LabelNeed
			err := rows.Scan(&label, &need.Needed)
			need.Label = label.String
			return need, err
		})
		if err != nil {
			return nil, err
		}
	}
	messages.fingerprint, err = duckdb.One[string](ctx, t, preparedFingerprint)
	return messages, err
}

// needs gives the codes that messages need, and what there is for them.
func (t *tx) needs(number int64, d *coupon.Delivery, messages *preparedMessages) []coupon.LabelNeed {
	claim := claimOf(d, number, t.now)
	byLabel := claim.ByLabel
	claim.ByLabel = false
	// What other deliveries hold without naming a label leaves this many for all labels together.
	left := t.store.memory.Promisable(claim, "")
	claim.ByLabel = byLabel
	needs := slices.Clone(messages.labels)
	for i := range needs {
		need := &needs[i]
		need.Available = t.store.memory.Promisable(claim, need.Label)
		if byLabel {
			need.Available = min(need.Available, left)
			left -= min(need.Needed, need.Available)
		}
	}
	return needs
}

// mayDraft tells whether so many messages may be drafted for a later transaction.
func (t *tx) mayDraft(count int) bool { return t.draft != nil && count <= maxDraft }

// holdFor gives the hold that a sufficient delivery needs; nil when it needs no codes.
func holdFor(d *coupon.Delivery, messages *preparedMessages) *memory.Hold {
	if d.Analysis.CodesNeeded == 0 {
		return nil
	}
	h := &memory.Hold{
		CouponID: coupon.MustNumber(coupon.KindCoupon, *d.CouponID), ByLabel: d.MatchLabelTo != nil, Counts: map[string]int{},
		Until: *d.Analysis.HeldUntil,
	}
	for _, need := range messages.labels {
		h.Counts[need.Label] = need.Needed
	}
	return h
}

// hold holds codes for a delivery; nil holds none.
func (t *turn) hold(ctx context.Context, number int64, h *memory.Hold) error {
	if h == nil {
		return nil
	}
	var labels []any
	var counts []int64
	for _, label := range slices.Sorted(maps.Keys(h.Counts)) {
		counts = append(counts, int64(h.Counts[label]))
		if h.ByLabel {
			labels = append(labels, label)
		} else {
			labels = append(labels, nil)
		}
	}
	if _, err := t.Exec(
		ctx,
		holdInsert,
		named("id", number),
		named("coupon_id", h.CouponID),
		named("labels", labels),
		named("counts", counts),
		named("until", h.Until),
	); err != nil {
		return err
	}
	t.change(func(c memory.Change) { c.Hold(number, h) })
	return nil
}

// ConfirmDelivery writes the messages of a READY delivery, each with its code, in one transaction, and
// makes it SCHEDULED or IN_PROGRESS. Repeating it is harmless. Everything is judged once more: it returns
// NOT_FOUND, INVALID_STATE, INSUFFICIENT_CODES when codes are missing by now, and ANALYSIS_STALE when
// anything else is not as the analysis found it.
func (s *Store) ConfirmDelivery(ctx context.Context, id coupon.ID, check coupon.ContentCheck) (*coupon.Delivery, error) {
	return s.prepareDelivery(ctx, id, s.confirmation(check))
}

func (s *Store) confirmation(check coupon.ContentCheck) *preparation {
	var found *judgement
	var spans []memory.Span
	var firstMessage int64
	return &preparation{
		action: coupon.ActionConfirm,
		prepare: func(ctx context.Context, t *tx, number int64, d *coupon.Delivery) (err error) {
			if found, err = t.analyze(ctx, number, d, check, &analysisPlan{}); err != nil {
				return err
			}
			if err := checkConfirmation(d, found.analysis); err != nil {
				return err
			}
			if spans, err = t.takeCodes(number, d, found); err != nil {
				return err
			}
			if t.drafted(found.content.Uses) == nil {
				if err := t.createDraft(ctx, d, found.content.Uses); err != nil {
					return err
				}
			}
			firstMessage = s.memory.TakeMessages(found.messages.count)
			return t.writeMessages(ctx, number, d, firstMessage, found.messages.count, spans)
		},
		finish: func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
			if found.analysis.CodesNeeded > 0 && !s.memory.CanTake(claimOf(d, number, t.now), spans) {
				return errRival
			}
			if _, err := t.freeHold(ctx, number); err != nil {
				return err
			}
			status, text := coupon.DeliveryInProgress, "Confirmed. Sending begins."
			if d.ContactAt != nil && d.ContactAt.After(t.now) {
				status, text = coupon.DeliveryScheduled, fmt.Sprintf("Confirmed. Sending begins at %s.", d.ContactAt.Format(time.RFC3339))
			}
			if _, err := t.Exec(ctx, deliveryConfirm, named("id", number), named("status", string(status)), named("now", t.now),
				named("first_message_id", firstMessage), named("message_count", found.messages.count)); err != nil {
				return err
			}
			t.change(func(c memory.Change) { c.Confirm(number, memory.Confirmed{Channel: d.Channel, At: t.now}) })
			t.onCommit(s.watchers.notifyDue)
			return t.log(ctx, number, false, []coupon.LogEntry{{Level: coupon.LogInfo, Text: text}})
		},
	}
}

// checkConfirmation refuses a delivery that is not any more as it was analyzed, now being what analysis says.
func checkConfirmation(d *coupon.Delivery, analysis *coupon.Analysis) error {
	switch {
	case analysis.Fingerprint != d.Analysis.Fingerprint:
		return coupon.Errorf(coupon.ErrorAnalysisStale, "The recipients of the delivery %q changed since the analysis (%d messages now, %d then). Analyze it again.", d.Label, analysis.MessageCount, d.Analysis.MessageCount).
			At("input", "id")
	case analysis.CodesShort > 0:
		return coupon.Errorf(coupon.ErrorInsufficientCodes, "The delivery %q needs %d codes; missing by now: %d. Add codes or analyze it again to see the remedies.", d.Label, analysis.CodesNeeded, analysis.CodesShort).
			At("input", "id")
	case !analysis.IsSufficient:
		return coupon.Errorf(coupon.ErrorAnalysisStale, "The delivery %q can no longer be sent as it was analyzed: its coupon or content changed. Analyze it again to see what is wrong.", d.Label).
			At("input", "id")
	}
	return nil
}

// claimOf returns what a delivery wants of its coupon's codes.
func claimOf(d *coupon.Delivery, number int64, now time.Time) memory.Claim {
	return memory.Claim{
		CouponID: coupon.MustNumber(coupon.KindCoupon, *d.CouponID), ByLabel: d.MatchLabelTo != nil, Delivery: number, Now: now,
	}
}

// takeCodes takes the codes of a delivery's messages out of the pool, in the order of the messages.
func (t *tx) takeCodes(number int64, d *coupon.Delivery, found *judgement) ([]memory.Span, error) {
	if found.analysis.CodesNeeded == 0 {
		return nil, nil
	}
	claim := claimOf(d, number, t.now)
	var spans []memory.Span
	for _, need := range found.messages.labels {
		part := t.store.memory.Take(claim, need.Label, need.Needed)
		if taken := memory.CountOf(part); taken != need.Needed {
			// Beside the writer others took, voided or removed some since they were counted.
			return nil, fmt.Errorf("take codes with one label: %d instead of %d: %w", taken, need.Needed, errRival)
		}
		spans = append(spans, part...)
	}
	if number > memory.MaxHolder {
		return nil, fmt.Errorf("take codes: the number of the delivery is above %d", memory.MaxHolder)
	}
	t.change(func(c memory.Change) { c.Assign(claim.CouponID, number, spans) })
	return spans, nil
}

// writeMessages writes the drafted messages of a delivery. Codes that follow one another are counted: looking up each one's
// place and sorting again takes as long as the rest.
func (t *tx) writeMessages(ctx context.Context, number int64, d *coupon.Delivery, first int64, count int, spans []memory.Span) error {
	args := []any{
		named("id", number), named("first_id", first), named("coupon_id", optionalNumber(coupon.KindCoupon, d.CouponID)), named("now", t.now),
	}
	statement := messageInsert
	switch len(spans) {
	case 0:
		args = append(args, named("first_code", nil), named("label", nil))
	case 1:
		args = append(args, named("first_code", spans[0].First), named("label", spans[0].Label))
	default:
		statement = messageInsertScattered
		if err := t.createTaken(ctx, spans); err != nil {
			return err
		}
	}
	written, err := t.Exec(ctx, statement, args...)
	if err == nil && written != count {
		err = fmt.Errorf("write messages: %d instead of %d", written, count)
	}
	return err
}

// createTaken lists the codes of spans by their place.
func (t *tx) createTaken(ctx context.Context, spans []memory.Span) error {
	var places, firsts, counts []int64
	var labels []string
	place := int64(0)
	for _, s := range spans {
		places, firsts, counts, labels = append(places, place), append(firsts, s.First), append(counts, int64(s.Count)), append(labels, s.Label)
		place += int64(s.Count)
	}
	return t.Create(ctx, takenCreate, named("places", places), named("firsts", firsts), named("counts", counts), named("labels", labels))
}

// PauseDelivery stops sending until ResumeDelivery. It returns NOT_FOUND and INVALID_STATE.
func (s *Store) PauseDelivery(ctx context.Context, id coupon.ID) (*coupon.Delivery, error) {
	unlock := s.watchers.lockSending(id)
	defer unlock()
	// While a delivery is paused, codes may be released and their messages canceled.
	defer s.forgetSending(id)
	return s.changeDelivery(ctx, id, "id", coupon.ActionPause, func(ctx context.Context, t *turn, number int64, _ *coupon.Delivery) error {
		return t.setStatus(ctx, number, coupon.DeliveryPaused, nil, "Paused.")
	})
}

// ResumeDelivery goes on sending. It returns NOT_FOUND and INVALID_STATE.
func (s *Store) ResumeDelivery(ctx context.Context, id coupon.ID) (*coupon.Delivery, error) {
	return s.changeDelivery(ctx, id, "id", coupon.ActionResume, func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
		t.onCommit(s.watchers.notifyDue)
		return t.setStatus(ctx, number, d.Resumed(t.now), nil, "Resumed.")
	})
}

// StopDelivery ends a delivery for good: messages that did not reach the sender are canceled and their
// codes go back to the pool, except those that may be on their way all the same; the log has the receipt. It returns NOT_FOUND and INVALID_STATE.
func (s *Store) StopDelivery(ctx context.Context, id coupon.ID) (*coupon.Delivery, error) {
	unlock := s.watchers.lockSending(id)
	defer unlock()
	defer s.forgetSending(id)
	return s.changeDelivery(ctx, id, "id", coupon.ActionStop, func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error {
		freed, err := t.freeHold(ctx, number)
		if err != nil {
			return err
		}
		codes, err := collectNumbers(ctx, t, deliveryUnsentCodes, named("id", number))
		if err != nil {
			return err
		}
		canceled, err := t.Exec(ctx, deliveryCancelMessages, named("id", number), named("now", t.now))
		if err != nil {
			return err
		}
		if err := t.release(ctx, codes, "the delivery was stopped"); err != nil {
			return err
		}
		if canceled > 0 {
			if _, err := t.Exec(ctx, deliveryRecount); err != nil {
				return err
			}
		}
		text := fmt.Sprintf(
			"Stopped. %d messages canceled, %d of their codes returned to the pool; %d messages were sent before and keep theirs.",
			canceled,
			len(codes),
			d.Counts.Sent,
		)
		if d.Status == coupon.DeliveryReady {
			text = fmt.Sprintf("Stopped before it was confirmed. %d held codes are free again.", freed)
		}
		return t.setStatus(ctx, number, coupon.DeliveryStopped, &t.now, text)
	})
}

func (t *turn) setStatus(ctx context.Context, number int64, status coupon.DeliveryStatus, finishedAt *time.Time, text string) error {
	if _, err := t.Exec(ctx, deliverySetStatus, named("id", number), named("status", string(status)), named("finished_at", finishedAt)); err != nil {
		return err
	}
	return t.log(ctx, number, false, []coupon.LogEntry{{Level: coupon.LogInfo, Text: text}})
}

// DeliveriesByID gives the deliveries that exist of these.
func (s *Store) DeliveriesByID(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.Delivery, error) {
	return s.readDeliveries(ctx, numbersOf(coupon.KindDelivery, ids))
}

func (s *Store) readDeliveries(ctx context.Context, numbers []int64) (map[coupon.ID]*coupon.Delivery, error) {
	found, err := readDeliveries(ctx, s.engine.Planned(), numbers)
	s.estimate(found)
	return found, err
}

func readDeliveries(ctx context.Context, q duckdb.Querier, numbers []int64) (map[coupon.ID]*coupon.Delivery, error) {
	found := make(map[coupon.ID]*coupon.Delivery, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	_, err := duckdb.Collect(ctx, q, deliveryGet, func(rows *sql.Rows) (struct{}, error) {
		var number int64
		var couponNumber *int64
		var analysis *string
		var d coupon.Delivery
		if err := rows.Scan(
			&number,
			&d.Label,
			&d.Channel,
			&couponNumber,
			&d.Subject,
			&d.Body,
			&d.MessageLimit,
			&d.MatchLabelTo,
			&d.ContactAt,
			&d.Status,
			&d.TargetCount,
			&analysis,
			&d.Counts.Total,
			&d.Counts.Sent,
			&d.Counts.Failed,
			&d.Counts.Canceled,
			&d.CreatedAt,
			&d.ConfirmedAt,
			&d.FinishedAt,
		); err != nil {
			return struct{}{}, err
		}
		d.ID, d.CouponID = coupon.NewID(coupon.KindDelivery, number), coupon.NewIDPtr(coupon.KindCoupon, couponNumber)
		d.Counts.Pending = d.Counts.Total - d.Counts.Sent - d.Counts.Failed - d.Counts.Canceled
		if analysis != nil {
			d.Analysis = &coupon.Analysis{}
			if err := json.Unmarshal([]byte(*analysis), d.Analysis); err != nil {
				return struct{}{}, fmt.Errorf("decode the analysis of %s: %w", d.ID, err)
			}
			d.Analysis.DeliveryID = d.ID
			if d.Status != coupon.DeliveryReady {
				d.Analysis.HeldUntil = nil
			}
		}
		found[d.ID] = &d
		return struct{}{}, nil
	}, named("ids", numbers))
	return found, err
}

// Deliveries gives a page of deliveries, newest first; status and couponID narrow it unless empty.
func (s *Store) Deliveries(ctx context.Context, status []coupon.DeliveryStatus, couponID *coupon.ID, page coupon.Page) (*coupon.List[*coupon.Delivery], error) {
	args := []any{named("status", texts(status)), named("coupon_id", optionalNumber(coupon.KindCoupon, couponID))}
	return newestPage(ctx, s, page, coupon.KindDelivery, deliveryPage, deliveryCount, args, s.readDeliveries)
}

// texts gives enum values as a parameter; none gives NULL, which narrows nothing.
func texts[T ~string](values []T) any {
	if len(values) == 0 {
		return nil
	}
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}

// newestPage gives a page of a list whose statements give its numbers below $after (NULL: all), newest
// first, and its length.
func newestPage[T any](ctx context.Context, s *Store, page coupon.Page, kind coupon.Kind, list, count string, args []any,
	read func(context.Context, []int64) (map[coupon.ID]T, error),
) (*coupon.List[T], error) {
	result := &coupon.List[T]{}
	var err error
	if page.WantsTotal {
		if result.Total, err = duckdb.One[int](ctx, s.engine, count, args...); err != nil {
			return nil, err
		}
	}
	if !page.WantsItems {
		return result, nil
	}
	var after any
	if page.After != nil {
		after = page.After.Number
	}
	numbers, err := duckdb.Collect(ctx, s.engine, list, duckdb.ScanInto[int64], append(args, named("after", after), named("limit", page.First+1))...)
	if err != nil {
		return nil, err
	}
	if result.HasNext = len(numbers) > page.First; result.HasNext {
		numbers = numbers[:page.First]
	}
	found, err := read(ctx, numbers)
	result.Items, result.Cursors = inOrder(found, kind, numbers), cursorsOf(numbers)
	return result, err
}

// CouponDeliveries gives a page of each coupon's deliveries, newest first.
func (s *Store) CouponDeliveries(ctx context.Context, coupons []coupon.ID, page coupon.Page) (map[coupon.ID]*coupon.List[*coupon.Delivery], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: coupons, parentKind: coupon.KindCoupon, page: page, list: couponDeliveries, count: couponDeliveriesCount, isNewestFirst: true,
	})
	if err != nil {
		return nil, err
	}
	return fillPages(ctx, pages, coupon.KindDelivery, s.readDeliveries)
}

// LogOf gives the log of each delivery since its last analysis began.
func (s *Store) LogOf(ctx context.Context, deliveries []coupon.ID) (map[coupon.ID][]*coupon.LogEntry, error) {
	logs := make(map[coupon.ID][]*coupon.LogEntry, len(deliveries))
	_, err := duckdb.Collect(ctx, s.engine, deliveryLogGet, func(rows *sql.Rows) (struct{}, error) {
		var number int64
		var line coupon.LogEntry
		err := rows.Scan(&number, &line.At, &line.Level, &line.Text)
		id := coupon.NewID(coupon.KindDelivery, number)
		logs[id] = append(logs[id], &line)
		return struct{}{}, err
	}, named("ids", numbersOf(coupon.KindDelivery, deliveries)))
	return logs, err
}

// ExclusionsOf gives a page of those whom the last analysis of each delivery left out, in the order of
// the targets.
func (s *Store) ExclusionsOf(
	ctx context.Context,
	deliveries []coupon.ID,
	reasons []coupon.ExclusionReason,
	page coupon.Page,
) (map[coupon.ID]*coupon.List[*coupon.ExcludedRecipient], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: deliveries, parentKind: coupon.KindDelivery, page: page, list: deliveryExclusions, count: deliveryExclusionsCount,
		args: []any{named("reason", texts(reasons))},
	})
	if err != nil {
		return nil, err
	}
	lists := make(map[coupon.ID]*coupon.List[*coupon.ExcludedRecipient], len(pages))
	var parents, seqs []int64
	for id, p := range pages {
		lists[id] = &coupon.List[*coupon.ExcludedRecipient]{Cursors: cursorsOf(p.numbers), HasNext: p.hasNext, Total: p.total}
		for _, seq := range p.numbers {
			parents, seqs = append(parents, coupon.MustNumber(coupon.KindDelivery, id)), append(seqs, seq)
		}
	}
	_, err = duckdb.Collect(ctx, s.engine, exclusionGet, func(rows *sql.Rows) (struct{}, error) {
		var parent, number int64
		var excluded coupon.ExcludedRecipient
		err := rows.Scan(&parent, &number, &excluded.Reason)
		excluded.RecipientID = coupon.NewID(coupon.KindRecipient, number)
		list := lists[coupon.NewID(coupon.KindDelivery, parent)]
		list.Items = append(list.Items, &excluded)
		return struct{}{}, err
	}, named("parents", parents), named("seqs", seqs))
	return lists, err
}
