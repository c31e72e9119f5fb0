/*
 * flow.c: one Severa sales invoice on its way through Maventa (SV-01, SV-02, MV-13, MV-14).
 */
#include "base/base.h"
#include "flows/severa_maventa.h"
#include "internal.h"

static bool not_yet(struct err *err)
{
	return err_set(err, ERR_WAITING, "this flow sends nothing yet");
}

static bool poll(struct attempt *at, struct err *err)
{
	struct sm r;
	return sm_open(&r, at, err) && not_yet(err);
}

static bool run(struct attempt *at, struct err *err)
{
	struct sm r;
	return sm_open(&r, at, err) && not_yet(err);
}

const struct flow severa_maventa = {
	.name = "severa-maventa",
	.delivery_step = STEP_INVOICE,
	.title = "Severa to Maventa: sales invoices as e-invoices, e-mail and letters",
	.settings = sm_setting_table,
	.n_settings = SM_N_SETTINGS,
	.credentials = sm_credential_table,
	.n_credentials = SM_N_CREDENTIALS,
	.settle = sm_settle,
	.poll = poll,
	.run = run,
	.check = sm_check,
};
