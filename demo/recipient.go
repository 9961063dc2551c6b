package demo

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// recipient is a customer of the shop; an empty text is unknown.
type recipient struct {
	externalID    string
	email         string
	phone         string
	firstName     string
	lastName      string
	isContactable bool
	sport         string
	country       string
	city          string
	tier          string
	language      string
	birthYear     int
	// birthday is month and day, such as 07-24.
	birthday      string
	customerSince time.Time
	postalAddress string
}

// hasEmail reports whether mail to the recipient may arrive.
func (p *recipient) hasEmail() bool {
	_, domain, _ := strings.Cut(p.email, "@")
	isKnown := func(d choice[string]) bool { return d.value == domain }
	return p.isContactable && slices.ContainsFunc(emailDomains, isKnown)
}

// Not every recipient can be reached; these shares of them give an analysis something to leave out.
const (
	shareWithoutEmail  = 0.04
	shareBadEmail      = 0.01
	shareSharedEmail   = 0.015 // two of a household with one address
	shareUncontactable = 0.03
	shareWithoutSport  = 0.02
	shareWithPhone     = 0.5
	shareWithPostal    = 0.4
)

var tiers = []choice[string]{{"bronze", 0.6}, {"silver", 0.28}, {"gold", 0.12}}

// emailDomains are reserved for examples: nobody gets mail there, even when the server sends for
// real.
var emailDomains = []choice[string]{
	{"example.com", 0.5}, {"example.org", 0.3}, {"example.net", 0.2},
}

// newRecipients makes the customers, the oldest first.
func newRecipients(r *rand.Rand, today time.Time) []recipient {
	recipients := make([]recipient, 0, recipientCount)
	namesakes := map[string]int{}
	phones := map[string]int{}
	for i := range recipientCount {
		home := draw(r, countries)
		city := one(r, home.cities)
		person := recipient{
			externalID:    fmt.Sprintf("C-%05d", i+1),
			firstName:     one(r, home.firstNames),
			lastName:      one(r, home.lastNames),
			isContactable: r.Float64() >= shareUncontactable,
			sport:         drawSport(r),
			country:       home.code,
			city:          city.name,
			tier:          draw(r, tiers),
			language:      home.language,
			birthYear:     birthYear(r, today),
			customerSince: customerSince(i, today),
		}
		person.email = email(r, &person, namesakes, recipients)
		if r.Float64() < shareWithPhone {
			person.phone = home.phone(phones[home.code])
			phones[home.code]++
		}
		if r.Float64() < shareWithPostal {
			person.postalAddress = fmt.Sprintf("%s %s, %s, %s", person.firstName, person.lastName,
				home.street(one(r, home.streets), 1+r.IntN(120)), home.town(city))
		}
		recipients = append(recipients, person)
	}
	return recipients
}

func drawSport(r *rand.Rand) string {
	if r.Float64() < shareWithoutSport {
		return ""
	}
	choices := make([]choice[string], len(sports))
	for i, s := range sports {
		choices[i] = choice[string]{s.name, s.share}
	}
	return draw(r, choices)
}

// birthYear makes adults, most of them around 40.
func birthYear(r *rand.Rand, today time.Time) int {
	const mean, spread, youngest, oldest = 41, 13, 18, 88
	age := mean + int(spread*r.NormFloat64())
	return today.Year() - min(max(age, youngest), oldest)
}

// drawBirthdays spreads the birthdays over the year.
func drawBirthdays(r *rand.Rand, recipients []recipient) {
	for i := range recipients {
		const days, someYear = 365, 2025
		recipients[i].birthday = time.Date(someYear, 1, 1+r.IntN(days), 0, 0, 0, 0,
			time.UTC).Format(birthdayLayout)
	}
}

const birthdayLayout = "01-02"

// birthdays returns the birthdays on so many days.
func birthdays(from time.Time, days int) []string {
	var all []string
	for i := range days {
		all = append(all, from.AddDate(0, 0, i).Format(birthdayLayout))
	}
	return all
}

// customerSince lets the shop grow over ten years: in twice the time it has won four times the
// customers.
func customerSince(i int, today time.Time) time.Time {
	const days = 10 * 365
	return today.AddDate(0, 0, int(days*math.Sqrt(float64(i)/recipientCount))-days)
}

// email makes an address, or what stands in a real file instead of one. namesakes counts the people
// of one name, who get different addresses; a shared address is one of the recipients before.
func email(r *rand.Rand, person *recipient, namesakes map[string]int, before []recipient) string {
	name := asciiName.Replace(strings.ToLower(person.firstName + "." + person.lastName))
	namesakes[name]++
	if n := namesakes[name]; n > 1 {
		name += strconv.Itoa(n)
	}
	domain := draw(r, emailDomains)
	chance := r.Float64()
	if chance -= shareWithoutEmail; chance < 0 {
		return ""
	}
	if chance -= shareBadEmail; chance < 0 {
		return one(r,
			[]string{name + "@", name + "." + domain, name + "@@" + domain, name + "@example"})
	}
	if chance -= shareSharedEmail; chance < 0 && len(before) > 0 {
		return one(r, before).email
	}
	return name + "@" + domain
}

// asciiName writes names the way people do in their addresses.
var asciiName = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "á", "a", "ç", "c",
	"é", "e", "è", "e",
	"ê", "e", "ë", "e", "í", "i", "î", "i", "ï", "i", "ı", "i", "ó", "o", "ş", "s", "ú", "u", "'",
	"", " ", "")

// writeRecipients writes the columns that the server knows, and others, which become attributes.
func writeRecipients(w io.Writer, recipients []recipient) error {
	header := []string{
		"externalId", "email", "phone", "firstName", "lastName", "isContactable",
		"sport", "country", "city", "tier", "language", "birthYear", "birthday", "customerSince",
		"postalAddress",
	}
	return writeCSV(w, header, recipients, func(p *recipient) []string {
		return []string{
			p.externalID, p.email, p.phone, p.firstName, p.lastName,
			strconv.FormatBool(p.isContactable),
			p.sport, p.country, p.city, p.tier, p.language, strconv.Itoa(p.birthYear), p.birthday,
			p.customerSince.Format(time.DateOnly), p.postalAddress,
		}
	})
}
