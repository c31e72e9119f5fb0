/* check.c: what the connection check asks of Talenom (TA-02, TA-06). Makes no write. */
#include "base/base.h"
#include "internal.h"

/* Where vouchers are posted, payments are too. */
static void check_payment_account(struct road_check *c)
{
	const struct stn *m = stn_of(c->r);
	if (m->revenue == STN_BY_VOUCHER && !m->talenom.payment_account[0])
		road_problem(c, "payment_account_missing", "/settings/talenom/payment_account",
			     "Vouchers are posted (revenue.by), and no account is set that "
			     "payments are booked on.");
}

bool stn_check(struct road_check *c, struct err *err)
{
	struct stn *m = stn_of(c->r);
	const struct talenom_account *accounts;
	struct err inner = ERR_INIT;
	size_t n;
	check_payment_account(c);
	/* It needs every key. */
	return talenom_accounts(&m->talenom, &accounts, &n, &inner) ||
	       road_name_it(c, &inner, "/credentials/talenom", err);
}
