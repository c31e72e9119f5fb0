/* alert_text.c: see alert_text.h. The reason's own sentences (model/reason.h), the target's words
 * unchanged (OP-05). */
#include "base/base.h"
#include "alert_text.h"

#include "codec/json.h"
#include "model/reason.h"

/* {name}: of the connection; {new}: not told of yet; {all}: standing still; {more}: not named. */
struct phrases {
	const char *language, *failures, *resolved, *intro, *says, *more, *outro, *all_well;
};

static const struct phrases phrases[] = {
	{ "en", "{all} documents stand still: {name}", "All documents have moved on: {name}",
	  "New since the last mail: {new}. Standing still in all: {all}.\n",
	  "the receiving system says", "... and {more} more; all are in the list of transfers.\n",
	  "Mend the cause; what is mended is tried again by itself.\n",
	  "Everything that earlier mails told of has been mended or called off.\n" },
	{ "fi", "{all} tositetta odottaa korjausta: {name}",
	  "Kaikki tositteet ovat edenneet: {name}",
	  "Uusia edellisen viestin jälkeen: {new}. Odottamassa kaikkiaan: {all}.\n",
	  "vastaanottava järjestelmä sanoo",
	  "... ja {more} muuta; kaikki ovat siirtojen luettelossa.\n",
	  "Korjaa syy; korjattu yritetään uudelleen itsestään.\n",
	  "Kaikki, mistä aiemmat viestit kertoivat, on korjattu tai peruttu.\n" },
	{ "nb", "{all} dokumenter står stille: {name}", "Alle dokumenter har gått videre: {name}",
	  "Nye siden forrige melding: {new}. Står stille i alt: {all}.\n", "mottakersystemet sier",
	  "... og {more} til; alle står i listen over overføringer.\n",
	  "Rett årsaken; det som er rettet, prøves igjen av seg selv.\n",
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

static void add_item(struct arena *arena, struct strbuf *sb, const struct phrases *p,
		     const struct transfer *t)
{
	const struct json *e = NULL;
	const struct reason *reason = reason_find(t->error_code);
	if (!t->error_json[0] ||
	    !json_parse(arena, span_of(t->error_json), JSON_LIMITS_API, &e, NULL))
		e = NULL;
	strbuf_addf(sb, "* %s: ", t->number[0] ? t->number : t->source_id);
	const char *detail = json_str(json_get(e, "detail"));
	const char *words = json_str(json_get(e, "target_text"));
	if (reason)
		reason_sentence(reason, p->language, json_str(json_get(e, "subject")), sb);
	else
		strbuf_addstr(sb, detail ? detail : t->error_code);
	strbuf_addch(sb, '\n');
	if (words && words[0])
		strbuf_addf(sb, "  (%s: %s)\n", p->says, words);
}

bool alert_text(struct arena *arena, const struct alert_words *w, const char **ret_subject,
		const char **ret_text, struct err *err)
{
	const struct phrases *p = phrases_of(w->language);
	struct strbuf subject = STRBUF_INIT(arena, 1024), text = STRBUF_INIT(arena, 1 << 20);
	bool is_resolved = w->kind == ALERT_RESOLVED;
	strbuf_addstr(&subject, "Viesti: ");
	add_filled(&subject, is_resolved ? p->resolved : p->failures, w);
	strbuf_addf(&text, "%s (%s)\n\n", w->name, w->conn);
	add_filled(&text, is_resolved ? p->all_well : p->intro, w);
	if (!is_resolved) {
		strbuf_addch(&text, '\n');
		for (size_t i = 0; i < w->n_items; i++)
			add_item(arena, &text, p, &w->items[i]);
		if (w->n_new > (int64_t)w->n_items)
			add_filled(&text, p->more, w);
		strbuf_addf(&text, "\n%s", p->outro);
	}
	return strbuf_finish(&subject, ret_subject, err) && strbuf_finish(&text, ret_text, err);
}
