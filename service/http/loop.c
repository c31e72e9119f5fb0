/*
 * loop.c: see loop.h. The threads are ours, not libmicrohttpd's: its own loop (0.9.75 to 1.0) asks
 * epoll for 128 events at a time and, when it gets exactly so many, waits for more before it serves
 * the first. When these 128 are all there are, they lie until the idle time-out. MHD_run(), which
 * never waits, between waits of our own has no such hole.
 *
 * A daemon without a thread of its own is not told of a resumed connection: loop_wake tells, once
 * for a batch, where libmicrohttpd's own loop takes a system call for each.
 *
 * Deliberately does not balance connections over the threads: whichever is free takes the next.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "loop.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define BACKLOG 1024
#define WAIT_MAX_MS 60000

struct loop {
	struct MHD_Daemon *daemon;
	void *ctx;
	int epoll_fd; /* the daemon's */
	int wake_fd;
	atomic_bool woken; /* wake_fd has been written to, and the loop has not seen it */
	atomic_bool stopping;
	pthread_t thread;
	bool started;
};

struct loops {
	int listen_fd; /* -1: no longer */
	unsigned port;
	unsigned n;
	struct loop loop[];
};

/* --- one thread --- */

static int wait_ms(struct MHD_Daemon *daemon)
{
	MHD_UNSIGNED_LONG_LONG left = 0;
	if (MHD_get_timeout(daemon, &left) != MHD_YES || left > WAIT_MAX_MS)
		return WAIT_MAX_MS;
	return (int)left;
}

void *loop_ctx(const struct loop *l)
{
	return l->ctx;
}

void loop_resume(struct loop *l, struct MHD_Connection *connection)
{
	(void)l;
	MHD_resume_connection(connection);
}

void loop_wake(struct loop *l)
{
	if (atomic_exchange(&l->woken, true))
		return;
	/* Cannot fail: the counter is far from its end. */
	(void)!write(l->wake_fd, &(uint64_t) { 1 }, sizeof(uint64_t));
}

/* Waits until there is work. A wake is noted before MHD_run looks for what was resumed, so that one
 * that comes later is seen by the next wait. */
static void wait_for_work(struct loop *l)
{
	struct pollfd fds[] = { { .fd = l->epoll_fd, .events = POLLIN },
				{ .fd = l->wake_fd, .events = POLLIN } };
	int ms = wait_ms(l->daemon);
	/* Interrupted: what is ready is served. */
	if (ms == 0 || poll(fds, ARRAY_SIZE(fds), ms) <= 0 || !fds[1].revents)
		return;
	uint64_t n;
	(void)!read(l->wake_fd, &n, sizeof(n)); /* poll said that it can */
	atomic_store(&l->woken, false);
}

static void *run(void *arg)
{
	struct loop *l = arg;
	while (!atomic_load(&l->stopping)) {
		wait_for_work(l);
		MHD_run(l->daemon);
	}
	return NULL;
}

static bool loop_start(struct loop *l, const struct loops_options *opt, int listen_fd,
		       struct err *err)
{
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake_fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "cannot make an eventfd");
	l->ctx = opt->ctx;
	l->daemon = opt->start(opt->ctx, l, listen_fd);
	if (!l->daemon)
		return err_set(err, ERR_SYSTEM, "cannot start the HTTP server");
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info || info->epoll_fd < 0)
		return err_set(err, ERR_SYSTEM, "this libmicrohttpd has no epoll");
	l->epoll_fd = info->epoll_fd;
	int rc = pthread_create(&l->thread, NULL, run, l);
	if (rc)
		return err_errno(err, ERR_SYSTEM, rc, "cannot start a server thread");
	l->started = true;
	return true;
}

static void loop_stop(struct loop *l)
{
	if (l->started) {
		atomic_store(&l->stopping, true);
		loop_wake(l);
		pthread_join(l->thread, NULL);
	}
	if (l->daemon)
		MHD_stop_daemon(l->daemon);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
}

/* --- all of them --- */

static bool parse_address(const struct loops_options *opt, struct sockaddr_storage *ret,
			  socklen_t *ret_n, struct err *err)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)opt->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)opt->port) };
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, opt->address, &in.sin_addr) == 1) {
		memcpy(ret, &in, sizeof(in));
		*ret_n = sizeof(in);
	} else if (inet_pton(AF_INET6, opt->address, &in6.sin6_addr) == 1) {
		memcpy(ret, &in6, sizeof(in6));
		*ret_n = sizeof(in6);
	} else {
		return err_set(err, ERR_INPUT, "%s is no IP address", opt->address);
	}
	return true;
}

static bool is_listening(int fd, const struct sockaddr_storage *address, socklen_t n)
{
	const int yes = 1, no = 0;
	return (address->ss_family != AF_INET6 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) == 0) &&
	       setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
	       bind(fd, (const struct sockaddr *)address, n) == 0 && listen(fd, BACKLOG) == 0;
}

static bool open_socket(const struct loops_options *opt, struct loops *loops, struct err *err)
{
	struct sockaddr_storage address;
	socklen_t n = 0;
	if (!parse_address(opt, &address, &n, err))
		return false;
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !is_listening(fd, &address, n)) {
		err_errno(err, ERR_INPUT, errno, "cannot listen on %s port %d", opt->address,
			  opt->port);
		if (fd >= 0)
			close(fd);
		return false;
	}
	loops->listen_fd = fd;
	n = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &n) != 0)
		return err_errno(err, ERR_SYSTEM, errno, "cannot tell the port");
	loops->port = ntohs(address.ss_family == AF_INET6
				    ? ((struct sockaddr_in6 *)&address)->sin6_port
				    : ((struct sockaddr_in *)&address)->sin_port);
	return true;
}

bool loops_new(const struct loops_options *opt, struct loops **ret, struct err *err)
{
	struct loops *loops = mem_alloc(sizeof(*loops) + opt->threads * sizeof(struct loop));
	if (!loops)
		return err_set(err, ERR_MEMORY, "out of memory");
	loops->listen_fd = -1;
	loops->n = opt->threads;
	for (unsigned i = 0; i < loops->n; i++)
		loops->loop[i].wake_fd = -1;
	bool ok = open_socket(opt, loops, err);
	for (unsigned i = 0; ok && i < loops->n; i++)
		ok = loop_start(&loops->loop[i], opt, loops->listen_fd, err);
	if (!ok) {
		loops_free(loops);
		return false;
	}
	*ret = loops;
	return true;
}

unsigned loops_port(const struct loops *loops)
{
	return loops->port;
}

void loops_quiesce(struct loops *loops)
{
	if (loops->listen_fd < 0)
		return;
	for (unsigned i = 0; i < loops->n; i++)
		if (loops->loop[i].daemon)
			(void)MHD_quiesce_daemon(loops->loop[i].daemon); /* the socket is ours */
	close(loops->listen_fd);
	loops->listen_fd = -1;
}

void loops_free(struct loops *loops)
{
	if (!loops)
		return;
	loops_quiesce(loops);
	for (unsigned i = 0; i < loops->n; i++)
		loop_stop(&loops->loop[i]);
	mem_free(loops);
}
