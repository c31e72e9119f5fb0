/*
 * config.h: the service's settings, read once at start.
 *
 * Sources, the stronger first: environment (VIESTI_X, or VIESTI_X_FILE: a file that holds the
 * value), the file named by VIESTI_CONFIG ("x = value", "x_file = path", # comments), the default.
 * An empty value counts as not given. Unknown names are errors. The service's own options stand in
 * options.def, those of the outside systems in their folders (system.h).
 *
 * Main thread; the struct is constant afterwards and may be read from any thread.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "system.h"

/* The C types of the members; an unset text is "" (option.h). */
#define CONFIG_TYPE_TEXT const char *
#define CONFIG_TYPE_NAME const char * /* a-z 0-9 _ -, at most 32 */
#define CONFIG_TYPE_PATH const char *
#define CONFIG_TYPE_URL const char * /* http or https, no trailing slash */
#define CONFIG_TYPE_ADDRESS const char * /* one IP address */
#define CONFIG_TYPE_NETWORKS const char * /* "10.0.0.0/8,::1" */
#define CONFIG_TYPE_HOSTS const char * /* "host,host:port,[::1]:port" */
#define CONFIG_TYPE_SECRET struct secret
#define CONFIG_TYPE_REDIS_URL struct secret /* redis://, rediss:// or unix:// */
#define CONFIG_TYPE_PEM struct secret /* certificates or a private key */
#define CONFIG_TYPE_INT int
#define CONFIG_TYPE_BOOL bool
#define CONFIG_TYPE_DURATION int64_t /* milliseconds */
#define CONFIG_TYPE_SIZE size_t /* bytes */
#define CONFIG_TYPE_ENUM int /* position in the row's list */

/* CONFIG_ROW_<member>: the row of options.def. */
enum config_row {
#define SECTION(tag, title) CONFIG_SECTION_##tag,
#define OPTION(type, member, name, preset, allowed, doc) CONFIG_ROW_##member,
#include "config/options.def"
#undef SECTION
#undef OPTION
	CONFIG_N_ROWS
};

enum config_origin {
	CONFIG_DEFAULT,
	CONFIG_DERIVED, /* 0 was given or stood as default: computed from other options */
	CONFIG_FILE,
	CONFIG_ENVIRONMENT,
};

#define CONFIG_MAX_ROWS 256

struct config {
#define SECTION(tag, title)
#define OPTION(type, member, name, preset, allowed, doc) CONFIG_TYPE_##type member;
#include "config/options.def"
#undef SECTION
#undef OPTION
	struct system_values systems;
	struct {
		enum config_origin kind;
		const char *path; /* of the *_FILE or the configuration file that gave it, or NULL
				   */
	} origin[CONFIG_MAX_ROWS]; /* CONFIG_ROW_<member>; after them the systems' rows */
	struct arena *arena; /* holds the texts */
};

/*
 * Reads everything; systems NULL-terminated, envp as main's environ. ERR_INPUT names the option
 * (also in err->pointer), the value unless it is a secret, and what is allowed. *ret needs
 * config_release only on success.
 */
bool config_load(struct config *ret, const struct system *const *systems, char *const envp[],
		 struct err *err) MUST_CHECK;
/* Wipes secrets. Accepts a zeroed struct. */
void config_release(struct config *cfg);

/* `viesti config`: a line per option: name, effective value, origin. Secrets are masked. */
void config_print(const struct config *cfg, struct strbuf *out);
/* deploy/CONFIGURATION.md (`viesti config --reference`). */
void config_reference(const struct system *const *systems, struct strbuf *out);
/* deploy/viesti.env.sample (`viesti config --sample`). */
void config_sample(const struct system *const *systems, struct strbuf *out);

#endif
