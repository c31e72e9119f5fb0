/*
 * test_spotilla_records.c: what Spotilla's records say, found again by their exact values, and the
 * forms that change them, byte for byte.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "spotilla_vendor.h"
#include "walk.h"

static struct fake f; /* large */

/* ---- reading -------------------------------------------------------------------------------- */

#define CUSTOMER                                                                                  \
	"{\"id\":1042,\"number\":\"SP-1042\",\"name\":\"Kiinteistöhuolto Esimerkki Oy\","        \
	"\"business_id\":\"2817345-6\",\"email\":\"laskut@esimerkki.example\","                   \
	"\"phone\":\"+358 3 123 4567\",\"language\":\"fi\",\"address\":{\"street\":\"Satamakatu " \
	"5\","                                                                                    \
	"\"zip\":\"33200\",\"city\":\"Tampere\"},\"billing_address\":null,"                       \
	"\"payment_term_days\":14,\"invoice_channel\":null,\"contact_persons\":[{\"name\":"       \
	"\"Maija "                                                                                \
	"Malli\",\"email\":\"maija@esimerkki.example\",\"phone\":null}],\"active\":true,"         \
	"\"external_ref\":\"procountor:1:2\",\"updated_at\":\"2026-03-01T06:00:00Z\"}"

static void a_customer_is_read_as_it_stands(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct spotilla_vendor v = { .body = CUSTOMER };
	struct spotilla sp;
	struct spotilla_customer c;
	struct err err = ERR_INIT;
	open_spotilla(&f, arena, "{}", &v, &sp);
	assert_true(spotilla_customer(&sp, "1042", &c, &err));
	assert_string_equal(c.customer.source_id, "1042");
	assert_string_equal(c.customer.code, "SP-1042");
	assert_string_equal(c.customer.business_id, "2817345-6"); /* judged by the flow */
	assert_string_equal(c.customer.delivery.postcode, "33200");
	assert_string_equal(c.customer.delivery.country_code, "FI");
	assert_string_equal(c.customer.billing.street, "Satamakatu 5");
	assert_false(c.has_billing_address);
	assert_true(c.has_payment_term && c.customer.is_active);
	assert_int_equal(c.payment_term_days, 14);
	assert_null(c.invoice_channel);
	assert_int_equal(c.n_contacts, 1);
	assert_string_equal(c.contacts[0].email, "maija@esimerkki.example");
	assert_null(c.contacts[0].phone);
	assert_string_equal(c.external_ref, "procountor:1:2");
	v.body = "{\"customer\":{\"id\":\"a\",\"active\":false,\"address\":{},"
		 "\"billing_address\":{\"city\":\"Oslo\",\"country\":\"NO\"}}}";
	assert_true(spotilla_customer(&sp, "a", &c, &err));
	assert_false(c.customer.is_active);
	assert_true(c.has_billing_address);
	assert_string_equal(c.customer.billing.country_code, "NO");
	assert_null(c.customer.delivery.country_code);
	assert_null(c.customer.name);
	assert_false(c.has_payment_term);
}

static const struct {
	const char *value; /* of sales_price */
	const char *amount; /* NULL: none */
	enum err_code code;
	const char *reason;
} prices[] = {
	{ "\"31.90\"", "31.90", ERR_NONE, NULL },
	{ "31.90", "31.90", ERR_NONE, NULL },
	{ "\"-0.005\"", "-0.005", ERR_NONE, NULL },
	{ "0", "0", ERR_NONE, NULL },
	{ "null", NULL, ERR_NONE, NULL },
	{ "\"1234567890123456789012345678901234567890\"", NULL, ERR_DATA, "amount_too_large" },
	{ "0.1234567890123456789", NULL, ERR_DATA, "amount_too_large" },
	{ "\"31,90\"", NULL, ERR_SYSTEM, "answer_unreadable" },
	{ "\"\"", NULL, ERR_SYSTEM, "answer_unreadable" },
	{ "\"free\"", NULL, ERR_SYSTEM, "answer_unreadable" },
	{ "true", NULL, ERR_SYSTEM, "answer_unreadable" },
	{ "[1]", NULL, ERR_SYSTEM, "answer_unreadable" },
};

static void PC_07_prices_keep_their_digits_and_none_is_not_zero(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(prices); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct spotilla_vendor v = {
			.body = arena_printf(arena,
					     "{\"id\":311,\"product_id\":7,\"unit\":\"kpl\","
					     "\"sales_price\":%s,\"vat_percent\":\"25.5\"}",
					     prices[i].value)
		};
		struct spotilla sp;
		struct spotilla_product p;
		struct err err = ERR_INIT;
		char text[DECIMAL_TEXT_MAX];
		open_spotilla(&f, arena, "{}", &v, &sp);
		assert_int_equal(spotilla_product(&sp, "311", &p, &err),
				 prices[i].code == ERR_NONE);
		assert_int_equal(err.code, prices[i].code);
		if (prices[i].reason) {
			assert_string_equal(err.reason, prices[i].reason);
			assert_string_equal(err.subject, "sales_price");
			continue;
		}
		assert_int_equal(p.has_price, prices[i].amount != NULL);
		if (prices[i].amount)
			assert_string_equal(decimal_format(p.product.unit_price, 0, '.', text),
					    prices[i].amount);
		assert_true(p.has_vat_rate && p.product.is_active);
		assert_string_equal(p.product.code, "7");
	}
}

#define TASK                                                                                      \
	"{\"id\":90017,\"number\":\"T-90017\",\"name\":\"Vuosihuolto "                            \
	"IV-kone\",\"state\":\"done\","                                                           \
	"\"completed_at\":\"2026-02-28T13:20:00Z\",\"customer_id\":1042,"                         \
	"\"work_order\":{\"id\":77,\"label\":\"Sopimushuollot\"},\"spot\":{\"id\":5123,\"name\":" \
	"\"IV-"                                                                                   \
	"kone 1\"},\"site\":\"Satamakatu 5\",\"order_number\":\"PO-7781\",\"comment\":null,"      \
	"\"rows\":[{\"id\":1,\"product_id\":312,\"name\":\"Huoltotyö\",\"quantity\":\"2.5\","    \
	"\"unit\":\"h\",\"unit_price\":\"58.00\",\"vat_percent\":null,\"billable\":true},"        \
	"{\"id\":2,\"product_id\":null,\"name\":\"Matka\",\"quantity\":-4,\"unit_price\":null,"   \
	"\"vat_percent\":25.5,\"billable\":false},{\"name\":\"x\"}],"                             \
	"\"billing\":{\"state\":\"waiting\",\"external_ref\":null,\"message\":\"Odottaa\"},"      \
	"\"updated_at\":\"2026-02-28T13:20:05Z\"}"

static void PC_07_a_task_is_read_with_its_rows(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct spotilla_vendor v = { .body = TASK };
	struct spotilla sp;
	struct spotilla_task t;
	struct err err = ERR_INIT;
	char text[DECIMAL_TEXT_MAX];
	open_spotilla(&f, arena, "{}", &v, &sp);
	assert_true(spotilla_task(&sp, "90017", &t, &err));
	assert_string_equal(t.id, "90017");
	assert_string_equal(t.state, "done");
	assert_string_equal(t.customer_id, "1042");
	assert_string_equal(t.order_number, "PO-7781");
	assert_string_equal(t.work_order, "Sopimushuollot");
	assert_string_equal(t.spot, "IV-kone 1");
	assert_null(t.comment);
	assert_int_equal(t.completed_ms, clock_from_utc(2026, 2, 28, 13, 20, 0));
	assert_int_equal(t.changed_ms, t.completed_ms + 5000);
	assert_int_equal(t.billing.state, SPOTILLA_BILLING_WAITING);
	assert_string_equal(t.billing.message, "Odottaa");
	assert_int_equal(t.n_rows, 3);
	assert_string_equal(t.rows[0].product_id, "312");
	assert_string_equal(decimal_format(t.rows[0].quantity, 0, '.', text), "2.5");
	assert_true(t.rows[0].has_price && !t.rows[0].has_vat_rate && t.rows[0].is_billable);
	assert_null(t.rows[1].product_id);
	assert_string_equal(decimal_format(t.rows[1].quantity, 0, '.', text), "-4");
	assert_true(!t.rows[1].has_price && t.rows[1].has_vat_rate && !t.rows[1].is_billable);
	assert_true(t.rows[2].is_billable && !t.rows[2].has_quantity);
	v.body = "{\"id\":1,\"billing\":{\"state\":\"paid\"},\"rows\":null}";
	assert_true(spotilla_task(&sp, "1", &t, &err));
	assert_int_equal(t.billing.state, SPOTILLA_BILLING_UNKNOWN);
	assert_int_equal(t.n_rows, 0);
	v.body = "{\"id\":1,\"rows\":[{\"quantity\":\"two\"}]}";
	assert_false(spotilla_task(&sp, "1", &t, &err));
	assert_string_equal(err.reason, "answer_unreadable");
	v.body = "{\"id\":1,\"rows\":{}}";
	assert_false(spotilla_task(&sp, "1", &t, &err));
	assert_string_equal(err.reason, "answer_unreadable");
}

struct odd {
	char ids[64];
	size_t n_unreadable;
};

static bool note_task(void *ctx, const struct spotilla_task *items, size_t n, struct err *err)
{
	struct odd *odd = ctx;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(odd->ids);
		snprintf(odd->ids + at, sizeof(odd->ids) - at, "%s,", items[i].id);
		assert_non_null(items[i].changed);
		odd->n_unreadable += items[i].is_unreadable;
	}
	return true;
}

static void one_odd_task_hides_no_other(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
#define AT ",\"updated_at\":\"2026-02-28T13:20:05Z\"}"
	struct spotilla_vendor v = { .body = "{\"tasks\":[{\"id\":1" AT ",{\"id\":2,\"name\":7" AT
					     ",{\"id\":3,\"rows\":[{\"quantity\":\"x\"}]" AT
					     ",{\"id\":4" AT "],\"meta\":{\"total_pages\":1}}" };
	struct odd odd = { 0 };
	struct spotilla sp;
	struct err err = ERR_INIT;
	open_spotilla(&f, arena, "{}", &v, &sp);
	assert_true(spotilla_tasks(&sp, "done", NULL, note_task, &odd, &err));
	assert_string_equal(odd.ids, "1,2,3,4,");
	assert_int_equal(odd.n_unreadable, 2);
	v.body = "{\"tasks\":[{\"name\":7" AT "]}";
	assert_false(spotilla_tasks(&sp, "done", NULL, note_task, &odd, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
}

static void note_seen(struct attempt *at, struct span bytes)
{
	struct fake *fake = at->impl;
	struct spotilla_vendor *v = fake->ctx;
	snprintf(v->seen, sizeof(v->seen), "%.*s", (int)bytes.n, bytes.p);
}

/* Else each mark of ours would have a document that needs data tried again. */
static void our_own_marks_are_no_change_of_a_document(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct spotilla_vendor v = {
		.body = "{\"id\":1,\"name\":\"a\",\"billing\":{\"state\":\"failed\"},"
			"\"external_ref\":\"r\",\"updated_at\":\"t\",\"rows\":[{\"q\":"
			"1.50}]}"
	};
	struct spotilla sp;
	struct spotilla_task t;
	struct err err = ERR_INIT;
	open_spotilla(&f, arena, "{}", &v, &sp);
	struct attempt_ops ops = *f.at.ops;
	ops.seen = note_seen;
	f.at.ops = &ops;
	assert_true(spotilla_task(&sp, "1", &t, &err));
	assert_string_equal(v.seen, "{\"id\":1,\"name\":\"a\",\"rows\":[{\"q\":1.50}]}");
}

/* ---- finding -------------------------------------------------------------------------------- */

static void a_customer_is_found_by_its_exact_value_alone(void **state)
{
	(void)state;
	static const char list[] =
		"{\"customers\":["
		"{\"id\":1,\"business_id\":\"2817345-6\",\"updated_at\":\"2026-02-28T13:20:05Z\"},"
		"{\"id\":2,\"business_id\":\"2817345-7\",\"updated_at\":\"2026-02-28T13:20:05Z\"},"
		"{\"id\":3,\"updated_at\":\"2026-02-28T13:20:05Z\"},"
		"{\"id\":4,\"business_id\":\"2817345-6\",\"updated_at\":\"2026-02-28T13:20:06Z\"}],"
		"\"meta\":{\"total_pages\":1}}";
	for (int find_by = 0; find_by < 2; find_by++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct spotilla_vendor v = { .body = "{\"id\":1,\"business_id\":\"2817345-6\"}",
					     .first_path = "?",
					     .first_body = list };
		const struct spotilla_customer *found;
		size_t n;
		struct spotilla sp;
		struct err err = ERR_INIT;
		open_spotilla(&f, arena, "{}", &v, &sp);
		f.spotilla.find = find_by;
		assert_true(spotilla_find_customers(&sp, SPOTILLA_BUSINESS_ID, "2817345-6", &found,
						    &n, &err));
		assert_int_equal(n, 2);
		assert_int_equal(v.calls, 3);
		assert_true(spotilla_find_customers(&sp, SPOTILLA_NUMBER, "2817345-6", &found, &n,
						    &err));
		assert_int_equal(n, 0);
		assert_int_equal(strstr(v.last, "&number=2817345-6") != NULL, find_by == 0);
		/* Gone, or another's by now. */
		v.status = 404;
		v.body = REFUSAL("not_found", "");
		assert_true(spotilla_find_customers(&sp, SPOTILLA_BUSINESS_ID, "2817345-7", &found,
						    &n, &err));
		assert_int_equal(n, 0);
		v.status = 200;
		v.body = "{\"id\":2,\"business_id\":\"1234567-1\"}";
		assert_true(spotilla_find_customers(&sp, SPOTILLA_BUSINESS_ID, "2817345-7", &found,
						    &n, &err));
		assert_int_equal(n, 0);
		v.status = 500;
		assert_false(spotilla_find_customers(&sp, SPOTILLA_BUSINESS_ID, "2817345-7", &found,
						     &n, &err));
		assert_int_equal(err.code, ERR_OUTAGE);
	}
}

/* ---- writing -------------------------------------------------------------------------------- */

static const struct address tampere = { "Satamakatu 5", "33200", "Tampere", NULL, "FI", NULL };
static const struct address nowhere = { 0 };

static const struct {
	struct spotilla_customer_form form;
	const char *json;
} forms[] = {
	{ { 0 }, "{}" },
	{ { .name = "A \"b\"", .business_id = "2817345-6" },
	  "{\"name\":\"A \\\"b\\\"\",\"business_id\":\"2817345-6\"}" },
	{ { .email = "", .phone = "", .number = "", .language = "sv" },
	  "{\"number\":null,\"email\":null,\"phone\":null,\"language\":\"sv\"}" },
	{ { .address = &tampere, .billing_address = &nowhere },
	  "{\"address\":{\"street\":\"Satamakatu 5\",\"zip\":\"33200\",\"city\":\"Tampere\","
	  "\"country\":\"FI\"},\"billing_address\":null}" },
	{ { .has_payment_term = true, .payment_term_days = 0, .has_active = true },
	  "{\"payment_term_days\":0,\"active\":false}" },
	{ { .has_payment_term = true,
	    .payment_term_days = -1,
	    .invoice_channel = "EMAIL",
	    .external_ref = "procountor:1:2" },
	  "{\"payment_term_days\":null,\"invoice_channel\":\"EMAIL\","
	  "\"external_ref\":\"procountor:1:2\"}" },
};

static void only_what_is_given_is_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct err err = ERR_INIT;
		struct span body;
		assert_true(spotilla_map_customer_form(arena, &forms[i].form, &body, &err));
		assert_string_equal(body.p, forms[i].json);
	}
}

static void nothing_to_change_is_read(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct spotilla_vendor v = { .body = CUSTOMER };
	const struct spotilla_customer_form form = { 0 };
	struct spotilla sp;
	struct spotilla_customer c;
	struct err err = ERR_INIT;
	open_spotilla(&f, arena, "{}", &v, &sp);
	assert_true(spotilla_update_customer(&sp, "1042", &form, &c, &err));
	assert_true(strncmp(v.last, "GET ", 4) == 0);
	assert_string_equal(c.customer.code, "SP-1042");
}

static void what_has_no_room_is_refused_before_it_is_sent(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	char text[500] = "";
	for (int i = 0; i < 201; i++)
		memcpy(text + 2 * (size_t)i, "ä", 3);
	const struct {
		struct spotilla_customer_form form;
		const char *reason, *subject;
	} cases[] = {
		{ { .name = text }, "field_too_long", "customer name" },
		{ { .name = "" }, "name_missing", "customer" },
		{ { 0 }, "name_missing", "customer" },
		{ { .name = "a", .number = "123456789012345678901" },
		  "field_too_long",
		  "customer number" },
		{ { .name = "a", .external_ref = text }, "field_too_long", "external_ref" },
	};
	struct spotilla_vendor v = { 0 };
	struct spotilla sp;
	struct spotilla_customer c;
	open_spotilla(&f, arena, "{}", &v, &sp);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		assert_false(spotilla_create_customer(&sp, &cases[i].form, "k", &c, &err));
		assert_int_equal(err.code, ERR_DATA);
		assert_string_equal(err.reason, cases[i].reason);
		assert_string_equal(err.subject, cases[i].subject);
	}
	struct err err = ERR_INIT;
	struct spotilla_billing b = { SPOTILLA_BILLING_EXPORTED, text, NULL };
	assert_false(spotilla_mark_task(&sp, "1", &b, &err));
	assert_false(spotilla_mark_product(&sp, "1", text, &err));
	assert_int_equal(v.calls, 0);
	text[400] = '\0'; /* 200 characters fit, whatever their bytes */
	const struct spotilla_customer_form form = { .name = text };
	struct span body;
	assert_true(spotilla_map_customer_form(arena, &form, &body, &err));
}

static void tasks_and_products_are_marked(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct spotilla_vendor v = { .body = "{\"id\":1}" };
	struct spotilla_billing b = { SPOTILLA_BILLING_EXPORTED, "procountor:1:9", NULL };
	struct spotilla sp;
	struct err err = ERR_INIT;
	open_spotilla(&f, arena, "{}", &v, &sp);
	assert_true(spotilla_mark_task(&sp, "9", &b, &err));
	assert_string_equal(v.last, "PATCH http://spotilla.test/tasks/9");
	assert_string_equal(v.last_body.p, "{\"billing\":{\"state\":\"exported\",\"external_ref\":"
					   "\"procountor:1:9\",\"message\":null}}");
	assert_true(spotilla_mark_product(&sp, "3", "procountor:1:4", &err));
	assert_string_equal(v.last, "PATCH http://spotilla.test/products/3");
	assert_string_equal(v.last_body.p, "{\"external_ref\":\"procountor:1:4\"}");
	f.spotilla.write_back = false;
	assert_true(spotilla_mark_task(&sp, "9", &b, &err));
	assert_int_equal(v.calls, 2);
}

/* ---- memory -------------------------------------------------------------------------------- */

static bool form_in(struct arena *arena)
{
	const struct spotilla_customer_form form = { .name = "A", .address = &tampere };
	struct span body;
	struct err err = ERR_INIT;
	bool ok = spotilla_map_customer_form(arena, &form, &body, &err);
	assert_true(ok || err.code == ERR_LIMIT);
	return ok;
}

static void a_short_arena_is_told(void **state)
{
	(void)state;
	assert_true(walk_cap(form_in) > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_customer_is_read_as_it_stands),
		cmocka_unit_test(PC_07_prices_keep_their_digits_and_none_is_not_zero),
		cmocka_unit_test(PC_07_a_task_is_read_with_its_rows),
		cmocka_unit_test(one_odd_task_hides_no_other),
		cmocka_unit_test(our_own_marks_are_no_change_of_a_document),
		cmocka_unit_test(a_customer_is_found_by_its_exact_value_alone),
		cmocka_unit_test(only_what_is_given_is_written),
		cmocka_unit_test(nothing_to_change_is_read),
		cmocka_unit_test(what_has_no_room_is_refused_before_it_is_sent),
		cmocka_unit_test(tasks_and_products_are_marked),
		cmocka_unit_test(a_short_arena_is_told),
	};
	alloc_init();
	return cmocka_run_group_tests_name("spotilla_records", tests, NULL, NULL);
}
