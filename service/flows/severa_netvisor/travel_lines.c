/*
 * travel_lines.c: what a travel reimbursement says, as Netvisor's trip expense wants it (NV-12,
 * NV-11): who is paid, by which ratio each line goes, and that the sum is what Severa says. Reads
 * only; each lack is an error of its own.
 */
#include "base/base.h"
#include "travel.h"

#define OWN_CURRENCY "EUR" /* a trip expense has no currency: the company's own */

/* ---- who is paid --------------------------------------------------------------------------- */

static const char *text_of(const struct json *map, const char *key)
{
	const char *text = key ? json_str(json_get(map, key)) : NULL;
	return text && text[0] ? text : NULL;
}

static bool is_guid(const char *text)
{
	return strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36;
}

/* Guids are compared without case. */
static const char *by_guid(const struct json *map, const char *guid)
{
	for (const struct json *m = json_first(map); m && guid; m = json_next(m))
		if (strcasecmp(json_key(m), guid) == 0)
			return text_of(map, json_key(m));
	return NULL;
}

static bool has_other_keys(const struct json *map)
{
	for (const struct json *m = json_first(map); m; m = json_next(m))
		if (!is_guid(json_key(m)))
			return true;
	return false;
}

/* The person is read only where the setting names some by e-mail address or code. */
static bool find_employee(struct travel *t, struct err *err)
{
	const struct json *map = t->sn->set.travel_employees;
	const char *name = t->doc.user_name ? t->doc.user_name : t->doc.user_id;
	struct severa_user user;
	t->employee = by_guid(map, t->doc.user_id);
	if (!t->employee && t->doc.user_id && has_other_keys(map)) {
		if (!severa_user(&t->sn->road.severa, t->doc.user_id, &user, err))
			return false;
		t->employee = text_of(map, user.email);
		if (!t->employee)
			t->employee = text_of(map, user.code);
	}
	return t->employee ||
	       err_reason(err, ERR_DATA, "employee_number_missing", name ? name : "",
			  "travel.employees names no employee number of %s", name ? name : "");
}

/* ---- lines --------------------------------------------------------------------------------- */

static const char *day_of(struct travel *t, const char *time, const char *fallback)
{
	const char *from = time && strlen(time) >= 10 ? time : fallback;
	return from ? arena_printf(t->sn->road.at->arena, "%.10s", from) : NULL;
}

static bool choose_ratio(struct travel *t, const struct severa_travel_line *l, const char **ret,
			 struct err *err)
{
	const struct json *map = t->sn->set.travel_ratios;
	char name[160];
	*ret = text_of(map, l->type_code);
	if (!*ret)
		*ret = by_guid(map, l->type_id);
	snprintf(name, sizeof(name), "%.50s%s%.100s", l->type_code ? l->type_code : "",
		 l->type_code && l->type_name ? " " : "", l->type_name ? l->type_name : "");
	return *ret || err_reason(err, ERR_DATA, "travel_ratio_missing", name,
				  "travel.ratios names no ratio for %s", name);
}

static bool choose_price(struct travel *t, const struct severa_travel_line *l, struct decimal *ret,
			 struct err *err)
{
	bool is_net = l->has_vat_rate && netvisor_trip_price(&t->sn->netvisor) == NETVISOR_TRIP_NET;
	const char *name = l->type_name ? l->type_name : l->id;
	if (!(is_net ? l->has_net_unit_cost : l->has_unit_cost))
		return err_reason(err, ERR_DATA, "travel_price_missing", name,
				  "travel expense %s has no unit cost", name);
	if (l->currency && strcmp(l->currency, OWN_CURRENCY) != 0)
		return err_reason(err, ERR_DATA, "travel_currency", name,
				  "travel expense %s is in %s", name, l->currency);
	*ret = is_net ? l->net_unit_cost : l->unit_cost;
	return true;
}

/* The line as people and the hash see it: what is paid back, VAT and all. */
static void make_row(const struct severa_travel_line *l, const char *ratio, size_t i,
		     struct invoice_row *row)
{
	*row = (struct invoice_row) { .source_id = l->id,
				      .position = (int64_t)i + 1,
				      .product_code = ratio,
				      .name = l->type_name ? l->type_name : "",
				      .description = l->description,
				      .quantity = l->quantity,
				      .unit_price = l->unit_cost,
				      .vat_code = "",
				      .has_vat_rate = l->has_vat_rate,
				      .vat_rate = l->vat_rate,
				      .unit = l->unit,
				      .project_id = l->project_id,
				      .phase_id = l->phase_id };
}

static bool make_line(struct travel *t, const struct severa_travel_line *l, size_t i,
		      struct err *err)
{
	struct netvisor_trip_line *line = &t->lines[i];
	struct invoice_row *row = &t->inv.rows[i];
	struct decimal cost;
	if (!choose_ratio(t, l, &line->ratio, err) || !choose_price(t, l, &line->unit_price, err))
		return false;
	make_row(l, line->ratio, i, row);
	line->quantity = l->quantity;
	line->has_vat_rate = l->has_vat_rate;
	line->vat_rate = l->vat_rate;
	line->begin = day_of(t, l->begin, l->date ? l->date : t->doc.date);
	line->end = day_of(t, l->end, l->date ? l->date : t->doc.date);
	line->description = l->description && l->description[0] ? l->description : l->type_name;
	if (!line->begin || !line->end)
		return err_reason(err, ERR_DATA, "date_missing", row->name,
				  "travel expense %s has no day", row->name);
	if (!decimal_mul(l->quantity, l->unit_cost, &cost))
		return err_reason(err, ERR_DATA, "amount_too_large", row->name,
				  "quantity and cost of %s", row->name);
	row->net = row->gross = decimal_round(cost, 2);
	return decimal_add(t->inv.total_gross, row->gross, &t->inv.total_gross) ||
	       err_set(err, ERR_DATA, "the sum has too many digits");
}

/* A cent per line, where Severa rounds otherwise. */
static bool check_sum(struct travel *t, struct err *err)
{
	char ours[DECIMAL_TEXT_MAX], theirs[DECIMAL_TEXT_MAX];
	struct decimal off, may_be = { (int64_t)t->inv.n_rows, 2 };
	if (!t->doc.has_total || !decimal_sub(t->doc.total, t->inv.total_gross, &off) ||
	    decimal_cmp(decimal_abs(off), may_be) <= 0)
		return true;
	const char *both = arena_printf(t->sn->road.at->arena, "%s: %s, %s", t->doc.number,
					decimal_format(t->inv.total_gross, 2, '.', ours),
					decimal_format(t->doc.total, 2, '.', theirs));
	return err_reason(err, ERR_DATA, "travel_sum_mismatch", both ? both : t->doc.number,
			  "lines make %s, Severa says %s", ours, theirs);
}

static bool read_lines(struct travel *t, struct err *err)
{
	struct road *road = &t->sn->road;
	struct severa_travel_line *lines;
	size_t n;
	if (!severa_travel_lines(&road->severa, t->doc.id, &lines, &n, err))
		return false;
	if (n == 0)
		return err_reason(err, ERR_DATA, "travel_rows_missing", t->doc.number,
				  "travel invoice %s has no lines", t->doc.number);
	t->lines = arena_alloc_array(road->at->arena, n, sizeof(*t->lines));
	t->inv.rows = arena_alloc_array(road->at->arena, n, sizeof(*t->inv.rows));
	if (!t->lines || !t->inv.rows)
		return sn_full(err);
	t->inv.n_rows = n;
	for (size_t i = 0; i < n; i++)
		if (!make_line(t, &lines[i], i, err))
			return false;
	return check_sum(t, err);
}

bool sn_travel_prepare(struct travel *t, struct err *err)
{
	struct arena *arena = t->sn->road.at->arena;
	const struct severa_travel *doc = &t->doc;
	t->inv = (struct invoice) { .source_id = doc->id,
				    .number = doc->number,
				    .issue_date = day_of(t, doc->date, doc->created),
				    .currency = OWN_CURRENCY,
				    .notes = doc->title,
				    .total_gross = DECIMAL_ZERO };
	t->inv.buyer.name = doc->user_name;
	if (!doc->number || !t->inv.issue_date)
		return err_reason(err, ERR_DATA, "date_missing", doc->id,
				  "travel reimbursement %s has no number or no date", doc->id);
	if (!find_employee(t, err))
		return false;
	if (decimal_sign(doc->advance) != 0)
		return err_reason(err, ERR_DATA, "travel_advance", doc->number,
				  "travel invoice %s has an advance payment", doc->number);
	if (!read_lines(t, err))
		return false;
	t->inv.total_net = t->inv.total_gross;
	t->hash = invoice_content_hash(&t->inv, arena);
	return t->hash ? true : sn_full(err);
}

/* ---- the document -------------------------------------------------------------------------- */

bool sn_travel_map(struct travel *t, struct err *err)
{
	struct attempt *at = t->sn->road.at;
	const char *title = t->doc.title && t->doc.title[0] ? t->doc.title : t->doc.user_name;
	struct netvisor_trip trip = {
		.employee = t->employee,
		.header = arena_printf(at->arena, "%s %s", t->doc.number, title ? title : ""),
		/* By this a person finds it again, whatever becomes of its answer. */
		.description = arena_printf(at->arena, "Severa %s", t->doc.id),
		.lines = t->lines,
		.n_lines = t->inv.n_rows
	};
	if (!trip.header || !trip.description)
		return sn_full(err);
	for (size_t i = 0; i < t->inv.n_rows; i++) {
		t->lines[i].dimensions = t->inv.rows[i].dimensions;
		t->lines[i].n_dimensions = t->inv.rows[i].n_dimensions;
	}
	return netvisor_map_trip(at->arena, at->preview ? XML_UTF8 : t->sn->netvisor.encoding,
				 &trip, &t->document, err);
}
