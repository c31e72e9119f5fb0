/*
 * companies.c: the companies that send invoices out of one Severa: the organisation, and those of
 * its business units that have a VAT number of their own. A unit without one is a part of its
 * parent.
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
	for (size_t i = 0; i < n_units; i++)
		put(s, units[i].name, units[i].vat_number, list, &n);
	*ret = list;
	*ret_n = n;
	return true;
}
