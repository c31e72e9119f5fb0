/*
 * pickup.c: which invoices are to be relayed (SV-01): a webhook's hint names one, a poll lists the
 * whole transfer status. Both only name documents; what is in them is read when they run.
 */
#include "base/base.h"
#include "internal.h"

#include <ctype.h>

#include "base/clock.h"

/* ---- a hint -------------------------------------------------------------------------------- */

bool road_accept(struct arena *arena, struct span body, const char **ret_kind,
		 const char **ret_source_id, struct err *err)
{
	return road_accept_as(arena, body, "invoice", ret_kind, ret_source_id, err);
}

bool road_accept_as(struct arena *arena, struct span body, const char *kind, const char **ret_kind,
		    const char **ret_source_id, struct err *err)
{
	const struct json *j;
	if (!json_parse(arena, body, JSON_LIMITS_API, &j, err))
		return false;
	const char *type = json_str(json_get(j, "type"));
	const char *id = json_str(json_at(j, "data.id"));
	if (!type) {
		err_set(err, ERR_INPUT, "type is missing");
		err_pointer(err, "/type");
		return false;
	}
	*ret_kind = NULL;
	*ret_source_id = NULL;
	if (strncmp(type, kind, strlen(kind)) != 0 || !str_eq(type + strlen(kind), ".changed"))
		return true;
	if (!id || strlen(id) != 36 || strspn(id, "0123456789abcdefABCDEF-") != 36) {
		err_set(err, ERR_INPUT, "data.id must be the document's guid");
		err_pointer(err, "/data/id");
		return false;
	}
	char *guid = arena_strdup(arena, id);
	if (!guid)
		return err_set(err, ERR_LIMIT, "arena full");
	for (char *c = guid; *c; c++) /* one invoice is one transfer, however written */
		*c = (char)tolower((unsigned char)*c);
	*ret_kind = kind;
	*ret_source_id = guid;
	return true;
}

/* ---- a poll -------------------------------------------------------------------------------- */

/* Another company's: it is reported when no connection relays it (SV-09). */
static bool look_for_owner(struct watch *w, const struct invoice *inv, struct err *err)
{
	const char *company;
	bool is_owned = false;
	if (!road_seller(w->r, inv, &company, err))
		return false;
	if (company && map_has(w->owned, company)) {
		is_owned = map_get(w->owned, company) != NULL;
	} else if (company) {
		if (!road_is_owned(w->r, company, &is_owned, err))
			return false;
		if (!map_put(w->owned, company, is_owned ? w : NULL))
			return err_set(err, ERR_LIMIT, "arena full");
	}
	if (!is_owned)
		watch_add(w, &w->report.unowned, inv);
	return true;
}

static bool account_for(struct watch *w, const struct invoice *inv, struct err *err)
{
	struct attempt *at = w->r->at;
	struct known_transfer known = { 0 };
	w->report.at_source++;
	if (!at->ops->known(at, "invoice", inv->source_id, &known, err))
		return false;
	if (known.exists)
		w->report.accounted++;
	else
		watch_add(w, &w->report.missing, inv);
	return true;
}

struct poll_item road_poll_item(const struct invoice *inv)
{
	return (struct poll_item) { .kind = "invoice",
				    .source_id = inv->source_id,
				    .number = inv->number,
				    .changed = inv->changed ? inv->changed : "" };
}

/* First handed in, then looked for: what was handed in and is not there is missing. */
static bool waiting_page(void *ctx, const struct invoice *items, size_t n, struct err *err)
{
	struct watch *w = ctx;
	struct attempt *at = w->r->at;
	struct poll_item *found = arena_alloc_array(at->arena, n + 1, sizeof(*found));
	const struct invoice **own = arena_alloc_array(at->arena, n + 1, sizeof(*own));
	size_t k = 0;
	if (!found || !own)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++) {
		const struct invoice *inv = &items[i];
		bool is_own;
		if (!road_is_own(w->r, inv, &is_own, err) ||
		    (!is_own && !look_for_owner(w, inv, err)))
			return false;
		if (!is_own)
			continue;
		own[k] = inv;
		found[k++] = road_poll_item(inv);
	}
	if (k && !at->ops->found(at, found, k, err))
		return false;
	for (size_t i = 0; i < k; i++)
		if (!account_for(w, own[i], err))
			return false;
	return true;
}

bool road_poll(struct attempt *at, struct err *err)
{
	struct road *r;
	char since[CLOCK_RFC3339_MAX];
	if (!road_open(at, &r, err) || !road_find_statuses(r, err))
		return false;
	struct watch *w = arena_alloc(at->arena, sizeof(*w));
	struct map *owned = map_new(at->arena);
	if (!w || !owned)
		return err_set(err, ERR_LIMIT, "arena full");
	w->r = r;
	w->owned = owned;
	w->began_ms = clock_wall_ms();
	clock_rfc3339(w->began_ms - (int64_t)WATCH_DAYS * 86400000, since);
	return road_claim(r, err) && watch_begin(w, err) &&
	       severa_invoices(&r->severa, r->transfer->id, NULL, waiting_page, w, err) &&
	       severa_invoices(&r->severa, r->transferred->id, since, watch_transferred, w, err) &&
	       watch_payments(w, err) && watch_end(w, err);
}
