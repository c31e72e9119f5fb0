/*
 * assumptions.c: every guess about Spotilla in one place. The vendor's API is not public but for
 * its host, /api/v3 and three headers (facts/spotilla.md A3); all else is a plain surface that we
 * assume (part B), until its documents or a test tenant say otherwise. What an operator may have
 * to change before there is a new release is an option (system.c):
 *
 *   paths of the registers             VIESTI_SPOTILLA_PATH_CUSTOMERS, _PRODUCTS, _TASKS (B3 to B5)
 *   names of the headers               VIESTI_SPOTILLA_HEADER_TOKEN, _USER, _SUBDOMAIN (public),
 *                                      _SIGNATURE (B7)
 *   states that count as finished      VIESTI_SPOTILLA_DONE_STATES  done     (B5)
 *   records a page, at most            VIESTI_SPOTILLA_PAGE         100      (B2)
 *   lists are sorted by change time    VIESTI_SPOTILLA_PAGING       changes  (B2)
 *   filters by business id, number     VIESTI_SPOTILLA_FIND         filter   (not in B3)
 *   how late a change may show         VIESTI_SPOTILLA_OVERLAP      10m
 *   tasks can be marked                VIESTI_SPOTILLA_WRITE_BACK   true     (B5)
 *   calls per second and tenant        VIESTI_SPOTILLA_RATE, _BURST, _CONCURRENCY
 *
 * The rest is here, or stands where it is used:
 *
 *   a 404 is believed only of a record, and with an error object    calls.c   (B2)
 *   one record comes bare or below its name                         calls.c   (B3)
 *   meta.total_pages; without it a list ends with an empty page     page.c    (B2)
 *   change times are told to the second or finer, never coarser      page.c    (B2)
 *   amounts are texts with a dot, or numbers                        map.c     (B2)
 *   members of the records                                          map.c     (B3 to B5)
 *   rows are billable unless it is said otherwise                   map.c     (B5)
 *   the signature's scheme                                          webhook.c (B7)
 */
#include "base/base.h"
#include "spotilla_internal.h"

/* B2, B3. Other codes say what their status says. */
const struct spotilla_code spotilla_codes[] = {
	{ 409, "duplicate", VERDICT_DUPLICATE },
};
const size_t n_spotilla_codes = ARRAY_SIZE(spotilla_codes);

const char spotilla_param_page[] = "page";
const char spotilla_param_per_page[] = "per_page";
const char spotilla_param_since[] = "changed_since";
const char spotilla_param_state[] = "state";
const char spotilla_idempotency_header[] = "Idempotency-Key";
const char spotilla_event_done[] = "task.completed";

const char *const spotilla_key_names[] = {
	[SPOTILLA_BUSINESS_ID] = "business_id",
	[SPOTILLA_NUMBER] = "number",
	[SPOTILLA_EXTERNAL_REF] = "external_ref",
};

const char *const spotilla_billing_names[] = {
	[SPOTILLA_BILLING_NONE] = "none",
	[SPOTILLA_BILLING_WAITING] = "waiting",
	[SPOTILLA_BILLING_EXPORTED] = "exported",
	[SPOTILLA_BILLING_FAILED] = "failed",
};
