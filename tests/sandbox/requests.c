/*
 * requests.c: a ring of finished calls.
 *
 * Keeps the newest RING calls, each with at most BODY_MAX bytes of its body, so that memory stays
 * flat under a benchmark. Deliberately keeps no headers: they hold credentials.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "faults.h"
#include "requests.h"

#define RING 2048
#define BODY_MAX 65536
#define TARGET_MAX 384

struct entry {
	uint64_t seq;
	int64_t at_ms;
	int64_t took_ms;
	const struct standin *standin;
	enum fault_kind fault;
	unsigned status;
	char method[8];
	char tenant[64];
	char note[48];
	char target[TARGET_MAX];
	char *body;
	size_t body_n;
};

struct requests {
	pthread_mutex_t lock;
	uint64_t seen; /* entries[seen % RING] is the next to be written */
	uint64_t cleared_at;
	bool with_bodies;
	struct entry entries[RING];
};

struct requests *requests_new(bool with_bodies)
{
	struct requests *r = mem_alloc(sizeof(*r));
	if (!r)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	r->with_bodies = with_bodies;
	return r;
}

void requests_free(struct requests *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < RING; i++)
		mem_free(r->entries[i].body);
	pthread_mutex_destroy(&r->lock);
	mem_free(r);
}

void requests_clear(struct requests *r)
{
	pthread_mutex_lock(&r->lock);
	r->cleared_at = r->seen;
	pthread_mutex_unlock(&r->lock);
}

uint64_t requests_count(struct requests *r)
{
	pthread_mutex_lock(&r->lock);
	uint64_t n = r->seen - r->cleared_at;
	pthread_mutex_unlock(&r->lock);
	return n;
}

static void copy_cut(char *into, size_t size, const char *text)
{
	snprintf(into, size, "%s", text ? text : "");
}

void requests_add(struct requests *r, const struct call *c)
{
	bool secret_body = strstr(c->path, "token") != NULL;
	char *body = NULL;
	if (r->with_bodies && c->body.n && c->body.n <= BODY_MAX && !secret_body)
		body = mem_memdup(c->body.p, c->body.n);
	pthread_mutex_lock(&r->lock);
	struct entry *e = &r->entries[r->seen % RING];
	char *old = e->body;
	*e = (struct entry) {
		.seq = ++r->seen,
		.at_ms = c->at_ms,
		.took_ms = clock_mono_ms() - c->mono_ms,
		.standin = c->standin,
		.fault = c->fault.kind,
		.status = c->stage == CALL_ANSWERED ? c->reply.status : 0,
		.body = body,
		.body_n = body ? c->body.n : 0,
	};
	copy_cut(e->method, sizeof(e->method), c->method);
	copy_cut(e->tenant, sizeof(e->tenant), c->tenant);
	copy_cut(e->note, sizeof(e->note), c->note);
	copy_cut(e->target, sizeof(e->target), c->target);
	pthread_mutex_unlock(&r->lock);
	mem_free(old);
}

static bool wanted(const struct entry *e, const char *system, const char *match)
{
	if (system && strcmp(e->standin->name, system) != 0)
		return false;
	return !match || strstr(e->target, match) != NULL;
}

static void write_entry(const struct entry *e, bool with_bodies, struct json_writer *w)
{
	jsonw_object(w);
	jsonw_kint(w, "seq", (int64_t)e->seq);
	jsonw_ktime(w, "at", e->at_ms);
	jsonw_kint(w, "took_ms", e->took_ms);
	jsonw_kstr(w, "system", e->standin->name);
	jsonw_kstr(w, "tenant", e->tenant[0] ? e->tenant : NULL);
	jsonw_kstr(w, "method", e->method);
	jsonw_kstr(w, "target", e->target);
	jsonw_kint(w, "status", e->status);
	jsonw_kstr(w, "note", e->note[0] ? e->note : NULL);
	jsonw_kstr(w, "fault", fault_kind_name(e->fault));
	if (with_bodies) {
		jsonw_key(w, "body");
		if (e->body)
			jsonw_span(w, (struct span) { e->body, e->body_n });
		else
			jsonw_null(w);
	}
	jsonw_end_object(w);
}

void requests_write(struct requests *r, const char *system, const char *match, size_t limit,
		    bool with_bodies, struct json_writer *w)
{
	pthread_mutex_lock(&r->lock);
	uint64_t oldest = r->seen > RING ? r->seen - RING : 0;
	if (oldest < r->cleared_at)
		oldest = r->cleared_at;
	uint64_t from = r->seen;
	for (size_t n = 0; from > oldest && n < limit; from--)
		n += wanted(&r->entries[(from - 1) % RING], system, match);
	jsonw_array(w);
	for (; from < r->seen; from++) {
		const struct entry *e = &r->entries[from % RING];
		if (wanted(e, system, match))
			write_entry(e, with_bodies, w);
	}
	jsonw_end_array(w);
	pthread_mutex_unlock(&r->lock);
}
