/*
 * dialogues.c: the tables of registration and authentication: what a body may hold, which states
 * there are, and what is to be done next, in words (MV-01 to MV-07).
 */
#include "base/base.h"
#include "dialogues.h"

/* --- bodies --- */

#define TEXT(name, doc)                                    \
	{                                                  \
		name, SETTING_TEXT, NULL, NULL, false, doc \
	}

static const struct setting create_takes[] = {
	{ "mode", SETTING_ENUM, "register|connect", NULL, true,
	  "register: a company that has no account at Maventa; connect: one that has." },
	{ "company", SETTING_TEXT, NULL, NULL, true, "VAT number of the company, of candidates." },
	TEXT("person", "Id of the Severa user who becomes the account's user."),
	TEXT("first_name", "Instead of the person's."),
	TEXT("last_name", "Instead of the person's."),
	{ "email", SETTING_EMAIL, NULL, NULL, false, "Instead of the person's." },
	TEXT("phone", "The person's phone number."),
	TEXT("company_name", "Instead of Severa's name of the company."),
	{ "company_email", SETTING_EMAIL, NULL, NULL, false, "Instead of the person's address." },
	TEXT("address.street", "Instead of Severa's."),
	TEXT("address.street2", "Second line of the street address."),
	TEXT("address.postcode", "Instead of Severa's."),
	TEXT("address.city", "Instead of Severa's."),
	TEXT("company_uuid", "Company UUID of the account (connect)."),
	TEXT("user_api_key", "User API key of one of its users (connect)."),
	{ "use_known_keys", SETTING_BOOL, NULL, NULL, false,
	  "Take the keys that candidates shows as known (connect)." },
};

static const struct setting keys_takes[] = {
	{ "company_uuid", SETTING_TEXT, NULL, NULL, true, "Company UUID, as Maventa shows it." },
	{ "user_api_key", SETTING_TEXT, NULL, NULL, true, "User API key, as Maventa shows it." },
};

static const struct setting cancel_takes[] = {
	{ "despite_doubt", SETTING_BOOL, NULL, NULL, false,
	  "Somebody has looked at Maventa: the company is not there." },
};

static const struct setting authentication_takes[] = {
	TEXT("approver.name", "Who signs; not given: the person who registered."),
	{ "approver.email", SETTING_EMAIL, NULL, NULL, false,
	  "Where the request is sent; not given: to the person who registered." },
	{ "language", SETTING_ENUM, "FI|NO|SE|EN|NL|BE", NULL, false,
	  "Language of the e-mail; not given: that of the company's country." },
};

/* --- registrations --- */

static const struct dialogue_state registration_states[] = {
	{ ACCEPTED, DIALOGUE_WORKS, NULL, "Viesti is registering the company at Maventa.",
	  "Viesti rekisteröi yritystä Maventaan.", "Viesti registrerer selskapet hos Maventa." },
	{ REGISTERING, DIALOGUE_WORKS, NULL, "Viesti is registering the company at Maventa.",
	  "Viesti rekisteröi yritystä Maventaan.", "Viesti registrerer selskapet hos Maventa." },
	{ IN_DOUBT, DIALOGUE_WORKS, NULL,
	  "Maventa's answer was lost. Viesti finds out whether the company was registered; it is "
	  "not registered twice.",
	  "Maventan vastaus katosi. Viesti selvittää, rekisteröityikö yritys; sitä ei rekisteröidä "
	  "kahdesti.",
	  "Maventas svar gikk tapt. Viesti finner ut om selskapet ble registrert; det registreres "
	  "ikke to ganger." },
	{ STORING, DIALOGUE_WORKS, NULL, "Viesti is storing what Maventa answered.",
	  "Viesti tallentaa Maventan vastausta.", "Viesti lagrer Maventas svar." },
	{ CHECKING, DIALOGUE_WORKS, NULL, "Viesti is checking the keys at Maventa.",
	  "Viesti tarkistaa avaimia Maventasta.", "Viesti sjekker nøklene hos Maventa." },
	{ USER_EXISTS, DIALOGUE_RESTS, "PUT registrations/{}/keys",
	  "The company is registered. The person has an account at Maventa already, so the User "
	  "API key was not given: log in at Maventa, finish the new organisation there, sign, copy "
	  "User API key and Company UUID, and enter both here.",
	  "Yritys on rekisteröity. Henkilöllä on jo Maventa-tili, joten käyttäjän API-avainta ei "
	  "saatu: kirjaudu Maventaan, viimeistele uusi organisaatio, allekirjoita, kopioi "
	  "käyttäjän "
	  "API-avain ja yrityksen UUID ja syötä molemmat tähän.",
	  "Selskapet er registrert. Personen har allerede en konto hos Maventa, så bruker "
	  "api-nøkkel ble ikke gitt: logg inn hos Maventa, fullfør den nye organisasjonen, signer, "
	  "kopier bruker api-nøkkel og firma uuid, og skriv inn begge her." },
	{ ANSWER_LOST, DIALOGUE_RESTS, "PUT registrations/{}/keys",
	  "The company was registered, but the answer with its keys was lost. The person logs in "
	  "at Maventa, copies User API key and Company UUID, and both are entered here.",
	  "Yritys rekisteröityi, mutta avaimet sisältänyt vastaus katosi. Henkilö kirjautuu "
	  "Maventaan ja kopioi käyttäjän API-avaimen ja yrityksen UUID:n, ja molemmat syötetään "
	  "tähän.",
	  "Selskapet ble registrert, men svaret med nøklene gikk tapt. Personen logger inn hos "
	  "Maventa, kopierer bruker api-nøkkel og firma uuid, og begge skrives inn her." },
	{ UNCLEAR, DIALOGUE_RESTS, "PUT registrations/{}/keys",
	  "Nobody knows whether the company was registered. Look at Maventa: if it is there, enter "
	  "its keys here; if it is not, cancel with despite_doubt and register again.",
	  "Ei tiedetä, rekisteröityikö yritys. Katso Maventasta: jos yritys on siellä, syötä sen "
	  "avaimet tähän; jos ei, peruuta (despite_doubt) ja rekisteröi uudelleen.",
	  "Ingen vet om selskapet ble registrert. Se hos Maventa: er det der, skriv inn nøklene "
	  "her; hvis ikke, avbryt med despite_doubt og registrer på nytt." },
	{ REGISTERED, DIALOGUE_ENDED, "POST authentications",
	  "The keys stand on the connection. Send the authentication request; the other settings "
	  "take effect when it is signed.",
	  "Avaimet ovat yhteydellä. Lähetä todennuspyyntö; muut asetukset tulevat voimaan, kun se "
	  "on allekirjoitettu.",
	  "Nøklene står på tilkoblingen. Send autentiseringsforespørselen; de andre innstillingene "
	  "trer i kraft når den er signert." },
	{ VERIFIED, DIALOGUE_ENDED, DIALOGUE_ACTIVATE,
	  "The company is authenticated at Maventa. Make the other settings and activate the "
	  "connection.",
	  "Yritys on todennettu Maventassa. Tee muut asetukset ja ota yhteys käyttöön.",
	  "Selskapet er autentisert hos Maventa. Gjør de andre innstillingene og aktiver "
	  "tilkoblingen." },
	{ REFUSED, DIALOGUE_ENDED, "POST registrations",
	  "It was refused, and nothing was changed. Mend what error says, and try again.",
	  "Se hylättiin, eikä mitään muutettu. Korjaa, mitä error kertoo, ja yritä uudelleen.",
	  "Den ble avvist, og ingenting er endret. Rett det error sier, og prøv igjen." },
	{ NOT_REGISTERED, DIALOGUE_ENDED, "POST registrations",
	  "The registration did not reach Maventa. Register again.",
	  "Rekisteröinti ei mennyt perille Maventaan. Rekisteröi uudelleen.",
	  "Registreringen kom ikke frem til Maventa. Registrer på nytt." },
	{ CANCELLED, DIALOGUE_ENDED, "POST registrations", "It was cancelled.", "Se peruutettiin.",
	  "Den ble avbrutt." },
};

static const struct dialogue_act registration_acts[] = {
	{ "", create_takes, ARRAY_SIZE(create_takes), sm_take_registration },
	{ "keys", keys_takes, ARRAY_SIZE(keys_takes), sm_take_keys },
	{ "cancel", cancel_takes, ARRAY_SIZE(cancel_takes), sm_take_cancel },
};

static const char *const registration_shown[] = {
	"mode", "company", "person", "company_uuid", "has_user_key", "einvoice_address", NULL
};

/* --- authentications --- */

static const struct dialogue_state authentication_states[] = {
	{ SENDING, DIALOGUE_WORKS, NULL, "Viesti is sending the request.",
	  "Viesti lähettää pyyntöä.", "Viesti sender forespørselen." },
	{ LOOKING, DIALOGUE_WORKS, NULL, "Viesti is asking Maventa.", "Viesti kysyy Maventalta.",
	  "Viesti spør Maventa." },
	{ WAITING, DIALOGUE_RESTS, "POST authentications/{}/refresh",
	  "The approver got an e-mail and signs with strong authentication. Viesti looks now and "
	  "then whether it is done; refresh looks at once.",
	  "Hyväksyjä sai sähköpostin ja allekirjoittaa vahvasti tunnistautuneena. Viesti katsoo "
	  "aika ajoin, onko se tehty; refresh katsoo heti.",
	  "Godkjenneren fikk en e-post og signerer med sterk autentisering. Viesti ser etter av og "
	  "til; refresh ser etter med en gang." },
	{ UNANSWERED, DIALOGUE_RESTS, "POST authentications",
	  "Nobody has signed for a long time, and Viesti does not look by itself any more. Send "
	  "the request again, or refresh.",
	  "Kukaan ei ole allekirjoittanut pitkään aikaan, eikä Viesti enää katso itse. Lähetä "
	  "pyyntö uudelleen tai päivitä (refresh).",
	  "Ingen har signert på lenge, og Viesti ser ikke lenger etter av seg selv. Send "
	  "forespørselen på nytt, eller oppdater (refresh)." },
	{ VERIFIED, DIALOGUE_ENDED, DIALOGUE_ACTIVATE,
	  "The company is authenticated at Maventa. Make the other settings and activate the "
	  "connection.",
	  "Yritys on todennettu Maventassa. Tee muut asetukset ja ota yhteys käyttöön.",
	  "Selskapet er autentisert hos Maventa. Gjør de andre innstillingene og aktiver "
	  "tilkoblingen." },
	{ REFUSED, DIALOGUE_ENDED, "POST authentications",
	  "Maventa did not take the request. Mend what error says, and send it again.",
	  "Maventa ei ottanut pyyntöä vastaan. Korjaa, mitä error kertoo, ja lähetä uudelleen.",
	  "Maventa tok ikke imot forespørselen. Rett det error sier, og send på nytt." },
	{ CANCELLED, DIALOGUE_ENDED, "POST authentications",
	  "The request was cancelled at Maventa. Send another one.",
	  "Pyyntö peruutettiin Maventassa. Lähetä uusi.",
	  "Forespørselen ble kansellert hos Maventa. Send en ny." },
	{ REPLACED, DIALOGUE_ENDED, NULL, "A newer request took its place.",
	  "Uudempi pyyntö korvasi sen.", "En nyere forespørsel tok dens plass." },
};

static const struct dialogue_act authentication_acts[] = {
	{ "", authentication_takes, ARRAY_SIZE(authentication_takes), sm_take_authentication },
	{ "refresh", NULL, 0, sm_take_refresh },
};

static const char *const authentication_shown[] = { "approver", "language", "auth_state",
						    "company_state", NULL };

const struct dialogue sm_dialogues[SM_N_DIALOGUES] = {
	{ .name = REGISTRATIONS,
	  .states = registration_states,
	  .n_states = ARRAY_SIZE(registration_states),
	  .acts = registration_acts,
	  .n_acts = ARRAY_SIZE(registration_acts),
	  .shown = registration_shown,
	  .candidates = sm_candidates,
	  .proceed = sm_register },
	{ .name = AUTHENTICATIONS,
	  .states = authentication_states,
	  .n_states = ARRAY_SIZE(authentication_states),
	  .acts = authentication_acts,
	  .n_acts = ARRAY_SIZE(authentication_acts),
	  .shown = authentication_shown,
	  .proceed = sm_authenticate },
};
