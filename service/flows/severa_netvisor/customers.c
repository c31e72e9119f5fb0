/*
 * customers.c: an invoice's customer stands in Netvisor before it, as Severa has it (NV-02, NV-03,
 * NV-05), or the temporary customer does.
 */
#include "base/base.h"
#include "internal.h"

#include "codec/sign.h"

static bool card_json(struct sn *r, const struct netvisor_customer *c, const char **ret,
		      struct err *err)
{
	struct strbuf sb = STRBUF_INIT(r->road.at->arena, 64 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	for (enum netvisor_customer_field f = 0; f < NETVISOR_CUSTOMER_FIELDS; f++)
		if (c->values[f])
			jsonw_kstr(&w, netvisor_customer_field_name(f), c->values[f]);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, ret, err);
}

static const char *digest_of(struct sn *r, const char *text)
{
	unsigned char digest[SHA256_BYTES];
	char *hex = arena_alloc(r->road.at->arena, 2 * SHA256_BYTES + 1);
	sign_sha256(span_of(text), digest);
	if (hex)
		sign_hex(digest, sizeof(digest), hex);
	return hex;
}

static bool edit_customer(struct sn *r, const struct netvisor_customer *theirs,
			  const struct netvisor_customer *card, struct err *err)
{
	struct attempt *at = r->road.at;
	const char *code = card->values[NETVISOR_CODE];
	const struct json *last = NULL;
	const char *text, *kv_key = arena_printf(at->arena, "customer:%s", code);
	struct netvisor_customer changes;
	if (!kv_key)
		return sn_full(err);
	if (!sn_is_same_customer(at->arena, theirs, card))
		return err_reason(err, ERR_DATA, "customer_number_taken", code,
				  "customer number %s belongs to %s in Netvisor", code,
				  theirs->values[NETVISOR_NAME] ? theirs->values[NETVISOR_NAME]
								: "another");
	if (!at->ops->kv_get(at, r->netvisor.limit_key, kv_key, &text, err))
		return false;
	if (text[0] && !json_parse(at->arena, span_of(text), JSON_LIMITS_API, &last, err))
		return false;
	if (!sn_customer_changes(theirs, card, last, &changes))
		return true;
	if (!at->preview && !netvisor_customer_edit(&r->netvisor, &changes, err)) {
		/* An edit may be repeated: a doubt is no more than a failed try. */
		if (err && err->code == ERR_DOUBT)
			err->code = ERR_OUTAGE;
		return false;
	}
	road_note_change(&r->road, "customer_updated", "updated in", "customer",
			 card->values[NETVISOR_NAME]);
	return true;
}

static bool add_customer(struct sn *r, const struct netvisor_customer *card, struct err *err)
{
	struct attempt *at = r->road.at;
	struct netvisor_customer filled = *card, theirs;
	const char *code = card->values[NETVISOR_CODE];
	const char *step = sn_step_name(r, "customer", code);
	const char *key;
	bool found;
	struct err inner = ERR_INIT;
	if (!step)
		return sn_full(err);
	for (size_t i = 0; i < NETVISOR_CUSTOMER_FIELDS; i++)
		if (filled.values[i] && !filled.values[i][0])
			filled.values[i] = NULL;
	if (!sn_begin_addition(r, step, err))
		return false;
	if (!netvisor_customer_add(&r->netvisor, &filled, &key, &inner)) {
		if (!sn_may_be_there(&inner) ||
		    !netvisor_customer_find(&r->netvisor, code, &theirs, &found, NULL) || !found)
			return sn_refused(r, step, &inner, err);
		return at->ops->step_outcome(at, step, theirs.key, err) &&
		       edit_customer(r, &theirs, card, err);
	}
	road_note_change(&r->road, "customer_added", "added to", "customer",
			 card->values[NETVISOR_NAME]);
	return at->ops->step_outcome(at, step, key, err);
}

static bool sync_customer(struct sn *r, const struct netvisor_customer *card, const char *json,
			  struct err *err)
{
	struct attempt *at = r->road.at;
	const char *code = card->values[NETVISOR_CODE];
	const char *key = arena_printf(at->arena, "customer:%s", code);
	struct netvisor_customer theirs;
	bool found;
	if (!key)
		return sn_full(err);
	if (!netvisor_customer_find(&r->netvisor, code, &theirs, &found, err))
		return false;
	if (!found && at->preview)
		road_note_change(&r->road, "customer_added", "added to", "customer",
				 card->values[NETVISOR_NAME]);
	else if (found ? !edit_customer(r, &theirs, card, err) : !add_customer(r, card, err))
		return false;
	return at->preview || at->ops->kv_set(at, r->netvisor.limit_key, key, json, 0, err);
}

bool sn_customer(struct sn *r, const struct customer *c, struct err *err)
{
	struct attempt *at = r->road.at;
	struct netvisor_customer card;
	const char *json;
	if (!sn_customer_card(at->arena, &r->set, c, &card, err) ||
	    !card_json(r, &card, &json, err))
		return false;
	const char *digest = digest_of(r, json);
	const char *key = sn_cache_key(r, "customer", c->code);
	const char *record = sn_record_name(r, "customer", c->code);
	if (!digest)
		return sn_full(err);
	if (str_eq(at->ops->cache_get(at, key), digest))
		return true; /* synchronised a moment ago, and the same since */
	if (at->preview)
		return sync_customer(r, &card, json, err);
	if (!at->ops->record_lease(at, record, err))
		return false;
	struct err inner = ERR_INIT;
	bool ok = sync_customer(r, &card, json, &inner);
	if (!sn_release(r, record, ok, &inner, err))
		return false;
	at->ops->cache_set(at, key, digest, SN_FRESH_MS);
	return true;
}

bool sn_temp_customer(struct sn *r, struct err *err)
{
	struct attempt *at = r->road.at;
	const char *code = r->set.temp_customer;
	const char *key = sn_cache_key(r, "temp_customer", code);
	struct netvisor_customer theirs;
	bool found;
	if (at->ops->cache_get(at, key))
		return true;
	if (!netvisor_customer_find(&r->netvisor, code, &theirs, &found, err))
		return false;
	if (!found)
		return err_reason(err, ERR_DATA, "temp_customer_missing", code,
				  "temporary customer %s does not exist in Netvisor", code);
	at->ops->cache_set(at, key, "1", SN_FRESH_MS);
	return true;
}
