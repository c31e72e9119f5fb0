/*
 * rules.c: by what a Severa invoice is known again at Talenom, and what of a product is Severa's to
 * say. Pure: no calls, no clock.
 */
#include "base/base.h"
#include "internal.h"

#define VOUCHER_MARK "voucher "

static bool is_set(const char *text)
{
	return text && text[0];
}

const char *stn_external_id(struct arena *arena, const char *source_id, int64_t generation)
{
	return generation > 1 ? arena_printf(arena, "%s-%" PRId64, source_id, generation)
			      : arena_strdup(arena, source_id);
}

const char *stn_voucher_key(struct arena *arena, const char *voucher_id)
{
	return arena_printf(arena, VOUCHER_MARK "%s", voucher_id);
}

const char *stn_voucher_of(const char *key)
{
	size_t n = sizeof(VOUCHER_MARK) - 1;
	return strncmp(key, VOUCHER_MARK, n) == 0 ? key + n : NULL;
}

/* ---- the same invoice? --------------------------------------------------------------------- */

/* Talenom reckons by itself: a cent for each row and rate. */
static bool is_sum(struct decimal told, const struct delivery_identity *id)
{
	const struct decimal most = { (__int128)id->n_roundings, 2 };
	struct decimal off;
	return decimal_sub(told, id->sum, &off) && decimal_cmp(decimal_abs(off), most) <= 0;
}

static bool is_reference(const char *theirs, const struct delivery_identity *id)
{
	return !is_set(id->reference) || delivery_same_reference(theirs, id->reference);
}

bool stn_is_same_invoice(const struct talenom_invoice *theirs, const struct delivery_identity *id)
{
	return theirs->is_approved && str_eq(theirs->number, id->number) &&
	       str_eq(theirs->date, id->date) && strcasecmp(theirs->currency, id->currency) == 0 &&
	       is_reference(theirs->reference, id) && is_sum(theirs->gross, id);
}

bool stn_is_same_sale(const struct talenom_voucher *theirs, const struct delivery_identity *id)
{
	return str_eq(theirs->invoice_number, id->number) && str_eq(theirs->date, id->date) &&
	       is_reference(theirs->reference, id) && decimal_eq(theirs->receivable, id->sum);
}

bool stn_is_payment_of(const struct talenom_voucher *theirs, struct decimal sale)
{
	return decimal_sign(sale) != 0 && decimal_eq(theirs->receivable, decimal_neg(sale));
}

/* ---- customers ----------------------------------------------------------------------------- */

bool stn_has_address(const struct customer *c)
{
	return is_set(c->einvoice_address) && !severa_is_steering_word(c->einvoice_address) &&
	       !severa_is_steering_word(c->einvoice_operator);
}

/* ---- products ------------------------------------------------------------------------------ */

/* Of a work type Severa has no price and no VAT; and the account is that of one invoice's row,
 * which says nothing of the next. */
void stn_merge_product(const struct talenom_product *theirs, struct talenom_product *ours)
{
	ours->id = theirs->id;
	ours->row_version = theirs->row_version;
	if (!ours->unit)
		ours->unit = theirs->unit;
	if (theirs->account)
		ours->account = theirs->account;
	if (decimal_sign(ours->price) == 0)
		ours->price = theirs->price;
	if (decimal_sign(ours->tax_percent) == 0)
		ours->tax_percent = theirs->tax_percent;
}
