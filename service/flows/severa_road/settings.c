/*
 * settings.c: what the settings of all flows from Severa have in common: reading them by the flow's
 * table, the combinations that are refused, and opening both sides for an attempt.
 */
#include "base/base.h"
#include "internal.h"

static const char *preset_of(const struct flow *flow, const char *name)
{
	for (size_t i = 0; i < flow->n_settings; i++)
		if (strcmp(flow->settings[i].name, name) == 0)
			return flow->settings[i].preset;
	return NULL;
}

const char *road_text(const struct flow *flow, const struct json *settings, const char *name)
{
	const char *value = json_str(json_at(settings, name));
	return value && value[0] ? value : preset_of(flow, name);
}

bool road_flag(const struct flow *flow, const struct json *settings, const char *name)
{
	bool value;
	if (json_bool(json_at(settings, name), &value))
		return value;
	return str_eq(preset_of(flow, name), "true");
}

bool road_refuse(struct err *err, const char *pointer, const char *words)
{
	err_set(err, ERR_INPUT, "%s", words);
	err_pointer(err, "%s", pointer);
	return false;
}

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

struct road *road_new(const struct road_ops *ops, struct attempt *at)
{
	assert(ops->size >= sizeof(struct road));
	struct road *r = arena_alloc(at->arena, ops->size);
	if (r) {
		r->ops = ops;
		r->at = at;
	}
	return r;
}

static bool read_texts(struct road *r, struct err *err)
{
	struct attempt *at = r->at;
	struct span secret = { at->conn->credentials.p, at->conn->credentials.n };
	if (!secret.p)
		return err_reason(err, ERR_CREDENTIALS, "credentials_refused", "Severa",
				  "the connection has no credentials");
	return (json_parse(at->arena, span_of(at->conn->settings), JSON_LIMITS_API, &r->settings,
			   err) &&
		json_parse(at->arena, secret, JSON_LIMITS_API, &r->credentials, err)) ||
	       err_wrap(err, "connection %s", at->conn->id);
}

bool road_open_source(struct road *r, struct err *err)
{
	const struct flow *flow = r->ops->flow;
	if (!read_texts(r, err))
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

bool road_open(const struct road_ops *ops, struct attempt *at, struct road **ret, struct err *err)
{
	struct road *r = road_new(ops, at);
	if (!r)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!road_open_source(r, err) || !road_open_target(r, err))
		return false;
	*ret = r;
	return true;
}
