/* main.c: reads the command line and the settings, and starts what was asked for. The only caller
 * of exit, by its return. */
#include "base/base.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/log.h"
#include "config/config.h"
#include "net/redis.h"
#include "registry.h"
#include "serve.h"

extern char **environ;

#define PRINT_MAX ((size_t)1 << 20)

static const char usage[] =
	"usage: viesti COMMAND\n"
	"  serve                      run the service\n"
	"  check                      check settings, key and Redis, without serving\n"
	"  config                     effective settings, secrets masked\n"
	"  config --reference         every option, as Markdown\n"
	"  config --sample            every option, as an environment file\n"
	"  token create NAME ROLE     make an API token (viewer, operator, admin); shown once\n"
	"  healthcheck                ask the running service; exit 0 when it is alive\n"
	"  version\n"
	"Settings are VIESTI_* variables or a file named by VIESTI_CONFIG.\n";

static int misuse(void)
{
	fputs(usage, stderr);
	return 2;
}

static int print_text(void (*write)(const struct config *, struct strbuf *),
		      const struct config *cfg)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(2 * PRINT_MAX);
	struct strbuf sb = STRBUF_INIT(arena, PRINT_MAX);
	const char *text;
	struct err err = ERR_INIT;
	if (!arena)
		return 1;
	write(cfg, &sb);
	if (!strbuf_finish(&sb, &text, &err))
		return 1;
	fputs(text, stdout);
	return 0;
}

static void write_reference(const struct config *cfg, struct strbuf *out)
{
	(void)cfg; /* the reference is the same for every installation */
	config_reference(systems, out);
}

static void write_sample(const struct config *cfg, struct strbuf *out)
{
	(void)cfg; /* likewise */
	config_sample(systems, out);
}

static int with_config(int argc, char **argv)
{
	struct config cfg = { 0 };
	struct err err = ERR_INIT;
	int status = 2;
	if (!config_load(&cfg, systems, environ, &err)) {
		fprintf(stderr, "viesti: %s\n", err.message);
		return 2;
	}
	log_init(STDOUT_FILENO, (enum log_level)cfg.log_level);
	if (strcmp(argv[1], "serve") == 0 && argc == 2)
		status = serve(&cfg);
	else if (strcmp(argv[1], "check") == 0 && argc == 2)
		status = serve_check(&cfg);
	else if (strcmp(argv[1], "healthcheck") == 0 && argc == 2)
		status = serve_healthcheck(&cfg);
	else if (strcmp(argv[1], "config") == 0 && argc == 2)
		status = print_text(config_print, &cfg);
	else if (strcmp(argv[1], "token") == 0 && argc == 5 && strcmp(argv[2], "create") == 0)
		status = serve_token(&cfg, argv[3], argv[4]);
	else
		status = misuse();
	config_release(&cfg);
	return status;
}

int main(int argc, char **argv)
{
	alloc_init();
	if (argc < 2)
		return misuse();
	if (strcmp(argv[1], "version") == 0) {
		printf("viesti %s (%s)\n", VIESTI_VERSION, redis_library());
		return 0;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (strcmp(argv[1], "config") == 0 && argc == 3 && strcmp(argv[2], "--reference") == 0)
		return print_text(write_reference, NULL);
	if (strcmp(argv[1], "config") == 0 && argc == 3 && strcmp(argv[2], "--sample") == 0)
		return print_text(write_sample, NULL);
	return with_config(argc, argv);
}
