/*
 * package.c: what is uploaded of an invoice: the XML alone, or a ZIP of the XML, its image under
 * the same base name, and the attachments (facts/maventa.md §5.2); and the form around it (§5).
 * Pure. Attachments keep their names as far as Maventa's rules let them; two of one name are told
 * apart by a number.
 */
#include "base/base.h"
#include "maventa_internal.h"

#include "base/utf8.h"
#include "codec/multipart.h"
#include "codec/zip.h"

#include <ctype.h>

#define NAME_MAX_CHARS 50
#define PACKAGE_MAX ((size_t)64 << 20)
#define FIELDS_MAX 24

/* ---- names of files ------------------------------------------------------------------------ */

/* Endings that are taken, and the types that stand for one in a name without. */
static const struct {
	const char *ending, *type;
} kinds[] = {
	{ "pdf", "application/pdf" },
	{ "png", "image/png" },
	{ "jpg", "image/jpeg" },
	{ "jpeg", NULL },
	{ "gif", "image/gif" },
	{ "tif", "image/tiff" },
	{ "tiff", NULL },
	{ "txt", "text/plain" },
	{ "xml", "application/xml" },
	{ "xml", "text/xml" },
	{ "html", "text/html" },
	{ "htm", NULL },
	{ "doc", "application/msword" },
	{ "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
	{ "xls", "application/vnd.ms-excel" },
	{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "xsl", NULL },
	{ "aix", NULL },
};

/* *ret_stem: bytes of the name before the ending, all of it when the type gives the ending. NULL:
 * of a kind that is not taken. */
static const char *ending_of(const struct attachment *file, size_t *ret_stem)
{
	const char *dot = strrchr(file->name, '.');
	for (size_t i = 0; dot && i < ARRAY_SIZE(kinds); i++) {
		if (strcasecmp(dot + 1, kinds[i].ending) != 0)
			continue;
		*ret_stem = (size_t)(dot - file->name);
		return kinds[i].ending;
	}
	*ret_stem = strlen(file->name);
	const char *type = file->mime_type ? file->mime_type : "";
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].type && strcasecmp(kinds[i].type, type) == 0)
			return kinds[i].ending;
	return NULL;
}

bool maventa_takes_file(const struct attachment *file)
{
	size_t stem;
	return ending_of(file, &stem) != NULL;
}

/* a-z, 0-9, '.', '_' for one character. */
static const char *plain(uint32_t cp, char buf[2])
{
	static const char *const latin[] = { "a", "a", "a", "a", "a", "a", "ae", "c",
					     "e", "e", "e", "e", "i", "i", "i",	 "i",
					     "d", "n", "o", "o", "o", "o", "o",	 "_",
					     "o", "u", "u", "u", "u", "y", "th", "y" };
	if (cp < 0x80) {
		int c = tolower((int)cp);
		buf[0] = isalnum(c) || c == '.' ? (char)c : '_';
		buf[1] = '\0';
		return buf;
	}
	if (cp == 0xdf)
		return "ss";
	if (cp >= 0xc0 && cp <= 0xde)
		cp += 0x20;
	if (cp >= 0xe0 && cp <= 0xff)
		return latin[cp - 0xe0];
	if (cp == 0x160 || cp == 0x161)
		return "s";
	return cp == 0x17d || cp == 0x17e ? "z" : "_";
}

struct names {
	const char *taken[MAVENTA_ATTACHMENTS_MAX + 2];
	size_t n;
};

static bool is_taken(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->taken[i], name) == 0)
			return true;
	return false;
}

/* The next name nobody has; NULL: the arena is full. */
static const char *unique_name(struct arena *arena, struct names *names, const char *stem,
			       const char *ending)
{
	const char *name = NULL;
	for (int count = 1; !name || is_taken(names, name); count++) {
		char number[16] = "";
		if (count > 1)
			snprintf(number, sizeof(number), "_%d", count);
		size_t room = NAME_MAX_CHARS - 1 - strlen(ending) - strlen(number);
		name = arena_printf(arena, "%.*s%s.%s", (int)room, stem, number, ending);
		if (!name)
			return NULL;
	}
	names->taken[names->n++] = name;
	return name;
}

static bool legal_name(struct arena *arena, struct names *names, const struct attachment *file,
		       const char **ret, struct err *err)
{
	size_t n;
	const char *ending = ending_of(file, &n);
	struct strbuf sb = STRBUF_INIT(arena, 4 * strlen(file->name) + 8);
	struct span rest = { file->name, n };
	const char *stem;
	if (!ending)
		return err_reason(err, ERR_DATA, "attachment_type", file->name,
				  "Maventa does not take files like %s", file->name);
	while (rest.n) {
		uint32_t cp;
		char buf[2];
		size_t used = utf8_next(rest, &cp);
		strbuf_addstr(&sb, used ? plain(cp, buf) : "_");
		rest.p += used ? used : 1;
		rest.n -= used ? used : 1;
	}
	if (!strbuf_span(&sb).n)
		strbuf_addstr(&sb, "file");
	if (!strbuf_finish(&sb, &stem, err))
		return false;
	*ret = unique_name(arena, names, stem, ending);
	return *ret ? true : err_set(err, ERR_LIMIT, "arena full");
}

/* ---- the package --------------------------------------------------------------------------- */

struct package {
	struct span bytes;
	const char *filename, *content_type;
};

static const char *largest(const struct maventa_sending *s)
{
	const struct attachment *ret = s->image;
	for (size_t i = 0; i < s->n_attachments; i++)
		if (!ret || s->attachments[i].data.n > ret->data.n)
			ret = &s->attachments[i];
	return ret ? ret->name : s->uuid;
}

static bool too_large(const struct maventa_sending *s, struct err *err)
{
	return err_reason(err, ERR_DATA, "attachment_too_large", largest(s),
			  "the invoice and its files are too large to be sent");
}

/* The uuid without its dashes, which no file's name may hold. */
static const char *base_name(struct arena *arena, const char *uuid)
{
	char *ret = arena_strdup(arena, uuid);
	size_t n = 0;
	for (const char *p = uuid; ret && *p; p++)
		if (isxdigit((unsigned char)*p))
			ret[n++] = (char)tolower((unsigned char)*p);
	if (ret)
		ret[n] = '\0';
	return ret;
}

static bool pack_zip(struct arena *arena, const struct maventa_sending *s, const char *base,
		     struct span *ret, struct err *err)
{
	struct zip_entry files[MAVENTA_ATTACHMENTS_MAX + 2];
	struct names names = { .n = 0 };
	struct err inner = ERR_INIT;
	size_t n = 0;
	files[n++] = (struct zip_entry) { unique_name(arena, &names, base, "xml"), s->xml };
	const char *image = unique_name(arena, &names, base, "pdf");
	if (s->image)
		files[n++] = (struct zip_entry) { image, s->image->data };
	if (!files[0].name || !image)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < s->n_attachments; i++, n++) {
		files[n].data = s->attachments[i].data;
		if (!legal_name(arena, &names, &s->attachments[i], &files[n].name, err))
			return false;
	}
	if (zip_write(arena, files, n, PACKAGE_MAX, ret, &inner))
		return true;
	if (inner.code == ERR_LIMIT)
		return too_large(s, err);
	if (err)
		*err = inner;
	return false;
}

static bool pack(struct arena *arena, const struct maventa_sending *s, struct package *ret,
		 struct err *err)
{
	bool is_zip = s->image || s->n_attachments;
	const char *base = base_name(arena, s->uuid);
	if (s->n_attachments > MAVENTA_ATTACHMENTS_MAX)
		return too_large(s, err);
	if (!base)
		return err_set(err, ERR_LIMIT, "arena full");
	ret->content_type = is_zip ? "application/zip" : "application/xml";
	ret->filename = arena_printf(arena, "%s.%s", base, is_zip ? "zip" : "xml");
	ret->bytes = s->xml;
	if (!ret->filename)
		return err_set(err, ERR_LIMIT, "arena full");
	return !is_zip || pack_zip(arena, s, base, &ret->bytes, err);
}

/* ---- the form ------------------------------------------------------------------------------ */

struct fields {
	struct multipart_part parts[FIELDS_MAX];
	size_t n;
};

static void add(struct fields *f, const char *name, const char *value)
{
	assert(f->n < FIELDS_MAX);
	if (value)
		f->parts[f->n++] = (struct multipart_part) { .name = name,
							     .value = span_of(value) };
}

static void add_switch(struct fields *f, const char *name, enum maventa_switch on)
{
	if (on != MAVENTA_AS_IT_IS)
		add(f, name, on == MAVENTA_ON ? "true" : "false");
}

/* How a list goes into a form is a guess (assumptions.c). */
static void add_routes(struct fields *f, const struct maventa_options *opt, unsigned routes)
{
	static const struct {
		enum maventa_route route;
		const char *name;
	} names[] = { { MAVENTA_ROUTE_PRINT, "print" },
		      { MAVENTA_ROUTE_EMAIL, "email" },
		      { MAVENTA_ROUTE_EINVOICE, "einvoice" } };
	bool is_plain = opt->array_style == MAVENTA_ARRAY_PLAIN;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (routes & names[i].route)
			add(f, is_plain ? "disabled_routes" : "disabled_routes[]", names[i].name);
}

/* NULL: one that Maventa has no texts in. */
static const char *language_of(const char *iso)
{
	static const struct {
		const char *iso, *maventa;
	} languages[] = { { "fi", "FI" }, { "sv", "SE" }, { "no", "NO" }, { "nb", "NO" },
			  { "nn", "NO" }, { "da", "DK" }, { "nl", "NL" }, { "en", "EN" } };
	for (size_t i = 0; iso && i < ARRAY_SIZE(languages); i++)
		if (strcasecmp(languages[i].iso, iso) == 0)
			return languages[i].maventa;
	return NULL;
}

static bool check_length(const char *what, const char *text, ssize_t max_chars, struct err *err)
{
	if (!text || utf8_length(span_of(text)) <= max_chars)
		return true;
	return err_reason(err, ERR_DATA, "field_too_long", what,
			  "%s is longer than the %zd characters that Maventa takes", what,
			  max_chars);
}

bool maventa_map_sending(struct arena *arena, const struct maventa_options *opt,
			 const struct maventa_sending *s, struct maventa_form *ret, struct err *err)
{
	struct package package;
	struct fields f = { .n = 0 };
	if (!check_length("e-mail address", s->recipient_email, 255, err) ||
	    !check_length("e-invoice address", s->recipient_address, 128, err) ||
	    !check_length("e-invoice operator", s->recipient_operator, 128, err) ||
	    !check_length("comment", s->comment, 1024, err) || !pack(arena, s, &package, err))
		return false;
	add(&f, "uuid", s->uuid);
	add(&f, "format", opt->names_format ? s->format : NULL);
	add(&f, "recipient_eia", s->recipient_address);
	add(&f, "recipient_operator", s->recipient_operator);
	add(&f, "recipient_email", s->recipient_email);
	add_routes(&f, opt, s->disabled_routes);
	add(&f, "sender_comment", s->comment);
	add(&f, "lang", language_of(s->language));
	add_switch(&f, "print_settings[print_own_image]", s->print_own_image);
	add_switch(&f, "print_settings[color]", s->print_color);
	add(&f, "print_settings[letter_class]", s->letter_class);
	add(&f, "prevent_routing", s->prevent_routing ? "true" : NULL);
	f.parts[f.n++] = (struct multipart_part) { .name = "file",
						   .value = package.bytes,
						   .filename = package.filename,
						   .content_type = package.content_type };
	ret->uuid = s->uuid;
	return multipart_write(arena, f.parts, f.n, &ret->body, &ret->content_type, NULL) ||
	       too_large(s, err);
}
