/*
 * mark.c: what became of a task is told where its user looks: in Spotilla, in Finnish. Each mark is
 * a change of the task, so one that stands there already is not written. A mark that fails never
 * touches the invoice.
 */
#include "base/base.h"
#include "internal.h"

#include "model/reason.h"

#define WORDS_MAX 500

static bool stands_there(const struct spotilla_task *task, const struct spotilla_billing *b)
{
	const struct spotilla_billing *have = &task->billing;
	const char *ref = b->external_ref ? b->external_ref : "", *message = b->message;
	return have->state == b->state &&
	       str_eq(have->external_ref ? have->external_ref : "", ref) &&
	       str_eq(have->message ? have->message : "", message ? message : "");
}

/* Deleted, or not to be written at all: there is nobody to tell. */
static bool may_go_on(struct sp_run *r, const struct err *why)
{
	struct attempt *at = r->sp->at;
	if (why->code == ERR_NOT_FOUND)
		return true;
	if (why->code != ERR_DATA && why->code != ERR_CONFLICT)
		return false;
	at->ops->note(at, "mark_refused",
		      "Spotilla did not take the note that the task was billed. The invoice is in "
		      "Procountor all the same.");
	return true;
}

bool sp_mark_exported(struct sp_run *r, const char *invoice_id, struct err *err)
{
	struct attempt *at = r->sp->at;
	const struct spotilla_billing b = { .state = SPOTILLA_BILLING_EXPORTED,
					    .external_ref = sp_ref(r->sp, invoice_id) };
	struct err inner = ERR_INIT;
	struct step s;
	if (!b.external_ref)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!at->ops->step_get(at, STEP_MARK, &s, err))
		return false;
	if (s.state == STEP_DONE)
		return true;
	if (stands_there(&r->task, &b))
		return at->ops->step_outcome(at, STEP_MARK, "already", err);
	if (s.state == STEP_NONE && !at->ops->step_intent(at, STEP_MARK, NULL, err))
		return false;
	if (spotilla_mark_task(&r->sp->spotilla, r->task.id, &b, &inner) || may_go_on(r, &inner))
		return at->ops->step_outcome(at, STEP_MARK, b.external_ref, err);
	/* May be repeated: a doubt is no more than a failed try. */
	if (inner.code == ERR_DOUBT)
		inner.code = ERR_OUTAGE;
	if (err)
		*err = inner;
	return false;
}

void sp_mark_why(struct sp_run *r, const struct err *why)
{
	struct strbuf sb = STRBUF_INIT(r->sp->at->arena, WORDS_MAX);
	const struct reason *reason = why->reason ? reason_find(why->reason) : NULL;
	struct spotilla_billing b = { .state = why->code == ERR_DATA ? SPOTILLA_BILLING_FAILED
								     : SPOTILLA_BILLING_WAITING };
	struct err ignored = ERR_INIT; /* the status view says it, too */
	if (!reason || (why->code != ERR_DATA && why->code != ERR_WAITING) ||
	    r->task.billing.state == SPOTILLA_BILLING_EXPORTED)
		return;
	reason_sentence(reason, "fi", why->subject, &sb);
	if (!strbuf_finish(&sb, &b.message, &ignored) || stands_there(&r->task, &b))
		return;
	(void)!spotilla_mark_task(&r->sp->spotilla, r->task.id, &b, &ignored);
}
