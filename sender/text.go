package sender

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// plainText returns the text of an HTML body, for mail programs that show no HTML: paragraphs as lines, links with
// their address.
func plainText(body string) string {
	var text strings.Builder
	tokenizer := html.NewTokenizer(strings.NewReader(body))
	hidden, link := 0, ""
	for {
		switch kind := tokenizer.Next(); kind {
		case html.ErrorToken:
			return tidy(text.String())
		case html.TextToken:
			if hidden == 0 {
				text.WriteString(spaces.Replace(string(tokenizer.Text())))
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			token := tokenizer.Token()
			switch token.DataAtom {
			case atom.Style, atom.Script, atom.Title:
				if kind == html.StartTagToken {
					hidden++
				} else if hidden > 0 {
					hidden--
				}
			case atom.A:
				if link != "" && kind == html.EndTagToken {
					text.WriteString(" (" + link + ")")
				}
				link = attribute(&token, "href")
			case atom.Img:
				text.WriteString(attribute(&token, "alt"))
			case atom.Li:
				if kind == html.StartTagToken {
					text.WriteString("\n- ")
				}
			case atom.Td, atom.Th:
				text.WriteString(" ")
			case atom.Br, atom.Tr, atom.Div:
				text.WriteString("\n")
			case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table, atom.Hr, atom.Blockquote:
				text.WriteString("\n\n")
			default: // it changes how text looks, not where it stands
			}
		default: // comments
		}
	}
}

// spaces turns the line breaks of HTML, which mean nothing, into spaces.
var spaces = strings.NewReplacer("\r", " ", "\n", " ", "\t", " ")

func attribute(token *html.Token, name string) string {
	for _, a := range token.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// tidy takes away spaces that mean nothing, and all empty lines but one between paragraphs.
func tidy(text string) string {
	var tidied []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line != "" || len(tidied) > 0 && tidied[len(tidied)-1] != "" {
			tidied = append(tidied, line)
		}
	}
	return strings.TrimSpace(strings.Join(tidied, "\n")) + "\n"
}
