/*
 * framing.c: refuses requests that a reverse proxy before us may read differently than we do, since
 * that is how one client's request is smuggled into another's (RFC 9112 §6.3, §11.2). libmicrohttpd
 * is lenient here: it takes one of two lengths, a header with a blank before its colon, and control
 * characters. Guarantees one meaning per request, for every header that this service reads. Does
 * not see what libmicrohttpd has cut off already (what follows a NUL).
 */
#include "base/base.h"

#include "framing.h"

#include <strings.h>

/* Those that may stand once only: framing, and whatever decides something here. */
enum single {
	CONTENT_LENGTH,
	TRANSFER_ENCODING,
	HOST,
	AUTHORIZATION,
	CONTENT_TYPE,
	IDEMPOTENCY_KEY,
	IF_MATCH,
	WEBHOOK_ID,
	WEBHOOK_TIMESTAMP,
	WEBHOOK_SIGNATURE,
	N_SINGLES
};
static const char *const singles[N_SINGLES] = {
	[CONTENT_LENGTH] = "Content-Length",
	[TRANSFER_ENCODING] = "Transfer-Encoding",
	[HOST] = "Host",
	[AUTHORIZATION] = "Authorization",
	[CONTENT_TYPE] = "Content-Type",
	[IDEMPOTENCY_KEY] = "Idempotency-Key",
	[IF_MATCH] = "If-Match",
	[WEBHOOK_ID] = "webhook-id",
	[WEBHOOK_TIMESTAMP] = "webhook-timestamp",
	[WEBHOOK_SIGNATURE] = "webhook-signature",
};

struct framing {
	const char *value[N_SINGLES];
	const char *complaint; /* NULL: none */
};

/* RFC 9110 §5.6.2 */
static bool is_token(const char *s, size_t n)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z');
		if (!word && (c == '\0' || !strchr(others, c)))
			return false;
	}
	return n > 0;
}

static bool is_field_value(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
				   size_t name_n, const char *value, size_t value_n)
{
	struct framing *f = cls;
	(void)kind; /* headers alone are asked for */
	if (!is_token(name, name_n))
		f->complaint = "malformed header name";
	else if (!is_field_value(value, value_n))
		f->complaint = "control character in a header";
	for (size_t i = 0; i < N_SINGLES && !f->complaint; i++) {
		if (strlen(singles[i]) != name_n || strncasecmp(singles[i], name, name_n) != 0)
			continue;
		if (f->value[i])
			f->complaint = "header repeated";
		f->value[i] = value ? value : "";
	}
	return f->complaint ? MHD_NO : MHD_YES;
}

static const char *judge(const struct framing *f, const char *version)
{
	const char *coding = f->value[TRANSFER_ENCODING];
	if (f->complaint)
		return f->complaint;
	if (coding && f->value[CONTENT_LENGTH])
		return "both Content-Length and Transfer-Encoding";
	if (coding && strcasecmp(coding, "chunked") != 0)
		return "the only Transfer-Encoding is chunked";
	if (coding && str_eq(version, MHD_HTTP_VERSION_1_0))
		return "no Transfer-Encoding in HTTP/1.0";
	if (!f->value[HOST] && str_eq(version, MHD_HTTP_VERSION_1_1))
		return "Host is missing";
	return NULL;
}

bool framing_check(const struct request *rq, const char *version, struct err *err)
{
	struct framing f = { .complaint = NULL };
	MHD_get_connection_values_n(rq->mhd, MHD_HEADER_KIND, take_header, &f);
	const char *complaint = judge(&f, version);
	return !complaint || problem(err, ERR_INPUT, "malformed_request", "", "%s", complaint);
}
