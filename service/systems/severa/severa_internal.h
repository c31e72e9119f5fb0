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

/* One exchange with login: a 401 is answered by one new token. Verdict as err. */
bool severa_do(struct severa *s, const struct severa_rq *rq, struct http_reply *ret,
	       struct err *err) MUST_CHECK;
/* GET and parse; `seen` adds the bytes to the attempt's fingerprint. */
bool severa_get(struct severa *s, const char *what, const char *path, const struct json **ret,
		struct http_reply *ret_reply, struct err *err) MUST_CHECK;
/* A GET of a register, kept in the process's cache. */
bool severa_get_cached(struct severa *s, const char *what, const char *path, int64_t ttl_ms,
		       const struct json **ret, struct err *err) MUST_CHECK;
/* Sees that s->token is set. */
bool severa_login(struct severa *s, const char **ret_scopes, struct err *err) MUST_CHECK;
bool severa_judge(const struct severa_rq *rq, struct arena *arena, const struct http_reply *reply,
		  bool is_login, struct err *err) MUST_CHECK;

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
