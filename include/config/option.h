/*
 * option.h: one option of the service, its type, and the reading and writing of one value. The
 * service's own stand in options.def, those of an outside system in its folder (system.h).
 *
 * Pure, any thread.
 */
#ifndef CONFIG_OPTION_H
#define CONFIG_OPTION_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/strbuf.h"

#define OPTION_PREFIX "VIESTI_"

/* In brackets the C type of the member; an unset text is "". */
enum option_type {
	OPTION_SECTION, /* a heading: only doc is set */
	OPTION_TEXT, /* (const char *) without control characters */
	OPTION_NAME, /* (const char *) a-z 0-9 _ -, at most 32 */
	OPTION_PATH, /* (const char *) */
	OPTION_URL, /* (const char *) http or https, no trailing slash */
	OPTION_ADDRESS, /* (const char *) one IP address */
	OPTION_NETWORKS, /* (const char *) "10.0.0.0/8,::1" */
	OPTION_HOSTS, /* (const char *) "host,host:port,[::1]:port" */
	OPTION_SECRET, /* (struct secret) */
	OPTION_REDIS_URL, /* (struct secret) redis://, rediss:// or unix:// */
	OPTION_PEM, /* (struct secret) certificates or a private key */
	OPTION_INT, /* (int) */
	OPTION_BOOL, /* (bool) */
	OPTION_DURATION, /* (int64_t) milliseconds */
	OPTION_SIZE, /* (size_t) bytes */
	OPTION_ENUM, /* (int) position in the row's list */
};

struct option {
	enum option_type type;
	const char *name; /* "VIESTI_WORKERS" */
	size_t offset; /* of its member: in struct config, or in the system's own struct */
	const char *preset; /* the default, as text; "" is unset */
	const char *allowed; /* "1..256", "a|b"; "" when the type says it all */
	const char *doc; /* one sentence; a section's title */
};

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
