/*
 * netvisor.h: the Netvisor web service as the flows see it: registers by code, dimensions, sales
 * invoices (facts/netvisor.md).
 *
 * Every call goes through at->ops->exchange, with the limit key of the organisation. A write's
 * failure is ERR_DOUBT only when it may have been carried out. All results live in the attempt's
 * arena. One attempt, one thread.
 */
#ifndef SYSTEMS_NETVISOR_H
#define SYSTEMS_NETVISOR_H

#include "base/base.h"
#include "attempt.h"
#include "codec/json.h"
#include "codec/xml.h"
#include "model/connection.h"
#include "model/invoice.h"
#include "system.h"

/* What the configuration says of Netvisor. */
struct netvisor_operators; /* e-invoice operators in Netvisor's spelling */
struct netvisor_options {
	const char *url;
	struct pace pace; /* no rate: one call at a time is all that is known */
	const char *operators_path; /* "": those built in */
	const struct netvisor_operators *operators;
	int trip_price; /* enum netvisor_trip_price */
};
extern const struct system netvisor_system;
const struct netvisor_options *netvisor_options(const struct system_values *v);
/* One call at a time per organisation. ERR_INPUT with pointer. Pure. */
bool netvisor_limit(const struct system_values *v, const char *organisation, struct limit_key *ret,
		    struct err *err) MUST_CHECK;

/* Netvisor's spelling of an e-invoice operator; NULL: it is not on the list. Pure. */
const char *netvisor_operator(const struct netvisor_operators *list, const char *spelling);

struct netvisor {
	struct attempt *at;
	const char *base_url; /* no trailing slash */
	const char *sender, *customer_id, *customer_key, *partner_id, *partner_key;
	const char *organisation, *language;
	const char *limit_key;
	enum xml_encoding
		encoding; /* of bodies: the vendor's text and its users differ (facts §3) */
};

/* settings.netvisor.url overrides VIESTI_NETVISOR_URL, settings.netvisor.encoding is "utf-8"
 * (default) or "iso-8859-15"; credentials = the "netvisor" member. No I/O. */
bool netvisor_open(struct attempt *at, const struct json *settings, const struct json *credentials,
		   struct netvisor *ret, struct err *err) MUST_CHECK;

/* What one MAC covers (facts §2.2). */
struct netvisor_mac {
	const char *url, *sender, *customer_id, *timestamp, *language, *organisation;
	const char *transaction_id, *timestamp_unix, *customer_key, *partner_key;
};
bool netvisor_mac(const struct netvisor_mac *m, char ret[65], struct err *err) MUST_CHECK;

/* A customer card as far as we write it; NULL = absent. Order and names: map.c. */
enum netvisor_customer_field {
	NETVISOR_CODE,
	NETVISOR_BUSINESS_ID,
	NETVISOR_NAME,
	NETVISOR_STREET,
	NETVISOR_STREET2,
	NETVISOR_CITY,
	NETVISOR_POSTCODE,
	NETVISOR_COUNTRY,
	NETVISOR_PHONE,
	NETVISOR_FAX,
	NETVISOR_EMAIL,
	NETVISOR_WEBSITE,
	NETVISOR_ACTIVE,
	NETVISOR_PRIVATE,
	NETVISOR_EMAIL_INVOICING,
	NETVISOR_EINVOICE_ADDRESS,
	NETVISOR_EINVOICE_OPERATOR,
	NETVISOR_DELIVERY_NAME,
	NETVISOR_DELIVERY_STREET,
	NETVISOR_DELIVERY_CITY,
	NETVISOR_DELIVERY_POSTCODE,
	NETVISOR_DELIVERY_COUNTRY,
	NETVISOR_COMMENT,
	NETVISOR_LANGUAGE,
	NETVISOR_CUSTOMER_FIELDS
};
struct netvisor_customer {
	const char *key; /* Netvisor's */
	const char *values[NETVISOR_CUSTOMER_FIELDS];
};
/* Element name of a field, for messages and for stored values. */
const char *netvisor_customer_field_name(enum netvisor_customer_field f);

/* By exact code; *ret_found false when there is none. */
bool netvisor_customer_find(struct netvisor *nv, const char *code, struct netvisor_customer *ret,
			    bool *ret_found, struct err *err) MUST_CHECK;
/* Those that have one of the codes. */
#define NETVISOR_CODES_MAX 100
bool netvisor_customers_find(struct netvisor *nv, const char *const *codes, size_t n,
			     const struct netvisor_customer **ret, size_t *ret_n,
			     struct err *err) MUST_CHECK;
/* By key; one that is gone is left out. */
#define NETVISOR_CUSTOMERS_MAX 250
bool netvisor_customers_read(struct netvisor *nv, const char *const *keys, size_t n,
			     const struct netvisor_customer **ret, size_t *ret_n,
			     struct err *err) MUST_CHECK;
/*
 * The register in the order of keys, passive customers too, NETVISOR_CUSTOMERS_MAX of them from
 * behind the key `after` on (NULL: from the beginning). since_ms: what changed at that time or
 * later; 0: all. *ret_next: `after` of the page behind this one; NULL: this is the last. Who is on
 * a page behind the first may be some minutes old; the cards are read now.
 */
bool netvisor_customer_page(struct netvisor *nv, int64_t since_ms, const char *after,
			    const struct netvisor_customer **ret, size_t *ret_n,
			    const char **ret_next, struct err *err) MUST_CHECK;
/* Writes the values that are not NULL; an empty one empties the field. */
bool netvisor_customer_add(struct netvisor *nv, const struct netvisor_customer *c,
			   const char **ret_key, struct err *err) MUST_CHECK;
bool netvisor_customer_edit(struct netvisor *nv, const struct netvisor_customer *c,
			    struct err *err) MUST_CHECK;

/* *ret_key NULL when no product has the code. */
bool netvisor_product_find(struct netvisor *nv, const char *code, const char **ret_key,
			   struct err *err) MUST_CHECK;
bool netvisor_product_add(struct netvisor *nv, const struct product *p, const char *group,
			  const char **ret_key, struct err *err) MUST_CHECK;
/* What a list tells of a product; code and name may be "". */
struct netvisor_product_ref {
	const char *key, *code, *name;
	int64_t number; /* the key's */
};
struct netvisor_product_page {
	const struct netvisor_product_ref *items;
	size_t n;
	const char *next; /* `after` of the page behind this one; NULL: this is the last */
};
/*
 * The register in the order of keys, deleted ones left out, at most max from behind the key `after`
 * on (NULL: from the beginning). since_ms: what changed at that time or later; 0: all. What a
 * page behind the first tells may be half a minute old.
 */
bool netvisor_product_page(struct netvisor *nv, int64_t since_ms, const char *after, size_t max,
			   struct netvisor_product_page *ret, struct err *err) MUST_CHECK;
struct netvisor_product {
	struct product product; /* source_id is the key, the price is net */
	bool is_unreadable; /* a number in it is none */
};
/* By key, at most 400; one that is gone is left out. */
bool netvisor_products_read(struct netvisor *nv, const char *const *keys, size_t n,
			    const struct netvisor_product **ret, size_t *ret_n,
			    struct err *err) MUST_CHECK;

struct netvisor_dimension {
	const char *heading;
	const char *key, *name, *code, *label; /* of an item; NULL: the heading alone */
	const char *father; /* key of the item that it is below; NULL: top */
	bool is_hidden;
};
/* All that there is, as it stands now: each heading once without an item, then its items; what is
 * hidden too. */
bool netvisor_dimensions(struct netvisor *nv, const struct netvisor_dimension **ret, size_t *ret_n,
			 struct err *err) MUST_CHECK;
/* The same, at most half a minute old, shared by workers; is_fresh: read now, and shared. */
bool netvisor_dimensions_lately(struct netvisor *nv, bool is_fresh,
				const struct netvisor_dimension **ret, size_t *ret_n,
				struct err *err) MUST_CHECK;
/* An item to be made or, with old_item, renamed. */
struct netvisor_dimension_item {
	const char *heading, *item;
	const char *code, *label; /* NULL: as they are; "": emptied */
	const char *old_item; /* its present name; NULL: it is new */
	const char *father_key, *father_item; /* of a new one, both or neither */
};
/* The answer has no key of what was made: netvisor_dimensions tells it. ERR_DATA field_too_long. */
bool netvisor_dimension_save(struct netvisor *nv, const struct netvisor_dimension_item *d,
			     struct err *err) MUST_CHECK;
/* Would Netvisor take these lengths? `what` is whose name it is, for people. Pure. */
bool netvisor_dimension_fits(const struct netvisor_dimension_item *d, const char *what,
			     struct err *err) MUST_CHECK;
#define NETVISOR_HEADING_MAX 50 /* characters of a heading's name */

struct netvisor_listed {
	const char *key, *number, *date, *customer_code, *reference;
	const char *currency; /* from the invoice itself; NULL in a list */
	struct decimal sum;
};
/* Invoices and drafts with the number. */
bool netvisor_invoices_by_number(struct netvisor *nv, const char *number,
				 const struct netvisor_listed **ret, size_t *ret_n,
				 struct err *err) MUST_CHECK;
bool netvisor_invoice_currency(struct netvisor *nv, const char *key, const char **ret,
			       struct err *err) MUST_CHECK;

struct netvisor_invoice_options {
	const char *status; /* "unsent" or "open" */
	const char *customer_code;
	enum xml_encoding encoding;
	bool buyer_on_invoice; /* temporary customer: name and whole address go along */
};
/* The request's body, checked against Netvisor's lengths: ERR_DATA field_too_long. Pure. */
bool netvisor_map_invoice(struct arena *arena, const struct invoice *inv,
			  const struct netvisor_invoice_options *opt, struct span *ret,
			  struct err *err) MUST_CHECK;
/* Sends what netvisor_map_invoice made. */
bool netvisor_invoice_add(struct netvisor *nv, struct span body, const char **ret_key,
			  struct err *err) MUST_CHECK;

/* ---- trip expenses (facts §11) ------------------------------------------------------------- */

/* What a line's unit price holds, where its VAT percentage is told: a guess (assumptions.c). */
enum netvisor_trip_price { NETVISOR_TRIP_GROSS, NETVISOR_TRIP_NET };
struct netvisor_trip_line {
	const char *ratio; /* its name in Netvisor */
	struct decimal quantity, unit_price;
	bool has_vat_rate;
	struct decimal vat_rate;
	const char *description;
	const char *begin, *end; /* YYYY-MM-DD */
	const struct dimension_value *dimensions;
	size_t n_dimensions;
};
struct netvisor_trip {
	const char *employee; /* employee number */
	const char *header, *description;
	const struct netvisor_trip_line *lines;
	size_t n_lines;
};
enum netvisor_trip_price netvisor_trip_price(const struct netvisor *nv);
/* The request's body. Pure. */
bool netvisor_map_trip(struct arena *arena, enum xml_encoding encoding,
		       const struct netvisor_trip *trip, struct span *ret,
		       struct err *err) MUST_CHECK;
/* Sends what netvisor_map_trip made. There is no call that reads one. *ret_key "" where the answer
 * names none. */
bool netvisor_trip_add(struct netvisor *nv, struct span body, const char **ret_key,
		       struct err *err) MUST_CHECK;

/* ---- purchase invoices (facts §10) --------------------------------------------------------- */

struct netvisor_purchase_row {
	const char *key, *text;
	struct decimal net;
	const struct netvisor_dimension *dimensions; /* heading, name and key */
	size_t n_dimensions;
	bool is_odd; /* has no key, or no sum that can be read */
};
struct netvisor_purchase {
	const char *key, *number, *date, *vendor;
	struct netvisor_purchase_row *rows;
	size_t n_rows;
};
/* Keys of those accepted, dated from that day on, and changed since; since_ms 0: all. One call. */
bool netvisor_purchases_accepted(struct netvisor *nv, const char *from, int64_t since_ms,
				 const char *const **ret, size_t *ret_n,
				 struct err *err) MUST_CHECK;
/* As it stands now. One call. */
bool netvisor_purchase_is_accepted(struct netvisor *nv, const struct netvisor_purchase *p,
				   bool *ret, struct err *err) MUST_CHECK;
#define NETVISOR_PURCHASES_MAX 100 /* of one call: the vendor's limit is 500 */
/* Those that are there, in one call; room for n. */
bool netvisor_purchases(struct netvisor *nv, const char *const *keys, size_t n,
			struct netvisor_purchase *ret, size_t *ret_n, struct err *err) MUST_CHECK;

#endif
