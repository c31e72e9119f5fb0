/*
 * auth.c: the headers of a Netvisor call and their MAC (facts/netvisor.md §2; HMACSHA256 only). The
 * URL is signed byte for byte as it is sent; TransactionId, time stamp and MAC are new for every
 * call, retries too. The message that is signed holds both keys: it is wiped with the arena and
 * never logged.
 */
#include "base/base.h"
#include "netvisor_internal.h"

#include "base/clock.h"
#include "codec/sign.h"

bool netvisor_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		   struct netvisor *ret, struct err *err)
{
	*ret = (struct netvisor) {
		.at = at,
		.base_url = json_text_or(settings, "netvisor.url",
					 netvisor_options(at->systems)->url),
		.sender = json_text_or(credentials, "sender", "Viesti"),
		.customer_id = json_text_or(credentials, "customer_id", ""),
		.customer_key = json_text_or(credentials, "customer_key", ""),
		.partner_id = json_text_or(credentials, "partner_id", ""),
		.partner_key = json_text_or(credentials, "partner_key", ""),
		.organisation = json_text_or(credentials, "organisation_id", ""),
		.language = json_text_or(credentials, "language", "EN"),
	};
	if (str_eq(json_str(json_at(settings, "netvisor.encoding")), "iso-8859-15"))
		ret->encoding = XML_ISO_8859_15;
	if (!ret->customer_id[0] || !ret->customer_key[0] || !ret->partner_id[0] ||
	    !ret->partner_key[0] || !ret->organisation[0])
		return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Netvisor",
				  "Netvisor keys or organisation id are missing");
	ret->limit_key = arena_printf(at->arena, "netvisor:%s", ret->organisation);
	return ret->limit_key ? true : err_set(err, ERR_LIMIT, "arena full");
}

bool netvisor_mac(const struct netvisor_mac *m, char ret[65], struct err *err)
{
	const char *const texts[] = {
		m->url,		 m->sender,	  m->customer_id,    m->timestamp,
		m->language,	 m->organisation, m->transaction_id, m->timestamp_unix,
		m->customer_key, m->partner_key
	};
	struct span parts[2 * ARRAY_SIZE(texts)];
	unsigned char digest[SHA256_BYTES];
	char key[512];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (i)
			parts[n++] = SPAN_LIT("&");
		parts[n++] = span_of(texts[i]);
	}
	int key_n = snprintf(key, sizeof(key), "%s&%s", m->customer_key, m->partner_key);
	bool ok = key_n > 0 && (size_t)key_n < sizeof(key) &&
		  sign_hmac_sha256_parts((struct span) { key, (size_t)key_n }, parts, n, digest);
	secret_wipe(key, sizeof(key));
	if (!ok)
		return err_set(err, ERR_CREDENTIALS, "Netvisor keys are too long");
	sign_hex(digest, sizeof(digest), ret);
	return true;
}

/* "2026-02-01 06:15:30.000" from "2026-02-01T06:15:30.000Z". */
static char *timestamp(struct arena *arena, int64_t now_ms)
{
	char buf[CLOCK_RFC3339_MAX];
	char *ret = arena_strdup(arena, clock_rfc3339(now_ms, buf));
	if (ret) {
		ret[10] = ' ';
		ret[strcspn(ret, "Z")] = 0;
	}
	return ret;
}

bool netvisor_sign(struct netvisor *nv, const char *url, struct http_header ret[NETVISOR_HEADERS],
		   size_t *ret_n, struct err *err)
{
	struct arena *arena = nv->at->arena;
	int64_t now_ms = clock_wall_ms();
	char uuid[UUID_TEXT];
	sign_uuid4(uuid);
	char *mac = arena_alloc(arena, 65);
	char *id = arena_strdup(arena, uuid);
	char *time_text = timestamp(arena, now_ms);
	char *unix_text = arena_printf(arena, "%" PRId64, now_ms / 1000);
	if (!mac || !id || !time_text || !unix_text)
		return err_set(err, ERR_LIMIT, "arena full");
	struct netvisor_mac m = {
		url, nv->sender, nv->customer_id,  time_text,	   nv->language, nv->organisation,
		id,  unix_text,	 nv->customer_key, nv->partner_key
	};
	if (!netvisor_mac(&m, mac, err))
		return false;
	const struct http_header headers[] = {
		{ "X-Netvisor-Authentication-Sender", nv->sender },
		{ "X-Netvisor-Authentication-CustomerId", nv->customer_id },
		{ "X-Netvisor-Authentication-PartnerId", nv->partner_id },
		{ "X-Netvisor-Authentication-Timestamp", time_text },
		{ "X-Netvisor-Authentication-TimestampUnix", unix_text },
		{ "X-Netvisor-Authentication-TransactionId", id },
		{ "X-Netvisor-Interface-Language", nv->language },
		{ "X-Netvisor-Organisation-ID", nv->organisation },
		{ "X-Netvisor-Authentication-MACHashCalculationAlgorithm", "HMACSHA256" },
		{ "X-Netvisor-Authentication-UseHTTPResponseStatusCodes", "1" },
		{ "X-Netvisor-Authentication-MAC", mac },
		{ "Content-Type", nv->encoding == XML_ISO_8859_15 ? "text/xml; charset=iso-8859-15"
								  : "text/xml; charset=utf-8" },
	};
	memcpy(ret, headers, sizeof(headers));
	*ret_n = ARRAY_SIZE(headers);
	return true;
}
