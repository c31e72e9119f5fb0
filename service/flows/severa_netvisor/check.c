/* check.c: what the connection check asks of Netvisor (NV-02, NV-06, NV-08). Makes no write. */
#include "base/base.h"
#include "internal.h"

static bool check_temp_records(struct road_check *c, struct err *err)
{
	struct sn *r = sn_of(c->r);
	struct err inner = ERR_INIT;
	const char *key;
	bool is_temp = !r->set.customers_to_netvisor && !r->set.customers_to_severa;
	if (is_temp && !sn_temp_customer(r, &inner) &&
	    !road_name_it(c, &inner, "/settings/customers/temp_code", err))
		return false;
	if (!r->set.temp_product)
		return true;
	if (!netvisor_product_find(&r->netvisor, r->set.temp_product, &key, &inner))
		return road_name_it(c, &inner, "/settings/products/temp_code", err);
	if (!key)
		road_problem_of(c, "temp_product_missing", r->set.temp_product,
				"/settings/products/temp_code",
				"The temporary product %s does not exist in Netvisor.",
				r->set.temp_product);
	return true;
}

static bool check_headings(struct road_check *c, struct err *err)
{
	struct sn *r = sn_of(c->r);
	const struct {
		const char *heading, *pointer;
	} wanted[] = { { r->set.project_heading, "/settings/dimensions/project_heading" },
		       { r->set.unit_heading, "/settings/dimensions/unit_heading" },
		       { str_eq(r->set.phase_heading, r->set.project_heading)
				 ? NULL
				 : r->set.phase_heading,
			 "/settings/dimensions/phase_heading" } };
	const struct netvisor_dimension *list;
	struct err inner = ERR_INIT;
	size_t n;
	if (!netvisor_dimensions(&r->netvisor, &list, &n, &inner))
		return road_name_it(c, &inner, "/credentials/netvisor", err);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (wanted[i].heading && !sn_heading_stands(list, n, wanted[i].heading, NULL))
			road_problem_of(c, "dimension_heading_missing", wanted[i].heading,
					wanted[i].pointer,
					"The dimension heading %s does not exist in Netvisor.",
					wanted[i].heading);
	}
	return true;
}

/* What is written to Severa needs rights that no invoice needs. */
static bool check_right(struct road_check *c, bool is_needed, const char *scope, struct err *err)
{
	struct err inner = ERR_INIT;
	return !is_needed || severa_has_scope(&c->r->severa, scope, &inner) ||
	       road_name_it(c, &inner, "/credentials/severa", err);
}

bool sn_check(struct road_check *c, struct err *err)
{
	struct sn *r = sn_of(c->r);
	size_t before = c->setup.n_problems;
	if (!sn_check_directions(c, err) ||
	    !check_right(c, r->set.customers_to_severa, SEVERA_CUSTOMER_SCOPES, err) ||
	    !check_right(c, r->set.products_to_severa, SEVERA_PRODUCTS_SCOPE, err) ||
	    !check_headings(c, err))
		return false;
	/* Refused keys are named once. */
	return c->setup.n_problems > before || check_temp_records(c, err);
}
