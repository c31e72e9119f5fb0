/*
 * settings.c: what the settings of all flows from Severa have in common: the combinations that are
 * refused, and opening both sides for an attempt.
 */
#include "base/base.h"
#include "internal.h"

static bool check_statuses(const struct flow *flow, const struct json *settings, struct err *err)
{
	const char *transfer = road_text(flow, settings, "statuses.transfer");
	const char *transferred = road_text(flow, settings, "statuses.transferred");
	const char *failed = road_text(flow, settings, "statuses.failed");
	if (transfer && str_eq(transfer, transferred))
		return road_refuse(err, "/settings/statuses/transferred",
				   "transfer and transferred must be two statuses");
	if (failed && (str_eq(failed, transfer) || str_eq(failed, transferred)))
		return road_refuse(err, "/settings/statuses/failed",
				   "failed must be a status of its own");
	return true;
}

bool road_settle(const struct flow *flow, struct arena *arena, const struct system_values *systems,
		 const struct json *settings, const struct json *credentials,
		 struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err)
{
	const char *company = road_text(flow, settings, "company.vat_number");
	const char *client = json_str(json_at(credentials, "severa.client_id"));
	if (!check_statuses(flow, settings, err))
		return false;
	if (company && !road_company_from(arena, company))
		return road_refuse(err, "/settings/company/vat_number",
				   "not a business id or VAT number");
	if (!client || !client[0])
		return true;
	if (!severa_limit(systems, client, &ret_limits[*ret_n], err))
		return false;
	++*ret_n;
	return true;
}

struct road *road_new(struct attempt *at)
{
	const struct road_ops *ops = at->flow->part;
	assert(ops->size >= sizeof(struct road));
	struct road *r = arena_alloc(at->arena, ops->size);
	if (r) {
		r->ops = ops;
		r->at = at;
	}
	return r;
}

bool road_open_source(struct road *r, struct err *err)
{
	const struct flow *flow = r->at->flow;
	if (!setup_read(r->at, "Severa", &r->settings, &r->credentials, err))
		return false;
	r->set = (struct road_settings) {
		.transfer = road_text(flow, r->settings, "statuses.transfer"),
		.transferred = road_text(flow, r->settings, "statuses.transferred"),
		.failed = road_text(flow, r->settings, "statuses.failed"),
		.send_pdf = road_flag(flow, r->settings, "send_pdf"),
	};
	r->company = road_company_from(r->at->arena,
				       road_text(flow, r->settings, "company.vat_number"));
	return severa_open(r->at, r->settings, json_get(r->credentials, "severa"), &r->severa, err);
}

bool road_open_target(struct road *r, struct err *err)
{
	if (!r->set.transfer || !r->set.transferred)
		return err_set(err, ERR_WAITING,
			       "statuses.transfer and statuses.transferred must be set");
	return r->ops->open(r, err);
}

bool road_open(struct attempt *at, struct road **ret, struct err *err)
{
	struct road *r = road_new(at);
	if (!r)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!road_open_source(r, err) || !road_open_target(r, err))
		return false;
	*ret = r;
	return true;
}
