/*
 * setup.h: what every flow does with a connection's setup: reads its settings by the flow's table,
 * refuses what does not fit together, opens its texts for an attempt, and names what it lacks. A
 * part that flows share, and no flow: it knows no system.
 */
#ifndef FLOWS_SETUP_H
#define FLOWS_SETUP_H

#include "base/base.h"
#include "codec/json.h"
#include "flow.h"

/* The value of a flow's setting, else the table's preset, else NULL; an empty text counts as not
 * given. */
const char *setup_text(const struct flow *flow, const struct json *settings, const char *name);
bool setup_flag(const struct flow *flow, const struct json *settings, const char *name);
/* Of the type SETTING_DECIMAL; false when neither it nor a preset is there. */
bool setup_decimal(const struct flow *flow, const struct json *settings, const char *name,
		   struct decimal *ret);
/* ERR_INPUT with the pointer; false. For refusals in settle. */
bool setup_refuse(struct err *err, const char *pointer, const char *words);
/* The connection's settings and credentials, parsed. source: whose credentials are said to be
 * missing where there are none at all. */
bool setup_read(struct attempt *at, const char *source, const struct json **ret_settings,
		const struct json **ret_credentials, struct err *err) MUST_CHECK;

/* The answer of a connection check while it is made (flow.h, check). */
struct setup_check {
	struct attempt *at;
	struct strbuf text;
	struct json_writer w;
	size_t n_problems;
};
/* One thing that the check found. */
struct setup_found {
	const char *code, *pointer;
	const char *subject; /* of the code's sentence (model/reason.h); NULL: it needs none */
	const char *words; /* the vendor's own, unchanged; NULL: none */
	bool is_warning; /* said with the problems, but the connection may be activated all the same
			  */
};
/* At its place: the writer points into it. */
void setup_check_begin(struct setup_check *c, struct attempt *at);
/*
 * In the language of who asked: the code's sentence, where it has one, and the vendor's words; in
 * English what fmt says, which is closer to the case.
 */
void setup_say_v(struct setup_check *c, const struct setup_found *found, const char *fmt,
		 va_list ap) PRINTF_LIKE(3, 0);
void setup_say(struct setup_check *c, const struct setup_found *found, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* A problem whose sentence needs no subject. */
void setup_problem(struct setup_check *c, const char *code, const char *pointer, const char *fmt,
		   ...) PRINTF_LIKE(4, 5);
/* Of a failed call: a fault of the connection becomes a problem (true); all else ends the check. */
bool setup_name_it(struct setup_check *c, const struct err *why, const char *pointer,
		   struct err *err) MUST_CHECK;
/* waiting: documents that stand at the source to be relayed. Sets at->result. */
bool setup_check_end(struct setup_check *c, int64_t waiting, struct err *err) MUST_CHECK;

#endif
