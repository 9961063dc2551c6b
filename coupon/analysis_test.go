package coupon

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const judgedAt = "2026-11-24T09:15:00Z"

// logText returns the lines of a log as one text.
func logText(log []LogEntry) string {
	var text strings.Builder
	for _, entry := range log {
		fmt.Fprintf(&text, "%s %s\n", entry.Level, entry.Text)
	}
	return text.String()
}

func TestJudge(t *testing.T) {
	t.Parallel()
	now := instantOf(t, judgedAt)
	const hold = 24 * time.Hour
	until := now.Add(hold)
	const (
		stopped = "ERROR The analysis stopped: the delivery cannot be confirmed until the errors above are fixed.\n"
		three   = "INFO The analysis started.\nINFO 3 recipients in the target.\nINFO No message limit.\nINFO 3 messages to send.\n"
		ready   = "INFO The delivery is prepared. Messages to send: 3. Confirm to send them.\n"
	)
	valid := &Coupon{
		Label: "Ski", Type: TypeIndividual, StartsAt: now.AddDate(0, -1, 0),
		EndsAt: new(now.AddDate(0, 1, 0)),
	}
	with := func(change func(*Coupon)) *Coupon {
		c := *valid
		change(&c)
		return &c
	}
	later := now.Add(48 * time.Hour)
	tests := map[string]struct {
		delivery Delivery
		findings Findings
		want     Analysis
		log      string
	}{
		"without a coupon": {
			findings: Findings{TargetCount: 3, MessageCount: 3},
			want:     Analysis{TargetCount: 3, MessageCount: 3, IsSufficient: true},
			log:      three + ready,
		},
		"one recipient": {
			findings: Findings{
				TargetCount: 1, MessageCount: 1, FreedCount: 1, Coupon: valid,
				Needs: []LabelNeed{{Needed: 1, Available: 1}},
			},
			want: Analysis{
				TargetCount: 1, MessageCount: 1, CodesNeeded: 1, CodesAvailable: 1,
				IsSufficient: true, HeldUntil: &until,
			},
			log: "INFO The analysis started.\nINFO 1 code that the last analysis held: free again.\nINFO 1 recipient in the target.\nINFO No message limit.\n" +
				"INFO 1 message to send.\nINFO Enough codes: 1 needed, 1 available.\nINFO 1 code held for this delivery until 2026-11-25T09:15:00Z.\n" +
				"INFO The delivery is prepared. Messages to send: 1. Confirm to send them.\n",
		},
		"anonymous coupon": {
			findings: Findings{
				TargetCount: 3, MessageCount: 3,
				Coupon: with(func(c *Coupon) { c.Type = TypeAnonymous }),
			},
			want: Analysis{TargetCount: 3, MessageCount: 3, IsSufficient: true},
			log:  three + ready,
		},
		"enough codes": {
			findings: Findings{
				TargetCount: 3, MessageCount: 3, FreedCount: 12, Coupon: valid,
				Needs: []LabelNeed{{Needed: 3, Available: 3}},
			},
			want: Analysis{
				TargetCount: 3, MessageCount: 3, CodesNeeded: 3, CodesAvailable: 3,
				IsSufficient: true, HeldUntil: &until,
			},
			log: "INFO The analysis started.\nINFO 12 codes that the last analysis held: free again.\nINFO 3 recipients in the target.\nINFO No message limit.\n" +
				"INFO 3 messages to send.\nINFO Enough codes: 3 needed, 3 available.\nINFO 3 codes held for this delivery until 2026-11-25T09:15:00Z.\n" + ready,
		},
		"enough codes of each label": {
			delivery: Delivery{MatchLabelTo: new("sport")},
			findings: Findings{
				TargetCount: 3, MessageCount: 3, Coupon: valid,
				Needs: []LabelNeed{{Label: "Ball", Needed: 2, Available: 9}, {
					Label: "Ski", Needed: 1, Available: 1,
				}},
			},
			want: Analysis{
				TargetCount: 3, MessageCount: 3, CodesNeeded: 3, CodesAvailable: 10,
				IsSufficient: true, HeldUntil: &until,
			},
			log: three + "INFO Enough codes: 3 needed, 10 available.\nINFO 3 codes held for this delivery until 2026-11-25T09:15:00Z.\n" + ready,
		},
		"every exclusion and a limit": {
			delivery: Delivery{MessageLimit: new(2)},
			findings: Findings{
				TargetCount: 23, MessageCount: 2,
				Exclusions: map[ExclusionReason]int{
					ExcludedMessageLimit: 6, ExcludedNoMatchingLabel: 5,
					ExcludedDuplicateAddress: 4,
					ExcludedNotContactable:   3,
					ExcludedInvalidAddress:   2, ExcludedNoAddress: 1,
				},
			},
			want: Analysis{
				TargetCount: 23, MessageCount: 2, IsSufficient: true,
				Exclusions: []*Exclusion{
					{ExcludedNoAddress, 1},
					{ExcludedInvalidAddress, 2},
					{ExcludedNotContactable, 3},
					{ExcludedDuplicateAddress, 4},
					{ExcludedNoMatchingLabel, 5},
					{ExcludedMessageLimit, 6},
				},
			},
			log: "INFO The analysis started.\nINFO 23 recipients in the target.\n" +
				"INFO 1 recipient left out: they have no address for this channel (NO_ADDRESS).\n" +
				"INFO 2 recipients left out: they have an address that cannot be right (INVALID_ADDRESS).\n" +
				"INFO 3 recipients left out: they do not want to be contacted (NOT_CONTACTABLE).\n" +
				"INFO 4 recipients left out: they have an address that an earlier target has too (DUPLICATE_ADDRESS).\n" +
				"INFO 5 recipients left out: they have no value in the attribute that the code's label must equal (NO_MATCHING_LABEL).\n" +
				"INFO 6 recipients left out: they are over the message limit, drawn at random (MESSAGE_LIMIT).\n" +
				"INFO The message limit is 2.\nINFO 2 messages to send.\n" +
				"INFO The delivery is prepared. Messages to send: 2. Confirm to send them.\n",
		},
		"limit 0": {
			delivery: Delivery{MessageLimit: new(0)},
			findings: Findings{TargetCount: 3, MessageCount: 3},
			want:     Analysis{TargetCount: 3, MessageCount: 3, IsSufficient: true},
			log:      three + ready,
		},
		"nobody": {
			findings: Findings{Coupon: valid, Needs: []LabelNeed{}},
			log: "INFO The analysis started.\nINFO 0 recipients in the target.\nINFO No message limit.\nINFO 0 messages to send.\n" +
				"ERROR There is nobody to send to. Add targets, or fix the addresses of those left out.\nINFO Enough codes: 0 needed, 0 available.\n" + stopped,
		},
		"labels without a coupon": {
			delivery: Delivery{MatchLabelTo: new("sport")},
			findings: Findings{TargetCount: 3, MessageCount: 3},
			want:     Analysis{TargetCount: 3, MessageCount: 3},
			log: three +
				"ERROR Labels are to be matched, but the delivery has no coupon. Set its coupon.\n" +
				stopped,
		},
		"coupon archived, and over": {
			findings: Findings{
				TargetCount: 3, MessageCount: 3,
				Coupon: with(func(c *Coupon) { c.ArchivedAt, c.EndsAt = &now, &now }),
			},
			want: Analysis{TargetCount: 3, MessageCount: 3},
			log: three +
				"ERROR The coupon \"Ski\" is archived. Choose another one.\n" + stopped,
		},
		"coupon not started": {
			findings: Findings{
				TargetCount: 3, MessageCount: 3,
				Coupon: with(func(c *Coupon) { c.StartsAt = now.Add(time.Second) }),
			},
			want: Analysis{TargetCount: 3, MessageCount: 3},
			log: three + "ERROR The coupon \"Ski\" is valid from 2026-11-24T09:15:01Z, but the messages go out at 2026-11-24T09:15:00Z. " +
				"Send later, or let the coupon start earlier.\n" + stopped,
		},
		"coupon starts with the sending": {
			findings: Findings{
				TargetCount: 3, MessageCount: 3, Coupon: with(func(c *Coupon) { c.StartsAt = now }),
			},
			want: Analysis{TargetCount: 3, MessageCount: 3, IsSufficient: true},
			log:  three + ready,
		},
		"coupon starts before a later sending": {
			delivery: Delivery{ContactAt: &later},
			findings: Findings{
				TargetCount: 3, MessageCount: 3,
				Coupon: with(func(c *Coupon) { c.StartsAt = later }),
			},
			want: Analysis{TargetCount: 3, MessageCount: 3, IsSufficient: true},
			log:  three + ready,
		},
		"coupon ended": {
			findings: Findings{
				TargetCount: 3, MessageCount: 3, Coupon: with(func(c *Coupon) { c.EndsAt = &now }),
			},
			want: Analysis{TargetCount: 3, MessageCount: 3},
			log: three + "ERROR The coupon \"Ski\" ends at 2026-11-24T09:15:00Z, before the messages go out at 2026-11-24T09:15:00Z. " +
				"Send earlier, or let the coupon end later.\n" + stopped,
		},
		"coupon ends before a later sending": {
			delivery: Delivery{ContactAt: &later},
			findings: Findings{
				TargetCount: 3, MessageCount: 3,
				Coupon: with(func(c *Coupon) { c.EndsAt = new(later.Add(-time.Hour)) }),
			},
			want: Analysis{TargetCount: 3, MessageCount: 3},
			log: three + "ERROR The coupon \"Ski\" ends at 2026-11-26T08:15:00Z, before the messages go out at 2026-11-26T09:15:00Z. " +
				"Send earlier, or let the coupon end later.\n" + stopped,
		},
		"coupon ends soon": {
			findings: Findings{
				TargetCount: 3, MessageCount: 3,
				Coupon: with(func(c *Coupon) { c.EndsAt = new(now.Add(SoonEnd - time.Second)) }),
			},
			want: Analysis{TargetCount: 3, MessageCount: 3, IsSufficient: true},
			log: three +
				"WARNING The coupon \"Ski\" ends at 2026-11-27T09:14:59Z, less than 3 days after the messages go out.\n" +
				ready,
		},
		"coupon ends not so soon": {
			findings: Findings{
				TargetCount: 3, MessageCount: 3,
				Coupon: with(func(c *Coupon) { c.EndsAt = new(now.Add(SoonEnd)) }),
			},
			want: Analysis{TargetCount: 3, MessageCount: 3, IsSufficient: true},
			log:  three + ready,
		},
		"coupon without an end": {
			findings: Findings{
				TargetCount: 3, MessageCount: 3, Coupon: with(func(c *Coupon) { c.EndsAt = nil }),
			},
			want: Analysis{TargetCount: 3, MessageCount: 3, IsSufficient: true},
			log:  three + ready,
		},
		"short of codes": {
			findings: Findings{TargetCount: 3, MessageCount: 3, Coupon: valid, Needs: []LabelNeed{
				{Needed: 3, Available: 1},
			}},
			want: Analysis{
				TargetCount: 3, MessageCount: 3, CodesNeeded: 3, CodesAvailable: 1, CodesShort: 2,
				Remedies: []*Remedy{
					{Kind: RemedyAddCodes, Count: 2, Text: "Add 2 codes to the coupon."},
					{Kind: RemedyLimitMessages, Count: 1, Text: "Limit the delivery to 1 message."},
					{
						Kind: RemedySplitDelivery, Count: 1,
						Text: "Split the delivery: there are codes for 1 message now.",
					},
				},
			},
			log: three + "ERROR Not enough codes: 3 needed, 1 available, 2 missing.\n" + stopped,
		},
		"no code at all": {
			findings: Findings{
				TargetCount: 3, MessageCount: 3, Coupon: valid, Needs: []LabelNeed{{Needed: 3}},
			},
			want: Analysis{
				TargetCount: 3, MessageCount: 3, CodesNeeded: 3, CodesShort: 3,
				Remedies: []*Remedy{
					{Kind: RemedyAddCodes, Count: 3, Text: "Add 3 codes to the coupon."},
				},
			},
			log: three + "ERROR Not enough codes: 3 needed, 0 available, 3 missing.\n" + stopped,
		},
		"short of some labels": {
			delivery: Delivery{MatchLabelTo: new("sport")},
			findings: Findings{TargetCount: 3, MessageCount: 3, Coupon: valid, Needs: []LabelNeed{
				{Label: "Ball", Needed: 4, Available: 3},
				{Label: "Gym", Needed: 2, Available: 0},
				{Label: "Ski", Needed: 1, Available: 9},
			}},
			want: Analysis{
				TargetCount: 3, MessageCount: 3, CodesNeeded: 7, CodesAvailable: 12, CodesShort: 3,
				ShortByLabel: []*LabelShortage{
					{Label: "Ball", Needed: 4, Available: 3}, {Label: "Gym", Needed: 2},
				},
				Remedies: []*Remedy{
					{
						Kind: RemedyAddCodes, Count: 1, Label: new("Ball"),
						Text: "Add 1 code with this label to the coupon.",
					},
					{
						Kind: RemedyAddCodes, Count: 2, Label: new("Gym"),
						Text: "Add 2 codes with this label to the coupon.",
					},
					{
						Kind: RemedySplitDelivery, Count: 4,
						Text: "Split the delivery: there are codes for 4 messages now.",
					},
				},
			},
			log: three + "ERROR Not enough codes with the label of shortByLabel[0]: 4 needed, 3 available, 1 missing.\n" +
				"ERROR Not enough codes with the label of shortByLabel[1]: 2 needed, 0 available, 2 missing.\n" +
				"ERROR Not enough codes: 7 needed, 3 missing.\n" + stopped,
		},
		"short of every label": {
			delivery: Delivery{MatchLabelTo: new("sport")},
			findings: Findings{TargetCount: 3, MessageCount: 3, Coupon: valid, Needs: []LabelNeed{
				{Label: "Gym", Needed: 3},
			}},
			want: Analysis{
				TargetCount: 3, MessageCount: 3, CodesNeeded: 3, CodesShort: 3,
				ShortByLabel: []*LabelShortage{{Label: "Gym", Needed: 3}},
				Remedies: []*Remedy{
					{
						Kind: RemedyAddCodes, Count: 3, Label: new("Gym"),
						Text: "Add 3 codes with this label to the coupon.",
					},
				},
			},
			log: three + "ERROR Not enough codes with the label of shortByLabel[0]: 3 needed, 0 available, 3 missing.\nERROR Not enough codes: 3 needed, 3 missing.\n" + stopped,
		},
		"template warnings": {
			findings: Findings{TargetCount: 3, MessageCount: 3, TemplateWarnings: []string{
				"The body names no code: 100%.",
			}},
			want: Analysis{TargetCount: 3, MessageCount: 3, IsSufficient: true},
			log:  three + "WARNING The body names no code: 100%.\n" + ready,
		},
		"template problems keep the codes free": {
			findings: Findings{
				TargetCount: 3, MessageCount: 3, Coupon: valid,
				Needs: []LabelNeed{{Needed: 3, Available: 3}},
				TemplateProblems: UserErrors{
					Errorf(ErrorTemplateInvalid, "The body has the unknown token %q.", "%d"),
					Errorf(ErrorTemplateInvalid, "Second."),
				},
				TemplateWarnings: []string{"Third."},
			},
			want: Analysis{TargetCount: 3, MessageCount: 3, CodesNeeded: 3, CodesAvailable: 3},
			log: three +
				"INFO Enough codes: 3 needed, 3 available.\nERROR The body has the unknown token \"%d\".\nERROR Second.\nWARNING Third.\n" +
				stopped,
		},
		"everything at once": {
			delivery: Delivery{MessageLimit: new(1), MatchLabelTo: new("sport")},
			findings: Findings{
				FreedCount: 7, TargetCount: 2,
				Exclusions: map[ExclusionReason]int{ExcludedNoAddress: 2}, MessageCount: 0,
				Coupon: with(func(c *Coupon) { c.EndsAt = &now }),
				Needs:  []LabelNeed{{Label: "Ski", Needed: 1}},
				TemplateProblems: UserErrors{
					Errorf(ErrorTemplateInvalid, "Mend the body."),
				}, TemplateWarnings: []string{"Look at the subject."},
			},
			want: Analysis{
				TargetCount: 2, Exclusions: []*Exclusion{{ExcludedNoAddress, 2}}, CodesNeeded: 1,
				CodesShort:   1,
				ShortByLabel: []*LabelShortage{{Label: "Ski", Needed: 1}},
				Remedies: []*Remedy{
					{
						Kind: RemedyAddCodes, Count: 1, Label: new("Ski"),
						Text: "Add 1 code with this label to the coupon.",
					},
				},
			},
			log: "INFO The analysis started.\nINFO 7 codes that the last analysis held: free again.\nINFO 2 recipients in the target.\n" +
				"INFO 2 recipients left out: they have no address for this channel (NO_ADDRESS).\nINFO The message limit is 1.\nINFO 0 messages to send.\n" +
				"ERROR There is nobody to send to. Add targets, or fix the addresses of those left out.\n" +
				"ERROR The coupon \"Ski\" ends at 2026-11-24T09:15:00Z, before the messages go out at 2026-11-24T09:15:00Z. " +
				"Send earlier, or let the coupon end later.\n" +
				"ERROR Not enough codes with the label of shortByLabel[0]: 1 needed, 0 available, 1 missing.\nERROR Not enough codes: 1 needed, 1 missing.\n" +
				"ERROR Mend the body.\nWARNING Look at the subject.\n" + stopped,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.delivery.ID, test.findings.Now, test.findings.HoldDuration = "delivery_1", now,
				hold
			// What is shared by all cases; lists are never nil, since JSON tells null from an empty
			// list.
			test.want.DeliveryID, test.want.AnalyzedAt = "delivery_1", now
			if test.want.Exclusions == nil {
				test.want.Exclusions = []*Exclusion{}
			}
			if test.want.ShortByLabel == nil {
				test.want.ShortByLabel = []*LabelShortage{}
			}
			if test.want.Remedies == nil {
				test.want.Remedies = []*Remedy{}
			}
			got, log := test.delivery.Judge(&test.findings)
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("analysis (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.log, logText(log)); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			for _, entry := range log {
				if !entry.At.Equal(now) {
					t.Errorf("got a line at %s, want %s", entry.At, now)
				}
			}
		})
	}
}

// TestJudgeWarns tells what an analysis says before it is too late, and stops nothing but a
// delivery nobody could use.
func TestJudgeWarns(t *testing.T) {
	t.Parallel()
	now := instantOf(t, judgedAt)
	ends := &Coupon{
		Label: "Ski", Type: TypeIndividual, StartsAt: now.AddDate(0, -1, 0),
		EndsAt: new(now.Add(100 * 24 * time.Hour)),
	}
	limited := func(limit int) *Coupon {
		return &Coupon{
			Label: "Ski", Type: TypeAnonymous, StartsAt: now.AddDate(0, -1, 0),
			RedemptionLimit: &limit,
		}
	}
	for name, test := range map[string]struct {
		delivery Delivery
		findings Findings
		want     string
	}{
		"too slow for the end": {
			findings: Findings{Coupon: ends, MessageCount: 1_000_000, SendRate: 0.1},
			want: `WARNING The coupon "Ski" ends at 2027-03-04T09:15:00Z. At 0.1 messages a second about 864000 of 1000000 messages go out before; ` +
				"the others will be canceled. Send faster or earlier, or let the coupon end later.\n",
		},
		"just in time": {findings: Findings{Coupon: ends, MessageCount: 864_000, SendRate: 0.1}},
		"no limit":     {findings: Findings{Coupon: ends, MessageCount: 1_000_000}},
		"no end": {
			findings: Findings{Coupon: limited(9), MessageCount: 9, SendRate: 0.001},
		},
		"enough to claim": {findings: Findings{Coupon: limited(10), MessageCount: 3, Redeemed: 7}},
		"more messages than the code can be redeemed": {
			findings: Findings{Coupon: limited(10), MessageCount: 3, Redeemed: 9},
			want:     "WARNING The code of the coupon \"Ski\" can be redeemed once more, but 3 messages with it go out: the first customers use it up.\n",
		},
		"a code that is used up": {
			findings: Findings{Coupon: limited(10), MessageCount: 3, Redeemed: 10},
			want: "ERROR The code of the coupon \"Ski\" was redeemed 10 times, which is its limit: nobody could use it. Raise the limit of redemptions.\n" +
				"ERROR The analysis stopped: the delivery cannot be confirmed until the errors above are fixed.\n",
		},
		"mail without a subject": {
			delivery: Delivery{Channel: ChannelEmail, Subject: new("  ")},
			findings: Findings{MessageCount: 1},
			want:     "WARNING The e-mail has no subject: many mail programs and filters take such mail for spam. Give it one.\n",
		},
		"a missing value": {
			findings: Findings{MessageCount: 2, MissingValues: []*MissingValue{
				{Token: "recipient.firstName", Count: 1},
			}},
			want: "WARNING 1 recipient who would get a message has no recipient.firstName, which the content shows: missingValues names the first. " +
				"Say what stands there instead, such as {{ recipient.firstName | default: \"friend\" }}.\n",
		},
		"an SMS in one part": {
			delivery: Delivery{Channel: ChannelSMS},
			findings: Findings{MessageCount: 1, Sample: []string{"Hello"}},
			want:     "INFO An SMS goes in 1 part, each of which costs as one, by the first 1 message.\n",
		},
		"an SMS in parts": {
			delivery: Delivery{Channel: ChannelSMS},
			findings: Findings{MessageCount: 2, Sample: []string{"Hello", strings.Repeat("ё", 71)}},
			want: "WARNING An SMS goes in 1 to 2 parts, each of which costs as one, by the first 2 messages. " +
				"A part with a character such as \"ё\" holds 70 characters, not 160.\n",
		},
	} {
		test.findings.Now, test.findings.TargetCount = now, test.findings.MessageCount
		_, lines := test.delivery.Judge(&test.findings)
		var text string
		for _, line := range lines {
			if line.Level != LogInfo || strings.Contains(line.Text, "SMS") {
				text += string(line.Level) + " " + line.Text + "\n"
			}
		}
		if diff := cmp.Diff(test.want, text); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// TestJudgeAddsUp checks what holds of every analysis, whatever was found.
func TestJudgeAddsUp(t *testing.T) {
	t.Parallel()
	now := instantOf(t, judgedAt)
	rapid.Check(t, func(t *rapid.T) {
		d := &Delivery{ID: "delivery_1"}
		labels := []string{""}
		if rapid.Bool().Draw(t, "by label") {
			d.MatchLabelTo = new("sport")
			labels = []string{"Ball", "Gym", "Ski"}
		}
		f := &Findings{
			Now:          now,
			HoldDuration: time.Hour,
			Coupon: &Coupon{Label: "Ski", StartsAt: now.Add(
				time.Duration(rapid.IntRange(-2, 1).Draw(t, "starts")) * time.Hour,
			)},
			Needs: []LabelNeed{},
		}
		short, needed, enough := 0, 0, 0
		for _, label := range labels {
			need := LabelNeed{
				Label: label, Needed: rapid.IntRange(0, 4).Draw(t, "needed"),
				Available: rapid.IntRange(0, 4).Draw(t, "available"),
			}
			f.Needs = append(f.Needs, need)
			f.MessageCount += need.Needed
			needed, short, enough = needed+need.Needed, short+
				max(0, need.Needed-need.Available), enough+min(need.Needed, need.Available)
		}
		if rapid.Bool().Draw(t, "has a template problem") {
			f.TemplateProblems = UserErrors{Errorf(ErrorTemplateInvalid, "Mend the body.")}
		}
		a, log := d.Judge(f)
		if hasErrors := strings.Contains(logText(log), "ERROR "); a.IsSufficient == hasErrors {
			t.Fatalf("got sufficient %t with the log\n%s", a.IsSufficient, logText(log))
		}
		if isHeld := a.HeldUntil != nil; isHeld != (a.IsSufficient && needed > 0) {
			t.Fatalf("got held %t where sufficient is %t and %d codes are needed", isHeld,
				a.IsSufficient, needed)
		}
		if a.CodesNeeded != needed || a.CodesShort != short || short > 0 && a.IsSufficient {
			t.Fatalf("got %+v, want %d needed and %d short", a, needed, short)
		}
		added := 0
		for _, remedy := range a.Remedies {
			switch {
			case remedy.Kind == RemedyAddCodes:
				added += remedy.Count
			case remedy.Count != enough || enough == 0:
				t.Fatalf("got the remedy %+v, want a count of %d", remedy, enough)
			}
		}
		if added != short {
			t.Fatalf("got remedies that add %d codes, want %d", added, short)
		}
	})
}

func TestExclusionReasons(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, reason := range ExclusionReasons() {
		words := reason.describe()
		if words == string(reason) || seen[words] {
			t.Errorf("got %q for %s, want words of its own", words, reason)
		}
		seen[words] = true
	}
	if got, want := ExclusionReason("OTHER").describe(), "OTHER"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
