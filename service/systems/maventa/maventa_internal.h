/* maventa_internal.h: what the files of this folder share. */
#ifndef MAVENTA_INTERNAL_H
#define MAVENTA_INTERNAL_H

#include "base/base.h"
#include "codec/json.h"
#include "net/http.h"
#include "net/verdict.h"
#include "systems/maventa.h"

/* ---- assumptions.c: all that the vendor does not document ---------------------------------- */

enum maventa_array_style { MAVENTA_ARRAY_PLAIN, MAVENTA_ARRAY_BRACKETS };

/* What one of Maventa's texts means. */
struct maventa_text {
	const char *says; /* without case */
	bool anywhere; /* not only behind "ERROR: " or at the start */
	enum verdict verdict;
	const char *reason; /* NULL: none of its own */
};
extern const struct maventa_text maventa_texts[];
extern const size_t n_maventa_texts;
#define MAVENTA_HINT_MAX ((size_t)64 << 10) /* bytes of a notification */
extern const char *const maventa_events[]; /* subscribed to; NULL-terminated */
/* Blocks that a PATCH of settings may ask for although nothing in them changes. */
extern const char *const maventa_needed_blocks[];
enum maventa_state maventa_state_of(const char *status);
enum maventa_company_state maventa_company_state_of(const char *text);
bool maventa_is_linked(const char *state);
/* How long a used-up daily limit lasts, from now. */
int64_t maventa_next_day_ms(int64_t now_ms);

/* ---- system.c ------------------------------------------------------------------------------ */

void maventa_lower(char *text);

/* ---- auth.c -------------------------------------------------------------------------------- */

struct maventa_rq {
	const char *what, *method;
	const char *path; /* with query, from "/" on; NULL: the arena was full */
	struct span body;
	const char *content_type; /* NULL: JSON */
	bool is_write;
};

/* One exchange with login: a 401 is answered by one new token. Verdict as err. */
bool maventa_do(struct maventa *mv, const struct maventa_rq *rq, struct http_reply *ret,
		struct err *err) MUST_CHECK;
/* As maventa_do, with the answer parsed; what cannot be read is an outage, or doubt of a write. */
bool maventa_json(struct maventa *mv, const struct maventa_rq *rq, const struct json **ret,
		  struct err *err) MUST_CHECK;

/* ---- judge.c ------------------------------------------------------------------------------- */

bool maventa_judge(struct arena *arena, const struct maventa_rq *rq, const struct http_reply *reply,
		   bool is_login, struct err *err) MUST_CHECK;
/* The row that explains the words; NULL when none does. */
const struct maventa_text *maventa_text_find(const char *words);
/* Code, reason and subject of a failure of ours or theirs. Always false. */
bool maventa_fail(enum verdict v, const struct http_reply *reply, const char *what,
		  const char *reason, const char *words, struct err *err);

/* ---- calls.c ------------------------------------------------------------------------------- */

/* The pattern with its first {} replaced by the first value and its next by the second (NULL: it
 * has none), percent-encoded; NULL when the arena is full. */
const char *maventa_path(struct maventa *mv, const char *pattern, const char *first,
			 const char *second);

/* ---- map.c, pure --------------------------------------------------------------------------- */

bool maventa_map_current(const struct json *j, struct maventa_current *ret,
			 struct err *err) MUST_CHECK;
bool maventa_map_invoice(struct arena *arena, const struct json *j, struct maventa_invoice *ret,
			 struct err *err) MUST_CHECK;
void maventa_map_action(const struct json *j, struct maventa_action *ret);
void maventa_map_receiver(const struct json *j, struct maventa_receiver *ret);
void maventa_map_settings(const struct json *j, struct maventa_settings *ret);
/* with: blocks to be sent along as they were read; NULL: none. */
bool maventa_write_settings(struct arena *arena, const struct maventa_settings *change,
			    const struct json *with, struct span *ret, struct err *err) MUST_CHECK;

#endif
