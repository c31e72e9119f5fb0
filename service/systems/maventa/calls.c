/*
 * calls.c: the calls about a company's account: whether it exists, our link to it, its
 * authentication, its settings; receivers; and the subscriptions to its notifications
 * (facts/maventa.md §7 to 11). The invoices' are in invoices.c, the registration's in soap.c.
 */
#include "base/base.h"
#include "maventa_internal.h"

#include <ctype.h>

#define RECEIVERS_MAX 100 /* a page */

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

const char *maventa_path(struct maventa *mv, const char *pattern, const char *first,
			 const char *second)
{
	const char *const values[] = { first, second };
	struct strbuf sb = STRBUF_INIT(mv->at->arena, 16 << 10);
	const char *ret, *mark;
	for (size_t i = 0; i < ARRAY_SIZE(values) && (mark = strstr(pattern, "{}")); i++) {
		strbuf_add(&sb, pattern, (size_t)(mark - pattern));
		strbuf_add_urlencoded(&sb, values[i]);
		pattern = mark + 2;
	}
	strbuf_addstr(&sb, pattern);
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

static const char *text_of(const struct json *j, const char *path)
{
	const char *text = json_text(json_at(j, path));
	return text ? text : "";
}

/* ---- companies ----------------------------------------------------------------------------- */

/* Letters and digits alone, without case. */
static bool is_same_id(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a && !isalnum((unsigned char)*a))
			a++;
		while (*b && !isalnum((unsigned char)*b))
			b++;
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

bool maventa_is_free(struct maventa *mv, const char *business_id, const char *country,
		     bool *ret_is_free, struct err *err)
{
	struct maventa_rq rq = { .what = "ask whether a company is registered",
				 .method = "GET",
				 .path = maventa_path(
					 mv, "/v1/partner/lookups/companies?bids={}&country={}",
					 business_id, country) };
	const struct json *list;
	if (!mv->company[0] || !mv->user_key[0])
		return err_reason(err, ERR_SYSTEM, "partner_account_missing", business_id,
				  "no partner account of Maventa's is set");
	if (!maventa_json(mv, &rq, &list, err))
		return false;
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		const char *state = text_of(j, "company_status");
		if (!is_same_id(text_of(j, "company_bid"), business_id))
			continue;
		if (strcasecmp(state, "FREE") != 0 && strcasecmp(state, "RESERVED") != 0)
			break;
		*ret_is_free = strcasecmp(state, "FREE") == 0;
		return true;
	}
	return err_set(err, ERR_SYSTEM, "Maventa does not say whether %s is registered",
		       business_id);
}

bool maventa_companies(struct maventa *mv, const char *business_id, const char *country,
		       const struct maventa_company **ret, size_t *ret_n, struct err *err)
{
	struct maventa_rq rq = { .what = "list the user's companies", .method = "GET" };
	const struct json *list;
	rq.path = business_id ? maventa_path(mv, "/v1/companies?bid={}&country={}", business_id,
					     country)
			      : "/v1/companies";
	if (!maventa_json(mv, &rq, &list, err))
		return false;
	size_t n = 0;
	struct maventa_company *found = arena_alloc_array(mv->at->arena, json_size(list) + 1,
							  sizeof(*found));
	if (!found)
		return full(err);
	for (const struct json *j = json_first(list); j; j = json_next(j))
		found[n++] = (struct maventa_company) { text_of(j, "id"), text_of(j, "name"),
							text_of(j, "bid") };
	*ret = found;
	*ret_n = n;
	return true;
}

/* ---- link to our vendor key ---------------------------------------------------------------- */

static bool link_state(struct maventa *mv, const struct maventa_rq *rq, const char **ret,
		       struct err *err)
{
	const struct json *j;
	if (!maventa_json(mv, rq, &j, err))
		return false;
	*ret = text_of(j, "state");
	return true;
}

bool maventa_link_state(struct maventa *mv, const char **ret_state, struct err *err)
{
	struct maventa_rq rq = { .what = "read the link to Viesti",
				 .method = "GET",
				 .path = "/v1/company/vendors" };
	return link_state(mv, &rq, ret_state, err);
}

/* What a second link is answered is not told (facts/maventa.md §7.2): one that is refused is held
 * against what stands there, since an account that is linked is all that was wanted. */
bool maventa_link(struct maventa *mv, const char **ret_state, struct err *err)
{
	struct maventa_rq rq = { .what = "link the account to Viesti",
				 .method = "POST",
				 .path = "/v1/company/vendors",
				 .is_write = true };
	struct err refused = ERR_INIT;
	if (link_state(mv, &rq, ret_state, &refused))
		return true;
	if (refused.code == ERR_DATA && maventa_link_state(mv, ret_state, NULL) &&
	    maventa_is_linked(*ret_state))
		return true;
	if (err)
		*err = refused;
	return false;
}

/* What is gone already need not be removed. */
static bool remove_it(struct maventa *mv, const char *what, const char *path, struct err *err)
{
	struct maventa_rq rq = { .what = what, .method = "DELETE", .path = path, .is_write = true };
	struct http_reply reply;
	struct err inner = ERR_INIT;
	if (maventa_do(mv, &rq, &reply, &inner) || inner.code == ERR_NOT_FOUND)
		return true;
	if (err)
		*err = inner;
	return false;
}

bool maventa_unlink(struct maventa *mv, struct err *err)
{
	return remove_it(mv, "remove the link to Viesti", "/v1/company/vendors", err);
}

/* ---- authentication of the company --------------------------------------------------------- */

const char *const maventa_locales[] = { "FI", "NO", "SE", "EN", "NL", "BE", NULL };

bool maventa_authorization(struct maventa *mv, struct maventa_authorization *ret, struct err *err)
{
	struct maventa_rq rq = { .what = "read the state of the authentication",
				 .method = "GET",
				 .path = "/v1/company/authorization" };
	const struct json *j;
	if (!maventa_json(mv, &rq, &j, err))
		return false;
	*ret = (struct maventa_authorization) {
		.company = maventa_company_state_of(json_text(json_get(j, "company_state"))),
		.state = text_of(j, "auth_state"),
		.email = text_of(j, "auth_email"),
	};
	return true;
}

bool maventa_authorize(struct maventa *mv, const char *email, const char *locale, struct err *err)
{
	struct maventa_rq rq = { .what = "send the authentication request",
				 .method = "POST",
				 .path = "/v1/company/authorization",
				 .is_write = true };
	struct strbuf sb = STRBUF_INIT(mv->at->arena, 2048);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct http_reply reply;
	const char *text;
	jsonw_object(&w);
	jsonw_kstr(&w, "auth_email", email);
	jsonw_kstr(&w, "locale", locale);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	rq.body = strbuf_span(&sb);
	return maventa_do(mv, &rq, &reply, err); /* what its answer may say is not told */
}

/* ---- settings ------------------------------------------------------------------------------ */

static bool read_settings(struct maventa *mv, const struct json **ret, struct err *err)
{
	struct maventa_rq rq = { .what = "read the account's settings",
				 .method = "GET",
				 .path = "/v1/company/settings" };
	return maventa_json(mv, &rq, ret, err);
}

bool maventa_settings(struct maventa *mv, struct maventa_settings *ret, struct err *err)
{
	const struct json *j;
	if (!read_settings(mv, &j, err))
		return false;
	maventa_map_settings(j, ret);
	return true;
}

static bool patch_settings(struct maventa *mv, const struct maventa_settings *change,
			   const struct json *with, struct err *err)
{
	struct maventa_rq rq = { .what = "change the account's settings",
				 .method = "PATCH",
				 .path = "/v1/company/settings",
				 .is_write = true };
	struct http_reply reply;
	if (!maventa_write_settings(mv->at->arena, change, with, &rq.body, err))
		return false;
	return span_is(rq.body, "{}") || maventa_do(mv, &rq, &reply, err);
}

bool maventa_change_settings(struct maventa *mv, const struct maventa_settings *change,
			     struct err *err)
{
	struct err inner = ERR_INIT;
	const struct json *now;
	if (patch_settings(mv, change, NULL, &inner))
		return true;
	if (inner.code == ERR_DATA && inner.upstream_status == 400)
		return read_settings(mv, &now, err) && patch_settings(mv, change, now, err);
	if (err)
		*err = inner;
	return false;
}

/* ---- receivers ----------------------------------------------------------------------------- */

static void add_query(struct strbuf *sb, const char *name, const char *value)
{
	if (!value || !value[0])
		return;
	strbuf_addf(sb, "&%s=", name);
	strbuf_add_urlencoded(sb, value);
}

bool maventa_receivers(struct maventa *mv, const struct maventa_receiver_query *q,
		       const struct maventa_receiver **ret, size_t *ret_n, struct err *err)
{
	struct maventa_rq rq = { .what = "look a receiver up", .method = "GET" };
	struct strbuf sb = STRBUF_INIT(mv->at->arena, 4096);
	const struct json *list;
	strbuf_addf(&sb, "/v1/lookup/receivers?network=%s&per_page=%d",
		    q->networks ? q->networks : "PEPPOL,INTERNAL,EXTERNAL", RECEIVERS_MAX);
	add_query(&sb, "eia", q->address);
	add_query(&sb, "bid", q->business_id);
	add_query(&sb, "name", q->name);
	add_query(&sb, "country", q->country);
	if (!strbuf_finish(&sb, &rq.path, err) || !maventa_json(mv, &rq, &list, err))
		return false;
	size_t n = 0;
	struct maventa_receiver *found = arena_alloc_array(mv->at->arena, json_size(list) + 1,
							   sizeof(*found));
	if (!found)
		return full(err);
	for (const struct json *j = json_first(list); j; j = json_next(j))
		maventa_map_receiver(j, &found[n++]);
	*ret = found;
	*ret_n = n;
	return true;
}

/* ---- notifications ------------------------------------------------------------------------- */

bool maventa_subscriptions(struct maventa *mv, const struct maventa_subscription **ret,
			   size_t *ret_n, struct err *err)
{
	struct maventa_rq rq = { .what = "list the subscriptions",
				 .method = "GET",
				 .path = "/v1/company/notifications" };
	const struct json *list;
	if (!maventa_json(mv, &rq, &list, err))
		return false;
	size_t n = 0;
	struct maventa_subscription *found = arena_alloc_array(mv->at->arena, json_size(list) + 1,
							       sizeof(*found));
	if (!found)
		return full(err);
	for (const struct json *j = json_first(list); j; j = json_next(j))
		found[n++] = (struct maventa_subscription) { text_of(j, "id"),
							     text_of(j, "destination") };
	*ret = found;
	*ret_n = n;
	return true;
}

bool maventa_subscribe(struct maventa *mv, const char *url, const char **ret_id, struct err *err)
{
	struct maventa_rq rq = { .what = "subscribe to notifications",
				 .method = "POST",
				 .path = "/v1/company/notifications",
				 .is_write = true };
	struct strbuf sb = STRBUF_INIT(mv->at->arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *j;
	const char *text;
	jsonw_object(&w);
	jsonw_kstr(&w, "destination_type", "WEBHOOK");
	jsonw_kstr(&w, "destination", url);
	jsonw_key(&w, "events");
	jsonw_array(&w);
	for (size_t i = 0; maventa_events[i]; i++)
		jsonw_str(&w, maventa_events[i]);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	rq.body = strbuf_span(&sb);
	if (!maventa_json(mv, &rq, &j, err))
		return false;
	*ret_id = text_of(j, "id");
	return (*ret_id)[0] ? true
			    : err_set(err, ERR_DOUBT, "%s: an answer without an id", rq.what);
}

bool maventa_unsubscribe(struct maventa *mv, const char *id, struct err *err)
{
	return remove_it(mv, "end the subscription",
			 maventa_path(mv, "/v1/company/notifications/{}", id, NULL), err);
}
