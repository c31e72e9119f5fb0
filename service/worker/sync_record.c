/*
 * sync_record.c: one record of a register: what is to be done with it, and doing it. Guarantees
 * that what is linked is never created, that a record at the target which belongs to another is
 * never taken for this one, and that a creation that may have gone through is in doubt.
 */
#include "base/base.h"

#include "sync_internal.h"

#include "base/map.h"

#define DOUBTS_MAX 3 /* of one page: then the target is given a rest */

static bool is_empty(const char *s)
{
	return !s || !*s;
}

/* A copy that outlives the hand's own arena. */
static const char *keep(struct slice *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	const char *kept = arena_strdup(page_of(s)->arena, text);
	pthread_mutex_unlock(&s->lock);
	return kept;
}

/* --- failures --- */

static enum rec_end end_of(const struct err *why)
{
	if (why->code == ERR_WAITING || why->code == ERR_BUSY)
		return END_WAITING;
	return why->code == ERR_DOUBT ? END_IN_DOUBT : END_FAILED;
}

void slice_stop(struct slice *s, const struct err *why)
{
	pthread_mutex_lock(&s->lock);
	if (s->stop.code == ERR_NONE)
		s->stop = *why;
	pthread_mutex_unlock(&s->lock);
}

bool record_ends(struct slice *s, struct rec *rec, enum rec_end end, const struct err *why)
{
	pthread_mutex_lock(&s->lock);
	rec->why = arena_alloc(page_of(s)->arena, sizeof(*rec->why));
	if (rec->why)
		*rec->why = *why;
	bool is_tired = end == END_IN_DOUBT && why->code == ERR_DOUBT &&
			++s->n_doubts >= DOUBTS_MAX;
	pthread_mutex_unlock(&s->lock);
	rec->todo = TODO_NOTHING;
	rec->end = end;
	struct err rest = ERR_INIT;
	if (!rec->why)
		err_set(&rest, ERR_MEMORY, "out of memory");
	else if (is_tired)
		err_set(&rest, ERR_OUTAGE, "several writes were left without an answer");
	if (rest.code == ERR_NONE)
		return true;
	slice_stop(s, &rest);
	return false;
}

bool record_fails(struct slice *s, struct rec *rec, const struct err *why)
{
	if (!slice_stops(why))
		return record_ends(s, rec, end_of(why), why);
	rec->todo = TODO_NOTHING;
	slice_stop(s, why);
	return false;
}

/* --- what is to be done --- */

static const char *value_of(const struct link_value *values, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(values[i].name, name))
			return values[i].value;
	return NULL;
}

/* NV-05: what is empty now is written only where it was not empty when it was written last. */
static bool mark_changes(struct rec *rec)
{
	bool any = false;
	for (size_t i = 0; i < rec->r->n_values; i++) {
		struct register_value *v = &rec->r->values[i];
		const char *last = value_of(rec->link.values, rec->link.n_values, v->name);
		v->is_changed = is_empty(v->value) ? !is_empty(last) : !str_eq(last, v->value);
		any |= v->is_changed;
	}
	return any;
}

static struct link_value *new_values(struct slice *s, size_t n)
{
	pthread_mutex_lock(&s->lock);
	struct link_value *to = arena_alloc_array(page_of(s)->arena, n + 1, sizeof(*to));
	pthread_mutex_unlock(&s->lock);
	return to;
}

/* As the record is to stand at the target; NULL without memory: all of it is news the next time. */
static const struct link_value *own_values(struct slice *s, const struct register_record *r)
{
	struct link_value *to = new_values(s, r->n_values);
	for (size_t i = 0; to && i < r->n_values; i++)
		to[i] = (struct link_value) { r->values[i].name, r->values[i].value };
	return to;
}

static void set_values(struct slice *s, struct rec *rec)
{
	rec->link.values = own_values(s, rec->r);
	rec->link.n_values = rec->link.values ? rec->r->n_values : 0;
}

static void sort_linked(struct slice *s, struct rec *rec)
{
	if (mark_changes(rec)) {
		rec->todo = TODO_UPDATE;
		return;
	}
	rec->end = END_UNCHANGED;
	rec->has_news = true; /* its new stamp */
	rec->link.version[source_side(s)] = rec->r->version;
	if (!rec->link.n_values)
		set_values(s, rec);
}

/*
 * The source's stamp is the one that we know. With other settings it may be mapped differently all
 * the same; but what we made there is not taken for news, however it reads.
 */
static bool is_as_known(const struct slice *s, const struct rec *rec)
{
	enum link_side from = source_side(s);
	const struct record_link *link = &rec->stored.link;
	return rec->r->version && str_eq(rec->r->version, link->version[from]) &&
	       (!s->maps_all || link->made[from]);
}

bool record_sort(struct slice *s, struct attempt *at, struct rec *rec, struct err *err)
{
	enum link_side from = source_side(s);
	const struct record_link *link = &rec->stored.link;
	struct err why = ERR_INIT;
	rec->link = *link;
	rec->r->link = link->id[from] ? link : NULL;
	if (rec->r->link && (s->reg->create_only || is_as_known(s, rec))) {
		rec->end = END_UNCHANGED;
		return true;
	}
	if (!s->reg->map(at, rec->r, &why)) {
		if (record_fails(s, rec, &why))
			return true;
		*err = s->stop;
		return false;
	}
	if (rec->r->skip) {
		err_reason(&why, ERR_DATA, rec->r->skip, rec->r->label, "skipped");
		return record_ends(s, rec, END_SKIPPED, &why) ||
		       err_set(err, ERR_MEMORY, "out of memory");
	}
	if (rec->r->link)
		sort_linked(s, rec);
	else
		rec->todo = TODO_CREATE;
	return true;
}

/* --- what was found --- */

static bool copy_values(struct arena *arena, const struct register_match *m,
			struct register_match *ret)
{
	struct link_value *to = arena_alloc_array(arena, m->n_values + 1, sizeof(*to));
	for (size_t i = 0; to && i < m->n_values; i++) {
		to[i].name = arena_strdup(arena, m->values[i].name);
		to[i].value = arena_strdup(arena, m->values[i].value);
		if (!to[i].name || (m->values[i].value && !to[i].value))
			return false;
	}
	ret->values = to;
	ret->n_values = m->n_values;
	return to != NULL;
}

static bool copy_match(struct arena *arena, const struct register_match *m,
		       struct register_match *ret)
{
	*ret = (struct register_match) { .id = arena_strdup(arena, m->id),
					 .version = arena_strdup(arena, m->version),
					 .note = arena_strdup(arena, m->note) };
	return ret->id && (ret->version || !m->version) && (ret->note || !m->note) &&
	       copy_values(arena, m, ret);
}

static bool keep_found(struct slice *s, struct rec *rec)
{
	struct register_record *r = rec->r;
	pthread_mutex_lock(&s->lock);
	struct arena *arena = page_of(s)->arena;
	rec->found = arena_alloc_array(arena, r->n_found + 1, sizeof(*rec->found));
	bool good = rec->found != NULL;
	for (size_t i = 0; good && i < r->n_found; i++)
		good = copy_match(arena, &r->found[i], &rec->found[i]);
	pthread_mutex_unlock(&s->lock);
	rec->n_found = r->n_found;
	rec->has_looked = true;
	r->found = NULL; /* the hand's own */
	return good;
}

bool record_find(struct slice *s, struct attempt *at, struct rec *const *recs, size_t n)
{
	struct register_record **list = arena_alloc_array(at->arena, n, sizeof(*list));
	struct err why = ERR_INIT;
	bool good = list != NULL;
	for (size_t i = 0; good && i < n; i++) {
		list[i] = recs[i]->r;
		list[i]->found = NULL;
		list[i]->n_found = 0;
		recs[i]->has_tried = true;
	}
	if (good && s->reg->find(at, list, n, &why)) {
		for (size_t i = 0; good && i < n; i++)
			good = keep_found(s, recs[i]);
	} else {
		for (size_t i = 0; good && i < n; i++) {
			if (recs[i]->todo == TODO_LEARN)
				recs[i]->n_found = 0; /* it is made, whatever could be asked */
			else if (!record_fails(s, recs[i], &why))
				return false;
		}
	}
	if (good)
		return true;
	err_set(&why, ERR_MEMORY, "out of memory");
	slice_stop(s, &why);
	return false;
}

/* Is what was found what we made? Only an intent of before says so: that of this page was laid down
 * before anything was looked for, and nothing was created by it yet. */
static bool is_own_creation(const struct rec *rec)
{
	return rec->has_intent && !rec->intends;
}

/*
 * What a pair that was found is compared with from now on. Of one that is not written to from here:
 * what we made there, or would have made; what stands there now may be an edit of the time that
 * nobody remembers, and is news for the way back. Of all others: what stands there.
 *
 * A field that is empty at one side may have been so ever since: it empties nothing (NV-05), unless
 * it is our own creation that was found.
 */
static void know_values(struct slice *s, struct rec *rec, const struct register_match *m)
{
	bool theirs = !s->reg->create_only;
	const struct link_value *sides[] = { own_values(s, rec->r), m->values };
	const size_t n[] = { sides[0] ? rec->r->n_values : 0, m->n_values };
	struct link_value *to = new_values(s, n[theirs]);
	for (size_t i = 0; to && i < n[theirs]; i++) {
		to[i] = sides[theirs][i];
		if (!is_own_creation(rec) &&
		    is_empty(value_of(sides[!theirs], n[!theirs], to[i].name)))
			to[i].value = NULL;
	}
	rec->link.values = to;
	rec->link.n_values = to ? n[theirs] : 0;
}

static void adopt(struct slice *s, struct rec *rec, const struct register_match *m)
{
	enum link_side from = source_side(s), to = link_other(from);
	rec->link = (struct record_link) { .values = NULL };
	rec->link.id[from] = rec->r->id;
	rec->link.id[to] = m->id;
	/* Without its stamp the way back looks at it. */
	rec->link.version[to] = s->reg->create_only && rec->r->n_values ? NULL : m->version;
	rec->link.made[to] = is_own_creation(rec);
	know_values(s, rec, m);
	rec->r->link = &rec->link;
	rec->has_news = rec->is_linked = true;
	rec->end = END_LINKED;
	rec->todo = s->reg->tell ? TODO_TELL : TODO_NOTHING;
	/* Without the source's stamp what is not updated now is met again. */
	if (!s->reg->create_only && mark_changes(rec))
		rec->todo = TODO_UPDATE;
	else
		rec->link.version[from] = rec->r->version;
}

/* What another record of the page has taken is not free for this one. */
static void mark_taken_here(struct slice *s, struct rec *rec)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < rec->n_found; i++) {
		const struct rec *other = map_get(page_of(s)->taken, rec->found[i].id);
		if (other)
			rec->found[i].taken_by = other->r->id;
		if (str_eq(rec->found[i].taken_by, rec->r->id))
			rec->found[i].taken_by = NULL;
	}
	pthread_mutex_unlock(&s->lock);
}

/* The one that it is: *ret, NULL where there is none. Or it fails, and says why. */
static bool choose(struct rec *rec, const struct register_sync *reg,
		   const struct register_match **ret, struct err *why)
{
	size_t n = 0;
	*ret = NULL;
	for (size_t i = 0; i < rec->n_found; i++) {
		const struct register_match *m = &rec->found[i];
		if (reg->match && !reg->match(rec->r, m, why))
			return false;
		if (m->taken_by)
			continue;
		*ret = m;
		n++;
	}
	return n <= 1 || err_reason(why, ERR_DATA, "several_matches", rec->r->label,
				    "%zu records of the target have its business key", n);
}

/* False: another hand was quicker. */
static bool take(struct slice *s, struct rec *rec, const struct register_match *m, bool *ret_full)
{
	struct map *taken = page_of(s)->taken;
	pthread_mutex_lock(&s->lock);
	bool is_free = !map_has(taken, m->id);
	*ret_full = is_free && !map_put(taken, m->id, rec);
	pthread_mutex_unlock(&s->lock);
	return is_free;
}

bool record_resolve(struct slice *s, struct rec *rec)
{
	const struct register_match *one;
	struct err why = ERR_INIT;
	bool is_full = false;
	rec->has_tried |= rec->n_found > 0;
	do {
		mark_taken_here(s, rec);
		if (!choose(rec, s->reg, &one, &why))
			return record_fails(s, rec, &why);
	} while (one && !take(s, rec, one, &is_full));
	if (is_full) {
		err_set(&why, ERR_MEMORY, "out of memory");
		return record_fails(s, rec, &why);
	}
	if (one)
		adopt(s, rec, one);
	return true;
}

/* --- writing --- */

/* The source is told of a new link; it stands without that. */
static void tell(struct slice *s, struct attempt *at, struct rec *rec)
{
	enum link_side from = source_side(s);
	struct register_done done = { .id = NULL };
	struct err ignored = ERR_INIT;
	if (!s->reg->tell ||
	    !s->reg->tell(at, rec->r, rec->link.id[link_other(from)], &done, &ignored))
		return;
	if (done.source_version)
		rec->link.version[from] = keep(s, done.source_version);
}

static bool has_created(struct slice *s, struct attempt *at, struct rec *rec,
			const struct register_done *done)
{
	enum link_side from = source_side(s), to = link_other(from);
	rec->link = (struct record_link) { .values = NULL };
	rec->link.id[from] = rec->r->id;
	rec->link.id[to] = keep(s, done->id);
	rec->link.version[from] = rec->r->version;
	rec->link.version[to] = done->version ? keep(s, done->version) : NULL;
	rec->link.made[to] = true;
	set_values(s, rec);
	rec->end = END_CREATED;
	rec->has_news = true;
	tell(s, at, rec);
	return true;
}

/* Was the creation certainly not carried out? */
static bool is_certain(const struct err *why)
{
	switch (why->code) {
	case ERR_DOUBT:
	case ERR_MEMORY:
	case ERR_LIMIT:
	case ERR_SYSTEM:
		return false;
	case ERR_NONE:
	case ERR_INPUT:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
	case ERR_DATA:
	case ERR_DUPLICATE:
	case ERR_CREDENTIALS:
	case ERR_QUOTA:
	case ERR_OUTAGE:
	case ERR_LEASE:
	case ERR_BUSY:
	case ERR_WAITING:
		break;
	}
	return true;
}

/* The target says that it has it: what it has is looked at before that is believed. */
static bool look_at_duplicate(struct slice *s, struct attempt *at, struct rec *rec,
			      const struct err *why)
{
	if (!record_find(s, at, &rec, 1))
		return false;
	if (rec->end != END_OPEN)
		return true; /* the look-up failed, and says why */
	struct err failed = ERR_INIT;
	if (!page_mark_taken(s, at->arena, rec, 1, &failed))
		return record_fails(s, rec, &failed);
	if (!record_resolve(s, rec))
		return false;
	return rec->is_linked || rec->end != END_OPEN || record_fails(s, rec, why);
}

static bool update(struct slice *s, struct attempt *at, struct rec *rec)
{
	enum link_side from = source_side(s), to = link_other(from);
	struct register_done done = { .id = NULL };
	struct err why = ERR_INIT;
	if (!s->reg->update(at, rec->r, &done, &why)) {
		/* A link that was just found is stored all the same. */
		return record_fails(s, rec, &why);
	}
	rec->link.version[from] = rec->r->version;
	rec->link.version[to] = done.version ? keep(s, done.version) : NULL;
	set_values(s, rec);
	rec->has_news = true;
	rec->end = rec->is_linked ? END_LINKED : END_UPDATED;
	if (rec->is_linked)
		tell(s, at, rec);
	return true;
}

static bool create(struct slice *s, struct attempt *at, struct rec *rec)
{
	struct register_done done = { .id = NULL };
	struct err why = ERR_INIT;
	if (s->reg->create(at, rec->r, &done, &why)) {
		if (done.id)
			return has_created(s, at, rec, &done);
		if (s->reg->id_by_find) {
			rec->todo = TODO_LEARN;
			return true;
		}
		err_set(&why, ERR_DOUBT, "the target did not say what it made");
	}
	if (!is_certain(&why))
		return record_ends(s, rec, END_IN_DOUBT, &why);
	if (why.code != ERR_DUPLICATE)
		return record_fails(s, rec, &why);
	rec->has_intent = false;
	if (!look_at_duplicate(s, at, rec, &why))
		return false;
	return rec->todo != TODO_UPDATE || update(s, at, rec);
}

bool record_write(struct slice *s, struct attempt *at, struct rec *rec)
{
	rec->has_tried = true;
	switch (rec->todo) {
	case TODO_CREATE:
		return create(s, at, rec);
	case TODO_UPDATE:
		return update(s, at, rec);
	case TODO_TELL:
		tell(s, at, rec);
		break;
	case TODO_NOTHING:
	case TODO_FIND:
	case TODO_LEARN:
		break;
	}
	return true;
}

/* The one that was found for it, and is no other's. */
static const struct register_match *own_of(const struct slice *s, const struct rec *rec)
{
	const struct register_match *one = NULL;
	for (size_t i = 0; i < rec->n_found; i++) {
		const struct register_match *m = &rec->found[i];
		if (m->taken_by || (s->reg->match && !s->reg->match(rec->r, m, NULL)))
			continue;
		if (one)
			return NULL;
		one = m;
	}
	return one;
}

void record_learn(struct slice *s, struct attempt *at, struct rec *rec)
{
	const struct register_match *m = own_of(s, rec);
	struct err why = ERR_INIT;
	if (m) {
		const struct register_done done = { .id = m->id, .version = m->version };
		(void)has_created(s, at, rec, &done); /* always true */
		return;
	}
	err_set(&why, ERR_WAITING, "it was made, and is not listed yet; it is looked for again");
	/* Without memory it is as much in doubt, with no words. */
	(void)record_ends(s, rec, END_IN_DOUBT, &why);
}
