/*
 * store.c: helpers of store.h.
 *
 * The table is open addressing with linear probing over FNV-1a; removed slots stay until it grows.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "store.h"

struct table_slot {
	const char *key; /* NULL: never used */
	void *value; /* NULL with a key: removed */
	uint64_t hash;
};

static uint64_t hash_text(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h;
}

/* The slot of the key, or the first free one; the table is never full. */
static struct table_slot *find(const struct table *t, const char *key, uint64_t hash)
{
	size_t i = hash & (t->cap - 1);
	while (t->slots[i].key) {
		struct table_slot *slot = &t->slots[i];
		if (slot->value && slot->hash == hash && strcmp(slot->key, key) == 0)
			return slot;
		i = (i + 1) & (t->cap - 1);
	}
	return &t->slots[i];
}

void *table_get(const struct table *t, const char *key)
{
	if (!t->cap || !key)
		return NULL;
	return find(t, key, hash_text(key))->value;
}

static bool grow(struct table *t)
{
	struct table bigger = { .cap = t->cap ? t->cap * 2 : 64 };
	bigger.slots = mem_alloc_array(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < t->cap; i++) {
		if (!t->slots[i].key || !t->slots[i].value)
			continue;
		*find(&bigger, t->slots[i].key, t->slots[i].hash) = t->slots[i];
		bigger.used++;
	}
	mem_free(t->slots);
	*t = bigger;
	return true;
}

bool table_put(struct table *t, const char *key, void *value)
{
	if (t->used * 4 >= t->cap * 3 && !grow(t))
		return false;
	uint64_t hash = hash_text(key);
	struct table_slot *slot = find(t, key, hash);
	if (!slot->key)
		t->used++;
	*slot = (struct table_slot) { key, value, hash };
	return true;
}

void *table_remove(struct table *t, const char *key)
{
	if (!t->cap)
		return NULL;
	struct table_slot *slot = find(t, key, hash_text(key));
	void *value = slot->value;
	if (value) {
		/* The key belonged to the value, which may go now. */
		slot->key = "";
		slot->value = NULL;
	}
	return value;
}

void table_release(struct table *t)
{
	mem_free(t->slots);
	*t = (struct table) { 0 };
}

bool array_reserve(void *array_ptr, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return true;
	void **array = array_ptr;
	size_t more = *cap ? *cap * 2 : 16;
	void *p = mem_realloc(*array, more * size);
	if (!p)
		return false;
	*array = p;
	*cap = more;
	return true;
}

const char *keep_text(struct arena *arena, const char *text)
{
	const char *ret = arena_strdup(arena, text);
	return ret ? ret : "";
}

void fixed_id(const char *system, const char *what, const char *which, char ret[UUID_TEXT])
{
	static const char space[] = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";
	char name[256];
	int n = snprintf(name, sizeof(name), "%s sandbox %s %s", system, what, which);
	if (n < 0 || (size_t)n >= sizeof(name) ||
	    !sign_uuid5(space, (struct span) { name, (size_t)n }, ret))
		sign_uuid4(ret);
}

void json_merge(struct json_writer *w, const struct json *target, const struct json *patch)
{
	if (json_type(patch) != JSON_OBJECT) {
		jsonw_node(w, patch);
		return;
	}
	bool is_object = json_type(target) == JSON_OBJECT;
	jsonw_object(w);
	const struct json *m = is_object ? json_first(target) : NULL;
	for (; m; m = json_next(m)) {
		const struct json *change = json_get(patch, json_key(m));
		jsonw_key(w, json_key(m));
		if (change)
			json_merge(w, m, change);
		else
			jsonw_node(w, m);
	}
	for (m = json_first(patch); m; m = json_next(m)) {
		if (is_object && json_get(target, json_key(m)))
			continue;
		jsonw_key(w, json_key(m));
		json_merge(w, NULL, m);
	}
	jsonw_end_object(w);
}

static unsigned weighted_mod_11(unsigned base)
{
	static const unsigned weights[7] = { 2, 4, 8, 5, 10, 9, 7 }; /* from the right */
	unsigned sum = 0;
	for (unsigned i = 0; i < 7; i++, base /= 10)
		sum += base % 10 * weights[i];
	return sum % 11;
}

void business_id(unsigned base, char ret[BUSINESS_ID_TEXT])
{
	while (weighted_mod_11(base) == 1) /* never issued */
		base++;
	unsigned r = weighted_mod_11(base);
	snprintf(ret, BUSINESS_ID_TEXT, "%07u-%u", base % 10000000, r ? 11 - r : 0);
}

void kid_number(int64_t base, char *ret, size_t size)
{
	int64_t sum = 0, rest = base;
	for (unsigned i = 0; rest > 0; i++, rest /= 10) {
		int64_t digit = rest % 10 * (i % 2 ? 1 : 2);
		sum += digit / 10 + digit % 10;
	}
	snprintf(ret, size, "%" PRId64 "%" PRId64, base, (10 - sum % 10) % 10);
}

void reference_number(int64_t base, char *ret, size_t size)
{
	static const int weights[3] = { 7, 3, 1 };
	int64_t sum = 0;
	int64_t rest = base;
	for (unsigned i = 0; rest > 0; i++, rest /= 10)
		sum += rest % 10 * weights[i % 3];
	snprintf(ret, size, "%" PRId64 "%" PRId64, base, (10 - sum % 10) % 10);
}
