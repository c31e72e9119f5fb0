/*
 * document.c: one task on its way (PC-01): read again, its doubt settled, made into an invoice
 * once, and its user told. Each run begins where the last one stopped; whatever happens to the task
 * after it was sent, it is not sent again.
 */
#include "base/base.h"
#include "internal.h"

#include "model/preview.h"

static struct sp_run *run_of(const struct delivery *d)
{
	return (struct sp_run *)d;
}

static void note(struct sp_run *r, const char *code, const char *text)
{
	r->sp->at->ops->note(r->sp->at, code, text);
}

static bool leave(struct sp_run *r, enum attempt_outcome outcome, const char *code,
		  const char *text)
{
	r->sp->at->outcome = outcome;
	note(r, code, text);
	return true;
}

/* ---- known again --------------------------------------------------------------------------- */

static void identify(const struct delivery *d, struct delivery_identity *ret)
{
	const struct sp_run *r = run_of(d);
	const struct invoice *inv = &r->inv;
	*ret = (struct delivery_identity) { .account = d->account,
					    .number = inv->number,
					    .date = inv->issue_date,
					    .currency = inv->currency,
					    .hash = r->hash,
					    .sum = decimal_round(inv->total_gross, 2),
					    .customer_code = r->partner.id,
					    .has_net = true,
					    .net = inv->total_net,
					    .n_roundings = (int64_t)(inv->n_rows + inv->n_vat) };
}

/*
 * By the number that we gave it, and all that names it. People work on the draft from the moment
 * that it is there: one that the task itself names is ours, however it looks by now.
 */
static bool look_up(struct delivery *d, const struct delivery_identity *id,
		    struct delivery_seen *ret, struct err *err)
{
	struct sp_run *r = run_of(d);
	const struct invoice sent = { .number = id->number,
				      .issue_date = id->date,
				      .currency = id->currency,
				      .total_net = id->net,
				      .total_gross = id->sum,
				      .n_rows = (size_t)id->n_roundings };
	const char *told = sp_id_of_ref(r->sp, r->task.billing.external_ref);
	struct procountor_found found;
	if (!procountor_invoice_look_up(&r->sp->procountor, &sent, id->customer_code, &found, err))
		return false;
	switch (found.match) {
	case PROCOUNTOR_ABSENT:
		return true;
	case PROCOUNTOR_TAKEN:
		ret->number_is_taken = true;
		if (!told || !str_eq(told, found.invoice.id))
			return true;
		break;
	case PROCOUNTOR_SEVERAL:
		ret->n = 2;
		return true;
	case PROCOUNTOR_OURS:
		break;
	}
	ret->n = 1;
	ret->key = found.invoice.id;
	return true;
}

static bool build(struct delivery *d, struct err *err)
{
	return sp_build(run_of(d), err);
}

static bool send(struct delivery *d, const char **ret_key, struct err *err)
{
	struct sp_run *r = run_of(d);
	struct attempt *at = d->at;
	struct procountor_invoice made;
	char text[256];
	if (!procountor_invoice_add(&r->sp->procountor, r->document, &made, err))
		return false;
	snprintf(
		text, sizeof(text),
		"Made in Procountor as the unfinished invoice %.40s (id %.20s), of customer %.80s.",
		made.number ? made.number : "without a number", made.id, r->partner.name);
	at->ops->note(at, "sent", text);
	*ret_key = made.id;
	return true;
}

static const struct delivery_ops delivery_ops = {
	.identify = identify, .look_up = look_up, .build = build, .send = send
};

/* ---- after the delivery -------------------------------------------------------------------- */

static bool finish(struct sp_run *r, const char *invoice_id, struct err *err)
{
	r->sp->at->outcome = OUTCOME_DONE;
	return sp_mark_exported(r, invoice_id, err);
}

/* Sent in an earlier run: the task may be another by now. */
static bool already_sent(struct sp_run *r, const struct step *sent, struct err *err)
{
	struct delivery_identity id;
	if (sent->about && sent->about[0] &&
	    delivery_identity_read(r->sp->at->arena, sent->about, &id, NULL) && id.hash &&
	    !str_eq(id.hash, r->hash))
		note(r, "changed_after_transfer",
		     "The task was changed after it was relayed. It is not sent again: change the "
		     "invoice in Procountor.");
	return finish(r, sent->outcome, err);
}

/* Gone in Spotilla: what was sent stays; all else is called off. */
static bool deleted(struct sp_run *r, struct err *err)
{
	struct attempt *at = r->sp->at;
	struct delivery_identity id;
	struct step sent;
	if (!at->ops->step_get(at, STEP_INVOICE, &sent, err))
		return false;
	if (sent.state == STEP_INTENT &&
	    (!delivery_identity_read(at->arena, sent.about, &id, err) ||
	     !delivery_settle_doubt(&r->delivery, &id, &sent, err)))
		return false;
	if (sent.state == STEP_DONE)
		return leave(r, OUTCOME_DONE, "deleted_after_delivery",
			     "Deleted in Spotilla after it was relayed.");
	return leave(r, OUTCOME_CANCELLED, "deleted", "Deleted in Spotilla.");
}

/* ---- dry run ------------------------------------------------------------------------------- */

static bool preview(struct sp_run *r, struct err *err)
{
	struct attempt *at = r->sp->at;
	struct delivery_identity id;
	const char *key;
	if (!spotilla_is_done(&r->sp->spotilla, r->task.state))
		note(r, "not_finished",
		     "The task is not finished; as it is, it would not be relayed.");
	if (!sp_prepare(r, err))
		return false;
	identify(&r->delivery, &id);
	if (!delivery_look_up(&r->delivery, &id, &key, err))
		return false;
	if (key)
		note(r, "found_at_target", "Procountor has the invoice already.");
	if (!sp_build(r, err))
		return false;
	const struct preview p = { .media_type = "application/json",
				   .document = r->document,
				   .invoice = &r->inv,
				   .customer_code = r->partner.customer_number,
				   .notes = at->notes,
				   .n_notes = at->n_notes };
	return preview_write(at->arena, &p, &at->result, err);
}

/* ---- run ----------------------------------------------------------------------------------- */

/*
 * The task says that it was billed, and the store knows nothing of it (DESIGN §4.8): by us, it must
 * still stand in Procountor; by somebody else, it is theirs.
 */
static bool was_billed(struct sp_run *r, bool *ret_elsewhere, struct err *err)
{
	const struct spotilla_billing *b = &r->task.billing;
	struct delivery_identity id;
	const char *key;
	*ret_elsewhere = false;
	if (b->state != SPOTILLA_BILLING_EXPORTED || r->sp->at->generation > 1)
		return true;
	if (!sp_id_of_ref(r->sp, b->external_ref)) {
		*ret_elsewhere = true;
		return true;
	}
	identify(&r->delivery, &id);
	if (!delivery_look_up(&r->delivery, &id, &key, err))
		return false;
	return key ? true
		   : err_reason(err, ERR_DATA, "gone_at_target", id.number,
				"task %s was billed as invoice %s, which is not in Procountor any "
				"more",
				r->task.id, b->external_ref);
}

static bool make_invoice(struct sp_run *r, struct err *err)
{
	struct attempt *at = r->sp->at;
	struct step sent;
	bool is_elsewhere;
	if (!sp_claim_numbers(r->sp, err) || !sp_prepare(r, err) ||
	    !was_billed(r, &is_elsewhere, err))
		return false;
	if (is_elsewhere)
		return leave(r, OUTCOME_SKIPPED, "billed_elsewhere",
			     "Spotilla says that the task was billed by somebody else.");
	/* Another connection of the same two may be at it: who comes second finds it there. */
	const char *lease = arena_printf(at->arena, "%s:task:%s", r->sp->scope, r->task.id);
	if (!lease)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!at->ops->record_lease(at, lease, err))
		return false;
	at->content_hash = r->hash;
	if (!delivery_make(&r->delivery, err))
		return false;
	at->ops->record_release(at, lease);
	return at->ops->step_get(at, STEP_INVOICE, &sent, err) && finish(r, sent.outcome, err);
}

/* Nothing of it is at the target, as far as we know. */
static bool relay(struct sp_run *r, struct err *err)
{
	struct err inner = ERR_INIT;
	if (!spotilla_is_done(&r->sp->spotilla, r->task.state))
		return leave(r, OUTCOME_SKIPPED, "not_finished",
			     "The task is not finished. Finished, it is relayed.");
	if (!sp_is_after_start(r->sp, r->task.completed_ms))
		return leave(r, OUTCOME_SKIPPED, "before_start",
			     "The task was finished before the day from which tasks are relayed.");
	if (make_invoice(r, &inner))
		return true;
	if (!r->sp->at->delivered)
		sp_mark_why(r, &inner);
	if (err)
		*err = inner;
	return false;
}

static bool run_known(struct sp_run *r, struct err *err)
{
	struct attempt *at = r->sp->at;
	struct delivery_identity id;
	struct step sent;
	r->hash = sp_task_hash(at->arena, &r->task);
	if (!r->hash)
		return err_set(err, ERR_LIMIT, "arena full");
	if (r->task.number && !at->ops->set_number(at, r->task.number, err))
		return false;
	if (at->preview)
		return preview(r, err);
	if (!at->ops->step_get(at, STEP_INVOICE, &sent, err))
		return false;
	if (sent.state == STEP_DONE)
		return already_sent(r, &sent, err);
	if (sent.state == STEP_INTENT) {
		if (!delivery_identity_read(at->arena, sent.about, &id, err) ||
		    !delivery_settle_doubt(&r->delivery, &id, &sent, err))
			return false;
		if (sent.state == STEP_DONE)
			return at->ops->step_get(at, STEP_INVOICE, &sent, err) &&
			       finish(r, sent.outcome, err);
	}
	return relay(r, err);
}

bool sp_run_task(struct attempt *at, struct err *err)
{
	struct sp sp;
	struct sp_run r = { .sp = &sp };
	struct err inner = ERR_INIT;
	if (!sp_open(&sp, at, err) || !sp_load_zone(&sp, err) || !sp_find_company(&sp, err))
		return false;
	r.delivery = (struct delivery) { .ops = &delivery_ops,
					 .at = at,
					 .step = STEP_INVOICE,
					 .target = "Procountor",
					 .account = sp.account };
	if (spotilla_task(&sp.spotilla, at->source_id, &r.task, &inner))
		return run_known(&r, err);
	if (inner.code == ERR_NOT_FOUND)
		return at->preview
			       ? err_reason(err, ERR_NOT_FOUND, "document_unknown", at->source_id,
					    "Spotilla has no task %s", at->source_id)
			       : deleted(&r, err);
	if (err)
		*err = inner;
	return false;
}
