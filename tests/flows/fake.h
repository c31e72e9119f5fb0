/*
 * fake.h: an attempt in memory, for flow cases: steps, values, cache and notes are tables; the
 * exchange is handed in. One thread.
 */
#ifndef FLOWS_FAKE_H
#define FLOWS_FAKE_H

#include "base/base.h"
#include "base/strbuf.h"
#include "flow.h"
#include "systems/maestro.h"
#include "systems/maventa.h"
#include "systems/netvisor.h"
#include "systems/procountor.h"
#include "systems/severa.h"
#include "systems/spotilla.h"
#include "systems/talenom.h"

#define FAKE_MAX 4096

struct fake_step {
	char name[300];
	struct step step;
};
struct fake_pair {
	const char *key, *value;
};
struct fake_found {
	const char *id, *number;
};

struct fake {
	struct attempt at;
	struct connection conn;
	struct severa_options severa;
	struct netvisor_options netvisor;
	struct maventa_options maventa;
	struct spotilla_options spotilla;
	struct maestro_options maestro;
	struct talenom_options talenom;
	struct procountor_options procountor;
	struct system_values systems;
	struct arena *arena;
	struct fake_step steps[64];
	size_t n_steps;
	struct fake_pair kv[FAKE_MAX], cache[FAKE_MAX];
	size_t n_kv, n_cache;
	struct fake_found found[FAKE_MAX];
	size_t n_found;
	const char *report, *number;
	const char *wanted; /* register runs that were asked for last */
	struct known_transfer known; /* of every document that was found */
	/* Takes the place of the transport. */
	bool (*exchange)(struct fake *f, const struct call *call, struct http_reply *ret,
			 struct err *err);
	void *ctx;
	struct arena *call_arena; /* of the attempt that makes the exchange */
};

/* settings and credentials are JSON; f is zeroed by it. */
void fake_init(struct fake *f, struct arena *arena, const char *settings, const char *credentials);
/* Same steps and values, a new document or try. */
void fake_aim(struct fake *f, const char *kind, const char *source_id);
struct step *fake_step(struct fake *f, const char *name);
/* The system's own struct of options: those of its table unset, its address http://<name>.test. */
void *fake_options(struct fake *f, const struct system *system);

#endif
