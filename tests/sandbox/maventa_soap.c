/*
 * maventa_soap.c: the one method of Maventa's SOAP API that is played: register_with_password
 * (facts/maventa.md §7.3). Answers HTTP 200 with a status text, right or wrong, as the real one.
 */
#include "base/base.h"

#include "maventa.h"

#define METHOD "register_with_password"
#define NAMESPACE "https://secure.maventa.com/"

/* As much of it as a client needs: where the port is, and the method's action. */
void mv_wsdl_locked(struct mv_call *mc)
{
	const char *host = call_header(mc->c, "Host");
	char *text = arena_printf(
		mc->c->arena,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<definitions name=\"Maventa\" xmlns=\"http://schemas.xmlsoap.org/wsdl/\" "
		"xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\" targetNamespace=\"%s\">"
		"<binding name=\"ApiBinding\"><soap:binding style=\"rpc\" "
		"transport=\"http://schemas.xmlsoap.org/soap/http\"/>"
		"<operation name=\"register\"><soap:operation "
		"soapAction=\"/v1.1/api/register\"/></operation>"
		"<operation name=\"" METHOD "\"><soap:operation "
		"soapAction=\"/v1.1/api/" METHOD "\"/></operation></binding>"
		"<service name=\"ApiService\"><port name=\"ApiPort\" binding=\"ApiBinding\">"
		"<soap:address location=\"http://%s/maventa/apis/v1.1/api\"/></port></service>"
		"</definitions>\n",
		NAMESPACE, host ? host : "127.0.0.1");
	reply_text(mc->c, 200, "text/xml; charset=utf-8", text ? text : "");
}

static bool fault(struct mv_call *mc, const char *code, const char *text)
{
	char *xml = arena_printf(
		mc->c->arena,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope "
		"xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><soap:Fault>"
		"<faultcode>soap:%s</faultcode><faultstring>%s</faultstring></soap:Fault>"
		"</soap:Body></soap:Envelope>\n",
		code, text);
	mc->c->note = code;
	reply_text(mc->c, 500, "text/xml; charset=utf-8", xml ? xml : "");
	return false;
}

/* mc->parsed is the method's element. */
bool mv_soap_prepare(struct mv_call *mc)
{
	const char *action = call_header(mc->c, "SOAPAction");
	const struct xml *root;
	if (!xml_parse(mc->c->arena, mc->c->body, SANDBOX_BODY_MAX, &root, NULL) ||
	    !xml_is(root, "Envelope"))
		return fault(mc, "Client", "The message is no SOAP envelope");
	const struct xml *method = xml_child(xml_child(root, "Body"), METHOD);
	if (!method || !action || !strstr(action, METHOD))
		return fault(mc, "Client", "No such method");
	mc->parsed = (void *)(uintptr_t)method;
	return true;
}

struct answer {
	const char *status, *company, *key, *address;
};

static void answer(struct mv_call *mc, const struct answer *a)
{
	struct strbuf sb = call_strbuf(mc->c);
	struct xml_writer w = XML_WRITER_INIT(&sb, XML_UTF8);
	struct span body;
	strbuf_addstr(&sb, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	xmlw_open(&w, "soap:Envelope");
	xmlw_attr(&w, "xmlns:soap", "http://schemas.xmlsoap.org/soap/envelope/");
	xmlw_open(&w, "soap:Body");
	xmlw_open(&w, "m:" METHOD "Response");
	xmlw_attr(&w, "xmlns:m", NAMESPACE);
	xmlw_open(&w, "return");
	xmlw_element(&w, "status", a->status);
	xmlw_element(&w, "company_uuid", a->company ? a->company : "");
	xmlw_element(&w, "user_api_key", a->key ? a->key : "");
	xmlw_element(&w, "e_invoice_address", a->address ? a->address : "");
	xmlw_close(&w);
	xmlw_close(&w);
	xmlw_close(&w);
	xmlw_close(&w);
	if (strcmp(a->status, "OK") != 0)
		mc->c->note = a->status;
	if (xmlw_finish(&w, &body, NULL))
		reply_bytes(mc->c, 200, "text/xml; charset=utf-8", body);
}

static const char *member(const struct xml *params, const char *name)
{
	const char *text = xml_text(xml_child(params, name));
	return text ? text : "";
}

/* "ERROR: ..." for what is wrong, else NULL. Those beside the first and the last are guesses. */
static const char *check_locked(struct mv_call *mc, const struct xml *p)
{
	static const char *const countries = " FI SE NO DK NL EE BE IT DE ";
	const char *bid = member(p, "company_bid"), *country = member(p, "country");
	char digits[32], spaced[8];
	if (strcasecmp(member(p, "vendor_api_key"), MV_VENDOR_KEY) != 0)
		return "ERROR: VENDOR API KEY DISABLED";
	if (strcmp(member(p, "license_agreement"), "true") != 0)
		return "ERROR: LICENSE AGREEMENT NOT ACCEPTED";
	if (strlen(member(p, "company_name")) < 3)
		return "ERROR: COMPANY NAME MISSING OR TOO SHORT";
	if (!strchr(member(p, "company_email"), '@'))
		return "ERROR: COMPANY EMAIL INVALID";
	if (!member(p, "user_first_name")[0] || !member(p, "user_last_name")[0] ||
	    !strchr(member(p, "user_email"), '@'))
		return "ERROR: USER DETAILS MISSING OR INVALID";
	snprintf(spaced, sizeof(spaced), " %.2s ", country);
	if (strlen(country) != 2 || !strstr(countries, spaced))
		return "ERROR: COUNTRY NOT SUPPORTED";
	if (strlen(mv_business_id(bid, digits)) < 8)
		return "ERROR: COMPANY BID INVALID";
	if (mv_by_business_id_locked(mc->m, bid, country))
		return "ERROR: BID ALREADY TAKEN";
	return NULL;
}

/* A user who is there already is added, and its key is not told. */
void mv_soap_locked(struct mv_call *mc)
{
	const struct xml *p = xml_child(mc->parsed, "registration_params");
	struct maventa *m = mc->m;
	struct answer a = { .status = check_locked(mc, p) };
	if (a.status) {
		answer(mc, &a);
		return;
	}
	const char *email = member(p, "user_email"), *bid = member(p, "company_bid");
	struct mv_user *old = mv_user_by_email_locked(m, email);
	struct mv_user *user = old ? old
				   : mv_add_user_locked(m, email, member(p, "user_first_name"),
							member(p, "user_last_name"));
	bool is_vat = !(bid[0] >= '0' && bid[0] <= '9');
	struct mv_company *co = mv_add_company_locked(m, member(p, "company_name"), bid,
						      is_vat ? bid : "", member(p, "country"),
						      member(p, "company_email"));
	if (!user || !co || !mv_join_locked(m, co, user, true))
		return;
	co->is_linked = true; /* to the vendor whose key it was */
	m->registrations++;
	mc->c->tenant = co->id;
	a.status = "OK";
	a.company = co->id;
	a.key = old ? NULL : user->key;
	if (strcmp(co->country, "FI") == 0)
		a.address = arena_printf(mc->c->arena, "0037%.7s%s", co->business_id,
					 co->business_id + 8);
	answer(mc, &a);
}
