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

void setup_warning_v(struct setup_check *c, const char *code, const char *pointer, const char *fmt,
		     va_list ap)
{
	char text[512];
	vsnprintf(text, sizeof(text), fmt, ap);
	jsonw_object(&c->w);
	jsonw_kstr(&c->w, "code", code);
	jsonw_kstr(&c->w, "text", text);
	jsonw_kstr(&c->w, "pointer", pointer);
	jsonw_end_object(&c->w);
}

void setup_problem_v(struct setup_check *c, const char *code, const char *pointer, const char *fmt,
		     va_list ap)
{
	setup_warning_v(c, code, pointer, fmt, ap);
	c->n_problems++;
}

void setup_problem(struct setup_check *c, const char *code, const char *pointer, const char *fmt,
		   ...)
{
	va_list ap;
	va_start(ap, fmt);
	setup_problem_v(c, code, pointer, fmt, ap);
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

bool setup_name_it(struct setup_check *c, const struct err *why, const char *pointer,
		   struct err *err)
{
	if (why->code == ERR_CREDENTIALS || why->code == ERR_DATA || why->code == ERR_NOT_FOUND ||
	    why->code == ERR_WAITING || why->code == ERR_INPUT) {
		setup_problem(c, why->reason ? why->reason : err_code_name(why->code), pointer,
			      "%s%s%s%s", advice(c, why), why->message,
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
