/*
 * alerts.h: mails to a connection's people about what stands still (its setting `error_email`):
 * many failures are one mail, and one more says when all is mended. One thread of its own; nothing
 * waits for it, and without it nothing else changes.
 */
#ifndef WORKER_ALERTS_H
#define WORKER_ALERTS_H

#include "base/base.h"
#include "base/err.h"
#include "net/mail.h"
#include "store/store.h"

struct alerts_options {
	struct store *store;
	struct mail_server server; /* texts outlive the alerts */
	int64_t wait_ms; /* to gather, after the first failure */
	int64_t gap_ms; /* between two mails about failures of one connection */
};

struct alerts;
bool alerts_start(const struct alerts_options *opt, struct alerts **ret,
		  struct err *err) MUST_CHECK;
/* Ends after the mail that is on its way, if any. Accepts NULL. */
void alerts_free(struct alerts *a);

#endif
