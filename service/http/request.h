/*
 * request.h: one HTTP request from its first header to its last byte, private to http/.
 *
 * Has one owner at a time: the server thread, then (suspended) the committer or the desk, then the
 * server thread again. Everything it points to lives in its arena.
 */
#ifndef SERVICE_HTTP_REQUEST_H
#define SERVICE_HTTP_REQUEST_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "codec/json.h"
#include "committer.h"
#include "forwarded.h"
#include "http/server.h"

#include <microhttpd.h>

#define REQUEST_MAGIC 0x52455155u
#define REQUEST_MAX_ARGS 3
#define REQUEST_MAX_QUERY 16
#define ANSWER_MAX_HEADERS 8
#define JSON_TYPE "application/json"

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_N_METHODS };

struct request;

enum route_place {
	PLACE_DESK, /* may speak to Redis: runs on a desk thread while the connection is suspended
		     */
	PLACE_INLINE, /* no I/O: runs on the server thread */
};
enum route_access { ACCESS_OPEN, ACCESS_VIEWER, ACCESS_OPERATOR, ACCESS_ADMIN };

struct route {
	enum http_method method;
	const char *path; /* "/v1/transfers/{id}" */
	/* Sets the answer; false: err becomes a problem document. */
	bool (*handler)(struct request *rq, struct err *err);
	enum route_access access;
	enum route_place place;
	const char *query; /* names allowed, separated by one blank */
};
extern const struct route routes[];
extern const size_t n_routes;

struct answer {
	int status; /* 0: none yet */
	const char *content_type;
	struct span body;
	struct {
		const char *name, *value;
	} headers[ANSWER_MAX_HEADERS];
	size_t n_headers;
};

enum request_stage {
	REQUEST_HEADERS, /* only the target is known */
	REQUEST_BODY,
	REQUEST_AWAY, /* suspended: with the committer or the desk */
	REQUEST_ANSWERED
};

struct query_param {
	const char *name, *value;
};

/* The vendor task a request waits for (desk.h). */
struct task_wait {
	char id[QUEUE_JOB_ID_MAX];
	int64_t deadline_ms; /* monotonic: then 202 */
	bool activates; /* a good check activates the connection, as it was when it was asked for:
			 */
	int64_t rev;
	/* Makes the answer of what the task is by now; NULL: the task itself. */
	bool (*answer)(struct request *rq, const struct queue_task *task, struct err *err);
	const struct dialogue *dialogue; /* the record that it is about (dialogues.c) */
	const char *record;
	bool is_new; /* the request began it */
};

struct request {
	uint32_t magic;
	enum request_stage stage;
	struct http_server *server;
	const struct http_server_options *opt;
	struct loop *loop; /* whose thread serves it */
	struct MHD_Connection *mhd;
	struct arena *arena;
	struct request *next; /* in the desk's queue, or in the server's pool */
	enum http_method method;
	const char *method_text;
	const char *target; /* as sent, query included */
	const struct route *route;
	const char *args[REQUEST_MAX_ARGS]; /* decoded values of {..} */
	struct query_param query[REQUEST_MAX_QUERY];
	size_t n_query;
	char *body_p;
	size_t body_n, body_cap;
	bool body_too_large;
	struct token token;
	const char *token_key; /* of its idempotency keys */
	bool is_last; /* on its line: nobody knows where the next one would begin */
	struct commit commit; /* of a webhook */
	const char *metric_flow;
	struct task_wait wait;
	const char *idempotency_key, *idempotency_hash;
	struct span replay; /* body kept for the Idempotency-Key when it must differ (secrets) */
	struct answer answer;
	char id[24]; /* of the request, for logs and problem documents */
	char client[ADDRESS_TEXT_MAX]; /* "" until request_client was asked */
};

static inline struct span request_body(const struct request *rq)
{
	return (struct span) { rq->body_p ? rq->body_p : "", rq->body_n };
}
/* NULL when absent. Server thread, or any while the connection is suspended. */
const char *request_header(const struct request *rq, const char *name);
/* The client's address, for log and audit; "" when there is none. Threads as for request_header. */
const char *request_client(struct request *rq);
/* NULL when absent. */
const char *request_query(const struct request *rq, const char *name);
/* A number of the query, below a million; the preset when absent. ERR_INPUT beyond the range. */
struct query_range {
	size_t low, high, preset;
};
bool request_number(const struct request *rq, const char *name, struct query_range range,
		    size_t *ret, struct err *err) MUST_CHECK;
/* Splits and decodes the query; ERR_INPUT for malformed, repeated or unknown names. */
bool request_read_query(struct request *rq, struct err *err) MUST_CHECK;
/* The body as a JSON object; ERR_INPUT otherwise. An empty body is an empty object. */
bool request_json(struct request *rq, const struct json **ret, struct err *err) MUST_CHECK;
/* ERR_INPUT with a pointer when the object has a member that is not in the NULL-terminated list. */
bool request_members(const struct json *j, const char *const *known, struct err *err) MUST_CHECK;
/* ERR_INPUT when the body has any member. */
bool request_no_body(struct request *rq, struct err *err) MUST_CHECK;
/* The body, and all that is made of it, is wiped at the end. */
bool request_keep_secrets(struct request *rq, struct err *err) MUST_CHECK;
/* Optional text member: *ret NULL when absent; ERR_INPUT for another type or over max characters.
 */
bool request_text(const struct json *j, const char *name, size_t max, const char **ret,
		  struct err *err) MUST_CHECK;
/* "<rev>" of If-Match; -1 for *. ERR_CONFLICT with reason precondition_missing when there is none.
 */
bool request_if_match(struct request *rq, int64_t *ret_rev, struct err *err) MUST_CHECK;

/* --- respond.c --- */
void respond_header(struct request *rq, const char *name, const char *value);
void respond_etag(struct request *rq, int64_t rev);
/* Body from the buffer (its arena is the request's). */
bool respond_json(struct request *rq, int status, const struct strbuf *body,
		  struct err *err) MUST_CHECK;
/* The one place that maps an error to a status: a problem document (RFC 9457). */
void respond_err(struct request *rq, const struct err *why);
/* Writes a stored error as {code, actor, text in the reader's language, detail}, null when there is
 * none (OP-05). code NULL: that of the JSON. */
void respond_failure(struct request *rq, struct json_writer *w, const char *code,
		     const char *error_json);
/* err_set(ERR_INPUT...) with one of the problem codes below and a pointer. */
bool problem(struct err *err, enum err_code code, const char *reason, const char *pointer,
	     const char *fmt, ...) PRINTF_LIKE(5, 6);
/* 409, with a title that says what has to be done first. */
#define STATE_NEVER_ACTIVATED "#never_activated"
#define STATE_NOT_ACTIVE "#not_active"
bool problem_state(struct err *err, const char *what, const char *words);
/* "en", "fi" or "nb" by Accept-Language. */
const char *respond_language(const char *accept_language);

/* --- auth.c --- */
/* ERR_CREDENTIALS with reason unauthorized or forbidden. */
bool auth_check(struct request *rq, struct err *err) MUST_CHECK;
/* May this token see the connection? */
bool auth_sees(const struct request *rq, const char *conn);
/* As auth_sees; ERR_NOT_FOUND otherwise, so that ids are not probed. */
bool auth_connection(const struct request *rq, const char *conn, struct err *err) MUST_CHECK;
/* ERR_CREDENTIALS forbidden for a token of some connections only. */
bool auth_unrestricted(const struct request *rq, struct err *err) MUST_CHECK;
/* One line of audit. */
bool audit(struct request *rq, const char *action, const char *object, struct err *err) MUST_CHECK;

#endif
