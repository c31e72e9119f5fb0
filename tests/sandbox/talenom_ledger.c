/*
 * talenom_ledger.c: vouchers of the Talenom stand-in (facts/talenom.md §2.2): balanced, dated in an
 * open period. A posting on the receivable account without a match key opens an item and gets one;
 * with the key of an open item it closes that.
 */
#include "base/base.h"

#include "base/utf8.h"
#include "talenom.h"

#define PAGE 100
#define DESCRIPTION_MAX 100

/* ---- posting ------------------------------------------------------------------------------- */

static bool check_postings(struct tn_call *tc, const struct json *postings)
{
	struct decimal sum = DECIMAL_ZERO;
	if (json_type(postings) != JSON_ARRAY || json_size(postings) < 2)
		return tn_refuse(tc, "POSTINGS_MISSING", "A voucher needs two postings");
	for (const struct json *p = json_first(postings); p; p = json_next(p))
		if (!tn_text(p, "accountNumber")[0] ||
		    !decimal_add(sum, tn_decimal(p, "vatIncludedAmount"), &sum))
			return tn_refuse(tc, "POSTING_INCOMPLETE",
					 "A posting needs account and amount");
	return decimal_sign(sum) == 0 ||
	       tn_refuse(tc, "UNBALANCED_VOUCHER", "The postings do not sum to zero");
}

static bool check_voucher(struct tn_call *tc, const struct json *v)
{
	const char *description = tn_text(v, "description");
	const char *state = tn_text(v, "voucherState");
	ssize_t n = utf8_length(span_of(description));
	if (!tn_text(v, "category")[0] || !tn_text(v, "voucherDate")[0])
		return tn_refuse(tc, "VOUCHER_INCOMPLETE", "category and voucherDate are needed");
	if (n < 1 || n > DESCRIPTION_MAX)
		return tn_refuse(tc, "DESCRIPTION_LENGTH", "1 to 100 characters");
	if (strcmp(state, "Accepted") != 0 && strcmp(state, "Draft") != 0 &&
	    strcmp(state, "Locked") != 0)
		return tn_refuse(tc, "VOUCHER_STATE", "Draft, Accepted or Locked");
	if (tn_is_closed(tc->org, tn_text(v, "voucherDate")))
		return tn_refuse(tc, "PERIOD_CLOSED", tn_text(v, "voucherDate"));
	return check_postings(tc, json_get(v, "postings"));
}

/* The receivable's posting gets a key where it brings none. */
static void keep_posting(struct talenom *t, struct tn_org *org, struct json_writer *w,
			 const struct json *p, struct tn_voucher *into)
{
	bool is_receivable = strcmp(tn_text(p, "accountNumber"), TN_RECEIVABLE) == 0;
	const char *key = tn_text(p, "matchKey");
	char made[24];
	jsonw_object(w);
	for (const struct json *m = json_first(p); m; m = json_next(m)) {
		if (strcmp(json_key(m), "matchKey") == 0)
			continue;
		jsonw_key(w, json_key(m));
		jsonw_node(w, m);
	}
	if (is_receivable && !key[0]) {
		snprintf(made, sizeof(made), "S%" PRId64, org->next_match_key++);
		key = tn_keep(t, made);
	} else if (is_receivable) {
		into->is_payment = true;
	}
	if (is_receivable) {
		into->match_key = tn_keep(t, key);
		into->receivable = tn_decimal(p, "vatIncludedAmount");
	}
	jsonw_kstr(w, "matchKey", key[0] ? key : NULL);
	jsonw_end_object(w);
}

static struct tn_voucher *keep_voucher(struct tn_call *tc, const struct json *v)
{
	struct talenom *t = tc->t;
	struct tn_voucher *into = arena_alloc(t->base.arena, sizeof(*into));
	struct strbuf sb = call_strbuf(tc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!into)
		return NULL;
	*into = (struct tn_voucher) { .invoice_number = tn_keep(t, tn_text(v, "invoiceNumber")),
				      .date = tn_keep(t, tn_text(v, "voucherDate")),
				      .category = tn_keep(t, tn_text(v, "category")),
				      .match_key = "" };
	sign_uuid4(into->id);
	jsonw_object(&w);
	jsonw_kstr(&w, "voucherId", into->id);
	for (const struct json *m = json_first(v); m; m = json_next(m)) {
		jsonw_key(&w, json_key(m));
		if (strcmp(json_key(m), "postings") != 0) {
			jsonw_node(&w, m);
			continue;
		}
		jsonw_array(&w);
		for (const struct json *p = json_first(m); p; p = json_next(p))
			keep_posting(t, tc->org, &w, p, into);
		jsonw_end_array(&w);
	}
	jsonw_end_object(&w);
	into->json = tn_keep_json(t, &sb);
	return into->json ? into : NULL;
}

/* All of them or none. */
void tn_post_vouchers_locked(struct tn_call *tc)
{
	struct strbuf sb = call_strbuf(tc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (json_type(tc->body) != JSON_ARRAY || json_size(tc->body) == 0) {
		tn_refuse(tc, "MALFORMED", "The body is an array of vouchers");
		return;
	}
	for (const struct json *v = json_first(tc->body); v; v = json_next(v))
		if (!check_voucher(tc, v))
			return;
	jsonw_array(&w);
	for (const struct json *v = json_first(tc->body); v; v = json_next(v)) {
		struct tn_voucher *kept = keep_voucher(tc, v);
		if (!kept)
			return;
		kept->next = tc->org->vouchers;
		tc->org->vouchers = kept;
		jsonw_object(&w);
		jsonw_kstr(&w, "voucherId", kept->id);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	reply_json(tc->c, 200, &sb);
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool is_asked_for(const struct call *c, const struct tn_voucher *v)
{
	const char *from = call_param(c, "dateFrom"), *to = call_param(c, "dateTo");
	const char *category = call_param(c, "category");
	return (!from || strcmp(v->date, from) >= 0) && (!to || strcmp(v->date, to) <= 0) &&
	       (!category || strcmp(v->category, category) == 0);
}

static void write_voucher(struct tn_call *tc, struct json_writer *w, const struct tn_voucher *v)
{
	const struct json *j;
	if (call_param_is(tc->c, "includePostings", "true")) {
		jsonw_raw(w, span_of(v->json));
		return;
	}
	jsonw_object(w);
	if (json_parse(tc->c->arena, span_of(v->json), JSON_LIMITS_VENDOR, &j, NULL))
		for (const struct json *m = json_first(j); m; m = json_next(m)) {
			if (strcmp(json_key(m), "postings") == 0)
				continue;
			jsonw_key(w, json_key(m));
			jsonw_node(w, m);
		}
	jsonw_end_object(w);
}

void tn_vouchers_locked(struct tn_call *tc)
{
	int64_t page, size, n = 0;
	if (!call_param_int(tc->c, "pageIndex", 0, &page) ||
	    !call_param_int(tc->c, "pageSize", PAGE, &size) || size < 1 || size > 10000) {
		tn_refuse(tc, "PAGING", "pageIndex from 0, pageSize 1 to 10000");
		return;
	}
	struct strbuf sb = call_strbuf(tc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "results");
	jsonw_array(&w);
	for (const struct tn_voucher *v = tc->org->vouchers; v; v = v->next) {
		if (!is_asked_for(tc->c, v))
			continue;
		if (n >= page * size && n < (page + 1) * size)
			write_voucher(tc, &w, v);
		n++;
	}
	jsonw_end_array(&w);
	jsonw_kint(&w, "currentPage", page);
	jsonw_kint(&w, "pageCount", (n + size - 1) / size);
	jsonw_kint(&w, "pageSize", size);
	jsonw_kint(&w, "rowCount", n);
	jsonw_end_object(&w);
	reply_json(tc->c, 200, &sb);
}
