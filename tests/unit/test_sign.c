/* Digests, MACs, signatures, sealing and text codes against published vectors. */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "codec/sign.h"
#include "walk.h"

static struct arena *arena;

static int open_arena(void **state)
{
	(void)state;
	arena = arena_new(1 << 20);
	return arena == NULL;
}

static int close_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void assert_sum(const unsigned char sum[SHA256_BYTES], const char *hex)
{
	char text[2 * SHA256_BYTES + 1];
	sign_hex(sum, SHA256_BYTES, text);
	assert_string_equal(text, hex);
}

/* FIPS 180-4 examples. */
static void sha256_vectors(void **state)
{
	static const struct {
		struct span data;
		const char *hex;
	} cases[] = {
		{ SPAN_LIT(""),
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ SPAN_LIT("abc"),
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ SPAN_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned char sum[SHA256_BYTES];
		struct sha256_stream s;
		sign_sha256(cases[i].data, sum);
		assert_sum(sum, cases[i].hex);
		assert_true(sha256_stream_init(&s));
		for (size_t k = 0; k < cases[i].data.n; k++)
			sha256_stream_add(&s, (struct span) { cases[i].data.p + k, 1 });
		sha256_stream_finish(&s, sum);
		assert_sum(sum, cases[i].hex);
	}
	struct sha256_stream unfinished;
	assert_true(sha256_stream_init(&unfinished));
	sha256_stream_release(&unfinished);
	sha256_stream_release(&unfinished);
}

static char repeated[256];

static struct span repeat(char c, size_t n)
{
	memset(repeated, c, n);
	return (struct span) { repeated, n };
}

/* RFC 4231, test cases 1, 2 and 6, and the empty key. */
static void hmac_vectors(void **state)
{
	(void)state;
	unsigned char mac[SHA256_BYTES];
	assert_true(sign_hmac_sha256(repeat('\x0b', 20), SPAN_LIT("Hi There"), mac));
	assert_sum(mac, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_true(
		sign_hmac_sha256(SPAN_LIT("Jefe"), SPAN_LIT("what do ya want for nothing?"), mac));
	assert_sum(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_true(sign_hmac_sha256(
		repeat('\xaa', 131),
		SPAN_LIT("Test Using Larger Than Block-Size Key - Hash Key First"), mac));
	assert_sum(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	assert_true(sign_hmac_sha256((struct span) { NULL, 0 }, (struct span) { NULL, 0 }, mac));
	assert_sum(mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void hmac_over_parts_is_hmac_over_their_join(void **state)
{
	(void)state;
	const struct span parts[] = { SPAN_LIT("what do "), SPAN_LIT(""),
				      SPAN_LIT("ya want for nothing?") };
	unsigned char mac[SHA256_BYTES];
	assert_true(sign_hmac_sha256_parts(SPAN_LIT("Jefe"), parts, ARRAY_SIZE(parts), mac));
	assert_sum(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_true(sign_hmac_sha256_parts(SPAN_LIT(""), NULL, 0, mac));
	assert_sum(mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* facts/netvisor.md §2.5, vectors 3 and 4; 4 in ISO-8859-15 and in UTF-8 bytes. */
static void netvisor_mac_vectors(void **state)
{
#define NV4_URL "https://isvapi.netvisor.fi/customerlist.nv?changedsince=2026-01-31T08:40:00"
#define NV4_REST                                                                        \
	"&AB_1234_56&2026-02-01 06:15:30.000&FI&1234567-1&5f1d9b6e0c6a4b0f9a1e2d3c4b5a" \
	"6978&1769926530&" NV4_KEY
#define NV4_KEY "0123456789ABCDEF0123456789ABCDEF&FEDCBA9876543210FEDCBA9876543210"
	static const struct {
		struct span key, message;
		const char *hex;
	} cases[] = {
		{ SPAN_LIT("TestUserKey&TestPartnerKey"),
		  SPAN_LIT("https://integration.netvisor.fi/customerlist.nv&TestSender&"
			   "TestCustomerId&2024-01-15 12:00:00.000&FI&TestOrganizationId&"
			   "transaction123&1705312800&TestUserKey&TestPartnerKey"),
		  "14f2ec30263493fe0eb99b924d0b172addd4d3038140ea4f65469a51cbfbf072" },
		{ SPAN_LIT(NV4_KEY), SPAN_LIT(NV4_URL "&Lasku v\xE4litys \xD6y" NV4_REST),
		  "1c253e797ce7cfffba1b440d498b0915c7acd0476a2e5e9accb8d422275bc27f" },
		{ SPAN_LIT(NV4_KEY), SPAN_LIT(NV4_URL "&Lasku v\xC3\xA4litys \xC3\x96y" NV4_REST),
		  "1ee601e2bb59b661be1b711e60cfb9bc6cda373b720e237e4132f6f435737313" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned char mac[SHA256_BYTES];
		assert_true(sign_hmac_sha256(cases[i].key, cases[i].message, mac));
		assert_sum(mac, cases[i].hex);
	}
}

/* RFC 8032 §7.1, tests 1 and 3. */
static void ed25519_vectors(void **state)
{
	static const struct {
		const char *key, *message, *sig;
	} cases[] = {
		{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
		  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
		{ "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
		  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
		  "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned char key[32], sig[64], message[2];
		struct span data = { (const char *)message, strlen(cases[i].message) / 2 };
		assert_true(sign_unhex(span_of(cases[i].key), key, sizeof(key)));
		assert_true(sign_unhex(span_of(cases[i].sig), sig, sizeof(sig)));
		assert_true(sign_unhex(span_of(cases[i].message), message, data.n));
		assert_true(sign_ed25519_verify(key, data, sig));
		assert_false(sign_ed25519_verify(key, SPAN_LIT("other"), sig));
		sig[63] ^= 0x80;
		assert_false(sign_ed25519_verify(key, data, sig));
		sig[63] ^= 0x80;
		sig[0] ^= 1;
		assert_false(sign_ed25519_verify(key, data, sig));
		sig[0] ^= 1;
		key[0] ^= 1;
		assert_false(sign_ed25519_verify(key, data, sig));
	}
}

/* With a key of small order and a signature of zeros, OpenSSL accepts any message. */
static void ed25519_keys_that_let_anybody_sign_are_refused(void **state)
{
	(void)state;
	unsigned char key[32] = { 0 }, sig[64] = { 0 };
	assert_false(sign_ed25519_verify(key, SPAN_LIT("forged"), sig));
	key[31] = 0x80;
	assert_false(sign_ed25519_verify(key, SPAN_LIT("forged"), sig));
	key[0] = sig[0] = 1;
	for (int i = 0; i < 2; i++, key[31] ^= 0x80)
		assert_false(sign_ed25519_verify(key, SPAN_LIT("forged"), sig));
}

static void equality_is_exact(void **state)
{
	(void)state;
	assert_true(sign_equal("abc", "abc", 3));
	assert_false(sign_equal("abc", "abd", 3));
	assert_true(sign_equal("abc", "xyz", 0));
}

static void hex_is_read_strictly(void **state)
{
	(void)state;
	unsigned char bytes[4];
	char text[9];
	assert_true(sign_unhex(SPAN_LIT("00fFA07e"), bytes, 4));
	sign_hex(bytes, 4, text);
	assert_string_equal(text, "00ffa07e");
	sign_hex(bytes, 0, text);
	assert_string_equal(text, "");
	assert_true(sign_unhex(SPAN_LIT(""), bytes, 0));
	assert_false(sign_unhex(SPAN_LIT("00ff"), bytes, 4));
	assert_false(sign_unhex(SPAN_LIT("00ffa07e00"), bytes, 4));
	assert_false(sign_unhex(SPAN_LIT("00ffa07"), bytes, 4));
	assert_false(sign_unhex(SPAN_LIT("00ffa07g"), bytes, 4));
	assert_false(sign_unhex(SPAN_LIT("0x00ffa0"), bytes, 4));
	assert_false(sign_unhex(SPAN_LIT(" 0ffa07e"), bytes, 4));
}

/* RFC 4648 §10. */
static void base64_vectors(void **state)
{
	static const struct {
		struct span plain;
		const char *text;
	} cases[] = {
		{ SPAN_LIT(""), "" },
		{ SPAN_LIT("f"), "Zg==" },
		{ SPAN_LIT("fo"), "Zm8=" },
		{ SPAN_LIT("foo"), "Zm9v" },
		{ SPAN_LIT("foob"), "Zm9vYg==" },
		{ SPAN_LIT("fooba"), "Zm9vYmE=" },
		{ SPAN_LIT("foobar"), "Zm9vYmFy" },
		{ SPAN_LIT("\0\xFF\xFB\xEF\xBE"), "AP/7774=" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned char bytes[16];
		size_t n = 99;
		assert_string_equal(sign_base64(arena, cases[i].plain), cases[i].text);
		assert_true(sign_unbase64(span_of(cases[i].text), bytes, cases[i].plain.n, &n));
		assert_int_equal(n, cases[i].plain.n);
		assert_memory_equal(bytes, cases[i].plain.p, n);
		if (n > 0)
			assert_false(sign_unbase64(span_of(cases[i].text), bytes, n - 1, &n));
	}
}

static void malformed_base64_is_refused(void **state)
{
	static const char *const cases[] = {
		"Z",	"Zg",	    "Zg=",  "Zm9",	 "Zg===",	"=Zg=",	    "Z===",
		"====", "Zh==",	    "Zm9=", "Zm9v\n",	 " Zm9v",	"Zm9v====", "Zm9-",
		"Zm9_", "Zg==Zg==", "Zm=v", "Zm9vZm9v=", "Zm9v\x80xyz",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned char bytes[16];
		size_t n = 99;
		print_message("%s\n", cases[i]);
		assert_false(sign_unbase64(span_of(cases[i]), bytes, sizeof(bytes), &n));
		assert_int_equal(n, 99);
	}
	unsigned char bytes[16];
	size_t n;
	assert_false(sign_unbase64(SPAN_LIT("Zm9\0"), bytes, sizeof(bytes), &n));
}

static void uuids_have_their_form(void **state)
{
	(void)state;
	char a[UUID_TEXT], b[UUID_TEXT];
	for (int i = 0; i < 100; i++) {
		sign_uuid4(a);
		sign_uuid4(b);
		assert_int_equal(strlen(a), 36);
		assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
		assert_int_equal(a[14], '4');
		assert_non_null(strchr("89ab", a[19]));
		assert_string_not_equal(a, b);
	}
}

/* RFC 9562 appendix A.4, and the example of Python's uuid module. */
static void uuid5_vectors(void **state)
{
#define DNS_SPACE "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	(void)state;
	char text[UUID_TEXT];
	assert_true(sign_uuid5(DNS_SPACE, SPAN_LIT("www.example.com"), text));
	assert_string_equal(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
	assert_true(
		sign_uuid5("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", SPAN_LIT("python.org"), text));
	assert_string_equal(text, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
	static const char *const malformed[] = {
		"",
		"6ba7b810",
		"6ba7b8109dad11d180b400c04fd430c8",
		"6ba7b810-9dad-11d1-80b4-00c04fd430cg",
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8 ",
		"6ba7b810-9dad-11d1-80b400c04fd-430c8",
		"------------------------------------",
	};
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
		assert_false(sign_uuid5(malformed[i], SPAN_LIT("x"), text));
}

static struct seal_key key_of(const char *text)
{
	struct seal_key key;
	struct err err = ERR_INIT;
	if (!seal_key_parse(span_of(text), &key, &err))
		fail_msg("not a key: %s", text);
	return key;
}

#define KEY_HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_ID "dbcedea2"

static void keys_are_read_in_both_forms(void **state)
{
	static const char *const bad[] = { "",
					   "abc",
					   KEY_HEX "00",
					   KEY_BASE64 "AAAA",
					   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
					   "password" };
	(void)state;
	struct seal_key a = key_of(KEY_HEX), b = key_of(" \t" KEY_BASE64 "\r\n");
	assert_memory_equal(a.bytes, b.bytes, SEAL_KEY_BYTES);
	assert_int_equal(a.bytes[31], 0x1f);
	assert_string_equal(a.id, KEY_ID);
	assert_string_equal(b.id, KEY_ID);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct seal_key key;
		struct err err = ERR_INIT;
		assert_false(seal_key_parse(span_of(bad[i]), &key, &err));
		assert_int_equal(err.code, ERR_INPUT);
		if (*bad[i])
			assert_null(strstr(err.message, bad[i]));
	}
}

static void what_is_sealed_opens(void **state)
{
	static const struct span cases[] = { SPAN_LIT(""), SPAN_LIT("x"),
					     SPAN_LIT("{\"client_secret\":\"\0\xFF\"}") };
	(void)state;
	struct seal_key key;
	struct err err = ERR_INIT;
	seal_key_random(&key);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct span a, b, plain;
		assert_true(seal(arena, &key, SPAN_LIT("connection:1"), cases[i], &a, &err));
		assert_true(seal(arena, &key, SPAN_LIT("connection:1"), cases[i], &b, &err));
		assert_int_equal(a.n, 2 + 8 + 12 + cases[i].n + 16);
		assert_false(span_eq(a, b)); /* a nonce each */
		assert_true(unseal(arena, &key, SPAN_LIT("connection:1"), a, &plain, &err));
		assert_true(span_eq(plain, cases[i]));
		assert_int_equal(plain.p[plain.n], '\0');
	}
	struct span sealed, plain;
	assert_true(seal(arena, &key, SPAN_LIT(""), SPAN_LIT("x"), &sealed, &err));
	assert_true(unseal(arena, &key, SPAN_LIT(""), sealed, &plain, &err));
}

/* Made with Python's cryptography: AESGCM(bytes(range(32))), nonce bytes(range(100, 112)). */
static void a_record_of_another_program_opens(void **state)
{
	(void)state;
	static const char hex[] =
		"763164626365646561326465666768696a6b6c6d6e6f047aad0d0cc967ae0a506cb"
		"2bfa3227f00a01ca6e0b7eee2c76bbe";
	unsigned char sealed[(sizeof(hex) - 1) / 2];
	struct seal_key key = key_of(KEY_HEX);
	struct err err = ERR_INIT;
	struct span plain;
	assert_true(sign_unhex(SPAN_LIT(hex), sealed, sizeof(sealed)));
	assert_true(unseal(arena, &key, SPAN_LIT("tr:1"),
			   (struct span) { (const char *)sealed, sizeof(sealed) }, &plain, &err));
	assert_string_equal(plain.p, "Lasku 10423");
}

static void every_altered_byte_is_noticed(void **state)
{
	(void)state;
	struct seal_key key = key_of(KEY_HEX), other = key_of(KEY_BASE64);
	struct err err = ERR_INIT;
	struct span sealed, plain = { NULL, 0 };
	assert_true(seal(arena, &key, SPAN_LIT("a:1"), SPAN_LIT("plain text"), &sealed, &err));
	for (size_t i = 0; i < sealed.n; i++) {
		char *altered = arena_memdup(arena, sealed.p, sealed.n);
		assert_non_null(altered);
		altered[i] ^= 1;
		bool is_key_id = i >= 2 && i < 10;
		assert_false(unseal(arena, &key, SPAN_LIT("a:1"),
				    (struct span) { altered, sealed.n }, &plain, &err));
		assert_int_equal(err.code, is_key_id ? ERR_CREDENTIALS : ERR_DATA);
	}
	for (size_t n = 0; n < sealed.n; n++) {
		assert_false(unseal(arena, &key, SPAN_LIT("a:1"), (struct span) { sealed.p, n },
				    &plain, &err));
		assert_int_equal(err.code, ERR_DATA);
	}
	assert_false(unseal(arena, &key, SPAN_LIT("a:2"), sealed, &plain, &err));
	assert_int_equal(err.code, ERR_DATA);
	seal_key_random(&other);
	assert_false(unseal(arena, &other, SPAN_LIT("a:1"), sealed, &plain, &err));
	assert_int_equal(err.code, ERR_CREDENTIALS);
	assert_null(plain.p);
}

static bool seal_with_cap(struct arena *small)
{
	struct seal_key key = key_of(KEY_HEX);
	struct err err = ERR_INIT;
	struct span sealed, plain;
	if (sign_base64(small, SPAN_LIT("abc")) &&
	    seal(small, &key, SPAN_LIT("a"), SPAN_LIT("plain"), &sealed, &err) &&
	    unseal(small, &key, SPAN_LIT("a"), sealed, &plain, &err))
		return true;
	assert_true(err.code == ERR_NONE || err.code == ERR_LIMIT);
	return false;
}

static void each_arena_cap_is_survived(void **state)
{
	(void)state;
	assert_true(walk_cap(seal_with_cap) > 4);
}

static void *sign_in_thread(void *arg)
{
	unsigned char first[SHA256_BYTES], mac[SHA256_BYTES];
	if (!sign_hmac_sha256(span_of(arg), SPAN_LIT("data"), first))
		return NULL;
	for (int i = 0; i < 1000; i++) {
		char uuid[UUID_TEXT];
		sign_uuid4(uuid);
		if (!sign_hmac_sha256(span_of(arg), SPAN_LIT("data"), mac) ||
		    !sign_equal(first, mac, sizeof(mac)))
			return NULL;
	}
	return arg;
}

static void threads_sign_side_by_side(void **state)
{
	static char keys[4][8] = { "one", "two", "three", "four" };
	(void)state;
	pthread_t threads[4];
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_in_thread, keys[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		void *result;
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, keys[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_sign_side_by_side),
		cmocka_unit_test(sha256_vectors),
		cmocka_unit_test(hmac_vectors),
		cmocka_unit_test(hmac_over_parts_is_hmac_over_their_join),
		cmocka_unit_test(netvisor_mac_vectors),
		cmocka_unit_test(ed25519_vectors),
		cmocka_unit_test(ed25519_keys_that_let_anybody_sign_are_refused),
		cmocka_unit_test(equality_is_exact),
		cmocka_unit_test(hex_is_read_strictly),
		cmocka_unit_test(base64_vectors),
		cmocka_unit_test(malformed_base64_is_refused),
		cmocka_unit_test(uuids_have_their_form),
		cmocka_unit_test(uuid5_vectors),
		cmocka_unit_test(keys_are_read_in_both_forms),
		cmocka_unit_test(what_is_sealed_opens),
		cmocka_unit_test(a_record_of_another_program_opens),
		cmocka_unit_test(every_altered_byte_is_noticed),
		cmocka_unit_test(each_arena_cap_is_survived),
	};
	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
