package file

import (
	"slices"
	"strings"
	"unicode"

	"couponql/coupon"
)

// Hints are parts of names by which a column of recipients may be about consent, though no word of the vocabulary is its
// name. Such a column is an attribute like others, but never silently: what it says against being contacted counts.
type Hints struct {
	Language string
	Sense    coupon.ConsentSense
	// Words are separated by commas. Those of at least minHint letters may stand anywhere in a name; shorter ones are
	// the beginning of a word. With coupon.ConsentHints and coupon.StatusHints they are the whole name.
	Words string
}

// minHint is the length of the shortest hint that is looked for inside of words.
const minHint = 5

// ConsentHints has the hints in all languages. Those against consent come first, as a name can have both:
// newsletter_unsubscribed.
func ConsentHints() []Hints {
	return []Hints{
		{"en", coupon.OptOutMentions, "unsub, optout, optedout, optingout, donot, dont, nomail, noemail, nocontact, nomarketing, blacklist, blocklist, " +
			"denylist, stoplist, suppress, blocked, dnc, complain, spamreport, revoked, withdrawn, objected, unmailable, bounced"},
		{"de", coupon.OptOutMentions, "abgemeldet, abmeld, abbestell, ausgetragen, austrag, sperre, gesperrt, sperrliste, blockiert, widerspr, widerruf, " +
			"keinewerbung, keinemail, keineemail, keinnewsletter, nichtkontakt, robinson"},
		{"fr", coupon.OptOutMentions, "desabon, desinscri, nepas, neplus, bloque, listenoire, opposition, stoppub, refus"},
		{"es", coupon.OptOutMentions, "baja, desuscri, bloquead, listanegra, nocontactar, noenviar, oposicion, revocad"},
		{"it", coupon.OptOutMentions, "disiscri, bloccat, listanera, noncontattare, noninviare, opposizione, revoca"},
		{"pt", coupon.OptOutMentions, "descadastr, bloquead, listanegra, naocontac, naocontat, naoenviar, oposicao, revogad"},
		{"nl", coupon.OptOutMentions, "afgemeld, afmeld, uitgeschreven, uitschrijf, geblokkeerd, zwartelijst, nietbenader, nietmailen, bezwaar, ingetrokken"},
		{"pl", coupon.OptOutMentions, "wypis, zablokowan, czarnalista, niekontakt, niewysyl, sprzeciw, rezygnac, wycofan, cofniet"},
		{"tr", coupon.OptOutMentions, "abonelikten, abonelikiptal, engellen, karalist, reddet, istemiyor, iptal"},

		{"en", coupon.ConsentHints, "newsletter, newsletters, marketing, mailing, mailings, mailing list, email marketing, sms marketing, subscription, " +
			"subscription status, email subscription, sms consent, sms opt-in, phone consent, permission, marketing permission, email permission, " +
			"double opt-in, doi, gdpr, gdpr consent, accepts sms marketing, accepts newsletter, contact allowed, emailable, mailable, can contact, " +
			"can email, allow email, allow emails, promotions, offers"},
		{"de", coupon.ConsentHints, "Newsletter, Newsletterempfänger, Newsletter-Abonnent, Werbung, Mailing, Mailings, E-Mail-Werbung, Abonnent, angemeldet, " +
			"Anmeldung, Erlaubnis, DSGVO, Kontakt erlaubt, Angebote"},
		{"fr", coupon.ConsentHints, "infolettre, abonné, abonnement, inscrit, inscription, publicité, prospection, RGPD, offres"},
		{"es", coupon.ConsentHints, "boletín, suscrito, suscripción, publicidad, permiso, RGPD, ofertas"},
		{"it", coupon.ConsentHints, "iscritto, iscrizione, pubblicità, permesso, GDPR, offerte"},
		{"pt", coupon.ConsentHints, "boletim, inscrito, inscrição, assinante, assinatura, publicidade, permissão, LGPD, RGPD, ofertas"},
		{"nl", coupon.ConsentHints, "nieuwsbrief, aangemeld, ingeschreven, inschrijving, abonnee, reclame, AVG, aanbiedingen"},
		{"pl", coupon.ConsentHints, "newsletter, biuletyn, zapisany, subskrypcja, subskrybent, reklama, RODO, oferty"},
		{"tr", coupon.ConsentHints, "bülten, abone, abonelik, reklam, kampanya izni, e-posta izni, SMS izni, KVKK"},

		{
			"en",
			coupon.StatusHints,
			"status, state, email status, contact status, member status, subscriber status, customer status, list status, mail status, " +
				"lead status, account status",
		},
		{"de", coupon.StatusHints, "Zustand, Kundenstatus, E-Mail-Status, Mailstatus, Kontaktstatus, Empfängerstatus"},
		{"fr", coupon.StatusHints, "statut, état, statut du contact, statut e-mail"},
		{"es", coupon.StatusHints, "estado, estatus, situación, estado del contacto"},
		{"it", coupon.StatusHints, "stato, stato contatto, stato e-mail"},
		{"pt", coupon.StatusHints, "estado, situação, estado do contacto, status do contato"},
		{"nl", coupon.StatusHints, "toestand, contactstatus, e-mailstatus"},
		{"pl", coupon.StatusHints, "stan, status kontaktu, status e-mail"},
		{"tr", coupon.StatusHints, "durum, durumu, iletişim durumu, e-posta durumu"},

		{
			"en",
			coupon.ConsentMentions,
			"newsletter, marketing, subscri, consent, permission, optin, optedin, mailing, contactable, emailable, gdpr, maycontact",
		},
		{"de", coupon.ConsentMentions, "einwillig, zustimm, werbung, werbe, erlaubnis, kontaktier, dsgvo"},
		{"fr", coupon.ConsentMentions, "abonn, infolettre, consent, publicit, prospection, rgpd"},
		{"es", coupon.ConsentMentions, "suscri, boletin, consentim, publicid"},
		{"it", coupon.ConsentMentions, "iscritt, iscrizion, consens, pubblicit"},
		{"pt", coupon.ConsentMentions, "inscri, consentim, publicid, permissao, lgpd"},
		{"nl", coupon.ConsentMentions, "nieuwsbrief, toestemming, aangemeld, ingeschreven"},
		{"pl", coupon.ConsentMentions, "zgoda, zgody, subskry, biuletyn, zapisan, rodo"},
		{"tr", coupon.ConsentMentions, "bulten, abone, izin, izni, onay, kvkk"},
	}
}

// consentHint is a hint in the form in which names are compared.
type consentHint struct {
	sense coupon.ConsentSense
	word  string
}

func newConsentHints() []consentHint {
	var hints []consentHint
	for _, h := range ConsentHints() {
		for word := range strings.SplitSeq(h.Words, ",") {
			hints = append(hints, consentHint{h.Sense, normal(word)})
		}
	}
	return hints
}

// in reports whether the name of a column, whose words begin at these places of its normal form, has the hint.
func (h *consentHint) in(spelling string, starts []int) bool {
	switch {
	case h.sense == coupon.ConsentHints || h.sense == coupon.StatusHints:
		return spelling == h.word
	case len(h.word) >= minHint:
		return strings.Contains(spelling, h.word)
	}
	return slices.ContainsFunc(starts, func(start int) bool { return strings.HasPrefix(spelling[start:], h.word) })
}

// wordStarts returns the normal form of a name and where its words begin in that.
func wordStarts(name string) (spelling string, starts []int) {
	begin := 0
	take := func(end int) {
		if word := normal(name[begin:end]); word != "" {
			starts = append(starts, len(spelling))
			spelling += word
		}
		begin = end
	}
	isLower := false
	for i, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) || isLower && unicode.IsUpper(r) {
			take(i)
		}
		isLower = unicode.IsLower(r)
	}
	take(len(name))
	return spelling, starts
}

// hintOf returns what the name of a column hints at; 0 for nothing.
func hintOf(hints []consentHint, name string) coupon.ConsentSense {
	spelling, starts := wordStarts(name)
	for i := range hints {
		if spelling != "" && hints[i].in(spelling, starts) {
			return hints[i].sense
		}
	}
	return 0
}

// consentColumn is a column of the file that says, or may say, who may be contacted.
type consentColumn struct {
	cell  int
	sense coupon.ConsentSense
	// field is the known column that it is, or -1 for an attribute that may be about consent.
	field int
	// hasAnswer says that a value of it said something of consent.
	hasAnswer bool
}

// addConsent takes in a column that is about consent.
func (a *assignment) addConsent(cell, field int, sense coupon.ConsentSense) {
	a.consents = append(a.consents, consentColumn{cell: cell, sense: sense, field: field})
	if a.fields[field] < 0 {
		a.fields[field] = cell
	}
}

// addHint takes in an attribute whose name hints at consent, where the file is one of people who may have given it.
func (a *assignment) addHint(name string, cell int, columns []Column) {
	if !slices.ContainsFunc(columns, func(c Column) bool { return c.consent != 0 }) {
		return
	}
	if a.hints == nil {
		a.hints = newConsentHints()
	}
	if sense := hintOf(a.hints, name); sense != 0 {
		a.consents = append(a.consents, consentColumn{cell: cell, sense: sense, field: -1})
	}
}

// isConsent reports whether a cell holds a column that is about consent and nothing else.
func (a *assignment) isConsent(cell int) bool {
	return slices.ContainsFunc(a.consents, func(c consentColumn) bool { return c.cell == cell && c.field >= 0 })
}

// Consent returns what all columns of the row say of being contacted, or the value that cannot stand in its column.
func (r *Row) Consent() (consent coupon.Consent, odd string, isUnderstood bool) {
	for i := range r.assignment.consents {
		column := &r.assignment.consents[i]
		cell := r.cell(column.cell)
		isAnswer, isUnderstood := consent.Add(column.sense, cell)
		if !isUnderstood {
			return consent, cell.Text, false
		}
		column.hasAnswer = column.hasAnswer || isAnswer
	}
	return consent, "", true
}

// warnHints tells of the attributes that may be about consent. That a status is one is told only where its values are
// words of consent.
func (r *Reader) warnHints(layout *Layout) {
	var told coupon.ImportFindings
	for _, column := range r.row.assignment.consents {
		if column.field < 0 && (column.sense != coupon.StatusHints || column.hasAnswer) {
			told.Warn(coupon.WarningSuspectedConsent, 0, layout.Columns[column.cell])
		}
	}
	layout.Warnings = append(layout.Warnings, told.Warnings...)
}
