/* einvoice_fixture.c: see the header. */
#include "base/base.h"
#include "einvoice_fixture.h"

#include "model/reason.h"

struct decimal dec(const char *text)
{
	struct decimal d = DECIMAL_ZERO;
	assert_true(decimal_parse(span_of(text), &d));
	return d;
}

static void start(struct fixture *f)
{
	*f = (struct fixture) { .arena = arena_new((size_t)4 << 20), .err = ERR_INIT };
	f->rows[0] = (struct invoice_row) { .position = 1,
					    .name = "Konsultointi",
					    .description = "Konsultointi",
					    .quantity = dec("10"),
					    .unit_price = dec("95"),
					    .unit = "h",
					    .has_vat_rate = true };
	f->inv = (struct invoice) { .number = "2026-1001",
				    .issue_date = "2026-09-01",
				    .due_date = "2026-09-15",
				    .delivery_date = "2026-08-31",
				    .payment_term_days = 14,
				    .your_reference = "OSTAJAN-VIITE-7",
				    .rows = f->rows,
				    .n_rows = 1,
				    .accounts = f->accounts,
				    .n_accounts = 1 };
	f->finvoice = (struct finvoice_options) { .message_id = "msg-1",
						  .time_stamp = "2026-09-01T10:15:00+03:00" };
}

void fixture_finnish(struct fixture *f)
{
	start(f);
	f->inv.currency = "EUR";
	f->inv.language = "fi";
	f->inv.reference = "20260 011";
	f->accounts[0] = (struct bank_account) { .number = "FI21 1234 5600 0007 85",
						 .bic = "NDEAFIHH" };
	f->rows[0].vat_rate = dec("25.5");
	f->inv.seller = (struct party) { .name = "Myyjä Testi Oy",
					 .vat_number = "FI76543212",
					 .address = { .street = "Esimerkkikatu 1",
						      .postcode = "00100",
						      .city = "Helsinki",
						      .country_code = "FI" },
					 .einvoice_operator = "003721291126" };
	f->inv.buyer = (struct party) { .name = "Ostaja & Pojat Oy",
					.vat_number = "FI23456780",
					.address = { .street = "Testitie 2",
						     .postcode = "02100",
						     .city = "Espoo",
						     .country_code = "FI" },
					.einvoice_address = "003723456780",
					.einvoice_operator = "BAWCFI22" };
}

void fixture_norwegian(struct fixture *f)
{
	start(f);
	f->inv.currency = "NOK";
	f->inv.language = "nb";
	f->inv.reference = "202600012340";
	f->accounts[0] = (struct bank_account) { .number = "1234 56 78903" };
	f->rows[0].vat_rate = dec("25");
	f->inv.seller = (struct party) { .name = "Selger Test AS",
					 .vat_number = "NO 123 456 785 MVA",
					 .address = { .street = "Storgata 1",
						      .postcode = "0155",
						      .city = "Oslo",
						      .country_code = "NO" } };
	f->inv.buyer = (struct party) { .name = "Kjøper Test AS",
					.vat_number = "NO987654325MVA",
					.address = { .street = "Havnegata 8",
						     .postcode = "5003",
						     .city = "Bergen",
						     .country_code = "NO" },
					.einvoice_address = "0192:987654325" };
}

void fixture_release(struct fixture *f)
{
	arena_free(f->arena);
}

struct invoice_row *fixture_row(struct fixture *f, const char *quantity, const char *price,
				const char *rate, const char *category)
{
	struct invoice_row *row = &f->rows[f->inv.n_rows++];
	*row = (struct invoice_row) { .position = (int64_t)f->inv.n_rows,
				      .description = "Rivi",
				      .quantity = dec(quantity),
				      .unit_price = dec(price),
				      .has_vat_rate = rate != NULL,
				      .vat_rate = dec(rate ? rate : "0"),
				      .vat_category = category };
	return row;
}

/* Totals that the test did not set are what the rows make. */
static void sum_up(struct fixture *f)
{
	struct invoice *inv = &f->inv;
	struct err ignored = ERR_INIT;
	bool is_set = decimal_sign(inv->total_gross) != 0;
	if (!is_set) {
		(void)!invoice_sum_up(inv, f->arena, &ignored);
		for (size_t i = 0; i < inv->n_vat; i++) {
			assert_true(decimal_add(inv->total_net, inv->vat[i].net, &inv->total_net));
			assert_true(decimal_add(inv->total_vat, inv->vat[i].vat, &inv->total_vat));
		}
		assert_true(decimal_add(inv->total_net, inv->total_vat, &inv->total_gross));
	}
	if (!invoice_sum_up(inv, f->arena, &ignored) && !str_eq(ignored.reason, "vat_rate_missing"))
		fail_msg("%s", ignored.message);
}

static bool parse(struct fixture *f, bool ok)
{
	const char *at = NULL;
	f->root = NULL;
	if (!ok)
		return false;
	/* Behind an envelope stands a second document. */
	at = memmem(f->document.p, f->document.n, "<?xml", 5);
	assert_non_null(at);
	struct span xml = { at, f->document.n - (size_t)(at - f->document.p) };
	assert_true(xml_parse(f->arena, xml, xml.n, &f->root, &f->err));
	return true;
}

bool fixture_peppol(struct fixture *f)
{
	sum_up(f);
	f->err = (struct err)ERR_INIT;
	return parse(f, peppol_write(&f->inv, &f->peppol, f->arena, &f->document, &f->err));
}

bool fixture_finvoice(struct fixture *f)
{
	sum_up(f);
	f->err = (struct err)ERR_INIT;
	return parse(f, finvoice_write(&f->inv, &f->finvoice, f->arena, &f->document, &f->err));
}

const char *fixture_at(const struct fixture *f, const char *path)
{
	return xml_text_at(f->root, path);
}

void assert_at(const struct fixture *f, const char *path, const char *expected)
{
	const char *text = fixture_at(f, path);
	if (!str_eq(text, expected))
		fail_msg("%s: %s, not %s", path, text ? text : "absent",
			 expected ? expected : "absent");
}

void assert_attr(const struct fixture *f, const char *path, const char *attr, const char *expected)
{
	const struct xml *x = xml_at(f->root, path);
	const char *text = x ? xml_attr(x, attr) : NULL;
	if (!str_eq(text, expected))
		fail_msg("%s@%s: %s, not %s", path, attr, text ? text : "absent",
			 expected ? expected : "absent");
}

bool fixture_says(const struct fixture *f, const char *bytes)
{
	return memmem(f->document.p, f->document.n, bytes, strlen(bytes)) != NULL;
}

void assert_refused(const struct fixture_refusal *refusals, size_t n,
		    bool (*write)(struct fixture *f))
{
	for (size_t i = 0; i < n; i++) {
		struct fixture f;
		fixture_finnish(&f);
		refusals[i].change(&f);
		if (write(&f))
			fail_msg("%s (%zu): not refused", refusals[i].reason, i);
		if (f.err.code != ERR_DATA || !str_eq(f.err.reason, refusals[i].reason))
			fail_msg("%s (%zu): %s", refusals[i].reason, i, f.err.message);
		assert_non_null(reason_find(f.err.reason));
		fixture_release(&f);
	}
}
