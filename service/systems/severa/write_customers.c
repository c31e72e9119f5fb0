/*
 * write_customers.c: a customer and its two head-office addresses, made or changed (facts/severa.md
 * §4, 4.1). The address parts that a customer shows of itself cannot be written: billing and postal
 * stand in addresses of their own, known by their marks.
 *
 * Guarantees that only what is to be written is, and that an address which is both is split before
 * one of the two goes another way. Nothing is deleted.
 */
#include "base/base.h"
#include "severa_internal.h"

#define MEMBERS_MAX (SEVERA_CUSTOMER_FIELDS + 2)

static const struct {
	const char *path;
	enum severa_type type;
} fields[SEVERA_CUSTOMER_FIELDS] = {
	[SEVERA_NUMBER_FIELD] = { "number", SEVERA_NUMBER },
	[SEVERA_NAME] = { "name", SEVERA_STRING },
	[SEVERA_VAT_NUMBER] = { "vatNumber", SEVERA_STRING },
	[SEVERA_EMAIL] = { "email", SEVERA_STRING },
	[SEVERA_WEBSITE] = { "website", SEVERA_STRING },
	[SEVERA_NOTES] = { "notes", SEVERA_STRING },
	[SEVERA_EINVOICE_ADDRESS] = { "eInvoiceAddress", SEVERA_STRING },
	[SEVERA_EINVOICE_OPERATOR] = { "eInvoiceOperator", SEVERA_STRING },
	[SEVERA_LANGUAGE] = { "language/guid", SEVERA_STRING },
	[SEVERA_ACTIVE] = { "isActive", SEVERA_TRUTH },
	[SEVERA_BILLING_STREET] = { "addressline", SEVERA_STRING },
	[SEVERA_BILLING_POSTCODE] = { "postalCode", SEVERA_STRING },
	[SEVERA_BILLING_CITY] = { "city", SEVERA_STRING },
	[SEVERA_BILLING_COUNTRY] = { "country/guid", SEVERA_STRING },
	[SEVERA_PHONE] = { "phone", SEVERA_STRING },
	[SEVERA_FAX] = { "fax", SEVERA_STRING },
	[SEVERA_POSTAL_STREET] = { "addressline", SEVERA_STRING },
	[SEVERA_POSTAL_POSTCODE] = { "postalCode", SEVERA_STRING },
	[SEVERA_POSTAL_CITY] = { "city", SEVERA_STRING },
	[SEVERA_POSTAL_COUNTRY] = { "country/guid", SEVERA_STRING },
};

/* A part of the form: the customer itself, or one address. */
struct part {
	enum severa_customer_field first, end;
	const char *mark; /* of the address; NULL: the customer */
};
static const struct part own = { SEVERA_NUMBER_FIELD, SEVERA_BILLING_STREET, NULL };
static const struct part billing = { SEVERA_BILLING_STREET, SEVERA_POSTAL_STREET,
				     "isBillingAddress" };
static const struct part postal = { SEVERA_POSTAL_STREET, SEVERA_CUSTOMER_FIELDS,
				    "isPostalAddress" };

struct members {
	struct severa_member items[MEMBERS_MAX];
	size_t n;
};

static bool full(struct err *err)
{
	return err_set(err, ERR_LIMIT, "arena full");
}

static bool is_filled(const struct severa_customer_form *f, enum severa_customer_field i)
{
	return f->values[i] && f->values[i][0];
}

static bool has_any(const struct severa_customer_form *f, const struct part *p)
{
	for (size_t i = p->first; i < p->end; i++)
		if (is_filled(f, i))
			return true;
	return false;
}

static bool writes_any(const struct severa_customer_form *f, const struct part *p)
{
	for (size_t i = p->first; i < p->end; i++)
		if (f->written[i])
			return true;
	return false;
}

/* ---- words into guids ---------------------------------------------------------------------- */

static bool find_language(struct severa *s, const char *code, const char **ret, struct err *err)
{
	const struct severa_language *list;
	size_t n;
	*ret = NULL;
	if (!severa_languages(s, &list, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool is_it = list[i].code && strncasecmp(list[i].code, code, 2) == 0;
		if (is_it && (!*ret || list[i].is_invoice_language))
			*ret = list[i].id;
	}
	return *ret || err_reason(err, ERR_DATA, "language_unknown", code,
				  "Severa has no language %s", code);
}

static bool find_country(struct severa *s, const char *code, const char **ret, struct err *err)
{
	struct severa_rows rows;
	*ret = NULL;
	if (!severa_countries(s, &rows, err))
		return false;
	for (size_t i = 0; i < rows.n && !*ret; i++)
		if (str_eq(json_str(json_get(rows.items[i], "code2")), code))
			*ret = json_text(json_get(rows.items[i], "guid"));
	return *ret ||
	       err_reason(err, ERR_DATA, "country_unknown", code, "Severa has no country %s", code);
}

static bool value_of(struct severa *s, const struct severa_customer_form *f,
		     enum severa_customer_field i, const char **ret, struct err *err)
{
	*ret = is_filled(f, i) ? f->values[i] : NULL;
	if (*ret && i == SEVERA_LANGUAGE)
		return find_language(s, *ret, ret, err);
	if (*ret && (i == SEVERA_BILLING_COUNTRY || i == SEVERA_POSTAL_COUNTRY))
		return find_country(s, *ret, ret, err);
	return true;
}

/* The members of a part: all that are filled of a new record, else those to be written. */
static bool collect(struct severa *s, const struct severa_customer_form *f, const struct part *p,
		    bool is_new, struct members *ret, struct err *err)
{
	ret->n = 0;
	for (enum severa_customer_field i = p->first; i < p->end; i++) {
		struct severa_member *m = &ret->items[ret->n];
		if (is_new ? !is_filled(f, i) : !f->written[i])
			continue;
		*m = (struct severa_member) { fields[i].path, fields[i].type, NULL };
		if (!value_of(s, f, i, &m->value, err))
			return false;
		/* A reference cannot be emptied by its guid (ASSUMPTION): it stays. */
		ret->n += m->value || !strchr(m->path, '/');
	}
	return true;
}

static void mark(struct members *m, const char *name, bool is_set)
{
	m->items[m->n++] = (struct severa_member) { name, SEVERA_TRUTH, is_set ? "1" : "0" };
}

/* ---- addresses ----------------------------------------------------------------------------- */

static bool is_marked(const struct json *j, const char *name)
{
	bool value = false;
	return json_bool(json_get(j, name), &value) && value;
}

static const struct json *address_of(const struct severa_rows *rows, const struct part *p)
{
	for (size_t i = 0; i < rows->n; i++)
		if (is_marked(rows->items[i], p->mark))
			return rows->items[i];
	return NULL;
}

static bool add_address(struct severa *s, const char *customer_id,
			const struct severa_customer_form *f, const struct part *p, bool is_both,
			struct err *err)
{
	struct members m;
	struct severa w;
	const struct json *made;
	if (!collect(s, f, p, true, &m, err))
		return false;
	mark(&m, billing.mark, p == &billing);
	mark(&m, postal.mark, is_both || p == &postal);
	return severa_with_scope(s, SEVERA_CUSTOMER_SCOPES, &w, err) &&
	       severa_post(&w, "add address to the customer",
			   severa_path(s, "/v1/customers/{}/addresses", customer_id), m.items, m.n,
			   &made, err);
}

static bool change_address(struct severa *s, const struct json *address,
			   const struct severa_customer_form *f, const struct part *p,
			   bool is_split, struct err *err)
{
	const char *id = json_text(json_get(address, "guid"));
	struct members m;
	struct severa w;
	const struct json *now;
	if (!collect(s, f, p, false, &m, err))
		return false;
	if (is_split)
		mark(&m, postal.mark, false);
	if (!m.n)
		return true;
	return severa_with_scope(s, SEVERA_CUSTOMER_SCOPES, &w, err) &&
	       severa_patch(&w, "change address of the customer",
			    severa_path(s, "/v1/addresses/{}", id ? id : ""), m.items, m.n, &now,
			    err);
}

/* Is what the two are to be the same place? */
static bool are_one_place(const struct severa_customer_form *f)
{
	for (size_t i = 0; i < SEVERA_POSTAL_COUNTRY - SEVERA_POSTAL_STREET + 1; i++) {
		const char *a = f->values[SEVERA_BILLING_STREET + i];
		const char *b = f->values[SEVERA_POSTAL_STREET + i];
		if (strcmp(a ? a : "", b ? b : "") != 0)
			return false;
	}
	return true;
}

/* One address is both: it stays one while the two are to be the same, or no postal one is kept. */
static bool change_shared(struct severa *s, const char *customer_id, const struct json *address,
			  const struct severa_customer_form *f, struct err *err)
{
	bool splits = has_any(f, &postal) && !are_one_place(f);
	return change_address(s, address, f, &billing, splits, err) &&
	       (!splits || add_address(s, customer_id, f, &postal, false, err));
}

static bool put_address(struct severa *s, const char *customer_id, const struct severa_rows *rows,
			const struct severa_customer_form *f, const struct part *p, struct err *err)
{
	const struct json *address = address_of(rows, p);
	if (!writes_any(f, p))
		return true;
	if (address)
		return change_address(s, address, f, p, false, err);
	return !has_any(f, p) || add_address(s, customer_id, f, p, false, err);
}

static bool put_addresses(struct severa *s, const char *id, const struct severa_customer_form *f,
			  struct err *err)
{
	struct severa_rows rows;
	if (!writes_any(f, &billing) && !writes_any(f, &postal))
		return true;
	if (!severa_address_rows(s, id, &rows, err))
		return false;
	const struct json *both = address_of(&rows, &billing);
	if (both && both == address_of(&rows, &postal))
		return change_shared(s, id, both, f, err);
	return put_address(s, id, &rows, f, &billing, err) &&
	       put_address(s, id, &rows, f, &postal, err);
}

/* ---- customers ----------------------------------------------------------------------------- */

static bool add_addresses(struct severa *s, const char *id, const struct severa_customer_form *f,
			  struct err *err)
{
	bool is_both = has_any(f, &postal) && are_one_place(f);
	if (has_any(f, &billing) && !add_address(s, id, f, &billing, is_both, err))
		return false;
	return is_both || !has_any(f, &postal) || add_address(s, id, f, &postal, false, err);
}

bool severa_customer_create(struct severa *s, const struct severa_customer_form *f,
			    const char **ret_id, struct err *err)
{
	const struct json *made;
	struct severa w;
	struct members m;
	struct err why = ERR_INIT;
	if (!severa_with_scope(s, SEVERA_CUSTOMER_SCOPES, &w, err) ||
	    !collect(s, f, &own, true, &m, err) ||
	    !severa_post(&w, "add customer to Severa", "/v1/customers", m.items, m.n, &made, err))
		return false;
	*ret_id = json_text(json_get(made, "guid"));
	if (add_addresses(s, *ret_id, f, &why))
		return true;
	/* It is there, and not whole: found again, it is mended. */
	if (err) {
		*err = why;
		err->code = ERR_DOUBT;
	}
	return false;
}

bool severa_customer_change(struct severa *s, const char *id, const struct severa_customer_form *f,
			    struct err *err)
{
	const struct json *now;
	struct severa w;
	struct members m;
	if (!severa_with_scope(s, SEVERA_CUSTOMER_SCOPES, &w, err) ||
	    !collect(s, f, &own, false, &m, err))
		return false;
	if (m.n && !severa_patch(&w, "change customer in Severa",
				 severa_path(s, "/v1/customers/{}", id), m.items, m.n, &now, err))
		return false;
	return put_addresses(s, id, f, err);
}

/* ---- by number ----------------------------------------------------------------------------- */

bool severa_customers_by_number(struct severa *s, const char *const *numbers, size_t n,
				const struct customer **ret, size_t *ret_n, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(s->at->arena, 64 << 10);
	struct severa_list list = { .what = "find customers by number", .paging = SEVERA_BY_TOKEN };
	struct severa_rows rows;
	strbuf_addstr(&sb, "/v1/customers");
	for (size_t i = 0; i < n; i++) {
		strbuf_addstr(&sb, i ? "&numbers=" : "?numbers=");
		strbuf_add_urlencoded(&sb, numbers[i]);
	}
	if (!strbuf_finish(&sb, &list.path, err) || !severa_all(s, &list, &rows, err))
		return false;
	struct customer *items = arena_alloc_array(s->at->arena, rows.n + 1, sizeof(*items));
	size_t k = 0;
	if (!items)
		return full(err);
	for (size_t i = 0; i < rows.n; i++) {
		const char *id = json_text(json_get(rows.items[i], "guid"));
		struct err why = ERR_INIT;
		if (id && severa_customer(s, id, &items[k], &why)) {
			k++;
		} else if (why.code != ERR_NOT_FOUND && why.code != ERR_NONE) {
			if (err)
				*err = why;
			return false;
		}
	}
	*ret = items;
	*ret_n = k;
	return true;
}
