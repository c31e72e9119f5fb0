/*
 * travel.c: travel reimbursements (facts/severa.md §7b): what an employee is paid back. Read with a
 * token of their own: the scopes are asked for only where a connection relays them.
 */
#include "base/base.h"
#include "severa_internal.h"

#include "base/clock.h"
#include "codec/json_fields.h"

#define ROW struct severa_travel
static const struct field travel_fields[] = {
	ID_NEEDED("guid", id),
	ID("number", number),
	TEXT("title", title),
	TEXT("date", date),
	ID("user.guid", user_id),
	TEXT("user.name", user_name),
	ID_NEEDED("travelReimbursementStatus.guid", status_id),
	TEXT("lastUpdatedDateTime", changed),
	TEXT("createdDateTime", created),
	{ "totalExpenses.amount", FIELD_DECIMAL, offsetof(ROW, total), FIELD_OPTIONAL,
	  offsetof(ROW, has_total) },
	DECIMAL("advancePayment.amount", advance),
};
#undef ROW

#define ROW struct severa_travel_line
static const struct field line_fields[] = {
	ID_NEEDED("guid", id),
	ID("travelExpense.guid", type_id),
	ID("travelExpense.code", type_code),
	TEXT("travelExpense.name", type_name),
	ID("project.guid", project_id),
	ID("phase.guid", phase_id),
	DATE("eventDate", date),
	TEXT("travelStartTime", begin),
	TEXT("travelEndTime", end),
	DECIMAL("quantity", quantity),
	TEXT("measurementUnit", unit),
	{ "unitCost.amount", FIELD_DECIMAL, offsetof(ROW, unit_cost), FIELD_OPTIONAL,
	  offsetof(ROW, has_unit_cost) },
	TEXT("unitCost.currencyCode", currency),
	{ "unitCostExcludingPurchaseVat.amount", FIELD_DECIMAL, offsetof(ROW, net_unit_cost),
	  FIELD_OPTIONAL, offsetof(ROW, has_net_unit_cost) },
	{ "purchaseVatRate", FIELD_DECIMAL, offsetof(ROW, vat_rate), FIELD_OPTIONAL,
	  offsetof(ROW, has_vat_rate) },
	TEXT("description", description),
};
#undef ROW

static const struct severa_shape travel_shape = { .what = "travel reimbursement",
						  .fields = travel_fields,
						  .n_fields = ARRAY_SIZE(travel_fields),
						  .size = sizeof(struct severa_travel),
						  .preset = &(const struct severa_travel) { 0 } };
static const struct severa_shape line_shape = { .what = "travel expense",
						.fields = line_fields,
						.n_fields = ARRAY_SIZE(line_fields),
						.size = sizeof(struct severa_travel_line),
						.preset = &(const struct severa_travel_line) {
							0 } };

/* ---- a right of its own -------------------------------------------------------------------- */

bool severa_scope_refused(const char *scopes, const struct err *why, struct err *err)
{
	if (why->code == ERR_CREDENTIALS)
		return err_reason(err, ERR_CREDENTIALS, "scope_missing", scopes, "%.400s",
				  why->message);
	if (err)
		*err = *why;
	return false;
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool map(const struct json *j, struct severa_travel *ret, struct err *err)
{
	if (!severa_map(&travel_shape, j, ret, err))
		return false;
	if (!ret->created || !clock_parse_rfc3339(span_of(ret->created), &ret->created_ms))
		ret->created_ms = 0; /* counts as old */
	if (!ret->changed)
		ret->changed = ret->created ? ret->created : "";
	return true;
}

struct pages {
	severa_travels_fn page;
	void *ctx;
};

static bool hand_over(struct severa *paged, void *ctx, const struct severa_rows *rows,
		      struct err *err)
{
	const struct pages *pages = ctx;
	struct severa_travel *items = arena_alloc_array(paged->at->arena, rows->n + 1,
							sizeof(*items));
	if (!items)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < rows->n; i++)
		if (!map(rows->items[i], &items[i], err))
			return false;
	return pages->page(pages->ctx, items, rows->n, err);
}

bool severa_travels(struct severa *s, const char *status_id, severa_travels_fn page, void *ctx,
		    struct err *err)
{
	struct pages pages = { page, ctx };
	const char *path = severa_path(
		s, "/v1/travelreimbursements?travelReimbursementStatusGuids={}", status_id);
	struct severa_list list = { .what = "list travel reimbursements of a status",
				    .paging = SEVERA_BY_TOKEN,
				    .path = path };
	struct severa own;
	struct err why = ERR_INIT;
	return severa_with_scope(s, SEVERA_TRAVEL_SCOPES, &own, err) &&
	       (severa_each_page(&own, &list, hand_over, &pages, &why) ||
		severa_scope_refused(SEVERA_TRAVEL_SCOPES, &why, err));
}

bool severa_travel(struct severa *s, const char *id, struct severa_travel *ret, struct err *err)
{
	const struct json *j;
	struct severa own;
	struct err why = ERR_INIT;
	const char *path = severa_path(s, "/v1/travelreimbursements/{}", id);
	if (!severa_with_scope(s, SEVERA_TRAVEL_SCOPES, &own, err))
		return false;
	if (!severa_get_seen(&own, "read travel reimbursement", path, &j, &why))
		return severa_scope_refused(SEVERA_TRAVEL_SCOPES, &why, err);
	return map(j, ret, err);
}

bool severa_travel_lines(struct severa *s, const char *id, struct severa_travel_line **ret,
			 size_t *ret_n, struct err *err)
{
	struct severa_list list = {
		.what = "read travel expenses of the reimbursement",
		.paging = SEVERA_BY_TOKEN,
		.is_seen = true,
		.path = severa_path(s, "/v1/travelreimbursements/{}/projecttravelexpenses", id)
	};
	struct severa own;
	struct severa_rows rows;
	struct err why = ERR_INIT;
	if (!severa_with_scope(s, SEVERA_TRAVEL_SCOPES, &own, err))
		return false;
	if (!severa_all(&own, &list, &rows, &why))
		return severa_scope_refused(SEVERA_TRAVEL_SCOPES, &why, err);
	*ret_n = rows.n;
	return severa_map_all(s->at->arena, &line_shape, &rows, ret, err);
}

bool severa_user(struct severa *s, const char *id, struct severa_user *ret, struct err *err)
{
	const struct json *j;
	struct severa own;
	struct err why = ERR_INIT;
	const char *path = severa_path(s, "/v1/users/{}", id);
	if (!severa_with_scope(s, SEVERA_USER_SCOPES, &own, err))
		return false;
	if (!severa_get(&own, "read user", path, &j, NULL, &why))
		return severa_scope_refused(SEVERA_USER_SCOPES, &why, err);
	return severa_map(&severa_user_shape, j, ret, err);
}
