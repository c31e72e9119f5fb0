/*
 * finvoice.h: Finvoice 3.0 of Finance Finland, invoice (INV01) and credit note (INV02), with its
 * transmission frame (facts/einvoice-formats.md §1).
 *
 * Pure: no clock, no network, nothing kept; any thread. The same invoice makes the same bytes.
 */
#ifndef FORMATS_FINVOICE_H
#define FORMATS_FINVOICE_H

#include "base/base.h"
#include "base/arena.h"
#include "base/err.h"
#include "model/invoice.h"

struct finvoice_options {
	/*
	 * Routing: MessageTransmissionDetails is written when both are given and both parties'
	 * addresses and operators are known; without the receiver's operator it is left out, since
	 * a wrong one spoils the routing (§0).
	 */
	const char *message_id; /* 2..48 characters, unique together with the time */
	const char *time_stamp; /* RFC 3339, at most 25 characters */
	/* Says that the invoice follows EN 16931 (the Finnish State demands it). An address without
	 * operator is then an error; without any address there is no place to say it. */
	bool en16931;
	bool is_utf8; /* for people to read; what is sent is in ISO-8859-15 (§1.1) */
	bool soap_frame; /* the SOAP envelope before the document; needs the routing */
};

/*
 * `inv` has been through invoice_sum_up; credit notes may have either sign and are written
 * negative. *ret = the document in ISO-8859-15 (or UTF-8), in the arena, behind its frame if asked
 * for (two XML documents in one file then). Attachments travel beside it (facts/maventa.md §5.2),
 * not in it. ERR_DATA with a named reason (model/reason.h) for what cannot be told in the format,
 * ERR_LIMIT when the arena is full.
 */
bool finvoice_write(const struct invoice *inv, const struct finvoice_options *opt,
		    struct arena *arena, struct span *ret, struct err *err) MUST_CHECK;

#endif
