/* drive_maestro.c: the calls of the Maestro system (drive.h). options: those of its table. */
#include "base/base.h"
#include "drive.h"

static struct maestro *own(const struct drive *d)
{
	return d->system;
}

static bool do_ping(struct drive *d, struct err *err)
{
	return maestro_ping(own(d), err);
}

/* ---- registers ----------------------------------------------------------------------------- */

static bool do_product(struct drive *d, struct err *err)
{
	const char *code = drive_arg(d, "code");
	struct maestro_product p;
	bool is_found;
	if (!maestro_product_find(own(d), code ? code : own(d)->fallback_product, &p, &is_found,
				  err))
		return false;
	jsonw_kbool(d->w, "found", is_found);
	if (!is_found)
		return true;
	drive_put(d, "code", p.code);
	drive_put(d, "name", p.name);
	jsonw_kbool(d->w, "active", p.is_active);
	return true;
}

static bool do_products(struct drive *d, struct err *err)
{
	const struct maestro_product *list;
	size_t n;
	if (!maestro_products(own(d), &list, &n, err))
		return false;
	jsonw_key(d->w, "codes");
	jsonw_array(d->w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(d->w, list[i].code);
	jsonw_end_array(d->w);
	return true;
}

static bool card_of(struct drive *d, struct maestro_customer *ret, struct err *err)
{
	struct customer c;
	return drive_customer(d, &c, err) &&
	       maestro_map_customer(d->arena, &c, "EUR", 14, ret, err);
}

/* What stands there beside what should. */
static bool do_customer(struct drive *d, struct err *err)
{
	struct maestro_customer ours, theirs;
	bool is_found;
	if (!card_of(d, &ours, err) ||
	    !maestro_customer_find(own(d), ours.values[MAESTRO_EXTERNAL_ID], &theirs, &is_found,
				   err))
		return false;
	jsonw_kbool(d->w, "found", is_found);
	jsonw_kbool(d->w, "same", is_found && maestro_is_same_customer(&ours, &theirs));
	drive_put(d, "street", is_found ? theirs.values[MAESTRO_STREET] : NULL);
	return true;
}

static bool do_put_customer(struct drive *d, struct err *err)
{
	struct maestro_customer ours;
	bool is_new;
	if (!card_of(d, &ours, err) || !maestro_customer_put(own(d), &ours, &is_new, err))
		return false;
	jsonw_kbool(d->w, "new", is_new);
	return true;
}

static bool do_customers(struct drive *d, struct err *err)
{
	const struct maestro_customer *list;
	size_t n;
	if (!maestro_customers_by_business_id(own(d), drive_arg(d, "business_id"), &list, &n, err))
		return false;
	jsonw_key(d->w, "numbers");
	jsonw_array(d->w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(d->w, list[i].values[MAESTRO_NUMBER]);
	jsonw_end_array(d->w);
	return true;
}

/* ---- invoices ------------------------------------------------------------------------------ */

static bool do_send(struct drive *d, struct err *err)
{
	struct invoice inv;
	struct maestro_created made;
	struct span body;
	if (!drive_invoice(d, &inv, err) ||
	    !maestro_map_invoice(d->arena, &inv, false, &body, err) ||
	    !maestro_invoice_add(own(d), drive_arg(d, "key"), body, &made, err))
		return false;
	drive_put(d, "id", made.id);
	drive_put(d, "number", made.number);
	jsonw_key(d->w, "warnings");
	jsonw_array(d->w);
	for (size_t i = 0; i < made.n_warnings; i++) {
		jsonw_str(d->w, made.warnings[i].code);
		jsonw_str(d->w, made.warnings[i].requested_code);
		jsonw_int(d->w, made.warnings[i].position);
	}
	jsonw_end_array(d->w);
	return true;
}

static void put_listed(struct drive *d, const struct maestro_listed *l)
{
	drive_put(d, "id", l->id);
	drive_put(d, "number", l->number);
	drive_put(d, "date", l->date);
	drive_put(d, "currency", l->currency);
	drive_put(d, "customer", l->customer_number);
	drive_put(d, "reference", l->reference);
	drive_put(d, "key", l->key);
	drive_put_decimal(d, "sum", l->sum);
}

static bool do_look_up(struct drive *d, struct err *err)
{
	const struct maestro_listed *list;
	size_t n;
	if (!maestro_invoices_by_number(own(d), drive_arg(d, "number"), &list, &n, err))
		return false;
	jsonw_key(d->w, "found");
	jsonw_array(d->w);
	for (size_t i = 0; i < n; i++) {
		jsonw_object(d->w);
		put_listed(d, &list[i]);
		jsonw_end_object(d->w);
	}
	jsonw_end_array(d->w);
	return true;
}

static bool do_invoice(struct drive *d, struct err *err)
{
	struct maestro_listed l;
	if (!maestro_invoice(own(d), drive_arg(d, "id"), &l, err))
		return false;
	put_listed(d, &l);
	return true;
}

/* ---- opening ------------------------------------------------------------------------------- */

static const struct drive_call calls[] = {
	{ "ping", do_ping },	     { "product", do_product },	 { "products", do_products },
	{ "customer", do_customer }, { "put", do_put_customer }, { "customers", do_customers },
	{ "send", do_send },	     { "look_up", do_look_up },	 { "invoice", do_invoice },
};

static bool open_maestro(struct drive *d, struct err *err)
{
	struct maestro *mx = arena_alloc(d->arena, sizeof(*mx));
	assert(mx);
	d->system = mx;
	d->fake.maestro.url = drive_input(d, "url");
	return drive_options(d, &maestro_system, &d->fake.maestro, err) &&
	       maestro_open(&d->fake.at, json_get(d->input, "settings"),
			    json_get(d->input, "credentials"), mx, err);
}

const struct drive_system drive_maestro = { "maestro", open_maestro, calls, ARRAY_SIZE(calls) };
