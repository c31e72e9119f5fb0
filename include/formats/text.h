/*
 * text.h: free text made fit for a document: white space cleaned, long text cut into pieces on
 * word borders, never cut off; and the few words that a document says by itself.
 */
#ifndef FORMATS_TEXT_H
#define FORMATS_TEXT_H

#include "base/base.h"
#include "base/arena.h"

/* A full arena makes NULL too: who makes many texts asks arena_refusals at the end. */

/* On one line: each run of blanks and line breaks becomes one blank, none at the ends. NULL when
 * nothing is left. The text itself where nothing had to change. */
const char *text_line(struct arena *arena, const char *s);
/* Line breaks kept, blanks at the ends of the text dropped, tabs made blanks. NULL when nothing is
 * left. */
const char *text_block(struct arena *arena, const char *s);
/* a, sep, b; either may be NULL. */
const char *text_join(struct arena *arena, const char *a, const char *sep, const char *b);
/*
 * The next piece of at most max characters, broken at a line break, else at the last blank, else on
 * a character's border; *rest moves behind it. n is 0 when nothing is left. A line that is cut
 * leaves no piece of a single character, which some fields do not take.
 */
struct span text_piece(struct span *rest, size_t max);
/* Characters of UTF-8, or bytes where it is not valid: the writer refuses it later. */
size_t text_length(const char *s);

/* What a document says by itself, in one language. */
struct words {
	const char *invoice, *credit_note;
	const char *days_net; /* behind the number of days */
	const char *overdue_interest; /* before the percentage */
	const char *discount;
	const char *unit; /* name of the property that carries a unit without a code */
};
/* ISO 639-1, NULL or unknown: by the seller's country, else English. */
const struct words *words_of(const char *language, const char *country_code);

#endif
