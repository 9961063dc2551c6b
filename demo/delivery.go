package main

import (
	"context"
	"fmt"
	"strings"
)

// delivery is a sending that the demo prepares: what to create, for whom, and how far it goes.
type delivery struct {
	input map[string]any
	// targets is a RecipientFilter.
	targets map[string]any
	// status is how far the delivery goes. EDITING: its analysis finds too few codes.
	status string
}

// audience is a filter of recipients by one attribute.
func audience(name string, values ...string) map[string]any {
	return map[string]any{"attributes": []any{map[string]any{"name": name, "in": values}}}
}

// deliveries gives the deliveries in the order in which they take codes. The last one finds what the
// others left.
func (l *loader) deliveries() []delivery {
	return []delivery{
		{map[string]any{
			"label": "A present for your sport", "channel": "EMAIL", "couponId": l.sport, "matchLabelTo": "sport",
			"subject": "{{ recipient.firstName }}, 15 % off for your {{ couponValue.label }}", "body": sportEmail,
		}, audience("country", "DE", "FR"), "FINISHED"},
		{map[string]any{
			"label": "Summer kick-off by text message", "channel": "SMS", "couponId": l.kickoff, "body": kickoffSMS,
		}, audience("tier", "silver", "gold"), "FINISHED"},
		{map[string]any{
			"label": "Preview for gold and silver", "channel": "EMAIL", "couponId": l.sport, "matchLabelTo": "sport", "messageLimit": 2_500,
			"subject": "You see it first", "body": previewEmail,
		}, audience("tier", "silver", "gold"), "READY"},
		{map[string]any{
			"label": "Thank-you card by post", "channel": "DIRECT_MAIL", "couponId": l.sport, "matchLabelTo": "sport", "messageLimit": 1_000,
			"contactAt": l.dateTime(30, 9), "body": greetingCard,
		}, audience("tier", "gold"), "SCHEDULED"},
		{map[string]any{
			"label": "End of season for everybody", "channel": "EMAIL", "couponId": l.sport, "matchLabelTo": "sport",
			"subject": "Everything must go", "body": closingEmail,
		}, map[string]any{}, "EDITING"},
	}
}
