/*
 * maventa_follow.c: what becomes of an invoice in the Maventa stand-in, and the calls that tell
 * (facts/maventa.md §6): pending until it was read so often or so much time has gone, then
 * delivered or failed; a delivered one may fail late.
 */
#include "base/base.h"

#include "maventa.h"

const char *mv_status_name(enum mv_status s)
{
	static const char *const names[] = { "PENDING", "DELIVERED", "FAILED" };
	return names[s];
}

void mv_add_action_locked(struct maventa *m, struct mv_invoice *in, const char *type,
			  const char *channel, const char *key, const char *message)
{
	struct mv_action *a = arena_alloc(m->base.arena, sizeof(*a));
	if (!a)
		return;
	*a = (struct mv_action) { .next = in->actions,
				  .at_ms = clock_wall_ms(),
				  .type = type,
				  .channel = channel,
				  .key = key,
				  .message = message };
	in->actions = a;
}

/* ---- evolution ----------------------------------------------------------------------------- */

static void fail_locked(struct maventa *m, struct mv_invoice *in, const char *key,
			const char *message)
{
	in->status = MV_FAILED;
	mv_add_action_locked(m, in, "ERROR", in->route, key, message);
}

static void deliver_locked(struct maventa *m, struct mv_invoice *in)
{
	static const char *const keys[] = { "action_trx_ok", "action_sent_email",
					    "action_sent_print" };
	size_t i = str_eq(in->route, "EMAIL") ? 1 : str_eq(in->route, "PRINT") ? 2 : 0;
	in->status = MV_DELIVERED;
	in->delivered_ms = clock_wall_ms();
	in->reads_at_delivery = in->reads;
	mv_add_action_locked(m, in, "SENT", in->route, keys[i], NULL);
}

static bool is_due(int64_t after_reads, int64_t reads, int64_t after_ms, int64_t since_ms)
{
	return reads >= after_reads && clock_wall_ms() - since_ms >= after_ms;
}

void mv_advance_locked(struct maventa *m, struct mv_invoice *in, bool is_read)
{
	const struct mv_script *s = &in->script;
	in->reads += is_read;
	if (in->status == MV_PENDING &&
	    is_due(s->after_reads, in->reads, s->after_ms, in->created_ms)) {
		if (in->route_failure)
			fail_locked(m, in, "action_route_failed", in->route_failure);
		else if (s->fails)
			fail_locked(m, in, "action_trx_fail",
				    s->message ? s->message : "The operator rejected the invoice");
		else
			deliver_locked(m, in);
		return;
	}
	if (in->status == MV_DELIVERED && s->fails_late &&
	    is_due(s->late_reads, in->reads - in->reads_at_delivery, s->late_ms, in->delivered_ms))
		fail_locked(m, in, "action_delivery_failed",
			    s->message ? s->message
				       : "The recipient's operator returned the "
					 "invoice");
}

/* ---- answers ------------------------------------------------------------------------------- */

static void write_party(struct json_writer *w, const char *key, const struct mv_invoice *in,
			bool is_sender)
{
	const struct mv_document *d = &in->doc;
	jsonw_key(w, key);
	jsonw_object(w);
	if (!is_sender)
		jsonw_kstr(w, "eia", d->address[0] ? d->address : NULL);
	jsonw_kstr(w, "bid", is_sender ? in->company->business_id : d->recipient_id);
	jsonw_kstr(w, "name", is_sender ? in->company->name : d->name);
	jsonw_kstr(w, "country", is_sender ? in->company->country : d->country);
	if (!is_sender)
		jsonw_kstr(w, "operator", d->operator_id[0] ? d->operator_id : NULL);
	jsonw_end_object(w);
}

void mv_write_invoice(struct json_writer *w, const struct mv_invoice *in)
{
	const struct mv_document *d = &in->doc;
	jsonw_object(w);
	jsonw_kstr(w, "id", in->id);
	jsonw_kstr(w, "status", mv_status_name(in->status));
	jsonw_kstr(w, "number", d->number);
	jsonw_kstr(w, "reference", d->reference[0] ? d->reference : NULL);
	write_party(w, "sender", in, true);
	write_party(w, "recipient", in, false);
	mv_time(w, "created_at", in->created_ms);
	jsonw_kstr(w, "received_at", NULL);
	jsonw_kstr(w, "date", d->date);
	jsonw_kstr(w, "date_due", d->due_date[0] ? d->due_date : NULL);
	jsonw_kstr(w, "source_format", d->format);
	jsonw_key(w, "sum");
	jsonw_decimal(w, d->net);
	jsonw_key(w, "sum_tax");
	jsonw_decimal(w, d->gross);
	jsonw_kstr(w, "currency", d->currency);
	jsonw_kstr(w, "destination", in->status == MV_PENDING ? NULL : in->route);
	jsonw_kstr(w, "comment", NULL);
	jsonw_key(w, "files");
	jsonw_array(w);
	jsonw_end_array(w);
	jsonw_key(w, "actions");
	jsonw_array(w);
	jsonw_end_array(w);
	jsonw_end_object(w);
}

static struct mv_invoice *find_locked(struct mv_call *mc)
{
	struct mv_invoice *in = table_get(&mc->m->by_id, mc->id);
	if (in && in->company == mc->company && !in->is_deleted)
		return in;
	mv_fail(mc, 404, "not_found", "Invoice not found", NULL);
	return NULL;
}

void mv_invoice_locked(struct mv_call *mc)
{
	struct mv_invoice *in = find_locked(mc);
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!in)
		return;
	mv_advance_locked(mc->m, in, true);
	mv_write_invoice(&w, in);
	reply_json(mc->c, 200, &sb);
}

static bool is_in_list(const char *text, const char *list)
{
	size_t n = strlen(text);
	for (const char *p = list; p && *p;) {
		size_t m = strcspn(p, ",");
		if (m == n && strncasecmp(p, text, n) == 0)
			return true;
		p += m;
		p += *p == ',';
	}
	return false;
}

static size_t count_listed(const char *list)
{
	size_t n = list && *list;
	for (; list && *list; list++)
		n += *list == ',';
	return n;
}

static bool is_wanted(struct call *c, const struct mv_company *co, const struct mv_invoice *in)
{
	const char *status = call_param(c, "status"), *number = call_param(c, "number");
	const char *reference = call_param(c, "reference");
	return in && in->company == co && !in->is_deleted &&
	       (!status || is_in_list(mv_status_name(in->status), status)) &&
	       (!number || strcmp(number, in->doc.number) == 0) &&
	       (!reference || strcmp(reference, in->doc.reference) == 0);
}

/* Those asked for by id, else all of the company's. NULL past the end. */
static struct mv_invoice *candidate_locked(struct mv_call *mc, const char **ids,
					   struct mv_invoice *last)
{
	struct mv_invoice *found = NULL;
	if (!*ids)
		return last ? last->next : mc->company->invoices;
	while (!found && **ids) {
		size_t n = strcspn(*ids, ",");
		const char *id = arena_memdup(mc->c->arena, *ids, n);
		found = id ? table_get(&mc->m->by_id, id) : NULL;
		*ids += n;
		*ids += **ids == ',';
	}
	return found;
}

/* Received ones unless told otherwise, and nobody ever sends us any. */
void mv_list_locked(struct mv_call *mc)
{
	struct call *c = mc->c;
	const char *ids = call_param(c, "ids");
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	int64_t page, per_page, n = 0;
	if (!call_param_int(c, "page", 1, &page) || !call_param_int(c, "per_page", 10, &per_page) ||
	    page < 1 || per_page < 1 || per_page > 100 || count_listed(ids) > 100) {
		mv_fail(mc, 400, "invalid_parameters", "page, per_page or ids are invalid", NULL);
		return;
	}
	struct mv_invoice *in = NULL;
	jsonw_array(&w);
	while (call_param_is(c, "direction", "SENT") && (in = candidate_locked(mc, &ids, in))) {
		if (!is_wanted(c, mc->company, in))
			continue;
		if (n >= (page - 1) * per_page && n < page * per_page) {
			mv_advance_locked(mc->m, in, true);
			mv_write_invoice(&w, in);
		}
		n++;
	}
	jsonw_end_array(&w);
	reply_json(c, 200, &sb);
}

void mv_actions_locked(struct mv_call *mc)
{
	const char *type = call_param(mc->c, "type");
	struct mv_invoice *in = find_locked(mc);
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!in)
		return;
	jsonw_array(&w);
	for (const struct mv_action *a = in->actions; a; a = a->next) {
		if (type && !is_in_list(a->type, type))
			continue;
		jsonw_object(&w);
		jsonw_kstr(&w, "type", a->type);
		jsonw_kstr(&w, "channel", a->channel);
		jsonw_kstr(&w, "key", a->key);
		jsonw_kstr(&w, "message", a->message);
		mv_time(&w, "happened_at", a->at_ms);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	reply_json(mc->c, 200, &sb);
}
