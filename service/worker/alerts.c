/*
 * alerts.c: the mailer's thread (alerts.h): looks at each connection that names an address, and
 * mails what the store says is due. A mail is said to be sent once the server has it: a crash in
 * between sends the same again, with the same Message-ID, rather than none.
 */
#include "base/base.h"
#include "worker/alerts.h"

#include "alert_text.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/json.h"
#include "codec/sign.h"

#define NAMED_MAX 50 /* documents that one mail names */
#define ARENA_BYTES ((size_t)32 << 20)
#define TICK_MIN_MS 50
#define TICK_MAX_MS 15000

struct alerts {
	struct alerts_options opt;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
};

/* The address, or NULL; *ret_language always. */
static const char *address_of(struct arena *arena, const struct connection *c,
			      const char **ret_language)
{
	const struct json *j;
	*ret_language = "en";
	if (!json_parse(arena, span_of(c->settings), JSON_LIMITS_API, &j, NULL))
		return NULL; /* the connection's own check says so */
	const char *language = json_str(json_get(j, "error_email_language"));
	if (language)
		*ret_language = language;
	const char *to = json_str(json_get(j, "error_email"));
	return to && to[0] ? to : NULL;
}

static bool read_named(struct alerts *a, struct arena *arena, const struct store_alert *alert,
		       struct alert_words *w, struct err *err)
{
	size_t n = alert->n < NAMED_MAX ? alert->n : NAMED_MAX;
	struct transfer *items = arena_alloc_array(arena, n + 1, sizeof(*items));
	if (!items)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++) {
		struct err inner = ERR_INIT;
		if (store_transfer_get(a->opt.store, arena, alert->ids[i], &items[w->n_items],
				       &inner))
			w->n_items++;
		else if (inner.code != ERR_NOT_FOUND) {
			if (err)
				*err = inner;
			return false;
		}
	}
	w->items = items;
	return true;
}

/* The same failures make the same id. */
static const char *mail_id(struct arena *arena, const struct connection *c,
			   const struct store_alert *alert)
{
	unsigned char digest[SHA256_BYTES];
	char alarms[17];
	const char *names = "";
	for (size_t i = 0; names && i < alert->n_alarms; i++)
		names = arena_printf(arena, "%s%s %" PRId64 "\n", names, alert->alarms[i].name,
				     alert->alarms[i].n);
	if (!names)
		return NULL;
	sign_sha256(span_of(names), digest);
	sign_hex(digest, 8, alarms);
	return arena_printf(arena, "%s.%s.%s.%zu.%" PRId64 "%s%s", c->id,
			    alert->kind == ALERT_RESOLVED ? "resolved" : "failures",
			    alert->n ? alert->ids[0] : "0", alert->n, alert->standing,
			    alert->n_alarms ? "." : "", alert->n_alarms ? alarms : "");
}

static bool mail_it(struct alerts *a, struct arena *arena, const struct connection *c,
		    const char *to, const char *language, const struct store_alert *alert,
		    struct err *err)
{
	struct alert_words w = { .language = language,
				 .conn = c->id,
				 .name = c->name && c->name[0] ? c->name : c->id,
				 .kind = alert->kind,
				 .standing = alert->standing,
				 .n_new = (int64_t)alert->n,
				 .alarms = alert->alarms,
				 .n_alarms = alert->n_alarms };
	struct mail m = { .to = to, .id = mail_id(arena, c, alert) };
	if (!m.id)
		return err_set(err, ERR_LIMIT, "arena full");
	return read_named(a, arena, alert, &w, err) &&
	       alert_text(arena, &w, &m.subject, &m.text, err) &&
	       mail_send(&a->opt.server, arena, &m, err);
}

static void look_at(struct alerts *a, struct arena *arena, const struct connection *c)
{
	struct err err = ERR_INIT;
	struct store_alert alert;
	const char *language;
	const char *to = address_of(arena, c, &language);
	if (!to)
		return;
	if (!store_alert_scan(a->opt.store, arena, c->id, a->opt.wait_ms, a->opt.gap_ms, &alert,
			      &err)) {
		log_err(LOG_DEBUG, "alert_scan_failed", &err);
		return;
	}
	if (alert.kind == ALERT_NONE)
		return;
	bool sent = mail_it(a, arena, c, to, language, &alert, &err);
	if (sent)
		log_event(LOG_INFO, "mail_sent", LOG_S("connection", c->id),
			  LOG_I("documents", (int64_t)alert.n),
			  LOG_I("registers", (int64_t)alert.n_alarms));
	else
		log_err(LOG_WARN, "mail_failed", &err);
	/* Refused for good: not offered again, or it would be each two minutes. */
	if ((sent || err.code == ERR_DATA) &&
	    !store_alert_done(a->opt.store, arena, c->id, &alert, &err))
		log_err(LOG_WARN, "mail_not_noted", &err);
}

static bool is_stopping(struct alerts *a)
{
	pthread_mutex_lock(&a->lock);
	bool stopping = a->stopping;
	pthread_mutex_unlock(&a->lock);
	return stopping;
}

static void look_round(struct alerts *a, struct arena *arena)
{
	struct store_list list;
	struct err err = ERR_INIT;
	if (!store_list(a->opt.store, &list, &err)) {
		log_err(LOG_WARN, "alerts_failed", &err);
		return;
	}
	for (size_t i = 0; i < list.n && !is_stopping(a); i++) {
		arena_clear(arena);
		look_at(a, arena, list.items[i]);
	}
	store_list_release(&list);
}

static void *alerts_main(void *arg)
{
	struct alerts *a = arg;
	CLEANUP(arena_free) struct arena *arena = arena_new(ARENA_BYTES);
	int64_t tick = a->opt.wait_ms / 4;
	tick = tick < TICK_MIN_MS ? TICK_MIN_MS : tick > TICK_MAX_MS ? TICK_MAX_MS : tick;
	if (!arena) {
		log_event(LOG_ERROR, "alerts_failed", LOG_S("text", "out of memory"));
		return NULL;
	}
	for (;;) {
		struct timespec until = clock_deadline(tick);
		pthread_mutex_lock(&a->lock);
		while (!a->stopping &&
		       pthread_cond_timedwait(&a->wake, &a->lock, &until) != ETIMEDOUT)
			continue;
		bool stop = a->stopping;
		pthread_mutex_unlock(&a->lock);
		if (stop)
			return NULL;
		look_round(a, arena);
	}
}

bool alerts_start(const struct alerts_options *opt, struct alerts **ret, struct err *err)
{
	struct alerts *a = mem_alloc(sizeof(*a));
	if (!a)
		return err_set(err, ERR_MEMORY, "out of memory");
	a->opt = *opt;
	pthread_mutex_init(&a->lock, NULL);
	clock_cond_init(&a->wake);
	int rc = pthread_create(&a->thread, NULL, alerts_main, a);
	if (rc) {
		alerts_free(a);
		return err_errno(err, ERR_SYSTEM, rc, "cannot start the mailer");
	}
	a->has_thread = true;
	*ret = a;
	return true;
}

void alerts_free(struct alerts *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stopping = true;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	if (a->has_thread)
		pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
	mem_free(a);
}
