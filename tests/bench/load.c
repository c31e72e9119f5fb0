/*
 * load.c: a load generator for webhook intake: one thread, epoll, N kept-alive connections with one
 * request in flight on each. Every request is different (webhook-id, body, signature) and signed
 * before the clock starts, so that the clock sees the server and not us.
 *
 * Prints one JSON object: requests per second, latency percentiles, answers by status, what went
 * wrong, and the CPU time this generator took itself. Ends with an error when an answer had another
 * status than expected. It follows no redirects and knows no chunked answers.
 */
#include "base/base.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "codec/json.h"
#include "codec/sign.h"

#define ID_BYTES 36 /* a UUID */
#define SIGNATURE_BYTES 44 /* Base64 of 32 bytes */
#define REQUEST_MAX 1024
#define REPLY_MAX 8192
#define STALL_MS 5000 /* no answer on any connection for so long: the server hangs */
#define MAX_RECONNECTS 1000
#define N_BUCKETS 1024

struct options {
	struct sockaddr_in addr;
	const char *path;
	struct span key;
	unsigned char key_bytes[64];
	size_t connections, requests;
	int64_t warm_ms, max_ms;
	unsigned expect;
};

/* What makes one request different from the next. */
struct shot {
	char id[ID_BYTES];
	char signature[SIGNATURE_BYTES];
};

/* The request as text, and where a shot's parts go. */
struct template
{
	char text[REQUEST_MAX];
	size_t n, header_id, signature, body_id;
};

struct conn {
	int fd;
	bool busy; /* a request is out and not answered */
	int64_t sent_us;
	size_t out_done, in_n;
	char out[REQUEST_MAX];
	char in[REPLY_MAX];
};

struct tally {
	uint64_t answers, unexpected, broken;
	uint64_t statuses[600];
	uint32_t buckets[N_BUCKETS];
	int64_t max_us;
};

struct load {
	const struct options *opt;
	struct template tpl;
	struct shot *shots;
	size_t next;
	struct conn *conns;
	int epoll;
	struct tally tally;
	int64_t start_us, end_us;
	size_t in_flight, reconnects;
};

static void die(const char *what) __attribute__((noreturn));
static void die(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	_exit(2);
}

/* --- requests --- */

/* Finds a run of '#': the place of a shot's part in the template. */
static size_t place_of(const struct template *tpl, size_t from)
{
	const char *p = memchr(tpl->text + from, '#', tpl->n - from);

	return (size_t)(p - tpl->text);
}

static void make_template(struct template *tpl, const struct options *opt, char body[256])
{
	char now[CLOCK_RFC3339_MAX], id[ID_BYTES + 1], signature[SIGNATURE_BYTES + 1];

	memset(id, '#', ID_BYTES);
	memset(signature, '#', SIGNATURE_BYTES);
	id[ID_BYTES] = signature[SIGNATURE_BYTES] = '\0';
	int64_t wall_ms = clock_wall_ms();
	int n = snprintf(
		body, 256,
		"{\"type\":\"invoice.changed\",\"timestamp\":\"%s\",\"data\":{\"id\":\"%s\"}}",
		clock_rfc3339(wall_ms, now), id);
	n = snprintf(tpl->text, sizeof(tpl->text),
		     "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
		     "Content-Length: %d\r\nwebhook-id: msg_%s\r\nwebhook-timestamp: %" PRId64
		     "\r\nwebhook-signature: v1,%s\r\n\r\n%s",
		     opt->path, n, id, wall_ms / 1000, signature, body);
	if (n >= (int)sizeof(tpl->text))
		die("the path is too long");
	tpl->n = (size_t)n;
	tpl->header_id = place_of(tpl, 0);
	tpl->signature = place_of(tpl, tpl->header_id + ID_BYTES);
	tpl->body_id = place_of(tpl, tpl->signature + SIGNATURE_BYTES);
}

/* Signs `id.timestamp.body` for every request to come. */
static void make_shots(struct load *load)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	char body[256], head[128];
	unsigned char mac[SHA256_BYTES];

	load->shots = mem_alloc_array(load->opt->requests, sizeof(*load->shots));
	if (!load->shots || !arena)
		die("no memory for the requests");
	make_template(&load->tpl, load->opt, body);
	const char *timestamp = strstr(load->tpl.text, "webhook-timestamp: ") + 19;
	for (size_t i = 0; i < load->opt->requests; i++) {
		struct shot *shot = &load->shots[i];
		char id[UUID_TEXT];

		sign_uuid4(id);
		memcpy(shot->id, id, ID_BYTES);
		memcpy(strstr(body, "\"id\":\"") + 6, id, ID_BYTES);
		int n = snprintf(head, sizeof(head), "msg_%s.%.10s.", id, timestamp);
		const struct span parts[] = { { head, (size_t)n }, span_of(body) };
		if (!sign_hmac_sha256_parts(load->opt->key, parts, 2, mac))
			die("cannot sign");
		const char *text = sign_base64(arena,
					       (struct span) { (const char *)mac, sizeof(mac) });
		memcpy(shot->signature, text, SIGNATURE_BYTES);
		arena_clear(arena);
	}
}

/* --- connections --- */

static void open_conn(struct load *load, struct conn *conn)
{
	int yes = 1;

	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (conn->fd < 0 || connect(conn->fd, (const struct sockaddr *)&load->opt->addr,
				    sizeof(load->opt->addr)) != 0)
		die("cannot connect");
	if (fcntl(conn->fd, F_SETFL, O_NONBLOCK) != 0 ||
	    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0)
		die("cannot set up a socket");
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = conn };
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, conn->fd, &ev) != 0)
		die("cannot watch a socket");
	conn->busy = false;
	conn->in_n = 0;
}

static void push(struct load *load, struct conn *conn)
{
	while (conn->out_done < load->tpl.n) {
		ssize_t n = send(conn->fd, conn->out + conn->out_done, load->tpl.n - conn->out_done,
				 MSG_NOSIGNAL);
		if (n < 0)
			break; /* full (writability brings us back) or broken (reading shows it) */
		conn->out_done += (size_t)n;
	}
	bool rest = conn->out_done < load->tpl.n;
	struct epoll_event ev = { .events = EPOLLIN | (rest ? EPOLLOUT : 0U), .data.ptr = conn };
	if (rest && epoll_ctl(load->epoll, EPOLL_CTL_MOD, conn->fd, &ev) != 0)
		die("cannot watch a socket");
}

/* Sends the next request, if there is one and time for it. */
static void fire(struct load *load, struct conn *conn, int64_t now_us)
{
	if (load->next >= load->opt->requests || now_us >= load->end_us)
		return;
	const struct shot *shot = &load->shots[load->next++];
	memcpy(conn->out + load->tpl.header_id, shot->id, ID_BYTES);
	memcpy(conn->out + load->tpl.signature, shot->signature, SIGNATURE_BYTES);
	memcpy(conn->out + load->tpl.body_id, shot->id, ID_BYTES);
	conn->out_done = 0;
	conn->in_n = 0;
	conn->busy = true;
	conn->sent_us = now_us;
	load->in_flight++;
	push(load, conn);
}

static void reopen(struct load *load, struct conn *conn)
{
	if (conn->busy) {
		load->tally.broken++;
		load->in_flight--;
	}
	close(conn->fd);
	if (++load->reconnects > MAX_RECONNECTS)
		die("the server closes every connection");
	open_conn(load, conn);
}

/* --- answers --- */

/* Buckets of 1/32 of a power of two: at most 3 % off. */
static size_t bucket_of(int64_t us)
{
	if (us < 64)
		return us > 0 ? (size_t)us : 0;
	unsigned shift = 58U - (unsigned)__builtin_clzll((unsigned long long)us);
	size_t bucket = 64 + (size_t)(shift - 1) * 32 + (size_t)((us >> shift) - 32);
	return bucket < N_BUCKETS ? bucket : N_BUCKETS - 1;
}

static int64_t bucket_us(size_t bucket)
{
	if (bucket < 64)
		return (int64_t)bucket;
	unsigned shift = (unsigned)(bucket - 64) / 32 + 1;
	return (int64_t)((bucket - 64) % 32 + 32) << shift;
}

static int64_t percentile_us(const struct tally *tally, unsigned percent)
{
	uint64_t wanted = tally->answers * percent / 100, seen = 0;

	for (size_t i = 0; i < N_BUCKETS; i++) {
		seen += tally->buckets[i];
		if (seen > wanted)
			return bucket_us(i);
	}
	return 0;
}

/* The answer's length once its head is here; 0 while it is not; SIZE_MAX when it has none. */
static size_t answer_length(const struct conn *conn)
{
	const char *end = memmem(conn->in, conn->in_n, "\r\n\r\n", 4);
	size_t head = end ? (size_t)(end - conn->in) + 4 : 0;

	if (!end)
		return 0;
	for (const char *p = conn->in; p < end; p++) {
		if (*p != '\n' || strncasecmp(p + 1, "content-length:", 15) != 0)
			continue;
		return head + strtoul(p + 16, NULL, 10);
	}
	return SIZE_MAX;
}

static void count(struct load *load, struct conn *conn, int64_t now_us)
{
	struct tally *tally = &load->tally;
	unsigned long status = strtoul(conn->in + 9, NULL, 10);
	int64_t took_us = now_us - conn->sent_us;

	conn->busy = false;
	load->in_flight--;
	tally->answers++;
	tally->statuses[status < ARRAY_SIZE(tally->statuses) ? status : 0]++;
	tally->unexpected += status != load->opt->expect;
	tally->buckets[bucket_of(took_us)]++;
	if (took_us > tally->max_us)
		tally->max_us = took_us;
}

/* Reads what came; false when the connection is of no more use. */
static bool pull(struct load *load, struct conn *conn)
{
	ssize_t n = recv(conn->fd, conn->in + conn->in_n, sizeof(conn->in) - 1 - conn->in_n, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	conn->in_n += (size_t)n;
	conn->in[conn->in_n] = '\0';
	size_t length = answer_length(conn);
	if (length > sizeof(conn->in) - 1 || (length == 0 && conn->in_n == sizeof(conn->in) - 1))
		return false;
	if (length == 0 || conn->in_n < length)
		return true;
	int64_t now_us = clock_mono_us();
	count(load, conn, now_us);
	fire(load, conn, now_us);
	return true;
}

/* --- the run --- */

static void begin(struct load *load)
{
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->conns = mem_alloc_array(load->opt->connections, sizeof(*load->conns));
	if (load->epoll < 0 || !load->conns)
		die("no memory for the connections");
	for (size_t i = 0; i < load->opt->connections; i++) {
		memcpy(load->conns[i].out, load->tpl.text, load->tpl.n);
		open_conn(load, &load->conns[i]);
	}
	load->start_us = clock_mono_us();
	load->end_us = load->start_us + (load->opt->warm_ms + load->opt->max_ms) * 1000;
	for (size_t i = 0; i < load->opt->connections; i++)
		fire(load, &load->conns[i], clock_mono_us());
}

static void handle(struct load *load, const struct epoll_event *ev)
{
	struct conn *conn = ev->data.ptr;

	if (ev->events & EPOLLOUT)
		push(load, conn);
	if ((ev->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !pull(load, conn)) {
		reopen(load, conn);
		fire(load, conn, clock_mono_us());
	}
}

static void run(struct load *load)
{
	struct epoll_event events[256];
	int64_t warm_until_us = load->start_us + load->opt->warm_ms * 1000;
	bool warm = load->opt->warm_ms == 0;

	while (load->in_flight > 0) {
		int n = epoll_wait(load->epoll, events, ARRAY_SIZE(events), STALL_MS);

		if (n == 0) {
			load->tally.broken += load->in_flight;
			break;
		}
		for (int i = 0; i < n; i++)
			handle(load, &events[i]);
		if (!warm && clock_mono_us() >= warm_until_us) {
			warm = true;
			load->tally = (struct tally) { .unexpected = load->tally.unexpected,
						       .broken = load->tally.broken };
			load->start_us = clock_mono_us();
		}
	}
	load->end_us = clock_mono_us();
}

static void report(const struct load *load)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	struct strbuf sb = STRBUF_INIT(arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct tally *t = &load->tally;
	int64_t took_us = load->end_us - load->start_us;
	struct rusage used;
	const char *text = NULL;
	char status[16];

	getrusage(RUSAGE_SELF, &used);
	jsonw_object(&w);
	jsonw_kint(&w, "per_s", took_us > 0 ? (int64_t)(t->answers * 1000000) / took_us : 0);
	jsonw_kint(&w, "answers", (int64_t)t->answers);
	jsonw_kint(&w, "ms", took_us / 1000);
	jsonw_kint(&w, "p50_us", percentile_us(t, 50));
	jsonw_kint(&w, "p99_us", percentile_us(t, 99));
	jsonw_kint(&w, "max_us", t->max_us);
	jsonw_kint(&w, "unexpected", (int64_t)t->unexpected);
	jsonw_kint(&w, "broken", (int64_t)t->broken);
	jsonw_kint(&w, "ran_out", load->next >= load->opt->requests);
	jsonw_kint(&w, "own_cpu_ms",
		   (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
			   (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000);
	jsonw_key(&w, "statuses");
	jsonw_object(&w);
	for (size_t i = 0; i < ARRAY_SIZE(t->statuses); i++) {
		if (t->statuses[i] == 0)
			continue;
		snprintf(status, sizeof(status), "%zu", i);
		jsonw_kint(&w, status, (int64_t)t->statuses[i]);
	}
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	if (!arena || !strbuf_finish(&sb, &text, NULL))
		die("no memory for the report");
	printf("%s\n", text);
}

static void usage(void) __attribute__((noreturn));
static void usage(void)
{
	die("usage: load -p PORT -u PATH -s whsec_SECRET [-c connections] [-n requests at most] "
	    "[-d milliseconds] [-w warm-up milliseconds] [-t expected status]");
}

static void parse_secret(struct options *opt, const char *text)
{
	size_t n = 0;

	if (strncmp(text, "whsec_", 6) != 0 ||
	    !sign_unbase64(span_of(text + 6), opt->key_bytes, sizeof(opt->key_bytes), &n))
		die("the secret is no whsec_ and Base64");
	opt->key = (struct span) { (const char *)opt->key_bytes, n };
}

static void parse_options(struct options *opt, int argc, char **argv)
{
	int c = 0;

	opt->addr = (struct sockaddr_in) { .sin_family = AF_INET,
					   .sin_addr = { htonl(INADDR_LOOPBACK) } };
	while ((c = getopt(argc, argv, "p:u:s:c:n:d:w:t:")) != -1) {
		long number = 0;

		if (c == '?' || !optarg)
			usage();
		if (c != 'u' && c != 's')
			number = strtol(optarg, NULL, 10);
		if (number < 0)
			usage();
		switch (c) {
		case 'p':
			opt->addr.sin_port = htons((uint16_t)number);
			break;
		case 'u':
			opt->path = optarg;
			break;
		case 's':
			parse_secret(opt, optarg);
			break;
		case 'c':
			opt->connections = (size_t)number;
			break;
		case 'n':
			opt->requests = (size_t)number;
			break;
		case 'd':
			opt->max_ms = number;
			break;
		case 'w':
			opt->warm_ms = number;
			break;
		case 't':
			opt->expect = (unsigned)number;
			break;
		default:
			usage();
		}
	}
	if (!opt->addr.sin_port || !opt->path || !opt->key.p || !opt->connections || !opt->requests)
		usage();
}

int main(int argc, char **argv)
{
	struct options opt = { .connections = 128,
			       .requests = 100000,
			       .max_ms = 5000,
			       .warm_ms = 500,
			       .expect = 202 };
	static struct load load;

	parse_options(&opt, argc, argv);
	load.opt = &opt;
	make_shots(&load);
	begin(&load);
	run(&load);
	report(&load);
	mem_free(load.shots);
	mem_free(load.conns);
	return load.tally.unexpected || load.tally.broken ? 1 : 0;
}
