/*
 * operators.c: e-invoice operators in Netvisor's own spelling (facts/netvisor.md §12.2): one that
 * Netvisor does not know makes it refuse the whole customer. The list is a file that an operator of
 * the service may add to; without one it is deploy/netvisor-operators.tsv, as it was built in.
 *
 * Guarantees that a list is taken whole or refused with the number of its first bad line.
 */
#include "base/base.h"
#include "netvisor_internal.h"

#define COLUMNS 3
#define CODE_MAX 35
#define OPTION_NAME OPTION_PREFIX "NETVISOR_OPERATORS"

extern const unsigned char netvisor_operator_list[];
extern const size_t netvisor_operator_list_size;

/* A spelling and what it stands for. */
struct spelling {
	const char *text, *code;
};
struct netvisor_operators {
	struct spelling *items;
	size_t n, cap;
};

static const char *find(const struct netvisor_operators *list, struct span text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strlen(list->items[i].text) == text.n &&
		    strncasecmp(list->items[i].text, text.p, text.n) == 0)
			return list->items[i].code;
	return NULL;
}

const char *netvisor_operator(const struct netvisor_operators *list, const char *spelling)
{
	struct span text = span_of(spelling);
	while (text.n && text.p[0] == ' ') {
		text.p++;
		text.n--;
	}
	while (text.n && text.p[text.n - 1] == ' ')
		text.n--;
	return text.n && list ? find(list, text) : NULL;
}

/* ---- the file ------------------------------------------------------------------------------ */

static bool is_spelling(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == ',' || (unsigned char)s.p[i] >= 0x7f)
			return false;
	return s.n > 0 && s.n <= CODE_MAX;
}

static bool add(struct arena *arena, struct netvisor_operators *list, struct span text,
		const char *code, unsigned line, struct err *err)
{
	if (!is_spelling(text))
		return err_set(err, ERR_INPUT, "line %u: \"%.*s\" is no operator", line,
			       (int)text.n, text.p);
	if (find(list, text))
		return err_set(err, ERR_INPUT, "line %u: %.*s stands there twice", line,
			       (int)text.n, text.p);
	assert(list->n < list->cap);
	const char *kept = arena_memdup(arena, text.p, text.n);
	if (!kept)
		return err_set(err, ERR_MEMORY, "out of memory");
	list->items[list->n++] = (struct spelling) { kept, code ? code : kept };
	return true;
}

static bool add_aliases(struct arena *arena, struct netvisor_operators *list, struct span all,
			const char *code, unsigned line, struct err *err)
{
	if (span_is(all, "-"))
		return true;
	while (all.n) {
		const char *comma = memchr(all.p, ',', all.n);
		struct span one = { all.p, comma ? (size_t)(comma - all.p) : all.n };
		if (!add(arena, list, one, code, line, err))
			return false;
		all.p += one.n + (comma != NULL);
		all.n -= one.n + (comma != NULL);
	}
	return true;
}

static bool add_line(struct arena *arena, struct netvisor_operators *list, struct span text,
		     unsigned line, struct err *err)
{
	struct span columns[COLUMNS];
	if (text.n && text.p[text.n - 1] == '\r')
		text.n--;
	if (!text.n || text.p[0] == '#')
		return true;
	for (size_t i = 0; i < COLUMNS; i++) {
		const char *tab = memchr(text.p, '\t', text.n);
		bool is_last = i + 1 == COLUMNS;
		if (is_last == (tab != NULL))
			return err_set(err, ERR_INPUT,
				       "line %u: three columns with a tab between are wanted: "
				       "identifier, other spellings or \"-\", name",
				       line);
		columns[i] = (struct span) { text.p, tab ? (size_t)(tab - text.p) : text.n };
		text.p += columns[i].n + (tab != NULL);
		text.n -= columns[i].n + (tab != NULL);
	}
	if (!add(arena, list, columns[0], NULL, line, err))
		return false;
	return add_aliases(arena, list, columns[1], list->items[list->n - 1].code, line, err);
}

static size_t count(struct span text, char c)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == c;
	return n;
}

bool netvisor_operators_read(struct arena *arena, struct span text,
			     const struct netvisor_operators **ret, struct err *err)
{
	struct netvisor_operators *list = arena_alloc(arena, sizeof(*list));
	unsigned line = 0;
	if (!list)
		return err_set(err, ERR_MEMORY, "out of memory");
	*list = (struct netvisor_operators) { .cap = 2 + 2 * count(text, '\n') + count(text, ',') };
	list->items = arena_alloc_array(arena, list->cap, sizeof(*list->items));
	if (!list->items)
		return err_set(err, ERR_MEMORY, "out of memory");
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		struct span one = { text.p, end ? (size_t)(end - text.p) : text.n };
		if (!add_line(arena, list, one, ++line, err))
			return false;
		text.p += one.n + (end != NULL);
		text.n -= one.n + (end != NULL);
	}
	*ret = list;
	return list->n || err_set(err, ERR_INPUT, "names no operator");
}

bool netvisor_ready(void *values, system_file_fn read_file, struct arena *arena, struct err *err)
{
	struct netvisor_options *opt = values;
	struct span text = { (const char *)netvisor_operator_list, netvisor_operator_list_size };
	if (opt->operators_path[0] && !read_file(arena, opt->operators_path, &text, err))
		return err_wrap(err, OPTION_NAME);
	if (netvisor_operators_read(arena, text, &opt->operators, err))
		return true;
	return err_wrap(err, OPTION_NAME ": %s", opt->operators_path);
}
