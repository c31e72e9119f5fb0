/*
 * test_store_facts.c: what is kept beside a connection (facts, the records of dialogues) against a
 * real redis-server: revisions, what is due, and the way back from the vault.
 */
#include "base/base.h"

#include "base/clock.h"
#include "store_fixture.h"

static void facts_are_kept_beside_the_connection(void **state)
{
	(void)state;
	const char *json = NULL;
	int64_t rev = -1;
	REFUSED(store_facts_get(fx.store, fx.arena, "acme", &json, &rev, &err), ERR_NOT_FOUND);
	REFUSED(store_facts_set(fx.store, "acme", 0, "{}", &rev, &err), ERR_NOT_FOUND);
	put("acme", CONNECTION_ACTIVE);
	OK(store_facts_get(fx.store, fx.arena, "acme", &json, &rev, &err));
	assert_string_equal(json, "{}");
	assert_int_equal(rev, 0);
	OK(store_facts_set(fx.store, "acme", 0, "{\"company\":\"u-1\",\"n\":1.10}", &rev, &err));
	assert_int_equal(rev, 1);
	REFUSED(store_facts_set(fx.store, "acme", 0, "{}", &rev, &err), ERR_CONFLICT);
	OK(store_facts_set(fx.store, "acme", 1, "{\"company\":\"u-2\"}", &rev, &err));
	REFUSED(store_facts_set(fx.store, "acme", 2, "[]", &rev, &err), ERR_INPUT);
	REFUSED(store_facts_set(fx.store, "acme", 2, "{\"a\":", &rev, &err), ERR_INPUT);
	char *large = arena_alloc(fx.arena, STORE_FACTS_MAX + 1);
	memset(large, ' ', STORE_FACTS_MAX);
	memcpy(large, "{}", 2);
	REFUSED(store_facts_set(fx.store, "acme", 2, arena_printf(fx.arena, "%s ", large), &rev,
				&err),
		ERR_INPUT);
	/* The connection's ETag is as before, and a change of the connection leaves them. */
	struct connection_draft d = draft("acme", CONNECTION_ACTIVE);
	d.rev = 1;
	OK(store_connection_put(fx.store, &d, NULL, &err));
	OK(store_facts_get(fx.store, fx.arena, "acme", &json, &rev, &err));
	assert_string_equal(json, "{\"company\":\"u-2\"}");
	assert_int_equal(rev, 2);
	assert_null(strstr(redis_do("HGET v:conn:acme fx", NULL, NULL)->s.p, "u-2"));
}

static struct record record_of(const char *id)
{
	struct record rec = { .arena = fx.arena };
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
	REFUSED(store_record_put(fx.store, fx.arena, &put_rec, &err), ERR_NOT_FOUND);
	put("acme", CONNECTION_DRAFT);
	OK(store_record_put(fx.store, fx.arena, &put_rec, &err));
	assert_int_equal(record_int(&rec, "rev"), 1);
	assert_true(record_int(&rec, "updated_ms") > 0);
	REFUSED(store_record_put(fx.store, fx.arena, &put_same, &err), ERR_CONFLICT); /* not new */
	REFUSED(store_record_put(fx.store, fx.arena, &put_other, &err),
		ERR_CONFLICT); /* facts at 1 */
	put_other.facts_rev = 1;
	OK(store_record_put(fx.store, fx.arena, &put_other, &err));
	struct record late = rec;
	struct record_put put_late = { "acme", "talks", &late, -1 };
	OK(store_record_put(fx.store, fx.arena, &put_rec,
			    &err)); /* the facts are at 2, it is not */
	REFUSED(store_record_put(fx.store, fx.arena, &put_late, &err), ERR_CONFLICT);
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
	const char *json = arena_printf(fx.arena, "{\"due_ms\":%" PRId64 "}",
					clock_wall_ms() + 60000);
	OK(store_facts_set(fx.store, "acme", 0, json, &rev, &err));
	assert_true(redis_do("ZSCORE v:dialogues acme", NULL, NULL)->s.n > 0);
	OK(store_facts_set(fx.store, "acme", 1, "{}", &rev, &err));
	assert_int_equal(redis_do("ZCARD v:dialogues", NULL, NULL)->i, 0);
	struct store *other = store_at(folder, false);
	assert_null(sync_store(other));
	OK(store_facts_set(other, "acme", 2, json, &rev, &err));
	assert_true(redis_fixture_flush(&fx.server));
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
	OK(store_facts_set(fx.store, "acme", 0, "{\"step\":1}", &rev, &err));
	struct store *other = store_at(folder, false);
	assert_null(sync_store(other));
	refresh(other);
	OK(store_facts_set(other, "acme", 1, "{\"step\":2}", &rev, &err));
	assert_true(redis_fixture_flush(&fx.server));
	assert_non_null(sync_store(fx.store));
	OK(store_facts_get(fx.store, fx.arena, "acme", &json, &rev, &err));
	assert_string_equal(json, "{\"step\":1}");
	assert_null(sync_store(other));
	OK(store_facts_get(fx.store, fx.arena, "acme", &json, &rev, &err));
	assert_string_equal(json, "{\"step\":2}");
	assert_int_equal(rev, 2);
	store_free(other);
	remove_folder(folder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, store_begin, store_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(facts_are_kept_beside_the_connection),
		TEST(MV_02_a_record_is_put_as_it_was_read_or_not_at_all),
		TEST(facts_tell_when_their_dialogues_are_due),
		TEST(facts_come_back_from_the_newest_vault),
	};
	return cmocka_run_group_tests_name("store_facts", tests, redis_start, redis_stop);
}
