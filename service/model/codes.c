/*
 * codes.c: code lists of EN 16931, declared in model/codes.h. Each list is one text of words
 * between blanks, as the rules BR-CL-04, BR-CL-14 and BR-CL-22 of release 1.3.16, and
 * PEPPOL-EN16931-CL008 of release 3.0.21 have them; without the codes for tests and for no
 * currency.
 */
#include "base/base.h"
#include "model/codes.h"

static const char currencies[] =
	" AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV "
	"BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP "
	"CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF "
	"GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR "
	"KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT "
	"MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN "
	"PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE "
	"SOS SRD SSP SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD "
	"USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD "
	"XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG CNH XCG ";

static const char countries[] =
	" AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI "
	"BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN "
	"CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK "
	"FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM "
	"HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN "
	"KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
	"ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP "
	"NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW "
	"SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
	"TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI "
	"VN VU WF WS XI YE YT ZA ZM ZW ";

/* Behind "VATEX-"; the national lists (France) are left out. */
static const char exemptions[] =
	" EU-79-C EU-132 EU-132-1A EU-132-1B EU-132-1C EU-132-1D EU-132-1E "
	"EU-132-1F EU-132-1G EU-132-1H EU-132-1I EU-132-1J EU-132-1K EU-132-1L "
	"EU-132-1M EU-132-1N EU-132-1O EU-132-1P EU-132-1Q EU-135-1 EU-143 "
	"EU-143-1A EU-143-1B EU-143-1C EU-143-1D EU-143-1E EU-143-1F EU-143-1FA "
	"EU-143-1G EU-143-1H EU-143-1I EU-143-1J EU-143-1K EU-143-1L EU-144 "
	"EU-146-1E EU-159 EU-309 EU-148 EU-148-A EU-148-B EU-148-C EU-148-D "
	"EU-148-E EU-148-F EU-148-G EU-151 EU-151-1A EU-151-1AA EU-151-1B "
	"EU-151-1C EU-151-1D EU-151-1E EU-G EU-O EU-IC EU-AE EU-D EU-F EU-I EU-J "
	"EU-153 ";

static const char endpoint_schemes[] =
	" 0002 0007 0009 0060 0088 0096 0097 0106 0130 0135 0142 0151 0183 0184 "
	"0188 0190 0191 0192 0195 0196 0198 0199 0200 0201 0204 0208 0209 0210 "
	"0211 0216 0218 0221 0225 0230 0235 0240 0242 0244 0245 0246 0248 9910 "
	"9913 9914 9915 9918 9919 9920 9922 9923 9924 9925 9926 9927 9928 9929 "
	"9930 9931 9932 9933 9934 9935 9936 9937 9938 9939 9940 9941 9942 9943 "
	"9944 9945 9946 9947 9948 9949 9950 9951 9952 9953 9957 9959 ";

static bool holds(const char *list, const char *word)
{
	size_t n = strlen(word);
	if (n == 0 || strchr(word, ' '))
		return false;
	for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
		if (at[-1] == ' ' && at[n] == ' ')
			return true;
	return false;
}

bool currency_is_known(const char *code)
{
	return holds(currencies, code);
}

bool country_is_known(const char *code)
{
	return holds(countries, code);
}

bool endpoint_scheme_is_known(const char *code)
{
	return holds(endpoint_schemes, code);
}

bool vat_exemption_is_known(const char *code)
{
	static const char head[] = "VATEX-";
	return strncmp(code, head, sizeof(head) - 1) == 0 &&
	       holds(exemptions, code + sizeof(head) - 1);
}

const char *country_currency(const char *country_code)
{
	static const char *const pairs[][2] = { { "FI", "EUR" }, { "NO", "NOK" }, { "SE", "SEK" },
						{ "DK", "DKK" }, { "EE", "EUR" }, { "NL", "EUR" },
						{ "DE", "EUR" } };
	for (size_t i = 0; country_code && i < ARRAY_SIZE(pairs); i++)
		if (strcmp(pairs[i][0], country_code) == 0)
			return pairs[i][1];
	return NULL;
}

bool country_is_in_eu(const char *code)
{
	static const char codes[] = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL "
				    "PL PT RO SK SI ES SE";
	return code && strlen(code) == 2 && strstr(codes, code);
}
