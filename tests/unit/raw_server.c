/* raw_server.c: see raw_server.h. Binds 127.0.0.1 on a free port; no port is fixed. */
#include "base/base.h"
#include "raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"

#define MAX_CONNECTIONS 32
#define REQUEST_MAX (256u << 10)
#define KEPT_MAX (4u << 20)

struct connection {
	int fd; /* -1: free */
	bool is_mute; /* RAW_HANG */
	int64_t close_at_ms; /* 0: never */
	size_t n;
	char *buf; /* REQUEST_MAX + 1 */
};

static bool is_stopping(struct raw_server *s)
{
	pthread_mutex_lock(&s->lock);
	bool stop = s->is_stopping;
	pthread_mutex_unlock(&s->lock);
	return stop;
}

static void close_connection(struct connection *c, bool with_reset)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	if (with_reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(c->fd);
	c->fd = -1;
	c->n = 0;
	c->is_mute = false;
	c->close_at_ms = 0;
}

static bool send_all(struct raw_server *s, int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN)
			return false;
		if (sent < 0) {
			struct pollfd w = { .fd = fd, .events = POLLOUT };
			poll(&w, 1, 20);
			if (is_stopping(s))
				return false;
			continue;
		}
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static void trickle(struct raw_server *s, int fd, bool is_flood)
{
	static const char block[16384] = { [0 ... 16383] = 'x' };
	while (!is_stopping(s) && send_all(s, fd, block, is_flood ? sizeof(block) : 1))
		if (!is_flood)
			clock_sleep_ms(10);
}

static void answer(struct raw_server *s, struct connection *c, const struct raw_step *step)
{
	size_t n = step->text && !step->n ? strlen(step->text) : step->n;
	bool ok = send_all(s, c->fd, step->text, n);
	switch (step->then) {
	case RAW_KEEP:
		break;
	case RAW_CLOSE_LATER:
		c->close_at_ms = clock_mono_ms() + 30;
		break;
	case RAW_HANG:
		c->is_mute = true;
		break;
	case RAW_CLOSE:
	case RAW_RESET:
		close_connection(c, step->then == RAW_RESET);
		break;
	case RAW_DRIP:
	case RAW_FLOOD:
		if (ok)
			trickle(s, c->fd, step->then == RAW_FLOOD);
		close_connection(c, false);
		break;
	}
}

/* Length of the request at the start of the buffer, 0 while it is not whole. */
static size_t request_length(const struct connection *c)
{
	const char *end = memmem(c->buf, c->n, "\r\n\r\n", 4);
	if (!end)
		return 0;
	size_t head = (size_t)(end - c->buf) + 4, body = 0;
	const char *length = strcasestr(c->buf, "\r\ncontent-length:");
	if (length && length < end)
		body = strtoul(length + 17, NULL, 10);
	return c->n >= head + body ? head + body : 0;
}

static void take_request(struct raw_server *s, struct connection *c, size_t n)
{
	pthread_mutex_lock(&s->lock);
	unsigned number = s->n_requests++;
	if (number < RAW_MAX_REQUESTS && s->n_kept + n < KEPT_MAX) {
		s->requests[number] = s->kept + s->n_kept;
		memcpy(s->requests[number], c->buf, n);
		s->n_kept += n + 1;
	}
	pthread_mutex_unlock(&s->lock);
	memmove(c->buf, c->buf + n, c->n - n);
	c->n -= n;
	answer(s, c, &s->steps[number < s->n_steps ? number : s->n_steps - 1]);
}

static void read_some(struct raw_server *s, struct connection *c)
{
	ssize_t n = c->n < REQUEST_MAX ? recv(c->fd, c->buf + c->n, REQUEST_MAX - c->n, 0) : 0;
	if (n <= 0) {
		close_connection(c, false);
		return;
	}
	c->n += (size_t)n;
	c->buf[c->n] = '\0';
	size_t whole = request_length(c);
	if (whole)
		take_request(s, c, whole);
}

static void take_connection(struct raw_server *s, struct connection *all)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
	for (int i = 0; fd >= 0 && i < MAX_CONNECTIONS; i++) {
		if (all[i].fd >= 0)
			continue;
		all[i].fd = fd;
		pthread_mutex_lock(&s->lock);
		s->n_connections++;
		pthread_mutex_unlock(&s->lock);
		return;
	}
	if (fd >= 0)
		close(fd);
}

static void close_due(struct raw_server *s, struct connection *c)
{
	if (c->fd < 0 || c->close_at_ms == 0 || clock_mono_ms() < c->close_at_ms)
		return;
	close_connection(c, false);
	pthread_mutex_lock(&s->lock);
	s->n_closed_idle++;
	pthread_mutex_unlock(&s->lock);
}

static void *serve(void *arg)
{
	struct raw_server *s = arg;
	struct connection all[MAX_CONNECTIONS];
	for (int i = 0; i < MAX_CONNECTIONS; i++)
		all[i] = (struct connection) { .fd = -1,
					       .buf = s->buffers + (size_t)i * (REQUEST_MAX + 1) };
	while (!is_stopping(s)) {
		struct pollfd fds[MAX_CONNECTIONS + 2] = { { .fd = s->listener, .events = POLLIN },
							   { .fd = s->wake[0], .events = POLLIN } };
		for (int i = 0; i < MAX_CONNECTIONS; i++)
			fds[i + 2] = (struct pollfd) { .fd = all[i].is_mute ? -1 : all[i].fd,
						       .events = POLLIN };
		poll(fds, MAX_CONNECTIONS + 2, 5);
		for (int i = 0; i < MAX_CONNECTIONS; i++) {
			if (fds[i + 2].revents)
				read_some(s, &all[i]);
			close_due(s, &all[i]);
		}
		if (fds[0].revents)
			take_connection(s, all);
	}
	for (int i = 0; i < MAX_CONNECTIONS; i++)
		if (all[i].fd >= 0)
			close(all[i].fd);
	return NULL;
}

bool raw_server_start(struct raw_server *s, const struct raw_step *steps, size_t n_steps)
{
	*s = (struct raw_server) { .steps = steps, .n_steps = n_steps };
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	pthread_mutex_init(&s->lock, NULL);
	s->buffers = mem_alloc_array(MAX_CONNECTIONS, REQUEST_MAX + 1);
	s->kept = mem_alloc(KEPT_MAX);
	if (!s->buffers || !s->kept)
		return false;
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&sa, len) != 0 ||
	    listen(s->listener, 64) != 0 ||
	    getsockname(s->listener, (struct sockaddr *)&sa, &len) != 0 || pipe(s->wake) != 0)
		return false;
	s->port = ntohs(sa.sin_port);
	return pthread_create(&s->thread, NULL, serve, s) == 0;
}

void raw_server_stop(struct raw_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->is_stopping = true;
	pthread_mutex_unlock(&s->lock);
	close(s->wake[1]);
	pthread_join(s->thread, NULL);
	close(s->wake[0]);
	close(s->listener);
	mem_free(s->buffers);
	mem_free(s->kept);
	pthread_mutex_destroy(&s->lock);
}

static unsigned read_counter(struct raw_server *s, const unsigned *counter)
{
	pthread_mutex_lock(&s->lock);
	unsigned n = *counter;
	pthread_mutex_unlock(&s->lock);
	return n;
}

unsigned raw_server_requests(struct raw_server *s)
{
	return read_counter(s, &s->n_requests);
}

unsigned raw_server_connections(struct raw_server *s)
{
	return read_counter(s, &s->n_connections);
}

bool raw_server_wait_closed(struct raw_server *s, unsigned n)
{
	for (int i = 0; i < 1000; i++) {
		if (read_counter(s, &s->n_closed_idle) >= n)
			return true;
		clock_sleep_ms(3);
	}
	return false;
}

const char *raw_server_request(struct raw_server *s, unsigned n)
{
	pthread_mutex_lock(&s->lock);
	const char *text = n < RAW_MAX_REQUESTS && s->requests[n] ? s->requests[n] : "";
	pthread_mutex_unlock(&s->lock);
	return text;
}
