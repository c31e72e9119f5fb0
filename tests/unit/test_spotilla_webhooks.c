/*
 * test_spotilla_webhooks.c: Spotilla's webhooks: which are believed, and what they say.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "codec/sign.h"
#include "spotilla_vendor.h"
#include "walk.h"

#define EVENT                                                                \
	"{\"id\":\"evt_01HQ8Z\",\"type\":\"task.completed\",\"created_at\":" \
	"\"2026-02-28T13:20:05Z\",\"subdomain\":\"esimerkki\",\"data\":{\"task_id\":90017}}"
#define NOW 1772284805

/* The header over the event, by a secret of "s1" and a time. */
static const char *header(struct arena *arena, const char *time, const char *secret)
{
	unsigned char mac[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	const struct span parts[] = { span_of(time), SPAN_LIT("."), SPAN_LIT(EVENT) };
	assert_true(sign_hmac_sha256_parts(span_of(secret), parts, ARRAY_SIZE(parts), mac));
	sign_hex(mac, sizeof(mac), hex);
	return arena_printf(arena, "t=%s,v1=%s", time, hex);
}

/* {} is a good signature of now. */
static const struct {
	const char *header, *time, *secret;
	enum webhook_verdict verdict;
} signatures[] = {
	{ "{}", "1772284805", "s1", WEBHOOK_GOOD },
	{ "{}", "1772284805", "s2", WEBHOOK_GOOD },
	{ "{}", "1772284506", "s1", WEBHOOK_GOOD },
	{ "{}", "1772285105", "s1", WEBHOOK_GOOD },
	{ "{}", "1772284504", "s1", WEBHOOK_LATE },
	{ "{}", "1772285106", "s1", WEBHOOK_LATE },
	{ "{}", "1772284805", "s3", WEBHOOK_FORGED },
	{ "{}", "1772284805", "", WEBHOOK_FORGED },
	{ " {}, v0=zz", "1772284805", "s1", WEBHOOK_GOOD },
	{ "{},v1=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "1772284805",
	  "s1", WEBHOOK_GOOD },
	{ "{},t=1772284805", "1772284805", "s1", WEBHOOK_UNSIGNED },
	{ "{},v1=0011", "1772284805", "s1", WEBHOOK_UNSIGNED },
	{ "t=1772284805", "1", "s1", WEBHOOK_UNSIGNED },
	{ "v1=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "1", "s1",
	  WEBHOOK_UNSIGNED },
	{ "t=-5,v1=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "1", "s1",
	  WEBHOOK_UNSIGNED },
	{ "t=999999999999,v1=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "1",
	  "s1", WEBHOOK_UNSIGNED },
	{ "t=1772284805,v2=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "1",
	  "s1", WEBHOOK_UNSIGNED },
	{ "", "1", "s1", WEBHOOK_UNSIGNED },
	{ ",,,=", "1", "s1", WEBHOOK_UNSIGNED },
};

static void PC_08_a_webhook_is_believed_only_when_signed_now_by_a_live_secret(void **state)
{
	(void)state;
	const struct span secrets[] = { SPAN_LIT("s1"), SPAN_LIT(""), SPAN_LIT("s2") };
	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		const char *mark = strstr(signatures[i].header, "{}");
		const char *text = signatures[i].header;
		if (mark)
			text = arena_printf(arena, "%.*s%s%s", (int)(mark - text), text,
					    header(arena, signatures[i].time, signatures[i].secret),
					    mark + 2);
		assert_int_equal(spotilla_check_signature(span_of(text), SPAN_LIT(EVENT), secrets,
							  ARRAY_SIZE(secrets), NOW),
				 signatures[i].verdict);
	}
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	const char *good = header(arena, "1772284805", "s1");
	assert_int_equal(
		spotilla_check_signature(span_of(good), SPAN_LIT(EVENT " "), secrets, 3, NOW),
		WEBHOOK_FORGED);
	assert_int_equal(spotilla_check_signature(span_of(good), SPAN_LIT(EVENT), secrets, 0, NOW),
			 WEBHOOK_FORGED);
	assert_int_equal(spotilla_check_signature((struct span) { NULL, 0 }, SPAN_LIT(EVENT),
						  secrets, 3, NOW),
			 WEBHOOK_UNSIGNED);
}

static const struct {
	const char *body;
	const char *pointer; /* NULL: it can be read */
	const char *task_id;
} events[] = {
	{ EVENT, NULL, "90017" },
	{ "{\"id\":7,\"type\":\"task.completed\",\"data\":{\"task_id\":\"90017\"}}", NULL,
	  "90017" },
	{ "{\"id\":\"e\",\"type\":\"task.created\",\"data\":{\"task_id\":1}}", NULL, NULL },
	{ "{\"id\":\"e\",\"type\":\"Task.Completed\"}", NULL, NULL },
	{ "{\"id\":\"e\",\"type\":\"task.completed\"}", "/data/task_id", NULL },
	{ "{\"id\":\"e\",\"type\":\"task.completed\",\"data\":{\"task_id\":\"\"}}", "/data/task_id",
	  NULL },
	{ "{\"id\":\"e\",\"type\":\"task.completed\",\"data\":{\"task_id\":[1]}}", "/data/task_id",
	  NULL },
	{ "{\"id\":\"e\",\"type\":\"task.completed\",\"data\":{\"task_id\":"
	  "12345678901234567890123456789012345678901234567890123456789012345}}",
	  "/data/task_id", NULL },
	{ "{\"type\":\"task.completed\",\"data\":{\"task_id\":1}}", "/id", NULL },
	{ "{\"id\":\"e\",\"data\":{\"task_id\":1}}", "/type", NULL },
	{ "{\"id\":\"e\",\"type\":5}", "/type", NULL },
	{ "[]", "/type", NULL },
	{ "{", "", NULL },
	{ "", "", NULL },
};

static void PC_08_an_event_names_a_task_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
		struct spotilla_event e;
		struct err err = ERR_INIT;
		assert_int_equal(spotilla_read_event(arena, span_of(events[i].body), &e, &err),
				 !events[i].pointer);
		if (events[i].pointer) {
			assert_int_equal(err.code, ERR_INPUT);
			assert_string_equal(err.pointer, events[i].pointer);
		} else {
			assert_non_null(e.id);
			assert_true(str_eq(e.task_id, events[i].task_id));
		}
	}
}

static bool event_in(struct arena *arena)
{
	struct spotilla_event e;
	struct err err = ERR_INIT;
	bool ok = spotilla_read_event(arena, SPAN_LIT(EVENT), &e, &err);
	assert_true(ok || err.code == ERR_LIMIT);
	return ok;
}

static void a_short_arena_is_told(void **state)
{
	(void)state;
	assert_true(walk_cap(event_in) > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(PC_08_a_webhook_is_believed_only_when_signed_now_by_a_live_secret),
		cmocka_unit_test(PC_08_an_event_names_a_task_and_nothing_else),
		cmocka_unit_test(a_short_arena_is_told),
	};
	alloc_init();
	return cmocka_run_group_tests_name("spotilla_webhooks", tests, NULL, NULL);
}
