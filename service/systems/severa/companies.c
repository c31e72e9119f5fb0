/*
 * companies.c: the companies that send invoices out of one Severa: the organisation, and those of
 * its business units that have a VAT number of their own. A unit without one is a part of its
 * parent.
 */
#include "base/base.h"
#include "severa_internal.h"

static void put(struct severa *s, const struct json *j, struct severa_company *list, size_t *n)
{
	const char *vat_number = json_str(json_get(j, "vatNumber"));
	const char *id = business_id_from(s->at->arena, vat_number);
	if (!vat_number || !vat_number[0])
		return;
	for (size_t i = 0; i < *n; i++) /* the root unit is the organisation once more */
		if (strcasecmp(list[i].vat_number, vat_number) == 0)
			return;
	list[(*n)++] = (struct severa_company) { .name = json_str(json_get(j, "name")),
						 .vat_number = vat_number,
						 .business_id = id };
}

bool severa_companies(struct severa *s, const struct severa_company **ret, size_t *ret_n,
		      struct err *err)
{
	struct severa_list units = { .what = "read business units",
				     .path = "/v1/businessunits",
				     .paging = SEVERA_BY_ROW };
	const struct json *own;
	struct severa_rows found;
	size_t n = 0;
	if (!severa_get(s, "read the organisation", "/v1/organizationdetails", &own, NULL, err) ||
	    !severa_all(s, &units, &found, err))
		return false;
	struct severa_company *list = arena_alloc_array(s->at->arena, found.n + 1, sizeof(*list));
	if (!list)
		return err_set(err, ERR_LIMIT, "arena full");
	put(s, own, list, &n);
	for (size_t i = 0; i < found.n; i++)
		put(s, found.items[i], list, &n);
	*ret = list;
	*ret_n = n;
	return true;
}
