package demo

import "fmt"

// country is where recipients live, with the names that are common there.
type country struct {
	code       string
	language   string
	firstNames []string
	lastNames  []string
	streets    []string
	cities     []city
	// phones are the country's numbers for films and examples: nobody is behind them.
	phones []phoneRange
	// isNumberLast says that the number of a house follows the street, and the name of a town its
	// postal code.
	isNumberLast bool
}

type city struct {
	name       string
	postalCode string
}

// phoneRange is a number without its last digits, and how many digits those are.
type phoneRange struct {
	prefix string
	digits int
}

var countries = []choice[*country]{
	{&country{
		code:     "DE",
		language: "de",
		firstNames: []string{
			"Lena", "Jürgen", "Mia", "Paul", "Sophie", "Felix", "Anna", "Lukas", "Käthe", "Jonas", "Marie", "Björn",
			"Laura", "Emre", "Hannah", "Tim", "Ayşe", "Moritz", "Clara", "Sören",
		},
		lastNames: []string{
			"Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Yılmaz", "Wagner", "Becker", "Schulz", "Hoffmann",
			"Schäfer", "Koch", "Bauer", "Richter", "Klein", "Wolf", "Schröder", "Neumann", "Krüger", "Groß",
		},
		streets: []string{"Kastanienallee", "Am Stadion", "Gartenstraße", "Bahnhofstraße", "Lindenweg", "Schillerstraße"},
		cities:  []city{{"Berlin", "10435"}, {"Hamburg", "20357"}, {"München", "80469"}, {"Köln", "50674"}, {"Leipzig", "04229"}},
		phones: []phoneRange{
			{"+493023125", 3}, {"+494066969", 3}, {"+492214710", 3}, {"+498999998", 3}, {"+496990009", 3},
		},
		isNumberLast: true,
	}, 0.46},
	{&country{
		code:     "FR",
		language: "fr",
		firstNames: []string{
			"Camille", "Léa", "Hugo", "Zoé", "Louis", "Manon", "Jules", "Chloé", "Théo", "Inès",
			"Gaëlle", "Maxime", "Hélène", "François", "Aurélie", "Nathan", "Élodie", "Antoine", "Noémie", "Karim",
		},
		lastNames: []string{
			"Martin", "Bernard", "Dubois", "Thomas", "Robert", "Petit", "Durand", "Leroy", "Moreau", "Lefèvre",
			"Garnier", "Faure", "Mercier", "Blanc", "Benoît", "Chevalier", "Gauthier", "Perrin", "Barthélemy", "Nguyen",
		},
		streets: []string{"rue de la Gare", "avenue des Sports", "rue Victor Hugo", "place du Marché", "rue des Tilleuls"},
		cities:  []city{{"Paris", "75011"}, {"Lyon", "69007"}, {"Strasbourg", "67000"}, {"Nantes", "44000"}},
		phones:  []phoneRange{{"+3363998", 4}},
	}, 0.24},
	{&country{
		code:     "GB",
		language: "en",
		firstNames: []string{
			"Olivia", "George", "Amelia", "Harry", "Isla", "Oscar", "Ava", "Arthur", "Emily", "Mohammed",
			"Grace", "Callum", "Poppy", "Owen", "Priya", "Alfie", "Ruby", "Rhys", "Eleanor", "Fraser",
		},
		lastNames: []string{
			"Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Davies", "Evans", "Patel", "Wright",
			"Walker", "Hughes", "Green", "Clarke", "Campbell", "Edwards", "Khan", "Stewart", "Cooper", "Ward",
		},
		streets: []string{"High Street", "Station Road", "Mill Lane", "Church Street", "Victoria Road", "Stadium Way"},
		cities:  []city{{"London", "N1 9GU"}, {"Manchester", "M4 1HQ"}, {"Leeds", "LS1 6AG"}, {"Edinburgh", "EH6 5NA"}},
		phones: []phoneRange{
			{"+447700900", 3}, {"+441614960", 3}, {"+441134960", 3}, {"+441314960", 3}, {"+442079460", 3},
		},
	}, 0.18},
	{&country{
		code:     "IE",
		language: "en",
		firstNames: []string{
			"Aoife", "Conor", "Saoirse", "Cian", "Niamh", "Oisín", "Ciara", "Seán", "Róisín", "Darragh",
			"Caoimhe", "Patrick", "Sinéad", "Fionn", "Orla", "Eoin", "Clodagh", "Liam", "Aisling", "Tadhg",
		},
		lastNames: []string{
			"Murphy", "Kelly", "O'Sullivan", "Walsh", "O'Brien", "Byrne", "Ryan", "O'Connor", "Doyle", "McCarthy",
			"Gallagher", "Doherty", "Kennedy", "Lynch", "Murray", "Quinn", "Moore", "Daly", "Nolan", "Keane",
		},
		streets: []string{"Main Street", "Harbour Road", "Abbey Street", "Church Road", "Bridge Street"},
		cities:  []city{{"Dublin", "D08 X2A3"}, {"Cork", "T12 W8P4"}, {"Galway", "H91 E2K5"}},
		phones:  []phoneRange{{"+35320910", 4}},
	}, 0.12},
}

// phone returns the country's phone number with this rank from 0, different ones for different ranks. It
// is empty when the country has no more.
func (c *country) phone(rank int) string {
	for _, numbers := range c.phones {
		size := 1
		for range numbers.digits {
			size *= 10
		}
		if rank < size {
			// A step that shares no factor with a power of ten reaches every number once.
			const step = 617
			return fmt.Sprintf("%s%0*d", numbers.prefix, numbers.digits, rank*step%size)
		}
		rank -= size
	}
	return ""
}

func (c *country) street(name string, number int) string {
	if c.isNumberLast {
		return fmt.Sprintf("%s %d", name, number)
	}
	return fmt.Sprintf("%d %s", number, name)
}

func (c *country) town(town city) string {
	if c.code == "GB" || c.code == "IE" {
		return town.name + " " + town.postalCode
	}
	return town.postalCode + " " + town.name
}
