/*
 * write_products.c: new products in Severa (facts/severa.md §5; the input model of POST
 * /v1/products). Prices are in the organisation's currency. A VAT rate must stand in Severa's
 * register of them; one of 0 that does not stand there is left out.
 */
#include "base/base.h"
#include "severa_internal.h"

#define MEMBERS_MAX 10

struct form {
	struct severa_member members[MEMBERS_MAX];
	size_t n;
};

static void put(struct form *f, const char *path, enum severa_type type, const char *value)
{
	assert(f->n < MEMBERS_MAX);
	f->members[f->n++] = (struct severa_member) { path, type, value };
}

static const char *number(struct severa *s, struct decimal d)
{
	char text[DECIMAL_TEXT_MAX];
	return arena_strdup(s->at->arena, decimal_format(decimal_normalize(d), 0, '.', text));
}

/* Not active ones do not count: Severa's people have put them away. */
static bool find_rate(struct severa *s, struct decimal rate, bool *ret, struct err *err)
{
	const struct severa_vat_rate *rates;
	size_t n;
	*ret = false;
	if (!severa_vat_rates(s, &rates, &n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		*ret |= rates[i].is_active && decimal_eq(rates[i].percentage, rate);
	return true;
}

static bool put_rate(struct severa *s, const struct product *p, struct form *f, struct err *err)
{
	const char *text = number(s, p->vat_rate);
	bool is_known;
	if (!text)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!find_rate(s, p->vat_rate, &is_known, err))
		return false;
	if (is_known)
		put(f, "vatRate", SEVERA_NUMBER, text);
	else if (decimal_sign(p->vat_rate) != 0)
		return err_reason(err, ERR_DATA, "product_vat_unknown",
				  arena_printf(s->at->arena, "%s (%s %%)", p->code, text),
				  "Severa has no VAT rate of %s %%", text);
	return true;
}

static bool put_prices(struct severa *s, const struct product *p, struct form *f, struct err *err)
{
	const char *currency, *price = number(s, p->unit_price), *cost = number(s, p->unit_cost);
	if (!price || !cost)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!severa_own_currency(s, &currency, err))
		return false;
	if (!currency)
		return err_reason(err, ERR_DATA, "organization_currency_missing", "Severa",
				  "no currency is marked as the organisation's own");
	put(f, "unitPrice/amount", SEVERA_NUMBER, price);
	put(f, "unitPrice/currencyCode", SEVERA_STRING, currency);
	put(f, "unitCost/amount", SEVERA_NUMBER, cost);
	put(f, "unitCost/currencyCode", SEVERA_STRING, currency);
	return true;
}

bool severa_product_add(struct severa *s, const struct product *p, struct product *ret,
			struct err *err)
{
	struct form f = { .n = 0 };
	struct severa own;
	const struct json *j;
	put(&f, "name", SEVERA_STRING, p->name);
	put(&f, "code", SEVERA_STRING, p->code);
	put(&f, "isActive", SEVERA_TRUTH, p->is_active ? "1" : "0");
	if (p->unit && p->unit[0])
		put(&f, "measurementUnit", SEVERA_STRING, p->unit);
	return put_prices(s, p, &f, err) && put_rate(s, p, &f, err) &&
	       severa_with_scope(s, SEVERA_PRODUCTS_SCOPE, &own, err) &&
	       severa_post(&own, "add product", "/v1/products", f.members, f.n, &j, err) &&
	       severa_map(&severa_product_shapes[SEVERA_PRODUCT], j, ret, err);
}
