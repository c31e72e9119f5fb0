/*
 * authentication.c: the request that the approver signs (MV-05), and looking until Maventa calls
 * the company verified: when somebody asks, and slowly by itself. Sending is repeatable, so a lost
 * answer is no harm: what stands at Maventa is read before it is sent once more.
 */
#include "base/base.h"
#include "dialogues.h"

#include "base/clock.h"

/* --- what people say --- */

/* The registration that brought the keys; NULL: they were entered with the connection. */
static const struct record *newest_registration(const struct record *all, size_t n)
{
	const struct record *best = NULL;
	for (size_t i = 0; i < n; i++)
		if (str_eq(record_str(&all[i], "state"), REGISTERED) ||
		    str_eq(record_str(&all[i], "state"), VERIFIED))
			best = &all[i];
	return best;
}

/* Without keys: they wait for a person (MV-04), or nobody has begun yet. */
static bool check_keys(const struct talk *talk, const struct json *credentials,
		       const struct record *all, size_t n, struct err *err)
{
	bool is_open = false;
	const char *uuid = json_str(json_at(credentials, "maventa.company_uuid"));
	const char *key = json_str(json_at(credentials, "maventa.user_api_key"));
	if (uuid && uuid[0] && key && key[0])
		return true;
	for (size_t i = 0; i < n; i++)
		is_open |= !record_is(&all[i], "is_ended");
	if (!is_open)
		return err_reason(err, ERR_CONFLICT, "account_missing", talk->conn->id,
				  "no registration has brought keys");
	return err_reason(err, ERR_CONFLICT, "keys_missing", talk->conn->id,
			  "the connection has no User API key");
}

static const char *text_at(const struct json *j, const char *path)
{
	const char *text = json_str(json_at(j, path));
	return text && text[0] ? text : NULL;
}

static bool put_approver(const struct talk *talk, const struct json *body,
			 const struct record *registration, struct record *rec, struct err *err)
{
	const struct json *person = registration ? record_get(registration, "person") : NULL;
	struct strbuf sb = STRBUF_INIT(talk->arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *json, *first = text_at(person, "first_name"),
			  *last = text_at(person, "last_name");
	const char *name = text_at(body, "approver.name"), *email = text_at(body, "approver.email");
	if (!email)
		email = text_at(person, "email");
	if (!name && first && last)
		name = arena_printf(talk->arena, "%s %s", first, last);
	if (!email) {
		err_reason(err, ERR_INPUT, "value_missing", NULL, "the approver's e-mail address");
		err_pointer(err, "/approver/email");
		return false;
	}
	jsonw_object(&w);
	jsonw_kstr(&w, "name", name);
	jsonw_kstr(&w, "email", email);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &json, err))
		return false;
	record_put_json(rec, "approver", json);
	return true;
}

static const char *language_of(struct arena *arena, const char *vat_number)
{
	const char *country = vat_number ? sm_country_of(arena, vat_number) : NULL;
	for (size_t i = 0; country && maventa_locales[i]; i++)
		if (str_eq(maventa_locales[i], country))
			return maventa_locales[i];
	return "EN";
}

bool sm_take_authentication(const struct talk *talk, const struct json *body, struct record *rec,
			    struct err *err)
{
	const struct json *settings, *credentials;
	struct record *all = arena_alloc_array(talk->arena, RECORDS_MAX, sizeof(*all));
	if (!all)
		return err_set(err, ERR_LIMIT, "arena full");
	size_t n = facts_records(talk->facts, REGISTRATIONS, all, RECORDS_MAX);
	if (!sm_read_connection(talk->arena, talk->conn, &settings, &credentials, err) ||
	    !check_keys(talk, credentials, all, n, err))
		return false;
	const struct record *registration = newest_registration(all, n);
	if (registration && str_eq(record_str(registration, "state"), VERIFIED))
		return err_reason(err, ERR_CONFLICT, "state", talk->conn->id,
				  "the company is authenticated already");
	const char *language = text_at(body, "language");
	if (!language)
		language = language_of(talk->arena, text_at(settings, "company.vat_number"));
	record_put_str(rec, "language", language);
	record_put_str(rec, "company_uuid", text_at(credentials, "maventa.company_uuid"));
	return put_approver(talk, body, registration, rec, err);
}

/* Of one that has ended nothing is left to look for. */
bool sm_take_refresh(const struct talk *talk, const struct json *body, struct record *rec,
		     struct err *err)
{
	(void)talk, (void)body, (void)err;
	if (str_eq(record_str(rec, "state"), WAITING) ||
	    str_eq(record_str(rec, "state"), UNANSWERED))
		record_put_str(rec, "state", LOOKING);
	return true;
}

/* --- what a worker does --- */

static bool end_as(struct record *rec, const char *state)
{
	record_put_str(rec, "state", state);
	record_remove(rec, "due_ms");
	return true;
}

/* The invoices and registrations that wait for it learn of it, too; one that is being changed
 * learns later. */
static bool tell_others(struct attempt *at, const struct record *rec, struct err *err)
{
	struct record *all;
	size_t n;
	if (!sm_saw_verified(at, record_str(rec, "company_uuid"), err) ||
	    !at->ops->records(at, REGISTRATIONS, &all, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(record_str(&all[i], "state"), REGISTERED))
			continue;
		record_put_str(&all[i], "state", VERIFIED);
		if (!at->ops->record_put(at, REGISTRATIONS, &all[i], err))
			return false;
	}
	return true;
}

static const char *company_word(enum maventa_company_state s)
{
	switch (s) {
	case MAVENTA_VERIFIED:
		return "VERIFIED";
	case MAVENTA_UNVERIFIED:
		return "UNVERIFIED";
	case MAVENTA_UNKNOWN:
		break;
	}
	return "UNKNOWN";
}

/* The other requests of the connection that wait. */
static bool replace_others(struct attempt *at, const struct record *rec, struct err *err)
{
	struct record *all;
	size_t n;
	if (!at->ops->records(at, AUTHENTICATIONS, &all, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (record_is(&all[i], "is_ended") ||
		    str_eq(record_str(&all[i], "id"), record_str(rec, "id")))
			continue;
		end_as(&all[i], REPLACED);
		record_put_bool(&all[i], "is_ended", true);
		if (!at->ops->record_put(at, AUTHENTICATIONS, &all[i], err))
			return false;
	}
	return true;
}

/* Until it is signed; hourly, for two weeks, as the options have it (facts/maventa.md §7.4). */
static void wait_on(const struct maventa *mv, struct record *rec)
{
	int64_t now_ms = clock_wall_ms();
	if (now_ms < record_int(rec, "until_ms")) {
		record_put_str(rec, "state", WAITING);
		record_put_int(rec, "due_ms", now_ms + mv->opt->auth_poll_ms);
	} else {
		end_as(rec, UNANSWERED);
	}
}

static bool read_state(struct maventa *mv, struct record *rec, struct maventa_authorization *ret,
		       struct err *err)
{
	if (!maventa_authorization(mv, ret, err))
		return false;
	record_put_str(rec, "auth_state", ret->state);
	record_put_str(rec, "company_state", company_word(ret->company));
	return true;
}

static bool look(struct attempt *at, struct maventa *mv, struct record *rec, struct err *err)
{
	struct maventa_authorization a;
	wait_on(mv, rec); /* whatever comes of it, it is looked at again */
	if (!read_state(mv, rec, &a, err))
		return false;
	if (a.company == MAVENTA_VERIFIED)
		return tell_others(at, rec, err) && end_as(rec, VERIFIED);
	if (strcasecmp(a.state, "CANCELED") == 0)
		return end_as(rec, CANCELLED);
	return true;
}

static bool is_sent(const struct record *rec, const struct maventa_authorization *a)
{
	static const char *const sent[] = { "PENDING", "SENT", "SIGNED" };
	const char *email = json_str(json_get(record_get(rec, "approver"), "email"));
	bool is_out = false;
	for (size_t i = 0; i < ARRAY_SIZE(sent); i++)
		is_out |= strcasecmp(a->state, sent[i]) == 0;
	return is_out && email && strcasecmp(a->email, email) == 0;
}

/* What waiting does not mend ends it: somebody has to do something, and sends another. */
static bool not_sent(struct record *rec, const struct err *why, struct err *err)
{
	if (why->code == ERR_DATA || why->code == ERR_CREDENTIALS || why->code == ERR_SYSTEM ||
	    why->code == ERR_NOT_FOUND)
		end_as(rec, REFUSED);
	if (err)
		*err = *why;
	return false;
}

/* One whose sending was begun before is only sent again when Maventa does not have it. */
static bool send_request(struct attempt *at, struct maventa *mv, struct record *rec,
			 struct err *err)
{
	struct maventa_authorization a;
	struct err why = ERR_INIT;
	const char *email = json_str(json_get(record_get(rec, "approver"), "email"));
	if (!read_state(mv, rec, &a, &why))
		return not_sent(rec, &why, err);
	if (a.company == MAVENTA_VERIFIED)
		return tell_others(at, rec, err) && end_as(rec, VERIFIED);
	if (!record_int(rec, "intent_ms") || !is_sent(rec, &a)) {
		record_put_int(rec, "intent_ms", clock_wall_ms());
		if (!at->ops->record_put(at, AUTHENTICATIONS, rec, err))
			return false;
		if (!maventa_authorize(mv, email, record_str(rec, "language"), &why))
			return not_sent(rec, &why, err);
	}
	record_put_str(rec, "auth_state", "SENT");
	record_put_int(rec, "until_ms", clock_wall_ms() + mv->opt->auth_poll_for_ms);
	wait_on(mv, rec);
	return replace_others(at, rec, err);
}

bool sm_authenticate(struct attempt *at, struct record *rec, struct err *err)
{
	const struct json *settings, *credentials;
	struct maventa mv;
	bool is_sending = str_eq(record_str(rec, "state"), SENDING);
	if (!sm_read_connection(at->arena, at->conn, &settings, &credentials, err))
		return false;
	const char *uuid = json_str(json_at(credentials, "maventa.company_uuid"));
	if (!uuid || strcasecmp(uuid, record_str(rec, "company_uuid")) != 0)
		return end_as(rec, REPLACED); /* the connection has other keys now */
	if (!maventa_open(at, settings, json_get(credentials, "maventa"), &mv, err))
		return false;
	return is_sending ? send_request(at, &mv, rec, err) : look(at, &mv, rec, err);
}
