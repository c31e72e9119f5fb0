/* check.c: what the connection check asks of Maestro (MA-04, MA-06). Makes no write. */
#include "base/base.h"
#include "internal.h"

/* SV-09: the account is that of the company whose invoices are relayed. */
static void check_company(struct road_check *c)
{
	const struct maestro *mx = &smx_of(c->r)->maestro;
	const char *theirs = road_company_from(c->r->at->arena, mx->company);
	if (c->r->company && theirs && !str_eq(theirs, c->r->company))
		road_problem_of(c, "company_differs", theirs, "/credentials/maestro/company_id",
				"These keys are those of %s at Maestro; the connection relays the "
				"invoices of %s.",
				theirs, c->r->company);
}

static bool check_fallback(struct road_check *c, struct err *err)
{
	struct maestro *mx = &smx_of(c->r)->maestro;
	struct maestro_product product;
	struct err inner = ERR_INIT;
	bool is_found;
	if (!maestro_product_find(mx, mx->fallback_product, &product, &is_found, &inner))
		return road_name_it(c, &inner, "/settings/maestro/fallback_product", err);
	if (!is_found || !product.is_active)
		road_problem_of(c, "temp_product_missing", mx->fallback_product,
				"/settings/maestro/fallback_product",
				"The product %s, for rows whose code Maestro does not know, %s.",
				mx->fallback_product,
				is_found ? "is not in use at Maestro"
					 : "does not exist at Maestro");
	return true;
}

bool smx_check(struct road_check *c, struct err *err)
{
	struct err inner = ERR_INIT;
	check_company(c);
	/* Refused keys are named once. */
	if (!maestro_ping(&smx_of(c->r)->maestro, &inner))
		return road_name_it(c, &inner, "/credentials/maestro", err);
	return check_fallback(c, err);
}
