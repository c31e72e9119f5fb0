/*
 * store_mark.c: the file that remembers how far the Redis was that this relay last spoke to: a
 * count that the relay moves in Redis each second and then writes here, in place, synced. Where
 * Redis holds a lower one, it has gone back in time: a replica that was behind took over, or an
 * older file was put back. The count is the relay's own, so that no other moves it past the loss.
 *
 * A data folder that was put back as a whole takes its mark along; a copy of the file is known by
 * its inode. What a snapshot of the whole machine takes back cannot be seen from within it: there
 * the operator removes the file.
 */
#include "base/base.h"
#include "store_internal.h"

#include <fcntl.h>
#include <sys/stat.h>

#define MARK_FORMAT "viesti mark 1 %36s %" SCNd64 " %36s %" SCNd64 " %" SCNu64 " end"
#define MARK_MAX 256

static bool mark_path(const struct store *s, char ret[PATH_MAX], struct err *err)
{
	int n = snprintf(ret, PATH_MAX, "%s/mark", s->data_dir);
	return (n > 0 && n < PATH_MAX) ||
	       err_set(err, ERR_INPUT, "the path of the data folder is too long");
}

static bool parse(const char *text, uint64_t inode, struct mark *m)
{
	uint64_t born_inode = 0;
	int end = -1;
	if (sscanf(text, MARK_FORMAT "%n", m->relay, &m->count, m->epoch, &m->at_ms, &born_inode,
		   &end) != 5 ||
	    end < 0 || m->count < 0)
		return false;
	m->is_whole = born_inode == inode;
	return true;
}

bool mark_read(struct store *s, struct mark *ret, struct err *err)
{
	char path[PATH_MAX], text[MARK_MAX];
	struct stat st;
	struct mark m = { .is_whole = !s->data_dir };
	sign_uuid4(m.relay);
	if (!s->data_dir) {
		*ret = m;
		return true;
	}
	if (!mark_path(s, path, err))
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT)
		return err_errno(err, ERR_SYSTEM, errno, "cannot read %s", path);
	if (fd >= 0) {
		ssize_t n = read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		m.is_damaged = n < 0 || fstat(fd, &st) != 0 || !parse(text, st.st_ino, &m);
		close(fd);
	}
	/* A copy counts from the beginning, under a name of its own: the first may live on. */
	if (!m.is_whole) {
		m.count = m.at_ms = 0;
		sign_uuid4(m.relay);
	}
	*ret = m;
	return true;
}

/* Always as long as before, so that it replaces what stands there. */
static int format(const struct mark *m, uint64_t inode, char text[MARK_MAX])
{
	return snprintf(text, MARK_MAX,
			"viesti mark 1 %s %020" PRId64 " %s %020" PRId64 " %020" PRIu64 " end\n",
			m->relay, m->count, m->epoch, m->at_ms, inode);
}

bool mark_write(struct store *s, const struct mark *m, struct err *err)
{
	char path[PATH_MAX], text[MARK_MAX];
	struct stat st;
	if (!s->data_dir)
		return true;
	if (!mark_path(s, path, err))
		return false;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "cannot write %s", path);
	int n = fstat(fd, &st) == 0 ? format(m, st.st_ino, text) : -1;
	bool good = n > 0 && pwrite(fd, text, (size_t)n, 0) == n && fdatasync(fd) == 0;
	int why = errno;
	close(fd);
	return good || err_errno(err, ERR_SYSTEM, why, "cannot write %s", path);
}
