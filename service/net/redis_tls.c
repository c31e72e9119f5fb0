/*
 * redis_tls.c: TLS to Redis, in a build whose hiredis has it (libhiredis_ssl, 1.0 and later; the
 * Makefile asks pkg-config). Guarantees that the certificate chain and the host name are verified:
 * hiredis's own set-up checks the chain alone, so the OpenSSL object is made here and handed over.
 * Without libhiredis_ssl a rediss:// URL is refused in one clear sentence.
 */
#include "base/base.h"
#include "redis_internal.h"

#define TEXT_OF_NUMBER(n) #n
#define TEXT_OF(n) TEXT_OF_NUMBER(n)
#define LIBRARY \
	"hiredis " TEXT_OF(HIREDIS_MAJOR) "." TEXT_OF(HIREDIS_MINOR) "." TEXT_OF(HIREDIS_PATCH)

#ifdef HAVE_HIREDIS_SSL

#include "base/alloc.h"

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

CLEANUP_FUNC(BIO, BIO_free_all)
CLEANUP_FUNC(X509, X509_free)
CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)

struct redis_tls {
	SSL_CTX *ctx;
};

const char *redis_library(void)
{
	return LIBRARY ", with TLS";
}

static bool tls_err(struct err *err, enum err_code code, const char *what)
{
	char text[160];
	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	return err_set(err, code, "Redis TLS: %s: %s", what, text);
}

/* Instead of OpenSSL's own, which would ask at the terminal. */
static int no_passphrase(char *buf, int size, int is_writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)ctx;
	return -1;
}

/* Whoever signs Redis's certificate: those given, and then nobody else. */
static bool trust(SSL_CTX *ctx, const char *ca, struct err *err)
{
	if (!ca)
		return SSL_CTX_set_default_verify_paths(ctx) == 1 ||
		       tls_err(err, ERR_SYSTEM, "certificates of the system");
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(ca, -1);
	size_t n = 0;
	for (; bio; n++) {
		CLEANUP(X509_free) X509 *cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (!cert)
			break;
		if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert) != 1)
			return tls_err(err, ERR_INPUT, "CA certificate");
	}
	if (n == 0)
		return tls_err(err, ERR_INPUT, "CA certificate");
	ERR_clear_error(); /* of the end of the text */
	return true;
}

/* Our certificate, then those between it and a root. */
static bool show_cert(SSL_CTX *ctx, const char *text, struct err *err)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(text, -1);
	for (size_t n = 0; bio; n++) {
		CLEANUP(X509_free) X509 *cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (!cert && n > 0) {
			ERR_clear_error(); /* of the end of the text */
			return true;
		}
		if (!cert || (n == 0 ? SSL_CTX_use_certificate(ctx, cert)
				     : SSL_CTX_add1_chain_cert(ctx, cert)) != 1)
			break;
	}
	return tls_err(err, ERR_INPUT, "client certificate");
}

/* OpenSSL refuses a key that is not the certificate's. */
static bool show_key(SSL_CTX *ctx, const char *text, struct err *err)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(text, -1);
	CLEANUP(EVP_PKEY_free)
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	return (key && SSL_CTX_use_PrivateKey(ctx, key) == 1) ||
	       tls_err(err, ERR_INPUT, "key of the client certificate");
}

bool redis_tls_new(const struct redis_options *opt, struct redis_tls **ret, struct err *err)
{
	CLEANUP(redis_tls_free) struct redis_tls *tls = mem_alloc(sizeof(*tls));
	if (!tls)
		return err_set(err, ERR_MEMORY, "out of memory");
	tls->ctx = SSL_CTX_new(TLS_client_method());
	if (!tls->ctx || !SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION))
		return tls_err(err, ERR_SYSTEM, "set-up");
	SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
	if (!trust(tls->ctx, opt->ca, err) || (opt->cert && !show_cert(tls->ctx, opt->cert, err)) ||
	    (opt->cert_key && !show_key(tls->ctx, opt->cert_key, err)))
		return false;
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
		long verdict = SSL_get_verify_result(ssl);
		SSL_free(ssl);
		ERR_clear_error();
		if (verdict != X509_V_OK)
			return err_set(err, ERR_CREDENTIALS, "Redis TLS: certificate of %s: %s",
				       host, X509_verify_cert_error_string(verdict));
		return err_set(err, ERR_OUTAGE, "Redis TLS: %s: %s", host, ctx->errstr);
	}
	return true;
}

#else

const char *redis_library(void)
{
	return LIBRARY ", without TLS";
}

bool redis_tls_new(const struct redis_options *opt, struct redis_tls **ret, struct err *err)
{
	(void)opt;
	(void)ret;
	return err_set(
		err, ERR_INPUT,
		"Redis URL: rediss:// needs hiredis 1.0 or later with TLS (Debian 13 has it); "
		"this build has %s",
		redis_library());
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
