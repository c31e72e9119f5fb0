/* report.c: writes the report of a poll (flows/report.h). */
#include "base/base.h"
#include "flows/report.h"

#include "base/clock.h"
#include "codec/json.h"

void report_add(struct report_list *l, struct arena *arena, const char *name)
{
	if (l->n < REPORT_NAMES_MAX)
		l->names[l->n] = arena_strdup(arena, name);
	l->n++;
}

static void write_codes(const struct report *r, struct json_writer *j)
{
	jsonw_key(j, "unknown_codes");
	jsonw_array(j);
	for (size_t i = 0; i < r->n_codes && i < REPORT_NAMES_MAX; i++) {
		jsonw_object(j);
		jsonw_kstr(j, "code", r->codes[i].code);
		jsonw_kint(j, "rows", r->codes[i].rows);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

static void write_lists(const struct report *r, struct json_writer *j)
{
	const struct {
		const char *name;
		const struct report_list *list;
	} lists[] = { { "missing", &r->missing },
		      { "never_relayed", &r->never_relayed },
		      { "changed_after_transfer", &r->changed },
		      { "unowned", &r->unowned },
		      { "waiting", &r->waiting } };
	size_t n = ARRAY_SIZE(lists) - !r->has_waiting;
	for (size_t k = 0; k < n; k++) {
		const struct report_list *l = lists[k].list;
		jsonw_key(j, lists[k].name);
		jsonw_array(j);
		for (size_t i = 0; i < l->n && i < REPORT_NAMES_MAX; i++)
			jsonw_str(j, l->names[i]);
		jsonw_end_array(j);
	}
	if (r->has_codes)
		write_codes(r, j);
	jsonw_key(j, "counts"); /* whole, where a list names the first alone */
	jsonw_object(j);
	for (size_t k = 0; k < n; k++)
		jsonw_kint(j, lists[k].name, (int64_t)lists[k].list->n);
	if (r->has_codes)
		jsonw_kint(j, "unknown_codes", (int64_t)r->n_codes);
	jsonw_end_object(j);
}

bool report_store(struct attempt *at, const struct report *report, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(at->arena, 256 << 10);
	struct json_writer j = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_object(&j);
	jsonw_ktime(&j, "at", clock_wall_ms());
	jsonw_kint(&j, "at_source", report->at_source);
	jsonw_kint(&j, "accounted", report->accounted);
	write_lists(report, &j);
	jsonw_end_object(&j);
	return strbuf_finish(&sb, &text, err) && at->ops->report(at, text, err);
}
