/*
 * finvoice_writer.h: the value types of Finvoice 3.0 (facts/einvoice-formats.md §1.2) on top of the
 * XML writer. The first value that does not fit sticks as the error of the whole document.
 */
#ifndef FORMATS_FINVOICE_WRITER_H
#define FORMATS_FINVOICE_WRITER_H

#include "base/base.h"
#include "codec/xml.h"
#include "einvoice.h"
#include "formats/finvoice.h"

/* Who sends to whom through which operators. */
struct finvoice_route {
	bool is_known; /* all of it */
	struct scheme_id from, to; /* scheme NULL: an address of another kind, as an IBAN */
	const char *from_operator, *to_operator;
};

struct finvoice {
	struct xml_writer w;
	const struct einvoice *e;
	const struct finvoice_options *opt;
	struct finvoice_route route;
	bool has_failed;
	struct err why; /* the first error */
};

/* Nothing when the value is absent: empty elements are to be left out (§1.1). */
void fin_text(struct finvoice *f, const char *name, const char *value);
/* A value of min..max characters that must not be cut; `what` names it for people. */
void fin_field(struct finvoice *f, const char *name, const char *value, size_t min, size_t max,
	       const char *what);
/* As fin_field, with one attribute (left out when attr_value is NULL). */
void fin_coded(struct finvoice *f, const char *name, const char *attr, const char *attr_value,
	       const char *value, size_t max, const char *what);
/* Free text in up to `n` elements of `max` characters; fin_rest is what did not fit. */
void fin_pieces(struct finvoice *f, const char *name, const char *value, size_t max, size_t n);
const char *fin_rest(const struct finvoice *f, const char *value, size_t max, size_t n);
void fin_date(struct finvoice *f, const char *name, const char *date);
/* Two decimals in the invoice's currency. */
void fin_amount(struct finvoice *f, const char *name, struct decimal d);
void fin_amount_in(struct finvoice *f, const char *name, const char *currency, struct decimal d);
/* Two to five decimals. */
void fin_price(struct finvoice *f, const char *name, struct decimal d);
/* Not below zero, at most three decimals; `what` names it for people. */
void fin_percent(struct finvoice *f, const char *name, struct decimal d, const char *what);
bool fin_percent_fits(struct decimal d);
/* At most 14 characters. */
void fin_quantity(struct finvoice *f, const char *name, const char *unit, const char *unit_code,
		  struct decimal d, const char *what);
void fin_fail(struct finvoice *f, const char *reason, const char *subject);

/* finvoice_frame.c: routing, in the document and in the envelope before it. */
bool finvoice_find_route(struct einvoice *e, const struct finvoice_options *opt,
			 struct finvoice_route *ret, struct err *err) MUST_CHECK;
void finvoice_transmission(struct finvoice *f);
void finvoice_envelope(struct finvoice *f);
/* finvoice_row.c */
void finvoice_rows(struct finvoice *f);
/* finvoice_party.c */
void finvoice_parties(struct finvoice *f);

#endif
