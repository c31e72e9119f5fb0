/*
 * register.c: how a worker goes on with a registration. A company is registered at most once: the
 * intent is stored before the call, and whoever finds an intent without an outcome asks Maventa
 * (MV-02), and never registers. What Maventa answered is stored before it goes to the connection,
 * so that no crash loses a key that is told once; it leaves the record with the store.
 */
#include "base/base.h"
#include "dialogues.h"

#include "base/clock.h"

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

static const char *company_text(const struct record *rec, const char *name)
{
	const char *text = json_str(json_get(record_get(rec, "company"), name));
	return text ? text : "";
}

/* To where nothing more is done; the keys that came to nothing are forgotten. */
static bool end_as(struct record *rec, const char *state)
{
	record_put_str(rec, "state", state);
	record_remove(rec, "user_api_key");
	record_remove(rec, "due_ms");
	return true;
}

/*
 * What waiting mends leaves the record as it is, to be gone on with; all else is told, and the
 * record goes to where somebody can do better.
 */
static bool failed(struct record *rec, const struct err *why, const char *state, struct err *err)
{
	switch (why->code) {
	case ERR_OUTAGE:
	case ERR_QUOTA:
	case ERR_BUSY:
	case ERR_WAITING:
	case ERR_MEMORY:
	case ERR_LEASE:
		break;
	case ERR_CONFLICT:
		if (str_eq(why->reason, "stale"))
			break;
		end_as(rec, state);
		break;
	case ERR_NONE:
	case ERR_INPUT:
	case ERR_NOT_FOUND:
	case ERR_LIMIT:
	case ERR_DATA:
	case ERR_DUPLICATE:
	case ERR_CREDENTIALS:
	case ERR_DOUBT:
	case ERR_SYSTEM:
		end_as(rec, state);
		break;
	}
	if (err)
		*err = *why;
	return false;
}

/* --- whom to register --- */

static void write_company(struct json_writer *w, const struct severa_company *c,
			  const char *vat_number)
{
	jsonw_object(w);
	jsonw_kstr(w, "name", c->name);
	jsonw_kstr(w, "vat_number", vat_number);
	jsonw_end_object(w);
}

static bool put_company(struct record *rec, const struct severa_company *c, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rec->arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *json;
	write_company(&w, c, c->vat_number);
	if (!strbuf_finish(&sb, &json, err))
		return false;
	record_put_json(rec, "company", json);
	return true;
}

static const char *given(const struct record *rec, const char *name, const char *preset)
{
	const char *text = json_str(json_at(record_get(rec, "given"), name));
	return text && text[0] ? text : preset;
}

static bool find_person(struct sm *t, const struct record *rec, struct severa_user *ret,
			struct err *err)
{
	const char *id = given(rec, "person", NULL);
	const struct severa_user *users;
	size_t n;
	*ret = (struct severa_user) { .id = NULL };
	if (!id)
		return true;
	if (!severa_users(&t->severa, &users, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (str_eq(users[i].id, id)) {
			*ret = users[i];
			return true;
		}
	err_reason(err, ERR_DATA, "person_unknown", id, "it is none of Severa's active users");
	err_pointer(err, "/person");
	return false;
}

static bool check_person(const struct maventa_registration *r, struct err *err)
{
	const struct {
		const char *value, *name;
	} needed[] = { { r->first_name, "first_name" },
		       { r->last_name, "last_name" },
		       { r->email, "email" } };
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (needed[i].value && needed[i].value[0])
			continue;
		err_reason(err, ERR_DATA, "person_incomplete", needed[i].name, "%s is missing",
			   needed[i].name);
		err_pointer(err, "/%s", needed[i].name);
		return false;
	}
	return true;
}

static bool put_person(struct record *rec, const struct maventa_registration *r, const char *id,
		       struct err *err)
{
	struct strbuf sb = STRBUF_INIT(rec->arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *json;
	jsonw_object(&w);
	jsonw_kstr(&w, "id", id);
	jsonw_kstr(&w, "first_name", r->first_name);
	jsonw_kstr(&w, "last_name", r->last_name);
	jsonw_kstr(&w, "email", r->email);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &json, err))
		return false;
	record_put_json(rec, "person", json);
	return true;
}

static bool make_registration(struct sm *t, struct record *rec, struct maventa_registration *ret,
			      struct err *err)
{
	struct severa_company company;
	struct severa_user person;
	if (!sm_find_company(t, company_text(rec, "vat_number"), &company, err) ||
	    !find_person(t, rec, &person, err))
		return false;
	const char *email = given(rec, "email", person.email);
	*ret = (struct maventa_registration) {
		.company_name = given(rec, "company_name", company.name),
		.business_id = company.vat_number,
		.company_email = given(rec, "company_email", email),
		.street = given(rec, "address.street", company.street),
		.street2 = given(rec, "address.street2", NULL),
		.postcode = given(rec, "address.postcode", company.postcode),
		.city = given(rec, "address.city", company.city),
		.country = sm_country_of(t->at->arena, company.vat_number),
		.first_name = given(rec, "first_name", person.first_name),
		.last_name = given(rec, "last_name", person.last_name),
		.email = email,
		.phone = given(rec, "phone", NULL),
	};
	return check_person(ret, err) && put_company(rec, &company, err) &&
	       put_person(rec, ret, person.id, err);
}

/* --- is it there? --- */

enum presence { IS_FREE, IS_TAKEN, CANNOT_BE_ASKED };

static bool ask_presence(struct sm *t, const char *vat_number, enum presence *ret, struct err *err)
{
	struct maventa mv;
	struct scheme_id id;
	struct err why = ERR_INIT;
	bool is_free = false;
	const char *country = sm_country_of(t->at->arena, vat_number);
	if (!country)
		return full(err);
	if (!legal_id_from(t->at->arena, vat_number, country, &id))
		id.value = vat_number;
	if (!maventa_open_vendor(t->at, t->settings, json_get(t->credentials, "maventa"), &mv, err))
		return false;
	if (maventa_is_free(&mv, id.value, country, &is_free, &why)) {
		*ret = is_free ? IS_FREE : IS_TAKEN;
		return true;
	}
	*ret = CANNOT_BE_ASKED;
	if (str_eq(why.reason, "partner_account_missing") || why.code == ERR_CREDENTIALS)
		return true; /* ours is missing, or was refused */
	if (err)
		*err = why;
	return false;
}

/* Before anything is done: one that is there already is to be connected instead. */
static bool check_is_free(struct sm *t, struct record *rec, struct err *err)
{
	enum presence presence;
	const char *vat_number = company_text(rec, "vat_number");
	if (!ask_presence(t, vat_number, &presence, err))
		return false;
	record_put_bool(rec, "was_free", presence == IS_FREE);
	if (presence != IS_TAKEN)
		return true;
	return err_reason(err, ERR_DATA, "business_id_taken", vat_number,
			  "Maventa has an account of it");
}

/* --- registering --- */

static bool take_answer(struct sm *t, struct record *rec, const struct maventa_registered *got,
			struct err *err)
{
	bool has_key = got->user_api_key && got->user_api_key[0];
	record_put_str(rec, "company_uuid", got->company_uuid);
	record_put_str(rec, "user_api_key", has_key ? got->user_api_key : NULL);
	record_put_str(rec, "einvoice_address", got->einvoice_address);
	record_put_str(rec, "then", has_key ? REGISTERED : USER_EXISTS);
	record_put_str(rec, "state", STORING);
	return t->at->ops->record_put(t->at, REGISTRATIONS, rec, err);
}

/* What came of the call decides; what it is not sure of is never tried again. */
static bool judge(struct record *rec, const struct err *why, struct err *err)
{
	bool was_not_done = why->code == ERR_OUTAGE || why->code == ERR_QUOTA ||
			    why->code == ERR_BUSY;
	bool was_refused = why->code == ERR_DATA || why->code == ERR_CREDENTIALS ||
			   why->code == ERR_INPUT;
	if (was_not_done)
		record_put_str(rec, "state", ACCEPTED);
	else if (was_refused)
		end_as(rec, REFUSED);
	else
		record_put_str(rec, "state", IN_DOUBT);
	if (err)
		*err = *why;
	return false;
}

static bool start(struct sm *t, struct record *rec, struct err *err)
{
	struct maventa_registration r;
	struct maventa_registered got;
	struct maventa mv;
	struct err why = ERR_INIT;
	if (!make_registration(t, rec, &r, &why) || !check_is_free(t, rec, &why) ||
	    !maventa_open_vendor(t->at, t->settings, json_get(t->credentials, "maventa"), &mv,
				 &why))
		return failed(rec, &why, REFUSED, err);
	record_put_str(rec, "state", REGISTERING);
	record_put_int(rec, "intent_ms", clock_wall_ms());
	record_put_int(rec, "due_ms", clock_wall_ms() + t->at->quiet_ms);
	record_put_int(rec, "lookups", 0);
	if (!t->at->ops->record_put(t->at, REGISTRATIONS, rec, err))
		return false;
	if (!maventa_register(&mv, &r, &got, &why))
		return judge(rec, &why, err);
	return take_answer(t, rec, &got, err);
}

/* An intent whose run has ended without an outcome. */
static bool doubt(struct sm *t, struct record *rec, struct err *err)
{
	(void)t, (void)err;
	record_put_str(rec, "state", IN_DOUBT);
	return true;
}

/* --- in doubt --- */

/* The UUID that the lost answer had, where another pair of the customer's may see the company; not
 * to find it is no failure: the person copies it. */
static void find_uuid(struct sm *t, struct record *rec, const char *vat_number)
{
	struct arena *arena = t->at->arena;
	const struct peer *peers;
	size_t n = 0;
	if (!t->at->ops->peers(t->at, rec, &peers, &n, NULL))
		return;
	for (size_t i = 0; i < n; i++) {
		const struct json *settings, *credentials;
		const struct maventa_company *found;
		struct maventa mv;
		size_t n_found = 0;
		if (!sm_read_connection(arena, peers[i].conn, &settings, &credentials, NULL) ||
		    !str_eq(json_str(json_at(credentials, "severa.client_id")),
			    t->severa.client_id) ||
		    !maventa_open(t->at, t->settings, json_get(credentials, "maventa"), &mv,
				  NULL) ||
		    !maventa_companies(&mv, NULL, NULL, &found, &n_found, NULL))
			continue;
		for (size_t k = 0; k < n_found; k++)
			if (sm_is_same_company(arena, found[k].business_id, vat_number))
				record_put_str(rec, "company_uuid", found[k].id);
	}
}

static bool found_taken(struct sm *t, struct record *rec)
{
	record_remove(rec, "due_ms");
	if (!record_is(rec, "was_free")) {
		record_put_str(rec, "state", UNCLEAR); /* whose it is, nobody knows */
		return true;
	}
	find_uuid(t, rec, company_text(rec, "vat_number"));
	record_put_str(rec, "then", ANSWER_LOST);
	record_put_str(rec, "state", *record_str(rec, "company_uuid") ? STORING : ANSWER_LOST);
	return true;
}

/* Absent counts after a quiet time, and when it was seen twice (DESIGN §4.6). */
static bool found_free(struct sm *t, struct record *rec, struct err *err)
{
	int64_t lookups = record_int(rec, "lookups") + 1, now_ms = clock_wall_ms();
	int64_t quiet_until_ms = record_int(rec, "intent_ms") + t->at->quiet_ms;
	record_put_int(rec, "lookups", lookups);
	if (lookups < 2 || now_ms < quiet_until_ms) {
		record_put_int(rec, "due_ms",
			       now_ms < quiet_until_ms ? quiet_until_ms : now_ms + 1000);
		return true;
	}
	end_as(rec, NOT_REGISTERED);
	return err_reason(err, ERR_DATA, "registration_lost", company_text(rec, "vat_number"),
			  "Maventa has no account of it");
}

static bool look_up(struct sm *t, struct record *rec, struct err *err)
{
	enum presence presence;
	struct err why = ERR_INIT;
	if (!ask_presence(t, company_text(rec, "vat_number"), &presence, &why))
		return failed(rec, &why, UNCLEAR, err);
	switch (presence) {
	case IS_TAKEN:
		return found_taken(t, rec);
	case IS_FREE:
		return found_free(t, rec, err);
	case CANNOT_BE_ASKED:
		break;
	}
	record_put_str(rec, "state", UNCLEAR);
	record_remove(rec, "due_ms");
	return true;
}

/* --- keys --- */

/* Another pair than the connection has takes its place as a whole. */
static bool write_patch(struct sm *t, const struct record *rec, const char **ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(t->at->arena, 8192);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *uuid = record_str(rec, "company_uuid"), *key = record_str(rec, "user_api_key");
	const char *old = json_str(json_at(t->credentials, "maventa.company_uuid"));
	const char *company = json_str(json_at(t->settings, "company.vat_number"));
	jsonw_object(&w);
	if (!company || !company[0]) {
		jsonw_key(&w, "settings");
		jsonw_object(&w);
		jsonw_key(&w, "company");
		jsonw_object(&w);
		jsonw_kstr(&w, "vat_number", company_text(rec, "vat_number"));
		jsonw_end_object(&w);
		jsonw_end_object(&w);
	}
	jsonw_key(&w, "credentials");
	jsonw_object(&w);
	jsonw_key(&w, "maventa");
	jsonw_object(&w);
	jsonw_kstr(&w, "company_uuid", uuid);
	if (key[0] || (old && strcasecmp(old, uuid) != 0))
		jsonw_kstr(&w, "user_api_key", key[0] ? key : NULL);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, ret, err);
}

static bool store_keys(struct sm *t, struct record *rec, struct err *err)
{
	const char *patch;
	bool has_key = *record_str(rec, "user_api_key") != '\0';
	if (!write_patch(t, rec, &patch, err) ||
	    !t->at->ops->connection_patch(t->at, rec, patch, err))
		return false;
	record_put_bool(rec, "has_user_key", has_key);
	return end_as(rec, record_str(rec, "then"));
}

static bool find_known_keys(struct sm *t, struct record *rec, struct err *err)
{
	struct sm_known_keys known;
	const char *vat_number = company_text(rec, "vat_number");
	if (!record_is(rec, "use_known_keys") || *record_str(rec, "user_api_key"))
		return true;
	if (!sm_known_keys(t, rec, vat_number, &known, err))
		return false;
	if (!known.user_api_key) {
		err_reason(err, ERR_DATA, "keys_unknown", vat_number, "none are known");
		err_pointer(err, "/use_known_keys");
		return false;
	}
	record_put_str(rec, "company_uuid", known.company_uuid);
	record_put_str(rec, "user_api_key", known.user_api_key);
	return true;
}

/* Who may be asked to sign, when nobody else is named. */
static bool put_user(struct record *rec, const struct maventa_current *who, struct err *err)
{
	const struct maventa_registration user = { .first_name = who->first_name,
						   .last_name = who->last_name,
						   .email = who->user_email };
	return record_get(rec, "person") || put_person(rec, &user, NULL, err);
}

static bool check_account(struct sm *t, struct maventa *mv, struct record *rec, struct err *err)
{
	struct maventa_current who;
	struct arena *arena = t->at->arena;
	const char *vat_number = company_text(rec, "vat_number");
	if (!maventa_current(mv, &who, err)) {
		if (err && err->code == ERR_CREDENTIALS)
			err_pointer(err, "/user_api_key");
		return false;
	}
	const char *id = who.vat_number && who.vat_number[0] ? who.vat_number : who.business_id;
	if (!sm_is_same_company(arena, id, vat_number)) {
		err_reason(err, ERR_DATA, "company_differs", who.company_name,
			   "the keys are those of %s (%s)", who.company_name, id ? id : "");
		err_pointer(err, "/company_uuid");
		return false;
	}
	if (!who.is_disabled)
		return put_user(rec, &who, err);
	return err_reason(err, ERR_DATA, "account_not_ready", who.company_name,
			  "the account is closed");
}

/* MV-07, in the order in which one learns most. Nothing is written but the link to us. */
static bool ask_about_keys(struct sm *t, struct record *rec, bool *ret_verified, struct err *err)
{
	struct maventa mv;
	struct maventa_authorization a;
	struct severa_company company;
	const char *state;
	if (!sm_find_company(t, company_text(rec, "vat_number"), &company, err) ||
	    !put_company(rec, &company, err) || !find_known_keys(t, rec, err) ||
	    !sm_open_pair(t, record_str(rec, "company_uuid"), record_str(rec, "user_api_key"), &mv,
			  err) ||
	    !check_account(t, &mv, rec, err) || !maventa_link(&mv, &state, err) ||
	    !maventa_authorization(&mv, &a, err))
		return false;
	*ret_verified = a.company == MAVENTA_VERIFIED;
	return true;
}

static bool check_keys(struct sm *t, struct record *rec, struct err *err)
{
	struct err why = ERR_INIT;
	bool is_verified = false;
	if (!ask_about_keys(t, rec, &is_verified, &why)) {
		const char *known = record_str(rec, "known_uuid");
		failed(rec, &why, record_str(rec, "back"), err);
		if (!str_eq(record_str(rec, "state"), CHECKING))
			record_put_str(rec, "company_uuid", *known ? known : NULL);
		return false;
	}
	if (is_verified && !sm_saw_verified(t->at, record_str(rec, "company_uuid"), err))
		return false;
	record_put_str(rec, "then", is_verified ? VERIFIED : REGISTERED);
	record_put_str(rec, "state", STORING);
	return t->at->ops->record_put(t->at, REGISTRATIONS, rec, err);
}

/* --- all together --- */

bool sm_register(struct attempt *at, struct record *rec, struct err *err)
{
	static const struct {
		const char *state;
		bool (*go)(struct sm *t, struct record *rec, struct err *err);
	} steps[] = { { REGISTERING, doubt },
		      { IN_DOUBT, look_up },
		      { ACCEPTED, start },
		      { CHECKING, check_keys },
		      { STORING, store_keys } };
	struct sm t;
	struct err why = ERR_INIT;
	const char *first = record_str(rec, "state");
	bool is_asked_only = str_eq(first, ACCEPTED) || str_eq(first, CHECKING);
	if (!sm_open_severa(&t, at, &why)) {
		if (!is_asked_only) {
			if (err)
				*err = why;
			return false;
		}
		const char *back = record_str(rec, "back");
		return failed(rec, &why, *back ? back : REFUSED, err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (str_eq(record_str(rec, "state"), steps[i].state) && !steps[i].go(&t, rec, err))
			return false;
	return true;
}
