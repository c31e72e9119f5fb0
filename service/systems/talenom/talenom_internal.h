/* talenom_internal.h: what the files of this folder share. */
#ifndef TALENOM_INTERNAL_H
#define TALENOM_INTERNAL_H

#include "base/base.h"
#include "codec/json.h"
#include "net/http.h"
#include "net/verdict.h"
#include "systems/talenom.h"

/* ---- assumptions.c: what the vendor's documents leave open ---------------------------------- */

/* What one of Talenom's error codes, or a gateway's words, means. */
struct talenom_code {
	const char *code;
	enum err_code means; /* ERR_NONE: as its status */
	const char *reason; /* NULL: none of its own */
};
extern const struct talenom_code talenom_codes[];
extern const size_t n_talenom_codes;
/* A gateway says in words, with 403, that the calls of a period are used up. */
extern const char talenom_quota_words[];

/* Where a field of a contact stands in its JSON. */
struct talenom_member {
	const char *block; /* NULL: at the top */
	const char *name; /* NULL: opt->external_id */
	bool is_bool;
};
extern const struct talenom_member talenom_contact_members[TALENOM_CONTACT_FIELDS];

bool talenom_is_draft(const char *status);
bool talenom_is_approved(const char *status);
/* "fi-FI" of "fi"; NULL when Talenom's word for it is not known. */
const char *talenom_language(const char *language);

#define TALENOM_CATEGORY "IntegrationSales"
#define TALENOM_VOUCHER_STATE "Accepted"
#define TALENOM_ACCEPTOR "Viesti"
#define TALENOM_LEDGER_CURRENCY "EUR" /* a posting names none (§2.2) */
#define TALENOM_QUANTITY_SCALE 4
#define TALENOM_PRICE_SCALE 11

/* ---- auth.c -------------------------------------------------------------------------------- */

struct talenom_rq {
	const char *what, *method;
	const char *path; /* below base URL and region, from "/" on; NULL: the arena was full */
	struct span body;
	bool is_write;
};
/* One exchange with login: a 401 is answered by one new token. Verdict as err. */
bool talenom_do(struct talenom *tn, const struct talenom_rq *rq, struct http_reply *ret,
		struct err *err) MUST_CHECK;
/* As talenom_do, with the answer parsed; what cannot be read is an outage, or doubt of a write. */
bool talenom_json(struct talenom *tn, const struct talenom_rq *rq, const struct json **ret,
		  struct err *err) MUST_CHECK;
/* A GET whose answer is a list: none there is an empty list, so that a 404 is a wrong address. */
bool talenom_list(struct talenom *tn, const char *what, const char *path, const struct json **ret,
		  struct err *err) MUST_CHECK;
/* "/sales/v1/14222/<resource>", then of each pair that is not NULL its first word as it is and its
 * second percent-encoded: { "/", id }, { "?code=", code }. NULL when the arena is full. */
struct talenom_part {
	const char *before, *value;
};
const char *talenom_sales(struct talenom *tn, const char *resource, struct talenom_part a,
			  struct talenom_part b);

/* ---- judge.c, pure ------------------------------------------------------------------------- */

bool talenom_judge(struct arena *arena, const struct talenom_rq *rq, const struct http_reply *reply,
		   bool is_login, struct err *err) MUST_CHECK;

/* ---- map.c, contact.c, voucher.c: pure ------------------------------------------------------ */

bool talenom_read_account(const struct json *j, struct talenom_account *ret,
			  struct err *err) MUST_CHECK;
bool talenom_read_product(const struct json *j, struct talenom_product *ret,
			  struct err *err) MUST_CHECK;
bool talenom_write_product(struct arena *arena, const struct talenom_product *p, struct span *ret,
			   struct err *err) MUST_CHECK;
bool talenom_read_contact(const struct talenom_options *opt, const struct json *j,
			  struct talenom_contact *ret, struct err *err) MUST_CHECK;
bool talenom_write_contact(const struct talenom *tn, const struct talenom_contact *c,
			   struct span *ret, struct err *err) MUST_CHECK;
bool talenom_read_invoice(const struct talenom_options *opt, const struct json *j,
			  struct talenom_invoice *ret, struct err *err) MUST_CHECK;
bool talenom_read_voucher(const struct talenom *tn, const struct json *j,
			  struct talenom_voucher *ret, struct err *err) MUST_CHECK;
/* "" for what is not there. */
const char *talenom_text(const struct json *j, const char *path);
/* Finishes what a writer put there. */
bool talenom_finish(struct strbuf *sb, struct span *ret, struct err *err) MUST_CHECK;

#endif
