/*
 * tls_server.h: an HTTPS server on loopback for tests of certificate checks. It makes its own CA
 * and a certificate to order, answers every request with 200 and "hi", and counts. One connection
 * at a time, kept alive.
 */
#ifndef TESTS_UNIT_TLS_SERVER_H
#define TESTS_UNIT_TLS_SERVER_H

#include "base/base.h"

struct tls_order {
	const char *names; /* subjectAltName, such as "DNS:localhost,IP:127.0.0.1" */
	int valid_days; /* from yesterday; negative: expired */
	bool is_old_tls; /* nothing newer than TLS 1.1 */
};

struct tls_server {
	int port;
	char ca_file[64]; /* PEM of the CA that signed the certificate */
	void *ctx; /* SSL_CTX */
	int listener;
	pthread_t thread;

	pthread_mutex_t lock; /* guards what follows */
	bool is_stopping;
	int connection; /* -1: none */
	unsigned n_handshakes, n_requests;
};

bool tls_server_start(struct tls_server *s, const struct tls_order *order) MUST_CHECK;
void tls_server_stop(struct tls_server *s);
unsigned tls_server_handshakes(struct tls_server *s);
unsigned tls_server_requests(struct tls_server *s);

#endif
