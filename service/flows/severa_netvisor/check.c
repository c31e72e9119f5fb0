/* check.c: what the connection check asks of Netvisor (NV-02, NV-06, NV-08). Makes no write. */
#include "base/base.h"
#include "travel.h"

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
				"The temporary product %s does not exist in Netvisor. Add it "
				"there, or correct products.temp_code.",
				r->set.temp_product);
	return true;
}

static bool check_headings(struct road_check *c, struct err *err)
{
	struct sn *r = sn_of(c->r);
	const struct {
		const char *heading, *pointer;
	} wanted[] = {
		{ r->set.project_heading, "/settings/dimensions/project_heading" },
		{ r->set.unit_heading, "/settings/dimensions/unit_heading" },
		{ str_eq(r->set.phase_heading, r->set.project_heading) ? NULL
								       : r->set.phase_heading,
		  "/settings/dimensions/phase_heading" },
		{ str_eq(r->set.purchase_heading, r->set.project_heading) || !r->set.purchases
			  ? NULL
			  : r->set.purchase_heading,
		  "/settings/purchases/heading" }
	};
	const struct netvisor_dimension *list;
	struct err inner = ERR_INIT;
	size_t n;
	if (!netvisor_dimensions(&r->netvisor, &list, &n, &inner))
		return road_name_it(c, &inner, "/credentials/netvisor", err);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (wanted[i].heading && !sn_heading_stands(list, n, wanted[i].heading, NULL))
			road_problem_of(
				c, "dimension_heading_missing", wanted[i].heading,
				wanted[i].pointer,
				"The dimension heading %s does not exist in Netvisor. Add it "
				"there, or correct it in the connection's settings.",
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

/* ---- travel reimbursements ----------------------------------------------------------------- */

static bool count_none(void *ctx, const struct severa_travel *items, size_t n, struct err *err)
{
	(void)ctx;
	(void)items;
	(void)n;
	(void)err;
	return true;
}

/* Some by something other than a guid: persons have to be read. */
static bool names_persons(const struct json *employees)
{
	for (const struct json *m = json_first(employees); m; m = json_next(m))
		if (strlen(json_key(m)) != 36)
			return true;
	return false;
}

static bool check_travel(struct road_check *c, struct err *err)
{
	struct sn *r = sn_of(c->r);
	struct severa *s = &c->r->severa;
	const struct severa_status *transfer, *sending, *transferred;
	const struct severa_user *users;
	struct err inner = ERR_INIT;
	size_t n;
	if (!r->set.travel_transfer)
		return true;
	if (!severa_read_travel_statuses(s, &inner) ||
	    !sn_travel_statuses(r, &transfer, &sending, &transferred, &inner))
		return road_name_it(c, &inner, "/settings/travel/statuses", err);
	const struct severa_status *off = !transfer->is_active		   ? transfer
					  : !transferred->is_active	   ? transferred
					  : sending && !sending->is_active ? sending
									   : NULL;
	if (off)
		road_problem_of(c, "status_inactive", off->name, "/settings/travel/statuses",
				"The travel reimbursement status %s is not active.", off->name);
	if (!severa_travels(s, transfer->id, count_none, NULL, &inner))
		return road_name_it(c, &inner, "/credentials/severa", err);
	return !names_persons(r->set.travel_employees) || severa_users(s, &users, &n, &inner) ||
	       road_name_it(c, &inner, "/settings/travel/employees", err);
}

static bool check_purchases(struct road_check *c, struct err *err)
{
	struct sn *r = sn_of(c->r);
	const char *code = r->set.purchase_product;
	struct product product;
	struct err inner = ERR_INIT;
	bool found = true;
	if (!r->set.purchases)
		return true;
	if (!severa_fees_check(&c->r->severa, r->set.purchase_resource, &inner))
		return road_name_it(c, &inner, "/credentials/severa", err);
	if (code && !severa_product(&c->r->severa, code, &product, &found, &inner))
		return road_name_it(c, &inner, "/settings/purchases/product", err);
	if (!found)
		road_problem_of(c, "purchase_product_unknown", code, "/settings/purchases/product",
				"Severa has no product or travel expense type %s. Correct the "
				"connection's setting purchases.product.",
				code);
	return true;
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
	return c->setup.n_problems > before ||
	       (check_temp_records(c, err) && check_travel(c, err) && check_purchases(c, err));
}
