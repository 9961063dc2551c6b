package coupon

import (
	"strings"
	"unicode"
)

// ConsentSense is what a column of a file says of being contacted. A column gives consent only where
// its name says so beyond doubt; it may take consent away on less.
type ConsentSense uint8

// The senses.
const (
	// ConsentSays: a yes gives consent, and a no takes it away.
	ConsentSays ConsentSense = iota + 1
	// OptOutSays: a yes, or the date of it, takes consent away. A no does not give it.
	OptOutSays
	// ConsentHints: the column is called like what consent is asked for. A no takes consent away.
	ConsentHints
	// ConsentMentions: as ConsentHints, but the name says more, so that a number or a letter is no answer.
	ConsentMentions
	// OptOutMentions: as OptOutSays, but the name says more, so that any text may stand there.
	OptOutMentions
	// StatusHints: only a word that is about consent takes it away.
	StatusHints
)

// IsSure reports whether the column is about consent and nothing else.
func (s ConsentSense) IsSure() bool { return s == ConsentSays || s == OptOutSays }

// Consent is what the columns of one row say together: a no in any of them wins over a yes.
type Consent struct {
	isAsked, isGiven, isDenied bool
	// guess is the value by which only columns that may be about something else took consent away; "" for none.
	guess string
}

// Add takes in what one of the columns says. It reports whether the value says anything of consent, and
// whether it can stand in such a column.
func (c *Consent) Add(sense ConsentSense, cell Cell) (isAnswer, isUnderstood bool) {
	if cell.Presence == Absent {
		return false, true
	}
	c.isAsked = c.isAsked || sense == ConsentSays
	if cell.Presence != Given {
		return false, true
	}
	answer := sense.read(cell.Text)
	switch {
	case answer == answerUnknown:
		return false, !sense.IsSure()
	case answer == answerNo && sense.IsSure():
		c.isDenied = true
	case answer == answerNo && c.guess == "":
		c.guess = cell.Text
	case answer == answerYes && sense == ConsentSays:
		c.isGiven = true
	}
	return true, true
}

// Change returns what the row does to RecipientChanges.IsContactable.
func (c *Consent) Change() Change[bool] {
	switch {
	case c.isDenied, c.guess != "":
		return Set(new(false))
	case c.isGiven:
		return Set(new(true))
	case c.isAsked:
		return Set[bool](nil)
	}
	return Change[bool]{}
}

// Guess returns the value that took consent away, where only a column did that may be about something
// else; "" where none did.
func (c *Consent) Guess() string {
	if c.isDenied {
		return ""
	}
	return c.guess
}

// consentAnswer is what a value says of being contacted.
type consentAnswer uint8

const (
	answerUnknown consentAnswer = iota
	answerYes
	answerNo
)

// read tells what a value says in a column of this sense.
func (s ConsentSense) read(text string) consentAnswer {
	if answer := wordOfConsent(text); answer != answerUnknown {
		return answer
	}
	flag, isFlag := ParseFlag(text)
	isOptOut := s == OptOutSays || s == OptOutMentions
	switch {
	case s == StatusHints, s == ConsentMentions && !isLongWord(text):
	case isFlag && flag != isOptOut, isOptOut && isZeroDate(text):
		return answerYes
	case isFlag, isOptOut && (isMark(text) || isSomeDate(text)):
		return answerNo
	}
	return answerUnknown
}

// isLongWord tells a text that is neither a number nor a letter.
func isLongWord(text string) bool {
	text = CleanValue(text)
	return len(text) > 1 && (text[0] < '0' || text[0] > '9') && text[0] != '-'
}

// isMark tells what people put into a box: of an opt-out it is better taken for a yes.
func isMark(text string) bool {
	switch CleanValue(text) {
	case "x", "X", "✓", "✔", "☑", "✅":
		return true
	}
	return false
}

// isZeroDate tells what databases write for a date that is not there.
func isZeroDate(text string) bool {
	text = CleanValue(text)
	return strings.HasPrefix(text, "0000-00-00") && strings.Trim(text, "0-:. T") == ""
}

// isSomeDate tells a date, whichever it is.
func isSomeDate(text string) bool {
	text = CleanValue(text)
	if _, isEpoch := parseEpoch(text); isEpoch {
		return true
	}
	_, isMoment := readMoment(text)
	return isMoment || shortYear.MatchString(text) || serialDate.MatchString(text)
}

// wordOfConsent looks a word up: those of products that send mail, and those of people in the languages of ParseFlag,
// without accents and what stands between letters.
//
//nolint:funlen // it is a table
func wordOfConsent(text string) consentAnswer {
	if len(text) < 4 || len(text) > 60 {
		return answerUnknown
	}
	word := strings.Map(func(r rune) rune {
		switch {
		case r == 'ß':
			return 's'
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return r
		}
		return -1
	}, plain(text))
	switch word {
	case "subscribed", "subscribe", "resubscribed", "active", "optedin", "optin", "doubleoptin", "confirmed", "confirmedoptin", "allow",
		"allowed", "granted", "marketingcontact",
		"angemeldet", "abonniert", "aktiv", "eingewilligt", "zugestimmt", "erlaubt",
		"abonne", "inscrit", "actif", "confirme", "accepte",
		"suscrito", "inscrito", "activo", "confirmado", "aceptado",
		"iscritto", "attivo", "confermato", "accettato",
		"assinante", "ativo", "aceito",
		"aangemeld", "ingeschreven", "actief", "bevestigd",
		"zapisany", "zapisana", "aktywny", "aktywna", "potwierdzony",
		"abone", "aktif", "onaylandi", "izinli":
		return answerYes
	case "unsubscribed", "unsubscribe", "unsub", "nonsubscribed", "nonsubscriber", "notsubscribed", "neversubscribed", "optedout", "optout",
		"globaloptout", "cleaned", "pending", "pendingconfirmation", "unconfirmed", "notconfirmed", "nonmarketingcontact", "notoptedin", "notoptin",
		"nooptin", "blacklisted", "blacklist", "blocklisted", "blocklist", "denylisted", "blocked", "suppressed", "complained", "complaint",
		"spam", "markedasspam", "abuse", "junk", "bounced", "hardbounced", "hardbounce", "donotcontact", "donotemail", "donotmail",
		"donotallow", "donotcall", "donotsend", "notallowed", "denied", "revoked", "withdrawn", "declined", "refused", "objected",
		"transactional", "transactionalonly", "unmailable", "noconsent", "nopermission", "removed",
		"abgemeldet", "abbestellt", "ausgetragen", "gesperrt", "blockiert", "widerrufen", "widersprochen", "widerspruch", "abgelehnt",
		"unbestatigt", "nichtbestatigt", "ausstehend", "nichtangemeldet", "nichtabonniert", "nichtkontaktieren", "keinewerbung", "werbesperre",
		"desabonne", "desabonnee", "desinscrit", "desinscrite", "bloque", "bloquee", "refuse", "enattente", "nonconfirme", "noninscrit",
		"nonabonne", "nepascontacter", "listenoire", "oppose",
		"baja", "dadodebaja", "dadadebaja", "desuscrito", "nosuscrito", "bloqueado", "bloqueada", "rechazado", "pendiente", "noconfirmado",
		"nocontactar", "listanegra", "revocado",
		"disiscritto", "disiscritta", "noniscritto", "bloccato", "bloccata", "rifiutato", "inattesa", "nonconfermato", "noncontattare", "listanera",
		"revocato",
		"descadastrado", "descadastrada", "naoinscrito", "recusado", "pendente", "naoconfirmado", "naocontatar", "naocontactar", "cancelouainscricao",
		"afgemeld", "uitgeschreven", "geblokkeerd", "geweigerd", "inafwachting", "nietbevestigd", "nietaangemeld", "nietbenaderen", "ingetrokken",
		"wypisany", "wypisana", "zablokowany", "zablokowana", "odrzucony", "oczekujacy", "oczekuje", "niepotwierdzony", "niezapisany",
		"niekontaktowac", "wycofana", "czarnalista",
		"aboneliktencikti", "aboneliktenayrildi", "engellendi", "engellenmis", "reddedildi",
		"beklemede", "onaylanmadi", "abonedegil", "izinsiz", "karaliste":
		return answerNo
	}
	return answerUnknown
}
