/*
 * finvoice_party.c: seller, buyer and delivery (facts/einvoice-formats.md §1.3), declared in
 * finvoice_writer.h. The schema has the same blocks thrice under names of their own; one table
 * each.
 */
#include "base/base.h"
#include "finvoice_writer.h"

#define NAME_MAX_CHARS 70
#define DELIVERY_NAME_MAX_CHARS 35
#define ADDRESS_FIELD_MAX_CHARS 35
#define STREET_LINES 3
#define UNIT_NUMBER_MAX_CHARS 35

struct address_names {
	const char *block, *street, *town, *postcode, *region;
};
static const struct address_names seller_address = { "SellerPostalAddressDetails",
						     "SellerStreetName", "SellerTownName",
						     "SellerPostCodeIdentifier",
						     "SellerCountrySubdivision" };
static const struct address_names buyer_address = { "BuyerPostalAddressDetails", "BuyerStreetName",
						    "BuyerTownName", "BuyerPostCodeIdentifier",
						    "BuyerCountrySubdivision" };
static const struct address_names delivery_address = { "DeliveryPostalAddressDetails",
						       "DeliveryStreetName", "DeliveryTownName",
						       "DeliveryPostCodeIdentifier",
						       "DeliveryCountrySubdivision" };

struct party_names {
	const char *block, *id, *name, *tax_code;
	const struct address_names *address;
	const char *unit_number, *contact;
	const char *communication, *phone, *email;
};
static const struct party_names seller_names = {
	"SellerPartyDetails",
	"SellerPartyIdentifier",
	"SellerOrganisationName",
	"SellerOrganisationTaxCode",
	&seller_address,
	"SellerOrganisationUnitNumber",
	"SellerContactPersonName",
	"SellerCommunicationDetails",
	"SellerPhoneNumberIdentifier",
	"SellerEmailaddressIdentifier",
};
static const struct party_names buyer_names = {
	"BuyerPartyDetails",
	"BuyerPartyIdentifier",
	"BuyerOrganisationName",
	"BuyerOrganisationTaxCode",
	&buyer_address,
	"BuyerOrganisationUnitNumber",
	"BuyerContactPersonName",
	"BuyerCommunicationDetails",
	"BuyerPhoneNumberIdentifier",
	"BuyerEmailaddressIdentifier",
};

/* ---- addresses ----------------------------------------------------------------------------- */

/* The street in at most three elements of 35 characters: its own lines as far as they fit. */
static void street(struct finvoice *f, const char *name, const struct einvoice_address *a,
		   const char *whose)
{
	const char *all = NULL;
	bool is_short = false; /* a line of one letter cannot stand alone */
	for (size_t i = 0; i < a->n_lines; i++) {
		bool was_short = is_short;
		is_short = text_length(a->lines[i]) < 2;
		all = text_join(f->e->arena, all, is_short || was_short ? " " : "\n", a->lines[i]);
	}
	if (fin_rest(f, all, ADDRESS_FIELD_MAX_CHARS, STREET_LINES))
		fin_fail(f, "field_too_long", whose);
	struct span rest = span_of(all);
	for (size_t i = 0; i < STREET_LINES && rest.n > 0; i++) {
		struct span line = text_piece(&rest, ADDRESS_FIELD_MAX_CHARS);
		fin_field(f, name, arena_memdup(f->e->arena, line.p, line.n), 2,
			  ADDRESS_FIELD_MAX_CHARS, whose);
	}
}

static bool is_only_country(const struct einvoice_address *a)
{
	return !a->n_lines && !a->city && !a->postcode && !a->region;
}

/* All of street, town and postcode, or no address at all (§1.3). */
static void address(struct finvoice *f, const struct address_names *n,
		    const struct einvoice_address *a, const char *whose)
{
	if (is_only_country(a))
		return;
	if (!a->n_lines || !a->city || !a->postcode) {
		fin_fail(f, "address_incomplete", whose);
		return;
	}
	xmlw_open(&f->w, n->block);
	street(f, n->street, a, whose);
	fin_field(f, n->town, a->city, 2, ADDRESS_FIELD_MAX_CHARS, whose);
	fin_field(f, n->postcode, a->postcode, 2, ADDRESS_FIELD_MAX_CHARS, whose);
	fin_field(f, n->region, a->region, 2, ADDRESS_FIELD_MAX_CHARS, whose);
	fin_text(f, "CountryCode", a->country);
	xmlw_close(&f->w);
}

/* ---- parties ------------------------------------------------------------------------------- */

static void organisation_name(struct finvoice *f, const char *element, const char *name, size_t max)
{
	if (text_length(name) < 2)
		fin_fail(f, "field_too_short", name);
	fin_pieces(f, element, name, max, SIZE_MAX);
}

static void communication(struct finvoice *f, const struct party_names *n,
			  const struct einvoice_party *p)
{
	fin_field(f, n->contact, p->contact, 1, 70, p->contact);
	if (!p->phone && !p->email)
		return;
	xmlw_open(&f->w, n->communication);
	fin_field(f, n->phone, p->phone, 1, 35, p->phone);
	fin_field(f, n->email, p->email, 1, 70, p->email);
	xmlw_close(&f->w);
}

static void party(struct finvoice *f, const struct party_names *n, const struct einvoice_party *p,
		  struct scheme_id endpoint)
{
	xmlw_open(&f->w, n->block);
	fin_coded(f, n->id, "SchemeID", p->legal.scheme, p->legal.value, 35, p->legal.value);
	organisation_name(f, n->name, p->name, NAME_MAX_CHARS);
	fin_text(f, n->tax_code, p->vat_id);
	address(f, n->address, &p->address, p->name);
	xmlw_close(&f->w);
	if (endpoint.scheme && strcmp(endpoint.scheme, "0216") == 0)
		fin_field(f, n->unit_number, endpoint.value, 1, UNIT_NUMBER_MAX_CHARS, p->name);
	communication(f, n, p);
}

/* The schema demands a BIC beside an account here; an account without one stands in EpiDetails. */
static void seller_accounts(struct finvoice *f)
{
	const struct einvoice *e = f->e;
	bool is_open = false;
	for (size_t i = 0; i < e->n_accounts; i++) {
		const struct einvoice_account *a = &e->accounts[i];
		if (!a->bic)
			continue;
		if (!is_open)
			xmlw_open(&f->w, "SellerInformationDetails");
		is_open = true;
		xmlw_open(&f->w, "SellerAccountDetails");
		fin_coded(f, "SellerAccountID", "IdentificationSchemeName",
			  a->is_iban ? "IBAN" : "BBAN", a->number, 35, a->number);
		fin_coded(f, "SellerBic", "IdentificationSchemeName", "BIC", a->bic, 11, a->bic);
		fin_field(f, "SellerAccountName", a->holder, 1, 70, a->holder);
		xmlw_close(&f->w);
	}
	if (is_open)
		xmlw_close(&f->w);
}

/* ---- delivery ------------------------------------------------------------------------------ */

static void delivery_party(struct finvoice *f)
{
	const struct einvoice *e = f->e;
	const char *name = e->delivery_name ? e->delivery_name : e->buyer.name;
	if (!e->has_delivery_address || is_only_country(&e->delivery))
		return;
	xmlw_open(&f->w, "DeliveryPartyDetails");
	organisation_name(f, "DeliveryOrganisationName", name, DELIVERY_NAME_MAX_CHARS);
	address(f, &delivery_address, &e->delivery, name);
	xmlw_close(&f->w);
}

static void delivery_details(struct finvoice *f)
{
	const struct einvoice *e = f->e;
	bool is_country_left = e->has_delivery_address && is_only_country(&e->delivery);
	bool is_name_left = e->delivery_name && (!e->has_delivery_address || is_country_left);
	if (!e->delivery_date && !is_country_left && !is_name_left)
		return;
	xmlw_open(&f->w, "DeliveryDetails");
	fin_date(f, "DeliveryDate", e->delivery_date);
	if (is_country_left)
		fin_text(f, "DestinationCountryCode", e->delivery.country);
	if (is_name_left) {
		if (fin_rest(f, e->delivery_name, DELIVERY_NAME_MAX_CHARS, 3))
			fin_fail(f, "field_too_long", e->delivery_name);
		fin_pieces(f, "FinalDestinationName", e->delivery_name, DELIVERY_NAME_MAX_CHARS, 3);
	}
	xmlw_close(&f->w);
}

void finvoice_parties(struct finvoice *f)
{
	const struct einvoice *e = f->e;
	party(f, &seller_names, &e->seller, f->route.from);
	seller_accounts(f);
	party(f, &buyer_names, &e->buyer, f->route.to);
	delivery_party(f);
	delivery_details(f);
}
