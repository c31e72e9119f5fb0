/*
 * keyfile.c: reads or makes the sealing key. Guarantees that a key that was once used is never
 * written over: the file is created exclusively, and an unreadable or malformed one is an error.
 * Does not rotate keys.
 */
#include "base/base.h"

#include "keyfile.h"

#include <fcntl.h>
#include <sys/stat.h>

static bool read_key(const char *path, struct seal_key *ret, struct err *err)
{
	char text[160];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "cannot open the key file %s", path);
	ssize_t n = read(fd, text, sizeof(text));
	int why = errno;
	close(fd);
	if (n < 0)
		return err_errno(err, ERR_SYSTEM, why, "cannot read the key file %s", path);
	bool ok = seal_key_parse((struct span) { text, (size_t)n }, ret, err);
	secret_wipe(text, sizeof(text));
	return ok || err_wrap(err, "key file %s", path);
}

static bool write_key(int fd, const struct seal_key *key)
{
	char hex[2 * SEAL_KEY_BYTES + 2];
	sign_hex(key->bytes, SEAL_KEY_BYTES, hex);
	hex[sizeof(hex) - 2] = '\n';
	bool ok = write(fd, hex, sizeof(hex) - 1) == (ssize_t)(sizeof(hex) - 1) && fsync(fd) == 0;
	secret_wipe(hex, sizeof(hex));
	return ok;
}

/* Written beside and linked into place, so that a crash leaves no half key and two processes agree
 * on one. */
static bool make_key(const char *path, struct seal_key *ret, bool *ret_made, struct err *err)
{
	char temp[PATH_MAX + 32];
	snprintf(temp, sizeof(temp), "%s.%ld.tmp", path, (long)getpid());
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "cannot make the key file %s", path);
	struct seal_key key;
	seal_key_random(&key);
	bool ok = write_key(fd, &key);
	int why = errno;
	close(fd);
	if (ok && link(temp, path) == 0) {
		*ret_made = true;
	} else if (!ok || errno != EEXIST) {
		why = ok ? errno : why;
		unlink(temp);
		return err_errno(err, ERR_SYSTEM, why, "cannot write the key file %s", path);
	}
	unlink(temp);
	secret_wipe(&key, sizeof(key));
	return read_key(path, ret, err);
}

bool keyfile_load(const struct secret *given, const char *data_dir, struct seal_key *ret,
		  bool *ret_made, struct err *err)
{
	char path[PATH_MAX];
	*ret_made = false;
	if (secret_is_set(given))
		return seal_key_parse((struct span) { given->p, given->n }, ret, err) ||
		       err_wrap(err, "VIESTI_KEY");
	if (snprintf(path, sizeof(path), "%s/key", data_dir) >= (int)sizeof(path) - 32)
		return err_set(err, ERR_INPUT, "VIESTI_DATA_DIR is too long");
	if (access(path, F_OK) == 0)
		return read_key(path, ret, err);
	return make_key(path, ret, ret_made, err);
}
