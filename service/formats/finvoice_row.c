/*
 * finvoice_row.c: InvoiceRow (facts/einvoice-formats.md §1.3), declared in finvoice_writer.h. Texts
 * that are too long for a name or description become free text of the row, whole.
 */
#include "base/base.h"
#include "finvoice_writer.h"

#define NAME_MAX_CHARS 100
#define TEXT_MAX_CHARS 512
#define CODE_MAX_CHARS 70
#define UNIT_MAX_CHARS 14
#define DISCOUNT_TEXT_MAX_CHARS 35
#define PRICE_MAX_SCALE 5

struct row_texts {
	const char *name, *description, *free;
};

static struct row_texts row_texts(struct finvoice *f, const struct einvoice_line *line)
{
	struct arena *arena = f->e->arena;
	struct row_texts t = { .name = line->name };
	const char *more = line->description;
	if (text_length(line->name) > NAME_MAX_CHARS) {
		struct span rest = span_of(line->name);
		struct span head = text_piece(&rest, NAME_MAX_CHARS);
		t.name = arena_memdup(arena, head.p, head.n);
		if (!more || !strstr(more, line->name))
			more = text_join(arena, line->name, "\n", more);
	}
	if (more && text_length(more) <= TEXT_MAX_CHARS)
		t.description = text_line(arena, more);
	else
		t.free = more;
	return t;
}

/* A price of more than five decimals is told for 10, 100 ... pieces, so that it stays exact. */
static void price(struct finvoice *f, const struct einvoice_line *line)
{
	struct decimal one = line->price, base = decimal_of(1), ten = decimal_of(10);
	bool fits = true;
	while (fits && !decimal_fits_scale(one, PRICE_MAX_SCALE))
		fits = decimal_mul(one, ten, &one) && decimal_mul(base, ten, &base);
	if (!fits)
		fin_fail(f, "number_too_precise", line->name);
	fin_price(f, "UnitPriceAmount", one);
	fin_price(f, "UnitPriceNetAmount", one);
	if (!decimal_eq(base, decimal_of(1)))
		fin_quantity(f, "UnitPriceBaseQuantity", NULL, line->unit, base, line->name);
}

static void discount(struct finvoice *f, const struct einvoice_line *line, const char *reason)
{
	if (decimal_sign(line->discount) == 0)
		return;
	bool by_percent = decimal_sign(line->row->discount_amount) == 0 &&
			  fin_percent_fits(line->row->discount_percent);
	if (by_percent)
		fin_percent(f, "RowDiscountPercent", line->row->discount_percent, line->name);
	fin_amount(f, "RowDiscountAmount", line->discount);
	if (by_percent)
		fin_amount(f, "RowDiscountBaseAmount", line->full);
	fin_text(f, "RowDiscountTypeCode", "95");
	fin_text(f, "RowDiscountTypeText", reason);
}

static void vat(struct finvoice *f, const struct einvoice_line *line)
{
	struct decimal product, tax, gross;
	if (!decimal_mul(line->net, line->rate, &product) ||
	    !decimal_div(product, decimal_of(100), 2, &tax) ||
	    !decimal_add(line->net, tax, &gross)) {
		fin_fail(f, "amount_too_large", line->name);
		return;
	}
	if (strcmp(line->category, "O") != 0)
		fin_percent(f, "RowVatRatePercent", line->rate, line->name);
	fin_text(f, "RowVatCode", line->category);
	fin_amount(f, "RowVatAmount", tax);
	fin_amount(f, "RowVatExcludedAmount", line->net);
	fin_amount(f, "RowAmount", gross);
}

static void row(struct finvoice *f, const struct einvoice_line *line, size_t position)
{
	struct arena *arena = f->e->arena;
	const struct row_texts t = row_texts(f, line);
	const char *reason = text_line(arena, line->row->discount_reason);
	bool is_reason_long = reason && text_length(reason) > DISCOUNT_TEXT_MAX_CHARS;
	bool is_unit_long = line->unit_text && text_length(line->unit_text) > UNIT_MAX_CHARS;
	char number[24];
	snprintf(number, sizeof(number), "%zu", position);
	xmlw_open(&f->w, "InvoiceRow");
	fin_field(f, "ArticleIdentifier", line->code, 1, CODE_MAX_CHARS, line->code);
	fin_text(f, "ArticleName", t.name);
	fin_text(f, "ArticleDescription", t.description);
	fin_quantity(f, "InvoicedQuantity", is_unit_long ? NULL : line->unit_text, line->unit,
		     line->quantity, line->name);
	price(f, line);
	fin_text(f, "RowPositionIdentifier", number);
	fin_pieces(f, "RowFreeText", t.free, TEXT_MAX_CHARS, SIZE_MAX);
	if (is_unit_long)
		fin_pieces(f, "RowFreeText", line->unit_text, TEXT_MAX_CHARS, SIZE_MAX);
	if (is_reason_long)
		fin_pieces(f, "RowFreeText", reason, TEXT_MAX_CHARS, SIZE_MAX);
	discount(f, line, is_reason_long ? NULL : reason ? reason : f->e->words->discount);
	vat(f, line);
	xmlw_close(&f->w);
}

void finvoice_rows(struct finvoice *f)
{
	for (size_t i = 0; i < f->e->n_lines; i++)
		row(f, &f->e->lines[i], i + 1);
}
