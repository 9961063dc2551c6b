package message

import (
	"fmt"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"couponql/coupon"
)

// The limits of a template and of one rendered message.
const (
	// MaxSubjectLength is the length of the longest subject, template and rendered, in characters: what
	// RFC 5322 allows a line.
	MaxSubjectLength = 998
	// MaxTemplateBytes is the size of the largest body template.
	MaxTemplateBytes = 1 << 20
	// MaxBodyBytes is the size of the largest rendered body.
	MaxBodyBytes = 4 << 20
	// MaxLoopIterations is how often the loops of a message may run, all together.
	MaxLoopIterations = 10_000
	// MaxWork bounds what rendering one message may cost, in bytes handled; a step of the template
	// counts as stepCost of them. It takes well under a second, and bounds memory as well, since
	// whatever a template keeps had to be made.
	MaxWork = 16 << 20
	// MaxNesting is how deep blocks may stand in blocks, and brackets in brackets.
	MaxNesting = 64
	// MaxProblems is how many problems are reported at once.
	MaxProblems = 100
)

// stepCost is the work of evaluating one token, operator, filter or tag.
const stepCost = 16

// Template is a delivery's subject and body, compiled. It is safe for concurrent use.
type Template struct {
	subject *part // nil without a subject
	body    *part
}

// Parse compiles a subject, which may be missing, and a body. It returns UserErrors with
// TEMPLATE_INVALID and the field input.subject or input.body, for every place that is not correct
// Liquid and for a template that is too long. Whether the tokens exist is Check's question.
func Parse(subject *string, body string) (*Template, error) {
	var problems problems
	t := &Template{}
	if subject != nil {
		t.subject = parsePart("subject", *subject, &problems)
		if length := utf8.RuneCountInString(*subject); length > MaxSubjectLength {
			problems.addf(t.subject, -1, "A subject must have at most %d characters, not %d.", MaxSubjectLength, length)
		}
	}
	t.body = parsePart("body", body, &problems)
	if err := problems.userErrors().OrNil(); err != nil {
		return nil, err
	}
	return t, nil
}

// IsHTML reports whether the bodies are HTML; otherwise they are plain text. The rule is in the
// package's documentation.
func (t *Template) IsHTML() bool { return t.body.isHTML }

// Render makes the message of one recipient. It returns a UserError with TEMPLATE_INVALID when a
// filter cannot do its work on the recipient's values or the message goes beyond a limit; the
// subject is nil if the template has none.
func (t *Template) Render(data *coupon.MessageData) (coupon.RenderedMessage, error) {
	var message coupon.RenderedMessage
	m := machine{data: data}
	if t.subject != nil {
		text, err := m.render(t.subject)
		if err != nil {
			return coupon.RenderedMessage{}, err
		}
		text = oneLine(text)
		if utf8.RuneCountInString(text) > MaxSubjectLength {
			return coupon.RenderedMessage{}, t.subject.errorf(-1, "The rendered subject is longer than %d characters.", MaxSubjectLength)
		}
		message.Subject = &text
	}
	body, err := m.render(t.body)
	if err != nil {
		return coupon.RenderedMessage{}, err
	}
	message.Body = body
	return message, nil
}

// parts returns the subject, if there is one, and the body.
func (t *Template) parts() []*part {
	if t.subject == nil {
		return []*part{t.body}
	}
	return []*part{t.subject, t.body}
}

// oneLine makes a rendered subject safe to stand in a header: line breaks become one space, so that
// words stay apart, and other control characters go.
func oneLine(text string) string {
	if !strings.ContainsFunc(text, isControl) {
		return strings.TrimSpace(text)
	}
	var line strings.Builder
	line.Grow(len(text))
	pending := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) && isControl(r):
			pending = true
			continue
		case isControl(r):
			continue
		case pending && r != ' ':
			line.WriteByte(' ')
		}
		pending = false
		line.WriteRune(r)
	}
	return strings.TrimSpace(line.String())
}

// isControl tells control characters, the Unicode separators of lines among them.
func isControl(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// part is one of the two texts of a template.
type part struct {
	// name is the field of the API's input: subject or body.
	name   string
	source string
	nodes  []node
	// isHTML says that values are escaped.
	isHTML bool
	// sizeHint is about how long the rendered text will be.
	sizeHint int
	// tokens are the product's tokens and the unknown names, in the order of the text.
	tokens []*path
}

// position returns the line and the column, in characters, of an offset, both from 1.
func (p *part) position(at int) (line, column int) {
	before := p.source[:at]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[lineStart:]) + 1
}

// errorf makes the error of one place, or of the whole part when at is negative.
func (p *part) errorf(at int, format string, args ...any) *coupon.UserError {
	text := fmt.Sprintf(format, args...)
	if at >= 0 {
		line, column := p.position(at)
		text = fmt.Sprintf("%s (%s, line %d, column %d)", text, p.name, line, column)
	}
	return coupon.Errorf(coupon.ErrorTemplateInvalid, "%s", text).At("input", p.name)
}

// problems collects what is wrong in both parts.
type problems struct {
	found []problem
	count int
}

type problem struct {
	part *part
	at   int
	text string
}

func (p *problems) addf(part *part, at int, format string, args ...any) {
	p.count++
	if p.count <= MaxProblems {
		p.found = append(p.found, problem{part, at, fmt.Sprintf(format, args...)})
	}
}

// userErrors returns the problems in the order of the text, the subject's first.
func (p *problems) userErrors() coupon.UserErrors {
	sort.SliceStable(p.found, func(i, j int) bool {
		a, b := p.found[i], p.found[j]
		return a.part == b.part && a.at < b.at
	})
	var errs coupon.UserErrors
	for _, one := range p.found {
		errs = append(errs, one.part.errorf(one.at, "%s", one.text))
	}
	if more := p.count - len(p.found); more > 0 {
		errs = append(errs, coupon.Errorf(coupon.ErrorTemplateInvalid, "There are %d more problems like these.", more).At("input"))
	}
	return errs
}
