/*
 * poll.c: which tasks are to be relayed (PC-08): a webhook names one, a poll lists the finished
 * ones. Listed is what changed in the last month, or since the last whole poll, where that is
 * longer ago; after a loss of the store, or where other tasks are meant, all of them again. What is
 * delivered is not handed in, only looked at: has it changed since (facts/spotilla.md B5)?
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "codec/sign.h"
#include "flows/report.h"

#define DAY_MS ((int64_t)86400000)
#define WATCH_MS (31 * DAY_MS)
#define LISTED "tasks.listed" /* from which day on, and when the last whole poll began */

struct poll {
	struct sp *sp;
	struct report *report;
};

static const char *name_of(const struct spotilla_task *task)
{
	return task->number ? task->number : task->id;
}

/* ---- one page ------------------------------------------------------------------------------ */

static bool look_at_sent(struct poll *p, const struct spotilla_task *task,
			 const struct known_transfer *known, struct err *err)
{
	struct arena *arena = p->sp->at->arena;
	const char *hash = task->is_unreadable ? NULL : sp_task_hash(arena, task);
	if (task->is_unreadable || !known->content_hash || !known->content_hash[0])
		return true;
	if (!hash)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!str_eq(hash, known->content_hash))
		report_add(&p->report->changed, arena, name_of(task));
	return true;
}

static bool account_for(struct poll *p, const struct spotilla_task *task, struct err *err)
{
	struct attempt *at = p->sp->at;
	struct known_transfer known = { .exists = false };
	if (!at->ops->known(at, SP_TASK, task->id, &known, err))
		return false;
	p->report->at_source++;
	if (!known.exists) {
		report_add(&p->report->missing, at->arena, name_of(task));
		return true;
	}
	p->report->accounted++;
	if (known.delivered)
		return look_at_sent(p, task, &known, err);
	if (known.state == STATE_WAITING || known.state == STATE_NEEDS_DATA)
		report_add(&p->report->waiting, at->arena, name_of(task));
	return true;
}

/* Handed in unless it was delivered: that it stands among the finished ones is no news then. */
static bool hand_in(struct poll *p, const struct spotilla_task *task, struct poll_item *items,
		    size_t *n, struct err *err)
{
	struct attempt *at = p->sp->at;
	struct known_transfer known = { .exists = false };
	if (!at->ops->known(at, SP_TASK, task->id, &known, err))
		return false;
	if (!known.exists || !known.delivered)
		items[(*n)++] = (struct poll_item) { .kind = SP_TASK,
						     .source_id = task->id,
						     .number = task->number,
						     .changed = task->changed ? task->changed
									      : "" };
	return true;
}

/* First handed in, then looked for: what was handed in and is not there is missing. */
static bool page(void *ctx, const struct spotilla_task *items, size_t n, struct err *err)
{
	struct poll *p = ctx;
	struct attempt *at = p->sp->at;
	struct poll_item *found = arena_alloc_array(at->arena, n + 1, sizeof(*found));
	const struct spotilla_task **own = arena_alloc_array(at->arena, n + 1, sizeof(*own));
	size_t n_own = 0, n_found = 0;
	if (!found || !own)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++) {
		if (!items[i].is_unreadable && !sp_is_after_start(p->sp, items[i].completed_ms))
			continue;
		own[n_own++] = &items[i];
		if (!hand_in(p, &items[i], found, &n_found, err))
			return false;
	}
	if (n_found && !at->ops->found(at, found, n_found, err))
		return false;
	for (size_t i = 0; i < n_own; i++)
		if (!account_for(p, own[i], err))
			return false;
	return true;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static int64_t start_ms(const struct sp_settings *set)
{
	int y, m, d;
	if (!clock_parse_date(span_of(set->from), &y, &m, &d))
		return 0;
	return clock_from_utc(y, m, d, 0, 0, 0) - DAY_MS; /* the day begins earlier in the east */
}

/*
 * Which tasks are meant: "2026-03-01 9f86d081884c7d65", the first day and a digest of the tenant
 * and its finished states. A state that counts as finished from now on has tasks of long ago.
 */
static const char *list_name(struct sp *sp)
{
	unsigned char digest[SHA256_BYTES];
	char hex[17];
	const char *text = sp->spotilla.subdomain;
	for (const char *const *state = sp->spotilla.done_states; text && *state; state++)
		text = arena_printf(sp->at->arena, "%s\n%s", text, *state);
	if (!text)
		return NULL;
	sign_sha256(span_of(text), digest);
	sign_hex(digest, 8, hex);
	return arena_printf(sp->at->arena, "%s %s", sp->set.from, hex);
}

/* The name, a blank, and when the last whole poll of that list began; 0: there was none. */
static int64_t listed_ms(const char *name, const char *kept)
{
	size_t n = strlen(name);
	int64_t ms;
	if (strncmp(kept, name, n) != 0 || kept[n] != ' ' ||
	    !clock_parse_rfc3339(span_of(kept + n + 1), &ms))
		return 0;
	return ms;
}

static bool find_since(struct sp *sp, int64_t now_ms, char ret[CLOCK_RFC3339_MAX], struct err *err)
{
	int64_t since = start_ms(&sp->set), listed;
	const char *kept, *name = list_name(sp);
	if (!name)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!sp->at->ops->kv_get(sp->at, sp->at->conn->id, LISTED, &kept, err))
		return false;
	listed = listed_ms(name, kept);
	if (listed > now_ms - WATCH_MS)
		listed = now_ms - WATCH_MS;
	clock_rfc3339(listed > since ? listed : since, ret);
	return true;
}

static bool keep_place(struct sp *sp, int64_t began_ms, struct err *err)
{
	char began[CLOCK_RFC3339_MAX];
	const char *name = list_name(sp);
	const char *kept = name ? arena_printf(sp->at->arena, "%s %s", name,
					       clock_rfc3339(began_ms, began))
				: NULL;
	if (!kept)
		return err_set(err, ERR_LIMIT, "arena full");
	return sp->at->ops->kv_set(sp->at, sp->at->conn->id, LISTED, kept, 0, err);
}

static bool list_finished(struct sp *sp, const char *since, spotilla_tasks_fn fn, void *ctx,
			  struct err *err)
{
	for (const char *const *state = sp->spotilla.done_states; *state; state++)
		if (!spotilla_tasks(&sp->spotilla, *state, since, fn, ctx, err))
			return false;
	return true;
}

bool sp_poll(struct attempt *at, struct err *err)
{
	int64_t began_ms = clock_wall_ms();
	char since[CLOCK_RFC3339_MAX];
	struct report *report = arena_alloc(at->arena, sizeof(*report));
	struct sp sp;
	struct poll p = { .sp = &sp, .report = report };
	if (!report)
		return err_set(err, ERR_LIMIT, "arena full");
	report->has_waiting = true;
	return sp_open(&sp, at, err) && sp_load_zone(&sp, err) &&
	       find_since(&sp, began_ms, since, err) && list_finished(&sp, since, page, &p, err) &&
	       report_store(at, report, err) && keep_place(&sp, began_ms, err);
}

/* ---- for the check ------------------------------------------------------------------------- */

struct count {
	const struct sp *sp;
	int64_t n;
};

static bool count_page(void *ctx, const struct spotilla_task *items, size_t n, struct err *err)
{
	struct count *c = ctx;
	(void)err; /* nothing can fail */
	for (size_t i = 0; i < n; i++)
		c->n += items[i].is_unreadable ||
			(sp_is_after_start(c->sp, items[i].completed_ms) &&
			 items[i].billing.state != SPOTILLA_BILLING_EXPORTED);
	return true;
}

bool sp_count_waiting(struct sp *sp, int64_t *ret, struct err *err)
{
	struct count c = { .sp = sp };
	char since[CLOCK_RFC3339_MAX];
	clock_rfc3339(start_ms(&sp->set), since);
	if (!list_finished(sp, since, count_page, &c, err))
		return false;
	*ret = c.n;
	return true;
}
