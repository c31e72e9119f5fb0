/*
 * spotilla_hooks.c: the webhooks that Spotilla sends (facts/spotilla.md B7): one event, signed, and
 * nothing sent twice: whoever wants a repeat asks for it.
 */
#include "base/base.h"

#include "codec/sign.h"
#include "hooks.h"
#include "spotilla.h"

static bool write_body(struct arena *arena, const struct sp_event *e, struct span *ret)
{
	struct strbuf sb = STRBUF_INIT(arena, 8192);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	char buf[CLOCK_RFC3339_MAX];
	const char *text;
	jsonw_object(&w);
	jsonw_kstr(&w, "id", e->id);
	jsonw_kstr(&w, "type", e->type ? e->type : "task.completed");
	jsonw_kstr(&w, "created_at", sp_time(sp_now_s(), buf));
	jsonw_kstr(&w, "subdomain", e->subdomain);
	jsonw_key(&w, "data");
	jsonw_object(&w);
	jsonw_key(&w, "task_id");
	jsonw_raw(&w, span_of(e->task_id));
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	if (!strbuf_finish(&sb, &text, NULL))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}

static const char *sign(struct arena *arena, const struct sp_event *e, struct span body)
{
	unsigned char mac[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1], time[24];
	snprintf(time, sizeof(time), "%" PRId64, sp_now_s() - e->age_s);
	const struct span parts[] = { span_of(time), SPAN_LIT("."), body };
	if (!sign_hmac_sha256_parts(span_of(e->secret), parts, ARRAY_SIZE(parts), mac))
		return NULL;
	sign_hex(mac, sizeof(mac), hex);
	return arena_printf(arena, "t=%s,v1=%s", time, hex);
}

unsigned sp_send(struct arena *arena, const struct sp_event *event)
{
	struct span body;
	if (!write_body(arena, event, &body))
		return 0;
	const struct http_header header = { "X-Spotilla-Signature", sign(arena, event, body) };
	return header.value ? hook_send(arena, event->url, body, header) : 0;
}
