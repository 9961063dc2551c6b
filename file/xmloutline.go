package file

import (
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"slices"

	"couponql/coupon"
)

// xmlKey tells the column by which rows are known: the first required one, in the spellings of the import
// or as it is mapped.
type xmlKey struct {
	column *Column
	// mapped is the normal form of the only spelling, if there is a mapping.
	mapped string
}

func newXMLKey(columns []Column, mappings []*coupon.ColumnMapping) xmlKey {
	i := max(slices.IndexFunc(columns, func(c Column) bool { return c.IsRequired }), 0)
	key := xmlKey{column: &columns[i]}
	for _, mapping := range mappings {
		if normal(mapping.Field) == normal(key.column.Name) {
			key.mapped = normal(mapping.Column)
		}
	}
	return key
}

func (k *xmlKey) matches(name string) bool {
	spelling := normal(name)
	if k.mapped != "" {
		return spelling == k.mapped
	}
	return k.column.matches(spelling)
}

// isIn reports whether the key is among the attributes of an element.
func (k *xmlKey) isIn(attributes []xml.Attr) bool {
	return slices.ContainsFunc(attributes, func(a xml.Attr) bool { return !isMeta(a.Name) && k.matches(a.Name.Local) })
}

// of returns the key among the attributes of an element; "" when there is none.
func (k *xmlKey) of(attributes []xml.Attr) string {
	for _, a := range attributes {
		if !isMeta(a.Name) && k.matches(a.Name.Local) {
			return a.Value
		}
	}
	return ""
}

// xmlOutline looks at the elements at the beginning of an XML text and finds out which of them are rows.
//
// An element has the key when an attribute of it is one, or when an element in it is one that has
// nothing but text. Where an element has several of these, they are rows themselves, as in
// <codes><code>A1</code><code>B2</code></codes>. The outermost elements that have the key are the rows,
// with two exceptions: the root is a row only where no other element can be one, and so is a coupon,
// which has a code of its own besides those in it.
type xmlOutline struct {
	rows *xmlRows
	open []openElement
	// counts has how many elements of each kind there are.
	counts map[xmlElement]int
	// keyed are the elements that have the key in an attribute or as their own text.
	keyed map[xmlElement]bool
	// parents are the elements that have the key in one element in them, by that one's name, and
	// repeated the elements with the key of which several stand in one.
	parents  map[xmlParent]bool
	repeated map[xmlElement]bool
	// isBare says that the root ended and had nothing in it.
	isBare bool
	// names are those of attributes and elements with text, for an error.
	names []string
}

type xmlParent struct {
	element xmlElement
	child   string
}

// openElement is an element whose end was not reached.
type openElement struct {
	element                 xmlElement
	attributes, hasKey      bool
	hasElements, hasContent bool
	// keys has for each element in it that has nothing but the key how many there are.
	keys map[string]int
}

// findRows finds out which elements are rows; none when the root is empty. It returns FILE_UNREADABLE
// when none has the key, when several could be rows, and when the XML is broken before the first row.
func (o *xmlOutline) findRows() (xmlElement, error) {
	o.counts = make(map[xmlElement]int)
	o.keyed = make(map[xmlElement]bool)
	o.parents = make(map[xmlParent]bool)
	o.repeated = make(map[xmlElement]bool)
	var err error
	for err == nil {
		err = o.read()
	}
	for len(o.open) > 0 { // The sample or the XML ends here.
		o.end()
	}
	found := o.candidates()
	switch {
	case len(found) == 0 && !errors.Is(err, io.EOF) && !errors.Is(err, errSampleEnd):
		return xmlElement{}, err
	case len(found) == 0 && errors.Is(err, io.EOF) && o.isBare:
		return xmlElement{}, nil
	case len(found) == 0:
		return xmlElement{}, missing(o.rows.key.column, o.names)
	}
	return o.choose(found)
}

// read takes one token in.
func (o *xmlOutline) read() error {
	start := o.rows.position()
	token, err := o.rows.token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case xml.StartElement:
		if len(o.open) > 0 {
			o.open[len(o.open)-1].hasElements = true
		}
		element := xmlElement{name: token.Name.Local, depth: o.rows.depth}
		o.counts[element]++
		opened := openElement{element: element}
		for _, attribute := range token.Attr {
			if !isMeta(attribute.Name) {
				opened.attributes = true
				o.note(attribute.Name.Local)
			}
		}
		if opened.hasKey = o.rows.key.isIn(token.Attr); opened.hasKey {
			o.keyed[element] = true
		}
		o.open = append(o.open, opened)
	case xml.CharData:
		switch {
		case len(trimXML(token)) == 0:
		case len(o.open) == 0:
			return o.rows.broken(start.line, "there is text outside the outermost element")
		default:
			o.open[len(o.open)-1].hasContent = true
		}
	case xml.EndElement:
		o.end()
	}
	return nil
}

// note keeps a name for the error that names what the file has.
func (o *xmlOutline) note(name string) {
	if len(o.names) < MaxColumns && !slices.Contains(o.names, name) {
		o.names = append(o.names, name)
	}
}

// end takes in what is known of an element at its end.
func (o *xmlOutline) end() {
	last := len(o.open) - 1
	ended := o.open[last]
	o.open = o.open[:last]
	o.isBare = !ended.hasElements && !ended.hasContent
	own := o.ownKey(&ended)
	for name, count := range ended.keys {
		if count > 1 || own != "" && name != own {
			o.repeated[xmlElement{name: name, depth: ended.element.depth + 1}] = true
		} else {
			o.parents[xmlParent{element: ended.element, child: name}] = true
		}
	}
	if !ended.hasContent || ended.hasElements {
		return
	}
	o.note(ended.element.name)
	switch {
	case ended.hasKey || !o.rows.key.matches(ended.element.name):
	case ended.attributes || last == 0:
		o.keyed[ended.element] = true
	default:
		parent := &o.open[last-1]
		if parent.keys == nil {
			parent.keys = make(map[string]int)
		}
		parent.keys[ended.element.name]++
	}
}

// ownKey returns what an owner calls its own key, where the others in it are those of rows: the attribute, which is no element's
// name, or the element with the best spelling. It gives "" where nothing but that is in it.
func (o *xmlOutline) ownKey(ended *openElement) string {
	if o.rows.ownerField < 0 || normal(ended.element.name) != o.rows.key.column.owner {
		return ""
	}
	if ended.hasKey {
		return "@"
	}
	own, best := "", [2]int{}
	for name := range ended.keys {
		class, place, _ := o.rows.key.column.rank(normal(name))
		if rank := [2]int{class, place}; len(ended.keys) > 1 && (own == "" || slices.Compare(rank[:], best[:]) < 0) {
			own, best = name, rank
		}
	}
	return own
}

// candidates returns the elements that have the key, from the outermost on.
func (o *xmlOutline) candidates() []xmlElement {
	var found []xmlElement
	for element := range o.keyed {
		found = append(found, element)
	}
	for element := range o.repeated {
		found = append(found, element)
	}
	for parent := range o.parents {
		if !o.repeated[xmlElement{name: parent.child, depth: parent.element.depth + 1}] {
			found = append(found, parent.element)
		}
	}
	slices.SortFunc(found, func(a, b xmlElement) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.name, b.name))
	})
	return slices.Compact(found)
}

// choose finds the rows among the elements that have the key.
func (o *xmlOutline) choose(found []xmlElement) (xmlElement, error) {
	for _, element := range found {
		if name := o.rows.key.column.element; name != "" && normal(element.name) == name {
			return element, nil
		}
	}
	isOwner := func(element xmlElement) bool { return normal(element.name) == o.rows.key.column.owner }
	for len(found) > 1 && found[len(found)-1].depth > found[0].depth && (found[0].depth == 1 || isOwner(found[0])) {
		found = found[1:]
	}
	row := found[0]
	for _, other := range found[1:] {
		isOneOfMany := o.counts[row] == 1 && o.counts[other] > 1
		if other.name != row.name && (other.depth == row.depth || isOneOfMany) {
			return xmlElement{}, coupon.Errorf(coupon.ErrorFileUnreadable,
				"The rows of the XML file could be elements of two names, as both hold %s. Import a file that has only one of them.", o.rows.key.column.words())
		}
	}
	return row, nil
}
