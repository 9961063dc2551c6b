package message

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// expr is an expression: *literal, *path, *span, *pipeline, *comparison or *logic.
type expr any

// literal is a value that stands in the template.
type literal struct{ value any }

// path is a token or variable and what is taken out of it: recipient.attributes["sport"].
type path struct {
	// text is the path as far as names go, for messages.
	text string
	// root is the variable's name, unless field says that it is a token of the product.
	root  string
	field field
	steps []step
	// at is the offset of the root.
	at int
}

// step takes one value out of another, by name or by the value of an expression.
type step struct {
	name  string
	index expr // nil for a name
}

// span is (from..to).
type span struct {
	from, to expr
	at       int
}

// pipeline is a value that goes through filters.
type pipeline struct {
	input expr
	calls []call
}

// call is the use of one filter.
type call struct {
	name   string
	filter *filter
	args   []expr
	at     int
}

// comparison is left operator right.
type comparison struct {
	operator    string
	left, right expr
}

// logic combines conditions from left to right, as osteele/liquid does.
type logic struct {
	first expr
	rest  []logicTerm
}

type logicTerm struct {
	isAnd bool
	term  expr
}

// blank and empty are the literals that only comparisons know.
type (
	blank struct{}
	empty struct{}
)

type lexeme int

const (
	endLexeme lexeme = iota
	nameLexeme
	textLexeme
	numberLexeme
	markLexeme
)

// syntaxError is a mistake at an offset of the part.
type syntaxError struct {
	at   int
	text string
}

func (e *syntaxError) Error() string { return e.text }

// expressionParser reads the expression language from the inside of one pair of delimiters. It is
// one lexeme ahead.
type expressionParser struct {
	parser *parser
	source string
	base   int // the offset of source in the part
	pos    int
	depth  int

	kind  lexeme
	text  string // of the lexeme; without quotes for a text
	value any    // of a number
	start int    // the lexeme's offset in source
}

// fail makes an error at the current lexeme.
func (p *expressionParser) fail(format string, args ...any) error {
	return &syntaxError{p.base + p.start, fmt.Sprintf(format, args...)}
}

// unexpected says what was wanted and what is there.
func (p *expressionParser) unexpected(wanted string) error {
	if p.kind == endLexeme {
		return p.fail("Expected %s.", wanted)
	}
	return p.fail("Expected %s, found %q.", wanted, p.text)
}

// next goes to the next lexeme.
func (p *expressionParser) next() error {
	for p.pos < len(p.source) {
		r, size := utf8.DecodeRuneInString(p.source[p.pos:])
		if !unicode.IsSpace(r) { // editors paste spaces of all kinds
			break
		}
		p.pos += size
	}
	p.start = p.pos
	if p.pos == len(p.source) {
		p.kind, p.text = endLexeme, ""
		return nil
	}
	rest := p.source[p.pos:]
	switch c := rest[0]; {
	case isNameStart(c):
		p.take(nameLexeme, nameLength(rest))
	case isDigit(c), c == '-' && len(rest) > 1 && isDigit(rest[1]):
		return p.number(rest)
	case c == '"' || c == '\'':
		length := strings.IndexByte(rest[1:], c)
		if length < 0 {
			return p.fail("The quote %c is not closed.", c)
		}
		p.take(textLexeme, length+2)
		p.text = p.text[1 : len(p.text)-1]
	default:
		length := 1
		switch {
		case len(rest) > 1 && slices.Contains(longMarks, rest[:2]):
			length = 2
		case strings.IndexByte("|:,.[]()<>=", c) >= 0:
		default:
			r, _ := utf8.DecodeRuneInString(rest)
			if strings.ContainsRune("“”„«»‘’‚", r) {
				return p.fail("Texts stand in straight quotes, \" or ', not in %c.", r)
			}
			return p.fail("Unexpected %q.", r)
		}
		p.take(markLexeme, length)
	}
	return nil
}

// longMarks are the marks of two characters.
var longMarks = []string{"==", "!=", "<>", "<=", ">=", ".."}

func (p *expressionParser) take(kind lexeme, length int) {
	p.kind, p.text = kind, p.source[p.pos:p.pos+length]
	p.pos += length
}

func (p *expressionParser) number(rest string) error {
	length := 1
	for length < len(rest) && isDigit(rest[length]) {
		length++
	}
	isFloat := false
	if length+1 < len(rest) && rest[length] == '.' && isDigit(rest[length+1]) {
		isFloat = true
		for length++; length < len(rest) && isDigit(rest[length]); {
			length++
		}
	}
	p.take(numberLexeme, length)
	if !isFloat {
		if n, err := strconv.Atoi(p.text); err == nil {
			p.value = n
			return nil
		}
	}
	f, err := strconv.ParseFloat(p.text, 64)
	if err != nil || math.IsInf(f, 0) {
		return p.fail("The number %s is too large.", p.text)
	}
	p.value = f
	return nil
}

func isDigit(c byte) bool     { return '0' <= c && c <= '9' }
func isNameStart(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

// nameLength returns the length of the name that s begins with.
func nameLength(s string) int {
	length := 1
	for length < len(s) && (isNameStart(s[length]) || isDigit(s[length]) || s[length] == '-') {
		length++
	}
	if length < len(s) && s[length] == '?' {
		length++
	}
	return length
}

// is reports whether the current lexeme is this mark.
func (p *expressionParser) is(mark string) bool { return p.kind == markLexeme && p.text == mark }

// isWord reports whether the current lexeme is this word.
func (p *expressionParser) isWord(word string) bool { return p.kind == nameLexeme && p.text == word }

// expect goes past a mark that must be there.
func (p *expressionParser) expect(mark string) error {
	if !p.is(mark) {
		return p.unexpected(strconv.Quote(mark))
	}
	return p.next()
}

// end checks that nothing is left.
func (p *expressionParser) end() error {
	if p.kind != endLexeme {
		return p.fail("Unexpected %q.", p.text)
	}
	return nil
}

// name takes a name that must be there.
func (p *expressionParser) name(what string) (string, error) {
	if p.kind != nameLexeme {
		return "", p.unexpected(what)
	}
	name := p.text
	return name, p.next()
}

// condition reads relation { (and | or) relation }.
func (p *expressionParser) condition() (expr, error) {
	first, err := p.relation()
	if err != nil {
		return nil, err
	}
	var rest []logicTerm
	for p.isWord("and") || p.isWord("or") {
		isAnd := p.text == "and"
		if err := p.next(); err != nil {
			return nil, err
		}
		term, err := p.relation()
		if err != nil {
			return nil, err
		}
		rest = append(rest, logicTerm{isAnd, term})
	}
	if rest == nil {
		return first, nil
	}
	return &logic{first, rest}, nil
}

// relation reads operand [operator operand], or an operand with filters.
func (p *expressionParser) relation() (expr, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	isOperator := p.isWord("contains")
	if p.kind == markLexeme {
		switch p.text {
		case "==", "!=", "<>", "<", ">", "<=", ">=":
			isOperator = true
		case "=":
			return nil, p.fail("Compare with ==, not with =.")
		}
	}
	if !isOperator {
		return p.filters(left)
	}
	operator := p.text
	if err := p.next(); err != nil {
		return nil, err
	}
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	if p.is("|") {
		return nil, p.fail("A comparison takes no filters: use {%% assign %%} first.")
	}
	return &comparison{operator, left, right}, nil
}

// filters reads { "|" name [":" operand { "," operand }] } behind an operand.
func (p *expressionParser) filters(input expr) (expr, error) {
	var calls []call
	for p.is("|") {
		if err := p.next(); err != nil {
			return nil, err
		}
		c := call{at: p.base + p.start}
		var err error
		if c.name, err = p.name("the name of a filter"); err != nil {
			return nil, err
		}
		for separator := ":"; p.is(separator); separator = "," {
			if err := p.next(); err != nil {
				return nil, err
			}
			arg, err := p.operand()
			if err != nil {
				return nil, err
			}
			c.args = append(c.args, arg)
		}
		p.checkCall(&c, input)
		calls = append(calls, c)
	}
	if calls == nil {
		return input, nil
	}
	return &pipeline{input, calls}, nil
}

// checkCall finds the filter and reports a wrong name or number of arguments, without giving up.
func (p *expressionParser) checkCall(c *call, input expr) {
	c.filter = filters[c.name]
	switch {
	case c.filter == nil:
		p.parser.problemf(c.at, "There is no filter %q.%s", c.name, hint{c.name, filterNames})
	case len(c.args) < c.filter.min || len(c.args) > c.filter.max:
		p.parser.problemf(c.at, "The filter %q takes %s, not %d.", c.name, c.filter.arguments(), len(c.args))
	case c.name == "date":
		if l, ok := input.(*literal); ok && (l.value == "now" || l.value == "today") {
			p.parser.problemf(c.at, "A message reads the same whenever it is rendered, so there is no %q: "+
				"write the date, or use coupon.startsAt or coupon.endsAt.", l.value)
		}
	}
}

// operand reads a literal, a path, a range or an expression in brackets.
func (p *expressionParser) operand() (expr, error) {
	switch {
	case p.kind == textLexeme:
		value := p.text
		return &literal{value}, p.next()
	case p.kind == numberLexeme:
		value := p.value
		return &literal{value}, p.next()
	case p.kind == nameLexeme:
		if value, ok := literals[p.text]; ok {
			return &literal{value}, p.next()
		}
		return p.path()
	case p.is("("):
		return p.brackets()
	}
	return nil, p.unexpected("a token or a value")
}

// literals are the names that stand for a value.
var literals = map[string]any{"true": true, "false": false, "nil": nil, "null": nil, "blank": blank{}, "empty": empty{}}

// brackets reads ( condition ) or ( operand .. operand ).
func (p *expressionParser) brackets() (expr, error) {
	at := p.base + p.start
	if err := p.enter(); err != nil {
		return nil, err
	}
	inner, err := p.condition()
	if err != nil {
		return nil, err
	}
	if p.is("..") {
		if err := p.next(); err != nil {
			return nil, err
		}
		to, err := p.operand()
		if err != nil {
			return nil, err
		}
		inner = &span{inner, to, at}
	}
	p.depth--
	return inner, p.expect(")")
}

// enter goes past an opening bracket.
func (p *expressionParser) enter() error {
	if p.depth++; p.depth > MaxNesting {
		return p.fail("More than %d brackets stand in each other.", MaxNesting)
	}
	return p.next()
}

// path reads name { "." name | "[" condition "]" }.
func (p *expressionParser) path() (expr, error) {
	result := &path{at: p.base + p.start, root: p.text, text: p.text}
	// The text of the path grows as long as the steps are names or literal texts.
	isPlain := true
	if err := p.next(); err != nil {
		return nil, err
	}
	for {
		switch {
		case p.is("."):
			if err := p.next(); err != nil {
				return nil, err
			}
			name, err := p.name("a name behind the dot")
			if err != nil {
				return nil, err
			}
			result.steps = append(result.steps, step{name: name})
		case p.is("["):
			if err := p.enter(); err != nil {
				return nil, err
			}
			index, err := p.condition()
			if err != nil {
				return nil, err
			}
			p.depth--
			if err := p.expect("]"); err != nil {
				return nil, err
			}
			one := step{index: index}
			if l, ok := index.(*literal); ok {
				if name, ok := l.value.(string); ok {
					one = step{name: name}
				}
			}
			result.steps = append(result.steps, one)
		default:
			p.resolve(result)
			return result, nil
		}
		last := result.steps[len(result.steps)-1]
		if isPlain = isPlain && last.index == nil; isPlain && len(result.steps) <= maxTokenSteps {
			result.text += "." + last.name
		}
	}
}

// maxTokenSteps is the number of names behind the root that messages show.
const maxTokenSteps = 4
