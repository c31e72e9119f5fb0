/* test_severa_einvoice.c: what an e-invoice needs of Severa beyond the invoice (systems/severa.h):
 * VAT in the organisation's currency, whose account is paid to, the credited invoice, why there is
 * no VAT. Against a table of answers. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "flows/fake.h"
#include "systems/severa.h"

#define TOKEN "{\"access_token\":\"t\",\"access_token_expires_in\":3600}"
#define OWN "[{\"guid\":\"c1\",\"code\":\"EUR\",\"isOrganizationCurrency\":true}]"
#define COUNTRIES "[{\"guid\":\"fi\",\"name\":\"Suomi\",\"code2\":\"FI\"}]"

/* The first whose path stands in the URL; body NULL: 404. */
struct reply {
	const char *path, *body;
};

static struct fake f; /* large */
static const struct reply *table;

static bool serve(struct fake *fake, const struct call *call, struct http_reply *ret,
		  struct err *err)
{
	const struct reply *r = table;
	(void)fake, (void)err; /* the line holds */
	bool is_login = strstr(call->rq.url, "/v1/token") != NULL;
	while (!is_login && r->path && !strstr(call->rq.url, r->path))
		r++;
	const char *body = is_login ? TOKEN : r->body;
	*ret = (struct http_reply) { .status = body ? 200 : 404,
				     .body = span_of(body ? body : "{}"),
				     .content_type = "application/json",
				     .retry_after_ms = -1 };
	return true;
}

static void open_severa(struct arena *arena, const struct reply *replies, struct severa *ret)
{
	const struct json *credentials;
	struct err err = ERR_INIT;
	const char *text = "{\"client_id\":\"a.b\",\"client_secret\":\"c\"}";
	assert_non_null(arena);
	fake_init(&f, arena, "{}", "{}");
	f.exchange = serve;
	table = replies;
	assert_true(json_parse(arena, span_of(text), JSON_LIMITS_API, &credentials, &err));
	assert_true(severa_open(&f.at, NULL, credentials, ret, &err));
}

static bool is_sum(struct decimal d, int64_t cents)
{
	return decimal_eq(d, (struct decimal) { cents, 2 });
}

/* ---- VAT in the organisation's own currency ------------------------------------------------ */

static void read_with(struct severa *s, const char *tax, struct invoice *ret)
{
	static struct reply replies[3];
	const char *body = arena_printf(s->at->arena,
					"{\"guid\":\"i\",\"status\":{\"guid\":\"s\"},"
					"\"currency\":{\"code\":\"SEK\"},\"currencyRate\":10.0,"
					"\"totalTax\":%s}",
					tax);
	struct err err = ERR_INIT;
	replies[0] = (struct reply) { "/v1/invoices/", body };
	replies[1] = (struct reply) { "/v1/currencies", OWN };
	replies[2] = (struct reply) { NULL, NULL };
	table = replies;
	assert_true(severa_invoice(s, "i", ret, &err));
	assert_true(severa_account_vat(s, ret, &err));
}

static void vat_in_the_own_currency_is_severas_or_by_the_rate_MV_13(void **state)
{
	static const struct {
		const char *tax;
		int64_t cents;
		bool is_inverse; /* the option */
	} cases[] = {
		{ "{\"amount\":255,\"multiCurrencyInfo\":[{\"amount\":25.41,"
		  "\"currencyCode\":\"EUR\"}]}",
		  2541, false },
		{ "{\"amount\":255}", 2550, false },
		{ "{\"amount\":255}", 255000, true },
		/* Of another currency, or two that differ: nothing that can be told. */
		{ "{\"amount\":255,\"multiCurrencyInfo\":[{\"amount\":29,"
		  "\"currencyCode\":\"USD\"}]}",
		  2550, false },
		{ "{\"amount\":255,\"multiCurrencyInfo\":[{\"amount\":25,"
		  "\"currencyCode\":\"EUR\"},{\"amount\":26,\"currencyCode\":\"EUR\"}]}",
		  2550, false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 22);
		struct invoice inv;
		struct severa s;
		open_severa(arena, NULL, &s);
		f.severa.currency_rate = cases[i].is_inverse;
		read_with(&s, cases[i].tax, &inv);
		assert_true(inv.has_vat_accounting);
		assert_string_equal(inv.accounting_currency, "EUR");
		assert_true(is_sum(inv.total_vat_accounting, cases[i].cents));
	}
}

static void no_rate_tells_nothing_MV_13(void **state)
{
	static const struct reply replies[] = { { "/v1/currencies", OWN }, { NULL, NULL } };
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 22);
	struct invoice inv = { .currency = "SEK", .total_vat = { 25500, 2 } };
	struct err err = ERR_INIT;
	struct severa s;
	(void)state;
	open_severa(arena, replies, &s);
	assert_true(severa_account_vat(&s, &inv, &err));
	assert_false(inv.has_vat_accounting);
}

/* ---- accounts ------------------------------------------------------------------------------ */

#define UNITS                                                                                     \
	"[{\"guid\":\"u1\",\"name\":\"A\",\"vatNumber\":\"FI 12345671\",\"companyGuid\":\"k1\"}," \
	"{\"guid\":\"u2\",\"name\":\"B\",\"vatNumber\":\"FI76543217\",\"companyGuid\":\"k2\"},"   \
	"{\"guid\":\"u3\",\"name\":\"C\",\"parentGuid\":\"u1\",\"companyGuid\":\"k1\"}]"
#define ACCOUNTS                                                                              \
	"[{\"guid\":\"1\",\"accountNumber\":\"OFK1\",\"company\":{\"guid\":\"k1\"}},"         \
	"{\"guid\":\"2\",\"accountNumber\":\"OFK2\",\"company\":{\"guid\":\"k2\"}},"          \
	"{\"guid\":\"3\",\"accountNumber\":\"OFU1\",\"businessUnit\":{\"guid\":\"u1\"}},"     \
	"{\"guid\":\"4\",\"accountNumber\":\"OLD\",\"isActive\":false,\"company\":{\"guid\":" \
	"\"k1\"}},"                                                                           \
	"{\"guid\":\"5\",\"accountNumber\":\"123\",\"accountNumberFormat\":\"Bankgiro\"},"    \
	"{\"guid\":\"6\",\"accountNumber\":\"ALL\",\"bic\":\"OKOYFIHH\"},"                    \
	"{\"guid\":\"7\",\"accountNumber\":\"K1U2\",\"company\":{\"guid\":\"k1\"},"           \
	"\"businessUnit\":{\"guid\":\"u2\"}},"                                                \
	"{\"guid\":\"8\",\"accountNumber\":\"PART\",\"businessUnit\":{\"guid\":\"u3\"}}]"

static void only_the_sellers_accounts_are_told_MV_13(void **state)
{
	static const struct reply replies[] = { { "/v1/businessunits", UNITS },
						{ "/v1/bankaccounts", ACCOUNTS },
						{ NULL, NULL } };
	static const struct {
		const char *vat, *numbers;
	} cases[] = { { "FI12345671", "OFK1 OFU1 ALL PART " },
		      { "FI76543217", "OFK2 ALL K1U2 " }, /* a company of its own */
		      { "FI99999999", "ALL " }, /* nobody's unit: only what is everybody's */
		      { NULL, "ALL " } };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 22);
		const struct party seller = { .vat_number = cases[i].vat };
		const struct bank_account *found;
		struct err err = ERR_INIT;
		char numbers[128] = "";
		struct severa s;
		size_t n;
		open_severa(arena, replies, &s);
		assert_true(severa_accounts(&s, &seller, &found, &n, &err));
		for (size_t k = 0; k < n; k++)
			snprintf(numbers + strlen(numbers), sizeof(numbers) - strlen(numbers),
				 "%s ", found[k].number);
		assert_string_equal(numbers, cases[i].numbers);
	}
}

/* ---- why there is no VAT ------------------------------------------------------------------- */

static void zero_is_explained_by_invoice_and_customer_MV_13(void **state)
{
	static const struct reply replies[] = {
		{ "/invoicesettings",
		  "{\"isReverseCharged\":true,\"reverseChargeDescription\":\"AVL 8 c §\"}" },
		{ "/customercountrysettings",
		  "[{\"country\":{\"guid\":\"xx\"},\"isTaxFree\":true},"
		  "{\"country\":{\"guid\":\"fi\"},\"isTaxFree\":true,"
		  "\"zeroVatCategoryCodeEn16931\":\"E\",\"taxFreeDescription\":\"\"}]" },
		{ "/localization/countries", COUNTRIES },
		{ NULL, NULL }
	};
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 22);
	struct severa_tax tax;
	struct err err = ERR_INIT;
	struct severa s;
	(void)state;
	open_severa(arena, replies, &s);
	assert_true(severa_tax(&s, "i", "c", "FI", &tax, &err));
	assert_true(tax.is_reverse_charged && tax.is_tax_free);
	assert_string_equal(tax.reverse_reason, "AVL 8 c §");
	assert_string_equal(tax.free_category, "E");
	assert_null(tax.free_reason);
	table = replies + 1; /* an invoice without settings of its own */
	assert_true(severa_tax(&s, "i", "c", "SE", &tax, &err));
	assert_false(tax.is_reverse_charged || tax.is_tax_free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vat_in_the_own_currency_is_severas_or_by_the_rate_MV_13),
		cmocka_unit_test(no_rate_tells_nothing_MV_13),
		cmocka_unit_test(only_the_sellers_accounts_are_told_MV_13),
		cmocka_unit_test(zero_is_explained_by_invoice_and_customer_MV_13),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
