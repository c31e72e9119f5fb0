/*
 * dialogue.h: how far the dialogues of a connection with its vendors have come (a registration, an
 * authentication). Each has records; a record is a small JSON object that is changed member by
 * member. They stand together in the connection's facts (store/store.h), so a restart loses
 * nothing, and whoever leaves finds all as it was.
 *
 * Pure. Everything lives in the arena; one thread.
 */
#ifndef MODEL_DIALOGUE_H
#define MODEL_DIALOGUE_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "codec/json.h"

#define RECORD_MEMBERS_MAX 40
#define RECORDS_MAX 16 /* of one dialogue; of those that have ended the oldest goes first */

/*
 * Members that every record has: id, rev (0: not stored yet), state, is_ended, created_ms,
 * updated_ms, due_ms (when it goes on by itself; 0: not), by and by_token (who began it), conns
 * (what its token may see; absent: all), tries and error (of the last run, when it failed).
 */
struct record {
	struct arena *arena;
	struct {
		const char *name;
		const struct json *value;
	} members[RECORD_MEMBERS_MAX];
	size_t n;
	bool failed; /* a member did not fit: it cannot be stored */
};
/* "", 0, false and NULL when absent or of another type. */
const char *record_str(const struct record *r, const char *name);
int64_t record_int(const struct record *r, const char *name);
bool record_is(const struct record *r, const char *name);
const struct json *record_get(const struct record *r, const char *name);
/* value lives as long as the record. */
void record_put(struct record *r, const char *name, const struct json *value);
/* text NULL removes the member. */
void record_put_str(struct record *r, const char *name, const char *text);
void record_put_int(struct record *r, const char *name, int64_t value);
void record_put_bool(struct record *r, const char *name, bool value);
/* json: a complete value. */
void record_put_json(struct record *r, const char *name, const char *json);
void record_remove(struct record *r, const char *name);

/* A failure as it is stored: {"code","class","subject","detail","target_text","upstream_status",
 * "pointer"}. */
void err_write(struct json_writer *w, const struct err *why);
/* That failure once more; its reason lives as long as j. */
void err_read(const struct json *j, struct err *ret);

struct facts {
	struct arena *arena;
	const struct json *root;
	int64_t rev; /* of the store */
};
bool facts_read(struct arena *arena, const char *json, int64_t rev, struct facts *ret,
		struct err *err) MUST_CHECK;
/* All of a dialogue, oldest first; at most max. */
size_t facts_records(const struct facts *f, const char *dialogue, struct record *ret, size_t max);
/* False: there is none. */
bool facts_record(const struct facts *f, const char *dialogue, const char *id, struct record *ret);
/*
 * The facts with the record in the place of that of its id, or behind the others, and with due_ms,
 * the first of all records' (absent: none). What else stands there stays. ERR_CONFLICT when there
 * are RECORDS_MAX that have not ended.
 */
bool facts_with(const struct facts *f, const char *dialogue, const struct record *r,
		const char **ret_json, struct err *err) MUST_CHECK;

#endif
