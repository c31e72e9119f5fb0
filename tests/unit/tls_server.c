/* tls_server.c: see tls_server.h. Keys are made anew each time; nothing secret is in the
 * repository. */
#include "base/base.h"
#include "tls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#define DAY_S 86400L

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = ext && X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	return ok;
}

/* A certificate for key, signed by the issuer; by itself when there is none. */
static X509 *make_cert(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const char *names,
		       int days)
{
	X509 *cert = X509_new();
	X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;
	const char *cn = issuer ? "test server" : "test CA";
	bool ok = name && X509_set_version(cert, 2) &&
		  ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer ? 2 : 1) &&
		  X509_gmtime_adj(X509_getm_notBefore(cert), (days < 0 ? days - 1 : -1) * DAY_S) &&
		  X509_gmtime_adj(X509_getm_notAfter(cert), days * DAY_S) &&
		  X509_set_pubkey(cert, key) &&
		  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn,
					     -1, -1, 0) &&
		  X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : name) &&
		  add_extension(cert, issuer ? issuer : cert, NID_basic_constraints,
				issuer ? "critical,CA:FALSE" : "critical,CA:TRUE") &&
		  (!names || add_extension(cert, issuer, NID_subject_alt_name, names)) &&
		  X509_sign(cert, issuer ? issuer_key : key, EVP_sha256());
	if (ok)
		return cert;
	X509_free(cert);
	return NULL;
}

static bool write_pem(struct tls_server *s, X509 *ca)
{
	snprintf(s->ca_file, sizeof(s->ca_file), "/tmp/viesti-unit-ca-XXXXXX");
	int fd = mkstemp(s->ca_file);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool ok = f && PEM_write_X509(f, ca);
	return f && fclose(f) == 0 && ok;
}

static bool make_context(struct tls_server *s, const struct tls_order *order)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca = ca_key ? make_cert(ca_key, NULL, NULL, NULL, 10) : NULL;
	X509 *cert = ca && key ? make_cert(key, ca, ca_key, order->names, order->valid_days) : NULL;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	s->ctx = ctx;
	bool ok = cert && ctx && SSL_CTX_use_certificate(ctx, cert) == 1 &&
		  SSL_CTX_use_PrivateKey(ctx, key) == 1 && write_pem(s, ca);
	if (ok && order->is_old_tls) {
		SSL_CTX_set_security_level(ctx, 0);
		ok = SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) &&
		     SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
	}
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return ok;
}

static bool publish(struct tls_server *s, int connection)
{
	pthread_mutex_lock(&s->lock);
	s->connection = connection;
	bool go_on = !s->is_stopping;
	pthread_mutex_unlock(&s->lock);
	return go_on;
}

static void count(struct tls_server *s, unsigned *counter)
{
	pthread_mutex_lock(&s->lock);
	++*counter;
	pthread_mutex_unlock(&s->lock);
}

static void converse(struct tls_server *s, SSL *ssl)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
	char request[4096];
	if (SSL_accept(ssl) != 1)
		return;
	count(s, &s->n_handshakes);
	/* The requests of these tests are small and come in one record. */
	while (SSL_read(ssl, request, sizeof(request)) > 0) {
		count(s, &s->n_requests);
		if (SSL_write(ssl, reply, sizeof(reply) - 1) <= 0)
			return;
	}
}

static void *serve(void *arg)
{
	struct tls_server *s = arg;
	for (bool go_on = true; go_on;) {
		struct pollfd p = { .fd = s->listener, .events = POLLIN };
		if (poll(&p, 1, 5) != 1) {
			go_on = publish(s, -1);
			continue;
		}
		int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
		SSL *ssl = SSL_new(s->ctx);
		if (publish(s, fd) && ssl && fd >= 0 && SSL_set_fd(ssl, fd) == 1)
			converse(s, ssl);
		SSL_free(ssl);
		go_on = publish(s, -1);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

bool tls_server_start(struct tls_server *s, const struct tls_order *order)
{
	*s = (struct tls_server) { .connection = -1 };
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	pthread_mutex_init(&s->lock, NULL);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!make_context(s, order) || s->listener < 0 ||
	    bind(s->listener, (struct sockaddr *)&sa, len) != 0 || listen(s->listener, 16) != 0 ||
	    getsockname(s->listener, (struct sockaddr *)&sa, &len) != 0)
		return false;
	s->port = ntohs(sa.sin_port);
	return pthread_create(&s->thread, NULL, serve, s) == 0;
}

void tls_server_stop(struct tls_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->is_stopping = true;
	if (s->connection >= 0)
		shutdown(s->connection, SHUT_RDWR);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	close(s->listener);
	SSL_CTX_free(s->ctx);
	unlink(s->ca_file);
	pthread_mutex_destroy(&s->lock);
}

static unsigned read_counter(struct tls_server *s, const unsigned *counter)
{
	pthread_mutex_lock(&s->lock);
	unsigned n = *counter;
	pthread_mutex_unlock(&s->lock);
	return n;
}

unsigned tls_server_handshakes(struct tls_server *s)
{
	return read_counter(s, &s->n_handshakes);
}

unsigned tls_server_requests(struct tls_server *s)
{
	return read_counter(s, &s->n_requests);
}
