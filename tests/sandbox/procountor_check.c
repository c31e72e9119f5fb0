/*
 * procountor_check.c: what Procountor refuses of a request, whatever it is: characters outside
 * Windows-1252, texts that are too long or empty, words that are not in its lists
 * (facts/procountor.md §4 to 6). The service's own checks are not used.
 */
#include "base/base.h"

#include "base/utf8.h"
#include "procountor.h"

void pc_problem(struct pc_problems *pr, const char *field, const char *message)
{
	if (pr->n == PC_PROBLEMS_MAX)
		return;
	pr->items[pr->n].field = arena_strdup(pr->arena, field);
	pr->items[pr->n++].message = message;
}

bool pc_check_end(struct pc_call *pc, const struct pc_problems *pr)
{
	struct strbuf sb = call_strbuf(pc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!pr->n)
		return true;
	jsonw_object(&w);
	jsonw_key(&w, "errors");
	jsonw_array(&w);
	for (size_t i = 0; i < pr->n; i++) {
		jsonw_object(&w);
		jsonw_kint(&w, "status", 400);
		jsonw_kstr(&w, "field", pr->items[i].field);
		jsonw_kstr(&w, "message", pr->items[i].message);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	pc->c->note = pr->items[0].message;
	pc->company->refused++;
	reply_json(pc->c, 400, &sb);
	return false;
}

bool pc_has(const struct json *j, const char *path)
{
	const char *text = json_text(json_at(j, path));
	return text && text[0];
}

void pc_need(struct pc_problems *pr, const struct json *j, const char *path)
{
	if (json_is_null(json_at(j, path)))
		pc_problem(pr, path, "This field is required.");
}

/* ---- texts --------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	ssize_t max;
} lengths[] = {
	{ "specifier", 80 },
	{ "street", 80 },
	{ "zip", 20 },
	{ "city", 40 },
	{ "subdivision", 35 },
	{ "originalInvoiceNumber", 40 },
	{ "orderReference", 70 },
	{ "buyerReferenceIdentifier", 70 },
	{ "sellerReferenceIdentifier", 70 },
	{ "contactPersonName", 70 },
	{ "comment", 512 },
	{ "headerText", 512 },
	{ "explanationText", 512 },
	{ "additionalInformation", 10000 },
	{ "notes", 10000 },
	{ "phone", 40 },
	{ "code", 40 },
};

/* Some of each: all of them would be the service's own table once more. */
static const struct {
	const char *name;
	const char *words; /* each between bars */
} lists[] = {
	{ "country", "|FINLAND|SWEDEN|NORWAY|DENMARK|ESTONIA|GERMANY|LATVIA|LITHUANIA|POLAND|"
		     "UNITED_KINGDOM_OF_GREAT_BRITAIN_AND_NORTHERN_IRELAND|FRANCE|NETHERLANDS|" },
	{ "unit", "|PIECE|HOUR|DAY|WEEK|MONTH|YEAR|MINUTE|KILOMETER|METER|CM|LINEAR_METER|"
		  "SQUARE_METER|CUBIC_METER|LITER|KILOGRAM|GRAM|TON|PAIR|BOX|BAG|BOTTLE|CAN|ROLL|"
		  "SET|SERIES|LOT|PERSON|PAGE|PALLET|PARCEL|KILOWATT_HOUR|FULL_DAY|NO_UNIT|" },
	{ "language", "|DANISH|ENGLISH|ESTONIAN|FINNISH|NORWEGIAN|SWEDISH|" },
	{ "paymentMethod", "|BANK_TRANSFER|DIRECT_DEBIT|DIRECT_PAYMENT|CLEARING|CREDIT_CARD_CHARGE|"
			   "FOREIGN_PAYMENT|OTHER|CASH|NETS|" },
	{ "currency", "|EUR|SEK|NOK|DKK|USD|GBP|CHF|PLN|" },
	{ "invoiceChannel", "|EMAIL|MAIL|ELECTRONIC_INVOICE|NO_SENDING|" },
};

/* The bytes 80 to 9F of Windows-1252, as the Unicode characters that they are. */
static bool is_windows_1252(uint32_t cp)
{
	static const char extra[] = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";
	if (cp < 0x80)
		return cp >= 0x20 || cp == '\n' || cp == '\t';
	if (cp >= 0xA0 && cp < 0x100)
		return true;
	struct span rest = span_of(extra);
	while (rest.n) {
		uint32_t have;
		size_t n = utf8_next(rest, &have);
		if (have == cp)
			return true;
		rest = (struct span) { rest.p + n, rest.n - n };
	}
	return false;
}

static bool is_writable(const char *text)
{
	struct span rest = span_of(text);
	while (rest.n) {
		uint32_t cp;
		size_t n = utf8_next(rest, &cp);
		if (!n || !is_windows_1252(cp))
			return false;
		rest = (struct span) { rest.p + n, rest.n - n };
	}
	return true;
}

static ssize_t longest(enum pc_kind kind, const char *key, const char *path)
{
	if (strcmp(key, "name") == 0)
		return kind == PC_PRODUCT && strcmp(path, "name") == 0 ? 100 : 80;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		if (strcmp(lengths[i].name, key) == 0)
			return lengths[i].max;
	return SSIZE_MAX;
}

static bool is_in_list(const char *key, const char *text)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (strcmp(lists[i].name, key) != 0)
			continue;
		const char *at = lists[i].words;
		while ((at = strstr(at + 1, text)))
			if (at[-1] == '|' && at[n] == '|')
				return true;
		return false;
	}
	return true;
}

static void check_text(struct pc_problems *pr, enum pc_kind kind, const char *path, const char *key,
		       const char *text)
{
	/* An empty reference asks for one (§6.2); other empty texts were refused (§10.4). */
	if (!text[0] && strcmp(key, "bankReferenceCode") != 0)
		pc_problem(pr, path, "The value cannot be blank.");
	else if (!is_writable(text))
		pc_problem(pr, path, "INVALID_CHARACTER");
	else if (utf8_length(span_of(text)) > longest(kind, key, path))
		pc_problem(pr, path, "VALUE_TOO_LONG");
	else if (!is_in_list(key, text))
		pc_problem(pr, path, "The value is invalid.");
}

static void walk(struct pc_problems *pr, enum pc_kind kind, const char *place, const char *key,
		 const struct json *j)
{
	size_t i = 0;
	if (json_str(j))
		check_text(pr, kind, place, key, json_str(j));
	bool is_list = json_type(j) == JSON_ARRAY;
	if (!is_list && json_type(j) != JSON_OBJECT)
		return;
	for (const struct json *m = json_first(j); m; m = json_next(m), i++) {
		const char *below = is_list ? arena_printf(pr->arena, "%s[%zu]", place, i)
					    : arena_printf(pr->arena, "%s%s%s", place,
							   place[0] ? "." : "", json_key(m));
		if (below)
			walk(pr, kind, below, is_list ? key : json_key(m), m);
	}
}

void pc_check_texts(struct pc_problems *pr, enum pc_kind kind, const struct json *j)
{
	walk(pr, kind, "", "", j);
}
