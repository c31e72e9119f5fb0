/* spotilla_internal.h: what the files of this folder share. */
#ifndef SPOTILLA_INTERNAL_H
#define SPOTILLA_INTERNAL_H

#include "base/base.h"
#include "codec/json.h"
#include "net/http.h"
#include "net/verdict.h"
#include "systems/spotilla.h"

/* ---- assumptions.c: what is guessed and is no option --------------------------------------- */

enum spotilla_paging { SPOTILLA_BY_CHANGE, SPOTILLA_BY_NUMBER };
enum spotilla_find { SPOTILLA_FIND_FILTER, SPOTILLA_FIND_SCAN };

/* What a code in an error's body says beyond the status. */
struct spotilla_code {
	int status;
	const char *code;
	enum verdict verdict;
};
extern const struct spotilla_code spotilla_codes[];
extern const size_t n_spotilla_codes;

/* Names in queries and answers. */
extern const char spotilla_param_page[], spotilla_param_per_page[], spotilla_param_since[],
	spotilla_param_state[];
extern const char spotilla_idempotency_header[];
extern const char spotilla_event_done[];
/* By enum spotilla_key: the member, and the filter of the same name. */
extern const char *const spotilla_key_names[];
/* By enum spotilla_billing_state, but for the unknown one. */
extern const char *const spotilla_billing_names[];

#define SPOTILLA_NAME_MAX 200
#define SPOTILLA_NUMBER_MAX 20
#define SPOTILLA_REF_MAX 100

/* ---- calls.c ------------------------------------------------------------------------------- */

struct spotilla_rq {
	const char *what, *method;
	const char *path; /* with query, from "/" on; NULL: the arena was full */
	struct span body;
	const char *key; /* of idempotency; NULL: none */
	bool is_write;
	bool is_record; /* the path names one record: it may be gone */
};
/* One exchange, judged, its answer parsed. */
bool spotilla_do(struct spotilla *sp, const struct spotilla_rq *rq, const struct json **ret,
		 struct err *err) MUST_CHECK;
/* "/customers/1042"; NULL when the arena is full. */
const char *spotilla_record_path(struct spotilla *sp, const char *register_path, const char *id);
/* The record of an answer, bare or below its name. What our own marks are made of is left out of
 * the fingerprint: they would have a document tried again for nothing. */
bool spotilla_read_record(struct spotilla *sp, const char *what, const char *register_path,
			  const char *id, const char *name, const struct json **ret,
			  struct err *err) MUST_CHECK;

/* ---- page.c -------------------------------------------------------------------------------- */

struct spotilla_list {
	const char *what; /* "list customers" */
	const char *path; /* from "/" on, without a query */
	const char *name; /* of the answer's array: "customers" */
	const char *filter, *value; /* NULL: none */
	const char *since; /* RFC 3339; NULL: all */
};
struct spotilla_rows {
	const struct json **items;
	size_t n;
};
/*
 * One page, in the attempt's arena. place: what the page before gave as next, at most
 * SPOTILLA_PLACE_MAX bytes; NULL: the first. *ret_next NULL: it was the last.
 */
bool spotilla_page(struct spotilla *sp, const struct spotilla_list *list, const char *place,
		   struct spotilla_rows *ret, const char **ret_next, struct err *err) MUST_CHECK;
/* Called with each page; its rows, and all that is made in paged->at->arena, last until it returns.
 * False stops the listing with its err. */
typedef bool (*spotilla_list_fn)(struct spotilla *paged, void *ctx,
				 const struct spotilla_rows *rows, struct err *err);
bool spotilla_each_page(struct spotilla *sp, const struct spotilla_list *list,
			spotilla_list_fn page, void *ctx, struct err *err) MUST_CHECK;
/* The change time less the overlap; NULL stays NULL. ERR_INPUT. */
bool spotilla_overlapped(struct spotilla *sp, const char *since, const char **ret,
			 struct err *err) MUST_CHECK;

/* ---- map.c, pure --------------------------------------------------------------------------- */

/* ERR_SYSTEM answer_unreadable, ERR_DATA amount_too_large; ERR_LIMIT when the arena is full. */
bool spotilla_map_customer(struct arena *arena, const struct json *j, struct spotilla_customer *ret,
			   struct err *err) MUST_CHECK;
bool spotilla_map_product(const struct json *j, struct spotilla_product *ret,
			  struct err *err) MUST_CHECK;
bool spotilla_map_task(struct arena *arena, const struct json *j, struct spotilla_task *ret,
		       struct err *err) MUST_CHECK;
bool spotilla_write_billing(struct arena *arena, const struct spotilla_billing *billing,
			    struct span *ret, struct err *err) MUST_CHECK;
bool spotilla_write_ref(struct arena *arena, const char *external_ref, struct span *ret,
			struct err *err) MUST_CHECK;

#endif
