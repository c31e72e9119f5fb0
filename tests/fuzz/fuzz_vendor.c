/*
 * fuzz_vendor.c: documents as a vendor may send them, well-formed or not, through the maps of its
 * folder and the model's rules: an answer or an error with words, never more. The first byte
 * chooses the kind of document.
 */
#include "base/base.h"

#include "codec/xml.h"
#include "model/invoice.h"
#include "systems/netvisor/netvisor_internal.h"
#include "systems/severa/severa_internal.h"

#define CAP_BYTES ((size_t)16 << 20)
#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_invoice(struct arena *arena, const struct json *j)
{
	struct err err = ERR_INIT;
	struct invoice inv = { 0 };
	struct invoice_row row = { 0 };
	if (!severa_map_invoice(arena, j, &inv, &err)) {
		MUST(err.code != ERR_NONE && err.message[0]);
		return;
	}
	if (severa_map_row(arena, json_get(j, "row"), &row, &err)) {
		inv.rows = &row;
		inv.n_rows = 1;
	}
	err = (struct err)ERR_INIT;
	if (!invoice_sum_up(&inv, arena, &err) || !invoice_validate(&inv, &err))
		MUST(err.code != ERR_NONE && err.message[0]);
}

/* What Severa sent may be too long or of a foreign script, but never breaks out of the XML. */
static void fuzz_customer(struct arena *arena, const struct json *j)
{
	struct err err = ERR_INIT;
	struct customer c = { 0 };
	if (!severa_map(&severa_customer_shape, j, &c, &err)) {
		MUST(err.code != ERR_NONE && err.message[0]);
		return;
	}
	const char *const texts[] = { c.code, c.name, c.billing.street, c.notes,
				      c.einvoice_address };
	struct netvisor_customer out = { .key = "1" };
	for (size_t i = 0; i < ARRAY_SIZE(out.values); i++)
		out.values[i] = texts[i % ARRAY_SIZE(texts)];
	struct span body;
	const struct xml *x;
	if (!netvisor_map_customer(arena, XML_UTF8, &out, &body, &err))
		MUST(err.code != ERR_NONE && err.message[0]);
	else
		MUST(xml_parse(arena, body, CAP_BYTES, &x, &err));
}

static void fuzz_register(struct arena *arena, const struct json *j)
{
	struct err err = ERR_INIT;
	struct product p = { 0 };
	struct severa_status status = { 0 };
	struct severa_project project = { 0 };
	struct span body;
	const struct xml *x;
	if (severa_map(&severa_product_shapes[SEVERA_PRODUCT], j, &p, &err) &&
	    netvisor_map_product(arena, XML_UTF8, &p, "group", &body, &err))
		MUST(xml_parse(arena, body, CAP_BYTES, &x, &err));
	if (!severa_map(&severa_status_shape, j, &status, &err) ||
	    !severa_map(&severa_project_shape, j, &project, &err))
		MUST(err.code != ERR_NONE && err.message[0]);
}

static void fuzz_netvisor(struct arena *arena, struct span text)
{
	struct err err = ERR_INIT;
	struct netvisor_customer customer = { 0 };
	struct netvisor_listed listed = { 0 };
	const struct xml *x;
	if (!xml_parse(arena, text, CAP_BYTES, &x, &err))
		return;
	netvisor_read_customer(x, &customer);
	if (!netvisor_read_listed(x, &listed, &err))
		MUST(err.code != ERR_NONE && err.message[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const of_json[])(struct arena *, const struct json *) = {
		fuzz_invoice,
		fuzz_customer,
		fuzz_register,
	};
	static bool is_ready;
	if (!is_ready)
		xml_global_init();
	is_ready = true;
	if (size < 1)
		return 0;
	CLEANUP(arena_free) struct arena *arena = arena_new(2 * CAP_BYTES);
	struct span text = { (const char *)data + 1, size - 1 };
	const struct json *j;
	struct err err = ERR_INIT;
	size_t kind = data[0] % (ARRAY_SIZE(of_json) + 1);
	MUST(arena);
	if (kind == ARRAY_SIZE(of_json))
		fuzz_netvisor(arena, text);
	else if (json_parse(arena, text, JSON_LIMITS_VENDOR, &j, &err))
		of_json[kind](arena, j);
	return 0;
}
