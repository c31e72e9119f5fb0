/*
 * store_vault.c: the sealed file in the data folder that holds connections and tokens. Guarantees
 * that a crash leaves either the old file or the new one: written aside, fsynced, renamed, the
 * folder fsynced. Readable with the sealing key alone.
 */
#include "base/base.h"
#include "store_internal.h"

#include "codec/json.h"

#include <fcntl.h>
#include <sys/stat.h>

#define VAULT_MAX (64 * 1024 * 1024)
#define VAULT_PLACE "vault"

/* --- writing --- */

static bool write_base64(struct json_writer *w, struct arena *arena, const char *key,
			 struct span data, struct err *err)
{
	const char *text = sign_base64(arena, data);
	if (!text)
		return err_set(err, ERR_LIMIT, "arena full");
	jsonw_kstr(w, key, text);
	return true;
}

static bool write_json(struct arena *arena, const struct redis_value *v, struct span *ret,
		       struct err *err)
{
	struct strbuf sb = STRBUF_INIT(arena, VAULT_MAX);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	const struct redis_value *conns = &v->items[2], *tokens = &v->items[3];
	jsonw_object(&w);
	jsonw_key(&w, "epoch");
	jsonw_span(&w, store_item(v, 0));
	jsonw_kint(&w, "version", store_int(&v->items[1]));
	jsonw_key(&w, "connections");
	jsonw_array(&w);
	for (size_t i = 0; i + SNAPSHOT_FIELDS <= conns->n; i += SNAPSHOT_FIELDS) {
		struct stored_connection c = stored_connection_of(conns, i);
		jsonw_object(&w);
		jsonw_kstr(&w, "id", c.id);
		jsonw_kint(&w, "rev", c.rev);
		jsonw_key(&w, "doc");
		jsonw_span(&w, c.doc);
		if (!write_base64(&w, arena, "sealed", c.sealed, err))
			return false;
		jsonw_kint(&w, "facts_rev", c.facts_rev);
		if (!write_base64(&w, arena, "facts", c.facts, err))
			return false;
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_key(&w, "tokens");
	jsonw_array(&w);
	for (size_t i = 0; i + 1 < tokens->n; i += 2) {
		jsonw_object(&w);
		jsonw_kstr(&w, "hash", store_item(tokens, i).p);
		jsonw_key(&w, "doc");
		jsonw_span(&w, store_item(tokens, i + 1));
		jsonw_end_object(&w);
	}
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	const char *text = NULL;
	if (!strbuf_finish(&sb, &text, err))
		return false;
	*ret = span_of(text);
	return true;
}

static bool write_all(int fd, struct span data)
{
	while (data.n) {
		ssize_t n = write(fd, data.p, data.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data.p += n;
		data.n -= (size_t)n;
	}
	return fsync(fd) == 0;
}

static bool fsync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool good = fsync(fd) == 0;
	close(fd);
	return good;
}

static bool replace_file(const char *dir, const char *temp, const char *path, struct span data,
			 struct err *err)
{
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "cannot write %s", temp);
	bool good = write_all(fd, data);
	int why = errno;
	if (close(fd) != 0 && good) {
		good = false;
		why = errno;
	}
	if (good && (rename(temp, path) != 0 || !fsync_dir(dir))) {
		good = false;
		why = errno;
	}
	if (!good) {
		(void)unlink(temp); /* nothing more can be done about it */
		return err_errno(err, ERR_SYSTEM, why, "cannot write %s", path);
	}
	return true;
}

bool vault_write_locked(struct store *s, struct arena *arena, const struct redis_value *snapshot,
			struct err *err)
{
	if (!s->data_dir)
		return true;
	struct span plain, sealed;
	const char *path = arena_printf(arena, "%s/vault", s->data_dir);
	const char *temp = arena_printf(arena, "%s/vault.new", s->data_dir);
	if (!path || !temp)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!write_json(arena, snapshot, &plain, err) ||
	    !seal(arena, &s->key, SPAN_LIT(VAULT_PLACE), plain, &sealed, err))
		return false;
	if (!replace_file(s->data_dir, temp, path, sealed, err))
		return false;
	snprintf(s->vault.epoch, sizeof(s->vault.epoch), "%s", store_item(snapshot, 0).p);
	s->vault.version = store_int(&snapshot->items[1]);
	return true;
}

/* --- reading --- */

static bool read_file(struct arena *arena, const char *path, bool *ret_exists, struct span *ret,
		      struct err *err)
{
	*ret_exists = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "cannot read %s", path);
	struct stat st;
	char *p = NULL;
	size_t n = 0;
	if (fstat(fd, &st) == 0 && st.st_size >= 0 && st.st_size <= 2 * (off_t)VAULT_MAX)
		p = arena_alloc(arena, (size_t)st.st_size + 1);
	while (p && n < (size_t)st.st_size) {
		ssize_t got = read(fd, p + n, (size_t)st.st_size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	close(fd);
	if (!p)
		return err_set(err, ERR_LIMIT, "%s is too large", path);
	*ret_exists = true;
	*ret = (struct span) { p, n };
	return true;
}

static bool read_base64(struct arena *arena, const struct json *j, struct span *ret,
			struct err *err)
{
	const char *text = json_str(j);
	size_t cap = text ? strlen(text) : 0, n = 0;
	unsigned char *bytes = arena_alloc(arena, cap + 1);
	if (!bytes)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!text || !sign_unbase64(span_of(text), bytes, cap, &n))
		return err_set(err, ERR_SYSTEM, "the vault file is malformed");
	*ret = (struct span) { (const char *)bytes, n };
	return true;
}

static bool read_conns(struct arena *arena, const struct json *list, struct vault *v,
		       struct err *err)
{
	v->conns = arena_alloc_array(arena, json_size(list) + 1, sizeof(*v->conns));
	if (!v->conns)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		struct stored_connection *c = &v->conns[v->n_conns];
		c->id = json_str(json_get(j, "id"));
		c->doc = text_span(json_str(json_get(j, "doc")));
		if (!c->id || !json_int64(json_get(j, "rev"), &c->rev) ||
		    !json_int64(json_get(j, "facts_rev"), &c->facts_rev))
			return err_set(err, ERR_SYSTEM, "the vault file is malformed");
		if (!read_base64(arena, json_get(j, "sealed"), &c->sealed, err) ||
		    !read_base64(arena, json_get(j, "facts"), &c->facts, err))
			return false;
		v->n_conns++;
	}
	return true;
}

static bool read_tokens(struct arena *arena, const struct json *list, struct vault *v,
			struct err *err)
{
	v->tokens = arena_alloc_array(arena, json_size(list) + 1, sizeof(*v->tokens));
	if (!v->tokens)
		return err_set(err, ERR_LIMIT, "arena full");
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		v->tokens[v->n_tokens].hash = json_str(json_get(j, "hash"));
		v->tokens[v->n_tokens].doc = text_span(json_str(json_get(j, "doc")));
		if (!v->tokens[v->n_tokens].hash)
			return err_set(err, ERR_SYSTEM, "the vault file is malformed");
		v->n_tokens++;
	}
	return true;
}

bool vault_read(struct store *s, struct arena *arena, struct vault *ret, struct err *err)
{
	struct vault v = { .exists = false };
	if (!s->data_dir) {
		*ret = v;
		return true;
	}
	const char *path = arena_printf(arena, "%s/vault", s->data_dir);
	struct span sealed, plain;
	if (!path)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!read_file(arena, path, &v.exists, &sealed, err))
		return false;
	if (!v.exists) {
		*ret = v;
		return true;
	}
	const struct json *doc = NULL;
	const struct json_limits limits = { VAULT_MAX, 8 };
	if (!unseal(arena, &s->key, SPAN_LIT(VAULT_PLACE), sealed, &plain, err) ||
	    !json_parse(arena, plain, limits, &doc, err))
		return err_wrap(err, "vault file %s", path);
	const char *epoch = json_str(json_get(doc, "epoch"));
	snprintf(v.epoch, sizeof(v.epoch), "%s", epoch ? epoch : "");
	if (!json_int64(json_get(doc, "version"), &v.version))
		return err_set(err, ERR_SYSTEM, "the vault file is malformed");
	if (!read_conns(arena, json_get(doc, "connections"), &v, err) ||
	    !read_tokens(arena, json_get(doc, "tokens"), &v, err))
		return false;
	*ret = v;
	return true;
}
