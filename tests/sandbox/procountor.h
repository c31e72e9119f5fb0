/*
 * procountor.h: private to the Procountor stand-in (facts/procountor.md). Companies with an API key
 * each, behind one client id, and their registers: partners, products, invoices, bank accounts.
 *
 * Everything lives in one arena until a reset, and one lock guards it; functions named _locked want
 * it held. A record is kept as the JSON that it is answered with, beside what searches look at.
 */
#ifndef SANDBOX_PROCOUNTOR_H
#define SANDBOX_PROCOUNTOR_H

#include "base/clock.h"
#include "base/decimal.h"
#include "call.h"
#include "codec/sign.h"
#include "sandbox.h"
#include "seed.h"
#include "store.h"

#define PC_CLIENT_ID "viestiClient"
#define PC_CLIENT_SECRET "viesti-sandbox-secret"
#define PC_STAMP 20 /* "2026-03-02T10:15:41" */
#define PC_RATE_MAX 100000

enum pc_kind { PC_PARTNER, PC_PRODUCT, PC_INVOICE, PC_ACCOUNT, PC_KINDS };
enum pc_right {
	PC_INVOICES, /* sales.salesOrGroupInvoices */
	PC_INVOICE_SEARCH,
	PC_CUSTOMERS,
	PC_PRODUCTS,
	PC_COMPANY, /* management.basicCompanyInfo */
	PC_RIGHTS,
	PC_ANYBODY = PC_RIGHTS,
	PC_STRANGER, /* no login */
};
enum pc_level { PC_ALL_RIGHTS, PC_VIEWING_RIGHTS, PC_NO_ACCESS, PC_NOT_ENABLED };

struct pc_record {
	int64_t id, creator;
	const char *json; /* as it is answered */
	char version[PC_STAMP];
	/* What searches look at; "" when untold. */
	const char *type, *status; /* CUSTOMER, SALES, SALES_INVOICE; of an invoice */
	const char *name, *number; /* customer number, product code, originalInvoiceNumber */
	const char *identifier; /* business id */
	bool is_active, is_gone;
};

struct pc_register {
	struct pc_record *items; /* by id */
	size_t n, cap;
	int64_t next_id;
	uint64_t added, changed; /* by the API, not by the control API */
};

struct pc_company {
	struct pc_company *next;
	const char *tenant, *name, *business_id, *country, *currency, *iban;
	int64_t id, user;
	const char *api_key;
	bool is_key_ended, sees_own_only;
	enum pc_level rights[PC_RIGHTS];
	int64_t token_s;
	uint64_t token_epoch; /* older tokens are no good */
	const char *locked_until; /* dates up to this one are in a closed period */
	struct pc_register registers[PC_KINDS];
	int64_t next_number; /* of invoices */
	uint64_t calls, token_requests, unauthorized, throttled, refused, attachments;
};

struct pc_token {
	struct pc_company *company;
	uint64_t epoch;
	int64_t expires_ms;
};

struct procountor {
	struct standin_state base; /* its lock guards all below */
	struct tz *zone; /* the vendor's times name none */
	struct pc_company *companies; /* newest first */
	struct table tokens;
	int64_t next_company;
	unsigned token_error; /* status of a refused login; 0: 401 */
	unsigned rate; /* calls a second of the client id; 0: no limit */
	int64_t *taken_us; /* the last of them, a ring */
	size_t taken_at, taken_n;
	uint64_t throttled;
};

/* One call in this system. */
struct pc_call {
	struct call *c;
	struct procountor *p;
	const struct pc_route *route;
	struct pc_company *company; /* NULL: none logged in */
	const char *id; /* in the path */
};

struct pc_route {
	const char *method, *pattern; /* {} is an id */
	enum pc_right right;
	bool is_write;
	enum pc_kind kind;
	void (*serve_locked)(struct pc_call *pc);
};

/* ---- procountor.c -------------------------------------------------------------------------- */

/* A list of one error; field may be NULL. Always false. */
bool pc_fail(struct pc_call *pc, unsigned status, const char *field, const char *message);
/* By tenant key, business id or company id. */
struct pc_company *pc_find_locked(struct procountor *p, const char *name);

/* ---- procountor_auth.c --------------------------------------------------------------------- */

void pc_token_locked(struct pc_call *pc);
bool pc_authenticate_locked(struct pc_call *pc) MUST_CHECK;
/* Pace of the client id. */
bool pc_set_rate_locked(struct procountor *p, unsigned rate) MUST_CHECK;
bool pc_take_slot_locked(struct pc_call *pc) MUST_CHECK;
const char *pc_right_name(enum pc_right right);
bool pc_level_of(const char *name, enum pc_level *ret) MUST_CHECK;
void pc_session_locked(struct pc_call *pc);
void pc_rights_locked(struct pc_call *pc);
void pc_company_locked(struct pc_call *pc);
void pc_vats_locked(struct pc_call *pc);

/* ---- procountor_register.c ----------------------------------------------------------------- */

struct pc_record *pc_record_locked(struct pc_company *co, enum pc_kind kind, int64_t id);
/* By id, or by number. */
struct pc_record *pc_record_by_name_locked(struct pc_company *co, enum pc_kind kind,
					   const char *name);
/*
 * Keeps `fields` with `extra` merged in (may be NULL), id and version set. old: the record that is
 * changed, NULL for a new one. NULL when out of memory.
 */
struct pc_record *pc_put_locked(struct procountor *p, struct pc_company *co, enum pc_kind kind,
				struct pc_record *old, const struct json *fields,
				const struct json *extra, struct arena *scratch);
void pc_search_locked(struct pc_call *pc);
void pc_read_locked(struct pc_call *pc);
void pc_add_partner_locked(struct pc_call *pc);
void pc_change_partner_locked(struct pc_call *pc);
void pc_add_product_locked(struct pc_call *pc);
/* The body as a JSON object; NULL with 400 set. */
const struct json *pc_body(struct pc_call *pc);

/* ---- procountor_check.c -------------------------------------------------------------------- */

#define PC_PROBLEMS_MAX 12

/* What is wrong with a request: all of it is told at once. */
struct pc_problems {
	struct arena *arena;
	struct {
		const char *field, *message;
	} items[PC_PROBLEMS_MAX];
	size_t n;
};
void pc_problem(struct pc_problems *pr, const char *field, const char *message);
/* Characters, lengths, lists of values, empty texts, wherever they stand. */
void pc_check_texts(struct pc_problems *pr, enum pc_kind kind, const struct json *j);
/* True when there is none; else 400 is set. */
bool pc_check_end(struct pc_call *pc, const struct pc_problems *pr) MUST_CHECK;
/* "counterParty.email" is a text that is not empty. */
bool pc_has(const struct json *j, const char *path);
void pc_need(struct pc_problems *pr, const struct json *j, const char *path);
/* Is the percentage one of the company's, and does the VAT status go with it? */
bool pc_vat_fits(int64_t status, struct decimal percent);

/* ---- procountor_invoice.c ------------------------------------------------------------------ */

void pc_add_invoice_locked(struct pc_call *pc);
void pc_attach_locked(struct pc_call *pc);

/* ---- procountor_control.c, procountor_seed.c ----------------------------------------------- */

void pc_control(void *state, struct call *c, size_t first);
void pc_write_ledger(void *state, bool with_documents, struct json_writer *w);
void pc_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w);
bool pc_seed(void *state, const struct tenant_spec *spec, struct err *err) MUST_CHECK;
/* The text of a partner or product that the sandbox makes by itself. */
const struct json *pc_generate(struct arena *arena, enum pc_kind kind, unsigned i);

#endif
