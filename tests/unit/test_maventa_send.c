/*
 * test_maventa_send.c: the package of an invoice for Maventa, byte for byte, and what the answers
 * to it leave open.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "codec/zip.h"
#include "maventa_vendor.h"
#include "walk.h"

static struct fake f; /* large */

static struct span zip_in(struct span body)
{
	const char *from = memmem(body.p, body.n, "PK\3\4", 4);
	const char *to = from;
	assert_non_null(from);
	for (const char *p = from; (p = memmem(p, (size_t)(body.p + body.n - p), "\r\n--", 4)); p++)
		to = p;
	return (struct span) { from, (size_t)(to - from) };
}

static void files_get_legal_names_of_their_own(void **state)
{
	(void)state;
	static const struct {
		const char *name, *type, *legal;
	} cases[] = {
		{ "Lasku 7.PDF", NULL, "lasku_7.pdf" },
		{ "lasku_7.pdf", NULL, "lasku_7_2.pdf" },
		{ "lasku 7.pdf", NULL, "lasku_7_3.pdf" },
		{ "\xc3\x85\xc3\xa4\xc3\x96\xc3\xb8\xc3\x86\xc3\x9f\xc5\xbd.png", NULL,
		  "aaooaessz.png" },
		{ "\xe2\x82\xac\xff../..\\x.jpeg", NULL, "__.._.._x.jpeg" },
		{ "scan", "image/TIFF", "scan.tif" },
		{ ".xlsx", NULL, "file.xlsx" },
		{ "a.b.c.docx", NULL, "a.b.c.docx" },
		{ "report.final", "application/pdf", "report.final.pdf" },
		{ "7b0c2f0e2f554d2b9c396a1f6d1f5a01.pdf", NULL,
		  "7b0c2f0e2f554d2b9c396a1f6d1f5a01_2.pdf" },
	};
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct maventa_options opt = { 0 };
	struct attachment files[ARRAY_SIZE(cases)];
	struct maventa_form form, again;
	const struct zip_entry *entries;
	struct err err = ERR_INIT;
	size_t n;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		files[i] = (struct attachment) { .name = cases[i].name,
						 .mime_type = cases[i].type,
						 .data = span_of(cases[i].legal) };
		assert_true(maventa_takes_file(&files[i]));
	}
	struct maventa_sending s = { .uuid = UUID,
				     .xml = SPAN_LIT("<Invoice/>"),
				     .attachments = files,
				     .n_attachments = ARRAY_SIZE(files) };
	assert_true(maventa_map_sending(arena, &opt, &s, &form, &err));
	assert_true(maventa_map_sending(arena, &opt, &s, &again, &err));
	assert_true(span_eq(form.body, again.body));
	assert_true(zip_read(arena, zip_in(form.body), 1 << 20, &entries, &n, &err));
	assert_int_equal(n, ARRAY_SIZE(files) + 1);
	assert_string_equal(entries[0].name, "7b0c2f0e2f554d2b9c396a1f6d1f5a01.xml");
	for (size_t i = 1; i < n; i++) {
		assert_string_equal(entries[i].name, cases[i - 1].legal);
		assert_true(span_is(entries[i].data, cases[i - 1].legal));
	}
}

static void files_of_other_kinds_and_too_many_are_refused(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	static const struct attachment bad[] = { { .name = "a.exe" },
						 { .name = "a" },
						 { .name = "a.pdf.zip" },
						 { .name = "a", .mime_type = "text/csv" } };
	struct attachment many[MAVENTA_ATTACHMENTS_MAX + 1];
	struct maventa_options opt = { 0 };
	struct maventa_form form;
	struct err err = ERR_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct maventa_sending s = { .uuid = UUID,
					     .attachments = &bad[i],
					     .n_attachments = 1 };
		assert_false(maventa_takes_file(&bad[i]));
		assert_false(maventa_map_sending(arena, &opt, &s, &form, &err));
		assert_string_equal(err.reason, "attachment_type");
	}
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct attachment) { .name = "same.pdf" };
	struct maventa_sending s = { .uuid = UUID,
				     .attachments = many,
				     .n_attachments = ARRAY_SIZE(many) };
	assert_false(maventa_map_sending(arena, &opt, &s, &form, &err));
	assert_string_equal(err.reason, "attachment_too_large");
	s.n_attachments--;
	assert_true(maventa_map_sending(arena, &opt, &s, &form, &err));
	char *large = arena_alloc(arena, 2 << 20);
	assert_non_null(large);
	many[0].data = (struct span) { large, 2 << 20 };
	CLEANUP(arena_free) struct arena *small = arena_new(4096);
	s.n_attachments = 1;
	assert_false(maventa_map_sending(small, &opt, &s, &form, &err));
	assert_string_equal(err.reason, "attachment_too_large");
	assert_string_equal(err.subject, "same.pdf");
}

static const char *form_text(struct arena *arena, const struct maventa_options *opt,
			     const struct maventa_sending *s)
{
	struct maventa_form form;
	struct err err = ERR_INIT;
	assert_true(maventa_map_sending(arena, opt, s, &form, &err));
	return arena_memdup(arena, form.body.p, form.body.n);
}

static void the_form_says_what_is_given_and_nothing_else(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct maventa_options opt = { .array_style = 1, .names_format = true };
	struct maventa_sending s = { .uuid = UUID, .xml = SPAN_LIT("<a/>") };
	const char *text = form_text(arena, &opt, &s);
	assert_null(strstr(text, "print_settings"));
	assert_null(strstr(text, "lang"));
	assert_null(strstr(text, "recipient"));
	assert_null(strstr(text, "prevent"));
	assert_null(strstr(text, "\"format\""));
	assert_non_null(strstr(text, "filename=\"7b0c2f0e2f554d2b9c396a1f6d1f5a01.xml\"\r\n"
				     "Content-Type: application/xml\r\n\r\n<a/>\r\n"));
	s = (struct maventa_sending) { .uuid = UUID,
				       .format = "FINVOICE30",
				       .xml = SPAN_LIT("<a/>"),
				       .recipient_email = "a@b.example",
				       .recipient_address = "0192:981234561",
				       .recipient_operator = "PEPPOL",
				       .disabled_routes = MAVENTA_ROUTE_PRINT,
				       .language = "nb",
				       .comment = "Hei \xe2\x82\xac",
				       .print_own_image = MAVENTA_OFF,
				       .print_color = MAVENTA_ON,
				       .letter_class = "ECONOMY",
				       .prevent_routing = true };
	text = form_text(arena, &opt, &s);
	static const char *const fields[] = {
		"\"format\"\r\n\r\nFINVOICE30",
		"\"recipient_email\"\r\n\r\na@b.example",
		"\"recipient_eia\"\r\n\r\n0192:981234561",
		"\"recipient_operator\"\r\n\r\nPEPPOL",
		"\"disabled_routes[]\"\r\n\r\nprint",
		"\"lang\"\r\n\r\nNO",
		"\"sender_comment\"\r\n\r\nHei \xe2\x82\xac",
		"\"print_settings[print_own_image]\"\r\n\r\nfalse",
		"\"print_settings[color]\"\r\n\r\ntrue",
		"\"print_settings[letter_class]\"\r\n\r\nECONOMY",
		"\"prevent_routing\"\r\n\r\ntrue",
	};
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_non_null(strstr(text, fields[i]));
}

static const struct maventa_form a_form = { UUID, "multipart/form-data", SPAN_LIT("x") };

/* A refusal is held against what is there, whatever it says (facts/maventa.md §5.4). */
static void a_refusal_of_what_is_there_is_a_duplicate(void **state)
{
	(void)state;
	static const int statuses[] = { 400, 409, 422 };
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct maventa_vendor v = { .status = statuses[i],
					    .body = "{\"message\":\"Nein\"}",
					    .other_path = "/v1/invoices/" UUID,
					    .other_body = "{\"id\":\"" UUID
							  "\",\"status\":\"FAILED\"}" };
		struct maventa mv;
		struct maventa_invoice in;
		struct err err = ERR_INIT;
		open_maventa(&f, arena, &v, &mv);
		assert_false(maventa_send(&mv, &a_form, &in, &err));
		assert_int_equal(err.code, ERR_DUPLICATE);
		v.other_status = 404;
		assert_false(maventa_send(&mv, &a_form, &in, &err));
		assert_int_equal(err.code, ERR_DATA);
		assert_string_equal(err.subject, "Nein");
		v.other_status = 500; /* it may be there: whoever says "refused" now loses it */
		assert_false(maventa_send(&mv, &a_form, &in, &err));
		assert_int_equal(err.code, ERR_DOUBT);
	}
}

static void silence_and_answers_without_an_id_leave_doubt(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
	struct maventa_vendor v = { .status = 201, .body = "{\"status\":\"PENDING\"}" };
	struct maventa mv;
	struct maventa_invoice in;
	struct err err = ERR_INIT;
	open_maventa(&f, arena, &v, &mv);
	assert_false(maventa_send(&mv, &a_form, &in, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	v.cut = ERR_DOUBT;
	assert_false(maventa_send(&mv, &a_form, &in, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	v.cut = ERR_BUSY;
	assert_false(maventa_send(&mv, &a_form, &in, &err));
	assert_int_equal(err.code, ERR_BUSY);
}

/* 401 on sending: first that the company is not authenticated, then that the keys are wrong. */
static void MV_06_a_refused_sender_may_be_unverified(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *company; /* NULL: cannot be asked */
		enum err_code code;
		int asked_status; /* 0: 200 */
	} cases[] = {
		{ 401, "\"UNVERIFIED\"", ERR_WAITING, 0 },
		{ 403, "-1", ERR_WAITING, 0 },
		{ 401, "\"UNKNOWN\"", ERR_WAITING, 0 },
		{ 401, "\"VERIFIED\"", ERR_CREDENTIALS, 0 },
		{ 401, "1", ERR_CREDENTIALS, 0 },
		{ 401, NULL, ERR_CREDENTIALS, 0 },
		{ 401, "0", ERR_OUTAGE, 502 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(8 << 20);
		struct maventa_vendor v = { .status = cases[i].status,
					    .body = "{\"message\":\"Unauthorized\"}",
					    .other_path = cases[i].company ? "/authorization"
									   : NULL,
					    .other_status = cases[i].asked_status };
		struct maventa mv;
		struct maventa_invoice in;
		struct err err = ERR_INIT;
		open_maventa(&f, arena, &v, &mv);
		v.other_body = arena_printf(arena, "{\"company_state\":%s}",
					    cases[i].company ? cases[i].company : "0");
		assert_false(maventa_send(&mv, &a_form, &in, &err));
		assert_int_equal(err.code, cases[i].code);
		if (cases[i].code == ERR_WAITING)
			assert_string_equal(err.reason, "company_unverified");
	}
}

static bool map_in(struct arena *arena)
{
	static const struct attachment file = { .name = "Lasku.pdf", .data = SPAN_LIT("%PDF-") };
	struct maventa_options opt = { 0 };
	struct maventa_sending s = { .uuid = UUID,
				     .xml = SPAN_LIT("<a/>"),
				     .image = &file,
				     .attachments = &file,
				     .n_attachments = 1 };
	struct maventa_form form;
	struct err err = ERR_INIT;
	bool ok = maventa_map_sending(arena, &opt, &s, &form, &err);
	assert_true(ok || err.code == ERR_LIMIT || err.code == ERR_DATA);
	return ok;
}

static void a_short_arena_is_told(void **state)
{
	(void)state;
	assert_true(walk_cap(map_in) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_get_legal_names_of_their_own),
		cmocka_unit_test(files_of_other_kinds_and_too_many_are_refused),
		cmocka_unit_test(the_form_says_what_is_given_and_nothing_else),
		cmocka_unit_test(a_refusal_of_what_is_there_is_a_duplicate),
		cmocka_unit_test(silence_and_answers_without_an_id_leave_doubt),
		cmocka_unit_test(MV_06_a_refused_sender_may_be_unverified),
		cmocka_unit_test(a_short_arena_is_told),
	};
	alloc_init();
	return cmocka_run_group_tests_name("maventa_send", tests, NULL, NULL);
}
