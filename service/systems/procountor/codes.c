/*
 * codes.c: Procountor's own names of units and languages (facts/procountor.md §6, 7): all units
 * that it has, and which of them people mean. Never guesses: a unit that nobody knows is none.
 */
#include "base/base.h"
#include "procountor_internal.h"

#include "formats/unit.h"

static const char *const units[] = {
	"AMPERE",
	"AMPERE_HOUR",
	"AMPERE_MINUTE",
	"BAG",
	"BAR",
	"BOTTLE",
	"BOX",
	"CAN",
	"CENTILITRE",
	"CM",
	"CUBIC_METER",
	"CUP",
	"DAY",
	"DECILITRE",
	"DOZEN",
	"DOZEN_PACK",
	"EIGHT_PACK",
	"EXAJOULE",
	"FIVE_PACK",
	"FOOT",
	"FOUR_PACK",
	"FULL_DAY",
	"GALLON_UK",
	"GALLON_US",
	"GIGABIT",
	"GIGABYTE",
	"GIGAJOULE",
	"GIGAWATT",
	"GIGAWATT_HOUR",
	"GRAM",
	"GRAM_PER_CUBIC_METRE",
	"GRAM_PER_SQUARE_METRE",
	"HECTARE",
	"HOUR",
	"HUNDRED",
	"INCH",
	"JAR",
	"JOULE",
	"JOULE_PER_SECOND",
	"KILOAMPERE_HOUR",
	"KILOBIT",
	"KILOBYTE",
	"KILOGRAM",
	"KILOGRAM_PER_CUBIC_METRE",
	"KILOGRAM_PER_SQUARE_METRE",
	"KILOJOULE",
	"KILOMETER",
	"KILOPASCAL",
	"KILOVOLT",
	"KILOWATT",
	"KILOWATT_HOUR",
	"LINEAR_METER",
	"LITER",
	"LOT",
	"MEGABIT",
	"MEGABYTE",
	"MEGAWATT_HOUR",
	"METER",
	"MILE",
	"MILLIAMPERE_HOUR",
	"MILLIGRAM",
	"MILLIGRAM_PER_CUBIC_METRE",
	"MILLIJOULE",
	"MILLILITRE",
	"MILLIMETER",
	"MILLIVOLT",
	"MILLIWATT",
	"MINUTE",
	"MONTH",
	"NINE_PACK",
	"NO_UNIT",
	"NUMBER_OF_WORDS",
	"OUNCE",
	"PAGE",
	"PAIR",
	"PALLET",
	"PARCEL",
	"PASCAL",
	"PERSON",
	"PETAJOULE",
	"PIECE",
	"PINT_UK",
	"PINT_US",
	"PLATE",
	"POUND",
	"ROLL",
	"SACK",
	"SALE_UNIT",
	"SECOND",
	"SERIES",
	"SET",
	"SEVEN_PACK",
	"SIX_PACK",
	"SQUARE_CENTIMETRE",
	"SQUARE_METER",
	"STONE_UK",
	"TEN_PACK",
	"TERABIT",
	"TERAJOULE",
	"TERAWATT",
	"TERAWATT_HOUR",
	"THREE_PACK",
	"TON",
	"TUBE",
	"TWO_PACK",
	"WATT",
	"WATT_HOUR",
	"WEEK",
	"WRAP",
	"YARD",
	"YEAR",
};

/* By the codes of UN/ECE Recommendation 20. */
static const struct {
	const char *code, *name;
} by_code[] = {
	{ UNIT_ONE, "PIECE" },	  { "H87", "PIECE" },	      { "EA", "PIECE" },
	{ "HUR", "HOUR" },	  { "MIN", "MINUTE" },	      { "DAY", "DAY" },
	{ "WEE", "WEEK" },	  { "MON", "MONTH" },	      { "ANN", "YEAR" },
	{ "KMT", "KILOMETER" },	  { "MTR", "METER" },	      { "CMT", "CM" },
	{ "MMT", "MILLIMETER" },  { "LM", "LINEAR_METER" },   { "MTK", "SQUARE_METER" },
	{ "MTQ", "CUBIC_METER" }, { "KGM", "KILOGRAM" },      { "GRM", "GRAM" },
	{ "TNE", "TON" },	  { "LTR", "LITER" },	      { "KWH", "KILOWATT_HOUR" },
	{ "SET", "SET" },	  { "MWH", "MEGAWATT_HOUR" }, { "PR", "PAIR" },
	{ "IE", "PERSON" },	  { "ZP", "PAGE" },	      { "XPK", "PARCEL" },
	{ "XBX", "BOX" },	  { "XRO", "ROLL" },	      { "XPX", "PALLET" },
	{ "XBG", "BAG" },
};

/* Words that have no such code. */
static const struct {
	const char *word, *name;
} by_word[] = {
	{ "plo", "BOTTLE" }, { "pullo", "BOTTLE" }, { "srj", "SERIES" },
	{ "erä", "LOT" },    { "tlk", "CAN" },	    { "purkki", "JAR" },
};

const char *procountor_unit(const char *text)
{
	if (!text || !text[strspn(text, " \t")])
		return "NO_UNIT";
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcasecmp(units[i], text) == 0)
			return units[i];
	for (size_t i = 0; i < ARRAY_SIZE(by_word); i++)
		if (strcasecmp(by_word[i].word, text) == 0)
			return by_word[i].name;
	const char *code = unit_code(text);
	for (size_t i = 0; i < ARRAY_SIZE(by_code); i++)
		if (strcmp(by_code[i].code, code) == 0)
			return by_code[i].name;
	return NULL;
}

static const struct {
	const char *code, *name;
} languages[] = {
	{ "fi", "FINNISH" },   { "sv", "SWEDISH" },   { "en", "ENGLISH" }, { "no", "NORWEGIAN" },
	{ "nb", "NORWEGIAN" }, { "nn", "NORWEGIAN" }, { "da", "DANISH" },  { "et", "ESTONIAN" },
};

const char *procountor_language_name(const char *code)
{
	for (size_t i = 0; code && i < ARRAY_SIZE(languages); i++)
		if (strcasecmp(languages[i].code, code) == 0)
			return languages[i].name;
	return NULL;
}

const char *procountor_language_code(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(languages); i++)
		if (strcmp(languages[i].name, name) == 0)
			return languages[i].code;
	return NULL;
}
