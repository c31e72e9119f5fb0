/*
 * media.c: media types of attachments (media.h). Knows the files that go along with invoices, not
 * every kind there is.
 */
#include "base/base.h"
#include "model/media.h"

#define PDF "application/pdf"
#define UNKNOWN "application/octet-stream"
#define OFFICE "application/vnd.openxmlformats-officedocument."
#define ODF "application/vnd.oasis.opendocument."
#define PDF_MARK_WITHIN 1024
#define TYPE_MAX 127 /* RFC 6838 §4.2 */

static const struct {
	const char *bytes;
	size_t n;
	const char *type;
} marks[] = {
	{ "\x89PNG\r\n\x1a\n", 8, "image/png" },
	{ "\xff\xd8\xff", 3, "image/jpeg" },
	{ "GIF8", 4, "image/gif" },
	{ "II*\0", 4, "image/tiff" },
	{ "MM\0*", 4, "image/tiff" },
};

static const struct {
	const char *ending, *type;
} endings[] = {
	{ "png", "image/png" },
	{ "jpg", "image/jpeg" },
	{ "jpeg", "image/jpeg" },
	{ "gif", "image/gif" },
	{ "tif", "image/tiff" },
	{ "tiff", "image/tiff" },
	{ "txt", "text/plain" },
	{ "csv", "text/csv" },
	{ "htm", "text/html" },
	{ "html", "text/html" },
	{ "xml", "application/xml" },
	{ "zip", "application/zip" },
	{ "rtf", "application/rtf" },
	{ "eml", "message/rfc822" },
	{ "msg", "application/vnd.ms-outlook" },
	{ "doc", "application/msword" },
	{ "docx", OFFICE "wordprocessingml.document" },
	{ "xls", "application/vnd.ms-excel" },
	{ "xlsx", OFFICE "spreadsheetml.sheet" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "pptx", OFFICE "presentationml.presentation" },
	{ "odt", ODF "text" },
	{ "ods", ODF "spreadsheet" },
};

/* Types that are told of files of every kind. */
static const char *const vague[] = { UNKNOWN, "binary/octet-stream", "application/unknown",
				     "application/force-download", "application/x-download" };

bool media_is_pdf(struct span data)
{
	size_t n = data.n < PDF_MARK_WITHIN ? data.n : PDF_MARK_WITHIN;
	return data.p && memmem(data.p, n, "%PDF-", 5);
}

static const char *by_bytes(struct span data)
{
	if (media_is_pdf(data))
		return PDF;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (data.n >= marks[i].n && memcmp(data.p, marks[i].bytes, marks[i].n) == 0)
			return marks[i].type;
	return NULL;
}

static const char *by_name(const char *name)
{
	const char *dot = name ? strrchr(name, '.') : NULL;
	for (size_t i = 0; dot && i < ARRAY_SIZE(endings); i++)
		if (strcasecmp(endings[i].ending, dot + 1) == 0)
			return endings[i].type;
	return UNKNOWN;
}

static bool is_vague(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(vague); i++)
		if (strcmp(type, vague[i]) == 0)
			return true;
	/* The bytes would have shown these. */
	return strcmp(type, PDF) == 0 || strcmp(type, "application/x-pdf") == 0;
}

/* Lower case, without parameters; "" when it is no type. */
static char *clean(struct arena *arena, const char *told)
{
	told += strspn(told, " \t");
	size_t n = strcspn(told, "; \t");
	char *type = arena_memdup(arena, told, n <= TYPE_MAX ? n : 0);
	for (char *p = type; p && *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
		if (*p <= ' ' || *p > '~')
			type[0] = 0;
	}
	if (type && !strchr(type, '/'))
		type[0] = 0;
	return type;
}

const char *media_type_of(struct arena *arena, const char *told, const char *name, struct span data)
{
	const char *proven = by_bytes(data);
	if (proven)
		return proven;
	const char *type = clean(arena, told ? told : "");
	if (!type || (type[0] && !is_vague(type)))
		return type;
	return by_name(name);
}
