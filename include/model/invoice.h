/*
 * invoice.h: the canonical sales invoice and credit note, and what hangs on it. Names follow EN
 * 16931. A system turns its wire format into this or this into its wire format; rules live in
 * flows. All texts live in the attempt's arena; NULL = absent.
 */
#ifndef MODEL_INVOICE_H
#define MODEL_INVOICE_H

#include "base/base.h"
#include "base/arena.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "model/identifier.h"

struct address {
	const char *street; /* lines joined by "\n" */
	const char *postcode, *city, *country_name;
	const char *country_code; /* ISO 3166-1 alpha-2 */
	const char *region; /* BT-39, BT-54, BT-79 */
};

struct party {
	const char *name;
	const char *vat_number; /* as at the source */
	const char *business_id; /* national form: 1234567-8 */
	const char *contact_name, *contact_email, *contact_phone; /* BT-41..43, BT-56..58 */
	struct address address;
	bool is_private; /* a private person: needs no business id */
	/* As at the source (BT-34, BT-49): an OVT, "0192:123456785", an IBAN; identifier.h reads
	 * it. */
	const char *einvoice_address;
	const char *einvoice_operator; /* the intermediator that serves it, NULL when not known */
};

/* An account of the seller's (BG-17). */
struct bank_account {
	const char *number; /* BT-84: IBAN, or a national number (Norway) */
	const char *bic; /* BT-86 */
	const char *holder; /* BT-85; NULL: the seller's name */
};

struct customer {
	const char *source_id; /* id at the source */
	const char *code; /* customer number, text */
	const char *name, *vat_number, *business_id;
	bool is_private; /* a private person: needs no business id */
	bool is_active;
	const char *email, *phone, *fax, *website, *notes;
	const char *einvoice_address, *einvoice_operator;
	struct address billing,
		delivery; /* head-office address marked billing, and the one marked postal */
	const char *language; /* ISO 639-1 lower case */
	const char *changed; /* change stamp of the source, addresses included; NULL: it has none */
};

struct product {
	const char *source_id, *code, *name, *unit;
	struct decimal unit_price, unit_cost, vat_rate; /* 0 when absent */
	bool is_active;
	const char *register_name; /* "product", "work type", "travel expense type" */
	const char *changed; /* the source's stamp of its last change; NULL: untold */
};

struct dimension_value {
	const char *heading, *item; /* "Projekti", "1001 Website" */
	const char *code, *label; /* number and name of the item where the target keeps both */
};

struct invoice_row {
	const char *source_id;
	int64_t position; /* 1.. */
	const char *const *codes; /* product, work-type or travel-expense codes behind the row */
	size_t n_codes;
	const char *product_code; /* chosen by the flow's rules; NULL before */
	const char *name; /* short; from the product, or the description's first line */
	const char *description; /* whole */
	struct decimal quantity, unit_price; /* net */
	struct decimal discount_percent; /* BT-138; 0: none */
	struct decimal discount_amount; /* BT-136, wins over the percentage; 0: by the percentage */
	const char *discount_reason; /* BT-139 */
	bool has_vat_rate;
	struct decimal vat_rate; /* percent */
	const char *vat_code; /* target's code, chosen by the flow */
	/* BT-151, UNTDID 5305: S standard, Z zero rate, E exempt, AE reverse charge, K
	 * intra-community, G export, O outside scope; NULL: see invoice_row_vat_category */
	const char *vat_category;
	const char *vat_exemption_code; /* BT-121: VATEX-... */
	const char *vat_exemption_reason; /* BT-120 */
	const char *unit;
	const char *account;
	const char *changed; /* change stamp of the source */
	const char *project_id; /* at the source, when all of the row belongs to one project */
	const char *phase_id; /* the same of its phase */
	struct decimal discount, net, vat, gross; /* computed by invoice_sum_up */
	const struct dimension_value *dimensions;
	size_t n_dimensions;
};

struct attachment {
	const char *name, *mime_type, *description;
	struct span data;
};

struct vat_breakdown {
	struct decimal rate, net, vat;
	const char *category; /* as invoice_row_vat_category */
};

struct invoice {
	const char *source_id;
	const char *number; /* NULL: none given yet */
	const char *reference; /* payment reference */
	const char *status_id;
	const char *changed; /* change stamp of the source */
	int64_t changed_ms, created_ms; /* 0: unknown */
	bool is_credit_note;
	const char *preceding_number,
		*preceding_date; /* BT-25, BT-26: what a credit note credits */
	const char *preceding_id; /* of that at the source */
	const char *issue_date, *due_date, *entry_date; /* YYYY-MM-DD */
	int64_t payment_term_days;
	bool has_overdue_interest;
	struct decimal overdue_interest;
	/* What became of it since: its status says that it is paid; when, where that is told. */
	bool is_paid;
	const char *paid_date;
	const char *currency; /* ISO 4217 */
	struct decimal currency_rate;
	/* BT-6 and BT-111: total VAT in the currency that the seller accounts VAT in, where the
	 * invoice is in another */
	const char *accounting_currency;
	bool has_vat_accounting;
	struct decimal total_vat_accounting;
	const char *our_reference, *your_reference, *order_number, *notes;
	const char *contract_number, *project_number; /* BT-12, BT-11 */
	const char *delivery_date; /* BT-72 */
	const char *period_start, *period_end; /* BT-73, BT-74 */
	const char *delivery_name; /* BT-70 */
	struct address delivery; /* BG-15; all NULL: none */
	const struct bank_account *accounts; /* BG-17, the one to pay to first */
	size_t n_accounts;
	const char *payment_means; /* BT-81, UNTDID 4461; NULL: by account and currency */
	const char *payment_terms; /* BT-20; NULL: said by the days and the overdue interest */
	const char *text_before, *text_after;
	const char *language;
	struct party seller, buyer;
	const char *customer_id, *billing_customer_id; /* at the source */
	const char *customer_number;
	const char *const *project_ids;
	size_t n_projects;
	struct decimal total_net, total_vat, total_gross; /* as the source says */
	bool has_no_totals; /* it says none: those of the rows are taken by invoice_sum_up */
	struct invoice_row *rows;
	size_t n_rows;
	const struct attachment *attachments;
	size_t n_attachments;
	struct vat_breakdown *vat;
	size_t n_vat;
	struct decimal rounding; /* source's total minus ours, within the tolerance */
};

/*
 * BT-151 of a row: its own category, else S when the rate is above zero, else NULL: why nothing is
 * charged cannot be told from a zero.
 */
const char *invoice_row_vat_category(const struct invoice_row *row);
/*
 * Computes each row's net (quantity x unit price, two decimals, half away from zero, less its
 * discount), VAT by rate and category, and totals, and holds them against the source's totals
 * (DESIGN §7): a difference of up to 0.01 per row and rate is carried as rounding; more is ERR_DATA
 * with reason sum_mismatch, naming both sums. ERR_LIMIT when the arena is full.
 */
bool invoice_sum_up(struct invoice *inv, struct arena *arena, struct err *err) MUST_CHECK;
/* Dates, currency, rows, number present and well-formed; ERR_DATA with a reason. */
bool invoice_validate(const struct invoice *inv, struct err *err) MUST_CHECK;
/* SHA-256 hex over what is sent (not status, payment or audit fields): SV-05. NULL past the arena's
 * cap. */
const char *invoice_content_hash(const struct invoice *inv, struct arena *arena) MUST_CHECK;

#endif
