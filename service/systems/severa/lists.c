/*
 * lists.c: small registers of Severa's as a whole, and what hangs on a customer or a project
 * (facts/severa.md §4.1, 5, 6): for checks, and for choices that people make.
 */
#include "base/base.h"
#include "severa_internal.h"

bool severa_units(struct severa *s, const struct severa_unit **ret, size_t *ret_n, struct err *err)
{
	static const struct severa_list list = { .what = "read business units",
						 .path = "/v1/businessunits",
						 .paging = SEVERA_BY_ROW };
	struct severa_rows rows = { .n = 0 };
	if (!severa_register(s, &list, SEVERA_REGISTER_TTL_MS, &rows, err) ||
	    !severa_map_all(s->at->arena, &severa_unit_shape, &rows, ret, err))
		return false;
	*ret_n = rows.n;
	return true;
}

bool severa_vat_rates(struct severa *s, const struct severa_vat_rate **ret, size_t *ret_n,
		      struct err *err)
{
	static const struct severa_list list = { .what = "read VAT rates", .path = "/v1/vatrates" };
	struct severa_rows rows = { .n = 0 };
	if (!severa_register(s, &list, SEVERA_REGISTER_TTL_MS, &rows, err) ||
	    !severa_map_all(s->at->arena, &severa_vat_rate_shape, &rows, ret, err))
		return false;
	*ret_n = rows.n;
	return true;
}

bool severa_languages(struct severa *s, const struct severa_language **ret, size_t *ret_n,
		      struct err *err)
{
	static const struct severa_list list = { .what = "read languages",
						 .path = "/v1/localization/languages" };
	struct severa_rows rows = { .n = 0 };
	if (!severa_register(s, &list, SEVERA_REGISTER_TTL_MS, &rows, err) ||
	    !severa_map_all(s->at->arena, &severa_language_shape, &rows, ret, err))
		return false;
	*ret_n = rows.n;
	return true;
}

static bool is_true(const struct json *j, const char *key)
{
	bool value = false;
	return json_bool(json_get(j, key), &value) && value;
}

static bool add_channels(struct severa *s, struct severa_contact *c, struct err *err)
{
	const struct {
		const char *type, **to;
	} channels[] = { { "EmailAddress", &c->email },
			 { "Phone", &c->phone },
			 { "MobilePhone", &c->mobile },
			 { "Fax", &c->fax } };
	struct severa_list list = { .what = "read a contact's channels",
				    .path = severa_path(s, "/v1/contacts/{}/contactcommunications",
							c->id) };
	struct severa_rows rows;
	if (!severa_all(s, &list, &rows, err))
		return false;
	for (size_t i = 0; i < rows.n; i++) {
		const char *type = json_str(json_at(rows.items[i], "communicationType.type"));
		const char *value = json_str(json_get(rows.items[i], "value"));
		if (!value || !value[0] || is_true(rows.items[i], "isForbiddenToUse"))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(channels); k++)
			if (str_eq(type, channels[k].type) && !*channels[k].to)
				*channels[k].to = value;
	}
	return true;
}

bool severa_contacts(struct severa *s, const char *customer_id, const struct severa_contact **ret,
		     size_t *ret_n, struct err *err)
{
	struct severa_list list = { .what = "read contact persons of the customer",
				    .paging = SEVERA_BY_ROW,
				    .path = severa_path(s, "/v1/customers/{}/contactpersons",
							customer_id) };
	struct severa_rows rows;
	size_t n = 0;
	if (!severa_all(s, &list, &rows, err))
		return false;
	/* Deleted ones stay in the list that the vendor gives. */
	for (size_t i = 0; i < rows.n; i++)
		if (!is_true(rows.items[i], "isDeleted"))
			rows.items[n++] = rows.items[i];
	rows.n = n;
	struct severa_contact *items;
	if (!severa_map_all(s->at->arena, &severa_contact_shape, &rows, &items, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!add_channels(s, &items[i], err))
			return false;
	*ret = items;
	*ret_n = n;
	return true;
}

bool severa_phases(struct severa *s, const char *project_id, const struct severa_phase **ret,
		   size_t *ret_n, struct err *err)
{
	struct severa_list list = { .what = "read phases of the project",
				    .paging = SEVERA_BY_TOKEN,
				    .path = severa_path(s, "/v1/phases?projectGuids={}",
							project_id) };
	struct severa_rows rows;
	if (!severa_all(s, &list, &rows, err) ||
	    !severa_map_all(s->at->arena, &severa_phase_shape, &rows, ret, err))
		return false;
	*ret_n = rows.n;
	return true;
}
