/*
 * identifier.h: numbers that carry their own proof: business ids, VAT numbers, e-invoice addresses,
 * payment references, bank accounts (facts/nordic-identifiers.md).
 *
 * They are texts, never integers (leading zeros count). identifier_check judges the canonical form:
 * no blanks, letters upper-case. The _from functions make that form out of what people type. Pure.
 */
#ifndef MODEL_IDENTIFIER_H
#define MODEL_IDENTIFIER_H

#include "base/base.h"
#include "base/arena.h"

enum identifier_kind {
	ID_FI_BUSINESS, /* Y-tunnus: 1234567-1 */
	ID_FI_VAT, /* FI12345671 */
	ID_FI_OVT, /* 003712345671, with up to 5 characters of the company's own behind */
	ID_FI_REFERENCE, /* viitenumero: 4-20 digits */
	ID_RF, /* creditor reference, ISO 11649 */
	ID_NO_ORG, /* organisasjonsnummer: 123456785 */
	ID_NO_VAT, /* NO123456785MVA */
	ID_NO_ACCOUNT, /* kontonummer: 11 digits */
	ID_KID_MOD10, /* which of the two an account uses is agreed with the bank: never guessed */
	ID_KID_MOD11, /* its check character may be '-' */
	ID_IBAN,
	ID_SE_ORG, /* organisationsnummer: 10 digits */
	ID_GLN,
};

enum identifier_fault {
	IDENTIFIER_GOOD,
	IDENTIFIER_LENGTH,
	IDENTIFIER_CHARACTER,
	IDENTIFIER_CHECK, /* the check digit says that something was mistyped */
	IDENTIFIER_UNUSABLE, /* a number for which no check digit exists, so it is never issued */
};

enum identifier_fault identifier_check(enum identifier_kind kind, struct span canonical);
static inline bool identifier_is(enum identifier_kind kind, const char *canonical)
{
	return identifier_check(kind, (struct span) { canonical, strlen(canonical) }) ==
	       IDENTIFIER_GOOD;
}

/* An id with the code of its scheme: ISO 6523 ICD for parties, EAS for electronic addresses; NULL
 * scheme: none. */
struct scheme_id {
	const char *scheme, *value;
};

/* Blanks (no-break ones too), hyphens and dots dropped, ASCII letters upper-case. NULL past the
 * arena's cap. */
char *identifier_compact(struct arena *arena, const char *text) MUST_CHECK;
/* Finnish business id 1234567-8 with check digit; from "FI12345678" too. NULL when it is none. */
const char *business_id_from(struct arena *arena, const char *vat_number_or_id) MUST_CHECK;
/*
 * A VAT number with its country's letters (BT-31, BT-48), from what stands at the source: Finnish
 * and Norwegian ones are proved, others only by shape. A bare Finnish or Norwegian number counts
 * for a party of that country only with `is_registered`, since not every company is registered for
 * VAT. NULL when it is none.
 */
const char *vat_id_from(struct arena *arena, const char *text, const char *country_code,
			bool is_registered) MUST_CHECK;
/* The register number of a company (BT-30, BT-47) behind a VAT number or bare number: 0212 Finland,
 * 0192 Norway, 0007 Sweden. False when it is none of them. */
bool legal_id_from(struct arena *arena, const char *text, const char *country_code,
		   struct scheme_id *ret) MUST_CHECK;
/*
 * An e-invoice address as people write it (OVT, organisation number, "0216:0037...", IBAN) as a
 * Peppol electronic address (BT-34, BT-49). Finnish schemes that Peppol dropped in 3.0.21 (0037,
 * 0212, 0213) become 0216, the old Norwegian 9908 becomes 0192. False when Peppol has no scheme for
 * it (an IBAN, a net service id, a word) or its check digit is wrong.
 */
bool endpoint_from(struct arena *arena, const char *text, const char *country_code,
		   struct scheme_id *ret) MUST_CHECK;
/*
 * A payment reference (BT-83) in its transmitted form, proved by the payee's country: Finland a
 * viitenumero or an RF around one, Norway a KID of the given kind (ID_KID_MOD10, ID_KID_MOD11) or
 * an RF; elsewhere an RF is proved and anything else left as it is. NULL when it is wrong.
 */
const char *payment_reference_from(struct arena *arena, const char *text, const char *country_code,
				   enum identifier_kind kid) MUST_CHECK;

#endif
