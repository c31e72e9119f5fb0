/*
 * registration.c: what people say in a registration (MV-02, MV-04, MV-07), held against what is
 * known without asking anybody: the connection, its other records, what this one has come to.
 */
#include "base/base.h"
#include "dialogues.h"

#include <ctype.h>

#define KEY_MAX 128

static bool wrong(struct err *err, const char *reason, const char *subject, const char *pointer,
		  const char *words)
{
	err_reason(err, ERR_INPUT, reason, subject, "%s", words);
	err_pointer(err, "%s", pointer);
	return false;
}

static bool missing(struct err *err, const char *pointer, const char *words)
{
	return wrong(err, "value_missing", NULL, pointer, words);
}

/* As it was pasted, without the blanks around it; NULL when it is none. */
static const char *key_of(struct arena *arena, const struct json *body, const char *name)
{
	const char *text = json_str(json_get(body, name));
	size_t n;
	if (!text)
		return NULL;
	while (isspace((unsigned char)*text))
		text++;
	n = strlen(text);
	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return NULL;
	return n && n <= KEY_MAX ? arena_memdup(arena, text, n) : NULL;
}

static bool take_pair(const struct talk *talk, const struct json *body, struct record *rec,
		      struct err *err)
{
	const char *uuid = key_of(talk->arena, body, "company_uuid");
	const char *key = key_of(talk->arena, body, "user_api_key");
	if (!uuid)
		return missing(err, "/company_uuid", "the Company UUID, as Maventa shows it");
	if (!key)
		return missing(err, "/user_api_key", "the User API key, as Maventa shows it");
	record_put_str(rec, "company_uuid", uuid);
	record_put_str(rec, "user_api_key", key);
	return true;
}

/* --- a new one --- */

/* One that has its keys is told to go on, not that somebody else has taken its number. */
static bool check_keys_are_none(const struct talk *talk, const char *company, struct err *err)
{
	const struct json *settings = NULL, *credentials = NULL;
	if (!sm_read_connection(talk->arena, talk->conn, &settings, &credentials, err))
		return false;
	const char *uuid = json_str(json_at(credentials, "maventa.company_uuid"));
	const char *key = json_str(json_at(credentials, "maventa.user_api_key"));
	if (!uuid || !uuid[0] || !key || !key[0])
		return true;
	return err_reason(err, ERR_CONFLICT, "registered_already", company,
			  "the connection has its keys");
}

/* SV-09: the company is the connection's, where that is known already. */
static bool check_company(const struct talk *talk, const char *company, struct err *err)
{
	const struct json *settings = NULL, *credentials = NULL;
	if (!sm_read_connection(talk->arena, talk->conn, &settings, &credentials, err))
		return false;
	const char *own = json_str(json_at(settings, "company.vat_number"));
	if (!vat_id_from(talk->arena, company, NULL, false) &&
	    !business_id_from(talk->arena, company))
		return wrong(err, "value_invalid", NULL, "/company",
			     "a VAT number: FI12345671, NO123456785MVA");
	if (own && own[0] && !sm_is_same_company(talk->arena, own, company))
		return wrong(err, "company_differs", company, "/company",
			     "the connection is that of another company");
	return true;
}

static bool check_none_is_open(const struct talk *talk, struct err *err)
{
	struct record *all = arena_alloc_array(talk->arena, RECORDS_MAX, sizeof(*all));
	size_t n = all ? facts_records(talk->facts, REGISTRATIONS, all, RECORDS_MAX) : 0;
	if (!all)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++)
		if (!record_is(&all[i], "is_ended"))
			return err_reason(err, ERR_CONFLICT, "state", talk->conn->id,
					  "registration %s has not ended: go on with it or cancel "
					  "it",
					  record_str(&all[i], "id"));
	return true;
}

static bool take_register(const struct talk *talk, const struct json *body, struct record *rec,
			  struct err *err)
{
	static const char *const instead[] = { "first_name", "last_name", "email" };
	if (!check_keys_are_none(talk, json_str(json_get(body, "company")), err))
		return false;
	const char *person = json_str(json_get(body, "person"));
	for (size_t i = 0; i < ARRAY_SIZE(instead) && !person; i++)
		if (!json_str(json_get(body, instead[i])))
			return missing(err, "/person",
				       "a person of Severa's, or first_name, last_name and email");
	if (json_get(body, "company_uuid") || json_get(body, "user_api_key"))
		return wrong(err, "value_invalid", NULL, "/mode",
			     "keys belong to mode connect: a registration gives them");
	record_put(rec, "given", body);
	return true;
}

static bool take_connect(const struct talk *talk, const struct json *body, struct record *rec,
			 struct err *err)
{
	bool known = false;
	(void)!json_bool(json_get(body, "use_known_keys"), &known); /* absent: false */
	record_put_str(rec, "state", CHECKING);
	record_put_str(rec, "back", REFUSED);
	record_put_bool(rec, "use_known_keys", known);
	return known || take_pair(talk, body, rec, err);
}

bool sm_take_registration(const struct talk *talk, const struct json *body, struct record *rec,
			  struct err *err)
{
	const char *company = json_str(json_get(body, "company"));
	const char *mode = json_str(json_get(body, "mode"));
	struct strbuf sb = STRBUF_INIT(talk->arena, 1024);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *json;
	if (!check_company(talk, company, err) || !check_none_is_open(talk, err))
		return false;
	jsonw_object(&w);
	jsonw_kstr(&w, "vat_number", company);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &json, err))
		return false;
	record_put_json(rec, "company", json);
	record_put_str(rec, "mode", mode);
	record_put_bool(rec, "has_user_key", false);
	return str_eq(mode, "connect") ? take_connect(talk, body, rec, err)
				       : take_register(talk, body, rec, err);
}

/* --- keys that were copied from Maventa (MV-04) --- */

static bool is_state(const struct record *rec, const char *state)
{
	return str_eq(record_str(rec, "state"), state);
}

bool sm_take_keys(const struct talk *talk, const struct json *body, struct record *rec,
		  struct err *err)
{
	const char *known = arena_strdup(talk->arena, record_str(rec, "company_uuid"));
	if (!known)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!is_state(rec, USER_EXISTS) && !is_state(rec, ANSWER_LOST) && !is_state(rec, UNCLEAR))
		return err_reason(err, ERR_CONFLICT, "state", talk->conn->id,
				  "it is %s: no keys are awaited", record_str(rec, "state"));
	record_put_str(rec, "back", record_str(rec, "state"));
	if (!take_pair(talk, body, rec, err))
		return false;
	if (known[0] && strcasecmp(known, record_str(rec, "user_api_key")) == 0)
		return wrong(err, "keys_swapped", "Maventa", "/user_api_key",
			     "this is the Company UUID");
	if (known[0] && strcasecmp(known, record_str(rec, "company_uuid")) != 0)
		return wrong(err, "uuid_differs", known, "/company_uuid",
			     "the registration gave another one");
	record_put_str(rec, "known_uuid", known[0] ? known : NULL);
	record_put_str(rec, "state", CHECKING);
	return true;
}

/* --- the way out --- */

bool sm_take_cancel(const struct talk *talk, const struct json *body, struct record *rec,
		    struct err *err)
{
	static const char *const free_to_go[] = { ACCEPTED, CHECKING, USER_EXISTS, ANSWER_LOST };
	bool despite = false;
	(void)!json_bool(json_get(body, "despite_doubt"), &despite); /* absent: false */
	bool may = despite && (is_state(rec, UNCLEAR) || is_state(rec, IN_DOUBT));
	for (size_t i = 0; i < ARRAY_SIZE(free_to_go); i++)
		may |= is_state(rec, free_to_go[i]);
	if (!may && (is_state(rec, UNCLEAR) || is_state(rec, IN_DOUBT)))
		return err_reason(err, ERR_CONFLICT, "in_doubt", talk->conn->id,
				  "the company may be registered");
	if (!may)
		return err_reason(err, ERR_CONFLICT, "state", talk->conn->id,
				  "it is %s and cannot be cancelled", record_str(rec, "state"));
	record_put_str(rec, "state", CANCELLED);
	record_put_str(rec, "user_api_key", NULL);
	record_remove(rec, "due_ms");
	return true;
}
