/*
 * einvoice_pay.c: how and until when to pay (BG-16, BT-20, BT-83). Declared in einvoice.h.
 *
 * Guarantees proved account numbers and references. Chooses the means of payment by account and
 * currency where the invoice does not say.
 */
#include "base/base.h"
#include "einvoice.h"

#define MEANS_CREDIT_TRANSFER "30"
#define MEANS_SEPA_TRANSFER "58"

/* ---- accounts ------------------------------------------------------------------------------ */

static bool is_bic(const char *text)
{
	size_t n = strlen(text);
	return (n == 8 || n == 11) && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") >= 6 &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == n;
}

/* A national number counts in Norway, where it is proved, and in countries without IBAN. */
static bool is_national_account(const char *number, const char *country)
{
	if (strcmp(country, "NO") == 0)
		return identifier_is(ID_NO_ACCOUNT, number);
	return strcmp(country, "FI") != 0 && strlen(number) <= 34 &&
	       number[strspn(number, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] == '\0' &&
	       strspn(number, "0123456789") >= 2;
}

static bool make_account(struct einvoice *e, const struct bank_account *a,
			 struct einvoice_account *ret, struct err *err)
{
	struct arena *arena = e->arena;
	const char *number = identifier_compact(arena, a->number);
	const char *bic = text_line(e->arena, a->bic) ? identifier_compact(arena, a->bic) : NULL;
	if (!number)
		return err_set(err, ERR_LIMIT, "arena full");
	bool is_iban = identifier_is(ID_IBAN, number);
	if (!is_iban && !is_national_account(number, e->seller.address.country))
		return err_reason(err, ERR_DATA, "bank_account_invalid", number,
				  "bank account %s is not valid", number);
	if (bic && !is_bic(bic))
		return err_reason(err, ERR_DATA, "bank_account_invalid", bic, "BIC %s is not valid",
				  bic);
	*ret = (struct einvoice_account) { .number = number,
					   .bic = bic,
					   .holder = text_line(e->arena, a->holder),
					   .is_iban = is_iban };
	return true;
}

static bool make_accounts(struct einvoice *e, struct err *err)
{
	const struct invoice *inv = e->inv;
	e->accounts = arena_alloc_array(e->arena, inv->n_accounts + 1, sizeof(*e->accounts));
	if (!e->accounts)
		return err_set(err, ERR_LIMIT, "arena full");
	for (; e->n_accounts < inv->n_accounts; e->n_accounts++)
		if (!make_account(e, &inv->accounts[e->n_accounts], &e->accounts[e->n_accounts],
				  err))
			return false;
	return true;
}

/* ---- means --------------------------------------------------------------------------------- */

/* By UNTDID 4461; direct debits (49, 59) need a mandate, which the model does not have. */
static bool is_means_known(const char *code)
{
	static const char *const known[] = { "1",  "10", "30", "31", "42", "48",
					     "54", "55", "57", "58", "97" };
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i], code) == 0)
			return true;
	return false;
}

static bool is_transfer(const char *means)
{
	return strcmp(means, MEANS_CREDIT_TRANSFER) == 0 || strcmp(means, MEANS_SEPA_TRANSFER) == 0;
}

static const char *default_means(const struct einvoice *e)
{
	for (size_t i = 0; i < e->n_accounts; i++)
		if (!e->accounts[i].is_iban)
			return MEANS_CREDIT_TRANSFER;
	return strcmp(e->inv->currency, "EUR") == 0 ? MEANS_SEPA_TRANSFER : MEANS_CREDIT_TRANSFER;
}

/* BR-61: a transfer needs an account to go to. A credit note without one says nothing about it. */
static bool choose_means(struct einvoice *e, struct err *err)
{
	const char *means = text_line(e->arena, e->inv->payment_means);
	if (means && !is_means_known(means))
		return err_reason(err, ERR_DATA, "payment_means_unknown", means,
				  "means of payment %s cannot be told", means);
	if (!means)
		means = default_means(e);
	if (!is_transfer(means) || e->n_accounts > 0)
		e->means = means;
	else if (!e->inv->is_credit_note && decimal_sign(e->due) > 0)
		return err_reason(err, ERR_DATA, "bank_account_missing", e->seller.name,
				  "no account of %s is known to pay to", e->seller.name);
	return true;
}

static bool make_reference(struct einvoice *e, const struct einvoice_rules *rules, struct err *err)
{
	const char *given = text_line(e->arena, e->inv->reference);
	if (!given)
		return true;
	e->reference = payment_reference_from(e->arena, given, e->seller.address.country,
					      rules->kid_mod11 ? ID_KID_MOD11 : ID_KID_MOD10);
	return e->reference || err_reason(err, ERR_DATA, "reference_invalid", given,
					  "payment reference %s is not valid", given);
}

/* "14 days net", "Overdue interest 8.5 %". */
static void make_terms(struct einvoice *e)
{
	const struct invoice *inv = e->inv;
	char rate[DECIMAL_TEXT_MAX];
	e->terms = text_block(e->arena, inv->payment_terms);
	if (e->terms)
		return;
	if (inv->payment_term_days > 0) {
		e->terms = arena_printf(e->arena, "%" PRId64 " %s", inv->payment_term_days,
					e->words->days_net);
	}
	if (!inv->has_overdue_interest || decimal_sign(inv->overdue_interest) <= 0)
		return;
	decimal_format(decimal_normalize(inv->overdue_interest), 0,
		       e->words == words_of("en", NULL) ? '.' : ',', rate);
	const char *interest = arena_printf(e->arena, "%s %s %%", e->words->overdue_interest, rate);
	e->terms = text_join(e->arena, e->terms, ", ", interest);
}

bool einvoice_payment(struct einvoice *e, const struct einvoice_rules *rules, struct err *err)
{
	if (!make_accounts(e, err) || !choose_means(e, err) || !make_reference(e, rules, err))
		return false;
	make_terms(e);
	return true;
}
