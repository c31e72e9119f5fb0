/*
 * test_sync_plan.c: register runs among other work: cancelled, one behind another, before a poll,
 * changed on the way; and what is mailed of them.
 */
#include "base/base.h"

#include "base/clock.h"
#include "sync_fixture.h"

/* What the mailer would mail now, without waiting for more; told: it has. */
static struct store_alert look_for_mail(bool is_told)
{
	struct relay r;
	struct err err = ERR_INIT;
	struct store_alert alert;
	assert_true(open_relay(&r, &err));
	if (!store_alert_scan(r.store, sf.arena, "c", 0, 0, &alert, &err))
		fail_msg("%s", err.message);
	if (is_told && alert.kind != ALERT_NONE)
		assert_true(store_alert_done(r.store, sf.arena, "c", &alert, &err));
	close_relay(&r);
	return alert;
}

static void put_bad(int n, const char *name)
{
	char code[24];
	for (int i = 0; i < n; i++) {
		snprintf(code, sizeof(code), "B-%d", i);
		world_put(sf.world, KIND_CARD, AT_LEFT, code, name, "");
	}
}

static void test_MV_11_many_records_that_fail_are_one_line_of_one_mail(void **state)
{
	(void)state;
	put_bad(30, "bad");
	world_put(sf.world, KIND_CARD, AT_LEFT, "W", "wait for it", "");
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
	sf.max_age_ms = 50;
	sf.world->is_away = true;
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
	sf.world->is_away = false;
	(void)run_all("products", RUN_CHANGES);
	assert_int_equal(look_for_mail(true).kind, ALERT_NONE);
	(void)run_all(ALL_REGISTERS " items", RUN_CHANGES);
	assert_int_equal(look_for_mail(true).kind, ALERT_RESOLVED);
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
	sf.world->is_away = true;
	(void)turn_until_running(&r, id);
	order_run("cards", RUN_CHANGES, behind);
	assert_string_not_equal(id, behind);
	assert_true(queue_run_cancel(r.queue, id, "somebody", &err));
	sf.world->is_away = false;
	close_relay(&r);
	assert_int_equal(in_child(relay_until_over, behind), 0);
	assert_int_equal(read_run(id).state, RUN_CANCELLED);
	assert_int_equal(read_run(behind).state, RUN_DONE);
	assert_int_equal(sf.world->sides[KIND_PRODUCT][AT_RIGHT].n, 0);
	assert_int_equal(sf.world->sides[KIND_CARD][AT_RIGHT].n, 2);
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
	for (const char *p = sf.world->order; (p = strstr(p, ".poll ")); p++)
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
	sf.world->logs_order = true;
	int before = polls();
	/* Before it began. */
	order_before_poll("products", id);
	cancel(id);
	assert_int_equal(polls(), before + 1);
	assert_int_equal(read_run(id).state, RUN_CANCELLED);
	/* While it runs, and the one behind it before it began. */
	order_run("products", RUN_CHANGES, id);
	assert_true(open_relay(&r, &err));
	sf.world->is_away = true;
	(void)turn_until_running(&r, id);
	close_relay(&r);
	order_before_poll("cards", behind);
	assert_string_not_equal(id, behind);
	cancel(behind);
	sf.world->is_away = false;
	assert_int_equal(polls(), before + 2);
	order_before_poll("products", id);
	assert_true(open_relay(&r, &err));
	sf.world->is_away = true;
	(void)turn_until_running(&r, id);
	close_relay(&r);
	sf.world->is_away = false;
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
	sf.world->logs_order = true;
	int before = polls();
	order_before_poll("cards", id);
	for (int i = 0; i < 8 && read_run(id).state != RUN_FAILED; i++) {
		sf.world->die_at = sf.world->events + 1;
		(void)in_child(relay_until_over, id); /* killed, or the run's end */
		keepers_round();
	}
	sf.world->die_at = 0;
	assert_int_equal(read_run(id).state, RUN_FAILED);
	assert_string_equal(read_run(id).error_code, "run_lost");
	assert_int_equal(polls(), before + 1);
}

/* Until no run is under way, and all registers were gone through. */
static void await_registers(struct relay *r)
{
	struct err err = ERR_INIT;
	struct register_run *runs;
	size_t n = 0, over = 0, under_way = 0;
	for (int64_t until = clock_mono_ms() + 20000; clock_mono_ms() < until; clock_sleep_ms(20)) {
		over = under_way = 0;
		assert_true(queue_run_list(r->queue, sf.arena, "c", 0, 10, &runs, &n, &err));
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
	sf.world->logs_order = true;
	assert_true(open_relay(&r, &err));
	assert_true(pool_start(&r.pool, &pool, &err));
	await_registers(&r);
	const char *poll = NULL;
	for (int64_t until = clock_mono_ms() + 10000; !poll && clock_mono_ms() < until;
	     clock_sleep_ms(10))
		poll = strstr(sf.world->order, ".poll ");
	pool_stop(pool, 2000);
	pool_free(pool);
	close_relay(&r);
	assert_each_once();
	assert_non_null(poll);
	const char *partners = strstr(sf.world->order, "partners.list ");
	assert_true(partners && partners < poll);
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
	snprintf(sf.world->suffix, sizeof(sf.world->suffix), " new");
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
		const char *name = sf.world->sides[KIND_CARD][AT_RIGHT].records[i].name;
		assert_non_null(strstr(name, " new"));
	}
	assert_each_once();
}

#define T(name) cmocka_unit_test_setup(name, sync_set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_MV_11_many_records_that_fail_are_one_line_of_one_mail),
		T(test_MV_11_a_register_that_is_given_up_is_mailed),
		T(test_a_run_is_cancelled_and_another_comes_after_it),
		T(test_PC_08_a_poll_comes_after_a_run_that_was_cancelled),
		T(test_PC_08_a_poll_comes_after_a_run_that_ends_its_process_each_time),
		T(test_PC_08_a_poll_comes_after_the_registers_that_go_with_it),
		T(test_settings_changed_in_the_middle_of_a_run_count_for_all),
	};
	return cmocka_run_group_tests_name("sync_plan", tests, sync_start, sync_stop);
}
