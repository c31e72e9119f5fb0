/*
 * dimensions.c: projects and business units are dimension items in Netvisor, made or renamed before
 * the rows that carry them (NV-08, NV-11).
 */
#include "base/base.h"
#include "internal.h"

static const struct netvisor_dimension *find_item(const struct netvisor_dimension *list, size_t n,
						  const struct dimension_value *d,
						  bool *ret_heading)
{
	const struct netvisor_dimension *by_name = NULL;
	*ret_heading = false;
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(list[i].heading, d->heading))
			continue;
		*ret_heading = true;
		if (!list[i].key)
			continue;
		if (d->code && list[i].code && list[i].code[0] && str_eq(list[i].code, d->code))
			return &list[i]; /* the number stays through a rename */
		if (str_eq(list[i].name, d->item))
			by_name = &list[i];
	}
	return by_name;
}

static bool look_for_item(struct sn *r, const struct dimension_value *d,
			  const struct netvisor_dimension **ret, struct err *err)
{
	const struct netvisor_dimension *list;
	size_t n;
	bool has_heading;
	if (!netvisor_dimensions(&r->netvisor, &list, &n, err))
		return false;
	*ret = find_item(list, n, d, &has_heading);
	return has_heading ||
	       err_reason(err, ERR_DATA, "dimension_heading_missing", d->heading,
			  "dimension heading %s does not exist in Netvisor", d->heading);
}

static bool add_item(struct sn *r, const struct dimension_value *d, struct err *err)
{
	struct attempt *at = r->road.at;
	struct err inner = ERR_INIT;
	const struct netvisor_dimension *item = NULL;
	const char *name = arena_printf(at->arena, "%s.%s", d->heading,
					d->code ? d->code : d->item);
	const char *step = name ? sn_step_name(r, "dimension", name) : NULL;
	if (!step)
		return sn_full(err);
	if (!sn_begin_addition(r, step, err))
		return false;
	if (!netvisor_dimension_save(&r->netvisor, d, NULL, &inner)) {
		if (!sn_may_be_there(&inner) || !look_for_item(r, d, &item, NULL) || !item)
			return sn_refused(r, step, &inner, err);
	} else {
		road_note_change(&r->road, "dimension_added", "added to", d->heading, d->item);
	}
	return at->ops->step_outcome(at, step, d->item, err);
}

/* Without a step: a rename that was carried out in silence is seen at the next reading, and then
 * there is nothing left to rename. */
static bool rename_item(struct sn *r, const struct dimension_value *d, const char *old_item,
			struct err *err)
{
	struct err inner = ERR_INIT;
	if (!netvisor_dimension_save(&r->netvisor, d, old_item, &inner)) {
		if (inner.code == ERR_DOUBT)
			inner.code = ERR_OUTAGE;
		if (err)
			*err = inner;
		return false;
	}
	road_note_change(&r->road, "dimension_renamed", "renamed in", d->heading, d->item);
	return true;
}

/* Under the record's lease: read once more, as with products. */
static bool make_or_rename(struct sn *r, const struct dimension_value *d, struct err *err)
{
	const struct netvisor_dimension *item;
	if (!look_for_item(r, d, &item, err))
		return false;
	if (!item)
		return add_item(r, d, err);
	return str_eq(item->name, d->item) || rename_item(r, d, item->name, err);
}

static bool need_item(struct sn *r, const struct dimension_value *d, struct err *err)
{
	struct attempt *at = r->road.at;
	const struct netvisor_dimension *item;
	struct err inner = ERR_INIT;
	const char *both = arena_printf(at->arena, "%s:%s", d->heading, d->item);
	const char *key = sn_cache_key(r, "dimension", both ? both : "");
	const char *record = sn_record_name(r, d->heading, d->code ? d->code : d->item);
	if (!both)
		return sn_full(err);
	if (at->ops->cache_get(at, key))
		return true;
	if (!look_for_item(r, d, &item, err))
		return false;
	bool stands = item && str_eq(item->name, d->item);
	if (!stands && at->preview) {
		road_note_change(&r->road, item ? "dimension_renamed" : "dimension_added",
				 item ? "renamed in" : "added to", d->heading, d->item);
		return true;
	}
	if (!stands && !at->ops->record_lease(at, record, err))
		return false;
	if (!stands && !sn_release(r, record, make_or_rename(r, d, &inner), &inner, err))
		return false;
	at->ops->cache_set(at, key, "1", SN_FRESH_MS);
	return true;
}

static bool make_item(struct sn *r, const char *heading, const char *code, const char *label,
		      struct dimension_value *ret, struct err *err)
{
	bool has_code = code && code[0];
	*ret = (struct dimension_value) { .heading = heading,
					  .code = has_code ? code : NULL,
					  .label = has_code ? label : NULL };
	ret->item = has_code ? arena_printf(r->road.at->arena, "%s %s", code, label) : label;
	if (!ret->item)
		return sn_full(err);
	return need_item(r, ret, err);
}

/* The items of one project; *ret_n of them, made when missing. */
static bool project_items(struct sn *r, const char *project_id, const struct dimension_value **ret,
			  size_t *ret_n, struct err *err)
{
	struct severa_project p;
	size_t n = 0;
	struct dimension_value *d = arena_alloc_array(r->road.at->arena, 2, sizeof(*d));
	if (!d)
		return sn_full(err);
	if (!severa_project(&r->road.severa, project_id, &p, err))
		return false;
	if (r->set.project_heading && p.name &&
	    !make_item(r, r->set.project_heading, p.number, p.name, &d[n++], err))
		return false;
	if (r->set.unit_heading && p.unit_name &&
	    !make_item(r, r->set.unit_heading, p.unit_code, p.unit_name, &d[n++], err))
		return false;
	*ret = d;
	*ret_n = n;
	return true;
}

/* An earlier row of the same project has its items already. */
static const struct invoice_row *same_project(const struct invoice *inv, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(inv->rows[k].project_id, inv->rows[i].project_id))
			return &inv->rows[k];
	return NULL;
}

static bool row_items(struct sn *r, struct invoice *inv, size_t i, struct err *err)
{
	struct invoice_row *row = &inv->rows[i];
	const struct invoice_row *before = same_project(inv, i);
	if (!row->project_id) {
		road_note(&r->road, "row_without_project",
			  "Row %" PRId64 " (%.80s) belongs to no single project; it carries no "
			  "dimensions.",
			  row->position, row->name);
		return true;
	}
	if (!before)
		return project_items(r, row->project_id, &row->dimensions, &row->n_dimensions, err);
	row->dimensions = before->dimensions;
	row->n_dimensions = before->n_dimensions;
	return true;
}

bool sn_dimensions(struct sn *r, struct invoice *inv, struct err *err)
{
	if ((!r->set.project_heading && !r->set.unit_heading) ||
	    !r->set.dimensions_on_invoice_rows || !inv->n_projects)
		return true;
	if (inv->n_projects > 1 && !severa_row_projects(&r->road.severa, inv, err))
		return false;
	for (size_t i = 0; i < inv->n_rows; i++) {
		if (inv->n_projects == 1)
			inv->rows[i].project_id = inv->project_ids[0];
		if (!row_items(r, inv, i, err))
			return false;
	}
	return true;
}
