/*
 * register.h: register syncs: customers, products, dimension items kept alike in two systems
 * (PC-04..PC-06, NV-02..NV-10). A flow brings a constant table of them; worker/sync*.c drives it. A
 * contract open to all folders.
 *
 * A run (queue/runs.h) is one pass over one or more registers of a connection, in the order in
 * which one needs the other. It is cut into slices, jobs of limited time; after a kill it goes on
 * from the last page whose outcomes are durable. Per register:
 *
 *  1. links	where the links are not known to be whole (first run, Redis lost data, another
 *		company, ordered by a person), the target is listed once, and its records are known
 *		by business key. Nothing is created before that is through.
 *  2. again	what stood still before (failed at the target, waiting) is read and tried anew.
 *  3. list	the source, page by page, since the last run less an overlap.
 *  4. settle	creations whose outcome nobody knows are looked for (DESIGN §4.6).
 *
 * For each record: skipped, waiting or failed, as `map` says; unchanged, where source and link say
 * so; else it is linked, created or updated at the target. A creation has its intent before and
 * its outcome after, a page of them in one durable write each; an intent without outcome is looked
 * for (`find`) before anything is created again. Records of a page are worked on side by side by
 * workers that have nothing else to do, unless a limit of the connection is one job at a time.
 */
#ifndef REGISTER_H
#define REGISTER_H

#include "base/base.h"
#include "attempt.h"
#include "codec/json.h"
#include "model/record_link.h"

#define REGISTER_NAME_MAX 32
#define REGISTERS_MAX 16 /* of a flow */
#define REGISTER_PAGE_MAX 250 /* records, and records of the target per page */
#define REGISTER_KEYS_MAX 4
#define REGISTER_OVERLAP_MIN_MS ((int64_t)65 * 60 * 1000)

/* Where the records come from: of the link's two sides, the one that is listed. */
enum register_direction {
	REGISTER_FORWARD, /* left to right: from the flow's source system to its target */
	REGISTER_BACK /* right to left */
};

/* A field as it is to stand at the target, defaults included: what differs there is an edit. */
struct register_value {
	const char *name; /* two registers of one kind name their fields alike */
	const char *value; /* NULL: empty at the source */
	/* Set by the driver before `update`: differs from what was synchronised last. One that is
	 * empty now is only changed when it was not empty then (NV-05). */
	bool is_changed;
};

/* A record of the target. */
struct register_match {
	const char *id; /* at the target */
	const char *version; /* NULL: unknown */
	/* `list_target`: the business keys under which it is found, as `map` writes them. */
	const char *const *keys;
	size_t n_keys;
	const char *taken_by; /* set by the driver: the record of the source that it is linked with;
				 NULL: none */
	const char *note; /* what `match` wants to know of it; at most 200 bytes; NULL: nothing */
	/*
	 * Its fields, as far as the listing tells them, named as `map` does: what is so already is
	 * not written again. n_values 0: not known. With create_only they tell the register that
	 * goes back what was edited since: what differs from the values of `map` (PC-06).
	 */
	const struct link_value *values;
	size_t n_values;
};

struct register_record {
	/* By list and read, in at->arena. */
	const char *id; /* at the source */
	const char *version; /* the source's stamp of its last change; NULL: it has none */
	const char *label; /* for people: "SP-1042 Kiinteistöhuolto Esimerkki Oy" */
	const void *data; /* the flow's own */
	/* By map. */
	const char *skip; /* a reason (model/reason.h): it is not to be synchronised, and that is
			     right so */
	/*
	 * Business keys, the strongest first: "ref:501234", "business_id:2817345-6". The first that
	 * is known at the target decides: one record there is this one, several are an error.
	 */
	const char *keys[REGISTER_KEYS_MAX];
	size_t n_keys;
	const char *lease; /* its name for record_lease (attempt.h); NULL: none */
	struct register_value *values;
	size_t n_values;
	/* By the driver, before find, create, update and tell; link NULL: there is none. */
	const struct record_link *link;
	/* By find. */
	const struct register_match *found;
	size_t n_found;
};

/* Where a listing goes on. */
struct register_cursor {
	int64_t since_ms; /* wall: what changed at that time or later; 0: everything */
	const char *page; /* what the page before gave as next; NULL: the first */
};

/*
 * A page, all of it in at->arena. `next` is durable and may be used days later, by another process:
 * it names a place, not a position in a list that moves (a record must not be passed over because
 * another changed meanwhile). NULL: this was the last page.
 */
struct register_page {
	struct register_record *records; /* at most REGISTER_PAGE_MAX */
	size_t n;
	const char *next; /* at most 500 bytes */
};
struct register_matches {
	const struct register_match *items; /* at most REGISTER_PAGE_MAX */
	size_t n;
	const char *next;
};

/* What a write left at the target, in at->arena. */
struct register_done {
	const char *id; /* of create (but see id_by_find); update may leave it NULL */
	const char *version; /* what the answer says; NULL: unknown */
	const char *source_version; /* of tell: the source's new stamp; NULL: as it was */
};

/*
 * at->kind is the register's name. All members run on worker threads and may block, unless they say
 * otherwise. What fails as a whole (outage, quota, credentials, lease, busy) ends the slice and is
 * tried again by meaning (DESIGN §4.10); ERR_DATA and its like fail the one record; ERR_WAITING
 * makes it wait. Each failure has a reason of model/reason.c.
 */
struct register_sync {
	const char *name; /* "customers": in runs, metrics, REST; unique in the flow */
	const char *title; /* "Customers, Spotilla → Procountor" */
	const char *kind; /* of the links; two registers that go both ways share it */
	const char *after; /* names, separated by blanks: those come first in a run; NULL: none */
	enum register_direction direction;
	bool create_only; /* what is linked is never written again (PC-04, NV-06) */
	/*
	 * {"interval_s":2400} or {"times":["02:00"],"time_zone":"Europe/Helsinki"}. NULL: with each
	 * poll of the connection, which begins when the run is through.
	 */
	const char *schedule;
	/*
	 * Any thread, no I/O: do these settings want it? *ret_schedule is `schedule` and may be set
	 * to another. NULL: always.
	 */
	bool (*wanted)(struct arena *arena, const struct json *settings, const char **ret_schedule);
	/* link_table.scope: the company at the right side; and that at the left, where ids of its
	 * records are not unique beyond it. Required. */
	bool (*scope)(struct attempt *at, const char **ret, struct err *err);
	/* A page of the source. Required. */
	bool (*list)(struct attempt *at, const struct register_cursor *from,
		     struct register_page *ret, struct err *err);
	/* Records of the source by id, at most read_max; one that is gone is left out. Required. */
	bool (*read)(struct attempt *at, const char *const *ids, size_t n,
		     struct register_page *ret, struct err *err);
	size_t read_max; /* 0: REGISTER_PAGE_MAX */
	/*
	 * What the record is to be at the target, or why it cannot be. No vendor call; may read
	 * links of other registers (at->ops->links). `link` is set. Required.
	 */
	bool (*map)(struct attempt *at, struct register_record *r, struct err *err);
	/*
	 * A page of the target with business keys: all of it, for the links. NULL: every record
	 * without a link is asked for with `find`.
	 */
	bool (*list_target)(struct attempt *at, const struct register_cursor *from,
			    struct register_matches *ret, struct err *err);
	/*
	 * Looks for records at the target by business key: sets found of each; drafts and passive
	 * ones count. At most find_max (0: one) per call. Side by side. Required.
	 */
	bool (*find)(struct attempt *at, struct register_record *const *records, size_t n,
		     struct err *err);
	size_t find_max;
	/*
	 * A record of the target that has a key of this one: may it be this one? An error says why
	 * not ("number taken"), and fails the record. One that is linked with another record is
	 * never taken for this one, whatever is said. No I/O. NULL: it may.
	 */
	bool (*match)(const struct register_record *r, const struct register_match *m,
		      struct err *err);
	/*
	 * What is linked with a record that the source has deleted (`read` leaves it out) is free
	 * for another one with its key, where `match` lets it: made anew with the same number, it
	 * is the same one.
	 */
	bool heirs;
	/*
	 * The target does not say under which id it made a record: create may leave ret->id NULL.
	 * Those of a page are then looked for behind its writes, find_max at a time; one that is
	 * not found is in doubt.
	 */
	bool id_by_find;
	/* Makes the record at the target. Side by side. Required. */
	bool (*create)(struct attempt *at, const struct register_record *r,
		       struct register_done *ret, struct err *err);
	/* Writes the changed values, and only those. Side by side. NULL with create_only. */
	bool (*update)(struct attempt *at, const struct register_record *r,
		       struct register_done *ret, struct err *err);
	/*
	 * Writes the new link down at the source (external_ref), where it is not yet: once per
	 * link, behind create or find. Where it fails the link stands all the same. May be NULL.
	 */
	bool (*tell)(struct attempt *at, const struct register_record *r, const char *target_id,
		     struct register_done *ret, struct err *err);
};

#endif
