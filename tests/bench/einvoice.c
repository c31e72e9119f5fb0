/*
 * einvoice.c: one invoice of many rows as Peppol BIS and as Finvoice: `einvoice ROUNDS [ROWS]`.
 * Prints one JSON line per format: CPU time and arena of one document, and its size.
 */
#include "base/base.h"

#include "formats/finvoice.h"
#include "formats/peppol.h"

#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

typedef bool (*write_fn)(const struct invoice *inv, struct arena *arena, struct span *ret,
			 struct err *err);

static bool as_peppol(const struct invoice *inv, struct arena *arena, struct span *ret,
		      struct err *err)
{
	const struct peppol_options opt = { .address_by_register = true };
	return peppol_write(inv, &opt, arena, ret, err);
}

static bool as_finvoice(const struct invoice *inv, struct arena *arena, struct span *ret,
			struct err *err)
{
	const struct finvoice_options opt = { .message_id = "bench-1",
					      .time_stamp = "2026-09-01T10:15:00+03:00",
					      .soap_frame = true };
	return finvoice_write(inv, &opt, arena, ret, err);
}

static void make_row(struct invoice_row *row, int64_t n)
{
	static const struct decimal rates[] = { { 255, 1 }, { 135, 1 }, { 10, 0 } };
	static const char *const codes[] = { "KONS-01" };
	*row = (struct invoice_row) {
		.position = n,
		.codes = codes,
		.n_codes = 1,
		.name = "Konsultointi",
		.description =
			"Konsultointi: määrittely ja suunnittelu, työpaja asiakkaan tiloissa\n"
			"Tunnit viikolta 35, hyväksynyt projektipäällikkö",
		.quantity = { 2125 + n, 3 },
		.unit_price = { 951234 + n, 4 },
		.discount_percent = { n % 5 ? 0 : 125, 1 },
		.unit = "h",
		.has_vat_rate = true,
		.vat_rate = rates[n % 3],
	};
}

static bool make_invoice(struct arena *arena, size_t n_rows, struct invoice *ret, struct err *err)
{
	static const struct bank_account account = { "FI2112345600000785", "NDEAFIHH", NULL };
	*ret = (struct invoice) {
		.number = "2026-1001",
		.reference = "20260011",
		.issue_date = "2026-09-01",
		.due_date = "2026-09-15",
		.delivery_date = "2026-08-31",
		.payment_term_days = 14,
		.currency = "EUR",
		.language = "fi",
		.your_reference = "OSTAJAN-VIITE-7",
		.text_before = "Laskutus sopimuksen mukaan. Tiedustelut: laskutus@myyja.example",
		.seller = { .name = "Myyjä Testi Oy",
			    .vat_number = "FI76543212",
			    .address = { .street = "Esimerkkikatu 1",
					 .postcode = "00100",
					 .city = "Helsinki",
					 .country_code = "FI" },
			    .einvoice_operator = "003721291126" },
		.buyer = { .name = "Ostaja & Pojat Oy",
			   .vat_number = "FI23456780",
			   .address = { .street = "Testitie 2",
					.postcode = "02100",
					.city = "Espoo",
					.country_code = "FI" },
			   .einvoice_address = "003723456780",
			   .einvoice_operator = "BAWCFI22" },
		.accounts = &account,
		.n_accounts = 1,
		.rows = arena_alloc_array(arena, n_rows, sizeof(*ret->rows)),
		.n_rows = n_rows,
	};
	if (!ret->rows)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n_rows; i++)
		make_row(&ret->rows[i], (int64_t)i + 1);
	/* The totals are what the rows make: a first pass finds them, and is refused for it. */
	struct err ignored;
	if (!invoice_sum_up(ret, arena, &ignored) && !ret->n_vat)
		return err_set(err, ERR_SYSTEM, "%s", ignored.message);
	for (size_t i = 0; i < ret->n_vat; i++)
		if (!decimal_add(ret->total_net, ret->vat[i].net, &ret->total_net) ||
		    !decimal_add(ret->total_vat, ret->vat[i].vat, &ret->total_vat))
			return err_set(err, ERR_SYSTEM, "overflow");
	return (decimal_add(ret->total_net, ret->total_vat, &ret->total_gross) ||
		err_set(err, ERR_SYSTEM, "overflow")) &&
	       invoice_sum_up(ret, arena, err);
}

static int64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool measure(const char *name, write_fn write_document, const struct invoice *inv,
		    long rounds, struct err *err)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(ARENA_BYTES);
	struct span document = { NULL, 0 };
	size_t used = 0;
	int64_t start = cpu_ns();
	for (long i = 0; i < rounds; i++) {
		if (!write_document(inv, arena, &document, err))
			return false;
		used = arena_used(arena);
		arena_clear(arena);
	}
	printf("{\"format\":\"%s\",\"rows\":%zu,\"cpu_us\":%" PRId64
	       ",\"arena_bytes\":%zu,\"document_bytes\":%zu}\n",
	       name, inv->n_rows, (cpu_ns() - start) / rounds / 1000, used, document.n);
	return true;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	long rows = argc > 2 ? strtol(argv[2], NULL, 10) : 50;
	CLEANUP(arena_free) struct arena *arena = arena_new(ARENA_BYTES);
	struct invoice inv;
	struct err err = ERR_INIT;
	if (rounds < 1 || rows < 1 || !arena) {
		fprintf(stderr, "einvoice ROUNDS [ROWS]\n");
		return 2;
	}
	if (make_invoice(arena, (size_t)rows, &inv, &err) &&
	    measure("peppol", as_peppol, &inv, rounds, &err) &&
	    measure("finvoice", as_finvoice, &inv, rounds, &err))
		return 0;
	fprintf(stderr, "einvoice: %s\n", err.message);
	return 1;
}
