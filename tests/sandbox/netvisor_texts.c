/*
 * netvisor_texts.c: what Netvisor says, in the interface languages FI, EN and SE (facts/netvisor.md
 * §3.1). The wording is ours but for the known pieces; clients must go by the code, not by the
 * text.
 */
#include "base/base.h"

#include "netvisor.h"

static const char *const texts[NV_TEXTS][NV_LANGUAGES] = {
	[NV_TEXT_MALFORMED] = { "Aineiston muoto virheellinen:. %s", "Data form incorrect:. %s",
				"Datans form är felaktig:. %s" },
	[NV_TEXT_ORDER] = { "Aineiston muoto virheellinen:. Elementti %s on väärässä kohdassa",
			    "Data form incorrect:. Element %s is not expected here",
			    "Datans form är felaktig:. Elementet %s är på fel plats" },
	[NV_TEXT_MISSING] = { "Aineiston muoto virheellinen:. Pakollinen tieto puuttuu: %s",
			      "Data form incorrect:. Mandatory element missing: %s",
			      "Datans form är felaktig:. Obligatorisk uppgift saknas: %s" },
	[NV_TEXT_VALUE] = { "Aineiston muoto virheellinen:. Virheellinen arvo: %s",
			    "Data form incorrect:. Invalid value: %s",
			    "Datans form är felaktig:. Ogiltigt värde: %s" },
	[NV_TEXT_TOO_LONG] = { "Tieto on liian pitkä: %s", "Value is too long: %s",
			       "Värdet är för långt: %s" },
	[NV_TEXT_METHOD] = { "Virheellinen tai puuttuva method-parametri: %s",
			     "Method parameter missing or invalid: %s",
			     "Parametern method saknas eller är ogiltig: %s" },
	[NV_TEXT_UNKNOWN_RESOURCE] = { "Resurssia ei löydy: %s", "Resource not found: %s",
				       "Resursen hittades inte: %s" },
	[NV_TEXT_NO_CUSTOMER_KEY] = { "Aineiston muoto virheellinen:. Asiakasta ei löydy "
				      "Netvisor-tunnisteella: %s",
				      "Data form incorrect:. Customer not found with Netvisor "
				      "identifier: %s",
				      "Datans form är felaktig:. Kunden hittades inte med Netvisor-"
				      "identifikatorn: %s" },
	[NV_TEXT_NO_CUSTOMER_CODE] = { "Aineiston muoto virheellinen:. Asiakasta ei löydy "
				       "asiakaskoodilla: %s",
				       "Data form incorrect:. Customer not found with customer "
				       "code: %s",
				       "Datans form är felaktig:. Kunden hittades inte med "
				       "kundkoden: %s" },
	[NV_TEXT_NO_PRODUCT] = { "Aineiston muoto virheellinen:. Tuotetta ei löydy: %s",
				 "Data form incorrect:. Product not found: %s",
				 "Datans form är felaktig:. Produkten hittades inte: %s" },
	[NV_TEXT_NO_OPERATOR] = { "Aineiston muoto virheellinen:. Verkkolaskuoperaattoria ei "
				  "löydy: %s",
				  "Data form incorrect:. E-invoice operator not found: %s",
				  "Datans form är felaktig:. E-fakturaoperatören hittades inte: "
				  "%s" },
	[NV_TEXT_NO_DIMENSION] = { "Aineiston muoto virheellinen:. Laskentakohdetta ei löydy: %s",
				   "Data form incorrect:. Dimension not found: %s",
				   "Datans form är felaktig:. Dimensionen hittades inte: %s" },
	[NV_TEXT_NO_INVOICE] = { "Aineiston muoto virheellinen:. Laskua ei löydy: %s",
				 "Data form incorrect:. Invoice not found: %s",
				 "Datans form är felaktig:. Fakturan hittades inte: %s" },
	[NV_TEXT_DUPLICATE] = { "Tieto on jo Netvisorissa: %s",
				"Data already exists in Netvisor: %s",
				"Uppgiften finns redan i Netvisor: %s" },
	[NV_TEXT_SUM] = { "Aineiston muoto virheellinen:. Summa ei täsmää: %s",
			  "Data form incorrect:. Sum does not match: %s",
			  "Datans form är felaktig:. Summan stämmer inte: %s" },
	[NV_TEXT_BOTH_SUMS] = { "Aineiston muoto virheellinen:. Anna rivin alv-summa ja rivisumma "
				"molemmat tai ei kumpaakaan: %s",
				"Data form incorrect:. Give both line VAT sum and line sum or "
				"neither: %s",
				"Datans form är felaktig:. Ange både radens momssumma och radsumma "
				"eller ingendera: %s" },
	[NV_TEXT_VAT_CODE] = { "Aineiston muoto virheellinen:. Alv-koodi ja alv-prosentti eivät "
			       "sovi yhteen: %s",
			       "Data form incorrect:. VAT code contradicts VAT percentage: %s",
			       "Datans form är felaktig:. Momskoden motsäger momsprocenten: %s" },
	[NV_TEXT_PERIOD] = { "Kirjanpitokausi on lukittu: %s", "Accounting period is locked: %s",
			     "Bokföringsperioden är låst: %s" },
	[NV_TEXT_AUTHENTICATION] = { "Todennus epäonnistui: %s", "Authentication failed: %s",
				     "Autentiseringen misslyckades: %s" },
	[NV_TEXT_TIMESTAMP] = { "Aikaleima ei kelpaa: %s", "Timestamp is not valid: %s",
				"Tidsstämpeln är inte giltig: %s" },
	[NV_TEXT_NOT_UNIQUE] = { "Pyyntö ei ole yksilöllinen, TransactionId: %s",
				 "Request is not unique, TransactionId: %s",
				 "Begäran är inte unik, TransactionId: %s" },
	[NV_TEXT_ACCESS] = { "Ei oikeutta resurssiin: %s", "No access to resource: %s",
			     "Ingen åtkomst till resursen: %s" },
	[NV_TEXT_OVERLAP] = { "Tekninen virhe: yritykselle %s on kesken toinen kutsu",
			      "Technical error: another call to company %s is in progress",
			      "Tekniskt fel: ett annat anrop till företaget %s pågår" },
	[NV_TEXT_STATUS_UNSENT] = { "Lähettämätön", "Unsent", "Ej skickad" },
	[NV_TEXT_STATUS_OPEN] = { "Avoin", "Open", "Öppen" },
	[NV_TEXT_STATUS_PAID] = { "Maksettu", "Paid", "Betald" },
};

const char *nv_text(enum nv_text text, enum nv_language language)
{
	return texts[text][language];
}
