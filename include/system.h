/*
 * system.h: an outside system as a constant table (STYLE §7). What the rest of the service must
 * know of one: the options that it brings to the configuration, and how its webhooks are read. Its
 * calls stand in systems/<name>.h and are for flows alone. A contract open to all folders.
 *
 * A new system is a folder with one `const struct system` and one line in registry.c: its options
 * are read, checked, printed and documented with the others, and the hosts of its URL options may
 * be called.
 */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "config/option.h"

#define SYSTEM_MAX 16

/*
 * How a system's own webhooks come. One that signs them comes to the connection's address, and is
 * known by its header: its signature is held against the connection's webhook secrets. One that
 * signs nothing comes to an address with a token in its path (model/hook.h). How its bodies are
 * read is the vendor's, so it stands here; which document an event is about depends on the
 * direction, so that stands with the flow (flow.h, flow_sender). Server thread, no I/O, pure.
 */
enum webhook_verdict {
	WEBHOOK_GOOD,
	WEBHOOK_UNSIGNED, /* a header is missing or malformed */
	WEBHOOK_LATE, /* outside the tolerance, either way */
	WEBHOOK_FORGED /* no signature fits any live secret */
};
struct system_values;
struct sender_event {
	const char *id; /* the same one may come again; NULL: it has none */
	const char *subject; /* whom it is about; NULL: a type that says nothing to us */
};
struct sender {
	size_t max_bytes; /* of a body */
	int64_t remember_s; /* for so long an event's id is remembered; 0: 15 min */
	/* A hint, never data. ERR_INPUT for what cannot be read. Required. */
	bool (*read)(struct arena *arena, struct span body, struct sender_event *ret,
		     struct err *err);
	/* The header that holds the signature; NULL: it signs nothing. */
	const char *(*header)(const struct system_values *systems);
	/* Required with header. secrets: the connection's, decoded. Constant time. */
	enum webhook_verdict (*verify)(struct span header, struct span body,
				       const struct span *secrets, size_t n, int64_t now_s);
};

/* A text file that an option names, in the arena. ERR_INPUT. */
typedef bool (*system_file_fn)(struct arena *arena, const char *path, struct span *ret,
			       struct err *err);

/* A row of a system's option table. OPTIONS names its own struct, and is defined before. */
#define SYSTEM_OPTION(type, member, name, preset, allowed, doc)                                    \
	{                                                                                          \
		OPTION_##type, OPTION_PREFIX name, offsetof(OPTIONS, member), preset, allowed, doc \
	}

struct system {
	/* "severa": member of credentials and settings, first part of its limit keys. */
	const char *name;
	/* OPTION_SECTION first; offsets are in the system's own struct, of values_size bytes. */
	const struct option *options;
	size_t n_options, values_size;
	/*
	 * At the start, when the options are read: reads into the system's own struct what they
	 * name. A failure ends the start. NULL: nothing.
	 */
	bool (*ready)(void *values, system_file_fn read_file, struct arena *arena, struct err *err);
	const struct sender *sender; /* NULL: it sends no webhooks of its own kind */
};

/* What the configuration says of every system. Constant after the start, read by any thread. */
struct system_values {
	const struct system *const *systems; /* NULL-terminated */
	const void *of[SYSTEM_MAX]; /* the systems' own structs, in the same order */
};

/* The system's own struct of options; the system must be one of the table's. */
static inline const void *system_values_of(const struct system_values *v, const struct system *s)
{
	size_t i = 0;
	while (v->systems[i] && v->systems[i] != s)
		i++;
	assert(v->systems[i]);
	return v->of[i];
}

#endif
