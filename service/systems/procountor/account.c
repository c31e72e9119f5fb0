/*
 * account.c: the company behind the API key: who it is, what the key's user may do, where invoices
 * are to be paid, which VAT it has (facts/procountor.md §3.3, 8). For checks and choices.
 */
#include "base/base.h"
#include "procountor_internal.h"

static bool get(struct procountor *p, const char *what, const char *path, const struct json **ret,
		struct err *err)
{
	const struct procountor_rq rq = { .what = what, .method = "GET", .path = path };
	return procountor_json(p, &rq, ret, err);
}

/* ---- whose key ----------------------------------------------------------------------------- */

/* What a flow does, by the function of Procountor's that it needs. */
static const struct {
	const char *path, *name;
	bool is_write;
} rights[] = {
	{ "rights.sales.salesOrGroupInvoices", "sales.salesOrGroupInvoices", true },
	{ "rights.sales.salesInvoiceSearch", "sales.salesInvoiceSearch", false },
	{ "rights.sales.customerRegister", "sales.customerRegister", true },
	{ "rights.sales.productRegister", "sales.productRegister", true },
	{ "rights.management.basicCompanyInfo", "management.basicCompanyInfo", false },
};

/* What is not told is not missing. */
static bool is_missing(const struct json *j, size_t i)
{
	const char *level = json_str(json_at(j, rights[i].path));
	if (!level || strcmp(level, "ALL_RIGHTS") == 0)
		return false;
	return rights[i].is_write || strcmp(level, "VIEWING_RIGHTS") != 0;
}

static bool read_rights(struct procountor *p, struct procountor_current *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(p->at->arena, 1024);
	const struct json *j;
	if (!get(p, "ask what the user may do", "/users/rights", &j, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
		if (is_missing(j, i))
			strbuf_addf(&sb, "%s%s", strbuf_span(&sb).n ? " " : "", rights[i].name);
	ret->role = json_str(json_get(j, "role")) ? json_str(json_get(j, "role")) : "";
	if (!json_bool(json_at(j, "rights.sales.personalSalesInvoicesOnly"), &ret->sees_own_only))
		ret->sees_own_only = false;
	return !strbuf_span(&sb).n || strbuf_finish(&sb, &ret->missing_rights, err);
}

/* A user who may not see the company's card is told of by his rights. */
static bool read_company(struct procountor *p, const struct json **ret, struct err *err)
{
	struct err inner = ERR_INIT;
	*ret = NULL;
	if (get(p, "read the company", "/company", ret, &inner) || inner.upstream_status == 403)
		return true;
	if (err)
		*err = inner;
	return false;
}

bool procountor_current(struct procountor *p, struct procountor_current *ret, struct err *err)
{
	const struct json *session, *company;
	if (!procountor_check_key(p, err) ||
	    !get(p, "ask whose key this is", "/sessioninfo", &session, err) ||
	    !read_company(p, &company, err))
		return false;
	procountor_read_current(session, company, ret);
	if (!ret->company_id[0])
		return err_set(err, ERR_SYSTEM, "Procountor does not say whose key this is");
	return read_rights(p, ret, err);
}

bool procountor_company_id(struct procountor *p, const char **ret, struct err *err)
{
	const struct json *session;
	struct procountor_current cur;
	if (!get(p, "ask whose key this is", "/sessioninfo", &session, err))
		return false;
	procountor_read_current(session, NULL, &cur);
	*ret = cur.company_id;
	return (*ret)[0] ? true
			 : err_set(err, ERR_SYSTEM, "Procountor does not say whose key this is");
}

/* ---- bank accounts ------------------------------------------------------------------------- */

struct accounts {
	struct procountor *p;
	struct procountor_account *items;
	size_t n;
};

static const char *kept(struct arena *arena, const struct json *j, const char *key)
{
	const char *text = json_str(json_get(j, key));
	return arena_strdup(arena, text ? text : "");
}

static bool is_true(const struct json *j, const char *key)
{
	bool value;
	return json_bool(json_get(j, key), &value) && value;
}

static bool add_accounts(struct procountor *paged, void *ctx, const struct json *rows,
			 struct err *err)
{
	struct accounts *a = ctx;
	struct arena *arena = a->p->at->arena;
	size_t n = a->n + json_size(rows), before = arena_refusals(arena);
	struct procountor_account *items = arena_alloc_array(arena, n, sizeof(*items));
	(void)paged; /* what is kept outlives the page */
	if (items && a->n)
		memcpy(items, a->items, a->n * sizeof(*items));
	for (const struct json *j = items ? json_first(rows) : NULL; j; j = json_next(j))
		items[a->n++] = (struct procountor_account) {
			.iban = kept(arena, j, "iban"),
			.bic = kept(arena, j, "bic"),
			.currency = kept(arena, j, "currency"),
			.is_active = str_eq(json_str(json_get(j, "status")), "ACTIVE"),
			.is_default = is_true(j, "defaultForInvoice"),
		};
	a->items = items;
	return arena_refusals(arena) == before ? true : err_set(err, ERR_LIMIT, "arena full");
}

bool procountor_accounts(struct procountor *p, const struct procountor_account **ret, size_t *ret_n,
			 struct err *err)
{
	static const struct procountor_search search = { .what = "read the bank accounts",
							 .path = "/bankaccounts" };
	struct accounts a = { .p = p };
	if (!procountor_each_page(p, &search, add_accounts, &a, err))
		return false;
	*ret = a.items;
	*ret_n = a.n;
	return true;
}

/* ---- VAT ----------------------------------------------------------------------------------- */

static size_t count_percents(const struct json *countries)
{
	size_t n = 1;
	for (const struct json *c = json_first(countries); c; c = json_next(c))
		n += json_size(json_get(c, "percentages"));
	return n;
}

bool procountor_vat_rules(struct procountor *p, struct procountor_vat_rules *ret, struct err *err)
{
	struct arena *arena = p->at->arena;
	const struct json *j;
	*ret = (struct procountor_vat_rules) { 0 };
	if (!get(p, "read the VAT percentages", "/vats/default", &j, err))
		return false;
	const struct json *countries = json_get(j, "vatInformation");
	const struct json *statuses = json_get(j, "vatStatuses");
	struct decimal *percents = arena_alloc_array(arena, count_percents(countries),
						     sizeof(*percents));
	int64_t *numbers = arena_alloc_array(arena, json_size(statuses) + 1, sizeof(*numbers));
	if (!percents || !numbers)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *c = json_first(countries); c; c = json_next(c)) {
		const struct json *v = json_first(json_get(c, "percentages"));
		for (; v; v = json_next(v))
			if (is_true(v, "sales") &&
			    json_decimal(json_get(v, "vatPercent"), &percents[ret->n_percents]))
				ret->n_percents++;
	}
	for (const struct json *s = json_first(statuses); s; s = json_next(s))
		if (is_true(s, "sales") &&
		    json_int64(json_get(s, "vatStatus"), &numbers[ret->n_statuses]))
			ret->n_statuses++;
	ret->percents = percents;
	ret->statuses = numbers;
	return true;
}
