/*
 * option.c: one option's value: text to member and back, by type. Pure.
 *
 * Guarantees that a value that passes is in the range its row names. Does not know where a value
 * came from, nor rules between options (config.c).
 */
#include "base/base.h"

#include "config/form.h"
#include "config/option.h"

struct unit {
	const char *suffix;
	int64_t factor;
};

/* From large to small: formatting takes the first that divides. */
static const struct unit durations[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
	{ "s", 1000 },	   { "ms", 1 },	     { NULL, 0 },
};
static const struct unit sizes[] = {
	{ "g", 1024 * 1024 * 1024 }, { "m", 1024 * 1024 }, { "k", 1024 }, { "", 1 }, { NULL, 0 },
};
static const struct unit plain[] = { { "", 1 }, { NULL, 0 } };

static const struct {
	const char *word;
	bool value;
} bools[] = {
	{ "true", true }, { "false", false }, { "yes", true }, { "no", false },
	{ "on", true },	  { "off", false },   { "1", true },   { "0", false },
};

bool option_is_secret(const struct option *opt)
{
	return opt->type == OPTION_SECRET || opt->type == OPTION_REDIS_URL ||
	       opt->type == OPTION_PEM;
}

static const struct unit *units_of(enum option_type type)
{
	return type == OPTION_DURATION ? durations : type == OPTION_SIZE ? sizes : plain;
}

static bool parse_scaled(struct span text, const struct unit *units, int64_t *ret)
{
	int64_t value = 0;
	size_t i = 0;

	for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, text.p[i] - '0', &value))
			return false;
	if (i == 0)
		return false;

	struct span suffix = { text.p + i, text.n - i };
	if (suffix.n == 0 && value == 0) { /* nothing needs no unit */
		*ret = 0;
		return true;
	}
	for (const struct unit *u = units; u->suffix; u++)
		if (suffix.n == strlen(u->suffix) &&
		    strncasecmp(suffix.p, u->suffix, suffix.n) == 0)
			return !__builtin_mul_overflow(value, u->factor, ret);
	return false;
}

/* Splits "low..high"; an option without a range takes any number from 0. */
static void range_of(const struct option *opt, int64_t *ret_low, int64_t *ret_high)
{
	const char *dots = strstr(opt->allowed, "..");

	*ret_low = 0;
	*ret_high = INT_MAX;
	if (!dots)
		return;
	const struct unit *units = units_of(opt->type);
	struct span low = { opt->allowed, (size_t)(dots - opt->allowed) };
	bool ok = parse_scaled(low, units, ret_low) &&
		  parse_scaled(span_of(dots + 2), units, ret_high);
	assert(ok); /* options.def is ours */
	(void)ok; /* read by the assert alone */
}

static bool parse_number(const struct option *opt, struct span text, int64_t *ret)
{
	int64_t value = 0, low = 0, high = 0;

	if (!parse_scaled(text, units_of(opt->type), &value))
		return false;
	range_of(opt, &low, &high);
	if (value < low || value > high)
		return false;
	*ret = value;
	return true;
}

static bool parse_bool(struct span text, bool *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(bools); i++)
		if (text.n == strlen(bools[i].word) &&
		    strncasecmp(text.p, bools[i].word, text.n) == 0) {
			*ret = bools[i].value;
			return true;
		}
	return false;
}

static bool parse_enum(const char *list, struct span text, int *ret)
{
	int position = 0;

	for (const char *p = list; p; position++) {
		const char *bar = strchr(p, '|');
		struct span word = { p, bar ? (size_t)(bar - p) : strlen(p) };

		if (span_eq(word, text)) {
			*ret = position;
			return true;
		}
		p = bar ? bar + 1 : NULL;
	}
	return false;
}

static bool is_well_formed(const struct option *opt, struct span text)
{
	if (opt->type == OPTION_PEM)
		return form_is_pem(text);
	if (!form_is_printable(text, opt->type == OPTION_PATH || opt->type == OPTION_TEXT))
		return false;
	switch (opt->type) {
	case OPTION_NAME:
		return form_is_name(text);
	case OPTION_URL:
		return form_is_url(text);
	case OPTION_ADDRESS:
		return form_is_address(text);
	case OPTION_NETWORKS:
		return form_is_network_list(text);
	case OPTION_HOSTS:
		return form_is_host_list(text);
	case OPTION_REDIS_URL:
		return form_is_redis_url(text);
	case OPTION_SECRET: {
		int64_t low = 0, high = 0;

		range_of(opt, &low, &high);
		return text.n >= (size_t)low && text.n <= (size_t)high;
	}
	case OPTION_SECTION:
	case OPTION_TEXT:
	case OPTION_PATH:
	case OPTION_PEM:
	case OPTION_INT:
	case OPTION_BOOL:
	case OPTION_DURATION:
	case OPTION_SIZE:
	case OPTION_ENUM:
		return true;
	}
	return true;
}

static bool refuse(const struct option *opt, struct span text, struct arena *arena, struct err *err)
{
	struct strbuf allowed = STRBUF_INIT(arena, 512);
	const char *words = NULL;

	option_allowed(opt, &allowed);
	if (!strbuf_finish(&allowed, &words, err))
		return false;
	if (option_is_secret(opt))
		(void)err_set(err, ERR_INPUT, "%s: the value is not allowed; expected: %s",
			      opt->name, words);
	else
		(void)err_set(err, ERR_INPUT, "%s: \"%.*s\" is not allowed; expected: %s",
			      opt->name, (int)(text.n < 100 ? text.n : 100), text.p, words);
	err_pointer(err, "%s", opt->name);
	return false;
}

static bool store_text(const struct option *opt, struct span text, struct arena *arena, void *into,
		       struct err *err)
{
	while (opt->type == OPTION_URL && text.n > 0 && text.p[text.n - 1] == '/')
		text.n--;
	const char *copy = arena_memdup(arena, text.p, text.n);
	if (!copy)
		return err_set(err, ERR_MEMORY, "%s: no memory", opt->name);
	*(const char **)into = copy;
	return true;
}

bool option_parse(const struct option *opt, struct span text, struct arena *arena, void *into,
		  struct err *err)
{
	int64_t number = 0;
	bool ok = true;

	switch (opt->type) {
	case OPTION_SECTION:
		return true;
	case OPTION_TEXT:
	case OPTION_NAME:
	case OPTION_PATH:
	case OPTION_URL:
	case OPTION_ADDRESS:
	case OPTION_NETWORKS:
	case OPTION_HOSTS:
		if (text.n > 0 && !is_well_formed(opt, text))
			return refuse(opt, text, arena, err);
		return store_text(opt, text, arena, into, err);
	case OPTION_SECRET:
	case OPTION_REDIS_URL:
	case OPTION_PEM:
		if (text.n == 0)
			return true;
		if (!is_well_formed(opt, text))
			return refuse(opt, text, arena, err);
		if (!secret_init(into, text))
			return err_set(err, ERR_MEMORY, "%s: no memory", opt->name);
		return true;
	case OPTION_INT:
		ok = parse_number(opt, text, &number);
		if (ok)
			*(int *)into = (int)number;
		break;
	case OPTION_DURATION:
		ok = parse_number(opt, text, into);
		break;
	case OPTION_SIZE:
		ok = parse_number(opt, text, &number);
		if (ok)
			*(size_t *)into = (size_t)number;
		break;
	case OPTION_BOOL:
		ok = parse_bool(text, into);
		break;
	case OPTION_ENUM:
		ok = parse_enum(opt->allowed, text, into);
		break;
	}
	return ok || refuse(opt, text, arena, err);
}

static void format_scaled(int64_t value, const struct unit *units, struct strbuf *out)
{
	const struct unit *u = units;

	while (u[1].suffix && value % u->factor != 0)
		u++;
	if (value == 0)
		strbuf_addstr(out, "0");
	else
		strbuf_addf(out, "%" PRId64 "%s", value / u->factor, u->suffix);
}

static void format_word(const char *list, int position, struct strbuf *out)
{
	const char *p = list;

	for (; position > 0; position--)
		p = strchr(p, '|') + 1;
	strbuf_add(out, p, strcspn(p, "|"));
}

/* User and password of a URL are masked; what names the place stays readable. */
static void format_url(const struct secret *url, struct strbuf *out)
{
	const char *at = url->p ? strrchr(url->p, '@') : NULL;

	if (!at) {
		strbuf_addstr(out, url->p ? url->p : "");
		return;
	}
	strbuf_add(out, url->p, (size_t)(strstr(url->p, "://") + 3 - url->p));
	strbuf_addstr(out, "***");
	strbuf_addstr(out, at);
}

void option_format(const struct option *opt, const void *value, struct strbuf *out)
{
	switch (opt->type) {
	case OPTION_SECTION:
		break;
	case OPTION_TEXT:
	case OPTION_NAME:
	case OPTION_PATH:
	case OPTION_URL:
	case OPTION_ADDRESS:
	case OPTION_NETWORKS:
	case OPTION_HOSTS:
		strbuf_addstr(out, *(const char *const *)value);
		break;
	case OPTION_SECRET:
	case OPTION_PEM:
		strbuf_addstr(out, secret_is_set(value) ? "***" : "");
		break;
	case OPTION_REDIS_URL:
		format_url(value, out);
		break;
	case OPTION_INT:
		strbuf_addint(out, *(const int *)value);
		break;
	case OPTION_BOOL:
		strbuf_addstr(out, *(const bool *)value ? "true" : "false");
		break;
	case OPTION_DURATION:
		format_scaled(*(const int64_t *)value, durations, out);
		break;
	case OPTION_SIZE:
		format_scaled((int64_t) * (const size_t *)value, sizes, out);
		break;
	case OPTION_ENUM:
		format_word(opt->allowed, *(const int *)value, out);
		break;
	}
}

void option_allowed(const struct option *opt, struct strbuf *out)
{
	static const char *const words[] = {
		[OPTION_SECTION] = "",
		[OPTION_TEXT] = "text",
		[OPTION_NAME] = "name of a-z, 0-9, _ and -, at most 32 characters",
		[OPTION_PATH] = "path",
		[OPTION_URL] = "https:// URL without query",
		[OPTION_ADDRESS] = "IPv4 or IPv6 address",
		[OPTION_NETWORKS] =
			"comma list of addresses or networks (10.0.0.0/8), without spaces",
		[OPTION_HOSTS] = "comma list of host or host:port, without spaces",
		[OPTION_SECRET] = "secret of ",
		[OPTION_REDIS_URL] = "redis://, rediss:// or unix:// URL",
		[OPTION_PEM] = "PEM text",
		[OPTION_INT] = "whole number ",
		[OPTION_BOOL] = "word: true or false",
		[OPTION_DURATION] = "duration (ms, s, m, h, d) ",
		[OPTION_SIZE] = "size (bytes, k, m, g) ",
		[OPTION_ENUM] = "word: ",
	};

	strbuf_addstr(out, words[opt->type]);
	for (const char *p = opt->allowed; *p; p++)
		if (*p == '|')
			strbuf_addstr(out, ", ");
		else
			strbuf_addch(out, *p);
	if (opt->type == OPTION_SECRET)
		strbuf_addstr(out, " characters");
}
