/* test_procountor_lists.c: registers page by page and what goes wrong with them; records found
 * letter by letter; which document is ours (DESIGN §4.6). */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "procountor_vendor.h"

static struct fake f; /* large */

/* ---- lists --------------------------------------------------------------------------------- */

#define ALL_PRODUCTS "GET /products?type=SALES&active=true&orderById=ASC&size=2"

/* Walks a register as a sync does, each page in an arena of its own; the number of records. */
static bool walk_products(struct procountor *p, const struct procountor_list *list, size_t *ret_n,
			  struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct attempt at = *p->at;
	struct procountor paged = *p;
	char from[32];
	bool is_first = true;
	*ret_n = 0;
	at.arena = arena;
	paged.at = &at;
	for (;;) {
		struct procountor_product_page page;
		if (!procountor_product_page(&paged, list, is_first ? NULL : from, &page, err))
			return false;
		*ret_n += page.n;
		if (!page.next)
			return true;
		snprintf(from, sizeof(from), "%s", page.next);
		is_first = false;
		arena_clear(arena);
	}
}

static void a_list_is_read_to_its_end_or_fails(void **state)
{
	(void)state;
	static const struct {
		const char *pages[4];
		enum err_code code;
		size_t n;
		int calls;
	} cases[] = {
		{ { "{\"results\":[]}" }, ERR_NONE, 0, 1 },
		{ { "{\"results\":[{\"id\":1},{\"id\":5}]}", "{\"results\":[{\"id\":7}]}" },
		  ERR_NONE,
		  3,
		  2 },
		{ { "{\"results\":[{\"id\":1},{\"id\":5}]}", "{\"results\":[]}" }, ERR_NONE, 2, 2 },
		/* totalCount is not relied on. */
		{ { "{\"results\":[{\"id\":1},{\"id\":5}],\"meta\":{\"totalCount\":2}}",
		    "{\"results\":[{\"id\":6}]}" },
		  ERR_NONE,
		  3,
		  2 },
		/* A server that gives less than it was asked for, and says so. */
		{ { "{\"results\":[{\"id\":1}],\"meta\":{\"pageSize\":1}}",
		    "{\"results\":[{\"id\":2}],\"meta\":{\"pageSize\":1}}",
		    "{\"results\":[],\"meta\":{\"pageSize\":1}}" },
		  ERR_NONE,
		  2,
		  3 },
		{ { "{\"products\":[{\"id\":4}]}" }, ERR_NONE, 1, 1 },
		{ { "{\"results\":[{\"id\":5},{\"id\":1}]}" }, ERR_SYSTEM, 0, 1 },
		{ { "{\"results\":[{\"id\":1},{\"id\":5}]}",
		    "{\"results\":[{\"id\":1},{\"id\":5}]}" },
		  ERR_SYSTEM,
		  2,
		  2 },
		{ { "{\"results\":[{\"name\":\"x\"}]}" }, ERR_SYSTEM, 0, 1 },
		{ { "{}" }, ERR_OUTAGE, 0, 1 },
		{ { "[]" }, ERR_OUTAGE, 0, 1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor_answer all[5] = { 0 };
		for (size_t k = 0; k < 4 && cases[i].pages[k]; k++)
			all[k] = (struct vendor_answer) { .body = cases[i].pages[k], .once = true };
		struct vendor v = { .answers = all };
		const struct procountor_list list = { 0 };
		struct procountor p;
		size_t n;
		struct err err = ERR_INIT;
		vendor_open(&v, &f, arena, &p);
		f.procountor.page = 2;
		assert_int_equal(walk_products(&p, &list, &n, &err), cases[i].code == ERR_NONE);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(n, cases[i].n);
		assert_int_equal(v.calls, cases[i].calls);
		assert_string_equal(v.asked[0], ALL_PRODUCTS);
		if (v.calls > 1)
			assert_non_null(strstr(v.asked[1], "&previousId="));
	}
}

/* A walk may end in one process and go on in another. */
static void a_place_in_a_list_is_an_id(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct vendor_answer all[] = {
		{ .match = "active=true",
		  .body = "{\"results\":[{\"id\":1},{\"id\":5}]}",
		  .once = true },
		{ .match = "active=true", .body = "{\"results\":[{\"id\":7}]}" },
		{ .match = "active=false", .body = "{\"results\":[{\"id\":2}]}" },
		{ 0 }
	};
	static const char *const wrong[] = { "", "5", "a", "a-1", "x5", "a1234567890123456789" };
	const struct procountor_list list = { .with_inactive = true }, active = { 0 };
	struct vendor v = { .answers = all };
	struct procountor_product_page page;
	struct procountor p;
	struct err err = ERR_INIT;
	vendor_open(&v, &f, arena, &p);
	f.procountor.page = 2;
	assert_true(procountor_product_page(&p, &list, NULL, &page, &err));
	assert_string_equal(page.next, "a5");
	assert_true(procountor_product_page(&p, &active, page.next, &page, &err));
	assert_null(page.next);
	assert_string_equal(v.asked[1], ALL_PRODUCTS "&previousId=5");
	assert_true(procountor_product_page(&p, &list, "a5", &page, &err));
	assert_string_equal(page.next, "i0");
	assert_true(procountor_product_page(&p, &list, page.next, &page, &err));
	assert_int_equal(page.n, 1);
	assert_null(page.next);
	assert_non_null(strstr(v.asked[3], "active=false&orderById=ASC&size=2"));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(procountor_product_page(&p, &list, wrong[i], &page, &err));
}

static void changes_are_asked_for_in_the_vendors_time(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 1772352000000, "versionStartDate=2026-03-01T10%3A00%3A00&" }, /* 08:00 UTC */
		{ 1782892800000, "versionStartDate=2026-07-01T11%3A00%3A00&" }, /* summer time */
	};
	static const struct vendor_answer all[] = { { .body = "{\"results\":[]}" }, { 0 } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .answers = all };
		const struct procountor_list list = { .changed_since_ms = cases[i].ms };
		struct procountor_product_page page;
		struct procountor p;
		struct err err = ERR_INIT;
		vendor_open(&v, &f, arena, &p);
		assert_true(procountor_product_page(&p, &list, NULL, &page, &err));
		assert_non_null(strstr(v.asked[0], cases[i].text));
		f.procountor.time_zone = "No/Where";
		assert_false(procountor_product_page(&p, &list, NULL, &page, &err));
		assert_non_null(strstr(err.message, "VIESTI_PROCOUNTOR_TIME_ZONE"));
	}
}

/* PC-06: a list has heads only; the cards are read in one call a page. */
static void PC_06_customers_come_whole(void **state)
{
	(void)state;
	static const struct {
		const char *list, *cards;
		int status;
		enum err_code code;
		size_t n;
	} cases[] = {
		{ "{\"results\":[{\"id\":3}]}", "{\"id\":3,\"name\":\"One\"}", 0, ERR_NONE, 1 },
		{ "{\"results\":[{\"id\":3},{\"id\":4}]}",
		  "[{\"id\":3,\"name\":\"a\"},{\"id\":4,\"name\":\"b\"}]", 0, ERR_NONE, 2 },
		/* Deleted in between. */
		{ "{\"results\":[{\"id\":3},{\"id\":4}]}", "[{\"id\":4,\"name\":\"b\"}]", 0,
		  ERR_NONE, 1 },
		{ "{\"results\":[{\"id\":3}]}", "{\"errors\":[]}", 404, ERR_NONE, 0 },
		{ "{\"results\":[]}", "{}", 0, ERR_NONE, 0 },
		{ "{\"results\":[{\"id\":3}]}", "[{\"id\":3},{\"id\":4}]", 0, ERR_SYSTEM, 0 },
		{ "{\"results\":[{\"id\":3}]}", "{\"name\":\"x\"}", 0, ERR_SYSTEM, 0 },
		{ "{\"results\":[{\"id\":3}]}", "", 500, ERR_OUTAGE, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		const struct vendor_answer all[] = { { .match = "?type=", .body = cases[i].list },
						     { .body = cases[i].cards,
						       .status = cases[i].status },
						     { 0 } };
		struct vendor v = { .answers = all };
		const struct procountor_list list = { 0 };
		struct procountor_partner_page page = { .n = 0 };
		struct procountor p;
		struct err err = ERR_INIT;
		vendor_open(&v, &f, arena, &p);
		assert_int_equal(procountor_partner_page(&p, &list, NULL, &page, &err),
				 cases[i].code == ERR_NONE);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(page.n, cases[i].n);
		assert_null(page.next);
	}
}

/* ---- finding ------------------------------------------------------------------------------- */

static void a_customer_is_found_letter_by_letter(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct vendor_answer all[] = {
		{ .match = "active=true",
		  .body = "{\"results\":[{\"id\":5,\"invoicingInfo\":{\"identifier\":\"2817345-6\","
			  "\"customerNumber\":\"SP-1\"}},{\"id\":7,\"invoicingInfo\":{"
			  "\"identifier\":"
			  "\"2817345-6 \",\"customerNumber\":\"SP-1\"}},{\"id\":8}]}" },
		{ .match = "active=false",
		  .body = "{\"results\":[{\"id\":2,\"invoicingInfo\":{\"identifier\":\"2817345-6\","
			  "\"customerNumber\":\"SP-1\"}}]}" },
		{ .body = "[{\"id\":2,\"registryInfo\":{\"active\":false}},{\"id\":5}]" },
		{ 0 }
	};
	struct vendor v = { .answers = all };
	const struct procountor_partner_query q = { .business_id = "2817345-6",
						    .customer_number = "SP-1" };
	const struct procountor_partner *found;
	struct procountor p;
	size_t n;
	struct err err = ERR_INIT;
	vendor_open(&v, &f, arena, &p);
	assert_true(procountor_partner_find(&p, &q, &found, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(found[0].id, "2");
	assert_false(found[0].is_active);
	assert_non_null(strstr(v.asked[0], "?type=CUSTOMER&active=true&customerNumber=SP-1&"));
	assert_null(strstr(v.asked[0], "2817345")); /* personal data stay out of addresses */
	assert_string_equal(v.asked[2], "GET /businesspartners/2,5");
}

static void names_go_into_a_header(void **state)
{
	(void)state;
	static const struct {
		int style;
		const char *name, *header;
	} cases[] = {
		{ 0, "Esimerkki 5 % Oy", "name: Esimerkki 5 % Oy" },
		{ 0, "S\xc3\xa4hk\xc3\xb6 5 % Oy", "name: S%C3%A4hk%C3%B6 5 %25 Oy" },
		{ 1, "S\xc3\xa4hk\xc3\xb6 Oy", "name: S\xc3\xa4hk\xc3\xb6 Oy" },
	};
	static const struct vendor_answer all[] = { { .body = "{\"results\":[{\"id\":1}]}" },
						    { 0 } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct vendor v = { .answers = all };
		const struct procountor_partner_query q = { .name = cases[i].name };
		const struct procountor_partner *found;
		struct procountor p;
		size_t n;
		struct err err = ERR_INIT;
		vendor_open(&v, &f, arena, &p);
		f.procountor.header_text = cases[i].style;
		assert_true(procountor_partner_find(&p, &q, &found, &n, &err));
		assert_int_equal(n, 0);
		assert_string_equal(v.header, cases[i].header);
	}
}

static void the_product_to_link_comes_first(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct vendor_answer all[] = {
		{ .body = "{\"results\":[{\"id\":8,\"code\":\"A&1\",\"active\":false},"
			  "{\"id\":9,\"code\":\"A&10\"},{\"id\":77,\"code\":\"A&1\",\"price\":"
			  "31.90,\"vat\":25.5},{\"id\":100,\"code\":\"A&1\"},{\"id\":101,\"code\":"
			  "\"a&1\"},{\"id\":102,\"code\":null}]}" },
		{ 0 }
	};
	struct vendor v = { .answers = all };
	const struct procountor_product *found;
	struct procountor p;
	size_t n;
	struct err err = ERR_INIT;
	char text[DECIMAL_TEXT_MAX];
	vendor_open(&v, &f, arena, &p);
	assert_true(procountor_product_find(&p, "A&1", &found, &n, &err));
	assert_int_equal(n, 3);
	assert_string_equal(found[0].id, "77");
	assert_string_equal(found[1].id, "100");
	assert_string_equal(found[2].id, "8");
	assert_string_equal(decimal_format(found[0].price, 2, '.', text), "31.90");
	assert_true(found[0].has_vat && !found[1].has_vat);
	assert_non_null(strstr(v.asked[0], "/products?type=SALES&code=A%261&"));
	assert_true(procountor_product_find(&p, "B", &found, &n, &err));
	assert_int_equal(n, 0);
}

/* ---- is it ours ---------------------------------------------------------------------------- */

#define HEAD(id, status) \
	"{\"id\":" id ",\"status\":\"" status "\",\"originalInvoiceNumber\":\"SPT-1\"}"
#define SUMS(gross)                                                                               \
	"\"invoiceSumInfo\":[{\"currency\":\"SEK\",\"excludingVatTotal\":1,\"vatSumTotal\":1,"    \
	"\"invoiceSumTotal\":1},{\"currency\":\"EUR\",\"excludingVatTotal\":100,\"vatSumTotal\":" \
	"25.5,\"invoiceSumTotal\":" gross "}]"
#define BODY(id, number, partner, date, currency, gross)                                      \
	"{\"id\":" id ",\"type\":\"SALES_INVOICE\",\"status\":\"UNFINISHED\","                \
	"\"originalInvoiceNumber\":\"" number "\",\"partnerId\":" partner ",\"date\":\"" date \
	"\",\"paymentInfo\":{\"currency\":\"" currency                                        \
	"\",\"bankReferenceCode\":\"1232\"}," SUMS(gross) "}"
#define OURS(id) BODY(id, "SPT-1", "9", "2026-03-02", "EUR", "125.50")

static const struct invoice sent = {
	.number = "SPT-1",
	.issue_date = "2026-03-02",
	.currency = "EUR",
	.total_net = { 100, 0 },
	.total_gross = { 12550, 2 },
	.n_rows = 1,
	.n_vat = 1,
};

static const struct {
	const char *list, *cards;
	enum procountor_match match;
	const char *differs, *id;
} look_ups[] = {
	{ "", NULL, PROCOUNTOR_ABSENT, NULL, NULL },
	{ HEAD("1", "UNFINISHED"), OURS("1"), PROCOUNTOR_OURS, NULL, "1" },
	{ HEAD("1", "SENT"), OURS("1"), PROCOUNTOR_OURS, NULL, "1" },
	/* Thrown away by a person: as if it were not there. */
	{ HEAD("1", "INVALIDATED") "," HEAD("2", "DELETED"), NULL, PROCOUNTOR_ABSENT, NULL, NULL },
	/* The filter was loose. */
	{ "{\"id\":1,\"originalInvoiceNumber\":\"SPT-10\"},{\"id\":2},"
	  "{\"id\":3,\"originalInvoiceNumber\":\"spt-1\"}",
	  NULL, PROCOUNTOR_ABSENT, NULL, NULL },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "8", "2026-03-02", "EUR", "125.50"),
	  PROCOUNTOR_TAKEN, "customer", "1" },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "9", "2026-03-03", "EUR", "125.50"),
	  PROCOUNTOR_TAKEN, "date", "1" },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "9", "2026-03-02", "SEK", "125.50"),
	  PROCOUNTOR_TAKEN, "currency", "1" },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "9", "2026-03-02", "EUR", "125.53"),
	  PROCOUNTOR_TAKEN, "sum", "1" },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "9", "2026-03-02", "EUR", "-125.50"),
	  PROCOUNTOR_TAKEN, "sum", "1" },
	/* VAT rounded by the vendor: a cent per row and rate. */
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-1", "9", "2026-03-02", "EUR", "125.52"),
	  PROCOUNTOR_OURS, NULL, "1" },
	{ HEAD("1", "UNFINISHED"),
	  "{\"id\":1,\"type\":\"SALES_INVOICE\",\"originalInvoiceNumber\":\"SPT-1\",\"partnerId\":"
	  "9,"
	  "\"date\":\"2026-03-02\",\"paymentInfo\":{\"currency\":\"EUR\"}}",
	  PROCOUNTOR_TAKEN, "sum", "1" },
	{ HEAD("1", "UNFINISHED"), BODY("1", "SPT-2", "9", "2026-03-02", "EUR", "125.50"),
	  PROCOUNTOR_TAKEN, "number", "1" },
	{ HEAD("1", "UNFINISHED"), "{\"id\":1,\"type\":\"SALES_ORDER\"}", PROCOUNTOR_TAKEN, "type",
	  "1" },
	{ HEAD("1", "UNFINISHED") "," HEAD("2", "UNFINISHED"),
	  "[" BODY("1", "SPT-1", "8", "2026-03-02", "EUR", "125.50") "," OURS("2") "]",
	  PROCOUNTOR_OURS, NULL, "2" },
	{ HEAD("1", "UNFINISHED") "," HEAD("2", "UNFINISHED"), "[" OURS("1") "," OURS("2") "]",
	  PROCOUNTOR_SEVERAL, NULL, "1" },
};

static void a_document_is_ours_when_all_that_names_it_agrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(look_ups); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		const struct vendor_answer all[] = {
			{ .match = "?types=SALES_INVOICE&originalInvoiceNumber=SPT-1&",
			  .body = arena_printf(arena, "{\"results\":[%s]}", look_ups[i].list) },
			{ .body = look_ups[i].cards ? look_ups[i].cards : NULL },
			{ 0 }
		};
		struct vendor v = { .answers = all };
		struct procountor_found found;
		struct procountor p;
		struct err err = ERR_INIT;
		vendor_open(&v, &f, arena, &p);
		assert_true(procountor_invoice_look_up(&p, &sent, "9", &found, &err));
		assert_int_equal(found.match, look_ups[i].match);
		if (look_ups[i].id)
			assert_string_equal(found.invoice.id, look_ups[i].id);
		assert_true(str_eq(found.differs, look_ups[i].differs));
	}
}

static void half_a_look_up_is_no_absence(void **state)
{
	(void)state;
	static const struct {
		const char *list, *cards;
		int status;
		enum err_code code;
	} cases[] = {
		{ "{\"results\":[" HEAD("1", "SENT") "]}", "{}", 404, ERR_OUTAGE },
		{ "{\"results\":[" HEAD("1", "SENT") "," HEAD("2", "SENT") "]}", "[" OURS("2") "]",
		  0, ERR_OUTAGE },
		{ "{\"results\":[" HEAD("1", "SENT") "]}", "", 500, ERR_OUTAGE },
		{ "{\"result\":[]}", "{}", 0, ERR_OUTAGE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		const struct vendor_answer all[] = { { .match = "?types=", .body = cases[i].list },
						     { .body = cases[i].cards,
						       .status = cases[i].status },
						     { 0 } };
		struct vendor v = { .answers = all };
		struct procountor_found found;
		struct procountor p;
		struct err err = ERR_INIT;
		vendor_open(&v, &f, arena, &p);
		assert_false(procountor_invoice_look_up(&p, &sent, "9", &found, &err));
		assert_int_equal(err.code, cases[i].code);
	}
}

static void a_reference_of_ours_must_agree_too(void **state)
{
	(void)state;
	struct invoice inv = sent;
	struct procountor_invoice have = { .type = "SALES_INVOICE",
					   .original_number = "SPT-1",
					   .partner_id = "9",
					   .date = "2026-03-02",
					   .currency = "EUR",
					   .reference = "1232",
					   .has_sum = true,
					   .net = sent.total_net,
					   .gross = sent.total_gross };
	assert_null(procountor_invoice_differs(&have, &inv, "9"));
	inv.reference = "1232";
	assert_null(procountor_invoice_differs(&have, &inv, "9"));
	inv.reference = "1245";
	assert_string_equal(procountor_invoice_differs(&have, &inv, "9"), "reference");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_read_to_its_end_or_fails),
		cmocka_unit_test(a_place_in_a_list_is_an_id),
		cmocka_unit_test(changes_are_asked_for_in_the_vendors_time),
		cmocka_unit_test(PC_06_customers_come_whole),
		cmocka_unit_test(a_customer_is_found_letter_by_letter),
		cmocka_unit_test(names_go_into_a_header),
		cmocka_unit_test(the_product_to_link_comes_first),
		cmocka_unit_test(a_document_is_ours_when_all_that_names_it_agrees),
		cmocka_unit_test(half_a_look_up_is_no_absence),
		cmocka_unit_test(a_reference_of_ours_must_agree_too),
	};
	alloc_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
