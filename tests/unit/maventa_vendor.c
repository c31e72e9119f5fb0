/* maventa_vendor.c: see maventa_vendor.h. */
#include "base/base.h"
#include "maventa_vendor.h"

#define TOKEN "{\"access_token\":\"t%d\",\"token_type\":\"bearer\",\"expires_in\":3600}"

static void reply(struct http_reply *ret, int status, const char *body, const char *type)
{
	*ret = (struct http_reply) { .status = status ? status : 200,
				     .body = span_of(body ? body : ""),
				     .content_type = type ? type : "application/json",
				     .retry_after_ms = -1 };
}

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct maventa_vendor *v = f->ctx;
	const char *url = call->rq.url;
	if (strstr(url, "/oauth2/token")) {
		v->logins++;
		reply(ret, v->login_status,
		      v->login_body ? v->login_body : arena_printf(f->arena, TOKEN, v->logins),
		      NULL);
		return true;
	}
	if (v->wsdl && strstr(url, "/wsdl")) {
		reply(ret, 200, v->wsdl, "text/xml");
		return true;
	}
	v->calls++;
	snprintf(v->last_url, sizeof(v->last_url), "%s %s", call->rq.method, url);
	v->last_body = call->rq.body;
	for (size_t i = 0; i < call->rq.n_headers; i++)
		if (strcmp(call->rq.headers[i].name, "SOAPAction") == 0)
			snprintf(v->action, sizeof(v->action), "%s", call->rq.headers[i].value);
	if (v->cut != ERR_NONE)
		return err_set(err, v->cut, "cut");
	if (v->other_path && strstr(url, v->other_path)) {
		reply(ret, v->other_status, v->other_body, NULL);
		return true;
	}
	reply(ret, v->status, v->body, v->type);
	if (v->retry_after_ms)
		ret->retry_after_ms = v->retry_after_ms;
	return true;
}

void open_maventa(struct fake *f, struct arena *arena, struct maventa_vendor *v, struct maventa *mv)
{
	static const char keys[] = "{\"company_uuid\":\"" COMPANY "\",\"user_api_key\":\"k\"}";
	const struct json *credentials;
	struct err err = ERR_INIT;
	fake_init(f, arena, "{}", keys);
	f->exchange = serve;
	f->ctx = v;
	assert_true(json_parse(arena, span_of(keys), JSON_LIMITS_API, &credentials, &err));
	assert_true(maventa_open(&f->at, NULL, credentials, mv, &err));
}
