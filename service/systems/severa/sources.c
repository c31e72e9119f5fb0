/*
 * sources.c: which project, and which phase of it, a row of an invoice belongs to. A row does not
 * say (facts/severa.md §3.3); the hours, fees and expenses behind it do (§6), and on a credit note
 * those that were given back. A row of several projects belongs to none, and so does a flat rate:
 * what is behind one is read with a right (fees:read) that the invoice flows do not ask for.
 */
#include "base/base.h"
#include "severa_internal.h"

static const struct {
	const char *path, *what;
	enum severa_paging paging;
	bool of_credit_note;
} lists[] = {
	{ "/v1/invoices/{}/workhours", "read hours behind the rows", SEVERA_BY_TOKEN, false },
	{ "/v1/invoices/{}/projectfees", "read fees behind the rows", SEVERA_BY_TOKEN, false },
	{ "/v1/invoices/{}/projecttravelexpenses", "read expenses behind the rows", SEVERA_BY_TOKEN,
	  false },
	{ "/v1/invoices/{}/reimbursedworkhours", "read hours behind the rows", SEVERA_BY_ROW,
	  true },
	{ "/v1/invoices/{}/reimbursedprojectfees", "read fees behind the rows", SEVERA_BY_TOKEN,
	  true },
	{ "/v1/invoices/{}/reimbursedprojecttravelexpenses", "read expenses behind the rows",
	  SEVERA_BY_ROW, true },
};

/* What was seen behind a row; "" once two were, or one without. */
struct source {
	const char *project, *phase;
};

static void put(const char **to, const char *id, bool is_first)
{
	bool is_same = id && *to && strcasecmp(*to, id) == 0;
	if (is_first)
		*to = id ? id : "";
	else if (!is_same)
		*to = "";
}

static void put_source(const struct invoice *inv, struct source *sources, const struct json *j)
{
	const char *row = json_text(json_get(j, "invoiceRowGuid"));
	const char *project = json_text(json_at(j, "project.guid"));
	for (size_t i = 0; row && project && i < inv->n_rows; i++) {
		if (strcasecmp(inv->rows[i].source_id, row) != 0)
			continue;
		bool is_first = !sources[i].project;
		put(&sources[i].project, project, is_first);
		put(&sources[i].phase, json_text(json_at(j, "phase.guid")), is_first);
		return;
	}
}

static const char *one(const char *id)
{
	return id && id[0] ? id : NULL;
}

bool severa_row_projects(struct severa *s, struct invoice *inv, struct err *err)
{
	struct source *sources = arena_alloc_array(s->at->arena, inv->n_rows + 1, sizeof(*sources));
	if (!sources)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct severa_rows found;
		struct severa_list list = { .what = lists[i].what,
					    .paging = lists[i].paging,
					    .is_seen = true };
		if (lists[i].of_credit_note && !inv->is_credit_note)
			continue;
		list.path = severa_path(s, lists[i].path, inv->source_id);
		if (!severa_all(s, &list, &found, err))
			return false;
		for (size_t k = 0; k < found.n; k++)
			put_source(inv, sources, found.items[k]);
	}
	for (size_t i = 0; i < inv->n_rows; i++) {
		inv->rows[i].project_id = one(sources[i].project);
		inv->rows[i].phase_id = one(sources[i].project) ? one(sources[i].phase) : NULL;
	}
	return true;
}
