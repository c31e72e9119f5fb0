/*
 * rules.c: which task becomes an invoice, what it lacks, and what its rows become (PC-02, PC-03,
 * PC-07). Pure. What is missing at the source is ERR_WAITING: it is tested again by each run, and
 * the person who fills it in calls nobody.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "codec/sign.h"
#include "model/identifier.h"

#define HASHED_MAX ((size_t)1 << 20)

static bool is_set(const char *text)
{
	return text && text[0];
}

/* ---- numbers and days ---------------------------------------------------------------------- */

bool sp_is_business_id(const struct sp_settings *set, const char *text)
{
	if (!text || strlen(text) != 9 || strspn(text, "0123456789") != 7 || text[7] != '-' ||
	    text[8] < '0' || text[8] > '9')
		return false;
	return !set->proves_business_ids || identifier_is(ID_FI_BUSINESS, text);
}

const char *sp_day(struct arena *arena, const struct tz *zone, int64_t wall_ms)
{
	char text[CLOCK_RFC3339_MAX];
	if (!wall_ms)
		return NULL;
	clock_rfc3339(wall_ms + (int64_t)tz_offset_s(zone, wall_ms) * 1000, text);
	return arena_memdup(arena, text, strlen("2026-02-28"));
}

bool sp_is_after_start(const struct sp *sp, int64_t completed_ms)
{
	char text[CLOCK_RFC3339_MAX];
	if (!completed_ms) /* better seen twice than lost */
		return true;
	clock_rfc3339(completed_ms + (int64_t)tz_offset_s(sp->zone, completed_ms) * 1000, text);
	return strncmp(text, sp->set.from, strlen(sp->set.from)) >= 0;
}

const char *sp_number(struct arena *arena, const char *prefix, const char *task_id,
		      int64_t generation)
{
	return generation > 1 ? arena_printf(arena, "%s-%s-%" PRId64, prefix, task_id, generation)
			      : arena_printf(arena, "%s-%s", prefix, task_id);
}

/* ---- what is missing ----------------------------------------------------------------------- */

static const char *name_of(const struct spotilla_task *task)
{
	return is_set(task->number) ? task->number : task->id;
}

static bool lacks(const char *reason, const char *subject, const struct spotilla_task *task,
		  struct err *err)
{
	return err_reason(err, ERR_WAITING, reason, subject, "task %s: %s (%s)", name_of(task),
			  reason, subject);
}

bool sp_is_billed(const struct spotilla_task_row *row)
{
	return row->is_billable && !(row->has_quantity && decimal_sign(row->quantity) == 0);
}

bool sp_task_lacks_nothing(const struct sp_settings *set, const struct spotilla_task *task,
			   struct err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < task->n_rows; i++)
		n += sp_is_billed(&task->rows[i]);
	if (set->only_with_order_number && !is_set(task->order_number))
		return lacks("order_number_missing", name_of(task), task, err);
	if (!is_set(task->customer_id))
		return lacks("task_customer_missing", name_of(task), task, err);
	return n ? true : lacks("billable_rows_missing", name_of(task), task, err);
}

static const char *label_of(const struct spotilla_customer *c)
{
	if (is_set(c->customer.name))
		return c->customer.name;
	return is_set(c->customer.code) ? c->customer.code : c->customer.source_id;
}

bool sp_customer_lacks_nothing(const struct sp_settings *set, const struct spotilla_task *task,
			       const struct spotilla_customer *c,
			       const struct procountor_partner *p, struct err *err)
{
	const char *here = c->customer.business_id, *there = p ? p->business_id : NULL;
	char subject[160];
	if (!is_set(c->customer.name) && !(p && is_set(p->name)))
		return lacks("customer_name_missing", label_of(c), task, err);
	if (sp_is_business_id(set, here) || sp_is_business_id(set, there))
		return true;
	if (!is_set(here) && !is_set(there))
		return lacks("business_id_missing", label_of(c), task, err);
	snprintf(subject, sizeof(subject), "%.*s, %.30s",
		 (int)utf8_prefix(span_of(label_of(c)), 60), label_of(c),
		 is_set(there) ? there : here);
	return lacks("business_id_form", subject, task, err);
}

/* ---- rows ---------------------------------------------------------------------------------- */

static bool lacks_price(const char *what, const struct spotilla_task *task, struct err *err)
{
	return lacks("price_missing", what, task, err);
}

/* Spotilla's register decides, not the price that the row once had (PC-07). */
static bool choose_price(const struct sp_settings *set, const struct spotilla_task *task,
			 const struct sp_row *row, const char *name, struct decimal *ret,
			 struct err *err)
{
	const struct spotilla_product *product = row->product;
	if (!product) {
		*ret = row->row->unit_price;
		return row->row->has_price ? true : lacks_price(name, task, err);
	}
	if (!product->has_price)
		return lacks_price(name, task, err);
	if (is_set(product->currency) && !str_eq(product->currency, set->currency))
		return lacks("product_currency", name, task, err);
	*ret = product->product.unit_price;
	return true;
}

static const char *first_of(const char *a, const char *b)
{
	return is_set(a) ? a : b;
}

bool sp_map_row(const struct sp_settings *set, const struct spotilla_task *task,
		const struct sp_row *row, struct invoice_row *ret, struct err *err)
{
	static const struct spotilla_product none = { .has_price = false };
	const struct spotilla_task_row *r = row->row;
	const struct spotilla_product *product = row->product ? row->product : &none;
	const char *name = first_of(r->name, product->product.name);
	const char *label = first_of(first_of(name, product->product.code), r->id);
	struct decimal price;
	if (!r->has_quantity)
		return lacks("quantity_missing", label, task, err);
	if (!choose_price(set, task, row, label, &price, err))
		return false;
	*ret = (struct invoice_row) {
		.source_id = r->id,
		.product_code = product->product.code,
		.name = name,
		.description = r->comment,
		.quantity = r->quantity,
		.unit_price = price,
		.unit = first_of(r->unit, product->product.unit),
		.has_vat_rate = true,
		.vat_rate = r->has_vat_rate	    ? r->vat_rate
			    : product->has_vat_rate ? product->product.vat_rate
						    : set->vat_rate,
	};
	return true;
}

/* ---- the task's content -------------------------------------------------------------------- */

static void put_number(struct json_writer *w, const char *key, bool has, struct decimal d)
{
	jsonw_key(w, key);
	if (has)
		jsonw_decimal(w, decimal_normalize(d));
	else
		jsonw_null(w);
}

static void put_row(struct json_writer *w, const struct spotilla_task_row *row)
{
	jsonw_object(w);
	jsonw_kstr(w, "product", row->product_id);
	jsonw_kstr(w, "name", row->name);
	jsonw_kstr(w, "unit", row->unit);
	jsonw_kstr(w, "comment", row->comment);
	put_number(w, "quantity", row->has_quantity, row->quantity);
	/* That of a row with a product is not what is billed. */
	put_number(w, "price", row->has_price && !row->product_id, row->unit_price);
	put_number(w, "vat", row->has_vat_rate, row->vat_rate);
	jsonw_end_object(w);
}

const char *sp_task_hash(struct arena *arena, const struct spotilla_task *task)
{
	struct strbuf sb = STRBUF_INIT(arena, HASHED_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	unsigned char digest[SHA256_BYTES];
	char *hex = arena_alloc(arena, 2 * SHA256_BYTES + 1);
	const char *text;
	jsonw_object(&w);
	jsonw_kstr(&w, "customer", task->customer_id);
	jsonw_kstr(&w, "completed", task->completed);
	jsonw_kstr(&w, "name", task->name);
	jsonw_kstr(&w, "order", task->order_number);
	jsonw_kstr(&w, "site", task->site);
	jsonw_kstr(&w, "comment", task->comment);
	jsonw_key(&w, "rows");
	jsonw_array(&w);
	for (size_t i = 0; i < task->n_rows; i++)
		if (sp_is_billed(&task->rows[i]))
			put_row(&w, &task->rows[i]);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	if (!hex || !strbuf_finish(&sb, &text, NULL))
		return NULL;
	sign_sha256(span_of(text), digest);
	sign_hex(digest, sizeof(digest), hex);
	return hex;
}
