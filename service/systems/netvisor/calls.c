/*
 * calls.c: the Netvisor calls that flows need (facts/netvisor.md §3 to 9), the answer envelope and
 * its error codes. net/verdict.h judges; here a body's code is turned into the verdict handed in.
 */
#include "base/base.h"
#include "netvisor_internal.h"

#include "net/verdict.h"

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ---- one call ------------------------------------------------------------------------------ */

/* §4.1. A write that fell over inside the server, or whose TransactionId was known already, may
 * have been carried out. */
static const struct {
	const char *code;
	enum verdict read, write;
	const char *reason;
} codes[] = {
	{ "AUTHENTICATION_FAILED", VERDICT_CREDENTIALS, VERDICT_CREDENTIALS,
	  "credentials_refused" },
	{ "SERVICE_ACCESS_ERROR", VERDICT_CREDENTIALS, VERDICT_CREDENTIALS, "credentials_refused" },
	{ "INVALID_DATA", VERDICT_BAD_DATA, VERDICT_BAD_DATA, "refused_by_target" },
	{ "INVALID_DATA_SIZE", VERDICT_BAD_DATA, VERDICT_BAD_DATA, "refused_by_target" },
	{ "PERIOD_LOCK", VERDICT_BAD_DATA, VERDICT_BAD_DATA, "period_locked" },
	{ "DUPLICATE_DATA", VERDICT_DUPLICATE, VERDICT_DUPLICATE, NULL },
	{ "REQUEST_NOT_UNIQUE", VERDICT_OUTAGE, VERDICT_DOUBT, NULL },
	{ "SYSTEM_MAINTENANCE", VERDICT_OUTAGE, VERDICT_OUTAGE, NULL },
	{ "SYSTEM_MAINTANANCE", VERDICT_OUTAGE, VERDICT_OUTAGE, NULL },
	{ "TECHNICAL_ERROR", VERDICT_OUTAGE, VERDICT_DOUBT, NULL },
};

struct nv_rq {
	const char *what, *resource; /* with query */
	struct span body; /* p NULL: GET */
	bool is_write;
};

static bool fail(const struct nv_rq *rq, const struct http_reply *reply, enum verdict v,
		 const char *reason, const char *words, struct err *err)
{
	verdict_to_err(v, reply, span_of(words), rq->what, err);
	if (err && reason) {
		err->reason = reason;
		snprintf(err->subject, sizeof(err->subject), "%.150s",
			 v == VERDICT_CREDENTIALS ? "Netvisor" : words);
	}
	return false;
}

/* The second Status element holds "CODE :: text"; split at the first mark (§3.1). */
static bool judge_failure(const struct nv_rq *rq, const struct http_reply *reply,
			  const char *status, struct err *err)
{
	const char *mark = strstr(status, " :: ");
	size_t n = mark ? (size_t)(mark - status) : strlen(status);
	const char *words = mark ? mark + 4 : status;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (strlen(codes[i].code) == n && memcmp(codes[i].code, status, n) == 0)
			return fail(rq, reply, rq->is_write ? codes[i].write : codes[i].read,
				    codes[i].reason, words, err);
	/* A code that nobody knows: refused, unless the server fell over it (§4.1). */
	enum verdict v = verdict_of_status(reply, rq->is_write);
	return fail(rq, reply, v == VERDICT_DOUBT || v == VERDICT_OUTAGE ? v : VERDICT_FAULT, NULL,
		    status, err);
}

static bool judge(const struct nv_rq *rq, const struct http_reply *reply, const struct xml *root,
		  struct err *err)
{
	const struct xml *status = xml_at(root, "responsestatus/status");
	enum verdict v = verdict_of_status(reply, rq->is_write);
	if (status && strcasecmp(xml_text(status), "OK") == 0 && v == VERDICT_OK)
		return true;
	if (status && xml_next(status, "status"))
		return judge_failure(rq, reply, xml_text(xml_next(status, "status")), err);
	if (v == VERDICT_OK) /* 200 with a body that nobody can read */
		v = rq->is_write ? VERDICT_DOUBT : VERDICT_OUTAGE;
	if (v == VERDICT_NOT_FOUND) /* no such resource: what is not found is said in a body */
		v = VERDICT_FAULT;
	verdict_to_err(v, reply, reply->body, rq->what, err);
	return false;
}

static bool nv_do(struct netvisor *nv, const struct nv_rq *rq, const struct xml **ret,
		  struct err *err)
{
	struct attempt *at = nv->at;
	struct http_header headers[NETVISOR_HEADERS];
	struct call call = { .what = rq->what, .limit_key = nv->limit_key };
	struct http_reply reply;
	const struct xml *root = NULL;
	const char *url = rq->resource
				  ? arena_printf(at->arena, "%s/%s", nv->base_url, rq->resource)
				  : NULL;
	if (!url)
		return full(err);
	call.rq = (struct http_request) { .method = rq->body.p ? "POST" : "GET",
					  .url = url,
					  .headers = headers,
					  .body = rq->body,
					  .max_reply_bytes = NETVISOR_REPLY_MAX,
					  .is_write = rq->is_write };
	if (!netvisor_sign(nv, url, headers, &call.rq.n_headers, err) ||
	    !at->ops->exchange(at, &call, &reply, err))
		return false;
	if (!xml_parse(at->arena, reply.body, NETVISOR_REPLY_MAX, &root, NULL))
		root = NULL;
	if (!judge(rq, &reply, root, err))
		return false;
	*ret = root;
	return true;
}

bool netvisor_get(struct netvisor *nv, const char *what, const char *resource,
		  const struct xml **ret, struct err *err)
{
	struct nv_rq rq = { .what = what, .resource = resource };
	return nv_do(nv, &rq, ret, err);
}

bool netvisor_add(struct netvisor *nv, const char *what, const char *resource, struct span body,
		  const char **ret_key, struct err *err)
{
	struct nv_rq rq = { .what = what, .resource = resource, .body = body, .is_write = true };
	const struct xml *root;
	if (!nv_do(nv, &rq, &root, err))
		return false;
	*ret_key = xml_text_at(root, "replies/inserteddataidentifier");
	if (*ret_key && **ret_key)
		return true;
	return err_set(err, ERR_DOUBT, "%s: Netvisor answered OK without a key", what);
}

bool netvisor_edit(struct netvisor *nv, const char *what, const char *resource, struct span body,
		   struct err *err)
{
	struct nv_rq rq = { .what = what, .resource = resource, .body = body, .is_write = true };
	const struct xml *root;
	return nv_do(nv, &rq, &root, err);
}

const char *netvisor_query(struct netvisor *nv, const char *resource, const char *value)
{
	struct strbuf sb = STRBUF_INIT(nv->at->arena, 4096);
	const char *ret;
	strbuf_addstr(&sb, resource);
	strbuf_add_urlencoded(&sb, value);
	return strbuf_finish(&sb, &ret, NULL) ? ret : NULL;
}

bool netvisor_post(struct netvisor *nv, const char *what, const char *resource, struct span body,
		   const struct xml **ret, struct err *err)
{
	struct nv_rq rq = { .what = what, .resource = resource, .body = body, .is_write = true };
	return nv_do(nv, &rq, ret, err);
}

/* ---- sales invoices ------------------------------------------------------------------------ */

static size_t count(const struct xml *x, const char *name)
{
	size_t n = 0;
	for (x = xml_child(x, name); x; x = xml_next(x, name))
		n++;
	return n;
}

bool netvisor_invoices_by_number(struct netvisor *nv, const char *number,
				 const struct netvisor_listed **ret, size_t *ret_n, struct err *err)
{
	const struct xml *root;
	if (!netvisor_get(nv, "look up invoice by number",
			  netvisor_query(
				  nv, "salesinvoicelist.nv?listtype=draftandinvoice&invoicenumber=",
				  number),
			  &root, err))
		return false;
	const struct xml *list = xml_child(root, "salesinvoicelist");
	if (!list) /* no list is no proof of absence */
		return err_set(err, ERR_OUTAGE, "look up invoice by number: answer has no list");
	size_t n = 0;
	struct netvisor_listed *found = arena_alloc_array(
		nv->at->arena, count(list, "salesinvoice") + 1, sizeof(*found));
	if (!found)
		return full(err);
	for (const struct xml *x = xml_child(list, "salesinvoice"); x;
	     x = xml_next(x, "salesinvoice"))
		if (!netvisor_read_listed(x, &found[n++], err))
			return false;
	*ret = found;
	*ret_n = n;
	return true;
}

bool netvisor_invoice_currency(struct netvisor *nv, const char *key, const char **ret,
			       struct err *err)
{
	const struct xml *root;
	if (!netvisor_get(nv, "read invoice at Netvisor",
			  netvisor_query(nv, "getsalesinvoice.nv?netvisorkey=", key), &root, err))
		return false;
	*ret = xml_attr(xml_at(root, "salesinvoice/salesinvoiceamount"), "iso4217currencycode");
	return true;
}

bool netvisor_invoice_add(struct netvisor *nv, struct span body, const char **ret_key,
			  struct err *err)
{
	return netvisor_add(nv, "send invoice", "salesinvoice.nv?method=add", body, ret_key, err);
}
