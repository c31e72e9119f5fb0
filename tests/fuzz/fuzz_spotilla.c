/*
 * fuzz_spotilla.c: what Spotilla may answer and send, well-formed or not, through its maps and its
 * webhook reader: a struct or an error with words, never more. The first byte chooses; of a webhook
 * the first line is the header. What was signed under another secret must never pass.
 */
#include "base/base.h"

#include "systems/spotilla/spotilla_internal.h"

#define CAP_BYTES ((size_t)16 << 20)
#define NOW 1795341600
#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool must_say(bool ok, const struct err *err)
{
	MUST(ok || (err->code != ERR_NONE && err->message[0]));
	return ok;
}

/* What was read of a customer can be written, and is JSON. */
static void fuzz_customer(struct arena *arena, const struct json *j)
{
	struct err err = ERR_INIT;
	struct spotilla_customer c;
	struct span body;
	const struct json *written;
	if (!must_say(spotilla_map_customer(arena, j, &c, &err), &err))
		return;
	const struct spotilla_customer_form form = { .name = c.customer.name,
						     .business_id = c.customer.business_id,
						     .number = c.customer.code,
						     .email = c.customer.email,
						     .address = &c.customer.delivery,
						     .has_payment_term = c.has_payment_term,
						     .payment_term_days = c.payment_term_days,
						     .external_ref = c.external_ref };
	if (must_say(spotilla_map_customer_form(arena, &form, &body, &err), &err))
		MUST(json_parse(arena, body, JSON_LIMITS_API, &written, &err));
}

static void fuzz_product(struct arena *arena, const struct json *j)
{
	struct err err = ERR_INIT;
	struct spotilla_product p;
	(void)arena; /* as its neighbours */
	must_say(spotilla_map_product(j, &p, &err), &err);
}

static void fuzz_task(struct arena *arena, const struct json *j)
{
	struct err err = ERR_INIT;
	struct spotilla_task t;
	if (must_say(spotilla_map_task(arena, j, &t, &err), &err))
		MUST(t.id && t.billing.state <= SPOTILLA_BILLING_UNKNOWN);
}

static void fuzz_webhook(struct arena *arena, struct span text)
{
	static const struct span secret = { "not known to anybody outside", 28 };
	const char *end = text.n ? memchr(text.p, '\n', text.n) : NULL;
	struct span header = { text.p, end ? (size_t)(end - text.p) : text.n };
	struct span body = { text.p + header.n, text.n - header.n };
	struct spotilla_event e;
	struct err err = ERR_INIT;
	MUST(spotilla_check_signature(header, body, &secret, 1, NOW) != WEBHOOK_GOOD);
	if (must_say(spotilla_read_event(arena, body, &e, &err), &err))
		MUST(e.id && e.id[0] && (!e.task_id || e.task_id[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const of_json[])(struct arena *, const struct json *) = {
		fuzz_customer,
		fuzz_product,
		fuzz_task,
	};
	if (size < 1)
		return 0;
	CLEANUP(arena_free) struct arena *arena = arena_new(2 * CAP_BYTES);
	struct span text = { (const char *)data + 1, size - 1 };
	const struct json *j;
	size_t kind = data[0] % (ARRAY_SIZE(of_json) + 1);
	MUST(arena);
	if (kind == ARRAY_SIZE(of_json))
		fuzz_webhook(arena, text);
	else if (json_parse(arena, text, JSON_LIMITS_VENDOR, &j, NULL))
		of_json[kind](arena, j);
	return 0;
}
