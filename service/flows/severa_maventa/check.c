/*
 * check.c: Maventa's part of the connection check (SV-08, MV-06, MV-07, MV-10, MV-16). What only
 * has to be known (an authentication that is still awaited, a print service that is off) is said
 * too, and hinders no activation.
 */
#include "base/base.h"
#include "internal.h"

/* SV-08: an invoice that counts as sent is not one to be sent. */
static void check_transfer_status(struct road_check *c)
{
	if (c->transfer && c->transfer->is_sent)
		road_problem_of(c, "status_is_sent", c->transfer->name,
				"/settings/statuses/transfer",
				"Status of invoices to be transferred can not be sent. In Severa: "
				"Settings, Invoicing, Invoice statuses, open %s, clear Sent, save; "
				"then activate again.",
				c->transfer->name);
}

/* MV-07: the account is that of the company whose invoices are relayed. */
static bool check_account(struct road_check *c, struct err *err)
{
	struct sm_run *m = sm_run_of(c->r);
	struct maventa_current who;
	struct err inner = ERR_INIT;
	if (!maventa_current(&m->maventa, &who, &inner))
		return road_name_it(c, &inner, "/credentials/maventa", err);
	const char *id = who.vat_number[0] ? who.vat_number : who.business_id;
	const char *company = road_company_from(c->r->at->arena, id);
	if (who.is_disabled)
		road_problem_of(c, "account_not_ready", who.company_name, "/credentials/maventa",
				"The account of %s at Maventa is closed.", who.company_name);
	if (who.missing_scopes[0])
		road_problem_of(c, "scope_missing", who.missing_scopes,
				"/credentials/maventa/user_api_key",
				"The keys lack these rights at Maventa: %s. The user must have the "
				"role admin.",
				who.missing_scopes);
	if (c->r->company && !str_eq(company, c->r->company))
		road_problem_of(c, "company_differs", who.company_name,
				"/credentials/maventa/company_uuid",
				"These keys are those of %s (%s) at Maventa; the connection relays "
				"the invoices of %s.",
				who.company_name, id, c->r->company);
	return true;
}

static bool check_authorization(struct road_check *c, struct err *err)
{
	struct sm_run *m = sm_run_of(c->r);
	struct maventa_authorization a;
	if (!maventa_authorization(&m->maventa, &a, err))
		return false;
	if (a.company != MAVENTA_VERIFIED)
		road_warning(c, "company_unverified", "/credentials/maventa",
			     "The company is not authenticated at Maventa yet. Invoices wait, and "
			     "nothing is sent, until it is.");
	return true;
}

/* MV-10: paper is where invoices go that have no other way. */
static bool check_print(struct road_check *c, struct err *err)
{
	struct sm_run *m = sm_run_of(c->r);
	struct maventa_settings account;
	enum maventa_switch print = m->set.account.print;
	if (m->set.send_by_email)
		return true;
	if (print == MAVENTA_AS_IT_IS) {
		if (!maventa_settings(&m->maventa, &account, err))
			return false;
		print = account.print;
	}
	if (print != MAVENTA_ON)
		road_warning(c, "print_is_off", "/settings/print/enabled",
			     "Invoices are not sent by e-mail, and Maventa's print service is "
			     "off: those of customers without an e-invoice address will fail. "
			     "Switch it on here (print.enabled) or at Maventa.");
	return true;
}

bool sm_check(struct road_check *c, struct err *err)
{
	check_transfer_status(c);
	size_t before = c->setup.n_problems;
	if (!check_account(c, err))
		return false;
	/* Refused keys are named once. */
	return c->setup.n_problems > before || (check_authorization(c, err) && check_print(c, err));
}
