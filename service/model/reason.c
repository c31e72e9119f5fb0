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
	  "The e-invoice operator of customer {subject} is not one that the finance system "
	  "supports. Correct it on the customer card, or tell the finance system's name for it in "
	  "the connection's setting customers.operators.",
	  "Asiakkaan {subject} verkkolaskuvälittäjä ei ole taloushallinnon järjestelmän tukema. "
	  "Korjaa se asiakaskortille tai kerro järjestelmän nimi sille yhteyden asetuksessa "
	  "customers.operators.",
	  "E-fakturaoperatøren til kunden {subject} støttes ikke av regnskapssystemet. Rett den på "
	  "kundekortet, eller oppgi systemets navn på den i forbindelsens innstilling "
	  "customers.operators." },
	{ "customer_number_taken", "target_user",
	  "Customer number {subject} belongs to another customer in the finance system.",
	  "Asiakasnumero {subject} on taloushallinnon järjestelmässä toisella asiakkaalla.",
	  "Kundenummer {subject} tilhører en annen kunde i regnskapssystemet." },
	{ "temp_customer_missing", "target_user",
	  "The temporary customer {subject} does not exist in the finance system. Add it there, or "
	  "correct its code in the connection's settings.",
	  "Tilapäisasiakasta {subject} ei ole taloushallinnon järjestelmässä. Lisää se sinne tai "
	  "korjaa sen koodi yhteyden asetuksiin.",
	  "Den midlertidige kunden {subject} finnes ikke i regnskapssystemet. Legg den til der, "
	  "eller rett koden i forbindelsens innstillinger." },
	{ "temp_product_missing", "target_user",
	  "The product {subject}, for rows without a known code, does not exist in the finance "
	  "system or is not in use there.",
	  "Tuotetta {subject}, jolle rivit ilman tunnettua koodia menevät, ei ole taloushallinnon "
	  "järjestelmässä, tai se ei ole siellä käytössä.",
	  "Produktet {subject}, for rader uten kjent kode, finnes ikke i regnskapssystemet eller "
	  "er ikke i bruk der." },
	{ "product_code_missing", "source_user",
	  "A row's product, work type or travel type has no code: {subject}.",
	  "Rivin tuotteella, työlajilla tai matkakululajilla ei ole koodia: {subject}.",
	  "Radens produkt, arbeidstype eller reisetype har ingen kode: {subject}." },
	{ "product_code_several", "source_user", "A row holds several product codes: {subject}.",
	  "Rivillä on useita tuotekoodeja: {subject}.",
	  "En rad har flere produktkoder: {subject}." },
	{ "product_unknown", "source_user",
	  "Product {subject} is found neither in Severa nor in the finance system.",
	  "Tuotetta {subject} ei löydy Severasta eikä taloushallinnon järjestelmästä.",
	  "Produktet {subject} finnes verken i Severa eller i regnskapssystemet." },
	{ "product_missing_at_target", "target_user",
	  "Product {subject} of a row is not in the finance system, which keeps the product "
	  "register. Make it there, or give the row a code that is there.",
	  "Rivin tuotetta {subject} ei ole taloushallinnon järjestelmässä, joka pitää "
	  "tuoterekisteriä. Lisää tuote sinne tai anna riville siellä oleva koodi.",
	  "Produktet {subject} på en rad finnes ikke i regnskapssystemet, som fører "
	  "produktregisteret. Opprett det der, eller gi raden en kode som finnes der." },
	{ "product_without_code", "source_user",
	  "Product {subject} has no code and stays where it is. Give it one if it is to be in both "
	  "registers.",
	  "Tuotteella {subject} ei ole koodia, joten sitä ei siirretä. Anna koodi, jos tuotteen "
	  "pitää olla molemmissa rekistereissä.",
	  "Produktet {subject} har ingen kode og overføres ikke. Gi det en kode hvis det skal være "
	  "i begge registrene." },
	{ "product_code_twice", "source_user",
	  "The code of {subject} belongs to another record that is transferred already. Give one "
	  "of the two another code; if the other one was deleted, nothing needs to be done.",
	  "Tietueen {subject} koodi on toisella, jo siirretyllä tietueella. Vaihda toisen koodi; "
	  "jos toinen on poistettu, mitään ei tarvitse tehdä.",
	  "Koden til {subject} tilhører en annen post som alt er overført. Gi én av dem en annen "
	  "kode; er den andre slettet, trengs ingenting." },
	{ "product_name_long", "source_user",
	  "The name of product {subject} is longer than the 100 characters that Severa takes. "
	  "Shorten it in the finance system.",
	  "Tuotteen {subject} nimi on pidempi kuin Severan 100 merkkiä. Lyhennä nimi "
	  "taloushallinnon järjestelmässä.",
	  "Navnet på produktet {subject} er lengre enn de 100 tegnene Severa tar. Forkort det i "
	  "regnskapssystemet." },
	{ "product_vat_unknown", "source_user",
	  "Severa has no active VAT rate for product {subject}. Add the rate in Severa, or correct "
	  "it on the product.",
	  "Severassa ei ole käytössä tuotteen {subject} alv-kantaa. Lisää kanta Severaan tai "
	  "korjaa se tuotteelle.",
	  "Severa har ingen aktiv mva-sats for produktet {subject}. Legg til satsen i Severa, "
	  "eller rett den på produktet." },
	{ "product_is_temporary", "nobody",
	  "Product {subject} is the temporary one, for rows without a known code, and stays in the "
	  "finance system.",
	  "Tuote {subject} on tilapäistuote riveille, joilla ei ole tunnettua koodia, eikä sitä "
	  "siirretä.",
	  "Produktet {subject} er det midlertidige, for rader uten kjent kode, og overføres "
	  "ikke." },
	{ "organization_currency_missing", "source_user",
	  "No currency is marked as the organisation's own in {subject}. Choose it there.",
	  "Järjestelmässä {subject} mikään valuutta ei ole organisaation oma. Valitse se siellä.",
	  "Ingen valuta er merket som organisasjonens egen i {subject}. Velg den der." },
	{ "order_number_missing", "source_user",
	  "Task {subject} has no order number, and only tasks with one are billed. It is billed "
	  "when it has one.",
	  "Tehtävällä {subject} ei ole tilausnumeroa, ja vain tilausnumerolliset tehtävät "
	  "laskutetaan. Tehtävä laskutetaan, kun numero on lisätty.",
	  "Oppgave {subject} mangler bestillingsnummer, og bare oppgaver med nummer faktureres. "
	  "Den faktureres når nummeret er fylt ut." },
	{ "task_customer_missing", "source_user",
	  "Task {subject} has no customer in Spotilla. Choose one.",
	  "Tehtävällä {subject} ei ole asiakasta Spotillassa. Valitse asiakas.",
	  "Oppgave {subject} har ingen kunde i Spotilla. Velg en kunde." },
	{ "billable_rows_missing", "source_user", "Task {subject} has no billable rows.",
	  "Tehtävällä {subject} ei ole laskutettavia rivejä.",
	  "Oppgave {subject} har ingen fakturerbare rader." },
	{ "finished_day_missing", "source_user",
	  "Task {subject} does not say when it was finished.",
	  "Tehtävästä {subject} puuttuu valmistumisaika.",
	  "Oppgave {subject} sier ikke når den ble ferdig." },
	{ "quantity_missing", "source_user", "A row's quantity is missing: {subject}.",
	  "Rivin määrä puuttuu: {subject}.", "Antall mangler på en rad: {subject}." },
	{ "price_missing", "source_user",
	  "The price is missing in Spotilla: {subject}. Fill it in.",
	  "Hinta puuttuu Spotillasta: {subject}. Lisää hinta.",
	  "Prisen mangler i Spotilla: {subject}. Fyll den ut." },
	{ "product_currency", "source_user",
	  "The price of product {subject} is in another currency than invoices are made in.",
	  "Tuotteen {subject} hinta on eri valuutassa kuin laskut.",
	  "Prisen på produktet {subject} er i en annen valuta enn fakturaene." },
	{ "product_gone", "source_user",
	  "Product {subject} of the task does not exist in Spotilla any more. Choose another one.",
	  "Tehtävän tuotetta {subject} ei enää ole Spotillassa. Valitse toinen tuote.",
	  "Produktet {subject} på oppgaven finnes ikke lenger i Spotilla. Velg et annet." },
	{ "product_not_linked", "nobody",
	  "Product {subject} is not in Procountor yet. It is made there first, then the task is "
	  "billed. If it stays so, the connection's registers say what keeps it from there.",
	  "Tuotetta {subject} ei ole vielä Procountorissa. Se perustetaan ensin, sitten tehtävä "
	  "laskutetaan. Jos se ei etene, yhteyden rekisterit kertovat esteen.",
	  "Produktet {subject} er ikke i Procountor ennå. Det opprettes først, så faktureres "
	  "oppgaven. Blir det slik, sier tilkoblingens registre hva som hindrer det." },
	{ "customer_not_linked", "nobody",
	  "Customer {subject} is not in Procountor yet. It is made there first, then the task is "
	  "billed. If it stays so, the connection's registers say what keeps it from there.",
	  "Asiakasta {subject} ei ole vielä Procountorissa. Se perustetaan ensin, sitten tehtävä "
	  "laskutetaan. Jos se ei etene, yhteyden rekisterit kertovat esteen.",
	  "Kunden {subject} er ikke i Procountor ennå. Den opprettes først, så faktureres "
	  "oppgaven. Blir det slik, sier tilkoblingens registre hva som hindrer det." },
	{ "customer_gone", "target_user",
	  "Customer {subject} was removed from Procountor. Make it there anew or ask the operator.",
	  "Asiakas {subject} on poistettu Procountorista. Perusta se uudelleen tai ota yhteys "
	  "ylläpitoon.",
	  "Kunden {subject} er fjernet fra Procountor. Opprett den på nytt eller kontakt "
	  "driften." },
	{ "customer_passive", "nobody",
	  "The customer is not in use in Procountor, so it was not made in Spotilla: {subject}.",
	  "Asiakas ei ole käytössä Procountorissa, joten sitä ei perustettu Spotillaan: {subject}.",
	  "Kunden er ikke i bruk i Procountor og ble derfor ikke opprettet i Spotilla: "
	  "{subject}." },
	{ "customer_twice", "source_user",
	  "Two customers have the same business id or number: {subject}. Make them one.",
	  "Kahdella asiakkaalla on sama Y-tunnus tai numero: {subject}. Yhdistä asiakkaat.",
	  "To kunder har samme organisasjonsnummer eller nummer: {subject}. Slå dem sammen." },
	{ "business_id_form", "source_user",
	  "The business id of customer {subject} is not in the form 1234567-8. Correct it in "
	  "Spotilla or in Procountor.",
	  "Asiakkaan {subject} Y-tunnus ei ole muodossa 1234567-8. Korjaa se Spotillassa tai "
	  "Procountorissa.",
	  "Organisasjonsnummeret til kunden {subject} er ikke på formen 1234567-8. Rett det i "
	  "Spotilla eller i Procountor." },
	{ "invoice_account_missing", "target_user",
	  "{subject} names no active bank account for invoices. Choose one there, or in the "
	  "connection's settings.",
	  "{subject}: laskujen pankkitili puuttuu. Valitse tili siellä tai yhteyden asetuksissa.",
	  "{subject} har ingen aktiv bankkonto for fakturaer. Velg en der eller i tilkoblingens "
	  "innstillinger." },
	{ "dimension_heading_missing", "target_user",
	  "The dimension heading {subject} does not exist in the finance system. Add it there, or "
	  "correct it in the connection's settings.",
	  "Laskentakohdeotsikkoa {subject} ei ole taloushallinnon järjestelmässä. Lisää se sinne "
	  "tai korjaa se yhteyden asetuksiin.",
	  "Dimensjonsoverskriften {subject} finnes ikke i regnskapssystemet. Legg den til der, "
	  "eller rett den i forbindelsens innstillinger." },
	{ "dimension_number_taken", "source_user",
	  "Number or name clash: {subject}. Only one of them can be a dimension item under the "
	  "heading in Netvisor. Give one of them another number or name.",
	  "Numero tai nimi on kahdella: {subject}. Vain toinen voi olla laskentakohde saman "
	  "otsikon "
	  "alla Netvisorissa. Anna toiselle eri numero tai nimi.",
	  "Nummer eller navn brukes to ganger: {subject}. Bare en av dem kan være dimensjon under "
	  "overskriften i Netvisor. Gi en av dem et annet nummer eller navn." },
	{ "phase_number_missing", "source_user",
	  "Phase {subject} has no number. Give it one of its own in Severa: phases become "
	  "dimension items by their numbers.",
	  "Vaiheella {subject} ei ole numeroa. Anna sille oma numero Severassa: vaiheista tulee "
	  "laskentakohteita numeroidensa mukaan.",
	  "Fasen {subject} har ikke noe nummer. Gi den et eget nummer i Severa: faser blir "
	  "dimensjoner etter nummer." },
	{ "phase_is_root", "nobody",
	  "Phase {subject} is the root of its project; the project's dimension item stands for it.",
	  "Vaihe {subject} on projektinsa juuri; projektin laskentakohde vastaa sitä.",
	  "Fasen {subject} er roten i prosjektet; prosjektets dimensjon står for den." },
	{ "dimension_project_missing", "nobody",
	  "The project of phase {subject} is not a dimension item in Netvisor yet. The phase "
	  "follows "
	  "it; what keeps the project is told with the projects.",
	  "Vaiheen {subject} projekti ei ole vielä laskentakohde Netvisorissa. Vaihe seuraa sitä; "
	  "projektin este kerrotaan projektien kohdalla.",
	  "Prosjektet til fasen {subject} er ikke en dimensjon i Netvisor ennå. Fasen følger det; "
	  "hva "
	  "som hindrer prosjektet, står ved prosjektene." },
	{ "dimension_hidden", "target_user",
	  "The dimension item {subject} is hidden in Netvisor. Show it there again, or move the "
	  "rows "
	  "to another project in Severa.",
	  "Laskentakohde {subject} on piilotettu Netvisorissa. Palauta se näkyviin tai siirrä "
	  "rivit "
	  "toiselle projektille Severassa.",
	  "Dimensjonen {subject} er skjult i Netvisor. Vis den igjen der, eller flytt radene til "
	  "et "
	  "annet prosjekt i Severa." },
	{ "dimension_item_gone", "nobody",
	  "The dimension item of {subject} does not exist in Netvisor any more. It is made anew "
	  "with "
	  "the next invoice that needs it.",
	  "Kohteen {subject} laskentakohdetta ei enää ole Netvisorissa. Se perustetaan uudelleen, "
	  "kun "
	  "jokin lasku tarvitsee sen.",
	  "Dimensjonen for {subject} finnes ikke lenger i Netvisor. Den opprettes på nytt med "
	  "neste "
	  "faktura som trenger den." },
	{ "number_taken", "target_user",
	  "The receiving system already has another invoice with the number {subject}. Nothing "
	  "was sent.",
	  "Vastaanottavassa järjestelmässä on jo toinen lasku numerolla {subject}. Mitään ei "
	  "lähetetty.",
	  "Mottakersystemet har allerede en annen faktura med nummer {subject}. Ingenting ble "
	  "sendt." },
	{ "several_matches", "operator",
	  "The receiving system has several invoices that match {subject}. A person must look.",
	  "Vastaanottavassa järjestelmässä on useita laskuja, jotka vastaavat laskua {subject}. "
	  "Tarkista käsin.",
	  "Mottakersystemet har flere fakturaer som svarer til {subject}. En person må se på "
	  "det." },
	{ "source_gone_in_doubt", "operator",
	  "{subject} was deleted at the source while it was being created in the receiving system, "
	  "which did not answer. Look whether it is there, then order a run that makes the links "
	  "anew.",
	  "{subject} poistettiin lähdejärjestelmästä, kun sitä luotiin vastaanottavaan "
	  "järjestelmään, joka ei vastannut. Tarkista, onko se siellä, ja käynnistä ajo, joka "
	  "tekee "
	  "linkit uudelleen.",
	  "{subject} ble slettet i kildesystemet mens det ble opprettet i mottakersystemet, som "
	  "ikke "
	  "svarte. Se etter om det finnes der, og bestill en kjøring som lager koblingene på "
	  "nytt." },
	{ "numbers_taken", "admin",
	  "The Spotilla {subject} bills through the same company of Procountor under the same "
	  "invoice numbers. Set another invoice number prefix for this connection.",
	  "Spotilla {subject} laskuttaa saman Procountor-yrityksen kautta samoilla "
	  "laskunumeroilla. "
	  "Aseta tälle yhteydelle toinen laskunumeron etuliite.",
	  "Spotilla {subject} fakturerer gjennom samme foretak i Procountor med de samme "
	  "fakturanumrene. Sett et annet prefiks for fakturanumre på denne forbindelsen." },
	{ "status_taken", "admin",
	  "The connection {subject} relays this company's invoices from the same status. Pause one "
	  "of the two.",
	  "Yhteys {subject} siirtää tämän yrityksen laskut samasta tilasta. Keskeytä toinen "
	  "yhteys.",
	  "Forbindelsen {subject} overfører fakturaene til dette foretaket fra samme status. Sett "
	  "en "
	  "av de to på pause." },
	{ "target_changed", "operator",
	  "Invoice {subject} may have gone to the account that the connection named before. "
	  "Look there, then resend or cancel it.",
	  "Lasku {subject} on voinut mennä yritykselle, joka yhteydellä oli aiemmin. Tarkista "
	  "sieltä "
	  "ja lähetä uudelleen tai peru.",
	  "Faktura {subject} kan ha gått til foretaket som forbindelsen hadde før. Se etter der, "
	  "og "
	  "send på nytt eller avlys." },
	{ "gone_at_target", "operator",
	  "Invoice {subject} was sent before, but is not in the receiving system any more. Resend "
	  "it on purpose if it should be there.",
	  "Lasku {subject} on lähetetty aiemmin, mutta sitä ei enää ole vastaanottavassa "
	  "järjestelmässä. Lähetä se tarvittaessa uudelleen.",
	  "Faktura {subject} ble sendt før, men finnes ikke lenger i mottakersystemet. Send den på "
	  "nytt med vilje om den skal være der." },
	{ "deleted_in_doubt", "operator",
	  "The invoice was deleted in Severa while its sending was unclear. Look in the receiving "
	  "system.",
	  "Lasku poistettiin Severassa, kun lähetys oli epäselvä. Tarkista vastaanottavasta "
	  "järjestelmästä.",
	  "Fakturaen ble slettet i Severa mens sendingen var uklar. Se i mottakersystemet." },
	{ "delivery_failed", "source_user",
	  "The receiving system could not deliver invoice {subject}. Mend what it says and move "
	  "the invoice to the transfer status again.",
	  "Vastaanottava järjestelmä ei voinut toimittaa laskua {subject}. Korjaa sen ilmoittama "
	  "vika ja siirrä lasku takaisin siirtotilaan.",
	  "Mottakersystemet kunne ikke levere faktura {subject}. Rett det som det sier, og sett "
	  "fakturaen tilbake i overføringsstatus." },
	{ "delivery_pending_long", "operator",
	  "Invoice {subject} was sent over a week ago, and the receiving system has not said yet "
	  "what "
	  "became of it. Look there; it is not sent again.",
	  "Lasku {subject} lähetettiin yli viikko sitten, eikä vastaanottava järjestelmä ole vielä "
	  "kertonut, perillekö se meni. Tarkista sieltä; sitä ei lähetetä uudelleen.",
	  "Faktura {subject} ble sendt for over en uke siden, og mottakersystemet har ennå ikke "
	  "sagt "
	  "hvordan det gikk. Se etter der; den sendes ikke på nytt." },
	{ "recipient_email_missing", "source_user",
	  "Customer {subject} is to get invoices by e-mail, but has no e-mail address. Fill it in "
	  "on "
	  "the customer card.",
	  "Asiakkaan {subject} laskut lähetetään sähköpostilla, mutta osoite puuttuu. Täydennä se "
	  "asiakaskortille.",
	  "Kunden {subject} skal få fakturaer på e-post, men har ingen e-postadresse. Fyll den ut "
	  "på "
	  "kundekortet." },
	{ "settings_refused", "admin",
	  "{subject} did not take the connection's settings; invoices wait until it does. Check "
	  "the "
	  "settings and that the key's user is an administrator there, or change them at {subject} "
	  "and leave them empty here.",
	  "{subject} ei hyväksynyt yhteyden asetuksia; laskut odottavat. Tarkista asetukset ja "
	  "että "
	  "avaimen käyttäjä on siellä pääkäyttäjä, tai tee ne palvelussa {subject} ja jätä ne "
	  "täällä "
	  "tyhjiksi.",
	  "{subject} godtok ikke innstillingene til forbindelsen; fakturaene venter. Kontroller "
	  "innstillingene og at nøkkelens bruker er administrator der, eller sett dem hos "
	  "{subject} og "
	  "la dem stå tomme her." },
	{ "refused_by_target", "source_user", "The target refused what was sent: {subject}.",
	  "Kohdejärjestelmä hylkäsi lähetetyn: {subject}.",
	  "Målsystemet avviste det som ble sendt: {subject}." },
	{ "period_locked", "target_user",
	  "The accounting period is locked in the finance system ({subject}).",
	  "Kirjanpitokausi on lukittu taloushallinnon järjestelmässä ({subject}).",
	  "Regnskapsperioden er låst i regnskapssystemet ({subject})." },
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
	{ "status_unknown", "admin",
	  "The invoice status {subject} does not exist in Severa. Add it there, or correct it in "
	  "the connection's settings.",
	  "Laskun tilaa {subject} ei ole Severassa. Lisää se sinne tai korjaa se yhteyden "
	  "asetuksiin.",
	  "Fakturastatusen {subject} finnes ikke i Severa. Legg den til der, eller rett den i "
	  "forbindelsens innstillinger." },
	{ "status_ambiguous", "admin",
	  "Several invoice statuses in Severa are called {subject}. Choose the status by its guid.",
	  "Severassa on useita laskun tiloja nimellä {subject}. Valitse tila tunnisteella (guid).",
	  "Flere fakturastatuser i Severa heter {subject}. Velg statusen med dens guid." },
	{ "doubt_unsettled", "operator",
	  "Nobody can tell whether {subject} arrived: the receiving system cannot be asked. Look "
	  "there: if it is there, order arrived; if it is not, order resend with despite_doubt.",
	  "Ei tiedetä, menikö {subject} perille: vastaanottavalta järjestelmältä ei voi kysyä. "
	  "Tarkista sieltä: jos se on perillä, anna arrived; jos ei, lähetä uudelleen "
	  "(resend, despite_doubt).",
	  "Ingen vet om {subject} kom fram: mottakersystemet kan ikke spørres. Se etter der: er "
	  "den "
	  "der, gi arrived; er den ikke der, send på nytt (resend, despite_doubt)." },
	{ "sent_before_loss", "operator",
	  "The relay has lost its records, and {subject} is older: it may have been sent before. "
	  "Look in the receiving system: if it is there, order arrived; if it is not, order "
	  "resend.",
	  "Välityspalvelun kirjanpito on hävinnyt, ja {subject} on sitä vanhempi: se on voitu jo "
	  "lähettää. Tarkista vastaanottavasta järjestelmästä: jos se on perillä, anna arrived; "
	  "jos "
	  "ei, lähetä uudelleen (resend).",
	  "Tjenesten har mistet sine opplysninger, og {subject} er eldre: den kan være sendt før. "
	  "Se etter i mottakersystemet: er den der, gi arrived; er den ikke der, send på nytt "
	  "(resend)." },
	{ "employee_number_missing", "admin",
	  "{subject} has no employee number: enter it in the connection's setting "
	  "travel.employees.",
	  "Henkilöllä {subject} ei ole työntekijänumeroa: lisää se yhteyden asetukseen "
	  "travel.employees.",
	  "{subject} har ikke ansattnummer: oppgi det i forbindelsens innstilling "
	  "travel.employees." },
	{ "travel_ratio_missing", "admin",
	  "The travel expense type {subject} has no ratio: enter the name of Netvisor's in the "
	  "connection's setting travel.ratios.",
	  "Matkakululajilla {subject} ei ole laskentaperustetta: lisää Netvisorin perusteen nimi "
	  "yhteyden asetukseen travel.ratios.",
	  "Reiseutgiftstypen {subject} har ingen sats: oppgi navnet i Netvisor i forbindelsens "
	  "innstilling travel.ratios." },
	{ "travel_price_missing", "source_user",
	  "The travel expense {subject} has no unit cost in Severa. Fill it in.",
	  "Matkakululla {subject} ei ole yksikkökustannusta Severassa. Täydennä se.",
	  "Reiseutgiften {subject} har ingen enhetskostnad i Severa. Fyll den ut." },
	{ "travel_currency", "source_user",
	  "The travel expense {subject} is in a foreign currency, which a travel invoice in "
	  "Netvisor cannot hold. Enter it there by hand.",
	  "Matkakulu {subject} on vieraassa valuutassa, jota Netvisorin matkalasku ei tunne. "
	  "Kirjaa "
	  "se siellä käsin.",
	  "Reiseutgiften {subject} er i fremmed valuta, som en reiseregning i Netvisor ikke tar. "
	  "Før den der for hånd." },
	{ "travel_sum_mismatch", "source_user",
	  "The travel invoice's sum and its lines do not agree ({subject}). Correct it in Severa.",
	  "Matkalaskun summa ja rivit eivät täsmää ({subject}). Korjaa se Severassa.",
	  "Reiseregningens sum og linjer stemmer ikke ({subject}). Rett den i Severa." },
	{ "travel_rows_missing", "source_user", "Travel invoice {subject} has no lines.",
	  "Matkalaskulla {subject} ei ole rivejä.", "Reiseregning {subject} har ingen linjer." },
	{ "travel_advance", "source_user",
	  "Travel invoice {subject} has an advance payment, which cannot be sent along: it would "
	  "be "
	  "paid twice. Enter it in Netvisor by hand.",
	  "Matkalaskulla {subject} on ennakko, jota ei voi lähettää mukana: se maksettaisiin "
	  "kahdesti. Kirjaa matkalasku Netvisoriin käsin.",
	  "Reiseregning {subject} har et forskudd, som ikke kan sendes med: det ville bli betalt "
	  "to "
	  "ganger. Før reiseregningen i Netvisor for hånd." },
	{ "travel_taken", "admin",
	  "The connection {subject} relays travel invoices of the same Severa from the same "
	  "status. "
	  "Give each its own status.",
	  "Yhteys {subject} siirtää saman Severan matkalaskuja samasta tilasta. Anna kummallekin "
	  "oma "
	  "tila.",
	  "Forbindelsen {subject} overfører reiseregninger fra samme Severa og samme status. Gi "
	  "hver sin egen status." },
	{ "travel_status_unknown", "admin",
	  "The travel reimbursement status {subject} does not exist in Severa. Add it there, or "
	  "correct it in the connection's settings.",
	  "Matkalaskun tilaa {subject} ei ole Severassa. Lisää se sinne tai korjaa se yhteyden "
	  "asetuksiin.",
	  "Reiseregningsstatusen {subject} finnes ikke i Severa. Legg den til der, eller rett den "
	  "i "
	  "forbindelsens innstillinger." },
	{ "travel_status_ambiguous", "admin",
	  "Several travel reimbursement statuses in Severa are called {subject}. Choose the status "
	  "by its guid.",
	  "Severassa on useita matkalaskun tiloja nimellä {subject}. Valitse tila tunnisteella "
	  "(guid).",
	  "Flere reiseregningsstatuser i Severa heter {subject}. Velg statusen med dens guid." },
	{ "travel_status_refused", "admin",
	  "Severa did not let the travel invoice's status be set to {subject}.",
	  "Severa ei antanut asettaa matkalaskun tilaksi {subject}.",
	  "Severa lot ikke reiseregningens status settes til {subject}." },
	{ "purchase_project_unknown", "target_user",
	  "The dimension item {subject} of a purchase invoice's row is no project of Severa. "
	  "Choose "
	  "another in Netvisor, or give the project its number in Severa.",
	  "Ostolaskun rivin laskentakohde {subject} ei ole Severan projekti. Valitse Netvisorissa "
	  "toinen tai anna projektille numero Severassa.",
	  "Dimensjonen {subject} på en inngående fakturas rad er ikke et prosjekt i Severa. Velg "
	  "en "
	  "annen i Netvisor, eller gi prosjektet nummer i Severa." },
	{ "purchase_phase_unknown", "admin",
	  "The project of row {subject} has no phase of the name in purchases.phase.",
	  "Rivin {subject} projektilla ei ole asetuksen purchases.phase mukaista vaihetta.",
	  "Prosjektet til rad {subject} har ingen fase med navnet i purchases.phase." },
	{ "purchase_product_unknown", "admin",
	  "Severa has no product or travel expense type {subject}. Correct the connection's "
	  "setting "
	  "purchases.product.",
	  "Severassa ei ole tuotetta tai matkakululajia {subject}. Korjaa yhteyden asetus "
	  "purchases.product.",
	  "Severa har ikke produktet eller reiseutgiftstypen {subject}. Rett forbindelsens "
	  "innstilling purchases.product." },
	{ "purchase_without_project", "target_user",
	  "Row {subject} of the purchase invoice carries no project any more. It waits for one.",
	  "Ostolaskun rivillä {subject} ei ole enää projektia. Se odottaa projektia.",
	  "Rad {subject} på den inngående fakturaen har ikke lenger noe prosjekt. Den venter på "
	  "et." },
	{ "purchase_not_accepted", "target_user",
	  "The purchase invoice of row {subject} is not accepted any more. The row waits until it "
	  "is accepted in Netvisor.",
	  "Rivin {subject} ostolasku ei ole enää hyväksytty. Rivi odottaa, kunnes lasku "
	  "hyväksytään "
	  "Netvisorissa.",
	  "Den inngående fakturaen til rad {subject} er ikke lenger godkjent. Raden venter til "
	  "fakturaen godkjennes i Netvisor." },
	{ "credentials_refused", "admin", "{subject} refused the keys. Enter new ones.",
	  "{subject} ei hyväksy tunnuksia. Anna uudet.", "{subject} avviste nøklene. Oppgi nye." },
	{ "name_missing", "source_user", "A name is missing: {subject}.",
	  "Nimi puuttuu: {subject}.", "Et navn mangler: {subject}." },
	{ "address_incomplete", "source_user",
	  "The address of {subject} is incomplete (street, postcode, city).",
	  "Osoite on vajaa: {subject} (katu, postinumero, kaupunki).",
	  "Adressen til {subject} er ufullstendig (gate, postnummer, sted)." },
	{ "einvoice_address_missing", "source_user", "{subject} has no e-invoice address.",
	  "Verkkolaskuosoite puuttuu: {subject}.", "E-fakturaadressen mangler: {subject}." },
	{ "einvoice_address_invalid", "source_user",
	  "The e-invoice address of {subject} is not valid for this format.",
	  "Verkkolaskuosoite ei kelpaa tähän muotoon: {subject}.",
	  "E-fakturaadressen til {subject} er ugyldig i dette formatet." },
	{ "operator_invalid", "source_user",
	  "The e-invoice operator's code is not valid: {subject}.",
	  "Verkkolaskuvälittäjän tunnus ei kelpaa: {subject}.",
	  "Koden til e-fakturaoperatøren er ugyldig: {subject}." },
	{ "vat_number_missing", "source_user", "The VAT number of {subject} is missing.",
	  "ALV-numero puuttuu: {subject}.", "Mva-nummeret mangler: {subject}." },
	{ "vat_number_invalid", "source_user", "The VAT number of {subject} is not valid.",
	  "ALV-numero on virheellinen: {subject}.", "Mva-nummeret til {subject} er ugyldig." },
	{ "buyer_reference_missing", "source_user",
	  "Invoice {subject} has neither the buyer's reference nor an order number. Fill in one of "
	  "them.",
	  "Laskulta {subject} puuttuu sekä ostajan viite että tilausnumero. Täydennä jompikumpi.",
	  "Faktura {subject} har verken kjøpers referanse eller ordrenummer. Fyll ut en av dem." },
	{ "vat_category_missing", "source_user",
	  "VAT is 0 %, but the reason for it is not told: {subject}. Choose the tax category on "
	  "the customer card.",
	  "ALV on 0 %, mutta peruste puuttuu: {subject}. Valitse veroluokka asiakaskortilta.",
	  "Mva er 0 %, men grunnen mangler: {subject}. Velg avgiftskategori på kundekortet." },
	{ "vat_category_mismatch", "source_user",
	  "The VAT percentage and the tax category do not agree: {subject}.",
	  "ALV-prosentti ja veroluokka eivät sovi yhteen: {subject}.",
	  "Mva-satsen og avgiftskategorien stemmer ikke overens: {subject}." },
	{ "vat_category_mixed", "source_user",
	  "Rows outside the scope of VAT cannot stand on one e-invoice with other rows: {subject}.",
	  "Arvonlisäveron ulkopuolisia rivejä ei voi olla samalla verkkolaskulla muiden kanssa: "
	  "{subject}.",
	  "Rader utenfor mva-området kan ikke stå på samme e-faktura som andre: {subject}." },
	{ "vat_reason_missing", "source_user",
	  "The reason for the VAT exemption is missing: {subject}.",
	  "Verottomuuden peruste puuttuu: {subject}.",
	  "Grunnen til mva-fritaket mangler: {subject}." },
	{ "vat_reason_invalid", "admin",
	  "The code of the VAT exemption does not fit the tax category: {subject}.",
	  "Verottomuuden perustekoodi ei sovi veroluokkaan: {subject}.",
	  "Koden for mva-fritak passer ikke til avgiftskategorien: {subject}." },
	{ "vat_rate_not_in_force", "source_user",
	  "The VAT percentage was not in force on the day of delivery: {subject}.",
	  "ALV-prosentti ei ollut voimassa toimituspäivänä: {subject}.",
	  "Mva-satsen gjaldt ikke på leveringsdagen: {subject}." },
	{ "vat_accounting_missing", "source_user",
	  "The invoice is in a foreign currency, but its VAT in {subject} is missing.",
	  "Lasku on vieraassa valuutassa, mutta veron määrä puuttuu: {subject}.",
	  "Fakturaen er i utenlandsk valuta, men mva-beløpet mangler i {subject}." },
	{ "delivery_missing", "source_user",
	  "An intra-community sale needs the delivery date and the country of delivery: {subject}.",
	  "Yhteisömyynti vaatii toimituspäivän ja toimitusmaan: {subject}.",
	  "Salg innen EU krever leveringsdato og leveringsland: {subject}." },
	{ "bank_account_missing", "source_user", "{subject} has no bank account to be paid to.",
	  "Tilinumero puuttuu: {subject}.", "{subject} har ingen bankkonto å betale til." },
	{ "bank_account_invalid", "source_user",
	  "A bank account number or BIC is not valid: {subject}.",
	  "Tilinumero tai BIC on virheellinen: {subject}.",
	  "Et kontonummer eller en BIC er ugyldig: {subject}." },
	{ "payment_means_unknown", "admin", "This means of payment cannot be told: {subject}.",
	  "Maksutapaa ei voi ilmoittaa: {subject}.", "Betalingsmåten kan ikke oppgis: {subject}." },
	{ "reference_missing", "source_user",
	  "An invoice to a consumer needs a payment reference: {subject}.",
	  "Kuluttajalasku vaatii viitenumeron: {subject}.",
	  "En faktura til en forbruker må ha betalingsreferanse: {subject}." },
	{ "reference_invalid", "source_user", "The payment reference is not valid: {subject}.",
	  "Viitenumero on virheellinen: {subject}.",
	  "Betalingsreferansen (KID) er ugyldig: {subject}." },
	{ "row_text_missing", "source_user", "A row has neither text nor product code: {subject}.",
	  "Rivillä ei ole tekstiä eikä tuotekoodia: {subject}.",
	  "En rad har verken tekst eller produktkode: {subject}." },
	{ "field_missing", "source_user", "A value that the target needs is missing: {subject}.",
	  "Kohdejärjestelmän tarvitsema tieto puuttuu: {subject}.",
	  "En verdi som målsystemet trenger, mangler: {subject}." },
	{ "character_unsupported", "source_user",
	  "The target does not take a character in this text: {subject}. Write the text without "
	  "it.",
	  "Kohdejärjestelmä ei hyväksy tekstissä olevaa merkkiä: {subject}. Kirjoita teksti ilman "
	  "sitä.",
	  "Målsystemet tar ikke imot et tegn i teksten: {subject}. Skriv teksten uten det." },
	{ "number_too_precise", "source_user",
	  "A number has more decimals than the target takes: {subject}.",
	  "Luvussa on enemmän desimaaleja kuin kohde hyväksyy: {subject}.",
	  "Et tall har flere desimaler enn målsystemet tar imot: {subject}." },
	{ "field_too_short", "source_user", "A value is too short for the target: {subject}.",
	  "Tieto on liian lyhyt kohdejärjestelmälle: {subject}.",
	  "En verdi er for kort for målsystemet: {subject}." },
	{ "attachment_type", "source_user",
	  "An attachment is of a kind that cannot be sent: {subject}.",
	  "Liitteen tiedostomuotoa ei voi lähettää: {subject}.",
	  "Et vedlegg er av en type som ikke kan sendes: {subject}." },
	{ "company_unverified", "admin",
	  "The company has not been authenticated at {subject} yet: its approver must sign the "
	  "request that comes by e-mail. If none was sent, send it (authentications).",
	  "Yritystä ei ole vielä todennettu ({subject}): hyväksyjän on allekirjoitettava "
	  "sähköpostitse tuleva pyyntö. Jos pyyntöä ei ole lähetetty, lähetä se (authentications).",
	  "Selskapet er ikke autentisert hos {subject} ennå: godkjenneren må signere "
	  "forespørselen som kommer på e-post. Er ingen sendt, send den (authentications)." },
	{ "rights_missing", "admin",
	  "The user whose key is used lacks a right at {subject}. Give the user the right, or "
	  "enter the key of another user.",
	  "Käyttäjältä, jonka avain on käytössä, puuttuu oikeus ({subject}). Anna käyttäjälle "
	  "oikeus tai vaihda toisen käyttäjän avain.",
	  "Brukeren som nøkkelen tilhører, mangler en rettighet hos {subject}. Gi brukeren "
	  "rettigheten, eller oppgi nøkkelen til en annen bruker." },
	{ "keys_swapped", "admin",
	  "The two keys for {subject} stand in each other's place. Swap them.",
	  "Kaksi avainta ({subject}) ovat toistensa paikoilla. Vaihda ne.",
	  "De to nøklene for {subject} står på hverandres plass. Bytt dem om." },
	{ "account_not_ready", "admin", "The account cannot be used yet: {subject}.",
	  "Tiliä ei voi vielä käyttää: {subject}.", "Kontoen kan ikke brukes ennå: {subject}." },
	{ "business_id_taken", "admin",
	  "Business id {subject} has an account at Maventa already. Connect that one instead.",
	  "Y-tunnuksella {subject} on jo tili Maventassa. Yhdistä se rekisteröinnin sijaan.",
	  "Organisasjonsnummeret {subject} har allerede en konto hos Maventa. Koble til den i "
	  "stedet." },
	{ "registration_refused", "admin", "Maventa refused the registration: {subject}.",
	  "Maventa hylkäsi rekisteröinnin: {subject}.",
	  "Maventa avviste registreringen: {subject}." },
	{ "vendor_key_refused", "operator",
	  "Viesti's own key for {subject} is missing or was refused.",
	  "Viestin oma avain puuttuu tai ei kelpaa ({subject}).",
	  "Viestis egen nøkkel for {subject} mangler eller ble avvist." },
	{ "partner_account_missing", "operator",
	  "Whether {subject} has an account at Maventa cannot be asked: no partner account is set.",
	  "Ei voida kysyä, onko yrityksellä {subject} jo tili Maventassa: kumppanitiliä ei ole "
	  "asetettu.",
	  "Det kan ikke spørres om {subject} har en konto hos Maventa: ingen partnerkonto er "
	  "satt." },
	{ "period_closed", "target_user",
	  "The accounting period is closed at the target ({subject}).",
	  "Kirjanpitokausi on suljettu kohdejärjestelmässä ({subject}).",
	  "Regnskapsperioden er lukket i målsystemet ({subject})." },
	{ "ledger_currency", "operator",
	  "Invoice {subject} is in a foreign currency, which a voucher in the target's ledger "
	  "cannot hold. Enter it there by hand, or let invoices be approved (revenue.by).",
	  "Lasku {subject} on vieraassa valuutassa, jota kohdejärjestelmän kirjanpitotosite ei "
	  "tunne. Kirjaa se siellä käsin tai siirry hyväksymään laskut (revenue.by).",
	  "Faktura {subject} er i fremmed valuta, som et bilag i målsystemet ikke tar. Før den "
	  "der for hånd, eller la fakturaer godkjennes (revenue.by)." },
	{ "account_unknown", "target_user",
	  "The target has no sales account to book a row on: {subject}.",
	  "Kohdejärjestelmässä ei ole myyntitiliä, jolle rivi kirjataan: {subject}.",
	  "Målsystemet har ingen salgskonto å føre raden på: {subject}." },
	{ "account_vat_mismatch", "source_user",
	  "A row's VAT percentage is not that of its sales account at the target ({subject}). "
	  "Correct the row or its account.",
	  "Rivin ALV-prosentti ei ole sama kuin myyntitilillä kohdejärjestelmässä ({subject}). "
	  "Korjaa rivi tai sen tili.",
	  "Mva-satsen på en rad er ikke den samme som på salgskontoen i målsystemet ({subject}). "
	  "Rett raden eller kontoen." },
	{ "sum_differs_at_target", "operator",
	  "The target computes another sum than the invoice has ({subject}). It was not approved.",
	  "Kohdejärjestelmä laskee eri summan kuin laskulla on ({subject}). Laskua ei hyväksytty.",
	  "Målsystemet regner ut en annen sum enn fakturaen har ({subject}). Den ble ikke "
	  "godkjent." },
	{ "number_not_digits", "source_user",
	  "The target takes invoice numbers of digits only, without zeros before them: {subject}.",
	  "Kohdejärjestelmä hyväksyy laskunumeroksi vain numeroita ilman etunollia: {subject}.",
	  "Målsystemet tar bare imot fakturanumre av sifre uten innledende nuller: {subject}." },
	{ "draft_of_another_customer", "target_user",
	  "Talenom holds a draft of invoice {subject} for another customer. Delete the draft in "
	  "Talenom; the invoice then goes on by itself.",
	  "Talenomissa on laskun {subject} luonnos toiselle asiakkaalle. Poista luonnos "
	  "Talenomista; "
	  "lasku siirtyy sen jälkeen itsestään.",
	  "Talenom har et utkast av faktura {subject} til en annen kunde. Slett utkastet i "
	  "Talenom; "
	  "fakturaen går da videre av seg selv." },
	{ "not_yet", "nobody",
	  "The invoice is sent by itself at the next agreed time: {subject}. Nothing has to be "
	  "done.",
	  "Lasku lähetetään itsestään seuraavana sovittuna aikana: {subject}. Mitään ei tarvitse "
	  "tehdä.",
	  "Fakturaen sendes av seg selv ved neste avtalte tidspunkt: {subject}. Ingenting må "
	  "gjøres." },
	{ "einvoice_addresses_gone", "admin",
	  "Many customers have lost their e-invoice address in Severa at once ({subject}). Switch "
	  "the "
	  "parameter for e-invoice addresses of Severa's API on again; the invoices then go on by "
	  "themselves. If the addresses are gone for good, set einvoice.many_gone of the "
	  "connection "
	  "to remove (or to keep), and activate it.",
	  "Moni asiakas on menettänyt verkkolaskuosoitteensa Severassa yhtä aikaa ({subject}). "
	  "Kytke "
	  "Severan rajapinnan verkkolaskuosoitteiden parametri takaisin päälle; laskut siirtyvät "
	  "sen "
	  "jälkeen itsestään. Jos osoitteet on poistettu tarkoituksella, aseta yhteyden "
	  "einvoice.many_gone arvoon remove (tai keep) ja ota yhteys käyttöön.",
	  "Mange kunder har mistet e-fakturaadressen i Severa samtidig ({subject}). Slå på "
	  "parameteren "
	  "for e-fakturaadresser i Severas API igjen; fakturaene går da videre av seg selv. Er "
	  "adressene fjernet med vilje, sett forbindelsens einvoice.many_gone til remove (eller "
	  "keep) "
	  "og aktiver den." },
	{ "product_passive", "nobody", "Product {subject} is not in use in Severa.",
	  "Tuote {subject} ei ole käytössä Severassa.",
	  "Produktet {subject} er ikke i bruk i Severa." },
	{ "payment_account_missing", "admin",
	  "The account that payments are booked on at {subject} is not set. Enter it in the "
	  "connection's settings.",
	  "Tiliä, jolle suoritukset kirjataan ({subject}), ei ole asetettu. Lisää se yhteyden "
	  "asetuksiin.",
	  "Kontoen som betalinger føres på hos {subject}, er ikke satt. Oppgi den i forbindelsens "
	  "innstillinger." },
	{ "url_missing", "operator",
	  "The address of {subject}'s interface is not set: neither for the service nor for the "
	  "connection.",
	  "Rajapinnan osoitetta ({subject}) ei ole asetettu palvelulle eikä yhteydelle.",
	  "Adressen til grensesnittet ({subject}) er ikke satt, verken for tjenesten eller for "
	  "forbindelsen." },
	{ "company_unknown", "admin",
	  "Severa sends no invoices for {subject}. Choose a company that has a VAT number there.",
	  "Severassa ei ole laskuttavaa yritystä {subject}. Valitse yritys, jolla on siellä "
	  "ALV-numero.",
	  "Severa sender ikke fakturaer for {subject}. Velg et selskap som har mva-nummer der." },
	{ "company_differs", "admin",
	  "{subject} is another company than that of this connection. Each company has a "
	  "connection of its own.",
	  "{subject} on eri yritys kuin tämän yhteyden yritys. Jokaisella yrityksellä on oma "
	  "yhteytensä.",
	  "{subject} er et annet selskap enn denne tilkoblingens. Hvert selskap har sin egen "
	  "tilkobling." },
	{ "person_unknown", "admin", "There is no active person {subject} in Severa.",
	  "Severassa ei ole aktiivista henkilöä {subject}.",
	  "Det finnes ingen aktiv person {subject} i Severa." },
	{ "person_incomplete", "admin",
	  "The person who registers needs first name, last name and e-mail address ({subject}).",
	  "Rekisteröijällä pitää olla etunimi, sukunimi ja sähköpostiosoite ({subject}).",
	  "Den som registrerer må ha fornavn, etternavn og e-postadresse ({subject})." },
	{ "customer_code_form", "target_user",
	  "Customer {subject} has a customer code that Severa cannot keep: it must be digits only "
	  "and not "
	  "begin with 0. Change the code in Netvisor.",
	  "Asiakkaan {subject} asiakaskoodi ei kelpaa Severaan: siinä saa olla vain numeroita, "
	  "eikä se "
	  "saa alkaa nollalla. Muuta koodi Netvisorissa.",
	  "Kunden {subject} har en kundekode som Severa ikke kan ha: bare sifre, og ikke 0 først. "
	  "Endre "
	  "koden i Netvisor." },
	{ "customer_temporary", "nobody", "The temporary customer {subject} stays where it is.",
	  "Tilapäisasiakas {subject} pysyy paikallaan.",
	  "Den midlertidige kunden {subject} blir der den er." },
	{ "customer_not_in_target", "target_user",
	  "Customer {subject} does not exist in Netvisor. Customers are kept there: add it, with "
	  "this "
	  "customer code.",
	  "Asiakasta {subject} ei ole Netvisorissa. Asiakkaita ylläpidetään siellä: lisää asiakas "
	  "tällä "
	  "asiakaskoodilla.",
	  "Kunden {subject} finnes ikke i Netvisor. Kunder vedlikeholdes der: legg den til med "
	  "denne "
	  "kundekoden." },
	{ "language_unknown", "admin", "Severa has no language {subject}.",
	  "Severassa ei ole kieltä {subject}.", "Severa har ikke språket {subject}." },
	{ "direction_opposite", "admin",
	  "The connection {subject} sends the same register of this Netvisor company the other "
	  "way. Set "
	  "both the same way, or pause one of the two.",
	  "Yhteys {subject} siirtää saman Netvisor-yrityksen samaa rekisteriä toiseen suuntaan. "
	  "Aseta "
	  "molemmille sama suunta tai keskeytä toinen.",
	  "Koblingen {subject} sender det samme registeret for dette Netvisor-selskapet den andre "
	  "veien. "
	  "Sett samme retning for begge, eller sett den ene på pause." },
	{ "write_scope_missing", "admin",
	  "Severa's REST credentials lack the scope {subject}, without which nothing can be "
	  "written to "
	  "Severa. Add it to the credentials in Severa.",
	  "Severan REST-tunnuksilta puuttuu oikeus {subject}, jota ilman Severaan ei voi "
	  "kirjoittaa. "
	  "Lisää oikeus tunnuksiin Severassa.",
	  "Severas REST-nøkler mangler rettigheten {subject}, og uten den kan ingenting skrives "
	  "til "
	  "Severa. Legg den til nøklene i Severa." },
	{ "users_scope_missing", "admin",
	  "Severa's REST credentials lack the scope {subject}, so the persons cannot be listed. "
	  "Give it to them, or type name and e-mail address.",
	  "Severan REST-tunnuksilta puuttuu oikeus {subject}, joten henkilöitä ei voi luetella. "
	  "Lisää oikeus tai kirjoita nimi ja sähköpostiosoite.",
	  "Severas REST-tilgang mangler rettigheten {subject}, så personene kan ikke listes. Gi "
	  "den, eller skriv navn og e-postadresse." },
	{ "account_missing", "admin",
	  "Connection {subject} has no account at Maventa yet. Register the company, or connect "
	  "the "
	  "account that it has (registrations), then send the request.",
	  "Yhteydellä {subject} ei ole vielä tiliä Maventassa. Rekisteröi yritys tai yhdistä sen "
	  "nykyinen tili (registrations) ja lähetä pyyntö sitten.",
	  "Tilkoblingen {subject} har ingen konto hos Maventa ennå. Registrer selskapet, eller "
	  "koble "
	  "til kontoen det har (registrations), og send forespørselen deretter." },
	{ "registered_already", "admin",
	  "{subject} has its account at Maventa, and its keys stand on this connection. Send the "
	  "authentication request, or activate. Other keys are entered with mode connect.",
	  "Yrityksellä {subject} on tili Maventassa, ja sen avaimet ovat tällä yhteydellä. Lähetä "
	  "todennuspyyntö tai ota yhteys käyttöön. Muut avaimet syötetään tavalla connect.",
	  "{subject} har sin konto hos Maventa, og nøklene står på denne tilkoblingen. Send "
	  "autentiseringsforespørselen, eller aktiver. Andre nøkler skrives inn med mode "
	  "connect." },
	{ "keys_missing", "admin",
	  "The User API key of {subject} is missing. Log in at Maventa, finish the new "
	  "organisation there, and copy User API key and Company UUID.",
	  "Käyttäjän API-avain puuttuu ({subject}). Kirjaudu Maventaan, viimeistele uusi "
	  "organisaatio siellä ja kopioi käyttäjän API-avain ja yrityksen UUID.",
	  "Bruker api-nøkkel for {subject} mangler. Logg inn hos Maventa, fullfør den nye "
	  "organisasjonen der, og kopier bruker api-nøkkel og firma uuid." },
	{ "keys_unknown", "admin", "No keys of {subject} are known from before. Enter them.",
	  "Yrityksen {subject} avaimia ei tunneta entuudestaan. Syötä ne.",
	  "Ingen nøkler for {subject} er kjent fra før. Skriv dem inn." },
	{ "uuid_differs", "admin",
	  "This is not the Company UUID that the registration gave: {subject}.",
	  "Tämä ei ole rekisteröinnin antama yrityksen UUID: {subject}.",
	  "Dette er ikke firma uuid-en som registreringen ga: {subject}." },
	{ "registration_lost", "admin",
	  "The registration of {subject} did not reach Maventa. Register again.",
	  "Yrityksen {subject} rekisteröinti ei mennyt perille Maventaan. Rekisteröi uudelleen.",
	  "Registreringen av {subject} kom ikke frem til Maventa. Registrer på nytt." },
	{ "answer_unreadable", "vendor",
	  "An answer of the source cannot be read ({subject}). Whoever runs the integration should "
	  "look.",
	  "Lähdejärjestelmän vastausta ei voi lukea ({subject}). Integraation ylläpitäjän pitää "
	  "tarkistaa se.",
	  "Et svar fra kildesystemet kan ikke leses ({subject}). Den som drifter integrasjonen, må "
	  "se på det." },
	/* Errors without a case of their own, by what they mean (err_code_name). */
	{ "outage", "nobody", "A system does not answer. It is tried again by itself.",
	  "Järjestelmä ei vastaa. Yritetään itsestään uudelleen.",
	  "Et system svarer ikke. Det prøves igjen av seg selv." },
	{ "quota", "nobody", "A system asked to slow down. It goes on by itself.",
	  "Järjestelmä pyysi hidastamaan. Siirto jatkuu itsestään.",
	  "Et system ba oss vente. Det fortsetter av seg selv." },
	{ "doubt", "nobody",
	  "It is not certain whether the document arrived. The target is asked before anything is "
	  "sent again.",
	  "Ei ole varmaa, menikö tosite perille. Kohdejärjestelmältä kysytään, ennen kuin mitään "
	  "lähetetään uudelleen.",
	  "Det er usikkert om dokumentet kom frem. Målsystemet spørres før noe sendes på nytt." },
	{ "waiting", "nobody", "Something must happen first. It is looked at again by itself.",
	  "Jotain pitää tapahtua ensin. Katsotaan itsestään uudelleen.",
	  "Noe må skje først. Det sjekkes igjen av seg selv." },
	{ "run_lost", "operator",
	  "The service stopped each time it worked on the document. See the service's log, then "
	  "try again.",
	  "Palvelu pysähtyi joka kerta, kun se käsitteli asiakirjaa. Katso palvelun loki ja yritä "
	  "sitten uudelleen.",
	  "Tjenesten stoppet hver gang den behandlet dokumentet. Se tjenestens logg og prøv så "
	  "igjen." },
	{ "data", "operator", "The document was refused. See the detail.",
	  "Tosite hylättiin. Katso tarkemmat tiedot.", "Dokumentet ble avvist. Se detaljene." },
	{ "duplicate", "operator",
	  "The target says that it has this already, but it was not found there. A person must "
	  "look.",
	  "Kohdejärjestelmä ilmoittaa, että tieto on jo siellä, mutta sitä ei löytynyt. Tarkista "
	  "käsin.",
	  "Målsystemet sier at det har dette allerede, men det ble ikke funnet. En person må se på "
	  "det." },
	{ "soap_key", "admin",
	  "This looks like a SOAP API key. Make REST credentials in Severa: Settings, "
	  "Integrations, "
	  "REST API, Create client credentials; and enter the client id and the client secret.",
	  "Tämä näyttää SOAP-rajapinnan avaimelta. Luo REST-tunnukset Severassa: Asetukset, "
	  "Integraatiot, REST API, Luo tunnukset; ja syötä client id ja client secret.",
	  "Dette ser ut som en SOAP API-nøkkel. Lag REST-tilgang i Severa: Innstillinger, "
	  "Integrasjoner, REST API, Opprett; og oppgi client id og client secret." },
	{ "scope_missing", "admin",
	  "The keys lack the right {subject}. Give it to them where they were made, or to their "
	  "user.",
	  "Tunnuksilta puuttuu oikeus {subject}. Anna se siellä, missä tunnukset luotiin, tai "
	  "niiden "
	  "käyttäjälle.",
	  "Nøklene mangler rettigheten {subject}. Gi den der nøklene ble laget, eller til brukeren "
	  "deres." },
	{ "status_inactive", "admin",
	  "The invoice status {subject} is not active. Activate it in Severa, or choose another.",
	  "Laskun tila {subject} ei ole käytössä. Ota se käyttöön Severassa tai valitse toinen.",
	  "Fakturastatusen {subject} er ikke aktiv. Aktiver den i Severa, eller velg en annen." },
	{ "status_without_number", "admin",
	  "The invoice status {subject} gives the invoice no number. Change that in Severa, or "
	  "choose "
	  "another.",
	  "Laskun tila {subject} ei anna laskulle numeroa. Muuta se Severassa tai valitse toinen "
	  "tila.",
	  "Fakturastatusen {subject} gir ikke fakturaen nummer. Endre det i Severa, eller velg en "
	  "annen." },
	{ "statuses_same", "admin", "Two of the statuses are the same. Choose different ones.",
	  "Kaksi tilaa on samoja. Valitse eri tilat.",
	  "To av statusene er like. Velg forskjellige." },
	{ "status_is_sent", "admin",
	  "Status of invoices to be transferred can not be sent. In Severa: Settings, Invoicing, "
	  "Invoice statuses, open {subject}, clear Sent, save; then activate again.",
	  "Siirrettävien laskujen tila ei voi olla Lähetetty. Severassa: Asetukset, Laskutus, "
	  "Laskun "
	  "tilat, avaa {subject}, poista valinta Lähetetty, tallenna ja ota yhteys uudelleen "
	  "käyttöön.",
	  "Statusen til fakturaer som skal overføres, kan ikke være Sendt. I Severa: "
	  "Innstillinger, "
	  "Fakturering, Fakturastatuser, åpne {subject}, fjern Sendt, lagre; og aktiver på nytt." },
	{ "print_is_off", "admin",
	  "Invoices are not sent by e-mail, and the print service of {subject} is off: those of "
	  "customers without an e-invoice address will fail. Switch it on here (print.enabled) or "
	  "there.",
	  "Laskuja ei lähetetä sähköpostitse, ja tulostuspalvelu ({subject}) on poissa käytöstä: "
	  "niiden asiakkaiden laskut epäonnistuvat, joilla ei ole verkkolaskuosoitetta. Ota "
	  "palvelu "
	  "käyttöön täällä (print.enabled) tai siellä.",
	  "Fakturaer sendes ikke på e-post, og utskriftstjenesten til {subject} er av: fakturaer "
	  "til "
	  "kunder uten e-fakturaadresse vil feile. Slå den på her (print.enabled) eller der." },
	{ "sees_own_only", "admin",
	  "The user of the API key sees only invoices of its own, so that one made by another key "
	  "would "
	  "not be found. Let it see all sales invoices.",
	  "API-avaimen käyttäjä näkee vain omat laskunsa, joten toisella avaimella tehtyä laskua "
	  "ei "
	  "löydettäisi. Anna käyttäjälle oikeus nähdä kaikki myyntilaskut.",
	  "Brukeren av API-nøkkelen ser bare egne fakturaer, så en som er laget med en annen "
	  "nøkkel, "
	  "ville ikke bli funnet. La den se alle salgsfakturaer." },
	{ "iban_unknown", "admin",
	  "{subject} is not an active account of the company. Choose one that is.",
	  "{subject} ei ole yrityksen käytössä oleva tili. Valitse käytössä oleva tili.",
	  "{subject} er ikke en aktiv konto for selskapet. Velg en som er det." },
	{ "vat_percent_unknown", "admin",
	  "VAT of {subject} % is not in use for the company's sales. Choose another in the "
	  "settings.",
	  "Arvonlisäverokanta {subject} % ei ole käytössä yrityksen myynnissä. Valitse asetuksista "
	  "toinen.",
	  "Mva-satsen {subject} % er ikke i bruk for selskapets salg. Velg en annen i "
	  "innstillingene." },
	{ "vat_status_unknown", "admin",
	  "The VAT status of the settings does not exist for the company's sales. Choose another.",
	  "Asetusten ALV-käsittelyä ei ole yrityksen myynnissä. Valitse toinen.",
	  "Mva-statusen i innstillingene finnes ikke for selskapets salg. Velg en annen." },
	{ "start_missing", "admin",
	  "Say in the settings from which day on finished tasks are relayed.",
	  "Kerro asetuksissa, mistä päivästä alkaen valmiit tehtävät siirretään.",
	  "Angi i innstillingene fra hvilken dag ferdige oppgaver overføres." },
	{ "document_unknown", "source_user",
	  "The source has no document {subject}. Look its id up there, and ask again.",
	  "Lähdejärjestelmässä ei ole tositetta {subject}. Tarkista tunniste siellä ja kysy "
	  "uudelleen.",
	  "Kildesystemet har ikke bilaget {subject}. Finn id-en der, og spør på nytt." },
	{ "connection_deleted", "nobody", "The connection was deleted before this was sent.",
	  "Yhteys poistettiin, ennen kuin tämä lähetettiin.",
	  "Tilkoblingen ble slettet før dette ble sendt." },
	{ "not_found", "source_user",
	  "Something that the document refers to does not exist any more.",
	  "Jotain, johon tosite viittaa, ei enää ole.",
	  "Noe som dokumentet viser til, finnes ikke lenger." },
	{ "conflict", "operator", "It was changed at the same time by somebody else.",
	  "Joku muu muutti sitä samaan aikaan.", "Noen andre endret det samtidig." },
	{ "input", "operator", "The connection's settings do not fit the document. See the detail.",
	  "Yhteyden asetukset eivät sovi tositteeseen. Katso tarkemmat tiedot.",
	  "Tilkoblingens innstillinger passer ikke til dokumentet. Se detaljene." },
	{ "limit", "operator", "The document is larger than the service handles.",
	  "Tosite on suurempi kuin palvelu käsittelee.",
	  "Dokumentet er større enn tjenesten håndterer." },
	{ "memory", "operator", "The service is short of memory. It is tried again by itself.",
	  "Palvelun muisti on lopussa. Yritetään itsestään uudelleen.",
	  "Tjenesten mangler minne. Det prøves igjen av seg selv." },
	{ "system", "operator", "Something is broken on our side or theirs. See the detail.",
	  "Jokin on rikki meillä tai toisessa järjestelmässä. Katso tarkemmat tiedot.",
	  "Noe er galt hos oss eller hos dem. Se detaljene." },
	{ NULL, NULL, NULL, NULL, NULL },
};

const struct reason *reason_find(const char *code)
{
	for (const struct reason *r = reasons; code && r->code; r++)
		if (strcmp(r->code, code) == 0)
			return r;
	return NULL;
}

/* Subjects that the code says in English, where people read another language. Whole, or followed by
 * a number or a colon. */
static const struct {
	const char *en, *fi, *nb;
} subjects[] = {
	{ "row", "rivi", "rad" },
	{ "invoice date", "laskun päivä", "fakturadato" },
	{ "due date", "eräpäivä", "forfallsdato" },
	{ "entry date", "kirjauspäivä", "bokføringsdato" },
	{ "total without VAT", "veroton summa", "sum uten mva" },
	{ "VAT", "ALV", "mva" },
	{ "total", "loppusumma", "totalsum" },
	{ "customer name", "asiakkaan nimi", "kundens navn" },
	{ "street address", "katuosoite", "gateadresse" },
	{ "postcode", "postinumero", "postnummer" },
	{ "city", "postitoimipaikka", "poststed" },
	{ "product code", "tuotekoodi", "produktkode" },
	{ "product name", "tuotteen nimi", "produktnavn" },
	{ "product unit", "tuotteen yksikkö", "produktets enhet" },
	{ "dimension item", "laskentakohde", "dimensjon" },
	{ "dimension code", "laskentakohteen koodi", "dimensjonskode" },
	{ "attachment name", "liitteen nimi", "vedleggets navn" },
};

static void put_subject(const char *subject, bool is_fi, bool is_nb, struct strbuf *out)
{
	for (size_t i = 0; (is_fi || is_nb) && i < ARRAY_SIZE(subjects); i++) {
		size_t n = strlen(subjects[i].en);
		bool begins = strncmp(subject, subjects[i].en, n) == 0;
		bool is_digit = begins && subject[n] == ' ' && subject[n + 1] >= '0' &&
				subject[n + 1] <= '9';
		if (!begins || (subject[n] && subject[n] != ':' && !is_digit))
			continue;
		strbuf_addstr(out, is_fi ? subjects[i].fi : subjects[i].nb);
		strbuf_addstr(out, subject + n);
		return;
	}
	strbuf_addstr(out, subject[0] ? subject : "-");
}

void reason_sentence(const struct reason *r, const char *language, const char *subject,
		     struct strbuf *out)
{
	bool is_fi = language && strncasecmp(language, "fi", 2) == 0;
	bool is_nb = language &&
		     (strncasecmp(language, "nb", 2) == 0 || strncasecmp(language, "no", 2) == 0);
	const char *text = is_fi ? r->fi : is_nb ? r->nb : r->en;
	static const char mark[] = "{subject}";
	const char *at = strstr(text, mark);
	if (!at) {
		strbuf_addstr(out, text);
		return;
	}
	strbuf_add(out, text, (size_t)(at - text));
	put_subject(subject ? subject : "", is_fi, is_nb, out);
	strbuf_addstr(out, at + sizeof(mark) - 1);
}
