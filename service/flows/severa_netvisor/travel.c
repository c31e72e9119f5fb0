/*
 * travel.c: travel reimbursements of Severa as trip expenses in Netvisor, each once (NV-12). It
 * goes the way of the invoices, but for one thing: Netvisor has no call to read a trip expense, so
 * what is in doubt is never sent again by itself. It goes to a person (flows/delivery.h), who says
 * that it is there, or sends it again.
 *
 * What keeps that rare: with a sending status set, a document is moved there before it is sent, so
 * that one which stands in the transfer status was certainly not sent, also after the store was
 * lost. Without one, everything that waited then goes to a person.
 */
#include "base/base.h"
#include "travel.h"

#define STEP_DELIVERY "delivery"

static struct travel *travel_of(const struct delivery *d)
{
	return (struct travel *)d;
}

static bool leave(struct travel *t, enum attempt_outcome outcome, const char *code,
		  const char *text)
{
	t->sn->road.at->outcome = outcome;
	road_note(&t->sn->road, code, "%s", text);
	return true;
}

/* ---- one connection ------------------------------------------------------------------------ */

/* The same document through another connection of this Severa would be paid twice. */
static bool claim(struct travel *t, struct err *err)
{
	struct road *road = &t->sn->road;
	struct attempt *at = road->at;
	const char *key = arena_printf(at->arena, "travel:%s", t->doc.id), *owner;
	if (!key)
		return sn_full(err);
	if (at->generation > 1) /* a person's own order */
		return true;
	if (!at->ops->kv_get(at, road->severa.limit_key, key, &owner, err))
		return false;
	if (owner[0] && strcmp(owner, at->conn->id) != 0)
		return err_reason(err, ERR_DATA, "travel_taken", owner,
				  "connection %s has relayed it, or was about to", owner);
	return at->ops->kv_set(at, road->severa.limit_key, key, at->conn->id, 0, err);
}

/* ---- the delivery -------------------------------------------------------------------------- */

static void identify(const struct delivery *d, struct delivery_identity *ret)
{
	const struct travel *t = travel_of(d);
	*ret = (struct delivery_identity) { .account = d->account,
					    .number = t->inv.number,
					    .date = t->inv.issue_date,
					    .currency = t->inv.currency,
					    .hash = t->hash,
					    .sum = t->inv.total_gross,
					    .customer_code = t->employee,
					    .id = t->doc.id };
}

static bool add_dimensions(struct travel *t, struct err *err)
{
	struct sn *r = t->sn;
	if (!r->set.dimensions_on_travel_rows || !sn_has_dimensions(&r->set))
		return true;
	for (size_t i = 0; i < t->inv.n_rows; i++) {
		struct invoice_row *row = &t->inv.rows[i];
		if (row->project_id &&
		    !sn_row_dimensions(r, row->project_id, row->phase_id, &row->dimensions,
				       &row->n_dimensions, err))
			return false;
	}
	return true;
}

static bool build(struct delivery *d, struct err *err)
{
	struct travel *t = travel_of(d);
	return add_dimensions(t, err) && sn_travel_map(t, err) &&
	       (d->at->preview || (claim(t, err) && sn_travel_mark_sending(t, err)));
}

static bool send(struct delivery *d, const char **ret_key, struct err *err)
{
	struct travel *t = travel_of(d);
	if (!netvisor_trip_add(&t->sn->netvisor, t->document, ret_key, err))
		return false;
	bool has_key = (*ret_key)[0];
	road_note(&t->sn->road, "sent",
		  "Sent to Netvisor as a travel invoice of employee %s%s%.40s.", t->employee,
		  has_key ? "; Netvisor's key is " : "", *ret_key);
	if (!has_key)
		*ret_key = "accepted";
	return true;
}

static const struct delivery_ops delivery_ops = { .identify = identify,
						  .build = build,
						  .send = send };

/* ---- the run ------------------------------------------------------------------------------- */

bool sn_travel_statuses(struct sn *r, const struct severa_status **ret_transfer,
			const struct severa_status **ret_sending,
			const struct severa_status **ret_transferred, struct err *err)
{
	const struct sn_settings *set = &r->set;
	struct severa *s = &r->road.severa;
	*ret_sending = NULL;
	return severa_travel_status_find(s, set->travel_transfer, ret_transfer, err) &&
	       severa_travel_status_find(s, set->travel_transferred, ret_transferred, err) &&
	       (!set->travel_sending ||
		severa_travel_status_find(s, set->travel_sending, ret_sending, err));
}

static bool finish(struct travel *t, struct err *err)
{
	t->sn->road.at->outcome = OUTCOME_DONE;
	return sn_travel_set_transferred(t, err);
}

/* What was certainly not sent stands where people look for what waits. */
static bool deliver(struct travel *t, struct err *err)
{
	struct attempt *at = t->sn->road.at;
	struct err inner = ERR_INIT;
	struct step sent;
	if (delivery_make(&t->delivery, &inner))
		return true;
	if (inner.code == ERR_DATA && at->ops->step_get(at, STEP_DELIVERY, &sent, NULL) &&
	    sent.state == STEP_NONE && !str_eq(inner.reason, "sent_before_loss"))
		sn_travel_unmark(t);
	if (err)
		*err = inner;
	return false;
}

/* Nothing of it is at Netvisor, as far as we know. */
static bool relay(struct travel *t, struct err *err)
{
	struct attempt *at = t->sn->road.at;
	bool is_waiting = sn_travel_stands_in(&t->doc, t->transfer);
	if (!is_waiting && !sn_travel_stands_in(&t->doc, t->sending))
		return leave(t, OUTCOME_SKIPPED, "not_in_transfer_status",
			     "The travel invoice does not stand in the transfer status. Moved "
			     "there, it is relayed.");
	const char *lease = arena_printf(at->arena, "travel:%s", t->doc.id);
	if (!lease)
		return sn_full(err);
	t->delivery.is_unsent = is_waiting && t->sending;
	if (!sn_travel_prepare(t, err) || !at->ops->record_lease(at, lease, err))
		return false;
	at->content_hash = t->hash;
	if (!deliver(t, err))
		return false;
	at->ops->record_release(at, lease);
	return finish(t, err);
}

/*
 * An intent without an outcome: nobody but a person knows. It must not stand in the transfer status
 * meanwhile, where a lost store would take it for unsent: it may have been sent before there was a
 * sending status, or somebody moved it back.
 */
static bool settle(struct travel *t, struct step *sent, struct err *err)
{
	struct delivery_identity id;
	sn_travel_keep_apart(t);
	return delivery_identity_read(t->sn->road.at->arena, sent->about, &id, err) &&
	       delivery_settle_doubt(&t->delivery, &id, sent, err);
}

static bool deleted(struct travel *t, const struct step *sent)
{
	if (sent->state == STEP_DONE)
		return leave(t, OUTCOME_DONE, "deleted_after_delivery",
			     "Deleted in Severa after it was relayed.");
	return leave(t, OUTCOME_CANCELLED, "deleted", "Deleted in Severa.");
}

static bool preview(struct travel *t, struct err *err)
{
	struct attempt *at = t->sn->road.at;
	if (!sn_travel_stands_in(&t->doc, t->transfer))
		road_note(&t->sn->road, "not_in_transfer_status",
			  "The travel invoice does not stand in the transfer status; as it is, it "
			  "would not be relayed.");
	if (!sn_travel_prepare(t, err) || !build(&t->delivery, err))
		return false;
	const struct preview p = { .media_type = "text/xml",
				   .document = t->document,
				   .invoice = &t->inv,
				   .customer_code = t->employee,
				   .notes = at->notes,
				   .n_notes = at->n_notes };
	return preview_write(at->arena, &p, &at->result, err);
}

static bool run_document(struct travel *t, const struct step *sent, struct err *err)
{
	struct attempt *at = t->sn->road.at;
	if (t->doc.number && !at->ops->set_number(at, t->doc.number, err))
		return false;
	if (at->preview)
		return preview(t, err);
	return sent->state == STEP_DONE ? finish(t, err) : relay(t, err);
}

static bool read_and_run(struct travel *t, const struct step *sent, struct err *err)
{
	struct attempt *at = t->sn->road.at;
	struct err inner = ERR_INIT;
	if (!sn_travel_statuses(t->sn, &t->transfer, &t->sending, &t->transferred, err))
		return false;
	if (severa_travel(&t->sn->road.severa, at->source_id, &t->doc, &inner)) {
		t->delivery.created_ms = t->doc.created_ms;
		return run_document(t, sent, err);
	}
	if (inner.code == ERR_NOT_FOUND && !at->preview)
		return deleted(t, sent);
	if (err)
		*err = inner;
	return false;
}

/* What is in doubt comes first, whatever the settings say by now: a person must be able to answer.
 */
bool sn_travel_run(struct sn *r, struct err *err)
{
	struct attempt *at = r->road.at;
	struct travel *t = arena_alloc(at->arena, sizeof(*t));
	struct step sent = { .state = STEP_NONE };
	if (!t)
		return sn_full(err);
	t->sn = r;
	t->delivery = (struct delivery) { .ops = &delivery_ops,
					  .at = at,
					  .step = STEP_DELIVERY,
					  .target = "Netvisor",
					  .account = r->netvisor.organisation };
	if (!at->preview && !at->ops->step_get(at, STEP_DELIVERY, &sent, err))
		return false;
	if (sent.state == STEP_INTENT)
		return settle(t, &sent, err);
	if (r->set.travel_transfer)
		return read_and_run(t, &sent, err);
	if (sent.state == STEP_DONE)
		return leave(t, OUTCOME_DONE, "status_left_alone",
			     "Travel invoices are not relayed any more; the status in Severa was "
			     "left alone.");
	return err_set(err, ERR_WAITING, "travel.statuses.transfer is not set any more");
}

/* ---- the poll ------------------------------------------------------------------------------ */

struct travel_poll {
	struct sn *r;
	struct report *report;
};

/* First handed in, then looked for: what was handed in and is not there is missing. */
static bool page(void *ctx, const struct severa_travel *items, size_t n, struct err *err)
{
	struct travel_poll *p = ctx;
	struct attempt *at = p->r->road.at;
	struct poll_item *found = arena_alloc_array(at->arena, n + 1, sizeof(*found));
	if (!found)
		return sn_full(err);
	for (size_t i = 0; i < n; i++)
		found[i] = (struct poll_item) { .kind = SN_TRAVEL,
						.source_id = items[i].id,
						.number = items[i].number,
						.changed = items[i].changed };
	if (n && !at->ops->found(at, found, n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct known_transfer known = { .exists = false };
		if (!at->ops->known(at, SN_TRAVEL, items[i].id, &known, err))
			return false;
		p->report->at_source++;
		if (known.exists)
			p->report->accounted++;
		else
			report_add(&p->report->missing, at->arena,
				   items[i].number ? items[i].number : items[i].id);
	}
	return true;
}

bool sn_travel_poll(struct sn *r, struct report *report, struct err *err)
{
	struct travel_poll p = { .r = r, .report = report };
	const struct severa_status *transfer, *sending, *transferred;
	struct severa *s = &r->road.severa;
	if (!r->set.travel_transfer)
		return true;
	return sn_travel_statuses(r, &transfer, &sending, &transferred, err) &&
	       severa_travels(s, transfer->id, page, &p, err) &&
	       (!sending || severa_travels(s, sending->id, page, &p, err));
}
