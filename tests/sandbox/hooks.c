/* hooks.c: see hooks.h. A client of its own for each: they are few. */
#include "base/base.h"

#include "hooks.h"

#define TIMEOUT_MS 10000

unsigned hook_send(struct arena *arena, const char *url, struct span body,
		   struct http_header signature)
{
	static const struct http_guard guard = { .allow_private = true,
						 .allow_http = true,
						 .request_timeout_ms = TIMEOUT_MS };
	struct http_client *client;
	struct http_reply got = { .status = 0 };
	enum http_reach reach;
	if (!http_client_new(&guard, &client, NULL))
		return 0;
	const struct http_header headers[] = { { "Content-Type", "application/json" }, signature };
	const struct http_request rq = { .method = "POST",
					 .url = url,
					 .headers = headers,
					 .n_headers = signature.name ? 2 : 1,
					 .body = body,
					 .is_write = true };
	struct http_transport *t = http_client_transport(client);
	bool ok = t->perform(t, arena, &rq, &got, &reach, NULL);
	http_client_free(client);
	return ok ? (unsigned)got.status : 0;
}
