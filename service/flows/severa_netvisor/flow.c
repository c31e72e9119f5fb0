/*
 * flow.c: one Severa sales invoice on its way to Netvisor (NV-01, SV-01, SV-02): read, prepare,
 * deliver once, set the status. Each step begins where the last run stopped; nothing that happens
 * after a delivery can cause a second one. What a document must look like stands in rules.c, how a
 * doubt is settled in doubt.c, what must stand in Netvisor first in registers.c.
 */
#include "base/base.h"
#include "flows/severa_netvisor.h"
#include "internal.h"

#include <ctype.h>

#include "base/clock.h"
#include "model/media.h"

#define EPOCH_MARGIN_MS ((int64_t)5 * 60 * 1000)

/* An invoice with all that its delivery needs. */
struct document {
	struct invoice inv;
	struct customer customer;
	const char *customer_code; /* at Netvisor */
	bool is_waiting; /* stands in the transfer status */
	const char *hash; /* of its content, once prepared */
};

static bool pass_on(const struct err *why, struct err *err)
{
	if (err)
		*err = *why;
	return false;
}

static bool leave(struct sn *r, enum attempt_outcome outcome, const char *code, const char *text)
{
	r->at->outcome = outcome;
	r->at->ops->note(r->at, code, text);
	return true;
}

/* ---- prepare ------------------------------------------------------------------------------- */

static bool add_countries(struct sn *r, struct document *d, struct err *err)
{
	struct address *a = &d->inv.buyer.address;
	if (!severa_country(&r->severa, a->country_name, &a->country_code, err))
		return false;
	if (!a->country_code)
		a->country_code = d->customer.billing.country_code;
	if (!a->country_code && a->country_name && a->country_name[0])
		return err_reason(err, ERR_DATA, "country_unknown", d->inv.buyer.name,
				  "country %s is not known", a->country_name);
	return true;
}

static void choose_vat_codes(struct sn *r, struct document *d)
{
	const char *country = d->inv.buyer.address.country_code;
	for (size_t i = 0; i < d->inv.n_rows; i++)
		d->inv.rows[i].vat_code = sn_vat_code(&r->set, country, d->inv.rows[i].vat_rate);
}

/* Reads only. After it the invoice can be recognised at Netvisor. */
static bool prepare(struct sn *r, struct document *d, struct err *err)
{
	struct attempt *at = r->at;
	struct invoice *inv = &d->inv;
	const char *customer = inv->billing_customer_id ? inv->billing_customer_id
							: inv->customer_id;
	struct err inner = ERR_INIT;
	if (!severa_invoice_rows(&r->severa, inv, &inner)) {
		if (inner.code == ERR_NOT_FOUND) /* deleted just now: the next try sees it */
			inner.code = ERR_OUTAGE;
		return pass_on(&inner, err);
	}
	at->content_hash = NULL;
	const char *hash = invoice_content_hash(inv, at->arena);
	if (!hash)
		return err_set(err, ERR_LIMIT, "arena full");
	if (sn_turn_signs(inv))
		at->ops->note(at, "signs_turned",
			      "Quantities were made negative instead of prices.");
	if (!invoice_validate(inv, err) || !invoice_sum_up(inv, at->arena, err))
		return false;
	if (decimal_sign(inv->rounding) != 0)
		at->ops->note(at, "rounding",
			      "The rows make a few cents more or less than the "
			      "invoice's total; the total was kept.");
	if (!customer)
		return err_reason(err, ERR_DATA, "customer_missing", inv->number,
				  "invoice %s has no customer", inv->number);
	if (!severa_customer(&r->severa, customer, &d->customer, &inner)) {
		if (inner.code == ERR_NOT_FOUND)
			return err_reason(err, ERR_DATA, "customer_missing", inv->number,
					  "the customer of invoice %s does not exist", inv->number);
		return pass_on(&inner, err);
	}
	d->customer_code = r->set.customers_to_netvisor ? d->customer.code : r->set.temp_customer;
	if (!d->customer_code || !d->customer_code[0])
		return err_reason(err, ERR_DATA, "customer_number_missing", d->customer.name,
				  "customer %s has no number", d->customer.name);
	if (!add_countries(r, d, err))
		return false;
	choose_vat_codes(r, d);
	at->content_hash = d->hash = hash;
	return true;
}

/* ---- deliver ------------------------------------------------------------------------------- */

static bool registers(struct sn *r, struct document *d, struct err *err)
{
	/* Before anything is written: a row that has no product stops the whole. */
	for (size_t i = 0; i < d->inv.n_rows; i++)
		if (!sn_choose_product(&r->set, &d->inv.rows[i], err))
			return false;
	return (r->set.customers_to_netvisor ? sn_customer(r, &d->customer, err)
					     : sn_temp_customer(r, err)) &&
	       sn_products(r, &d->inv, err) && sn_dimensions(r, &d->inv, err);
}

static bool delivered(struct sn *r, const char *key, struct err *err)
{
	if (!r->at->ops->step_outcome(r->at, STEP_INVOICE, key, err))
		return false;
	r->at->delivered = true;
	return true;
}

static void identify(struct sn *r, const struct document *d, struct sn_identity *ret)
{
	sn_identity_of(r, &d->inv, d->customer_code, d->hash, ret);
}

/* Netvisor says that it has it: believed only after the same comparison. */
static bool settle_duplicate(struct sn *r, const struct document *d, const struct err *why,
			     struct err *err)
{
	struct err inner = ERR_INIT;
	struct sn_identity id;
	const char *key;
	identify(r, d, &id);
	if (!sn_look_up(r, &id, &key, &inner))
		return sn_write_failed(r, STEP_INVOICE, &inner, err);
	if (key) {
		sn_note(r, "found_at_target",
			"Netvisor refused a second invoice %s: it has it already (key %s).",
			d->inv.number, key);
		return delivered(r, key, err);
	}
	inner = *why;
	inner.code = ERR_SYSTEM; /* a duplicate of something that no look-up finds */
	return sn_write_failed(r, STEP_INVOICE, &inner, err);
}

/* What is no PDF stays behind, and is named. */
static bool attach(struct sn *r, struct invoice *inv, struct err *err)
{
	size_t n = 0;
	if (!r->set.send_pdf)
		return true;
	if (!severa_invoice_files(&r->severa, inv, ATTACHMENT_MAX, sn_may_be_pdf, err))
		return false;
	struct attachment *kept = arena_alloc_array(r->at->arena, inv->n_attachments + 1,
						    sizeof(*kept));
	if (!kept)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < inv->n_attachments; i++) {
		kept[n] = inv->attachments[i];
		if (media_is_pdf(kept[n].data))
			n++;
		else
			sn_note(r, "attachment_left_out",
				"The attachment %.200s was left out: Netvisor takes PDF files "
				"only.",
				kept[n].name ? kept[n].name : "without a name");
	}
	inv->attachments = kept;
	inv->n_attachments = n;
	return true;
}

static bool map_body(struct sn *r, struct document *d, struct span *ret, struct err *err)
{
	struct netvisor_invoice_options opt = { .status = r->set.invoice_state,
						.customer_code = d->customer_code,
						.buyer_on_invoice = !r->set.customers_to_netvisor };
	if (!r->at->preview) /* people read UTF-8 */
		opt.encoding = r->netvisor.encoding;
	return netvisor_map_invoice(r->at->arena, &d->inv, &opt, ret, err);
}

static bool send(struct sn *r, struct document *d, struct err *err)
{
	struct attempt *at = r->at;
	struct err inner = ERR_INIT;
	struct sn_identity id;
	struct span body;
	const char *key, *about;
	identify(r, d, &id);
	if (!attach(r, &d->inv, err) || !registers(r, d, err) || !map_body(r, d, &body, err) ||
	    !sn_identity_write(at->arena, &id, &about, err))
		return false;
	if (!at->ops->step_intent(at, STEP_INVOICE, about, err))
		return false;
	if (netvisor_invoice_add(&r->netvisor, body, &key, &inner)) {
		sn_note(r, "sent",
			"Sent to Netvisor as invoice %s, to customer %s; Netvisor's key is %s.",
			d->inv.number, d->customer_code, key);
		return delivered(r, key, err);
	}
	if (inner.code == ERR_DUPLICATE)
		return settle_duplicate(r, d, &inner, err);
	if (inner.code == ERR_DATA) /* perhaps of a record deleted a moment ago */
		sn_forget(r, &d->inv, d->customer_code);
	return sn_write_failed(r, STEP_INVOICE, &inner, err);
}

/*
 * No record is no proof (DESIGN §4.7): the store, or the connection, is younger than the document.
 * By its creation, not its last change as the design has it: what was relayed before a loss and is
 * put back into the transfer status after it has a young change. And another connection of the same
 * two companies may have relayed it before this one was there.
 */
static bool must_ask_first(const struct sn *r, const struct document *d)
{
	int64_t since = r->at->epoch_ms;
	if (since < r->at->conn->activated_ms)
		since = r->at->conn->activated_ms;
	return d->inv.created_ms < since + EPOCH_MARGIN_MS;
}

static bool wait_for_absence(struct sn *r, struct err *err)
{
	int64_t now = clock_wall_ms();
	if (now >= r->at->absent_counts_ms)
		return true;
	err_set(err, ERR_WAITING, "the store is new: absence at Netvisor does not count yet");
	if (err)
		err->retry_after_ms = r->at->absent_counts_ms - now;
	return false;
}

static bool found(struct sn *r, const char *number, const char *key, struct err *err)
{
	sn_note(r, "found_at_target",
		"Netvisor has invoice %s (key %s): it arrived before, and is not sent again.",
		number, key);
	return delivered(r, key, err);
}

static bool deliver(struct sn *r, struct document *d, struct err *err)
{
	struct attempt *at = r->at;
	struct sn_identity id;
	const char *key, *about;
	if (!must_ask_first(r, d))
		return send(r, d, err);
	identify(r, d, &id);
	if (!sn_look_up(r, &id, &key, err))
		return false;
	if (!key)
		return wait_for_absence(r, err) && send(r, d, err);
	/* The intent only says what it is about, for later look-ups. */
	return sn_identity_write(at->arena, &id, &about, err) &&
	       at->ops->step_intent(at, STEP_INVOICE, about, err) && found(r, id.number, key, err);
}

/*
 * What was sent, or may have been: as its intent says. Where that says nothing, as the document is
 * now; d NULL: it was deleted.
 */
static bool identity_of_sent(struct sn *r, struct document *d, const struct step *sent,
			     struct sn_identity *ret, struct err *err)
{
	if (sent->about && sent->about[0])
		return sn_identity_read(r->at->arena, sent->about, ret, err);
	if (!d)
		return err_reason(err, ERR_DATA, "deleted_in_doubt", r->at->source_id,
				  "deleted in Severa while its sending was unclear");
	if (!prepare(r, d, err))
		return false;
	identify(r, d, ret);
	return true;
}

/*
 * An intent without an outcome (DESIGN §4.6). Before anything else is asked of the document: what
 * it lacks today says nothing of what was sent. True: *sent is done, or none.
 */
static bool settle_doubt(struct sn *r, struct document *d, struct step *sent, struct err *err)
{
	struct sn_identity id;
	const char *key;
	if (!identity_of_sent(r, d, sent, &id, err) || !sn_look_up(r, &id, &key, err))
		return false;
	if (!key) {
		bool counts = sn_absence_counts(r, STEP_INVOICE, sent, err);
		sent->state = STEP_NONE;
		return counts;
	}
	sent->state = STEP_DONE;
	r->at->content_hash = id.hash;
	return found(r, id.number, key, err);
}

/* Gone at the source: what was sent stays, all else is called off. */
static bool deleted(struct sn *r, struct err *err)
{
	struct step sent;
	if (!r->at->ops->step_get(r->at, STEP_INVOICE, &sent, err))
		return false;
	if (sent.state == STEP_INTENT && !settle_doubt(r, NULL, &sent, err))
		return false;
	if (sent.state == STEP_DONE)
		return leave(r, OUTCOME_DONE, "deleted_after_delivery",
			     "Deleted in Severa after it was relayed.");
	return leave(r, OUTCOME_CANCELLED, "deleted", "Deleted in Severa.");
}

/* ---- status -------------------------------------------------------------------------------- */

static bool record_status(struct sn *r, const struct step *s, const char *note, struct err *err)
{
	return s->state == STEP_DONE || r->at->ops->step_outcome(r->at, STEP_STATUS, note, err);
}

/* The status is read right before: a status that a person chose is left alone (SV-02). */
static bool set_status(struct sn *r, const struct invoice *inv, struct err *err)
{
	struct attempt *at = r->at;
	struct err inner = ERR_INIT;
	struct step s;
	if (!at->ops->step_get(at, STEP_STATUS, &s, err))
		return false;
	if (strcasecmp(inv->status_id, r->transferred->id) == 0)
		return record_status(r, &s, "already", err);
	if (strcasecmp(inv->status_id, r->transfer->id) != 0) {
		at->ops->note(at, "status_left_alone",
			      "Somebody has changed the status in Severa; it was left alone.");
		return record_status(r, &s, "left alone", err);
	}
	if (s.state == STEP_NONE && !at->ops->step_intent(at, STEP_STATUS, NULL, err))
		return false;
	if (severa_set_status(&r->severa, inv->source_id, r->transferred->id, &inner)) {
		sn_note(r, "status_set", "The invoice's status in Severa is now %s.",
			r->transferred->name);
		return record_status(r, &s, r->transferred->id, err);
	}
	/* May be repeated, since each try reads first: a doubt is no more than a failed try. */
	if (inner.code == ERR_DOUBT)
		inner.code = ERR_OUTAGE;
	if (inner.code == ERR_DATA) {
		inner.reason = "status_refused";
		snprintf(inner.subject, sizeof(inner.subject), "%.150s", r->transferred->name);
	}
	return pass_on(&inner, err);
}

/* Sent in this run, or before: reads again when the reading is old. */
static bool finish(struct sn *r, const struct invoice *seen, bool is_fresh, struct err *err)
{
	struct invoice now;
	struct err inner = ERR_INIT;
	r->at->outcome = OUTCOME_DONE;
	if (is_fresh)
		return set_status(r, seen, err);
	if (severa_invoice(&r->severa, seen->source_id, &now, &inner))
		return set_status(r, &now, err);
	if (inner.code == ERR_NOT_FOUND)
		return leave(r, OUTCOME_DONE, "deleted_after_delivery",
			     "Deleted in Severa after it was relayed.");
	return pass_on(&inner, err);
}

/* Everything was done once, and the invoice stands in the transfer status again (DESIGN §4.8). */
static bool seen_again(struct sn *r, struct document *d, const struct step *sent, struct err *err)
{
	struct sn_identity id;
	const char *key;
	if (!identity_of_sent(r, d, sent, &id, err))
		return false;
	r->at->content_hash = NULL; /* what was sent is what was sent then */
	if (!sn_look_up(r, &id, &key, err))
		return false;
	if (!key)
		return err_reason(err, ERR_DATA, "gone_at_target", id.number,
				  "invoice %s was sent before and is not in Netvisor any more",
				  id.number);
	r->at->ops->note(r->at, "already_relayed",
			 "Already relayed; the status is set to transferred again.");
	return finish(r, &d->inv, false, err); /* the look-up took a while */
}

static bool already_sent(struct sn *r, struct document *d, const struct step *sent, struct err *err)
{
	struct step status;
	if (!r->at->ops->step_get(r->at, STEP_STATUS, &status, err))
		return false;
	if (status.state == STEP_DONE && d->is_waiting)
		return seen_again(r, d, sent, err);
	return finish(r, &d->inv, true, err);
}

/* ---- dry run ------------------------------------------------------------------------------- */

/* The whole way with reads alone, whatever the status: what would be sent, and what stands in the
 * way of it. */
static bool preview(struct sn *r, struct document *d, struct err *err)
{
	struct attempt *at = r->at;
	struct preview p = { .media_type = "text/xml", .invoice = &d->inv };
	struct sn_identity id;
	const char *key;
	if (!d->is_waiting)
		sn_note(r, "not_in_transfer_status",
			"The invoice does not stand in the transfer status; as it is, it would not "
			"be relayed.");
	if (!sn_is_own(&r->set, &d->inv))
		sn_note(r, "other_company",
			"The invoice belongs to another company; this connection would not relay "
			"it.");
	if (!prepare(r, d, err))
		return false;
	identify(r, d, &id);
	if (!sn_look_up(r, &id, &key, err))
		return false;
	if (key)
		sn_note(r, "found_at_target", "Netvisor has the invoice already.");
	if (!attach(r, &d->inv, err) || !registers(r, d, err))
		return false;
	size_t n_attachments = d->inv.n_attachments;
	d->inv.n_attachments = 0; /* their bytes would be the most of the document */
	if (!map_body(r, d, &p.document, err))
		return false;
	d->inv.n_attachments = n_attachments;
	p.customer_code = d->customer_code;
	p.notes = at->notes;
	p.n_notes = at->n_notes;
	return preview_write(at->arena, &p, &at->result, err);
}

/* ---- run ----------------------------------------------------------------------------------- */

/*
 * Where it went after we put it into the failed status (SV-03): back to the transfer status, and it
 * is relayed again (DESIGN §4.8); to the transferred status by a person's hand, which is theirs to
 * say; anywhere else, the person is still at it and the error stands.
 */
static bool look_back(struct sn *r, const struct document *d, struct err *err)
{
	struct attempt *at = r->at;
	struct step failed;
	bool is_back;
	if (d->is_waiting)
		return at->ops->came_back(at, &is_back, err);
	if (!r->set.failed || strcasecmp(d->inv.status_id, r->transferred->id) == 0)
		return true;
	if (!at->ops->step_get(at, STEP_FAILED, &failed, err))
		return false;
	if (failed.state == STEP_NONE)
		return true; /* an intent alone: set, with the answer lost, or soon */
	at->keep_error = true;
	return err_reason(err, ERR_DATA, "in_failed_status", d->inv.number,
			  "invoice %s waits in Severa to be mended and moved to the transfer "
			  "status",
			  d->inv.number ? d->inv.number : d->inv.source_id);
}

static bool run_document(struct sn *r, struct document *d, struct err *err)
{
	struct attempt *at = r->at;
	struct step sent;
	if (d->inv.number && !at->ops->set_number(at, d->inv.number, err))
		return false;
	if (!sn_find_statuses(r, err))
		return false;
	d->is_waiting = strcasecmp(d->inv.status_id, r->transfer->id) == 0;
	if (at->preview)
		return preview(r, d, err);
	/* First, since it may open a generation whose steps are others. */
	if (!look_back(r, d, err) || !at->ops->step_get(at, STEP_INVOICE, &sent, err))
		return false;
	if (sent.state == STEP_DONE)
		return already_sent(r, d, &sent, err);
	at->outcome = OUTCOME_DONE;
	if (sent.state == STEP_INTENT && !settle_doubt(r, d, &sent, err))
		return false;
	if (sent.state == STEP_DONE)
		return finish(r, &d->inv, false, err);
	if (!d->is_waiting)
		return leave(r, OUTCOME_SKIPPED, "not_in_transfer_status",
			     "The invoice does not stand in the transfer status. Moved there, it "
			     "is relayed.");
	if (!sn_is_own(&r->set, &d->inv))
		return leave(r, OUTCOME_SKIPPED, "other_company",
			     "The invoice belongs to another company.");
	return sn_may_relay(r, err) && prepare(r, d, err) && deliver(r, d, err) &&
	       finish(r, &d->inv, false, err);
}

static bool run(struct attempt *at, struct err *err)
{
	struct sn r;
	struct document d = { 0 };
	struct err inner = ERR_INIT;
	if (!sn_open(&r, at, err))
		return false;
	if (severa_invoice(&r.severa, at->source_id, &d.inv, &inner))
		return run_document(&r, &d, err);
	return inner.code == ERR_NOT_FOUND && !at->preview ? deleted(&r, err)
							   : pass_on(&inner, err);
}

/* ---- the failed status (SV-03) ------------------------------------------------------------- */

static bool move_to_failed(struct sn *r, const struct severa_status *failed, struct err *err)
{
	struct attempt *at = r->at;
	struct err inner = ERR_INIT;
	if (!at->ops->step_intent(at, STEP_FAILED, NULL, err))
		return false;
	if (!severa_set_status(&r->severa, at->source_id, failed->id, &inner))
		return sn_write_failed(r, STEP_FAILED, &inner, err);
	sn_note(r, "failed_status_set",
		"The invoice's status in Severa is now %s. Once what is wrong is mended, move it "
		"back "
		"to %s.",
		failed->name, r->transfer->name);
	return at->ops->step_outcome(at, STEP_FAILED, failed->id, err);
}

/* Only where the connection has a failed status and nothing stands in Netvisor. The status is read
 * right before: over one that a person chose nothing is set. */
static bool on_failed(struct attempt *at, const struct err *why, struct err *err)
{
	struct sn r;
	struct invoice inv;
	const struct severa_status *failed;
	if (!sn_open(&r, at, err))
		return false;
	if (!r.set.failed || at->delivered || why->code != ERR_DATA)
		return true;
	if (!sn_find_statuses(&r, err) ||
	    !severa_status_find(&r.severa, r.set.failed, &failed, err) ||
	    !severa_invoice(&r.severa, at->source_id, &inv, err))
		return false;
	return strcasecmp(inv.status_id, r.transfer->id) != 0 || move_to_failed(&r, failed, err);
}

/* {"type": "invoice.changed", "data": {"id": ...}} */
static bool accept_hint(struct arena *arena, struct span body, const char **ret_kind,
			const char **ret_source_id, struct err *err)
{
	const struct json *j;
	if (!json_parse(arena, body, JSON_LIMITS_API, &j, err))
		return false;
	const char *type = json_str(json_get(j, "type"));
	const char *id = json_str(json_at(j, "data.id"));
	if (!type) {
		err_set(err, ERR_INPUT, "type is missing");
		err_pointer(err, "/type");
		return false;
	}
	*ret_kind = NULL;
	*ret_source_id = NULL;
	if (strcmp(type, "invoice.changed") != 0)
		return true;
	if (!id || strlen(id) != 36 || strspn(id, "0123456789abcdefABCDEF-") != 36) {
		err_set(err, ERR_INPUT, "data.id must be the invoice's guid");
		err_pointer(err, "/data/id");
		return false;
	}
	char *guid = arena_strdup(arena, id);
	if (!guid)
		return err_set(err, ERR_LIMIT, "arena full");
	for (char *c = guid; *c; c++)
		*c = (char)tolower(
			(unsigned char)*c); /* one invoice is one transfer, however written */
	*ret_kind = "invoice";
	*ret_source_id = guid;
	return true;
}

const struct flow severa_netvisor = {
	.name = "severa-netvisor",
	.delivery_step = STEP_INVOICE,
	.title = "Severa to Netvisor: sales invoices",
	.settings = sn_setting_table,
	.n_settings = SN_N_SETTINGS,
	.credentials = sn_credential_table,
	.n_credentials = SN_N_CREDENTIALS,
	.settle = sn_settle,
	.accept = accept_hint,
	.poll = sn_poll,
	.run = run,
	.check = sn_check,
	.on_failed = on_failed,
};
