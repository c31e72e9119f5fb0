/* check.c: the answer of a connection check, problem by problem (flows/setup.h). */
#include "base/base.h"
#include "flows/setup.h"

#include "model/reason.h"

#define ANSWER_MAX ((size_t)256 << 10)

void setup_check_begin(struct setup_check *c, struct attempt *at)
{
	*c = (struct setup_check) { .at = at, .text = STRBUF_INIT(at->arena, ANSWER_MAX) };
	c->w = (struct json_writer)JSON_WRITER_INIT(&c->text);
	jsonw_object(&c->w);
	jsonw_key(&c->w, "problems");
	jsonw_array(&c->w);
}

/* NULL: English, or no sentence for it: what is said is. */
static const char *sentence(const struct setup_check *c, const struct setup_found *found)
{
	const struct reason *r = reason_find(found->code);
	const char *language = c->at->language, *text = NULL;
	struct strbuf sb = STRBUF_INIT(c->at->arena, 4096);
	if (!r || !language || !language[0] || str_eq(language, "en"))
		return NULL;
	reason_sentence(r, language, found->subject, &sb);
	if (found->words && found->words[0])
		strbuf_addf(&sb, " %s", found->words);
	return strbuf_finish(&sb, &text, NULL) ? text : NULL;
}

void setup_say_v(struct setup_check *c, const struct setup_found *found, const char *fmt,
		 va_list ap)
{
	char english[2048];
	const char *text = sentence(c, found);
	vsnprintf(english, sizeof(english), fmt, ap);
	jsonw_object(&c->w);
	jsonw_kstr(&c->w, "code", found->code);
	jsonw_kstr(&c->w, "text", text ? text : english);
	jsonw_kstr(&c->w, "pointer", found->pointer);
	jsonw_end_object(&c->w);
	c->n_problems += !found->is_warning;
}

void setup_say(struct setup_check *c, const struct setup_found *found, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	setup_say_v(c, found, fmt, ap);
	va_end(ap);
}

void setup_problem(struct setup_check *c, const char *code, const char *pointer, const char *fmt,
		   ...)
{
	const struct setup_found found = { .code = code, .pointer = pointer };
	va_list ap;
	va_start(ap, fmt);
	setup_say_v(c, &found, fmt, ap);
	va_end(ap);
}

/* What to do, before what the vendor answered: for keys that it refused. "" for all else. */
static const char *advice(const struct setup_check *c, const struct err *why)
{
	struct strbuf sb = STRBUF_INIT(c->at->arena, 512);
	struct err none = ERR_INIT;
	const char *text = "";
	const struct reason *r = why->reason ? reason_find(why->reason) : NULL;
	if (!r || why->code != ERR_CREDENTIALS || !why->upstream_status)
		return "";
	reason_sentence(r, "en", why->subject, &sb);
	strbuf_addstr(&sb, " In detail: ");
	return strbuf_finish(&sb, &text, &none) ? text : "";
}

/* The sentence of a reason says who mends what; what the code said of it is for the log. */
static const char *words_of(const struct setup_check *c, const struct err *why)
{
	const struct reason *r = why->reason ? reason_find(why->reason) : NULL;
	struct strbuf sb = STRBUF_INIT(c->at->arena, 4096);
	struct err none = ERR_INIT;
	const char *text = "";
	if (!r || !why->subject[0] || why->code == ERR_CREDENTIALS)
		return why->message;
	reason_sentence(r, "en", why->subject, &sb);
	return strbuf_finish(&sb, &text, &none) ? text : why->message;
}

bool setup_name_it(struct setup_check *c, const struct err *why, const char *pointer,
		   struct err *err)
{
	if (why->code == ERR_CREDENTIALS || why->code == ERR_DATA || why->code == ERR_NOT_FOUND ||
	    why->code == ERR_WAITING || why->code == ERR_INPUT) {
		const struct setup_found found = {
			.code = why->reason ? why->reason : err_code_name(why->code),
			.pointer = pointer,
			.subject = why->subject,
			.words = why->target_text,
		};
		setup_say(c, &found, "%s%s%s%s", advice(c, why), words_of(c, why),
			  why->target_text[0] ? ": " : "", why->target_text);
		return true;
	}
	if (err)
		*err = *why;
	return false;
}

bool setup_check_end(struct setup_check *c, int64_t waiting, struct err *err)
{
	jsonw_end_array(&c->w);
	jsonw_kbool(&c->w, "ok", !c->n_problems);
	jsonw_kint(&c->w, "waiting", waiting);
	jsonw_end_object(&c->w);
	return strbuf_finish(&c->text, &c->at->result, err);
}
