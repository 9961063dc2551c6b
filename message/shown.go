package message

import (
	"slices"

	"couponql/coupon"
)

// Shown returns the values of recipients that a message shows and has nothing to say instead of: an
// output without the filter default, outside of conditions that ask for the value. Each is there
// once, in the order of the text.
func (t *Template) Shown() []coupon.RecipientValue {
	var w shownWalk
	for _, part := range t.parts() {
		w.nodes(part.nodes)
	}
	return w.shown
}

// shownWalk goes through the nodes of a template.
type shownWalk struct {
	shown []coupon.RecipientValue
	// asked are the values that the conditions around the place ask for.
	asked []coupon.RecipientValue
}

func (w *shownWalk) nodes(nodes []node) {
	for _, one := range nodes {
		switch n := one.(type) {
		case *outputNode:
			w.output(n.value)
		case *captureNode:
			w.nodes(n.body)
		case *ifNode:
			kept := len(w.asked)
			for _, b := range n.branches {
				// What an earlier branch asks for is known in the later ones, too.
				w.ask(b.condition)
				w.nodes(b.body)
			}
			w.asked = w.asked[:kept]
		case *caseNode:
			kept := len(w.asked)
			w.ask(n.subject)
			for _, c := range n.clauses {
				w.nodes(c.body)
			}
			w.asked = w.asked[:kept]
		case *forNode:
			w.nodes(n.body)
			w.nodes(n.otherwise)
		}
	}
}

// output notes what an output shows.
func (w *shownWalk) output(value expr) {
	if p, isPipeline := value.(*pipeline); isPipeline {
		if slices.ContainsFunc(p.calls, func(c call) bool { return c.name == "default" }) {
			return
		}
		value = p.input
	}
	if p, isPath := value.(*path); isPath {
		if v, isValue := p.recipientValue(); isValue && !slices.Contains(w.asked, v) &&
			!slices.Contains(w.shown, v) {
			w.shown = append(w.shown, v)
		}
	}
}

// ask notes what a condition asks for.
func (w *shownWalk) ask(condition expr) {
	switch c := condition.(type) {
	case *path:
		if v, isValue := c.recipientValue(); isValue {
			w.asked = append(w.asked, v)
		}
	case *comparison:
		w.ask(c.left)
		w.ask(c.right)
	case *logic:
		w.ask(c.first)
		for _, term := range c.rest {
			w.ask(term.term)
		}
	case *pipeline:
		w.ask(c.input)
	}
}

// recipientValue returns the value of a recipient that a path names. Of what lies deeper in an
// attribute it is the attribute.
func (p *path) recipientValue() (coupon.RecipientValue, bool) {
	switch p.field {
	case emailField:
		return coupon.RecipientEmail, true
	case phoneField:
		return coupon.RecipientPhone, true
	case firstNameField:
		return coupon.RecipientFirstName, true
	case lastNameField:
		return coupon.RecipientLastName, true
	case attributesField:
		if len(p.steps) == 0 {
			return "", false
		}
		name := p.steps[0].name
		if l, isLiteral := p.steps[0].index.(*literal); isLiteral {
			name, _ = l.value.(string)
		}
		return coupon.AttributeValue(name), name != ""
	default:
		return "", false
	}
}
