/* internal.h: what the files of this flow share. */
#ifndef SEVERA_MAESTRO_INTERNAL_H
#define SEVERA_MAESTRO_INTERNAL_H

#include "base/base.h"
#include "base/map.h"
#include "flows/report.h"
#include "flows/severa_maestro.h"
#include "flows/severa_road.h"
#include "systems/maestro.h"

/* One attempt with all that it needs; the road's first. */
struct smx {
	struct road road;
	struct road_einvoice einvoice;
	struct maestro maestro;
	/* Codes that Maestro does not know, with their rows: of the invoice, by build; of all
	 * invoices, by a poll (struct report_code). */
	struct map *codes;
};

static inline struct smx *smx_of(struct road *r)
{
	return (struct smx *)r;
}

/* settings.c */
#define SMX_N_SETTINGS (ROAD_N_SETTINGS + ROAD_N_EINVOICE_SETTINGS + 3)
#define SMX_N_CREDENTIALS (ROAD_N_CREDENTIALS + 2)
extern const struct setting smx_setting_table[SMX_N_SETTINGS];
extern const struct credential smx_credential_table[SMX_N_CREDENTIALS];
bool smx_settle(struct arena *arena, const struct system_values *systems,
		const struct json *settings, const struct json *credentials,
		struct limit_key ret_limits[CONNECTION_MAX_LIMITS], size_t *ret_n, struct err *err);
bool smx_open(struct road *r, struct err *err) MUST_CHECK;

/* rules.c, pure */
/* By which Maestro knows one sending again: the invoice's id, another one for another generation.
 * NULL past the arena's cap. */
const char *smx_key(struct arena *arena, const char *source_id, int64_t generation);
/* MA-04: why a row goes to the fallback product. */
enum smx_match { SMX_MATCHED, SMX_NO_CODE, SMX_SEVERAL_CODES, SMX_UNKNOWN, SMX_INACTIVE };
/* product: what Maestro has of the row's only code, NULL: nothing, or it was not asked. */
enum smx_match smx_match(const struct invoice_row *row, const struct maestro_product *product);
/* The row keeps all that is its own, and its text says which codes it had. */
bool smx_to_fallback(struct arena *arena, const char *fallback, struct invoice_row *row,
		     struct err *err) MUST_CHECK;
/* The codes of a row, "A, B"; NULL past the arena's cap. */
const char *smx_codes_of(struct arena *arena, const struct invoice_row *row);
/*
 * The card as it should stand at Maestro: ours over theirs. What is empty at Severa stays as it
 * stands there, unless it was we who wrote it: told names the fields of our last writing, "name
 * street".
 */
void smx_merge_card(const struct maestro_customer *theirs, const struct maestro_customer *ours,
		    const char *told, struct maestro_customer *ret);
/* Of the fields that ours has, for the next time; NULL past the arena's cap. */
const char *smx_told(struct arena *arena, const struct maestro_customer *ours);
/* Number, reference, customer, date, currency and signed sum agree. */
bool smx_is_same_invoice(const struct maestro_listed *l, const struct delivery_identity *id);

/* customer.c: the invoice's customer stands at Maestro as at Severa (MA-02). */
bool smx_customer(struct smx *m, struct err *err) MUST_CHECK;

/* products.c: each row's product, and the codes that Maestro does not know (MA-03, MA-04). */
bool smx_choose_products(struct smx *m, struct err *err) MUST_CHECK;
/* What Maestro itself moved to the fallback product when it took the invoice. */
void smx_note_warnings(struct smx *m, const struct maestro_created *made);
bool smx_watch(struct road *r, const char *source_id, struct err *err);
bool smx_report(struct road *r, struct report *ret, struct err *err);

/* check.c */
bool smx_check(struct road_check *c, struct err *err) MUST_CHECK;

#endif
