/*
 * redis_tls.c: TLS to Redis, in a build whose hiredis has it (libhiredis_ssl, 1.0 and later; the
 * Makefile asks pkg-config). Guarantees that the certificate chain and the host name are verified:
 * hiredis's own set-up checks the chain alone, so the OpenSSL object is made here and handed over.
 * Without libhiredis_ssl a rediss:// URL is refused in one clear sentence.
 */
#include "base/base.h"
#include "redis_internal.h"

#ifdef HAVE_HIREDIS_SSL

#include "base/alloc.h"

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct redis_tls {
	SSL_CTX *ctx;
};

static bool tls_err(struct err *err, enum err_code code, const char *what)
{
	char text[160];
	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	return err_set(err, code, "Redis TLS: %s: %s", what, text);
}

bool redis_tls_new(struct redis_tls **ret, struct err *err)
{
	CLEANUP(redis_tls_free) struct redis_tls *tls = mem_alloc(sizeof(*tls));
	if (!tls)
		return err_set(err, ERR_MEMORY, "out of memory");
	tls->ctx = SSL_CTX_new(TLS_client_method());
	if (!tls->ctx || !SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION) ||
	    !SSL_CTX_set_default_verify_paths(tls->ctx))
		return tls_err(err, ERR_SYSTEM, "set-up");
	SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
	*ret = tls;
	tls = NULL;
	return true;
}

void redis_tls_free(struct redis_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	mem_free(tls);
}

/* The name or address that the certificate must carry. */
static bool expect_host(SSL *ssl, const char *host)
{
	unsigned char binary[sizeof(struct in6_addr)];
	if (inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

bool redis_tls_start(struct redis_tls *tls, redisContext *ctx, const char *host, struct err *err)
{
	SSL *ssl = SSL_new(tls->ctx);
	if (!ssl)
		return tls_err(err, ERR_MEMORY, "set-up");
	if (!expect_host(ssl, host)) {
		SSL_free(ssl);
		return tls_err(err, ERR_SYSTEM, "host name");
	}
	/* On success the connection owns ssl; on failure it is ours still. */
	if (redisInitiateSSL(ctx, ssl) != REDIS_OK) {
		SSL_free(ssl);
		return err_set(err, ERR_OUTAGE, "Redis TLS: %s", ctx->errstr);
	}
	return true;
}

#else

bool redis_tls_new(struct redis_tls **ret, struct err *err)
{
	(void)ret;
	return err_set(err, ERR_INPUT,
		       "Redis URL: rediss:// needs hiredis 1.0 or later with TLS; this build has "
		       "%d.%d.%d without",
		       HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
}

void redis_tls_free(struct redis_tls *tls)
{
	assert(!tls);
}

bool redis_tls_start(struct redis_tls *tls, redisContext *ctx, const char *host, struct err *err)
{
	(void)tls;
	(void)ctx;
	return err_set(err, ERR_INPUT, "Redis TLS to %s: not in this build", host);
}

#endif
