/*
 * notify.c: the one datagram of sd_notify(3), so that no library is needed for it. Guarantees that
 * a supervisor which listens is told, and that without one nothing happens. Does not wait for
 * anybody: a supervisor that does not read is an error for the log, no reason to stand still.
 */
#include "base/base.h"

#include "notify.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The supervisor's address; a leading '@' stands for the NUL of an abstract one. */
static bool address_of(const char *path, struct sockaddr_un *ret, socklen_t *ret_n, struct err *err)
{
	size_t n = strlen(path);
	*ret = (struct sockaddr_un) { .sun_family = AF_UNIX };
	if ((*path != '/' && *path != '@') || n >= sizeof(ret->sun_path))
		return err_set(err, ERR_SYSTEM, "NOTIFY_SOCKET is no address of a socket: %s",
			       path);
	memcpy(ret->sun_path, path, n);
	if (*path == '@')
		ret->sun_path[0] = '\0';
	*ret_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*path == '/'));
	return true;
}

bool notify_supervisor(const char *state, struct err *err)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to;
	socklen_t to_n = 0;
	if (!path || !*path)
		return true;
	if (!address_of(path, &to, &to_n, err))
		return false;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "NOTIFY_SOCKET");
	ssize_t n = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, to_n);
	int why = errno;
	close(fd);
	if (n < 0)
		return err_errno(err, ERR_SYSTEM, why, "cannot write to NOTIFY_SOCKET %s", path);
	return true;
}
