/*
 * form.c: what a text must look like to be an address, a host, a URL, a name. Pure; asks no
 * resolver: whether a host exists is found out by who calls it.
 */
#include "base/base.h"

#include <arpa/inet.h>

#include "config/form.h"

/* A number of at most five digits and nothing else. */
static bool parse_digits(struct span text, unsigned *ret)
{
	unsigned value = 0;

	if (text.n == 0 || text.n > 5)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		value = value * 10 + (unsigned)(text.p[i] - '0');
	}
	*ret = value;
	return true;
}

bool form_is_name(struct span text)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	for (size_t i = 0; i < text.n; i++)
		if (!memchr(set, text.p[i], sizeof(set) - 1))
			return false;
	return text.n <= 32;
}

bool form_is_address(struct span text)
{
	char buf[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (text.n == 0 || text.n >= sizeof(buf))
		return false;
	memcpy(buf, text.p, text.n);
	buf[text.n] = '\0';
	return inet_pton(AF_INET, buf, &addr) == 1 || inet_pton(AF_INET6, buf, &addr) == 1;
}

/* An address, or a network as "10.0.0.0/8". */
static bool is_network(struct span text)
{
	const char *slash = memchr(text.p, '/', text.n);
	struct span addr = { text.p, slash ? (size_t)(slash - text.p) : text.n };
	unsigned bits = 0;

	if (!form_is_address(addr))
		return false;
	if (!slash)
		return true;
	return parse_digits((struct span) { slash + 1, text.n - addr.n - 1 }, &bits) &&
	       bits <= (memchr(addr.p, ':', addr.n) ? 128 : 32);
}

static bool is_host_name(struct span text)
{
	if (text.n == 0 || text.n > 253 || text.p[0] == '-' || text.p[0] == '.')
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '.'))
			return false;
	}
	return true;
}

/* ":8443" */
static bool is_port(struct span text)
{
	unsigned number = 0;

	return text.n > 1 && text.p[0] == ':' &&
	       parse_digits((struct span) { text.p + 1, text.n - 1 }, &number) && number > 0 &&
	       number <= 65535;
}

/* "host", "host:port", "[::1]", "[::1]:port". */
static bool is_host(struct span text)
{
	bool in_brackets = text.n > 0 && text.p[0] == '[';
	const char *end = memchr(text.p, in_brackets ? ']' : ':', text.n);

	if (!end)
		return !in_brackets && is_host_name(text);
	struct span host = { text.p + in_brackets, (size_t)(end - text.p) - in_brackets };
	const char *after = end + in_brackets;
	struct span port = { after, text.n - (size_t)(after - text.p) };
	if (in_brackets)
		return form_is_address(host) && (port.n == 0 || is_port(port));
	return is_host_name(host) && is_port(port);
}

/* True when each of a comma list passes; white space is not part of the form. */
static bool is_list_of(struct span text, bool (*is_item)(struct span))
{
	while (true) {
		const char *comma = memchr(text.p, ',', text.n);
		struct span item = { text.p, comma ? (size_t)(comma - text.p) : text.n };

		if (!is_item(item))
			return false;
		if (!comma)
			return true;
		text = (struct span) { comma + 1, text.n - item.n - 1 };
	}
}

static bool has_scheme(struct span text, const char *scheme)
{
	size_t n = strlen(scheme);

	return text.n > n && strncasecmp(text.p, scheme, n) == 0;
}

bool form_is_url(struct span text)
{
	return (has_scheme(text, "https://") || has_scheme(text, "http://")) &&
	       !memchr(text.p, '@', text.n) && !memchr(text.p, '?', text.n) &&
	       !memchr(text.p, '#', text.n);
}

bool form_is_printable(struct span text, bool allow_space)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ||
		    (text.p[i] == ' ' && !allow_space))
			return false;
	return true;
}

bool form_is_network_list(struct span text)
{
	return is_list_of(text, is_network);
}

bool form_is_host_list(struct span text)
{
	return is_list_of(text, is_host);
}

bool form_is_redis_url(struct span text)
{
	return has_scheme(text, "redis://") || has_scheme(text, "rediss://") ||
	       has_scheme(text, "unix://");
}

bool form_is_pem(struct span text)
{
	static const char begin[] = "-----BEGIN ";

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c < ' ' && c != '\t' && c != '\n' && c != '\r')
			return false;
	}
	return memmem(text.p, text.n, begin, sizeof(begin) - 1) != NULL;
}
