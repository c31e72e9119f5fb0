/* procountor_vendor.c: see procountor_vendor.h. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "procountor_vendor.h"

static bool serve_login(struct fake *f, struct vendor *v, const struct call *call,
			struct http_reply *ret)
{
	v->logins++;
	v->login = call->rq.body;
	*ret = (struct http_reply) {
		.status = v->login_status ? v->login_status : 200,
		.body = span_of(
			v->login_body
				? v->login_body
				: arena_printf(f->arena,
					       "{\"access_token\":\"t%d\",\"expires_in\":3600}",
					       v->logins)),
		.content_type = v->login_type ? v->login_type : "application/json",
		.retry_after_ms = -1,
	};
	return true;
}

static void note_call(struct fake *f, struct vendor *v, const struct call *call)
{
	v->header = NULL;
	v->type = NULL;
	v->body = call->rq.body;
	assert_true(v->calls < (int)ARRAY_SIZE(v->asked));
	v->asked[v->calls++] = arena_printf(f->arena, "%s %s", call->rq.method,
					    call->rq.url + strlen("http://procountor.test/api"));
	for (size_t i = 0; i < call->rq.n_headers; i++) {
		const struct http_header *h = &call->rq.headers[i];
		if (strcmp(h->name, "Content-Type") == 0)
			v->type = h->value;
		else if (strcmp(h->name, "Authorization") != 0 && strcmp(h->name, "Accept") != 0)
			v->header = arena_printf(f->arena, "%s: %s", h->name, h->value);
	}
	assert_string_equal(call->limit_key, "procountor:viestiClient");
	/* A GET with a body is answered 403 by the gateway. */
	if (strcmp(call->rq.method, "GET") == 0)
		assert_true(!call->rq.body.p && !v->type);
	assert_int_equal(call->rq.is_write, strcmp(call->rq.method, "GET") != 0);
}

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct vendor *v = f->ctx;
	(void)err;
	assert_null(strstr(call->rq.url, "sandbox-secret"));
	if (strstr(call->rq.url, "/oauth/token"))
		return serve_login(f, v, call, ret);
	note_call(f, v, call);
	for (unsigned i = 0; v->answers[i].body; i++) {
		const struct vendor_answer *a = &v->answers[i];
		if ((a->match && !strstr(v->asked[v->calls - 1], a->match)) ||
		    (a->once && (v->used & (1u << i))))
			continue;
		v->used |= 1u << i;
		*ret = (struct http_reply) { .status = a->status ? a->status : 200,
					     .body = span_of(a->body),
					     .content_type = a->type ? a->type : "application/json",
					     .retry_after_ms = v->retry_after_ms ? v->retry_after_ms
										 : -1 };
		return true;
	}
	fail_msg("nobody answers %s", v->asked[v->calls - 1]);
	return false;
}

void vendor_open(struct vendor *v, struct fake *f, struct arena *arena, struct procountor *p)
{
	const struct json *credentials;
	struct err err = ERR_INIT;
	fake_init(f, arena, "{}", VENDOR_KEYS);
	f->exchange = serve;
	f->ctx = v;
	assert_true(json_parse(arena, span_of(VENDOR_KEYS), JSON_LIMITS_API, &credentials, &err));
	assert_true(procountor_open(&f->at, NULL, credentials, p, &err));
}
