/*
 * netvisor_trips.c: trip expenses of the Netvisor stand-in (facts/netvisor.md §11). They come in
 * and nothing reads them back, as in Netvisor: only the ledger shows which came twice.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "netvisor.h"

/* A person whom nobody employs. */
#define UNKNOWN_EMPLOYEE "9999"

static void trip_clear(struct nv_trip *trip)
{
	mem_free(trip->header);
	mem_free(trip->description);
	mem_free(trip->employee);
	mem_free(trip->xml);
}

void nv_trips_release(struct nv_org *org)
{
	for (size_t i = 0; i < org->n_trips; i++)
		trip_clear(&org->trips[i]);
	mem_free(org->trips);
}

size_t nv_count_trip_duplicates(const struct nv_org *org)
{
	size_t n = 0;
	for (size_t i = 0; i < org->n_trips; i++) {
		size_t k = 0;
		while (k < i && strcmp(org->trips[k].description, org->trips[i].description) != 0)
			k++;
		n += k < i;
	}
	return n;
}

void nv_write_trips_locked(const struct nv_org *org, struct json_writer *w)
{
	jsonw_array(w);
	for (size_t i = 0; i < org->n_trips; i++) {
		const struct nv_trip *trip = &org->trips[i];
		jsonw_object(w);
		jsonw_kint(w, "netvisor_key", trip->key);
		jsonw_kstr(w, "header", trip->header);
		jsonw_kstr(w, "description", trip->description);
		jsonw_kstr(w, "employee", trip->employee);
		jsonw_key(w, "sum");
		jsonw_decimal(w, trip->sum);
		jsonw_key(w, "xml");
		jsonw_span(w, (struct span) { trip->xml, trip->xml_n });
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static bool is_date(const char *text)
{
	int y, m, d;
	return text && clock_parse_date(span_of(text), &y, &m, &d);
}

/* *sum grows by the line's. False: the reply is set. */
static bool take_line_locked(struct nv_call *nc, const struct xml *line, struct decimal *sum)
{
	const char *employee = xml_text_at(line, "employeeidentifier");
	const char *ratio = xml_text_at(line, "ratio");
	struct decimal amount, price, cost;
	if (!employee || strspn(employee, "0123456789") != strlen(employee) || !employee[0] ||
	    strcmp(employee, UNKNOWN_EMPLOYEE) == 0)
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, "employeeidentifier");
	if (!ratio || !ratio[0])
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_MISSING, "ratio");
	if (!nv_number(xml_text_at(line, "amount"), &amount) ||
	    !nv_number(xml_text_at(line, "customlineunitprice"), &price) ||
	    !decimal_mul(amount, price, &cost) || !decimal_add(*sum, decimal_round(cost, 2), sum))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, "amount");
	if (!is_date(xml_text_at(line, "begindate")) || !is_date(xml_text_at(line, "enddate")))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_VALUE, "begindate");
	for (const struct xml *d = xml_child(line, "dimension"); d; d = xml_next(d, "dimension"))
		if (!nv_use_dimension_locked(nc->org, xml_text_at(d, "dimensionname"),
					     xml_text_at(d, "dimensionitem")))
			return nv_fail(nc, "TECHNICAL_ERROR", NV_TEXT_VALUE, "dimension");
	return true;
}

static bool store_locked(struct nv_call *nc, const struct xml *x, struct decimal sum)
{
	struct nv_org *org = nc->org;
	const char *description = xml_text_at(x, "description");
	struct nv_trip trip = { .key = ++org->next_key,
				.header = mem_strdup(xml_text_at(x, "header")),
				.description = mem_strdup(description ? description : ""),
				.employee = mem_strdup(xml_text_at(
					x, "customlines/customline/employeeidentifier")),
				.sum = sum,
				.xml = mem_memdup(nc->c->body.p, nc->c->body.n),
				.xml_n = nc->c->body.n };
	if (!trip.header || !trip.description || !trip.employee || !trip.xml ||
	    !array_reserve(&org->trips, org->n_trips, &org->cap_trips, sizeof(*org->trips))) {
		trip_clear(&trip);
		return nv_fail(nc, "TECHNICAL_ERROR", NV_TEXT_VALUE, "tripexpense");
	}
	org->trips[org->n_trips++] = trip;
	nv_ok(nc, trip.key);
	return true;
}

static bool take_locked(struct nv_call *nc, const struct xml *x)
{
	struct decimal sum = DECIMAL_ZERO;
	const struct xml *line = xml_at(x, "customlines/customline");
	if (!line)
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_MISSING, "customline");
	for (; line; line = xml_next(line, "customline"))
		if (!take_line_locked(nc, line, &sum))
			return false;
	return store_locked(nc, x, sum);
}

void nv_tripexpense(struct nv_call *nc)
{
	if (!nv_check_order(nc, NV_DOC_TRIP))
		return;
	pthread_mutex_lock(&nc->org->lock);
	(void)!take_locked(nc, xml_child(nc->root, "tripexpense")); /* the reply says it */
	pthread_mutex_unlock(&nc->org->lock);
}
