/*
 * config_doc.c: prints the configuration reference or sample, for `make docs` and lint. As
 * `viesti config --reference`, but needs nothing of the service.
 */
#include "base/base.h"

#include "config/config.h"
#include "registry.h"

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
	else
		return 2;
	if (!strbuf_finish(&out, &text, NULL))
		return 1;
	return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}
