/*
 * vat_rate.c: the table of VAT percentages, declared in model/vat_rate.h. A new rate is a new row
 * here and nothing else. Does not know which goods a rate is for.
 */
#include "base/base.h"
#include "model/vat_rate.h"

static const struct {
	char country[3];
	struct decimal percent;
	const char *from, *to; /* NULL: from the beginning of the table, or still in force */
} rates[] = {
	{ "FI", { 24, 0 }, NULL, "2024-08-31" }, { "FI", { 255, 1 }, "2024-09-01", NULL },
	{ "FI", { 14, 0 }, NULL, "2025-12-31" }, { "FI", { 135, 1 }, "2026-01-01", NULL },
	{ "FI", { 10, 0 }, NULL, NULL },	 { "NO", { 25, 0 }, NULL, NULL },
	{ "NO", { 15, 0 }, NULL, NULL },	 { "NO", { 12, 0 }, NULL, NULL },
	{ "NO", { 1111, 2 }, NULL, NULL }, /* raw fish */
};

/* The first day that the table is complete for. */
static const struct {
	char country[3];
	const char *from;
} begins[] = { { "FI", "2013-01-01" }, { "NO", "2021-10-01" } };

static bool is_judged(const char *country_code, const char *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		if (str_eq(begins[i].country, country_code))
			return strcmp(to, begins[i].from) >= 0;
	return false;
}

bool vat_rate_was_in_force(const char *country_code, struct decimal percent, const char *from,
			   const char *to)
{
	if (decimal_sign(percent) == 0 || !is_judged(country_code, to))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		if (strcmp(rates[i].country, country_code) == 0 &&
		    decimal_eq(rates[i].percent, percent) &&
		    (!rates[i].from || strcmp(to, rates[i].from) >= 0) &&
		    (!rates[i].to || strcmp(from, rates[i].to) <= 0))
			return true;
	return false;
}
