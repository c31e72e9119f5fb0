/* drive_talenom.c: the calls of the Talenom system (drive.h). options: those of its table. */
#include "base/base.h"
#include "drive.h"

static struct talenom *own(const struct drive *d)
{
	return d->system;
}

/* ---- registers ----------------------------------------------------------------------------- */

static bool do_accounts(struct drive *d, struct err *err)
{
	const struct talenom_account *list;
	size_t n;
	if (!talenom_accounts(own(d), &list, &n, err))
		return false;
	jsonw_key(d->w, "accounts");
	jsonw_object(d->w);
	for (size_t i = 0; i < n; i++)
		if (list[i].is_active)
			drive_put_decimal(d, list[i].number, list[i].tax_percent);
	jsonw_end_object(d->w);
	return true;
}

static bool do_check(struct drive *d, struct err *err)
{
	const struct talenom_account *list;
	struct invoice inv;
	size_t n;
	return drive_invoice(d, &inv, err) && talenom_accounts(own(d), &list, &n, err) &&
	       talenom_check_accounts(list, n, &inv, err);
}

static bool product_of(struct drive *d, struct talenom_product *ret, struct err *err)
{
	const struct product p = { .code = drive_arg(d, "code"),
				   .name = drive_arg(d, "name"),
				   .unit = drive_arg(d, "unit"),
				   .unit_price = drive_decimal(d, "price"),
				   .vat_rate = drive_decimal(d, "vat") };
	return talenom_map_product(&p, drive_arg(d, "account"), ret, err);
}

/* Makes it, changes it, or leaves it as it is. */
static bool do_product(struct drive *d, struct err *err)
{
	struct talenom_product ours, theirs;
	const char *id, *did = "nothing";
	bool is_found;
	if (!product_of(d, &ours, err) ||
	    !talenom_product_find(own(d), ours.code, ours.name, &theirs, &is_found, err))
		return false;
	drive_put(d, "was", is_found ? theirs.name : NULL);
	if (drive_flag(d, "look"))
		return true;
	if (!is_found || drive_flag(d, "add")) {
		did = "added";
		if (!talenom_product_add(own(d), &ours, &id, err))
			return false;
	} else if (!talenom_is_same_product(&theirs, &ours)) {
		did = "changed";
		ours.id = theirs.id;
		ours.row_version = drive_flag(d, "old") ? "0" : theirs.row_version;
		if (!talenom_product_change(own(d), &ours, err))
			return false;
	}
	drive_put(d, "did", did);
	return true;
}

static enum talenom_einvoice einvoice_of(const struct drive *d)
{
	const char *text = drive_arg(d, "einvoice");
	if (str_eq(text, "set"))
		return TALENOM_EINVOICE_SET;
	return str_eq(text, "remove") ? TALENOM_EINVOICE_REMOVE : TALENOM_EINVOICE_AS_IT_IS;
}

/* As do_product. */
static bool do_contact(struct drive *d, struct err *err)
{
	struct talenom_contact ours, theirs = { 0 };
	struct customer c;
	const char *id = NULL, *did = "nothing";
	bool is_found;
	if (!drive_customer(d, &c, err) ||
	    !talenom_map_contact(own(d), &c, "EUR", einvoice_of(d), &ours, err) ||
	    !talenom_contact_find(own(d), c.source_id, &theirs, &is_found, err))
		return false;
	if (is_found)
		id = theirs.id;
	if (!is_found || drive_flag(d, "add")) {
		did = "added";
		if (!talenom_contact_add(own(d), &ours, &id, err))
			return false;
	} else if (!talenom_is_same_contact(&theirs, &ours)) {
		did = "changed";
		ours.id = theirs.id;
		ours.row_version = drive_flag(d, "old") ? "0" : theirs.row_version;
		if (!talenom_contact_change(own(d), &ours, err))
			return false;
	}
	drive_put(d, "did", did);
	drive_put(d, "id", id);
	return true;
}

/* ---- invoices ------------------------------------------------------------------------------ */

static void put_invoice(struct drive *d, const struct talenom_invoice *in)
{
	drive_put(d, "id", in->id);
	drive_put(d, "version", in->row_version);
	drive_put(d, "external_id", in->external_id);
	drive_put(d, "number", in->number);
	drive_put(d, "date", in->date);
	drive_put(d, "currency", in->currency);
	drive_put(d, "reference", in->reference);
	drive_put(d, "status", in->status);
	jsonw_kbool(d->w, "draft", in->is_draft);
	jsonw_kbool(d->w, "approved", in->is_approved);
	jsonw_kbool(d->w, "paid", in->is_paid);
	drive_put_decimal(d, "gross", in->gross);
}

/* The customer's contact, which an earlier step has made. */
static bool contact_id(struct drive *d, const char **ret, struct err *err)
{
	struct talenom_contact theirs;
	bool is_found;
	if (!talenom_contact_find(own(d), drive_arg(d, "customer"), &theirs, &is_found, err))
		return false;
	*ret = is_found ? theirs.id : "none";
	return true;
}

static bool do_draft(struct drive *d, struct err *err)
{
	struct talenom_invoice in;
	const char *contact;
	if (!contact_id(d, &contact, err) ||
	    !talenom_draft_add(own(d), contact, drive_arg(d, "external_id"), &in, err))
		return false;
	put_invoice(d, &in);
	return true;
}

/* The one with our id. ERR_NOT_FOUND. */
static bool find(struct drive *d, struct talenom_invoice *ret, struct err *err)
{
	const struct talenom_invoice *list;
	size_t n;
	if (!talenom_invoices_by_external_id(own(d), drive_arg(d, "external_id"), &list, &n, err))
		return false;
	if (n != 1)
		return err_set(err, ERR_NOT_FOUND, "%zu invoices", n);
	*ret = list[0];
	return true;
}

static bool do_look_up(struct drive *d, struct err *err)
{
	struct talenom_invoice found, in;
	if (!find(d, &found, err) || !talenom_invoice(own(d), found.id, &in, err))
		return false;
	assert(strcmp(found.row_version, in.row_version) == 0);
	put_invoice(d, &in);
	return true;
}

static bool do_content(struct drive *d, struct err *err)
{
	struct talenom_invoice draft, in;
	struct invoice inv;
	struct span body;
	if (!drive_invoice(d, &inv, err) || !find(d, &draft, err))
		return false;
	if (drive_flag(d, "old"))
		draft.row_version = "0";
	if (!talenom_map_content(own(d), &inv, &draft, &body, err) ||
	    !talenom_content_put(own(d), draft.id, body, &in, err) ||
	    !talenom_check_sum(&in, &inv, err))
		return false;
	put_invoice(d, &in);
	return true;
}

static bool do_approve(struct drive *d, struct err *err)
{
	struct talenom_invoice draft, in;
	if (!find(d, &draft, err) || !talenom_approve(own(d), draft.id, &in, err))
		return false;
	put_invoice(d, &in);
	return true;
}

static bool do_paid(struct drive *d, struct err *err)
{
	struct talenom_invoice in;
	return find(d, &in, err) && talenom_set_paid(own(d), in.id, drive_arg(d, "date"), err);
}

/* ---- the ledger ---------------------------------------------------------------------------- */

static bool do_sale(struct drive *d, struct err *err)
{
	struct invoice inv;
	struct span body;
	const char *id;
	return drive_invoice(d, &inv, err) && talenom_map_sale(own(d), &inv, &body, err) &&
	       talenom_voucher_add(own(d), body, &id, err);
}

static bool do_vouchers(struct drive *d, struct err *err)
{
	const struct talenom_days day = { drive_arg(d, "date"), drive_arg(d, "date") };
	const struct talenom_voucher *list;
	size_t n;
	if (!talenom_vouchers(own(d), drive_arg(d, "number"), &day, &list, &n, err))
		return false;
	jsonw_key(d->w, "found");
	jsonw_array(d->w);
	for (size_t i = 0; i < n; i++) {
		jsonw_object(d->w);
		drive_put(d, "number", list[i].invoice_number);
		drive_put(d, "match_key", list[i].match_key);
		drive_put_decimal(d, "receivable", list[i].receivable);
		jsonw_kint(d->w, "postings", (int64_t)list[i].n_postings);
		jsonw_end_object(d->w);
	}
	jsonw_end_array(d->w);
	return true;
}

static bool do_payment(struct drive *d, struct err *err)
{
	const struct talenom_days day = { drive_arg(d, "date"), drive_arg(d, "date") };
	const struct talenom_voucher *list;
	struct span body;
	const char *id;
	size_t n;
	if (!talenom_vouchers(own(d), drive_arg(d, "number"), &day, &list, &n, err))
		return false;
	if (n != 1)
		return err_set(err, ERR_NOT_FOUND, "%zu vouchers", n);
	return talenom_map_payment(own(d), &list[0], drive_arg(d, "paid_date"), &body, err) &&
	       talenom_voucher_add(own(d), body, &id, err);
}

/* ---- opening ------------------------------------------------------------------------------- */

static const struct drive_call calls[] = {
	{ "accounts", do_accounts }, { "check", do_check },	  { "product", do_product },
	{ "contact", do_contact },   { "draft", do_draft },	  { "look_up", do_look_up },
	{ "content", do_content },   { "approve", do_approve },	  { "paid", do_paid },
	{ "sale", do_sale },	     { "vouchers", do_vouchers }, { "payment", do_payment },
};

static bool open_talenom(struct drive *d, struct err *err)
{
	struct talenom *tn = arena_alloc(d->arena, sizeof(*tn));
	assert(tn);
	d->system = tn;
	d->fake.talenom.url = drive_input(d, "url");
	d->fake.talenom.token_url = drive_input(d, "token_url");
	return drive_options(d, &talenom_system, &d->fake.talenom, err) &&
	       talenom_open(&d->fake.at, json_get(d->input, "settings"),
			    json_get(d->input, "credentials"), tn, err);
}

const struct drive_system drive_talenom = { "talenom", open_talenom, calls, ARRAY_SIZE(calls) };
