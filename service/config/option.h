/*
 * option.h: the table that options.def makes, and the reading and writing of one value. Private to
 * config/.
 */
#ifndef SERVICE_CONFIG_OPTION_H
#define SERVICE_CONFIG_OPTION_H

#include "config/config.h"

#define OPTION_PREFIX "VIESTI_"

enum option_type {
	OPTION_SECTION, /* a heading: only doc is set */
	OPTION_TEXT,
	OPTION_NAME,
	OPTION_PATH,
	OPTION_URL,
	OPTION_ADDRESS,
	OPTION_ADDRESSES,
	OPTION_HOSTS,
	OPTION_SECRET,
	OPTION_REDIS_URL,
	OPTION_INT,
	OPTION_BOOL,
	OPTION_DURATION,
	OPTION_SIZE,
	OPTION_ENUM,
};

struct option {
	enum option_type type;
	const char *name; /* "VIESTI_WORKERS" */
	size_t offset; /* of its member in struct config */
	const char *preset; /* the default, as text; "" is unset */
	const char *allowed; /* "1..256", "a|b"; "" when the type says it all */
	const char *doc; /* one sentence; a section's title */
};

extern const struct option options[CONFIG_N_ROWS];

/* True for types whose value must never be shown. */
bool option_is_secret(const struct option *opt);

/*
 * Reads `text` into the member at `into`; texts are copied into the arena. "" makes it unset, which
 * only texts and secrets can be. ERR_INPUT says what was given (never a secret's) and what is
 * allowed.
 */
bool option_parse(const struct option *opt, struct span text, struct arena *arena, void *into,
		  struct err *err) MUST_CHECK;
/* The value in its shortest exact form ("72h" is "3d"); secrets masked. */
void option_format(const struct option *opt, const void *value, struct strbuf *out);
/* What the option takes, in words: "whole number, 1..256". */
void option_allowed(const struct option *opt, struct strbuf *out);

#endif
