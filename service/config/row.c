/* row.c: see row.h. */
#include "base/base.h"

#include "config/row.h"

static const struct option own[CONFIG_N_ROWS] = {
#define SECTION(tag, title) { OPTION_SECTION, NULL, 0, "", "", title },
#define OPTION(type, member, name, preset, allowed, doc) \
	{                                                \
		OPTION_##type,                           \
		OPTION_PREFIX name,                      \
		offsetof(struct config, member),         \
		preset,                                  \
		allowed,                                 \
		doc                                      \
	},
#include "config/options.def"
#undef SECTION
#undef OPTION
};

static void add(struct row_list *list, const struct option *options, size_t n, size_t owner)
{
	assert(list->n + n <= CONFIG_MAX_ROWS);
	for (size_t i = 0; i < n; i++)
		list->of[list->n++] = (struct row) { &options[i], owner };
}

void rows_list(const struct system *const *systems, struct row_list *ret)
{
	ret->n = 0;
	add(ret, own, CONFIG_N_ROWS, 0);
	for (size_t i = 0; systems[i]; i++) {
		assert(i < SYSTEM_MAX);
		add(ret, systems[i]->options, systems[i]->n_options, i + 1);
	}
}

const void *row_value(const struct config *cfg, const struct row *row)
{
	const void *base = row->owner ? cfg->systems.of[row->owner - 1] : cfg;
	return (const char *)base + row->opt->offset;
}

/* The values are writable while config.c makes them; everyone else gets them const. */
void *row_member(struct config *cfg, const struct row *row)
{
	return (void *)(uintptr_t)row_value(cfg, row);
}
