/*
 * invoices.c: sends invoices and follows them (facts/maventa.md §5, 6). An invoice carries a uuid
 * of ours, so that it can be asked for by name: after silence, and after a refusal that may be one
 * of a second sending. How "exists already" is worded is not documented, so that no text is trusted
 * with it.
 */
#include "base/base.h"
#include "maventa_internal.h"

#define IDS_MAX 100 /* of one call */

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* A company that is not authenticated is answered like one with wrong keys (§5.5); who cannot be
 * asked which of the two it is has lost no keys. */
static bool settle_unauthorized(struct maventa *mv, const struct err *why, struct err *err)
{
	struct maventa_authorization a;
	struct err inner = ERR_INIT;
	if (maventa_authorization(mv, &a, &inner)) {
		if (a.company != MAVENTA_VERIFIED)
			return err_reason(err, ERR_WAITING, "company_unverified", "Maventa",
					  "the company is not authenticated at Maventa yet");
		inner = *why;
	}
	if (err)
		*err = inner.code == ERR_CREDENTIALS ? *why : inner;
	return false;
}

/* It may be one of a second sending: refused for good is only what is not there. */
static bool settle_refusal(struct maventa *mv, const char *uuid, const struct err *why,
			   struct maventa_invoice *ret, struct err *err)
{
	struct err inner = ERR_INIT;
	if (maventa_invoice(mv, uuid, ret, &inner))
		return err_set(err, ERR_DUPLICATE, "Maventa has %s already", uuid);
	if (inner.code != ERR_NOT_FOUND)
		return err_set(err, ERR_DOUBT,
			       "refused, and nobody can say whether Maventa has %s already: %s",
			       uuid, why->message);
	if (err)
		*err = *why;
	return false;
}

bool maventa_send(struct maventa *mv, const struct maventa_form *form, struct maventa_invoice *ret,
		  struct err *err)
{
	struct maventa_rq rq = { .what = "send invoice",
				 .method = "POST",
				 .path = "/v1/invoices",
				 .body = form->body,
				 .content_type = form->content_type,
				 .is_write = true };
	struct err inner = ERR_INIT;
	const struct json *j;
	if (maventa_json(mv, &rq, &j, &inner)) {
		if (maventa_map_invoice(mv->at->arena, j, ret, &inner))
			return true;
		return err_set(err, ERR_DOUBT, "%s: the answer names no invoice", rq.what);
	}
	int status = inner.upstream_status;
	if (status == 401 || status == 403)
		return settle_unauthorized(mv, &inner, err);
	if (inner.code == ERR_DATA)
		return settle_refusal(mv, form->uuid, &inner, ret, err);
	if (err)
		*err = inner;
	return false;
}

bool maventa_invoice(struct maventa *mv, const char *uuid, struct maventa_invoice *ret,
		     struct err *err)
{
	struct maventa_rq rq = { .what = "read invoice",
				 .method = "GET",
				 .path = maventa_path(mv, "/v1/invoices/{}", uuid, NULL) };
	const struct json *j;
	return maventa_json(mv, &rq, &j, err) && maventa_map_invoice(mv->at->arena, j, ret, err);
}

/* Without the direction the answer would be about invoices received. */
static bool list_some(struct maventa *mv, const char *const *uuids, size_t n,
		      struct maventa_invoice *ret, size_t *ret_n, struct err *err)
{
	struct maventa_rq rq = { .what = "read invoices", .method = "GET" };
	struct strbuf sb = STRBUF_INIT(mv->at->arena, 8192);
	const struct json *list;
	strbuf_addf(&sb, "/v1/invoices?direction=SENT&page=1&per_page=%d&ids=", IDS_MAX);
	for (size_t i = 0; i < n; i++) {
		strbuf_addstr(&sb, i ? "," : "");
		strbuf_add_urlencoded(&sb, uuids[i]);
	}
	if (!strbuf_finish(&sb, &rq.path, err) || !maventa_json(mv, &rq, &list, err))
		return false;
	*ret_n = 0;
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		if (*ret_n == n)
			return err_set(err, ERR_SYSTEM, "%s: Maventa lists others too", rq.what);
		if (!maventa_map_invoice(mv->at->arena, j, &ret[(*ret_n)++], err))
			return false;
	}
	return true;
}

bool maventa_invoices(struct maventa *mv, const char *const *uuids, size_t n,
		      const struct maventa_invoice **ret, size_t *ret_n, struct err *err)
{
	struct maventa_invoice *found = arena_alloc_array(mv->at->arena, n + 1, sizeof(*found));
	size_t have = 0;
	if (!found)
		return full(err);
	for (size_t done = 0; done < n;) {
		size_t some = n - done < IDS_MAX ? n - done : IDS_MAX;
		size_t more;
		if (!list_some(mv, uuids + done, some, found + have, &more, err))
			return false;
		done += some;
		have += more;
	}
	*ret = found;
	*ret_n = have;
	return true;
}

bool maventa_invoices_by_number(struct maventa *mv, const char *number,
				const struct maventa_invoice **ret, size_t *ret_n, struct err *err)
{
	struct maventa_rq rq = {
		.what = "find invoices by number",
		.method = "GET",
		.path = maventa_path(mv,
				     "/v1/invoices?direction=SENT&page=1&per_page=100&number={}",
				     number, NULL)
	};
	const struct json *list;
	size_t n = 0;
	if (!maventa_json(mv, &rq, &list, err))
		return false;
	struct maventa_invoice *found = arena_alloc_array(mv->at->arena, json_size(list) + 1,
							  sizeof(*found));
	if (!found)
		return full(err);
	for (const struct json *j = json_first(list); j; j = json_next(j))
		if (!maventa_map_invoice(mv->at->arena, j, &found[n++], err))
			return false;
	*ret = found;
	*ret_n = n;
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct maventa_action *x = a, *y = b;
	return x->happened_ms < y->happened_ms ? -1 : x->happened_ms > y->happened_ms;
}

bool maventa_actions(struct maventa *mv, const char *uuid, const char *type,
		     const struct maventa_action **ret, size_t *ret_n, struct err *err)
{
	struct maventa_rq rq = { .what = "read what became of the invoice", .method = "GET" };
	const struct json *list;
	rq.path = type ? maventa_path(mv, "/v1/invoices/{}/actions?type={}", uuid, type)
		       : maventa_path(mv, "/v1/invoices/{}/actions", uuid, NULL);
	if (!maventa_json(mv, &rq, &list, err))
		return false;
	size_t n = 0;
	struct maventa_action *found = arena_alloc_array(mv->at->arena, json_size(list) + 1,
							 sizeof(*found));
	if (!found)
		return full(err);
	for (const struct json *j = json_first(list); j; j = json_next(j))
		maventa_map_action(j, &found[n++]);
	qsort(found, n, sizeof(*found), by_time);
	*ret = found;
	*ret_n = n;
	return true;
}

bool maventa_failure(struct maventa *mv, const char *uuid, const char **ret, struct err *err)
{
	const struct maventa_action *actions;
	size_t n;
	if (!maventa_actions(mv, uuid, "ERROR", &actions, &n, err))
		return false;
	*ret = "";
	for (size_t i = n; i-- > 0 && !(*ret)[0];)
		*ret = actions[i].message;
	return true;
}
