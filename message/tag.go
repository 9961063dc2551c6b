package message

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// node is a stretch of a template: *textNode, *outputNode, *assignNode, *captureNode, *ifNode,
// *caseNode, *forNode, *cycleNode or *jumpNode.
type node any

type textNode struct{ text string }

type outputNode struct{ value expr }

type assignNode struct {
	variable string
	value    expr
}

type captureNode struct {
	variable string
	body     []node
}

// ifNode is if and unless: the first branch whose condition holds is taken.
type ifNode struct{ branches []branch }

type branch struct {
	condition expr // nil for else
	isNegated bool
	body      []node
}

type caseNode struct {
	subject expr
	clauses []clause
}

type clause struct {
	values []expr // nil for else
	body   []node
}

type forNode struct {
	variable      string
	list          expr
	limit, offset expr // nil for none
	isReversed    bool
	body          []node
	otherwise     []node
	at            int
}

type cycleNode struct {
	group  string
	values []expr
}

type jumpNode struct{ isBreak bool }

// elements are the names of HTML elements that make a body HTML.
const elements = `html|head|body|title|meta|link|style|script|base|div|span|p|br|hr|a|b|i|u|s|em|strong|small|big|sub|sup|mark|del|ins|` +
	`h[1-6]|ul|ol|li|dl|dt|dd|table|caption|colgroup|col|thead|tbody|tfoot|tr|th|td|img|picture|source|video|audio|svg|font|center|` +
	`blockquote|q|cite|pre|code|kbd|abbr|address|time|section|article|aside|header|footer|main|nav|figure|figcaption|` +
	`form|input|button|label|select|option|textarea|iframe|map|area|object|wbr`

// markupPattern finds what makes a body HTML.
var markupPattern = regexp.MustCompile(`(?i)<!--|<!doctype\s|</?(?:` + elements + `)(?:\s[^<>]*|/)?>`)

// parser builds the nodes of one part.
type parser struct {
	part     *part
	problems *problems
	pieces   []piece
	pos      int
	// blocks are the tags that are open, from the outermost.
	blocks []openBlock
	// loopVariables are the variables of the open loops.
	loopVariables []string
	// assigned are the variables that assign and capture make anywhere in the part: a loop may read
	// in its second turn what it assigns at the end of the first.
	assigned map[string]bool
	// variables are the paths that begin with none of the product's names.
	variables []*path
	// isAborted says that blocks are nested too deep to go on.
	isAborted bool
}

type openBlock struct {
	name  string
	start int
}

// parsePart compiles a text; what is wrong is added to problems.
func parsePart(name, source string, problems *problems) *part {
	part := &part{name: name, source: source}
	if len(source) > MaxTemplateBytes {
		problems.addf(part, -1, "A %s must have at most %d bytes, not %d.", name, MaxTemplateBytes, len(source))
		return part
	}
	if !utf8.ValidString(source) {
		problems.addf(part, -1, "The %s is not valid UTF-8.", name)
		return part
	}
	scanner := scanner{part: part, problems: problems}
	p := &parser{part: part, problems: problems, assigned: map[string]bool{}, pieces: scanner.scan()}
	for _, piece := range p.pieces {
		if piece.kind == textPiece {
			part.sizeHint += len(piece.text)
			part.isHTML = part.isHTML || name == "body" && markupPattern.MatchString(piece.text)
		}
	}
	part.nodes, _ = p.parse()
	for _, variable := range p.variables {
		if !p.assigned[variable.root] {
			variable.field = unknownField
			part.tokens = append(part.tokens, variable)
		}
	}
	return part
}

func (p *parser) problemf(at int, format string, args ...any) {
	p.problems.addf(p.part, at, format, args...)
}

// report adds the error of an expression, which may be nil, and tells whether there was one.
func (p *parser) report(err error) bool {
	if syntax, ok := errors.AsType[*syntaxError](err); ok {
		p.problemf(syntax.at, "%s", syntax.text)
	}
	return err != nil
}

// parse builds the nodes up to the first tag named in stops and gives that tag's name and
// expression, or nil at the end of the text and where a block around this one ends.
func (p *parser) parse(stops ...string) ([]node, *stop) {
	var nodes []node
	add := func(n node) { nodes = append(nodes, n) }
	for p.pos < len(p.pieces) && !p.isAborted {
		piece := p.pieces[p.pos]
		p.pos++
		switch piece.kind {
		case textPiece:
			add(&textNode{piece.text})
		case outputPiece:
			value, err := p.expression(piece.text, piece.at).whole()
			if !p.report(err) {
				p.part.sizeHint += 16
				add(&outputNode{value})
			}
		case adobePiece:
			if value := p.adobe(piece); value != nil {
				add(&outputNode{value})
			}
		case tagPiece:
			match := tagName.FindStringSubmatchIndex(piece.text)
			if match == nil {
				p.problemf(piece.start, "A tag needs a name, such as {%% if … %%}.")
				continue
			}
			name := piece.text[match[2]:match[3]]
			args := p.expression(piece.text[match[3]:], piece.at+match[3])
			if slices.Contains(stops, name) {
				return nodes, &stop{name, args, piece.start}
			}
			if p.closesOuter(name) {
				p.pos--
				return nodes, nil
			}
			p.tag(name, args, piece.start, add)
		}
	}
	return nodes, nil
}

// stop is a tag that ends a block or one of its branches.
type stop struct {
	name  string
	args  *expressionParser
	start int
}

// closesOuter reports whether the tag ends a block around the innermost one, which then lacks its end.
func (p *parser) closesOuter(name string) bool {
	for _, block := range p.blocks {
		if name == "end"+block.name {
			return true
		}
	}
	return false
}

// tag parses one tag and, if it opens a block, all of the block.
func (p *parser) tag(name string, args *expressionParser, start int, add func(node)) {
	switch name {
	case "assign":
		p.assign(args, add)
	case "cycle":
		p.cycle(args, add)
	case "break", "continue":
		if len(p.loopVariables) == 0 {
			p.problemf(start, "{%% %s %%} stands outside of a loop.", name)
		}
		p.report(args.none())
		add(&jumpNode{isBreak: name == "break"})
	case "capture", "if", "unless", "case", "for":
		if len(p.blocks) == MaxNesting {
			p.problemf(start, "More than %d blocks stand in each other.", MaxNesting)
			p.isAborted = true
			return
		}
		p.blocks = append(p.blocks, openBlock{name, start})
		p.block(name, args, start, add)
		p.blocks = p.blocks[:len(p.blocks)-1]
	case "include", "render", "layout", "section":
		p.problemf(start, "{%% %s %%} is not available: a template is complete in itself.", name)
	case "else", "elsif", "when", "endif", "endunless", "endcase", "endfor", "endcapture", "endraw", "endcomment":
		p.problemf(start, "{%% %s %%} does not belong here.", name)
	default:
		p.problemf(start, "There is no tag %q.%s", name, hint{name, tagNames})
	}
}

// tagNames lists the tags, for hints.
func tagNames() []string {
	return []string{
		"assign", "break", "capture", "case", "comment", "continue", "cycle", "else", "elsif", "endcapture", "endcase", "endcomment",
		"endfor", "endif", "endraw", "endunless", "for", "if", "raw", "unless", "when",
	}
}

func (p *parser) block(name string, args *expressionParser, start int, add func(node)) {
	switch name {
	case "capture":
		p.capture(args, add)
	case "case":
		p.caseBlock(args, add)
	case "for":
		p.forBlock(args, start, add)
	default:
		p.ifBlock(name, args, add)
	}
}

// body parses a branch of the innermost block. The end of the block is a stop as well; where it is
// missing, that is a problem of the tag that opened the block.
func (p *parser) body(stops ...string) ([]node, *stop) {
	block := p.blocks[len(p.blocks)-1]
	end := "end" + block.name
	nodes, stop := p.parse(append(stops, end)...)
	switch {
	case stop == nil:
		if !p.isAborted {
			p.problemf(block.start, "{%% %s %%} is not closed: {%% %s %%} is missing.", block.name, end)
		}
	case stop.name == end:
		p.report(stop.args.none())
		stop = nil
	}
	return nodes, stop
}

func (p *parser) ifBlock(name string, args *expressionParser, add func(node)) {
	result := &ifNode{}
	condition, err := args.whole()
	p.report(err)
	one := branch{condition: condition, isNegated: name == "unless"}
	for hasElse := false; ; {
		var stop *stop
		one.body, stop = p.body("elsif", "else")
		result.branches = append(result.branches, one)
		if stop == nil {
			break
		}
		if hasElse {
			p.problemf(stop.start, "{%% %s %%} stands behind {%% else %%}.", stop.name)
		}
		one = branch{}
		if stop.name == "else" {
			hasElse = true
			p.report(stop.args.none())
			continue
		}
		one.condition, err = stop.args.whole()
		p.report(err)
	}
	add(result)
}

func (p *parser) caseBlock(args *expressionParser, add func(node)) {
	subject, err := args.whole()
	p.report(err)
	result := &caseNode{subject: subject}
	// What stands before the first when is never shown.
	_, stop := p.body("when", "else")
	for stop != nil {
		var one clause
		if stop.name == "when" {
			one.values, err = stop.args.list(",", "or")
		} else {
			err = stop.args.none()
		}
		p.report(err)
		one.body, stop = p.body("when", "else")
		result.clauses = append(result.clauses, one)
	}
	add(result)
}

func (p *parser) forBlock(args *expressionParser, start int, add func(node)) {
	result := &forNode{at: start}
	p.report(args.loop(result))
	p.loopVariables = append(p.loopVariables, result.variable)
	var stop *stop
	result.body, stop = p.body("else")
	p.loopVariables = p.loopVariables[:len(p.loopVariables)-1]
	for isFirst := true; stop != nil; isFirst = false {
		if !isFirst {
			p.problemf(stop.start, "{%% for %%} has a second {%% else %%}.")
		}
		p.report(stop.args.none())
		result.otherwise, stop = p.body("else")
	}
	add(result)
}

func (p *parser) capture(args *expressionParser, add func(node)) {
	result := &captureNode{}
	variable, err := args.variable()
	if err == nil {
		err = args.end()
	}
	if !p.report(err) {
		p.assigned[variable] = true
	}
	result.variable = variable
	result.body, _ = p.body()
	add(result)
}

func (p *parser) assign(args *expressionParser, add func(node)) {
	result := &assignNode{}
	var err error
	result.variable, err = args.variable()
	if err == nil {
		err = args.expect("=")
	}
	if err == nil {
		result.value, err = args.condition()
	}
	if err == nil {
		err = args.end()
	}
	if !p.report(err) {
		p.assigned[result.variable] = true
		add(result)
	}
}

func (p *parser) cycle(args *expressionParser, add func(node)) {
	result := &cycleNode{group: strings.TrimSpace(args.source)}
	err := args.next()
	if err == nil && args.kind == textLexeme && strings.HasPrefix(strings.TrimSpace(args.source[args.pos:]), ":") {
		result.group = args.text
		if err = args.next(); err == nil {
			err = args.expect(":")
		}
	}
	if err == nil {
		result.values, err = args.operands(",")
	}
	if !p.report(err) {
		add(result)
	}
}

// adobe reads <%= token %>.
func (p *parser) adobe(piece piece) expr {
	inner, isOutput := strings.CutPrefix(piece.text, "=")
	args := p.expression(inner, piece.at+1)
	if isOutput {
		if match := adobeToken.FindStringSubmatch(inner); match != nil {
			if match[2] == ".couponCode" {
				args.source = match[1] + ".code"
			}
			value, err := args.whole()
			p.report(err)
			return value
		}
	}
	p.problemf(piece.start, "Of Adobe's scripts only <%%= token %%> is read. Write conditions in Liquid: {%% if … %%}.")
	return nil
}

// adobeToken takes a token apart, so that couponCode can be read as code.
var adobeToken = regexp.MustCompile(`^(\s*[A-Za-z_]\w*(?:\.\w+)*?)(\.couponCode)?\s*$`)

// expression makes a parser of the inside of a pair of delimiters.
func (p *parser) expression(source string, base int) *expressionParser {
	return &expressionParser{parser: p, source: source, base: base}
}

// whole reads one condition or value and nothing else.
func (p *expressionParser) whole() (expr, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	value, err := p.condition()
	if err != nil {
		return nil, err
	}
	return value, p.end()
}

// none checks that there is no expression.
func (p *expressionParser) none() error {
	if err := p.next(); err != nil {
		return err
	}
	return p.end()
}

// list reads operands with separators between them.
func (p *expressionParser) list(separators ...string) ([]expr, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	return p.operands(separators...)
}

// operands reads the current operand and those behind separators.
func (p *expressionParser) operands(separators ...string) ([]expr, error) {
	var values []expr
	for {
		value, err := p.operand()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		if p.kind == textLexeme || !slices.Contains(separators, p.text) {
			return values, p.end()
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
}

// variable reads the name of a variable that the template may set.
func (p *expressionParser) variable() (string, error) {
	if err := p.next(); err != nil {
		return "", err
	}
	at := p.start
	name, err := p.name("the name of a variable")
	if err != nil {
		return "", err
	}
	_, isToken := tokens[name]
	_, isLiteral := literals[name]
	if isToken || isLiteral || name == "forloop" {
		return "", &syntaxError{p.base + at, name + " is a name of the language; call the variable something else."}
	}
	return name, nil
}

// loop reads name in operand [reversed] [limit: operand] [offset: operand].
func (p *expressionParser) loop(result *forNode) error {
	var err error
	if result.variable, err = p.variable(); err != nil {
		return err
	}
	if !p.isWord("in") {
		return p.unexpected(`"in"`)
	}
	if err := p.next(); err != nil {
		return err
	}
	if result.list, err = p.operand(); err != nil {
		return err
	}
	if result.list, err = p.filters(result.list); err != nil {
		return err
	}
	for p.kind == nameLexeme {
		var target *expr
		switch p.text {
		case "reversed":
			result.isReversed = true
		case "limit":
			target = &result.limit
		case "offset":
			target = &result.offset
		default:
			return p.fail("A loop has no %q; it has limit, offset and reversed.", p.text)
		}
		if err := p.next(); err != nil {
			return err
		}
		if target == nil {
			continue
		}
		if err := p.expect(":"); err != nil {
			return err
		}
		if *target, err = p.operand(); err != nil {
			return err
		}
	}
	return p.end()
}
