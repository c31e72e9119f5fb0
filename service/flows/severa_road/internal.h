/* internal.h: what the files of the road share. */
#ifndef SEVERA_ROAD_INTERNAL_H
#define SEVERA_ROAD_INTERNAL_H

#include "base/base.h"
#include "base/map.h"
#include "flows/report.h"
#include "flows/severa_road.h"

#define STEP_STATUS "severa.status"
#define STEP_SEEN "severa.seen" /* in the transfer status, first in this stay; outcome: when */

static inline bool road_pass_on(const struct err *why, struct err *err)
{
	if (err)
		*err = *why;
	return false;
}

/* settings.c */
/* Not opened yet; NULL past the arena's cap. */
struct road *road_new(struct attempt *at) MUST_CHECK;
/* What road_open does, side by side: the settings and Severa, then the target. */
bool road_open_source(struct road *r, struct err *err) MUST_CHECK;
bool road_open_target(struct road *r, struct err *err) MUST_CHECK;

/* company.c */
/* Whose invoice it is, as road_company_from names it; *ret NULL: nobody's. ERR_LIMIT. */
bool road_seller(struct road *r, const struct invoice *inv, const char **ret,
		 struct err *err) MUST_CHECK;
bool road_is_own(struct road *r, const struct invoice *inv, bool *ret, struct err *err) MUST_CHECK;

/* owner.c */
/* The active connection of this flow that relays the company's invoices from the status, when it is
 * another than this one; else NULL. */
bool road_other_owner(struct road *r, const struct severa_status *transfer, const char **ret,
		      struct err *err) MUST_CHECK;
/* ERR_WAITING status_taken while there is one. */
bool road_may_relay(struct road *r, struct err *err) MUST_CHECK;
/* Each poll says anew whose invoices this connection relays. */
bool road_claim(struct road *r, struct err *err) MUST_CHECK;
/* Does some connection relay this company's invoices from our transfer status? */
bool road_is_owned(struct road *r, const char *company, bool *ret, struct err *err) MUST_CHECK;

/* status.c */
bool road_find_statuses(struct road *r, struct err *err) MUST_CHECK;
bool road_stands_in(const struct invoice *inv, const struct severa_status *status);
/* Transfer becomes transferred; inv was read right before. */
bool road_set_transferred(struct road *r, const struct invoice *inv, struct err *err) MUST_CHECK;

/* The intent of STEP_FAILED stands alone: set, with the answer lost, or not carried out. */
bool road_settle_failed(struct road *r, struct err *err) MUST_CHECK;

/* waiting.c */
/* ERR_WAITING not_yet, until the flow's not_before. */
bool road_may_go_now(struct road *r, struct err *err) MUST_CHECK;
/* It has left the transfer status: its next stay begins anew. */
bool road_end_stay(struct road *r, struct err *err) MUST_CHECK;
/* In a dry run: when it would go. */
bool road_note_wait(struct road *r, struct err *err) MUST_CHECK;

/* pickup.c */
struct poll_item road_poll_item(const struct invoice *inv);

/* deliver.c */
bool road_prepare(struct road *r, struct err *err) MUST_CHECK;
/* Of the document as it is; after prepare. Lives as long as its parts. */
void road_identity_of(const struct road *r, struct delivery_identity *ret);
/* As delivery_look_up. */
bool road_look_up(struct road *r, const struct delivery_identity *id, const char **ret_key,
		  struct err *err) MUST_CHECK;
/* A prepared document that was never sent, as far as the store knows: once it is done or an error
 * is left it is at the target once at most. *ret_found: it was there before. */
bool road_deliver(struct road *r, bool *ret_found, struct err *err) MUST_CHECK;
/* Was it sent before the store was lost, perhaps? Only where there is a verdict to follow. */
bool road_may_be_forgotten(const struct road *r, const struct invoice *inv);
/*
 * The document stands in the transferred status and was never sent, as far as the store knows. Sent
 * before a loss, it is followed again (MV-14): *ret. Never sends.
 */
bool road_take_up(struct road *r, bool *ret, struct err *err) MUST_CHECK;
/*
 * What was sent, or may have been: as its intent says. Where that says nothing, as the document is
 * now; deleted_in_doubt when there is none any more.
 */
bool road_identity_of_sent(struct road *r, const struct step *sent, struct delivery_identity *ret,
			   struct err *err) MUST_CHECK;
/*
 * An intent without an outcome (DESIGN §4.6). Before anything else is asked of the document: what
 * it lacks today says nothing of what was sent. True: *sent is done, or none.
 */
bool road_settle_doubt(struct road *r, struct step *sent, struct err *err) MUST_CHECK;

/* payment.c */
/* Delivered, and its payment state is another than the one told last: the flow tells it. */
bool road_tell_payment(struct road *r, const struct step *sent, struct err *err) MUST_CHECK;
/* Sent just now: the target has it as open, whatever the store has forgotten. */
bool road_begin_open(struct road *r, struct err *err) MUST_CHECK;

/* notes.c */
bool road_leave(struct road *r, enum attempt_outcome outcome, const char *code, const char *text);

/* report.c */
#define WATCH_DAYS 31 /* how far back the transferred status is watched */
#define WATCH_OVERLAP_MS ((int64_t)10 * 60 * 1000) /* clocks differ */

/* One poll. */
struct watch {
	struct road *r;
	int64_t began_ms;
	struct report report;
	unsigned hash_checks;
	int64_t untold_ms; /* change of the oldest whose payment state is to be told; 0: none */
	struct map *changed_rows; /* newest stamp by invoice */
	struct map *owned; /* other companies that were asked about; NULL: nobody's */
};

void watch_add(const struct watch *w, struct report_list *l, const struct invoice *inv);
/* Before the listings: what has changed since the last poll. */
bool watch_begin(struct watch *w, struct err *err) MUST_CHECK;
/* A severa_page_fn over the transferred status (SV-04, SV-05). */
bool watch_transferred(void *watch, const struct invoice *items, size_t n, struct err *err);
/* payment.c: hands in the delivered invoices whose payment state is to be told. */
bool watch_payments(struct watch *w, struct err *err) MUST_CHECK;
/* Writes the report, and remembers how far this poll has seen. */
bool watch_end(struct watch *w, struct err *err) MUST_CHECK;

#endif
