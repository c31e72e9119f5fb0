/*
 * candidates.c: whom there is to choose from (MV-02, MV-07, MV-15): companies and persons of
 * Severa's, which of the companies have an account, here and at Maventa, and the keys that are
 * known from before. And what the files of this dialogue ask of connections and companies.
 */
#include "base/base.h"
#include "dialogues.h"

#include "model/reason.h"

#define ASKED_MAX 25 /* companies whose account is asked for; a call each */

/* --- connections and companies --- */

bool sm_read_connection(struct arena *arena, const struct connection *conn,
			const struct json **ret_settings, const struct json **ret_credentials,
			struct err *err)
{
	struct span secret = { conn->credentials.p, conn->credentials.n };
	*ret_settings = *ret_credentials = NULL;
	if (conn->settings && conn->settings[0] &&
	    !json_parse(arena, span_of(conn->settings), JSON_LIMITS_API, ret_settings, err))
		return err_wrap(err, "connection %s", conn->id);
	if (secret.n && !json_parse(arena, secret, JSON_LIMITS_API, ret_credentials, err))
		return err_wrap(err, "connection %s", conn->id);
	return true;
}

bool sm_open_pair(struct sm *t, const char *company_uuid, const char *user_api_key,
		  struct maventa *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(t->at->arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *pair = NULL;
	const char *vendor = json_str(json_at(t->credentials, "maventa.vendor_api_key"));
	jsonw_object(&w);
	jsonw_kstr(&w, "company_uuid", company_uuid);
	jsonw_kstr(&w, "user_api_key", user_api_key);
	if (vendor)
		jsonw_kstr(&w, "vendor_api_key", vendor);
	jsonw_end_object(&w);
	if (sb.failed)
		return err_set(err, ERR_LIMIT, "arena full");
	return json_parse(t->at->arena, strbuf_span(&sb), JSON_LIMITS_API, &pair, err) &&
	       maventa_open(t->at, t->settings, pair, ret, err);
}

bool sm_is_same_company(struct arena *arena, const char *a, const char *b)
{
	if (!a || !a[0] || !b || !b[0])
		return false;
	const char *one = road_company_from(arena, a);
	return one && str_eq(one, road_company_from(arena, b));
}

const char *sm_country_of(struct arena *arena, const char *vat_number)
{
	const char *compact = identifier_compact(arena, vat_number);
	bool has_letters = compact && strlen(compact) > 2 && compact[0] >= 'A' &&
			   compact[0] <= 'Z' && compact[1] >= 'A' && compact[1] <= 'Z';
	return has_letters ? arena_memdup(arena, compact, 2) : arena_strdup(arena, "FI");
}

bool sm_find_company(struct sm *t, const char *vat_number, struct severa_company *ret,
		     struct err *err)
{
	const struct severa_company *list;
	size_t n;
	if (!severa_companies(&t->severa, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (sm_is_same_company(t->at->arena, list[i].vat_number, vat_number)) {
			*ret = list[i];
			return true;
		}
	err_reason(err, ERR_DATA, "company_unknown", vat_number,
		   "it is none of Severa's companies");
	err_pointer(err, "/company");
	return false;
}

/* --- what is known of a company --- */

/* A connection, read, as far as a company's account goes. */
struct account {
	const char *connection, *client_id, *vat_number, *company_uuid, *user_api_key;
};

static bool read_account(struct arena *arena, const struct connection *conn, struct account *ret,
			 struct err *err)
{
	const struct json *settings, *credentials;
	if (!sm_read_connection(arena, conn, &settings, &credentials, err))
		return false;
	*ret = (struct account) {
		.connection = conn->id,
		.client_id = json_str(json_at(credentials, "severa.client_id")),
		.vat_number = json_str(json_at(settings, "company.vat_number")),
		.company_uuid = json_str(json_at(credentials, "maventa.company_uuid")),
		.user_api_key = json_str(json_at(credentials, "maventa.user_api_key")),
	};
	return true;
}

/* This connection first, then its peers. A peer that cannot be read is passed over. */
static bool read_accounts(struct attempt *at, const struct record *rec, struct account **ret,
			  size_t *ret_n, struct err *err)
{
	const struct peer *peers;
	size_t n_peers, n = 0;
	if (!at->ops->peers(at, rec, &peers, &n_peers, err))
		return false;
	struct account *all = arena_alloc_array(at->arena, n_peers + 1, sizeof(*all));
	if (!all)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!read_account(at->arena, at->conn, &all[n++], err))
		return false;
	for (size_t i = 0; i < n_peers; i++)
		if (read_account(at->arena, peers[i].conn, &all[n], NULL))
			n++;
	*ret = all;
	*ret_n = n;
	return true;
}

static bool has_text(const char *text)
{
	return text && text[0];
}

/* Of the same Severa: the keys are the customer's own. */
static const struct account *known_account(struct arena *arena, const struct account *all, size_t n,
					   const char *vat_number)
{
	for (size_t i = 0; i < n; i++)
		if (has_text(all[i].company_uuid) && has_text(all[i].user_api_key) &&
		    str_eq(all[i].client_id, all[0].client_id) &&
		    sm_is_same_company(arena, all[i].vat_number, vat_number))
			return &all[i];
	return NULL;
}

bool sm_known_keys(struct sm *t, const struct record *rec, const char *vat_number,
		   struct sm_known_keys *ret, struct err *err)
{
	struct account *all;
	size_t n;
	if (!read_accounts(t->at, rec, &all, &n, err))
		return false;
	const struct account *a = known_account(t->at->arena, all, n, vat_number);
	*ret = a ? (struct sm_known_keys) { a->connection, a->company_uuid, a->user_api_key }
		 : (struct sm_known_keys) { NULL, NULL, NULL };
	return true;
}

/* --- the answer --- */

struct candidates {
	struct sm t;
	struct json_writer *w;
	struct account *accounts;
	size_t n_accounts, n_asked;
	struct err asking; /* why Maventa does not say who is registered; ERR_NONE: it does */
};

/* Whether Maventa knows the company: "registered", "free", "unknown". */
static const char *at_maventa(struct candidates *c, const char *vat_number)
{
	struct maventa mv;
	struct scheme_id id;
	bool is_free;
	const char *country = sm_country_of(c->t.at->arena, vat_number);
	if (c->asking.code != ERR_NONE || c->n_asked++ >= ASKED_MAX || !country)
		return "unknown";
	if (!legal_id_from(c->t.at->arena, vat_number, country, &id))
		id.value = vat_number;
	if (!maventa_open_vendor(c->t.at, c->t.settings, json_get(c->t.credentials, "maventa"), &mv,
				 &c->asking) ||
	    !maventa_is_free(&mv, id.value, country, &is_free, &c->asking))
		return "unknown";
	return is_free ? "free" : "registered";
}

static void write_known_keys(struct candidates *c, const char *vat_number)
{
	const struct account *a = known_account(c->t.at->arena, c->accounts, c->n_accounts,
						vat_number);
	jsonw_key(c->w, "known_keys");
	if (!a) {
		jsonw_null(c->w);
		return;
	}
	size_t n = strlen(a->user_api_key);
	jsonw_object(c->w);
	jsonw_kstr(c->w, "connection", a->connection);
	jsonw_kstr(c->w, "company_uuid", a->company_uuid);
	jsonw_kstr(
		c->w, "user_api_key",
		arena_printf(c->t.at->arena, "********%s", n > 8 ? a->user_api_key + n - 4 : ""));
	jsonw_end_object(c->w);
}

static void write_company(struct candidates *c, const struct severa_company *company)
{
	struct arena *arena = c->t.at->arena;
	jsonw_object(c->w);
	jsonw_kstr(c->w, "name", company->name);
	jsonw_kstr(c->w, "vat_number", company->vat_number);
	jsonw_kstr(c->w, "country", sm_country_of(arena, company->vat_number));
	jsonw_key(c->w, "connections");
	jsonw_array(c->w);
	for (size_t i = 0; i < c->n_accounts; i++)
		if (has_text(c->accounts[i].company_uuid) &&
		    sm_is_same_company(arena, c->accounts[i].vat_number, company->vat_number))
			jsonw_str(c->w, c->accounts[i].connection);
	jsonw_end_array(c->w);
	jsonw_kstr(c->w, "at_maventa", at_maventa(c, company->vat_number));
	write_known_keys(c, company->vat_number);
	jsonw_end_object(c->w);
}

static void write_problem(struct candidates *c, const struct err *why)
{
	const char *code = why->reason ? why->reason : err_code_name(why->code);
	const struct reason *reason = reason_find(code);
	struct strbuf text = STRBUF_INIT(c->t.at->arena, 2048);
	jsonw_object(c->w);
	jsonw_kstr(c->w, "code", code);
	if (reason)
		reason_sentence(reason, c->t.at->language, why->subject, &text);
	else
		strbuf_addstr(&text, why->message);
	jsonw_key(c->w, "text");
	jsonw_span(c->w, strbuf_span(&text));
	jsonw_end_object(c->w);
}

static bool write_companies(struct candidates *c, struct err *err)
{
	const struct severa_company *list;
	size_t n;
	if (!severa_companies(&c->t.severa, &list, &n, err))
		return false;
	jsonw_key(c->w, "companies");
	jsonw_array(c->w);
	for (size_t i = 0; i < n; i++)
		write_company(c, &list[i]);
	jsonw_end_array(c->w);
	return true;
}

/* Without the right to read them they can still be typed. */
static bool write_persons(struct candidates *c, struct err *ret_lack, struct err *err)
{
	const struct severa_user *users = NULL;
	size_t n = 0;
	if (!severa_users(&c->t.severa, &users, &n, ret_lack) &&
	    ret_lack->code != ERR_CREDENTIALS) {
		if (err)
			*err = *ret_lack;
		return false;
	}
	jsonw_key(c->w, "persons");
	jsonw_array(c->w);
	for (size_t i = 0; i < n; i++) {
		jsonw_object(c->w);
		jsonw_kstr(c->w, "id", users[i].id);
		jsonw_kstr(c->w, "first_name", users[i].first_name);
		jsonw_kstr(c->w, "last_name", users[i].last_name);
		jsonw_kstr(c->w, "email", users[i].email);
		jsonw_end_object(c->w);
	}
	jsonw_end_array(c->w);
	return true;
}

bool sm_candidates(struct attempt *at, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(at->arena, 512 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct candidates c = { .w = &w, .asking = ERR_INIT };
	struct err lack = ERR_INIT;
	if (!sm_open_severa(&c.t, at, err) ||
	    !read_accounts(at, NULL, &c.accounts, &c.n_accounts, err))
		return false;
	jsonw_object(&w);
	if (!write_companies(&c, err) || !write_persons(&c, &lack, err))
		return false;
	jsonw_key(&w, "problems");
	jsonw_array(&w);
	if (c.asking.code != ERR_NONE)
		write_problem(&c, &c.asking);
	if (lack.code != ERR_NONE)
		write_problem(&c, &lack);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &at->result, err);
}
