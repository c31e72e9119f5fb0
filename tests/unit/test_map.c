/* Maps: what is put is found, in order, and lack of memory is survived. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/map.h"
#include "walk.h"

static void what_is_put_is_found(void **state)
{
	enum { N = 20000 };
	static int values[N];
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(16 << 20);
	struct map *map = map_new(arena);
	char key[32];
	assert_non_null(map);
	for (int i = 0; i < N; i++) {
		(void)snprintf(key, sizeof(key), "customer %d", i);
		assert_false(map_has(map, key));
		assert_true(map_put(map, key, &values[i]));
	}
	assert_int_equal(map_size(map), N);
	for (int i = 0; i < N; i++) {
		(void)snprintf(key, sizeof(key), "customer %d", i);
		assert_ptr_equal(map_get(map, key), &values[i]);
	}
	assert_null(map_get(map, "customer 20000"));
	assert_null(map_get(map, ""));
	int i = 0;
	for (const struct map_entry *e = map_first(map); e; e = e->next, i++)
		assert_ptr_equal(e->value, &values[i]);
	assert_int_equal(i, N);
}

static void keys_differ_in_every_byte(void **state)
{
	static const char *const keys[] = { "",		"a",	    "A",	 "ab",
					    "abcdefg",	"abcdefgh", "abcdefghi", "abcdefgi",
					    "\xC3\xA4", "a " };
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	struct map *map = map_new(arena);
	assert_non_null(map);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		assert_true(map_put(map, keys[i], (void *)(uintptr_t)keys[i]));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		assert_ptr_equal(map_get(map, keys[i]), keys[i]);
}

static void a_second_put_replaces_the_value(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(4096);
	struct map *map = map_new(arena);
	char key[] = "k", one[] = "1", two[] = "2";
	assert_non_null(map);
	assert_true(map_put(map, key, one));
	assert_true(map_put(map, key, two));
	key[0] = 'x'; /* the map has its own copy */
	assert_ptr_equal(map_get(map, "k"), two);
	assert_int_equal(map_size(map), 1);
	assert_true(map_put(map, "k", NULL));
	assert_null(map_get(map, "k"));
	assert_true(map_has(map, "k"));
}

static void no_map_is_an_empty_map(void **state)
{
	(void)state;
	assert_null(map_get(NULL, "k"));
	assert_false(map_has(NULL, "k"));
	assert_int_equal(map_size(NULL), 0);
	assert_null(map_first(NULL));
}

static bool fill(struct arena *arena)
{
	struct map *map = map_new(arena);
	if (!map)
		return false;
	size_t n = 0;
	while (n < 8 && map_put(map, (char[]) { (char)('a' + n), '\0' }, map))
		n++;
	assert_int_equal(map_size(map), n);
	return n == 8;
}

static void each_arena_cap_is_survived(void **state)
{
	(void)state;
	assert_true(walk_cap(fill) > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_found),
		cmocka_unit_test(keys_differ_in_every_byte),
		cmocka_unit_test(a_second_put_replaces_the_value),
		cmocka_unit_test(no_map_is_an_empty_map),
		cmocka_unit_test(each_arena_cap_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
