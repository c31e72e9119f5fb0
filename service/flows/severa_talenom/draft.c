/*
 * draft.c: an invoice becomes a draft at Talenom, and gets its content (TA-01). Each is a step of
 * its own that a later run takes up: the draft is known by our id, drafts included; the content is
 * put over the version that was read, so that one that arrives late changes nothing. Nothing is
 * booked here.
 */
#include "base/base.h"
#include "internal.h"

/* ---- the draft ----------------------------------------------------------------------------- */

static bool look_up(struct stn *m, const char *external_id, bool *ret_found, struct err *err)
{
	const struct talenom_invoice *list;
	size_t n;
	if (!talenom_invoices_by_external_id(&m->talenom, external_id, &list, &n, err))
		return false;
	if (n > 1)
		return err_reason(err, ERR_DATA, "several_matches", m->road.inv.number,
				  "Talenom has %zu invoices with our id", n);
	*ret_found = n == 1;
	if (n)
		m->draft = list[0];
	return true;
}

bool stn_find_left_draft(struct stn *m, bool *ret_found, struct err *err)
{
	struct attempt *at = m->road.at;
	*ret_found = false;
	for (int64_t g = 1; g < at->generation && !*ret_found; g++) {
		const char *external_id = stn_external_id(at->arena, at->source_id, g);
		if (!external_id)
			return stn_full(err);
		if (!look_up(m, external_id, ret_found, err))
			return false;
		*ret_found = *ret_found && m->draft.is_draft;
	}
	return true;
}

static bool record_draft(struct stn *m, struct err *err)
{
	return m->road.at->ops->step_outcome(m->road.at, STEP_DRAFT, m->draft.id, err);
}

static bool make(struct stn *m, const char *external_id, struct err *err)
{
	struct attempt *at = m->road.at;
	struct err inner = ERR_INIT;
	bool is_found;
	if (!at->ops->step_intent(at, STEP_DRAFT, external_id, err))
		return false;
	if (talenom_draft_add(&m->talenom, m->contact_id, external_id, &m->draft, &inner))
		return record_draft(m, err);
	if (inner.code != ERR_DUPLICATE)
		return road_write_failed(&m->road, STEP_DRAFT, &inner, err);
	if (!look_up(m, external_id, &is_found, &inner))
		return road_write_failed(&m->road, STEP_DRAFT, &inner, err);
	if (is_found)
		return record_draft(m, err);
	inner.code = ERR_SYSTEM; /* a duplicate of something that no look-up finds */
	return road_write_failed(&m->road, STEP_DRAFT, &inner, err);
}

/* It was made once; one that somebody deleted is made again. */
static bool read_made(struct stn *m, const struct step *s, bool *ret_found, struct err *err)
{
	struct err inner = ERR_INIT;
	*ret_found = talenom_invoice(&m->talenom, s->outcome, &m->draft, &inner);
	if (*ret_found)
		return true;
	if (inner.code == ERR_NOT_FOUND)
		return m->road.at->ops->step_outcome(m->road.at, STEP_DRAFT, NULL, err);
	if (err)
		*err = inner;
	return false;
}

static bool find_or_make(struct stn *m, struct err *err)
{
	struct attempt *at = m->road.at;
	const char *external_id = stn_external_id(at->arena, at->source_id, at->generation);
	bool is_found = false;
	struct step s;
	if (!external_id)
		return stn_full(err);
	if (!at->ops->step_get(at, STEP_DRAFT, &s, err))
		return false;
	if (s.state == STEP_DONE && !read_made(m, &s, &is_found, err))
		return false;
	if (is_found)
		return true;
	if (s.state == STEP_NONE && !stn_find_left_draft(m, &is_found, err))
		return false;
	if (is_found)
		return record_draft(m, err);
	if (s.state == STEP_INTENT || m->seen_draft) {
		const char *by = s.state == STEP_INTENT ? external_id : m->seen_draft;
		if (!look_up(m, by, &is_found, err))
			return false;
		if (is_found)
			return record_draft(m, err);
		if (!road_absence_counts(&m->road, STEP_DRAFT, &s, err))
			return false;
	}
	return make(m, external_id, err);
}

/* ---- its content --------------------------------------------------------------------------- */

/* What stands there: the hash of what Severa says, and the version that it got. */
static const char *mark_of(const struct stn *m)
{
	return arena_printf(m->road.at->arena, "%s %s", m->road.hash, m->draft.row_version);
}

static bool record_content(struct stn *m, struct err *err)
{
	const char *mark = mark_of(m);
	return mark ? m->road.at->ops->step_outcome(m->road.at, STEP_CONTENT, mark, err)
		    : stn_full(err);
}

/* As often as it takes, until our version is the newest. */
static bool put(struct stn *m, struct err *err)
{
	struct attempt *at = m->road.at;
	struct talenom_invoice now;
	struct err inner = ERR_INIT;
	struct span body;
	if (!talenom_map_content(&m->talenom, &m->road.inv, &m->draft, &body, err) ||
	    !at->ops->step_intent(at, STEP_CONTENT, NULL, err))
		return false;
	if (talenom_content_put(&m->talenom, m->draft.id, body, &now, &inner)) {
		m->draft = now;
		return record_content(m, err);
	}
	/* Repeated with a new reading, which an older one cannot overtake: no doubt is left. */
	if (inner.code == ERR_DOUBT || inner.code == ERR_CONFLICT)
		inner.code = ERR_OUTAGE;
	return road_write_failed(&m->road, STEP_CONTENT, &inner, err);
}

static bool fill(struct stn *m, struct err *err)
{
	struct attempt *at = m->road.at;
	const char *mark = mark_of(m);
	struct step s;
	if (!mark)
		return stn_full(err);
	if (!at->ops->step_get(at, STEP_CONTENT, &s, err))
		return false;
	return (s.state == STEP_DONE && str_eq(s.outcome, mark)) || put(m, err);
}

/* Our id is that of the invoice, and a draft keeps the contact that it was made for. */
static bool is_for_customer(const struct stn *m, struct err *err)
{
	return str_eq(m->draft.contact_id, m->contact_id) ||
	       err_reason(err, ERR_DATA, "draft_of_another_customer", m->road.inv.number,
			  "Talenom has a draft of invoice %s for another customer",
			  m->road.inv.number);
}

bool stn_draft(struct stn *m, struct err *err)
{
	if (!find_or_make(m, err))
		return false;
	if (!m->draft.is_draft) /* booked there already: looked at when it is sent */
		return true;
	return is_for_customer(m, err) && fill(m, err) &&
	       talenom_check_sum(&m->draft, &m->road.inv, err);
}
