/*
 * severa_write.c: changing the Severa stand-in: JSON Patch with Replace only, creating, deleting
 * (facts/severa.md §2.4, 3.6).
 *
 * A PATCH is checked whole before anything of it takes effect. The status of an invoice moves only
 * through its rules; a tenant can be told to take only one of the two path forms.
 */
#include "base/base.h"

#include "base/clock.h"
#include "severa.h"

static void bad_patch(struct call *c, const char *type, const char *message, const char *name)
{
	severa_error(c, 400, type, message, "RequestBody", name);
}

/* One operation, understood. */
struct patch_op {
	const char *path;
	const struct json *value;
};

static bool read_op(struct call *c, const struct json *node, struct patch_op *op)
{
	const char *name = json_str(json_get(node, "op"));
	op->path = json_str(json_get(node, "path"));
	op->value = json_get(node, "value");
	if (!name || !op->path || op->path[0] != '/') {
		bad_patch(c, "InvalidRequest", "Each operation needs op and path.", NULL);
		return false;
	}
	if (strcasecmp(name, "replace") != 0) {
		bad_patch(c, "InvalidOperation", "Only Replace is supported.", "op");
		return false;
	}
	if (!op->value) {
		bad_patch(c, "InvalidParameter", "The operation has no value.", op->path);
		return false;
	}
	return true;
}

static bool is_computed(const char *path)
{
	static const char *const fixed[] = { "/guid",	     "/number",	     "/total",
					     "/created",     "/lastUpdated", "/senderVat",
					     "/isCreditNote" };
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (strncasecmp(path, fixed[i], strlen(fixed[i])) == 0)
			return true;
	}
	return false;
}

/* The path of the status of what has one. */
static const char *status_path(const struct doc *doc)
{
	if (doc->kind == SEVERA_TRAVEL)
		return "/travelReimbursementStatus";
	return doc->kind == SEVERA_INVOICE ? "/status" : NULL;
}

static bool is_status(const struct doc *doc, const struct patch_op *op)
{
	const char *path = status_path(doc);
	return path && strncasecmp(op->path, path, strlen(path)) == 0;
}

/* The status that an operation names, in a form that the tenant takes. False: refused. */
static bool status_of_locked(struct severa_call *sc, const struct doc *doc,
			     const struct patch_op *op, const struct doc **ret)
{
	struct severa_tenant *t = sc->tenant;
	const char *path = status_path(doc);
	bool is_guid_form = strcasecmp(op->path + strlen(path), "/guid") == 0;
	bool is_object_form = !op->path[strlen(path)];
	enum severa_kind kind = doc->kind == SEVERA_TRAVEL ? SEVERA_TRAVEL_STATUS : SEVERA_STATUS;
	const char *guid = is_guid_form ? json_str(op->value)
					: json_str(json_get(op->value, "guid"));
	bool form_ok = (is_guid_form && t->patch_form != PATCH_STATUS_OBJECT) ||
		       (is_object_form && t->patch_form != PATCH_STATUS_GUID);
	const struct doc *status = severa_get_locked(t, kind, guid);
	if (!form_ok || !guid) {
		bad_patch(sc->c, "InvalidParameter", "The path or value is not valid.", op->path);
		return false;
	}
	if (!status) {
		bad_patch(sc->c, "InvalidParameter", "Invoice status not found.", "status");
		return false;
	}
	if (!status->is_active) {
		bad_patch(sc->c, "InvalidOperation", "The invoice status is not active.", "status");
		return false;
	}
	*ret = status;
	return true;
}

/* {"a":{"b":value}} for "/a/b". */
static const struct json *nest(struct call *c, const struct patch_op *op)
{
	struct strbuf sb = STRBUF_INIT(c->arena, 1u << 20);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	unsigned depth = 0;
	const char *p = op->path;
	while (*p == '/' && depth < 8) {
		size_t n = strcspn(p + 1, "/");
		char *key = arena_memdup(c->arena, p + 1, n);
		if (!key)
			return NULL;
		jsonw_object(&w);
		jsonw_key(&w, key);
		p += 1 + n;
		depth++;
	}
	jsonw_node(&w, op->value);
	while (depth-- > 0)
		jsonw_end_object(&w);
	const struct json *ret = NULL;
	struct err err = ERR_INIT;
	struct json_limits limits = { 1u << 20, 32 };
	return json_parse(c->arena, strbuf_span(&sb), limits, &ret, &err) ? ret : NULL;
}

static bool check_op_locked(struct severa_call *sc, const struct doc *doc,
			    const struct patch_op *op)
{
	const struct doc *status;
	bool is_invoice = doc->kind == SEVERA_INVOICE;
	if (is_status(doc, op))
		return status_of_locked(sc, doc, op, &status);
	if (is_invoice && is_computed(op->path)) {
		bad_patch(sc->c, "InvalidOperation", "The field cannot be changed.", op->path);
		return false;
	}
	if (is_invoice && severa_is(sc->c->arena, doc->status, "isReadOnly") &&
	    strcasecmp(op->path, "/paymentDate") != 0) {
		bad_patch(sc->c, "InvalidOperation", "The invoice is not editable.", op->path);
		return false;
	}
	return true;
}

static bool enter_travel_locked(struct severa_call *sc, struct doc *doc, const struct doc *status)
{
	struct call *c = sc->c;
	struct strbuf sb = STRBUF_INIT(c->arena, 4096);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct json_limits limits = { 4096, 8 };
	const struct json *patch = NULL;
	struct err err = ERR_INIT;
	jsonw_object(&w);
	jsonw_key(&w, "travelReimbursementStatus");
	jsonw_object(&w);
	jsonw_kstr(&w, "guid", status->guid);
	jsonw_kstr(&w, "name", severa_text(c->arena, status, "name"));
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	sc->tenant->status_changes++;
	return json_parse(c->arena, strbuf_span(&sb), limits, &patch, &err) &&
	       severa_merge_locked(sc->tenant, doc, c->arena, patch, &err);
}

static bool apply_op_locked(struct severa_call *sc, struct doc *doc, const struct patch_op *op)
{
	struct call *c = sc->c;
	struct err err = ERR_INIT;
	const struct doc *status = NULL;
	if (is_status(doc, op) && !status_of_locked(sc, doc, op, &status))
		return false;
	if (status && doc->kind == SEVERA_INVOICE)
		return severa_enter_locked(sc->tenant, doc, status, c->arena, &err);
	if (status)
		return enter_travel_locked(sc, doc, status);
	const struct json *patch = nest(c, op);
	return patch && severa_merge_locked(sc->tenant, doc, c->arena, patch, &err);
}

static void patch_locked(struct severa_call *sc, const struct json *ops)
{
	struct call *c = sc->c;
	struct doc *doc = severa_get_locked(sc->tenant, sc->route->kind, sc->ids[0]);
	if (!doc) {
		reply_empty(c, 404);
		return;
	}
	struct patch_op op;
	for (const struct json *n = json_first(ops); n; n = json_next(n)) {
		if (!read_op(c, n, &op) || !check_op_locked(sc, doc, &op) ||
		    !severa_relations_known_locked(sc, doc->kind, nest(c, &op)))
			return;
	}
	for (const struct json *n = json_first(ops); n; n = json_next(n)) {
		if (!read_op(c, n, &op) || !apply_op_locked(sc, doc, &op)) {
			if (!c->reply.status)
				severa_error(c, 500, "InternalSystemError", "An error occurred.",
					     NULL, NULL);
			return;
		}
	}
	sc->tenant->patches++;
	struct err err = ERR_INIT;
	if (!severa_relations_show_locked(sc, doc, &err)) {
		severa_error(c, 500, "InternalSystemError", "An error occurred.", NULL, NULL);
		return;
	}
	struct strbuf sb = call_strbuf(c);
	strbuf_addch(&sb, '[');
	strbuf_add(&sb, doc->json, doc->n);
	strbuf_addch(&sb, ']');
	reply_json(c, 200, &sb);
}

static bool is_json_call(struct call *c)
{
	const char *type = call_header(c, "Content-Type");
	if (type && strncasecmp(type, "application/json", 16) == 0 &&
	    (type[16] == 0 || type[16] == ';' || type[16] == ' '))
		return true;
	reply_empty(c, 415);
	return false;
}

static bool parse_body(struct call *c, enum json_type type, const struct json **ret)
{
	struct err err = ERR_INIT;
	struct json_limits limits = { 4u << 20, 32 };
	if (!is_json_call(c))
		return false;
	if (json_parse(c->arena, c->body, limits, ret, &err) && json_type(*ret) == type)
		return true;
	bad_patch(c, "InvalidRequest", "The request body is not valid.", NULL);
	return false;
}

void severa_patch(struct severa_call *sc)
{
	const struct json *ops = NULL;
	if (!parse_body(sc->c, JSON_ARRAY, &ops))
		return;
	pthread_mutex_lock(&sc->tenant->lock);
	patch_locked(sc, ops);
	pthread_mutex_unlock(&sc->tenant->lock);
}

/* The body with guid, times and, for a customer, a number. */
static struct doc *create_locked(struct severa_call *sc, const struct json *body,
				 struct doc *parent, struct err *err)
{
	struct severa_tenant *t = sc->tenant;
	char guid[UUID_TEXT], when[CLOCK_RFC3339_MAX];
	if (!severa_relations_known_locked(sc, sc->route->kind, body))
		return NULL;
	sign_uuid4(guid);
	struct strbuf sb = call_strbuf(sc->c);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	jsonw_object(&w);
	jsonw_kstr(&w, "guid", guid);
	clock_rfc3339(severa_tick_locked(t), when);
	jsonw_kstr(&w, "createdDateTime", when);
	jsonw_kstr(&w, "lastUpdatedDateTime", when);
	if (!json_get(body, "isActive"))
		jsonw_kbool(&w, "isActive", true);
	if (parent) {
		jsonw_key(&w, "customer");
		jsonw_object(&w);
		jsonw_kstr(&w, "guid", parent->guid);
		jsonw_end_object(&w);
	}
	for (const struct json *m = json_first(body); m; m = json_next(m)) {
		if (strcmp(json_key(m), "guid") == 0 ||
		    (parent && strcmp(json_key(m), "customer") == 0) ||
		    strcmp(json_key(m), "createdDateTime") == 0 ||
		    strcmp(json_key(m), "lastUpdatedDateTime") == 0)
			continue;
		jsonw_key(&w, json_key(m));
		jsonw_node(&w, m);
	}
	jsonw_end_object(&w);
	struct doc *doc = severa_add_locked(t, sc->route->kind, guid, parent, strbuf_span(&sb),
					    err);
	sc->tenant->creates += doc != NULL;
	return doc && severa_relations_show_locked(sc, doc, err) ? doc : NULL;
}

static void reply_created_locked(struct severa_call *sc, const struct doc *doc)
{
	if (sc->c->reply.status)
		return; /* refused */
	if (!doc) {
		severa_error(sc->c, 500, "InternalSystemError", "An error occurred.", NULL, NULL);
		return;
	}
	struct strbuf sb = call_strbuf(sc->c);
	strbuf_add(&sb, doc->json, doc->n);
	reply_json(sc->c, 201, &sb);
}

void severa_create(struct severa_call *sc)
{
	const struct json *body = NULL;
	struct err err = ERR_INIT;
	if (!parse_body(sc->c, JSON_OBJECT, &body))
		return;
	if (!json_str(json_get(body, "name"))) {
		bad_patch(sc->c, "InvalidParameter", "Name is required.", "name");
		return;
	}
	pthread_mutex_lock(&sc->tenant->lock);
	reply_created_locked(sc, create_locked(sc, body, NULL, &err));
	pthread_mutex_unlock(&sc->tenant->lock);
}

static bool names_one(struct severa_call *sc, const struct json *body, const char *member,
		      enum severa_kind kind)
{
	const char *guid = json_str(json_get(json_get(body, member), "guid"));
	if (severa_get_locked(sc->tenant, kind, guid))
		return true;
	bad_patch(sc->c, "InvalidParameter", "It is required, and must exist.", member);
	return false;
}

/* §7b: what each needs; the fees' answer is an array. */
static void create_expense_locked(struct severa_call *sc, const struct json *body)
{
	bool is_fee = sc->route->kind == SEVERA_PROJECT_FEE;
	struct err err = ERR_INIT;
	struct decimal quantity;
	if (!names_one(sc, body, "project", SEVERA_PROJECT) ||
	    (!is_fee && (!names_one(sc, body, "phase", SEVERA_PHASE) ||
			 !names_one(sc, body, "user", SEVERA_USER) ||
			 !names_one(sc, body, "travelExpense", SEVERA_TRAVEL_TYPE))))
		return;
	if (!is_fee && !json_decimal(json_get(body, "quantity"), &quantity)) {
		bad_patch(sc->c, "InvalidParameter", "Quantity is required.", "quantity");
		return;
	}
	const struct doc *doc = create_locked(sc, body, NULL, &err);
	if (!doc || !is_fee) {
		reply_created_locked(sc, doc);
		return;
	}
	struct strbuf sb = call_strbuf(sc->c);
	strbuf_addch(&sb, '[');
	strbuf_add(&sb, doc->json, doc->n);
	strbuf_addch(&sb, ']');
	reply_json(sc->c, 201, &sb);
}

void severa_create_expense(struct severa_call *sc)
{
	const struct json *body = NULL;
	if (!parse_body(sc->c, JSON_OBJECT, &body))
		return;
	pthread_mutex_lock(&sc->tenant->lock);
	create_expense_locked(sc, body);
	pthread_mutex_unlock(&sc->tenant->lock);
}

void severa_create_child(struct severa_call *sc)
{
	const struct json *body = NULL;
	struct err err = ERR_INIT;
	if (!parse_body(sc->c, JSON_OBJECT, &body))
		return;
	pthread_mutex_lock(&sc->tenant->lock);
	struct doc *parent = severa_get_locked(sc->tenant, SEVERA_CUSTOMER, sc->ids[0]);
	if (parent)
		reply_created_locked(sc, create_locked(sc, body, parent, &err));
	else
		reply_empty(sc->c, 404);
	pthread_mutex_unlock(&sc->tenant->lock);
}

void severa_delete(struct severa_call *sc)
{
	pthread_mutex_lock(&sc->tenant->lock);
	struct doc *doc = severa_get_locked(sc->tenant, sc->route->kind, sc->ids[0]);
	if (!doc) {
		reply_empty(sc->c, 404);
	} else if (severa_is(sc->c->arena, doc->status, "isReadOnly")) {
		severa_error(sc->c, 400, "InvalidOperation", "The invoice cannot be deleted.", NULL,
			     NULL);
	} else {
		severa_remove_locked(sc->tenant, doc);
		reply_empty(sc->c, 204);
	}
	pthread_mutex_unlock(&sc->tenant->lock);
}
