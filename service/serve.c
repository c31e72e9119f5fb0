/*
 * serve.c: puts the service together, part by part, and takes it down in the reverse order.
 * Guarantees that a part is only started when those below it stand, and that a stop hands back what
 * was not begun. Holds no logic of its own.
 */
#include "base/base.h"

#include "serve.h"

#include <ctype.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/xml.h"
#include "http/server.h"
#include "keyfile.h"
#include "net/http.h"
#include "net/redis.h"
#include "notify.h"
#include "queue/queue.h"
#include "registry.h"
#include "store/store.h"
#include "worker/alerts.h"
#include "worker/pool.h"

#define REDIS_START_MS 10000
#define MAX_HOSTS 64
#define REDIS_SPARE 8 /* the connections that threads have for themselves (queue_reserve) */
#define FILES_SPARE 64
#define SILENCE_MAX_MS 30000 /* longer than any wait for Redis */

struct service {
	const struct config *cfg;
	struct seal_key key;
	struct redis_server *private_redis;
	struct redis_pool *pool;
	struct redis_health health;
	struct queue *queue;
	struct store *store;
	struct http_guard guard;
	char *hosts_text;
	const char *hosts[MAX_HOSTS + 1];
	struct pool *workers;
	struct alerts *alerts;
	struct http_server *http;
	struct metrics *metrics;
	struct arena *arena; /* process lifetime */
};

static bool make_data_dir(const char *path, struct err *err)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_errno(err, ERR_SYSTEM, errno,
				 "cannot make the data folder %s (VIESTI_DATA_DIR)", path);
	if (access(path, W_OK | X_OK) != 0)
		return err_errno(err, ERR_SYSTEM, errno,
				 "cannot write in the data folder %s (VIESTI_DATA_DIR)", path);
	return true;
}

/* A Redis that wants another client certificate ends the connection without a word. */
static bool say_away(const struct config *cfg, struct err *err)
{
	bool is_tls = secret_is_set(&cfg->redis_url) &&
		      strncasecmp(cfg->redis_url.p, "rediss://", 9) == 0;
	const char *hint = !is_tls ? ""
			   : secret_is_set(&cfg->redis_cert)
				   ? " (does it accept the certificate in VIESTI_REDIS_CERT?)"
				   : " (does it want a client certificate? VIESTI_REDIS_CERT)";
	return err_wrap(err, "no answer in %d s%s", REDIS_START_MS / 1000, hint);
}

/* Until Redis answers and has read its data, at most REDIS_START_MS. */
static bool wait_for_redis(struct service *s, struct err *err)
{
	int64_t until = clock_mono_ms() + REDIS_START_MS;
	while (!redis_check(s->pool, s->arena, &s->health, err)) {
		if (err->code != ERR_OUTAGE)
			return false;
		if (clock_mono_ms() > until)
			return say_away(s->cfg, err);
		clock_sleep_ms(5);
	}
	if (!s->health.usable)
		return err_set(err, ERR_INPUT, "this Redis cannot be used: %s", s->health.text);
	return true;
}

static void redis_restarted(void *ctx, const char *how, bool started)
{
	(void)ctx; /* the log is the process's */
	log_event(started ? LOG_WARN : LOG_ERROR,
		  started ? "redis_restarted" : "redis_restart_failed", LOG_S("text", how));
}

static bool start_redis(struct service *s, struct err *err)
{
	const struct config *cfg = s->cfg;
	const char *url = cfg->redis_url.p;
	if (!secret_is_set(&cfg->redis_url)) {
		const struct redis_server_options so = { .program = cfg->redis_server,
							 .data_dir = cfg->data_dir,
							 .restarted = redis_restarted };
		if (!redis_server_start(&so, &s->private_redis, err))
			return false;
		url = redis_server_url(s->private_redis);
	}
	const struct redis_options opt = { .url = url,
					   .ca = cfg->redis_ca.p,
					   .cert = cfg->redis_cert.p,
					   .cert_key = cfg->redis_cert_key.p,
					   .prefix = cfg->redis_prefix,
					   .pool_size = (unsigned)cfg->redis_pool + REDIS_SPARE };
	return redis_pool_new(&opt, &s->pool, err) && wait_for_redis(s, err);
}

static bool start_store(struct service *s, struct err *err)
{
	const struct config *cfg = s->cfg;
	const struct store_options so = { .pool = s->pool,
					  .key = &s->key,
					  .data_dir = cfg->data_dir,
					  .is_private = s->private_redis != NULL };
	struct store_epoch epoch;
	if (!store_new(&so, &s->store, err))
		return false;
	const struct queue_options qo = { .pool = s->pool,
					  .store = s->store,
					  .key = &s->key,
					  .lease_ms = cfg->lease_ms,
					  .quiet_ms = cfg->quiet_ms,
					  .retention_ms = cfg->retention_done_ms,
					  .record_ms = cfg->retention_record_ms,
					  .poll_interval_ms = cfg->poll_interval_ms };
	if (!queue_new(&qo, &s->queue, err) || !store_sync(s->store, err) ||
	    !store_refresh(s->store, err))
		return false;
	store_epoch_get(s->store, &epoch);
	const char *lost = store_lost(s->store);
	if (lost)
		log_event(LOG_WARN, "redis_lost_data", LOG_S("epoch", epoch.id),
			  LOG_S("text", lost));
	return true;
}

/* The first admin token: the one given, or one that is made and shown once (DESIGN §5). */
static bool first_token(struct service *s, struct err *err)
{
	struct token t = { .name = "admin", .role = ROLE_ADMIN };
	char plain[TOKEN_TEXT_MAX], id[17];
	const struct secret *given = &s->cfg->admin_token;
	if (secret_is_set(given))
		return store_token_create(s->store, &t, given->p, plain, id, err);
	struct token *have;
	size_t n;
	if (!store_token_list(s->store, s->arena, &have, &n, err))
		return false;
	if (n > 0)
		return true;
	if (!store_token_create(s->store, &t, NULL, plain, id, err))
		return false;
	fprintf(stderr, "viesti: first admin token (shown only now): %s\n", plain);
	secret_wipe(plain, sizeof(plain));
	return true;
}

static bool add_vendors(struct service *s, size_t *n, struct err *err)
{
	for (size_t i = 0; systems[i]; i++)
		for (size_t k = 0; k < systems[i]->n_options; k++) {
			const struct option *opt = &systems[i]->options[k];
			const char *values = s->cfg->systems.of[i];
			if (opt->type != OPTION_URL)
				continue;
			const char *url = *(const char *const *)(const void *)(values +
									       opt->offset);
			if (!url[0]) /* each connection has its own */
				continue;
			if (*n >= MAX_HOSTS)
				return err_set(err, ERR_INPUT, "more than %d hosts", MAX_HOSTS);
			if (!http_url_host(s->arena, url, &s->hosts[(*n)++], err))
				return err_wrap(err, "%s", opt->name);
		}
	return true;
}

/* The hosts that may be called: those of the vendors' base URLs, and those of VIESTI_ALLOW_HOSTS.
 */
static bool set_guard(struct service *s, struct err *err)
{
	const struct config *cfg = s->cfg;
	size_t n = 0;
	if (!add_vendors(s, &n, err))
		return false;
	char *text = arena_strdup(s->arena, cfg->allow_hosts ? cfg->allow_hosts : "");
	if (!text)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (char *word = text, *end; word && *word; word = end) {
		end = strchr(word, ',');
		if (end)
			*end++ = '\0';
		while (isspace((unsigned char)*word))
			word++;
		for (char *c = word; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (n >= MAX_HOSTS)
			return err_set(err, ERR_INPUT,
				       "VIESTI_ALLOW_HOSTS and the vendors are more than %d hosts",
				       MAX_HOSTS);
		s->hosts[n++] = word;
	}
	s->guard = (struct http_guard) { .allow_hosts = s->hosts,
					 .allow_private = cfg->allow_private,
					 .allow_http = cfg->allow_http,
					 .connect_timeout_ms = cfg->connect_timeout_ms,
					 .request_timeout_ms = cfg->request_timeout_ms };
	return true;
}

static bool start_workers(struct service *s, struct err *err)
{
	const struct config *cfg = s->cfg;
	const struct pool_options opt = { .queue = s->queue,
					  .metrics = s->metrics,
					  .store = s->store,
					  .flows = flows,
					  .systems = &cfg->systems,
					  .guard = &s->guard,
					  .public_url = cfg->public_url,
					  .key = &s->key,
					  .workers = cfg->workers,
					  .lease_ms = cfg->lease_ms,
					  .beat_ms = cfg->beat_ms,
					  .quiet_ms = cfg->quiet_ms,
					  .retry_first_ms = cfg->retry_first_ms,
					  .retry_cap_ms = cfg->retry_cap_ms,
					  .retry_max_age_ms = cfg->retry_max_age_ms,
					  .retest_ms = cfg->retest_interval_ms };
	return pool_start(&opt, &s->workers, err);
}

/* Only where a mail server is named. */
static bool start_alerts(struct service *s, struct err *err)
{
	const struct config *cfg = s->cfg;
	const struct alerts_options opt = {
		.store = s->store,
		.server = { .hosts = cfg->smtp_hosts,
			    .tls = (enum mail_tls)cfg->smtp_tls,
			    .user = cfg->smtp_user,
			    .password = &cfg->smtp_password,
			    .from = cfg->mail_from,
			    .ca = &cfg->smtp_ca },
		.wait_ms = cfg->mail_wait_ms,
		.gap_ms = cfg->mail_interval_ms,
	};
	if (!cfg->smtp_hosts[0])
		return true;
	if (!mail_is_address(span_of(cfg->mail_from)))
		return err_set(err, ERR_INPUT, "VIESTI_MAIL_FROM is not a mail address: %s",
			       cfg->mail_from);
	return alerts_start(&opt, &s->alerts, err);
}

static enum redis_durability durability(void *ctx)
{
	const struct service *s = ctx;
	return store_durability(s->store);
}

/* What /readyz tells beyond Redis and the server itself. A record that cannot be opened stops its
 * own connection only. */
static size_t checks(void *ctx, struct http_check *ret, size_t max)
{
	const struct service *s = ctx;
	struct redis_health health;
	struct store_trouble t;
	struct pool_silence silence;
	assert(max >= 4);
	store_health_get(s->store, &health);
	store_trouble_get(s->store, &t);
	pool_silence(s->workers, &silence);
	const char *vault = *t.vault ? t.vault : t.mark;
	ret[0] = (struct http_check) { .name = "redis_settings", .ok = health.usable };
	ret[1] = (struct http_check) { .name = "vault", .ok = !*vault };
	ret[2] = (struct http_check) { .name = "connections",
				       .ok = t.n_unopened == 0,
				       .is_advice = true };
	ret[3] = (struct http_check) { .name = "workers", .ok = silence.ms < SILENCE_MAX_MS };
	snprintf(ret[0].detail, sizeof(ret[0].detail), "%s", health.text);
	if (*vault)
		snprintf(ret[1].detail, sizeof(ret[1].detail),
			 "connections and tokens are not backed up, see to room and rights in "
			 "VIESTI_DATA_DIR: %s",
			 vault);
	if (t.n_unopened)
		snprintf(ret[2].detail, sizeof(ret[2].detail),
			 "%zu stand still, replace them (PUT): %s", t.n_unopened, t.unopened);
	if (!ret[3].ok)
		snprintf(ret[3].detail, sizeof(ret[3].detail),
			 "the %s has not been heard of for %" PRId64 " s: restart this process",
			 silence.thread, silence.ms / 1000);
	return 4;
}

static bool start_http(struct service *s, struct err *err)
{
	const struct http_server_options opt = { .cfg = s->cfg,
						 .systems = &s->cfg->systems,
						 .pool = s->pool,
						 .queue = s->queue,
						 .store = s->store,
						 .flows = flows,
						 .key = &s->key,
						 .metrics = s->metrics,
						 .durability = durability,
						 .checks = checks,
						 .ctx = s };
	return http_server_new(&opt, &s->http, err);
}

/* Everything below the threads. */
static bool open_service(struct service *s, const struct config *cfg, struct err *err)
{
	bool made = false;
	*s = (struct service) { .cfg = cfg, .arena = arena_new((size_t)4 << 20) };
	if (!s->arena)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!make_data_dir(cfg->data_dir, err) ||
	    !keyfile_load(&cfg->key, cfg->data_dir, &s->key, &made, err))
		return false;
	if (made)
		log_event(LOG_WARN, "key_made", LOG_S("file", cfg->data_dir),
			  LOG_S("text", "a key was made in the data folder; keep a copy: without "
					"it credentials are lost"));
	s->metrics = metrics_new();
	xml_global_init();
	return http_global_init(err) && set_guard(s, err) && start_redis(s, err) &&
	       start_store(s, err);
}

static void close_service(struct service *s)
{
	http_server_free(s->http);
	pool_free(s->workers);
	queue_free(s->queue);
	store_free(s->store);
	redis_pool_free(s->pool);
	redis_server_stop(s->private_redis);
	http_global_release();
	xml_global_release();
	secret_wipe(&s->key, sizeof(s->key));
	metrics_free(s->metrics);
	arena_free(s->arena);
}

static int complain(const char *event, const struct err *err)
{
	log_err(LOG_ERROR, event, err);
	fprintf(stderr, "viesti: %s\n", err->message);
	return 1;
}

/*
 * As process 1 of a container we are also the parent of whatever lost its own, such as the rewriter
 * of a Redis that was killed. Those fall to the main thread; the private Redis is the child of its
 * supervisor, which alone waits for it.
 */
static void reap_orphans(void)
{
	while (waitpid(-1, NULL, WNOHANG | __WNOTHREAD) > 0)
		continue;
}

static void wait_for_signal(void)
{
	sigset_t set;
	int sig;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	while (sigwait(&set, &sig) != 0 || sig == SIGCHLD)
		reap_orphans();
	log_event(LOG_INFO, "stopping", LOG_I("signal", sig));
}

/* Before any thread, so that all inherit it. */
static void block_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* inherited as ignored, no child could be waited for */
}

/* Sockets of clients, of Redis and of vendors. Without it a full house is an accept that fails. */
static void raise_file_limit(const struct config *cfg)
{
	struct rlimit limit;
	rlim_t want = (rlim_t)cfg->max_connections + (rlim_t)cfg->redis_pool + REDIS_SPARE +
		      2 * (rlim_t)cfg->workers + FILES_SPARE;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
		return;
	limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < want)
		log_event(LOG_WARN, "file_limit", LOG_I("may_open", (int64_t)limit.rlim_max),
			  LOG_I("wanted", (int64_t)want),
			  LOG_S("text", "raise the limit of open files (LimitNOFILE, ulimit -n), "
					"or lower VIESTI_MAX_CONNECTIONS"));
}

static void tell_supervisor(const char *state)
{
	struct err err = ERR_INIT;
	if (!notify_supervisor(state, &err))
		log_err(LOG_WARN, "supervisor_not_told", &err);
}

static void say_ready(const struct service *s, int64_t began_ms)
{
	const char *address = s->cfg->listen;
	bool v6 = strchr(address, ':');
	char state[256];
	snprintf(state, sizeof(state), "READY=1\nSTATUS=Serving at http://%s%s%s:%u", v6 ? "[" : "",
		 address, v6 ? "]" : "", http_server_port(s->http));
	log_event(LOG_INFO, "ready", LOG_S("address", address),
		  LOG_I("port", http_server_port(s->http)), LOG_I("ms", clock_mono_ms() - began_ms),
		  LOG_S("redis", s->health.version),
		  LOG_S("durability", redis_durability_name(s->health.durability)),
		  LOG_S("redis_verdict", s->health.text));
	tell_supervisor(state);
}

int serve(const struct config *cfg)
{
	struct service s;
	struct err err = ERR_INIT;
	int64_t began_ms = clock_mono_ms();
	int status = 0;

	block_signals();
	raise_file_limit(cfg);
	bool ok = open_service(&s, cfg, &err) && first_token(&s, &err) &&
		  store_refresh(s.store, &err) && start_workers(&s, &err) &&
		  start_alerts(&s, &err) && start_http(&s, &err);
	if (ok) {
		say_ready(&s, began_ms);
		wait_for_signal();
		tell_supervisor("STOPPING=1");
		http_server_stop(s.http);
	} else {
		status = complain("start_failed", &err);
	}
	pool_stop(s.workers, cfg->shutdown_grace_ms);
	alerts_free(s.alerts);
	s.alerts = NULL;
	close_service(&s);
	if (ok)
		log_event(LOG_INFO, "stopped", LOG_I("status", status));
	return status;
}

int serve_check(const struct config *cfg)
{
	struct service s;
	struct err err = ERR_INIT;
	int status = 0;
	block_signals();
	if (open_service(&s, cfg, &err))
		printf("settings: ok\nkey: %s\nredis: %s %s, durability %s\n%s\n", s.key.id,
		       s.health.flavor, s.health.version,
		       redis_durability_name(s.health.durability), s.health.text);
	else
		status = complain("check_failed", &err);
	close_service(&s);
	return status;
}

int serve_token(const struct config *cfg, const char *name, const char *role)
{
	struct service s;
	struct err err = ERR_INIT;
	struct token t = { 0 };
	char plain[TOKEN_TEXT_MAX], id[17];
	int status = 0;
	if (!token_role_parse(span_of(role), &t.role)) {
		fprintf(stderr, "viesti: role is viewer, operator or admin, not \"%s\"\n", role);
		return 2;
	}
	snprintf(t.name, sizeof(t.name), "%s", name);
	block_signals();
	if (open_service(&s, cfg, &err) && store_token_create(s.store, &t, NULL, plain, id, &err))
		printf("%s\n", plain);
	else
		status = complain("token_failed", &err);
	close_service(&s);
	return status;
}

int serve_healthcheck(const struct config *cfg)
{
	struct err err = ERR_INIT;
	struct http_client *client = NULL;
	struct http_reply reply;
	enum http_reach reach;
	char url[128];
	const struct http_guard guard = { .allow_private = true,
					  .allow_http = true,
					  .connect_timeout_ms = 2000,
					  .request_timeout_ms = 3000 };
	bool any = strcmp(cfg->listen, "0.0.0.0") == 0 || strcmp(cfg->listen, "::") == 0;
	bool v6 = !any && strchr(cfg->listen, ':');
	snprintf(url, sizeof(url), "http://%s%s%s:%d/healthz", v6 ? "[" : "",
		 any ? "127.0.0.1" : cfg->listen, v6 ? "]" : "", cfg->port);
	struct http_request rq = { .method = "GET", .url = url, .max_reply_bytes = 65536 };
	struct arena *arena = arena_new((size_t)1 << 20);
	bool ok = arena && http_global_init(&err) && http_client_new(&guard, &client, &err);
	if (ok) {
		struct http_transport *t = http_client_transport(client);
		ok = t->perform(t, arena, &rq, &reply, &reach, &err);
		if (ok && reply.status != 200)
			ok = err_set(&err, ERR_OUTAGE, "%s answered %d", url, reply.status);
	}
	if (!ok)
		fprintf(stderr, "viesti: %s\n", err.message);
	http_client_free(client);
	http_global_release();
	arena_free(arena);
	return ok ? 0 : 1;
}
