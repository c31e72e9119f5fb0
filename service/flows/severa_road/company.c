/*
 * company.c: whose invoice is it (SV-09)? A company has one name here, however its number is
 * written. No calls.
 */
#include "base/base.h"
#include "internal.h"

const char *road_company_from(struct arena *arena, const char *vat_number_or_id)
{
	const char *business_id = business_id_from(arena, vat_number_or_id);
	return business_id ? business_id : vat_id_from(arena, vat_number_or_id, "NO", true);
}

/* A page of invoices has few sellers: the number that was read last is read once. */
static bool read_number(struct road *r, const char *text, struct err *err)
{
	struct arena *arena = r->at->arena;
	size_t refusals = arena_refusals(arena);
	r->seller_company = road_company_from(arena, text);
	r->seller_seen = arena_strdup(arena, text);
	return arena_refusals(arena) == refusals || err_set(err, ERR_LIMIT, "arena full");
}

bool road_seller(struct road *r, const struct invoice *inv, const char **ret, struct err *err)
{
	const char *text = inv->seller.vat_number;
	if (inv->seller.business_id || !text) {
		*ret = inv->seller.business_id;
		return true;
	}
	if (!str_eq(text, r->seller_seen) && !read_number(r, text, err))
		return false;
	*ret = r->seller_company;
	return true;
}

bool road_is_own(struct road *r, const struct invoice *inv, bool *ret, struct err *err)
{
	const char *seller;
	if (!road_seller(r, inv, &seller, err))
		return false;
	*ret = r->company && str_eq(seller, r->company);
	return true;
}
