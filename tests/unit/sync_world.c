/* sync_world.c: see sync_world.h. */
#include "base/base.h"

#include <sys/mman.h>

#include "base/clock.h"
#include "sync_world.h"

#define PAGE_RECORDS 3 /* small, so that few records make many pages */

static struct world *now;

/* --- the systems --- */

struct world *world_new(void)
{
	struct world *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			       -1, 0);
	if (w == MAP_FAILED)
		return NULL;
	world_clear(w);
	return w;
}

void world_free(struct world *w)
{
	munmap(w, sizeof(*w));
}

void world_clear(struct world *w)
{
	pthread_mutexattr_t attr;
	memset(w, 0, sizeof(*w));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&w->lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

void world_use(struct world *w)
{
	now = w;
}

static struct world_record *find(struct world_side_state *s, const char *code)
{
	for (int i = 0; i < s->n; i++)
		if (strcmp(s->records[i].code, code) == 0)
			return &s->records[i];
	return NULL;
}

static struct world_record *by_id(struct world_side_state *s, const char *id)
{
	for (int i = 0; i < s->n; i++)
		if (strcmp(s->records[i].id, id) == 0)
			return &s->records[i];
	return NULL;
}

static void set(struct world *w, struct world_record *r, const char *name, const char *mail)
{
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->mail, sizeof(r->mail), "%s", mail ? mail : "");
	r->version = ++w->version;
	r->changed_ms = clock_wall_ms();
}

static struct world_record *add(struct world *w, enum world_kind kind, enum world_side side,
				const char *code, const char *name, const char *mail)
{
	struct world_side_state *s = &w->sides[kind][side];
	assert(s->n < WORLD_RECORDS);
	struct world_record *r = &s->records[s->n++];
	snprintf(r->id, sizeof(r->id), "%c%d%d", side == AT_LEFT ? 'l' : 'r', kind, s->n);
	snprintf(r->code, sizeof(r->code), "%s", code);
	set(w, r, name, mail);
	return r;
}

struct world_record *world_put(struct world *w, enum world_kind kind, enum world_side side,
			       const char *code, const char *name, const char *mail)
{
	struct world_record *r = find(&w->sides[kind][side], code);
	if (!r)
		return add(w, kind, side, code, name, mail);
	set(w, r, name, mail);
	return r;
}

int world_count(struct world *w, enum world_kind kind, enum world_side side, const char *code)
{
	int n = 0;
	for (int i = 0; i < w->sides[kind][side].n; i++)
		n += strcmp(w->sides[kind][side].records[i].code, code) == 0;
	return n;
}

const struct world_record *world_get(struct world *w, enum world_kind kind, enum world_side side,
				     const char *code)
{
	return find(&w->sides[kind][side], code);
}

int world_writes(struct world *w)
{
	int n = 0;
	for (size_t k = 0; k < N_WORLD_KINDS; k++)
		for (size_t s = AT_LEFT; s <= AT_RIGHT; s++)
			n += w->sides[k][s].creates + w->sides[k][s].updates;
	return n;
}

/* --- the flow --- */

struct place {
	enum world_kind kind;
	enum world_side from;
};

static struct place place_of(const struct attempt *at)
{
	if (strcmp(at->kind, "products") == 0)
		return (struct place) { KIND_PRODUCT, AT_LEFT };
	if (strcmp(at->kind, "customers") == 0)
		return (struct place) { KIND_CUSTOMER, AT_LEFT };
	if (strcmp(at->kind, "partners") == 0)
		return (struct place) { KIND_CUSTOMER, AT_RIGHT };
	if (strcmp(at->kind, "items") == 0)
		return (struct place) { KIND_ITEM, AT_LEFT };
	return (struct place) { KIND_CARD, AT_LEFT };
}

static struct world_side_state *source(struct place p)
{
	return &now->sides[p.kind][p.from];
}

static struct world_side_state *target(struct place p)
{
	return &now->sides[p.kind][!p.from];
}

/* A moment at which the process may end. */
static void event(void)
{
	if (++now->events != now->die_at)
		return;
	pthread_mutex_unlock(&now->lock);
	_exit(9);
}

static void make_own(void)
{
	static const struct {
		enum world_kind kind;
		enum world_side side;
		const char *code, *name, *mail;
	} records[] = {
		{ KIND_PRODUCT, AT_LEFT, "P-1", "Filter", "" },
		{ KIND_PRODUCT, AT_LEFT, "P-2", "Work", "" },
		{ KIND_PRODUCT, AT_LEFT, "P-3", "skip this one", "" },
		{ KIND_CUSTOMER, AT_LEFT, "C-1", "Firma Oy", "a@firma.example" },
		{ KIND_CUSTOMER, AT_LEFT, "C-2", "bad: it has no name", "" },
		{ KIND_CUSTOMER, AT_LEFT, "C-3", "wait for it", "" },
		{ KIND_CUSTOMER, AT_RIGHT, "C-4", "Selskap AS", "a@selskap.example" },
	};
	if (now)
		return;
	now = world_new();
	assert(now);
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		world_put(now, records[i].kind, records[i].side, records[i].code, records[i].name,
			  records[i].mail);
}

static bool enter(struct attempt *at, const char *what, struct err *err)
{
	pthread_mutex_lock(&now->lock);
	size_t n = strlen(now->order);
	if (now->logs_order)
		snprintf(now->order + n, sizeof(now->order) - n, "%s.%s ", at->kind, what);
	event();
	bool is_away = now->is_away;
	if (now->away_at && now->events >= now->away_at && now->away_for > 0) {
		now->away_for--;
		is_away = true;
	}
	if (!is_away)
		return true;
	pthread_mutex_unlock(&now->lock);
	return err_set(err, ERR_OUTAGE, "away");
}

static bool leave(bool good)
{
	event();
	pthread_mutex_unlock(&now->lock);
	return good;
}

static const char *text(struct attempt *at, const char *s)
{
	const char *kept = arena_strdup(at->arena, s);
	assert(kept);
	return kept;
}

static const char *version_text(struct attempt *at, int version)
{
	const char *kept = arena_printf(at->arena, "%d", version);
	assert(kept);
	return kept;
}

static struct register_record read_record(struct attempt *at, const struct world_record *r)
{
	struct world_record *data = arena_alloc(at->arena, sizeof(*data));
	assert(data);
	*data = *r;
	return (struct register_record) { .id = text(at, r->id),
					  .version = version_text(at, r->version),
					  .label = text(at, r->code),
					  .data = data };
}

/* By version, so that a change moves no record out of what is still to be read. */
static int by_version(const void *a, const void *b)
{
	const struct world_record *const *x = a, *const *y = b;
	return (*x)->version - (*y)->version;
}

static size_t sorted(struct world_side_state *s, int above, int64_t since_ms,
		     const struct world_record *ret[WORLD_RECORDS])
{
	size_t n = 0;
	for (int i = 0; i < s->n; i++)
		if (s->records[i].version > above && s->records[i].changed_ms >= since_ms &&
		    !s->records[i].is_late)
			ret[n++] = &s->records[i];
	qsort(ret, n, sizeof(*ret), by_version);
	return n;
}

static bool world_list(struct attempt *at, const struct register_cursor *from,
		       struct register_page *ret, struct err *err)
{
	const struct world_record *all[WORLD_RECORDS];
	struct world_side_state *s = source(place_of(at));
	if (!enter(at, "list", err))
		return false;
	s->lists++;
	size_t n = sorted(s, from->page ? (int)strtol(from->page, NULL, 10) : 0, from->since_ms,
			  all);
	bool more = n > PAGE_RECORDS;
	n = more ? PAGE_RECORDS : n;
	ret->records = arena_alloc_array(at->arena, n + 1, sizeof(*ret->records));
	assert(ret->records);
	for (size_t i = 0; i < n; i++)
		ret->records[i] = read_record(at, all[i]);
	ret->n = n;
	ret->next = more ? version_text(at, all[n - 1]->version) : NULL;
	return leave(true);
}

static bool world_read(struct attempt *at, const char *const *ids, size_t n,
		       struct register_page *ret, struct err *err)
{
	if (!enter(at, "read", err))
		return false;
	ret->records = arena_alloc_array(at->arena, n + 1, sizeof(*ret->records));
	assert(ret->records);
	for (size_t i = 0; i < n; i++) {
		const struct world_record *r = by_id(source(place_of(at)), ids[i]);
		if (r)
			ret->records[ret->n++] = read_record(at, r);
	}
	return leave(true);
}

static const char *key_of(struct attempt *at, const char *code)
{
	const char *key = arena_printf(at->arena, "code:%s", code);
	assert(key);
	return key;
}

static bool world_map(struct attempt *at, struct register_record *r, struct err *err)
{
	const struct world_record *data = r->data;
	if (strncmp(data->name, "bad", 3) == 0)
		return err_reason(err, ERR_DATA, "customer_name_missing", r->label, "no name");
	if (strncmp(data->name, "wait", 4) == 0)
		return err_set(err, ERR_WAITING, "not yet");
	if (strncmp(data->name, "skip", 4) == 0) {
		r->skip = "product_code_missing";
		return true;
	}
	r->keys[0] = key_of(at, data->code);
	r->n_keys = 1;
	/* Products have none: their intents alone keep them from being made twice. */
	if (strcmp(at->kind, "products") != 0)
		r->lease = arena_printf(at->arena, "%s:%s", at->kind, data->code);
	r->values = arena_alloc_array(at->arena, 2, sizeof(*r->values));
	assert(r->values);
	const char *name = arena_printf(at->arena, "%s%s", data->name, now->suffix);
	assert(name);
	r->values[0] = (struct register_value) { .name = "name", .value = name };
	r->values[1] = (struct register_value) { .name = "mail",
						 .value = data->mail[0] ? data->mail : NULL };
	r->n_values = 2;
	return true;
}

static struct register_match match_of(struct attempt *at, const struct world_record *r)
{
	const char **keys = arena_alloc(at->arena, sizeof(*keys));
	struct link_value *fields = arena_alloc_array(at->arena, 2, sizeof(*fields));
	assert(keys && fields);
	keys[0] = key_of(at, r->code);
	fields[0] = (struct link_value) { "name", text(at, r->name) };
	fields[1] = (struct link_value) { "mail", r->mail[0] ? text(at, r->mail) : NULL };
	return (struct register_match) { .id = text(at, r->id),
					 .version = version_text(at, r->version),
					 .keys = keys,
					 .n_keys = 1,
					 .values = fields,
					 .n_values = 2 };
}

static bool world_list_target(struct attempt *at, const struct register_cursor *from,
			      struct register_matches *ret, struct err *err)
{
	const struct world_record *all[WORLD_RECORDS];
	if (!enter(at, "list_target", err))
		return false;
	size_t n = sorted(target(place_of(at)), from->page ? (int)strtol(from->page, NULL, 10) : 0,
			  0, all);
	bool more = n > PAGE_RECORDS;
	n = more ? PAGE_RECORDS : n;
	struct register_match *items = arena_alloc_array(at->arena, n + 1, sizeof(*items));
	assert(items);
	for (size_t i = 0; i < n; i++)
		items[i] = match_of(at, all[i]);
	ret->items = items;
	ret->n = n;
	ret->next = more ? version_text(at, all[n - 1]->version) : NULL;
	return leave(true);
}

static bool world_find(struct attempt *at, struct register_record *const *records, size_t n,
		       struct err *err)
{
	struct world_side_state *s = target(place_of(at));
	if (!enter(at, "find", err))
		return false;
	s->finds++;
	if (now->finds_fail_at && s->finds == now->finds_fail_at)
		return leave(err_set(err, ERR_OUTAGE, "away"));
	for (size_t i = 0; i < n; i++) {
		const struct world_record *data = records[i]->data;
		struct register_match *found = arena_alloc_array(at->arena, WORLD_RECORDS,
								 sizeof(*found));
		assert(found);
		for (int k = 0; k < s->n; k++)
			if (strcmp(s->records[k].code, data->code) == 0 && !s->records[k].is_late)
				found[records[i]->n_found++] = match_of(at, &s->records[k]);
		records[i]->found = found;
	}
	return leave(true);
}

static bool world_create(struct attempt *at, const struct register_record *r,
			 struct register_done *ret, struct err *err)
{
	struct place p = place_of(at);
	const struct world_record *data = r->data;
	if (!enter(at, "create", err))
		return false;
	if (now->refuses_to_create)
		return leave(err_set(err, ERR_OUTAGE, "no creations now"));
	struct world_record *twin = now->refuses_twins ? find(target(p), data->code) : NULL;
	if (twin) {
		twin->is_late = false;
		return leave(err_set(err, ERR_DUPLICATE, "there already"));
	}
	if (now->refuse_creates > 0) {
		now->refuse_creates--;
		return leave(err_reason(err, ERR_DATA, "refused_by_target", r->label, "refused"));
	}
	if (now->lose_creates > 0) {
		now->lose_creates--;
		return leave(err_set(err, ERR_DOUBT, "lost"));
	}
	struct world_record *made = add(now, p.kind, !p.from, data->code, r->values[0].value,
					data->mail);
	size_t n = strlen(made->name);
	if (p.kind == KIND_CUSTOMER && p.from == AT_LEFT && !now->keeps_names)
		snprintf(made->name + n, sizeof(made->name) - n, " (kept so)");
	target(p)->creates++;
	if (now->cut_creates > 0) {
		now->cut_creates--;
		return leave(err_set(err, ERR_DOUBT, "cut"));
	}
	*ret = (struct register_done) { .id = text(at, made->id),
					.version = version_text(at, made->version) };
	if (now->tells_no_ids && p.kind == KIND_CARD)
		*ret = (struct register_done) { .id = NULL };
	return leave(true);
}

static bool world_update(struct attempt *at, const struct register_record *r,
			 struct register_done *ret, struct err *err)
{
	struct place p = place_of(at);
	if (!enter(at, "update", err))
		return false;
	struct world_record *to = by_id(target(p), r->link->id[!p.from]);
	assert(to);
	for (size_t i = 0; i < r->n_values; i++) {
		const struct register_value *v = &r->values[i];
		bool is_name = strcmp(v->name, "name") == 0;
		if (v->is_changed)
			snprintf(is_name ? to->name : to->mail,
				 is_name ? sizeof(to->name) : sizeof(to->mail), "%s",
				 v->value ? v->value : "");
	}
	to->version = ++now->version;
	to->changed_ms = clock_wall_ms();
	target(p)->updates++;
	*ret = (struct register_done) { .version = version_text(at, to->version) };
	return leave(true);
}

static bool world_scope(struct attempt *at, const char **ret, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_own);
	*ret = arena_printf(at->arena, "world:%d", now->company);
	return *ret ? true : err_set(err, ERR_LIMIT, "arena full");
}

#define FOUND_CALLS                                                                     \
	.scope = world_scope, .list = world_list, .read = world_read, .map = world_map, \
	.find = world_find, .create = world_create
#define WORLD_CALLS FOUND_CALLS, .list_target = world_list_target

static const struct register_sync products = {
	.name = "products", .title = "Products", .kind = "product", .create_only = true, WORLD_CALLS
};
static const struct register_sync customers = { .name = "customers",
						.title = "Customers",
						.kind = "customer",
						.after = "products",
						.create_only = true,
						WORLD_CALLS };
static const struct register_sync partners = { .name = "partners",
					       .title = "Partners, back",
					       .kind = "customer",
					       .after = "customers products",
					       .direction = REGISTER_BACK,
					       .update = world_update,
					       WORLD_CALLS };
/* Every hour by its own schedule; the others go with the poll. */
static const struct register_sync cards = { .name = "cards",
					    .title = "Cards",
					    .kind = "card",
					    .schedule = "{\"interval_s\":3600}",
					    .id_by_find = true,
					    .find_max = REGISTER_PAGE_MAX,
					    .update = world_update,
					    WORLD_CALLS };
static const struct register_sync items = {
	.name = "items", .title = "Items", .kind = "item", .create_only = true, FOUND_CALLS
};
/* Not in the order in which one needs the other. */
static const struct register_sync *const registers[] = { &partners, &customers, &products, &cards,
							 &items };

static bool settle(struct arena *arena, const struct system_values *systems,
		   const struct json *settings, const struct json *credentials,
		   struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n,
		   struct err *err)
{
	(void)arena, (void)systems, (void)settings, (void)credentials, (void)ret_limits, (void)err;
	*ret_n = 0;
	return true;
}

static bool nothing(struct attempt *at, struct err *err)
{
	(void)at;
	(void)err;
	return true;
}

static bool check(struct attempt *at, struct err *err)
{
	(void)err;
	at->result = "{\"ok\":true,\"problems\":[],\"waiting\":0}";
	return true;
}

static bool poll(struct attempt *at, struct err *err)
{
	return !now || (enter(at, "poll", err) && leave(true));
}

const struct flow world_flow = { .name = "world",
				 .title = "world",
				 .settle = settle,
				 .poll = poll,
				 .run = nothing,
				 .check = check,
				 .registers = registers,
				 .n_registers = ARRAY_SIZE(registers) };
