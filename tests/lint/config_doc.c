/*
 * config_doc.c: prints the configuration reference or sample, or the list of reasons, for `make
 * docs` and lint. As `viesti config --reference`, but needs nothing of the service.
 */
#include "base/base.h"

#include "config/config.h"
#include "model/reason.h"
#include "registry.h"

static void print_reasons(struct strbuf *out)
{
	strbuf_addstr(out, "# What a transfer can stand still for\n"
			   "Made by `make docs` from service/model/reason.c. `{subject}` is the "
			   "row, record or value that "
			   "it is about. Finnish and\n"
			   "Norwegian by Accept-Language.\n\n"
			   "| code | who must act | sentence |\n|---|---|---|\n");
	for (const struct reason *r = reasons; r->code; r++)
		strbuf_addf(out, "| `%s` | %s | %s |\n", r->code, r->actor, r->en);
}

int main(int argc, char **argv)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(1 << 20);
	struct strbuf out = STRBUF_INIT(arena, 1 << 19);
	const char *text = NULL;

	if (argc != 2 || !arena)
		return 2;
	if (str_eq(argv[1], "reference"))
		config_reference(systems, &out);
	else if (str_eq(argv[1], "sample"))
		config_sample(systems, &out);
	else if (str_eq(argv[1], "reasons"))
		print_reasons(&out);
	else
		return 2;
	if (!strbuf_finish(&out, &text, NULL))
		return 1;
	return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}
