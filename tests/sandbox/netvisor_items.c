/*
 * netvisor_items.c: the control API's part for dimensions of the Netvisor stand-in: look at
 * headings and items, and change what a person would change in Netvisor's user interface.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "netvisor.h"

static void write_item(const struct nv_item *item, struct json_writer *w)
{
	jsonw_object(w);
	jsonw_kint(w, "key", item->key);
	jsonw_kstr(w, "name", item->name);
	jsonw_kstr(w, "code", item->code);
	jsonw_kstr(w, "label", item->label);
	jsonw_kint(w, "father", item->father);
	jsonw_kbool(w, "hidden", item->is_hidden);
	jsonw_end_object(w);
}

static void write_all_locked(const struct nv_org *org, bool with_details, struct json_writer *w)
{
	jsonw_object(w);
	for (size_t i = 0; i < org->n_headings; i++) {
		const struct nv_heading *h = org->headings[i];
		jsonw_key(w, h->name);
		jsonw_array(w);
		for (size_t k = 0; k < h->n; k++) {
			if (with_details)
				write_item(&h->items[k], w);
			else
				jsonw_str(w, h->items[k].name);
		}
		jsonw_end_array(w);
	}
	jsonw_end_object(w);
}

static bool set_text(char **field, const struct json *body, const char *name)
{
	const char *text = json_text(json_get(body, name));
	char *copy = text ? mem_strdup(text) : NULL;
	if (!text)
		return true;
	mem_free(*field);
	*field = copy;
	return copy != NULL;
}

static void remove_locked(struct nv_heading *h, struct nv_item *item)
{
	size_t at = (size_t)(item - h->items);
	mem_free(item->name);
	mem_free(item->code);
	mem_free(item->label);
	memmove(item, item + 1, (h->n - at - 1) * sizeof(*item));
	h->n--;
}

/* With a code it is called by code and label, as Netvisor lists it (facts/netvisor.md §8). */
static bool name_it(struct call *c, struct nv_item *item)
{
	if (!item->code || !item->code[0])
		return true;
	const char *joined = arena_printf(c->arena, "%s %s", item->code,
					  item->label ? item->label : "");
	char *copy = joined ? mem_strdup(joined) : NULL;
	if (!copy)
		return false;
	mem_free(item->name);
	item->name = copy;
	return true;
}

/* {"key", "name", "code", "label", "hidden", "gone"}: without a key a new one. */
static bool change_item_locked(struct nv_org *org, struct call *c, struct nv_heading *h,
			       const struct json *body, struct err *err)
{
	int64_t key = control_int(body, "key", 0, INT64_MAX);
	const char *name = json_text(json_get(body, "name"));
	bool flag = false;
	struct nv_item *item = key ? nv_item_by_key_locked(h, key)
				   : nv_add_item_locked(org, h, name ? name : "Nimetön");
	if (!item)
		return err_set(err, ERR_INPUT, "no such item");
	if (json_bool(json_get(body, "gone"), &flag) && flag) {
		remove_locked(h, item);
		return true;
	}
	(void)!json_bool(json_get(body, "hidden"), &item->is_hidden);
	return (set_text(&item->name, body, "name") && set_text(&item->code, body, "code") &&
		set_text(&item->label, body, "label") && name_it(c, item)) ||
	       err_set(err, ERR_MEMORY, "out of memory");
}

/* {"name", "hidden"} of the heading, and "item". */
static bool change_locked(struct nv_org *org, struct call *c, const char *heading,
			  const struct json *body, struct err *err)
{
	struct nv_heading *h = nv_heading_locked(org, heading);
	const struct json *item = json_get(body, "item");
	if (!h)
		h = nv_add_heading_locked(org, heading);
	if (!h || !set_text(&h->name, body, "name"))
		return err_set(err, ERR_MEMORY, "out of memory");
	(void)!json_bool(json_get(body, "hidden"), &h->is_hidden);
	return !item || change_item_locked(org, c, h, item, err);
}

void nv_control_dimensions(struct nv_org *org, struct call *c, const char *heading)
{
	const struct json *body = call_is(c, "POST") ? control_body(c) : NULL;
	struct strbuf sb = call_strbuf(c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct err err = ERR_INIT;
	if (call_is(c, "POST") && !body)
		return;
	pthread_mutex_lock(&org->lock);
	bool ok = !body || (heading && change_locked(org, c, heading, body, &err));
	write_all_locked(org, call_param_is(c, "details", "1"), &w);
	pthread_mutex_unlock(&org->lock);
	if (ok)
		reply_json(c, 200, &sb);
	else
		control_error(c, 400, "%s", heading ? err.message : "which heading?");
}
