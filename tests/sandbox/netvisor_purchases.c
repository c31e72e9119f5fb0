/*
 * netvisor_purchases.c: purchase invoices of the Netvisor stand-in (facts/netvisor.md §10): read
 * alone; people make, change and accept them, which is the control API's part here.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "netvisor.h"

static void row_clear(struct nv_purchase_row *row)
{
	mem_free(row->text);
	mem_free(row->heading);
	mem_free(row->item);
	*row = (struct nv_purchase_row) { .key = 0 };
}

void nv_purchases_release(struct nv_org *org)
{
	for (size_t i = 0; i < org->n_purchases; i++) {
		struct nv_purchase *p = &org->purchases[i];
		for (size_t k = 0; k < p->n; k++)
			row_clear(&p->rows[k]);
		mem_free(p->rows);
		mem_free(p->number);
		mem_free(p->vendor);
	}
	mem_free(org->purchases);
}

/* ---- resources ----------------------------------------------------------------------------- */

static bool is_listed(struct nv_call *nc, const struct nv_purchase *p, int64_t since_ms)
{
	const char *from = call_param(nc->c, "begininvoicedate");
	const char *to = call_param(nc->c, "endinvoicedate");
	const char *status = call_param(nc->c, "invoicestatus");
	return !p->is_deleted && (!from || strcmp(p->date, from) >= 0) &&
	       (!to || strcmp(p->date, to) <= 0) &&
	       (!status || strcasecmp(status, "accepted") != 0 || p->is_accepted) &&
	       p->modified_ms >= since_ms;
}

void nv_purchaseinvoicelist(struct nv_call *nc)
{
	struct nv_answer a;
	int64_t since_ms;
	if (!nv_time_param(nc, "lastmodifiedstart", &since_ms))
		return;
	nv_answer(nc, &a);
	xmlw_open(&a.w, "PurchaseInvoiceList");
	pthread_mutex_lock(&nc->org->lock);
	for (size_t i = 0; i < nc->org->n_purchases; i++) {
		const struct nv_purchase *p = &nc->org->purchases[i];
		if (!is_listed(nc, p, since_ms))
			continue;
		xmlw_open(&a.w, "PurchaseInvoice");
		nv_int_element(&a.w, "NetvisorKey", p->key);
		xmlw_element(&a.w, "InvoiceNumber", p->number);
		xmlw_element(&a.w, "InvoiceDate", p->date);
		xmlw_element(&a.w, "Vendor", p->vendor);
		xmlw_close(&a.w);
	}
	pthread_mutex_unlock(&nc->org->lock);
	xmlw_close(&a.w);
	nv_finish(nc, &a);
}

static void write_row_locked(struct nv_org *org, const struct nv_purchase_row *row,
			     struct xml_writer *w)
{
	char name[256];
	xmlw_open(w, "PurchaseInvoiceLine");
	nv_int_element(w, "NetvisorKey", row->key);
	nv_decimal_element(w, "LineSum", row->net);
	if (!row->has_no_sum)
		nv_decimal_element(w, "LineNetSum", row->net);
	xmlw_element(w, "Description", row->text);
	xmlw_open(w, "PurchaseInvoiceLineDimensions");
	struct nv_heading *h = row->heading ? nv_heading_locked(org, row->heading) : NULL;
	const struct nv_item *item = h ? nv_item_by_name_locked(h, row->item) : NULL;
	if (item) {
		snprintf(name, sizeof(name), "%s", item->name);
		xmlw_open(w, "Dimension");
		xmlw_element(w, "DimensionName", h->name);
		nv_int_element(w, "DimensionNameNetvisorKey", h->key);
		xmlw_element(w, "DimensionDetailName", name);
		nv_int_element(w, "DimensionDetailNetvisorKey", item->key);
		xmlw_close(w);
	}
	xmlw_close(w);
	xmlw_close(w);
}

static void write_one_locked(struct nv_org *org, const struct nv_purchase *p, struct xml_writer *w)
{
	xmlw_open(w, "PurchaseInvoice");
	nv_int_element(w, "PurchaseInvoiceNetvisorKey", p->key);
	xmlw_element(w, "PurchaseInvoiceNumber", p->number);
	xmlw_element(w, "PurchaseInvoiceDate", p->date);
	xmlw_element(w, "VendorName", p->vendor);
	xmlw_open(w, "InvoiceLines");
	for (size_t i = 0; i < p->n; i++)
		write_row_locked(org, &p->rows[i], w);
	xmlw_close(w);
	xmlw_close(w);
}

void nv_getpurchaseinvoice(struct nv_call *nc)
{
	const char *list = call_param(nc->c, "netvisorkeylist");
	const char *one = call_param(nc->c, "netvisorkey");
	struct nv_answer a;
	bool found = false;
	if (!list && !one) {
		nv_fail(nc, "INVALID_DATA", NV_TEXT_MISSING, "netvisorkey");
		return;
	}
	nv_answer(nc, &a);
	if (list)
		xmlw_open(&a.w, "PurchaseInvoices");
	pthread_mutex_lock(&nc->org->lock);
	for (size_t i = 0; i < nc->org->n_purchases; i++) {
		const struct nv_purchase *p = &nc->org->purchases[i];
		if (p->is_deleted || !nv_key_in_list(list ? list : one, p->key))
			continue;
		write_one_locked(nc->org, p, &a.w);
		found = true;
	}
	pthread_mutex_unlock(&nc->org->lock);
	if (!found && !list) { /* §4.3 */
		xmlw_open(&a.w, "PurchaseInvoice");
		xmlw_close(&a.w);
	}
	if (list)
		xmlw_close(&a.w);
	nv_finish(nc, &a);
}

/* ---- what people do ------------------------------------------------------------------------- */

static bool set_text(char **to, const struct json *j, const char *key)
{
	const char *text = json_str(json_get(j, key));
	if (!json_get(j, key))
		return true;
	mem_free(*to);
	*to = text ? mem_strdup(text) : NULL;
	return !text || *to;
}

static bool set_row(struct nv_purchase_row *row, const struct json *j)
{
	const char *net = json_text(json_get(j, "net"));
	row->has_no_sum = json_get(j, "net") && !net;
	return (!net || decimal_parse(span_of(net), &row->net)) &&
	       set_text(&row->text, j, "text") && set_text(&row->heading, j, "heading") &&
	       set_text(&row->item, j, "item");
}

/* Rows in their order: an object changes or adds one, null leaves it, "gone" takes it away. */
static bool set_rows_locked(struct nv_org *org, struct nv_purchase *p, const struct json *rows)
{
	size_t i = 0;
	for (const struct json *j = json_first(rows); j; j = json_next(j)) {
		if (str_eq(json_str(j), "gone") && i < p->n) {
			row_clear(&p->rows[i]);
			memmove(&p->rows[i], &p->rows[i + 1], (--p->n - i) * sizeof(*p->rows));
			continue;
		}
		if (i == p->n) {
			if (!array_reserve(&p->rows, p->n, &p->cap, sizeof(*p->rows)))
				return false;
			p->rows[p->n++] = (struct nv_purchase_row) { .key = ++org->next_key };
		}
		if (json_type(j) == JSON_OBJECT && !set_row(&p->rows[i], j))
			return false;
		i++;
	}
	return true;
}

static bool change_locked(struct nv_org *org, struct nv_purchase *p, const struct json *j)
{
	const char *date = json_str(json_get(j, "date"));
	bool flag;
	if (json_bool(json_get(j, "accepted"), &flag))
		p->is_accepted = flag;
	if (json_bool(json_get(j, "deleted"), &flag))
		p->is_deleted = flag;
	if (date)
		snprintf(p->date, sizeof(p->date), "%s", date);
	if (!json_bool(json_get(j, "touch"), &flag) || flag)
		p->modified_ms = nv_now();
	return set_text(&p->number, j, "number") && set_text(&p->vendor, j, "vendor") &&
	       set_rows_locked(org, p, json_get(j, "rows"));
}

static struct nv_purchase *make_locked(struct nv_org *org)
{
	if (!array_reserve(&org->purchases, org->n_purchases, &org->cap_purchases,
			   sizeof(*org->purchases)))
		return NULL;
	struct nv_purchase *p = &org->purchases[org->n_purchases++];
	*p = (struct nv_purchase) { .key = ++org->next_key, .is_accepted = true };
	snprintf(p->date, sizeof(p->date), "2026-11-10");
	return p;
}

static void write_json(const struct nv_purchase *p, struct json_writer *w)
{
	jsonw_object(w);
	jsonw_kint(w, "key", p->key);
	jsonw_key(w, "rows");
	jsonw_array(w);
	for (size_t i = 0; i < p->n; i++)
		jsonw_int(w, p->rows[i].key);
	jsonw_end_array(w);
	jsonw_end_object(w);
}

/* POST {"count": 1, "number", "date", "vendor", "accepted", "rows": [{"text", "net", "heading",
 * "item"}]} makes some, "net": null one without a sum; with a key it changes that one, "touch":
 * false in silence. DELETE. */
void nv_control_purchases(struct nv_org *org, struct call *c, const char *key)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct nv_purchase *p = NULL;
	bool ok = true;
	if (!body && call_is(c, "POST"))
		return;
	pthread_mutex_lock(&org->lock);
	for (size_t i = 0; key && i < org->n_purchases; i++)
		if (org->purchases[i].key == strtoll(key, NULL, 10))
			p = &org->purchases[i];
	jsonw_array(&w);
	if (p && call_is(c, "DELETE"))
		p->is_deleted = true;
	else if (p)
		ok = change_locked(org, p, body);
	int64_t count = key ? 0 : control_int(body, "count", 1, 10000);
	for (int64_t i = 0; ok && i < count; i++) {
		p = make_locked(org);
		ok = p && change_locked(org, p, body);
		if (ok)
			write_json(p, &w);
	}
	if (p && key)
		write_json(p, &w);
	pthread_mutex_unlock(&org->lock);
	jsonw_end_array(&w);
	if (ok && p)
		reply_json(c, 200, &sb);
	else
		control_error(c, 400, "no such purchase invoice, or not understood");
}
