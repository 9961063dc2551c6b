package coupon

import (
	"strings"
	"time"
	"unicode"
)

// moment is a date and perhaps a time of day as somebody wrote them, of which it may not be known yet whether the first
// number is the day or the month.
//
//	moment = date [clock] [zone]
//	date   = year sep month sep day | number sep number sep year | yyyymmdd
//	       | day month-name year | month-name day year, with a weekday before it or not
//	sep    = "-" | "/" | ".", twice the same
//	clock  = ("T" | " " | ",") hour (":" | "." | "h") minute [… second [fraction]] [AM | PM]
//	zone   = "Z" | ["UTC" | "GMT"] ("+" | "-") hour [[":"] minute], then perhaps a name in brackets
//
// Case, invisible characters and the kind of a space make no difference. Years have four digits.
type moment struct {
	year, month, day int
	// first and second are the numbers that month and day are, in an order that is open while isOpen is set.
	first, second int
	isOpen        bool
	// sep is what stands between the numbers; 0 where the month is a name, or nothing stands between them.
	sep byte
	// isYearFirst: as in ISO 8601.
	isYearFirst bool
	hasClock    bool
	// clock is the time since midnight.
	clock time.Duration
	// zone is what the text says of it; nil: nothing.
	zone *time.Location
}

// maxMomentBytes is the length of the longest text that is looked at.
const maxMomentBytes = 100

// readMoment reads a text, and reports whether all of it is a moment.
func readMoment(text string) (m moment, isMoment bool) {
	if len(text) > maxMomentBytes {
		return m, false
	}
	s := momentScanner{text: momentText(text)}
	isMoment = s.date(&m) && s.rest(&m) && s.pos == len(s.text)
	return m, isMoment
}

// momentText returns a text in capitals, with plain spaces and hyphens and without what nobody sees.
func momentText(text string) string {
	return strings.Map(func(r rune) rune {
		if r = typed(r); unicode.IsSpace(r) {
			return ' '
		}
		return unicode.ToUpper(r)
	}, strings.TrimSpace(text))
}

type momentScanner struct {
	text string
	pos  int
}

// peek returns the next byte, or 0 at the end.
func (s *momentScanner) peek() byte {
	if s.pos == len(s.text) {
		return 0
	}
	return s.text[s.pos]
}

// skip reads over any of these bytes, and reports whether there was one.
func (s *momentScanner) skip(chars string) bool {
	begin := s.pos
	for s.pos < len(s.text) && strings.IndexByte(chars, s.text[s.pos]) >= 0 {
		s.pos++
	}
	return s.pos > begin
}

// take reads over a text, and reports whether it stands there.
func (s *momentScanner) take(text string) bool {
	if !strings.HasPrefix(s.text[s.pos:], text) {
		return false
	}
	s.pos += len(text)
	return true
}

// number reads digits, and gives how many there were. More than nine are no number.
func (s *momentScanner) number() (number, width int) {
	begin := s.pos
	for s.pos < len(s.text) && s.text[s.pos] >= '0' && s.text[s.pos] <= '9' {
		if s.pos-begin < 9 {
			number = 10*number + int(s.text[s.pos]-'0')
		}
		s.pos++
	}
	return number, s.pos - begin
}

// word reads letters.
func (s *momentScanner) word() string {
	rest := s.text[s.pos:]
	end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) })
	if end < 0 {
		end = len(rest)
	}
	s.pos += end
	return rest[:end]
}

func (s *momentScanner) date(m *moment) bool {
	begin := s.pos
	number, width := s.number()
	switch {
	case width == 0:
		return s.namedDate(m)
	case width == 8:
		m.year, m.month, m.day, m.isYearFirst = number/10_000, number/100%100, number%100, true
		return true
	case width == 14:
		return s.compact(m, begin)
	case width == 4:
		return s.yearFirst(m, number)
	case width > 2:
		return false
	}
	sep := s.peek()
	next := s.pos + 1
	if strings.IndexByte("-/.", sep) < 0 || sep == 0 || next >= len(s.text) || s.text[next] < '0' || s.text[next] > '9' {
		return s.dayAndName(m, number)
	}
	s.pos++
	second, width := s.number()
	if width == 0 || width > 2 || s.peek() != sep {
		return false
	}
	s.pos++
	year, width := s.number()
	m.first, m.second, m.year, m.sep, m.isOpen = number, second, year, sep, true
	return width == 4
}

// compact reads the 14 digits of a date and a time.
func (s *momentScanner) compact(m *moment, begin int) bool {
	two := func(i int) int { return int(s.text[begin+i]-'0')*10 + int(s.text[begin+i+1]-'0') }
	m.year = two(0)*100 + two(2)
	m.month, m.day, m.isYearFirst = two(4), two(6), true
	return m.setClock(two(8), two(10), two(12), 0)
}

func (s *momentScanner) yearFirst(m *moment, year int) bool {
	m.year, m.isYearFirst, m.sep = year, true, s.peek()
	if !s.take("-") && !s.take("/") && !s.take(".") {
		return false
	}
	var width int
	if m.month, width = s.number(); width == 0 || width > 2 || s.peek() != m.sep {
		return false
	}
	s.pos++
	m.day, width = s.number()
	return width == 1 || width == 2
}

// namedDate reads a date that begins with the name of its month, or with a weekday.
func (s *momentScanner) namedDate(m *moment) bool {
	name := s.word()
	if name == "" {
		return false
	}
	if m.month = monthOf(name); m.month == 0 {
		if !isWeekday(name) || !s.skip("., ") {
			return false
		}
		if s.peek() < '0' || s.peek() > '9' {
			if m.month = monthOf(s.word()); m.month == 0 {
				return false
			}
		}
	}
	if m.month == 0 {
		return s.date(m)
	}
	s.skip(". ")
	day, width := s.number()
	if width == 0 || width > 2 {
		return false
	}
	if !s.take("ST") && !s.take("ND") && !s.take("RD") {
		s.take("TH")
	}
	s.skip(", ")
	m.day = day
	m.year, width = s.number()
	return width == 4
}

// dayAndName reads the rest of a date whose day was read and whose month is a name.
func (s *momentScanner) dayAndName(m *moment, day int) bool {
	m.day = day
	s.skip(".-/ ")
	if s.take("DE ") || s.take("OF ") {
		s.skip(" ")
	}
	if m.month = monthOf(s.word()); m.month == 0 {
		return false
	}
	s.skip(".-/, ")
	if s.take("DE ") {
		s.skip(" ")
	}
	var width int
	m.year, width = s.number()
	return width == 4
}

// rest reads the time of day and the zone.
func (s *momentScanner) rest(m *moment) bool {
	if m.hasClock {
		return s.zone(m)
	}
	begin := s.pos
	hasT := s.take("T")
	isApart := hasT || s.skip(", ")
	if s.pos == len(s.text) {
		return !hasT
	}
	if isApart && s.peek() >= '0' && s.peek() <= '9' {
		return s.clock(m, hasT) && s.zone(m)
	}
	s.pos = begin
	// A date can have a zone in XML: Z, or hours and minutes.
	return s.peek() != ' ' && !hasT && s.zone(m)
}

func (s *momentScanner) clock(m *moment, hasT bool) bool {
	begin := s.pos
	hour, width := s.number()
	if hasT && (width == 4 || width == 6) { // ISO 8601 without colons.
		second := 0
		if width == 6 {
			hour, second = hour/100, hour%100
		}
		return m.setClock(hour/100, hour%100, second, 0)
	}
	if width > 2 {
		return false
	}
	minute, second := 0, 0
	var fraction time.Duration
	sep := s.peek()
	hasMinutes := s.pos > begin && (sep == ':' || sep == '.' || sep == 'H') && s.pos+1 < len(s.text)
	if hasMinutes {
		s.pos++
		if minute, width = s.number(); width != 2 {
			return false
		}
		if sep != 'H' && s.peek() == sep {
			s.pos++
			if second, width = s.number(); width != 2 {
				return false
			}
			if sep == ':' && (s.take(".") || s.take(",")) {
				var isFraction bool
				if fraction, isFraction = s.fraction(); !isFraction {
					return false
				}
			}
		}
	}
	hour, isHour := hourOf(hour, s.half(), hasMinutes)
	return isHour && m.setClock(hour, minute, second, fraction)
}

// hourOf returns the hour of a day by that of a half ('A', 'P', or 0 for none).
func hourOf(hour int, half byte, hasMinutes bool) (of int, isHour bool) {
	switch {
	case half == 0 && !hasMinutes, half != 0 && (hour < 1 || hour > 12):
		return 0, false
	case half == 'A' && hour == 12:
		return 0, true
	case half == 'P' && hour < 12:
		return hour + 12, true
	}
	return hour, true
}

// fraction reads the digits of a part of a second. What is below a nanosecond is cut off.
func (s *momentScanner) fraction() (part time.Duration, isFraction bool) {
	unit := time.Second
	begin := s.pos
	for ; s.pos < len(s.text) && s.text[s.pos] >= '0' && s.text[s.pos] <= '9'; s.pos++ {
		unit /= 10
		part += unit * time.Duration(s.text[s.pos]-'0')
	}
	return part, s.pos > begin
}

// half reads AM or PM: 'A', 'P' or 0. A German "Uhr" is read over.
func (s *momentScanner) half() byte {
	begin := s.pos
	s.skip(" ")
	for _, word := range []string{"AM", "A.M.", "PM", "P.M.", "UHR"} {
		if s.take(word) {
			if word == "UHR" {
				return 0
			}
			return word[0]
		}
	}
	s.pos = begin
	return 0
}

func (m *moment) setClock(hour, minute, second int, fraction time.Duration) bool {
	m.hasClock = true
	m.clock = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + fraction
	return hour < 24 && minute < 60 && second < 60
}

// zone reads what may follow a time.
func (s *momentScanner) zone(m *moment) bool {
	s.skip(" ")
	if s.pos == len(s.text) {
		return true
	}
	isNamed := s.take("UTC") || s.take("GMT")
	switch {
	case !isNamed && s.take("Z"):
		m.zone = time.UTC
	case s.peek() == '+' || s.peek() == '-':
		if !s.offset(m) {
			return false
		}
	case isNamed:
		m.zone = time.UTC
	default:
		return false
	}
	// Some name the zone as well: (CET), [Europe/Berlin].
	s.skip(" ")
	rest := s.text[s.pos:]
	if len(rest) > 2 && (rest[0] == '(' && strings.IndexByte(rest, ')') == len(rest)-1 || rest[0] == '[' && strings.IndexByte(rest, ']') == len(rest)-1) {
		s.pos = len(s.text)
	}
	return true
}

func (s *momentScanner) offset(m *moment) bool {
	sign := 1
	if s.peek() == '-' {
		sign = -1
	}
	s.pos++
	hours, width := s.number()
	minutes := 0
	switch {
	case width == 4:
		hours, minutes = hours/100, hours%100
	case width == 0 || width > 2:
		return false
	case s.take(":"):
		if minutes, width = s.number(); width != 2 {
			return false
		}
	}
	m.zone = time.FixedZone("", sign*(hours*60+minutes)*60)
	return hours < 24 && minutes < 60
}

// midnight returns the day in UTC, or reports that there is none.
func (m *moment) midnight() (day time.Time, exists bool) {
	day = time.Date(m.year, time.Month(m.month), m.day, 0, 0, 0, 0, time.UTC)
	return day, m.month >= 1 && m.month <= 12 && day.Day() == m.day && day.Month() == time.Month(m.month)
}

// instant returns the instant of a moment whose day is known, in a zone unless it says its own; a date alone is the beginning
// of the day that comes days later.
func (m *moment) instant(zone *time.Location, days int) (at time.Time, exists bool) {
	day, exists := m.midnight()
	if m.zone != nil {
		zone = m.zone
	}
	if !m.hasClock {
		return startOfDay(day.AddDate(0, 0, days), zone), exists
	}
	clock := m.clock
	return time.Date(
		m.year, time.Month(m.month), m.day, int(clock/time.Hour), int(clock/time.Minute%60), int(clock/time.Second%60), int(clock%time.Second), zone,
	), exists
}

// monthOf returns the number of a month by its name, or 0: in English, German, French, Spanish, Italian, Portuguese, Dutch,
// Polish and Turkish, whole or as it is abbreviated.
func monthOf(name string) int {
	switch plain(name) {
	case "jan",
		"january",
		"januar",
		"janner",
		"janv",
		"janvier",
		"enero",
		"ene",
		"gennaio",
		"gen",
		"janeiro",
		"januari",
		"stycznia",
		"styczen",
		"sty",
		"ocak",
		"oca":
		return 1
	case "feb", "february", "februar", "fevr", "fev", "fevrier", "febrero", "febbraio", "fevereiro", "februari", "lutego", "luty", "lut", "subat", "sub":
		return 2
	case "mar", "march", "marz", "mrz", "maerz", "mars", "marzo", "marco", "maart", "mrt", "marca", "marzec", "mart":
		return 3
	case "apr", "april", "avr", "avril", "abril", "abr", "aprile", "kwietnia", "kwiecien", "kwi", "nisan", "nis":
		return 4
	case "may", "mai", "mayo", "maggio", "mag", "maio", "mei", "maja", "maj", "mayis":
		return 5
	case "jun", "june", "juni", "juin", "junio", "giugno", "giu", "junho", "czerwca", "czerwiec", "cze", "haziran", "haz":
		return 6
	case "jul", "july", "juli", "juil", "juillet", "julio", "luglio", "lug", "julho", "lipca", "lipiec", "lip", "temmuz", "tem":
		return 7
	case "aug", "august", "aout", "agosto", "ago", "augustus", "sierpnia", "sierpien", "sie", "agustos", "agu":
		return 8
	case "sep", "sept", "september", "septembre", "septiembre", "settembre", "set", "setembro", "wrzesnia", "wrzesien", "wrz", "eylul", "eyl":
		return 9
	case "oct", "october", "okt", "oktober", "octobre", "octubre", "ottobre", "ott", "outubro", "out", "pazdziernika", "pazdziernik", "paz", "ekim", "eki":
		return 10
	case "nov", "november", "novembre", "noviembre", "novembro", "listopada", "listopad", "lis", "kasim", "kas":
		return 11
	case "dec", "december", "dez", "dezember", "decembre", "diciembre", "dic", "dicembre", "dezembro", "grudnia", "grudzien", "gru", "aralik", "ara":
		return 12
	}
	return 0
}

// isWeekday tells the English weekdays that programs put before a date.
func isWeekday(name string) bool {
	switch name {
	case "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY":
		return true
	}
	return false
}
