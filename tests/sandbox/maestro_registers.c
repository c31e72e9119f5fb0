/* maestro_registers.c: products and customers of the Maestro stand-in (facts/maestro.md §3). */
#include "base/base.h"

#include "maestro.h"

#define PAGE 500

void ms_ping_locked(struct ms_call *mc)
{
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "status", "ok");
	jsonw_kstr(&w, "companyId", mc->company->id);
	jsonw_end_object(&w);
	reply_json(mc->c, 200, &sb);
}

/* ---- products ------------------------------------------------------------------------------ */

struct ms_product *ms_product_locked(const struct ms_company *co, const char *code)
{
	struct ms_product *p = co->products;
	while (p && strcmp(p->code, code) != 0)
		p = p->next;
	return p;
}

bool ms_add_product_locked(struct maestro *m, struct ms_company *co, const struct ms_product *p)
{
	struct ms_product **at = &co->products;
	while (*at && strcmp((*at)->code, p->code) < 0)
		at = &(*at)->next;
	bool is_there = *at && strcmp((*at)->code, p->code) == 0;
	struct ms_product *into = is_there ? *at : arena_alloc(m->base.arena, sizeof(*into));
	if (!into)
		return false;
	struct ms_product *next = is_there ? into->next : *at;
	*into = (struct ms_product) { .next = next,
				      .code = ms_keep(m, p->code),
				      .name = ms_keep(m, p->name),
				      .unit = ms_keep(m, p->unit),
				      .price = ms_keep(m, p->price),
				      .vat = ms_keep(m, p->vat),
				      .is_active = p->is_active };
	*at = into;
	return true;
}

void ms_write_product(struct json_writer *w, const struct ms_product *p)
{
	jsonw_object(w);
	jsonw_kstr(w, "code", p->code);
	jsonw_kstr(w, "name", p->name);
	jsonw_kstr(w, "unit", p->unit);
	jsonw_kstr(w, "price", p->price);
	jsonw_kstr(w, "vatPercent", p->vat);
	jsonw_kbool(w, "active", p->is_active);
	jsonw_end_object(w);
}

/* One by code, or a page behind the cursor, which is the last code of the page before. */
void ms_products_locked(struct ms_call *mc)
{
	const char *code = call_param(mc->c, "code"), *cursor = call_param(mc->c, "cursor");
	const char *last = NULL;
	int64_t limit, n = 0;
	if (!call_param_int(mc->c, "limit", PAGE, &limit) || limit < 1) {
		ms_fail(mc, 400, "MALFORMED", "limit", "not a number above 0");
		return;
	}
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	const struct ms_product *p = mc->company->products;
	for (; p && n < limit; p = p->next) {
		if ((code && strcmp(p->code, code) != 0) ||
		    (cursor && strcmp(p->code, cursor) <= 0))
			continue;
		ms_write_product(&w, p);
		last = p->code;
		n++;
	}
	jsonw_end_array(&w);
	jsonw_kstr(&w, "nextCursor", p ? last : NULL);
	jsonw_end_object(&w);
	reply_json(mc->c, 200, &sb);
}

/* ---- customers ----------------------------------------------------------------------------- */

struct ms_customer *ms_customer_by_number_locked(const struct ms_company *co, const char *number)
{
	struct ms_customer *cu = co->customers;
	while (cu && (!number[0] || strcmp(cu->number, number) != 0))
		cu = cu->next;
	return cu;
}

static struct ms_customer *by_external_id(const struct ms_company *co, const char *id)
{
	struct ms_customer *cu = co->customers;
	while (cu && strcmp(cu->external_id, id) != 0)
		cu = cu->next;
	return cu;
}

void ms_customers_locked(struct ms_call *mc)
{
	const char *business_id = call_param(mc->c, "businessId");
	struct strbuf sb = call_strbuf(mc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (const struct ms_customer *cu = mc->company->customers; cu; cu = cu->next)
		if (!business_id || strcmp(cu->business_id, business_id) == 0)
			jsonw_raw(&w, span_of(cu->json));
	jsonw_end_array(&w);
	jsonw_kstr(&w, "nextCursor", NULL);
	jsonw_end_object(&w);
	reply_json(mc->c, 200, &sb);
}

void ms_customer_locked(struct ms_call *mc)
{
	const struct ms_customer *cu = by_external_id(mc->company, mc->id);
	if (cu)
		reply_text(mc->c, 200, "application/json; charset=utf-8", cu->json);
	else
		ms_fail(mc, 404, "NOT_FOUND", NULL, "No such customer");
}

static const char *member(struct maestro *m, const struct json *card, const char *name)
{
	return ms_keep(m, json_text(json_get(card, name)));
}

struct ms_customer *ms_keep_customer_locked(struct maestro *m, struct ms_company *co,
					    struct ms_customer *old, const char *external_id,
					    const struct json *card)
{
	struct ms_customer *cu = old ? old : arena_alloc(m->base.arena, sizeof(*cu));
	struct strbuf sb = STRBUF_INIT(m->base.arena, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const char *json;
	jsonw_node(&w, card);
	if (!cu || !strbuf_finish(&sb, &json, NULL))
		return NULL;
	*cu = (struct ms_customer) { .next = cu->next,
				     .external_id = ms_keep(m, external_id),
				     .number = member(m, card, "number"),
				     .business_id = member(m, card, "businessId"),
				     .name = member(m, card, "name"),
				     .json = json };
	if (!old) {
		cu->next = co->customers;
		co->customers = cu;
	}
	return cu;
}

static bool check_card(struct ms_call *mc, const struct json *card)
{
	const char *number = json_str(json_get(card, "number"));
	const char *external_id = json_str(json_get(card, "externalId"));
	const struct ms_customer *taken = number ? ms_customer_by_number_locked(mc->company, number)
						 : NULL;
	const char *name = json_str(json_get(card, "name"));
	if (!str_eq(external_id, mc->id))
		return ms_fail(mc, 422, "VALIDATION", "externalId", "not that of the address");
	if (!name || !name[0])
		return ms_fail(mc, 422, "VALIDATION", "name", "missing");
	if (!number || !number[0])
		return ms_fail(mc, 422, "VALIDATION", "number", "missing");
	if (taken && taken->external_id[0] && strcmp(taken->external_id, mc->id) != 0)
		return ms_fail(mc, 422, "VALIDATION", "number", "belongs to another customer");
	return true;
}

/* A card that a person made becomes ours by its number. */
void ms_put_customer_locked(struct ms_call *mc)
{
	struct ms_company *co = mc->company;
	const struct json *card;
	if (!json_parse(mc->c->arena, mc->c->body, JSON_LIMITS_API, &card, NULL) ||
	    json_type(card) != JSON_OBJECT) {
		ms_fail(mc, 400, "MALFORMED", NULL, "The body is no JSON object");
		return;
	}
	if (!check_card(mc, card)) {
		co->refused++;
		return;
	}
	struct ms_customer *old = by_external_id(co, mc->id);
	if (!old)
		old = ms_customer_by_number_locked(co, json_str(json_get(card, "number")));
	bool is_new = !old;
	const struct ms_customer *cu = ms_keep_customer_locked(mc->m, co, old, mc->id, card);
	if (!cu)
		return;
	*(is_new ? &co->customers_added : &co->customers_changed) += 1;
	reply_text(mc->c, is_new ? 201 : 200, "application/json; charset=utf-8", cu->json);
}
