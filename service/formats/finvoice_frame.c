/*
 * finvoice_frame.c: routing: MessageTransmissionDetails in the document and the SOAP envelope
 * before it, which must say the same (facts/einvoice-formats.md §1.3, §1.8).
 */
#include "base/base.h"
#include "finvoice_writer.h"

#include "base/clock.h"

#define ADDRESS_MAX_CHARS 35
#define OPERATOR_MAX_CHARS 35
#define MESSAGE_ID_MAX_CHARS 48
#define TIME_STAMP_MAX_CHARS 25

/* ---- finding it ---------------------------------------------------------------------------- */

/* Codes of addresses and operators: visible ASCII, since the envelope declares no encoding. */
static bool is_code(const char *text, size_t max)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return n >= 2 && n <= max;
}

/* Not forced into a Peppol scheme: a bank's customer is addressed by an IBAN (nordic-identifiers.md
 * §1.2). */
static bool find_address(struct einvoice *e, const struct einvoice_party *p, bool by_register,
			 struct scheme_id *ret, struct err *err)
{
	const char *given = text_line(e->arena, p->source->einvoice_address);
	struct scheme_id id = { NULL, NULL };
	if (given && !endpoint_from(e->arena, given, p->address.country, &id)) {
		const char *compact = identifier_compact(e->arena, given);
		id.value = compact && identifier_is(ID_IBAN, compact) ? compact : given;
	}
	if (!given && by_register && p->legal.scheme &&
	    !endpoint_from(e->arena, p->legal.value, p->address.country, &id))
		id = (struct scheme_id) { NULL, NULL };
	if (id.value && !is_code(id.value, ADDRESS_MAX_CHARS))
		return err_reason(err, ERR_DATA, "einvoice_address_invalid", p->name,
				  "e-invoice address of %s is not valid", p->name);
	*ret = id;
	return true;
}

static bool find_operator(struct einvoice *e, const struct einvoice_party *p, const char **ret,
			  struct err *err)
{
	const char *code = text_line(e->arena, p->source->einvoice_operator);
	if (code && !is_code(code, OPERATOR_MAX_CHARS))
		return err_reason(err, ERR_DATA, "operator_invalid", code,
				  "operator %s of %s is not valid", code, p->name);
	*ret = code;
	return true;
}

static bool need(const char *address, const char *code, const struct einvoice_party *p,
		 struct err *err)
{
	if (!address)
		return err_reason(err, ERR_DATA, "einvoice_address_missing", p->name,
				  "%s has no e-invoice address", p->name);
	return code || err_reason(err, ERR_DATA, "operator_missing", p->name,
				  "%s has an e-invoice address but no operator", p->name);
}

/* What the caller made: a mistake of ours, not of the document's. */
static bool check_message(const struct finvoice_options *opt, struct err *err)
{
	int64_t ms;
	if (!opt->message_id || !is_code(opt->message_id, MESSAGE_ID_MAX_CHARS) ||
	    !opt->time_stamp || strlen(opt->time_stamp) > TIME_STAMP_MAX_CHARS ||
	    !clock_parse_rfc3339(span_of(opt->time_stamp), &ms))
		return err_set(err, ERR_SYSTEM, "Finvoice message id or time stamp is unfit");
	return true;
}

bool finvoice_find_route(struct einvoice *e, const struct finvoice_options *opt,
			 struct finvoice_route *ret, struct err *err)
{
	struct finvoice_route r = { .is_known = false };
	if (!find_address(e, &e->seller, true, &r.from, err) ||
	    !find_address(e, &e->buyer, false, &r.to, err) ||
	    !find_operator(e, &e->seller, &r.from_operator, err) ||
	    !find_operator(e, &e->buyer, &r.to_operator, err))
		return false;
	if ((opt->soap_frame || (opt->en16931 && r.to.value)) &&
	    (!need(r.from.value, r.from_operator, &e->seller, err) ||
	     !need(r.to.value, r.to_operator, &e->buyer, err)))
		return false;
	bool is_wanted = opt->soap_frame || opt->en16931 || opt->message_id;
	r.is_known = is_wanted && r.from.value && r.from_operator && r.to.value && r.to_operator;
	if (r.is_known && !check_message(opt, err))
		return false;
	*ret = r;
	return true;
}

/* ---- in the document ----------------------------------------------------------------------- */

void finvoice_transmission(struct finvoice *f)
{
	const struct finvoice_route *r = &f->route;
	if (!r->is_known)
		return;
	xmlw_open(&f->w, "MessageTransmissionDetails");
	xmlw_open(&f->w, "MessageSenderDetails");
	fin_coded(f, "FromIdentifier", "SchemeID", r->from.scheme, r->from.value, ADDRESS_MAX_CHARS,
		  "sender's address");
	fin_text(f, "FromIntermediator", r->from_operator);
	xmlw_close(&f->w);
	xmlw_open(&f->w, "MessageReceiverDetails");
	fin_coded(f, "ToIdentifier", "SchemeID", r->to.scheme, r->to.value, ADDRESS_MAX_CHARS,
		  "receiver's address");
	fin_text(f, "ToIntermediator", r->to_operator);
	xmlw_close(&f->w);
	xmlw_open(&f->w, "MessageDetails");
	fin_text(f, "MessageIdentifier", f->opt->message_id);
	fin_text(f, "MessageTimeStamp", f->opt->time_stamp);
	if (f->opt->en16931)
		fin_text(f, "SpecificationIdentifier", "EN16931");
	xmlw_close(&f->w);
	xmlw_close(&f->w);
}

/* ---- the envelope -------------------------------------------------------------------------- */

static void party(struct finvoice *f, const char *name, const char *id, const char *role)
{
	xmlw_open(&f->w, name);
	fin_text(f, "eb:PartyId", id);
	fin_text(f, "eb:Role", role);
	xmlw_close(&f->w);
}

static void header(struct finvoice *f)
{
	const struct finvoice_route *r = &f->route;
	xmlw_open(&f->w, "SOAP-ENV:Header");
	xmlw_open(&f->w, "eb:MessageHeader");
	xmlw_attr(&f->w, "SOAP-ENV:mustUnderstand", "1");
	xmlw_attr(&f->w, "eb:id", f->opt->message_id);
	xmlw_attr(&f->w, "eb:version", "2.0");
	party(f, "eb:From", r->from.value, "Sender");
	party(f, "eb:From", r->from_operator, "Intermediator");
	party(f, "eb:To", r->to.value, "Receiver");
	party(f, "eb:To", r->to_operator, "Intermediator");
	fin_text(f, "eb:CPAId", "yoursandmycpa");
	xmlw_element(&f->w, "eb:ConversationId", "");
	fin_text(f, "eb:Service", "Routing");
	fin_text(f, "eb:Action", "ProcessInvoice");
	xmlw_open(&f->w, "eb:MessageData");
	fin_text(f, "eb:MessageId", f->opt->message_id);
	fin_text(f, "eb:Timestamp", f->opt->time_stamp);
	xmlw_close(&f->w);
	xmlw_close(&f->w);
	xmlw_close(&f->w);
}

static void body(struct finvoice *f)
{
	xmlw_open(&f->w, "SOAP-ENV:Body");
	xmlw_open(&f->w, "eb:Manifest");
	xmlw_attr(&f->w, "eb:id", "Manifest");
	xmlw_attr(&f->w, "eb:version", "2.0");
	xmlw_open(&f->w, "eb:Reference");
	xmlw_attr(&f->w, "eb:id", "Finvoice");
	xmlw_attr(&f->w, "xlink:href", f->opt->message_id);
	xmlw_open(&f->w, "eb:schema");
	xmlw_attr(&f->w, "eb:location", "http://www.finvoice.info/finvoice.xsd");
	xmlw_attr(&f->w, "eb:version", "3.0");
	xmlw_close(&f->w);
	xmlw_close(&f->w);
	xmlw_close(&f->w);
	xmlw_close(&f->w);
}

void finvoice_envelope(struct finvoice *f)
{
	xmlw_open(&f->w, "SOAP-ENV:Envelope");
	xmlw_attr(&f->w, "xmlns:SOAP-ENV", "http://schemas.xmlsoap.org/soap/envelope/");
	xmlw_attr(&f->w, "xmlns:xlink", "http://www.w3.org/1999/xlink");
	xmlw_attr(&f->w, "xmlns:eb",
		  "http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd");
	header(f);
	body(f);
	xmlw_close(&f->w);
	strbuf_addch(f->w.out, '\n');
}
