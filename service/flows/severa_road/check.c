/*
 * check.c: the connection check (SV-06 to SV-09): login and rights, the company, the statuses, the
 * other connections; then the flow's own. Every lack is a problem of its own with a pointer. Makes
 * no write at either side.
 */
#include "base/base.h"
#include "internal.h"

void road_problem(struct road_check *c, const char *code, const char *pointer, const char *fmt, ...)
{
	const struct setup_found found = { .code = code, .pointer = pointer };
	va_list ap;
	va_start(ap, fmt);
	setup_say_v(&c->setup, &found, fmt, ap);
	va_end(ap);
}

void road_problem_of(struct road_check *c, const char *code, const char *subject,
		     const char *pointer, const char *fmt, ...)
{
	const struct setup_found found = { .code = code, .pointer = pointer, .subject = subject };
	va_list ap;
	va_start(ap, fmt);
	setup_say_v(&c->setup, &found, fmt, ap);
	va_end(ap);
}

void road_warning(struct road_check *c, const char *code, const char *pointer, const char *fmt, ...)
{
	const struct setup_found found = {
		.code = code, .pointer = pointer, .subject = c->r->ops->target, .is_warning = true
	};
	va_list ap;
	va_start(ap, fmt);
	setup_say_v(&c->setup, &found, fmt, ap);
	va_end(ap);
}

bool road_name_it(struct road_check *c, const struct err *why, const char *pointer, struct err *err)
{
	return setup_name_it(&c->setup, why, pointer, err);
}

/* A lack is named, and then the calls that would meet it again are left out. */
struct rights {
	const char *const *missing;
	size_t n;
	bool is_in; /* logged in */
};

static bool may(const struct rights *r, const char *scope)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->missing[i], scope) == 0)
			return false;
	return r->is_in;
}

static void name_soap_key(struct road_check *c)
{
	if (severa_is_soap_key(&c->r->severa))
		road_problem(
			c, "soap_key", "/credentials/severa/client_id",
			"This looks like a SOAP API key. Make REST credentials in Severa: "
			"Settings, Integrations, REST API, Create client credentials; and enter "
			"the client id and the client secret that it shows.");
}

static bool check_login(struct road_check *c, struct rights *ret, struct err *err)
{
	struct err inner = ERR_INIT;
	*ret = (struct rights) { .is_in = false };
	ret->is_in = severa_missing_scopes(&c->r->severa, &ret->missing, &ret->n, &inner);
	for (size_t i = 0; ret->is_in && i < ret->n; i++)
		road_problem_of(
			c, "scope_missing", ret->missing[i], "/credentials/severa",
			"The REST credentials lack the scope %s. Give it to them in Severa: "
			"Settings, Integrations, REST API.",
			ret->missing[i]);
	if (ret->is_in)
		return true;
	if (inner.code == ERR_CREDENTIALS)
		name_soap_key(c);
	return road_name_it(c, &inner, "/credentials/severa", err);
}

static bool check_status(struct road_check *c, const char *ref, const char *pointer,
			 const struct severa_status **ret, struct err *err)
{
	struct err inner = ERR_INIT;
	*ret = NULL;
	if (!ref)
		return true;
	if (!severa_status_find(&c->r->severa, ref, ret, &inner)) {
		*ret = NULL;
		return road_name_it(c, &inner, pointer, err);
	}
	if (!(*ret)->is_active)
		road_problem_of(c, "status_inactive", (*ret)->name, pointer,
				"The invoice status %s is not active.", (*ret)->name);
	return true;
}

struct count {
	struct road *r;
	int64_t n;
};

static bool count_page(void *ctx, const struct invoice *items, size_t n, struct err *err)
{
	struct count *c = ctx;
	for (size_t i = 0; i < n; i++) {
		bool is_own;
		if (!road_is_own(c->r, &items[i], &is_own, err))
			return false;
		c->n += is_own;
	}
	return true;
}

static bool is_same(const struct severa_status *a, const struct severa_status *b)
{
	return a && b && strcasecmp(a->id, b->id) == 0;
}

/* Two connections would both send what stands in one status. */
static bool check_twin(struct road_check *c, struct err *err)
{
	const char *owner;
	if (!road_other_owner(c->r, c->transfer, &owner, err))
		return false;
	if (owner)
		road_problem_of(
			c, "status_taken", owner, "/settings/statuses/transfer",
			"The connection %s relays this company's invoices from the status %s "
			"already. Pause it, or choose another status.",
			owner, c->transfer->name);
	return true;
}

static bool check_statuses(struct road_check *c, struct err *err)
{
	const struct road_settings *set = &c->r->set;
	struct err inner = ERR_INIT;
	/* As they are now: what a check names is mended, and checked again at once (SV-08). */
	if (!severa_read_statuses(&c->r->severa, &inner))
		return road_name_it(c, &inner, "/credentials/severa", err);
	if (!check_status(c, set->transfer, "/settings/statuses/transfer", &c->transfer, err) ||
	    !check_status(c, set->transferred, "/settings/statuses/transferred", &c->transferred,
			  err) ||
	    !check_status(c, set->failed, "/settings/statuses/failed", &c->failed, err))
		return false;
	if (c->transfer && !c->transfer->has_number)
		road_problem_of(c, "status_without_number", c->transfer->name,
				"/settings/statuses/transfer",
				"The invoice status %s does not give the invoice a number.",
				c->transfer->name);
	if (is_same(c->transfer, c->transferred) || is_same(c->transfer, c->failed) ||
	    is_same(c->transferred, c->failed))
		road_problem(c, "statuses_same", "/settings/statuses",
			     "Two of the statuses are the same.");
	return !c->transfer || check_twin(c, err);
}

static bool count_waiting(struct road_check *c, const struct rights *rights, int64_t *ret,
			  struct err *err)
{
	struct count count = { .r = c->r };
	if (!c->transfer || !may(rights, "invoices:read"))
		return true;
	if (!severa_invoices(&c->r->severa, c->transfer->id, NULL, count_page, &count, err))
		return false;
	*ret = count.n;
	return true;
}

/* SV-09: the company is one that Severa sends invoices for; a unit without a VAT number is none. */
static bool check_company(struct road_check *c, struct err *err)
{
	const struct severa_company *list;
	struct err inner = ERR_INIT;
	struct strbuf names = STRBUF_INIT(c->r->at->arena, 64 << 10);
	const char *text;
	size_t n;
	if (!c->r->company)
		return true;
	if (!severa_companies(&c->r->severa, &list, &n, &inner))
		return road_name_it(c, &inner, "/credentials/severa", err);
	for (size_t i = 0; i < n; i++) {
		const char *name = road_company_from(c->r->at->arena, list[i].vat_number);
		if (str_eq(name, c->r->company))
			return true;
		strbuf_addf(&names, "%s%s (%s)", i ? ", " : "", list[i].name ? list[i].name : "",
			    list[i].vat_number);
	}
	if (!strbuf_finish(&names, &text, err))
		return false;
	road_problem_of(
		c, "company_unknown", c->r->company, "/settings/company/vat_number",
		"Severa sends no invoices for %s. A business unit without a VAT number goes with "
		"its parent. Severa knows: %.300s.",
		c->r->company, text);
	return true;
}

static bool check_severa(struct road_check *c, int64_t *ret_waiting, struct err *err)
{
	struct rights rights;
	if (!c->r->company)
		road_problem_of(c, "company_unknown", "?", "/settings/company/vat_number",
				"The company's business id or VAT number cannot be told.");
	if (!check_login(c, &rights, err))
		return false;
	bool may_settings = may(&rights, "settings:read");
	if (may_settings && may(&rights, "organization:read") && !check_company(c, err))
		return false;
	return !may_settings ||
	       (check_statuses(c, err) && count_waiting(c, &rights, ret_waiting, err));
}

/* What one side lacks is named, and the other side is checked where that can be done. */
static bool check_all(struct road_check *c, int64_t *ret_waiting, struct err *err)
{
	struct err inner = ERR_INIT;
	bool is_open = road_open_source(c->r, &inner);
	bool is_key = !is_open && inner.code == ERR_CREDENTIALS;
	if (is_key)
		name_soap_key(c);
	if (!is_open)
		return road_name_it(c, &inner, is_key ? "/credentials" : "/settings", err);
	is_open = road_open_target(c->r, &inner);
	is_key = !is_open && inner.code == ERR_CREDENTIALS;
	if (!is_open && !road_name_it(c, &inner, is_key ? "/credentials" : "/settings", err))
		return false;
	return check_severa(c, ret_waiting, err) &&
	       (!is_open || !c->r->ops->check || c->r->ops->check(c, err));
}

bool road_check(struct attempt *at, struct err *err)
{
	struct road_check c = { .r = road_new(at) };
	int64_t waiting = 0;
	if (!c.r)
		return err_set(err, ERR_LIMIT, "arena full");
	setup_check_begin(&c.setup, at);
	return check_all(&c, &waiting, err) && setup_check_end(&c.setup, waiting, err);
}
