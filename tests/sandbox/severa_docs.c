/*
 * severa_docs.c: what a tenant keeps, and the one way to change it.
 *
 * Guarantees that a doc's JSON and what lists filter by never differ, that every change moves
 * lastUpdatedDateTime forward, and that an invoice has a number once it entered a status that gives
 * one (facts/severa.md §3.5). Callers hold the tenant's lock.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "severa.h"

#define DOC_MAX (4u << 20)

static const char guid_space[] = "6f0a7c52-9a55-4c0e-8a1e-5e7e0a5d1b2c";

void severa_guid(const struct severa_tenant *t, const char *kind, const char *name,
		 char ret[UUID_TEXT])
{
	char text[256];
	int n = snprintf(text, sizeof(text), "%s/%s/%s", t->key, kind, name);
	size_t len = n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1;
	bool ok = sign_uuid5(guid_space, (struct span) { text, len }, ret);
	assert(ok);
	(void)ok; /* only the assert asks */
}

int64_t severa_tick_locked(struct severa_tenant *t)
{
	int64_t now = clock_wall_ms();
	t->last_change_ms = now > t->last_change_ms ? now : t->last_change_ms + 1;
	return t->last_change_ms;
}

struct doc *severa_get_locked(struct severa_tenant *t, enum severa_kind kind, const char *guid)
{
	char lower[UUID_TEXT];
	size_t n = guid ? strlen(guid) : 0;
	if (n != UUID_TEXT - 1)
		return NULL;
	for (size_t i = 0; i <= n; i++)
		lower[i] = (char)(guid[i] >= 'A' && guid[i] <= 'Z' ? guid[i] - 'A' + 'a' : guid[i]);
	struct doc *doc = table_get(&t->by_guid, lower);
	return doc && doc->kind == kind ? doc : NULL;
}

static bool parse(struct arena *arena, struct span text, const struct json **ret, struct err *err)
{
	return json_parse(arena, text, (struct json_limits) { DOC_MAX, 32 }, ret, err);
}

static int64_t time_of(const struct json *j, const char *key)
{
	int64_t ms;
	const char *text = json_str(json_get(j, key));
	return text && clock_parse_rfc3339(span_of(text), &ms) ? ms : 0;
}

static void index_doc(struct severa_tenant *t, struct doc *doc, const struct json *j)
{
	if (!json_int64(json_get(j, "number"), &doc->number))
		doc->number = -1;
	bool active = true;
	doc->is_active = !json_bool(json_get(j, "isActive"), &active) || active;
	doc->changed_ms = time_of(j, "lastUpdatedDateTime");
	if (!doc->changed_ms)
		doc->changed_ms = time_of(j, "createdDateTime");
	if (doc->changed_ms > t->last_change_ms)
		t->last_change_ms = doc->changed_ms;
	if (doc->kind == SEVERA_INVOICE)
		doc->status = severa_get_locked(t, SEVERA_STATUS,
						json_str(json_at(j, "status.guid")));
	const char *file_guid = json_str(json_get(j, "fileGuid"));
	if (file_guid)
		snprintf(doc->file_guid, sizeof(doc->file_guid), "%s", file_guid);
}

static void doc_free(struct doc *doc)
{
	if (!doc)
		return;
	mem_free(doc->json);
	mem_free(doc->blob);
	mem_free(doc);
}
CLEANUP_FUNC(struct doc, doc_free)

static void adopt(struct doc *parent, struct doc *doc)
{
	doc->parent = parent;
	if (!parent)
		return;
	if (parent->last_child)
		parent->last_child->next_sibling = doc;
	else
		parent->first_child = doc;
	parent->last_child = doc;
}

struct doc *severa_add_locked(struct severa_tenant *t, enum severa_kind kind, const char *guid,
			      struct doc *parent, struct span json, struct err *err)
{
	CLEANUP(arena_free) struct arena *scratch = arena_new(64u << 20);
	CLEANUP(doc_free) struct doc *doc = mem_alloc(sizeof(*doc));
	struct doc_list *list = &t->kinds[kind];
	if (doc)
		doc->json = mem_memdup(json.p, json.n);
	if (!scratch || !doc || !doc->json ||
	    !array_reserve(&list->docs, list->n, &list->cap, sizeof(struct doc *))) {
		err_set(err, ERR_MEMORY, "out of memory");
		return NULL;
	}
	doc->n = json.n;
	doc->kind = kind;
	snprintf(doc->guid, sizeof(doc->guid), "%s", guid);
	const struct json *j = NULL;
	if (!parse(scratch, json, &j, err))
		return NULL;
	if (table_get(&t->by_guid, doc->guid)) {
		err_set(err, ERR_CONFLICT, "guid %s exists already", guid);
		return NULL;
	}
	if (!table_put(&t->by_guid, doc->guid, doc)) {
		err_set(err, ERR_MEMORY, "out of memory");
		return NULL;
	}
	index_doc(t, doc, j);
	doc->seq = ++t->next_seq;
	list->docs[list->n++] = doc;
	adopt(parent, doc);
	struct doc *added = doc;
	doc = NULL; /* the lists have it now */
	return added;
}

static bool replace_json(struct severa_tenant *t, struct doc *doc, struct arena *arena,
			 struct strbuf *sb, struct err *err)
{
	const char *text = NULL;
	const struct json *j = NULL;
	if (!strbuf_finish(sb, &text, err) || !parse(arena, strbuf_span(sb), &j, err))
		return false;
	char *copy = mem_memdup(text, sb->n);
	if (!copy)
		return err_set(err, ERR_MEMORY, "out of memory");
	mem_free(doc->json);
	doc->json = copy;
	doc->n = sb->n;
	index_doc(t, doc, j);
	return true;
}

/* json_merge() of the top level, with lastUpdatedDateTime set on the way. */
static void merge_stamped(struct json_writer *w, const struct json *old, const struct json *patch,
			  const char *when)
{
	static const char stamp[] = "lastUpdatedDateTime";
	jsonw_object(w);
	jsonw_kstr(w, stamp, when);
	for (const struct json *m = json_first(old); m; m = json_next(m)) {
		const struct json *change = json_get(patch, json_key(m));
		if (strcmp(json_key(m), stamp) == 0)
			continue;
		jsonw_key(w, json_key(m));
		if (change)
			json_merge(w, m, change);
		else
			jsonw_node(w, m);
	}
	for (const struct json *m = json_first(patch); m; m = json_next(m)) {
		if (json_get(old, json_key(m)) || strcmp(json_key(m), stamp) == 0)
			continue;
		jsonw_key(w, json_key(m));
		json_merge(w, NULL, m);
	}
	jsonw_end_object(w);
}

bool severa_merge_locked(struct severa_tenant *t, struct doc *doc, struct arena *arena,
			 const struct json *patch, struct err *err)
{
	char when[CLOCK_RFC3339_MAX];
	const struct json *old = NULL;
	if (!parse(arena, (struct span) { doc->json, doc->n }, &old, err))
		return false;
	struct strbuf sb = STRBUF_INIT(arena, DOC_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	merge_stamped(&w, old, patch, clock_rfc3339(severa_tick_locked(t), when));
	return replace_json(t, doc, arena, &sb, err);
}

static void disown(struct doc *doc)
{
	struct doc *parent = doc->parent;
	if (!parent)
		return;
	struct doc *before = NULL;
	struct doc *at = parent->first_child;
	while (at != doc) {
		before = at;
		at = at->next_sibling;
	}
	if (before)
		before->next_sibling = doc->next_sibling;
	else
		parent->first_child = doc->next_sibling;
	if (parent->last_child == doc)
		parent->last_child = before;
}

void severa_remove_locked(struct severa_tenant *t, struct doc *doc)
{
	while (doc->first_child)
		severa_remove_locked(t, doc->first_child);
	disown(doc);
	table_remove(&t->by_guid, doc->guid);
	struct doc_list *list = &t->kinds[doc->kind];
	for (size_t i = 0; i < list->n; i++) {
		if (list->docs[i] != doc)
			continue;
		memmove(list->docs + i, list->docs + i + 1,
			(list->n - i - 1) * sizeof(struct doc *));
		list->n--;
		break;
	}
	doc_free(doc);
}

const char *severa_text(struct arena *arena, const struct doc *doc, const char *path)
{
	struct err err = ERR_INIT;
	const struct json *j = NULL;
	if (!doc || !parse(arena, (struct span) { doc->json, doc->n }, &j, &err))
		return NULL;
	return json_text(json_at(j, path));
}

bool severa_is(struct arena *arena, const struct doc *doc, const char *path)
{
	struct err err = ERR_INIT;
	const struct json *j = NULL;
	bool v = false;
	if (!doc || !parse(arena, (struct span) { doc->json, doc->n }, &j, &err))
		return false;
	return json_bool(json_at(j, path), &v) && v;
}

struct doc *severa_status_locked(struct severa_tenant *t, const char *name_or_guid)
{
	if (!name_or_guid)
		return NULL;
	struct doc *found = severa_get_locked(t, SEVERA_STATUS, name_or_guid);
	CLEANUP(arena_free) struct arena *scratch = arena_new(1u << 20);
	for (size_t i = 0; !found && scratch && i < t->kinds[SEVERA_STATUS].n; i++) {
		struct doc *doc = t->kinds[SEVERA_STATUS].docs[i];
		const char *name = severa_text(scratch, doc, "name");
		if (name && strcasecmp(name, name_or_guid) == 0)
			found = doc;
	}
	return found;
}

static void write_status(struct json_writer *w, const struct json *status)
{
	static const char *const members[] = { "guid", "name", "isSent", "isWaitingPayment",
					       "isPaid" };
	jsonw_key(w, "status");
	jsonw_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		jsonw_key(w, members[i]);
		jsonw_node(w, json_get(status, members[i]));
	}
	jsonw_end_object(w);
}

void severa_reference(const struct severa_tenant *t, int64_t number, char *ret, size_t size)
{
	if (t->is_norwegian)
		kid_number(number, ret, size);
	else
		reference_number(number, ret, size);
}

bool severa_enter_locked(struct severa_tenant *t, struct doc *invoice, const struct doc *status,
			 struct arena *arena, struct err *err)
{
	const struct json *s = NULL, *patch = NULL;
	if (!parse(arena, (struct span) { status->json, status->n }, &s, err))
		return false;
	bool gives_number = false;
	if (!json_bool(json_get(s, "hasInvoiceNumber"), &gives_number))
		gives_number = false;
	struct strbuf sb = STRBUF_INIT(arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	write_status(&w, s);
	if (gives_number && invoice->number < 0) {
		char reference[32];
		severa_reference(t, t->next_number, reference, sizeof(reference));
		jsonw_kint(&w, "number", t->next_number);
		jsonw_kstr(&w, "referenceNumber", reference);
		t->next_number++;
	}
	jsonw_end_object(&w);
	if (!parse(arena, strbuf_span(&sb), &patch, err) ||
	    !severa_merge_locked(t, invoice, arena, patch, err))
		return false;
	t->status_changes++;
	return true;
}
