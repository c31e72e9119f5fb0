/* drive_spotilla.c: the calls of the Spotilla system (drive.h). options: those of its table. */
#include "base/base.h"
#include "drive.h"

static struct spotilla *own(const struct drive *d)
{
	return d->system;
}

static bool do_check(struct drive *d, struct err *err)
{
	return spotilla_check(own(d), err);
}

/* ---- registers ----------------------------------------------------------------------------- */

static void put_address(struct drive *d, const char *key, const struct address *a)
{
	jsonw_key(d->w, key);
	jsonw_object(d->w);
	drive_put(d, "street", a->street);
	drive_put(d, "postcode", a->postcode);
	drive_put(d, "city", a->city);
	drive_put(d, "country", a->country_code);
	jsonw_end_object(d->w);
}

static void put_customer(struct drive *d, const struct spotilla_customer *c)
{
	drive_put(d, "id", c->customer.source_id);
	drive_put(d, "number", c->customer.code);
	drive_put(d, "name", c->customer.name);
	drive_put(d, "business_id", c->customer.business_id);
	drive_put(d, "email", c->customer.email);
	drive_put(d, "phone", c->customer.phone);
	drive_put(d, "language", c->customer.language);
	jsonw_kbool(d->w, "active", c->customer.is_active);
	put_address(d, "address", &c->customer.delivery);
	put_address(d, "billing", &c->customer.billing);
	jsonw_kbool(d->w, "has_billing", c->has_billing_address);
	if (c->has_payment_term)
		jsonw_kint(d->w, "term", c->payment_term_days);
	drive_put(d, "channel", c->invoice_channel);
	drive_put(d, "ref", c->external_ref);
	drive_put(d, "contact", c->n_contacts ? c->contacts[0].name : NULL);
}

static void put_product(struct drive *d, const struct spotilla_product *p)
{
	drive_put(d, "id", p->product.source_id);
	drive_put(d, "code", p->product.code);
	drive_put(d, "name", p->product.name);
	drive_put(d, "unit", p->product.unit);
	jsonw_kbool(d->w, "active", p->product.is_active);
	if (p->has_price)
		drive_put_decimal(d, "price", p->product.unit_price);
	if (p->has_vat_rate)
		drive_put_decimal(d, "vat", p->product.vat_rate);
	drive_put(d, "kind", p->kind);
	drive_put(d, "currency", p->currency);
	drive_put(d, "ref", p->external_ref);
}

static bool do_customer(struct drive *d, struct err *err)
{
	struct spotilla_customer c;
	if (!spotilla_customer(own(d), drive_arg(d, "id"), &c, err))
		return false;
	put_customer(d, &c);
	return true;
}

static bool do_product(struct drive *d, struct err *err)
{
	struct spotilla_product p;
	if (!spotilla_product(own(d), drive_arg(d, "id"), &p, err))
		return false;
	put_product(d, &p);
	return true;
}

/* Every page in an arena of its own, as register syncs read them; ids, and how many pages. */
static bool list_register(struct drive *d, bool of_products, struct err *err)
{
	char place[SPOTILLA_PLACE_MAX + 1] = "";
	const char *next = NULL, *since = drive_arg(d, "since");
	int64_t n_pages = 0;
	bool ok;
	size_t n;
	jsonw_key(d->w, "ids");
	jsonw_array(d->w);
	do {
		CLEANUP(arena_free) struct arena *arena = arena_new(16 << 20);
		struct attempt at = *own(d)->at;
		struct spotilla sp = *own(d);
		const struct spotilla_customer *people;
		const struct spotilla_product *things;
		const char *from = place[0] ? place : NULL;
		at.arena = arena;
		sp.at = &at;
		ok = of_products ? spotilla_products(&sp, since, from, &things, &n, &next, err)
				 : spotilla_customers(&sp, since, from, &people, &n, &next, err);
		for (size_t i = 0; ok && i < n; i++)
			jsonw_str(d->w, of_products ? things[i].product.source_id
						    : people[i].customer.source_id);
		n_pages++;
		snprintf(place, sizeof(place), "%s", ok && next ? next : "");
	} while (place[0]);
	jsonw_end_array(d->w);
	jsonw_kint(d->w, "pages", n_pages);
	return ok;
}

static bool do_customers(struct drive *d, struct err *err)
{
	return list_register(d, false, err);
}

static bool do_products(struct drive *d, struct err *err)
{
	return list_register(d, true, err);
}

static bool do_find(struct drive *d, struct err *err)
{
	static const char *const keys[] = { "business_id", "number", "external_ref" };
	const struct spotilla_customer *found;
	size_t n, key = 0;
	while (key + 1 < ARRAY_SIZE(keys) && !drive_arg(d, keys[key]))
		key++;
	if (!spotilla_find_customers(own(d), (enum spotilla_key)key, drive_arg(d, keys[key]),
				     &found, &n, err))
		return false;
	jsonw_key(d->w, "ids");
	jsonw_array(d->w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(d->w, found[i].customer.source_id);
	jsonw_end_array(d->w);
	return true;
}

static struct address address_of(const struct drive *d, const char *key)
{
	const struct json *j = json_get(d->args, key);
	return (struct address) { .street = json_str(json_get(j, "street")),
				  .postcode = json_str(json_get(j, "postcode")),
				  .city = json_str(json_get(j, "city")),
				  .country_code = json_str(json_get(j, "country")) };
}

/* With an id a change, without one a new customer. */
static bool do_put(struct drive *d, struct err *err)
{
	struct address address = address_of(d, "address"), billing = address_of(d, "billing");
	struct spotilla_customer_form form = {
		.name = drive_arg(d, "name"),
		.business_id = drive_arg(d, "business_id"),
		.number = drive_arg(d, "number"),
		.email = drive_arg(d, "email"),
		.language = drive_arg(d, "language"),
		.address = json_get(d->args, "address") ? &address : NULL,
		.billing_address = json_get(d->args, "billing") ? &billing : NULL,
		.invoice_channel = drive_arg(d, "channel"),
		.external_ref = drive_arg(d, "ref"),
	};
	struct spotilla_customer c;
	form.has_payment_term = json_int64(json_get(d->args, "term"), &form.payment_term_days);
	form.has_active = json_bool(json_get(d->args, "active"), &form.is_active);
	const char *id = drive_arg(d, "id");
	if (id ? !spotilla_update_customer(own(d), id, &form, &c, err)
	       : !spotilla_create_customer(own(d), &form, drive_arg(d, "key"), &c, err))
		return false;
	put_customer(d, &c);
	return true;
}

static bool do_mark_product(struct drive *d, struct err *err)
{
	return spotilla_mark_product(own(d), drive_arg(d, "id"), drive_arg(d, "ref"), err);
}

/* ---- tasks --------------------------------------------------------------------------------- */

static const char *const billing_words[] = { "none", "waiting", "exported", "failed", "unknown" };

static void put_rows(struct drive *d, const struct spotilla_task *t)
{
	jsonw_key(d->w, "rows");
	jsonw_array(d->w);
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct spotilla_task_row *r = &t->rows[i];
		jsonw_object(d->w);
		drive_put(d, "product", r->product_id);
		drive_put(d, "name", r->name);
		drive_put(d, "unit", r->unit);
		if (r->has_quantity)
			drive_put_decimal(d, "quantity", r->quantity);
		if (r->has_price)
			drive_put_decimal(d, "price", r->unit_price);
		if (r->has_vat_rate)
			drive_put_decimal(d, "vat", r->vat_rate);
		jsonw_kbool(d->w, "billable", r->is_billable);
		jsonw_end_object(d->w);
	}
	jsonw_end_array(d->w);
}

static bool do_task(struct drive *d, struct err *err)
{
	struct spotilla_task t;
	if (!spotilla_task(own(d), drive_arg(d, "id"), &t, err))
		return false;
	drive_put(d, "id", t.id);
	drive_put(d, "number", t.number);
	drive_put(d, "state", t.state);
	jsonw_kbool(d->w, "done", spotilla_is_done(own(d), t.state));
	jsonw_kbool(d->w, "completed", t.completed_ms > 0);
	drive_put(d, "customer", t.customer_id);
	drive_put(d, "order_number", t.order_number);
	drive_put(d, "work_order", t.work_order);
	drive_put(d, "site", t.site);
	drive_put(d, "billing", billing_words[t.billing.state]);
	drive_put(d, "ref", t.billing.external_ref);
	drive_put(d, "text", t.billing.message);
	put_rows(d, &t);
	return true;
}

static bool put_tasks(void *ctx, const struct spotilla_task *items, size_t n, struct err *err)
{
	struct drive *d = ctx;
	(void)err;
	for (size_t i = 0; i < n; i++) {
		jsonw_array(d->w);
		jsonw_str(d->w, items[i].number);
		jsonw_str(d->w, items[i].changed);
		jsonw_bool(d->w, items[i].is_unreadable);
		jsonw_end_array(d->w);
	}
	return true;
}

/* Of each finished state. */
static bool do_tasks(struct drive *d, struct err *err)
{
	bool ok = true;
	jsonw_key(d->w, "tasks");
	jsonw_array(d->w);
	for (size_t i = 0; ok && own(d)->done_states[i]; i++)
		ok = spotilla_tasks(own(d), own(d)->done_states[i], drive_arg(d, "since"),
				    put_tasks, d, err);
	jsonw_end_array(d->w);
	return ok;
}

static bool do_mark(struct drive *d, struct err *err)
{
	struct spotilla_billing b = { .external_ref = drive_arg(d, "ref"),
				      .message = drive_arg(d, "text") };
	int state = 0;
	while (state < SPOTILLA_BILLING_FAILED &&
	       !str_eq(billing_words[state], drive_arg(d, "billing")))
		state++;
	b.state = (enum spotilla_billing_state)state;
	return spotilla_mark_task(own(d), drive_arg(d, "id"), &b, err);
}

/* ---- webhooks ------------------------------------------------------------------------------ */

/* What came in, as it came. */
static bool do_event(struct drive *d, struct err *err)
{
	static const char *const words[] = { "signed", "unsigned", "late", "forged" };
	const char *header = drive_arg(d, "header"), *body = drive_arg(d, "body");
	const struct span secret = span_of(drive_arg(d, "secret"));
	int64_t now_s = 0;
	struct spotilla_event e;
	if (!json_int64(json_get(d->args, "now"), &now_s))
		return err_set(err, ERR_INPUT, "now");
	drive_put(
		d, "signature",
		words[spotilla_check_signature(span_of(header), span_of(body), &secret, 1, now_s)]);
	if (!spotilla_read_event(d->arena, span_of(body), &e, err))
		return false;
	drive_put(d, "id", e.id);
	drive_put(d, "subdomain", e.subdomain);
	drive_put(d, "task", e.task_id);
	return true;
}

/* ---- opening ------------------------------------------------------------------------------- */

static const struct drive_call calls[] = {
	{ "check", do_check },
	{ "customer", do_customer },
	{ "customers", do_customers },
	{ "find", do_find },
	{ "put", do_put },
	{ "product", do_product },
	{ "products", do_products },
	{ "mark_product", do_mark_product },
	{ "task", do_task },
	{ "tasks", do_tasks },
	{ "mark", do_mark },
	{ "event", do_event },
};

static bool open_spotilla(struct drive *d, struct err *err)
{
	struct spotilla *sp = arena_alloc(d->arena, sizeof(*sp));
	assert(sp);
	d->system = sp;
	d->fake.spotilla.url = drive_input(d, "url");
	return drive_options(d, &spotilla_system, &d->fake.spotilla, err) &&
	       spotilla_open(&d->fake.at, json_get(d->input, "settings"),
			     json_get(d->input, "credentials"), sp, err);
}

const struct drive_system drive_spotilla = { "spotilla", open_spotilla, calls, ARRAY_SIZE(calls) };
