/*
 * redis_fixture.c: see redis_fixture.h. Speaks to the server over a bare socket, so that a test of
 * net/redis.c does not stand on net/redis.c.
 */
#include "base/base.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "redis_fixture.h"

#define READY_TRIES 2500 /* of 4 ms */
#define REPLY_TIMEOUT_MS 2000

static void nap_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };
	nanosleep(&ts, NULL);
}

static int connect_socket(const struct redis_fixture *fx)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	memcpy(sa.sun_path, fx->socket, strlen(fx->socket) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Sends inline commands and says whether the reply is exactly what is expected. */
static bool converse(const struct redis_fixture *fx, const char *commands, const char *expected)
{
	int fd = connect_socket(fx);
	if (fd < 0)
		return false;
	char reply[64];
	size_t have = 0, want = strlen(expected);
	assert(want < sizeof(reply));
	bool ok = write(fd, commands, strlen(commands)) == (ssize_t)strlen(commands);
	while (ok && have < want) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, REPLY_TIMEOUT_MS) == 1
				    ? read(fd, reply + have, sizeof(reply) - have)
				    : -1;
		ok = n > 0;
		have += ok ? (size_t)n : 0;
	}
	close(fd);
	return ok && memcmp(reply, expected, want) == 0;
}

/* In the child: only calls that are safe after fork in a process with threads. */
static void run_server(const struct redis_fixture *fx, pid_t parent)
{
	const char *const servers[] = { "redis-server", "valkey-server" };
	const char *argv[] = {
		NULL,	      "--dir",
		fx->dir,      "--logfile",
		"redis.log",  "--port",
		"0",	      "--unixsocket",
		fx->socket,   "--unixsocketperm",
		"700",	      "--appendonly",
		"yes",	      "--appendfsync",
		"always",     "--save",
		"",	      "--maxmemory-policy",
		"noeviction", NULL,
	};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	if (getppid() != parent)
		_exit(126);
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		argv[0] = servers[i];
		execvp(argv[0], (char *const *)argv);
	}
	_exit(127);
}

static bool launch(struct redis_fixture *fx)
{
	pid_t parent = getpid();
	fx->pid = fork();
	if (fx->pid == 0)
		run_server(fx, parent);
	for (int i = 0; fx->pid > 0 && i < READY_TRIES; i++) {
		if (converse(fx, "PING\r\n", "+PONG\r\n"))
			return true;
		int status;
		if (waitpid(fx->pid, &status, WNOHANG) == fx->pid) {
			fprintf(stderr, "redis-server ended with status %d; see %s/redis.log\n",
				status, fx->dir);
			fx->pid = 0;
			return false;
		}
		nap_ms(4);
	}
	fprintf(stderr, "redis-server did not get ready in %s\n", fx->dir);
	redis_fixture_kill(fx);
	return false;
}

bool redis_fixture_start(struct redis_fixture *fx)
{
	memset(fx, 0, sizeof(*fx));
	snprintf(fx->dir, sizeof(fx->dir), "/tmp/viesti-unit-XXXXXX");
	if (!mkdtemp(fx->dir)) {
		perror("mkdtemp");
		fx->dir[0] = '\0';
		return false;
	}
	snprintf(fx->socket, sizeof(fx->socket), "%s/redis.sock", fx->dir);
	snprintf(fx->url, sizeof(fx->url), "unix://%s", fx->socket);
	if (launch(fx))
		return true;
	redis_fixture_stop(fx);
	return false;
}

/* A child of the server that rewrites the append-only file outlives it: the group is killed, and
 * given a moment to be gone, so that nothing writes into the folder any more. */
void redis_fixture_kill(struct redis_fixture *fx)
{
	if (fx->pid <= 0)
		return;
	kill(-fx->pid, SIGKILL);
	kill(fx->pid, SIGKILL);
	while (waitpid(fx->pid, NULL, 0) < 0 && errno == EINTR)
		;
	for (int i = 0; i < 50 && kill(-fx->pid, 0) == 0; i++)
		nap_ms(2);
	fx->pid = 0;
}

bool redis_fixture_restart(struct redis_fixture *fx)
{
	redis_fixture_kill(fx);
	return launch(fx);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level == 0 ? 0 : remove(path);
}

static void remove_content(const struct redis_fixture *fx)
{
	nftw(fx->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

bool redis_fixture_restart_empty(struct redis_fixture *fx)
{
	redis_fixture_kill(fx);
	remove_content(fx);
	return launch(fx);
}

void redis_fixture_freeze(struct redis_fixture *fx)
{
	if (fx->pid > 0)
		kill(fx->pid, SIGSTOP);
}

void redis_fixture_thaw(struct redis_fixture *fx)
{
	if (fx->pid > 0)
		kill(fx->pid, SIGCONT);
}

bool redis_fixture_flush(struct redis_fixture *fx)
{
	return converse(fx, "FLUSHALL SYNC\r\nSCRIPT FLUSH SYNC\r\n", "+OK\r\n+OK\r\n");
}

void redis_fixture_stop(struct redis_fixture *fx)
{
	redis_fixture_kill(fx);
	if (fx->dir[0] == '\0')
		return;
	remove_content(fx);
	rmdir(fx->dir);
	fx->dir[0] = '\0';
}
