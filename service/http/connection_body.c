/*
 * connection_body.c: reads a connection from a JSON body and holds it against its flow's tables of
 * settings and credentials. Pure but for the arena. Unknown members are refused with their pointer.
 */
#include "base/base.h"

#include "base/clock.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "connections.h"
#include "queue/schedule.h"
#include "settings.h"
#include "webhook.h"

#define TEXT_MAX ((size_t)128 * 1024)
#define NAME_CHARS 200

/* The new object's text: the patch alone, or put into the old text. */
static bool take_object(struct request *rq, bool merge, struct span old, const struct json *j,
			const char **ret, struct err *err)
{
	const struct json *was = NULL;
	struct strbuf sb = STRBUF_INIT(rq->arena, TEXT_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (merge && old.n && !json_parse(rq->arena, old, JSON_LIMITS_API, &was, err))
		return false;
	jsonw_merge(&w, was, j);
	return strbuf_finish(&sb, ret, err);
}

/* --- credentials --- */

static const struct credential *credential_find(const struct flow *flow, const char *system,
						const char *name)
{
	for (size_t i = 0; i < flow->n_credentials; i++)
		if (str_eq(flow->credentials[i].system, system) &&
		    (!name || str_eq(flow->credentials[i].name, name)))
			return &flow->credentials[i];
	return NULL;
}

static bool check_credentials(const struct flow *flow, const struct json *j, struct err *err)
{
	for (const struct json *sys = json_first(j); sys; sys = json_next(sys)) {
		if (!credential_find(flow, json_key(sys), NULL)) {
			problem(err, ERR_INPUT, "unknown_member", "", "no such system");
			err_pointer(err, "/credentials/%s", json_key(sys));
			return false;
		}
		bool ok = json_type(sys) == JSON_OBJECT;
		for (const struct json *m = json_first(sys); ok && m; m = json_next(m)) {
			bool known = credential_find(flow, json_key(sys), json_key(m)) != NULL;
			if (known && json_str(m))
				continue;
			problem(err, ERR_INPUT, known ? "value_invalid" : "unknown_member", "",
				known ? "not a text" : "no such credential");
			err_pointer(err, "/credentials/%s/%s", json_key(sys), json_key(m));
			return false;
		}
		if (!ok) {
			problem(err, ERR_INPUT, "value_invalid", "", "not an object");
			err_pointer(err, "/credentials/%s", json_key(sys));
			return false;
		}
	}
	return true;
}

static struct setting_table settings_of(const struct flow *flow)
{
	return (struct setting_table) { flow->settings, flow->n_settings, "/settings" };
}

bool connection_is_complete(struct request *rq, const struct connection *c, struct err *err)
{
	const struct flow *flow = flow_find(rq->opt, c->flow);
	const struct json *settings = NULL, *credentials = NULL;
	struct span secret = { c->credentials.p, c->credentials.n };
	arena_keep_secrets(rq->arena);
	if (!flow)
		return problem(err, ERR_CONFLICT, "state", "", "this build has no such flow");
	if ((c->settings && *c->settings &&
	     !json_parse(rq->arena, span_of(c->settings), JSON_LIMITS_API, &settings, err)) ||
	    (secret.n && !json_parse(rq->arena, secret, JSON_LIMITS_API, &credentials, err)))
		return false;
	const struct setting_table table = settings_of(flow);
	if (!settings_complete(&table, settings, err))
		return false;
	for (size_t i = 0; i < flow->n_credentials; i++) {
		const struct credential *k = &flow->credentials[i];
		if (!k->needed ||
		    !json_is_null(json_get(json_get(credentials, k->system), k->name)))
			continue;
		problem(err, ERR_INPUT, "value_missing", "", "%s", k->doc ? k->doc : "");
		err_pointer(err, "/credentials/%s/%s", k->system, k->name);
		return false;
	}
	return true;
}

/* --- schedule --- */

static bool check_schedule(const struct json *j, struct err *err)
{
	if (schedule_check(j, "/schedule", err))
		return true;
	if (err)
		err->reason = "value_invalid";
	return false;
}

/* --- webhook secrets --- */

static bool take_secrets(struct request *rq, const struct json *j, struct connection_draft *d,
			 struct err *err)
{
	struct webhook_keys keys = { .n = 0 };
	bool ok = json_type(j) == JSON_ARRAY && json_size(j) <= CONNECTION_MAX_SECRETS;
	d->n_webhook_secrets = 0;
	for (const struct json *s = ok ? json_first(j) : NULL; ok && s; s = json_next(s)) {
		const char *text = json_str(s);
		struct secret copy;
		ok = text && webhook_keys_add(&keys, span_of(text));
		if (ok && !secret_in_arena(rq->arena, span_of(text), &copy))
			return err_set(err, ERR_LIMIT, "arena full");
		if (ok)
			d->webhook_secrets[d->n_webhook_secrets++] = (struct span) { copy.p,
										     copy.n };
	}
	webhook_keys_wipe(&keys);
	if (ok)
		return true;
	return problem(
		err, ERR_INPUT, "value_invalid", "/webhook_secrets",
		"up to %d texts \"whsec_<base64 of 24 to 64 bytes>\" or \"whpk_<base64 of 32 "
		"bytes>\"",
		CONNECTION_MAX_SECRETS);
}

/* --- the whole --- */

static bool is_id(const char *id)
{
	size_t n = id ? strlen(id) : 0;
	return n >= 1 && n <= 32 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static bool take_identity(struct request *rq, const struct json *j, enum body_mode mode,
			  struct connection_draft *d, struct err *err)
{
	const char *id, *flow;
	if (!request_text(j, "id", 32, &id, err) || !request_text(j, "flow", 31, &flow, err))
		return false;
	if (mode != BODY_CREATE) {
		/* One that cannot be read may have lost what it was for. */
		if (flow && flow_find(rq->opt, flow) && !flow_find(rq->opt, d->flow))
			d->flow = flow;
		if ((id && !str_eq(id, d->id)) || (flow && !str_eq(flow, d->flow)))
			return problem(err, ERR_INPUT, "value_invalid",
				       id && !str_eq(id, d->id) ? "/id" : "/flow",
				       "cannot be changed");
		return true;
	}
	if (!id || !flow)
		return problem(err, ERR_INPUT, "value_missing", id ? "/flow" : "/id", "required");
	if (!is_id(id))
		return problem(err, ERR_INPUT, "value_invalid", "/id", "1 to 32 of a-z 0-9 _ -");
	if (!flow_find(rq->opt, flow))
		return problem(err, ERR_INPUT, "value_invalid", "/flow",
			       "no such flow; GET /v1/flows lists them");
	d->id = id;
	d->flow = flow;
	d->created_ms = clock_wall_ms();
	return true;
}

static bool expect_object(const struct json *j, const char *pointer, struct err *err)
{
	if (json_type(j) == JSON_OBJECT)
		return true;
	return problem(err, ERR_INPUT, "value_invalid", pointer, "not an object");
}

static bool take_schedule(struct request *rq, const struct json *j, struct connection_draft *d,
			  struct err *err)
{
	if (json_is_null(j)) {
		const struct flow *flow = flow_find(rq->opt, d->flow);
		d->schedule = flow && flow->schedule ? flow->schedule : "";
		return true;
	}
	return check_schedule(j, err) &&
	       take_object(rq, false, (struct span) { NULL, 0 }, j, &d->schedule, err);
}

/* Credentials are write-only: what is not sent stays, whatever the mode. */
static bool take_members(struct request *rq, const struct json *j, enum body_mode mode,
			 struct connection_draft *d, struct err *err)
{
	bool merge = mode == BODY_MERGE;
	const struct json *settings = json_get(j, "settings"), *schedule = json_get(j, "schedule");
	const struct json *creds = json_get(j, "credentials"),
			  *hooks = json_get(j, "webhook_secrets");
	const char *name = NULL, *text = NULL;
	if (!request_text(j, "name", NAME_CHARS, &name, err))
		return false;
	if (name || !merge)
		d->name = name ? name : "";
	if (settings ? !expect_object(settings, "/settings", err) ||
			       !take_object(rq, merge, span_of(d->settings), settings, &d->settings,
					    err)
		     : false)
		return false;
	if (!settings && !merge)
		d->settings = "{}";
	if ((schedule || !merge) && !take_schedule(rq, schedule, d, err))
		return false;
	if (creds) {
		if (!expect_object(creds, "/credentials", err) ||
		    !take_object(rq, merge, d->credentials, creds, &text, err))
			return false;
		d->credentials = span_of(text);
	}
	return !hooks || take_secrets(rq, hooks, d, err);
}

/* Holds the result against the flow's tables and derives its limit keys. */
static bool settle(struct request *rq, struct connection_draft *d, struct err *err)
{
	const struct flow *flow = flow_find(rq->opt, d->flow);
	const struct json *settings = NULL, *credentials = NULL;
	struct span creds = d->credentials.n ? d->credentials : SPAN_LIT("{}");
	if (!flow)
		return problem(err, ERR_CONFLICT, "state", "", "this build has no such flow");
	const struct setting_table table = settings_of(flow);
	if (!json_parse(rq->arena, span_of(d->settings), JSON_LIMITS_API, &settings, err) ||
	    !json_parse(rq->arena, creds, JSON_LIMITS_API, &credentials, err) ||
	    !settings_check(rq->arena, &table, settings, err) ||
	    !check_credentials(flow, credentials, err))
		return false;
	return flow->settle(rq->arena, rq->opt->systems, settings, credentials, d->limits,
			    &d->n_limits, err);
}

bool connection_body_read(struct request *rq, enum body_mode mode, const struct connection *old,
			  struct connection_draft *ret, struct err *err)
{
	static const char *const members[] = {
		"id", "flow", "name", "settings", "credentials", "schedule", "webhook_secrets", NULL
	};
	const struct json *j = NULL;
	if (!request_keep_secrets(rq, err) || !request_json(rq, &j, err) ||
	    !request_members(j, members, err))
		return false;
	if (old && old->unreadable[0] && mode != BODY_REPLACE)
		return problem(err, ERR_CONFLICT, "state", "",
			       "%s; replace it as a whole (PUT), with credentials and webhook "
			       "secrets",
			       old->unreadable);
	if (old)
		connection_draft_of(old, ret);
	else
		*ret = (struct connection_draft) { .settings = "{}",
						   .schedule = "",
						   .pause_reason = "",
						   .name = "",
						   .state = CONNECTION_DRAFT };
	return take_identity(rq, j, mode, ret, err) && take_members(rq, j, mode, ret, err) &&
	       settle(rq, ret, err);
}
