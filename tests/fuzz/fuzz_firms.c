/*
 * fuzz_firms.c: what the systems of accounting firms, Maestro and Talenom, may answer, well-formed
 * or not, through their judges and maps: a struct or an error with words, never more. The first
 * byte chooses, the second is the status of a judged answer.
 */
#include "base/base.h"

#include "systems/maestro/maestro_internal.h"
#include "systems/talenom/talenom_internal.h"

#define CAP_BYTES ((size_t)16 << 20)
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

/* ---- Maestro ------------------------------------------------------------------------------- */

static void maestro_lists(struct arena *arena, const struct json *j)
{
	struct err err = ERR_INIT;
	struct maestro_product product;
	struct maestro_listed listed;
	struct maestro_created created;
	if (must_say(maestro_read_product(j, &product, &err), &err))
		MUST(product.code[0]);
	if (must_say(maestro_read_listed(j, &listed, &err), &err))
		MUST(listed.id[0] && listed.number[0]);
	if (must_say(maestro_read_created(arena, j, &created, &err), &err))
		MUST(created.id[0]);
}

/* What was read of a card can be written, and reads as the same. */
static void maestro_card(struct arena *arena, const struct json *j)
{
	struct err err = ERR_INIT;
	struct maestro_customer card, again;
	struct span body;
	const struct json *written;
	maestro_read_customer(j, &card);
	if (!must_say(maestro_write_customer(arena, &card, &body, &err), &err))
		return;
	MUST(json_parse(arena, body, JSON_LIMITS_VENDOR, &written, &err));
	maestro_read_customer(written, &again);
	MUST(maestro_is_same_customer(&card, &again));
}

/* ---- Talenom ------------------------------------------------------------------------------- */

static void talenom_lists(struct arena *arena, const struct json *j)
{
	static const struct talenom_options opt = { .external_id = "externalId" };
	const struct talenom tn = { .opt = &opt, .receivable_account = "1701" };
	struct err err = ERR_INIT;
	struct talenom_account account;
	struct talenom_product product;
	struct talenom_invoice invoice;
	struct talenom_voucher voucher;
	struct span body;
	const struct json *written;
	must_say(talenom_read_account(j, &account, &err), &err);
	if (must_say(talenom_read_invoice(&opt, j, &invoice, &err), &err))
		MUST(invoice.id[0] && !(invoice.is_draft && invoice.is_approved));
	if (must_say(talenom_read_voucher(&tn, j, &voucher, &err), &err))
		MUST(voucher.id[0] && voucher.match_key);
	if (must_say(talenom_read_product(j, &product, &err), &err) &&
	    must_say(talenom_write_product(arena, &product, &body, &err), &err))
		MUST(json_parse(arena, body, JSON_LIMITS_VENDOR, &written, &err));
}

/* What was read of a contact can be written, and there is nothing in it that is otherwise there. */
static void talenom_card(struct arena *arena, const struct json *j)
{
	static const struct talenom_options opt = { .external_id = "externalId" };
	struct attempt at = { .arena = arena };
	const struct talenom tn = { .at = &at, .opt = &opt, .organization = "14222" };
	struct err err = ERR_INIT;
	struct talenom_contact card, again;
	struct span body;
	const struct json *written;
	if (!must_say(talenom_read_contact(&opt, j, &card, &err), &err) ||
	    !must_say(talenom_write_contact(&tn, &card, &body, &err), &err))
		return;
	MUST(json_parse(arena, body, JSON_LIMITS_VENDOR, &written, &err));
	MUST(talenom_read_contact(&opt, written, &again, &err));
	MUST(talenom_is_same_contact(&again, &card));
}

/* ---- judges -------------------------------------------------------------------------------- */

/* Absence is only what the vendor's own words say, and a write is never absent. */
static void judges(struct arena *arena, int status, struct span body)
{
	const struct http_reply reply = {
		.status = status, .body = body, .content_type = "", .retry_after_ms = -1
	};
	for (int i = 0; i < 2; i++) {
		const struct maestro_rq to_maestro = { .what = "ask", .is_write = i };
		const struct talenom_rq to_talenom = { .what = "ask", .is_write = i };
		struct err one = ERR_INIT, other = ERR_INIT;
		bool is_good = status >= 200 && status < 300;
		MUST(maestro_judge(arena, &to_maestro, &reply, &one) == is_good);
		MUST(talenom_judge(arena, &to_talenom, &reply, false, &other) == is_good);
		must_say(is_good, &one);
		must_say(is_good, &other);
		MUST(!i || (one.code != ERR_NOT_FOUND && other.code != ERR_NOT_FOUND));
		MUST(i || (one.code != ERR_DOUBT && other.code != ERR_DOUBT));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const of_json[])(struct arena *, const struct json *) = {
		maestro_lists,
		maestro_card,
		talenom_lists,
		talenom_card,
	};
	if (size < 2)
		return 0;
	CLEANUP(arena_free) struct arena *arena = arena_new(4 * CAP_BYTES);
	struct span text = { (const char *)data + 2, size - 2 };
	const struct json *j;
	size_t kind = data[0] % (ARRAY_SIZE(of_json) + 1);
	MUST(arena);
	if (kind == ARRAY_SIZE(of_json))
		judges(arena, 200 + data[1] * 2, text);
	else if (json_parse(arena, text, JSON_LIMITS_VENDOR, &j, NULL))
		of_json[kind](arena, j);
	return 0;
}
