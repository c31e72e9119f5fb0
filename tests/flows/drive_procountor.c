/* drive_procountor.c: the calls of the Procountor system (drive.h). options: those of its table. */
#include "base/base.h"
#include "drive.h"

static struct procountor *own(const struct drive *d)
{
	return d->system;
}

/* ---- the company --------------------------------------------------------------------------- */

static bool do_current(struct drive *d, struct err *err)
{
	struct procountor_current c;
	if (!procountor_current(own(d), &c, err))
		return false;
	drive_put(d, "company_id", c.company_id);
	drive_put(d, "business_id", c.business_id);
	drive_put(d, "currency", c.currency);
	drive_put(d, "country", c.country);
	drive_put(d, "operation", c.operation);
	drive_put(d, "missing", c.missing_rights);
	jsonw_kbool(d->w, "own_only", c.sees_own_only);
	return true;
}

static bool do_accounts(struct drive *d, struct err *err)
{
	const struct procountor_account *list;
	struct procountor_vat_rules rules;
	size_t n;
	if (!procountor_accounts(own(d), &list, &n, err) ||
	    !procountor_vat_rules(own(d), &rules, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (list[i].is_active && list[i].is_default)
			drive_put(d, "iban", list[i].iban);
	jsonw_kint(d->w, "accounts", (int64_t)n);
	jsonw_kint(d->w, "percents", (int64_t)rules.n_percents);
	jsonw_kint(d->w, "statuses", (int64_t)rules.n_statuses);
	return true;
}

/* ---- registers ----------------------------------------------------------------------------- */

static struct procountor_list list_of(const struct drive *d)
{
	struct procountor_list list = { .with_inactive = drive_flag(d, "with_inactive") };
	if (!json_int64(json_get(d->args, "since_ms"), &list.changed_since_ms))
		list.changed_since_ms = 0;
	return list;
}

/* A walk through a register as a sync makes it: each page in an arena that is emptied. */
struct walk {
	struct arena *arena;
	struct attempt at;
	struct procountor paged;
	struct procountor_list list;
	size_t n, pages, max_used;
	char from[32];
};

static void begin_walk(struct drive *d, struct arena *arena, struct walk *w)
{
	*w = (struct walk) {
		.arena = arena, .at = *own(d)->at, .paged = *own(d), .list = list_of(d)
	};
	w->at.arena = arena;
	w->paged.at = &w->at;
}

static bool go_on(struct walk *w, size_t n, const char *next)
{
	w->n += n;
	w->pages++;
	if (arena_used(w->arena) > w->max_used)
		w->max_used = arena_used(w->arena);
	snprintf(w->from, sizeof(w->from), "%s", next ? next : "");
	arena_clear(w->arena);
	return next != NULL;
}

static void put_walk(struct drive *d, const struct walk *w)
{
	jsonw_kint(d->w, "n", (int64_t)w->n);
	jsonw_kint(d->w, "pages", (int64_t)w->pages);
	jsonw_kint(d->w, "page_bytes", (int64_t)w->max_used);
}

static bool do_partners(struct drive *d, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
	struct procountor_partner_page page;
	struct walk w;
	char last[200] = "";
	begin_walk(d, arena, &w);
	do {
		if (!procountor_partner_page(&w.paged, &w.list, w.pages ? w.from : NULL, &page,
					     err))
			return false;
		if (page.n)
			snprintf(last, sizeof(last), "%s", page.items[page.n - 1].name);
	} while (go_on(&w, page.n, page.next));
	put_walk(d, &w);
	drive_put(d, "last", last);
	return true;
}

static bool do_products(struct drive *d, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(64 << 20);
	struct procountor_product_page page;
	struct walk w;
	begin_walk(d, arena, &w);
	do {
		if (!procountor_product_page(&w.paged, &w.list, w.pages ? w.from : NULL, &page,
					     err))
			return false;
	} while (go_on(&w, page.n, page.next));
	put_walk(d, &w);
	return true;
}

static void put_partner(struct drive *d, const struct procountor_partner *c)
{
	drive_put(d, "id", c->id);
	drive_put(d, "version", c->version);
	drive_put(d, "name", c->name);
	drive_put(d, "number", c->customer_number);
	drive_put(d, "business_id", c->business_id);
	drive_put(d, "email", c->email);
	drive_put(d, "city", c->address.at.city);
	jsonw_kbool(d->w, "active", c->is_active);
}

static bool do_partner(struct drive *d, struct err *err)
{
	struct procountor_partner c;
	if (!procountor_partner(own(d), drive_arg(d, "id"), &c, err))
		return false;
	put_partner(d, &c);
	return true;
}

static bool do_find_partner(struct drive *d, struct err *err)
{
	const struct procountor_partner_query q = { .business_id = drive_arg(d, "business_id"),
						    .customer_number = drive_arg(d, "number"),
						    .name = drive_arg(d, "name") };
	const struct procountor_partner *list;
	size_t n;
	if (!procountor_partner_find(own(d), &q, &list, &n, err))
		return false;
	jsonw_key(d->w, "found");
	jsonw_array(d->w);
	for (size_t i = 0; i < n; i++) {
		jsonw_object(d->w);
		put_partner(d, &list[i]);
		jsonw_end_object(d->w);
	}
	jsonw_end_array(d->w);
	return true;
}

static bool card_of(struct drive *d, struct procountor_partner *ret, struct err *err)
{
	struct customer c;
	if (!drive_customer(d, &c, err))
		return false;
	*ret = (struct procountor_partner) { .id = drive_arg(d, "id"),
					     .version = drive_arg(d, "version"),
					     .name = c.name,
					     .customer_number = c.code,
					     .business_id = c.business_id,
					     .email = c.email,
					     .language = c.language,
					     .address = { .at = c.billing },
					     .payment_method = "BANK_TRANSFER",
					     .currency = "EUR",
					     .payment_term_days = "14" };
	return true;
}

static bool do_add_partner(struct drive *d, struct err *err)
{
	struct procountor_partner card, made;
	if (!card_of(d, &card, err) || !procountor_partner_add(own(d), &card, &made, err))
		return false;
	drive_put(d, "id", made.id);
	return true;
}

static bool do_change_partner(struct drive *d, struct err *err)
{
	struct procountor_partner card;
	return card_of(d, &card, err) && procountor_partner_change(own(d), &card, err);
}

static bool do_find_product(struct drive *d, struct err *err)
{
	const struct procountor_product *list;
	size_t n;
	if (!procountor_product_find(own(d), drive_arg(d, "code"), &list, &n, err))
		return false;
	jsonw_key(d->w, "found");
	jsonw_array(d->w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(d->w, list[i].name);
	jsonw_end_array(d->w);
	drive_put(d, "id", n ? list[0].id : NULL);
	return true;
}

static bool do_add_product(struct drive *d, struct err *err)
{
	const struct product product = { .code = drive_arg(d, "code"),
					 .name = drive_arg(d, "name"),
					 .unit = drive_arg(d, "unit"),
					 .unit_price = drive_decimal(d, "price"),
					 .vat_rate = drive_decimal(d, "vat"),
					 .is_active = true };
	const struct procountor_product_options opt = { .currency = "EUR",
							.unit = "PIECE",
							.vat_status = 1 };
	const char *id;
	if (!procountor_product_add(own(d), &product, &opt, &id, err))
		return false;
	drive_put(d, "id", id);
	return true;
}

/* ---- invoices ------------------------------------------------------------------------------ */

static void put_invoice(struct drive *d, const struct procountor_invoice *in)
{
	drive_put(d, "id", in->id);
	drive_put(d, "number", in->number);
	drive_put(d, "original_number", in->original_number);
	drive_put(d, "status", in->status);
	drive_put(d, "partner_id", in->partner_id);
	drive_put(d, "currency", in->currency);
	drive_put(d, "reference", in->reference);
	drive_put(d, "ledger_receipt_id", in->ledger_receipt_id);
	jsonw_kint(d->w, "files", (int64_t)in->n_attachments);
	if (in->has_sum)
		drive_put_decimal(d, "gross", in->gross);
}

/* Ids of the rows' products, by the step's "product_ids". */
static const char *const *product_ids(struct drive *d, size_t n)
{
	const char **ids = arena_alloc_array(d->arena, n + 1, sizeof(*ids));
	const struct json *j = json_first(json_get(d->args, "product_ids"));
	for (size_t i = 0; ids && i < n && j; i++, j = json_next(j))
		ids[i] = json_text(j);
	return ids;
}

static bool do_send(struct drive *d, struct err *err)
{
	struct procountor_partner partner;
	struct procountor_invoice made;
	struct invoice inv;
	struct span body;
	if (!procountor_partner(own(d), drive_arg(d, "partner_id"), &partner, err) ||
	    !drive_invoice(d, &inv, err))
		return false;
	const struct procountor_invoice_options opt = { .partner = &partner,
							.product_ids = product_ids(d, inv.n_rows),
							.iban = drive_arg(d, "invoice.iban"),
							.vat_status = 1,
							.unit = "PIECE",
							.language = "fi" };
	if (!procountor_map_invoice(d->arena, own(d)->opt, &inv, &opt, &body, err) ||
	    !procountor_invoice_add(own(d), body, &made, err))
		return false;
	put_invoice(d, &made);
	drive_put(d, "differs", procountor_invoice_differs(&made, &inv, partner.id));
	return true;
}

static bool do_invoice(struct drive *d, struct err *err)
{
	struct procountor_invoice in;
	if (!procountor_invoice(own(d), drive_arg(d, "id"), &in, err))
		return false;
	put_invoice(d, &in);
	return true;
}

static bool do_look_up(struct drive *d, struct err *err)
{
	static const char *const names[] = { "absent", "ours", "taken", "several" };
	struct procountor_found found;
	struct invoice inv;
	if (!drive_invoice(d, &inv, err) ||
	    !procountor_invoice_look_up(own(d), &inv, drive_arg(d, "partner_id"), &found, err))
		return false;
	drive_put(d, "match", names[found.match]);
	drive_put(d, "differs", found.differs);
	drive_put(d, "id", found.invoice.id);
	return true;
}

static bool do_attach(struct drive *d, struct err *err)
{
	const char *text = drive_arg(d, "text");
	const struct attachment file = { .name = drive_arg(d, "name"),
					 .data = span_of(text ? text : "") };
	return procountor_attach(own(d), drive_arg(d, "id"), &file, drive_flag(d, "along"), err);
}

/* ---- opening ------------------------------------------------------------------------------- */

static const struct drive_call calls[] = {
	{ "current", do_current },
	{ "accounts", do_accounts },
	{ "partners", do_partners },
	{ "partner", do_partner },
	{ "find_partner", do_find_partner },
	{ "add_partner", do_add_partner },
	{ "change_partner", do_change_partner },
	{ "products", do_products },
	{ "find_product", do_find_product },
	{ "add_product", do_add_product },
	{ "send", do_send },
	{ "invoice", do_invoice },
	{ "look_up", do_look_up },
	{ "attach", do_attach },
};

static bool open_procountor(struct drive *d, struct err *err)
{
	struct procountor *p = arena_alloc(d->arena, sizeof(*p));
	assert(p);
	d->system = p;
	d->fake.procountor.url = drive_input(d, "url");
	return drive_options(d, &procountor_system, &d->fake.procountor, err) &&
	       procountor_open(&d->fake.at, json_get(d->input, "settings"),
			       json_get(d->input, "credentials"), p, err);
}

const struct drive_system drive_procountor = { "procountor", open_procountor, calls,
					       ARRAY_SIZE(calls) };
