/* test_http_tls.c: outbound HTTP trusts a certificate only when chain, name and date are right. */
#include "base/base.h"

#include "http_bench.h"
#include "tls_server.h"

struct outcome {
	bool ok;
	enum http_reach reach;
	struct err err;
	unsigned requests, handshakes;
};

/* Sends n writes to https://host of a server with that certificate. */
static struct outcome send_to(const char *host, const struct tls_order *order, bool trusts_ca,
			      int n)
{
	struct tls_server server;
	struct http_client *client = NULL;
	struct outcome out = { .err = ERR_INIT };
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	char url[100];
	assert_true(tls_server_start(&server, order));
	const struct http_guard guard = { .allow_private = true,
					  .connect_timeout_ms = 3000,
					  .request_timeout_ms = 3000,
					  .ca_file = trusts_ca ? server.ca_file : NULL };
	assert_true(http_client_new(&guard, &client, &out.err));
	snprintf(url, sizeof(url), "https://%s:%d/x", host, server.port);
	const struct http_request rq = {
		.method = "POST", .url = url, .body = SPAN_LIT("secret"), .is_write = true
	};
	struct http_transport *t = http_client_transport(client);
	struct http_reply reply = { .status = 0 };
	for (int i = 0; i < n; i++)
		out.ok = t->perform(t, arena, &rq, &reply, &out.reach, &out.err);
	if (out.ok)
		assert_true(span_is(reply.body, "hi"));
	out.requests = tls_server_requests(&server);
	out.handshakes = tls_server_handshakes(&server);
	http_client_free(client);
	tls_server_stop(&server);
	return out;
}

static void a_right_certificate_is_trusted_and_its_connection_kept(void **state)
{
	(void)state;
	static const struct tls_order order = { "DNS:localhost,IP:127.0.0.1", 5, false };
	static const char *const hosts[] = { "localhost", "127.0.0.1" };
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct outcome out = send_to(hosts[i], &order, true, 3);
		if (!out.ok)
			fail_msg("%s", out.err.message);
		assert_int_equal(out.requests, 3);
		assert_int_equal(out.handshakes, 1);
	}
}

static void a_wrong_certificate_ends_it_before_a_byte_of_the_request(void **state)
{
	(void)state;
	static const struct {
		const char *what, *host;
		struct tls_order order;
		bool trusts_ca;
	} cases[] = {
		{ "unknown CA", "localhost", { "DNS:localhost", 5, false }, false },
		{ "another name", "localhost", { "DNS:bank.example", 5, false }, true },
		{ "a name for an address", "127.0.0.1", { "DNS:127.0.0.1", 5, false }, true },
		{ "expired", "localhost", { "DNS:localhost", -1, false }, true },
		{ "TLS 1.1", "localhost", { "DNS:localhost", 5, true }, true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome out = send_to(cases[i].host, &cases[i].order, cases[i].trusts_ca, 1);
		if (out.ok || out.requests)
			fail_msg("%s: was sent", cases[i].what);
		assert_int_equal(out.reach, HTTP_NOT_SENT);
		assert_int_equal(out.err.code, ERR_OUTAGE);
		print_message("%s: %s\n", cases[i].what, out.err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_certificate_is_trusted_and_its_connection_kept),
		cmocka_unit_test(a_wrong_certificate_ends_it_before_a_byte_of_the_request),
	};
	return cmocka_run_group_tests(tests, http_begin, http_end);
}
