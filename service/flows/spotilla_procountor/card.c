/*
 * card.c: a customer as both sides have it: the fields that are kept alike, under one name each,
 * and the business keys by which a card is known (facts/spotilla.md B6). Pure, and what the two
 * registers of customers share.
 */
#include "base/base.h"
#include "internal.h"

static bool is_set(const char *text)
{
	return text && text[0];
}

/* ---- fields -------------------------------------------------------------------------------- */

struct fields {
	struct link_value items[SP_CARD_FIELDS];
	size_t n;
};

/* NULL: empty. */
static void put(struct fields *f, const char *name, const char *value)
{
	assert(f->n < SP_CARD_FIELDS);
	f->items[f->n++] = (struct link_value) { name, is_set(value) ? value : NULL };
}

static void put_place(struct fields *f, const char *const names[4], const struct address *a)
{
	put(f, names[0], a->street);
	put(f, names[1], a->postcode);
	put(f, names[2], a->city);
	put(f, names[3], a->country_code);
}

static const char *const address_names[] = { "street", "postcode", "city", "country" };
static const char *const billing_names[] = { "billing_street", "billing_postcode", "billing_city",
					     "billing_country" };

static bool keep(struct arena *arena, const struct fields *f, struct link_value **ret,
		 size_t *ret_n)
{
	*ret = arena_alloc_array(arena, f->n + 1, sizeof(**ret));
	*ret_n = f->n;
	if (*ret)
		memcpy(*ret, f->items, f->n * sizeof(f->items[0]));
	return *ret != NULL;
}

/* Only whole days. */
static const char *whole_days(const char *text)
{
	size_t n = text ? strlen(text) : 0;
	return n && n <= 3 && strspn(text, "0123456789") == n ? text : NULL;
}

static bool is_channel(const char *text)
{
	static const char *const known[] = { "EMAIL", "MAIL", "ELECTRONIC_INVOICE", "NO_SENDING" };
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_eq(text, known[i]))
			return true;
	return false;
}

static bool is_place(const struct address *a)
{
	return is_set(a->street) || is_set(a->postcode) || is_set(a->city);
}

bool sp_values_of_partner(struct arena *arena, const struct sp_settings *set,
			  const struct procountor_partner *p, struct link_value **ret,
			  size_t *ret_n)
{
	static const struct address none = { .street = NULL };
	struct fields f = { .n = 0 };
	put(&f, "name", p->name);
	put(&f, "business_id", sp_is_business_id(set, p->business_id) ? p->business_id : NULL);
	if (is_set(p->customer_number) && strlen(p->customer_number) <= 20)
		put(&f, "number", p->customer_number);
	put(&f, "email", p->email);
	put(&f, "phone", p->phone);
	put(&f, "language", p->language);
	put_place(&f, address_names, is_place(&p->address.at) ? &p->address.at : &none);
	put_place(&f, billing_names, is_place(&p->billing.at) ? &p->billing.at : &none);
	put(&f, "payment_term_days", whole_days(p->payment_term_days));
	put(&f, "channel", is_channel(p->channel) ? p->channel : NULL);
	put(&f, "active", p->is_active ? "yes" : "no");
	return keep(arena, &f, ret, ret_n);
}

bool sp_values_of_customer(struct arena *arena, const struct spotilla_customer *c,
			   struct link_value **ret, size_t *ret_n)
{
	static const struct address none = { .street = NULL };
	const struct customer *k = &c->customer;
	struct fields f = { .n = 0 };
	put(&f, "name", k->name);
	put(&f, "business_id", k->business_id);
	put(&f, "number", k->code);
	put(&f, "email", k->email);
	put(&f, "phone", k->phone);
	put(&f, "language", k->language);
	put_place(&f, address_names, &k->delivery);
	put_place(&f, billing_names, c->has_billing_address ? &k->billing : &none);
	put(&f, "payment_term_days",
	    c->has_payment_term ? arena_printf(arena, "%" PRId64, c->payment_term_days) : NULL);
	put(&f, "channel", c->invoice_channel);
	put(&f, "active", k->is_active ? "yes" : "no");
	if (is_set(c->external_ref))
		put(&f, SP_FIELD_REF, c->external_ref);
	return keep(arena, &f, ret, ret_n);
}

bool sp_set_values(struct arena *arena, const struct link_value *values, size_t n,
		   struct register_record *r)
{
	r->values = arena_alloc_array(arena, n + 1 + SP_VALUES_SPARE, sizeof(*r->values));
	for (size_t i = 0; r->values && i < n; i++)
		r->values[r->n_values++] = (struct register_value) { .name = values[i].name,
								     .value = values[i].value };
	return r->values != NULL;
}

/* ---- keys ---------------------------------------------------------------------------------- */

bool sp_card_keys(struct arena *arena, const struct sp_card *card,
		  const char *keys[REGISTER_KEYS_MAX], size_t *ret_n)
{
	const struct {
		const char *name, *value;
	} all[] = { { "ref", card->ref },
		    { "business_id", card->business_id },
		    { "number", card->number } };
	*ret_n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (!is_set(all[i].value))
			continue;
		keys[*ret_n] = arena_printf(arena, "%s:%s", all[i].name, all[i].value);
		if (!keys[(*ret_n)++])
			return false;
	}
	return true;
}

const char *sp_card_label(struct arena *arena, const char *number, const char *name)
{
	return arena_printf(arena, "%s%s%s", is_set(number) ? number : "",
			    is_set(number) && is_set(name) ? " " : "", is_set(name) ? name : "");
}

/* "501234 2817345-6": what a match needs of the card beside its keys; "-" for what is not told. */
const char *sp_card_note(struct arena *arena, const struct sp_card *card)
{
	return arena_printf(arena, "%s %s", is_set(card->ref) ? card->ref : "-",
			    is_set(card->business_id) ? card->business_id : "-");
}

static bool differs(struct span noted, const char *own)
{
	return noted.n && !span_is(noted, "-") && is_set(own) && !span_is(noted, own);
}

bool sp_match_card(const struct register_record *r, const struct register_match *m,
		   const struct sp_card *own, struct err *err)
{
	const char *note = m->note ? m->note : "";
	const char *blank = strchr(note, ' ');
	struct span ref = { note, blank ? (size_t)(blank - note) : 0 };
	struct span business_id = span_of(blank ? blank + 1 : "");
	if (m->taken_by || differs(ref, own->ref))
		return err_reason(err, ERR_DATA, "customer_twice", r->label,
				  "%s is there already, as another customer", r->label);
	if (differs(business_id, own->business_id))
		return err_reason(err, ERR_DATA, "customer_number_taken", r->label,
				  "the customer number of %s belongs to %.*s", r->label,
				  (int)business_id.n, business_id.p);
	return true;
}
