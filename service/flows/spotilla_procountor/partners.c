/*
 * partners.c: business partners of type CUSTOMER come from Procountor to Spotilla, and their later
 * changes after them (PC-06). What we made at either side is known by the link and its stamps, so
 * that it never comes back as a change.
 */
#include "base/base.h"
#include "internal.h"

#include "codec/sign.h"

#define KEY_BYTES 24 /* of the write's idempotency key; 64 characters are allowed */

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- of Procountor ------------------------------------------------------------------------- */

static void name_record(struct arena *arena, const void *record, struct register_record *ret)
{
	const struct procountor_partner *p = record;
	*ret = (struct register_record) { .id = p->id,
					  .version = p->version,
					  .label = sp_card_label(arena, p->customer_number,
								 p->name),
					  .data = p };
}

static bool read_record(struct sp *sp, const char *id, void *ret, struct err *err)
{
	return procountor_partner(&sp->procountor, id, ret, err);
}

/* One that is switched off is news only for who has it. */
static bool list_records(struct sp *sp, const struct register_cursor *from, struct sp_listed *ret,
			 struct err *err)
{
	const struct procountor_list what = { .changed_since_ms = from->since_ms,
					      .with_inactive = true };
	struct procountor_partner_page page;
	if (!procountor_partner_page(&sp->procountor, &what, from->page, &page, err))
		return false;
	*ret = (struct sp_listed) { page.items, page.n, page.next };
	return true;
}

const struct sp_source sp_partner_source = { sizeof(struct procountor_partner), list_records,
					     read_record, name_record };

static bool set_values(struct sp *sp, const struct procountor_partner *p, struct register_record *r,
		       struct err *err)
{
	struct arena *arena = sp->at->arena;
	struct link_value *values;
	size_t n;
	if (!sp_values_of_partner(arena, &sp->set, p, &values, &n) ||
	    !sp_set_values(arena, values, n, r))
		return full(err);
	/* A card of Spotilla's that is this one is told so with the first write. */
	if (!r->link)
		r->values[r->n_values++] = (struct register_value) { .name = SP_FIELD_REF,
								     .value = sp_ref(sp, p->id) };
	return true;
}

static bool map(struct attempt *at, struct register_record *r, struct err *err)
{
	const struct procountor_partner *p = r->data;
	struct sp sp;
	if (!p)
		return sp_unreadable(r, err);
	if (!r->link && !p->is_active) {
		r->skip = "customer_passive";
		return true;
	}
	if (!sp_open(&sp, at, err) || !sp_find_company(&sp, err))
		return false;
	bool is_company = sp_is_business_id(&sp.set, p->business_id);
	const struct sp_card card = { .ref = p->id,
				      .business_id = is_company ? p->business_id : NULL,
				      .number = p->customer_number };
	r->lease = arena_printf(at->arena, "%s:customer:%s", sp.account,
				is_company ? p->business_id : p->id);
	return r->lease && sp_card_keys(at->arena, &card, r->keys, &r->n_keys)
		       ? set_values(&sp, p, r, err)
		       : full(err);
}

/* ---- at Spotilla --------------------------------------------------------------------------- */

static bool match_of(struct sp *sp, const struct spotilla_customer *c, struct register_match *ret)
{
	struct arena *arena = sp->at->arena;
	const struct sp_card card = { .ref = sp_id_of_ref(sp, c->external_ref),
				      .business_id = c->customer.business_id,
				      .number = c->customer.code };
	const char **keys = arena_alloc_array(arena, REGISTER_KEYS_MAX, sizeof(*keys));
	struct link_value *values;
	*ret = (struct register_match) { .id = c->customer.source_id,
					 .version = c->changed,
					 .note = sp_card_note(arena, &card),
					 .keys = keys };
	if (!keys || !ret->note || !sp_card_keys(arena, &card, keys, &ret->n_keys) ||
	    !sp_values_of_customer(arena, c, &values, &ret->n_values))
		return false;
	ret->values = values;
	return true;
}

static bool matches_of(struct sp *sp, const struct spotilla_customer *items, size_t n,
		       const struct register_match **ret, size_t *ret_n, struct err *err)
{
	struct register_match *list = arena_alloc_array(sp->at->arena, n + 1, sizeof(*list));
	size_t k = 0;
	if (!list)
		return full(err);
	for (size_t i = 0; i < n; i++)
		if (!items[i].is_unreadable && !match_of(sp, &items[i], &list[k++]))
			return full(err);
	*ret = list;
	*ret_n = k;
	return true;
}

static bool list_target(struct attempt *at, const struct register_cursor *from,
			struct register_matches *ret, struct err *err)
{
	const struct spotilla_customer *items;
	struct sp sp;
	size_t n;
	return sp_open(&sp, at, err) && sp_find_company(&sp, err) &&
	       spotilla_customers(&sp.spotilla, NULL, from->page, &items, &n, &ret->next, err) &&
	       matches_of(&sp, items, n, &ret->items, &ret->n, err);
}

/* By the strongest key that Spotilla knows. */
static bool find_customers(struct sp *sp, const struct procountor_partner *p,
			   const struct spotilla_customer **ret, size_t *ret_n, struct err *err)
{
	const struct {
		enum spotilla_key key;
		const char *value;
	} all[] = { { SPOTILLA_EXTERNAL_REF, sp_ref(sp, p->id) },
		    { SPOTILLA_BUSINESS_ID,
		      sp_is_business_id(&sp->set, p->business_id) ? p->business_id : NULL },
		    { SPOTILLA_NUMBER, p->customer_number } };
	*ret_n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(all) && !*ret_n; i++)
		if (all[i].value && all[i].value[0] &&
		    !spotilla_find_customers(&sp->spotilla, all[i].key, all[i].value, ret, ret_n,
					     err))
			return false;
	return true;
}

static bool find(struct attempt *at, struct register_record *const *records, size_t n,
		 struct err *err)
{
	struct sp sp;
	if (!sp_open(&sp, at, err) || !sp_find_company(&sp, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct spotilla_customer *list = NULL;
		size_t k = 0;
		if (!find_customers(&sp, records[i]->data, &list, &k, err) ||
		    !matches_of(&sp, list, k, &records[i]->found, &records[i]->n_found, err))
			return false;
	}
	return true;
}

static bool match(const struct register_record *r, const struct register_match *m, struct err *err)
{
	const struct procountor_partner *p = r->data;
	const struct sp_card own = { .ref = p->id, .business_id = p->business_id };
	return sp_match_card(r, m, &own, err);
}

/* ---- writing ------------------------------------------------------------------------------- */

/* What the form is filled with: all of it, or what has changed. */
struct filling {
	const struct register_record *r;
	const struct procountor_partner *p;
	bool is_new;
	struct spotilla_customer_form *form;
};

static bool takes(const struct filling *f, const char *name)
{
	for (size_t i = 0; i < f->r->n_values; i++)
		if (strcmp(f->r->values[i].name, name) == 0)
			return f->is_new ? f->r->values[i].value != NULL
					 : f->r->values[i].is_changed;
	return false;
}

static const char *text_of(const struct filling *f, const char *name)
{
	for (size_t i = 0; i < f->r->n_values; i++)
		if (strcmp(f->r->values[i].name, name) == 0)
			return f->r->values[i].value ? f->r->values[i].value : "";
	return "";
}

static void fill_texts(const struct filling *f)
{
	struct spotilla_customer_form *form = f->form;
	const struct {
		const char *name, **to;
	} texts[] = { { "name", &form->name },
		      { "business_id", &form->business_id },
		      { "number", &form->number },
		      { "email", &form->email },
		      { "phone", &form->phone },
		      { "language", &form->language },
		      { "channel", &form->invoice_channel },
		      { SP_FIELD_REF, &form->external_ref } };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (takes(f, texts[i].name))
			*texts[i].to = text_of(f, texts[i].name);
}

static bool takes_any(const struct filling *f, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (takes(f, names[i]))
			return true;
	return false;
}

/* An address goes as a whole. */
static void fill_rest(const struct filling *f)
{
	static const char *const address[] = { "street", "postcode", "city", "country" };
	static const char *const billing[] = { "billing_street", "billing_postcode", "billing_city",
					       "billing_country" };
	struct spotilla_customer_form *form = f->form;
	if (takes_any(f, address, ARRAY_SIZE(address)))
		form->address = &f->p->address.at;
	if (takes_any(f, billing, ARRAY_SIZE(billing)))
		form->billing_address = &f->p->billing.at;
	if (takes(f, "payment_term_days")) {
		const char *days = text_of(f, "payment_term_days");
		form->has_payment_term = true;
		form->payment_term_days = days[0] ? 0 : -1;
		for (; *days; days++)
			form->payment_term_days = 10 * form->payment_term_days + (*days - '0');
	}
	form->has_active = takes(f, "active");
	form->is_active = f->p->is_active;
}

static void fill(const struct register_record *r, bool is_new, struct spotilla_customer_form *form)
{
	const struct filling f = { .r = r, .p = r->data, .is_new = is_new, .form = form };
	*form = (struct spotilla_customer_form) { .name = NULL };
	fill_texts(&f);
	fill_rest(&f);
}

/* The same for the same card as it is: Spotilla then answers what it has made before. */
static const char *key_of(const struct sp *sp, const struct procountor_partner *p)
{
	unsigned char digest[SHA256_BYTES];
	char *hex = arena_alloc(sp->at->arena, 2 * SHA256_BYTES + 1);
	const char *text = arena_printf(sp->at->arena, "%s|%s|%s", sp->scope, p->id,
					p->version ? p->version : "");
	if (!hex || !text)
		return NULL;
	sign_sha256(span_of(text), digest);
	sign_hex(digest, KEY_BYTES, hex);
	return hex;
}

static bool create(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	struct spotilla_customer_form form;
	struct spotilla_customer made;
	struct sp sp;
	if (!sp_open(&sp, at, err) || !sp_find_company(&sp, err))
		return false;
	const char *key = key_of(&sp, r->data);
	if (!key)
		return full(err);
	fill(r, true, &form);
	if (!spotilla_create_customer(&sp.spotilla, &form, key, &made, err))
		return false;
	ret->id = made.customer.source_id;
	ret->version = made.changed;
	return true;
}

static bool update(struct attempt *at, const struct register_record *r, struct register_done *ret,
		   struct err *err)
{
	struct spotilla_customer_form form;
	struct spotilla_customer now;
	struct sp sp;
	if (!sp_open(&sp, at, err))
		return false;
	fill(r, false, &form);
	if (!spotilla_update_customer(&sp.spotilla, r->link->id[LINK_LEFT], &form, &now, err))
		return false;
	ret->version = now.changed;
	return true;
}

const struct register_sync sp_partners = {
	.name = SP_PARTNERS,
	.title = "Customers, Procountor to Spotilla",
	.kind = SP_CUSTOMER,
	.after = SP_CUSTOMERS,
	.direction = REGISTER_BACK,
	.scope = sp_link_scope,
	.list = sp_list,
	.read = sp_read_ids,
	.map = map,
	.list_target = list_target,
	.find = find,
	.match = match,
	.create = create,
	.update = update,
};
