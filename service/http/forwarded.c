/*
 * forwarded.c: the client's address behind reverse proxies. Guarantees that a client cannot give
 * itself another address: only what a trusted proxy has written is believed, and a chain is read
 * from its right end. Every address is held as IPv6 (IPv4 mapped), so that there is one comparison.
 */
#include "base/base.h"

#include "forwarded.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/alloc.h"

#define ADDRESS_BYTES 16
#define V4_AT 12 /* where an IPv4 address begins in a mapped one */

struct network {
	uint8_t base[ADDRESS_BYTES];
	unsigned bits;
};

struct trusted {
	size_t n;
	struct network nets[];
};

static void map_v4(const void *v4, uint8_t ret[ADDRESS_BYTES])
{
	memset(ret, 0, V4_AT - 2);
	memset(ret + V4_AT - 2, 0xff, 2);
	memcpy(ret + V4_AT, v4, 4);
}

static bool is_v4(const uint8_t a[ADDRESS_BYTES])
{
	static const uint8_t prefix[V4_AT] = { [10] = 0xff, [11] = 0xff };
	return memcmp(a, prefix, V4_AT) == 0;
}

static bool parse_address(struct span text, uint8_t ret[ADDRESS_BYTES])
{
	char buf[ADDRESS_TEXT_MAX];
	struct in_addr v4;
	if (text.n == 0 || text.n >= sizeof(buf))
		return false;
	memcpy(buf, text.p, text.n);
	buf[text.n] = '\0';
	if (inet_pton(AF_INET, buf, &v4) == 1) {
		map_v4(&v4, ret);
		return true;
	}
	return inet_pton(AF_INET6, buf, ret) == 1;
}

/* "192.0.2.1", "192.0.2.1:50000", "2001:db8::1", "[2001:db8::1]:50000". */
static bool parse_hop(struct span text, uint8_t ret[ADDRESS_BYTES])
{
	if (text.n && text.p[0] == '[') {
		const char *end = memchr(text.p, ']', text.n);
		return end &&
		       parse_address((struct span) { text.p + 1, (size_t)(end - text.p) - 1 }, ret);
	}
	const char *colon = memchr(text.p, ':', text.n);
	if (colon && memrchr(text.p, ':', text.n) == colon)
		text.n = (size_t)(colon - text.p);
	return parse_address(text, ret);
}

static bool parse_network(struct span text, struct network *ret)
{
	const char *slash = memchr(text.p, '/', text.n);
	struct span addr = { text.p, slash ? (size_t)(slash - text.p) : text.n };
	if (!parse_address(addr, ret->base))
		return false;
	bool v4 = is_v4(ret->base) && !memchr(addr.p, ':', addr.n);
	ret->bits = 8 * ADDRESS_BYTES;
	if (slash)
		ret->bits = (unsigned)strtoul(slash + 1, NULL, 10) + (v4 ? 8 * V4_AT : 0);
	return ret->bits <= 8 * ADDRESS_BYTES;
}

bool trusted_new(const char *list, struct trusted **ret, struct err *err)
{
	size_t n = *list ? 1 : 0;
	for (const char *p = list; (p = strchr(p, ',')); p++)
		n++;
	struct trusted *t = mem_alloc(sizeof(*t) + n * sizeof(t->nets[0]));
	if (!t)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (const char *p = list; t->n < n; p++) {
		struct span item = { p, strcspn(p, ",") };
		if (!parse_network(item, &t->nets[t->n])) {
			mem_free(t);
			return err_set(err, ERR_INPUT, "%.*s is no address or network", (int)item.n,
				       item.p);
		}
		t->n++;
		p += item.n;
	}
	*ret = t;
	return true;
}

void trusted_free(struct trusted *t)
{
	mem_free(t);
}

static bool is_in(const struct network *net, const uint8_t a[ADDRESS_BYTES])
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;
	if (memcmp(net->base, a, whole) != 0)
		return false;
	return rest == 0 || (net->base[whole] ^ a[whole]) >> (8 - rest) == 0;
}

static bool is_trusted(const struct trusted *t, const uint8_t a[ADDRESS_BYTES])
{
	for (size_t i = 0; i < t->n; i++)
		if (is_in(&t->nets[i], a))
			return true;
	return false;
}

static bool peer_address(const struct sockaddr *peer, uint8_t ret[ADDRESS_BYTES])
{
	if (peer && peer->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, peer, sizeof(in));
		map_v4(&in.sin_addr, ret);
		return true;
	}
	if (!peer || peer->sa_family != AF_INET6)
		return false;
	struct sockaddr_in6 in6;
	memcpy(&in6, peer, sizeof(in6));
	memcpy(ret, &in6.sin6_addr, ADDRESS_BYTES);
	return true;
}

static struct span trimmed(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (struct span) { p, (size_t)(end - p) };
}

void forwarded_client(const struct trusted *t, const struct sockaddr *peer, struct span chain,
		      char ret[ADDRESS_TEXT_MAX])
{
	uint8_t at[ADDRESS_BYTES], before[ADDRESS_BYTES];
	ret[0] = '\0';
	if (!peer_address(peer, at))
		return;
	while (chain.n && is_trusted(t, at)) {
		const char *comma = memrchr(chain.p, ',', chain.n);
		const char *from = comma ? comma + 1 : chain.p;
		if (!parse_hop(trimmed(from, chain.p + chain.n), before))
			break;
		memcpy(at, before, sizeof(at));
		chain.n = comma ? (size_t)(comma - chain.p) : 0;
	}
	if (is_v4(at))
		(void)inet_ntop(AF_INET, at + V4_AT, ret, ADDRESS_TEXT_MAX); /* always fits */
	else
		(void)inet_ntop(AF_INET6, at, ret, ADDRESS_TEXT_MAX);
}
