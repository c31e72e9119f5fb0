/* severa_internal.h: what the files of this folder share. */
#ifndef SEVERA_INTERNAL_H
#define SEVERA_INTERNAL_H

#include "base/base.h"
#include "codec/json.h"
#include "net/http.h"
#include "systems/severa.h"

struct severa_rq {
	const char *what, *method, *path; /* path with query, from "/v1" on */
	struct span body;
	bool is_write;
	bool is_raw; /* files: no JSON */
	size_t max_bytes;
};

/* auth.c */
/* One exchange with login: a 401 is answered by one new token. Verdict as err. */
bool severa_do(struct severa *s, const struct severa_rq *rq, struct http_reply *ret,
	       struct err *err) MUST_CHECK;
bool severa_judge(const struct severa_rq *rq, struct arena *arena, const struct http_reply *reply,
		  bool is_login, struct err *err) MUST_CHECK;

/* calls.c */
/* "InvalidParameter"; "" when the body is no ExceptionModel (facts §2.5). */
const char *severa_error_type(struct arena *arena, const struct http_reply *reply);
/* GET and parse; path NULL: the arena was full. ret_reply may be NULL. */
bool severa_get(struct severa *s, const char *what, const char *path, const struct json **ret,
		struct http_reply *ret_reply, struct err *err) MUST_CHECK;
/* A document or register record: its bytes decide whether a needs_data transfer is tried again. */
bool severa_get_seen(struct severa *s, const char *what, const char *path, const struct json **ret,
		     struct err *err) MUST_CHECK;
/* The first {} of the pattern replaced by the value, percent-encoded; NULL when the arena is full
 * or the pattern NULL. */
const char *severa_path(struct severa *s, const char *pattern, const char *value);

/* page.c: whole lists (facts §2.2) */
enum severa_paging {
	SEVERA_UNPAGED,
	SEVERA_BY_TOKEN, /* style T: NextPageToken */
	SEVERA_BY_ROW, /* style F: firstRow */
};
struct severa_list {
	const char *what; /* "read invoice rows" */
	const char *path; /* from "/v1" on, with its filters; NULL: the arena was full */
	enum severa_paging paging;
	bool is_seen; /* part of what a document is made of: counts for the fingerprint */
};
struct severa_rows {
	const struct json **items;
	size_t n;
};
/* Every row, in the attempt's arena. */
bool severa_all(struct severa *s, const struct severa_list *list, struct severa_rows *ret,
		struct err *err) MUST_CHECK;
/* Called with each page; its rows, and all that is made in paged->at->arena, last until it returns.
 * False stops the listing with its err. */
typedef bool (*severa_list_fn)(struct severa *paged, void *ctx, const struct json *rows,
			       struct err *err);
bool severa_each_page(struct severa *s, const struct severa_list *list, severa_list_fn page,
		      void *ctx, struct err *err) MUST_CHECK;

/* map.c, pure */
bool severa_map_invoice(struct arena *arena, const struct json *j, struct invoice *ret,
			struct err *err) MUST_CHECK;
bool severa_map_row(struct arena *arena, const struct json *j, struct invoice_row *ret,
		    struct err *err) MUST_CHECK;
bool severa_map_customer(const struct json *j, struct customer *ret, struct err *err) MUST_CHECK;
bool severa_map_status(const struct json *j, struct severa_status *ret, struct err *err) MUST_CHECK;
bool severa_map_product(const struct json *j, const char *register_name, struct product *ret,
			struct err *err) MUST_CHECK;
bool severa_map_project(const struct json *j, struct severa_project *ret,
			struct err *err) MUST_CHECK;

#endif
