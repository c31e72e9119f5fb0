/* sync_fixture.c: see sync_fixture.h. */
#include "base/base.h"
#include "sync_fixture.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/http.h"
#include "worker/run.h"

static const struct http_guard guard;
static const struct system_values values;
static const struct flow *const flows[] = { &world_flow, NULL };

struct sync_fixture sf;

static bool put_connection(struct store *s, struct err *err)
{
	const struct connection_draft d = { .id = "c",
					    .flow = "world",
					    .name = "c",
					    .settings = "{}",
					    .schedule = "{\"interval_s\":86400}",
					    .pause_reason = "",
					    .state = CONNECTION_ACTIVE,
					    .created_ms = 1,
					    .activated_ms = 1,
					    .credentials = SPAN_LIT("{}") };
	CLEANUP(connection_unref) struct connection *known = store_find(s, "c");
	return known || store_connection_put(s, &d, NULL, err);
}

bool open_relay(struct relay *r, struct err *err)
{
	const struct redis_options ro = { .url = sf.fx.url, .prefix = "t", .pool_size = 8 };
	if (!redis_pool_new(&ro, &r->redis, err))
		return false;
	const struct store_options so = { .pool = r->redis, .key = &sf.key };
	if (!store_new(&so, &r->store, err) || !store_sync(r->store, err) ||
	    !store_refresh(r->store, err) || !put_connection(r->store, err))
		return false;
	const struct queue_options qo = { .pool = r->redis,
					  .store = r->store,
					  .key = &sf.key,
					  .lease_ms = LEASE_MS,
					  .quiet_ms = sf.quiet_ms };
	if (!queue_new(&qo, &r->queue, err))
		return false;
	r->pool = (struct pool_options) { .queue = r->queue,
					  .store = r->store,
					  .flows = flows,
					  .systems = &values,
					  .guard = &guard,
					  .workers = 4,
					  .lease_ms = LEASE_MS,
					  .beat_ms = 40,
					  .quiet_ms = sf.quiet_ms,
					  .retry_first_ms = 20,
					  .retry_cap_ms = 100,
					  .retry_max_age_ms = sf.max_age_ms,
					  .retest_ms = 50 };
	return true;
}

void close_relay(struct relay *r)
{
	queue_free(r->queue);
	store_free(r->store);
	redis_pool_free(r->redis);
}

bool turn(struct relay *r, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new((size_t)1 << 20);
	struct run_context ctx = { .opt = &r->pool };
	struct queue_job job;
	struct queue_tick tick;
	size_t n = 0;
	if (!queue_tick(r->queue, &tick, err) || !queue_claim(r->queue, arena, 1, &job, &n, err) ||
	    n == 0)
		return false;
	struct run *run = run_new((size_t)64 << 20);
	assert(run);
	bool taken = run_take(run, &job, clock_mono_ms());
	assert(taken);
	run_attempt(run, &ctx);
	bool stored = queue_finish(r->queue, &run->outcome, 1, err);
	run_free(run);
	return stored;
}

int relay_until_over(const char *id)
{
	struct relay r = { .redis = NULL };
	struct err err = ERR_INIT;
	if (!open_relay(&r, &err)) {
		fprintf(stderr, "relay: %s\n", err.message);
		return 1;
	}
	for (int64_t until = clock_mono_ms() + WAIT_MS;;) {
		CLEANUP(arena_free) struct arena *arena = arena_new((size_t)1 << 20);
		struct register_run run = { .ended_ms = 0 };
		if (!turn(&r, &err))
			clock_sleep_ms(5);
		if (!queue_run_get(r.queue, arena, id, &run, &err) || run.ended_ms)
			return run.ended_ms ? 0 : 1;
		if (clock_mono_ms() > until) {
			fprintf(stderr, "the run stands in %s, %s %s: %s\n", run.place.reg,
				run_phase_name(run.place.phase), run_state_name(run.state),
				run.error_code);
			return 1;
		}
	}
}

int in_child(int (*work)(const char *), const char *id)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0)
		_exit(work(id));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void order_run(const char *registers, enum run_kind kind, char ret_id[RUN_ID_MAX])
{
	struct relay r;
	struct err err = ERR_INIT;
	struct run_receipt got;
	const struct run_order order = {
		.conn = "c", .flow = "world", .registers = registers, .trigger = "api", .kind = kind
	};
	if (!open_relay(&r, &err) || !queue_run_new(r.queue, &order, &got, &err))
		fail_msg("%s", err.message);
	snprintf(ret_id, RUN_ID_MAX, "%s", got.id);
	close_relay(&r);
}

struct register_run read_run(const char *id)
{
	struct relay r;
	struct err err = ERR_INIT;
	struct register_run run;
	if (!open_relay(&r, &err) || !queue_run_get(r.queue, sf.arena, id, &run, &err))
		fail_msg("%s", err.message);
	close_relay(&r);
	return run;
}

struct register_run run_all(const char *registers, enum run_kind kind)
{
	char id[RUN_ID_MAX];
	order_run(registers, kind, id);
	assert_int_equal(in_child(relay_until_over, id), 0);
	return read_run(id);
}

int64_t count(const struct register_run *run, const char *reg, enum run_count c)
{
	for (size_t i = 0; i < run->n_registers; i++)
		if (strcmp(run->registers[i].name, reg) == 0)
			return run->registers[i].counts[c];
	fail_msg("no register %s", reg);
	return -1;
}

void fill(int products, int customers, int cards)
{
	const int n[] = { products, customers, cards };
	char code[24], name[40];
	for (size_t k = 0; k < ARRAY_SIZE(n); k++)
		for (int i = 0; i < n[k]; i++) {
			snprintf(code, sizeof(code), "K%zu-%d", k, i);
			snprintf(name, sizeof(name), "name %d", i);
			world_put(sf.world, (enum world_kind)k, AT_LEFT, code, name, "a@b.example");
		}
}

void assert_each_once(void)
{
	for (size_t k = 0; k < N_WORLD_KINDS; k++)
		for (int i = 0; i < sf.world->sides[k][AT_LEFT].n; i++) {
			const char *code = sf.world->sides[k][AT_LEFT].records[i].code;
			int n = world_count(sf.world, (enum world_kind)k, AT_RIGHT, code);
			if (n != 1)
				fail_msg("%s stands %d times at the target", code, n);
		}
	for (size_t k = 0; k < N_WORLD_KINDS; k++)
		assert_int_equal(sf.world->sides[k][AT_LEFT].n, sf.world->sides[k][AT_RIGHT].n);
}

struct register_run turn_until_running(struct relay *r, const char *id)
{
	struct err err = ERR_INIT;
	struct register_run run = { .state = RUN_QUEUED };
	int64_t until = clock_mono_ms() + WAIT_MS;
	while (run.state == RUN_QUEUED && clock_mono_ms() < until) {
		if (!turn(r, &err))
			clock_sleep_ms(5);
		assert_true(queue_run_get(r->queue, sf.arena, id, &run, &err));
	}
	return run;
}

const struct world_record *customer(enum world_side side, const char *code)
{
	const struct world_record *r = world_get(sf.world, KIND_CUSTOMER, side, code);
	assert_non_null(r);
	return r;
}

int64_t standing(const char *reg)
{
	struct relay r;
	struct err err = ERR_INIT;
	struct register_standing *list;
	struct standing_page page;
	size_t n = 0;
	int64_t sum = 0;
	assert_true(open_relay(&r, &err));
	assert_true(queue_register_standing(r.queue, sf.arena, "c", reg, &list, &n, &err));
	assert_true(queue_register_records(r.queue, sf.arena, "c", reg, NULL, 50, &page, &err));
	close_relay(&r);
	for (size_t i = 0; i < n; i++)
		sum += list[i].n;
	assert_int_equal(sum, page.n);
	return sum;
}

int go_on_until(const char *id, int event)
{
	sf.world->die_at = event;
	int code = in_child(relay_until_over, id);
	sf.world->die_at = 0;
	return code;
}

int sync_set_up(void **state)
{
	(void)state;
	world_clear(sf.world);
	arena_clear(sf.arena);
	sf.quiet_ms = QUIET_MS;
	sf.max_age_ms = 60000;
	return redis_fixture_flush(&sf.fx) ? 0 : -1;
}

int sync_start(void **state)
{
	struct err err = ERR_INIT;
	(void)state;
	log_init(STDERR_FILENO, LOG_OFF);
	seal_key_random(&sf.key);
	sf.arena = arena_new((size_t)16 << 20);
	sf.world = world_new();
	if (!sf.arena || !sf.world || !http_global_init(&err))
		return -1;
	world_use(sf.world);
	return redis_fixture_start(&sf.fx) ? 0 : -1;
}

int sync_stop(void **state)
{
	(void)state;
	redis_fixture_stop(&sf.fx);
	world_free(sf.world);
	arena_free(sf.arena);
	http_global_release();
	return 0;
}
