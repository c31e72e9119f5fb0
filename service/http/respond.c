/*
 * respond.c: answers. The only file that maps an error to an HTTP status and to the sentence a user
 * reads (RFC 9457; Accept-Language en, fi, nb).
 */
#include "base/base.h"

#include "base/log.h"
#include "model/reason.h"
#include "request.h"

#define PROBLEM_MAX_BYTES 8192
#define DEFAULT_RETRY_S 2

/* Codes of this API beside the reasons of model/reason.h. */
struct problem_row {
	const char *code;
	int status;
	const char *en, *fi, *nb;
};
static const struct problem_row problems[] = {
	{ "unauthorized", 401, "A valid API token is needed.",
	  "Tarvitaan voimassa oleva API-tunniste.", "Et gyldig API-token kreves." },
	{ "forbidden", 403, "This API token may not do that.",
	  "Tällä API-tunnisteella ei ole oikeutta tähän.",
	  "Dette API-tokenet har ikke rett til dette." },
	{ "not_found", 404, "There is no such resource.", "Kohdetta ei ole.",
	  "Ressursen finnes ikke." },
	{ "method_not_allowed", 405, "This resource does not know that method.",
	  "Kohde ei tue tätä metodia.", "Ressursen støtter ikke denne metoden." },
	{ "malformed_request", 400, "The request is malformed.", "Pyyntö on virheellinen.",
	  "Forespørselen er ugyldig." },
	{ "malformed_json", 400, "The body is not valid JSON.",
	  "Sisältö ei ole kelvollista JSONia.", "Innholdet er ikke gyldig JSON." },
	{ "unknown_member", 422, "A member of the body is not known.",
	  "Sisällössä on tuntematon kenttä.", "Innholdet har et ukjent felt." },
	{ "unknown_parameter", 400, "A query parameter is not known.",
	  "Osoitteessa on tuntematon parametri.", "En parameter i adressen er ukjent." },
	{ "value_invalid", 422, "A value is not allowed.", "Arvo ei kelpaa.",
	  "En verdi er ikke tillatt." },
	{ "value_missing", 422, "A required value is missing.", "Pakollinen arvo puuttuu.",
	  "En påkrevd verdi mangler." },
	{ "body_too_large", 413, "The body is too large.", "Sisältö on liian suuri.",
	  "Innholdet er for stort." },
	{ "unsigned", 401, "The webhook is not signed.", "Webhook-viestiä ei ole allekirjoitettu.",
	  "Webhooken er ikke signert." },
	{ "timestamp_late", 401, "The webhook's timestamp is more than five minutes off.",
	  "Webhook-viestin aikaleima poikkeaa yli viisi minuuttia.",
	  "Webhookens tidsstempel avviker mer enn fem minutter." },
	{ "signature_invalid", 401, "The webhook's signature fits no live secret.",
	  "Webhook-viestin allekirjoitus ei vastaa mitään voimassa olevaa salaisuutta.",
	  "Webhookens signatur passer ikke til noen gyldig hemmelighet." },
	{ "connection_not_active", 409, "The connection does not take webhooks now.",
	  "Yhteys ei ota nyt vastaan webhook-viestejä.",
	  "Tilkoblingen tar ikke imot webhooks nå." },
	{ "precondition_missing", 428, "Send If-Match with the ETag you read.",
	  "Lähetä If-Match ja lukemasi ETag.", "Send If-Match med ETag-en du leste." },
	{ "stale", 412, "It was changed meanwhile. Read it again.",
	  "Sitä on muutettu välillä. Lue se uudelleen.",
	  "Den er endret i mellomtiden. Les den på nytt." },
	{ "state", 409,
	  "That is not possible in its present state. Read it again: its state, and next where it "
	  "has one, say what has to be done first.",
	  "Se ei ole mahdollista nykyisessä tilassa. Lue kohde uudelleen: sen tila (state) ja, jos "
	  "on, next kertovat, mitä on tehtävä ensin.",
	  "Det er ikke mulig i nåværende tilstand. Les den på nytt: tilstanden (state), og next "
	  "der "
	  "den finnes, sier hva som må gjøres først." },
	{ "in_doubt", 409,
	  "A sending of it is unclear: it may be at the target. Retry it first, so that the target "
	  "is asked; or look there yourself and order it with despite_doubt.",
	  "Sen lähetys on epäselvä: se voi olla jo kohdejärjestelmässä. Yritä ensin uudelleen, "
	  "jolloin "
	  "kohteelta kysytään, tai tarkista sieltä itse ja anna despite_doubt.",
	  "En sending av den er uklar: den kan være hos målsystemet. Prøv igjen først, så blir "
	  "målsystemet spurt, eller se etter der selv og bruk despite_doubt." },
	{ "connection_active", 409, "The connection is active. Pause it first.",
	  "Yhteys on käytössä. Keskeytä se ensin (pause).",
	  "Tilkoblingen er aktiv. Sett den på pause (pause) først." },
	{ "connection_in_use", 409,
	  "Something of the connection is under way, in doubt, or was sent and is still followed. "
	  "Let it come to its end, then delete the connection.",
	  "Jotain yhteyden asioita on kesken, epäselvänä tai lähetettynä ja vielä seurannassa. "
	  "Anna "
	  "niiden päättyä ja poista yhteys sitten.",
	  "Noe i tilkoblingen er underveis, uklart, eller sendt og følges fortsatt. La det komme "
	  "til "
	  "sin slutt, og slett tilkoblingen deretter." },
	{ "exists", 409, "There is one with this id already.", "Tällä tunnuksella on jo kohde.",
	  "Det finnes allerede en med denne id-en." },
	{ "check_failed", 422, "The connection's check found problems.",
	  "Yhteyden tarkistus löysi ongelmia.", "Sjekken av tilkoblingen fant problemer." },
	{ "idempotency_key_invalid", 400, "The Idempotency-Key is not valid.",
	  "Idempotency-Key ei kelpaa.", "Idempotency-Key er ugyldig." },
	{ "idempotency_key_reused", 422, "The Idempotency-Key was used for another request.",
	  "Idempotency-Key on käytetty toiseen pyyntöön.",
	  "Idempotency-Key er brukt for en annen forespørsel." },
	{ "idempotency_running", 409, "The first request with this key is not finished.",
	  "Ensimmäinen pyyntö tällä avaimella on kesken.",
	  "Den første forespørselen med denne nøkkelen er ikke ferdig." },
	{ "changed", 409, "It was changed, and nothing has checked that yet. Activate it again.",
	  "Sitä on muutettu, eikä muutosta ole tarkistettu. Ota se uudelleen käyttöön.",
	  "Den er endret, og endringen er ikke sjekket. Aktiver den på nytt." },
	{ "count_changed", 409, "The number of matching transfers has changed. Count again.",
	  "Ehtoon sopivien siirtojen määrä on muuttunut. Laske uudelleen.",
	  "Antall overføringer som passer har endret seg. Tell på nytt." },
	{ "unavailable", 503, "The service cannot do that now. Try again shortly.",
	  "Palvelu ei pysty siihen nyt. Yritä pian uudelleen.",
	  "Tjenesten kan ikke gjøre det nå. Prøv igjen snart." },
	{ "internal", 500, "Something went wrong in the service.", "Palvelussa tapahtui virhe.",
	  "Noe gikk galt i tjenesten." },
};

/* Of "state", where it is known what has to be done first: the subject's titles. No id begins so.
 */
static const struct problem_row states[] = {
	{ STATE_NEVER_ACTIVATED, 409, "The connection was never activated. Activate it first.",
	  "Yhteyttä ei ole koskaan otettu käyttöön. Ota se ensin käyttöön.",
	  "Tilkoblingen har aldri vært aktivert. Aktiver den først." },
	{ STATE_NOT_ACTIVE, 409, "The connection is not active. Activate or resume it first.",
	  "Yhteys ei ole käytössä. Ota se ensin käyttöön (activate) tai jatka sitä (resume).",
	  "Tilkoblingen er ikke aktiv. Aktiver (activate) eller gjenoppta (resume) den først." },
};

static const struct problem_row *state_find(const struct err *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (str_eq(why->reason, "state") && str_eq(states[i].code, why->subject))
			return &states[i];
	return NULL;
}

static const struct problem_row *problem_find(const char *code)
{
	for (size_t i = 0; code && i < ARRAY_SIZE(problems); i++)
		if (str_eq(problems[i].code, code))
			return &problems[i];
	return NULL;
}

/* What an error without a code of its own is called. */
static const char *default_code(const struct err *e)
{
	switch (e->code) {
	case ERR_INPUT:
	case ERR_DATA:
	case ERR_WAITING:
	case ERR_DUPLICATE:
		return e->pointer[0] ? "value_invalid" : "malformed_request";
	case ERR_NOT_FOUND:
		return "not_found";
	case ERR_CONFLICT:
		return "state";
	case ERR_LIMIT:
		return "body_too_large";
	case ERR_CREDENTIALS:
		return "unauthorized";
	case ERR_MEMORY:
	case ERR_OUTAGE:
	case ERR_BUSY:
	case ERR_QUOTA:
	case ERR_DOUBT:
		return "unavailable";
	case ERR_NONE:
	case ERR_LEASE:
	case ERR_SYSTEM:
		break;
	}
	return "internal";
}

bool problem(struct err *err, enum err_code code, const char *reason, const char *pointer,
	     const char *fmt, ...)
{
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_reason(err, code, reason, NULL, "%s", text);
	err_pointer(err, "%s", pointer);
	return false;
}

bool problem_state(struct err *err, const char *what, const char *words)
{
	return err_reason(err, ERR_CONFLICT, "state", what, "%s", words);
}

/* The quality of one element of Accept-Language, in thousandths. */
static int quality(struct span item)
{
	const char *q = memmem(item.p, item.n, ";q=", 3);
	if (!q)
		return 1000;
	const char *end = item.p + item.n;
	int v = 0, unit = 1000;
	for (q += 3; q < end && (*q == '.' || (*q >= '0' && *q <= '9')) && unit > 0; q++) {
		if (*q == '.')
			continue;
		v += (*q - '0') * unit;
		unit /= 10;
	}
	return v;
}

const char *respond_language(const char *accept_language)
{
	static const struct {
		const char *tag, *ours;
	} tags[] = {
		{ "fi", "fi" }, { "nb", "nb" }, { "no", "nb" }, { "nn", "nb" }, { "en", "en" }
	};
	const char *best = "en", *p = accept_language ? accept_language : "";
	int best_q = 0;
	for (int items = 0; *p && items < 20; items++) {
		p += strspn(p, " ,\t");
		struct span item = { p, strcspn(p, ",") };
		p += item.n;
		for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
			bool fits = item.n >= 2 && strncasecmp(item.p, tags[i].tag, 2) == 0 &&
				    (item.n == 2 || strchr("-; ", item.p[2]));
			if (fits && quality(item) > best_q) {
				best_q = quality(item);
				best = tags[i].ours;
			}
		}
	}
	return best;
}

void respond_header(struct request *rq, const char *name, const char *value)
{
	struct answer *a = &rq->answer;
	assert(a->n_headers < ANSWER_MAX_HEADERS);
	if (!value)
		return;
	a->headers[a->n_headers].name = name;
	a->headers[a->n_headers++].value = value;
}

void respond_etag(struct request *rq, int64_t rev)
{
	respond_header(rq, "ETag", arena_printf(rq->arena, "\"%" PRId64 "\"", rev));
}

bool respond_json(struct request *rq, int status, const struct strbuf *body, struct err *err)
{
	if (body->failed)
		return err_set(err, ERR_SYSTEM, "the answer does not fit");
	rq->answer.status = status;
	rq->answer.content_type = JSON_TYPE;
	rq->answer.body = strbuf_span(body);
	return true;
}

static void write_title(struct json_writer *w, struct request *rq, const struct problem_row *row,
			const struct reason *reason, const char *subject, const char *language)
{
	if (row) {
		jsonw_kstr(w, "title",
			   str_eq(language, "fi")   ? row->fi
			   : str_eq(language, "nb") ? row->nb
						    : row->en);
		return;
	}
	struct strbuf title = STRBUF_INIT(rq->arena, 1024);
	reason_sentence(reason, language, subject, &title);
	jsonw_key(w, "title");
	jsonw_span(w, strbuf_span(&title));
}

void respond_failure(struct request *rq, struct json_writer *w, const char *code,
		     const char *error_json)
{
	const struct json *e = NULL;
	if (error_json && *error_json &&
	    !json_parse(rq->arena, span_of(error_json), JSON_LIMITS_API, &e, NULL))
		e = NULL;
	if (!code || !*code)
		code = json_str(json_get(e, "code"));
	if (!code || !*code) {
		jsonw_null(w);
		return;
	}
	const struct reason *reason = reason_find(code);
	jsonw_object(w);
	jsonw_kstr(w, "code", code);
	if (reason) {
		struct strbuf text = STRBUF_INIT(rq->arena, 1024);
		reason_sentence(reason, respond_language(request_header(rq, "Accept-Language")),
				json_str(json_get(e, "subject")), &text);
		jsonw_kstr(w, "actor", reason->actor);
		jsonw_key(w, "text");
		jsonw_span(w, strbuf_span(&text));
	}
	jsonw_key(w, "detail");
	if (e)
		jsonw_raw(w, span_of(error_json));
	else
		jsonw_null(w);
	jsonw_end_object(w);
}

static void add_retry_after(struct request *rq, const struct err *why)
{
	int64_t s = why->retry_after_ms > 0 ? (why->retry_after_ms + 999) / 1000 : DEFAULT_RETRY_S;
	respond_header(rq, "Retry-After", arena_printf(rq->arena, "%" PRId64, s));
}

void respond_err(struct request *rq, const struct err *why)
{
	const struct problem_row *row = problem_find(why->reason);
	const struct reason *reason = row ? NULL : why->reason ? reason_find(why->reason) : NULL;
	const char *code = row || reason ? why->reason : default_code(why);
	if (!row && !reason)
		row = problem_find(code);
	const struct problem_row *title = state_find(why) ? state_find(why) : row;
	int status = row ? row->status : problem_find(default_code(why))->status;
	if (reason && status < 500)
		status = 422;
	const char *language = respond_language(request_header(rq, "Accept-Language"));
	struct strbuf sb = STRBUF_INIT(rq->arena, PROBLEM_MAX_BYTES);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "type");
	jsonw_str(&w, arena_printf(rq->arena, "urn:viesti:problem:%s", code));
	write_title(&w, rq, title, reason, why->subject, language);
	jsonw_kint(&w, "status", status);
	jsonw_kstr(&w, "code", code);
	/* Our own insides are for the log. */
	if (status < 500 && why->message[0])
		jsonw_kstr(&w, "detail", why->message);
	if (why->pointer[0])
		jsonw_kstr(&w, "pointer", why->pointer);
	jsonw_kstr(&w, "request", rq->id);
	jsonw_end_object(&w);
	rq->answer.status = status;
	rq->answer.content_type = "application/problem+json";
	rq->answer.body = sb.failed ? SPAN_LIT("{}") : strbuf_span(&sb);
	respond_header(rq, "Content-Language", language);
	if (status == 401 && str_eq(code, "unauthorized"))
		respond_header(rq, "WWW-Authenticate", "Bearer");
	if (status == 503)
		add_retry_after(rq, why);
	if (status == 500)
		log_err(LOG_ERROR, "http_failed", why);
}
