/*
 * document.c: a Severa invoice made ready for Maventa: reads what an e-invoice must say beyond it,
 * and writes the document and the package around it (MV-08 to MV-10, MV-13). Makes no write.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "formats/finvoice.h"
#include "formats/peppol.h"
#include "model/codes.h"

#define ATTACHMENT_MAX ((size_t)10 << 20)
#define MAVENTA_OPERATOR "003721291126" /* in Finland (facts/maventa.md §10) */

/* ---- prepare ------------------------------------------------------------------------------- */

/* By name, else by the letters of the VAT number. */
static bool find_seller_country(struct road *r, struct err *err)
{
	struct party *seller = &r->inv.seller;
	const char *vat = seller->vat_number;
	if (!severa_country(&r->severa, seller->address.country_name, &seller->address.country_code,
			    err))
		return false;
	if (seller->address.country_code || !vat || strlen(vat) < 2)
		return true;
	char *letters = arena_memdup(r->at->arena, vat, 2);
	if (!letters)
		return err_set(err, ERR_LIMIT, "arena full");
	seller->address.country_code = country_is_known(letters) ? letters : NULL;
	return true;
}

static bool add_seller(struct road *r, struct err *err)
{
	const struct sm_settings *set = &sm_run_of(r)->set;
	struct invoice *inv = &r->inv;
	struct bank_account *own;
	if (!find_seller_country(r, err))
		return false;
	inv->seller.einvoice_address = set->einvoice_address;
	inv->seller.einvoice_operator = set->einvoice_operator ? set->einvoice_operator
							       : MAVENTA_OPERATOR;
	if (!set->iban)
		return severa_accounts(&r->severa, &inv->seller, &inv->accounts, &inv->n_accounts,
				       err);
	own = arena_alloc(r->at->arena, sizeof(*own));
	if (!own)
		return err_set(err, ERR_LIMIT, "arena full");
	*own = (struct bank_account) { .number = set->iban, .bic = set->bic };
	inv->accounts = own;
	inv->n_accounts = 1;
	return true;
}

static bool add_buyer(struct road *r, struct err *err)
{
	struct sm_run *m = sm_run_of(r);
	struct party *buyer = &r->inv.buyer;
	if (!road_read_customer(r, err) || !road_find_country(r, err) ||
	    !sm_route(&m->set, &r->customer, &m->route, err))
		return false;
	r->inv.customer_number = r->customer.code;
	buyer->is_private = !buyer->vat_number || !buyer->vat_number[0];
	sm_address_buyer(&m->route, &r->customer, buyer);
	return true;
}

/* BT-111 is wanted only where the invoice is in another currency than the seller's books. */
static bool add_own_currency(struct road *r, struct err *err)
{
	struct invoice *inv = &r->inv;
	const char *home = country_currency(inv->seller.address.country_code);
	bool is_foreign = home && !str_eq(home, inv->currency);
	if (is_foreign && !severa_account_vat(&r->severa, inv, err))
		return false;
	if (is_foreign && str_eq(inv->accounting_currency, home))
		return true;
	inv->accounting_currency = NULL;
	inv->has_vat_accounting = false;
	return true;
}

static bool add_zero_reasons(struct road *r, struct err *err)
{
	struct severa_tax tax;
	if (!sm_has_zero_rows(&r->inv))
		return true;
	if (!severa_tax(&r->severa, r->inv.source_id, r->customer.source_id,
			r->inv.buyer.address.country_code, &tax, err))
		return false;
	sm_explain_zeros(&sm_run_of(r)->set, &tax, &r->inv);
	return true;
}

bool sm_prepare(struct road *r, struct err *err)
{
	return road_read_rows(r, err) && add_buyer(r, err) && add_seller(r, err) &&
	       add_zero_reasons(r, err) && severa_credited(&r->severa, &r->inv, err) &&
	       add_own_currency(r, err) && road_sum_up(r, err);
}

/* ---- build --------------------------------------------------------------------------------- */

/* What Maventa does not take stays behind, and is named. */
static bool read_files(struct road *r, struct maventa_sending *s, struct err *err)
{
	struct invoice *inv = &r->inv;
	if (!r->set.send_pdf)
		return true;
	if (!severa_invoice_files(&r->severa, inv, ATTACHMENT_MAX, maventa_takes_file, err))
		return false;
	struct attachment *kept = arena_alloc_array(r->at->arena, inv->n_attachments + 1,
						    sizeof(*kept));
	if (!kept)
		return err_set(err, ERR_LIMIT, "arena full");
	s->image = &inv->attachments[0];
	s->attachments = kept;
	for (size_t i = 1; i < inv->n_attachments; i++) {
		kept[s->n_attachments] = inv->attachments[i];
		if (inv->attachments[i].data.p)
			s->n_attachments++;
		else
			road_note(r, "attachment_left_out",
				  "The attachment %.200s was left out: Maventa does not take files "
				  "of its kind.",
				  inv->attachments[i].name);
	}
	return true;
}

/* The time is the invoice's own: a repeated sending has the same bytes. */
static bool write_finvoice(struct road *r, const char *uuid, struct span *ret, struct err *err)
{
	char time[CLOCK_RFC3339_MAX];
	clock_rfc3339(r->inv.changed_ms ? r->inv.changed_ms : r->inv.created_ms, time);
	const struct party *buyer = &r->inv.buyer;
	const struct finvoice_options opt = { .message_id = uuid,
					      .time_stamp = time,
					      .en16931 = sm_run_of(r)->set.finvoice_en16931 &&
							 buyer->einvoice_address &&
							 buyer->einvoice_operator,
					      .is_utf8 = r->at->preview };
	return finvoice_write(&r->inv, &opt, r->at->arena, ret, err);
}

static bool write_peppol(struct road *r, struct span *ret, struct err *err)
{
	const struct sm_settings *set = &sm_run_of(r)->set;
	const struct peppol_options opt = { .buyer_reference = set->buyer_reference,
					    .address_by_register = true,
					    .kid_mod11 = set->kid_mod11,
					    .not_in_company_register =
						    set->not_in_company_register };
	return peppol_write(&r->inv, &opt, r->at->arena, ret, err);
}

static void note_way(struct road *r)
{
	const struct sm_route *route = &sm_run_of(r)->route;
	switch (route->way) {
	case SM_ANY_WAY:
		break;
	case SM_BY_EMAIL:
		road_note(r, "by_email", "The customer's card asks for e-mail: to %.200s only.",
			  route->email);
		break;
	case SM_ON_PAPER:
		road_note(r, "on_paper", "The customer's card asks for %s: as a letter only.",
			  sm_run_of(r)->set.send_by_email
				  ? "paper"
				  : "no e-invoice, and e-mail is switched off");
		break;
	case SM_NOWHERE:
		road_note(r, "not_sent_on",
			  "The customer's card says DONOTSEND: Maventa takes the "
			  "invoice, and sends it to nobody.");
		break;
	}
}

bool sm_build(struct road *r, struct err *err)
{
	struct sm_run *m = sm_run_of(r);
	bool is_finvoice = sm_format(r->at->arena, &m->set, &r->inv) == SM_FINVOICE;
	struct maventa_sending s = { .uuid = sm_run_uuid(m),
				     .format = is_finvoice ? "FINVOICE30" : "PEPPOLBIS30",
				     .recipient_email = m->route.email,
				     .disabled_routes = m->route.disabled,
				     .language = r->inv.language,
				     .comment = m->set.comment,
				     .print_own_image = m->set.account.print_own_pdf,
				     .prevent_routing = m->route.way == SM_NOWHERE };
	if (!s.uuid)
		return err_set(err, ERR_LIMIT, "arena full");
	if (r->at->preview && !sm_note_unverified(m, err))
		return false;
	note_way(r);
	/* Finvoice has a receiver's address only together with its operator. */
	if (is_finvoice && !r->inv.buyer.einvoice_operator)
		s.recipient_address = r->inv.buyer.einvoice_address;
	if (!(is_finvoice ? write_finvoice(r, s.uuid, &s.xml, err)
			  : write_peppol(r, &s.xml, err)) ||
	    !read_files(r, &s, err))
		return false;
	r->media_type = "application/xml";
	r->document = s.xml;
	r->customer_code = r->customer.code;
	m->format = s.format;
	m->n_files = s.n_attachments + (s.image != NULL);
	return maventa_map_sending(r->at->arena, m->maventa.opt, &s, &m->form, err);
}
