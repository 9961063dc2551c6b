package message

import (
	"regexp"
	"strings"
	"unicode"
)

type pieceKind int

const (
	textPiece   pieceKind = iota
	outputPiece           // {{ … }}
	tagPiece              // {% … %}
	adobePiece            // <%= … %>
)

// piece is a stretch of template text, or what stands between delimiters.
type piece struct {
	kind pieceKind
	// text is without delimiters and without the marks of white space control.
	text string
	// at is the offset of text, start that of the opening delimiter.
	at, start int
}

// The ends of the blocks whose content is no Liquid.
var (
	endRaw     = regexp.MustCompile(`\{%-?\s*endraw\s*-?%\}`)
	endComment = regexp.MustCompile(`\{%-?\s*endcomment\s*-?%\}`)
	tagName    = regexp.MustCompile(`^\s*(\w+)`)
)

// scanner cuts a part into pieces.
type scanner struct {
	part     *part
	problems *problems
	pieces   []piece
	// trimNext says that the last delimiter was -}} or -%}: white space behind it goes.
	trimNext bool
}

// scan cuts the whole text. raw and comment blocks are dissolved here.
func (s *scanner) scan() []piece {
	source := s.part.source
	for pos := 0; pos < len(source); {
		start := indexOpen(source, pos)
		if start < 0 {
			s.addText(source[pos:], pos, false)
			break
		}
		kind, closing := outputPiece, "}}"
		switch source[start : start+2] {
		case "{%":
			kind, closing = tagPiece, "%}"
		case "<%":
			kind, closing = adobePiece, "%>"
		}
		at := start + 2
		// What is not closed before the next delimiter opens is not closed at all. Looking no
		// further also keeps the scan linear.
		next := indexOpen(source, at)
		if next < 0 {
			next = len(source)
		}
		length := strings.Index(source[at:next], closing)
		if length < 0 {
			s.problems.addf(s.part, start, "%s is not closed: %s is missing.",
				source[start:at], closing)
			pos = next
			continue
		}
		inner, end := source[at:at+length], at+length+2
		trimLeft, trimRight := false, false
		if kind != adobePiece {
			if strings.HasPrefix(inner, "-") {
				trimLeft, inner, at = true, inner[1:], at+1
			}
			if strings.HasSuffix(inner, "-") {
				trimRight, inner = true, inner[:len(inner)-1]
			}
		}
		s.addText(source[pos:start], pos, trimLeft)
		s.trimNext = trimRight
		pos = s.addPiece(piece{kind: kind, text: inner, at: at, start: start}, end)
	}
	return s.pieces
}

// addPiece takes what stands between delimiters and gives where to go on: behind it, or behind the
// block when it opens a raw or comment block.
func (s *scanner) addPiece(p piece, end int) int {
	name := ""
	if match := tagName.FindStringSubmatch(p.text); p.kind == tagPiece && match != nil {
		name = match[1]
	}
	closing := endRaw
	switch name {
	case "comment":
		closing = endComment
	case "raw":
	default:
		s.pieces = append(s.pieces, p)
		return end
	}
	source := s.part.source
	bounds := closing.FindStringIndex(source[end:])
	if bounds == nil {
		s.problems.addf(s.part, p.start,
			"{%% %s %%} is not closed: {%% end%s %%} is missing.", name, name)
		return len(source)
	}
	bounds[0], bounds[1] = bounds[0]+end, bounds[1]+end
	if name == "raw" {
		s.addText(source[end:bounds[0]], end, source[bounds[0]+2] == '-')
	}
	s.trimNext = source[bounds[1]-3] == '-'
	return bounds[1]
}

func (s *scanner) addText(text string, at int, trimRight bool) {
	if s.trimNext {
		trimmed := strings.TrimLeftFunc(text, unicode.IsSpace)
		at += len(text) - len(trimmed)
		text = trimmed
	}
	if trimRight {
		text = strings.TrimRightFunc(text, unicode.IsSpace)
	}
	s.trimNext = false
	if text != "" {
		s.pieces = append(s.pieces, piece{kind: textPiece, text: text, at: at, start: at})
	}
}

// indexOpen finds the next opening delimiter at or behind pos, or gives -1.
func indexOpen(s string, pos int) int {
	for i := pos; i+1 < len(s); i++ {
		switch s[i] {
		case '{':
			if s[i+1] == '{' || s[i+1] == '%' {
				return i
			}
		case '<':
			if s[i+1] == '%' {
				return i
			}
		}
	}
	return -1
}
