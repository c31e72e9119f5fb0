/*
 * zip.c: archives in memory, by libzip: it is kept up and fuzzed, is what Debian's own packages
 * use, writes to memory as well as to files (zlib's minizip wants a file), and checks what it
 * reads. Nothing touches the disk. Deliberately no encryption, no folders, no appending.
 */
#include "base/base.h"
#include "codec/zip.h"

#include <zip.h>

#define DOS_DATE_1980_01_01 0x21
#define FILES_MAX 1000
#define SMALLEST 22 /* bytes of the end record */

CLEANUP_FUNC(zip_t, zip_discard)
CLEANUP_FUNC(zip_source_t, zip_source_free)

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

/* ze is the archive's own or the caller's, whose text it keeps. */
static bool fail(enum err_code code, zip_error_t *ze, struct err *err)
{
	bool is_memory = zip_error_code_zip(ze) == ZIP_ER_MEMORY;
	return err_set(err, is_memory ? ERR_MEMORY : code, "ZIP: %s", zip_error_strerror(ze));
}

/* An archive over a buffer of libzip's (p NULL), or over given bytes, which must stay. */
static bool open_over(struct span bytes, int flags, zip_source_t **ret_source, zip_t **ret,
		      struct err *err)
{
	zip_error_t ze;
	zip_error_init(&ze);
	zip_source_t *source = zip_source_buffer_create(bytes.p, bytes.n, 0, &ze);
	zip_t *archive = source ? zip_open_from_source(source, flags, &ze) : NULL;
	if (archive) {
		zip_source_keep(source); /* the archive has one count of it, the caller one */
		*ret_source = source;
		*ret = archive;
	} else {
		fail(ERR_DATA, &ze, err);
		zip_source_free(source);
	}
	zip_error_fini(&ze);
	return archive != NULL;
}

/* ---- writing ------------------------------------------------------------------------------- */

static bool add_file(zip_t *archive, const struct zip_entry *e, struct err *err)
{
	zip_source_t *data = zip_source_buffer(archive, e->data.p, e->data.n, 0);
	zip_int64_t at = data ? zip_file_add(archive, e->name, data, ZIP_FL_ENC_UTF_8) : -1;
	if (at < 0) {
		zip_source_free(data);
		return fail(ERR_DATA, zip_get_error(archive), err);
	}
	if (zip_file_set_dostime(archive, (zip_uint64_t)at, 0, DOS_DATE_1980_01_01, 0) != 0)
		return fail(ERR_SYSTEM, zip_get_error(archive), err);
	return true;
}

static bool take_bytes(struct arena *arena, zip_source_t *source, size_t max_bytes,
		       struct span *ret, struct err *err)
{
	zip_stat_t st;
	if (zip_source_stat(source, &st) != 0 || !(st.valid & ZIP_STAT_SIZE))
		return fail(ERR_SYSTEM, zip_source_error(source), err);
	if (st.size > max_bytes)
		return err_set(err, ERR_LIMIT, "the ZIP is larger than %zu bytes", max_bytes);
	char *bytes = arena_alloc(arena, st.size + 1);
	if (!bytes)
		return full(err);
	if (zip_source_open(source) != 0)
		return fail(ERR_SYSTEM, zip_source_error(source), err);
	zip_int64_t n = zip_source_read(source, bytes, st.size);
	zip_source_close(source);
	if (n < 0 || (zip_uint64_t)n != st.size)
		return fail(ERR_SYSTEM, zip_source_error(source), err);
	*ret = (struct span) { bytes, (size_t)n };
	return true;
}

bool zip_write(struct arena *arena, const struct zip_entry *entries, size_t n, size_t max_bytes,
	       struct span *ret, struct err *err)
{
	zip_source_t *source_opened;
	zip_t *opened;
	if (!open_over((struct span) { NULL, 0 }, ZIP_CREATE | ZIP_TRUNCATE, &source_opened,
		       &opened, err))
		return false;
	CLEANUP(zip_source_free) zip_source_t *source = source_opened;
	CLEANUP(zip_discard) zip_t *archive = opened;
	for (size_t i = 0; i < n; i++)
		if (!add_file(archive, &entries[i], err))
			return false;
	if (zip_close(archive) != 0)
		return fail(ERR_SYSTEM, zip_get_error(archive), err);
	archive = NULL; /* closed */
	return take_bytes(arena, source, max_bytes, ret, err);
}

/* ---- reading ------------------------------------------------------------------------------- */

/* One byte more is asked for than there is: the end is where libzip holds the check sum against
 * it. */
static bool read_file(struct arena *arena, zip_t *archive, const zip_stat_t *st,
		      struct zip_entry *ret, struct err *err)
{
	char *name = arena_strdup(arena, st->name);
	char *bytes = arena_alloc(arena, st->size + 1);
	if (!name || !bytes)
		return full(err);
	zip_file_t *file = zip_fopen_index(archive, st->index, 0);
	if (!file)
		return fail(ERR_DATA, zip_get_error(archive), err);
	zip_uint64_t have = 0;
	zip_int64_t n;
	while (have <= st->size && (n = zip_fread(file, bytes + have, st->size + 1 - have)) > 0)
		have += (zip_uint64_t)n;
	zip_fclose(file);
	bytes[st->size] = '\0';
	*ret = (struct zip_entry) { name, { bytes, st->size } };
	return n == 0 && have == st->size ? true
					  : err_set(err, ERR_DATA, "ZIP: %s is damaged", name);
}

bool zip_read(struct arena *arena, struct span given, size_t max_bytes,
	      const struct zip_entry **ret, size_t *ret_n, struct err *err)
{
	zip_source_t *source_opened;
	zip_t *opened;
	if (given.n < SMALLEST) /* nothing at all is an empty archive to libzip */
		return err_set(err, ERR_DATA, "ZIP: no archive");
	if (!open_over(given, ZIP_RDONLY | ZIP_CHECKCONS, &source_opened, &opened, err))
		return false;
	CLEANUP(zip_source_free) zip_source_t *source = source_opened;
	CLEANUP(zip_discard) zip_t *archive = opened;
	zip_int64_t n = zip_get_num_entries(archive, 0);
	size_t kept = 0;
	(void)source; /* held until the archive is done with */
	if (n < 0 || n > FILES_MAX)
		return err_set(err, ERR_LIMIT, "ZIP: more than %d files", FILES_MAX);
	struct zip_entry *entries = arena_alloc_array(arena, (size_t)n + 1, sizeof(*entries));
	if (!entries)
		return full(err);
	for (zip_int64_t i = 0; i < n; i++) {
		const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_INDEX;
		zip_stat_t st;
		if (zip_stat_index(archive, (zip_uint64_t)i, 0, &st) != 0 ||
		    (st.valid & needed) != needed)
			return fail(ERR_DATA, zip_get_error(archive), err);
		size_t length = strlen(st.name);
		if (length && st.name[length - 1] == '/')
			continue; /* a folder */
		if (st.size > max_bytes)
			return err_set(err, ERR_LIMIT, "ZIP: too large unpacked");
		max_bytes -= st.size;
		if (!read_file(arena, archive, &st, &entries[kept++], err))
			return false;
	}
	*ret = entries;
	*ret_n = kept;
	return true;
}
