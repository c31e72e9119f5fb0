/*
 * test_sync.c: runs of register syncs on a real Redis, against two systems in shared memory
 * (sync_world.h). The slices are driven by hand in child processes, so that one can end at any
 * call; a worker pool drives them at the end.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/http.h"
#include "queue/runs.h"
#include "redis_fixture.h"
#include "sync_world.h"
#include "worker/pool.h"
#include "worker/run.h"

#define QUIET_MS 120
#define LEASE_MS 120
#define TURNS_MAX 400

static const struct http_guard guard;
static const struct system_values values;
static const struct flow *const flows[] = { &world_flow, NULL };

static struct {
	struct redis_fixture fx;
	struct seal_key key;
	struct world *world;
	struct arena *arena;
	int64_t quiet_ms, max_age_ms;
} t;

/* One relay process's side of Redis. */
struct relay {
	struct redis_pool *redis;
	struct store *store;
	struct queue *queue;
	struct pool_options pool;
};

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

static bool open_relay(struct relay *r, struct err *err)
{
	const struct redis_options ro = { .url = t.fx.url, .prefix = "t", .pool_size = 8 };
	if (!redis_pool_new(&ro, &r->redis, err))
		return false;
	const struct store_options so = { .pool = r->redis, .key = &t.key };
	if (!store_new(&so, &r->store, err) || !store_sync(r->store, err) ||
	    !store_refresh(r->store, err) || !put_connection(r->store, err))
		return false;
	const struct queue_options qo = { .pool = r->redis,
					  .store = r->store,
					  .key = &t.key,
					  .lease_ms = LEASE_MS,
					  .quiet_ms = t.quiet_ms };
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
					  .quiet_ms = t.quiet_ms,
					  .retry_first_ms = 20,
					  .retry_cap_ms = 100,
					  .retry_max_age_ms = t.max_age_ms,
					  .retest_ms = 50 };
	return true;
}

static void close_relay(struct relay *r)
{
	queue_free(r->queue);
	store_free(r->store);
	redis_pool_free(r->redis);
}

/* Gives out one job and runs it; false: there was none. */
static bool turn(struct relay *r, struct err *err)
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

/* In a process of its own: goes on until the run is over. Its exit: 0 over, 9 killed, 1 failed. */
static int relay_until_over(const char *id)
{
	struct relay r = { .redis = NULL };
	struct err err = ERR_INIT;
	struct register_run run;
	if (!open_relay(&r, &err)) {
		fprintf(stderr, "relay: %s\n", err.message);
		return 1;
	}
	for (int i = 0; i < TURNS_MAX; i++) {
		CLEANUP(arena_free) struct arena *arena = arena_new((size_t)1 << 20);
		if (!turn(&r, &err))
			clock_sleep_ms(5);
		if (!queue_run_get(r.queue, arena, id, &run, &err) || run.ended_ms)
			return run.ended_ms ? 0 : 1;
	}
	fprintf(stderr, "the run stands in %s, %s %s: %s\n", run.place.reg,
		run_phase_name(run.place.phase), run_state_name(run.state), run.error_code);
	return 1;
}

static int in_child(int (*work)(const char *), const char *id)
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

#define ALL_REGISTERS "products customers partners cards"

static void order_run(const char *registers, enum run_kind kind, char ret_id[RUN_ID_MAX])
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

static struct register_run read_run(const char *id)
{
	struct relay r;
	struct err err = ERR_INIT;
	struct register_run run;
	if (!open_relay(&r, &err) || !queue_run_get(r.queue, t.arena, id, &run, &err))
		fail_msg("%s", err.message);
	close_relay(&r);
	return run;
}

static struct register_run run_all(const char *registers, enum run_kind kind)
{
	char id[RUN_ID_MAX];
	order_run(registers, kind, id);
	assert_int_equal(in_child(relay_until_over, id), 0);
	return read_run(id);
}

static int64_t count(const struct register_run *run, const char *reg, enum run_count c)
{
	for (size_t i = 0; i < run->n_registers; i++)
		if (strcmp(run->registers[i].name, reg) == 0)
			return run->registers[i].counts[c];
	fail_msg("no register %s", reg);
	return -1;
}

static void fill(int products, int customers, int cards)
{
	const int n[] = { products, customers, cards };
	char code[24], name[40];
	for (size_t k = 0; k < ARRAY_SIZE(n); k++)
		for (int i = 0; i < n[k]; i++) {
			snprintf(code, sizeof(code), "K%zu-%d", k, i);
			snprintf(name, sizeof(name), "name %d", i);
			world_put(t.world, (enum world_kind)k, AT_LEFT, code, name, "a@b.example");
		}
}

static void assert_each_once(void)
{
	for (size_t k = 0; k < N_WORLD_KINDS; k++)
		for (int i = 0; i < t.world->sides[k][AT_LEFT].n; i++) {
			const char *code = t.world->sides[k][AT_LEFT].records[i].code;
			int n = world_count(t.world, (enum world_kind)k, AT_RIGHT, code);
			if (n != 1)
				fail_msg("%s stands %d times at the target", code, n);
		}
	for (size_t k = 0; k < N_WORLD_KINDS; k++)
		assert_int_equal(t.world->sides[k][AT_LEFT].n, t.world->sides[k][AT_RIGHT].n);
}

/* A slice of it was run; the connection's poll may have come first. */
static struct register_run turn_until_running(struct relay *r, const char *id)
{
	struct err err = ERR_INIT;
	struct register_run run = { .state = RUN_QUEUED };
	for (int i = 0; i < TURNS_MAX && run.state == RUN_QUEUED; i++) {
		if (!turn(r, &err))
			clock_sleep_ms(5);
		assert_true(queue_run_get(r->queue, t.arena, id, &run, &err));
	}
	return run;
}

/* --- tests --- */

static void test_PC_04_PC_05_new_records_are_created_once(void **state)
{
	(void)state;
	fill(7, 5, 4);
	struct register_run run = run_all(ALL_REGISTERS, RUN_CHANGES);
	assert_int_equal(run.state, RUN_DONE);
	assert_int_equal(count(&run, "products", RUN_SEEN_N), 7);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 7);
	assert_int_equal(count(&run, "customers", RUN_CREATED_N), 5);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 4);
	/* PC-06: our own creations do not come back. */
	assert_int_equal(count(&run, "partners", RUN_UNCHANGED_N), 5);
	assert_each_once();
	int writes = world_writes(t.world);
	assert_int_equal(writes, 16);
	/* The target was listed, and nothing was asked for one by one. */
	assert_int_equal(t.world->sides[KIND_PRODUCT][AT_RIGHT].finds, 0);
	run = run_all(ALL_REGISTERS, RUN_EVERYTHING);
	assert_int_equal(count(&run, "products", RUN_UNCHANGED_N), 7);
	assert_int_equal(world_writes(t.world), writes);
	/* Later changes are not pushed (products), or are (cards). */
	world_put(t.world, KIND_PRODUCT, AT_LEFT, "K0-1", "renamed", "");
	world_put(t.world, KIND_CARD, AT_LEFT, "K2-1", "renamed", "a@b.example");
	world_put(t.world, KIND_PRODUCT, AT_LEFT, "K0-new", "new", "");
	run = run_all(ALL_REGISTERS, RUN_CHANGES);
	assert_string_equal(world_get(t.world, KIND_PRODUCT, AT_RIGHT, "K0-1")->name, "name 1");
	assert_string_equal(world_get(t.world, KIND_CARD, AT_RIGHT, "K2-1")->name, "renamed");
	assert_int_equal(count(&run, "cards", RUN_UPDATED_N), 1);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 1);
	assert_int_equal(world_writes(t.world), writes + 2);
	assert_each_once();
}

static void test_PC_06_an_edit_comes_back_once_and_never_returns(void **state)
{
	(void)state;
	fill(1, 4, 0);
	(void)run_all(ALL_REGISTERS, RUN_CHANGES);
	world_put(t.world, KIND_CUSTOMER, AT_RIGHT, "K1-2", "edited at the right", "x@y.example");
	world_put(t.world, KIND_CUSTOMER, AT_RIGHT, "K1-there", "made at the right", "");
	int writes = world_writes(t.world);
	struct register_run run = run_all(ALL_REGISTERS, RUN_CHANGES);
	assert_int_equal(count(&run, "partners", RUN_UPDATED_N), 1);
	assert_int_equal(count(&run, "partners", RUN_CREATED_N), 1);
	assert_string_equal(world_get(t.world, KIND_CUSTOMER, AT_LEFT, "K1-2")->name,
			    "edited at the right");
	assert_int_equal(world_count(t.world, KIND_CUSTOMER, AT_LEFT, "K1-there"), 1);
	assert_int_equal(world_writes(t.world), writes + 2);
	for (int i = 0; i < 2; i++) {
		run = run_all(ALL_REGISTERS, i ? RUN_EVERYTHING : RUN_CHANGES);
		assert_int_equal(world_writes(t.world), writes + 2);
	}
	assert_each_once();
}

static const struct world_record *customer(enum world_side side, const char *code)
{
	const struct world_record *r = world_get(t.world, KIND_CUSTOMER, side, code);
	assert_non_null(r);
	return r;
}

/* Nobody remembers how the pairs stood: what differs is an edit of that time, what is the same is
 * none, and what only one side has is not emptied there. */
static void test_PC_06_an_edit_of_the_time_when_redis_was_emptied_comes_back(void **state)
{
	(void)state;
	t.world->keeps_names = true;
	fill(1, 4, 0);
	(void)run_all(ALL_REGISTERS, RUN_CHANGES);
	world_put(t.world, KIND_CUSTOMER, AT_RIGHT, "K1-2", "edited at the right", "a@b.example");
	world_put(t.world, KIND_CUSTOMER, AT_RIGHT, "K1-3", "name 3", "");
	int writes = world_writes(t.world);
	assert_true(redis_fixture_flush(&t.fx));
	struct register_run run = run_all(ALL_REGISTERS, RUN_CHANGES);
	assert_int_equal(count(&run, "customers", RUN_LINKED_N), 4);
	assert_int_equal(count(&run, "partners", RUN_UPDATED_N), 1);
	assert_string_equal(customer(AT_LEFT, "K1-2")->name, "edited at the right");
	assert_string_equal(customer(AT_LEFT, "K1-3")->mail, "a@b.example");
	assert_int_equal(world_writes(t.world), writes + 1);
	(void)run_all(ALL_REGISTERS, RUN_EVERYTHING);
	assert_int_equal(world_writes(t.world), writes + 1);
	assert_each_once();
}

/* The answer to the creation was lost, and somebody was quicker than the next look-up. */
static void test_PC_06_an_edit_before_a_creation_in_doubt_is_found_comes_back(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	t.world->keeps_names = true;
	t.world->cut_creates = 2;
	fill(0, 2, 0);
	order_run("customers partners", RUN_CHANGES, id);
	struct relay r;
	struct err err = ERR_INIT;
	assert_true(open_relay(&r, &err));
	(void)turn_until_running(&r, id);
	close_relay(&r);
	assert_int_equal(t.world->sides[KIND_CUSTOMER][AT_RIGHT].n, 2);
	world_put(t.world, KIND_CUSTOMER, AT_RIGHT, "K1-1", "quick", "");
	assert_int_equal(in_child(relay_until_over, id), 0);
	struct register_run run = read_run(id);
	assert_int_equal(count(&run, "customers", RUN_LINKED_N), 2);
	assert_int_equal(count(&run, "partners", RUN_UPDATED_N), 1);
	assert_string_equal(customer(AT_LEFT, "K1-1")->name, "quick");
	assert_string_equal(customer(AT_LEFT, "K1-1")->mail, "");
	assert_each_once();
}

static void test_NV_05_an_emptied_field_empties_only_what_was_not_empty(void **state)
{
	(void)state;
	world_put(t.world, KIND_CARD, AT_LEFT, "had", "n", "a@b.example");
	world_put(t.world, KIND_CARD, AT_LEFT, "had-none", "n", "");
	(void)run_all("cards", RUN_CHANGES);
	/* Somebody adds what the source never had. */
	world_put(t.world, KIND_CARD, AT_RIGHT, "had-none", "n", "by hand@b.example");
	world_put(t.world, KIND_CARD, AT_LEFT, "had", "n", "");
	world_put(t.world, KIND_CARD, AT_LEFT, "had-none", "renamed", "");
	/* There already, and never written by us. */
	world_put(t.world, KIND_CARD, AT_RIGHT, "found", "n", "by hand@b.example");
	world_put(t.world, KIND_CARD, AT_LEFT, "found", "renamed", "");
	struct register_run run = run_all("cards", RUN_LINKS);
	assert_string_equal(world_get(t.world, KIND_CARD, AT_RIGHT, "found")->mail,
			    "by hand@b.example");
	assert_string_equal(world_get(t.world, KIND_CARD, AT_RIGHT, "found")->name, "renamed");
	world_put(t.world, KIND_CARD, AT_LEFT, "found", "again", "");
	(void)run_all("cards", RUN_CHANGES);
	assert_string_equal(world_get(t.world, KIND_CARD, AT_RIGHT, "found")->mail,
			    "by hand@b.example");
	assert_int_equal(count(&run, "cards", RUN_UPDATED_N), 2);
	assert_string_equal(world_get(t.world, KIND_CARD, AT_RIGHT, "had")->mail, "");
	assert_string_equal(world_get(t.world, KIND_CARD, AT_RIGHT, "had-none")->mail,
			    "by hand@b.example");
	assert_string_equal(world_get(t.world, KIND_CARD, AT_RIGHT, "had-none")->name, "renamed");
}

static void test_registers_go_in_the_order_in_which_one_needs_the_other(void **state)
{
	(void)state;
	fill(1, 1, 0);
	t.world->logs_order = true;
	(void)run_all("partners customers products", RUN_CHANGES);
	const char *product = strstr(t.world->order, "products.create");
	const char *customer = strstr(t.world->order, "customers.create");
	const char *partner = strstr(t.world->order, "partners.list ");
	assert_non_null(product);
	assert_non_null(customer);
	assert_non_null(partner);
	assert_true(product < customer && customer < partner);
}

static void test_what_stands_at_the_target_is_linked_by_business_key(void **state)
{
	(void)state;
	fill(0, 0, 3);
	world_put(t.world, KIND_CARD, AT_RIGHT, "K2-0", "other name", "a@b.example");
	struct world_side_state *right = &t.world->sides[KIND_CARD][AT_RIGHT];
	world_put(t.world, KIND_CARD, AT_RIGHT, "K2-1", "one", "");
	world_put(t.world, KIND_CARD, AT_RIGHT, "twin", "two", "");
	snprintf(right->records[2].code, sizeof(right->records[2].code), "K2-1");
	struct register_run run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_LINKED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_FAILED_N), 1);
	assert_string_equal(world_get(t.world, KIND_CARD, AT_RIGHT, "K2-0")->name, "name 0");
	/* It says which, and why; and is tried again by itself, though nothing moved at the source.
	 */
	struct relay r;
	struct err err = ERR_INIT;
	struct run_failure *why;
	size_t n;
	assert_true(open_relay(&r, &err));
	assert_true(queue_run_failures(r.queue, t.arena, run.id, &why, &n, &err));
	close_relay(&r);
	assert_int_equal(n, 1);
	assert_string_equal(why[0].code, "several_matches");
	assert_int_equal(why[0].n, 1);
	assert_non_null(strstr(why[0].examples[0], "K2-1"));
	snprintf(right->records[2].code, sizeof(right->records[2].code), "mended");
	clock_sleep_ms(1100); /* what failed is not due again within a second */
	run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_LINKED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_FAILED_N), 0);
}

/* How many records stand still, by the counts and by the list. */
static int64_t standing(const char *reg)
{
	struct relay r;
	struct err err = ERR_INIT;
	struct register_standing *list;
	struct standing_page page;
	size_t n = 0;
	int64_t sum = 0;
	assert_true(open_relay(&r, &err));
	assert_true(queue_register_standing(r.queue, t.arena, "c", reg, &list, &n, &err));
	assert_true(queue_register_records(r.queue, t.arena, "c", reg, NULL, 50, &page, &err));
	close_relay(&r);
	for (size_t i = 0; i < n; i++)
		sum += list[i].n;
	assert_int_equal(sum, page.n);
	return sum;
}

static void test_a_record_that_lacks_data_waits_for_the_source(void **state)
{
	(void)state;
	world_put(t.world, KIND_CARD, AT_LEFT, "A", "bad", "");
	world_put(t.world, KIND_CARD, AT_LEFT, "B", "wait", "");
	world_put(t.world, KIND_CARD, AT_LEFT, "C", "skip", "");
	world_put(t.world, KIND_CARD, AT_LEFT, "D", "good", "");
	struct register_run run = run_all("cards", RUN_CHANGES);
	assert_int_equal(run.state, RUN_DONE);
	assert_int_equal(count(&run, "cards", RUN_FAILED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_WAITING_N), 1);
	assert_int_equal(count(&run, "cards", RUN_SKIPPED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 1);
	assert_int_equal(count(&run, "cards", RUN_SEEN_N), 4);
	assert_int_equal(standing("cards"), 2);
	run = run_all("cards", RUN_EVERYTHING);
	assert_int_equal(standing("cards"), 2);
	world_put(t.world, KIND_CARD, AT_LEFT, "A", "mended", "");
	world_put(t.world, KIND_CARD, AT_LEFT, "B", "ready", "");
	world_put(t.world, KIND_CARD, AT_LEFT, "C", "wanted", "");
	run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 3);
	assert_int_equal(standing("cards"), 0);
	assert_each_once();
}

/* What the mailer would mail now, without waiting for more; told: it has. */
static struct store_alert look_for_mail(bool is_told)
{
	struct relay r;
	struct err err = ERR_INIT;
	struct store_alert alert;
	assert_true(open_relay(&r, &err));
	if (!store_alert_scan(r.store, t.arena, "c", 0, 0, &alert, &err))
		fail_msg("%s", err.message);
	if (is_told && alert.kind != ALERT_NONE)
		assert_true(store_alert_done(r.store, t.arena, "c", &alert, &err));
	close_relay(&r);
	return alert;
}

static void put_bad(int n, const char *name)
{
	char code[24];
	for (int i = 0; i < n; i++) {
		snprintf(code, sizeof(code), "B-%d", i);
		world_put(t.world, KIND_CARD, AT_LEFT, code, name, "");
	}
}

static void test_MV_11_many_records_that_fail_are_one_line_of_one_mail(void **state)
{
	(void)state;
	put_bad(30, "bad");
	world_put(t.world, KIND_CARD, AT_LEFT, "W", "wait for it", "");
	assert_int_equal(look_for_mail(true).kind, ALERT_NONE);
	(void)run_all("cards", RUN_CHANGES);
	struct store_alert alert = look_for_mail(true);
	assert_int_equal(alert.kind, ALERT_FAILURES);
	assert_int_equal(alert.n_alarms, 1);
	assert_false(alert.alarms[0].is_run);
	assert_string_equal(alert.alarms[0].reg, "cards");
	assert_string_equal(alert.alarms[0].code, "customer_name_missing");
	assert_int_equal(alert.alarms[0].n, 30);
	assert_non_null(strstr(alert.alarms[0].json, "\"subject\":\"B-"));
	/* Told once; what is met again, or is the same of another record, is no news. */
	(void)run_all("cards", RUN_EVERYTHING);
	assert_int_equal(look_for_mail(true).kind, ALERT_NONE);
	put_bad(29, "mended");
	(void)run_all("cards", RUN_CHANGES);
	assert_int_equal(look_for_mail(true).kind, ALERT_NONE);
	put_bad(30, "mended");
	(void)run_all("cards", RUN_CHANGES);
	assert_int_equal(look_for_mail(true).kind, ALERT_RESOLVED);
	assert_int_equal(look_for_mail(true).kind, ALERT_NONE);
	/* Again: that is news. */
	put_bad(1, "bad");
	(void)run_all("cards", RUN_CHANGES);
	assert_int_equal(look_for_mail(false).n_alarms, 1);
}

static void test_MV_11_a_register_that_is_given_up_is_mailed(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	fill(1, 0, 1);
	t.max_age_ms = 50;
	t.world->is_away = true;
	order_run("products cards", RUN_CHANGES, id);
	assert_int_equal(in_child(relay_until_over, id), 0);
	assert_int_equal(read_run(id).state, RUN_FAILED);
	struct store_alert alert = look_for_mail(true);
	assert_int_equal(alert.kind, ALERT_FAILURES);
	assert_true(alert.n_alarms >= 2); /* the connection's poll has more of them */
	for (size_t i = 0; i < alert.n_alarms; i++) {
		assert_true(alert.alarms[i].is_run);
		assert_string_equal(alert.alarms[i].code, "outage");
		assert_non_null(strstr(alert.alarms[i].json, "away"));
	}
	assert_int_equal(look_for_mail(true).kind, ALERT_NONE);
	t.world->is_away = false;
	(void)run_all("products", RUN_CHANGES);
	assert_int_equal(look_for_mail(true).kind, ALERT_NONE);
	(void)run_all(ALL_REGISTERS " items", RUN_CHANGES);
	assert_int_equal(look_for_mail(true).kind, ALERT_RESOLVED);
}

/* DESIGN §4.6 */
static void test_PC_05_a_creation_in_doubt_is_looked_for_before_another(void **state)
{
	(void)state;
	fill(2, 2, 0);
	t.world->cut_creates = 1;
	struct register_run run = run_all(ALL_REGISTERS, RUN_CHANGES);
	assert_int_equal(run.state, RUN_DONE);
	assert_int_equal(count(&run, "products", RUN_IN_DOUBT_N), 0);
	assert_int_equal(count(&run, "products", RUN_LINKED_N), 1);
	assert_int_equal(count(&run, "products", RUN_SEEN_N), 2);
	assert_each_once();
	fill(0, 0, 2);
	t.world->lose_creates = 1;
	run = run_all("cards", RUN_CHANGES);
	assert_int_equal(run.state, RUN_DONE);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 2);
	assert_each_once();
}

/* One look-up for all of a page; where that fails they are in doubt, and not made again. */
static void test_NV_08_ids_that_the_target_does_not_tell_are_looked_for_in_one(void **state)
{
	(void)state;
	struct world_side_state *right = &t.world->sides[KIND_CARD][AT_RIGHT];
	fill(0, 0, 7);
	t.world->tells_no_ids = true;
	struct register_run run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 7);
	assert_int_equal(right->finds, 3); /* of three pages */
	assert_each_once();
	world_put(t.world, KIND_CARD, AT_LEFT, "K2-3", "renamed", "");
	run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_UPDATED_N), 1);
	assert_string_equal(world_get(t.world, KIND_CARD, AT_RIGHT, "K2-3")->name, "renamed");
	world_put(t.world, KIND_CARD, AT_LEFT, "late", "late", "");
	t.world->finds_fail_at = right->finds + 2; /* the first is before it is made */
	run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_LINKED_N), 1);
	assert_int_equal(right->creates, 8);
	assert_each_once();
}

static void test_a_record_that_the_target_refuses_is_tried_by_the_next_run(void **state)
{
	(void)state;
	fill(4, 0, 0);
	t.world->refuse_creates = 2;
	struct register_run run = run_all("products", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_FAILED_N), 2);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 2);
	clock_sleep_ms(1100);
	run = run_all("products", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 2);
	/* Met again in the listing, it was not counted twice. */
	assert_int_equal(count(&run, "products", RUN_SEEN_N), 4);
	assert_each_once();
}

/* Ends the process at each call, before it and after what it did; then the run goes on. */
static void kill_everywhere(bool loses_redis)
{
	char id[RUN_ID_MAX];
	int killed = 0;
	for (int at = 1;; at++) {
		world_clear(t.world);
		assert_true(redis_fixture_flush(&t.fx));
		fill(4, 1, 0);
		world_put(t.world, KIND_CUSTOMER, AT_RIGHT, "K1-right", "made there", "");
		order_run("products customers partners", RUN_CHANGES, id);
		t.world->die_at = at;
		int code = in_child(relay_until_over, id);
		t.world->die_at = 0;
		if (code == 0)
			break;
		assert_int_equal(code, 9);
		killed++;
		if (loses_redis) {
			assert_true(redis_fixture_flush(&t.fx));
			order_run("products customers partners", RUN_CHANGES, id);
		}
		if (in_child(relay_until_over, id) != 0)
			fail_msg("killed at %d", at);
		struct register_run run = read_run(id);
		assert_int_equal(run.state, RUN_DONE);
		assert_each_once();
		if (!loses_redis) {
			assert_int_equal(count(&run, "products", RUN_SEEN_N), 4);
			assert_int_equal(count(&run, "products", RUN_CREATED_N) +
						 count(&run, "products", RUN_LINKED_N),
					 4);
		}
	}
	assert_true(killed > 20);
	/* What was found by its business key is known as well as what was made. */
	int writes = world_writes(t.world);
	(void)run_all(ALL_REGISTERS, RUN_EVERYTHING);
	assert_int_equal(world_writes(t.world), writes);
}

static void test_PC_04_killed_anywhere_each_stands_once(void **state)
{
	(void)state;
	kill_everywhere(false);
}

static void test_PC_05_killed_anywhere_and_redis_emptied_each_stands_once(void **state)
{
	(void)state;
	kill_everywhere(true);
}

/* An outage at each call, in the middle of pages too: the run goes on, and counts each record once.
 */
static void test_an_outage_anywhere_loses_and_doubles_nothing(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	int last = 0;
	for (int at = 1; at == 1 || at <= last; at++) {
		world_clear(t.world);
		assert_true(redis_fixture_flush(&t.fx));
		fill(5, 1, 0);
		order_run("products customers partners", RUN_CHANGES, id);
		t.world->away_at = at;
		t.world->away_for = 2;
		assert_int_equal(in_child(relay_until_over, id), 0);
		struct register_run run = read_run(id);
		assert_int_equal(run.state, RUN_DONE);
		assert_int_equal(count(&run, "products", RUN_SEEN_N), 5);
		assert_int_equal(count(&run, "products", RUN_CREATED_N), 5);
		assert_int_equal(count(&run, "partners", RUN_UNCHANGED_N), 1);
		assert_each_once();
		if (!last)
			last = t.world->events;
	}
	assert_true(last > 20);
}

static void test_an_outage_is_waited_for_and_told(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	fill(2, 0, 0);
	order_run("products", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	t.world->is_away = true;
	struct register_run run = turn_until_running(&r, id);
	assert_int_equal(run.state, RUN_RUNNING);
	assert_string_equal(run.error_code, "outage");
	assert_true(run.next_ms > 0);
	t.world->is_away = false;
	close_relay(&r);
	assert_int_equal(in_child(relay_until_over, id), 0);
	assert_each_once();
}

static void test_a_run_is_cancelled_and_another_comes_after_it(void **state)
{
	(void)state;
	char id[RUN_ID_MAX], behind[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	fill(2, 0, 2);
	order_run("products", RUN_CHANGES, id);
	/* Not begun yet: it takes others in. */
	order_run("cards", RUN_CHANGES, behind);
	assert_string_equal(id, behind);
	assert_int_equal(read_run(id).n_registers, 2);
	assert_true(open_relay(&r, &err));
	t.world->is_away = true;
	(void)turn_until_running(&r, id);
	order_run("cards", RUN_CHANGES, behind);
	assert_string_not_equal(id, behind);
	assert_true(queue_run_cancel(r.queue, id, "somebody", &err));
	t.world->is_away = false;
	close_relay(&r);
	assert_int_equal(in_child(relay_until_over, behind), 0);
	assert_int_equal(read_run(id).state, RUN_CANCELLED);
	assert_int_equal(read_run(behind).state, RUN_DONE);
	assert_int_equal(t.world->sides[KIND_PRODUCT][AT_RIGHT].n, 0);
	assert_int_equal(t.world->sides[KIND_CARD][AT_RIGHT].n, 2);
	assert_true(open_relay(&r, &err));
	assert_false(queue_run_cancel(r.queue, id, "somebody", &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	close_relay(&r);
}

/* How often the connection was polled, when nothing is left to do. */
static int polls(void)
{
	struct relay r;
	struct err err = ERR_INIT;
	int n = 0, idle = 0;
	assert_true(open_relay(&r, &err));
	while (idle < 20) {
		idle = turn(&r, &err) ? 0 : idle + 1;
		if (idle)
			clock_sleep_ms(5);
	}
	close_relay(&r);
	for (const char *p = t.world->order; (p = strstr(p, ".poll ")); p++)
		n++;
	return n;
}

static void order_before_poll(const char *registers, char ret_id[RUN_ID_MAX])
{
	struct relay r;
	struct err err = ERR_INIT;
	struct run_receipt got;
	const struct run_order order = { .conn = "c",
					 .flow = "world",
					 .registers = registers,
					 .trigger = "poll",
					 .kind = RUN_CHANGES,
					 .polls = true };
	assert_true(open_relay(&r, &err));
	assert_true(queue_run_new(r.queue, &order, &got, &err));
	snprintf(ret_id, RUN_ID_MAX, "%s", got.id);
	close_relay(&r);
}

static void cancel(const char *id)
{
	struct relay r;
	struct err err = ERR_INIT;
	assert_true(open_relay(&r, &err));
	assert_true(queue_run_cancel(r.queue, id, "somebody", &err));
	close_relay(&r);
}

static void test_PC_08_a_poll_comes_after_a_run_that_was_cancelled(void **state)
{
	(void)state;
	char id[RUN_ID_MAX], behind[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	fill(2, 0, 2);
	t.world->logs_order = true;
	int before = polls();
	/* Before it began. */
	order_before_poll("products", id);
	cancel(id);
	assert_int_equal(polls(), before + 1);
	assert_int_equal(read_run(id).state, RUN_CANCELLED);
	/* While it runs, and the one behind it before it began. */
	order_run("products", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	t.world->is_away = true;
	(void)turn_until_running(&r, id);
	close_relay(&r);
	order_before_poll("cards", behind);
	assert_string_not_equal(id, behind);
	cancel(behind);
	t.world->is_away = false;
	assert_int_equal(polls(), before + 2);
	order_before_poll("products", id);
	assert_true(open_relay(&r, &err));
	t.world->is_away = true;
	(void)turn_until_running(&r, id);
	close_relay(&r);
	t.world->is_away = false;
	cancel(id);
	assert_int_equal(polls(), before + 3);
}

/* A run that is not over has its task. */
static void keepers_round(void)
{
	struct relay r;
	struct err err = ERR_INIT;
	assert_true(open_relay(&r, &err));
	assert_true(queue_run_due(r.queue, NULL, 0, NULL, &err));
	close_relay(&r);
}

static void test_PC_08_a_poll_comes_after_a_run_that_ends_its_process_each_time(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	fill(0, 0, 2);
	t.world->logs_order = true;
	int before = polls();
	order_before_poll("cards", id);
	for (int i = 0; i < 8 && read_run(id).state != RUN_FAILED; i++) {
		t.world->die_at = t.world->events + 1;
		(void)in_child(relay_until_over, id); /* killed, or the run's end */
		keepers_round();
	}
	t.world->die_at = 0;
	assert_int_equal(read_run(id).state, RUN_FAILED);
	assert_string_equal(read_run(id).error_code, "run_lost");
	assert_int_equal(polls(), before + 1);
}

static void test_a_record_in_other_hands_waits(void **state)
{
	(void)state;
	struct relay r;
	struct err err = ERR_INIT;
	fill(0, 0, 2);
	assert_true(open_relay(&r, &err));
	assert_true(queue_record_lease(r.queue, "cards:K2-0", "an invoice", 60000, &err));
	struct register_run run = run_all("cards", RUN_CHANGES);
	assert_int_equal(count(&run, "cards", RUN_WAITING_N), 1);
	assert_int_equal(count(&run, "cards", RUN_CREATED_N), 1);
	/* The invoice made it and linked it not: it is looked for before it is made again. */
	world_put(t.world, KIND_CARD, AT_RIGHT, "K2-0", "by the invoice", "");
	assert_true(queue_record_release(r.queue, "cards:K2-0", "an invoice", &err));
	close_relay(&r);
	clock_sleep_ms(1100);
	run = run_all("cards", RUN_LINKS);
	assert_int_equal(count(&run, "cards", RUN_LINKED_N), 1);
	assert_each_once();
}

/* --- with a worker pool --- */

/* Until no run is under way, and all registers were gone through. */
static void await_registers(struct relay *r)
{
	struct err err = ERR_INIT;
	struct register_run *runs;
	size_t n = 0, over = 0, under_way = 0;
	for (int64_t until = clock_mono_ms() + 20000; clock_mono_ms() < until; clock_sleep_ms(20)) {
		over = under_way = 0;
		assert_true(queue_run_list(r->queue, t.arena, "c", 0, 10, &runs, &n, &err));
		for (size_t i = 0; i < n; i++) {
			under_way += runs[i].state != RUN_DONE;
			over += runs[i].n_registers;
		}
		if (over == world_flow.n_registers && under_way == 0)
			return;
	}
	fail_msg("%zu runs, %zu of them under way, %zu registers", n, under_way, over);
}

/* The registers that go with the poll were due at once, and so was the one with a schedule. */
static void test_PC_08_a_poll_comes_after_the_registers_that_go_with_it(void **state)
{
	(void)state;
	struct relay r;
	struct pool *pool = NULL;
	struct err err = ERR_INIT;
	fill(20, 10, 5);
	t.world->logs_order = true;
	assert_true(open_relay(&r, &err));
	assert_true(pool_start(&r.pool, &pool, &err));
	await_registers(&r);
	const char *poll = NULL;
	for (int64_t until = clock_mono_ms() + 10000; !poll && clock_mono_ms() < until;
	     clock_sleep_ms(10))
		poll = strstr(t.world->order, ".poll ");
	pool_stop(pool, 2000);
	pool_free(pool);
	close_relay(&r);
	assert_each_once();
	assert_non_null(poll);
	const char *partners = strstr(t.world->order, "partners.list ");
	assert_true(partners && partners < poll);
}

/* --- what Redis forgot, what else became another meanwhile --- */

/* One relay's turns until the run is over, or the process ends at this event. */
static int go_on_until(const char *id, int event)
{
	t.world->die_at = event;
	int code = in_child(relay_until_over, id);
	t.world->die_at = 0;
	return code;
}

static void script(const char *text)
{
	struct relay r;
	struct err err = ERR_INIT;
	assert_true(open_relay(&r, &err));
	struct redis *got = NULL;
	const struct redis_value *v = NULL;
	if (!redis_borrow(r.redis, 1000, &got, &err) ||
	    !redis_commandf(got, t.arena, &v, &err, "EVAL %s 0", text))
		fail_msg("%s", err.message);
	redis_give_back(got);
	close_relay(&r);
}

/* As a replica that was behind, or a server that had not written its last second. */
static void keep_copy(void)
{
	script("for _, k in ipairs(redis.call('KEYS', '*')) do "
	       "redis.call('COPY', k, k, 'DB', '1', 'REPLACE') end return 1");
}

static void put_copy_back(void)
{
	script("redis.call('FLUSHDB') redis.call('SELECT', 1) "
	       "for _, k in ipairs(redis.call('KEYS', '*')) do "
	       "redis.call('COPY', k, k, 'DB', '0', 'REPLACE') end "
	       "redis.call('FLUSHDB') redis.call('SELECT', 0) "
	       "redis.call('HSET', 't:epoch', 'run', 'another') return 1");
}

static void test_PC_05_a_redis_that_went_back_in_the_middle_of_a_run_doubles_nothing(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	bool is_through = false;
	for (int at = 2; !is_through; at += 3) {
		world_clear(t.world);
		assert_true(redis_fixture_flush(&t.fx));
		fill(9, 1, 0);
		order_run("products customers partners", RUN_CHANGES, id);
		is_through = go_on_until(id, at) == 0;
		if (is_through)
			break;
		keep_copy();
		is_through = go_on_until(id, at + 7) == 0;
		put_copy_back();
		assert_int_equal(go_on_until(id, 0), 0);
		for (int i = 0; i < 9; i++) {
			const char *code = t.world->sides[KIND_PRODUCT][AT_LEFT].records[i].code;
			if (world_count(t.world, KIND_PRODUCT, AT_RIGHT, code) != 1)
				fail_msg("%s doubled, killed at %d", code, at);
		}
		assert_each_once();
	}
}

/* DESIGN §4.7, of a target that is asked record by record. */
static void test_PC_05_after_a_loss_absence_counts_only_after_the_quiet_time(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	world_put(t.world, KIND_ITEM, AT_LEFT, "I-1", "one", "");
	(void)run_all("items", RUN_CHANGES);
	assert_each_once();
	/* Sent before the loss, and not there yet. */
	world_put(t.world, KIND_ITEM, AT_LEFT, "I-2", "two", "");
	script("return redis.call('HSET', 't:epoch', 'run', 'another')");
	t.quiet_ms = 1500;
	order_run("items", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	struct register_run run = turn_until_running(&r, id);
	close_relay(&r);
	assert_true(run.next_ms > 0);
	assert_int_equal(t.world->sides[KIND_ITEM][AT_RIGHT].n, 1);
	world_put(t.world, KIND_ITEM, AT_RIGHT, "I-2", "two", "");
	assert_int_equal(in_child(relay_until_over, id), 0);
	run = read_run(id);
	assert_int_equal(count(&run, "items", RUN_CREATED_N), 0);
	assert_int_equal(count(&run, "items", RUN_LINKED_N), 1);
	assert_each_once();
}

/* Two of one page, and one record at the target that was made since it was walked. */
static void test_NV_03_what_one_takes_as_its_duplicate_is_not_free_for_the_next(void **state)
{
	(void)state;
	fill(2, 0, 0);
	struct world_side_state *left = &t.world->sides[KIND_PRODUCT][AT_LEFT];
	snprintf(left->records[1].code, sizeof(left->records[1].code), "%s", left->records[0].code);
	world_put(t.world, KIND_PRODUCT, AT_RIGHT, left->records[0].code, "there", "")->is_late =
		true;
	t.world->refuses_twins = true;
	struct register_run run = run_all("products", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_LINKED_N), 1);
	assert_int_equal(count(&run, "products", RUN_FAILED_N), 1);
	/* One that a page of before took, too. */
	world_put(t.world, KIND_PRODUCT, AT_LEFT, "other", "third", "");
	snprintf(left->records[2].code, sizeof(left->records[2].code), "%s", left->records[0].code);
	t.world->sides[KIND_PRODUCT][AT_RIGHT].records[0].is_late = true;
	run = run_all("products", RUN_LINKS);
	assert_int_equal(count(&run, "products", RUN_LINKED_N), 0);
	assert_int_equal(count(&run, "products", RUN_FAILED_N), 2);
	assert_int_equal(t.world->sides[KIND_PRODUCT][AT_RIGHT].n, 1);
}

/* Nobody knows whether it was made, and the source does not know it any more. */
static void test_PC_04_a_creation_in_doubt_is_not_dropped_with_its_record(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	struct run_failure *why;
	size_t n;
	fill(2, 0, 0);
	t.world->cut_creates = 1;
	order_run("products", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	(void)turn_until_running(&r, id);
	close_relay(&r);
	assert_int_equal(t.world->sides[KIND_PRODUCT][AT_RIGHT].n, 2);
	struct world_side_state *left = &t.world->sides[KIND_PRODUCT][AT_LEFT];
	const struct world_record gone[] = { left->records[0], left->records[1] };
	left->n = 0;
	assert_int_equal(in_child(relay_until_over, id), 0);
	struct register_run run = read_run(id);
	assert_int_equal(count(&run, "products", RUN_SEEN_N), 2);
	assert_int_equal(count(&run, "products", RUN_IN_DOUBT_N), 0);
	assert_int_equal(count(&run, "products", RUN_FAILED_N), 1);
	assert_int_equal(standing("products"), 1);
	assert_true(open_relay(&r, &err));
	assert_true(queue_run_failures(r.queue, t.arena, run.id, &why, &n, &err));
	close_relay(&r);
	size_t i = 0;
	while (i < n && strcmp(why[i].code, "source_gone_in_doubt") != 0)
		i++;
	assert_true(i < n);
	assert_non_null(strstr(why[i].examples[0], "K0-")); /* by its name, not its id alone */
	/* It stands until it is back, is linked, or a person has looked. */
	clock_sleep_ms(1100);
	run = run_all("products", RUN_CHANGES);
	assert_int_equal(standing("products"), 1);
	memcpy(left->records, gone, sizeof(gone));
	left->n = 2;
	clock_sleep_ms(1100);
	run = run_all("products", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_LINKED_N), 1);
	assert_int_equal(standing("products"), 0);
	assert_each_once();
}

static void test_PC_04_a_person_who_has_looked_takes_a_doubt_off(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	fill(1, 0, 0);
	t.world->lose_creates = 1;
	order_run("products", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	(void)turn_until_running(&r, id);
	close_relay(&r);
	t.world->sides[KIND_PRODUCT][AT_LEFT].n = 0;
	assert_int_equal(in_child(relay_until_over, id), 0);
	assert_int_equal(standing("products"), 1);
	clock_sleep_ms(1100);
	(void)run_all("products", RUN_LINKS);
	assert_int_equal(standing("products"), 0);
}

static void test_PC_05_another_company_at_the_target_gets_all_records(void **state)
{
	(void)state;
	fill(4, 3, 0);
	(void)run_all("products customers partners", RUN_CHANGES);
	for (size_t k = 0; k < N_WORLD_KINDS; k++) {
		t.world->sides[k][AT_RIGHT].n = 0;
		for (int i = 0; i < t.world->sides[k][AT_LEFT].n; i++)
			t.world->sides[k][AT_LEFT].records[i].changed_ms = 1;
	}
	world_put(t.world, KIND_PRODUCT, AT_RIGHT, "K0-1", "there already", "");
	t.world->company = 2;
	struct register_run run = run_all("products customers partners", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 3);
	assert_int_equal(count(&run, "products", RUN_LINKED_N), 1);
	assert_int_equal(count(&run, "customers", RUN_CREATED_N), 3);
	assert_each_once();
}

/* Ids are unique within one register only. */
static void test_PC_05_a_customer_with_the_id_of_a_product_that_was_tried_again_is_seen(
	void **state)
{
	(void)state;
	fill(1, 0, 0);
	t.world->refuse_creates = 1;
	(void)run_all("products customers", RUN_CHANGES);
	fill(0, 1, 0);
	memcpy(t.world->sides[KIND_CUSTOMER][AT_LEFT].records[0].id,
	       t.world->sides[KIND_PRODUCT][AT_LEFT].records[0].id,
	       sizeof(t.world->sides[0][0].records[0].id));
	clock_sleep_ms(1100); /* what failed is not due again within a second */
	struct register_run run = run_all("products customers", RUN_CHANGES);
	assert_int_equal(count(&run, "products", RUN_CREATED_N), 1);
	assert_int_equal(count(&run, "customers", RUN_CREATED_N), 1);
	assert_each_once();
}

static void test_settings_changed_in_the_middle_of_a_run_count_for_all(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	fill(0, 0, 7);
	order_run("cards", RUN_CHANGES, id);
	assert_int_equal(go_on_until(id, 9), 9);
	snprintf(t.world->suffix, sizeof(t.world->suffix), " new");
	assert_true(open_relay(&r, &err));
	struct connection *c = store_find(r.store, "c");
	struct connection_draft d;
	connection_draft_of(c, &d);
	d.settings = "{\"suffix\":\" new\"}";
	assert_true(store_connection_put(r.store, &d, NULL, &err));
	connection_unref(c);
	close_relay(&r);
	assert_int_equal(go_on_until(id, 0), 0);
	(void)run_all("cards", RUN_CHANGES);
	for (int i = 0; i < 7; i++) {
		const char *name = t.world->sides[KIND_CARD][AT_RIGHT].records[i].name;
		assert_non_null(strstr(name, " new"));
	}
	assert_each_once();
}

/* DESIGN §4.10: the waits grow, and 72 hours are counted from the first failure on. */
static void test_an_outage_of_writes_alone_is_waited_for_longer_each_time(void **state)
{
	(void)state;
	char id[RUN_ID_MAX];
	struct relay r;
	struct err err = ERR_INIT;
	struct register_run run = { .n_failures = 0 };
	fill(2, 0, 0);
	t.world->refuses_to_create = true;
	order_run("products", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	int64_t since_ms = 0;
	for (int i = 0; i < TURNS_MAX && run.n_failures < 3; i++) {
		if (!turn(&r, &err))
			clock_sleep_ms(5);
		assert_true(queue_run_get(r.queue, t.arena, id, &run, &err));
		since_ms = since_ms ? since_ms : run.failing_since_ms;
	}
	assert_int_equal(run.n_failures, 3);
	assert_int_equal(run.failing_since_ms, since_ms);
	t.world->refuses_to_create = false;
	close_relay(&r);
	assert_int_equal(go_on_until(id, 0), 0);
	assert_int_equal(read_run(id).n_failures, 0);
	assert_each_once();
}

static int set_up(void **state)
{
	(void)state;
	world_clear(t.world);
	arena_clear(t.arena);
	t.quiet_ms = QUIET_MS;
	t.max_age_ms = 60000;
	return redis_fixture_flush(&t.fx) ? 0 : -1;
}

static int start(void **state)
{
	struct err err = ERR_INIT;
	(void)state;
	log_init(STDERR_FILENO, LOG_OFF);
	seal_key_random(&t.key);
	t.arena = arena_new((size_t)16 << 20);
	t.world = world_new();
	if (!t.arena || !t.world || !http_global_init(&err))
		return -1;
	world_use(t.world);
	return redis_fixture_start(&t.fx) ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	redis_fixture_stop(&t.fx);
	world_free(t.world);
	arena_free(t.arena);
	http_global_release();
	return 0;
}

#define T(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_PC_04_PC_05_new_records_are_created_once),
		T(test_PC_06_an_edit_comes_back_once_and_never_returns),
		T(test_PC_06_an_edit_of_the_time_when_redis_was_emptied_comes_back),
		T(test_PC_06_an_edit_before_a_creation_in_doubt_is_found_comes_back),
		T(test_NV_05_an_emptied_field_empties_only_what_was_not_empty),
		T(test_registers_go_in_the_order_in_which_one_needs_the_other),
		T(test_what_stands_at_the_target_is_linked_by_business_key),
		T(test_a_record_that_lacks_data_waits_for_the_source),
		T(test_MV_11_many_records_that_fail_are_one_line_of_one_mail),
		T(test_MV_11_a_register_that_is_given_up_is_mailed),
		T(test_PC_05_a_creation_in_doubt_is_looked_for_before_another),
		T(test_NV_08_ids_that_the_target_does_not_tell_are_looked_for_in_one),
		T(test_a_record_that_the_target_refuses_is_tried_by_the_next_run),
		T(test_PC_04_killed_anywhere_each_stands_once),
		T(test_PC_05_killed_anywhere_and_redis_emptied_each_stands_once),
		T(test_an_outage_anywhere_loses_and_doubles_nothing),
		T(test_an_outage_is_waited_for_and_told),
		T(test_a_run_is_cancelled_and_another_comes_after_it),
		T(test_PC_08_a_poll_comes_after_a_run_that_was_cancelled),
		T(test_PC_08_a_poll_comes_after_a_run_that_ends_its_process_each_time),
		T(test_a_record_in_other_hands_waits),
		T(test_PC_05_a_redis_that_went_back_in_the_middle_of_a_run_doubles_nothing),
		T(test_PC_05_after_a_loss_absence_counts_only_after_the_quiet_time),
		T(test_NV_03_what_one_takes_as_its_duplicate_is_not_free_for_the_next),
		T(test_PC_04_a_creation_in_doubt_is_not_dropped_with_its_record),
		T(test_PC_04_a_person_who_has_looked_takes_a_doubt_off),
		T(test_PC_05_another_company_at_the_target_gets_all_records),
		T(test_PC_05_a_customer_with_the_id_of_a_product_that_was_tried_again_is_seen),
		T(test_settings_changed_in_the_middle_of_a_run_count_for_all),
		T(test_an_outage_of_writes_alone_is_waited_for_longer_each_time),
		T(test_PC_08_a_poll_comes_after_the_registers_that_go_with_it),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
