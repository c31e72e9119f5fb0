/*
 * follow_fixture.h: follow-up of what was sent (MV-14) in the queue's scripts: a relay
 * (relay_fixture.h) with one active connection, "c", and the round that a test has in hand. No test
 * waits for a round: pass() makes what the scripts wrote older.
 */
#ifndef TESTS_UNIT_FOLLOW_FIXTURE_H
#define TESTS_UNIT_FOLLOW_FIXTURE_H

#include "relay_fixture.h"

#define MINUTE_MS ((int64_t)60000)
#define DAY_MS (1440 * MINUTE_MS)
#define STEP "deliver"

/* How runs end. */
#define PENDING                                                                     \
	(struct queue_outcome)                                                      \
	{                                                                           \
		.state = STATE_FOLLOWING, .delay_ms = MINUTE_MS, .in_rounds = true, \
		.delivered = true                                                   \
	}
#define DELIVERED                                                                                 \
	(struct queue_outcome)                                                                    \
	{                                                                                         \
		.state = STATE_DONE, .delay_ms = MINUTE_MS, .in_rounds = true, .delivered = true, \
		.watch_ms = 14 * DAY_MS, .word = "DELIVERED"                                      \
	}
#define ENDED(s)                                              \
	(struct queue_outcome)                                \
	{                                                     \
		.state = s, .delay_ms = -1, .delivered = true \
	}
#define BACK                                     \
	(struct queue_outcome)                   \
	{                                        \
		.hand_back = true, .delay_ms = 0 \
	}

/* Who is asked about: the last round taken. */
extern struct queue_round asked;

/* Of a test: an empty Redis with the connection, which nobody polls. */
int follow_empty(void **state);

/* A field of a transfer, "" when absent, and when its round is due; 0: in none. */
const char *field(const char *id, const char *name);
int64_t due_of(const char *id);
struct queue_followed counts(void);

void pass(int64_t ms);
/* why NULL: it goes on. */
void set_pause(const char *why);

/* A document of "c"; ret_id may be NULL. */
void hint_c(const char *source_id, char ret_id[TRANSFER_ID_MAX]);
struct queue_job must_claim_a(enum queue_job_type type);
enum queue_verdict finish_as(const struct queue_job *job, struct queue_outcome o);

/* Sent and followed, with the first verdict pending. */
void deliver(const char *source_id, char ret_id[TRANSFER_ID_MAX]);
/* The round that is due, in this worker's hands. */
struct queue_job take(void);
/* Stores what was heard of all; seen NULL: nothing. The job ends unless more is due. */
void settle(const struct queue_job *job, const char *seen, bool has_news);
/* One round that brings the word as news, and the run that is to judge it. */
struct queue_job hear(const char *word);

#endif
