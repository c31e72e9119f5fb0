/*
 * test_severa_road.c: the way of a Severa invoice where the flow to Netvisor does not show it: a
 * target that tells its verdict later, companies that are not Finnish, a target that may not be
 * sent to yet. The flow is a toy of a few lines, Severa one invoice and its status.
 */
#include "base/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include "flows/fake.h"
#include "flows/severa_road.h"

#define INVOICE "849e73b4-c5c1-4aa8-8b3b-591b671e8896"
#define TRANSFER "600fb136-0000-4000-8000-000000000001"
#define TRANSFERRED "600fb136-0000-4000-8000-000000000002"
#define FAILED "600fb136-0000-4000-8000-000000000003"
#define PAID "600fb136-0000-4000-8000-000000000004"
#define EPOCH_MS INT64_C(1795132800000) /* 2026-11-20 */

/* What both sides hold, and what was asked of them. */
struct world {
	struct fake f;
	const char *status; /* of the invoice; NULL: it was deleted */
	const char *seller; /* its VAT number at Severa */
	bool may_send, is_unopened;
	bool loses_answer; /* of the next change of the status, which is made */
	bool refuses_status, lacks_status; /* transferred: Severa does not take it, or has it not */
	const char *scopes; /* that Severa grants */
	const struct severa_status *checked; /* what the flow's check was given */
	enum err_code send_ends; /* ERR_NONE: well */
	struct delivery_seen seen;
	bool is_first_only; /* the next look-up finds nothing */
	struct road_verdict verdict;
	bool is_pending_long;
	bool is_paid;
	const char *changed_list; /* URL of the last listing of what has changed in any status */
	int n_sent, n_asked, n_patched;
	char looked_for[80]; /* id of the last look-up */
};

/* ---- Severa -------------------------------------------------------------------------------- */

static const char statuses[] =
	"[{\"guid\":\"" TRANSFER
	"\",\"name\":\"To be sent\",\"isActive\":true,\"hasInvoiceNumber\":true},"
	"{\"guid\":\"" TRANSFERRED
	"\",\"name\":\"Sent\",\"isActive\":true,\"hasInvoiceNumber\":true},"
	"{\"guid\":\"" FAILED "\",\"name\":\"Failed\",\"isActive\":true,\"hasInvoiceNumber\":true},"
	"{\"guid\":\"" PAID "\",\"name\":\"Paid\",\"isActive\":true,\"hasInvoiceNumber\":true}]";

static const char *invoice_json(struct world *w)
{
	return arena_printf(
		w->f.arena,
		"{\"guid\":\"" INVOICE "\",\"status\":{\"guid\":\"%s\"},\"number\":10415,"
		"\"senderVatNumber\":\"%s\",\"date\":\"2026-11-10\",\"currency\":{\"code\":\"NOK\"}"
		","
		"\"totalExcludingTax\":{\"amount\":100.0},\"totalTax\":{\"amount\":25.0},"
		"\"totalIncludingTax\":{\"amount\":125.0},"
		"\"createdDateTime\":\"2026-11-10T08:15:00.000Z\","
		"\"lastUpdatedDateTime\":\"2026-11-10T08:15:00.000Z\"%s}",
		w->status, w->seller, w->is_paid ? ",\"paymentDate\":\"2026-11-10\"" : "");
}

static const char *put_status(struct world *w, struct span body)
{
	static const char *const known[] = { TRANSFER, TRANSFERRED, FAILED, PAID };
	char *text = arena_memdup(w->f.arena, body.p, body.n);
	assert_non_null(text);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strstr(text, known[i]))
			w->status = known[i];
	w->n_patched++;
	return invoice_json(w);
}

static bool serve(struct fake *f, const struct call *call, struct http_reply *ret, struct err *err)
{
	struct world *w = f->ctx;
	const char *body = NULL;
	if (strstr(call->rq.url, "/v1/token"))
		body = arena_printf(f->arena,
				    "{\"access_token\":\"t\",\"access_token_expires_in\":3600,"
				    "\"scope\":\"%s\"}",
				    w->scopes);
	else if (strstr(call->rq.url, "/v1/organizationdetails"))
		body = "{\"name\":\"Nord AS\",\"vatNumber\":\"NO 123 456 785 MVA\"}";
	else if (strstr(call->rq.url, "/v1/businessunits") ||
		 strstr(call->rq.url, "/v1/invoicerows?"))
		body = "[]";
	else if (strstr(call->rq.url, "/v1/invoices?changedSince=") &&
		 !strstr(call->rq.url, "invoiceStatusGuids")) {
		w->changed_list = arena_strdup(f->arena, call->rq.url);
		body = arena_printf(f->arena, "[%s]", invoice_json(w));
	} else if (strstr(call->rq.url, "/v1/invoices?"))
		body = w->status && strstr(call->rq.url, w->status)
			       ? arena_printf(f->arena, "[%s]", invoice_json(w))
			       : "[]";
	else if (strstr(call->rq.url, "/v1/invoicestatuses"))
		body = w->lacks_status ? "[]" : statuses;
	else if (w->refuses_status && strcmp(call->rq.method, "PATCH") == 0 &&
		 memmem(call->rq.body.p, call->rq.body.n, TRANSFERRED, sizeof(TRANSFERRED) - 1)) {
		*ret = (struct http_reply) { .status = 400,
					     .body = SPAN_LIT("{\"errors\":[]}"),
					     .content_type = "application/json",
					     .retry_after_ms = -1 };
		return true;
	} else if (w->status && strcmp(call->rq.method, "PATCH") == 0)
		body = put_status(w, call->rq.body);
	else if (w->status)
		body = invoice_json(w);
	if (w->loses_answer && strcmp(call->rq.method, "PATCH") == 0) {
		w->loses_answer = false;
		return err_set(err, ERR_DOUBT, "the line was cut");
	}
	*ret = (struct http_reply) { .status = body ? 200 : 404,
				     .body = span_of(body ? body : ""),
				     .content_type = "application/json",
				     .retry_after_ms = -1 };
	return true;
}

/* ---- a target ------------------------------------------------------------------------------ */

struct toy {
	struct road road;
	char id[80];
};

static struct world *world_of(const struct road *r)
{
	return ((struct fake *)r->at->impl)->ctx;
}

static bool toy_open(struct road *r, struct err *err)
{
	r->account = "toy-account";
	return !world_of(r)->is_unopened ||
	       err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Toy", "no keys");
}

static bool toy_may_send(struct road *r, struct err *err)
{
	return world_of(r)->may_send ||
	       err_reason(err, ERR_WAITING, "company_unverified", "Toy", "not verified yet");
}

static bool toy_prepare(struct road *r, struct err *err)
{
	struct toy *toy = (struct toy *)r;
	(void)err;
	r->hash = "hash";
	snprintf(toy->id, sizeof(toy->id), "%s-%" PRId64, r->at->source_id, r->at->generation);
	return true;
}

static void toy_identify(const struct road *r, struct delivery_identity *id)
{
	id->id = ((const struct toy *)r)->id;
}

static bool toy_look_up(struct road *r, const struct delivery_identity *id,
			struct delivery_seen *ret, struct err *err)
{
	struct world *w = world_of(r);
	(void)err;
	snprintf(w->looked_for, sizeof(w->looked_for), "%s", id->id);
	*ret = w->seen;
	if (w->is_first_only)
		w->seen = (struct delivery_seen) { .n = 0 };
	return true;
}

static bool toy_build(struct road *r, struct err *err)
{
	(void)err;
	r->document = SPAN_LIT("<toy/>");
	return true;
}

static bool toy_send(struct road *r, const char **ret_key, struct err *err)
{
	struct world *w = world_of(r);
	w->n_sent++;
	if (w->send_ends != ERR_NONE)
		return err_set(err, w->send_ends, "as the test wants it");
	*ret_key = "key";
	return true;
}

static bool toy_verdict(struct road *r, const struct step *sent, struct road_verdict *ret,
			struct err *err)
{
	struct world *w = world_of(r);
	assert_string_equal(sent->outcome, "key");
	w->n_asked++;
	*ret = w->verdict;
	return !w->is_pending_long ||
	       err_reason(err, ERR_DATA, "delivery_pending_long", "10415", "for over 7 days");
}

static bool toy_check(struct road_check *c, struct err *err)
{
	(void)err;
	world_of(c->r)->checked = c->transfer;
	road_warning(c, "company_unverified", "/credentials/toy", "Not verified %s.", "yet");
	return true;
}

static const struct setting toy_settings[] = { ROAD_SETTINGS(true, true, "Company.") };
static const struct road_ops toy = { .target = "Toy",
				     .size = sizeof(struct toy),
				     .open = toy_open,
				     .may_send = toy_may_send,
				     .prepare = toy_prepare,
				     .identify = toy_identify,
				     .look_up = toy_look_up,
				     .build = toy_build,
				     .send = toy_send,
				     .verdict = toy_verdict,
				     .check = toy_check };
static const struct flow toy_flow = { .name = "severa-toy",
				      .part = &toy,
				      .delivery_step = "toy.invoice",
				      .settings = toy_settings,
				      .n_settings = ARRAY_SIZE(toy_settings) };

static bool toy_tell_payment(struct road *r, const struct step *sent, const char *paid_date,
			     struct err *err)
{
	(void)r, (void)sent, (void)paid_date, (void)err;
	return true;
}

static const struct road_ops ledger_toy = { .target = "Toy",
					    .size = sizeof(struct toy),
					    .open = toy_open,
					    .prepare = toy_prepare,
					    .identify = toy_identify,
					    .look_up = toy_look_up,
					    .build = toy_build,
					    .send = toy_send,
					    .tell_payment = toy_tell_payment };
static const struct flow ledger_flow = { .name = "severa-toy",
					 .part = &ledger_toy,
					 .delivery_step = "toy.invoice",
					 .settings = toy_settings,
					 .n_settings = ARRAY_SIZE(toy_settings) };

/* ---- runs ---------------------------------------------------------------------------------- */

static int setup(void **state)
{
	struct arena *arena = arena_new((size_t)64 << 20);
	struct world *w = arena ? arena_alloc(arena, sizeof(*w)) : NULL;
	if (!w)
		return -1;
	fake_init(&w->f, arena,
		  "{\"statuses\":{\"transfer\":\"" TRANSFER "\",\"transferred\":\"" TRANSFERRED
		  "\",\"failed\":\"" FAILED "\"},\"company\":{\"vat_number\":\"NO123456785MVA\"}}",
		  "{\"severa\":{\"client_id\":\"c.apps\",\"client_secret\":\"s\"}}");
	w->f.at.flow = &toy_flow;
	w->f.exchange = serve;
	w->f.ctx = w;
	w->status = TRANSFER;
	w->seller = "NO 123 456 785 MVA";
	w->may_send = true;
	w->scopes = "invoices:read invoices:write customers:read settings:read files:read "
		    "projects:read organization:read";
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	arena_free(w->f.arena);
	return 0;
}

/* As a worker: what the last run set of the attempt does not reach the next one. */
static bool run(struct world *w, struct err *err)
{
	struct attempt *at = &w->f.at;
	fake_aim(&w->f, "invoice", INVOICE);
	at->keep_error = false;
	at->watch_ms = 0;
	at->verdict = NULL;
	at->awaits_verdict = false;
	*err = (struct err)ERR_INIT;
	return road_run(at, err);
}

static void runs_to(struct world *w, enum attempt_outcome outcome)
{
	struct err err;
	if (!run(w, &err))
		fail_msg("%s", err.message);
	assert_int_equal(w->f.at.outcome, outcome);
}

/* The run needs data for the reason, and the source is told, as a worker would. */
static void fails_for(struct world *w, const char *reason)
{
	struct err err, told = ERR_INIT;
	assert_false(run(w, &err));
	assert_int_equal(err.code, ERR_DATA);
	assert_string_equal(err.reason, reason);
	if (!w->f.at.keep_error)
		assert_true(road_on_failed(&w->f.at, &err, &told));
}

static bool has_note(const struct world *w, const char *code)
{
	for (size_t i = 0; i < w->f.at.n_notes; i++)
		if (strcmp(w->f.at.notes[i].code, code) == 0)
			return true;
	return false;
}

static void test_one_name_for_a_company_SV_09(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "FI12345671", "1234567-1" },
		{ "fi 1234567-1", "1234567-1" },
		{ "1234567-1", "1234567-1" },
		{ "12345671", "1234567-1" },
		{ "FI12345678", NULL }, /* mistyped */
		{ "NO123456785MVA", "NO123456785MVA" },
		{ "NO 123 456 785 MVA", "NO123456785MVA" },
		{ "no123456785", "NO123456785MVA" },
		{ "123 456 785", "NO123456785MVA" },
		{ "123456785mva", "NO123456785MVA" },
		{ "123456786", NULL }, /* mistyped */
		{ "SE556012579001", "SE556012579001" },
		{ "se 556012-5790 01", "SE556012579001" },
		{ "DE136695976", "DE136695976" },
		{ "EL094259216", "EL094259216" },
		{ "DK12345671", "DK12345671" }, /* digits of a Finnish one behind other letters */
		{ "XX12345671", NULL },
		{ "Oma Oy", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};
	struct arena *arena = arena_new(1 << 20);
	(void)state;
	assert_non_null(arena);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = road_company_from(arena, cases[i].text);
		if (!name || !cases[i].name)
			assert_ptr_equal(name, cases[i].name);
		else
			assert_string_equal(name, cases[i].name);
	}
	arena_free(arena);
}

static void test_company_as_severa_writes_it_SV_09(void **state)
{
	static const struct {
		const char *seller;
		enum attempt_outcome outcome;
	} cases[] = {
		{ "987654325", OUTCOME_SKIPPED }, /* another company's */
		{ "FI12345671", OUTCOME_SKIPPED },	 { "", OUTCOME_SKIPPED },
		{ "NO123456785MVA", OUTCOME_FOLLOWING }, { "no 123 456 785", OUTCOME_FOLLOWING },
		{ "123456785", OUTCOME_FOLLOWING },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		void *own = NULL;
		assert_int_equal(setup(&own), 0);
		struct world *w = own;
		w->seller = cases[i].seller;
		runs_to(w, cases[i].outcome);
		assert_int_equal(w->n_sent, cases[i].outcome == OUTCOME_FOLLOWING);
		teardown(&own);
	}
}

static void test_sent_and_followed_to_the_verdict_MV_14(void **state)
{
	struct world *w = *state;
	runs_to(w, OUTCOME_FOLLOWING);
	assert_string_equal(w->status, TRANSFERRED);
	assert_int_equal(w->n_asked, 0);
	w->verdict = (struct road_verdict) { .fate = ROAD_PENDING, .word = "PENDING" };
	runs_to(w, OUTCOME_FOLLOWING);
	assert_string_equal(w->f.at.verdict, "PENDING");
	w->verdict = (struct road_verdict) { .fate = ROAD_DELIVERED,
					     .word = "DELIVERED",
					     .watch_ms = ATTEMPT_WATCH_MS };
	runs_to(w, OUTCOME_DONE);
	assert_string_equal(w->f.at.verdict, "DELIVERED");
	assert_int_equal(w->f.at.watch_ms, ATTEMPT_WATCH_MS);
	assert_int_equal(w->n_sent, 1);
	assert_int_equal(w->n_patched, 1);
}

static void test_refused_goes_to_failed_and_once_more_MV_14(void **state)
{
	struct world *w = *state;
	struct err err;
	runs_to(w, OUTCOME_FOLLOWING);
	w->verdict = (struct road_verdict) { .fate = ROAD_FAILED, .words = "No such receiver" };
	assert_false(run(w, &err));
	assert_string_equal(err.target_text, "No such receiver");
	assert_string_equal(err.subject, "10415");
	fails_for(w, "delivery_failed");
	assert_string_equal(w->status, FAILED);
	fails_for(w, "in_failed_status");
	assert_int_equal(w->n_sent, 1);
	w->status = TRANSFER; /* a person has mended it */
	runs_to(w, OUTCOME_FOLLOWING);
	assert_int_equal(w->n_sent, 2);
	assert_int_equal(w->f.at.generation, 2);
	assert_string_equal(w->status, TRANSFERRED);
}

/* At the target somebody has sent it on by another route before it came back. */
static void test_refused_and_sent_on_at_the_target_MV_14(void **state)
{
	struct world *w = *state;
	runs_to(w, OUTCOME_FOLLOWING);
	w->verdict.fate = ROAD_FAILED;
	fails_for(w, "delivery_failed");
	w->status = TRANSFER;
	w->seen = (struct delivery_seen) { .n = 1, .key = "key" };
	w->verdict.fate = ROAD_DELIVERED;
	runs_to(w, OUTCOME_DONE);
	assert_true(has_note(w, "already_relayed"));
	assert_string_equal(w->status, TRANSFERRED);
	assert_int_equal(w->n_sent, 1);
	w->verdict.fate = ROAD_FAILED; /* and refused there too */
	fails_for(w, "delivery_failed");
	assert_string_equal(w->status, FAILED);
}

/* The failed status was set, and the answer was lost: known at the next look, and back from there
 * it is sent. */
static void test_failed_status_whose_answer_was_lost_SV_03(void **state)
{
	struct world *w = *state;
	struct err err, told = ERR_INIT;
	runs_to(w, OUTCOME_FOLLOWING);
	w->verdict.fate = ROAD_FAILED;
	w->loses_answer = true;
	assert_false(run(w, &err));
	assert_false(road_on_failed(&w->f.at, &err, &told));
	assert_string_equal(w->status, FAILED);
	assert_int_equal(fake_step(&w->f, STEP_FAILED)->state, STEP_INTENT);
	fails_for(w, "in_failed_status");
	assert_int_equal(fake_step(&w->f, STEP_FAILED)->state, STEP_DONE);
	w->status = TRANSFER;
	runs_to(w, OUTCOME_FOLLOWING);
	assert_int_equal(w->n_sent, 2);
	assert_string_equal(w->status, TRANSFERRED);
}

static void test_failed_status_that_a_person_was_faster_with_SV_03(void **state)
{
	struct world *w = *state;
	runs_to(w, OUTCOME_FOLLOWING);
	w->status = FAILED;
	w->verdict.fate = ROAD_FAILED;
	fails_for(w, "delivery_failed");
	w->status = TRANSFER;
	runs_to(w, OUTCOME_FOLLOWING);
	assert_int_equal(w->n_sent, 2);
}

static void test_refused_late_after_done_MV_14(void **state)
{
	struct world *w = *state;
	runs_to(w, OUTCOME_FOLLOWING);
	w->verdict.fate = ROAD_DELIVERED;
	runs_to(w, OUTCOME_DONE);
	w->verdict.fate = ROAD_FAILED;
	fails_for(w, "delivery_failed");
	assert_string_equal(w->status, FAILED);
}

/* Severa does not take the transferred status: what became of the invoice is seen, and told. */
static void test_verdict_is_told_where_severa_refuses_the_status_MV_14(void **state)
{
	struct world *w = *state;
	w->refuses_status = true;
	fails_for(w, "status_refused");
	assert_true(w->f.at.awaits_verdict);
	assert_int_equal(w->n_asked, 0); /* it was sent a moment ago */
	fails_for(w, "status_refused");
	assert_int_equal(w->n_asked, 1);
	assert_true(w->f.at.awaits_verdict);
	w->is_pending_long = true;
	fails_for(w, "delivery_pending_long");
	assert_true(w->f.at.awaits_verdict);
	w->is_pending_long = false;
	w->verdict = (struct road_verdict) { .fate = ROAD_DELIVERED, .word = "DELIVERED" };
	fails_for(w, "status_refused");
	assert_string_equal(w->f.at.verdict, "DELIVERED");
	assert_true(has_note(w, "delivered"));
	w->verdict = (struct road_verdict) { .fate = ROAD_FAILED, .words = "No such receiver" };
	fails_for(w, "delivery_failed");
	assert_false(w->f.at.awaits_verdict);
	assert_string_equal(w->status, FAILED);
	assert_int_equal(w->n_sent, 1);
}

static void test_verdict_is_told_where_severa_lacks_the_status_MV_14(void **state)
{
	struct world *w = *state;
	struct err err;
	runs_to(w, OUTCOME_FOLLOWING);
	w->lacks_status = true;
	w->f.n_cache = 0;
	fails_for(w, "status_unknown");
	assert_int_equal(w->n_asked, 1);
	w->verdict.fate = ROAD_FAILED;
	assert_false(run(w, &err));
	assert_string_equal(err.reason, "delivery_failed");
	assert_int_equal(w->n_sent, 1);
}

/* Created on 2026-11-10; the store, where it is young, began ten days later. */
static void forget(struct world *w)
{
	w->status = TRANSFERRED;
	w->f.at.epoch_ms = EPOCH_MS;
}

static void test_sent_before_a_loss_is_followed_again_MV_14(void **state)
{
	struct world *w = *state;
	forget(w);
	w->seen = (struct delivery_seen) { .n = 1, .key = "key" };
	runs_to(w, OUTCOME_FOLLOWING);
	assert_int_equal(w->n_sent, 0);
	assert_int_equal(w->n_patched, 0);
	w->verdict.fate = ROAD_FAILED;
	fails_for(w, "delivery_failed");
	assert_string_equal(w->status, FAILED);
}

static void test_set_to_transferred_by_hand_is_never_sent_SV_04(void **state)
{
	struct world *w = *state;
	w->status = TRANSFERRED;
	runs_to(w, OUTCOME_SKIPPED);
	assert_string_equal(w->looked_for, ""); /* the store knows all of its time */
	forget(w);
	runs_to(w, OUTCOME_SKIPPED);
	assert_string_not_equal(w->looked_for, "");
	w->seen = (struct delivery_seen) { .number_is_taken = true };
	runs_to(w, OUTCOME_SKIPPED);
	assert_int_equal(w->n_sent, 0);
	assert_int_equal(w->n_patched, 0);
}

static void test_poll_takes_up_what_a_lost_store_forgot_MV_14(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	w->f.conn.activated_ms = EPOCH_MS - (int64_t)60 * 86400000;
	w->status = TRANSFERRED;
	assert_true(road_poll(&w->f.at, &err));
	assert_int_equal(w->f.n_found, 0);
	assert_non_null(strstr(w->f.report, "\"never_relayed\":[\"10415\"]"));
	forget(w);
	assert_true(road_poll(&w->f.at, &err));
	assert_int_equal(w->f.n_found, 1);
	assert_non_null(strstr(w->f.report, "\"never_relayed\":[]"));
	assert_true(road_poll(&w->f.at, &err)); /* known by now: looked for once */
	assert_int_equal(w->f.n_found, 1);
}

/* From where a poll looks for payments next time; the invoice changed on 10 November. */
static const char *watched_from(struct world *w, enum transfer_state state)
{
	struct attempt *at = &w->f.at;
	struct err err = ERR_INIT;
	const char *ret;
	w->f.known = (struct known_transfer) { .exists = true, .delivered = true, .state = state };
	assert_true(road_poll(at, &err));
	assert_int_equal(w->f.n_found, 1);
	w->f.n_found = 0;
	assert_true(at->ops->kv_get(at, at->conn->id, "payments_watched", &ret, &err));
	return ret;
}

/* Whatever pause lay between; and what rests with an error is tried again without a poll. */
static void test_polls_look_for_payments_from_where_they_stopped_TA_02(void **state)
{
	struct world *w = *state;
	struct attempt *at = &w->f.at;
	struct err err = ERR_INIT;
	at->flow = &ledger_flow;
	w->f.conn.activated_ms = EPOCH_MS - (int64_t)90 * 86400000;
	w->status = PAID;
	w->is_paid = true;
	assert_true(at->ops->kv_set(at, at->conn->id, "payments_watched", "2026-08-25T06:00:00Z", 0,
				    &err));
	assert_memory_equal(watched_from(w, STATE_DONE), "2026-11-10T08:05", 16);
	assert_non_null(strstr(w->changed_list, "changedSince=2026-08-25"));
	assert_memory_equal(watched_from(w, STATE_DONE), "2026-11-10T08:05", 16);
	assert_true(strcmp(watched_from(w, STATE_NEEDS_DATA), "2026-11-11") > 0);
}

static void test_refused_over_a_status_of_a_person_SV_02(void **state)
{
	struct world *w = *state;
	runs_to(w, OUTCOME_FOLLOWING);
	w->status = PAID;
	w->verdict.fate = ROAD_FAILED;
	fails_for(w, "delivery_failed");
	assert_string_equal(w->status, PAID);
	assert_int_equal(fake_step(&w->f, STEP_FAILED)->state, STEP_NONE);
}

static void test_refused_and_moved_to_transferred_by_hand_SV_02(void **state)
{
	struct world *w = *state;
	runs_to(w, OUTCOME_FOLLOWING);
	w->verdict.fate = ROAD_FAILED;
	fails_for(w, "delivery_failed");
	w->status = TRANSFERRED;
	runs_to(w, OUTCOME_DONE);
	assert_true(has_note(w, "settled_by_hand"));
	assert_int_equal(w->n_sent, 1);
}

/* Back in the transfer status before anybody was told: it goes to failed, not to transferred. */
static void test_refused_and_seen_again_MV_14(void **state)
{
	struct world *w = *state;
	runs_to(w, OUTCOME_FOLLOWING);
	w->status = TRANSFER;
	w->seen = (struct delivery_seen) { .n = 1, .key = "key" };
	w->verdict.fate = ROAD_FAILED;
	fails_for(w, "delivery_failed");
	assert_string_equal(w->status, FAILED);
	assert_int_equal(w->n_sent, 1);
}

static void test_seen_again_while_pending_SV_02(void **state)
{
	struct world *w = *state;
	runs_to(w, OUTCOME_FOLLOWING);
	w->status = TRANSFER;
	w->seen = (struct delivery_seen) { .n = 1, .key = "key" };
	runs_to(w, OUTCOME_FOLLOWING);
	assert_true(has_note(w, "already_relayed"));
	assert_string_equal(w->status, TRANSFERRED);
	w->seen = (struct delivery_seen) { .n = 0 };
	w->status = TRANSFER;
	fails_for(w, "gone_at_target");
	assert_string_equal(w->status, TRANSFER); /* delivered: not the failed status */
	assert_int_equal(w->n_sent, 1);
}

static void test_deleted_while_it_is_followed_MV_14(void **state)
{
	struct world *w = *state;
	runs_to(w, OUTCOME_FOLLOWING);
	w->status = NULL;
	runs_to(w, OUTCOME_FOLLOWING);
	w->verdict.fate = ROAD_FAILED;
	fails_for(w, "delivery_failed");
	w->verdict.fate = ROAD_DELIVERED;
	runs_to(w, OUTCOME_DONE);
	assert_int_equal(w->n_sent, 1);
}

static void test_nothing_is_sent_before_it_may_be_MV_06(void **state)
{
	struct world *w = *state;
	struct err err;
	w->may_send = false;
	assert_false(run(w, &err));
	assert_int_equal(err.code, ERR_WAITING);
	assert_int_equal(w->n_sent, 0);
	w->may_send = true;
	runs_to(w, OUTCOME_FOLLOWING);
	w->may_send = false; /* what was sent is followed all the same */
	runs_to(w, OUTCOME_FOLLOWING);
	assert_int_equal(w->n_sent, 1);
	assert_int_equal(w->n_asked, 1);
}

/* A doubt is settled by the id of the sending that is in doubt; the next generation has its own. */
static void test_doubt_is_about_the_id_that_was_sent_SV_02(void **state)
{
	struct world *w = *state;
	struct err err;
	w->send_ends = ERR_DOUBT;
	assert_false(run(w, &err));
	assert_int_equal(err.code, ERR_DOUBT);
	w->send_ends = ERR_NONE;
	w->f.at.generation = 7; /* would be another id, if it were made anew */
	w->seen = (struct delivery_seen) { .n = 1, .key = "key" };
	runs_to(w, OUTCOME_FOLLOWING);
	assert_string_equal(w->looked_for, INVOICE "-1");
	assert_true(has_note(w, "found_at_target"));
	assert_string_equal(w->status, TRANSFERRED);
	assert_int_equal(w->n_sent, 1);
}

/* Refused, mended and moved back, while the store lost all that it knew of it. */
static void test_refused_before_a_loss_is_sent_anew_DESIGN_4_7(void **state)
{
	struct world *w = *state;
	w->f.at.epoch_ms = INT64_C(4000000000000);
	w->is_first_only = true;
	w->seen = (struct delivery_seen) { .n = 1, .key = "key" };
	w->verdict.fate = ROAD_FAILED;
	runs_to(w, OUTCOME_FOLLOWING);
	assert_string_equal(w->looked_for, INVOICE "-2");
	assert_int_equal(w->f.at.generation, 2);
	assert_int_equal(w->n_sent, 1);
	assert_string_equal(w->status, TRANSFERRED);
}

/* Another connection relayed it while this one was paused; nothing here says so but the turns. */
static void test_relayed_in_the_turn_of_another_connection_SV_07(void **state)
{
	struct world *w = *state;
	struct attempt *at = &w->f.at;
	struct err err = ERR_INIT;
	static const char place[] = TRANSFER ":NO123456785MVA";
	assert_true(at->ops->kv_set(at, "severa.owner", place, "paused 1", 0, &err));
	w->seen = (struct delivery_seen) { .n = 1, .key = "key" };
	runs_to(w, OUTCOME_FOLLOWING);
	assert_true(has_note(w, "found_at_target"));
	assert_int_equal(w->n_sent, 0);
}

/* What was created within the connection's own turn is not asked for; the poll begins the turn. */
static void test_turn_of_a_connection_begins_once_SV_07(void **state)
{
	struct world *w = *state;
	struct attempt *at = &w->f.at;
	struct err err = ERR_INIT;
	static const char place[] = TRANSFER ":NO123456785MVA";
	const char *first, *second;
	assert_true(at->ops->kv_set(at, "severa.owner", place, "paused 1", 0, &err));
	fake_aim(&w->f, "poll", "");
	assert_true(road_poll(at, &err));
	assert_true(at->ops->kv_get(at, "severa.owner", place, &first, &err));
	assert_non_null(strstr(first, "case 1"));
	assert_true(road_poll(at, &err));
	assert_true(at->ops->kv_get(at, "severa.owner", place, &second, &err));
	assert_string_equal(first, second);
	assert_true(at->ops->kv_set(at, "severa.owner", place, "case 1", 0, &err));
	runs_to(w, OUTCOME_FOLLOWING);
	assert_string_equal(w->looked_for, "");
	assert_int_equal(w->n_sent, 1);
}

/* A Norwegian company is found among Severa's, and its waiting invoices are counted. */
static void test_check_says_what_is_no_hindrance_SV_09(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	assert_true(road_check(&w->f.at, &err));
	assert_string_equal(
		w->f.at.result,
		"{\"problems\":[{\"code\":\"company_unverified\",\"text\":\"Not verified "
		"yet.\",\"pointer\":\"/credentials/toy\"}],\"ok\":true,\"waiting\":1}");
	assert_string_equal(w->checked->name, "To be sent");
}

static void test_check_of_severa_without_keys_of_the_target_SV_06(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	w->is_unopened = true;
	w->scopes = "invoices:read settings:read organization:read";
	assert_true(road_check(&w->f.at, &err));
	assert_non_null(strstr(w->f.at.result, "\"code\":\"credentials_refused\""));
	assert_non_null(strstr(w->f.at.result, "lack the scope invoices:write"));
	assert_non_null(strstr(w->f.at.result, "\"ok\":false,\"waiting\":1"));
	assert_null(w->checked);
}

/* ---- why there is no VAT -------------------------------------------------------------------- */

struct zero_case {
	const char *from, *to, *vat;
	struct severa_tax tax;
	const char *category, *reason;
};

static void check_zero(const struct zero_case *c)
{
	const struct road_einvoice set = { .zero_eu = "AE", .zero_outside = "G" };
	struct invoice_row rows[] = {
		{ .has_vat_rate = true }, /* 0 % */
		{ .has_vat_rate = true, .vat_rate = { 255, 1 } },
		{ .has_vat_rate = false }, /* text alone */
	};
	struct invoice inv = { .seller.address.country_code = c->from,
			       .buyer = { .vat_number = c->vat, .address.country_code = c->to },
			       .rows = rows,
			       .n_rows = ARRAY_SIZE(rows) };
	road_explain_zeros(&set, &c->tax, &inv);
	assert_true(str_eq(rows[0].vat_category, c->category));
	assert_true(str_eq(rows[0].vat_exemption_reason, c->reason));
	assert_null(rows[1].vat_category);
	assert_null(rows[2].vat_category);
}

static void test_zeros_are_explained_MV_13(void **state)
{
	static const struct zero_case cases[] = {
		{ "FI", "FI", "FI12345671", { 0 }, NULL, NULL }, /* nobody has said */
		{ "FI",
		  "FI",
		  "FI12345671",
		  { true, "AVL 8 c §", false, NULL, NULL },
		  "AE",
		  "AVL 8 c §" },
		{ "FI", "SE", "SE559900112901", { 0 }, "AE", NULL },
		{ "FI", "SE", NULL, { 0 }, NULL, NULL }, /* a person pays VAT */
		{ "FI", "NO", "NO123456785MVA", { 0 }, "G", NULL },
		{ "NO", "FI", "FI12345671", { 0 }, "G", NULL },
		{ "FI",
		  "SE",
		  "SE559900112901",
		  { false, NULL, true, "K", "Tavara" },
		  "K",
		  "Tavara" },
		{ "FI", "SE", "SE559900112901", { false, NULL, true, "S", "Outo" }, "AE", "Outo" },
		{ "FI",
		  "SE",
		  "SE559900112901",
		  { false, NULL, false, "K", "Ei voimassa" },
		  "AE",
		  NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_zero(&cases[i]);
}

/* Category K must tell a day of delivery (BR-IC-11), which Severa does not know. */
static void test_goods_to_the_eu_have_a_day_where_the_user_says_so_MV_13(void **state)
{
	static const struct severa_tax taxes[] = { { .is_tax_free = true, .free_category = "K" },
						   { .is_tax_free = true, .free_category = "G" } };
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct road_einvoice set = { .delivered_on_invoice_date = i % 2 };
		struct invoice_row row = { .has_vat_rate = true };
		struct invoice inv = { .issue_date = "2026-11-10", .rows = &row, .n_rows = 1 };
		road_explain_zeros(&set, &taxes[i / 2], &inv);
		assert_true(str_eq(inv.delivery_date, i == 1 ? "2026-11-10" : NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_name_for_a_company_SV_09),
		cmocka_unit_test(test_zeros_are_explained_MV_13),
		cmocka_unit_test(test_goods_to_the_eu_have_a_day_where_the_user_says_so_MV_13),
		cmocka_unit_test(test_company_as_severa_writes_it_SV_09),
		cmocka_unit_test_setup_teardown(test_sent_and_followed_to_the_verdict_MV_14, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_refused_goes_to_failed_and_once_more_MV_14,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_and_sent_on_at_the_target_MV_14, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_failed_status_whose_answer_was_lost_SV_03,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_failed_status_that_a_person_was_faster_with_SV_03, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_late_after_done_MV_14, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_verdict_is_told_where_severa_refuses_the_status_MV_14, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_verdict_is_told_where_severa_lacks_the_status_MV_14, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sent_before_a_loss_is_followed_again_MV_14,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_set_to_transferred_by_hand_is_never_sent_SV_04,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_polls_look_for_payments_from_where_they_stopped_TA_02, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_poll_takes_up_what_a_lost_store_forgot_MV_14,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_over_a_status_of_a_person_SV_02, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_refused_and_moved_to_transferred_by_hand_SV_02,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_and_seen_again_MV_14, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seen_again_while_pending_SV_02, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_deleted_while_it_is_followed_MV_14, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_sent_before_it_may_be_MV_06, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_doubt_is_about_the_id_that_was_sent_SV_02,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_before_a_loss_is_sent_anew_DESIGN_4_7,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_relayed_in_the_turn_of_another_connection_SV_07, setup, teardown),
		cmocka_unit_test_setup_teardown(test_turn_of_a_connection_begins_once_SV_07, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_check_says_what_is_no_hindrance_SV_09, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_check_of_severa_without_keys_of_the_target_SV_06, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
