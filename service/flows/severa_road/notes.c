/*
 * notes.c: the sentences that the road leaves on the timeline and in a dry run, for a bookkeeper.
 * English; a note's code is for machines. A dry run says what would be done.
 */
#include "base/base.h"
#include "internal.h"

#include <ctype.h>

void road_note(struct road *r, const char *code, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->at->ops->note(r->at, code, text);
}

void road_note_change(struct road *r, const char *code, const char *done, const char *kind,
		      const char *name)
{
	if (r->at->preview)
		road_note(r, code, "Would be %s %s: %s %s.", done, r->ops->target, kind, name);
	else
		road_note(r, code, "%c%s %s: %s %s.", toupper((unsigned char)done[0]), done + 1,
			  r->ops->target, kind, name);
}

bool road_leave(struct road *r, enum attempt_outcome outcome, const char *code, const char *text)
{
	r->at->outcome = outcome;
	r->at->ops->note(r->at, code, text);
	return true;
}
