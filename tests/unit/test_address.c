/* test_address.c: which addresses are public, inner or never a server, IPv4 in IPv6 included. */
#include "base/base.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>

#include <cmocka.h>

#include "net/address.h"

static const struct {
	const char *text;
	enum address_kind want;
} table[] = {
	{ "8.8.8.8", ADDRESS_PUBLIC },
	{ "172.15.255.255", ADDRESS_PUBLIC },
	{ "172.32.0.0", ADDRESS_PUBLIC },
	{ "100.63.255.255", ADDRESS_PUBLIC },
	{ "100.128.0.0", ADDRESS_PUBLIC },
	{ "223.255.255.255", ADDRESS_PUBLIC },
	{ "2a00:1450:4010::1", ADDRESS_PUBLIC },
	{ "::ffff:8.8.8.8", ADDRESS_PUBLIC },
	{ "64:ff9b::8.8.8.8", ADDRESS_PUBLIC },
	{ "127.0.0.1", ADDRESS_LOOPBACK },
	{ "127.255.255.255", ADDRESS_LOOPBACK },
	{ "::1", ADDRESS_LOOPBACK },
	{ "::ffff:127.0.0.1", ADDRESS_LOOPBACK },
	{ "::127.0.0.1", ADDRESS_LOOPBACK },
	{ "64:ff9b::127.0.0.1", ADDRESS_LOOPBACK },
	{ "2002:7f00:1::", ADDRESS_LOOPBACK },
	{ "10.0.0.0", ADDRESS_PRIVATE },
	{ "172.16.0.1", ADDRESS_PRIVATE },
	{ "172.31.255.255", ADDRESS_PRIVATE },
	{ "192.168.1.1", ADDRESS_PRIVATE },
	{ "100.64.0.1", ADDRESS_PRIVATE },
	{ "::ffff:192.168.1.1", ADDRESS_PRIVATE },
	{ "2002:a00:1::5", ADDRESS_PRIVATE },
	{ "fc00::1", ADDRESS_PRIVATE },
	{ "fdff::1", ADDRESS_PRIVATE },
	{ "fec0::1", ADDRESS_PRIVATE },
	{ "169.254.169.254", ADDRESS_LINK_LOCAL },
	{ "168.63.129.16", ADDRESS_LINK_LOCAL },
	{ "::ffff:169.254.169.254", ADDRESS_LINK_LOCAL },
	{ "fe80::1", ADDRESS_LINK_LOCAL },
	{ "febf::1", ADDRESS_LINK_LOCAL },
	{ "0.0.0.0", ADDRESS_FORBIDDEN },
	{ "0.1.2.3", ADDRESS_FORBIDDEN },
	{ "224.0.0.1", ADDRESS_FORBIDDEN },
	{ "240.0.0.1", ADDRESS_FORBIDDEN },
	{ "255.255.255.255", ADDRESS_FORBIDDEN },
	{ "192.0.2.1", ADDRESS_FORBIDDEN },
	{ "198.19.255.255", ADDRESS_FORBIDDEN },
	{ "::", ADDRESS_FORBIDDEN },
	{ "::ffff:0.0.0.0", ADDRESS_FORBIDDEN },
	{ "ff02::1", ADDRESS_FORBIDDEN },
	{ "2001:0:1::1", ADDRESS_FORBIDDEN },
	{ "2001:db8::1", ADDRESS_FORBIDDEN },
	{ "64:ff9b:1::1", ADDRESS_FORBIDDEN },
	{ "4000::1", ADDRESS_FORBIDDEN },
};

static void every_range_is_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct sockaddr_in v4 = { .sin_family = AF_INET };
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
		enum address_kind kind = ADDRESS_FORBIDDEN;
		if (inet_pton(AF_INET, table[i].text, &v4.sin_addr) == 1)
			kind = address_kind((struct sockaddr *)&v4, sizeof(v4));
		else if (inet_pton(AF_INET6, table[i].text, &v6.sin6_addr) == 1)
			kind = address_kind((struct sockaddr *)&v6, sizeof(v6));
		else
			fail_msg("%s is no address", table[i].text);
		if (kind != table[i].want)
			fail_msg("%s: %d", table[i].text, kind);
	}
}

static void another_family_is_never_a_server(void **state)
{
	(void)state;
	struct sockaddr_in sa = { .sin_family = AF_UNIX };
	assert_int_equal(address_kind((struct sockaddr *)&sa, sizeof(sa)), ADDRESS_FORBIDDEN);
	sa.sin_family = AF_INET;
	assert_int_equal(address_kind((struct sockaddr *)&sa, 4), ADDRESS_FORBIDDEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_range_is_known),
		cmocka_unit_test(another_family_is_never_a_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
