/*
 * metrics.h: counters that any folder may bump, read by /metrics. Closed list, labels per flow,
 * system, state: never per invoice or connection.
 *
 * Thread-safe; a leaf lock, no I/O. A bump beyond the table's room is dropped and counted.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "base/base.h"

/* id, Prometheus name, name of label 1, name of label 2 ("" none), help */
#define METRICS(X)                                                                                 \
	X(WEBHOOKS, "viesti_webhooks_total", "flow", "result", "Webhooks by what became of them.") \
	X(ATTEMPTS, "viesti_attempts_total", "flow", "outcome", "Runs of flows by outcome.")       \
	X(DELIVERED, "viesti_delivered_total", "flow", "kind", "Documents delivered.")             \
	X(VENDOR_CALLS, "viesti_vendor_calls_total", "system", "verdict",                          \
	  "Calls to outside systems by verdict.")                                                  \
	X(LEASES_LOST, "viesti_leases_lost_total", "flow", "",                                     \
	  "Jobs taken over by another worker.")                                                    \
	X(POLLS, "viesti_polls_total", "flow", "outcome", "Polls of sources by outcome.")          \
	X(FOLLOWS, "viesti_follows_total", "flow", "outcome",                                      \
	  "Rounds of follow-up: targets asked for what was sent, by outcome.")                     \
	X(REDIS_AWAY, "viesti_redis_away_total", "part", "",                                       \
	  "Times that Redis was not reachable.")                                                   \
	X(COMMITS, "viesti_intake_commits_total", "", "", "Group commits of the intake.")          \
	X(REGISTER_RUNS, "viesti_register_runs_total", "flow", "outcome",                          \
	  "Register runs by how they ended.")                                                      \
	X(REGISTER_PASSES, "viesti_register_passes_total", "register", "outcome",                  \
	  "Passes over one register, named flow/register.")                                        \
	X(REGISTER_RECORDS, "viesti_register_records_total", "register", "outcome",                \
	  "Records of registers by what became of them.")                                          \
	X(COMMITTED, "viesti_intake_committed_total", "", "", "Webhooks in group commits.")

enum metric {
#define X(id, name, label1, label2, help) METRIC_##id,
	METRICS(X)
#undef X
		N_METRICS
};

struct metrics;
/* NULL when out of memory. */
struct metrics *metrics_new(void) MUST_CHECK;
void metrics_free(struct metrics *m); /* accepts NULL */
/* Adds n; labels are cut at 39 bytes, NULL is "". m may be NULL (nothing happens). */
void metrics_add(struct metrics *m, enum metric id, const char *label1, const char *label2,
		 uint64_t n);

struct strbuf;
/* Prometheus text format 0.0.4, with HELP and TYPE. m may be NULL. */
void metrics_write(struct metrics *m, struct strbuf *out);
/* A quoted label value, escaped. */
void metrics_label(struct strbuf *out, const char *value);

#endif
