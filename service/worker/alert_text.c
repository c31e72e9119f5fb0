/* alert_text.c: see alert_text.h. The reason's own sentences (model/reason.h), the target's words
 * unchanged (OP-05). */
#include "base/base.h"
#include "alert_text.h"

#include "codec/json.h"
#include "model/reason.h"

/* {name}: of the connection; {new}: not told of yet; {all}: standing still; {more}: not named. */
struct phrases {
	const char *language, *failures, *registers, *resolved, *intro, *says, *more;
	const char *given_up, *example, *outro, *all_well;
};

static const struct phrases phrases[] = {
	{ "en", "{all} documents stand still: {name}", "Records of registers stand still: {name}",
	  "Everything has moved on: {name}",
	  "New since the last mail: {new}. Standing still in all: {all}.\n",
	  "the receiving system says", "... and {more} more; all are in the list of transfers.\n",
	  "the run was given up", "for example",
	  "Mend the cause; what is mended is tried again by itself.\n",
	  "Everything that earlier mails told of has been mended or called off.\n" },
	{ "fi", "{all} tositetta odottaa korjausta: {name}",
	  "Rekisterien tietoja odottaa korjausta: {name}", "Kaikki on edennyt: {name}",
	  "Uusia edellisen viestin jälkeen: {new}. Odottamassa kaikkiaan: {all}.\n",
	  "vastaanottava järjestelmä sanoo",
	  "... ja {more} muuta; kaikki ovat siirtojen luettelossa.\n", "ajo keskeytettiin",
	  "esimerkiksi", "Korjaa syy; korjattu yritetään uudelleen itsestään.\n",
	  "Kaikki, mistä aiemmat viestit kertoivat, on korjattu tai peruttu.\n" },
	{ "nb", "{all} dokumenter står stille: {name}", "Poster i registre står stille: {name}",
	  "Alt har gått videre: {name}",
	  "Nye siden forrige melding: {new}. Står stille i alt: {all}.\n", "mottakersystemet sier",
	  "... og {more} til; alle står i listen over overføringer.\n", "kjøringen ble gitt opp",
	  "for eksempel", "Rett årsaken; det som er rettet, prøves igjen av seg selv.\n",
	  "Alt som tidligere meldinger fortalte om, er rettet eller avlyst.\n" },
};

static const struct phrases *phrases_of(const char *language)
{
	for (size_t i = 0; i < ARRAY_SIZE(phrases); i++)
		if (str_eq(phrases[i].language, language))
			return &phrases[i];
	return &phrases[0];
}

static void add_filled(struct strbuf *sb, const char *text, const struct alert_words *w)
{
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = { { "{new}", w->n_new },
			{ "{all}", w->standing },
			{ "{more}", w->n_new - (int64_t)w->n_items } };
	while (*text) {
		size_t used = 0;
		if (strncmp(text, "{name}", 6) == 0) {
			strbuf_addstr(sb, w->name);
			used = 6;
		}
		for (size_t i = 0; !used && i < ARRAY_SIZE(numbers); i++) {
			size_t n = strlen(numbers[i].name);
			if (strncmp(text, numbers[i].name, n) == 0) {
				strbuf_addint(sb, numbers[i].value);
				used = n;
			}
		}
		if (!used)
			strbuf_addch(sb, *text);
		text += used ? used : 1;
	}
}

/* The reason's sentence, and the target's words below it. */
static void add_why(struct arena *arena, struct strbuf *sb, const struct phrases *p,
		    const char *code, const char *json)
{
	const struct json *e = NULL;
	const struct reason *reason = reason_find(code);
	if (!json[0] || !json_parse(arena, span_of(json), JSON_LIMITS_API, &e, NULL))
		e = NULL;
	const char *detail = json_str(json_get(e, "detail"));
	const char *words = json_str(json_get(e, "target_text"));
	if (reason)
		reason_sentence(reason, p->language, json_str(json_get(e, "subject")), sb);
	else
		strbuf_addstr(sb, detail ? detail : code);
	strbuf_addch(sb, '\n');
	if (words && words[0])
		strbuf_addf(sb, "  (%s: %s)\n", p->says, words);
}

static void add_item(struct arena *arena, struct strbuf *sb, const struct phrases *p,
		     const struct transfer *t)
{
	strbuf_addf(sb, "* %s: ", t->number[0] ? t->number : t->source_id);
	add_why(arena, sb, p, t->error_code, t->error_json);
}

/* "customers (12, for example): ..." */
static void add_alarm(struct arena *arena, struct strbuf *sb, const struct phrases *p,
		      const struct store_alarm *alarm)
{
	strbuf_addf(sb, "* %s", alarm->reg);
	if (alarm->is_run)
		strbuf_addf(sb, " (%s): ", p->given_up);
	else if (alarm->n > 1)
		strbuf_addf(sb, " (%" PRId64 ", %s): ", alarm->n, p->example);
	else
		strbuf_addstr(sb, ": ");
	add_why(arena, sb, p, alarm->code, alarm->json);
}

static bool any_documents(const struct alert_words *w)
{
	return w->standing || w->n_new;
}

static void add_failures(struct arena *arena, struct strbuf *sb, const struct phrases *p,
			 const struct alert_words *w)
{
	if (any_documents(w)) {
		add_filled(sb, p->intro, w);
		strbuf_addch(sb, '\n');
	}
	for (size_t i = 0; i < w->n_items; i++)
		add_item(arena, sb, p, &w->items[i]);
	if (w->n_new > (int64_t)w->n_items)
		add_filled(sb, p->more, w);
	for (size_t i = 0; i < w->n_alarms; i++)
		add_alarm(arena, sb, p, &w->alarms[i]);
	strbuf_addf(sb, "\n%s", p->outro);
}

bool alert_text(struct arena *arena, const struct alert_words *w, const char **ret_subject,
		const char **ret_text, struct err *err)
{
	const struct phrases *p = phrases_of(w->language);
	struct strbuf subject = STRBUF_INIT(arena, 1024), text = STRBUF_INIT(arena, 1 << 20);
	bool is_resolved = w->kind == ALERT_RESOLVED;
	strbuf_addstr(&subject, "Viesti: ");
	add_filled(&subject,
		   is_resolved	      ? p->resolved
		   : any_documents(w) ? p->failures
				      : p->registers,
		   w);
	strbuf_addf(&text, "%s (%s)\n\n", w->name, w->conn);
	if (is_resolved)
		add_filled(&text, p->all_well, w);
	else
		add_failures(arena, &text, p, w);
	return strbuf_finish(&subject, ret_subject, err) && strbuf_finish(&text, ret_text, err);
}
