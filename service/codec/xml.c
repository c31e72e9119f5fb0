/*
 * xml.c: reading XML: libxml2 parses (SAX), the tree is ours and lives in the arena.
 *
 * Guarantees that a document type declaration ends the parse before anything in it is looked at, so
 * that there are no entities but the five built in; that depth, and by the arena's cap memory, are
 * bounded; and that nothing is fetched. Does not validate, does not keep comments, processing
 * instructions or namespaces. Writing is in xml_writer.c.
 */
#include "base/base.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>

#include "codec/xml.h"

#define MAX_DEPTH 64

struct attr {
	struct attr *next;
	const char *name, *value;
};

/* What an element holds, in the order of the document: a child element or a piece of text. */
struct xml {
	const char *name; /* NULL: a piece of text */
	struct xml *parent, *first, *last, *next;
	struct attr *attrs;
	struct arena *arena;
	/* of a piece of text: itself; of an element: made by xml_text when first asked for, for an
	 * element without children at its end tag */
	const char *text;
	size_t n_text;
};

struct parse {
	xmlParserCtxtPtr ctxt;
	struct arena *arena;
	struct xml *root, *open;
	unsigned depth;
	enum err_code code; /* ERR_NONE until we stop the parse ourselves */
	const char *wrong;
};

void xml_global_init(void)
{
	xmlInitParser();
}

void xml_global_release(void)
{
	xmlCleanupParser();
}

static void stop(struct parse *parse, enum err_code code, const char *wrong)
{
	if (parse->code != ERR_NONE)
		return;
	parse->code = code;
	parse->wrong = wrong;
	xmlStopParser(parse->ctxt);
}

static void stop_no_room(struct parse *parse)
{
	stop(parse, ERR_LIMIT, "does not fit into the memory cap");
}

static struct xml *add_node(struct parse *parse)
{
	struct xml *x = arena_alloc(parse->arena, sizeof(*x));
	if (!x) {
		stop_no_room(parse);
		return NULL;
	}
	x->arena = parse->arena;
	x->parent = parse->open;
	if (x->parent && x->parent->last)
		x->parent->last->next = x;
	else if (x->parent)
		x->parent->first = x;
	if (x->parent)
		x->parent->last = x;
	return x;
}

/* libxml2 hands five pointers per attribute: name, prefix, URI, value, value's end. */
static bool add_attrs(struct parse *parse, struct xml *x, const xmlChar **attrs, int n)
{
	struct attr **tail = &x->attrs;
	for (int i = 0; i < n; i++, attrs += 5) {
		struct attr *a = arena_alloc(parse->arena, sizeof(*a));
		if (!a)
			return false;
		a->name = arena_strdup(parse->arena, (const char *)attrs[0]);
		a->value = arena_memdup(parse->arena, attrs[3], (size_t)(attrs[4] - attrs[3]));
		if (!a->name || !a->value)
			return false;
		*tail = a;
		tail = &a->next;
	}
	return true;
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int n_namespaces, const xmlChar **namespaces, int n_attrs, int n_defaulted,
		     const xmlChar **attrs)
{
	(void)prefix, (void)uri, (void)n_namespaces, (void)namespaces, (void)n_defaulted;
	struct parse *parse = user;
	if (parse->code != ERR_NONE)
		return;
	if (++parse->depth > MAX_DEPTH) {
		stop(parse, ERR_LIMIT, "is nested too deeply");
		return;
	}
	struct xml *x = add_node(parse);
	if (!x)
		return;
	x->name = arena_strdup(parse->arena, (const char *)name);
	if (!x->name || !add_attrs(parse, x, attrs, n_attrs)) {
		stop_no_room(parse);
		return;
	}
	if (!parse->root)
		parse->root = x;
	parse->open = x;
}

static void on_characters(void *user, const xmlChar *p, int n)
{
	struct parse *parse = user;
	if (parse->code != ERR_NONE || !parse->open)
		return;
	struct xml *x = add_node(parse);
	if (!x)
		return;
	x->text = arena_memdup(parse->arena, p, (size_t)n);
	x->n_text = (size_t)n;
	if (!x->text)
		stop_no_room(parse);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *trimmed(struct arena *arena, struct span s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = (struct span) { s.p + 1, s.n - 1 };
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s.n > 0 ? arena_memdup(arena, s.p, s.n) : "";
}

static size_t text_bytes(const struct xml *x)
{
	size_t n = 0;
	for (const struct xml *c = x->first; c; c = c->next)
		n += c->name ? text_bytes(c) : c->n_text;
	return n;
}

static char *copy_text(const struct xml *x, char *to)
{
	for (const struct xml *c = x->first; c; c = c->next) {
		if (c->name) {
			to = copy_text(c, to);
			continue;
		}
		memcpy(to, c->text, c->n_text);
		to += c->n_text;
	}
	return to;
}

/* All text below x; NULL past the arena's cap. */
static const char *gather_text(struct xml *x)
{
	struct xml *only = x->first;
	if (only && !only->next && !only->name)
		return trimmed(x->arena, (struct span) { only->text, only->n_text });
	size_t n = text_bytes(x);
	if (n == 0)
		return "";
	char *joined = arena_alloc(x->arena, n);
	if (!joined)
		return NULL;
	(void)copy_text(x, joined); /* n bytes */
	return trimmed(x->arena, (struct span) { joined, n });
}

static bool has_child_element(const struct xml *x)
{
	for (const struct xml *c = x->first; c; c = c->next) {
		if (c->name)
			return true;
	}
	return false;
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	(void)name, (void)prefix, (void)uri;
	struct parse *parse = user;
	if (parse->code != ERR_NONE)
		return;
	struct xml *x = parse->open;
	parse->open = x->parent;
	parse->depth--;
	if (has_child_element(x))
		return;
	x->text = gather_text(x);
	if (!x->text)
		stop_no_room(parse);
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *public_id,
		       const xmlChar *system_id)
{
	(void)name, (void)public_id, (void)system_id;
	stop(user, ERR_DATA, "has a document type declaration");
}

/* Errors are read from the context afterwards; nothing may reach stderr. */
static void on_message(void *user, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void on_message(void *user, const char *fmt, ...)
{
	(void)user, (void)fmt;
}

static const xmlSAXHandler handlers = {
	.initialized = XML_SAX2_MAGIC,
	.internalSubset = on_doctype,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.characters = on_characters,
	.ignorableWhitespace = on_characters,
	.cdataBlock = on_characters,
	.warning = on_message,
	.error = on_message,
};

static bool report(const struct parse *parse, struct err *err)
{
	if (parse->code != ERR_NONE)
		return err_set(err, parse->code, "XML %s", parse->wrong);
	const xmlError *e = xmlCtxtGetLastError(parse->ctxt);
	if (!e || !e->message)
		return err_set(err, ERR_DATA, "not XML");
	if (e->code == XML_ERR_NO_MEMORY)
		return err_set(err, ERR_MEMORY, "out of memory for XML");
	int n = (int)strcspn(e->message, "\n");
	return err_set(err, ERR_DATA, "not XML: line %d: %.*s", e->line, n, e->message);
}

bool xml_parse(struct arena *arena, struct span text, size_t max_bytes, const struct xml **ret,
	       struct err *err)
{
	if (text.n > max_bytes || text.n > INT_MAX)
		return err_set(err, ERR_LIMIT, "XML of %zu bytes, at most %zu are read", text.n,
			       max_bytes);
	if (text.n == 0)
		return err_set(err, ERR_DATA, "not XML: empty");
	struct parse parse = { .arena = arena };
	parse.ctxt = xmlNewParserCtxt();
	if (!parse.ctxt)
		return err_set(err, ERR_MEMORY, "out of memory for XML");
	*parse.ctxt->sax = handlers;
	parse.ctxt->userData = &parse;
	/*
	 * NOENT only makes "&amp;" in an attribute come out as "&": there is no other entity. HUGE
	 * lifts limits of libxml2 (10 MB per text: attachments) that the bounds here replace.
	 */
	xmlDocPtr doc = xmlCtxtReadMemory(parse.ctxt, text.p, (int)text.n, NULL, NULL,
					  XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_HUGE);
	bool ok = parse.code == ERR_NONE && parse.ctxt->wellFormed && parse.root;
	if (ok)
		*ret = parse.root;
	else
		(void)report(&parse, err);
	xmlFreeDoc(doc); /* none is built: our SAX handlers build no libxml2 nodes */
	xmlFreeParserCtxt(parse.ctxt);
	return ok;
}

/* --- getters --- */

const char *xml_name(const struct xml *x)
{
	return x ? x->name : NULL;
}

bool xml_is(const struct xml *x, const char *name)
{
	return x && strcasecmp(x->name, name) == 0;
}

/* x or the first sibling behind it that is an element with the name. */
static const struct xml *find(const struct xml *x, struct span name)
{
	for (; x; x = x->next) {
		if (!x->name)
			continue;
		if (!name.p || (strncasecmp(x->name, name.p, name.n) == 0 && !x->name[name.n]))
			break;
	}
	return x;
}

const struct xml *xml_child(const struct xml *x, const char *name)
{
	return x ? find(x->first, span_of(name)) : NULL;
}

const struct xml *xml_next(const struct xml *x, const char *name)
{
	return x ? find(x->next, span_of(name)) : NULL;
}

const struct xml *xml_at(const struct xml *x, const char *path)
{
	while (x) {
		size_t n = strcspn(path, "/");
		x = find(x->first, (struct span) { path, n });
		if (path[n] == '\0')
			break;
		path += n + 1;
	}
	return x;
}

const char *xml_text(const struct xml *x)
{
	if (!x)
		return NULL;
	if (!x->text)
		((struct xml *)x)->text = gather_text((struct xml *)x); /* a cache */
	return x->text;
}

const char *xml_text_at(const struct xml *x, const char *path)
{
	return xml_text(xml_at(x, path));
}

const char *xml_attr(const struct xml *x, const char *name)
{
	for (const struct attr *a = x ? x->attrs : NULL; a; a = a->next) {
		if (strcasecmp(a->name, name) == 0)
			return a->value;
	}
	return NULL;
}
