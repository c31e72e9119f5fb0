/*
 * invoice.c: the invoice of a task: what belongs to it is read on both sides, and put together.
 * Makes no write. What the registers do not have yet is asked for, and the task waits for it.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"

static bool pass_on(const struct err *why, struct err *err)
{
	if (err)
		*err = *why;
	return false;
}

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

static const char *name_of(const struct sp_run *r)
{
	return r->task.number ? r->task.number : r->task.id;
}

/* ---- the customer -------------------------------------------------------------------------- */

/* The registers bring it: one run of them is asked for, and the task waits. */
static bool wait_for(struct sp_run *r, const char *registers, const char *reason,
		     const char *subject, struct err *err)
{
	struct attempt *at = r->sp->at;
	if (!at->preview && !at->ops->want_run(at, registers, err))
		return false;
	return err_reason(err, ERR_WAITING, reason, subject, "task %s waits for %s of Procountor",
			  name_of(r), subject);
}

static bool read_customer(struct sp_run *r, struct err *err)
{
	struct err inner = ERR_INIT;
	if (spotilla_customer(&r->sp->spotilla, r->task.customer_id, &r->customer, &inner))
		return true;
	if (inner.code == ERR_NOT_FOUND)
		return err_reason(err, ERR_WAITING, "task_customer_missing", name_of(r),
				  "the customer of task %s does not exist", name_of(r));
	return pass_on(&inner, err);
}

static bool find_link(struct sp_run *r, const char *kind, const char *id, const char **ret,
		      struct err *err)
{
	struct attempt *at = r->sp->at;
	const struct link_table table = sp_links(r->sp, kind);
	struct record_link link;
	if (!at->ops->links(at, &table, LINK_LEFT, &id, 1, &link, err))
		return false;
	*ret = link.id[LINK_RIGHT];
	return true;
}

static bool find_partner(struct sp_run *r, struct err *err)
{
	const struct customer *c = &r->customer.customer;
	struct err inner = ERR_INIT;
	const char *id;
	if (!find_link(r, SP_CUSTOMER, c->source_id, &id, err))
		return false;
	if (!id) /* what stops its card is said first */
		return sp_customer_lacks_nothing(&r->sp->set, &r->task, &r->customer, NULL, err) &&
		       wait_for(r, SP_CUSTOMERS, "customer_not_linked", c->name, err);
	if (procountor_partner(&r->sp->procountor, id, &r->partner, &inner))
		return true;
	if (inner.code == ERR_NOT_FOUND)
		return err_reason(err, ERR_WAITING, "customer_gone", c->name,
				  "customer %s is not in Procountor any more", c->name);
	return pass_on(&inner, err);
}

/* Procountor keeps what is billed by; Spotilla fills in what its card lacks. */
static void fill_in(struct sp_run *r)
{
	const struct customer *c = &r->customer.customer;
	struct procountor_partner *p = &r->partner;
	const struct address *a = &p->address.at;
	if (!sp_is_business_id(&r->sp->set, p->business_id))
		p->business_id = c->business_id;
	if (!p->customer_number)
		p->customer_number = c->code;
	if (!p->email && c->email && c->email[0])
		p->email = c->email;
	if (!a->street && !a->postcode && !a->city) {
		p->address.at = c->delivery;
		p->address.at.country_code = a->country_code ? a->country_code
							     : c->delivery.country_code;
	}
	if (!a->country_code && !a->country_name)
		p->address.at.country_code = "FI";
	if (r->sp->set.channel)
		p->channel = r->sp->set.channel;
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* With the price of this moment (PC-07). */
static bool read_product(struct sp_run *r, struct sp_row *row, struct err *err)
{
	struct arena *arena = r->sp->at->arena;
	struct spotilla_product *product = arena_alloc(arena, sizeof(*product));
	const char *id = row->row->product_id, *label = row->row->name ? row->row->name : id;
	struct err inner = ERR_INIT;
	if (!product)
		return full(err);
	if (!spotilla_product(&r->sp->spotilla, id, product, &inner))
		return inner.code == ERR_NOT_FOUND
			       ? err_reason(err, ERR_WAITING, "product_gone", label,
					    "product %s does not exist in Spotilla", id)
			       : pass_on(&inner, err);
	row->product = product;
	return true;
}

/* The first that is not linked is remembered: what is wrong with the invoice is said before that.
 */
static bool link_product(struct sp_run *r, struct sp_row *row, struct err *err)
{
	const struct product *p = &row->product->product;
	if (!find_link(r, SP_PRODUCT, p->source_id, &row->product_id, err))
		return false;
	if (!row->product_id && !r->unlinked)
		r->unlinked = p->code ? p->code : p->name;
	return true;
}

static bool map_rows(struct sp_run *r, struct err *err)
{
	struct arena *arena = r->sp->at->arena;
	struct invoice *inv = &r->inv;
	inv->rows = arena_alloc_array(arena, r->task.n_rows + 1, sizeof(*inv->rows));
	r->rows = arena_alloc_array(arena, r->task.n_rows + 1, sizeof(*r->rows));
	r->product_ids = arena_alloc_array(arena, r->task.n_rows + 1, sizeof(*r->product_ids));
	if (!inv->rows || !r->rows || !r->product_ids)
		return full(err);
	for (size_t i = 0; i < r->task.n_rows; i++) {
		struct sp_row *row = &r->rows[inv->n_rows];
		*row = (struct sp_row) { .row = &r->task.rows[i] };
		if (!sp_is_billed(row->row))
			continue;
		if (row->row->product_id && !read_product(r, row, err))
			return false;
		if (!sp_map_row(&r->sp->set, &r->task, row, &inv->rows[inv->n_rows], err) ||
		    (row->product && !link_product(r, row, err)))
			return false;
		r->product_ids[inv->n_rows] = row->product_id;
		inv->rows[inv->n_rows].position = (int64_t)inv->n_rows + 1;
		inv->n_rows++;
	}
	return true;
}

/* ---- head ---------------------------------------------------------------------------------- */

/* Whole days of the card, else of the settings. */
static int64_t payment_term(const struct sp_run *r)
{
	const char *text = r->partner.payment_term_days;
	size_t n = text ? strlen(text) : 0;
	int64_t days = 0;
	if (!n || n > 3 || strspn(text, "0123456789") != n)
		return r->sp->set.payment_term_days;
	for (size_t i = 0; i < n; i++)
		days = 10 * days + (text[i] - '0');
	return days;
}

static const char *day_after(struct arena *arena, const char *day, int64_t days)
{
	char text[CLOCK_RFC3339_MAX];
	int y, m, d;
	if (!clock_parse_date(span_of(day), &y, &m, &d))
		return NULL;
	clock_rfc3339(clock_from_utc(y, m, d, 0, 0, 0) + days * 86400000, text);
	return arena_memdup(arena, text, strlen(day));
}

static bool set_days(struct sp_run *r, struct err *err)
{
	struct arena *arena = r->sp->at->arena;
	struct invoice *inv = &r->inv;
	if (!r->task.completed_ms)
		return err_reason(err, ERR_WAITING, "finished_day_missing", name_of(r),
				  "task %s does not say when it was finished", name_of(r));
	inv->delivery_date = sp_day(arena, r->sp->zone, r->task.completed_ms);
	inv->issue_date = r->sp->set.is_dated_today ? sp_day(arena, r->sp->zone, clock_wall_ms())
						    : inv->delivery_date;
	if (!inv->issue_date || !inv->delivery_date)
		return full(err);
	inv->payment_term_days = payment_term(r);
	inv->due_date = day_after(arena, inv->issue_date, inv->payment_term_days);
	return inv->due_date ? true : full(err);
}

/* Printed on the invoice: what was done, where, and what was said of it. */
static bool set_texts(struct sp_run *r, struct err *err)
{
	const char *const texts[] = { r->task.name, r->task.site, r->task.comment };
	struct strbuf sb = STRBUF_INIT(r->sp->at->arena, 64 << 10);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i] && texts[i][0])
			strbuf_addf(&sb, "%s%s", sb.n ? "\n" : "", texts[i]);
	return strbuf_finish(&sb, &r->inv.text_before, err);
}

bool sp_prepare(struct sp_run *r, struct err *err)
{
	struct sp *sp = r->sp;
	const struct spotilla_task *task = &r->task;
	r->inv = (struct invoice) {
		.source_id = task->id,
		.number = sp_number(sp->at->arena, sp->set.number_prefix, task->id,
				    sp->at->generation),
		.changed = task->changed,
		.changed_ms = task->changed_ms,
		.customer_id = task->customer_id,
		.order_number = task->order_number,
		.currency = sp->set.currency,
		.currency_rate = decimal_of(1),
		.has_no_totals = true,
	};
	if (!r->inv.number)
		return full(err);
	if (!sp_task_lacks_nothing(&sp->set, task, err) || !read_customer(r, err) ||
	    !find_partner(r, err) ||
	    !sp_customer_lacks_nothing(&sp->set, task, &r->customer, &r->partner, err))
		return false;
	fill_in(r);
	r->inv.buyer = (struct party) { .name = r->partner.name,
					.business_id = r->partner.business_id,
					.address = r->partner.address.at };
	r->inv.customer_number = r->partner.customer_number;
	if (!set_days(r, err) || !set_texts(r, err) || !map_rows(r, err) ||
	    !invoice_validate(&r->inv, err) || !invoice_sum_up(&r->inv, sp->at->arena, err))
		return false;
	/* What keeps a product from Procountor, a letter or a length, shows on the invoice too. */
	return !r->unlinked || (sp_build(r, err) &&
				wait_for(r, SP_PRODUCTS, "product_not_linked", r->unlinked, err));
}

bool sp_build(struct sp_run *r, struct err *err)
{
	struct sp *sp = r->sp;
	struct procountor_invoice_options opt = { .partner = &r->partner,
						  .product_ids = r->product_ids,
						  .vat_status = sp->set.vat_status,
						  .channel = sp->set.channel,
						  .unit = sp->set.unit,
						  .language = sp->set.language };
	return sp_find_iban(sp, &opt.iban, err) &&
	       procountor_map_invoice(sp->at->arena, sp->procountor.opt, &r->inv, &opt,
				      &r->document, err);
}
