/*
 * redis_server_child.c: starts one redis-server process. Everything is prepared before fork: the
 * child calls only what is safe between fork and exec in a process with threads. Guarantees that it
 * inherits nothing but /dev/null, the log and the lock, and that it ends when the thread that
 * started it does.
 */
#include "base/base.h"
#include "redis_server_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define LOCK_FD 3 /* where the child holds server.lock */
#define FALLBACK_MAX_FD 65536

static bool find_in_path(const char *program, char *ret, size_t cap)
{
	const char *path = getenv("PATH");
	for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
		size_t n = strcspn(p, ":");
		int len = snprintf(ret, cap, "%.*s/%s", (int)n, p, program);
		if (n && len > 0 && (size_t)len < cap && access(ret, X_OK) == 0)
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

bool redis_child_find(const char *program, char *ret, size_t cap, struct err *err)
{
	if (strchr(program, '/')) {
		snprintf(ret, cap, "%s", program);
		if (strlen(program) < cap && access(ret, X_OK) == 0)
			return true;
		return err_set(err, ERR_SYSTEM, "%s is not an executable file", program);
	}
	if (find_in_path(program, ret, cap))
		return true;
	/* Who has only the one of the two that Debian packages side by side need not say so. */
	bool is_usual = strcmp(program, "redis-server") == 0;
	if (is_usual && find_in_path("valkey-server", ret, cap))
		return true;
	return err_set(err, ERR_SYSTEM,
		       "%s%s is not in PATH: install it, or give the URL of a Redis", program,
		       is_usual ? " (or valkey-server)" : "");
}

/* Async-signal-safe. Sockets of ours that libraries opened without CLOEXEC must not live on in the
 * child: a listening port would stay taken. */
static void close_from(unsigned first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;
#endif
	struct rlimit limit;
	unsigned end = FALLBACK_MAX_FD;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < end)
		end = (unsigned)limit.rlim_cur;
	for (unsigned fd = first; fd < end; fd++)
		close((int)fd);
}

/* Async-signal-safe. Never returns. */
static void become_redis(const char *program, char *const *argv, pid_t parent, const int fds[4])
{
	sigset_t none;
	sigemptyset(&none);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
		_exit(126); /* the parent died in between: nobody would tell us */
	setpgid(0, 0); /* Ctrl-C at a terminal is for the relay, which then stops us in order */
	/* First out of the way of the targets, then onto them. */
	int moved[4];
	for (int i = 0; i < 4; i++)
		moved[i] = fcntl(fds[i], F_DUPFD, 4);
	for (int i = 0; i < 4; i++)
		if (moved[i] < 0 || dup2(moved[i], i) < 0)
			_exit(126);
	close_from(LOCK_FD + 1);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(program, argv);
	_exit(127);
}

pid_t redis_child_spawn(const char *program, const struct redis_files *files)
{
	/* clang-format off */
	const char *const argv[] = {
		program,
		"--dir", files->dir,
		"--port", "0",
		"--unixsocket", files->socket,
		"--unixsocketperm", "700",
		"--daemonize", "no",
		"--appendonly", "yes",
		"--appendfsync", "always",
		"--no-appendfsync-on-rewrite", "no",
		"--save", "",
		"--maxmemory-policy", "noeviction",
		"--databases", "1",
		"--loglevel", "warning",
		NULL,
	};
	/* clang-format on */
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log = redis_files_open_log(files);
	pid_t pid = -1, parent = getpid();
	if (null >= 0 && log >= 0) {
		const int fds[4] = { null, log, log, files->server_lock };
		pid = fork();
		if (pid == 0)
			become_redis(program, (char *const *)argv, parent, fds);
	}
	int problem = errno;
	if (null >= 0)
		close(null);
	if (log >= 0)
		close(log);
	errno = problem;
	return pid;
}
