package file

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"couponql/coupon"
)

// warningsOf returns the kinds of warnings with what they are about.
func warningsOf(layout *Layout) []string {
	var warnings []string
	for _, w := range layout.Warnings {
		warnings = append(warnings, string(w.Kind)+" "+w.Value)
	}
	return warnings
}

func TestFirstRows(t *testing.T) {
	t.Parallel()
	const guessed, odd = "GUESSED_HEADER ", "ODD_FIRST_ROW "
	tests := map[string]struct {
		kind     coupon.ImportKind
		options  coupon.FileOptions
		content  string
		want     []string
		warnings []string
		noHeader bool
	}{
		"a word of another language": {
			content: "Gutscheincode\nAB12\nCD34\n", want: []string{"2: AB12", "3: CD34"},
		},
		"with an accent and a BOM": {
			content: "\uFEFFCódigo\nAB12\n", want: []string{"2: AB12"},
		},
		"decomposed accents": {
			content: "Co\u0301digo de cupo\u0301n\nAB12\n", want: []string{"2: AB12"},
		},
		"punctuation": {
			content: "\"Gutschein-Nr.:\"\nAB12\n", want: []string{"2: AB12"},
		},
		"a header alone": {content: "Rabattcode\n"},
		"a known word that looks like codes": {
			content: "BON\nSUN\nSKY\n", want: []string{"2: SUN", "3: SKY"},
			warnings: []string{guessed + "BON"},
		},

		"unknown, lower case": {
			content: "Aktionskürzel\nAB12\nCD34\n", want: []string{"2: AB12", "3: CD34"},
			warnings: []string{guessed + "Aktionskürzel"},
		},
		"unknown, spaces": {
			content: "SECRET WORD\nALPHA\nBETA\n", want: []string{"2: ALPHA", "3: BETA"},
			warnings: []string{guessed + "SECRET WORD"},
		},
		"unknown, capitals and codes of one length": {
			content:  "RABATTKOD\nA1B2C3\nD4E5F6\nG7H8I9\n",
			want:     []string{"2: A1B2C3", "3: D4E5F6", "4: G7H8I9"},
			warnings: []string{guessed + "RABATTKOD"},
		},
		"unknown, that is denied": {
			content: "Aktionskürzel\nAB12\n", options: coupon.FileOptions{HasHeader: new(false)},
			noHeader: true,
			want:     []string{"1: Aktionskürzel", "2: AB12"},
		},
		"unknown, that is said": {
			content: "SEASON\nSUMMER\n", options: coupon.FileOptions{HasHeader: new(true)},
			want: []string{"2: SUMMER"},
		},
		"said of a known word": {
			content: "code\nSUMMER\n", options: coupon.FileOptions{HasHeader: new(true)},
			want: []string{"2: SUMMER"},
		},
		"a code that looks unlike": {
			content: "WELCOME\nSAVE10\nGIFT5\n", noHeader: true,
			warnings: []string{odd + "WELCOME"},
			want:     []string{"1: WELCOME", "2: SAVE10", "3: GIFT5"},
		},
		"a code of another length": {
			content: "A1B2C3D4\nA1B2C3\nD4E5F6\nG7H8I9\n", noHeader: true,
			warnings: []string{odd + "A1B2C3D4"},
			want:     []string{"1: A1B2C3D4", "2: A1B2C3", "3: D4E5F6", "4: G7H8I9"},
		},
		"codes that are words": {
			content: "summer\nautumn\nwinter\n", noHeader: true,
			want: []string{"1: summer", "2: autumn", "3: winter"},
		},
		"codes alike": {
			content: "A1\nB2\nC3\n", noHeader: true, want: []string{"1: A1", "2: B2", "3: C3"},
		},
		"one code": {content: "SUMMER\n", noHeader: true, want: []string{"1: SUMMER"}},

		"targets": {
			kind:     coupon.ImportTargets,
			content:  "Kundenkennziffer\n42\n43\n",
			want:     []string{"2: 42", "3: 43"},
			warnings: []string{guessed + "Kundenkennziffer"},
		},
		"targets, a word": {
			kind: coupon.ImportTargets, content: "Kundennummer\n42\n", want: []string{"2: 42"},
		},
		"recipients": {
			kind:     coupon.ImportRecipients,
			content:  "Stammnr\n42\n43\n",
			want:     []string{"2: 42", "3: 43"},
			warnings: []string{guessed + "Stammnr"},
		},
		"bounces": {
			kind:     coupon.ImportBounces,
			content:  "Adressat\na@example.com\nb@example.com\n",
			want:     []string{"2: a@example.com", "3: b@example.com"},
			warnings: []string{guessed + "Adressat"},
		},
		"bounces, a value": {
			kind:     coupon.ImportBounces,
			content:  "a@example.com\nb@example.com\n",
			noHeader: true,
			want:     []string{"1: a@example.com", "2: b@example.com"},
		},

		"a label that is a word for codes": {
			content: "A1,Coupon\nB2,Coupon\n", options: coupon.FileOptions{HasHeader: new(false)},
			noHeader: true,
			want:     []string{"1: A1|Coupon", "2: B2|Coupon"},
		},
		"a reference that is a word": {
			kind: coupon.ImportRedemptions, content: "A1,2026-11-24,order\nB2,2026-11-25,x\n",
			noHeader: true,
			want:     []string{"1: A1|2026-11-24|order", "2: B2|2026-11-25|x"},
		},
		"a name that comes again": {
			kind: coupon.ImportRecipients, content: "1,a@example.com,tel\n2,b@example.com,tel\n",
			noHeader: true,
			want:     []string{"1: 1|a@example.com|tel", "2: 2|b@example.com|tel"},
		},
		"German recipients": {
			kind: coupon.ImportRecipients, content: "Kundennummer;Vorname;Nachname;E-Mail-Adresse;Telefon;Ort\n7;Jo;Ek;jo@example.com;0171;Ulm\n",
			want: []string{"2: 7|jo@example.com|0171|Jo|Ek Ort=Ulm"},
		},
		"Polish redemptions": {
			kind: coupon.ImportRedemptions, content: "Kod rabatowy\tData użycia\tNumer zamówienia\tKwota\tWaluta\nA1\t2026-11-24\t9\t5.00\tPLN\n",
			want: []string{"2: A1|2026-11-24|9|5.00|PLN"},
		},
		"German redemptions with a till": {
			kind: coupon.ImportRedemptions, content: "Gutscheincode;Eingelöst am;Filiale;Kasse;Kundennummer\nA1;2026-11-24;Köln;4;k-1\n",
			want:     []string{"2: A1|2026-11-24||||Köln|k-1"},
			warnings: []string{"IGNORED_COLUMN Kasse"},
		},
		"a file without a header has no customers": {
			kind:    coupon.ImportRedemptions,
			content: "A1,2026-11-24,9,5.00,PLN,x,y\nB2,2026-11-25,8,5.00,PLN,x,z\n", noHeader: true,
			want:     []string{"1: A1|2026-11-24|9|5.00|PLN", "2: B2|2026-11-25|8|5.00|PLN"},
			warnings: []string{"IGNORED_COLUMN column6"},
		},
		"two words for one field": {
			kind: coupon.ImportRecipients, content: "Kundennummer,Telefon,Handy\n7,030,0171\n",
			want: []string{"2: 7||0171 Telefon=030"}, warnings: []string{"GUESSED_COLUMN Telefon"},
		},
		"an alias and a word": {
			kind:     coupon.ImportRecipients,
			content:  "Kundennummer,ID\n7,8\n",
			want:     []string{"2: 8 Kundennummer=7"},
			warnings: []string{"GUESSED_COLUMN Kundennummer"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.kind == "" {
				test.kind = coupon.ImportCodes
			}
			layout, got := readAll(t, write(t, []byte(test.content)), test.options, test.kind)
			// What the file lacks before its last field is of no interest here.
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], "-|", "|")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.warnings, warningsOf(&layout)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			if layout.HasHeader == test.noHeader {
				t.Errorf("got HasHeader %t", layout.HasHeader)
			}
		})
	}
}

// codesOfCoupons stands for the columns of CodeColumnsOfCoupons.
const codesOfCoupons coupon.ImportKind = "CODES of coupons"

// TestVocabulary looks for fields that a language has no word for, and for words that could be two
// fields of one kind.
func TestVocabulary(t *testing.T) {
	t.Parallel()
	kinds := []coupon.ImportKind{
		coupon.ImportCodes, coupon.ImportRecipients, coupon.ImportRedemptions, coupon.ImportTargets,
		coupon.ImportBounces,
		coupon.ImportCoupons, codesOfCoupons,
	}
	vocabulary := Vocabulary()
	for _, kind := range kinds {
		owners := make(map[string]string)
		columns := Columns(kind)
		if kind == codesOfCoupons {
			columns = CodeColumnsOfCoupons()
		}
		for _, column := range columns {
			for _, language := range Languages() {
				isIn := slices.ContainsFunc(vocabulary,
					func(w Words) bool { return w.Field == column.Name && w.Language == language })
				// The source is written by exports of the server alone, in English.
				if !isIn && language != "en" && column.Name != "source" {
					t.Errorf("%s has no word in %q", column.Name, language)
				}
			}
			for _, word := range column.Words {
				if owner := owners[word]; owner != "" {
					t.Errorf("%s: %q could be %s and %s", kind, word, owner, column.Name)
				}
				owners[word] = column.Name
				if normal(word) != word || word == "" {
					t.Errorf("%q is not in its normal form", word)
				}
			}
		}
	}
	for _, words := range vocabulary {
		if !slices.Contains(Languages(), words.Language) {
			t.Errorf("%q is no language", words.Language)
		}
	}
}

func TestNormal(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"E-Mail": "email", "Prénom": "prenom", "Pre\u0301nom": "prenom", "N° client": "nclient",
		"nº cliente": "nocliente", "İSİM": "isim", "Adı": "adi",
		"Imię": "imie", "Przesyłka": "przesylka", "GRÖẞE": "grosse", "Straße": "strasse",
		" _-. ": "", "コード": "コート", "Ｃｏｄｅ": "code",
	}
	for name, want := range tests {
		if got := normal(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
		if want != "" && !isNormal(name, want) {
			t.Errorf("%q is not found to be %q", name, want)
		}
	}
	if isNormal("CODE-1", "code") || isNormal("cod", "code") || isNormal("", "code") {
		t.Error("another value is taken for the name")
	}
}
