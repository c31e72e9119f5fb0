/* finvoice_writer.c: values as Finvoice 3.0 writes them, declared in finvoice_writer.h: decimal
 * comma, dates without hyphens, lengths in characters. */
#include "base/base.h"
#include "finvoice_writer.h"

#define AMOUNT_MAX_DIGITS 15 /* before the comma */
#define PRICE_MAX_SCALE 5
#define PERCENT_MAX_SCALE 3
#define QUANTITY_MAX_CHARS 14

void fin_fail(struct finvoice *f, const char *reason, const char *subject)
{
	if (!f->has_failed)
		(void)err_reason(&f->why, ERR_DATA, reason, subject, "%s: %s", reason, subject);
	f->has_failed = true;
}

void fin_text(struct finvoice *f, const char *name, const char *value)
{
	if (value && value[0])
		xmlw_element(&f->w, name, value);
}

static void check_length(struct finvoice *f, const char *value, size_t min, size_t max,
			 const char *what)
{
	size_t n = text_length(value);
	if (n < min)
		fin_fail(f, "field_too_short", what);
	else if (n > max)
		fin_fail(f, "field_too_long", what);
}

void fin_field(struct finvoice *f, const char *name, const char *value, size_t min, size_t max,
	       const char *what)
{
	if (!value)
		return;
	check_length(f, value, min, max, what);
	fin_text(f, name, value);
}

void fin_coded(struct finvoice *f, const char *name, const char *attr, const char *attr_value,
	       const char *value, size_t max, const char *what)
{
	if (!value)
		return;
	check_length(f, value, 1, max, what);
	xmlw_open(&f->w, name);
	if (attr_value)
		xmlw_attr(&f->w, attr, attr_value);
	xmlw_text(&f->w, value);
	xmlw_close(&f->w);
}

void fin_pieces(struct finvoice *f, const char *name, const char *value, size_t max, size_t n)
{
	struct span rest = span_of(value);
	for (size_t i = 0; i < n; i++) {
		struct span piece = text_piece(&rest, max);
		if (piece.n == 0)
			return;
		fin_text(f, name, arena_memdup(f->e->arena, piece.p, piece.n));
	}
}

const char *fin_rest(const struct finvoice *f, const char *value, size_t max, size_t n)
{
	struct span rest = span_of(value);
	for (size_t i = 0; i < n; i++)
		(void)text_piece(&rest, max);
	return rest.n ? text_block(f->e->arena, arena_memdup(f->e->arena, rest.p, rest.n)) : NULL;
}

void fin_date(struct finvoice *f, const char *name, const char *date)
{
	if (!date || !date[0])
		return;
	char plain[16];
	snprintf(plain, sizeof(plain), "%.4s%.2s%.2s", date, date + 5, date + 8);
	fin_coded(f, name, "Format", "CCYYMMDD", plain, 8, name);
}

static void amount_of(struct finvoice *f, const char *name, const char *currency, struct decimal d)
{
	char buf[DECIMAL_TEXT_MAX];
	decimal_format(d, 2, ',', buf);
	if (strcspn(buf + (buf[0] == '-'), ",") > AMOUNT_MAX_DIGITS)
		fin_fail(f, "amount_too_large", name);
	fin_coded(f, name, "AmountCurrencyIdentifier", currency, buf, sizeof(buf), name);
}

void fin_amount_in(struct finvoice *f, const char *name, const char *currency, struct decimal d)
{
	amount_of(f, name, currency, decimal_round(d, 2));
}

void fin_amount(struct finvoice *f, const char *name, struct decimal d)
{
	fin_amount_in(f, name, f->e->inv->currency, d);
}

void fin_price(struct finvoice *f, const char *name, struct decimal d)
{
	if (!decimal_fits_scale(d, PRICE_MAX_SCALE))
		fin_fail(f, "number_too_precise", name);
	amount_of(f, name, f->e->inv->currency, decimal_normalize(d));
}

bool fin_percent_fits(struct decimal d)
{
	return decimal_sign(d) >= 0 && decimal_cmp(d, decimal_of(1000)) < 0 &&
	       decimal_fits_scale(d, PERCENT_MAX_SCALE);
}

void fin_percent(struct finvoice *f, const char *name, struct decimal d, const char *what)
{
	char buf[DECIMAL_TEXT_MAX];
	if (!fin_percent_fits(d))
		fin_fail(f, "number_too_precise", what);
	fin_text(f, name, decimal_format(decimal_normalize(d), 0, ',', buf));
}

void fin_quantity(struct finvoice *f, const char *name, const char *unit, const char *unit_code,
		  struct decimal d, const char *what)
{
	char buf[DECIMAL_TEXT_MAX];
	decimal_format(decimal_normalize(d), 0, ',', buf);
	if (strlen(buf) > QUANTITY_MAX_CHARS)
		fin_fail(f, "amount_too_large", what);
	xmlw_open(&f->w, name);
	if (unit)
		xmlw_attr(&f->w, "QuantityUnitCode", unit);
	if (unit_code)
		xmlw_attr(&f->w, "QuantityUnitCodeUN", unit_code);
	xmlw_text(&f->w, buf);
	xmlw_close(&f->w);
}
