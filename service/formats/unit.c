/*
 * unit.c: the table of units, declared in unit.h. A new name is a new word here.
 *
 * Guarantees never to guess: a name that means two things (Finnish "t" is an hour or a tonne) is
 * not in the table.
 */
#include "base/base.h"
#include "formats/unit.h"

static const struct {
	const char *code;
	const char *names; /* lower-case, each between bars */
} units[] = {
	{ "C62", "|kpl|kappale|kappaletta|st|stk|stykk|pcs|pc|piece|pieces|one|" },
	{ "H87", "|h87|" },
	{ "EA", "|ea|each|" },
	{ "HUR", "|h|hr|hrs|hour|hours|tunti|tuntia|time|timer|tim|timma|timmar|" },
	{ "MIN", "|min|minute|minutes|minuutti|minuuttia|minutt|minutter|minut|minuter|" },
	{ "DAY", "|d|day|days|pv|pvä|päivä|päivää|htp|dag|dager|dagar|" },
	{ "WEE", "|week|weeks|vk|vko|viikko|viikkoa|uke|uker|vecka|veckor|" },
	{ "MON", "|mo|month|months|kk|kuukausi|kuukautta|mnd|måned|måneder|mån|månad|månader|" },
	{ "ANN", "|year|years|vuosi|vuotta|år|" },
	{ "KMT", "|km|kilometri|kilometriä|kilometer|" },
	{ "MTR", "|m|metri|metriä|meter|metre|" },
	{ "CMT", "|cm|" },
	{ "MMT", "|mm|" },
	{ "LM", "|jm|jms|juoksumetri|løpemeter|lm|" },
	{ "MTK", "|m2|m²|neliö|neliömetri|kvm|kvadratmeter|" },
	{ "MTQ", "|m3|m³|kuutio|kuutiometri|kubikkmeter|kubikmeter|" },
	{ "KGM", "|kg|kilo|kiloa|" },
	{ "GRM", "|g|gramma|grammaa|gram|" },
	{ "TNE", "|tn|tonni|tonnia|tonn|ton|tonne|" },
	{ "LTR", "|l|ltr|litra|litraa|liter|litre|" },
	{ "KWH", "|kwh|" },
	{ "MWH", "|mwh|" },
	{ "SET", "|set|sett|sarja|sats|" },
	{ "PR", "|pr|pari|paria|par|pair|" },
	{ "P1", "|%|prosentti|prosent|procent|percent|" },
	{ "IE", "|hlö|henkilö|henkilöä|hklö|person|personer|" },
	{ "ZP", "|sivu|sivua|side|sider|sida|sidor|page|pages|" },
	{ "XPK", "|pkt|paketti|pakkaus|pakke|paket|package|" },
	{ "XBX", "|ltk|laatikko|eske|låda|box|" },
	{ "XRO", "|rll|rulla|rull|rulle|roll|" },
	{ "XPX", "|lava|pall|palle|pallet|" },
	{ "XBG", "|pss|pussi|säkki|pose|sekk|påse|säck|bag|" },
};

/* Lower-case in ASCII and Latin-1 letters (UTF-8: C3 80..9E), blanks and a full stop at the ends
 * dropped. False when it does not fit. */
static bool fold(const char *text, char *to, size_t size)
{
	size_t n = 0;
	text += strspn(text, " \t\r\n");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + 0x20);
		else if (n > 0 && (unsigned char)to[n - 1] == 0xC3 && c >= 0x80 && c <= 0x9E)
			c = (unsigned char)(c + 0x20);
		if (c == '|' || n + 1 >= size)
			return false;
		to[n++] = (char)c;
	}
	while (n > 0 && strchr(" \t\r\n.", to[n - 1]))
		n--;
	to[n] = '\0';
	return true;
}

static bool has_name(const char *names, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = strstr(names, name); at; at = strstr(at + 1, name))
		if (at > names && at[-1] == '|' && at[n] == '|')
			return true;
	return false;
}

const char *unit_code(const char *text)
{
	char name[32];
	if (!text || !text[strspn(text, " \t\r\n")])
		return UNIT_ONE;
	if (!fold(text, name, sizeof(name)) || !name[0])
		return UNIT_OTHER;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (has_name(units[i].names, name))
			return units[i].code;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcasecmp(units[i].code, name) == 0)
			return units[i].code;
	return UNIT_OTHER;
}
