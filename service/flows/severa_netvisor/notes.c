/*
 * notes.c: the sentences that this flow leaves on the timeline and in a dry run, for a bookkeeper.
 * English; a note's code is for machines. A dry run says what would be done.
 */
#include "base/base.h"
#include "internal.h"

#include <ctype.h>

void sn_note(struct sn *r, const char *code, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->at->ops->note(r->at, code, text);
}

void sn_note_change(struct sn *r, const char *code, const char *done, const char *kind,
		    const char *name)
{
	if (r->at->preview)
		sn_note(r, code, "Would be %s Netvisor: %s %s.", done, kind, name);
	else
		sn_note(r, code, "%c%s Netvisor: %s %s.", toupper((unsigned char)done[0]), done + 1,
			kind, name);
}
