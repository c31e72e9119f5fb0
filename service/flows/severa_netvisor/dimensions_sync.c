/*
 * dimensions_sync.c: Severa's projects, business units and phases as dimension items of Netvisor,
 * at night (NV-08 to NV-10). Items are made and renamed; none is hidden or deleted, whatever is
 * closed or passive in Severa.
 *
 * Netvisor lists all items in one call and tells no key of what it made: a page of new ones is
 * asked for at once (register.h, id_by_find).
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "codec/json.h"

#define PROJECTS_READ_MAX 50 /* ids in one address */
#define PHASES_READ_MAX 20 /* one call each */
#define SAME_MAX 8 /* items that look like one record; more tell no more */

#define PROJECTS "projects"
#define UNITS "units"
#define PHASES "phases"

static const char *heading_of(const struct sn *r)
{
	const char *kind = r->road.at->kind;
	if (str_eq(kind, UNITS))
		return r->set.unit_heading;
	return str_eq(kind, PHASES) ? r->set.phase_heading : r->set.project_heading;
}

static bool scope(struct attempt *at, const char **ret, struct err *err)
{
	struct sn *r;
	struct link_table table;
	if (!sn_start(at, &r, err))
		return false;
	const char *heading = heading_of(r);
	if (!heading)
		return err_set(err, ERR_WAITING, "no heading is set");
	if (!sn_dimension_table(r, heading, &table, err))
		return false;
	*ret = table.scope;
	return true;
}

/* ---- of Severa ----------------------------------------------------------------------------- */

/* How a record is known and called. */
struct named {
	const char *id, *changed, *code, *name;
};

static struct named name_project(const void *item)
{
	const struct severa_project *p = item;
	return (struct named) { p->id, p->changed, p->number, p->name };
}

static struct named name_unit(const void *item)
{
	const struct severa_unit *u = item;
	return (struct named) { u->id, u->changed, u->code, u->name };
}

static struct named name_phase(const void *item)
{
	const struct severa_phase *p = item;
	return (struct named) { p->id, p->changed, p->code, p->name };
}

static bool put_all(struct attempt *at, const void *items, size_t size, size_t n,
		    struct named (*name)(const void *item), struct register_page *ret,
		    struct err *err)
{
	ret->records = arena_alloc_array(at->arena, n + 1, sizeof(*ret->records));
	if (!ret->records)
		return sn_full(err);
	for (size_t i = 0; i < n; i++) {
		const void *item = (const char *)items + i * size;
		struct named x = name(item);
		bool has_code = x.code && x.code[0];
		const char *label = arena_printf(at->arena, "%s%s%s", has_code ? x.code : "",
						 has_code ? " " : "", x.name ? x.name : x.id);
		if (!label)
			return sn_full(err);
		ret->records[ret->n++] = (struct register_record) {
			.id = x.id, .version = x.changed, .label = label, .data = item
		};
	}
	return true;
}

/* Before anything of the run is written: the heading stands in Netvisor. */
static bool begin(struct attempt *at, const struct register_cursor *from, struct sn **ret,
		  char text[CLOCK_RFC3339_MAX], const char **ret_since, struct err *err)
{
	const struct netvisor_dimension *list;
	size_t n;
	if (!sn_start(at, ret, err))
		return false;
	*ret_since = from->since_ms ? clock_rfc3339(from->since_ms, text) : NULL;
	return from->page || (netvisor_dimensions_lately(&(*ret)->netvisor, true, &list, &n, err) &&
			      sn_heading_stands(list, n, heading_of(*ret), err));
}

static bool list_projects(struct attempt *at, const struct register_cursor *from,
			  struct register_page *ret, struct err *err)
{
	struct severa_project_page page;
	char text[CLOCK_RFC3339_MAX];
	const char *since;
	struct sn *r;
	if (!begin(at, from, &r, text, &since, err) ||
	    !severa_project_page(&r->road.severa, since, from->page, REGISTER_PAGE_MAX, &page, err))
		return false;
	ret->next = page.next;
	return put_all(at, page.items, sizeof(*page.items), page.n, name_project, ret, err);
}

static bool list_units(struct attempt *at, const struct register_cursor *from,
		       struct register_page *ret, struct err *err)
{
	struct severa_unit_page page;
	char text[CLOCK_RFC3339_MAX];
	const char *since;
	struct sn *r;
	if (!begin(at, from, &r, text, &since, err) ||
	    !severa_unit_page(&r->road.severa, since, from->page, REGISTER_PAGE_MAX, &page, err))
		return false;
	ret->next = page.next;
	return put_all(at, page.items, sizeof(*page.items), page.n, name_unit, ret, err);
}

static bool list_phases(struct attempt *at, const struct register_cursor *from,
			struct register_page *ret, struct err *err)
{
	struct severa_phase_page page;
	char text[CLOCK_RFC3339_MAX];
	const char *since;
	struct sn *r;
	if (!begin(at, from, &r, text, &since, err) ||
	    !severa_phase_page(&r->road.severa, since, from->page, REGISTER_PAGE_MAX, &page, err))
		return false;
	ret->next = page.next;
	return put_all(at, page.items, sizeof(*page.items), page.n, name_phase, ret, err);
}

static bool read_projects(struct attempt *at, const char *const *ids, size_t n,
			  struct register_page *ret, struct err *err)
{
	const struct severa_project *items;
	struct sn *r;
	size_t found;
	return sn_start(at, &r, err) &&
	       severa_projects_read(&r->road.severa, ids, n, &items, &found, err) &&
	       put_all(at, items, sizeof(*items), found, name_project, ret, err);
}

static bool is_among(const char *const *ids, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(ids[i], id))
			return true;
	return false;
}

/* There are few: all of them are read. */
static bool read_units(struct attempt *at, const char *const *ids, size_t n,
		       struct register_page *ret, struct err *err)
{
	struct severa_unit_page page;
	struct sn *r;
	size_t kept = 0;
	if (!sn_start(at, &r, err) ||
	    !severa_unit_page(&r->road.severa, NULL, NULL, SIZE_MAX, &page, err))
		return false;
	struct severa_unit *items = arena_alloc_array(at->arena, page.n + 1, sizeof(*items));
	if (!items)
		return sn_full(err);
	for (size_t i = 0; i < page.n; i++)
		if (is_among(ids, n, page.items[i].id))
			items[kept++] = page.items[i];
	return put_all(at, items, sizeof(*items), kept, name_unit, ret, err);
}

static bool read_phases(struct attempt *at, const char *const *ids, size_t n,
			struct register_page *ret, struct err *err)
{
	struct severa_phase *items = arena_alloc_array(at->arena, n + 1, sizeof(*items));
	struct sn *r;
	size_t found = 0;
	if (!items)
		return sn_full(err);
	if (!sn_start(at, &r, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct err inner = ERR_INIT;
		if (severa_phase(&r->road.severa, ids[i], &items[found], &inner)) {
			found++;
		} else if (inner.code != ERR_NOT_FOUND) {
			if (err)
				*err = inner;
			return false;
		}
	}
	return put_all(at, items, sizeof(*items), found, name_phase, ret, err);
}

/* ---- what it is to be ---------------------------------------------------------------------- */

/* The project's own item is the father of its phases, and must stand before them. */
static bool find_father(struct sn *r, const struct register_record *rec, struct sn_item *it,
			struct err *err)
{
	struct attempt *at = r->road.at;
	struct link_table table;
	struct record_link link;
	if (!it->project_id)
		return true;
	if (!sn_dimension_table(r, it->heading, &table, err) ||
	    !at->ops->links(at, &table, LINK_LEFT, &it->project_id, 1, &link, err))
		return false;
	if (!link.id[LINK_RIGHT])
		return err_reason(err, ERR_WAITING, "dimension_project_missing", rec->label,
				  "the project of phase %s is no dimension item", it->id);
	return sn_father_item(at->arena, &link, it) || sn_full(err);
}

static bool set_record(struct sn *r, struct register_record *rec, const struct sn_item *it,
		       struct err *err)
{
	struct arena *arena = r->road.at->arena;
	if (it->code)
		rec->keys[rec->n_keys++] = arena_printf(arena, "code:%s", it->code);
	rec->keys[rec->n_keys++] = arena_printf(arena, "name:%s", it->item);
	rec->lease = sn_item_lease(r, it);
	rec->values = arena_alloc_array(arena, SN_ITEM_VALUES, sizeof(*rec->values));
	if (!rec->values || !rec->keys[0] || !rec->keys[rec->n_keys - 1])
		return sn_full(err);
	rec->values[0] = (struct register_value) { .name = SN_ITEM_CODE, .value = it->code };
	rec->values[1] = (struct register_value) { .name = SN_ITEM_NAME, .value = it->name };
	rec->n_values = SN_ITEM_VALUES;
	rec->data = it;
	return true;
}

static bool map(struct attempt *at, struct register_record *rec, struct err *err)
{
	struct sn_item *it = arena_alloc(at->arena, sizeof(*it));
	struct sn *r;
	bool ok;
	if (!it)
		return sn_full(err);
	if (!sn_start(at, &r, err))
		return false;
	if (str_eq(at->kind, UNITS)) {
		ok = sn_unit_item(at->arena, &r->set, rec->data, it, err);
	} else if (str_eq(at->kind, PHASES)) {
		const struct severa_phase *p = rec->data;
		if (!p->parent_id) {
			rec->skip = "phase_is_root";
			return true;
		}
		ok = sn_phase_item(at->arena, &r->set, p, it, err) && find_father(r, rec, it, err);
	} else {
		ok = sn_project_item(at->arena, &r->set, rec->data, it, err);
	}
	return ok && set_record(r, rec, it, err);
}

/* ---- at Netvisor --------------------------------------------------------------------------- */

static int64_t number_of(const char *key)
{
	return key ? strtoll(key, NULL, 10) : 0;
}

static int by_key(const void *a, const void *b)
{
	const struct netvisor_dimension *const *x = a, *const *y = b;
	int64_t m = number_of((*x)->key), n = number_of((*y)->key);
	return m < n ? -1 : m > n;
}

/* The items of the register's heading from behind a key on, in the order of keys. */
static bool sorted(struct sn *r, const struct netvisor_dimension *list, size_t n, int64_t behind,
		   const struct netvisor_dimension ***ret, size_t *ret_n, struct err *err)
{
	const char *heading = heading_of(r);
	const struct netvisor_dimension **items = arena_alloc_array(r->road.at->arena, n + 1,
								    sizeof(*items));
	size_t kept = 0;
	if (!items)
		return sn_full(err);
	for (size_t i = 0; i < n; i++)
		if (list[i].key && str_eq(list[i].heading, heading) &&
		    number_of(list[i].key) > behind)
			items[kept++] = &list[i];
	if (kept)
		qsort(items, kept, sizeof(*items), by_key);
	*ret = items;
	*ret_n = kept;
	return true;
}

static bool list_target(struct attempt *at, const struct register_cursor *from,
			struct register_matches *ret, struct err *err)
{
	const struct netvisor_dimension *list, **items = NULL;
	struct sn *r;
	size_t n, kept = 0;
	if (!sn_start(at, &r, err) ||
	    !netvisor_dimensions_lately(&r->netvisor, !from->page, &list, &n, err) ||
	    !sn_heading_stands(list, n, heading_of(r), err) ||
	    !sorted(r, list, n, number_of(from->page), &items, &kept, err))
		return false;
	bool more = kept > REGISTER_PAGE_MAX;
	kept = more ? REGISTER_PAGE_MAX : kept;
	struct register_match *matches = arena_alloc_array(at->arena, kept + 1, sizeof(*matches));
	if (!matches)
		return sn_full(err);
	for (size_t i = 0; i < kept; i++)
		if (!sn_item_match(at->arena, items[i], &matches[i]))
			return sn_full(err);
	*ret = (struct register_matches) { .items = matches,
					   .n = kept,
					   .next = more ? items[kept - 1]->key : NULL };
	return true;
}

/* One list for as many as are asked for. */
static bool find(struct attempt *at, struct register_record *const *records, size_t n,
		 struct err *err)
{
	const struct netvisor_dimension *list, *like[SAME_MAX];
	struct sn *r;
	size_t n_list;
	if (!sn_start(at, &r, err) || !netvisor_dimensions(&r->netvisor, &list, &n_list, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t k = sn_items_like(list, n_list, records[i]->data, like, SAME_MAX);
		struct register_match *found = arena_alloc_array(at->arena, k + 1, sizeof(*found));
		if (!found)
			return sn_full(err);
		for (size_t m = 0; m < k; m++)
			if (!sn_item_match(at->arena, like[m], &found[m]))
				return sn_full(err);
		records[i]->found = found;
		records[i]->n_found = k;
	}
	return true;
}

static bool match(const struct register_record *rec, const struct register_match *m,
		  struct err *err)
{
	return sn_item_matches(rec->data, m, err);
}

static bool save(struct sn *r, const struct sn_item *it, const char *father_item, struct err *err)
{
	const struct netvisor_dimension_item d = { .heading = it->heading,
						   .item = it->item,
						   .code = it->code,
						   .label = it->code ? it->name : NULL,
						   .father_key = it->father_key,
						   .father_item = father_item };
	return netvisor_dimension_save(&r->netvisor, &d, err);
}

/* Below a father who is called otherwise by now: Netvisor wants his key and his present name. */
static bool create(struct attempt *at, const struct register_record *rec, struct register_done *ret,
		   struct err *err)
{
	const struct sn_item *it = rec->data;
	const struct netvisor_dimension *list;
	struct err inner = ERR_INIT;
	struct sn *r;
	size_t n;
	(void)ret; /* its id is found (id_by_find) */
	if (!sn_start(at, &r, err))
		return false;
	bool ok = save(r, it, it->father_item, &inner);
	if (!ok && inner.code == ERR_DATA && it->father_key &&
	    netvisor_dimensions(&r->netvisor, &list, &n, NULL)) {
		const struct netvisor_dimension *father = sn_item_by_key(list, n, it->heading,
									 it->father_key);
		if (father && !str_eq(father->name, it->father_item)) {
			inner = (struct err)ERR_INIT;
			ok = save(r, it, father->name, &inner);
		}
	}
	if (!ok && err)
		*err = inner;
	return ok;
}

static bool rename_by(struct sn *r, const struct register_record *rec, bool is_fresh,
		      struct err *err)
{
	const struct sn_item *it = rec->data;
	const char *key = rec->link->id[LINK_RIGHT];
	const struct netvisor_dimension *list;
	size_t n;
	if (!netvisor_dimensions_lately(&r->netvisor, is_fresh, &list, &n, err))
		return false;
	const struct netvisor_dimension *theirs = sn_item_by_key(list, n, it->heading, key);
	if (!theirs)
		return err_reason(err, ERR_DATA, "dimension_item_gone", rec->label,
				  "the dimension item %s of %s is gone", key, rec->label);
	return sn_item_is_free(list, n, it, key, err) && sn_rename_item(r, it, theirs, err);
}

/* Of the item that has the key, whatever it is called by now. */
static bool update(struct attempt *at, const struct register_record *rec, struct register_done *ret,
		   struct err *err)
{
	struct err inner = ERR_INIT;
	struct sn *r;
	(void)ret;
	if (!sn_start(at, &r, err))
		return false;
	if (rename_by(r, rec, false, &inner))
		return true;
	bool ok = false;
	if (inner.code == ERR_DATA) { /* perhaps by what was known half a minute ago */
		inner = (struct err)ERR_INIT;
		ok = rename_by(r, rec, true, &inner);
	}
	if (inner.code == ERR_DOUBT) /* a rename may be repeated */
		inner.code = ERR_OUTAGE;
	if (!ok && err)
		*err = inner;
	return ok;
}

/* ---- tables -------------------------------------------------------------------------------- */

static bool wants_projects(struct arena *arena, const struct json *settings,
			   const char **ret_schedule)
{
	return sn_dimension_wanted(arena, settings, SN_OF_PROJECTS, ret_schedule);
}

static bool wants_units(struct arena *arena, const struct json *settings, const char **ret_schedule)
{
	return sn_dimension_wanted(arena, settings, SN_OF_UNITS, ret_schedule);
}

static bool wants_phases(struct arena *arena, const struct json *settings,
			 const char **ret_schedule)
{
	return sn_dimension_wanted(arena, settings, SN_OF_PHASES, ret_schedule);
}

#define OF_ALL                                                                                   \
	.kind = SN_DIMENSION, .direction = REGISTER_FORWARD, .schedule = SN_DIMENSIONS_SCHEDULE, \
	.scope = scope, .map = map, .list_target = list_target, .find = find,                    \
	.find_max = REGISTER_PAGE_MAX, .match = match, .id_by_find = true, .create = create,     \
	.update = update

const struct register_sync sn_projects_sync = {
	.name = PROJECTS,
	.title = "Projects, Severa to Netvisor's dimensions",
	.wanted = wants_projects,
	.list = list_projects,
	.read = read_projects,
	.read_max = PROJECTS_READ_MAX,
	OF_ALL,
};

const struct register_sync sn_units_sync = {
	.name = UNITS,
	.title = "Business units, Severa to Netvisor's dimensions",
	.wanted = wants_units,
	.list = list_units,
	.read = read_units,
	OF_ALL,
};

const struct register_sync sn_phases_sync = {
	.name = PHASES,
	.title = "Phases, Severa to Netvisor's dimensions",
	.after = PROJECTS,
	.wanted = wants_phases,
	.list = list_phases,
	.read = read_phases,
	.read_max = PHASES_READ_MAX,
	OF_ALL,
};
