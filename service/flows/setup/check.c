/* check.c: the answer of a connection check, problem by problem (flows/setup.h). */
#include "base/base.h"
#include "flows/setup.h"

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

bool setup_name_it(struct setup_check *c, const struct err *why, const char *pointer,
		   struct err *err)
{
	if (why->code == ERR_CREDENTIALS || why->code == ERR_DATA || why->code == ERR_NOT_FOUND ||
	    why->code == ERR_WAITING || why->code == ERR_INPUT) {
		setup_problem(c, why->reason ? why->reason : err_code_name(why->code), pointer,
			      "%s%s%s", why->message, why->target_text[0] ? ": " : "",
			      why->target_text);
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
