/*
 * peppol.h: Peppol BIS Billing 3.0 (in Norway: EHF Billing 3.0), UBL 2.1 invoice and credit note,
 * as of release 3.0.21 (facts/einvoice-formats.md §2).
 *
 * Pure: no clock, no network, nothing kept; any thread. The same invoice makes the same bytes.
 */
#ifndef FORMATS_PEPPOL_H
#define FORMATS_PEPPOL_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/invoice.h"

struct peppol_options {
	/* For BT-10 when the invoice has neither the buyer's reference nor an order number; NULL:
	 * such an invoice is refused (rule R003). */
	const char *buyer_reference;
	/* A buyer without an e-invoice address is addressed by the register number (Finland,
	 * Norway, Sweden); else refused. The format cannot do without an address (rule R010). */
	bool address_by_register;
	bool kid_mod11; /* the seller's KID has modulus 11, not 10 */
	bool not_in_company_register; /* a Norwegian seller without "Foretaksregisteret": NO-R-002
				       */
	bool embed_attachments; /* the invoice's attachments inside the document */
};

/*
 * `inv` has been through invoice_sum_up; credit notes may have either sign. *ret = the UTF-8
 * document in the arena. ERR_DATA with a named reason (model/reason.h) for what cannot be told in
 * the format, ERR_LIMIT when the arena is full.
 */
bool peppol_write(const struct invoice *inv, const struct peppol_options *opt, struct arena *arena,
		  struct span *ret, struct err *err) MUST_CHECK;

#endif
