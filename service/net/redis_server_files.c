/*
 * redis_server_files.c: the folder of the private Redis. Guarantees that at most one relay and one
 * redis-server use it, that nobody else can enter it, and that a server left over from a relay that
 * was killed is ended before a new one is started; nothing but such a server is ever signalled.
 * Does not touch Redis's data.
 */
#include "base/base.h"
#include "redis_server_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"

#define LEFT_OVER_TERM_MS 2000 /* time to end by SIGTERM, then as long by SIGKILL */
#define LOCK_POLL_MS 5
#define MAX_LOG_BYTES (1 << 20)

static bool make_dir(const char *path, struct err *err)
{
	struct stat st;
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_errno(err, ERR_SYSTEM, errno, "%s", path);
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return err_set(err, ERR_SYSTEM, "%s is not a folder", path);
	return true;
}

/* The socket's only guard is this folder. */
static bool make_private_dir(const char *path, struct err *err)
{
	struct stat st;
	if (!make_dir(path, err))
		return false;
	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return err_set(err, ERR_SYSTEM, "%s must be a folder of this user's own", path);
	if ((st.st_mode & 0777) != 0700 && chmod(path, 0700) != 0)
		return err_errno(err, ERR_SYSTEM, errno, "%s", path);
	return true;
}

static int open_in(const struct redis_files *files, const char *name, int flags)
{
	char path[REDIS_SOCKET_MAX + 16];
	snprintf(path, sizeof(path), "%s/%s", files->dir, name);
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool wait_for_lock(int fd, int64_t wait_ms)
{
	int64_t end_ms = clock_mono_ms() + wait_ms;
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		if (clock_mono_ms() >= end_ms)
			return false;
		clock_sleep_ms(LOCK_POLL_MS);
	}
	return true;
}

/* Pid noted in server.lock, if that process works in our folder: its number may be another's now.
 */
static pid_t left_over_pid(const struct redis_files *files)
{
	char text[24] = "", link[40], cwd[PATH_MAX], own[PATH_MAX];
	ssize_t n = pread(files->server_lock, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;
	if (pid <= 1 || pid > INT_MAX || !realpath(files->dir, own))
		return 0;
	snprintf(link, sizeof(link), "/proc/%ld/cwd", pid);
	n = readlink(link, cwd, sizeof(cwd) - 1);
	if (n <= 0)
		return 0;
	cwd[n] = '\0';
	return strcmp(cwd, own) == 0 ? (pid_t)pid : 0;
}

/* Our relay lock says that no relay lives here, so whoever holds server.lock is left over. It may
 * be ending already (parent-death signal), or have got that signal before it could act on it. */
static bool take_server_lock(struct redis_files *files, struct err *err)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	if (wait_for_lock(files->server_lock, 0))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		pid_t pid = left_over_pid(files);
		if (pid)
			kill(pid, signals[i]);
		if (wait_for_lock(files->server_lock, LEFT_OVER_TERM_MS))
			return true;
	}
	return err_set(err, ERR_CONFLICT, "%s is in use by a redis-server that does not end",
		       files->dir);
}

bool redis_files_open(struct redis_files *files, const char *data_dir, struct err *err)
{
	files->relay_lock = files->server_lock = -1;
	char absolute[PATH_MAX];
	if (!make_dir(data_dir, err))
		return false;
	if (!realpath(data_dir, absolute))
		return err_errno(err, ERR_SYSTEM, errno, "%s", data_dir);
	int n = snprintf(files->dir, sizeof(files->dir), "%s/redis", absolute);
	if (n < 0 || (size_t)n >= sizeof(files->dir))
		return err_set(err, ERR_INPUT,
			       "the path of the data folder is too long for a unix socket in it "
			       "(over %zu bytes)",
			       sizeof(files->dir) - sizeof("/redis"));
	snprintf(files->socket, sizeof(files->socket), "%s/redis.sock", files->dir);
	if (!make_private_dir(files->dir, err))
		return false;
	files->relay_lock = open_in(files, "relay.lock", O_RDWR | O_CREAT);
	files->server_lock = open_in(files, "server.lock", O_RDWR | O_CREAT);
	if (files->relay_lock < 0 || files->server_lock < 0)
		err_errno(err, ERR_SYSTEM, errno, "locks in %s", files->dir);
	else if (flock(files->relay_lock, LOCK_EX | LOCK_NB) != 0)
		err_set(err, ERR_CONFLICT, "%s is in use by another viesti", files->dir);
	else if (take_server_lock(files, err))
		return true;
	redis_files_close(files);
	return false;
}

void redis_files_close(struct redis_files *files)
{
	if (files->server_lock >= 0)
		close(files->server_lock);
	if (files->relay_lock >= 0)
		close(files->relay_lock);
	files->relay_lock = files->server_lock = -1;
}

int redis_files_open_log(const struct redis_files *files)
{
	int fd = open_in(files, "redis.log", O_RDWR | O_CREAT | O_APPEND);
	struct stat st;
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > MAX_LOG_BYTES && ftruncate(fd, 0) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void redis_files_last_words(const struct redis_files *files, char *ret, size_t cap)
{
	char text[1024];
	struct stat st;
	int fd = open_in(files, "redis.log", O_RDONLY);
	ret[0] = '\0';
	if (fd < 0)
		return;
	off_t from = fstat(fd, &st) == 0 && st.st_size > (off_t)sizeof(text)
			     ? st.st_size - (off_t)sizeof(text)
			     : 0;
	ssize_t n = pread(fd, text, sizeof(text), from);
	close(fd);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	const char *eol = n > 0 ? memrchr(text, '\n', (size_t)n) : NULL;
	const char *line = eol ? eol + 1 : text;
	snprintf(ret, cap, "%.*s", n > 0 ? (int)(text + n - line) : 0, line);
}

void redis_files_note_pid(const struct redis_files *files, pid_t pid)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%-20ld\n", (long)pid);
	/* Best effort: without it a server left over is waited for, not signalled. */
	(void)!pwrite(files->server_lock, text, (size_t)n, 0);
}
