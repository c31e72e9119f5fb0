/*
 * status.c: statuses of invoices and of travel reimbursements, and the write that moves a document
 * from one to another (facts/severa.md §3.5, 3.6, 7b). Names are free text, set by each customer;
 * the write reads nothing: what may be moved is the flow's to say.
 */
#include "base/base.h"
#include "severa_internal.h"

#include "net/verdict.h"

#define STATUS_TTL_MS (60 * 1000)
#define PATCH_FORM_TTL_MS (15 * 60 * 1000)

/* What has a status. */
struct owner {
	const char *what; /* "invoice" */
	struct severa_list list; /* of its statuses */
	const char *path; /* of one document */
	const char *member; /* of it */
	const char *unknown, *ambiguous; /* reasons */
};

static const struct owner invoice = { .what = "invoice",
				      .list = { .what = "read invoice statuses",
						.path = "/v1/invoicestatuses",
						.paging = SEVERA_BY_ROW },
				      .path = "/v1/invoices/{}",
				      .member = "status",
				      .unknown = "status_unknown",
				      .ambiguous = "status_ambiguous" };
static const struct owner travel = { .what = "travel reimbursement",
				     .list = { .what = "read travel reimbursement statuses",
					       .path = "/v1/travelreimbursementstatuses",
					       .paging = SEVERA_BY_ROW },
				     .path = "/v1/travelreimbursements/{}",
				     .member = "travelReimbursementStatus",
				     .unknown = "travel_status_unknown",
				     .ambiguous = "travel_status_ambiguous" };

/* ---- by name ------------------------------------------------------------------------------- */

static bool read_fresh(struct severa *s, const struct owner *o, struct err *err)
{
	struct severa_list list = o->list;
	struct severa_rows rows;
	list.is_fresh = true;
	return severa_register(s, &list, STATUS_TTL_MS, &rows, err);
}

bool severa_read_statuses(struct severa *s, struct err *err)
{
	return read_fresh(s, &invoice, err);
}

bool severa_read_travel_statuses(struct severa *s, struct err *err)
{
	return read_fresh(s, &travel, err);
}

static bool read_statuses(struct severa *s, const struct owner *o, const struct severa_status **ret,
			  size_t *ret_n, struct err *err)
{
	struct severa_rows rows;
	struct severa_status *statuses;
	if (!severa_register(s, &o->list, STATUS_TTL_MS, &rows, err) ||
	    !severa_map_all(s->at->arena, &severa_status_shape, &rows, &statuses, err))
		return false;
	*ret = statuses;
	*ret_n = rows.n;
	return true;
}

bool severa_statuses(struct severa *s, const struct severa_status **ret, size_t *ret_n,
		     struct err *err)
{
	return read_statuses(s, &invoice, ret, ret_n, err);
}

/* One that several statuses bear says nothing, unless but one of them is active. */
static const struct severa_status *by_name(const struct severa_status *list, size_t n,
					   const char *name, size_t *ret_n_same)
{
	const struct severa_status *found = NULL;
	*ret_n_same = 0;
	for (size_t i = 0; i < n; i++) {
		bool is_better = !found || list[i].is_active > found->is_active;
		if (!str_eq(list[i].name, name))
			continue;
		if (found && list[i].is_active == found->is_active)
			++*ret_n_same;
		if (is_better) {
			found = &list[i];
			*ret_n_same = 1;
		}
	}
	return found;
}

static bool find(struct severa *s, const struct owner *o, const char *ref,
		 const struct severa_status **ret, struct err *err)
{
	const struct severa_status *list;
	size_t n, n_same;
	if (!read_statuses(s, o, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(list[i].id, ref) == 0) {
			*ret = &list[i];
			return true;
		}
	}
	*ret = by_name(list, n, ref, &n_same);
	if (!*ret)
		return err_reason(err, ERR_DATA, o->unknown, ref,
				  "%s status %s does not exist in Severa", o->what, ref);
	return n_same == 1 ||
	       err_reason(err, ERR_DATA, o->ambiguous, ref,
			  "%zu %s statuses are called %s in Severa", n_same, o->what, ref);
}

bool severa_status_find(struct severa *s, const char *ref, const struct severa_status **ret,
			struct err *err)
{
	return find(s, &invoice, ref, ret, err);
}

bool severa_travel_status_find(struct severa *s, const char *ref, const struct severa_status **ret,
			       struct err *err)
{
	return find(s, &travel, ref, ret, err);
}

/* ---- the write ----------------------------------------------------------------------------- */

static bool patch_body(struct severa *s, const struct owner *o, bool as_object,
		       const char *status_id, struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(s->at->arena, 1024);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text,
		*path = arena_printf(s->at->arena, "/%s%s", o->member, as_object ? "" : "/guid");
	jsonw_array(&w);
	jsonw_object(&w);
	jsonw_kstr(&w, "op", "Replace");
	jsonw_kstr(&w, "path", path);
	jsonw_key(&w, "value");
	if (as_object)
		jsonw_object(&w);
	if (as_object)
		jsonw_kstr(&w, "guid", status_id);
	else
		jsonw_str(&w, status_id);
	if (as_object)
		jsonw_end_object(&w);
	jsonw_end_object(&w);
	jsonw_end_array(&w);
	if (!path || !strbuf_finish(&sb, &text, err))
		return err_set(err, ERR_LIMIT, "arena full");
	*ret = strbuf_span(&sb);
	return true;
}

/* The answer is an array of the changed objects, or one object (§2.4). */
static bool has_status(const struct owner *o, const struct json *j, const char *status_id)
{
	const struct json *doc = json_type(j) == JSON_ARRAY ? json_first(j) : j;
	const char *id = json_text(json_get(json_get(doc, o->member), "guid"));
	return id && strcasecmp(id, status_id) == 0;
}

static bool patch(struct severa *s, const struct owner *o, bool as_object, const char *id,
		  const char *status_id, struct err *err)
{
	struct severa_rq rq = { .method = "PATCH",
				.path = severa_path(s, o->path, id),
				.what = arena_printf(s->at->arena, "set %s status", o->what),
				.is_write = true };
	struct http_reply reply;
	const struct json *j;
	if (!rq.path || !rq.what)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!patch_body(s, o, as_object, status_id, &rq.body, err) ||
	    !severa_do(s, &rq, &reply, err) ||
	    !verdict_json(s->at->arena, &reply, true, rq.what, &j, err))
		return false;
	if (has_status(o, j, status_id))
		return true;
	return verdict_to_err(VERDICT_DOUBT, &reply, SPAN_LIT(""), rq.what, err);
}

static bool set(struct severa *s, const struct owner *o, const char *id, const char *status_id,
		struct err *err)
{
	struct attempt *at = s->at;
	struct err inner = ERR_INIT;
	const char *key = arena_printf(at->arena, "severa.patch:%s", s->base_url);
	if (!key)
		return err_set(err, ERR_LIMIT, "arena full");
	/* Which of the two forms the server takes is not documented (§3.6): what worked is kept. */
	bool as_object = str_eq(at->ops->cache_get(at, key), "object");
	if (!patch(s, o, as_object, id, status_id, &inner)) {
		if (inner.code != ERR_DATA || inner.upstream_status != 400 ||
		    !patch(s, o, !as_object, id, status_id, NULL)) {
			if (err)
				*err = inner;
			return false;
		}
		as_object = !as_object;
	}
	at->ops->cache_set(at, key, as_object ? "object" : "guid", PATCH_FORM_TTL_MS);
	return true;
}

bool severa_set_status(struct severa *s, const char *invoice_id, const char *status_id,
		       struct err *err)
{
	return set(s, &invoice, invoice_id, status_id, err);
}

bool severa_set_travel_status(struct severa *s, const char *id, const char *status_id,
			      struct err *err)
{
	struct severa own;
	struct err why = ERR_INIT;
	return severa_with_scope(s, SEVERA_TRAVEL_SCOPES, &own, err) &&
	       (set(&own, &travel, id, status_id, &why) ||
		severa_scope_refused(SEVERA_TRAVEL_SCOPES, &why, err));
}
