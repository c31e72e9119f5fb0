/*
 * customer.c: the invoice's customer stands at Maestro as it stands at Severa (MA-02). A card is
 * written by the customer's id at Severa, under a record lease, and only when something has
 * changed.
 */
#include "base/base.h"
#include "internal.h"

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* The customer's card, and where things about it are kept. */
struct card {
	struct maestro_customer ours;
	const char *id, *name, *number;
	const char *record, *step, *told_key;
};

static bool open_card(struct smx *m, struct card *ret, struct err *err)
{
	struct arena *arena = m->road.at->arena;
	struct customer c = m->road.customer;
	if (severa_is_steering_word(c.einvoice_address) ||
	    severa_is_steering_word(c.einvoice_operator))
		c.einvoice_address = c.einvoice_operator = NULL;
	/* Currency and term are those of an invoice, not of the customer: two invoices in two
	 * currencies would change the card to and fro. */
	if (!maestro_map_customer(arena, &c, NULL, -1, &ret->ours, err))
		return false;
	ret->id = ret->ours.values[MAESTRO_EXTERNAL_ID];
	ret->name = ret->ours.values[MAESTRO_NAME];
	ret->number = ret->ours.values[MAESTRO_NUMBER];
	ret->record = arena_printf(arena, "%s:customer:%s", m->maestro.limit_key, ret->id);
	ret->step = arena_printf(arena, "maestro.customer.%s", ret->id);
	ret->told_key = arena_printf(arena, "customer:%s", ret->id);
	return (ret->record && ret->step && ret->told_key) || full(err);
}

/* One that a person made at Maestro before: it has our number, and is of the same business. */
static bool adopt(struct smx *m, const struct card *card, struct maestro_customer *ret,
		  bool *ret_found, struct err *err)
{
	const char *business_id = card->ours.values[MAESTRO_BUSINESS_ID];
	const struct maestro_customer *list;
	size_t n;
	*ret_found = false;
	if (!business_id)
		return true;
	if (!maestro_customers_by_business_id(&m->maestro, business_id, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(list[i].values[MAESTRO_NUMBER], card->number))
			continue;
		if (list[i].values[MAESTRO_EXTERNAL_ID])
			return err_reason(err, ERR_DATA, "customer_number_taken", card->number,
					  "customer number %s belongs to another customer of ours "
					  "at Maestro",
					  card->number);
		*ret = list[i];
		*ret_found = true;
	}
	return true;
}

/* Puts the card there. In doubt its intent stays: it is written by our id, so that the next try
 * reads and, where need be, writes the same once more. */
static bool put(struct smx *m, const struct card *card, const struct maestro_customer *whole,
		bool *ret_is_new, struct err *err)
{
	struct attempt *at = m->road.at;
	struct err inner = ERR_INIT;
	if (!at->ops->step_intent(at, card->step, card->number, err))
		return false;
	if (maestro_customer_put(&m->maestro, whole, ret_is_new, &inner))
		return at->ops->step_outcome(at, card->step, card->id, err);
	if (inner.code != ERR_DOUBT)
		return road_write_failed(&m->road, card->step, &inner, err);
	inner.code = ERR_OUTAGE;
	if (err)
		*err = inner;
	return false;
}

/* Found as it should be: a writing that nobody knew the end of has ended. */
static bool close_writing(struct smx *m, const struct card *card, struct err *err)
{
	struct attempt *at = m->road.at;
	struct step s;
	return at->ops->step_get(at, card->step, &s, err) &&
	       (s.state != STEP_INTENT || at->ops->step_outcome(at, card->step, card->id, err));
}

static bool write_changes(struct smx *m, const struct card *card,
			  const struct maestro_customer *theirs, const char *told, struct err *err)
{
	struct maestro_customer whole;
	bool is_there = theirs->values[MAESTRO_NUMBER] != NULL, is_new = !is_there;
	smx_merge_card(theirs, &card->ours, told, &whole);
	if (is_there && maestro_is_same_customer(theirs, &whole))
		return close_writing(m, card, err);
	if (!m->road.at->preview && !put(m, card, &whole, &is_new, err))
		return false;
	road_note_change(&m->road, is_new ? "customer_added" : "customer_updated",
			 is_new ? "added to" : "updated in", "customer", card->name);
	return true;
}

static bool synchronise(struct smx *m, const struct card *card, struct err *err)
{
	struct attempt *at = m->road.at;
	struct maestro_customer theirs = { { NULL } };
	const char *told, *now = smx_told(at->arena, &card->ours);
	bool is_found;
	if (!now)
		return full(err);
	if (!maestro_customer_find(&m->maestro, card->id, &theirs, &is_found, err) ||
	    (!is_found && !adopt(m, card, &theirs, &is_found, err)) ||
	    !at->ops->kv_get(at, m->maestro.limit_key, card->told_key, &told, err) ||
	    !write_changes(m, card, &theirs, told, err))
		return false;
	return at->preview || str_eq(told, now) ||
	       at->ops->kv_set(at, m->maestro.limit_key, card->told_key, now, 0, err);
}

bool smx_customer(struct smx *m, struct err *err)
{
	struct attempt *at = m->road.at;
	struct card card;
	if (!open_card(m, &card, err))
		return false;
	if (at->preview)
		return synchronise(m, &card, err);
	if (!at->ops->record_lease(at, card.record, err))
		return false;
	bool ok = synchronise(m, &card, err);
	at->ops->record_release(at, card.record);
	return ok;
}
