/* setup.c: a connection's settings and texts as a flow reads them (flows/setup.h). */
#include "base/base.h"
#include "flows/setup.h"

static const char *preset_of(const struct flow *flow, const char *name)
{
	for (size_t i = 0; i < flow->n_settings; i++)
		if (strcmp(flow->settings[i].name, name) == 0)
			return flow->settings[i].preset;
	return NULL;
}

const char *setup_text(const struct flow *flow, const struct json *settings, const char *name)
{
	const char *value = json_str(json_at(settings, name));
	return value && value[0] ? value : preset_of(flow, name);
}

bool setup_flag(const struct flow *flow, const struct json *settings, const char *name)
{
	bool value;
	if (json_bool(json_at(settings, name), &value))
		return value;
	return str_eq(preset_of(flow, name), "true");
}

bool setup_decimal(const struct flow *flow, const struct json *settings, const char *name,
		   struct decimal *ret)
{
	const char *preset = preset_of(flow, name);
	return json_decimal(json_at(settings, name), ret) ||
	       (preset && decimal_parse(span_of(preset), ret));
}

bool setup_refuse(struct err *err, const char *pointer, const char *words)
{
	err_set(err, ERR_INPUT, "%s", words);
	err_pointer(err, "%s", pointer);
	return false;
}

bool setup_read(struct attempt *at, const char *source, const struct json **ret_settings,
		const struct json **ret_credentials, struct err *err)
{
	struct span secret = { at->conn->credentials.p, at->conn->credentials.n };
	if (!secret.p)
		return err_reason(err, ERR_CREDENTIALS, "credentials_refused", source,
				  "the connection has no credentials");
	return (json_parse(at->arena, span_of(at->conn->settings), JSON_LIMITS_API, ret_settings,
			   err) &&
		json_parse(at->arena, secret, JSON_LIMITS_API, ret_credentials, err)) ||
	       err_wrap(err, "connection %s", at->conn->id);
}
