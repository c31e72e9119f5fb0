/*
 * invoice.c: sums, validation and the content hash of the canonical invoice. Exact decimals, half
 * away from zero. Pure; knows no vendor.
 */
#include "base/base.h"
#include "model/invoice.h"

#include "base/clock.h"
#include "codec/sign.h"

static const struct decimal hundred = { 100, 0 };

static bool overflow(const char *subject, struct err *err)
{
	return err_reason(err, ERR_DATA, "amount_too_large", subject,
			  "%s: an amount has more digits than can be held", subject);
}

/* amount * percent / 100, two decimals. */
static bool part_of(struct decimal amount, struct decimal percent, struct decimal *ret)
{
	struct decimal product;
	return decimal_mul(amount, percent, &product) && decimal_div(product, hundred, 2, ret);
}

const char *invoice_row_vat_category(const struct invoice_row *row)
{
	if (row->vat_category && row->vat_category[0])
		return row->vat_category;
	return decimal_sign(row->vat_rate) > 0 ? "S" : NULL;
}

/* Quantity x unit price, two decimals, less the discount, two decimals. */
static bool net_of(const struct invoice_row *row, struct decimal *ret_discount,
		   struct decimal *ret_net)
{
	struct decimal product, full, discount = decimal_round(row->discount_amount, 2);
	if (!decimal_mul(row->quantity, row->unit_price, &product))
		return false;
	full = decimal_round(product, 2);
	if (decimal_sign(discount) == 0 && !part_of(full, row->discount_percent, &discount))
		return false;
	*ret_discount = discount;
	return decimal_sub(full, discount, ret_net);
}

static bool sum_row(struct invoice_row *row, struct err *err)
{
	char subject[32];
	snprintf(subject, sizeof(subject), "row %" PRId64, row->position);
	if (!net_of(row, &row->discount, &row->net))
		return overflow(subject, err);
	if (!row->has_vat_rate && !invoice_row_vat_category(row) && decimal_sign(row->net) != 0)
		return err_reason(err, ERR_DATA, "vat_rate_missing", subject, "%s has no VAT rate",
				  subject);
	if (!part_of(row->net, row->vat_rate, &row->vat) ||
	    !decimal_add(row->net, row->vat, &row->gross))
		return overflow(subject, err);
	return true;
}

static bool add_to_breakdown(struct invoice *inv, const struct invoice_row *row)
{
	const char *category = invoice_row_vat_category(row);
	size_t i = 0;
	while (i < inv->n_vat && !(decimal_eq(inv->vat[i].rate, row->vat_rate) &&
				   str_eq(inv->vat[i].category, category)))
		i++;
	if (i == inv->n_vat)
		inv->vat[inv->n_vat++] = (struct vat_breakdown) { row->vat_rate, DECIMAL_ZERO,
								  DECIMAL_ZERO, category };
	return decimal_add(inv->vat[i].net, row->net, &inv->vat[i].net);
}

/* Totals of ours: net of the rows, VAT of each rate's sum. */
static bool totals(struct invoice *inv, struct decimal *ret_net, struct decimal *ret_vat)
{
	*ret_net = *ret_vat = DECIMAL_ZERO;
	for (size_t i = 0; i < inv->n_vat; i++) {
		struct vat_breakdown *v = &inv->vat[i];
		if (!part_of(v->net, v->rate, &v->vat) || !decimal_add(*ret_net, v->net, ret_net) ||
		    !decimal_add(*ret_vat, v->vat, ret_vat))
			return false;
	}
	return true;
}

static bool hold_against(const struct invoice *inv, const char *which, struct decimal source,
			 struct decimal ours, struct err *err)
{
	char a[DECIMAL_TEXT_MAX], b[DECIMAL_TEXT_MAX], subject[160];
	struct decimal difference, allowed = { (__int128)(inv->n_rows + inv->n_vat), 2 };
	if (!decimal_sub(source, ours, &difference))
		return overflow(which, err);
	if (decimal_cmp(decimal_abs(difference), allowed) <= 0)
		return true;
	decimal_format(source, 2, '.', a);
	decimal_format(ours, 2, '.', b);
	snprintf(subject, sizeof(subject), "%s: %s / %s", which, a, b);
	return err_reason(err, ERR_DATA, "sum_mismatch", subject,
			  "%s is %s at the source, but the rows make %s", which, a, b);
}

bool invoice_sum_up(struct invoice *inv, struct arena *arena, struct err *err)
{
	struct decimal net, vat, gross;
	inv->n_vat = 0;
	inv->vat = arena_alloc_array(arena, inv->n_rows + 1, sizeof(*inv->vat));
	if (!inv->vat)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < inv->n_rows; i++) {
		if (!sum_row(&inv->rows[i], err))
			return false;
		if (!add_to_breakdown(inv, &inv->rows[i]))
			return overflow("total", err);
	}
	if (!totals(inv, &net, &vat) || !decimal_add(net, vat, &gross))
		return overflow("total", err);
	if (inv->has_no_totals) {
		inv->total_net = net;
		inv->total_vat = vat;
		inv->total_gross = gross;
	}
	if (!decimal_sub(inv->total_gross, gross, &inv->rounding))
		return overflow("total", err);
	return hold_against(inv, "total without VAT", inv->total_net, net, err) &&
	       hold_against(inv, "VAT", inv->total_vat, vat, err) &&
	       hold_against(inv, "total", inv->total_gross, gross, err);
}

static bool check_date(const char *date, const char *what, bool is_needed, struct err *err)
{
	int y, m, d;
	if (!date || !date[0])
		return is_needed ? err_reason(err, ERR_DATA, "date_missing", what, "%s is missing",
					      what)
				 : true;
	if (!clock_parse_date(span_of(date), &y, &m, &d))
		return err_reason(err, ERR_DATA, "date_invalid", what, "%s is no date: %s", what,
				  date);
	return true;
}

bool invoice_validate(const struct invoice *inv, struct err *err)
{
	if (!inv->number || !inv->number[0])
		return err_reason(err, ERR_DATA, "number_missing", NULL, "invoice has no number");
	if (!inv->n_rows)
		return err_reason(err, ERR_DATA, "rows_missing", inv->number,
				  "invoice %s has no rows", inv->number);
	if (!inv->currency || strlen(inv->currency) != 3 ||
	    strspn(inv->currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
		return err_reason(err, ERR_DATA, "currency_invalid", inv->currency,
				  "invoice %s: currency is no ISO 4217 code", inv->number);
	return check_date(inv->issue_date, "invoice date", true, err) &&
	       check_date(inv->due_date, "due date", true, err) &&
	       check_date(inv->entry_date, "entry date", false, err);
}

/* ---- content hash -------------------------------------------------------------------------- */

/* Every value is written with its length, so that no two contents make the same bytes. */
static void put(struct sha256_stream *s, const char *text)
{
	char head[32];
	int n = snprintf(head, sizeof(head), "%zd:", text ? (ssize_t)strlen(text) : (ssize_t)-1);
	sha256_stream_add(s, (struct span) { head, (size_t)n });
	if (text)
		sha256_stream_add(s, span_of(text));
}

static void put_decimal(struct sha256_stream *s, struct decimal d)
{
	char buf[DECIMAL_TEXT_MAX];
	put(s, decimal_format(decimal_normalize(d), 0, '.', buf));
}

static void put_party(struct sha256_stream *s, const struct party *p)
{
	const char *const texts[] = { p->name,		 p->vat_number,
				      p->address.street, p->address.postcode,
				      p->address.city,	 p->address.country_name };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		put(s, texts[i]);
}

/* What came later than the first hashes counts only where it is given, so that those still hold. */
static void put_named(struct sha256_stream *s, const char *name, const char *text)
{
	if (text && text[0]) {
		put(s, name);
		put(s, text);
	}
}

static void put_named_decimal(struct sha256_stream *s, const char *name, struct decimal d)
{
	if (decimal_sign(d) != 0) {
		put(s, name);
		put_decimal(s, d);
	}
}

static void put_delivery(struct sha256_stream *s, const struct invoice *inv)
{
	put_named(s, "preceding", inv->preceding_number);
	put_named(s, "contract", inv->contract_number);
	put_named(s, "project", inv->project_number);
	put_named(s, "delivery date", inv->delivery_date);
	put_named(s, "period start", inv->period_start);
	put_named(s, "period end", inv->period_end);
	put_named(s, "delivery name", inv->delivery_name);
	put_named(s, "delivery street", inv->delivery.street);
	put_named(s, "delivery postcode", inv->delivery.postcode);
	put_named(s, "delivery city", inv->delivery.city);
	put_named(s, "delivery country", inv->delivery.country_code);
	put_named(s, "terms", inv->payment_terms);
}

static void put_row(struct sha256_stream *s, const struct invoice_row *row)
{
	for (size_t i = 0; i < row->n_codes; i++)
		put(s, row->codes[i]);
	put(s, row->description);
	put(s, row->unit);
	put(s, row->account);
	put(s, row->has_vat_rate ? "taxed" : NULL);
	put_decimal(s, row->quantity);
	put_decimal(s, row->unit_price);
	put_decimal(s, row->vat_rate);
	put_named_decimal(s, "discount percent", row->discount_percent);
	put_named_decimal(s, "discount amount", row->discount_amount);
	put_named(s, "vat category", row->vat_category);
}

const char *invoice_content_hash(const struct invoice *inv, struct arena *arena)
{
	const char *const texts[] = { inv->number,
				      inv->reference,
				      inv->issue_date,
				      inv->due_date,
				      inv->entry_date,
				      inv->currency,
				      inv->our_reference,
				      inv->your_reference,
				      inv->order_number,
				      inv->text_before,
				      inv->text_after,
				      inv->customer_id,
				      inv->billing_customer_id };
	unsigned char digest[SHA256_BYTES];
	char *hex = arena_alloc(arena, 2 * SHA256_BYTES + 1);
	struct sha256_stream s;
	if (!hex || !sha256_stream_init(&s))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		put(&s, texts[i]);
	put_party(&s, &inv->buyer);
	put_party(&s, &inv->seller);
	put_decimal(&s, inv->total_net);
	put_decimal(&s, inv->total_vat);
	put_decimal(&s, inv->total_gross);
	for (size_t i = 0; i < inv->n_rows; i++)
		put_row(&s, &inv->rows[i]);
	put_delivery(&s, inv);
	sha256_stream_finish(&s, digest);
	sign_hex(digest, sizeof(digest), hex);
	return hex;
}
