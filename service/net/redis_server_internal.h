/*
 * redis_server_internal.h: the parts of the private Redis.
 *
 * redis_server.c		the object and its supervisor thread
 * redis_server_files.c	folder, locks, a server left over from before, the log
 * redis_server_child.c	from a prepared command line to a running child
 */
#ifndef NET_REDIS_SERVER_INTERNAL_H
#define NET_REDIS_SERVER_INTERNAL_H

#include "base/base.h"
#include "base/err.h"

#include <sys/types.h>

#define REDIS_SOCKET_MAX 108 /* sun_path */
#define REDIS_DIR_MAX (REDIS_SOCKET_MAX - (int)sizeof("/redis.sock") + 1)

/*
 * <data folder>/redis, mode 0700, and its two locks (flock). relay.lock is held by the relay alone:
 * one relay per folder. server.lock is inherited by the redis-server and so is held as long as it
 * runs, even when its relay has died: held without a relay means a server left over. It holds the
 * pid of the last one started.
 */
struct redis_files {
	char dir[REDIS_DIR_MAX];
	char socket[REDIS_SOCKET_MAX];
	int relay_lock; /* -1: not held */
	int server_lock;
};

/* Makes the folder, takes the locks, ends a server left over. ERR_CONFLICT when another relay lives
 * on this folder. */
bool redis_files_open(struct redis_files *files, const char *data_dir, struct err *err) MUST_CHECK;
void redis_files_close(struct redis_files *files);
/* Descriptor of the log that the child writes to, made anew when it is large; -1 on failure. */
int redis_files_open_log(const struct redis_files *files);
/* The last line of the log, for an error message. */
void redis_files_last_words(const struct redis_files *files, char *ret, size_t cap);
/* Into server.lock, for a later redis_files_open. */
void redis_files_note_pid(const struct redis_files *files, pid_t pid);

/* Path of an executable: as given when it holds a slash, else searched for in PATH (main thread).
 */
bool redis_child_find(const char *program, char *ret, size_t cap, struct err *err) MUST_CHECK;
/* Forks and execs; the child dies with the calling thread. -1 with errno. */
pid_t redis_child_spawn(const char *program, const struct redis_files *files);

#endif
