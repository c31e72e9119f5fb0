/*
 * main.c: viesti-sandbox: reads the command line, starts, prints one JSON line when ready, and
 * stops on SIGINT or SIGTERM.
 *
 * Threads: this one waits for signals; libmicrohttpd's server threads serve; one timer thread wakes
 * suspended calls.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "codec/xml.h"
#include "faults.h"
#include "net/http.h"
#include "requests.h"
#include "server.h"
#include "timers.h"

#include <getopt.h>
#include <signal.h>

static const char usage[] =
	"usage: viesti-sandbox [--port N] [--port-file FILE] [--bind ADDRESS] [--seed demo|empty]\n"
	"                      [--severa-rate N] [--netvisor-strict 0|1] [--tenants M]\n"
	"                      [--invoices N] [--open-control] [--log-bodies 0|1]\n"
	"Stand-ins for the systems that Viesti speaks to. See tests/sandbox/README.md.\n";

enum option_code {
	OPT_PORT = 256,
	OPT_PORT_FILE,
	OPT_BIND,
	OPT_SEED,
	OPT_SEVERA_RATE,
	OPT_NETVISOR_STRICT,
	OPT_TENANTS,
	OPT_INVOICES,
	OPT_OPEN_CONTROL,
	OPT_LOG_BODIES,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "port", required_argument, NULL, OPT_PORT },
	{ "port-file", required_argument, NULL, OPT_PORT_FILE },
	{ "bind", required_argument, NULL, OPT_BIND },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "severa-rate", required_argument, NULL, OPT_SEVERA_RATE },
	{ "netvisor-strict", required_argument, NULL, OPT_NETVISOR_STRICT },
	{ "tenants", required_argument, NULL, OPT_TENANTS },
	{ "invoices", required_argument, NULL, OPT_INVOICES },
	{ "open-control", no_argument, NULL, OPT_OPEN_CONTROL },
	{ "log-bodies", required_argument, NULL, OPT_LOG_BODIES },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

static bool number(const char *text, unsigned long max, unsigned *ret)
{
	char *end;
	errno = 0;
	unsigned long v = strtoul(text, &end, 10);
	if (errno || end == text || *end || v > max || strchr(text, '-'))
		return false;
	*ret = (unsigned)v;
	return true;
}

static bool flag(const char *text, bool *ret)
{
	unsigned v;
	if (!number(text, 1, &v))
		return false;
	*ret = v;
	return true;
}

static bool seed_name(const char *text, bool *ret_demo)
{
	*ret_demo = strcmp(text, "demo") == 0;
	return *ret_demo || strcmp(text, "empty") == 0;
}

static bool set_option(struct sandbox_options *o, int code, const char *value)
{
	unsigned port;
	switch (code) {
	case OPT_PORT:
		if (!number(value, 65535, &port))
			return false;
		o->port = (uint16_t)port;
		return true;
	case OPT_PORT_FILE:
		o->port_file = value;
		return true;
	case OPT_BIND:
		o->bind_address = value;
		return true;
	case OPT_SEED:
		return seed_name(value, &o->seed_demo);
	case OPT_SEVERA_RATE:
		return number(value, 1000000, &o->severa_rate);
	case OPT_NETVISOR_STRICT:
		return flag(value, &o->netvisor_strict);
	case OPT_TENANTS:
		return number(value, 1500, &o->tenants);
	case OPT_INVOICES:
		return number(value, 100000, &o->invoices);
	case OPT_OPEN_CONTROL:
		o->open_control = true;
		return true;
	case OPT_LOG_BODIES:
		return flag(value, &o->log_bodies);
	default:
		return false;
	}
}

/* 0: go on; else exit with ret_code. */
static bool read_options(int argc, char **argv, struct sandbox_options *o, int *ret_code)
{
	int code;
	while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (code == OPT_HELP) {
			fputs(usage, stdout);
			*ret_code = 0;
			return false;
		}
		if (!set_option(o, code, optarg)) {
			fputs(usage, stderr);
			*ret_code = 2;
			return false;
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		*ret_code = 2;
		return false;
	}
	return true;
}

/* Written beside and renamed, so that a reader never sees half a number. */
static bool write_port_file(const struct sandbox *sb, struct err *err)
{
	const char *path = sb->options.port_file;
	char temp[4096];
	if (!path)
		return true;
	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return err_set(err, ERR_INPUT, "the name of the port file is too long");
	FILE *f = fopen(temp, "w");
	if (!f)
		return err_errno(err, ERR_SYSTEM, errno, "%s", temp);
	bool ok = fprintf(f, "%u\n", sb->port) > 0;
	ok = fclose(f) == 0 && ok;
	if (!ok || rename(temp, path) != 0)
		return err_errno(err, ERR_SYSTEM, errno, "%s", path);
	return true;
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static bool start(struct sandbox *sb, struct err *err)
{
	pthread_mutex_init(&sb->world_lock, NULL);
	sb->faults = faults_new();
	sb->requests = requests_new(sb->options.log_bodies);
	sb->timers = timers_new();
	if (!sb->faults || !sb->requests || !sb->timers)
		return err_set(err, ERR_MEMORY, "out of memory");
	return http_global_init(err) && world_reset(sb, sb->options.seed_demo, err) &&
	       server_start(sb, &sb->server, err) && write_port_file(sb, err);
}

static void stop(struct sandbox *sb)
{
	timers_stop(sb->timers);
	server_stop(sb->server);
	timers_free(sb->timers);
	world_unref(sb->world);
	faults_free(sb->faults);
	requests_free(sb->requests);
	pthread_mutex_destroy(&sb->world_lock);
}

int main(int argc, char **argv)
{
	struct sandbox sb = { .options = { .bind_address = "127.0.0.1",
					   .seed_demo = true,
					   .severa_rate = 10,
					   .netvisor_strict = true,
					   .log_bodies = true } };
	struct err err = ERR_INIT;
	sigset_t signals;
	int code = 0;
	if (!read_options(argc, argv, &sb.options, &code))
		return code;
	alloc_init();
	xml_global_init();
	block_signals(&signals);
	if (start(&sb, &err)) {
		int got;
		printf("{\"event\":\"ready\",\"port\":%u,\"pid\":%ld}\n", sb.port, (long)getpid());
		fflush(stdout);
		sigwait(&signals, &got);
	} else {
		fprintf(stderr, "viesti-sandbox: %s\n", err.message);
		code = 1;
	}
	stop(&sb);
	http_global_release();
	xml_global_release();
	return code;
}
