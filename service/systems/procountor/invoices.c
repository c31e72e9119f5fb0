/*
 * invoices.c: sales invoices: made as drafts, found again by the number of ours that they carry,
 * and their files (facts/procountor.md §6, 8). Procountor takes two invoices with the same number
 * of ours, and may have stored one whose answer was an error or silence: nothing is sent a second
 * time before it was looked for (§6.4).
 */
#include "base/base.h"
#include "procountor_internal.h"

#include "codec/multipart.h"
#include "formats/text.h"
#include "model/media.h"

#define FILE_MAX 10000000 /* bytes (§8) */

bool procountor_invoice_add(struct procountor *p, struct span body, struct procountor_invoice *ret,
			    struct err *err)
{
	const struct procountor_rq rq = { .what = "send invoice",
					  .method = "POST",
					  .path = "/invoices",
					  .body = body,
					  .is_write = true };
	struct err inner = ERR_INIT;
	const struct json *j;
	if (!procountor_json(p, &rq, &j, err))
		return false;
	if (procountor_read_invoice(p->at->arena, j, ret, &inner))
		return true;
	return err_set(err, ERR_DOUBT, "%s: %s", rq.what, inner.message);
}

bool procountor_invoice(struct procountor *p, const char *id, struct procountor_invoice *ret,
			struct err *err)
{
	struct procountor_rq rq = { .what = "read invoice", .method = "GET" };
	struct strbuf sb = STRBUF_INIT(p->at->arena, 1024);
	const struct json *j;
	strbuf_addstr(&sb, "/invoices/");
	strbuf_add_urlencoded(&sb, id);
	return strbuf_finish(&sb, &rq.path, err) && procountor_json(p, &rq, &j, err) &&
	       procountor_read_invoice(p->at->arena, j, ret, err);
}

/* ---- is it ours ---------------------------------------------------------------------------- */

/*
 * Procountor reckons VAT by itself: a cent per row and rate is a matter of rounding (DESIGN §7). A
 * sum that is not told names no document, so that it cannot be ours.
 */
static bool is_sum(const struct procountor_invoice *have, const struct invoice *inv)
{
	const struct decimal most = { (__int128)(inv->n_rows + inv->n_vat), 2 };
	struct decimal off_net, off_gross;
	return have->has_sum && decimal_sub(have->net, inv->total_net, &off_net) &&
	       decimal_sub(have->gross, inv->total_gross, &off_gross) &&
	       decimal_cmp(decimal_abs(off_net), most) <= 0 &&
	       decimal_cmp(decimal_abs(off_gross), most) <= 0;
}

const char *procountor_invoice_differs(const struct procountor_invoice *have,
				       const struct invoice *inv, const char *partner_id)
{
	bool has_reference = inv->reference && inv->reference[0];
	const struct {
		const char *field;
		bool is_same;
	} fields[] = {
		{ "type", str_eq(have->type, "SALES_INVOICE") },
		{ "number", str_eq(have->original_number, inv->number) },
		/* Left to Procountor, it may be any. */
		{ "reference", !has_reference || str_eq(have->reference, inv->reference) },
		{ "customer", str_eq(have->partner_id, partner_id) },
		{ "date", str_eq(have->date, inv->issue_date) },
		{ "currency", str_eq(have->currency, inv->currency) },
		{ "sum", is_sum(have, inv) },
	};
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!fields[i].is_same)
			return fields[i].field;
	return NULL;
}

/* ---- the look-up --------------------------------------------------------------------------- */

struct look_up {
	const char *number;
	struct procountor_ids ids;
};

static bool is_void(const char *status)
{
	size_t i = 0;
	while (procountor_void_statuses[i] && !str_eq(procountor_void_statuses[i], status))
		i++;
	return procountor_void_statuses[i] != NULL;
}

/* The filter may be loose: letter by letter here. */
static bool pick_candidates(struct procountor *paged, void *ctx, const struct json *rows,
			    struct err *err)
{
	struct look_up *l = ctx;
	(void)paged; /* only ids are kept */
	for (const struct json *j = json_first(rows); j; j = json_next(j)) {
		const char *number = json_text(json_get(j, "originalInvoiceNumber"));
		if (!str_eq(number, l->number) || is_void(json_str(json_get(j, "status"))))
			continue;
		if (l->ids.n == ARRAY_SIZE(l->ids.ids))
			return err_set(err, ERR_SYSTEM, "more than %zu invoices have the number %s",
				       l->ids.n, l->number);
		if (!json_int64(json_get(j, "id"), &l->ids.ids[l->ids.n++]))
			return err_set(err, ERR_SYSTEM, "an invoice without an id");
	}
	return true;
}

/* Takes one candidate in; ours goes before another's. */
static void weigh(struct procountor_found *found, const struct procountor_invoice *have,
		  const char *differs)
{
	bool is_first = found->match == PROCOUNTOR_ABSENT;
	if (!differs && found->match == PROCOUNTOR_OURS) {
		found->match = PROCOUNTOR_SEVERAL;
	} else if (!differs && found->match != PROCOUNTOR_SEVERAL) {
		*found = (struct procountor_found) { .match = PROCOUNTOR_OURS, .invoice = *have };
	} else if (differs && is_first) {
		*found = (struct procountor_found) { .match = PROCOUNTOR_TAKEN,
						     .invoice = *have,
						     .differs = differs };
	}
}

static bool weigh_all(struct procountor *p, const struct look_up *l, const struct invoice *inv,
		      const char *partner_id, struct procountor_found *ret, struct err *err)
{
	const struct json *j;
	size_t n;
	if (!procountor_batch(p, "read invoices", "/invoices", &l->ids, &j, &n, err))
		return false;
	if (n < l->ids.n) /* listed a moment ago: half an answer is no proof of absence */
		return err_set(err, ERR_OUTAGE,
			       "Procountor does not show all invoices that it "
			       "lists");
	for (; n > 0; n--, j = json_next(j)) {
		struct procountor_invoice have;
		if (!procountor_read_invoice(p->at->arena, j, &have, err))
			return false;
		if (!is_void(have.status))
			weigh(ret, &have, procountor_invoice_differs(&have, inv, partner_id));
	}
	return true;
}

bool procountor_invoice_look_up(struct procountor *p, const struct invoice *inv,
				const char *partner_id, struct procountor_found *ret,
				struct err *err)
{
	struct procountor_search search = { .what = "look up invoice by number" };
	struct look_up l = { .number = inv->number };
	struct strbuf sb = STRBUF_INIT(p->at->arena, 1024);
	*ret = (struct procountor_found) { .match = PROCOUNTOR_ABSENT };
	strbuf_addstr(&sb, "/invoices?types=SALES_INVOICE&originalInvoiceNumber=");
	strbuf_add_urlencoded(&sb, inv->number);
	return strbuf_finish(&sb, &search.path, err) &&
	       procountor_each_page(p, &search, pick_candidates, &l, err) &&
	       weigh_all(p, &l, inv, partner_id, ret, err);
}

/* ---- files --------------------------------------------------------------------------------- */

static bool write_meta(struct procountor *p, const char *invoice_id, const char *name,
		       const char *type, bool is_sent_along, struct span *ret, struct err *err)
{
	struct procountor_form f = PROCOUNTOR_FORM_INIT(p->at->arena, err);
	procountor_form_begin(&f);
	procountor_put_needed(&f, "name", name, 0);
	procountor_put(&f, "referenceType", "INVOICE", 0);
	procountor_put_id(&f, "referenceId", invoice_id);
	procountor_put(&f, "mimeType", type, 0);
	jsonw_kbool(&f.w, "sendWithInvoice", is_sent_along);
	return procountor_form_end(&f, ret);
}

bool procountor_attach(struct procountor *p, const char *invoice_id, const struct attachment *file,
		       bool is_sent_along, struct err *err)
{
	struct arena *arena = p->at->arena;
	struct procountor_rq rq = {
		.what = "add attachment", .method = "POST", .path = "/attachments", .is_write = true
	};
	const char *type = media_type_of(arena, file->mime_type, file->name, file->data);
	struct span meta;
	struct http_reply reply;
	if (file->data.n > FILE_MAX)
		return err_reason(err, ERR_DATA, "attachment_too_large", file->name,
				  "%s: %zu bytes, at most %d", file->name, file->data.n, FILE_MAX);
	if (!type)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!write_meta(p, invoice_id, file->name, type, is_sent_along, &meta, err))
		return false;
	const struct multipart_part parts[] = {
		{ .name = "meta", .value = meta, .content_type = "application/json" },
		{ .name = "file",
		  .value = file->data,
		  .filename = file->name,
		  .content_type = type },
	};
	return multipart_write(arena, parts, ARRAY_SIZE(parts), &rq.body, &rq.content_type, err) &&
	       procountor_do(p, &rq, &reply, err);
}
