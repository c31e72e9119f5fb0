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
struct severa_login {
	struct severa *severa;
	const char *scope; /* the one asked for; NULL: all that are needed */
	bool is_done; /* by this worker, just now; else the token is somebody else's */
	const char *granted; /* scopes of the new token; NULL: the answer does not say */
};
/* A new token, shared with nobody; ctx is a struct severa_login (struct shared_want). */
bool severa_log_in(void *ctx, const char **ret_token, int64_t *ret_ttl_ms,
		   struct err *err) MUST_CHECK;
/* The shared token; another one than `refused`, which may be NULL. */
bool severa_get_token(struct severa_login *login, const char *refused, const char **ret,
		      struct err *err) MUST_CHECK;
/* One exchange as it is: any status is true. */
bool severa_send(struct severa *s, const struct severa_rq *rq, const char *token,
		 struct http_reply *ret, struct err *err) MUST_CHECK;
/* One exchange with login: a 401 is answered by one new token. Verdict as err. */
bool severa_do(struct severa *s, const struct severa_rq *rq, struct http_reply *ret,
	       struct err *err) MUST_CHECK;
bool severa_judge(const struct severa_rq *rq, struct arena *arena, const struct http_reply *reply,
		  bool is_login, struct err *err) MUST_CHECK;

/* assumptions.c: what the vendor's documents leave open */
extern const char severa_credited_link[];
enum severa_currency_rate { SEVERA_FOREIGN_PER_OWN, SEVERA_OWN_PER_FOREIGN };
/* An amount of the invoice's currency in the organisation's, two decimals; false without a rate. */
bool severa_in_own_currency(const struct severa *s, struct decimal amount, struct decimal rate,
			    struct decimal *ret) MUST_CHECK;

/* scopes.c */
#define SEVERA_N_SCOPES 7
extern const char *const severa_scope_names[SEVERA_N_SCOPES];
/* Does the token's list of scopes name it? */
bool severa_scope_is_listed(const char *granted, const char *scope);

/* write.c: records are made and changed with the same list of members */
enum severa_type { SEVERA_STRING, SEVERA_NUMBER, SEVERA_TRUTH /* "1", "0" */ };
struct severa_member {
	const char *path; /* "name", "language/guid"; those of one object stand together */
	enum severa_type type;
	const char *value; /* NULL: null */
};
/* path: from "/v1" on; NULL: the arena was full. *ret: what Severa says that it is now, with its
 * guid. */
bool severa_post(struct severa *s, const char *what, const char *path,
		 const struct severa_member *members, size_t n, const struct json **ret,
		 struct err *err) MUST_CHECK;
bool severa_patch(struct severa *s, const char *what, const char *path,
		  const struct severa_member *members, size_t n, const struct json **ret,
		  struct err *err) MUST_CHECK;

/* travel.c */
/* Returns false: err is why, where it is about credentials as scope_missing. */
bool severa_scope_refused(const char *scopes, const struct err *why, struct err *err);

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
	bool is_fresh; /* of a register: read now, whatever is remembered of it */
	int max_rows; /* per page, where fewer are wanted than the setting says; 0: they are not */
};
struct severa_rows {
	const struct json **items;
	size_t n;
};
/* The rows of one array. */
bool severa_rows_of(struct arena *arena, const struct json *array, struct severa_rows *ret,
		    struct err *err) MUST_CHECK;
/* One page of a list of style T; token NULL or "": the first. *ret_next NULL: it was the last. */
bool severa_one_page(struct severa *s, const struct severa_list *list, const char *token,
		     struct severa_rows *ret, const char **ret_next, struct err *err) MUST_CHECK;
/* Every row, in the attempt's arena. */
bool severa_all(struct severa *s, const struct severa_list *list, struct severa_rows *ret,
		struct err *err) MUST_CHECK;
/* Called with each page; its rows, and all that is made in paged->at->arena, last until it returns.
 * False stops the listing with its err. */
typedef bool (*severa_list_fn)(struct severa *paged, void *ctx, const struct severa_rows *rows,
			       struct err *err);
bool severa_each_page(struct severa *s, const struct severa_list *list, severa_list_fn page,
		      void *ctx, struct err *err) MUST_CHECK;

/* einvoice.c: the organisation's own; *ret NULL: none is marked as that. */
bool severa_own_currency(struct severa *s, const char **ret, struct err *err) MUST_CHECK;

/* registers.c: all rows of a register, at most ttl_ms old, shared by workers. */
bool severa_register(struct severa *s, const struct severa_list *list, int64_t ttl_ms,
		     struct severa_rows *ret, struct err *err) MUST_CHECK;
#define SEVERA_REGISTER_TTL_MS (15 * 60 * 1000)
bool severa_countries(struct severa *s, struct severa_rows *ret, struct err *err) MUST_CHECK;
/* ISO 3166-1 alpha-2 by any name, code or guid of a country; NULL: unknown. */
const char *severa_country_code(const struct severa_rows *rows, const char *name);
/* The filter by time of change added to a list's path; NULL when the arena is full. */
const char *severa_changed_path(struct severa *s, const char *path, const char *changed_since);

/* customers.c: the addresses of a customer */
bool severa_address_rows(struct severa *s, const char *customer_id, struct severa_rows *ret,
			 struct err *err) MUST_CHECK;

/* With the filter by time of change; NULL when the arena is full. */
const char *severa_changed_path(struct severa *s, const char *path, const char *changed_since);
/* products.c: where the three registers stand. */
enum severa_product_register { SEVERA_PRODUCT, SEVERA_WORK_TYPE, SEVERA_TRAVEL_TYPE };
#define SEVERA_PRODUCT_REGISTERS 3
struct severa_product_place {
	const char *path, *by_code, *by_id;
	enum severa_paging paging;
};
extern const struct severa_product_place severa_product_places[SEVERA_PRODUCT_REGISTERS];

/* map.c, pure */
/* Of a list: what cannot be read leaves the rest of it, so that one odd invoice hides no other; its
 * own run names the fault. Without a guid it is an error. */
bool severa_map_listed(struct arena *arena, const struct json *j, struct invoice *ret,
		       struct err *err) MUST_CHECK;
bool severa_map_invoice(struct arena *arena, const struct json *j, struct invoice *ret,
			struct err *err) MUST_CHECK;
bool severa_map_row(struct arena *arena, const struct json *j, struct invoice_row *ret,
		    struct err *err) MUST_CHECK;
/* How the objects of a register become structs. */
struct severa_shape {
	const char *what; /* "VAT rate" */
	const struct field *fields;
	size_t n_fields, size;
	const void *preset; /* a struct with what absent members mean */
};
extern const struct severa_shape severa_customer_shape, severa_status_shape, severa_project_shape,
	severa_unit_shape, severa_vat_rate_shape, severa_language_shape, severa_phase_shape,
	severa_contact_shape, severa_account_shape, severa_currency_shape, severa_user_shape;
struct severa_account {
	const char *id, *format, *company_id, *unit_id;
	struct bank_account account;
	bool is_active;
};
struct severa_currency {
	const char *id, *code;
	bool is_own; /* the organisation's */
};
extern const struct severa_shape severa_product_shapes[SEVERA_PRODUCT_REGISTERS];
/* Into one struct of the shape. */
bool severa_map(const struct severa_shape *shape, const struct json *j, void *ret,
		struct err *err) MUST_CHECK;
/* ret_items: where the pointer to rows->n of them goes; they live in the arena. */
bool severa_map_all(struct arena *arena, const struct severa_shape *shape,
		    const struct severa_rows *rows, void *ret_items, struct err *err) MUST_CHECK;

#endif
