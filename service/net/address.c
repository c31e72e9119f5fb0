/*
 * address.c: see address.h. Two tables of prefixes, from the IANA special-purpose address
 * registries; the first match decides, no match is public.
 */
#include "base/base.h"

#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

struct v4_range {
	uint32_t base;
	unsigned bits;
	enum address_kind kind;
};

#define V4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static const struct v4_range v4_ranges[] = {
	{ V4(127, 0, 0, 0), 8, ADDRESS_LOOPBACK },
	{ V4(10, 0, 0, 0), 8, ADDRESS_PRIVATE },
	{ V4(172, 16, 0, 0), 12, ADDRESS_PRIVATE },
	{ V4(192, 168, 0, 0), 16, ADDRESS_PRIVATE },
	{ V4(100, 64, 0, 0), 10, ADDRESS_PRIVATE }, /* carrier-grade NAT */
	{ V4(0, 0, 0, 0), 8, ADDRESS_FORBIDDEN }, /* Linux connects 0.0.0.0 to itself */
	{ V4(169, 254, 0, 0), 16, ADDRESS_LINK_LOCAL },
	{ V4(168, 63, 129, 16), 32, ADDRESS_LINK_LOCAL }, /* Azure's metadata, in public space */
	{ V4(192, 0, 0, 0), 24, ADDRESS_FORBIDDEN },
	{ V4(192, 0, 2, 0), 24,
	  ADDRESS_FORBIDDEN }, /* documentation, as the next two "TEST-NET"s */
	{ V4(198, 51, 100, 0), 24, ADDRESS_FORBIDDEN },
	{ V4(203, 0, 113, 0), 24, ADDRESS_FORBIDDEN },
	{ V4(192, 88, 99, 0), 24, ADDRESS_FORBIDDEN }, /* 6to4 relay anycast */
	{ V4(198, 18, 0, 0), 15, ADDRESS_FORBIDDEN }, /* benchmarking */
	{ V4(224, 0, 0, 0), 3, ADDRESS_FORBIDDEN }, /* multicast, reserved, broadcast */
};

struct v6_range {
	uint8_t base[16];
	unsigned bits;
	int v4_at; /* the IPv4 address starts at this byte and decides; -1: kind decides */
	enum address_kind kind;
};

static const struct v6_range v6_ranges[] = {
	{ { [15] = 1 }, 128, -1, ADDRESS_LOOPBACK },
	{ { 0 }, 128, -1, ADDRESS_FORBIDDEN }, /* unspecified */
	{ { [10] = 0xff, 0xff }, 96, 12, ADDRESS_FORBIDDEN }, /* mapped */
	{ { 0 }, 96, 12, ADDRESS_FORBIDDEN }, /* compatible (deprecated) */
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, 12, ADDRESS_FORBIDDEN }, /* NAT64 */
	{ { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48, -1, ADDRESS_FORBIDDEN }, /* local NAT64 */
	{ { 0x20, 0x02 }, 16, 2, ADDRESS_FORBIDDEN }, /* 6to4 */
	{ { 0x20, 0x01 }, 23, -1, ADDRESS_FORBIDDEN }, /* protocol assignments, Teredo */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, -1, ADDRESS_FORBIDDEN }, /* documentation */
	{ { 0xfc }, 7, -1, ADDRESS_PRIVATE }, /* unique local */
	{ { 0xfe, 0x80 }, 10, -1, ADDRESS_LINK_LOCAL },
	{ { 0xfe, 0xc0 }, 10, -1, ADDRESS_PRIVATE }, /* site-local (deprecated) */
};

static bool has_prefix(const uint8_t *address, const uint8_t *base, unsigned bits)
{
	if (memcmp(address, base, bits / 8) != 0)
		return false;
	unsigned rest = bits % 8;
	return rest == 0 || (address[bits / 8] ^ base[bits / 8]) >> (8 - rest) == 0;
}

static enum address_kind v4_kind(uint32_t address)
{
	for (size_t i = 0; i < ARRAY_SIZE(v4_ranges); i++)
		if ((address ^ v4_ranges[i].base) >> (32 - v4_ranges[i].bits) == 0)
			return v4_ranges[i].kind;
	return ADDRESS_PUBLIC;
}

static enum address_kind v6_kind(const uint8_t address[16])
{
	for (size_t i = 0; i < ARRAY_SIZE(v6_ranges); i++) {
		const struct v6_range *r = &v6_ranges[i];
		if (!has_prefix(address, r->base, r->bits))
			continue;
		const uint8_t *v4 = address + r->v4_at;
		return r->v4_at < 0 ? r->kind : v4_kind(V4(v4[0], v4[1], v4[2], v4[3]));
	}
	/* Global unicast is 2000::/3; multicast and the unassigned rest are not for us. */
	return address[0] >> 5 == 1 ? ADDRESS_PUBLIC : ADDRESS_FORBIDDEN;
}

enum address_kind address_kind(const struct sockaddr *sa, socklen_t len)
{
	if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof(in));
		return v4_kind(ntohl(in.sin_addr.s_addr));
	}
	if (sa->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof(in6));
		return v6_kind(in6.sin6_addr.s6_addr);
	}
	return ADDRESS_FORBIDDEN;
}
