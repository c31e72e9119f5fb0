/*
 * test_redis_server.c: the private Redis: started, killed, left over by a relay that was killed
 * itself, refused to a second relay.
 */
#include "base/base.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/redis.h"

#define PROGRAM "redis-server"

static char data_dir[64];
static struct arena *arena;

static bool start_at(const char *program, const char *dir, struct redis_server **ret,
		     struct err *err)
{
	const struct redis_server_options opt = { .program = program, .data_dir = dir };
	return redis_server_start(&opt, ret, err);
}

static struct redis_server *start_server(void)
{
	struct redis_server *s = NULL;
	struct err err = ERR_INIT;
	if (!start_at(PROGRAM, data_dir, &s, &err))
		fail_msg("%s", err.message);
	return s;
}

static struct redis_pool *new_pool(const struct redis_server *s)
{
	struct redis_pool *pool = NULL;
	struct err err = ERR_INIT;
	const struct redis_options opt = { .url = redis_server_url(s), .prefix = "t:" };
	if (!redis_pool_new(&opt, &pool, &err))
		fail_msg("%s", err.message);
	return pool;
}

/* One command, tried until Redis answers or 5 s have gone. */
static const char *ask(struct redis_pool *pool, const char *verb, const char *key,
		       const char *value)
{
	int64_t end_ms = clock_mono_ms() + 5000;
	const struct span words[] = { span_of(verb), span_of(key), span_of(value) };
	for (;;) {
		CLEANUP(redis_give_back) struct redis *r = NULL;
		const struct redis_value *v = NULL;
		struct err err = ERR_INIT;
		if (redis_borrow(pool, 100, &r, &err) &&
		    redis_command(r, arena, words, value ? 3 : 2, &v, &err))
			return v->s.p;
		if (clock_mono_ms() > end_ms)
			fail_msg("%s", err.message);
		clock_sleep_ms(5);
	}
}

static bool has_process_ended(pid_t pid)
{
	for (int i = 0; i < 2000; i++) {
		if (kill(pid, 0) != 0)
			return true;
		clock_sleep_ms(2);
	}
	return false;
}

static void it_starts_durable_and_private(void **state)
{
	(void)state;
	int64_t start_us = clock_mono_us();
	struct redis_server *s = start_server();
	int64_t took_us = clock_mono_us() - start_us;
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(s);
	struct redis_health health;
	struct err err = ERR_INIT;
	ask(pool, "SET", "k", "v");
	print_message("started in %lld us\n", (long long)took_us);
	assert_in_range(took_us, 1, 2000000); /* measured: some 10 ms; slack for a busy machine */
	assert_true(redis_check(pool, arena, &health, &err));
	assert_true(health.usable);
	assert_int_equal(health.durability, REDIS_FSYNC);

	char path[128];
	struct stat st;
	snprintf(path, sizeof(path), "%s/redis", data_dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(path, sizeof(path), "%s/redis/redis.sock", data_dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	redis_server_stop(s);
}

static void OP_03_data_outlive_stop_and_start(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct redis_server *s = start_server();
		struct redis_pool *pool = new_pool(s);
		if (i == 0)
			ask(pool, "SET", "kept", "yes");
		assert_string_equal(ask(pool, "GET", "kept", NULL), "yes");
		redis_pool_free(pool);
		pid_t pid = redis_server_pid(s);
		redis_server_stop(s);
		assert_int_equal(kill(pid, 0), -1); /* ended and reaped */
	}
}

static void note_restart(void *ctx, const char *how, bool started)
{
	int *n = ctx;
	assert_true(started);
	assert_non_null(strstr(how, "was ended by signal 9"));
	__atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST);
}

static void OP_03_a_killed_redis_is_back_within_5_s_with_its_data(void **state)
{
	(void)state;
	int n_told = 0;
	const struct redis_server_options opt = {
		.program = PROGRAM, .data_dir = data_dir, .restarted = note_restart, .ctx = &n_told
	};
	struct redis_server *s = NULL;
	assert_true(redis_server_start(&opt, &s, NULL));
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(s);
	ask(pool, "SET", "k", "before");
	for (int i = 0; i < 3; i++) {
		int pid = redis_server_pid(s);
		int64_t start_ms = clock_mono_ms();
		kill(pid, SIGKILL);
		assert_string_equal(ask(pool, "GET", "k", NULL), "before");
		assert_int_not_equal(redis_server_pid(s), pid);
		print_message("back in %lld ms\n", (long long)(clock_mono_ms() - start_ms));
	}
	redis_server_stop(s);
	assert_int_equal(n_told, 3);
}

static void stop_does_not_wait_for_a_pause_between_starts(void **state)
{
	(void)state;
	struct redis_server *s = start_server();
	kill(redis_server_pid(s), SIGKILL);
	int64_t start_ms = clock_mono_ms();
	redis_server_stop(s);
	assert_in_range(clock_mono_ms() - start_ms, 0, 1500);
}

static void a_second_relay_is_refused(void **state)
{
	(void)state;
	struct redis_server *s = start_server(), *second = NULL;
	struct err err = ERR_INIT;
	assert_false(start_at(PROGRAM, data_dir, &second, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	redis_server_stop(s);
}

/* A relay in a process of its own; returns when its Redis runs. */
static pid_t fork_relay(int *ret_redis_pid)
{
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct redis_server *s = NULL;
		int redis_pid = start_at(PROGRAM, data_dir, &s, NULL) ? redis_server_pid(s) : -1;
		if (write(fds[1], &redis_pid, sizeof(redis_pid)) != sizeof(redis_pid))
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], ret_redis_pid, sizeof(*ret_redis_pid)),
			 sizeof(*ret_redis_pid));
	assert_true(*ret_redis_pid > 0);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void redis_ends_with_a_relay_that_is_killed(void **state)
{
	(void)state;
	int redis_pid;
	pid_t relay = fork_relay(&redis_pid);
	kill(relay, SIGKILL);
	waitpid(relay, NULL, 0);
	/* Not waiting for the old one: the next relay starts at once. */
	struct redis_server *s = start_server();
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(s);
	ask(pool, "SET", "k", "v");
	assert_int_not_equal(redis_server_pid(s), redis_pid);
	assert_true(has_process_ended(redis_pid));
	redis_server_stop(s);
}

static void a_redis_left_over_that_does_not_end_is_killed(void **state)
{
	(void)state;
	int redis_pid;
	pid_t relay = fork_relay(&redis_pid);
	kill(redis_pid, SIGSTOP);
	kill(relay, SIGKILL);
	waitpid(relay, NULL, 0);
	struct redis_server *s = start_server();
	assert_true(has_process_ended(redis_pid));
	redis_server_stop(s);
}

static void another_process_under_the_noted_pid_is_left_alone(void **state)
{
	(void)state;
	pid_t bystander = fork();
	if (bystander == 0) {
		pause();
		_exit(0);
	}
	struct redis_server *s = start_server();
	redis_server_stop(s);
	char path[128], text[24];
	snprintf(path, sizeof(path), "%s/redis/server.lock", data_dir);
	int fd = open(path, O_WRONLY | O_TRUNC);
	int n = snprintf(text, sizeof(text), "%d\n", bystander);
	assert_int_equal(write(fd, text, (size_t)n), n);
	close(fd);
	s = start_server();
	redis_server_stop(s);
	assert_int_equal(waitpid(bystander, NULL, WNOHANG), 0);
	kill(bystander, SIGKILL);
	waitpid(bystander, NULL, 0);
}

static void the_child_inherits_nothing_of_ours(void **state)
{
	(void)state;
	int leak = open("/dev/zero", O_RDONLY); /* no CLOEXEC, as a careless library does */
	struct redis_server *s = start_server();
	CLEANUP(redis_pool_free) struct redis_pool *pool = new_pool(s);
	ask(pool, "SET", "k", "v");
	char path[64], target[256];
	snprintf(path, sizeof(path), "/proc/%d/fd", redis_server_pid(s));
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir));) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		assert_string_not_equal(target, "/dev/zero");
		assert_null(strstr(target, "relay.lock"));
	}
	closedir(dir);
	close(leak);
	redis_server_stop(s);
}

static void a_folder_name_with_odd_characters_works(void **state)
{
	(void)state;
	char odd[100];
	struct redis_server *s = NULL;
	struct err err = ERR_INIT;
	snprintf(odd, sizeof(odd), "%s/a b%%41?@#\xc3\xa4", data_dir);
	if (!start_at(PROGRAM, odd, &s, &err))
		fail_msg("%s", err.message);
	struct redis_pool *pool = new_pool(s);
	ask(pool, "SET", "k", "v");
	redis_pool_free(pool);
	redis_server_stop(s);
}

static void find_program(char *ret, size_t cap)
{
	FILE *found = popen("command -v redis-server || command -v valkey-server", "r");
	assert_non_null(found);
	assert_non_null(fgets(ret, (int)cap, found));
	pclose(found);
	ret[strcspn(ret, "\n")] = '\0';
}

static void valkey_is_taken_where_there_is_no_redis(void **state)
{
	(void)state;
	char program[PATH_MAX], link[100], path[PATH_MAX];
	struct redis_server *s = NULL;
	struct err err = ERR_INIT;
	find_program(program, sizeof(program));
	snprintf(link, sizeof(link), "%s/valkey-server", data_dir);
	assert_int_equal(symlink(program, link), 0);
	snprintf(path, sizeof(path), "%s", getenv("PATH"));
	setenv("PATH", data_dir, 1);
	bool ok = start_at(PROGRAM, data_dir, &s, &err);
	bool other = start_at("keydb-server", data_dir, &s, &err);
	setenv("PATH", path, 1);
	if (!ok)
		fail_msg("%s", err.message);
	assert_false(other);
	redis_server_stop(s);
}

static void what_cannot_start_says_why(void **state)
{
	(void)state;
	struct redis_server *s = NULL;
	struct err err = ERR_INIT;
	assert_false(start_at("no-such-redis-server", data_dir, &s, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_non_null(strstr(err.message, "not in PATH"));
	assert_false(start_at("/etc/passwd", data_dir, &s, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_false(start_at("false", data_dir, &s, &err));
	assert_int_equal(err.code, ERR_SYSTEM);
	assert_non_null(strstr(err.message, "ended at once"));

	char deep[200];
	snprintf(deep, sizeof(deep), "%s/%0100d", data_dir, 0);
	assert_false(start_at(PROGRAM, deep, &s, &err));
	assert_int_equal(err.code, ERR_INPUT);
	assert_non_null(strstr(err.message, "too long"));
}

static int setup(void **state)
{
	(void)state;
	snprintf(data_dir, sizeof(data_dir), "/tmp/viesti-unit-XXXXXX");
	arena = arena_new(4 << 20);
	return arena && mkdtemp(data_dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return nftw(data_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_starts_durable_and_private),
		cmocka_unit_test(OP_03_data_outlive_stop_and_start),
		cmocka_unit_test(OP_03_a_killed_redis_is_back_within_5_s_with_its_data),
		cmocka_unit_test(stop_does_not_wait_for_a_pause_between_starts),
		cmocka_unit_test(a_second_relay_is_refused),
		cmocka_unit_test(redis_ends_with_a_relay_that_is_killed),
		cmocka_unit_test(a_redis_left_over_that_does_not_end_is_killed),
		cmocka_unit_test(another_process_under_the_noted_pid_is_left_alone),
		cmocka_unit_test(the_child_inherits_nothing_of_ours),
		cmocka_unit_test(a_folder_name_with_odd_characters_works),
		cmocka_unit_test(valkey_is_taken_where_there_is_no_redis),
		cmocka_unit_test(what_cannot_start_says_why),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
