/*
 * netvisor.h: private to the Netvisor stand-in (facts/netvisor.md). An organisation is one company
 * in Netvisor, reached with its business id and one pair of keys.
 *
 * Locking: an organisation's lock guards all below it; functions named _locked want it held. No
 * lock is held while a call waits.
 */
#ifndef SANDBOX_NETVISOR_H
#define SANDBOX_NETVISOR_H

#include "base/clock.h"
#include "base/decimal.h"
#include "call.h"
#include "codec/sign.h"
#include "codec/xml.h"
#include "sandbox.h"
#include "store.h"

#define NETVISOR_BODY_MAX SANDBOX_BODY_MAX

enum nv_language { NV_FI, NV_EN, NV_SE, NV_LANGUAGES };

/* Texts that Netvisor says, in three languages (netvisor_texts.c). Each takes one %s. */
enum nv_text {
	NV_TEXT_MALFORMED,
	NV_TEXT_ORDER,
	NV_TEXT_MISSING,
	NV_TEXT_VALUE,
	NV_TEXT_TOO_LONG,
	NV_TEXT_METHOD,
	NV_TEXT_UNKNOWN_RESOURCE,
	NV_TEXT_NO_CUSTOMER_KEY,
	NV_TEXT_NO_CUSTOMER_CODE,
	NV_TEXT_NO_PRODUCT,
	NV_TEXT_NO_OPERATOR,
	NV_TEXT_NO_DIMENSION,
	NV_TEXT_NO_INVOICE,
	NV_TEXT_DUPLICATE,
	NV_TEXT_SUM,
	NV_TEXT_BOTH_SUMS,
	NV_TEXT_VAT_CODE,
	NV_TEXT_PERIOD,
	NV_TEXT_AUTHENTICATION,
	NV_TEXT_TIMESTAMP,
	NV_TEXT_NOT_UNIQUE,
	NV_TEXT_ACCESS,
	NV_TEXT_OVERLAP,
	NV_TEXT_STATUS_UNSENT,
	NV_TEXT_STATUS_OPEN,
	NV_TEXT_STATUS_PAID,
	NV_TEXTS
};
const char *nv_text(enum nv_text text, enum nv_language language);

/* ---- customers and products: records of texts by table ------------------------------------- */

struct nv_field {
	const char *section; /* element of the request below <customer> or <product> */
	const char *name; /* element below it */
	const char *answer_section, *answer; /* in the get answer; answer NULL: not told */
	unsigned max_chars; /* 0: no limit known */
};

#define NV_MAX_FIELDS 48

struct nv_record {
	int64_t key;
	int64_t modified_ms;
	unsigned added, edited; /* calls, for the ledger; 0/0: seeded */
	char *values[NV_MAX_FIELDS]; /* NULL: never given */
};

struct nv_register {
	const struct nv_field *fields;
	size_t n_fields;
	struct nv_record **records; /* by key, ascending */
	size_t n, cap;
	uint64_t adds, edits;
};

extern const struct nv_field nv_customer_fields[];
extern const size_t n_nv_customer_fields;
extern const struct nv_field nv_product_fields[];
extern const size_t n_nv_product_fields;

/* ---- dimensions ---------------------------------------------------------------------------- */

struct nv_item {
	int64_t key, father;
	char *name, *code, *label;
	bool is_hidden;
};

struct nv_heading {
	int64_t key;
	char *name;
	bool is_hidden;
	struct nv_item *items;
	size_t n, cap;
};

/* ---- invoices ------------------------------------------------------------------------------ */

struct nv_invoice {
	int64_t key;
	int64_t modified_ms;
	char *number; /* "" for a draft */
	char *reference, *date, *due_date, *currency, *customer_code, *customer_name;
	int64_t customer_key;
	struct decimal sum;
	const char *type, *status; /* constants */
	bool is_deleted;
	char *xml; /* the request as it came, in UTF-8 */
	size_t xml_n;
	struct nv_invoice *next_same_number; /* older ones */
	unsigned times_received; /* of this number so far, on the newest of them */
};

/* ---- trip expenses: nothing reads them but the control API ---------------------------------- */

struct nv_trip {
	int64_t key;
	char *header, *description, *employee;
	struct decimal sum;
	char *xml;
	size_t xml_n;
};

struct nv_purchase_row {
	int64_t key;
	char *text, *heading, *item; /* heading and item NULL: no dimension */
	struct decimal net;
	bool has_no_sum;
};
struct nv_purchase {
	int64_t key, modified_ms;
	char *number, *vendor;
	char date[16];
	bool is_accepted, is_deleted;
	struct nv_purchase_row *rows;
	size_t n, cap;
};

struct nv_org {
	char *key; /* tenant */
	char *name, *business_id;
	char *customer_id, *customer_key;
	pthread_mutex_t lock;
	bool is_busy; /* a call is in progress (§14.1) */

	int64_t next_key;
	int64_t next_number;
	struct nv_register customers, products;
	struct nv_heading **headings;
	size_t n_headings, cap_headings;
	struct nv_invoice **invoices; /* by key, ascending */
	size_t n_invoices, cap_invoices;
	struct table by_number; /* newest invoice with the number */
	struct nv_trip *trips; /* in the order received */
	size_t n_trips, cap_trips;
	struct nv_purchase *purchases;
	size_t n_purchases, cap_purchases;

	bool takes_overlaps; /* serves a call beside another, instead of failing it */
	bool refuse_duplicates; /* DUPLICATE_DATA for an invoice number that is there */
	char locked_until[16]; /* "" or a date: PERIOD_LOCK up to it */
	char denied[256]; /* resources without rights, blank-separated */

	uint64_t calls, overlaps, refused_duplicates, invoices_added, silent_items;
	uint64_t failures; /* answers FAILED */
};

struct netvisor {
	struct sandbox *sb;
	struct tz *tz; /* Europe/Helsinki; NULL: UTC+2 */
	pthread_rwlock_t lock; /* guards the list; organisations live as long as the world */
	struct nv_org **orgs;
	size_t n, cap;
	struct table by_name; /* business id and key */
	pthread_mutex_t ids_lock; /* guards the used TransactionIds (netvisor_auth.c) */
	struct id_set *ids, *old_ids;
	int64_t clock_tolerance_s;
};

/* One call in this system. */
struct nv_call {
	struct call *c;
	struct netvisor *netvisor;
	struct nv_org *org; /* NULL until authenticated */
	bool holds_org; /* is_busy is ours */
	enum nv_language language;
	bool real_status; /* UseHTTPResponseStatusCodes: 1 */
	const struct nv_route *route;
	const struct xml *root; /* of the body, POST with one */
};

struct nv_route {
	const char *method, *resource;
	bool has_body;
	void (*serve)(struct nv_call *nc);
};

/* ---- netvisor.c ---------------------------------------------------------------------------- */

/* FAILED envelope. code is a constant; arg fills the text's %s. Always false. */
bool nv_fail(struct nv_call *nc, const char *code, enum nv_text text, const char *arg);
/* An answer: nv_answer writes the head, the caller the rest below Root, nv_finish ends it. */
struct nv_answer {
	struct strbuf sb;
	struct xml_writer w;
};
void nv_answer(struct nv_call *nc, struct nv_answer *a);
void nv_finish(struct nv_call *nc, struct nv_answer *a);
/* OK with InsertedDataIdentifier, or plain OK when key is 0. */
void nv_ok(struct nv_call *nc, int64_t key);
void nv_int_element(struct xml_writer *w, const char *name, int64_t v);
/* "1192,25" */
void nv_decimal_element(struct xml_writer *w, const char *name, struct decimal d);
struct nv_org *nv_find_org(struct netvisor *nv, const char *business_id_or_key);
/* method=add|edit; for edit, *ret_id from id=. False: the reply is set. */
bool nv_method(struct nv_call *nc, const char *id_param, bool *ret_edit, int64_t *ret_id);
/* A query time "YYYY-MM-DD[THH:mm:ss]" in Finnish time; 0 when absent. False: the reply is set. */
bool nv_time_param(struct nv_call *nc, const char *name, int64_t *ret_ms);
bool nv_key_in_list(const char *list, int64_t key);
bool nv_text_in_list(const char *list, const char *text);

/* netvisor_auth.c: headers, MAC, freshness, uniqueness (§2). False: the reply is set. */
bool nv_authenticate(struct nv_call *nc) MUST_CHECK;
void nv_ids_free(struct netvisor *nv);

/* netvisor_dtd.c: element order (§3). False: the reply is set. */
enum nv_document {
	NV_DOC_SALES_INVOICE,
	NV_DOC_CUSTOMER,
	NV_DOC_PRODUCT,
	NV_DOC_DIMENSION,
	NV_DOC_TRIP
};
bool nv_check_order(struct nv_call *nc, enum nv_document doc) MUST_CHECK;

/* netvisor_registers.c */
void nv_customerlist(struct nv_call *nc);
void nv_getcustomer(struct nv_call *nc);
void nv_customer(struct nv_call *nc);
void nv_deletecustomer(struct nv_call *nc);
void nv_productlist(struct nv_call *nc);
void nv_getproduct(struct nv_call *nc);
void nv_product(struct nv_call *nc);
void nv_register_release(struct nv_register *r);
struct nv_record *nv_by_key_locked(const struct nv_register *r, int64_t key);
/* The record whose field (by request name) equals the value. */
struct nv_record *nv_by_field_locked(const struct nv_register *r, const char *name,
				     const char *value);
const char *nv_value(const struct nv_register *r, const struct nv_record *record, const char *name);
bool nv_set_value(struct nv_register *r, struct nv_record *record, const char *name,
		  const char *value) MUST_CHECK;
struct nv_record *nv_add_record_locked(struct nv_org *org, struct nv_register *r);
int64_t nv_now(void);

/* netvisor_dimensions.c */
void nv_dimensionlist(struct nv_call *nc);
void nv_dimensionitem(struct nv_call *nc);
void nv_dimensiondelete(struct nv_call *nc);
struct nv_heading *nv_heading_locked(struct nv_org *org, const char *name);
struct nv_heading *nv_add_heading_locked(struct nv_org *org, const char *name);
struct nv_item *nv_item_by_name_locked(struct nv_heading *h, const char *name);
/* Makes what is missing, in silence (§8). False: out of memory. */
bool nv_use_dimension_locked(struct nv_org *org, const char *heading, const char *item);
void nv_headings_release(struct nv_org *org);
/* netvisor_items.c: what a person does to dimensions in Netvisor. heading NULL: all are listed. */
void nv_control_dimensions(struct nv_org *org, struct call *c, const char *heading);
struct nv_item *nv_item_by_key_locked(struct nv_heading *h, int64_t key);
struct nv_item *nv_add_item_locked(struct nv_org *org, struct nv_heading *h, const char *name);

/* netvisor_sales.c */
void nv_salesinvoice(struct nv_call *nc);
void nv_invoice_free(struct nv_invoice *in);
struct nv_invoice *nv_invoice_by_key_locked(const struct nv_org *org, int64_t key);
/* netvisor_sales_read.c */
void nv_salesinvoicelist(struct nv_call *nc);
void nv_getsalesinvoice(struct nv_call *nc);
void nv_updatesalesinvoicestatus(struct nv_call *nc);
void nv_deletesalesinvoice(struct nv_call *nc);
bool nv_number(const char *text, struct decimal *ret);
/* Net and gross of a product line as Netvisor makes them. False: not computable. */
struct nv_line {
	struct decimal quantity, price, vat, net, gross, vat_sum;
	bool given; /* sums were given */
};
bool nv_read_line(const struct xml *line, struct nv_line *ret) MUST_CHECK;

/* netvisor_trips.c */
void nv_tripexpense(struct nv_call *nc);
void nv_trips_release(struct nv_org *org);
/* Those with the description of an earlier one. */
size_t nv_count_trip_duplicates(const struct nv_org *org);
void nv_write_trips_locked(const struct nv_org *org, struct json_writer *w);

/* netvisor_purchases.c */
void nv_purchaseinvoicelist(struct nv_call *nc);
void nv_getpurchaseinvoice(struct nv_call *nc);
void nv_purchases_release(struct nv_org *org);
void nv_control_purchases(struct nv_org *org, struct call *c, const char *key);

/* netvisor_control.c */
void nv_control(void *state, struct call *c, size_t first);
void nv_write_ledger(void *state, bool with_documents, struct json_writer *w);
void nv_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w);
bool nv_seed(struct nv_org *org, const struct tenant_spec *spec, struct err *err);
extern const char nv_partner_id[], nv_partner_key[];

#endif
