/*
 * companies.c: who is there to choose from (facts/severa.md §4, 6): the companies that send
 * invoices out of one Severa: the organisation, and those of its business units that have a VAT
 * number of their own. A unit without one is a part of its parent. And the persons, of whom no more
 * is read than a registration needs.
 */
#include "base/base.h"
#include "severa_internal.h"

static void put(struct severa *s, const char *name, const char *vat_number,
		struct severa_company *list, size_t *n)
{
	if (!vat_number || !vat_number[0])
		return;
	for (size_t i = 0; i < *n; i++) /* the root unit is the organisation once more */
		if (strcasecmp(list[i].vat_number, vat_number) == 0)
			return;
	list[(*n)++] = (struct severa_company) { .name = name,
						 .vat_number = vat_number,
						 .business_id = business_id_from(s->at->arena,
										 vat_number) };
}

bool severa_companies(struct severa *s, const struct severa_company **ret, size_t *ret_n,
		      struct err *err)
{
	const struct severa_unit *units;
	const struct json *own;
	size_t n = 0, n_units;
	if (!severa_get(s, "read the organisation", "/v1/organizationdetails", &own, NULL, err) ||
	    !severa_units(s, &units, &n_units, err))
		return false;
	struct severa_company *list = arena_alloc_array(s->at->arena, n_units + 1, sizeof(*list));
	if (!list)
		return err_set(err, ERR_LIMIT, "arena full");
	put(s, json_str(json_get(own, "name")), json_str(json_get(own, "vatNumber")), list, &n);
	if (n) {
		list[0].street = json_str(json_get(own, "address"));
		list[0].postcode = json_str(json_get(own, "postalCode"));
		list[0].city = json_str(json_get(own, "city"));
	}
	for (size_t i = 0; i < n_units; i++)
		put(s, units[i].name, units[i].vat_number, list, &n);
	*ret = list;
	*ret_n = n;
	return true;
}

bool severa_users(struct severa *s, const struct severa_user **ret, size_t *ret_n, struct err *err)
{
	static const struct severa_list list = { .what = "read users",
						 .path = "/v1/users?isActive=true",
						 .paging = SEVERA_BY_TOKEN };
	struct severa own = *s;
	struct severa_rows rows;
	struct err why = ERR_INIT;
	own.scope = "users:read";
	own.token_key = arena_printf(s->at->arena, "%s:users", s->token_key);
	if (!own.token_key)
		return err_set(err, ERR_LIMIT, "arena full");
	if (severa_all(&own, &list, &rows, &why)) {
		*ret_n = rows.n;
		return severa_map_all(s->at->arena, &severa_user_shape, &rows, ret, err);
	}
	if (why.code == ERR_CREDENTIALS)
		return err_reason(err, ERR_CREDENTIALS, "users_scope_missing", "users:read",
				  "%.400s", why.message);
	if (err)
		*err = why;
	return false;
}
