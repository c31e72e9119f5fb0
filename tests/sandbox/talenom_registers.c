/* talenom_registers.c: sales accounts, products and contacts of the Talenom stand-in
 * (facts/talenom.md §2.1, 3). A change is a row version; one of an older version is refused. */
#include "base/base.h"

#include "talenom.h"

#define RECORD_MAX ((size_t)256 << 10)

/* ---- sales accounts ------------------------------------------------------------------------ */

bool tn_add_account_locked(struct talenom *t, struct tn_org *org, const char *number,
			   const char *name, const char *percent, bool is_active)
{
	struct tn_account *a = arena_alloc(t->base.arena, sizeof(*a));
	if (!a)
		return false;
	*a = (struct tn_account) { .next = org->accounts,
				   .number = tn_keep(t, number),
				   .name = tn_keep(t, name),
				   .is_active = is_active };
	org->accounts = a;
	return decimal_parse(span_of(percent), &a->tax_percent);
}

void tn_accounts_locked(struct tn_call *tc)
{
	struct strbuf sb = call_strbuf(tc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_array(&w);
	for (const struct tn_account *a = tc->org->accounts; a; a = a->next) {
		jsonw_object(&w);
		jsonw_kstr(&w, "number", a->number);
		jsonw_kstr(&w, "name", a->name);
		jsonw_key(&w, "taxPercent");
		jsonw_decimal(&w, a->tax_percent);
		jsonw_kbool(&w, "active", a->is_active);
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	reply_json(tc->c, 200, &sb);
}

/* ---- records ------------------------------------------------------------------------------- */

struct tn_record *tn_keep_record_locked(struct talenom *t, struct tn_record **list,
					struct tn_record *old, const struct json *fields,
					const char *key_member)
{
	struct tn_record *r = old ? old : arena_alloc(t->base.arena, sizeof(*r));
	struct strbuf sb = STRBUF_INIT(t->base.arena, RECORD_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *was = NULL, *now;
	if (!r ||
	    (old && !json_parse(t->base.arena, span_of(old->json), JSON_LIMITS_API, &was, NULL)))
		return NULL;
	json_merge(&w, was, fields);
	r->json = tn_keep_json(t, &sb);
	if (!r->json || !json_parse(t->base.arena, span_of(r->json), JSON_LIMITS_API, &now, NULL))
		return NULL;
	r->key = tn_keep(t, tn_text(now, key_member));
	r->name = tn_keep(t, tn_text(now, "name"));
	r->version = ++t->next_version;
	if (!old) {
		sign_uuid4(r->id);
		r->next = *list;
		*list = r;
	}
	return r;
}

/* id and rowVersion first, then what was written. */
void tn_write_record(struct json_writer *w, const struct tn_record *r)
{
	jsonw_object(w);
	jsonw_kstr(w, "id", r->id);
	tn_write_version(w, r->version);
	/* The members of the kept object, without its braces: "{...}" is never empty. */
	strbuf_addch(w->out, ',');
	strbuf_add(w->out, r->json + 1, strlen(r->json) - 2);
	jsonw_end_object(w);
}

static struct tn_record *find(struct tn_record *r, const char *id)
{
	while (r && strcmp(r->id, id) != 0)
		r = r->next;
	return r;
}

static const struct tn_record *taken(const struct tn_record *r, const char *key,
				     const struct tn_record *but)
{
	while (r && (r == but || !key[0] || strcmp(r->key, key) != 0))
		r = r->next;
	return r;
}

static void reply_record(struct tn_call *tc, unsigned status, const struct tn_record *r)
{
	struct strbuf sb = call_strbuf(tc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	tn_write_record(&w, r);
	reply_json(tc->c, status, &sb);
}

/* Those whose key or name is the parameter's. */
static void list(struct tn_call *tc, const struct tn_record *r, const char *key, const char *name)
{
	struct strbuf sb = call_strbuf(tc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_array(&w);
	for (; r; r = r->next)
		if ((!key || strcmp(r->key, key) == 0) && (!name || strcmp(r->name, name) == 0))
			tn_write_record(&w, r);
	jsonw_end_array(&w);
	reply_json(tc->c, 200, &sb);
}

struct kind {
	const char *key_member, *duplicate; /* duplicate: error code */
	size_t list_offset, added_offset, changed_offset; /* in struct tn_org */
};
static const struct kind product = { "code", "DUPLICATE_CODE", offsetof(struct tn_org, products),
				     offsetof(struct tn_org, products_added),
				     offsetof(struct tn_org, products_changed) };
static const struct kind contact = { "externalId", "DUPLICATE_EXTERNAL_ID",
				     offsetof(struct tn_org, contacts),
				     offsetof(struct tn_org, contacts_added),
				     offsetof(struct tn_org, contacts_changed) };

static void *member_of(struct tn_org *org, size_t offset)
{
	return (char *)org + offset;
}

static bool check_record(struct tn_call *tc, const struct kind *kind, const struct tn_record *old)
{
	struct tn_record *const *records = member_of(tc->org, kind->list_offset);
	if (json_type(tc->body) != JSON_OBJECT)
		return tn_refuse(tc, "MALFORMED", "The body is no object");
	if (!old && !tn_text(tc->body, "name")[0])
		return tn_refuse(tc, "NAME_MISSING", "A name is needed");
	if (taken(*records, tn_text(tc->body, kind->key_member), old)) {
		tc->org->refused_duplicates++;
		return tn_fail(tc, 409, kind->duplicate, "It is there already");
	}
	if (!old || tn_is_version(tc->body, old->version))
		return true;
	tc->org->version_conflicts++;
	return tn_fail(tc, 409, "ROW_VERSION_CONFLICT", "It was changed meanwhile");
}

/* id and rowVersion of a body belong to no record. */
static const struct json *without_version(struct tn_call *tc)
{
	struct strbuf sb = STRBUF_INIT(tc->c->arena, RECORD_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *ret;
	jsonw_object(&w);
	for (const struct json *m = json_first(tc->body); m; m = json_next(m)) {
		if (strcmp(json_key(m), "id") == 0 || strcmp(json_key(m), "rowVersion") == 0)
			continue;
		jsonw_key(&w, json_key(m));
		jsonw_node(&w, m);
	}
	jsonw_end_object(&w);
	return json_parse(tc->c->arena, strbuf_span(&sb), JSON_LIMITS_API, &ret, NULL) ? ret : NULL;
}

static void write_record(struct tn_call *tc, const struct kind *kind, bool is_new)
{
	struct tn_record **records = member_of(tc->org, kind->list_offset);
	struct tn_record *old = is_new ? NULL : find(*records, tc->id);
	if (!is_new && !old) {
		reply_empty(tc->c, 404);
		return;
	}
	if (!check_record(tc, kind, old))
		return;
	const struct json *fields = without_version(tc);
	const struct tn_record *r = fields ? tn_keep_record_locked(tc->t, records, old, fields,
								   kind->key_member)
					   : NULL;
	if (!r)
		return;
	uint64_t *count = member_of(tc->org, is_new ? kind->added_offset : kind->changed_offset);
	++*count;
	reply_record(tc, is_new ? 201 : 200, r);
}

void tn_products_locked(struct tn_call *tc)
{
	list(tc, tc->org->products, call_param(tc->c, "code"), call_param(tc->c, "name"));
}

void tn_add_product_locked(struct tn_call *tc)
{
	write_record(tc, &product, true);
}

void tn_change_product_locked(struct tn_call *tc)
{
	write_record(tc, &product, false);
}

void tn_contacts_locked(struct tn_call *tc)
{
	list(tc, tc->org->contacts, call_param(tc->c, "externalId"), NULL);
}

void tn_add_contact_locked(struct tn_call *tc)
{
	write_record(tc, &contact, true);
}

void tn_change_contact_locked(struct tn_call *tc)
{
	write_record(tc, &contact, false);
}
