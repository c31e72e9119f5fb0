/*
 * fees.c: expense rows of a project, as fees or as travel expenses (facts/severa.md §7b). Neither
 * has a key of ours nor a search: the key stands in the description, and is looked for in what has
 * changed since (assumptions.c).
 */
#include "base/base.h"
#include "severa_internal.h"

#include "base/clock.h"
#include "net/verdict.h"

#define LIST_TTL_MS 60000

static const struct {
	const char *path, *changed, *scopes;
} resources[] = {
	[SEVERA_FEES] = { "/v1/projectfees", "/v1/projectfees?changedSince={}",
			  "fees:read,fees:write" },
	[SEVERA_EXPENSES] = { "/v1/projecttravelexpenses",
			      "/v1/projecttravelexpenses?changedSince={}", SEVERA_TRAVEL_SCOPES },
};

static void ref(struct json_writer *w, const char *key, const char *guid)
{
	if (!guid)
		return;
	jsonw_key(w, key);
	jsonw_object(w);
	jsonw_kstr(w, "guid", guid);
	jsonw_end_object(w);
}

static void money(struct json_writer *w, const char *key, struct decimal amount)
{
	jsonw_key(w, key);
	jsonw_object(w);
	jsonw_key(w, "amount");
	jsonw_decimal(w, amount);
	jsonw_kstr(w, "currencyCode", "EUR");
	jsonw_end_object(w);
}

static bool write_body(struct severa *s, const struct severa_fee *fee, struct span *ret,
		       struct err *err)
{
	struct strbuf sb = STRBUF_INIT(s->at->arena, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_object(&w);
	ref(&w, "project", fee->project_id);
	ref(&w, "phase", fee->phase_id);
	ref(&w, "user", fee->user_id);
	ref(&w, fee->resource == SEVERA_FEES ? "product" : "travelExpense", fee->item_id);
	if (fee->resource == SEVERA_FEES)
		jsonw_kstr(&w, "name", fee->name);
	jsonw_kstr(&w, "description", fee->description);
	jsonw_kstr(&w, "eventDate", fee->date);
	jsonw_key(&w, "quantity");
	jsonw_decimal(&w, fee->quantity);
	money(&w, "unitCost", fee->unit_cost);
	money(&w, "unitPrice", fee->unit_cost);
	jsonw_kbool(&w, "isBillable", fee->is_billable);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}

bool severa_fee_add(struct severa *s, const struct severa_fee *fee, const char **ret_id,
		    struct err *err)
{
	struct severa_rq rq = { .what = "add expense row",
				.method = "POST",
				.path = resources[fee->resource].path,
				.is_write = true };
	const char *scopes = resources[fee->resource].scopes;
	struct err why = ERR_INIT;
	struct http_reply reply;
	const struct json *j;
	struct severa own;
	if (!severa_with_scope(s, scopes, &own, err) || !write_body(s, fee, &rq.body, err))
		return false;
	if (!severa_do(&own, &rq, &reply, &why))
		return severa_scope_refused(scopes, &why, err);
	if (!verdict_json(own.at->arena, &reply, true, rq.what, &j, err))
		return false;
	/* One answers an array, the other the object (§7b). */
	*ret_id = json_text(json_get(json_type(j) == JSON_ARRAY ? json_first(j) : j, "guid"));
	return *ret_id || err_set(err, ERR_DOUBT, "%s: the answer has no guid", rq.what);
}

bool severa_fees_marked(struct severa *s, const struct severa_fee_search *search, size_t *ret_n,
			const char **ret_id, struct err *err)
{
	char since[CLOCK_RFC3339_MAX];
	const char *scopes = resources[search->resource].scopes;
	struct severa own;
	struct severa_rows rows;
	struct err why = ERR_INIT;
	struct severa_list list = { .what = "look for the expense row",
				    .paging = SEVERA_BY_TOKEN,
				    .is_fresh = search->is_fresh,
				    .path = severa_path(s, resources[search->resource].changed,
							clock_rfc3339(search->since_ms, since)) };
	*ret_n = 0;
	if (!list.path)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!severa_with_scope(s, scopes, &own, err))
		return false;
	if (!severa_register(&own, &list, LIST_TTL_MS, &rows, &why))
		return severa_scope_refused(scopes, &why, err);
	for (size_t i = 0; i < rows.n; i++) {
		const char *text = json_str(json_get(rows.items[i], "description"));
		if (!text || !strstr(text, search->mark))
			continue;
		*ret_id = json_text(json_get(rows.items[i], "guid"));
		++*ret_n;
	}
	return true;
}

const char *severa_fee_mark(struct severa *s, const char *key)
{
	return arena_printf(s->at->arena, "(%s %s)", s->opt->expense_mark, key);
}

bool severa_fees_check(struct severa *s, enum severa_fee_resource resource, struct err *err)
{
	const char *rest = resources[resource].scopes;
	while (*rest) {
		size_t n = strcspn(rest, ",");
		const char *scope = arena_printf(s->at->arena, "%.*s", (int)n, rest);
		if (!scope)
			return err_set(err, ERR_LIMIT, "arena full");
		if (!severa_has_scope(s, scope, err))
			return false;
		rest += n;
		rest += *rest == ',';
	}
	return true;
}

bool severa_project_numbered(struct severa *s, const char *number, const char **ret_id,
			     struct err *err)
{
	struct severa_list list = { .what = "find project by number",
				    .paging = SEVERA_BY_TOKEN,
				    .is_seen = true,
				    .path = severa_path(s, "/v1/projects?numbers={}", number) };
	struct severa_rows rows;
	*ret_id = NULL;
	if (!severa_all(s, &list, &rows, err))
		return false;
	if (rows.n == 1 && str_eq(json_text(json_get(rows.items[0], "number")), number))
		*ret_id = json_text(json_get(rows.items[0], "guid"));
	return true;
}
