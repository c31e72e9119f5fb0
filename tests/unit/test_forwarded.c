/* The client's address behind proxies: what is believed, and what a client may claim in vain. */
#include "base/base.h"

#include <setjmp.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "base/alloc.h"
#include "http/forwarded.h"

static void client_of(const char *trusted, const char *peer, const char *chain,
		      char ret[ADDRESS_TEXT_MAX])
{
	struct sockaddr_storage sa = { .ss_family = AF_INET };
	struct trusted *t = NULL;
	struct err err = ERR_INIT;
	if (inet_pton(AF_INET, peer, &((struct sockaddr_in *)&sa)->sin_addr) != 1) {
		sa.ss_family = AF_INET6;
		assert_int_equal(
			inet_pton(AF_INET6, peer, &((struct sockaddr_in6 *)&sa)->sin6_addr), 1);
	}
	assert_true(trusted_new(trusted, &t, &err));
	forwarded_client(t, (struct sockaddr *)&sa, span_of(chain), ret);
	trusted_free(t);
}

static void the_rightmost_untrusted_is_the_client(void **state)
{
	(void)state;
	static const struct {
		const char *trusted, *peer, *chain, *client;
	} cases[] = {
		/* nobody is trusted: a header is a claim */
		{ "", "192.0.2.1", "", "192.0.2.1" },
		{ "", "192.0.2.1", "10.0.0.1", "192.0.2.1" },
		/* the peer is no proxy of ours */
		{ "10.0.0.0/8", "192.0.2.1", "198.51.100.7", "192.0.2.1" },
		/* it is, and says who asked */
		{ "10.0.0.0/8", "10.1.2.3", "198.51.100.7", "198.51.100.7" },
		{ "10.0.0.0/8", "10.1.2.3", "", "10.1.2.3" },
		/* what the client wrote itself stands to the left, and is not believed */
		{ "10.0.0.0/8", "10.1.2.3", "127.0.0.1, 198.51.100.7", "198.51.100.7" },
		{ "10.0.0.0/8", "10.1.2.3", "1.1.1.1, 198.51.100.7, 10.9.9.9", "198.51.100.7" },
		/* proxies all the way: the farthest */
		{ "10.0.0.0/8", "10.1.2.3", "10.4.4.4,10.5.5.5", "10.4.4.4" },
		/* networks to the bit, several of them, both families */
		{ "192.0.2.64/26", "192.0.2.65", "198.51.100.7", "198.51.100.7" },
		{ "192.0.2.64/26", "192.0.2.128", "198.51.100.7", "192.0.2.128" },
		{ "0.0.0.0/0", "192.0.2.1", "2001:db8::1", "2001:db8::1" },
		{ "::1,10.0.0.0/8", "::1", "198.51.100.7", "198.51.100.7" },
		{ "2001:db8::/33", "2001:db8:7fff::1", "198.51.100.7", "198.51.100.7" },
		{ "2001:db8::/33", "2001:db8:8000::1", "198.51.100.7", "2001:db8:8000::1" },
		{ "10.0.0.1", "::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7" },
		{ "10.0.0.1", "::ffff:10.0.0.2", "198.51.100.7", "10.0.0.2" },
		/* with ports, as some proxies write them */
		{ "10.0.0.1", "10.0.0.1", "198.51.100.7:50000", "198.51.100.7" },
		{ "10.0.0.1", "10.0.0.1", "[2001:db8::1]:50000", "2001:db8::1" },
		{ "10.0.0.1", "10.0.0.1", "2001:db8::1", "2001:db8::1" },
		{ "10.0.0.1", "10.0.0.1", " \t198.51.100.7\t ", "198.51.100.7" },
		/* no address: what was known by then */
		{ "10.0.0.0/8", "10.0.0.1", "unknown", "10.0.0.1" },
		{ "10.0.0.0/8", "10.0.0.1", "198.51.100.7, _hidden, 10.0.0.9", "10.0.0.9" },
		{ "10.0.0.0/8", "10.0.0.1", ",,", "10.0.0.1" },
		{ "10.0.0.0/8", "10.0.0.1", "198.51.100.7,", "10.0.0.1" },
		{ "10.0.0.0/8", "10.0.0.1", "[", "10.0.0.1" },
		{ "10.0.0.0/8", "10.0.0.1", "198.51.100.777", "10.0.0.1" },
		{ "10.0.0.0/8", "10.0.0.1",
		  "1111111111111111111111111111111111111111111111111111111111111111", "10.0.0.1" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char got[ADDRESS_TEXT_MAX];
		client_of(cases[i].trusted, cases[i].peer, cases[i].chain, got);
		if (strcmp(got, cases[i].client) != 0)
			fail_msg("case %zu: %s, not %s", i, got, cases[i].client);
	}
}

static void a_list_that_is_none_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "x", "10.0.0.0/8,", "10.0.0.0/33", "::/129", ",::1" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct trusted *t = NULL;
		struct err err = ERR_INIT;
		assert_false(trusted_new(bad[i], &t, &err));
		assert_int_equal(err.code, ERR_INPUT);
	}
}

static void without_a_peer_there_is_no_client(void **state)
{
	(void)state;
	struct trusted *t = NULL;
	struct sockaddr local = { .sa_family = AF_UNIX };
	char got[ADDRESS_TEXT_MAX];
	assert_true(trusted_new("0.0.0.0/0", &t, NULL));
	forwarded_client(t, NULL, SPAN_LIT("198.51.100.7"), got);
	assert_string_equal(got, "");
	forwarded_client(t, &local, SPAN_LIT("198.51.100.7"), got);
	assert_string_equal(got, "");
	trusted_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rightmost_untrusted_is_the_client),
		cmocka_unit_test(a_list_that_is_none_is_refused),
		cmocka_unit_test(without_a_peer_there_is_no_client),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
