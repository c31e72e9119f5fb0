/*
 * netvisor_auth.c: the headers of a Netvisor call: MAC (HMACSHA256), freshness, uniqueness of the
 * TransactionId (facts/netvisor.md §2).
 *
 * The MAC covers the URL byte for byte as the client sees it, so it is put together from the Host
 * header and the target of the request line, undecoded. Used TransactionIds are remembered as
 * digests in two generations, so that memory stays bounded under load.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "netvisor.h"

#define ID_BYTES 16
#define IDS_PER_GENERATION ((size_t)1 << 20)

const char nv_partner_id[] = "SAND_1001_1";
const char nv_partner_key[] = "5A4E44424F585041525445524B455931";

/* ---- used TransactionIds ------------------------------------------------------------------- */

struct id_set {
	size_t cap, n; /* cap is a power of two */
	unsigned char (*ids)[ID_BYTES]; /* all zero: free */
};

static void id_set_free(struct id_set *set)
{
	if (!set)
		return;
	mem_free(set->ids);
	mem_free(set);
}

static struct id_set *id_set_new(size_t cap)
{
	struct id_set *set = mem_alloc(sizeof(*set));
	if (!set)
		return NULL;
	set->cap = cap;
	set->ids = mem_alloc_array(cap, ID_BYTES);
	if (!set->ids) {
		id_set_free(set);
		return NULL;
	}
	return set;
}

static unsigned char *id_slot(const struct id_set *set, const unsigned char *id)
{
	static const unsigned char none[ID_BYTES];
	uint64_t h;
	memcpy(&h, id, sizeof(h));
	for (size_t i = h & (set->cap - 1);; i = (i + 1) & (set->cap - 1)) {
		unsigned char *slot = set->ids[i];
		if (memcmp(slot, id, ID_BYTES) == 0 || memcmp(slot, none, ID_BYTES) == 0)
			return slot;
	}
}

static bool id_set_has(const struct id_set *set, const unsigned char *id)
{
	return set && memcmp(id_slot(set, id), id, ID_BYTES) == 0;
}

static struct id_set *id_set_grown(struct id_set *set)
{
	struct id_set *bigger = id_set_new(set->cap * 2);
	if (!bigger)
		return set; /* fuller than we like, but right until it is full */
	for (size_t i = 0; i < set->cap; i++) {
		static const unsigned char none[ID_BYTES];
		if (memcmp(set->ids[i], none, ID_BYTES) != 0)
			memcpy(id_slot(bigger, set->ids[i]), set->ids[i], ID_BYTES);
	}
	bigger->n = set->n;
	id_set_free(set);
	return bigger;
}

/* True when the id is new; remembers it. */
static bool take_id(struct netvisor *nv, const char *text)
{
	unsigned char digest[SHA256_BYTES];
	sign_sha256(span_of(text), digest);
	digest[0] |= 1; /* never all zero */
	pthread_mutex_lock(&nv->ids_lock);
	if (!nv->ids)
		nv->ids = id_set_new(1024);
	if (nv->ids && nv->ids->n >= IDS_PER_GENERATION) {
		id_set_free(nv->old_ids);
		nv->old_ids = nv->ids;
		nv->ids = id_set_new(1024);
	}
	bool known = id_set_has(nv->ids, digest) || id_set_has(nv->old_ids, digest);
	if (!known && nv->ids) {
		if (nv->ids->n * 2 >= nv->ids->cap)
			nv->ids = id_set_grown(nv->ids);
		memcpy(id_slot(nv->ids, digest), digest, ID_BYTES);
		nv->ids->n++;
	}
	pthread_mutex_unlock(&nv->ids_lock);
	return !known;
}

void nv_ids_free(struct netvisor *nv)
{
	id_set_free(nv->ids);
	id_set_free(nv->old_ids);
}

/* ---- headers ------------------------------------------------------------------------------- */

enum nv_header {
	H_SENDER,
	H_CUSTOMER_ID,
	H_PARTNER_ID,
	H_TIMESTAMP,
	H_UNIX,
	H_TRANSACTION,
	H_LANGUAGE,
	H_ORGANISATION,
	H_ALGORITHM,
	H_MAC,
	N_HEADERS
};

static const char *const header_names[N_HEADERS] = {
	[H_SENDER] = "X-Netvisor-Authentication-Sender",
	[H_CUSTOMER_ID] = "X-Netvisor-Authentication-CustomerId",
	[H_PARTNER_ID] = "X-Netvisor-Authentication-PartnerId",
	[H_TIMESTAMP] = "X-Netvisor-Authentication-Timestamp",
	[H_UNIX] = "X-Netvisor-Authentication-TimestampUnix",
	[H_TRANSACTION] = "X-Netvisor-Authentication-TransactionId",
	[H_LANGUAGE] = "X-Netvisor-Interface-Language",
	[H_ORGANISATION] = "X-Netvisor-Organisation-ID",
	[H_ALGORITHM] = "X-Netvisor-Authentication-MACHashCalculationAlgorithm",
	[H_MAC] = "X-Netvisor-Authentication-MAC",
};

static bool refuse(struct nv_call *nc, const char *what)
{
	return nv_fail(nc, "AUTHENTICATION_FAILED", NV_TEXT_AUTHENTICATION, what);
}

static bool read_headers(struct nv_call *nc, const char *h[N_HEADERS])
{
	for (size_t i = 0; i < N_HEADERS; i++)
		h[i] = call_header(nc->c, header_names[i]);
	static const char *const codes[NV_LANGUAGES] = { "FI", "EN", "SE" };
	bool language_known = false;
	for (int i = 0; i < NV_LANGUAGES; i++) {
		if (h[H_LANGUAGE] && strcasecmp(h[H_LANGUAGE], codes[i]) == 0) {
			nc->language = (enum nv_language)i;
			language_known = true;
		}
	}
	const char *real = call_header(nc->c,
				       "X-Netvisor-Authentication-UseHTTPResponseStatusCodes");
	nc->real_status = real && strcmp(real, "1") == 0;
	for (size_t i = 0; i < N_HEADERS; i++) {
		if (!h[i] || !h[i][0])
			return refuse(nc, header_names[i]);
	}
	if (!language_known)
		return refuse(nc, header_names[H_LANGUAGE]);
	return true;
}

/* "YYYY-MM-DD HH:MM:SS.mmm" */
static bool parse_timestamp(const char *text, int64_t *ret_ms)
{
	char iso[32];
	if (strlen(text) != 23 || text[10] != ' ' || text[19] != '.')
		return false;
	snprintf(iso, sizeof(iso), "%.10sT%.12sZ", text, text + 11);
	return clock_parse_rfc3339(span_of(iso), ret_ms);
}

static bool check_time(struct nv_call *nc, const char *h[N_HEADERS])
{
	int64_t stamp_ms = 0;
	char *end;
	errno = 0;
	long long unix_s = strtoll(h[H_UNIX], &end, 10);
	int64_t now = clock_wall_ms();
	int64_t tolerance = nc->netvisor->clock_tolerance_s * 1000;
	bool ok = errno == 0 && *end == 0 && parse_timestamp(h[H_TIMESTAMP], &stamp_ms);
	if (ok && nc->netvisor->sb->options.netvisor_strict)
		ok = llabs(unix_s * 1000 - now) <= tolerance && llabs(stamp_ms - now) <= tolerance;
	if (ok)
		return true;
	return nv_fail(nc, "AUTHENTICATION_FAILED", NV_TEXT_TIMESTAMP, h[H_TIMESTAMP]);
}

static void join(struct strbuf *sb, const char *part)
{
	strbuf_addch(sb, '&');
	strbuf_addstr(sb, part);
}

static bool check_mac(struct nv_call *nc, const struct nv_org *org, const char *h[N_HEADERS])
{
	struct call *c = nc->c;
	struct strbuf message = STRBUF_INIT(c->arena, 65536);
	struct strbuf key = STRBUF_INIT(c->arena, 1024);
	const char *host = call_header(c, "Host");
	strbuf_addstr(&message, "http://");
	strbuf_addstr(&message, host ? host : "");
	strbuf_addstr(&message, c->target);
	join(&message, h[H_SENDER]);
	join(&message, h[H_CUSTOMER_ID]);
	join(&message, h[H_TIMESTAMP]);
	join(&message, h[H_LANGUAGE]);
	join(&message, h[H_ORGANISATION]);
	join(&message, h[H_TRANSACTION]);
	join(&message, h[H_UNIX]);
	join(&message, org->customer_key);
	join(&message, nv_partner_key);
	strbuf_addstr(&key, org->customer_key);
	join(&key, nv_partner_key);
	unsigned char mac[SHA256_BYTES];
	char hex[SHA256_BYTES * 2 + 1];
	if (message.failed || key.failed ||
	    !sign_hmac_sha256(strbuf_span(&key), strbuf_span(&message), mac))
		return refuse(nc, header_names[H_MAC]);
	sign_hex(mac, sizeof(mac), hex);
	return strcasecmp(hex, h[H_MAC]) == 0 ? true : refuse(nc, header_names[H_MAC]);
}

bool nv_authenticate(struct nv_call *nc)
{
	const char *h[N_HEADERS];
	if (!read_headers(nc, h))
		return false;
	if (strcasecmp(h[H_ALGORITHM], "HMACSHA256") != 0)
		return refuse(nc, header_names[H_ALGORITHM]);
	struct nv_org *org = nv_find_org(nc->netvisor, h[H_ORGANISATION]);
	if (!org || strcmp(org->business_id, h[H_ORGANISATION]) != 0)
		return refuse(nc, header_names[H_ORGANISATION]);
	if (strcmp(h[H_PARTNER_ID], nv_partner_id) != 0 ||
	    strcmp(h[H_CUSTOMER_ID], org->customer_id) != 0)
		return refuse(nc, header_names[H_CUSTOMER_ID]);
	if (!check_mac(nc, org, h) || !check_time(nc, h))
		return false;
	if (!take_id(nc->netvisor, h[H_TRANSACTION]))
		return nv_fail(nc, "REQUEST_NOT_UNIQUE", NV_TEXT_NOT_UNIQUE, h[H_TRANSACTION]);
	nc->org = org;
	return true;
}
