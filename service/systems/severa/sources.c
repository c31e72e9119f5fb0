/*
 * sources.c: which project a row of an invoice belongs to. A row does not say (facts/severa.md
 * §3.3); the hours, fees and expenses behind it do (§6), and on a credit note those that were given
 * back. A row of several projects belongs to none, and so does a flat rate: what is behind one is
 * read with a right (fees:read) that the invoice flows do not ask for.
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

/* The project of the row at the same place; "" once two were seen. */
static void put_project(const struct invoice *inv, const char **projects, const struct json *source)
{
	const char *row = json_text(json_get(source, "invoiceRowGuid"));
	const char *project = json_text(json_at(source, "project.guid"));
	for (size_t i = 0; row && project && i < inv->n_rows; i++) {
		if (strcasecmp(inv->rows[i].source_id, row) != 0)
			continue;
		bool is_other = projects[i] && strcasecmp(projects[i], project) != 0;
		projects[i] = is_other ? "" : project;
		return;
	}
}

bool severa_row_projects(struct severa *s, struct invoice *inv, struct err *err)
{
	const char **projects = arena_alloc_array(s->at->arena, inv->n_rows + 1, sizeof(*projects));
	if (!projects)
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
			put_project(inv, projects, found.items[k]);
	}
	for (size_t i = 0; i < inv->n_rows; i++)
		inv->rows[i].project_id = projects[i] && projects[i][0] ? projects[i] : NULL;
	return true;
}
