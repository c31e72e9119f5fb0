/*
 * document.c: a Severa invoice made ready for Maventa: reads what an e-invoice must say beyond it,
 * and writes the document and the package around it (MV-08 to MV-10, MV-13). Makes no write.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "formats/finvoice.h"
#include "formats/peppol.h"

#define ATTACHMENT_MAX ((size_t)10 << 20)
#define MAVENTA_OPERATOR "003721291126" /* in Finland (facts/maventa.md §10) */

/* ---- prepare ------------------------------------------------------------------------------- */

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

bool sm_prepare(struct road *r, struct err *err)
{
	const struct sm_settings *set = &sm_run_of(r)->set;
	struct party *seller = &r->inv.seller;
	if (!road_read_rows(r, err) || !add_buyer(r, err))
		return false;
	seller->einvoice_address = set->einvoice_address;
	seller->einvoice_operator = set->einvoice_operator ? set->einvoice_operator
							   : MAVENTA_OPERATOR;
	return road_read_einvoice(r, &set->einvoice, err) && road_sum_up(r, err);
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
