/*
 * check.c: the connection check (PC-09): both keys, what they may do, and whether the settings fit
 * the company. Each lack is a problem of its own with a pointer. Makes no write at either side.
 */
#include "base/base.h"
#include "internal.h"

#define SPOTILLA "/credentials/spotilla"
#define PROCOUNTOR "/credentials/procountor"

struct check {
	struct setup_check answer;
	struct sp sp;
	bool has_spotilla, has_procountor;
};

/* ---- Spotilla ------------------------------------------------------------------------------ */

static bool check_spotilla(struct check *c, struct err *err)
{
	struct err inner = ERR_INIT;
	struct sp *sp = &c->sp;
	c->has_spotilla = spotilla_open(sp->at, sp->settings, json_get(sp->credentials, "spotilla"),
					&sp->spotilla, &inner) &&
			  spotilla_check(&sp->spotilla, &inner);
	return c->has_spotilla || setup_name_it(&c->answer, &inner, SPOTILLA, err);
}

/* ---- Procountor ---------------------------------------------------------------------------- */

static void judge_rights(struct check *c, const struct procountor_current *cur)
{
	for (const char *p = cur->missing_rights; p && *p;) {
		int n = (int)strcspn(p, " ");
		setup_say(&c->answer,
			  &(struct setup_found) { .code = "rights_missing",
						  .pointer = PROCOUNTOR,
						  .subject = "Procountor" },
			  "The user of the API key lacks the right %.*s in Procountor.", n, p);
		p += n;
		p += strspn(p, " ");
	}
	if (cur->sees_own_only)
		setup_problem(&c->answer, "sees_own_only", PROCOUNTOR,
			      "The user of the API key sees only invoices of its own, so that one "
			      "made by another key would not be found. Let it see all sales "
			      "invoices.");
}

static bool check_accounts(struct check *c, struct err *err)
{
	const struct procountor_account *list;
	struct err inner = ERR_INIT;
	const char *want = c->sp.set.iban;
	struct arena *arena = c->sp.at->arena;
	bool found = false;
	size_t n;
	if (!procountor_accounts(&c->sp.procountor, &list, &n, &inner))
		return setup_name_it(&c->answer, &inner, PROCOUNTOR, err);
	const char *compact = want ? identifier_compact(arena, want) : NULL;
	for (size_t i = 0; i < n; i++)
		found |= list[i].is_active &&
			 (want ? str_eq(identifier_compact(arena, list[i].iban), compact)
			       : list[i].is_default);
	if (!found && want)
		setup_say(&c->answer,
			  &(struct setup_found) { .code = "iban_unknown",
						  .pointer = "/settings/invoice/iban",
						  .subject = want },
			  "%s is not an active account of the company in Procountor.", want);
	else if (!found)
		setup_say(&c->answer,
			  &(struct setup_found) { .code = "invoice_account_missing",
						  .pointer = "/settings/invoice/iban",
						  .subject = "Procountor" },
			  "The company has no active account for invoices in Procountor: name "
			  "one.");
	return true;
}

static bool check_vat(struct check *c, struct err *err)
{
	const struct sp_settings *set = &c->sp.set;
	struct procountor_vat_rules rules;
	struct err inner = ERR_INIT;
	bool has_percent = false, has_status = false;
	char text[DECIMAL_TEXT_MAX];
	if (!procountor_vat_rules(&c->sp.procountor, &rules, &inner))
		return setup_name_it(&c->answer, &inner, PROCOUNTOR, err);
	for (size_t i = 0; i < rules.n_percents; i++)
		has_percent |= decimal_eq(rules.percents[i], set->vat_rate);
	for (size_t i = 0; i < rules.n_statuses; i++)
		has_status |= rules.statuses[i] == set->vat_status;
	(void)decimal_format(set->vat_rate, 0, '.', text);
	if (!has_percent)
		setup_say(&c->answer,
			  &(struct setup_found) { .code = "vat_percent_unknown",
						  .pointer = "/settings/vat/percent",
						  .subject = text },
			  "VAT of %s %% is not in use for sales of this company in Procountor.",
			  text);
	if (!has_status)
		setup_problem(&c->answer, "vat_status_unknown", "/settings/vat/status",
			      "Procountor has no VAT status %" PRId64 " for sales of this company.",
			      set->vat_status);
	return true;
}

/* Without Spotilla it is not known whose they would be. */
static bool check_numbers(struct check *c, const char *company, struct err *err)
{
	struct err inner = ERR_INIT;
	const char *other;
	if (!c->has_spotilla)
		return true;
	if (!sp_name_company(&c->sp, company, &inner) ||
	    !sp_numbers_of_other(&c->sp, &other, &inner))
		return setup_name_it(&c->answer, &inner, PROCOUNTOR, err);
	if (other)
		setup_say(&c->answer,
			  &(struct setup_found) { .code = "numbers_taken",
						  .pointer = "/settings/invoice/number_prefix",
						  .subject = other },
			  "the Spotilla %s has the invoice numbers %s-... in this company of "
			  "Procountor",
			  other, c->sp.set.number_prefix);
	return true;
}

static bool check_procountor(struct check *c, struct err *err)
{
	struct procountor_current cur;
	struct err inner = ERR_INIT;
	struct sp *sp = &c->sp;
	c->has_procountor = procountor_open(sp->at, sp->settings,
					    json_get(sp->credentials, "procountor"),
					    &sp->procountor, &inner) &&
			    procountor_current(&sp->procountor, &cur, &inner);
	if (!c->has_procountor)
		return setup_name_it(&c->answer, &inner, PROCOUNTOR, err);
	judge_rights(c, &cur);
	if (!check_numbers(c, cur.company_id, err))
		return false;
	if (cur.missing_rights && strstr(cur.missing_rights, "sales.salesOrGroupInvoices"))
		return true; /* what it may not see is not judged */
	return check_accounts(c, err) && check_vat(c, err);
}

/* ---- the whole ----------------------------------------------------------------------------- */

static bool check_all(struct check *c, struct attempt *at, int64_t *ret_waiting, struct err *err)
{
	struct err inner = ERR_INIT;
	*ret_waiting = 0;
	if (!sp_read(&c->sp, at, &inner))
		return setup_name_it(&c->answer, &inner,
				     inner.code == ERR_CREDENTIALS ? "/credentials" : "/settings",
				     err);
	if (!check_spotilla(c, err) || !check_procountor(c, err))
		return false;
	if (!c->sp.set.from) {
		setup_problem(&c->answer, "start_missing", "/settings/tasks/from",
			      "Say from which day on finished tasks are relayed.");
		return true;
	}
	return !c->has_spotilla || !c->has_procountor ||
	       (sp_load_zone(&c->sp, err) && sp_count_waiting(&c->sp, ret_waiting, err));
}

bool sp_check(struct attempt *at, struct err *err)
{
	struct check *c = arena_alloc(at->arena, sizeof(*c));
	int64_t waiting;
	if (!c)
		return err_set(err, ERR_LIMIT, "arena full");
	setup_check_begin(&c->answer, at);
	return check_all(c, at, &waiting, err) && setup_check_end(&c->answer, waiting, err);
}
