/*
 * connection.c: an immutable snapshot of a connection with counted references. Guarantees that its
 * secrets are wiped with the last reference. Does not check what settings mean: the flow does.
 */
#include "base/base.h"
#include "model/connection.h"

#include "base/alloc.h"

const char *connection_state_name(enum connection_state s)
{
	switch (s) {
	case CONNECTION_DRAFT:
		return "draft";
	case CONNECTION_ACTIVE:
		return "active";
	case CONNECTION_DELETED:
		return "deleted";
	case CONNECTION_PAUSED:
		return "paused";
	}
	return "?";
}

bool connection_may_follow(const struct connection *c)
{
	return c->state == CONNECTION_ACTIVE ||
	       (!c->unreadable[0] && !str_eq(c->pause_reason, PAUSED_CREDENTIALS));
}

bool limit_key_make(struct limit_key *ret, const char *system, const struct pace *pace,
		    const char *whose, const char *pointer, struct err *err)
{
	int n = snprintf(ret->key, sizeof(ret->key), "%s:%s", system, whose);
	ret->max_running = pace->concurrency;
	ret->rate_per_s = pace->rate;
	ret->burst = pace->burst;
	if (n >= 0 && (size_t)n < sizeof(ret->key))
		return true;
	err_set(err, ERR_INPUT, "too long");
	err_pointer(err, "%s", pointer);
	return false;
}

void connection_ref(struct connection *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
}

static void connection_free(struct connection *c)
{
	secret_release(&c->credentials);
	for (size_t i = 0; i < CONNECTION_MAX_SECRETS; i++)
		secret_release(&c->webhook_secrets[i]);
	mem_free((void *)(uintptr_t)c->name);
	mem_free((void *)(uintptr_t)c->settings);
	mem_free((void *)(uintptr_t)c->schedule);
	mem_free((void *)(uintptr_t)c->pause_reason);
	mem_free((void *)(uintptr_t)c->unreadable);
	mem_free(c);
}

void connection_unref(struct connection *c)
{
	if (c && __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) == 0)
		connection_free(c);
}

static bool is_id(const char *id)
{
	size_t n = strlen(id);
	return n >= 1 && n <= 32 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static bool copy_text(const char **to, const char *from)
{
	*to = mem_strdup(from ? from : "");
	return *to != NULL;
}

static bool copy_all(struct connection *c, const struct connection_draft *d)
{
	if (!copy_text(&c->name, d->name) || !copy_text(&c->settings, d->settings) ||
	    !copy_text(&c->schedule, d->schedule) ||
	    !copy_text(&c->pause_reason, d->pause_reason) ||
	    !copy_text(&c->unreadable, d->unreadable) ||
	    !secret_init(&c->credentials, d->credentials))
		return false;
	for (size_t i = 0; i < d->n_webhook_secrets; i++) {
		if (!secret_init(&c->webhook_secrets[i], d->webhook_secrets[i]))
			return false;
		c->n_webhook_secrets++;
	}
	return true;
}

bool connection_new(const struct connection_draft *d, struct connection **ret, struct err *err)
{
	if (!d->id || !is_id(d->id)) {
		err_set(err, ERR_INPUT, "a connection's id is 1 to 32 of a-z 0-9 _ -");
		err_pointer(err, "/id");
		return false;
	}
	if (!d->flow || !d->flow[0] || strlen(d->flow) >= sizeof((*ret)->flow))
		return err_set(err, ERR_INPUT, "a connection needs the name of a flow");
	if (d->n_webhook_secrets > CONNECTION_MAX_SECRETS || d->n_limits > CONNECTION_MAX_LIMITS)
		return err_set(err, ERR_LIMIT, "too many webhook secrets or limit keys");
	struct connection *c = mem_alloc(sizeof(*c));
	if (!c)
		return err_set(err, ERR_MEMORY, "out of memory");
	c->refs = 1;
	snprintf(c->id, sizeof(c->id), "%s", d->id);
	snprintf(c->flow, sizeof(c->flow), "%s", d->flow);
	c->state = d->state;
	c->intake_open = d->state == CONNECTION_ACTIVE || d->state == CONNECTION_PAUSED;
	c->rev = d->rev;
	c->created_ms = d->created_ms;
	c->activated_ms = d->activated_ms;
	c->webhook_turn = d->webhook_turn;
	c->n_limits = d->n_limits;
	if (d->n_limits)
		memcpy(c->limits, d->limits, d->n_limits * sizeof(d->limits[0]));
	if (!copy_all(c, d)) {
		connection_free(c);
		return err_set(err, ERR_MEMORY, "out of memory");
	}
	*ret = c;
	return true;
}

void connection_draft_of(const struct connection *c, struct connection_draft *ret)
{
	*ret = (struct connection_draft) {
		.id = c->id,
		.flow = c->flow,
		.name = c->name,
		.settings = c->settings,
		.schedule = c->schedule,
		.pause_reason = c->unreadable[0] ? "operator" : c->pause_reason,
		.state = c->state,
		.rev = c->rev,
		.created_ms = c->created_ms,
		.activated_ms = c->activated_ms,
		.webhook_turn = c->webhook_turn,
		.credentials = { c->credentials.p, c->credentials.n },
		.n_webhook_secrets = c->n_webhook_secrets,
		.n_limits = c->n_limits,
	};
	for (size_t i = 0; i < c->n_webhook_secrets; i++)
		ret->webhook_secrets[i] = (struct span) { c->webhook_secrets[i].p,
							  c->webhook_secrets[i].n };
	memcpy(ret->limits, c->limits, sizeof(ret->limits));
}

void connection_draft_stop(const struct connection *old, struct connection_draft *draft)
{
	bool is_same = str_eq(old->settings, draft->settings) &&
		       span_eq(draft->credentials,
			       (struct span) { old->credentials.p, old->credentials.n });
	if (old->state == CONNECTION_DRAFT || is_same)
		return;
	draft->state = CONNECTION_PAUSED;
	draft->pause_reason = CONNECTION_PAUSED_CHANGED;
}
