/*
 * netvisor_dimensions.c: dimension headings and items of the Netvisor stand-in (facts/netvisor.md
 * §8).
 *
 * Items are known by their name under a heading. Imports of customers and invoices make missing
 * headings and items in silence; dimensionitem.nv needs the heading to exist.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "netvisor.h"

struct nv_heading *nv_heading_locked(struct nv_org *org, const char *name)
{
	for (size_t i = 0; name && i < org->n_headings; i++) {
		if (strcmp(org->headings[i]->name, name) == 0)
			return org->headings[i];
	}
	return NULL;
}

struct nv_heading *nv_add_heading_locked(struct nv_org *org, const char *name)
{
	struct nv_heading *h = mem_alloc(sizeof(*h));
	char *copy = mem_strdup(name);
	if (!h || !copy ||
	    !array_reserve(&org->headings, org->n_headings, &org->cap_headings,
			   sizeof(struct nv_heading *))) {
		mem_free(h);
		mem_free(copy);
		return NULL;
	}
	h->key = ++org->next_key;
	h->name = copy;
	org->headings[org->n_headings++] = h;
	return h;
}

struct nv_item *nv_item_by_name_locked(struct nv_heading *h, const char *name)
{
	for (size_t i = 0; name && i < h->n; i++) {
		if (strcmp(h->items[i].name, name) == 0)
			return &h->items[i];
	}
	return NULL;
}

struct nv_item *nv_item_by_key_locked(struct nv_heading *h, int64_t key)
{
	for (size_t i = 0; i < h->n; i++) {
		if (h->items[i].key == key)
			return &h->items[i];
	}
	return NULL;
}

struct nv_item *nv_add_item_locked(struct nv_org *org, struct nv_heading *h, const char *name)
{
	char *copy = mem_strdup(name);
	if (!copy || !array_reserve(&h->items, h->n, &h->cap, sizeof(*h->items))) {
		mem_free(copy);
		return NULL;
	}
	struct nv_item *item = &h->items[h->n++];
	*item = (struct nv_item) { .key = ++org->next_key, .name = copy };
	return item;
}

bool nv_use_dimension_locked(struct nv_org *org, const char *heading, const char *item)
{
	struct nv_heading *h = nv_heading_locked(org, heading);
	if (!h)
		h = nv_add_heading_locked(org, heading);
	if (!h)
		return false;
	if (nv_item_by_name_locked(h, item))
		return true;
	org->silent_items++;
	return nv_add_item_locked(org, h, item) != NULL;
}

void nv_headings_release(struct nv_org *org)
{
	for (size_t i = 0; i < org->n_headings; i++) {
		struct nv_heading *h = org->headings[i];
		for (size_t k = 0; k < h->n; k++) {
			mem_free(h->items[k].name);
			mem_free(h->items[k].code);
			mem_free(h->items[k].label);
		}
		mem_free(h->items);
		mem_free(h->name);
		mem_free(h);
	}
	mem_free(org->headings);
}

/* ---- resources ----------------------------------------------------------------------------- */

static unsigned level_of(struct nv_heading *h, const struct nv_item *item)
{
	unsigned level = 0;
	while (item->father && level < 32) {
		const struct nv_item *father = nv_item_by_key_locked(h, item->father);
		if (!father)
			break;
		item = father;
		level++;
	}
	return level;
}

static void write_item(struct nv_heading *h, const struct nv_item *item, size_t sort,
		       struct xml_writer *w)
{
	char joined[512];
	/* With a code the name comes as "code label" (§8). */
	if (item->code && item->code[0])
		snprintf(joined, sizeof(joined), "%s %s", item->code,
			 item->label && item->label[0] ? item->label : item->name);
	else
		snprintf(joined, sizeof(joined), "%s", item->name);
	xmlw_open(w, "DimensionDetail");
	nv_int_element(w, "Netvisorkey", item->key);
	xmlw_element(w, "Name", joined);
	xmlw_element(w, "Code", item->code ? item->code : "");
	xmlw_element(w, "Label", item->label ? item->label : "");
	xmlw_element(w, "IsHidden", item->is_hidden ? "True" : "False");
	nv_int_element(w, "Level", level_of(h, item));
	nv_int_element(w, "Sort", (int64_t)sort);
	nv_int_element(w, "EndSort", (int64_t)sort);
	nv_int_element(w, "FatherId", item->father);
	xmlw_close(w);
}

void nv_dimensionlist(struct nv_call *nc)
{
	struct nv_answer a;
	bool hidden_too = call_param_is(nc->c, "showhidden", "1");
	nv_answer(nc, &a);
	xmlw_open(&a.w, "DimensionNameList");
	pthread_mutex_lock(&nc->org->lock);
	for (size_t i = 0; i < nc->org->n_headings; i++) {
		struct nv_heading *h = nc->org->headings[i];
		if (h->is_hidden && !hidden_too)
			continue;
		xmlw_open(&a.w, "DimensionName");
		nv_int_element(&a.w, "Netvisorkey", h->key);
		xmlw_element(&a.w, "Name", h->name);
		xmlw_element(&a.w, "IsHidden", h->is_hidden ? "True" : "False");
		xmlw_element(&a.w, "LinkType", "none");
		xmlw_open(&a.w, "DimensionDetails");
		for (size_t k = 0; k < h->n; k++) {
			if (!h->items[k].is_hidden || hidden_too)
				write_item(h, &h->items[k], k + 1, &a.w);
		}
		xmlw_close(&a.w);
		xmlw_close(&a.w);
	}
	pthread_mutex_unlock(&nc->org->lock);
	xmlw_close(&a.w);
	nv_finish(nc, &a);
}

static bool set_text(char **field, const struct xml *x, const char *name)
{
	const char *text = xml_text_at(x, name);
	if (!text)
		return true;
	char *copy = mem_strdup(text);
	if (!copy)
		return false;
	mem_free(*field);
	*field = copy;
	return true;
}

static bool check_sizes(struct nv_call *nc, const struct xml *x)
{
	static const struct {
		const char *name;
		ssize_t max;
	} limits[] = { { "name", 50 }, { "item", 200 }, { "code", 50 }, { "label", 200 } };
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const char *text = xml_text_at(x, limits[i].name);
		if (text && utf8_length(span_of(text)) > limits[i].max)
			return nv_fail(nc, "INVALID_DATA_SIZE", NV_TEXT_TOO_LONG, limits[i].name);
	}
	return true;
}

/* fatherid and fatheritem come together and agree. */
static bool father_locked(struct nv_call *nc, struct nv_heading *h, const struct xml *x,
			  int64_t *ret)
{
	const char *id = xml_text_at(x, "fatherid");
	const char *name = xml_text_at(x, "fatheritem");
	*ret = 0;
	if ((!id || !id[0]) && (!name || !name[0]))
		return true;
	struct nv_item *father = nv_item_by_name_locked(h, name);
	if (!id || !father || !nv_key_in_list(id, father->key))
		return nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_DIMENSION, name ? name : id);
	*ret = father->key;
	return true;
}

static void save_item_locked(struct nv_call *nc, bool edit)
{
	const struct xml *x = xml_child(nc->root, "dimensionitem");
	const char *name = xml_text_at(x, "item");
	const char *old_name = xml_text_at(x, "olditem");
	struct nv_heading *h = nv_heading_locked(nc->org, xml_text_at(x, "name"));
	int64_t father;
	if (!h) {
		nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_DIMENSION, xml_text_at(x, "name"));
		return;
	}
	if (!name || !name[0]) {
		nv_fail(nc, "INVALID_DATA", NV_TEXT_MISSING, "item");
		return;
	}
	struct nv_item *item = edit ? nv_item_by_name_locked(h, old_name) : NULL;
	const struct nv_item *same = nv_item_by_name_locked(h, name);
	if (edit && !item) {
		nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_DIMENSION, old_name ? old_name : "olditem");
		return;
	}
	if (same && same != item) {
		nv_fail(nc, "DUPLICATE_DATA", NV_TEXT_DUPLICATE, name);
		return;
	}
	if (!father_locked(nc, h, x, &father))
		return;
	if (!edit)
		item = nv_add_item_locked(nc->org, h, name);
	if (!item || !set_text(&item->name, x, "item") || !set_text(&item->code, x, "code") ||
	    !set_text(&item->label, x, "label")) {
		nv_fail(nc, "TECHNICAL_ERROR", NV_TEXT_VALUE, name);
		return;
	}
	const char *hidden = xml_text_at(x, "ishidden");
	if (hidden)
		item->is_hidden = strcasecmp(hidden, "true") == 0;
	if (father || !edit)
		item->father = father;
	nv_ok(nc, 0);
}

void nv_dimensionitem(struct nv_call *nc)
{
	bool edit;
	int64_t id;
	if (!nv_method(nc, NULL, &edit, &id) || !nv_check_order(nc, NV_DOC_DIMENSION) ||
	    !check_sizes(nc, xml_child(nc->root, "dimensionitem")))
		return;
	pthread_mutex_lock(&nc->org->lock);
	save_item_locked(nc, edit);
	pthread_mutex_unlock(&nc->org->lock);
}

void nv_dimensiondelete(struct nv_call *nc)
{
	const char *name = call_param(nc->c, "dimensionsubname");
	pthread_mutex_lock(&nc->org->lock);
	struct nv_heading *h = nv_heading_locked(nc->org, call_param(nc->c, "dimensionname"));
	struct nv_item *item = h ? nv_item_by_name_locked(h, name) : NULL;
	if (item) {
		item->is_hidden = true;
		nv_ok(nc, 0);
	} else {
		nv_fail(nc, "INVALID_DATA", NV_TEXT_NO_DIMENSION, name);
	}
	pthread_mutex_unlock(&nc->org->lock);
}
