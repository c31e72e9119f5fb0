/*
 * redis_server.c: the private Redis: a child process and the thread that keeps it running.
 *
 * That thread does every fork, since the child's parent-death signal is tied to the thread that
 * made it, not to the process. It reaps the child, waits (100 ms doubling to 2 s, from the start
 * again after a run of 10 s) and starts it anew. Whether Redis answers is not asked here: clients
 * find out when they connect.
 */
#include "base/base.h"
#include "net/redis.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "redis_server_internal.h"

#define START_TIMEOUT_MS 5000
#define STOP_TIMEOUT_MS 10000
#define SOCKET_POLL_MS 2
#define FIRST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 2000
#define LONG_RUN_MS 10000

enum server_state { SERVER_STARTING, SERVER_RUNS, SERVER_FAILED };

struct redis_server {
	struct redis_server_options opt;
	char program[PATH_MAX];
	char url[8 + 3 * REDIS_SOCKET_MAX];
	struct redis_files files;
	pthread_t supervisor;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	enum server_state state;
	bool is_stopping, has_ended;
	pid_t pid; /* 0: no child; set from fork until just before it is reaped */
	struct err err; /* why it failed */
};

/* "unix://" and the path, percent-encoded but for its slashes. */
static void make_url(struct redis_server *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	size_t n = (size_t)snprintf(s->url, sizeof(s->url), "unix://");
	for (const char *p = s->files.socket; *p; p++)
		n += (size_t)snprintf(s->url + n, sizeof(s->url) - n,
				      strchr(plain, *p) ? "%c" : "%%%02X", (unsigned char)*p);
}

static bool is_listening(const struct redis_server *s)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	memcpy(sa.sun_path, s->files.socket, strlen(s->files.socket) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* True when the child has ended; it stays a zombie, so that its pid is not another's yet. */
static bool has_child_ended(pid_t pid, bool wait)
{
	siginfo_t info = { .si_pid = 0 };
	int rc;
	do {
		rc = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | (wait ? 0 : WNOHANG));
	} while (rc != 0 && errno == EINTR);
	return rc != 0 || info.si_pid == pid;
}

static bool launch(struct redis_server *s)
{
	/* One left behind would take connections for an answer only if somebody listened; Redis
	 * replaces it, but until then clients should see that nobody is there. */
	unlink(s->files.socket);
	pid_t pid = redis_child_spawn(s->program, &s->files);
	if (pid < 0)
		return false;
	redis_files_note_pid(&s->files, pid);
	pthread_mutex_lock(&s->lock);
	s->pid = pid;
	if (s->is_stopping)
		kill(pid, SIGTERM); /* redis_server_stop looked before there was a pid */
	pthread_mutex_unlock(&s->lock);
	return true;
}

/* The child's status as waitpid gives it. */
static int reap(struct redis_server *s)
{
	int status = 0;
	pthread_mutex_lock(&s->lock);
	pid_t pid = s->pid;
	s->pid = 0;
	pthread_mutex_unlock(&s->lock);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void describe_end(const struct redis_server *s, int status, char *ret, size_t cap)
{
	char words[300];
	redis_files_last_words(&s->files, words, sizeof(words));
	if (WIFSIGNALED(status))
		snprintf(ret, cap, "was ended by signal %d; its last words: %s", WTERMSIG(status),
			 words);
	else
		snprintf(ret, cap, "ended with status %d; its last words: %s", WEXITSTATUS(status),
			 words);
}

/* The first start, told to redis_server_start: it must get as far as its socket. */
static bool start_first(struct redis_server *s, struct err *err)
{
	char words[300];
	int64_t end_ms = clock_mono_ms() + START_TIMEOUT_MS;
	if (!launch(s))
		return err_errno(err, ERR_SYSTEM, errno, "cannot start %s", s->program);
	while (!is_listening(s)) {
		bool has_ended = has_child_ended(s->pid, false);
		if (!has_ended && clock_mono_ms() < end_ms) {
			clock_sleep_ms(SOCKET_POLL_MS);
			continue;
		}
		kill(s->pid, SIGKILL);
		(void)reap(s); /* what it said is in the log */
		redis_files_last_words(&s->files, words, sizeof(words));
		return err_set(err, ERR_SYSTEM, "%s %s: %s", s->program,
			       has_ended ? "ended at once" : "opened no socket in time", words);
	}
	return true;
}

static void set_state(struct redis_server *s, enum server_state state, const struct err *err)
{
	pthread_mutex_lock(&s->lock);
	s->state = state;
	s->err = *err;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

/* Waits between two starts; false when it is time to stop. */
static bool pause_for(struct redis_server *s, int64_t ms)
{
	struct timespec deadline = clock_deadline(ms);
	pthread_mutex_lock(&s->lock);
	while (!s->is_stopping &&
	       pthread_cond_timedwait(&s->changed, &s->lock, &deadline) != ETIMEDOUT)
		;
	bool go_on = !s->is_stopping;
	pthread_mutex_unlock(&s->lock);
	return go_on;
}

static void keep_running(struct redis_server *s)
{
	int64_t pause_ms = FIRST_PAUSE_MS, started_ms = clock_mono_ms();
	bool is_up = true;
	char how[400] = "";
	for (;;) {
		if (is_up) {
			has_child_ended(redis_server_pid(s), true);
			describe_end(s, reap(s), how, sizeof(how));
		}
		if (clock_mono_ms() - started_ms > LONG_RUN_MS)
			pause_ms = FIRST_PAUSE_MS;
		if (!pause_for(s, pause_ms))
			return;
		pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
		started_ms = clock_mono_ms();
		is_up = launch(s);
		if (s->opt.restarted)
			s->opt.restarted(s->opt.ctx, how, is_up);
	}
}

static void *supervise(void *arg)
{
	struct redis_server *s = arg;
	struct err err = ERR_INIT;
	if (start_first(s, &err)) {
		set_state(s, SERVER_RUNS, &err);
		keep_running(s);
	} else {
		set_state(s, SERVER_FAILED, &err);
	}
	pthread_mutex_lock(&s->lock);
	s->has_ended = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* The supervisor takes no signals: those are for the main thread. */
static int start_thread(struct redis_server *s)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(&s->supervisor, NULL, supervise, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static void release(struct redis_server *s)
{
	redis_files_close(&s->files);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	mem_free(s);
}

bool redis_server_start(const struct redis_server_options *opt, struct redis_server **ret,
			struct err *err)
{
	struct redis_server *s = mem_alloc(sizeof(*s));
	if (!s)
		return err_set(err, ERR_MEMORY, "out of memory");
	s->opt = *opt;
	s->files.relay_lock = s->files.server_lock = -1;
	pthread_mutex_init(&s->lock, NULL);
	clock_cond_init(&s->changed);
	if (!redis_child_find(opt->program, s->program, sizeof(s->program), err) ||
	    !redis_files_open(&s->files, opt->data_dir, err)) {
		release(s);
		return false;
	}
	make_url(s);
	int rc = start_thread(s);
	if (rc != 0) {
		release(s);
		return err_errno(err, ERR_SYSTEM, rc, "cannot start a thread");
	}
	pthread_mutex_lock(&s->lock);
	while (s->state == SERVER_STARTING)
		pthread_cond_wait(&s->changed, &s->lock);
	bool ok = s->state == SERVER_RUNS;
	if (!ok && err)
		*err = s->err;
	pthread_mutex_unlock(&s->lock);
	if (!ok) {
		pthread_join(s->supervisor, NULL);
		release(s);
		return false;
	}
	*ret = s;
	return true;
}

const char *redis_server_url(const struct redis_server *s)
{
	return s->url;
}

int redis_server_pid(const struct redis_server *s)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)&s->lock;
	pthread_mutex_lock(lock);
	pid_t pid = s->pid;
	pthread_mutex_unlock(lock);
	return pid;
}

void redis_server_stop(struct redis_server *s)
{
	if (!s)
		return;
	struct timespec deadline = clock_deadline(STOP_TIMEOUT_MS);
	pthread_mutex_lock(&s->lock);
	s->is_stopping = true;
	pthread_cond_broadcast(&s->changed);
	if (s->pid)
		kill(s->pid, SIGTERM);
	while (!s->has_ended &&
	       pthread_cond_timedwait(&s->changed, &s->lock, &deadline) != ETIMEDOUT)
		;
	if (!s->has_ended && s->pid)
		kill(s->pid, SIGKILL);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->supervisor, NULL);
	release(s);
}
