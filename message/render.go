package message

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"couponql/coupon"
)

// machine renders one message.
type machine struct {
	data *coupon.MessageData
	part *part
	// out is what was rendered, or captured in the innermost capture.
	out       []byte
	variables map[string]any
	// cycles counts the turns of {% cycle %} by group.
	cycles map[string]int
	loop   *loop
	// attributes are the recipient's, read when a template first asks for them.
	attributes any
	hasRead    bool
	iterations int
	work       int
}

// loop is what forloop tells of the loop around it.
type loop struct{ index, length int }

// jump is how a stretch of nodes ended.
type jump int

const (
	noJump jump = iota
	breakJump
	continueJump
)

var (
	errTooLong       = fmt.Errorf("the rendered text is longer than %d bytes", MaxBodyBytes)
	errTooMuchWork   = errors.New("rendering the message takes too much work; shorten its loops and lists")
	errTooManyRounds = fmt.Errorf("the loops run more than %d times", MaxLoopIterations)
)

// placeError is an error at an offset of the part.
type placeError struct {
	at  int
	err error
}

func (e *placeError) Error() string { return e.err.Error() }

func (e *placeError) Unwrap() error { return e.err }

// render returns the text of a part. Variables do not pass from one part to the other.
func (m *machine) render(part *part) (string, error) {
	m.part, m.variables, m.cycles = part, nil, nil
	m.out = make([]byte, 0, part.sizeHint)
	if _, err := m.run(part.nodes); err != nil {
		at := -1
		if place, ok := errors.AsType[*placeError](err); ok {
			at = place.at
		}
		text := err.Error()
		return "", part.errorf(at, "%s", strings.ToUpper(text[:1])+text[1:]+".")
	}
	return string(m.out), nil
}

// spend counts work.
func (m *machine) spend(work int) error {
	if m.work += work; m.work > MaxWork {
		return errTooMuchWork
	}
	return nil
}

func (m *machine) run(nodes []node) (jump, error) {
	for _, n := range nodes {
		if err := m.spend(stepCost); err != nil {
			return noJump, err
		}
		jump, err := noJump, error(nil)
		switch n := n.(type) {
		case *textNode:
			err = m.emit(n.text)
		case *outputNode:
			var value any
			if value, err = m.eval(n.value); err == nil {
				err = m.write(value)
			}
		case *assignNode:
			var value any
			if value, err = m.eval(n.value); err == nil {
				m.set(n.variable, value)
			}
		case *captureNode:
			jump, err = m.capture(n)
		case *ifNode:
			jump, err = m.branch(n)
		case *caseNode:
			jump, err = m.choose(n)
		case *forNode:
			jump, err = m.repeat(n)
		case *cycleNode:
			err = m.cycle(n)
		case *jumpNode:
			if jump = continueJump; n.isBreak {
				jump = breakJump
			}
		}
		if err != nil || jump != noJump {
			return jump, err
		}
	}
	return noJump, nil
}

func (m *machine) set(variable string, value any) {
	if m.variables == nil {
		m.variables = map[string]any{}
	}
	m.variables[variable] = value
}

// emit appends text as it is.
func (m *machine) emit(text string) error {
	if err := m.spend(len(text)); err != nil {
		return err
	}
	if len(m.out)+len(text) > MaxBodyBytes {
		return errTooLong
	}
	m.out = append(m.out, text...)
	return nil
}

// write appends a value; this is where HTML is escaped.
func (m *machine) write(value any) error {
	switch value := value.(type) {
	case nil, *loop, blank, empty:
		return nil
	case string:
		if m.part.isHTML {
			return m.writeEscaped(value)
		}
		return m.emit(value)
	case int:
		return m.emit(strconv.Itoa(value))
	case markup:
		return m.emit(string(value))
	case []any:
		for _, one := range value {
			if err := m.spend(stepCost); err != nil {
				return err
			}
			if err := m.write(one); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		if err := m.spend(deepCost(value)); err != nil {
			return err
		}
	}
	return m.write(toText(value))
}

func (m *machine) writeEscaped(text string) error {
	start := 0
	for i := range len(text) {
		var entity string
		switch text[i] {
		case '<':
			entity = "&lt;"
		case '>':
			entity = "&gt;"
		case '&':
			entity = "&amp;"
		case '"':
			entity = "&#34;"
		case '\'':
			entity = "&#39;"
		default:
			continue
		}
		m.out = append(append(m.out, text[start:i]...), entity...)
		start = i + 1
	}
	return m.emit(text[start:])
}

func (m *machine) capture(n *captureNode) (jump, error) {
	outer := m.out
	m.out = nil
	jump, err := m.run(n.body)
	captured := string(m.out)
	m.out = outer
	if err != nil {
		return noJump, err
	}
	if m.part.isHTML {
		m.set(n.variable, markup(captured))
	} else {
		m.set(n.variable, captured)
	}
	return jump, nil
}

func (m *machine) branch(n *ifNode) (jump, error) {
	for _, branch := range n.branches {
		if branch.condition != nil {
			value, err := m.eval(branch.condition)
			if err != nil {
				return noJump, err
			}
			if isTrue(value) == branch.isNegated {
				continue
			}
		}
		return m.run(branch.body)
	}
	return noJump, nil
}

func (m *machine) choose(n *caseNode) (jump, error) {
	subject, err := m.eval(n.subject)
	if err != nil {
		return noJump, err
	}
	for _, clause := range n.clauses {
		isChosen := clause.values == nil
		for _, one := range clause.values {
			value, err := m.eval(one)
			if err != nil {
				return noJump, err
			}
			if isChosen, err = m.equal(subject, value); err != nil {
				return noJump, err
			} else if isChosen {
				break
			}
		}
		if isChosen {
			return m.run(clause.body)
		}
	}
	return noJump, nil
}

func (m *machine) repeat(n *forNode) (jump, error) {
	list, err := m.rounds(n)
	if err != nil {
		return noJump, err
	}
	if len(list) == 0 {
		return m.run(n.otherwise)
	}
	hidden, hiddenLoop := m.variables[n.variable], m.loop
	defer func() {
		m.set(n.variable, hidden)
		m.loop = hiddenLoop
	}()
	m.loop = &loop{length: len(list)}
	for i, value := range list {
		if m.iterations++; m.iterations > MaxLoopIterations {
			return noJump, &placeError{n.at, errTooManyRounds}
		}
		m.set(n.variable, value)
		m.loop.index = i
		jump, err := m.run(n.body)
		if err != nil {
			return noJump, err
		}
		if jump == breakJump {
			break
		}
	}
	return noJump, nil
}

// rounds returns the elements that a loop goes through: of an object its pairs of name and value.
func (m *machine) rounds(n *forNode) ([]any, error) {
	value, err := m.eval(n.list)
	if err != nil {
		return nil, err
	}
	var list []any
	switch value := value.(type) {
	case []any:
		list = value
	case map[string]any:
		for _, name := range sortedNames(value) {
			list = append(list, []any{name, value[name]})
		}
	}
	if n.offset != nil {
		offset, err := m.eval(n.offset)
		if err != nil {
			return nil, err
		}
		list = list[min(max(toInt(offset), 0), len(list)):]
	}
	if n.limit != nil {
		limit, err := m.eval(n.limit)
		if err != nil {
			return nil, err
		}
		list = list[:min(max(toInt(limit), 0), len(list))]
	}
	if n.isReversed {
		reversed := make([]any, len(list))
		for i, one := range list {
			reversed[len(list)-1-i] = one
		}
		list = reversed
	}
	return list, m.spend(cost(list))
}

func (m *machine) cycle(n *cycleNode) error {
	if m.cycles == nil {
		m.cycles = map[string]int{}
	}
	turn := m.cycles[n.group]
	m.cycles[n.group] = turn + 1
	value, err := m.eval(n.values[turn%len(n.values)])
	if err != nil {
		return err
	}
	return m.write(value)
}

func (m *machine) eval(e expr) (any, error) {
	if err := m.spend(stepCost); err != nil {
		return nil, err
	}
	switch e := e.(type) {
	case *literal:
		return e.value, nil
	case *path:
		return m.follow(e)
	case *pipeline:
		return m.pipe(e)
	case *comparison:
		left, err := m.eval(e.left)
		if err != nil {
			return nil, err
		}
		right, err := m.eval(e.right)
		if err != nil {
			return nil, err
		}
		return m.compare(e.operator, left, right)
	case *logic:
		value, err := m.eval(e.first)
		for _, one := range e.rest {
			if err != nil {
				return nil, err
			}
			// What the left side decides alone is decided.
			if isTrue(value) != one.isAnd {
				value = isTrue(value)
				continue
			}
			value, err = m.eval(one.term)
			value = isTrue(value)
		}
		return value, err
	case *span:
		return m.span(e)
	}
	return nil, fmt.Errorf("unknown expression %T", e)
}

// span makes the list of a range.
func (m *machine) span(e *span) (any, error) {
	fromValue, err := m.eval(e.from)
	if err != nil {
		return nil, err
	}
	toValue, err := m.eval(e.to)
	if err != nil {
		return nil, err
	}
	// Clamped, so that the difference cannot overflow.
	from := min(max(toInt(fromValue), -maxExact), maxExact)
	to := min(max(toInt(toValue), -maxExact), maxExact)
	if to < from {
		return []any(nil), nil
	}
	if to-from >= MaxLoopIterations {
		return nil, &placeError{e.at, fmt.Errorf("a range has at most %d numbers", MaxLoopIterations)}
	}
	list := make([]any, 0, to-from+1)
	for n := from; n <= to; n++ {
		list = append(list, n)
	}
	return list, m.spend(cost(list))
}

func (m *machine) pipe(e *pipeline) (any, error) {
	value, err := m.eval(e.input)
	if err != nil {
		return nil, err
	}
	for i := range e.calls {
		call := &e.calls[i]
		args := make([]any, len(call.args))
		// Filters make texts of lists, so that everything in a list counts.
		work := deepCost(value)
		for i, arg := range call.args {
			if args[i], err = m.eval(arg); err != nil {
				return nil, err
			}
			work += deepCost(args[i])
		}
		if err := m.spend(work); err != nil {
			return nil, err
		}
		if value, err = call.filter.apply(m, value, args); err != nil {
			return nil, &placeError{call.at, fmt.Errorf("the filter %q: %w", call.name, err)}
		}
		if err := m.spend(cost(value)); err != nil {
			return nil, err
		}
	}
	return value, nil
}

// follow takes a path's value.
func (m *machine) follow(p *path) (any, error) {
	var value any
	switch {
	case p.field != noField:
		var err error
		if value, err = m.token(p.field); err != nil {
			return nil, err
		}
	case p.root == "forloop":
		if m.loop != nil {
			value = m.loop
		}
	default:
		value = m.variables[p.root]
	}
	for i := range p.steps {
		if err := m.spend(stepCost); err != nil {
			return nil, err
		}
		step := &p.steps[i]
		if step.index == nil {
			value = property(value, step.name)
			continue
		}
		index, err := m.eval(step.index)
		if err != nil {
			return nil, err
		}
		if list, ok := value.([]any); ok {
			value = element(list, index)
		} else if err := m.spend(deepCost(index)); err != nil {
			return nil, err
		} else {
			value = property(value, toText(index))
		}
	}
	return value, nil
}

// property takes a member by name, or one of the properties that lists, texts and loops have; nil
// where there is none.
func property(value any, name string) any {
	switch value := plain(value).(type) {
	case map[string]any:
		if member, ok := value[name]; ok {
			return member
		}
		if name == "size" {
			return len(value)
		}
	case []any:
		switch {
		case name == "size":
			return len(value)
		case name == "first" && len(value) > 0:
			return value[0]
		case name == "last" && len(value) > 0:
			return value[len(value)-1]
		}
	case string:
		if name == "size" {
			return length(value)
		}
	}
	if l, ok := value.(*loop); ok {
		return l.property(name)
	}
	return nil
}

// element takes an element by its number; negative numbers count from the end.
func element(list []any, index any) any {
	number, ok := toNumber(index)
	if !ok {
		return nil
	}
	i := toInt(number)
	if i < 0 {
		i += len(list)
	}
	if i < 0 || i >= len(list) {
		return nil
	}
	return list[i]
}

func (l *loop) property(name string) any {
	switch name {
	case "index":
		return l.index + 1
	case "index0":
		return l.index
	case "rindex":
		return l.length - l.index
	case "rindex0":
		return l.length - l.index - 1
	case "first":
		return l.index == 0
	case "last":
		return l.index == l.length-1
	case "length":
		return l.length
	}
	return nil
}

// token returns the value of one of the product's tokens.
func (m *machine) token(f field) (any, error) {
	recipient := &m.data.Recipient
	switch f {
	case externalIDField:
		return recipient.ExternalID, nil
	case emailField:
		return textOrNil(recipient.Email), nil
	case phoneField:
		return textOrNil(recipient.Phone), nil
	case firstNameField:
		return textOrNil(recipient.FirstName), nil
	case lastNameField:
		return textOrNil(recipient.LastName), nil
	case attributesField:
		return m.readAttributes()
	case deliveryLabelField:
		return m.data.Delivery.Label, nil
	case recipientField:
		attributes, err := m.readAttributes()
		return map[string]any{
			"externalId": recipient.ExternalID,
			"email":      textOrNil(recipient.Email),
			"phone":      textOrNil(recipient.Phone),
			"firstName":  textOrNil(recipient.FirstName),
			"lastName":   textOrNil(recipient.LastName),
			"attributes": attributes,
		}, err
	case deliveryField:
		return map[string]any{"label": m.data.Delivery.Label}, nil
	default:
		return codeToken(m.data, f), nil
	}
}

// codeToken returns what the coupon and the code tell; nil, which is blank, for a delivery without them
// and for a token that nothing has.
func codeToken(data *coupon.MessageData, f field) any {
	switch {
	case f.isCoupon() && data.Coupon != nil:
		return couponToken(data.Coupon, f)
	case f.isValue() && data.CouponValue != nil:
		return valueToken(data.CouponValue, f)
	}
	return nil
}

func couponToken(c *coupon.CouponData, f field) any {
	switch f {
	case couponCodeField:
		return c.Code
	case couponLabelField:
		return c.Label
	case startsAtField:
		return c.StartsAt
	case endsAtField:
		return c.EndsAt
	default:
		return map[string]any{"code": c.Code, "label": c.Label, "startsAt": c.StartsAt, "endsAt": c.EndsAt}
	}
}

func valueToken(v *coupon.CodeData, f field) any {
	switch f {
	case valueCodeField:
		return v.Code
	case valueLabelField:
		return v.Label
	default:
		return map[string]any{"code": v.Code, "label": v.Label}
	}
}

func textOrNil(text *string) any {
	if text == nil {
		return nil
	}
	return *text
}

// readAttributes returns the recipient's attributes, read once a message.
func (m *machine) readAttributes() (any, error) {
	if !m.hasRead && m.data.Recipient.Attributes != "" {
		if err := m.spend(len(m.data.Recipient.Attributes)); err != nil {
			return nil, err
		}
		object, err := parseJSON(string(m.data.Recipient.Attributes))
		if err != nil {
			return nil, fmt.Errorf("the recipient's attributes are no JSON object: %w", err)
		}
		// A nil map in an interface would not be nil.
		if object != nil {
			m.attributes = object
		}
	}
	m.hasRead = true
	return m.attributes, nil
}

// compare decides a comparison. It spends what equal and contains may have to look at.
func (m *machine) compare(operator string, left, right any) (any, error) {
	switch operator {
	case "==":
		return m.equal(left, right)
	case "!=", "<>":
		isEqual, err := m.equal(left, right)
		return !isEqual, err
	case "contains":
		return m.contains(left, right)
	}
	left, right = plain(left), plain(right)
	if err := m.spend(min(cost(left), cost(right))); err != nil {
		return nil, err
	}
	sign, ok := order(left, right)
	if !ok {
		// What has no order is neither more nor less.
		return false, nil
	}
	switch operator {
	case "<":
		return sign < 0, nil
	case ">":
		return sign > 0, nil
	case "<=":
		return sign <= 0, nil
	default:
		return sign >= 0, nil
	}
}

// order returns the sign of left - right for two texts and for two values that read as numbers.
func order(left, right any) (sign int, ok bool) {
	if a, ok := left.(string); ok {
		if b, ok := right.(string); ok {
			return strings.Compare(a, b), true
		}
	}
	a, isLeft := toNumber(left)
	b, isRight := toNumber(right)
	if !isLeft || !isRight {
		return 0, false
	}
	if m, ok := a.(int); ok {
		if n, ok := b.(int); ok {
			return cmp.Compare(m, n), true
		}
	}
	return cmp.Compare(toFloat(a), toFloat(b)), true
}

// equal compares by value. A number equals a text that reads as the same number.
func (m *machine) equal(left, right any) (bool, error) {
	if is, ok := isSpecial(left, right); ok {
		return is, nil
	}
	left, right = plain(left), plain(right)
	if err := m.spend(stepCost + min(cost(left), cost(right))); err != nil {
		return false, err
	}
	switch a := left.(type) {
	case nil:
		return right == nil, nil
	case bool:
		return right == a, nil
	case string:
		if b, ok := right.(string); ok {
			return a == b, nil
		}
	case []any:
		b, ok := right.([]any)
		return m.equalLists(a, b, ok)
	case map[string]any:
		b, ok := right.(map[string]any)
		return m.equalObjects(a, b, ok)
	}
	sign, ok := order(left, right)
	return ok && sign == 0, nil
}

// equalLists compares two lists; isList says that the second is one.
func (m *machine) equalLists(a, b []any, isList bool) (bool, error) {
	if !isList || len(a) != len(b) {
		return false, nil
	}
	for i := range a {
		if isEqual, err := m.equal(a[i], b[i]); !isEqual || err != nil {
			return false, err
		}
	}
	return true, nil
}

// equalObjects compares two objects; isObject says that the second is one. It goes by the names in
// order, so that the work done up to a difference is always the same.
func (m *machine) equalObjects(a, b map[string]any, isObject bool) (bool, error) {
	if !isObject || len(a) != len(b) {
		return false, nil
	}
	for _, name := range sortedNames(a) {
		other, ok := b[name]
		if !ok {
			return false, nil
		}
		if isEqual, err := m.equal(a[name], other); !isEqual || err != nil {
			return false, err
		}
	}
	return true, nil
}

// isSpecial decides comparisons with the literals blank and empty; ok is false for all others.
func isSpecial(left, right any) (is, ok bool) {
	for _, pair := range [][2]any{{left, right}, {right, left}} {
		switch pair[0].(type) {
		case blank:
			return isBlank(plain(pair[1])), true
		case empty:
			return isEmpty(plain(pair[1])), true
		}
	}
	return false, false
}

// contains reports whether a text has a part, a list an element, an object a member.
func (m *machine) contains(left, right any) (bool, error) {
	if err := m.spend(cost(left) + deepCost(right)); err != nil {
		return false, err
	}
	switch left := plain(left).(type) {
	case string:
		return strings.Contains(left, toText(right)), nil
	case []any:
		for _, one := range left {
			if isEqual, err := m.equal(one, right); isEqual || err != nil {
				return isEqual, err
			}
		}
	case map[string]any:
		_, ok := left[toText(right)]
		return ok, nil
	}
	return false, nil
}
