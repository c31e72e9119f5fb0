/*
 * watch.c: what waits at Severa (SV-01), the reconciliation report (SV-04, SV-05, SV-09) and the
 * connection check (SV-06 to SV-08, NV-02, NV-06, NV-08). Makes no write at either side.
 */
#include "base/base.h"
#include "internal.h"

#include "base/clock.h"
#include "base/map.h"

#define LIST_MAX 200 /* ids named in one list of the report; the counts are whole */
#define HASH_CHECKS_MAX 20 /* invoices whose content is read again in one poll */
#define WATCH_DAYS 31 /* how far back the transferred status is watched */
#define ROWS_WATCHED "rows_watched" /* when the last whole poll began */
#define OVERLAP_MS ((int64_t)10 * 60 * 1000) /* clocks differ */
#define OWNERS_MAX 32 /* companies remembered within one poll */
#define OWNER_TTL_MS ((int64_t)2 * 86400000) /* a connection polls at least once a day */

/* ---- the report ---------------------------------------------------------------------------- */

struct id_list {
	const char *ids[LIST_MAX];
	size_t n; /* may be more than are named */
};

struct watch {
	struct sn *r;
	int64_t at_source, accounted;
	unsigned hash_checks;
	struct id_list missing, never_relayed, changed, unowned;
	struct {
		const char *company;
		bool is_owned;
	} owners[OWNERS_MAX]; /* of other companies' invoices in this poll */
	size_t n_owners;
	struct map *changed_rows; /* newest stamp by invoice */
	int64_t began_ms;
};

/* The number where there is one, since people search by it; copied, for a page's items go with the
 * page. */
static void list_add(const struct watch *w, struct id_list *l, const struct invoice *inv)
{
	if (l->n < LIST_MAX)
		l->ids[l->n] = arena_strdup(w->r->at->arena,
					    inv->number ? inv->number : inv->source_id);
	l->n++;
}

/* ---- whose invoice is it? (SV-09) ---------------------------------------------------------- */

#define OWNER_SCOPE "severa-netvisor.owner"

/* A company's invoices in one transfer status have one owner. */
static const char *owner_key(struct attempt *at, const struct severa_status *transfer,
			     const char *company)
{
	return arena_printf(at->arena, "%s:%s", transfer->id, company);
}

/* The active connection that relays them, when it is another than this one; else NULL. */
static bool other_owner(struct sn *r, const struct severa_status *transfer, const char **ret,
			struct err *err)
{
	struct attempt *at = r->at;
	const char *owner;
	*ret = NULL;
	if (!r->set.company)
		return true;
	const char *key = owner_key(at, transfer, r->set.company);
	if (!key)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!at->ops->kv_get(at, OWNER_SCOPE, key, &owner, err))
		return false;
	if (owner[0] && !str_eq(owner, at->conn->id) && at->ops->is_active(at, owner))
		*ret = owner;
	return true;
}

bool sn_may_relay(struct sn *r, struct err *err)
{
	const char *other;
	if (!other_owner(r, r->transfer, &other, err))
		return false;
	return !other || err_reason(err, ERR_WAITING, "status_taken", other,
				    "the connection %s relays this company's invoices from the "
				    "same status",
				    other);
}

/* Each poll says anew whose invoices this connection relays. */
static bool claim_company(struct watch *w, struct err *err)
{
	struct attempt *at = w->r->at;
	if (!w->r->set.company)
		return true;
	if (!sn_may_relay(w->r, err))
		return false;
	const char *key = owner_key(at, w->r->transfer, w->r->set.company);
	return key ? at->ops->kv_set(at, OWNER_SCOPE, key, at->conn->id, OWNER_TTL_MS, err)
		   : err_set(err, ERR_LIMIT, "arena full");
}

/* Another company's: does some connection relay it? */
static bool is_owned(struct watch *w, const struct invoice *inv, bool *ret, struct err *err)
{
	struct attempt *at = w->r->at;
	const char *company = inv->seller.business_id ? inv->seller.business_id
						      : inv->seller.vat_number;
	const char *owner;
	*ret = false;
	if (!company)
		return true;
	for (size_t i = 0; i < w->n_owners; i++) {
		if (strcmp(w->owners[i].company, company) == 0) {
			*ret = w->owners[i].is_owned;
			return true;
		}
	}
	const char *key = owner_key(at, w->r->transfer, company);
	if (!key)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!at->ops->kv_get(at, OWNER_SCOPE, key, &owner, err))
		return false;
	*ret = owner[0] != 0;
	const char *kept = arena_strdup(at->arena, company); /* the page goes, this stays */
	if (kept && w->n_owners < OWNERS_MAX) {
		w->owners[w->n_owners].company = kept;
		w->owners[w->n_owners++].is_owned = *ret;
	}
	return true;
}

static bool hand_in(struct watch *w, const struct invoice *items, size_t n, struct err *err)
{
	struct attempt *at = w->r->at;
	struct poll_item *found = arena_alloc_array(at->arena, n + 1, sizeof(*found));
	size_t k = 0;
	if (!found)
		return err_set(err, ERR_LIMIT, "arena full");
	for (size_t i = 0; i < n; i++) {
		if (!sn_is_own(&w->r->set, &items[i])) {
			bool owned;
			if (!is_owned(w, &items[i], &owned, err))
				return false;
			if (!owned)
				list_add(w, &w->unowned, &items[i]);
			continue;
		}
		found[k++] = (struct poll_item) { .kind = "invoice",
						  .source_id = items[i].source_id,
						  .number = items[i].number,
						  .changed = items[i].changed ? items[i].changed
									      : "" };
	}
	return !k || at->ops->found(at, found, k, err);
}

static bool waiting_page(void *ctx, const struct invoice *items, size_t n, struct err *err)
{
	struct watch *w = ctx;
	struct attempt *at = w->r->at;
	if (!hand_in(w, items, n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct known_transfer known = { 0 };
		if (!sn_is_own(&w->r->set, &items[i]))
			continue;
		w->at_source++;
		if (!at->ops->known(at, "invoice", items[i].source_id, &known, err))
			return false;
		if (known.exists)
			w->accounted++;
		else
			list_add(w, &w->missing, &items[i]);
	}
	return true;
}

/* ---- changed after transfer? (SV-05) ------------------------------------------------------- */

/* The newest change stamp of an invoice's rows: an edited row need not move the invoice's own. */
static bool changed_row(void *ctx, const char *invoice_id, const char *changed, struct err *err)
{
	struct watch *w = ctx;
	const char *before = map_get(w->changed_rows, invoice_id);
	if (before && strcmp(before, changed) >= 0)
		return true;
	char *kept = arena_strdup(w->r->at->arena, changed);
	return (kept && map_put(w->changed_rows, invoice_id, kept)) ||
	       err_set(err, ERR_LIMIT, "arena full");
}

/* Rows changed since the last poll, a little before it. */
static bool list_changed_rows(struct watch *w, struct err *err)
{
	struct attempt *at = w->r->at;
	char since[CLOCK_RFC3339_MAX];
	const char *last;
	int64_t last_ms;
	w->changed_rows = map_new(at->arena);
	if (!w->changed_rows)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!at->ops->kv_get(at, at->conn->id, ROWS_WATCHED, &last, err))
		return false;
	if (!clock_parse_rfc3339(span_of(last), &last_ms))
		return true; /* the first poll: each invoice is compared once anyway */
	clock_rfc3339(last_ms - OVERLAP_MS, since);
	return severa_changed_rows(&w->r->severa, since, changed_row, w, err);
}

static bool keep_cursor(struct watch *w, struct err *err)
{
	struct attempt *at = w->r->at;
	char began[CLOCK_RFC3339_MAX];
	clock_rfc3339(w->began_ms, began);
	return at->ops->kv_set(at, at->conn->id, ROWS_WATCHED, began, 0, err);
}

/* What was found at the last comparison, and of which invoice and rows. */
struct comparison {
	char invoice[48], rows[48]; /* change stamps; rows "-" when none has one */
	bool differs;
};

static bool read_comparison(const char *text, struct comparison *ret)
{
	char verdict[16];
	if (sscanf(text, "%47s %47s %15s", ret->invoice, ret->rows, verdict) != 3)
		return false;
	ret->differs = strcmp(verdict, "changed") == 0;
	return true;
}

/* Stamps alike: Severa has noted nothing since. Our own status change makes a new one too. */
static bool is_up_to_date(struct watch *w, const struct invoice *listed, const struct comparison *c)
{
	const char *row = map_get(w->changed_rows, listed->source_id);
	return strcmp(c->invoice, listed->changed) == 0 &&
	       (!row || (c->rows[0] != '-' && strcmp(row, c->rows) <= 0));
}

static bool compare(struct watch *w, const struct invoice *listed, const char *sent_hash,
		    struct comparison *ret, struct err *err)
{
	struct invoice inv = *listed;
	if (!severa_invoice_rows(&w->r->severa, &inv, err))
		return false;
	snprintf(ret->invoice, sizeof(ret->invoice), "%s", listed->changed);
	snprintf(ret->rows, sizeof(ret->rows), "-");
	for (size_t i = 0; i < inv.n_rows; i++)
		if (inv.rows[i].changed && strcmp(inv.rows[i].changed, ret->rows) > 0)
			snprintf(ret->rows, sizeof(ret->rows), "%s", inv.rows[i].changed);
	ret->differs = !str_eq(invoice_content_hash(&inv, w->r->at->arena), sent_hash);
	return true;
}

static bool compare_content(struct watch *w, const struct invoice *listed,
			    const struct known_transfer *known, struct err *err)
{
	struct attempt *at = w->r->at;
	struct comparison c;
	const char *key = arena_printf(at->arena, "compared:%s", listed->source_id);
	const char *last, *now;
	if (!key)
		return err_set(err, ERR_LIMIT, "arena full");
	if (!known->content_hash || !known->content_hash[0] || !listed->changed)
		return true;
	if (!at->ops->kv_get(at, at->conn->id, key, &last, err))
		return false;
	if (!read_comparison(last, &c) || !is_up_to_date(w, listed, &c)) {
		/* Past the bound at the next poll; a row that was just listed is not listed again.
		 */
		bool is_listed = map_has(w->changed_rows, listed->source_id);
		if (!is_listed && w->hash_checks++ >= HASH_CHECKS_MAX)
			return true;
		if (!compare(w, listed, known->content_hash, &c, err))
			return false;
		now = arena_printf(at->arena, "%s %s %s", c.invoice, c.rows,
				   c.differs ? "changed" : "same");
		if (!now)
			return err_set(err, ERR_LIMIT, "arena full");
		if (!at->ops->kv_set(at, at->conn->id, key, now, (int64_t)2 * WATCH_DAYS * 86400000,
				     err))
			return false;
	}
	if (c.differs)
		list_add(w, &w->changed, listed);
	return true;
}

/* ---- never relayed? (SV-04) ---------------------------------------------------------------- */

static bool dated_after_activation(const struct watch *w, const struct invoice *inv)
{
	char day[CLOCK_RFC3339_MAX];
	int64_t since = w->r->at->conn->activated_ms;
	if (!since)
		return false;
	clock_rfc3339(since, day);
	day[10] = 0;
	return inv->changed_ms >= since || (inv->issue_date && strcmp(inv->issue_date, day) >= 0);
}

static bool transferred_page(void *ctx, const struct invoice *items, size_t n, struct err *err)
{
	struct watch *w = ctx;
	struct attempt *at = w->r->at;
	for (size_t i = 0; i < n; i++) {
		struct known_transfer known = { 0 };
		if (!sn_is_own(&w->r->set, &items[i]))
			continue;
		if (!at->ops->known(at, "invoice", items[i].source_id, &known, err))
			return false;
		if (known.exists && known.delivered) {
			if (!compare_content(w, &items[i], &known, err))
				return false;
		} else if (dated_after_activation(w, &items[i])) {
			list_add(w, &w->never_relayed, &items[i]);
		}
	}
	return true;
}

static void write_lists(const struct watch *w, struct json_writer *j)
{
	const struct {
		const char *name;
		const struct id_list *list;
	} lists[] = { { "missing", &w->missing },
		      { "never_relayed", &w->never_relayed },
		      { "changed_after_transfer", &w->changed },
		      { "unowned", &w->unowned } };
	for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
		const struct id_list *l = lists[k].list;
		jsonw_key(j, lists[k].name);
		jsonw_array(j);
		for (size_t i = 0; i < l->n && i < LIST_MAX; i++)
			jsonw_str(j, l->ids[i]);
		jsonw_end_array(j);
	}
	jsonw_key(j, "counts"); /* whole, where a list names the first alone */
	jsonw_object(j);
	for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
		jsonw_kint(j, lists[k].name, (int64_t)lists[k].list->n);
	jsonw_end_object(j);
}

static bool write_report(const struct watch *w, struct err *err)
{
	struct attempt *at = w->r->at;
	struct strbuf sb = STRBUF_INIT(at->arena, 256 << 10);
	struct json_writer j = JSON_WRITER_INIT(&sb);
	const char *text;
	jsonw_object(&j);
	jsonw_ktime(&j, "at", clock_wall_ms());
	jsonw_kint(&j, "at_source", w->at_source);
	jsonw_kint(&j, "accounted", w->accounted);
	write_lists(w, &j);
	jsonw_end_object(&j);
	return strbuf_finish(&sb, &text, err) && at->ops->report(at, text, err);
}

bool sn_poll(struct attempt *at, struct err *err)
{
	struct sn r;
	char since[CLOCK_RFC3339_MAX];
	if (!sn_open(&r, at, err) || !sn_find_statuses(&r, err))
		return false;
	struct watch *w = arena_alloc(at->arena, sizeof(*w));
	if (!w)
		return err_set(err, ERR_LIMIT, "arena full");
	w->r = &r;
	w->began_ms = clock_wall_ms();
	clock_rfc3339(w->began_ms - (int64_t)WATCH_DAYS * 86400000, since);
	return claim_company(w, err) && list_changed_rows(w, err) &&
	       severa_invoices(&r.severa, r.transfer->id, NULL, waiting_page, w, err) &&
	       severa_invoices(&r.severa, r.transferred->id, since, transferred_page, w, err) &&
	       write_report(w, err) && keep_cursor(w, err);
}

/* ---- the check ----------------------------------------------------------------------------- */

struct check {
	struct sn r;
	struct json_writer *w;
	size_t n_problems;
};

static void problem(struct check *c, const char *code, const char *pointer, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
static void problem(struct check *c, const char *code, const char *pointer, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	jsonw_object(c->w);
	jsonw_kstr(c->w, "code", code);
	jsonw_kstr(c->w, "text", text);
	jsonw_kstr(c->w, "pointer", pointer);
	jsonw_end_object(c->w);
	c->n_problems++;
}

/* A fault of the connection is a problem to be named; everything else ends the check. */
static bool name_it(struct check *c, const struct err *why, const char *pointer, struct err *err)
{
	if (why->code == ERR_CREDENTIALS || why->code == ERR_DATA || why->code == ERR_NOT_FOUND ||
	    why->code == ERR_WAITING || why->code == ERR_INPUT) {
		problem(c, why->reason ? why->reason : err_code_name(why->code), pointer, "%s%s%s",
			why->message, why->target_text[0] ? ": " : "", why->target_text);
		return true;
	}
	if (err)
		*err = *why;
	return false;
}

/* A lack is named, and then the calls that would meet it again are left out. */
struct rights {
	const char *const *missing;
	size_t n;
	bool is_in; /* logged in */
};

static bool may(const struct rights *r, const char *scope)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->missing[i], scope) == 0)
			return false;
	return r->is_in;
}

static void name_soap_key(struct check *c)
{
	if (severa_is_soap_key(&c->r.severa))
		problem(c, "soap_key", "/credentials/severa/client_id",
			"This looks like a SOAP API key. Make REST credentials in Severa: "
			"Settings, "
			"Integrations, REST API, Create client credentials; and enter the client "
			"id "
			"and the client secret that it shows.");
}

static bool check_login(struct check *c, struct rights *ret, struct err *err)
{
	struct err inner = ERR_INIT;
	*ret = (struct rights) { .is_in = false };
	ret->is_in = severa_missing_scopes(&c->r.severa, &ret->missing, &ret->n, &inner);
	for (size_t i = 0; ret->is_in && i < ret->n; i++)
		problem(c, "scope_missing", "/credentials/severa",
			"The REST credentials lack the scope %s. Give it to them in Severa: "
			"Settings, Integrations, REST API.",
			ret->missing[i]);
	if (ret->is_in)
		return true;
	if (inner.code == ERR_CREDENTIALS)
		name_soap_key(c);
	return name_it(c, &inner, "/credentials/severa", err);
}

static bool check_status(struct check *c, const char *ref, const char *pointer,
			 const struct severa_status **ret, struct err *err)
{
	struct err inner = ERR_INIT;
	*ret = NULL;
	if (!ref)
		return true;
	if (!severa_status_find(&c->r.severa, ref, ret, &inner)) {
		*ret = NULL;
		return name_it(c, &inner, pointer, err);
	}
	if (!(*ret)->is_active)
		problem(c, "status_inactive", pointer, "The invoice status %s is not active.",
			(*ret)->name);
	return true;
}

static bool count_page(void *ctx, const struct invoice *items, size_t n, struct err *err)
{
	struct watch *w = ctx;
	(void)err; /* counting cannot fail */
	for (size_t i = 0; i < n; i++)
		w->at_source += sn_is_own(&w->r->set, &items[i]);
	return true;
}

static bool is_same(const struct severa_status *a, const struct severa_status *b)
{
	return a && b && strcasecmp(a->id, b->id) == 0;
}

/* Two connections would both send what stands in one status. */
static bool check_twin(struct check *c, const struct severa_status *transfer, struct err *err)
{
	const char *owner;
	if (!other_owner(&c->r, transfer, &owner, err))
		return false;
	if (owner)
		problem(c, "status_taken", "/settings/statuses/transfer",
			"The connection %s relays this company's invoices from the status %s "
			"already. Pause it, or choose another status.",
			owner, transfer->name);
	return true;
}

static bool check_statuses(struct check *c, const struct rights *rights, int64_t *ret_waiting,
			   struct err *err)
{
	const struct severa_status *transfer, *transferred, *failed;
	struct watch *w = arena_alloc(c->r.at->arena, sizeof(*w));
	if (!w)
		return err_set(err, ERR_LIMIT, "arena full");
	w->r = &c->r;
	if (!check_status(c, c->r.set.transfer, "/settings/statuses/transfer", &transfer, err) ||
	    !check_status(c, c->r.set.transferred, "/settings/statuses/transferred", &transferred,
			  err) ||
	    !check_status(c, c->r.set.failed, "/settings/statuses/failed", &failed, err))
		return false;
	if (transfer && !transfer->has_number)
		problem(c, "status_without_number", "/settings/statuses/transfer",
			"The invoice status %s does not give the invoice a number.",
			transfer->name);
	if (is_same(transfer, transferred) || is_same(transfer, failed) ||
	    is_same(transferred, failed))
		problem(c, "statuses_same", "/settings/statuses",
			"Two of the statuses are the same.");
	if (transfer && !check_twin(c, transfer, err))
		return false;
	if (transfer && may(rights, "invoices:read") &&
	    !severa_invoices(&c->r.severa, transfer->id, NULL, count_page, w, err))
		return false;
	*ret_waiting = w->at_source;
	return true;
}

/* SV-09: the company is one that Severa sends invoices for; a unit without a VAT number is none. */
static bool check_company(struct check *c, struct err *err)
{
	const struct severa_company *list;
	struct err inner = ERR_INIT;
	struct strbuf names = STRBUF_INIT(c->r.at->arena, 64 << 10);
	const char *text;
	size_t n;
	if (!c->r.set.company)
		return true;
	if (!severa_companies(&c->r.severa, &list, &n, &inner))
		return name_it(c, &inner, "/credentials/severa", err);
	for (size_t i = 0; i < n; i++) {
		if (str_eq(list[i].business_id, c->r.set.company))
			return true;
		strbuf_addf(&names, "%s%s (%s)", i ? ", " : "", list[i].name ? list[i].name : "",
			    list[i].vat_number);
	}
	if (!strbuf_finish(&names, &text, err))
		return false;
	problem(c, "company_unknown", "/settings/company/vat_number",
		"Severa sends no invoices for %s. A business unit without a VAT number goes with "
		"its "
		"parent. Severa knows: %.300s.",
		c->r.set.company, text);
	return true;
}

static bool check_temp_records(struct check *c, struct err *err)
{
	struct err inner = ERR_INIT;
	const char *key;
	if (!c->r.set.customers_to_netvisor && !sn_temp_customer(&c->r, &inner) &&
	    !name_it(c, &inner, "/settings/customers/temp_code", err))
		return false;
	if (!c->r.set.temp_product)
		return true;
	if (!netvisor_product_find(&c->r.netvisor, c->r.set.temp_product, &key, &inner))
		return name_it(c, &inner, "/settings/products/temp_code", err);
	if (!key)
		problem(c, "temp_product_missing", "/settings/products/temp_code",
			"The temporary product %s does not exist in Netvisor.",
			c->r.set.temp_product);
	return true;
}

static bool check_headings(struct check *c, struct err *err)
{
	const struct {
		const char *heading, *pointer;
	} wanted[] = { { c->r.set.project_heading, "/settings/dimensions/project_heading" },
		       { c->r.set.unit_heading, "/settings/dimensions/unit_heading" } };
	const struct netvisor_dimension *list;
	struct err inner = ERR_INIT;
	size_t n;
	if (!netvisor_dimensions(&c->r.netvisor, &list, &n, &inner))
		return name_it(c, &inner, "/credentials/netvisor", err);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		bool found = !wanted[i].heading;
		for (size_t k = 0; !found && k < n; k++)
			found = str_eq(list[k].heading, wanted[i].heading);
		if (!found)
			problem(c, "dimension_heading_missing", wanted[i].pointer,
				"The dimension heading %s does not exist in Netvisor.",
				wanted[i].heading);
	}
	return true;
}

static bool check_all(struct check *c, int64_t *ret_waiting, struct err *err)
{
	struct rights rights;
	if (!c->r.set.company)
		problem(c, "company_unknown", "/settings/company/vat_number",
			"The company's business id cannot be told.");
	if (!check_login(c, &rights, err))
		return false;
	bool may_settings = may(&rights, "settings:read");
	if ((may_settings && may(&rights, "organization:read") && !check_company(c, err)) ||
	    (may_settings && !check_statuses(c, &rights, ret_waiting, err)))
		return false;
	size_t before = c->n_problems;
	if (!check_headings(c, err))
		return false;
	/* Refused keys are named once. */
	return c->n_problems > before || check_temp_records(c, err);
}

bool sn_check(struct attempt *at, struct err *err)
{
	struct strbuf sb = STRBUF_INIT(at->arena, 256 << 10);
	struct json_writer w = JSON_WRITER_INIT(&sb);
	struct check c = { .w = &w };
	struct err inner = ERR_INIT;
	int64_t waiting = 0;
	jsonw_object(&w);
	jsonw_key(&w, "problems");
	jsonw_array(&w);
	bool is_open = sn_open(&c.r, at, &inner);
	bool is_key = !is_open && inner.code == ERR_CREDENTIALS;
	if (is_key)
		name_soap_key(&c);
	if (is_open ? !check_all(&c, &waiting, err)
		    : !name_it(&c, &inner, is_key ? "/credentials" : "/settings", err))
		return false;
	jsonw_end_array(&w);
	jsonw_kbool(&w, "ok", !c.n_problems);
	jsonw_kint(&w, "waiting", waiting);
	jsonw_end_object(&w);
	return strbuf_finish(&sb, &at->result, err);
}
