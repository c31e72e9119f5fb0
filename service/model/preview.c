/*
 * preview.c: writes a dry run's answer (preview.h). Attachments are named with their size; their
 * bytes never go along.
 */
#include "base/base.h"
#include "model/preview.h"

#include "codec/json.h"

#define PREVIEW_MAX ((size_t)1 << 20)

static void kdecimal(struct json_writer *w, const char *key, struct decimal d)
{
	jsonw_key(w, key);
	jsonw_decimal(w, decimal_normalize(d));
}

static void write_dimensions(struct json_writer *w, const struct invoice_row *row)
{
	jsonw_key(w, "dimensions");
	jsonw_array(w);
	for (size_t i = 0; i < row->n_dimensions; i++) {
		jsonw_object(w);
		jsonw_kstr(w, "heading", row->dimensions[i].heading);
		jsonw_kstr(w, "item", row->dimensions[i].item);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_row(struct json_writer *w, const struct invoice_row *row)
{
	jsonw_object(w);
	jsonw_kint(w, "row", row->position);
	jsonw_kstr(w, "product_code", row->product_code);
	jsonw_kstr(w, "name", row->name);
	kdecimal(w, "quantity", row->quantity);
	jsonw_kstr(w, "unit", row->unit);
	kdecimal(w, "unit_price", row->unit_price);
	kdecimal(w, "vat_rate", row->vat_rate);
	jsonw_kstr(w, "vat_code", row->vat_code);
	kdecimal(w, "net", row->net);
	kdecimal(w, "vat", row->vat);
	kdecimal(w, "gross", row->gross);
	write_dimensions(w, row);
	jsonw_end_object(w);
}

static void write_vat(struct json_writer *w, const struct invoice *inv)
{
	jsonw_key(w, "vat");
	jsonw_array(w);
	for (size_t i = 0; i < inv->n_vat; i++) {
		jsonw_object(w);
		kdecimal(w, "rate", inv->vat[i].rate);
		kdecimal(w, "net", inv->vat[i].net);
		kdecimal(w, "vat", inv->vat[i].vat);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_attachments(struct json_writer *w, const struct invoice *inv)
{
	jsonw_key(w, "attachments");
	jsonw_array(w);
	for (size_t i = 0; i < inv->n_attachments; i++) {
		jsonw_object(w);
		jsonw_kstr(w, "name", inv->attachments[i].name);
		jsonw_kstr(w, "media_type", inv->attachments[i].mime_type);
		jsonw_kint(w, "bytes", (int64_t)inv->attachments[i].data.n);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_invoice(struct json_writer *w, const struct preview *p)
{
	const struct invoice *inv = p->invoice;
	jsonw_key(w, "invoice");
	jsonw_object(w);
	jsonw_kstr(w, "number", inv->number);
	jsonw_kstr(w, "reference", inv->reference);
	jsonw_kbool(w, "is_credit_note", inv->is_credit_note);
	jsonw_kstr(w, "customer", inv->buyer.name);
	jsonw_kstr(w, "customer_code", p->customer_code);
	jsonw_kstr(w, "date", inv->issue_date);
	jsonw_kstr(w, "due_date", inv->due_date);
	jsonw_kstr(w, "currency", inv->currency);
	kdecimal(w, "total_net", inv->total_net);
	kdecimal(w, "total_vat", inv->total_vat);
	kdecimal(w, "total_gross", inv->total_gross);
	kdecimal(w, "rounding", inv->rounding);
	write_vat(w, inv);
	jsonw_key(w, "rows");
	jsonw_array(w);
	for (size_t i = 0; i < inv->n_rows; i++)
		write_row(w, &inv->rows[i]);
	jsonw_end_array(w);
	write_attachments(w, inv);
	jsonw_end_object(w);
}

bool preview_write(struct arena *arena, const struct preview *p, const char **ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, PREVIEW_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	write_invoice(&w, p);
	jsonw_key(&w, "notes");
	jsonw_array(&w);
	for (size_t i = 0; i < p->n_notes; i++) {
		jsonw_object(&w);
		jsonw_kstr(&w, "code", p->notes[i].code);
		jsonw_kstr(&w, "text", p->notes[i].text);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_kstr(&w, "media_type", p->media_type);
	jsonw_key(&w, "document");
	jsonw_span(&w, p->document);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, ret, err);
}
