/*
 * einvoice_line.c: lines and the VAT breakdown (BG-25, BG-23). Declared in einvoice.h.
 *
 * Guarantees one category per line, one breakdown per category and rate, and reasons where nothing
 * is charged (BR-S, BR-Z, BR-E, BR-AE, BR-IC, BR-G, BR-O).
 */
#include "base/base.h"
#include "einvoice.h"

#include "base/clock.h"
#include "formats/unit.h"
#include "model/codes.h"
#include "model/vat_rate.h"

/* The categories we write, with the reason that each implies; NULL: none of its own. */
static const struct category {
	const char *id;
	const char *code, *reason;
	bool has_reason; /* must tell why nothing is charged */
} categories[] = {
	{ "S", NULL, NULL, false },
	{ "Z", NULL, NULL, false },
	{ "E", NULL, NULL, true },
	{ "AE", "VATEX-EU-AE", "Reverse charge", true },
	{ "K", "VATEX-EU-IC", "Intra-Community supply", true },
	{ "G", "VATEX-EU-G", "Export outside the EU", true },
	{ "O", "VATEX-EU-O", "Not subject to VAT", true },
};

static const struct category *category_find(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++)
		if (strcmp(categories[i].id, id) == 0)
			return &categories[i];
	return NULL;
}

static void row_subject(const struct invoice_row *row, char to[32])
{
	snprintf(to, 32, "row %" PRId64, row->position);
}

/* ---- one line ------------------------------------------------------------------------------ */

/* The name is the row's own, else the description's first line, else the code. */
static bool name_line(struct einvoice *e, struct einvoice_line *line, struct err *err)
{
	const struct invoice_row *row = line->row;
	const char *whole = text_block(e->arena, row->description);
	line->code = text_line(e->arena, row->product_code   ? row->product_code
					 : row->n_codes == 1 ? row->codes[0]
							     : NULL);
	line->name = text_line(e->arena, row->name);
	if (!line->name && whole) {
		const char *first = arena_memdup(e->arena, whole, strcspn(whole, "\n"));
		line->name = text_line(e->arena, first);
	}
	if (!line->name)
		line->name = line->code;
	if (whole && !str_eq(text_line(e->arena, whole), line->name))
		line->description = whole;
	char subject[32];
	row_subject(row, subject);
	return line->name ||
	       err_reason(err, ERR_DATA, "row_text_missing", subject, "%s has no text", subject);
}

/* The price may not be below zero (BR-27): the minus goes to the quantity. */
static bool count_line(struct einvoice *e, struct einvoice_line *line, struct err *err)
{
	const struct invoice_row *row = line->row;
	bool is_price_below_zero = decimal_sign(row->unit_price) < 0;
	struct decimal quantity = einvoice_signed(e, row->quantity);
	line->quantity = decimal_normalize(is_price_below_zero ? decimal_neg(quantity) : quantity);
	line->price = decimal_normalize(decimal_abs(row->unit_price));
	line->discount = einvoice_signed(e, row->discount);
	line->net = einvoice_signed(e, row->net);
	line->unit_text = text_line(e->arena, row->unit);
	line->unit = unit_code(row->unit);
	return decimal_add(line->net, line->discount, &line->full) || einvoice_overflow("row", err);
}

/* NULL stays for a row without amount that does not say: any category does. */
static bool categorise(struct einvoice_line *line, struct err *err)
{
	const struct invoice_row *row = line->row;
	char subject[64], rate[DECIMAL_TEXT_MAX];
	line->category = invoice_row_vat_category(row);
	line->rate = decimal_normalize(row->vat_rate);
	row_subject(row, subject);
	if (!line->category) {
		if (decimal_sign(row->net) == 0)
			return true;
		return err_reason(err, ERR_DATA, "vat_category_missing", subject,
				  "%s has no VAT, and no category says why", subject);
	}
	if (category_find(line->category) &&
	    (strcmp(line->category, "S") == 0) == (decimal_sign(line->rate) > 0))
		return true;
	size_t n = strlen(subject);
	snprintf(subject + n, sizeof(subject) - n, ", %.4s %.20s %%", line->category,
		 decimal_format(line->rate, 0, '.', rate));
	return err_reason(err, ERR_DATA, "vat_category_mismatch", subject,
			  "VAT category and percentage do not go together: %s", subject);
}

/* Rows of text alone take the category of the first line that has one. */
static bool settle_open_categories(struct einvoice *e, struct err *err)
{
	const struct einvoice_line *first = NULL;
	for (size_t i = 0; i < e->n_lines && !first; i++)
		if (e->lines[i].category)
			first = &e->lines[i];
	for (size_t i = 0; i < e->n_lines; i++) {
		struct einvoice_line *line = &e->lines[i];
		if (line->category)
			continue;
		if (!first)
			return err_reason(err, ERR_DATA, "vat_category_missing", e->number,
					  "no row of invoice %s tells its VAT category", e->number);
		line->category = first->category;
		line->rate = first->rate;
	}
	return true;
}

bool einvoice_lines(struct einvoice *e, struct err *err)
{
	const struct invoice *inv = e->inv;
	e->lines = arena_alloc_array(e->arena, inv->n_rows, sizeof(*e->lines));
	if (!e->lines)
		return err_set(err, ERR_LIMIT, "arena full");
	for (; e->n_lines < inv->n_rows; e->n_lines++) {
		struct einvoice_line *line = &e->lines[e->n_lines];
		line->row = &inv->rows[e->n_lines];
		if (!name_line(e, line, err) || !count_line(e, line, err) || !categorise(line, err))
			return false;
	}
	return settle_open_categories(e, err);
}

/* ---- VAT rates by date --------------------------------------------------------------------- */

/*
 * The days that a rate is judged by (nordic-identifiers.md §4): those of the delivery. Where the
 * source does not tell them: the year before the invoice, for the work may lie behind; for a credit
 * note any day before it, for the original's rate holds.
 */
static void rate_days(const struct einvoice *e, char from[16], char to[16])
{
	const struct invoice *inv = e->inv;
	const char *start = e->delivery_date ? e->delivery_date : e->period_start;
	const char *end = e->delivery_date ? e->delivery_date : e->period_end;
	if (start || end) {
		snprintf(from, 16, "%.10s", start ? start : end);
		snprintf(to, 16, "%.10s", end ? end : start);
		return;
	}
	const char *last = inv->is_credit_note && e->preceding_date ? e->preceding_date
								    : inv->issue_date;
	int y = 0, m, d;
	bool is_date = clock_parse_date(span_of(last), &y, &m, &d);
	snprintf(to, 16, "%.10s", last);
	snprintf(from, 16, "%04u%.6s",
		 inv->is_credit_note || !is_date ? 0u : (unsigned)(y - 1) % 10000u, last + 4);
}

/* Only at home: a sale abroad may bear the other country's rate. */
static bool check_rates(const struct einvoice *e, struct err *err)
{
	char from[16], to[16], subject[64], rate[DECIMAL_TEXT_MAX];
	if (strcmp(e->seller.address.country, e->buyer.address.country) != 0)
		return true;
	rate_days(e, from, to);
	for (size_t i = 0; i < e->n_lines; i++) {
		if (vat_rate_was_in_force(e->seller.address.country, e->lines[i].rate, from, to))
			continue;
		decimal_format(e->lines[i].rate, 0, '.', rate);
		snprintf(subject, sizeof(subject), "row %" PRId64 ", %.20s %%, %s",
			 e->lines[i].row->position, rate, to);
		return err_reason(err, ERR_DATA, "vat_rate_not_in_force", subject,
				  "VAT %s %% was not in force in %s", rate, to);
	}
	return true;
}

/* ---- the breakdown ------------------------------------------------------------------------- */

static struct einvoice_tax *tax_of_line(struct einvoice *e, const struct einvoice_line *line)
{
	for (size_t i = 0; i < e->n_taxes; i++)
		if (strcmp(e->taxes[i].category, line->category) == 0 &&
		    decimal_eq(e->taxes[i].rate, line->rate))
			return &e->taxes[i];
	e->taxes[e->n_taxes] = (struct einvoice_tax) { .category = line->category,
						       .rate = line->rate };
	return &e->taxes[e->n_taxes++];
}

/* A code of the list, and one that goes with the category (PEPPOL-EN16931-P0104..P0111). */
static bool check_code(const char *code, const struct category *c, struct err *err)
{
	bool fits = vat_exemption_is_known(code);
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++)
		if (categories[i].code && strcmp(categories[i].code, code) == 0)
			fits = &categories[i] == c;
	return fits || err_reason(err, ERR_DATA, "vat_reason_invalid", code,
				  "exemption code %s does not go with category %s", code, c->id);
}

/* Reasons of all lines of a category: texts are joined; of several codes only the first is told as
 * a code, the others as text. */
static bool add_reason(struct einvoice *e, struct einvoice_tax *tax,
		       const struct einvoice_line *line, struct err *err)
{
	const struct category *c = category_find(tax->category);
	if (!c->has_reason)
		return true;
	const char *code = text_line(e->arena, line->row->vat_exemption_code);
	const char *reason = text_line(e->arena, line->row->vat_exemption_reason);
	if (code && !check_code(code, c, err))
		return false;
	if (code && !tax->code)
		tax->code = code;
	else if (code && strcmp(code, tax->code) != 0 && !reason)
		reason = code;
	if (reason && (!tax->reason || !strstr(tax->reason, reason)))
		tax->reason = text_join(e->arena, tax->reason, "; ", reason);
	return true;
}

static bool finish_tax(struct einvoice_tax *tax, struct err *err)
{
	const struct category *c = category_find(tax->category);
	struct decimal product;
	if (!decimal_mul(tax->net, tax->rate, &product) ||
	    !decimal_div(product, decimal_of(100), 2, &tax->vat))
		return einvoice_overflow("VAT", err);
	if (!c->has_reason)
		return true;
	if (!tax->code)
		tax->code = c->code;
	if (!tax->reason)
		tax->reason = c->reason;
	return tax->code || tax->reason ||
	       err_reason(err, ERR_DATA, "vat_reason_missing", tax->category,
			  "nothing tells why category %s bears no VAT", tax->category);
}

bool einvoice_taxes(struct einvoice *e, struct err *err)
{
	if (!check_rates(e, err))
		return false;
	e->taxes = arena_alloc_array(e->arena, e->n_lines, sizeof(*e->taxes));
	if (!e->taxes)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < e->n_lines; i++) {
		struct einvoice_tax *tax = tax_of_line(e, &e->lines[i]);
		if (!decimal_add(tax->net, e->lines[i].net, &tax->net))
			return einvoice_overflow("VAT", err);
		if (!add_reason(e, tax, &e->lines[i], err))
			return false;
	}
	for (size_t i = 0; i < e->n_taxes; i++)
		if (!finish_tax(&e->taxes[i], err))
			return false;
	if (e->n_taxes > 1 && einvoice_has_category(e, "O"))
		return err_reason(err, ERR_DATA, "vat_category_mixed", e->number,
				  "rows outside the scope of VAT stand beside others");
	return true;
}
