/*
 * severa.h: private to the Severa stand-in (facts/severa.md). A tenant is what one set of API
 * credentials reaches: an organisation with its registers and invoices.
 *
 * Everything in a register is a `struct doc`: its JSON exactly as it is answered, plus what lists
 * filter by. Locking: a tenant's lock guards all below it; functions named _locked want it held. No
 * lock is held while a call waits.
 */
#ifndef SANDBOX_SEVERA_H
#define SANDBOX_SEVERA_H

#include "call.h"
#include "codec/sign.h"
#include "sandbox.h"
#include "store.h"

#define SEVERA_TOKENS 512

enum severa_kind {
	SEVERA_ORGANIZATION,
	SEVERA_COUNTRY,
	SEVERA_LANGUAGE,
	SEVERA_CURRENCY,
	SEVERA_VAT_RATE,
	SEVERA_SALES_ACCOUNT,
	SEVERA_BUSINESS_UNIT,
	SEVERA_BANK_ACCOUNT,
	SEVERA_USER,
	SEVERA_STATUS,
	SEVERA_PRODUCT,
	SEVERA_WORK_TYPE,
	SEVERA_TRAVEL_TYPE,
	SEVERA_CUSTOMER,
	SEVERA_ADDRESS,
	SEVERA_CONTACT,
	SEVERA_COMMUNICATION,
	SEVERA_COUNTRY_SETTING,
	SEVERA_PROJECT,
	SEVERA_BILLING_CUSTOMER,
	SEVERA_PHASE,
	SEVERA_INVOICE,
	SEVERA_ROW,
	SEVERA_WORK_HOUR, /* what an invoice's rows were made of; fees and expenses too */
	SEVERA_PROJECT_FEE,
	SEVERA_TRAVEL_EXPENSE,
	SEVERA_INVOICE_FILE,
	SEVERA_INVOICE_SETTINGS,
	SEVERA_TRAVEL, /* reimbursements */
	SEVERA_TRAVEL_STATUS,
	SEVERA_TRAVEL_LINE, /* expenses of a reimbursement */
	SEVERA_KINDS
};

struct doc {
	char guid[UUID_TEXT];
	enum severa_kind kind;
	struct doc *parent, *first_child, *last_child, *next_sibling;
	char *json;
	size_t n;
	uint64_t seq; /* order of creation in the tenant */
	/* From the JSON, by doc_index: */
	int64_t number; /* -1: none */
	bool is_active;
	int64_t changed_ms;
	struct doc *status; /* invoices */
	/* Files only: */
	char file_guid[UUID_TEXT];
	char *blob;
	size_t blob_n;
};

struct doc_list {
	struct doc **docs;
	size_t n, cap;
};

struct severa_token {
	char text[64];
	uint64_t scopes;
	int64_t expires_ms; /* 0: free slot */
	bool is_refresh;
};

enum severa_patch_form { PATCH_BOTH_FORMS, PATCH_STATUS_GUID, PATCH_STATUS_OBJECT };

/* What a token request says of scopes that the credentials lack (facts §1.3, 11.6: not known). */
enum severa_missing_scope {
	SCOPE_REFUSES, /* the request */
	SCOPE_LEFT_OUT, /* of the token, which says so */
	SCOPE_UNSAID, /* the same, but it shows only when it is used */
};

struct severa_tenant {
	char *key, *client_id, *secret;
	unsigned ordinal; /* index in struct severa */
	pthread_mutex_t lock;
	struct table by_guid; /* every doc */
	struct doc_list kinds[SEVERA_KINDS];
	uint64_t next_seq;
	int64_t next_number;
	bool is_norwegian; /* references are KIDs */
	int64_t last_change_ms;
	int64_t created_ahead_s; /* new invoices are created so much later than they are */
	bool has_registers;

	uint64_t scopes; /* granted to the credentials */
	enum severa_missing_scope missing_scope;
	enum severa_patch_form patch_form;
	int64_t access_s, refresh_s;
	bool has_finvoice;
	struct severa_token tokens[SEVERA_TOKENS];
	unsigned next_token;

	unsigned rate; /* 0: none */
	int64_t *taken_us; /* ring of the last `rate` accepted requests */
	size_t taken_n, taken_at;

	uint64_t requests, throttled, patches, creates, status_changes, token_requests,
		unauthorized;
};

struct severa {
	struct sandbox *sb;
	pthread_rwlock_t lock; /* guards the list; tenants themselves live as long as the world */
	struct severa_tenant **tenants;
	size_t n, cap;
	struct table by_name; /* client id and key */
};

/* One call in this system. */
struct severa_call {
	struct call *c;
	struct severa *severa;
	struct severa_tenant *tenant; /* NULL on calls that need no login */
	const struct severa_route *route;
	const char *ids[2]; /* what stood at {} in the route's pattern */
	uint64_t scopes; /* of the token */
};

struct severa_route {
	const char *method;
	const char *pattern; /* below /v1/, {} = one segment */
	const char *scope; /* NULL: a valid token is enough; "": no token */
	void (*serve)(struct severa_call *sc);
	enum severa_kind kind; /* of what is answered */
	char paging; /* 'T' token, 'F' offset, 0 none */
	unsigned max_rows;
};

/* severa.c */
struct severa_tenant *severa_find(struct severa *severa, const char *client_or_key);
uint64_t severa_scopes_parse(const char *text, bool *ret_unknown);
void severa_scopes_write(uint64_t scopes, struct strbuf *sb);
/* Sets the reply to an ExceptionModel (§2.5). location and name may be NULL. */
void severa_error(struct call *c, unsigned status, const char *type, const char *message,
		  const char *location, const char *name);
/* With the tenant's lock held. */
void severa_drop_tokens_locked(struct severa_tenant *t);
bool severa_set_rate_locked(struct severa_tenant *t, unsigned rate) MUST_CHECK;

/* severa_auth.c */
void severa_token(struct severa_call *sc);
void severa_refresh(struct severa_call *sc);
void severa_signout(struct severa_call *sc);
/* The tenant and scopes of a bearer token; false when unknown or expired. */
bool severa_bearer(struct severa *severa, const char *authorization, struct severa_tenant **ret,
		   uint64_t *ret_scopes) MUST_CHECK;

/* severa_docs.c: all with the tenant's lock held */
struct doc *severa_get_locked(struct severa_tenant *t, enum severa_kind kind, const char *guid);
/* A new doc; `json` is copied. guid is a UUID text. NULL with err when it does not parse. */
struct doc *severa_add_locked(struct severa_tenant *t, enum severa_kind kind, const char *guid,
			      struct doc *parent, struct span json, struct err *err);
/* Merges the patch into the doc and moves lastUpdatedDateTime. */
bool severa_merge_locked(struct severa_tenant *t, struct doc *doc, struct arena *arena,
			 const struct json *patch, struct err *err) MUST_CHECK;
void severa_remove_locked(struct severa_tenant *t, struct doc *doc);
/* By name without case or by guid; NULL when there is none. */
struct doc *severa_status_locked(struct severa_tenant *t, const char *name_or_guid);
/* Enters the status: gives a number when it asks for one. */
/* The payment reference of an invoice with the number, by the tenant's country. */
void severa_reference(const struct severa_tenant *t, int64_t number, char *ret, size_t size);
bool severa_enter_locked(struct severa_tenant *t, struct doc *invoice, const struct doc *status,
			 struct arena *arena, struct err *err) MUST_CHECK;
/* A text or truth of a doc's JSON by dotted path; text is in the arena. */
const char *severa_text(struct arena *arena, const struct doc *doc, const char *path);
bool severa_is(struct arena *arena, const struct doc *doc, const char *path);
/* A moment later than any that this tenant has used, and never before now. */
int64_t severa_tick_locked(struct severa_tenant *t);
/* Name-based guid: the same for the same tenant, kind and name. */
void severa_guid(const struct severa_tenant *t, const char *kind, const char *name,
		 char ret[UUID_TEXT]);

/* severa_read.c */
void severa_list(struct severa_call *sc);
void severa_list_children(struct severa_call *sc);
void severa_get(struct severa_call *sc);
void severa_get_only(struct severa_call *sc); /* the one doc of the kind */
void severa_get_child(struct severa_call *sc); /* the one child of the kind */
void severa_country(struct severa_call *sc);
void severa_invoice_pdf(struct severa_call *sc);
void severa_finvoice(struct severa_call *sc);
void severa_file_data(struct severa_call *sc);

/* severa_write.c */
void severa_patch(struct severa_call *sc);
void severa_create(struct severa_call *sc);
void severa_create_child(struct severa_call *sc);
void severa_create_expense(struct severa_call *sc); /* project fees and travel expenses */
void severa_delete(struct severa_call *sc);

/* severa_relations.c */
/* Every guid of another record is one; else the reply is set. */
bool severa_relations_known_locked(struct severa_call *sc, enum severa_kind kind,
				   const struct json *body) MUST_CHECK;
/* Puts the others' names beside their guids. */
bool severa_relations_show_locked(struct severa_call *sc, struct doc *doc,
				  struct err *err) MUST_CHECK;

/* severa_control.c */
void severa_control(void *state, struct call *c, size_t first);
void severa_write_ledger(void *state, bool with_documents, struct json_writer *w);
void severa_write_setup(void *state, const char *key, const char *base_url, struct json_writer *w);

/* severa_seed.c */
bool severa_seed(struct severa_tenant *t, const struct tenant_spec *spec, struct err *err);

#endif
