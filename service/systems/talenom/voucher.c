/*
 * voucher.c: sales and payments as vouchers of the ledger, and back (facts/talenom.md §2.2, 3).
 * Pure. A posting with a new match key opens an item; one with the key of an open item closes it.
 * Postings are gross, sales below zero, and sum to zero.
 */
#include "base/base.h"
#include "talenom_internal.h"

#include "base/utf8.h"

#define BODY_MAX ((size_t)4 << 20)
#define DESCRIPTION_MAX 100 /* characters */

static void kdecimal(struct json_writer *w, const char *key, struct decimal d)
{
	jsonw_key(w, key);
	jsonw_decimal(w, d);
}

struct posting {
	const char *account, *match_key; /* match_key NULL: none */
	struct decimal gross, vat_percent;
	bool has_vat;
};

static void write_posting(struct json_writer *w, const struct posting *p, const char *description)
{
	jsonw_object(w);
	jsonw_kstr(w, "accountNumber", p->account);
	kdecimal(w, "vatIncludedAmount", p->gross);
	if (p->has_vat)
		kdecimal(w, "vatPercentage", decimal_normalize(p->vat_percent));
	jsonw_kstr(w, "description", description);
	jsonw_kstr(w, "matchKey", p->match_key);
	jsonw_end_object(w);
}

/* The documents take a voucher's texts only so far; the whole stands on the invoice. */
static const char *describe(struct arena *arena, const char *kind, const char *number,
			    const char *who)
{
	const char *text = arena_printf(arena, "%s %s %s", kind, number, who ? who : "");
	if (!text)
		return NULL;
	return arena_memdup(arena, text, utf8_prefix(span_of(text), DESCRIPTION_MAX));
}

struct head {
	const char *date, *number, *reference, *description;
};

static bool write_voucher(struct arena *arena, const struct head *h, const struct posting *postings,
			  size_t n, struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, BODY_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!h->description)
		return err_set(err, ERR_LIMIT, "arena full");
	jsonw_array(&w);
	jsonw_object(&w);
	jsonw_kstr(&w, "category", TALENOM_CATEGORY);
	jsonw_kstr(&w, "voucherState", TALENOM_VOUCHER_STATE);
	jsonw_kstr(&w, "acceptor", TALENOM_ACCEPTOR);
	jsonw_kstr(&w, "voucherDate", h->date);
	jsonw_kstr(&w, "description", h->description);
	jsonw_kstr(&w, "invoiceNumber", h->number);
	jsonw_kstr(&w, "referenceNumber", h->reference && h->reference[0] ? h->reference : NULL);
	jsonw_key(&w, "postings");
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++)
		write_posting(&w, &postings[i], h->description);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	jsonw_end_array(&w);
	return talenom_finish(&sb, ret, err);
}

/* ---- sales --------------------------------------------------------------------------------- */

/* Adds to the posting of the account and percentage, or begins it. */
static bool post(struct posting *postings, size_t *n, const struct invoice_row *row)
{
	size_t i = 1; /* the first is the receivable's */
	while (i < *n && (strcmp(postings[i].account, row->account) != 0 ||
			  !decimal_eq(postings[i].vat_percent, row->vat_rate)))
		i++;
	if (i == *n)
		postings[(*n)++] = (struct posting) { .account = row->account,
						      .vat_percent = row->vat_rate,
						      .has_vat = true };
	return decimal_sub(postings[i].gross, row->gross, &postings[i].gross);
}

/* VAT is told by rate and rounded once: the cents by which the rows' differ go to the largest. */
static bool settle_cents(struct posting *postings, size_t n)
{
	struct decimal sum = DECIMAL_ZERO;
	size_t largest = 1;
	for (size_t i = 0; i < n; i++) {
		if (!decimal_add(sum, postings[i].gross, &sum))
			return false;
		if (i > 1 && decimal_cmp(decimal_abs(postings[i].gross),
					 decimal_abs(postings[largest].gross)) > 0)
			largest = i;
	}
	return decimal_sub(postings[largest].gross, sum, &postings[largest].gross);
}

bool talenom_map_sale(const struct talenom *tn, const struct invoice *inv, struct span *ret,
		      struct err *err)
{
	struct arena *arena = tn->at->arena;
	struct posting *postings = arena_alloc_array(arena, inv->n_rows + 2, sizeof(*postings));
	size_t n = 1;
	if (!postings)
		return err_set(err, ERR_LIMIT, "arena full");
	if (strcasecmp(inv->currency, TALENOM_LEDGER_CURRENCY) != 0)
		return err_reason(err, ERR_DATA, "ledger_currency", inv->number,
				  "invoice %s is in %s, and the ledger in " TALENOM_LEDGER_CURRENCY,
				  inv->number, inv->currency);
	postings[0] = (struct posting) { .account = tn->receivable_account,
					 .gross = decimal_round(inv->total_gross, 2) };
	for (size_t i = 0; i < inv->n_rows; i++) {
		const struct invoice_row *row = &inv->rows[i];
		char subject[32];
		snprintf(subject, sizeof(subject), "row %" PRId64, row->position);
		if (!row->account || !row->account[0])
			return err_reason(err, ERR_DATA, "account_unknown", subject,
					  "%s has no account to be booked on", subject);
		if (!post(postings, &n, row))
			return err_reason(err, ERR_DATA, "amount_too_large", subject,
					  "%s: too large", subject);
	}
	if (n < 2 || !settle_cents(postings, n))
		return err_reason(err, ERR_DATA, "rows_missing", inv->number,
				  "invoice %s has nothing to be booked", inv->number);
	const struct head head = { inv->issue_date, inv->number, inv->reference,
				   describe(arena, "Lasku", inv->number, inv->buyer.name) };
	return write_voucher(arena, &head, postings, n, ret, err);
}

/* ---- payments ------------------------------------------------------------------------------ */

bool talenom_map_payment(const struct talenom *tn, const struct talenom_voucher *sale,
			 const char *paid_date, struct span *ret, struct err *err)
{
	if (!tn->payment_account[0])
		return err_reason(err, ERR_SYSTEM, "payment_account_missing", "Talenom",
				  "no account is set that payments are booked on");
	const struct posting postings[] = {
		{ .account = tn->payment_account, .gross = sale->receivable },
		{ .account = tn->receivable_account,
		  .match_key = sale->match_key[0] ? sale->match_key : NULL,
		  .gross = decimal_neg(sale->receivable) },
	};
	const struct head head = { paid_date, sale->invoice_number, sale->reference,
				   describe(tn->at->arena, "Suoritus", sale->invoice_number,
					    NULL) };
	return write_voucher(tn->at->arena, &head, postings, ARRAY_SIZE(postings), ret, err);
}

/* ---- reading ------------------------------------------------------------------------------- */

bool talenom_read_voucher(const struct talenom *tn, const struct json *j,
			  struct talenom_voucher *ret, struct err *err)
{
	static const struct field date = { "voucherDate", FIELD_DATE,
					   offsetof(struct talenom_voucher, date), 0, 0 };
	const struct json *postings = json_get(j, "postings");
	*ret = (struct talenom_voucher) {
		.id = talenom_text(j, "voucherId"),
		.invoice_number = talenom_text(j, "invoiceNumber"),
		.reference = talenom_text(j, "referenceNumber"),
		.date = "",
		.state = talenom_text(j, "voucherState"),
		.category = talenom_text(j, "category"),
		.match_key = "",
		.n_postings = json_size(postings),
	};
	if (!json_decode(j, &date, 1, ret, NULL))
		ret->date = "";
	for (const struct json *p = json_first(postings); p; p = json_next(p)) {
		const char *text = talenom_text(p, "vatIncludedAmount");
		struct decimal amount;
		if (strcmp(talenom_text(p, "accountNumber"), tn->receivable_account) != 0)
			continue;
		ret->match_key = talenom_text(p, "matchKey");
		if (!decimal_parse(span_of(text), &amount) ||
		    !decimal_add(ret->receivable, amount, &ret->receivable))
			return err_set(err, ERR_SYSTEM, "Talenom lists a posting without amount");
	}
	return ret->id[0] ? true : err_set(err, ERR_SYSTEM, "Talenom lists a voucher without id");
}
