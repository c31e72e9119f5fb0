/* system.c: Spotilla's options, most of them guesses that may turn out otherwise (assumptions.c),
 * and a limit of our own: the vendor names none (facts/spotilla.md A3). */
#include "base/base.h"
#include "spotilla_internal.h"

#define OPTIONS struct spotilla_options

static const struct option table[] = {
	{ OPTION_SECTION, NULL, 0, "", "", "Spotilla" },
	SYSTEM_OPTION(URL, url, "SPOTILLA_URL", "https://api.spotilla.fi/api/v3", "",
		      "Base URL of Spotilla's API."),
	SYSTEM_OPTION(TEXT, header_token, "SPOTILLA_HEADER_TOKEN", "X-User-Token", "",
		      "Header that carries the token of the integration key."),
	SYSTEM_OPTION(TEXT, header_user, "SPOTILLA_HEADER_USER", "X-User-Id", "",
		      "Header that carries the user id of the integration key."),
	SYSTEM_OPTION(TEXT, header_subdomain, "SPOTILLA_HEADER_SUBDOMAIN", "X-User-Subdomain", "",
		      "Header that names the tenant."),
	SYSTEM_OPTION(TEXT, header_signature, "SPOTILLA_HEADER_SIGNATURE", "X-Spotilla-Signature",
		      "", "Header of a webhook that holds its signature (a guess)."),
	SYSTEM_OPTION(TEXT, path_customers, "SPOTILLA_PATH_CUSTOMERS", "/customers", "",
		      "Path of the customers below the base URL (a guess)."),
	SYSTEM_OPTION(TEXT, path_products, "SPOTILLA_PATH_PRODUCTS", "/products", "",
		      "Path of the products below the base URL (a guess)."),
	SYSTEM_OPTION(TEXT, path_tasks, "SPOTILLA_PATH_TASKS", "/tasks", "",
		      "Path of the tasks below the base URL (a guess)."),
	SYSTEM_OPTION(TEXT, done_states, "SPOTILLA_DONE_STATES", "done", "",
		      "Task states that count as finished, with commas between them; tenants "
		      "rename theirs "
		      "(a guess)."),
	SYSTEM_OPTION(INT, pace.rate, "SPOTILLA_RATE", "5", "1..100000",
		      "Requests per second and tenant (a guess: the vendor names no limit)."),
	SYSTEM_OPTION(INT, pace.burst, "SPOTILLA_BURST", "5", "1..100000",
		      "Requests that may go at once after a pause, per tenant."),
	SYSTEM_OPTION(INT, pace.concurrency, "SPOTILLA_CONCURRENCY", "4", "1..1000",
		      "Jobs that use one tenant at one time (a guess)."),
	SYSTEM_OPTION(INT, page, "SPOTILLA_PAGE", "100", "1..250",
		      "Records asked for per page (a guess)."),
	SYSTEM_OPTION(ENUM, paging, "SPOTILLA_PAGING", "changes", "changes|numbers",
		      "How lists are read: from change time to change time, which needs them "
		      "sorted by it, "
		      "or by page number alone (a guess)."),
	SYSTEM_OPTION(ENUM, find, "SPOTILLA_FIND", "filter", "filter|scan",
		      "How a customer is found: by a filter, or by reading all of them (a guess)."),
	SYSTEM_OPTION(
		DURATION, overlap_ms, "SPOTILLA_OVERLAP", "10m", "0s..7d",
		"Time before the last change of a task that is read again, for changes that show "
		"late."),
	SYSTEM_OPTION(BOOL, write_back, "SPOTILLA_WRITE_BACK", "true", "",
		      "Tasks are marked with what became of them (a guess)."),
};

/* ---- webhooks (facts/spotilla.md B7) --------------------------------------------------------- */

static bool read_event(struct arena *arena, struct span body, struct sender_event *ret,
		       struct err *err)
{
	struct spotilla_event event;
	if (!spotilla_read_event(arena, body, &event, err))
		return false;
	*ret = (struct sender_event) { .id = event.id, .subject = event.task_id };
	return true;
}

static const struct sender sender = { .max_bytes = (size_t)64 * 1024,
				      .remember_s = (int64_t)7 * 86400,
				      .read = read_event,
				      .header = spotilla_signature_header,
				      .verify = spotilla_check_signature };

const struct system spotilla_system = {
	.name = "spotilla",
	.options = table,
	.n_options = ARRAY_SIZE(table),
	.values_size = sizeof(struct spotilla_options),
	.sender = &sender,
};

const struct spotilla_options *spotilla_options(const struct system_values *v)
{
	return system_values_of(v, &spotilla_system);
}

const char *spotilla_signature_header(const struct system_values *v)
{
	return spotilla_options(v)->header_signature;
}

bool spotilla_limit(const struct system_values *v, const char *subdomain, struct limit_key *ret,
		    struct err *err)
{
	return limit_key_make(ret, spotilla_system.name, &spotilla_options(v)->pace, subdomain,
			      "/credentials/spotilla/subdomain", err);
}
