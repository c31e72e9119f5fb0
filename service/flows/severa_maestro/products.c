/*
 * products.c: rows are matched to Maestro's products by code, whichever of Severa's three registers
 * the code comes from (MA-03). What has no product there goes to the fallback product, and is told
 * of: on the timeline of the invoice, and with its rows counted in the connection's report (MA-04).
 */
#include "base/base.h"
#include "internal.h"

#include "base/utf8.h"
#include "codec/json.h"

#define NOTES_MAX 20 /* rows that are named on one timeline */
#define KEPT_MS ((int64_t)62 * 86400000) /* the report looks back for half of it */

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- counting ------------------------------------------------------------------------------ */

static bool count(struct smx *m, const char *code, int64_t rows, struct err *err)
{
	struct report_code *c = map_get(m->codes, code);
	if (!c) {
		c = arena_alloc(m->road.at->arena, sizeof(*c));
		if (!c || !map_put(m->codes, code, c))
			return full(err);
		c->code = arena_strdup(m->road.at->arena, code);
	}
	c->rows += rows;
	return c->code || full(err);
}

static const char *key_of(const struct road *r, const char *source_id)
{
	return arena_printf(r->at->arena, "unknown_codes:%s", source_id);
}

/* {"PVR": 2} */
static bool write_counts(struct smx *m, const char **ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(m->road.at->arena, 1 << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	*ret = "";
	if (!map_first(m->codes))
		return true;
	jsonw_object(&w);
	for (const struct map_entry *e = map_first(m->codes); e; e = e->next)
		jsonw_kint(&w, e->key, ((const struct report_code *)e->value)->rows);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, ret, err);
}

/* With the invoice, so that one that is sent again is not counted twice. */
static bool keep_counts(struct smx *m, struct err *err)
{
	struct attempt *at = m->road.at;
	const char *key = key_of(&m->road, at->source_id), *before, *now;
	if (!key)
		return full(err);
	if (at->preview)
		return true;
	return write_counts(m, &now, err) && at->ops->kv_get(at, at->conn->id, key, &before, err) &&
	       (str_eq(before, now) || at->ops->kv_set(at, at->conn->id, key, now, KEPT_MS, err));
}

/* ---- the rows of an invoice ---------------------------------------------------------------- */

static const char *why_of(enum smx_match match)
{
	switch (match) {
	case SMX_NO_CODE:
		return "it has no code";
	case SMX_SEVERAL_CODES:
		return "it has several codes";
	case SMX_INACTIVE:
		return "at Maestro the product is not in use";
	case SMX_UNKNOWN:
	case SMX_MATCHED:
		break;
	}
	return "Maestro does not know the code";
}

static void note_row(struct smx *m, const struct invoice_row *row, enum smx_match match,
		     const char *codes, size_t n_before)
{
	const char *name = row->name ? row->name : "";
	if (n_before == NOTES_MAX)
		road_note(&m->road, "fallback_product",
			  "More rows go to the product %s; the connection's report counts those "
			  "whose codes Maestro does not know.",
			  m->maestro.fallback_product);
	if (n_before >= NOTES_MAX)
		return;
	road_note(&m->road, "fallback_product",
		  "Row %" PRId64 " (%.*s) goes to the product %s: %s%s%.*s.", row->position,
		  (int)utf8_prefix(span_of(name), 80), name, m->maestro.fallback_product,
		  why_of(match), codes[0] ? ", " : "", (int)utf8_prefix(span_of(codes), 120),
		  codes);
}

static bool need_fallback(struct smx *m, struct err *err)
{
	const char *code = m->maestro.fallback_product;
	struct maestro_product product;
	bool is_found;
	if (!maestro_product_find(&m->maestro, code, &product, &is_found, err))
		return false;
	return (is_found && product.is_active) ||
	       err_reason(err, ERR_DATA, "temp_product_missing", code,
			  "the product %s does not exist at Maestro, or is not in use", code);
}

/* Asked once per code of an invoice: asked has what came of it. */
static bool find_match(struct smx *m, const struct map *asked, const struct invoice_row *row,
		       enum smx_match *ret, struct err *err)
{
	struct maestro_product product;
	const char *code = row->n_codes == 1 ? row->codes[0] : NULL;
	const enum smx_match *before = code ? map_get(asked, code) : NULL;
	bool is_found = false;
	if (before) {
		*ret = *before;
		return true;
	}
	if (code && !maestro_product_find(&m->maestro, code, &product, &is_found, err))
		return false;
	*ret = smx_match(row, is_found ? &product : NULL);
	return true;
}

static bool take_fallback(struct smx *m, struct invoice_row *row, enum smx_match match,
			  size_t n_before, struct err *err)
{
	struct arena *arena = m->road.at->arena;
	const char *codes = smx_codes_of(arena, row);
	if (!codes)
		return full(err);
	if ((!n_before && !need_fallback(m, err)) ||
	    !smx_to_fallback(arena, m->maestro.fallback_product, row, err))
		return false;
	note_row(m, row, match, codes, n_before);
	return row->n_codes != 1 || count(m, row->codes[0], 1, err);
}

bool smx_choose_products(struct smx *m, struct err *err)
{
	struct arena *arena = m->road.at->arena;
	struct invoice *inv = &m->road.inv;
	struct map *asked = map_new(arena);
	enum smx_match *matches = arena_alloc_array(arena, inv->n_rows + 1, sizeof(*matches));
	size_t n_moved = 0;
	if (!asked || !matches)
		return full(err);
	for (size_t i = 0; i < inv->n_rows; i++) {
		struct invoice_row *row = &inv->rows[i];
		if (!find_match(m, asked, row, &matches[i], err))
			return false;
		if (matches[i] == SMX_MATCHED)
			row->product_code = row->codes[0];
		else if (!take_fallback(m, row, matches[i], n_moved++, err))
			return false;
		if (row->n_codes == 1 && !map_put(asked, row->codes[0], &matches[i]))
			return full(err);
	}
	return keep_counts(m, err);
}

void smx_note_warnings(struct smx *m, const struct maestro_created *made)
{
	struct err lost = ERR_INIT;
	for (size_t i = 0; i < made->n_warnings && i < NOTES_MAX; i++) {
		const struct maestro_warning *w = &made->warnings[i];
		road_note(&m->road, "fallback_product",
			  "Row %" PRId64 " went to the product %s: Maestro does not know the code, "
			  "%.120s.",
			  w->position, m->maestro.fallback_product, w->requested_code);
	}
	for (size_t i = 0; i < made->n_warnings; i++)
		if (!count(m, made->warnings[i].requested_code, 1, &lost))
			break;
	/* The invoice is sent: a count that is lost must not say otherwise. */
	if (made->n_warnings && !keep_counts(m, &lost))
		road_note(&m->road, "codes_not_counted",
			  "These rows will be missing in the connection's report.");
}

/* ---- the report ---------------------------------------------------------------------------- */

bool smx_watch(struct road *r, const char *source_id, struct err *err)
{
	struct smx *m = smx_of(r);
	const struct json *counts;
	const char *key = key_of(r, source_id), *text;
	int64_t rows;
	if (!key)
		return full(err);
	if (!r->at->ops->kv_get(r->at, r->at->conn->id, key, &text, err))
		return false;
	if (!text[0])
		return true;
	if (!json_parse(r->at->arena, span_of(text), JSON_LIMITS_API, &counts, err))
		return false;
	for (const struct json *j = json_first(counts); j; j = json_next(j))
		if (json_int64(j, &rows) && !count(m, json_key(j), rows, err))
			return false;
	return true;
}

/* Mended meanwhile? A Maestro that cannot be asked changes nothing. */
static bool is_mended(struct smx *m, const char *code)
{
	struct maestro_product product;
	struct err unasked = ERR_INIT;
	bool is_found;
	return maestro_product_find(&m->maestro, code, &product, &is_found, &unasked) && is_found &&
	       product.is_active;
}

bool smx_report(struct road *r, struct report *ret, struct err *err)
{
	struct smx *m = smx_of(r);
	size_t n = 0;
	struct report_code *list = arena_alloc_array(r->at->arena, map_size(m->codes) + 1,
						     sizeof(*list));
	if (!list)
		return full(err);
	for (const struct map_entry *e = map_first(m->codes); e; e = e->next) {
		const struct report_code *c = e->value;
		if (n >= REPORT_NAMES_MAX || !is_mended(m, c->code))
			list[n++] = *c;
	}
	ret->has_codes = true;
	ret->codes = list;
	ret->n_codes = n;
	return true;
}
