/* What a supervisor is told: sd_notify(3) over a path and over an abstract address. */
#include "base/base.h"

#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "notify.h"

static int listen_at(const char *name, size_t n)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	memcpy(at.sun_path, name, n);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
			 0);
	return fd;
}

static void told(int fd, const char *expected)
{
	char got[64] = "";
	struct err err = ERR_INIT;
	assert_true(notify_supervisor(expected, &err));
	assert_int_equal(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), strlen(expected));
	assert_string_equal(got, expected);
	close(fd);
}

static void test_path(void **state)
{
	char dir[] = "/tmp/viesti-notify-XXXXXX", path[64];
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	setenv("NOTIFY_SOCKET", path, 1);
	told(listen_at(path, strlen(path) + 1), "READY=1\nSTATUS=here");
	unlink(path);
	rmdir(dir);
}

static void test_abstract(void **state)
{
	char name[64];
	(void)state;
	snprintf(name, sizeof(name), "@viesti-notify-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	size_t n = strlen(name);
	name[0] = '\0';
	told(listen_at(name, n), "STOPPING=1");
}

static void test_nobody_asked(void **state)
{
	struct err err = ERR_INIT;
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_true(notify_supervisor("READY=1", &err));
	setenv("NOTIFY_SOCKET", "", 1);
	assert_true(notify_supervisor("READY=1", &err));
}

static void test_errors(void **state)
{
	static char path_too_long[200];
	static const char *const bad[] = { "relative", "vsock:2:1234", "/no/such/socket",
					   path_too_long };
	(void)state;
	memset(path_too_long, 'a', sizeof(path_too_long) - 1);
	path_too_long[0] = '/';
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = ERR_INIT;
		setenv("NOTIFY_SOCKET", bad[i], 1);
		assert_false(notify_supervisor("READY=1", &err));
		assert_int_equal(err.code, ERR_SYSTEM);
		assert_non_null(strstr(err.message, "NOTIFY_SOCKET"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_abstract),
		cmocka_unit_test(test_nobody_asked),
		cmocka_unit_test(test_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
