/*
 * dimension_items.c: what a project, a business unit or a phase is as a dimension item of Netvisor,
 * and which item of a list is it (NV-08, NV-09). Pure.
 *
 * Severa's number stands in the item's code and the name in its label; Netvisor shows both, "82
 * Website". Without a number the name is all there is. An item is known by its code, and without
 * that by its name: exactly, since nobody says whether Netvisor minds letters' case (facts §8).
 */
#include "base/base.h"
#include "internal.h"

#include "base/utf8.h"

#define NOTE_MAX 200 /* bytes (register.h) */

static bool is_set(const char *text)
{
	return text && text[0];
}

static bool make_item(struct arena *arena, struct sn_item *it, struct err *err)
{
	if (!is_set(it->code))
		it->code = NULL;
	if (!is_set(it->name))
		it->name = it->code ? it->code : it->id;
	it->item = it->code ? arena_printf(arena, "%s %s", it->code, it->name) : it->name;
	if (!it->item)
		return sn_full(err);
	const struct netvisor_dimension_item d = { .item = it->item, .code = it->code };
	return netvisor_dimension_fits(&d, it->item, err);
}

bool sn_project_item(struct arena *arena, const struct sn_settings *set,
		     const struct severa_project *p, struct sn_item *ret, struct err *err)
{
	*ret = (struct sn_item) {
		.id = p->id, .heading = set->project_heading, .code = p->number, .name = p->name
	};
	return make_item(arena, ret, err);
}

bool sn_unit_item(struct arena *arena, const struct sn_settings *set, const struct severa_unit *u,
		  struct sn_item *ret, struct err *err)
{
	*ret = (struct sn_item) {
		.id = u->id, .heading = set->unit_heading, .code = u->code, .name = u->name
	};
	return make_item(arena, ret, err);
}

bool sn_phase_item(struct arena *arena, const struct sn_settings *set, const struct severa_phase *p,
		   struct sn_item *ret, struct err *err)
{
	*ret = (struct sn_item) {
		.id = p->id, .heading = set->phase_heading, .code = p->code, .name = p->name
	};
	if (str_eq(set->phase_heading, set->project_heading))
		ret->project_id = p->project_id;
	if (!is_set(p->code)) {
		char subject[150];
		snprintf(subject, sizeof(subject), "%.70s (%.70s)",
			 is_set(p->name) ? p->name : p->id,
			 is_set(p->project_name) ? p->project_name : "-");
		return err_reason(err, ERR_DATA, "phase_number_missing", subject,
				  "phase %s has no number", p->id);
	}
	return make_item(arena, ret, err);
}

bool sn_father_item(struct arena *arena, const struct record_link *link, struct sn_item *it)
{
	const char *code = NULL, *name = NULL;
	for (size_t i = 0; i < link->n_values; i++) {
		if (str_eq(link->values[i].name, SN_ITEM_CODE))
			code = link->values[i].value;
		if (str_eq(link->values[i].name, SN_ITEM_NAME))
			name = link->values[i].value;
	}
	it->father_key = link->id[LINK_RIGHT];
	it->father_item = is_set(code) ? arena_printf(arena, "%s %s", code, name ? name : "")
				       : name;
	return !is_set(code) || it->father_item;
}

/* ---- in a list ----------------------------------------------------------------------------- */

bool sn_heading_stands(const struct netvisor_dimension *list, size_t n, const char *heading,
		       struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (!list[i].key && !list[i].is_hidden && str_eq(list[i].heading, heading))
			return true;
	return err_reason(err, ERR_DATA, "dimension_heading_missing", heading,
			  "dimension heading %s does not exist in Netvisor", heading);
}

static bool has_code(const struct netvisor_dimension *d, const struct sn_item *it)
{
	return it->code && str_eq(d->code, it->code);
}

static size_t pick(const struct netvisor_dimension *list, size_t n, const struct sn_item *it,
		   bool by_code, const struct netvisor_dimension **ret, size_t max)
{
	size_t found = 0;
	for (size_t i = 0; i < n && found < max; i++) {
		if (!list[i].key || !str_eq(list[i].heading, it->heading))
			continue;
		if (by_code ? has_code(&list[i], it) : str_eq(list[i].name, it->item))
			ret[found++] = &list[i];
	}
	return found;
}

size_t sn_items_like(const struct netvisor_dimension *list, size_t n, const struct sn_item *it,
		     const struct netvisor_dimension **ret, size_t max)
{
	size_t found = it->code ? pick(list, n, it, true, ret, max) : 0;
	return found ? found : pick(list, n, it, false, ret, max);
}

const struct netvisor_dimension *sn_item_by_key(const struct netvisor_dimension *list, size_t n,
						const char *heading, const char *key)
{
	for (size_t i = 0; key && i < n; i++)
		if (str_eq(list[i].key, key) && str_eq(list[i].heading, heading))
			return &list[i];
	return NULL;
}

static bool is_taken(const struct sn_item *it, const char *other, struct err *err)
{
	char subject[160];
	snprintf(subject, sizeof(subject), "%.75s / %.75s", it->item, other);
	return err_reason(err, ERR_DATA, "dimension_number_taken", subject,
			  "%s cannot stand beside %s under the heading %s", it->item, other,
			  it->heading);
}

bool sn_item_is_free(const struct netvisor_dimension *list, size_t n, const struct sn_item *it,
		     const char *own_key, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].key && str_eq(list[i].heading, it->heading) &&
		    !str_eq(list[i].key, own_key) &&
		    (has_code(&list[i], it) || str_eq(list[i].name, it->item)))
			return is_taken(it, list[i].name, err);
	return true;
}

bool sn_item_may_be(const struct sn_item *it, const struct sn_theirs *theirs, struct err *err)
{
	bool other_code = is_set(theirs->code) && !str_eq(theirs->code, it->code);
	bool same_name = str_eq(theirs->name, it->item);
	bool elsewhere;
	if (it->project_id)
		elsewhere = !it->father_key || !str_eq(theirs->father, it->father_key);
	else /* below another item it may be a phase with the same number */
		elsewhere = is_set(theirs->father) && !same_name;
	return (!theirs->is_taken && !other_code && !elsewhere) ||
	       is_taken(it, theirs->name ? theirs->name : "", err);
}

/* ---- as a register knows it ---------------------------------------------------------------- */

static const char *label_of(const struct netvisor_dimension *d)
{
	return is_set(d->code) && is_set(d->label) ? d->label : d->name;
}

bool sn_item_values(struct arena *arena, const struct netvisor_dimension *d,
		    const struct link_value **ret)
{
	struct link_value *values = arena_alloc_array(arena, SN_ITEM_VALUES, sizeof(*values));
	if (!values)
		return false;
	values[0] = (struct link_value) { SN_ITEM_CODE, is_set(d->code) ? d->code : NULL };
	values[1] = (struct link_value) { SN_ITEM_NAME, label_of(d) };
	*ret = values;
	return true;
}

/* Three lines: father, code, name. A name that is longer than there is room for is another's to
 * whoever compares it, and a person looks. */
static const char *note_of(struct arena *arena, const struct netvisor_dimension *d)
{
	char *note = arena_printf(arena, "%s\n%s\n%s", d->father ? d->father : "",
				  d->code ? d->code : "", d->name);
	if (!note || strlen(note) <= NOTE_MAX)
		return note;
	size_t n = NOTE_MAX;
	while (((unsigned char)note[n] & 0xC0) == 0x80)
		n--;
	note[n] = 0;
	return note;
}

bool sn_item_match(struct arena *arena, const struct netvisor_dimension *d,
		   struct register_match *ret)
{
	const char **keys = arena_alloc_array(arena, 2, sizeof(*keys));
	*ret = (struct register_match) {
		.id = d->key, .keys = keys, .note = note_of(arena, d), .n_values = SN_ITEM_VALUES
	};
	if (!keys || !ret->note || !sn_item_values(arena, d, &ret->values))
		return false;
	if (is_set(d->code))
		keys[ret->n_keys++] = arena_printf(arena, "code:%s", d->code);
	keys[ret->n_keys++] = arena_printf(arena, "name:%s", d->name);
	return keys[0] && keys[ret->n_keys - 1];
}

bool sn_item_matches(const struct sn_item *it, const struct register_match *m, struct err *err)
{
	char note[NOTE_MAX + 1];
	snprintf(note, sizeof(note), "%s", m->note ? m->note : "\n\n");
	char *code = strchr(note, '\n'), *name = code ? strchr(code + 1, '\n') : NULL;
	if (!name)
		return is_taken(it, "", err);
	*code++ = 0;
	*name++ = 0;
	const struct sn_theirs theirs = {
		.father = note, .code = code, .name = name, .is_taken = m->taken_by != NULL
	};
	return sn_item_may_be(it, &theirs, err);
}
