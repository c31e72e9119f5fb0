/* check.c: what the connection check asks of Talenom (TA-02, TA-06). Makes no write. */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

/* Where vouchers are posted, payments are too. */
static void check_payment_account(struct road_check *c)
{
	const struct stn *m = stn_of(c->r);
	if (m->revenue == STN_BY_VOUCHER && !m->talenom.payment_account[0])
		road_problem_of(c, "payment_account_missing", c->r->ops->target,
				"/settings/talenom/payment_account",
				"Vouchers are posted (revenue.by), and no account is set that "
				"payments are booked on. Enter talenom.payment_account.");
}

/* Who activates is told when what waits goes: no sooner than agreed. */
static bool say_when(struct road_check *c, struct err *err)
{
	struct setup_found found = { .code = "not_yet",
				     .pointer = "/settings/transfer_times",
				     .is_warning = true };
	int64_t now_ms = clock_wall_ms(), next_ms;
	if (!json_get(json_get(c->r->settings, "transfer_times"), "times"))
		return true;
	if (!stn_not_before(c->r, now_ms, now_ms, &next_ms, &found.subject, err))
		return false;
	setup_say(&c->setup, &found,
		  "What comes now is sent by itself at the next agreed time: %s.", found.subject);
	return true;
}

bool stn_check(struct road_check *c, struct err *err)
{
	struct stn *m = stn_of(c->r);
	const struct talenom_account *accounts;
	struct err inner = ERR_INIT;
	size_t n;
	check_payment_account(c);
	if (!say_when(c, err))
		return false;
	/* It needs every key. */
	return talenom_accounts(&m->talenom, &accounts, &n, &inner) ||
	       road_name_it(c, &inner, "/credentials/talenom", err);
}
