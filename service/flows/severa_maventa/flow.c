/*
 * flow.c: one Severa sales invoice through Maventa (SV-01, SV-02, MV-13, MV-14): what the road of
 * all Severa flows asks of this one. What a document must look like stands in rules.c and
 * document.c, what must be settled at the account before in account.c, sending and following in
 * delivery.c.
 */
#include "base/base.h"
#include "flows/severa_maventa.h"
#include "internal.h"

static bool open_maventa(struct road *r, struct err *err)
{
	struct sm_run *m = sm_run_of(r);
	sm_read_settings(r->at->arena, r->settings, &m->set);
	if (!maventa_open(r->at, r->settings, json_get(r->credentials, "maventa"), &m->maventa,
			  err))
		return false;
	r->account = m->maventa.company;
	return true;
}

static const struct road_ops ops = {
	.target = "Maventa",
	.size = sizeof(struct sm_run),
	.open = open_maventa,
	.may_send = sm_may_send,
	.prepare = sm_prepare,
	.identify = sm_identify,
	.look_up = sm_look_up,
	.build = sm_build,
	.send = sm_send,
	.verdict = sm_verdict,
	.check = sm_check,
};

static bool poll(struct attempt *at, struct err *err)
{
	return road_poll(at, err) && sm_keep_subscription(at, err);
}

/* Its notifications name the invoice that something became of. */
static const struct flow_sender senders[] = { { &maventa_system, NULL } };

const struct flow severa_maventa = {
	.name = "severa-maventa",
	.part = &ops,
	.delivery_step = STEP_INVOICE,
	.title = "Severa to Maventa: sales invoices as e-invoices, e-mail and letters",
	.settings = sm_setting_table,
	.n_settings = SM_N_SETTINGS,
	.credentials = sm_credential_table,
	.n_credentials = SM_N_CREDENTIALS,
	.settle = sm_settle,
	.accept = road_accept,
	.senders = senders,
	.n_senders = ARRAY_SIZE(senders),
	.poll = poll,
	.run = road_run,
	.check = road_check,
	.on_failed = road_on_failed,
	.follow = sm_follow,
	.dialogues = sm_dialogues,
	.n_dialogues = SM_N_DIALOGUES,
};
