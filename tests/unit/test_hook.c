/* test_hook.c: the tokens in the paths of webhooks whose senders sign nothing. */
#include "base/base.h"

#include "model/hook.h"

#include <setjmp.h>

#include <cmocka.h>

static struct seal_key key_of(unsigned char first)
{
	struct seal_key key = { .id = "" };
	memset(key.bytes, 0x11, sizeof(key.bytes));
	key.bytes[0] = first;
	return key;
}

static void test_a_token_is_one_connections_and_one_senders(void **state)
{
	(void)state;
	const struct seal_key key = key_of(1), other_key = key_of(2);
	const struct hook hook = { "kajo", "maventa", 0 };
	const struct hook others[] = {
		{ "kajo", "maventa", 1 }, { "kaj", "maventa", 0 },  { "kajo", "spotilla", 0 },
		{ "kaj", "omaventa", 0 }, { "kajom", "aventa", 0 },
	};
	char token[HOOK_TOKEN_TEXT];
	assert_true(hook_token(&key, &hook, token));
	assert_int_equal(strlen(token), HOOK_TOKEN_TEXT - 1);
	assert_int_equal(strspn(token, "0123456789abcdef"), HOOK_TOKEN_TEXT - 1);
	assert_true(hook_token_fits(&key, &hook, token));
	assert_false(hook_token_fits(&other_key, &hook, token));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(hook_token_fits(&key, &others[i], token));
}

static void test_only_the_whole_token_fits(void **state)
{
	(void)state;
	const struct seal_key key = key_of(1);
	const struct hook hook = { "kajo", "maventa", 0 };
	char token[HOOK_TOKEN_TEXT], longer[HOOK_TOKEN_TEXT + 1];
	assert_true(hook_token(&key, &hook, token));
	snprintf(longer, sizeof(longer), "%s0", token);
	assert_false(hook_token_fits(&key, &hook, longer));
	assert_false(hook_token_fits(&key, &hook, ""));
	for (size_t i = 0; i < HOOK_TOKEN_TEXT - 1; i++) {
		char was = token[i];
		token[i] = was == 'a' ? 'b' : 'a';
		assert_false(hook_token_fits(&key, &hook, token));
		token[i] = was;
	}
	token[HOOK_TOKEN_TEXT - 2] = '\0';
	assert_false(hook_token_fits(&key, &hook, token));
}

static void test_the_address_ends_with_the_token(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(4096);
	const struct seal_key key = key_of(1);
	const struct hook hook = { "kajo", "maventa", 3 };
	const char *url = hook_url(arena, "https://viesti.example.com", &key, &hook);
	const char *start = "https://viesti.example.com/v1/webhooks/kajo/maventa/";
	assert_non_null(url);
	assert_int_equal(strncmp(url, start, strlen(start)), 0);
	assert_true(hook_token_fits(&key, &hook, url + strlen(start)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_token_is_one_connections_and_one_senders),
		cmocka_unit_test(test_only_the_whole_token_fits),
		cmocka_unit_test(test_the_address_ends_with_the_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
