/*
 * einvoice.h: an invoice made ready for an e-invoice of either format: identifiers proved, signs
 * turned, units and VAT categories settled, sums exact. The writers only lay it out.
 *
 * Names follow EN 16931. Texts are clean (text.h) and non-empty, or NULL. Everything lives in the
 * arena or in the invoice.
 */
#ifndef FORMATS_EINVOICE_H
#define FORMATS_EINVOICE_H

#include "base/base.h"
#include "base/arena.h"
#include "base/decimal.h"
#include "base/err.h"
#include "formats/text.h"
#include "model/identifier.h"
#include "model/invoice.h"

struct einvoice_rules {
	bool credit_is_negative; /* Finvoice: a credit note's amounts are below zero */
	bool kid_mod11; /* which check the seller's KID has */
};

#define ADDRESS_LINES_MAX 8

struct einvoice_address {
	const char *lines[ADDRESS_LINES_MAX];
	size_t n_lines;
	const char *postcode, *city, *region, *country; /* country: ISO 3166-1, known */
};

struct einvoice_party {
	const struct party *source;
	const char *name, *vat_id; /* vat_id NULL: none, or not to be told (category O) */
	struct scheme_id legal; /* value NULL: none */
	struct einvoice_address address;
	const char *number; /* BT-46: the buyer's number at the seller; NULL: none */
	const char *contact, *phone, *email;
};

struct einvoice_account {
	const char *number, *bic, *holder; /* bic NULL: not known */
	bool is_iban;
};

struct einvoice_line {
	const struct invoice_row *row;
	const char *name, *description, *code; /* description NULL: the name says it all */
	const char *unit, *unit_text; /* code, and what was written; NULL: nothing was */
	struct decimal quantity, price; /* the price is never below zero (BR-27) */
	struct decimal full, discount, net; /* full - discount = net */
	const char *category;
	struct decimal rate;
};

struct einvoice_tax {
	const char *category;
	struct decimal rate, net, vat;
	const char *code, *reason; /* why nothing is charged */
};

struct einvoice {
	const struct invoice *inv;
	struct arena *arena;
	bool is_turned; /* the amounts have the other sign than in the invoice */
	const struct words *words;
	const char *number;
	const char *delivery_date, *period_start, *period_end, *preceding_date; /* BT-72 73 74 26 */
	struct einvoice_party seller, buyer;
	const char *delivery_name;
	bool has_delivery_address;
	struct einvoice_address delivery;
	struct einvoice_account *accounts;
	size_t n_accounts;
	const char *means; /* BT-81; NULL: nothing is said about paying */
	const char *reference; /* BT-83; NULL: none */
	const char *terms, *note; /* BT-20, BT-22 */
	struct einvoice_line *lines;
	size_t n_lines;
	struct einvoice_tax *taxes;
	size_t n_taxes;
	struct decimal net, vat, gross, rounding, due; /* BT-109 (= 106), 110, 112, 114, 115 */
	const char *accounting_currency; /* BT-6; NULL: the invoice's own */
	struct decimal vat_accounting; /* BT-111 */
};

/*
 * `inv` has been through invoice_sum_up. ERR_DATA with a named reason for what an e-invoice cannot
 * be made of; *e means nothing then. A full arena may show as any of them: see einvoice_verdict.
 */
bool einvoice_prepare(const struct invoice *inv, const struct einvoice_rules *rules,
		      struct arena *arena, struct einvoice *e, struct err *err) MUST_CHECK;

/*
 * How the work from one arena_refusals to the next ended: ERR_LIMIT when the arena refused anything
 * meanwhile, else what `ok` and `why` say. Returns true when all is well.
 */
bool einvoice_verdict(bool ok, const struct err *why, const struct arena *arena, size_t refusals,
		      struct err *err) MUST_CHECK;

/* The parts of it, each of its own kind; shared between einvoice*.c only. */
bool einvoice_parties(struct einvoice *e, struct err *err) MUST_CHECK;
bool einvoice_delivery(struct einvoice *e, struct err *err) MUST_CHECK;
bool einvoice_lines(struct einvoice *e, struct err *err) MUST_CHECK;
bool einvoice_taxes(struct einvoice *e, struct err *err) MUST_CHECK;
bool einvoice_payment(struct einvoice *e, const struct einvoice_rules *rules,
		      struct err *err) MUST_CHECK;

/* Has the document a line of the category? */
bool einvoice_has_category(const struct einvoice *e, const char *category);
/* The decimal with the document's sign. */
struct decimal einvoice_signed(const struct einvoice *e, struct decimal d);
bool einvoice_overflow(const char *subject, struct err *err);
/*
 * The Peppol address of a party (BT-34, BT-49). Without one at the source, that of the register
 * number with `by_register`, else ERR_DATA einvoice_address_missing; one that Peppol does not know
 * is einvoice_address_invalid.
 */
bool einvoice_endpoint(struct einvoice *e, const struct einvoice_party *p, bool by_register,
		       struct scheme_id *ret, struct err *err) MUST_CHECK;

#endif
