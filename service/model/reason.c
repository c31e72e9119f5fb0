/*
 * reason.c: the table of reasons (reason.h). Constant; the codes are part of the REST contract, so
 * a code is never renamed.
 */
#include "base/base.h"
#include "model/reason.h"

const struct reason reasons[] = {
	{ "number_missing", "source_user",
	  "The invoice has no number. Choose a transfer status that gives one.",
	  "Laskulla ei ole numeroa. Valitse siirtotilaksi tila, joka antaa numeron.",
	  "Fakturaen har ikke noe nummer. Velg en overføringsstatus som gir nummer." },
	{ "rows_missing", "source_user", "Invoice {subject} has no rows.",
	  "Laskulla {subject} ei ole rivejä.", "Faktura {subject} har ingen rader." },
	{ "currency_invalid", "source_user", "The invoice's currency is not valid: {subject}.",
	  "Laskun valuutta ei kelpaa: {subject}.", "Fakturaens valuta er ugyldig: {subject}." },
	{ "date_missing", "source_user", "A date is missing: {subject}.",
	  "Päivämäärä puuttuu: {subject}.", "En dato mangler: {subject}." },
	{ "date_invalid", "source_user", "A date is not valid: {subject}.",
	  "Päivämäärä ei kelpaa: {subject}.", "En dato er ugyldig: {subject}." },
	{ "vat_rate_missing", "source_user", "The VAT rate is missing: {subject}.",
	  "Arvonlisäverokanta puuttuu: {subject}.", "Mva-satsen mangler: {subject}." },
	{ "sum_mismatch", "source_user",
	  "The invoice's sum and its rows do not agree ({subject}). Correct the invoice in Severa.",
	  "Laskun summa ja rivit eivät täsmää ({subject}). Korjaa lasku Severassa.",
	  "Fakturaens sum og rader stemmer ikke ({subject}). Rett fakturaen i Severa." },
	{ "amount_too_large", "source_user", "An amount is too long to be handled: {subject}.",
	  "Luku on liian pitkä käsiteltäväksi: {subject}.", "Et beløp er for langt: {subject}." },
	{ "char_not_allowed", "source_user",
	  "A text holds a character that cannot be sent. Write it anew.",
	  "Tekstissä on merkki, jota ei voi lähettää. Kirjoita teksti uudelleen.",
	  "En tekst har et tegn som ikke kan sendes. Skriv den på nytt." },
	{ "field_too_long", "source_user", "A value is too long for the target: {subject}.",
	  "Tieto on liian pitkä kohdejärjestelmälle: {subject}.",
	  "En verdi er for lang for målsystemet: {subject}." },
	{ "customer_missing", "source_user", "The invoice has no customer.",
	  "Laskulla ei ole asiakasta.", "Fakturaen har ingen kunde." },
	{ "customer_number_missing", "source_user",
	  "Customer {subject} has no customer number in Severa.",
	  "Asiakkaalla {subject} ei ole asiakasnumeroa Severassa.",
	  "Kunden {subject} har ikke kundenummer i Severa." },
	{ "customer_name_missing", "source_user", "Customer {subject} has no name.",
	  "Asiakkaalla {subject} ei ole nimeä.", "Kunden {subject} har ikke navn." },
	{ "business_id_missing", "source_user",
	  "Customer {subject} has no business id. Fill in the VAT number on the customer card.",
	  "Asiakkaalla {subject} ei ole Y-tunnusta. Täydennä ALV-numero asiakaskortille.",
	  "Kunden {subject} mangler organisasjonsnummer. Fyll ut mva-nummeret på kundekortet." },
	{ "business_id_invalid", "source_user",
	  "The business id of customer {subject} is not valid.",
	  "Asiakkaan {subject} Y-tunnus on virheellinen.",
	  "Organisasjonsnummeret til kunden {subject} er ugyldig." },
	{ "customer_address_missing", "source_user",
	  "Customer {subject} has no complete head-office address (street, postcode, city).",
	  "Asiakkaalla {subject} ei ole täydellistä pääkonttorin osoitetta (katu, postinumero, "
	  "kaupunki).",
	  "Kunden {subject} mangler fullstendig hovedkontoradresse (gate, postnummer, sted)." },
	{ "country_unknown", "source_user",
	  "The country of {subject} cannot be told from the address.",
	  "Maata ei voi päätellä osoitteesta: {subject}.",
	  "Landet til {subject} kan ikke leses av adressen." },
	{ "operator_missing", "source_user",
	  "Customer {subject} has an e-invoice address but no operator.",
	  "Asiakkaalla {subject} on verkkolaskuosoite, mutta ei välittäjää.",
	  "Kunden {subject} har e-fakturaadresse, men ingen operatør." },
	{ "operator_unknown", "source_user",
	  "The e-invoice operator of customer {subject} is not one that Netvisor supports.",
	  "Asiakkaan {subject} verkkolaskuvälittäjä ei ole Netvisorin tukema.",
	  "E-fakturaoperatøren til kunden {subject} støttes ikke av Netvisor." },
	{ "customer_number_taken", "target_user",
	  "Customer number {subject} belongs to another customer in Netvisor.",
	  "Asiakasnumero {subject} on Netvisorissa toisella asiakkaalla.",
	  "Kundenummer {subject} tilhører en annen kunde i Netvisor." },
	{ "temp_customer_missing", "target_user",
	  "The temporary customer {subject} does not exist in Netvisor.",
	  "Tilapäisasiakasta {subject} ei ole Netvisorissa.",
	  "Den midlertidige kunden {subject} finnes ikke i Netvisor." },
	{ "temp_product_missing", "target_user",
	  "The temporary product {subject} does not exist in Netvisor.",
	  "Tilapäistuotetta {subject} ei ole Netvisorissa.",
	  "Det midlertidige produktet {subject} finnes ikke i Netvisor." },
	{ "product_code_missing", "source_user",
	  "A row's product, work type or travel type has no code: {subject}.",
	  "Rivin tuotteella, työlajilla tai matkakululajilla ei ole koodia: {subject}.",
	  "Radens produkt, arbeidstype eller reisetype har ingen kode: {subject}." },
	{ "product_code_several", "source_user", "A row holds several product codes: {subject}.",
	  "Rivillä on useita tuotekoodeja: {subject}.",
	  "En rad har flere produktkoder: {subject}." },
	{ "product_unknown", "source_user",
	  "Product {subject} is found neither in Severa nor in Netvisor.",
	  "Tuotetta {subject} ei löydy Severasta eikä Netvisorista.",
	  "Produktet {subject} finnes verken i Severa eller i Netvisor." },
	{ "dimension_heading_missing", "target_user",
	  "The dimension heading {subject} does not exist in Netvisor.",
	  "Laskentakohdeotsikkoa {subject} ei ole Netvisorissa.",
	  "Dimensjonsoverskriften {subject} finnes ikke i Netvisor." },
	{ "number_taken", "target_user",
	  "Netvisor already has another invoice with the number {subject}. Nothing was sent.",
	  "Netvisorissa on jo toinen lasku numerolla {subject}. Mitään ei lähetetty.",
	  "Netvisor har allerede en annen faktura med nummer {subject}. Ingenting ble sendt." },
	{ "several_matches", "operator",
	  "Netvisor has several invoices that match {subject}. A person must look.",
	  "Netvisorissa on useita laskuja, jotka vastaavat laskua {subject}. Tarkista käsin.",
	  "Netvisor har flere fakturaer som svarer til {subject}. En person må se på det." },
	{ "gone_at_target", "operator",
	  "Invoice {subject} was sent before, but is not in Netvisor any more. Resend it on "
	  "purpose if it should be there.",
	  "Lasku {subject} on lähetetty aiemmin, mutta sitä ei enää ole Netvisorissa. Lähetä se "
	  "tarvittaessa uudelleen.",
	  "Faktura {subject} ble sendt før, men finnes ikke lenger i Netvisor. Send den på nytt "
	  "med vilje om den skal være der." },
	{ "deleted_in_doubt", "operator",
	  "The invoice was deleted in Severa while its sending was unclear. Look in Netvisor.",
	  "Lasku poistettiin Severassa, kun lähetys oli epäselvä. Tarkista Netvisorista.",
	  "Fakturaen ble slettet i Severa mens sendingen var uklar. Se i Netvisor." },
	{ "refused_by_target", "source_user", "Netvisor refused the document: {subject}.",
	  "Netvisor hylkäsi tositteen: {subject}.", "Netvisor avviste dokumentet: {subject}." },
	{ "period_locked", "target_user",
	  "The accounting period is locked in Netvisor ({subject}).",
	  "Kirjanpitokausi on lukittu Netvisorissa ({subject}).",
	  "Regnskapsperioden er låst i Netvisor ({subject})." },
	{ "attachment_too_large", "source_user", "An attachment is too large: {subject}.",
	  "Liite on liian suuri: {subject}.", "Et vedlegg er for stort: {subject}." },
	{ "status_refused", "source_user",
	  "Severa does not let the invoice into the status {subject}.",
	  "Severa ei päästä laskua tilaan {subject}.",
	  "Severa slipper ikke fakturaen inn i statusen {subject}." },
	{ "in_failed_status", "source_user",
	  "Invoice {subject} was put into the failed status in Severa. Mend what the timeline "
	  "names "
	  "and move it back to the transfer status.",
	  "Lasku {subject} siirrettiin Severassa virhetilaan. Korjaa aikajanalla mainittu vika ja "
	  "palauta lasku siirtotilaan.",
	  "Faktura {subject} ble satt i feilstatus i Severa. Rett det tidslinjen nevner, og sett "
	  "den "
	  "tilbake i overføringsstatus." },
	{ "status_unknown", "admin", "The invoice status {subject} does not exist in Severa.",
	  "Laskun tilaa {subject} ei ole Severassa.",
	  "Fakturastatusen {subject} finnes ikke i Severa." },
	{ "credentials_refused", "admin", "{subject} refused the keys. Enter new ones.",
	  "{subject} ei hyväksy tunnuksia. Anna uudet.", "{subject} avviste nøklene. Oppgi nye." },
	{ NULL, NULL, NULL, NULL, NULL },
};

const struct reason *reason_find(const char *code)
{
	for (const struct reason *r = reasons; code && r->code; r++)
		if (strcmp(r->code, code) == 0)
			return r;
	return NULL;
}

void reason_sentence(const struct reason *r, const char *language, const char *subject,
		     struct strbuf *out)
{
	const char *text = r->en;
	if (language && strncasecmp(language, "fi", 2) == 0)
		text = r->fi;
	else if (language &&
		 (strncasecmp(language, "nb", 2) == 0 || strncasecmp(language, "no", 2) == 0))
		text = r->nb;
	static const char mark[] = "{subject}";
	const char *at = strstr(text, mark);
	if (!at) {
		strbuf_addstr(out, text);
		return;
	}
	strbuf_add(out, text, (size_t)(at - text));
	strbuf_addstr(out, subject && subject[0] ? subject : "-");
	strbuf_addstr(out, at + sizeof(mark) - 1);
}
