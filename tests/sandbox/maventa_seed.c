/*
 * maventa_seed.c: the accounts that each tenant of the sandbox has at Maventa. `kajo`'s is verified
 * and belongs to the person of its Severa, its second company has none; `louhi`'s waits for its
 * authentication; `fjell`'s and a generated tenant's are verified. The receivers are the customers
 * of them all.
 */
#include "base/base.h"

#include "maventa.h"

void mv_fixed_id(const char *what, const char *which, char ret[UUID_TEXT])
{
	fixed_id("maventa", what, which, ret);
}

static bool add_receiver(struct maventa *m, const struct seed_customer *c)
{
	char id[BUSINESS_ID_TEXT] = "", address[64];
	const char *given = c->einvoice_address;
	if (!given || strchr(given, '@') || strspn(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") > 3)
		return true; /* a word or an e-mail address */
	if (c->id_base)
		business_id(c->id_base, id);
	snprintf(address, sizeof(address), "%s", given);
	if (strcmp(given, "OVT") == 0)
		snprintf(address, sizeof(address), "0037%.7s%s", id, id + 8);
	if (!array_reserve(&m->receivers, m->n_receivers, &m->cap_receivers, sizeof(*m->receivers)))
		return false;
	m->receivers[m->n_receivers++] = (struct mv_receiver) {
		.address = mv_keep(m, address),
		.operator_id = mv_keep(m, c->einvoice_operator),
		.network = strchr(address, ':') ? "PEPPOL" : "EXTERNAL",
		.name = mv_keep(m, c->name),
		.business_id = mv_keep(m, id[0] ? id : c->vat),
		.country = mv_keep(m, c->country),
	};
	return true;
}

static bool add_receivers(struct maventa *m, const struct tenant_spec *spec)
{
	const struct seed_company *co = spec->demo ? seed_company(spec->key) : NULL;
	for (size_t i = 0; co && i < co->n_customers; i++)
		if (!add_receiver(m, &co->customers[i]))
			return false;
	for (unsigned i = 0; !co && i < spec->customers; i++) {
		struct seed_generated g;
		seed_generate_customer(spec->ordinal, i, &g);
		if (!add_receiver(m, &g.customer))
			return false;
	}
	return true;
}

static struct mv_user *seed_user(struct maventa *m, const char *key)
{
	char email[96];
	snprintf(email, sizeof(email), "maija.meikalainen@%s.example", key);
	struct mv_user *old = mv_user_by_email_locked(m, email);
	return old ? old : mv_add_user_locked(m, email, "Maija", "Meikäläinen");
}

bool mv_seed(void *state, const struct tenant_spec *spec, struct err *err)
{
	struct maventa *m = state;
	const struct seed_company *seed = spec->demo ? seed_company(spec->key) : NULL;
	const struct seed_unit generated = { "1", spec->key, seed_generated_base(spec->ordinal),
					     NULL };
	const struct seed_unit *unit = seed ? &seed->units[0] : &generated;
	const char *country = seed && seed->country ? seed->country : "FI";
	char id[16], vat[16], email[96];
	snprintf(email, sizeof(email), "laskutus@%s.example", spec->key);
	struct mv_user *user = seed_user(m, spec->key);
	struct mv_company *co = mv_add_company_locked(m, seed ? seed->name : spec->key,
						      seed_company_id(unit, id),
						      seed_company_vat(unit, vat), country, email);
	if (!user || !co || !mv_join_locked(m, co, user, true) || !add_receivers(m, spec))
		return err_set(err, ERR_MEMORY, "out of memory");
	co->tenant = mv_keep(m, spec->key);
	if (strcmp(spec->key, "louhi") == 0)
		return true;
	co->state = "VERIFIED";
	co->auth_state = "SIGNED";
	co->auth_email = user->email;
	return true;
}
