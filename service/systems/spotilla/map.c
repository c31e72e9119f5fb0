/*
 * map.c: Spotilla's JSON into structs, and what is written of them (facts/spotilla.md B2 to B5).
 * Pure: no clock, network or configuration. The members are an assumption as a whole.
 */
#include "base/base.h"
#include "spotilla_internal.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "codec/json_fields.h"

#define FORM_MAX ((size_t)64 << 10)

#define ROW struct spotilla_customer
static const struct field customer_fields[] = {
	ID_NEEDED("id", customer.source_id),
	ID("number", customer.code),
	TEXT("name", customer.name),
	TEXT("business_id", customer.business_id),
	TEXT("email", customer.email),
	TEXT("phone", customer.phone),
	TEXT("language", customer.language),
	BOOL("active", customer.is_active),
	{ "payment_term_days", FIELD_INT, offsetof(ROW, payment_term_days), FIELD_OPTIONAL,
	  offsetof(ROW, has_payment_term) },
	TEXT("invoice_channel", invoice_channel),
	TEXT("external_ref", external_ref),
	TEXT("updated_at", changed),
};
#undef ROW

#define ROW struct address
static const struct field address_fields[] = {
	TEXT("street", street),
	ID("zip", postcode),
	TEXT("city", city),
	TEXT("country", country_code),
};
#undef ROW

#define ROW struct spotilla_contact
static const struct field contact_fields[] = {
	TEXT("name", name),
	TEXT("email", email),
	TEXT("phone", phone),
};
#undef ROW

#define ROW struct spotilla_product
static const struct field product_fields[] = {
	ID_NEEDED("id", product.source_id),
	ID("product_id", product.code),
	TEXT("name", product.name),
	TEXT("unit", product.unit),
	BOOL("active", product.is_active),
	TEXT("category", category),
	TEXT("kind", kind),
	TEXT("currency", currency),
	TEXT("external_ref", external_ref),
	TEXT("updated_at", changed),
};
#undef ROW

#define ROW struct spotilla_task
static const struct field task_fields[] = {
	ID_NEEDED("id", id),
	ID("number", number),
	TEXT("name", name),
	TEXT("state", state),
	TEXT("completed_at", completed),
	ID("customer_id", customer_id),
	ID("order_number", order_number),
	TEXT("work_order.label", work_order),
	TEXT("spot.name", spot),
	TEXT("site", site),
	TEXT("comment", comment),
	TEXT("billing.external_ref", billing.external_ref),
	TEXT("billing.message", billing.message),
	TEXT("updated_at", changed),
};
#undef ROW

#define ROW struct spotilla_task_row
static const struct field row_fields[] = {
	ID("id", id),	    ID("product_id", product_id), TEXT("name", name),
	TEXT("unit", unit), TEXT("comment", comment),	  BOOL("billable", is_billable),
};
#undef ROW

/* Amounts come as texts or numbers, so the codec's table cannot read them. */
struct amount {
	const char *path;
	size_t offset, has_offset;
};

static const struct amount product_amounts[] = {
	{ "sales_price", offsetof(struct spotilla_product, product.unit_price),
	  offsetof(struct spotilla_product, has_price) },
	{ "vat_percent", offsetof(struct spotilla_product, product.vat_rate),
	  offsetof(struct spotilla_product, has_vat_rate) },
};

static const struct amount row_amounts[] = {
	{ "quantity", offsetof(struct spotilla_task_row, quantity),
	  offsetof(struct spotilla_task_row, has_quantity) },
	{ "unit_price", offsetof(struct spotilla_task_row, unit_price),
	  offsetof(struct spotilla_task_row, has_price) },
	{ "vat_percent", offsetof(struct spotilla_task_row, vat_rate),
	  offsetof(struct spotilla_task_row, has_vat_rate) },
};

/* ---- reading ------------------------------------------------------------------------------- */

/* A value of another type is their fault or ours, and nothing that a person can mend. */
static bool decode(const struct json *j, const struct field *fields, size_t n, void *into,
		   struct err *err)
{
	struct err why = ERR_INIT;
	if (json_decode(j, fields, n, into, &why))
		return true;
	return err_reason(err, ERR_SYSTEM, "answer_unreadable", why.pointer, "%s", why.message);
}

/* Digits, and what else a number has: one that we cannot hold, rather than a word. */
static bool looks_like_number(const char *text)
{
	return text[0] && strspn(text, "0123456789.+-eE") == strlen(text);
}

static bool read_amounts(const struct json *j, const struct amount *list, size_t n, void *into,
			 struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct json *value = json_get(j, list[i].path);
		const char *text = json_text(value);
		if (json_is_null(value))
			continue;
		if (text && decimal_parse(span_of(text),
					  (struct decimal *)((char *)into + list[i].offset))) {
			*((bool *)into + list[i].has_offset) = true;
			continue;
		}
		if (text && looks_like_number(text))
			return err_reason(err, ERR_DATA, "amount_too_large", list[i].path,
					  "%s has too many digits: %s", list[i].path, text);
		return err_reason(err, ERR_SYSTEM, "answer_unreadable", list[i].path,
				  "%s is no amount", list[i].path);
	}
	return true;
}

/* A list of objects: missing is empty. *ret has room for all of them. */
static bool make_list(struct arena *arena, const struct json *j, const char *name, size_t size,
		      void *ret, struct err *err)
{
	const struct json *list = json_get(j, name);
	if (!json_is_null(list) && json_type(list) != JSON_ARRAY)
		return err_reason(err, ERR_SYSTEM, "answer_unreadable", name, "%s is no list",
				  name);
	void *items = arena_alloc_array(arena, json_size(list) + 1, size);
	if (!items)
		return err_set(err, ERR_LIMIT, "arena full");
	*(void **)ret = items;
	return true;
}

/* Without a country it is Finland (B3); an empty object is no address. */
static bool read_address(const struct json *j, struct address *ret, struct err *err)
{
	*ret = (struct address) { 0 };
	if (json_is_null(j))
		return true;
	if (!decode(j, address_fields, ARRAY_SIZE(address_fields), ret, err))
		return false;
	if (!ret->country_code && (ret->street || ret->postcode || ret->city))
		ret->country_code = "FI";
	return true;
}

bool spotilla_map_customer(struct arena *arena, const struct json *j, struct spotilla_customer *ret,
			   struct err *err)
{
	const struct json *billing = json_get(j, "billing_address");
	struct spotilla_contact *contacts;
	*ret = (struct spotilla_customer) { .customer = { .is_active = true } };
	if (!decode(j, customer_fields, ARRAY_SIZE(customer_fields), ret, err) ||
	    !read_address(json_get(j, "address"), &ret->customer.delivery, err) ||
	    !read_address(billing, &ret->customer.billing, err) ||
	    !make_list(arena, j, "contact_persons", sizeof(*contacts), &contacts, err))
		return err_wrap(err, "Spotilla customer");
	ret->has_billing_address = !json_is_null(billing);
	if (!ret->has_billing_address)
		ret->customer.billing = ret->customer.delivery;
	const struct json *c = json_first(json_get(j, "contact_persons"));
	for (; c; c = json_next(c))
		if (!decode(c, contact_fields, ARRAY_SIZE(contact_fields),
			    &contacts[ret->n_contacts++], err))
			return err_wrap(err, "Spotilla customer");
	ret->contacts = contacts;
	return true;
}

bool spotilla_map_product(const struct json *j, struct spotilla_product *ret, struct err *err)
{
	*ret = (struct spotilla_product) { .product = { .is_active = true,
							.register_name = "product" } };
	if (!decode(j, product_fields, ARRAY_SIZE(product_fields), ret, err) ||
	    !read_amounts(j, product_amounts, ARRAY_SIZE(product_amounts), ret, err))
		return err_wrap(err, "Spotilla product");
	return true;
}

static int64_t ms_of(const char *time)
{
	int64_t ms;
	return time && clock_parse_rfc3339(span_of(time), &ms) ? ms : 0;
}

static enum spotilla_billing_state billing_state(const char *word)
{
	if (!word)
		return SPOTILLA_BILLING_NONE;
	for (int i = 0; i < SPOTILLA_BILLING_UNKNOWN; i++)
		if (strcmp(spotilla_billing_names[i], word) == 0)
			return (enum spotilla_billing_state)i;
	return SPOTILLA_BILLING_UNKNOWN;
}

bool spotilla_map_task(struct arena *arena, const struct json *j, struct spotilla_task *ret,
		       struct err *err)
{
	struct spotilla_task_row *rows;
	*ret = (struct spotilla_task) { 0 };
	if (!decode(j, task_fields, ARRAY_SIZE(task_fields), ret, err) ||
	    !make_list(arena, j, "rows", sizeof(*rows), &rows, err))
		return err_wrap(err, "Spotilla task");
	for (const struct json *r = json_first(json_get(j, "rows")); r; r = json_next(r)) {
		struct spotilla_task_row *row = &rows[ret->n_rows++];
		row->is_billable = true;
		if (!decode(r, row_fields, ARRAY_SIZE(row_fields), row, err) ||
		    !read_amounts(r, row_amounts, ARRAY_SIZE(row_amounts), row, err))
			return err_wrap(err, "Spotilla task, row %zu", ret->n_rows);
	}
	ret->rows = rows;
	ret->completed_ms = ms_of(ret->completed);
	ret->changed_ms = ms_of(ret->changed);
	ret->billing.state = billing_state(json_str(json_at(j, "billing.state")));
	return true;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* NULL is left out, "" is null. */
static void put(struct json_writer *w, const char *key, const char *text)
{
	if (text)
		jsonw_kstr(w, key, text[0] ? text : NULL);
}

static void put_address(struct json_writer *w, const char *key, const struct address *a)
{
	if (!a)
		return;
	jsonw_key(w, key);
	if (!a->street && !a->postcode && !a->city && !a->country_code) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	jsonw_kstr(w, "street", a->street);
	jsonw_kstr(w, "zip", a->postcode);
	jsonw_kstr(w, "city", a->city);
	jsonw_kstr(w, "country", a->country_code);
	jsonw_end_object(w);
}

static bool check_length(const char *what, const char *text, ssize_t max, struct err *err)
{
	if (!text || utf8_length(span_of(text)) <= max)
		return true;
	return err_reason(err, ERR_DATA, "field_too_long", what,
			  "%s is longer than the %zd characters that Spotilla takes", what, max);
}

static bool finish(struct strbuf *sb, struct span *ret, struct err *err)
{
	const char *text;
	if (!strbuf_finish(sb, &text, err))
		return false;
	*ret = strbuf_span(sb);
	return true;
}

bool spotilla_map_customer_form(struct arena *arena, const struct spotilla_customer_form *form,
				struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, FORM_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (form->name && !form->name[0])
		return err_reason(err, ERR_DATA, "name_missing", "customer",
				  "a customer without a name");
	if (!check_length("customer name", form->name, SPOTILLA_NAME_MAX, err) ||
	    !check_length("customer number", form->number, SPOTILLA_NUMBER_MAX, err) ||
	    !check_length("external_ref", form->external_ref, SPOTILLA_REF_MAX, err))
		return false;
	jsonw_object(&w);
	put(&w, "name", form->name);
	put(&w, "business_id", form->business_id);
	put(&w, "number", form->number);
	put(&w, "email", form->email);
	put(&w, "phone", form->phone);
	put(&w, "language", form->language);
	put_address(&w, "address", form->address);
	put_address(&w, "billing_address", form->billing_address);
	if (form->has_payment_term && form->payment_term_days < 0)
		jsonw_kstr(&w, "payment_term_days", NULL);
	else if (form->has_payment_term)
		jsonw_kint(&w, "payment_term_days", form->payment_term_days);
	put(&w, "invoice_channel", form->invoice_channel);
	if (form->has_active)
		jsonw_kbool(&w, "active", form->is_active);
	put(&w, "external_ref", form->external_ref);
	jsonw_end_object(&w);
	return finish(&sb, ret, err);
}

bool spotilla_write_billing(struct arena *arena, const struct spotilla_billing *billing,
			    struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, FORM_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	assert(billing->state != SPOTILLA_BILLING_UNKNOWN);
	if (!check_length("external_ref", billing->external_ref, SPOTILLA_REF_MAX, err))
		return false;
	jsonw_object(&w);
	jsonw_key(&w, "billing");
	jsonw_object(&w);
	jsonw_kstr(&w, "state", spotilla_billing_names[billing->state]);
	jsonw_kstr(&w, "external_ref", billing->external_ref);
	jsonw_kstr(&w, "message", billing->message);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	return finish(&sb, ret, err);
}

bool spotilla_write_ref(struct arena *arena, const char *external_ref, struct span *ret,
			struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, FORM_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	if (!check_length("external_ref", external_ref, SPOTILLA_REF_MAX, err))
		return false;
	jsonw_object(&w);
	put(&w, "external_ref", external_ref);
	jsonw_end_object(&w);
	return finish(&sb, ret, err);
}
