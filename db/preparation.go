package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"couponql/coupon"
	"couponql/db/duckdb"
	"couponql/db/duckdb/memory"
)

// preparation is a long use case about one delivery: prepare decides and writes what nobody else
// touches, and finish, in the writer's turn, returns errRival when the decision does not hold any
// more, and writes the rest.
type preparation struct {
	action  coupon.DeliveryAction
	prepare func(ctx context.Context, t *tx, number int64, d *coupon.Delivery) error
	finish  func(ctx context.Context, t *turn, number int64, d *coupon.Delivery) error
}

// prepareDelivery is changeDelivery for a long use case, which keeps nobody waiting: it runs beside
// the writer, and only when others changed what it relies on, again in the writer's turn.
func (s *Store) prepareDelivery(ctx context.Context, id coupon.ID, p *preparation) (
	*coupon.Delivery, error,
) {
	var number int64
	var d *coupon.Delivery
	isDone := false
	prepare := func(ctx context.Context, t *tx) (err error) {
		if number, d, err = t.delivery(ctx, id); err != nil {
			return at(err, "input", "id")
		}
		if isDone, err = d.Check(p.action); err != nil || isDone {
			return at(err, "input", "id")
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
		// From here on changes are looked for at the end; up to here they would have outdated the
		// draft.
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
	if isRival(err) {
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

// reliedOn returns the things whose changes matter to a preparation of a delivery. Quarantine is
// none of them: reports come all day, a preparation would be made twice for each, and what leaves
// is judged once more anyway.
func reliedOn(d *coupon.Delivery) []memory.Topic {
	things := []memory.Topic{memory.Topic(d.ID), memory.AllRecipients}
	if d.CouponID != nil {
		things = append(things, memory.Topic(*d.CouponID))
	}
	if d.Reuse != coupon.ReuseNewCode {
		// A code that went back may be another person's next.
		things = append(things, memory.AllReleases)
	}
	return things
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
		[]coupon.LogEntry{{
			Level: coupon.LogInfo,
			Text:  fmt.Sprintf("%s: analyze it again. %d held codes are free again.", why, freed),
		}},
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
	_, err = t.Exec(ctx, deliverySetAnalysis, named("id", number), named("analysis", string(text)),
		named("status", string(d.Status)))
	return err
}

// AnalyzeDelivery prepares a delivery: counts its messages, records who is left out and why, and
// holds the codes when everything is right. Not enough codes, or any other error of the log, is no
// error here: the analysis tells, and the delivery stays EDITING. check checks the templates; what
// is wrong with them is given apart too, so that it can be shown where they are written. It returns
// NOT_FOUND and INVALID_STATE.
func (s *Store) AnalyzeDelivery(ctx context.Context, id coupon.ID, check coupon.ContentCheck) (
	*coupon.Delivery, coupon.UserErrors, error,
) {
	var problems coupon.UserErrors
	d, err := s.prepareDelivery(ctx, id, s.analysis(check, &problems))
	return d, problems, err
}

// analysis is the preparation of AnalyzeDelivery; what is wrong with the templates goes to
// problems.
func (s *Store) analysis(check coupon.ContentCheck, problems *coupon.UserErrors) *preparation {
	var found *judgement
	var wanted *memory.Hold
	return &preparation{
		action: coupon.ActionAnalyze,
		prepare: func(ctx context.Context, t *tx, number int64, d *coupon.Delivery) (err error) {
			if found, err = t.analyze(ctx, number, d, check,
				&analysisPlan{freed: s.memory.HeldFor(number, t.now)}); err != nil {
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
			// What becomes of a code outdates no draft.
			t.keepsDraft = d.Reuse == coupon.ReuseNewCode && t.mayDraft(found.messages.count)
			if !t.keepsDraft {
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
	// isConfirmation: nobody reads the log, and warnings are not looked for.
	isConfirmation bool
}

// preparedMessages is what the messages of a delivery come to that were prepared.
type preparedMessages struct {
	// count is how many there are, and targets how many recipients were judged.
	count, targets int
	exclusions     map[coupon.ExclusionReason]int
	// reused is how many carry a code again.
	reused int
	// labels has how many need a code with which label, in their order, without what is available.
	// It is nil unless the coupon has codes.
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

// analyze judges a delivery as it is now. It leaves its messages in the temporary table prepared,
// unless they are drafted.
func (t *tx) analyze(
	ctx context.Context, number int64, d *coupon.Delivery, check coupon.ContentCheck,
	plan *analysisPlan,
) (*judgement, error) {
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
		TargetCount: found.messages.targets, MessageCount: found.messages.count,
		Exclusions:       found.messages.exclusions,
		ReusedCount:      found.messages.reused,
		TemplateProblems: found.content.Problems, TemplateWarnings: found.content.Warnings,
		HoldDuration: t.store.options.HoldDuration,
		SendRate:     d.RateLimit(t.store.options.SendRate),
	}
	if c != nil && c.Type == coupon.TypeAnonymous {
		findings.Redeemed = t.store.memory.MostRedeemed(coupon.MustNumber(coupon.KindCoupon, c.ID))
	}
	if !plan.isConfirmation {
		var err error
		if findings.MissingValues, err = t.missingValues(ctx, found.content.Shown); err != nil {
			return nil, err
		}
		if findings.Sample, err = t.sample(ctx, d, c, found.content.Render); err != nil {
			return nil, err
		}
	}
	if found.messages.labels != nil {
		findings.Needs = t.needs(number, d, found.messages)
		var err error
		if findings.Holds, err = t.holders(ctx, number, d, findings.Needs); err != nil {
			return nil, err
		}
	}
	found.analysis, found.lines = d.Judge(findings)
	found.analysis.Fingerprint = found.messages.fingerprint
	return found, nil
}

// missingValues counts those who get a message and lack a value that it shows.
func (t *tx) missingValues(ctx context.Context, shown []coupon.RecipientValue) (
	[]*coupon.MissingValue, error,
) {
	var found []*coupon.MissingValue
	for _, value := range shown[:min(len(shown), coupon.MaxShownValues)] {
		path := ""
		if name := value.Attribute(); name != "" {
			path = attributePath(name)
		}
		err := duckdb.Each(ctx, t, preparedMissing, func(rows *sql.Rows) error {
			missing := &coupon.MissingValue{Token: string(value)}
			var first string
			if err := rows.Scan(&missing.Count, &first); err != nil || missing.Count == 0 {
				return err
			}
			for number := range strings.FieldsSeq(first) {
				missing.RecipientIDs = append(missing.RecipientIDs,
					coupon.ID(string(coupon.KindRecipient)+"_"+number))
			}
			found = append(found, missing)
			return nil
		}, named("value", string(value)), named("path", path), named("limit",
			coupon.MaxMissingExamples))
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// sample renders the first messages of an SMS, whose lengths tell what it costs. Codes are as long
// as the next free one.
func (t *tx) sample(
	ctx context.Context, d *coupon.Delivery, c *coupon.Coupon,
	render func(*coupon.MessageData) (coupon.RenderedMessage, error),
) ([]string, error) {
	if d.Channel != coupon.ChannelSMS || render == nil {
		return nil, nil
	}
	recipients, err := duckdb.Collect(ctx, t, preparedSample,
		func(rows *sql.Rows) (*coupon.RecipientData, error) {
			var r coupon.RecipientData
			var attributes string
			err := rows.Scan(&r.ExternalID, &r.Email, &r.Phone, &r.FirstName, &r.LastName,
				&attributes)
			r.Attributes = coupon.JSON(attributes)
			return &r, err
		}, named("limit", coupon.SMSSample))
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, r := range recipients {
		data := &coupon.MessageData{Recipient: *r}
		data.CouponValue, err = t.store.nextCode(ctx, d, c,
			&coupon.Recipient{Attributes: r.Attributes})
		if err != nil {
			return nil, err
		}
		data.Complete(d, c)
		// What cannot be rendered is a warning of its own.
		if m, err := render(data); err == nil {
			texts = append(texts, m.Body)
		}
	}
	return texts, nil
}

// prepareMessages judges every target of a delivery and counts the messages.
func (t *tx) prepareMessages(
	ctx context.Context, number int64, d *coupon.Delivery, c *coupon.Coupon, onlyChosen bool,
) (*preparedMessages, error) {
	labelPath := ""
	if d.MatchLabelTo != nil && d.CouponID != nil {
		labelPath = attributePath(*d.MatchLabelTo)
	}
	prepare := withInvisible(deliveryPrepare)
	if onlyChosen {
		prepare = fill(prepare, "/* only chosen */",
			"AND t.recipient_id IN (SELECT id FROM chosen)")
	}
	err := t.Create(ctx, prepare, named("id", number), named("channel", string(d.Channel)),
		named("label_path", labelPath),
		named("allow_duplicates", d.AllowDuplicateAddresses),
		named("ignore_quarantine", d.IgnoreQuarantine))
	if err != nil {
		return nil, err
	}
	reuses := c != nil && c.Type == coupon.TypeIndividual && d.Reuse != coupon.ReuseNewCode
	if reuses {
		if _, err := t.Exec(ctx, deliveryPrepareReuse,
			named("coupon_id", coupon.MustNumber(coupon.KindCoupon, c.ID)),
			named("is_same", d.Reuse == coupon.ReuseSameCode)); err != nil {
			return nil, err
		}
	}
	if d.Limit() > 0 {
		if _, err := t.Exec(ctx, deliveryPrepareLimit, named("id", number),
			named("limit", d.Limit())); err != nil {
			return nil, err
		}
	}
	messages := &preparedMessages{exclusions: map[coupon.ExclusionReason]int{}}
	err = duckdb.Each(ctx, t, preparedReasons, func(rows *sql.Rows) error {
		var reason *coupon.ExclusionReason
		var count int
		err := rows.Scan(&reason, &count)
		messages.targets += count
		if reason == nil {
			messages.count = count
		} else {
			messages.exclusions[*reason] = count
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if c != nil && c.Type == coupon.TypeIndividual {
		messages.labels, err = duckdb.Collect(ctx, t, preparedLabels,
			func(rows *sql.Rows) (coupon.LabelNeed, error) {
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
	if reuses {
		if messages.reused, err = duckdb.One[int](ctx, t, preparedReused); err != nil {
			return nil, err
		}
		if len(messages.labels) == 0 && d.MatchLabelTo == nil {
			// Nobody needs one, and the analysis tells what there is.
			messages.labels = []coupon.LabelNeed{{}}
		}
	}
	messages.fingerprint, err = duckdb.One[string](ctx, t, preparedFingerprint)
	return messages, err
}

// needs returns the codes that messages need, and what there is for them.
func (
	t *tx,
) needs(number int64, d *coupon.Delivery, messages *preparedMessages) []coupon.LabelNeed {
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

// holders returns the largest holds of other deliveries, when codes are missing.
func (t *tx) holders(
	ctx context.Context, number int64, d *coupon.Delivery, needs []coupon.LabelNeed,
) ([]coupon.NamedHold, error) {
	if !slices.ContainsFunc(needs,
		func(n coupon.LabelNeed) bool { return n.Needed > n.Available }) {
		return nil, nil
	}
	holds := t.store.memory.Holds(coupon.MustNumber(coupon.KindCoupon, *d.CouponID), number, t.now)
	holds = holds[:min(len(holds), coupon.MaxNamedHolds)]
	numbers := make([]int64, len(holds))
	for i, hold := range holds {
		numbers[i] = coupon.MustNumber(coupon.KindDelivery, hold.DeliveryID)
	}
	known, err := readDeliveries(ctx, t, numbers)
	var named []coupon.NamedHold
	for _, hold := range holds {
		// One that was deleted since this transaction began holds nothing any more.
		if holder := known[hold.DeliveryID]; holder != nil {
			named = append(named, coupon.NamedHold{CodeHold: hold, DeliveryLabel: holder.Label})
		}
	}
	return named, err
}

// mayDraft reports whether so many messages may be drafted for a later transaction.
func (t *tx) mayDraft(count int) bool { return t.draft != nil && count <= maxDraft }

// holdFor returns the hold that a sufficient delivery needs; nil when it needs no codes.
func holdFor(d *coupon.Delivery, messages *preparedMessages) *memory.Hold {
	if d.Analysis.CodesNeeded == 0 {
		return nil
	}
	h := &memory.Hold{
		CouponID: coupon.MustNumber(coupon.KindCoupon, *d.CouponID), ByLabel: d.MatchLabelTo != nil,
		Counts: map[string]int{},
		Until:  *d.Analysis.HeldUntil,
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
