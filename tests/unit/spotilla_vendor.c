/* spotilla_vendor.c: see spotilla_vendor.h. */
#include "base/base.h"
#include "spotilla_vendor.h"

void vendor_reply(struct http_reply *ret, int status, const char *body, const char *type)
{
	*ret = (struct http_reply) { .status = status ? status : 200,
				     .body = span_of(body ? body : "{}"),
				     .content_type = type ? type : "application/json",
				     .retry_after_ms = -1 };
}

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct spotilla_vendor *v = f->ctx;
	size_t n = 0;
	v->calls++;
	snprintf(v->last, sizeof(v->last), "%s %s", call->rq.method, call->rq.url);
	v->last_body = call->rq.body;
	v->headers[0] = '\0';
	for (size_t i = 0; i < call->rq.n_headers; i++)
		n += (size_t)snprintf(v->headers + n, sizeof(v->headers) - n, "%s: %s\n",
				      call->rq.headers[i].name, call->rq.headers[i].value);
	if (v->cut != ERR_NONE)
		return err_set(err, v->cut, "cut");
	if (v->first_path && strstr(call->rq.url, v->first_path)) {
		vendor_reply(ret, 200, v->first_body, NULL);
		return true;
	}
	vendor_reply(ret, v->status, v->body, v->type);
	if (v->retry_after_ms)
		ret->retry_after_ms = v->retry_after_ms;
	return true;
}

void open_spotilla(struct fake *f, struct arena *arena, const char *settings, void *ctx,
		   struct spotilla *sp)
{
	const struct json *keys, *set;
	struct err err = ERR_INIT;
	fake_init(f, arena, settings, SPOTILLA_KEYS);
	f->exchange = serve;
	f->ctx = ctx;
	assert_true(json_parse(arena, span_of(SPOTILLA_KEYS), JSON_LIMITS_API, &keys, &err));
	assert_true(json_parse(arena, span_of(settings), JSON_LIMITS_API, &set, &err));
	assert_true(spotilla_open(&f->at, set, keys, sp, &err));
}
