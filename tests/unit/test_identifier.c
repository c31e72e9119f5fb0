/*
 * test_identifier.c: check digits by the examples of the fact sheet, the forms people type, and,
 * where the shared folder is at hand (VIESTI_SHARED), its whole list of vectors.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "model/identifier.h"

static const struct {
	enum identifier_kind kind;
	const char *value;
	enum identifier_fault fault;
} checks[] = {
	{ ID_FI_BUSINESS, "0112038-9", IDENTIFIER_GOOD },
	{ ID_FI_BUSINESS, "1572860-0", IDENTIFIER_GOOD },
	{ ID_FI_BUSINESS, "0000001-9", IDENTIFIER_GOOD },
	{ ID_FI_BUSINESS, "0737546-1", IDENTIFIER_CHECK },
	{ ID_FI_BUSINESS, "1111111-0", IDENTIFIER_UNUSABLE },
	{ ID_FI_BUSINESS, "0000006-0", IDENTIFIER_UNUSABLE },
	{ ID_FI_BUSINESS, "2000018-1", IDENTIFIER_UNUSABLE },
	{ ID_FI_BUSINESS, "1234567-A", IDENTIFIER_CHARACTER },
	{ ID_FI_BUSINESS, "1234567-1 ", IDENTIFIER_LENGTH },
	{ ID_FI_BUSINESS, "123456-7", IDENTIFIER_LENGTH },
	{ ID_FI_BUSINESS, "12345678\xD9", IDENTIFIER_CHARACTER },
	{ ID_FI_VAT, "FI12345671", IDENTIFIER_GOOD },
	{ ID_FI_VAT, "FI12345678", IDENTIFIER_CHECK },
	{ ID_FI_VAT, "SE12345671", IDENTIFIER_CHARACTER },
	{ ID_FI_OVT, "003712345671", IDENTIFIER_GOOD },
	{ ID_FI_OVT, "00371234567100001", IDENTIFIER_GOOD },
	{ ID_FI_OVT, "003712345671ABC", IDENTIFIER_GOOD },
	{ ID_FI_OVT, "003812345671", IDENTIFIER_CHARACTER },
	{ ID_FI_OVT, "00371234567", IDENTIFIER_LENGTH },
	{ ID_FI_OVT, "003712345671000012", IDENTIFIER_LENGTH },
	{ ID_FI_OVT, "003712345671a", IDENTIFIER_CHARACTER },
	{ ID_FI_REFERENCE, "1232", IDENTIFIER_GOOD },
	{ ID_FI_REFERENCE, "20260011", IDENTIFIER_GOOD },
	{ ID_FI_REFERENCE, "99999999999999999993", IDENTIFIER_GOOD },
	{ ID_FI_REFERENCE, "1233", IDENTIFIER_CHECK },
	{ ID_FI_REFERENCE, "123", IDENTIFIER_LENGTH },
	{ ID_FI_REFERENCE, "2026-1001", IDENTIFIER_CHARACTER },
	{ ID_RF, "RF5220260011", IDENTIFIER_GOOD },
	{ ID_RF, "RF6599999999999999999993", IDENTIFIER_GOOD },
	{ ID_RF, "RF18539007547034", IDENTIFIER_GOOD },
	{ ID_RF, "RF712348231", IDENTIFIER_GOOD },
	{ ID_RF, "RF5320260011", IDENTIFIER_CHECK },
	{ ID_RF, "RFA220260011", IDENTIFIER_CHARACTER },
	{ ID_RF, "RF52", IDENTIFIER_LENGTH },
	{ ID_NO_ORG, "123456785", IDENTIFIER_GOOD },
	{ ID_NO_ORG, "910000020", IDENTIFIER_GOOD },
	{ ID_NO_ORG, "123456784", IDENTIFIER_CHECK },
	{ ID_NO_ORG, "923109820", IDENTIFIER_UNUSABLE },
	{ ID_NO_ORG, "910000081", IDENTIFIER_UNUSABLE },
	{ ID_NO_VAT, "NO123456785MVA", IDENTIFIER_GOOD },
	{ ID_NO_VAT, "NO123456785", IDENTIFIER_LENGTH },
	{ ID_NO_VAT, "NO123456785MWA", IDENTIFIER_CHARACTER },
	{ ID_NO_ACCOUNT, "12345678903", IDENTIFIER_GOOD },
	{ ID_NO_ACCOUNT, "86011117947", IDENTIFIER_GOOD },
	{ ID_NO_ACCOUNT, "12345678904", IDENTIFIER_CHECK },
	{ ID_KID_MOD10, "23456783", IDENTIFIER_GOOD },
	{ ID_KID_MOD10, "23456788", IDENTIFIER_CHECK },
	{ ID_KID_MOD10, "67", IDENTIFIER_GOOD },
	{ ID_KID_MOD10, "11111111111111111111111111", IDENTIFIER_LENGTH },
	{ ID_KID_MOD11, "23456788", IDENTIFIER_GOOD },
	{ ID_KID_MOD11, "6-", IDENTIFIER_GOOD },
	{ ID_KID_MOD11, "23-", IDENTIFIER_GOOD },
	{ ID_KID_MOD11, "60-", IDENTIFIER_CHECK },
	{ ID_KID_MOD11, "-6", IDENTIFIER_CHARACTER },
	{ ID_IBAN, "FI2112345600000785", IDENTIFIER_GOOD },
	{ ID_IBAN, "NO7112345678903", IDENTIFIER_GOOD },
	{ ID_IBAN, "SE4550000000058398257466", IDENTIFIER_GOOD },
	{ ID_IBAN, "EE382200221020145685", IDENTIFIER_GOOD },
	{ ID_IBAN, "FI2757800750155448", IDENTIFIER_CHECK },
	{ ID_IBAN, "FI211234560000078", IDENTIFIER_LENGTH },
	{ ID_IBAN, "12FI12345600000785", IDENTIFIER_CHARACTER },
	{ ID_SE_ORG, "5560360793", IDENTIFIER_GOOD },
	{ ID_SE_ORG, "2120000142", IDENTIFIER_GOOD },
	{ ID_SE_ORG, "5560360794", IDENTIFIER_CHECK },
	{ ID_GLN, "7300010000001", IDENTIFIER_GOOD },
	{ ID_GLN, "7300010000002", IDENTIFIER_CHECK },
};

static void test_examples_of_the_sheet_MV_13(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		enum identifier_fault f = identifier_check(checks[i].kind,
							   span_of(checks[i].value));
		if (f != checks[i].fault)
			fail_msg("%s: fault %d", checks[i].value, (int)f);
	}
}

/* Any change of one digit is noticed by a modulus 11 or 97 check. */
static void test_one_wrong_digit_is_noticed(void **state)
{
	(void)state;
	static const struct {
		enum identifier_kind kind;
		const char *value;
		size_t from;
	} good[] = { { ID_FI_BUSINESS, "1572860-0", 0 },
		     { ID_NO_ORG, "987654325", 0 },
		     { ID_NO_ACCOUNT, "86011117947", 0 },
		     { ID_RF, "RF332348236", 2 },
		     { ID_IBAN, "NO9386011117947", 2 } };
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		for (size_t at = good[i].from; good[i].value[at]; at++)
			for (char c = '0'; c <= '9'; c++) {
				char text[32];
				snprintf(text, sizeof(text), "%s", good[i].value);
				if (text[at] == '-' || text[at] == c)
					continue;
				text[at] = c;
				assert_false(identifier_is(good[i].kind, text));
			}
}

static void test_business_ids(void **state)
{
	(void)state;
	static const struct {
		const char *from, *id;
	} cases[] = { { "FI90001014", "9000101-4" },
		      { "fi 9000101-4", "9000101-4" },
		      { "9000101-4", "9000101-4" },
		      { "FI12345678", NULL },
		      { "SE556677889901", NULL },
		      { "", NULL },
		      { NULL, NULL },
		      { "FI", NULL },
		      { "0737546-2", "0737546-2" },
		      { "737546-2", "0737546-2" } };
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_true(str_eq(business_id_from(arena, cases[i].from), cases[i].id));
}

static void test_vat_ids_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *from, *country;
		bool is_registered;
		const char *id;
	} cases[] = { { "FI12345671", "FI", false, "FI12345671" },
		      { "fi-1234567-1", NULL, false, "FI12345671" },
		      { "1234567-1", "FI", true, "FI12345671" },
		      { "1234567-1", "FI", false, NULL },
		      { "FI12345678", "FI", true, NULL },
		      { "NO 123 456 785 MVA", "NO", false, "NO123456785MVA" },
		      { "NO\xC2\xA0"
			"123456785",
			"NO", false, "NO123456785MVA" },
		      { "123456785MVA", NULL, false, "NO123456785MVA" },
		      { "123456785", "NO", true, "NO123456785MVA" },
		      { "123456785", "NO", false, NULL },
		      { "NO123456784MVA", "NO", true, NULL },
		      { "SE556036079301", "SE", false, "SE556036079301" },
		      { "DE 123456789", "DE", false, "DE123456789" },
		      { "N/A", "US", true, NULL },
		      { "", "FI", true, NULL },
		      { NULL, "FI", true, NULL } };
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_true(str_eq(
			vat_id_from(arena, cases[i].from, cases[i].country, cases[i].is_registered),
			cases[i].id));
}

static void test_legal_ids_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *from, *country, *scheme, *value;
	} cases[] = { { "FI12345671", NULL, "0212", "1234567-1" },
		      { "1234567-1", "fi", "0212", "1234567-1" },
		      { "NO123456785MVA", NULL, "0192", "123456785" },
		      { "123 456 785", "NO", "0192", "123456785" },
		      { "SE556036079301", NULL, "0007", "5560360793" },
		      { "556036-0793", "SE", "0007", "5560360793" },
		      { "123456784", "NO", NULL, NULL },
		      { "DE123456789", "DE", NULL, NULL },
		      { NULL, "FI", NULL, NULL } };
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scheme_id id = { NULL, NULL };
		assert_int_equal(legal_id_from(arena, cases[i].from, cases[i].country, &id),
				 cases[i].scheme != NULL);
		assert_true(str_eq(id.scheme, cases[i].scheme) && str_eq(id.value, cases[i].value));
	}
}

static void test_endpoints_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *from, *country, *scheme, *value;
	} cases[] = { { "003712345671", NULL, "0216", "003712345671" },
		      { "0216:003712345671AB", NULL, "0216", "003712345671AB" },
		      { "0037:12345671", NULL, "0216", "003712345671" },
		      { "0037:003712345671", NULL, "0216", "003712345671" },
		      { "0212:1234567-1", NULL, "0216", "003712345671" },
		      { "0213:FI12345671", NULL, "0216", "003712345671" },
		      { "FI12345671", "FI", "0216", "003712345671" },
		      { "0192:123456785", NULL, "0192", "123456785" },
		      { "9908:123456785", NULL, "0192", "123456785" },
		      { "123 456 785", "NO", "0192", "123456785" },
		      { "0007:5560360793", NULL, "0007", "5560360793" },
		      { "0088:7300010000001", NULL, "0088", "7300010000001" },
		      { "9930:DE123456789", NULL, "9930", "DE123456789" },
		      { "0215:FI123", NULL, NULL, NULL }, /* dropped in 3.0.21 */
		      { "0088:7300010000002", NULL, NULL, NULL },
		      { "0192:123456784", NULL, NULL, NULL },
		      { "0007:5560360794", NULL, NULL, NULL },
		      { "9999:1", NULL, NULL, NULL },
		      { "FI2112345600000785", NULL, NULL, NULL }, /* an IBAN */
		      { "EMAIL", NULL, NULL, NULL },
		      { NULL, NULL, NULL, NULL } };
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scheme_id id = { NULL, NULL };
		if (endpoint_from(arena, cases[i].from, cases[i].country, &id) !=
			    (cases[i].scheme != NULL) ||
		    !str_eq(id.value, cases[i].scheme ? cases[i].value : id.value) ||
		    (cases[i].scheme && !str_eq(id.scheme, cases[i].scheme)))
			fail_msg("%s: %s:%s", cases[i].from, id.scheme, id.value);
	}
}

static void test_payment_references_MV_13(void **state)
{
	(void)state;
	static const struct {
		const char *from, *country;
		enum identifier_kind kid;
		const char *sent;
	} cases[] = { { "20260 011", "FI", ID_KID_MOD10, "20260011" },
		      { "00020260011", "FI", ID_KID_MOD10, "20260011" },
		      { "RF52 2026 0011", "FI", ID_KID_MOD10, "RF5220260011" },
		      { "rf5220260011", "FI", ID_KID_MOD10, "RF5220260011" },
		      { "RF712348231", "FI", ID_KID_MOD10, NULL }, /* no viitenumero inside */
		      { "RF712348231", "NO", ID_KID_MOD10, "RF712348231" },
		      { "2026001", "FI", ID_KID_MOD10, NULL },
		      { "123456782", "NO", ID_KID_MOD10, "123456782" },
		      { "123456782", "NO", ID_KID_MOD11, NULL },
		      { "123456785", "NO", ID_KID_MOD11, "123456785" },
		      { "23-", "NO", ID_KID_MOD11, "23-" },
		      { "2-3-", "NO", ID_KID_MOD11, "23-" },
		      { "Invoice 1-2", "DE", ID_KID_MOD10, "Invoice 1-2" },
		      { "RF5320260011", "DE", ID_KID_MOD10, NULL },
		      { "", "FI", ID_KID_MOD10, NULL } };
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *sent = payment_reference_from(arena, cases[i].from, cases[i].country,
							  cases[i].kid);
		if (!str_eq(sent, cases[i].sent))
			fail_msg("%s: %s", cases[i].from, sent ? sent : "refused");
	}
}

/* Every allocation that a full arena refuses is a NULL or false, never a crash. */
static void test_full_arena(void **state)
{
	(void)state;
	CLEANUP(arena_free) struct arena *arena = arena_new(1);
	struct scheme_id id;
	assert_null(identifier_compact(arena, "FI12345671"));
	assert_null(business_id_from(arena, "FI12345671"));
	assert_null(vat_id_from(arena, "FI12345671", "FI", true));
	assert_false(legal_id_from(arena, "FI12345671", "FI", &id));
	assert_false(endpoint_from(arena, "0216:003712345671", "FI", &id));
	assert_null(payment_reference_from(arena, "23-", "NO", ID_KID_MOD11));
}

/* kind, value, verdict, note: one row of the shared list. */
static void check_vector(char *line)
{
	static const struct {
		const char *name;
		enum identifier_kind kind;
	} kinds[] = { { "ytunnus", ID_FI_BUSINESS },
		      { "ytunnus_format", ID_FI_BUSINESS },
		      { "fi_vat", ID_FI_VAT },
		      { "ovt", ID_FI_OVT },
		      { "fi_reference", ID_FI_REFERENCE },
		      { "rf_reference", ID_RF },
		      { "no_orgnr", ID_NO_ORG },
		      { "no_vat", ID_NO_VAT },
		      { "no_account", ID_NO_ACCOUNT },
		      { "kid_mod10", ID_KID_MOD10 },
		      { "kid_mod11", ID_KID_MOD11 },
		      { "kid_length", ID_KID_MOD10 },
		      { "iban", ID_IBAN },
		      { "se_orgnr", ID_SE_ORG } };
	char *value = strchr(line, '\t');
	assert_non_null(value);
	*value++ = '\0';
	char *verdict = strchr(value, '\t');
	assert_non_null(verdict);
	*verdict++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, line) == 0) {
			if (identifier_is(kinds[i].kind, value) !=
			    (strncmp(verdict, "valid", 5) == 0))
				fail_msg("%s %s: %s", line, value, verdict);
			return;
		}
	fail_msg("unknown kind %s", line);
}

static void test_shared_vectors_MV_13(void **state)
{
	(void)state;
	const char *shared = getenv("VIESTI_SHARED");
	char path[512], line[512];
	size_t n = 0;
	if (!shared)
		skip();
	snprintf(path, sizeof(path), "%s/data/einvoice/identifier-vectors.tsv", shared);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f)); /* heading */
	while (fgets(line, sizeof(line), f)) {
		check_vector(line);
		n++;
	}
	fclose(f);
	assert_true(n > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples_of_the_sheet_MV_13),
		cmocka_unit_test(test_one_wrong_digit_is_noticed),
		cmocka_unit_test(test_business_ids),
		cmocka_unit_test(test_vat_ids_MV_13),
		cmocka_unit_test(test_legal_ids_MV_13),
		cmocka_unit_test(test_endpoints_MV_13),
		cmocka_unit_test(test_payment_references_MV_13),
		cmocka_unit_test(test_full_arena),
		cmocka_unit_test(test_shared_vectors_MV_13),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
