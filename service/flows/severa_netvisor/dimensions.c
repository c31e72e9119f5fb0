/*
 * dimensions.c: the dimension items that a document's rows carry stand in Netvisor before it: made,
 * renamed, or found as they are (NV-08, NV-09, NV-11).
 *
 * Netvisor makes in silence what a row names and it does not have, so that a spelling of ours would
 * make a second item. Hence the list is read for each document, not remembered from another one;
 * the heading must stand in it; and a row carries the item by the name that it has there now, also
 * where a person has renamed it in Netvisor.
 */
#include "base/base.h"
#include "internal.h"

/* ---- what is known ------------------------------------------------------------------------- */

bool sn_dimension_table(struct sn *r, const char *heading, struct link_table *ret, struct err *err)
{
	const char *scope;
	if (!sn_link_scope(r->road.at, &scope, err))
		return false;
	/* Under another heading it is another item. */
	*ret = (struct link_table) { .kind = SN_DIMENSION };
	ret->scope = arena_printf(r->road.at->arena, "%s:%s", scope, heading);
	return ret->scope ? true : sn_full(err);
}

static bool read_list(struct sn *r, struct err *err)
{
	return netvisor_dimensions(&r->netvisor, &r->dimensions, &r->n_dimensions, err);
}

/* An item on its way: what it is to be, and what stands at Netvisor. */
struct way {
	struct sn *r;
	struct sn_item *it;
	struct link_table table;
	struct record_link link;
	const struct netvisor_dimension *theirs; /* NULL: there is none */
	bool is_linked; /* with theirs */
};

static bool is_link_of_other(struct way *w, const char *key, bool *ret, struct err *err)
{
	struct attempt *at = w->r->road.at;
	struct record_link link;
	if (!at->ops->links(at, &w->table, LINK_RIGHT, &key, 1, &link, err))
		return false;
	*ret = link.id[LINK_LEFT] && !str_eq(link.id[LINK_LEFT], w->it->id);
	return true;
}

static bool look_for_item(struct way *w, struct err *err)
{
	const struct netvisor_dimension *found[2];
	struct sn *r = w->r;
	size_t n = sn_items_like(r->dimensions, r->n_dimensions, w->it, found, ARRAY_SIZE(found));
	w->theirs = n ? found[0] : NULL;
	if (n > 1)
		return sn_item_is_free(r->dimensions, r->n_dimensions, w->it, found[0]->key, err);
	if (!n)
		return true;
	struct sn_theirs theirs = { found[0]->father, found[0]->code, found[0]->name, false };
	return is_link_of_other(w, found[0]->key, &theirs.is_taken, err) &&
	       sn_item_may_be(w->it, &theirs, err);
}

/* By the link; one whose item is gone, or who has none, by its number or name. */
static bool look(struct way *w, struct err *err)
{
	struct sn *r = w->r;
	struct attempt *at = r->road.at;
	if (!sn_heading_stands(r->dimensions, r->n_dimensions, w->it->heading, err) ||
	    !at->ops->links(at, &w->table, LINK_LEFT, &w->it->id, 1, &w->link, err))
		return false;
	w->theirs = sn_item_by_key(r->dimensions, r->n_dimensions, w->it->heading,
				   w->link.id[LINK_RIGHT]);
	w->is_linked = w->theirs != NULL;
	return w->is_linked || look_for_item(w, err);
}

/* Is it to be renamed? Not where only Netvisor's side was: that is what a person wanted there. */
static bool differs(const struct way *w)
{
	const struct link_value *last = w->is_linked ? w->link.values : NULL;
	size_t n = w->is_linked ? w->link.n_values : 0;
	if (!n) {
		if (!sn_item_values(w->r->road.at->arena, w->theirs, &last))
			return true;
		n = SN_ITEM_VALUES;
	}
	for (size_t i = 0; i < n; i++) {
		const char *is = str_eq(last[i].name, SN_ITEM_CODE) ? w->it->code : w->it->name;
		if (!str_eq(last[i].value ? last[i].value : "", is ? is : ""))
			return true;
	}
	return false;
}

/* ---- writing ------------------------------------------------------------------------------- */

static bool put_link(struct way *w, const char *key, bool made, struct err *err)
{
	struct attempt *at = w->r->road.at;
	const struct link_value values[SN_ITEM_VALUES] = { { SN_ITEM_CODE, w->it->code },
							   { SN_ITEM_NAME, w->it->name } };
	struct record_link link = { .values = values, .n_values = ARRAY_SIZE(values) };
	link.id[LINK_LEFT] = w->it->id;
	link.id[LINK_RIGHT] = key;
	link.made[LINK_RIGHT] = made;
	return at->ops->link_put(at, &w->table, &link, 1, err);
}

static const char *step_of(struct way *w)
{
	const char *name = arena_printf(w->r->road.at->arena, "%s.%s", w->it->heading,
					w->it->code ? w->it->code : w->it->item);
	return name ? sn_step_name(w->r, "dimension", name) : NULL;
}

/* What was made is in the next list, with its key; if not yet, the next run finds it. */
static bool find_made(struct way *w, struct err *err)
{
	if (!read_list(w->r, err) || !look_for_item(w, err))
		return false;
	return w->theirs ? put_link(w, w->theirs->key, true, err)
			 : err_set(err, ERR_OUTAGE,
				   "%s was made, and Netvisor does not list it yet", w->it->item);
}

static bool add_item(struct way *w, struct err *err)
{
	struct sn *r = w->r;
	struct attempt *at = r->road.at;
	const struct sn_item *it = w->it;
	const struct netvisor_dimension_item d = { .heading = it->heading,
						   .item = it->item,
						   .code = it->code,
						   .label = it->code ? it->name : NULL,
						   .father_key = it->father_key,
						   .father_item = it->father_item };
	struct err inner = ERR_INIT;
	const char *step = step_of(w);
	if (!step)
		return sn_full(err);
	if (!sn_begin_addition(r, step, err))
		return false;
	if (!netvisor_dimension_save(&r->netvisor, &d, &inner)) {
		if (!sn_may_be_there(&inner) || !read_list(r, NULL) || !look_for_item(w, NULL) ||
		    !w->theirs)
			return sn_refused(r, step, &inner, err);
		return at->ops->step_outcome(at, step, w->theirs->key, err) &&
		       put_link(w, w->theirs->key, false, err);
	}
	road_note_change(&r->road, "dimension_added", "added to", it->heading, it->item);
	/* Until it is listed it is in doubt: the next attempt waits, and makes no second one. */
	return find_made(w, err) && at->ops->step_outcome(at, step, w->theirs->key, err);
}

/* Without a step: a rename that was carried out in silence is seen at the next reading, and then
 * there is nothing left to rename. */
static bool rename_item(struct way *w, struct err *err)
{
	struct sn *r = w->r;
	const char *key = w->theirs->key;
	struct err inner = ERR_INIT;
	if (!sn_item_is_free(r->dimensions, r->n_dimensions, w->it, key, err))
		return false;
	if (!sn_rename_item(r, w->it, w->theirs, &inner)) {
		if (inner.code == ERR_DOUBT)
			inner.code = ERR_OUTAGE;
		if (err)
			*err = inner;
		return false;
	}
	road_note_change(&r->road, "dimension_renamed", "renamed in", w->it->heading, w->it->item);
	if (!put_link(w, key, w->is_linked && w->link.made[LINK_RIGHT], err) || !read_list(r, err))
		return false;
	w->theirs = sn_item_by_key(r->dimensions, r->n_dimensions, w->it->heading, key);
	return w->theirs || err_set(err, ERR_OUTAGE, "Netvisor does not list %s after its renaming",
				    w->it->item);
}

bool sn_rename_item(struct sn *r, const struct sn_item *it, const struct netvisor_dimension *theirs,
		    struct err *err)
{
	bool empties = !it->code && theirs->code && theirs->code[0];
	const struct netvisor_dimension_item d = {
		.heading = it->heading,
		.item = it->item,
		.old_item = theirs->name,
		.code = empties ? "" : it->code,
		.label = empties    ? ""
			 : it->code ? it->name
				    : NULL,
	};
	return netvisor_dimension_save(&r->netvisor, &d, err);
}

/* Under the record's lease: looked at once more, since another job may have been at it before the
 * lease was ours. */
static bool make_or_rename(struct way *w, struct err *err)
{
	const char *step = step_of(w);
	if (!step)
		return sn_full(err);
	if (!read_list(w->r, err) || !look(w, err))
		return false;
	if (!w->theirs)
		return add_item(w, err);
	return sn_close_addition(w->r, step, w->theirs->key, err) &&
	       (differs(w) ? rename_item(w, err)
			   : w->is_linked || put_link(w, w->theirs->key, false, err));
}

const char *sn_item_lease(struct sn *r, const struct sn_item *it)
{
	const char *kind = arena_printf(r->road.at->arena, "dimension:%s", it->heading);
	return sn_record_name(r, kind ? kind : "", it->code ? it->code : it->item);
}

/* ---- an item of a row ---------------------------------------------------------------------- */

static bool would_change(struct way *w)
{
	if (!w->theirs || differs(w))
		road_note_change(&w->r->road, w->theirs ? "dimension_renamed" : "dimension_added",
				 w->theirs ? "renamed in" : "added to", w->it->heading,
				 w->it->item);
	return true;
}

/* *ret: as a row names it; *ret_key NULL: it would be made. */
static bool need_item(struct sn *r, struct sn_item *it, struct dimension_value *ret,
		      const char **ret_key, struct err *err)
{
	struct attempt *at = r->road.at;
	struct way w = { .r = r, .it = it };
	struct err inner = ERR_INIT;
	if (!sn_dimension_table(r, it->heading, &w.table, err) ||
	    (!r->dimensions && !read_list(r, err)) || !look(&w, err))
		return false;
	bool stands = w.theirs && w.is_linked && !differs(&w);
	if (!stands && !at->preview) {
		const char *record = sn_item_lease(r, it);
		if (!at->ops->record_lease(at, record, err) ||
		    !sn_release(r, record, make_or_rename(&w, &inner), &inner, err))
			return false;
	} else if (!stands) {
		(void)would_change(&w);
	}
	if (w.theirs && w.theirs->is_hidden)
		return err_reason(err, ERR_DATA, "dimension_hidden", w.theirs->name,
				  "dimension item %s is hidden in Netvisor", w.theirs->name);
	*ret = (struct dimension_value) { .heading = it->heading,
					  .item = w.theirs && !at->preview ? w.theirs->name
									   : it->item,
					  .code = it->code,
					  .label = it->code ? it->name : NULL };
	*ret_key = w.theirs ? w.theirs->key : NULL;
	return true;
}

/* Below its project's item, where both stand under one heading: then it stands for both. */
static bool phase_item(struct sn *r, const char *phase_id, const struct dimension_value *project,
		       const char *project_key, struct dimension_value *ret, bool *ret_any,
		       struct err *err)
{
	struct severa_phase p;
	struct sn_item it;
	const char *key;
	*ret_any = false;
	if (!r->set.phase_heading || !phase_id)
		return true;
	if (!severa_phase(&r->road.severa, phase_id, &p, err))
		return false;
	if (!p.parent_id)
		return true; /* the project's own */
	if (!sn_phase_item(r->road.at->arena, &r->set, &p, &it, err))
		return false;
	if (it.project_id) {
		it.father_key = project_key;
		it.father_item = project->item;
	}
	*ret_any = true;
	return need_item(r, &it, ret, &key, err);
}

bool sn_row_dimensions(struct sn *r, const char *project_id, const char *phase_id,
		       const struct dimension_value **ret, size_t *ret_n, struct err *err)
{
	struct arena *arena = r->road.at->arena;
	struct severa_project p;
	struct sn_item it;
	struct dimension_value phase;
	const char *key = NULL;
	bool has_phase;
	size_t n = 0;
	struct dimension_value *d = arena_alloc_array(arena, 3, sizeof(*d));
	if (!d)
		return sn_full(err);
	*ret = d;
	*ret_n = 0;
	if (!project_id || !sn_has_dimensions(&r->set))
		return true;
	if (!severa_project(&r->road.severa, project_id, &p, err))
		return false;
	if (r->set.project_heading && (!sn_project_item(arena, &r->set, &p, &it, err) ||
				       !need_item(r, &it, &d[n++], &key, err)))
		return false;
	if (!phase_item(r, phase_id, &d[0], key, &phase, &has_phase, err))
		return false;
	if (has_phase && n && str_eq(phase.heading, d[0].heading))
		n = 0;
	if (has_phase)
		d[n++] = phase;
	const struct severa_unit u = { .id = p.unit_id, .code = p.unit_code, .name = p.unit_name };
	if (r->set.unit_heading && u.id &&
	    (!sn_unit_item(arena, &r->set, &u, &it, err) || !need_item(r, &it, &d[n++], &key, err)))
		return false;
	*ret_n = n;
	return true;
}

/* ---- of an invoice ------------------------------------------------------------------------- */

/* An earlier row of the same project and phase has its items already. */
static const struct invoice_row *same_as_before(const struct invoice *inv, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(inv->rows[k].project_id, inv->rows[i].project_id) &&
		    str_eq(inv->rows[k].phase_id, inv->rows[i].phase_id))
			return &inv->rows[k];
	return NULL;
}

static bool row_items(struct sn *r, struct invoice *inv, size_t i, struct err *err)
{
	struct invoice_row *row = &inv->rows[i];
	const struct invoice_row *before = same_as_before(inv, i);
	if (!row->project_id) {
		road_note(&r->road, "row_without_project",
			  "Row %" PRId64 " (%.80s) belongs to no single project; it carries no "
			  "dimensions.",
			  row->position, row->name);
		return true;
	}
	if (r->set.phase_heading && !row->phase_id)
		road_note(&r->road, "row_without_phase",
			  "Row %" PRId64 " (%.80s) belongs to no single phase; it carries the "
			  "dimensions of its project alone.",
			  row->position, row->name);
	if (!before)
		return sn_row_dimensions(r, row->project_id, row->phase_id, &row->dimensions,
					 &row->n_dimensions, err);
	row->dimensions = before->dimensions;
	row->n_dimensions = before->n_dimensions;
	return true;
}

bool sn_dimensions(struct sn *r, struct invoice *inv, struct err *err)
{
	if (!sn_has_dimensions(&r->set) || !r->set.dimensions_on_invoice_rows || !inv->n_projects)
		return true;
	if ((inv->n_projects > 1 || r->set.phase_heading) &&
	    !severa_row_projects(&r->road.severa, inv, err))
		return false;
	for (size_t i = 0; i < inv->n_rows; i++) {
		if (inv->n_projects == 1)
			inv->rows[i].project_id = inv->project_ids[0];
		if (!row_items(r, inv, i, err))
			return false;
	}
	return true;
}
