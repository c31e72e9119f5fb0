/*
 * live.c: `flow-cases live URL TENANT`: the flow against a running viesti-sandbox, over the real
 * HTTP client: check, poll, then every invoice found. Prints a line each.
 */
#include "base/base.h"
#include "live.h"

#include "codec/json.h"
#include "flows/severa_netvisor.h"

static bool exchange(struct fake *f, const struct call *call, struct http_reply *ret,
		     struct err *err)
{
	struct live *l = f->ctx;
	struct http_transport *t = http_client_transport(l->client);
	enum http_reach reach;
	return t->perform(t, f->arena, &call->rq, ret, &reach, err);
}

static const char *get(struct live *l, const char *url)
{
	struct http_transport *t = http_client_transport(l->client);
	struct http_request rq = { .method = "GET", .url = url };
	struct http_reply reply;
	enum http_reach reach;
	struct err err = ERR_INIT;
	if (!t->perform(t, l->arena, &rq, &reply, &reach, &err)) {
		fprintf(stderr, "%s: %s\n", url, err.message);
		return NULL;
	}
	return arena_memdup(l->arena, reply.body.p, reply.body.n);
}

static const char *str(const struct json *j, const char *path)
{
	const char *s = json_str(json_at(j, path));
	return s ? s : "";
}

static const char *credentials_of(struct live *l, const struct json *t)
{
	return arena_printf(l->arena,
			    "{\"severa\":{\"client_id\":\"%s\",\"client_secret\":\"%s\"},"
			    "\"netvisor\":{\"sender\":\"Viesti\",\"customer_id\":\"%s\","
			    "\"customer_key\":\"%s\",\"partner_id\":\"%s\",\"partner_key\":\"%s\","
			    "\"organisation_id\":\"%s\",\"language\":\"EN\"}}",
			    str(t, "severa.client_id"), str(t, "severa.client_secret"),
			    str(t, "netvisor.customer_id"), str(t, "netvisor.customer_key"),
			    str(t, "netvisor.partner_id"), str(t, "netvisor.partner_key"),
			    str(t, "netvisor.organisation_id"));
}

static const char *settings_of(struct live *l, const struct json *t)
{
	return arena_printf(l->arena,
			    "{\"statuses\":{\"transfer\":\"%s\",\"transferred\":\"%s\"},"
			    "\"invoice_state\":\"unsent\",\"products\":{\"temp_code\":\"TEMP\"},"
			    "\"send_pdf\":true,\"dimensions\":{\"project_heading\":\"Projekti\","
			    "\"unit_heading\":\"Yksikkö\"},\"severa\":{\"url\":\"%s\"},"
			    "\"netvisor\":{\"url\":\"%s\"}}",
			    str(t, "severa.transfer_status"), str(t, "severa.transferred_status"),
			    str(t, "severa.base_url"), str(t, "netvisor.base_url"));
}

static int run_all(struct fake *f)
{
	struct err err = ERR_INIT;
	int failed = 0;
	fake_aim(f, "check", "");
	if (!severa_netvisor.check(&f->at, &err))
		printf("check: %s\n", err.message);
	else
		printf("check: %s\n", f->at.result);
	fake_aim(f, "poll", "");
	if (!severa_netvisor.poll(&f->at, &err)) {
		printf("poll: %s\n", err.message);
		return 1;
	}
	printf("report: %s\n", f->report);
	for (size_t i = 0; i < f->n_found; i++) {
		err = (struct err)ERR_INIT;
		f->n_steps = 0;
		fake_aim(f, "invoice", f->found[i].id);
		bool ok = severa_netvisor.run(&f->at, &err);
		printf("%s: %s", f->found[i].number, ok ? "ok" : err_code_name(err.code));
		if (ok)
			printf(" outcome %d", (int)f->at.outcome);
		else
			printf(" [%s] (%s) %s: %s", err.reason ? err.reason : "", err.subject,
			       err.message, err.target_text);
		for (size_t k = 0; k < f->at.n_notes; k++)
			printf(" +%s", f->at.notes[k].code);
		printf("\n");
		failed += !ok;
	}
	printf("live: %zu passed, %d failed\n", f->n_found - (size_t)failed, failed);
	return failed ? 1 : 0;
}

bool live_open(struct live *l, struct fake *f, const char *url, const char *tenant)
{
	static const struct http_guard guard = { .allow_private = true, .allow_http = true };
	struct err err = ERR_INIT;
	const struct json *j;
	*l = (struct live) { .arena = arena_new((size_t)1 << 30) };
	if (!l->arena || !http_global_init(&err) || !http_client_new(&guard, &l->client, &err))
		return false;
	const char *setup = get(l,
				arena_printf(l->arena, "%s/_sandbox/setup?tenant=%s", url, tenant));
	if (!setup || !json_parse(l->arena, span_of(setup), JSON_LIMITS_VENDOR, &j, &err))
		return false;
	const struct json *t = json_first(json_get(j, "tenants"));
	fake_init(f, l->arena, settings_of(l, t), credentials_of(l, t));
	f->at.flow = &severa_netvisor;
	f->exchange = exchange;
	f->ctx = l;
	return true;
}

void live_close(struct live *l)
{
	http_client_free(l->client);
	http_global_release();
	arena_free(l->arena);
}

int live_main(const char *url, const char *tenant)
{
	static struct fake f;
	struct live l;
	int status = live_open(&l, &f, url, tenant) ? run_all(&f) : 1;
	live_close(&l);
	return status;
}
