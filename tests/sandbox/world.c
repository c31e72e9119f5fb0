/*
 * world.c: everything that a reset throws away: the state of each stand-in, and the list of
 * tenants.
 *
 * A reset builds a new world and swaps it in; calls in flight end in the one they began in.
 */
#include "base/base.h"

#include "base/alloc.h"
#include "sandbox.h"

struct world *world_ref(struct sandbox *sb)
{
	pthread_mutex_lock(&sb->world_lock);
	struct world *world = sb->world;
	if (world)
		__atomic_add_fetch(&world->refs, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&sb->world_lock);
	return world;
}

void world_unref(struct world *world)
{
	if (!world || __atomic_sub_fetch(&world->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (unsigned i = 0; i < n_standins; i++)
		standins[i]->close(world->states[i]);
	for (size_t i = 0; i < world->n_keys; i++)
		mem_free(world->keys[i]);
	mem_free(world->keys);
	mem_free(world->states);
	pthread_mutex_destroy(&world->lock);
	mem_free(world);
}
CLEANUP_FUNC(struct world, world_unref)

static bool add_key(struct world *world, const char *key, struct err *err)
{
	bool ok = true;
	pthread_mutex_lock(&world->lock);
	for (size_t i = 0; i < world->n_keys; i++) {
		if (strcmp(world->keys[i], key) == 0)
			ok = err_set(err, ERR_CONFLICT, "tenant %s exists already", key);
	}
	if (ok && world->n_keys == world->cap_keys) {
		size_t cap = world->cap_keys ? world->cap_keys * 2 : 8;
		char **keys = mem_realloc(world->keys, cap * sizeof(*keys));
		if (keys) {
			world->keys = keys;
			world->cap_keys = cap;
		} else {
			ok = err_set(err, ERR_MEMORY, "out of memory");
		}
	}
	char *copy = ok ? mem_strdup(key) : NULL;
	if (copy)
		world->keys[world->n_keys++] = copy;
	else if (ok)
		ok = err_set(err, ERR_MEMORY, "out of memory");
	pthread_mutex_unlock(&world->lock);
	return ok;
}

bool world_add_tenant(struct world *world, const struct tenant_spec *spec, struct err *err)
{
	if (!add_key(world, spec->key, err))
		return false;
	for (unsigned i = 0; i < n_standins; i++) {
		standin_enter(standins[i], world->states[i]);
		bool ok = standins[i]->add_tenant(world->states[i], spec, err);
		standin_leave(standins[i], world->states[i]);
		if (!ok)
			return err_wrap(err, "%s: tenant %s", standins[i]->name, spec->key);
	}
	return true;
}

static bool seed(struct world *world, const struct sandbox_options *options, bool demo,
		 struct err *err)
{
	static const char *const demo_keys[] = { "kajo", "louhi", "fjell" };
	for (size_t i = 0; demo && i < ARRAY_SIZE(demo_keys); i++) {
		struct tenant_spec spec = { .key = demo_keys[i],
					    .demo = true,
					    .ordinal = (unsigned)i };
		if (!world_add_tenant(world, &spec, err))
			return false;
	}
	for (unsigned i = 0; i < options->tenants; i++) {
		char key[24];
		snprintf(key, sizeof(key), "t%04u", i + 1);
		struct tenant_spec spec = {
			.key = key, .ordinal = i + 1, .invoices = options->invoices, .customers = 10
		};
		if (!world_add_tenant(world, &spec, err))
			return false;
	}
	return true;
}

bool world_reset(struct sandbox *sb, bool seed_demo, struct err *err)
{
	CLEANUP(world_unref) struct world *world = mem_alloc(sizeof(*world));
	if (!world)
		return err_set(err, ERR_MEMORY, "out of memory");
	world->refs = 1;
	pthread_mutex_init(&world->lock, NULL);
	world->states = mem_alloc_array(n_standins, sizeof(*world->states));
	if (!world->states) {
		pthread_mutex_destroy(&world->lock);
		mem_free(world);
		world = NULL;
		return err_set(err, ERR_MEMORY, "out of memory");
	}
	for (unsigned i = 0; i < n_standins; i++) {
		world->states[i] = standins[i]->open(sb, err);
		if (!world->states[i])
			return err_wrap(err, "%s", standins[i]->name);
	}
	if (!seed(world, &sb->options, seed_demo, err))
		return false;
	pthread_mutex_lock(&sb->world_lock);
	struct world *old = sb->world;
	sb->world = world;
	world = NULL; /* the sandbox has it now */
	pthread_mutex_unlock(&sb->world_lock);
	world_unref(old);
	return true;
}
