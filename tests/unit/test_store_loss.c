/*
 * test_store_loss.c: a Redis that was emptied, started again, replaced or put back to an earlier
 * state: the store sees it, begins a new epoch, and puts back what stands in the vaults.
 */
#include "base/base.h"

#include "base/clock.h"
#include "store_fixture.h"

static void a_flushed_redis_gets_everything_back(void **state)
{
	(void)state;
	struct store_epoch before, after;
	char plain[TOKEN_TEXT_MAX], id[17];
	struct token token = { .name = "ops", .role = ROLE_OPERATOR };
	put("acme", CONNECTION_ACTIVE);
	OK(store_token_create(fx.store, &token, NULL, plain, id, &err));
	store_epoch_get(fx.store, &before);
	assert_true(redis_fixture_flush(&fx.server));
	refresh(fx.store);
	assert_string_equal(sync_store(fx.store), "Redis is empty");
	assert_null(sync_store(fx.store));
	store_epoch_get(fx.store, &after);
	assert_true(after.restored);
	assert_string_not_equal(before.id, after.id);
	struct connection *c = NULL;
	OK(store_connection_get(fx.store, "acme", &c, &err));
	assert_string_equal(c->credentials.p, "{\"severa\":{\"secret\":\"s3\"}}");
	connection_unref(c);
	assert_true(store_token_find(fx.store, fx.arena, span_of(plain), &token));

	/* And by a process that starts against an empty Redis. */
	store_free(fx.store);
	assert_true(redis_fixture_flush(&fx.server));
	fx.store = store_at(data_dir, false);
	assert_non_null(sync_store(fx.store));
	refresh(fx.store);
	c = store_find(fx.store, "acme");
	assert_non_null(c);
	connection_unref(c);
	assert_true(store_token_find(fx.store, fx.arena, span_of(plain), &token));
	assert_int_equal(token.role, ROLE_OPERATOR);
}

static void restart_server(void)
{
	assert_true(redis_fixture_restart(&fx.server));
}

/* Another Redis may be a replica that was behind: its fsync says nothing of what it never got. */
static void another_server_is_a_new_epoch_however_durable(void **state)
{
	(void)state;
	restart_server();
	assert_string_equal(sync_store(fx.store),
			    "Redis was started again, or another server took over");
	assert_null(sync_store(fx.store));
	struct redis_health health;
	store_health_get(fx.store, &health);
	assert_int_equal(health.durability, REDIS_FSYNC);
}

static void our_own_server_comes_back_with_its_data(void **state)
{
	(void)state;
	struct store_epoch before, after;
	store_free(fx.store);
	fx.store = store_at(data_dir, true);
	assert_null(sync_store(fx.store));
	store_epoch_get(fx.store, &before);
	restart_server();
	assert_null(sync_store(fx.store));
	store_epoch_get(fx.store, &after);
	assert_string_equal(before.id, after.id);
	/* Not so when it answers what is not on disk. */
	restart_server();
	redis_do("CONFIG SET appendfsync %s", "everysec", NULL);
	assert_non_null(sync_store(fx.store));
}

/* Two connections that are idle afterwards. */
static void use_two_connections(void)
{
	struct redis *a = NULL, *b = NULL;
	OK(redis_borrow(fx.redis, 1000, &a, &err));
	OK(redis_borrow(fx.redis, 1000, &b, &err));
	redis_give_back(a);
	redis_give_back(b);
}

/* What is said to senders is what Redis does now, and never more than is known. */
static void durability_follows_redis(void **state)
{
	(void)state;
	restart_server();
	(void)sync_store(fx.store); /* another server: not what this is about */
	assert_int_equal(store_durability(fx.store), REDIS_FSYNC);
	use_two_connections();
	restart_server();
	redis_do("CONFIG SET appendfsync %s", "everysec", NULL);
	assert_int_equal(store_durability(fx.store), REDIS_MEMORY);
	assert_non_null(sync_store(fx.store));
	assert_int_equal(store_durability(fx.store), REDIS_EVERYSEC);
	use_two_connections(); /* the second was lost with the first */
	assert_int_equal(store_durability(fx.store), REDIS_EVERYSEC);
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
		store_free(fx.store);
		fx.store = store_at(data_dir, is_private);
		for (int i = 0; i < 4; i++)
			assert_null(sync_store(fx.store));
		go_back_to(2);
		assert_string_equal(sync_store(fx.store), "Redis went back to an earlier state");
		assert_null(sync_store(fx.store));
		/* By a process that starts later, too: the mark stands in the data folder. */
		go_back_to(2);
		store_free(fx.store);
		fx.store = store_at(data_dir, is_private);
		assert_non_null(sync_store(fx.store));
		assert_null(sync_store(fx.store));
	}
}

/* Another relay's syncs do not lift Redis over the loss. */
static void each_relay_has_a_mark_of_its_own(void **state)
{
	(void)state;
	char folder[] = "/tmp/viesti-store-XXXXXX";
	assert_non_null(mkdtemp(folder));
	assert_null(sync_store(fx.store));
	go_back_to(1);
	struct store *other = store_at(folder, false);
	for (int i = 0; i < 5; i++)
		assert_null(sync_store(other));
	assert_non_null(sync_store(fx.store));
	/* The other takes the epoch over as it is. */
	assert_null(sync_store(other));
	struct store_epoch mine, its;
	store_epoch_get(fx.store, &mine);
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
		store_free(fx.store);
		copy_mark(copy);
		if (i == 0)
			assert_int_equal(rename(copy, path), 0); /* put back by file */
		else if (i == 1)
			assert_int_equal(unlink(path), 0); /* or said so by the operator */
		else
			assert_int_equal(truncate(path, 20), 0);
		fx.store = store_at(data_dir, true);
		assert_non_null(sync_store(fx.store));
		assert_null(sync_store(fx.store));
	}
	/* On a Redis that others share it only means a new relay. */
	store_free(fx.store);
	assert_int_equal(unlink(path), 0);
	fx.store = store_at(data_dir, false);
	assert_null(sync_store(fx.store));
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
	OK(store_token_create(fx.store, &token, NULL, plain[0], id[0], &err));
	struct store *other = store_at(folder, false);
	assert_null(sync_store(other));
	refresh(other);
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	d.rev = 1;
	d.name = "New name";
	OK(store_connection_put(other, &d, NULL, &err));
	OK(store_token_create(other, &token, NULL, plain[1], id[1], &err));
	OK(store_token_revoke(other, id[0], &err));
	assert_true(redis_fixture_flush(&fx.server));
	assert_non_null(sync_store(fx.store));
	OK(store_token_create(fx.store, &token, NULL, later, id[2], &err));
	assert_null(sync_store(other));
	for (int i = 0; i < 2; i++) {
		struct store *s = i ? fx.store : other;
		refresh(s);
		struct connection *c = store_find(s, "acme");
		assert_non_null(c);
		assert_string_equal(c->name, "New name");
		connection_unref(c);
		assert_false(store_token_find(s, fx.arena, span_of(plain[0]), &token));
		assert_true(store_token_find(s, fx.arena, span_of(plain[1]), &token));
		assert_true(store_token_find(s, fx.arena, span_of(later), &token));
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
	OK(store_token_create(fx.store, &token, NULL, plain, id, &err));
	struct store *other = store_at(folder, false);
	assert_null(sync_store(other));
	refresh(other);
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	OK(store_connection_put(other, &d, NULL, &err));
	assert_true(redis_fixture_flush(&fx.server));
	assert_non_null(sync_store(fx.store));
	refresh(fx.store);
	OK(store_token_revoke(fx.store, id, &err));
	assert_null(sync_store(other));
	refresh(other);
	assert_false(store_token_find(other, fx.arena, span_of(plain), &token));
	struct connection *c = store_find(other, "acme");
	assert_non_null(c);
	connection_unref(c);
	store_free(other);
	remove_folder(folder);
}

static void another_key_does_not_destroy_the_vault(void **state)
{
	(void)state;
	put("acme", CONNECTION_ACTIVE);
	struct seal_key other;
	struct store *wrong = NULL;
	seal_key_random(&other);
	const struct store_options so = { .pool = fx.redis, .key = &other, .data_dir = data_dir };
	OK(store_new(&so, &wrong, &err));
	REFUSED(store_sync(wrong, &err), ERR_CREDENTIALS);
	store_free(wrong);
	assert_true(redis_fixture_flush(&fx.server));
	OK(store_refresh(fx.store, &err));
	struct connection *c = store_find(fx.store, "acme");
	assert_non_null(c);
	connection_unref(c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, store_begin, store_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flushed_redis_gets_everything_back),
		TEST(another_server_is_a_new_epoch_however_durable),
		TEST(our_own_server_comes_back_with_its_data),
		TEST(durability_follows_redis),
		TEST(a_redis_that_went_back_in_time_is_a_new_epoch),
		TEST(each_relay_has_a_mark_of_its_own),
		TEST(a_data_folder_from_a_backup_is_a_new_epoch),
		TEST(the_newest_vault_counts_whoever_is_first),
		TEST(a_late_vault_brings_no_revoked_token_back),
		TEST(another_key_does_not_destroy_the_vault),
	};
	return cmocka_run_group_tests_name("store_loss", tests, redis_start, redis_stop);
}
