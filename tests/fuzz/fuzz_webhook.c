/*
 * fuzz_webhook.c: what a sender of webhooks controls before anything of its is believed: three
 * header values and the body, and what an administrator pastes as a secret. Lines of the input: id,
 * timestamp, signature, secret, body. What was signed under another key must never pass.
 */
#include "base/base.h"

#include "http/webhook.h"

#define CAP_BYTES ((size_t)4 << 20)
#define NOW 1795341600
#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Up to the next line end, which is taken away. */
static struct span next_line(struct span *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct span line = { rest->p, end ? (size_t)(end - rest->p) : rest->n };
	size_t used = line.n + (end ? 1 : 0);
	*rest = (struct span) { rest->p + used, rest->n - used };
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(CAP_BYTES);
	struct span rest = { size ? (const char *)data : "", size };
	struct webhook_headers h = { next_line(&rest), next_line(&rest), next_line(&rest) };
	struct span secret = next_line(&rest);
	struct webhook_keys ours = { .n = 0 }, theirs = { .n = 0 };
	MUST(arena);
	MUST(webhook_keys_add(&ours, SPAN_LIT("whsec_bm90IGtub3duIHRvIGFueWJvZHkgb3V0c2lkZQ==")));
	MUST(webhook_keys_add(&ours,
			      SPAN_LIT("whpk_2MHxmk8yFYDQdjdLUYQxGHbjWC4K7bl8xjcNuBgZz1I=")));
	enum webhook_verdict verdict = webhook_verify(arena, &ours, &h, rest, NOW);
	MUST(verdict == WEBHOOK_UNSIGNED || verdict == WEBHOOK_LATE || verdict == WEBHOOK_FORGED);
	if (webhook_keys_add(&theirs, secret)) {
		verdict = webhook_verify(arena, &theirs, &h, rest, NOW);
		MUST(verdict <= WEBHOOK_FORGED);
	}
	webhook_keys_wipe(&theirs);
	webhook_keys_wipe(&ours);
	return 0;
}
