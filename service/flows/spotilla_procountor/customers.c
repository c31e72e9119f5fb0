/*
 * customers.c: new customers of Spotilla become business partners of type CUSTOMER in Procountor,
 * once (PC-05). From then on Procountor owns the card: partners.c.
 */
#include "base/base.h"
#include "internal.h"

#define READ_MAX 20 /* one call each */

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- of Spotilla --------------------------------------------------------------------------- */

static void name_record(struct arena *arena, const void *record, struct register_record *ret)
{
	const struct spotilla_customer *c = record;
	*ret = (struct register_record) {
		.id = c->customer.source_id,
		.version = c->changed,
		.label = c->is_unreadable
				 ? c->customer.source_id
				 : sp_card_label(arena, c->customer.code, c->customer.name),
		.data = c,
	};
}

static bool read_record(struct sp *sp, const char *id, void *ret, struct err *err)
{
	return spotilla_customer(&sp->spotilla, id, ret, err);
}

static bool list_records(struct sp *sp, const struct register_cursor *from, struct sp_listed *ret,
			 struct err *err)
{
	const struct spotilla_customer *items;
	char since[CLOCK_RFC3339_MAX];
	if (!spotilla_customers(&sp->spotilla, sp_since(from, since), from->page, &items, &ret->n,
				&ret->next, err))
		return false;
	ret->items = items;
	return true;
}

const struct sp_source sp_customer_source = { sizeof(struct spotilla_customer), list_records,
					      read_record, name_record };

/* What is made of it in Procountor. */
static bool make_card(const struct sp *sp, const struct spotilla_customer *c,
		      struct procountor_partner *ret, struct err *err)
{
	const struct customer *k = &c->customer;
	*ret = (struct procountor_partner) {
		.name = k->name,
		.customer_number = k->code,
		.business_id = k->business_id && k->business_id[0] ? k->business_id : NULL,
		.is_active = true,
		.address.at = k->delivery,
		.email = k->email,
		.phone = k->phone,
		.language = k->language,
		.channel = c->invoice_channel ? c->invoice_channel : sp->set.partner_channel,
		.payment_method = "BANK_TRANSFER",
		.currency = sp->set.currency,
	};
	if (c->has_billing_address)
		ret->billing.at = k->billing;
	if (!ret->address.at.country_code && !ret->address.at.country_name)
		ret->address.at.country_code = "FI";
	if (c->has_billing_address && !ret->billing.at.country_code &&
	    !ret->billing.at.country_name)
		ret->billing.at.country_code = ret->address.at.country_code;
	if (c->n_contacts) {
		ret->contact_name = c->contacts[0].name;
		ret->contact_email = c->contacts[0].email;
		ret->contact_phone = c->contacts[0].phone;
	}
	if (!c->has_payment_term)
		return true;
	ret->payment_term_days = arena_printf(sp->at->arena, "%" PRId64, c->payment_term_days);
	return ret->payment_term_days || full(err);
}

/* Its fields as they are to stand there, defaults and all: what differs later is an edit. */
static bool set_values(struct sp *sp, const struct spotilla_customer *c, struct register_record *r,
		       struct err *err)
{
	struct procountor_partner card;
	struct link_value *values;
	size_t n;
	if (!make_card(sp, c, &card, err))
		return false;
	return sp_values_of_partner(sp->at->arena, &sp->set, &card, &values, &n) &&
			       sp_set_values(sp->at->arena, values, n, r)
		       ? true
		       : full(err);
}

/* A business id that is there must be one: Procountor's register is no place to mend it. */
static bool map(struct attempt *at, struct register_record *r, struct err *err)
{
	const struct spotilla_customer *c = r->data;
	struct sp_card card;
	struct sp sp;
	if (!c || c->is_unreadable)
		return sp_unreadable(r, err);
	if (!sp_open(&sp, at, err) || !sp_find_company(&sp, err))
		return false;
	const struct customer *k = &c->customer;
	if (!k->name || !k->name[0])
		return err_reason(err, ERR_DATA, "customer_name_missing", r->label,
				  "customer %s has no name", r->id);
	if (k->business_id && k->business_id[0] && !sp_is_business_id(&sp.set, k->business_id))
		return err_reason(err, ERR_DATA, "business_id_form", r->label,
				  "customer %s: %s is no business id", r->id, k->business_id);
	/* Nothing to know it by at Procountor: what is made there could not be found again. */
	if (!(k->business_id && k->business_id[0]) && !(k->code && k->code[0]))
		return err_reason(err, ERR_WAITING, "business_id_missing", r->label,
				  "customer %s has no business id and no number", r->id);
	card = (struct sp_card) { .ref = sp_id_of_ref(&sp, c->external_ref),
				  .business_id = k->business_id,
				  .number = k->code };
	r->lease = arena_printf(at->arena, "%s:customer:%s", sp.account,
				k->business_id && k->business_id[0] ? k->business_id : k->code);
	return r->lease && sp_card_keys(at->arena, &card, r->keys, &r->n_keys)
		       ? set_values(&sp, c, r, err)
		       : full(err);
}

/* ---- at Procountor ------------------------------------------------------------------------- */

static bool match_of(struct sp *sp, const struct procountor_partner *p, struct register_match *ret)
{
	struct arena *arena = sp->at->arena;
	const struct sp_card card = { .ref = p->id,
				      .business_id = p->business_id,
				      .number = p->customer_number };
	const char **keys = arena_alloc_array(arena, REGISTER_KEYS_MAX, sizeof(*keys));
	struct link_value *values;
	*ret = (struct register_match) {
		.id = p->id, .version = p->version, .note = sp_card_note(arena, &card), .keys = keys
	};
	if (!keys || !ret->note || !sp_card_keys(arena, &card, keys, &ret->n_keys) ||
	    !sp_values_of_partner(arena, &sp->set, p, &values, &ret->n_values))
		return false;
	ret->values = values;
	return true;
}

static bool matches_of(struct sp *sp, const struct procountor_partner *items, size_t n,
		       const struct register_match **ret, struct err *err)
{
	struct register_match *list = arena_alloc_array(sp->at->arena, n + 1, sizeof(*list));
	if (!list)
		return full(err);
	for (size_t i = 0; i < n; i++)
		if (!match_of(sp, &items[i], &list[i]))
			return full(err);
	*ret = list;
	return true;
}

static bool list_target(struct attempt *at, const struct register_cursor *from,
			struct register_matches *ret, struct err *err)
{
	const struct procountor_list all = { .with_inactive = true };
	struct procountor_partner_page page;
	struct sp sp;
	if (!sp_open(&sp, at, err) ||
	    !procountor_partner_page(&sp.procountor, &all, from->page, &page, err) ||
	    !matches_of(&sp, page.items, page.n, &ret->items, err))
		return false;
	ret->n = page.n;
	ret->next = page.next;
	return true;
}

/* The card that Spotilla names, when it still is there. */
static bool find_named(struct sp *sp, const char *id, const struct procountor_partner **ret,
		       size_t *ret_n, struct err *err)
{
	struct procountor_partner *p = arena_alloc(sp->at->arena, sizeof(*p));
	struct err inner = ERR_INIT;
	*ret_n = 0;
	if (!p)
		return full(err);
	if (procountor_partner(&sp->procountor, id, p, &inner)) {
		*ret = p;
		*ret_n = 1;
	} else if (inner.code != ERR_NOT_FOUND) {
		if (err)
			*err = inner;
		return false;
	}
	return true;
}

/* By the strongest key that Procountor knows. */
static bool find_partners(struct sp *sp, const struct spotilla_customer *c,
			  const struct procountor_partner **ret, size_t *ret_n, struct err *err)
{
	const struct customer *k = &c->customer;
	const char *id = sp_id_of_ref(sp, c->external_ref);
	struct procountor_partner_query by_id = { .business_id = k->business_id };
	struct procountor_partner_query by_number = { .customer_number = k->code };
	*ret_n = 0;
	if (id && !find_named(sp, id, ret, ret_n, err))
		return false;
	if (!*ret_n && k->business_id && k->business_id[0] &&
	    !procountor_partner_find(&sp->procountor, &by_id, ret, ret_n, err))
		return false;
	return *ret_n || !k->code || !k->code[0] ||
	       procountor_partner_find(&sp->procountor, &by_number, ret, ret_n, err);
}

static bool find(struct attempt *at, struct register_record *const *records, size_t n,
		 struct err *err)
{
	struct sp sp;
	if (!sp_open(&sp, at, err) || !sp_find_company(&sp, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct procountor_partner *list = NULL;
		size_t k = 0;
		if (!find_partners(&sp, records[i]->data, &list, &k, err) ||
		    !matches_of(&sp, list, k, &records[i]->found, err))
			return false;
		records[i]->n_found = k;
	}
	return true;
}

static bool match(const struct register_record *r, const struct register_match *m, struct err *err)
{
	const struct spotilla_customer *c = r->data;
	const struct sp_card own = { .business_id = c->customer.business_id };
	return sp_match_card(r, m, &own, err); /* which partner it names was asked for before */
}

static bool create(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	const struct spotilla_customer *c = r->data;
	struct procountor_partner card, made;
	struct sp sp;
	if (!sp_open(&sp, at, err) || !make_card(&sp, c, &card, err) ||
	    !procountor_partner_add(&sp.procountor, &card, &made, err))
		return false;
	ret->id = made.id;
	ret->version = made.version;
	return true;
}

static bool tell(struct attempt *at, const struct register_record *r, const char *target_id,
		 struct register_done *ret, struct err *err)
{
	const struct spotilla_customer *c = r->data;
	struct spotilla_customer now;
	struct sp sp;
	if (!sp_open(&sp, at, err) || !sp_find_company(&sp, err))
		return false;
	const struct spotilla_customer_form form = { .external_ref = sp_ref(&sp, target_id) };
	if (!form.external_ref)
		return full(err);
	if (str_eq(form.external_ref, c->external_ref))
		return true;
	if (!spotilla_update_customer(&sp.spotilla, r->id, &form, &now, err))
		return false;
	ret->source_version = now.changed;
	return true;
}

const struct register_sync sp_customers = {
	.name = SP_CUSTOMERS,
	.title = "Customers, Spotilla to Procountor",
	.kind = SP_CUSTOMER,
	.direction = REGISTER_FORWARD,
	.create_only = true,
	.scope = sp_link_scope,
	.list = sp_list,
	.read = sp_read_ids,
	.read_max = READ_MAX,
	.map = map,
	.list_target = list_target,
	.find = find,
	.match = match,
	.create = create,
	.tell = tell,
};
