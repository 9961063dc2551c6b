// Package message turns a delivery's subject and body, which are Liquid templates, into the message
// that one recipient gets.
//
// # The story of a template
//
// [Parse] reads subject and body once, when a delivery is created or changed, and reports
// everything that is no Liquid, with line and column. [Template.Check] looks, at the analysis, at
// what the template names: tokens that do not exist, a code where the delivery has none, a code
// that nobody would see. [Template.Uses] tells which fields of a recipient have to be kept for the
// sending. [Template.Render] then makes one message after the other; a Template never changes, so
// any number of goroutines may render it at once.
//
// # The language
//
//   - {{ token }}, {{ token | filter: argument }}, {%- white space control -%}.
//   - Tokens: recipient.externalId, .email, .phone, .firstName, .lastName, .attributes.<any>;
//     coupon.code, .label, .startsAt, .endsAt; couponValue.code, .label; delivery.label.
//     A value that is missing is blank.
//   - Tags: if, elsif, else, unless, case, when, for (limit, offset, reversed), forloop, break,
//     continue, cycle, assign, capture, raw, comment. There is no include and no render: a template
//     is complete in itself.
//   - Filters: those of Liquid, and money: {{ 1234.5 | money: "EUR" }} is 1,234.50 EUR and
//     {{ 1234.5 | money: "€" }} is €1,234.50.
//   - Adobe's <%= recipient.firstName %> is read as {{ recipient.firstName }}, with couponCode for
//     code. Nothing else of Adobe's scripts is.
//   - A number and a text that reads as a number compare as numbers, since imported files know only
//     text.
//   - There is no "now": a message reads the same whenever and however often it is rendered.
//
// # HTML
//
// A body whose text has a tag of HTML (an element's name between angle brackets, a comment or a
// doctype) is HTML; every other body is plain text, whatever its values contain. In an HTML body
// every value is escaped where it is written, once, and no filter switches that off: only the
// template's own text is markup. The filter escape therefore leaves its value alone there. What {%
// capture %} took is markup when it is written as it is, or after strip, append, prepend or
// newline_to_br; any other filter makes text of it again. Escaping makes values safe in text and in
// quoted attributes. A subject is one line: line breaks become a space, other control characters
// go.
//
// # Why the interpreter is our own
//
// github.com/osteele/liquid gives the filters that it gets right, and it is the oracle of the
// tests. Its parser is not used: it compiles expressions into closures, so that neither tokens nor
// columns can be had from it, it has neither limits nor escaping, it visits maps in random order,
// and templates can make it panic. Checking tokens needs a syntax tree, and with the tree at hand
// evaluating it is the smaller half of the work.
//
// # Limits
//
// The constants Max… bound what a template may be and what rendering one message may cost. Work is
// counted, not timed, so that the same message fails or passes on every machine.
package message
