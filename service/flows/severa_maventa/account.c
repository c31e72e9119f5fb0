/*
 * account.c: the company's account at Maventa, before anything is sent (MV-06): is it verified, and
 * does it have the settings that the user chose here (MV-08 to MV-10)? Those are written once per
 * change, by whichever invoice comes first; the link to our vendor key likewise.
 */
#include "base/base.h"
#include "internal.h"

#include "codec/sign.h"

#define VERIFIED_TTL_MS ((int64_t)10 * 60 * 1000)
#define UNVERIFIED_TTL_MS ((int64_t)5 * 1000)
#define WRITTEN_TTL_MS ((int64_t)60 * 60 * 1000)
#define VERIFIED "verified"
#define SEEN_VERIFIED "maventa.verified" /* Company UUID that a dialogue has seen verified */
#define WRITTEN "maventa.settings" /* hash of what was written last */

/* ---- verified? ----------------------------------------------------------------------------- */

static bool fetch_state(void *ctx, const char **ret, int64_t *ret_ttl_ms, struct err *err)
{
	struct sm_run *m = ctx;
	struct maventa_authorization a;
	if (!maventa_authorization(&m->maventa, &a, err))
		return false;
	bool is_verified = a.company == MAVENTA_VERIFIED;
	*ret = is_verified ? VERIFIED : "unverified";
	*ret_ttl_ms = is_verified ? VERIFIED_TTL_MS : UNVERIFIED_TTL_MS;
	return true;
}

bool sm_saw_verified(struct attempt *at, const char *company, struct err *err)
{
	return at->ops->kv_set(at, at->conn->id, SEEN_VERIFIED, company, 0, err);
}

/* Not verified, as somebody read some seconds ago; if a dialogue has seen otherwise since, it is
 * read anew: whom that wakes must not go on waiting for what was. */
static bool doubt_state(struct sm_run *m, struct shared_want *want, const char **state,
			struct err *err)
{
	struct attempt *at = m->road.at;
	const char *seen;
	if (!at->ops->kv_get(at, at->conn->id, SEEN_VERIFIED, &seen, err))
		return false;
	if (strcasecmp(seen, m->maventa.company) != 0)
		return true;
	want->refused = *state;
	if (!at->ops->shared(at, want, state, err))
		return false;
	return str_eq(*state, VERIFIED) || sm_saw_verified(at, "", err); /* taken back */
}

bool sm_is_verified(struct sm_run *m, bool *ret, struct err *err)
{
	struct attempt *at = m->road.at;
	struct shared_want want = { .fetch = fetch_state, .ctx = m };
	const char *state;
	/* By its revision: who activates or resumes the connection wants to know anew. */
	want.key = arena_printf(at->arena, "maventa.state:%s:%s:%s:%" PRId64, m->maventa.base_url,
				m->maventa.company, at->conn->id, at->conn->rev);
	if (!want.key)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!at->ops->shared(at, &want, &state, err) ||
	    (!str_eq(state, VERIFIED) && !doubt_state(m, &want, &state, err)))
		return false;
	*ret = str_eq(state, VERIFIED);
	return true;
}

/* ---- the account's own settings ------------------------------------------------------------ */

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

/* By which a change is known. */
static const char *hash_of(const struct sm_run *m)
{
	const struct maventa_settings *s = &m->set.account;
	unsigned char digest[SHA256_BYTES];
	char *hex = arena_alloc(m->road.at->arena, 2 * SHA256_BYTES + 1);
	const char *text = arena_printf(m->road.at->arena, "%s|%d|%s|%d|%d|%s|%s",
					m->maventa.company, (int)s->email, or_none(s->email_how),
					(int)s->print, (int)s->print_own_pdf,
					or_none(s->letter_class), or_none(s->color));
	if (!hex || !text)
		return NULL;
	sign_sha256(span_of(text), digest);
	sign_hex(digest, sizeof(digest), hex);
	return hex;
}

static bool is_any_set(const struct maventa_settings *s)
{
	return s->email != MAVENTA_AS_IT_IS || s->email_how || s->print != MAVENTA_AS_IT_IS ||
	       s->print_own_pdf != MAVENTA_AS_IT_IS || s->letter_class || s->color;
}

struct writing {
	struct sm_run *m;
	const char *hash;
};

/* It is no invoice's fault: they wait. A write that may be repeated is in no doubt. */
static bool refused(const struct err *why, bool is_change, struct err *err)
{
	struct err inner = *why;
	/* The keys were good a moment ago: then it is the user's role that is refused. */
	bool is_role = inner.code == ERR_CREDENTIALS && is_change;
	if (is_role || inner.code == ERR_DATA || inner.code == ERR_NOT_FOUND) {
		inner.code = ERR_WAITING;
		inner.reason = "settings_refused";
		snprintf(inner.subject, sizeof(inner.subject), "Maventa");
	}
	if (inner.code == ERR_DOUBT)
		inner.code = ERR_OUTAGE;
	if (err)
		*err = inner;
	return false;
}

static bool write_account(void *ctx, const char **ret, int64_t *ret_ttl_ms, struct err *err)
{
	const struct writing *w = ctx;
	struct attempt *at = w->m->road.at;
	struct err inner = ERR_INIT;
	const char *last, *state;
	if (!at->ops->kv_get(at, at->conn->id, WRITTEN, &last, err))
		return false;
	if (!str_eq(last, w->hash)) {
		if (!maventa_link(&w->m->maventa, &state, &inner))
			return refused(&inner, false, err);
		if (!maventa_change_settings(&w->m->maventa, &w->m->set.account, &inner))
			return refused(&inner, true, err);
		if (!at->ops->kv_set(at, at->conn->id, WRITTEN, w->hash, 0, err))
			return false;
		if (is_any_set(&w->m->set.account))
			at->ops->note(at, "account_settings",
				      "The connection's settings were written to the account at "
				      "Maventa.");
	}
	*ret = "written";
	*ret_ttl_ms = WRITTEN_TTL_MS;
	return true;
}

/* One worker writes, the others wait for what comes of it. */
static bool settle_account(struct sm_run *m, struct err *err)
{
	struct attempt *at = m->road.at;
	struct writing writing = { m, hash_of(m) };
	struct shared_want want = { .for_all = true, .fetch = write_account, .ctx = &writing };
	const char *done;
	if (writing.hash)
		want.key = arena_printf(at->arena, "maventa.account:%s:%" PRId64, at->conn->id,
					at->conn->rev);
	if (!want.key)
		return err_set(err, ERR_LIMIT, "arena full");
	return at->ops->shared(at, &want, &done, err);
}

bool sm_note_unverified(struct sm_run *m, struct err *err)
{
	bool verified = false;
	if (!sm_is_verified(m, &verified, err))
		return false;
	if (!verified)
		road_note(
			&m->road, "company_unverified",
			"The company is not authenticated at Maventa yet: until it is, the invoice "
			"would wait.");
	return true;
}

bool sm_may_send(struct road *r, struct err *err)
{
	struct sm_run *m = sm_run_of(r);
	bool verified = false;
	if (!sm_is_verified(m, &verified, err))
		return false;
	if (!verified)
		return err_reason(err, ERR_WAITING, "company_unverified", "Maventa",
				  "the company is not authenticated at Maventa yet");
	return settle_account(m, err) && sm_subscribe(m, err);
}
