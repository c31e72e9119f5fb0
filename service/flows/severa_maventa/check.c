/*
 * check.c: the connection check (SV-06 to SV-09, MV-07, MV-10, MV-16): everything that is wrong at
 * either side, named at once. What only has to be known (an authentication that is still awaited, a
 * print service that is off) is said too, and hinders no activation. Makes no write at either side.
 */
#include "base/base.h"
#include "internal.h"

struct check {
	struct sm r;
	struct json_writer *w;
	bool is_faulty; /* has a problem that hinders activation */
};

static void write_problem(struct check *c, const char *code, const char *pointer, const char *text)
{
	jsonw_object(c->w);
	jsonw_kstr(c->w, "code", code);
	jsonw_kstr(c->w, "text", text);
	jsonw_kstr(c->w, "pointer", pointer);
	jsonw_end_object(c->w);
}

static void problem(struct check *c, const char *code, const char *pointer, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
static void problem(struct check *c, const char *code, const char *pointer, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	write_problem(c, code, pointer, text);
	c->is_faulty = true;
}

/* A fault of the connection is a problem to be named; everything else ends the check. */
static bool name_it(struct check *c, const struct err *why, const char *pointer, struct err *err)
{
	if (why->code == ERR_CREDENTIALS || why->code == ERR_DATA || why->code == ERR_NOT_FOUND ||
	    why->code == ERR_WAITING || why->code == ERR_INPUT) {
		problem(c, why->reason ? why->reason : err_code_name(why->code), pointer, "%s%s%s",
			why->message, why->target_text[0] ? ": " : "", why->target_text);
		return true;
	}
	if (err)
		*err = *why;
	return false;
}

/* ---- Severa -------------------------------------------------------------------------------- */

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

static void name_soap_key(struct check *c)
{
	if (severa_is_soap_key(&c->r.severa))
		problem(c, "soap_key", "/credentials/severa/client_id",
			"This looks like a SOAP API key. Make REST credentials in Severa: "
			"Settings, Integrations, REST API, Create client credentials; and enter "
			"the client id and the client secret that it shows.");
}

static bool check_login(struct check *c, struct rights *ret, struct err *err)
{
	struct err inner = ERR_INIT;
	*ret = (struct rights) { .is_in = false };
	ret->is_in = severa_missing_scopes(&c->r.severa, &ret->missing, &ret->n, &inner);
	for (size_t i = 0; ret->is_in && i < ret->n; i++)
		problem(c, "scope_missing", "/credentials/severa",
			"The REST credentials lack the scope %s. Give it to them in Severa: "
			"Settings, Integrations, REST API.",
			ret->missing[i]);
	if (ret->is_in)
		return true;
	if (inner.code == ERR_CREDENTIALS)
		name_soap_key(c);
	return name_it(c, &inner, "/credentials/severa", err);
}

static bool check_status(struct check *c, const char *ref, const char *pointer,
			 const struct severa_status **ret, struct err *err)
{
	struct err inner = ERR_INIT;
	*ret = NULL;
	if (!ref)
		return true;
	if (!severa_status_find(&c->r.severa, ref, ret, &inner)) {
		*ret = NULL;
		return name_it(c, &inner, pointer, err);
	}
	if (!(*ret)->is_active)
		problem(c, "status_inactive", pointer, "The invoice status %s is not active.",
			(*ret)->name);
	return true;
}

static bool is_same(const struct severa_status *a, const struct severa_status *b)
{
	return a && b && strcasecmp(a->id, b->id) == 0;
}

/* SV-08: Maventa's statuses are fit for invoices that nobody has sent yet. */
static void check_transfer_status(struct check *c, const struct severa_status *s)
{
	if (!s->has_number)
		problem(c, "status_without_number", "/settings/statuses/transfer",
			"The invoice status %s does not give the invoice a number.", s->name);
	if (s->is_sent)
		problem(c, "status_is_sent", "/settings/statuses/transfer",
			"Status of invoices to be transferred can not be sent. In Severa: "
			"Settings, Invoicing, Invoice statuses, open %s, clear Sent, save; then "
			"activate again.",
			s->name);
}

static bool count_page(void *ctx, const struct invoice *items, size_t n, struct err *err)
{
	int64_t *waiting = ctx;
	(void)items, (void)err; /* counting cannot fail */
	*waiting += (int64_t)n;
	return true;
}

static bool check_statuses(struct check *c, const struct rights *rights, int64_t *ret_waiting,
			   struct err *err)
{
	const struct severa_status *transfer, *transferred, *failed;
	struct err inner = ERR_INIT;
	if (!severa_read_statuses(&c->r.severa, &inner))
		return name_it(c, &inner, "/credentials/severa", err);
	if (!check_status(c, c->r.set.transfer, "/settings/statuses/transfer", &transfer, err) ||
	    !check_status(c, c->r.set.transferred, "/settings/statuses/transferred", &transferred,
			  err) ||
	    !check_status(c, c->r.set.failed, "/settings/statuses/failed", &failed, err))
		return false;
	if (transfer)
		check_transfer_status(c, transfer);
	if (is_same(transfer, transferred) || is_same(transfer, failed) ||
	    is_same(transferred, failed))
		problem(c, "statuses_same", "/settings/statuses",
			"Two of the statuses are the same.");
	return !transfer || !may(rights, "invoices:read") ||
	       severa_invoices(&c->r.severa, transfer->id, NULL, count_page, ret_waiting, err);
}

/* SV-09: the company is one that Severa sends invoices for; a unit without a VAT number is none. */
static bool check_company(struct check *c, struct err *err)
{
	struct arena *arena = c->r.at->arena;
	const struct severa_company *list;
	struct err inner = ERR_INIT;
	struct strbuf names = STRBUF_INIT(arena, 64 << 10);
	const char *text;
	size_t n;
	if (!c->r.set.company)
		return true;
	if (!severa_companies(&c->r.severa, &list, &n, &inner))
		return name_it(c, &inner, "/credentials/severa", err);
	for (size_t i = 0; i < n; i++) {
		if (str_eq(sm_company_id(arena, list[i].vat_number, NULL), c->r.set.company))
			return true;
		strbuf_addf(&names, "%s%s (%s)", i ? ", " : "", list[i].name ? list[i].name : "",
			    list[i].vat_number);
	}
	if (!strbuf_finish(&names, &text, err))
		return false;
	problem(c, "company_unknown", "/settings/company/vat_number",
		"Severa sends no invoices for %s. A business unit without a VAT number goes with "
		"its parent. Severa knows: %.300s.",
		c->r.set.company, text);
	return true;
}

static bool check_severa(struct check *c, int64_t *ret_waiting, struct err *err)
{
	struct rights rights;
	if (!c->r.set.company)
		problem(c, "company_unknown", "/settings/company/vat_number",
			"The VAT number of the company is missing.");
	if (!check_login(c, &rights, err))
		return false;
	bool may_settings = may(&rights, "settings:read");
	if (may_settings && may(&rights, "organization:read") && !check_company(c, err))
		return false;
	return !may_settings || check_statuses(c, &rights, ret_waiting, err);
}

/* ---- Maventa ------------------------------------------------------------------------------- */

/* MV-07: the account is that of the company whose invoices are relayed. */
static bool check_account(struct check *c, struct err *err)
{
	struct maventa_current who;
	struct err inner = ERR_INIT;
	if (!maventa_current(&c->r.maventa, &who, &inner))
		return name_it(c, &inner, "/credentials/maventa", err);
	const char *id = who.vat_number && who.vat_number[0] ? who.vat_number : who.business_id;
	const char *company = sm_company_id(c->r.at->arena, id ? id : "", who.country);
	if (who.is_disabled)
		problem(c, "account_not_ready", "/credentials/maventa",
			"The account of %s at Maventa is closed.", who.company_name);
	if (who.missing_scopes[0])
		problem(c, "scope_missing", "/credentials/maventa/user_api_key",
			"The keys lack these rights at Maventa: %s. The user must have the role "
			"admin.",
			who.missing_scopes);
	if (c->r.set.company && !str_eq(company, c->r.set.company))
		problem(c, "company_differs", "/credentials/maventa/company_uuid",
			"These keys are those of %s (%s) at Maventa; the connection relays the "
			"invoices of %s.",
			who.company_name, id, c->r.set.company);
	return true;
}

static bool check_authorization(struct check *c, struct err *err)
{
	struct maventa_authorization a;
	if (!maventa_authorization(&c->r.maventa, &a, err))
		return false;
	if (a.company != MAVENTA_VERIFIED)
		write_problem(c, "company_unverified", "/credentials/maventa",
			      "The company is not authenticated at Maventa yet. Invoices wait, and "
			      "nothing is sent, until it is.");
	return true;
}

/* MV-10: paper is where invoices go that have no other way. */
static bool check_print(struct check *c, struct err *err)
{
	struct maventa_settings account;
	enum maventa_switch print = c->r.set.account.print;
	if (c->r.set.send_by_email)
		return true;
	if (print == MAVENTA_AS_IT_IS) {
		if (!maventa_settings(&c->r.maventa, &account, err))
			return false;
		print = account.print;
	}
	if (print != MAVENTA_ON)
		write_problem(
			c, "print_is_off", "/settings/print/enabled",
			"Invoices are not sent by e-mail, and Maventa's print service is off: "
			"those of customers without an e-invoice address will fail. Switch it on "
			"here (print.enabled) or at Maventa.");
	return true;
}

static bool check_maventa(struct check *c, struct err *err)
{
	struct err inner = ERR_INIT;
	bool was_faulty = c->is_faulty;
	const struct json *keys = json_get(c->r.credentials, "maventa");
	if (!maventa_open(c->r.at, c->r.settings, keys, &c->r.maventa, &inner))
		return name_it(c, &inner, "/credentials/maventa", err);
	c->is_faulty = false;
	bool ok = check_account(c, err);
	if (ok && !c->is_faulty) /* refused keys are named once */
		ok = check_authorization(c, err) && check_print(c, err);
	c->is_faulty |= was_faulty;
	return ok;
}

static bool check_all(struct check *c, struct attempt *at, int64_t *ret_waiting, struct err *err)
{
	struct err inner = ERR_INIT;
	if (sm_open_severa(&c->r, at, &inner))
		return check_severa(c, ret_waiting, err) && check_maventa(c, err);
	bool is_key = inner.code == ERR_CREDENTIALS;
	if (is_key)
		name_soap_key(c);
	return name_it(c, &inner, is_key ? "/credentials" : "/settings", err);
}

bool sm_check(struct attempt *at, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(at->arena, 256 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct check c = { .w = &w };
	int64_t waiting = 0;
	jsonw_object(&w);
	jsonw_key(&w, "problems");
	jsonw_array(&w);
	if (!check_all(&c, at, &waiting, err))
		return false;
	jsonw_end_array(&w);
	jsonw_kbool(&w, "ok", !c.is_faulty);
	jsonw_kint(&w, "waiting", waiting);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &at->result, err);
}
