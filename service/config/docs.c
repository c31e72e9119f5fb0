/*
 * docs.c: the settings as people read them: the effective ones, the reference, the sample. All come
 * from the same tables, so they cannot drift from what the service does.
 */
#include "base/base.h"

#include "config/row.h"

static void print_origin(const struct config *cfg, size_t row, struct strbuf *out)
{
	const char *path = cfg->origin[row].path;

	switch (cfg->origin[row].kind) {
	case CONFIG_DEFAULT:
		strbuf_addstr(out, "default");
		return;
	case CONFIG_DERIVED:
		strbuf_addstr(out, "derived");
		return;
	case CONFIG_FILE:
		strbuf_addstr(out, "file");
		break;
	case CONFIG_ENVIRONMENT:
		strbuf_addstr(out, "environment");
		break;
	}
	if (path)
		strbuf_addf(out, ", %s", path);
}

static void pad(struct strbuf *out, size_t start, size_t width)
{
	size_t n = strbuf_span(out).n - start;

	do
		strbuf_addch(out, ' ');
	while (++n < width);
}

void config_print(const struct config *cfg, struct strbuf *out)
{
	struct row_list rows;

	rows_list(cfg->systems.systems, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		const struct option *opt = rows.of[i].opt;
		size_t start = strbuf_span(out).n;

		if (!opt->name) {
			strbuf_addf(out, "%s# %s\n", i ? "\n" : "", opt->doc);
			continue;
		}
		strbuf_addf(out, "%s=", opt->name);
		option_format(opt, row_value(cfg, &rows.of[i]), out);
		pad(out, start, 64);
		strbuf_addstr(out, "# ");
		print_origin(cfg, i, out);
		strbuf_addch(out, '\n');
	}
}

void config_reference(const struct system *const *systems, struct strbuf *out)
{
	struct row_list rows;

	rows_list(systems, &rows);
	strbuf_addstr(
		out,
		"# Configuration\n\n"
		"Made by `viesti config --reference`; `make lint` compares. Every option is an "
		"environment variable.\nEach also exists as `VIESTI_X_FILE`: the path of a file "
		"that holds the value (for secrets).\n`VIESTI_CONFIG` may name a file with lines "
		"`name = value` (`workers = 16`, `key_file = /run/secrets/key`)\nand `#` comments; "
		"the environment wins. An empty value counts as not given; an unknown name is an "
		"error.\n`viesti config` shows what is in force and where each value came from, "
		"secrets masked.\n\n"
		"Durations are written `500ms`, `10s`, `5m`, `2h`, `90d`; sizes `65536`, `256k`, "
		"`1m`.\nOn Kubernetes set `enableServiceLinks: false` when a Service is named "
		"`viesti`: its links would be taken for options.\n");
	for (size_t i = 0; i < rows.n; i++) {
		const struct option *opt = rows.of[i].opt;

		if (!opt->name) {
			strbuf_addf(out,
				    "\n## %s\n| option | default | takes | meaning |\n"
				    "|---|---|---|---|\n",
				    opt->doc);
			continue;
		}
		strbuf_addf(out, "| `%s` | ", opt->name);
		if (*opt->preset)
			strbuf_addf(out, "`%s` | ", opt->preset);
		else
			strbuf_addstr(out, "none | ");
		option_allowed(opt, out);
		strbuf_addf(out, " | %s |\n", opt->doc);
	}
}

void config_sample(const struct system *const *systems, struct strbuf *out)
{
	struct row_list rows;

	rows_list(systems, &rows);
	strbuf_addstr(out, "# Viesti's environment; made by `viesti config --sample`. Defaults are "
			   "shown; see deploy/CONFIGURATION.md.\n");
	for (size_t i = 0; i < rows.n; i++) {
		const struct option *opt = rows.of[i].opt;

		if (!opt->name)
			strbuf_addf(out, "\n# --- %s ---\n", opt->doc);
		else
			strbuf_addf(out, "# %s\n#%s=%s\n", opt->doc, opt->name, opt->preset);
	}
}
