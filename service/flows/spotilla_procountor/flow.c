/*
 * flow.c: the flow as the service sees it: finished tasks of Spotilla become sales invoices in
 * Procountor, each once (PC-01), and the registers that they need go before them.
 */
#include "base/base.h"
#include "internal.h"

/* A hint: the task is read again whatever the body says (PC-08). */
static bool accept(struct arena *arena, struct span body, const char **ret_kind,
		   const char **ret_source_id, struct err *err)
{
	struct spotilla_event event;
	if (!spotilla_read_event(arena, body, &event, err))
		return false;
	*ret_kind = event.task_id ? SP_TASK : NULL;
	*ret_source_id = event.task_id;
	return true;
}

/* Its events name the task that they are about, at the source. */
static const struct flow_sender senders[] = { { &spotilla_system, SP_TASK } };

/* ---- the flow ------------------------------------------------------------------------------ */

static const struct register_sync *const registers[] = { &sp_products, &sp_customers,
							 &sp_partners };

static const char *const kinds[] = { SP_TASK, NULL };

const struct flow spotilla_procountor = {
	.name = "spotilla-procountor",
	.delivery_step = STEP_INVOICE,
	.title = "Spotilla to Procountor: finished tasks as sales invoices, registers both ways",
	.kinds = kinds,
	.settings = sp_setting_table,
	.n_settings = SP_N_SETTINGS,
	.credentials = sp_credential_table,
	.n_credentials = SP_N_CREDENTIALS,
	.schedule = "{\"interval_s\":1800}",
	.settle = sp_settle,
	.accept = accept,
	.senders = senders,
	.n_senders = ARRAY_SIZE(senders),
	.poll = sp_poll,
	.run = sp_run_task,
	.check = sp_check,
	.registers = registers,
	.n_registers = ARRAY_SIZE(registers),
};
