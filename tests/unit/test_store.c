/*
 * test_store.c: connections, transfers, tokens, the vault and the epoch against a real
 * redis-server that is emptied on the way.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "queue/queue.h"
#include "redis_fixture.h"
#include "store/store.h"

#include <sys/stat.h>

static struct redis_fixture server;
static struct redis_pool *pool;
static struct queue *queue;
static struct store *store;
static struct arena *arena;
static struct seal_key key;
static char data_dir[64];

#define OK(call)                                                \
	do {                                                    \
		struct err err = ERR_INIT;                      \
		if (!(call))                                    \
			fail_msg("%s: %s", #call, err.message); \
	} while (0)
#define REFUSED(call, wanted)                         \
	do {                                          \
		struct err err = ERR_INIT;            \
		assert_false(call);                   \
		assert_int_equal(err.code, (wanted)); \
	} while (0)

static int start(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	seal_key_random(&key);
	if (!redis_fixture_start(&server))
		return -1;
	const struct redis_options ro = { .url = server.url, .prefix = "v:", .pool_size = 6 };
	if (!redis_pool_new(&ro, &pool, &err))
		return -1;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	redis_pool_free(pool);
	redis_fixture_stop(&server);
	return 0;
}

static struct store *store_at(const char *folder, bool is_private)
{
	struct store *made = NULL;
	const struct store_options so = {
		.pool = pool, .key = &key, .data_dir = folder, .is_private = is_private
	};
	OK(store_new(&so, &made, &err));
	return made;
}

/* Why Redis lost data, NULL when it did not. */
static const char *sync_store(struct store *s)
{
	struct store_epoch epoch;
	OK(store_sync(s, &err));
	const char *lost = store_lost(s);
	store_epoch_get(s, &epoch);
	if (lost)
		assert_true(epoch.restored);
	return lost;
}

static void refresh(struct store *s)
{
	OK(store_refresh(s, &err));
}

static void remove_folder(const char *folder)
{
	static const char *const names[] = { "vault", "vault.new", "mark" };
	char path[96];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (remove(path) != 0 && errno != ENOENT)
			fail_msg("%s: %s", path, strerrordesc_np(errno));
	}
	rmdir(folder);
}

/* The one that the tests speak to, and its queue. */
static void use_store(struct store *s)
{
	const struct queue_options qo = { .pool = pool, .store = s, .key = &key, .lease_ms = 5000 };
	store = s;
	OK(queue_new(&qo, &queue, &err));
}

static int begin(void **state)
{
	(void)state;
	arena = arena_new(64 * 1024 * 1024);
	snprintf(data_dir, sizeof(data_dir), "/tmp/viesti-store-XXXXXX");
	if (!arena || !mkdtemp(data_dir) || !redis_fixture_flush(&server))
		return -1;
	use_store(store_at(data_dir, false));
	assert_null(sync_store(store));
	struct store_epoch epoch;
	store_epoch_get(store, &epoch);
	assert_false(epoch.restored);
	refresh(store);
	return 0;
}

static int end(void **state)
{
	(void)state;
	queue_free(queue);
	store_free(store);
	remove_folder(data_dir);
	arena_free(arena);
	return 0;
}

/* --- helpers --- */

static struct connection_draft draft(const char *id, enum connection_state state)
{
	struct connection_draft d = { .id = id,
				      .flow = "severa-netvisor",
				      .name = "Yritys \"Äiti\" Oy",
				      .settings = "{\"n\":12345678901234567890.10}",
				      .schedule = "{\"interval_s\":300}",
				      .state = state,
				      .credentials = SPAN_LIT("{\"severa\":{\"secret\":\"s3\"}}"),
				      .n_webhook_secrets = 1,
				      .n_limits = 1 };
	d.webhook_secrets[0] = SPAN_LIT("whsec_abc");
	snprintf(d.limits[0].key, sizeof(d.limits[0].key), "netvisor:%s", id);
	d.limits[0].max_running = 1;
	return d;
}

static void put(const char *id, enum connection_state state)
{
	struct connection_draft d = draft(id, state);
	OK(store_connection_put(store, &d, NULL, &err));
}

static void hint(const char *conn, const char *source_id, char ret[TRANSFER_ID_MAX])
{
	struct queue_receipt got;
	const struct queue_item item = {
		.conn = conn, .kind = "invoice", .source_id = source_id, .origin = "webhook"
	};
	OK(queue_intake(queue, &item, 1, &got, &err));
	memcpy(ret, got.id, sizeof(got.id));
}

static struct queue_job must_claim(void)
{
	struct queue_job job = { 0 };
	size_t n = 0;
	OK(queue_claim(queue, arena, 1, &job, &n, &err));
	assert_int_equal(n, 1);
	return job;
}

static void finish(const struct queue_job *job, enum transfer_state state, const char *code)
{
	const char *const entries[] = { "{\"code\":\"x\"}" };
	struct queue_outcome o = { .id = job->id,
				   .fence = job->fence,
				   .state = state,
				   .delay_ms = 600000,
				   .error_code = code,
				   .delivered = state == STATE_DONE,
				   .entries = entries,
				   .n_entries = 1 };
	if (state == STATE_DONE || state == STATE_NEEDS_DATA || state == STATE_SYSTEM_FAULT)
		o.delay_ms = -1;
	OK(queue_finish(queue, &o, 1, &err));
	assert_int_equal(o.verdict, FINISH_STORED);
}

static struct transfer get(const char *id)
{
	struct transfer t = { 0 };
	OK(store_transfer_get(store, arena, id, &t, &err));
	return t;
}

/* --- tests --- */

static void a_connection_comes_back_as_it_was_put(void **state)
{
	(void)state;
	struct connection *c = NULL;
	put("acme", CONNECTION_ACTIVE);
	OK(store_connection_get(store, "acme", &c, &err));
	assert_string_equal(c->name, "Yritys \"Äiti\" Oy");
	assert_string_equal(c->settings, "{\"n\":12345678901234567890.10}");
	assert_string_equal(c->credentials.p, "{\"severa\":{\"secret\":\"s3\"}}");
	assert_string_equal(c->webhook_secrets[0].p, "whsec_abc");
	assert_string_equal(c->limits[0].key, "netvisor:acme");
	assert_int_equal(c->limits[0].max_running, 1);
	assert_int_equal(c->rev, 1);
	assert_true(c->activated_ms > 0);
	connection_unref(c);
	c = store_find(store, "acme");
	assert_non_null(c);
	connection_unref(c);
	assert_null(store_find(store, "other"));
	REFUSED(store_connection_get(store, "other", &c, &err), ERR_NOT_FOUND);
}

static void an_old_revision_is_refused(void **state)
{
	(void)state;
	put("acme", CONNECTION_DRAFT);
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	REFUSED(store_connection_put(store, &d, NULL, &err), ERR_CONFLICT);
	d.rev = 1;
	OK(store_connection_put(store, &d, NULL, &err));
	REFUSED(store_connection_put(store, &d, NULL, &err), ERR_CONFLICT);
	d.id = "none";
	REFUSED(store_connection_put(store, &d, NULL, &err), ERR_NOT_FOUND);
	d.id = "Bad Id";
	REFUSED(store_connection_put(store, &d, NULL, &err), ERR_INPUT);
}

static void a_paused_connection_runs_nothing(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX], check[QUEUE_JOB_ID_MAX];
	struct queue_job job;
	size_t n = 9;
	put("acme", CONNECTION_ACTIVE);
	OK(store_connection_set_state(store, "acme", -1, CONNECTION_PAUSED, "credentials", &err));
	hint("acme", "1", id);
	OK(queue_claim(queue, arena, 1, &job, &n, &err));
	assert_int_equal(n, 0);
	OK(queue_task_new(queue, "check", "acme", "{}", check, &err));
	assert_int_equal(must_claim().type, JOB_CHECK);
	OK(queue_claim(queue, arena, 1, &job, &n, &err));
	assert_int_equal(n, 0);
	struct connection *c = store_find(store, "acme");
	assert_string_equal(c->pause_reason, "credentials");
	assert_int_equal(c->rev, 2);
	connection_unref(c);
	OK(store_connection_set_state(store, "acme", -1, CONNECTION_ACTIVE, NULL, &err));
	struct queue_tick t;
	OK(queue_tick(queue, &t, &err));
	assert_int_equal(t.polls, 1);
	OK(queue_tick(queue, &t, &err));
	assert_int_equal(t.polls, 0);
}

static size_t list_in(enum transfer_state state, struct transfer_page *ret)
{
	const struct transfer_filter f = { .states = 1u << state, .limit = 10 };
	OK(store_transfer_list(store, arena, &f, ret, &err));
	return ret->n;
}

/* A record says nothing of a run: it is shown by what is held. */
static void what_runs_is_listed_as_running(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	struct transfer_page page;
	put("acme", CONNECTION_ACTIVE);
	hint("acme", "1", id);
	struct queue_job job = must_claim();
	finish(&job, STATE_RETRYING, "target_unreachable");
	assert_int_equal(list_in(STATE_RETRYING, &page), 1);
	assert_int_equal(get(id).state, STATE_RETRYING);
	int64_t rev = 0;
	OK(store_transfer_order(store,
				&(struct transfer_order) {
					.id = id, .action = TRANSFER_RETRY, .rev = -1, .who = "t" },
				&rev, &err));
	job = must_claim();
	assert_int_equal(list_in(STATE_RUNNING, &page), 1);
	assert_string_equal(page.items[0].id, id);
	assert_int_equal(list_in(STATE_QUEUED, &page), 0);
	assert_int_equal(list_in(STATE_RETRYING, &page), 0);
	assert_int_equal(get(id).state, STATE_RUNNING);
	finish(&job, STATE_NEEDS_DATA, "customer_number_missing");
	assert_false(get(id).rechecking);
	hint("acme", "1", id);
	job = must_claim();
	assert_int_equal(list_in(STATE_RUNNING, &page), 0);
	assert_int_equal(list_in(STATE_NEEDS_DATA, &page), 1);
	assert_true(page.items[0].rechecking);
	assert_true(get(id).rechecking);
	REFUSED(store_transfer_order(
			store,
			&(struct transfer_order) {
				.id = id, .action = TRANSFER_RETRY, .rev = -1, .who = "t" },
			&rev, &err),
		ERR_CONFLICT);
}

static void a_flushed_redis_gets_everything_back(void **state)
{
	(void)state;
	struct store_epoch before, after;
	char plain[TOKEN_TEXT_MAX], id[17];
	struct token token = { .name = "ops", .role = ROLE_OPERATOR };
	put("acme", CONNECTION_ACTIVE);
	OK(store_token_create(store, &token, NULL, plain, id, &err));
	store_epoch_get(store, &before);
	assert_true(redis_fixture_flush(&server));
	refresh(store);
	assert_string_equal(sync_store(store), "Redis is empty");
	assert_null(sync_store(store));
	store_epoch_get(store, &after);
	assert_true(after.restored);
	assert_string_not_equal(before.id, after.id);
	struct connection *c = NULL;
	OK(store_connection_get(store, "acme", &c, &err));
	assert_string_equal(c->credentials.p, "{\"severa\":{\"secret\":\"s3\"}}");
	connection_unref(c);
	assert_true(store_token_find(store, arena, span_of(plain), &token));

	/* And by a process that starts against an empty Redis. */
	store_free(store);
	assert_true(redis_fixture_flush(&server));
	store = store_at(data_dir, false);
	assert_non_null(sync_store(store));
	refresh(store);
	c = store_find(store, "acme");
	assert_non_null(c);
	connection_unref(c);
	assert_true(store_token_find(store, arena, span_of(plain), &token));
	assert_int_equal(token.role, ROLE_OPERATOR);
}

/* Any command; its answer in the arena. */
static const struct redis_value *redis_do(const char *words, const char *a, const char *b)
{
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	OK(redis_borrow(pool, 5000, &r, &err));
	OK(redis_commandf(r, arena, &v, &err, words, a, b));
	redis_give_back(r);
	return v;
}

static void restart_server(void)
{
	assert_true(redis_fixture_restart(&server));
}

/* Another Redis may be a replica that was behind: its fsync says nothing of what it never got. */
static void another_server_is_a_new_epoch_however_durable(void **state)
{
	(void)state;
	restart_server();
	assert_string_equal(sync_store(store),
			    "Redis was started again, or another server took over");
	assert_null(sync_store(store));
	struct redis_health health;
	store_health_get(store, &health);
	assert_int_equal(health.durability, REDIS_FSYNC);
}

static void our_own_server_comes_back_with_its_data(void **state)
{
	(void)state;
	struct store_epoch before, after;
	store_free(store);
	store = store_at(data_dir, true);
	assert_null(sync_store(store));
	store_epoch_get(store, &before);
	restart_server();
	assert_null(sync_store(store));
	store_epoch_get(store, &after);
	assert_string_equal(before.id, after.id);
	/* Not so when it answers what is not on disk. */
	restart_server();
	redis_do("CONFIG SET appendfsync %s", "everysec", NULL);
	assert_non_null(sync_store(store));
}

/* Two connections that are idle afterwards. */
static void use_two_connections(void)
{
	struct redis *a = NULL, *b = NULL;
	OK(redis_borrow(pool, 1000, &a, &err));
	OK(redis_borrow(pool, 1000, &b, &err));
	redis_give_back(a);
	redis_give_back(b);
}

/* What is said to senders is what Redis does now, and never more than is known. */
static void durability_follows_redis(void **state)
{
	(void)state;
	restart_server();
	(void)sync_store(store); /* another server: not what this is about */
	assert_int_equal(store_durability(store), REDIS_FSYNC);
	use_two_connections();
	restart_server();
	redis_do("CONFIG SET appendfsync %s", "everysec", NULL);
	assert_int_equal(store_durability(store), REDIS_MEMORY);
	assert_non_null(sync_store(store));
	assert_int_equal(store_durability(store), REDIS_EVERYSEC);
	use_two_connections(); /* the second was lost with the first */
	assert_int_equal(store_durability(store), REDIS_EVERYSEC);
}

/* As a promoted replica or an older append-only file: everything but the last seconds. */
static void go_back_to(int64_t count)
{
	char text[24];
	const struct redis_value *keys = redis_do("KEYS v:beat:*", NULL, NULL);
	assert_int_equal(keys->n, 1);
	snprintf(text, sizeof(text), "%" PRId64, count);
	redis_do("SET %s %s", keys->items[0].s.p, text);
}

static void a_redis_that_went_back_in_time_is_a_new_epoch(void **state)
{
	(void)state;
	for (int is_private = 0; is_private < 2; is_private++) {
		store_free(store);
		store = store_at(data_dir, is_private);
		for (int i = 0; i < 4; i++)
			assert_null(sync_store(store));
		go_back_to(2);
		assert_string_equal(sync_store(store), "Redis went back to an earlier state");
		assert_null(sync_store(store));
		/* By a process that starts later, too: the mark stands in the data folder. */
		go_back_to(2);
		store_free(store);
		store = store_at(data_dir, is_private);
		assert_non_null(sync_store(store));
		assert_null(sync_store(store));
	}
}

/* Another relay's syncs do not lift Redis over the loss. */
static void each_relay_has_a_mark_of_its_own(void **state)
{
	(void)state;
	char folder[] = "/tmp/viesti-store-XXXXXX";
	assert_non_null(mkdtemp(folder));
	assert_null(sync_store(store));
	go_back_to(1);
	struct store *other = store_at(folder, false);
	for (int i = 0; i < 5; i++)
		assert_null(sync_store(other));
	assert_non_null(sync_store(store));
	/* The other takes the epoch over as it is. */
	assert_null(sync_store(other));
	struct store_epoch mine, its;
	store_epoch_get(store, &mine);
	store_epoch_get(other, &its);
	assert_string_equal(mine.id, its.id);
	assert_true(its.restored);
	store_free(other);
	remove_folder(folder);
}

static void copy_mark(const char *to)
{
	char from[96], text[256];
	snprintf(from, sizeof(from), "%s/mark", data_dir);
	FILE *f = fopen(from, "r");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text), f);
	fclose(f);
	f = fopen(to, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	fclose(f);
}

static void a_data_folder_from_a_backup_is_a_new_epoch(void **state)
{
	(void)state;
	char path[96], copy[96];
	snprintf(path, sizeof(path), "%s/mark", data_dir);
	snprintf(copy, sizeof(copy), "%s/vault.new", data_dir);
	for (int i = 0; i < 3; i++) {
		store_free(store);
		copy_mark(copy);
		if (i == 0)
			assert_int_equal(rename(copy, path), 0); /* put back by file */
		else if (i == 1)
			assert_int_equal(unlink(path), 0); /* or said so by the operator */
		else
			assert_int_equal(truncate(path, 20), 0);
		store = store_at(data_dir, true);
		assert_non_null(sync_store(store));
		assert_null(sync_store(store));
	}
	/* On a Redis that others share it only means a new relay. */
	store_free(store);
	assert_int_equal(unlink(path), 0);
	store = store_at(data_dir, false);
	assert_null(sync_store(store));
}

/* Both had the connection; the other alone knows the last change, and the token revoked with it. */
static void the_newest_vault_counts_whoever_is_first(void **state)
{
	(void)state;
	char folder[] = "/tmp/viesti-store-XXXXXX", plain[2][TOKEN_TEXT_MAX], id[3][17];
	struct token token = { .name = "ops", .role = ROLE_OPERATOR };
	char later[TOKEN_TEXT_MAX];
	assert_non_null(mkdtemp(folder));
	put("acme", CONNECTION_ACTIVE);
	OK(store_token_create(store, &token, NULL, plain[0], id[0], &err));
	struct store *other = store_at(folder, false);
	assert_null(sync_store(other));
	refresh(other);
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	d.rev = 1;
	d.name = "New name";
	OK(store_connection_put(other, &d, NULL, &err));
	OK(store_token_create(other, &token, NULL, plain[1], id[1], &err));
	OK(store_token_revoke(other, id[0], &err));
	assert_true(redis_fixture_flush(&server));
	assert_non_null(sync_store(store));
	OK(store_token_create(store, &token, NULL, later, id[2], &err));
	assert_null(sync_store(other));
	for (int i = 0; i < 2; i++) {
		struct store *s = i ? store : other;
		refresh(s);
		struct connection *c = store_find(s, "acme");
		assert_non_null(c);
		assert_string_equal(c->name, "New name");
		connection_unref(c);
		assert_false(store_token_find(s, arena, span_of(plain[0]), &token));
		assert_true(store_token_find(s, arena, span_of(plain[1]), &token));
		assert_true(store_token_find(s, arena, span_of(later), &token));
	}
	store_free(other);
	remove_folder(folder);
}

/* Of a relay that comes late: what was revoked since the restore stays so. */
static void a_late_vault_brings_no_revoked_token_back(void **state)
{
	(void)state;
	char folder[] = "/tmp/viesti-store-XXXXXX", plain[TOKEN_TEXT_MAX], id[17];
	struct token token = { .name = "ops", .role = ROLE_OPERATOR };
	assert_non_null(mkdtemp(folder));
	OK(store_token_create(store, &token, NULL, plain, id, &err));
	struct store *other = store_at(folder, false);
	assert_null(sync_store(other));
	refresh(other);
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	OK(store_connection_put(other, &d, NULL, &err));
	assert_true(redis_fixture_flush(&server));
	assert_non_null(sync_store(store));
	refresh(store);
	OK(store_token_revoke(store, id, &err));
	assert_null(sync_store(other));
	refresh(other);
	assert_false(store_token_find(other, arena, span_of(plain), &token));
	struct connection *c = store_find(other, "acme");
	assert_non_null(c);
	connection_unref(c);
	store_free(other);
	remove_folder(folder);
}

static void facts_are_kept_beside_the_connection(void **state)
{
	(void)state;
	const char *json = NULL;
	int64_t rev = -1;
	REFUSED(store_facts_get(store, arena, "acme", &json, &rev, &err), ERR_NOT_FOUND);
	REFUSED(store_facts_set(store, "acme", 0, "{}", &rev, &err), ERR_NOT_FOUND);
	put("acme", CONNECTION_ACTIVE);
	OK(store_facts_get(store, arena, "acme", &json, &rev, &err));
	assert_string_equal(json, "{}");
	assert_int_equal(rev, 0);
	OK(store_facts_set(store, "acme", 0, "{\"company\":\"u-1\",\"n\":1.10}", &rev, &err));
	assert_int_equal(rev, 1);
	REFUSED(store_facts_set(store, "acme", 0, "{}", &rev, &err), ERR_CONFLICT);
	OK(store_facts_set(store, "acme", 1, "{\"company\":\"u-2\"}", &rev, &err));
	REFUSED(store_facts_set(store, "acme", 2, "[]", &rev, &err), ERR_INPUT);
	REFUSED(store_facts_set(store, "acme", 2, "{\"a\":", &rev, &err), ERR_INPUT);
	char *large = arena_alloc(arena, STORE_FACTS_MAX + 1);
	memset(large, ' ', STORE_FACTS_MAX);
	memcpy(large, "{}", 2);
	REFUSED(store_facts_set(store, "acme", 2, arena_printf(arena, "%s ", large), &rev, &err),
		ERR_INPUT);
	/* The connection's ETag is as before, and a change of the connection leaves them. */
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	d.rev = 1;
	OK(store_connection_put(store, &d, NULL, &err));
	OK(store_facts_get(store, arena, "acme", &json, &rev, &err));
	assert_string_equal(json, "{\"company\":\"u-2\"}");
	assert_int_equal(rev, 2);
	assert_null(strstr(redis_do("HGET v:conn:acme fx", NULL, NULL)->s.p, "u-2"));
}

static struct record record_of(const char *id)
{
	struct record rec = { .arena = arena };
	record_put_str(&rec, "id", id);
	return rec;
}

static void MV_02_a_record_is_put_as_it_was_read_or_not_at_all(void **state)
{
	(void)state;
	struct record rec = record_of("r1"), other = record_of("r2"), same = record_of("r1");
	struct record_put put_rec = { "acme", "talks", &rec, -1 };
	struct record_put put_other = { "acme", "talks", &other, 0 };
	struct record_put put_same = { "acme", "talks", &same, -1 };
	REFUSED(store_record_put(store, arena, &put_rec, &err), ERR_NOT_FOUND);
	put("acme", CONNECTION_DRAFT);
	OK(store_record_put(store, arena, &put_rec, &err));
	assert_int_equal(record_int(&rec, "rev"), 1);
	assert_true(record_int(&rec, "updated_ms") > 0);
	REFUSED(store_record_put(store, arena, &put_same, &err), ERR_CONFLICT); /* not new */
	REFUSED(store_record_put(store, arena, &put_other, &err), ERR_CONFLICT); /* facts at 1 */
	put_other.facts_rev = 1;
	OK(store_record_put(store, arena, &put_other, &err));
	struct record late = rec;
	struct record_put put_late = { "acme", "talks", &late, -1 };
	OK(store_record_put(store, arena, &put_rec, &err)); /* the facts are at 2, it is not */
	REFUSED(store_record_put(store, arena, &put_late, &err), ERR_CONFLICT);
	assert_int_equal(record_int(&late, "rev"), 1);
}

/* Dialogues go on by themselves when the facts say so, also after a loss. */
static void facts_tell_when_their_dialogues_are_due(void **state)
{
	(void)state;
	char folder[] = "/tmp/viesti-store-XXXXXX";
	int64_t rev = -1;
	assert_non_null(mkdtemp(folder));
	put("acme", CONNECTION_DRAFT);
	const char *json = arena_printf(arena, "{\"due_ms\":%" PRId64 "}", clock_wall_ms() + 60000);
	OK(store_facts_set(store, "acme", 0, json, &rev, &err));
	assert_true(redis_do("ZSCORE v:dialogues acme", NULL, NULL)->s.n > 0);
	OK(store_facts_set(store, "acme", 1, "{}", &rev, &err));
	assert_int_equal(redis_do("ZCARD v:dialogues", NULL, NULL)->i, 0);
	struct store *other = store_at(folder, false);
	assert_null(sync_store(other));
	OK(store_facts_set(other, "acme", 2, json, &rev, &err));
	assert_true(redis_fixture_flush(&server));
	assert_non_null(sync_store(other));
	assert_int_equal(redis_do("ZCARD v:dialogues", NULL, NULL)->i, 1);
	store_free(other);
	remove_folder(folder);
}

/* Also where the connection itself was put back by a relay that knows older facts. */
static void facts_come_back_from_the_newest_vault(void **state)
{
	(void)state;
	char folder[] = "/tmp/viesti-store-XXXXXX";
	const char *json = NULL;
	int64_t rev = -1;
	assert_non_null(mkdtemp(folder));
	put("acme", CONNECTION_ACTIVE);
	OK(store_facts_set(store, "acme", 0, "{\"step\":1}", &rev, &err));
	struct store *other = store_at(folder, false);
	assert_null(sync_store(other));
	refresh(other);
	OK(store_facts_set(other, "acme", 1, "{\"step\":2}", &rev, &err));
	assert_true(redis_fixture_flush(&server));
	assert_non_null(sync_store(store));
	OK(store_facts_get(store, arena, "acme", &json, &rev, &err));
	assert_string_equal(json, "{\"step\":1}");
	assert_null(sync_store(other));
	OK(store_facts_get(store, arena, "acme", &json, &rev, &err));
	assert_string_equal(json, "{\"step\":2}");
	assert_int_equal(rev, 2);
	store_free(other);
	remove_folder(folder);
}

static void a_vault_that_cannot_be_written_stops_nothing(void **state)
{
	(void)state;
	char path[96];
	struct store_trouble t;
	snprintf(path, sizeof(path), "%s/vault.new", data_dir);
	put("acme", CONNECTION_ACTIVE);
	assert_int_equal(mkdir(path, 0700), 0);
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	d.rev = 1;
	d.name = "Second";
	OK(store_connection_put(store, &d, NULL, &err));
	store_trouble_get(store, &t);
	assert_non_null(strstr(t.vault, "vault"));
	assert_null(sync_store(store));
	refresh(store);
	struct connection *c = store_find(store, "acme");
	assert_string_equal(c->name, "Second");
	connection_unref(c);
	assert_int_equal(rmdir(path), 0);
	refresh(store);
	store_trouble_get(store, &t);
	assert_string_equal(t.vault, "");
	/* What was missed stands in it now. */
	assert_true(redis_fixture_flush(&server));
	refresh(store);
	c = store_find(store, "acme");
	assert_string_equal(c->name, "Second");
	connection_unref(c);
}

static void a_record_that_does_not_open_can_be_replaced(void **state)
{
	(void)state;
	static const char *const docs[] = { "{\"flow\":", "{}", "[]", "" };
	put("acme", CONNECTION_ACTIVE);
	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		struct connection *c = NULL;
		struct store_trouble t;
		redis_do("HSET v:conn:acme doc %s", docs[i], NULL);
		redis_do("INCR v:conns:ver", NULL, NULL);
		refresh(store);
		store_trouble_get(store, &t);
		assert_int_equal(t.n_unopened, 1);
		OK(store_connection_get(store, "acme", &c, &err));
		assert_true(c->unreadable[0] && c->state == CONNECTION_DRAFT);
		struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
		d.rev = c->rev;
		connection_unref(c);
		OK(store_connection_put(store, &d, NULL, &err));
		store_trouble_get(store, &t);
		assert_int_equal(t.n_unopened, 0);
		c = store_find(store, "acme");
		assert_true(c && !c->unreadable[0]);
		connection_unref(c);
	}
}

static void a_record_that_does_not_open_is_named_and_the_others_go_on(void **state)
{
	(void)state;
	struct store_trouble t;
	put("acme", CONNECTION_ACTIVE);
	put("beta", CONNECTION_ACTIVE);
	redis_do("HSET v:conn:acme sec %s", "rubbish", NULL);
	redis_do("INCR v:conns:ver", NULL, NULL);
	put("gamma", CONNECTION_ACTIVE);
	store_trouble_get(store, &t);
	assert_int_equal(t.n_unopened, 1);
	assert_non_null(strstr(t.unopened, "acme"));
	struct connection *broken = store_find(store, "acme");
	assert_true(broken && broken->state == CONNECTION_PAUSED);
	assert_non_null(strstr(broken->unreadable, "acme"));
	connection_unref(broken);
	/* Its secrets would be lost. */
	REFUSED(store_connection_set_state(store, "acme", -1, CONNECTION_ACTIVE, "", &err),
		ERR_SYSTEM);
	for (int i = 0; i < 2; i++) {
		struct connection *c = store_find(store, "gamma");
		assert_non_null(c);
		connection_unref(c);
		/* It goes through a restore as it is. */
		assert_true(redis_fixture_flush(&server));
		refresh(store);
		assert_string_equal(redis_do("HGET v:conn:acme sec", NULL, NULL)->s.p, "rubbish");
	}
}

static void orders_follow_the_table(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev = 0;
	struct transfer_order o = { .id = id, .rev = -1, .who = "ops" };
	hint("acme", "1", id);
	struct queue_job job = must_claim();
	o.action = TRANSFER_CANCEL;
	REFUSED(store_transfer_order(store, &o, &rev, &err), ERR_CONFLICT);
	finish(&job, STATE_NEEDS_DATA, "customer_number_missing");
	struct transfer t = get(id);
	assert_int_equal(t.state, STATE_NEEDS_DATA);
	assert_string_equal(t.error_code, "customer_number_missing");
	o.action = TRANSFER_RETRY;
	o.rev = t.rev - 1;
	REFUSED(store_transfer_order(store, &o, &rev, &err), ERR_CONFLICT);
	o.rev = t.rev;
	OK(store_transfer_order(store, &o, &rev, &err));
	assert_int_equal(rev, t.rev + 1);
	assert_int_equal(get(id).state, STATE_QUEUED);
	job = must_claim();
	OK(queue_step_intent(queue, id, job.fence, "send", NULL, &err));
	OK(queue_step_outcome(queue, id, job.fence, "send", "77", STEP_DELIVERS, &err));
	finish(&job, STATE_DONE, NULL);
	o.rev = -1;
	REFUSED(store_transfer_order(store, &o, &rev, &err), ERR_CONFLICT); /* retry of done */
	o.action = TRANSFER_CANCEL;
	REFUSED(store_transfer_order(store, &o, &rev, &err), ERR_CONFLICT); /* delivered */
	o.id = "00000000000000000000000000000000";
	REFUSED(store_transfer_order(store, &o, &rev, &err), ERR_NOT_FOUND);
}

static void a_resend_opens_the_next_generation(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev = 0;
	struct step step;
	hint("acme", "1", id);
	struct queue_job job = must_claim();
	OK(queue_step_intent(queue, id, job.fence, "send", NULL, &err));
	OK(queue_step_outcome(queue, id, job.fence, "send", "77", STEP_DELIVERS, &err));
	OK(queue_set_number(queue, id, job.fence, "10423", &err));
	finish(&job, STATE_DONE, NULL);
	struct transfer_order o = {
		.id = id, .action = TRANSFER_RESEND, .rev = -1, .who = "ops", .reason = ""
	};
	REFUSED(store_transfer_order(store, &o, &rev, &err), ERR_INPUT);
	o.reason = "deleted in Netvisor by mistake";
	OK(store_transfer_order(store, &o, &rev, &err));
	job = must_claim();
	assert_int_equal(job.generation, 2);
	assert_false(job.delivered);
	OK(queue_step_get(queue, arena, id, job.fence, "send", &step, &err));
	assert_int_equal(step.state, STEP_NONE);
	struct transfer t = get(id);
	assert_int_equal(t.n_steps, 1);
	assert_string_equal(t.steps[0].name, "send");
	assert_string_equal(t.steps[0].outcome, "77");
	assert_int_equal(t.steps[0].generation, 1);
	const char **entries = NULL;
	size_t n = 0;
	OK(store_timeline(store, arena, id, &entries, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(entries[0], "{\"code\":\"x\"}");
	assert_non_null(strstr(entries[1], "deleted in Netvisor by mistake"));
}

static void an_open_intent_cannot_be_cancelled(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev = 0;
	hint("acme", "1", id);
	struct queue_job job = must_claim();
	OK(queue_step_intent(queue, id, job.fence, "send", NULL, &err));
	finish(&job, STATE_RETRYING, NULL);
	struct transfer_order o = { .id = id, .action = TRANSFER_CANCEL, .rev = -1, .who = "ops" };
	REFUSED(store_transfer_order(store, &o, &rev, &err), ERR_CONFLICT);
	o.action = TRANSFER_RETRY;
	OK(store_transfer_order(store, &o, &rev, &err));
	job = must_claim();
	OK(queue_step_outcome(queue, id, job.fence, "send", NULL, STEP_DELIVERS_NOT, &err));
	finish(&job, STATE_RETRYING, NULL);
	o.action = TRANSFER_CANCEL;
	OK(store_transfer_order(store, &o, &rev, &err));
	assert_int_equal(get(id).state, STATE_CANCELLED);
}

/* It still stands in the transfer status, so each poll finds it. */
static void what_a_person_cancelled_no_poll_sends(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev = 0;
	hint("acme", "1", id);
	struct transfer_order o = { .id = id, .action = TRANSFER_CANCEL, .rev = -1, .who = "ops" };
	OK(store_transfer_order(store, &o, &rev, &err));
	struct queue_receipt got;
	struct queue_item seen = { .conn = "acme",
				   .kind = "invoice",
				   .source_id = "1",
				   .origin = "poll",
				   .changed = "c1",
				   .found = true };
	OK(queue_intake(queue, &seen, 1, &got, &err));
	assert_int_equal(got.what, INTAKE_SEEN);
	assert_int_equal(get(id).state, STATE_CANCELLED);
	o.action = TRANSFER_RETRY;
	OK(store_transfer_order(store, &o, &rev, &err));
	struct queue_job job = must_claim();
	finish(&job, STATE_CANCELLED, NULL); /* deleted at the source */
	seen.changed = "c2";
	OK(queue_intake(queue, &seen, 1, &got, &err));
	assert_int_equal(got.what, INTAKE_KNOWN);
}

/* needs_data or system_fault with an open intent: it may be at the target. */
static void an_open_intent_is_resent_only_by_one_who_has_looked(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX];
	int64_t rev = 0;
	struct err why = ERR_INIT;
	struct step step;
	hint("acme", "1", id);
	struct queue_job job = must_claim();
	OK(queue_step_intent(queue, id, job.fence, "send", "{\"number\":\"1\"}", &err));
	OK(queue_step_get(queue, arena, id, job.fence, "send", &step, &err));
	assert_string_equal(step.about, "{\"number\":\"1\"}");
	finish(&job, STATE_NEEDS_DATA, "sum_mismatch");
	struct transfer_order o = {
		.id = id, .action = TRANSFER_RESEND, .rev = -1, .who = "ops", .reason = "because"
	};
	assert_false(store_transfer_order(store, &o, &rev, &why));
	assert_string_equal(why.reason, "in_doubt");
	o.action = TRANSFER_CANCEL;
	assert_false(store_transfer_order(store, &o, &rev, &why));
	assert_string_equal(why.reason, "in_doubt");
	o.action = TRANSFER_RESEND;
	o.despite_doubt = true;
	OK(store_transfer_order(store, &o, &rev, &err));
	job = must_claim();
	assert_int_equal(job.generation, 2);
}

static size_t count_pages(const struct transfer_filter *base, size_t *ret_pages)
{
	struct transfer_filter f = *base;
	size_t n = 0, pages = 0;
	do {
		struct transfer_page page;
		OK(store_transfer_list(store, arena, &f, &page, &err));
		assert_true(page.n <= f.limit);
		for (size_t i = 1; i < page.n; i++)
			assert_true(page.items[i - 1].updated_ms >= page.items[i].updated_ms);
		n += page.n;
		f.cursor = page.next;
		assert_true(++pages < 2000);
	} while (f.cursor);
	*ret_pages = pages;
	return n;
}

static void lists_are_paged_and_filtered(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX], source[16];
	size_t pages = 0;
	put("a", CONNECTION_DRAFT);
	put("b", CONNECTION_DRAFT);
	for (int i = 0; i < 250; i++) {
		snprintf(source, sizeof(source), "%d", i);
		hint(i % 5 ? "a" : "b", source, id);
	}
	struct transfer_filter f = { .limit = 20 };
	assert_int_equal(count_pages(&f, &pages), 250);
	assert_in_range(pages, 13, 15);
	const char *const only[] = { "b" };
	f.conns = only;
	f.n_conns = 1;
	assert_int_equal(count_pages(&f, &pages), 50);
	f.states = 1u << STATE_DONE;
	assert_int_equal(count_pages(&f, &pages), 0);
	f.cursor = "nonsense";
	struct transfer_page page;
	REFUSED(store_transfer_list(store, arena, &f, &page, &err), ERR_INPUT);
	struct store_counts *counts = NULL;
	size_t n = 0;
	OK(store_counts(store, arena, &counts, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(counts[0].n[STATE_QUEUED], 200);
	assert_int_equal(counts[1].n[STATE_QUEUED], 50);
}

/* Each set is read as far as its members are needed: what is newest may all stand in one of them.
 */
static void many_are_retried_in_few_round_trips(void **state)
{
	(void)state;
	enum { N = 150 };
	const char *ids[N + 1];
	char id[TRANSFER_ID_MAX], source[16];
	struct transfer_tally tally;
	for (int i = 0; i < N; i++) {
		snprintf(source, sizeof(source), "%d", i);
		hint("acme", source, id);
		struct queue_job job = must_claim();
		finish(&job, i % 3 ? STATE_NEEDS_DATA : STATE_DONE, "customer_missing");
		ids[i] = arena_strdup(arena, job.id);
	}
	ids[N] = "00000000000000000000000000000000";
	/* The first of them meets a server that another one took over from. */
	redis_do("HSET v:epoch run %s", "another", NULL);
	OK(store_transfer_retry_many(store, ids, N + 1, "ops", &tally, &err));
	assert_int_equal(tally.done, 100);
	assert_int_equal(tally.refused, 51);
	assert_int_equal(get(ids[1]).state, STATE_QUEUED);
	assert_int_equal(get(ids[0]).state, STATE_DONE);
	const char **entries = NULL;
	size_t n = 0;
	OK(store_timeline(store, arena, ids[1], &entries, &n, &err));
	assert_int_equal(n, 2);
	assert_non_null(strstr(entries[1], "\"by\":\"ops\""));
}

static void a_page_over_many_connections_is_full(void **state)
{
	(void)state;
	char id[TRANSFER_ID_MAX], source[16];
	size_t pages = 0;
	redis_do("EVAL %s 0",
		 "for i = 1, 400 do local id = 'c' .. i "
		 "redis.call('HSET', 'v:conn:' .. id, 'rev', 1, 'doc', '{}', 'sec', '') "
		 "redis.call('SADD', 'v:conns', id) end redis.call('INCR', 'v:conns:ver')",
		 NULL);
	put("a", CONNECTION_DRAFT);
	for (int i = 0; i < 100; i++) {
		if (i == 60)
			clock_sleep_ms(2); /* the next are newer, not of the same instant */
		snprintf(source, sizeof(source), "%d", i);
		hint(i < 60 ? arena_printf(arena, "c%d", 1 + i % 7) : "c399", source, id);
	}
	struct transfer_filter f = { .limit = 30 };
	struct transfer_page page;
	OK(store_transfer_list(store, arena, &f, &page, &err));
	assert_int_equal(page.n, 30);
	for (size_t i = 0; i < page.n; i++)
		assert_string_equal(page.items[i].conn, "c399");
	assert_int_equal(count_pages(&f, &pages), 100);
	assert_in_range(pages, 4, 5);
}

static void a_large_batch_at_one_instant_is_paged_whole(void **state)
{
	(void)state;
	struct queue_item items[QUEUE_BATCH_MAX];
	struct queue_receipt got[QUEUE_BATCH_MAX];
	char ids[QUEUE_BATCH_MAX][32];
	size_t pages = 0;
	put("a", CONNECTION_DRAFT);
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < QUEUE_BATCH_MAX; i++) {
			snprintf(ids[i], sizeof(ids[i]), "%d-%d", round, i);
			items[i] = (struct queue_item) { .conn = "a",
							 .kind = "invoice",
							 .source_id = ids[i],
							 .number = ids[i],
							 .origin = "poll" };
		}
		OK(queue_intake(queue, items, QUEUE_BATCH_MAX, got, &err));
	}
	struct transfer_filter f = { .limit = 200 };
	assert_int_equal(count_pages(&f, &pages), 8 * QUEUE_BATCH_MAX);
	f.number = "3-77";
	assert_int_equal(count_pages(&f, &pages), 1);
	f.number = NULL;
	f.error_code = "nothing_has_it";
	assert_int_equal(count_pages(&f, &pages), 0);
}

static void tokens_are_known_by_hash(void **state)
{
	(void)state;
	char plain[TOKEN_TEXT_MAX], id[17];
	const char *const conns[] = { "a", "b" };
	struct token t = { .name = "bot", .role = ROLE_VIEWER, .conns = conns, .n_conns = 2 }, got;
	OK(store_token_create(store, &t, NULL, plain, id, &err));
	assert_int_equal(strlen(plain), 7 + 43);
	assert_true(store_token_find(store, arena, span_of(plain), &got));
	assert_string_equal(got.name, "bot");
	assert_int_equal(got.n_conns, 2);
	assert_string_equal(got.conns[1], "b");
	assert_false(store_token_find(store, arena, SPAN_LIT("viesti_x"), &got));
	struct token admin = { .name = "admin", .role = ROLE_ADMIN }, *all = NULL;
	OK(store_token_create(store, &admin, "a-given-admin-token", NULL, NULL, &err));
	OK(store_token_create(store, &admin, "a-given-admin-token", NULL, NULL, &err));
	size_t n = 0;
	OK(store_token_list(store, arena, &all, &n, &err));
	assert_int_equal(n, 2);
	OK(store_token_revoke(store, id, &err));
	assert_false(store_token_find(store, arena, span_of(plain), &got));
	REFUSED(store_token_revoke(store, id, &err), ERR_NOT_FOUND);
	t.expires_ms = 1;
	OK(store_token_create(store, &t, NULL, plain, id, &err));
	assert_false(store_token_find(store, arena, span_of(plain), &got));
}

static void an_idempotency_key_answers_once(void **state)
{
	(void)state;
	struct idempotent_answer a;
	OK(store_idempotency_begin(store, arena, "t", "k", "h1", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_FIRST);
	OK(store_idempotency_begin(store, arena, "t", "k", "h1", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_RUNNING);
	OK(store_idempotency_begin(store, arena, "t", "k", "h2", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_OTHER);
	OK(store_idempotency_end(store, "t", "k", "h1", 201, SPAN_LIT("{\"a\":1}"), &err));
	OK(store_idempotency_begin(store, arena, "t", "k", "h1", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_DONE);
	assert_int_equal(a.status, 201);
	assert_true(span_is(a.body, "{\"a\":1}"));
	OK(store_idempotency_begin(store, arena, "t2", "k", "h1", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_FIRST);
	OK(store_idempotency_drop(store, "t2", "k", &err));
	OK(store_idempotency_begin(store, arena, "t2", "k", "h1", &a, &err));
	assert_int_equal(a.what, IDEMPOTENCY_FIRST);
}

static void audit_and_reports_are_kept(void **state)
{
	(void)state;
	const char **texts = NULL, *report = NULL;
	size_t n = 0;
	OK(store_audit_add(store, "{\"n\":1}", &err));
	OK(store_audit_add(store, "{\"n\":2}", &err));
	OK(store_audit_list(store, arena, 0, 10, &texts, &n, &err));
	assert_int_equal(n, 2);
	assert_string_equal(texts[0], "{\"n\":2}");
	OK(store_audit_list(store, arena, 1, 10, &texts, &n, &err));
	assert_int_equal(n, 1);
	OK(store_report_get(store, arena, "a", &report, &err));
	assert_string_equal(report, "");
	OK(store_report_put(store, "a", "{\"waiting\": 3}", &err));
	OK(store_report_get(store, arena, "a", &report, &err));
	assert_string_equal(report, "{\"waiting\": 3}");
}

static void another_key_does_not_destroy_the_vault(void **state)
{
	(void)state;
	put("acme", CONNECTION_ACTIVE);
	struct seal_key other;
	struct store *wrong = NULL;
	seal_key_random(&other);
	const struct store_options so = { .pool = pool, .key = &other, .data_dir = data_dir };
	OK(store_new(&so, &wrong, &err));
	REFUSED(store_sync(wrong, &err), ERR_CREDENTIALS);
	store_free(wrong);
	assert_true(redis_fixture_flush(&server));
	OK(store_refresh(store, &err));
	struct connection *c = store_find(store, "acme");
	assert_non_null(c);
	connection_unref(c);
}

static void times_of_day_are_planned_in_their_zone(void **state)
{
	(void)state;
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	struct queue_tick t;
	struct redis *r = NULL;
	const struct redis_value *v = NULL;
	d.schedule = "{\"times\":[\"02:00\",\"14:30\"],\"time_zone\":\"Europe/Helsinki\"}";
	OK(store_connection_put(store, &d, NULL, &err));
	OK(queue_tick(queue, &t, &err));
	assert_int_equal(t.polls, 1);
	OK(redis_borrow(pool, 1000, &r, &err));
	OK(redis_commandf(r, arena, &v, &err, "ZSCORE v:sched acme"));
	redis_give_back(r);
	int64_t next = strtoll(v->s.p, NULL, 10), now = clock_wall_ms();
	struct tz *tz = NULL;
	OK(tz_load("Europe/Helsinki", &tz, &err));
	int64_t local_min = (next / 1000 + tz_offset_s(tz, next)) / 60 % 1440;
	tz_free(tz);
	assert_true(next > now && next <= now + 13 * 3600000LL);
	assert_true(local_min == 120 || local_min == 870);
}

/* Connections that came due together do not stay together; none is polled early. */
static void polls_by_interval_are_spread(void **state)
{
	(void)state;
	enum { N = 40 };
	struct redis *r = NULL;
	struct queue_tick t;
	int64_t low = INT64_MAX, high = 0, before_ms = clock_wall_ms();
	for (int i = 0; i < N; i++) {
		char id[16];
		snprintf(id, sizeof(id), "c%d", i);
		put(id, CONNECTION_ACTIVE);
	}
	OK(queue_tick(queue, &t, &err));
	assert_int_equal(t.polls, N);
	int64_t after_ms = clock_wall_ms();
	OK(redis_borrow(pool, 1000, &r, &err));
	for (int i = 0; i < N; i++) {
		const struct redis_value *v = NULL;
		char id[16];
		snprintf(id, sizeof(id), "c%d", i);
		OK(redis_commandf(r, arena, &v, &err, "ZSCORE v:sched %s", id));
		int64_t next = strtoll(v->s.p, NULL, 10);
		low = next < low ? next : low;
		high = next > high ? next : high;
	}
	redis_give_back(r);
	assert_true(low >= before_ms + 300000 && high <= after_ms + 330000);
	assert_true(high - low > 10000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_comes_back_as_it_was_put),
		TEST(an_old_revision_is_refused),
		TEST(a_paused_connection_runs_nothing),
		TEST(what_runs_is_listed_as_running),
		TEST(a_flushed_redis_gets_everything_back),
		TEST(another_server_is_a_new_epoch_however_durable),
		TEST(our_own_server_comes_back_with_its_data),
		TEST(durability_follows_redis),
		TEST(a_redis_that_went_back_in_time_is_a_new_epoch),
		TEST(each_relay_has_a_mark_of_its_own),
		TEST(a_data_folder_from_a_backup_is_a_new_epoch),
		TEST(the_newest_vault_counts_whoever_is_first),
		TEST(a_late_vault_brings_no_revoked_token_back),
		TEST(facts_are_kept_beside_the_connection),
		TEST(facts_tell_when_their_dialogues_are_due),
		TEST(MV_02_a_record_is_put_as_it_was_read_or_not_at_all),
		TEST(facts_come_back_from_the_newest_vault),
		TEST(a_vault_that_cannot_be_written_stops_nothing),
		TEST(polls_by_interval_are_spread),
		TEST(a_record_that_does_not_open_can_be_replaced),
		TEST(a_record_that_does_not_open_is_named_and_the_others_go_on),
		TEST(orders_follow_the_table),
		TEST(a_resend_opens_the_next_generation),
		TEST(an_open_intent_cannot_be_cancelled),
		TEST(what_a_person_cancelled_no_poll_sends),
		TEST(an_open_intent_is_resent_only_by_one_who_has_looked),
		TEST(lists_are_paged_and_filtered),
		TEST(many_are_retried_in_few_round_trips),
		TEST(a_page_over_many_connections_is_full),
		TEST(a_large_batch_at_one_instant_is_paged_whole),
		TEST(tokens_are_known_by_hash),
		TEST(an_idempotency_key_answers_once),
		TEST(audit_and_reports_are_kept),
		TEST(times_of_day_are_planned_in_their_zone),
		TEST(another_key_does_not_destroy_the_vault),
	};
	return cmocka_run_group_tests_name("store", tests, start, stop);
}
