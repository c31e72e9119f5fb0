/*
 * einvoice_party.c: seller, buyer and the place of delivery (BG-4, BG-7, BG-13). Declared in
 * einvoice.h.
 *
 * Guarantees that each number told is proved, and that the VAT categories of the lines have the
 * numbers they need (BR-S-02 and its sisters, BR-IC-11, BR-IC-12, BR-O-02).
 */
#include "base/base.h"
#include "einvoice.h"

#include "model/codes.h"

/* ---- addresses ----------------------------------------------------------------------------- */

static bool split_street(struct einvoice *e, const char *street, struct einvoice_address *ret)
{
	struct span rest = span_of(text_block(e->arena, street));
	while (rest.n > 0) {
		struct span line = text_piece(&rest, SIZE_MAX);
		const char *text = arena_memdup(e->arena, line.p, line.n);
		if (ret->n_lines == ADDRESS_LINES_MAX)
			return false;
		text = text_line(e->arena, text);
		if (text)
			ret->lines[ret->n_lines++] = text;
	}
	return true;
}

static bool make_address(struct einvoice *e, const struct address *a, const char *whose,
			 struct einvoice_address *ret, struct err *err)
{
	if (!split_street(e, a->street, ret))
		return err_reason(err, ERR_DATA, "field_too_long", whose,
				  "address of %s has more than %d lines", whose, ADDRESS_LINES_MAX);
	ret->postcode = text_line(e->arena, a->postcode);
	ret->city = text_line(e->arena, a->city);
	ret->region = text_line(e->arena, a->region);
	char *country = identifier_compact(e->arena, a->country_code);
	if (!country || !country_is_known(country))
		return err_reason(err, ERR_DATA, "country_unknown", whose,
				  "country of %s is not known", whose);
	ret->country = country;
	return true;
}

/* ---- numbers of a company ------------------------------------------------------------------ */

static bool is_proved_country(const char *country)
{
	return strcmp(country, "FI") == 0 || strcmp(country, "NO") == 0;
}

/*
 * VAT and register number from what stands at the source. What stands there and is wrong is an
 * error where its check digit is known; elsewhere a number that is no VAT number is told as the
 * company's register number.
 */
static bool read_numbers(struct einvoice *e, struct einvoice_party *p, bool is_registered,
			 struct err *err)
{
	struct arena *arena = e->arena;
	const char *country = p->address.country;
	const char *given = text_line(e->arena, p->source->vat_number);
	const char *register_number = text_line(e->arena, p->source->business_id);
	if (p->source->is_private)
		return true;
	p->vat_id = vat_id_from(arena, given, country, is_registered);
	if (!p->vat_id && is_registered)
		p->vat_id = vat_id_from(arena, register_number, country, true);
	bool has_legal = legal_id_from(arena, register_number, country, &p->legal) ||
			 legal_id_from(arena, given, country, &p->legal);
	if (has_legal || (!given && !register_number))
		return true;
	const char *letters = given ? identifier_compact(arena, given) : NULL;
	bool is_home = is_proved_country(country) || (letters && (strncmp(letters, "FI", 2) == 0 ||
								  strncmp(letters, "NO", 2) == 0));
	if (is_home && !p->vat_id)
		return err_reason(err, ERR_DATA, "vat_number_invalid", p->name,
				  "VAT number or business id of %s is not valid", p->name);
	if (register_number || !p->vat_id)
		p->legal = (struct scheme_id) { NULL, register_number ? register_number : given };
	return true;
}

static bool make_party(struct einvoice *e, const struct party *source, const char *role,
		       struct einvoice_party *p, struct err *err)
{
	p->source = source;
	p->name = text_line(e->arena, source->name);
	if (!p->name)
		return err_reason(err, ERR_DATA, "name_missing", role, "the %s has no name", role);
	p->contact = text_line(e->arena, source->contact_name);
	p->phone = text_line(e->arena, source->contact_phone);
	p->email = text_line(e->arena, source->contact_email);
	return make_address(e, &source->address, p->name, &p->address, err);
}

static bool need(bool holds, const struct einvoice_party *p, struct err *err)
{
	return holds || err_reason(err, ERR_DATA, "vat_number_missing", p->name,
				   "%s needs a VAT number for this VAT category", p->name);
}

/* Outside the scope of VAT nobody's VAT number may be told (BR-O-02), so that the seller needs a
 * register number to be known by (BR-CO-26); else the seller needs a VAT number,
 * reverse charge the buyer's VAT or register number, intra-community sale the buyer's VAT number.
 */
static bool check_numbers(struct einvoice *e, struct err *err)
{
	if (einvoice_has_category(e, "O")) {
		e->seller.vat_id = e->buyer.vat_id = NULL;
		return need(e->seller.legal.value != NULL, &e->seller, err);
	}
	return need(e->seller.vat_id != NULL, &e->seller, err) &&
	       need(!einvoice_has_category(e, "AE") || e->buyer.vat_id || e->buyer.legal.value,
		    &e->buyer, err) &&
	       need(!einvoice_has_category(e, "K") || e->buyer.vat_id, &e->buyer, err);
}

bool einvoice_parties(struct einvoice *e, struct err *err)
{
	const struct invoice *inv = e->inv;
	e->buyer.number = text_line(e->arena, inv->customer_number);
	return make_party(e, &inv->seller, "seller", &e->seller, err) &&
	       make_party(e, &inv->buyer, "buyer", &e->buyer, err) &&
	       read_numbers(e, &e->seller, true, err) && read_numbers(e, &e->buyer, false, err) &&
	       check_numbers(e, err);
}

/* ---- delivery ------------------------------------------------------------------------------ */

static bool has_address(const struct address *a)
{
	return a->street || a->postcode || a->city || a->region || a->country_code;
}

bool einvoice_delivery(struct einvoice *e, struct err *err)
{
	const struct invoice *inv = e->inv;
	e->delivery_name = text_line(e->arena, inv->delivery_name);
	if (has_address(&inv->delivery)) {
		const char *whose = e->delivery_name ? e->delivery_name : "place of delivery";
		if (!make_address(e, &inv->delivery, whose, &e->delivery, err))
			return false;
		e->has_delivery_address = true;
	}
	if (!einvoice_has_category(e, "K"))
		return true;
	if (!e->delivery_date && !(e->period_start && e->period_end))
		return err_reason(err, ERR_DATA, "delivery_missing", e->number,
				  "an intra-community sale needs a delivery date");
	if (!e->has_delivery_address) { /* it went to the buyer */
		e->delivery.country = e->buyer.address.country;
		e->has_delivery_address = true;
	}
	return true;
}

/* ---- electronic address -------------------------------------------------------------------- */

/* 0212 -> 0216 and the like: what the register number is as an address. */
static bool endpoint_of_register(struct einvoice *e, const struct einvoice_party *p,
				 struct scheme_id *ret)
{
	return p->legal.scheme && endpoint_from(e->arena, p->legal.value, p->address.country, ret);
}

bool einvoice_endpoint(struct einvoice *e, const struct einvoice_party *p, bool by_register,
		       struct scheme_id *ret, struct err *err)
{
	const char *given = text_line(e->arena, p->source->einvoice_address);
	if (given)
		return endpoint_from(e->arena, given, p->address.country, ret) ||
		       err_reason(err, ERR_DATA, "einvoice_address_invalid", p->name,
				  "e-invoice address %s of %s is not one of Peppol's", given,
				  p->name);
	return (by_register && endpoint_of_register(e, p, ret)) ||
	       err_reason(err, ERR_DATA, "einvoice_address_missing", p->name,
			  "%s has no e-invoice address", p->name);
}
