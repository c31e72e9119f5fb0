/*
 * settings.c: see settings.h. Dotted names of a table nest: "statuses.transfer" is the member
 * transfer of the member statuses.
 */
#include "base/base.h"

#include "net/mail.h"
#include "request.h"
#include "settings.h"

static bool enum_has(const char *values, const char *text)
{
	size_t n = strlen(text);
	for (const char *p = values ? values : ""; *p;) {
		size_t w = strcspn(p, "|");
		if (w == n && memcmp(p, text, n) == 0)
			return true;
		p += w;
		p += *p == '|';
	}
	return false;
}

static bool fits(const struct setting *s, const struct json *j)
{
	struct decimal d;
	bool b;
	switch (s->type) {
	case SETTING_TEXT:
		return json_str(j) != NULL;
	case SETTING_BOOL:
		return json_bool(j, &b);
	case SETTING_ENUM:
		return json_str(j) && enum_has(s->values, json_str(j));
	case SETTING_DECIMAL:
		return json_decimal(j, &d);
	case SETTING_OBJECT:
		return json_type(j) == JSON_OBJECT;
	case SETTING_EMAIL:
		return json_str(j) && mail_is_address(span_of(json_str(j)));
	}
	return false;
}

/* What a value of the setting looks like, for people. */
static const char *form_of(const struct setting *s)
{
	static const char *const forms[] = {
		[SETTING_TEXT] = "a text",
		[SETTING_BOOL] = "true or false",
		[SETTING_DECIMAL] = "a number",
		[SETTING_OBJECT] = "an object, {...}",
		[SETTING_EMAIL] = "an e-mail address",
	};
	return s->values ? s->values : forms[s->type];
}

static const struct setting *find(const struct setting_table *table, const char *name)
{
	for (size_t i = 0; i < table->n; i++)
		if (str_eq(table->rows[i].name, name))
			return &table->rows[i];
	return NULL;
}

/* Said of each setting that is not known. GET /v1/flows writes a name with dots. */
static const char *hint_of(const struct setting_table *table, const char *key)
{
	return strchr(key, '.') && find(table, key)
		       ? "no such setting: a name with a dot is written as objects, a.b as "
			 "{\"a\": {\"b\": ...}}"
		       : "no such setting; GET /v1/flows lists them";
}

static bool has_some_below(const struct setting_table *table, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < table->n; i++)
		if (strncmp(table->rows[i].name, name, n) == 0 && table->rows[i].name[n] == '.')
			return true;
	return false;
}

/* "statuses.transfer" as the pointer "/settings/statuses/transfer". */
static void point_at(struct err *err, const struct setting_table *table, const char *name)
{
	char path[160];
	snprintf(path, sizeof(path), "%s", name);
	for (char *p = path; *p; p++)
		if (*p == '.')
			*p = '/';
	err_pointer(err, "%s/%s", table->pointer, path);
}

static bool check_below(struct arena *arena, const struct setting_table *table, const char *prefix,
			const struct json *j, struct err *err)
{
	for (const struct json *m = json_first(j); m; m = json_next(m)) {
		const char *name = arena_printf(arena, "%s%s%s", prefix, *prefix ? "." : "",
						json_key(m));
		if (!name)
			return err_set(err, ERR_LIMIT, "arena full");
		bool is_dotted = strchr(json_key(m), '.') != NULL; /* nobody would read it */
		const struct setting *s = is_dotted ? NULL : find(table, name);
		if (s && !fits(s, m)) {
			problem(err, ERR_INPUT, "value_invalid", "",
				s->values ? "one of %s" : "must be %s", form_of(s));
			point_at(err, table, name);
			return false;
		}
		if (s)
			continue;
		if (!is_dotted && json_type(m) == JSON_OBJECT && has_some_below(table, name)) {
			if (!check_below(arena, table, name, m, err))
				return false;
			continue;
		}
		problem(err, ERR_INPUT, "unknown_member", "", "%s", hint_of(table, name));
		point_at(err, table, name);
		return false;
	}
	return true;
}

bool settings_check(struct arena *arena, const struct setting_table *table, const struct json *j,
		    struct err *err)
{
	return check_below(arena, table, "", j, err);
}

bool settings_complete(const struct setting_table *table, const struct json *j, struct err *err)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct setting *s = &table->rows[i];
		if (!s->needed || s->preset || !json_is_null(json_at(j, s->name)))
			continue;
		problem(err, ERR_INPUT, "value_missing", "", "%s", s->doc ? s->doc : "");
		point_at(err, table, s->name);
		return false;
	}
	return true;
}
