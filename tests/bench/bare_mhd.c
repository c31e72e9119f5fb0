/*
 * bare_mhd.c: the ceiling for intake: libmicrohttpd with two epoll threads that reads a POST's body
 * and answers 202 with as many bytes as the service does. It looks at nothing.
 *
 *	bare_mhd PORT		prints "ready" when it listens; ends on SIGTERM
 */
#include "base/base.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>

#define THREADS 2
#define BODY "{\"status\":\"accepted\"}"

struct server {
	struct MHD_Response *response;
};

/* A request in progress needs no state of its own: the marker says that its head was seen. */
static char head_seen;

static enum MHD_Result answer(void *cls, struct MHD_Connection *conn, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_n, void **request)
{
	const struct server *server = cls;

	(void)url;
	(void)method;
	(void)version;
	(void)upload;
	if (!*request) {
		*request = &head_seen;
		return MHD_YES;
	}
	if (*upload_n > 0) {
		*upload_n = 0;
		return MHD_YES;
	}
	return MHD_queue_response(conn, MHD_HTTP_ACCEPTED, server->response);
}

static bool listen_on(uint16_t port, struct server *server, struct MHD_Daemon **ret)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};

	server->response = MHD_create_response_from_buffer(strlen(BODY), (void *)(uintptr_t)BODY,
							   MHD_RESPMEM_PERSISTENT);
	if (!server->response)
		return false;
	if (MHD_add_response_header(server->response, "Content-Type", "application/json") !=
		    MHD_YES ||
	    MHD_add_response_header(server->response, "Viesti-Durability", "fsync") != MHD_YES)
		return false;
	*ret = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, port, NULL, NULL,
				answer, server, MHD_OPTION_THREAD_POOL_SIZE, THREADS,
				MHD_OPTION_CONNECTION_LIMIT, 4096, MHD_OPTION_SOCK_ADDR,
				(struct sockaddr *)&addr, MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024,
				MHD_OPTION_END);
	return *ret != NULL;
}

int main(int argc, char **argv)
{
	struct server server = { NULL };
	struct MHD_Daemon *daemon = NULL;
	sigset_t stop;
	int sig = 0;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	long port = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	if (port <= 0 || port > 65535 || !listen_on((uint16_t)port, &server, &daemon)) {
		fprintf(stderr, "usage: bare_mhd PORT (a free one)\n");
		return 2;
	}
	printf("ready libmicrohttpd %s\n", MHD_get_version());
	fflush(stdout);
	sigwait(&stop, &sig);
	MHD_stop_daemon(daemon);
	MHD_destroy_response(server.response);
	return 0;
}
