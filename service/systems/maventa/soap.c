/*
 * soap.c: the registration of a company and its first user, the one call that goes through
 * Maventa's SOAP API (facts/maventa.md §7.3): only there an e-mail address that has an account
 * already gets its company all the same. RPC, encoded, SOAP 1.1. Address and action are read from
 * the WSDL; only its path is believed: the keys go to the host that the configuration names.
 */
#include "base/base.h"
#include "maventa_internal.h"

#include "codec/xml.h"

#define NAMESPACE "https://secure.maventa.com/"
#define METHOD "register_with_password"
#define ACTION_PRESET "/v1.1/api/" METHOD
#define WSDL_TTL_MS (INT64_C(3600) * 1000)
#define REPLY_MAX ((size_t)4 << 20)

struct endpoint {
	const char *url, *action;
};

/* ---- the WSDL ------------------------------------------------------------------------------ */

/* The first element of the name below x, at any depth. */
static const struct xml *find(const struct xml *x, const char *name)
{
	for (const struct xml *c = xml_child(x, NULL); c; c = xml_next(c, NULL)) {
		const struct xml *found = xml_is(c, name) ? c : find(c, name);
		if (found)
			return found;
	}
	return NULL;
}

/* The action of our method: an attribute of the operation below the binding's operation. */
static const char *find_action(const struct xml *wsdl)
{
	const struct xml *binding = xml_child(wsdl, "binding");
	for (; binding; binding = xml_next(binding, "binding"))
		for (const struct xml *op = xml_child(binding, "operation"); op;
		     op = xml_next(op, "operation"))
			if (str_eq(xml_attr(op, "name"), METHOD))
				return xml_attr(xml_child(op, "operation"), "soapaction");
	return NULL;
}

static const char *path_of(const char *url)
{
	const char *host = url ? strstr(url, "://") : NULL;
	return host ? strchr(host + 3, '/') : NULL;
}

static bool read_wsdl(struct maventa *mv, struct endpoint *ret, struct err *err)
{
	struct maventa_rq rq = { .what = "read Maventa's WSDL" };
	struct call call = {
		.what = rq.what,
		.limit_key = mv->limit_key,
		.rq = { .method = "GET", .url = mv->soap_url, .max_reply_bytes = REPLY_MAX }
	};
	struct http_reply reply;
	const struct xml *wsdl;
	if (!mv->at->ops->exchange(mv->at, &call, &reply, err) ||
	    !maventa_judge(mv->at->arena, &rq, &reply, true, err))
		return false;
	if (!xml_parse(mv->at->arena, reply.body, REPLY_MAX, &wsdl, NULL))
		return verdict_to_err(VERDICT_OUTAGE, &reply, SPAN_LIT(""), rq.what, err);
	const struct xml *port = find(xml_child(wsdl, "service"), "address");
	const char *path = path_of(xml_attr(port, "location"));
	const char *own = path_of(mv->soap_url);
	if (!path || !own)
		return verdict_to_err(VERDICT_FAULT, &reply, SPAN_LIT(""), rq.what, err);
	const char *action = find_action(wsdl);
	/* An action holds no blanks: one stands between the two where they are kept. */
	ret->action = action && action[0] && !strchr(action, ' ') ? action : ACTION_PRESET;
	ret->url = arena_printf(mv->at->arena, "%.*s%s", (int)(own - mv->soap_url), mv->soap_url,
				path);
	return ret->url ? true : err_set(err, ERR_LIMIT, "arena full");
}

/* Kept as "action url". */
static bool get_endpoint(struct maventa *mv, struct endpoint *ret, struct err *err)
{
	struct attempt *at = mv->at;
	const char *key = arena_printf(at->arena, "maventa.wsdl:%s", mv->soap_url);
	const char *kept = key ? at->ops->cache_get(at, key) : NULL;
	const char *blank = kept ? strchr(kept, ' ') : NULL;
	if (blank) {
		ret->url = blank + 1;
		ret->action = arena_memdup(at->arena, kept, (size_t)(blank - kept));
		return ret->action ? true : err_set(err, ERR_LIMIT, "arena full");
	}
	if (!read_wsdl(mv, ret, err))
		return false;
	const char *value = arena_printf(at->arena, "%s %s", ret->action, ret->url);
	if (!key || !value)
		return err_set(err, ERR_LIMIT, "arena full");
	at->ops->cache_set(at, key, value, WSDL_TTL_MS);
	return true;
}

/* ---- the call ------------------------------------------------------------------------------ */

static void typed(struct xml_writer *w, const char *name, const char *type, const char *text)
{
	if (!text)
		return;
	xmlw_open(w, name);
	xmlw_attr(w, "xsi:type", type);
	xmlw_text(w, text);
	xmlw_close(w);
}

static void write_params(struct xml_writer *w, const char *vendor_key,
			 const struct maventa_registration *r)
{
	const struct {
		const char *name, *value;
	} members[] = {
		{ "vendor_api_key", vendor_key },
		{ "company_name", r->company_name },
		{ "company_bid", r->business_id },
		{ "company_email", r->company_email },
		{ "user_first_name", r->first_name },
		{ "user_last_name", r->last_name },
		{ "user_email", r->email },
		{ "user_phone", r->phone },
		{ "address1", r->street },
		{ "address2", r->street2 },
		{ "post_code", r->postcode },
		{ "post_office", r->city },
		{ "city", r->city },
		{ "country", r->country },
	};
	xmlw_open(w, "registration_params");
	typed(w, "license_agreement", "xsd:boolean", "true");
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		typed(w, members[i].name, "xsd:string", members[i].value);
	xmlw_close(w);
	typed(w, "user_password", "xsd:string", ""); /* the user chooses it */
}

static bool write_envelope(struct maventa *mv, const struct maventa_registration *r,
			   struct span *ret, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(mv->at->arena, 64 << 10);
	struct xml_writer w = XML_WRITER_INIT(&sb, XML_UTF8);
	strbuf_addstr(&sb, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	xmlw_open(&w, "soap:Envelope");
	xmlw_attr(&w, "xmlns:soap", "http://schemas.xmlsoap.org/soap/envelope/");
	xmlw_attr(&w, "xmlns:xsd", "http://www.w3.org/2001/XMLSchema");
	xmlw_attr(&w, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
	xmlw_attr(&w, "soap:encodingStyle", "http://schemas.xmlsoap.org/soap/encoding/");
	xmlw_open(&w, "soap:Body");
	xmlw_open(&w, "m:" METHOD);
	xmlw_attr(&w, "xmlns:m", NAMESPACE);
	write_params(&w, mv->vendor_key, r);
	xmlw_close(&w);
	xmlw_close(&w);
	xmlw_close(&w);
	return xmlw_finish(&w, ret, err);
}

/* A fault that blames the sender says that nothing was done; any other may have come too late. */
static bool judge_fault(const struct xml *fault, const struct http_reply *reply, const char *what,
			struct err *err)
{
	const char *code = xml_text_at(fault, "faultcode");
	const char *words = xml_text_at(fault, "faultstring");
	bool is_ours = code && strcasestr(code, "client");
	return maventa_fail(is_ours ? VERDICT_FAULT : VERDICT_DOUBT, reply, what, NULL,
			    words ? words : "", err);
}

/* "ERROR: BID ALREADY TAKEN": nothing was done. */
static bool judge_status(const char *status, const struct http_reply *reply, const char *what,
			 const struct maventa_registration *r, struct err *err)
{
	const struct maventa_text *text = maventa_text_find(status);
	if (!text)
		return maventa_fail(VERDICT_BAD_DATA, reply, what, "registration_refused", status,
				    err);
	maventa_fail(text->verdict, reply, what, text->reason, status, err);
	if (err && str_eq(text->reason, "business_id_taken"))
		snprintf(err->subject, sizeof(err->subject), "%.150s", r->business_id);
	return false;
}

static const char *or_null(const char *text)
{
	return text && text[0] ? text : NULL;
}

static bool read_answer(const struct xml *root, const struct http_reply *reply, const char *what,
			const struct maventa_registration *r, struct maventa_registered *ret,
			struct err *err)
{
	const struct xml *fault = find(root, "fault");
	const char *status = xml_text(find(root, "status"));
	if (fault)
		return judge_fault(fault, reply, what, err);
	if (status && strcasecmp(status, "OK") != 0)
		return judge_status(status, reply, what, r, err);
	*ret = (struct maventa_registered) {
		.company_uuid = or_null(xml_text(find(root, "company_uuid"))),
		.user_api_key = or_null(xml_text(find(root, "user_api_key"))),
		.einvoice_address = or_null(xml_text(find(root, "e_invoice_address"))),
	};
	if (status && ret->company_uuid)
		return true;
	return verdict_to_err(VERDICT_DOUBT, reply, SPAN_LIT(""), what, err);
}

bool maventa_register(struct maventa *mv, const struct maventa_registration *r,
		      struct maventa_registered *ret, struct err *err)
{
	static const char what[] = "register a company at Maventa";
	struct attempt *at = mv->at;
	struct maventa_rq judged = { .what = what, .is_write = true };
	struct endpoint to = { NULL, NULL };
	struct http_reply reply;
	const struct xml *root;
	if (!get_endpoint(mv, &to, err))
		return false;
	const char *action = arena_printf(at->arena, "\"%s\"", to.action);
	const struct http_header headers[] = { { "Content-Type", "text/xml; charset=utf-8" },
					       { "SOAPAction", action ? action : "" } };
	struct call call = { .what = what,
			     .limit_key = mv->limit_key,
			     .rq = { .method = "POST",
				     .url = to.url,
				     .headers = headers,
				     .n_headers = ARRAY_SIZE(headers),
				     .max_reply_bytes = REPLY_MAX,
				     .is_write = true } };
	if (!action)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!write_envelope(mv, r, &call.rq.body, err) ||
	    !at->ops->exchange(at, &call, &reply, err))
		return false;
	if (xml_parse(at->arena, reply.body, REPLY_MAX, &root, NULL) && find(root, "body"))
		return read_answer(root, &reply, what, r, ret, err);
	if (!maventa_judge(at->arena, &judged, &reply, false, err))
		return false;
	return verdict_to_err(VERDICT_DOUBT, &reply, SPAN_LIT(""), what, err);
}
