/* alert_text.h: the words of a mail. Private to worker/. Pure. */
#ifndef WORKER_ALERT_TEXT_H
#define WORKER_ALERT_TEXT_H

#include "base/base.h"
#include "base/arena.h"
#include "store/store.h"

struct alert_words {
	const char *language; /* "en", "fi", "nb" */
	const char *conn, *name; /* id and name of the connection */
	enum alert_kind kind;
	int64_t standing, n_new;
	const struct transfer *items; /* the first of the new ones */
	size_t n_items;
	const struct store_alarm *alarms; /* of registers */
	size_t n_alarms;
};
bool alert_text(struct arena *arena, const struct alert_words *w, const char **ret_subject,
		const char **ret_text, struct err *err) MUST_CHECK;

#endif
