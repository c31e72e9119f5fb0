/*
 * trips.c: trip expenses (facts/netvisor.md §11): all lines as custom lines, whose ratios a company
 * names itself. The order of elements is that of the fact sheet; attachments are left out, since
 * nothing is known of how they are written.
 *
 * Netvisor has no call to read one: whoever sends it cannot find out what became of it.
 */
#include "base/base.h"
#include "netvisor_internal.h"

#define BODY_MAX ((size_t)4 << 20)

static void typed(struct xml_writer *w, const char *name, const char *key, const char *value,
		  const char *text)
{
	xmlw_open(w, name);
	xmlw_attr(w, key, value);
	xmlw_text(w, text);
	xmlw_close(w);
}

static void number(struct xml_writer *w, const char *name, struct decimal d, unsigned min_scale)
{
	char buf[DECIMAL_TEXT_MAX];
	xmlw_element(w, name, decimal_format(decimal_normalize(d), min_scale, ',', buf));
}

static void write_line(struct xml_writer *w, const char *employee,
		       const struct netvisor_trip_line *l)
{
	xmlw_open(w, "customline");
	typed(w, "employeeidentifier", "type", "number", employee);
	typed(w, "ratio", "type", "name", l->ratio);
	number(w, "amount", l->quantity, 0);
	number(w, "customlineunitprice", l->unit_price, 2);
	if (l->has_vat_rate)
		number(w, "vatpercentage", l->vat_rate, 0);
	xmlw_element(w, "linedescription", l->description ? l->description : "");
	typed(w, "begindate", "format", "ansi", l->begin);
	typed(w, "enddate", "format", "ansi", l->end);
	for (size_t i = 0; i < l->n_dimensions; i++) {
		xmlw_open(w, "dimension");
		xmlw_element(w, "dimensionname", l->dimensions[i].heading);
		xmlw_element(w, "dimensionitem", l->dimensions[i].item);
		xmlw_close(w);
	}
	xmlw_close(w);
}

bool netvisor_map_trip(struct arena *arena, enum xml_encoding encoding,
		       const struct netvisor_trip *trip, struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, BODY_MAX);
	struct xml_writer w = XML_WRITER_INIT(&sb, encoding);
	xmlw_open(&w, "root");
	xmlw_open(&w, "tripexpense");
	xmlw_element(&w, "header", trip->header);
	xmlw_element(&w, "description", trip->description);
	xmlw_open(&w, "customlines");
	for (size_t i = 0; i < trip->n_lines; i++)
		write_line(&w, trip->employee, &trip->lines[i]);
	xmlw_close(&w);
	xmlw_close(&w);
	xmlw_close(&w);
	return xmlw_finish(&w, ret, err);
}

bool netvisor_trip_add(struct netvisor *nv, struct span body, const char **ret_key, struct err *err)
{
	const struct xml *root;
	if (!netvisor_post(nv, "send trip expense", "tripexpense.nv", body, &root, err))
		return false;
	const char *key = xml_text_at(root, "replies/inserteddataidentifier");
	*ret_key = key ? key : "";
	return true;
}
