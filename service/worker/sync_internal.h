/* sync_internal.h: what the files of register runs share; private to sync*.c. */
#ifndef WORKER_SYNC_INTERNAL_H
#define WORKER_SYNC_INTERNAL_H

#include "base/base.h"

#include "crew.h"
#include "queue/runs.h"
#include "store/links.h"
#include "sync.h"

/* So long a slice goes on, and so long a page is written to before it is cut. */
#define SLICE_MS 5000

#define LOOKUPS_APART_MS 2000 /* two empty look-ups that count */

/* One hand's own attempt: its arena is empty again after each record. */
struct lane {
	struct run *run;
	struct attempt_impl impl;
	struct attempt at;
};

/* Where a record stands on its way through a page. */
enum rec_todo {
	TODO_NOTHING,
	TODO_FIND,
	TODO_CREATE,
	TODO_UPDATE,
	TODO_TELL,
	TODO_LEARN /* made; its id is looked for (register_sync.id_by_find) */
};
enum rec_end {
	END_OPEN, /* nothing was tried, or it came to nothing: met again with its page */
	END_CREATED,
	END_UPDATED,
	END_LINKED,
	END_UNCHANGED,
	END_SKIPPED,
	END_WAITING,
	END_FAILED,
	END_IN_DOUBT
};

struct rec {
	struct register_record *r;
	struct stored_link stored; /* as it was */
	struct record_link link; /* as it is to be */
	bool has_news; /* the link is to be stored */
	bool is_linked; /* found at the target, and not linked before */
	enum rec_todo todo;
	enum rec_end end;
	bool has_intent; /* ours is open */
	bool intends; /* it was made for this page */
	bool is_first; /* and no other job was at the record since the walk of the target */
	bool has_looked; /* it was asked for at the target */
	bool is_absent; /* the target does not have it, and that does not count yet */
	bool has_tried; /* the target had its say: tried again by itself when it fails */
	struct register_match *found; /* in the page's arena */
	size_t n_found;
	struct err *why; /* failed, waiting, in doubt; in the page's arena */
};

struct page {
	struct arena *arena; /* of all that was read and mapped */
	bool is_listed; /* ahead of its time */
	bool has_twins; /* records that want to be one at the target: met again behind the first */
	struct register_page got;
	struct rec *recs;
	size_t n; /* of those that are not through already */
	struct map *taken; /* id at the target: the record of the page that has it; under s->lock */
	enum run_page kind;
	const char *const *gone; /* ids that were asked for: what was not answered is gone */
	size_t n_gone;
};

struct slice {
	struct run *run;
	const struct run_context *ctx;
	const struct flow *flow;
	const struct connection *conn;
	struct arena *arena; /* what lives as long as the slice */
	struct run_hold hold;
	struct register_run rec;
	struct store_epoch epoch;
	char settings[33]; /* digest of the connection's settings */
	int64_t end_ms; /* monotonic: no further page is begun then */
	bool is_cancelled;
	/* The register that is at work. */
	const struct register_sync *reg;
	struct link_table table;
	char basis[33]; /* digest of the store's epoch and of the table's scope */
	struct run_place place;
	struct register_state state;
	bool maps_all; /* the source's stamp alone says nothing: the settings may be others */
	struct page pages[2]; /* the one at work, and the next, read ahead */
	unsigned at_page;
	struct lane lanes[CREW_HANDS_MAX];
	size_t hands; /* as many as are of use */
	int64_t n_calls; /* not stored yet */
	pthread_mutex_t lock; /* a leaf, over what hands leave: texts in the page's arena, and: */
	struct err stop; /* why a page is not gone on with; ERR_NONE: it is */
	int64_t page_end_ms; /* monotonic: nothing more of the page is begun then */
	int n_doubts; /* creations of the page that were left without an answer */
};

static inline enum link_side source_side(const struct slice *s)
{
	return s->reg->direction == REGISTER_FORWARD ? LINK_LEFT : LINK_RIGHT;
}
static inline size_t register_read_max(const struct register_sync *reg)
{
	return reg->read_max && reg->read_max < REGISTER_PAGE_MAX ? reg->read_max
								  : REGISTER_PAGE_MAX;
}
static inline struct page *page_of(struct slice *s)
{
	return &s->pages[s->at_page];
}

/* sync.c */
/* An attempt of this hand, whose results go to the arena; NULL arena: its own, emptied now. NULL
 * without memory. */
struct attempt *slice_attempt(struct slice *s, size_t hand, const struct run_context *ctx,
			      struct arena *arena);
/* Does this failure end the slice, whatever record it met? */
bool slice_stops(const struct err *err);
/* The page is not gone on with; the first reason counts. */
void slice_stop(struct slice *s, const struct err *why);
/* What the hands have called since this was last asked; the page's commit stores it. */
int64_t slice_calls(struct slice *s);
/* Those of them that were writes, likewise. */
int64_t slice_writes(struct slice *s);
/* How many hands the connection's limits allow. */
size_t slice_hands_max(const struct slice *s);

/* sync_register.c */
/* The next one to go on with, in the order in which one needs the other; NULL: all are over. */
struct run_register *register_next(struct slice *s);
/* It is s->reg from now on; or over at once, where the settings do not want it any more. */
bool register_take_up(struct slice *s, struct run_register *r, struct err *err) MUST_CHECK;
/* One page, or the move to the next phase; s->reg is NULL when it is over. */
bool register_step(struct slice *s, struct err *err) MUST_CHECK;
/* It is over in this run; why NULL: done, else given up. */
bool register_close(struct slice *s, const char *name, const struct err *why,
		    struct err *err) MUST_CHECK;
/* A page of the source, into the page's arena. */
bool slice_list(struct slice *s, struct page *p, const char *from, size_t hand,
		const struct run_context *ctx, struct err *err) MUST_CHECK;

/* sync_page.c */
/*
 * All that is to be done with the records of the page, and what came of it, stored with the next
 * place. ahead: the place in the listing to read the next page from meanwhile; NULL: none. False:
 * the page is to be met again; what was settled of it is stored.
 */
bool page_run(struct slice *s, const struct run_place *next, const struct register_state *state,
	      const char *ahead, struct err *err) MUST_CHECK;
/* Marks what was found and is linked with another record of the source. Texts in arena. */
bool page_mark_taken(struct slice *s, struct arena *arena, struct rec *recs, size_t n,
		     struct err *err) MUST_CHECK;

/* sync_hands.c */
/* All that are to be found, or whose id is to be learned, or that are to be written; ahead: as
 * page_run. False: the slice ends. */
bool page_find(struct slice *s, struct page *p, struct err *err) MUST_CHECK;
bool page_learn(struct slice *s, struct page *p, struct err *err) MUST_CHECK;
bool page_write(struct slice *s, struct page *p, const char *ahead, struct err *err) MUST_CHECK;

/* sync_store.c */
/* Fills items and counts of the commit, and stores it. */
bool page_store(struct slice *s, struct page *p, struct run_commit *c, struct err *err) MUST_CHECK;

/* sync_record.c */
/* What is to be done with the record; err: only what ends the slice. */
bool record_sort(struct slice *s, struct attempt *at, struct rec *rec, struct err *err) MUST_CHECK;
/* Which of what was found it is, if any: linked then, or failed. No other of the page has that.
 * False: the slice ends. */
bool record_resolve(struct slice *s, struct rec *rec);
/* Ends so, for that reason. False: the slice ends (s->stop says why). */
bool record_ends(struct slice *s, struct rec *rec, enum rec_end end, const struct err *why);
/* Made, and looked for: it has its link now, or is in doubt. */
void record_learn(struct slice *s, struct attempt *at, struct rec *rec);
/* Ends as failed, waiting or in doubt; false when the failure ends the slice. */
bool record_fails(struct slice *s, struct rec *rec, const struct err *why);
/* The parts of a crew. */
bool record_find(struct slice *s, struct attempt *at, struct rec *const *recs, size_t n);
bool record_write(struct slice *s, struct attempt *at, struct rec *rec);

#endif
