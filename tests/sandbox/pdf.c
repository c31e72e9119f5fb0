/*
 * pdf.c: writes a PDF 1.4 with a right cross-reference table, so that any reader opens it.
 *
 * Text is Helvetica in the standard encoding; characters outside ASCII become '?', brackets and
 * backslashes are left out. Deliberately nothing more: it stands for Severa's invoice image.
 */
#include "base/base.h"

#include "base/strbuf.h"
#include "pdf.h"

#define OBJECTS 5

static void add_text(struct strbuf *sb, const char *text)
{
	for (; *text; text++) {
		if (!strchr("()\\", *text))
			strbuf_addch(sb, *text >= ' ' && *text <= '~' ? *text : '?');
	}
}

bool pdf_write(struct arena *arena, const char *const *lines, size_t n_lines, struct span *ret)
{
	struct strbuf text = STRBUF_INIT(arena, 65536);
	struct strbuf sb = STRBUF_INIT(arena, 131072);
	size_t offsets[OBJECTS + 1] = { 0 };
	strbuf_addstr(&text, "BT /F1 14 Tf 72 770 Td 20 TL\n");
	for (size_t i = 0; i < n_lines; i++) {
		if (!lines[i])
			continue;
		strbuf_addch(&text, '(');
		add_text(&text, lines[i]);
		strbuf_addstr(&text, ") Tj T*\n");
	}
	strbuf_addstr(&text, "ET\n");
	strbuf_addstr(&sb, "%PDF-1.4\n");
	offsets[1] = sb.n;
	strbuf_addstr(&sb, "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n");
	offsets[2] = sb.n;
	strbuf_addstr(&sb, "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n");
	offsets[3] = sb.n;
	strbuf_addstr(&sb, "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
			   "/Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>\nendobj\n");
	offsets[4] = sb.n;
	strbuf_addf(&sb, "4 0 obj\n<< /Length %zu >>\nstream\n", text.n);
	strbuf_addspan(&sb, strbuf_span(&text));
	strbuf_addstr(&sb, "endstream\nendobj\n");
	offsets[5] = sb.n;
	strbuf_addstr(&sb, "5 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\n"
			   "endobj\n");
	size_t table = sb.n;
	strbuf_addf(&sb, "xref\n0 %d\n0000000000 65535 f \n", OBJECTS + 1);
	for (size_t i = 1; i <= OBJECTS; i++)
		strbuf_addf(&sb, "%010zu 00000 n \n", offsets[i]);
	strbuf_addf(&sb, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%zu\n%%%%EOF\n",
		    OBJECTS + 1, table);
	const char *bytes = NULL;
	struct err err = ERR_INIT;
	if (!strbuf_finish(&sb, &bytes, &err))
		return false;
	*ret = strbuf_span(&sb);
	return true;
}
