/*
 * severa_relations.c: what refers to another record of the Severa stand-in, by its guid: a
 * language, a country, the customer of an address. The names that an answer shows beside the guid
 * are the other record's, whatever a caller sends; a guid that nobody has is refused.
 */
#include "base/base.h"

#include "severa.h"

static const struct relation {
	enum severa_kind kind;
	const char *member;
	enum severa_kind of;
	const char *shown[4]; /* members of the other that stand beside the guid */
} relations[] = {
	{ SEVERA_CUSTOMER, "language", SEVERA_LANGUAGE, { "name", "englishName", "code" } },
	{ SEVERA_ADDRESS, "country", SEVERA_COUNTRY, { "name", "englishName", "hasRegions" } },
	{ SEVERA_ADDRESS, "customer", SEVERA_CUSTOMER, { "name", "number" } },
};

static const struct doc *other_locked(struct severa_tenant *t, const struct relation *r,
				      const struct json *j, const char **ret_guid)
{
	*ret_guid = json_str(json_get(json_get(j, r->member), "guid"));
	return *ret_guid ? severa_get_locked(t, r->of, *ret_guid) : NULL;
}

bool severa_relations_known_locked(struct severa_call *sc, enum severa_kind kind,
				   const struct json *body)
{
	for (size_t i = 0; i < ARRAY_SIZE(relations); i++) {
		const struct relation *r = &relations[i];
		const char *guid;
		if (r->kind != kind || other_locked(sc->tenant, r, body, &guid) || !guid)
			continue;
		severa_error(sc->c, 400, "InvalidParameter", "Not found.", "RequestBody",
			     r->member);
		return false;
	}
	return true;
}

static void show(struct arena *arena, struct json_writer *w, const struct relation *r,
		 const struct doc *other)
{
	struct json_limits limits = { 8u << 20, 32 };
	const struct json *j = NULL;
	if (!json_parse(arena, (struct span) { other->json, other->n }, limits, &j, NULL))
		return;
	jsonw_key(w, r->member);
	jsonw_object(w);
	jsonw_kstr(w, "guid", other->guid);
	for (size_t i = 0; i < ARRAY_SIZE(r->shown) && r->shown[i]; i++) {
		const struct json *value = json_get(j, r->shown[i]);
		if (!value)
			continue;
		jsonw_key(w, r->shown[i]);
		jsonw_node(w, value);
	}
	jsonw_end_object(w);
}

bool severa_relations_show_locked(struct severa_call *sc, struct doc *doc, struct err *err)
{
	struct arena *arena = sc->c->arena;
	struct json_limits limits = { 8u << 20, 32 };
	struct strbuf sb = STRBUF_INIT(arena, 64u << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct json *j, *patch;
	bool any = false;
	if (!json_parse(arena, (struct span) { doc->json, doc->n }, limits, &j, err))
		return false;
	jsonw_object(&w);
	for (size_t i = 0; i < ARRAY_SIZE(relations); i++) {
		const struct relation *r = &relations[i];
		const char *guid;
		const struct doc *other = r->kind == doc->kind
						  ? other_locked(sc->tenant, r, j, &guid)
						  : NULL;
		any |= other != NULL;
		if (other)
			show(arena, &w, r, other);
	}
	jsonw_end_object(&w);
	return !any || (json_parse(arena, strbuf_span(&sb), limits, &patch, err) &&
			severa_merge_locked(sc->tenant, doc, arena, patch, err));
}
