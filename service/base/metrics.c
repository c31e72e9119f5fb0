/*
 * metrics.c: the counters of metrics.h in one open-addressed table of fixed size, so that memory
 * stays flat whatever labels arrive. Deliberately no histograms and no gauges: gauges are asked of
 * their owners when /metrics is read.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/metrics.h"
#include "base/strbuf.h"

#define SLOTS 512 /* power of two */
#define LABEL_MAX 40

struct counter {
	bool used;
	enum metric id;
	char label1[LABEL_MAX], label2[LABEL_MAX];
	uint64_t n;
};

struct metrics {
	pthread_mutex_t lock;
	size_t n_used;
	uint64_t dropped;
	struct counter slots[SLOTS];
};

struct row {
	const char *name, *label1, *label2, *help;
};
static const struct row rows[N_METRICS] = {
#define X(id, name, label1, label2, help) { name, label1, label2, help },
	METRICS(X)
#undef X
};

struct metrics *metrics_new(void)
{
	struct metrics *m = mem_alloc(sizeof(*m));
	if (m)
		pthread_mutex_init(&m->lock, NULL);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	mem_free(m);
}

static void cut_label(char dst[LABEL_MAX], const char *src)
{
	size_t n = src ? strnlen(src, LABEL_MAX - 1) : 0;
	if (n)
		memcpy(dst, src, n);
	memset(dst + n, 0, LABEL_MAX - n);
}

static uint32_t hash_label(uint32_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return (h ^ 0xffu) * 16777619u;
}

static struct counter *find_locked(struct metrics *m, enum metric id, const char *l1,
				   const char *l2)
{
	uint32_t h = hash_label(hash_label(2166136261u ^ (uint32_t)id, l1), l2);
	for (size_t i = 0; i < SLOTS; i++) {
		struct counter *c = &m->slots[(h + i) & (SLOTS - 1)];
		if (!c->used) {
			if (m->n_used >= SLOTS / 4 * 3)
				return NULL;
			c->used = true;
			c->id = id;
			memcpy(c->label1, l1, LABEL_MAX);
			memcpy(c->label2, l2, LABEL_MAX);
			m->n_used++;
			return c;
		}
		if (c->id == id && str_eq(c->label1, l1) && str_eq(c->label2, l2))
			return c;
	}
	return NULL;
}

void metrics_add(struct metrics *m, enum metric id, const char *label1, const char *label2,
		 uint64_t n)
{
	if (!m)
		return;
	char l1[LABEL_MAX], l2[LABEL_MAX];
	cut_label(l1, label1);
	cut_label(l2, label2);
	pthread_mutex_lock(&m->lock);
	struct counter *c = find_locked(m, id, l1, l2);
	if (c)
		c->n += n;
	else
		m->dropped += n;
	pthread_mutex_unlock(&m->lock);
}

void metrics_label(struct strbuf *out, const char *value)
{
	strbuf_addch(out, '"');
	for (const char *s = value; *s; s++) {
		if (*s == '\n') {
			strbuf_addstr(out, "\\n");
			continue;
		}
		if (*s == '"' || *s == '\\')
			strbuf_addch(out, '\\');
		strbuf_addch(out, *s);
	}
	strbuf_addch(out, '"');
}

static void write_labels(const struct row *row, const struct counter *c, struct strbuf *out)
{
	if (!*row->label1)
		return;
	strbuf_addf(out, "{%s=", row->label1);
	metrics_label(out, c->label1);
	if (*row->label2) {
		strbuf_addf(out, ",%s=", row->label2);
		metrics_label(out, c->label2);
	}
	strbuf_addch(out, '}');
}

void metrics_write(struct metrics *m, struct strbuf *out)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	for (size_t id = 0; id < N_METRICS; id++) {
		strbuf_addf(out, "# HELP %s %s\n# TYPE %s counter\n", rows[id].name, rows[id].help,
			    rows[id].name);
		for (size_t i = 0; i < SLOTS; i++) {
			const struct counter *c = &m->slots[i];
			if (!c->used || c->id != id)
				continue;
			strbuf_addstr(out, rows[id].name);
			write_labels(&rows[id], c, out);
			strbuf_addf(out, " %" PRIu64 "\n", c->n);
		}
	}
	strbuf_addf(out,
		    "# TYPE viesti_metrics_dropped_total counter\n"
		    "viesti_metrics_dropped_total %" PRIu64 "\n",
		    m->dropped);
	pthread_mutex_unlock(&m->lock);
}
