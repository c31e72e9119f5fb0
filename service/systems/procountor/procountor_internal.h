/* procountor_internal.h: what the files of this folder share. */
#ifndef PROCOUNTOR_INTERNAL_H
#define PROCOUNTOR_INTERNAL_H

#include "base/base.h"
#include "codec/json.h"
#include "net/http.h"
#include "net/verdict.h"
#include "systems/procountor.h"

/* ---- assumptions.c: all that the vendor does not document ---------------------------------- */

enum procountor_header_text { PROCOUNTOR_HEADER_PERCENT, PROCOUNTOR_HEADER_PLAIN };

enum procountor_about { ABOUT_FIELD, ABOUT_NAME, ABOUT_NUMBER };
/* What one of Procountor's codes or sentences means. */
struct procountor_text {
	const char *says; /* without case, anywhere in a message */
	enum verdict verdict;
	const char *reason;
	enum procountor_about about; /* what the reason's sentence names */
};
extern const struct procountor_text procountor_texts[];
extern const size_t n_procountor_texts;
extern const char *const procountor_vendor_errors[]; /* of a login: about our client */
extern const char *const procountor_void_statuses[]; /* of an invoice: as if it were not there */
/* Is it the complaint about an old version of a card? */
bool procountor_is_stale(const char *field, const char *message);

/* ---- auth.c -------------------------------------------------------------------------------- */

struct procountor_rq {
	const char *what, *method;
	const char *path; /* with query, from "/" on; NULL: the arena was full */
	struct http_header header; /* one more; name NULL: none */
	struct span body;
	const char *content_type; /* NULL: JSON */
	const char *name, *number; /* of the record, for reasons that name it; NULL */
	bool is_write, has_version;
};

/* One exchange with login: a 401 is answered by one new token. Verdict as err. */
bool procountor_do(struct procountor *p, const struct procountor_rq *rq, struct http_reply *ret,
		   struct err *err) MUST_CHECK;
/* As procountor_do, parsed; what cannot be read is an outage, or doubt of a write. */
bool procountor_json(struct procountor *p, const struct procountor_rq *rq, const struct json **ret,
		     struct err *err) MUST_CHECK;
/* A read of one record: its bytes decide whether a needs_data transfer is tried again. */
bool procountor_json_seen(struct procountor *p, const struct procountor_rq *rq,
			  const struct json **ret, struct err *err) MUST_CHECK;
/* A login of our own, just now; leaves its token to the others. */
bool procountor_check_key(struct procountor *p, struct err *err) MUST_CHECK;

/* ---- judge.c, pure ------------------------------------------------------------------------- */

bool procountor_judge(struct arena *arena, const struct procountor_options *opt,
		      const struct procountor_rq *rq, const struct http_reply *reply, bool is_login,
		      struct err *err) MUST_CHECK;

/* ---- page.c -------------------------------------------------------------------------------- */

struct procountor_search {
	const char *what;
	const char *path; /* with its filters, "?" in it; NULL: the arena was full */
	struct http_header header; /* name NULL: none */
	const char *array; /* member with the rows, in an older form; NULL: none */
};
/* A page of results, in the arena; *last_id moves to its last. */
bool procountor_read_page(struct procountor *p, const struct procountor_search *search,
			  int64_t *last_id, const struct json **ret, bool *ret_end,
			  struct err *err) MUST_CHECK;
/* Called with each page that is not empty; all that is made on `paged` lasts until it returns. */
typedef bool (*procountor_page_fn)(struct procountor *paged, void *ctx, const struct json *rows,
				   struct err *err);
bool procountor_each_page(struct procountor *p, const struct procountor_search *search,
			  procountor_page_fn page, void *ctx, struct err *err) MUST_CHECK;

/* Where the walk through a register stands: "a501234" or, among the inactive ones, "i501234". */
struct procountor_cursor {
	bool is_inactive;
	int64_t last_id;
};
bool procountor_cursor_read(const char *from, struct procountor_cursor *ret,
			    struct err *err) MUST_CHECK;
/* *ret NULL when the list is through. */
bool procountor_cursor_write(struct arena *arena, const struct procountor_list *list,
			     const struct procountor_cursor *c, bool is_end, const char **ret,
			     struct err *err) MUST_CHECK;
/* Adds "&versionStartDate=..." in the vendor's local time. */
bool procountor_add_since(const struct procountor_options *opt, struct strbuf *path,
			  int64_t since_ms, struct err *err) MUST_CHECK;

/* Ids collected from pages, to be read in one call. */
#define PROCOUNTOR_BATCH 200
struct procountor_ids {
	int64_t ids[PROCOUNTOR_BATCH];
	size_t n;
};
/* Whole records, ids that nobody knows left out. *ret is the first node: an array's, or the only
 * one; NULL when none is there. resource: "/invoices". */
bool procountor_batch(struct procountor *p, const char *what, const char *resource,
		      const struct procountor_ids *ids, const struct json **ret, size_t *ret_n,
		      struct err *err) MUST_CHECK;

/* ---- text.c: what Procountor can take ------------------------------------------------------ */

/*
 * A JSON object written field by field; the first value that Procountor cannot take fails all, with
 * the field named ("invoiceRows[2].comment"). Absent texts are left out: empty members break the
 * vendor's checks (facts/procountor.md §10.4).
 */
struct procountor_form {
	struct json_writer w;
	struct strbuf sb;
	struct err *err;
	bool failed;
	size_t refusals; /* of the arena, at the beginning */
	char place[96]; /* "invoiceRows[2]." */
};
#define PROCOUNTOR_FORM_INIT(a, e)                        \
	{                                                 \
		.sb = STRBUF_INIT(a, 4 << 20), .err = (e) \
	}
void procountor_form_begin(struct procountor_form *f);
bool procountor_form_end(struct procountor_form *f, struct span *ret) MUST_CHECK;
/* An object inside; closed like the items of a list. */
void procountor_form_open(struct procountor_form *f, const char *key);
void procountor_form_close(struct procountor_form *f);
/* A list of objects, at the top; ended by jsonw_end_array. */
void procountor_form_list(struct procountor_form *f, const char *key);
void procountor_form_item(struct procountor_form *f, const char *key, size_t i);
/* On one line, white space cleaned; max: characters, 0: no limit known. */
void procountor_put(struct procountor_form *f, const char *key, const char *text, size_t max);
/* As it is, line breaks and all. */
void procountor_put_block(struct procountor_form *f, const char *key, struct span text, size_t max);
void procountor_put_needed(struct procountor_form *f, const char *key, const char *text,
			   size_t max);
void procountor_put_number(struct procountor_form *f, const char *key, struct decimal d,
			   unsigned decimals);
void procountor_put_id(struct procountor_form *f, const char *key, const char *id);
void procountor_put_date(struct procountor_form *f, const char *key, const char *date);
/* ERR_DATA about a field, once. */
void procountor_form_fail(struct procountor_form *f, const char *reason, const char *key,
			  const char *detail);
/* What is left from the first character on that Windows-1252 does not have; n 0: all fits. */
struct span procountor_misfit(struct span text, bool is_block);

/* ---- countries.c, codes.c ------------------------------------------------------------------ */

/* NULL when there is none. */
const char *procountor_country_name(const char *code);
const char *procountor_country_code(const char *name);
const char *procountor_language_name(const char *code);
const char *procountor_language_code(const char *name);

/* ---- map.c, pure: what Procountor answers -------------------------------------------------- */

/* Of a list or whole; ERR_SYSTEM when it has no id. */
bool procountor_read_partner(const struct json *j, struct procountor_partner *ret,
			     struct err *err) MUST_CHECK;
bool procountor_read_product(const struct json *j, struct procountor_product *ret,
			     struct err *err) MUST_CHECK;
bool procountor_read_invoice(struct arena *arena, const struct json *j,
			     struct procountor_invoice *ret, struct err *err) MUST_CHECK;
void procountor_read_current(const struct json *session, const struct json *company,
			     struct procountor_current *ret);
bool procountor_has_place(const struct procountor_place *place);

/* ---- write.c, pure: what Procountor is sent ------------------------------------------------ */

bool procountor_write_partner(struct arena *arena, const struct procountor_options *conf,
			      const struct procountor_partner *partner, bool is_new,
			      struct span *ret, struct err *err) MUST_CHECK;
bool procountor_write_product(struct arena *arena, const struct procountor_options *conf,
			      const struct product *product,
			      const struct procountor_product_options *opt, struct span *ret,
			      struct err *err) MUST_CHECK;

#endif
