/*
 * mail.c: see mail.h. curl speaks SMTP and makes the MIME part; here stand the head, the choice of
 * server, and what an answer means. Deliberately knows no grouping and no repeats: worker/alerts.c.
 */
#include "base/base.h"
#include "net/mail.h"

#include <curl/curl.h>
#include <time.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "codec/sign.h"

#define ADDRESS_MAX 254
#define TIMEOUT_MS 60000
#define WORD_BYTES 42 /* of UTF-8 in one encoded word: 75 characters at most (RFC 2047 §2) */

static void free_list(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static void free_curl(CURL **curl)
{
	curl_easy_cleanup(*curl);
}

static void free_mime(curl_mime **mime)
{
	curl_mime_free(*mime);
}

bool mail_is_address(struct span s)
{
	const char *at = s.n ? memchr(s.p, '@', s.n) : NULL;
	if (!at || at == s.p || at + 1 == s.p + s.n || s.n > ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("<>()[]\\,;:\"", s.p[i]) ||
		    (s.p[i] == '@' && &s.p[i] != at))
			return false;
	return true;
}

/* Length of the UTF-8 text's start that fits an encoded word without cutting a character. */
static size_t word_length(struct span s)
{
	size_t n = s.n < WORD_BYTES ? s.n : WORD_BYTES;
	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n ? n : s.n;
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

/* RFC 2047: encoded words, folded; plain ASCII stays as it is. */
static bool add_subject(struct arena *arena, struct strbuf *sb, const char *text)
{
	struct span s = span_of(text);
	bool is_ascii = s.n <= 60;
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < ' ')
			return false;
		is_ascii = is_ascii && (unsigned char)s.p[i] < 127;
	}
	strbuf_addstr(sb, "Subject: ");
	if (is_ascii) {
		strbuf_addstr(sb, text);
		return true;
	}
	for (bool first = true; s.n; first = false) {
		size_t n = word_length(s);
		strbuf_addstr(sb, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		strbuf_addstr(sb, or_empty(sign_base64(arena, (struct span) { s.p, n })));
		strbuf_addstr(sb, "?=");
		s.p += n;
		s.n -= n;
	}
	return true;
}

static void add_date(struct strbuf *sb)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm t;
	gmtime_r(&now, &t);
	strbuf_addf(sb, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000", days[t.tm_wday], t.tm_mday,
		    months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static bool append(struct curl_slist **list, struct strbuf *sb, struct err *err)
{
	const char *line;
	if (!strbuf_finish(sb, &line, err))
		return false;
	struct curl_slist *more = curl_slist_append(*list, line);
	if (!more)
		return err_set(err, ERR_MEMORY, "out of memory");
	*list = more;
	return true;
}

static bool make_head(const struct mail_server *server, struct arena *arena, const struct mail *m,
		      struct curl_slist **list, struct err *err)
{
	struct strbuf from = STRBUF_INIT(arena, 512), to = STRBUF_INIT(arena, 512),
		      subject = STRBUF_INIT(arena, 4096), date = STRBUF_INIT(arena, 128),
		      id = STRBUF_INIT(arena, 512), by = STRBUF_INIT(arena, 64);
	strbuf_addf(&from, "From: Viesti <%s>", server->from);
	strbuf_addf(&to, "To: <%s>", m->to);
	if (!add_subject(arena, &subject, m->subject))
		return err_set(err, ERR_INPUT, "a mail's subject holds a control character");
	add_date(&date);
	strbuf_addf(&id, "Message-ID: <%s%s>", m->id, strchr(server->from, '@'));
	strbuf_addstr(&by, "Auto-Submitted: auto-generated"); /* RFC 3834: no holiday replies */
	return append(list, &from, err) && append(list, &to, err) && append(list, &subject, err) &&
	       append(list, &date, err) && append(list, &id, err) && append(list, &by, err);
}

/* The server's last refusal in its own words: curl hands over each line that it reads. */
struct words {
	char curl[CURL_ERROR_SIZE];
	char reply[512];
};

static size_t take_reply(char *p, size_t size, size_t n, void *user)
{
	struct words *w = user;
	size_t len = size * n;
	if (len > 4 && (p[0] == '4' || p[0] == '5')) {
		size_t keep = len < sizeof(w->reply) ? len : sizeof(w->reply) - 1;
		memcpy(w->reply, p, keep);
		w->reply[keep] = '\0';
		w->reply[strcspn(w->reply, "\r\n")] = '\0';
	}
	return len;
}

/* What the dialogue's last reply code, or its absence, means (RFC 5321 §4.2.1). */
static bool judge(CURL *curl, CURLcode code, const char *host, const struct words *w,
		  struct err *err)
{
	long reply = 0;
	if (code == CURLE_OK)
		return true;
	if (curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply) != CURLE_OK)
		reply = 0;
	const char *why = w->reply[0] ? w->reply : w->curl[0] ? w->curl : curl_easy_strerror(code);
	if (code == CURLE_LOGIN_DENIED)
		err_set(err, ERR_CREDENTIALS, "mail server %s refused the login: %s", host, why);
	else if (reply >= 500 && reply < 600 && code != CURLE_USE_SSL_FAILED)
		err_set(err, ERR_DATA, "mail server %s refused the mail: %s", host, why);
	else
		err_set(err, ERR_OUTAGE, "mail server %s: %s", host, why);
	return false;
}

static bool set_options(CURL *curl, const struct mail_server *server, const char *url,
			struct words *w)
{
	bool ok = curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
		  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, w->curl) == CURLE_OK &&
		  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_reply) == CURLE_OK &&
		  curl_easy_setopt(curl, CURLOPT_HEADERDATA, w) == CURLE_OK &&
		  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
		  curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
		  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
				   (long)(server->timeout_ms ? server->timeout_ms : TIMEOUT_MS)) ==
			  CURLE_OK &&
		  curl_easy_setopt(curl, CURLOPT_USE_SSL,
				   (long)(server->tls == MAIL_PLAIN ? CURLUSESSL_NONE
								    : CURLUSESSL_ALL)) == CURLE_OK;
	if (ok && secret_is_set(server->ca)) {
		struct curl_blob pem = { .data = server->ca->p,
					 .len = server->ca->n,
					 .flags = CURL_BLOB_COPY };
		ok = curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &pem) == CURLE_OK;
	}
	if (ok && server->user[0])
		ok = curl_easy_setopt(curl, CURLOPT_USERNAME, server->user) == CURLE_OK &&
		     curl_easy_setopt(curl, CURLOPT_PASSWORD,
				      server->password->p ? server->password->p : "") == CURLE_OK;
	return ok;
}

static bool set_mail(CURL *curl, curl_mime *mime, struct curl_slist *head, struct curl_slist *to,
		     const struct mail_server *server, const struct mail *m)
{
	curl_mimepart *part = mime ? curl_mime_addpart(mime) : NULL;
	return part && curl_mime_data(part, m->text, CURL_ZERO_TERMINATED) == CURLE_OK &&
	       curl_mime_type(part, "text/plain; charset=UTF-8") == CURLE_OK &&
	       curl_mime_encoder(part, "quoted-printable") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, head) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_MAIL_FROM, server->from) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to) == CURLE_OK;
}

static bool send_by(const struct mail_server *server, struct arena *arena, const char *host,
		    const struct mail *m, struct err *err)
{
	struct words words = { "", "" };
	bool has_port = strrchr(host, ':') && !strchr(strrchr(host, ':'), ']');
	const char *url = arena_printf(arena, "%s://%s%s",
				       server->tls == MAIL_TLS ? "smtps" : "smtp", host,
				       has_port			 ? ""
				       : server->tls == MAIL_TLS ? ":465"
								 : ":587");
	__attribute__((cleanup(free_list))) struct curl_slist *head = NULL;
	__attribute__((cleanup(free_list))) struct curl_slist *to = curl_slist_append(NULL, m->to);
	__attribute__((cleanup(free_curl))) CURL *curl = curl_easy_init();
	__attribute__((cleanup(free_mime))) curl_mime *mime = curl ? curl_mime_init(curl) : NULL;
	if (!url || !to || !curl)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (!make_head(server, arena, m, &head, err))
		return false;
	if (!set_options(curl, server, url, &words) || !set_mail(curl, mime, head, to, server, m))
		return err_set(err, ERR_SYSTEM, "libcurl cannot send mail");
	return judge(curl, curl_easy_perform(curl), host, &words, err);
}

bool mail_send(const struct mail_server *server, struct arena *arena, const struct mail *m,
	       struct err *err)
{
	char *list = arena_strdup(arena, server->hosts);
	struct err last = ERR_INIT;
	if (!list)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!mail_is_address(span_of(m->to)) || !mail_is_address(span_of(server->from)))
		return err_set(err, ERR_DATA, "not a mail address: %s",
			       mail_is_address(span_of(m->to)) ? server->from : m->to);
	for (char *host = list, *next; host; host = next) {
		next = strchr(host, ',');
		if (next)
			*next++ = '\0';
		if (send_by(server, arena, host, m, &last))
			return true;
		if (last.code != ERR_OUTAGE)
			break;
	}
	if (err)
		*err = last;
	return false;
}
