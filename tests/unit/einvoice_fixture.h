/*
 * einvoice_fixture.h: one plain invoice from a Finnish or a Norwegian seller, to be changed by a
 * test and written; answers about the document or the refusal.
 */
#ifndef TESTS_UNIT_EINVOICE_FIXTURE_H
#define TESTS_UNIT_EINVOICE_FIXTURE_H

#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "codec/xml.h"
#include "formats/finvoice.h"
#include "formats/peppol.h"

struct fixture {
	struct arena *arena;
	struct invoice inv;
	struct invoice_row rows[4]; /* one is used at first: 10 h at 95 */
	struct bank_account accounts[2]; /* one is used at first */
	struct peppol_options peppol;
	struct finvoice_options finvoice;
	struct span document; /* of the last write */
	const struct xml *root; /* and what it says */
	struct err err;
};

struct decimal dec(const char *text);
void fixture_finnish(struct fixture *f);
void fixture_norwegian(struct fixture *f);
void fixture_release(struct fixture *f);
CLEANUP_FUNC(struct fixture, fixture_release)
/* Adds a row after the first. */
struct invoice_row *fixture_row(struct fixture *f, const char *quantity, const char *price,
				const char *rate, const char *category);
/* Sums up and writes; totals that the test did not set are what the rows make. */
bool fixture_peppol(struct fixture *f);
bool fixture_finvoice(struct fixture *f);
/* Text at a path below the root, NULL when it is absent. */
const char *fixture_at(const struct fixture *f, const char *path);
void assert_at(const struct fixture *f, const char *path, const char *expected);
/* The attribute of the element at the path. */
void assert_attr(const struct fixture *f, const char *path, const char *attr, const char *expected);
/* Of the plain Finnish invoice, changed so that it cannot be told. */
struct fixture_refusal {
	const char *reason;
	void (*change)(struct fixture *f);
};
/* Each is refused as bad data, by its reason. write: fixture_peppol or fixture_finvoice. */
void assert_refused(const struct fixture_refusal *refusals, size_t n,
		    bool (*write)(struct fixture *f));
bool fixture_says(const struct fixture *f, const char *bytes);

#endif
