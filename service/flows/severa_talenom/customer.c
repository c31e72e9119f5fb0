/*
 * customer.c: the invoice's customer stands at Talenom as it stands at Severa (TA-04). A contact is
 * known by the customer's id at Severa, is written under a record lease, and only when something
 * differs: no earlier invoice is touched by it.
 */
#include "base/base.h"
#include "internal.h"

/* The customer's contact, and where things about it are kept. */
struct card {
	struct talenom_contact ours;
	const char *id, *name, *record, *step;
};

static struct customer customer_of(const struct stn *m)
{
	struct customer c = m->road.customer;
	c.is_private = (!c.vat_number || !c.vat_number[0]) && (!c.business_id || !c.business_id[0]);
	return c;
}

static bool open_card(struct stn *m, struct card *ret, struct err *err)
{
	struct arena *arena = m->road.at->arena;
	const struct customer c = customer_of(m);
	/* The currency is the invoice's: two invoices in two would change the contact to and fro.
	 */
	if (!talenom_map_contact(&m->talenom, &c, NULL, m->einvoice, &ret->ours, err))
		return false;
	ret->id = c.source_id;
	ret->name = c.name;
	ret->record = arena_printf(arena, "%s:contact:%s", m->talenom.limit_key, ret->id);
	ret->step = arena_printf(arena, "talenom.contact.%s", ret->id);
	return (ret->record && ret->step) || stn_full(err);
}

/* Found as it should be: a writing that nobody knew the end of has ended. */
static bool close_writing(struct stn *m, const struct card *card, const char *id, struct err *err)
{
	struct attempt *at = m->road.at;
	struct step s;
	return at->ops->step_get(at, card->step, &s, err) &&
	       (s.state != STEP_INTENT || at->ops->step_outcome(at, card->step, id, err));
}

/* A change may be repeated with a new reading: a doubt, and a version that is old, are no more than
 * a failed try. */
static bool change(struct stn *m, const struct card *card, const char *id, struct err *err)
{
	struct attempt *at = m->road.at;
	struct err inner = ERR_INIT;
	if (!at->ops->step_intent(at, card->step, NULL, err))
		return false;
	if (talenom_contact_change(&m->talenom, &card->ours, &inner))
		return at->ops->step_outcome(at, card->step, id, err);
	if (inner.code != ERR_DOUBT && inner.code != ERR_CONFLICT)
		return road_write_failed(&m->road, card->step, &inner, err);
	inner.code = ERR_OUTAGE;
	if (err)
		*err = inner;
	return false;
}

/* Not while an earlier addition may still have been carried out. */
static bool add(struct stn *m, struct card *card, const char **ret_id, struct err *err)
{
	struct attempt *at = m->road.at;
	struct err inner = ERR_INIT;
	struct step s;
	card->ours.values[TALENOM_CURRENCY] = m->road.inv.currency;
	if (!at->ops->step_get(at, card->step, &s, err) ||
	    !road_absence_counts(&m->road, card->step, &s, err) ||
	    !at->ops->step_intent(at, card->step, NULL, err))
		return false;
	if (talenom_contact_add(&m->talenom, &card->ours, ret_id, &inner))
		return at->ops->step_outcome(at, card->step, *ret_id, err);
	if (inner.code == ERR_DUPLICATE) /* just made by somebody: the next try finds it */
		inner.code = ERR_OUTAGE;
	return road_write_failed(&m->road, card->step, &inner, err);
}

static void note_removal(struct stn *m)
{
	if (m->einvoice == TALENOM_EINVOICE_REMOVE)
		road_note(&m->road, "einvoice_removed",
			  "The customer has no e-invoice address in Severa any more: it is removed "
			  "in Talenom, and automatic e-invoicing is off for the customer.");
}

/* What a person may want to mend there, and nobody else sees: an address that no earlier reading
 * had is left, and one that is back switches nothing on. */
static void note_odd_address(struct stn *m, const struct talenom_contact *theirs)
{
	const char *address = theirs->values[TALENOM_EINVOICE_ADDRESS];
	bool has = address && address[0];
	bool is_off = str_eq(theirs->values[TALENOM_AUTOMATIC_EINVOICING], "false");
	if (m->einvoice == TALENOM_EINVOICE_AS_IT_IS && has)
		road_note(&m->road, "einvoice_left",
			  "Severa shows no e-invoice address of the customer; the one in Talenom "
			  "was left there.");
	if (m->einvoice == TALENOM_EINVOICE_SET && !has && is_off)
		road_note(&m->road, "einvoice_off",
			  "The customer's e-invoice address is now in Talenom; automatic "
			  "e-invoicing is off for the customer there, and was left so.");
}

static bool synchronise(struct stn *m, struct card *card, struct err *err)
{
	struct road *r = &m->road;
	struct talenom_contact theirs;
	bool is_there;
	if (!talenom_contact_find(&m->talenom, card->id, &theirs, &is_there, err))
		return false;
	m->contact_id = is_there ? theirs.id : "";
	if (is_there)
		note_odd_address(m, &theirs);
	if (is_there && talenom_is_same_contact(&theirs, &card->ours))
		return close_writing(m, card, theirs.id, err);
	card->ours.id = is_there ? theirs.id : NULL;
	card->ours.row_version = is_there ? theirs.row_version : NULL;
	if (!r->at->preview &&
	    !(is_there ? change(m, card, theirs.id, err) : add(m, card, &m->contact_id, err)))
		return false;
	road_note_change(r, is_there ? "customer_updated" : "customer_added",
			 is_there ? "updated in" : "added to", "customer", card->name);
	note_removal(m);
	return true;
}

bool stn_customer(struct stn *m, struct err *err)
{
	struct attempt *at = m->road.at;
	struct card card = { .id = NULL };
	struct err inner = ERR_INIT;
	if (!open_card(m, &card, err))
		return false;
	if (at->preview)
		return synchronise(m, &card, err);
	if (!at->ops->record_lease(at, card.record, err))
		return false;
	bool ok = synchronise(m, &card, &inner) && stn_remember_address(m, &inner);
	/* In doubt it is kept: nobody else may add the contact meanwhile. */
	if (ok || inner.code != ERR_DOUBT)
		at->ops->record_release(at, card.record);
	if (!ok && err)
		*err = inner;
	return ok;
}
