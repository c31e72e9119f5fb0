/*
 * einvoice.c: preparing an invoice: checks in the order mandatory items, parties, lines, VAT,
 * sums, payment (facts/einvoice-formats.md §4). Declared in einvoice.h.
 *
 * Guarantees exact sums: what the lines make is what the totals say. Writes no format.
 */
#include "base/base.h"
#include "einvoice.h"

#include "base/clock.h"
#include "model/codes.h"

struct decimal einvoice_signed(const struct einvoice *e, struct decimal d)
{
	return e->is_turned ? decimal_neg(d) : d;
}

bool einvoice_overflow(const char *subject, struct err *err)
{
	return err_reason(err, ERR_DATA, "amount_too_large", subject,
			  "%s: an amount has more digits than can be held", subject);
}

bool einvoice_has_category(const struct einvoice *e, const char *category)
{
	for (size_t i = 0; i < e->n_lines; i++)
		if (strcmp(e->lines[i].category, category) == 0)
			return true;
	return false;
}

/* *ret = NULL when the date is absent. */
static bool read_date(struct einvoice *e, const char *date, const char *what, const char **ret,
		      struct err *err)
{
	int y, m, d;
	*ret = text_line(e->arena, date);
	return !*ret || clock_parse_date(span_of(*ret), &y, &m, &d) ||
	       err_reason(err, ERR_DATA, "date_invalid", what, "%s is no date: %s", what, *ret);
}

static bool read_dates(struct einvoice *e, struct err *err)
{
	const struct invoice *inv = e->inv;
	if (!read_date(e, inv->delivery_date, "delivery date", &e->delivery_date, err) ||
	    !read_date(e, inv->period_start, "start of the period", &e->period_start, err) ||
	    !read_date(e, inv->period_end, "end of the period", &e->period_end, err) ||
	    !read_date(e, inv->preceding_date, "date of the credited invoice", &e->preceding_date,
		       err))
		return false;
	if (e->period_start && e->period_end && strcmp(e->period_end, e->period_start) < 0)
		return err_reason(err, ERR_DATA, "date_invalid", e->period_end,
				  "the period ends before it starts");
	return true;
}

/* ---- sums ---------------------------------------------------------------------------------- */

/* 106 = lines, 110 = VAT by category, 112 = 109 + 110, 115 = 112 + 114; held against the source. */
static bool add_up(struct einvoice *e, struct err *err)
{
	struct decimal lines = DECIMAL_ZERO;
	bool ok = true;
	for (size_t i = 0; i < e->n_lines; i++)
		ok = ok && decimal_add(lines, e->lines[i].net, &lines);
	for (size_t i = 0; i < e->n_taxes; i++)
		ok = ok && decimal_add(e->net, e->taxes[i].net, &e->net) &&
		     decimal_add(e->vat, e->taxes[i].vat, &e->vat);
	e->rounding = einvoice_signed(e, decimal_round(e->inv->rounding, 2));
	if (!ok || !decimal_add(e->net, e->vat, &e->gross) ||
	    !decimal_add(e->gross, e->rounding, &e->due))
		return einvoice_overflow("total", err);
	struct decimal source = einvoice_signed(e, decimal_round(e->inv->total_gross, 2));
	if (decimal_eq(lines, e->net) && decimal_eq(e->due, source))
		return true;
	char a[DECIMAL_TEXT_MAX], b[DECIMAL_TEXT_MAX], subject[160];
	decimal_format(source, 2, '.', a);
	decimal_format(e->due, 2, '.', b);
	snprintf(subject, sizeof(subject), "total: %s / %s", a, b);
	return err_reason(err, ERR_DATA, "sum_mismatch", subject,
			  "total is %s at the source, but the document makes %s", a, b);
}

/* BT-6 and BT-111: VAT must be told in the seller's own currency too. */
static bool account_vat(struct einvoice *e, struct err *err)
{
	const struct invoice *inv = e->inv;
	const char *currency = inv->accounting_currency
				       ? inv->accounting_currency
				       : country_currency(e->seller.address.country);
	if (!currency || strcmp(currency, inv->currency) == 0)
		return true;
	if (!currency_is_known(currency))
		return err_reason(err, ERR_DATA, "currency_invalid", currency,
				  "accounting currency is no ISO 4217 code");
	if (!inv->has_vat_accounting && decimal_sign(e->vat) != 0)
		return err_reason(err, ERR_DATA, "vat_accounting_missing", currency,
				  "the total VAT in %s is not known", currency);
	if (inv->has_vat_accounting) {
		e->accounting_currency = currency;
		e->vat_accounting = einvoice_signed(e, decimal_round(inv->total_vat_accounting, 2));
	}
	return true;
}

/* ---- texts --------------------------------------------------------------------------------- */

/* A reason for a zero rate (Z) has no place of its own: BR-Z-10. */
static void add_zero_rate_reasons(struct einvoice *e)
{
	const char *last = NULL;
	for (size_t i = 0; i < e->n_lines; i++) {
		if (strcmp(e->lines[i].category, "Z") != 0)
			continue;
		const char *reason = text_line(e->arena, e->lines[i].row->vat_exemption_reason);
		if (reason && !str_eq(reason, last))
			e->note = text_join(e->arena, e->note, "\n", reason);
		last = reason;
	}
}

static void make_note(struct einvoice *e)
{
	e->note = text_join(e->arena, text_block(e->arena, e->inv->text_before), "\n",
			    text_block(e->arena, e->inv->text_after));
	add_zero_rate_reasons(e);
}

static bool start(const struct invoice *inv, const struct einvoice_rules *rules,
		  struct arena *arena, struct einvoice *ret, struct err *err)
{
	if (!invoice_validate(inv, err))
		return false;
	if (!currency_is_known(inv->currency))
		return err_reason(err, ERR_DATA, "currency_invalid", inv->currency,
				  "invoice %s: currency is no ISO 4217 code", inv->number);
	int sign = decimal_sign(inv->total_gross);
	*ret = (struct einvoice) {
		.inv = inv,
		.arena = arena,
		.is_turned = inv->is_credit_note &&
			     (rules->credit_is_negative ? sign > 0 : sign < 0),
	};
	ret->words = words_of(inv->language, inv->seller.address.country_code);
	ret->number = text_line(ret->arena, inv->number);
	if (!ret->number)
		return err_reason(err, ERR_DATA, "number_missing", NULL, "invoice has no number");
	return read_dates(ret, err);
}

bool einvoice_prepare(const struct invoice *inv, const struct einvoice_rules *rules,
		      struct arena *arena, struct einvoice *e, struct err *err)
{
	if (!start(inv, rules, arena, e, err) || !einvoice_lines(e, err) ||
	    !einvoice_parties(e, err) || !einvoice_taxes(e, err) || !einvoice_delivery(e, err) ||
	    !add_up(e, err) || !account_vat(e, err) || !einvoice_payment(e, rules, err))
		return false;
	make_note(e);
	return true;
}

bool einvoice_verdict(bool ok, const struct err *why, const struct arena *arena, size_t refusals,
		      struct err *err)
{
	if (arena_refusals(arena) != refusals) /* what then seemed to be missing was not */
		return err_set(err, ERR_LIMIT, "arena full");
	if (!ok && err)
		*err = *why;
	return ok;
}
