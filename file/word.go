package file

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Languages are those whose words for columns are known, by their codes in ISO 639.
func Languages() []string { return []string{"en", "de", "fr", "es", "it", "pt", "nl", "pl", "tr"} }

// Words are what the files of one language call a field.
type Words struct {
	Field    string
	Language string
	// Words are separated by commas. The one that says best what is meant comes first.
	Words string
}

// Vocabulary has the words for columns in all languages, beside the name of the field and the aliases of the kind of
// import. Words that could be meant otherwise are left out: a wrong guess is worse than a question.
func Vocabulary() []Words {
	return []Words{
		{"code", "en", "voucher number, coupon number, promotion code, promotional code, discount code, gift code, codes, coupons, vouchers, coupon codes, " +
			"voucher codes, promo codes, discount codes, unique codes"},
		{"code", "de", "Gutscheincode, Gutschein, Gutscheinnummer, Gutschein-Nr., Gutscheincodes, Gutscheine, Rabattcode, Rabattcodes, Aktionscode, " +
			"Promocode, Couponcode, Couponnummer, Vouchercode, Vorteilscode, Einlösecode, Kupon, Kuponcode"},
		{"code", "fr", "code promo, codes promo, code promotionnel, code de réduction, code réduction, code du coupon, code coupon, numéro de coupon, " +
			"bon de réduction, bon d'achat, code du bon, code avantage, code cadeau, code de bon"},
		{"code", "es", "código, códigos, código de cupón, código del cupón, cupón, cupones, código promocional, código de descuento, código descuento, " +
			"código de vale, vale, código promo"},
		{
			"code",
			"it",
			"codice, codici, codice coupon, codice del coupon, codice sconto, codice promozionale, codice promo, codice buono, buono, buoni, buono sconto",
		},
		{"code", "pt", "código, códigos, código do cupom, código de cupom, cupom, cupons, código do cupão, cupão, cupões, código promocional, " +
			"código de desconto, código do vale, vale"},
		{
			"code",
			"nl",
			"kortingscode, kortingscodes, couponcode, vouchercode, actiecode, promotiecode, cadeaucode, boncode, kortingsbon, tegoedbon, waardebon, bon",
		},
		{
			"code",
			"pl",
			"kod, kody, kod kuponu, kupon, kupony, numer kuponu, kod rabatowy, kody rabatowe, kod promocyjny, kod zniżkowy, kod bonu, bon, kod vouchera",
		},
		{"code", "tr", "kod, kodlar, kupon kodu, kupon, kuponlar, kupon numarası, indirim kodu, promosyon kodu, hediye kodu, çek kodu, hediye çeki"},

		{"label", "de", "Etikett, Bezeichnung, Gruppe, Kategorie"},
		{"label", "fr", "étiquette, libellé, groupe, catégorie, nom"},
		{"label", "es", "etiqueta, grupo, categoría, nombre"},
		{"label", "it", "etichetta, gruppo, categoria, nome"},
		{"label", "pt", "etiqueta, rótulo, grupo, categoria, nome"},
		{"label", "nl", "etiket, groep, categorie, naam"},
		{"label", "pl", "etykieta, grupa, kategoria, nazwa"},
		{"label", "tr", "etiket, grup, kategori, ad"},

		{"coupon", "de", "Aktion, Kampagne, Gutscheinaktion, Couponaktion"},
		{"coupon", "fr", "campagne, offre, opération"},
		{"coupon", "es", "campaña, promoción, oferta"},
		{"coupon", "it", "campagna, promozione, offerta"},
		{"coupon", "pt", "campanha, promoção, oferta"},
		{"coupon", "nl", "campagne, actie, aanbieding"},
		{"coupon", "pl", "kampania, promocja, oferta"},
		{"coupon", "tr", "kampanya, promosyon, teklif"},

		{"type", "de", "Typ, Art, Gutscheinart"},
		{"type", "fr", "type, genre"},
		{"type", "es", "tipo"},
		{"type", "it", "tipo"},
		{"type", "pt", "tipo"},
		{"type", "nl", "soort, type"},
		{"type", "pl", "typ, rodzaj"},
		{"type", "tr", "tür, tip"},

		{"startsAt", "de", "gültig ab, gültig von, Beginn, Start, Startdatum, von"},
		{"startsAt", "fr", "valable à partir du, début, date de début, valide à partir du"},
		{"startsAt", "es", "válido desde, inicio, fecha de inicio, desde"},
		{"startsAt", "it", "valido dal, inizio, data di inizio, dal"},
		{"startsAt", "pt", "válido a partir de, início, data de início, de"},
		{"startsAt", "nl", "geldig vanaf, begin, startdatum, vanaf"},
		{"startsAt", "pl", "ważny od, początek, data rozpoczęcia, od"},
		{"startsAt", "tr", "geçerlilik başlangıcı, başlangıç, başlangıç tarihi"},

		{"endsAt", "de", "gültig bis, Ende, Enddatum, Ablaufdatum, bis"},
		{"endsAt", "fr", "valable jusqu'au, fin, date de fin, date d'expiration"},
		{"endsAt", "es", "válido hasta, fin, fecha de fin, fecha de caducidad, hasta"},
		{"endsAt", "it", "valido fino al, fine, data di fine, data di scadenza, scadenza"},
		{"endsAt", "pt", "válido até, fim, data de fim, data de validade, até"},
		{"endsAt", "nl", "geldig tot, einde, einddatum, vervaldatum, tot"},
		{"endsAt", "pl", "ważny do, koniec, data zakończenia, data ważności, do"},
		{"endsAt", "tr", "geçerlilik sonu, bitiş, bitiş tarihi, son kullanma tarihi"},

		{"redemptionLimit", "de", "Einlöselimit, Einlösungen je Code, Einlösegrenze"},
		{"redemptionLimit", "fr", "limite d'utilisation, utilisations par code"},
		{"redemptionLimit", "es", "límite de canjes, límite de uso, usos por código"},
		{"redemptionLimit", "it", "limite di utilizzo, utilizzi per codice"},
		{"redemptionLimit", "pt", "limite de uso, limite de resgates, usos por código"},
		{"redemptionLimit", "nl", "inwissellimiet, gebruikslimiet"},
		{"redemptionLimit", "pl", "limit użyć, limit realizacji"},
		{"redemptionLimit", "tr", "kullanım sınırı, kullanım limiti"},

		{"requiresAssignment", "de", "nur zugewiesen, Zuweisung nötig"},
		{"requiresAssignment", "fr", "attribution requise"},
		{"requiresAssignment", "es", "requiere asignación"},
		{"requiresAssignment", "it", "richiede assegnazione"},
		{"requiresAssignment", "pt", "requer atribuição"},
		{"requiresAssignment", "nl", "toewijzing vereist"},
		{"requiresAssignment", "pl", "wymaga przypisania"},
		{"requiresAssignment", "tr", "atama gerekir"},

		{"lowStockThreshold", "de", "Mindestbestand, Meldebestand"},
		{"lowStockThreshold", "fr", "seuil de stock, stock minimum"},
		{"lowStockThreshold", "es", "stock mínimo, umbral de stock"},
		{"lowStockThreshold", "it", "scorta minima, soglia di scorta"},
		{"lowStockThreshold", "pt", "estoque mínimo, stock mínimo"},
		{"lowStockThreshold", "nl", "minimumvoorraad"},
		{"lowStockThreshold", "pl", "minimalny zapas"},
		{"lowStockThreshold", "tr", "asgari stok"},

		{"lowStockShare", "de", "Mindestanteil"},
		{"lowStockShare", "fr", "part minimum"},
		{"lowStockShare", "es", "proporción mínima"},
		{"lowStockShare", "it", "quota minima"},
		{"lowStockShare", "pt", "proporção mínima"},
		{"lowStockShare", "nl", "minimumaandeel"},
		{"lowStockShare", "pl", "minimalny udział"},
		{"lowStockShare", "tr", "asgari oran"},

		{"timezone", "de", "Zeitzone"},
		{"timezone", "fr", "fuseau horaire"},
		{"timezone", "es", "zona horaria, huso horario"},
		{"timezone", "it", "fuso orario"},
		{"timezone", "pt", "fuso horário"},
		{"timezone", "nl", "tijdzone"},
		{"timezone", "pl", "strefa czasowa"},
		{"timezone", "tr", "saat dilimi, zaman dilimi"},

		{"metadata", "de", "Metadaten, Notizen"},
		{"metadata", "fr", "métadonnées"},
		{"metadata", "es", "metadatos"},
		{"metadata", "it", "metadati"},
		{"metadata", "pt", "metadados"},
		{"metadata", "nl", "metadata, notities"},
		{"metadata", "pl", "metadane"},
		{"metadata", "tr", "üst veri, meta veri"},

		{"isArchived", "de", "archiviert"},
		{"isArchived", "fr", "archivé"},
		{"isArchived", "es", "archivado"},
		{"isArchived", "it", "archiviato"},
		{"isArchived", "pt", "arquivado"},
		{"isArchived", "nl", "gearchiveerd"},
		{"isArchived", "pl", "zarchiwizowany"},
		{"isArchived", "tr", "arşivlendi"},

		{"attributes", "de", "Attribute"},
		{"attributes", "fr", "attributs"},
		{"attributes", "es", "atributos"},
		{"attributes", "it", "attributi"},
		{"attributes", "pt", "atributos"},
		{"attributes", "nl", "attributen"},
		{"attributes", "pl", "atrybuty"},
		{"attributes", "tr", "öznitelikler"},

		{"externalId", "en", "customer number, customer no., client id, contact id, subscriber id, member number, membership number"},
		{"externalId", "de", "Kundennummer, Kunden-Nr., Kd.-Nr., Kunden-ID, Kundenkennung, Mitgliedsnummer, Mitglieds-Nr., Mitglieds-ID, Empfänger-ID, " +
			"Empfängernummer, Benutzer-ID, Nutzer-ID, Kontakt-ID, externe ID, Debitorennummer"},
		{
			"externalId",
			"fr",
			"numéro de client, numéro client, n° client, no client, identifiant client, identifiant, ID client, code client, référence client, " +
				"identifiant externe, ID externe, numéro de membre, numéro d'adhérent, n° d'adhérent",
		},
		{"externalId", "es", "número de cliente, nº de cliente, nº cliente, ID de cliente, ID del cliente, ID cliente, código de cliente, código cliente, " +
			"identificador, identificador de cliente, identificador externo, ID externo, ID de usuario, número de socio, nº de socio"},
		{
			"externalId",
			"it",
			"codice cliente, numero cliente, n° cliente, ID cliente, identificativo cliente, identificativo, ID esterno, ID utente, codice utente, " +
				"numero socio, numero tessera",
		},
		{
			"externalId",
			"pt",
			"número do cliente, número de cliente, nº do cliente, nº de cliente, ID do cliente, ID cliente, código do cliente, código de cliente, " +
				"identificador, ID externo, ID do usuário, ID do utilizador, número de sócio",
		},
		{
			"externalId",
			"nl",
			"klantnummer, klantnr., klant-ID, klantcode, relatienummer, lidnummer, lidnr., ontvanger-ID, gebruikers-ID, contact-ID, externe ID",
		},
		{"externalId", "pl", "numer klienta, nr klienta, ID klienta, identyfikator klienta, identyfikator, kod klienta, numer członka, ID użytkownika, " +
			"ID odbiorcy, ID zewnętrzne, zewnętrzne ID"},
		{
			"externalId",
			"tr",
			"müşteri numarası, müşteri no, müşteri ID, müşteri kodu, üye numarası, üye no, üye ID, kullanıcı ID, alıcı ID, harici kimlik, kimlik",
		},

		{"email", "de", "E-Mail-Adresse, Mailadresse, elektronische Adresse"},
		{"email", "fr", "adresse e-mail, adresse mail, courriel, adresse courriel, adresse électronique, adresse de messagerie, mél"},
		{"email", "es", "correo electrónico, dirección de correo electrónico, dirección de correo, dirección de e-mail, dirección e-mail, correo"},
		{"email", "it", "indirizzo e-mail, posta elettronica, indirizzo di posta elettronica, indirizzo mail"},
		{"email", "pt", "endereço de e-mail, endereço e-mail, correio eletrónico, endereço de correio eletrónico, correio electrónico, endereço eletrónico"},
		{"email", "nl", "e-mailadres, mailadres"},
		{"email", "pl", "adres e-mail, adres mail, poczta elektroniczna, adres poczty elektronicznej, mejl"},
		{"email", "tr", "e-posta, e-posta adresi, elektronik posta, e-mail adresi, mail adresi"},

		{"phone", "en", "mobile number, cell phone, cell phone number, cell number, cell, telephone number"},
		{
			"phone",
			"de",
			"Mobilnummer, Mobilfunknummer, Mobiltelefon, Mobilfunk, Mobil, Handynummer, Handy-Nr., Handy, Telefonnummer, Telefon-Nr., Tel.-Nr., Telefon, Rufnummer",
		},
		{
			"phone",
			"fr",
			"numéro de portable, téléphone portable, portable, téléphone mobile, numéro de mobile, numéro de téléphone, n° de téléphone, téléphone, tél",
		},
		{"phone", "es", "móvil, teléfono móvil, número de móvil, celular, teléfono celular, número de celular, número de teléfono, nº de teléfono, teléfono"},
		{"phone", "it", "cellulare, numero di cellulare, telefono cellulare, numero di telefono, n° di telefono, telefono"},
		{"phone", "pt", "telemóvel, número de telemóvel, celular, número de celular, telefone celular, número de telefone, telefone"},
		{"phone", "nl", "mobiel, mobiel nummer, mobiele telefoon, gsm, gsm-nummer, telefoonnummer, telefoon"},
		{
			"phone",
			"pl",
			"telefon komórkowy, numer telefonu komórkowego, komórka, numer komórki, numer komórkowy, numer telefonu, nr telefonu, nr tel., telefon",
		},
		{"phone", "tr", "cep telefonu, cep telefonu numarası, cep numarası, cep no, cep, gsm, gsm no, mobil, telefon numarası, telefon no, telefon"},

		{"firstName", "de", "Vorname, Rufname"},
		{"firstName", "fr", "prénom"},
		{"firstName", "es", "nombre, nombre de pila, primer nombre"},
		{"firstName", "it", "nome, nome di battesimo"},
		{"firstName", "pt", "primeiro nome, nome próprio, nome"},
		{"firstName", "nl", "voornaam, roepnaam"},
		{"firstName", "pl", "imię"},
		{"firstName", "tr", "ad, adı, isim"},

		{"lastName", "de", "Nachname, Familienname, Zuname"},
		{"lastName", "fr", "nom de famille, nom"},
		{"lastName", "es", "apellidos, apellido, primer apellido"},
		{"lastName", "it", "cognome"},
		{"lastName", "pt", "sobrenome, apelido, último nome"},
		{"lastName", "nl", "achternaam, familienaam"},
		{"lastName", "pl", "nazwisko"},
		{"lastName", "tr", "soyadı, soyad, soyisim"},

		{"isContactable", "en", "opt-in, opted in, marketing opt-in, consent, marketing consent, accepts marketing, accepts e-mail marketing, subscribed, " +
			"email opt-in, email marketing consent, email consent, is subscribed, may be contacted, may contact"},
		{
			"isContactable",
			"de",
			"kontaktierbar, darf kontaktiert werden, Einwilligung, Werbeeinwilligung, Newsletter-Einwilligung, Werbeerlaubnis, Werbung erlaubt, Zustimmung",
		},
		{"isContactable", "fr", "peut être contacté, consentement, consentement marketing, accepte la publicité, accepte les offres"},
		{"isContactable", "es", "contactable, consentimiento, acepta publicidad, acepta marketing"},
		{"isContactable", "it", "contattabile, consenso, consenso marketing, accetta marketing"},
		{"isContactable", "pt", "contactável, contatável, consentimento, aceita marketing, aceita publicidade"},
		{"isContactable", "nl", "mag benaderd worden, toestemming, marketingtoestemming"},
		{"isContactable", "pl", "zgoda na kontakt, zgoda marketingowa, zgoda"},
		{"isContactable", "tr", "iletişim izni, pazarlama izni, izin, onay"},

		{"unsubscribed", "en", "unsubscribe, unsubscribed at, unsubscribed on, unsubscribe date, unsubscribe time, unsubscribed date, date unsubscribed, " +
			"unsub time, unsub date, unsub, is unsubscribed, email unsubscribed, unsubscribed from all email, unsubscribed from all, " +
			"opt-out, opted out, opted out at, opt-out date, opt-out time, optout at, is opted out, has opted out, has opted out of email, " +
			"email opt-out, email opted out, email opt-out date, opted out of email, opt out of email, global opt-out, marketing opt-out, sms opt-out, " +
			"do not contact, do not email, do not mail, do not bulk email, do not allow emails, do not allow bulk emails, do not send, " +
			"do not market, do not disturb, don't contact, don't email, no contact, no email, no mailing, no marketing, no newsletter, " +
			"blacklisted, blacklist, is blacklisted, email blacklisted, sms blacklisted, blocklisted, blocklist, on blocklist, denylisted, denylist, " +
			"on denylist, blocked, is blocked, suppressed, is suppressed, email suppressed, on suppression list, complained, spam complaint, " +
			"spam report, portal unsubscribe, portal spam report, consent withdrawn, consent withdrawn at, consent revoked, consent revoked at, " +
			"withdrawn at, objected, objected at, objection, cleaned, clean time"},
		{"unsubscribed", "de", "abgemeldet, abgemeldet am, Abmeldung, Abmeldedatum, Newsletter abgemeldet, Newsletter-Abmeldung, abbestellt, abbestellt am, " +
			"ausgetragen, ausgetragen am, gesperrt, gesperrt am, ist gesperrt, Sperre, Sperrvermerk, Werbesperre, Mailsperre, E-Mail-Sperre, " +
			"Kontaktsperre, Newslettersperre, Sperrliste, blockiert, Widerspruch, Werbewiderspruch, Widerspruch am, widersprochen, widersprochen am, " +
			"widerrufen, widerrufen am, Widerruf, Einwilligung widerrufen, nicht kontaktieren, nicht anschreiben, keine Werbung, keine E-Mails, " +
			"keine E-Mail, kein Newsletter, keine Mailings, Robinsonliste"},
		{
			"unsubscribed",
			"fr",
			"désabonné, désabonnée, désabonné le, désabonnement, date de désabonnement, désinscrit, désinscrite, désinscrit le, désinscription, " +
				"date de désinscription, ne pas contacter, ne plus contacter, ne pas envoyer, bloqué, bloquée, liste noire, sur liste noire, " +
				"liste rouge, opposition, droit d'opposition, consentement retiré, stop pub, stop publicité, pas de newsletter, pas d'e-mail",
		},
		{
			"unsubscribed",
			"es",
			"baja, dado de baja, dada de baja, fecha de baja, baja newsletter, baja boletín, desuscrito, desuscrita, desuscripción, no contactar, " +
				"no enviar, no molestar, bloqueado, bloqueada, lista negra, en lista negra, oposición, consentimiento revocado, consentimiento retirado, " +
				"no publicidad, sin publicidad, excluido de envíos, lista Robinson",
		},
		{
			"unsubscribed",
			"it",
			"disiscritto, disiscritta, disiscritto il, disiscrizione, data disiscrizione, data di disiscrizione, non contattare, non inviare, " +
				"bloccato, bloccata, lista nera, in lista nera, blacklistato, opposizione, consenso revocato, consenso ritirato, revoca del consenso, " +
				"no pubblicità, niente pubblicità, no newsletter",
		},
		{"unsubscribed", "pt", "descadastrado, descadastrada, descadastro, data de descadastro, descadastrado em, cancelou inscrição, inscrição cancelada, " +
			"cancelamento da subscrição, data de cancelamento da subscrição, não contactar, não contatar, não enviar, não perturbe, bloqueado, bloqueada, " +
			"lista negra, na lista negra, oposição, consentimento revogado, consentimento retirado, sem publicidade"},
		{"unsubscribed", "nl", "afgemeld, afgemeld op, afmelding, afmelddatum, uitgeschreven, uitgeschreven op, uitschrijving, uitschrijfdatum, " +
			"niet benaderen, niet contacteren, niet mailen, niet e-mailen, geen mailing, geen mailings, geen e-mail, geen nieuwsbrief, geen reclame, " +
			"geblokkeerd, zwarte lijst, op zwarte lijst, bezwaar, toestemming ingetrokken"},
		{"unsubscribed", "pl", "wypisany, wypisana, wypisano, wypis, data wypisania, wypisany z newslettera, rezygnacja, data rezygnacji, nie kontaktować, " +
			"nie wysyłać, nie kontaktować się, zablokowany, zablokowana, czarna lista, na czarnej liście, sprzeciw, data sprzeciwu, " +
			"wycofana zgoda, zgoda wycofana, zgoda cofnięta, brak zgody"},
		{
			"unsubscribed",
			"tr",
			"abonelikten çıktı, abonelikten çıkmış, abonelikten ayrıldı, abonelikten çıkış tarihi, abonelik iptali, abonelik iptal tarihi, " +
				"iletişim kurma, iletişime geçme, gönderme, engellendi, engellenmiş, engelli liste, kara liste, kara listede, ret, reddetti, " +
				"izin iptali, izin geri çekildi, e-posta gönderme, reklam istemiyor",
		},

		{"redeemedAt", "en", "redemption time, date redeemed, date used, used date"},
		{"redeemedAt", "de", "eingelöst am, Einlösedatum, Einlösungsdatum, Einlösezeitpunkt, Einlösung, eingelöst, verwendet am, genutzt am, Datum"},
		{"redeemedAt", "fr", "utilisé le, date d'utilisation, date de rachat, date de validation, validé le, encaissé le"},
		{"redeemedAt", "es", "canjeado el, fecha de canje, usado el, fecha de uso, canjeado, fecha"},
		{"redeemedAt", "it", "riscattato il, data di riscatto, data riscatto, utilizzato il, data di utilizzo, data utilizzo, data"},
		{"redeemedAt", "pt", "resgatado em, data de resgate, data do resgate, utilizado em, usado em, data de utilização, data de uso, data"},
		{"redeemedAt", "nl", "ingewisseld op, inwisseldatum, verzilverd op, gebruikt op, datum van inwisseling, datum"},
		{"redeemedAt", "pl", "data realizacji, zrealizowano, data wykorzystania, wykorzystano, data użycia, data"},
		{"redeemedAt", "tr", "kullanım tarihi, kullanma tarihi, kullanıldığı tarih, tarih"},

		{"reference", "en", "order no."},
		{"reference", "de", "Bestellnummer, Bestell-Nr., Auftragsnummer, Auftrags-Nr., Belegnummer, Beleg-Nr., Bestellung, Referenz"},
		{"reference", "fr", "numéro de commande, n° de commande, n° commande, commande, référence, référence de commande"},
		{"reference", "es", "número de pedido, nº de pedido, nº pedido, pedido, referencia"},
		{"reference", "it", "numero d'ordine, numero ordine, n° ordine, ordine, riferimento"},
		{"reference", "pt", "número do pedido, nº do pedido, número da encomenda, pedido, encomenda, referência"},
		{"reference", "nl", "bestelnummer, ordernummer, ordernr., bestelling, referentie"},
		{"reference", "pl", "numer zamówienia, nr zamówienia, zamówienie, referencja"},
		{"reference", "tr", "sipariş numarası, sipariş no, sipariş, referans"},

		{"amount", "de", "Betrag, Umsatz, Bestellwert, Einkaufswert, Warenwert, Summe"},
		{"amount", "fr", "montant, montant de la commande, somme"},
		{"amount", "es", "importe, monto, valor"},
		{"amount", "it", "importo, valore"},
		{"amount", "pt", "montante, quantia, valor"},
		{"amount", "nl", "bedrag, orderbedrag"},
		{"amount", "pl", "kwota, wartość"},
		{"amount", "tr", "tutar, miktar"},

		{"currency", "de", "Währung"},
		{"currency", "fr", "devise, monnaie"},
		{"currency", "es", "moneda, divisa"},
		{"currency", "it", "valuta, divisa"},
		{"currency", "pt", "moeda, divisa"},
		{"currency", "nl", "valuta, munteenheid"},
		{"currency", "pl", "waluta"},
		{"currency", "tr", "para birimi, döviz"},

		{"store", "en", "store no., shop no., branch id, branch number, outlet id, site id, pos id"},
		{"store", "de", "Filiale, Filialnummer, Filial-Nr., Geschäft, Laden, Markt, Verkaufsstelle, Kasse, Kassennummer, Kassen-Nr., Standort"},
		{"store", "fr", "magasin, numéro de magasin, n° magasin, boutique, point de vente, succursale, caisse, numéro de caisse"},
		{"store", "es", "tienda, número de tienda, nº de tienda, sucursal, punto de venta, caja, número de caja"},
		{"store", "it", "negozio, numero negozio, punto vendita, punto di vendita, filiale, cassa, numero cassa"},
		{"store", "pt", "loja, número da loja, nº da loja, filial, sucursal, ponto de venda, caixa, número do caixa"},
		{"store", "nl", "winkel, winkelnummer, filiaal, filiaalnummer, vestiging, verkooppunt, kassa, kassanummer"},
		{"store", "pl", "sklep, numer sklepu, nr sklepu, punkt sprzedaży, placówka, oddział, kasa, numer kasy"},
		{"store", "tr", "mağaza, mağaza no, mağaza numarası, şube, şube no, satış noktası, kasa no"},

		{"customer", "en", "customer no., client no., loyalty card"},
		{"customer", "de", "Kunde, Kundennummer, Kunden-Nr., Kunden-ID, Kundenkarte, Mitglied, Mitgliedsnummer, Käufer"},
		{"customer", "fr", "client, numéro de client, numéro client, n° client, identifiant client, ID client, acheteur"},
		{"customer", "es", "cliente, número de cliente, nº de cliente, ID de cliente, ID cliente, comprador"},
		{"customer", "it", "cliente, numero cliente, codice cliente, ID cliente, acquirente"},
		{"customer", "pt", "cliente, número do cliente, nº do cliente, ID do cliente, código do cliente, comprador"},
		{"customer", "nl", "klant, klantnummer, klantnr., klant-ID, koper"},
		{"customer", "pl", "klient, numer klienta, nr klienta, ID klienta, kupujący"},
		{"customer", "tr", "müşteri, müşteri no, müşteri numarası, müşteri ID"},

		{"address", "de", "Empfänger, Empfängeradresse, Adresse"},
		{"address", "fr", "destinataire, adresse du destinataire, adresse"},
		{"address", "es", "destinatario, dirección del destinatario, dirección"},
		{"address", "it", "destinatario, indirizzo del destinatario, indirizzo"},
		{"address", "pt", "destinatário, endereço do destinatário, endereço"},
		{"address", "nl", "ontvanger, adres van de ontvanger, adres"},
		{"address", "pl", "odbiorca, adres odbiorcy, adres"},
		{"address", "tr", "alıcı, alıcı adresi, adres"},

		{"messageId", "de", "Nachrichten-ID, Nachrichtennummer"},
		{"messageId", "fr", "ID du message, identifiant du message"},
		{"messageId", "es", "ID de mensaje, ID del mensaje, identificador del mensaje"},
		{"messageId", "it", "ID messaggio, ID del messaggio"},
		{"messageId", "pt", "ID da mensagem, identificador da mensagem"},
		{"messageId", "nl", "bericht-ID"},
		{"messageId", "pl", "ID wiadomości, identyfikator wiadomości"},
		{"messageId", "tr", "mesaj ID, ileti ID"},

		{"event", "de", "Ereignis"},
		{"event", "fr", "événement"},
		{"event", "es", "evento"},
		{"event", "it", "evento"},
		{"event", "pt", "evento"},
		{"event", "nl", "gebeurtenis"},
		{"event", "pl", "zdarzenie"},
		{"event", "tr", "olay"},

		{"kind", "de", "Art, Typ, Bounce-Art"},
		{"kind", "fr", "type de rebond, genre"},
		{"kind", "es", "tipo de rebote, tipo"},
		{"kind", "it", "tipo di rimbalzo, tipo"},
		{"kind", "pt", "tipo de devolução, tipo"},
		{"kind", "nl", "soort"},
		{"kind", "pl", "rodzaj, typ"},
		{"kind", "tr", "tür"},

		{"status", "de", "Statuscode, Fehlercode"},
		{"status", "fr", "statut, code d'état, code d'erreur"},
		{"status", "es", "estado, código de estado, código de error"},
		{"status", "it", "stato, codice di stato, codice di errore"},
		{"status", "pt", "estado, código de estado, código de erro"},
		{"status", "nl", "statuscode, foutcode"},
		{"status", "pl", "stan, kod stanu, kod błędu"},
		{"status", "tr", "durum, durum kodu, hata kodu"},

		{"at", "de", "Zeitpunkt, Datum, Zeit, Uhrzeit, zugestellt am"},
		{"at", "fr", "date et heure, horodatage, heure"},
		{"at", "es", "fecha y hora, fecha, hora"},
		{"at", "it", "data e ora, data, ora"},
		{"at", "pt", "data e hora, data, hora"},
		{"at", "nl", "tijdstip, datum, tijd"},
		{"at", "pl", "data i godzina, data, czas"},
		{"at", "tr", "tarih, zaman, saat"},

		{"reason", "de", "Grund, Fehlermeldung, Fehler, Beschreibung"},
		{"reason", "fr", "raison, motif, message d'erreur, erreur"},
		{"reason", "es", "motivo, razón, mensaje de error, error"},
		{"reason", "it", "motivo, messaggio di errore, errore"},
		{"reason", "pt", "motivo, razão, mensagem de erro, erro"},
		{"reason", "nl", "reden, foutmelding, fout"},
		{"reason", "pl", "powód, przyczyna, komunikat błędu, błąd"},
		{"reason", "tr", "sebep, neden, hata mesajı, hata"},
	}
}

// wordsOf returns the words for fields in all languages, language by language, in the form in which they are compared.
func wordsOf(vocabulary []Words, fields ...string) []string {
	var words []string
	for _, field := range fields {
		for _, language := range Languages() {
			for _, entry := range vocabulary {
				if entry.Field != field || entry.Language != language {
					continue
				}
				for word := range strings.SplitSeq(entry.Words, ",") {
					words = appendNew(words, normal(word), normal(umlauts.Replace(strings.ToLower(word))))
				}
			}
		}
	}
	return words
}

// umlauts are written so where a keyboard or a program does not have them.
var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue")

func appendNew(list []string, more ...string) []string {
	for _, one := range more {
		if !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}

// letters are written so in the form in which names are compared. They have no decomposition.
var letters = strings.NewReplacer("ß", "ss", "ł", "l", "ı", "i", "ø", "o", "æ", "ae", "œ", "oe", "đ", "d")

// normal returns the form in which names of columns are compared: letters without accents and in lower case, digits, and
// nothing else.
func normal(name string) string {
	isPlain := true
	for i := range len(name) {
		if name[i] >= 0x80 {
			isPlain = false
			break
		}
	}
	if !isPlain {
		name = letters.Replace(strings.ToLower(norm.NFKD.String(name)))
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}
