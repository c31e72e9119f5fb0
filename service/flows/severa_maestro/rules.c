/*
 * rules.c: what a Severa invoice and its customer have to look like for Maestro (MA-02 to MA-04),
 * and by what an invoice is known again. Pure: no calls, no clock.
 */
#include "base/base.h"
#include "internal.h"

static bool is_set(const char *text)
{
	return text && text[0];
}

const char *smx_key(struct arena *arena, const char *source_id, int64_t generation)
{
	return generation > 1 ? arena_printf(arena, "%s-%" PRId64, source_id, generation)
			      : arena_strdup(arena, source_id);
}

/* ---- rows ---------------------------------------------------------------------------------- */

enum smx_match smx_match(const struct invoice_row *row, const struct maestro_product *product)
{
	if (row->n_codes != 1)
		return row->n_codes ? SMX_SEVERAL_CODES : SMX_NO_CODE;
	if (!product)
		return SMX_UNKNOWN;
	return product->is_active ? SMX_MATCHED : SMX_INACTIVE;
}

const char *smx_codes_of(struct arena *arena, const struct invoice_row *row)
{
	struct strbuf sb = STRBUF_INIT(arena, 64 << 10);
	const char *ret;
	for (size_t i = 0; i < row->n_codes; i++)
		strbuf_addf(&sb, "%s%s", i ? ", " : "", row->codes[i]);
	strbuf_addstr(&sb, "");
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

bool smx_to_fallback(struct arena *arena, const char *fallback, struct invoice_row *row,
		     struct err *err)
{
	row->product_code = fallback;
	if (!row->n_codes)
		return true;
	const char *codes = smx_codes_of(arena, row);
	const char *own = is_set(row->description) ? row->description : row->name;
	if (codes)
		row->description = arena_printf(arena, "%s\n(%s)", own ? own : "", codes);
	return (codes && row->description) || err_set(err, ERR_LIMIT, "arena full");
}

/* ---- customers ----------------------------------------------------------------------------- */

/* Is it one of the words? */
static bool is_among(const char *words, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = words; (at = strstr(at, name)) != NULL; at += n)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

void smx_merge_card(const struct maestro_customer *theirs, const struct maestro_customer *ours,
		    const char *told, struct maestro_customer *ret)
{
	for (enum maestro_customer_field f = 0; f < MAESTRO_CUSTOMER_FIELDS; f++) {
		bool is_ours = is_set(ours->values[f]) ||
			       is_among(told, maestro_customer_field_name(f));
		ret->values[f] = is_ours ? ours->values[f] : theirs->values[f];
	}
}

const char *smx_told(struct arena *arena, const struct maestro_customer *ours)
{
	struct strbuf sb = STRBUF_INIT(arena, 4096);
	const char *ret;
	for (enum maestro_customer_field f = 0; f < MAESTRO_CUSTOMER_FIELDS; f++)
		if (is_set(ours->values[f]))
			strbuf_addf(&sb, "%s%s", strbuf_span(&sb).n ? " " : "",
				    maestro_customer_field_name(f));
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

/* ---- the same invoice? --------------------------------------------------------------------- */

bool smx_is_same_invoice(const struct maestro_listed *l, const struct delivery_identity *id)
{
	bool reference = !is_set(id->reference) ||
			 delivery_same_reference(l->reference, id->reference);
	return reference && str_eq(l->number, id->number) && str_eq(l->date, id->date) &&
	       strcasecmp(l->currency, id->currency) == 0 &&
	       str_eq(l->customer_number, id->customer_code) && delivery_is_sum(l->sum, id);
}
